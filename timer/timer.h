/*
 * The generic timers of a PE (Arm ARM D11): EL1 physical and virtual, EL2 physical and virtual in both security states,
 * EL3 (Secure physical), and the event streams. The count is the machine's time: 62.5 MHz, 16 ns a tick. The registers
 * are in cpu->sys.
 */
#ifndef TIMER_TIMER_H
#define TIMER_TIMER_H

#include "cpu/state.h"

enum { TIMER_TICK_NS = 16 };

/* Interrupts, as the virt board wires them and Arm's Base System Architecture recommends (PPI INTIDs). */
enum {
    TIMER_PPI_CNTHVS = 19,
    TIMER_PPI_CNTHPS = 20,
    TIMER_PPI_CNTHP = 26,
    TIMER_PPI_CNTV = 27,
    TIMER_PPI_CNTHV = 28,
    TIMER_PPI_CNTPS = 29,
    TIMER_PPI_CNTP = 30
};

/* What the registers don't hold: up to when the edges of the event streams have been seen (ns). */
struct pe_timers {
    u64 event_seen;
};
struct timers {
    struct pe_timers pe[MAX_CPUS]; /* those of PEs that are there are state */
};

/* One timer as a person wants to see it. */
struct timer_view {
    const char *name;   /* of its control register */
    const char *offset; /* the register that the count lags the machine's by; NULL: it does not */
    u64 ctl, cval;      /* its registers: CTL without ISTATUS */
    u64 count;          /* what it compares with cval now */
    u32 ppi;
    bool there; /* on this PE */
};
/* Timer number n of the PE at `now` (ns). False: there are not so many. */
bool timer_view(const struct cpu *cpu, unsigned n, u64 now, struct timer_view *v);

void timer_reset(struct timers *timers);

/* Absolute ns of the next moment at which an output of this PE changes, or, while it waits in WFE, at which an event
 * stream sets its event register; ~0 when nothing will. Always later than now. */
u64 timer_next_event(const struct cpu *cpu, u64 now);
/* Is an event stream switched on? */
bool timer_streams(const struct cpu *cpu);
/* The same of the outputs alone, of those whose PPIs (a set by INTID) are asked for. */
u64 timer_next_interrupt(const struct cpu *cpu, u64 now, u32 ppis);
/* Makes the outputs what they are at `now` (ns) and drives the PPIs; sets cpu->event when an event stream had an edge
 * since the last call, but of a PE in WFI, which does not ask for it. At least at each moment that timer_next_event
 * named; oftener does no harm. */
void timer_update(struct cpu *cpu, u64 now);
/* The edges of its event streams alone: when a PE leaves WFI. */
void timer_poll_events(struct cpu *cpu, u64 now);

#endif
