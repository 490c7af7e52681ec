/*
 * Floating point: BFloat16 (FEAT_BF16, FEAT_EBF16).
 *
 * Arm ARM J1: FPConvertBF, BFDotAdd, BFMulH, FPAdd_BF16, BFUnpack, BFRound, FPDot, BFMatMulAdd, BFMulAddH.
 * A BFloat16 is the high half of a single-precision number.
 */
#include "lib/fp/fp_core.h"

static u64 widen(u32 element) { return (u64)(element & 0xffff) << 16; }

/* FPConvertBF(): under AH to nearest, flushing, without flags. */
u16 bf16_round(u32 a, struct fpenv *env)
{
    bool altfp = env->fpcr & FPCR_AH;
    struct fpenv e = { env->fpcr | (altfp ? FPCR_FIZ | FPCR_FZ : 0), 0 };
    enum fp_rounding rounding = altfp ? FPR_TIEEVEN : fp_rmode(env);
    struct fp_num x = fp_unpack(FP32, a, &e);
    u64 r;

    if (fp_is_nan(x)) {
        r = e.fpcr & FPCR_DN ? fp_default_nan(FP32, &e) : fp_convert_nan(a, FP32, FP32);
        if (x.type == FPT_SNAN)
            e.fpsr |= FPSR_IOC;
    } else if (fp_is_inf(x)) {
        r = fp_infinity(FP32, x.sign);
    } else if (fp_is_zero(x)) {
        r = fp_zero(FP32, x.sign);
    } else {
        r = fp_round(FP_BF, x.sign, x.exp, x.mant, rounding, &e);
    }
    if (!altfp)
        env->fpsr |= e.fpsr;
    return (u16)(r >> 16);
}

/* BFMulAddH() */
u32 bf16_muladd(u32 addend, u16 a, u16 b, struct fpenv *env)
{
    if (!(env->fpcr & FPCR_AH))
        return (u32)fp_muladd(addend, widen(a), widen(b), FP32, env);
    struct fpenv e = { (env->fpcr & ~(3u << FPCR_RMODE_SHIFT)) | FPCR_FIZ | FPCR_FZ, 0 };
    return (u32)fp_muladd(addend, widen(a), widen(b), FP32, &e);
}

/*
 * FPCR.EBF is 0: products and sums each rounded to odd, denormals flushed on both sides, default NaNs, no flags,
 * and no other bit of FPCR counts but AH for the NaN's sign.
 */
static struct fp_num bf_unpack(u64 a)
{
    struct fpenv e = { FPCR_FIZ, 0 }; /* flushes, and says nothing */
    return fp_unpack(FP32, a, &e);
}

/* BFRound(): like FPRound() to odd, but a tiny result is zero and overflow gives infinity. */
static u64 bf_round(bool sign, s32 exp, u64 mant)
{
    struct fpenv e = { 0, 0 };
    if (exp < fp_format(FP32).min_exp)
        return fp_zero(FP32, sign);
    if (exp > -fp_format(FP32).min_exp + 1)
        return fp_infinity(FP32, sign);
    return fp_round(FP32, sign, exp, mant, FPR_ODD, &e);
}

static u64 bf_mul(u64 a, u64 b, const struct fpenv *env)
{
    struct fp_num x = bf_unpack(a), y = bf_unpack(b);
    bool inf = fp_is_inf(x) || fp_is_inf(y), zero = fp_is_zero(x) || fp_is_zero(y);
    if (fp_is_nan(x) || fp_is_nan(y) || (inf && zero))
        return fp_default_nan(FP32, env);
    bool sign = x.sign ^ y.sign;
    if (inf)
        return fp_infinity(FP32, sign);
    if (zero)
        return fp_zero(FP32, sign);
    u64 m = (x.mant >> 32) * (y.mant >> 32); /* exact: eight significant bits each */
    unsigned lead = !bit(m, 63);
    return bf_round(sign, x.exp + y.exp + 1 - (s32)lead, m << lead);
}

static u64 bf_add(u64 a, u64 b, const struct fpenv *env)
{
    struct fp_num x = bf_unpack(a), y = bf_unpack(b);
    if (fp_is_nan(x) || fp_is_nan(y) || (fp_is_inf(x) && fp_is_inf(y) && x.sign != y.sign))
        return fp_default_nan(FP32, env);
    if (fp_is_inf(x) || fp_is_inf(y))
        return fp_infinity(FP32, fp_is_inf(x) ? x.sign : y.sign);
    if (fp_is_zero(x) && fp_is_zero(y) && x.sign == y.sign)
        return fp_zero(FP32, x.sign);
    struct fp_num s = fp_sum(fp_widen(x), fp_widen(y));
    return s.mant ? bf_round(s.sign, s.exp, s.mant) : 0;
}

/* FPDot() of BFloat16: a1 * a2 + b1 * b2 with one rounding, under the modes of FPCR; flags fall to a discarded env. */
static u64 bf_dot(u64 a1, u64 b1, u64 a2, u64 b2, struct fpenv *env)
{
    struct fp_num xa = fp_unpack(FP32, a1, env), xb = fp_unpack(FP32, b1, env);
    struct fp_num ya = fp_unpack(FP32, a2, env), yb = fp_unpack(FP32, b2, env);
    if (fp_is_nan(xa) || fp_is_nan(xb) || fp_is_nan(ya) || fp_is_nan(yb))
        return fp_default_nan(FP32, env);
    bool inf_a = fp_is_inf(xa) || fp_is_inf(ya), zero_a = fp_is_zero(xa) || fp_is_zero(ya);
    bool inf_b = fp_is_inf(xb) || fp_is_inf(yb), zero_b = fp_is_zero(xb) || fp_is_zero(yb);
    bool sign_a = xa.sign ^ ya.sign, sign_b = xb.sign ^ yb.sign;
    if ((inf_a && zero_a) || (inf_b && zero_b) || (inf_a && inf_b && sign_a != sign_b))
        return fp_default_nan(FP32, env);
    if (inf_a || inf_b)
        return fp_infinity(FP32, inf_a ? sign_a : sign_b);
    if (zero_a && zero_b && sign_a == sign_b)
        return fp_zero(FP32, sign_a);
    struct fp_num s = fp_sum(fp_product(xa, ya), fp_product(xb, yb));
    if (!s.mant)
        return fp_zero(FP32, fp_rmode(env) == FPR_NEGINF);
    return fp_round(FP32, s.sign, s.exp, s.mant, fp_rmode(env), env);
}

u32 bf16_dotadd(u32 addend, u32 pair1, u32 pair2, struct fpenv *env)
{
    u64 a1 = widen(pair1), b1 = widen(pair1 >> 16), a2 = widen(pair2), b2 = widen(pair2 >> 16);
    if (!(env->fpcr & FPCR_EBF)) {
        u64 prod = bf_add(bf_mul(a1, a2, env), bf_mul(b1, b2, env), env);
        return (u32)bf_add(addend, prod, env);
    }
    struct fpenv e = { env->fpcr | FPCR_DN, 0 }; /* raises nothing */
    return (u32)fp_add(addend, bf_dot(a1, b1, a2, b2, &e), FP32, &e);
}

void bf16_matmuladd(u32 res[4], const u32 addend[4], const u32 m1[4], const u32 m2[4], struct fpenv *env)
{
    u32 out[4];
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 2; j++) {
            u32 sum = addend[2 * i + j];
            for (unsigned k = 0; k < 2; k++)
                sum = bf16_dotadd(sum, m1[2 * i + k], m2[2 * j + k], env);
            out[2 * i + j] = sum;
        }
    memcpy(res, out, sizeof(out));
}
