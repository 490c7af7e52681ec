/* WFI, WFE, WFIT, WFET (cpu/ops/wait.c). */
#ifndef CPU_WAIT_H
#define CPU_WAIT_H

#include "cpu/state.h"

/* As ISS.TI has them. */
enum wait_kind { WAIT_WFI, WAIT_WFE, WAIT_WFIT, WAIT_WFET, WAIT_TIMED = 2 };
enum wait_outcome {
    WAIT_DONE,    /* on to the next instruction, perhaps asleep (cpu->halted) */
    WAIT_TRAPPED, /* cpu->d.exc is filled */
    WAIT_AGAIN    /* asleep; the instruction is to be executed again */
};
/* threshold: of the virtual counter, for the timed ones; iss: CV, COND and what the syndrome says of the register. */
enum wait_outcome wait_here(struct cpu *cpu, enum wait_kind kind, u64 threshold, u32 iss);

/* A WFE that finds the event register set does not wait. It ends the turn all the same where another PE could run,
 * which may be the one that it waits for. */
static inline void wait_passes(struct cpu *cpu)
{
    cpu->event = 0;
    cpu->trap_at = 0;
    cpu->d.attention |= cpu->yields;
}

#endif
