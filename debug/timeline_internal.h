/* Between timeline.c, which writes down, and timeline_query.c, which answers. */
#ifndef DEBUG_TIMELINE_INTERNAL_H
#define DEBUG_TIMELINE_INTERNAL_H

#include "debug/timeline.h"

enum {
    BLOCK_EVENTS = 4096,
    BLOCKS = 256, /* of events, 12 MiB in all */
    KIND_BITS = 12,
    KINDS = 1 << KIND_BITS,
    SITE_BITS = 16,
    SITES = 1 << SITE_BITS, /* 2 MiB */
    STRETCHES = 1 << 14,    /* of all PEs, 3.5 MiB */
    STRETCHES_LEAST = 128,  /* of a PE */
    FIRST_SHIFT = 12,       /* a stretch is 4096 instructions at first: what is finer, events tell */
    DEPTH = 16,             /* handlers within handlers */
    OWN_ALL = 0xffffffff,
    CPU_BITS = 9,
    INDEX_BITS = 20,
    NO_SITE = 1 << (INDEX_BITS - 1), /* in an index: of a kind, not of a site */
    VALUES = sizeof(struct timeline_share) / 8 - 1, /* that add up: all but `kinds` */
};
static_assert(MAX_CPUS <= 1 << CPU_BITS, "an event names its PE");
static_assert(SITES <= NO_SITE && KINDS <= NO_SITE, "an event names its site or kind");
static_assert(offsetof(struct timeline_share, kinds) == 8 * VALUES, "kinds come last");

/* What a PE is in: EL in <1:0>, and its VM's number from VM_SHIFT on. */
enum { STATE_EL = 3, STATE_SECURE = 4, STATE_ASLEEP = 8, STATE_OFF = 16, VM_SHIFT = 8 };

/* An exception as it can come again: where, and what the words say besides those of its kind. */
struct site {
    u64 pc, value;
    u32 iss, level;
    u16 kind, cause_id;
    u32 pad;
};
/* what: type, then PE, then (low) the site of an exception or the state after any other. own: instructions that the PE
 * did since its event before; OWN_ALL: all that were done. */
struct event {
    u32 at, own, what; /* at: from the block's base */
};
struct edge {
    u64 at; /* its last event */
    u32 state, pad;
};
struct block {
    u64 base; /* of positions */
    u32 count;
    struct edge *edge; /* of each PE where it begins */
    struct event event[BLOCK_EVENTS];
};

struct entry { /* a handler that runs */
    u64 own;
    u16 kind;
    u8 from_el, to_el;
};
struct pe {
    u64 at, own;            /* its last event: position, and instructions of its own */
    u64 summed, summed_own; /* up to where its stay has been added to the sums */
    u64 slept_from;         /* ns */
    u32 state, depth;
    struct entry entry[DEPTH];
    struct timeline_share *sum; /* NULL: it has done nothing yet */
};

struct timeline {
    struct machine *m;
    u64 from, kept, high;      /* it began there; each event is kept from there on; the furthest event or look */
    unsigned shift, stretches; /* log2 of a stretch's width; how many a PE has */
    unsigned vms;
    s32 vmid[TIMELINE_VMS];
    struct pe pe[MAX_CPUS];
    struct block *block[BLOCKS];
    unsigned first, blocks; /* a ring */
    unsigned kinds, sites, sites_room;
    struct timeline_kind kind[KINDS];
    u16 kind_hash[2 * KINDS]; /* number + 1 */
    struct site *site;
    u32 site_hash[2 * SITES]; /* likewise */
};

static inline struct block *block_get(const struct timeline *t, unsigned n)
{
    return t->block[(t->first + n) % BLOCKS];
}
static inline u32 what_make(enum timeline_type type, u32 cpu, u32 index)
{
    return (u32)type << (CPU_BITS + INDEX_BITS) | cpu << INDEX_BITS | index;
}
static inline enum timeline_type what_type(u32 what) { return (enum timeline_type)(what >> (CPU_BITS + INDEX_BITS)); }
static inline u32 what_cpu(u32 what) { return what >> INDEX_BITS & ((1 << CPU_BITS) - 1); }
static inline u32 what_index(u32 what) { return what & ((1 << INDEX_BITS) - 1); }
static inline u32 index_kind(const struct timeline *t, u32 index)
{
    return index & NO_SITE ? index & (NO_SITE - 1) : t->site[index].kind;
}
/* What follows an event; before: what was. */
u32 timeline_state_after(const struct timeline *t, u32 what, u32 before);
/* n instructions that a PE did evenly in [from, to), as state says, of which those in [at, end) are added. */
void timeline_share_add(struct timeline_share *s, u32 state, u64 n);
u64 timeline_part(u64 n, u64 from, u64 to, u64 at, u64 end);
/* An exception is counted. */
void timeline_share_count(struct timeline_share *s, const struct timeline_kind *k, u32 kind);
/* Adds what the PEs have done up to now. */
void timeline_settle(struct timeline *t);

#endif
