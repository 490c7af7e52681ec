/*
 * What the GIC's unit tests are written in: four PEs and a GIC, driven through its frames, wires and system registers
 * (with their access rules), without instructions. Tests name the section they are about: GIC is Arm IHI 0069, D the
 * Arm ARM.
 */
#ifndef TESTS_UNIT_GIC_RIG_H
#define TESTS_UNIT_GIC_RIG_H

#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "gic/internal.h"
#include "gic/pe.h"

enum {
    PMR = SYSREG_KEY(3, 0, 4, 6, 0),
    IAR0 = SYSREG_KEY(3, 0, 12, 8, 0),
    EOIR0 = SYSREG_KEY(3, 0, 12, 8, 1),
    HPPIR0 = SYSREG_KEY(3, 0, 12, 8, 2),
    BPR0 = SYSREG_KEY(3, 0, 12, 8, 3),
    AP0R0 = SYSREG_KEY(3, 0, 12, 8, 4),
    AP1R0 = SYSREG_KEY(3, 0, 12, 9, 0),
    DIR = SYSREG_KEY(3, 0, 12, 11, 1),
    RPR = SYSREG_KEY(3, 0, 12, 11, 3),
    SGI1R = SYSREG_KEY(3, 0, 12, 11, 5),
    ASGI1R = SYSREG_KEY(3, 0, 12, 11, 6),
    SGI0R = SYSREG_KEY(3, 0, 12, 11, 7),
    IAR1 = SYSREG_KEY(3, 0, 12, 12, 0),
    EOIR1 = SYSREG_KEY(3, 0, 12, 12, 1),
    HPPIR1 = SYSREG_KEY(3, 0, 12, 12, 2),
    BPR1 = SYSREG_KEY(3, 0, 12, 12, 3),
    CTLR = SYSREG_KEY(3, 0, 12, 12, 4),
    SRE1 = SYSREG_KEY(3, 0, 12, 12, 5),
    IGRPEN0 = SYSREG_KEY(3, 0, 12, 12, 6),
    IGRPEN1 = SYSREG_KEY(3, 0, 12, 12, 7),
    CTLR_EL3 = SYSREG_KEY(3, 6, 12, 12, 4),
    IGRPEN1_EL3 = SYSREG_KEY(3, 6, 12, 12, 7),
    SRE2 = SYSREG_KEY(3, 4, 12, 9, 5),
    SRE3 = SYSREG_KEY(3, 6, 12, 12, 5),
    ICH_AP0R = SYSREG_KEY(3, 4, 12, 8, 0),
    ICH_AP1R = SYSREG_KEY(3, 4, 12, 9, 0),
    ICH_HCR = SYSREG_KEY(3, 4, 12, 11, 0),
    ICH_VTR = SYSREG_KEY(3, 4, 12, 11, 1),
    ICH_MISR = SYSREG_KEY(3, 4, 12, 11, 2),
    ICH_EISR = SYSREG_KEY(3, 4, 12, 11, 3),
    ICH_ELRSR = SYSREG_KEY(3, 4, 12, 11, 5),
    ICH_VMCR = SYSREG_KEY(3, 4, 12, 11, 7),
    ICH_LR0 = SYSREG_KEY(3, 4, 12, 12, 0),
};
enum { SPURIOUS = 1023 };
#define LR_PEND    BIT(62)
#define LR_ACT     BIT(63)
#define LR_HWBIT   BIT(61)
#define LR_GRP1    BIT(60)
#define LR_PRIO(p) ((u64)(p) << 48)
#define LR_EOIBIT  BIT(41)

/* ---- A machine of PEs and a GIC ---- */

enum { CPUS = 4 };
static struct gic gic;
static struct cpu *cpus;

static inline struct cpu *pe(unsigned n) { return &cpus[n]; }

/* Where the PE is: EL, and Secure or not below EL3. */
static inline void at(struct cpu *cpu, unsigned el, bool secure)
{
    cpu->ps.el = (u8)el;
    cpu->sys.scr_el3 = (cpu->sys.scr_el3 & ~BIT(SCR_NS)) | !secure;
    cpu_control_changed(cpu);
    gic_update_cpu(&gic, cpu);
}

/* To another EL as an exception takes the PE there: traps that are known stay known. */
static inline void go(struct cpu *cpu, unsigned el)
{
    cpu->ps.el = (u8)el;
    if (!cpu->d.live_traps[el])
        cpu->d.live_traps[el] = trap_live(cpu, el);
}

