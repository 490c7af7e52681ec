/* Keyboards and pointers through their registers: what a driver reads of them, events and the buffers that they wait
 * for, keys that are held, nonsense, and what the journal and a snapshot keep of it. */
#include "tests/unit/virtio_driver.h"

#include "board/state.h"
#include "debug/journal.h"
#include "frontend/input.h"

Suite *test_input_suite(void);

enum { EVENTS, STATUS, QUEUES, CONFIG = DEV + 0x100, BUFFERS = RAM_BASE + 0x40000 };

/* What the host has: groups of so many events, each with its number in order; later: when there will be some. */
static struct {
    u32 size[8], count, at, asked, code;
    u64 later;
} host;

static s32 events_in(void *ctx, unsigned input, struct input_event *group, u32 room, u64 *again)
{
    const struct fixture *f = ctx;
    ck_assert_uint_eq(input, 0);
    host.asked++;
    if (host.later != NEVER && f->m->now < host.later) {
        *again = host.later;
        return 0;
    }
    if (host.at == host.count)
        return 0;
    u32 size = host.size[host.at];
    if (size > room)
        return -(s32)size;
    host.at++;
    for (u32 n = 0; n < size; n++)
        group[n] = (struct input_event){ n + 1 < size, (u16)(n + 1 < size ? ++host.code : 0), 0x80000001 };
    return (s32)size;
}

static struct fixture *input_open(enum virtio_kind kind)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    memset(&host, 0, sizeof(host));
    host.later = NEVER;
    c->options.virtio_modern = 1;
    c->options.input[0].there = 1;
    strcpy((char *)c->options.input[0].serial, "one");
    c->virtio[0] = (struct virtio_config){ .kind = kind, .slot = -1 };
    c->virtio_count = 1;
    c->host.events_in = events_in;
    fixture_make(f, c);
    return f;
}

static u64 byte(struct fixture *f, unsigned at)
{
    u64 value = 0;
    ck_assert(bus_ops.read(f->m, CONFIG + at, 1, (struct phys_attrs){ .ns = 1 }, &value));
    return value;
}

static unsigned ask(struct fixture *f, unsigned select, unsigned subsel)
{
    ck_assert(bus_ops.write(f->m, CONFIG, 1, (struct phys_attrs){ .ns = 1 }, select));
    ck_assert(bus_ops.write(f->m, CONFIG + 1, 1, (struct phys_attrs){ .ns = 1 }, subsel));
    return (unsigned)byte(f, 2);
}

/* Gives a buffer of `size` bytes, the nth. */
static void give(struct fixture *f, unsigned n, u32 size)
{
    desc(f, EVENTS, n, BUFFERS + 8 * n, size, WRITE, 0);
    offer(f, EVENTS, n);
}

static void comes(u32 size) { host.size[host.count++] = size; }

/* Runs the timers up to then. */
static void at(struct fixture *f, u64 now)
{
    f->m->now = f->m->d.cpu[0].d.now = now;
    bus_timers_run(f->m);
}

START_TEST(identity)
{
    static const enum virtio_kind kinds[] = { VIRTIO_KEYBOARD, VIRTIO_MOUSE, VIRTIO_TABLET };
    static const unsigned key_bits[] = { 29, 43, 43 }, names[] = { 21, 18, 19 };
    for (unsigned n = 0; n < 3; n++) {
        struct fixture *f = input_open(kinds[n]);
        ck_assert_uint_eq(bus_r(f, DEV + 8), 18);
        ck_assert_uint_eq(bus_r(f, DEV + 0x10), 0);
        ck_assert_uint_eq(ask(f, 1, 0), names[n]);
        ck_assert(byte(f, 8) == 'Q' && byte(f, 9) == 'E' && !byte(f, 8 + names[n] - 1));
        ck_assert_uint_eq(ask(f, 2, 0), 3);
        ck_assert(byte(f, 8) == 'o' && !byte(f, 11));
        ck_assert_uint_eq(ask(f, 3, 0), 8);
        ck_assert_uint_eq(bus_r(f, CONFIG + 8), 0x06270006);
        ck_assert_uint_eq(bus_r(f, CONFIG + 12) & 0xffff, n + 1);
        ck_assert_uint_eq(ask(f, 0x11, 1), key_bits[n]);
        ck_assert_uint_eq(ask(f, 0x12, 1), n == 2 ? 20 : 0);
        ck_assert_uint_eq(bus_r(f, CONFIG + 12), n == 2 ? 0x7fff : 0);
        for (unsigned select = 0; select < 256; select += 5) /* whatever is asked, what is read lies within */
            for (unsigned subsel = 0; subsel < 256; subsel += 3)
                ck_assert_uint_le(ask(f, select, subsel), 128);
        ck_assert(ask(f, 1, 1) == 0 && byte(f, 8) == 0);
        bus_w(f, CONFIG + 4, 1); /* nothing is there to write */
        bus_w(f, CONFIG + 132, 1);
        ck_assert_uint_eq(bus_r(f, CONFIG + 136), 0); /* beyond */
        fixture_close(f);
    }
}
END_TEST

