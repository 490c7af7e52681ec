#define _GNU_SOURCE
/*
 * -profile FILE: exact instruction counts by function and call stack, folded ("EL2;main;print 1234"), as flame graph
 * programs read them. The stack is followed, not sampled: BL and BLR push, a return to a known return address pops, an
 * exception that stays at its EL is a call by what it interrupted; one that comes from below is a call by what last
 * returned there, and ends with the exception return or, as in hypervisors that enter a guest by a function call, when
 * that function returns. Each vCPU, EL and VMID has its own stack; one that a scheduler changed shows as a return to an
 * address that is not on it, and begins anew.
 */
#include "debug/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 256, CONTEXTS = 256, NODE_HASH = 1 << 16, SHOWN_LINE = 3500 };

/* A function on a path of callers. Nodes are numbered from 1; 0 is none. */
struct node {
    const char *name;
    u32 parent, next_hash;
    u64 count;
};

enum { BACK_NONE = 1, BACK_ENTRY = 3 /* an exception from a lower EL */ }; /* no return address is odd */

struct frame {
    u64 back; /* return address, or */
    u32 node;
    u64 lo, hi; /* of the function */
};

struct context {
    bool used;
    u32 cpu, el, root;
    s32 vmid;
    u32 depth; /* frames */
    struct frame frame[DEPTH];
};

struct profile {
    struct out *out;
    struct node *node;
    u32 nodes, room;
    u32 hash[NODE_HASH];
    struct context context[CONTEXTS];
    char root_name[CONTEXTS][32];
    struct context *now[MAX_CPUS];
    u32 last_word[MAX_CPUS]; /* what moved the PC; 0: not an instruction of this context */
    u64 last_pc[MAX_CPUS];
    bool failed;
};

static u32 node_child(struct profile *p, u32 parent, const char *name)
{
    u32 slot = (u32)(((u64)(uintptr_t)name ^ (u64)parent << 20) * 0x9e3779b97f4a7c15ull >> 48);
    for (u32 n = p->hash[slot]; n; n = p->node[n].next_hash)
        if (p->node[n].parent == parent && p->node[n].name == name)
            return n;
    if (p->nodes + 1 >= p->room) {
        u32 room = p->room ? p->room * 2 : 4096;
        struct node *more = realloc(p->node, room * sizeof(*more));
        if (!more) {
            p->failed = true;
            return parent;
        }
        p->node = more;
        p->room = room;
    }
    u32 n = ++p->nodes;
    p->node[n] = (struct node){ name, parent, p->hash[slot], 0 };
    p->hash[slot] = n;
    return n;
}

static struct context *context_find(struct profile *p, u32 cpu, unsigned el, s32 vmid)
{
    struct context *c = p->now[cpu];
    if (likely(c && c->el == el && c->vmid == vmid))
        return c;
    for (u32 n = 0; n < CONTEXTS; n++) {
        c = &p->context[n];
        if (c->used && c->cpu == cpu && c->el == el && c->vmid == vmid)
            return c;
        if (c->used)
            continue;
        *c = (struct context){ .used = true, .cpu = cpu, .el = el, .vmid = vmid };
        if (vmid == SYMBOL_ANY)
            snprintf(p->root_name[n], sizeof(p->root_name[n]), "EL%u", el);
        else
            snprintf(p->root_name[n], sizeof(p->root_name[n]), "VMID %d EL%u", vmid, el);
        c->root = node_child(p, 0, p->root_name[n]);
        return c;
    }
    return &p->context[CONTEXTS - 1]; /* too many guests: the rest share one */
}

static struct context *context_now(struct profile *p, const struct cpu *cpu)
{
    struct symbol_place place = trace_place(cpu);
    struct context *c = context_find(p, cpu->index, cpu->ps.el, place.vmid);
    if (unlikely(c != p->now[cpu->index]))
        p->last_word[cpu->index] = 0;
    return p->now[cpu->index] = c;
}

/* The function at pc becomes the frame at c->depth - 1. */
static void frame_set(struct profile *p, struct context *c, const struct trace *t, u64 pc, u64 back)
{
    const struct symbol *s = symbols_find(t->symbols, pc, (struct symbol_place){ (s32)c->el, c->vmid });
    u32 parent = c->depth > 1 ? c->frame[c->depth - 2].node : c->root;
    c->frame[c->depth - 1] = (struct frame){ back, node_child(p, parent, s ? s->name : "[unknown]"),
                                             s ? s->lo : pc & ~0xfffull, s ? s->hi : (pc & ~0xfffull) + 4096 };
}

/* BL; BLR, BLRAA and friends (C6.2). */
static bool is_call(u32 word) { return (word & 0xfc000000) == 0x94000000 || (word & 0xfefff000) == 0xd63f0000; }
/* RET, RETAA; ERET and friends. */
static bool is_return(u32 word) { return (word & 0xfefff000) == 0xd65f0000 || (word & 0xfffff000) == 0xd69f0000; }

