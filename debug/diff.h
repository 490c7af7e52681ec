/*
 * Two machines side by side: by what their states differ, and at which instruction their runs part.
 */
#ifndef DEBUG_DIFF_H
#define DEBUG_DIFF_H

#include "board/machine.h"
#include "debug/symbols.h"
#include "debug/trace/trace_out.h"

struct diff_count {
    u64 registers, words, devices;
};

/* Names every register and memory word (8 bytes) that differs; at most `limit` words and registers are written, all are
 * counted. symbols name memory by physical address; may be NULL. */
struct diff_count diff_states(struct machine *a, struct machine *b, const struct symbols *symbols, struct out *o,
                              u64 limit);

enum diff_end {
    DIFF_SAME,   /* both ended, or reached the limit, alike (in what they executed, when they began differently) */
    DIFF_PARTED, /* the next instruction makes them differ */
    DIFF_FAILED  /* the host would not fork */
};
/* Runs both up to `limit` instructions. When they part, both stand before the first instruction that does it. Works
 * with processes: the one that returns need not be the one that called, whose exit then waits for it. No other thread
 * may run. */
enum diff_end diff_runs(struct machine *a, struct machine *b, u64 limit);
/* What a machine is about to execute: vCPU, EL, address, name, instruction. */
void diff_next(struct machine *m, const struct symbols *symbols, struct out *o);

#endif
