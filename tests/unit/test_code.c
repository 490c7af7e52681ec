/* Decoded code (cpu/engine/code.h): a pool that is smaller than the program, and a page of it that is written to in
 * every turn. */
#include "tests/unit/board_fixture.h"

#include "cpu/engine/code.h"

enum { PAGES = 10, WRITTEN = 4, TURNS = 100, B_NEXT_PAGE = 0x140003ff, HERE = 0x14000000 };
#define BASE ((u64)0x40000000)

Suite *test_code_suite(void);

static u32 add_x0(unsigned n) { return 0x91000000 | n << 10; }

static void put(struct fixture *f, u64 pa, const u32 *words, unsigned count)
{
    ck_assert(phys_copy_in(&f->m->d.phys, pa, words, 4 * (u64)count));
}

/* Page n adds n + 1 to x0. The last one makes the one WRITTEN add one more in the next turn, x1 times. */
static void program(struct fixture *f)
{
    for (unsigned n = 0; n < PAGES - 1; n++) {
        const u32 words[] = { add_x0(n + 1), B_NEXT_PAGE };
        put(f, BASE + 4096 * n, words, ARRAY_LEN(words));
    }
    const u32 back = -(4096u * (PAGES - 1) + 24) / 4 & 0x7ffff;
    const u32 last[] = { add_x0(PAGES), 0x11100063, 0xb9000043,
                         0xd5033fdf, /* add w3, w3, #0x400; str w3, [x2]; isb */
                         0xd503201f,    0xd1000421, 0xb5000001 | back << 5,
                         HERE };
    put(f, BASE + 4096 * (PAGES - 1), last, ARRAY_LEN(last));
    f->m->entry_el = 1;
    machine_cpu_enter(f->m, &f->m->d.cpu[0], 1, BASE, 0);
    f->m->d.cpu[0].x[1] = TURNS;
    f->m->d.cpu[0].x[2] = BASE + 4096 * WRITTEN;
    f->m->d.cpu[0].x[3] = add_x0(WRITTEN + 1);
}

static void pool_of(struct fixture *f, unsigned pages)
{
    struct machine *m = f->m;
    code_destroy(m->d.code);
    m->d.code = code_create(&m->d.phys, m->d.decoder, m->d.cpu, m->options.cpu_count, pages);
    ck_assert_ptr_nonnull(m->d.code);
    m->d.phys.code = m->d.cpu[0].d.host.code = m->d.code;
}

START_TEST(small_pool)
{
    const u64 want = TURNS * PAGES * (PAGES + 1) / 2 + TURNS * (TURNS - 1) / 2;
    for (unsigned engine = 0; engine < ENGINES; engine++)
        for (unsigned pages = 2; pages <= 64; pages *= 2) {
            struct fixture *f = calloc(1, sizeof(*f));
            ck_assert_ptr_nonnull(f);
            struct machine_config *c = fixture_config(f);
            c->engine = engine;
            fixture_make(f, c);
            pool_of(f, pages);
            program(f);
            machine_run(f->m, 100000);
            ck_assert_uint_eq(f->m->d.cpu[0].x[0], want);
            ck_assert_uint_eq(f->m->d.cpu[0].x[1], 0);
            fixture_close(f);
        }
}
END_TEST

Suite *test_code_suite(void)
{
    Suite *s = suite_create("code");
    TCase *c = tcase_create("small_pool");
    tcase_add_test(c, small_pool);
    suite_add_tcase(s, c);
    return s;
}
