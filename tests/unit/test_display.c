/* Screens: what is shown of ramfb, in each format, and what hostile guests and snapshots make of it. */
#include "board/dev/fw_cfg.h"
#include "board/display.h"
#include "board/state.h"
#include "tests/unit/board_fixture.h"

enum { DMA = 0x09020010, RAM_BASE = 0x40000000, RAM_SIZE = 16 << 20, ASK = RAM_BASE + 0x1000, TO = RAM_BASE + 0x2000,
       PIXELS = RAM_BASE + 0x10000 };
enum { DMA_ERROR = 1, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16, FILE_SIZE = 28 };
#define CODE(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)
#define XR24             CODE('X', 'R', '2', '4')

static struct fixture *ramfb_open(void)
{
    const char *wrong;
    static const u8 zeros[FILE_SIZE];
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->options.ramfb = 1;
    fixture_make(f, c);
    struct fw_cfg_item items[] = { { "etc/ramfb", 0, zeros, FILE_SIZE, ROW_ramfb + 1 }, { "opt/a", 0, "first", 5, 0 } };
    ck_assert_msg(fw_cfg_fill(f->m, items, ARRAY_LEN(items), &wrong), "%s", wrong);
    return f;
}

static u32 dma(struct fixture *f, u32 control, u32 length, u64 address)
{
    u8 bytes[16];
    store_be32(bytes, control);
    store_be32(bytes + 4, length);
    store_be64(bytes + 8, address);
    phys_copy_in(&f->m->d.phys, ASK, bytes, sizeof(bytes));
    ck_assert(bus_ops.write(f->m, DMA, 8, (struct phys_attrs){ .ns = 1 }, __builtin_bswap64(ASK)));
    ck_assert(phys_copy_out(&f->m->d.phys, ASK, bytes, 4));
    return load_be32(bytes);
}

/* The guest writes the file. */
static void ramfb_set(struct fixture *f, u64 address, u32 format, u32 width, u32 height, u32 stride)
{
    u8 file[FILE_SIZE] = { 0 };
    store_be64(file, address);
    store_be32(file + 8, format);
    store_be32(file + 16, width);
    store_be32(file + 20, height);
    store_be32(file + 24, stride);
    phys_copy_in(&f->m->d.phys, TO, file, sizeof(file));
    ck_assert_uint_eq(dma(f, FW_CFG_FILES << 16 | DMA_SELECT | DMA_WRITE, FILE_SIZE, TO), 0);
}

static u32 pixel(struct fixture *f, u32 x, u32 y)
{
    u32 value = 0x12345678;
    machine_screen_read(f->m, 0, x, y, 1, 1, &value, 1);
    return value;
}

START_TEST(there_is_none)
{
    struct fixture *f = fixture_open();
    struct screen s;
    u32 pixels[4] = { 1, 2, 3, 4 };
    ck_assert_uint_eq(machine_screens(f->m), 0);
    ck_assert(!machine_screen(f->m, 0, &s));
    machine_screen_read(f->m, 0, 0, 0, 2, 1, pixels, 2);
    ck_assert(!pixels[0] && !pixels[1] && pixels[2] == 3);
    fixture_close(f);
}
END_TEST

START_TEST(switched_on)
{
    struct fixture *f = ramfb_open();
    struct screen s;
    ck_assert_uint_eq(machine_screens(f->m), 1);
    ck_assert(machine_screen(f->m, 0, &s) && !machine_screen(f->m, 1, &s));
    ck_assert(machine_screen(f->m, 0, &s) && !s.width && !s.height && !s.cursor);
    ck_assert_str_eq(s.name, "ramfb");
    ramfb_set(f, PIXELS, XR24, 32, 16, 256);
    poke(f, PIXELS + 256 * 15 + 4 * 31, 0xff123456, 4);
    u64 hash = machine_hash(f->m);
    ck_assert(machine_screen(f->m, 0, &s) && s.width == 32 && s.height == 16);
    ck_assert_uint_eq(pixel(f, 31, 15), 0x123456);
    ck_assert_uint_eq(pixel(f, 32, 15), 0); /* outside */
    ck_assert_uint_eq(pixel(f, 31, 16), 0);
    ck_assert_uint_eq(pixel(f, 0xffffffff, 0xffffffff), 0);
    u32 part[3][4];
    memset(part, 0x55, sizeof(part));
    machine_screen_read(f->m, 0, 30, 14, 3, 3, part[0], 4);
    ck_assert_uint_eq(part[1][1], 0x123456);
    ck_assert(!part[0][0] && !part[1][2] && !part[2][1] && part[1][3] == 0x55555555);
    ck_assert_uint_eq(machine_hash(f->m), hash); /* a look changes nothing */
    machine_reset(f->m);
    ck_assert(machine_screen(f->m, 0, &s) && !s.width);
    fixture_close(f);
}
END_TEST

