/*
 * -trace exits=FILE: one line for each entry to EL2 or EL3, written when its handler returns. Columns, separated by
 * tabs:
 *
 *     insns             instructions of the machine when it was taken (the one that caused it included)
 *     cpu, vmid, from   who: vCPU, VMID or "-", EL
 *     pc, where         the instruction; its symbol and source line, or "-"
 *     to, class, iss    the EL that took it; EC in words; ISS as hex, then in words
 *     cause             the control bit, descriptor or interrupt
 *     address           va 0x... of an abort, and ipa 0x... when stage 2 found it; or "-"
 *     handler           instructions that this vCPU executed up to the exception return that ended it; "N+": none did
 *     to_pc, pstate     what that returned to: address, and PSTATE as SPSR_ELx has it; or "-"
 *
 * Costs little: words are made once for each kind of exit and kept, as are places, and what a line says from the VMID
 * to the address, since exits come again.
 */
#include "cpu/exception/words.h"
#include "debug/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 16, KINDS = 4096, LINES = 1024, WORDS = 480, LINE_TEXT = WORDS + PLACE_TEXT + 128 };

/* What the words of an exit depend on. */
struct kind_key {
    u8 kind, ec, target_el, is_virtual, has_hpfar, from_el, pad[2];
    u32 iss;
    u16 cause_kind, cause_id;
    u32 level;
    struct exc_source source;
    u64 value;
};
struct exit_kind {
    struct kind_key key;
    u32 length;
    char text[WORDS]; /* "EL2 <tab> class <tab> iss <tab> cause" */
};
/* The same exception from the same place. */
struct line_key {
    struct exc exc;
    u64 pc;
    struct exc_source source;
    s32 vmid;
    u32 from_el;
};
struct exit_line {
    struct line_key key;
    u32 length;
    u32 entries;          /* whose handlers run: it stays as long as there is one */
    char text[LINE_TEXT]; /* from vmid to address, a tab behind each */
};
/* An entry whose handler runs. Its words are a kept line's, or its own where the line is in use with other words. */
struct entry {
    u64 at, cpu_at;
    u16 line; /* LINES: `own` */
    u8 from_el, to_el;
    struct exit_line own;
};
static_assert(LINE_TEXT + 128 < OUT_LINE, "a line has room");

struct exits {
    struct out *out;
    unsigned depth[MAX_CPUS];
    struct entry entry[MAX_CPUS][DEPTH];
    struct exit_kind kind[KINDS];
    struct exit_line line[LINES];
};

/* ---- words, kept ---- */

static void kind_fill(struct exit_kind *k, const struct exc *e)
{
    char iss[EXC_WORDS], cause[EXC_WORDS];
    exc_iss_words(e, iss);
    exc_cause_words(e, &k->key.source, cause);
    char *p = put_const(k->text, "\tEL");
    p = put_decimal(p, e->target_el);
    p = put_const(p, "\t");
    if (e->kind == EXC_SYNC) {
        p = put_const(p, "0x");
        p = put_hex(p, e->ec, 1);
        *p++ = ' ';
    }
    p = put_text(p, exc_class_words(e));
    p = put_const(p, "\t0x");
    *p++ = put_hex_pairs[2 * (e->iss >> 24 & 15) + 1];
    p = put_hex(p, e->iss, 3);
    if (iss[0])
        *p++ = ' ';
    p = put_text(p, iss);
    *p++ = '\t';
    p = put_bytes(p, cause, strnlen(cause, 128));
    k->length = (u32)(p - k->text);
}

static struct kind_key kind_key_of(const struct line_key *l)
{
    const struct exc *e = &l->exc;
    const struct cause *c = &e->cause;
    bool valued = c->kind == CAUSE_DESCRIPTOR || c->kind == CAUSE_BREAKPOINT || c->kind == CAUSE_WATCHPOINT;
    return (struct kind_key){ .kind = e->kind,
                              .ec = e->ec,
                              .target_el = e->target_el,
                              .is_virtual = e->is_virtual,
                              .has_hpfar = e->has_hpfar,
                              .from_el = (u8)l->from_el,
                              .iss = e->iss,
                              .cause_kind = c->kind,
                              .cause_id = c->id,
                              .level = c->level,
                              .source = l->source,
                              .value = valued ? c->value : 0 };
}

