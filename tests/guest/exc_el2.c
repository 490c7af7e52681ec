/* EL2 without VHE: what HCR_EL2 and its neighbours route or trap to EL2, and virtual interrupts of HCR_EL2.
 * Arm ARM D1.3 (routing), D1.3.6 (virtual interrupts), D19.2 (HCR_EL2; ESR_ELx). */
#include "rt.h"

#define HCR_VM   BIT(0)
#define HCR_FMO  BIT(3)
#define HCR_IMO  BIT(4)
#define HCR_AMO  BIT(5)
#define HCR_VF   BIT(6)
#define HCR_VI   BIT(7)
#define HCR_VSE  BIT(8)
#define HCR_TWI  BIT(13)
#define HCR_TWE  BIT(14)
#define HCR_TID1 BIT(16)
#define HCR_TID2 BIT(17)
#define HCR_TID3 BIT(18)
#define HCR_TSC  BIT(19)
#define HCR_TACR BIT(21)
#define HCR_TSW  BIT(22)
#define HCR_TPCP BIT(23)
#define HCR_TPU  BIT(24)
#define HCR_TTLB BIT(25)
#define HCR_TVM  BIT(26)
#define HCR_TGE  BIT(27)
#define HCR_TDZ  BIT(28)
#define HCR_HCD  BIT(29)
#define HCR_TRVM BIT(30)
#define HCR_RW   BIT(31)

CODE(do_svc, "svc #0x1234");
CODE(do_hvc, "hvc #0x4321");
CODE(do_hvc_hcd, "hvc #0x4321\nsmc #0x55"); /* the way back by SMC, with TSC */
CODE(do_smc, "smc #0x777");
CODE(do_brk, "brk #0xabc");
CODE(do_udf, ".inst 0");
CODE(do_fp, ".inst 0x9e6703e0");
CODE(do_wfi, "wfi");
CODE(do_wfe, "wfe\nwfe");
CODE(do_sctlr_w, "msr sctlr_el1, x7");
CODE(do_sctlr_r, "mrs x8, sctlr_el1");
CODE(do_ttbr1_w, "msr ttbr1_el1, xzr");
CODE(do_contextidr_r, "mrs x30, contextidr_el1\nldr x30, =lower_return");
CODE(do_pfr0, "mrs x5, id_aa64pfr0_el1");
CODE(do_ctr, "mrs x5, ctr_el0");
CODE(do_clidr, "mrs x5, clidr_el1");
CODE(do_aidr, "mrs x5, aidr_el1");
CODE(do_revidr, "mrs x5, revidr_el1");
CODE(do_actlr, "mrs x5, actlr_el1");
CODE(do_tlbi, "tlbi vae1, x0");
CODE(do_tlbiis, "tlbi vmalle1is");
CODE(do_csw, "dc csw, xzr");
CODE(do_civac, "dc civac, x0");
CODE(do_iallu, "ic iallu");
CODE(do_zva, "dc zva, x0");
CODE(do_cpacr, "mrs x5, cpacr_el1");
CODE(do_cntpct, "mrs x5, cntpct_el0");
CODE(do_cntp_cval, "msr cntp_cval_el0, x6");
CODE(do_cntvct, "mrs x5, cntvct_el0");
CODE(do_pmcr, "mrs x5, pmcr_el0");
CODE(do_oslar, "msr oslar_el1, xzr");
CODE(do_mdscr, "mrs x5, mdscr_el1");
CODE(do_vbar_el2, "mrs x5, vbar_el2");
CODE(do_unmask, "msr daifclr, #0xf\nisb\nnop\nmsr daifset, #0xf");

static u8 data[256] __attribute__((aligned(64)));

struct row {
    const char *what;
    u64 from;
    u64 (*fn)(u64, u64);
    u64 hcr, el, ec, iss;
};

#define TVM_ISS(crn, op2, rt, read) ISS_SYS(3, 0, crn, 0, op2, rt, read)

