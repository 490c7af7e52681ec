/*
 * What the files of gic/ share: banks and groups, what a change of an interrupt's state makes necessary, and the
 * arithmetic of priorities. Not for others: they have gic.h.
 */
#ifndef GIC_INTERNAL_H
#define GIC_INTERNAL_H

#include "cpu/affinity.h"
#include "gic/cpuif.h"

/* GICD_CTLR, Secure view with DS = 0 (GIC 12.9); with DS = 1 EnableGrp1 is in the place of EnableGrp1NS. */
enum { CTLR_GRP0 = 1, CTLR_GRP1NS = 2, CTLR_GRP1S = 4, CTLR_ARE_S = 16, CTLR_ARE_NS = 32, CTLR_DS = 64 };
/* GICR_CTLR: LPIs are enabled, may be disabled again, have registers to invalidate them; PEs that 1 of N does not
 * choose for a group (GIC 12.11) */
enum { ENABLE_LPIS = 1, CTLR_CES = 2, CTLR_IR = 4 };
enum { DPG_0 = 1 << 24, DPG_1NS = 1 << 25, DPG_1S = 1 << 26 };
#define ROUTER_IRM BIT(31) /* GICD_IROUTER.Interrupt_Routing_Mode */
/* GICC_CTLR of a GICv2, as Secure software sees it (GICv2 4.4.1); GICC_OWN: those that gic2.ctlr holds */
enum {
    GICC_GRP0 = 1,
    GICC_GRP1 = 2,
    GICC_ACKCTL = 4,
    GICC_FIQEN = 8,
    GICC_CBPR = 16,
    GICC_BYPDIS_GRP0 = 3 << 5,
    GICC_BYPDIS_GRP1 = 3 << 7,
    GICC_EOIMODES = 1 << 9,
    GICC_EOIMODENS = 1 << 10,
    GICC_OWN = GICC_ACKCTL | GICC_FIQEN | GICC_BYPDIS_GRP0 | GICC_BYPDIS_GRP1
};
#define PENDBASER_PTZ BIT(62) /* GICR_PENDBASER: the table is all zeros */
/* GICR_VPENDBASER: a vPE is resident; the one that was last has a pending and enabled vLPI */
#define VPENDBASER_VALID BIT(63)
#define VPENDBASER_LAST  BIT(61)
/* GICR_WAKER */
enum { WAKER_SLEEP = 2, WAKER_ASLEEP = 4 };
enum { NMI_VIRTUAL = 1 << GIC_GROUPS }; /* in gic_cpu.nmi_active: ICH_AP1R0_EL2.NMI */
enum { NO_CPU = MAX_CPUS, PRIO_NONE = 0x100 };

/* INTIDs that stand for something else: 1020 to 1023 (GIC 2.2). */
static inline bool gic_is_special(u32 intid) { return intid >= INTID_SECURE && intid <= INTID_SPURIOUS; }
static inline bool gic_is_lpi(u32 intid) { return intid >= GIC_LPI_FIRST; }

static inline bool gic_ds(const struct gic *gic) { return gic->ctlr & CTLR_DS; }

/* Which INTIDs have a bank: those of a PE alone (SGIs, PPIs) and SPIs, of both ranges. */
static inline bool gic_is_private(const struct gic *gic, u32 intid)
{
    return intid < GIC_BANK || (intid - GIC_EPPI_FIRST < GIC_EPPI_BANKS * GIC_BANK && gic->parts & GIC_RANGES);
}
static inline bool gic_is_spi(const struct gic *gic, u32 intid)
{
    return (intid >= GIC_BANK && intid < GIC_INTIDS) ||
           (intid - GIC_ESPI_FIRST < GIC_ESPI_BANKS * GIC_BANK && gic->parts & GIC_RANGES);
}
static inline bool gic_has_bank(const struct gic *gic, u32 intid)
{
    return gic_is_private(gic, intid) || gic_is_spi(gic, intid);
}
static inline unsigned gic_spi_bank(u32 intid)
{
    return intid < GIC_INTIDS ? intid / GIC_BANK - 1 : GIC_SPI_BANKS + (intid - GIC_ESPI_FIRST) / GIC_BANK;
}

