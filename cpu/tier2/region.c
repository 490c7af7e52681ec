/*
 * Regions: which slots are counted, what a region takes in, which of the guest's registers the host's hold in it, its
 * ways in and out, and its end. Nothing of this is of the architecture.
 *
 * A slot that branches go to (a leader) has thr_tier2_hot in its handler's place, which counts. When it has been
 * entered often enough, the slots that direct branches reach from it, and that were executed before, become a region,
 * and its leaders' handlers are the ways in. Each result is stored in struct cpu at once; what the host's registers
 * hold besides is loaded on the way in. A page whose regions were ended by a write waits longer the next time.
 */
#include "cpu/tier2/region.h"

#include <stdlib.h>

#include "cpu/engine/run.h"
#include "cpu/insn/op.h"
#include "cpu/tier2/memory.h"

#ifndef HOST_WITHOUT_TIER

enum { ROWS_HASH = 4096, ROOM_MAX = 256 << 10, ROOM_INSN = 1024, ROOM_ENTRY = 128, COUNT_MAX = 255 };

struct tier2 {
    struct decoder *decoder;
    struct code_page *pages;
    u32 page_count;
    struct tier2_config config;
    struct code_memory memory;
    const u8 *far, *enter;
    struct tier2_stats stats;
    u16 row_of[ROWS_HASH];  /* by a hash of the handler: number of the row + 1, 0 = free */
    u16 letters[ROWS_HASH]; /* by the row's number */
    struct region region;
};

op_fn thr_decode, thr_tier2_hot, thr_tier2_stop;

/* ---- the rows by their handlers ---- */

static unsigned row_hash(op_fn *fn) { return (unsigned)((u64)(uintptr_t)fn * 0x9e3779b97f4a7c15ull >> 52); }
static void rows_enter(struct tier2 *t)
{
    for (unsigned n = 0; n < emit_row_count; n++) {
        unsigned h = row_hash(emit_rows[n].fn);
        while (t->row_of[h])
            h = (h + 1) % ROWS_HASH;
        t->row_of[h] = (u16)(n + 1);
    }
}
static const struct emit_row *row_find(const struct tier2 *t, op_fn *fn)
{
    for (unsigned h = row_hash(fn); t->row_of[h]; h = (h + 1) % ROWS_HASH)
        if (emit_rows[t->row_of[h] - 1].fn == fn)
            return &emit_rows[t->row_of[h] - 1];
    return NULL;
}
/* Found out when a region first has the row: a start has better to do. */
static u16 letters_of(struct tier2 *t, const struct emit_row *e)
{
    u16 *letters = &t->letters[e - emit_rows];
    if (!*letters)
        *letters = emit_letters(e);
    return *letters;
}
static enum emit_flow flow_of(const struct emit_row *e) { return e ? e->flow : FLOW_HANDLER; }

/* ---- the tier ---- */

struct tier2 *tier2_create(struct decoder *decoder, struct code_page *pages, u32 page_count,
                           const struct tier2_config *config, const char **why)
{
    *why = "this host gives no memory that can be executed";
    struct tier2 *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->decoder = decoder;
    t->pages = pages;
    t->page_count = page_count;
    t->config = *config;
    if (!code_memory_create(&t->memory, (const void *)(uintptr_t)thr_decode)) {
        free(t);
        return NULL;
    }
    rows_enter(t);
    bool emptied;
    struct host h = { .p = code_memory_room(&t->memory, ROOM_MAX, &emptied) };
    h.written = h.p;
    h.run = code_memory_run(&t->memory, h.p);
    host_routines(&h);
    t->far = h.far;
    t->enter = h.enter;
    code_memory_keep(&t->memory, (u32)(h.p - h.written));
    return t;
}

void tier2_destroy(struct tier2 *t)
{
    if (!t)
        return;
    code_memory_destroy(&t->memory);
    free(t);
}

const struct tier2_stats *tier2_stats(const struct tier2 *t) { return &t->stats; }

void tier2_call(const struct tier2 *t, struct cpu *cpu, u64 left, void (*fn)(struct cpu *cpu, u64 left))
{
    typedef void enter_fn(struct cpu * cpu, u64 left, void (*fn)(struct cpu * cpu, u64 left));
    ((enter_fn *)(uintptr_t)t->enter)(cpu, left, fn);
}

/* ---- leaders ---- */

