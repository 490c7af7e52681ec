/*
 * The physical CPU interface: ICC_* system registers (GIC 12.2, and 4.6 and 4.8 for groups and priorities). Each hook
 * first asks whether HCR_EL2.{IMO,FMO} gives the access to the virtual interface (virtif.c). Traps are rows of
 * cpu/traps.def. SRE is RAO/WI, PMHE and RM are RAZ/WI (no 1-of-N, no legacy operation at EL1).
 */
#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg.h"
#include "gic/gic_sysreg.h"
#include "gic/internal.h"

enum { SECURE, NONSECURE }; /* index into gic_cpu.ctlr */

/* Group 0 or 1 of a register, from its encoding: ICC_*0 have CRm 8 and op2 6 of CRm 12. */
static inline unsigned row_crm(const struct sysreg *row) { return row->key >> 3 & 15; }
static inline unsigned row_op2(const struct sysreg *row) { return row->key & 7; }
static inline unsigned row_group(const struct sysreg *row) { return row_crm(row) != 8; }

/* HCR_EL2.{IMO,FMO}: at EL1 with HCR_EL2.IMO group 1's registers are the virtual ones, with FMO group 0's, with either
 * the common. */
static inline bool is_virtual(const struct cpu *cpu, u64 control) { return cpu->ps.el == 1 && cpu_hcr(cpu) & control; }
static inline bool is_virtual_group(const struct cpu *cpu, unsigned group)
{
    return is_virtual(cpu, group ? BIT(HCR_IMO) : BIT(HCR_FMO));
}

/* Which bank of the banked registers: by SCR_EL3.NS, also at EL3. */
static inline unsigned bank_of(const struct cpu *cpu) { return cpu_is_secure_below_el3(cpu) ? SECURE : NONSECURE; }
static inline enum gic_group group1_of(const struct cpu *cpu) { return bank_of(cpu) == SECURE ? GROUP_1S : GROUP_1NS; }
static inline enum gic_group group_of(const struct cpu *cpu, unsigned group)
{
    return group ? group1_of(cpu) : GROUP_0;
}

/* Priorities are seen in the Non-secure half (GIC 4.8, "software accesses of interrupt
 * priority", ICC_PMR_EL1): Non-secure state, and FIQs are EL3's. */
static bool nonsecure_priorities(const struct cpu *cpu)
{
    return cpu_has(cpu, FEAT_EL3) && bit(cpu->sys.scr_el3, SCR_FIQ) && !cpu_is_secure(cpu);
}

