/*
 * Loops: what need not be stored in each turn. A loop is the slots from the target of a branch backwards to that
 * branch; here one that is left by nothing but branches and side exits. The registers that it writes and that have one
 * of the host's are stored where it is left: at each side exit, and on each way on. So are flags, where what they were
 * made of is still in registers there, but for one operand that it may keep in memory: the operation is done again.
 * Which one was the last is known where the code is written, or else by a number that each stores (cpu->d.flags_of; 0:
 * the flags are in their place, as everywhere outside of regions).
 */
#include "cpu/tier2/emit.h"

#include "cpu/ops/alu.h"

#ifndef HOST_WITHOUT_TIER

static enum emit_flow flow_of(const struct emit_row *e) { return e ? e->flow : FLOW_HANDLER; }
static bool goes_back_or_on(enum emit_flow flow) { return flow == FLOW_NEXT || flow == FLOW_IF || flow == FLOW_JUMP; }
static bool inside(const struct region *r, unsigned slot) { return slot < CODE_SLOTS && r->in[slot]; }
static bool sets_flags(const struct emit_row *e) { return e->flags || e->sets_flags; }

/* Slots that come after one of a loop: at most two. */
struct next {
    unsigned slot[2], count;
};
static struct next next_of(const struct region *r, unsigned slot)
{
    struct next next = { { 0, 0 }, 0 };
    enum emit_flow flow = flow_of(r->row[slot]);
    if (flow == FLOW_NEXT || flow == FLOW_IF)
        next.slot[next.count++] = slot + 1;
    if (flow == FLOW_IF || flow == FLOW_JUMP)
        next.slot[next.count++] = region_target(r->page, &r->ops[slot], r->row[slot]);
    return next;
}

/* ---- registers ---- */

static bool is_left_by_branches(const struct region *r, unsigned from, unsigned to)
{
    for (unsigned n = from; n <= to; n++)
        if (r->in[n] && !goes_back_or_on(flow_of(r->row[n])))
            return false;
    return true;
}
static void loop_enter(struct region *r, unsigned from, unsigned to)
{
    u64 writes = 0;
    for (unsigned n = from; n <= to; n++)
        if (r->in[n])
            writes |= emit_uses(r->letters[n], &r->ops[n]).writes;
    for (unsigned n = from; n <= to; n++) {
        r->late[n] |= writes & r->pinned;
        if (!r->loop_to[n] || to - from < (unsigned)(r->loop_to[n] - r->loop_from[n])) {
            r->loop_from[n] = (u16)from;
            r->loop_to[n] = (u16)to;
        }
    }
}

/* ---- flags ---- */

static enum host_flags kind_of(const struct emit_row *e)
{
    return e->op == HOST_SUB ? HF_SUB : e->op == HOST_ADD ? HF_ADD : HF_LOGIC;
}
static u64 one_of(unsigned n) { return n == REG_ZR || n == REG_TRASH ? 0 : BIT(n); }
static u64 second_of(const struct emit_row *e, const struct op *o) { return e->emit == emit_alu ? one_of(o->m) : 0; }

/* The registers that an operation can be done again from when it is over, if there are such. */
static bool can_be_again(const struct region *r, unsigned slot, u64 *kept)
{
    const struct emit_row *e = r->row[slot];
    const struct op *o = &r->ops[slot];
    if (!e->flags || e->invert || (e->emit != emit_alu && e->emit != emit_alu_imm))
        return false;
    u64 d = one_of(o->d), second = second_of(e, o);
    if (kind_of(e) == HF_LOGIC && d)
        *kept = d; /* which has them all */
    else if (d & second)
        return false;
    else
        *kept = one_of(o->n) | second; /* n, or from d, which took its place */
    return !(*kept & ~r->pinned);
}
/* The slots behind that ask for a condition while the host's flags have it: returns the last. */
static unsigned asked_at_once(const struct region *r, unsigned slot)
{
    enum host_flags kind = kind_of(r->row[slot]);
    unsigned last = slot;
    for (unsigned n = slot + 1; inside(r, n) && !r->label[n] && !r->entry[n] && r->row[n]; n++) {
        const struct emit_row *e = r->row[n];
        unsigned condition = e->emit == emit_compare_if ? (unsigned)r->ops[n].imm >> 4 : e->condition;
        if ((e->emit != emit_compare_if && e->emit != emit_near_if && e->emit != emit_select) ||
            (condition < CONDITION_al && !host_holds(kind, condition)))
            break;
        last = n;
        if (sets_flags(e))
            break;
    }
    return last;
}
/* Until the next flags are made or the loop is left: does nothing else ask for these, and do the registers stay? All
 * but one, which *saved becomes. */