/* To a slot of this page, for good. */
static bool branches(enum emit_flow flow) { return flow == FLOW_IF || flow == FLOW_JUMP; }

static bool marked(const u64 *set, unsigned slot) { return set[slot / 64] >> slot % 64 & 1; }
static void mark(u64 *set, unsigned slot) { set[slot / 64] |= BIT(slot % 64); }
static bool owns(const struct tier2 *t, op_fn *fn) { return code_memory_owns(&t->memory, (const void *)(uintptr_t)fn); }

op_fn *tier2_plain(const struct tier2 *t, const struct code_page *page, unsigned slot)
{
    op_fn *fn = page->op[slot].fn;
    return fn == thr_tier2_hot || owns(t, fn) ? code_page_plain(page, slot) : fn;
}

/* Branches go to the slot: counts how often, from when it is decoded. */
static void lead(const struct tier2 *t, struct code_page *page, unsigned slot)
{
    if (slot >= CODE_SLOTS)
        return;
    mark(page->leader, slot);
    op_fn *fn = page->op[slot].fn;
    if (fn == thr_decode || fn == thr_tier2_hot || owns(t, fn))
        return;
    code_page_plain_set(page, slot, fn);
    page->entries_left[slot] = (u8)t->config.hot;
    page->op[slot].fn = thr_tier2_hot;
}

unsigned region_target(const struct code_page *page, const struct op *o, const struct emit_row *e)
{
    u64 target = emit_is_compare(e) ? o->target >> 16 : o->target;
    return (unsigned)((target - (u64)(uintptr_t)page->op) / sizeof(struct op));
}

void tier2_decoded(struct tier2 *t, struct code_page *page, unsigned slot, const struct op *ops, unsigned count)
{
    bool arrived = slot == 0 || !marked(page->seen, slot - 1) || marked(page->leader, slot);
    unsigned last = slot + count - 1; /* nothing follows a branch in a sequence */
    const struct emit_row *e = row_find(t, ops[count - 1].fn);
    for (unsigned n = slot; n <= last; n++)
        mark(page->seen, n);
    enum emit_flow flow = flow_of(e);
    if (flow == FLOW_JUMP || flow == FLOW_CALL || flow == FLOW_FAR || flow == FLOW_FAR_CALL)
        lead(t, page, last + 1);
    if (branches(flow) || flow == FLOW_CALL)
        lead(t, page, region_target(page, &ops[count - 1], e));
    if (arrived)
        lead(t, page, slot);
}

/* ---- what a region takes in ---- */

static bool goes_on(enum emit_flow flow) { return flow == FLOW_NEXT || flow == FLOW_IF; }
/* Is the next slot reached by way of its handler? */
static bool comes_back(enum emit_flow flow)
{
    return flow == FLOW_CALL || flow == FLOW_FAR_CALL || flow == FLOW_HANDLER;
}

static void slot_take(struct tier2 *t, struct region *r, unsigned slot)
{
    decoder_decode_slot(t->decoder, load_le32(r->page->host + slot * 4), r->page->op, slot, CODE_SLOTS, &r->ops[slot]);
    const struct emit_row *e = row_find(t, r->ops[slot].fn);
    r->row[slot] = e;
    r->letters[slot] = e ? letters_of(t, e) : 0;
    r->in[slot] = 1;
    r->count++;
    r->lo = slot < r->lo ? slot : r->lo;
    r->hi = slot > r->hi ? slot : r->hi;
}

/* From `start` on, as far as was executed before (or all, when everything is hot) and no other region has it. */
static void region_explore(struct tier2 *t, struct region *r, unsigned start)
{
    u16 todo[REGION_MAX + 1];
    unsigned count = 0;
    todo[count++] = (u16)start;
    while (count) {
        unsigned slot = todo[--count];
        while (slot < CODE_SLOTS && !r->in[slot] && r->count < REGION_MAX &&
               (t->config.hot == 1 || marked(r->page->seen, slot)) &&
               (slot == start || !owns(t, r->page->op[slot].fn))) {
            slot_take(t, r, slot);
            const struct emit_row *e = r->row[slot];
            enum emit_flow flow = flow_of(e);
            if (branches(flow)) {
                unsigned to = region_target(r->page, &r->ops[slot], e);
                if (to < CODE_SLOTS && count < ARRAY_LEN(todo))
                    todo[count++] = (u16)to;
            }
            slot++;
            if (comes_back(flow))
                r->entry[slot] = 1;
            if (!goes_on(flow) && !comes_back(flow))
                break;
        }
    }
}

