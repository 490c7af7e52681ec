/*
 * The GIC, driven through its frames, wires and system registers (with their access rules), without instructions.
 * Each test names the section it is about: GIC is Arm IHI 0069, D is the Arm ARM.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/sysreg.h"
#include "gic/internal.h"

Suite *test_gic_suite(void);

enum {
    PMR = SYSREG_KEY(3, 0, 4, 6, 0), IAR0 = SYSREG_KEY(3, 0, 12, 8, 0), EOIR0 = SYSREG_KEY(3, 0, 12, 8, 1),
    HPPIR0 = SYSREG_KEY(3, 0, 12, 8, 2), BPR0 = SYSREG_KEY(3, 0, 12, 8, 3), AP0R0 = SYSREG_KEY(3, 0, 12, 8, 4),
    AP1R0 = SYSREG_KEY(3, 0, 12, 9, 0), DIR = SYSREG_KEY(3, 0, 12, 11, 1), RPR = SYSREG_KEY(3, 0, 12, 11, 3),
    SGI1R = SYSREG_KEY(3, 0, 12, 11, 5), ASGI1R = SYSREG_KEY(3, 0, 12, 11, 6), SGI0R = SYSREG_KEY(3, 0, 12, 11, 7),
    IAR1 = SYSREG_KEY(3, 0, 12, 12, 0), EOIR1 = SYSREG_KEY(3, 0, 12, 12, 1), HPPIR1 = SYSREG_KEY(3, 0, 12, 12, 2),
    BPR1 = SYSREG_KEY(3, 0, 12, 12, 3), CTLR = SYSREG_KEY(3, 0, 12, 12, 4), SRE1 = SYSREG_KEY(3, 0, 12, 12, 5),
    IGRPEN0 = SYSREG_KEY(3, 0, 12, 12, 6), IGRPEN1 = SYSREG_KEY(3, 0, 12, 12, 7),
    CTLR_EL3 = SYSREG_KEY(3, 6, 12, 12, 4), IGRPEN1_EL3 = SYSREG_KEY(3, 6, 12, 12, 7), SRE2 = SYSREG_KEY(3, 4, 12, 9, 5),
    SRE3 = SYSREG_KEY(3, 6, 12, 12, 5),
    ICH_AP0R = SYSREG_KEY(3, 4, 12, 8, 0), ICH_AP1R = SYSREG_KEY(3, 4, 12, 9, 0), ICH_HCR = SYSREG_KEY(3, 4, 12, 11, 0),
    ICH_VTR = SYSREG_KEY(3, 4, 12, 11, 1), ICH_MISR = SYSREG_KEY(3, 4, 12, 11, 2), ICH_EISR = SYSREG_KEY(3, 4, 12, 11, 3),
    ICH_ELRSR = SYSREG_KEY(3, 4, 12, 11, 5), ICH_VMCR = SYSREG_KEY(3, 4, 12, 11, 7), ICH_LR0 = SYSREG_KEY(3, 4, 12, 12, 0),
};
enum { HCR_FMO = 1 << 3, HCR_IMO = 1 << 4, SCR_NS = 1, SCR_IRQ = 2, SCR_FIQ = 4, SPURIOUS = 1023 };
#define LR_PEND   BIT(62)
#define LR_ACT    BIT(63)
#define LR_HWBIT  BIT(61)
#define LR_GRP1   BIT(60)
#define LR_PRIO(p) ((u64)(p) << 48)
#define LR_EOIBIT BIT(41)

/* ---- A machine of PEs and a GIC ---- */

enum { CPUS = 4 };
static struct gic gic;
static struct cpu *cpus;

static struct cpu *pe(unsigned n) { return &cpus[n]; }

/* Where the PE is: EL, and Secure or not below EL3. */
static void at(struct cpu *cpu, unsigned el, bool secure)
{
    cpu->ps.el = (u8)el;
    cpu->sys.scr_el3 = (cpu->sys.scr_el3 & ~(u64)SCR_NS) | !secure;
    cpu_control_changed(cpu);
    gic_update_cpu(&gic, cpu);
}

