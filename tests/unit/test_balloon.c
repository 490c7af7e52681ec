/* virtio-balloon through its registers: pages that are given and reported, statistics, what the host wants and the
 * journal keeps of it, nonsense. */
#include "tests/unit/virtio_driver.h"

#include "board/state.h"
#include "debug/journal.h"

#include <sys/mman.h>
#include <unistd.h>

Suite *test_balloon_suite(void);

enum { INFLATE, DEFLATE, STATISTICS, REPORTING, QUEUES };
enum { F_STATS = 2, F_OOM = 4, F_POISON = 16, F_REPORTING = 32, PAGE = 4096 };
enum { NUMBERS = RAM_BASE + 0x40000, PAGES = RAM_BASE + 0x200000, CONFIG = DEV + 0x100 };

static struct fixture *balloon_open(u8 features)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->options.virtio_modern = 1;
    c->options.balloon = BALLOON_THERE | features;
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_BALLOON, .slot = -1 };
    c->virtio_count = 1;
    fixture_make(f, c);
    return f;
}

static void fill(struct fixture *f, unsigned pages)
{
    for (u64 n = 0; n < (u64)pages * PAGE; n += 8)
        poke(f, PAGES + n, ~n, 8);
}

/* Is page n zeros, or whole as fill left it? */
static bool zeros(struct fixture *f, unsigned n)
{
    u64 all = 0, first = peek(f, PAGES + (u64)n * PAGE, 8);
    for (u64 k = 0; k < PAGE; k += 8) {
        u64 value = peek(f, PAGES + (u64)n * PAGE + k, 8);
        ck_assert(!first ? !value : value == ~((u64)n * PAGE + k));
        all |= value;
    }
    return !all;
}

/* Is there memory of the host's behind it? A host whose pages are larger keeps it. */
static bool resident(struct fixture *f, unsigned n)
{
    const struct phys_region *r = phys_region_at(&f->m->d.phys, PAGES);
    u64 at = PAGES - r->base + (u64)n * PAGE, page = (u64)getpagesize();
    unsigned char there = 0;
    ck_assert(!mincore(r->host + at / page * page, page, &there));
    return there & 1;
}

static void inflate(struct fixture *f, const u32 *numbers, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        poke(f, NUMBERS + 4 * n, numbers[n], 4);
    desc(f, INFLATE, 0, NUMBERS, 4 * count, 0, 0);
    offer(f, INFLATE, 0);
}

START_TEST(identity)
{
    struct fixture *f = balloon_open(F_POISON);
    ck_assert_uint_eq(bus_r(f, DEV + 8), 5);
    ck_assert_uint_eq(bus_r(f, DEV + 0x10), F_STATS | F_POISON);
    for (unsigned n = 0; n < 16; n += 4)
        ck_assert_uint_eq(bus_r(f, CONFIG + n), 0);
    fixture_close(f);
    f = balloon_open(F_OOM | F_REPORTING);
    ck_assert_uint_eq(bus_r(f, DEV + 0x10), F_STATS | F_OOM | F_REPORTING);
    fixture_close(f);
}
END_TEST

START_TEST(what_the_host_wants)
{
    struct fixture *f = balloon_open(F_POISON);
    struct balloon_state s;
    machine_balloon(f->m, 1000);
    ck_assert_uint_eq(bus_r(f, CONFIG), 1000);
    ck_assert_uint_eq(bus_r(f, DEV + 0x60), 0); /* no driver yet */
    driver_begin(f, F_STATS, QUEUES);
    ck_assert_uint_eq(bus_r(f, CONFIG), 1000);
    u64 generation = bus_r(f, DEV + 0xfc);
    machine_balloon(f->m, 2000);
    ck_assert_uint_eq(bus_r(f, DEV + 0x60), 2);
    ck_assert_uint_ne(bus_r(f, DEV + 0xfc), generation);
    bus_w(f, CONFIG + 4, 1500);
    bus_w(f, CONFIG + 12, 0xaa);
    ck_assert(machine_balloon_state(f->m, &s));
    ck_assert(s.target == 2000 && s.actual == 1500 && !s.known);
    bus_w(f, CONFIG, 1); /* read-only */
    bus_w(f, CONFIG + 8, 1);
    ck_assert_uint_eq(bus_r(f, CONFIG), 2000);
    ck_assert_uint_eq(bus_r(f, CONFIG + 8), 0);
    ck_assert_uint_eq(bus_r(f, CONFIG + 12), 0xaa);
    for (unsigned n = 0; n < 4; n++) /* as a legacy driver does */
        ck_assert(bus_ops.write(f->m, CONFIG + 4 + n, 1, (struct phys_attrs){ .ns = 1 }, n + 1));
    ck_assert_uint_eq(bus_r(f, CONFIG + 4), 0x04030201);
    ck_assert(!machine_validate(f->m));
    machine_reset(f->m);
    ck_assert(machine_balloon_state(f->m, &s) && s.target == 2000 && s.actual == 0);
    ck_assert_uint_eq(bus_r(f, CONFIG + 12), 0);
    fixture_close(f);
    f = fixture_open(); /* without one */
    machine_balloon(f->m, 1000);
    ck_assert(!machine_balloon_state(f->m, &s));
    fixture_close(f);
}
END_TEST

