/* The performance monitors from EL2: counters, events, filters, EL2's own counters, overflow and its interrupt, EL0.
 * Arm ARM D13 (the PMU: D13.3 overflow, D13.5 filters, D13.6 prohibitions, D13.11 events), D19.5 (its registers),
 * D19.3 (MDCR_EL2), and D24.5 of later issues for what FEAT_FGT leaves no choice in. What an event counts exactly is
 * checked where PMCEID0_EL0 says that it is there. */
#include "rt.h"

#define PMU_INTID   23
#define C           BIT(31)
enum { SW_INCR = 0, INST_RETIRED = 8, EXC_TAKEN = 9, EXC_RETURN = 10, CPU_CYCLES = 0x11, CHAIN = 0x1e };
#define P           BIT(31)
#define U           BIT(30)
#define NSH         BIT(27)
enum { E = 1, PR = 2, CR = 4, DP = 32, LP = 128, FZO = 512 }; /* PMCR_EL0 */
#define HPMN(n)     (n)
#define TPMCR       BIT(5)
#define TPM         BIT(6)
#define HPME        BIT(7)
#define HPMD        BIT(17)
#define HCCD        BIT(23)
#define TWE         BIT(14) /* HCR_EL2 */
#define TWEDEN      BIT(59)

CODE(spin, "mov x2, #50\n1: subs x2, x2, #1\nb.ne 1b\nmov x0, #0");
CODE(swinc, "msr pmswinc_el0, x0\nisb");
CODE(get_pmcr, "mrs x0, pmcr_el0");
CODE(set_pmcr, "msr pmcr_el0, x0\nisb");
CODE(get_enabled, "mrs x0, pmcntenset_el0");
CODE(enable, "msr pmcntenset_el0, x0\nisb");
CODE(get_cycles, "mrs x0, pmccntr_el0");
CODE(get_count0, "mrs x0, pmevcntr0_el0");
CODE(set_count0, "msr pmevcntr0_el0, x0");
CODE(get_selected, "mrs x0, pmxevcntr_el0");
CODE(set_selected, "msr pmxevcntr_el0, x0");
CODE(get_selected_type, "mrs x0, pmxevtyper_el0");
CODE(set_selected_type, "msr pmxevtyper_el0, x0");
CODE(get_count3, "mrs x0, pmevcntr3_el0");
CODE(get_count4, "mrs x0, pmevcntr4_el0");
CODE(set_count4, "msr pmevcntr4_el0, x0");
CODE(get_type5, "mrs x0, pmevtyper5_el0");
CODE(set_type5, "msr pmevtyper5_el0, x0");
CODE(nothing, "");
CODE(faulty, "nop\n.inst 0\nnop");
CODE(calls, "svc #1\nsvc #2\nsvc #3");
CODE(eleven, "mrs x2, pmevcntr0_el0\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\n"
             "mrs x3, pmevcntr0_el0\nsub x0, x3, x2");

CODE(two_wfe, "wfe\nwfe");

static u64 version, events;
static bool has(u32 event) { return events >> event & 1; }

/* Everything off and zero; MDCR_EL2 with all counters for everybody. */
static void fresh(void)
{
    WRITE(mdcr_el2, HPMN(6));
    WRITE(pmcr_el0, PR | CR);
    WRITE(pmcntenclr_el0, ~0u);
    WRITE(pmintenclr_el1, ~0u);
    WRITE(pmovsclr_el0, ~0u);
    WRITE(pmuserenr_el0, 0);
    WRITE(pmccfiltr_el0, 0);
    for (u64 n = 0; n < 6; n++) {
        WRITE(pmselr_el0, n);
        ISB();
        WRITE(pmxevtyper_el0, SW_INCR);
        WRITE(pmxevcntr_el0, 0);
    }
    ISB();
}

static void on(u64 counters)
{
    WRITE(pmcntenset_el0, counters);
    WRITE(pmcr_el0, READ(pmcr_el0) | E);
    ISB();
}

/* What the cycle counter adds while fn runs at el, with interrupts masked. */
static u64 cycles_at(u64 el)
{
    ISB();
    u64 before = READ(pmccntr_el0);
    call_el(el, spin, 0, 0);
    ISB();
    return READ(pmccntr_el0) - before;
}

