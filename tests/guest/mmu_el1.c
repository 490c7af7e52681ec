/* Stage 1 of EL1&0, 4 KiB granule: faults and their level, permissions, ASIDs, both table base registers, AT.
 * Arm ARM D8.2-D8.5 (translation, faults), D19.2 (ISS of data aborts; PAR_EL1). */
#include "rt.h"

#define FSC_SIZE(l)   (0x00 | (l))
#define FSC_TRANS(l)  (0x04 | (l))
#define FSC_AF(l)     (0x08 | (l))
#define FSC_PERM(l)   (0x0c | (l))
#define FSC_ALIGN     0x21
#define WNR BIT(6)
#define CM  BIT(8)

#define T  0x80000000ul                 /* where test pages are mapped, one for each row */
#define EL1_RW PT_AP(0)
#define ALL_RW PT_AP(1)
#define EL1_RO PT_AP(2)
#define ALL_RO PT_AP(3)

CODE(do_ldr, "ldr x0, [x0]");
CODE(do_str, "str x1, [x0]");
CODE(do_ldtr, "ldtr x0, [x0]");
CODE(do_sttr, "sttr x1, [x0]");
CODE(do_br, "stp x29, x30, [sp, #-16]!\nblr x0\nldp x29, x30, [sp], #16");
CODE(do_br0, "br x0"); /* at EL0, without a stack: the page holds RET */
CODE(do_cvac, "dc cvac, x0");
CODE(do_ivac, "dc ivac, x0");
CODE(do_zva, "dc zva, x0");
CODE(do_ldxr, "ldxr x1, [x0]\nclrex");

static u8 page[2][4096] __attribute__((aligned(4096)));
static u64 *root;

enum { EL0 = 0, EL1 = 1 };

struct row {
    const char *what;
    u64 attr; /* of the level 3 descriptor; 0: not valid */
    u64 el;
    u64 (*fn)(u64, u64);
    u64 iss; /* 0: no fault */
};

#define N (PT_AF | PT_SH | PT_NORMAL)
#define D (PT_AF | PT_DEVICE)

static const struct row rows[] = {
    { "load from an invalid page", 0, EL1, do_ldr, FSC_TRANS(3) },
    { "store to an invalid page", 0, EL1, do_str, FSC_TRANS(3) | WNR },
    { "load from an invalid page, EL0", 0, EL0, do_ldr, FSC_TRANS(3) },
    { "AF clear: load", N & ~PT_AF, EL1, do_ldr, FSC_AF(3) },
    { "AF clear: store", N & ~PT_AF, EL1, do_str, FSC_AF(3) | WNR },
    { "AP 0: EL1 load", N | EL1_RW, EL1, do_ldr, 0 },
    { "AP 0: EL1 store", N | EL1_RW, EL1, do_str, 0 },
    { "AP 0: EL0 load", N | EL1_RW, EL0, do_ldr, FSC_PERM(3) },
    { "AP 0: LDTR", N | EL1_RW, EL1, do_ldtr, FSC_PERM(3) },
    { "AP 0: STTR", N | EL1_RW, EL1, do_sttr, FSC_PERM(3) | WNR },
    { "AP 1: EL0 store", N | ALL_RW, EL0, do_str, 0 },
    { "AP 1: LDTR", N | ALL_RW, EL1, do_ldtr, 0 },
    { "AP 2: EL1 load", N | EL1_RO, EL1, do_ldr, 0 },
    { "AP 2: EL1 store", N | EL1_RO, EL1, do_str, FSC_PERM(3) | WNR },
    { "AP 2: EL0 load", N | EL1_RO, EL0, do_ldr, FSC_PERM(3) },
    { "AP 3: EL0 load", N | ALL_RO, EL0, do_ldr, 0 },
    { "AP 3: EL0 store", N | ALL_RO, EL0, do_str, FSC_PERM(3) | WNR },
    { "AP 3: EL1 store", N | ALL_RO, EL1, do_str, FSC_PERM(3) | WNR },
    { "UXN: EL0 fetch", N | PT_XN, EL0, do_br0, FSC_PERM(3) },
    { "UXN: EL1 fetch", N | PT_XN, EL1, do_br, 0 },
    { "PXN: EL1 fetch", N | PT_PXN, EL1, do_br, FSC_PERM(3) },
    { "PXN: EL0 fetch", N | PT_PXN, EL0, do_br0, 0 },
    { "AP 1: EL1 fetch, writable at EL0", N | ALL_RW, EL1, do_br, FSC_PERM(3) },
    { "AP 1: EL0 fetch", N | ALL_RW, EL0, do_br0, 0 },
    { "AP 0: EL0 fetch needs no read permission", N | EL1_RW, EL0, do_br0, 0 },
    { "invalid: EL1 fetch", 0, EL1, do_br, FSC_TRANS(3) },
    { "invalid: EL0 fetch", 0, EL0, do_br0, FSC_TRANS(3) },
    { "AF clear: EL1 fetch", N & ~PT_AF, EL1, do_br, FSC_AF(3) },
    { "DC CVAC on an invalid page", 0, EL1, do_cvac, FSC_TRANS(3) | WNR | CM },
    { "DC CVAC on a read-only page", N | EL1_RO, EL1, do_cvac, 0 },
    { "DC IVAC on a read-only page needs write permission", N | EL1_RO, EL1, do_ivac, FSC_PERM(3) | WNR | CM },
    { "DC ZVA on an invalid page", 0, EL1, do_zva, FSC_TRANS(3) | WNR },
    { "DC ZVA on a read-only page", N | EL1_RO, EL1, do_zva, FSC_PERM(3) | WNR },
    { "LDXR from an invalid page", 0, EL1, do_ldxr, FSC_TRANS(3) },
};

