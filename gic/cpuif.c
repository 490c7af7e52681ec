/*
 * The physical CPU interface: what is signalled, acknowledged and ended, and the priorities that decide it
 * (GIC 4.1, 4.6 and 4.8; the registers in 12.2, whose names are in brackets). Which register asks, and what the PE is
 * allowed, are the callers' (gic_sysreg.c): here is who looks and a set of groups. Left out: PMHE (1 of N asks for no
 * priority masks) and RM (no legacy operation at EL1), the bypass of FIQ and IRQ.
 */
#include "gic/internal.h"

/* GIC 4.8, priority grouping: the bits of a priority of this group that decide about preemption. */
static u32 preemption_mask(const struct gic_cpu *c, enum gic_group group)
{
    bool common = (group == GROUP_1S && c->ctlr[GIC_SECURE] & ICC_CBPR) ||
                  (group == GROUP_1NS && c->ctlr[GIC_NONSECURE] & ICC_CBPR);
    if (common || group != GROUP_1NS)
        return gic_group_mask(c->bpr[common ? GROUP_0 : group]);
    return gic_group_mask(c->bpr[GROUP_1NS] - 1);
}

/* What is active with the highest priority: non-maskable before others of the same. */
struct running {
    u32 priority; /* GIC_PRIO_IDLE: nothing is */
    int group;    /* -1 */
    bool nmi;
};
static struct running running(const struct gic *gic, const struct gic_cpu *c)
{
    u32 all = c->apr[0] | c->apr[1] | c->apr[2], first = all & -all;
    struct running r = { gic_running(all), -1, false };
    if (all)
        r.group = c->apr[GROUP_0] & first ? GROUP_0 : c->apr[GROUP_1S] & first ? GROUP_1S : GROUP_1NS;
    for (enum gic_group group = GROUP_1S; group < GIC_GROUPS; group++)
        if (unlikely(c->nmi_active >> group & 1) && nmi_priority(gic, group) + r.nmi <= r.priority)
            r = (struct running){ nmi_priority(gic, group), (int)group, true };
    return r;
}

/* A non-maskable interrupt has the highest priority of its group, which ICC_PMR_EL1 masks only for Non-secure group 1
 * of two security states (below 0x80, and 0x80 itself in Secure state), and preempts what is of its priority and
 * maskable. */
static ALWAYS_INLINE bool could_preempt(const struct gic *gic, unsigned cpu, struct gic_view view,
                                        const struct gic_best *best)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    if (likely(!best->nmi) && best->priority >= c->pmr) /* most often: nothing is pending */
        return false;
    if (unlikely(!c->igrpen[best->group])) /* of a GICv2: gic.c, groups_enabled */
        return false;
    u32 mask = preemption_mask(c, (enum gic_group)best->group);
    struct running r = running(gic, c);
    if (likely(!best->nmi))
        return gic_preempts(best->priority, r.priority, mask);
    if (best->priority && (c->pmr < best->priority || (c->pmr == best->priority && view.secure)))
        return false;
    return gic_preempts(best->priority, r.priority, mask) || ((r.priority & mask) == best->priority && !r.nmi);
}

static bool can_preempt(const struct gic *gic, unsigned cpu, struct gic_view view)
{
    return could_preempt(gic, cpu, view, &gic->d.best[cpu]);
}

/* Facts alone, in the order in which they matter; the last asks what signalling asks. */
bool cpuif_look(const struct gic *gic, unsigned cpu, struct gic_view view, u32 intid, struct cpuif_look *l)
{
    *l = (struct cpuif_look){ .intid = intid, .target = NO_CPU };
    if (!gic_look_state(gic, cpu, intid, l))
        return false;
    const struct gic_cpu *c = &gic->cpu[cpu];
    struct gic_best as = { intid, l->priority, l->group, l->nmi };
    l->awake = gic->v2.on || !(c->waker & WAKER_ASLEEP);
    l->cpu_group = c->igrpen[l->group] != 0;
    l->mask = c->pmr;
    l->unmasked = l->nmi || l->priority < c->pmr;
    l->running = running(gic, c).priority;
    l->preempts = !l->cpu_group || !l->unmasked || could_preempt(gic, cpu, view, &as);
    l->best = gic->d.best[cpu].priority == PRIO_NONE ? INTID_SPURIOUS : gic->d.best[cpu].intid;
    return true;
}

