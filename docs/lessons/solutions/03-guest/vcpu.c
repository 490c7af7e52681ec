/* A guest's CPU at reset. */
#include "vcpu.h"

#define SCTLR_EL1_RESET 0x30d50800      /* MMU and caches off; RES1 bits */

void vcpu_init(struct vcpu *v, u64 entry)
{
    *v = (struct vcpu){ .pc = entry, .pstate = 0x3c5 }; /* EL1h, D, A, I, F */
    write_sysreg(hcr_el2, HCR_RW | HCR_TWI | HCR_TSC);
    write_sysreg(sctlr_el1, SCTLR_EL1_RESET);
    write_sysreg(vpidr_el2, read_sysreg(midr_el1));
    write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
    write_sysreg(cptr_el2, 0x33ff); /* RES1 bits: FP does not trap */
    write_sysreg(cntvoff_el2, 0);
    isb();
}
