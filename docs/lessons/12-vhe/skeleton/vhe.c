/* What is different for a host at EL2. */
#include "vhe.h"

#define SCTLR_EL1_RESET 0x30d50800      /* MMU and caches off; RES1 bits */

void vhe_on(void)
{
    TODO(1, "HCR_EL2: E2H, TGE, RW; ISB. Then CPTR_EL2 has CPACR_EL1's layout: FPEN (bits 21, 20) is "
            "3; ISB");
}

void guest_init(struct vcpu *v, u64 entry)
{
    *v = (struct vcpu){ .pc = entry, .pstate = 0x3c5 }; /* EL1h, D, A, I, F */
    TODO(2, "as vcpu_init of lesson 3; but the guest's SCTLR_EL1 and CPACR_EL1 (FPEN 3) are SCTLR_EL12 "
            "and CPACR_EL12 here");
}

void guest_world(void) { TODO(4, "HCR_EL2: E2H and RW; stage 2 on, WFI and SMC trap; no TGE. ISB"); }

void host_world(void) { TODO(3, "HCR_EL2: E2H, TGE, RW. ISB"); }
