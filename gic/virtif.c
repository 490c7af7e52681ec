/*
 * The virtual interface: ICH_* as the hypervisor sees it, ICV_* as the guest does through ICC_* (GIC 12.4, 12.3,
 * chapter 6). Four list registers, five bits of priority. Which of them a guest reaches, and the traps, are in cpuif.c
 * and cpu/traps.def. ICH_HCR_EL2 is in cpu->sys. Left out: SEIs, LPIs injected directly (GICv4).
 *
 *     ICH_LR   <63:62> state  <61> HW  <60> group  <55:48> priority  <44:32> pINTID, or <41> EOI  <31:0> vINTID
 *     ICH_VMCR <31:24> VPMR  <23:21> VBPR0  <20:18> VBPR1  <9> VEOIM  <4> VCBPR  <3> VFIQEn  <1> VENG1  <0> VENG0
 */
#include "cpu/field.h"
#include "cpu/sysreg.h"
#include "gic/gic_sysreg.h"
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

/* ICH_HCR_EL2: which maintenance interrupts, which traps. */
#define GROUP_IES  (BIT(ICH_HCR_VGrp0EIE) | BIT(ICH_HCR_VGrp0DIE) | BIT(ICH_HCR_VGrp1EIE) | BIT(ICH_HCR_VGrp1DIE))
#define CONDITIONS (BIT(ICH_HCR_UIE) | BIT(ICH_HCR_LRENPIE) | BIT(ICH_HCR_NPIE) | GROUP_IES)
#define TRAPPING   (BIT(ICH_HCR_TC) | BIT(ICH_HCR_TALL0) | BIT(ICH_HCR_TALL1) | BIT(ICH_HCR_TDIR))
#define HCR_MASK   (BIT(ICH_HCR_En) | CONDITIONS | TRAPPING | FIELD_MASK(ICH_HCR_EOIcount))
enum { NO_LR = GIC_LRS };

static inline unsigned lr_group(u64 lr) { return lr & LR_GROUP ? 1 : 0; }
/* Non-maskable (FEAT_GICv3_NMI): of group 1, with priority 0 and above what has it, too. */
static inline bool lr_nmi(u64 lr) { return (lr & (LR_NMI | LR_GROUP)) == (LR_NMI | LR_GROUP); }
static inline unsigned lr_priority(u64 lr) { return lr_nmi(lr) ? 0 : (unsigned)FIELD_OF(lr, ICH_LR_Priority); }
static inline bool lr_eoi_done(u64 lr) { return !(lr & (LR_STATE | LR_HW)) && lr & LR_EOI; }
static inline bool enabled(const struct cpu *cpu) { return cpu->sys.ich_hcr_el2 & BIT(ICH_HCR_En); }

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

/* Bits that some list register has: most often it says that there is nothing to look for. */
static inline u64 lr_any(const struct gic_cpu *c)
{
    u64 any = 0;
    for (unsigned n = 0; n < GIC_LRS; n++)
        any |= c->ich_lr[n];
    return any;
}

/* The highest priority pending virtual interrupt of the enabled groups; of equal ones the lowest list register. */
static unsigned best_lr(const struct gic_cpu *c)
{
    unsigned best = NO_LR, priority = 2 * PRIO_NONE;
    if (!(lr_any(c) & LR_PENDING))
        return NO_LR;
    for (unsigned n = 0; n < GIC_LRS; n++) {
        u64 lr = c->ich_lr[n];
        if ((lr & LR_STATE) != LR_PENDING || !(c->ich_vmcr >> lr_group(lr) & 1) ||
            2 * lr_priority(lr) + !lr_nmi(lr) >= priority)
            continue;
        best = n;
        priority = 2 * lr_priority(lr) + !lr_nmi(lr);
    }
    return best;
}

int gic_pending_lr(const struct gic *gic, unsigned cpu)
{
    unsigned n = best_lr(&gic->cpu[cpu]);
    return n == NO_LR ? -1 : (int)n;
}

static bool can_preempt(const struct gic_cpu *c, u64 lr)
{
    unsigned priority = lr_priority(lr), mask = preemption_mask(c, lr_group(lr));
    if (unlikely(lr_nmi(lr)))
        return !(c->nmi_active & NMI_VIRTUAL);
    return priority < c->ich_vmcr >> 24 && gic_preempts(priority, running_priority(c), mask);
}

/* ---- What the state means for lines and maintenance ---- */

