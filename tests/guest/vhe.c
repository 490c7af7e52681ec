/* EL2 with VHE (HCR_EL2.E2H): redirected registers, _EL12 and _EL02 names, timers, and EL0 under the host (TGE).
 * Arm ARM D8.9 (VHE), D19.1.2 (redirection), D11.2.4 (timers under E2H), D19.12 (CNTHCTL_EL2, E2H 1). */
#include "rt.h"

#define HCR_IMO BIT(4)
#define HCR_TGE BIT(27)
#define HCR_RW  BIT(31)
#define HCR_E2H BIT(34)

#define CNTHV_TVAL  s3_4_c14_c3_0
#define CNTHV_CTL   s3_4_c14_c3_1
#define CNTHV_CVAL  s3_4_c14_c3_2
#define CNTP_CTL_EL02  s3_5_c14_c2_1
#define CNTP_CVAL_EL02 s3_5_c14_c2_2
#define CNTV_CTL_EL02  s3_5_c14_c3_1
#define CNTV_CVAL_EL02 s3_5_c14_c3_2
#define CNTKCTL_EL12   s3_5_c14_c1_0
#define SCTLR_EL12     s3_5_c1_c0_0
#define VBAR_EL12      s3_5_c12_c0_0
#define ESR_EL12       s3_5_c5_c2_0
#define FAR_EL12       s3_5_c6_c0_0
#define ELR_EL12       s3_5_c4_c0_1
#define SPSR_EL12      s3_5_c4_c0_0
#define CONTEXTIDR_EL2 s3_4_c13_c0_1
#define TTBR1_EL2      s3_4_c2_c0_1

CODE(do_svc, "svc #0x1234");
CODE(do_udf, ".inst 0");
CODE(do_mrs_daif, "mrs x5, daif");
CODE(do_msr_daif, "msr daif, x5");
CODE(do_daifset, "msr daifset, #2");
CODE(do_elr_el12, "mrs x5, s3_5_c4_c0_1");
CODE(do_cntp_ctl_el02, "mrs x5, s3_5_c14_c2_1");
CODE(do_cntvct, "mrs x0, cntvct_el0");
CODE(do_cntpct, "mrs x5, cntpct_el0");
CODE(do_cntp_ctl, "mrs x5, cntp_ctl_el0");
CODE(do_sctlr, "mrs x0, sctlr_el1");

static void hcr(u64 bits)
{
    WRITE(hcr_el2, HCR_RW | bits);
    ISB();
}

/* A value written by one name is read by the other; then restored. */
#define SAME(what, one, other, value) do {      \
        u64 old_ = READ(other);                 \
        WRITE(one, value);                      \
        ISB();                                  \
        check_eq(what, READ(other), value);     \
        WRITE(other, old_);                     \
        ISB();                                  \
    } while (0)

static void redirection(void)
{
    u64 sctlr1 = READ(sctlr_el1), vbar1 = READ(vbar_el1);
    check_eq("ID_AA64MMFR1_EL1.VH", BITS(READ(id_aa64mmfr1_el1), 11, 8), 1);
    exc_expect();
    do_elr_el12(0, 0);
    EXC.expected = false;
    check_exc("E2H 0: ELR_EL12 is UNDEFINED", 2, EC_UNKNOWN, 0);
    hcr(HCR_E2H);
    SAME("ESR_EL1 is ESR_EL2", esr_el1, esr_el2, 0x56000000);
    SAME("FAR_EL1 is FAR_EL2", far_el1, far_el2, 0x123456789);
    SAME("ELR_EL1 is ELR_EL2", elr_el1, elr_el2, 0x40200000);
    SAME("SPSR_EL1 is SPSR_EL2", spsr_el1, spsr_el2, 0x3c5);
    SAME("CONTEXTIDR_EL1 is CONTEXTIDR_EL2", contextidr_el1, CONTEXTIDR_EL2, 0x77);
    SAME("TTBR1_EL1 is TTBR1_EL2", ttbr1_el1, TTBR1_EL2, 0x41000000);
    SAME("MAIR_EL1 is MAIR_EL2", mair_el1, mair_el2, 0xff04);
    check_eq("SCTLR_EL1 is SCTLR_EL2", READ(sctlr_el1), READ(sctlr_el2));
    check_eq("VBAR_EL1 is VBAR_EL2", READ(vbar_el1), READ(vbar_el2));
    check_eq("SCTLR_EL12 is EL1's", READ(SCTLR_EL12), sctlr1);
    check_eq("VBAR_EL12 is EL1's", READ(VBAR_EL12), vbar1);
    WRITE(ESR_EL12, 0x111);
    WRITE(FAR_EL12, 0x222);
    WRITE(ELR_EL12, 0x444);
    WRITE(SPSR_EL12, 0x3c0);
    hcr(0);
    check(READ(esr_el1) == 0x111 && READ(far_el1) == 0x222 && READ(elr_el1) == 0x444 && READ(spsr_el1) == 0x3c0,
          "ESR_EL12, FAR_EL12, ELR_EL12, SPSR_EL12 are EL1's");
    hcr(HCR_E2H);
    check_eq("at EL1 SCTLR_EL1 is its own", call_el(1, do_sctlr, 0, 0), sctlr1);
    try_el(1, do_elr_el12, 0, 0);
    check_exc("ELR_EL12 at EL1 is UNDEFINED", 1, EC_UNKNOWN, 0);
    try_el(1, do_cntp_ctl_el02, 0, 0);
    check_exc("CNTP_CTL_EL02 at EL1 is UNDEFINED", 1, EC_UNKNOWN, 0);
}

