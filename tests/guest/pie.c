/* Permission indirection and overlays (FEAT_S1PIE, FEAT_S1POE, FEAT_S2PIE), seen from EL2: each value of each register
 * by what EL1 and EL0 may do with a page, dirty state without DBM, what excludes what, ISS2, the traps. Arm ARM D8.4.1
 * (permissions), D8.4.6 (dirty state), D19.2 (PIR_EL1, POR_EL1, S2PIR_EL2, TCR2_EL1, ESR_ELx.ISS2). */
#include "rt.h"

#define TCR2    s3_0_c2_c0_3
#define PIRE0   s3_0_c10_c2_2
#define PIR     s3_0_c10_c2_3
#define POR_EL1 s3_0_c10_c2_4
#define POR_EL0 s3_3_c10_c2_4
#define S2PIR   s3_4_c10_c2_5
#define HCRX    s3_4_c1_c2_2
#define HFGRTR  s3_4_c1_c1_4

#define PIE        BIT(1)
#define E0POE      BIT(2)
#define POE        BIT(3)
#define TCR2EN     BIT(14)
#define HCR_TVM    BIT(26)
#define HCR_TRVM   BIT(30)
#define S2PIE      BIT(36)
#define OVERLAY    BIT(38) /* of ESR_ELx: ISS2<6> */
#define DIRTY      BIT(37)
#define WNR        BIT(6)
#define PSTATE_PAN BIT(22)
#define CLEAN      BIT(7) /* nDirty of a stage 1 descriptor */

#define T 0x80000000ul
enum { R = 1, W = 2, X = 4 };
enum { OURS = 1, S2_OURS = 2, PO = 1 }; /* the indices of the page of the tests; all else has 0 and 8, 1 and 9, and 0 */

CODE(do_ldr, "ldr x0, [x0, #8]");
CODE(do_str, "str x1, [x0, #8]");
CODE(do_br, "stp x29, x30, [sp, #-16]!\nblr x0\nldp x29, x30, [sp], #16");
CODE(do_br0, "mov x9, x30\nblr x0\nmov x30, x9"); /* EL0 has no stack here */
CODE(do_pir, "mrs x5, s3_0_c10_c2_3");
CODE(do_pir_write, "msr s3_0_c10_c2_3, x5");
CODE(do_tcr2, "mrs x5, s3_0_c2_c0_3");
CODE(do_por0, "mrs x5, s3_3_c10_c2_4");
CODE(do_por0_write, "msr s3_3_c10_c2_4, xzr");

static volatile u64 page[512] __attribute__((aligned(4096)));
static u64 *s1, *s2, stack; /* each call leaves a little on EL1's */

/* Everything but our page: EL1 reads, writes, executes its RAM, EL0 has what `ram0` says; devices are EL1's data. */
static u64 ram0 = 0xa; /* RX */
static void stage1_permissions(u64 pir, u64 pire0)
{
    WRITE(PIR, 0xc0000000eul | pir << 4 * OURS);
    WRITE(PIRE0, ram0 | pire0 << 4 * OURS);
    ISB();
    tlb_flush();
}

static void overlays(u64 por, u64 por0)
{
    WRITE(POR_EL1, 7ul | por << 4 * PO);
    WRITE(POR_EL0, 7ul | por0 << 4 * PO);
    ISB();
}

static void stage2_permissions(u64 value)
{
    WRITE(S2PIR, 0xful << 4 | 0xcul << 36 | value << 4 * S2_OURS);
    ISB();
    tlb_flush();
}

static void put_what(u64 what, const char *more)
{
    put_text("# ");
    put_hex(what);
    put_text(more);
}

/* What EL1 or EL0 may do, as the faults of each kind of access say; faults are at `at`, with the bits `iss2`. */
static u64 rights(u64 el, u64 at, u64 iss2)
{
    u64 may = 0;
    static const u8 kinds[] = { R, W, X };
    for (u32 n = 0; n < COUNT(kinds); n++) {
        WRITE(sp_el1, stack);
        try_el(el, kinds[n] == R ? do_ldr : kinds[n] == W ? do_str : el ? do_br : do_br0, T, 0x1234);
        if (!EXC.count) {
            may |= kinds[n];
            continue;
        }
        u64 ec = (kinds[n] == X ? EC_IABT_LOWER : EC_DABT_LOWER) + (at == el);
        u64 want = iss2 | ec << 26 | BIT(25) | 0xf | (kinds[n] == W ? WNR : 0);
        if (EXC.el != at || (EXC.esr & ~(0x1fful << 16 | 3ul << 14)) != want ||
            EXC.far != T + (kinds[n] == X ? 0 : 8)) {
            put_what(EXC.esr, " is not the syndrome ");
            put_what(want, "\n");
            return BIT(8);
        }
    }
    return may;
}

static bool same(const u8 *want, u64 value, u64 got)
{
    if (got == want[value])
        return true;
    put_what(value, " gives ");
    put_what(got, "\n");
    return false;
}

