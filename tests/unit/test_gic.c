/*
 * The GIC: frames, life of an interrupt, priorities, and its state as a whole.
 */
#include "tests/unit/gic_rig.h"
#include "tests/unit/rounds.h"

Suite *test_gic_suite(void);

/* ---- Frames ---- */

/* GICD_TYPER, GICD_CTLR, GICD_PIDR2 (GIC 12.9): what a driver finds out; GIC 12.8: reserved is RAZ/WI, sizes that a
 * register lacks too. */
START_TEST(frames_identify)
{
    ck_assert_uint_eq(dist(0x4) & 31, 8);         /* 288 INTIDs */
    ck_assert_uint_eq(dist(0x4) >> 10 & 1, 0);    /* one security state */
    ck_assert_uint_eq(dist(0x4) >> 25 & 1, 0);    /* No1N */
    ck_assert_uint_eq(dist(0xffe8) >> 4 & 15, 3); /* PIDR2.ArchRev */
    ck_assert_uint_eq(redist(1, 0xffe8) >> 4 & 15, 3);
    ck_assert_uint_eq(dist(0xfff0) | dist(0xfff4) << 8 | dist(0xfff8) << 16 | dist(0xfffc) << 24, 0xb105f00d);
    ck_assert_uint_eq(dist(0x0) & 0x50, 0x50); /* ARE, DS */
    dist_put(0x0, 0);
    ck_assert_uint_eq(dist(0x0), 0x50); /* RAO/WI */
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

/* GICR_TYPER (GIC 12.11); both halves too. */
START_TEST(redistributor_typer)
{
    for (unsigned n = 0; n < CPUS; n++) {
        u64 typer = redist_as(false, n, 8, 8);
        ck_assert_uint_eq(typer >> 32, n);
        ck_assert_uint_eq(typer >> 8 & 0xffff, n);
        ck_assert_uint_eq(typer >> 4 & 1, n == CPUS - 1);
        ck_assert_uint_eq(typer >> 5 & 1, 1); /* DPGS */
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
    ck_assert_uint_eq(dist_as(false, IROUTER + 8 * 40, 8), 0xff80ffffff);
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

/* GIC 4.1: level: inactive, pending, active, (still asserted) pending again after deactivation. */
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

/* GIC 4.1: an edge is latched, also while the interrupt is active. */
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

/* GICD_ISPENDR, GICD_ICPENDR: software pending; on a level it does not survive the acknowledge, nor can ICPENDR lower a
 * wire. */
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

/* GICD_IROUTER: the PE that IROUTER names; a pending interrupt moves with it. */
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

/* Which PEs have their line up. */
static unsigned up(void)
{
    unsigned set = 0;
    for (unsigned n = 0; n < CPUS; n++)
        set |= (unsigned)(lines(n) == LINE_IRQ) << n;
    return set;
}

/* GICD_IROUTER.IRM: the lowest PE that is awake, has the group enabled and GICR_CTLR.DPG1NS clear (GIC 12.11) gets it,
 * and no other; when none does, it stays pending. */
START_TEST(one_of_n)
{
    for (unsigned n = 1; n < CPUS; n++)
        open_pe(n);
    config(3, 60, GROUP_1NS, 0x80);
    gic_set_spi(&gic, 60, true);
    ck_assert_uint_eq(up(), 8);
    dist_put_as(false, IROUTER + 8 * 60, 8, BIT(31) | 3);
    ck_assert_uint_eq(up(), 2); /* 0 sleeps */
    open_pe(0);
    ck_assert_uint_eq(up(), 1);
    redist_put(0, REDIST_CTLR, ~0u);
    ck_assert_uint_eq(redist(0, REDIST_CTLR), DPG_0 | DPG_1NS); /* one security state: no DPG1S */
    ck_assert_uint_eq(up(), 2);
    wr(pe(1), IGRPEN1, 0);
    ck_assert_uint_eq(up(), 4);
    redist_put(2, WAKER, 2);
    ck_assert_uint_eq(up(), 8);
    gic_disable_cpu(&gic, 3);
    ck_assert_uint_eq(up(), 0);
    ck_assert_uint_eq(dist(ISPENDR + 4), 1 << 28);
    redist_put(2, WAKER, 0);
    ck_assert_uint_eq(up(), 4);
    gic_reset_cpu(&gic, 2);
    ck_assert_uint_eq(up(), 0);
    redist_put(0, REDIST_CTLR, DPG_0);
    ck_assert_uint_eq(up(), 1);
    dist_put(IGROUPR + 4, 0); /* of group 0 now, which 1 has enabled */
    ck_assert_uint_eq(up(), 0);
    ck_assert_uint_eq(lines(1), LINE_FIQ);
    dist_put(IGROUPR + 4, 1 << 28);
    wr(pe(1), IGRPEN1, 1);
    ck_assert_uint_eq(rd(pe(1), IAR1), SPURIOUS);
    ck_assert_uint_eq(rd(pe(0), IAR1), 60);
    redist_put(0, REDIST_CTLR, DPG_1NS); /* active: whoever would be chosen now does not get it */
    ck_assert_uint_eq(up(), 0);
    ck_assert_uint_eq(rd(pe(1), IAR1), SPURIOUS);
    wr(pe(0), EOIR1, 60);
    ck_assert_uint_eq(up(), 2);
    ck_assert_uint_eq(rd(pe(1), IAR1), 60);
    wr(pe(1), EOIR1, 60);
    dist_put_as(false, IROUTER + 8 * 60, 8, 0); /* DPG* is about 1 of N only */
    ck_assert_uint_eq(up(), 1);
}
END_TEST

/* GICR_WAKER: nothing is forwarded to a sleeping interface. GIC 4.7: nor of a group disabled here or there. */
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

/* GIC 4.6: with one security state group 0 is FIQ, group 1 IRQ, at any EL. */
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

/* GIC 4.8: masks and the running priority let only higher priorities by; of equals the lower INTID comes first. */
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

/* GIC 4.8, preemption: three levels nest, and unwind. */
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

/* GIC 4.8, priority grouping: binary points; 5 bits of priority make the smallest BPR0 2, BPR1 3; ICC_CTLR_EL1.CBPR. */
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
    ck_assert_uint_eq(lines(0), 0); /* <7:5>: both 4 */
    wr(cpu, BPR0, 3);
    wr(cpu, CTLR, 1);
    ck_assert_uint_eq(rd(cpu, BPR1), 4); /* BPR0 + 1 */
    wr(cpu, BPR1, 7);
    ck_assert_uint_eq(rd(cpu, BPR1), 4);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    wr(cpu, BPR0, 7);
    ck_assert_uint_eq(rd(cpu, BPR1), 7); /* saturates */
    ck_assert_uint_eq(lines(0), 0);
    wr(cpu, CTLR, 0);
    ck_assert_uint_eq(rd(cpu, BPR1), 5);
    wr(cpu, EOIR1, 40);
    gic_set_spi(&gic, 40, false);
    ck_assert_uint_eq(rd(cpu, IAR1), 41);
    ck_assert_uint_eq(rd(cpu, RPR), 0x80); /* the group priority of 0x88 under BPR1 5 */
}
END_TEST

/* ICC_CTLR_EL1.EOImode: 1 splits priority drop and deactivation; DIR does nothing with EOImode 0. */
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

/* ICC_SGI1R_EL1, ICC_SGI0R_EL1: SGIs to a list of PEs, to all others, to nobody. */
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

/* Any sequence of accesses leaves the kept best interrupt and the lines what they would be if found anew, and a state
 * that gic_validate accepts. */
START_TEST(derived_state)
{
    static const u32 keys[] = { PMR,      IAR0,    EOIR0,    BPR0,    AP0R0,       AP1R0,       DIR,        IAR1,
                                EOIR1,    BPR1,    CTLR,     IGRPEN0, IGRPEN1,     SGI1R,       SGI0R,      ICH_AP0R,
                                ICH_AP1R, ICH_HCR, ICH_VMCR, ICH_LR0, ICH_LR0 + 1, ICH_LR0 + 2, ICH_LR0 + 3 };
    static const u16 offsets[] = { 0,         IGROUPR,    ISENABLER, ICENABLER, ISPENDR, ICPENDR,    ISACTIVER,
                                   ICACTIVER, IPRIORITYR, ICFGR,     IGRPMODR,  NSACR,   SETSPI_NSR, CLRSPI_NSR };
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
            bool message = offset >= SETSPI_NSR && offset < IGROUPR;
            dist_put_as(v & 1, offset, 4, message ? 32 + r % 80 : offset ? v * 0x10001 : v);
        } else if (what == 4) {
            redist_put_as(v & 1, cpu->index, offset ? SGI + offset : v & 2 ? WAKER : REDIST_CTLR, 4, v * 0x10001);
        } else if (what == 5) {
            dist_put_as(false, IROUTER + 8 * (32 + r % 80), 8, v & 8 ? BIT(31) : v % (CPUS + 1));
        } else {
            u32 key = keys[random_next(&seed) % ARRAY_LEN(keys)];
            cpu->sys.hcr_el2 = r >> 12 & (BIT(HCR_IMO) | BIT(HCR_FMO));
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
        for (unsigned n = 0; n < CPUS * CPUS; n++) /* no SPI is forwarded to two PEs */
            if (n % CPUS != n / CPUS && best[n % CPUS].intid >= GIC_BANK && best[n % CPUS].intid < GIC_INTIDS)
                ck_assert_msg(best[n % CPUS].intid != best[n / CPUS].intid, "step %u: action %u", step, what);
        for (unsigned n = 0; n < CPUS; n++) {
            ck_assert_msg(before[n] == lines(n), "step %u: action %u, PE %u had %x, has %x", step, what, n, before[n],
                          lines(n));
            signalled |= lines(n);
        }
        ck_assert_msg(gic_validate(&gic), "step %u: action %u", step, what);
    }
    ck_assert_uint_eq(signalled, LINE_IRQ | LINE_FIQ | LINE_VIRQ | LINE_VFIQ); /* the walk went somewhere */
}
END_TEST

/* A PE's reset takes its CPU interface back, and leaves redistributor and other PEs as they are. */
START_TEST(reset_of_one)
{
    for (unsigned n = 0; n < 2; n++) {
        open_pe(n);
        config(n, 20, GROUP_1NS, 0x80);
        gic_set_ppi(&gic, n, 20, true);
        ck_assert_uint_eq(rd(pe(n), IAR1), 20);
        pe(n)->sys.ich_hcr_el2 = 3; /* UIE: the maintenance interrupt is up */
        ich_update(&gic, pe(n));
    }
    gic_reset_cpu(&gic, 1);
    ck_assert_uint_eq(rd(pe(1), RPR), 0xff);
    ck_assert_uint_eq(rd(pe(1), PMR) | rd(pe(1), IGRPEN1), 0);
    ck_assert_uint_eq(pe(1)->sys.ich_hcr_el2, 0);
    ck_assert_uint_eq(gic.ppi[1].level, 1 << 20);
    ck_assert_uint_eq(redist(1, SGI + ISENABLER), 1 << 20);
    ck_assert_uint_eq(redist(1, WAKER), 0);
    ck_assert_uint_eq(rd(pe(0), RPR), 0x80);
    ck_assert_uint_eq(gic.ppi[0].level, 1 << 20 | 1 << 25);
}
END_TEST

/* Wires that are not there. */
START_TEST(no_such_wire)
{
    static struct gic before;
    before = gic;
    for (unsigned intid = 0; intid < 2000; intid++) {
        if (intid < 32 || intid >= GIC_INTIDS)
            gic_set_spi(&gic, intid, true);
        if (intid < 16 || intid >= 32)
            gic_set_ppi(&gic, 0, intid, true);
        gic_set_ppi(&gic, CPUS + intid, 20, true);
    }
    ck_assert_mem_eq(&gic, &before, offsetof(struct gic, d));
}
END_TEST

/* No offset, size (aligned or not), security or value does harm, and what is read fits the size. */
START_TEST(any_access)
{
    u32 seed = 3;
    for (unsigned step = 0; step < rounds(200000); step++) {
        u32 r = random_next(&seed);
        unsigned size = 1u << (r & 3);
        u64 at = random_next(&seed) % (step & 1 ? 0x10100 : 0x90000), v = 0, out = 0;
        if (r & 4)
            at &= 0x30fff; /* where the registers are */
        v = (u64)random_next(&seed) << 40 | (u64)random_next(&seed) << 20 | random_next(&seed);
        bool ns = r & 8, ok;
        if (step & 1)
            ok = r & 16 ? gic_dist_write(&gic, at, size, attrs(ns), v) : gic_dist_read(&gic, at, size, attrs(ns), &out);
        else
            ok = r & 16 ? gic_redist_write(&gic, at, size, attrs(ns), v)
                        : gic_redist_read(&gic, at, size, attrs(ns), &out);
        ck_assert(ok == (at < (step & 1 ? 0x10000u : CPUS * 0x20000u)));
        ck_assert(!(out & ~ones(size * 8)));
        ck_assert_msg(gic_validate(&gic), "step %u", step);
    }
    ck_assert(gic_bank(&gic, 0, 40)->enable != 0); /* the walk went somewhere */
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
    ck_assert(REFUSED(cpu[CPUS - 1].bpr[GROUP_1NS], 0));
    ck_assert(REFUSED(cpu[0].bpr[GROUP_0], 8));
    ck_assert(REFUSED(cpu[1].igrpen[GROUP_0], 2));
    ck_assert(REFUSED(cpu[1].pmr, 0x100));
    ck_assert(REFUSED(cpu[1].waker, 2));
    ck_assert(REFUSED(cpu[1].ich_vmcr, 0));
    ck_assert(REFUSED(spi[3].priority[31], 1));
    ck_assert(REFUSED(ppi[3].edge, 0));
    ck_assert(REFUSED(wire[2], 1)); /* and its level is low */
    ck_assert(REFUSED(message[7], 1));
    ck_assert(REFUSED(redist[2].ctlr, 1));
    gic = good;
}
END_TEST

/* ---- Message-based SPIs ---- */

/* GIC 12.9 GICD_SETSPI_NSR: an edge is latched until it is acknowledged or cleared; a word or its lower half. */
START_TEST(message_edge)
{
    open_pe(1);
    config(1, 41, GROUP_1NS, 0xa0);
    ck_assert_uint_eq(dist(4) >> 16 & 1, 1); /* MBIS */
    dist_put(ICFGR + 8, 2 << 18);
    dist_put(SETSPI_NSR, 41);
    ck_assert_uint_eq(lines(1), LINE_IRQ);
    ck_assert_uint_eq(dist(SETSPI_NSR), 0); /* write-only */
    ck_assert_uint_eq(rd(pe(1), IAR1), 41);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0);
    dist_put_as(false, SETSPI_NSR, 2, 41);
    ck_assert_uint_eq(dist(ISPENDR + 4), 1 << 9); /* active and pending */
    wr(pe(1), EOIR1, 41);
    ck_assert_uint_eq(lines(1), LINE_IRQ);
    dist_put_as(false, CLRSPI_NSR, 2, 41);
    ck_assert_uint_eq(lines(1), 0);
    dist_put(SETSPI_NSR, 41);
    dist_put(ICPENDR + 4, 1 << 9);
    ck_assert_uint_eq(lines(1), 0);
    ck_assert_uint_eq(gic.message[0], 0);
}
END_TEST

