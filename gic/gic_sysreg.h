/*
 * The hooks that the rows of gic/gic_sysreg.def name: for the file that builds the register table, and for tests.
 */
#ifndef GIC_GIC_SYSREG_H
#define GIC_GIC_SYSREG_H

#include "lib/base.h"

struct cpu;
struct sysreg;
typedef u64 gic_sysreg_read(struct cpu *cpu, const struct sysreg *row);
typedef void gic_sysreg_write(struct cpu *cpu, const struct sysreg *row, u64 value);
typedef bool gic_sysreg_check(struct cpu *cpu, const struct sysreg *row, bool write);

gic_sysreg_read icc_pmr_read, icc_iar_read, icc_nmiar_read, icc_hppir_read, icc_bpr_read, icc_apr_read, icc_rpr_read,
    icc_ctlr_read, icc_igrpen_read, icc_ctlr_el3_read, icc_igrpen1_el3_read;
gic_sysreg_write icc_pmr_write, icc_eoir_write, icc_bpr_write, icc_apr_write, icc_dir_write, icc_sgi_write,
    icc_ctlr_write, icc_sre_write, icc_igrpen_write, icc_ctlr_el3_write, icc_igrpen1_el3_write;
gic_sysreg_read ich_apr_read, ich_vtr_read, ich_misr_read, ich_eisr_read, ich_elrsr_read, ich_vmcr_read, ich_lr_read;
gic_sysreg_write ich_apr_write, ich_hcr_write, ich_vmcr_write, ich_lr_write;
gic_sysreg_check icc_sre_el2_check;

#endif