static void make(bool security)
{
    cpus = calloc(CPUS, sizeof *cpus);
    ck_assert_ptr_nonnull(cpus);
    for (unsigned n = 0; n < CPUS; n++) {
        struct cpu *cpu = pe(n);
        feature_add(&cpu->features, FEAT_BASE);
        feature_add(&cpu->features, FEAT_GICV3);
        feature_add(&cpu->features, FEAT_EL2);
        if (security)
            feature_add(&cpu->features, FEAT_EL3);
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

static void setup_single(void) { make(false); }
static void setup_security(void) { make(true); }
static void teardown(void) { free(cpus); }

static u64 rd(struct cpu *cpu, u32 key)
{
    u64 v = 0;
    ck_assert_msg(sysreg_read(cpu, key, 0, &v), "read of %s fails at EL%u", sysreg_find(key)->name, cpu->ps.el);
    return v;
}
static void wr(struct cpu *cpu, u32 key, u64 v)
{
    ck_assert_msg(sysreg_write(cpu, key, 0, v), "write of %s fails at EL%u", sysreg_find(key)->name, cpu->ps.el);
}
static bool rd_fails(struct cpu *cpu, u32 key) { u64 v; return !sysreg_read(cpu, key, 0, &v); }

static struct phys_attrs attrs(bool ns) { return (struct phys_attrs){ .ns = ns }; }
static u64 dist_as(bool ns, u64 offset, unsigned size)
{
    u64 v = ~(u64)0;
    ck_assert(gic_dist_read(&gic, offset, size, attrs(ns), &v));
    return v;
}
static u64 dist(u64 offset) { return dist_as(false, offset, 4); }
static void dist_put_as(bool ns, u64 offset, unsigned size, u64 v)
{
    ck_assert(gic_dist_write(&gic, offset, size, attrs(ns), v));
}
static void dist_put(u64 offset, u64 v) { dist_put_as(false, offset, 4, v); }
static u64 redist_as(bool ns, unsigned n, u64 offset, unsigned size)
{
    u64 v = ~(u64)0;
    ck_assert(gic_redist_read(&gic, n * 0x20000ull + offset, size, attrs(ns), &v));
    return v;
}
static u64 redist(unsigned n, u64 offset) { return redist_as(false, n, offset, 4); }
static void redist_put_as(bool ns, unsigned n, u64 offset, unsigned size, u64 v)
{
    ck_assert(gic_redist_write(&gic, n * 0x20000ull + offset, size, attrs(ns), v));
}
static void redist_put(unsigned n, u64 offset, u64 v) { redist_put_as(false, n, offset, 4, v); }

enum { WAKER = 0x14, SGI = 0x10000, IGROUPR = 0x80, ISENABLER = 0x100, ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280,
       ISACTIVER = 0x300, ICACTIVER = 0x380, IPRIORITYR = 0x400, ICFGR = 0xc00, IGRPMODR = 0xd00, NSACR = 0xe00, IROUTER = 0x6000 };

/* The PE awake, its groups enabled, everything unmasked; the distributor's groups on. */
static void open_pe(unsigned n)
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
static void config(unsigned n, unsigned intid, enum gic_group group, unsigned priority)
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
static u32 lines(unsigned n) { return pe(n)->lines; }

/* ---- Frames ---- */

/* GIC 12.9.38, 12.9.11: what a driver finds out; GIC 12.8: reserved is RAZ/WI, sizes that a register lacks too. */
START_TEST(frames_identify)
{
    ck_assert_uint_eq(dist(0x4) & 31, 8);                 /* 288 INTIDs */
    ck_assert_uint_eq(dist(0x4) >> 10 & 1, 0);            /* one security state */
    ck_assert_uint_eq(dist(0x4) >> 25 & 1, 1);            /* No1N */
    ck_assert_uint_eq(dist(0xffe8) >> 4 & 15, 3);         /* PIDR2.ArchRev */
    ck_assert_uint_eq(redist(1, 0xffe8) >> 4 & 15, 3);
    ck_assert_uint_eq(dist(0xfff0) | dist(0xfff4) << 8 | dist(0xfff8) << 16 | dist(0xfffc) << 24, 0xb105f00d);
    ck_assert_uint_eq(dist(0x0) & 0x50, 0x50);            /* ARE, DS */
    dist_put(0x0, 0);
    ck_assert_uint_eq(dist(0x0), 0x50);                   /* RAO/WI */
    dist_put(0x7f00, ~0u);
    ck_assert_uint_eq(dist(0x5000), 0);
    ck_assert_uint_eq(dist_as(false, ISENABLER + 4, 8), 0); /* 64-bit access to a 32-bit register */
    dist_put_as(false, ISENABLER + 4, 1, 0xff);
    ck_assert_uint_eq(dist(ISENABLER + 4), 0);
    u64 v;
    ck_assert(!gic_redist_read(&gic, CPUS * 0x20000ull, 4, attrs(false), &v));
    ck_assert(!gic_redist_write(&gic, CPUS * 0x20000ull, 4, attrs(false), 0));
    ck_assert(!gic_dist_read(&gic, 0x10000, 4, attrs(false), &v));
}
END_TEST

/* GIC 12.11.35 GICR_TYPER; both halves too. */
START_TEST(redistributor_typer)
{
    for (unsigned n = 0; n < CPUS; n++) {
        u64 typer = redist_as(false, n, 8, 8);
        ck_assert_uint_eq(typer >> 32, n);
        ck_assert_uint_eq(typer >> 8 & 0xffff, n);
        ck_assert_uint_eq(typer >> 4 & 1, n == CPUS - 1);
        ck_assert_uint_eq(redist(n, 8) | redist(n, 12) << 32, typer);
    }
}
END_TEST

/* GIC 12.9: set and clear registers, 5-bit priorities, configuration, routers by halves; INTIDs 0-31 are not here. */
START_TEST(distributor_registers)
{
    dist_put(ISENABLER + 8, 0x80000001);
    dist_put(ISENABLER + 8, 0x00000100);
    ck_assert_uint_eq(dist(ISENABLER + 8), 0x80000101);
    dist_put(ICENABLER + 8, 0x00000001);
    ck_assert_uint_eq(dist(ICENABLER + 8), 0x80000100);
    dist_put(ISENABLER, ~0u);
    ck_assert_uint_eq(dist(ISENABLER), 0);
    dist_put(ISENABLER + 36, ~0u); /* beyond the last */
    ck_assert_uint_eq(dist(ISENABLER + 36), 0);
    dist_put(IPRIORITYR + 64, 0xffa0f7a8);
    ck_assert_uint_eq(dist(IPRIORITYR + 64), 0xf8a0f0a8);
    dist_put_as(false, IPRIORITYR + 65, 1, 0x10);
    ck_assert_uint_eq(dist(IPRIORITYR + 64), 0xf8a010a8);
    ck_assert_uint_eq(dist_as(false, IPRIORITYR + 66, 1), 0xa0);
    dist_put(ICFGR + 8, 0xffffffff);
    ck_assert_uint_eq(dist(ICFGR + 8), 0xaaaaaaaa);
    dist_put(ICFGR + 12, 0x00000002);
    ck_assert_uint_eq(dist(ICFGR + 12), 2);
    ck_assert_uint_eq(dist(ICFGR + 8), 0xaaaaaaaa);
    ck_assert_uint_eq(gic.spi[0].edge, 0x0001ffff);
    dist_put_as(false, IROUTER + 8 * 40, 8, ~0ull);
    ck_assert_uint_eq(dist_as(false, IROUTER + 8 * 40, 8), 0xff00ffffff); /* IRM is RAZ/WI */
    dist_put_as(false, IROUTER + 8 * 40, 4, 3);
    ck_assert_uint_eq(dist_as(false, IROUTER + 8 * 40 + 4, 4), 0xff);
    ck_assert_uint_eq(dist_as(false, IROUTER + 8 * 40, 8), 0xff00000003);
    redist_put(2, SGI + ICFGR, 0);
    ck_assert_uint_eq(redist(2, SGI + ICFGR), 0xaaaaaaaa); /* SGIs are edges */
    redist_put(2, SGI + ICFGR + 4, 0x8);
    ck_assert_uint_eq(gic.ppi[2].edge, 0x2ffff);
    redist_put_as(false, 2, SGI + IPRIORITYR + 27, 1, 0xff);
    ck_assert_uint_eq(redist(2, SGI + IPRIORITYR + 24), 0xf8000000);
    ck_assert_uint_eq(redist(1, SGI + IPRIORITYR + 24), 0);
}
END_TEST

/* ---- Life of an interrupt ---- */

/* GIC 4.1.2: level: inactive, pending, active, (still asserted) pending again after deactivation. */
START_TEST(level_life)
{
    open_pe(0);
    config(0, 40, GROUP_1NS, 0xa0);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(dist(ISPENDR + 4), 1 << 8);
    ck_assert_uint_eq(rd(pe(0), IAR1), 40);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 1 << 8);
    ck_assert_uint_eq(dist(ISPENDR + 4), 1 << 8); /* active and pending: the wire is still up */
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS);
    wr(pe(0), EOIR1, 40);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(rd(pe(0), IAR1), 40);
    gic_set_spi(&gic, 40, false);
    wr(pe(0), EOIR1, 40);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS);
    ck_assert_uint_eq(dist(ISACTIVER + 4) | dist(ISPENDR + 4), 0);
    gic_set_spi(&gic, 40, true); /* a level that goes before it is taken leaves nothing */
    gic_set_spi(&gic, 40, false);
    ck_assert_uint_eq(lines(0), 0);
}
END_TEST

/* GIC 4.1.2: an edge is latched, also while the interrupt is active. */
START_TEST(edge_life)
{
    open_pe(1);
    config(1, 41, GROUP_1NS, 0xa0);
    dist_put(ICFGR + 8, 2 << 18);
    gic_set_spi(&gic, 41, true);
    gic_set_spi(&gic, 41, false);
    ck_assert_uint_eq(lines(1), LINE_IRQ);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(1), IAR1), 41);
    gic_set_spi(&gic, 41, true);
    ck_assert_uint_eq(lines(1), 0);
    wr(pe(1), EOIR1, 41);
    ck_assert_uint_eq(lines(1), LINE_IRQ);
    ck_assert_uint_eq(rd(pe(1), IAR1), 41);
    wr(pe(1), EOIR1, 41);
    ck_assert_uint_eq(lines(1), 0); /* the wire is up, but that was one edge */
}
END_TEST

/* GIC 12.9.26, .27: software pending; on a level it does not survive the acknowledge, nor can ICPENDR lower a wire. */
START_TEST(software_pending)
{
    open_pe(0);
    config(0, 50, GROUP_1NS, 0x80);
    dist_put(ISPENDR + 4, 1 << 18);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    dist_put(ICPENDR + 4, 1 << 18);
    ck_assert_uint_eq(lines(0), 0);
    gic_set_spi(&gic, 50, true);
    dist_put(ICPENDR + 4, 1 << 18);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    gic_set_spi(&gic, 50, false);
    dist_put(ISPENDR + 4, 1 << 18);
    ck_assert_uint_eq(rd(pe(0), IAR1), 50);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0);
    dist_put(ISPENDR + 4, 1 << 18);
    dist_put(ICACTIVER + 4, 1 << 18); /* deactivated by hand; its priority stays active */
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    ck_assert_uint_eq(lines(0), 0);
    wr(pe(0), EOIR1, 50);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    dist_put(ISACTIVER + 4, 1 << 18);
    ck_assert_uint_eq(lines(0), 0);
}
END_TEST

