/* FEAT_RAS, seen from EL2: virtual SErrors with their syndrome, ESB and what it defers, the error record registers and
 * their traps, external aborts that HCR_EL2.TEA routes. Physical SErrors need somebody who injects them: tests/unit.
 * Arm ARM C6.2 (ESB), D1.3.6 (virtual SErrors), D19.2 (DISR_EL1, VDISR_EL2, VSESR_EL2, HCR_EL2, ERRIDR_EL1). */
#include "rt.h"

#define DISR  s3_0_c12_c1_1
#define VDISR s3_4_c12_c1_1
#define VSESR s3_4_c5_c2_3

#define HCR_AMO   BIT(5)
#define HCR_VSE   BIT(8)
#define HCR_TGE   BIT(27)
#define HCR_RW    BIT(31)
#define HCR_TERR  BIT(36)
#define HCR_TEA   BIT(37)
#define HCR_FIEN  BIT(47)
#define EC_SERROR 0x2f
#define SYNDROME  0x1abcdefull /* IDS and an ISS */
#define DEFERRED  BIT(31)
#define NOTHING   0x7000000000ul /* an address where no memory or device is */

CODE(do_unmask, "msr daifclr, #4\nisb\nnop\nmsr daifset, #4");
CODE(do_esb, "hint #16");
CODE(do_esb_disr, "hint #16\nmrs x0, s3_0_c12_c1_1");
CODE(do_disr, "mrs x0, s3_0_c12_c1_1");
CODE(do_disr_write, "msr s3_0_c12_c1_1, x0");
CODE(do_isr, "mrs x0, isr_el1");
CODE(do_wfi, "wfi");
CODE(do_erridr, "mrs x5, s3_0_c5_c3_0");
CODE(do_errselr, "msr s3_0_c5_c3_1, x5");
CODE(do_erxstatus, "mrs x5, s3_0_c5_c4_2");
CODE(do_erxmisc3, "msr s3_0_c5_c5_3, x5");
CODE(do_erxpfgf, "mrs x5, s3_0_c5_c4_4");
CODE(do_ldr, "ldr x0, [x0]");

static void hcr(u64 value)
{
    WRITE(hcr_el2, HCR_RW | value);
    ISB();
}

static bool vse(void) { return READ(hcr_el2) & HCR_VSE; }

static void virtual_serror(void)
{
    WRITE(VSESR, SYNDROME);
    hcr(HCR_AMO | HCR_VSE);
    check_eq("ISR_EL1.A at EL1: pending", call_el(1, do_isr, 0, 0) & BIT(8), BIT(8));
    try_el(1, do_wfi, 0, 0);
    check(!EXC.count && vse(), "WFI does not wait while one is pending, and masked");
    try_el(1, do_unmask, 0, 0);
    check(EXC.count == 1 && EXC.el == 1 && EXC.vector == FROM_SPX + SERROR, "unmasked: taken to EL1");
    check_eq("  ESR_EL1", EXC.esr, (u64)EC_SERROR << 26 | BIT(25) | SYNDROME);
    check(!vse(), "  HCR_EL2.VSE is 0 then");
    call_pstate = 0;
    hcr(HCR_AMO | HCR_VSE);
    try_el(0, do_isr, 0, 0);
    call_pstate = 0x3c0;
    check(EXC.count && EXC.el == 1 && EXC.vector == FROM_LOWER + SERROR, "from EL0: to EL1");
    hcr(HCR_VSE);
    try_el(1, do_unmask, 0, 0);
    check(!EXC.count && vse(), "AMO 0: not pending");
}