/* The same: a level stays through acknowledge, end and ICPENDR until a message lowers it; a wire adds to it. Setting
 * what is pending does nothing. */
START_TEST(message_level)
{
    open_pe(0);
    config(0, 40, GROUP_1NS, 0xa0);
    dist_put(SETSPI_NSR, 40);
    ck_assert_uint_eq(rd(pe(0), IAR1), 40);
    ck_assert_uint_eq(dist(ISPENDR + 4), 1 << 8);
    dist_put(ICPENDR + 4, 1 << 8);
    wr(pe(0), EOIR1, 40);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert(gic_validate(&gic));
    gic_set_spi(&gic, 40, true);
    gic_set_spi(&gic, 40, false); /* the wire lowers its own */
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    gic_set_spi(&gic, 40, true);
    dist_put(CLRSPI_NSR, 40); /* and so does a message */
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    dist_put(SETSPI_NSR, 40); /* pending: no effect */
    gic_set_spi(&gic, 40, false);
    ck_assert_uint_eq(lines(0), 0);
    dist_put(ISPENDR + 4, 1 << 8); /* what software pended goes, too */
    dist_put(CLRSPI_NSR, 40);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert(gic_validate(&gic));
}
END_TEST

/* A wire's edge is an edge also while a message from before, when it was a level, is still held. */
START_TEST(message_and_edges)
{
    open_pe(0);
    config(0, 40, GROUP_1NS, 0xa0);
    dist_put(SETSPI_NSR, 40);
    dist_put(ICFGR + 8, 2 << 16);
    ck_assert_uint_eq(lines(0), 0);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
}
END_TEST

