/*
 * The generic timers, driven through their registers (with access rules) and the two functions of the event loop,
 * without instructions. Each test names the section of the Arm ARM (D11, D19.12) it is about.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "gic/gic.h"
#include "timer/timer.h"

Suite *test_timer_suite(void);

enum {
    CNTFRQ = SYSREG_KEY(3, 3, 14, 0, 0),
    CNTPCT = SYSREG_KEY(3, 3, 14, 0, 1),
    CNTVCT = SYSREG_KEY(3, 3, 14, 0, 2),
    CNTKCTL = SYSREG_KEY(3, 0, 14, 1, 0),
    CNTKCTL_EL12 = SYSREG_KEY(3, 5, 14, 1, 0),
    CNTHCTL = SYSREG_KEY(3, 4, 14, 1, 0),
    CNTVOFF = SYSREG_KEY(3, 4, 14, 0, 3),
    CNTP_TVAL = SYSREG_KEY(3, 3, 14, 2, 0),
    CNTV_TVAL = SYSREG_KEY(3, 3, 14, 3, 0),
    CNTHP_TVAL = SYSREG_KEY(3, 4, 14, 2, 0),
    CNTHV_TVAL = SYSREG_KEY(3, 4, 14, 3, 0),
    CNTPS_TVAL = SYSREG_KEY(3, 7, 14, 2, 0),
    CNTP_TVAL_EL02 = SYSREG_KEY(3, 5, 14, 2, 0),
    CNTV_TVAL_EL02 = SYSREG_KEY(3, 5, 14, 3, 0),
};
enum { TVAL, CTL, CVAL }; /* added to the key of TVAL */
enum { ENABLE = 1, IMASK = 2, ISTATUS = 4, TICK = TIMER_TICK_NS };
#define E2H   BIT(34)
#define TGE   BIT(27)
#define NEVER (~(u64)0)

static struct gic gic;
static struct timers timers;
static struct cpu *cpu;

static void setup(void)
{
    cpu = calloc(1, sizeof *cpu);
    ck_assert_ptr_nonnull(cpu);
    static const enum feature features[] = { FEAT_BASE, FEAT_GICV3, FEAT_EL2, FEAT_EL3, FEAT_VHE };
    for (unsigned n = 0; n < ARRAY_LEN(features); n++)
        feature_add(&cpu->features, features[n]);
    cpu->d.host.gic = &gic;
    cpu->d.host.timers = &timers;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    cpu->d.deadline = NEVER;
    sysreg_reset(cpu);
    timer_reset(&timers);
    gic_reset(&gic, cpu, 1, true);
    cpu->sys.scr_el3 = 1 | BIT(10);
    cpu->sys.cntvoff_el2 = 0;
    cpu->ps.el = 2;
    cpu_control_changed(cpu);
}
static void teardown(void) { free(cpu); }

static void at(unsigned el)
{
    cpu->ps.el = (u8)el;
    cpu_control_changed(cpu);
}
static void hcr(u64 v)
{
    cpu->sys.hcr_el2 = v | BIT(31);
    cpu_control_changed(cpu);
}
static void now_is(u64 ns) { cpu->d.now = ns; }

static u64 rd(u32 key)
{
    u64 v = 0;
    ck_assert_msg(sysreg_read(cpu, key, 0, &v), "read of %s fails at EL%u", sysreg_find(key)->name, cpu->ps.el);
    return v;
}
static void wr(u32 key, u64 v)
{
    ck_assert_msg(sysreg_write(cpu, key, 0, v), "write of %s fails at EL%u", sysreg_find(key)->name, cpu->ps.el);
}
static bool output(unsigned ppi) { return bit(gic.ppi[0].level, ppi); }

/* ---- Counters ---- */