START_TEST(given_pages_are_zeros)
{
    struct fixture *f = balloon_open(0);
    driver_begin(f, F_STATS, QUEUES);
    u64 first = PAGES / PAGE;
    /* Not RAM: a device, beyond, nothing; one twice. */
    const u32 numbers[] = {
        (u32)first + 1, 0x0a003e00 / PAGE, 0x7fffffff, 0xffffffff, (u32)first + 3, (u32)first + 3, 0
    };
    fill(f, 5);
    inflate(f, numbers, ARRAY_LEN(numbers));
    ck_assert_uint_eq(used(f, INFLATE), 1);
    ck_assert_uint_eq(used_len(f, INFLATE, 0), 0);
    bool kept = getpagesize() > PAGE;
    ck_assert(resident(f, 1) == kept && resident(f, 3) == kept && resident(f, 2));
    for (unsigned n = 0; n < 5; n++)
        ck_assert_uint_eq(zeros(f, n), n & 1);
    ck_assert(!needs_reset(f));
    poke(f, PAGES + PAGE, 5, 8); /* a page that comes back is as any other */
    desc(f, DEFLATE, 0, NUMBERS, 4, 0, 0);
    offer(f, DEFLATE, 0);
    ck_assert_uint_eq(used(f, DEFLATE), 1);
    ck_assert_uint_eq(peek(f, PAGES + PAGE, 8), 5);
    phys_region_at(&f->m->d.phys, PAGES)->of_file = 1; /* whose bytes would be there again */
    inflate(f, numbers, 1);
    ck_assert(zeros(f, 1) && resident(f, 1));
    fixture_close(f);
}
END_TEST

START_TEST(nonsense)
{
    struct fixture *f = balloon_open(F_REPORTING);
    driver_begin(f, F_STATS | F_REPORTING, QUEUES);
    fill(f, 2);
    desc(f, INFLATE, 0, NUMBERS, 3, 0, 0); /* no whole number */
    offer(f, INFLATE, 0);
    desc(f, INFLATE, 0, PAGES, PAGE, WRITE, 0); /* nothing to read */
    offer(f, INFLATE, 0);
    ck_assert(used(f, INFLATE) == 2 && !needs_reset(f));
    desc(f, INFLATE, 0, 0x09000000, 64, 0, 0); /* a device */
    offer(f, INFLATE, 0);
    ck_assert(used(f, INFLATE) == 2 && needs_reset(f));
    driver_begin(f, F_STATS | F_REPORTING, QUEUES);
    poke(f, NUMBERS, 0xffffffff, 4);
    for (unsigned n = 0; n < QSIZE; n++) /* more than any buffer has: what is beyond counts no more */
        desc(f, INFLATE, n, RAM_BASE + 0x100000, 0x80000, n + 1 < QSIZE ? NEXT : 0, n + 1);
    offer(f, INFLATE, 0);
    ck_assert_uint_eq(used(f, INFLATE), 1);
    const struct {
        u64 addr;
        u32 len;
    } ranges[] = { { ~(u64)0 - 100, 4096 }, { ~(u64)0, 0xffffffff },     { 0x09000000, 0x10000 }, { PAGES, 0 },
                   { PAGES + 1, PAGE },     { PAGES + 1, 2 * PAGE - 2 }, { 0, 0xffffffff } };
    for (unsigned n = 0; n < ARRAY_LEN(ranges); n++) {
        desc(f, REPORTING, 0, ranges[n].addr, ranges[n].len, WRITE, 0);
        offer(f, REPORTING, 0);
    }
    ck_assert_uint_eq(used(f, REPORTING), ARRAY_LEN(ranges));
    ck_assert(!zeros(f, 0) && !zeros(f, 1) && !needs_reset(f));
    fixture_close(f);
}
END_TEST

