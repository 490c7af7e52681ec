/* virtio-gpu: its commands and what they show, what is refused, hostile guests, and that screens are state. */
#include "board/dev/gpu.h"
#include "board/state.h"
#include "tests/unit/virtio_driver.h"

enum { REQUEST = RAM_BASE + 0x100000, RESPONSE = RAM_BASE + 0x180000, PIXELS = RAM_BASE + 0x200000,
       RAM_SIZE = 16 << 20, ROOM = 2048 /* for a response */ };
enum { GET_DISPLAY_INFO = 0x100, CREATE_2D, UNREF, SET_SCANOUT, FLUSH, TRANSFER, ATTACH, DETACH, GET_CAPSET_INFO,
       GET_EDID = 0x10a, UPDATE_CURSOR = 0x300, MOVE_CURSOR };
enum { OK = 0x1100, OK_DISPLAY_INFO, OK_EDID = 0x1104, UNSPEC = 0x1200, NO_MEMORY, NO_SCANOUT, NO_RESOURCE,
       BAD_PARAMETER = 0x1205 };
enum { CONTROL, CURSOR };

static struct fixture *gpu_open(unsigned outputs)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->options.virtio_modern = 1;
    c->options.gpu[0] = (struct gpu_option){ .memory = GPU_MEMORY, .xres = 640, .yres = 480, .outputs = (u8)outputs };
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_GPU, .slot = 31 };
    c->virtio_count = 1;
    fixture_make(f, c);
    driver_begin(f, 2, 2);
    return f;
}

/* Carries out a command of words, `more` bytes behind it in a buffer of their own: the type of the response. */
static u32 ask_more(struct fixture *f, unsigned q, const u32 *words, unsigned count, u64 more_at, u32 more)
{
    u64 before = used(f, q);
    for (unsigned n = 0; n < count; n++)
        poke(f, REQUEST + 4 * n, words[n], 4);
    poke(f, RESPONSE, 0, 8);
    desc(f, q, 0, REQUEST, 4 * count, NEXT, more ? 1 : 2);
    desc(f, q, 1, more_at, more, NEXT, 2);
    desc(f, q, 2, RESPONSE, ROOM, WRITE, 0);
    offer(f, q, 0);
    for (unsigned n = 0; n < 8 && used(f, q) == before && timer_due(f, ROW_virtio, 31, 0) != NEVER; n++)
        timer_comes(f, ROW_virtio, 31, 0);
    ck_assert_uint_eq((u16)(used(f, q) - before), 1);
    return (u32)peek(f, RESPONSE, 4);
}
#define ASK(f, q, ...)                                                                                                 \
    ask_more(f, q, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4, 0, 0)
#define HEAD(type) (type), 0, 0, 0, 0, 0

static u32 create(struct fixture *f, u32 id, u32 format, u32 width, u32 height)
{
    return ASK(f, CONTROL, HEAD(CREATE_2D), id, format, width, height);
}
static u32 attach(struct fixture *f, u32 id, u32 entries)
{
    const u32 words[] = { HEAD(ATTACH), id, entries };
    return ask_more(f, CONTROL, words, 8, REQUEST + 0x1000, entries * 16);
}
static void entry(struct fixture *f, u32 n, u64 at, u32 length)
{
    poke(f, REQUEST + 0x1000 + 16 * n, at, 8);
    poke(f, REQUEST + 0x1000 + 16 * n + 8, length, 4);
}
static u32 transfer(struct fixture *f, u32 id, u32 x, u32 y, u32 width, u32 height, u64 offset)
{
    return ASK(f, CONTROL, HEAD(TRANSFER), x, y, width, height, (u32)offset, (u32)(offset >> 32), id, 0);
}
static u32 scanout(struct fixture *f, u32 head, u32 id, u32 x, u32 y, u32 width, u32 height)
{
    return ASK(f, CONTROL, HEAD(SET_SCANOUT), x, y, width, height, head, id);
}
static u32 pixel(struct fixture *f, unsigned screen, u32 x, u32 y)
{
    u32 value = 0x12345678;
    machine_screen_read(f->m, screen, x, y, 1, 1, &value, 1);
    return value;
}

