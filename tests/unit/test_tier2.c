/*
 * The second tier against the stepping engine. Every row of cpu/tier2/emit.def, in company: sequences of words of it
 * and of others, from random registers which often are the same ones, with addresses that hit, that miss, that fault
 * and that are not aligned, with the MMU and without, with budgets that end at any instruction, in the middle of a page
 * and at its end, with everything hot from the first time on. They must leave the same state and memory, and each row
 * must have been compiled. And what is around the rows: writes to code, counting, eviction.
 */
#include "tests/unit/code_pair.h"

#include <signal.h>

#include <sys/resource.h>

#include "cpu/tier2/memory.h"
#include "cpu/tier2/region.h"
#include "mmu/access.h"

Suite *test_tier2_suite(void);

#define NO_WORD 0xffffffffu
enum { TRIALS = 60, WORDS = 8, TABLES = 0x40020000 };

/* ---- words ---- */

static struct decoder *decoder(void) { return bed[ENGINE_THREADED]->m->d.decoder; }

/* A word that has the row's handler in that slot of the page; NO_WORD: the model has none (without FEAT_HBC, or with
 * FEAT_BTI). */
static u32 word_of(const struct emit_row *e, unsigned slot)
{
    static const struct op page[CODE_SLOTS];
    for (unsigned tries = 0; tries < 20000; tries++) {
        u32 word = any_word(e->pattern);
        struct op op;
        decoder_decode_slot(decoder(), word, page, slot, CODE_SLOTS, &op);
        if (op.fn == e->fn)
            return word;
    }
    return NO_WORD;
}
/* Others in between: mostly what is emitted, sometimes what is not, which its handler then does; nothing that waits. */
static u32 other_word(unsigned slot)
{
    static const u32 handlers[] = { 0x5ac00000 /* rbit w0, w0 */,
                                    0x1ac24c21 /* crc32x */,
                                    0xd5033fdf /* isb */,
                                    0x4e221c20 /* and v0.16b, v1.16b, v2.16b */,
                                    0x88dffc20 /* ldar w0, [x1] */,
                                    0xc8dffc43 /* ldar x3, [x2] */,
                                    0x9ac10c40 /* sdiv x0, x2, x1 */,
                                    0xd53b4200 /* mrs x0, nzcv */ };
    if (any() % 8 == 0)
        return handlers[any() % ARRAY_LEN(handlers)];
    for (;;) {
        const struct emit_row *e = &emit_rows[any() % emit_row_count];
        u32 word = e->flow == FLOW_NEXT || any() % 4 == 0 ? word_of(e, slot) : NO_WORD;
        if (word != NO_WORD)
            return word;
    }
}

/* ---- the MMU: one block that is all RAM, Normal memory ---- */

static void mmu_set(unsigned engine, bool on, bool fp)
{
    struct cpu *cpu = pe(engine);
    struct sysregs *r = &cpu->sys;
    r->mair_el1 = 0xff;
    r->tcr_el1 = 25 | 25ull << 16 | BIT(23) | 2ull << 32; /* 39 bits; nothing from TTBR1 */
    r->ttbr0_el1 = TABLES;
    r->sctlr_el1 = on ? r->sctlr_el1 | 1 : r->sctlr_el1 & ~(u64)1;
    r->cpacr_el1 = fp ? 3 << 20 : 0;
    mmu_context_changed(cpu);
    cpu_control_changed(cpu);
}
static void tables_write(unsigned engine)
{
    u64 block = 0x40000000 | BIT(10) | 3ull << 8 | 1; /* AF, inner shareable */
    ck_assert(phys_copy_in(&bed[engine]->m->d.phys, TABLES + 8, &block, 8));
}

/* ---- each row ---- */

static struct tier2 *tier(void) { return code_tier2(bed[ENGINE_THREADED]->m->d.code); }
static const struct code_page *code_page(void)
{
    return code_page_get(bed[ENGINE_THREADED]->m->d.code, CODE, pe(ENGINE_THREADED)->fetch_attrs & FETCH_NS,
                         ENGINE_THREADED);
}
/* Was the slot taken into a region? */
static bool was_compiled(unsigned slot) { return code_page()->covered[slot / 64] >> slot % 64 & 1; }