static void software(void)
{
    fresh();
    WRITE(pmevtyper0_el0, SW_INCR | NSH);
    on(BIT(0));
    swinc(3, 0);
    check_eq("D13.11 SW_INCR counts at EL2 with NSH", READ(pmevcntr0_el0), 1);
    check_eq("  a counter that is not enabled does not", READ(pmevcntr1_el0), 0);
    WRITE(pmevtyper0_el0, SW_INCR);
    swinc(1, 0);
    check_eq("D13.5 NSH 0: not at EL2", READ(pmevcntr0_el0), 1);
    call_el(1, swinc, 1, 0);
    check_eq("  at EL1", READ(pmevcntr0_el0), 2);
    WRITE(pmevtyper0_el0, SW_INCR | P);
    call_el(1, swinc, 1, 0);
    check_eq("  P 1: not at EL1", READ(pmevcntr0_el0), 2);
    WRITE(pmuserenr_el0, 2);
    call_el(0, swinc, 1, 0);
    check_eq("  at EL0, with PMUSERENR_EL0.SW", READ(pmevcntr0_el0), 3);
    WRITE(pmevtyper0_el0, SW_INCR | U);
    call_el(0, swinc, 1, 0);
    check_eq("  U 1: not at EL0", READ(pmevcntr0_el0), 3);
    WRITE(pmevtyper0_el0, SW_INCR);
    WRITE(pmcr_el0, 0);
    call_el(1, swinc, 1, 0);
    check_eq("PMCR_EL0.E 0: nothing counts", READ(pmevcntr0_el0), 3);
    WRITE(pmcr_el0, PR);
    check_eq("PMCR_EL0.P: event counters are zero", READ(pmevcntr0_el0), 0);
    check_eq("  and P reads as 0", READ(pmcr_el0) & PR, 0);
}

static void overflow(void)
{
    fresh();
    gic_init();
    gic_enable(PMU_INTID, 0x80);
    WRITE(pmevtyper0_el0, SW_INCR | NSH);
    WRITE(pmevcntr0_el0, 0xffffffff);
    on(BIT(0));
    swinc(1, 0);
    check_eq("D13.3 32 bits wrap", READ(pmevcntr0_el0) & 0xffffffff, 0);
    check_eq("  the overflow flag", READ(pmovsset_el0), BIT(0));
    check(!gic_is_pending(PMU_INTID), "  no interrupt without PMINTENSET");
    WRITE(pmintenset_el1, BIT(0));
    ISB();
    check(gic_is_pending(PMU_INTID), "  with it PPI 23 is pending");
    WRITE(pmcr_el0, 0);
    ISB();
    check(!gic_is_pending(PMU_INTID), "  PMCR_EL0.E 0: no more");
    WRITE(pmcr_el0, E);
    WRITE(pmovsclr_el0, BIT(0));
    ISB();
    check(!gic_is_pending(PMU_INTID), "  cleared: no more");
    WRITE(pmovsset_el0, BIT(0));
    ISB();
    check(gic_is_pending(PMU_INTID), "  PMOVSSET sets it");
    WRITE(pmovsclr_el0, BIT(0));
    fresh();
}

static void chain(void)
{
    if (!has(CHAIN)) {
        skip("CHAIN", "PMCEID0_EL0 does not have it");
        return;
    }
    WRITE(pmevtyper0_el0, SW_INCR | NSH);
    WRITE(pmevtyper1_el0, CHAIN | NSH);
    WRITE(pmevcntr0_el0, 0xfffffffe);
    on(3);
    swinc(1, 0);
    check_eq("D13.11 CHAIN: nothing yet", READ(pmevcntr1_el0), 0);
    swinc(1, 0);
    check_eq("  one for the overflow of the even one", READ(pmevcntr1_el0), 1);
    WRITE(pmevcntr1_el0, 0xffffffff);
    WRITE(pmevcntr0_el0, 0xffffffff);
    swinc(1, 0);
    check_eq("  and the pair overflows", READ(pmovsset_el0), 3);
    fresh();
}

