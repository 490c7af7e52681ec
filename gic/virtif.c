/*
 * The virtual CPU interface: list registers, what they signal, the guest's side of it and the hypervisor's (GIC chapter
 * 6; the registers in 12.3 and 12.4, whose names are in brackets). Four list registers, five bits of priority. Which
 * register asks and what it traps are the callers' (gic_sysreg.c, cpu/sysreg/traps.def); ICH_HCR_EL2 is theirs, too,
 * since traps look for it in the PE. GICH and GICV of version 2 are this, too, in layouts of their own (gic/frames2.c):
 * what differs in what is done is said where it is. Left out: SEIs.
 *
 * A virtual LPI that the redistributor forwards (GICv4) stands beside them as one list register more that nobody sees:
 * pending, of group 1, never active.
 *
 *     ICH_LR   <63:62> state  <61> HW  <60> group  <55:48> priority  <44:32> pINTID, or <41> EOI  <31:0> vINTID
 *     ICH_VMCR <31:24> VPMR  <23:21> VBPR0  <20:18> VBPR1  <9> VEOIM  <4> VCBPR  <3> VFIQEn  <1> VENG1  <0> VENG0
 *
 * Of version 2 the vINTID of an SGI has the number of the PE that sent it in <12:10>, as GICV_IAR shows it, and
 * ICH_VMCR <2> VAckCtl; GICH_APR is ich_apr[0], for both groups.
 */
#include "gic/internal.h"

#define LR_PENDING BIT(62)
#define LR_ACTIVE  BIT(63)
#define LR_STATE   (LR_PENDING | LR_ACTIVE)
#define LR_HW      BIT(ICH_LR_HW)
#define LR_GROUP   BIT(ICH_LR_Group)
#define LR_NMI     BIT(ICH_LR_NMI)
#define LR_EOI     BIT(41)
#define LR_PINTID  (ones(13) << 32)
#define LR_MASK    (LR_STATE | LR_HW | LR_GROUP | (u64)GIC_PRIO_MASK << 48 | ones(24))

enum { VLPI = GIC_LRS, NO_LR }; /* numbers beside those of list registers */

static inline unsigned lr_group(u64 lr) { return lr & LR_GROUP ? 1 : 0; }
/* Non-maskable (FEAT_GICv3_NMI): of group 1, with priority 0 and above what has it, too. */
static inline bool lr_nmi(u64 lr) { return (lr & (LR_NMI | LR_GROUP)) == (LR_NMI | LR_GROUP); }
static inline unsigned lr_priority(u64 lr) { return lr_nmi(lr) ? 0 : (unsigned)FIELD_OF(lr, ICH_LR_Priority); }
static inline bool lr_eoi_done(u64 lr) { return !(lr & (LR_STATE | LR_HW)) && lr & LR_EOI; }
static inline u32 vintid(u64 lr) { return (u32)lr; }
static inline unsigned apr_of(const struct gic *gic, unsigned group) { return gic->v2.on ? 0 : group; }

/* ---- Priorities (GIC 4.8, with VBPR and VCBPR) ---- */

static u32 preemption_mask(const struct gic_cpu *c, unsigned group)
{
    if (group == 0 || c->ich_vmcr & BIT(ICH_VMCR_VCBPR))
        return gic_group_mask((unsigned)FIELD_OF(c->ich_vmcr, ICH_VMCR_VBPR0));
    return gic_group_mask((unsigned)FIELD_OF(c->ich_vmcr, ICH_VMCR_VBPR1) - 1);
}

static inline u32 running_priority(const struct gic_cpu *c)
{
    return c->nmi_active & NMI_VIRTUAL ? 0 : gic_running(c->ich_apr[0] | c->ich_apr[1]);
}

static inline u64 lr_get(const struct gic *gic, unsigned cpu, unsigned n)
{
    return n == VLPI ? gic->d.vlpi[cpu] : gic->cpu[cpu].ich_lr[n];
}
u64 gic_vlpi_as_list(u32 intid, u32 priority) { return LR_PENDING | LR_GROUP | (u64)priority << 48 | intid; }

/* Bits that some list register has: most often it says that there is nothing to look for. */
static inline u64 lr_any(const struct gic_cpu *c)
{
    u64 any = 0;
    for (unsigned n = 0; n < GIC_LRS; n++)
        any |= c->ich_lr[n];
    return any;
}

