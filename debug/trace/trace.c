/*
 * What the traces see. Exceptions come from both engines. Instructions come from the stepping engine, which is used as
 * little as possible: within the window, and where a filter by EL, VMID, vCPU or address allows it only for the pages
 * that it names.
 */
#include "debug/trace/trace_internal.h"

#include "board/observer.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the filter ---- */

static bool vmid_selected(const struct trace_filter *f, s32 vmid)
{
    for (u32 n = 0; n < f->vmids; n++)
        if (f->vmid[n] == vmid)
            return true;
    return !f->vmids;
}

/* lo, hi: the addresses asked about. */
static bool selected(const struct trace *t, const struct cpu *cpu, u64 lo, u64 hi)
{
    const struct trace_filter *f = &t->config->filter;
    if (f->some_cpus && !f->cpu[cpu->index])
        return false;
    if (f->els && !bit(f->els, cpu->ps.el))
        return false;
    if (f->vmids && !vmid_selected(f, cpu_guest(cpu)))
        return false;
    for (u32 n = 0; n < f->ranges; n++)
        if (lo <= f->range[n].hi && hi >= f->range[n].lo)
            return true;
    return !f->ranges;
}

static bool wanted(const struct trace *t, const struct cpu *cpu, u64 pc)
{
    return t->active && (!t->narrow || selected(t, cpu, pc, pc));
}

bool trace_stay_selected(const struct trace *t, u32 cpu, unsigned el, s32 vmid)
{
    const struct trace_filter *f = &t->config->filter;
    return t->active && (!f->some_cpus || f->cpu[cpu]) && (!f->els || bit(f->els, el)) &&
           (!f->vmids || vmid_selected(f, vmid));
}

/* ---- places ---- */

const struct trace_place *trace_place_text(struct trace *t, u64 pc, struct symbol_place where)
{
    struct trace_place *p = &t->place[(pc >> 2 ^ pc >> 15 ^ (u32)where.vmid << 5) & (PLACES - 1)];
    if (unlikely(p->pc != pc || p->el != where.el || p->vmid != where.vmid || !p->length)) {
        p->pc = pc;
        p->el = where.el;
        p->vmid = where.vmid;
        p->length = (u32)symbols_describe(t->symbols, pc, where, p->text, PLACE_TEXT);
    }
    return p;
}

/* ---- switching on and off ---- */

static const struct hooks hooks;

static bool is_met_by_hook(const struct trace_point *p)
{
    return p->kind == POINT_SYMBOL || p->kind == POINT_EXCEPTION;
}

/* What is active has changed. between: no PE runs, so that what is derived may be dropped. In a hook nothing changes
 * but whether every instruction is wanted: what a hook may switch on is wanted all along. */
static void engine_choose(struct trace *t, bool between)
{
    t->active = t->window && t->triggered;
    if (between) {
        t->by_page = t->active ? t->narrow : t->by_page;
        t->awake = t->active || (t->window && is_met_by_hook(&t->config->filter.start)) || t->symbols_wanted;
    }
    bool every = t->insns && t->active && !t->by_page;
    observer_attach(t->m, &hooks, t, t->wants | (t->awake ? t->wants_awake : 0) | (every ? WANT_EVERY : 0));
    if (t->insns && between)
        observer_answers_changed(t->m);
}

static void trigger(struct trace *t, bool on)
{
    t->triggered = on;
    engine_choose(t, false);
}

u64 trace_limit(struct trace *t, u64 limit)
{
    const struct trace_filter *f = &t->config->filter;
    u64 now = machine_insns(t->m), last = f->last ? f->last : NEVER;
    bool window = now >= f->first && now < last, triggered = t->triggered;
    if (f->start.kind == POINT_COUNT && now == f->start.at)
        triggered = true;
    if (f->stop.kind == POINT_COUNT && now == f->stop.at)
        triggered = false;
    if (window != t->window || triggered != t->triggered) {
        t->window = window;
        t->triggered = triggered;
        engine_choose(t, true);
    }
    u64 points[] = { f->first, last, f->start.kind == POINT_COUNT ? f->start.at : NEVER,
                     f->stop.kind == POINT_COUNT ? f->stop.at : NEVER };
    for (unsigned n = 0; n < ARRAY_LEN(points); n++)
        if (points[n] > now && points[n] < limit)
            limit = points[n];
    return limit;
}