static bool is_fetch(const struct row *r) { return r->fn == do_br || r->fn == do_br0; }

static void run_row(const struct row *r, u64 va)
{
    *(volatile u32 *)page[0] = 0xd65f03c0; /* RET */
    *pt_entry(root, va, 3) = r->attr ? (u64)page[0] | r->attr | 3 : 0;
    tlb_flush();
    asm volatile("ic iallu; dsb sy; isb");
    try_el(r->el, r->fn, va, 0xd65f03c0);
    if (!r->iss) {
        check_eq(r->what, EXC.count, 0);
        return;
    }
    check_exc(r->what, 1, (is_fetch(r) ? EC_IABT_LOWER : EC_DABT_LOWER) + r->el, r->iss);
    if (EXC.count && EXC.far != va)
        check_eq("  FAR_EL1", EXC.far, va);
}

static void levels(void)
{
    try_el(1, do_ldr, 0x7fc0000000, 0);
    check_exc("level 1 invalid", 1, EC_DABT, FSC_TRANS(1));
    check_eq("  FAR_EL1", EXC.far, 0x7fc0000000);
    pt_entry(root, T + 0x200000, 2);
    try_el(1, do_ldr, T + 0x40000000 - 0x200000, 0);
    check_exc("level 2 invalid", 1, EC_DABT, FSC_TRANS(2));
    *pt_entry(root, T + 0x200000, 2) = (u64)0x40000000 | N | EL1_RO | 1;
    tlb_flush();
    try_el(1, do_str, T + 0x200008, 0);
    check_exc("level 2 block, read-only", 1, EC_DABT, FSC_PERM(2) | WNR);
    *pt_entry(root, T + 0x200000, 2) = (u64)0x40000000 | (N & ~PT_AF) | 1;
    tlb_flush();
    try_el(1, do_ldr, T + 0x200008, 0);
    check_exc("level 2 block, AF clear", 1, EC_DABT, FSC_AF(2));
    *pt_entry(root, T + 0x200000, 2) = BIT(45) | N | 1; /* cortex-a57: 44-bit PA, IPS 40 bits */
    tlb_flush();
    try_el(1, do_ldr, T + 0x200008, 0);
    check_exc("level 2 block, output address too large", 1, EC_DABT, FSC_SIZE(2));
    *pt_entry(root, T + 0x3000, 3) = (u64)page[0] | N | 1;
    tlb_flush();
    try_el(1, do_ldr, T + 0x3000, 0);
    check_exc("level 3 descriptor 0b01 is invalid", 1, EC_DABT, FSC_TRANS(3));
    try_el(1, do_ldr, 1ul << 39, 0);
    check_exc("address above TTBR0's range: level 0", 1, EC_DABT, FSC_TRANS(0));
    try_el(1, do_ldr, ~0xffful, 0);
    check_exc("TTBR1 with EPD1 set: level 0", 1, EC_DABT, FSC_TRANS(0));
    /* APTable and XNTable of a level 1 entry restrict all below it. */
    *pt_entry(root, T + 0x4000, 3) = (u64)page[0] | N | ALL_RW | 3;
    u64 *l1 = pt_entry(root, T, 1);
    *l1 |= 2ul << 61;
    tlb_flush();
    try_el(1, do_str, T + 0x4000, 0);
    check_exc("APTable[1]: no write below", 1, EC_DABT, FSC_PERM(3) | WNR);
    *l1 = (*l1 & ~(3ul << 61)) | 1ul << 61;
    tlb_flush();
    try_el(0, do_ldr, T + 0x4000, 0);
    check_exc("APTable[0]: no EL0 access below", 1, EC_DABT_LOWER, FSC_PERM(3));
    *l1 = (*l1 & ~(3ul << 61)) | 1ul << 60;
    tlb_flush();
    try_el(0, do_br0, T + 0x4000, 0);
    check_exc("UXNTable: no EL0 fetch below", 1, EC_IABT_LOWER, FSC_PERM(3));
    *l1 &= ~(1ul << 60);
    tlb_flush();
}