static void long_counters(void)
{
    if (version < 6) {
        skip("PMCR_EL0.LP", "no FEAT_PMUv3p5");
        return;
    }
    WRITE(pmevtyper0_el0, SW_INCR | NSH);
    WRITE(pmevcntr0_el0, 0xffffffff);
    on(1);
    WRITE(pmcr_el0, E | LP);
    swinc(1, 0);
    check_eq("FEAT_PMUv3p5 PMCR_EL0.LP: 64 bits", READ(pmevcntr0_el0), 0x100000000);
    check_eq("  no overflow", READ(pmovsset_el0), 0);
    WRITE(pmevcntr0_el0, ~0ul);
    swinc(1, 0);
    check_eq("  of 64 bits", READ(pmovsset_el0), 1);
    fresh();
}

static void freeze(void)
{
    if (version < 7) {
        skip("PMCR_EL0.FZO", "no FEAT_PMUv3p7");
        return;
    }
    WRITE(pmevtyper0_el0, SW_INCR | NSH);
    WRITE(pmevtyper1_el0, SW_INCR | NSH);
    WRITE(pmevcntr0_el0, 0xffffffff);
    on(3);
    WRITE(pmcr_el0, E | FZO);
    swinc(3, 0);
    swinc(3, 0);
    check_eq("FEAT_PMUv3p7 PMCR_EL0.FZO: an overflow freezes", READ(pmevcntr1_el0), 1);
    WRITE(pmovsclr_el0, 1);
    swinc(3, 0);
    check_eq("  until its flag is cleared", READ(pmevcntr1_el0), 2);
    fresh();
}

static void filters(void)
{
    fresh();
    on(C);
    check(cycles_at(1) != 0, "D13.5 cycles at EL1");
    check(cycles_at(0) != 0, "  at EL0");
    WRITE(pmccfiltr_el0, P | U);
    check_eq("  P and U: none at EL1", cycles_at(1), 0);
    check_eq("  none at EL0", cycles_at(0), 0);
    WRITE(pmccfiltr_el0, P | U | NSH);
    check(cycles_at(2) != 0, "  NSH: EL2's");
    WRITE(pmccfiltr_el0, 0);
    ISB();
    u64 before = READ(pmccntr_el0);
    spin(0, 0);
    check_eq("  NSH 0: none at EL2", READ(pmccntr_el0) - before, 0);
    WRITE(pmccfiltr_el0, P | NSH | U);
    WRITE(mdcr_el2, HPMN(6) | HPMD);
    check(cycles_at(2) != 0, "D13.6 MDCR_EL2.HPMD leaves the cycle counter");
    WRITE(pmcr_el0, E | DP);
    check_eq("  PMCR_EL0.DP does not", cycles_at(2), 0);
    WRITE(pmcr_el0, E);
    if (version >= 6) {
        WRITE(mdcr_el2, HPMN(6) | HCCD);
        check_eq("FEAT_PMUv3p5 MDCR_EL2.HCCD: no cycles at EL2", cycles_at(2), 0);
    } else {
        skip("MDCR_EL2.HCCD", "no FEAT_PMUv3p5");
    }
    WRITE(mdcr_el2, HPMN(6));
    WRITE(pmevtyper0_el0, SW_INCR | NSH);
    on(1);
    WRITE(mdcr_el2, HPMN(6) | HPMD);
    swinc(1, 0);
    check_eq("D13.6 HPMD: no events at EL2", READ(pmevcntr0_el0), 0);
    WRITE(mdcr_el2, HPMN(4) | HPMD | HPME);
    WRITE(pmevtyper5_el0, SW_INCR | NSH);
    on(BIT(5));
    swinc(BIT(5), 0);
    check_eq("  but EL2's own counters count", READ(pmevcntr5_el0), 1);
    fresh();
}