/* ---- hooks ---- */

static bool page(void *ctx, struct cpu *cpu, u64 va)
{
    struct trace *t = ctx;
    const struct trace_filter *f = &t->config->filter;
    if (t->window && !t->triggered && f->start.kind == POINT_SYMBOL && (f->start.at ^ va) < 4096)
        return true;
    if (t->active && f->stop.kind == POINT_SYMBOL && (f->stop.at ^ va) < 4096)
        return true;
    return t->active && t->by_page && selected(t, cpu, va, va + 4095);
}

static void insn(void *ctx, struct cpu *cpu, u64 pc, u32 word)
{
    struct trace *t = ctx;
    const struct trace_filter *f = &t->config->filter;
    if (unlikely(f->stop.kind == POINT_SYMBOL && t->triggered && pc == f->stop.at))
        trigger(t, false);
    if (unlikely(f->start.kind == POINT_SYMBOL && !t->triggered && pc == f->start.at))
        trigger(t, true);
    bool seen = t->seen[cpu->index] = wanted(t, cpu, pc);
    for (unsigned n = 0; seen && n < t->tracers; n++)
        if (t->tracer[n].insn)
            t->tracer[n].insn(&t->tracer[n], cpu, pc, word);
}

static void after(void *ctx, struct cpu *cpu, u64 pc, u32 word)
{
    struct trace *t = ctx;
    for (unsigned n = 0; t->seen[cpu->index] && n < t->tracers; n++)
        if (t->tracer[n].done)
            t->tracer[n].done(&t->tracer[n], cpu, pc, word);
    t->seen[cpu->index] = false;
}

static void memory(void *ctx, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value)
{
    struct trace *t = ctx;
    for (unsigned n = 0; t->seen[cpu->index] && n < t->tracers; n++)
        if (t->tracer[n].memory)
            t->tracer[n].memory(&t->tracer[n], cpu, va, pa, size, write, value);
}

static void reset_seen(void *ctx, struct cpu *cpu)
{
    struct trace *t = ctx;
    for (unsigned n = 0; n < t->tracers; n++)
        if (t->tracer[n].cpu_reset)
            t->tracer[n].cpu_reset(&t->tracer[n], cpu);
}

static void sysreg_written(void *ctx, struct cpu *cpu, unsigned row, u64 value)
{
    struct trace *t = ctx;
    bool seen = wanted(t, cpu, cpu->pc);
    for (unsigned n = 0; seen && n < t->tracers; n++)
        if (t->tracer[n].sysreg)
            t->tracer[n].sysreg(&t->tracer[n], cpu, row, value);
}

static void guest_error(void *ctx, struct cpu *cpu, const char *device, const char *why, u64 offset, unsigned size,
                        bool write, u64 value)
{
    struct trace *t = ctx;
    bool seen = wanted(t, cpu, cpu->pc);
    for (unsigned n = 0; seen && n < t->tracers; n++)
        if (t->tracer[n].guest_error)
            t->tracer[n].guest_error(&t->tracer[n], cpu, device, why, offset, size, write, value);
}

static void dma(void *ctx, const struct dma_note *note)
{
    struct trace *t = ctx;
    for (unsigned n = 0; t->active && n < t->tracers; n++)
        if (t->tracer[n].dma)
            t->tracer[n].dma(&t->tracer[n], note);
}

static void device_seen(void *ctx, struct cpu *cpu, unsigned row, unsigned number, u64 offset, unsigned size,
                        bool write, u64 value)
{
    struct trace *t = ctx;
    bool seen = wanted(t, cpu, cpu->pc);
    for (unsigned n = 0; seen && n < t->tracers; n++)
        if (t->tracer[n].device)
            t->tracer[n].device(&t->tracer[n], cpu, row, number, offset, size, write, value);
}

