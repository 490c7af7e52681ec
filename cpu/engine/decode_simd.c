/*
 * Field decoders for the Advanced SIMD and crypto tables: which combinations of size and Q a row allocates (Arm ARM
 * C4.1.96), and the immediates. Those named v_ and shift_v keep the word itself for bodies that walk over lanes.
 */
#include "cpu/insn/decode_int.h"

static unsigned size_of(u32 w) { return w >> 22 & 3; }
static bool q_of(u32 w) { return bit(w, 30); }

/* ---- size<23:22> and Q<30> ---- */

/* All sizes; one 64-bit lane needs the scalar form. */
bool dec_v_any(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) != 3 || q_of(w); }
bool dec_v_bhs(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) != 3; }
bool dec_v_hs(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) == 1 || size_of(w) == 2; }
bool dec_v_bh(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) <= 1; }
bool dec_v_b(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) == 0; }
bool dec_v_d(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) == 3; }
/* At least four lanes, or as many as make a reduction worth it: no 2S, no 64-bit. */
bool dec_v_across(u32 w, struct op *op) { return op->imm = (s32)w, size_of(w) != 3 && (size_of(w) != 2 || q_of(w)); }

/* ---- by element: m = the register, imm = the index ---- */

bool dec_element_xh(u32 w, struct op *op)
{
    op->m = (u8)bits(w, 19, 16);
    op->imm = (s32)(bit(w, 11) << 2 | bits(w, 21, 20));
    return true;
}

bool dec_element_xw(u32 w, struct op *op)
{
    op->m = (u8)bits(w, 20, 16);
    op->imm = (s32)(bit(w, 11) << 1 | bit(w, 21));
    return true;
}

/* ---- shift by immediate: immh<22:19>, immb<18:16>; immh 0000 is another group ---- */

static unsigned immh(u32 w) { return w >> 19 & 15; }
static unsigned shift_esize(u32 w) { return 8u << (31 - (unsigned)__builtin_clz(immh(w))); }

bool dec_shift_any(u32 w, struct op *op) { return op->imm = (s32)w, immh(w) != 0; }
bool dec_shift_v(u32 w, struct op *op) { return op->imm = (s32)w, immh(w) && (immh(w) < 8 || q_of(w)); }
bool dec_shift_bhs(u32 w, struct op *op) { return op->imm = (s32)w, immh(w) && immh(w) < 8; }
bool dec_shift_d(u32 w, struct op *op) { return op->imm = (s32)w, immh(w) >= 8; }

/* imm = the amount, 1 to the element's size. */
bool dec_shift_right(u32 w, struct op *op)
{
    if (!immh(w) || (immh(w) >= 8 && !q_of(w)))
        return false;
    op->imm = (s32)(2 * shift_esize(w) - (u32)bits(w, 22, 16));
    return true;
}

/* imm = the amount, 0 to the element's size - 1. */
bool dec_shift_left(u32 w, struct op *op)
{
    if (!immh(w) || (immh(w) >= 8 && !q_of(w)))
        return false;
    op->imm = (s32)((u32)bits(w, 22, 16) - shift_esize(w));
    return true;
}

/* ---- copy ---- */

/* imm = index by imm5<20:16> | index by imm4<14:11> << 8 (INS element). The row's pattern fixed the size. */
bool dec_element(u32 w, struct op *op)
{
    unsigned imm5 = w >> 16 & 31;
    if (!(imm5 & 15))
        return false;
    unsigned log2 = (unsigned)__builtin_ctz(imm5);
    op->imm = (s32)(imm5 >> (log2 + 1) | (w >> 11 & 15) >> log2 << 8);
    if (!(w >> 29 & 1))
        op->imm &= 0xff;
    return true;
}
bool dec_element_q(u32 w, struct op *op) { return q_of(w) && dec_element(w, op); }

/* ---- modified immediate: AdvSIMDExpandImm ---- */

static u32 imm8_of(u32 w) { return (u32)(bits(w, 18, 16) << 5 | bits(w, 9, 5)); }

