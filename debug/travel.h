/*
 * Moving the machine along its run to what a hypervisor's reader looks for: changes of EL, exits, entries; forth or
 * back, at the same points in both directions: right after the exception was taken or the return was made. Under a
 * debugger that keeps the run (debug/reverse.h).
 */
#ifndef DEBUG_TRAVEL_H
#define DEBUG_TRAVEL_H

#include "debug/debugger.h"

enum travel_way { TRAVEL_FORTH, TRAVEL_BACK };

/* Each: true, and the machine stands there, d->cpu is the PE that it happened to, d->stops.pending says what. False:
 * error says why not; the machine is where it was, or at another stop that was set, which is in pending then. */

/* The selected PE's next change of EL. */
bool travel_el(struct debugger *d, enum travel_way way, char error[256]);
/* The next exit to EL2 from EL1 or EL0 of any PE, of this class (travel_class; ANY: all). */
bool travel_exit(struct debugger *d, enum travel_way way, s64 class, char error[256]);
/* The next return from EL2 to EL1 or EL0. */
bool travel_entry(struct debugger *d, enum travel_way way, char error[256]);
/* A point of any of these kinds (what, value, scope); it is removed again. */
bool travel_to(struct debugger *d, enum travel_way way, struct stop_point point, char error[256]);

/* A class of exceptions by number or name (hvc, dabt, wfx ...), irq, fiq, serror, any: what a stop's value is. */
bool travel_class(const char *word, s64 *value);
/* Where a PE is: EL, guest, pc with its symbol, position. One line. */
void travel_place(const struct debugger *d, u32 cpu, struct text *out);
/* What was found, what caused it, and the place. Lines. */
void travel_words(const struct debugger *d, struct text *out);

#endif
