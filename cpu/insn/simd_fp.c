/*
 * Advanced SIMD floating point: the general bodies of cpu/insn/simd_fp.def (Arm ARM C4.1.96, C7.2): lanes in soft-float
 * (cpu/ops/simd_fp_lanes.def, cpu/ops/simd_fp_lib.c). Hot ones try the host first (cpu/insn/simd_fp_host.c).
 */
#include "cpu/insn/op.h"
#include "cpu/ops/simd_fp_lib.h"

/* ---- the general bodies, from cpu/ops/simd_fp_lanes.def ---- */

/* Not inlined: see cpu/insn/fp_scalar.c. */
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
#include "cpu/ops/simd_fp_lanes.def"

/* ---- between formats ---- */

NOINLINE OP(FCVTN_v)
{
    FP_CHECK;
    simd_fp_narrow(cpu, WORD, false);
    NEXT;
}
OP(FCVTXN_v) { FP_CHECK; simd_fp_narrow(cpu, WORD, true); NEXT; }
OP(FCVTXN_s) { FP_CHECK; simd_fp_narrow_odd_scalar(cpu, WORD); NEXT; }
NOINLINE OP(FCVTL_v)
{
    FP_CHECK;
    simd_fp_lengthen(cpu, WORD);
    NEXT;
}

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