/* D11.1, D11.2: counts are exact at the instruction; CNTVOFF shows in the virtual one, but not in a host. */
START_TEST(counters)
{
    ck_assert_uint_eq(rd(CNTFRQ), 62500000);
    now_is(16 * 1000 + 15);
    ck_assert_uint_eq(rd(CNTPCT), 1000);
    ck_assert_uint_eq(rd(CNTVCT), 1000);
    now_is(16 * 1001);
    ck_assert_uint_eq(rd(CNTPCT), 1001);
    wr(CNTVOFF, 1002);
    ck_assert_uint_eq(rd(CNTVCT), NEVER); /* -1 */
    wr(CNTVOFF, 1);
    ck_assert_uint_eq(rd(CNTVCT), 1000);
    hcr(E2H); /* EL2 of a host */
    ck_assert_uint_eq(rd(CNTVCT), 1001);
    at(1);
    ck_assert_uint_eq(rd(CNTVCT), 1000);
    wr(CNTKCTL, 2);
    at(0);
    ck_assert_uint_eq(rd(CNTVCT), 1000);
    hcr(E2H | TGE);
    cpu->sys.cnthctl_el2 = 2;
    cpu_control_changed(cpu);
    ck_assert_uint_eq(rd(CNTVCT), 1001);
    at(3);
    ck_assert_uint_eq(rd(CNTVCT), 1000);
    ck_assert_uint_eq(rd(CNTPCT), 1001);
}
END_TEST

/* D19.12 CNTFRQ_EL0: written at the highest EL only, 32 bits. */
START_TEST(frequency)
{
    for (unsigned el = 0; el < 3; el++) {
        at(el);
        ck_assert(!sysreg_write(cpu, CNTFRQ, 0, 1));
        ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    }
    at(3);
    wr(CNTFRQ, 0x100000005);
    ck_assert_uint_eq(rd(CNTFRQ), 5);
    feature_remove(&cpu->features, FEAT_EL3);
    at(2);
    wr(CNTFRQ, 6);
    ck_assert_uint_eq(rd(CNTFRQ), 6);
}
END_TEST

/* ---- Conditions and outputs ---- */