static void timers(void)
{
    SAME("CNTP_CVAL_EL0 is CNTHP_CVAL_EL2", cntp_cval_el0, cnthp_cval_el2, 0x1111);
    SAME("CNTV_CVAL_EL0 is CNTHV_CVAL_EL2", cntv_cval_el0, CNTHV_CVAL, 0x2222);
    SAME("CNTP_CTL_EL0 is CNTHP_CTL_EL2", cntp_ctl_el0, cnthp_ctl_el2, 2);
    SAME("CNTV_CTL_EL0 is CNTHV_CTL_EL2", cntv_ctl_el0, CNTHV_CTL, 2);
    SAME("CNTKCTL_EL1 is CNTHCTL_EL2", cntkctl_el1, cnthctl_el2, 0xc01);
    WRITE(CNTP_CVAL_EL02, 0x3333);
    WRITE(CNTV_CVAL_EL02, 0x4444);
    WRITE(CNTKCTL_EL12, 3);
    hcr(0);
    check(READ(cntp_cval_el0) == 0x3333 && READ(cntv_cval_el0) == 0x4444 && READ(cntkctl_el1) == 3,
          "CNTP_CVAL_EL02, CNTV_CVAL_EL02, CNTKCTL_EL12 are EL1's");
    WRITE(cntkctl_el1, 0);

    hcr(HCR_E2H);
    WRITE(cntvoff_el2, 1ul << 50);
    ISB();
    u64 p = READ(cntpct_el0), v = (ISB(), READ(cntvct_el0));
    check(v >= p && v - p < 62500000, "CNTVCT_EL0 at EL2: no offset");
    WRITE(cnthctl_el2, BIT(10) | BIT(11)); /* EL1PCTEN, EL1PTEN */
    ISB();
    v = call_el(1, do_cntvct, 0, 0);
    check(v > 1ul << 60, "CNTVCT_EL0 at EL1: with the offset");
    gic_enable(28, 0x80);
    WRITE(CNTHV_CVAL, READ(cntpct_el0) - 1);
    WRITE(CNTHV_CTL, 1);
    ISB();
    check_eq("CNTHV compares without the offset: ISTATUS", READ(CNTHV_CTL), 5);
    check(gic_is_pending(28), "CNTHV: INTID 28 pending");
    WRITE(CNTHV_TVAL, 1000000000);
    ISB();
    check(!gic_is_pending(28) && READ(CNTHV_CTL) == 1, "CNTHV_TVAL_EL2: in the future, not pending");
    WRITE(CNTHV_CTL, 0);
    WRITE(cntvoff_el2, 0);
    gic_disable(28);

    WRITE(cnthctl_el2, 0);
    ISB();
    try_el(1, do_cntpct, 0, 0);
    check_exc("CNTHCTL_EL2.EL1PCTEN (bit 10) 0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 1, 5, 1));
    try_el(1, do_cntp_ctl, 0, 0);
    check_exc("CNTHCTL_EL2.EL1PTEN (bit 11) 0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 2, 1, 5, 1));
    WRITE(cnthctl_el2, BIT(10) | BIT(11));
    ISB();
    try_el(1, do_cntpct, 0, 0);
    check_eq("  both 1: not trapped", EXC.count, 0);
}

static void host(void)
{
    hcr(HCR_E2H | HCR_TGE);
    try_el(0, do_svc, 0, 0);
    check_exc("host EL0: SVC goes to EL2", 2, EC_SVC, 0x1234);
    try_el(0, do_udf, 0, 0);
    check_exc("host EL0: UDF goes to EL2", 2, EC_UNKNOWN, 0);
    WRITE(sctlr_el2, READ(sctlr_el2) | BIT(9)); /* UMA of EL1, which EL2 does not have */
    ISB();
    try_el(0, do_mrs_daif, 0, 0);
    check_exc("host EL0: MRS DAIF goes to EL2", 2, EC_SYSREG, ISS_SYS(3, 3, 4, 2, 1, 5, 1));
    try_el(0, do_msr_daif, 0, 0);
    check_exc("host EL0: MSR DAIF goes to EL2", 2, EC_SYSREG, ISS_SYS(3, 3, 4, 2, 1, 5, 0));
    try_el(0, do_daifset, 0, 0);
    check_exc("host EL0: MSR DAIFSet goes to EL2", 2, EC_SYSREG, ISS_SYS(0, 3, 4, 2, 6, 31, 0));
    WRITE(sctlr_el2, READ(sctlr_el2) & ~BIT(9));
    WRITE(cnthctl_el2, 0);
    ISB();
    try_el(0, do_cntpct, 0, 0);
    check_exc("host EL0: CNTHCTL_EL2.EL0PCTEN 0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 1, 5, 1));
    try_el(0, do_cntvct, 0, 0);
    check_exc("host EL0: CNTHCTL_EL2.EL0VCTEN 0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 2, 0, 1));
    try_el(0, do_cntp_ctl, 0, 0);
    check_exc("host EL0: CNTHCTL_EL2.EL0PTEN 0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 2, 1, 5, 1));
    WRITE(cnthctl_el2, BIT(0) | BIT(1) | BIT(8) | BIT(9));
    WRITE(cntvoff_el2, 1ul << 50);
    ISB();
    u64 p = READ(cntpct_el0), v = call_el(0, do_cntvct, 0, 0);
    check(v >= p && v - p < 62500000, "host EL0: CNTVCT_EL0 without the offset");
    WRITE(cntvoff_el2, 0);
    hcr(0);
    WRITE(cnthctl_el2, 3);
}

void test_main(void)
{
    gic_init();
    redirection();
    timers();
    host();
    finish();
}
