/*
 * Floating-point instructions lane by lane, scalar ones being vectors of one: what walks over the lanes, and what one
 * lane of each operation is (cpu/ops/simd_fp_lanes.def). All instructions work through here; the hot ones try the host
 * first (cpu/insn/fp_host.h). Shared by both engines.
 */
#ifndef CPU_SIMD_FP_LIB_H
#define CPU_SIMD_FP_LIB_H

#include "lib/fp/fp.h"
#include "cpu/state.h"

/* What a lane's result depends on besides its elements. */
struct fp_lane {
    struct fpenv env;
    enum fp_fmt fmt;
    unsigned fbits; /* fraction bits of fixed-point conversions */
    bool rpres;     /* FEAT_RPRES: FRECPE and FRSQRTE give twelve bits */
};
/* d: the old destination (FMADD: Ra), n, m: the sources. The result is truncated to the element. */
typedef u64 fp_lane_fn(struct fp_lane *l, u64 d, u64 n, u64 m);

/* How an instruction finds its format, its lanes and the rest of the destination. */
enum {
    FP_FTYPE = 1,   /* format from ftype<23:22>: the scalar floating-point groups; otherwise from sz<22> */
    FP_HALF = 2,    /* format is half precision */
    FP_FIXED = 4,   /* format and fraction bits from immh:immb */
    FP_SCALAR = 8,  /* one lane */
    FP_PAIR = 16,   /* lane k is made of lanes 2k and 2k+1 of Vm:Vn (scalar: of Vn) */
    FP_ELEM = 32,   /* the second source is one element of Vm, by H:L:M */
    FP_RA = 64,     /* d is Ra, not Rd */
    FP_MERGE_D = 128, FP_MERGE_N = 256, FP_MERGE_M = 512, /* FPCR.NEP: where the rest of a scalar's register is from */
};
void simd_fp(struct cpu *cpu, u32 word, unsigned how, fp_lane_fn *fn);

/* Across lanes: FMAXV and the like, by halves as the manual's Reduce() does. */
void simd_fp_across(struct cpu *cpu, u32 word, enum fp_fmt fmt, fp_lane_fn *fn);

/* Writes a scalar result to Vd: the rest is 0, or with FPCR.NEP stays. */
void fp_write_scalar(struct cpu *cpu, unsigned d, u64 value, enum fp_fmt fmt);

/* FCVT between formats; opc<16:15> is the destination's. */
void fp_scalar_convert(struct cpu *cpu, u32 word);
/* FCVTN, FCVTXN, BFCVTN: to the half of Vd that Q names; FCVTL from the half of Vn that Q names. */
void simd_fp_narrow(struct cpu *cpu, u32 word, bool odd);
void simd_fp_narrow_odd_scalar(struct cpu *cpu, u32 word);
void simd_fp_lengthen(struct cpu *cpu, u32 word);

/* Conversions between general registers and vector registers, fixed point when bit 21 is 0. */
u64 fp_to_general(struct cpu *cpu, u32 word, bool is_unsigned, enum fp_rounding rounding);
void fp_from_general(struct cpu *cpu, u32 word, bool is_unsigned, u64 value);
/* FJCVTZS: returns Wd and sets the flags. */
u32 fp_javascript(struct cpu *cpu, u32 word);

/* FCMP, FCMPE, with zero when bit 3 is set; and FCCMP, FCCMPE. */
void fp_scalar_compare(struct cpu *cpu, u32 word);
void fp_scalar_compare_if(struct cpu *cpu, u32 word);

/* FEAT_FCMA: complex multiply-add and add. */
void simd_fcmla(struct cpu *cpu, u32 word, bool by_element);
void simd_fcadd(struct cpu *cpu, u32 word);
/* FEAT_FHM: half-precision products added to single precision; upper: FMLAL2, from the upper half of Vn. */
void simd_fmlal(struct cpu *cpu, u32 word, bool subtract, bool upper, bool by_element);

/* FEAT_BF16 */
void bf16_convert_scalar(struct cpu *cpu, u32 word);
void simd_bf16_narrow(struct cpu *cpu, u32 word);
void simd_bfdot(struct cpu *cpu, u32 word, bool by_element);
void simd_bfmlal(struct cpu *cpu, u32 word, bool by_element);
void simd_bfmmla(struct cpu *cpu, u32 word);

#define FP_LANES(id, forms, result) fp_lane_fn fp_lane_##id;
#include "cpu/ops/simd_fp_lanes.def"

#endif
