/* See cpu/ops/simd_lib.h. Arm ARM C7.2 and J1.1.3 (SatQ, Elem, Int). */
#include "cpu/ops/simd_lib.h"

/* ---- what results are made of ---- */

static s128 saturate(struct lane *l, s128 low, s128 high, s128 v)
{
    if (v >= low && v <= high)
        return v;
    l->fpsr |= (u32)BIT(FPSR_QC_BIT);
    return v < low ? low : high;
}

static s128 sat_s(struct lane *l, int size, s128 v)
{
    s128 limit = (s128)1 << (size - 1);
    return saturate(l, -limit, limit - 1, v);
}

static s128 sat_u(struct lane *l, int size, s128 v) { return saturate(l, 0, ((s128)1 << size) - 1, v); }

static s128 signed_of(s128 v, int size) { return (s64)sext((u64)v, (unsigned)size); }
static s128 distance(s128 a, s128 b) { return a > b ? a - b : b - a; }

/*
 * v * 2^amount, rounded to nearest (half up) or down when amount is negative; |v| <= 2^64, amount -128..127. What does
 * not fit in 128 bits has 64 zeros below and is past any saturation bound: 2^100 stands for it.
 */
static s128 shift_by(s128 v, int amount, bool rounding)
{
    if (amount > 63)
        return v == 0 ? 0 : v < 0 ? -((s128)1 << 100) : (s128)1 << 100;
    if (amount >= 0)
        return v * ((s128)1 << amount);
    int right = -amount;
    if (right > 66)
        return rounding || v >= 0 ? 0 : -1;
    return (v + (rounding ? (s128)1 << (right - 1) : 0)) >> right;
}

static s128 count_zero(u64 v, int size)
{
    v &= ones((unsigned)size);
    return v ? __builtin_clzll(v) - (64 - size) : size;
}

/* Bits after the sign bit that equal it. */
static s128 count_sign(u64 v, int size)
{
    u64 s = sext(v, (unsigned)size);
    return count_zero((s ^ s << 1) >> 1, size - 1);
}

u16 poly_mul8(u8 a, u8 b)
{
    unsigned r = 0;
    for (unsigned n = 0; n < 8; n++)
        r ^= b >> n & 1 ? (unsigned)a << n : 0;
    return (u16)r;
}

union vreg poly_mul64(u64 a, u64 b)
{
    /* Four bits of b at a time, from the top. */
    u128 multiple[16] = { 0, a };
    for (unsigned n = 2; n < 16; n += 2) {
        multiple[n] = multiple[n / 2] << 1;
        multiple[n + 1] = multiple[n] ^ a;
    }
    u128 r = 0;
    for (int n = 60; n >= 0; n -= 4)
        r = r << 4 ^ multiple[b >> n & 15];
    return (union vreg){ .d = { (u64)r, (u64)(r >> 64) } };
}

/* ---- elements ---- */

static u64 element_get(const union vreg *v, unsigned esize, unsigned n)
{
    switch (esize) {
    case 8: return v->b[n & 15];
    case 16: return v->h[n & 7];
    case 32: return v->s[n & 3];
    default: return v->d[n & 1];
    }
}

static void element_set(union vreg *v, unsigned esize, unsigned n, u64 value)
{
    switch (esize) {
    case 8: v->b[n & 15] = (u8)value; break;
    case 16: v->h[n & 7] = (u16)value; break;
    case 32: v->s[n & 3] = (u32)value; break;
    default: v->d[n & 1] = value;
    }
}

static s128 element_int(const union vreg *v, unsigned esize, unsigned n, bool is_signed)
{
    u64 value = element_get(v, esize, n);
    return is_signed ? (s128)(s64)sext(value, esize) : (s128)value;
}

/* ---- the walk ---- */

struct element_ref {
    unsigned reg, index;
};

