/* Memory tagging: tags in memory, checked accesses in each mode of SCTLR_EL1.TCF, memory set with tags, blocks of tags,
 * tags where stage 1 is off, what stage 2 makes of them. Arm ARM D8.6.6, D10 (the Memory Tagging Extension), C5.3 (DC
 * GVA, DC GZVA), C6.2 (STG, LDG, SETG*), D19.2 (HCR_EL2.DCT, SCTLR_EL1.TCF). */
#include "rt.h"

#define SYNC_TAG 0x11ul /* DFSC of a synchronous Tag Check Fault */
#define TCF(n)   ((u64)(n) << 40)
#define ATA      BIT(43)
#define MSCEN    BIT(33)
#define HCR_DC   BIT(12)
#define HCR_ATA  BIT(56)
#define HCR_DCT  BIT(57)
#define HCR_CD   BIT(32)
#define HCR_FWB  BIT(46)
#define TAGGED   0x80000000ul /* where `page` is mapped as Normal Tagged */
#define UNTAGGED 0x80200000ul /* and as Normal */
#define READONLY 0x80400000ul /* Normal Tagged, not writable */
#define USER     0x80600000ul /* Normal Tagged, for EL0 too */
#define DEVICE   0x80800000ul
#define NOWHERE  0x80a00000ul
#define CODE_TAG 0x80c00000ul /* the page of do_nothing, Normal Tagged */
#define WNR      BIT(6)
#define DZE      BIT(14) /* SCTLR_EL1 */
#define ATA0     BIT(42)
#define HCR_TDZ  BIT(28)

#define STG(rt, rn)          ".inst 0xd9200800 | " #rn " << 5 | " #rt "\n"
#define LDG(rt, rn)          ".inst 0xd9600000 | " #rn " << 5 | " #rt "\n"
#define SETG(stage, d, n, s) ".inst 0x1dc00400 | " #stage " << 14 | " #s " << 16 | " #n " << 5 | " #d "\n"

/* TCO masks the checks at exception entry, and at a return to where SPSR has it. */
CODE(do_stg, STG(0, 0));
CODE(do_ldg, "mov x1, x0\n" LDG(0, 1));
CODE(do_load, "ldr x0, [x0]");
CODE(do_store, "str xzr, [x0]");
CODE(do_load_tco, ".inst 0xd503419f | 1 << 8\nldr x0, [x0]\n.inst 0xd503419f");
CODE(do_setg, "mov x2, #0xa5\n" SETG(0, 0, 1, 2) SETG(1, 0, 1, 2) SETG(2, 0, 1, 2) "mov x0, x1");

CODE(read_dczid, "mrs x0, dczid_el0");
CODE(do_zva, "dc zva, x0");
CODE(do_gva, ".inst 0xd50b7460");  /* DC GVA, X0 */
CODE(do_gzva, ".inst 0xd50b7480"); /* DC GZVA, X0 */

CODE(do_setgp, "mov x2, #0xa5\n" SETG(0, 0, 1, 2));

CODE(do_nothing, "nop");

static u64 page[512] __attribute__((aligned(4096)));

static u64 with_tag(u64 va, u64 tag) { return va | tag << 56; }
static u64 tag_of(u64 va) { return BITS(try_el(1, do_ldg, va, 0), 59, 56); }

static void control(u64 tcf)
{
    WRITE(sctlr_el1, (READ(sctlr_el1) & ~TCF(3)) | TCF(tcf) | ATA | MSCEN);
    WRITE(s3_0_c5_c6_0, 0); /* TFSR_EL1 */
    ISB();
}

static void check_fault(const char *what, u64 va, u64 iss)
{
    check_exc(what, 1, EC_DABT, iss);
    check_eq("  FAR_EL1[59:0], the tag too", EXC.far & ~(0xful << 60), va & ~(0xful << 60));
}

/* C6.2 STG, LDG: the tag is the address's, for 16 bytes; memory that is not Tagged has none. */
static void check_tags(void)
{
    try_el(1, do_stg, with_tag(TAGGED + 32, 5), 0);
    check_eq("STG: no exception", EXC.count, 0);
    check_eq("LDG: the tag that STG stored", tag_of(TAGGED + 40), 5);
    check_eq("LDG: the granule before", tag_of(TAGGED + 16), 0);
    check_eq("LDG: the granule behind", tag_of(TAGGED + 48), 0);
    check_eq("LDG: not Tagged memory reads as 0", tag_of(UNTAGGED + 32), 0);
    try_el(1, do_stg, with_tag(UNTAGGED + 32, 9), 0);
    check_eq("STG: ignored in memory that is not Tagged", tag_of(TAGGED + 32), 5);
    try_el(1, do_stg, with_tag(TAGGED + 33, 5), 0);
    check_exc("STG at an address that is no granule's", 1, EC_DABT, 0x21 | BIT(6));
}

