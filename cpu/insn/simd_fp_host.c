/*
 * Hot Advanced SIMD floating point, single and double precision, with the host's vectors: bodies of
 * cpu/insn/simd_fp.def that end here when cpu/insn/fp_host.h's conditions hold for every lane, and else go on to the
 * general body (cpu/insn/simd_fp.c).
 */
#include "cpu/insn/fp_host.h"
#include "cpu/insn/op.h"

typedef u32 v4u __attribute__((vector_size(16)));
typedef s32 v4s __attribute__((vector_size(16)));
typedef u64 v2u __attribute__((vector_size(16)));

/* ---- lanes ---- */

/* Of a 64-bit vector the upper half is loaded as 0, and what becomes of it is not looked at. */
static ALWAYS_INLINE v4f load4(const union vreg *v, bool q)
{
    v2u r = { v->d[0], 0 };
    if (q)
        memcpy(&r, v, 16);
    return (v4f)r;
}
static ALWAYS_INLINE v2f load2(const union vreg *v, bool q) { return (v2f)load4(v, q); }

/* One element in all lanes: index H:L<11,21> of singles, H of doubles. */
static ALWAYS_INLINE v4f element4(const union vreg *v, u32 word)
{
    float f = f32_of(v->s[bit(word, 11) << 1 | bit(word, 21)]);
    return (v4f){ f, f, f, f };
}
static ALWAYS_INLINE v2f element2(const union vreg *v, u32 word)
{
    double f = f64_of(v->d[bit(word, 11)]);
    return (v2f){ f, f };
}

/* No lane is set. */
static ALWAYS_INLINE bool none(v4u lanes, bool q)
{
    v2u w = (v2u)lanes;
    return !(q ? w[0] | w[1] : w[0]);
}

/* The lanes that fp_finite() and fp_clear() refuse; of a double the upper word says it. */
static ALWAYS_INLINE v4u infinite4(v4f v) { return (v4u)(((v4u)v & 0x7f800000) == 0x7f800000); }
static ALWAYS_INLINE v4u infinite2(v2f v)
{
    return (v4u)(((v4u)v & 0x7ff00000) == 0x7ff00000) & (v4u){ 0, ~0u, 0, ~0u };
}
/* Compared as signed, for hosts that have nothing else: (exponent - 2) >= 0xfd (0x7fd) with 0x80000000 added on both
 * sides. */
static ALWAYS_INLINE v4u unclear4(v4f v) { return (v4u)((v4s)(((v4u)v << 1) + 0x7e000000) > 0x7cffffff); }
static ALWAYS_INLINE v4u unclear2(v2f v)
{
    return (v4u)((v4s)(((v4u)v << 1) + 0x7fc00000) > 0x7f9fffff) & (v4u){ 0, ~0u, 0, ~0u };
}

#define MASK(comparison) ((v4u)(comparison))
#define NO_LANE          ((v4u){ 0, 0, 0, 0 })

/* ---- the frame of a body ---- */

#define STORE(r)                                                                                                       \
    do {                                                                                                               \
        v2u r_ = (v2u)(r);                                                                                             \
        union vreg *d_ = &VD;                                                                                          \
        d_->d[0] = r_[0];                                                                                              \
        d_->d[1] = q ? r_[1] : 0;                                                                                      \
        NEXT;                                                                                                          \
    } while (0)
/*
 * ready: fp_host_ok, or fp_host_modes for what raises no flag. from: what the second source is. e: the result r from
 * the lanes n and m of the sources and d of the old destination. bad: lanes that the host may have wrong. good: those
 * of them that are right nevertheless, asked for rarely.
 */
#define HOST_BODY(slow, lanes, ready, from, e, bad, good)                                                              \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (likely(ready(cpu))) {                                                                                      \
            v##lanes##f n = load##lanes(&VN, q), m = from(lanes), d = load##lanes(&VD, q);                             \
            __typeof__(e) r = (e);                                                                                     \
            (void)d, (void)m, (void)n;                                                                                 \
            v4u wrong = (bad);                                                                                         \
            if (likely(none(wrong, q)) || none(wrong & ~(good), q))                                                    \
                STORE(r);                                                                                              \
        }                                                                                                              \
        return OPN(slow)(OP_PASS);                                                                                     \
    }