START_TEST(formats)
{
    static const struct {
        u32 code, bytes;
        u64 memory;
        u32 shown;
    } rows[] = { { XR24, 4, 0xff112233, 0x112233 },
                 { CODE('A', 'R', '2', '4'), 4, 0x00112233, 0x112233 },
                 { CODE('X', 'B', '2', '4'), 4, 0xff112233, 0x332211 },
                 { CODE('A', 'B', '2', '4'), 4, 0xff112233, 0x332211 },
                 { CODE('R', 'G', '2', '4'), 3, 0x112233, 0x112233 },
                 { CODE('R', 'G', '1', '6'), 2, 0xf800, 0xff0000 },
                 { CODE('R', 'G', '1', '6'), 2, 0x07e0, 0x00ff00 },
                 { CODE('R', 'G', '1', '6'), 2, 0x001f, 0x0000ff },
                 { CODE('R', 'G', '1', '6'), 2, 0x8410, 0x848284 } };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        struct fixture *f = ramfb_open();
        ramfb_set(f, PIXELS, rows[n].code, 16, 16, 0); /* rows without a gap */
        u8 bytes[8];
        store_le64(bytes, rows[n].memory);
        phys_copy_in(&f->m->d.phys, PIXELS + (16 + 3) * rows[n].bytes, bytes, rows[n].bytes);
        ck_assert_uint_eq(pixel(f, 3, 1), rows[n].shown);
        ck_assert_uint_eq(pixel(f, 2, 1) | pixel(f, 4, 1), 0);
        fixture_close(f);
    }
}
END_TEST