/* GIC 3.2.. routing: the PE that IROUTER names; a pending interrupt moves with it. */
START_TEST(routing)
{
    open_pe(0);
    open_pe(2);
    config(0, 60, GROUP_1NS, 0x80);
    gic_set_spi(&gic, 60, true);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    dist_put_as(false, IROUTER + 8 * 60, 8, 2);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(lines(2), LINE_IRQ);
    dist_put_as(false, IROUTER + 8 * 60, 8, 0x100); /* no such PE */
    ck_assert_uint_eq(lines(2), 0);
    dist_put_as(false, IROUTER + 8 * 60, 8, 2);
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS);
    ck_assert_uint_eq(rd(pe(2), IAR1), 60);
}
END_TEST

/* GIC 11.1: nothing is forwarded to a sleeping interface. GIC 4.6: nor of a group disabled here or there. */
START_TEST(what_is_forwarded)
{
    open_pe(0);
    config(0, 27, GROUP_1NS, 0x80);
    gic_set_ppi(&gic, 0, 27, true);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    redist_put(0, WAKER, 2);
    ck_assert_uint_eq(redist(0, WAKER), 6);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS);
    redist_put(0, WAKER, 0);
    ck_assert_uint_eq(redist(0, WAKER), 0);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    wr(pe(0), IGRPEN1, 0);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), SPURIOUS);
    wr(pe(0), IGRPEN1, 1);
    dist_put(0, 1);
    ck_assert_uint_eq(lines(0), 0);
    dist_put(0, 3);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    redist_put(0, SGI + ICENABLER, 1u << 27);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(lines(1), 0);
}
END_TEST

/* GIC 4.6.2: with one security state group 0 is FIQ, group 1 IRQ, at any EL. */
START_TEST(groups_single_state)
{
    open_pe(0);
    config(0, 20, GROUP_0, 0x80);
    config(0, 21, GROUP_1NS, 0x90);
    gic_set_ppi(&gic, 0, 21, true);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(rd(pe(0), IAR0), SPURIOUS);
    gic_set_ppi(&gic, 0, 20, true);
    ck_assert_uint_eq(lines(0), LINE_FIQ);
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS);
    ck_assert_uint_eq(rd(pe(0), HPPIR0), 20);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), SPURIOUS);
    ck_assert_uint_eq(rd(pe(0), IAR0), 20);
    ck_assert_uint_eq(rd(pe(0), AP0R0), BIT(16));
    wr(pe(0), EOIR1, 20); /* of the other group: nothing */
    ck_assert_uint_eq(rd(pe(0), RPR), 0x80);
    wr(pe(0), EOIR0, 20);
    ck_assert_uint_eq(rd(pe(0), RPR), 0xff);
    gic_set_ppi(&gic, 0, 20, false);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
}
END_TEST

/* ---- Priorities ---- */

/* GIC 4.8: masks let only higher priorities by; the running priority does too; of equals the lower INTID comes first. */
START_TEST(priority_mask)
{
    open_pe(0);
    config(0, 70, GROUP_1NS, 0x80);
    config(0, 33, GROUP_1NS, 0x80);
    gic_set_spi(&gic, 70, true);
    wr(pe(0), PMR, 0x80);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 70); /* HPPIR is not masked */
    wr(pe(0), PMR, 0x8f);
    ck_assert_uint_eq(rd(pe(0), PMR), 0x88); /* five bits */
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    gic_set_spi(&gic, 33, true);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 33);
    ck_assert_uint_eq(rd(pe(0), IAR1), 33);
    ck_assert_uint_eq(lines(0), 0); /* 70 is of the running priority */
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 70);
    config(0, 71, GROUP_1NS, 0xf8);
    wr(pe(0), PMR, 0xff);
    wr(pe(0), EOIR1, 33);
    gic_set_spi(&gic, 33, false);
    gic_set_spi(&gic, 70, false);
    gic_set_spi(&gic, 71, true);
    ck_assert_uint_eq(lines(0), 0); /* the lowest priority is never signalled */
}
END_TEST

/* GIC 4.8.3: three levels nest, and unwind. */
START_TEST(preemption)
{
    open_pe(0);
    static const unsigned prio[3] = { 0xc0, 0x80, 0x40 };
    for (unsigned n = 0; n < 3; n++) {
        config(0, 40 + n, GROUP_1NS, prio[n]);
        gic_set_spi(&gic, 40 + n, true);
        ck_assert_uint_eq(lines(0), LINE_IRQ);
        ck_assert_uint_eq(rd(pe(0), IAR1), 40 + n);
        ck_assert_uint_eq(rd(pe(0), RPR), prio[n]);
    }
    ck_assert_uint_eq(rd(pe(0), AP1R0), BIT(24) | BIT(16) | BIT(8));
    for (unsigned n = 3; n-- > 0;) {
        gic_set_spi(&gic, 40 + n, false);
        wr(pe(0), EOIR1, 40 + n);
        ck_assert_uint_eq(rd(pe(0), RPR), n ? prio[n - 1] : 0xff);
    }
    ck_assert_uint_eq(rd(pe(0), AP1R0), 0);
}
END_TEST

/* GIC 4.8.2, 4.8.4: binary points; 5 bits of priority make the smallest BPR0 2, BPR1 3; ICC_CTLR_EL1.CBPR. */
START_TEST(binary_points)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    ck_assert_uint_eq(rd(cpu, BPR0), 2);
    ck_assert_uint_eq(rd(cpu, BPR1), 3);
    wr(cpu, BPR0, 0);
    wr(cpu, BPR1, 1);
    ck_assert_uint_eq(rd(cpu, BPR0), 2);
    ck_assert_uint_eq(rd(cpu, BPR1), 3);
    config(0, 40, GROUP_1NS, 0x90);
    config(0, 41, GROUP_1NS, 0x88);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    gic_set_spi(&gic, 41, true);
    ck_assert_uint_eq(lines(0), LINE_IRQ); /* 0x88 before 0x90 */
    wr(cpu, BPR1, 4);
    ck_assert_uint_eq(lines(0), LINE_IRQ); /* <7:4>: 8 before 9 */
    wr(cpu, BPR1, 5);
    ck_assert_uint_eq(lines(0), 0);        /* <7:5>: both 4 */
    wr(cpu, BPR0, 3);
    wr(cpu, CTLR, 1);
    ck_assert_uint_eq(rd(cpu, BPR1), 4);   /* BPR0 + 1 */
    wr(cpu, BPR1, 7);
    ck_assert_uint_eq(rd(cpu, BPR1), 4);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    wr(cpu, BPR0, 7);
    ck_assert_uint_eq(rd(cpu, BPR1), 7);   /* saturates */
    ck_assert_uint_eq(lines(0), 0);
    wr(cpu, CTLR, 0);
    ck_assert_uint_eq(rd(cpu, BPR1), 5);
    wr(cpu, EOIR1, 40);
    gic_set_spi(&gic, 40, false);
    ck_assert_uint_eq(rd(cpu, IAR1), 41);
    ck_assert_uint_eq(rd(cpu, RPR), 0x80); /* the group priority of 0x88 under BPR1 5 */
}
END_TEST

/* GIC 4.7.1: EOImode 1 splits priority drop and deactivation; DIR does nothing with EOImode 0. */
START_TEST(eoimode)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    config(0, 40, GROUP_1NS, 0x80);
    wr(cpu, CTLR, 2);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 2);
    ck_assert_uint_eq(rd(cpu, CTLR) >> 8 & 7, 4); /* PRIbits: 5 */
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    wr(cpu, EOIR1, 40);
    ck_assert_uint_eq(rd(cpu, RPR), 0xff);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 1 << 8);
    ck_assert_uint_eq(lines(0), 0);
    wr(cpu, DIR, 41); /* another one */
    ck_assert_uint_eq(dist(ISACTIVER + 4), 1 << 8);
    wr(cpu, DIR, 40);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    wr(cpu, CTLR, 0);
    wr(cpu, DIR, 40);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 1 << 8);
    wr(cpu, EOIR1, SPURIOUS); /* special INTIDs are ignored */
    ck_assert_uint_eq(rd(cpu, RPR), 0x80);
    wr(cpu, EOIR1, 40);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    wr(cpu, EOIR1, 40); /* nothing active: nothing happens */
    ck_assert_uint_eq(rd(cpu, RPR), 0xff);
}
END_TEST

