/*
 * The emitters of cpu/tier2/emit.def. Each does what the body of its row does (cpu/insn), in the same order: what can
 * fail comes before what is committed, and then the handler does the instruction from the start. Every result is stored
 * in struct cpu at once, so that all state is in place at each instruction's end.
 */
#include "cpu/tier2/region.h"

#include "cpu/insn/decode_int.h"
#include "cpu/insn/op.h"
#include "cpu/ops/alu.h"

#ifndef HOST_WITHOUT_TIER

#define CPU(field) ((s32)offsetof(struct cpu, field))
static s32 x_at(unsigned n) { return CPU(x) + 8 * (s32)n; }

/* ---- the guest's registers ---- */

/* A host register with x[n]: its own, or `scratch`. The host's flags stay. */
static unsigned reg_get(struct region *r, unsigned n, unsigned scratch)
{
    if (n == REG_ZR && HOST_ZR >= 0)
        return HOST_ZR;
    if (n == REG_ZR)
        host_imm(&r->h, scratch, 0);
    else if (r->pin[n] >= 0)
        return (unsigned)r->pin[n];
    else
        host_load(&r->h, 3, HOST_ZERO, scratch, HOST_CPU_PLACE(x_at(n)));
    return scratch;
}
/* Where a result for x[n] may be made. */
static unsigned reg_dest(const struct region *r, unsigned n, unsigned scratch)
{
    return n != REG_TRASH && r->pin[n] >= 0 ? (unsigned)r->pin[n] : scratch;
}
/*
 * Looks at what follows an instruction in a straight line: does something write x[n] (the flags, for NZCV) before
 * anything reads it from struct cpu, and before the region may be left? Then nobody sees the value there.
 */
enum { NZCV = REG_COUNT, LOOK_AHEAD = 16 };
static bool overwritten(const struct region *r, unsigned n)
{
    if (r->row[r->slot]->flow != FLOW_NEXT) /* the link register: the next slot is executed after the call */
        return false;
    for (unsigned slot = r->slot + 1; slot <= r->slot + LOOK_AHEAD && slot < CODE_SLOTS && r->in[slot]; slot++) {
        const struct emit_row *e = r->row[slot];
        if (!e || e->exits || e->flow != FLOW_NEXT)
            return false;
        struct emit_uses u = emit_uses(r->letters[slot], &r->ops[slot]);
        if (n == NZCV ? e->reads_flags : u.reads >> n & 1 && r->pin[n] < 0)
            return false;
        if (n == NZCV ? e->flags || e->sets_flags : u.writes >> n & 1)
            return true;
    }
    return false;
}

/* The value is x[n] from now on. The host's flags stay. */
static void reg_put(struct region *r, unsigned n, unsigned value)
{
    if (n == REG_TRASH)
        return;
    if (r->pin[n] >= 0)
        host_mov(&r->h, true, (unsigned)r->pin[n], value);
    if (overwritten(r, n))
        return;
    host_store(&r->h, 3, value, HOST_CPU_PLACE(x_at(n)));
}

enum { READS_D = 1, READS_N = 2, READS_M = 4, READS_A = 8, WRITES_D = 16, WRITES_A = 32, WRITES_N = 64, WRITES_LINK = 128 };
u16 emit_letters(const struct emit_row *e)
{
    static const struct {
        char letter;
        u8 is;
    } letters[] = {
        { 'd', WRITES_D }, { 'D', WRITES_D }, { 't', READS_D }, { 'n', READS_N },
        { 'N', READS_N },  { 'm', READS_M },  { 'a', READS_A }, { 'b', WRITES_A },
    };
    u16 is = (u16)((e->reads_d ? READS_D : 0) | (e->writes_n ? WRITES_N : 0));
    for (unsigned n = 0; n < ARRAY_LEN(letters); n++)
        if (strchr(e->pattern, letters[n].letter))
            is |= letters[n].is;
    if (e->flow == FLOW_CALL || e->flow == FLOW_FAR_CALL)
        is |= WRITES_LINK;
    return is;
}
static u64 reg_bit(unsigned n) { return n == REG_ZR || n == REG_TRASH ? 0 : BIT(n); }
struct emit_uses emit_uses(u16 letters, const struct op *o)
{
    struct emit_uses u = { 0, 0 };
    u.reads = (letters & READS_D ? reg_bit(o->d) : 0) | (letters & READS_N ? reg_bit(o->n) : 0) |
              (letters & READS_M ? reg_bit(o->m) : 0) | (letters & READS_A ? reg_bit(o->a) : 0);
    u.writes = (letters & WRITES_D ? reg_bit(o->d) : 0) | (letters & WRITES_A ? reg_bit(o->a) : 0) |
               (letters & WRITES_N ? reg_bit(o->n) : 0) | (letters & WRITES_LINK ? BIT(30) : 0);
    return u;
}

