/* LPIs, the tables of the ITS, its queue, and messages of bus masters (GIC is Arm IHI 0069: chapter 5, 12.11, 12.18).
 * The commands one by one are tests/guest/its.c's. */
#include "board_fixture.h"
#include "its_rig.h"

static void setup(void) { with_parts(false, GIC_LPIS); }
static void setup_two(void) { with_parts(true, GIC_LPIS); }

/* ---- LPIs ---- */

/* GIC 12.9 GICD_TYPER, 12.11 */
START_TEST(lpi_registers)
{
    ck_assert_uint_eq(dist(4) >> 17 & 1, 1);
    ck_assert_uint_eq(redist_as(true, 1, 8, 8) & 1, 1);
    ck_assert_uint_eq(redist(0, REDIST_CTLR), 6); /* CES, IR */
    redist_put_as(true, 0, PENDBASER, 8, ~(u64)0);
    ck_assert_uint_eq(redist_as(true, 0, PENDBASER, 8), 0x070fffffffff0f80);
    lpis_on(0);
    redist_put_as(true, 0, PENDBASER, 8, 0);
    redist_put_as(true, 0, PROPBASER, 8, 0);
    ck_assert_uint_eq(redist_as(true, 0, PENDBASER, 8), PENDING(0));
    ck_assert_uint_eq(redist_as(true, 0, PROPBASER, 8), CONFIG | 15);
    gic_extend(&gic, 0); /* without an ITS */
    ck_assert_uint_eq(dist(4) >> 17 & 1, 0);
    ck_assert_uint_eq(redist_as(true, 1, 8, 8) & 1, 0);
    ck_assert_uint_eq(redist(1, REDIST_CTLR), 0);
    redist_put(1, REDIST_CTLR, 1);
    ck_assert_uint_eq(redist(1, REDIST_CTLR), 0);
    redist_put_as(true, 1, PROPBASER, 8, ~(u64)0);
    ck_assert_uint_eq(redist_as(true, 1, PROPBASER, 8), 0);
}
END_TEST

/* GIC 5.1, 4.1: no active state, the priority is dropped by EOIR. */
START_TEST(lpi_life)
{
    configure(8192, 0x81);
    lpis_on(0);
    pend(0, 8192);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert(in_table(0, 8192));
    ck_assert_uint_eq(rd(pe(0), IAR1), 8192);
    ck_assert(!in_table(0, 8192));
    ck_assert_uint_eq(rd(pe(0), RPR), 0x80);
    pend(0, 8192);
    ck_assert_uint_eq(rd(pe(0), IAR1), SPURIOUS); /* by its priority alone */
    wr(pe(0), EOIR1, 8192);
    ck_assert_uint_eq(rd(pe(0), RPR), 0xff);
    ck_assert_uint_eq(rd(pe(0), IAR1), 8192);
    wr(pe(0), EOIR1, 8192);
    ck_assert_uint_eq(lines(0), 0);
    wr(pe(0), DIR, 8192); /* nothing to deactivate */
}
END_TEST

START_TEST(lpi_priorities)
{
    static const u32 order[] = { 8300, 65535, 9000, 8192 };
    configure(8192, 0xf1);
    configure(8300, 0x41);
    configure(9000, 0x81);
    configure(65535, 0x43); /* <7:3> count */
    configure(8400, 0x00);  /* disabled */
    lpis_on(0);
    for (unsigned n = 0; n < ARRAY_LEN(order); n++)
        pend(0, order[n]);
    pend(0, 8400);
    for (unsigned n = 0; n < ARRAY_LEN(order); n++) {
        ck_assert_uint_eq(rd(pe(0), HPPIR1), order[n]);
        gic_lpi_set(&gic, 0, order[n], false);
        gic_lpis_settle(&gic);
    }
    ck_assert_uint_eq(rd(pe(0), HPPIR1), SPURIOUS);
    ck_assert(in_table(0, 8400));
}
END_TEST

