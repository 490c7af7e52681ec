/*
 * What earlier walks found out about tables (see mmu/memo.h). Regimes are interned, so that an entry names one by a
 * number that is never used again; entries lie at one place each, the newest wins.
 */
#include "mmu/memo.h"

#include <stdlib.h>

struct memo {
    u64 last;                                 /* number given */
    struct regime_desc regime[MEMO_REGIMES];  /* .number 0: empty */
    struct memo_entry entry[2][MEMO_ENTRIES]; /* by stage */
};

struct memo *memo_create(void) { return calloc(1, sizeof(struct memo)); }
void memo_destroy(struct memo *m) { free(m); }

static u32 regime_hash(const struct regime_desc *r)
{
    u64 h = r->ttbr[0] ^ r->ttbr[1] * 3 ^ r->vttbr * 5 ^ r->sctlr * 7 ^ (u64)r->regime << 60 ^ (u64)r->cpu << 52;
    return (u32)(h * 0x9e3779b97f4a7c15ull >> 40) % MEMO_REGIMES;
}

const struct regime_desc *memo_regime(struct memo *m, const struct regime_desc *r)
{
    struct regime_desc *known = &m->regime[regime_hash(r)];
    if (known->number && !memcmp(known, r, offsetof(struct regime_desc, memo)))
        return known;
    *known = *r;
    known->memo = m;
    known->number = ++m->last;
    return known;
}

const struct regime_desc *memo_regime_again(const struct memo *m, u32 slot, u64 number)
{
    const struct regime_desc *r = &m->regime[slot % MEMO_REGIMES];
    return r->number == number ? r : NULL;
}

u32 memo_regime_slot(const struct memo *m, const struct regime_desc *r) { return (u32)(r - m->regime); }

struct memo_entry *memo_slot(struct memo *m, u64 number, unsigned stage, u64 key)
{
    return &m->entry[stage - 1][(key ^ key >> 9 ^ number * 37) % MEMO_ENTRIES];
}

void memo_keep(struct memo_entry *e, u64 number, u64 key, const struct table *table, const struct memo_point *at,
               const struct memo_trace *trace, u32 first, u32 end)
{
    if (!at->table || end > MEMO_CHECKS || table->input_size < 21)
        return; /* of a smaller space a key would not say whether an address lies in it */
    e->number = number;
    e->key = key;
    e->at = *at;
    e->table = *table;
    memset(e->leaf.known, 0, sizeof(e->leaf.known));
    e->count = end - first;
    memcpy(e->check, trace->check + first, e->count * sizeof(e->check[0]));
}
