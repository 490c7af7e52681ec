/* virtio-9p through its registers: the tag, requests and answers, hostile buffers; and what the journal keeps of a
 * share. */
#include "debug/journal.h"
#include "tests/unit/virtio_driver.h"

enum { T = RAM_BASE + 0x100000, R = RAM_BASE + 0x200000 };

struct rig {
    struct fixture f; /* first: the host's ctx */
    unsigned served;
    u32 size, length; /* of the last request; of the answer that is to be */
    struct share_change change[2];
    u32 changes;
};

/* It answers with the request's bytes turned over, and remembers how often it was asked. */
static u32 share_serve(void *ctx, unsigned share, const void *request, u32 size, void *answer)
{
    struct rig *r = ctx;
    ck_assert(share == 0 && size <= SHARE_MESSAGE);
    r->served++;
    r->size = size;
    for (u32 n = 0; n < r->length; n++)
        ((u8 *)answer)[n] = (u8) ~((const u8 *)request)[n % size];
    u64 count = r->served;
    machine_share_put(r->f.m, 0, SHARE_OF_SERVER + 8 * (u64)r->served, &count, 8);
    machine_share_put(r->f.m, 0, SHARE_OF_SERVER + 4096, r->served % 2 ? &count : NULL, 8);
    r->change[0] = (struct share_change){ SHARE_OF_SERVER + 8 * r->served, 8, false };
    r->change[1] = (struct share_change){ SHARE_OF_SERVER + 4096, 8, r->served % 2 == 0 };
    r->changes = 2;
    return r->length;
}
static bool share_change(void *ctx, unsigned share, u32 n, struct share_change *change)
{
    const struct rig *r = ctx;
    (void)share;
    if (n < r->changes)
        *change = r->change[n];
    return n < r->changes;
}

static struct rig *rig_open(void)
{
    struct rig *r = calloc(1, sizeof(*r));
    ck_assert_ptr_nonnull(r);
    struct machine_config *c = fixture_config(&r->f);
    c->options.virtio_modern = 1;
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_9P, .slot = -1 };
    c->virtio_count = 1;
    memcpy(c->options.share[0].tag, "the-tag", 7);
    c->host.share_serve = share_serve;
    c->host.share_change = share_change;
    fixture_make(&r->f, c);
    return r;
}

/* A request of `size` bytes with room for `room`; its answer comes when its time has. */
static void request(struct rig *r, u32 size, u32 room)
{
    u64 n = used(&r->f, 0);
    desc(&r->f, 0, 0, T, size, room ? NEXT : 0, 1);
    desc(&r->f, 0, 1, R, room, WRITE, 0);
    offer(&r->f, 0, 0);
    ck_assert_uint_eq(used(&r->f, 0), n);
    timer_comes(&r->f, ROW_virtio, 31, 0);
}

START_TEST(requests)
{
    struct rig *r = rig_open();
    struct fixture *f = &r->f;
    ck_assert_uint_eq(bus_r(f, DEV + 8), 9);
    bus_w(f, DEV + 0x14, 0);
    ck_assert_uint_eq(bus_r(f, DEV + 0x10) & 1, 1); /* VIRTIO_9P_MOUNT_TAG */
    u64 value = 0;
    ck_assert(bus_get(f, DEV + 0x100, 2, &value) && value == 7);
    ck_assert_uint_eq(bus_r(f, DEV + 0x104), 'e' | '-' << 8 | 't' << 16 | 'a' << 24);
    ck_assert_uint_eq(bus_r(f, DEV + 0x140), 0);
    driver_begin(&r->f, 1, 1);
    for (u32 n = 0; n < 16; n += 8)
        poke(f, T + n, 0x0102030405060708ull, 8);
    r->length = 12;
    request(r, 16, 100);
    ck_assert_uint_eq(r->size, 16);
    ck_assert_uint_eq(peek(f, R, 8), ~0x0102030405060708ull);
    ck_assert_uint_eq(used_len(f, 0, 0), 12);
    /* no room for the answer, no answer: an error with the request's tag */
    static const u32 lengths[] = { 200, 0, 5 };
    for (unsigned n = 0; n < ARRAY_LEN(lengths); n++) {
        r->length = lengths[n];
        request(r, 16, 100);
        ck_assert_uint_eq(peek(f, R, 4), 11);
        ck_assert_uint_eq(peek(f, R + 4, 1), 7);
        ck_assert_uint_eq(peek(f, R + 5, 2), peek(f, T + 5, 2));
        ck_assert_uint_eq(peek(f, R + 7, 4), 5);
    }
    /* the longest, and what is longer: its end is not looked at */
    r->length = 7;
    request(r, SHARE_MESSAGE, 100);
    ck_assert_uint_eq(r->size, SHARE_MESSAGE);
    request(r, SHARE_MESSAGE + 1000, 100);
    ck_assert_uint_eq(r->size, SHARE_MESSAGE);
    machine_destroy(f->m);
    free(r);
}
END_TEST