/* Non-secure group 1: GIC 4.6, 4.8. */
START_TEST(lpi_of_two_states)
{
    configure(8192, 0x41);
    lpis_on(0);
    pend(0, 8192);
    ck_assert_uint_eq(gic.d.best[0].priority, 0xa0); /* the Non-secure half */
    ck_assert_uint_eq(lines(0), LINE_FIQ);           /* at EL3 */
    at(pe(0), 1, false);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    dist_put(0, 5); /* without EnableGrp1NS */
    ck_assert_uint_eq(lines(0), 0);
    dist_put(0, 7);
    ck_assert_uint_eq(rd(pe(0), IAR1), 8192);
}
END_TEST

/* GICR_CTLR.EnableLPIs, GICR_PENDBASER.PTZ, GICR_PROPBASER.IDbits */
START_TEST(lpi_tables)
{
    configure(8200, 0x81);
    configure(16383, 0x41);
    configure(16384, 0x01);
    for (unsigned n = 0; n < 2; n++) {
        into_table(n, 8200);
        into_table(n, 16383);
        into_table(n, 16384);
    }
    lpis_on_with(0, CONFIG | 13, PENDING(0)); /* 14 bits */
    ck_assert_uint_eq(rd(pe(0), IAR1), 16383);
    wr(pe(0), EOIR1, 16383);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 8200);
    pend(0, 16384);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 8200);
    lpis_on_with(1, CONFIG | 15, PENDING(1) | PTZ);
    ck_assert_uint_eq(rd(pe(1), HPPIR1), SPURIOUS);
    redist_put(0, REDIST_CTLR, 0);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert(in_table(0, 8200));
    pend(0, 8201);
    ck_assert(!in_table(0, 8201));
    redist_put(0, REDIST_CTLR, 1);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 8200);
    lpis_on_with(2, CONFIG | 12, PENDING(2)); /* 13 bits: no LPI at all */
    pend(2, 8192);
    ck_assert(!in_table(2, 8192));
    lpis_on_with(3, 0, 0); /* no memory: nothing happens */
    pend(3, 8192);
    ck_assert_uint_eq(lines(3), 0);
}
END_TEST

/* A configuration that changes is seen after GICR_INVLPIR, GICR_INVALLR. */
START_TEST(lpi_configuration)
{
    configure(8192, 0x81);
    configure(8193, 0x91);
    lpis_on(0);
    pend(0, 8192);
    pend(0, 8193);
    configure(8192, 0x80);
    redist_put_as(true, 0, INVLPIR, 8, 8192);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 8193);
    configure(8192, 0x81);
    redist_put_as(true, 0, INVALLR, 8, 0);
    ck_assert_uint_eq(rd(pe(0), HPPIR1), 8192);
}
END_TEST

/* What it costs to find the best one hangs on what is pending, not on what there is. */
START_TEST(lpi_cost)
{
    configure(8192, 0x81);
    configure(40000, 0x81);
    lpis_on(0);
    pend(0, 8192);
    pend(0, 40000);
    accesses = 0;
    ck_assert_uint_eq(rd(pe(0), IAR1), 8192);
    ck_assert_uint_le(accesses, 6);
    accesses = 0;
    gic_refresh_all(&gic);
    ck_assert_uint_eq(accesses, 0);
}
END_TEST

/* What is kept of memory is state: what is made again from the state alone is the same. */
START_TEST(lpi_restored)
{
    static struct gic copy;
    configure(8192, 0x81);
    lpis_on(0);
    pend(0, 8192);
    configure(8192, 0x80); /* and not yet told */
    ck_assert(gic_validate(&gic));
    memcpy(&copy, &gic, sizeof(gic));
    accesses = 0;
    gic_rebuild(&gic, cpus);
    ck_assert_uint_eq(accesses, 0);
    ck_assert_uint_eq(memcmp(copy.d.best, gic.d.best, sizeof(copy.d.best)), 0);
    gic.redist[0].lpi.intid = 100;
    ck_assert(!gic_validate(&gic));
    gic.redist[0].lpi.intid = 8192;
    gic.redist[0].lpi.priority = 0x81;
    ck_assert(!gic_validate(&gic));
    gic.redist[0].lpi.priority = 0x80;
    gic.parts = ~(u32)0;
    ck_assert(!gic_validate(&gic));
}
END_TEST