/* GIC 4.8, priority grouping: the bits of a priority of this group that decide about preemption. */
static u32 preemption_mask(const struct gic_cpu *c, enum gic_group group)
{
    bool common =
        (group == GROUP_1S && c->ctlr[SECURE] & ICC_CBPR) || (group == GROUP_1NS && c->ctlr[NONSECURE] & ICC_CBPR);
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

static inline u32 running_priority(const struct gic *gic, const struct gic_cpu *c) { return running(gic, c).priority; }

/* A non-maskable interrupt has the highest priority of its group, which ICC_PMR_EL1 masks only for Non-secure group 1
 * of two security states (below 0x80, and 0x80 itself in Secure state), and preempts what is of its priority and
 * maskable. */
static bool can_preempt(const struct gic *gic, const struct cpu *cpu, const struct gic_best *best)
{
    const struct gic_cpu *c = &gic->cpu[cpu->index];
    u32 mask = preemption_mask(c, (enum gic_group)best->group);
    struct running r = running(gic, c);
    if (likely(!best->nmi))
        return best->priority < c->pmr && gic_preempts(best->priority, r.priority, mask);
    if (best->priority && (c->pmr < best->priority || (c->pmr == best->priority && cpu_is_secure(cpu))))
        return false;
    return gic_preempts(best->priority, r.priority, mask) || ((r.priority & mask) == best->priority && !r.nmi);
}

/* GIC 4.6, the table of interrupt signals where EL3 is AArch64. */
u32 icc_line(const struct gic *gic, const struct cpu *cpu)
{
    const struct gic_best *best = &gic->d.best[cpu->index];
    if (!can_preempt(gic, cpu, best))
        return 0;
    const u32 irq = LINE_IRQ | (best->nmi ? LINE_IRQ_NMI : 0), fiq = LINE_FIQ | (best->nmi ? LINE_FIQ_NMI : 0);
    if (best->group == GROUP_0)
        return fiq;
    if (gic_ds(gic))
        return irq;
    if (best->group == GROUP_1S)
        return cpu_is_secure(cpu) && cpu->ps.el != 3 ? irq : fiq;
    return cpu_is_secure(cpu) ? fiq : irq;
}

static inline void update(struct cpu *cpu) { gic_update_cpu(cpu->d.host.gic, cpu); }

/* ---- Acknowledge ---- */

/* What HPPIR0 and HPPIR1 show of the best pending interrupt (ICC_HPPIR0_EL1, ICC_HPPIR1_EL1; GIC 2.2, special INTIDs).
 */
static u32 pending_group0(const struct cpu *cpu)
{
    const struct gic *gic = cpu->d.host.gic;
    const struct gic_best *best = &gic->d.best[cpu->index];
    bool secure = !gic_ds(gic) && best->group != GROUP_1NS;
    if (best->priority == PRIO_NONE || (best->group != GROUP_0 && cpu->ps.el != 3) || (secure && !cpu_is_secure(cpu)))
        return INTID_SPURIOUS;
    if (best->group != GROUP_0)
        return secure ? INTID_SECURE : INTID_NONSECURE;
    return best->intid;
}

static u32 pending_group1(const struct cpu *cpu)
{
    const struct gic *gic = cpu->d.host.gic;
    const struct gic_best *best = &gic->d.best[cpu->index];
    if (best->priority == PRIO_NONE || best->group == GROUP_0)
        return INTID_SPURIOUS;
    if (!gic_ds(gic) && cpu->ps.el != 3 && (best->group == GROUP_1S) != cpu_is_secure(cpu))
        return INTID_SPURIOUS;
    return best->intid;
}

u64 icc_hppir_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group))
        return icv_hppir(cpu, group);
    return group ? pending_group1(cpu) : pending_group0(cpu);
}

/* SCTLR_ELx.NMI of this EL: non-maskable interrupts are acknowledged by ICC_NMIAR1_EL1. */
static bool by_nmiar(const struct cpu *cpu) { return cpu_has(cpu, FEAT_NMI) && bit(cpu_sctlr(cpu), SCTLR_NMI); }

static u32 acknowledge(struct cpu *cpu, u32 intid)
{
    struct gic *gic = cpu->d.host.gic;
    struct gic_cpu *c = gic_interface(cpu);
    const struct gic_best *best = &gic->d.best[cpu->index];
    u32 priority = best->priority & preemption_mask(c, (enum gic_group)best->group);
    if (unlikely(best->nmi))
        c->nmi_active |= 1u << best->group;
    else
        c->apr[best->group] |= (u32)BIT(priority >> 3);
    gic_activate(gic, cpu->index, intid);
    return intid;
}

u64 icc_iar_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group))
        return icv_iar(cpu, group, bit(cpu->sys.sctlr_el1, SCTLR_NMI) ? ICV_NOT_NMI : ICV_ANY);
    const struct gic *gic = cpu->d.host.gic;
    const struct gic_best *best = &gic->d.best[cpu->index];
    if (!can_preempt(gic, cpu, best))
        return INTID_SPURIOUS;
    u32 intid = group ? pending_group1(cpu) : pending_group0(cpu);
    if (intid < GIC_INTIDS && unlikely(best->nmi) && by_nmiar(cpu))
        return INTID_NMI;
    return intid >= GIC_INTIDS ? intid : acknowledge(cpu, intid);
}

u64 icc_nmiar_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    if (is_virtual_group(cpu, 1))
        return icv_iar(cpu, 1, ICV_NMI);
    const struct gic *gic = cpu->d.host.gic;
    const struct gic_best *best = &gic->d.best[cpu->index];
    u32 intid = can_preempt(gic, cpu, best) ? pending_group1(cpu) : (u32)INTID_SPURIOUS;
    return intid >= GIC_INTIDS ? intid : best->nmi ? acknowledge(cpu, intid) : (u32)INTID_SPURIOUS;
}

