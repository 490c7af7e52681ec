/* EL3, entered secure: what SCR_EL3, CPTR_EL3 and MDCR_EL3 route or trap to EL3, and the two security states.
 * Arm ARM D1.3 (routing), D19.2 (SCR_EL3; CPTR_EL3). */
#include "rt.h"

#define SCR_NS   BIT(0)
#define SCR_IRQ  BIT(1)
#define SCR_FIQ  BIT(2)
#define SCR_EA   BIT(3)
#define SCR_SMD  BIT(7)
#define SCR_HCE  BIT(8)
#define SCR_SIF  BIT(9)
#define SCR_RW   BIT(10)
#define SCR_ST   BIT(11)
#define SCR_TWI  BIT(12)
#define SCR_TWE  BIT(13)
#define SCR_RES1 0x30ul
#define SCR_BASE (SCR_RW | SCR_HCE | SCR_NS)
#define HCR_IMO  BIT(4)
#define HCR_TWI  BIT(13)
#define HCR_TSC  BIT(19)
#define HCR_TGE  BIT(27)

CODE(do_svc, "svc #0x1234");
CODE(do_hvc, "hvc #0x4321");
CODE(do_smc, "smc #0x777");
CODE(do_fp, ".inst 0x9e6703e0");
CODE(do_wfi, "wfi");
CODE(do_wfe, "wfe\nwfe");
CODE(do_cpacr, "mrs x5, cpacr_el1");
CODE(do_cptr_el2, "mrs x5, cptr_el2");
CODE(do_cntps, "mrs x5, cntps_ctl_el1");
CODE(do_scr, "mrs x5, scr_el3");
CODE(do_oslar, "msr oslar_el1, xzr");
CODE(do_mdscr, "mrs x5, mdscr_el1");
CODE(do_pmcr, "mrs x5, pmcr_el0");
CODE(do_unmask, "msr daifclr, #0xf\nisb\nnop\nmsr daifset, #0xf");
CODE(do_nop, "nop");
CODE(do_el, "mrs x0, CurrentEL");

struct row {
    const char *what;
    u64 from;
    u64 (*fn)(u64, u64);
    u64 scr, hcr, el, ec, iss;
};

static const struct row rows[] = {
    { "SMC from EL1", 1, do_smc, SCR_BASE, 0, 3, EC_SMC, 0x777 },
    { "SMC from EL2", 2, do_smc, SCR_BASE, 0, 3, EC_SMC, 0x777 },
    { "SMC from EL3", 3, do_smc, SCR_BASE, 0, 3, EC_SMC, 0x777 },
    { "SMC from secure EL1", 1, do_smc, SCR_RW | SCR_HCE, 0, 3, EC_SMC, 0x777 },
    { "SMC from EL1 with TSC goes to EL2", 1, do_smc, SCR_BASE, HCR_TSC, 2, EC_SMC, 0x777 },
    { "SMC from EL1 with TSC, secure: EL2 is off", 1, do_smc, SCR_RW | SCR_HCE, HCR_TSC, 3, EC_SMC, 0x777 },
    { "SMC from EL0", 0, do_smc, SCR_BASE, 0, 1, EC_UNKNOWN, 0 },
    { "SMC from EL3 with SMD", 3, do_smc, SCR_BASE | SCR_SMD, 0, 3, EC_UNKNOWN, 0 },
    { "HVC from EL3 with HCE 0", 3, do_hvc, SCR_RW | SCR_NS, 0, 3, EC_UNKNOWN, 0 },
    { "HVC from EL1", 1, do_hvc, SCR_BASE, 0, 2, EC_HVC, 0x4321 },
    { "SVC from EL3", 3, do_svc, SCR_BASE, 0, 3, EC_SVC, 0x1234 },
    { "SVC from secure EL0", 0, do_svc, SCR_RW, 0, 1, EC_SVC, 0x1234 },
    { "SVC from EL0 with TGE", 0, do_svc, SCR_BASE, HCR_TGE, 2, EC_SVC, 0x1234 },
    { "WFI from EL1 with SCR_EL3.TWI", 1, do_wfi, SCR_BASE | SCR_TWI, 0, 3, EC_WFX, ISS_COND },
    { "WFI from EL2 with SCR_EL3.TWI", 2, do_wfi, SCR_BASE | SCR_TWI, 0, 3, EC_WFX, ISS_COND },
    { "WFI from EL1 with both TWI: EL2 first", 1, do_wfi, SCR_BASE | SCR_TWI, HCR_TWI, 2, EC_WFX, ISS_COND },
    { "WFE from EL1 with SCR_EL3.TWE", 1, do_wfe, SCR_BASE | SCR_TWE, 0, 3, EC_WFX, ISS_COND | 1 },
    { "MRS SCR_EL3 from EL2", 2, do_scr, SCR_BASE, 0, 2, EC_UNKNOWN, 0 },
    { "MRS CNTPS_CTL_EL1 from secure EL1, ST 0", 1, do_cntps, SCR_RW, 0, 3, EC_SYSREG,
      ISS_SYS(3, 7, 14, 2, 1, 5, 1) },
    { "MRS CNTPS_CTL_EL1 from non-secure EL1", 1, do_cntps, SCR_BASE | SCR_ST, 0, 1, EC_UNKNOWN, 0 },
};