/* Buffers that are nonsense: the device needs a reset, and nobody is asked. */
START_TEST(hostile_buffers)
{
    static const struct {
        u64 t, r;
        u32 size, room;
    } rows[] = {
        { T, R, 6, 100 },           { T, R, 16, 10 },        { T, R, 16, 0 },
        { 0x09000000, R, 16, 100 }, { ~(u64)7, R, 16, 100 }, { T, 0x09000000, 16, 100 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        struct rig *r = rig_open();
        driver_begin(&r->f, 1, 1);
        r->length = 7;
        desc(&r->f, 0, 0, rows[n].t, rows[n].size, rows[n].room ? NEXT : 0, 1);
        desc(&r->f, 0, 1, rows[n].r, rows[n].room, WRITE, 0);
        offer(&r->f, 0, 0);
        timer_comes(&r->f, ROW_virtio, 31, 0);
        ck_assert_uint_eq(bus_r(&r->f, DEV + 0x70) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET);
        ck_assert_uint_eq(r->served, n == 5);
        machine_destroy(r->f.m);
        free(r);
    }
}
END_TEST

/* Going back and coming again: the same answers and the same memory, and the host is not asked. */
START_TEST(journal_has_it)
{
    struct rig *r = rig_open();
    struct machine *m = r->f.m;
    struct journal *j = journal_attach(m);
    u8 t[16] = { 16, 0, 0, 0, 110, 1, 0 }, first[8][64], again[64];
    r->length = 61;
    for (unsigned n = 0; n < 8; n++) {
        t[9] = (u8)n;
        m->now = 1000 * n;
        ck_assert_uint_eq(machine_share_serve(m, 0, t, 16, first[n]), 61);
    }
    ck_assert_uint_eq(r->served, 8);
    u64 hash = machine_hash(m);
    for (unsigned round = 0; round < 2; round++) {
        machine_share_put(m, 0, 0, NULL, SHARE_ROOM);
        ck_assert_uint_ne(machine_hash(m), hash);
        journal_set_front(j, 8000);
        journal_seek(j, 0);
        for (unsigned n = 0; n < 8; n++) {
            m->now = 1000 * n;
            ck_assert_uint_eq(machine_share_serve(m, 0, t, 16, again), 61);
            ck_assert_mem_eq(again, first[n], 61);
        }
        ck_assert_uint_eq(machine_hash(m), hash);
    }
    m->now = 7500; /* behind, but nothing was asked then */
    ck_assert_uint_eq(machine_share_serve(m, 0, t, 16, again), 0);
    ck_assert_uint_eq(r->served, 8);
    m->now = 9000;
    ck_assert_uint_eq(machine_share_serve(m, 0, t, 16, again), 61);
    ck_assert_uint_eq(r->served, 9);
    journal_detach(j);
    machine_destroy(m);
    free(r);
}
END_TEST

Suite *test_virtio_9p_suite(void);
Suite *test_virtio_9p_suite(void)
{
    Suite *s = suite_create("virtio_9p");
    TCase *t = tcase_create("device");
    tcase_add_test(t, requests);
    tcase_add_test(t, hostile_buffers);
    tcase_add_test(t, journal_has_it);
    suite_add_tcase(s, t);
    return s;
}
