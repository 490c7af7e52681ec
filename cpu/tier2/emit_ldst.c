/*
 * The emitters of loads and stores: where an access is in the host's memory by a fast tag, several that share one, and
 * those that are aligned whatever is checked (cpu/insn/ldst.c, atomic.c, simd_ldst.c). As in cpu/tier2/emit.c, what can
 * fail comes before what is committed.
 */
#include "cpu/tier2/emit.h"

#include "cpu/insn/decode_int.h"
#include "cpu/ops/alu.h"
#include "mmu/access.h"

#ifndef HOST_WITHOUT_TIER

/* ---- loads and stores ---- */

static void slow_if_not(struct region *r, unsigned condition)
{
    region_side_exit(
        r, (struct side_exit){ .from = host_jump_if(&r->h, host_opposite(condition)), .kind = SIDE_EXIT_SLOW });
}
/* The address of an access into HOST_A: the mode's, or the handler's way where SP may be misaligned. */
static void address(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host *h = &r->h;
    unsigned n = emit_get(r, o->n, HOST_A);
    if (e->sp)
        slow_if_not(r, host_test_mask(h, n, 15));
    switch (e->form) {
    case MODE_post: host_mov(h, true, HOST_A, n); break;
    case MODE_regx:
    case MODE_regs: host_add_scaled(h, HOST_A, n, emit_get(r, o->m, HOST_B), e->form == MODE_regs ? e->log2 : 0); break;
    case MODE_reg:
    case MODE_ext: {
        unsigned lost = e->form == MODE_reg ? 32 : o->imm & 63, m = emit_get(r, o->m, HOST_B);
        host_field(h, true, o->imm >> 16 & 1, lost, lost, HOST_B, m);
        host_add_scaled(h, HOST_A, n, HOST_B, o->imm >> 8 & 7);
        break;
    }
    default:
        if (o->imm)
            host_alu_imm(h, true, HOST_ADD, HOST_A, n, (u64)IMM_OF(o), false);
        else
            host_mov(h, true, HOST_A, n);
    }
}
/* Is it an access at a base that has a register of the host's, plus a number, which leaves the base alone? */
static bool is_plain(const struct region *r, const struct op *o, const struct emit_row *e)
{
    return e->exits && !e->writes_n && e->emit != emit_load_literal && e->emit != emit_vector_literal &&
           (e->form == MODE_ui || e->form == MODE_ur || e->form == MODE_off || e->form == MODE_np) && r->pin[o->n] >= 0;
}
static s32 access_size(const struct emit_row *e) { return (e->pair ? 2 : 1) << e->log2; }
static s32 access_align(const struct emit_row *e) { return access_size(e) > 16 ? 16 : access_size(e); }

/*
 * Accesses at one base, in a straight line: one compare of a tag, for all the bytes from the lowest to the highest,
 * says that none of them can fail. The first one's, if there are others: *a becomes that of all.
 */
enum { GROUP_SPAN = 256 };
static bool group_find(const struct region *r, const struct op *o, const struct emit_row *e, struct host_access *a)
{
    s32 from = o->imm, to = o->imm + access_size(e), align = access_align(e);
    struct {
        s32 offset, align;
    } one[LOOK_AHEAD + 1] = { { o->imm, access_align(e) } };
    unsigned count = 1;
    for (unsigned slot = r->slot + 1; slot <= r->slot + LOOK_AHEAD && slot < CODE_SLOTS && r->in[slot]; slot++) {
        const struct emit_row *next = r->row[slot];
        const struct op *p = &r->ops[slot];
        if (!next || next->flow != FLOW_NEXT || r->label[slot] || r->entry[slot])
            break;
        if (is_plain(r, p, next) && p->n == o->n && (e->write || !next->write)) {
            s32 low = p->imm < from ? p->imm : from, end = p->imm + access_size(next), high = end > to ? end : to;
            if (high - low > GROUP_SPAN)
                break;
            from = low;
            to = high;
            align = access_align(next) > align ? access_align(next) : align;
            one[count].offset = p->imm;
            one[count++].align = access_align(next);
        }
        if (emit_uses(r->letters[slot], p).writes >> o->n & 1)
            break;
    }
    *a = (struct host_access){ a->base, e->write, from, (u16)(to - from), (u16)align, false };
    bool aligned = true; /* each, when the lowest is as aligned as the most aligned must be */
    for (unsigned n = 0; n < count; n++)
        aligned &= (one[n].offset - from) % one[n].align == 0;
    return count > 1 && aligned;
}

