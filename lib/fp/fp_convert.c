/*
 * Floating point: to integral values, to and from integers and fixed point, between formats.
 *
 * Arm ARM J1: FPRoundInt, FPRoundIntN, FPToFixed, FixedToFP, FPToFixedJS, FPConvert.
 */
#include "lib/fp/fp_core.h"

struct integer {
    u64 magnitude;
    bool inexact;
};

/* The magnitude of mant * 2^(exp - 63) rounded to an integer; exp below 64. */
static ALWAYS_INLINE struct integer to_integer(bool sign, s32 exp, u64 mant, enum fp_rounding rounding)
{
    u64 whole = 0, rest = mant; /* rest in units of 2^-64 */
    if (exp >= 0) {
        whole = mant >> (63 - exp);
        rest = exp == 63 ? 0 : mant << (exp + 1);
    } else if (exp < -1) {
        rest = mant != 0; /* below one half: only that it is there counts */
    }
    whole += fp_round_up(rounding, sign, whole & 1, rest, BIT(63));
    return (struct integer){ whole, rest != 0 };
}

/* An integer back in the format; exact. */
static ALWAYS_INLINE u64 from_integer(enum fp_fmt fmt, bool sign, u64 magnitude, struct fpenv *env)
{
    if (!magnitude)
        return fp_zero(fmt, sign);
    unsigned lead = (unsigned)__builtin_clzll(magnitude);
    return fp_round(fmt, sign, 63 - (s32)lead, magnitude << lead, FPR_ZERO, env);
}

static ALWAYS_INLINE u64 round_int(enum fp_fmt fmt, u64 a, enum fp_rounding rounding, bool exact, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env);
    if (unlikely(fp_is_nan(x)))
        return fp_process_nan(fmt, x.type, a, env);
    if (fp_is_zero(x))
        return fp_zero(fmt, x.sign);
    if (x.exp >= (s32)fp_format(fmt).frac) /* an infinity, or integral already */
        return fp_mask(fmt, a);
    struct integer i = to_integer(x.sign, x.exp, x.mant, rounding);
    if (i.inexact && exact)
        env->fpsr |= FPSR_IXC;
    return from_integer(fmt, x.sign, i.magnitude, env);
}

/* Whether an integer of this sign and magnitude fits in size bits. */
static ALWAYS_INLINE bool fits(bool sign, u64 magnitude, unsigned size, bool is_unsigned)
{
    if (is_unsigned)
        return sign ? magnitude == 0 : magnitude <= ones(size);
    return magnitude <= ones(size - 1) + sign;
}

static ALWAYS_INLINE u64 round_int_n(enum fp_fmt fmt, u64 a, enum fp_rounding rounding, unsigned intsize,
                                     struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env);
    if (fp_is_zero(x))
        return fp_zero(fmt, x.sign);
    if (likely(!fp_is_nan(x) && x.exp < 64)) {
        struct integer i = to_integer(x.sign, x.exp, x.mant, rounding);
        if (likely(fits(x.sign, i.magnitude, intsize, false))) {
            if (i.inexact)
                env->fpsr |= FPSR_IXC;
            return from_integer(fmt, x.sign, i.magnitude, env);
        }
    }
    env->fpsr |= FPSR_IOC;
    return from_integer(fmt, true, BIT(intsize - 1), env); /* the most negative integer */
}

static ALWAYS_INLINE u64 to_fixed(enum fp_fmt fmt, u64 a, unsigned fbits, bool is_unsigned, enum fp_rounding rounding,
                                  unsigned intsize, struct fpenv *env)
{
    struct fp_num x = fp_unpack(fmt, a, env);
    if (unlikely(fp_is_nan(x))) {
        env->fpsr |= FPSR_IOC;
        return 0;
    }
    if (fp_is_zero(x))
        return 0;
    s32 exp = x.exp + (s32)fbits;
    if (likely(exp < 64)) {
        struct integer i = to_integer(x.sign, exp, x.mant, rounding);
        if (likely(fits(x.sign, i.magnitude, intsize, is_unsigned))) {
            if (i.inexact)
                env->fpsr |= FPSR_IXC;
            return (x.sign ? -i.magnitude : i.magnitude) & ones(intsize);
        }
    }
    env->fpsr |= FPSR_IOC;
    if (is_unsigned)
        return x.sign ? 0 : ones(intsize);
    return ones(intsize - 1) + x.sign;
}

static ALWAYS_INLINE u64 from_fixed(enum fp_fmt fmt, u64 v, unsigned fbits, bool is_unsigned, unsigned intsize,
                                    enum fp_rounding rounding, struct fpenv *env)
{
    v = is_unsigned ? v & ones(intsize) : sext(v, intsize);
    bool sign = !is_unsigned && bit(v, 63);
    u64 magnitude = sign ? -v : v;
    if (!magnitude)
        return 0;
    unsigned lead = (unsigned)__builtin_clzll(magnitude);
    return fp_round(fmt, sign, 63 - (s32)lead - (s32)fbits, magnitude << lead, rounding, env);
}