/* GIC 12.2.20, .21: SGIs to a list of PEs, to all others, to nobody. */
START_TEST(sgis)
{
    for (unsigned n = 0; n < CPUS; n++) {
        open_pe(n);
        config(n, 5, GROUP_1NS, 0x80);
        config(n, 6, GROUP_0, 0x80);
    }
    wr(pe(1), SGI1R, 5 << 24 | 0x5);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(lines(1), 0);
    ck_assert_uint_eq(lines(2), LINE_IRQ);
    ck_assert_uint_eq(rd(pe(0), IAR1), 5);
    ck_assert_uint_eq(rd(pe(2), IAR1), 5);
    wr(pe(0), EOIR1, 5);
    wr(pe(2), EOIR1, 5);
    wr(pe(1), SGI1R, BIT(40) | 5 << 24);
    ck_assert_uint_eq(lines(0) | lines(2) | lines(3), LINE_IRQ);
    ck_assert_uint_eq(lines(1), 0);
    for (unsigned n = 0; n < CPUS; n++)
        redist_put(n, SGI + ICPENDR, 1 << 5);
    wr(pe(1), SGI1R, 1ull << 16 | 5 << 24 | 0xf); /* Aff1 = 1 */
    wr(pe(1), SGI1R, 1ull << 32 | 5 << 24 | 0xf);
    wr(pe(1), SGI1R, 1ull << 48 | 5 << 24 | 0xf);
    wr(pe(1), SGI1R, 6 << 24 | 0xf); /* that one is in group 0 */
    for (unsigned n = 0; n < CPUS; n++)
        ck_assert_uint_eq(lines(n), 0);
    wr(pe(1), SGI0R, 6 << 24 | 0xfffa);
    ck_assert_uint_eq(lines(1), LINE_FIQ);
    ck_assert_uint_eq(lines(3), LINE_FIQ);
    ck_assert_uint_eq(lines(0), 0);
    redist_put(0, SGI + ISPENDR, 1 << 5); /* and by hand */
    ck_assert_uint_eq(rd(pe(0), IAR1), 5);
}
END_TEST

/* ---- Two security states ---- */

/* GIC 4.6.2: which line a group is, by where the PE is. */
START_TEST(signals_by_security)
{
    static const struct { enum gic_group group; unsigned el; bool secure; u32 line; } table[] = {
        { GROUP_0, 1, false, LINE_FIQ },   { GROUP_0, 1, true, LINE_FIQ },   { GROUP_0, 3, true, LINE_FIQ },
        { GROUP_1S, 1, false, LINE_FIQ },  { GROUP_1S, 1, true, LINE_IRQ },  { GROUP_1S, 3, true, LINE_FIQ },
        { GROUP_1S, 3, false, LINE_FIQ },  { GROUP_1S, 0, true, LINE_IRQ },  { GROUP_1S, 2, false, LINE_FIQ },
        { GROUP_1NS, 1, false, LINE_IRQ }, { GROUP_1NS, 1, true, LINE_FIQ }, { GROUP_1NS, 3, true, LINE_FIQ },
        { GROUP_1NS, 3, false, LINE_FIQ }, { GROUP_1NS, 2, false, LINE_IRQ },
    };
    open_pe(0);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        config(0, 40, table[n].group, 0x40);
        gic_set_spi(&gic, 40, true);
        at(pe(0), table[n].el, table[n].secure);
        ck_assert_msg(lines(0) == table[n].line, "row %u: lines %x", n, lines(0));
        gic_set_spi(&gic, 40, false);
    }
}
END_TEST

/* GIC 4.6, 12.9: a Non-secure access sees group 1NS only, unless NSACR lets it. */
START_TEST(nonsecure_view)
{
    ck_assert_uint_eq(dist(0x4) >> 10 & 1, 1);
    dist_put(0, 7);
    ck_assert_uint_eq(dist(0), 0x37);
    ck_assert_uint_eq(dist_as(true, 0, 4), 0x12); /* EnableGrp1A, ARE_NS */
    dist_put_as(true, 0, 4, 0);
    ck_assert_uint_eq(dist(0), 0x35);
    dist_put(IGROUPR + 4, 0xff);
    ck_assert_uint_eq(dist_as(true, IGROUPR + 4, 4), 0);
    dist_put_as(true, IGROUPR + 4, 4, ~0u);
    ck_assert_uint_eq(dist(IGROUPR + 4), 0xff);
    dist_put_as(true, ISENABLER + 4, 4, 0xfff);
    ck_assert_uint_eq(dist(ISENABLER + 4), 0xff);
    dist_put(ISENABLER + 4, 0xf00);
    ck_assert_uint_eq(dist_as(true, ISENABLER + 4, 4), 0xff);
    dist_put_as(true, ICENABLER + 4, 4, ~0u);
    ck_assert_uint_eq(dist(ISENABLER + 4), 0xf00);
    dist_put_as(true, IPRIORITYR + 32, 4, 0x40);
    ck_assert_uint_eq(dist_as(false, IPRIORITYR + 32, 1), 0xa0);
    ck_assert_uint_eq(dist_as(true, IPRIORITYR + 32, 1), 0x40);
    dist_put_as(false, IPRIORITYR + 32, 1, 0x38);
    ck_assert_uint_eq(dist_as(true, IPRIORITYR + 32, 1), 0x70);
    dist_put_as(true, IPRIORITYR + 40, 1, 0x40);
    ck_assert_uint_eq(dist_as(false, IPRIORITYR + 40, 1), 0);
    /* SPIs 40, 41, 42, 43 with NS_access 0, 1, 2, 3 */
    dist_put(NSACR + 8, 0xe4u << 16);
    ck_assert_uint_eq(dist_as(true, NSACR + 8, 4), 0);
    dist_put_as(true, ISPENDR + 4, 4, 0xf00);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0xe00);
    dist_put_as(true, ICPENDR + 4, 4, 0xf00);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x200);
    dist_put(ISACTIVER + 4, 0xf01);
    ck_assert_uint_eq(dist_as(true, ISACTIVER + 4, 4), 0xc01);
    for (unsigned n = 40; n < 44; n++)
        dist_put_as(true, IROUTER + 8 * n, 8, 1);
    ck_assert_uint_eq(gic.router[8] | gic.router[9] | gic.router[10], 0);
    ck_assert_uint_eq(gic.router[11], 1);
    ck_assert_uint_eq(redist_as(true, 0, WAKER, 4), 0);
    redist_put_as(true, 0, WAKER, 4, 0);
    ck_assert_uint_eq(redist(0, WAKER), 6);
}
END_TEST

/* GIC 12.9.4: DS can be set, not cleared, and takes group 1S away. */
START_TEST(disable_security)
{
    dist_put(0, 7);
    dist_put(0, 0x40 | 7);
    ck_assert_uint_eq(dist(0), 0x53);
    dist_put(0, 0);
    ck_assert_uint_eq(dist_as(true, 0, 4), 0x50);
    ck_assert_uint_eq(dist(4) >> 10 & 1, 0);
    dist_put_as(true, IGROUPR + 4, 4, 3);
    ck_assert_uint_eq(dist(IGROUPR + 4), 3);
}
END_TEST

