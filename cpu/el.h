/*
 * Where a PE is: security state, whether EL2 is there, whose controls are in force (Arm ARM D1.2, D1.3; the predicates
 * of the shared pseudocode). Nearly all are in the header, because each is a bit or two and exceptions, traps and the
 * GIC ask them all the time.
 */
#ifndef CPU_EL_H
#define CPU_EL_H

#include "cpu/field.h"
#include "cpu/state.h"

/* IsSecureBelowEL3 */
static inline bool cpu_is_secure_below_el3(const struct cpu *cpu)
{
    return cpu_has(cpu, FEAT_EL3) && !bit(cpu->sys.scr_el3, SCR_NS);
}

/* IsSecure: EL3 or SCR_EL3.NS == 0 */
static inline bool cpu_is_secure(const struct cpu *cpu)
{
    return cpu_has(cpu, FEAT_EL3) && (cpu->ps.el == 3 || !bit(cpu->sys.scr_el3, SCR_NS));
}

/* EL2Enabled */
static inline bool cpu_el2_enabled(const struct cpu *cpu)
{
    if (!cpu_has(cpu, FEAT_EL2))
        return false;
    return !cpu_is_secure_below_el3(cpu) || (cpu_has(cpu, FEAT_SEL2) && bit(cpu->sys.scr_el3, SCR_EEL2));
}

/* Effective HCR_EL2: 0 (RW kept) while EL2 is not enabled. */
static inline u64 cpu_hcr(const struct cpu *cpu)
{
    u64 hcr = cpu_el2_enabled(cpu) ? cpu->sys.hcr_el2 : BIT(HCR_RW);
    return cpu_has(cpu, FEAT_VHE) ? hcr : hcr & ~BIT(HCR_E2H);
}

/* Effective HCRX_EL2: 0 while it, or EL2, is not enabled (IsHCRXEL2Enabled). */
static inline u64 cpu_hcrx(const struct cpu *cpu)
{
    bool enabled =
        cpu_has(cpu, FEAT_HCX) && cpu_el2_enabled(cpu) && (!cpu_has(cpu, FEAT_EL3) || bit(cpu->sys.scr_el3, SCR_HXEn));
    return enabled ? cpu->sys.hcrx_el2 : 0;
}

/* IsInHost: HCR_EL2.E2H and (EL2, or EL0 with TGE) */
static inline bool cpu_is_in_host(const struct cpu *cpu)
{
    u64 hcr = cpu_hcr(cpu);
    return bit(hcr, HCR_E2H) && (cpu->ps.el == 2 || (cpu->ps.el == 0 && bit(hcr, HCR_TGE)));
}

/* EffectiveHCR_EL2_NVx: HCR_EL2.{NV2,NV1,NV} where they are in force, else 0. */
enum { NVX_NV = 1, NVX_NV1 = 2, NVX_NV2 = 4 };
unsigned cpu_nested_bits(const struct cpu *cpu);
static inline unsigned cpu_nvx(const struct cpu *cpu)
{
    return unlikely(bit(cpu->sys.hcr_el2, HCR_NV)) ? cpu_nested_bits(cpu) : 0;
}

/* The bits of a VMID that count: 16 with FEAT_VMID16 and VTCR_EL2.VS, else 8. */
static inline u16 cpu_vmid_mask(const struct cpu *cpu)
{
    return cpu_has(cpu, FEAT_VMID16) && bit(cpu->sys.vtcr_el2, VTCR_VS) ? 0xffff : 0xff;
}

/* VTTBR_EL2.VMID, whether it is in use or not. */
static inline u16 cpu_vmid(const struct cpu *cpu)
{
    return (u16)FIELD_OF(cpu->sys.vttbr_el2, VTTBR_VMID) & cpu_vmid_mask(cpu);
}

/* The guest that runs: a VMID while stage 2 is on at EL1 or EL0, else NO_GUEST. */
enum { NO_GUEST = -1 };
static inline s32 cpu_guest(const struct cpu *cpu)
{
    u64 hcr = cpu->ps.el < 2 ? cpu_hcr(cpu) : 0; /* VM is 0 in it where there is no EL2 */
    return bit(hcr, HCR_VM) && !bit(hcr, HCR_TGE) ? cpu_vmid(cpu) : NO_GUEST;
}

/* SCTLR of the current translation regime. */
static inline u64 cpu_sctlr(const struct cpu *cpu)
{
    if (cpu->ps.el == 3)
        return cpu->sys.sctlr_el3;
    return cpu->ps.el == 2 || cpu_is_in_host(cpu) ? cpu->sys.sctlr_el2 : cpu->sys.sctlr_el1;
}

/* AArch64.BranchAddr: the address that a branch to va really goes to (tagged addresses, D8.9). */
u64 cpu_tagged_address(const struct cpu *cpu, u64 va);
static inline u64 cpu_branch_address(const struct cpu *cpu, u64 va)
{
    return likely(!(va >> 55)) ? va : cpu_tagged_address(cpu, va);
}

#endif
