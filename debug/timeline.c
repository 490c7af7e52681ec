/*
 * Writing down what happens in the run: debug/timeline.h says what. Each event ends a stay of its PE, whose
 * instructions are added to the stretches that it lay in. When the run outgrows the stretches, each two become one.
 */
#include "debug/timeline_internal.h"

#include "board/observer.h"
#include "debug/stops.h"

#include <stdlib.h>

/* ---- sums ---- */

u64 timeline_part(u64 n, u64 from, u64 to, u64 at, u64 end)
{
    at = at < from ? from : at;
    end = end > to ? to : end;
    if (at >= end)
        return 0;
    if (at == from && end == to)
        return n;
    u64 span = to - from; /* differences of a running sum, so that parts add up to n */
    return (u64)((u128)n * (end - from) / span) - (u64)((u128)n * (at - from) / span);
}

void timeline_share_add(struct timeline_share *s, u32 state, u64 n)
{
    unsigned el = state & STATE_EL;
    s->el[el] += n;
    s->vm[el < 2 ? state >> VM_SHIFT : 0] += n;
    s->secure += state & STATE_SECURE ? n : 0;
}

void timeline_share_count(struct timeline_share *s, const struct timeline_kind *k, u32 kind)
{
    s->exits += timeline_is_exit(k);
    s->interrupts += k->key.kind != EXC_SYNC;
    s->exceptions++;
    s->kinds |= BIT(kind < 63 ? kind : 63);
}

static void sums_merge(struct timeline *t)
{
    const unsigned half = t->stretches / 2;
    for (u32 n = 0; n < t->m->options.cpu_count; n++) {
        struct timeline_share *s = t->pe[n].sum;
        for (unsigned k = 0; s && k < half; k++) {
            struct timeline_share one = s[2 * k];
            for (unsigned v = 0; v < VALUES; v++)
                ((u64 *)&one)[v] += ((const u64 *)&s[2 * k + 1])[v];
            one.kinds |= s[2 * k + 1].kinds;
            s[k] = one;
        }
        if (s)
            memset(&s[half], 0, sizeof(*s) * half);
    }
    t->shift++;
}

/* The stretch that a position lies in; NULL: no memory. */
static struct timeline_share *sum_at(struct timeline *t, struct pe *p, u64 at)
{
    while (unlikely((at - t->from) >> t->shift >= t->stretches))
        sums_merge(t);
    if (unlikely(!p->sum))
        p->sum = calloc(t->stretches, sizeof(*p->sum));
    return p->sum ? &p->sum[(at - t->from) >> t->shift] : NULL;
}

/* A stay that lies in several stretches. */
static NOINLINE void stay_spread(struct timeline *t, struct pe *p, u64 to, u64 n)
{
    const u64 from = p->summed;
    if (!sum_at(t, p, to))
        return;
    for (u64 at = from, end; at < to; at = end) {
        end = t->from + ((((at - t->from) >> t->shift) + 1) << t->shift);
        end = end < to ? end : to;
        timeline_share_add(sum_at(t, p, at), p->state, timeline_part(n, from, to, at, end));
    }
}

/* The PE was in the same state up to here. */
static inline void stay_sum(struct timeline *t, struct pe *p, u64 at, u64 own)
{
    const u64 n = own - p->summed_own;
    if (n && (p->summed - t->from) >> t->shift == (at - t->from) >> t->shift) {
        struct timeline_share *s = sum_at(t, p, at);
        if (likely(s))
            timeline_share_add(s, p->state, n);
    } else if (n)
        stay_spread(t, p, at, n);
    p->summed = at;
    p->summed_own = own;
    t->high = at;
}

void timeline_settle(struct timeline *t)
{
    const u64 at = stops_position(t->m);
    for (u32 n = 0; at >= t->high && n < t->m->options.cpu_count; n++) {
        const u64 own = cpu_position(&t->m->d.cpu[n]);
        if (own >= t->pe[n].summed_own && own - t->pe[n].summed_own <= at - t->pe[n].summed)
            stay_sum(t, &t->pe[n], at, own);
    }
}