/* GIC 4.8.6: Non-secure software sees priorities 0x80..0xff as 0..0xfe, while SCR_EL3.FIQ keeps group 0 at EL3. */
START_TEST(nonsecure_priorities)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    cpu->sys.scr_el3 |= SCR_FIQ;
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, PMR), 0xf0);
    wr(cpu, PMR, 0x40);
    ck_assert_uint_eq(gic.cpu[0].pmr, 0xa0);
    ck_assert_uint_eq(rd(cpu, PMR), 0x40);
    gic.cpu[0].pmr = 0x70;
    ck_assert_uint_eq(rd(cpu, PMR), 0);
    wr(cpu, PMR, 0xff); /* ignored: the mask is Secure's */
    ck_assert_uint_eq(gic.cpu[0].pmr, 0x70);
    gic.cpu[0].pmr = 0xf8;
    config(0, 40, GROUP_1NS, 0xa0);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(cpu, RPR), 0xff);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    ck_assert_uint_eq(rd(cpu, RPR), 0x40);
    gic.cpu[0].apr[GROUP_0] = BIT(4);
    ck_assert_uint_eq(rd(cpu, RPR), 0);
    at(cpu, 1, true);
    cpu->sys.scr_el3 &= ~(u64)SCR_FIQ;
    ck_assert_uint_eq(rd(cpu, RPR), 0x20);
}
END_TEST

/* GIC 4.5.. special INTIDs 1020, 1021 at EL3; what is invisible; banked group 1 registers. */
START_TEST(acknowledge_by_security)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    config(0, 40, GROUP_1S, 0x40);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(cpu, HPPIR0), INTID_SECURE);
    ck_assert_uint_eq(rd(cpu, IAR0), INTID_SECURE);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IAR1), SPURIOUS);
    ck_assert_uint_eq(rd(cpu, HPPIR1), SPURIOUS);
    at(cpu, 1, true);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    ck_assert_uint_eq(rd(cpu, AP1R0), BIT(8));
    gic_set_spi(&gic, 40, false);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, AP1R0), 0); /* the other bank */
    wr(cpu, EOIR1, 40);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_1S], BIT(8));
    at(cpu, 1, true);
    wr(cpu, EOIR1, 40);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_1S], 0);
    config(0, 41, GROUP_1NS, 0x90);
    gic_set_spi(&gic, 41, true);
    ck_assert_uint_eq(rd(cpu, IAR1), SPURIOUS);
    at(cpu, 3, true);
    ck_assert_uint_eq(rd(cpu, IAR0), INTID_NONSECURE);
    ck_assert_uint_eq(rd(cpu, IAR1), 41);
    gic_set_spi(&gic, 41, false);
    wr(cpu, EOIR1, 41);
    config(0, 42, GROUP_0, 0x40);
    gic_set_spi(&gic, 42, true);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IAR0), SPURIOUS);
    at(cpu, 3, false);
    ck_assert_uint_eq(rd(cpu, IAR0), 42);
    at(cpu, 1, false);
    wr(cpu, EOIR0, 42);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_0], BIT(8));
}
END_TEST

/* ICC_CTLR_EL3, ICC_IGRPEN1_EL3 (GIC 12.2.7, .17): EL3's view of the banks; CBPR is EL3's; min. binary points of the banks. */
START_TEST(el3_controls)
{
    struct cpu *cpu = pe(0);
    wr(cpu, CTLR_EL3, 0x1f);
    ck_assert_uint_eq(rd(cpu, CTLR_EL3) & 0x7f, 0x1f);
    ck_assert_uint_eq(gic.cpu[0].ctlr[0], 3);
    ck_assert_uint_eq(gic.cpu[0].ctlr[1], 3);
    wr(cpu, CTLR_EL3, 0x0a);
    at(cpu, 1, true);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 2);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 1);
    wr(cpu, CTLR, 2);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 3); /* CBPR can't be written */
    at(cpu, 3, true);
    wr(cpu, IGRPEN1_EL3, 2);
    at(cpu, 1, true);
    ck_assert_uint_eq(rd(cpu, IGRPEN1), 1);
    wr(cpu, BPR1, 0);
    ck_assert_uint_eq(rd(cpu, BPR1), 2);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IGRPEN1), 0);
}
END_TEST

/* GIC 12.1.10: SGIs across security states, by GICR_NSACR. */
START_TEST(sgi_by_security)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    config(1, 1, GROUP_0, 0x40);
    config(1, 2, GROUP_1S, 0x40);
    config(1, 3, GROUP_1NS, 0x40);
    config(1, 4, GROUP_0, 0x40);
    config(1, 5, GROUP_1S, 0x40);
    redist_put(1, SGI + NSACR, 1u << 8 | 2u << 10);
    at(cpu, 1, false);
    wr(cpu, SGI1R, 1 << 24 | 2);
    wr(cpu, SGI1R, 2 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 0);
    wr(cpu, SGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 8);
    wr(cpu, SGI0R, 1 << 24 | 2);
    wr(cpu, ASGI1R, 2 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 8);
    wr(cpu, SGI0R, 4 << 24 | 2);
    wr(cpu, ASGI1R, 5 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 0x38);
    redist_put(1, SGI + ICPENDR, ~0u);
    at(cpu, 1, true);
    wr(cpu, SGI1R, 1 << 24 | 2); /* Secure group 1 may also be group 0 */
    wr(cpu, SGI1R, 2 << 24 | 2);
    wr(cpu, SGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 6);
    wr(cpu, ASGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 0xe);
}
END_TEST

/* GIC 4.7: what each state may deactivate. */
START_TEST(deactivation_by_security)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    wr(cpu, CTLR_EL3, 0x1c);
    config(0, 40, GROUP_1S, 0x40);
    config(0, 41, GROUP_1NS, 0x40);
    config(0, 42, GROUP_0, 0x40);
    dist_put(ISACTIVER + 4, 0x700);
    at(cpu, 1, false);
    for (unsigned n = 40; n < 43; n++)
        wr(cpu, DIR, n);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x500);
    at(cpu, 1, true);
    wr(cpu, DIR, 40);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x400);
    wr(cpu, DIR, 42);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    cpu->sys.scr_el3 |= SCR_FIQ;
    dist_put(ISACTIVER + 4, 0x400);
    at(cpu, 1, true);
    wr(cpu, DIR, 42); /* FIQs are EL3's */
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x400);
    at(cpu, 3, true);
    wr(cpu, DIR, 42);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    gic_hand_to_nonsecure(&gic);
    ck_assert_uint_eq(dist(IGROUPR + 4), ~0u);
    ck_assert_uint_eq(redist(1, WAKER), 0);
}
END_TEST

/* ---- Access rules ---- */

