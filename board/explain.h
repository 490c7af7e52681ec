/* Words for syndromes (ESR_ELx, Arm ARM D19.2.37): for reports about a stuck guest. */
#ifndef BOARD_EXPLAIN_H
#define BOARD_EXPLAIN_H

#include "lib/base.h"

/* Exception class. Never NULL. */
const char *ec_name(unsigned ec);
/* For aborts: ", translation fault, level 1" and the like; else "". */
const char *fault_name(unsigned ec, u32 iss);

#endif