/* ---- the ITS ---- */

/* Is an event of this device an LPI, from the command that maps it to the PE? */
static bool works(u64 device)
{
    if (!mapd(device, ITT) || !mapti(device, 1, 8192) || !interrupt(device, 1))
        return false;
    ck_assert_uint_eq(rd(pe(2), IAR1), 8192);
    wr(pe(2), EOIR1, 8192);
    return true;
}

/* GITS_BASER<n>: sizes of pages and tables. */
START_TEST(its_flat_tables)
{
    static const struct {
        u64 baser;
        u32 last;
    } sizes[] = {
        { DEVICES, 511 },                   /* a page of 4 KiB */
        { DEVICES | 1 << 8 | 1, 4095 },     /* two of 16 KiB */
        { DEVICES | 2 << 8, 8191 },         /* 64 KiB */
        { DEVICES | 3 << 8 | 7, 65535 },    /* reserved: 64 KiB */
        { (DEVICES - 0x10000) | 15, 8191 }, /* 16 of 4 KiB */
    };
    for (unsigned n = 0; n < ARRAY_LEN(sizes); n++) {
        its_on(sizes[n].baser | BIT(63));
        ck_assert(works(0));
        ck_assert_msg(works(sizes[n].last), "table %u, device %u", n, sizes[n].last);
        ck_assert_msg(!works(sizes[n].last + 1), "table %u, device %u", n, sizes[n].last + 1);
    }
    its_on(DEVICES); /* not valid */
    ck_assert(!works(0));
    its_on(0x70000000 | BIT(63)); /* no memory */
    ck_assert(!works(0));
}
END_TEST

START_TEST(its_two_levels)
{
    u64 second = BIT(63) | DEVICES2;
    memcpy(byte(DEVICES) + 8 * 3, &second, 8);
    its_on(BIT(63) | BIT(62) | DEVICES); /* 4 KiB: 512 devices in a page of the second */
    ck_assert(works(3 * 512));
    ck_assert(works(4 * 512 - 1));
    ck_assert(!works(4 * 512));
    ck_assert(!works(3 * 512 - 1));
    its_on(BIT(63) | BIT(62) | 2 << 8 | DEVICES); /* 64 KiB: 8192 devices */
    ck_assert(works(3 * 8192));
    ck_assert(!works(4 * 8192));
}
END_TEST

/* <15:12> of a table with pages of 64 KiB are bits <51:48> of its address. */
START_TEST(its_wide_address)
{
    its_on(BIT(63) | 2 << 8 | DEVICES | 1 << 12);
    ck_assert(!works(0));
    ck_assert_uint_eq(its_get(BASER), BIT(63) | 7ull << 48 | 1ull << 56 | 2 << 8 | DEVICES | 1 << 12);
}
END_TEST

/* GITS_CREADR.Stalled, GITS_CWRITER.Retry */
START_TEST(its_stall)
{
    its_on(BIT(63) | DEVICES);
    its_write(&its, &gic, GITS_CTLR, 4, 0);
    its_put(CBASER, BIT(63) | (RAM_BASE + RAM_SIZE));
    its_put(CWRITER, 64);
    ck_assert(!its_write(&its, &gic, GITS_CTLR, 4, 1));
    ck_assert_uint_eq(its_get(CREADR), 1);
    ck_assert(its_validate(&its));
    ck_assert(its_put(CWRITER, 96));
    ck_assert_uint_eq(its_get(CREADR), 1);
    its.cbaser = BIT(63) | QUEUE;        /* as if the memory had come back */
    ck_assert(its_put(CWRITER, 32 | 1)); /* Retry */
    ck_assert_uint_eq(its_get(CREADR), 32);
}
END_TEST

