/* The hooks that the rows of cpu/sysreg/sysreg.def, idreg.def and debugreg.def name, and the masks of their bits. */
#ifndef CPU_SYSREG_HOOKS_H
#define CPU_SYSREG_HOOKS_H

#include "cpu/sysreg/sysreg.h"

typedef u64 sysreg_read_fn(struct cpu *cpu, const struct sysreg *row);
typedef void sysreg_write_fn(struct cpu *cpu, const struct sysreg *row, u64 value);
typedef bool sysreg_check_fn(struct cpu *cpu, const struct sysreg *row, bool write);

sysreg_read_fn tco_read, zero_read, sp_read, spsel_read, currentel_read, pan_read, uao_read, dit_read, ssbs_read,
    nzcv_read, daif_read, fpcr_read, fpsr_read, isr_read, disr_read, l2ctlr_read, midr_read, mpidr_read, ccsidr_read,
    dczid_read, claimset_read, dbgauthstatus_read;
sysreg_write_fn tco_write, ignore_write, sp_write, spsel_write, pan_write, uao_write, dit_write, ssbs_write, nzcv_write,
    daif_write, fpcr_write, fpsr_write, sctlr_el2_write, hcr_write, scr_write, vncr_write, cptr_el2_write,
    tcr_el2_write, tcr2_write, disr_write, mdscr_write, debug_write, oslar_write, claimset_write, claimclr_write;
sysreg_write_fn allint_write;
sysreg_read_fn allint_read, rndr_read;
sysreg_check_fn secure_el2_check, sp_check, rvbar_check, lor_check, breakpoint_check, watchpoint_check;

/* RES1 bits are what the register holds where no bit can be written (which ones can: cpu/field.def). */
#define SCTLR1_RES1    0x30d00980ull /* EL1, and EL2 with E2H; SPAN too, which FEAT_PAN makes writable */
#define SCTLR3_RES1    0x30c50830ull /* EL3, and EL2 without E2H */
#define CPTR2_RES1     0x33ffull
#define TCR3_RES1      0x80800000ull
#define PMU_COUNTERS   6ull
#define PMU_MASK       (BIT(31) | (BIT(PMU_COUNTERS) - 1))

#endif
