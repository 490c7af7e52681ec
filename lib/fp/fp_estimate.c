/*
 * Floating point: reciprocal and reciprocal square root estimates, and their Newton-Raphson steps.
 *
 * Arm ARM J1: FPRecipEstimate, FPRSqrtEstimate, RecipEstimate, RecipSqrtEstimate, FPRecpX, FPRecipStepFused,
 * FPRSqrtStepFused, UnsignedRecipEstimate, UnsignedRSqrtEstimate; FEAT_RPRES gives 12 instead of 8 bits.
 * Under FPCR.AH these operations round to nearest, flush denormals and raise nothing.
 */
#include "lib/fp/fp_core.h"

/* The environment such an operation runs in: its own copy, whose flags count only without AH. */
static struct fpenv quiet_env(const struct fpenv *env)
{
    struct fpenv e = { env->fpcr, 0 };
    if (e.fpcr & FPCR_AH)
        e.fpcr = (e.fpcr & ~(3u << FPCR_RMODE_SHIFT)) | FPCR_FIZ | FPCR_FZ;
    return e;
}

static void raise_from(struct fpenv *env, const struct fpenv *quiet)
{
    if (!(env->fpcr & FPCR_AH))
        env->fpsr |= quiet->fpsr;
}

/* RecipEstimate(): a in 256..511 (steps of 1/512 from 0.5) to 256..511; or 2048..4095 to 4096..8191. */
static u32 recip_estimate(u32 a, bool precise)
{
    u32 b = a * 2 + 1;
    return precise ? ((1u << 26) / b + 1) / 2 : ((1u << 19) / b + 1) / 2;
}

/* RecipSqrtEstimate() of 8 bits: a in 128..511 to 256..511: the largest b with b < 2^14 / sqrt(a), halved. */
static u32 rsqrt_estimate(u32 a)
{
    a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
    u32 b = 512;
    for (u32 step = 256; step; step >>= 1) /* b stays below 1024: a is at least 257 */
        if ((u64)a * (b + step) * (b + step) < BIT(28))
            b += step;
    return (b + 1) / 2;
}

/* RecipSqrtEstimate() of 12 bits: a in 1024..4095 to 4096..8191. */
static u32 rsqrt_estimate_precise(u32 a)
{
    /* The square root of V in [1024, 4096), times 2^47, to nearest (never a tie); V = a / 2 below one half. */
    u128 v = a < 2048 ? (u128)(a * 2 + 1) << 115 : (u128)(a | 1) << 116;
    u64 root = fp_isqrt128(v); /* sqrt(V) * 2^58 */
    root = (root >> 11) + bit(root, 10);
    u128 n = (u128)1 << 65;
    u64 q = (u64)(n / root), rest = (u64)(n % root);
    return (u32)(q + (2 * rest > root || (2 * rest == root && (q & 1))));
}

/* The 52-bit fraction and exponent field of a finite non-zero operand, a denormal normalised (exponent 0 or below). */
struct scaled {
    u64 fraction;
    s32 exp;
};

static ALWAYS_INLINE struct scaled scale(enum fp_fmt fmt, struct fp_num x)
{
    return (struct scaled){ x.mant << 1 >> 12, x.exp - fp_format(fmt).min_exp + 1 };
}

static ALWAYS_INLINE u64 compose(enum fp_fmt fmt, bool sign, s32 exp, u64 fraction)
{
    const struct fp_format f = fp_format(fmt);
    return fp_zero(fmt, sign) | (u64)exp << f.frac | fraction >> (52 - f.frac);
}

static ALWAYS_INLINE u64 recip(enum fp_fmt fmt, u64 a, bool rpres, struct fpenv *env)
{
    const struct fp_format f = fp_format(fmt);
    struct fp_num x = fp_unpack(fmt, a, env);
    bool precise = rpres && fmt == FP32 && (env->fpcr & FPCR_AH);
    if (fp_is_nan(x))
        return fp_process_nan(fmt, x.type, a, env);
    if (fp_is_inf(x))
        return fp_zero(fmt, x.sign);
    if (fp_is_zero(x)) {
        env->fpsr |= FPSR_DZC;
        return fp_infinity(fmt, x.sign);
    }
    if (x.exp < f.min_exp - 2)
        return fp_round_overflow(fmt, x.sign, fp_rmode(env), env);
    if ((env->fpcr & (fmt == FP16 ? FPCR_FZ16 : FPCR_FZ)) && x.exp >= -f.min_exp) {
        env->fpsr |= FPSR_UFC; /* the result would be denormal */
        return fp_zero(fmt, x.sign);
    }
    struct scaled s = scale(fmt, x);
    s32 exp = 2 * -f.min_exp + 1 - s.exp; /* 29, 253, 2045 less the operand's */
    u64 fraction = precise ? (recip_estimate(2048 | (u32)(s.fraction >> 41), true) & ones(12)) << 40
                           : (recip_estimate(256 | (u32)(s.fraction >> 44), false) & ones(8)) << 44;
    if (exp <= 0) {
        fraction = (BIT(52) | fraction) >> (1 - exp);
        exp = 0;
    }
    return compose(fmt, x.sign, exp, fraction);
}

