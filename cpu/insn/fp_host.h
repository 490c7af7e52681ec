/*
 * Floating point on the host's own unit, for the hot instructions, where its result is provably the soft-float's and
 * the flags need not be read:
 *   - FPCR: round to nearest, FZ, FZ16, FIZ, AH and NEP clear; FPSR.IXC already set, so that inexactness is no news;
 *   - the result is finite, so neither operand was an infinity or a NaN (nor x / 0);
 *   - the result is clear of tininess (at least twice the smallest normal number, since tininess is detected before
 *     rounding), or it is a sum, which is exact where it is tiny, or a product with 0.
 *
 * Denormal operands then need no care: without FZ, FIZ and AH they raise nothing. All else goes to the soft-float. IEEE
 * 754 gives one answer for the rest, on any host that computes in the format itself (FLT_EVAL_METHOD 0), and fused
 * multiply-add is used only where the processor has it. Arm ARM J1 (FPRound).
 */
#ifndef CPU_FP_HOST_H
#define CPU_FP_HOST_H

#include <float.h>

#include "lib/fp/fp.h"
#include "cpu/state.h"

struct fp_try {
    u64 v;
    bool ok;
};

#define FP_HOST_MODES ((u32)(FPCR_FIZ | FPCR_AH | FPCR_NEP | FPCR_FZ16 | (3u << FPCR_RMODE_SHIFT) | FPCR_FZ))

/* The modes are those of the host. Enough for what raises no flag. */
static ALWAYS_INLINE bool fp_host_modes(const struct cpu *cpu)
{
    return FLT_EVAL_METHOD == 0 && likely(!(cpu->fpcr & FP_HOST_MODES));
}

static ALWAYS_INLINE bool fp_host_ok(const struct cpu *cpu)
{
    return fp_host_modes(cpu) && likely(cpu->fpsr & (u32)FPSR_IXC);
}

static ALWAYS_INLINE double f64_of(u64 v)
{
    double f;
    memcpy(&f, &v, 8);
    return f;
}
static ALWAYS_INLINE u64 f64_bits(double f)
{
    u64 v;
    memcpy(&v, &f, 8);
    return v;
}
static ALWAYS_INLINE float f32_of(u64 v)
{
    u32 w = (u32)v;
    float f;
    memcpy(&f, &w, 4);
    return f;
}
static ALWAYS_INLINE u64 f32_bits(float f)
{
    u32 v;
    memcpy(&v, &f, 4);
    return v;
}

static ALWAYS_INLINE bool fp_finite(bool dbl, u64 v) { return dbl ? ~v & 0x7ff0000000000000 : ~(u32)v & 0x7f800000; }
static ALWAYS_INLINE bool fp_is_zero_bits(bool dbl, u64 v) { return dbl ? !(v << 1) : !(u32)(v << 1); }

/* Finite and at least twice the smallest normal number. */
static ALWAYS_INLINE bool fp_clear(bool dbl, u64 v)
{
    return dbl ? (v >> 52 & 0x7ff) - 2 < 0x7ff - 2 : (v >> 23 & 0xff) - 2 < 0xff - 2;
}

static ALWAYS_INLINE struct fp_try fp_host_add(bool dbl, u64 a, u64 b)
{
    u64 v = dbl ? f64_bits(f64_of(a) + f64_of(b)) : f32_bits(f32_of(a) + f32_of(b));
    return (struct fp_try){ v, fp_finite(dbl, v) };
}

static ALWAYS_INLINE struct fp_try fp_host_sub(bool dbl, u64 a, u64 b)
{
    u64 v = dbl ? f64_bits(f64_of(a) - f64_of(b)) : f32_bits(f32_of(a) - f32_of(b));
    return (struct fp_try){ v, fp_finite(dbl, v) };
}

static ALWAYS_INLINE struct fp_try fp_host_mul(bool dbl, u64 a, u64 b)
{
    u64 v = dbl ? f64_bits(f64_of(a) * f64_of(b)) : f32_bits(f32_of(a) * f32_of(b));
    bool ok = likely(fp_clear(dbl, v)) || ((fp_is_zero_bits(dbl, a) || fp_is_zero_bits(dbl, b)) && fp_finite(dbl, v));
    return (struct fp_try){ v, ok };
}

static ALWAYS_INLINE struct fp_try fp_host_nmul(bool dbl, u64 a, u64 b)
{
    struct fp_try r = fp_host_mul(dbl, a, b);
    r.v ^= dbl ? BIT(63) : BIT(31);
    return r;
}