/* Compares the tag; the handler does what misses. */
static void translate(struct region *r, unsigned to, struct host_access a)
{
    host_fix miss;
    const u8 *back = host_tag(&r->h, to, a, &miss);
    region_side_exit(r, (struct side_exit){ .from = miss,
                                            .kind = a.align > 1 && !a.exact ? SIDE_EXIT_ALIGNED : SIDE_EXIT_SLOW,
                                            .access = a,
                                            .back = back });
}
/* Where the access is in the host's memory. */
static struct host_place access_place(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_access a = { HOST_A, e->write, 0, (u16)access_size(e), (u16)access_align(e), false };
    if (!is_plain(r, o, e)) {
        address(r, o, e);
        translate(r, HOST_A, a);
        return (struct host_place){ HOST_A, HOST_NONE, 0 };
    }
    a.base = (u8)r->pin[o->n];
    a.offset = o->imm;
    if (r->group == o->n && o->imm >= r->group_from && o->imm + access_size(e) <= r->group_to &&
        (r->group_write || !e->write) && access_align(e) <= r->group_align &&
        (o->imm - r->group_from) % access_align(e) == 0)
        return (struct host_place){ HOST_GROUP, a.base, o->imm };
    if (e->sp)
        slow_if_not(r, host_test_mask(&r->h, a.base, 15));
    struct host_access all = a;
    if (!group_find(r, o, e, &all)) {
        translate(r, HOST_A, a);
        return (struct host_place){ HOST_A, a.base, o->imm };
    }
    translate(r, HOST_GROUP, all);
    r->group = o->n;
    r->group_from = all.offset;
    r->group_to = all.offset + all.size;
    r->group_align = all.align;
    r->group_write = e->write;
    return (struct host_place){ HOST_GROUP, a.base, o->imm };
}
static struct host_place place_after(struct host_place p, s32 bytes)
{
    p.offset += bytes;
    return p;
}
static void write_back(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (e->form != MODE_pre && e->form != MODE_post)
        return;
    unsigned n = emit_get(r, o->n, HOST_B), d = emit_dest(r, o->n, HOST_B);
    host_alu_imm(&r->h, true, HOST_ADD, d, n, (u64)IMM_OF(o), false);
    emit_put(r, o->n, d);
}
static void load_to(struct region *r, const struct emit_row *e, unsigned d, struct host_place from)
{
    unsigned to = emit_dest(r, d, HOST_B);
    host_load(&r->h, e->log2, e->extend, to, from);
    emit_put(r, d, to);
}
static void store_from(struct region *r, const struct emit_row *e, unsigned d, struct host_place to)
{
    host_store(&r->h, e->log2, emit_get(r, d, HOST_B), to);
}
void emit_load(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    write_back(r, o, e);
    load_to(r, e, o->d, p);
}
void emit_store(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    store_from(r, e, o->d, p);
    write_back(r, o, e);
}
void emit_load_pair(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    write_back(r, o, e);
    bool over = p.index != HOST_NONE && emit_dest(r, o->d, HOST_B) == p.index; /* the first overwrites the base */
    if (!over)
        load_to(r, e, o->d, p);
    load_to(r, e, o->a, place_after(p, 1 << e->log2));
    if (over && o->a != o->d)
        load_to(r, e, o->d, p);
}
void emit_store_pair(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    store_from(r, e, o->d, p);
    store_from(r, e, o->a, place_after(p, 1 << e->log2));
    write_back(r, o, e);
}
/* Those at a literal: PC, and a number. */
static struct host_place literal_place(struct region *r, const struct op *o, const struct emit_row *e)
{
    emit_pc(r, HOST_A, r->slot, (u64)IMM_OF(o));
    translate(r, HOST_A, (struct host_access){ HOST_A, false, 0, (u16)access_size(e), (u16)access_align(e), false });
    return (struct host_place){ HOST_A, HOST_NONE, 0 };
}
void emit_load_literal(struct region *r, const struct op *o, const struct emit_row *e)
{
    load_to(r, e, o->d, literal_place(r, o, e));
}
/* ---- those that are aligned whatever is checked: ordered, exclusive, atomic (cpu/insn/ldst.c, atomic.c) ---- */

