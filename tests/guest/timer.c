/* Generic timers from EL2 without VHE: counters and CNTVOFF, the physical, virtual and hypervisor timers, their
 * interrupts, EL0 and EL1 traps.  Arm ARM D11.2 (system view of the timers), D19.12 (registers). */
#include "rt.h"

#define CTL_ENABLE  1ul
#define CTL_IMASK   2ul
#define CTL_ISTATUS 4ul
#define HCR_IMO     BIT(4)

struct timer {
    const char *name;
    u32 intid;
    u64 (*ctl)(void), (*cval)(void), (*tval)(void);
    void (*set_ctl)(u64), (*set_cval)(u64), (*set_tval)(u64);
    u64 (*now)(void);
};

#define TIMER(timer, el)                                                                \
    static u64 timer##_ctl(void) { ISB(); return READ_(timer##_ctl_##el); }             \
    static void timer##_set_ctl(u64 v) { WRITE_(timer##_ctl_##el, v); ISB(); }          \
    static u64 timer##_cval(void) { return READ_(timer##_cval_##el); }                  \
    static void timer##_set_cval(u64 v) { WRITE_(timer##_cval_##el, v); ISB(); }        \
    static u64 timer##_tval(void) { ISB(); return READ_(timer##_tval_##el); }           \
    static void timer##_set_tval(u64 v) { WRITE_(timer##_tval_##el, v); ISB(); }
TIMER(cntp, el0)
TIMER(cntv, el0)
TIMER(cnthp, el2)

static u64 physical(void)
{
    ISB();
    return READ(cntpct_el0);
}

static u64 virtual(void)
{
    ISB();
    return READ(cntvct_el0);
}

#define ROW(name, intid, now) \
    { #name, intid, name##_ctl, name##_cval, name##_tval, name##_set_ctl, name##_set_cval, name##_set_tval, now }
static const struct timer timers[] = {
    ROW(cntp, 30, physical),
    ROW(cntv, 27, virtual),
    ROW(cnthp, 26, physical),
};

/* The prefix of the checks that follow, so that each timer's are told apart. */
static const char *who;
static void checkt(const char *what, bool ok)
{
    static char line[120];
    u32 n = 0;
    for (const char *s = who; *s; s++)
        line[n++] = *s;
    line[n++] = ':';
    line[n++] = ' ';
    while (*what && n < sizeof line - 1)
        line[n++] = *what++;
    line[n] = 0;
    check(ok, line);
}

static void condition(const struct timer *t)
{
    u64 now = t->now();
    t->set_cval(now + (1ul << 40));
    t->set_ctl(CTL_ENABLE);
    checkt("CVAL in the future: ISTATUS 0", t->ctl() == CTL_ENABLE);
    checkt("CVAL reads back", t->cval() == now + (1ul << 40));
    checkt("not pending in the GIC", !gic_is_pending(t->intid));
    t->set_cval(t->now() - 1);
    checkt("CVAL in the past: ISTATUS 1", t->ctl() == (CTL_ENABLE | CTL_ISTATUS));
    checkt("pending in the GIC", gic_is_pending(t->intid));
    gic_unpend(t->intid);
    checkt("a level cannot be cleared in the GIC", gic_is_pending(t->intid));
    t->set_ctl(CTL_ENABLE | CTL_IMASK);
    checkt("IMASK leaves ISTATUS", t->ctl() == (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS));
    checkt("IMASK takes the line down", !gic_is_pending(t->intid));
    t->set_ctl(CTL_ENABLE);
    checkt("IMASK cleared: pending again", gic_is_pending(t->intid));
    t->set_ctl(0);
    checkt("ENABLE 0 takes the line down", !gic_is_pending(t->intid));
    checkt("ENABLE 0 reads back", (t->ctl() & (CTL_ENABLE | CTL_IMASK)) == 0);
    t->set_cval(0);
    t->set_ctl(CTL_ENABLE);
    checkt("CVAL 0 is in the past", t->ctl() & CTL_ISTATUS);
    t->set_cval(~0ul);
    checkt("CVAL all ones: compared without sign, in the future", !(t->ctl() & CTL_ISTATUS));
    t->set_ctl(0);
}

static void timer_value(const struct timer *t)
{
    t->set_ctl(CTL_ENABLE | CTL_IMASK);
    u64 before = t->now();
    t->set_tval(1000000000);
    u64 cval = t->cval(), after = t->now();
    checkt("TVAL write: CVAL is the counter plus it", cval >= before + 1000000000 && cval <= after + 1000000000);
    u64 low = t->tval();
    checkt("TVAL read: counts down", low <= 1000000000 && low > 900000000);
    before = t->now();
    t->set_tval(0xfffffff0);
    cval = t->cval(), after = t->now();
    checkt("TVAL is signed: CVAL is 16 ticks ago", cval >= before - 16 && cval <= after - 16);
    checkt("TVAL negative: ISTATUS 1", t->ctl() & CTL_ISTATUS);
    low = t->tval();
    checkt("TVAL read: goes on below zero, bits 63:32 zero", low >> 31 == 1);
    t->set_tval(0x1234567800000000);
    checkt("TVAL write: bits 63:32 are ignored", t->ctl() & CTL_ISTATUS);
    t->set_cval(t->now() + 0x500000000);
    low = t->tval();
    checkt("TVAL read: low 32 bits of a far CVAL", low > 0xf0000000 || low == 0);
    t->set_ctl(0);
}

static u32 taken_intid;
static u64 taken_at, taken_count;
static const struct timer *taking;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    taken_at = taking->now();
    taken_intid = READ(ICC_IAR1);
    taking->set_ctl(0);
    WRITE(ICC_EOIR1, taken_intid);
    ISB();
    taken_count++;
}

