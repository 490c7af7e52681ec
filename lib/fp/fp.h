/*
 * elmu's own floating point: Arm ARM J1, shared/functions/float, in integer arithmetic only.
 *
 * Exact in results, NaNs, FPSR cumulative flags and all FPCR modes: RMode, FZ, FZ16, DN, AHP, and the FEAT_AFP and
 * FEAT_EBF16 bits AH, FIZ and EBF. FPCR bits of features that the cpu lacks must arrive as 0 (they are RES0).
 * NEP (which lanes are merged) is the instruction's business, not the number's: see the handlers.
 * Trapped exceptions do not exist here: the FPCR enable bits are RES0.
 *
 * Values travel as u64 in the low 16, 32 or 64 bits: higher bits are ignored on the way in and 0 on the way out.
 * All functions are pure but for the flags that they OR into env->fpsr.
 */
#ifndef CPU_FP_H
#define CPU_FP_H

#include <stdbool.h>
#include "lib/base.h"

enum fp_fmt { FP16, FP32, FP64 };

/* The first four are in the order of FPCR.RMode. */
enum fp_rounding { FPR_TIEEVEN, FPR_POSINF, FPR_NEGINF, FPR_ZERO, FPR_TIEAWAY, FPR_ODD };

/* FPCR (Arm ARM D24, C5.2) */
#define FPCR_FIZ         BIT(0)
#define FPCR_AH          BIT(1)
#define FPCR_NEP         BIT(2)
#define FPCR_EBF         BIT(13)
#define FPCR_FZ16        BIT(19)
#define FPCR_RMODE_SHIFT 22
#define FPCR_FZ          BIT(24)
#define FPCR_DN          BIT(25)
#define FPCR_AHP         BIT(26)

/* FPSR cumulative flags */
#define FPSR_IOC BIT(0)
#define FPSR_DZC BIT(1)
#define FPSR_OFC BIT(2)
#define FPSR_UFC BIT(3)
#define FPSR_IXC BIT(4)
#define FPSR_IDC BIT(7)
#define FPSR_QC  BIT(27)

struct fpenv {
    u32 fpcr; /* modes, read only */
    u32 fpsr; /* cumulative flags are ORed in */
};

/* FPRoundingMode(): the rounding that FPCR.RMode names. */
static inline enum fp_rounding fp_rmode(const struct fpenv *env)
{
    return (enum fp_rounding)((env->fpcr >> FPCR_RMODE_SHIFT) & 3);
}

/* Sign operations: no flags; with FPCR.AH a NaN keeps its sign. */
u64 fp_abs(u64 a, enum fp_fmt fmt, const struct fpenv *env);
u64 fp_neg(u64 a, enum fp_fmt fmt, const struct fpenv *env);

/* Arithmetic, rounded by FPCR.RMode (fp_arith.c). */
u64 fp_add(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_sub(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_mul(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_mulx(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env); /* FMULX: 0 * infinity = 2 */
u64 fp_div(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_sqrt(u64 a, enum fp_fmt fmt, struct fpenv *env);
u64 fp_abd(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);                /* FABD: |a - b| */
u64 fp_muladd(u64 addend, u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env); /* addend + a * b, one rounding */
u64 fp_muladd_h(u32 addend, u16 a, u16 b, struct fpenv *env);                /* FMLAL: single + half * half */

/* Minimum and maximum. The first pair is FMAX/FMIN (FPCR.AH changes them), the second FMAXNM/FMINNM. */
u64 fp_max(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_min(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_maxnum(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
u64 fp_minnum(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);

/* Comparison (fp_compare.c). fp_compare returns PSTATE.{N,Z,C,V} in bits 3:0. */
u32 fp_compare(u64 a, u64 b, bool signal_nans, enum fp_fmt fmt, struct fpenv *env);
bool fp_compare_eq(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
bool fp_compare_ge(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);
bool fp_compare_gt(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);

/* Estimates and steps (fp_estimate.c). rpres: FEAT_RPRES is implemented (it acts for FP32 under FPCR.AH only). */
u64 fp_recip_estimate(u64 a, enum fp_fmt fmt, bool rpres, struct fpenv *env); /* FRECPE */
u64 fp_rsqrt_estimate(u64 a, enum fp_fmt fmt, bool rpres, struct fpenv *env); /* FRSQRTE */
u64 fp_recip_exponent(u64 a, enum fp_fmt fmt, struct fpenv *env);             /* FRECPX */
u64 fp_recip_step_fused(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);    /* FRECPS: 2 - a * b */
u64 fp_rsqrt_step_fused(u64 a, u64 b, enum fp_fmt fmt, struct fpenv *env);    /* FRSQRTS: (3 - a * b) / 2 */
u32 unsigned_recip_estimate(u32 a);                                           /* URECPE */
u32 unsigned_rsqrt_estimate(u32 a);                                           /* URSQRTE */

/* Rounding to an integral value (fp_convert.c). exact: an inexact result sets IXC (FRINTX). */
u64 fp_round_int(u64 a, enum fp_fmt fmt, enum fp_rounding rounding, bool exact, struct fpenv *env);
/* FRINT32/64 X and Z: intsize 32 or 64, fmt FP32 or FP64. */
u64 fp_round_int_n(u64 a, enum fp_fmt fmt, enum fp_rounding rounding, unsigned intsize, struct fpenv *env);

/*
 * Floating point to integer or fixed point with fbits fraction bits, saturating to intsize (16, 32 or 64) bits;
 * the result is zero-extended to 64. And back.
 */
u64 fp_to_fixed(u64 a, enum fp_fmt fmt, unsigned fbits, bool is_unsigned, enum fp_rounding rounding, unsigned intsize,
                struct fpenv *env);
u64 fp_from_fixed(u64 v, unsigned fbits, bool is_unsigned, unsigned intsize, enum fp_fmt fmt, enum fp_rounding rounding,
                  struct fpenv *env);

struct fp_jsres {
    u32 value; /* FP64 modulo 2^32 */
    u32 z;     /* PSTATE.Z: 1 when the conversion was exact (and the operand not -0) */
};
struct fp_jsres fp_to_fixed_js(u64 a, struct fpenv *env); /* FJCVTZS */

/* FCVT between formats; FPR_ODD makes FCVTXN. FPCR.AHP selects the alternative half precision. */
u64 fp_convert(u64 a, enum fp_fmt from, enum fp_fmt to, enum fp_rounding rounding, struct fpenv *env);

/* BFloat16 (fp_bf16.c); a pair of elements is packed in a u32, element 0 in the low half. */
u16 bf16_round(u32 a, struct fpenv *env);                             /* BFCVT: FPConvertBF() */
u32 bf16_dotadd(u32 addend, u32 pair1, u32 pair2, struct fpenv *env); /* BFDOT: BFDotAdd(), as FPCR.EBF selects */
u32 bf16_muladd(u32 addend, u16 a, u16 b, struct fpenv *env);         /* BFMLALB/T */
/* BFMMLA: BFMatMulAdd(); 2x4 and 4x2 matrices of BFloat16, row by row, 8 elements each; res and addend 2x2. */
void bf16_matmuladd(u32 res[4], const u32 addend[4], const u32 m1[4], const u32 m2[4], struct fpenv *env);

#endif