static const struct row rows[] = {
    { "HVC from EL1", 1, do_hvc, 0, 2, EC_HVC, 0x4321 },
    { "HVC from EL1 with HCD", 1, do_hvc_hcd, HCR_HCD | HCR_TSC, 1, EC_UNKNOWN, 0 },
    { "HVC from EL0", 0, do_hvc, 0, 1, EC_UNKNOWN, 0 },
    { "HVC from EL2", 2, do_hvc, 0, 2, EC_HVC, 0x4321 },
    { "SVC from EL2", 2, do_svc, 0, 2, EC_SVC, 0x1234 },
    { "SVC from EL0", 0, do_svc, 0, 1, EC_SVC, 0x1234 },
    { "SVC from EL0 with TGE", 0, do_svc, HCR_TGE, 2, EC_SVC, 0x1234 },
    { "BRK from EL0 with TGE", 0, do_brk, HCR_TGE, 2, EC_BRK, 0xabc },
    { "UDF from EL0 with TGE", 0, do_udf, HCR_TGE, 2, EC_UNKNOWN, 0 },
    { "UDF from EL1", 1, do_udf, 0, 1, EC_UNKNOWN, 0 },
    { "SMC from EL1 with TSC", 1, do_smc, HCR_TSC, 2, EC_SMC, 0x777 },
    { "SMC from EL0 with TSC is UNDEFINED", 0, do_smc, HCR_TSC, 1, EC_UNKNOWN, 0 },
    { "WFI from EL1 with TWI", 1, do_wfi, HCR_TWI, 2, EC_WFX, ISS_COND },
    { "WFI from EL0 with TWI, nTWI 0: EL1 first", 0, do_wfi, HCR_TWI, 1, EC_WFX, ISS_COND },
    { "WFE from EL1 with TWE", 1, do_wfe, HCR_TWE, 2, EC_WFX, ISS_COND | 1 },
    { "MSR SCTLR_EL1, X7 with TVM", 1, do_sctlr_w, HCR_TVM, 2, EC_SYSREG, TVM_ISS(1, 0, 7, 0) },
    { "MSR TTBR1_EL1, XZR with TVM", 1, do_ttbr1_w, HCR_TVM, 2, EC_SYSREG, TVM_ISS(2, 1, 31, 0) },
    { "MRS X8, SCTLR_EL1 with TRVM", 1, do_sctlr_r, HCR_TRVM, 2, EC_SYSREG, TVM_ISS(1, 0, 8, 1) },
    { "MRS X30, CONTEXTIDR_EL1 with TRVM", 1, do_contextidr_r, HCR_TRVM, 2, EC_SYSREG, TVM_ISS(13, 1, 30, 1) },
    { "MRS ID_AA64PFR0_EL1 with TID3", 1, do_pfr0, HCR_TID3, 2, EC_SYSREG, ISS_SYS(3, 0, 0, 4, 0, 5, 1) },
    { "MRS CTR_EL0 with TID2", 1, do_ctr, HCR_TID2, 2, EC_SYSREG, ISS_SYS(3, 3, 0, 0, 1, 5, 1) },
    { "MRS CLIDR_EL1 with TID2", 1, do_clidr, HCR_TID2, 2, EC_SYSREG, ISS_SYS(3, 1, 0, 0, 1, 5, 1) },
    { "MRS AIDR_EL1 with TID1", 1, do_aidr, HCR_TID1, 2, EC_SYSREG, ISS_SYS(3, 1, 0, 0, 7, 5, 1) },
    { "MRS REVIDR_EL1 with TID1", 1, do_revidr, HCR_TID1, 2, EC_SYSREG, ISS_SYS(3, 0, 0, 0, 6, 5, 1) },
    { "MRS ACTLR_EL1 with TACR", 1, do_actlr, HCR_TACR, 2, EC_SYSREG, ISS_SYS(3, 0, 1, 0, 1, 5, 1) },
    { "TLBI VAE1 with TTLB", 1, do_tlbi, HCR_TTLB, 2, EC_SYSREG, ISS_SYS(1, 0, 8, 7, 1, 0, 0) },
    { "TLBI VMALLE1IS with TTLB", 1, do_tlbiis, HCR_TTLB, 2, EC_SYSREG, ISS_SYS(1, 0, 8, 3, 0, 31, 0) },
    { "DC CSW with TSW", 1, do_csw, HCR_TSW, 2, EC_SYSREG, ISS_SYS(1, 0, 7, 10, 2, 31, 0) },
    { "DC CIVAC with TPCP", 1, do_civac, HCR_TPCP, 2, EC_SYSREG, ISS_SYS(1, 3, 7, 14, 1, 0, 0) },
    { "IC IALLU with TPU", 1, do_iallu, HCR_TPU, 2, EC_SYSREG, ISS_SYS(1, 0, 7, 5, 0, 31, 0) },
    { "DC ZVA with TDZ", 1, do_zva, HCR_TDZ, 2, EC_SYSREG, ISS_SYS(1, 3, 7, 4, 1, 0, 0) },
    { "MRS VBAR_EL2 from EL1", 1, do_vbar_el2, 0, 1, EC_UNKNOWN, 0 },
};