/* A resource of 32 x 20 whose backing is one piece, with pixel n of it n. */
static void shown(struct fixture *f, u32 id)
{
    ck_assert_uint_eq(create(f, id, 2, 32, 20), OK);
    for (u32 n = 0; n < 32 * 20; n++)
        poke(f, PIXELS + 4 * n, 0xff000000 | n, 4);
    entry(f, 0, PIXELS, 32 * 20 * 4);
    ck_assert_uint_eq(attach(f, id, 1), OK);
    ck_assert_uint_eq(transfer(f, id, 0, 0, 32, 20, 0), OK);
    ck_assert_uint_eq(scanout(f, 0, id, 0, 0, 32, 20), OK);
}

START_TEST(what_there_is)
{
    struct fixture *f = gpu_open(3);
    ck_assert_uint_eq(machine_screens(f->m), 3);
    ck_assert_uint_eq(bus_r(f, DEV + 0x100 + 8), 3);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(GET_DISPLAY_INFO)), OK_DISPLAY_INFO);
    ck_assert_uint_eq(used_len(f, CONTROL, 0), 24 + 16 * 24);
    for (unsigned n = 0; n < 16; n++) {
        u64 mode = RESPONSE + 24 + 24 * n;
        ck_assert_uint_eq(peek(f, mode + 8, 4), n < 3 ? 640 : 0);
        ck_assert_uint_eq(peek(f, mode + 12, 4), n < 3 ? 480 : 0);
        ck_assert_uint_eq(peek(f, mode + 16, 4), n < 3);
        ck_assert_uint_eq(peek(f, mode, 4), n < 3 ? 640 * n : 0);
    }
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(GET_EDID), 2, 0), OK_EDID);
    ck_assert_uint_eq(peek(f, RESPONSE + 24, 4), 128);
    u8 sum = 0;
    for (unsigned n = 0; n < 128; n++)
        sum = (u8)(sum + peek(f, RESPONSE + 32 + n, 1));
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(peek(f, RESPONSE + 32, 8), 0x00ffffffffffff00);
    ck_assert_uint_eq(peek(f, RESPONSE + 32 + 54 + 2, 1) | (peek(f, RESPONSE + 32 + 54 + 4, 1) & 0xf0) << 4, 640);
    ck_assert_uint_eq(peek(f, RESPONSE + 32 + 54 + 5, 1) | (peek(f, RESPONSE + 32 + 54 + 7, 1) & 0xf0) << 4, 480);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(GET_EDID), 3, 0), BAD_PARAMETER);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(GET_CAPSET_INFO), 0, 0), UNSPEC);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(0xffffffff)), UNSPEC);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(MOVE_CURSOR), 0, 0, 0, 0, 0, 0, 0, 0), UNSPEC); /* not on this queue */
    fixture_close(f);
}
END_TEST

START_TEST(a_picture)
{
    struct fixture *f = gpu_open(2);
    struct screen s;
    ck_assert(machine_screen(f->m, 0, &s) && !s.width);
    ck_assert_str_eq(s.name, "virtio-gpu 0.0");
    shown(f, 7);
    u64 hash = machine_hash(f->m);
    ck_assert(machine_screen(f->m, 0, &s) && s.width == 32 && s.height == 20 && !s.cursor);
    ck_assert(machine_screen(f->m, 1, &s) && !s.width);
    ck_assert_uint_eq(pixel(f, 0, 5, 3), 3 * 32 + 5);
    ck_assert_uint_eq(pixel(f, 0, 31, 19), 639);
    ck_assert_uint_eq(pixel(f, 0, 32, 19), 0);
    ck_assert_uint_eq(machine_hash(f->m), hash); /* a look changes nothing */
    /* What the guest writes to its memory is seen when it has been transferred; a part of it is. */
    for (u32 n = 0; n < 32 * 20; n++)
        poke(f, PIXELS + 4 * n, 0xffffff, 4);
    ck_assert_uint_eq(pixel(f, 0, 5, 3), 3 * 32 + 5);
    ck_assert_uint_eq(transfer(f, 7, 4, 2, 3, 2, (2 * 32 + 4) * 4), OK);
    ck_assert_uint_eq(pixel(f, 0, 6, 3), 0xffffff);
    ck_assert_uint_eq(pixel(f, 0, 7, 3), 3 * 32 + 7);
    ck_assert_uint_eq(pixel(f, 0, 4, 4), 4 * 32 + 4);
    ck_assert_uint_ne(machine_hash(f->m), hash);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(FLUSH), 0, 0, 32, 20, 7, 0), OK);
    /* Another head shows a part of the same. */
    ck_assert_uint_eq(scanout(f, 1, 7, 16, 10, 16, 10), OK);
    ck_assert(machine_screen(f->m, 1, &s) && s.width == 16 && s.height == 10);
    ck_assert_uint_eq(pixel(f, 1, 2, 1), 11 * 32 + 18);
    ck_assert_uint_eq(scanout(f, 1, 0, 0, 0, 0, 0), OK);
    ck_assert(machine_screen(f->m, 1, &s) && !s.width);
    /* A resource that is no more is shown by nobody, and leaves zeros. */
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(UNREF), 7, 0), OK);
    ck_assert(machine_screen(f->m, 0, &s) && !s.width);
    ck_assert_uint_eq(create(f, 8, 2, 32, 20), OK);
    ck_assert_uint_eq(scanout(f, 0, 8, 0, 0, 32, 20), OK);
    ck_assert_uint_eq(pixel(f, 0, 5, 3), 0);
    fixture_close(f);
}
END_TEST