/* D19.8 and GIC 12.2: ICH_HCR_EL2.{TC,TALL0,TALL1,TDIR}, HCR_EL2.{IMO,FMO} for SGIs, ICC_SRE_ELx.Enable. */
START_TEST(traps_to_el2)
{
    static const struct { u64 hcr, ich; u32 key; bool write, traps; } table[] = {
        { 0, 1 << 12, IAR1, false, true },  { 0, 1 << 12, IAR0, false, false }, { 0, 1 << 12, IGRPEN1, true, true },
        { 0, 1 << 11, IAR0, false, true },  { 0, 1 << 11, BPR1, false, false }, { 0, 1 << 11, EOIR0, true, true },
        { 0, 1 << 10, PMR, true, true },    { 0, 1 << 10, RPR, false, true },   { 0, 1 << 10, IAR1, false, false },
        { 0, 1 << 10, SGI1R, true, true },  { 0, 1 << 10, DIR, true, true },    { 0, 1 << 14, DIR, true, true },
        { 0, 1 << 14, PMR, false, false },  { HCR_IMO, 0, SGI1R, true, true },  { HCR_FMO, 0, SGI1R, true, true },
        { HCR_FMO, 0, ASGI1R, true, true }, { HCR_IMO, 0, SGI0R, true, true },  { 0, 0, SGI1R, true, false },
        { HCR_IMO, 0, PMR, true, false },   { 0, 0, CTLR, false, false },
    };
    struct cpu *cpu = pe(0);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.hcr_el2 = table[n].hcr;
        at(cpu, 2, false);
        wr(cpu, ICH_HCR, table[n].ich);
        at(cpu, 1, false);
        u64 v;
        bool ok = table[n].write ? sysreg_write(cpu, table[n].key, 3, 0) : sysreg_read(cpu, table[n].key, 3, &v);
        ck_assert_msg(ok == !table[n].traps, "row %u", n);
        if (!ok) {
            ck_assert_uint_eq(cpu->d.exc.ec, EC_SYSREG);
            ck_assert_uint_eq(cpu->d.exc.target_el, 2);
        }
    }
    cpu->sys.hcr_el2 = 0;
    at(cpu, 2, false);
    wr(cpu, ICH_HCR, 0);
    wr(cpu, SRE2, 0);
    ck_assert_uint_eq(rd(cpu, SRE2), 7);
    at(cpu, 1, false);
    ck_assert(rd_fails(cpu, SRE1));
    ck_assert_uint_eq(cpu->d.exc.target_el, 2);
    at(cpu, 2, false);
    wr(cpu, SRE2, 8);
    at(cpu, 1, false);
    wr(cpu, SRE1, 0);
    ck_assert_uint_eq(rd(cpu, SRE1), 7);
    ck_assert(rd_fails(cpu, ICH_VTR)); /* EL2's */
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    ck_assert_ptr_null(sysreg_find(SYSREG_KEY(3, 0, 12, 8, 5))); /* AP0R1: 5 bits need one */
    ck_assert_ptr_null(sysreg_find(SYSREG_KEY(3, 4, 12, 12, 4))); /* LR4 */
}
END_TEST

/* The same for SCR_EL3.{IRQ,FIQ} and ICC_SRE_EL3.Enable. */
START_TEST(traps_to_el3)
{
    static const struct { u64 scr; u32 key; unsigned el; bool traps; } table[] = {
        { SCR_IRQ, IAR1, 1, true },           { SCR_IRQ, IAR1, 2, true },  { SCR_IRQ, IAR0, 1, false },
        { SCR_FIQ, IAR0, 2, true },           { SCR_FIQ, IAR1, 2, false }, { SCR_FIQ, PMR, 1, false },
        { SCR_IRQ | SCR_FIQ, PMR, 1, true },  { SCR_IRQ, RPR, 2, false },  { SCR_IRQ | SCR_FIQ, CTLR, 2, true },
        { SCR_IRQ | SCR_FIQ, IAR1, 3, false },
    };
    struct cpu *cpu = pe(0);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.scr_el3 = table[n].scr;
        at(cpu, table[n].el, false);
        ck_assert_msg(rd_fails(cpu, table[n].key) == table[n].traps, "row %u", n);
        if (table[n].traps)
            ck_assert_uint_eq(cpu->d.exc.target_el, 3);
    }
    cpu->sys.scr_el3 = SCR_IRQ | SCR_FIQ;
    cpu->sys.hcr_el2 = HCR_IMO;
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IAR1), SPURIOUS); /* virtual: not EL3's */
    at(cpu, 3, false);
    wr(cpu, SRE3, 0);
    at(cpu, 2, false);
    ck_assert(rd_fails(cpu, SRE2));
    ck_assert_uint_eq(cpu->d.exc.target_el, 3);
}
END_TEST

/* ---- Virtual interface ---- */

/* PE 0 as a guest at EL1 sees it, and back at EL2. */
static void guest(void)
{
    pe(0)->sys.hcr_el2 = HCR_IMO | HCR_FMO;
    at(pe(0), 1, false);
}
static void hyp(void) { at(pe(0), 2, false); }
static void lr(unsigned n, u64 v) { hyp(); wr(pe(0), ICH_LR0 + n, v); }
static u64 get_lr(unsigned n) { hyp(); return rd(pe(0), ICH_LR0 + n); }
static u64 ich(u32 key) { hyp(); return rd(pe(0), key); }
static void ich_put(u32 key, u64 v) { hyp(); wr(pe(0), key, v); }
static u64 in_guest(u32 key) { guest(); return rd(pe(0), key); }
static void guest_put(u32 key, u64 v) { guest(); wr(pe(0), key, v); }
/* Both groups on, no mask, interface enabled. */
static void open_guest(void) { ich_put(ICH_VMCR, 0xff000003); ich_put(ICH_HCR, 1); }

/* GIC 12.4.8 ICH_VTR, reset, and the bits that list registers keep. */
START_TEST(virtual_identity)
{
    u64 vtr = ich(ICH_VTR);
    ck_assert_uint_eq(vtr & 31, 3);
    ck_assert_uint_eq(vtr >> 29, 4);
    ck_assert_uint_eq(vtr >> 26 & 7, 4);
    ck_assert_uint_eq(vtr >> 19 & 1, 1); /* TDS */
    ck_assert_uint_eq(vtr >> 22 & 1, 0); /* SEIS */
    ck_assert_uint_eq(ich(ICH_VMCR), 8 | 2 << 21 | 3 << 18);
    ich_put(ICH_VMCR, ~0ull);
    ck_assert_uint_eq(ich(ICH_VMCR), 0xf8fc021b);
    ich_put(ICH_HCR, ~0ull);
    ck_assert_uint_eq(ich(ICH_HCR), 0xf8005cff);
    ich_put(ICH_HCR, 0);
    lr(0, ~0ull);
    ck_assert_uint_eq(get_lr(0), 0xf0f81fff00ffffff);
    lr(1, ~0ull & ~LR_HWBIT);
    ck_assert_uint_eq(get_lr(1), 0xd0f8020000ffffff);
    ck_assert_uint_eq(get_lr(2), 0);
}
END_TEST

/* GIC 6.. life of a virtual interrupt; which line; ICV_IAR, EOIR, RPR. */
START_TEST(virtual_life)
{
    struct cpu *cpu = pe(0);
    open_guest();
    lr(2, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(HPPIR1), 100);
    ck_assert_uint_eq(in_guest(IAR0), SPURIOUS);
    ck_assert_uint_eq(in_guest(IAR1), 100);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(get_lr(2), LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(ich(ICH_AP1R), BIT(16));
    ck_assert_uint_eq(in_guest(RPR), 0x80);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    lr(1, LR_PEND | LR_PRIO(0x40) | 101);
    ck_assert_uint_eq(lines(0), LINE_VFIQ);
    ck_assert_uint_eq(in_guest(IAR0), 101);
    ck_assert_uint_eq(in_guest(RPR), 0x40);
    guest_put(EOIR0, 101);
    ck_assert_uint_eq(get_lr(1), LR_PRIO(0x40) | 101);
    ck_assert_uint_eq(in_guest(RPR), 0x80);
    guest_put(EOIR1, 100);
    ck_assert_uint_eq(get_lr(2), LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(ich(ICH_AP0R) | ich(ICH_AP1R), 0);
    ck_assert_uint_eq(in_guest(RPR), 0xff);
    lr(0, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 102);
    ich_put(ICH_HCR, 0); /* disabled: no signal, spurious */
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    ck_assert_uint_eq(in_guest(HPPIR1), SPURIOUS);
    ich_put(ICH_HCR, 1);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    lr(0, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 1021); /* special: goes without being acknowledged */
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    ck_assert_uint_eq(get_lr(0) >> 62, 0);
    ck_assert_uint_eq(gic_interface(cpu)->ich_apr[1], 0);
}
END_TEST

/* GIC 4.9: IMO moves group 1's registers, FMO group 0's, either the common ones; at EL1 only. */
START_TEST(virtual_redirection)
{
    struct cpu *cpu = pe(0);
    wr(cpu, BPR0, 5);
    wr(cpu, BPR1, 6);
    wr(cpu, PMR, 0x50);
    cpu->sys.hcr_el2 = HCR_IMO;
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, BPR0), 5);
    ck_assert_uint_eq(rd(cpu, BPR1), 3);
    ck_assert_uint_eq(rd(cpu, PMR), 0);
    cpu->sys.hcr_el2 = HCR_FMO;
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, BPR0), 2);
    ck_assert_uint_eq(rd(cpu, BPR1), 6);
    ck_assert_uint_eq(rd(cpu, PMR), 0);
    at(cpu, 2, false);
    ck_assert_uint_eq(rd(cpu, BPR0), 5);
    ck_assert_uint_eq(rd(cpu, PMR), 0x50);
}
END_TEST