static ALWAYS_INLINE struct fp_try fp_host_div(bool dbl, u64 a, u64 b)
{
    u64 v = dbl ? f64_bits(f64_of(a) / f64_of(b)) : f32_bits(f32_of(a) / f32_of(b));
    return (struct fp_try){ v, likely(fp_clear(dbl, v)) || (fp_is_zero_bits(dbl, a) && fp_finite(dbl, v)) };
}

/* The greater (or, min, the smaller) of two numbers: unlike zeros and NaNs are not ordered by the host. */
static ALWAYS_INLINE struct fp_try fp_host_extremum(bool dbl, bool min, u64 a, u64 b)
{
    bool less = dbl ? f64_of(a) < f64_of(b) : f32_of(a) < f32_of(b);
    bool greater = dbl ? f64_of(a) > f64_of(b) : f32_of(a) > f32_of(b);
    u64 v = greater != min ? a : b;
    return (struct fp_try){ dbl ? v : (u32)v, less || greater };
}
static ALWAYS_INLINE struct fp_try fp_host_max(bool dbl, u64 a, u64 b) { return fp_host_extremum(dbl, false, a, b); }
static ALWAYS_INLINE struct fp_try fp_host_min(bool dbl, u64 a, u64 b) { return fp_host_extremum(dbl, true, a, b); }

/* ---- what C has no operator for ---- */

typedef float v4f __attribute__((vector_size(16)));
typedef double v2f __attribute__((vector_size(16)));