/* INTIDs that are no SPI of this GIC change nothing and are told; <31:13> is RES0; with one security state there are no
 * Secure SPIs, and the Secure registers are WI. */
START_TEST(message_refused)
{
    static const unsigned wrong[] = { 0, 31, GIC_INTIDS, 1023, 0x1fff };
    static const u32 registers[] = { SETSPI_NSR, CLRSPI_NSR };
    struct gic before = gic;
    for (unsigned n = 0; n < ARRAY_LEN(wrong) * 2; n++) {
        dist_put(registers[n % 2], wrong[n / 2]);
        ck_assert_uint_eq(gic.d.no_such_spi, 1);
        gic.d.no_such_spi = 0;
    }
    dist_put(SETSPI_SR, 40);
    dist_put(SETSPI_SR, 0);
    ck_assert_mem_eq(&before, &gic, sizeof(gic));
    dist_put(SETSPI_NSR, 0xffffe000 | (GIC_INTIDS - 1));
    dist_put(CLRSPI_SR, GIC_INTIDS - 1);
    ck_assert_uint_eq(dist(ISPENDR + 32), 1u << 31);
    ck_assert_uint_eq(gic.d.no_such_spi, 0);
}
END_TEST

Suite *test_gic_suite(void)
{
    Suite *s = suite_create("gic");
    TCase *one = tcase_create("one security state");
    TCase *two = tcase_create("two security states");
    tcase_add_checked_fixture(one, setup_single, teardown);
    tcase_set_timeout(one, 60);
    const TTest *const one_tests[] = {
        frames_identify,
        redistributor_typer,
        distributor_registers,
        level_life,
        edge_life,
        software_pending,
        routing,
        one_of_n,
        what_is_forwarded,
        groups_single_state,
        priority_mask,
        preemption,
        binary_points,
        eoimode,
        sgis,
        derived_state,
        reset_of_one,
        no_such_wire,
        any_access,
        validate_refuses,
        message_edge,
        message_level,
        message_and_edges,
        message_refused,
    };
    for (unsigned n = 0; n < ARRAY_LEN(one_tests); n++)
        tcase_add_test(one, one_tests[n]);
    suite_add_tcase(s, one);
    tcase_add_checked_fixture(two, setup_security, teardown);
    tcase_set_timeout(two, 60);
    const TTest *const two_tests[] = {
        derived_state,
        any_access,
    };
    for (unsigned n = 0; n < ARRAY_LEN(two_tests); n++)
        tcase_add_test(two, two_tests[n]);
    suite_add_tcase(s, two);
    return s;
}