static const u8 pir_rights[16] = { 0, R, X, R | X, 0, R | W, R | W, R | W | X, R, R, R | X, 0, R | W, 0, R | W | X, 0 };
static const u8 por_rights[16] = { 0, R, X, R | X, W, R | W, W | X, R | W | X };

static void stage1(void)
{
    bool priv = true, user = true, none = true;
    for (u64 v = 0; v < 16; v++) {
        stage1_permissions(v, 0);
        priv &= same(pir_rights, v, rights(1, 1, 0));
        none &= rights(0, 1, 0) == 0;
        stage1_permissions(0, v);
        user &= same(pir_rights, v, rights(0, 1, 0));
    }
    check(priv, "PIR_EL1: each value, from EL1");
    check(none, "PIRE0_EL1 0: nothing from EL0");
    check(user, "PIRE0_EL1: each value, from EL0");
    stage1_permissions(7, 5);
    check_eq("EL1 executes and EL0 writes: nothing for EL1", rights(1, 1, 0), 0);
    check_eq("EL1 executes and EL0 writes: nothing for EL0", rights(0, 1, 0), 0);
    stage1_permissions(5, 7);
    check_eq("EL0 writes and executes, EL1 does not execute: EL0", rights(0, 1, 0), R | W | X);
    ram0 = 0; /* PAN keeps EL1 from what it is not */
    stage1_permissions(5, 7);
    call_pstate = 0x3c0 | PSTATE_PAN;
    check_eq("PAN: EL1 data accesses are denied where PIRE0_EL1 is not 0", rights(1, 1, 0), 0);
    stage1_permissions(5, 0);
    check_eq("PAN: and are not where it is 0", rights(1, 1, 0), R | W);
    call_pstate = 0x3c0;
    ram0 = 0xa;
}

static void stage1_overlays(void)
{
    WRITE(TCR2, PIE | POE | E0POE);
    stage1_permissions(7, 0);
    bool priv = true, user = true;
    for (u64 v = 0; v < 16; v++) {
        overlays(v, 0);
        priv &= same(por_rights, v, rights(1, 1, OVERLAY));
    }
    check(priv, "POR_EL1: each value, without TLBI");
    stage1_permissions(0, 7);
    for (u64 v = 0; v < 16; v++) {
        overlays(0, v);
        user &= same(por_rights, v, rights(0, 1, OVERLAY));
    }
    check(user, "POR_EL0: each value, from EL0");
    overlays(0, 0);
    stage1_permissions(0xe, 0);
    check_eq("a base permission without overlay", rights(1, 1, 0), R | W | X);
    stage1_permissions(6, 0);
    overlays(7, 0);
    check_eq("RWX with WXN: an overlay that executes does not write", rights(1, 1, OVERLAY), R | X);
    overlays(5, 0);
    check_eq("RWX with WXN: one that does not execute writes", rights(1, 1, OVERLAY), R | W);
    WRITE(TCR2, PIE);
    ISB();
}

static void dirty_state(void)
{
    u64 *e = pt_entry(s1, T, 3);
    stage1_permissions(5, 0);
    *e |= CLEAN;
    tlb_flush();
    try_el(1, do_ldr, T, 0);
    check(!EXC.count, "a clean page can be read");
    try_el(1, do_str, T, 0);
    check_exc("a clean page, written", 1, EC_DABT, WNR | 0xf);
    check_eq("  ISS2.DirtyBit", EXC.esr >> 32 << 32, DIRTY);
    u64 tcr = READ(tcr_el1);
    WRITE(tcr_el1, tcr | 3ul << 39); /* HA, HD */
    tlb_flush();
    try_el(1, do_str, T, 0);
    check(!EXC.count, "TCR_EL1.HD: it can be written");
    check_eq("  and is dirty then", *e & CLEAN, 0);
    WRITE(tcr_el1, tcr);
    tlb_flush();
}

static void stage2(void)
{
    static const u8 el1[16] = { 0, 0, R, R, W, 0, R, R, R, R, R | X, R | X, R | W, R | W, R | W | X, R | W | X };
    static const u8 el0[16] = { 0, 0, R, R, W, 0, R, R, R, R | X, R, R | X, R | W, R | W | X, R | W, R | W | X };
    u64 *e = pt_entry(s2, T, 3);
    bool priv = true, user = true;
    stage2_permissions(0);
    stage2_on(s2, 1);
    WRITE(vtcr_el2, READ(vtcr_el2) | S2PIE);
    stage1_permissions(0xe, 0);
    for (u64 v = 0; v < 16; v++) {
        stage2_permissions(v);
        priv &= same(el1, v, rights(1, 2, 0));
    }
    check(priv, "S2PIR_EL2: each value, from EL1");
    stage1_permissions(0, 0xe);
    for (u64 v = 0; v < 16; v++) {
        stage2_permissions(v);
        user &= same(el0, v, rights(0, 2, 0));
    }
    check(user, "S2PIR_EL2: each value, from EL0");
    stage1_permissions(0xe, 0);
    stage2_permissions(0xc);
    *e &= ~BIT(7);
    tlb_flush();
    try_el(1, do_str, T, 0);
    check(EXC.count && EXC.el == 2 && EXC.esr >> 32 << 32 == DIRTY, "a page that is clean in stage 2: ISS2.DirtyBit");
    WRITE(vtcr_el2, READ(vtcr_el2) | 3ul << 21); /* HA, HD */
    tlb_flush();
    try_el(1, do_str, T, 0);
    check(!EXC.count && *e & BIT(7), "VTCR_EL2.HD: it is written, and dirty then");
    WRITE(hcr_el2, BIT(31));
    tlb_flush();
}

