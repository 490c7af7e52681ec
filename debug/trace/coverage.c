#define _GNU_SOURCE
/*
 * -coverage FILE.info: what of the -sym files was executed, as lcov records, without instrumentation. Each execution of
 * each instruction is counted; DWARF's line tables say to which line it belongs.
 *
 *     DA    of a line: how often its most executed instruction was executed
 *     FNDA  of a function: how often its first instruction was
 *     BRDA  of a conditional branch: how often it was taken (branch 0) and not taken (1); `-` when it was never reached
 *
 * A -sym file with el= and vmid= counts only what runs there.
 */
#include "debug/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_AREAS = 64 };

/* A piece of code: one counter an instruction, and how often it branched. */
struct area {
    u64 va, size;
    unsigned file;
    const u8 *bytes;
    u64 *count, *taken;
};

struct coverage {
    struct out *out;
    struct area area[MAX_AREAS];
    unsigned areas;
    struct area *now[MAX_CPUS]; /* of the instruction being executed */
};

/* A fact about a source line: rows of one line follow each other when sorted. */
struct fact {
    const char *file, *name;
    u64 va, count, other;
    u32 line;
    u8 kind;
};
enum { FACT_FUNCTION, FACT_BRANCH, FACT_LINE };
struct facts {
    struct fact *fact;
    size_t count, room;
    bool failed;
};

/* B.cond, CBZ, CBNZ, TBZ, TBNZ (C4.1.65). */
static bool is_conditional(u32 word) { return (word & 0xff000000) == 0x54000000 || (word & 0x7c000000) == 0x34000000; }

/* ---- counting ---- */

static struct area *area_find(struct coverage *c, const struct trace *t, const struct cpu *cpu, u64 pc)
{
    struct symbol_place place = trace_place(cpu);
    for (unsigned n = 0; n < c->areas; n++)
        if (pc - c->area[n].va < c->area[n].size && symbols_serve(t->symbols, c->area[n].file, place))
            return &c->area[n];
    return NULL;
}

static void insn(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    struct coverage *c = r->data;
    struct area *a = c->now[cpu->index] = area_find(c, r->t, cpu, pc);
    (void)word;
    if (a)
        a->count[(pc - a->va) / 4]++;
}

static void done(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    struct coverage *c = r->data;
    struct area *a = c->now[cpu->index];
    if (a && is_conditional(word) && cpu->pc != pc + 4)
        a->taken[(pc - a->va) / 4]++;
}

/* ---- gathering ---- */

static void fact_add(struct facts *f, struct fact fact)
{
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 4096;
        struct fact *more = realloc(f->fact, room * sizeof(*more));
        if (!more) {
            f->failed = true;
            return;
        }
        f->fact = more;
        f->room = room;
    }
    f->fact[f->count++] = fact;
}

static u64 count_at(const struct coverage *c, unsigned file, u64 va)
{
    for (unsigned n = 0; n < c->areas; n++)
        if (c->area[n].file == file && va - c->area[n].va < c->area[n].size)
            return c->area[n].count[(va - c->area[n].va) / 4];
    return 0;
}

/* The rows of one line table: each line's instructions, from a row's address up to the next one's. */
static void lines_gather(const struct symbols *s, const struct area *a, struct facts *f)
{
    size_t count;
    const struct symbol_line *line = symbols_lines(s, a->file, &count);
    for (size_t n = 0; n + 1 < count; n++) {
        u64 lo = line[n].lo, hi = line[n + 1].lo, most = 0;
        if (!line[n].line || lo >= hi || lo < a->va || lo - a->va >= a->size)
            continue;
        hi = hi - a->va < a->size ? hi : a->va + a->size;
        for (u64 va = lo; va < hi; va += 4) {
            u64 k = (va - a->va) / 4, times = a->count[k];
            most = times > most ? times : most;
            if (k * 4 + 4 <= a->size && is_conditional(load_le32(a->bytes + k * 4)) && !symbols_is_data(s, a->file, va))
                fact_add(f, (struct fact){ line[n].file, "", va, times, a->taken[k], line[n].line, FACT_BRANCH });
        }
        fact_add(f, (struct fact){ line[n].file, "", lo, most, 0, line[n].line, FACT_LINE });
    }
}

static void functions_gather(const struct coverage *c, const struct symbols *s, unsigned file, struct facts *f)
{
    size_t count;
    const struct symbol *symbol = symbols_table(s, file, &count);
    for (size_t n = 0; n < count; n++) {
        const struct symbol_line *line = symbol[n].function ? symbols_line_in(s, file, symbol[n].lo) : NULL;
        if (line)
            fact_add(f, (struct fact){ line->file, symbol[n].name, symbol[n].lo, count_at(c, file, symbol[n].lo), 0,
                                       line->line, FACT_FUNCTION });
    }
}

static int by_place(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    int file = x->file == y->file ? 0 : strcmp(x->file, y->file);
    if (file)
        return file;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    int name = strcmp(x->name, y->name);
    return name ? name : x->va < y->va ? -1 : x->va > y->va;
}

/* ---- writing ---- */

/* The facts of one kind and line. Returns how many. */
static size_t same_line(const struct fact *f, size_t count)
{
    size_t n = 1;
    while (n < count && f[n].kind == f->kind && f[n].line == f->line && !strcmp(f[n].name, f->name))
        n++;
    return n;
}

