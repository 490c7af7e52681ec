/*
 * -trace perfetto=FILE: a timeline as Chrome's JSON trace format has it, for ui.perfetto.dev and chrome://tracing. A VM
 * is a process (what runs in no VM is process 1), a vCPU a thread of each. A stay at an EL is a slice, each exception
 * that is handled there a slice within it; counters say how many exits and interrupts there were. Time is the
 * machine's.
 *
 * The file appears, whole, when the trace is closed.
 */
#include "cpu/exception/words.h"
#include "debug/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { NEST = 32, PIDS = 65536 + 2, PID_HOST = 1, PID_VM = 2 };

struct stay {
    bool open;
    u32 pid, depth, hidden; /* nested slices; and those too deep to be shown */
    u8 el;
};

struct perfetto {
    struct out *out;
    bool any;
    struct stay stay[MAX_CPUS];
    bool begun[MAX_CPUS];  /* its first stay was shown */
    u8 first_el[MAX_CPUS]; /* where it was when the trace was opened */
    u64 opened;
    u8 named[MAX_CPUS][PIDS];
    u64 exits[PIDS], interrupts[PIDS];
};

static u32 pid_of(unsigned el, s32 vmid) { return el < 2 && vmid != SYMBOL_ANY ? PID_VM + (u32)vmid : PID_HOST; }

/* {"ph":"B","ts":12.345,"pid":1,"tid":0 */
static void event(struct perfetto *f, char phase, u64 ns, u32 pid, u32 tid)
{
    out_format(f->out, "%s{\"ph\":\"%c\",\"ts\":%llu.%03llu,\"pid\":%u,\"tid\":%u", f->any ? ",\n" : "\n", phase,
               (unsigned long long)(ns / 1000), (unsigned long long)(ns % 1000), pid, tid);
    f->any = true;
}