/* The bank of an INTID that has one, as this PE sees it; of an SPI its GICD_IROUTER. */
static inline struct gic_bank *gic_bank(struct gic *gic, unsigned cpu, unsigned intid)
{
    if (intid < GIC_BANK)
        return &gic->ppi[cpu];
    if (unlikely(intid - GIC_EPPI_FIRST < GIC_EPPI_BANKS * GIC_BANK))
        return &gic->redist[cpu].eppi[(intid - GIC_EPPI_FIRST) / GIC_BANK];
    return &gic->spi[gic_spi_bank(intid)];
}
static inline u64 *gic_router(struct gic *gic, u32 intid)
{
    return &gic->router[gic_spi_bank(intid) * GIC_BANK + intid % GIC_BANK];
}

static inline u32 bank_pending(const struct gic_bank *b) { return b->latch | (b->level & ~b->edge); }

/* GIC 4.6: group of interrupt n of a bank. */
static inline enum gic_group bank_group(const struct gic *gic, const struct gic_bank *b, unsigned n)
{
    if (bit(b->group, n))
        return GROUP_1NS;
    return bit(b->grpmod, n) && !gic_ds(gic) ? GROUP_1S : GROUP_0;
}

/* The group of an INTID that has a bank, and whether Secure state handles it. */
static inline enum gic_group gic_group_of(struct gic *gic, unsigned cpu, unsigned intid)
{
    return bank_group(gic, gic_bank(gic, cpu, intid), intid % GIC_BANK);
}
static inline bool gic_is_secure(struct gic *gic, unsigned cpu, unsigned intid)
{
    return !gic_ds(gic) && gic_group_of(gic, cpu, intid) != GROUP_1NS;
}

/* The priority of a non-maskable interrupt of group 1 (GIC 4.8): the highest that its group can have. */
static inline u32 nmi_priority(const struct gic *gic, enum gic_group group)
{
    return group == GROUP_1NS && !gic_ds(gic) ? 0x80 : 0;
}

/* The PE that gets the SPIs of this group that have IRM 1, or NO_CPU. */
unsigned gic_one_of_n(const struct gic *gic, enum gic_group group);
/* The PE that gets an SPI: that of its GICD_IROUTER, or one of N; or NO_CPU. */
static inline unsigned gic_target(struct gic *gic, unsigned intid)
{
    u64 affinity = *gic_router(gic, intid);
    if (unlikely(affinity & ROUTER_IRM))
        return gic_one_of_n(gic, gic_group_of(gic, 0, intid));
    unsigned cpu = affinity_pe(affinity);
    return cpu < gic->cpu_count ? cpu : (unsigned)NO_CPU;
}

/* The PEs that an SPI of a GICv2 goes to, a bit each (GICD_ITARGETSR; with one PE all go there). */
static inline u32 gic2_targets(const struct gic *gic, unsigned intid)
{
    return gic->cpu_count == 1 ? 1 : gic->v2.target[intid - GIC_BANK];
}
/* Bits 0 to 15 for the SGIs of a GICv2, which are always enabled, and pending by their senders alone. */
static inline u32 gic2_sgis(const struct gic *gic, unsigned intid)
{
    return gic->v2.on && intid < GIC_BANK ? (u32)ones(GIC_SGIS) : 0;
}
/* Of a GICv2: who sent the SGI that is acknowledged next, of those pending for the PE. */
static inline unsigned gic2_sender(const struct gic *gic, unsigned cpu, unsigned intid)
{
    u32 senders = gic->v2.source[cpu][intid];
    return senders ? (unsigned)__builtin_ctz(senders) : 0;
}

/* gic.c: finds the best pending interrupt of a PE again, and its physical lines. */
void gic_refresh(struct gic *gic, unsigned cpu);
void gic_refresh_all(struct gic *gic);
/* The virtual LPI that is forwarded to a PE, and its virtual lines. */
void gic_refresh_virtual(struct gic *gic, unsigned cpu);
/* The same of those PEs that a bank of SPIs matters to, after its state, groups or routers changed. */
void gic_refresh_bank(struct gic *gic, unsigned bank);
/* After something changed that decides whether 1 of N may choose the PE. */
void gic_participation(struct gic *gic, unsigned cpu);
/* After the state of one interrupt changed. */
void gic_refresh_intid(struct gic *gic, unsigned cpu, unsigned intid);
/* Makes an INTID active and no longer pending by its latch; or not active. */
void gic_activate(struct gic *gic, unsigned cpu, unsigned intid);
void gic_deactivate(struct gic *gic, unsigned cpu, unsigned intid);
/* A message sets or clears the pending state of an SPI (GICD_SETSPI_*, GICD_CLRSPI_*). */
void gic_message(struct gic *gic, unsigned intid, bool set);
/* The number of banks of SPIs that are looked at, after an extended one changed. */
void gic_count_banks(struct gic *gic);
/* Derived masks of who gets this SPI, after its router changed. */
void gic_route(struct gic *gic, unsigned intid);
/* Sets those of the PE's lines in mask that are in value, clears the others of mask. */
void gic_change_lines(struct cpu *pe, u32 mask, u32 value);
static inline void gic_set_lines(struct gic *gic, unsigned cpu, u32 mask, u32 value)
{
    struct cpu *pe = &gic->d.cpus[cpu];
    if ((pe->lines & mask) != value)
        gic_change_lines(pe, mask, value);
}
/* An SGI arrives at a PE, from a write to the SGI register of `group` by a PE in Non-secure state or not. */
void gic_send_sgi(struct gic *gic, unsigned cpu, unsigned intid, enum gic_group group, bool ns);