static void functions_write(struct out *o, const struct fact *f, size_t count)
{
    size_t found = 0, hit = 0;
    for (size_t n = 0; n < count; n++)
        out_format(o, "FN:%u,%.1000s\n", f[n].line, f[n].name);
    for (size_t n = 0; n < count; n++) {
        out_format(o, "FNDA:%llu,%.1000s\n", (unsigned long long)f[n].count, f[n].name);
        found++;
        hit += f[n].count != 0;
    }
    out_format(o, "FNF:%zu\nFNH:%zu\n", found, hit);
}

static void branches_write(struct out *o, const struct fact *f, size_t count)
{
    size_t hit = 0, block = 0;
    for (size_t n = 0; n < count; n++) {
        u64 ways[2] = { f[n].other, f[n].count - f[n].other };
        block = n && f[n].line == f[n - 1].line ? block + 1 : 0;
        for (unsigned way = 0; way < 2; way++) {
            hit += ways[way] != 0;
            if (f[n].count)
                out_format(o, "BRDA:%u,%zu,%u,%llu\n", f[n].line, block, way, (unsigned long long)ways[way]);
            else
                out_format(o, "BRDA:%u,%zu,%u,-\n", f[n].line, block, way);
        }
    }
    out_format(o, "BRF:%zu\nBRH:%zu\n", 2 * count, hit);
}

static void lines_write(struct out *o, const struct fact *f, size_t count)
{
    size_t found = 0, hit = 0;
    for (size_t n = 0, part; n < count; n += part) {
        u64 most = 0;
        part = same_line(f + n, count - n);
        for (size_t k = n; k < n + part; k++)
            most = f[k].count > most ? f[k].count : most;
        out_format(o, "DA:%u,%llu\n", f[n].line, (unsigned long long)most);
        found++;
        hit += most != 0;
    }
    out_format(o, "LF:%zu\nLH:%zu\n", found, hit);
}

/* One source file: functions, branches, lines, in lcov's order. */
static void source_write(struct out *o, const struct fact *f, size_t count)
{
    size_t branches = 0, lines;
    while (branches < count && f[branches].kind == FACT_FUNCTION)
        branches++;
    for (lines = branches; lines < count && f[lines].kind == FACT_BRANCH;)
        lines++;
    out_format(o, "TN:\nSF:%.2000s\n", f->file);
    functions_write(o, f, branches);
    branches_write(o, f + branches, lines - branches);
    lines_write(o, f + lines, count - lines);
    out_format(o, "end_of_record\n");
}

static bool coverage_write(struct coverage *c, const struct symbols *s)
{
    struct facts f = { .fact = NULL };
    for (unsigned n = 0; n < symbols_count(s); n++)
        functions_gather(c, s, n, &f);
    for (unsigned n = 0; n < c->areas; n++)
        lines_gather(s, &c->area[n], &f);
    if (f.count)
        qsort(f.fact, f.count, sizeof(*f.fact), by_place);
    for (size_t n = 0, part; n < f.count && !f.failed; n += part) {
        for (part = 1; n + part < f.count && !strcmp(f.fact[n + part].file, f.fact[n].file);)
            part++;
        source_write(c->out, f.fact + n, part);
    }
    free(f.fact);
    return !f.failed;
}

static bool coverage_close(struct tracer *r, char error[256])
{
    struct coverage *c = r->data;
    bool written = coverage_write(c, r->t->symbols);
    bool ok = out_close(c->out, written, error);
    if (!written)
        snprintf(error, 256, "coverage: out of memory");
    for (unsigned n = 0; n < c->areas; n++) {
        free(c->area[n].count);
        free(c->area[n].taken);
    }
    free(c);
    return ok && written;
}

static bool areas_make(struct coverage *c, const struct symbols *s)
{
    for (unsigned file = 0; file < symbols_count(s); file++) {
        struct area a = { .file = file };
        for (unsigned n = 0; c->areas < MAX_AREAS && symbols_code(s, file, n, &a.va, &a.size, &a.bytes); n++) {
            a.count = calloc(a.size / 4 + 1, sizeof(*a.count));
            a.taken = calloc(a.size / 4 + 1, sizeof(*a.taken));
            c->area[c->areas++] = a;
            if (!a.count || !a.taken)
                return false;
        }
    }
    return true;
}

static bool has_lines(const struct symbols *s)
{
    size_t count = 0;
    for (unsigned n = 0; !count && n < symbols_count(s); n++)
        symbols_lines(s, n, &count);
    return count;
}

bool coverage_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    if (!has_lines(r->t->symbols)) {
        snprintf(error, 256, "-coverage: no -sym file tells source lines (DWARF): compile it with -g");
        return false;
    }
    struct coverage *c = calloc(1, sizeof(*c));
    snprintf(error, 256, "out of memory");
    if (!c || !areas_make(c, r->t->symbols) || !(c->out = out_open(config->coverage, true, error))) {
        for (unsigned n = 0; c && n < c->areas; n++) {
            free(c->area[n].count);
            free(c->area[n].taken);
        }
        free(c);
        return false;
    }
    r->data = c;
    r->insn = insn;
    r->done = done;
    r->close = coverage_close;
    return true;
}
