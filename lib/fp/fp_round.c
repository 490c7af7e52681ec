/*
 * Floating point: the rare ends of rounding, NaN selection, integer square root.
 *
 * Arm ARM J1: FPRoundBase (underflow, flush to zero, overflow), FPProcessNaN, FPProcessNaNs, FPConvertNaN.
 */
#include "lib/fp/fp_core.h"

u64 fp_round_overflow(enum fp_fmt fmt, bool sign, enum fp_rounding rounding, struct fpenv *env)
{
    bool to_inf = rounding == FPR_TIEEVEN || rounding == (sign ? FPR_NEGINF : FPR_POSINF);
    env->fpsr |= FPSR_OFC | FPSR_IXC;
    return to_inf ? fp_infinity(fmt, sign) : fp_max_normal(fmt, sign);
}

/*
 * FPRoundBase() below the smallest normal number. Without FPCR.AH, flushing and tininess are decided before rounding;
 * with it, after rounding to the format's precision with an unbounded exponent.
 */
u64 fp_round_tiny(enum fp_fmt fmt, bool sign, s32 exp, u64 mant, enum fp_rounding rounding, struct fpenv *env)
{
    const struct fp_format f = fp_format(fmt);
    const unsigned drop = 63 - f.frac;
    const u64 half = BIT(drop - 1);
    bool altfp = env->fpcr & FPCR_AH;
    bool flush = env->fpcr & (fmt == FP16 ? FPCR_FZ16 : FPCR_FZ);

    if (!altfp && flush) {
        env->fpsr |= FPSR_UFC;
        return fp_zero(fmt, sign);
    }
    u64 m = fp_shift_jam(mant, (u32)(f.min_exp - exp));
    u64 rest = m & ones(drop);
    m >>= drop;

    bool tiny = true;
    if (altfp) {
        u64 um = mant >> drop;
        bool up = fp_round_up(rounding, sign, um & 1, mant & ones(drop), half);
        bool carry = um + up == BIT(f.frac + 1);
        tiny = exp + carry < f.min_exp;
        if (tiny && flush) {
            env->fpsr |= FPSR_UFC | FPSR_IXC;
            return fp_zero(fmt, sign);
        }
    }
    if (rest) {
        env->fpsr |= FPSR_IXC;
        if (tiny)
            env->fpsr |= FPSR_UFC;
        m += fp_round_up(rounding, sign, m & 1, rest, half);
        if (rounding == FPR_ODD)
            m |= 1;
    }
    return fp_zero(fmt, sign) | m << f.pad;
}

u64 fp_process_nan(enum fp_fmt fmt, enum fp_type type, u64 a, struct fpenv *env)
{
    if (type == FPT_SNAN)
        env->fpsr |= FPSR_IOC;
    if (env->fpcr & FPCR_DN)
        return fp_default_nan(fmt, env);
    if (type == FPT_SNAN)
        a |= BIT(fp_format(fmt).frac - 1);
    return fp_mask(fmt, a);
}

u64 fp_process_nans(enum fp_fmt fmt, enum fp_type t1, enum fp_type t2, u64 a, u64 b, struct fpenv *env)
{
    if ((env->fpcr & FPCR_AH) && t1 >= FPT_QNAN && t2 >= FPT_QNAN) /* the first source register's NaN */
        return fp_process_nan(fmt, t1 == FPT_SNAN ? t1 : t2, a, env);
    if (t1 == FPT_SNAN || (t2 != FPT_SNAN && t1 == FPT_QNAN))
        return fp_process_nan(fmt, t1, a, env);
    return fp_process_nan(fmt, t2, b, env);
}

u64 fp_convert_nan(u64 a, enum fp_fmt from, enum fp_fmt to)
{
    const struct fp_format f = fp_format(from), t = fp_format(to);
    u64 frac = (a & ones(f.frac)) << (52 - f.frac);
    return fp_infinity(to, bit(a, f.width - 1)) | BIT(t.frac - 1) | frac >> (52 - t.frac);
}

/*
 * One step of the square root by halves (P. Zimmermann, "Karatsuba Square Root"): n has 4k bits with one of the top two
 * set, k at most 16, root is floor(sqrt(n >> 2k)). The quotient is at most one too large.
 */
static ALWAYS_INLINE u64 isqrt_step(u64 n, u64 root, unsigned k)
{
    u64 rest = (n >> 2 * k) - root * root, low = n & ones(2 * k);
    u64 q = ((rest << (k - 1)) + (low >> (k + 1))) / root;
    root = (root << k) + (q >> k ? ones(k) : q);
    return root - (root * root > n);
}

u32 fp_isqrt64(u64 n)
{
    u64 top = n >> 56; /* 64..255 */
    u64 root =
        8u + (top >= 81) + (top >= 100) + (top >= 121) + (top >= 144) + (top >= 169) + (top >= 196) + (top >= 225);
    root = isqrt_step(n >> 48, root, 4);
    root = isqrt_step(n >> 32, root, 8);
    return (u32)isqrt_step(n, root, 16);
}

u64 fp_isqrt128(u128 n)
{
    u64 hi = (u64)(n >> 64), lo = (u64)n;
    u64 s = fp_isqrt64(hi);
    u64 r = hi - s * s; /* at most 2s, below 2^33 */
    u64 t = ((r << 31) + (lo >> 33)) / s;
    u64 root = (s << 32) + (t >> 32 ? ones(32) : t);
    return root - ((u128)root * root > n);
}
