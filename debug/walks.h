/*
 * A walk for those who look in: of the regime of a PE's EL, or of a guest that was seen, by the one walker (mmu/walk.h)
 * in its debug mode; every descriptor with what it says and which of its bits decide; what the TLB holds of the same
 * address.
 */
#ifndef DEBUG_WALKS_H
#define DEBUG_WALKS_H

#include "cpu/state.h"
#include "debug/debugger.h"

struct walks_question {
    u64 addr;
    u32 el;                        /* of the access; of a guest by its VMID 0 or 1 */
    s32 vmid;                      /* a guest that was seen; ANY: the PE as it is */
    bool stage1_only, stage2_only; /* only stage 2: addr is an IPA */
};
enum walks_right { WALKS_READ, WALKS_WRITE, WALKS_EXECUTE, WALKS_RIGHTS };
struct walks_answer {
    struct walks_question q;
    struct regime_desc regime;
    struct walk_record record;
    struct translation t;                   /* without a look at permissions */
    struct translation right[WALKS_RIGHTS]; /* for each kind of access at that EL */
    bool cached;
    struct tlb_entry tlb; /* what the PE's TLB holds of it */
};
/* False: said why, in a line. */
bool walks_ask(struct debugger *d, const struct walks_question *q, struct walks_answer *a, char error[256]);
/* The regime alone. */
bool walks_regime(struct debugger *d, u32 el, s32 vmid, struct regime_desc *r, char error[256]);
/* Does the TLB's entry lead to the same place with the same rights? */
bool walks_tlb_agrees(const struct walks_answer *a);

/* ---- one descriptor of it ---- */

enum walks_kind { WALKS_INVALID, WALKS_RESERVED, WALKS_TABLE, WALKS_BLOCK, WALKS_PAGE };
struct walks_entry {
    u8 kind;      /* enum walks_kind */
    u8 high, low; /* bits of the address that chose it in its table */
    u64 out;      /* where it leads: the next table, the block or page */
};
struct walks_entry walks_entry_of(const struct walks_answer *a, const struct walk_step *s);
/* Bits of the step's descriptor that made it fail (fault), or that decide where it leads and what it permits. */
u64 walks_decides(const struct walks_answer *a, const struct walk_step *s, const struct fault *fault);
/* Is it the descriptor that the fault is about? */
bool walks_is_fault(const struct walk_step *s, const struct fault *f);

/* "table at 0x..., XNTable", "page at 0x... rw AF=0 ..."; where it leads and `how` apart. */
void walks_entry_words(const struct walks_answer *a, const struct walk_step *s, struct text *out);
void walks_rights_words(const struct walks_answer *a, const struct walk_step *s, struct text *out);
/* "translation fault, stage 2 level 1: the descriptor is invalid ..., IPA 0x..., descriptor [0x...] = 0x..." */
void walks_fault_words(const struct fault *f, struct text *out);
const char *walks_kind_words(unsigned kind);
const char *walks_type_words(unsigned type); /* MEM_* */

#endif