static void line_seen(void *ctx, unsigned row, unsigned number, unsigned wire, bool high)
{
    struct trace *t = ctx;
    for (unsigned n = 0; t->active && n < t->tracers; n++)
        if (t->tracer[n].line)
            t->tracer[n].line(&t->tracer[n], row, number, wire, high);
}

/* Accesses to devices are made one by one: the fast engine does not keep the PC. */
static bool data_seen(void *ctx, struct cpu *cpu, u64 va, u64 pa)
{
    struct trace *t = ctx;
    (void)cpu;
    (void)va;
    return !phys_find(&t->m->d.phys, pa, (struct phys_attrs){ .privileged = 1 });
}

static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct trace *t = ctx;
    const struct trace_filter *f = &t->config->filter;
    if (unlikely(f->start.kind == POINT_EXCEPTION && !t->triggered))
        trigger(t, true);
    else if (unlikely(f->stop.kind == POINT_EXCEPTION && t->triggered))
        trigger(t, false);
    bool seen = wanted(t, cpu, cpu->pc);
    for (unsigned n = 0; n < t->tracers; n++)
        if (t->tracer[n].exception && (seen || t->tracer[n].every_exception))
            t->tracer[n].exception(&t->tracer[n], cpu, exc);
}

static void exception_return_seen(void *ctx, struct cpu *cpu, u64 from_pc)
{
    struct trace *t = ctx;
    for (unsigned n = 0; n < t->tracers; n++)
        if (t->tracer[n].exception_return)
            t->tracer[n].exception_return(&t->tracer[n], cpu, from_pc);
}

static const struct hooks hooks = { .page = page,
                                    .data = data_seen,
                                    .insn = insn,
                                    .after = after,
                                    .memory = memory,
                                    .exception = exception,
                                    .exception_return = exception_return_seen,
                                    .guest_error = guest_error,
                                    .device = device_seen,
                                    .line = line_seen,
                                    .dma = dma,
                                    .reset = reset_seen,
                                    .sysreg_written = sysreg_written };

/* What the tracers, and the points that start or stop them, need to hear of. */
static void wants_find(struct trace *t)
{
    const struct trace_filter *f = &t->config->filter;
    t->symbols_wanted = f->start.kind == POINT_SYMBOL || f->stop.kind == POINT_SYMBOL;
    t->wants = f->start.kind == POINT_EXCEPTION || f->stop.kind == POINT_EXCEPTION ? WANT_exception : 0;
    for (unsigned n = 0; n < t->tracers; n++) {
        const struct tracer *r = &t->tracer[n];
        t->insns |= r->insn || r->done;
        t->wants |= r->exception && r->every_exception ? WANT_exception : 0;
        t->wants |= r->exception_return ? WANT_exception_return : 0;
        t->wants |= r->cpu_reset ? WANT_reset : 0;
        t->wants_awake |= r->exception ? WANT_exception : 0;
        t->wants_awake |= r->sysreg ? WANT_sysreg_written : 0;
        t->wants_awake |= r->dma ? WANT_dma : 0;
        t->wants_awake |= r->device ? WANT_device | WANT_data : 0;
        t->wants_awake |= r->line ? WANT_line : 0;
        t->wants_awake |= r->memory ? WANT_memory : 0;
        t->wants_awake |= r->guest_error ? WANT_guest_error | WANT_data : 0;
    }
    t->wants_awake |= t->insns || t->symbols_wanted ? WANT_page | WANT_insn | WANT_after : 0;
}

/* ---- opening and closing ---- */

static bool kind_wanted(const struct trace_config *c, unsigned kind)
{
    const bool wanted[TRACERS] = {
#define TRACE(name) c->name != 0,
#include "debug/trace/trace_kind.def"
    };
    return wanted[kind];
}

bool trace_wanted(const struct trace_config *c)
{
    bool any = false;
    for (unsigned n = 0; n < TRACERS; n++)
        any |= kind_wanted(c, n);
    return any;
}

static bool point_find(const struct trace *t, struct trace_point *p, const char *option, char error[256])
{
    if (p->kind != POINT_SYMBOL || !p->symbol[0] || symbols_address(t->symbols, p->symbol, &p->at))
        return true;
    snprintf(error, 256, "%s %.160s: no such symbol in any -sym file", option, p->symbol);
    return false;
}