static void hcr_set(u64 bits)
{
    WRITE(hcr_el2, HCR_RW | bits);
    ISB();
}

static void run_row(const struct row *r)
{
    hcr_set(r->hcr);
    try_el(r->from, r->fn, (u64)data, 0);
    hcr_set(0);
    check_exc(r->what, r->el, r->ec, r->iss);
}

/* Traps whose bit is in another register: set, try at EL1 (EL0 is the caller's), restore. */
#define WITH(reg, value, what, fn, ec, iss) do {                        \
        u64 old_ = READ(reg);                                           \
        WRITE(reg, value);                                              \
        run_row(&(struct row){ what, 1, fn, 0, 2, ec, iss });           \
        WRITE(reg, old_);                                               \
        ISB();                                                          \
    } while (0)

static void other_registers(void)
{
    WRITE(cpacr_el1, 3ul << 20);
    WITH(cptr_el2, 0x33ff | BIT(10), "FP from EL1 with CPTR_EL2.TFP", do_fp, EC_FP, ISS_COND);
    WITH(cptr_el2, 0x33ff | BIT(31), "MRS CPACR_EL1 with CPTR_EL2.TCPAC", do_cpacr, EC_SYSREG,
         ISS_SYS(3, 0, 1, 0, 2, 5, 1));
    WITH(cnthctl_el2, 0, "MRS CNTPCT_EL0 with EL1PCTEN 0", do_cntpct, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 1, 5, 1));
    WITH(cnthctl_el2, 1, "MSR CNTP_CVAL_EL0 with EL1PCEN 0", do_cntp_cval, EC_SYSREG, ISS_SYS(3, 3, 14, 2, 2, 6, 0));
    WITH(mdcr_el2, BIT(5), "MRS PMCR_EL0 with MDCR_EL2.TPMCR", do_pmcr, EC_SYSREG, ISS_SYS(3, 3, 9, 12, 0, 5, 1));
    WITH(mdcr_el2, BIT(10), "MSR OSLAR_EL1 with MDCR_EL2.TDOSA", do_oslar, EC_SYSREG, ISS_SYS(2, 0, 1, 0, 4, 31, 0));
    WITH(mdcr_el2, BIT(9), "MRS MDSCR_EL1 with MDCR_EL2.TDA", do_mdscr, EC_SYSREG, ISS_SYS(2, 0, 0, 2, 2, 5, 1));
    u64 old = READ(cptr_el2);
    WRITE(cptr_el2, 0x33ff | BIT(10));
    ISB();
    exc_expect();
    do_fp(0, 0);
    EXC.expected = false;
    check_exc("FP from EL2 with CPTR_EL2.TFP", 2, EC_FP, ISS_COND);
    WRITE(cptr_el2, old);
    WRITE(cnthctl_el2, 0);
    ISB();
    try_el(1, do_cntvct, 0, 0);
    check_eq("MRS CNTVCT_EL0 at EL1 is never trapped", EXC.count, 0);
    WRITE(cnthctl_el2, 3);
}