/* PC of a slot plus an offset, into a register. */
static void pc_get(struct region *r, unsigned d, unsigned slot, u64 offset)
{
    host_load(&r->h, 3, HOST_ZERO, d, HOST_CPU_PLACE(CPU(fetch_va)));
    host_alu_imm(&r->h, true, HOST_ADD, d, d, 4 * (u64)slot + offset, false);
}

/* ---- data processing, immediate ---- */

static void emit_adr(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned d = reg_dest(r, o->d, HOST_A);
    if (e->form)
        pc_get(r, d, 0, (u64)IMM_OF(o) << 12);
    else
        pc_get(r, d, r->slot, (u64)IMM_OF(o));
    reg_put(r, o->d, d);
}

static u64 immediate(const struct op *o, const struct emit_row *e)
{
    switch (e->form) {
    case IMM_PATTERN: return e->w ? (u64)(u32)o->imm * 0x100000001ull : (u64)(u32)o->imm;
    case IMM_LONG: return ror_n(ones((o->imm & 63) + 1), 64, o->imm >> 6 & 63);
    default: return (u64)IMM_OF(o);
    }
}
/* The result of an operation, and its flags. */
static void result(struct region *r, const struct op *o, const struct emit_row *e, unsigned d)
{
    if (e->flags && !overwritten(r, NZCV))
        host_flags_store(&r->h, d);
    reg_put(r, o->d, d);
}
static void emit_alu_imm(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_alu_imm(&r->h, e->w, e->op, d, n, immediate(o, e), e->flags);
    result(r, o, e, d);
}

static void emit_mov_wide(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned d = reg_dest(r, o->d, HOST_A);
    u64 v = (u64)(u32)o->imm << o->m;
    host_imm(&r->h, d, SIZED(e->w, e->invert ? ~v : v));
    reg_put(r, o->d, d);
}
static void emit_mov_keep(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (o->d == REG_TRASH)
        return;
    unsigned n = reg_get(r, o->d, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_alu_imm(&r->h, e->w, HOST_AND, d, n, ~(0xffffull << o->m), false);
    if (o->imm)
        host_alu_imm(&r->h, e->w, HOST_OR, d, d, (u64)(u32)o->imm << o->m, false);
    reg_put(r, o->d, d);
}

static void emit_field(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_field(&r->h, e->w, e->sign, o->imm & 63, o->imm >> 8 & 63, d, n);
    reg_put(r, o->d, d);
}
static void emit_shift_imm(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_shift_imm(&r->h, e->w, e->op, d, n, (unsigned)o->imm);
    reg_put(r, o->d, d);
}
static void emit_insert(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned lsb = o->imm & 63, top = o->imm >> 6 & 63, size = e->w ? 64 : 32;
    if (o->d == REG_TRASH)
        return;
    u64 mask = top >= lsb ? ones(top - lsb + 1) : ones(top + 1) << (size - lsb);
    unsigned n = reg_get(r, o->n, HOST_A);
    if (top >= lsb)
        host_shift_imm(&r->h, e->w, HOST_LSR, HOST_A, n, lsb);
    else
        host_shift_imm(&r->h, e->w, HOST_LSL, HOST_A, n, size - lsb);
    host_alu_imm(&r->h, e->w, HOST_AND, HOST_A, HOST_A, mask, false);
    unsigned old = reg_get(r, o->d, HOST_B), d = reg_dest(r, o->d, HOST_B);
    host_alu_imm(&r->h, e->w, HOST_AND, d, old, ~mask, false);
    host_alu(&r->h, e->w, HOST_OR, d, d, HOST_A, false);
    reg_put(r, o->d, d);
}
static void emit_extract(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), m = reg_get(r, o->m, HOST_B), d = reg_dest(r, o->d, HOST_A);
    host_extract(&r->h, e->w, d, n, m, (unsigned)o->imm);
    reg_put(r, o->d, d);
}

