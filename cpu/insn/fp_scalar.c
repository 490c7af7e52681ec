/*
 * Scalar floating point: the bodies of cpu/insn/fp_scalar.def (Arm ARM C4.1.96, C7.2). Hot instructions try the host's
 * unit (cpu/insn/fp_host.h) and else go on to the general body of the same name, which walks over one lane in
 * soft-float (cpu/ops/simd_fp_lib.c). A scalar result zeroes the rest of the register or, with FPCR.NEP, leaves it as
 * another register's.
 */
#include "cpu/ops/alu.h"
#include "cpu/insn/fp_host.h"
#include "cpu/insn/op.h"
#include "cpu/ops/simd_fp_lib.h"

/* ---- the general bodies, from cpu/ops/simd_fp_lanes.def ---- */

/* Not inlined: the hot bodies end in a jump to them, which keeps their own path free of calls and frames. */
#define LANE_OP(id, base, how) NOINLINE OP(id) { FP_CHECK; simd_fp(cpu, WORD, how, fp_lane_##base); NEXT; }
#define SINGLE_DOUBLE(id, how) LANE_OP(id##_f, id, FP_FTYPE | FP_SCALAR | (how))
#define ALL_FORMATS(id, how)   SINGLE_DOUBLE(id, how) LANE_OP(id##_h, id, FP_HALF | FP_SCALAR | (how))
#define FORMS_F1(id)           ALL_FORMATS(id, FP_MERGE_D)
#define FORMS_F2(id)           ALL_FORMATS(id, FP_MERGE_N)
#define FORMS_F3(id)           ALL_FORMATS(id, FP_RA | FP_MERGE_D)
#define FORMS_F1_V(id)         FORMS_F1(id)
#define FORMS_F1W_VW(id)       SINGLE_DOUBLE(id, FP_MERGE_D)
#define FORMS_F2_V(id)         FORMS_F2(id)
#define FORMS_F2_V_X(id)       FORMS_F2(id)
#define FORMS_V_S2_X(id)
#define FORMS_V_S2(id)
#define FORMS_V_SC(id)
#define FORMS_V_SZ(id)
#define FORMS_V_XD(id)
#define FORMS_P(id)
#define FORMS_A(id)
#define FORMS_V_S1(id)
#define FORMS_S1(id)
#define FORMS_VW(id)
#define FORMS_V_S1_C(id)
#define FP_LANES(id, forms, result) FORMS_##forms(id)
#include "cpu/ops/simd_fp_lanes.def"

/* ---- the hot ones: ready says when the host's result can stand ---- */

#define WRITE_SCALAR(value)                                                                                            \
    do {                                                                                                               \
        union vreg *d_ = &VD;                                                                                          \
        d_->d[0] = (value);                                                                                            \
        d_->d[1] = 0;                                                                                                  \
        NEXT;                                                                                                          \
    } while (0)
#define HOST(id, ready, attempt)                                                                                       \
    OP_S(id##_f)                                                                                                       \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (ready(cpu)) {                                                                                              \
            struct fp_try r = attempt;                                                                                 \
            if (likely(r.ok))                                                                                          \
                WRITE_SCALAR(r.v);                                                                                     \
        }                                                                                                              \
        return OPN(id##_f)(OP_PASS);                                                                                   \
    }
#define N (VN.d[0])
#define M (VM.d[0])
#define A (VA.d[0])
#define SIGN (s ? BIT(63) : BIT(31))

HOST(FADD, fp_host_ok, fp_host_add(s, N, M))
HOST(FSUB, fp_host_ok, fp_host_sub(s, N, M))
HOST(FMUL, fp_host_ok, fp_host_mul(s, N, M))
HOST(FNMUL, fp_host_ok, fp_host_nmul(s, N, M))
HOST(FDIV, fp_host_ok, fp_host_div(s, N, M))
HOST(FSQRT, fp_host_ok, fp_host_sqrt(s, N))
HOST(FMADD, fp_host_ok, fp_host_muladd(s, A, N, M))
HOST(FMSUB, fp_host_ok, fp_host_muladd(s, A, N ^ SIGN, M))
HOST(FNMADD, fp_host_ok, fp_host_muladd(s, A ^ SIGN, N ^ SIGN, M))
HOST(FNMSUB, fp_host_ok, fp_host_muladd(s, A ^ SIGN, N, M))
HOST(FMAX, fp_host_modes, fp_host_max(s, N, M))
HOST(FMIN, fp_host_modes, fp_host_min(s, N, M))
HOST(FMAXNM, fp_host_modes, fp_host_max(s, N, M))
HOST(FMINNM, fp_host_modes, fp_host_min(s, N, M))
HOST(FRINTN, fp_host_modes, fp_host_round(s, N, FPR_TIEEVEN))
HOST(FRINTP, fp_host_modes, fp_host_round(s, N, FPR_POSINF))
HOST(FRINTM, fp_host_modes, fp_host_round(s, N, FPR_NEGINF))
HOST(FRINTZ, fp_host_modes, fp_host_round(s, N, FPR_ZERO))
HOST(FRINTA, fp_host_modes, fp_host_round(s, N, FPR_TIEAWAY))
HOST(FRINTI, fp_host_modes, fp_host_round(s, N, FPR_TIEEVEN))
HOST(FRINTX, fp_host_ok, fp_host_round(s, N, FPR_TIEEVEN))