/* How often each register is read, eight times more in each loop: loops are nested as deep as branches backwards over a
 * slot say. And which slots branches go to. */
static void region_weigh(struct region *r, u32 weight[REG_COUNT])
{
    u8 depth[CODE_SLOTS + 1];
    memset(depth + r->lo, 0, r->hi - r->lo + 1);
    for (unsigned n = r->lo; n <= r->hi; n++) {
        if (!r->in[n] || !branches(flow_of(r->row[n])))
            continue;
        unsigned to = region_target(r->page, &r->ops[n], r->row[n]);
        if (to >= CODE_SLOTS || !r->in[to])
            continue;
        r->label[to] = 1;
        for (unsigned k = to; k <= n; k++)
            depth[k] = (u8)(depth[k] < 3 ? depth[k] + 1 : 3);
    }
    for (unsigned n = r->lo; n <= r->hi; n++)
        for (u64 set = r->in[n] ? emit_uses(r->letters[n], &r->ops[n]).reads : 0; set; set &= set - 1)
            weight[__builtin_ctzll(set)] += 1u << 3 * depth[n];
}
/* The registers that are read most get one of the host's. */
static void region_pin(struct region *r)
{
    u32 weight[REG_COUNT] = { 0 };
    region_weigh(r, weight);
    memset(r->pin, -1, sizeof(r->pin));
    r->pinned = 0;
    for (unsigned k = 0; k < host_pin_count; k++) {
        unsigned best = REG_ZR;
        for (unsigned n = 0; n < REG_COUNT; n++)
            if (weight[n] > weight[best])
                best = n;
        if (weight[best] < 2)
            break;
        weight[best] = 0;
        r->pin[best] = (s8)host_pins[k];
        r->pinned |= BIT(best);
    }
}

/* Which registers are read some way on from each slot, until the region is left: those are loaded on the way in. Where
 * one is stored late it is read. */
static void region_live(struct region *r)
{
    memset(&r->live[r->lo], 0, (r->hi - r->lo + 2) * sizeof(r->live[0]));
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned n = r->hi + 1; n-- > r->lo;) {
            if (!r->in[n])
                continue;
            enum emit_flow flow = flow_of(r->row[n]);
            struct emit_uses u = emit_uses(r->letters[n], &r->ops[n]);
            u64 after = goes_on(flow) && r->in[n + 1] ? r->live[n + 1] : 0;
            if (branches(flow)) {
                unsigned to = region_target(r->page, &r->ops[n], r->row[n]);
                after |= to < CODE_SLOTS && r->in[to] ? r->live[to] : 0;
            }
            u64 live = u.reads | r->late[n] | (after & ~u.writes);
            changed |= live != r->live[n];
            r->live[n] = live;
        }
    }
}

/* ---- its ways out ---- */

void region_side_exit(struct region *r, struct side_exit e)
{
    e.slot = (u16)r->slot;
    e.unstored = r->unstored;
    e.flags_now = r->flags_now;
    r->side_exit[r->side_exits++] = e;
}
static void fix_later(struct region *r, host_fix from, unsigned to)
{
    r->fix[r->fixes].from = from;
    r->fix[r->fixes++].to = to;
}
static bool inside(const struct region *r, unsigned slot) { return slot < CODE_SLOTS && r->in[slot]; }
static s32 distance(unsigned from, unsigned to) { return (s32)to - (s32)from - 1; }

void region_take(struct region *r, unsigned to, bool call)
{
    host_fix stop;
    if (!call && inside(r, to))
        loop_go(r, to);
    else
        loop_leave(r);
    unsigned on = host_budget(&r->h, distance(r->slot, to), to);
    if (!call && inside(r, to) && r->at[to]) {
        host_fix_to(&r->h, host_jump_if(&r->h, on), r->at[to]);
        stop = host_jump(&r->h);
    } else {
        stop = host_jump_if(&r->h, host_opposite(on));
        if (!call && inside(r, to))
            fix_later(r, host_jump(&r->h), to);
        else
            host_leave(&r->h, to, r->counts);
    }
    region_side_exit(r, (struct side_exit){ .from = stop, .kind = SIDE_EXIT_STOP, .to = (u16)to });
}

