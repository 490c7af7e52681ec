/*
 * The inside of the floating point: formats, unpacking, rounding, NaN selection. Included by lib/fp/fp_*.c only.
 *
 * Arm ARM J1, shared/functions/float: FPUnpackBase, FPRoundBase, FPProcessNaN*, FPProcessDenorm*.
 * The pseudocode computes with real numbers. Here a finite non-zero number is mant * 2^(exp - 63) with mant<63> set;
 * a result that does not fit in 64 bits has the OR of all lower bits in mant<0> ("sticky"), which rounds alike because
 * at least eleven bits lie between the last fraction bit and that one.
 * The functions take the format as their first argument and are inlined with a constant one: FP_BY_FORMAT.
 */
#ifndef CPU_FP_CORE_H
#define CPU_FP_CORE_H

#include "lib/fp/fp.h"

/* A result format beside those of enum fp_fmt: single precision with the fraction of a BFloat16 (FPRoundBF). */
#define FP_BF ((enum fp_fmt)3)

struct fp_format {
    unsigned width; /* N */
    unsigned exp;   /* E, exponent bits */
    unsigned frac;  /* F, fraction bits */
    unsigned pad;   /* zero bits below the fraction */
    s32 min_exp;    /* of the smallest normal number */
};

static ALWAYS_INLINE struct fp_format fp_format(enum fp_fmt fmt)
{
    switch ((int)fmt) {
    case FP16: return (struct fp_format){ 16, 5, 10, 0, -14 };
    case FP32: return (struct fp_format){ 32, 8, 23, 0, -126 };
    case (int)FP_BF: return (struct fp_format){ 32, 8, 7, 16, -126 };
    default: return (struct fp_format){ 64, 11, 52, 0, -1022 };
    }
}

/* Calls f with a constant format, so that the inlined body is specialised. Everything after f are its arguments. */
#define FP_BY_FORMAT(fmt, f, ...)                                                                                      \
    do {                                                                                                               \
        switch (fmt) {                                                                                                 \
        case FP16: return f(FP16, __VA_ARGS__);                                                                        \
        case FP32: return f(FP32, __VA_ARGS__);                                                                        \
        default: return f(FP64, __VA_ARGS__);                                                                          \
        }                                                                                                              \
    } while (0)

enum fp_type { FPT_ZERO, FPT_DENORMAL, FPT_NONZERO, FPT_INFINITY, FPT_QNAN, FPT_SNAN };

struct fp_num {
    enum fp_type type;
    bool sign;
    s32 exp; /* of an infinity above, of a zero far below every finite number's: order and alignment just work */
    u64 mant;
};

#define FP_EXP_INFINITY 0x4000
#define FP_EXP_ZERO     (-0x4000)

static ALWAYS_INLINE bool fp_is_nan(struct fp_num x) { return x.type >= FPT_QNAN; }
static ALWAYS_INLINE bool fp_is_inf(struct fp_num x) { return x.type == FPT_INFINITY; }
static ALWAYS_INLINE bool fp_is_zero(struct fp_num x) { return x.type == FPT_ZERO; }

static ALWAYS_INLINE u64 fp_sign_bit(enum fp_fmt fmt) { return BIT(fp_format(fmt).width - 1); }
static ALWAYS_INLINE u64 fp_mask(enum fp_fmt fmt, u64 a) { return a & ones(fp_format(fmt).width); }

static ALWAYS_INLINE u64 fp_zero(enum fp_fmt fmt, bool sign) { return sign ? fp_sign_bit(fmt) : 0; }

static ALWAYS_INLINE u64 fp_infinity(enum fp_fmt fmt, bool sign)
{
    const struct fp_format f = fp_format(fmt);
    return fp_zero(fmt, sign) | ones(f.exp) << (f.frac + f.pad);
}

static ALWAYS_INLINE u64 fp_max_normal(enum fp_fmt fmt, bool sign)
{
    const struct fp_format f = fp_format(fmt);
    return fp_infinity(fmt, sign) - BIT(f.pad);
}

static ALWAYS_INLINE u64 fp_default_nan(enum fp_fmt fmt, const struct fpenv *env)
{
    const struct fp_format f = fp_format(fmt);
    return fp_infinity(fmt, env->fpcr & FPCR_AH) | BIT(f.frac + f.pad - 1);
}