/* ---- events ---- */

static struct block *block_new(struct timeline *t, u64 at)
{
    struct block *b = NULL;
    if (t->blocks == BLOCKS) { /* the oldest is given up; others at that position may have been in it */
        b = t->block[t->first];
        t->first = (t->first + 1) % BLOCKS;
        t->blocks--;
        t->kept = block_get(t, 0)->base + 1;
    } else if ((b = calloc(1, sizeof(*b))) && !(b->edge = calloc(t->m->options.cpu_count, sizeof(*b->edge)))) {
        free(b);
        b = NULL;
    }
    if (!b) {
        t->kept = at + 1;
        return NULL;
    }
    b->base = at;
    b->count = 0;
    for (u32 n = 0; n < t->m->options.cpu_count; n++)
        b->edge[n] = (struct edge){ .at = t->pe[n].at, .state = t->pe[n].state };
    t->block[(t->first + t->blocks++) % BLOCKS] = b;
    return b;
}

/* An event that ends a stay; with no memory for it only the sums have it. */
static inline void event_put(struct timeline *t, struct pe *p, u64 at, u64 own, u32 what)
{
    struct block *b = t->blocks ? block_get(t, t->blocks - 1) : NULL;
    const u64 since = own - p->own;
    if (unlikely(!b || b->count == BLOCK_EVENTS || at - b->base > 0xffffffff))
        b = block_new(t, at);
    if (likely(b))
        b->event[b->count++] =
            (struct event){ .at = (u32)(at - b->base), .own = since < OWN_ALL ? (u32)since : OWN_ALL, .what = what };
    stay_sum(t, p, at, own);
    p->at = at;
    p->own = own;
}

/* Was this event written down when the machine came here first? One at the same position comes but once. */
static NOINLINE bool is_known(const struct timeline *t, u64 at, u32 what)
{
    for (unsigned n = t->blocks; n-- > 0;) {
        const struct block *b = block_get(t, n);
        for (u32 k = b->count; k-- > 0;) {
            if (b->base + b->event[k].at < at)
                return false;
            if (b->event[k].what == what)
                return true;
        }
    }
    return false;
}
/* Is it new? */
static inline bool is_new(const struct timeline *t, u64 at, u32 what)
{
    return likely(at > t->high) || (at == t->high && !is_known(t, at, what));
}

/* ---- kinds and sites ---- */

static inline u64 mix(u64 h, u64 value) { return (h ^ value) * 0x9e3779b97f4a7c15ull; }

static NOINLINE unsigned kind_new(struct timeline *t, const struct timeline_kind_key *key, u16 *slot, u64 at)
{
    if (t->kinds == KINDS)
        return KINDS - 1;
    *slot = (u16)(t->kinds + 1);
    t->kind[t->kinds] = (struct timeline_kind){ .key = *key, .first = at };
    return t->kinds++;
}

static unsigned kind_of(struct timeline *t, const struct timeline_kind_key *key, u64 at)
{
    u64 a, b;
    u32 c;
    static_assert(sizeof(*key) == 20, "it is hashed whole");
    memcpy(&a, key, 8);
    memcpy(&b, (const u8 *)key + 8, 8);
    memcpy(&c, (const u8 *)key + 16, 4);
    u64 h = mix(mix(mix(1, a), b), c);
    for (u64 n = h >> 40;; n++) {
        u16 *slot = &t->kind_hash[n % (2 * KINDS)];
        if (unlikely(!*slot))
            return kind_new(t, key, slot, at);
        if (likely(!memcmp(&t->kind[*slot - 1].key, key, sizeof(*key))))
            return *slot - 1u;
    }
}

static NOINLINE u32 site_new(struct timeline *t, const struct site *s, u32 *slot)
{
    if (t->sites == SITES)
        return NO_SITE | s->kind;
    if (t->sites == t->sites_room) {
        unsigned room = t->sites_room ? 2 * t->sites_room : 256;
        struct site *more = realloc(t->site, room * sizeof(*more));
        if (!more)
            return NO_SITE | s->kind;
        t->site = more;
        t->sites_room = room;
    }
    *slot = t->sites + 1;
    t->site[t->sites] = *s;
    return t->sites++;
}