static void deferred(void)
{
    hcr(HCR_AMO | HCR_VSE);
    WRITE(VDISR, 0);
    WRITE(DISR, 0);
    u64 seen = try_el(1, do_esb_disr, 0, 0);
    check(!EXC.count && !vse(), "ESB, masked: no exception, no longer pending");
    check_eq("  VDISR_EL2", READ(VDISR), DEFERRED | SYNDROME);
    check_eq("  DISR_EL1 at EL1", seen, DEFERRED | SYNDROME);
    check_eq("  DISR_EL1 at EL2 is another register", READ(DISR), 0);
    call_el(1, do_disr_write, 0, 0);
    check_eq("  cleared from EL1", READ(VDISR), 0);
    WRITE(DISR, DEFERRED | 5);
    hcr(0);
    check_eq("AMO 0: EL1 has DISR_EL1 itself", call_el(1, do_disr, 0, 0), DEFERRED | 5);
    WRITE(DISR, 0);
    hcr(HCR_AMO | HCR_VSE);
    try_el(0, do_esb, 0, 0);
    check_eq("ESB of EL0", READ(VDISR), DEFERRED | SYNDROME);
    WRITE(VDISR, 0);
    hcr(HCR_VSE);
    call_el(1, do_esb, 0, 0);
    check(vse() && !READ(VDISR), "ESB, AMO 0: nothing is deferred");
    hcr(HCR_AMO | HCR_VSE);
    do_esb(0, 0);
    check(vse() && !READ(VDISR), "ESB at EL2: nothing is deferred");
    hcr(0);
}

static const struct row {
    const char *what;
    u64 (*fn)(u64, u64);
    u64 hcr, iss;
} rows[] = {
    { "MRS ERRIDR_EL1, TERR", do_erridr, HCR_TERR, ISS_SYS(3, 0, 5, 3, 0, 5, 1) },
    { "MSR ERRSELR_EL1, TERR", do_errselr, HCR_TERR, ISS_SYS(3, 0, 5, 3, 1, 5, 0) },
    { "MRS ERXSTATUS_EL1, TERR", do_erxstatus, HCR_TERR, ISS_SYS(3, 0, 5, 4, 2, 5, 1) },
    { "MSR ERXMISC3_EL1, TERR", do_erxmisc3, HCR_TERR, ISS_SYS(3, 0, 5, 5, 3, 5, 0) },
    { "MRS ERXPFGF_EL1, FIEN 0", do_erxpfgf, 0, ISS_SYS(3, 0, 5, 4, 4, 5, 1) },
};

static void records(void)
{
    check_eq("ERRIDR_EL1: no error records", READ(s3_0_c5_c3_0), 0);
    for (u32 n = 0; n < COUNT(rows); n++) {
        hcr(rows[n].hcr);
        try_el(1, rows[n].fn, 0, 0);
        check_exc(rows[n].what, 2, EC_SYSREG, rows[n].iss);
    }
    hcr(0);
    try_el(1, do_erridr, 0, 0);
    check(!EXC.count, "MRS ERRIDR_EL1, TERR 0");
    hcr(HCR_FIEN);
    try_el(1, do_erxpfgf, 0, 0);
    check(!EXC.count, "MRS ERXPFGF_EL1, FIEN 1");
}

static void external_aborts(void)
{
    hcr(0);
    try_el(1, do_ldr, NOTHING, 0);
    check_exc("external abort of EL1", 1, EC_DABT, 0x10);
    hcr(HCR_TEA);
    try_el(1, do_ldr, NOTHING, 0);
    check_exc("external abort of EL1, TEA", 2, EC_DABT_LOWER, 0x10);
    check_eq("  FAR_EL2", EXC.far, NOTHING);
    try_el(0, do_ldr, NOTHING, 0);
    check_exc("external abort of EL0, TEA", 2, EC_DABT_LOWER, 0x10);
    hcr(0);
}

void test_main(void)
{
    check_eq("ID_AA64PFR0_EL1.RAS", BITS(READ(id_aa64pfr0_el1), 31, 28), 2);
    if (BITS(READ(id_aa64mmfr2_el1), 15, 12)) { /* FEAT_IESB */
        u64 sctlr1 = READ(sctlr_el1), sctlr2 = READ(sctlr_el2);
        WRITE(sctlr_el1, sctlr1 | BIT(21));
        WRITE(sctlr_el2, sctlr2 | BIT(21));
        check(READ(sctlr_el1) & READ(sctlr_el2) & BIT(21), "SCTLR_EL1.IESB and SCTLR_EL2.IESB can be written");
        WRITE(sctlr_el1, sctlr1);
        WRITE(sctlr_el2, sctlr2);
    }
    virtual_serror();
    deferred();
    records();
    external_aborts();
    finish();
}