/* The backing may be in pieces of any length, also shorter than the resource: then the rest stays. */
START_TEST(backing_in_pieces)
{
    struct fixture *f = gpu_open(1);
    ck_assert_uint_eq(create(f, 1, 2, 16, 16), OK);
    for (u32 n = 0; n < 16 * 16; n++)
        poke(f, PIXELS + 4 * n, n + 1, 4);
    u32 pieces = 0, at = 0;
    for (u32 length = 0; at < 16 * 15 * 4; at += length, length = length * 7 % 61)
        entry(f, pieces++, PIXELS + at, length = length ? length : 1);
    ck_assert_uint_eq(attach(f, 1, pieces), OK);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 16, 16, 0), OK);
    ck_assert_uint_eq(scanout(f, 0, 1, 0, 0, 16, 16), OK);
    for (u32 n = 0; n < at / 4; n++)
        ck_assert_uint_eq(pixel(f, 0, n % 16, n / 16), n + 1);
    ck_assert_uint_eq(pixel(f, 0, 15, 15), 0);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 16, 16, 0xfffffffffffffff0), UNSPEC);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 16, 1, 0xffffffff00000000), OK); /* nothing is there */
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(DETACH), 1, 0), OK);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 16, 16, 0), UNSPEC);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(DETACH), 1, 0), UNSPEC);
    entry(f, 0, 0x0d000000, 4096); /* no RAM */
    ck_assert_uint_eq(attach(f, 1, 1), OK);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 16, 16, 0), UNSPEC);
    fixture_close(f);
}
END_TEST

START_TEST(formats)
{
    static const struct {
        u32 format, memory; /* a little-endian word */
    } rows[] = { { 1, 0x44112233 },  { 2, 0x44112233 },  { 3, 0x33221144 },   { 4, 0x33221144 },
                 { 67, 0x44332211 }, { 68, 0x11223344 }, { 121, 0x11223344 }, { 134, 0x44332211 } };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        struct fixture *f = gpu_open(1);
        poke(f, PIXELS, rows[n].memory, 4);
        ck_assert_uint_eq(create(f, 1, rows[n].format, 1, 1), OK);
        entry(f, 0, PIXELS, 4);
        ck_assert_uint_eq(attach(f, 1, 1), OK);
        ck_assert_uint_eq(transfer(f, 1, 0, 0, 1, 1, 0), OK);
        ck_assert_uint_eq(scanout(f, 0, 1, 0, 0, 1, 1), OK);
        ck_assert_uint_eq(pixel(f, 0, 0, 0), 0x112233);
        fixture_close(f);
    }
}
END_TEST