/* ---- data processing, register ---- */

static void emit_mov(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned m = reg_get(r, o->m, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_mov(&r->h, e->w, d, m);
    reg_put(r, o->d, d);
}

/* n, and m as it was made. */
static void alu_second(struct region *r, const struct op *o, const struct emit_row *e, unsigned m)
{
    if (e->invert) {
        host_not(&r->h, e->w, HOST_B, m);
        m = HOST_B;
    }
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_alu(&r->h, e->w, e->op, d, n, m, e->flags);
    result(r, o, e, d);
}
static void emit_alu(struct region *r, const struct op *o, const struct emit_row *e)
{
    alu_second(r, o, e, reg_get(r, o->m, HOST_B));
}
static void emit_alu_shifted(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned m = reg_get(r, o->m, HOST_B);
    if (o->imm) {
        host_shift_imm(&r->h, e->w, e->form, HOST_B, m, (unsigned)o->imm);
        m = HOST_B;
    }
    alu_second(r, o, e, m);
}
static void emit_alu_extended(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned lost = o->imm & 63, shift = o->imm >> 8 & 7, m = reg_get(r, o->m, HOST_B);
    host_field(&r->h, true, o->imm >> 16 & 1, lost, lost, HOST_B, m);
    host_shift_imm(&r->h, true, HOST_LSL, HOST_B, HOST_B, shift);
    alu_second(r, o, e, HOST_B);
}

static void emit_carry(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned m = reg_get(r, o->m, HOST_B);
    if (e->invert) {
        host_not(&r->h, e->w, HOST_B, m);
        m = HOST_B;
    }
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_adc(&r->h, e->w, d, n, m, e->flags);
    result(r, o, e, d);
}

/* The comparison, where it is made. */
static void compare(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A);
    if (e->form)
        host_alu_imm(&r->h, e->w, e->op, HOST_A, n, o->m, true);
    else
        host_alu(&r->h, e->w, e->op, HOST_A, n, reg_get(r, o->m, HOST_B), true);
    host_flags_store(&r->h, HOST_A);
}
static void emit_compare_if(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned condition = (unsigned)o->imm >> 4;
    if (condition >= CONDITION_al) {
        compare(r, o, e);
        return;
    }
#ifdef HOST_COMPARES_IF
    unsigned n = reg_get(r, o->n, HOST_A), m = e->form ? o->m : reg_get(r, o->m, HOST_B);
    host_compare_if(&r->h, e->w, e->op, n, m, e->form, condition, o->imm & 15);
#else
    host_fix other = host_jump_if(&r->h, host_opposite(host_condition(&r->h, condition)));
    compare(r, o, e);
    host_fix done = host_jump(&r->h);
    host_fix_to(&r->h, other, r->h.p);
    host_flags_imm(&r->h, o->imm & 15);
    host_fix_to(&r->h, done, r->h.p);
    r->h.hf = HF_NONE;
#endif
}

