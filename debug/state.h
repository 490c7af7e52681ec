/* The machine's state as bytes: what snapshots and checkpoints hold besides RAM (DESIGN section 3). */
#ifndef DEBUG_STATE_H
#define DEBUG_STATE_H

#include "board/machine.h"

/* Bytes of the state of this machine without RAM. */
u64 state_size(const struct machine *m);
void state_save(struct machine *m, u8 *to);
/* The counterpart; what is derived is made again. The bytes must come from state_save of a machine of the same make, or
 * have passed state_examine. */
void state_load(struct machine *m, const u8 *from);
/* NULL, or what is wrong with a state: every index is bounded. */
const char *state_check(const struct machine *m);
/* The same of the bytes of a state from outside, for a machine of the same make as m, before they are loaded. */
const char *state_examine(const struct machine *m, const u8 *from);
/* What the layout depends on, as a number: another build, another set of registers, another number. */
u64 state_layout(void);

#endif