/* What makes no screen leaves the one that was. */
START_TEST(hostile_guest)
{
    struct fixture *f = ramfb_open();
    struct screen s;
    ramfb_set(f, PIXELS, XR24, 32, 16, 128);
    static const struct {
        u64 address;
        u32 format, width, height, stride;
    } rows[] = {
        { PIXELS, 0, 32, 16, 128 },
        { PIXELS, XR24, 0, 16, 128 },
        { PIXELS, XR24, 15, 16, 128 },
        { PIXELS, XR24, 32, 15, 128 },
        { PIXELS, XR24, 16001, 16, 0 },
        { PIXELS, XR24, 16, 12001, 0 },
        { PIXELS, XR24, 0xffffffff, 0xffffffff, 0xffffffff },
        { PIXELS, XR24, 16000, 12000, 0 },
        { PIXELS, XR24, 32, 16, 0x80000000 },
        { RAM_BASE + RAM_SIZE - 32 * 16 * 4 + 1, XR24, 32, 16, 128 },
        { 0, XR24, 32, 16, 128 },
        { 0x09000000, XR24, 32, 16, 128 },
        { 0xffffffffffffff00, XR24, 32, 16, 0x10000000 },
        { STORE_BASE, XR24, 16, 16, 64 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        ramfb_set(f, rows[n].address, rows[n].format, rows[n].width, rows[n].height, rows[n].stride);
        ck_assert(machine_screen(f->m, 0, &s) && s.width == 32 && s.height == 16);
    }
    ramfb_set(f, RAM_BASE + RAM_SIZE - 16 * 16 * 4, XR24, 16, 16, 64); /* up to RAM's last byte */
    ck_assert(machine_screen(f->m, 0, &s) && s.width == 16);
    /* More than the file has, other files, and pieces of it. */
    ck_assert_uint_eq(dma(f, FW_CFG_FILES << 16 | DMA_SELECT | DMA_WRITE, FILE_SIZE + 1, TO), DMA_ERROR);
    ck_assert_uint_eq(dma(f, FW_CFG_FILES << 16 | DMA_SELECT | DMA_WRITE, 0xffffffff, TO), DMA_ERROR);
    ck_assert_uint_eq(dma(f, (FW_CFG_FILES + 1) << 16 | DMA_SELECT | DMA_WRITE, 1, TO), DMA_ERROR);
    ck_assert_uint_eq(dma(f, FW_CFG_FILES << 16 | DMA_SELECT | DMA_WRITE, 4, 0x0d000000), DMA_ERROR);
    ck_assert_uint_eq(dma(f, FW_CFG_FILES << 16 | DMA_SELECT | DMA_SKIP, 16, 0), 0);
    u8 width[4];
    store_be32(width, 64);
    phys_copy_in(&f->m->d.phys, TO, width, 4);
    ck_assert_uint_eq(dma(f, DMA_WRITE, 4, TO), 0); /* then it would reach beyond RAM */
    ck_assert(machine_screen(f->m, 0, &s) && s.width == 16);
    fixture_close(f);
}
END_TEST

/* A snapshot may bring any state that validates, and any RAM. */
START_TEST(hostile_state)
{
    static const u64 wild[] = {
        0, 1, 16, 17, 12000, 16000, 0x7fffffff, 0xffffffff, RAM_BASE, RAM_BASE + RAM_SIZE - 64
    };
    static const char *const fields[] = { "address", "stride", "format", "width", "height" };
    struct fixture *f = ramfb_open();
    struct screen s;
    u64 seed = 1;
    static u32 pixels[64 * 64];
    ramfb_set(f, PIXELS, XR24, 32, 16, 128);
    for (unsigned n = 0; n < 20000; n++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        const char *field = fields[(seed >> 33) % ARRAY_LEN(fields)];
        u64 value = (seed >> 50) % 8 ? wild[(seed >> 20) % ARRAY_LEN(wild)] : seed;
        memcpy(device_field(f, ROW_ramfb, 0, field), &value, field[0] == 'a' || field[0] == 's' ? 8 : 4);
        if (machine_validate(f->m))
            continue;
        ck_assert(machine_screen(f->m, 0, &s));
        machine_screen_read(f->m, 0, (u32)(seed >> 40) % 16000, (u32)(seed >> 44) % 12000, 64, 64, pixels, 64);
    }
    *(u32 *)device_field(f, ROW_ramfb, 0, "width") = 16001;
    ck_assert_str_eq(machine_validate(f->m), "ramfb: size out of range");
    fixture_close(f);
}
END_TEST

START_TEST(saved_and_restored)
{
    struct fixture *f = ramfb_open();
    struct screen s;
    ramfb_set(f, PIXELS, XR24, 32, 16, 128);
    u8 *state = malloc(state_size(f->m));
    ck_assert_ptr_nonnull(state);
    state_save(f->m, state);
    ramfb_set(f, PIXELS, XR24, 20, 20, 80);
    ck_assert_ptr_null(state_examine(f->m, state));
    state_load(f->m, state);
    ck_assert(machine_screen(f->m, 0, &s) && s.width == 32 && s.height == 16);
    free(state);
    fixture_close(f);
}
END_TEST

Suite *test_display_suite(void);
Suite *test_display_suite(void)
{
    Suite *s = suite_create("display");
    TCase *tc = tcase_create("display");
    tcase_add_test(tc, there_is_none);
    tcase_add_test(tc, switched_on);
    tcase_add_test(tc, formats);
    tcase_add_test(tc, hostile_guest);
    tcase_add_test(tc, hostile_state);
    tcase_add_test(tc, saved_and_restored);
    suite_add_tcase(s, tc);
    return s;
}