/* Pending, of an enabled group, and of a higher priority than that, which then is this one's? */
static inline bool is_better(const struct gic_cpu *c, u64 lr, unsigned *priority)
{
    if ((lr & LR_STATE) != LR_PENDING || !(c->ich_vmcr >> lr_group(lr) & 1) ||
        2 * lr_priority(lr) + !lr_nmi(lr) >= *priority)
        return false;
    *priority = 2 * lr_priority(lr) + !lr_nmi(lr);
    return true;
}

/* The highest priority pending virtual interrupt of the enabled groups; of equal ones the lowest list register, then
 * the virtual LPI (IMPLEMENTATION DEFINED: GIC 4.8). */
static unsigned best_lr(const struct gic *gic, unsigned cpu)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    unsigned best = NO_LR, priority = 2 * PRIO_NONE;
    if (lr_any(c) & LR_PENDING)
        for (unsigned n = 0; n < GIC_LRS; n++)
            best = is_better(c, c->ich_lr[n], &priority) ? n : best;
    return unlikely(gic->d.vlpi[cpu]) && is_better(c, gic->d.vlpi[cpu], &priority) ? VLPI : best;
}

u64 gic_pending_virtual(const struct gic *gic, unsigned cpu, int *lr)
{
    unsigned n = best_lr(gic, cpu);
    *lr = n < GIC_LRS ? (int)n : -1;
    return n == NO_LR ? 0 : lr_get(gic, cpu, n);
}

static bool can_preempt(const struct gic_cpu *c, u64 lr)
{
    unsigned priority = lr_priority(lr), mask = preemption_mask(c, lr_group(lr));
    if (unlikely(lr_nmi(lr)))
        return !(c->nmi_active & NMI_VIRTUAL);
    return priority < c->ich_vmcr >> 24 && gic_preempts(priority, running_priority(c), mask);
}

bool virtif_look(const struct gic *gic, unsigned cpu, unsigned n, struct virtif_look *l)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    u64 lr = n <= VLPI ? lr_get(gic, cpu, n) : 0;
    if (!(lr & LR_STATE))
        return false;
    int first;
    u64 best = gic_pending_virtual(gic, cpu, &first);
    *l = (struct virtif_look){ .intid = vintid(lr) & (gic->v2.on ? 0x3ff : ~0u),
                               .priority = lr_priority(lr),
                               .pending = !!(lr & LR_PENDING),
                               .active = !!(lr & LR_ACTIVE),
                               .hardware = !!(lr & LR_HW) && n != VLPI,
                               .group = (u8)lr_group(lr),
                               .mask = c->ich_vmcr >> 24,
                               .running = running_priority(c),
                               .first = best == lr && (first < 0 ? n == VLPI : (unsigned)first == n) };
    l->physical = l->hardware ? (u32)FIELD_OF(lr, ICH_LR_pINTID) : 0;
    l->enabled = c->ich_vmcr >> l->group & 1;
    l->unmasked = lr_nmi(lr) || l->priority < l->mask;
    l->preempts = !l->unmasked || can_preempt(c, lr);
    return true;
}

/* ---- What the state means for lines and maintenance ---- */

static u32 maintenance(const struct gic_cpu *c, u64 hcr)
{
    unsigned valid = 0, pending = 0;
    u32 misr = 0;
    for (unsigned n = 0; n < GIC_LRS && lr_any(c) & LR_EOI; n++)
        if (lr_eoi_done(c->ich_lr[n]))
            misr |= BIT(ICH_MISR_EOI);
    if (likely(!(hcr & VIRTIF_CONDITIONS)))
        return misr;
    for (unsigned n = 0; n < GIC_LRS; n++) {
        valid += (c->ich_lr[n] & LR_STATE) != 0;
        pending += (c->ich_lr[n] & LR_STATE) == LR_PENDING;
    }
    if (bit(hcr, ICH_HCR_UIE) && valid <= 1)
        misr |= BIT(ICH_MISR_U);
    if (bit(hcr, ICH_HCR_LRENPIE) && FIELD_OF(hcr, ICH_HCR_EOIcount))
        misr |= BIT(ICH_MISR_LRENP);
    if (bit(hcr, ICH_HCR_NPIE) && !pending)
        misr |= BIT(ICH_MISR_NP);
    /* <4> VGrp0E <5> VGrp0D <6> VGrp1E <7> VGrp1D: the group is enabled, or disabled */
    u64 group0 = bit(c->ich_vmcr, ICH_VMCR_VENG0) ? BIT(ICH_MISR_VGrp0E) : BIT(ICH_MISR_VGrp0D);
    u64 group1 = bit(c->ich_vmcr, ICH_VMCR_VENG1) ? BIT(ICH_MISR_VGrp1E) : BIT(ICH_MISR_VGrp1D);
    return misr | (u32)(hcr & VIRTIF_GROUP_IES & (group0 | group1)); /* enabled where they are reported */
}

