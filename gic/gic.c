/*
 * The interrupts' life cycle: wires, pending and active state, which interrupt a PE is to be shown (GIC 4.1, 4.6, 4.8).
 * The best pending interrupt of each PE is kept, and found again when an interrupt that could matter changes; that
 * walks a dozen words, not 288 interrupts; those of the extended range only where one is enabled.
 */
#include "cpu/exception.h"
#include "cpu/field.h"
#include "gic/internal.h"
#include "gic/pe.h"

/* Interrupts of the bank that would be forwarded, were their group enabled. */
static inline u32 bank_ready(const struct gic_bank *b) { return bank_pending(b) & b->enable & ~b->active; }

/* Who looks in changes nothing: what it is asked of takes no const. */
static struct gic *loose(const struct gic *gic) { return (struct gic *)(uintptr_t)gic; }

static void look_lpi(const struct gic *gic, unsigned cpu, u32 intid, struct cpuif_look *l)
{
    u32 found = intid;
    u8 config = 0;
    l->pending = gic_lpi_next(gic, &gic->redist[cpu].lpi, &found, &config) && found == intid;
    l->enabled = l->pending && bit(config, 0);
    l->priority = l->pending ? config & 0xfcu : 0xff;
    l->group = GROUP_1NS;
    l->target = cpu;
    l->lpi = 1;
}

bool gic_look_state(const struct gic *gic, unsigned cpu, u32 intid, struct cpuif_look *l)
{
    unsigned n = intid % GIC_BANK;
    if (gic_is_lpi(intid) && gic->parts & GIC_LPIS) {
        look_lpi(gic, cpu, intid, l);
    } else if (gic_has_bank(gic, intid)) {
        const struct gic_bank *b = gic_bank(loose(gic), cpu, intid);
        l->pending = bit(bank_pending(b), n);
        l->level = bit(b->level, n);
        l->edge = bit(b->edge, n);
        l->active = bit(b->active, n);
        l->enabled = bit(b->enable | gic2_sgis(gic, intid), n);
        l->nmi = bit(b->nmi, n);
        l->group = (u8)bank_group(gic, b, n);
        l->priority = b->priority[n];
        l->target = !gic_is_spi(gic, intid) ? cpu
                    : gic->v2.on            ? (bit(gic2_targets(gic, intid), cpu) ? cpu : (u32)NO_CPU)
                                            : gic_target(loose(gic), intid);
    } else {
        return false;
    }
    l->dist_group = bit(gic->ctlr, l->group == GROUP_0 ? 0 : l->group == GROUP_1NS ? 1 : 2);
    return true;
}

/* The groups that reach this PE: enabled in the distributor and in the CPU interface, and the redistributor awake
 * (GIC 4.7, GICR_WAKER). Of a GICv2 the distributor alone asks: an interrupt of a group that the CPU interface has
 * disabled is not signalled, and hides those of lower priority (GICv2 4.4.4, GICC_IAR). A set of enum gic_group. */
static u32 groups_enabled(const struct gic *gic, const struct gic_cpu *c)
{
    u32 set = 0;
    if (unlikely(gic->v2.on))
        return (gic->ctlr & CTLR_GRP0 ? 1 << GROUP_0 : 0) | (gic->ctlr & CTLR_GRP1NS ? 1 << GROUP_1NS : 0);
    if (c->waker & WAKER_ASLEEP)
        return 0;
    if (gic->ctlr & CTLR_GRP0 && c->igrpen[GROUP_0])
        set |= 1 << GROUP_0;
    if (gic->ctlr & CTLR_GRP1S && c->igrpen[GROUP_1S])
        set |= 1 << GROUP_1S;
    if (gic->ctlr & CTLR_GRP1NS && c->igrpen[GROUP_1NS])
        set |= 1 << GROUP_1NS;
    return set;
}

