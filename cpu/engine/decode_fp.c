/*
 * Field decoders for the floating-point tables (Arm ARM C4.1.96): what a row leaves to refuse, and immediates. Nearly
 * all rows keep the word itself in imm, since their bodies walk over lanes.
 */
#include "cpu/insn/decode_int.h"

/* ---- scalar ---- */

bool dec_fp_cond(u32 w, struct op *op) { return op->imm = (s32)(w >> 12 & 15), true; }

/* VFPExpandImm(): imm8 = sign, inverted top of the exponent, two bits of exponent, four of fraction. */
static u64 expand(u32 imm8, unsigned exponent, unsigned fraction)
{
    bool b = bit(imm8, 6);
    u64 exp = (u64)!b << (exponent - 1) | (b ? ones(exponent - 3) << 2 : 0) | bits(imm8, 5, 4);
    return (u64)bit(imm8, 7) << (exponent + fraction) | exp << fraction | (u64)(imm8 & 15) << (fraction - 4);
}
bool dec_fmov_half(u32 w, struct op *op) { return op->imm = (s32)expand((u32)bits(w, 20, 13), 5, 10), true; }
bool dec_fmov_single(u32 w, struct op *op) { return op->imm = (s32)expand((u32)bits(w, 20, 13), 8, 23), true; }
bool dec_fmov_double(u32 w, struct op *op) { return op->imm = (s32)(expand((u32)bits(w, 20, 13), 11, 52) >> 32), true; }

bool dec_fp_scale(u32 w, struct op *op) { return op->imm = (s32)w, bit(w, 31) || bit(w, 15); }

/* ---- vector ---- */

/* imm = the half, for each lane. */
bool dec_fmov_halves(u32 w, struct op *op)
{
    u32 imm8 = (u32)(bits(w, 18, 16) << 5 | bits(w, 9, 5));
    return op->imm = (s32)expand(imm8, 5, 10), true;
}

/* sz<22>: one double needs the scalar form. */
bool dec_vfp(u32 w, struct op *op) { return op->imm = (s32)w, !bit(w, 22) || bit(w, 30); }

/* By element: a double's index is H alone. Scalar, and vector. */
bool dec_xfp_scalar(u32 w, struct op *op) { return op->imm = (s32)w, !bit(w, 22) || !bit(w, 21); }
bool dec_xfp(u32 w, struct op *op) { return dec_xfp_scalar(w, op) && dec_vfp(w, op); }

/* immh<22:19>: 001x half, 01xx single, 1xxx double; the rows of half precision fix it. */
bool dec_cfp_scalar(u32 w, struct op *op) { return op->imm = (s32)w, bits(w, 22, 21) != 0; }
bool dec_cfp(u32 w, struct op *op) { return dec_cfp_scalar(w, op) && dec_vfp(w, op); }

/* Complex numbers, size<23:22>: 01 half, 10 single, 11 double. */
bool dec_fcma(u32 w, struct op *op)
{
    unsigned size = (unsigned)bits(w, 23, 22);
    return op->imm = (s32)w, size != 0 && (size != 3 || bit(w, 30));
}
/* By element: half with H:L, where H needs a 128-bit vector; single with H, in a 128-bit vector. */
bool dec_fcma_x(u32 w, struct op *op)
{
    op->imm = (s32)w;
    switch (bits(w, 23, 22)) {
    case 1: return !bit(w, 11) || bit(w, 30);
    case 2: return !bit(w, 21) && bit(w, 30);
    default: return false;
    }
}