enum { SELECT_PLAIN, SELECT_INC, SELECT_INV, SELECT_NEG };
/* The other value, into HOST_B or where it is; the host's flags stay. */
static unsigned select_other(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (e->form == SELECT_PLAIN)
        return reg_get(r, o->m, HOST_B);
    unsigned m = reg_get(r, o->m, HOST_A);
    if (e->form == SELECT_INC) {
        host_alu_imm(&r->h, true, HOST_ADD, HOST_B, m, 1, false);
        return HOST_B;
    }
    host_not(&r->h, true, HOST_B, m);
    if (e->form == SELECT_INV)
        return HOST_B;
    host_mov(&r->h, true, HOST_A, HOST_B);
    host_alu_imm(&r->h, true, HOST_ADD, HOST_B, HOST_A, 1, false); /* -m is NOT(m) + 1 */
    return HOST_B;
}
static void emit_select(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned d = reg_dest(r, o->d, HOST_A);
    if (e->condition >= CONDITION_al) {
        host_mov(&r->h, e->w, d, reg_get(r, o->n, HOST_A));
    } else {
        unsigned m = select_other(r, o, e), n = reg_get(r, o->n, HOST_A);
        host_select(&r->h, e->w, host_condition(&r->h, e->condition), d, n, m);
    }
    reg_put(r, o->d, d);
}

static void emit_shift(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), m = reg_get(r, o->m, HOST_B), d = reg_dest(r, o->d, HOST_A);
    host_shift(&r->h, e->w, e->op, d, n, m);
    reg_put(r, o->d, d);
}
static void emit_clz(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_clz(&r->h, e->w, d, n);
    reg_put(r, o->d, d);
}
static void emit_rev(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), d = reg_dest(r, o->d, HOST_A);
    host_rev(&r->h, e->w, d, n);
    reg_put(r, o->d, d);
}
static void emit_udiv(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), m = reg_get(r, o->m, HOST_B), d = reg_dest(r, o->d, HOST_A);
    host_udiv(&r->h, e->w, d, n, m);
    reg_put(r, o->d, d);
}
/* RA plus or minus the product in HOST_A. */
static void accumulate(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned a = reg_get(r, o->a, HOST_B), d = reg_dest(r, o->d, HOST_A);
    host_alu(&r->h, e->w, e->op, d, a, HOST_A, false);
    reg_put(r, o->d, d);
}
static void emit_multiply(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), m = reg_get(r, o->m, HOST_B);
    host_mul(&r->h, e->w, HOST_A, n, m);
    if (o->a == REG_ZR && e->op == HOST_ADD)
        reg_put(r, o->d, HOST_A);
    else
        accumulate(r, o, e);
}
static void emit_multiply_long(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A);
    host_field(&r->h, true, e->sign, 32, 32, HOST_A, n);
    unsigned m = reg_get(r, o->m, HOST_B);
    host_field(&r->h, true, e->sign, 32, 32, HOST_B, m);
    host_mul(&r->h, true, HOST_A, HOST_A, HOST_B);
    accumulate(r, o, e);
}
static void emit_multiply_high(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = reg_get(r, o->n, HOST_A), m = reg_get(r, o->m, HOST_B), d = reg_dest(r, o->d, HOST_A);
    host_mul_high(&r->h, e->sign, d, n, m);
    reg_put(r, o->d, d);
}

/* ---- loads and stores ---- */