START_TEST(events_come_in_whole_groups)
{
    struct fixture *f = input_open(VIRTIO_KEYBOARD);
    comes(2);
    comes(3);
    machine_input_kick(f->m);
    ck_assert_uint_eq(host.asked, 0); /* no driver */
    ck_assert(!machine_input_there(f->m, 0));
    driver_begin(f, 0, QUEUES);
    ck_assert(machine_input_there(f->m, 0) && !machine_input_there(f->m, 1));
    machine_input_kick(f->m);
    ck_assert_uint_eq(host.at, 0); /* no buffer */
    for (unsigned n = 0; n < 4; n++)
        give(f, n, 8);
    ck_assert_uint_eq(used(f, EVENTS), 2); /* the first, and not a part of the second */
    ck_assert_uint_eq(peek(f, BUFFERS, 8), (u64)0x80000001 << 32 | 1 << 16 | 1);
    ck_assert_uint_eq(peek(f, BUFFERS + 8, 8), (u64)0x80000001 << 32);
    ck_assert(used_head(f, EVENTS, 1) == 1 && used_len(f, EVENTS, 1) == 8);
    give(f, 4, 64); /* longer than it need be */
    ck_assert_uint_eq(used(f, EVENTS), 5);
    ck_assert(used_len(f, EVENTS, 4) == 8 && !needs_reset(f));
    ck_assert_uint_eq(bus_r(f, DEV + 0x60), 1);
    desc(f, STATUS, 0, BUFFERS, 8, 0, 0); /* a light */
    offer(f, STATUS, 0);
    ck_assert_uint_eq(used(f, STATUS), 1);
    comes(QSIZE + 1); /* no ring of 16 will ever hold it */
    comes(2);
    give(f, 5, 8);
    ck_assert(used(f, EVENTS) == 5 && host.at == 2); /* as far as the device sees, 16 events are the most */
    fixture_close(f);
}
END_TEST

START_TEST(a_group_that_no_ring_holds_is_lost)
{
    struct fixture *f = input_open(VIRTIO_TABLET);
    driver_begin(f, 0, 0);
    bus_w(f, DEV + 0x30, EVENTS); /* a queue of two */
    poke(f, RINGS + AVAIL, 0, 4);
    poke(f, RINGS + USED, 0, 4);
    bus_w(f, DEV + 0x38, 2);
    bus_w(f, DEV + 0x80, RINGS);
    bus_w(f, DEV + 0x90, RINGS + AVAIL);
    bus_w(f, DEV + 0xa0, RINGS + USED);
    bus_w(f, DEV + 0x44, 1);
    comes(3);
    comes(2);
    desc(f, EVENTS, 0, BUFFERS, 8, WRITE, 0);
    desc(f, EVENTS, 1, BUFFERS + 8, 8, WRITE, 0);
    poke(f, RINGS + AVAIL + 4, 0, 2);
    poke(f, RINGS + AVAIL + 6, 1, 2);
    poke(f, RINGS + AVAIL + 2, 2, 2);
    bus_w(f, DEV + 0x50, EVENTS);
    ck_assert(host.at == 2 && used(f, EVENTS) == 2 && peek(f, BUFFERS + 2, 2) == 3);
    fixture_close(f);
}
END_TEST

START_TEST(what_is_to_come_later_is_asked_for_then)
{
    struct fixture *f = input_open(VIRTIO_KEYBOARD);
    driver_begin(f, 0, QUEUES);
    host.later = 5000000;
    comes(2);
    give(f, 0, 8);
    give(f, 1, 8);
    at(f, 4999999);
    ck_assert_uint_eq(used(f, EVENTS), 0);
    at(f, 5000000);
    ck_assert_uint_eq(used(f, EVENTS), 2);
    host.later = f->m->now + 1; /* sooner than a device may ask */
    comes(2);
    give(f, 0, 8);
    give(f, 1, 8);
    at(f, f->m->now + EVENT_MIN_NS - 1);
    ck_assert_uint_eq(used(f, EVENTS), 2);
    at(f, f->m->now + 1);
    ck_assert_uint_eq(used(f, EVENTS), 4);
    fixture_close(f);
}
END_TEST

START_TEST(nonsense)
{
    struct fixture *f = input_open(VIRTIO_KEYBOARD);
    driver_begin(f, 0, QUEUES);
    comes(2);
    give(f, 0, 7); /* too short */
    ck_assert(needs_reset(f) && host.at == 0 && !machine_input_there(f->m, 0));
    driver_begin(f, 0, QUEUES);
    desc(f, EVENTS, 0, BUFFERS, 8, 0, 0); /* to read */
    offer(f, EVENTS, 0);
    ck_assert(needs_reset(f) && host.at == 0);
    driver_begin(f, 0, QUEUES);
    desc(f, EVENTS, 0, 0x09000000, 8, WRITE, 0); /* a device */
    desc(f, EVENTS, 1, BUFFERS, 8, WRITE, 0);
    offer(f, EVENTS, 0);
    offer(f, EVENTS, 1);
    ck_assert(needs_reset(f) && used(f, EVENTS) == 0);
    driver_begin(f, 0, QUEUES); /* what was on its way is no longer */
    give(f, 0, 8);
    give(f, 1, 8);
    ck_assert(used(f, EVENTS) == 0 && !needs_reset(f) && !machine_validate(f->m));
    u8 *state = malloc(state_size(f->m));
    state_save(f->m, state);
    memset(place_state(f->m, (struct place){ ROW_inputs, 0 }), 0xff, 8);
    ck_assert(machine_validate(f->m));
    state_load(f->m, state);
    ck_assert(!machine_validate(f->m));
    free(state);
    fixture_close(f);
}
END_TEST

