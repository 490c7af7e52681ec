/* The firmware configuration device: what it is given at boot, what it answers to hostile guests and stores. The guest
 * tests/guest/fw_cfg.c tests the registers. */
#include "board/dev/fw_cfg.h"
#include "tests/unit/board_fixture.h"

enum { DATA = 0x09020000, SELECTOR = DATA + 8, DMA = DATA + 16, RAM_BASE = 0x40000000, ASK = RAM_BASE + 0x1000,
       TO = RAM_BASE + 0x2000, RAM_SIZE = 16 << 20 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static void key_select(struct fixture *f, u32 key)
{
    ck_assert(bus_ops.write(f->m, SELECTOR, 2, (struct phys_attrs){ .ns = 1 }, (u64)__builtin_bswap16((u16)key)));
}

static u64 data_get(struct fixture *f, unsigned size)
{
    u64 value = 0;
    ck_assert(bus_get(f, DATA, size, &value));
    return value;
}

static u32 dma(struct fixture *f, u64 ask, u32 control, u32 length, u64 address)
{
    u8 bytes[16];
    store_be32(bytes, control);
    store_be32(bytes + 4, length);
    store_be64(bytes + 8, address);
    phys_copy_in(&f->m->d.phys, ask, bytes, sizeof(bytes));
    ck_assert(bus_ops.write(f->m, DMA, 8, (struct phys_attrs){ .ns = 1 }, __builtin_bswap64(ask)));
    ck_assert(phys_copy_out(&f->m->d.phys, ask, bytes, 4));
    return load_be32(bytes);
}

static void fill(struct fixture *f)
{
    const char *wrong;
    struct fw_cfg_item items[] = { { "opt/b", 0, "second", 6, 0 },
                                   { "opt/a", 0, "first", 5, 0 },
                                   { NULL, FW_CFG_KERNEL_DATA, "kernel", 6, 0 } };
    ck_assert_msg(fw_cfg_fill(f->m, items, ARRAY_LEN(items), &wrong), "%s", wrong);
}

START_TEST(items_are_found)
{
    struct fixture *f = fixture_open();
    fill(f);
    key_select(f, FW_CFG_KERNEL_DATA);
    ck_assert_uint_eq(data_get(f, 4), 0x6e72656b);
    key_select(f, FW_CFG_FILES);
    ck_assert_uint_eq(data_get(f, 1), 'f'); /* opt/a comes first */
    key_select(f, FW_CFG_FILES + 1);
    ck_assert_uint_eq(data_get(f, 1), 's');
    key_select(f, 0x4000 | (FW_CFG_FILES + 1)); /* once the bit for writing */
    ck_assert_uint_eq(data_get(f, 2), 0x6573);
    key_select(f, FW_CFG_FILES + 2);
    ck_assert_uint_eq(data_get(f, 8), 0);
    fixture_close(f);
}
END_TEST

START_TEST(what_cannot_be_an_item)
{
    struct fixture *f = fixture_open();
    const char *wrong = NULL;
    char name[FW_CFG_NAME + 1];
    memset(name, 'x', sizeof(name) - 1);
    name[FW_CFG_NAME] = 0;
    struct fw_cfg_item many[FW_CFG_ITEMS] = { { 0 } }, same[] = { { "a", 0, NULL, 0, 0 }, { "a", 0, NULL, 0, 0 } };
    ck_assert(!fw_cfg_fill(f->m, many, FW_CFG_ITEMS, &wrong));
    ck_assert_str_eq(wrong, "too many items");
    ck_assert(!fw_cfg_fill(f->m, same, 2, &wrong));
    ck_assert_str_eq(wrong, "two files have the same name");
    ck_assert(!fw_cfg_fill(f->m, &(struct fw_cfg_item){ name, 0, NULL, 0, 0 }, 1, &wrong));
    ck_assert_str_eq(wrong, "a name has more than 55 characters");
    ck_assert(!fw_cfg_fill(f->m, &(struct fw_cfg_item){ "a", 0, "", (u64)1 << 32, 0 }, 1, &wrong));
    ck_assert_str_eq(wrong, "an item is larger than 4 GiB");
    fill(f);
    static const u8 large[8192];
    ck_assert(!fw_cfg_fill(f->m, &(struct fw_cfg_item){ "a", 0, large, sizeof(large), 0 }, 1, &wrong));
    ck_assert_msg(strstr(wrong, "before the reset") != NULL, "%s", wrong);
    fixture_close(f);
}
END_TEST

START_TEST(dma_at_the_edges)
{
    struct fixture *f = fixture_open();
    fill(f);
    poke(f, TO, 0xa5a5a5a5a5a5a5a5, 8);
    ck_assert_uint_eq(dma(f, ASK, FW_CFG_FILES << 16 | DMA_SELECT | DMA_READ, 3, TO), 0);
    ck_assert_uint_eq(peek(f, TO, 4), 0xa5726966);
    ck_assert_uint_eq(dma(f, ASK, DMA_READ, 0xffffffff, TO), DMA_ERROR); /* runs out of RAM */
    ck_assert_uint_eq(peek(f, TO, 4), 0x7473);                           /* zeros after the end */
    ck_assert_uint_eq(dma(f, ASK, DMA_SKIP, 0xffffffff, 0), 0);
    ck_assert_uint_eq(data_get(f, 1), 0);
    ck_assert_uint_eq(dma(f, ASK, FW_CFG_FILES << 16 | DMA_SELECT | DMA_READ, 4, 0xfffffffffffffffe), DMA_ERROR);
    ck_assert_uint_eq(dma(f, ASK, DMA_READ, 1, DATA), DMA_ERROR); /* a device */
    ck_assert_uint_eq(dma(f, ASK, DMA_WRITE, 1, TO), DMA_ERROR);
    ck_assert_uint_eq(dma(f, ASK, DMA_WRITE, 0, TO), 0);
    /* A question that lies where nothing is, or is cut off by RAM's end: nothing happens, the next one is answered. */
    static const u64 nowhere[] = { 0, 0xfffffffffffffff8, 0x3ffffffffff0, RAM_BASE + RAM_SIZE - 8, STORE_BASE };
    for (unsigned n = 0; n < ARRAY_LEN(nowhere); n++)
        ck_assert(bus_ops.write(f->m, DMA, 8, (struct phys_attrs){ .ns = 1 }, __builtin_bswap64(nowhere[n])));
    ck_assert_uint_eq(dma(f, ASK, FW_CFG_FILES << 16 | DMA_SELECT | DMA_READ, 1, ASK), 0); /* into itself */
    fixture_close(f);
}
END_TEST

START_TEST(without_dma)
{
    struct fixture *f = fixture_open();
    u64 word = 1;
    fill(f);
    ck_assert(bus_get(f, DMA, 8, &word));
    ck_assert_uint_eq(word, load_le64((const u8 *)"QEMU CFG"));
    f->m->options.fw_cfg_no_dma = 1;
    ck_assert(bus_get(f, DMA, 8, &word));
    ck_assert_uint_eq(word, 0);
    poke(f, TO, 0xa5a5a5a5, 4);
    ck_assert_uint_eq(dma(f, ASK, FW_CFG_FILES << 16 | DMA_SELECT | DMA_READ, 4, TO), /* as it was written */
                      FW_CFG_FILES << 16 | DMA_SELECT | DMA_READ);
    ck_assert_uint_eq(peek(f, TO, 4), 0xa5a5a5a5);
    key_select(f, FW_CFG_FILES);
    ck_assert_uint_eq(data_get(f, 1), 'f');
    fixture_close(f);
}
END_TEST

START_TEST(nobody_else_has_the_store)
{
    struct fixture *f = fixture_open();
    u64 value = 0;
    u8 byte = 0x55;
    fill(f);
    ck_assert(!phys_read(&f->m->d.phys, STORE_BASE, 4, (struct phys_attrs){ 0 }, &value));
    ck_assert(!phys_write(&f->m->d.phys, STORE_BASE, 4, (struct phys_attrs){ 0 }, 1));
    ck_assert(!bus_dma(f->m, (struct requester){ .untranslated = true, .secure = true }, STORE_BASE, &byte, 1, false));
    ck_assert(!bus_dma(f->m, (struct requester){ .untranslated = true, .secure = true }, STORE_BASE, &byte, 1, true));
    ck_assert_uint_eq(dma(f, ASK, FW_CFG_FILES << 16 | DMA_SELECT | DMA_READ, 1, STORE_BASE), DMA_ERROR);
    fixture_close(f);
}
END_TEST

/* A snapshot may bring any store. */
START_TEST(hostile_store)
{
    static const u64 wild[] = { 0, 1, 0x7fffffff, 0x80000020, 0xffffffff, 0xfffffffffffffff0, 4095 };
    struct fixture *f = fixture_open();
    fill(f);
    u64 items = STORE_BASE + 16, seed = 1;
    for (unsigned n = 0; n < 20000; n++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        u64 at = items + (seed >> 33) % (FW_CFG_ITEMS * 16 / 4) * 4;
        poke(f, at, wild[(seed >> 20) % ARRAY_LEN(wild)], 4);
        key_select(f, (u32)(FW_CFG_FILES + (seed >> 50) % 3));
        data_get(f, 8);
        *(u32 *)device_field(f, ROW_fw_cfg, 0, "offset") = (u32)wild[(seed >> 25) % ARRAY_LEN(wild)];
        data_get(f, 8);
        dma(f, ASK, DMA_READ, 64, TO);
        dma(f, ASK, DMA_SKIP, 0xffffffff, TO);
    }
    fill(f);
    key_select(f, FW_CFG_FILES);
    ck_assert_uint_eq(data_get(f, 1), 'f'); /* it still answers */
    fixture_close(f);
}
END_TEST

Suite *test_fw_cfg_suite(void);
Suite *test_fw_cfg_suite(void)
{
    Suite *s = suite_create("fw_cfg");
    TCase *tc = tcase_create("fw_cfg");
    tcase_add_test(tc, items_are_found);
    tcase_add_test(tc, what_cannot_be_an_item);
    tcase_add_test(tc, dma_at_the_edges);
    tcase_add_test(tc, without_dma);
    tcase_add_test(tc, nobody_else_has_the_store);
    tcase_add_test(tc, hostile_store);
    suite_add_tcase(s, tc);
    return s;
}