static void reserved(void)
{
    fresh();
    WRITE(mdcr_el2, HPMN(4));
    WRITE(pmevtyper5_el0, SW_INCR | NSH);
    WRITE(pmevcntr5_el0, 77);
    check_eq("MDCR_EL2.HPMN: PMCR_EL0.N at EL1", BITS(call_el(1, get_pmcr, 0, 0), 15, 11), 4);
    check_eq("  at EL2 all", BITS(READ(pmcr_el0), 15, 11), 6);
    call_el(1, enable, BIT(5) | BIT(3), 0);
    check_eq("  EL1 enables its own only", READ(pmcntenset_el0), BIT(3));
    WRITE(pmcntenset_el0, BIT(5));
    check_eq("  and sees its own only", call_el(1, get_enabled, 0, 0), BIT(3));
    call_el(1, set_pmcr, PR | E, 0);
    check_eq("  PMCR_EL0.P at EL1 leaves EL2's", READ(pmevcntr5_el0), 77);
    swinc(BIT(5), 0);
    check_eq("  PMCR_EL0.E does not start EL2's", READ(pmevcntr5_el0), 77);
    WRITE(mdcr_el2, HPMN(4) | HPME);
    WRITE(pmcr_el0, 0);
    swinc(BIT(5), 0);
    check_eq("  MDCR_EL2.HPME does", READ(pmevcntr5_el0), 78);
    fresh();
}

#define ISS_PMU(crm, op2, rt, read) ISS_SYS(3, 3, 9, crm, op2, rt, read)

/* EL1 and EL0 at a counter from MDCR_EL2.HPMN on: trapped to EL2. */
static void reserved_trapped(void)
{
    static const struct {
        const char *what;
        u64 (*fn)(u64, u64);
        u64 selected, iss;
    } rows[] = {
        { "MRS PMEVCNTR4_EL0", get_count4, 0, ISS_SYS(3, 3, 14, 8, 4, 0, 1) },
        { "MSR PMEVCNTR4_EL0", set_count4, 0, ISS_SYS(3, 3, 14, 8, 4, 0, 0) },
        { "MRS PMEVTYPER5_EL0", get_type5, 0, ISS_SYS(3, 3, 14, 12, 5, 0, 1) },
        { "MSR PMEVTYPER5_EL0", set_type5, 0, ISS_SYS(3, 3, 14, 12, 5, 0, 0) },
        { "MRS PMXEVCNTR_EL0, SEL 5", get_selected, 5, ISS_PMU(13, 2, 0, 1) },
        { "MSR PMXEVCNTR_EL0, SEL 4", set_selected, 4, ISS_PMU(13, 2, 0, 0) },
        { "MRS PMXEVTYPER_EL0, SEL 4", get_selected_type, 4, ISS_PMU(13, 1, 0, 1) },
        { "MSR PMXEVTYPER_EL0, SEL 5", set_selected_type, 5, ISS_PMU(13, 1, 0, 0) },
    };
    fresh();
    WRITE(mdcr_el2, HPMN(4));
    WRITE(pmevcntr3_el0, 33);
    for (u32 n = 0; n < COUNT(rows); n++)
        for (u64 el = 0; el < 2; el++) {
            WRITE(pmselr_el0, rows[n].selected);
            WRITE(pmuserenr_el0, 1);
            try_el(el, rows[n].fn, 0, 0);
            check_exc(rows[n].what, 2, EC_SYSREG, rows[n].iss);
            WRITE(pmuserenr_el0, 0);
            try_el(0, rows[n].fn, 0, 0);
            check(EXC.count == 1 && EXC.el == 1, "  PMUSERENR_EL0.EN 0: EL0's goes to EL1 before");
        }
    check_eq("  a counter below MDCR_EL2.HPMN is EL1's", call_el(1, get_count3, 0, 0), 33);
    WRITE(pmselr_el0, 3);
    check_eq("  by PMXEVCNTR_EL0, too", call_el(1, get_selected, 0, 0), 33);
    WRITE(pmselr_el0, 31);
    call_el(1, set_selected_type, U, 0);
    check_eq("  PMXEVTYPER_EL0 with SEL 31 is PMCCFILTR_EL0", READ(pmccfiltr_el0), U);
    fresh();
    WRITE(mdcr_el2, HPMN(0));
    try_el(1, get_count0, 0, 0);
    check_exc("MDCR_EL2.HPMN 0: PMEVCNTR0_EL0 at EL1", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 8, 0, 0, 1));
    fresh();
}