static u32 site_of(struct timeline *t, const struct site *s)
{
    u64 h = mix(mix(mix(s->pc, s->value) >> 7, (u64)s->iss << 32 | s->level), (u64)s->kind << 16 | s->cause_id);
    for (u64 n = h >> 40;; n++) {
        u32 *slot = &t->site_hash[n % (2 * SITES)];
        if (unlikely(!*slot))
            return site_new(t, s, slot);
        if (likely(!memcmp(&t->site[*slot - 1], s, sizeof(*s))))
            return *slot - 1;
    }
}

static struct timeline_kind_key kind_key_of(const struct timeline *t, const struct cpu *cpu, const struct exc *e)
{
    const bool sync = e->kind == EXC_SYNC, trap = e->cause.kind == CAUSE_TRAP;
    struct timeline_kind_key key = { .vmid = cpu_guest(cpu),
                                     .intid = -1,
                                     .from_el = cpu->ps.el,
                                     .to_el = e->target_el,
                                     .kind = e->kind,
                                     .ec = sync ? e->ec : 0,
                                     .is_virtual = e->is_virtual,
                                     .cause_kind = trap || !sync ? e->cause.kind : CAUSE_NONE,
                                     .cause_id = trap ? e->cause.id : 0,
                                     .stage2 = e->has_hpfar,
                                     .fsc = sync && ec_is_abort(e->ec) ? e->iss & 0x3f : 0 };
    if (e->cause.kind == CAUSE_INTERRUPT) {
        struct exc_source source = gic_source(&t->m->gic, cpu, e);
        key.by = (u8)source.by;
        key.intid = source.intid;
    }
    return key;
}

static u32 index_of(struct timeline *t, const struct cpu *cpu, const struct exc *e, u64 at)
{
    const struct timeline_kind_key key = kind_key_of(t, cpu, e);
    struct site s = { .pc = cpu->pc, .iss = e->iss, .kind = (u16)kind_of(t, &key, at), .cause_id = e->cause.id };
    if (e->target_el >= 2) { /* user programs' page faults would all be sites of their own */
        s.level = e->cause.level;
        s.value = e->cause.kind == CAUSE_DESCRIPTOR ? e->cause.value : 0;
    }
    if (s.kind == KINDS - 1)
        return NO_SITE | s.kind;
    return site_of(t, &s);
}

/* ---- states ---- */

static u32 vm_of(struct timeline *t, s32 vmid)
{
    for (u32 n = 0; n < t->vms; n++)
        if (t->vmid[n] == vmid)
            return n;
    if (t->vms == TIMELINE_VMS)
        return TIMELINE_VMS - 1;
    t->vmid[t->vms] = vmid;
    return t->vms++;
}

static u32 state_of(struct timeline *t, const struct cpu *cpu)
{
    return cpu->ps.el | (cpu_is_secure(cpu) ? STATE_SECURE : 0) | vm_of(t, cpu_guest(cpu)) << VM_SHIFT |
           (cpu->halted == HALT_OFF ? STATE_OFF
            : cpu->halted           ? STATE_ASLEEP
                                    : 0);
}

u32 timeline_state_after(const struct timeline *t, u32 what, u32 before)
{
    const u32 index = what_index(what);
    switch (what_type(what)) {
    case TIMELINE_EXCEPTION: break;
    case TIMELINE_SLEEP: return before | STATE_ASLEEP;
    case TIMELINE_OFF: return before | STATE_OFF;
    default: return index;
    }
    const struct timeline_kind *k = &t->kind[index_kind(t, index)];
    u32 el = k->key.to_el, state = (before & STATE_SECURE) | el;
    return el < 2 ? state | before >> VM_SHIFT << VM_SHIFT : el == 3 ? state | STATE_SECURE : state;
}