static bool can_wait(const struct region *r, unsigned setter, u8 *saved)
{
    u64 kept, lost = 0, seen[(CODE_SLOTS + 63) / 64] = { 0 };
    u16 todo[2 * REGION_MAX + 2];
    unsigned count = 0, last = asked_at_once(r, setter);
    if (!can_be_again(r, setter, &kept))
        return false;
    todo[count++] = (u16)setter;
    while (count) {
        unsigned slot = todo[--count];
        struct next next = next_of(r, slot);
        for (unsigned n = 0; n < next.count; n++) {
            unsigned to = next.slot[n];
            if (to < r->loop_from[setter] || to > r->loop_to[setter] || !r->in[to] || seen[to / 64] >> to % 64 & 1)
                continue;
            seen[to / 64] |= BIT(to % 64);
            const struct emit_row *e = r->row[to];
            if (e->reads_flags && !(to > setter && to <= last))
                return false;
            if (sets_flags(e))
                continue;
            lost |= emit_uses(r->letters[to], &r->ops[to]).writes & kept;
            todo[count++] = (u16)to;
        }
    }
    *saved = lost ? (u8)__builtin_ctzll(lost) : REG_ZR;
    return !(lost & (lost - 1));
}

/* Where the flags are on the way to a slot: outside of the loop that they wait in, in their place. */
static unsigned flags_on_the_way(const struct region *r, unsigned from, unsigned to)
{
    for (unsigned n = 1; n <= r->setters; n++)
        if (from >> n & 1 && (to < r->loop_from[r->setter[n]] || to > r->loop_to[r->setter[n]]))
            return FLAGS_STORED;
    return from;
}
static unsigned flags_after(const struct region *r, unsigned slot)
{
    if (r->waits[slot])
        return 1u << r->waits[slot];
    return sets_flags(r->row[slot]) ? FLAGS_STORED : r->flags_at[slot];
}
/* Where the flags may be at each slot. */
static void flags_spread(struct region *r)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned n = r->lo; n <= r->hi; n++) {
            if (!r->in[n] || !r->row[n] || !r->flags_at[n])
                continue;
            struct next next = next_of(r, n);
            for (unsigned k = 0; k < next.count; k++) {
                unsigned to = next.slot[k];
                if (!inside(r, to))
                    continue;
                u8 at = (u8)(r->flags_at[to] | flags_on_the_way(r, flags_after(r, n), to));
                changed |= at != r->flags_at[to];
                r->flags_at[to] = at;
            }
        }
    }
    for (unsigned n = r->lo; n <= r->hi; n++)
        if (r->flags_at[n] & (r->flags_at[n] - 1))
            r->numbered |= r->flags_at[n] & ~FLAGS_STORED;
}

void loops_find(struct region *r)
{
    unsigned count = r->hi - r->lo + 2;
    memset(&r->late[r->lo], 0, count * sizeof(r->late[0]));
    memset(&r->loop_to[r->lo], 0, count * sizeof(r->loop_to[0]));
    memset(&r->waits[r->lo], 0, count * sizeof(r->waits[0]));
    memset(&r->flags_at[r->lo], 0, count * sizeof(r->flags_at[0]));
    r->setters = r->numbered = 0;
    for (unsigned n = r->lo; n <= r->hi; n++) {
        if (!r->in[n] || (flow_of(r->row[n]) != FLOW_IF && flow_of(r->row[n]) != FLOW_JUMP))
            continue;
        unsigned to = region_target(r->page, &r->ops[n], r->row[n]);
        if (to <= n && inside(r, to) && is_left_by_branches(r, to, n))
            loop_enter(r, to, n);
    }
    for (unsigned n = r->lo; n <= r->hi; n++) {
        if (!r->in[n])
            continue;
        if (r->loop_to[n] && r->row[n]->flags && r->setters < SETTERS_MAX &&
            can_wait(r, n, &r->saved[r->setters + 1])) {
            r->setter[++r->setters] = (u16)n;
            r->waits[n] = r->setters;
        }
        r->flags_at[n] = r->entry[n] ? FLAGS_STORED : 0;
    }
    flags_spread(r);
}