void region_take_if(struct region *r, unsigned condition, unsigned to)
{
    enum host_flags hf = r->h.hf;
    u64 unstored = r->unstored;
    u8 flags_now = r->flags_now;
    if (inside(r, to) && r->at[to]) {
        host_fix over = host_jump_if(&r->h, host_opposite(condition));
        region_take(r, to, false);
        host_fix_to(&r->h, over, r->h.p);
        r->h.hf = hf; /* of the way that goes on */
        r->unstored = unstored;
        r->flags_now = flags_now;
    } else {
        region_side_exit(
            r, (struct side_exit){ .from = host_jump_if(&r->h, condition), .kind = SIDE_EXIT_TAKEN, .to = (u16)to });
    }
}

static void leave_slow(struct region *r, unsigned slot)
{
    loop_leave(r);
    host_leave_by(&r->h, slot, r->ops[slot].fn, r->counts);
}
static void side_exit_write(struct region *r, struct side_exit s)
{
    r->slot = s.slot;
    r->unstored = s.unstored;
    r->flags_now = s.flags_now;
    host_fix_to(&r->h, s.from, r->h.p);
    r->h.hf = HF_NONE;
    switch ((enum side_exit_kind)s.kind) {
    case SIDE_EXIT_ALIGNED:
        host_tag_aligned(&r->h, s.access, s.back);
        leave_slow(r, s.slot);
        break;
    case SIDE_EXIT_SLOW: leave_slow(r, s.slot); break;
    case SIDE_EXIT_TAKEN: region_take(r, s.to, false); break;
    case SIDE_EXIT_STOP:
        loop_leave(r);
        host_leave_by(&r->h, s.to, thr_tier2_stop, r->counts);
        break;
    }
}

/* ---- writing it ---- */

static void slot_write(struct region *r, unsigned slot)
{
    const struct emit_row *e = r->row[slot];
    r->slot = slot;
    if (r->label[slot] || r->entry[slot])
        r->h.hf = HF_NONE, r->fp_checked = false, r->group = r->monitor = -1;
    r->at[slot] = r->h.p;
    loop_slot_begin(r, slot);
    if (e)
        e->emit(r, &r->ops[slot], e);
    else
        leave_slow(r, slot);
    loop_slot_end(r, slot);
    u64 writes = emit_uses(r->letters[slot], &r->ops[slot]).writes;
    if (r->group >= 0 && writes >> r->group & 1)
        r->group = -1;
    if (r->monitor >= 0 && writes >> r->monitor & 1)
        r->monitor = -1;
    if (!goes_on(flow_of(e)))
        return;
    if (inside(r, slot + 1)) {
        loop_go(r, slot + 1);
    } else {
        loop_leave(r);
        host_leave(&r->h, slot + 1, r->counts);
    }
}

/* Is there room for an instruction, and its side exits? */
static bool room(const struct region *r)
{
    return r->h.end - r->h.p > ROOM_INSN && r->side_exits + 8 < SIDE_EXITS_MAX && r->fixes + 4 < SIDE_EXITS_MAX;
}

static bool region_write(struct region *r)
{
    for (unsigned n = r->lo; n <= r->hi; n++) {
        if (r->in[n]) {
            if (!room(r))
                return false;
            slot_write(r, n);
        }
    }
    for (unsigned n = 0; n < r->side_exits; n++) {
        if (!room(r))
            return false;
        side_exit_write(r, r->side_exit[n]);
    }
    for (unsigned n = 0; n < r->fixes; n++)
        host_fix_to(&r->h, r->fix[n].from, r->at[r->fix[n].to]);
    return !r->h.astray;
}

/* A way in at a slot, to be written there: its handler from then on. */
static void entry_write(struct region *r, unsigned slot)
{
    host_enter(&r->h, slot, r->counts);
    for (u64 set = r->live[slot]; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctzll(set);
        if (r->pin[n] >= 0)
            host_load(&r->h, 3, HOST_ZERO, (unsigned)r->pin[n],
                      HOST_CPU_PLACE((s32)offsetof(struct cpu, x) + 8 * (s32)n));
    }
    host_fix_to(&r->h, host_jump(&r->h), r->at[slot]);
}

/* ---- its beginning and its end ---- */

/* All slots of the page have the interpreter's handlers again; `stale`: those of regions in the segment that is being
 * filled. */
