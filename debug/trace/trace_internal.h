/* Between trace.c, which decides what is seen, and the tracers, which write it down. */
#ifndef DEBUG_TRACE_INTERNAL_H
#define DEBUG_TRACE_INTERNAL_H

#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/observer.h"
#include "debug/disasm.h"
#include "debug/trace/trace.h"
#include "debug/trace/trace_out.h"

/* One kind of trace. NULL functions are not called. `insn` to `memory` need every instruction to go through the
 * stepping engine. */
struct tracer {
    struct trace *t;
    void (*insn)(struct tracer *r, struct cpu *cpu, u64 pc, u32 word);
    void (*done)(struct tracer *r, struct cpu *cpu, u64 pc, u32 word);
    void (*memory)(struct tracer *r, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value);
    void (*sysreg)(struct tracer *r, struct cpu *cpu, unsigned row, u64 value);
    void (*guest_error)(struct tracer *r, struct cpu *cpu, const char *device, const char *why, u64 offset,
                        unsigned size, bool write, u64 value);
    void (*exception)(struct tracer *r, struct cpu *cpu, const struct exc *exc);
    void (*dma)(struct tracer *r, const struct dma_note *note);
    void (*device)(struct tracer *r, struct cpu *cpu, unsigned row, unsigned n, u64 offset, unsigned size, bool write,
                   u64 value);
    void (*line)(struct tracer *r, unsigned row, unsigned n, unsigned wire, bool high);
    /* Called whether the exception was selected or not: handlers end. */
    void (*exception_return)(struct tracer *r, struct cpu *cpu, u64 from_pc);
    void (*reset)(struct tracer *r);
    void (*cpu_reset)(struct tracer *r, struct cpu *cpu);
    void (*flush)(struct tracer *r); /* of those that write as it comes */
    bool (*close)(struct tracer *r, char error[256]);
    bool every_exception; /* `exception` is called whatever the filter says */
    void *data;
    struct events *events; /* of -d */
};

enum {
#define TRACE(name) TRACER_##name,
#include "debug/trace/trace_kind.def"
    TRACERS,
    PLACES = 1 << 13,
    PLACE_TEXT = 200
};

/* An address in words, kept: "main+0x14 main.c:12", or "-". */
struct trace_place {
    u64 pc;
    s32 el, vmid;
    u32 length; /* 0: free */
    char text[PLACE_TEXT];
};

struct trace {
    struct machine *m;
    const struct trace_config *config;
    struct symbols *symbols;
    struct disasm *disasm;
    u32 wants, wants_awake; /* hooks (WANT_*): always; besides while awake */
    struct tracer tracer[TRACERS];
    unsigned tracers;
    bool flushes;                   /* one of them at least has a flush */
    bool insns;                     /* some tracer sees instructions */
    bool symbols_wanted;            /* to start or to stop */
    bool narrow;                    /* the filter leaves out some of them by EL, VMID, vCPU or address */
    bool window, triggered, active; /* within first..last; between start and stop; both */
    bool awake;                     /* active, or a hook may make it so */
    bool by_page;                   /* the stepping engine is used for the pages of the filter only */
    bool seen[MAX_CPUS];            /* the instruction being executed was selected */
    struct trace_place place[PLACES];
};

/* Is a stay of that vCPU at that EL selected, wherever its code is? */
bool trace_stay_selected(const struct trace *t, u32 cpu, unsigned el, s32 vmid);
const struct trace_place *trace_place_text(struct trace *t, u64 pc, struct symbol_place where);

/* Each fills a tracer, or returns false with the error. */
#define TRACE(name) bool name##_open(struct tracer *r, const struct trace_config *c, char error[256]);
#include "debug/trace/trace_kind.def"

/* debug/trace/trace_event.c: -d trace:PATTERN makes the tracer of -d hear of these events, too, in its own file. The
 * events are the tracer's to free. False: out of memory. */
bool events_open(struct tracer *r, const struct trace_config *config, struct out *out);

/* Instructions of the machine so far, from within hooks; those of the PE: cpu_position. */
static inline u64 trace_now(const struct trace *t, const struct cpu *cpu)
{
    u64 sum = cpu->d.now - cpu->d.run_from;
    for (u32 n = 0; n < t->m->options.cpu_count; n++)
        sum += t->m->d.cpu[n].insns;
    return sum;
}

static_assert((int)SYMBOL_ANY == (int)NO_GUEST, "what runs in no guest has the symbols of no VMID");
static inline struct symbol_place trace_place(const struct cpu *cpu)
{
    return (struct symbol_place){ cpu->ps.el, cpu_guest(cpu) };
}

#endif