/* Of equal priorities the lowest INTID wins (an IMPLEMENTATION DEFINED choice, GIC 4.8). */
static void consider(const struct gic *gic, const struct gic_bank *b, u32 ready, unsigned first, u32 groups,
                     struct gic_best *best)
{
    for (; ready; ready &= ready - 1) {
        unsigned n = (unsigned)__builtin_ctz(ready);
        if (b->priority[n] >= best->priority && likely(!bit(b->nmi, n)))
            continue;
        enum gic_group group = bank_group(gic, b, n);
        bool nmi = bit(b->nmi, n) && group != GROUP_0;
        u32 priority = nmi ? nmi_priority(gic, group) : b->priority[n];
        if (!(groups >> group & 1) || priority > best->priority || (priority == best->priority && nmi <= best->nmi))
            continue;
        *best = (struct gic_best){ first + n, priority, group, nmi };
    }
}

static void find_best(struct gic *gic, unsigned cpu)
{
    struct gic_best best = { INTID_SPURIOUS, PRIO_NONE, GROUP_0, 0 };
    u32 groups = groups_enabled(gic, &gic->cpu[cpu]);
    if (groups) {
        consider(gic, &gic->ppi[cpu], bank_ready(&gic->ppi[cpu]), 0, groups, &best);
        for (unsigned n = 0; unlikely(gic->parts & GIC_RANGES) && n < GIC_EPPI_BANKS; n++)
            consider(gic, &gic->redist[cpu].eppi[n], bank_ready(&gic->redist[cpu].eppi[n]),
                     GIC_EPPI_FIRST + n * GIC_BANK, groups, &best);
        for (unsigned n = 0; n < gic->d.banks; n++) {
            u32 ready = bank_ready(&gic->spi[n]) & gic->d.routed[cpu][n];
            if (unlikely(ready))
                consider(gic, &gic->spi[n], ready, gic_bank_first(n), groups, &best);
        }
        const struct gic_lpis *l = &gic->redist[cpu].lpi;
        if (l->priority < best.priority && groups & 1 << GROUP_1NS)
            best = (struct gic_best){ l->intid, l->priority, GROUP_1NS, 0 };
    }
    gic->d.best[cpu] = best;
}

void gic_change_lines(struct cpu *pe, u32 mask, u32 value)
{
    u32 old = pe->lines & mask;
    pe->lines = (pe->lines & ~mask) | value;
    /* What is masked is looked at when a mask or the EL changes. */
    if (value & ~old && exception_interrupt_pending(pe))
        pe->d.attention |= ATT_IRQ;
    if (value & ~old && pe->halted)
        cpu_may_run(pe);
}

static void update_lines(struct gic *gic, unsigned cpu)
{
    bool any = gic->d.best[cpu].priority != PRIO_NONE;
    u32 value = any ? cpuif_lines(gic, cpu, gic_view_of(&gic->d.cpus[cpu])) : 0;
    gic_set_lines(gic, cpu, LINE_IRQ | LINE_FIQ | LINE_IRQ_NMI | LINE_FIQ_NMI, value);
}

void gic_update_cpu(struct gic *gic, struct cpu *cpu) { update_lines(gic, cpu->index); }

void gic_security_changed(struct gic *gic, struct cpu *cpu)
{
    update_lines(gic, cpu->index);
    if (gic->parts & GIC_VLPIS)
        gic_refresh_virtual(gic, cpu->index);
}

struct exc_source gic_source(const struct gic *gic, const struct cpu *cpu, const struct exc *exc)
{
    struct exc_source s = { BY_NONE, -1, -1 };
    if (exc->cause.kind != CAUSE_INTERRUPT)
        return s;
    s.by = exception_routed_by(cpu, exc);
    if (s.by == BY_LIST) {
        u64 lr = gic_pending_virtual(gic, cpu->index, &s.lr);
        s.intid = lr ? (s32)(FIELD_OF(lr, ICH_LR_vINTID) & (gic->v2.on ? 0x3ff : ones(32))) : -1;
        s.by = lr && s.lr < 0 ? BY_VLPI : BY_LIST;
    }
    bool physical = (exc->kind == EXC_IRQ || exc->kind == EXC_FIQ) && !exc->is_virtual;
    if (physical && gic->d.best[cpu->index].priority != PRIO_NONE)
        s.intid = (s32)gic->d.best[cpu->index].intid;
    return s;
}

