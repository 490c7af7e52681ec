/*
 * Every sequence of cpu/engine/fuse.def, word by word, on both engines: from random registers, which often are the same
 * ones, with addresses that hit, that fault and that are not aligned, they must leave the same state and memory. And
 * each must have been fused, or the row is never used.
 */
#include "tests/unit/board_fixture.h"

#include "cpu/engine/code.h"
#include "cpu/engine/fuse.h"
#include "cpu/engine/run.h"

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

static u64 seed = 1;
static u64 any(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
}

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

/* A register among few, so that sequences meet their own results; 31 now and then. */
static u32 any_register(void) { return any() % 16 ? (u32)(any() % 4) : 31; }

struct fields {
    unsigned lsb[128], width[128];
};
static struct fields pattern_fields(const char *pattern)
{
    struct fields f = { { 0 }, { 0 } };
    unsigned position = 32;
    for (const char *p = pattern; *p; p++) {
        if (*p == ' ')
            continue;
        f.lsb[(unsigned char)*p] = --position;
        f.width[(unsigned char)*p]++;
    }
    return f;
}

/* A word that decodes to the handler: registers are few, the other bits any, or few where they make a small number. */
static u32 word_of(const char *name, const struct decoder *decoder)
{
    unsigned stamp;
    const struct insn_row *row = handler_row(name, &stamp);
    ck_assert_msg(row != NULL, "%s is no handler", name);
    const struct fields f = pattern_fields(row->pattern);
    for (unsigned tries = 0; tries < 100000; tries++) {
        u32 word = (u32)any(), position = 32;
        for (unsigned thinner = any() % 4; thinner; thinner--)
            word &= (u32)any();
        for (const char *p = row->pattern; *p; p++)
            if (*p != ' ' && (position--, *p == '0' || *p == '1'))
                word = (word & ~(u32)BIT(position)) | (u32)(*p - '0') << position;
        for (const char *letter = "dDtnNmMab"; *letter; letter++)
            if (f.width[(unsigned char)*letter] == 5)
                word = (u32)bits_set(word, f.lsb[(unsigned char)*letter] + 4, f.lsb[(unsigned char)*letter],
                                     any_register());
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

enum { PAGE = 4096, AFTER = 64, BUDGET = 40 };
#define CODE    ((u64)0x40800000)
#define VECTORS ((u64)0x40010000)
#define HERE    0x14000000u /* b . */

/* The first and the last page of RAM: what crosses the one's beginning or the other's end fails. */
static const u64 data_at[] = { 0x40000000, 0x40fff000 };
enum { DATA_PAGES = ARRAY_LEN(data_at) };

static struct fixture *bed[ENGINES];

static struct cpu *pe(unsigned engine) { return &bed[engine]->m->d.cpu[0]; }

static void fuse_setup(void)
{
    for (unsigned engine = 0; engine < ENGINES; engine++) {
        bed[engine] = calloc(1, sizeof(*bed[engine]));
        ck_assert_ptr_nonnull(bed[engine]);
        struct machine_config *c = fixture_config(bed[engine]);
        c->engine = engine;
        fixture_make(bed[engine], c);
        bed[engine]->m->entry_el = 1;
        machine_cpu_enter(bed[engine]->m, pe(engine), 1, CODE, 0);
        for (u64 at = 0; at < PAGE; at += 4)
            ck_assert(phys_copy_in(&bed[engine]->m->d.phys, VECTORS + at, &(u32){ HERE }, 4));
        pe(engine)->sys.vbar_el1 = VECTORS;
    }
}
static void fuse_teardown(void)
{
    for (unsigned engine = 0; engine < ENGINES; engine++)
        fixture_close(bed[engine]);
}

/* In the middle of a branch's reach, so that a branch backwards lands on a word of ours too. */
static u64 write_code(const u32 *words, unsigned count)
{
    u32 page[PAGE / 4];
    for (unsigned n = 0; n < ARRAY_LEN(page); n++)
        page[n] = HERE;
    memcpy(page + AFTER, words, 4 * count);
    for (unsigned engine = 0; engine < ENGINES; engine++)
        ck_assert(phys_copy_in(&bed[engine]->m->d.phys, CODE, page, PAGE));
    return CODE + 4 * AFTER;
}

static u64 any_value(void)
{
    u64 page = data_at[any() % DATA_PAGES], near_end = 16 * (any() % 4);
    switch (any() % 8) {
    case 0: return any() % 8;
    case 1: return any() << 20 ^ any();
    case 2: return page + any() % (PAGE - 64);
    case 3: return page == data_at[0] ? page + near_end : page + PAGE - 16 - near_end;
    default: return page + any() % (PAGE / 16 - 8) * 16 + 64;
    }
}

static void run(unsigned engine, u64 pc, const u64 *x, const u8 (*data)[PAGE])
{
    struct cpu *cpu = pe(engine);
    for (unsigned n = 0; n < DATA_PAGES; n++)
        ck_assert(phys_copy_in(&bed[engine]->m->d.phys, data_at[n], data[n], PAGE));
    memcpy(cpu->x, x, sizeof(cpu->x));
    cpu->pc = pc;
    cpu->sys.esr_el1 = cpu->sys.far_el1 = cpu->sys.elr_el1 = cpu->sys.spsr_el1 = 0;
    cpu->excl_valid = cpu->fetch_valid = 0;
    cpu_set_nzcv(cpu, (u32)x[REG_TRASH] & 15);
    cpu->d.now = 0;
    cpu->insns = 0;
    cpu_run(cpu, BUDGET, false);
    cpu_settle(cpu);
}

/* Is the slot of the instruction at pc the handler of row n? */
static bool was_fused(u64 pc, unsigned n)
{
    const struct cpu *cpu = pe(ENGINE_THREADED);
    const struct code_page *page = code_page_get(bed[ENGINE_THREADED]->m->d.code, pc & ~(u64)(PAGE - 1),
                                                 cpu->fetch_attrs & FETCH_NS, ENGINE_THREADED);
    return page->op[(pc & (PAGE - 1)) / 4].fn == fuse_handler(n);
}

static void compare(const struct sequence_row *row, unsigned trial, const u32 *words)
{
    const struct cpu *a = pe(ENGINE_STEP), *b = pe(ENGINE_THREADED);
    static u8 memory[ENGINES][DATA_PAGES][PAGE];
    for (unsigned engine = 0; engine < ENGINES; engine++)
        for (unsigned n = 0; n < DATA_PAGES; n++)
            ck_assert(phys_copy_out(&bed[engine]->m->d.phys, data_at[n], memory[engine][n], PAGE));
    for (unsigned n = 0; n <= REG_SP; n++)
        ck_assert_msg(a->x[n] == b->x[n], "%s, trial %u (%08x %08x): X%u is %llx stepping, %llx threaded", row->name,
                      trial, words[0], words[1], n, (unsigned long long)a->x[n], (unsigned long long)b->x[n]);
    ck_assert_msg(!memcmp(a, b, offsetof(struct cpu, tlb)), "%s, trial %u (%08x %08x): other state", row->name, trial,
                  words[0], words[1]);
    ck_assert_msg(!memcmp(memory[0], memory[1], sizeof(memory[0])), "%s, trial %u: memory", row->name, trial);
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

START_TEST(both_engines_agree)
{
    const struct sequence_row *row = &rows[_i];
    const char *names[LONGEST];
    unsigned count = row_handlers(row, names), fused = 0;
    for (unsigned trial = 0; trial < 40 * TRIALS && (trial < TRIALS || (!fused && engine_threaded)); trial++) {
        u32 words[LONGEST + 1] = { 0 };
        row_words(row, names, count, words);
        words[count] = HERE;
        u64 x[REG_COUNT], pc = write_code(words, count + 1);
        for (unsigned n = 0; n < REG_COUNT; n++)
            x[n] = any_value();
        x[REG_ZR] = 0;
        if (any() % 4)
            x[REG_SP] &= ~(u64)15;
        u64 data[DATA_PAGES][PAGE / 8];
        for (unsigned n = 0; n < DATA_PAGES * PAGE / 8; n++)
            data[n / (PAGE / 8)][n % (PAGE / 8)] = any_value();
        for (unsigned engine = 0; engine < ENGINES; engine++)
            run(engine, pc, x, (const u8(*)[PAGE])data);
        compare(row, trial, words);
        fused += was_fused(pc, (unsigned)_i);
    }
    ck_assert_msg(fused > 0 || !engine_threaded, "%s was never fused", row->name);
}
END_TEST

Suite *test_fuse_suite(void)
{
    Suite *s = suite_create("fuse");
    TCase *c = tcase_create("sequences");
    tcase_add_unchecked_fixture(c, fuse_setup, fuse_teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, both_engines_agree, 0, ARRAY_LEN(rows));
    suite_add_tcase(s, c);
    return s;
}
