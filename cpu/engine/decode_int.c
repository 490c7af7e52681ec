/*
 * Field decoders for the integer, branch and load/store tables: what a row's third column names. Each fills op->imm
 * from the word (register slots are set already) and returns false for a word that its row does not allocate.
 */
#include "cpu/insn/decode_int.h"

#include "cpu/state.h"

bool dec_none(u32 w, struct op *op) { return (void)w, (void)op, true; }
bool dec_word(u32 w, struct op *op) { return op->imm = (s32)w, true; }

static bool sf(u32 w) { return w >> 31; }

/* ---- data processing, immediate ---- */

bool dec_adr(u32 w, struct op *op) { return op->imm = (s32)sext(bits(w, 23, 5) << 2 | bits(w, 30, 29), 21), true; }

bool dec_imm12(u32 w, struct op *op) { return op->imm = (s32)(bits(w, 21, 10) << (bit(w, 22) ? 12 : 0)), true; }

struct bitmask bitmask_decode(unsigned n, unsigned immr, unsigned imms)
{
    /* DecodeBitMasks: the element size is given by the highest set bit of N:NOT(imms). */
    unsigned sizes = n << 6 | (~imms & 63);
    if (sizes < 2)
        return (struct bitmask){ 0, false };
    unsigned len = 31 - (unsigned)__builtin_clz(sizes), size = 1u << len;
    unsigned s = imms & (size - 1), r = immr & (size - 1);
    if (s == size - 1)
        return (struct bitmask){ 0, false };
    u64 element = ror_n(ones(s + 1), size, r);
    for (unsigned have = size; have < 64; have *= 2)
        element |= element << have;
    return (struct bitmask){ element, true };
}

bool dec_bitmask(u32 w, struct op *op)
{
    if (!sf(w) && bit(w, 22))
        return false;
    struct bitmask v = bitmask_decode((unsigned)bit(w, 22), (unsigned)bits(w, 21, 16), (unsigned)bits(w, 15, 10));
    op->imm = (s32)(u32)v.v;
    return v.ok && !bit(w, 22);
}

bool dec_bitmask_long(u32 w, struct op *op)
{
    struct bitmask v = bitmask_decode(1, (unsigned)bits(w, 21, 16), (unsigned)bits(w, 15, 10));
    op->imm = (s32)bits(w, 22, 10);
    return v.ok;
}

bool dec_movewide(u32 w, struct op *op)
{
    op->imm = (s32)bits(w, 20, 5);
    op->m = (u8)(bits(w, 22, 21) * 16);
    return sf(w) || !bit(w, 22);
}

/* N == sf, and 32-bit forms have immr<5> == imms<5> == 0. */
static bool bitfield_allocated(u32 w) { return bit(w, 22) == sf(w) && (sf(w) || (!bit(w, 21) && !bit(w, 15))); }

/* imm = left shift | right shift << 8, within the register's size. */
bool dec_bitfield_down(u32 w, struct op *op)
{
    unsigned r = (unsigned)bits(w, 21, 16), s = (unsigned)bits(w, 15, 10), top = sf(w) ? 63 : 31;
    if (!bitfield_allocated(w) || s < r)
        return false;
    op->imm = (s32)((top - s) | (top - s + r) << 8);
    return true;
}

/* The field's low imms+1 bits go to bit size - immr: left shift to the top, then right shift back. */
bool dec_bitfield_up(u32 w, struct op *op)
{
    unsigned r = (unsigned)bits(w, 21, 16), s = (unsigned)bits(w, 15, 10), top = sf(w) ? 63 : 31;
    if (!bitfield_allocated(w) || s >= r)
        return false;
    op->imm = (s32)((top - s) | (r - s - 1) << 8);
    return true;
}

/* immr | imms << 6 */
bool dec_bitfield(u32 w, struct op *op)
{
    op->imm = (s32)(bits(w, 21, 16) | bits(w, 15, 10) << 6);
    return bitfield_allocated(w);
}

