/*
 * The second tier: host code for hot code (docs/design.md, Execution). A region is what direct branches reach within
 * one page of decoded code from a slot that was entered often; it is entered by that slot's handler, and leaves to any
 * slot's handler with all state in place, so that the interpreter can take over at any instruction. Derived state:
 * nothing of it is saved, hashed or seen by the guest.
 */
#ifndef CPU_TIER2_H
#define CPU_TIER2_H

#include "cpu/engine/code.h"

struct tier2;
struct tier2_config {
    u32 hot;    /* entries of a slot until it is compiled, 1 to 255; 0: no tier */
    bool count; /* instructions executed in regions are counted, at some cost: cpu->d.tier2_units */
};
enum { TIER2_HOT = 32 };

struct tier2_stats {
    u64 regions, instructions, bytes; /* compiled so far; bytes of host code */
    u64 declined;                     /* slots for which no region was worth it */
    u64 forgotten;                    /* pages whose regions a write ended */
    u64 evicted;                      /* times that old regions made room */
};

/* NULL: this host has no such tier, or does not let us have memory that can be executed (*why says which). */
struct tier2 *tier2_create(struct decoder *decoder, struct code_page *pages, u32 page_count,
                           const struct tier2_config *config, const char **why);
void tier2_destroy(struct tier2 *t);
const struct tier2_stats *tier2_stats(const struct tier2 *t);

/* Slot `slot` of a page was decoded, with ops[0] to ops[count - 1] from there on. */
void tier2_decoded(struct tier2 *t, struct code_page *page, unsigned slot, const struct op *ops, unsigned count);
/* Bytes of slots first to last are about to change. Before the slots themselves are forgotten. */
void tier2_written(struct tier2 *t, struct code_page *page, unsigned first, unsigned last);
/* The slot was entered often enough: makes a region of it, or gives the slot its handler back. */
void tier2_heat(struct tier2 *t, struct code_page *page, unsigned slot);
/* The handler that the interpreter has for a slot, whatever stands in its place. */
op_fn *tier2_plain(const struct tier2 *t, const struct code_page *page, unsigned slot);
/* Calls fn(cpu, left), which may run regions, and gives its caller's registers back. */
void tier2_call(const struct tier2 *t, struct cpu *cpu, u64 left, void (*fn)(struct cpu *cpu, u64 left));

#endif
