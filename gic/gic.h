/*
 * The interrupt controller, GICv2, GICv3 or GICv4: distributor, redistributors, CPU interfaces and virtual CPU
 * interfaces of one machine (Arm IHI 0069, cited as GIC with its section; Arm IHI 0048B, cited as GICv2). Affinity
 * routing only (ARE is RAO/WI); SPIs go to one named PE or to one of N; LPIs where an ITS is (gic/lpi.c, gic/its.h), of
 * version 4 (4.0) virtual ones, too, which reach a guest without its hypervisor. With `security` there are two security
 * states (GICD_CTLR.DS is 0 until Secure software sets it), without it DS is RAO/WI.
 *
 * Everything is plain state but for the last member, which gic_rebuild makes again from the rest.
 */
#ifndef GIC_GIC_H
#define GIC_GIC_H

#include "cpu/exception.h"
#include "mmu/phys.h"

enum {
    GIC_BANK = 32,     /* INTIDs in a bank */
    GIC_SPI_BANKS = 8, /* 256 SPIs */
    GIC_SPIS = GIC_SPI_BANKS * GIC_BANK,
    GIC_INTIDS = GIC_BANK + GIC_SPIS, /* 288, as the virt board has */
    GIC_LRS = 4,                      /* list registers */
    GIC_PRIO_MASK = 0xf8,             /* 5 bits of priority, physical and virtual */
    GIC_PRIO_IDLE = 0xff,
    GIC_DIST_SIZE = 0x10000,
    GIC_REDISTS_SIZE = 0xf60000, /* bytes for redistributors that follow each other; others: board/virt.def */
    GIC_PPI_PMU = 23,
    GIC_PPI_MAINTENANCE = 25,
    GIC2_CPUS = 8, /* the most that a GICv2 can have */
    GIC_SGIS = 16,
    /* Extended ranges (GICv3.1): 64 PPIs and 1024 SPIs */
    GIC_EPPI_FIRST = 1056,
    GIC_EPPI_BANKS = 2,
    GIC_ESPI_FIRST = 4096,
    GIC_ESPI_BANKS = 32,
    GIC_ALL_BANKS = GIC_SPI_BANKS + GIC_ESPI_BANKS, /* SPIs, then extended ones */
    GIC_LPI_FIRST = 8192,
    GIC_ID_BITS = 16, /* of INTIDs with LPIs */
    GIC_LPI_WORDS = 1 << (GIC_ID_BITS - 6), /* 64 INTIDs each: of a pending table */
    INTID_SECURE = 1020, /* special INTIDs, GIC 2.2 */
    INTID_NONSECURE = 1021,
    INTID_NMI = 1022,
    INTID_GROUP1 = 1022, /* of version 2: group 1, which this register does not acknowledge */
    INTID_SPURIOUS = 1023,
};

/* Interrupt groups, GIC 4.6. With DS = 1 group 1 is G1NS. */
enum gic_group { GROUP_0, GROUP_1S, GROUP_1NS, GIC_GROUPS };

/* 32 consecutive INTIDs, a bit each: the SGIs and PPIs of one PE, or 32 SPIs. */
struct gic_bank {
    u32 group, grpmod; /* GIC 4.6: {grpmod, group} = G0 00, G1NS x1, G1S 10 */
    u32 enable;
    u32 latch; /* pending by an edge, an SGI or a write; a level adds to it (bank_pending) */
    u32 level; /* the wires; of SPIs the wires and what messages hold */
    u32 active;
    u32 edge;  /* ICFGR */
    u32 nmi;   /* INMIR: non-maskable, in group 1 */
    u64 nsacr; /* two bits an INTID */
    u8 priority[GIC_BANK];
};