bool dec_lsr_imm(u32 w, struct op *op)
{
    op->imm = (s32)bits(w, 21, 16);
    return bitfield_allocated(w) && bit(w, 15) == sf(w);
}

bool dec_lsl_imm(u32 w, struct op *op)
{
    unsigned r = (unsigned)bits(w, 21, 16), s = (unsigned)bits(w, 15, 10), top = sf(w) ? 63 : 31;
    op->imm = (s32)(top - s);
    return bitfield_allocated(w) && s != top && s + 1 == r;
}

bool dec_extract(u32 w, struct op *op)
{
    op->imm = (s32)bits(w, 15, 10);
    return bit(w, 22) == sf(w) && (sf(w) || !bit(w, 15));
}

/* ---- data processing, register ---- */

bool dec_shift(u32 w, struct op *op)
{
    op->imm = (s32)bits(w, 15, 10);
    return sf(w) || !bit(w, 15);
}

bool dec_addsub_plain(u32 w, struct op *op) { return op->imm = 0, bits(w, 23, 22) != 3; }

/* Bits lost by the extension (64 - its length) | shift << 8 | signed << 16 */
bool dec_extend(u32 w, struct op *op)
{
    unsigned option = (unsigned)bits(w, 15, 13), shift = (unsigned)bits(w, 12, 10);
    op->imm = (s32)((64 - (8u << (option & 3))) | shift << 8 | (option >> 2) << 16);
    return shift <= 4;
}

bool dec_crc(u32 w, struct op *op) { return op->imm = (s32)bits(w, 11, 10), bits(w, 11, 10) != 3; }

/* nzcv | condition << 4; the immediate form's operand is in the m slot as a number. */
bool dec_ccmp(u32 w, struct op *op)
{
    op->imm = (s32)(bits(w, 3, 0) | bits(w, 15, 12) << 4);
    if (bit(w, 11))
        op->m = (u8)bits(w, 20, 16);
    return true;
}

bool dec_imm8(u32 w, struct op *op) { return op->imm = (s32)bits(w, 17, 10), true; }
bool dec_imm8_signed(u32 w, struct op *op) { return op->imm = (s32)sext(bits(w, 17, 10), 8), true; }

/* shift | mask << 6 */
bool dec_rmif(u32 w, struct op *op) { return op->imm = (s32)(bits(w, 20, 15) | bits(w, 3, 0) << 6), true; }

/* The modifier is SP where Rn is 31, zero in the Z forms (which have Rn 31). The m slot reads Rd. */
bool dec_pauth(u32 w, struct op *op)
{
    bool zero = bit(w, 13);
    op->m = op->d == REG_TRASH ? REG_ZR : op->d;
    op->n = zero ? REG_ZR : op->n == REG_ZR ? REG_SP : op->n;
    return !zero || bits(w, 9, 5) == 31;
}

/* Key B in bit 0 of imm, by X16 or X17 in bit 1; the modifier of the forms without one is zero. */
bool dec_pauth_key(u32 w, struct op *op)
{
    bool x16_x17 = bits(w, 9, 5) == 16 || bits(w, 9, 5) == 17;
    op->imm = (s32)(bit(w, 10) | (u64)x16_x17 << 1);
    if (!bit(w, 24))
        op->m = REG_ZR;
    return true;
}

/* imm: the branch goes by X16 or X17 */
bool dec_branch_type(u32 w, struct op *op) { return op->imm = bits(w, 9, 5) == 16 || bits(w, 9, 5) == 17, true; }
/* Targets: bit 0 c, bit 1 j */
bool dec_bti(u32 w, struct op *op) { return op->imm = (s32)bits(w, 7, 6), true; }

bool dec_pauth_load(u32 w, struct op *op)
{
    return op->imm = (s32)(sext(bit(w, 22) << 9 | bits(w, 20, 12), 10) << 3), true;
}

/* ---- branches: offsets in bytes ---- */