static inline void make(bool security)
{
    cpus = calloc(CPUS, sizeof *cpus);
    ck_assert_ptr_nonnull(cpus);
    for (unsigned n = 0; n < CPUS; n++) {
        struct cpu *cpu = pe(n);
        feature_add(&cpu->features, FEAT_BASE);
        feature_add(&cpu->features, FEAT_GICV3);
        feature_add(&cpu->features, FEAT_EL2);
        feature_add(&cpu->features, FEAT_GICV3_EL2);
        if (security)
            feature_add(&cpu->features, FEAT_EL3), feature_add(&cpu->features, FEAT_GICV3_EL3);
        cpu->index = n;
        cpu->d.host.gic = &gic;
        cpu->d.host.cpus = cpus;
        cpu->d.host.cpu_count = CPUS;
        sysreg_reset(cpu);
    }
    gic_reset(&gic, cpus, CPUS, security);
    for (unsigned n = 0; n < CPUS; n++)
        at(pe(n), security ? 3 : 1, security);
}

static inline void setup_single(void) { make(false); }
static inline void setup_security(void) { make(true); }
static inline void teardown(void) { free(cpus); }

static inline u64 rd(struct cpu *cpu, u32 key)
{
    u64 v = 0;
    ck_assert_msg(sysreg_read(cpu, key, 0, &v), "read of %s fails at EL%u", sysreg_find(key)->name, cpu->ps.el);
    return v;
}
static inline void wr(struct cpu *cpu, u32 key, u64 v)
{
    ck_assert_msg(sysreg_write(cpu, key, 0, v), "write of %s fails at EL%u", sysreg_find(key)->name, cpu->ps.el);
}
static inline bool rd_fails(struct cpu *cpu, u32 key)
{
    u64 v;
    return !sysreg_read(cpu, key, 0, &v);
}

static inline struct phys_attrs attrs(bool ns) { return (struct phys_attrs){ .ns = ns }; }
static inline u64 dist_as(bool ns, u64 offset, unsigned size)
{
    u64 v = ~(u64)0;
    ck_assert(gic_dist_read(&gic, offset, size, attrs(ns), &v));
    return v;
}
static inline u64 dist(u64 offset) { return dist_as(false, offset, 4); }
static inline void dist_put_as(bool ns, u64 offset, unsigned size, u64 v)
{
    ck_assert(gic_dist_write(&gic, offset, size, attrs(ns), v));
}
static inline void dist_put(u64 offset, u64 v) { dist_put_as(false, offset, 4, v); }
static inline u64 redist_as(bool ns, unsigned n, u64 offset, unsigned size)
{
    u64 v = ~(u64)0;
    ck_assert(gic_redist_read(&gic, n * (u64)gic_redist_size(gic.parts) + offset, size, attrs(ns), &v));
    return v;
}
static inline u64 redist(unsigned n, u64 offset) { return redist_as(false, n, offset, 4); }
static inline void redist_put_as(bool ns, unsigned n, u64 offset, unsigned size, u64 v)
{
    ck_assert(gic_redist_write(&gic, n * (u64)gic_redist_size(gic.parts) + offset, size, attrs(ns), v));
}
static inline void redist_put(unsigned n, u64 offset, u64 v) { redist_put_as(false, n, offset, 4, v); }

enum {
    REDIST_CTLR = 0,
    WAKER = 0x14,
    SETSPI_NSR = 0x40,
    CLRSPI_NSR = 0x48,
    SETSPI_SR = 0x50,
    CLRSPI_SR = 0x58,
    SGI = 0x10000,
    IGROUPR = 0x80,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ICFGR = 0xc00,
    IGRPMODR = 0xd00,
    NSACR = 0xe00,
    IROUTER = 0x6000
};

/* The PE awake, its groups enabled, everything unmasked; the distributor's groups on. */
static inline void open_pe(unsigned n)
{
    struct cpu *cpu = pe(n);
    redist_put(n, WAKER, 0);
    wr(cpu, PMR, 0xff);
    wr(cpu, IGRPEN0, 1);
    if (cpu->ps.el == 3)
        wr(cpu, IGRPEN1_EL3, 3);
    else
        wr(cpu, IGRPEN1, 1);
    dist_put(0, gic_ds(&gic) ? 3 : 7);
}

/* An SPI or (intid < 32) a private interrupt of PE n: group, priority, enabled, to PE n. */
static inline void config(unsigned n, unsigned intid, enum gic_group group, unsigned priority)
{
    struct gic_bank *b = gic_bank(&gic, n, intid);
    u32 mask = (u32)BIT(intid % 32);
    b->group = group == GROUP_1NS ? b->group | mask : b->group & ~mask;
    b->grpmod = group == GROUP_1S ? b->grpmod | mask : b->grpmod & ~mask;
    b->priority[intid % 32] = (u8)priority;
    if (intid >= 32) {
        dist_put_as(false, IROUTER + 8 * intid, 8, n);
        dist_put(ISENABLER + intid / 32 * 4, mask);
    } else {
        redist_put(n, SGI + ISENABLER, mask);
    }
}
static inline u32 lines(unsigned n) { return pe(n)->lines; }

#endif