static void pair_open_hot_as(const char *model)
{
    pair_open((struct tier2_config){ .hot = 1 }, model);
    for (unsigned engine = 0; engine < ENGINES; engine++)
        tables_write(engine);
}

static void pair_open_hot(void) { pair_open_hot_as("cortex-a57"); }
static void pair_open_max(void) { pair_open_hot_as("max"); }

static void registers_any(u64 *x)
{
    for (unsigned n = 0; n < REG_COUNT; n++)
        x[n] = any_value();
    x[REG_ZR] = 0;
    if (any() % 4)
        x[REG_SP] &= ~(u64)15;
}

/* The words, from there, on both. */
static void both_run(const char *name, unsigned trial, const u32 *words, u64 pc, u64 budget)
{
    u64 x[REG_COUNT], data[DATA_PAGES][PAGE / 8];
    bool mmu = any() % 2, fp = any() % 4;
    registers_any(x);
    for (unsigned n = 0; n < DATA_PAGES * PAGE / 8; n++)
        data[n / (PAGE / 8)][n % (PAGE / 8)] = any_value();
    for (unsigned engine = 0; engine < ENGINES; engine++) {
        mmu_set(engine, mmu, fp);
        run(engine, pc, x, (const u8(*)[PAGE])data, budget);
    }
    compare(name, trial, words);
    /* Once more without a write to the code: regions that are there already, entered where they were not made. */
    for (unsigned engine = 0; engine < ENGINES; engine++)
        run(engine, pc, x, (const u8(*)[PAGE])data, budget);
    compare(name, trial, words);
}

static void row_try(const struct emit_row *e)
{
    unsigned compiled = 0;
    if (!tier() || word_of(e, AFTER) == NO_WORD) /* without the tier both machines would step */
        return;
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        u32 words[WORDS];
        unsigned slot = any() % 4 ? AFTER : CODE_SLOTS - 1 - (unsigned)any() % WORDS, mine = (unsigned)any() % 4;
        unsigned count = CODE_SLOTS - slot < WORDS ? CODE_SLOTS - slot : WORDS;
        mine = mine < count ? mine : 0;
        for (unsigned n = 0; n < count; n++)
            words[n] = n == mine ? word_of(e, slot + n) : trial % 4 ? other_word(slot + n) : HERE;
        u64 pc = write_code(words, count, slot);
        both_run(e->pattern, trial, words, pc, 1 + any() % 24);
        compiled += tier() && was_compiled(slot + mine);
    }
    ck_assert_msg(compiled > TRIALS / 8, "row %u (%s) was compiled %u times", (unsigned)(e - emit_rows), e->pattern,
                  compiled);
}
/* Some rows each, since each test is a process. */
enum { AT_ONCE = 16 };
START_TEST(rows_are_their_handlers)
{
    for (unsigned n = (unsigned)_i * AT_ONCE; n < ((unsigned)_i + 1) * AT_ONCE && n < emit_row_count; n++)
        row_try(&emit_rows[n]);
}
END_TEST

/* Each row has a word in one of the two models at least. */
START_TEST(rows_are_all_there)
{
    static const char *const models[] = { "cortex-a57", "max" };
    u8 there[2048] = { 0 };
    ck_assert_uint_le(emit_row_count, sizeof(there));
    for (unsigned m = 0; m < ARRAY_LEN(models); m++) {
        pair_open((struct tier2_config){ .hot = 1 }, models[m]);
        for (unsigned n = 0; n < emit_row_count; n++)
            there[n] |= word_of(&emit_rows[n], AFTER) != NO_WORD;
        pair_close();
    }
    for (unsigned n = 0; n < emit_row_count; n++)
        ck_assert_msg(there[n], "row %u (%s) has no word", n, emit_rows[n].pattern);
}
END_TEST

