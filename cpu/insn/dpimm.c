/* Data processing -- immediate: the bodies of cpu/insn/dpimm.def (Arm ARM C4.1.92, C6.2). */
#include "cpu/ops/alu.h"
#include "cpu/insn/decode_int.h"
#include "cpu/insn/op.h"

OP(ADR) { RD = PC + (u64)IMM; NEXT; }
OP(ADRP) { RD = (PC & ~0xfffull) + ((u64)IMM << 12); NEXT; }

OP_S(ADD_i) { RD = SIZED(s, RN + (u64)IMM); NEXT; }
OP_S(SUB_i) { RD = SIZED(s, RN - (u64)IMM); NEXT; }
OP_S(ADDS_i) { RD = flags_add(cpu, s, RN, (u64)IMM); NEXT; }
OP_S(SUBS_i) { RD = flags_sub(cpu, s, RN, (u64)IMM); NEXT; }

/* A 32-bit pattern stands for both halves of a 64-bit one. */
#define PATTERN (s ? (u64)(u32)i->imm * 0x100000001ull : (u64)(u32)i->imm)
OP_S(AND_i) { RD = RN & PATTERN; NEXT; }
OP_S(ORR_i) { RD = SIZED(s, RN | PATTERN); NEXT; }
OP_S(EOR_i) { RD = SIZED(s, RN ^ PATTERN); NEXT; }
OP_S(ANDS_i)
{
    u64 r = RN & PATTERN;
    flags_logical(cpu, s, r);
    RD = r;
    NEXT;
}

/* One run of ones in 64 bits: N:immr:imms in imm. */
#define LONG_PATTERN ror_n(ones((i->imm & 63) + 1), 64, i->imm >> 6 & 63)
OP(AND_l) { RD = RN & LONG_PATTERN; NEXT; }
OP(ORR_l) { RD = RN | LONG_PATTERN; NEXT; }
OP(EOR_l) { RD = RN ^ LONG_PATTERN; NEXT; }
OP(ANDS_l)
{
    u64 r = RN & LONG_PATTERN;
    flags_logical(cpu, true, r);
    RD = r;
    NEXT;
}

/* The shift of 16-bit immediates is in the m slot. */
OP_S(MOVZ) { RD = (u64)i->imm << i->m; NEXT; }
OP_S(MOVN) { RD = SIZED(s, ~((u64)i->imm << i->m)); NEXT; }
OP_S(MOVK)
{
    u64 mask = 0xffffull << i->m;
    RD = SIZED(s, (RD & ~mask) | (u64)i->imm << i->m);
    NEXT;
}

/* Left shift to the top, then right shift down (dec_bitfield_down, _up). */
#define UP   (i->imm & 63)
#define DOWN (i->imm >> 8 & 63)
OP_S(SBFX) { RD = s ? (u64)((s64)(RN << UP) >> DOWN) : (u64)(u32)((s32)((u32)RN << UP) >> DOWN); NEXT; }
OP_S(UBFX) { RD = s ? RN << UP >> DOWN : (u64)((u32)RN << UP >> DOWN); NEXT; }
OP_S(SBFIZ) { RD = s ? (u64)((s64)(RN << UP) >> DOWN) : (u64)(u32)((s32)((u32)RN << UP) >> DOWN); NEXT; }
OP_S(UBFIZ) { RD = s ? RN << UP >> DOWN : (u64)((u32)RN << UP >> DOWN); NEXT; }
OP_S(LSL_i) { RD = SIZED(s, RN << i->imm); NEXT; }
OP_S(LSR_i) { RD = (s ? RN : (u64)(u32)RN) >> i->imm; NEXT; }
OP_S(BFM)
{
    unsigned r = i->imm & 63, m = i->imm >> 6 & 63, size = s ? 64 : 32;
    u64 source = s ? RN : (u64)(u32)RN;
    u64 mask = m >= r ? ones(m - r + 1) : ones(m + 1) << (size - r);
    u64 field = m >= r ? source >> r : source << (size - r);
    RD = SIZED(s, (RD & ~mask) | (field & mask));
    NEXT;
}
OP_S(EXTR)
{
    unsigned lsb = (unsigned)i->imm;
    if (s)
        RD = lsb ? RM >> lsb | RN << (64 - lsb) : RM;
    else
        RD = (u32)(((RN << 32) | (u32)RM) >> lsb);
    NEXT;
}
