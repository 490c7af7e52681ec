/* What is different for a host at EL2. */
#include "vhe.h"

#define SCTLR_EL1_RESET 0x30d50800      /* MMU and caches off; RES1 bits */

void vhe_on(void)
{
    write_sysreg(hcr_el2, HCR_E2H | HCR_TGE | HCR_RW);
    isb();
    write_sysreg(cpacr_el1, 3ul << 20); /* that is CPTR_EL2, which has CPACR_EL1's layout now: FP does not trap */
    isb();
}

void guest_init(struct vcpu *v, u64 entry)
{
    *v = (struct vcpu){ .pc = entry, .pstate = 0x3c5 }; /* EL1h, D, A, I, F */
    write_sysreg(SCTLR_EL12, SCTLR_EL1_RESET);
    write_sysreg(CPACR_EL12, 3ul << 20);
    write_sysreg(vpidr_el2, read_sysreg(midr_el1));
    write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
    write_sysreg(cntvoff_el2, 0);
    isb();
}

void guest_world(void)
{
    write_sysreg(hcr_el2, HCR_E2H | HCR_RW | HCR_VM | HCR_TWI | HCR_TSC);
    isb();
}

void host_world(void)
{
    write_sysreg(hcr_el2, HCR_E2H | HCR_TGE | HCR_RW);
    isb();
}