static void entry_state(void)
{
    call_pstate = 0x140;
    try_el(1, do_hvc, 0, 0);
    check_eq("HVC: vector, from a lower EL", EXC.vector, FROM_LOWER + SYNC);
    check_eq("HVC: ELR_EL2 is the next instruction", EXC.elr, (u64)do_hvc + 4);
    check_eq("HVC: SPSR_EL2 is EL1h with D and F masked", EXC.spsr & 0x3df, 0x145);
    call_pstate = 0x3c0;
    hcr_set(HCR_TWI);
    try_el(1, do_wfi, 0, 0);
    hcr_set(0);
    check_eq("trapped WFI: ELR_EL2 is the WFI", EXC.elr, (u64)do_wfi);
    check_eq("trapped WFI: IL is 1", BITS(EXC.esr, 25, 25), 1);
}

/* ---- physical interrupts: an SGI pending, PSTATE masks open at the lower EL ---- */

/* PSTATE.I of a lower EL does not stop an interrupt that is routed to EL2: take it away. */
static void irq_take(struct frame *f, u64 vector, u64 el)
{
    exc_record(f, vector, el);
    gic_unpend(3);
}

static void irq_row(const char *what, u64 from, u64 hcr, u64 el, u64 vector)
{
    gic_pend(3);
    hcr_set(hcr);
    call_pstate = from ? 0x3c0 : 0;
    exc_expect();
    if (from == 2)
        do_unmask(0, 0);
    else
        call_el(from, do_unmask, 0, 0);
    EXC.expected = false;
    call_pstate = 0x3c0;
    hcr_set(0);
    gic_unpend(3);
    check(EXC.count && EXC.el == el && EXC.vector == vector, what);
    if (!(EXC.count && EXC.el == el && EXC.vector == vector)) {
        put_text("# exceptions "), put_hex(EXC.count), put_text(" EL"), put_hex(EXC.el);
        put_text(" vector "), put_hex(EXC.vector), put_text("\n");
    }
}

static void irq_none(const char *what, u64 from, u64 hcr)
{
    gic_pend(3);
    hcr_set(hcr);
    exc_expect();
    if (from == 2)
        do_unmask(0, 0);
    else
        call_el(from, do_unmask, 0, 0);
    EXC.expected = false;
    hcr_set(0);
    gic_unpend(3);
    check_eq(what, EXC.count, 0);
}

static u64 isr_read(u64 a, u64 b)
{
    (void)a, (void)b;
    return READ(isr_el1);
}

static void interrupts(void)
{
    gic_init();
    gic_enable(3, 0x80);
    irq_hook = irq_take;
    irq_row("IRQ at EL1, IMO 0: to EL1", 1, 0, 1, FROM_SPX + IRQ);
    irq_row("IRQ at EL0, IMO 0: to EL1", 0, 0, 1, FROM_LOWER + IRQ);
    irq_row("IRQ at EL1, IMO 1: to EL2, not masked by PSTATE.I", 1, HCR_IMO, 2, FROM_LOWER + IRQ);
    irq_row("IRQ at EL0, IMO 1: to EL2", 0, HCR_IMO, 2, FROM_LOWER + IRQ);
    irq_row("IRQ at EL0, TGE 1: to EL2", 0, HCR_TGE, 2, FROM_LOWER + IRQ);
    irq_row("IRQ at EL2, IMO 1: to EL2", 2, HCR_IMO, 2, FROM_SPX + IRQ);
    irq_row("IRQ at EL2, TGE 1: to EL2", 2, HCR_TGE, 2, FROM_SPX + IRQ);
    irq_none("IRQ at EL2, IMO 0: stays pending", 2, 0);
    gic_pend(3);
    check_eq("ISR_EL1.I at EL2 sees the physical IRQ", isr_read(0, 0), BIT(7));
    check_eq("ISR_EL1.I at EL1, IMO 0: physical", call_el(1, isr_read, 0, 0), BIT(7));
    hcr_set(HCR_IMO);
    check_eq("ISR_EL1.I at EL1, IMO 1: virtual, none", call_el(1, isr_read, 0, 0), 0);
    hcr_set(0);
    gic_unpend(3);
    irq_hook = NULL;
}

