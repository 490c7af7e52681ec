/*
 * The address translation instructions AT S1E0R .. S1E3A (Arm ARM C5.5, D8.15; AArch64.AT of the shared pseudocode).
 */
#ifndef MMU_AT_H
#define MMU_AT_H

#include "cpu/state.h"

enum at_op {
    AT_S1E0R, AT_S1E0W, AT_S1E1R, AT_S1E1W, AT_S1E2R, AT_S1E2W, AT_S1E3R, AT_S1E3W,
    AT_S12E0R, AT_S12E0W, AT_S12E1R, AT_S12E1W, AT_S1E1RP, AT_S1E1WP,
    AT_S1E1A, AT_S1E2A, AT_S1E3A,
    AT_OPS
};

/* Translates va and sets PAR_EL1. False: an exception is in cpu->d.exc (stage-2 fault on a stage 1 walk of an EL1 AT
 * S1E*, or an external abort). Traps and UNDEFINED are the caller's. */
bool at_translate(struct cpu *cpu, enum at_op op, u64 va);

#endif