/* PMSELR_EL0 beyond the last counter: UNDEFINED, whatever could trap. */
static void selects_none(void)
{
    u64 (*const all[])(u64, u64) = { get_selected, set_selected, get_selected_type, set_selected_type };
    static const u8 sel[] = { 6, 30, 31 };
    fresh();
    for (u32 n = 0; n < COUNT(all); n++)
        for (u32 k = 0; k < (n < 2 ? 3 : 2); k++)
            for (u64 el = 0; el < 3; el++)
                for (u64 closed = 0; closed < 2; closed++) {
                    WRITE(pmselr_el0, sel[k]);
                    WRITE(pmuserenr_el0, !closed);
                    WRITE(mdcr_el2, closed ? HPMN(1) | TPM : HPMN(6));
                    try_el(el, all[n], 0, 0);
                    check(EXC.count == 1 && EXC.el == (el ? el : 1) && esr_ec(EXC.esr) == EC_UNKNOWN,
                          n < 2 ? "PMXEVCNTR_EL0 without a counter: UNDEFINED" : "PMXEVTYPER_EL0 likewise");
                }
    fresh();
}

static void access(void)
{
    fresh();
    try_el(0, get_cycles, 0, 0);
    check_exc("PMUSERENR_EL0 0: PMCCNTR_EL0 at EL0 traps to EL1", 1, EC_SYSREG, ISS_PMU(13, 0, 0, 1));
    try_el(0, swinc, 1, 0);
    check_exc("  PMSWINC_EL0", 1, EC_SYSREG, ISS_PMU(12, 4, 0, 0));
    WRITE(pmuserenr_el0, 4);
    try_el(0, get_cycles, 0, 0);
    check_eq("  CR: reads of PMCCNTR_EL0", EXC.count, 0);
    try_el(0, get_count0, 0, 0);
    check_eq("  CR: not PMEVCNTR0_EL0", EXC.count, 1);
    WRITE(pmuserenr_el0, 8);
    try_el(0, get_count0, 0, 0);
    check_eq("  ER: reads of PMEVCNTR0_EL0", EXC.count, 0);
    try_el(0, set_count0, 0, 0);
    check_exc("  ER: not writes", 1, EC_SYSREG, ISS_SYS(3, 3, 14, 8, 0, 0, 0));
    WRITE(pmuserenr_el0, 1);
    try_el(0, set_count0, 0, 0);
    check_eq("  EN: writes", EXC.count, 0);
    WRITE(mdcr_el2, HPMN(6) | TPM);
    try_el(1, get_cycles, 0, 0);
    check_exc("MDCR_EL2.TPM: EL1 traps to EL2", 2, EC_SYSREG, ISS_PMU(13, 0, 0, 1));
    try_el(0, get_cycles, 0, 0);
    check_exc("  EL0, too", 2, EC_SYSREG, ISS_PMU(13, 0, 0, 1));
    fresh();
}

/* The handler of the SVCs at EL1. */
static bool skip_calls(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    return true;
}

/* INST_RETIRED at EL1 of two WFEs: ERET set the event register, so that the second one traps, or sleeps before that
 * (HCR_EL2.TWEDEn). */
static u64 delayed_trap(bool delayed)
{
    u64 hcr = READ(hcr_el2);
    fresh();
    WRITE(pmevtyper0_el0, INST_RETIRED);
    on(1);
    WRITE(hcr_el2, hcr | TWE | (delayed ? TWEDEN : 0));
    ISB();
    try_el(1, two_wfe, 0, 0);
    check_eq("    WFE traps", EXC.count, 1);
    WRITE(hcr_el2, hcr);
    ISB();
    return READ(pmevcntr0_el0);
}

