/*
 * Two machines that differ in how they execute code: what the tests of fused sequences and of the second tier share.
 * The same words run from the same registers and memory on both, and must leave the same state.
 */
#ifndef TESTS_UNIT_CODE_PAIR_H
#define TESTS_UNIT_CODE_PAIR_H

#include "tests/unit/board_fixture.h"

#include "cpu/engine/code.h"
#include "cpu/engine/run.h"

/* As the library's, which write to a file each time. */
#define CHECKED_MSG(holds, ...)                                                                                        \
    do {                                                                                                               \
        if (!(holds))                                                                                                  \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)
#define CHECKED(holds) CHECKED_MSG(holds, "%s", #holds)

/* ---- words ---- */

static u64 seed = 1;
static u64 any(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
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

/* Any word of a pattern: registers are few, the other bits any, or few where they make a small number. */
static u32 any_word(const char *pattern)
{
    const struct fields f = pattern_fields(pattern);
    u32 word = (u32)any(), position = 32;
    for (unsigned thinner = any() % 4; thinner; thinner--)
        word &= (u32)any();
    for (const char *p = pattern; *p; p++)
        if (*p != ' ' && (position--, *p == '0' || *p == '1'))
            word = (word & ~(u32)BIT(position)) | (u32)(*p - '0') << position;
    for (const char *letter = "dDtnNmMab"; *letter; letter++)
        if (f.width[(unsigned char)*letter] == 5)
            word =
                (u32)bits_set(word, f.lsb[(unsigned char)*letter] + 4, f.lsb[(unsigned char)*letter], any_register());
    return word;
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

/* `tier2`: of the threaded machine. */
static void pair_open(struct tier2_config tier2, const char *model)
{
    for (unsigned engine = 0; engine < ENGINES; engine++) {
        bed[engine] = calloc(1, sizeof(*bed[engine]));
        ck_assert_ptr_nonnull(bed[engine]);
        struct machine_config *c = fixture_config(bed[engine]);
        c->engine = engine;
        c->tier2 = tier2;
        c->cpu = model;
        fixture_make(bed[engine], c);
        bed[engine]->m->entry_el = 1;
        machine_cpu_enter(bed[engine]->m, pe(engine), 1, CODE, 0);
        for (u64 at = 0; at < PAGE; at += 4) {
            ck_assert(phys_copy_in(&bed[engine]->m->d.phys, VECTORS + at, &(u32){ HERE }, 4));
            ck_assert(phys_copy_in(&bed[engine]->m->d.phys, CODE + PAGE + at, &(u32){ HERE }, 4));
        }
        pe(engine)->sys.vbar_el1 = VECTORS;
    }
}
static void pair_close(void)
{
    for (unsigned engine = 0; engine < ENGINES; engine++)
        fixture_close(bed[engine]);
}

/* From that slot on; in the middle of a branch's reach, a branch backwards lands on a word of ours too. */
static u64 write_code(const u32 *words, unsigned count, unsigned slot)
{
    u32 page[PAGE / 4];
    for (unsigned n = 0; n < ARRAY_LEN(page); n++)
        page[n] = HERE;
    memcpy(page + slot, words, 4 * count);
    for (unsigned engine = 0; engine < ENGINES; engine++)
        CHECKED(phys_copy_in(&bed[engine]->m->d.phys, CODE, page, PAGE));
    return CODE + 4 * slot;
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

static void run(unsigned engine, u64 pc, const u64 *x, const u8 (*data)[PAGE], u64 budget)
{
    struct cpu *cpu = pe(engine);
    for (unsigned n = 0; n < DATA_PAGES; n++)
        CHECKED(phys_copy_in(&bed[engine]->m->d.phys, data_at[n], data[n], PAGE));
    memcpy(cpu->x, x, sizeof(cpu->x));
    cpu->pc = pc;
    cpu->sys.esr_el1 = cpu->sys.far_el1 = cpu->sys.elr_el1 = cpu->sys.spsr_el1 = 0;
    cpu->excl_valid = cpu->fetch_valid = 0;
    cpu_set_nzcv(cpu, (u32)x[REG_TRASH] & 15);
    cpu->d.now = 0;
    cpu->insns = 0;
    cpu_run(cpu, budget, false);
    cpu_settle(cpu);
}

static void compare(const char *name, unsigned trial, const u32 *words)
{
    const struct cpu *a = pe(ENGINE_STEP), *b = pe(ENGINE_THREADED);
    static u8 memory[ENGINES][DATA_PAGES][PAGE];
    for (unsigned engine = 0; engine < ENGINES; engine++)
        for (unsigned n = 0; n < DATA_PAGES; n++)
            CHECKED(phys_copy_out(&bed[engine]->m->d.phys, data_at[n], memory[engine][n], PAGE));
    for (unsigned n = 0; n <= REG_SP; n++)
        CHECKED_MSG(a->x[n] == b->x[n], "%s, trial %u (%08x %08x): X%u is %llx stepping, %llx threaded", name, trial,
                    words[0], words[1], n, (unsigned long long)a->x[n], (unsigned long long)b->x[n]);
    CHECKED_MSG(!memcmp(a, b, offsetof(struct cpu, tlb)), "%s, trial %u (%08x %08x): other state", name, trial,
                words[0], words[1]);
    CHECKED_MSG(!memcmp(memory[0], memory[1], sizeof(memory[0])), "%s, trial %u: memory", name, trial);
}

#endif