/* ---- End of interrupt ---- */

static bool eoi_split(const struct cpu *cpu)
{
    const struct gic_cpu *c = gic_interface((struct cpu *)cpu);
    return cpu->ps.el == 3 ? c->eoimode_el3 : c->ctlr[bank_of(cpu)] & ICC_EOIMODE;
}

/* May this PE, here, drop the priority of that group by that register? */
static bool may_drop(const struct cpu *cpu, int active, unsigned group)
{
    const struct gic *gic = cpu->d.host.gic;
    switch (active) {
    case GROUP_0: return !group && (gic_ds(gic) || cpu_is_secure(cpu));
    case GROUP_1S: return group && cpu_is_secure(cpu);
    case GROUP_1NS: return group && (gic_ds(gic) || cpu->ps.el == 3 || !cpu_is_secure(cpu));
    }
    return false;
}

void icc_eoir_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group)) {
        icv_eoir(cpu, group, value);
        return;
    }
    struct gic *gic = cpu->d.host.gic;
    struct gic_cpu *c = gic_interface(cpu);
    u32 intid = value & 0xffffff;
    struct running active = running(gic, c);
    if (intid >= GIC_INTIDS || !may_drop(cpu, active.group, group))
        return;
    if (active.nmi)
        c->nmi_active &= ~(1u << active.group);
    else
        c->apr[active.group] &= c->apr[active.group] - 1;
    bool secure = !gic_ds(gic) && bank_group(gic, gic_bank(gic, cpu->index, intid), intid % GIC_BANK) != GROUP_1NS;
    if (!eoi_split(cpu) && (!secure || cpu_is_secure(cpu)))
        gic_deactivate(gic, cpu->index, intid);
    update(cpu);
}

/* ICC_DIR_EL1: an interrupt may be deactivated by the state that handles its group. */
static bool may_deactivate(const struct cpu *cpu, enum gic_group group)
{
    bool ds = gic_ds(cpu->d.host.gic), el3 = cpu_has(cpu, FEAT_EL3);
    bool group0 = group == GROUP_0, secure = !ds && group != GROUP_1NS;
    bool irq_el3 = el3 && bit(cpu->sys.scr_el3, SCR_IRQ), fiq_el3 = el3 && bit(cpu->sys.scr_el3, SCR_FIQ);
    if (cpu->ps.el == 3)
        return true;
    if (cpu_is_secure_below_el3(cpu))
        return group0 ? !fiq_el3 : !irq_el3;
    if (group0)
        return ds && !fiq_el3;
    return !secure && !irq_el3;
}

void icc_dir_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if (is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO))) {
        icv_dir(cpu, value);
        return;
    }
    struct gic *gic = cpu->d.host.gic;
    u32 intid = value & 0xffffff;
    if (intid >= GIC_INTIDS || !eoi_split(cpu))
        return;
    if (may_deactivate(cpu, bank_group(gic, gic_bank(gic, cpu->index, intid), intid % GIC_BANK)))
        gic_deactivate(gic, cpu->index, intid);
}

/* ---- Priorities ---- */

u64 icc_pmr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    if (is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO)))
        return icv_pmr(cpu);
    u32 pmr = gic_interface(cpu)->pmr;
    if (nonsecure_priorities(cpu))
        return pmr & 0x80 ? pmr << 1 & 0xff : 0;
    return pmr;
}

void icc_pmr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if (is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO))) {
        icv_set_pmr(cpu, value);
        return;
    }
    struct gic_cpu *c = gic_interface(cpu);
    if (nonsecure_priorities(cpu)) {
        if (!(c->pmr & 0x80))
            return;
        value = (value & 0xff) >> 1 | 0x80;
    }
    c->pmr = value & GIC_PRIO_MASK;
    update(cpu);
}