/* frames.c: PIDR4..7, PIDR0..3, CIDR0..3, a byte each (n < 12), of a part: 0x92 distributor, 0x93 redistributor, 0x94
 * ITS. PIDR2<7:4>: version. */
u8 gic_id(const struct gic *gic, unsigned n, u8 part);

/* lpi.c: LPIs. What these change shows after gic_lpis_settle, which looks at all PEs whose LPIs changed. `cpu` is any
 * number: where no such PE is, or its LPIs are disabled, nothing happens. */
bool gic_lpis_on(const struct gic *gic, unsigned cpu);
/* GICR_CTLR.EnableLPIs was changed. */
void gic_lpis_enabled(struct gic *gic, unsigned cpu);
/* Makes an LPI pending, or not; any INTID. */
void gic_lpi_set(struct gic *gic, unsigned cpu, u32 intid, bool pending);
bool gic_lpi_is_pending(const struct gic *gic, unsigned cpu, u32 intid);
/* Its configuration in memory may have changed, or that of all. */
void gic_lpi_reload(struct gic *gic, unsigned cpu, u32 intid);
void gic_lpis_reload(struct gic *gic, unsigned cpu);
/* All that is pending goes to another PE. */
void gic_lpis_move(struct gic *gic, unsigned from, unsigned to);
/* Virtual ones, which are settled by the same. Is the vPE resident at its redistributor? */
bool gic_vpe_here(const struct gic *gic, const struct gic_vpe *v);
/* Makes one pending, or not. False: the vPE has no such vINTID. */
bool gic_vlpi_set(struct gic *gic, const struct gic_vpe *v, u32 intid, bool pending);
bool gic_vlpi_is_pending(const struct gic *gic, const struct gic_vpe *v, u32 intid);
/* Configurations in memory may have changed. */
void gic_vlpis_reload(struct gic *gic, const struct gic_vpe *v);
/* The one that is forwarded is no longer pending. */
void gic_vlpi_acknowledge(struct gic *gic, unsigned cpu);
/* GICR_VPENDBASER.Valid was changed. */
void gic_vpe_scheduled(struct gic *gic, unsigned cpu);
void gic_lpis_settle(struct gic *gic);
bool gic_memory(const struct gic *gic, u64 pa, void *bytes, u64 size, bool write);

/* virtif.c: the virtual interrupt that a PE would be given, as a list register holds it (0: none), with the number of
 * that register in *lr, -1: it is a virtual LPI that the redistributor forwards. */
u64 gic_pending_virtual(const struct gic *gic, unsigned cpu, int *lr);
/* A pending virtual LPI in that layout. */
u64 gic_vlpi_as_list(u32 intid, u32 priority);

/* Priority arithmetic that both interfaces share (GIC 4.8). */
/* The bits of a priority that preempt, for a binary point in the scale of group 0. */
static inline u32 gic_group_mask(unsigned bpr) { return 0xffu << (bpr + 1) & 0xff; }
/* The highest active priority of a set of active priorities; GIC_PRIO_IDLE when there is none. */
static inline u32 gic_running(u32 apr) { return apr ? (u32)__builtin_ctz(apr) << 3 : (u32)GIC_PRIO_IDLE; }
/* GIC 4.8, preemption: a pending interrupt preempts when its group priority is higher than that of the running
 * priority. */
static inline bool gic_preempts(u32 priority, u32 running, u32 mask)
{
    return running == GIC_PRIO_IDLE || (priority & mask) < (running & mask);
}

#endif
