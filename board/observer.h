/*
 * The observers of a machine (cpu/observer.h): a list, in which order does not matter.
 *
 * An observer is a set of functions and what they are called with; together they are what it is known by. What the core
 * looks at is made from the list whenever that changes: a hook that nobody wants is NULL there, one that a single
 * observer wants is its own function, and only where several want it a function goes round.
 *   before, access   all are asked, and one that says false stops. A stop takes effect when all have been asked.
 *   insn             told when nobody stops: a trace shows no instruction that a debugger stops before
 *   page, data       true when one says so
 */
#ifndef BOARD_OBSERVER_H
#define BOARD_OBSERVER_H

#include "cpu/observer.h"

struct machine;

enum { MAX_OBSERVERS = 16 };
struct observers {
    struct observer seen; /* what the core looks at */
    struct observer each; /* the same, with `before` and `insn` apart */
    u32 wanting[HOOKS];   /* who wants a hook: a bit for each place of the list */
    u64 changes;          /* of the list, up to now */
    struct {
        const struct hooks *hooks; /* NULL: a free place */
        void *ctx;
        u32 wants;
        u64 since; /* which change attached it */
    } list[MAX_OBSERVERS];
};

/* From now on hooks are called with ctx, those of the set `wants` (WANT_*). Both stay where they are. Once more with
 * the same hooks and ctx: another set, nothing is called twice. At most MAX_OBSERVERS at a time. In a hook: it hears
 * from the next event on; but page and data can be added only while no PE executes an instruction, since what is
 * derived from their answers is dropped then. */
void observer_attach(struct machine *m, const struct hooks *hooks, void *ctx, u32 wants);
/* Nothing of it is called any more; in a hook, too, of this event neither. Nothing happens when it is not attached. */
void observer_detach(struct machine *m, const struct hooks *hooks, const void *ctx);
/* An observer's page or data has another answer for some address: what is derived is dropped. While no PE executes an
 * instruction. */
void observer_answers_changed(struct machine *m);

#endif