/* D11.2: every timer: CVAL, its condition at the tick, mask, PPI, the moment that the event loop is told. */
START_TEST(conditions)
{
    static const struct {
        u32 tval;
        unsigned el, ppi;
    } table[] = {
        { CNTP_TVAL, 1, 30 }, { CNTV_TVAL, 1, 27 }, { CNTHP_TVAL, 2, 26 }, { CNTHV_TVAL, 2, 28 }, { CNTPS_TVAL, 3, 29 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        u32 ctl = table[n].tval + CTL, cval = table[n].tval + CVAL;
        at(table[n].el);
        cpu->sys.cnthctl_el2 = 3;
        now_is(100 * TICK);
        wr(cval, 200);
        ck_assert_uint_eq(timer_next_event(cpu, 100 * TICK), NEVER);
        wr(ctl, ENABLE);
        ck_assert_uint_eq(rd(ctl), ENABLE);
        ck_assert_uint_eq(timer_next_event(cpu, 100 * TICK + 5), 200 * TICK);
        now_is(200 * TICK - 1);
        ck_assert_uint_eq(rd(ctl), ENABLE);
        now_is(200 * TICK);
        ck_assert_uint_eq(rd(ctl), ENABLE | ISTATUS); /* exact, before any event ran */
        ck_assert(!output(table[n].ppi));
        timer_update(cpu, 200 * TICK);
        ck_assert_uint_eq(gic.ppi[0].level, BIT(table[n].ppi));
        wr(ctl, ENABLE | IMASK);
        ck_assert_uint_eq(rd(ctl), ENABLE | IMASK | ISTATUS);
        ck_assert(!output(table[n].ppi)); /* at once */
        wr(ctl, ENABLE);
        ck_assert(output(table[n].ppi));
        wr(cval, 201);
        ck_assert(!output(table[n].ppi));
        wr(cval, 200);
        ck_assert(output(table[n].ppi));
        wr(ctl, 0);
        ck_assert_uint_eq(rd(ctl), 0);
        ck_assert_uint_eq(gic.ppi[0].level, 0);
    }
}
END_TEST

/* D11.2, TimerValue: a signed 32-bit view that runs down; writing it sets CVAL; reading has no upper half. */
START_TEST(timer_value)
{
    now_is(1000 * TICK);
    wr(CNTHP_TVAL, 50);
    ck_assert_uint_eq(rd(CNTHP_TVAL + CVAL), 1050);
    wr(CNTHP_TVAL + CTL, ENABLE);
    now_is(1010 * TICK);
    ck_assert_uint_eq(rd(CNTHP_TVAL), 40);
    now_is(1060 * TICK);
    ck_assert_uint_eq(rd(CNTHP_TVAL), 0xfffffff6); /* -10 */
    wr(CNTHP_TVAL, 0xdead00000000ffff);
    ck_assert_uint_eq(rd(CNTHP_TVAL + CVAL), 1060 + 0xffff);
    wr(CNTHP_TVAL, 0xfffffffe);
    ck_assert_uint_eq(rd(CNTHP_TVAL + CVAL), 1058);
    ck_assert_uint_eq(rd(CNTHP_TVAL + CTL), ENABLE | ISTATUS);
    wr(CNTHP_TVAL + CVAL, 0x200000001060);
    ck_assert_uint_eq(rd(CNTHP_TVAL), 0x1060 - 1060);
    at(1);
    wr(CNTV_TVAL + CTL, ENABLE);
    cpu->sys.cntvoff_el2 = 60;
    wr(CNTV_TVAL, 5);
    ck_assert_uint_eq(rd(CNTV_TVAL + CVAL), 1005);
    ck_assert_uint_eq(timer_next_event(cpu, 1060 * TICK), 1065 * TICK);
}
END_TEST

/* D11.2, CompareValue: conditions are unsigned; an output falls again when the offset count wraps; times that don't fit
 * are never. */
START_TEST(wrapping)
{
    now_is(100 * TICK);
    wr(CNTVOFF, 300); /* virtual count -200 */
    at(1);
    wr(CNTV_TVAL + CVAL, 50);
    wr(CNTV_TVAL + CTL, ENABLE);
    ck_assert(output(27));
    ck_assert_uint_eq(timer_next_event(cpu, 100 * TICK), 300 * TICK);
    timer_update(cpu, 300 * TICK);
    ck_assert(!output(27));
    ck_assert_uint_eq(timer_next_event(cpu, 300 * TICK), 350 * TICK);
    timer_update(cpu, 350 * TICK);
    ck_assert(output(27));
    ck_assert_uint_eq(timer_next_event(cpu, 350 * TICK), NEVER); /* 2^64 ticks away */
    wr(CNTV_TVAL + CVAL, 0);
    ck_assert_uint_eq(timer_next_event(cpu, 100 * TICK), NEVER);
    wr(CNTV_TVAL + CVAL, NEVER);
    ck_assert_uint_eq(timer_next_event(cpu, 350 * TICK), NEVER);
    now_is(NEVER);
    wr(CNTV_TVAL + CVAL, (NEVER >> 4) - 300);
    ck_assert(output(27));
}
END_TEST

/* A change of CNTVOFF_EL2 is a change of the virtual timer's condition. */
START_TEST(offset_moves_condition)
{
    now_is(100 * TICK);
    cpu->sys.cntv_cval_el0 = 90;
    cpu->sys.cntv_ctl_el0 = ENABLE;
    timer_update(cpu, 100 * TICK);
    ck_assert(output(27));
    wr(CNTVOFF, 20);
    ck_assert(!output(27));
    ck_assert_uint_eq(timer_next_event(cpu, 100 * TICK), 110 * TICK);
    feature_remove(&cpu->features, FEAT_EL2); /* no EL2, no offset */
    timer_update(cpu, 100 * TICK);
    ck_assert(output(27));
}
END_TEST

/* The slice must end at an event that a write has just made. */
START_TEST(slice_is_cut)
{
    now_is(100 * TICK);
    cpu->d.deadline = 150 * TICK;
    cpu->d.attention = 0;
    wr(CNTHP_TVAL + CTL, ENABLE);
    wr(CNTHP_TVAL + CVAL, 150);
    ck_assert_uint_eq(cpu->d.attention & ATT_LOOK, 0);
    wr(CNTHP_TVAL + CVAL, 149);
    ck_assert_uint_eq(cpu->d.attention & ATT_LOOK, ATT_LOOK);
    cpu->d.attention = 0;
    wr(CNTHP_TVAL, 3);
    ck_assert_uint_eq(cpu->d.attention & ATT_LOOK, ATT_LOOK);
    cpu->d.attention = 0;
    wr(CNTHP_TVAL + CTL, ENABLE | IMASK);
    ck_assert_uint_eq(cpu->d.attention & ATT_LOOK, 0);
}
END_TEST

/* ---- Which timer, where ---- */

/* D11.2 and D19.12 "accessibility": with E2H EL2, and EL0 of a host, reach EL2's timers by EL1's names. */
START_TEST(redirection)
{
    hcr(E2H);
    wr(CNTP_TVAL + CVAL, 11);
    wr(CNTV_TVAL + CVAL, 12);
    wr(CNTP_TVAL_EL02 + CVAL, 13);
    wr(CNTV_TVAL_EL02 + CVAL, 14);
    ck_assert_uint_eq(cpu->sys.cnthp_cval_el2, 11);
    ck_assert_uint_eq(cpu->sys.cnthv_cval_el2, 12);
    ck_assert_uint_eq(cpu->sys.cntp_cval_el0, 13);
    ck_assert_uint_eq(cpu->sys.cntv_cval_el0, 14);
    wr(CNTKCTL, 0xf03);
    ck_assert_uint_eq(cpu->sys.cnthctl_el2, 0xf03);
    wr(CNTKCTL_EL12, 0x300);
    ck_assert_uint_eq(cpu->sys.cntkctl_el1, 0x300);
    at(0);
    ck_assert_uint_eq(rd(CNTP_TVAL + CVAL), 13); /* EL0 of a guest */
    hcr(E2H | TGE);
    ck_assert_uint_eq(rd(CNTP_TVAL + CVAL), 11);
    ck_assert_uint_eq(rd(CNTV_TVAL + CVAL), 12);
    now_is(100 * TICK);
    wr(CNTV_TVAL, 7);
    ck_assert_uint_eq(cpu->sys.cnthv_cval_el2, 107);
    wr(CNTP_TVAL + CTL, ENABLE);
    ck_assert(output(26));
    hcr(0);
    at(2);
    wr(CNTP_TVAL + CVAL, 15);
    ck_assert_uint_eq(cpu->sys.cntp_cval_el0, 15);
    ck_assert(!sysreg_write(cpu, CNTP_TVAL_EL02 + CVAL, 0, 0)); /* needs E2H */
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
}
END_TEST

/* CNTPS: EL3's, and Secure EL1's where SCR_EL3.ST lets it. */
START_TEST(secure_timer)
{
    u64 v;
    at(2);
    ck_assert(!sysreg_read(cpu, CNTPS_TVAL + CTL, 0, &v));
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    at(1);
    ck_assert(!sysreg_read(cpu, CNTPS_TVAL + CTL, 0, &v));
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    cpu->sys.scr_el3 = BIT(10);
    at(1);
    ck_assert(!sysreg_read(cpu, CNTPS_TVAL + CTL, 0, &v));
    ck_assert_uint_eq(cpu->d.exc.ec, EC_SYSREG);
    ck_assert_uint_eq(cpu->d.exc.target_el, 3);
    cpu->sys.scr_el3 = BIT(10) | BIT(11);
    at(1);
    wr(CNTPS_TVAL + CTL, ENABLE);
    at(3);
    ck_assert_uint_eq(rd(CNTPS_TVAL + CTL) & 3, ENABLE);
}
END_TEST

/* D11.2, CNTKCTL_EL1 and CNTHCTL_EL2 in both formats: what traps, and where to. */
START_TEST(access_controls)
{
    static const struct {
        u32 key;
        unsigned el;
        u64 hcr, kctl, hctl;
        unsigned target;
    } table[] = {
        { CNTPCT, 0, 0, 0, 3, 1 },
        { CNTPCT, 0, 0, 1, 3, 0 },
        { CNTPCT, 0, 0, 1, 2, 2 },
        { CNTPCT, 1, 0, 0, 3, 0 },
        { CNTPCT, 1, 0, 0, 2, 2 },
        { CNTPCT, 2, 0, 0, 0, 0 },
        { CNTPCT, 0, TGE, 0, 3, 2 },
        { CNTPCT, 1, E2H, 0, 0x3ff, 2 },
        { CNTPCT, 1, E2H, 0, 0x400, 0 },
        { CNTPCT, 0, E2H, 1, 0x3ff, 2 },
        { CNTPCT, 0, E2H, 0, 0x400, 1 },
        { CNTPCT, 0, E2H | TGE, 0, 1, 0 },
        { CNTPCT, 0, E2H | TGE, 3, 0xffe, 2 },
        { CNTVCT, 0, 0, 1, 3, 1 },
        { CNTVCT, 0, 0, 2, 0, 0 },
        { CNTVCT, 1, 0, 0, 0, 0 },
        { CNTVCT, 0, E2H | TGE, 3, 1, 2 },
        { CNTVCT, 0, E2H | TGE, 0, 2, 0 },
        { CNTFRQ, 0, 0, 0, 3, 1 },
        { CNTFRQ, 0, 0, 1, 0, 0 },
        { CNTFRQ, 0, 0, 2, 0, 0 },
        { CNTFRQ, 0, E2H | TGE, 3, 0, 2 },
        { CNTFRQ, 0, E2H | TGE, 0, 2, 0 },
        { CNTFRQ, 1, 0, 0, 0, 0 },
        { CNTP_TVAL + CTL, 0, 0, 0x1ff, 3, 1 },
        { CNTP_TVAL + CTL, 0, 0, 0x200, 3, 0 },
        { CNTP_TVAL, 0, 0, 0x200, 1, 2 },
        { CNTP_TVAL + CVAL, 1, 0, 0, 1, 2 },
        { CNTP_TVAL + CVAL, 1, 0, 0, 2, 0 },
        { CNTP_TVAL, 1, E2H, 0, 0x7ff, 2 },
        { CNTP_TVAL, 1, E2H, 0, 0x800, 0 },
        { CNTP_TVAL, 0, E2H | TGE, 0x3ff, 0xdff, 2 },
        { CNTP_TVAL, 0, E2H | TGE, 0, 0x200, 0 },
        { CNTV_TVAL + CTL, 0, 0, 0x2ff, 3, 1 },
        { CNTV_TVAL + CTL, 0, 0, 0x100, 0, 0 },
        { CNTV_TVAL, 1, 0, 0, 0, 0 },
        { CNTV_TVAL, 0, E2H | TGE, 0x3ff, 0xeff, 2 },
        { CNTV_TVAL, 0, E2H | TGE, 0, 0x100, 0 },
        { CNTV_TVAL, 0, TGE, 0x2ff, 3, 2 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        u64 v;
        hcr(table[n].hcr);
        at(3);
        cpu->sys.cntkctl_el1 = table[n].kctl;
        wr(CNTHCTL, table[n].hctl); /* by the hook: it must make the traps of lower ELs known */
        at(table[n].el);
        bool ok = sysreg_read(cpu, table[n].key, 5, &v);
        ck_assert_msg(ok == !table[n].target, "row %u", n);
        if (!ok) {
            ck_assert_uint_eq(cpu->d.exc.ec, EC_SYSREG);
            ck_assert_msg(cpu->d.exc.target_el == table[n].target, "row %u to EL%u", n, cpu->d.exc.target_el);
        }
    }
}
END_TEST

/* The same by the write alone: EL1's known traps are found again, those of EL2, which writes, stay. */
START_TEST(access_follows_writes)
{
    u64 v;
    at(1);
    ck_assert(sysreg_read(cpu, CNTPCT, 0, &v));
    ck_assert(sysreg_read(cpu, CNTP_TVAL, 0, &v));
    cpu->ps.el = 2;
    cpu->d.live_traps[2] = trap_live(cpu, 2);
    wr(CNTHCTL, 1);
    ck_assert_uint_eq(cpu->d.live_traps[2] >> 63, 1);
    cpu->ps.el = 1;
    if (!cpu->d.live_traps[1])
        cpu->d.live_traps[1] = trap_live(cpu, 1);
    ck_assert(sysreg_read(cpu, CNTPCT, 0, &v));
    ck_assert(!sysreg_read(cpu, CNTP_TVAL, 0, &v));
}
END_TEST

/* Control bits that exist. <11:8> of CNTHCTL_EL2 come with VHE. */
START_TEST(control_bits)
{
    wr(CNTHCTL, NEVER);
    ck_assert_uint_eq(rd(CNTHCTL), 0xfff);
    wr(CNTKCTL, NEVER);
    ck_assert_uint_eq(rd(CNTKCTL), 0x3ff);
    feature_remove(&cpu->features, FEAT_VHE);
    wr(CNTHCTL, NEVER);
    ck_assert_uint_eq(rd(CNTHCTL), 0xff);
    wr(CNTHP_TVAL + CTL, NEVER);
    ck_assert_uint_eq(rd(CNTHP_TVAL + CTL) & ~(u64)ISTATUS, 3);
}
END_TEST

/* ---- Event streams ---- */

enum { EVNTEN = 4, EVNTDIR = 8 };
static u64 evnti(unsigned n) { return (u64)n << 4; }

/* D11.2, event streams: 0 to 1 of bit EVNTI, or 1 to 0 with EVNTDIR; the moments are told while the PE waits in WFE. */
START_TEST(event_stream)
{
    now_is(0);
    wr(CNTHCTL, EVNTEN | evnti(3)); /* at counts 8, 24, 40... */
    ck_assert_uint_eq(timer_next_event(cpu, 0), NEVER);
    cpu->halted = HALT_WFE;
    ck_assert_uint_eq(timer_next_event(cpu, 0), 8 * TICK);
    ck_assert_uint_eq(timer_next_event(cpu, 8 * TICK), 24 * TICK);
    timer_update(cpu, 8 * TICK - 1);
    ck_assert_uint_eq(cpu->event, 0);
    timer_update(cpu, 8 * TICK);
    ck_assert_uint_eq(cpu->event, 1);
    cpu->event = 0;
    timer_update(cpu, 24 * TICK - 1);
    ck_assert_uint_eq(cpu->event, 0);
    timer_update(cpu, 24 * TICK);
    ck_assert_uint_eq(cpu->event, 1);
    now_is(24 * TICK);
    cpu->event = 0;
    wr(CNTHCTL, EVNTEN | EVNTDIR | evnti(3)); /* at counts 32, 48... */
    ck_assert_uint_eq(timer_next_event(cpu, 24 * TICK), 32 * TICK);
    timer_update(cpu, 32 * TICK - 1);
    ck_assert_uint_eq(cpu->event, 0);
    timer_update(cpu, 33 * TICK);
    ck_assert_uint_eq(cpu->event, 1);
    cpu->event = 0;
    now_is(33 * TICK);
    wr(CNTHCTL, EVNTDIR | evnti(3)); /* EVNTEN off */
    timer_update(cpu, 1000 * TICK);
    ck_assert_uint_eq(cpu->event, 0);
    now_is(500 * TICK);
    wr(CNTHCTL, EVNTEN | evnti(3));
    now_is(700 * TICK);
    wr(CNTHCTL, evnti(3)); /* the edges until then count */
    ck_assert_uint_eq(cpu->event, 1);
    cpu->event = 0;
    now_is(1000 * TICK);
    wr(CNTHCTL, EVNTEN | evnti(15)); /* what went before it was on is no edge */
    timer_update(cpu, 1001 * TICK);
    ck_assert_uint_eq(cpu->event, 0);
    ck_assert_uint_eq(timer_next_event(cpu, 1001 * TICK), 32768 * TICK);
}
END_TEST

/* CNTP_CTL_EL0.ISTATUS */
static bool physical_fires(u64 now)
{
    const struct sysreg *ctl = sysreg_find(SYSREG_KEY(3, 3, 14, 2, 1));
    now_is(now);
    return bit(ctl->read(cpu, ctl), 2);
}

/* FEAT_ECV_POFF (D11.2, D19.12 CNTPOFF_EL2): the EL1 physical timer is late by the offset, its TVAL at EL1 too, at EL2
 * not; not without CNTHCTL_EL2.ECV, nor without SCR_EL3.ECVEn. */
START_TEST(physical_offset)
{
    feature_add(&cpu->features, FEAT_CNTPOFF);
    feature_add(&cpu->features, FEAT_ECV);
    cpu->sys.scr_el3 |= BIT(0) | BIT(28);
    cpu->sys.cntpoff_el2 = 1000;
    cpu->sys.cnthctl_el2 = 3 | BIT(12);
    cpu->sys.cntp_cval_el0 = 5000;
    cpu->sys.cntp_ctl_el0 = 1;
    now_is(0);
    ck_assert_uint_eq(timer_next_event(cpu, 2000 * TICK), 6000 * TICK);
    ck_assert(!physical_fires(6000 * TICK - 1) && physical_fires(6000 * TICK));
    const struct sysreg *tval = sysreg_find(SYSREG_KEY(3, 3, 14, 2, 0));
    now_is(2000 * TICK);
    cpu->ps.el = 1;
    ck_assert_uint_eq(tval->read(cpu, tval), 4000);
    cpu->ps.el = 2;
    ck_assert_uint_eq(tval->read(cpu, tval), 3000);
    cpu->sys.scr_el3 &= ~BIT(28);
    ck_assert(physical_fires(5000 * TICK));
    cpu->sys.scr_el3 |= BIT(28);
    cpu->sys.cnthctl_el2 = 3;
    ck_assert(physical_fires(5000 * TICK));
}
END_TEST

/* Every timer that the PE has is shown, with the count that it compares with. */
START_TEST(views)
{
    static const struct {
        const char *name, *offset;
        u64 count;
        bool plain; /* there without Secure EL2 */
    } want[] = {
        { "CNTP_CTL_EL0", "CNTPOFF_EL2", 1000, true }, { "CNTV_CTL_EL0", "CNTVOFF_EL2", 1700, true },
        { "CNTHP_CTL_EL2", NULL, 2000, true },         { "CNTHV_CTL_EL2", NULL, 2000, true },
        { "CNTPS_CTL_EL1", NULL, 2000, true },         { "CNTHPS_CTL_EL2", NULL, 2000, false },
        { "CNTHVS_CTL_EL2", NULL, 2000, false },
    };
    struct timer_view v;
    cpu->sys.cntvoff_el2 = 300;
    for (unsigned n = 0; n < ARRAY_LEN(want); n++) {
        ck_assert(timer_view(cpu, n, 2000 * TICK, &v));
        ck_assert_str_eq(v.name, want[n].name);
        ck_assert_uint_eq(v.there, want[n].plain);
        ck_assert_uint_eq(v.count, n == 0 ? 2000 : want[n].count);
    }
    feature_add(&cpu->features, FEAT_SEL2);
    feature_add(&cpu->features, FEAT_CNTPOFF);
    cpu->sys.scr_el3 |= BIT(28);
    cpu->sys.cntpoff_el2 = 1000;
    cpu->sys.cnthctl_el2 = 3 | BIT(12);
    for (unsigned n = 0; n < ARRAY_LEN(want); n++) {
        ck_assert(timer_view(cpu, n, 2000 * TICK, &v) && v.there);
        ck_assert_uint_eq(v.count, want[n].count);
        ck_assert(want[n].offset ? v.offset && !strcmp(v.offset, want[n].offset) : !v.offset);
    }
    ck_assert(!timer_view(cpu, ARRAY_LEN(want), 0, &v));
}
END_TEST

/* FEAT_ECV: EVNTIS scales the stream by 256 (D19.12 CNTHCTL_EL2.EVNTIS); without the feature the bit is RES0. */
START_TEST(scaled_event_stream)
{
    cpu->halted = HALT_WFE;
    now_is(0);
    feature_remove(&cpu->features, FEAT_ECV);
    wr(CNTHCTL, EVNTEN | evnti(3) | BIT(17));
    ck_assert_uint_eq(timer_next_event(cpu, 0), 8 * TICK);
    feature_add(&cpu->features, FEAT_ECV);
    wr(CNTHCTL, EVNTEN | evnti(3) | BIT(17)); /* bit 11 of the counter */
    ck_assert_uint_eq(timer_next_event(cpu, 0), 2048 * TICK);
    ck_assert_uint_eq(timer_next_event(cpu, 2048 * TICK), 6144 * TICK);
    wr(CNTHCTL, EVNTEN | EVNTDIR | evnti(15) | BIT(17));
    ck_assert_uint_eq(timer_next_event(cpu, 0), (u64)TICK << 24);
}
END_TEST

/* CNTKCTL_EL1's stream is of the virtual counter, and off while E2H and TGE are set. */
START_TEST(virtual_event_stream)
{
    now_is(0);
    wr(CNTVOFF, 5);
    wr(CNTHCTL, 0);
    at(1);
    wr(CNTKCTL, EVNTEN | evnti(4)); /* at virtual counts 16, 48... */
    cpu->halted = HALT_WFE;
    ck_assert_uint_eq(timer_next_event(cpu, 5 * TICK), 21 * TICK);
    timer_update(cpu, 21 * TICK - 1);
    cpu->event = 0; /* at virtual count 0 bit 4 fell: no edge of this stream, but -5 to 0 is not asked here */
    timer_update(cpu, 21 * TICK);
    ck_assert_uint_eq(cpu->event, 1);
    hcr(E2H | TGE);
    ck_assert_uint_eq(timer_next_event(cpu, 21 * TICK), NEVER);
    cpu->event = 0;
    timer_update(cpu, 1000 * TICK);
    ck_assert_uint_eq(cpu->event, 0);
}
END_TEST

/* The moments that timer_next_event names are exactly those at which outputs change: found by going tick by tick. */
START_TEST(next_event_is_exact)
{
    u32 seed = 7;
    for (unsigned round = 0; round < 300; round++) {
        u64 *const fields[] = { &cpu->sys.cntp_ctl_el0,  &cpu->sys.cntv_ctl_el0,   &cpu->sys.cnthp_ctl_el2,
                                &cpu->sys.cnthv_ctl_el2, &cpu->sys.cntps_ctl_el1,  &cpu->sys.cntp_cval_el0,
                                &cpu->sys.cntv_cval_el0, &cpu->sys.cnthp_cval_el2, &cpu->sys.cnthv_cval_el2,
                                &cpu->sys.cntps_cval_el1 };
        for (unsigned n = 0; n < ARRAY_LEN(fields); n++) {
            seed = seed * 1664525 + 1013904223;
            *fields[n] = n < 5 ? seed >> 30 & 3 : 1000 + (seed >> 25);
        }
        cpu->sys.cntvoff_el2 = 950 + (seed >> 8 & 127);
        timer_update(cpu, 1000 * TICK);
        u64 told = timer_next_event(cpu, 1000 * TICK);
        u32 before = gic.ppi[0].level;
        for (u64 tick = 1001; tick < 1300; tick++) {
            timer_update(cpu, tick * TICK);
            bool changed = gic.ppi[0].level != before;
            ck_assert_msg(changed == (told == tick * TICK), "round %u, tick %u", round, (unsigned)tick);
            if (changed)
                break;
        }
    }
}
END_TEST

Suite *test_timer_suite(void)
{
    Suite *s = suite_create("timer");
    TCase *c = tcase_create("timers");
    tcase_add_checked_fixture(c, setup, teardown);
    const TTest *const all[] = {
        counters,
        frequency,
        conditions,
        timer_value,
        wrapping,
        offset_moves_condition,
        slice_is_cut,
        redirection,
        secure_timer,
        access_controls,
        access_follows_writes,
        control_bits,
        event_stream,
        scaled_event_stream,
        physical_offset,
        views,
        virtual_event_stream,
        next_event_is_exact,
    };
    for (unsigned n = 0; n < ARRAY_LEN(all); n++)
        tcase_add_test(c, all[n]);
    suite_add_tcase(s, c);
    return s;
}