/* ICH_MISR_EL2: conditions for a maintenance interrupt. */
static u32 maintenance(const struct gic_cpu *c, u64 hcr)
{
    unsigned valid = 0, pending = 0;
    u32 misr = 0;
    for (unsigned n = 0; n < GIC_LRS && lr_any(c) & LR_EOI; n++)
        if (lr_eoi_done(c->ich_lr[n]))
            misr |= BIT(ICH_MISR_EOI);
    if (likely(!(hcr & CONDITIONS)))
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
    return misr | (u32)(hcr & GROUP_IES & (group0 | group1)); /* enabled where they are reported */
}

void ich_update(struct gic *gic, struct cpu *cpu)
{
    const struct gic_cpu *c = &gic->cpu[cpu->index];
    u32 lines = 0;
    bool level = false;
    if (enabled(cpu)) {
        unsigned n = best_lr(c);
        if (n != NO_LR && can_preempt(c, c->ich_lr[n]))
            lines = (lr_group(c->ich_lr[n]) ? LINE_VIRQ : LINE_VFIQ) | (lr_nmi(c->ich_lr[n]) ? LINE_VIRQ_NMI : 0);
        level = maintenance(c, cpu->sys.ich_hcr_el2) != 0;
    }
    gic_set_lines(cpu, LINE_VIRQ | LINE_VFIQ | LINE_VIRQ_NMI, lines);
    if (level != bit(gic->ppi[cpu->index].level, GIC_PPI_MAINTENANCE))
        gic_set_ppi(gic, cpu->index, GIC_PPI_MAINTENANCE, level);
}

static inline void update(struct cpu *cpu) { ich_update(cpu->d.host.gic, cpu); }

/* ---- The hypervisor's side ---- */

u64 ich_apr_read(struct cpu *cpu, const struct sysreg *row) { return icv_apr(cpu, row->key >> 3 & 1); }

void ich_apr_write(struct cpu *cpu, const struct sysreg *row, u64 value) { icv_set_apr(cpu, row->key >> 3 & 1, value); }

void ich_hcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if ((cpu->sys.ich_hcr_el2 ^ value) & TRAPPING)
        gic_traps_changed(cpu);
    cpu->sys.ich_hcr_el2 = value & HCR_MASK;
    update(cpu);
}

/* <4:0> ListRegs - 1 <19> TDS <20> nV4 <21> A3V <25:23> IDbits: 24 <28:26> PREbits - 1 <31:29> PRIbits - 1 */
u64 ich_vtr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)cpu, (void)row;
    return (u64)4 << 29 | 4 << 26 | 1 << 23 | 1 << 21 | 1 << 20 | 1 << 19 | (GIC_LRS - 1);
}

u64 ich_misr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return maintenance(gic_interface(cpu), cpu->sys.ich_hcr_el2);
}

u64 ich_eisr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    u64 set = 0;
    for (unsigned n = 0; n < GIC_LRS; n++)
        if (lr_eoi_done(gic_interface(cpu)->ich_lr[n]))
            set |= BIT(n);
    return set;
}

u64 ich_elrsr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    u64 set = 0;
    for (unsigned n = 0; n < GIC_LRS; n++) {
        u64 lr = gic_interface(cpu)->ich_lr[n];
        if (!(lr & LR_STATE) && !lr_eoi_done(lr))
            set |= BIT(n);
    }
    return set;
}

/* Binary points below the smallest become the smallest. VFIQEn is RES1: there is no memory-mapped interface. */
static u32 vmcr_legal(u64 value)
{
    u64 bpr0 = FIELD_OF(value, ICH_VMCR_VBPR0), bpr1 = FIELD_OF(value, ICH_VMCR_VBPR1);
    u64 v = value & (BIT(ICH_VMCR_VENG0) | BIT(ICH_VMCR_VENG1) | BIT(ICH_VMCR_VCBPR) | BIT(ICH_VMCR_VEOIM) |
                     (u64)GIC_PRIO_MASK << ICH_VMCR_VPMR);
    v |= (bpr0 < BPR_MIN ? BPR_MIN : bpr0) << ICH_VMCR_VBPR0;
    v |= (bpr1 < BPR_MIN_NS ? BPR_MIN_NS : bpr1) << ICH_VMCR_VBPR1;
    return (u32)v | BIT(ICH_VMCR_VFIQEn);
}

static void set_vmcr(struct cpu *cpu, u64 value)
{
    gic_interface(cpu)->ich_vmcr = vmcr_legal(value);
    update(cpu);
}

u64 ich_vmcr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return gic_interface(cpu)->ich_vmcr;
}

void ich_vmcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    set_vmcr(cpu, value);
}

