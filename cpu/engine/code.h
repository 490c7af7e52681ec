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
};

struct code;
struct code *code_create(struct phys *phys, struct decoder *decoder, struct cpu *cpus, unsigned cpu_count,
                         unsigned pages);
void code_destroy(struct code *c);
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