/* ---- while it is written ---- */

#define FLAGS_OF    HOST_CPU_PLACE(CPU(d.flags_of))
#define FLAGS_SAVED HOST_CPU_PLACE(CPU(d.flags_saved))

void loop_slot_begin(struct region *r, unsigned slot)
{
    r->unstored = r->late[slot];
    r->flags_now = r->flags_at[slot] ? r->flags_at[slot] : FLAGS_STORED;
}
void loop_flags_wait(struct region *r)
{
    unsigned number = r->waits[r->slot];
    if (r->numbered >> number & 1)
        host_store_imm(&r->h, 2, number, FLAGS_OF);
    else if (r->flags_now & r->numbered)
        host_store_imm(&r->h, 2, 0, FLAGS_OF);
    if (r->saved[number] != REG_ZR)
        host_store(&r->h, 3, (unsigned)r->pin[r->saved[number]], FLAGS_SAVED);
    r->flags_now = (u8)(1u << number);
}
void loop_slot_end(struct region *r, unsigned slot)
{
    if (!r->row[slot] || !sets_flags(r->row[slot]) || r->waits[slot])
        return;
    if (r->flags_now & r->numbered)
        host_store_imm(&r->h, 2, 0, FLAGS_OF);
    r->flags_now = FLAGS_STORED;
}

/* x[n] as it was after that operation. */
static unsigned get_again(struct region *r, unsigned number, unsigned n, unsigned scratch)
{
    if (n == REG_ZR || r->saved[number] != n)
        return emit_get(r, n, scratch);
    host_load(&r->h, 3, HOST_ZERO, scratch, FLAGS_SAVED);
    return scratch;
}
/* Does the operation again for its flags, and stores them. */
static void flags_again(struct region *r, unsigned number)
{
    unsigned slot = r->setter[number];
    const struct emit_row *e = r->row[slot];
    const struct op *o = &r->ops[slot];
    u64 d = one_of(o->d);
    if (kind_of(e) == HF_LOGIC && d) {
        r->h.hf = HF_LOGIC;
        r->h.hf_w = e->w;
        host_flags_store(&r->h, get_again(r, number, o->d, HOST_A));
        return;
    }
    bool over = d & one_of(o->n);
    unsigned n = get_again(r, number, o->n, HOST_A);
    enum host_op back = e->op == HOST_SUB ? HOST_ADD : HOST_SUB;
    if (e->emit == emit_alu) {
        unsigned m = get_again(r, number, o->m, HOST_B);
        if (over) {
            host_alu(&r->h, true, back, HOST_A, n, m, false);
            n = HOST_A;
        }
        host_alu(&r->h, e->w, e->op, HOST_A, n, m, true);
    } else {
        u64 imm = emit_immediate(o, e);
        if (over) {
            host_alu_imm(&r->h, true, back, HOST_A, n, imm, false);
            n = HOST_A;
        }
        host_alu_imm(&r->h, e->w, e->op, HOST_A, n, imm, true);
    }
    host_flags_store(&r->h, HOST_A);
}
static void flags_settle(struct region *r)
{
    bool one = !(r->flags_now & (r->flags_now - 1));
    for (unsigned number = 1; number <= r->setters; number++) {
        if (!(r->flags_now >> number & 1))
            continue;
        host_fix other = NULL;
        if (!one)
            other = host_jump_if(&r->h, host_opposite(host_test_cpu(&r->h, CPU(d.flags_of), number)));
        flags_again(r, number);
        if (r->numbered >> number & 1)
            host_store_imm(&r->h, 2, 0, FLAGS_OF);
        if (other)
            host_fix_to(&r->h, other, r->h.p);
    }
    r->h.hf = HF_NONE;
    r->flags_now = FLAGS_STORED;
}
static void settle(struct region *r, u64 late)
{
    for (u64 set = r->unstored & ~late; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctzll(set);
        host_store(&r->h, 3, (unsigned)r->pin[n], HOST_CPU_PLACE(CPU(x) + 8 * (s32)n));
    }
    r->unstored &= late;
}
void loop_leave(struct region *r)
{
    settle(r, 0);
    if (r->flags_now != FLAGS_STORED)
        flags_settle(r);
}
void loop_go(struct region *r, unsigned to)
{
    settle(r, r->late[to]);
    if (flags_on_the_way(r, r->flags_now, to) != r->flags_now)
        flags_settle(r);
}
#endif
