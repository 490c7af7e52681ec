/* The hooks that rows of system registers name, of whatever folder, and the constants of the rows of the PE. */
#ifndef CPU_SYSREG_HOOKS_H
#define CPU_SYSREG_HOOKS_H

#include "cpu/sysreg/sysreg.h"

/* u64 .read, void .write, bool .check and u128 .groups of struct sysreg, as the rows name them. */
#define READS(name)  u64 name(struct cpu *cpu, const struct sysreg *row);
#define WRITES(name) void name(struct cpu *cpu, const struct sysreg *row, u64 value);
#define CHECKS(name) bool name(struct cpu *cpu, const struct sysreg *row, bool write);
#define GROUPS(name) u128 name(const struct cpu *cpu, const struct sysreg *row);
#include "cpu/sysreg/sysreg_all.def"

/* RES1 bits are what the register holds where no bit can be written (which ones can: cpu/field.def). */
#define SCTLR1_RES1    0x30d00980ull /* EL1, and EL2 with E2H; SPAN too, which FEAT_PAN makes writable */
#define SCTLR3_RES1    0x30c50830ull /* EL3, and EL2 without E2H */
#define CPTR2_RES1     0x33ffull
#define TCR3_RES1      0x80800000ull
#define PMU_COUNTERS   6ull
#define PMU_MASK       (BIT(31) | (BIT(PMU_COUNTERS) - 1))

#endif