START_TEST(free_pages_are_reported)
{
    struct fixture *f = balloon_open(F_REPORTING | F_POISON);
    driver_begin(f, F_STATS | F_POISON | F_REPORTING, QUEUES);
    fill(f, 6);
    desc(f, REPORTING, 0, PAGES + PAGE, 2 * PAGE, WRITE | NEXT, 1);
    desc(f, REPORTING, 1, PAGES + 4 * PAGE + 8, 2 * PAGE - 8, WRITE, 0); /* one whole page of it */
    bus_w(f, CONFIG + 12, 0xaa);                                         /* they must hold something else */
    offer(f, REPORTING, 0);
    ck_assert_uint_eq(used(f, REPORTING), 1);
    for (unsigned n = 0; n < 6; n++)
        ck_assert(!zeros(f, n));
    bus_w(f, CONFIG + 12, 0);
    offer(f, REPORTING, 0);
    ck_assert_uint_eq(used(f, REPORTING), 2);
    for (unsigned n = 0; n < 6; n++)
        ck_assert_uint_eq(zeros(f, n), n == 1 || n == 2 || n == 5);
    driver_begin(f, F_STATS, QUEUES); /* not agreed upon */
    desc(f, REPORTING, 0, PAGES, PAGE, WRITE, 0);
    offer(f, REPORTING, 0);
    ck_assert(used(f, REPORTING) == 0 && !zeros(f, 0));
    fixture_close(f);
}
END_TEST

/* A buffer of statistics at descriptor n. */
static void statistics(struct fixture *f, unsigned n, u64 value)
{
    u8 bytes[30];
    static const u16 tags[] = { 4, 9, 10 }; /* the last one is none */
    for (unsigned k = 0; k < 3; k++) {
        store_le16(bytes + 10 * k, tags[k]);
        store_le64(bytes + 10 * k + 2, value + k);
    }
    ck_assert(phys_copy_in(&f->m->d.phys, NUMBERS + 64 * n, bytes, sizeof(bytes)));
    desc(f, STATISTICS, n, NUMBERS + 64 * n, sizeof(bytes), 0, 0);
    offer(f, STATISTICS, n);
}

START_TEST(statistics_come_when_they_are_wanted)
{
    struct fixture *f = balloon_open(0);
    struct balloon_state s;
    driver_begin(f, F_STATS, QUEUES);
    statistics(f, 3, 100);
    ck_assert_uint_eq(used(f, STATISTICS), 0); /* kept */
    ck_assert(machine_balloon_state(f->m, &s));
    ck_assert(s.known == (1 << 4 | 1 << 9) && s.statistic[4] == 100 && s.statistic[9] == 101);
    machine_balloon(f->m, 10);
    ck_assert(used(f, STATISTICS) == 1 && used_head(f, STATISTICS, 0) == 3);
    machine_balloon(f->m, 11); /* it has none */
    ck_assert_uint_eq(used(f, STATISTICS), 1);
    statistics(f, 3, 200);
    statistics(f, 5, 300); /* another one: the first comes back */
    ck_assert(used(f, STATISTICS) == 2 && used_head(f, STATISTICS, 1) == 3);
    ck_assert(machine_balloon_state(f->m, &s) && s.statistic[4] == 300);
    ck_assert(!machine_validate(f->m));
    driver_begin(f, F_STATS, QUEUES); /* what was kept is no longer the driver's */
    machine_balloon(f->m, 12);
    ck_assert_uint_eq(used(f, STATISTICS), 0);
    fixture_close(f);
}
END_TEST

static u32 wanted;
static void poll_wants(void *ctx)
{
    if (wanted)
        machine_balloon(((struct fixture *)ctx)->m, wanted);
    wanted = 0;
}

START_TEST(the_journal_keeps_what_was_wanted)
{
    struct fixture *f = balloon_open(0);
    f->m->d.host.poll = poll_wants;
    struct journal *j = journal_attach(f->m);
    u8 *before = malloc(state_size(f->m));
    state_save(f->m, before);
    wanted = 321;
    f->m->d.host.poll(f->m->d.host.ctx);
    ck_assert_uint_eq(bus_r(f, CONFIG), 321);
    ck_assert_uint_eq(journal_count(j), 1);
    u64 hash = machine_hash(f->m);
    state_load(f->m, before);
    journal_seek(j, 0);
    ck_assert_uint_eq(bus_r(f, CONFIG), 0);
    journal_set_front(j, f->m->now + 1);
    wanted = 5; /* a person's, while the past is run again, has no effect */
    f->m->d.host.poll(f->m->d.host.ctx);
    ck_assert_uint_eq(bus_r(f, CONFIG), 321);
    ck_assert_uint_eq(machine_hash(f->m), hash);
    ck_assert(journal_count(j) == 1 && journal_mark(j) == 1);
    journal_detach(j);
    free(before);
    fixture_close(f);
}
END_TEST

Suite *test_balloon_suite(void)
{
    Suite *s = suite_create("balloon");
    TCase *t = tcase_create("balloon");
    tcase_add_test(t, identity);
    tcase_add_test(t, what_the_host_wants);
    tcase_add_test(t, given_pages_are_zeros);
    tcase_add_test(t, nonsense);
    tcase_add_test(t, free_pages_are_reported);
    tcase_add_test(t, statistics_come_when_they_are_wanted);
    tcase_add_test(t, the_journal_keeps_what_was_wanted);
    suite_add_tcase(s, t);
    return s;
}