static void controls_set(u64 scr, u64 hcr)
{
    WRITE(scr_el3, scr | SCR_RES1);
    WRITE(hcr_el2, BIT(31) | hcr);
    ISB();
}

static void run_row(const struct row *r)
{
    controls_set(r->scr, r->hcr);
    try_el(r->from, r->fn, 0, 0);
    controls_set(SCR_BASE, 0);
    check_exc(r->what, r->el, r->ec, r->iss);
}

#define WITH(reg, value, from, what, fn, ec, iss) do {                      \
        u64 old_ = READ(reg);                                               \
        WRITE(reg, value);                                                  \
        run_row(&(struct row){ what, from, fn, SCR_BASE, 0, 3, ec, iss });  \
        WRITE(reg, old_);                                                   \
        ISB();                                                              \
    } while (0)

static void other_registers(void)
{
    WRITE(cpacr_el1, 3ul << 20);
    WITH(cptr_el3, BIT(10), 1, "FP from EL1 with CPTR_EL3.TFP", do_fp, EC_FP, ISS_COND);
    WITH(cptr_el3, BIT(10), 2, "FP from EL2 with CPTR_EL3.TFP", do_fp, EC_FP, ISS_COND);
    WITH(cptr_el3, BIT(10), 3, "FP from EL3 with CPTR_EL3.TFP", do_fp, EC_FP, ISS_COND);
    WITH(cptr_el3, BIT(31), 1, "MRS CPACR_EL1 with CPTR_EL3.TCPAC", do_cpacr, EC_SYSREG, ISS_SYS(3, 0, 1, 0, 2, 5, 1));
    WITH(cptr_el3, BIT(31), 2, "MRS CPTR_EL2 with CPTR_EL3.TCPAC", do_cptr_el2, EC_SYSREG,
         ISS_SYS(3, 4, 1, 1, 2, 5, 1));
    WITH(mdcr_el3, BIT(10), 1, "MSR OSLAR_EL1 with MDCR_EL3.TDOSA", do_oslar, EC_SYSREG, ISS_SYS(2, 0, 1, 0, 4, 31, 0));
    WITH(mdcr_el3, BIT(9), 2, "MRS MDSCR_EL1 with MDCR_EL3.TDA", do_mdscr, EC_SYSREG, ISS_SYS(2, 0, 0, 2, 2, 5, 1));
    WITH(mdcr_el3, BIT(6), 2, "MRS PMCR_EL0 with MDCR_EL3.TPM", do_pmcr, EC_SYSREG, ISS_SYS(3, 3, 9, 12, 0, 5, 1));
}

/* ---- interrupts. In the secure distributor INTID 3 is group 1 non-secure, 4 group 0: at the CPU interface
 * an interrupt of the other security state or of group 0 is an FIQ, at EL3 all are (GIC IHI0069 4.6.2) ---- */

static u32 pending;

static void irq_take(struct frame *f, u64 vector, u64 el)
{
    exc_record(f, vector, el);
    MMIO32(GICR_SGI(0) + 0x280) = BIT(pending);
    DSB();
}

static void irq_row(const char *what, u32 intid, u64 from, u64 scr, u64 hcr, u64 el, u64 vector)
{
    pending = intid;
    controls_set(scr, hcr);
    MMIO32(GICR_SGI(0) + 0x200) = BIT(intid);
    DSB();
    exc_expect();
    call_pstate = from ? 0x3c0 : 0;
    if (from == 3)
        do_unmask(0, 0);
    else
        call_el(from, from ? do_unmask : do_nop, 0, 0);
    call_pstate = 0x3c0;
    EXC.expected = false;
    MMIO32(GICR_SGI(0) + 0x280) = BIT(intid);
    DSB();
    controls_set(SCR_BASE, 0);
    bool ok = el ? EXC.count == 1 && EXC.el == el && EXC.vector == vector : EXC.count == 0;
    check(ok, what);
    if (!ok) {
        put_text("# exceptions "), put_hex(EXC.count), put_text(" EL"), put_hex(EXC.el);
        put_text(" vector "), put_hex(EXC.vector), put_text("\n");
    }
}