/* The value repeated to 32 bits; MVNI and BIC (op 1) inverted. cmode 1110 and 1111 with op 1 are other rows. */
bool dec_simd_imm32(u32 w, struct op *op)
{
    u32 imm8 = imm8_of(w), cmode = (u32)bits(w, 15, 12), v;
    switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3: v = imm8 << (cmode >> 1) * 8; break;
    case 4:
    case 5:
        v = imm8 << (cmode >> 1 & 1) * 8;
        v |= v << 16;
        break;
    case 6: v = cmode & 1 ? imm8 << 16 | 0xffff : imm8 << 8 | 0xff; break;
    default:
        v = imm8 * 0x01010101u;
        if (cmode & 1)
            v = (imm8 >> 7) << 31 | (imm8 & 64 ? 0x3e000000u : 0x40000000u) | (imm8 & 63) << 19;
    }
    op->imm = (s32)(bit(w, 29) ? ~v : v);
    return true;
}

bool dec_simd_imm8(u32 w, struct op *op) { return op->imm = (s32)imm8_of(w), true; }

/* imm = the upper 32 bits of the double. */
bool dec_simd_fmov64(u32 w, struct op *op)
{
    u32 imm8 = imm8_of(w);
    op->imm = (s32)((imm8 >> 7) << 31 | (imm8 & 64 ? 0x3fc00000u : 0x40000000u) | (imm8 & 63) << 16);
    return true;
}

/* ---- extract, table lookup ---- */

bool dec_simd_ext(u32 w, struct op *op) { return op->imm = (s32)bits(w, 14, 11), q_of(w) || !bit(w, 14); }
/* imm = bytes of table. */
bool dec_simd_table(u32 w, struct op *op) { return op->imm = (s32)(bits(w, 14, 13) + 1) * 16, true; }

/* ---- loads and stores ---- */

/* log2 of the size of a B, H, S, D or Q register: opc<1>:size. */
static unsigned access_log2(u32 w) { return (unsigned)(bit(w, 23) << 2 | w >> 30); }

bool dec_simd_ui(u32 w, struct op *op) { return op->imm = (s32)(bits(w, 21, 10) << access_log2(w)), true; }

/* As dec_ldst_reg, scaled by the register's size. */
bool dec_simd_reg(u32 w, struct op *op)
{
    unsigned option = (unsigned)bits(w, 15, 13), shift = bit(w, 12) ? access_log2(w) : 0;
    op->imm = (s32)((64 - (8u << (option & 3))) | shift << 8 | (option >> 2) << 16);
    return option & 2;
}

/* imm = offset in bytes: opc 00 S, 01 D, 10 Q. A load of one register twice is UNDEFINED, of what C7.2 LDP allows. */
bool dec_simd_pair(u32 w, struct op *op)
{
    op->imm = (s32)(sext(bits(w, 21, 15), 7) << (2 + (w >> 30)));
    return !bit(w, 22) || bits(w, 4, 0) != bits(w, 14, 10);
}

/* LD2 to LD4: one lane a register would be LD1. */
bool dec_simd_structs(u32 w, struct op *op) { return op->imm = (s32)w, q_of(w) || bits(w, 11, 10) != 3; }

/* LD1 to LD4, one lane: scale = opcode<2:1>; the index takes Q, S and what size does not need. */
bool dec_simd_lane(u32 w, struct op *op)
{
    unsigned scale = (unsigned)bits(w, 15, 14), size = (unsigned)bits(w, 11, 10);
    op->imm = (s32)w;
    switch (scale) {
    case 0: return true;
    case 1: return !(size & 1);
    case 2: return size == 0 || (size == 1 && !bit(w, 12));
    default: return false;
    }
}

/* ---- crypto ---- */

bool dec_crypto_imm2(u32 w, struct op *op) { return op->imm = (s32)bits(w, 13, 12), true; }
bool dec_crypto_imm6(u32 w, struct op *op) { return op->imm = (s32)bits(w, 15, 10), true; }