/* GIC 12.4.7: ICH_VMCR is what the guest's registers show. */
START_TEST(virtual_vmcr)
{
    ich_put(ICH_VMCR, 0);
    guest_put(PMR, 0xff);
    guest_put(IGRPEN0, 1);
    guest_put(CTLR, 3);
    guest_put(BPR0, 4);
    ck_assert_uint_eq(in_guest(BPR1), 5); /* VCBPR: BPR0 + 1 */
    guest_put(BPR1, 7);
    ck_assert_uint_eq(ich(ICH_VMCR), 0xf8u << 24 | 4 << 21 | 3 << 18 | 0x200 | 0x10 | 8 | 1);
    guest_put(CTLR, 0);
    guest_put(BPR1, 7);
    guest_put(BPR0, 1);
    guest_put(IGRPEN0, 0);
    guest_put(IGRPEN1, 1);
    ck_assert_uint_eq(ich(ICH_VMCR), 0xf8u << 24 | 2 << 21 | 7 << 18 | 8 | 2);
    ck_assert_uint_eq(in_guest(IGRPEN1), 1);
    ck_assert_uint_eq(in_guest(IGRPEN0), 0);
    ck_assert_uint_eq(in_guest(CTLR) >> 8 & 7, 4);
    guest_put(AP1R0, 0x11);
    guest_put(AP0R0, 0x22);
    ck_assert_uint_eq(ich(ICH_AP1R), 0x11);
    ck_assert_uint_eq(ich(ICH_AP0R), 0x22);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_1NS] | gic.cpu[0].apr[GROUP_0], 0);
}
END_TEST

/* GIC 4.8 with VPMR, VBPR, VENG: masks, groups that are off, binary points. */
START_TEST(virtual_priorities)
{
    open_guest();
    lr(0, LR_PEND | LR_GRP1 | LR_PRIO(0x90) | 50);
    guest_put(PMR, 0x90);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(in_guest(HPPIR1), 50);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    guest_put(PMR, 0x98);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    lr(1, LR_PEND | LR_PRIO(0x80) | 51); /* group 0, higher */
    ck_assert_uint_eq(lines(0), LINE_VFIQ);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    guest_put(IGRPEN0, 0);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(IAR1), 50);
    lr(2, LR_PEND | LR_GRP1 | LR_PRIO(0x88) | 52);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    guest_put(BPR1, 5); /* <7:5> of 0x88 and 0x90 are equal */
    ck_assert_uint_eq(lines(0), 0);
    guest_put(CTLR, 1); /* VCBPR: BPR0 = 2 */
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
}
END_TEST

/* GIC 12.4.5 ICH_MISR, .3 EISR, .4 ELRSR and the maintenance interrupt, cause by cause. */
START_TEST(virtual_maintenance)
{
    struct cpu *cpu = pe(0);
    hyp();
    open_pe(0);
    config(0, 25, GROUP_1NS, 0x20);
    ich_put(ICH_HCR, 1);
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    ck_assert_uint_eq(ich(ICH_ELRSR), 15);
    ck_assert_uint_eq(lines(0), 0);
    ich_put(ICH_HCR, 1 | 2); /* UIE: none or one valid */
    ck_assert_uint_eq(ich(ICH_MISR), 2);
    ck_assert_uint_eq(lines(0) & LINE_IRQ, LINE_IRQ);
    ck_assert_uint_eq(rd(cpu, IAR1), 25);
    wr(cpu, EOIR1, 25);
    lr(0, LR_ACT | LR_GRP1 | 40);
    ck_assert_uint_eq(ich(ICH_MISR), 2);
    lr(3, LR_PEND | LR_GRP1 | 41);
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    ck_assert_uint_eq(lines(0) & LINE_IRQ, 0);
    ck_assert_uint_eq(ich(ICH_ELRSR), 6);
    ich_put(ICH_HCR, 1 | 8); /* NPIE: no list register pending */
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    lr(3, 0);
    ck_assert_uint_eq(ich(ICH_MISR), 8);
    lr(3, LR_PEND | LR_ACT | LR_GRP1 | 41); /* pending and active is not the pending state */
    ck_assert_uint_eq(ich(ICH_MISR), 8);
    lr(0, 0);
    lr(3, 0);
    ich_put(ICH_HCR, 1 | 4); /* LRENPIE: EOIcount */
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    ich_put(ICH_HCR, 1 | 4 | 1ull << 27);
    ck_assert_uint_eq(ich(ICH_MISR), 4);
    ich_put(ICH_VMCR, 1);
    ich_put(ICH_HCR, 0xf1);
    ck_assert_uint_eq(ich(ICH_MISR), 0x10 | 0x80); /* group 0 on, group 1 off */
    ich_put(ICH_VMCR, 2);
    ck_assert_uint_eq(ich(ICH_MISR), 0x20 | 0x40);
    ich_put(ICH_HCR, 0xf0); /* status without En, but no interrupt */
    ck_assert_uint_eq(ich(ICH_MISR), 0x60);
    ck_assert_uint_eq(lines(0), 0);
    ich_put(ICH_HCR, 1);
    lr(2, LR_EOIBIT | 77); /* EOI, and no longer valid */
    ck_assert_uint_eq(ich(ICH_MISR), 1);
    ck_assert_uint_eq(ich(ICH_EISR), 4);
    ck_assert_uint_eq(ich(ICH_ELRSR), 11);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    lr(2, LR_HWBIT | LR_EOIBIT | 77); /* with HW that bit is of pINTID */
    ck_assert_uint_eq(ich(ICH_EISR), 0);
    ck_assert_uint_eq(ich(ICH_ELRSR), 15);
}
END_TEST

/* ICH_HCR_EL2.EOIcount; EOImode; what EOIR and DIR do to list registers. */
START_TEST(virtual_eoi)
{
    open_guest();
    lr(0, LR_PEND | LR_GRP1 | LR_EOIBIT | LR_PRIO(0x80) | 60);
    ck_assert_uint_eq(in_guest(IAR1), 60);
    guest_put(EOIR1, 60);
    ck_assert_uint_eq(ich(ICH_EISR), 1);
    guest_put(EOIR1, 60); /* no active priority: nothing */
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 0);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, 61); /* in no list register */
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 1);
    ck_assert_uint_eq(ich(ICH_AP1R), 0);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, 8192); /* an LPI has no active state */
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 1);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, SPURIOUS);
    ck_assert_uint_eq(ich(ICH_AP1R), BIT(16));
    guest_put(CTLR, 2); /* EOImode */
    guest_put(EOIR1, 61);
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 1); /* only drops */
    guest_put(DIR, 61);
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 2);
    lr(1, LR_PEND | LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 62);
    guest_put(DIR, 62);
    ck_assert_uint_eq(get_lr(1) >> 62, 1); /* pending and active -> pending */
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    guest_put(CTLR, 0);
    lr(1, LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 62);
    guest_put(DIR, 62);
    ck_assert_uint_eq(get_lr(1) >> 62, 2);
    ich_put(ICH_HCR, 31ull << 27 | 1);
    guest_put(CTLR, 2);
    guest_put(DIR, 63);
    ck_assert_uint_eq(ich(ICH_HCR), 1); /* wraps */
}
END_TEST

