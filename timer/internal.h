/* What timer.c and timer_sysreg.c share. Not for others: they have timer.h. */
#ifndef TIMER_INTERNAL_H
#define TIMER_INTERNAL_H

#include "cpu/field.h"
#include "timer/timer.h"

enum timer { TIMER_CNTP, TIMER_CNTV, TIMER_CNTHP, TIMER_CNTHV, TIMER_CNTPS, TIMER_CNTHPS, TIMER_CNTHVS, TIMERS };
enum { CTL_ENABLE = 1, CTL_IMASK = 2, CTL_ISTATUS = 4 };

u64 *timer_ctl(struct cpu *cpu, enum timer t);
u64 *timer_cval(struct cpu *cpu, enum timer t);
/* The offset of the virtual counter: CNTVOFF_EL2, 0 without EL2. */
u64 timer_offset_of_virtual(const struct cpu *cpu);
/* The offset of the EL1 physical timer, and of the physical counter at EL1 and EL0. */
u64 timer_offset_of_physical(const struct cpu *cpu);
/* What the timer compares with its CompareValue. */
u64 timer_count(const struct cpu *cpu, enum timer t, u64 now);
/* ISTATUS; false while the timer is disabled. */
bool timer_condition(const struct cpu *cpu, enum timer t, u64 now);
/* ns of the next change of the output, ~0: none. */
u64 timer_next_change(const struct cpu *cpu, enum timer t, u64 now);
/* Sets the interrupt line to what it is now. */
void timer_drive(struct cpu *cpu, enum timer t, u64 now);

#endif
