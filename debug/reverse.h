/*
 * Backwards: checkpoints of the machine in memory, and from each of them the same run again. What came from outside
 * (console input, network frames, waits for a person, disk contents, semihosting files) is logged, so that it comes
 * again at the same instruction.
 */
#ifndef DEBUG_REVERSE_H
#define DEBUG_REVERSE_H

#include "debug/debugger.h"

/* Begins: the machine as it is now is the earliest point. NULL: no memory. */
struct reverse *reverse_create(struct machine *m);
void reverse_destroy(struct reverse *r);
/* machine_run with checkpoints on the way. */
struct run_end reverse_run(struct reverse *r, u64 limit);
/* To the point after exactly `insns` instructions, earlier or later. False: it lies before the first checkpoint, or the
 * machine ended before. */
bool reverse_goto(struct reverse *r, struct stops *s, u64 insns);
/* How many instructions the run has at most for reverse_find. NEVER at first. */
void reverse_set_limit(struct reverse *r, u64 insns);
/* To the next stop of s, without the host's input, or back to the last one before now. False: there is none, or the
 * client wanted an end (reverse_broken); the machine is where it was. The hit is in s->pending. */
bool reverse_find(struct reverse *r, struct stops *s, u32 cpu, bool back);
/* Back to the last point before now at which a stop of s fits (insns: any instruction of that PE does). False: none;
 * the machine is at the earliest point. The hit is in s->pending. */
bool reverse_back(struct reverse *r, struct stops *s, u32 cpu, bool insns);
/* Asked once in a while on a long way: true ends it. */
void reverse_set_break(struct reverse *r, bool (*wanted)(void *ctx), void *ctx);
/* Did that end the last reverse_back (the machine is where it was) or reverse_goto (it is on the way)? */
bool reverse_broken(const struct reverse *r);
/* Someone changed the machine (registers, memory): what was ahead is no longer its future, and what lies before it led
 * elsewhere: checkpoints begin again here. */
void reverse_changed(struct reverse *r);
/* The earliest point that can be reached, and how far the machine has been. */
u64 reverse_first(const struct reverse *r);

#endif
