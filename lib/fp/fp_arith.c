/*
 * Floating point: add, subtract, multiply, divide, square root, fused multiply-add.
 *
 * Arm ARM J1: FPAdd, FPSub, FPMul, FPMulX, FPDiv, FPSqrt, FPMulAdd, FPMulAddH, FPAbs, FPNeg.
 * The public functions at the end are the place for a path through the host's own unit: whatever they do first
 * must give what these bodies give.
 */
#include "lib/fp/fp_core.h"

/* FPRound() of an exact sum: a zero takes its sign from the rounding mode. */
static ALWAYS_INLINE u64 round_sum(enum fp_fmt fmt, struct fp_num s, struct fpenv *env)
{
    enum fp_rounding rounding = fp_rmode(env);
    if (unlikely(!s.mant))
        return fp_zero(fmt, rounding == FPR_NEGINF);
    return fp_round(fmt, s.sign, s.exp, s.mant, rounding, env);
}

/* x + y in 64 bits: operands have at most 53 significant bits, so that two places of headroom cost nothing. */
static ALWAYS_INLINE struct fp_num add_numbers(struct fp_num x, struct fp_num y)
{
    if (x.exp < y.exp) {
        struct fp_num t = x;
        x = y;
        y = t;
    }
    u64 mx = x.mant >> 1, my = fp_shift_jam(y.mant >> 1, (u32)(x.exp - y.exp)), m;
    bool sign = x.sign;
    if (x.sign == y.sign) {
        m = mx + my;
    } else if (mx >= my) {
        m = mx - my;
    } else {
        m = my - mx;
        sign = y.sign;
    }
    if (!m)
        return (struct fp_num){ FPT_ZERO, false, FP_EXP_ZERO, 0 };
    unsigned lead = (unsigned)__builtin_clzll(m);
    return (struct fp_num){ FPT_NONZERO, sign, x.exp + 1 - (s32)lead, m << lead };
}

static ALWAYS_INLINE u64 add(enum fp_fmt fmt, u64 a, u64 b, bool subtract, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    if (unlikely(fp_is_nan(x) || fp_is_nan(y)))
        return fp_process_nans(fmt, x.type, y.type, a, b, env);
    y.sign ^= subtract;
    fp_denorms(fmt, x.type == FPT_DENORMAL || y.type == FPT_DENORMAL, env);
    if (unlikely(fp_is_inf(x) || fp_is_inf(y))) {
        if (fp_is_inf(x) && fp_is_inf(y) && x.sign != y.sign)
            return fp_invalid(fmt, env);
        return fp_infinity(fmt, fp_is_inf(x) ? x.sign : y.sign);
    }
    if (fp_is_zero(x) && fp_is_zero(y) && x.sign == y.sign)
        return fp_zero(fmt, x.sign);
    return round_sum(fmt, add_numbers(x, y), env);
}

static ALWAYS_INLINE u64 mul(enum fp_fmt fmt, u64 a, u64 b, bool extended, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    if (unlikely(fp_is_nan(x) || fp_is_nan(y)))
        return fp_process_nans(fmt, x.type, y.type, a, b, env);
    bool sign = x.sign ^ y.sign;
    fp_denorms(fmt, x.type == FPT_DENORMAL || y.type == FPT_DENORMAL, env);
    if (unlikely(fp_is_inf(x) || fp_is_inf(y))) {
        if (!fp_is_zero(x) && !fp_is_zero(y))
            return fp_infinity(fmt, sign);
        if (!extended)
            return fp_invalid(fmt, env);
        return fp_round(fmt, sign, 1, BIT(63), FPR_ZERO, env); /* FPTwo() */
    }
    if (fp_is_zero(x) || fp_is_zero(y))
        return fp_zero(fmt, sign);
    u128 p = (u128)x.mant * y.mant;
    u64 m = (u64)(p >> 64) | ((u64)p != 0);
    unsigned lead = !bit(m, 63);
    return fp_round(fmt, sign, x.exp + y.exp + 1 - (s32)lead, m << lead, fp_rmode(env), env);
}

