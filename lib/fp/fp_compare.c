/*
 * Floating point: comparison, minimum and maximum.
 *
 * Arm ARM J1: FPCompare, FPCompareEQ, FPCompareGE, FPCompareGT, FPMax, FPMin, FPMaxNum, FPMinNum.
 */
#include "lib/fp/fp_core.h"

/* The order of two numbers that are not NaNs: -1, 0, 1. Zeros are equal. */
static ALWAYS_INLINE int order(struct fp_num x, struct fp_num y)
{
    if (fp_is_zero(x) && fp_is_zero(y))
        return 0;
    if (x.sign != y.sign)
        return x.sign ? -1 : 1;
    int magnitude = x.exp != y.exp ? (x.exp < y.exp ? -1 : 1) : (x.mant > y.mant) - (x.mant < y.mant);
    return x.sign ? -magnitude : magnitude;
}

/* The order as above, or UNORDERED after raising what a NaN raises. */
enum { UNORDERED = 2 };

static ALWAYS_INLINE int compare(enum fp_fmt fmt, u64 a, u64 b, bool signal_nans, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    if (unlikely(fp_is_nan(x) || fp_is_nan(y))) {
        if (signal_nans || x.type == FPT_SNAN || y.type == FPT_SNAN)
            env->fpsr |= FPSR_IOC;
        return UNORDERED;
    }
    fp_denorms(fmt, x.type == FPT_DENORMAL || y.type == FPT_DENORMAL, env);
    return order(x, y);
}

static int compare_any(u64 a, u64 b, bool signal_nans, enum fp_fmt fmt, struct fpenv *env)
{
    FP_BY_FORMAT(fmt, compare, a, b, signal_nans, env);
}

u32 fp_compare(u64 a, u64 b, bool signal_nans, enum fp_fmt fmt, struct fpenv *env)
{
    switch (compare_any(a, b, signal_nans, fmt, env)) {
    case -1: return 0x8;
    case 0: return 0x6;
    case 1: return 0x2;
    default: return 0x3;
    }
}

bool fp_compare_eq(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { return !compare_any(a, b, false, fmt, env); }

bool fp_compare_ge(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env)
{
    int o = compare_any(a, b, true, fmt, env);
    return o == 0 || o == 1;
}

bool fp_compare_gt(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { return compare_any(a, b, true, fmt, env) == 1; }

/*
 * FPMax() and FPMin(). altfp: FPCR.AH for FMAX and FMIN, false for FMAXNM and FMINNM: then the second operand wins
 * when a NaN or a pair of unlike zeros is compared, and a denormal result is not flushed.
 */
static ALWAYS_INLINE u64 extremum(enum fp_fmt fmt, u64 a, u64 b, bool max, bool altfp, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    bool nan = fp_is_nan(x) || fp_is_nan(y), zeros = fp_is_zero(x) && fp_is_zero(y);
    if (altfp && (nan || (zeros && x.sign != y.sign))) {
        if (nan)
            env->fpsr |= FPSR_IOC;
        return fp_is_zero(y) ? fp_zero(fmt, y.sign) : fp_mask(fmt, b);
    }
    if (unlikely(nan))
        return fp_process_nans(fmt, x.type, y.type, a, b, env);
    fp_denorms(fmt, x.type == FPT_DENORMAL || y.type == FPT_DENORMAL, env);

    bool first = order(x, y) == (max ? 1 : -1);
    struct fp_num r = first ? x : y;
    if (fp_is_zero(r)) {
        /* Only two zeros leave a choice of sign, but the rule reads both signs in any case. */
        return fp_zero(fmt, max ? x.sign && y.sign : x.sign || y.sign);
    }
    if (r.type == FPT_DENORMAL && !altfp)
        return fp_round(fmt, r.sign, r.exp, r.mant, fp_rmode(env), env);
    return fp_mask(fmt, first ? a : b);
}

static ALWAYS_INLINE u64 extremum_num(enum fp_fmt fmt, u64 a, u64 b, bool max, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env), y = fp_unpack(fmt, b, env);
    if (!((env->fpcr & FPCR_AH) && fp_is_nan(x) && fp_is_nan(y))) {
        /* A single quiet NaN is the infinity that loses. */
        if (x.type == FPT_QNAN && y.type != FPT_QNAN)
            a = fp_infinity(fmt, max);
        else if (x.type != FPT_QNAN && y.type == FPT_QNAN)
            b = fp_infinity(fmt, max);
    }
    return extremum(fmt, a, b, max, false, env);
}

u64 fp_max(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env)
{
    FP_BY_FORMAT(fmt, extremum, a, b, true, env->fpcr & FPCR_AH, env);
}

u64 fp_min(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env)
{
    FP_BY_FORMAT(fmt, extremum, a, b, false, env->fpcr & FPCR_AH, env);
}

u64 fp_maxnum(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, extremum_num, a, b, true, env); }
u64 fp_minnum(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env) { FP_BY_FORMAT(fmt, extremum_num, a, b, false, env); }