static void traps(void)
{
    WRITE(HCRX, 0);
    try_el(1, do_tcr2, 0, 0);
    check_exc("TCR2_EL1 from EL1, HCRX_EL2.TCR2En 0", 2, EC_SYSREG, ISS_SYS(3, 0, 2, 0, 3, 5, 1));
    stage1_permissions(5, 0);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~BIT(0)); /* what indirection allows is not what the descriptors say */
    WRITE(HCRX, TCR2EN);
    WRITE(HFGRTR, 0);
    try_el(1, do_pir, 0, 0);
    check_exc("PIR_EL1 from EL1, HFGRTR_EL2.nPIR_EL1 0", 2, EC_SYSREG, ISS_SYS(3, 0, 10, 2, 3, 5, 1));
    WRITE(HFGRTR, 0xful << 57);
    WRITE(s3_4_c1_c1_5, 0xful << 57);
    try_el(1, do_pir, 0, 0);
    check(!EXC.count, "PIR_EL1 from EL1, HFGRTR_EL2.nPIR_EL1 1");
    WRITE(hcr_el2, BIT(31) | HCR_TVM);
    try_el(1, do_pir_write, 0, 0);
    check_exc("MSR PIR_EL1 from EL1, TVM", 2, EC_SYSREG, ISS_SYS(3, 0, 10, 2, 3, 5, 0));
    WRITE(hcr_el2, BIT(31));
    WRITE(cpacr_el1, 0);
    try_el(0, do_por0, 0, 0);
    check_exc("POR_EL0 from EL0, CPACR_EL1.E0POE 0", 1, EC_SYSREG, ISS_SYS(3, 3, 10, 2, 4, 5, 1));
    WRITE(cpacr_el1, BIT(29));
    try_el(0, do_por0, 0, 0);
    check(!EXC.count, "POR_EL0 from EL0, CPACR_EL1.E0POE 1");
    WRITE(hcr_el2, BIT(31) | HCR_TVM);
    for (u64 el = 0; el < 2; el++) {
        try_el(el, do_por0_write, 0, 0);
        check_exc("MSR POR_EL0, HCR_EL2.TVM", 2, EC_SYSREG, ISS_SYS(3, 3, 10, 2, 4, 31, 0));
        try_el(el, do_por0, 0, 0);
        check(!EXC.count, "  MRS");
    }
    WRITE(hcr_el2, BIT(31) | HCR_TRVM); /* EL1's handler, which reads ESR_EL1, is trapped too: not from EL0 */
    try_el(1, do_por0, 0, 0);
    check_exc("MRS POR_EL0, HCR_EL2.TRVM", 2, EC_SYSREG, ISS_SYS(3, 3, 10, 2, 4, 5, 1));
    try_el(1, do_por0_write, 0, 0);
    check(!EXC.count, "  MSR");
    WRITE(hcr_el2, BIT(31));
}

void test_main(void)
{
    if ((READ(s3_0_c0_c7_3) & 0xfff0f) != 0x11101)
        stop("ID_AA64MMFR3_EL1 does not have TCRX, S1PIE, S2PIE, S1POE");
    stack = READ(sp_el1);
    s1 = pt_identity(S1_EL1);
    s2 = pt_identity(S2);
    pt_map(s1, T, T, 4096, RAM_ATTR | PT_AP(1) | (u64)PO << 60);                  /* PIIndex 1 */
    pt_map(s2, T, (u64)page, 4096, PT_AF | PT_SH | S2_NORMAL | BIT(51) | BIT(7)); /* PIIndex 2, dirty */
    page[0] = 0xd65f03c0;                                                         /* RET */
    WRITE(HCRX, TCR2EN);
    WRITE(TCR2, PIE);
    stage1_permissions(0, 0);
    overlays(0, 0);
    mmu_on_el1(s1);
    u64 *e = pt_entry(s1, T, 3), ipa = *e;
    *e = (*e & ~(0xffffffful << 12)) | (u64)page; /* until stage 2 is on */
    stage1();
    stage1_overlays();
    dirty_state();
    *e = ipa;
    stage2();
    traps();
    finish();
}
