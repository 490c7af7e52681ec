/*
 * The performance monitors (cpu/sysreg/pmu.c) as exceptions, the machine and the register table see them. While no
 * counter depends on the EL (d.pmu_hot is 0), exceptions have nothing to do with them.
 */
#ifndef CPU_PMU_H
#define CPU_PMU_H

#include "cpu/field.h"
#include "cpu/state.h"
#include "cpu/sysreg/sysreg.h"

/* Adds what passed to the counters, which is where their value is in one canonical form: it changes nothing that a
 * guest could see. d.now, d.run_from and insns must fit together. */
void pmu_settle(struct cpu *cpu);
/* A register that controls counting changed (pmu_settle having been called before, where the past counts as it did). */
void pmu_changed(struct cpu *cpu);
/* Is any counter enabled, or was one when the sets of counters were found? Else there is nothing to change. */
static inline bool pmu_in_use(const struct cpu *cpu)
{
    return bit(cpu->sys.pmcr_el0, PMCR_E) || bit(cpu->sys.mdcr_el2, MDCR_HPME) || cpu->pmu_counting || cpu->d.pmu_hot;
}
/* While d.pmu_hot: an exception is about to be taken at d.now, whose instruction was executed (SVC, or an interrupt
 * between two) or not; ERET is about to return; the EL changed. */
void pmu_exception(struct cpu *cpu, bool executed);
void pmu_exception_return(struct cpu *cpu);
/* While d.pmu_hot: the attempt that ends at d.now did not finish its instruction (cpu_unfinished). */
void pmu_unfinished(struct cpu *cpu);
void pmu_el_changed(struct cpu *cpu);
/* For the machine: what overflowed raises its interrupt; and how many ns of this PE's own time until it must look
 * again, ~0: never. */
void pmu_update(struct cpu *cpu);
u64 pmu_next_overflow(const struct cpu *cpu);

#endif