/* A ring that its own commands overwrite ends after a turn. */
START_TEST(its_hostile_queue)
{
    its_on(BIT(63) | DEVICES);
    its_write(&its, &gic, GITS_CTLR, 4, 0);
    its_put(CBASER, BIT(63) | DEVICES | 0xff); /* the queue is the device table, and more than there is memory */
    for (u64 n = 0; n < 512; n++) {
        u64 command[] = { 8 | n << 32, 3, ~(u64)0, ~(u64)0 };
        memcpy(byte(DEVICES + n * 32), command, sizeof(command));
    }
    its_put(CWRITER, 0xfffe0);
    its_write(&its, &gic, GITS_CTLR, 4, 1);
    ck_assert_uint_eq(its_get(CREADR), RAM_BASE + RAM_SIZE - DEVICES + 1); /* stalled at the end of memory */
    ck_assert(its_validate(&its));
    its.creadr = 0xffffffe0;
    ck_assert(!its_validate(&its));
    its_put(CWRITER, 0x40); /* harmless all the same */
}
END_TEST

/* Entries that software wrote itself. */
START_TEST(its_hostile_tables)
{
    u64 entry = ~(u64)0;
    its_on(BIT(63) | DEVICES);
    ck_assert(works(0));
    memcpy(byte(COLLECTIONS), &entry, 8); /* a PE that there is not */
    ck_assert(!interrupt(0, 1));
    memcpy(byte(DEVICES), &entry, 8); /* an ITT where no memory is, 32 bits of EventID */
    ck_assert(!interrupt(0, 1));
    ck_assert(!interrupt(0, 0xffffffff));
    ck_assert(!its_message(&its, &gic, 0, 0xffffffff));
    ck_assert(run(9, 0, 2 << 16 | BIT(63), 0) && mapd(0, ITT) && mapti(0, 1, 8192));
    memset(byte(ITT + 12), 0xff, 12); /* INTID 0xffffff of collection 0xffff */
    ck_assert(!interrupt(0, 1));
    memset(byte(ITT + 20), 0, 4); /* of collection 0 */
    ck_assert(interrupt(0, 1));
    ck_assert_uint_eq(lines(2), 0);
}
END_TEST

START_TEST(its_widths)
{
    ck_assert_uint_eq(its_read(&its, &gic, BASER, 4), 2 << 8);
    ck_assert_uint_eq(its_read(&its, &gic, BASER + 4, 4), 0x01070000);
    ck_assert_uint_eq(its_read(&its, &gic, BASER, 2), 0);
    its_write(&its, &gic, CBASER + 4, 4, 0x80000000);
    its_write(&its, &gic, CBASER, 4, 0x1000);
    ck_assert_uint_eq(its_get(CBASER), BIT(63) | 0x1000);
    its_write(&its, &gic, CBASER, 1, 0xff);
    ck_assert_uint_eq(its_get(CBASER), BIT(63) | 0x1000);
    ck_assert_uint_eq(its_read(&its, &gic, 0x10040, 4), 0);
    ck_assert_uint_eq(its_read(&its, &gic, 0xffe8, 4), 0x3b);
}
END_TEST

/* ---- on the board ---- */

static struct fixture *f;
static void board_open(void)
{
    f = calloc(1, sizeof(*f));
    struct machine_config *c = fixture_config(f);
    c->options.its = 1;
    fixture_make(f, c);
}
static void board_close(void) { fixture_close(f); }

enum { ITS_AT = 0x08080000, GICR_AT = 0x080a0000 };
static void bus_w64(u64 pa, u64 value)
{
    bus_w(f, pa, value & ones(32));
    bus_w(f, pa + 4, value >> 32);
}
static void ram_put(u64 pa, const void *bytes, u64 size) { ck_assert(machine_write(f->m, pa, bytes, size)); }

