/* More than one of our own CPUs. */
#include "hypercall.h"
#include "vm.h"

char second_stack[16384] __attribute__((aligned(16)));

/* EL2's registers that are the same on each CPU. */
static u64 mair, tcr, ttbr0, sctlr, vtcr, vttbr;

void cpu_controls_note(void)
{
    mair = read_sysreg(mair_el2);
    tcr = read_sysreg(tcr_el2);
    ttbr0 = read_sysreg(ttbr0_el2);
    sctlr = read_sysreg(sctlr_el2);
    vtcr = read_sysreg(vtcr_el2);
    vttbr = read_sysreg(vttbr_el2);
}

void cpu_controls_use(void)
{
    write_sysreg(mair_el2, mair);
    write_sysreg(tcr_el2, tcr);
    write_sysreg(ttbr0_el2, ttbr0);
    write_sysreg(vtcr_el2, vtcr);
    write_sysreg(vttbr_el2, vttbr);
    isb();
    asm volatile("tlbi alle2\n tlbi alle1"
                 :
                 :
                 : "memory"); /* this CPU's TLB, which reset may have left full of anything */
    dsb();
    isb();
    write_sysreg(sctlr_el2, sctlr);
    isb();
}

bool cpu_start(unsigned number)
{
    register u64 x0 asm("x0") = PSCI_CPU_ON;
    register u64 x1 asm("x1") = number; /* MPIDR_EL1 of CPU n is n in its affinity fields, on this board */
    register u64 x2 asm("x2") = (u64)second_start;
    register u64 x3 asm("x3") = 0;
    dsb();
    asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    return x0 == PSCI_SUCCESS;
}