START_TEST(refused)
{
    struct fixture *f = gpu_open(1);
    ck_assert_uint_eq(create(f, 0, 2, 16, 16), NO_RESOURCE);
    ck_assert_uint_eq(create(f, 1, 2, 16, 16), OK);
    ck_assert_uint_eq(create(f, 1, 2, 16, 16), NO_RESOURCE); /* it is there */
    ck_assert_uint_eq(create(f, 2, 5, 16, 16), BAD_PARAMETER);
    ck_assert_uint_eq(create(f, 2, 2, 0, 16), BAD_PARAMETER);
    ck_assert_uint_eq(create(f, 2, 2, 0xffffffff, 0xffffffff), BAD_PARAMETER);
    ck_assert_uint_eq(create(f, 2, 2, 0x10000, 0x10000), BAD_PARAMETER); /* whose product is 0 in 32 bits */
    ck_assert_uint_eq(create(f, 2, 2, 16384, 16384), NO_MEMORY);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(UNREF), 9, 0), NO_RESOURCE);
    ck_assert_uint_eq(scanout(f, 1, 1, 0, 0, 16, 16), NO_SCANOUT);
    ck_assert_uint_eq(scanout(f, 0xffffffff, 0, 0, 0, 0, 0), NO_SCANOUT);
    ck_assert_uint_eq(scanout(f, 0, 9, 0, 0, 16, 16), NO_RESOURCE);
    ck_assert_uint_eq(scanout(f, 0, 1, 1, 0, 16, 16), BAD_PARAMETER);
    ck_assert_uint_eq(scanout(f, 0, 1, 0xfffffff8, 0, 16, 16), BAD_PARAMETER);
    ck_assert_uint_eq(scanout(f, 0, 1, 0, 0, 16, 0), BAD_PARAMETER);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(FLUSH), 0, 0, 17, 16, 1, 0), BAD_PARAMETER);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(FLUSH), 0, 0, 16, 16, 9, 0), NO_RESOURCE);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 16, 16, 0), UNSPEC); /* no backing */
    ck_assert_uint_eq(attach(f, 9, 1), NO_RESOURCE);
    const u32 many[] = { HEAD(ATTACH), 1, 16385 };
    ck_assert_uint_eq(ask_more(f, CONTROL, many, 8, REQUEST + 0x1000, 16385 * 16), UNSPEC);
    const u32 few[] = { HEAD(ATTACH), 1, 16384 };
    ck_assert_uint_eq(ask_more(f, CONTROL, few, 8, REQUEST + 0x1000, 64), UNSPEC); /* which are not all there */
    entry(f, 0, PIXELS, 16 * 16 * 4);
    ck_assert_uint_eq(attach(f, 1, 1), OK);
    ck_assert_uint_eq(attach(f, 1, 1), UNSPEC); /* it has one */
    ck_assert_uint_eq(transfer(f, 9, 0, 0, 16, 16, 0), NO_RESOURCE);
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 17, 16, 0), BAD_PARAMETER);
    ck_assert_uint_eq(transfer(f, 1, 8, 0xffffffff, 8, 2, 0), BAD_PARAMETER);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(UNREF)), UNSPEC); /* too short */
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(TRANSFER), 0, 0, 16, 16, 0, 0, 1), UNSPEC);
    ck_assert(!needs_reset(f));
    desc(f, CONTROL, 0, REQUEST, 8, NEXT, 1); /* shorter than a header */
    desc(f, CONTROL, 1, RESPONSE, ROOM, WRITE, 0);
    offer(f, CONTROL, 0);
    timer_comes(f, ROW_virtio, 31, 0);
    ck_assert(needs_reset(f));
    fixture_close(f);
}
END_TEST

START_TEST(fences)
{
    struct fixture *f = gpu_open(1);
    ck_assert_uint_eq(ASK(f, CONTROL, GET_DISPLAY_INFO, 1, 0x89abcdef, 0x01234567, 5, 0), OK_DISPLAY_INFO);
    ck_assert_uint_eq(peek(f, RESPONSE + 4, 4), 1);
    ck_assert_uint_eq(peek(f, RESPONSE + 8, 8), 0x0123456789abcdef);
    ck_assert_uint_eq(peek(f, RESPONSE + 16, 4), 5);
    ck_assert_uint_eq(ASK(f, CONTROL, UNREF, 1, 7, 0, 0, 0, 9, 0), NO_RESOURCE); /* errors, too */
    ck_assert_uint_eq(peek(f, RESPONSE + 8, 8), 7);
    ck_assert_uint_eq(ASK(f, CONTROL, GET_DISPLAY_INFO, 0, 7, 0, 5, 0), OK_DISPLAY_INFO);
    ck_assert_uint_eq(peek(f, RESPONSE + 8, 8), 0);
    fixture_close(f);
}
END_TEST

