/*
 * The emitters of cpu/tier2/emit.def. Each does what the body of its row does (cpu/insn), in the same order: what can
 * fail comes before what is committed, and then the handler does the instruction from the start. Every result is stored
 * in struct cpu at once, so that all state is in place at each instruction's end.
 */
#include "cpu/tier2/emit.h"

#include "cpu/insn/decode_int.h"
#include "cpu/insn/op.h"
#include "cpu/ops/alu.h"

#ifndef HOST_WITHOUT_TIER

static s32 x_at(unsigned n) { return CPU(x) + 8 * (s32)n; }

/* ---- the guest's registers ---- */

unsigned emit_get(struct region *r, unsigned n, unsigned scratch)
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
unsigned emit_dest(const struct region *r, unsigned n, unsigned scratch)
{
    return n != REG_TRASH && r->pin[n] >= 0 ? (unsigned)r->pin[n] : scratch;
}
/*
 * Looks at what follows an instruction in a straight line: does something write x[n] (the flags, for NZCV) before
 * anything reads it from struct cpu, and before the region may be left? Then nobody sees the value there.
 */
enum { NZCV = REG_COUNT };
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

void emit_put(struct region *r, unsigned n, unsigned value)
{
    if (n == REG_TRASH)
        return;
    if (r->pin[n] >= 0)
        host_mov(&r->h, true, (unsigned)r->pin[n], value);
    if (r->unstored >> n & 1 || overwritten(r, n))
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
    u16 is = (u16)((e->reads_d ? READS_D : 0) | (e->writes_n ? WRITES_N : 0) | (e->swaps_a ? READS_A | WRITES_A : 0));
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

void emit_pc(struct region *r, unsigned d, unsigned slot, u64 offset)
{
    host_load(&r->h, 3, HOST_ZERO, d, HOST_CPU_PLACE(CPU(fetch_va)));
    host_alu_imm(&r->h, true, HOST_ADD, d, d, 4 * (u64)slot + offset, false);
}

/* The host's condition for the guest's. Flags that wait are the host's wherever somebody asks (cpu/tier2/loop.c). */
static unsigned condition_get(struct region *r, unsigned condition)
{
    r->h.astray |= r->flags_now != FLAGS_STORED && !host_holds(r->h.hf, condition);
    return host_condition(&r->h, condition);
}

/* ---- data processing, immediate ---- */

static void emit_adr(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned d = emit_dest(r, o->d, HOST_A);
    if (e->form)
        emit_pc(r, d, 0, (u64)IMM_OF(o) << 12);
    else
        emit_pc(r, d, r->slot, (u64)IMM_OF(o));
    emit_put(r, o->d, d);
}

u64 emit_immediate(const struct op *o, const struct emit_row *e)
{
    switch (e->form) {
    case IMM_PATTERN: return e->w ? (u64)(u32)o->imm * 0x100000001ull : (u64)(u32)o->imm;
    case IMM_LONG: return ror_n(ones((o->imm & 63) + 1), 64, o->imm >> 6 & 63);
    default: return (u64)IMM_OF(o);
    }
}
/* Where it is made: of a comparison whose flags wait, nowhere. */
static unsigned result_dest(const struct region *r, const struct op *o, const struct emit_row *e)
{
    bool nowhere = o->d == REG_TRASH && r->waits[r->slot] && (e->op == HOST_SUB || e->op == HOST_AND);
    return nowhere ? (unsigned)HOST_NONE : emit_dest(r, o->d, HOST_A);
}
/* The result of an operation, and its flags. */
static void result(struct region *r, const struct op *o, const struct emit_row *e, unsigned d)
{
    if (e->flags && r->waits[r->slot])
        loop_flags_wait(r);
    else if (e->flags && !overwritten(r, NZCV))
        host_flags_store(&r->h, d);
    emit_put(r, o->d, d);
}
void emit_alu_imm(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), d = result_dest(r, o, e);
    host_alu_imm(&r->h, e->w, e->op, d, n, emit_immediate(o, e), e->flags);
    result(r, o, e, d);
}

