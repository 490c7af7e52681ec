/*
 * What the CPU interface of a PE does, physical (cpuif.c) and virtual (virtif.c), apart from the registers that it is
 * reached by. System registers are rows of gic_sysreg.def over these functions; the memory-mapped frames of GICv2 can
 * be rows over them, too, since what differs is an argument: who looks, and the groups that a register stands for.
 *
 * `cpu` is a number below gic->cpu_count, `intid` any value of a register's INTID field, priorities are 8 bits. What a
 * write means for the PE's lines is found afterwards: gic_update_cpu after writes of the physical interface,
 * virtif_update after writes and acknowledges of the virtual one. What makes interrupts active or not looks to the
 * lines itself.
 */
#ifndef GIC_CPUIF_H
#define GIC_CPUIF_H

#include "cpu/field.h"
#include "gic/gic.h"

/* Who looks at a physical interface. EL3 sees both states' registers as they are, as Secure accesses to a GICv2 do. */
struct gic_view {
    u8 el3;
    u8 secure; /* in Secure state, or at EL3 */
    u8 bank;   /* enum gic_bank_of: by SCR_EL3.NS, also at EL3 */
    u8 half;   /* priorities are seen in the Non-secure half (GIC 4.8, "software accesses of interrupt priority") */
};
/* Whose control bits: those of ICC_CTLR_EL1 by bank, and ICC_CTLR_EL3.EOImode_EL3. */
enum gic_bank_of { GIC_SECURE, GIC_NONSECURE, GIC_EL3 };

/* The groups that a register acknowledges, shows, ends or deactivates: a set. */
enum {
    REACH_0 = 1 << GROUP_0,
    REACH_1S = 1 << GROUP_1S,
    REACH_1NS = 1 << GROUP_1NS,
    REACH_ALL = REACH_0 | REACH_1S | REACH_1NS,
    REACH_NAMED = 1 << GIC_GROUPS, /* the others show as INTIDs 1020 and 1021: ICC_IAR0_EL1 and ICC_HPPIR0_EL1 at EL3 */
};
/* Of a virtual interface: group 0, group 1. */
enum { REACH_V0 = 1, REACH_V1 = 2 };

/* What may be acknowledged with non-maskable interrupts: INTID 1022 stands for one that may not. */
enum gic_ack { ACK_ANY, ACK_NOT_NMI, ACK_NMI };

/* Control bits of both interfaces, at their places in ICC_CTLR_EL1 and ICV_CTLR_EL1. */
enum { ICC_CBPR = 1, ICC_EOIMODE = 2 };
/* 5 bits of priority: the smallest binary points (ICC_BPR0_EL1, ICC_BPR1_EL1) */
enum { BPR_MIN = 2, BPR_MIN_NS = 3 };
/* A non-maskable interrupt is active: in registers of active priorities, and in ICC_RPR_EL1 */
#define APR_NMI    BIT(63)
#define RPR_NMI_NS BIT(62)

/* ---- The physical interface ---- */

/* LINE_* of the physical interrupts that it signals to its PE. */
u32 cpuif_lines(const struct gic *gic, unsigned cpu, struct gic_view view);

/* One interrupt on its way to a PE, for those who look in. */
struct cpuif_look {
    u32 intid;
    u8 pending, level, edge, active, enabled, nmi, lpi, group; /* level: its wire is high; group: enum gic_group */
    u8 dist_group;                                             /* GICD_CTLR enables the group */
    u8 awake;                                                  /* GICR_WAKER */
    u8 cpu_group;                                              /* the CPU interface enables the group */
    u8 unmasked;                                               /* its priority is above PMR's */
    u8 preempts;             /* and above what runs, where the gates before are open */
    u32 priority, target;    /* target: the PE that gets it; MAX_CPUS: none */
    u32 mask, running, best; /* PMR; running priority; INTID of what is first, INTID_SPURIOUS: nothing */
};
/* False: the GIC has no such interrupt. */
bool cpuif_look(const struct gic *gic, unsigned cpu, struct gic_view view, u32 intid, struct cpuif_look *l);
/* gic.c: the part of it that is distributor's and redistributor's. */
bool gic_look_state(const struct gic *gic, unsigned cpu, u32 intid, struct cpuif_look *l);

/* INTID of the highest priority pending interrupt, masked or not (HPPIR); INTID_* when these groups have none. */
u32 cpuif_pending(const struct gic *gic, unsigned cpu, u32 reach);
/* Makes the interrupt that is signalled active (IAR); returns its INTID, or INTID_* and nothing happened. */
u32 cpuif_acknowledge(struct gic *gic, unsigned cpu, struct gic_view view, u32 reach, enum gic_ack ack);
/* Drops the running priority (EOIR), and without EOImode deactivates. */
void cpuif_end(struct gic *gic, unsigned cpu, struct gic_view view, u32 reach, u32 intid);
/* Deactivates (DIR), with EOImode only. */
void cpuif_deactivate(struct gic *gic, unsigned cpu, struct gic_view view, u32 reach, u32 intid);