u64 ich_lr_read(struct cpu *cpu, const struct sysreg *row)
{
    return gic_interface(cpu)->ich_lr[row->key & (GIC_LRS - 1)];
}

void ich_lr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 mask = LR_MASK | (value & LR_HW ? LR_PINTID : LR_EOI) | (cpu_has(cpu, FEAT_NMI) ? LR_NMI : 0);
    gic_interface(cpu)->ich_lr[row->key & (GIC_LRS - 1)] = value & mask;
    update(cpu);
}

/* ---- The guest's side ---- */

static u32 vintid(u64 lr) { return (u32)lr; }
static bool is_special(u32 intid) { return intid >= 1020 && intid <= 1023; }

/* Not masked by VPMR or the running priority, and shown without ICH_HCR_EL2.En, which stops acknowledging only. */
u64 icv_hppir(struct cpu *cpu, unsigned group)
{
    const struct gic_cpu *c = gic_interface(cpu);
    unsigned n = best_lr(c);
    return n == NO_LR || lr_group(c->ich_lr[n]) != group ? (u64)INTID_SPURIOUS : vintid(c->ich_lr[n]);
}

u64 icv_iar(struct cpu *cpu, unsigned group, enum icv_ack ack)
{
    struct gic_cpu *c = gic_interface(cpu);
    unsigned n = enabled(cpu) ? best_lr(c) : (unsigned)NO_LR;
    if (n == NO_LR || lr_group(c->ich_lr[n]) != group || !can_preempt(c, c->ich_lr[n]))
        return INTID_SPURIOUS;
    u64 lr = c->ich_lr[n];
    if (ack != ICV_ANY && lr_nmi(lr) != (ack == ICV_NMI))
        return lr_nmi(lr) ? INTID_NMI : INTID_SPURIOUS;
    c->ich_lr[n] &= ~LR_PENDING;
    if (is_special(vintid(lr))) { /* nothing is activated: the list register becomes invalid */
        update(cpu);
        return INTID_SPURIOUS;
    }
    c->ich_lr[n] |= LR_ACTIVE;
    if (lr_nmi(lr))
        c->nmi_active |= NMI_VIRTUAL;
    else
        c->ich_apr[group] |= (u32)BIT((lr_priority(lr) & preemption_mask(c, group)) >> 3);
    update(cpu);
    return vintid(lr);
}

/* The list register that holds this INTID as active (or active and pending). */
static unsigned find_active(const struct gic_cpu *c, u32 intid)
{
    for (unsigned n = 0; n < GIC_LRS; n++)
        if (c->ich_lr[n] & LR_ACTIVE && vintid(c->ich_lr[n]) == intid)
            return n;
    return NO_LR;
}

/* With HW the physical interrupt is deactivated too, unless it is Secure. */
static void deactivate(struct cpu *cpu, unsigned n)
{
    struct gic *gic = cpu->d.host.gic;
    u64 *lr = &gic_interface(cpu)->ich_lr[n];
    u32 pintid = (u32)FIELD_OF(*lr, ICH_LR_pINTID);
    *lr &= ~LR_ACTIVE;
    if (!(*lr & LR_HW) || pintid >= GIC_INTIDS)
        return;
    if (gic_ds(gic) || bank_group(gic, gic_bank(gic, cpu->index, pintid), pintid % GIC_BANK) == GROUP_1NS)
        gic_deactivate(gic, cpu->index, pintid);
}

/* ICH_HCR_EL2.EOIcount: deactivations that met no list register. It wraps. */
static void count_eoi(struct cpu *cpu)
{
    u64 hcr = cpu->sys.ich_hcr_el2;
    cpu->sys.ich_hcr_el2 = bits_set(hcr, ICH_HCR_EOIcount_END, ICH_HCR_EOIcount, FIELD_OF(hcr, ICH_HCR_EOIcount) + 1);
}

enum { FIRST_LPI = 8192 };

/* A write that finds no active priority does nothing; one that names another interrupt than the highest active, or a
 * wrong group, only drops the priority (both choices that are left to the implementation, ICV_EOIR1_EL1). */