static void alignment(void)
{
    u64 normal = T + 0x10000, device = T + 0x11000;
    *pt_entry(root, normal, 3) = (u64)page[0] | N | 3;
    *pt_entry(root, device, 3) = (u64)page[1] | D | 3;
    tlb_flush();
    try_el(1, do_ldr, normal + 1, 0);
    check_eq("unaligned load, normal memory", EXC.count, 0);
    try_el(1, do_ldr, device + 1, 0);
    check_exc("unaligned load, device memory", 1, EC_DABT, FSC_ALIGN);
    try_el(1, do_ldxr, normal + 4, 0);
    check_exc("unaligned LDXR, normal memory", 1, EC_DABT, FSC_ALIGN);
    WRITE(sctlr_el1, READ(sctlr_el1) | BIT(1));
    ISB();
    try_el(1, do_ldr, normal + 4, 0);
    check_exc("unaligned load with SCTLR_EL1.A", 1, EC_DABT, FSC_ALIGN);
    try_el(1, do_ldr, T + 0x13001, 0);
    check_exc("alignment comes before translation", 1, EC_DABT, FSC_ALIGN);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~BIT(1));
    ISB();
    *pt_entry(root, normal + 0x1000, 3) = 0;
    tlb_flush();
    try_el(1, do_ldr, normal + 0xffc, 0);
    check_exc("load that crosses into an invalid page", 1, EC_DABT, FSC_TRANS(3));
    check_eq("  FAR_EL1 is the first byte of the second page", EXC.far, normal + 0x1000);
    *(volatile u32 *)(page[0] + 0xffc) = 0x11223344;
    try_el(1, do_str, normal + 0xffc, 0);
    check_exc("store that crosses into an invalid page", 1, EC_DABT, FSC_TRANS(3) | WNR);
}

static void asids(void)
{
    u64 va = T + 0x20000, *other = pt_identity(S1_EL1);
    pt_entry(root, va, 3)[0] = (u64)page[0] | N | PT_NG | 3;
    pt_entry(other, va, 3)[0] = (u64)page[1] | N | PT_NG | 3;
    tlb_flush();
    *(volatile u64 *)page[0] = 111;
    *(volatile u64 *)page[1] = 222;
    WRITE(ttbr0_el1, (u64)root | 1ul << 48);
    ISB();
    check_eq("non-global page, ASID 1", MMIO64(va), 111);
    WRITE(ttbr0_el1, (u64)other | 2ul << 48);
    ISB();
    check_eq("non-global page, ASID 2", MMIO64(va), 222);
    WRITE(ttbr0_el1, (u64)root | 1ul << 48);
    ISB();
    check_eq("back to ASID 1", MMIO64(va), 111);
    *pt_entry(root, va, 3) = (u64)page[1] | N | PT_NG | 3;
    DSB();
    asm volatile("tlbi vae1, %0; dsb sy; isb" : : "r"(1ul << 48 | va >> 12) : "memory");
    check_eq("TLBI VAE1 of that ASID: the new mapping", MMIO64(va), 222);
    WRITE(ttbr0_el1, root);
    tlb_flush();
}