void gic_refresh(struct gic *gic, unsigned cpu)
{
    find_best(gic, cpu);
    update_lines(gic, cpu);
}

/* A redistributor that sleeps forwards nothing (GIC 4.7); virtual LPIs are Non-secure. */
void gic_refresh_virtual(struct gic *gic, unsigned cpu)
{
    const struct gic_lpis *l = &gic->vlpi[cpu];
    struct cpu *pe = &gic->d.cpus[cpu];
    bool forwards =
        l->priority != PRIO_NONE && !(gic->cpu[cpu].waker & WAKER_ASLEEP) && gic_view_of(pe).bank == GIC_NONSECURE;
    gic->d.vlpi[cpu] = forwards ? gic_vlpi_as_list(l->intid, l->priority) : 0;
    ich_update(gic, pe);
}

/* ---- 1 of N (GIC 12.9 GICD_IROUTER.Interrupt_Routing_Mode, 12.11 GICR_CTLR) ---- */

/* Of the PEs that are awake, have the group enabled and are not taken out of the choice by GICR_CTLR.DPG* the lowest
 * numbered (an IMPLEMENTATION DEFINED choice); masks and running priorities do not count. So it depends on the group
 * alone, and changes only when one of these does. */
unsigned gic_one_of_n(const struct gic *gic, enum gic_group group)
{
    static const u32 dpg[GIC_GROUPS] = { [GROUP_0] = DPG_0, [GROUP_1S] = DPG_1S, [GROUP_1NS] = DPG_1NS };
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++) {
        const struct gic_cpu *c = &gic->cpu[cpu];
        if (!(c->waker & WAKER_ASLEEP) && c->igrpen[group] && !(gic->redist[cpu].ctlr & dpg[group]))
            return cpu;
    }
    return NO_CPU;
}

static u32 bank_in_group(const struct gic *gic, const struct gic_bank *b, enum gic_group group)
{
    u32 secure1 = gic_ds(gic) ? 0 : b->grpmod & ~b->group;
    return group == GROUP_1NS ? b->group : group == GROUP_1S ? secure1 : ~(b->group | secure1);
}

/* Gives each SPI of 1 of N to its PE, and takes it from the others. */
static void distribute(struct gic *gic)
{
    for (unsigned n = 0; n < gic->d.banks; n++) {
        u32 any = gic->d.any[n];
        if (likely(!any))
            continue;
        for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
            gic->d.routed[cpu][n] &= ~any;
        for (enum gic_group group = GROUP_0; group < GIC_GROUPS; group++) {
            unsigned cpu = gic_one_of_n(gic, group);
            if (cpu != NO_CPU)
                gic->d.routed[cpu][n] |= any & bank_in_group(gic, &gic->spi[n], group);
        }
    }
}

void gic_participation(struct gic *gic, unsigned cpu)
{
    u32 any = 0; /* of the SPIs: where none is of 1 of N, the others lose and get nothing by it */
    for (unsigned n = 0; n < gic->d.banks; n++)
        any |= gic->d.any[n];
    if (any)
        gic_refresh_all(gic);
    else
        gic_refresh(gic, cpu);
}

void gic_refresh_all(struct gic *gic)
{
    distribute(gic);
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        gic_refresh(gic, cpu);
}

void gic_refresh_bank(struct gic *gic, unsigned bank)
{
    if (gic->d.any[bank])
        distribute(gic);
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        if (gic->d.routed[cpu][bank] || gic->d.best[cpu].intid - gic_bank_first(bank) < GIC_BANK)
            gic_refresh(gic, cpu);
}

void gic_refresh_intid(struct gic *gic, unsigned cpu, unsigned intid)
{
    if (unlikely(gic->v2.on) && !gic_is_private(gic, intid)) {
        u32 targets = gic2_targets(gic, intid);
        for (unsigned n = 0; n < gic->cpu_count; n++)
            if (bit(targets, n))
                gic_refresh(gic, n);
        return;
    }
    unsigned target = gic_is_private(gic, intid) ? cpu : gic_target(gic, intid);
    if (target < gic->cpu_count)
        gic_refresh(gic, target);
}

