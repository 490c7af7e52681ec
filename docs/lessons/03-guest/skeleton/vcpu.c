/* A guest's CPU at reset. */
#include "vcpu.h"

#define SCTLR_EL1_RESET 0x30d50800      /* MMU and caches off; RES1 bits */

void vcpu_init(struct vcpu *v, u64 entry)
{
    *v = (struct vcpu){ 0 };
    (void)entry;
    TODO(3, "v->pc; v->pstate: EL1h with D, A, I, F masked (M is 0b0101, the masks bits 9 to 6); "
            "HCR_EL2: RW, TWI, TSC; SCTLR_EL1; VPIDR_EL2 and VMPIDR_EL2 as MIDR_EL1 and "
            "MPIDR_EL1; CPTR_EL2 = 0x33ff; CNTVOFF_EL2 = 0; isb()");
}