static void interrupt(const struct timer *t)
{
    taking = t;
    taken_count = 0;
    irq_hook = take;
    WRITE(hcr_el2, READ(hcr_el2) | HCR_IMO);
    ISB();
    ASM("msr daifclr, #2");
    u64 due = t->now() + 2000;
    t->set_cval(due);
    t->set_ctl(CTL_ENABLE);
    u64 give_up = t->now() + 62500000;
    while (!taken_count && t->now() < give_up)
        ;
    ASM("msr daifset, #2");
    checkt("interrupt taken once", taken_count == 1);
    checkt("its INTID", taken_intid == t->intid);
    checkt("not before it was due", taken_at >= due);
    taken_count = 0;
    due = t->now() + 2000;
    t->set_cval(due);
    t->set_ctl(CTL_ENABLE);
    ASM("wfi");
    checkt("WFI with PSTATE.I set ends when it is due", t->now() >= due && gic_is_pending(t->intid));
    checkt("  and it is not taken", taken_count == 0);
    t->set_ctl(0);
    WRITE(hcr_el2, READ(hcr_el2) & ~HCR_IMO);
    irq_hook = NULL;
}

static void counters(void)
{
    check_eq("CNTFRQ_EL0", READ(cntfrq_el0), 62500000);
    u64 a = physical(), b = physical();
    delay(10);
    u64 c = physical();
    check(a <= b && b < c, "CNTPCT_EL0 counts up");
    static const u64 offsets[] = { 0, 1, 0x123456789, ~0ul, 1ul << 63 };
    for (u32 i = 0; i < COUNT(offsets); i++) {
        WRITE(cntvoff_el2, offsets[i]);
        ISB();
        a = physical(), b = virtual(), c = physical();
        check(b - (a - offsets[i]) <= c - a, "CNTVCT_EL0 is CNTPCT_EL0 - CNTVOFF_EL2");
    }
    u64 p = physical();
    WRITE(cntvoff_el2, p - 500); /* virtual time: a little after 500 */
    WRITE(cntv_cval_el0, 400);
    WRITE(cntv_ctl_el0, CTL_ENABLE);
    ISB();
    check(READ(cntv_ctl_el0) & CTL_ISTATUS, "CNTV compares with virtual time: past");
    WRITE(cntv_cval_el0, p);
    ISB();
    check(p < 600 || !(READ(cntv_ctl_el0) & CTL_ISTATUS), "CNTV compares with virtual time: future");
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntvoff_el2, 0);
    ISB();
}

CODE(do_cntpct, "mrs x5, cntpct_el0");
CODE(do_cntvct, "mrs x5, cntvct_el0");
CODE(do_cntfrq, "mrs x5, cntfrq_el0");
CODE(do_cntfrq_w, "msr cntfrq_el0, x5");
CODE(do_cntp_tval, "mrs x5, cntp_tval_el0");
CODE(do_cntv_ctl, "mrs x5, cntv_ctl_el0");

#define ISS_TIMER(crm, op2, read) ISS_SYS(3, 3, 14, crm, op2, 5, read)

struct row {
    const char *what;
    u64 from;
    u64 (*fn)(u64, u64);
    u64 cntkctl, cnthctl, el, ec, iss; /* el 0: not trapped */
};

