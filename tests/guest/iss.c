/* Details of syndromes that are easily got wrong, each by its name: which address and which access a fault is of when
 * an access crosses pages, what atomics and exclusives report, which control is first, what stage 2 leaves of stage 1.
 * Arm ARM D19.2 (ESR_ELx: ISS of Data Aborts, FnV, WnR; FAR_ELx; HPFAR_EL2), D1.3.5 (priorities and routing), B2.7.1
 * (LORegions), D8.5.5 (Contiguous bit), D8.4.6 (GP). */
#include "rt.h"

#define TRANS3                 0x07ul
#define PERM3                  0x0ful
#define EXTERNAL               0x10ul
#define WNR                    BIT(6)
#define FNV                    BIT(10)
#define ISV(size, sse, rt, sf) (BIT(24) | (size) << 22 | (sse) << 21 | (rt) << 16 | (sf) << 15)
#define T                      0x80000000ul /* VAs and IPAs of the test pages */
#define HOLE                   0x0b000000ul /* no device is there */
#define HCR_TWI                BIT(13)
#define HCR_TGE                BIT(27)
#define HCR_TLOR               BIT(35)
#define GP                     BIT(50)
#define CONTIGUOUS             BIT(52)
#define EC_BTI                 0x0d

CODE(do_ldr, "ldr x3, [x0]");
CODE(do_str, "str x1, [x0]");
CODE(do_ldp, "ldp x3, x4, [x0]");
CODE(do_stp, "stp x1, x1, [x0]");
CODE(do_ldr_pre, "ldr x3, [x0, #8]!");
CODE(do_ldxr, "ldxr x3, [x0]\nclrex");
CODE(do_stxr, "ldxr x3, [x0]\nstxr w4, x1, [x0]");
CODE(do_ldadd, ".inst 0xf8210003"); /* LDADD X1, X3, [X0] */
CODE(do_cas, ".inst 0xc8a17c03");   /* CAS X1, X3, [X0] */
CODE(do_swp, ".inst 0xf8218003");   /* SWP X1, X3, [X0] */
CODE(do_byte, "ldrb w0, [x0]");
CODE(do_wfi, "wfi");
CODE(do_svc, "svc #7");
CODE(do_undefined, ".inst 0");
CODE(do_hlt, "brk #9");
CODE(do_call, "stp x29, x30, [sp, #-16]!\nblr x0\nldp x29, x30, [sp], #16");
CODE(do_lorc, "msr s3_0_c10_c4_3, x0\nisb\nmrs x0, s3_0_c10_c4_3");
CODE(do_lorid, "mrs x0, s3_0_c10_c4_7");
CODE(do_ldlar, ".inst 0xc8df7c00"); /* LDLAR X0, [X0] */

static u8 page[2][4096] __attribute__((aligned(8192)));
static u64 *s1, *s2;

static void map1(u64 va, u64 descriptor)
{
    *pt_entry(s1, va, 3) = descriptor;
    tlb_flush();
}

static void map2(u64 ipa, u64 descriptor)
{
    *pt_entry(s2, ipa, 3) = descriptor;
    tlb_flush();
}

static u64 s1_page(u32 n, u64 attr) { return (u64)page[n] | RAM_ATTR | attr | 3; }
static u64 s2_page(u32 n, u64 attr) { return (u64)page[n] | PT_AF | PT_SH | S2_NORMAL | attr | 3; }

static void check_far(u64 far) { check_eq("  FAR", EXC.far, far); }

/* Two pages, the second at T + 0x1000: which of them faults, and where. */
static void crossing(void)
{
    u64 last = T + 0xff8, across = T + 0xffc, next = T + 0x1000;
    map1(T, s1_page(0, 0));
    map1(next, 0);
    try_el(1, do_ldp, last, 0);
    check_exc("LDP, the second register in an unmapped page", 1, EC_DABT, TRANS3);
    check_far(next);
    try_el(1, do_ldr, across, 0);
    check_exc("LDR across into an unmapped page", 1, EC_DABT, TRANS3);
    check_far(next);
    *(volatile u64 *)&page[0][0xff8] = 0x1111111111111111;
    try_el(1, do_str, across, 0);
    check_exc("STR across into an unmapped page", 1, EC_DABT, TRANS3 | WNR);
    check_far(next);
    check_eq("  nothing was written", *(volatile u64 *)&page[0][0xff8], 0x1111111111111111);
    map1(next, s1_page(1, PT_AP(2)));
    try_el(1, do_str, across, 0);
    check_exc("STR across into a read-only page", 1, EC_DABT, PERM3 | WNR);
    check_far(next);
    try_el(1, do_stp, last, 0);
    check_exc("STP, the second register in a read-only page", 1, EC_DABT, PERM3 | WNR);
    check_far(next);
    map1(T, s1_page(0, PT_AP(2)));
    map1(next, 0);
    try_el(1, do_str, across, 0);
    check_exc("STR across from a read-only page to an unmapped one: the first", 1, EC_DABT, PERM3 | WNR);
    check_far(across);
    try_el(1, do_ldr_pre, next, 0);
    check_exc("LDR with write-back to an unmapped page", 1, EC_DABT, TRANS3);
    check_eq("  its base is as before", EXC.x0, next);
}