/* What is written, and the writing, without executing it: also where the engine is not there (sanitizers, valgrind). */
START_TEST(regions_are_written)
{
    struct machine *m = bed[ENGINE_THREADED]->m;
    const char *why = NULL;
    if (!tier() && !code_tier2_begin(m->d.code, &(struct tier2_config){ .hot = 1, .count = true }, &why))
        return;
    for (unsigned trial = 0; trial < 40; trial++) {
        u32 words[CODE_SLOTS];
        for (unsigned n = 0; n < CODE_SLOTS; n++)
            words[n] = other_word(n);
        write_code(words, CODE_SLOTS, 0);
        struct code_page *page = code_page_get(m->d.code, CODE, true, ENGINE_THREADED);
        u64 before = tier2_stats(tier())->regions;
        for (unsigned n = 0; n < 200; n++) {
            unsigned slot = (unsigned)any() % CODE_SLOTS;
            ck_assert(code_decode(m->d.code, page, &page->op[slot]));
            tier2_heat(tier(), page, slot);
        }
        ck_assert_uint_gt(tier2_stats(tier())->regions, before);
    }
}
END_TEST

/* ---- around the rows ---- */

static u32 movz(unsigned d, u32 imm) { return 0xd2800000 | imm << 5 | d; }
static u32 add_imm(unsigned d, unsigned n, u32 imm) { return 0x91000000 | imm << 10 | n << 5 | d; }
static u32 sub_imm(unsigned d, unsigned n, u32 imm) { return 0xd1000000 | imm << 10 | n << 5 | d; }
static u32 cbnz(unsigned t, s32 slots) { return 0xb5000000 | ((u32)slots & 0x7ffff) << 5 | t; }
static u32 adr(unsigned d, u32 slots) { return 0x10000000 | slots << 5 | d; }
enum { ISB = (s32)0xd5033fdf };
static u32 str_w(unsigned t, unsigned n) { return 0xb9000000 | n << 5 | t; }

static void start(u64 pc, u64 budget)
{
    static const u8 data[DATA_PAGES][PAGE];
    u64 x[REG_COUNT] = { 0 };
    for (unsigned engine = 0; engine < ENGINES; engine++) {
        mmu_set(engine, false, true);
        run(engine, pc, x, data, budget);
    }
}

/* A loop that writes an instruction of its own, each time around: the next turn executes what was written. */
START_TEST(code_written_by_itself)
{
    const u32 words[] = { movz(0, 200),
                          adr(2, 6),
                          0x52800061 /* movz w1, #3 */,
                          0x72ba5001 /* movk w1, #0xd280, lsl #16: w1 is movz x3, #0 */,
                          0x2a041426 /* orr w6, w1, w4, lsl #5 */,
                          str_w(6, 2),
                          ISB,
                          movz(3, 0), /* which is written */
                          0x8b0300a5 /* add x5, x5, x3 */,
                          add_imm(4, 4, 1),
                          sub_imm(0, 0, 1),
                          cbnz(0, -7),
                          HERE };
    start(write_code(words, ARRAY_LEN(words), AFTER), 1700);
    compare("code written by itself", 0, words);
    ck_assert_uint_eq(pe(ENGINE_THREADED)->x[5], 199 * 200 / 2);
}
END_TEST

/* What comes after a call in memory does not come after it in time. */
START_TEST(link_register_is_stored)
{
    const u32 words[] = { 0x94000003 /* bl 3 on */, movz(30, 5), HERE, 0xaa1e03e0 /* mov x0, x30 */, HERE };
    u64 pc = write_code(words, ARRAY_LEN(words), AFTER);
    start(pc, 10);
    compare("bl", 0, words);
    ck_assert_uint_eq(pe(ENGINE_THREADED)->x[0], pc + 4);
}
END_TEST

/* Exclusives, near their loads and apart from them, of the same place and size and of others, with the base changed, a
 * CLREX or a branch between, aligned and not: the monitor and what was stored are as they were stepped. */