/* Device 7, event 2 is LPI 8195 of PE 0. */
static void board_its(void)
{
    static const u64 commands[][4] = {
        { 9, 0, BIT(63), 0 },
        { 8 | (u64)7 << 32, 3, ITT | BIT(63), 0 },
        { 10 | (u64)7 << 32, 2 | (u64)8195 << 32, 0, 0 },
    };
    u8 config = 0x81;
    ram_put(QUEUE, commands, sizeof(commands));
    ram_put(CONFIG + 3, &config, 1);
    bus_w64(GICR_AT + PROPBASER, CONFIG | 15);
    bus_w64(GICR_AT + PENDBASER, PENDING(0));
    bus_w(f, GICR_AT, 1);
    bus_w64(ITS_AT + BASER, BIT(63) | DEVICES);
    bus_w64(ITS_AT + BASER + 8, BIT(63) | COLLECTIONS);
    bus_w64(ITS_AT + CBASER, BIT(63) | QUEUE);
    bus_w(f, ITS_AT, 1);
    bus_w(f, ITS_AT + CWRITER, 96);
    ck_assert_uint_eq(bus_r(f, ITS_AT + CREADR), 96);
}

static bool msi(u32 stream, u64 pa, u32 data, u64 size)
{
    return bus_dma(f->m, (struct requester){ .stream = stream }, pa, &data, size, true);
}
static bool comes(u32 intid)
{
    bool pending = f->m->gic.redist[0].lpi.priority != PRIO_NONE && f->m->gic.redist[0].lpi.intid == intid;
    gic_activate(&f->m->gic, 0, 8195);
    return pending;
}

/* The DeviceID is the stream of the bus master (GIC 12.19 GITS_TRANSLATER). */
START_TEST(message_of_a_stream)
{
    board_its();
    ck_assert(msi(7, ITS_AT + 0x10040, 2, 4));
    ck_assert(comes(8195));
    ck_assert(msi(7, ITS_AT + 0x10040, 2, 2));
    ck_assert(comes(8195));
    msi(6, ITS_AT + 0x10040, 2, 4);
    ck_assert(!comes(8195));
    msi(7, ITS_AT + 0x10040, 3, 4);
    ck_assert(!comes(8195));
    msi(7, ITS_AT, 0, 4); /* a bus master has no business there */
    ck_assert_uint_eq(bus_r(f, ITS_AT), 1);
}
END_TEST

/* Tables are Non-secure RAM; none of a device's registers. */
START_TEST(tables_in_devices)
{
    board_its();
    bus_w(f, GICR_AT, 0);
    bus_w64(GICR_AT + PENDBASER, ITS_AT);
    bus_w(f, GICR_AT, 1);
    msi(7, ITS_AT + 0x10040, 2, 4);
    ck_assert(!comes(8195));
    ck_assert_uint_eq(bus_r(f, ITS_AT), 1);
}
END_TEST

Suite *test_its_suite(void);
Suite *test_its_suite(void)
{
    Suite *s = suite_create("its");
    TCase *t = tcase_create("lpi");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lpi_registers);
    tcase_add_test(t, lpi_life);
    tcase_add_test(t, lpi_priorities);
    tcase_add_test(t, lpi_tables);
    tcase_add_test(t, lpi_configuration);
    tcase_add_test(t, lpi_cost);
    tcase_add_test(t, lpi_restored);
    tcase_add_test(t, its_flat_tables);
    tcase_add_test(t, its_two_levels);
    tcase_add_test(t, its_wide_address);
    tcase_add_test(t, its_stall);
    tcase_add_test(t, its_hostile_queue);
    tcase_add_test(t, its_hostile_tables);
    tcase_add_test(t, its_widths);
    suite_add_tcase(s, t);
    t = tcase_create("two states");
    tcase_add_checked_fixture(t, setup_two, teardown);
    tcase_add_test(t, lpi_of_two_states);
    suite_add_tcase(s, t);
    t = tcase_create("board");
    tcase_add_checked_fixture(t, board_open, board_close);
    tcase_add_test(t, message_of_a_stream);
    tcase_add_test(t, tables_in_devices);
    suite_add_tcase(s, t);
    return s;
}