/* Where the access is, as one of a group when its base has a register of the host's; HOST_A and HOST_B are free. */
static struct host_place exact_place(struct region *r, const struct op *o, const struct emit_row *e, bool write)
{
    struct host_access a = { HOST_GROUP, write, 0, (u16)(1 << e->log2), (u16)(1 << e->log2), true };
    bool pinned = r->pin[o->n] >= 0;
    unsigned n = emit_get(r, o->n, HOST_GROUP);
    r->group = -1;
    if (o->n == REG_SP)
        slow_if_not(r, host_test_mask(&r->h, n, 15));
    a.base = (u8)n;
    translate(r, HOST_GROUP, a);
    if (!pinned)
        return (struct host_place){ HOST_GROUP, HOST_NONE, 0 };
    r->group = o->n;
    r->group_from = 0;
    r->group_to = r->group_align = a.size;
    r->group_write = write;
    return (struct host_place){ HOST_GROUP, a.base, 0 };
}
void emit_load_ordered(struct region *r, const struct op *o, const struct emit_row *e)
{
    load_to(r, e, o->d, exact_place(r, o, e, false));
}
void emit_store_ordered(struct region *r, const struct op *o, const struct emit_row *e)
{
    store_from(r, e, o->d, exact_place(r, o, e, true));
}

/* Is a store exclusive at the same place what comes next of the kind, in a straight line? Then one compare does for
 * both. */
static bool stored_soon(const struct region *r, const struct op *o, const struct emit_row *e)
{
    if (emit_uses(r->letters[r->slot], o).writes >> o->n & 1)
        return false;
    for (unsigned slot = r->slot + 1; slot <= r->slot + LOOK_AHEAD && slot < CODE_SLOTS && r->in[slot]; slot++) {
        const struct emit_row *next = r->row[slot];
        if (!next || (next->flow != FLOW_NEXT && next->flow != FLOW_IF) || r->label[slot] || r->entry[slot])
            return false;
        if (next->emit == emit_store_exclusive)
            return r->ops[slot].n == o->n && next->log2 == e->log2;
        if (emit_uses(r->letters[slot], &r->ops[slot]).writes >> o->n & 1)
            return false;
    }
    return false;
}
void emit_load_exclusive(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = exact_place(r, o, e, r->pin[o->n] >= 0 && stored_soon(r, o, e));
    host_physical(&r->h, HOST_B, emit_get(r, o->n, HOST_A));
    host_store(&r->h, 3, HOST_B, HOST_CPU_PLACE(CPU(excl_pa)));
    host_store_imm(&r->h, 3, 1u << e->log2, HOST_CPU_PLACE(CPU(excl_size)));
    host_store_imm(&r->h, 2, 1, HOST_CPU_PLACE(CPU(excl_valid)));
    load_to(r, e, o->d, p);
    r->monitor = o->n;
    r->monitor_log2 = e->log2;
}
/* One that follows its load passes: nothing in between opens the monitor but leaving the region. Others are the
 * handler's. */
void emit_store_exclusive(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (r->monitor != o->n || r->monitor_log2 != e->log2 || r->group != o->n || !r->group_write || r->group_from ||
        r->group_to != 1 << e->log2) {
        region_side_exit(r, (struct side_exit){ .from = host_jump(&r->h), .kind = SIDE_EXIT_SLOW });
        return;
    }
    store_from(r, e, o->d, (struct host_place){ HOST_GROUP, (u8)r->pin[o->n], 0 });
    host_store_imm(&r->h, 2, 0, HOST_CPU_PLACE(CPU(excl_valid)));
    unsigned status = emit_dest(r, o->a, HOST_A);
    host_imm(&r->h, status, 0);
    emit_put(r, o->a, status);
    r->monitor = -1;
}