#define FROM_VECTOR(lanes)  load##lanes(&VM, q)
#define FROM_ELEMENT(lanes) element##lanes(&VM, WORD)
#define FROM_ZERO(lanes)    ((v##lanes##f){ 0 })
#define HOST_LANES(id, suffix, slow, ready, from, e4, e2, bad4, bad2, good)                                            \
    op_fn OPN(slow);                                                                                                   \
    OP_Q(id##_##suffix##4) HOST_BODY(slow, 4, ready, from, e4, bad4, good)                                             \
    OP(id##_##suffix##2)                                                                                               \
    {                                                                                                                  \
        const bool q = true;                                                                                           \
        HOST_BODY(slow, 2, ready, from, e2, bad2, good)                                                                \
    }

/* ---- arithmetic ---- */

#define VECTOR(id, e, bad, good) HOST_LANES(id, v, id##_v, fp_host_ok, FROM_VECTOR, e, e, bad##4(r), bad##2(r), good)
/* A product with a factor 0 is 0, and so is its sum with 0; 0 / x is. */
#define ZERO_PRODUCT (MASK(r == 0) & (MASK(n == 0) | MASK(m == 0)))
VECTOR(FADD, n + m, infinite, NO_LANE)
VECTOR(FSUB, n - m, infinite, NO_LANE)
VECTOR(FMUL, (n * m), unclear, ZERO_PRODUCT)
VECTOR(FDIV, n / m, unclear, MASK(r == 0) & MASK(n == 0))
HOST_LANES(FMUL, x, FMUL_x, fp_host_ok, FROM_ELEMENT, (n * m), (n * m), unclear4(r), unclear2(r), ZERO_PRODUCT)

static ALWAYS_INLINE bool fused_ok(const struct cpu *cpu) { return fp_host_ok(cpu) && host_has_fma(); }
#define FUSED(id, suffix, from, sign)                                                                                  \
    HOST_LANES(id, suffix, id##_##suffix, fused_ok, from, host_fma4(d, sign n, m), host_fma2(d, sign n, m),            \
               unclear4(r), unclear2(r), ZERO_PRODUCT & MASK(d == 0))
FUSED(FMLA, v, FROM_VECTOR, +)
FUSED(FMLS, v, FROM_VECTOR, -)
FUSED(FMLA, x, FROM_ELEMENT, +)
FUSED(FMLS, x, FROM_ELEMENT, -)

static ALWAYS_INLINE bool sqrt_ok(const struct cpu *cpu) { return fp_host_ok(cpu) && host_has_sqrt(); }
HOST_LANES(FSQRT, v, FSQRT_v, sqrt_ok, FROM_ZERO,
           ((v4f){ host_sqrtf(n[0]), host_sqrtf(n[1]), host_sqrtf(n[2]), host_sqrtf(n[3]) }),
           ((v2f){ host_sqrt(n[0]), host_sqrt(n[1]) }), infinite4(r), infinite2(r), NO_LANE)

#define SIGN4 ((v4u){ BIT(31), BIT(31), BIT(31), BIT(31) })
#define SIGN2 ((v2u){ BIT(63), BIT(63) })
#define SIGNS(id, e4, e2) HOST_LANES(id, v, id##_v, fp_host_modes, FROM_ZERO, e4, e2, NO_LANE, NO_LANE, NO_LANE)
SIGNS(FABS, (v4u)n & ~SIGN4, (v2u)n & ~SIGN2)
SIGNS(FNEG, (v4u)n ^ SIGN4, (v2u)n ^ SIGN2)
HOST_LANES(FABD, v, FABD_v, fp_host_ok, FROM_VECTOR, (v4f)((v4u)(n - m) & ~SIGN4), (v2f)((v2u)(n - m) & ~SIGN2),
           infinite4(r), infinite2(r), NO_LANE)

/* Neighbours: lane k is the sum of lanes 2k and 2k + 1 of Vm:Vn. */
static ALWAYS_INLINE v4f pairs4(v4f n, v4f m, bool q)
{
    if (q)
        return __builtin_shufflevector(n, m, 0, 2, 4, 6) + __builtin_shufflevector(n, m, 1, 3, 5, 7);
    return __builtin_shufflevector(n, m, 0, 4, 2, 6) + __builtin_shufflevector(n, m, 1, 5, 3, 7);
}
static ALWAYS_INLINE v2f pairs2(v2f n, v2f m) { return (v2f){ n[0] + n[1], m[0] + m[1] }; }
HOST_LANES(FADDP, v, FADDP_v, fp_host_ok, FROM_VECTOR, pairs4(n, m, q), pairs2(n, m), infinite4(r), infinite2(r),
           NO_LANE)

/* ---- minimum, maximum and comparison: no flags, unless a NaN is there; unlike zeros are not equal here ---- */

#define SELECT(chosen) ((MASK(chosen) & (v4u)n) | (~MASK(chosen) & (v4u)m))
#define NO_ORDER       (~(MASK(n < m) | MASK(n > m)))
#define EXTREMUM(id, chosen)                                                                                           \
    HOST_LANES(id, v, id##_v, fp_host_modes, FROM_VECTOR, SELECT(chosen), SELECT(chosen), NO_ORDER, NO_ORDER,          \
               MASK(n == m) & ~MASK(n == 0))
EXTREMUM(FMAX, n > m)
EXTREMUM(FMAXNM, n > m)
EXTREMUM(FMIN, n < m)
EXTREMUM(FMINNM, n < m)

#define UNORDERED (~(MASK(n == n) & MASK(m == m)))
#define COMPARE(id, from, comparison)                                                                                  \
    HOST_LANES(id, v, id##_v, fp_host_modes, from, MASK(comparison), MASK(comparison), UNORDERED, UNORDERED, NO_LANE)
COMPARE(FCMEQ, FROM_VECTOR, n == m)
COMPARE(FCMGE, FROM_VECTOR, n >= m)
COMPARE(FCMGT, FROM_VECTOR, n > m)
COMPARE(FCMEQ0, FROM_ZERO, n == m)
COMPARE(FCMGE0, FROM_ZERO, n >= m)
COMPARE(FCMGT0, FROM_ZERO, n > m)
COMPARE(FCMLE0, FROM_ZERO, n <= m)
COMPARE(FCMLT0, FROM_ZERO, n < m)
#define ABS4(v) ((v4f)((v4u)(v) & ~SIGN4))
#define ABS2(v) ((v2f)((v2u)(v) & ~SIGN2))
#define ABSOLUTE(id, op)                                                                                               \
    HOST_LANES(id, v, id##_v, fp_host_modes, FROM_VECTOR, MASK(ABS4(n) op ABS4(m)), MASK(ABS2(n) op ABS2(m)),          \
               UNORDERED, UNORDERED, NO_LANE)
ABSOLUTE(FACGE, >=)
ABSOLUTE(FACGT, >)

/* ---- to and from integers, and between formats: lane by lane ---- */

#define TO_INT(id, is_unsigned)                                                                                        \
    op_fn OPN(id##_v), OPN(id##_s);                                                                                    \
    OP_Q(id##_v4)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = { { 0, 0 } };                                                                                   \
        bool ok = fp_host_ok(cpu);                                                                                     \
        for (unsigned k = 0; k < (q ? 4 : 2); k++) {                                                                   \
            struct fp_try t = fp_host_to_int(false, false, is_unsigned, VN.s[k]);                                      \
            ok &= t.ok;                                                                                                \
            r.s[k] = (u32)t.v;                                                                                         \
        }                                                                                                              \
        if (unlikely(!ok))                                                                                             \
            return OPN(id##_v)(OP_PASS);                                                                               \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(id##_v2)                                                                                                        \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        struct fp_try a = fp_host_to_int(true, true, is_unsigned, VN.d[0]);                                            \
        struct fp_try b = fp_host_to_int(true, true, is_unsigned, VN.d[1]);                                            \
        if (unlikely(!fp_host_ok(cpu) || !a.ok || !b.ok))                                                              \
            return OPN(id##_v)(OP_PASS);                                                                               \
        VD = (union vreg){ .d = { a.v, b.v } };                                                                        \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP_S(id##_s)                                                                                                       \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        struct fp_try t = fp_host_to_int(s, s, is_unsigned, VN.d[0]);                                                  \
        if (unlikely(!fp_host_ok(cpu) || !t.ok))                                                                       \
            return OPN(id##_s)(OP_PASS);                                                                               \
        VD = (union vreg){ .d = { t.v, 0 } };                                                                          \
        NEXT;                                                                                                          \
    }
TO_INT(FCVTZS, false)
TO_INT(FCVTZU, true)

#define FROM_INT(id, is_unsigned)                                                                                      \
    op_fn OPN(id##_v), OPN(id##_s);                                                                                    \
    OP_Q(id##_v4)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (unlikely(!fp_host_ok(cpu)))                                                                                \
            return OPN(id##_v)(OP_PASS);                                                                               \
        union vreg r = { { 0, 0 } };                                                                                   \
        for (unsigned k = 0; k < (q ? 4 : 2); k++)                                                                     \
            r.s[k] = (u32)fp_host_from_int(false, false, is_unsigned, VN.s[k]);                                        \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(id##_v2)                                                                                                        \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (unlikely(!fp_host_ok(cpu)))                                                                                \
            return OPN(id##_v)(OP_PASS);                                                                               \
        u64 a = fp_host_from_int(true, true, is_unsigned, VN.d[0]);                                                    \
        u64 b = fp_host_from_int(true, true, is_unsigned, VN.d[1]);                                                    \
        VD = (union vreg){ .d = { a, b } };                                                                            \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP_S(id##_s)                                                                                                       \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (unlikely(!fp_host_ok(cpu)))                                                                                \
            return OPN(id##_s)(OP_PASS);                                                                               \
        VD = (union vreg){ .d = { fp_host_from_int(s, s, is_unsigned, VN.d[0]), 0 } };                                 \
        NEXT;                                                                                                          \
    }
FROM_INT(SCVTF, false)
FROM_INT(UCVTF, true)

op_fn OPN(FCVTN_v), OPN(FCVTL_v), OPN(FADDP_s);
OP_Q(FCVTN_d)
{
    FP_CHECK;
    struct fp_try a = fp_host_narrow(VN.d[0]), b = fp_host_narrow(VN.d[1]);
    if (unlikely(!fp_host_ok(cpu) || !a.ok || !b.ok))
        return OPN(FCVTN_v)(OP_PASS);
    VD.d[q] = a.v | b.v << 32;
    if (!q)
        VD.d[1] = 0;
    NEXT;
}
OP_Q(FCVTL_d)
{
    FP_CHECK;
    struct fp_try a = fp_host_widen(VN.s[2 * q]), b = fp_host_widen(VN.s[2 * q + 1]);
    if (unlikely(!fp_host_modes(cpu) || !a.ok || !b.ok))
        return OPN(FCVTL_v)(OP_PASS);
    VD = (union vreg){ .d = { a.v, b.v } };
    NEXT;
}
OP_S(FADDP_s)
{
    FP_CHECK;
    struct fp_try t = s ? fp_host_add(true, VN.d[0], VN.d[1]) : fp_host_add(false, VN.s[0], VN.s[1]);
    if (unlikely(!fp_host_ok(cpu) || !t.ok))
        return OPN(FADDP_s)(OP_PASS);
    VD = (union vreg){ .d = { t.v, 0 } };
    NEXT;
}