/* Bits are moved, and FPCR.AH (a NaN keeps its sign) and NEP make the difference. */
#define BITS(id, e)                                                                                                    \
    OP_S(id##_f)                                                                                                       \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (unlikely(cpu->fpcr & (u32)(FPCR_AH | FPCR_NEP)))                                                           \
            return OPN(id##_f)(OP_PASS);                                                                               \
        u64 n = s ? N : (u32)N;                                                                                        \
        WRITE_SCALAR(e);                                                                                               \
    }
BITS(FABS, n & ~SIGN)
BITS(FNEG, n ^ SIGN)
OP_S(FMOV_f) { FP_CHECK; WRITE_SCALAR(s ? N : (u32)N); }
OP(FMOV_h) { FP_CHECK; WRITE_SCALAR((u16)N); }

/* ---- between formats ---- */

#define CONVERT(id) NOINLINE OP(id) { FP_CHECK; fp_scalar_convert(cpu, WORD); NEXT; }
CONVERT(FCVT)
CONVERT(FCVT_sh)
CONVERT(FCVT_dh)
CONVERT(FCVT_hs)
CONVERT(FCVT_hd)
OP(FCVT_ds)
{
    FP_CHECK;
    struct fp_try r = fp_host_narrow(N);
    if (fp_host_ok(cpu) && likely(r.ok))
        WRITE_SCALAR(r.v);
    return OPN(FCVT)(OP_PASS);
}
OP(FCVT_sd)
{
    FP_CHECK;
    struct fp_try r = fp_host_widen(N);
    if (fp_host_modes(cpu) && likely(r.ok))
        WRITE_SCALAR(r.v);
    return OPN(FCVT)(OP_PASS);
}
OP(BFCVT) { FP_CHECK; bf16_convert_scalar(cpu, WORD); NEXT; }

/* ---- compare ---- */

#define COMPARE(id) NOINLINE OP(id) { FP_CHECK; fp_scalar_compare(cpu, WORD); NEXT; }
COMPARE(FCMP_f)
COMPARE(FCMP_h)
COMPARE(FCMP0_h)
COMPARE(FCMPE_h)
COMPARE(FCMPE0_h)

/* Numbers compare alike everywhere; NaNs and the flushing modes do not. Sets the flags, or returns false. */
static ALWAYS_INLINE bool host_compare(struct cpu *cpu, bool dbl, u64 n, u64 m)
{
    bool less = dbl ? f64_of(n) < f64_of(m) : f32_of(n) < f32_of(m);
    bool more = dbl ? f64_of(n) > f64_of(m) : f32_of(n) > f32_of(m);
    bool same = dbl ? f64_of(n) == f64_of(m) : f32_of(n) == f32_of(m);
    if (unlikely(!fp_host_modes(cpu) || !(less | more | same)))
        return false;
    cpu->flag_n = (u64)less << 63;
    cpu->flag_z = !same;
    cpu->flag_c = !less;
    cpu->flag_v = 0;
    return true;
}
#define HOST_COMPARE(id, second)                                                                                       \
    OP_S(id##_f)                                                                                                       \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (likely(host_compare(cpu, s, N, second)))                                                                   \
            NEXT;                                                                                                      \
        return OPN(FCMP_f)(OP_PASS);                                                                                   \
    }
HOST_COMPARE(FCMP, M)
HOST_COMPARE(FCMPE, M)
HOST_COMPARE(FCMP0, 0)
HOST_COMPARE(FCMPE0, 0)

#define COMPARE_IF(id)                                                                                                 \
    NOINLINE OP(id)                                                                                                    \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (condition_holds(cpu, WORD >> 12 & 15))                                                                     \
            fp_scalar_compare_if(cpu, WORD);                                                                           \
        else                                                                                                           \
            cpu_set_nzcv(cpu, WORD & 15);                                                                              \
        NEXT;                                                                                                          \
    }
COMPARE_IF(FCCMP_f)
COMPARE_IF(FCCMP_h)
OP_S(FCCMP_f)
{
    FP_CHECK;
    if (!condition_holds(cpu, WORD >> 12 & 15)) {
        cpu_set_nzcv(cpu, WORD & 15);
        NEXT;
    }
    if (likely(host_compare(cpu, s, N, M)))
        NEXT;
    return OPN(FCCMP_f)(OP_PASS);
}