/* x[n] as a number of the access's size, signed or not, in a register of its own where that takes work. */
static unsigned reg_sized(struct region *r, unsigned n, const struct emit_row *e, bool sign, unsigned scratch)
{
    unsigned m = emit_get(r, n, scratch), lost = 32 - (8u << e->log2);
    if (e->log2 >= 2)
        return m;
    host_field(&r->h, false, sign, lost, lost, scratch, m);
    return scratch;
}
/* HOST_A = the greater, or the lesser, of what was loaded into HOST_B and x[m]. */
static void atomic_choose(struct region *r, const struct op *o, const struct emit_row *e)
{
    static const u8 when[] = { [ATOMIC_SMAX] = CONDITION_gt,
                               [ATOMIC_SMIN] = CONDITION_lt,
                               [ATOMIC_UMAX] = CONDITION_hi,
                               [ATOMIC_UMIN] = CONDITION_cc };
    bool sign = e->op == ATOMIC_SMAX || e->op == ATOMIC_SMIN, w = e->log2 == 3;
    unsigned m = reg_sized(r, o->m, e, sign, HOST_A);
    host_alu(&r->h, w, HOST_SUB, HOST_C, HOST_B, m, true);
    host_select(&r->h, w, host_condition(&r->h, when[e->op]), HOST_A, HOST_B, m);
    r->h.hf = HF_NONE; /* it was no flag of the guest's */
}
void emit_atomic(struct region *r, const struct op *o, const struct emit_row *e)
{
    static const u8 ops[] = {
        [ATOMIC_ADD] = HOST_ADD, [ATOMIC_CLR] = HOST_AND, [ATOMIC_EOR] = HOST_XOR, [ATOMIC_SET] = HOST_OR
    };
    struct host_place p = exact_place(r, o, e, true);
    bool sign = e->op == ATOMIC_SMAX || e->op == ATOMIC_SMIN;
    unsigned value = HOST_A, lost = 32 - (8u << e->log2);
    host_load(&r->h, e->log2, sign && e->log2 < 2 ? HOST_SIGN_W : HOST_ZERO, HOST_B, p);
    if (e->op == ATOMIC_SWP) {
        value = emit_get(r, o->m, HOST_A);
    } else if (e->op >= ATOMIC_SMAX) {
        atomic_choose(r, o, e);
    } else {
        unsigned m = emit_get(r, o->m, HOST_A);
        if (e->op == ATOMIC_CLR) {
            host_not(&r->h, true, HOST_A, m);
            m = HOST_A;
        }
        host_alu(&r->h, true, ops[e->op], HOST_A, HOST_B, m, false);
    }
    host_store(&r->h, e->log2, value, p);
    if (sign && e->log2 < 2)
        host_field(&r->h, false, false, lost, lost, HOST_B, HOST_B);
    emit_put(r, o->d, HOST_B);
}
void emit_compare_and_swap(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = exact_place(r, o, e, true);
    unsigned wanted = reg_sized(r, o->a, e, false, HOST_A);
    host_load(&r->h, e->log2, HOST_ZERO, HOST_B, p);
    host_alu(&r->h, e->log2 == 3, HOST_SUB, HOST_C, HOST_B, wanted, true);
    host_fix over = host_jump_if(&r->h, host_condition(&r->h, CONDITION_ne));
    host_store(&r->h, e->log2, emit_get(r, o->d, HOST_A), p);
    host_fix_to(&r->h, over, r->h.p);
    r->h.hf = HF_NONE;
    emit_put(r, o->a == REG_ZR ? REG_TRASH : o->a, HOST_B);
}

/* ---- loads and stores of FP and SIMD registers ---- */

static s32 v_at(unsigned n) { return CPU(v) + 16 * (s32)n; }
/* On the ways here that had this instruction in front, nothing changed what FP instructions may do. */
static void fp_check(struct region *r)
{
    if (!r->fp_checked)
        slow_if_not(r, host_test_cpu(&r->h, CPU(d.fp_trapped), 0));
    r->fp_checked = true;
}
static void vector_load(struct region *r, const struct emit_row *e, unsigned d, struct host_place from)
{
    if (e->log2 == 4) {
        host_copy16(&r->h, HOST_CPU_PLACE(v_at(d)), from);
        return;
    }
    host_load(&r->h, e->log2, HOST_ZERO, HOST_B, from);
    host_store(&r->h, 3, HOST_B, HOST_CPU_PLACE(v_at(d)));
    host_store(&r->h, 3, emit_get(r, REG_ZR, HOST_B), HOST_CPU_PLACE(v_at(d) + 8));
}
static void vector_store(struct region *r, const struct emit_row *e, unsigned d, struct host_place to)
{
    if (e->log2 == 4) {
        host_copy16(&r->h, to, HOST_CPU_PLACE(v_at(d)));
        return;
    }
    host_load(&r->h, e->log2, HOST_ZERO, HOST_B, HOST_CPU_PLACE(v_at(d)));
    host_store(&r->h, e->log2, HOST_B, to);
}
void emit_vector(struct region *r, const struct op *o, const struct emit_row *e)
{
    void (*transfer)(struct region * r, const struct emit_row *e, unsigned d, struct host_place p) =
        e->write ? vector_store : vector_load;
    fp_check(r);
    struct host_place p = access_place(r, o, e);
    transfer(r, e, o->d, p);
    if (e->pair)
        transfer(r, e, o->a, place_after(p, 1 << e->log2));
    write_back(r, o, e);
}
void emit_vector_literal(struct region *r, const struct op *o, const struct emit_row *e)
{
    fp_check(r);
    vector_load(r, e, o->d, literal_place(r, o, e));
}
#endif
