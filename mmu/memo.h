/*
 * What earlier walks found out about tables, so that a walk nearby need not start at the top.
 *
 * An entry stands for 2 MiB of the address space, which one table of the last level translates whatever the granule, in
 * one stage of one regime. It holds the point at which a walk there was about to read its last descriptor, and every
 * descriptor that led to that point, stage 2's for the tables of stage 1 included. A walk goes on from the point only
 * when all of them still have the values that they had: what a walk finds is a function of the regime and of the
 * descriptors' values, so that nothing here can be seen by a guest, needs maintenance, or is state. Kept are only
 * points that were reached without updating a descriptor and by tables in RAM. The map of physical memory must stay.
 * An entry of stage 1 also knows what the last descriptors meant (permissions, attributes): for the pages beside it,
 * whose descriptors differ in their addresses only.
 */
#ifndef MMU_MEMO_H
#define MMU_MEMO_H

#include "mmu/table.h"

enum { MEMO_ENTRIES = 256, MEMO_REGIMES = 64, MEMO_CHECKS = 24 };

/* A descriptor in RAM, as its bytes are. */
struct memo_check {
    const u8 *host;
    u64 value;
};

/* A point of a walk: a descriptor of the table at `base` comes next. */
struct memo_point {
    u64 base;        /* before stage 2 */
    const u8 *table; /* host address of the page that holds that descriptor; NULL: not known */
    s8 level;
    u8 top;                    /* the bits of input below this one are still to be translated */
    struct table_rights above; /* so far */
    u8 pad[2];
};

/* What last descriptors meant: for entries of stage 1. The translations' addresses are those of another page. */
struct memo_leaf {
    u64 meaning[2]; /* the descriptors but for their addresses, by stage */
    u64 within[2];  /* mask of an address in their blocks */
    u8 known[2], fetch, pad[5];
    struct translation t[2]; /* by stage 1 alone, and with the first also by stage 2 */
};

struct memo_entry {
    u64 number; /* of the regime; 0: empty */
    u64 key;    /* the part of the address space */
    struct memo_point at;
    struct table table;
    u64 index, page; /* masks: of an input, from bit `low` on, the descriptor's number; of an address, what lies in
                        `at.table` */
    u32 low, count;
    struct memo_check check[MEMO_CHECKS];
    struct memo_leaf leaf;
};

/* The key of an input address; `kind` tells apart what the address alone does not. */
static inline u64 memo_key(u64 input, bool kind) { return input >> 21 << 1 | kind; }

/* The descriptors of a walk under way; more than MEMO_CHECKS: there were too many, or one that is not RAM. */
struct memo_trace {
    u32 count;
    struct memo_check check[MEMO_CHECKS];
};

/* NULL when out of memory: then walks go without. */
struct memo *memo_create(void);
void memo_destroy(struct memo *m);

/* The description with its number and `m` in it, entered if it is new. It stays what it is until the next call. */
const struct regime_desc *memo_regime(struct memo *m, const struct regime_desc *r);
/* The same again, by its slot and number; NULL when others took its place. */
const struct regime_desc *memo_regime_again(const struct memo *m, u32 slot, u64 number);
u32 memo_regime_slot(const struct memo *m, const struct regime_desc *r);

/* Where an entry for this stage and part of the address space would be. */
struct memo_entry *memo_slot(struct memo *m, u64 number, unsigned stage, u64 key);
/* Enters a point with the checks of the trace from `first` up to `end`. */
void memo_keep(struct memo_entry *e, u64 number, u64 key, const struct table *table, const struct memo_point *at,
               const struct memo_trace *trace, u32 first, u32 end);

static inline bool memo_valid(const struct memo_entry *e, u64 number, u64 key)
{
    if (e->number != number || e->key != key)
        return false;
    for (const struct memo_check *c = e->check, *end = c + e->count; c < end; c++)
        if (load_le64(c->host) != c->value)
            return false;
    return true;
}

/* What a descriptor says but for its address; within: a mask as in struct memo_leaf. */
static inline u64 memo_meaning(u64 desc, u64 within) { return desc & (~ones(48) | within); }

/* A walk whose last descriptors mean what they meant the last time nearby, or where stage 2's is invalid. False: it is
 * to be made. */
bool memo_walk(const struct regime_desc *r, u64 va, const struct walk_access *a, struct translation *out);

#endif