static ALWAYS_INLINE u64 fp_invalid(enum fp_fmt fmt, struct fpenv *env)
{
    env->fpsr |= FPSR_IOC;
    return fp_default_nan(fmt, env);
}

/* FPUnpackBase(). ahp: read half precision in the alternative format (FPUnpackCV only). */
static ALWAYS_INLINE struct fp_num fp_unpack_base(enum fp_fmt fmt, u64 a, bool ahp, struct fpenv *env)
{
    const struct fp_format f = fp_format(fmt);
    bool sign = bit(a, f.width - 1);
    s32 biased = (s32)bits(a, f.frac + f.exp - 1, f.frac);
    u64 frac = a & ones(f.frac);

    if (likely(biased != 0 && biased != (s32)ones(f.exp)))
        return (struct fp_num){ FPT_NONZERO, sign, biased + f.min_exp - 1, BIT(63) | frac << (63 - f.frac) };
    if (biased) {
        if (ahp)
            return (struct fp_num){ FPT_NONZERO, sign, biased + f.min_exp - 1, BIT(63) | frac << (63 - f.frac) };
        enum fp_type type = !frac ? FPT_INFINITY : bit(frac, f.frac - 1) ? FPT_QNAN : FPT_SNAN;
        return (struct fp_num){ type, sign, FP_EXP_INFINITY, BIT(63) };
    }
    if (frac) {
        bool flush;
        if (fmt == FP16) {
            flush = env->fpcr & FPCR_FZ16; /* never raises IDC */
        } else {
            bool fz = (env->fpcr & (FPCR_FZ | FPCR_AH)) == FPCR_FZ;
            if (fz)
                env->fpsr |= FPSR_IDC;
            flush = fz || (env->fpcr & FPCR_FIZ);
        }
        if (!flush) {
            unsigned lead = (unsigned)__builtin_clzll(frac);
            s32 exp = f.min_exp + (s32)(63 - lead) - (s32)f.frac;
            return (struct fp_num){ FPT_DENORMAL, sign, exp, frac << lead };
        }
    }
    return (struct fp_num){ FPT_ZERO, sign, FP_EXP_ZERO, 0 };
}

static ALWAYS_INLINE struct fp_num fp_unpack(enum fp_fmt fmt, u64 a, struct fpenv *env)
{
    return fp_unpack_base(fmt, a, false, env);
}

/* FPProcessDenorm*(): under AH, an operand used as a denormal raises IDC. */
static ALWAYS_INLINE void fp_denorms(enum fp_fmt fmt, bool any, struct fpenv *env)
{
    if (unlikely(any) && fmt != FP16 && (env->fpcr & FPCR_AH))
        env->fpsr |= FPSR_IDC;
}

/* NaN selection (fp_round.c): the operands as bit patterns and their types; at least one is a NaN. */
u64 fp_process_nan(enum fp_fmt fmt, enum fp_type type, u64 a, struct fpenv *env);
u64 fp_process_nans(enum fp_fmt fmt, enum fp_type t1, enum fp_type t2, u64 a, u64 b, struct fpenv *env);

/* FPConvertNaN(): the payload moves to another format, quietened. */
u64 fp_convert_nan(u64 a, enum fp_fmt from, enum fp_fmt to);

/* Whether the magnitude goes up: rest are the bits below the unit, half the value of half a unit. */
static ALWAYS_INLINE bool fp_round_up(enum fp_rounding rounding, bool sign, bool odd, u64 rest, u64 half)
{
    switch (rounding) {
    case FPR_TIEEVEN: return rest > half || (rest == half && odd);
    case FPR_POSINF: return rest && !sign;
    case FPR_NEGINF: return rest && sign;
    case FPR_TIEAWAY: return rest >= half;
    default: return false; /* ZERO and ODD */
    }
}

u64 fp_round_tiny(enum fp_fmt fmt, bool sign, s32 exp, u64 mant, enum fp_rounding rounding, struct fpenv *env);
u64 fp_round_overflow(enum fp_fmt fmt, bool sign, enum fp_rounding rounding, struct fpenv *env);

/*
 * FPRoundBase() for IEEE formats: mant * 2^(exp - 63), mant<63> set, sticky in mant<0>.
 * ahp: the result is half precision in the alternative format: no infinity or NaN, overflow is invalid (FPRoundCV).
 */
