/* The predicates of cpu/el.h that are longer than a bit or two. */
#include "cpu/el.h"

unsigned cpu_nested_bits(const struct cpu *cpu)
{
    if (!cpu_has(cpu, FEAT_NV) || !cpu_el2_enabled(cpu))
        return 0;
    u64 hcr = cpu->sys.hcr_el2;
    return NVX_NV | (bit(hcr, HCR_NV1) ? NVX_NV1 : 0) | (bit(hcr, HCR_NV2) && cpu_has(cpu, FEAT_NV2) ? NVX_NV2 : 0);
}

u64 cpu_tagged_address(const struct cpu *cpu, u64 va)
{
    u64 top = va >> 55;
    bool high = bit(va, 55), two = cpu->ps.el <= 1 || (cpu->ps.el == 2 && bit(cpu->sys.hcr_el2, HCR_E2H));
    if (top == 0x1ff && two)
        return va;
    u64 tcr = cpu->ps.el == 3       ? cpu->sys.tcr_el3
              : cpu->ps.el == 2     ? cpu->sys.tcr_el2
              : cpu_is_in_host(cpu) ? cpu->sys.tcr_el2
                                    : cpu->sys.tcr_el1;
    bool tbi = two ? bit(tcr, high ? TCR_EL1_TBI1 : TCR_EL1_TBI0) : bit(tcr, TCR_EL3_TBI);
    /* FEAT_PAuth: data accesses only */
    bool tbid = two ? bit(tcr, high ? TCR_EL1_TBID1 : TCR_EL1_TBID0) : bit(tcr, TCR_EL3_TBID);
    if (!tbi || (tbid && cpu_has(cpu, FEAT_PAUTH)))
        return va;
    return two && high ? va | 0xffull << 56 : va & ones(56);
}