static void gic_secure_init(void)
{
    MMIO32(GICD) = 0x30; /* ARE_S, ARE_NS */
    MMIO32(GICD) = 0x37; /* and all groups */
    MMIO32(GICR(0) + 0x14) &= ~BIT(1);
    while (MMIO32(GICR(0) + 0x14) & BIT(2))
        ;
    MMIO32(GICR_SGI(0) + 0x80) = BIT(3);  /* IGROUPR0: 3 non-secure, the rest secure */
    MMIO32(GICR_SGI(0) + 0xd00) = BIT(5); /* IGRPMODR0: 5 secure group 1, 4 group 0 */
    MMIO8(GICR_SGI(0) + 0x400 + 3) = 0x80;
    MMIO8(GICR_SGI(0) + 0x400 + 4) = 0x80;
    MMIO8(GICR_SGI(0) + 0x400 + 5) = 0x80;
    MMIO32(GICR_SGI(0) + 0x100) = BIT(3) | BIT(4) | BIT(5);
    WRITE(ICC_SRE3, 0xf);
    ISB();
    WRITE(ICC_SRE2, 0xf);
    WRITE(ICC_SRE, 7);
    ISB();
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN0, 1);
    WRITE(ICC_IGRPEN1_3, 3); /* group 1 of both security states */
    ISB();
}

static void interrupts(void)
{
    gic_secure_init();
    irq_hook = irq_take;
    irq_row("group 1 NS at NS EL1: IRQ to EL1", 3, 1, SCR_BASE, 0, 1, FROM_SPX + IRQ);
    irq_row("group 1 NS at NS EL1, SCR.IRQ: IRQ to EL3", 3, 1, SCR_BASE | SCR_IRQ, 0, 3, FROM_LOWER + IRQ);
    irq_row("group 1 NS at NS EL0, IMO: IRQ to EL2", 3, 0, SCR_BASE, HCR_IMO, 2, FROM_LOWER + IRQ);
    irq_row("group 1 NS at NS EL2, IMO: IRQ to EL2", 3, 2, SCR_BASE, HCR_IMO, 2, FROM_SPX + IRQ);
    irq_row("group 1 NS at NS EL1, IMO and SCR.IRQ: to EL3", 3, 1, SCR_BASE | SCR_IRQ, HCR_IMO, 3, FROM_LOWER + IRQ);
    irq_row("group 1 NS at secure EL1: FIQ to EL1", 3, 1, SCR_RW, 0, 1, FROM_SPX + FIQ);
    irq_row("group 1 NS at secure EL1, SCR.FIQ: FIQ to EL3", 3, 1, SCR_RW | SCR_FIQ, 0, 3, FROM_LOWER + FIQ);
    irq_row("group 1 NS at EL3, SCR.FIQ: FIQ to EL3", 3, 3, SCR_BASE | SCR_FIQ, 0, 3, FROM_SPX + FIQ);
    irq_row("group 1 NS at EL3, SCR.FIQ 0: stays pending", 3, 3, SCR_BASE, 0, 0, 0);
    irq_row("group 0 at NS EL1, SCR.FIQ: FIQ to EL3", 4, 1, SCR_BASE | SCR_FIQ, 0, 3, FROM_LOWER + FIQ);
    irq_row("group 0 at secure EL1: FIQ to EL1", 4, 1, SCR_RW, 0, 1, FROM_SPX + FIQ);
    irq_row("group 1 S at secure EL1: IRQ to EL1", 5, 1, SCR_RW, 0, 1, FROM_SPX + IRQ);
    irq_row("group 1 S at NS EL1, SCR.FIQ: FIQ to EL3", 5, 1, SCR_BASE | SCR_FIQ, 0, 3, FROM_LOWER + FIQ);
    irq_hook = NULL;
}

static void states(void)
{
    check_eq("call to EL2 runs at EL2", call_el(2, do_el, 0, 0), 2 << 2);
    check_eq("call to EL1 runs at EL1", call_el(1, do_el, 0, 0), 1 << 2);
    controls_set(SCR_RW, 0);
    check_eq("call to secure EL1 runs at EL1", call_el(1, do_el, 0, 0), 1 << 2);
    u64 target;
    exc_expect(); /* no secure EL2 in v8.0: the return is illegal */
    asm volatile("adr %0, 1f; msr elr_el3, %0; msr spsr_el3, %1; isb; eret; 1: nop"
                 : "=&r"(target)
                 : "r"(0x3c9ul)
                 : "memory");
    EXC.expected = false;
    controls_set(SCR_BASE, 0);
    check_exc("ERET to EL2 with SCR_EL3.NS 0", 3, EC_ILLEGAL, 0);
    check_eq("  the exception is on the target", EXC.elr, target);
}

void test_main(void)
{
    check_eq("entered at EL3", current_el(), 3);
    for (u32 i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
    other_registers();
    interrupts();
    states();
    finish();
}
