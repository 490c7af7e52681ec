/*
 * What earlier walks found out about tables (see mmu/memo.h). Regimes are interned, so that an entry names one by a
 * number that is never used again; entries lie at one place each, the newest wins.
 */
#include "mmu/memo.h"

#include <stdlib.h>

#include "mmu/permission.h"

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
    unsigned low = (unsigned)((3 - at->level) * (table->grain - 3) + table->grain);
    e->number = number;
    e->key = key;
    e->at = *at;
    e->table = *table;
    e->low = low;
    e->index = at->top > low ? ones(at->top - low) : 0;
    e->page = ones(table->grain);
    memset(e->leaf.known, 0, sizeof(e->leaf.known));
    e->count = end - first;
    memcpy(e->check, trace->check + first, e->count * sizeof(e->check[0]));
}

/* ---- walks that need not be made ---- */

/* The descriptor for `input` of a valid entry, and its address before stage 2. */
static inline u64 last_descriptor(const struct memo_entry *e, u64 input, u64 *address)
{
    *address = e->at.base | (input >> e->low & e->index) << 3;
    u64 desc = load_le64(e->at.table + (*address & e->page));
    return unlikely(e->table.ee) ? __builtin_bswap64(desc) : desc;
}

/* Does it mean what it meant in a translation of this level? Then *out is the output address. */
static inline bool same_leaf(const struct memo_entry *e, u64 desc, u64 input, s8 level, u64 within, u64 meaning,
                             u64 *out)
{
    *out = (desc & ones(48) & ~within) | (input & within);
    return level == e->at.level && memo_meaning(desc, within) == meaning && !(*out >> e->table.output_size);
}

/* The translation fault of stage 2 by an invalid descriptor, after stage 1 left its result in *out. */
static void stage2_invalid(const struct regime_desc *r, const struct walk_access *a, const struct memo_entry *e,
                           u64 ipa, u64 address, u64 desc, struct translation *out)
{
    out->fault = (struct fault){ .kind = FAULT_TRANSLATION,
                                 .rule = RULE_INVALID,
                                 .level = e->at.level,
                                 .fsc = fault_fsc(FAULT_TRANSLATION, e->at.level),
                                 .wnr = a->cm || (a->write && !a->read),
                                 .cm = a->cm,
                                 .fetch = a->fetch,
                                 .regime = r->regime,
                                 .stage2 = 1,
                                 .ns_ipa = e->table.ns_ipa,
                                 .desc_stage = 2,
                                 .ipa = ipa,
                                 .desc_addr = address,
                                 .desc = desc };
}

bool memo_walk(const struct regime_desc *r, u64 va, const struct walk_access *a, struct translation *out)
{
    u64 key = memo_key(va, table_addr_top(r, va, a->fetch) == 63);
    const struct memo_entry *e = memo_slot(r->memo, r->number, 1, key);
    const struct memo_leaf *m = &e->leaf;
    u64 address, ipa, pa, desc;
    if (!m->known[0] || m->fetch != a->fetch || !memo_valid(e, r->number, key) || (e->table.e0pd && a->el0) ||
        !permission_sure(a, m->t[0].perm))
        return false;
    desc = last_descriptor(e, va, &address);
    if (!same_leaf(e, desc, va, m->t[0].level1, m->within[0], m->meaning[0], &ipa))
        return false;
    if (!r->has_s2 || !r->stage2) {
        *out = m->t[0];
        out->ipa = out->pa = ipa;
        out->ok = true;
        return true;
    }
    key = memo_key(ipa, m->t[0].ns);
    e = memo_slot(r->memo, r->number, 2, key);
    if (!memo_valid(e, r->number, key))
        return false;
    desc = last_descriptor(e, ipa, &address);
    if (!(desc & 1)) {
        *out = m->t[0];
        out->ipa = out->pa = ipa;
        stage2_invalid(r, a, e, ipa, address, desc, out);
        return true;
    }
    if (!m->known[1] || !same_leaf(e, desc, ipa, m->t[1].level2, m->within[1], m->meaning[1], &pa) ||
        !permission_sure(a, m->t[1].perm))
        return false;
    *out = m->t[1];
    out->ipa = ipa;
    out->pa = pa;
    return true;
}