/* ICH_LR.HW: the guest's EOI deactivates the physical interrupt that the hypervisor left active. */
START_TEST(virtual_hw)
{
    struct cpu *cpu = pe(0);
    hyp();
    open_pe(0);
    wr(cpu, CTLR, 2); /* the hypervisor only drops */
    config(0, 27, GROUP_1NS, 0xa0);
    gic_set_ppi(&gic, 0, 27, true);
    ck_assert_uint_eq(rd(cpu, IAR1), 27);
    open_guest();
    lr(0, LR_PEND | LR_HWBIT | LR_GRP1 | LR_PRIO(0x80) | 27ull << 32 | 99);
    wr(cpu, EOIR1, 27);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(IAR1), 99);
    ck_assert_uint_eq(gic.ppi[0].active, 1u << 27);
    guest_put(EOIR1, 99);
    ck_assert_uint_eq(gic.ppi[0].active, 0);
    ck_assert_uint_eq(lines(0), LINE_IRQ); /* the level is still up */
    ck_assert_uint_eq(ich(ICH_ELRSR), 15);
    gic.ppi[0].active = ~0u;
    for (u64 pintid = 0; pintid < 8192; pintid += 97) { /* any pINTID is harmless */
        lr(0, LR_ACT | LR_HWBIT | LR_GRP1 | LR_PRIO(0x80) | pintid << 32 | 99);
        ich_put(ICH_AP1R, BIT(16));
        guest_put(EOIR1, 99);
    }
    ck_assert_uint_eq(gic.ppi[0].active, ~1u);
}
END_TEST

/* ---- State ---- */

static u32 random_next(u32 *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* A value that is likely to do something to that register. */
static u64 random_value(u32 key, u64 v)
{
    if (key >= ICH_LR0)
        return v << 44 | (v & 127);
    if (key == ICH_VMCR)
        return v << 16 | (v >> 3 & 0x213);
    return v & 1 ? v & 0xff : v % 112;
}

/* Any sequence of accesses leaves the kept best interrupt and the lines what they would be if found anew, and a state that
 * gic_validate accepts. */
START_TEST(derived_state)
{
    static const u32 keys[] = { PMR, IAR0, EOIR0, BPR0, AP0R0, AP1R0, DIR, IAR1, EOIR1, BPR1, CTLR, IGRPEN0, IGRPEN1, SGI1R, SGI0R,
                                ICH_AP0R, ICH_AP1R, ICH_HCR, ICH_VMCR, ICH_LR0, ICH_LR0 + 1, ICH_LR0 + 2, ICH_LR0 + 3 };
    static const u16 offsets[] = { 0, IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER, IPRIORITYR, ICFGR,
                                   IGRPMODR, NSACR };
    u32 seed = 1, signalled = 0;
    for (unsigned n = 0; n < CPUS; n++)
        open_pe(n);
    for (unsigned step = 0; step < 80000; step++) {
        u32 r = random_next(&seed);
        struct cpu *cpu = pe(r % CPUS);
        u64 v = random_next(&seed);
        u32 what = random_next(&seed) % 8, offset = offsets[random_next(&seed) % ARRAY_LEN(offsets)] + (r >> 4 & 0x1c);
        if (what < 2) {
            gic_set_spi(&gic, 32 + r % 80, v & 1);
        } else if (what == 2) {
            gic_set_ppi(&gic, cpu->index, r % 40, v & 1);
        } else if (what == 3) {
            dist_put_as(v & 1, offset, 4, offset ? v * 0x10001 : v);
        } else if (what == 4) {
            redist_put_as(v & 1, cpu->index, offset ? SGI + offset : WAKER, 4, v * 0x10001);
        } else if (what == 5) {
            dist_put_as(false, IROUTER + 8 * (32 + r % 80), 8, v % (CPUS + 1));
        } else {
            u32 key = keys[random_next(&seed) % ARRAY_LEN(keys)];
            cpu->sys.hcr_el2 = r >> 12 & (HCR_IMO | HCR_FMO);
            at(cpu, v >> 5 & 1 ? 1 : gic.security ? 3 : 2, v >> 6 & 1);
            u64 out;
            if (sysreg_find(key)->write)
                sysreg_write(cpu, key, 0, random_value(key, random_next(&seed)));
            else
                sysreg_read(cpu, key, 0, &out);
        }
        struct gic_best best[CPUS];
        u32 before[CPUS];
        memcpy(best, gic.d.best, sizeof best);
        for (unsigned n = 0; n < CPUS; n++)
            before[n] = lines(n);
        gic_rebuild(&gic, cpus);
        ck_assert_msg(!memcmp(best, gic.d.best, sizeof best), "step %u: action %u", step, what);
        for (unsigned n = 0; n < CPUS; n++) {
            ck_assert_msg(before[n] == lines(n), "step %u: action %u, PE %u had %x, has %x", step, what, n, before[n], lines(n));
            signalled |= lines(n);
        }
        ck_assert_msg(gic_validate(&gic), "step %u: action %u", step, what);
    }
    ck_assert_uint_eq(signalled, LINE_IRQ | LINE_FIQ | LINE_VIRQ | LINE_VFIQ); /* the walk went somewhere */
}
END_TEST

START_TEST(validate_refuses)
{
    struct gic good = gic;
    ck_assert(gic_validate(&gic));
#define REFUSED(field, value) (gic = good, gic.field = (value), !gic_validate(&gic))
    ck_assert(REFUSED(cpu_count, 0));
    ck_assert(REFUSED(cpu_count, MAX_CPUS + 1));
    ck_assert(REFUSED(security, 2));
    ck_assert(REFUSED(ctlr, 0x80));
    ck_assert(REFUSED(ctlr, 0)); /* one security state, but DS clear */
    ck_assert(REFUSED(cpu[7].bpr[GROUP_1NS], 0));
    ck_assert(REFUSED(cpu[0].bpr[GROUP_0], 8));
    ck_assert(REFUSED(cpu[1].igrpen[GROUP_0], 2));
    ck_assert(REFUSED(cpu[1].pmr, 0x100));
    ck_assert(REFUSED(cpu[1].waker, 2));
    ck_assert(REFUSED(cpu[1].ich_vmcr, 0));
    ck_assert(REFUSED(spi[3].priority[31], 1));
    ck_assert(REFUSED(ppi[3].edge, 0));
    gic = good;
}
END_TEST

Suite *test_gic_suite(void)
{
    Suite *s = suite_create("gic");
    TCase *one = tcase_create("one security state"), *two = tcase_create("two security states");
    tcase_add_checked_fixture(one, setup_single, teardown);
    tcase_add_checked_fixture(two, setup_security, teardown);
    tcase_set_timeout(one, 60);
    tcase_set_timeout(two, 60);
    const TTest *const single[] = {
        frames_identify, redistributor_typer, distributor_registers, level_life, edge_life, software_pending, routing,
        what_is_forwarded, groups_single_state, priority_mask, preemption, binary_points, eoimode, sgis, traps_to_el2,
        virtual_identity, virtual_life, virtual_redirection, virtual_vmcr, virtual_priorities, virtual_maintenance, virtual_eoi,
        virtual_hw, derived_state, validate_refuses,
    };
    const TTest *const both[] = {
        signals_by_security, nonsecure_view, disable_security, nonsecure_priorities, acknowledge_by_security, el3_controls,
        sgi_by_security, deactivation_by_security, traps_to_el3, derived_state,
    };
    for (unsigned n = 0; n < ARRAY_LEN(single); n++)
        tcase_add_test(one, single[n]);
    for (unsigned n = 0; n < ARRAY_LEN(both); n++)
        tcase_add_test(two, both[n]);
    suite_add_tcase(s, one);
    suite_add_tcase(s, two);
    return s;
}