START_TEST(pointer)
{
    struct fixture *f = gpu_open(2);
    struct screen s;
    static u32 image[CURSOR_SIZE * CURSOR_SIZE];
    ck_assert_uint_eq(create(f, 3, 1, 64, 64), OK);
    for (u32 n = 0; n < 64 * 64; n++)
        poke(f, PIXELS + 4 * n, n << 24 | n, 4);
    entry(f, 0, PIXELS, 64 * 64 * 4);
    ck_assert_uint_eq(attach(f, 3, 1), OK);
    ck_assert_uint_eq(transfer(f, 3, 0, 0, 64, 64, 0), OK);
    ck_assert_uint_eq(ASK(f, CURSOR, HEAD(UPDATE_CURSOR), 1, 20, 30, 0, 3, 4, 5, 0), OK);
    ck_assert(machine_screen(f->m, 0, &s) && !s.cursor);
    ck_assert(machine_screen(f->m, 1, &s) && s.cursor && s.cursor_x == 20 && s.cursor_y == 30);
    ck_assert(s.hot_x == 4 && s.hot_y == 5);
    machine_screen_cursor(f->m, 1, image);
    ck_assert_uint_eq(image[100], 100u << 24 | 100);
    ck_assert_uint_eq(ASK(f, CURSOR, HEAD(MOVE_CURSOR), 1, 0xfffffffe, 7, 0, 3, 0, 0, 0), OK);
    ck_assert(machine_screen(f->m, 1, &s) && s.cursor && s.cursor_x == -2 && s.cursor_y == 7 && s.hot_x == 4);
    /* The image is a copy. */
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(UNREF), 3, 0), OK);
    machine_screen_cursor(f->m, 1, image);
    ck_assert_uint_eq(image[100], 100u << 24 | 100);
    ck_assert_uint_eq(ASK(f, CURSOR, HEAD(UPDATE_CURSOR), 1, 0, 0, 0, 0, 0, 0, 0), OK);
    ck_assert(machine_screen(f->m, 1, &s) && !s.cursor);
    ck_assert_uint_eq(ASK(f, CURSOR, HEAD(UPDATE_CURSOR), 2, 0, 0, 0, 0, 0, 0, 0), NO_SCANOUT);
    ck_assert_uint_eq(ASK(f, CURSOR, HEAD(UPDATE_CURSOR), 1, 0, 0, 0, 9, 0, 0, 0), NO_RESOURCE);
    ck_assert_uint_eq(create(f, 4, 1, 32, 64), OK); /* of another size: the old image stays */
    ck_assert_uint_eq(ASK(f, CURSOR, HEAD(UPDATE_CURSOR), 1, 0, 0, 0, 4, 0, 0, 0), OK);
    machine_screen_cursor(f->m, 1, image);
    ck_assert_uint_eq(image[100], 100u << 24 | 100);
    fixture_close(f);
}
END_TEST

/* Memory is bounded, and given back. */
START_TEST(memory)
{
    struct fixture *f = gpu_open(1);
    for (u32 round = 0; round < 3; round++) {
        u32 id = 1;
        while (create(f, id, 2, 4096, 1024) == OK) /* 16 MiB */
            id++;
        ck_assert_uint_eq(id, 17);
        ck_assert_uint_eq(ASK(f, CONTROL, HEAD(UNREF), 5, 0), OK);
        ck_assert_uint_eq(create(f, 40, 2, 4096, 1025), NO_MEMORY);
        ck_assert_uint_eq(create(f, 41, 2, 2048, 1024), OK);
        ck_assert_uint_eq(create(f, 42, 2, 2048, 1024), OK);
        driver_begin(f, 2, 2); /* a reset */
    }
    u32 id = 1;
    while (create(f, id, 2, 1, 1) == OK)
        id++;
    ck_assert_uint_eq(id, GPU_RESOURCES + 1);
    fixture_close(f);
}
END_TEST

/* What moves many bytes keeps the next command waiting. */
START_TEST(it_takes_time)
{
    struct fixture *f = gpu_open(1);
    ck_assert_uint_eq(create(f, 1, 2, 1024, 1024), OK);
    entry(f, 0, PIXELS, 4 << 20);
    ck_assert_uint_eq(attach(f, 1, 1), OK);
    u64 before = f->m->now;
    ck_assert_uint_eq(transfer(f, 1, 0, 0, 1024, 1024, 0), OK);
    ck_assert_uint_eq(create(f, 2, 2, 1, 1), OK);
    ck_assert_uint_ge(f->m->now - before, (4 << 20) / 4);
    fixture_close(f);
}
END_TEST