/* Acknowledging takes the latched part of the pending state away; a level that stays shows again after deactivation
 * (GIC 4.1). */
void gic_activate(struct gic *gic, unsigned cpu, unsigned intid)
{
    if (gic_is_lpi(intid)) { /* which is never active */
        gic_lpi_set(gic, cpu, intid, false);
        gic_lpis_settle(gic);
        return;
    }
    struct gic_bank *b = gic_bank(gic, cpu, intid);
    u32 mask = (u32)BIT(intid % GIC_BANK);
    b->active |= mask;
    b->latch &= ~mask;
    if (gic2_sgis(gic, intid) & mask) { /* that of one sender: those of others stay pending (GICv2 3.2.2) */
        u8 *senders = &gic->v2.source[cpu][intid];
        *senders &= (u8)(*senders - 1);
        b->latch |= *senders ? mask : 0;
    }
    gic_refresh_intid(gic, cpu, intid);
}

void gic_deactivate(struct gic *gic, unsigned cpu, unsigned intid)
{
    struct gic_bank *b = gic_bank(gic, cpu, intid);
    u32 mask = (u32)BIT(intid % GIC_BANK);
    if (!(b->active & mask))
        return;
    b->active &= ~mask;
    if (bank_ready(b) & mask)
        gic_refresh_intid(gic, cpu, intid);
}

/* A wire changes, which it seldom does when somebody says what it is. True: the PE's best interrupt may be another one
 * now. */
static inline bool is_level(u32 wires, unsigned n, bool level) { return bit(wires, n) == level; }
static bool flip_wire(struct gic_bank *b, u32 *wires, u32 messages, unsigned n)
{
    u32 mask = (u32)BIT(n), was = bank_ready(b);
    *wires ^= mask;
    if (*wires & b->edge & mask)
        b->latch |= mask;
    b->level = *wires | messages;
    return bank_ready(b) != was;
}

static NOINLINE void flip_spi(struct gic *gic, unsigned intid)
{
    unsigned n = intid / GIC_BANK - 1;
    if (flip_wire(&gic->spi[n], &gic->wire[n], gic->message[n], intid % GIC_BANK))
        gic_refresh_intid(gic, 0, intid);
}

void gic_set_spi(struct gic *gic, unsigned intid, bool level)
{
    if (intid < GIC_BANK || intid >= GIC_INTIDS || is_level(gic->wire[intid / GIC_BANK - 1], intid % GIC_BANK, level))
        return;
    flip_spi(gic, intid);
}

/* GICD_SETSPI_NSR, GICD_CLRSPI_NSR (GIC 12.9): an edge is latched; a level stays until a message lowers it, through
 * acknowledge and ICPENDR. Setting what is pending, by whatever, does nothing; clearing takes all away but the wire. */
void gic_message(struct gic *gic, unsigned intid, bool set)
{
    struct gic_bank *b = gic_bank(gic, 0, intid);
    unsigned n = gic_spi_bank(intid);
    u32 mask = (u32)BIT(intid % GIC_BANK), wire = n < GIC_SPI_BANKS ? gic->wire[n] : 0;
    if (set && bank_pending(b) & mask)
        return;
    if (!set) {
        b->latch &= ~mask;
        gic->message[n] &= ~mask;
    } else if (b->edge & mask) {
        b->latch |= mask;
    } else {
        gic->message[n] |= mask;
    }
    b->level = wire | gic->message[n];
    gic_refresh_intid(gic, 0, intid);
}

static NOINLINE void flip_ppi(struct gic *gic, unsigned cpu, unsigned intid)
{
    if (flip_wire(&gic->ppi[cpu], &gic->ppi[cpu].level, 0, intid))
        gic_refresh(gic, cpu);
}