void icv_eoir(struct cpu *cpu, unsigned group, u64 value)
{
    struct gic_cpu *c = gic_interface(cpu);
    u32 intid = value & 0xffffff, all = c->ich_apr[0] | c->ich_apr[1];
    bool nmi = c->nmi_active & NMI_VIRTUAL;
    if (is_special(intid) || !(all || nmi))
        return;
    u32 dropped = running_priority(c);
    unsigned active = c->ich_apr[0] & (all & -all) ? 0 : 1;
    if (nmi)
        c->nmi_active &= ~(u32)NMI_VIRTUAL;
    else
        c->ich_apr[active] &= c->ich_apr[active] - 1;
    bool split = c->ich_vmcr & BIT(ICH_VMCR_VEOIM) && intid < FIRST_LPI;
    unsigned n = find_active(c, intid);
    if (!split && n == NO_LR && intid < FIRST_LPI)
        count_eoi(cpu);
    if (!split && n != NO_LR && lr_group(c->ich_lr[n]) == group &&
        (lr_priority(c->ich_lr[n]) & preemption_mask(c, group)) == dropped)
        deactivate(cpu, n);
    update(cpu);
}

void icv_dir(struct cpu *cpu, u64 value)
{
    struct gic_cpu *c = gic_interface(cpu);
    u32 intid = value & 0xffffff;
    if (is_special(intid) || !(c->ich_vmcr & BIT(ICH_VMCR_VEOIM)))
        return;
    unsigned n = find_active(c, intid);
    if (n != NO_LR)
        deactivate(cpu, n);
    else if (intid < FIRST_LPI)
        count_eoi(cpu);
    update(cpu);
}

u64 icv_bpr(struct cpu *cpu, unsigned group)
{
    u32 vmcr = gic_interface(cpu)->ich_vmcr;
    u64 bpr0 = FIELD_OF(vmcr, ICH_VMCR_VBPR0);
    if (group == 0)
        return bpr0;
    if (vmcr & BIT(ICH_VMCR_VCBPR))
        return bpr0 < 7 ? bpr0 + 1 : 7;
    return FIELD_OF(vmcr, ICH_VMCR_VBPR1);
}

void icv_set_bpr(struct cpu *cpu, unsigned group, u64 value)
{
    u32 vmcr = gic_interface(cpu)->ich_vmcr;
    if (group == 0)
        set_vmcr(cpu, bits_set(vmcr, 23, 21, value & 7));
    else if (!(vmcr & BIT(ICH_VMCR_VCBPR)))
        set_vmcr(cpu, bits_set(vmcr, 20, 18, value & 7));
}

u64 icv_ctlr(struct cpu *cpu)
{
    u32 vmcr = gic_interface(cpu)->ich_vmcr;
    return (vmcr & BIT(ICH_VMCR_VCBPR) ? ICC_CBPR : 0) | (vmcr & BIT(ICH_VMCR_VEOIM) ? ICC_EOIMODE : 0) | ICC_PRIBITS |
           ICC_IDBITS24 | ICC_A3V;
}

void icv_set_ctlr(struct cpu *cpu, u64 value)
{
    u64 vmcr = gic_interface(cpu)->ich_vmcr;
    vmcr = bits_set(vmcr, 4, 4, value & 1);
    set_vmcr(cpu, bits_set(vmcr, 9, 9, value >> 1 & 1));
}

u64 icv_pmr(struct cpu *cpu) { return gic_interface(cpu)->ich_vmcr >> 24; }
void icv_set_pmr(struct cpu *cpu, u64 value)
{
    set_vmcr(cpu, bits_set(gic_interface(cpu)->ich_vmcr, 31, 24, value & 0xff));
}
u64 icv_rpr(struct cpu *cpu)
{
    const struct gic_cpu *c = gic_interface(cpu);
    return running_priority(c) | (c->nmi_active & NMI_VIRTUAL ? APR_NMI : 0);
}

u64 icv_apr(struct cpu *cpu, unsigned group)
{
    const struct gic_cpu *c = gic_interface(cpu);
    return c->ich_apr[group] | (group && c->nmi_active & NMI_VIRTUAL ? APR_NMI : 0);
}

void icv_set_apr(struct cpu *cpu, unsigned group, u64 value)
{
    struct gic_cpu *c = gic_interface(cpu);
    c->ich_apr[group] = (u32)value;
    if (group)
        c->nmi_active =
            value & APR_NMI && cpu_has(cpu, FEAT_NMI) ? c->nmi_active | NMI_VIRTUAL : c->nmi_active & ~(u32)NMI_VIRTUAL;
    update(cpu);
}

bool icv_igrpen(struct cpu *cpu, unsigned group) { return gic_interface(cpu)->ich_vmcr >> group & 1; }

void icv_set_igrpen(struct cpu *cpu, unsigned group, bool enable)
{
    set_vmcr(cpu, bits_set(gic_interface(cpu)->ich_vmcr, group, group, enable));
}
