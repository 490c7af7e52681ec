/*
 * Branch target identification: what may be landed on, and the exception when it is not (Arm ARM D8.4.6;
 * SetBTypeCompatible, BTypeCompatible_BTI, BTypeCompatible_PACIXSP, AArch64.BranchTargetException).
 */
#include "cpu/ops/bti.h"

#include "cpu/exception.h"

bool bti_compatible(const struct cpu *cpu, u32 word)
{
    if ((word & 0xffffff3f) == 0xd503241f)
        return bti_accepts(word >> 6 & 3, cpu->ps.btype);
    if ((word & 0xffffffbf) == 0xd503233f) { /* PACIASP, PACIBSP: SCTLR_ELx.BT0 at EL0, BT1 and BT above */
        bool strict = bit(cpu_sctlr(cpu), cpu->ps.el ? 36 : 35);
        return cpu->ps.btype != BTYPE_JUMP || !strict;
    }
    u32 exception = word & 0xffe0001f;
    return exception == 0xd4200000 || exception == 0xd4400000; /* BRK, HLT */
}

void exc_branch_target(struct cpu *cpu)
{
    exc_sync(cpu, EC_BTI, cpu->ps.btype, exc_default_target(cpu), (struct cause){ .kind = CAUSE_INSTRUCTION });
}