START_TEST(the_journal_keeps_events)
{
    struct fixture *f = input_open(VIRTIO_KEYBOARD);
    driver_begin(f, 0, QUEUES);
    for (unsigned n = 0; n < 12; n++)
        give(f, n, 8);
    struct journal *j = journal_attach(f->m);
    u8 *before = malloc(state_size(f->m)), *ram = malloc(96);
    state_save(f->m, before);
    comes(3);
    comes(2);
    machine_input_kick(f->m);
    host.later = f->m->now + 7000000;
    comes(2);
    machine_input_kick(f->m);
    at(f, host.later);
    ck_assert_uint_eq(used(f, EVENTS), 7);
    u64 hash = machine_hash(f->m), count = journal_count(j), end = f->m->now;
    ck_assert(phys_copy_out(&f->m->d.phys, BUFFERS, ram, 96));
    ck_assert_uint_eq(count, 1 + 3 + 1 + 2 + 1 + 1 + 2); /* the third is said to come, and comes */
    state_load(f->m, before);
    poke(f, RINGS + USED + 2, 0, 2);
    for (unsigned n = 0; n < 12; n++)
        poke(f, BUFFERS + 8 * n, 0, 8);
    journal_seek(j, 0);
    journal_set_front(j, end + 1);
    u32 asked = host.asked;
    machine_input_kick(f->m);
    machine_input_kick(f->m);
    at(f, host.later);
    ck_assert_uint_eq(host.asked, asked);
    ck_assert_uint_eq(journal_mark(j), count);
    ck_assert_uint_eq(journal_count(j), count);
    u8 again[96];
    ck_assert(phys_copy_out(&f->m->d.phys, BUFFERS, again, 96));
    ck_assert_mem_eq(ram, again, 96);
    ck_assert_uint_eq(machine_hash(f->m), hash);
    journal_detach(j);
    free(before);
    free(ram);
    fixture_close(f);
}
END_TEST

START_TEST(keys_have_names)
{
    char error[128];
    struct keys k;
    bool shift, quoted = false;
    ck_assert(keys_read(&k, "ctrl-alt-0x1e", 13, error) && k.count == 3 && k.code[0] == 29 && k.code[2] == 30);
    ck_assert(!keys_read(&k, "ctrl-", 5, error) && !keys_read(&k, "", 0, error) && !keys_read(&k, "0x", 2, error));
    ck_assert(!keys_read(&k, "crtl", 4, error) && strstr(error, "did you mean 'ctrl'"));
    ck_assert(!keys_read(&k, "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", 33, error) && strstr(error, "more than 16"));
    ck_assert(key_by_number(0x9c) == 96 && !key_by_number(0) && !key_by_number(0x10000));
    ck_assert(key_by_usage(0x28) == 28 && !key_by_usage(0) && key_by_keysym(0xff0d) == 28 && !key_by_keysym(0));
    ck_assert(key_by_keysym('A') == 30 && key_by_keysym('a') == 30 && key_by_keysym('~') == 41 &&
              key_by_keysym(0xff95) == 71);
    for (unsigned c = ' '; c <= '~'; c++)
        ck_assert_msg(key_by_char((char)c, &shift), "no key types '%c'", (char)c);
    ck_assert(key_by_char('_', &shift) == 12 && shift && key_by_char('-', &shift) == 12 && !shift &&
              !key_by_char(1, &shift));
    const char *script = " \"aB\"  ret f1-f2";
    static const unsigned counts[] = { 1, 2, 1, 2 };
    for (unsigned n = 0; n < 4; n++)
        ck_assert(keys_next(&script, &quoted, &k, error) && k.count == counts[n]);
    ck_assert(!keys_next(&script, &quoted, &k, error) && !error[0]);
    script = "\"a";
    ck_assert(keys_next(&script, &quoted, &k, error) && !keys_next(&script, &quoted, &k, error) && error[0]);
    ck_assert_str_eq(key_name(99), "print");
    ck_assert_ptr_null(key_name(0));
}
END_TEST

Suite *test_input_suite(void)
{
    Suite *s = suite_create("input");
    TCase *t = tcase_create("input");
    tcase_add_test(t, identity);
    tcase_add_test(t, events_come_in_whole_groups);
    tcase_add_test(t, a_group_that_no_ring_holds_is_lost);
    tcase_add_test(t, what_is_to_come_later_is_asked_for_then);
    tcase_add_test(t, nonsense);
    tcase_add_test(t, the_journal_keeps_events);
    tcase_add_test(t, keys_have_names);
    suite_add_tcase(s, t);
    return s;
}
