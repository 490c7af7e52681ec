/* Memory for host code: cpu/tier2/memory.c. */
#ifndef CPU_TIER2_MEMORY_H
#define CPU_TIER2_MEMORY_H

#include "lib/base.h"

/* 64 MiB in segments, which are taken in turn and given up whole: so what is oldest goes first. */
enum { CODE_MEMORY = 64 << 20, CODE_SEGMENT = 4 << 20 };

struct code_memory {
    u8 *write, *run; /* the same bytes, to be written and to be executed */
    u32 used;        /* in the segment that is being filled */
    u32 segment;     /* its number */
    u32 kept;        /* bytes at the start of the first one that are never given up */
    u32 let_go;      /* bytes of it whose pages the mapping for writing no longer has */
};

/* False: the host does not let us. `near`: an address that the code should be able to jump to in short. */
bool code_memory_create(struct code_memory *m, const void *near);
void code_memory_destroy(struct code_memory *m);
/* Where the next `size` bytes, at most CODE_SEGMENT, are to be written. *emptied: the segment was begun anew, and what
 * lay in it is gone once they are. */
u8 *code_memory_room(struct code_memory *m, u32 size, bool *emptied);
/* `size` bytes were written there: they can be executed at the address that is returned. */
u8 *code_memory_publish(struct code_memory *m, u32 size);
/* The same, for what stays: before any other. */
u8 *code_memory_keep(struct code_memory *m, u32 size);
/* Where a byte that lies at `written` is executed. */
static inline u8 *code_memory_run(const struct code_memory *m, const u8 *written)
{
    return m->run + (written - m->write);
}
static inline bool code_memory_owns(const struct code_memory *m, const void *code)
{
    return (u64)(uintptr_t)code - (u64)(uintptr_t)m->run < CODE_MEMORY;
}
/* Is that in the segment that is being filled? */
static inline bool code_memory_in_segment(const struct code_memory *m, const void *code)
{
    return (u64)(uintptr_t)code - (u64)(uintptr_t)m->run - (u64)m->segment * CODE_SEGMENT < CODE_SEGMENT;
}

#endif