static void call(struct profile *p, struct context *c, const struct trace *t, u64 pc, u64 back)
{
    if (c->depth == DEPTH) { /* the outermost callers are forgotten; the nodes' paths keep them */
        memmove(&c->frame[0], &c->frame[1], sizeof(c->frame[0]) * (DEPTH - 1));
        c->depth--;
    }
    c->depth++;
    frame_set(p, c, t, pc, back);
}

/* Drops the frames up to the one that returns to pc. False: there is none. */
static bool unwind(struct context *c, u64 pc)
{
    for (u32 n = c->depth; n > 0; n--)
        if (c->frame[n - 1].back == pc) {
            c->depth = n - 1;
            return true;
        }
    return false;
}

static bool in_frame(const struct frame *f, u64 pc) { return pc - f->lo < f->hi - f->lo; }

static void insn(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    struct profile *p = r->data;
    struct context *c = context_now(p, cpu);
    u32 last = p->last_word[cpu->index];
    if (last && is_call(last) && pc != p->last_pc[cpu->index])
        call(p, c, r->t, pc, p->last_pc[cpu->index] + 4);
    else if (last && is_return(last) && !unwind(c, pc) && c->depth && !in_frame(&c->frame[c->depth - 1], pc))
        c->depth = 0;
    if (!c->depth) {
        c->depth = 1;
        frame_set(p, c, r->t, pc, BACK_NONE);
    }
    struct frame *f = &c->frame[c->depth - 1];
    if (unlikely(!in_frame(f, pc))) /* a tail call, or on into the next function */
        frame_set(p, c, r->t, pc, f->back);
    p->node[f->node].count++;
    p->last_word[cpu->index] = word;
    p->last_pc[cpu->index] = pc;
}

static void exception(struct tracer *r, struct cpu *cpu, const struct exc *e)
{
    struct profile *p = r->data;
    bool below = e->target_el > cpu->ps.el;
    struct context *c = context_find(p, cpu->index, e->target_el, e->target_el >= 2 ? SYMBOL_ANY : cpu_guest(cpu));
    call(p, c, r->t, exception_vector(cpu, e), below ? BACK_ENTRY : e->elr);
    p->last_word[cpu->index] = 0;
}

/* Back to a lower EL: what the exception from there began has ended, unless it has been left by a return already. */
static void exception_return_seen(struct tracer *r, struct cpu *cpu, u64 from_pc)
{
    struct profile *p = r->data;
    struct context *c = p->now[cpu->index];
    (void)from_pc;
    if (c && c->el > cpu->ps.el)
        unwind(c, BACK_ENTRY);
}

/* ---- writing ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* "root;caller;function count", cut at the root when it is too long. */
static char *line_make(const struct profile *p, u32 n)
{
    const char *names[2 * DEPTH] = { NULL };
    unsigned count = 0;
    char text[SHOWN_LINE + 300];
    size_t at = 0;
    for (u32 k = n; k && count < ARRAY_LEN(names); k = p->node[k].parent)
        names[count++] = p->node[k].name;
    while (count-- > 0 && at < SHOWN_LINE)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%.200s%s", names[count], count ? ";" : "");
    snprintf(text + at, sizeof(text) - at, " %llu", (unsigned long long)p->node[n].count);
    return strdup(text);
}

static bool profile_write(struct profile *p)
{
    char **lines = calloc(p->nodes + 1, sizeof(*lines));
    size_t count = 0;
    bool ok = lines && !p->failed;
    for (u32 n = 1; ok && n <= p->nodes; n++)
        if (p->node[n].count && !(lines[count++] = line_make(p, n)))
            ok = false;
    if (ok)
        qsort(lines, count, sizeof(*lines), by_text);
    for (size_t n = 0; lines && n < count; n++) {
        if (ok)
            out_format(p->out, "%s\n", lines[n]);
        free(lines[n]);
    }
    free(lines);
    return ok;
}

static bool profile_close(struct tracer *r, char error[256])
{
    struct profile *p = r->data;
    bool written = profile_write(p);
    bool ok = out_close(p->out, written, error);
    if (!written)
        snprintf(error, 256, "profile: out of memory");
    free(p->node);
    free(p);
    return ok && written;
}

bool profile_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    struct profile *p = calloc(1, sizeof(*p));
    snprintf(error, 256, "out of memory");
    if (!p || !(p->out = out_open(config->profile, true, error))) {
        free(p);
        return false;
    }
    r->data = p;
    r->insn = insn;
    r->exception = exception;
    r->every_exception = true;
    r->exception_return = exception_return_seen;
    r->close = profile_close;
    return true;
}
