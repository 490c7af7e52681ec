/* Branch target identification (FEAT_BTI), Arm ARM D8.4.6. */
#ifndef CPU_BTI_H
#define CPU_BTI_H

#include "cpu/state.h"

/* PSTATE.BTYPE after an indirect branch. */
enum { BTYPE_NONE, BTYPE_PLAIN = 1, BTYPE_CALL = 2, BTYPE_JUMP = 3 };
/* BR, BRAA: by way of X16 or X17, or from a page that is not guarded, it may land on what a call may land on. */
static inline unsigned bti_jump_type(const struct cpu *cpu, bool x16_x17)
{
    return x16_x17 || !(cpu->fetch_attrs & FETCH_GUARDED) ? BTYPE_PLAIN : BTYPE_JUMP;
}
/* Does BTI with these targets (bit 0: c, bit 1: j) accept this type? */
static inline bool bti_accepts(unsigned targets, unsigned btype)
{
    return targets == 3 || (targets == 1 && btype != BTYPE_JUMP) || (targets == 2 && btype != BTYPE_CALL);
}
/* May an indirect branch of PSTATE.BTYPE land on this instruction in a guarded page? */
bool bti_compatible(const struct cpu *cpu, u32 word);
/* Fills cpu->d.exc with the Branch Target exception. */
void exc_branch_target(struct cpu *cpu);

#endif