static const struct exit_kind *kind_of(struct exits *x, struct kind_key key, const struct exc *e)
{
    u64 hash = ((u64)key.iss << 16 ^ key.ec ^ (u64)key.source.intid << 4 ^ key.value ^ (u64)key.target_el << 6 ^
                key.cause_id) *
               0x9e3779b97f4a7c15ull;
    struct exit_kind *k = &x->kind[hash >> 52 & (KINDS - 1)];
    if (unlikely(!k->length || memcmp(&k->key, &key, sizeof(key)))) {
        k->key = key;
        kind_fill(k, e);
    }
    return k;
}

/* ---- lines ---- */

/* On PE n. by: the PE, after the return that ended it; NULL: it has not ended. */
static void entry_end(struct exits *x, unsigned n, const struct entry *e, u64 now, const struct cpu *by)
{
    const struct exit_line *line = e->line == LINES ? &e->own : &x->line[e->line];
    char *p = put_decimal(out_reserve(x->out), e->at);
    *p++ = '\t';
    p = put_small(p, n);
    *p++ = '\t';
    p = put_bytes(p, line->text, line->length);
    p = put_decimal(p, now - e->cpu_at);
    if (e->line != LINES)
        x->line[e->line].entries--;
    if (by) {
        p = put_const(p, "\t0x");
        p = put_hex(p, by->pc, 8);
        p = put_const(p, "\t0x");
        p = put_hex(p, cpu_spsr(by), 8);
    } else {
        p = put_const(p, "+\t-\t-");
    }
    *p++ = '\n';
    out_commit(x->out, p);
}

static char *put_address(char *p, const struct exc *exc)
{
    if (!exc->has_far)
        return put_const(p, "\t-\t");
    p = put_const(p, "\tva 0x");
    p = put_hex(p, exc->far, 8);
    if (exc->has_hpfar) {
        p = put_const(p, " ipa 0x");
        p = put_hex(p, (exc->hpfar & ones(44)) << 8 | (exc->far & 0xfff), 8);
    }
    *p++ = '\t';
    return p;
}

static void line_fill(struct exits *x, struct trace *t, struct exit_line *l, struct symbol_place where)
{
    char *p = where.vmid == SYMBOL_ANY ? put_const(l->text, "-") : put_decimal(l->text, (u64)where.vmid);
    p = put_const(p, "\tEL");
    *p++ = (char)('0' + l->key.from_el);
    p = put_const(p, "\t0x");
    p = put_hex(p, l->key.pc, 8);
    *p++ = '\t';
    const struct trace_place *place = trace_place_text(t, l->key.pc, where);
    p = put_bytes(p, place->text, place->length);
    const struct exit_kind *kind = kind_of(x, kind_key_of(&l->key), &l->key.exc);
    p = put_bytes(p, kind->text, kind->length);
    l->length = (u32)(put_address(p, &l->key.exc) - l->text);
}
static void line_find(struct exits *x, struct trace *t, struct entry *e, const struct cpu *cpu, const struct exc *exc)
{
    struct symbol_place where = trace_place(cpu);
    struct exc_source source = { BY_NONE, -1, -1 };
    if (exc->cause.kind == CAUSE_INTERRUPT)
        source = gic_source(&t->m->gic, cpu, exc);
    u64 hash =
        (cpu->pc ^ exc->far << 7 ^ exc->hpfar << 13 ^ exc->iss ^ (u64)(u32)source.intid << 20) * 0x9e3779b97f4a7c15ull;
    e->line = hash >> 54 & (LINES - 1);
    struct exit_line *l = &x->line[e->line];
    const struct line_key *k = &l->key;
    if (unlikely(!l->length || k->pc != cpu->pc || k->vmid != where.vmid || k->from_el != cpu->ps.el ||
                 memcmp(&k->source, &source, sizeof(source)) || memcmp(&k->exc, exc, sizeof(*exc)))) {
        if (l->entries) {
            e->line = LINES;
            l = &e->own;
        }
        l->key = (struct line_key){
            .exc = *exc, .pc = cpu->pc, .source = source, .vmid = where.vmid, .from_el = cpu->ps.el
        };
        line_fill(x, t, l, where);
    }
    l->entries++;
}

