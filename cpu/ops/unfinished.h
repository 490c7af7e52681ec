/* An instruction that is not done when its attempt ends: a long memory copy, WFE that sleeps before it traps. */
#ifndef CPU_UNFINISHED_H
#define CPU_UNFINISHED_H

#include "cpu/state.h"

/* The attempt that ends now (d.now) did some of the instruction at pc, which starts again to do the rest. It took its
 * time, as one that faults does; but the instruction retires once (PMU), is one software step, and observers see it
 * once, however often it starts. */
void cpu_unfinished(struct cpu *cpu, u64 pc);
/* Is the instruction at cpu->pc next to go on where an attempt of it ended, with nothing in between? */
bool cpu_is_inside(const struct cpu *cpu);

#endif