/* x / y as a mantissa with sticky; short formats get by with a 64-bit division. */
static ALWAYS_INLINE u64 quotient(enum fp_fmt fmt, u64 mx, u64 my, bool less)
{
    if (fmt == FP64) {
        u128 n = (u128)mx << (63 + less);
        u64 q = (u64)(n / my);
        return q | ((u128)q * my != n);
    }
    u64 n = (mx >> 32) << (31 + less), d = my >> 32;
    u64 q = n / d;
    return q << 32 | (q * d != n);
}

static ALWAYS_INLINE u64 div_(enum fp_fmt fmt, u64 a, u64 b, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    if (unlikely(fp_is_nan(x) || fp_is_nan(y)))
        return fp_process_nans(fmt, x.type, y.type, a, b, env);
    bool sign = x.sign ^ y.sign;
    if (!fp_is_zero(y))
        fp_denorms(fmt, x.type == FPT_DENORMAL || y.type == FPT_DENORMAL, env);
    if (unlikely(fp_is_inf(x) && fp_is_inf(y)) || unlikely(fp_is_zero(x) && fp_is_zero(y)))
        return fp_invalid(fmt, env);
    if (unlikely(fp_is_inf(x) || fp_is_zero(y))) {
        if (!fp_is_inf(x))
            env->fpsr |= FPSR_DZC;
        return fp_infinity(fmt, sign);
    }
    if (fp_is_zero(x) || fp_is_inf(y))
        return fp_zero(fmt, sign);
    bool less = x.mant < y.mant;
    u64 q = quotient(fmt, x.mant, y.mant, less);
    return fp_round(fmt, sign, x.exp - y.exp - less, q, fp_rmode(env), env);
}

static ALWAYS_INLINE u64 sqrt_(enum fp_fmt fmt, u64 a, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env);
    if (unlikely(fp_is_nan(x)))
        return fp_process_nan(fmt, x.type, a, env);
    if (fp_is_zero(x))
        return fp_zero(fmt, x.sign);
    if (unlikely(x.sign))
        return fp_invalid(fmt, env);
    if (unlikely(fp_is_inf(x)))
        return fp_infinity(fmt, false);
    fp_denorms(fmt, x.type == FPT_DENORMAL, env);
    bool odd = x.exp & 1;
    s32 exp = (x.exp - odd) / 2;
    u64 m;
    if (fmt == FP64) {
        u128 n = (u128)x.mant << (63 + odd);
        m = fp_isqrt128(n);
        m |= (u128)m * m != n;
    } else {
        u64 n = x.mant >> !odd;
        u64 root = fp_isqrt64(n);
        m = root << 32 | (root * root != n);
    }
    return fp_round(fmt, false, exp, m, fp_rmode(env), env);
}

/*
 * FPProcessNaNs3() and its form for FPMulAddH(), where the factors n and m have another format than the addend: the
 * type that decides (signalling if any is, under AH), and which operand's payload is returned.
 */
static u64 process_nans3(enum fp_fmt fmt, enum fp_fmt factor, struct fp_num a, struct fp_num n, struct fp_num m,
                         const u64 op[3], struct fpenv *env)
{
    const enum fp_type type[3] = { a.type, n.type, m.type };
    bool any_snan = a.type == FPT_SNAN || n.type == FPT_SNAN || m.type == FPT_SNAN;
    enum fp_type want = any_snan ? FPT_SNAN : FPT_QNAN;
    unsigned pick = type[0] == want ? 0 : type[1] == want ? 1 : 2;

    if ((env->fpcr & FPCR_AH) && fp_is_nan(a) + fp_is_nan(n) + fp_is_nan(m) > 1)
        pick = fp_is_nan(n) ? 1 : 2; /* the first, else the second source register's NaN, quiet or not */
    if (pick == 0)
        return fp_process_nan(fmt, want, op[0], env);
    u64 nan = fp_process_nan(factor, want, op[pick], env);
    return factor == fmt ? nan : fp_convert_nan(nan, factor, fmt);
}

