/* More than one of our own CPUs. */
#include "hypercall.h"
#include "vm.h"

char second_stack[16384] __attribute__((aligned(16)));

/* EL2's registers that are the same on each CPU. */
static u64 mair, tcr, ttbr0, sctlr, vtcr, vttbr;

void cpu_controls_note(void) { (void)mair, (void)tcr, (void)ttbr0, (void)sctlr, (void)vtcr, (void)vttbr; }

void cpu_controls_use(void)
{
    TODO(3, "the first CPU's values, noted by cpu_controls_note: SCTLR_EL2 last. Before it the "
            "TLB: ALLE2, ALLE1; DSB, ISB");
}

bool cpu_start(unsigned number)
{
    (void)number;
    TODO(1, "PSCI_CPU_ON by SMC: x1 is the CPU, x2 second_start, x3 0. DSB before it. True when "
            "x0 is PSCI_SUCCESS");
}