/* D10.4: TCF 0 has no effect, 1 faults, 2 is noted in TFSR_EL1, 3 faults for loads and notes stores. */
static void check_modes(void)
{
    u64 good = with_tag(TAGGED + 32, 5), bad = with_tag(TAGGED + 32, 6);
    control(0);
    try_el(1, do_load, bad, 0);
    check_eq("TCF 0: another tag is nothing", EXC.count, 0);
    control(1);
    try_el(1, do_load, good, 0);
    check_eq("TCF 1: the same tag", EXC.count, 0);
    try_el(1, do_load, bad, 0);
    check_fault("TCF 1: load with another tag", bad, SYNC_TAG);
    try_el(1, do_store, bad, 0);
    check_fault("TCF 1: store with another tag", bad, SYNC_TAG | BIT(6));
    try_el(1, do_load, with_tag(UNTAGGED + 32, 6), 0);
    check_eq("TCF 1: memory that is not Tagged", EXC.count, 0);
    try_el(1, do_load_tco, bad, 0);
    check_eq("PSTATE.TCO: unchecked", EXC.count, 0);
    control(2);
    try_el(1, do_store, bad, 0);
    check_eq("TCF 2: no exception", EXC.count, 0);
    check_eq("TCF 2: TFSR_EL1.TF0", READ(s3_0_c5_c6_0), 1);
    control(3);
    try_el(1, do_load, bad, 0);
    check_fault("TCF 3: a load", bad, SYNC_TAG);
    check_eq("  TFSR_EL1", READ(s3_0_c5_c6_0), 0);
    try_el(1, do_store, bad, 0);
    check_eq("TCF 3: a store", EXC.count, 0);
    check_eq("  TFSR_EL1.TF0", READ(s3_0_c5_c6_0), 1);
}

/* C6.2 SETGP, SETGM, SETGE: bytes and tags of whole granules, unchecked. */
static void check_setg(void)
{
    control(1);
    for (u32 n = 0; n < COUNT(page); n++)
        page[n] = 0;
    u64 to = with_tag(TAGGED + 256, 3), left = try_el(1, do_setg, to, 64);
    check_eq("SETG of four granules: no exception", EXC.count, 0);
    check_eq("  nothing is left", left, 0);
    check_eq("  the first byte", page[32], 0xa5a5a5a5a5a5a5a5);
    check_eq("  the last byte", page[39], 0xa5a5a5a5a5a5a5a5);
    check_eq("  the byte behind", page[40], 0);
    check_eq("  the first tag", tag_of(TAGGED + 256), 3);
    check_eq("  the last tag", tag_of(TAGGED + 304), 3);
    check_eq("  the tag behind", tag_of(TAGGED + 320), 0);
    try_el(1, do_setgp, to, 24);
    check_exc("SETG of a granule and a half", 1, EC_DABT, 0x21 | BIT(6));
    try_el(1, do_setgp, to + 8, 32);
    check_exc("SETG from within a granule", 1, EC_DABT, 0x21 | BIT(6));
    try_el(1, do_setg, to + 8, 0);
    check_eq("SETG of nothing", EXC.count, 0);
}

/* The tags of the first and last granule of the block at va, and of those beside it. */
static void check_block(const char *what, u64 va, u64 size, u64 tag, u64 beside)
{
    check_eq(what, tag_of(va), tag);
    check_eq("  the block's last tag", tag_of(va + size - 16), tag);
    check_eq("  the tag before the block", tag_of(va - 16), beside);
    check_eq("  the tag behind the block", tag_of(va + size), beside);
}

/* C5.3 DC GVA, DC GZVA: the tag of the address for all of the block (DCZID_EL0.BS) that it lies in; GZVA zeroes it,
 * too. Not checked for tags (AccessDescriptor.tagchecked is for DC ZVA alone). */