static void emit_mov_wide(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned d = emit_dest(r, o->d, HOST_A);
    u64 v = (u64)(u32)o->imm << o->m;
    host_imm(&r->h, d, SIZED(e->w, e->invert ? ~v : v));
    emit_put(r, o->d, d);
}
static void emit_mov_keep(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (o->d == REG_TRASH)
        return;
    unsigned n = emit_get(r, o->d, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_alu_imm(&r->h, e->w, HOST_AND, d, n, ~(0xffffull << o->m), false);
    if (o->imm)
        host_alu_imm(&r->h, e->w, HOST_OR, d, d, (u64)(u32)o->imm << o->m, false);
    emit_put(r, o->d, d);
}

static void emit_field(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_field(&r->h, e->w, e->sign, o->imm & 63, o->imm >> 8 & 63, d, n);
    emit_put(r, o->d, d);
}
static void emit_shift_imm(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_shift_imm(&r->h, e->w, e->op, d, n, (unsigned)o->imm);
    emit_put(r, o->d, d);
}
static void emit_insert(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned lsb = o->imm & 63, top = o->imm >> 6 & 63, size = e->w ? 64 : 32;
    if (o->d == REG_TRASH)
        return;
    u64 mask = top >= lsb ? ones(top - lsb + 1) : ones(top + 1) << (size - lsb);
    unsigned n = emit_get(r, o->n, HOST_A);
    if (top >= lsb)
        host_shift_imm(&r->h, e->w, HOST_LSR, HOST_A, n, lsb);
    else
        host_shift_imm(&r->h, e->w, HOST_LSL, HOST_A, n, size - lsb);
    host_alu_imm(&r->h, e->w, HOST_AND, HOST_A, HOST_A, mask, false);
    unsigned old = emit_get(r, o->d, HOST_B), d = emit_dest(r, o->d, HOST_B);
    host_alu_imm(&r->h, e->w, HOST_AND, d, old, ~mask, false);
    host_alu(&r->h, e->w, HOST_OR, d, d, HOST_A, false);
    emit_put(r, o->d, d);
}
static void emit_extract(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), m = emit_get(r, o->m, HOST_B), d = emit_dest(r, o->d, HOST_A);
    host_extract(&r->h, e->w, d, n, m, (unsigned)o->imm);
    emit_put(r, o->d, d);
}

/* ---- data processing, register ---- */