/* CNTKCTL_EL1: EL0PCTEN 0, EL0VCTEN 1, EL0VTEN 8, EL0PTEN 9. CNTHCTL_EL2 (E2H 0): EL1PCTEN 0, EL1PCEN 1. */
static const struct row rows[] = {
    { "EL0 CNTPCT, allowed", 0, do_cntpct, BIT(0), 3, 0, 0, 0 },
    { "EL0 CNTPCT, EL0PCTEN 0", 0, do_cntpct, BIT(1), 3, 1, EC_SYSREG, ISS_TIMER(0, 1, 1) },
    { "EL0 CNTPCT, EL1PCTEN 0", 0, do_cntpct, BIT(0), 2, 2, EC_SYSREG, ISS_TIMER(0, 1, 1) },
    { "EL0 CNTPCT, both 0: EL1 first", 0, do_cntpct, 0, 0, 1, EC_SYSREG, ISS_TIMER(0, 1, 1) },
    { "EL0 CNTVCT, allowed", 0, do_cntvct, BIT(1), 0, 0, 0, 0 },
    { "EL0 CNTVCT, EL0VCTEN 0", 0, do_cntvct, BIT(0), 3, 1, EC_SYSREG, ISS_TIMER(0, 2, 1) },
    { "EL0 CNTFRQ, EL0PCTEN 1", 0, do_cntfrq, BIT(0), 3, 0, 0, 0 },
    { "EL0 CNTFRQ, EL0VCTEN 1", 0, do_cntfrq, BIT(1), 3, 0, 0, 0 },
    { "EL0 CNTFRQ, neither", 0, do_cntfrq, BIT(8) | BIT(9), 3, 1, EC_SYSREG, ISS_TIMER(0, 0, 1) },
    { "EL0 write of CNTFRQ", 0, do_cntfrq_w, 0x303, 3, 1, EC_UNKNOWN, 0 },
    { "EL1 write of CNTFRQ, below the highest EL", 1, do_cntfrq_w, 0x303, 3, 1, EC_UNKNOWN, 0 },
    { "EL0 CNTP_TVAL, allowed", 0, do_cntp_tval, BIT(9), 3, 0, 0, 0 },
    { "EL0 CNTP_TVAL, EL0PTEN 0", 0, do_cntp_tval, BIT(8), 3, 1, EC_SYSREG, ISS_TIMER(2, 0, 1) },
    { "EL0 CNTP_TVAL, EL1PCEN 0", 0, do_cntp_tval, BIT(9), 1, 2, EC_SYSREG, ISS_TIMER(2, 0, 1) },
    { "EL1 CNTP_TVAL, EL1PCEN 0", 1, do_cntp_tval, BIT(9), 1, 2, EC_SYSREG, ISS_TIMER(2, 0, 1) },
    { "EL1 CNTP_TVAL, allowed", 1, do_cntp_tval, 0, 3, 0, 0, 0 },
    { "EL0 CNTV_CTL, allowed", 0, do_cntv_ctl, BIT(8), 0, 0, 0, 0 },
    { "EL0 CNTV_CTL, EL0VTEN 0", 0, do_cntv_ctl, BIT(9), 3, 1, EC_SYSREG, ISS_TIMER(3, 1, 1) },
    { "EL1 CNTV_CTL, never trapped", 1, do_cntv_ctl, 0, 0, 0, 0, 0 },
};

static void traps(void)
{
    for (u32 i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        WRITE(cntkctl_el1, r->cntkctl);
        WRITE(cnthctl_el2, r->cnthctl);
        ISB();
        try_el(r->from, r->fn, 0, 0);
        if (r->el)
            check_exc(r->what, r->el, r->ec, r->iss);
        else
            check_eq(r->what, EXC.count, 0);
    }
    WRITE(cntkctl_el1, 0);
    WRITE(cnthctl_el2, 3);
    ISB();
}

/* D11.2.6: with EVNTEN, each falling edge (EVNTDIR 1) of counter bit EVNTI is an event for WFE. */
static void event_stream(void)
{
    WRITE(cntkctl_el1, BIT(2) | BIT(3) | 10ul << 4);
    WRITE(cnthctl_el2, 3 | BIT(2) | BIT(3) | 10ul << 4);
    ISB();
    u64 start = counter();
    for (u32 i = 0; i < 10; i++)
        ASM("wfe");
    u64 took = counter() - start;
    check(took < 62500000, "event stream: ten WFEs end within a second");
    WRITE(cntkctl_el1, 0);
    WRITE(cnthctl_el2, 3);
    ISB();
}

void test_main(void)
{
    gic_init();
    counters();
    for (u32 i = 0; i < COUNT(timers); i++) {
        who = timers[i].name;
        gic_enable(timers[i].intid, 0x80);
        condition(&timers[i]);
        timer_value(&timers[i]);
        interrupt(&timers[i]);
        gic_disable(timers[i].intid);
    }
    traps();
    event_stream();
    finish();
}