#if defined(__x86_64__)
static ALWAYS_INLINE bool host_has_fma(void) { return __builtin_cpu_supports("fma"); }
/* c + a * b */
static ALWAYS_INLINE double host_fma(double c, double a, double b)
{
    __asm__("vfmadd213sd %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}
static ALWAYS_INLINE v2f host_fma2(v2f c, v2f a, v2f b)
{
    __asm__("vfmadd213pd %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}
static ALWAYS_INLINE v4f host_fma4(v4f c, v4f a, v4f b)
{
    __asm__("vfmadd213ps %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}
static ALWAYS_INLINE bool host_has_sqrt(void) { return true; }
static ALWAYS_INLINE double host_sqrt(double a)
{
    double r;
    __asm__("sqrtsd %1, %0" : "=x"(r) : "x"(a));
    return r;
}
static ALWAYS_INLINE float host_sqrtf(float a)
{
    float r;
    __asm__("sqrtss %1, %0" : "=x"(r) : "x"(a));
    return r;
}
#elif defined(__aarch64__)
static ALWAYS_INLINE bool host_has_fma(void) { return true; }
static ALWAYS_INLINE double host_fma(double c, double a, double b) { return __builtin_fma(a, b, c); }
static ALWAYS_INLINE v2f host_fma2(v2f c, v2f a, v2f b)
{
    __asm__("fmla %0.2d, %1.2d, %2.2d" : "+w"(c) : "w"(a), "w"(b));
    return c;
}
static ALWAYS_INLINE v4f host_fma4(v4f c, v4f a, v4f b)
{
    __asm__("fmla %0.4s, %1.4s, %2.4s" : "+w"(c) : "w"(a), "w"(b));
    return c;
}
static ALWAYS_INLINE bool host_has_sqrt(void) { return true; }
static ALWAYS_INLINE double host_sqrt(double a)
{
    double r;
    __asm__("fsqrt %d0, %d1" : "=w"(r) : "w"(a));
    return r;
}
static ALWAYS_INLINE float host_sqrtf(float a)
{
    float r;
    __asm__("fsqrt %s0, %s1" : "=w"(r) : "w"(a));
    return r;
}
#else
static ALWAYS_INLINE bool host_has_fma(void) { return false; }
static ALWAYS_INLINE double host_fma(double c, double a, double b) { return c + a * b; }
static ALWAYS_INLINE v2f host_fma2(v2f c, v2f a, v2f b) { return c + a * b; }
static ALWAYS_INLINE v4f host_fma4(v4f c, v4f a, v4f b) { return c + a * b; }
static ALWAYS_INLINE bool host_has_sqrt(void) { return false; }
static ALWAYS_INLINE double host_sqrt(double a) { return a; }
static ALWAYS_INLINE float host_sqrtf(float a) { return a; }
#endif

static ALWAYS_INLINE struct fp_try fp_host_sqrt(bool dbl, u64 a)
{
    u64 v = dbl ? f64_bits(host_sqrt(f64_of(a))) : f32_bits(host_sqrtf(f32_of(a)));
    return (struct fp_try){ v, host_has_sqrt() && fp_finite(dbl, v) };
}

/* v = c + a * b, where v, c and a factor are zeros. */
static ALWAYS_INLINE bool fp_zero_sum(bool dbl, u64 v, u64 c, u64 a, u64 b)
{
    return fp_is_zero_bits(dbl, v) && fp_is_zero_bits(dbl, c) && (fp_is_zero_bits(dbl, a) || fp_is_zero_bits(dbl, b));
}

/*
 * c + a * b with one rounding. In single precision the product is exact in double, and rounding the sum twice errs only
 * where the first result lies halfway between two singles.
 */
static ALWAYS_INLINE struct fp_try fp_host_muladd(bool dbl, u64 c, u64 a, u64 b)
{
    if (dbl) {
        if (!host_has_fma())
            return (struct fp_try){ 0, false };
        u64 v = f64_bits(host_fma(f64_of(c), f64_of(a), f64_of(b)));
        return (struct fp_try){ v, likely(fp_clear(true, v)) || fp_zero_sum(true, v, c, a, b) };
    }
    double sum = (double)f32_of(c) + (double)f32_of(a) * (double)f32_of(b);
    u64 v = f32_bits((float)sum);
    bool halfway = (f64_bits(sum) & ones(29)) == BIT(28);
    return (struct fp_try){ v, (likely(fp_clear(false, v)) && !halfway) || fp_zero_sum(false, v, c, a, b) };
}

/* ---- conversions ---- */

/* To an integral value. From 2^52 (single: 2^23) on all numbers are; the rest fits in 64 bits. Raises no flag by
 * itself. */
static ALWAYS_INLINE struct fp_try fp_host_round(bool dbl, u64 a, enum fp_rounding rounding)
{
    double f = dbl ? f64_of(a) : (double)f32_of(a), limit = dbl ? 0x1p52 : 0x1p23;
    if (!(f > -limit && f < limit))
        return (struct fp_try){ 0, false };
    double r = (double)(s64)f;
    switch (rounding) {
    case FPR_TIEEVEN: r = f < 0 ? f - 0x1p52 + 0x1p52 : f + 0x1p52 - 0x1p52; break;
    case FPR_POSINF: r += r < f; break;
    case FPR_NEGINF: r -= r > f; break;
    case FPR_TIEAWAY: r += (f - r >= 0.5) - (r - f >= 0.5); break;
    default: break;
    }
    u64 v = dbl ? f64_bits(r) : f32_bits((float)r);
    return (struct fp_try){ v | (a & (dbl ? BIT(63) : BIT(31))), true }; /* a zero has the operand's sign */
}

static ALWAYS_INLINE struct fp_try fp_host_narrow(u64 a)
{
    u64 v = f32_bits((float)f64_of(a));
    return (struct fp_try){ v, fp_clear(false, v) || fp_is_zero_bits(true, a) };
}

static ALWAYS_INLINE struct fp_try fp_host_widen(u64 a)
{
    return (struct fp_try){ f64_bits(f32_of(a)), fp_finite(false, a) };
}

/* From an integer, always rounded to a finite number; wide: 64 bits. */
static ALWAYS_INLINE u64 fp_host_from_int(bool dbl, bool wide, bool is_unsigned, u64 v)
{
    if (is_unsigned) {
        v = wide ? v : (u32)v;
        return dbl ? f64_bits((double)v) : f32_bits((float)v);
    }
    s64 i = wide ? (s64)v : (s32)(u32)v;
    return dbl ? f64_bits((double)i) : f32_bits((float)i);
}

/* Truncated to an integer, where it fits (a NaN does not). */
static ALWAYS_INLINE struct fp_try fp_host_to_int(bool dbl, bool wide, bool is_unsigned, u64 a)
{
    double f = dbl ? f64_of(a) : (double)f32_of(a);
    if (is_unsigned) {
        bool fits = f > -1.0 && f < (wide ? 0x1p64 : 0x1p32);
        return (struct fp_try){ fits ? (u64)f : 0, fits };
    }
    bool fits = wide ? f >= -0x1p63 && f < 0x1p63 : f > -0x1p31 - 1 && f < 0x1p31;
    u64 v = fits ? (u64)(s64)f : 0;
    return (struct fp_try){ wide ? v : (u32)v, fits };
}

#endif