static bool tracers_open(struct trace *t, char error[256])
{
    static const struct {
        bool (*open)(struct tracer *r, const struct trace_config *c, char error[256]);
    } kinds[TRACERS] = {
#define TRACE(name) { name##_open },
#include "debug/trace/trace_kind.def"
    };
    for (unsigned n = 0; n < TRACERS; n++) {
        struct tracer *r = &t->tracer[t->tracers];
        r->t = t;
        if (!kind_wanted(t->config, n))
            continue;
        if (!kinds[n].open(r, t->config, error))
            return false;
        t->flushes |= r->flush != NULL;
        t->tracers++;
    }
    return true;
}

struct trace *trace_open(struct machine *m, const struct trace_config *config, char error[256])
{
    struct trace *t = calloc(1, sizeof(*t));
    struct trace_filter *f = (struct trace_filter *)(uintptr_t)&config->filter;
    char ignored[256];
    snprintf(error, 256, "out of memory");
    if (!t)
        return NULL;
    t->m = m;
    t->config = config;
    t->symbols = symbols_create();
    t->disasm = disasm_create(m->d.decoder);
    bool ok = t->symbols && t->disasm;
    if (ok && (config->tarmac || config->log & LOG_in_asm) && disasm_ready()) { /* they are the same everywhere */
        snprintf(error, 256, "a trace needs a library: %s", disasm_ready());
        ok = false;
    }
    for (unsigned n = 0; ok && n < config->symbol_count; n++)
        ok = symbols_add(t->symbols, &config->symbol[n], error);
    ok = ok && point_find(t, &f->start, "-trace-start", error) && point_find(t, &f->stop, "-trace-stop", error) &&
         tracers_open(t, error);
    if (!ok) {
        for (unsigned n = 0; n < t->tracers; n++)
            t->tracer[n].close(&t->tracer[n], ignored);
        symbols_destroy(t->symbols);
        disasm_destroy(t->disasm);
        free(t);
        return NULL;
    }
    t->narrow = f->some_cpus || f->els || f->vmids || f->ranges;
    t->triggered = f->start.kind == POINT_NONE;
    wants_find(t);
    engine_choose(t, true);
    return t;
}

void trace_reset(struct trace *t)
{
    for (unsigned n = 0; t && n < t->tracers; n++)
        if (t->tracer[n].reset)
            t->tracer[n].reset(&t->tracer[n]);
}

static NOINLINE bool flush_all(struct trace *t)
{
    for (unsigned n = 0; n < t->tracers; n++)
        if (t->tracer[n].flush)
            t->tracer[n].flush(&t->tracer[n]);
    return true;
}
/* Comes before each byte of the console. */
bool trace_flush(struct trace *t) { return t && t->flushes && flush_all(t); }

bool trace_close(struct trace *t, char error[256])
{
    bool ok = true;
    char first[256] = "";
    if (!t)
        return true;
    for (unsigned n = 0; n < t->tracers; n++) {
        char text[256];
        if (!t->tracer[n].close(&t->tracer[n], text) && ok) {
            snprintf(first, sizeof(first), "%s", text);
            ok = false;
        }
    }
    if (!ok)
        snprintf(error, 256, "%s", first);
    observer_detach(t->m, &hooks, t);
    symbols_destroy(t->symbols);
    disasm_destroy(t->disasm);
    free(t);
    return ok;
}

static const struct {
    const char *name, *help;
} log_items[] = {
#define LOG_ITEM(name, help) { #name, help },
#include "debug/trace/trace_log.def"
};

u32 trace_log_item(const char *word, size_t length)
{
    for (unsigned n = 0; n < ARRAY_LEN(log_items); n++)
        if (strlen(log_items[n].name) == length && !strncmp(log_items[n].name, word, length))
            return 1u << n;
    return 0;
}

void trace_log_list(void)
{
    puts("Log items (comma separated):");
    for (unsigned n = 0; n < ARRAY_LEN(log_items); n++)
        printf("%-15s %s\n", log_items[n].name, log_items[n].help);
    puts("trace:PATTERN   events whose names fit the pattern; trace:help lists them");
}