OP_S(FCSEL_f)
{
    FP_CHECK;
    u64 v = condition_holds(cpu, (unsigned)i->imm) ? N : M;
    WRITE_SCALAR(s ? v : (u32)v);
}
OP(FCSEL_h) { FP_CHECK; u64 v = condition_holds(cpu, (unsigned)i->imm) ? N : M; WRITE_SCALAR((u16)v); }

/* ---- immediate ---- */

OP(FMOV_is) { FP_CHECK; WRITE_SCALAR(WORD); }
OP(FMOV_ih) { FP_CHECK; WRITE_SCALAR(WORD); }
OP(FMOV_id) { FP_CHECK; WRITE_SCALAR((u64)WORD << 32); }

/* ---- to and from general registers ---- */

OP(FMOV_gs) { FP_CHECK; RD = VN.s[0]; NEXT; }
OP(FMOV_gd) { FP_CHECK; RD = VN.d[0]; NEXT; }
OP(FMOV_gh) { FP_CHECK; RD = VN.h[0]; NEXT; }
OP(FMOV_gtop) { FP_CHECK; RD = VN.d[1]; NEXT; }
OP(FMOV_sg) { FP_CHECK; WRITE_SCALAR((u32)RN); }
OP(FMOV_dg) { FP_CHECK; WRITE_SCALAR(RN); }
OP(FMOV_hg) { FP_CHECK; WRITE_SCALAR((u16)RN); }
OP(FMOV_topg) { FP_CHECK; VD.d[1] = RN; NEXT; }

#define TO(id, is_unsigned, mode) NOINLINE OP(id) { FP_CHECK; RD = fp_to_general(cpu, WORD, is_unsigned, mode); NEXT; }
#define FROM(id, is_unsigned)         NOINLINE OP(id) { FP_CHECK; fp_from_general(cpu, WORD, is_unsigned, RN); NEXT; }
#define TO_BOTH(id, is_unsigned, rounding) TO(id##_g, is_unsigned, rounding) TO(id##_gh, is_unsigned, rounding)
#define TO_FIXED(id, is_unsigned)   TO(id##_x, is_unsigned, FPR_ZERO) TO(id##_xh, is_unsigned, FPR_ZERO)
#define FROM_FIXED(id, is_unsigned) FROM(id##_x, is_unsigned) FROM(id##_xh, is_unsigned)
TO_BOTH(FCVTNS, false, FPR_TIEEVEN)
TO_BOTH(FCVTNU, true, FPR_TIEEVEN)
TO_BOTH(FCVTPS, false, FPR_POSINF)
TO_BOTH(FCVTPU, true, FPR_POSINF)
TO_BOTH(FCVTMS, false, FPR_NEGINF)
TO_BOTH(FCVTMU, true, FPR_NEGINF)
TO_BOTH(FCVTAS, false, FPR_TIEAWAY)
TO_BOTH(FCVTAU, true, FPR_TIEAWAY)
TO_BOTH(FCVTZS, false, FPR_ZERO)
TO_BOTH(FCVTZU, true, FPR_ZERO)
TO_FIXED(FCVTZS, false)
TO_FIXED(FCVTZU, true)
FROM(SCVTF_g, false)
FROM(UCVTF_g, true)
FROM(SCVTF_gh, false)
FROM(UCVTF_gh, true)
FROM_FIXED(SCVTF, false)
FROM_FIXED(UCVTF, true)
OP(FJCVTZS) { FP_CHECK; RD = fp_javascript(cpu, WORD); NEXT; }

#define HOST_TO(id, suffix, dbl, is_unsigned)                                                                          \
    OP_S(id##_g##suffix)                                                                                               \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        struct fp_try r = fp_host_to_int(dbl, s, is_unsigned, N);                                                      \
        if (unlikely(!fp_host_ok(cpu) || !r.ok))                                                                       \
            return OPN(id##_g)(OP_PASS);                                                                               \
        RD = r.v;                                                                                                      \
        NEXT;                                                                                                          \
    }
HOST_TO(FCVTZS, s, false, false)
HOST_TO(FCVTZS, d, true, false)
HOST_TO(FCVTZU, s, false, true)
HOST_TO(FCVTZU, d, true, true)

/* A double takes a W register exactly. */
#define HOST_FROM(id, suffix, dbl, is_unsigned)                                                                        \
    OP_S(id##_g##suffix)                                                                                               \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        if (unlikely(!((dbl) && !s ? fp_host_modes(cpu) : fp_host_ok(cpu))))                                           \
            return OPN(id##_g)(OP_PASS);                                                                               \
        WRITE_SCALAR(fp_host_from_int(dbl, s, is_unsigned, RN));                                                       \
    }
HOST_FROM(SCVTF, s, false, false)
HOST_FROM(SCVTF, d, true, false)
HOST_FROM(UCVTF, s, false, true)
HOST_FROM(UCVTF, d, true, true)
