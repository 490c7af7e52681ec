/* The observers of a machine: who is attached, and what the core sees of them (board/observer.h). */
#include "board/observer.h"

#include "board/machine.h"
#include "mmu/access.h"

#include <assert.h>

/* ---- several want a hook ---- */

/* From one observer that wants it to the next. When the list changes meanwhile, without those who have left or come. */
#define EACH(l, name, n)                                                                                               \
    for (u32 left_ = (l)->wanting[HOOK_NUMBER_##name], n = 0; left_; left_ &= left_ - 1)                               \
        if (n = (u32)__builtin_ctz(left_),                                                                             \
            likely((l)->changes == changes) || ((l)->list[n].wants & WANT_##name && (l)->list[n].since <= changes))

#define ROUND_ANY(name, parameters, arguments)                                                                         \
    static bool name##_round parameters                                                                                \
    {                                                                                                                  \
        const struct observers *l = ctx;                                                                               \
        u64 changes = l->changes;                                                                                      \
        EACH (l, name, n) {                                                                                            \
            ctx = l->list[n].ctx;                                                                                      \
            if (l->list[n].hooks->name arguments)                                                                      \
                return true;                                                                                           \
        }                                                                                                              \
        return false;                                                                                                  \
    }
#define ROUND_ALL(name, parameters, arguments)                                                                         \
    static bool name##_round parameters                                                                                \
    {                                                                                                                  \
        const struct observers *l = ctx;                                                                               \
        u64 changes = l->changes;                                                                                      \
        bool all = true;                                                                                               \
        EACH (l, name, n) {                                                                                            \
            ctx = l->list[n].ctx;                                                                                      \
            all &= l->list[n].hooks->name arguments;                                                                   \
        }                                                                                                              \
        return all;                                                                                                    \
    }
#define ROUND_TELL(name, parameters, arguments)                                                                        \
    static void name##_round parameters                                                                                \
    {                                                                                                                  \
        const struct observers *l = ctx;                                                                               \
        u64 changes = l->changes;                                                                                      \
        EACH (l, name, n) {                                                                                            \
            ctx = l->list[n].ctx;                                                                                      \
            l->list[n].hooks->name arguments;                                                                          \
        }                                                                                                              \
    }
#define HOOK(how, name, parameters, arguments) ROUND_##how(name, parameters, arguments)
#include "cpu/observer.def"

/* Asks all, then tells all unless one stops. */
static bool before_insn(void *ctx, struct cpu *cpu, u64 pc, u32 insn)
{
    const struct observer *each = &((const struct observers *)ctx)->each;
    if (each->before && !each->before(each->before_ctx, cpu, pc, insn))
        return false;
    if (each->insn)
        each->insn(each->insn_ctx, cpu, pc, insn);
    return true;
}

/* Nobody asks. */
static bool insn_only(void *ctx, struct cpu *cpu, u64 pc, u32 insn)
{
    const struct observer *each = &((const struct observers *)ctx)->each;
    each->insn(each->insn_ctx, cpu, pc, insn);
    return true;
}

/* ---- the list ---- */

static u32 has_functions(const struct hooks *hooks)
{
    return
#define HOOK(how, name, parameters, arguments) (hooks->name ? WANT_##name : 0) |
#include "cpu/observer.def"
        WANT_EVERY;
}

/* The place of an observer; of none: a free one, or MAX_OBSERVERS. */
static u32 place_of(const struct observers *l, const struct hooks *hooks, const void *ctx)
{
    u32 n = 0;
    while (n < MAX_OBSERVERS && (l->list[n].hooks != hooks || l->list[n].ctx != ctx))
        n++;
    return n;
}

/* Makes what the core sees from the list. */
static void see(struct observers *l)
{
    struct observer *each = &l->each;
    memset(l->wanting, 0, sizeof(l->wanting));
    for (u32 n = 0; n < MAX_OBSERVERS; n++)
        for (u32 hook = 0; hook < HOOKS; hook++)
            l->wanting[hook] |= (l->list[n].wants >> hook & 1) << n;
#define HOOK(how, name, parameters, arguments)                                                                         \
    {                                                                                                                  \
        u32 set = l->wanting[HOOK_NUMBER_##name];                                                                      \
        bool one = set && !(set & (set - 1));                                                                          \
        each->name = one ? l->list[__builtin_ctz(set)].hooks->name : set ? name##_round : NULL;                        \
        each->name##_ctx = one ? l->list[__builtin_ctz(set)].ctx : set ? l : NULL;                                                \
    }
#include "cpu/observer.def"
    l->seen = *each;
    if (each->insn) {
        l->seen.before = each->before ? before_insn : insn_only;
        l->seen.before_ctx = l;
    }
}

/* Do all PEs go one by one? */
static void every_set(struct machine *m, bool every)
{
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        struct cpu *cpu = &m->d.cpu[n];
        if (!(cpu->d.stepping & STEPPING_ALL) != every)
            continue;
        cpu->d.stepping ^= STEPPING_ALL;
        cpu->d.attention |= ATT_ENGINE;
    }
}

static void want(struct machine *m, u32 n, u32 wants)
{
    struct observers *l = m->d.observers;
    u32 added = wants & ~l->list[n].wants, all = 0;
    l->list[n].wants = wants;
    l->changes++;
    see(l);
    for (u32 k = 0; k < MAX_OBSERVERS; k++)
        all |= l->list[k].wants;
    every_set(m, all & WANT_EVERY);
    if (added & (WANT_page | WANT_data))
        observer_answers_changed(m);
}

void observer_attach(struct machine *m, const struct hooks *hooks, void *ctx, u32 wants)
{
    struct observers *l = m->d.observers;
    u32 n = place_of(l, hooks, ctx);
    if (n == MAX_OBSERVERS) {
        n = place_of(l, NULL, NULL);
        assert(n < MAX_OBSERVERS);
        l->list[n].hooks = hooks;
        l->list[n].ctx = ctx;
        l->list[n].since = l->changes + 1;
    }
    want(m, n, wants & has_functions(hooks));
}

void observer_detach(struct machine *m, const struct hooks *hooks, const void *ctx)
{
    struct observers *l = m->d.observers;
    u32 n = place_of(l, hooks, ctx);
    if (n == MAX_OBSERVERS)
        return;
    want(m, n, 0);
    memset(&l->list[n], 0, sizeof(l->list[n]));
}

void observer_answers_changed(struct machine *m)
{
    for (u32 n = 0; n < m->options.cpu_count; n++)
        mmu_drop_derived(&m->d.cpu[n]);
}