START_TEST(saved_and_restored)
{
    struct fixture *f = gpu_open(1);
    struct screen s;
    shown(f, 7);
    u8 *state = malloc(state_size(f->m));
    ck_assert_ptr_nonnull(state);
    state_save(f->m, state);
    ck_assert_uint_eq(ASK(f, CONTROL, HEAD(UNREF), 7, 0), OK);
    ck_assert(machine_screen(f->m, 0, &s) && !s.width);
    ck_assert_ptr_null(state_examine(f->m, state));
    state_load(f->m, state);
    ck_assert(machine_screen(f->m, 0, &s) && s.width == 32);
    machine_reset(f->m);
    ck_assert(machine_screen(f->m, 0, &s) && !s.width);
    free(state);
    fixture_close(f);
}
END_TEST

static u64 next(u64 *seed) { return *seed = *seed * 6364136223846793005 + 1442695040888963407; }

/* Commands with random words, among which are those that mean something; and states that a snapshot may bring. */
START_TEST(hostile)
{
    static const u32 words[] = { 0,   1,    2,     3,     7,          16,         31,         32,        64,
                                 640, 4096, 16384, 16385, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
    static u32 pixels[64 * 64];
    struct fixture *f = gpu_open(2);
    u64 seed = 1;
    shown(f, 1);
    for (unsigned n = 0; n < 20000; n++) {
        u32 request[14], q = next(&seed) >> 40 & 1;
        for (unsigned k = 0; k < ARRAY_LEN(request); k++)
            request[k] = words[(next(&seed) >> 33) % ARRAY_LEN(words)];
        request[0] = q ? UPDATE_CURSOR + (u32)(seed >> 50) % 3 : GET_DISPLAY_INFO + (u32)(seed >> 50) % 12;
        if (request[0] == CREATE_2D && next(&seed) >> 62)
            request[7] = 2, request[8] = 16 + (u32)(seed >> 40) % 64, request[9] = 16;
        entry(f, 0, next(&seed) >> 60 ? PIXELS : seed, words[(seed >> 33) % ARRAY_LEN(words)]);
        entry(f, 1, next(&seed) >> 60 ? PIXELS + 64 : seed, words[(seed >> 33) % ARRAY_LEN(words)]);
        ask_more(f, q, request, request[0] == ATTACH ? 8 : 4 + (u32)(seed >> 45) % 11, REQUEST + 0x1000, 32);
        if (needs_reset(f))
            driver_begin(f, 2, 2);
        machine_screen_read(f->m, seed >> 63, (u32)(seed >> 40) % 64, (u32)(seed >> 44) % 64, 64, 64, pixels, 64);
        ck_assert_ptr_null(machine_validate(f->m));
    }
    driver_begin(f, 2, 2);
    shown(f, 1);
    struct gpu *g = place_state(f->m, (struct place){ ROW_gpu, 0 }), good = *g;
    for (unsigned n = 0; n < 20000; n++) {
        ((u32 *)g)[(next(&seed) >> 33) % 12] = words[(next(&seed) >> 33) % ARRAY_LEN(words)];
        ((u32 *)g->head)[(next(&seed) >> 33) % 12] = words[(next(&seed) >> 33) % ARRAY_LEN(words)];
        if (!machine_validate(f->m)) {
            machine_screen_read(f->m, 0, (u32)(seed >> 40) % 64, (u32)(seed >> 44) % 64, 64, 64, pixels, 64);
            transfer(f, 1, 0, 0, 16, 16, 0);
        } else {
            *g = good;
        }
    }
    fixture_close(f);
}
END_TEST

Suite *test_gpu_suite(void);
Suite *test_gpu_suite(void)
{
    Suite *s = suite_create("gpu");
    TCase *tc = tcase_create("gpu");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, what_there_is);
    tcase_add_test(tc, a_picture);
    tcase_add_test(tc, backing_in_pieces);
    tcase_add_test(tc, formats);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, fences);
    tcase_add_test(tc, pointer);
    tcase_add_test(tc, memory);
    tcase_add_test(tc, it_takes_time);
    tcase_add_test(tc, saved_and_restored);
    tcase_add_test(tc, hostile);
    suite_add_tcase(s, tc);
    return s;
}