/* ---- handlers ---- */

static void entry_put(struct pe *p, u64 own, unsigned kind, u8 from_el, u8 to_el)
{
    if (p->depth == DEPTH) /* handlers that never return: the oldest is given up */
        memmove(&p->entry[0], &p->entry[1], sizeof(p->entry[0]) * --p->depth);
    p->entry[p->depth++] = (struct entry){ .own = own, .kind = (u16)kind, .from_el = from_el, .to_el = to_el };
}

/* As -trace exits does it: a return ends every handler of a higher EL than the one it goes to; one that stays at its EL
 * ends the entry that was taken from there. */
static void entries_end(struct timeline *t, struct pe *p, u64 own, unsigned el)
{
    bool lower = false, same = false;
    while (p->depth && !same) {
        const struct entry *e = &p->entry[p->depth - 1];
        same = !lower && e->to_el == el && e->from_el == el;
        if (e->to_el <= el && !same)
            break;
        t->kind[e->kind].insns += own - e->own;
        t->kind[e->kind].returned++;
        p->depth--;
        lower = true;
    }
}

/* ---- hooks ---- */

static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct timeline *t = ctx;
    struct pe *p = &t->pe[cpu->index];
    const u64 at = stops_position(t->m), own = cpu_position(cpu);
    if (unlikely(at < t->high))
        return;
    const u32 index = index_of(t, cpu, exc, at), what = what_make(TIMELINE_EXCEPTION, cpu->index, index);
    if (!is_new(t, at, what))
        return;
    const u32 kind = index_kind(t, index);
    event_put(t, p, at, own, what);
    p->state = timeline_state_after(t, what, p->state);
    struct timeline_share *s = sum_at(t, p, at);
    if (likely(s))
        timeline_share_count(s, &t->kind[kind], kind);
    t->kind[kind].count++;
    if (exc->target_el >= 2)
        entry_put(p, own, kind, cpu->ps.el, exc->target_el);
}

/* The ERET belongs to the EL that it leaves. */
static void exception_return_seen(void *ctx, struct cpu *cpu, u64 from_pc)
{
    struct timeline *t = ctx;
    struct pe *p = &t->pe[cpu->index];
    const u64 at = stops_position(t->m) + 1, own = cpu_position(cpu) + 1;
    (void)from_pc;
    if (unlikely(at < t->high))
        return;
    const u32 state = state_of(t, cpu), what = what_make(TIMELINE_RETURN, cpu->index, state);
    if (!is_new(t, at, what))
        return;
    event_put(t, p, at, own, what);
    p->state = state;
    if (p->depth)
        entries_end(t, p, own, cpu->ps.el);
}

static void slept(struct timeline *t, struct pe *p, u64 at)
{
    struct timeline_share *s = sum_at(t, p, at);
    if (s) {
        s->sleeps++;
        s->slept_ns += t->m->now > p->slept_from ? t->m->now - p->slept_from : 0;
    }
}

/* What a change of cpu->halted is. False: nothing. */
static bool type_of(u32 before, u32 now, enum timeline_type *type)
{
    *type = now & STATE_OFF      ? TIMELINE_OFF
            : before & STATE_OFF ? TIMELINE_ON
            : now & STATE_ASLEEP ? TIMELINE_SLEEP
                                 : TIMELINE_WAKE;
    return *type == TIMELINE_ON || *type == TIMELINE_WAKE ? (before & (STATE_OFF | STATE_ASLEEP)) != 0
           : *type == TIMELINE_OFF                        ? !(before & STATE_OFF)
                                                          : !(before & STATE_ASLEEP);
}

static void halted(void *ctx, struct cpu *cpu)
{
    struct timeline *t = ctx;
    struct pe *p = &t->pe[cpu->index];
    const u64 at = stops_position(t->m), own = cpu_position(cpu);
    const u32 before = p->state;
    enum timeline_type type;
    if (at < t->high)
        return;
    const u32 state = state_of(t, cpu);
    if (!type_of(before, state, &type))
        return;
    const u32 what = what_make(type, cpu->index, state);
    if (!is_new(t, at, what))
        return;
    event_put(t, p, at, own, what);
    p->state = state;
    if (type == TIMELINE_SLEEP)
        p->slept_from = cpu->d.now;
    else if (before & STATE_ASLEEP)
        slept(t, p, at);
}