void virtif_update(struct gic *gic, unsigned cpu, u64 hcr)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    u32 lines = 0;
    bool level = false;
    if (hcr & BIT(ICH_HCR_En)) {
        unsigned n = best_lr(gic, cpu);
        u64 lr = n == NO_LR ? 0 : lr_get(gic, cpu, n);
        bool fiq = c->ich_vmcr & BIT(ICH_VMCR_VFIQEn); /* group 0 by FIQ, which is RES1 in version 3 */
        if (lr && can_preempt(c, lr))
            lines = (lr_group(lr) || !fiq ? LINE_VIRQ : LINE_VFIQ) | (lr_nmi(lr) ? LINE_VIRQ_NMI : 0);
        level = maintenance(c, hcr) != 0;
    }
    gic_set_lines(gic, cpu, LINE_VIRQ | LINE_VFIQ | LINE_VIRQ_NMI, lines);
    if (level != bit(gic->ppi[cpu].level, GIC_PPI_MAINTENANCE))
        gic_set_ppi(gic, cpu, GIC_PPI_MAINTENANCE, level);
}

/* ---- The hypervisor's side ---- */

u32 virtif_maintenance(const struct gic *gic, unsigned cpu, u64 hcr) { return maintenance(&gic->cpu[cpu], hcr); }

u32 virtif_ended(const struct gic *gic, unsigned cpu)
{
    u32 set = 0;
    for (unsigned n = 0; n < GIC_LRS; n++)
        set |= (u32)lr_eoi_done(gic->cpu[cpu].ich_lr[n]) << n;
    return set;
}

u32 virtif_empty(const struct gic *gic, unsigned cpu)
{
    u32 set = 0;
    for (unsigned n = 0; n < GIC_LRS; n++)
        set |= (u32) !(gic->cpu[cpu].ich_lr[n] & LR_STATE) << n;
    return set & ~virtif_ended(gic, cpu);
}

u64 virtif_list(const struct gic *gic, unsigned cpu, unsigned n) { return gic->cpu[cpu].ich_lr[n]; }

void virtif_set_list(struct gic *gic, unsigned cpu, unsigned n, u64 value)
{
    u64 mask = LR_MASK | (value & LR_HW ? LR_PINTID : LR_EOI) | (gic->has_nmi ? LR_NMI : 0);
    gic->cpu[cpu].ich_lr[n] = value & mask;
}

u32 virtif_vmcr(const struct gic *gic, unsigned cpu) { return gic->cpu[cpu].ich_vmcr; }

/* Binary points below the smallest become the smallest. VFIQEn is RES1 where there is no memory-mapped interface, and
 * VAckCtl is RES0. */
void virtif_set_vmcr(struct gic *gic, unsigned cpu, u64 value)
{
    u64 bpr0 = FIELD_OF(value, ICH_VMCR_VBPR0), bpr1 = FIELD_OF(value, ICH_VMCR_VBPR1);
    u64 v = value & (BIT(ICH_VMCR_VENG0) | BIT(ICH_VMCR_VENG1) | BIT(ICH_VMCR_VCBPR) | BIT(ICH_VMCR_VEOIM) |
                     (u64)GIC_PRIO_MASK << ICH_VMCR_VPMR);
    v |= (bpr0 < BPR_MIN ? BPR_MIN : bpr0) << ICH_VMCR_VBPR0;
    v |= (bpr1 < BPR_MIN_NS ? BPR_MIN_NS : bpr1) << ICH_VMCR_VBPR1;
    u64 own = BIT(ICH_VMCR_VAckCtl) | BIT(ICH_VMCR_VFIQEn);
    gic->cpu[cpu].ich_vmcr = (u32)(v | (gic->v2.on ? value & own : BIT(ICH_VMCR_VFIQEn)));
}

/* ---- The guest's side: acknowledge and end ---- */

/* Not masked by VPMR or the running priority, and shown without ICH_HCR_EL2.En, which stops acknowledging only. */
u32 virtif_pending(const struct gic *gic, unsigned cpu, u32 reach)
{
    unsigned n = best_lr(gic, cpu);
    u64 lr = n == NO_LR ? 0 : lr_get(gic, cpu, n);
    return n == NO_LR || !(reach >> lr_group(lr) & 1) ? (u32)INTID_SPURIOUS : vintid(lr);
}

