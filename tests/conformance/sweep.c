/*
 * The decode sweep's worker (sweep.py shares out the work and judges). A block is the 2^20 words that have their upper
 * twelve bits in common.
 *
 *     sweep CPU allocated|executed [SAMPLES SEED] <blocks
 *
 * blocks: a number a line. SAMPLES: so many random words of each block; without it all of them.
 *
 * allocated: decodes each word with elmu's tables and asks two independent disassemblers. For each block: a line `class
 * ROW LLVM BINUTILS COUNT ONES ZEROS FIRST` for each combination of elmu's row and the mnemonics about which not all
 * three agree, ROW "-" and mnemonic "undefined" being UNDEFINED, BINUTILS "-" not asked, ONES and ZEROS the bits that
 * all its words have set or clear, FIRST one of them; then `block N IMPLEMENTED UNDEFINED SCALABLE`, the words that
 * elmu decodes and does not, and those of the latter that are in the space of SVE and SME, of which nobody is asked.
 * Where all words are walked and LLVM agrees with elmu, binutils is asked about one in 16.
 *
 * executed: executes each word that elmu decodes (execute.c). Words are grouped by row, those that access a system
 * register or do a system operation by that too. For each block: a line `idle GROUP COUNT FIRST` for each group no word
 * of which did anything but raise exceptions, COUNT times nothing at all having happened; `dead GROUP COUNT FIRST` for
 * each row that was UNDEFINED all the time; then `block N EXECUTED RAISED UNDEFINED IDLE`. A word that crashes ends the
 * worker: `died SIGNAL WORD`. Samples are too few to say that of a group: they are only executed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/conformance/sweep.h"

enum { CLASSES = 4096, WORDS = 1 << 20, SYSTEM = 4096, GROUPS = SYSTEM + 65536 };
/* Where the first disassembler agrees with elmu, the second is asked about one word in 16: it is the slower one. */
enum { SECOND_LOG2 = 4 };

struct class
{
    char row[32], said[OPINIONS][MNEMONIC_SIZE];
    u64 count;
    u32 ones, zeros, first;
};

/* Words of a row, or of a row and a system register. */
struct group {
    const struct insn_row *row;
    u32 count[EXECUTED_COUNT], total, first;
};

struct sweep {
    struct decoder *decoder;
    void (*look)(struct sweep *s, u32 word);
    void (*report)(const struct sweep *s, u32 number);
    struct class classes[CLASSES];
    unsigned class_count;
    u64 implemented, undefined, scalable;
    unsigned opinions;
    bool complete; /* blocks are walked, not sampled */
    struct group groups[GROUPS];
};

/* SVE and SME, C4.1: bits 28:25 are 0010, or 0000 with bit 31. */
static bool is_scalable(u32 word) { return bits(word, 28, 25) == 2 || (bits(word, 28, 25) == 0 && bit(word, 31)); }

/* Permanently UNDEFINED is no instruction, whoever gives it a name. */
static bool is_undefined(const char *mnemonic) { return !strcmp(mnemonic, "undefined") || !strcmp(mnemonic, "udf"); }

static void count_class(struct sweep *s, const char *row, char said[OPINIONS][MNEMONIC_SIZE], u32 word)
{
    unsigned n = 0;
    while (n < s->class_count &&
           (strcmp(s->classes[n].row, row) || memcmp(s->classes[n].said, said, sizeof s->classes[n].said)))
        n++;
    if (n == CLASSES) {
        fprintf(stderr, "sweep: more than %d classes in a block\n", CLASSES);
        exit(1);
    }
    struct class *c = &s->classes[n];
    if (n == s->class_count) {
        s->class_count++;
        *c = (struct class){ .ones = ~(u32)0, .zeros = ~(u32)0, .first = word };
        snprintf(c->row, sizeof c->row, "%s", row);
        memcpy(c->said, said, sizeof c->said);
    }
    c->count++;
    c->ones &= word;
    c->zeros &= ~word;
}

static void allocated_look(struct sweep *s, u32 word)
{
    struct op op;
    const struct insn_row *row = decoder_decode(s->decoder, word, ENGINE_STEP, &op);
    bool undefined = !row || !strcmp(row->name, "UDF"), agreed = true;
    *(undefined ? &s->undefined : &s->implemented) += 1;
    if (undefined && is_scalable(word)) {
        s->scalable++;
        return;
    }
    char said[OPINIONS][MNEMONIC_SIZE];
    memset(said, 0, sizeof said);
    for (unsigned n = 0; n < OPINIONS; n++) {
        if (n >= s->opinions) {
            strcpy(said[n], "-");
            continue;
        }
        if (n && agreed && s->complete && word * 0x9e3779b1u >> (32 - SECOND_LOG2))
            return;
        opinion_ask(n, word, said[n]);
        agreed &= is_undefined(said[n]) == undefined;
    }
    if (!agreed)
        count_class(s, undefined ? "-" : row->name, said, word);
}