static void page_leave(struct tier2 *t, struct code_page *page, bool stale)
{
    bool others = false;
    for (unsigned n = 0; n < CODE_SLOTS; n++) {
        op_fn *fn = page->op[n].fn;
        if (!owns(t, fn))
            continue;
        if (!stale || code_memory_in_segment(&t->memory, (const void *)(uintptr_t)fn))
            page->op[n].fn = thr_decode;
        else
            others = true;
    }
    page->regions = others;
    if (!others)
        memset(page->covered, 0, sizeof(page->covered));
}

static u8 *memory_room(struct tier2 *t)
{
    bool emptied;
    u8 *at = code_memory_room(&t->memory, ROOM_MAX, &emptied);
    if (!emptied)
        return at;
    t->stats.evicted++;
    for (u32 n = 0; n < t->page_count; n++)
        if (t->pages[n].used && t->pages[n].regions)
            page_leave(t, &t->pages[n], true);
    return at;
}

void tier2_written(struct tier2 *t, struct code_page *page, unsigned first, unsigned last)
{
    if (!page->regions)
        return;
    bool hit = false;
    for (unsigned n = first; n <= last && n < CODE_SLOTS; n++)
        hit |= marked(page->covered, n);
    if (!hit)
        return;
    t->stats.forgotten++;
    page->patience = (u8)(2 * page->patience + 1 < COUNT_MAX ? 2 * page->patience + 1 : COUNT_MAX);
    page_leave(t, page, false);
}

static void region_begin(struct tier2 *t, struct region *r, struct code_page *page)
{
    memset(r->in, 0, sizeof(r->in));
    memset(r->entry, 0, sizeof(r->entry));
    memset(r->label, 0, sizeof(r->label));
    memset(r->at, 0, sizeof(r->at));
    r->page = page;
    r->lo = CODE_SLOTS;
    r->hi = r->count = r->side_exits = r->fixes = 0;
    r->counts = t->config.count;
    r->group = r->monitor = -1;
}
static void host_begin(struct tier2 *t, struct region *r)
{
    u8 *at = memory_room(t);
    r->h = (struct host){ .p = at,
                          .end = at + ROOM_MAX,
                          .written = at,
                          .run = code_memory_run(&t->memory, at),
                          .far = t->far,
                          .enter = t->enter };
}

static void slots_enter(struct tier2 *t, struct region *r, unsigned start)
{
    struct code_page *page = r->page;
    for (unsigned n = r->lo; n <= r->hi; n++) {
        if (!r->in[n])
            continue;
        mark(page->covered, n);
        if (page->op[n].fn == thr_decode) /* the handlers that exits go to read it */
            op_copy(&page->op[n], thr_decode, &r->ops[n].d);
        if (n != start && (!r->entry[n] && !marked(page->leader, n)))
            continue;
        if (n != start && (!r->row[n] || owns(t, page->op[n].fn)))
            continue;
        op_fn *plain = tier2_plain(t, page, n);
        code_page_plain_set(page, n, plain == thr_decode ? r->ops[n].fn : plain);
        const u8 *way = r->h.p;
        entry_write(r, n);
        page->op[n].fn = (op_fn *)(uintptr_t)code_memory_run(&t->memory, way);
    }
}

/* A region from the slot; false: it is not worth it. */
static bool region_make(struct tier2 *t, struct code_page *page, unsigned slot)
{
    struct region *r = &t->region;
    region_begin(t, r, page);
    region_explore(t, r, slot);
    if (!r->in[slot] || !r->row[slot])
        return false;
    for (unsigned n = r->lo; n <= r->hi; n++)
        r->entry[n] |= r->in[n] && marked(page->leader, n);
    r->entry[slot] = 1;
    region_pin(r);
    loops_find(r);
    region_live(r);
    host_begin(t, r);
    if (!region_write(r) || r->h.end - r->h.p < (s64)r->count * ROOM_ENTRY)
        return false;
    slots_enter(t, r, slot);
    page->regions = 1;
    t->stats.regions++;
    t->stats.instructions += r->count;
    t->stats.bytes += (u64)(r->h.p - r->h.written);
    code_memory_publish(&t->memory, (u32)(r->h.p - r->h.written));
    return true;
}

void tier2_heat(struct tier2 *t, struct code_page *page, unsigned slot)
{
    if (page->patience && t->config.hot > 1) {
        page->patience--;
        page->entries_left[slot] = COUNT_MAX;
        return;
    }
    if (region_make(t, page, slot))
        return;
    t->stats.declined++;
    page->op[slot].fn = code_page_plain(page, slot);
}
#endif
