/* The scheduler: who runs, and for how long. One physical CPU.
 *
 * The closed guest has priority, so that it meets its deadlines, but no right to starve the others: after a whole
 * slice of it, it is an open guest's turn. The open ones take turns. A guest in WFI does not run until an interrupt is
 * pending for it.
 *
 * The virtual timer is one set of registers. While the closed guest does not run, its timer is not in the hardware, so
 * the hypervisor's own timer (CNTHP) watches over it: it ends an open guest's stay at the end of its slice or when
 * the closed guest's timer is due, whichever comes first.
 */
#include "hyp.h"

#define SLICE_TICKS 125000ul            /* 2 ms at 62.5 MHz */
#define NEVER       (~0ul)
#define CTL_ENABLE  1ul
#define CTL_IMASK   2ul

/* When this guest's virtual timer fires, in counter ticks. CNTVOFF_EL2 is 0: virtual time is physical time. */
static u64 timer_due(const struct guest *g)
{
    return (g->vcpu.cntv_ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE ? g->vcpu.cntv_cval : NEVER;
}

static void hyp_timer_set(u64 when)
{
    WRITE(cnthp_cval_el2, when);
    WRITE(cnthp_ctl_el2, CTL_ENABLE);
    ISB();
}

/* The EL1 state that changes hands: register, field of struct vcpu. */
#define EL1_STATE(X)                                                                                        \
    X(sctlr_el1, sctlr) X(ttbr0_el1, ttbr0) X(ttbr1_el1, ttbr1) X(tcr_el1, tcr) X(mair_el1, mair)           \
    X(amair_el1, amair) X(vbar_el1, vbar) X(cpacr_el1, cpacr) X(contextidr_el1, contextidr)                 \
    X(sp_el0, sp_el0) X(sp_el1, sp_el1) X(elr_el1, elr_el1) X(spsr_el1, spsr_el1) X(esr_el1, esr_el1)       \
    X(far_el1, far_el1) X(par_el1, par) X(afsr0_el1, afsr0) X(afsr1_el1, afsr1) X(tpidr_el0, tpidr_el0)     \
    X(tpidrro_el0, tpidrro_el0) X(tpidr_el1, tpidr_el1) X(cntkctl_el1, cntkctl)                             \
    X(cntv_cval_el0, cntv_cval) X(cntv_ctl_el0, cntv_ctl)

static void el1_load(const struct vcpu *v)
{
#define LOAD(reg, field) WRITE(reg, v->field);
    EL1_STATE(LOAD)
}

static void el1_save(struct vcpu *v)
{
#define SAVE(reg, field) v->field = READ(reg);
    EL1_STATE(SAVE)
    WRITE(cntv_ctl_el0, 0); /* out of the hardware: it must not fire for the next one */
}

static bool runnable(const struct guest *g, u64 now)
{
    return !g->off && (!g->waiting || vgic_pending(&g->vcpu) || timer_due(g) <= now);
}

/* Runs g until it waits, ends, its slice is over (end) or the closed guest's timer is due. */
static void run(struct guest *g, u64 end, u64 due)
{
    struct vcpu *v = &g->vcpu;
    u64 stop = end < due ? end : due;
    g->waiting = false;
    s2_activate(g);
    el1_load(v);
    hyp_timer_set(stop);
    while (!g->off && !g->waiting && READ(cntpct_el0) < stop) {
        vgic_load(v);
        u64 reason = vcpu_enter(v);
        vgic_save(v);
        exit_handle(g, reason);
        g->waiting &= !vgic_pending(v); /* WFI does not wait when there is something to do */
    }
    el1_save(v);
}

/* Nobody can run: sleep until a timer is due. WFI wakes for a pending interrupt although PSTATE.I masks it. */
static void idle(u64 due)
{
    if (due == NEVER) {
        print("hypervisor: the guests wait for something that never comes\n");
        power_off();
    }
    hyp_timer_set(due);
    asm volatile("wfi");
    WRITE(cnthp_ctl_el2, 0);
    ISB();
}

/* The open guest after the one that ran last (an index, moved on to it) that can run; NULL: none can. */
static struct guest *open_next(u32 *last, u64 now)
{
    for (u32 n = 1; n <= OPEN_GUESTS; n++) {
        struct guest *g = &guests[OPEN + (*last + n) % OPEN_GUESTS];
        if (runnable(g, now)) {
            *last = g - &guests[OPEN];
            return g;
        }
    }
    return NULL;
}

static bool all_off(void)
{
    for (u32 n = 0; n < GUESTS; n++)
        if (!guests[n].off)
            return false;
    return true;
}

static u64 first_due(void)
{
    u64 due = NEVER;
    for (u32 n = 0; n < GUESTS; n++)
        if (!guests[n].off && timer_due(&guests[n]) < due)
            due = timer_due(&guests[n]);
    return due;
}

void sched_run(void)
{
    struct guest *closed = &guests[CLOSED];
    u32 last = 0;
    bool turn_over = false; /* the closed guest had its slice: an open one is next */
    while (!all_off()) {
        u64 now = READ(cntpct_el0), end = now + SLICE_TICKS, due = closed->off ? NEVER : timer_due(closed);
        bool first = runnable(closed, now) && !turn_over;
        struct guest *open = first ? NULL : open_next(&last, now);
        if (open) {
            run(open, end, turn_over && due <= now ? NEVER : due);
            turn_over = false;
        } else if (runnable(closed, now)) {
            run(closed, end, NEVER);
            turn_over = runnable(closed, READ(cntpct_el0));
        } else {
            idle(first_due());
        }
    }
    WRITE(cnthp_ctl_el2, 0);
}