bool dec_b26(u32 w, struct op *op) { return op->imm = (s32)(sext(w, 26) << 2), true; }
bool dec_b19(u32 w, struct op *op) { return op->imm = (s32)(sext(bits(w, 23, 5), 19) << 2), true; }

bool dec_b14(u32 w, struct op *op)
{
    op->imm = (s32)(sext(bits(w, 18, 5), 14) << 2);
    op->n = (u8)(bit(w, 31) << 5 | bits(w, 23, 19));
    return true;
}

/* ---- loads and stores: offsets in bytes ---- */

bool dec_ldst_ui(u32 w, struct op *op) { return op->imm = (s32)(bits(w, 21, 10) << (w >> 30)), true; }
bool dec_imm9(u32 w, struct op *op) { return op->imm = (s32)sext(bits(w, 20, 12), 9), true; }

/* As dec_extend; the shift is the size when S is set. option<1> must be 1. */
bool dec_ldst_reg(u32 w, struct op *op)
{
    unsigned option = (unsigned)bits(w, 15, 13), shift = bit(w, 12) ? w >> 30 : 0;
    op->imm = (s32)((64 - (8u << (option & 3))) | shift << 8 | (option >> 2) << 16);
    return option & 2;
}

/* A load of both halves into one register is CONSTRAINED UNPREDICTABLE: UNDEFINED here (C6.2 LDP, LDXP;
 * docs/choices.md). */
static bool pair_overlaps(u32 w) { return bit(w, 22) && bits(w, 4, 0) == bits(w, 14, 10); }

/* LDPSW's element is a word though its opc is 01. */
bool dec_pair(u32 w, struct op *op)
{
    op->imm = (s32)(sext(bits(w, 21, 15), 7) << (bit(w, 31) ? 3 : 2));
    return !pair_overlaps(w);
}

bool dec_pair_exclusive(u32 w, struct op *op)
{
    op->imm = (s32)w;
    return !pair_overlaps(w);
}

/* Odd Rs or Rt is UNDEFINED (C6.2, CASP). */
bool dec_casp(u32 w, struct op *op)
{
    op->imm = (s32)w;
    return !bit(w, 16) && !bit(w, 0);
}

/* LDIAPP of one register twice is CONSTRAINED UNPREDICTABLE: UNDEFINED here. FEAT_LSE128 has it hold the upper half,
 * and no 31. */
bool dec_pair_ordered(u32 w, struct op *op) { return (void)op, bits(w, 4, 0) != bits(w, 20, 16); }
bool dec_atomic128(u32 w, struct op *op) { return (void)op, bits(w, 4, 0) != 31 && bits(w, 20, 16) != 31; }

/* Three different registers, none of them 31 (but for the value to set, which may be ZR): else CONSTRAINED
 * UNPREDICTABLE, UNDEFINED here. */
bool dec_mops_copy(u32 w, struct op *op)
{
    u64 d = bits(w, 4, 0), n = bits(w, 9, 5), s = bits(w, 20, 16);
    op->imm = (s32)w;
    return s != n && s != d && n != d && d != 31 && n != 31 && s != 31;
}
bool dec_mops_set(u32 w, struct op *op)
{
    u64 d = bits(w, 4, 0), n = bits(w, 9, 5), s = bits(w, 20, 16);
    op->imm = (s32)w;
    return s != n && s != d && n != d && d != 31 && n != 31;
}

/* Offset in bytes | tag offset << 16 */
bool dec_mte_add(u32 w, struct op *op) { return op->imm = (s32)(bits(w, 21, 16) << 4 | bits(w, 13, 10) << 16), true; }
bool dec_mte_imm9(u32 w, struct op *op) { return op->imm = (s32)sext(bits(w, 20, 12), 9) * 16, true; }
bool dec_mte_imm7(u32 w, struct op *op) { return op->imm = (s32)sext(bits(w, 21, 15), 7) * 16, true; }
