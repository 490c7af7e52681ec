/*
 * Advanced SIMD integer arithmetic: the bodies of cpu/insn/simd_int.def (Arm ARM C4.1.96, C7.2). Hot ones are loops
 * over lanes of known count and type, which compilers turn into the host's vector instructions; the others are the rows
 * of cpu/ops/simd_lanes.def. Moves between lanes are in cpu/insn/simd_copy.c. Writing 64 bits zeroes the upper half.
 */
#include "cpu/insn/op.h"
#include "cpu/ops/simd_lib.h"

/* ---- lanes of one size: e is made of a (Vn), b (Vm) and d (old Vd) ---- */

#define LANE_LOOP(T, f, e)                                                                                             \
    for (unsigned k = 0; k < (q ? 16 : 8) / sizeof(T); k++) {                                                          \
        T a = (T)vn.f[k], b = (T)vm.f[k], d = (T)r.f[k];                                                               \
        (void)a, (void)b, (void)d;                                                                                     \
        r.f[k] = (__typeof__(r.f[0]))(e);                                                                              \
    }
#define LANE_BODY(S, e)                                                                                                \
    FP_CHECK;                                                                                                          \
    union vreg r = VD, vn = VN, vm = VM;                                                                               \
    switch (z) {                                                                                                       \
    case 0: LANE_LOOP(S##8, b, e) break;                                                                               \
    case 1: LANE_LOOP(S##16, h, e) break;                                                                              \
    case 2: LANE_LOOP(S##32, s, e) break;                                                                              \
    default: LANE_LOOP(S##64, d, e)                                                                                    \
    }                                                                                                                  \
    if (!q)                                                                                                            \
        r.d[1] = 0;                                                                                                    \
    VD = r;                                                                                                            \
    NEXT
#define EACH_LANE(id, S, e) OP_QZ(id##_v) { LANE_BODY(S, e); }

EACH_LANE(ADD, u, a + b)
EACH_LANE(SUB, u, a - b)
/* 1u: halfwords would be multiplied as int, which can overflow. */
EACH_LANE(MUL, u, 1u * a * b)
EACH_LANE(MLA, u, d + 1u * a * b)
EACH_LANE(MLS, u, d - 1u * a * b)
EACH_LANE(SMAX, s, a > b ? a : b)
EACH_LANE(SMIN, s, a < b ? a : b)
EACH_LANE(UMAX, u, a > b ? a : b)
EACH_LANE(UMIN, u, a < b ? a : b)
EACH_LANE(CMGT, s, -(a > b))
EACH_LANE(CMGE, s, -(a >= b))
EACH_LANE(CMHI, u, -(a > b))
EACH_LANE(CMHS, u, -(a >= b))
EACH_LANE(CMEQ, u, -(a == b))
EACH_LANE(CMTST, u, -((a & b) != 0))
EACH_LANE(CMGT0, s, -(a > 0))
EACH_LANE(CMGE0, s, -(a >= 0))
EACH_LANE(CMEQ0, s, -(a == 0))
EACH_LANE(CMLE0, s, -(a <= 0))
EACH_LANE(CMLT0, s, -(a < 0))
EACH_LANE(NEG, u, 0u - a)
EACH_LANE(ABS, u, a >> (sizeof a * 8 - 1) ? 0u - a : a)

/* Differences: the larger less the smaller, modulo the lane. */
#define DIFFERENCE ((a > b ? 1u * (u64)a - (u64)b : (u64)b - (u64)a))
EACH_LANE(SABD, s, DIFFERENCE)
EACH_LANE(UABD, u, DIFFERENCE)
EACH_LANE(SABA, s, (u64)d + DIFFERENCE)
EACH_LANE(UABA, u, (u64)d + DIFFERENCE)
#undef DIFFERENCE

/* Saturating: r is the wrapped result of lanes a and b, `over` a lane of ones where it left the range, `limit` what it
 * becomes. */
#define SATURATE_LOOP(S, bits, f, e, over, limit)                                                                      \
    {                                                                                                                  \
        u##bits any = 0;                                                                                               \
        for (unsigned k = 0; k < (q ? 128 : 64) / bits; k++) {                                                         \
            S##bits a = (S##bits)vn.f[k], b = (S##bits)vm.f[k], r = (S##bits)(e), o = (S##bits)(over);                 \
            any |= (u##bits)o;                                                                                         \
            vd.f[k] = (u##bits)((r & ~o) | ((limit) & o));                                                             \
        }                                                                                                              \
        saturated = any != 0;                                                                                          \
        break;                                                                                                         \
    }
#define SATURATE(id, S, e, over, limit)                                                                                \
    OP_QZ(id##_v)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg vd = VD, vn = VN, vm = VM;                                                                          \
        bool saturated = false;                                                                                        \
        switch (z) {                                                                                                   \
        case 0: SATURATE_LOOP(S, 8, b, e, over, limit)                                                                 \
        case 1: SATURATE_LOOP(S, 16, h, e, over, limit)                                                                \
        case 2: SATURATE_LOOP(S, 32, s, e, over, limit)                                                                \
        default: SATURATE_LOOP(S, 64, d, e, over, limit)                                                               \
        }                                                                                                              \
        if (saturated)                                                                                                 \
            cpu->fpsr |= (u32)BIT(FPSR_QC_BIT);                                                                        \
        if (!q)                                                                                                        \
            vd.d[1] = 0;                                                                                               \
        VD = vd;                                                                                                       \
        NEXT;                                                                                                          \
    }
#define TOP (sizeof(a) * 8 - 1)
#define LIMIT_S ((a >> TOP) ^ (__typeof__(a))((1ull << TOP) - 1))
SATURATE(SQADD, s, (u64)a + (u64)b, ((a ^ r) & (b ^ r)) >> TOP, LIMIT_S)
SATURATE(SQSUB, s, (u64)a - (u64)b, ((a ^ b) & (a ^ r)) >> TOP, LIMIT_S)
SATURATE(UQADD, u, (u64)a + (u64)b, -(r < a), (__typeof__(a))~0ull)
SATURATE(UQSUB, u, (u64)a - (u64)b, -(a < b), 0)
#undef TOP
#undef LIMIT_S

#define BITWISE(id, e)                                                                                                 \
    OP_Q(id##_v)                                                                                                       \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = VD;                                                                                             \
        for (unsigned k = 0; k < 2; k++) {                                                                             \
            u64 a = VN.d[k], b = VM.d[k], d = r.d[k];                                                                  \
            (void)a, (void)b, (void)d;                                                                                 \
            r.d[k] = q || !k ? (e) : 0;                                                                                \
        }                                                                                                              \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
BITWISE(AND, (a & b))
BITWISE(BIC, a & ~b)
BITWISE(ORR, a | b)
BITWISE(ORN, a | ~b)
BITWISE(EOR, a ^ b)
BITWISE(BSL, ((a ^ b) & d) ^ b)
BITWISE(BIT, ((a ^ d) & b) ^ d)
BITWISE(BIF, ((a ^ d) & ~b) ^ d)

/* ---- pairs: lane k is made of lanes 2k and 2k+1 of Vn, then of Vm ---- */

#define PAIR_LOOP(T, f, e)                                                                                             \
    for (unsigned k = 0, half = (q ? 8 : 4) / sizeof(T); k < half; k++) {                                              \
        T a = (T)vn.f[2 * k], b = (T)vn.f[2 * k + 1];                                                                  \
        r.f[k] = (__typeof__(r.f[0]))(e);                                                                              \
        a = (T)vm.f[2 * k], b = (T)vm.f[2 * k + 1];                                                                    \
        r.f[half + k] = (__typeof__(r.f[0]))(e);                                                                       \
    }
#define PAIRWISE(id, S, e)                                                                                             \
    OP_QZ(id##_v)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = { { 0, 0 } }, vn = VN, vm = VM;                                                                 \
        switch (z) {                                                                                                   \
        case 0: PAIR_LOOP(S##8, b, e) break;                                                                           \
        case 1: PAIR_LOOP(S##16, h, e) break;                                                                          \
        case 2: PAIR_LOOP(S##32, s, e) break;                                                                          \
        default:                                                                                                       \
            if (q)                                                                                                     \
                PAIR_LOOP(S##64, d, e)                                                                                 \
        }                                                                                                              \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
PAIRWISE(ADDP, u, a + b)
PAIRWISE(SMAXP, s, a > b ? a : b)
PAIRWISE(SMINP, s, a < b ? a : b)
PAIRWISE(UMAXP, u, a > b ? a : b)
PAIRWISE(UMINP, u, a < b ? a : b)

OP(ADDP_s) { FP_CHECK; VD = (union vreg){ .d = { VN.d[0] + VN.d[1], 0 } }; NEXT; }

/* Pairs added into lanes of twice the size; d is the old lane. */
#define PAIR_LONG_LOOP(T, f, TW, fw, e)                                                                                \
    for (unsigned k = 0; k < (q ? 16 : 8) / sizeof(TW); k++) {                                                         \
        TW a = (T)vn.f[2 * k], b = (T)vn.f[2 * k + 1], d = (TW)r.fw[k];                                                \
        (void)d;                                                                                                       \
        r.fw[k] = (__typeof__(r.fw[0]))(e);                                                                            \
    }
#define PAIR_LONG(id, S, e)                                                                                            \
    OP_QZ(id##_v)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = VD, vn = VN;                                                                                    \
        switch (z) {                                                                                                   \
        case 0: PAIR_LONG_LOOP(S##8, b, S##16, h, e) break;                                                            \
        case 1: PAIR_LONG_LOOP(S##16, h, S##32, s, e) break;                                                           \
        default: PAIR_LONG_LOOP(S##32, s, S##64, d, e)                                                                 \
        }                                                                                                              \
        if (!q)                                                                                                        \
            r.d[1] = 0;                                                                                                \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
PAIR_LONG(SADDLP, s, a + b)
PAIR_LONG(UADDLP, u, a + b)
PAIR_LONG(SADALP, s, 0ull + (u64)d + (u64)a + (u64)b)
PAIR_LONG(UADALP, u, 0ull + d + a + b)

/* ---- across lanes: e joins the sum so far, a, with the next lane, b ---- */

#define ACROSS_LOOP(T, f, A, e)                                                                                        \
    {                                                                                                                  \
        A a = (T)vn.f[0];                                                                                              \
        for (unsigned k = 1; k < (q ? 16 : 8) / sizeof(T); k++) {                                                      \
            A b = (T)vn.f[k];                                                                                          \
            a = (A)(e);                                                                                                \
        }                                                                                                              \
        sum = (u64)a;                                                                                                  \
    }
#define ACROSS(id, S, bytes, e)                                                                                        \
    OP_QZ(id##_v)                                                                                                      \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg vn = VN;                                                                                            \
        u64 sum;                                                                                                       \
        switch (z) {                                                                                                   \
        case 0: ACROSS_LOOP(S##8, b, S##32, e) break;                                                                  \
        case 1: ACROSS_LOOP(S##16, h, S##32, e) break;                                                                 \
        default: ACROSS_LOOP(S##32, s, S##64, e)                                                                       \
        }                                                                                                              \
        VD = (union vreg){ .d = { sum & ones((bytes) * 8), 0 } };                                                      \
        NEXT;                                                                                                          \
    }
ACROSS(ADDV, u, 1 << z, a + b)
ACROSS(SMAXV, s, 1 << z, a > b ? a : b)
ACROSS(SMINV, s, 1 << z, a < b ? a : b)
ACROSS(UMAXV, u, 1 << z, a > b ? a : b)
ACROSS(UMINV, u, 1 << z, a < b ? a : b)
ACROSS(SADDLV, s, 2 << z, a + b)
ACROSS(UADDLV, u, 2 << z, a + b)

/* ---- long: the halves of Vn and Vm that Q names, to lanes of twice the size; wide: Vn has those already ---- */

#define LONG_LOOP(T, f, TW, fw, an, e)                                                                                 \
    for (unsigned k = 0, half = q ? 8 / sizeof(T) : 0; k < 8 / sizeof(T); k++) {                                       \
        TW a = an, b = (T)vm.f[half + k];                                                                              \
        __typeof__(r.fw[0]) d = r.fw[k];                                                                               \
        (void)d, (void)half;                                                                                           \
        r.fw[k] = (__typeof__(r.fw[0]))(e);                                                                            \
    }
#define LONG_BODY(S, LOOP, e)                                                                                          \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = VD, vn = VN, vm = VM;                                                                           \
        switch (z) {                                                                                                   \
        case 0: LOOP(S##8, b, S##16, h, e) break;                                                                      \
        case 1: LOOP(S##16, h, S##32, s, e) break;                                                                     \
        default: LOOP(S##32, s, S##64, d, e)                                                                           \
        }                                                                                                              \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
#define FROM_HALVES(T, f, TW, fw, e) LONG_LOOP(T, f, TW, fw, (T)vn.f[half + k], e)
#define FROM_WIDE(T, f, TW, fw, e)   LONG_LOOP(T, f, TW, fw, (TW)vn.fw[k], e)
#define EACH_LONG(id, S, e) OP_QZ(id##_v) LONG_BODY(S, FROM_HALVES, e)
#define EACH_WIDE(id, S, e) OP_QZ(id##_v) LONG_BODY(S, FROM_WIDE, e)

EACH_LONG(SADDL, s, a + b)
EACH_LONG(UADDL, u, a + b)
EACH_LONG(SSUBL, s, a - b)
EACH_LONG(USUBL, u, a - b)
EACH_WIDE(SADDW, s, (u64)a + (u64)b)
EACH_WIDE(UADDW, u, a + b)
EACH_WIDE(SSUBW, s, (u64)a - (u64)b)
EACH_WIDE(USUBW, u, a - b)
/* A product of halves fits in int (SMULL) or is made in unsigned, so that nothing overflows. */
EACH_LONG(SMULL, s, (a * b))
EACH_LONG(UMULL, u, 1u * a * b)
EACH_LONG(SMLAL, s, d + (__typeof__(1u * d))(a * b))
EACH_LONG(UMLAL, u, d + 1u * a * b)
EACH_LONG(SMLSL, s, d - (__typeof__(1u * d))(a * b))
EACH_LONG(UMLSL, u, d - 1u * a * b)

/* ---- by element: b is one lane of Vm in all lanes ---- */

#define BY_ELEMENT(id, f, loop)                                                                                        \
    OP_Q(id)                                                                                                           \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = VD, vn = VN, vm;                                                                                \
        const __typeof__(vm.f[0]) element = VM.f[i->imm];                                                              \
        for (unsigned k = 0; k < ARRAY_LEN(vm.f); k++)                                                                 \
            vm.f[k] = element;                                                                                         \
        loop;                                                                                                          \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
#define SAME_LOOP(T, f, e)                                                                                             \
    LANE_LOOP(T, f, e)                                                                                                 \
    r.d[1] = q ? r.d[1] : 0
#define EACH_LANE_X(id, S, e)                                                                                          \
    BY_ELEMENT(id##_xh, h, SAME_LOOP(S##16, h, e)) BY_ELEMENT(id##_xw, s, SAME_LOOP(S##32, s, e))
#define EACH_LONG_X(id, S, e)                                                                                          \
    BY_ELEMENT(id##_xh, h, FROM_HALVES(S##16, h, S##32, s, e))                                                         \
    BY_ELEMENT(id##_xw, s, FROM_HALVES(S##32, s, S##64, d, e))
EACH_LANE_X(MUL, u, 1u * a * b)
EACH_LANE_X(MLA, u, d + 1u * a * b)
EACH_LANE_X(MLS, u, d - 1u * a * b)
EACH_LONG_X(SMULL, s, (a * b))
EACH_LONG_X(UMULL, u, 1u * a * b)
EACH_LONG_X(SMLAL, s, d + (__typeof__(1u * d))(a * b))
EACH_LONG_X(UMLAL, u, d + 1u * a * b)
EACH_LONG_X(SMLSL, s, d - (__typeof__(1u * d))(a * b))
EACH_LONG_X(UMLSL, u, d - 1u * a * b)

/* ---- shift by immediate, 1 to size right or 0 to size - 1 left ---- */

/* Two steps: the amount may be the whole size, which C does not shift by. */
#define SHIFTED_RIGHT(v) ((v) >> (amount - 1) >> 1)
#define SHIFT_OP(id, size, T, f, e)                                                                                    \
    OP_Q(id##_##size)                                                                                                  \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = VD, vn = VN;                                                                                    \
        const unsigned amount = (unsigned)i->imm;                                                                      \
        for (unsigned k = 0; k < (q ? 16 : 8) / sizeof(T); k++) {                                                      \
            T a = (T)vn.f[k];                                                                                          \
            const __typeof__(r.f[0]) d = r.f[k], all = (__typeof__(r.f[0]))~0ull;                                      \
            (void)d, (void)all;                                                                                        \
            r.f[k] = (__typeof__(r.f[0]))(e);                                                                          \
        }                                                                                                              \
        if (!q)                                                                                                        \
            r.d[1] = 0;                                                                                                \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
#define EACH_SHIFT(id, S, e)                                                                                           \
    SHIFT_OP(id, b, S##8, b, e) SHIFT_OP(id, h, S##16, h, e) SHIFT_OP(id, w, S##32, s, e) SHIFT_OP(id, d, S##64, d, e)

EACH_SHIFT(SSHR, s, SHIFTED_RIGHT(a))
EACH_SHIFT(USHR, u, SHIFTED_RIGHT(a))
EACH_SHIFT(SSRA, s, d + (__typeof__(1u * d))SHIFTED_RIGHT(a))
EACH_SHIFT(USRA, u, d + SHIFTED_RIGHT(a))
EACH_SHIFT(SHL, u, a << amount)
EACH_SHIFT(SRI, u, (d & ~SHIFTED_RIGHT(all)) | SHIFTED_RIGHT(a))
EACH_SHIFT(SLI, u, (d & ~(all << amount)) | a << amount)

#define SHIFT_LONG_OP(id, size, T, f, TW, fw)                                                                          \
    OP_Q(id##_##size)                                                                                                  \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r, vn = VN;                                                                                         \
        const unsigned amount = (unsigned)i->imm;                                                                      \
        for (unsigned k = 0; k < 8 / sizeof(T); k++)                                                                   \
            r.fw[k] = (__typeof__(r.fw[0]))((TW)(T)vn.f[(q ? 8 / sizeof(T) : 0) + k] << amount);                       \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
/* The element is extended by its own type T, then shifted as unsigned. */
SHIFT_LONG_OP(SSHLL, b, s8, b, u32, h)
SHIFT_LONG_OP(SSHLL, h, s16, h, u32, s)
SHIFT_LONG_OP(SSHLL, w, s32, s, u64, d)
SHIFT_LONG_OP(USHLL, b, u8, b, u32, h)
SHIFT_LONG_OP(USHLL, h, u16, h, u32, s)
SHIFT_LONG_OP(USHLL, w, u32, s, u64, d)

/* ---- narrow: the low parts of Vn's lanes, to the half of Vd that Q names ---- */

#define NARROW_LOOP(f, fw, amount)                                                                                     \
    for (unsigned k = 0, half = 8 / sizeof(r.f[0]); k < half; k++)                                                     \
        r.f[(q ? half : 0) + k] = (__typeof__(r.f[0]))(vn.fw[k] >> (amount));
#define NARROW_BEGIN                                                                                                   \
    FP_CHECK;                                                                                                          \
    union vreg r = { { q ? VD.d[0] : 0, 0 } }, vn = VN;
#define NARROW_END                                                                                                     \
    VD = r;                                                                                                            \
    NEXT;

OP_QZ(XTN_v)
{
    NARROW_BEGIN
    switch (z) {
    case 0: NARROW_LOOP(b, h, 0) break;
    case 1: NARROW_LOOP(h, s, 0) break;
    default: NARROW_LOOP(s, d, 0)
    }
    NARROW_END
}
OP_Q(SHRN_b) { NARROW_BEGIN NARROW_LOOP(b, h, (unsigned)i->imm) NARROW_END }
OP_Q(SHRN_h) { NARROW_BEGIN NARROW_LOOP(h, s, (unsigned)i->imm) NARROW_END }
OP_Q(SHRN_w) { NARROW_BEGIN NARROW_LOOP(s, d, (unsigned)i->imm) NARROW_END }

/* ---- all others ---- */

#define LANE_OP(id, base, how) OP(id) { FP_CHECK; simd_lanes(cpu, WORD, how, lane_##base); NEXT; }
#define FORMS_V(id, how)     LANE_OP(id##_v, id, how)
#define FORMS_S(id, how)     LANE_OP(id##_s, id, how)
#define FORMS_VS(id, how)    FORMS_V(id, how) FORMS_S(id, how)
#define FORMS_VSXXS(id, how) FORMS_VS(id, how) LANE_OP(id##_x, id, (how) | LANE_X) LANE_OP(id##_xs, id, (how) | LANE_X)
#define LANES(id, forms, how, result) FORMS_##forms(id, how)
#include "cpu/ops/simd_lanes.def"

/* ---- dot products (FEAT_DotProd, FEAT_I8MM) ---- */

OP(SDOT_v) { FP_CHECK; simd_dot(cpu, WORD, true, true, false); NEXT; }
OP(UDOT_v) { FP_CHECK; simd_dot(cpu, WORD, false, false, false); NEXT; }
OP(USDOT_v) { FP_CHECK; simd_dot(cpu, WORD, false, true, false); NEXT; }
OP(SDOT_x) { FP_CHECK; simd_dot(cpu, WORD, true, true, true); NEXT; }
OP(UDOT_x) { FP_CHECK; simd_dot(cpu, WORD, false, false, true); NEXT; }
OP(SUDOT_x) { FP_CHECK; simd_dot(cpu, WORD, true, false, true); NEXT; }
OP(USDOT_x) { FP_CHECK; simd_dot(cpu, WORD, false, true, true); NEXT; }
OP(SMMLA_v) { FP_CHECK; simd_matrix(cpu, WORD, true, true); NEXT; }
OP(UMMLA_v) { FP_CHECK; simd_matrix(cpu, WORD, false, false); NEXT; }
OP(USMMLA_v) { FP_CHECK; simd_matrix(cpu, WORD, false, true); NEXT; }
