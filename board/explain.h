/* Hints for reports about a stuck guest. */
#ifndef BOARD_EXPLAIN_H
#define BOARD_EXPLAIN_H

#include "board/machine.h"

/* What may be behind the loop of exceptions that the PE is in (struct loop_watch), in sentences, each after "; ":
 * registers that were never written, semihosting that is off... "" when nothing is known. */
void explain_hints(const struct machine *m, const struct cpu *cpu, char *text, size_t size);

#endif