/* FPMulAdd(), and with a different format of the factors FPMulAddH(). */
static ALWAYS_INLINE u64 muladd(enum fp_fmt fmt, enum fp_fmt factor, u64 addend, u64 op1, u64 op2, struct fpenv *env)
{
    struct fp_num a = fp_unpack(fmt, addend, env);
    struct fp_num n = fp_unpack(factor, op1, env), m = fp_unpack(factor, op2, env);
    bool inf_zero = (fp_is_inf(n) && fp_is_zero(m)) || (fp_is_zero(n) && fp_is_inf(m));

    if (unlikely(fp_is_nan(a) || fp_is_nan(n) || fp_is_nan(m))) {
        const u64 op[3] = { addend, op1, op2 };
        u64 nan = process_nans3(fmt, factor, a, n, m, op, env);
        if (a.type == FPT_QNAN && inf_zero && !(env->fpcr & FPCR_AH))
            return fp_invalid(fmt, env);
        return nan;
    }
    bool sign = n.sign ^ m.sign;
    bool inf_p = fp_is_inf(n) || fp_is_inf(m), zero_p = fp_is_zero(n) || fp_is_zero(m);
    if (unlikely(inf_zero || (fp_is_inf(a) && inf_p && a.sign != sign)))
        return fp_invalid(fmt, env);
    fp_denorms(fmt, a.type == FPT_DENORMAL || (factor != FP16 && (n.type == FPT_DENORMAL || m.type == FPT_DENORMAL)),
               env);
    if (unlikely(fp_is_inf(a) || inf_p))
        return fp_infinity(fmt, fp_is_inf(a) ? a.sign : sign);
    if (fp_is_zero(a) && zero_p && a.sign == sign)
        return fp_zero(fmt, sign);
    return round_sum(fmt, fp_sum(fp_widen(a), fp_product(n, m)), env);
}

static ALWAYS_INLINE u64 muladd_same(enum fp_fmt fmt, u64 addend, u64 a, u64 b, struct fpenv *env)
{
    return muladd(fmt, fmt, addend, a, b, env);
}

static ALWAYS_INLINE bool keeps_sign(enum fp_fmt fmt, u64 a, const struct fpenv *env)
{
    return (env->fpcr & FPCR_AH) && (a & (fp_sign_bit(fmt) - 1)) > fp_infinity(fmt, false);
}

u64 fp_abs(u64 a, enum fp_fmt fmt, const struct fpenv *env)
{
    a = fp_mask(fmt, a);
    return keeps_sign(fmt, a, env) ? a : a & ~fp_sign_bit(fmt);
}

u64 fp_neg(u64 a, enum fp_fmt fmt, const struct fpenv *env)
{
    a = fp_mask(fmt, a);
    return keeps_sign(fmt, a, env) ? a : a ^ fp_sign_bit(fmt);
}

u64 fp_add(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, add, a, b, false, env); }
u64 fp_sub(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, add, a, b, true, env); }
u64 fp_mul(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, mul, a, b, false, env); }
u64 fp_mulx(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, mul, a, b, true, env); }
u64 fp_div(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, div_, a, b, env); }
u64 fp_sqrt(u64 a, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, sqrt_, a, env); }

u64 fp_muladd(u64 addend, u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env)
{
    FP_BY_FORMAT(fmt, muladd_same, addend, a, b, env);
}

u64 fp_muladd_h(u32 addend, u16 a, u16 b, struct fpenv *env) { return muladd(FP32, FP16, addend, a, b, env); }

u64 fp_abd(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { return fp_abs(fp_sub(a, b, fmt, env), fmt, env); }
