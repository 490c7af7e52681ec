/* See cpu/ops/simd_fp_lib.h. Arm ARM C7.2 and J1.1.3 (Elem, Reduce, IsMerging), C5.2.8 (FPCR.NEP). */
#include "cpu/ops/simd_fp_lib.h"

/* ---- elements ---- */

static u64 element_get(const union vreg *v, enum fp_fmt fmt, unsigned n)
{
    return fmt == FP16 ? v->h[n & 7] : fmt == FP32 ? v->s[n & 3] : v->d[n & 1];
}

static void element_set(union vreg *v, enum fp_fmt fmt, unsigned n, u64 value)
{
    if (fmt == FP16)
        v->h[n & 7] = (u16)value;
    else if (fmt == FP32)
        v->s[n & 3] = (u32)value;
    else
        v->d[n & 1] = value;
}

static enum fp_fmt format_by_ftype(u32 word) { return bit(word, 23) ? FP16 : bit(word, 22) ? FP64 : FP32; }
static enum fp_fmt format_by_sz(u32 word) { return bit(word, 22) ? FP64 : FP32; }

static struct fp_lane lane_of(const struct cpu *cpu, u32 word, unsigned how)
{
    struct fp_lane l = { .env = { .fpcr = cpu->fpcr }, .rpres = cpu_has(cpu, FEAT_RPRES) };
    if (how & FP_FIXED) {
        unsigned immhb = (unsigned)bits(word, 22, 16);
        l.fmt = immhb & 64 ? FP64 : immhb & 32 ? FP32 : FP16;
        l.fbits = (32u << l.fmt) - immhb;
    } else {
        l.fmt = how & FP_HALF ? FP16 : how & FP_FTYPE ? format_by_ftype(word) : format_by_sz(word);
    }
    return l;
}

/* Vm.Ts[index] of the by-element forms: halves have four bits of register and H:L:M, the others five and H:L or H. */
struct element_ref {
    unsigned reg, index;
};
static struct element_ref element_ref(u32 word, enum fp_fmt fmt)
{
    unsigned h = bit(word, 11), hl = h << 1 | bit(word, 21);
    if (fmt == FP16)
        return (struct element_ref){ (unsigned)bits(word, 19, 16), hl << 1 | bit(word, 20) };
    return (struct element_ref){ (unsigned)bits(word, 20, 16), fmt == FP32 ? hl : h };
}

/* ---- the walks ---- */

