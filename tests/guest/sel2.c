/* EL2 in Secure state (FEAT_SEL2), seen from EL3: what SCR_EL3.EEL2 turns on, the two stage 2 tables with their address
 * spaces, HPFAR_EL2.NS, the timers of Secure EL2 (D11.2).
 * Arm ARM D1.3 (routing), D8.2.5 (address spaces of stage 2), D19.2 (SCR_EL3, VSTCR_EL2, VTCR_EL2, HPFAR_EL2). */
#include "rt.h"

#define VSTTBR      s3_4_c2_c6_0
#define VSTCR       s3_4_c2_c6_2
#define CNTHPS_CTL  s3_4_c14_c5_1
#define CNTHPS_CVAL s3_4_c14_c5_2
#define CNTHVS_CTL  s3_4_c14_c4_1
#define CNTHVS_CVAL s3_4_c14_c4_2

#define SCR_NS     BIT(0)
#define SCR_BASE   (BIT(10) | BIT(8) | 0x30) /* RW, HCE */
#define SCR_EEL2   BIT(18)
#define HCR_VM     BIT(0)
#define HCR_TWI    BIT(13)
#define HCR_TSC    BIT(19)
#define HCR_TGE    BIT(27)
#define HCR_RW     BIT(31)
#define HCR_E2H    BIT(34)
#define S_CTL      (25ul | 1ul << 6 | BIT(31)) /* T0SZ, SL0: 39 bits from level 1 */
#define SW         BIT(29)
#define SA         BIT(30)
#define PT_NS      BIT(5)
#define FSC_TRANS3 7ul
#define PAR_NS     BIT(9)

#define T 0x80000000ul /* a page that each table maps elsewhere */
#define U 0x80001000ul /* and one that none maps */

CODE(do_el, "mrs x0, CurrentEL");
CODE(do_hvc, "hvc #0x4321");
CODE(do_smc, "smc #0x777");
CODE(do_svc, "svc #0x1234");
CODE(do_wfi, "wfi");
CODE(do_ldr, "ldr x0, [x0]");
CODE(do_vstcr, "mrs x5, s3_4_c2_c6_2");
CODE(do_vsttbr, "msr s3_4_c2_c6_0, x5");
CODE(do_cnthps, "mrs x5, s3_4_c14_c5_1");
CODE(do_cntps, "mrs x5, cntps_ctl_el1");
CODE(do_cntp_cval, "mrs x0, cntp_cval_el0");
CODE(do_cntv_cval, "mrs x0, cntv_cval_el0");

static volatile u64 page[3][512] __attribute__((aligned(4096)));
static u64 *s1, *secure, *other;

static void scr(u64 value)
{
    WRITE(scr_el3, SCR_BASE | value);
    ISB();
}

static void hcr(u64 value)
{
    WRITE(hcr_el2, HCR_RW | value);
    ISB();
}

static const struct row {
    const char *what;
    u64 from;
    u64 (*fn)(u64, u64);
    u64 scr, hcr, el, ec, iss;
} rows[] = {
    { "HVC from Secure EL1", 1, do_hvc, SCR_EEL2, 0, 2, EC_HVC, 0x4321 },
    { "HVC from Secure EL1, EEL2 0", 1, do_hvc, 0, 0, 1, EC_UNKNOWN, 0 },
    { "SMC from Secure EL1, TSC", 1, do_smc, SCR_EEL2, HCR_TSC, 2, EC_SMC, 0x777 },
    { "SMC from Secure EL2", 2, do_smc, SCR_EEL2, HCR_TSC, 3, EC_SMC, 0x777 },
    { "WFI from Secure EL1, TWI", 1, do_wfi, SCR_EEL2, HCR_TWI, 2, EC_WFX, ISS_COND },
    { "SVC from Secure EL0, TGE", 0, do_svc, SCR_EEL2, HCR_TGE, 2, EC_SVC, 0x1234 },
    { "SVC from Secure EL0, TGE, EEL2 0", 0, do_svc, 0, HCR_TGE, 1, EC_SVC, 0x1234 },
    { "MRS VSTCR_EL2 from Non-secure EL2", 2, do_vstcr, SCR_NS | SCR_EEL2, 0, 2, EC_UNKNOWN, 0 },
    { "MSR VSTTBR_EL2 from Non-secure EL2", 2, do_vsttbr, SCR_NS, 0, 2, EC_UNKNOWN, 0 },
    { "MRS VSTCR_EL2 from Secure EL1", 1, do_vstcr, SCR_EEL2, 0, 1, EC_UNKNOWN, 0 },
    { "MRS VSTCR_EL2 from EL3, EEL2 0", 3, do_vstcr, 0, 0, 3, EC_UNKNOWN, 0 },
    { "MRS CNTHPS_CTL_EL2 from Non-secure EL2", 2, do_cnthps, SCR_NS | SCR_EEL2, 0, 2, EC_UNKNOWN, 0 },
    { "MRS CNTHPS_CTL_EL2 from EL3, EEL2 0", 3, do_cnthps, 0, 0, 3, EC_UNKNOWN, 0 },
    { "MRS CNTPS_CTL_EL1 from Secure EL1, EEL2", 1, do_cntps, SCR_EEL2 | BIT(11), 0, 1, EC_UNKNOWN, 0 },
};