static void upper_half(void)
{
    u64 *high = pt_new(), va = 0xffffff8000000000ul + 0x5000;
    *pt_entry(high, 0x5000, 3) = (u64)page[0] | N | 3;
    WRITE(ttbr1_el1, high);
    WRITE(tcr_el1, (READ(tcr_el1) & ~BIT(23)) | 25ul << 16 | 1ul << 24 | 1ul << 26 | 3ul << 28 | 2ul << 30);
    tlb_flush();
    *(volatile u64 *)page[0] = 333;
    check_eq("TTBR1_EL1", MMIO64(va), 333);
    try_el(1, do_ldr, va + 0x1000, 0);
    check_exc("TTBR1_EL1: invalid page", 1, EC_DABT, FSC_TRANS(3));
    try_el(1, do_ldr, 0xff00000000000000ul | va, 0);
    check_eq("TBI1 0: the same address has ones on top", EXC.count, 0);
    try_el(1, do_ldr, va & ~(0xfful << 56), 0);
    check_exc("TBI1 0: a tag is an address error", 1, EC_DABT, FSC_TRANS(0));
    WRITE(tcr_el1, READ(tcr_el1) | BIT(38));
    ISB();
    tlb_flush();
    try_el(1, do_ldr, va & ~(0xfful << 56), 0);
    check_eq("TBI1 1: the tag is ignored", EXC.count, 0);
    WRITE(tcr_el1, READ(tcr_el1) | BIT(37));
    tlb_flush();
    check_eq("TBI0 1: the tag is ignored", MMIO64(0x5a00000000000000ul | (u64)page[0]), 333);
    try_el(1, do_ldr, 0x5a00000000000000ul | (T + 0x30000), 0);
    check_eq("TBI0 1: FAR_EL1 has the tag", EXC.far, 0x5a00000000000000ul | (T + 0x30000));
}

#define AT(op, va) ({ asm volatile("at " #op ", %0; isb" : : "r"((u64)(va)) : "memory"); READ(par_el1); })

static void address_translation(void)
{
    u64 va = T + 0x40000;
    *pt_entry(root, va, 3) = (u64)page[0] | N | EL1_RO | 3;
    *pt_entry(root, va + 0x1000, 3) = (u64)page[1] | D | ALL_RW | 3;
    tlb_flush();
    u64 par = AT(s1e1r, va + 0x123);
    check_eq("AT S1E1R: PA", par & 0xfffffffff001, (u64)page[0]);
    check_eq("AT S1E1R: normal write-back, inner shareable", BITS(par, 63, 56) << 8 | BITS(par, 8, 7), 0xff03);
    check_eq("AT S1E1W of a read-only page: F, permission fault, level 3", AT(s1e1w, va) & 0x7f, 1 | FSC_PERM(3) << 1);
    check_eq("AT S1E0R without EL0 access", AT(s1e0r, va) & 0x7f, 1 | FSC_PERM(3) << 1);
    par = AT(s1e0w, va + 0x1000);
    check_eq("AT S1E0W: PA", par & 0xfffffffff001, (u64)page[1]);
    check_eq("AT S1E0W: Device-nGnRE, outer shareable", BITS(par, 63, 56) << 8 | BITS(par, 8, 7), 0x0402);
    check_eq("AT S1E1R of an invalid page", AT(s1e1r, T + 0x50000) & 0x7f, 1 | FSC_TRANS(3) << 1);
}

/* C5.3 DC ZVA: the naturally aligned block that holds the address, no more. */
static void zeroed_block(void)
{
    u64 size = 4ul << BITS(READ(dczid_el0), 3, 0), wrong = 0;
    for (u32 n = 0; n < sizeof page[0]; n++)
        page[0][n] = (u8)(n | 1);
    for (u32 times = 0; times < 2; times++) /* the second finds the translation */
        try_el(EL1, do_zva, (u64)page[0] + size + 13 + times * size, 0);
    for (u32 n = 0; n < sizeof page[0]; n++)
        wrong += page[0][n] != (n / size == 1 || n / size == 2 ? 0 : (u8)(n | 1));
    check_eq("DC ZVA: no exception", EXC.count, 0);
    check_eq("DC ZVA: the bytes of two blocks", wrong, 0);
}

void test_main(void)
{
    root = pt_identity(S1_EL1);
    mmu_on_el1(root);
    check_eq("the MMU is on", READ(sctlr_el1) & 1, 1);
    for (u32 i = 0; i < COUNT(rows); i++)
        run_row(&rows[i], T + 0x100000 + i * 0x1000);
    levels();
    alignment();
    asids();
    upper_half();
    address_translation();
    zeroed_block();
    finish();
}