static u32 exclusive(bool load, unsigned log2) { return 0x08000000 | log2 << 30 | (load ? 0x5f7c00u : 0x007c00u); }
START_TEST(exclusives_and_their_monitor)
{
    static const u32 between[] = { 0x91000421 /* add x1, x1, #1 */,
                                   0x91000000 /* add x0, x0, #0 */,
                                   0xd503305f /* clrex */,
                                   0xb4000041 /* cbz x1, 2 on */,
                                   0xf9000402 /* str x2, [x0, #8] */,
                                   0xd5033fdf /* isb */,
                                   0xf9400001 /* ldr x1, [x0] */,
                                   0x14000001 /* b, 1 on */ };
    for (unsigned trial = 0; trial < 4000; trial++) {
        u32 words[WORDS], count = 0;
        unsigned log2 = any() % 4, base = any() % 8 ? 0 : 31, other = any() % 8 ? log2 : any() % 4;
        words[count++] = exclusive(true, log2) | base << 5 | (any() % 8 ? 1 : base % 31);
        while (any() % 3 && count < WORDS - 3)
            words[count++] = between[any() % ARRAY_LEN(between)];
        words[count++] = exclusive(false, other) | (any() % 8 ? base : 2) << 5 | (unsigned)(any() % 3) << 16 | 1;
        words[count++] =
            any() % 2 ? 0x35ffffa2 /* cbnz w2, 3 back */ : exclusive(false, log2) | base << 5 | 3 << 16 | 1;
        words[count++] = HERE;
        both_run("exclusives", trial, words, write_code(words, count, AFTER), 1 + any() % 24);
    }
}
END_TEST

/* Loops, one in another now and then, with what is emitted in them and a way around some of it; the flags and registers
 * that are not stored in each turn are there wherever it ends: at an access that misses or faults, at the budget's end,
 * at what has no emitter, behind the loop. */
static u32 loop_word(unsigned slot)
{
    static const u32 setters[] = { 0xf1000400 /* subs x0, x0, #1 */,  0x71000421 /* subs w1, w1, #1 */,
                                   0xb1000442 /* adds x2, x2, #1 */,  0xeb01001f /* cmp x0, x1 */,
                                   0x6b030042 /* subs w2, w2, w3 */,  0xea01003f /* tst x1, x1 */,
                                   0x72000c21 /* ands w1, w1, #15 */, 0xab030061 /* adds x1, x3, x3 */,
                                   0x2b1f0000 /* adds w0, w0, wzr */, 0xeb0003e0 /* negs x0, x0 */ };
    for (;;) {
        if (any() % 4 == 0)
            return setters[any() % ARRAY_LEN(setters)];
        const struct emit_row *e = &emit_rows[any() % emit_row_count];
        bool takes = any() % 3 ? e->exits || e->reads_flags : e->flow == FLOW_NEXT;
        u32 word = takes && (e->flow == FLOW_NEXT || e->flow == FLOW_IF) ? word_of(e, slot) : NO_WORD;
        if (word != NO_WORD)
            return word;
    }
}
/* A branch on a condition, or on a register. */
static u32 branch_some(s32 slots)
{
    u32 to = ((u32)slots & 0x7ffff) << 5;
    return any() % 3 ? 0x54000000 | to | (u32)(any() % 14)
                     : 0x35000000 | to | (u32)(any() % 2) << 31 | (u32)(any() % 4);
}
START_TEST(loops_leave_all_stored)
{
    unsigned compiled = 0;
    for (unsigned trial = 0; trial < 3000; trial++) {
        u32 words[16], count = 0, inner = 1 + (u32)any() % 3, body = inner + 2 + (u32)any() % 5;
        words[count++] = any() % 2 ? loop_word(AFTER) : HERE + 1; /* a way in before it */
        for (; count < body; count++)
            words[count] = loop_word(AFTER + count);
        if (any() % 3 == 0)
            words[inner] = branch_some((s32)(1 + any() % (body - inner)));
        if (any() % 3 == 0) {
            words[count] = branch_some((s32)inner - (s32)count);
            count++;
        }
        ck_assert(count > 1);
        if (any() % 16 == 0)
            words[1 + any() % (count - 1)] = other_word(AFTER + 1);
        if (any() % 2)
            words[count++] = loop_word(AFTER);
        words[count] = branch_some(1 - (s32)count);
        count++;
        words[count] = any() % 2 ? 0xd53b4203 /* mrs x3, nzcv */ : loop_word(AFTER + count);
        count++;
        words[count++] = HERE;
        both_run("loop", trial, words, write_code(words, count, AFTER), 1 + any() % 60);
        compiled += tier() && was_compiled(AFTER + 1);
    }
    ck_assert(!tier() || compiled > 1000);
}
END_TEST