static void metadata(struct perfetto *f, u32 pid, u32 tid, const char *what, const char *name)
{
    event(f, 'M', 0, pid, tid);
    out_format(f->out, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    out_json(f->out, name);
    out_format(f->out, "}}");
}

/* The names of process and thread, before their first event. */
static void named(struct perfetto *f, u32 pid, u32 tid)
{
    char name[64];
    bool process = false;
    if (f->named[tid][pid])
        return;
    for (u32 n = 0; n < MAX_CPUS; n++)
        process |= f->named[n][pid];
    f->named[tid][pid] = 1;
    if (pid == PID_HOST)
        snprintf(name, sizeof(name), "host and hypervisor");
    else
        snprintf(name, sizeof(name), "VM, VMID %u", pid - PID_VM);
    if (!process)
        metadata(f, pid, tid, "process_name", name);
    snprintf(name, sizeof(name), "vCPU %u", tid);
    metadata(f, pid, tid, "thread_name", name);
}

static void stay_end(struct perfetto *f, u32 cpu, u64 ns)
{
    struct stay *s = &f->stay[cpu];
    for (u32 n = 0; s->open && n < s->depth + 1; n++) {
        event(f, 'E', ns, s->pid, cpu);
        out_format(f->out, "}");
    }
    s->open = false;
    s->depth = s->hidden = 0;
}

static void stay_begin(struct perfetto *f, const struct trace *t, u32 cpu, unsigned el, s32 vmid, u64 ns)
{
    struct stay *s = &f->stay[cpu];
    if (!trace_stay_selected(t, cpu, el, vmid))
        return;
    *s = (struct stay){ .open = true, .pid = pid_of(el, vmid), .el = (u8)el };
    named(f, s->pid, cpu);
    event(f, 'B', ns, s->pid, cpu);
    out_format(f->out, ",\"name\":\"EL%u\",\"cat\":\"el\"}", el);
}

static void slice_begin(struct perfetto *f, struct tracer *r, const struct cpu *cpu, const struct exc *e)
{
    struct stay *s = &f->stay[cpu->index];
    const struct exc_source source = gic_source(&r->t->m->gic, cpu, e);
    char iss[EXC_WORDS], cause[EXC_WORDS];
    if (s->depth == NEST) {
        s->hidden++;
        return;
    }
    exc_iss_words(e, iss);
    exc_cause_words(e, &source, cause);
    s->depth++;
    event(f, 'B', cpu->d.now, s->pid, cpu->index);
    out_format(f->out, ",\"name\":");
    out_json(f->out, exc_class_words(e));
    out_format(f->out, ",\"cat\":\"exception\",\"args\":{\"insns\":%llu,\"from\":\"EL%u\",\"pc\":\"0x%llx\",\"where\":",
               (unsigned long long)trace_now(r->t, cpu), cpu->ps.el, (unsigned long long)cpu->pc);
    out_json(f->out, trace_place_text(r->t, cpu->pc, trace_place(cpu))->text);
    out_format(f->out, ",\"iss\":");
    out_json(f->out, iss);
    out_format(f->out, ",\"cause\":");
    out_json(f->out, cause);
    out_format(f->out, "}}");
}

static void counter(struct perfetto *f, const struct cpu *cpu, u32 pid, const char *name, u64 *count)
{
    named(f, pid, cpu->index);
    event(f, 'C', cpu->d.now, pid, cpu->index);
    out_format(f->out, ",\"name\":\"%s\",\"args\":{\"%s\":%llu}}", name, name, (unsigned long long)++*count);
}

/* The stay that a vCPU was in when the trace began shows once something happens. */
static void stay_first(struct perfetto *f, struct tracer *r, u32 cpu)
{
    const struct trace_filter *filter = &r->t->config->filter;
    if (f->begun[cpu])
        return;
    f->begun[cpu] = true;
    if (r->t->m->d.cpu[cpu].halted != HALT_OFF && !filter->first && filter->start.kind == POINT_NONE)
        stay_begin(f, r->t, cpu, f->first_el[cpu], SYMBOL_ANY, f->opened);
}

static void exception(struct tracer *r, struct cpu *cpu, const struct exc *e)
{
    struct perfetto *f = r->data;
    struct stay *s = &f->stay[cpu->index];
    s32 vmid = cpu_guest(cpu);
    u32 pid = pid_of(cpu->ps.el, vmid);
    stay_first(f, r, cpu->index);
    if (!s->open)
        stay_begin(f, r->t, cpu->index, cpu->ps.el, vmid, cpu->d.now);
    if (trace_stay_selected(r->t, cpu->index, cpu->ps.el, vmid)) {
        if (e->target_el >= 2 && cpu->ps.el < 2)
            counter(f, cpu, pid, "exits", &f->exits[pid]);
        if (e->kind == EXC_IRQ || e->kind == EXC_FIQ)
            counter(f, cpu, pid, "interrupts", &f->interrupts[pid]);
    }
    if (e->target_el != cpu->ps.el || !s->open) {
        stay_end(f, cpu->index, cpu->d.now);
        stay_begin(f, r->t, cpu->index, e->target_el, vmid, cpu->d.now);
    }
    if (s->open)
        slice_begin(f, r, cpu, e);
}

static void exception_return_seen(struct tracer *r, struct cpu *cpu, u64 from_pc)
{
    struct perfetto *f = r->data;
    struct stay *s = &f->stay[cpu->index];
    u64 now = cpu->d.now + 1; /* the ERET belongs to the EL that it leaves */
    (void)from_pc;
    stay_first(f, r, cpu->index);
    if (s->open && s->el == cpu->ps.el) {
        if (s->hidden)
            s->hidden--;
        else if (s->depth) {
            event(f, 'E', now, s->pid, cpu->index);
            out_format(f->out, "}");
            s->depth--;
        }
        return;
    }
    stay_end(f, cpu->index, now);
    stay_begin(f, r->t, cpu->index, cpu->ps.el, cpu_guest(cpu), now);
}

static void perfetto_reset(struct tracer *r)
{
    struct perfetto *f = r->data;
    for (u32 n = 0; n < r->t->m->options.cpu_count; n++) {
        stay_first(f, r, n);
        stay_end(f, n, r->t->m->now);
    }
}

static bool perfetto_close(struct tracer *r, char error[256])
{
    struct perfetto *f = r->data;
    perfetto_reset(r);
    out_format(f->out, "\n],\"displayTimeUnit\":\"ns\"}\n");
    bool ok = out_close(f->out, true, error);
    free(f);
    return ok;
}

bool perfetto_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    struct perfetto *f = calloc(1, sizeof(*f));
    snprintf(error, 256, "out of memory");
    if (!f || !(f->out = out_open(config->perfetto, true, error))) {
        free(f);
        return false;
    }
    out_format(f->out, "{\"traceEvents\":[");
    f->opened = r->t->m->now;
    for (u32 n = 0; n < r->t->m->options.cpu_count; n++) {
        f->first_el[n] = r->t->m->d.cpu[n].ps.el;
        f->begun[n] = r->t->m->d.cpu[n].halted == HALT_OFF;
    }
    r->data = f;
    r->exception = exception;
    r->every_exception = true;
    r->exception_return = exception_return_seen;
    r->reset = perfetto_reset;
    r->close = perfetto_close;
    return true;
}