u64 icc_rpr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    if (is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO)))
        return icv_rpr(cpu);
    const struct gic *gic = cpu->d.host.gic;
    const struct gic_cpu *c = gic_interface(cpu);
    u32 priority = running_priority(gic, c), nmi = c->nmi_active;
    bool both = !gic_ds(gic) && cpu_is_secure(cpu); /* sees the other state's: <63> NMI <62> NMI_NS */
    u64 flags = bit(nmi, both ? GROUP_1S : GROUP_1NS) ? BIT(63) : 0;
    if (both && bit(nmi, GROUP_1NS))
        flags |= BIT(62);
    if (!nonsecure_priorities(cpu) || priority == GIC_PRIO_IDLE)
        return priority | flags;
    return (priority & 0x80 ? priority << 1 & 0xff : 0) | flags;
}

/* ICC_CTLR.CBPR below EL3: for Secure group 1 BPR1 is BPR0; for Non-secure BPR1 reads as BPR0 + 1 and can't be written.
 */
static bool common_bpr(const struct cpu *cpu, const struct gic_cpu *c, enum gic_group group)
{
    return group != GROUP_0 && cpu->ps.el != 3 && c->ctlr[group == GROUP_1S ? SECURE : NONSECURE] & ICC_CBPR;
}

u64 icc_bpr_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned reg = row_group(row);
    if (is_virtual_group(cpu, reg))
        return icv_bpr(cpu, reg);
    const struct gic_cpu *c = gic_interface(cpu);
    enum gic_group group = group_of(cpu, reg);
    if (!common_bpr(cpu, c, group))
        return c->bpr[group];
    u32 bpr = c->bpr[GROUP_0];
    return group == GROUP_1NS && bpr < 7 ? bpr + 1 : bpr;
}

void icc_bpr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned reg = row_group(row);
    if (is_virtual_group(cpu, reg)) {
        icv_set_bpr(cpu, reg, value);
        return;
    }
    struct gic_cpu *c = gic_interface(cpu);
    enum gic_group group = group_of(cpu, reg);
    if (common_bpr(cpu, c, group)) {
        if (group == GROUP_1NS)
            return;
        group = GROUP_0;
    }
    u32 min = group == GROUP_1NS ? BPR_MIN_NS : BPR_MIN, bpr = value & 7;
    c->bpr[group] = bpr < min ? min : bpr;
    update(cpu);
}

u64 icc_apr_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group))
        return icv_apr(cpu, group);
    const struct gic_cpu *c = gic_interface(cpu);
    return c->apr[group_of(cpu, group)] | (c->nmi_active >> group_of(cpu, group) & 1 ? APR_NMI : 0);
}

void icc_apr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group)) {
        icv_set_apr(cpu, group, value);
        return;
    }
    struct gic_cpu *c = gic_interface(cpu);
    u32 mask = 1u << group_of(cpu, group);
    c->apr[group_of(cpu, group)] = (u32)value;
    c->nmi_active = group && value & APR_NMI && cpu_has(cpu, FEAT_NMI) ? c->nmi_active | mask : c->nmi_active & ~mask;
    update(cpu);
}

/* ---- Control ---- */

u64 icc_ctlr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    if (is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO)))
        return icv_ctlr(cpu);
    return gic_interface(cpu)->ctlr[bank_of(cpu)] | ICC_PRIBITS | ICC_IDBITS24 | ICC_A3V;
}

/* CBPR is EL3's, where EL3 exists and there are two security states. */
void icc_ctlr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if (is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO))) {
        icv_set_ctlr(cpu, value);
        return;
    }
    u32 *ctlr = &gic_interface(cpu)->ctlr[bank_of(cpu)];
    u32 mask = cpu_has(cpu, FEAT_EL3) && !gic_ds(cpu->d.host.gic) ? ICC_EOIMODE : ICC_EOIMODE | ICC_CBPR;
    *ctlr = (*ctlr & ~mask) | ((u32)value & mask);
    update(cpu);
}

