/*
 * Every sequence of cpu/engine/fuse.def, word by word, on both engines: from random registers, which often are the same
 * ones, with addresses that hit, that fault and that are not aligned, they must leave the same state and memory. And
 * each must have been fused, or the row is never used.
 */
#include "tests/unit/code_pair.h"

#include "cpu/engine/fuse.h"

Suite *test_fuse_suite(void);

/* ---- the rows, by name: a sequence is its first handler and a rest, which is a handler or a sequence ---- */

struct sequence_row {
    const char *first, *rest, *name;
};
/* How often a row is tried. */
enum { TRIALS = 60, LONGEST = 4 };

static const struct sequence_row rows[] = {
#define NAMED(first, rest, name)                { #first, #rest, #name },
#define ALU(first, second)                      NAMED(first, second, first##_##second)
#define INTO(first, second)                     ALU(first, second)
#define PAIR(first, second)                     ALU(first, second)
#define THEN(first, rest)                       ALU(first, rest)
#define NEAR(first, second)                     NAMED(first, second, first##_near_##second)
#define FLOW2(first, as, second)                NAMED(first, second, first##_to_##second)
#define CHAIN2(first, second)                   NAMED(first, second, first##_over_##second)
#define CHAIN3(first, second, third)            NAMED(first, second##_over_##third, first##_over_##second##_over_##third)
#define CHAIN4(first, second, third, fourth)                                                                           \
    NAMED(first, second##_over_##third##_over_##fourth, first##_over_##second##_over_##third##_over_##fourth)
#define RUNS(id, way)                                                                                                  \
    NAMED(id, id, id##_##way##2) NAMED(id, id##_##way##2, id##_##way##3) NAMED(id, id##_##way##3, id##_##way##4)
#define LOADS_RUN(id)                           RUNS(id, up) RUNS(id, down)
#define STORES_RUN(id)                          RUNS(id, up)
#include "cpu/engine/fuse.def"
};

static const struct sequence_row *row_named(const char *name)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (!strcmp(rows[n].name, name))
            return &rows[n];
    return NULL;
}

/* The names of a row's handlers. */
static unsigned row_handlers(const struct sequence_row *row, const char *names[LONGEST])
{
    unsigned count = 0;
    names[count++] = row->first;
    const char *rest = row->rest;
    for (const struct sequence_row *r; (r = row_named(rest)); rest = r->rest) {
        ck_assert_uint_lt(count, LONGEST - 1);
        names[count++] = r->first;
    }
    names[count++] = rest;
    return count;
}

/* ---- words of a handler ---- */

/* The row of a handler's name, and the number of its stamp. */
static const struct insn_row *handler_row(const char *name, unsigned *stamp)
{
    static const u8 stamps[] = {
        [STAMP_1] = 1, [STAMP_S] = 2, [STAMP_N] = 2, [STAMP_Q] = 2, [STAMP_Z] = 4, [STAMP_QZ] = 8
    };
    const struct insn_row *row;
    for (unsigned n = 0; (row = insn_row_get(n)); n++) {
        size_t length = strlen(row->name);
        if (strncmp(name, row->name, length) != 0)
            continue;
        if (row->stamp == STAMP_1 && !name[length])
            return *stamp = 0, row;
        if (row->stamp != STAMP_1 && name[length] == '_' && name[length + 1] && !name[length + 2]) {
            *stamp = (unsigned)(name[length + 1] - '0');
            if (*stamp < stamps[row->stamp])
                return row;
        }
    }
    return NULL;
}

/* A word that decodes to the handler: registers are few, the other bits any, or few where they make a small number. */
static u32 word_of(const char *name, const struct decoder *decoder)
{
    unsigned stamp;
    const struct insn_row *row = handler_row(name, &stamp);
    ck_assert_msg(row != NULL, "%s is no handler", name);
    const struct fields f = pattern_fields(row->pattern);
    for (unsigned tries = 0; tries < 100000; tries++) {
        u32 word = any_word(row->pattern);
        if (row->stamp == STAMP_S)
            word = (word & ~(u32)BIT(f.lsb['s'])) | stamp << f.lsb['s'];
        if (row->stamp == STAMP_Z)
            word = (word & ~(3u << f.lsb['z'])) | stamp << f.lsb['z'];
        if (row->stamp == STAMP_N && stamp)
            word |= 31u << f.lsb['N'];
        if (row->stamp == STAMP_N && !stamp && (word >> f.lsb['N'] & 31) == 31)
            continue;
        struct op op;
        if (decoder_decode(decoder, word, ENGINE_THREADED, &op) == row)
            return word;
    }
    ck_abort_msg("no word found for %s", name);
}

/* ---- running them ---- */

/* Is the slot of the instruction at pc the handler of row n? */
static bool was_fused(u64 pc, unsigned n)
{
    const struct cpu *cpu = pe(ENGINE_THREADED);
    const struct code_page *page = code_page_get(bed[ENGINE_THREADED]->m->d.code, pc & ~(u64)(PAGE - 1),
                                                 cpu->fetch_attrs & FETCH_NS, ENGINE_THREADED);
    return page->op[(pc & (PAGE - 1)) / 4].fn == fuse_handler(n);
}

/* Words for a row; what the row's form asks of registers comes by chance, but for runs of pairs, which are made. */
static void row_words(const struct sequence_row *row, const char *const *names, unsigned count, u32 *words)
{
    const struct decoder *decoder = bed[ENGINE_THREADED]->m->d.decoder;
    bool up = strstr(row->name, "_up"), run_of_pairs = up || strstr(row->name, "_down");
    for (unsigned n = 0; n < count; n++) {
        words[n] = word_of(names[n], decoder);
        if (run_of_pairs && n > 0) {
            u32 offset = (u32)bits(words[0], 21, 15) + (up ? 2 * n : 0u - 2 * n);
            words[n] = (u32)bits_set(bits_set(words[n], 21, 15, offset & 127), 9, 5, bits(words[0], 9, 5));
        }
    }
}

static void pair_open_plain(void) { pair_open((struct tier2_config){ 0 }, "cortex-a57"); }

START_TEST(both_engines_agree)
{
    const struct sequence_row *row = &rows[_i];
    const char *names[LONGEST];
    unsigned count = row_handlers(row, names), fused = 0;
    for (unsigned trial = 0; trial < 40 * TRIALS && (trial < TRIALS || (!fused && engine_threaded)); trial++) {
        u32 words[LONGEST + 1] = { 0 };
        row_words(row, names, count, words);
        words[count] = HERE;
        u64 x[REG_COUNT], pc = write_code(words, count + 1, AFTER);
        for (unsigned n = 0; n < REG_COUNT; n++)
            x[n] = any_value();
        x[REG_ZR] = 0;
        if (any() % 4)
            x[REG_SP] &= ~(u64)15;
        u64 data[DATA_PAGES][PAGE / 8];
        for (unsigned n = 0; n < DATA_PAGES * PAGE / 8; n++)
            data[n / (PAGE / 8)][n % (PAGE / 8)] = any_value();
        for (unsigned engine = 0; engine < ENGINES; engine++)
            run(engine, pc, x, (const u8(*)[PAGE])data, BUDGET);
        compare(row->name, trial, words);
        fused += was_fused(pc, (unsigned)_i);
    }
    ck_assert_msg(fused > 0 || !engine_threaded, "%s was never fused", row->name);
}
END_TEST

Suite *test_fuse_suite(void)
{
    Suite *s = suite_create("fuse");
    TCase *c = tcase_create("sequences");
    tcase_add_unchecked_fixture(c, pair_open_plain, pair_close);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, both_engines_agree, 0, ARRAY_LEN(rows));
    suite_add_tcase(s, c);
    return s;
}
