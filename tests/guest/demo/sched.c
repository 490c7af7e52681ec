/* The scheduler: who runs, and for how long. One physical CPU.
 *
 * The closed guest has priority, so that it meets its deadlines, but no right to starve the other: after a whole
 * slice of one guest it is the other's turn. A guest in WFI does not run until an interrupt is pending for it.
 *
 * The virtual timer is one set of registers. While the closed guest does not run, its timer is not in the hardware, so the
 * hypervisor's own timer (CNTHP) watches over it: it ends every stay in a guest at the end of the slice, or when
 * the timer of the guest that is not running is due, whichever comes first.
 */
#include "hyp.h"

#define SLICE_TICKS 125000ul            /* 2 ms at 62.5 MHz */
#define NEVER       (~0ul >> 1)
#define CTL_ENABLE  1ul
#define CTL_IMASK   2ul

/* When this guest's virtual timer fires, in counter ticks. CNTVOFF_EL2 is 0 for both, so virtual time is physical time. */
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

static void el1_load(const struct vcpu *v)
{
    WRITE(sctlr_el1, v->sctlr), WRITE(ttbr0_el1, v->ttbr0), WRITE(ttbr1_el1, v->ttbr1), WRITE(tcr_el1, v->tcr);
    WRITE(mair_el1, v->mair), WRITE(amair_el1, v->amair), WRITE(vbar_el1, v->vbar), WRITE(cpacr_el1, v->cpacr);
    WRITE(contextidr_el1, v->contextidr), WRITE(sp_el0, v->sp_el0), WRITE(sp_el1, v->sp_el1);
    WRITE(elr_el1, v->elr_el1), WRITE(spsr_el1, v->spsr_el1), WRITE(esr_el1, v->esr_el1), WRITE(far_el1, v->far_el1);
    WRITE(par_el1, v->par), WRITE(afsr0_el1, v->afsr0), WRITE(afsr1_el1, v->afsr1);
    WRITE(tpidr_el0, v->tpidr_el0), WRITE(tpidrro_el0, v->tpidrro_el0), WRITE(tpidr_el1, v->tpidr_el1);
    WRITE(cntkctl_el1, v->cntkctl), WRITE(cntv_cval_el0, v->cntv_cval), WRITE(cntv_ctl_el0, v->cntv_ctl);
}

static void el1_save(struct vcpu *v)
{
    v->sctlr = READ(sctlr_el1), v->ttbr0 = READ(ttbr0_el1), v->ttbr1 = READ(ttbr1_el1), v->tcr = READ(tcr_el1);
    v->mair = READ(mair_el1), v->amair = READ(amair_el1), v->vbar = READ(vbar_el1), v->cpacr = READ(cpacr_el1);
    v->contextidr = READ(contextidr_el1), v->sp_el0 = READ(sp_el0), v->sp_el1 = READ(sp_el1);
    v->elr_el1 = READ(elr_el1), v->spsr_el1 = READ(spsr_el1), v->esr_el1 = READ(esr_el1), v->far_el1 = READ(far_el1);
    v->par = READ(par_el1), v->afsr0 = READ(afsr0_el1), v->afsr1 = READ(afsr1_el1);
    v->tpidr_el0 = READ(tpidr_el0), v->tpidrro_el0 = READ(tpidrro_el0), v->tpidr_el1 = READ(tpidr_el1);
    v->cntkctl = READ(cntkctl_el1), v->cntv_cval = READ(cntv_cval_el0), v->cntv_ctl = READ(cntv_ctl_el0) & 3;
    WRITE(cntv_ctl_el0, 0);             /* out of the hardware: it must not fire for the next one */
}

static bool runnable(const struct guest *g, u64 now)
{
    return !g->off && (!g->waiting || vgic_pending(&g->vcpu) || timer_due(g) <= now);
}

/* Runs g until it waits, ends, its slice is over or the other guest's timer is due. Returns true when it used all of its slice. */
static bool run(struct guest *g, const struct guest *other)
{
    u64 end = READ(cntpct_el0) + SLICE_TICKS, due = other->off ? NEVER : timer_due(other);
    struct vcpu *v = &g->vcpu;
    g->waiting = false;
    s2_activate(g);
    el1_load(v);
    while (!g->off && !g->waiting && READ(cntpct_el0) < end && !(g == &guests[OPEN] && READ(cntpct_el0) >= due)) {
        hyp_timer_set(g == &guests[OPEN] && due < end ? due : end);
        vgic_load(v);
        u64 reason = vcpu_enter(v);
        vgic_save(v);
        exit_handle(g, reason);
        g->waiting &= !vgic_pending(v);
    }
    ISB();
    bool whole_slice = READ(cntpct_el0) >= end;
    el1_save(v);
    return whole_slice;
}

/* Nobody can run: sleep until a timer is due. WFI wakes for a pending interrupt although PSTATE.I masks it. */
static void idle(void)
{
    u64 a = guests[CLOSED].off ? NEVER : timer_due(&guests[CLOSED]), b = guests[OPEN].off ? NEVER : timer_due(&guests[OPEN]);
    hyp_timer_set(a < b ? a : b);
    asm volatile("wfi");
    WRITE(cnthp_ctl_el2, 0);
    ISB();
}

void sched_run(void)
{
    struct guest *closed = &guests[CLOSED], *open = &guests[OPEN];
    bool turn_over = false;             /* the closed guest used a whole slice: the open one is next */
    while (!closed->off || !open->off) {
        u64 now = READ(cntpct_el0);
        if (runnable(closed, now) && !(turn_over && runnable(open, now)))
            turn_over = run(closed, open);
        else if (runnable(open, now))
            run(open, closed), turn_over = false;
        else
            idle();
    }
    WRITE(cnthp_ctl_el2, 0);
}
