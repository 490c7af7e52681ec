/*
 * Decoded code: one page of operations per physical page (address and security state), for each engine. A bounded pool,
 * shared by the PEs of a machine; the pages that PEs run from are never freed. Derived state: it can be dropped at any
 * moment between instructions.
 */
#ifndef CPU_CODE_H
#define CPU_CODE_H

#include "cpu/insn/decode.h"
#include "cpu/state.h"

enum { CODE_SLOTS = 1024 };

struct code_page {
    struct op op[CODE_SLOTS + 1]; /* the last is the page's end (thr_page_end, step_page_end) */
    u64 pa;
    const u8 *host; /* the bytes, NULL when each fetch goes to a device */
    u32 next_free, next_hash;
    u32 writes; /* since the last decode: data and code share the page, or it isn't code any more */
    u8 engine, ns, used;
    /* cpu/tier2/region.c, in pages of the threaded engine: */
    u8 regions;  /* slots lead to host code */
    u8 patience; /* how often a slot must be hot until it is compiled: grows with each write that ended regions */
    u64 seen[CODE_SLOTS / 64], leader[CODE_SLOTS / 64]; /* slots that were decoded; those that branches go to */
    u64 covered[CODE_SLOTS / 64];                       /* those that regions have taken in */
    u8 entries_left[CODE_SLOTS];                        /* of leaders, until they are hot */
    s32 plain[CODE_SLOTS];                              /* the interpreter's handlers of leaders and ways in */
};

/* The interpreter's handlers lie in one program, so that a distance from one of them names each. */
op_fn thr_decode;
static inline void code_page_plain_set(struct code_page *page, unsigned slot, op_fn *fn)
{
    page->plain[slot] = (s32)((s64)(uintptr_t)fn - (s64)(uintptr_t)thr_decode);
}
static inline op_fn *code_page_plain(const struct code_page *page, unsigned slot)
{
    return (op_fn *)(uintptr_t)((s64)(uintptr_t)thr_decode + page->plain[slot]);
}

struct code;
struct tier2;
struct tier2_config;
struct code *code_create(struct phys *phys, struct decoder *decoder, struct cpu *cpus, unsigned cpu_count,
                         unsigned pages);
void code_destroy(struct code *c);
/* Hot code becomes host code from now on. False: the host has no such tier (*why). */
bool code_tier2_begin(struct code *c, const struct tier2_config *config, const char **why);
/* NULL: none was begun. */
struct tier2 *code_tier2(struct code *c);
/* The handler that the interpreter has for a slot, whatever stands in its place. */
op_fn *code_plain(struct code *c, const struct code_page *page, unsigned slot);
/* The page at pa, decoded lazily; never NULL. */
struct code_page *code_page_get(struct code *c, u64 pa, bool ns, enum engine engine);
/* Decodes slot i of its page in place. False: the instruction could not be read (external abort). */
bool code_decode(struct code *c, struct code_page *page, struct op *i);
/* Bytes of RAM are about to change: forgets the slots over them. */
void code_written(void *code, u64 pa, unsigned size);
/* Forgets everything. */
void code_drop(struct code *c);
/* A page used for one instruction at a time where code may not be kept (Device memory). */
struct code_page *code_page_uncached(struct code *c, u64 pa, bool ns, enum engine engine);

#endif