static emit_fn emit_load_literal, emit_vector_literal;
static void slow_if_not(struct region *r, unsigned condition)
{
    region_side_exit(
        r, (struct side_exit){ .from = host_jump_if(&r->h, host_opposite(condition)), .kind = SIDE_EXIT_SLOW });
}
/* The address of an access into HOST_A: the mode's, or the handler's way where SP may be misaligned. */
static void address(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host *h = &r->h;
    unsigned n = reg_get(r, o->n, HOST_A);
    if (e->sp)
        slow_if_not(r, host_test_mask(h, n, 15));
    switch (e->form) {
    case MODE_post: host_mov(h, true, HOST_A, n); break;
    case MODE_regx:
    case MODE_regs: host_add_scaled(h, HOST_A, n, reg_get(r, o->m, HOST_B), e->form == MODE_regs ? e->log2 : 0); break;
    case MODE_reg:
    case MODE_ext: {
        unsigned lost = e->form == MODE_reg ? 32 : o->imm & 63, m = reg_get(r, o->m, HOST_B);
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
    *a = (struct host_access){ a->base, e->write, from, (u16)(to - from), (u16)align };
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
    region_side_exit(
        r, (struct side_exit){
               .from = miss, .kind = a.align > 1 ? SIDE_EXIT_ALIGNED : SIDE_EXIT_SLOW, .access = a, .back = back });
}
/* Where the access is in the host's memory. */
static struct host_place access_place(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_access a = { HOST_A, e->write, 0, (u16)access_size(e), (u16)access_align(e) };
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
    unsigned n = reg_get(r, o->n, HOST_B), d = reg_dest(r, o->n, HOST_B);
    host_alu_imm(&r->h, true, HOST_ADD, d, n, (u64)IMM_OF(o), false);
    reg_put(r, o->n, d);
}
static void load_to(struct region *r, const struct emit_row *e, unsigned d, struct host_place from)
{
    unsigned to = reg_dest(r, d, HOST_B);
    host_load(&r->h, e->log2, e->extend, to, from);
    reg_put(r, d, to);
}
static void store_from(struct region *r, const struct emit_row *e, unsigned d, struct host_place to)
{
    host_store(&r->h, e->log2, reg_get(r, d, HOST_B), to);
}
static void emit_load(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    write_back(r, o, e);
    load_to(r, e, o->d, p);
}
static void emit_store(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    store_from(r, e, o->d, p);
    write_back(r, o, e);
}
static void emit_load_pair(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    write_back(r, o, e);
    bool over = p.index != HOST_NONE && reg_dest(r, o->d, HOST_B) == p.index; /* the first overwrites the base */
    if (!over)
        load_to(r, e, o->d, p);
    load_to(r, e, o->a, place_after(p, 1 << e->log2));
    if (over && o->a != o->d)
        load_to(r, e, o->d, p);
}
static void emit_store_pair(struct region *r, const struct op *o, const struct emit_row *e)
{
    struct host_place p = access_place(r, o, e);
    store_from(r, e, o->d, p);
    store_from(r, e, o->a, place_after(p, 1 << e->log2));
    write_back(r, o, e);
}
/* Those at a literal: PC, and a number. */
static struct host_place literal_place(struct region *r, const struct op *o, const struct emit_row *e)
{
    pc_get(r, HOST_A, r->slot, (u64)IMM_OF(o));
    translate(r, HOST_A, (struct host_access){ HOST_A, false, 0, (u16)access_size(e), (u16)access_align(e) });
    return (struct host_place){ HOST_A, HOST_NONE, 0 };
}
static void emit_load_literal(struct region *r, const struct op *o, const struct emit_row *e)
{
    load_to(r, e, o->d, literal_place(r, o, e));
}
/* ---- loads and stores of FP and SIMD registers ---- */

static s32 v_at(unsigned n) { return CPU(v) + 16 * (s32)n; }
/* On the ways here that had this instruction in front, nothing changed what FP instructions may do. */
static void fp_check(struct region *r)
{
    if (!r->fp_checked)
        slow_if_not(r, host_test_cpu(&r->h, CPU(d.fp_trapped)));
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
    host_store(&r->h, 3, reg_get(r, REG_ZR, HOST_B), HOST_CPU_PLACE(v_at(d) + 8));
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
static void emit_vector(struct region *r, const struct op *o, const struct emit_row *e)
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
static void emit_vector_literal(struct region *r, const struct op *o, const struct emit_row *e)
{
    fp_check(r);
    vector_load(r, e, o->d, literal_place(r, o, e));
}
static void emit_nothing(struct region *r, const struct op *o, const struct emit_row *e) { (void)r, (void)o, (void)e; }

/* ---- branches ---- */

static void link(struct region *r)
{
    unsigned d = reg_dest(r, 30, HOST_B);
    pc_get(r, d, r->slot + 1, 0);
    reg_put(r, 30, d);
}
static void emit_near(struct region *r, const struct op *o, const struct emit_row *e)
{
    region_take(r, region_target(r->page, o, e), false);
}
static void emit_near_call(struct region *r, const struct op *o, const struct emit_row *e)
{
    link(r);
    region_take(r, region_target(r->page, o, e), true);
}
static void emit_near_zero(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned zero = host_test_zero(&r->h, e->w, reg_get(r, o->d, HOST_A));
    region_take_if(r, e->invert ? host_opposite(zero) : zero, region_target(r->page, o, e));
}
static void emit_near_bit(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned clear = host_test_bit(&r->h, reg_get(r, o->d, HOST_A), o->n);
    region_take_if(r, e->invert ? host_opposite(clear) : clear, region_target(r->page, o, e));
}
static void emit_near_if(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (e->condition >= CONDITION_al)
        region_take(r, region_target(r->page, o, e), false);
    else
        region_take_if(r, host_condition(&r->h, e->condition), region_target(r->page, o, e));
}
static void emit_far(struct region *r, const struct op *o, const struct emit_row *e)
{
    (void)e;
    pc_get(r, HOST_A, r->slot, (u64)IMM_OF(o));
    host_leave_far(&r->h, r->slot, r->counts);
}
static void emit_far_call(struct region *r, const struct op *o, const struct emit_row *e)
{
    link(r);
    emit_far(r, o, e);
}
static void emit_far_register(struct region *r, const struct op *o, const struct emit_row *e)
{
    (void)e;
    host_mov(&r->h, true, HOST_A, reg_get(r, o->n, HOST_A));
    host_leave_far(&r->h, r->slot, r->counts);
}
static void emit_far_register_call(struct region *r, const struct op *o, const struct emit_row *e)
{
    (void)e;
    host_mov(&r->h, true, HOST_A, reg_get(r, o->n, HOST_A)); /* may be X30 */
    link(r);
    host_leave_far(&r->h, r->slot, r->counts);
}

/* ---- the rows ---- */

#define INSN(id, pattern, ...) MAYBE_UNUSED static const char pattern_##id[] = pattern;
#include "cpu/insn/insn_all.def"

#define E(id, ...)        op_fn thr_##id;
#define E_S(id, ...)      op_fn thr_##id##_0, thr_##id##_1;
#define E_N(id, ...)      E_S(id)
#define E_NEAR(id, ...)   op_fn near_##id;
#define E_NEAR_S(id, ...) op_fn near_##id##_0, near_##id##_1;
#include "cpu/tier2/emit.def"

#define ROW(handler, id, emitter, ...) { .fn = handler, .pattern = pattern_##id, .emit = emit_##emitter, __VA_ARGS__ },
#define E(id, emitter, ...)   ROW(thr_##id, id, emitter, __VA_ARGS__)
#define E_S(id, ...)          ROW(thr_##id##_0, id, __VA_ARGS__, .w = 0) ROW(thr_##id##_1, id, __VA_ARGS__, .w = 1)
#define E_N(id, ...)                                                                                                   \
    ROW(thr_##id##_0, id, __VA_ARGS__, .exits = 1, .sp = 0) ROW(thr_##id##_1, id, __VA_ARGS__, .exits = 1, .sp = 1)
#define E_NEAR(id, ...)       ROW(near_##id, id, __VA_ARGS__)
#define E_NEAR_S(id, ...)     ROW(near_##id##_0, id, __VA_ARGS__, .w = 0) ROW(near_##id##_1, id, __VA_ARGS__, .w = 1)
const struct emit_row emit_rows[] = {
#include "cpu/tier2/emit.def"
};
const unsigned emit_row_count = ARRAY_LEN(emit_rows);
#endif