/* The same under stage 2: HPFAR_EL2 is of the page that faulted, ISV still says what the load is. */
static void crossing_stage2(void)
{
    u64 next = T + 0x1000;
    map1(T, s1_page(0, 0));
    map1(next, (T + 0x5000) | RAM_ATTR | 3);
    map2(T + 0x5000, 0);
    try_el(1, do_ldr, T + 0xffc, 0);
    check_exc("LDR across, stage-2 fault of the second page", 2, EC_DABT_LOWER, ISV(3, 0, 3, 1) | TRANS3);
    check_far(next);
    check_eq("  HPFAR_EL2", EXC.hpfar, (T + 0x5000) >> 8);
    try_el(1, do_ldp, T + 0xff8, 0);
    check_exc("LDP, stage-2 fault of the second register: no ISV", 2, EC_DABT_LOWER, TRANS3);
    check_eq("  HPFAR_EL2", EXC.hpfar, (T + 0x5000) >> 8);
}

/* WnR of an access that reads and writes: 0 when the read alone would fault. */
static void atomics(void)
{
    map1(T, 0);
    try_el(1, do_ldadd, T, 0);
    check_exc("LDADD, unmapped: WnR 0", 1, EC_DABT, TRANS3);
    try_el(1, do_cas, T, 0);
    check_exc("CAS, unmapped: WnR 0", 1, EC_DABT, TRANS3);
    map1(T, s1_page(0, PT_AP(2)));
    try_el(1, do_ldadd, T, 0);
    check_exc("LDADD, read-only: WnR 1", 1, EC_DABT, PERM3 | WNR);
    try_el(1, do_swp, T, 0);
    check_exc("SWP, read-only: WnR 1", 1, EC_DABT, PERM3 | WNR);
    try_el(1, do_cas, T, 1);
    check_exc("CAS that would not store, read-only: WnR 1", 1, EC_DABT, PERM3 | WNR);
    try_el(1, do_ldxr, T, 0);
    check_eq("LDXR, read-only: no fault", EXC.count, 0);
    try_el(1, do_stxr, T, 0);
    check_exc("STXR, read-only", 1, EC_DABT, PERM3 | WNR);
    map1(T, (T + 0x6000) | RAM_ATTR | 3);
    map2(T + 0x6000, s2_page(0, S2_AP(1)));
    try_el(1, do_ldadd, T, 0);
    check_exc("LDADD, stage 2 read-only: no ISV", 2, EC_DABT_LOWER, PERM3 | WNR);
    map2(T + 0x6000, 0);
    try_el(1, do_swp, T, 0);
    check_exc("SWP, stage 2 unmapped: WnR 0", 2, EC_DABT_LOWER, TRANS3);
}

static void external(void)
{
    try_el(1, do_ldr, HOLE, 0);
    check_eq("external abort: its class", esr_ec(EXC.esr), EC_DABT);
    check_eq("  DFSC, FnV 0", EXC.esr & (FNV | 0x3f), EXTERNAL);
    check_far(HOLE);
}

/* Each entry of a contiguous set is read by itself: a lone Contiguous bit changes nothing (D8.5.5 leaves it open). */
static void contiguous(void)
{
    page[0][0] = 10;
    page[1][0] = 11;
    map1(T, s1_page(0, CONTIGUOUS));
    map1(T + 0x1000, s1_page(1, 0));
    check_eq("a lone Contiguous bit: its page", call_el(1, do_byte, T, 0), 10);
    check_eq("  the page behind has its own descriptor", call_el(1, do_byte, T + 0x1000, 0), 11);
    map1(T, s1_page(0, 0));
}