/* CPU interface and virtual CPU interface of one PE. */
struct gic_cpu {
    u32 pmr;
    u32 bpr[GIC_GROUPS];
    u32 igrpen[GIC_GROUPS];
    u32 apr[GIC_GROUPS]; /* active priorities: bit n = group priority n << 3 */
    u32 ctlr[2];         /* EOImode, CBPR, PMHE of ICC_CTLR_EL1: [0] Secure, [1] Non-secure */
    u32 eoimode_el3;
    u32 waker;      /* GICR_WAKER: ProcessorSleep and ChildrenAsleep */
    u32 ich_vmcr;   /* ICH_HCR_EL2 lives in cpu->sys, where the trap rows look for it */
    u32 ich_apr[2]; /* by virtual group */
    u32 nmi_active; /* ICC_AP1R0_EL1.NMI by group, and NMI_VIRTUAL */
    u64 ich_lr[GIC_LRS];
};

/* The LPIs of one PE, or the virtual ones of the vPE that is resident there: where its tables lie in memory, which hold
 * the truth, and what is kept of them. */
struct gic_lpis {
    u64 propbaser, pendbaser;     /* GICR_PROPBASER, GICR_PENDBASER; GICR_VPROPBASER, GICR_VPENDBASER */
    u32 intid, priority;          /* the best pending and enabled one; PRIO_NONE, 0x100: none */
    u64 some[GIC_LPI_WORDS / 64]; /* bit n: some INTID of 64n..64n + 63 may be pending */
};

/* A redistributor's own. */
struct gic_redist {
    u32 ctlr; /* GICR_CTLR: DPG*, EnableLPIs */
    u32 pad;
    struct gic_lpis lpi;
    struct gic_bank eppi[GIC_EPPI_BANKS]; /* extended PPIs */
};

/* What a GIC has that options bring: a set. Virtual LPIs are there with LPIs only. */
enum gic_part { GIC_LPIS = 1, GIC_RANGES = 2 /* the extended PPIs and SPIs */, GIC_VLPIS = 4 /* GICv4 */ };

/* A vPE, as a VMAPP command describes it: where its pending table is, for vINTIDs below `intids`, and the PE whose
 * redistributor it is at. */
struct gic_vpe {
    u64 table;
    u32 intids, cpu;
};

/* Memory as the GIC reaches it for LPIs and as the ITS does: Non-secure RAM. False: it is not there. */
struct gic_memory {
    void *ctx;
    bool (*access)(void *ctx, u64 pa, void *bytes, u64 size, bool write);
};

/* What only version 2 has (Arm IHI 0048B, cited as GICv2 with its section); all zero of another. Groups are GROUP_0 and
 * GROUP_1NS, GICC_CTLR.CBPR and EOImode lie where ICC_CTLR_EL1's do, ICH_VMCR_EL2 is GICH_VMCR too. */
struct gic2 {
    u32 on;              /* it is a GICv2 */
    u32 ctlr[GIC2_CPUS]; /* GICC_CTLR: AckCtl, FIQEn, what disables bypass */
    u32 pad;
    u8 source[GIC2_CPUS][GIC_SGIS]; /* PEs that an SGI is pending from, a bit each; of all of them gic_bank.latch */
    u8 target[GIC_SPIS];            /* GICD_ITARGETSR */
};

/* The best pending interrupt that the IRI forwards to a PE, before priority mask and preemption. */
struct gic_best {
    u32 intid;
    u32 priority; /* 0x100: none */
    u32 group;
    u32 nmi; /* it has the non-maskable property: Superpriority, and the highest priority of its group */
};

struct gic {
    u32 cpu_count;
    u32 security;   /* two security states are implemented */
    u32 ctlr;       /* GICD_CTLR as Secure software sees it */
    u32 has_nmi;    /* non-maskable interrupts are implemented (FEAT_GICv3_NMI) */
    u32 parts, pad; /* enum gic_part */
    struct gic_bank spi[GIC_ALL_BANKS];
    u64 router[GIC_ALL_BANKS * GIC_BANK]; /* GICD_IROUTER, by bank */
    u32 wire[GIC_SPI_BANKS];              /* of SPIs */
    u32 message[GIC_ALL_BANKS];           /* levels that GICD_SETSPI_* raised, until GICD_CLRSPI_* lowers them */
    struct gic2 v2;