/* It still holds what it did before; what it begins with is told when it is on. */
static void reset(void *ctx, struct cpu *cpu)
{
    struct timeline *t = ctx;
    struct pe *p = &t->pe[cpu->index];
    const u64 at = stops_position(t->m), own = cpu_position(cpu);
    const u32 what = what_make(TIMELINE_OFF, cpu->index, p->state | STATE_OFF);
    if (at < t->high || p->state & STATE_OFF || !is_new(t, at, what))
        return;
    event_put(t, p, at, own, what);
    p->state |= STATE_OFF;
    p->depth = 0;
}

static const struct hooks hooks = {
    .exception = exception, .exception_return = exception_return_seen, .halted = halted, .reset = reset
};

/* ---- life ---- */

/* Each PE as it is now. */
static void states_read(struct timeline *t)
{
    t->high = stops_position(t->m);
    for (u32 n = 0; n < t->m->options.cpu_count; n++) {
        struct pe *p = &t->pe[n];
        p->at = p->summed = t->high;
        p->own = p->summed_own = cpu_position(&t->m->d.cpu[n]);
        p->state = state_of(t, &t->m->d.cpu[n]);
        p->slept_from = t->m->now;
        p->depth = 0;
    }
}

struct timeline *timeline_create(struct machine *m)
{
    struct timeline *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->m = m;
    t->shift = FIRST_SHIFT;
    t->stretches = STRETCHES;
    while (t->stretches > STRETCHES_LEAST && t->stretches * m->options.cpu_count > STRETCHES)
        t->stretches /= 2;
    t->vmid[0] = NO_GUEST;
    t->vms = 1;
    t->from = t->kept = stops_position(m);
    states_read(t);
    observer_attach(m, &hooks, t, WANT_ALL);
    return t;
}

static void block_drop(struct timeline *t)
{
    struct block **b = &t->block[(t->first + --t->blocks) % BLOCKS];
    free((*b)->edge);
    free(*b);
    *b = NULL;
}

void timeline_destroy(struct timeline *t)
{
    if (!t)
        return;
    observer_detach(t->m, &hooks, t);
    while (t->blocks)
        block_drop(t);
    for (u32 n = 0; n < t->m->options.cpu_count; n++)
        free(t->pe[n].sum);
    free(t->site);
    free(t);
}

/* ---- cutting ---- */

static void event_forget(struct timeline *t, u32 what)
{
    if (what_type(what) == TIMELINE_EXCEPTION)
        t->kind[index_kind(t, what_index(what))].count--;
}

/* Forgets the events behind a position. */
static void events_cut(struct timeline *t, u64 at)
{
    while (t->blocks) {
        struct block *b = block_get(t, t->blocks - 1);
        while (b->count && b->base + b->event[b->count - 1].at > at)
            event_forget(t, b->event[--b->count].what);
        if (b->count)
            return;
        block_drop(t);
    }
}

void timeline_cut(struct timeline *t)
{
    if (!t)
        return;
    const u64 at = stops_position(t->m);
    const bool before = at < t->from; /* all that is known: it begins again */
    t->from = before ? at : t->from;
    t->kept = before ? at : t->kept;
    t->shift = before ? FIRST_SHIFT : t->shift;
    const u64 kept = before ? 0 : ((at - t->from) >> t->shift) + 1; /* the stretch that it lies in stays as it is */
    events_cut(t, at);
    for (u32 n = 0; n < t->m->options.cpu_count; n++)
        if (t->pe[n].sum && kept < t->stretches)
            memset(&t->pe[n].sum[kept], 0, sizeof(*t->pe[n].sum) * (t->stretches - kept));
    states_read(t);
}