void gic_set_ppi(struct gic *gic, unsigned cpu, unsigned intid, bool level)
{
    if (cpu >= gic->cpu_count || intid < 16 || intid >= GIC_BANK || is_level(gic->ppi[cpu].level, intid, level))
        return;
    flip_ppi(gic, cpu, intid);
}

/* "Forwarding an SGI to a target PE" (GIC 12.1, GICR_NSACR): an SGI register generates SGIs of its own group, the
 * Secure one of group 1 also those of group 0; from Non-secure state GICR_NSACR must allow what is Secure. */
void gic_send_sgi(struct gic *gic, unsigned cpu, unsigned intid, enum gic_group group, bool ns)
{
    struct gic_bank *b = &gic->ppi[cpu];
    enum gic_group is = bank_group(gic, b, intid);
    if (group == GROUP_1S && is == GROUP_0)
        group = GROUP_0;
    if (group != is)
        return;
    if (ns && !gic_ds(gic)) {
        unsigned access = (unsigned)bits(b->nsacr, 2 * intid + 1, 2 * intid);
        if ((is == GROUP_0 && access < 1) || (is == GROUP_1S && access < 2))
            return;
    }
    b->latch |= (u32)BIT(intid);
    if (bank_ready(b) & BIT(intid))
        gic_refresh(gic, cpu);
}

void gic_route(struct gic *gic, unsigned intid)
{
    unsigned target = gic_target(gic, intid);
    unsigned bank = gic_spi_bank(intid);
    u32 mask = (u32)BIT(intid % GIC_BANK), *any = &gic->d.any[bank];
    *any = *gic_router(gic, intid) & ROUTER_IRM ? *any | mask : *any & ~mask;
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++) {
        u32 *routed = &gic->d.routed[cpu][bank];
        bool gets = gic->v2.on ? bit(gic2_targets(gic, intid), cpu) : cpu == target;
        *routed = gets ? *routed | mask : *routed & ~mask;
    }
}

void gic_count_banks(struct gic *gic)
{
    gic->d.banks = GIC_SPI_BANKS;
    for (u32 n = GIC_SPI_BANKS; n < GIC_ALL_BANKS; n++)
        if (gic->spi[n].enable)
            gic->d.banks = n + 1;
}

/* Only of the PEs that are there: what others would have stays untouched, so that the host gives no memory for it. */
void gic_rebuild(struct gic *gic, struct cpu *cpus)
{
    struct gic_derived *d = &gic->d;
    unsigned count = gic->cpu_count;
    d->cpus = cpus;
    memset(d->best, 0, sizeof(d->best[0]) * count);
    memset(d->routed, 0, sizeof(d->routed[0]) * count);
    memset(d->any, 0, sizeof(d->any));
    memset(d->look, 0, sizeof(d->look[0]) * count);
    memset(d->vlook, 0, sizeof(d->vlook[0]) * count);
    memset(d->vlpi, 0, sizeof(d->vlpi[0]) * count);
    d->no_such_spi = d->no_such_size = 0;
    gic_count_banks(gic);
    for (unsigned n = 0; n < GIC_ALL_BANKS; n++)
        for (unsigned k = 0; k < GIC_BANK && gic_is_spi(gic, gic_bank_first(n)); k++)
            gic_route(gic, gic_bank_first(n) + k);
    gic_refresh_all(gic);
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        gic_refresh_virtual(gic, cpu);
}

static void reset_interface(struct gic_cpu *c)
{
    memset(c, 0, sizeof(*c));
    c->bpr[GROUP_0] = c->bpr[GROUP_1S] = BPR_MIN;
    c->bpr[GROUP_1NS] = BPR_MIN_NS;
    c->waker = WAKER_SLEEP | WAKER_ASLEEP;
    c->ich_vmcr = BIT(3) | BPR_MIN << 21 | BPR_MIN_NS << 18;
}

void gic_reset_cpu(struct gic *gic, unsigned cpu)
{
    if (!gic->v2.on) /* that of a GICv2 is no part of the PE, and stays as it was left */
        reset_interface(&gic->cpu[cpu]);
    gic->cpu[cpu].waker = 0;
    gic->d.cpus[cpu].sys.ich_hcr_el2 = 0;
    gic_participation(gic, cpu);
    gic_refresh_virtual(gic, cpu);
}

