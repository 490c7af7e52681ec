/* Hints for reports about a stuck guest. */
#ifndef BOARD_EXPLAIN_H
#define BOARD_EXPLAIN_H

#include "board/machine.h"

/* What may be behind the loop of exceptions that the PE is in (struct loop_watch), in sentences, each after "; ":
 * registers that were never written, semihosting that is off... "" when nothing is known. */
void explain_hints(const struct machine *m, const struct cpu *cpu, char *text, size_t size);

/* At which exception level the machine was entered, and what would make it another one: a sentence. */
const char *explain_entry(const struct machine *m);
/* Is the next instruction a branch to itself? */
bool explain_circles(const struct cpu *cpu);

#endif
