/*
 * Advanced SIMD floating point: the bodies of cpu/simd_fp.def (Arm ARM C4.1.96, C7.2). Most are lanes in soft-float
 * (cpu/simd_fp_lanes.def, cpu/simd_fp_lib.c); hot ones try the host's vectors first, under the conditions of
 * cpu/fp_host.h, and else go on to the general body.
 */
#include "cpu/fp_host.h"
#include "cpu/op.h"
#include "cpu/simd_fp_lib.h"

/* ---- the general bodies, from cpu/simd_fp_lanes.def ---- */

/* Not inlined: see cpu/fp_scalar.c. */
#define LANE_OP(id, base, how) NOINLINE OP(id) { FP_CHECK; simd_fp(cpu, WORD, how, fp_lane_##base); NEXT; }
#define BOTH(id, base, how)    LANE_OP(id, base, how) LANE_OP(id##h, base, FP_HALF | (how))
#define SCALARS(id, how)       BOTH(id##_s, id, FP_SCALAR | (how))
#define ELEMENTS(id, how)      BOTH(id##_x, id, FP_ELEM) BOTH(id##_xs, id, FP_ELEM | FP_SCALAR | (how))
#define FORMS_F1(id)
#define FORMS_F2(id)
#define FORMS_F3(id)
#define FORMS_V(id)      BOTH(id##_v, id, 0)
#define FORMS_VW(id)     LANE_OP(id##_v, id, 0)
#define FORMS_S1(id)     SCALARS(id, FP_MERGE_D)
#define FORMS_F1_V(id)   FORMS_V(id)
#define FORMS_F1W_VW(id) FORMS_VW(id)
#define FORMS_F2_V(id)   FORMS_V(id)
#define FORMS_F2_V_X(id) FORMS_V(id) ELEMENTS(id, FP_MERGE_N)
#define FORMS_V_S2(id)   FORMS_V(id) SCALARS(id, FP_MERGE_N)
#define FORMS_V_SC(id)   FORMS_V(id) SCALARS(id, FP_MERGE_M)
#define FORMS_V_SZ(id)   FORMS_V(id) SCALARS(id, 0)
#define FORMS_V_S2_X(id) FORMS_V_S2(id) ELEMENTS(id, FP_MERGE_N)
#define FORMS_V_XD(id)   FORMS_V(id) ELEMENTS(id, FP_MERGE_D)
#define FORMS_V_S1(id)   FORMS_V(id) SCALARS(id, FP_MERGE_D)
#define FORMS_P(id)      BOTH(id##_v, id, FP_PAIR) BOTH(id##_s, id, FP_PAIR | FP_SCALAR)
#define FORMS_A(id)                                                                                                    \
    OP(id##_v) { FP_CHECK; simd_fp_across(cpu, WORD, FP32, fp_lane_##id); NEXT; }                                      \
    OP(id##_vh) { FP_CHECK; simd_fp_across(cpu, WORD, FP16, fp_lane_##id); NEXT; }
#define FORMS_V_S1_C(id)                                                                                               \
    FORMS_V_S1(id)                                                                                                     \
    LANE_OP(id##_cv, id, FP_FIXED) LANE_OP(id##_cvh, id, FP_FIXED)                                                     \
    LANE_OP(id##_cs, id, FP_FIXED | FP_SCALAR | FP_MERGE_D) LANE_OP(id##_csh, id, FP_FIXED | FP_SCALAR | FP_MERGE_D)
#define FP_LANES(id, forms, result) FORMS_##forms(id)
#include "cpu/simd_fp_lanes.def"

/* ---- single and double with the host's vectors ---- */

typedef u32 v4u __attribute__((vector_size(16)));
typedef u64 v2u __attribute__((vector_size(16)));

/* Of a 64-bit vector the upper half is loaded as 0, and what becomes of it is not looked at. */
static ALWAYS_INLINE v4f load4(const union vreg *v, bool q)
{
    v2u r = { v->d[0], 0 };
    if (q)
        memcpy(&r, v, 16);
    return (v4f)r;
}
static ALWAYS_INLINE v2f load2(const union vreg *v, bool q) { return (v2f)load4(v, q); }

/* No lane is set. */
static ALWAYS_INLINE bool none(v4u lanes, bool q)
{
    v2u w = (v2u)lanes;
    return !(q ? w[0] | w[1] : w[0]);
}

/* The lanes that fp_finite() and fp_clear() refuse; of a double the upper word says it. */
static ALWAYS_INLINE v4u infinite4(v4f v) { return (v4u)(((v4u)v & 0x7f800000) == 0x7f800000); }
static ALWAYS_INLINE v4u infinite2(v2f v) { return (v4u)(((v4u)v & 0x7ff00000) == 0x7ff00000) & (v4u){ 0, ~0u, 0, ~0u }; }
static ALWAYS_INLINE v4u unclear4(v4f v) { return (v4u)((((v4u)v << 1) - 0x02000000) >= 0xfd000000); }
static ALWAYS_INLINE v4u unclear2(v2f v)
{
    return (v4u)((((v4u)v << 1) - 0x00400000) >= 0xffa00000) & (v4u){ 0, ~0u, 0, ~0u };
}
#define ZERO(v) ((v4u)((v) == 0))

#define STORE(r)                                                                                                       \
    do {                                                                                                               \
        v2u r_ = (v2u)(r);                                                                                             \
        union vreg *d_ = &VD;                                                                                          \
        d_->d[0] = r_[0];                                                                                              \
        d_->d[1] = q ? r_[1] : 0;                                                                                      \
        NEXT;                                                                                                          \
    } while (0)
/* e: the result r from the lanes n and m of the sources and d of the old destination; bad: lanes that the host may have
 * wrong; good: those of them that are right nevertheless, asked for rarely. */
#define HOST_BODY(id, lanes, e, bad, good, ready)                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (likely(fp_host_ok(cpu)) && (ready)) {                                                                      \
            v##lanes##f n = load##lanes(&VN, q), m = load##lanes(&VM, q), d = load##lanes(&VD, q), r = (e);            \
            (void)d;                                                                                                   \
            v4u wrong = (bad);                                                                                         \
            if (likely(none(wrong, q)) || none(wrong & ~(good), q))                                                    \
                STORE(r);                                                                                              \
        }                                                                                                              \
        return OPN(id##_v)(OP_PASS);                                                                                   \
    }
#define HOST_LANES(id, e4, e2, bad, good, ready)                                                                       \
    OP_Q(id##_v4) HOST_BODY(id, 4, e4, bad##4(r), good, ready)                                                         \
    OP(id##_v2)                                                                                                        \
    {                                                                                                                  \
        const bool q = true;                                                                                           \
        HOST_BODY(id, 2, e2, bad##2(r), good, ready)                                                                   \
    }
/* A product with a factor 0 is 0, and so is its sum with 0; 0 / x is. */
#define ZERO_PRODUCT (ZERO(r) & (ZERO(n) | ZERO(m)))
#define NO_LANE      ((v4u){ 0, 0, 0, 0 })
HOST_LANES(FADD, n + m, n + m, infinite, NO_LANE, true)
HOST_LANES(FSUB, n - m, n - m, infinite, NO_LANE, true)
HOST_LANES(FMUL, n * m, n * m, unclear, ZERO_PRODUCT, true)
HOST_LANES(FDIV, n / m, n / m, unclear, ZERO(r) & ZERO(n), true)
HOST_LANES(FMLA, host_fma4(d, n, m), host_fma2(d, n, m), unclear, ZERO_PRODUCT & ZERO(d), host_has_fma())
HOST_LANES(FMLS, host_fma4(d, -n, m), host_fma2(d, -n, m), unclear, ZERO_PRODUCT & ZERO(d), host_has_fma())

/* ---- between formats ---- */

OP(FCVTN_v) { FP_CHECK; simd_fp_narrow(cpu, WORD, false); NEXT; }
OP(FCVTXN_v) { FP_CHECK; simd_fp_narrow(cpu, WORD, true); NEXT; }
OP(FCVTXN_s) { FP_CHECK; simd_fp_narrow_odd_scalar(cpu, WORD); NEXT; }
OP(FCVTL_v) { FP_CHECK; simd_fp_lengthen(cpu, WORD); NEXT; }

OP_Q(FMOV_vh)
{
    FP_CHECK;
    VD.d[0] = WORD * 0x0001000100010001ull;
    VD.d[1] = q ? VD.d[0] : 0;
    NEXT;
}

/* ---- FEAT_FHM, FEAT_FCMA, FEAT_BF16 ---- */

#define FMLAL(id, subtract, upper)                                                                                     \
    OP(id##_v) { FP_CHECK; simd_fmlal(cpu, WORD, subtract, upper, false); NEXT; }                                      \
    OP(id##_x) { FP_CHECK; simd_fmlal(cpu, WORD, subtract, upper, true); NEXT; }
FMLAL(FMLAL, false, false)
FMLAL(FMLSL, true, false)
FMLAL(FMLAL2, false, true)
FMLAL(FMLSL2, true, true)

/* Half precision needs FEAT_FP16 as well; an unallocated instruction is so before it could trap. */
#define COMPLEX(id, call)                                                                                              \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        if (bits(WORD, 23, 22) == 1 && !cpu_has(cpu, FEAT_FP16))                                                       \
            UNDEFINED;                                                                                                 \
        FP_CHECK;                                                                                                      \
        call;                                                                                                          \
        NEXT;                                                                                                          \
    }
COMPLEX(FCMLA_v, simd_fcmla(cpu, WORD, false))
COMPLEX(FCMLA_x, simd_fcmla(cpu, WORD, true))
COMPLEX(FCADD_v, simd_fcadd(cpu, WORD))

OP(BFCVTN_v) { FP_CHECK; simd_bf16_narrow(cpu, WORD); NEXT; }
OP(BFDOT_v) { FP_CHECK; simd_bfdot(cpu, WORD, false); NEXT; }
OP(BFDOT_x) { FP_CHECK; simd_bfdot(cpu, WORD, true); NEXT; }
OP(BFMLAL_v) { FP_CHECK; simd_bfmlal(cpu, WORD, false); NEXT; }
OP(BFMLAL_x) { FP_CHECK; simd_bfmlal(cpu, WORD, true); NEXT; }
OP(BFMMLA) { FP_CHECK; simd_bfmmla(cpu, WORD); NEXT; }