static void emit_mov(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned m = emit_get(r, o->m, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_mov(&r->h, e->w, d, m);
    emit_put(r, o->d, d);
}

/* n, and m as it was made. */
static void alu_second(struct region *r, const struct op *o, const struct emit_row *e, unsigned m)
{
    if (e->invert) {
        host_not(&r->h, e->w, HOST_B, m);
        m = HOST_B;
    }
    unsigned n = emit_get(r, o->n, HOST_A), d = result_dest(r, o, e);
    host_alu(&r->h, e->w, e->op, d, n, m, e->flags);
    result(r, o, e, d);
}
void emit_alu(struct region *r, const struct op *o, const struct emit_row *e)
{
    alu_second(r, o, e, emit_get(r, o->m, HOST_B));
}
static void emit_alu_shifted(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned m = emit_get(r, o->m, HOST_B);
    if (o->imm) {
        host_shift_imm(&r->h, e->w, e->form, HOST_B, m, (unsigned)o->imm);
        m = HOST_B;
    }
    alu_second(r, o, e, m);
}
static void emit_alu_extended(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned lost = o->imm & 63, shift = o->imm >> 8 & 7, m = emit_get(r, o->m, HOST_B);
    host_field(&r->h, true, o->imm >> 16 & 1, lost, lost, HOST_B, m);
    host_shift_imm(&r->h, true, HOST_LSL, HOST_B, HOST_B, shift);
    alu_second(r, o, e, HOST_B);
}

static void emit_carry(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned m = emit_get(r, o->m, HOST_B);
    if (e->invert) {
        host_not(&r->h, e->w, HOST_B, m);
        m = HOST_B;
    }
    unsigned n = emit_get(r, o->n, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_adc(&r->h, e->w, d, n, m, e->flags);
    result(r, o, e, d);
}

/* The comparison, where it is made. */
static void compare(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A);
    if (e->form)
        host_alu_imm(&r->h, e->w, e->op, HOST_A, n, o->m, true);
    else
        host_alu(&r->h, e->w, e->op, HOST_A, n, emit_get(r, o->m, HOST_B), true);
    host_flags_store(&r->h, HOST_A);
}
void emit_compare_if(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned condition = (unsigned)o->imm >> 4;
    if (condition >= CONDITION_al) {
        compare(r, o, e);
        return;
    }
#ifdef HOST_COMPARES_IF
    unsigned n = emit_get(r, o->n, HOST_A), m = e->form ? o->m : emit_get(r, o->m, HOST_B);
    host_compare_if(&r->h, e->w, e->op, n, m, e->form, condition, o->imm & 15);
#else
    host_fix other = host_jump_if(&r->h, host_opposite(condition_get(r, condition)));
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
        return emit_get(r, o->m, HOST_B);
    unsigned m = emit_get(r, o->m, HOST_A);
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
void emit_select(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned d = emit_dest(r, o->d, HOST_A);
    if (e->condition >= CONDITION_al) {
        host_mov(&r->h, e->w, d, emit_get(r, o->n, HOST_A));
    } else {
        unsigned m = select_other(r, o, e), n = emit_get(r, o->n, HOST_A);
        host_select(&r->h, e->w, condition_get(r, e->condition), d, n, m);
    }
    emit_put(r, o->d, d);
}

static void emit_shift(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), m = emit_get(r, o->m, HOST_B), d = emit_dest(r, o->d, HOST_A);
    host_shift(&r->h, e->w, e->op, d, n, m);
    emit_put(r, o->d, d);
}
static void emit_clz(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_clz(&r->h, e->w, d, n);
    emit_put(r, o->d, d);
}
static void emit_rev(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), d = emit_dest(r, o->d, HOST_A);
    host_rev(&r->h, e->w, d, n);
    emit_put(r, o->d, d);
}
static void emit_udiv(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), m = emit_get(r, o->m, HOST_B), d = emit_dest(r, o->d, HOST_A);
    host_udiv(&r->h, e->w, d, n, m);
    emit_put(r, o->d, d);
}
/* RA plus or minus the product in HOST_A. */
static void accumulate(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned a = emit_get(r, o->a, HOST_B), d = emit_dest(r, o->d, HOST_A);
    host_alu(&r->h, e->w, e->op, d, a, HOST_A, false);
    emit_put(r, o->d, d);
}
static void emit_multiply(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), m = emit_get(r, o->m, HOST_B);
    host_mul(&r->h, e->w, HOST_A, n, m);
    if (o->a == REG_ZR && e->op == HOST_ADD)
        emit_put(r, o->d, HOST_A);
    else
        accumulate(r, o, e);
}
static void emit_multiply_long(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A);
    host_field(&r->h, true, e->sign, 32, 32, HOST_A, n);
    unsigned m = emit_get(r, o->m, HOST_B);
    host_field(&r->h, true, e->sign, 32, 32, HOST_B, m);
    host_mul(&r->h, true, HOST_A, HOST_A, HOST_B);
    accumulate(r, o, e);
}
static void emit_multiply_high(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned n = emit_get(r, o->n, HOST_A), m = emit_get(r, o->m, HOST_B), d = emit_dest(r, o->d, HOST_A);
    host_mul_high(&r->h, e->sign, d, n, m);
    emit_put(r, o->d, d);
}

static void emit_nothing(struct region *r, const struct op *o, const struct emit_row *e) { (void)r, (void)o, (void)e; }

/* ---- branches ---- */