static ALWAYS_INLINE u64 fp_round_base(enum fp_fmt fmt, bool sign, s32 exp, u64 mant, enum fp_rounding rounding,
                                       bool ahp, struct fpenv *env)
{
    const struct fp_format f = fp_format(fmt);
    const unsigned drop = 63 - f.frac;
    const s32 emax = (s32)ones(f.exp) + (ahp ? 1 : 0); /* first biased exponent that overflows */

    if (unlikely(exp < f.min_exp))
        return fp_round_tiny(fmt, sign, exp, mant, rounding, env);
    if (likely(exp - f.min_exp + 1 < emax)) {
        u64 m = mant >> drop, rest = mant & ones(drop);
        /* m's leading one adds 1 to the exponent field, so that a carry out of the fraction does the right thing. */
        u64 v = ((u64)(exp - f.min_exp) << f.frac) + m + fp_round_up(rounding, sign, m & 1, rest, BIT(drop - 1));
        if (rounding == FPR_ODD && rest)
            v |= 1;
        if (likely(v >> f.frac < (u64)emax)) {
            if (rest)
                env->fpsr |= FPSR_IXC;
            return fp_zero(fmt, sign) | v << f.pad;
        }
    }
    if (ahp) {
        env->fpsr |= FPSR_IOC;
        return fp_zero(fmt, sign) | ones(f.width - 1);
    }
    return fp_round_overflow(fmt, sign, rounding, env);
}

static ALWAYS_INLINE u64 fp_round(enum fp_fmt fmt, bool sign, s32 exp, u64 mant, enum fp_rounding rounding,
                                  struct fpenv *env)
{
    return fp_round_base(fmt, sign, exp, mant, rounding, false, env);
}

static ALWAYS_INLINE u64 fp_shift_jam(u64 m, u32 n)
{
    if (n >= 64)
        return m != 0;
    return m >> n | (n && m << (64 - n));
}

static ALWAYS_INLINE u128 fp_shift_jam128(u128 m, u32 n)
{
    if (n >= 128)
        return m != 0;
    return m >> n | (n && m << (128 - n));
}

/* A number of the form mant * 2^(exp - 125): room for a product, and for one carry above it. */
struct fp_wide {
    bool sign;
    s32 exp;
    u128 mant;
};

static ALWAYS_INLINE struct fp_wide fp_widen(struct fp_num x)
{
    return (struct fp_wide){ x.sign, x.exp, (u128)x.mant << 62 };
}

/* The exact product: of at most 53 significant bits each, the bit shifted out is 0. */
static ALWAYS_INLINE struct fp_wide fp_product(struct fp_num x, struct fp_num y)
{
    return (struct fp_wide){ x.sign ^ y.sign, x.exp + y.exp, (u128)x.mant * y.mant >> 1 };
}

/*
 * x + y. Exact when they cancel (then at most two bits are shifted out, which are 0), sticky otherwise.
 * An exact zero has mant 0 and no meaningful sign.
 */
static ALWAYS_INLINE struct fp_num fp_sum(struct fp_wide x, struct fp_wide y)
{
    if (x.exp < y.exp) {
        struct fp_wide t = x;
        x = y;
        y = t;
    }
    u128 my = fp_shift_jam128(y.mant, (u32)(x.exp - y.exp));
    bool sign = x.sign;
    u128 m;
    if (x.sign == y.sign) {
        m = x.mant + my;
    } else if (x.mant >= my) {
        m = x.mant - my;
    } else {
        m = my - x.mant;
        sign = y.sign;
    }
    if (!m)
        return (struct fp_num){ FPT_ZERO, false, FP_EXP_ZERO, 0 };
    u64 hi = (u64)(m >> 64);
    unsigned lead = hi ? (unsigned)__builtin_clzll(hi) : 64 + (unsigned)__builtin_clzll((u64)m);
    m <<= lead;
    return (struct fp_num){ FPT_NONZERO, sign, x.exp + 2 - (s32)lead, (u64)(m >> 64) | ((u64)m != 0) };
}

/* floor(sqrt(n)): n in [2^62, 2^64) and [2^126, 2^128) (fp_round.c). */
u32 fp_isqrt64(u64 n);
u64 fp_isqrt128(u128 n);

#endif