/* Accesses share the compare of a tag; one that is not aligned, between them but behind a branch, fails all the same
 * where alignment is checked (stage 1 is off). */
START_TEST(group_checks_alignment)
{
    const u32 words[] = { 0xd2a81fe0 /* movz x0, #0x40ff, lsl #16 */,
                          0xf29e0800 /* movk x0, #0xf040 */,
                          0xb9400001 /* ldr w1, [x0] */,
                          0xb9400802 /* ldr w2, [x0, #8] */,
                          0x37000049 /* tbnz w9, #0, 2 on */,
                          0xb8402003 /* ldur w3, [x0, #2] */,
                          movz(4, 1),
                          HERE };
    u64 pc = write_code(words, ARRAY_LEN(words), AFTER);
    start(pc, 20);
    start(pc, 20); /* with the tags that the first time brought */
    compare("group", 0, words);
    ck_assert_uint_eq(pe(ENGINE_THREADED)->sys.far_el1, 0x40fff042);
    ck_assert_uint_eq(pe(ENGINE_THREADED)->x[4], 0);
}
END_TEST

/* Data beside code, in one page: writes to it end no region. */
START_TEST(data_beside_code)
{
    const u32 words[] = { movz(0, 2000), adr(2, 30), str_w(0, 2), sub_imm(0, 0, 1), cbnz(0, -2), HERE };
    u64 pc = write_code(words, ARRAY_LEN(words), AFTER);
    u64 forgotten = tier() ? tier2_stats(tier())->forgotten : 0;
    start(pc, 9000);
    compare("data beside code", 0, words);
    if (tier()) {
        ck_assert_uint_eq(tier2_stats(tier())->forgotten, forgotten);
        ck_assert(was_compiled(AFTER + 2));
    }
}
END_TEST

/* With a threshold: a loop is compiled when it was gone round so often, and not before; a page that is written waits
 * longer each time. */
START_TEST(hot_after_so_many)
{
    if (!tier())
        return;
    const u32 words[] = { movz(0, 20), sub_imm(0, 0, 1), cbnz(0, -1), HERE };
    start(write_code(words, ARRAY_LEN(words), AFTER), 30);
    ck_assert(!was_compiled(AFTER + 1));
    const u32 longer[] = { movz(0, 100), sub_imm(0, 0, 1), cbnz(0, -1), HERE };
    start(write_code(longer, ARRAY_LEN(longer), AFTER), 150);
    ck_assert(was_compiled(AFTER + 1));
    compare("a loop", 0, longer);
    ck_assert_uint_eq(code_page()->patience, 0);
    start(write_code(longer, ARRAY_LEN(longer), AFTER), 150);
    ck_assert(!was_compiled(AFTER + 1));
    ck_assert_uint_eq(code_page()->patience, 0); /* one more, and it was used up */
    compare("a loop", 1, longer);
}
END_TEST

/* Instructions done in regions are counted when that is asked for, by leaving to handlers too. */
START_TEST(instructions_are_counted)
{
    if (!tier())
        return;
    const u32 words[] = { movz(0, 1000), sub_imm(0, 0, 1), add_imm(1, 1, 1), cbnz(0, -2), HERE };
    start(write_code(words, ARRAY_LEN(words), AFTER), 3000);
    u64 counted = pe(ENGINE_THREADED)->d.tier2_units >> 4;
    ck_assert_msg(counted > 2900 && counted < 3100, "%llu", (unsigned long long)counted);
}
END_TEST