    /* ---- of each PE: only those of PEs that are there are state, in sections of their own (board/state.c) ---- */
    struct gic_bank ppi[MAX_CPUS];
    struct gic_cpu cpu[MAX_CPUS];
    struct gic_redist redist[MAX_CPUS];
    struct gic_lpis vlpi[MAX_CPUS]; /* only of version 4 state, too */

    /* ---- derived from here on ---- */
    struct gic_derived {
        struct cpu *cpus;
        struct gic_best best[MAX_CPUS];
        u32 routed[MAX_CPUS][GIC_ALL_BANKS]; /* SPIs that this PE gets */
        u32 any[GIC_ALL_BANKS];              /* SPIs of which any PE may be chosen (IROUTER.IRM) */
        u32 banks;                           /* of SPIs: no interrupt beyond these is enabled */
        struct gic_memory memory;            /* lent; stays through reset and rebuild */
        u8 look[MAX_CPUS], vlook[MAX_CPUS];  /* of this PE's LPIs, of its vPE's some changed, until gic_lpis_settle */
        u64 vlpi[MAX_CPUS];                  /* the virtual LPI that is forwarded to it, as an ICH_LR<n>_EL2; 0: none */
        /* Guest errors; who looks clears them: a write to GICD_SETSPI_* or CLRSPI_* named no SPI, a register has no
         * accesses of that size. */
        u32 no_such_spi, no_such_size;
    } d;
};
/* gic_shape: up to ppi */
extern const struct state_shape gic_shape, gic_bank_shape, gic_cpu_shape, gic_redist_shape, gic_lpis_shape;
static_assert(sizeof(struct gic_lpis) == 24 + GIC_LPI_WORDS / 8, "no padding");
static_assert(sizeof(struct gic_redist) == 8 + sizeof(struct gic_lpis) + GIC_EPPI_BANKS * sizeof(struct gic_bank),
              "no padding");
static_assert(sizeof(struct gic_bank) == 8 * 4 + 8 + GIC_BANK, "no padding");
static_assert(sizeof(struct gic2) == 8 + GIC2_CPUS * (4 + GIC_SGIS) + GIC_SPIS, "no padding");
static_assert(sizeof(struct gic_cpu) == 18 * 4 + GIC_LRS * 8, "no padding");
static_assert(offsetof(struct gic, ppi) == 24 + sizeof(struct gic_bank) * GIC_ALL_BANKS + GIC_ALL_BANKS * GIC_BANK * 8 +
                                               (GIC_SPI_BANKS + GIC_ALL_BANKS) * 4 + sizeof(struct gic2),
              "no padding");

/* The first INTID of a bank of SPIs. */
static inline u32 gic_bank_first(unsigned n)
{
    return n < GIC_SPI_BANKS ? (n + 1) * GIC_BANK : GIC_ESPI_FIRST + (n - GIC_SPI_BANKS) * GIC_BANK;
}

/* Bytes of one PE's redistributor: RD_base and SGI_base; with virtual LPIs VLPI_base and a reserved frame, too. */
static inline u32 gic_redist_size(u32 parts) { return parts & GIC_VLPIS ? 0x40000 : 0x20000; }
/* PEs whose redistributors follow each other. */
static inline u32 gic_redists_low(u32 parts) { return GIC_REDISTS_SIZE / gic_redist_size(parts); }

/* For those who look in: which interrupt a PE takes, with its state as before the exception. */
struct exc_source gic_source(const struct gic *gic, const struct cpu *cpu, const struct exc *exc);

/* For them: the first pending LPI from *intid on, with its byte of the configuration table. False: none. l: those of a
 * PE (gic->redist[cpu].lpi), or of the vPE that is resident there (gic->vlpi[cpu]). */
