/* How an attempt that did not finish its instruction is known when the next one begins: by position and address. */
#include "cpu/ops/unfinished.h"

#include "cpu/sysreg/pmu.h"

void cpu_unfinished(struct cpu *cpu, u64 pc)
{
    cpu->d.unfinished_at = cpu_position(cpu);
    cpu->d.unfinished_pc = pc;
    cpu->d.raised = RAISED_UNFINISHED;
    if (unlikely(cpu->d.pmu_hot))
        pmu_unfinished(cpu);
}

bool cpu_is_inside(const struct cpu *cpu)
{
    return unlikely(cpu->d.unfinished_at) && cpu->d.unfinished_at == cpu_position(cpu) &&
           cpu->d.unfinished_pc == cpu->pc;
}