/* A special INTID is not activated: the list register becomes invalid. Nor is a virtual LPI, whose priority becomes
 * active all the same. */
u32 virtif_acknowledge(struct gic *gic, unsigned cpu, u64 hcr, u32 reach, enum gic_ack ack)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    unsigned n = hcr & BIT(ICH_HCR_En) ? best_lr(gic, cpu) : (unsigned)NO_LR;
    if (n == NO_LR)
        return INTID_SPURIOUS;
    u64 lr = lr_get(gic, cpu, n);
    if (!(reach >> lr_group(lr) & 1) || !can_preempt(c, lr))
        return INTID_SPURIOUS;
    if (ack != ACK_ANY && lr_nmi(lr) != (ack == ACK_NMI))
        return lr_nmi(lr) ? INTID_NMI : INTID_SPURIOUS;
    if (n == VLPI) {
        gic_vlpi_acknowledge(gic, cpu);
    } else {
        c->ich_lr[n] &= ~LR_PENDING;
        if (gic_is_special(vintid(lr)))
            return INTID_SPURIOUS;
        c->ich_lr[n] |= LR_ACTIVE;
    }
    if (lr_nmi(lr))
        c->nmi_active |= NMI_VIRTUAL;
    else
        c->ich_apr[apr_of(gic, lr_group(lr))] |= (u32)BIT((lr_priority(lr) & preemption_mask(c, lr_group(lr))) >> 3);
    return vintid(lr);
}

/* The list register that holds this INTID as active (or active and pending). Of version 2 an SGI is found by another
 * sender than GICV_IAR gave when there is none of that one (UNPREDICTABLE: GICv2 5.5.6, GICV_EOIR). */
static unsigned find_active(const struct gic *gic, const struct gic_cpu *c, u32 intid)
{
    for (u32 mask = ~(u32)0; mask; mask = mask == ~(u32)0 && gic->v2.on ? 0x3ff : 0)
        for (unsigned n = 0; n < GIC_LRS; n++)
            if (c->ich_lr[n] & LR_ACTIVE && !((vintid(c->ich_lr[n]) ^ intid) & mask))
                return n;
    return NO_LR;
}

/* With HW the physical interrupt is deactivated too, unless it is Secure. */
static void deactivate(struct gic *gic, unsigned cpu, unsigned n)
{
    u64 *lr = &gic->cpu[cpu].ich_lr[n];
    u32 pintid = (u32)FIELD_OF(*lr, ICH_LR_pINTID);
    *lr &= ~LR_ACTIVE;
    if (*lr & LR_HW && gic_has_bank(gic, pintid) && !gic_is_secure(gic, cpu, pintid))
        gic_deactivate(gic, cpu, pintid);
}

/* ICH_HCR_EL2.EOIcount: deactivations that met no list register. It wraps. */
static u64 count_eoi(u64 hcr)
{
    return bits_set(hcr, ICH_HCR_EOIcount_END, ICH_HCR_EOIcount, FIELD_OF(hcr, ICH_HCR_EOIcount) + 1);
}

/* A write that finds no active priority does nothing; one that names another interrupt than the highest active, or a
 * wrong group, only drops the priority (both choices that are left to the implementation, ICV_EOIR1_EL1). */
u64 virtif_end(struct gic *gic, unsigned cpu, u64 hcr, u32 reach, u32 intid)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    u32 all = c->ich_apr[0] | c->ich_apr[1];
    bool nmi = c->nmi_active & NMI_VIRTUAL;
    if (gic_is_special(intid) || !(all || nmi))
        return hcr;
    u32 dropped = running_priority(c);
    unsigned active = c->ich_apr[0] & (all & -all) ? 0 : 1;
    if (nmi)
        c->nmi_active &= ~(u32)NMI_VIRTUAL;
    else
        c->ich_apr[active] &= c->ich_apr[active] - 1;
    if (c->ich_vmcr & BIT(ICH_VMCR_VEOIM) && !gic_is_lpi(intid))
        return hcr;
    unsigned n = find_active(gic, c, intid);
    if (n == NO_LR)
        return !gic_is_lpi(intid) ? count_eoi(hcr) : hcr;
    unsigned group = lr_group(c->ich_lr[n]);
    if (reach >> group & 1 && (lr_priority(c->ich_lr[n]) & preemption_mask(c, group)) == dropped)
        deactivate(gic, cpu, n);
    return hcr;
}

