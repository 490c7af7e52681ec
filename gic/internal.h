/*
 * What the files of gic/ share: banks and groups, what a change of an interrupt's state makes necessary, and the links
 * between physical and virtual CPU interface. Not for others: they have gic.h.
 */
#ifndef GIC_INTERNAL_H
#define GIC_INTERNAL_H

#include "gic/gic.h"

/* GICD_CTLR, Secure view with DS = 0 (GIC 12.9); with DS = 1 EnableGrp1 is in the place of EnableGrp1NS. */
enum { CTLR_GRP0 = 1, CTLR_GRP1NS = 2, CTLR_GRP1S = 4, CTLR_ARE_S = 16, CTLR_ARE_NS = 32, CTLR_DS = 64 };
/* GICR_WAKER */
enum { WAKER_SLEEP = 2, WAKER_ASLEEP = 4 };
/* ICC_CTLR_EL1, and ICV_CTLR_EL1 */
enum { ICC_CBPR = 1, ICC_EOIMODE = 2, ICC_PRIBITS = 4 << 8, ICC_IDBITS24 = 1 << 11, ICC_A3V = 1 << 15 };
/* 5 bits of priority: the smallest binary points (ICC_BPR0_EL1, ICC_BPR1_EL1) */
enum { BPR_MIN = 2, BPR_MIN_NS = 3 };
enum { NMI_VIRTUAL = 1 << GIC_GROUPS }; /* in gic_cpu.nmi_active: ICH_AP1R0_EL2.NMI */
#define APR_NMI BIT(63)
enum { NO_CPU = MAX_CPUS, PRIO_NONE = 0x100 };

static inline bool gic_ds(const struct gic *gic) { return gic->ctlr & CTLR_DS; }
static inline struct gic_cpu *gic_interface(struct cpu *cpu) { return &cpu->d.host.gic->cpu[cpu->index]; }

/* The bank of an INTID below GIC_INTIDS, as this PE sees it. */
static inline struct gic_bank *gic_bank(struct gic *gic, unsigned cpu, unsigned intid)
{
    return intid < GIC_BANK ? &gic->ppi[cpu] : &gic->spi[intid / GIC_BANK - 1];
}

static inline u32 bank_pending(const struct gic_bank *b) { return b->latch | (b->level & ~b->edge); }

/* GIC 4.6: group of interrupt n of a bank. */
static inline enum gic_group bank_group(const struct gic *gic, const struct gic_bank *b, unsigned n)
{
    if (bit(b->group, n))
        return GROUP_1NS;
    return bit(b->grpmod, n) && !gic_ds(gic) ? GROUP_1S : GROUP_0;
}

/* The priority of a non-maskable interrupt of group 1 (GIC 4.8): the highest that its group can have. */
static inline u32 nmi_priority(const struct gic *gic, enum gic_group group)
{
    return group == GROUP_1NS && !gic_ds(gic) ? 0x80 : 0;
}

/* The PE that an SPI's GICD_IROUTER names, or NO_CPU. PE n has affinity 0.0.0.n. */
static inline unsigned gic_target(const struct gic *gic, unsigned intid)
{
    u64 affinity = gic->router[intid - GIC_BANK];
    return affinity < gic->cpu_count ? (unsigned)affinity : (unsigned)NO_CPU;
}

/* gic.c: finds the best pending interrupt of a PE again, and its physical lines. */
void gic_refresh(struct gic *gic, unsigned cpu);
void gic_refresh_all(struct gic *gic);
/* After the state of one interrupt changed. */
void gic_refresh_intid(struct gic *gic, unsigned cpu, unsigned intid);
/* Makes an INTID below GIC_INTIDS active and no longer pending by its latch; or not active. */
void gic_activate(struct gic *gic, unsigned cpu, unsigned intid);
void gic_deactivate(struct gic *gic, unsigned cpu, unsigned intid);
/* Derived masks of who gets this SPI, after its router changed. */
void gic_route(struct gic *gic, unsigned intid);
/* Sets those of the lines in mask that are in value, clears the others of mask. */
void gic_set_lines(struct cpu *cpu, u32 mask, u32 value);
/* An SGI arrives at a PE, from a write to the SGI register of `group` by a PE in Non-secure state or not. */
void gic_send_sgi(struct gic *gic, unsigned cpu, unsigned intid, enum gic_group group, bool ns);

/* A trap control of lower ELs was written: what they trap must be found again. The current EL's set stays (the rows of
 * these controls never name the EL that can write them). */
static inline void gic_traps_changed(struct cpu *cpu)
{
    for (unsigned el = 0; el < 4; el++)
        if (el != cpu->ps.el)
            cpu->d.live_traps[el] = 0;
}

/* cpuif.c: does the best pending interrupt pass priority mask and running priority? Then its line, else 0. */
u32 icc_line(const struct gic *gic, const struct cpu *cpu);

/* virtif.c: lines and maintenance interrupt of the virtual interface, made again from its state. */
void ich_update(struct gic *gic, struct cpu *cpu);
/* ICC_* accesses at EL1 that HCR_EL2.{IMO,FMO} gives to the virtual interface. group: 0 or 1. */
enum icv_ack { ICV_ANY, ICV_NOT_NMI, ICV_NMI }; /* what may be acknowledged: INTID 1022 stands for an NMI that may not */
u64 icv_iar(struct cpu *cpu, unsigned group, enum icv_ack ack);
u64 icv_hppir(struct cpu *cpu, unsigned group);
void icv_eoir(struct cpu *cpu, unsigned group, u64 value);
void icv_dir(struct cpu *cpu, u64 value);
u64 icv_bpr(struct cpu *cpu, unsigned group);
void icv_set_bpr(struct cpu *cpu, unsigned group, u64 value);
u64 icv_ctlr(struct cpu *cpu);
void icv_set_ctlr(struct cpu *cpu, u64 value);
u64 icv_pmr(struct cpu *cpu);
void icv_set_pmr(struct cpu *cpu, u64 value);
u64 icv_rpr(struct cpu *cpu);
u64 icv_apr(struct cpu *cpu, unsigned group);
void icv_set_apr(struct cpu *cpu, unsigned group, u64 value);
bool icv_igrpen(struct cpu *cpu, unsigned group);
void icv_set_igrpen(struct cpu *cpu, unsigned group, bool enable);

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
