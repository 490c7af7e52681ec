/* What only EL3 decides: SMC that HCR_EL2.TSC, SCR_EL3.SMD or nothing stops, aborts that SCR_EL3.EA takes, illegal
 * returns. Arm ARM D1.3.5 (priorities and routing), C6.2 SMC (AArch64.CheckForSMCUndefOrTrap), D1.4.4 (illegal
 * exception returns). */
#include "rt.h"

#define EXTERNAL 0x10ul
#define HOLE     0x0b000000ul /* no device is there */
#define SCR_EA   BIT(3)
#define SCR_SMD  BIT(7)
#define SCR_TWI  BIT(12)
#define HCR_TSC  BIT(19)

CODE(do_smc, "smc #3");
/* SCR_EL3.TWI takes the WFI to EL3, which lifts SMD: the way back is an SMC. */
CODE(do_smc_wfi, "smc #3\nwfi");
CODE(do_ldr, "ldr x3, [x0]");

static void scr(u64 set, u64 clear)
{
    WRITE(scr_el3, (READ(scr_el3) | set) & ~clear);
    ISB();
}

static void hcr(u64 set, u64 clear)
{
    WRITE(hcr_el2, (READ(hcr_el2) | set) & ~clear);
    ISB();
}

static bool on_wfi(struct frame *f, u64 vector, u64 el)
{
    (void)vector;
    if (el != 3 || esr_ec(f->esr) != EC_WFX)
        return false;
    scr(0, SCR_SMD | SCR_TWI);
    f->elr += 4;
    return true;
}

/* SMC with SMD. */
static void try_smd(u64 el)
{
    scr(SCR_SMD | SCR_TWI, 0);
    sync_hook = on_wfi;
    try_el(el, do_smc_wfi, 0, 0);
    sync_hook = NULL;
}

static void smc(void)
{
    try_el(1, do_smc, 0, 0);
    check_exc("SMC of EL1", 3, EC_SMC, 3);
    try_smd(1);
    check_eq("SMC of EL1, SMD: UNDEFINED, to EL1", EXC.el << 8 | esr_ec(EXC.esr), 1 << 8 | EC_UNKNOWN);
    try_smd(2);
    check_eq("SMC of EL2, SMD: UNDEFINED, to EL2", EXC.el << 8 | esr_ec(EXC.esr), 2 << 8 | EC_UNKNOWN);
    hcr(HCR_TSC, 0);
    try_smd(1);
    check_exc("SMC of EL1, SMD and TSC: the trap is first", 2, EC_SMC, 3);
    try_el(1, do_smc, 0, 0);
    check_exc("SMC of EL1, TSC", 2, EC_SMC, 3);
    try_el(2, do_smc, 0, 0);
    check_exc("SMC of EL2: TSC is for EL1", 3, EC_SMC, 3);
    hcr(0, HCR_TSC);
}

/* Where a synchronous external abort goes: SCR_EL3.EA before EL1. */
static void external(void)
{
    try_el(1, do_ldr, HOLE, 0);
    check_eq("external abort of EL1", EXC.el << 8 | esr_ec(EXC.esr), 1 << 8 | EC_DABT);
    scr(SCR_EA, 0);
    try_el(1, do_ldr, HOLE, 0);
    check_eq("external abort of EL1, EA: to EL3", EXC.el << 8 | esr_ec(EXC.esr), 3 << 8 | EC_DABT_LOWER);
    try_el(2, do_ldr, HOLE, 0);
    check_eq("external abort of EL2, EA: to EL3", EXC.el << 8 | esr_ec(EXC.esr), 3 << 8 | EC_DABT_LOWER);
    check_eq("  DFSC", EXC.esr & 0x3f, EXTERNAL);
    scr(0, SCR_EA);
}

void test_main(void)
{
    smc();
    external();
    finish();
}
