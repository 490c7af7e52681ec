/*
 * Nested virtualization: what EL1's accesses become (cpu/sysreg/vncr.def), and what EL1 is told of itself (FEAT_NV,
 * FEAT_NV2; Arm ARM D8.11; EffectiveHCR_EL2_NVx, NVMem and AArch64.TakeException of the shared pseudocode). What is
 * trapped is decided where it is executed: cpu/sysreg/sysreg.c, sysop.c, system_ops.h; the permissions of EL1's tables
 * under HCR_EL2.{NV,NV1} in mmu/permission.c.
 *
 * CONSTRAINED UNPREDICTABLE: NV1 and NV2 without NV count as 0.
 */
#include "cpu/sysreg/nested.h"

#include "cpu/field.h"
#include "cpu/sysreg/sysreg.h"

enum { ALWAYS = 1, IF_NV1 = 2, IF_NOT_NV1 = 4, IS_EL1 = 8, OR_TRAP = 16, PHYSICAL_TIMER = 32,
       VIRTUAL_TIMER = 64 };

struct vncr_row {
    u16 offset, when;
};

static struct vncr_row vncr_find(u32 key)
{
    switch (key) {
#define VNCR(offset, NAME, op0, op1, crn, crm, op2, WHEN)                                                              \
    case SYSREG_KEY(op0, op1, crn, crm, op2): return (struct vncr_row){ offset, WHEN };
#include "cpu/sysreg/vncr.def"
    default: return (struct vncr_row){ 0, 0 };
    }
}

unsigned nested_offset(u32 key) { return vncr_find(key).offset; }

struct nested_access nested_access(const struct cpu *cpu, u32 key)
{
    const u32 op1 = SYSREG_KEY(0, 7, 0, 0, 0);
    struct vncr_row row = vncr_find(key);
    unsigned nvx = cpu_nvx(cpu), when = ALWAYS | (nvx & NVX_NV1 ? IF_NV1 : IF_NOT_NV1);
    if (row.when & OR_TRAP && nvx == (NVX_NV | NVX_NV1))
        return (struct nested_access){ .kind = NESTED_TRAP_NV1 };
    if (!(nvx & NVX_NV2))
        return (struct nested_access){ .kind = NESTED_NO };
    if (row.when & IS_EL1)
        return (struct nested_access){ .kind = NESTED_REGISTER, .key = (u16)(key & ~op1) };
    if (row.when & when) {
        u8 timer = row.when & PHYSICAL_TIMER ? NESTED_PHYSICAL : row.when & VIRTUAL_TIMER ? NESTED_VIRTUAL : 0;
        return (struct nested_access){ .kind = NESTED_MEMORY, .offset = row.offset, .timer = timer };
    }
    return (struct nested_access){ .kind = NESTED_NO };
}

u64 nested_address(const struct cpu *cpu, unsigned offset) { return sext(cpu->sys.vncr_el2, 53) + offset; }

u64 nested_spsr(const struct cpu *cpu, u64 spsr)
{
    unsigned nvx = cpu_nvx(cpu);
    bool as_el2 = (nvx & (NVX_NV | NVX_NV1)) == NVX_NV || nvx == (NVX_NV | NVX_NV1 | NVX_NV2);
    return as_el2 ? bits_set(spsr, 3, 2, 2) : spsr;
}
