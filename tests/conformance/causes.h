/*
 * Every exception says what caused it (struct cause). Is that true? Mending just that (the control bit, the descriptor,
 * the alignment check) in the start state must make the exception go away, or have another cause.
 */
#ifndef TESTS_CONFORMANCE_CAUSES_H
#define TESTS_CONFORMANCE_CAUSES_H

#include "cpu/exception.h"

/* The eight bytes at a physical address that a descriptor was read from. */
typedef u8 *causes_bytes(void *memory, u64 pa);

/* The physical address of the descriptor that a cause names (of stage 1 under stage 2 it names the IPA), in the state
 * before the exception. 0: it names none. */
u64 causes_descriptor(const struct cpu *cpu, const struct exc *exc);
/* Mends in `cpu`, a state as it was before the exception `exc`, what its cause names. False: a cause that no single
 * control or descriptor stands for (an instruction that is one, an address out of range...). try: the attempt, from 0;
 * a descriptor may be big-endian, and is mended that way at the second. */
bool causes_mend(struct cpu *cpu, const struct exc *exc, causes_bytes *bytes, void *memory, unsigned try);
/* May the exception after the mending stand beside the first? Not when its cause is the same. */
bool causes_differ(const struct exc *before, bool raised, const struct exc *after);

#endif
