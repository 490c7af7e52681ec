/*
 * Advanced SIMD lane by lane, as the Arm ARM's pseudocode writes it: unbounded integers (here 128 bits) in, truncation
 * or saturation out. For all but the hot instructions; shared by both engines.
 */
#ifndef CPU_SIMD_LIB_H
#define CPU_SIMD_LIB_H

#include "cpu/state.h"

enum { FPSR_QC_BIT = 27 };

/* What a lane's result depends on besides its elements. */
struct lane {
    unsigned esize; /* bits */
    unsigned shift; /* immediate amount */
    u32 fpsr;       /* QC is ORed in */
};
typedef s128 lane_fn(struct lane *l, s128 d, s128 n, s128 m);

/* How an instruction walks over its lanes. */
enum {
    LANE_S = 1, /* elements are signed */
    D2 = 2,     /* the destination has elements of twice the size */
    N2 = 4,     /* the first source has */
    M2 = 8,     /* the second source has */
    SHR = 16,   /* size and right shift from immh:immb */
    SHL = 32,   /* size and left shift from immh:immb */
    LANE_X = 64, /* the second source is one element of Vm, by H:L:M */
    LONG = D2,
    WIDE = D2 | N2,
    NARROW = N2 | M2,
};

/* Executes `word` on cpu->v with fn for each lane. Fields: Rd, Rn, Rm, Q, size or immh, bit 28 = scalar. The upper half
 * of narrow sources' destination or long sources is used when Q (not in scalar forms). */
void simd_lanes(struct cpu *cpu, u32 word, unsigned how, lane_fn *fn);

/* SDOT, UDOT, USDOT, SUDOT by vector (element < 0) or by element: four bytes a lane. */
void simd_dot(struct cpu *cpu, u32 word, bool signed_n, bool signed_m, bool by_element);
/* SMMLA, UMMLA, USMMLA: 2x8 by 8x2 matrices of bytes, added to 2x2 words. */
void simd_matrix(struct cpu *cpu, u32 word, bool signed_n, bool signed_m);

/* Carry-less products. */
u16 poly_mul8(u8 a, u8 b);
union vreg poly_mul64(u64 a, u64 b);

#define LANES(id, forms, how, result) lane_fn lane_##id;
#include "cpu/ops/simd_lanes.def"

#endif