bool gic_lpi_next(const struct gic *gic, const struct gic_lpis *l, u32 *intid, u8 *config);
/* The address of the pending table of that vPE. False: none is resident. */
bool gic_vpe_resident(const struct gic *gic, unsigned cpu, u64 *table);

/* The machine: reset with all derived data; cpus[0..count) are the PEs whose lines it drives, count 1..MAX_CPUS. */
void gic_reset(struct gic *gic, struct cpu *cpus, unsigned count, bool security);
/* After gic_reset: it is a GICv2 with up to GIC2_CPUS PEs, at reset. */
void gic2_reset(struct gic *gic);
/* What it has besides, after gic_reset: `parts` as enum gic_part. */
void gic_extend(struct gic *gic, u32 parts);
/* The CPU interface of one PE as firmware brings it up (PSCI CPU_ON): reset, its redistributor awake. */
void gic_reset_cpu(struct gic *gic, unsigned cpu);
/* As firmware leaves it when it turns the PE off (PSCI CPU_OFF): its groups disabled. */
void gic_disable_cpu(struct gic *gic, unsigned cpu);
/* What firmware leaves for software that is entered without any: redistributors awake (GICR_WAKER). */
void gic_wake(struct gic *gic);
/* The same for a Non-secure kernel: all interrupts in group 1. Only meaningful with security. */
void gic_hand_to_nonsecure(struct gic *gic);
/* After the state was restored from outside: bounds every index and field (false: it can't be state of this GIC), then
 * gic_rebuild makes the derived part again. cpus as in gic_reset. */
bool gic_validate(const struct gic *gic);
void gic_rebuild(struct gic *gic, struct cpu *cpus);

/* Register frames. The offset is within the frame(s); size 1, 2, 4 or 8, naturally aligned. False: nothing answers
 * there (beyond the last redistributor). Reserved registers and sizes that a register lacks are RAZ/WI. */
bool gic_dist_read(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value);
bool gic_dist_write(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 value);
bool gic_redist_read(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value);
bool gic_redist_write(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 value);

/* The frames of version 2, for the PE attrs.cpu: distributor, CPU interface, what the hypervisor and what the guest has
 * of the virtual one. False: that PE is not there, or nothing answers. */
bool gic2_dist_read(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value);
bool gic2_dist_write(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 value);
enum gic2_frame { GIC2_CPU, GIC2_HYP, GIC2_VCPU, GIC2_FRAMES };
bool gic2_read(struct gic *gic, enum gic2_frame frame, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value);
bool gic2_write(struct gic *gic, enum gic2_frame frame, u64 offset, unsigned size, struct phys_attrs attrs, u64 value);
/* GICH_LR<n>, n < GIC_LRS. */
u32 gic2_list(const struct gic *gic, unsigned cpu, unsigned n);

/* The wires. An INTID or PE that isn't there is ignored. */
void gic_set_spi(struct gic *gic, unsigned intid, bool level);
/* Do the wires of `count` SPIs from intid on have these levels (a set)? False where they do not lie in one bank. */
static inline bool gic_spi_levels(const struct gic *gic, unsigned intid, unsigned count, u32 high)
{
    unsigned n = intid / GIC_BANK - 1, first = intid % GIC_BANK;
    return n < GIC_SPI_BANKS && first + count <= GIC_BANK && (gic->wire[n] >> first & ones(count)) == high;
}
void gic_set_ppi(struct gic *gic, unsigned cpu, unsigned intid, bool level);

/* The four lines of this PE, made again from the state: for whoever changes the EL to or from EL3, or the security
 * state (with one security state they don't matter, and this is not needed). */
void gic_update_cpu(struct gic *gic, struct cpu *cpu);
/* That, and what virtual LPIs make of the virtual lines: these are for guests in Non-secure state. */
void gic_security_changed(struct gic *gic, struct cpu *cpu);

#endif