/* Vm.Ts[index] of the by-element forms: halfwords have four bits of register and H:L:M, words five and H:L. */
static struct element_ref element_ref(u32 word, unsigned esize)
{
    unsigned hl = (unsigned)(bit(word, 11) << 1 | bit(word, 21));
    if (esize == 16)
        return (struct element_ref){ (unsigned)bits(word, 19, 16), hl << 1 | (unsigned)bit(word, 20) };
    return (struct element_ref){ (unsigned)bits(word, 20, 16), hl };
}

void simd_lanes(struct cpu *cpu, u32 word, unsigned how, lane_fn *fn)
{
    bool scalar = bit(word, 28), q = bit(word, 30), is_signed = how & LANE_S;
    unsigned immh = (unsigned)bits(word, 22, 19), immhb = (unsigned)bits(word, 22, 16);
    struct lane l = { .esize = 8u << bits(word, 23, 22) };
    if (how & (SHR | SHL)) {
        l.esize = 8u << (31 - (unsigned)__builtin_clz(immh | 1));
        l.shift = how & SHR ? 2 * l.esize - immhb : immhb - l.esize;
    }
    bool narrow = (how & N2) && !(how & D2), doubled = how & (N2 | D2);
    unsigned count = scalar ? 1 : (doubled || !q ? 64 : 128) / l.esize;
    unsigned upper = doubled && q && !scalar ? count : 0; /* first lane of the half that Q chooses */
    unsigned dsize = how & D2 ? l.esize * 2 : l.esize, nsize = how & N2 ? l.esize * 2 : l.esize;
    unsigned msize = how & M2 ? l.esize * 2 : l.esize, m_reg = (unsigned)bits(word, 20, 16);
    struct element_ref x = element_ref(word, l.esize);

    union vreg d = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[how & LANE_X ? x.reg : m_reg],
               r = { { 0, 0 } };
    if (narrow && upper)
        r.d[0] = d.d[0];
    for (unsigned k = 0; k < count; k++) {
        unsigned d_at = how & D2 ? k : upper + k, n_at = how & N2 ? k : upper + k;
        unsigned m_at = how & LANE_X ? x.index : how & M2 ? k : upper + k;
        s128 v = fn(&l, element_int(&d, dsize, d_at, is_signed), element_int(&n, nsize, n_at, is_signed),
                    element_int(&m, msize, m_at, is_signed));
        element_set(&r, dsize, d_at, (u64)v);
    }
    cpu->v[word & 31] = r;
    cpu->fpsr |= l.fpsr;
}

/* ---- dot products and matrices of bytes ---- */

static u32 byte_product(u8 a, u8 b, bool signed_a, bool signed_b)
{
    s32 x = signed_a ? (s8)a : a, y = signed_b ? (s8)b : b;
    return (u32)(x * y);
}

void simd_dot(struct cpu *cpu, u32 word, bool signed_n, bool signed_m, bool by_element)
{
    union vreg r = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[word >> 16 & 31];
    unsigned index = (unsigned)(bit(word, 11) << 1 | bit(word, 21)), q = (unsigned)bit(word, 30);
    for (unsigned k = 0; k < (q ? 4 : 2); k++)
        for (unsigned j = 0; j < 4; j++)
            r.s[k] += byte_product(n.b[4 * k + j], m.b[4 * (by_element ? index : k) + j], signed_n, signed_m);
    if (!q)
        r.d[1] = 0;
    cpu->v[word & 31] = r;
}

void simd_matrix(struct cpu *cpu, u32 word, bool signed_n, bool signed_m)
{
    union vreg r = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[word >> 16 & 31];
    for (unsigned k = 0; k < 4; k++)
        for (unsigned j = 0; j < 8; j++)
            r.s[k] += byte_product(n.b[k / 2 * 8 + j], m.b[k % 2 * 8 + j], signed_n, signed_m);
    cpu->v[word & 31] = r;
}

/* ---- the rows ---- */

#define LANES(id, forms, how, result)                                                                                  \
    s128 lane_##id(struct lane *l, s128 d, s128 n, s128 m)                                                             \
    {                                                                                                                  \
        (void)l, (void)d, (void)n, (void)m;                                                                            \
        return (s128)(result);                                                                                         \
    }
#include "cpu/ops/simd_lanes.def"
