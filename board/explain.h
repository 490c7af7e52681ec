/* Words for syndromes (ESR_ELx, Arm ARM D19.2.37): for reports about a stuck guest. */
#ifndef BOARD_EXPLAIN_H
#define BOARD_EXPLAIN_H

#include "board/machine.h"

/* Exception class. Never NULL. */
const char *ec_name(unsigned ec);
/* For aborts: ", translation fault, level 1" and the like; else "". */
const char *fault_name(unsigned ec, u32 iss);
/* Do exceptions of the class leave an address in FAR_ELx? */
bool fault_has_address(unsigned ec);
/* What may be behind the loop of exceptions that the PE is in (struct loop_watch), in sentences, each after "; ":
 * registers that were never written, semihosting that is off... "" when nothing is known. */
void explain_hints(const struct machine *m, const struct cpu *cpu, char *text, size_t size);

#endif