static void levels(void)
{
    scr(SCR_EEL2);
    hcr(0);
    check_eq("Secure EL2 can be entered", call_el(2, do_el, 0, 0), 2 << 2);
    for (u32 n = 0; n < COUNT(rows); n++) {
        scr(rows[n].scr);
        hcr(rows[n].hcr);
        try_el(rows[n].from, rows[n].fn, 0, 0);
        scr(SCR_EEL2);
        hcr(0);
        check_exc(rows[n].what, rows[n].el, rows[n].ec, rows[n].iss);
    }
}

/* Stage 2 of Secure EL1 with these bits in VSTCR_EL2 and VTCR_EL2 */
static void stage2(u64 vstcr, u64 vtcr)
{
    stage2_on(other, 5);
    WRITE(vtcr_el2, READ(vtcr_el2) | vtcr);
    WRITE(VSTTBR, secure);
    WRITE(VSTCR, S_CTL | vstcr);
    ISB();
    tlb_flush();
}

/* NS of PAR_EL1 after AT S12E1R */
static u64 space_of(u64 va)
{
    asm volatile("at s12e1r, %0\nisb" : : "r"(va) : "memory");
    u64 par = READ(par_el1);
    return par & 1 ? 2 : !!(par & PAR_NS);
}

static void check_fault(const char *what, u64 va, u64 hpfar)
{
    try_el(1, do_ldr, va, 0);
    check(EXC.count == 1 && EXC.el == 2 && esr_ec(EXC.esr) == EC_DABT_LOWER && (EXC.esr & 63) == FSC_TRANS3, what);
    check_eq("  HPFAR_EL2", EXC.hpfar, hpfar);
}