void simd_fp(struct cpu *cpu, u32 word, unsigned how, fp_lane_fn *fn)
{
    struct fp_lane l = lane_of(cpu, word, how);
    unsigned count = how & FP_SCALAR ? 1 : (bit(word, 30) ? 8u : 4u) >> l.fmt;
    struct element_ref x = { (unsigned)bits(word, 20, 16), 0 };
    if (how & FP_ELEM)
        x = element_ref(word, l.fmt);
    union vreg d = cpu->v[how & FP_RA ? bits(word, 14, 10) : word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[x.reg];
    union vreg r = { { 0, 0 } };
    if (cpu->fpcr & FPCR_NEP) {
        if (how & (FP_MERGE_D | FP_MERGE_N | FP_MERGE_M))
            r = how & FP_MERGE_D ? d : how & FP_MERGE_N ? n : m;
    }
    for (unsigned k = 0; k < count; k++) {
        u64 a, b;
        if (how & FP_PAIR) {
            const union vreg *from = 2 * k < count ? &n : &m;
            unsigned at = 2 * k < count ? 2 * k : 2 * k - count;
            a = element_get(from, l.fmt, at), b = element_get(from, l.fmt, at + 1);
        } else {
            a = element_get(&n, l.fmt, k), b = element_get(&m, l.fmt, how & FP_ELEM ? x.index : k);
        }
        element_set(&r, l.fmt, k, fn(&l, element_get(&d, l.fmt, k), a, b));
    }
    cpu->v[word & 31] = r;
    cpu->fpsr |= l.env.fpsr;
}

void simd_fp_across(struct cpu *cpu, u32 word, enum fp_fmt fmt, fp_lane_fn *fn)
{
    struct fp_lane l = { .env = { .fpcr = cpu->fpcr }, .fmt = fmt };
    union vreg v = cpu->v[word >> 5 & 31], r = { { 0, 0 } };
    u64 e[8] = { 0 };
    unsigned count = (bit(word, 30) ? 8u : 4u) >> fmt;
    for (unsigned k = 0; k < count; k++)
        e[k] = element_get(&v, fmt, k);
    /* Reduce(): neighbours first, then the results, halves of halves. */
    for (; count > 1; count /= 2)
        for (unsigned k = 0; k < count / 2; k++)
            e[k] = fn(&l, 0, e[2 * k], e[2 * k + 1]);
    element_set(&r, fmt, 0, e[0]);
    cpu->v[word & 31] = r;
    cpu->fpsr |= l.env.fpsr;
}

void fp_write_scalar(struct cpu *cpu, unsigned d, u64 value, enum fp_fmt fmt)
{
    union vreg r = { { 0, 0 } };
    if (cpu->fpcr & FPCR_NEP)
        r = cpu->v[d];
    element_set(&r, fmt, 0, value);
    cpu->v[d] = r;
}

static struct fpenv env_of(const struct cpu *cpu) { return (struct fpenv){ .fpcr = cpu->fpcr }; }

/* ---- conversions between formats ---- */

void fp_scalar_convert(struct cpu *cpu, u32 word)
{
    static const enum fp_fmt opc[4] = { FP32, FP64, FP16, FP16 };
    enum fp_fmt from = format_by_ftype(word), to = opc[bits(word, 16, 15)];
    struct fpenv env = env_of(cpu);
    u64 v = fp_convert(element_get(&cpu->v[word >> 5 & 31], from, 0), from, to, fp_rmode(&env), &env);
    fp_write_scalar(cpu, word & 31, v, to);
    cpu->fpsr |= env.fpsr;
}

void simd_fp_narrow(struct cpu *cpu, u32 word, bool odd)
{
    enum fp_fmt from = format_by_sz(word), to = from == FP64 ? FP32 : FP16;
    union vreg n = cpu->v[word >> 5 & 31], r = { { 0, 0 } };
    unsigned count = 8u >> from, upper = bit(word, 30) ? count : 0;
    struct fpenv env = env_of(cpu);
    if (upper)
        r.d[0] = cpu->v[word & 31].d[0];
    for (unsigned k = 0; k < count; k++) {
        u64 v = fp_convert(element_get(&n, from, k), from, to, odd ? FPR_ODD : fp_rmode(&env), &env);
        element_set(&r, to, upper + k, v);
    }
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

void simd_fp_narrow_odd_scalar(struct cpu *cpu, u32 word)
{
    struct fpenv env = env_of(cpu);
    u64 v = fp_convert(cpu->v[word >> 5 & 31].d[0], FP64, FP32, FPR_ODD, &env);
    fp_write_scalar(cpu, word & 31, v, FP32);
    cpu->fpsr |= env.fpsr;
}

void simd_fp_lengthen(struct cpu *cpu, u32 word)
{
    enum fp_fmt to = format_by_sz(word), from = to == FP64 ? FP32 : FP16;
    union vreg n = cpu->v[word >> 5 & 31], r = { { 0, 0 } };
    unsigned count = 8u >> to, upper = bit(word, 30) ? count : 0;
    struct fpenv env = env_of(cpu);
    for (unsigned k = 0; k < count; k++)
        element_set(&r, to, k, fp_convert(element_get(&n, from, upper + k), from, to, fp_rmode(&env), &env));
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

/* ---- general registers ---- */

static unsigned fraction_bits(u32 word) { return bit(word, 21) ? 0 : 64 - (unsigned)bits(word, 15, 10); }
static unsigned integer_size(u32 word) { return bit(word, 31) ? 64 : 32; }

u64 fp_to_general(struct cpu *cpu, u32 word, bool is_unsigned, enum fp_rounding rounding)
{
    enum fp_fmt from = format_by_ftype(word);
    struct fpenv env = env_of(cpu);
    u64 n = element_get(&cpu->v[word >> 5 & 31], from, 0);
    u64 v = fp_to_fixed(n, from, fraction_bits(word), is_unsigned, rounding, integer_size(word), &env);
    cpu->fpsr |= env.fpsr;
    return v;
}

void fp_from_general(struct cpu *cpu, u32 word, bool is_unsigned, u64 value)
{
    enum fp_fmt to = format_by_ftype(word);
    struct fpenv env = env_of(cpu);
    u64 v = fp_from_fixed(value, fraction_bits(word), is_unsigned, integer_size(word), to, fp_rmode(&env), &env);
    fp_write_scalar(cpu, word & 31, v, to);
    cpu->fpsr |= env.fpsr;
}

u32 fp_javascript(struct cpu *cpu, u32 word)
{
    struct fpenv env = env_of(cpu);
    struct fp_jsres r = fp_to_fixed_js(cpu->v[word >> 5 & 31].d[0], &env);
    cpu->fpsr |= env.fpsr;
    cpu_set_nzcv(cpu, r.z << 2);
    return r.value;
}

/* ---- comparison ---- */

static void compare(struct cpu *cpu, u32 word, bool with_zero, bool signal_nans)
{
    enum fp_fmt fmt = format_by_ftype(word);
    u64 n = element_get(&cpu->v[word >> 5 & 31], fmt, 0);
    u64 m = with_zero ? 0 : element_get(&cpu->v[word >> 16 & 31], fmt, 0);
    struct fpenv env = env_of(cpu);
    cpu_set_nzcv(cpu, fp_compare(n, m, signal_nans, fmt, &env));
    cpu->fpsr |= env.fpsr;
}

void fp_scalar_compare(struct cpu *cpu, u32 word) { compare(cpu, word, bit(word, 3), bit(word, 4)); }
void fp_scalar_compare_if(struct cpu *cpu, u32 word) { compare(cpu, word, false, bit(word, 4)); }

/* ---- complex numbers (FEAT_FCMA): pairs of a real and an imaginary element ---- */

/* The size<23:22> of these two is an element's: 01 half, 10 single, 11 double. */
static enum fp_fmt format_by_size(u32 word) { return (enum fp_fmt)(bits(word, 23, 22) - 1); }

/*
 * A rotation by 0, 90, 180, 270 degrees: which part of the multiplicand is used (90 and 270: the imaginary), which part
 * of the multiplier goes to the real and which to the imaginary sum, and their signs.
 */
void simd_fcmla(struct cpu *cpu, u32 word, bool by_element)
{
    enum fp_fmt fmt = format_by_size(word);
    unsigned rot = (unsigned)(by_element ? bits(word, 14, 13) : bits(word, 12, 11)), odd = rot & 1;
    unsigned count = (bit(word, 30) ? 8u : 4u) >> fmt, h = bit(word, 11),
             index = fmt == FP16 ? h << 1 | bit(word, 21) : h;
    union vreg r = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[word >> 16 & 31];
    struct fpenv env = env_of(cpu);
    for (unsigned k = 0; k < count; k += 2) {
        unsigned pair = by_element ? 2 * index : k;
        u64 a = element_get(&n, fmt, k + odd);
        u64 real = element_get(&m, fmt, pair + odd), imaginary = element_get(&m, fmt, pair + !odd);
        if (rot == 1 || rot == 2)
            real = fp_neg(real, fmt, &env);
        if (rot >= 2)
            imaginary = fp_neg(imaginary, fmt, &env);
        element_set(&r, fmt, k, fp_muladd(element_get(&r, fmt, k), a, real, fmt, &env));
        element_set(&r, fmt, k + 1, fp_muladd(element_get(&r, fmt, k + 1), a, imaginary, fmt, &env));
    }
    if (!bit(word, 30))
        r.d[1] = 0;
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

/* n + i * m or, rotated by 270 degrees, n - i * m. */
void simd_fcadd(struct cpu *cpu, u32 word)
{
    enum fp_fmt fmt = format_by_size(word);
    bool by_270 = bit(word, 12);
    unsigned count = (bit(word, 30) ? 8u : 4u) >> fmt;
    union vreg n = cpu->v[word >> 5 & 31], m = cpu->v[word >> 16 & 31], r = { { 0, 0 } };
    struct fpenv env = env_of(cpu);
    for (unsigned k = 0; k < count; k += 2) {
        u64 real = element_get(&m, fmt, k + 1), imaginary = element_get(&m, fmt, k);
        if (by_270)
            imaginary = fp_neg(imaginary, fmt, &env);
        else
            real = fp_neg(real, fmt, &env);
        element_set(&r, fmt, k, fp_add(element_get(&n, fmt, k), real, fmt, &env));
        element_set(&r, fmt, k + 1, fp_add(element_get(&n, fmt, k + 1), imaginary, fmt, &env));
    }
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

/* ---- FEAT_FHM ---- */

void simd_fmlal(struct cpu *cpu, u32 word, bool subtract, bool upper, bool by_element)
{
    unsigned count = bit(word, 30) ? 4 : 2, half = upper ? count : 0;
    struct element_ref x = { (unsigned)bits(word, 20, 16), 0 };
    if (by_element)
        x = element_ref(word, FP16);
    union vreg r = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[x.reg];
    struct fpenv env = env_of(cpu);
    for (unsigned k = 0; k < count; k++) {
        u64 a = n.h[half + k], b = m.h[by_element ? x.index : half + k];
        if (subtract)
            a = fp_neg(a, FP16, &env);
        r.s[k] = (u32)fp_muladd_h(r.s[k], (u16)a, (u16)b, &env);
    }
    if (!bit(word, 30))
        r.d[1] = 0;
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

/* ---- FEAT_BF16 ---- */

void bf16_convert_scalar(struct cpu *cpu, u32 word)
{
    struct fpenv env = env_of(cpu);
    fp_write_scalar(cpu, word & 31, bf16_round(cpu->v[word >> 5 & 31].s[0], &env), FP16);
    cpu->fpsr |= env.fpsr;
}

void simd_bf16_narrow(struct cpu *cpu, u32 word)
{
    union vreg n = cpu->v[word >> 5 & 31], r = { { 0, 0 } };
    unsigned upper = bit(word, 30) ? 4 : 0;
    struct fpenv env = env_of(cpu);
    if (upper)
        r.d[0] = cpu->v[word & 31].d[0];
    for (unsigned k = 0; k < 4; k++)
        r.h[upper + k] = bf16_round(n.s[k], &env);
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

void simd_bfdot(struct cpu *cpu, u32 word, bool by_element)
{
    unsigned count = bit(word, 30) ? 4 : 2, index = (unsigned)(bit(word, 11) << 1 | bit(word, 21));
    union vreg r = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[word >> 16 & 31];
    struct fpenv env = env_of(cpu);
    for (unsigned k = 0; k < count; k++)
        r.s[k] = bf16_dotadd(r.s[k], n.s[k], m.s[by_element ? index : k], &env);
    if (count == 2)
        r.d[1] = 0;
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

/* Q says whether the odd (BFMLALT) or the even elements are multiplied. */
void simd_bfmlal(struct cpu *cpu, u32 word, bool by_element)
{
    unsigned odd = bit(word, 30);
    struct element_ref x = { (unsigned)bits(word, 20, 16), 0 };
    if (by_element)
        x = element_ref(word, FP16);
    union vreg r = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[x.reg];
    struct fpenv env = env_of(cpu);
    for (unsigned k = 0; k < 4; k++)
        r.s[k] = bf16_muladd(r.s[k], n.h[2 * k + odd], m.h[by_element ? x.index : 2 * k + odd], &env);
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

void simd_bfmmla(struct cpu *cpu, u32 word)
{
    union vreg d = cpu->v[word & 31], n = cpu->v[word >> 5 & 31], m = cpu->v[word >> 16 & 31], r;
    struct fpenv env = env_of(cpu);
    bf16_matmuladd(r.s, d.s, n.s, m.s, &env);
    cpu->v[word & 31] = r;
    cpu->fpsr |= env.fpsr;
}

/* ---- the rows ---- */

#define FP_LANES(id, forms, result)                                                                                    \
    u64 fp_lane_##id(struct fp_lane *l, u64 d, u64 n, u64 m)                                                           \
    {                                                                                                                  \
        (void)l, (void)d, (void)n, (void)m;                                                                            \
        return (result);                                                                                               \
    }
#include "cpu/ops/simd_fp_lanes.def"