static void check_zero_block(void)
{
    u64 size = 4ul << BITS(READ(dczid_el0), 3, 0), block = TAGGED + size, last = 2 * size / 8;
    for (u32 n = 0; n < COUNT(page); n++)
        page[n] = n + 1;
    for (u64 n = 0; n < 3 * size; n += 16)
        try_el(1, do_stg, with_tag(TAGGED + n, 1), 0);
    control(1);
    try_el(1, do_gva, with_tag(block + 24, 9), 0);
    check_eq("DC GVA: no exception, whatever the tag was", EXC.count, 0);
    check_block("  the block's first tag", block, size, 9, 1);
    check_eq("  the data stays", page[size / 8], size / 8 + 1);
    try_el(1, do_gzva, with_tag(block + size - 1, 4), 0);
    check_eq("DC GZVA: no exception", EXC.count, 0);
    check_block("  the block's first tag", block, size, 4, 1);
    check_eq("  the data before", page[size / 8 - 1], size / 8);
    check_eq("  the first data", page[size / 8], 0);
    check_eq("  the last data", page[last - 1], 0);
    check_eq("  the data behind", page[last], last + 1);
    try_el(1, do_zva, with_tag(block + 24, 9), 0);
    check_fault("DC ZVA is checked", with_tag(EXC.far & ~(0xful << 56), 9), SYNC_TAG | WNR);
    try_el(1, do_gzva, with_tag(UNTAGGED + 2 * size, 7), 0);
    check_eq("DC GZVA of memory that is not Tagged: no exception", EXC.count, 0);
    check_eq("  zeroes", page[last], 0);
    check_eq("  the tags of Tagged memory stay", tag_of(TAGGED + 2 * size), 1);
    control(0);
}

/* WnR is 1 and CM 0 for both, FAR_ELx the argument (D19.2 ESR_ELx, FAR_ELx). */
static void check_zero_faults(const char *what, u64 (*fn)(u64, u64), u64 op2)
{
    u64 trap = ISS_SYS(1ul, 3ul, 7ul, 4ul, op2, 0ul, 0ul);
    check(true, what);
    try_el(1, fn, with_tag(READONLY + 70, 2), 0);
    check_fault("  not writable", with_tag(READONLY + 70, 2), 0xf | WNR);
    try_el(1, fn, with_tag(NOWHERE + 70, 2), 0);
    check_fault("  not mapped", with_tag(NOWHERE + 70, 2), 0x6 | WNR);
    try_el(1, fn, with_tag(DEVICE + 70, 2), 0);
    check_exc("  Device memory: alignment", 1, EC_DABT, 0x21 | WNR);
    WRITE(sctlr_el1, READ(sctlr_el1) | DZE | ATA0);
    try_el(0, fn, with_tag(USER + 512, 6), 0);
    check_eq("  EL0 with SCTLR_EL1.DZE", EXC.count, 0);
    check_eq("    its tag", tag_of(TAGGED + 512), 6);
    try_el(0, fn, with_tag(TAGGED + 70, 2), 0);
    check_exc("  EL0, not its page", 1, EC_DABT_LOWER, 0xf | WNR);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(DZE | ATA0));
    try_el(0, fn, with_tag(USER + 512, 6), 0);
    check_exc("  EL0 without", 1, EC_SYSREG, trap);
    WRITE(hcr_el2, READ(hcr_el2) | HCR_TDZ);
    try_el(1, fn, with_tag(TAGGED + 70, 2), 0);
    check_exc("  HCR_EL2.TDZ", 2, EC_SYSREG, trap);
    check_eq("    DCZID_EL0.DZP", call_el(1, read_dczid, 0, 0) >> 4 & 1, 1);
    WRITE(hcr_el2, READ(hcr_el2) & ~HCR_TDZ);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~ATA);
    try_el(1, fn, with_tag(TAGGED + 512, 3), 0);
    WRITE(sctlr_el1, READ(sctlr_el1) | ATA);
    check_eq("  SCTLR_EL1.ATA 0: the tag stays", tag_of(TAGGED + 512), 6);
}

/* D8.2.12, HCR_EL2.DCT: with stage 1 off by HCR_EL2.DC, all data is Tagged, or none. */
static void check_dct(void)
{
    stage2_on(pt_identity(S2), 0); /* DC means VM too */
    u64 hcr = READ(hcr_el2), at = with_tag((u64)page + 1024, 7);
    WRITE(hcr_el2, hcr | HCR_DC | HCR_DCT);
    tlb_flush();
    try_el(1, do_stg, at, 0);
    check_eq("DC and DCT: the tag is kept", tag_of((u64)page + 1024), 7);
    WRITE(hcr_el2, hcr | HCR_DC);
    tlb_flush();
    check_eq("DC alone: not Tagged", tag_of((u64)page + 1024), 0);
    WRITE(hcr_el2, hcr);
    tlb_flush();
    check_eq("stage 1 again: the same tag", tag_of(TAGGED + 1024), 7);
}

/* D8.6.5, D8.6.6, D10.3.1: what stage 2 makes of Tagged memory. Only what stays Write-Back stays Tagged: PAR_EL1.ATTR,
 * the Tag Check Faults of a load with a wrong tag, and the tag that is read. */