/* <0> CBPR_EL1S <1> CBPR_EL1NS <2> EOImode_EL3 <3> EOImode_EL1S <4> EOImode_EL1NS */
u64 icc_ctlr_el3_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    const struct gic_cpu *c = gic_interface(cpu);
    u32 s = c->ctlr[SECURE], ns = c->ctlr[NONSECURE];
    return (s & ICC_CBPR) | (ns & ICC_CBPR) << 1 | c->eoimode_el3 << 2 | (s & ICC_EOIMODE) << 2 |
           (ns & ICC_EOIMODE) << 3 | ICC_PRIBITS | ICC_IDBITS24 | ICC_A3V;
}

void icc_ctlr_el3_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    struct gic_cpu *c = gic_interface(cpu);
    c->ctlr[SECURE] = (u32)(bits(value, 0, 0) | bits(value, 3, 3) << 1);
    c->ctlr[NONSECURE] = (u32)(bits(value, 1, 1) | bits(value, 4, 4) << 1);
    c->eoimode_el3 = bit(value, 2);
    update(cpu);
}

static void set_igrpen(struct cpu *cpu, enum gic_group group, bool enable)
{
    struct gic_cpu *c = gic_interface(cpu);
    if (c->igrpen[group] == enable)
        return;
    c->igrpen[group] = enable;
    gic_refresh(cpu->d.host.gic, cpu->index);
}

u64 icc_igrpen_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_op2(row) - 6;
    if (is_virtual_group(cpu, group))
        return icv_igrpen(cpu, group);
    return gic_interface(cpu)->igrpen[group_of(cpu, group)];
}

void icc_igrpen_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_op2(row) - 6;
    if (is_virtual_group(cpu, group))
        icv_set_igrpen(cpu, group, value & 1);
    else
        set_igrpen(cpu, group_of(cpu, group), value & 1);
}

u64 icc_igrpen1_el3_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    const struct gic_cpu *c = gic_interface(cpu);
    return c->igrpen[GROUP_1NS] | c->igrpen[GROUP_1S] << 1;
}

void icc_igrpen1_el3_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    set_igrpen(cpu, GROUP_1NS, bit(value, 0));
    set_igrpen(cpu, GROUP_1S, bit(value, 1));
}

/* At EL3 it is there while EL2 is enabled (GIC 12.2.23): firmware sets SCR_EL3.NS, or EEL2, to reach it. */
bool icc_sre_el2_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    if (cpu->ps.el != 3 || !cpu_has(cpu, FEAT_EL2) || cpu_el2_enabled(cpu))
        return true;
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS, .id = row->key });
    return false;
}

/* Enable<3> of ICC_SRE_EL2 and ICC_SRE_EL3 lets lower ELs at their ICC_SRE; all else is fixed. */
void icc_sre_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    if (row->key == SYSREG_KEY(3, 0, 12, 12, 5))
        return;
    u64 *field = sysreg_field(cpu, row);
    *field = (*field & ~BIT(3)) | (value & BIT(3));
    gic_traps_changed(cpu);
}

/* ---- Software generated interrupts ---- */

/* ICC_SGI1R (op2 5): group 1 of this security state, ICC_ASGI1R (6): of the other, ICC_SGI0R (7): group 0.
 * <15:0> targets, <27:24> INTID, <40> IRM: all but this PE; the rest is the affinity, 0.0.0.x for all PEs here. */
void icc_sgi_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    struct gic *gic = cpu->d.host.gic;
    bool ns = !cpu_is_secure(cpu);
    enum gic_group group = row_op2(row) == 7 ? GROUP_0 : ns == (row_op2(row) == 5) ? GROUP_1NS : GROUP_1S;
    if (group == GROUP_1S && gic_ds(gic))
        group = GROUP_1NS;
    unsigned intid = (unsigned)bits(value, 27, 24);
    u32 targets = (u32)bits(value, 15, 0);
    if (bit(value, 40))
        targets = ~(u32)BIT(cpu->index);
    else if (bits(value, 23, 16) || bits(value, 39, 32) || bits(value, 55, 48))
        return;
    for (unsigned n = 0; n < gic->cpu_count; n++)
        if (bit(targets, n))
            gic_send_sgi(gic, n, intid, group, ns);
}