static void link(struct region *r)
{
    unsigned d = emit_dest(r, 30, HOST_B);
    emit_pc(r, d, r->slot + 1, 0);
    emit_put(r, 30, d);
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
    unsigned zero = host_test_zero(&r->h, e->w, emit_get(r, o->d, HOST_A));
    region_take_if(r, e->invert ? host_opposite(zero) : zero, region_target(r->page, o, e));
}
static void emit_near_bit(struct region *r, const struct op *o, const struct emit_row *e)
{
    unsigned clear = host_test_bit(&r->h, emit_get(r, o->d, HOST_A), o->n);
    region_take_if(r, e->invert ? host_opposite(clear) : clear, region_target(r->page, o, e));
}
void emit_near_if(struct region *r, const struct op *o, const struct emit_row *e)
{
    if (e->condition >= CONDITION_al)
        region_take(r, region_target(r->page, o, e), false);
    else
        region_take_if(r, condition_get(r, e->condition), region_target(r->page, o, e));
}
static void emit_far(struct region *r, const struct op *o, const struct emit_row *e)
{
    (void)e;
    emit_pc(r, HOST_A, r->slot, (u64)IMM_OF(o));
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
    host_mov(&r->h, true, HOST_A, emit_get(r, o->n, HOST_A));
    host_leave_far(&r->h, r->slot, r->counts);
}
static void emit_far_register_call(struct region *r, const struct op *o, const struct emit_row *e)
{
    (void)e;
    host_mov(&r->h, true, HOST_A, emit_get(r, o->n, HOST_A)); /* may be X30 */
    link(r);
    host_leave_far(&r->h, r->slot, r->counts);
}

/* ---- the rows ---- */

#define INSN(id, pattern, ...) MAYBE_UNUSED static const char pattern_##id[] = pattern;
#include "cpu/insn/insn_all.def"

#define E(id, ...)        op_fn thr_##id;
#define E_S(id, ...)      op_fn thr_##id##_0, thr_##id##_1;
#define E_N(id, ...)      E_S(id)
#define E_Z(id, ...)      op_fn thr_##id##_0, thr_##id##_1, thr_##id##_2, thr_##id##_3;
#define E_NEAR(id, ...)   op_fn near_##id;
#define E_NEAR_S(id, ...) op_fn near_##id##_0, near_##id##_1;
#include "cpu/tier2/emit.def"

#define ROW(handler, id, emitter, ...) { .fn = handler, .pattern = pattern_##id, .emit = emit_##emitter, __VA_ARGS__ },
#define E(id, emitter, ...)   ROW(thr_##id, id, emitter, __VA_ARGS__)
#define E_S(id, ...)          ROW(thr_##id##_0, id, __VA_ARGS__, .w = 0) ROW(thr_##id##_1, id, __VA_ARGS__, .w = 1)
#define E_N(id, ...)                                                                                                   \
    ROW(thr_##id##_0, id, __VA_ARGS__, .exits = 1, .sp = 0) ROW(thr_##id##_1, id, __VA_ARGS__, .exits = 1, .sp = 1)
#define ROW_Z(id, z, ...) ROW(thr_##id##_##z, id, __VA_ARGS__, .exits = 1, .form = MODE_exact, .log2 = z)
#define E_Z(id, ...)                                                                                                   \
    ROW_Z(id, 0, __VA_ARGS__) ROW_Z(id, 1, __VA_ARGS__) ROW_Z(id, 2, __VA_ARGS__) ROW_Z(id, 3, __VA_ARGS__)
#define E_NEAR(id, ...)       ROW(near_##id, id, __VA_ARGS__)
#define E_NEAR_S(id, ...)     ROW(near_##id##_0, id, __VA_ARGS__, .w = 0) ROW(near_##id##_1, id, __VA_ARGS__, .w = 1)
const struct emit_row emit_rows[] = {
#include "cpu/tier2/emit.def"
};
const unsigned emit_row_count = ARRAY_LEN(emit_rows);
#endif