/* ---- virtual interrupts of HCR_EL2.VI, VF and VSE: to EL1, when the matching xMO is set ---- */

static void virtual_row(const char *what, u64 hcr, u64 count, u64 vector)
{
    hcr_set(hcr);
    exc_expect();
    call_el(1, do_unmask, 0, 0);
    EXC.expected = false;
    bool vse_left = READ(hcr_el2) & HCR_VSE;
    hcr_set(0);
    check(!EXC.count == !count && (!count || (EXC.el == 1 && EXC.vector == vector)), what);
    if (vector == FROM_SPX + SERROR)
        check(!vse_left, "  taking it clears HCR_EL2.VSE");
}

static void virtual_interrupts(void)
{
    virtual_row("virtual IRQ", HCR_VI | HCR_IMO, 1, FROM_SPX + IRQ);
    virtual_row("virtual IRQ without IMO: not taken", HCR_VI, 0, 0);
    virtual_row("virtual FIQ", HCR_VF | HCR_FMO, 1, FROM_SPX + FIQ);
    virtual_row("virtual FIQ without FMO: not taken", HCR_VF, 0, 0);
    virtual_row("virtual SError", HCR_VSE | HCR_AMO, 1, FROM_SPX + SERROR);
    hcr_set(HCR_VI | HCR_IMO | HCR_VF | HCR_FMO | HCR_VSE | HCR_AMO);
    check_eq("ISR_EL1 at EL1: A, I and F virtual", call_el(1, isr_read, 0, 0), BIT(8) | BIT(7) | BIT(6));
    check_eq("ISR_EL1 at EL2: virtual ones are not seen", isr_read(0, 0), 0);
    exc_expect();
    do_unmask(0, 0);
    EXC.expected = false;
    check_eq("virtual interrupts are not taken at EL2", EXC.count, 0);
    hcr_set(0);
}

CODE(midr_read, "mrs x0, midr_el1");
CODE(mpidr_read, "mrs x0, mpidr_el1");

/* VMPIDR_EL2 gets bit 32 (Aff3), which the runtime does not look at. */
static void views(void)
{
    u64 midr = READ(midr_el1), mpidr = READ(mpidr_el1);
    WRITE(vpidr_el2, 0x12345678);
    WRITE(vmpidr_el2, mpidr | BIT(32));
    ISB();
    check_eq("MIDR_EL1 at EL1 is VPIDR_EL2", call_el(1, midr_read, 0, 0), 0x12345678);
    check_eq("MPIDR_EL1 at EL1 is VMPIDR_EL2", call_el(1, mpidr_read, 0, 0), mpidr | BIT(32));
    check_eq("MIDR_EL1 at EL2 is the CPU's own", READ(midr_el1), midr);
    check_eq("MPIDR_EL1 at EL2 is the CPU's own", READ(mpidr_el1), mpidr);
    WRITE(vpidr_el2, midr);
    WRITE(vmpidr_el2, mpidr);
}

void test_main(void)
{
    for (u32 i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
    other_registers();
    entry_state();
    interrupts();
    virtual_interrupts();
    views();
    finish();
}
