/*
 * Those who look in (debug/): called by the stepping engine and by exception entry only; the fast path has no hook.
 * They may read everything. They change nothing that the guest can see, and nothing that another observer sees: so the
 * order in which they were attached (board/observer.h) does not matter.
 */
#ifndef CPU_OBSERVER_H
#define CPU_OBSERVER_H

#include "cpu/state.h"

struct dma_note;

/* What the answer to a hook is, by the first column of cpu/observer.def. */
#define HOOK_ANY  bool
#define HOOK_ALL  bool
#define HOOK_TELL void

/* The functions of an observer. NULL: it is not called for that. */
struct hooks {
#define HOOK(how, name, parameters, arguments) HOOK_##how (*name) parameters;
#include "cpu/observer.def"
};

/* All who look in, as the core sees them: for each hook a function and its first argument. NULL: nobody wants it. One
 * observer's own function where only one does. `before` tells insn as well, which the core does not call. */
struct observer {
#define HOOK(how, name, parameters, arguments) HOOK_##how (*name) parameters; void *name##_ctx;
#include "cpu/observer.def"
};

/* Sets of hooks: WANT_<name>. */
enum hook {
#define HOOK(how, name, parameters, arguments) HOOK_NUMBER_##name,
#include "cpu/observer.def"
    HOOKS
};
enum {
#define HOOK(how, name, parameters, arguments) WANT_##name = 1 << HOOK_NUMBER_##name,
#include "cpu/observer.def"
    WANT_ALL = (1 << HOOKS) - 1, /* every hook that it has a function for */
    WANT_EVERY = 1 << HOOKS      /* every instruction goes one by one, as if `page` were true for all */
};

/* cpu->halted has changed. */
static inline void cpu_tell_halted(struct cpu *cpu)
{
    const struct observer *o = cpu->d.host.observer;
    if (unlikely(o && o->halted))
        o->halted(o->halted_ctx, cpu);
}

#endif