u64 virtif_deactivate(struct gic *gic, unsigned cpu, u64 hcr, u32 intid)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    if (gic_is_special(intid) || !(c->ich_vmcr & BIT(ICH_VMCR_VEOIM)))
        return hcr;
    unsigned n = find_active(gic, c, intid);
    if (n == NO_LR)
        return !gic_is_lpi(intid) ? count_eoi(hcr) : hcr;
    deactivate(gic, cpu, n);
    return hcr;
}

/* ---- The guest's side: priorities and control, most of it in ICH_VMCR_EL2 ---- */

u32 virtif_mask(const struct gic *gic, unsigned cpu) { return (u32)FIELD_OF(gic->cpu[cpu].ich_vmcr, ICH_VMCR_VPMR); }

void virtif_set_mask(struct gic *gic, unsigned cpu, u32 priority)
{
    virtif_set_vmcr(gic, cpu, bits_set(gic->cpu[cpu].ich_vmcr, ICH_VMCR_VPMR_END, ICH_VMCR_VPMR, priority));
}

u64 virtif_running(const struct gic *gic, unsigned cpu)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    return running_priority(c) | (c->nmi_active & NMI_VIRTUAL ? APR_NMI : 0);
}

u32 virtif_binary_point(const struct gic *gic, unsigned cpu, unsigned group)
{
    u32 vmcr = gic->cpu[cpu].ich_vmcr, bpr0 = (u32)FIELD_OF(vmcr, ICH_VMCR_VBPR0);
    if (group == 0)
        return bpr0;
    if (vmcr & BIT(ICH_VMCR_VCBPR))
        return bpr0 < 7 ? bpr0 + 1 : 7;
    return (u32)FIELD_OF(vmcr, ICH_VMCR_VBPR1);
}

void virtif_set_binary_point(struct gic *gic, unsigned cpu, unsigned group, u32 bpr)
{
    u64 vmcr = gic->cpu[cpu].ich_vmcr;
    if (group == 0)
        virtif_set_vmcr(gic, cpu, bits_set(vmcr, ICH_VMCR_VBPR0_END, ICH_VMCR_VBPR0, bpr));
    else if (!(vmcr & BIT(ICH_VMCR_VCBPR)))
        virtif_set_vmcr(gic, cpu, bits_set(vmcr, ICH_VMCR_VBPR1_END, ICH_VMCR_VBPR1, bpr));
}

u64 virtif_active(const struct gic *gic, unsigned cpu, unsigned group)
{
    const struct gic_cpu *c = &gic->cpu[cpu];
    return c->ich_apr[group] | (group && c->nmi_active & NMI_VIRTUAL ? APR_NMI : 0);
}

void virtif_set_active(struct gic *gic, unsigned cpu, unsigned group, u64 value)
{
    struct gic_cpu *c = &gic->cpu[cpu];
    c->ich_apr[group] = (u32)value;
    if (group == 0)
        return;
    bool nmi = value & APR_NMI && gic->has_nmi;
    c->nmi_active = nmi ? c->nmi_active | NMI_VIRTUAL : c->nmi_active & ~(u32)NMI_VIRTUAL;
}

u32 virtif_control(const struct gic *gic, unsigned cpu)
{
    u32 vmcr = gic->cpu[cpu].ich_vmcr;
    return (vmcr & BIT(ICH_VMCR_VCBPR) ? ICC_CBPR : 0) | (vmcr & BIT(ICH_VMCR_VEOIM) ? ICC_EOIMODE : 0);
}

void virtif_set_control(struct gic *gic, unsigned cpu, u32 control)
{
    u64 vmcr = gic->cpu[cpu].ich_vmcr & ~(BIT(ICH_VMCR_VCBPR) | BIT(ICH_VMCR_VEOIM));
    vmcr |= (control & ICC_CBPR ? BIT(ICH_VMCR_VCBPR) : 0) | (control & ICC_EOIMODE ? BIT(ICH_VMCR_VEOIM) : 0);
    virtif_set_vmcr(gic, cpu, vmcr);
}

bool virtif_enabled(const struct gic *gic, unsigned cpu, unsigned group)
{
    return gic->cpu[cpu].ich_vmcr >> group & 1; /* VENG0, VENG1 */
}

void virtif_enable(struct gic *gic, unsigned cpu, unsigned group, bool enable)
{
    virtif_set_vmcr(gic, cpu, bits_set(gic->cpu[cpu].ich_vmcr, group, group, enable));
}