static void exception(struct tracer *r, struct cpu *cpu, const struct exc *exc)
{
    struct exits *x = r->data;
    if (exc->target_el < 2)
        return;
    unsigned n = cpu->index;
    if (x->depth[n] == DEPTH) { /* handlers that never return: the oldest is given up */
        entry_end(x, n, &x->entry[n][0], cpu_position(cpu), NULL);
        memmove(&x->entry[n][0], &x->entry[n][1], sizeof(x->entry[n][0]) * (DEPTH - 1));
        x->depth[n]--;
    }
    struct entry *e = &x->entry[n][x->depth[n]++];
    e->from_el = cpu->ps.el;
    e->to_el = exc->target_el;
    e->cpu_at = cpu_position(cpu);
    e->at = trace_now(r->t, cpu);
    line_find(x, r->t, e, cpu, exc);
}

/* An exception return ends every handler of a higher EL than the one it goes to; one that stays at its EL ends the
 * entry that was taken from there. */
static NOINLINE void entries_end(struct exits *x, unsigned n, const struct cpu *cpu)
{
    const u32 el = cpu->ps.el;
    const struct entry *first = x->entry[n], *e = first + x->depth[n];
    bool lower = false, same = false;
    while (e > first && !same) {
        same = !lower && e[-1].to_el == el && e[-1].from_el == el;
        if (e[-1].to_el <= el && !same)
            break;
        entry_end(x, n, --e, cpu_position(cpu) + 1, cpu); /* with the ERET itself */
        lower = true;
    }
    x->depth[n] = (unsigned)(e - first);
}
static void exception_return_seen(struct tracer *r, struct cpu *cpu, u64 from_pc)
{
    struct exits *x = r->data;
    (void)from_pc;
    if (x->depth[cpu->index])
        entries_end(x, cpu->index, cpu);
}

static void exits_reset(struct tracer *r)
{
    struct exits *x = r->data;
    for (u32 n = 0; n < r->t->m->options.cpu_count; n++) {
        for (unsigned k = 0; k < x->depth[n]; k++)
            entry_end(x, n, &x->entry[n][k], r->t->m->d.cpu[n].insns, NULL);
        x->depth[n] = 0;
    }
}

static bool exits_close(struct tracer *r, char error[256])
{
    struct exits *x = r->data;
    exits_reset(r);
    bool ok = out_close(x->out, true, error);
    free(x);
    return ok;
}

/* Comes before each byte of the console: most find nothing. */
static void exits_flush(struct tracer *r)
{
    struct out *out = ((struct exits *)r->data)->out;
    if (out->used)
        out_flush(out);
}

bool exits_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    struct exits *x = calloc(1, sizeof(*x));
    snprintf(error, 256, "out of memory");
    struct out *out = x ? out_open(config->exits, false, error) : NULL;
    if (!out) {
        free(x);
        return false;
    }
    x->out = out;
    out_format(out, "# insns\tcpu\tvmid\tfrom\tpc\twhere\tto\tclass\tiss\tcause\taddress\thandler\tto_pc\tpstate\n");
    r->data = x;
    r->exception = exception;
    r->exception_return = exception_return_seen;
    r->reset = exits_reset;
    r->flush = out_is_shared(out) ? exits_flush : NULL;
    r->close = exits_close;
    return true;
}