static ALWAYS_INLINE u64 rsqrt(enum fp_fmt fmt, u64 a, bool rpres, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env);
    bool precise = rpres && fmt == FP32 && (env->fpcr & FPCR_AH);
    if (fp_is_nan(x))
        return fp_process_nan(fmt, x.type, a, env);
    if (fp_is_zero(x)) {
        env->fpsr |= FPSR_DZC;
        return fp_infinity(fmt, x.sign);
    }
    if (x.sign)
        return fp_invalid(fmt, env);
    if (fp_is_inf(x))
        return fp_zero(fmt, false);
    struct scaled s = scale(fmt, x);
    unsigned shift = s.exp & 1; /* an odd exponent: 0.25 <= x < 0.5 */
    u64 one = BIT(52) | s.fraction;
    s32 exp = (3 * (1 - fp_format(fmt).min_exp) - 1 - s.exp) >> 1; /* 44, 380, 3068 less the operand's, halved */
    u64 fraction = precise ? (u64)(rsqrt_estimate_precise((u32)(one >> (41 + shift))) & ones(12)) << 40
                           : (u64)(rsqrt_estimate((u32)(one >> (44 + shift))) & ones(8)) << 44;
    return compose(fmt, false, exp, fraction);
}

static ALWAYS_INLINE u64 recpx(enum fp_fmt fmt, u64 a, struct fpenv *env)
{
    const struct fp_format f = fp_format(fmt);
    struct fp_num x = fp_unpack(fmt, a, env);
    if (fp_is_nan(x))
        return fp_process_nan(fmt, x.type, a, env);
    u64 exp = bits(a, f.frac + f.exp - 1, f.frac);
    exp = exp ? ~exp & ones(f.exp) : ones(f.exp) - 1;
    return fp_zero(fmt, x.sign) | exp << f.frac;
}

/* The common form of the steps: (addend - a * b) * 2^scale with one rounding; addend is 2 or 3. */
static ALWAYS_INLINE u64 step(enum fp_fmt fmt, u64 a, u64 b, unsigned addend, s32 scale_by, struct fpenv *env)
{
    a = fp_neg(a, fmt, env);
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    const struct fp_num k = { FPT_NONZERO, false, 1, (u64)addend << 62 };
    if (fp_is_nan(x) || fp_is_nan(y))
        return fp_process_nans(fmt, x.type, y.type, a, b, env);
    if ((fp_is_inf(x) && fp_is_zero(y)) || (fp_is_zero(x) && fp_is_inf(y)))
        return fp_round(fmt, false, 1 + scale_by, k.mant, FPR_ZERO, env); /* FPTwo() or FPOnePointFive() */
    if (fp_is_inf(x) || fp_is_inf(y))
        return fp_infinity(fmt, x.sign ^ y.sign);
    struct fp_num s = fp_sum(fp_widen(k), fp_product(x, y));
    if (!s.mant)
        return fp_zero(fmt, fp_rmode(env) == FPR_NEGINF);
    return fp_round(fmt, s.sign, s.exp + scale_by, s.mant, fp_rmode(env), env);
}

static u64 recip_any(u64 a, enum fp_fmt fmt, bool rpres, struct fpenv *e) { FP_BY_FORMAT(fmt, recip, a, rpres, e); }
static u64 rsqrt_any(u64 a, enum fp_fmt fmt, bool rpres, struct fpenv *e) { FP_BY_FORMAT(fmt, rsqrt, a, rpres, e); }
static u64 recpx_any(u64 a, enum fp_fmt fmt, struct fpenv *e) { FP_BY_FORMAT(fmt, recpx, a, e); }
static u64 step_any(u64 a, u64 b, enum fp_fmt fmt, unsigned addend, s32 scale_by, struct fpenv *e)
{
    FP_BY_FORMAT(fmt, step, a, b, addend, scale_by, e);
}

u64 fp_recip_estimate(u64 a, enum fp_fmt fmt, bool rpres, struct fpenv *env)
{
    struct fpenv e = quiet_env(env);
    u64 r = recip_any(a, fmt, rpres, &e);
    raise_from(env, &e);
    return r;
}

u64 fp_rsqrt_estimate(u64 a, enum fp_fmt fmt, bool rpres, struct fpenv *env)
{
    struct fpenv e = quiet_env(env);
    u64 r = rsqrt_any(a, fmt, rpres, &e);
    raise_from(env, &e);
    return r;
}

u64 fp_recip_exponent(u64 a, enum fp_fmt fmt, struct fpenv *env)
{
    struct fpenv e = quiet_env(env);
    u64 r = recpx_any(a, fmt, &e);
    raise_from(env, &e);
    return r;
}

u64 fp_recip_step_fused(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env)
{
    struct fpenv e = quiet_env(env);
    u64 r = step_any(a, b, fmt, 2, 0, &e);
    raise_from(env, &e);
    return r;
}

u64 fp_rsqrt_step_fused(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env)
{
    struct fpenv e = quiet_env(env);
    u64 r = step_any(a, b, fmt, 3, -1, &e);
    raise_from(env, &e);
    return r;
}

u32 unsigned_recip_estimate(u32 a)
{
    if (!(a >> 31))
        return ~(u32)0;
    return recip_estimate(a >> 23, false) << 23;
}

u32 unsigned_rsqrt_estimate(u32 a)
{
    if (!(a >> 30))
        return ~(u32)0;
    return rsqrt_estimate(a >> 23) << 23;
}