/* GIC 4.6, the table of interrupt signals where EL3 is AArch64. */
u32 cpuif_lines(const struct gic *gic, unsigned cpu, struct gic_view view)
{
    const struct gic_best *best = &gic->d.best[cpu];
    if (!can_preempt(gic, cpu, view))
        return 0;
    if (unlikely(gic->v2.on)) /* GICv2 2.3.1: whatever the PE does */
        return best->group == GROUP_0 && gic->v2.ctlr[cpu] & GICC_FIQEN ? LINE_FIQ : LINE_IRQ;
    const u32 irq = LINE_IRQ | (best->nmi ? LINE_IRQ_NMI : 0), fiq = LINE_FIQ | (best->nmi ? LINE_FIQ_NMI : 0);
    if (best->group == GROUP_0)
        return fiq;
    if (gic_ds(gic))
        return irq;
    if (best->group == GROUP_1S)
        return view.secure && !view.el3 ? irq : fiq;
    return view.secure ? fiq : irq;
}

/* ---- Acknowledge ---- */

u32 cpuif_pending(const struct gic *gic, unsigned cpu, u32 reach)
{
    const struct gic_best *best = &gic->d.best[cpu];
    if (best->priority == PRIO_NONE || !gic->cpu[cpu].igrpen[best->group])
        return INTID_SPURIOUS;
    if (reach >> best->group & 1)
        return best->intid;
    if (!(reach & REACH_NAMED))
        return INTID_SPURIOUS;
    return best->group == GROUP_1NS ? INTID_NONSECURE : INTID_SECURE;
}

u32 cpuif_acknowledge(struct gic *gic, unsigned cpu, struct gic_view view, u32 reach, enum gic_ack ack)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    const struct gic_best *best = &gic->d.best[cpu];
    u32 intid = can_preempt(gic, cpu, view) ? cpuif_pending(gic, cpu, reach) : (u32)INTID_SPURIOUS;
    if (gic_is_special(intid))
        return intid;
    if (ack != ACK_ANY && best->nmi != (ack == ACK_NMI))
        return best->nmi ? INTID_NMI : INTID_SPURIOUS;
    u32 priority = best->priority & preemption_mask(c, (enum gic_group)best->group);
    if (unlikely(best->nmi))
        c->nmi_active |= 1u << best->group;
    else
        c->apr[best->group] |= (u32)BIT(priority >> 3);
    gic_activate(gic, cpu, intid);
    return intid;
}

/* ---- End of interrupt ---- */

static bool eoi_split(const struct gic *gic, unsigned cpu, struct gic_view view)
{
    return cpuif_control(gic, cpu, view.el3 ? GIC_EL3 : (enum gic_bank_of)view.bank) & ICC_EOIMODE;
}

void cpuif_end(struct gic *gic, unsigned cpu, struct gic_view view, u32 reach, u32 intid)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    struct running active = running(gic, c);
    if ((!gic_has_bank(gic, intid) && !(gic->parts & GIC_LPIS && gic_is_lpi(intid))) || active.group < 0 ||
        !(reach >> active.group & 1))
        return;
    if (active.nmi)
        c->nmi_active &= ~(1u << active.group);
    else
        c->apr[active.group] &= c->apr[active.group] - 1;
    if (!gic_is_lpi(intid) && !eoi_split(gic, cpu, view) && (view.secure || !gic_is_secure(gic, cpu, intid)))
        gic_deactivate(gic, cpu, intid);
}

void cpuif_deactivate(struct gic *gic, unsigned cpu, struct gic_view view, u32 reach, u32 intid)
{
    if (gic_has_bank(gic, intid) && eoi_split(gic, cpu, view) && reach >> gic_group_of(gic, cpu, intid) & 1)
        gic_deactivate(gic, cpu, intid);
}

/* ---- Priorities ---- */

