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
    daif_write, fpcr_write, fpsr_write, sctlr_el2_write, hcr_write, hcrx_write, scr_write, vncr_write, cptr_el2_write,
    tcr_el2_write, tcr2_write, disr_write, mdscr_write, debug_write, oslar_write, claimset_write, claimclr_write;
sysreg_write_fn fgt_write, allint_write;
sysreg_read_fn allint_read, rndr_read;
sysreg_check_fn secure_el2_check, sp_check, rvbar_check, lor_check, breakpoint_check, watchpoint_check;

extern const struct sysreg_bits sctlr1_bits[], sctlr3_bits[], tcr1_bits[], tcr3_bits[];

/* Bits that exist, by format. RES1 bits are what the register holds where no bit can be written. */
#define SCTLR1_MASK    0x070dd21full /* EL1, and EL2 with E2H. CP15BEN, ITD, SED: AArch32 only */
#define SCTLR1_RES1    0x30d00980ull /* SPAN too, which FEAT_PAN makes writable */
#define SCTLR3_MASK    0x0208100full /* EL3, and EL2 without E2H */
#define SCTLR3_RES1    0x30c50830ull
#define CPTR2_RES1     0x33ffull
#define TCR1_MASK      0x77ffffffbfull
#define TCR3_MASK      0x17ff3full
#define TCR3_RES1      0x80800000ull
#define TTBR_MASK      (~1ull) /* CnP is Armv8.2 */
#define DISR_MASK      0x81ffffffull /* A IDS ISS */
#define VBAR_MASK      (~0x7ffull)
#define HCR_MASK       0x35fff7fffull /* TID0, HCD (with EL3) RES0, RW RAO/WI */
#define PMU_COUNTERS   6ull
#define PMU_MASK       (BIT(31) | (BIT(PMU_COUNTERS) - 1))
#define PMEVTYPER_MASK 0xfc00ffffull

#endif
