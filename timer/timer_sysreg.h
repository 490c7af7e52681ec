/*
 * The hooks that the rows of timer/timer_sysreg.def name: for the file that builds the register table, and for tests.
 */
#ifndef TIMER_TIMER_SYSREG_H
#define TIMER_TIMER_SYSREG_H

#include "lib/base.h"

struct cpu;
struct sysreg;
typedef u64 timer_sysreg_read(struct cpu *cpu, const struct sysreg *row);
typedef void timer_sysreg_write(struct cpu *cpu, const struct sysreg *row, u64 value);
typedef bool timer_sysreg_check(struct cpu *cpu, const struct sysreg *row, bool write);

timer_sysreg_read cntpct_read, cntvct_read, timer_ctl_read, timer_cval_read, timer_tval_read;
timer_sysreg_write cntfrq_write, cntkctl_write, cnthctl_write, cntvoff_write, cntpoff_write, timer_ctl_write,
    timer_cval_write, timer_tval_write;
timer_sysreg_check cntfrq_check, cntps_check;

#endif
