/*
 * Nested virtualization: EL1 as a guest hypervisor that believes to be at EL2 (FEAT_NV, FEAT_NV2; Arm ARM D8.11,
 * HCR_EL2 in D19.2).
 */
#ifndef CPU_NESTED_H
#define CPU_NESTED_H

#include "cpu/exception.h"

/* What an access of EL1 to the register `key` becomes. offset: of the doubleword in VNCR_EL2's page. key: of the
 * register of EL1 that takes its place. */
struct nested_access {
    enum { NESTED_NO, NESTED_TRAP_NV1, NESTED_MEMORY, NESTED_REGISTER } kind;
    u16 offset, key;
    enum { NESTED_NO_TIMER, NESTED_PHYSICAL, NESTED_VIRTUAL } timer; /* which control of CNTHCTL_EL2 can trap it */
};
struct nested_access nested_access(const struct cpu *cpu, u32 key);
/* Offset in VNCR_EL2's page that some setting gives the register; 0: none. */
unsigned nested_offset(u32 key);
/* Address of that doubleword, in EL2's translation regime. */
u64 nested_address(const struct cpu *cpu, unsigned offset);

/* SPSR_EL1 of an exception from EL1 to EL1: a guest hypervisor is told that it was at EL2 (AArch64.TakeException). */
u64 nested_spsr(const struct cpu *cpu, u64 spsr);

#endif
