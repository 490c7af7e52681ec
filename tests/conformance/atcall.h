/*
 * AT in the vectors of v94 is no instruction that is executed but a call of the model's AArch64.AT (README-v94.md), and
 * its arguments are not what the vector's name and word say: these have the stage and the EL of the 14 instructions,
 * the calls were
 *     AT S1E{0,1,2,3}{R,W}, S1E1{R,W}P   stage 1 of EL1's regime (EL2&0 under HCR_EL2.{E2H,TGE}), with that access
 *     AT S12E{0,1}{R,W}                  stage 1 of EL2's regime, with that access
 * and PSTATE.EL of the former is a random byte. All 1236 such vectors agree when they are called that way. A file
 * without such a PSTATE.EL is by another generator: there AT is the instruction.
 */
#ifndef TESTS_CONFORMANCE_ATCALL_H
#define TESTS_CONFORMANCE_ATCALL_H

#include "cpu/state.h"

/* Is the word AT? */
bool atcall_is(u32 insn);
/* The EL of the call: 1 or 2. */
unsigned atcall_el(u32 insn);
/* Makes the call. */
void atcall_run(struct cpu *cpu, u32 insn);

#endif