/* FPConvert() of a NaN; alt: to the alternative half precision, which has none. */
static u64 convert_nan(struct fp_num x, u64 a, enum fp_fmt from, enum fp_fmt to, bool alt, struct fpenv *env)
{
    if (x.type == FPT_SNAN || alt)
        env->fpsr |= FPSR_IOC;
    if (alt)
        return fp_zero(to, x.sign);
    return env->fpcr & FPCR_DN ? fp_default_nan(to, env) : fp_convert_nan(a, from, to);
}

static ALWAYS_INLINE u64 convert(enum fp_fmt to, u64 a, enum fp_fmt from, enum fp_rounding rounding, struct fpenv *env)
{
    bool ahp = env->fpcr & FPCR_AHP, alt = to == FP16 && ahp;
    struct fp_num x = fp_unpack_base(from, a, from == FP16 && ahp, env);
    if (unlikely(fp_is_nan(x)))
        return convert_nan(x, a, from, to, alt, env);
    if (fp_is_zero(x))
        return fp_zero(to, x.sign);
    if (unlikely(fp_is_inf(x))) {
        if (!alt)
            return fp_infinity(to, x.sign);
        env->fpsr |= FPSR_IOC;
        return fp_zero(to, x.sign) | ones(fp_format(to).width - 1);
    }
    fp_denorms(from, x.type == FPT_DENORMAL, env);
    return fp_round_base(to, x.sign, x.exp, x.mant, rounding, alt, env);
}

static u64 convert_from16(u64 a, enum fp_fmt to, enum fp_rounding r, struct fpenv *env)
{
    FP_BY_FORMAT(to, convert, a, FP16, r, env);
}

static u64 convert_from32(u64 a, enum fp_fmt to, enum fp_rounding r, struct fpenv *env)
{
    FP_BY_FORMAT(to, convert, a, FP32, r, env);
}

static u64 convert_from64(u64 a, enum fp_fmt to, enum fp_rounding r, struct fpenv *env)
{
    FP_BY_FORMAT(to, convert, a, FP64, r, env);
}

u64 fp_convert(u64 a, enum fp_fmt from, enum fp_fmt to, enum fp_rounding rounding, struct fpenv *env)
{
    struct fpenv cv = { env->fpcr & ~(u32)FPCR_FZ16, 0 }; /* FPUnpackCV() and FPRoundCV() ignore FZ16 */
    u64 r = from == FP16   ? convert_from16(a, to, rounding, &cv)
            : from == FP32 ? convert_from32(a, to, rounding, &cv)
                           : convert_from64(a, to, rounding, &cv);
    env->fpsr |= cv.fpsr;
    return r;
}

u64 fp_round_int(u64 a, enum fp_fmt fmt, enum fp_rounding rounding, bool exact, struct fpenv *env)
{
    FP_BY_FORMAT(fmt, round_int, a, rounding, exact, env);
}

u64 fp_round_int_n(u64 a, enum fp_fmt fmt, enum fp_rounding rounding, unsigned intsize, struct fpenv *env)
{
    FP_BY_FORMAT(fmt, round_int_n, a, rounding, intsize, env);
}

u64 fp_to_fixed(u64 a, enum fp_fmt fmt, unsigned fbits, bool is_unsigned, enum fp_rounding rounding, unsigned intsize,
                struct fpenv *env)
{
    FP_BY_FORMAT(fmt, to_fixed, a, fbits, is_unsigned, rounding, intsize, env);
}

u64 fp_from_fixed(u64 v, unsigned fbits, bool is_unsigned, unsigned intsize, enum fp_fmt fmt, enum fp_rounding rounding,
                  struct fpenv *env)
{
    FP_BY_FORMAT(fmt, from_fixed, v, fbits, is_unsigned, intsize, rounding, env);
}

/* FPToFixedJS(): truncation modulo 2^32, as ECMAScript's ToInt32. */
struct fp_jsres fp_to_fixed_js(u64 a, struct fpenv *env)
{
    struct fp_num x = fp_unpack(FP64, a, env);
    if (fp_is_zero(x)) /* Z: exactly the operand, so neither -0 nor a denormal that was flushed */
        return (struct fp_jsres){ 0, a == 0 };
    if (unlikely(fp_is_nan(x) || fp_is_inf(x) || x.exp >= 63 + 53)) {
        env->fpsr |= FPSR_IOC; /* or all significant bits lie above 2^32 */
        return (struct fp_jsres){ 0, 0 };
    }
    if (x.exp >= 64) {
        u32 low = (u32)(x.mant << (x.exp - 63));
        env->fpsr |= FPSR_IOC;
        return (struct fp_jsres){ x.sign ? -low : low, 0 };
    }
    struct integer i = to_integer(x.sign, x.exp, x.mant, FPR_ZERO);
    bool valid = fits(x.sign, i.magnitude, 32, false);
    if (!valid)
        env->fpsr |= FPSR_IOC;
    else if (i.inexact)
        env->fpsr |= FPSR_IXC;
    return (struct fp_jsres){ (u32)(x.sign ? -i.magnitude : i.magnitude), valid && !i.inexact };
}