/* Priority mask (PMR). */
u32 cpuif_mask(const struct gic *gic, unsigned cpu, struct gic_view view);
void cpuif_set_mask(struct gic *gic, unsigned cpu, struct gic_view view, u32 priority);
/* Running priority (RPR), GIC_PRIO_IDLE when nothing is active, with APR_NMI and RPR_NMI_NS. */
u64 cpuif_running(const struct gic *gic, unsigned cpu, struct gic_view view);
/* Binary point of a group (BPR), each in the scale of its register. */
u32 cpuif_binary_point(const struct gic *gic, unsigned cpu, struct gic_view view, enum gic_group group);
void cpuif_set_binary_point(struct gic *gic, unsigned cpu, struct gic_view view, enum gic_group group, u32 bpr);
/* Active priorities of a group (APR), with APR_NMI. */
u64 cpuif_active(const struct gic *gic, unsigned cpu, enum gic_group group);
void cpuif_set_active(struct gic *gic, unsigned cpu, enum gic_group group, u64 value);
/* ICC_EOIMODE and ICC_CBPR; of EL3 ICC_EOIMODE alone. */
u32 cpuif_control(const struct gic *gic, unsigned cpu, enum gic_bank_of whose);
void cpuif_set_control(struct gic *gic, unsigned cpu, enum gic_bank_of whose, u32 control);
/* Group enable (IGRPEN). The setter looks to the lines itself. */
bool cpuif_enabled(const struct gic *gic, unsigned cpu, enum gic_group group);
void cpuif_enable(struct gic *gic, unsigned cpu, enum gic_group group, bool enable);

/* ---- The virtual interface as the guest sees it ---- group: 0 or 1; hcr: ICH_HCR_EL2, which lives in the PE ---- */

/* What a list register holds, on its way to the guest, for those who look in. */
struct virtif_look {
    u32 intid, physical; /* physical: INTID of the interrupt that it stands for, with `hardware` */
    u32 priority, mask, running;
    u8 pending, active, hardware, group;
    u8 enabled, unmasked, preempts; /* its group; its priority above VPMR's; above what runs, where it is unmasked */
    u8 first;                       /* it goes before the others */
};
/* n < GIC_LRS, or GIC_LRS: the virtual LPI that the redistributor forwards. False: it is empty. */
bool virtif_look(const struct gic *gic, unsigned cpu, unsigned n, struct virtif_look *l);

u32 virtif_pending(const struct gic *gic, unsigned cpu, u32 reach);
u32 virtif_acknowledge(struct gic *gic, unsigned cpu, u64 hcr, u32 reach, enum gic_ack ack);
/* Return the new ICH_HCR_EL2: EOIcount goes up when no list register has the interrupt. */
u64 virtif_end(struct gic *gic, unsigned cpu, u64 hcr, u32 reach, u32 intid);
u64 virtif_deactivate(struct gic *gic, unsigned cpu, u64 hcr, u32 intid);

u32 virtif_mask(const struct gic *gic, unsigned cpu);
void virtif_set_mask(struct gic *gic, unsigned cpu, u32 priority);
u64 virtif_running(const struct gic *gic, unsigned cpu);
u32 virtif_binary_point(const struct gic *gic, unsigned cpu, unsigned group);
void virtif_set_binary_point(struct gic *gic, unsigned cpu, unsigned group, u32 bpr);
u64 virtif_active(const struct gic *gic, unsigned cpu, unsigned group);
void virtif_set_active(struct gic *gic, unsigned cpu, unsigned group, u64 value);
u32 virtif_control(const struct gic *gic, unsigned cpu);
void virtif_set_control(struct gic *gic, unsigned cpu, u32 control);
bool virtif_enabled(const struct gic *gic, unsigned cpu, unsigned group);
void virtif_enable(struct gic *gic, unsigned cpu, unsigned group, bool enable);

/* ---- The same as the hypervisor sees it: ICH_* ---- */

/* ICH_HCR_EL2: which conditions ask for maintenance, and all bits that mean something to the interface (the others trap
 * system registers). */
#define VIRTIF_GROUP_IES  (BIT(ICH_HCR_VGrp0EIE) | BIT(ICH_HCR_VGrp0DIE) | BIT(ICH_HCR_VGrp1EIE) | BIT(ICH_HCR_VGrp1DIE))
#define VIRTIF_CONDITIONS (BIT(ICH_HCR_UIE) | BIT(ICH_HCR_LRENPIE) | BIT(ICH_HCR_NPIE) | VIRTIF_GROUP_IES)
#define VIRTIF_HCR        (BIT(ICH_HCR_En) | VIRTIF_CONDITIONS | FIELD_MASK(ICH_HCR_EOIcount))

/* Gives the PE its virtual lines and its maintenance interrupt. */
void virtif_update(struct gic *gic, unsigned cpu, u64 hcr);
/* ICH_MISR_EL2: conditions for a maintenance interrupt; while there are any, and ICH_HCR_EL2.En, it is signalled. */
u32 virtif_maintenance(const struct gic *gic, unsigned cpu, u64 hcr);
/* ICH_EISR_EL2, ICH_ELRSR_EL2: sets of list registers whose interrupt ended and asks for maintenance, and of empty
 * ones. */
u32 virtif_ended(const struct gic *gic, unsigned cpu);
u32 virtif_empty(const struct gic *gic, unsigned cpu);
/* List register n < GIC_LRS, in the layout of ICH_LR<n>_EL2. */
u64 virtif_list(const struct gic *gic, unsigned cpu, unsigned n);
void virtif_set_list(struct gic *gic, unsigned cpu, unsigned n, u64 value);
/* ICH_VMCR_EL2: all of the guest's controls. */
u32 virtif_vmcr(const struct gic *gic, unsigned cpu);
void virtif_set_vmcr(struct gic *gic, unsigned cpu, u64 value);

#endif
