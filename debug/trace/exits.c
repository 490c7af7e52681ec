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
 * Costs little: words are made once for each kind of exit and kept, as are places.
 */
#include "cpu/exception/words.h"
#include "debug/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 16, KINDS = 4096, WORDS = 480 };

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
/* An entry whose handler runs: its line but for the last column. */
struct entry {
    u64 cpu_at;
    u32 length;
    u8 from_el, to_el;
    char text[1024];
};
static_assert(WORDS + PLACE_TEXT + 160 < 1024 && 1024 < OUT_LINE, "a line has room");

struct exits {
    struct out *out;
    unsigned depth[MAX_CPUS];
    struct entry entry[MAX_CPUS][DEPTH];
    struct exit_kind kind[KINDS];
};

/* ---- words, kept ---- */

static void kind_fill(struct exit_kind *k, const struct exc *e)
{
    char iss[EXC_WORDS], cause[EXC_WORDS], class[EXC_WORDS];
    if (e->kind == EXC_SYNC)
        snprintf(class, sizeof(class), "0x%02x %s", e->ec, exc_class_words(e));
    else
        snprintf(class, sizeof(class), "%s", exc_class_words(e));
    exc_iss_words(e, iss);
    exc_cause_words(e, &k->key.source, cause);
    int n = snprintf(k->text, WORDS, "\tEL%u\t%s\t0x%07x%s%s\t%.*s", e->target_el, class, e->iss, iss[0] ? " " : "",
                     iss, 128, cause);
    k->length = n < WORDS ? (u32)n : WORDS - 1;
}

static const struct exit_kind *kind_of(struct exits *x, const struct trace *t, const struct cpu *cpu,
                                       const struct exc *e)
{
    const struct cause *c = &e->cause;
    bool valued = c->kind == CAUSE_DESCRIPTOR || c->kind == CAUSE_BREAKPOINT || c->kind == CAUSE_WATCHPOINT;
    struct kind_key key = { .kind = e->kind,
                            .ec = e->ec,
                            .target_el = e->target_el,
                            .is_virtual = e->is_virtual,
                            .has_hpfar = e->has_hpfar,
                            .from_el = cpu->ps.el,
                            .iss = e->iss,
                            .cause_kind = c->kind,
                            .cause_id = c->id,
                            .level = c->level,
                            .source = gic_source(&t->m->gic, cpu, e),
                            .value = valued ? c->value : 0 };
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

/* by: the PE, after the return that ended it; NULL: it has not ended. */
static void entry_end(struct exits *x, const struct entry *e, u64 now, const struct cpu *by)
{
    char *p = out_reserve(x->out);
    p = put_bytes(p, e->text, e->length);
    p = put_decimal(p, now - e->cpu_at);
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

static void exception(struct tracer *r, struct cpu *cpu, const struct exc *exc)
{
    struct exits *x = r->data;
    if (exc->target_el < 2)
        return;
    unsigned n = cpu->index;
    if (x->depth[n] == DEPTH) { /* handlers that never return: the oldest is given up */
        entry_end(x, &x->entry[n][0], cpu_position(cpu), NULL);
        memmove(&x->entry[n][0], &x->entry[n][1], sizeof(x->entry[n][0]) * (DEPTH - 1));
        x->depth[n]--;
    }
    struct entry *e = &x->entry[n][x->depth[n]++];
    struct symbol_place where = trace_place(cpu);
    e->from_el = cpu->ps.el;
    e->to_el = exc->target_el;
    e->cpu_at = cpu_position(cpu);
    char *p = put_decimal(e->text, trace_now(r->t, cpu));
    *p++ = '\t';
    *p++ = (char)('0' + n % 10);
    *p++ = '\t';
    p = where.vmid == SYMBOL_ANY ? put_const(p, "-") : put_decimal(p, (u64)where.vmid);
    p = put_const(p, "\tEL");
    *p++ = (char)('0' + cpu->ps.el);
    p = put_const(p, "\t0x");
    p = put_hex(p, cpu->pc, 8);
    *p++ = '\t';
    const struct trace_place *place = trace_place_text(r->t, cpu->pc, where);
    p = put_bytes(p, place->text, place->length);
    const struct exit_kind *kind = kind_of(x, r->t, cpu, exc);
    p = put_bytes(p, kind->text, kind->length);
    e->length = (u32)(put_address(p, exc) - e->text);
}

/* An exception return ends every handler of a higher EL than the one it goes to; one that stays at its EL ends the
 * entry that was taken from there. */
static void exception_return_seen(struct tracer *r, struct cpu *cpu, u64 from_pc)
{
    struct exits *x = r->data;
    unsigned n = cpu->index;
    u64 now = cpu_position(cpu) + 1; /* with the ERET itself */
    bool lower = false;
    (void)from_pc;
    while (x->depth[n]) {
        const struct entry *e = &x->entry[n][x->depth[n] - 1];
        bool same = !lower && e->to_el == cpu->ps.el && e->from_el == cpu->ps.el;
        if (e->to_el <= cpu->ps.el && !same)
            break;
        entry_end(x, e, now, cpu);
        x->depth[n]--;
        if (same)
            break;
        lower = true;
    }
}

static void exits_reset(struct tracer *r)
{
    struct exits *x = r->data;
    for (u32 n = 0; n < r->t->m->options.cpu_count; n++) {
        for (unsigned k = 0; k < x->depth[n]; k++)
            entry_end(x, &x->entry[n][k], r->t->m->d.cpu[n].insns, NULL);
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
    r->flush = exits_flush;
    r->close = exits_close;
    return true;
}