void gic_disable_cpu(struct gic *gic, unsigned cpu)
{
    memset(gic->cpu[cpu].igrpen, 0, sizeof(gic->cpu[cpu].igrpen));
    gic_participation(gic, cpu);
}

void gic_reset(struct gic *gic, struct cpu *cpus, unsigned count, bool security)
{
    memset(gic, 0, offsetof(struct gic, ppi));
    memset(gic->ppi, 0, sizeof(gic->ppi[0]) * count);
    memset(gic->redist, 0, sizeof(gic->redist[0]) * count);
    gic->cpu_count = count;
    gic->security = security;
    gic->has_nmi = cpu_has(&cpus[0], FEAT_NMI);
    gic->ctlr = security ? 0 : CTLR_DS;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        gic->ppi[cpu].edge = 0xffff; /* SGIs */
        gic->redist[cpu].lpi = gic->vlpi[cpu] = (struct gic_lpis){ .intid = INTID_SPURIOUS, .priority = PRIO_NONE };
        reset_interface(&gic->cpu[cpu]);
        cpus[cpu].sys.ich_hcr_el2 = 0;
    }
    gic_rebuild(gic, cpus);
}

void gic2_reset(struct gic *gic)
{
    gic->v2.on = 1;
    gic->has_nmi = 0;
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++) {
        gic->ppi[cpu].enable = (u32)ones(GIC_SGIS);
        gic->cpu[cpu].waker = 0;
        gic->cpu[cpu].ich_vmcr &= ~(u32)BIT(ICH_VMCR_VFIQEn);
    }
    gic_rebuild(gic, gic->d.cpus);
}

void gic_extend(struct gic *gic, u32 parts)
{
    gic->parts = parts;
    gic_rebuild(gic, gic->d.cpus);
}

void gic_wake(struct gic *gic)
{
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        gic->cpu[cpu].waker = 0;
    gic_refresh_all(gic);
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        gic_refresh_virtual(gic, cpu);
}

/* The interfaces let the Non-secure half of the priorities through, whose highest all interrupts have: what Non-secure
 * software can change no more (GICv2 4.4.2, GICC_PMR). */
static void gic2_hand_to_nonsecure(struct gic *gic)
{
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++) {
        gic->cpu[cpu].pmr = 0x80;
        memset(gic->ppi[cpu].priority, 0x80, GIC_BANK);
    }
    for (unsigned n = 0; n < GIC_SPI_BANKS; n++)
        memset(gic->spi[n].priority, 0x80, GIC_BANK);
}

void gic_hand_to_nonsecure(struct gic *gic)
{
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        gic->ppi[cpu].group = gic->redist[cpu].eppi[0].group = gic->redist[cpu].eppi[1].group = ~(u32)0;
    for (unsigned n = 0; n < GIC_ALL_BANKS; n++)
        gic->spi[n].group = ~(u32)0;
    if (gic->v2.on)
        gic2_hand_to_nonsecure(gic);
    gic_refresh_all(gic);
}

static bool bank_valid(const struct gic_bank *b)
{
    for (unsigned n = 0; n < GIC_BANK; n++)
        if (b->priority[n] & ~GIC_PRIO_MASK)
            return false;
    return true;
}

static bool interface_valid(const struct gic_cpu *c)
{
    for (unsigned group = 0; group < GIC_GROUPS; group++)
        if (c->bpr[group] < BPR_MIN || c->bpr[group] > 7 || c->igrpen[group] > 1)
            return false;
    return !(c->pmr & ~(u32)GIC_PRIO_MASK) && !((c->ctlr[0] | c->ctlr[1]) & ~3u) && c->eoimode_el3 <= 1 &&
           !(c->nmi_active >> (GIC_GROUPS + 1)) && (c->waker == 0 || c->waker == (WAKER_SLEEP | WAKER_ASLEEP)) &&
           FIELD_OF(c->ich_vmcr, ICH_VMCR_VBPR0) >= BPR_MIN && FIELD_OF(c->ich_vmcr, ICH_VMCR_VBPR1) >= BPR_MIN_NS;
}

