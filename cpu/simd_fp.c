/*
 * Advanced SIMD floating point: the bodies of cpu/simd_fp.def (Arm ARM C4.1.96, C7.2). Most are lanes in soft-float
 * (cpu/simd_fp_lanes.def, cpu/simd_fp_lib.c); hot ones try the host's vectors first, under the conditions of
 * cpu/fp_host.h, and else go on to the general body.
 */
#include "cpu/fp_host.h"
#include "cpu/op.h"
#include "cpu/simd_fp_lib.h"

/* ---- the general bodies, from cpu/simd_fp_lanes.def ---- */

#define LANE_OP(id, base, how) OP(id) { FP_CHECK; simd_fp(cpu, WORD, how, fp_lane_##base); NEXT; }
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

/* Lanes that are not finite, and lanes that are not clear of tininess as fp_clear() has it: 0 = none. */
typedef u32 v4u __attribute__((vector_size(16)));
typedef u64 v2u __attribute__((vector_size(16)));

static ALWAYS_INLINE u64 any4(v4u v) { v2u w = (v2u)v; return w[0] | w[1]; }
static ALWAYS_INLINE u64 not_finite4(v4f v) { return any4((v4u)(((v4u)v & 0x7f800000) == 0x7f800000)); }
static ALWAYS_INLINE u64 not_clear4(v4f v) { return any4((v4u)((((v4u)v << 1) - 0x02000000) >= 0xfd000000)); }
static ALWAYS_INLINE bool not_finite2(v2f v) { return !fp_finite(true, f64_bits(v[0])) || !fp_finite(true, f64_bits(v[1])); }
static ALWAYS_INLINE bool not_clear2(v2f v) { return !fp_clear(true, f64_bits(v[0])) || !fp_clear(true, f64_bits(v[1])); }

static ALWAYS_INLINE v4f load4(const union vreg *v) { v4f f; memcpy(&f, v, 16); return f; }
static ALWAYS_INLINE v2f load2(const union vreg *v) { v2f f; memcpy(&f, v, 16); return f; }

/* A 64-bit vector's upper lanes are computed as 1 and 1, so that they are in nobody's way, and zeroed at the end. */
static ALWAYS_INLINE v4f load4q(const union vreg *v, bool q)
{
    v4f f = load4(v);
    if (!q)
        f[2] = f[3] = 1;
    return f;
}

#define STORE4(r)                                                                                                      \
    do {                                                                                                               \
        v2u r_ = (v2u)(r);                                                                                             \
        VD.d[0] = r_[0];                                                                                               \
        VD.d[1] = q ? r_[1] : 0;                                                                                       \
        NEXT;                                                                                                          \
    } while (0)
#define HOST_LANES(id, e, bad, ready)                                                                                  \
    OP_Q(id##_v4)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (likely(fp_host_ok(cpu)) && (ready)) {                                                                      \
            v4f n = load4q(&VN, q), m = load4q(&VM, q), d = load4q(&VD, q);                                            \
            (void)d;                                                                                                   \
            v4f r = e(4);                                                                                              \
            if (likely(!bad##4(r)))                                                                                    \
                STORE4(r);                                                                                             \
        }                                                                                                              \
        return OPN(id##_v)(OP_PASS);                                                                                   \
    }                                                                                                                  \
    OP(id##_v2)                                                                                                        \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (likely(fp_host_ok(cpu)) && (ready)) {                                                                      \
            v2f n = load2(&VN), m = load2(&VM), d = load2(&VD);                                                        \
            (void)d;                                                                                                   \
            v2f r = e(2);                                                                                              \
            if (likely(!bad##2(r))) {                                                                                  \
                const bool q = true;                                                                                   \
                STORE4(r);                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
        return OPN(id##_v)(OP_PASS);                                                                                   \
    }
#define LANES_ADD(lanes) (n + m)
#define LANES_SUB(lanes) (n - m)
#define LANES_MUL(lanes) (n * m)
#define LANES_DIV(lanes) (n / m)
#define LANES_MLA(lanes) host_fma##lanes(d, n, m)
#define LANES_MLS(lanes) host_fma##lanes(d, -n, m)
HOST_LANES(FADD, LANES_ADD, not_finite, true)
HOST_LANES(FSUB, LANES_SUB, not_finite, true)
HOST_LANES(FMUL, LANES_MUL, not_clear, true)
HOST_LANES(FDIV, LANES_DIV, not_clear, true)
HOST_LANES(FMLA, LANES_MLA, not_clear, host_has_fma())
HOST_LANES(FMLS, LANES_MLS, not_clear, host_has_fma())

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
