/* Exceptions that EL1 takes, from EL1 and EL0: class, syndrome, return address, vector, saved PSTATE.
 * Arm ARM D1.3 (exception entry), D1.4 (return), D19.2 (ESR_ELx, ISS encodings; SCTLR_EL1 traps). */
#include "rt.h"

CODE(do_svc, "svc #0x1234");
CODE(do_brk, "brk #0xabc");
CODE(do_udf, ".inst 0x00000000");
CODE(do_smc, "smc #0");
CODE(do_hlt, "hlt #1");
CODE(do_dcps, "dcps1");
CODE(do_mrs_el2, "mrs x0, esr_el2");
CODE(do_mrs_none, "mrs x0, s3_0_c9_c0_0");
CODE(do_msr_ro, ".inst 0xd5180000"); /* MSR MIDR_EL1, X0 */
CODE(do_fp, ".inst 0x9e6703e0");     /* FMOV D0, XZR */
CODE(do_load, "ldr x0, [x0]");
CODE(do_store, "str w1, [x0]");
CODE(do_mrs_el1, "mrs x0, sctlr_el1");
CODE(do_daifset, "msr daifset, #2");
CODE(do_mrs_daif, "mrs x3, daif");
CODE(do_wfi, "wfi");
CODE(do_wfe, "wfe\nwfe"); /* ERET set the event register: the first one clears it */
CODE(do_ctr, "mrs x2, ctr_el0");
CODE(do_zva, "dc zva, x0");
CODE(do_cvau, "dc cvau, x0");
CODE(do_ivau, "ic ivau, x0");
CODE(do_cntvct, "mrs x4, cntvct_el0");
CODE(do_cntp, "msr cntp_ctl_el0, xzr");
CODE(do_pmu, "mrs x0, pmcr_el0");
CODE(do_eret0, "eret");

static u8 data[256] __attribute__((aligned(64)));

struct row {
    const char *what;
    u64 (*fn)(u64, u64);
    u64 ec, iss;
};

static const struct row at_el1[] = {
    { "SVC", do_svc, EC_SVC, 0x1234 },
    { "BRK", do_brk, EC_BRK, 0xabc },
    { "UDF", do_udf, EC_UNKNOWN, 0 },
    { "SMC without EL3", do_smc, EC_UNKNOWN, 0 },
    { "DCPS1 outside debug state", do_dcps, EC_UNKNOWN, 0 },
    { "MRS of an EL2 register", do_mrs_el2, EC_UNKNOWN, 0 },
    { "MRS of an unallocated register", do_mrs_none, EC_UNKNOWN, 0 },
    { "MSR to a read-only register", do_msr_ro, EC_UNKNOWN, 0 },
    { "FP with CPACR_EL1.FPEN 0", do_fp, EC_FP, ISS_COND },
};

/* EL0 with SCTLR_EL1 nTWI, nTWE, UCT, DZE, UCI, UMA and CNTKCTL_EL1 all 0. */
static const struct row at_el0[] = {
    { "EL0: SVC", do_svc, EC_SVC, 0x1234 },
    { "EL0: BRK", do_brk, EC_BRK, 0xabc },
    { "EL0: SMC", do_smc, EC_UNKNOWN, 0 },
    { "EL0: MRS of an EL1 register", do_mrs_el1, EC_UNKNOWN, 0 },
    { "EL0: MSR to a read-only register", do_msr_ro, EC_UNKNOWN, 0 },
    { "EL0: ERET", do_eret0, EC_UNKNOWN, 0 },
    { "EL0: FP with CPACR_EL1.FPEN 0", do_fp, EC_FP, ISS_COND },
    { "EL0: MSR DAIFSet (UMA)", do_daifset, EC_SYSREG, ISS_SYS(0, 3, 4, 2, 6, 31, 0) },
    { "EL0: MRS DAIF (UMA)", do_mrs_daif, EC_SYSREG, ISS_SYS(3, 3, 4, 2, 1, 3, 1) },
    { "EL0: WFI (nTWI)", do_wfi, EC_WFX, ISS_COND },
    { "EL0: WFE (nTWE)", do_wfe, EC_WFX, ISS_COND | 1 },
    { "EL0: MRS CTR_EL0 (UCT)", do_ctr, EC_SYSREG, ISS_SYS(3, 3, 0, 0, 1, 2, 1) },
    { "EL0: DC ZVA (DZE)", do_zva, EC_SYSREG, ISS_SYS(1, 3, 7, 4, 1, 0, 0) },
    { "EL0: DC CVAU (UCI)", do_cvau, EC_SYSREG, ISS_SYS(1, 3, 7, 11, 1, 0, 0) },
    { "EL0: IC IVAU (UCI)", do_ivau, EC_SYSREG, ISS_SYS(1, 3, 7, 5, 1, 0, 0) },
    { "EL0: MRS CNTVCT_EL0 (EL0VCTEN)", do_cntvct, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 2, 4, 1) },
    { "EL0: MSR CNTP_CTL_EL0 (EL0PTEN)", do_cntp, EC_SYSREG, ISS_SYS(3, 3, 14, 2, 1, 31, 0) },
    { "EL0: MRS PMCR_EL0 (PMUSERENR_EL0)", do_pmu, EC_SYSREG, ISS_SYS(3, 3, 9, 12, 0, 0, 1) },
};

static void table_run(const struct row *rows, u32 n, u64 el)
{
    for (u32 i = 0; i < n; i++) {
        try_el(el, rows[i].fn, (u64)data, 0);
        check_exc(rows[i].what, 1, rows[i].ec, rows[i].iss);
    }
}