static void allocated_report(const struct sweep *s, u32 number)
{
    for (unsigned n = 0; n < s->class_count; n++) {
        const struct class *c = &s->classes[n];
        printf("class %s %s %s %llu %08x %08x %08x\n", c->row, c->said[0], c->said[1], (unsigned long long)c->count,
               c->ones, c->zeros, c->first);
    }
    printf("block %u %llu %llu %llu\n", number, (unsigned long long)s->implemented, (unsigned long long)s->undefined,
           (unsigned long long)s->scalable);
}

/* ---- executed ---- */

static bool is_system_access(u32 word) { return bits(word, 31, 22) == 0x354 && bits(word, 20, 19); }

static void executed_look(struct sweep *s, u32 word)
{
    struct op op;
    const struct insn_row *row = decoder_decode(s->decoder, word, ENGINE_STEP, &op);
    if (!row)
        return;
    struct group *g = &s->groups[is_system_access(word) ? SYSTEM + bits(word, 20, 5) : (u64)(row - insn_row_get(0))];
    if (!g->total++)
        g->first = word;
    g->row = row;
    /* Only 32 words, or one, are alike in the space of system instructions. */
    unsigned runs = bits(word, 31, 22) == 0x354 ? 32 : 1;
    for (unsigned n = 0; n < runs; n++)
        g->count[execute_word(word, n)]++;
}

static void group_print(const char *what, const struct group *g, u32 count)
{
    u32 w = g->first;
    printf("%s %s", what, g->row->name);
    if (is_system_access(w))
        printf(":S%u_%u_C%u_C%u_%u", (unsigned)bits(w, 20, 19), (unsigned)bits(w, 18, 16), (unsigned)bits(w, 15, 12),
               (unsigned)bits(w, 11, 8), (unsigned)bits(w, 7, 5));
    printf(" %u %08x\n", count, w);
}

static void executed_report(const struct sweep *s, u32 number)
{
    u64 count[EXECUTED_COUNT] = { 0 }, total = 0;
    for (const struct group *g = s->groups; g < s->groups + GROUPS; g++) {
        total += g->total;
        for (unsigned n = 0; n < EXECUTED_COUNT; n++)
            count[n] += g->count[n];
        if (s->complete && g->count[EXECUTED_IDLE] && !g->count[EXECUTED])
            group_print("idle", g, g->count[EXECUTED_IDLE]);
        if (s->complete && g->total && g->count[EXECUTED_UNDEFINED] && !g->count[EXECUTED] &&
            !g->count[EXECUTED_RAISED] && !g->count[EXECUTED_IDLE] && g < s->groups + SYSTEM)
            group_print("dead", g, g->total);
    }
    printf("block %u %llu %llu %llu %llu\n", number, (unsigned long long)total,
           (unsigned long long)count[EXECUTED_RAISED], (unsigned long long)count[EXECUTED_UNDEFINED],
           (unsigned long long)count[EXECUTED_IDLE]);
}

static void block(struct sweep *s, u32 number, u32 samples, u64 seed)
{
    s->class_count = 0;
    s->implemented = s->undefined = s->scalable = 0;
    memset(s->groups, 0, sizeof s->groups);
    execute_watch();
    u64 random = (seed << 12 | number) * 0x9e3779b97f4a7c15ull;
    for (u32 n = 0; n < (samples ? samples : WORDS); n++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        s->look(s, number << 20 | (samples ? (u32)(random >> 44) : n));
    }
    s->report(s, number);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct sweep s;
    struct cpu_model model;
    char error[256] = "usage: sweep CPU allocated|executed [SAMPLES SEED] <blocks", line[32];
    bool usage = (argc == 3 || argc == 5) && (!strcmp(argv[2], "allocated") || !strcmp(argv[2], "executed"));
    if (!usage || !model_parse(argv[1], true, true, &model, error)) {
        fprintf(stderr, "sweep: %s\n", error);
        return 1;
    }
    s.decoder = decoder_create(&model.features);
    if (!s.decoder)
        return 1;
    bool execute = !strcmp(argv[2], "executed");
    s.complete = argc == 3;
    s.look = execute ? executed_look : allocated_look;
    s.report = execute ? executed_report : allocated_report;
    if (execute)
        execute_open(&model, s.decoder);
    else
        s.opinions = opinions_open(argv[1]);
    while (fgets(line, sizeof line, stdin))
        block(&s, (u32)strtoul(line, NULL, 0) & 4095, argc == 5 ? (u32)strtoul(argv[3], NULL, 0) : 0,
              argc == 5 ? strtoull(argv[4], NULL, 0) : 0);
    decoder_destroy(s.decoder);
    return 0;
}