/* Goes on at the landing, as if it had been allowed. */
static bool on_landing(struct frame *f, u64 vector, u64 el)
{
    exc_record(f, vector, el);
    f->spsr &= ~(3ul << 10);
    return true;
}

/* The guarded bit is stage 1's: stage 2 leaves it. */
static void guarded(void)
{
    ((volatile u32 *)page[0])[0] = 0xd503201f; /* NOP */
    ((volatile u32 *)page[0])[1] = 0xd65f03c0; /* RET */
    asm volatile("dsb sy; ic iallu; dsb sy; isb" : : : "memory");
    map1(T, (T + 0x7000) | RAM_ATTR | GP | 3);
    map2(T + 0x7000, s2_page(0, S2_AP(3)));
    sync_hook = on_landing;
    try_el(1, do_call, T, 0);
    sync_hook = NULL;
    check_eq("guarded page under stage 2: Branch Target exception", esr_ec(EXC.esr), EC_BTI);
    check_eq("  to EL1", EXC.el, 1);
}

/* D1.3.5: the control of EL1 comes before EL2's; where EL1's allows, EL2's traps. */
static void order(void)
{
    WRITE(hcr_el2, READ(hcr_el2) | HCR_TWI);
    WRITE(sctlr_el1, 0x30d00800 & ~BIT(16)); /* nTWI 0; MMU off */
    ISB();
    try_el(0, do_wfi, 0, 0);
    check_eq("WFI at EL0, nTWI 0 and TWI 1: to EL1", EXC.el << 8 | esr_ec(EXC.esr), 1 << 8 | EC_WFX);
    WRITE(sctlr_el1, 0x30d00800 | BIT(16));
    ISB();
    try_el(0, do_wfi, 0, 0);
    check_eq("WFI at EL0, nTWI 1 and TWI 1: to EL2", EXC.el << 8 | esr_ec(EXC.esr), 2 << 8 | EC_WFX);
    WRITE(hcr_el2, READ(hcr_el2) & ~HCR_TWI);
}

/* HCR_EL2.TGE without E2H: what would go from EL0 to EL1 goes to EL2. */
static void general_exceptions(void)
{
    WRITE(hcr_el2, (READ(hcr_el2) | HCR_TGE) & ~1ul);
    ISB();
    tlb_flush();
    try_el(0, do_svc, 0, 0);
    check_exc("TGE: SVC of EL0 to EL2", 2, EC_SVC, 7);
    check_eq("  vector: from a lower EL", EXC.vector, FROM_LOWER);
    try_el(0, do_undefined, 0, 0);
    check_exc("TGE: UNDEFINED at EL0 to EL2", 2, EC_UNKNOWN, 0);
    try_el(0, do_hlt, 0, 0);
    check_exc("TGE: BRK of EL0 to EL2", 2, EC_BRK, 9);
    try_el(0, do_ldr, HOLE, 0);
    check_eq("TGE: abort of EL0 to EL2", EXC.el << 8 | esr_ec(EXC.esr), 2 << 8 | EC_DABT_LOWER);
    WRITE(hcr_el2, (READ(hcr_el2) & ~HCR_TGE) | 1);
    ISB();
    tlb_flush();
}

/* B2.7.1: no LORegion here, so limited ordering is ordering; HCR_EL2.TLOR takes the registers away. */
static void lor(void)
{
    check_eq("LORC_EL1 keeps what is not reserved", call_el(1, do_lorc, 0, 0), 0);
    u64 value = 0x1234567;
    check_eq("LDLAR loads", call_el(1, do_ldlar, (u64)&value, 0), 0x1234567);
    WRITE(hcr_el2, READ(hcr_el2) | HCR_TLOR);
    ISB();
    try_el(1, do_lorid, 0, 0);
    check_exc("HCR_EL2.TLOR: LORID_EL1 to EL2", 2, EC_SYSREG, ISS_SYS(3, 0, 10, 4, 7, 0, 1));
    WRITE(hcr_el2, READ(hcr_el2) & ~HCR_TLOR);
    ISB();
}

void test_main(void)
{
    s2 = pt_identity(S2);
    stage2_on(s2, 1);
    s1 = pt_identity(S1_EL1);
    mmu_on_el1(s1);
    crossing();
    crossing_stage2();
    atomics();
    external();
    contiguous();
    guarded();
    lor();
    order();
    general_exceptions();
    finish();
}