static void entry_state(void)
{
    u64 flags = 0xa0000000;
    exc_expect();
    asm volatile("msr nzcv, %0; svc #1" : : "r"(flags) : "cc", "memory");
    check_eq("SPSR_EL1: flags, DAIF, EL1h", EXC.spsr & 0xf00003ff, flags | 0x3c5);
    check_eq("vector: synchronous, current EL with SP_EL1", EXC.vector, FROM_SPX + SYNC);
    exc_expect();
    asm volatile("adr x9, 1f; svc #1; 1: str x9, %0" : "=m"(*(u64 *)data) : : "x9", "memory");
    check_eq("ELR_EL1 after SVC is the next instruction", EXC.elr, *(u64 *)data);
    exc_expect();
    asm volatile("adr x9, 1f; 1: brk #0; str x9, %0" : "=m"(*(u64 *)data) : : "x9", "memory");
    check_eq("ELR_EL1 after BRK is the BRK", EXC.elr, *(u64 *)data);
    check_eq("ESR_EL1.IL is 1 for A64", BITS(EXC.esr, 25, 25), 1);

    exc_expect();
    u64 sp;
    asm volatile("mov %0, sp; msr sp_el0, %0; msr spsel, #0; svc #2; msr spsel, #1" : "=r"(sp) : : "memory");
    check_eq("vector: synchronous, current EL with SP_EL0", EXC.vector, FROM_SP0 + SYNC);
    check_eq("SPSR_EL1.M with SP_EL0 is EL1t", EXC.spsr & 0xf, 4);

    call_pstate = 0;
    try_el(0, do_svc, 0, 0);
    check_eq("vector: synchronous, from EL0", EXC.vector, FROM_LOWER + SYNC);
    check_eq("SPSR_EL1 from EL0: EL0t, nothing masked", EXC.spsr & 0x3df, 0);
    call_pstate = 0x3c0;
}

static u64 mrs_daif_at_entry;
static bool daif_hook(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    mrs_daif_at_entry = READ(daif);
    return true;
}

static void masks(void)
{
    sync_hook = daif_hook;
    asm volatile("msr daifclr, #0xf; svc #3; msr daifset, #0xf" : : : "memory");
    sync_hook = NULL;
    check_eq("exception entry masks D, A, I and F", mrs_daif_at_entry, 0x3c0);
    asm volatile("msr daifclr, #0xf; msr daifset, #5; mrs %0, daif; msr daifset, #0xf" : "=r"(mrs_daif_at_entry));
    check_eq("DAIFSet and DAIFClr", mrs_daif_at_entry, 0x140);
}

/* B2.5 and D8: with stage 1 off, data is Device-nGnRnE memory, which must be aligned whatever SCTLR_EL1.A says. */
static void alignment(void)
{
    try_el(1, do_load, (u64)data + 1, 0);
    check_exc("unaligned load, MMU off", 1, EC_DABT, 0x21);
    check_eq("FAR_EL1 is the address", EXC.far, (u64)data + 1);
    try_el(1, do_store, (u64)data + 2, 0);
    check_exc("unaligned store, MMU off: WnR", 1, EC_DABT, 0x61);
    try_el(0, do_store, (u64)data + 2, 0);
    check_exc("unaligned store from EL0", 1, EC_DABT_LOWER, 0x61);

    exc_expect();
    ((void (*)(void))((u64)do_udf + 2))();
    check_exc("branch to a misaligned address", 1, EC_PC_ALIGN, 0);
    check_eq("FAR_EL1 is the misaligned PC", EXC.far, (u64)do_udf + 2);
    check_eq("ELR_EL1 is the misaligned PC", EXC.elr, (u64)do_udf + 2);

    u64 sctlr = READ(sctlr_el1);
    WRITE(sctlr_el1, sctlr | BIT(3));
    ISB();
    exc_expect();
    asm volatile("mov x9, sp; add x10, x9, #8; msr sp_el0, x10; msr spsel, #0; ldr x10, [sp]; msr spsel, #1"
                 :
                 :
                 : "x9", "x10", "memory");
    check_exc("load with a misaligned SP (SCTLR_EL1.SA)", 1, EC_SP_ALIGN, 0);
    WRITE(sctlr_el1, sctlr);
    ISB();
}

/* D1.4.2: ERET to an EL that does not exist or to AArch32 that is not there: PSTATE.IL is set, EL and SP stay. */
static void illegal_return(void)
{
    static const struct {
        const char *what;
        u64 spsr;
    } rows[] = {
        { "ERET to a higher EL", 0x3c9 },
        { "ERET to EL1 with M[1] set", 0x3c7 },
    };
    for (u32 i = 0; i < COUNT(rows); i++) {
        u64 target;
        exc_expect();
        asm volatile("adr %0, 1f; msr elr_el1, %0; msr spsr_el1, %1; isb; eret; 1: nop"
                     : "=&r"(target)
                     : "r"(rows[i].spsr)
                     : "memory");
        EXC.expected = false;
        check_exc(rows[i].what, 1, EC_ILLEGAL, 0);
        check_eq("  the exception is on the target", EXC.elr, target);
        check_eq("  SPSR_EL1.IL is 1, the mode is EL1h", EXC.spsr & (BIT(20) | 0x1f), BIT(20) | 5);
    }
}

void test_main(void)
{
    WRITE(pmuserenr_el0, 0);
    WRITE(cpacr_el1, 0);
    ISB();
    table_run(at_el1, COUNT(at_el1), 1);
    table_run(at_el0, COUNT(at_el0), 0);
    entry_state();
    masks();
    alignment();
    illegal_return();
    finish();
}