/* What only version 2 has, and what it lacks. */
static bool v2_valid(const struct gic *gic)
{
    static const struct gic2 none;
    if (!gic->v2.on)
        return !memcmp(&gic->v2, &none, sizeof(none));
    if (gic->v2.on > 1 || gic->cpu_count > GIC2_CPUS || gic->has_nmi || gic->ctlr & CTLR_GRP1S || gic->v2.pad)
        return false;
    u32 all = (u32)ones(gic->cpu_count);
    for (unsigned n = 0; n < GIC_SPIS; n++)
        if (gic->v2.target[n] & ~all)
            return false;
    for (unsigned n = 0; n < GIC_SPI_BANKS; n++)
        if (gic->spi[n].grpmod | gic->spi[n].nmi)
            return false;
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++) {
        const struct gic_bank *b = &gic->ppi[cpu];
        if (b->grpmod | b->nmi || ~b->enable & ones(GIC_SGIS) || gic->cpu[cpu].waker ||
            gic->v2.ctlr[cpu] & ~(u32)GICC_OWN)
            return false;
        for (unsigned n = 0; n < GIC_SGIS; n++)
            if (gic->v2.source[cpu][n] & ~all || bit(b->latch, n) != (gic->v2.source[cpu][n] != 0))
                return false;
    }
    return true;
}

/* What is kept of the tables in memory. The registers are masked where they are used. */
static bool lpis_valid(const struct gic_lpis *l)
{
    if (l->priority == PRIO_NONE)
        return true;
    return !(l->priority & ~(u32)GIC_PRIO_MASK) && l->intid >= GIC_LPI_FIRST && l->intid < 1 << GIC_ID_BITS;
}

/* Only of version 4 they are state. */
static bool vlpis_valid(const struct gic *gic, const struct gic_lpis *l)
{
    bool none = l->priority == PRIO_NONE;
    return !(gic->parts & GIC_VLPIS) || (lpis_valid(l) && (none || l->pendbaser & VPENDBASER_VALID));
}

static bool redist_valid(const struct gic *gic, const struct gic_redist *r)
{
    u32 ctlr = DPG_0 | DPG_1NS | DPG_1S | (gic->parts & GIC_LPIS ? ENABLE_LPIS : 0);
    return !(r->ctlr & ~ctlr) && lpis_valid(&r->lpi) && bank_valid(&r->eppi[0]) && bank_valid(&r->eppi[1]);
}

bool gic_validate(const struct gic *gic)
{
    if (gic->cpu_count < 1 || gic->cpu_count > MAX_CPUS || gic->security > 1 || gic->has_nmi > 1 ||
        gic->parts & ~(u32)(GIC_LPIS | GIC_RANGES | GIC_VLPIS) ||
        (gic->parts & GIC_VLPIS && (!(gic->parts & GIC_LPIS) || gic->v2.on)))
        return false;
    if (!v2_valid(gic))
        return false;
    if (gic->ctlr & ~(u32)(CTLR_GRP0 | CTLR_GRP1NS | CTLR_GRP1S | CTLR_DS) || (!gic->security && !gic_ds(gic)))
        return false;
    for (unsigned n = 0; n < GIC_ALL_BANKS; n++)
        if (!bank_valid(&gic->spi[n]) ||
            gic->spi[n].level != ((n < GIC_SPI_BANKS ? gic->wire[n] : 0) | gic->message[n]))
            return false;
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++)
        if (!bank_valid(&gic->ppi[cpu]) || !redist_valid(gic, &gic->redist[cpu]) ||
            !vlpis_valid(gic, &gic->vlpi[cpu]) || gic->ppi[cpu].edge << 16 != 0xffff0000 ||
            !interface_valid(&gic->cpu[cpu]))
            return false;
    return true;
}