/* A priority as Non-secure state sees it: 0 where it is of the Secure half. */
static inline u32 nonsecure_half(u32 priority) { return priority & 0x80 ? priority << 1 & 0xff : 0; }

u32 cpuif_mask(const struct gic *gic, unsigned cpu, struct gic_view view)
{
    u32 pmr = gic->cpu[cpu].pmr;
    return view.half ? nonsecure_half(pmr) : pmr;
}

void cpuif_set_mask(struct gic *gic, unsigned cpu, struct gic_view view, u32 priority)
{
    u32 *pmr = &gic->cpu[cpu].pmr;
    if (!view.half)
        *pmr = priority & GIC_PRIO_MASK;
    else if (*pmr & 0x80)
        *pmr = ((priority & 0xff) >> 1 | 0x80) & GIC_PRIO_MASK;
}

/* Secure state sees the other's non-maskable interrupts, too. */
u64 cpuif_running(const struct gic *gic, unsigned cpu, struct gic_view view)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    u32 priority = running(gic, c).priority;
    bool both = !gic_ds(gic) && view.secure;
    u64 flags = bit(c->nmi_active, both ? GROUP_1S : GROUP_1NS) ? APR_NMI : 0;
    if (both && bit(c->nmi_active, GROUP_1NS))
        flags |= RPR_NMI_NS;
    return flags | (view.half && priority != GIC_PRIO_IDLE ? nonsecure_half(priority) : priority);
}

/* ICC_CTLR.CBPR below EL3: for Secure group 1 BPR1 is BPR0; Non-secure BPR1 reads as BPR0 + 1, writes do nothing. */
static bool common_bpr(const struct gic_cpu *c, struct gic_view view, enum gic_group group)
{
    return group != GROUP_0 && !view.el3 && c->ctlr[group == GROUP_1S ? GIC_SECURE : GIC_NONSECURE] & ICC_CBPR;
}

u32 cpuif_binary_point(const struct gic *gic, unsigned cpu, struct gic_view view, enum gic_group group)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    if (!common_bpr(c, view, group))
        return c->bpr[group];
    u32 bpr = c->bpr[GROUP_0];
    return group == GROUP_1NS && bpr < 7 ? bpr + 1 : bpr;
}

void cpuif_set_binary_point(struct gic *gic, unsigned cpu, struct gic_view view, enum gic_group group, u32 bpr)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    if (common_bpr(c, view, group)) {
        if (group == GROUP_1NS)
            return;
        group = GROUP_0;
    }
    u32 min = group == GROUP_1NS ? BPR_MIN_NS : BPR_MIN;
    c->bpr[group] = (bpr & 7) < min ? min : bpr & 7;
}

u64 cpuif_active(const struct gic *gic, unsigned cpu, enum gic_group group)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    return c->apr[group] | (c->nmi_active >> group & 1 ? APR_NMI : 0);
}

void cpuif_set_active(struct gic *gic, unsigned cpu, enum gic_group group, u64 value)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    u32 mask = 1u << group;
    bool nmi = group != GROUP_0 && value & APR_NMI && gic->has_nmi;
    c->apr[group] = (u32)value;
    c->nmi_active = nmi ? c->nmi_active | mask : c->nmi_active & ~mask;
}

/* ---- Control ---- */

u32 cpuif_control(const struct gic *gic, unsigned cpu, enum gic_bank_of whose)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    return whose == GIC_EL3 ? c->eoimode_el3 * ICC_EOIMODE : c->ctlr[whose];
}

void cpuif_set_control(struct gic *gic, unsigned cpu, enum gic_bank_of whose, u32 control)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    if (whose == GIC_EL3)
        c->eoimode_el3 = (control & ICC_EOIMODE) != 0;
    else
        c->ctlr[whose] = control & (ICC_EOIMODE | ICC_CBPR);
}

bool cpuif_enabled(const struct gic *gic, unsigned cpu, enum gic_group group) { return gic->cpu[cpu].igrpen[group]; }

void cpuif_enable(struct gic *gic, unsigned cpu, enum gic_group group, bool enable)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    if (c->igrpen[group] == enable)
        return;
    c->igrpen[group] = enable;
    gic_participation(gic, cpu);
}