/* Stage 1 off: the IPA space is Secure. On: as the descriptor's NS says. */
static void tables_of_both(void)
{
    s1 = pt_identity(S1_EL1);
    secure = pt_identity(S2);
    other = pt_identity(S2);
    page[0][0] = 0x5ec;
    page[1][0] = 0x0de;
    page[2][0] = 0x3ed;
    pt_map(secure, T, (u64)page[0], 4096, PT_AF | PT_SH | S2_NORMAL | S2_AP(3));
    pt_map(other, T, (u64)page[1], 4096, PT_AF | PT_SH | S2_NORMAL | S2_AP(3));
    scr(SCR_EEL2);
    stage2(0, 0);
    check_eq("stage 1 off: VSTTBR_EL2 translates", call_el(1, do_ldr, T, 0), 0x5ec);
    check_fault("stage 1 off: a fault of the Secure IPA", U, U >> 8);
    pt_map(s1, T, T, 4096, RAM_ATTR);
    pt_map(s1, U, U, 4096, RAM_ATTR);
    mmu_on_el1(s1);
    check_eq("NS 0: VSTTBR_EL2", call_el(1, do_ldr, T, 0), 0x5ec);
    check_fault("NS 0: a fault of the Secure IPA", U, U >> 8);
    check_eq("NS 0: output Secure", space_of(T), 0);
    stage2(SA, 0);
    check_eq("NS 0, SA: output Non-secure", space_of(T), 1);
    stage2(SW, 0);
    check_eq("NS 0, SW: tables and output Non-secure", space_of(T), 1);
    pt_map(s1, T, T, 4096, RAM_ATTR | PT_NS);
    pt_map(s1, U, U, 4096, RAM_ATTR | PT_NS);
    stage2(0, SW);
    check_eq("NS 1: VTTBR_EL2", call_el(1, do_ldr, T, 0), 0x0de);
    check_fault("NS 1: a fault of the Non-secure IPA", U, U >> 8 | BIT(63));
    check_eq("NS 1, NSW: output Non-secure", space_of(T), 1);
    stage2(0, 0);
    check_eq("NS 1, no bit: output Secure", space_of(T), 0);
    stage2(0, SA);
    check_eq("NS 1, NSA: output Non-secure", space_of(T), 1);
    stage2(SA, 0);
    check_eq("NS 1, SA: output Non-secure, as if NSA", space_of(T), 1);
    stage2(0, SW);
    *pt_entry(other, T, 3) = (u64)page[2] | PT_AF | PT_SH | S2_NORMAL | S2_AP(3) | 3;
    DSB();
    ASM("tlbi ipas2e1is, xzr");
    ASM("tlbi vmalls12e1is");
    DSB();
    check_eq("another page after TLBI VMALLS12E1IS", call_el(1, do_ldr, T, 0), 0x3ed);
    scr(SCR_NS | SCR_EEL2);
    hcr(0);
    stage2(0, 0);
    check_fault("Non-secure: NS of HPFAR_EL2 is 0", U, U >> 8);
    scr(SCR_EEL2);
    hcr(0);
    WRITE(sctlr_el1, 0x30d00800);
    ISB();
}

static bool ppi_pending(u32 intid)
{
    ISB();
    return MMIO32(GICR_SGI(0) + 0x200) & BIT(intid);
}

static void timers(void)
{
    try_el(3, do_cnthps, 0, 0);
    check(!EXC.count, "MRS CNTHPS_CTL_EL2 from EL3, EEL2");
    if (EXC.count)
        return;
    u64 now = READ(cntpct_el0);
    WRITE(CNTHPS_CVAL, now);
    WRITE(CNTHPS_CTL, 1);
    check_eq("CNTHPS: enabled, its condition is met", READ(CNTHPS_CTL), 5);
    check(ppi_pending(20), "CNTHPS: INTID 20 pending");
    WRITE(CNTHPS_CVAL, now + BIT(40));
    check_eq("CNTHPS: later", READ(CNTHPS_CTL), 1);
    WRITE(CNTHPS_CTL, 0);
    WRITE(CNTHVS_CVAL, READ(cntvct_el0));
    WRITE(CNTHVS_CTL, 1);
    check_eq("CNTHVS: enabled, its condition is met", READ(CNTHVS_CTL), 5);
    check(ppi_pending(19), "CNTHVS: INTID 19 pending");
    WRITE(CNTHVS_CTL, 0);
    WRITE(CNTHPS_CVAL, 0x1234);
    WRITE(CNTHVS_CVAL, 0x5678);
    WRITE(cnthp_cval_el2, 0x9abc);
    hcr(HCR_E2H);
    check_eq("Secure EL2 with E2H: CNTP_CVAL_EL0 is CNTHPS_CVAL_EL2", call_el(2, do_cntp_cval, 0, 0), 0x1234);
    check_eq("Secure EL2 with E2H: CNTV_CVAL_EL0 is CNTHVS_CVAL_EL2", call_el(2, do_cntv_cval, 0, 0), 0x5678);
    scr(SCR_NS | SCR_EEL2);
    check_eq("Non-secure EL2 with E2H: CNTP_CVAL_EL0 is CNTHP_CVAL_EL2", call_el(2, do_cntp_cval, 0, 0), 0x9abc);
    hcr(0);
}

void test_main(void)
{
    levels();
    tables_of_both();
    timers();
    finish();
}