static void exact(void)
{
    fresh();
    if (!has(INST_RETIRED)) {
        skip("INST_RETIRED", "PMCEID0_EL0 does not have it");
        return;
    }
    WRITE(pmevtyper0_el0, INST_RETIRED | NSH);
    on(1);
    check_eq("D13.11 INST_RETIRED: ten NOPs and a read", eleven(0, 0), 11);
    WRITE(pmuserenr_el0, 1);
    check_eq("  at EL0", call_el(0, eleven, 0, 0), 11);
    fresh();
    WRITE(pmevtyper0_el0, INST_RETIRED | P);
    on(1);
    call_el(0, nothing, 0, 0);
    u64 nothings = READ(pmevcntr0_el0);
    WRITE(pmevcntr0_el0, 0);
    call_el(0, spin, 0, 0);
    check_eq("  EL0 only: what ran there", READ(pmevcntr0_el0) - nothings, 102);
    WRITE(pmevcntr0_el0, 0);
    ISB();
    try_el(0, faulty, 0, 0);
    check_eq("  what is UNDEFINED does not retire", READ(pmevcntr0_el0) - nothings, 2);
    if (BITS(READ(id_aa64mmfr1_el1), 35, 32))
        check_eq("  nor WFE that traps, at once or after a delay", delayed_trap(false), delayed_trap(true));
    else
        skip("HCR_EL2.TWEDEn", "no FEAT_TWED");
    fresh();
    WRITE(pmuserenr_el0, 1);
    WRITE(pmevtyper0_el0, INST_RETIRED | P);
    WRITE(pmevtyper1_el0, EXC_TAKEN | P);
    WRITE(pmevtyper2_el0, EXC_RETURN | U);
    on(7);
    sync_hook = skip_calls;
    call_el(0, calls, 0, 0);
    sync_hook = NULL;
    check_eq("  SVC does", READ(pmevcntr0_el0) - nothings, 3);
    if (has(EXC_TAKEN) && has(EXC_RETURN)) {
        check_eq("EXC_TAKEN from EL0: three SVCs and the return's", READ(pmevcntr1_el0), 4);
        check_eq("EXC_RETURN at EL1", READ(pmevcntr2_el0), 3);
    } else {
        skip("EXC_TAKEN, EXC_RETURN", "PMCEID0_EL0 does not have them");
    }

    fresh();
    WRITE(pmevtyper0_el0, INST_RETIRED | NSH);
    WRITE(pmevcntr0_el0, -(u64)20 & 0xffffffff);
    on(1);
    u64 early, late;
    asm volatile("mov x2, #-20\n msr pmevcntr0_el0, x2\n nop\n nop\n nop\n mrs %0, pmovsset_el0\n"
                 " nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n"
                 " mrs %1, pmovsset_el0"
                 : "=&r"(early), "=&r"(late)
                 :
                 : "x2", "memory");
    check(early == 0 && late == 1, "an overflow flag is right at the instruction");
    fresh();
}

static volatile u64 irqs, irq_count, irq_intid;
static void on_irq(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    irq_count = READ(pmccntr_el0);
    irq_intid = READ(ICC_IAR1);
    WRITE(pmovsclr_el0, C);
    WRITE(pmcntenclr_el0, C);
    ISB();
    WRITE(ICC_EOIR1, irq_intid);
    ISB();
    irqs++;
}

static void interrupt(void)
{
    fresh();
    gic_enable(PMU_INTID, 0x80);
    WRITE(hcr_el2, READ(hcr_el2) | BIT(4)); /* IMO */
    irq_hook = on_irq;
    WRITE(pmccfiltr_el0, NSH);
    WRITE(pmccntr_el0, -2000ul);
    WRITE(pmintenset_el1, C);
    on(C);
    ASM("msr daifclr, #2");
    for (u64 n = 0; n < 10000000 && !irqs; n++)
        ASM("nop");
    ASM("msr daifset, #2");
    irq_hook = NULL;
    check_eq("D13.3 the cycle counter's overflow interrupts: INTID 23", irq_intid, PMU_INTID);
    check_eq("  once", irqs, 1);
    if (has(INST_RETIRED))
        check(irq_count < 300, "  at once");
    WRITE(hcr_el2, READ(hcr_el2) & ~BIT(4));
    fresh();
}

void test_main(void)
{
    version = BITS(READ(id_aa64dfr0_el1), 11, 8);
    events = READ(pmceid0_el0);
    check(version >= 1 && version < 15, "ID_AA64DFR0_EL1.PMUVer: PMUv3");
    check_eq("PMCR_EL0.N", BITS(READ(pmcr_el0), 15, 11), 6);
    check(has(SW_INCR) && has(CPU_CYCLES), "PMCEID0_EL0: SW_INCR and CPU_CYCLES");
    software();
    overflow();
    chain();
    long_counters();
    freeze();
    filters();
    reserved();
    if (BITS(READ(id_aa64mmfr0_el1), 59, 56)) { /* FEAT_FGT */
        reserved_trapped();
        selects_none();
    } else {
        skip("counters of MDCR_EL2.HPMN", "without FEAT_FGT CONSTRAINED UNPREDICTABLE");
    }
    access();
    exact();
    interrupt();
    finish();
}