/* The same where regions leave by returns. */
START_TEST(returns_are_counted)
{
    if (!tier())
        return;
    const u32 words[] = { movz(0, 1000), 0x94000004 /* bl 4 on */, sub_imm(0, 0, 1), cbnz(0, -2),
                          HERE,          add_imm(1, 1, 1),         0xd65f03c0 /* ret */ };
    start(write_code(words, ARRAY_LEN(words), AFTER), 5000);
    compare("returns", 0, words);
    u64 counted = pe(ENGINE_THREADED)->d.tier2_units >> 4;
    ck_assert_msg(counted > 4700 && counted < 5100, "%llu", (unsigned long long)counted);
}
END_TEST

/* A host that gives no memory: no file, or none of that size. There is no tier then, and it says why. */
static bool tier_under_limit(int resource)
{
    struct machine *m = bed[ENGINE_THREADED]->m;
    struct code_memory memory;
    struct rlimit was;
    ck_assert_int_eq(getrlimit(resource, &was), 0);
    const struct rlimit none = { .rlim_cur = 0, .rlim_max = was.rlim_max };
    const char *why = NULL;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(resource, &none), 0);
    bool got = code_memory_create(&memory, (const void *)(uintptr_t)pair_open);
    struct tier2 *t = tier2_create(m->d.decoder, NULL, 0, &(struct tier2_config){ .hot = 1 }, &why);
    ck_assert_int_eq(setrlimit(resource, &was), 0);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_ptr_nonnull(why);
    if (!got)
        ck_assert(!memory.write && !memory.run);
    return got || t;
}
START_TEST(no_memory_no_tier)
{
    if (!tier())
        return;
    ck_assert(!tier_under_limit(RLIMIT_NOFILE));
    ck_assert(!tier_under_limit(RLIMIT_FSIZE));
}
END_TEST

/* Code memory is a ring: what is oldest goes, and is decoded anew. */
START_TEST(old_regions_make_room)
{
    if (!tier())
        return;
    u64 evicted = tier2_stats(tier())->evicted;
    for (unsigned trial = 0; tier2_stats(tier())->evicted < evicted + 20; trial++) {
        u32 words[WORDS];
        unsigned slot = trial % 100 * WORDS;
        for (unsigned n = 0; n < WORDS; n++)
            words[n] = add_imm((unsigned)any() % 4, (unsigned)any() % 4, (u32)any() % 4096);
        u64 pc = write_code(words, WORDS, slot);
        start(pc, 20);
        compare("room", trial, words);
        ck_assert_uint_lt(trial, 3000000);
    }
}
END_TEST

static void pair_open_warm(void) { pair_open((struct tier2_config){ .hot = TIER2_HOT, .count = true }, "cortex-a57"); }

Suite *test_tier2_suite(void)
{
    Suite *s = suite_create("tier2");
    TCase *c = tcase_create("rows");
    tcase_add_unchecked_fixture(c, pair_open_hot, pair_close);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, rows_are_their_handlers, 0, (int)(emit_row_count + AT_ONCE - 1) / AT_ONCE);
    suite_add_tcase(s, c);
    c = tcase_create("rows of max"); /* those that have other handlers, or none, in the first model */
    tcase_add_unchecked_fixture(c, pair_open_max, pair_close);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, rows_are_their_handlers, 0, (int)(emit_row_count + AT_ONCE - 1) / AT_ONCE);
    suite_add_tcase(s, c);
    c = tcase_create("all rows");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, rows_are_all_there);
    suite_add_tcase(s, c);
    c = tcase_create("around");
    tcase_add_unchecked_fixture(c, pair_open_hot, pair_close);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, regions_are_written);
    tcase_add_test(c, code_written_by_itself);
    tcase_add_test(c, link_register_is_stored);
    tcase_add_test(c, exclusives_and_their_monitor);
    tcase_add_test(c, loops_leave_all_stored);
    tcase_add_test(c, group_checks_alignment);
    tcase_add_test(c, data_beside_code);
    tcase_add_test(c, old_regions_make_room);
    suite_add_tcase(s, c);
    c = tcase_create("warm");
    tcase_add_checked_fixture(c, pair_open_warm, pair_close);
    tcase_add_test(c, hot_after_so_many);
    tcase_add_test(c, instructions_are_counted);
    tcase_add_test(c, returns_are_counted);
    tcase_add_test(c, no_memory_no_tier);
    suite_add_tcase(s, c);
    return s;
}