static void check_stage2(void)
{
    static const struct {
        const char *what;
        u64 hcr, memattr, attr;
        bool tagged;
    } rows[] = {
        { "FWB 0, Write-Back", 0, 15, 0xf0, true },
        { "FWB 0, Non-cacheable", 0, 5, 0x40, false },
        { "FWB 0, Write-Through", 0, 10, 0xbb, false },
        { "FWB 0, outer Write-Back, inner Non-cacheable", 0, 13, 0xf4, false },
        { "FWB 0, inner Write-Back, outer Write-Through", 0, 11, 0xbf, false },
        { "FWB 0, Write-Back, CD", HCR_CD, 15, 0x40, false },
        { "FWB, Non-cacheable by force", HCR_FWB, 5, 0x40, false },
        { "FWB, Write-Back by force", HCR_FWB, 6, 0xf0, true },
        { "FWB, as stage 1", HCR_FWB, 7, 0xf0, true },
        { "FWB, Write-Back by force, CD", HCR_FWB | HCR_CD, 6, 0x40, false },
        { "FWB, as stage 1, CD", HCR_FWB | HCR_CD, 7, 0x40, false },
    };
    u64 *root = pt_identity(S2), hcr0 = READ(hcr_el2), xs = BITS(READ(s3_0_c0_c6_1), 59, 56);
    stage2_on(root, 0);
    u64 hcr = READ(hcr_el2);
    control(0);
    try_el(1, do_stg, with_tag(TAGGED + 1024, 7), 0);
    for (u32 n = 0; n < COUNT(rows); n++) {
        pt_map(root, (u64)page, (u64)page, 4096, PT_AF | PT_SH | rows[n].memattr << 2 | S2_AP(3));
        WRITE(hcr_el2, hcr | rows[n].hcr);
        tlb_flush();
        control(0);
        u64 tag = tag_of(TAGGED + 1024);
        control(1);
        try_el(1, do_load, with_tag(TAGGED + 1024, 6), 0);
        asm volatile("at s12e1r, %0\nisb" : : "r"(TAGGED) : "memory");
        u64 attr = rows[n].attr == 0x40 && !xs ? 0x44 : rows[n].attr;
        check_eq(rows[n].what, READ(par_el1) >> 56 << 8 | EXC.count << 4 | tag,
                 attr << 8 | (rows[n].tagged ? 0x17 : 0));
    }
    WRITE(hcr_el2, hcr0);
    tlb_flush();
    control(0);
}

/* Of data: the cacheability of fetches (SCTLR_EL1.I) has no part in it, whoever used the page first. */
static void check_fetched_page(void)
{
    u64 at = CODE_TAG + BITS((u64)do_nothing, 11, 0), sctlr = READ(sctlr_el1);
    try_el(1, do_stg, with_tag(at & ~15ul, 9), 0);
    WRITE(sctlr_el1, sctlr & ~BIT(12));
    tlb_flush();
    try_el(1, (u64(*)(u64, u64))at, 0, 0);
    check_eq("SCTLR_EL1.I 0, a page that was executed: tagged", tag_of(at & ~15ul), 9);
    WRITE(sctlr_el1, sctlr);
    tlb_flush();
}

void test_main(void)
{
    u64 *root = pt_identity(S1_EL1);
    WRITE(hcr_el2, READ(hcr_el2) | HCR_ATA);
    WRITE(s3_4_c1_c2_2, BIT(11)); /* HCRX_EL2.MSCEn */
    pt_map(root, TAGGED, (u64)page, 4096, PT_AF | PT_SH | 2ul << 2);
    pt_map(root, UNTAGGED, (u64)page, 4096, RAM_ATTR);
    pt_map(root, READONLY, (u64)page, 4096, PT_AF | PT_SH | 2ul << 2 | PT_AP(2));
    pt_map(root, USER, (u64)page, 4096, PT_AF | PT_SH | 2ul << 2 | PT_AP(1));
    pt_map(root, CODE_TAG, (u64)do_nothing & ~4095ul, 4096, PT_AF | PT_SH | 2ul << 2);
    pt_map(root, DEVICE, (u64)page, 4096, PT_AF | PT_SH | PT_DEVICE);
    mmu_on_el1(root);
    WRITE(mair_el1, READ(mair_el1) | 0xf0ul << 16);
    WRITE(tcr_el1, READ(tcr_el1) | BIT(37)); /* TBI0 */
    ISB();
    call_pstate = 0x3c0;
    control(0);
    check_tags();
    check_modes();
    check_setg();
    check_zero_block();
    check_zero_faults("DC GVA", do_gva, 3);
    check_zero_faults("DC GZVA", do_gzva, 4);
    check_dct();
    check_stage2();
    check_fetched_page();
    finish();
}
