/* Data processing -- register: the bodies of cpu/insn/dpreg.def (Arm ARM C4.1.95, C6.2). */
#include "cpu/ops/alu.h"
#include "cpu/insn/op.h"

/* ---- two and one source ---- */

OP_S(UDIV)
{
    if (s)
        RD = RM ? RN / RM : 0;
    else
        RD = (u32)RM ? (u32)RN / (u32)RM : 0;
    NEXT;
}
OP_S(SDIV)
{
    /* The most negative number by -1 wraps to itself. */
    s64 a = s ? (s64)RN : (s32)(u32)RN, b = s ? (s64)RM : (s32)(u32)RM;
    RD = SIZED(s, b == 0 ? 0 : b == -1 ? -(u64)a : (u64)(a / b));
    NEXT;
}
OP_S(LSLV) { RD = shift_value(s, RN, SHIFT_LSL, RM & (s ? 63 : 31)); NEXT; }
OP_S(LSRV) { RD = shift_value(s, RN, SHIFT_LSR, RM & (s ? 63 : 31)); NEXT; }
OP_S(ASRV) { RD = shift_value(s, RN, SHIFT_ASR, RM & (s ? 63 : 31)); NEXT; }
OP_S(RORV) { RD = shift_value(s, RN, SHIFT_ROR, RM & (s ? 63 : 31)); NEXT; }
OP(CRC32) { RD = crc32_bytes((u32)RN, RM, 1u << i->imm, false); NEXT; }
OP(CRC32X) { RD = crc32_bytes((u32)RN, RM, 8, false); NEXT; }
OP(CRC32C) { RD = crc32_bytes((u32)RN, RM, 1u << i->imm, true); NEXT; }
OP(CRC32CX) { RD = crc32_bytes((u32)RN, RM, 8, true); NEXT; }

static ALWAYS_INLINE u64 bit_reverse(u64 v)
{
    v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(v);
}
OP_S(RBIT) { RD = s ? bit_reverse(RN) : bit_reverse(RN) >> 32; NEXT; }
OP_S(REV16) { RD = SIZED(s, (RN >> 8 & 0x00ff00ff00ff00ff) | (RN & 0x00ff00ff00ff00ff) << 8); NEXT; }
OP(REV_w) { RD = __builtin_bswap32((u32)RN); NEXT; }
OP(REV_x) { RD = __builtin_bswap64(RN); NEXT; }
OP(REV32) { u64 r = __builtin_bswap64(RN); RD = r >> 32 | r << 32; NEXT; }
static ALWAYS_INLINE u64 count_leading_zeros(bool s, u64 v)
{
    u64 w = s ? v : v << 32;
    return w ? (u64)__builtin_clzll(w) : s ? 64 : 32;
}
OP_S(CLZ) { RD = count_leading_zeros(s, RN); NEXT; }
OP_S(CLS)
{
    u64 v = s ? RN : sext(RN, 32);
    RD = count_leading_zeros(s, SIZED(s, v ^ (u64)((s64)v >> 1))) - 1;
    NEXT;
}

/* ---- logical, shifted register ---- */

OP_S(MOV_r) { RD = SIZED(s, RM); NEXT; }

#define LOGICAL(id, expression)                                                                                        \
    OP_S(id##_r)   { u64 n = RN, m = RM; RD = SIZED(s, expression); NEXT; }                                             \
    OP_S(id##_lsl) { u64 n = RN, m = shift_value(s, RM, SHIFT_LSL, (unsigned)i->imm); RD = SIZED(s, expression); NEXT; } \
    OP_S(id##_lsr) { u64 n = RN, m = shift_value(s, RM, SHIFT_LSR, (unsigned)i->imm); RD = SIZED(s, expression); NEXT; } \
    OP_S(id##_asr) { u64 n = RN, m = shift_value(s, RM, SHIFT_ASR, (unsigned)i->imm); RD = SIZED(s, expression); NEXT; } \
    OP_S(id##_ror) { u64 n = RN, m = shift_value(s, RM, SHIFT_ROR, (unsigned)i->imm); RD = SIZED(s, expression); NEXT; }
LOGICAL(AND, n &m)
LOGICAL(BIC, n & ~m)
LOGICAL(ORR, n | m)
LOGICAL(ORN, n | ~m)
LOGICAL(EOR, n ^ m)
LOGICAL(EON, n ^ ~m)

#define LOGICAL_S(id, operand, expression)                                                                             \
    OP_S(id)                                                                                                           \
    {                                                                                                                  \
        u64 n = RN, m = operand, r = SIZED(s, expression);                                                             \
        flags_logical(cpu, s, r);                                                                                      \
        RD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
#define SHIFTED(type) shift_value(s, RM, SHIFT_##type, (unsigned)i->imm)
LOGICAL_S(ANDS_r, RM, n &m)
LOGICAL_S(ANDS_lsl, SHIFTED(LSL), n &m)
LOGICAL_S(ANDS_lsr, SHIFTED(LSR), n &m)
LOGICAL_S(ANDS_asr, SHIFTED(ASR), n &m)
LOGICAL_S(ANDS_ror, SHIFTED(ROR), n &m)
LOGICAL_S(BICS_r, RM, n & ~m)
LOGICAL_S(BICS_lsl, SHIFTED(LSL), n & ~m)
LOGICAL_S(BICS_lsr, SHIFTED(LSR), n & ~m)
LOGICAL_S(BICS_asr, SHIFTED(ASR), n & ~m)
LOGICAL_S(BICS_ror, SHIFTED(ROR), n & ~m)

/* ---- add and subtract: shifted and extended register, with carry ---- */

#define ADDSUB(form, operand)                                                                                          \
    OP_S(ADD_##form) { RD = SIZED(s, RN + (operand)); NEXT; }                                                          \
    OP_S(SUB_##form) { RD = SIZED(s, RN - (operand)); NEXT; }                                                          \
    OP_S(ADDS_##form) { RD = flags_add(cpu, s, RN, (operand)); NEXT; }                                                 \
    OP_S(SUBS_##form) { RD = flags_sub(cpu, s, RN, (operand)); NEXT; }
ADDSUB(r, RM)
ADDSUB(lsl, SHIFTED(LSL))
ADDSUB(lsr, SHIFTED(LSR))
ADDSUB(asr, SHIFTED(ASR))

/* ExtendReg: imm = bits lost | shift << 8 | signed << 16 */
static ALWAYS_INLINE u64 extend_register(u64 v, s32 imm)
{
    unsigned lost = imm & 63, shift = imm >> 8 & 7;
    u64 r = imm >> 16 & 1 ? (u64)((s64)(v << lost) >> lost) : v << lost >> lost;
    return r << shift;
}
ADDSUB(x, extend_register(RM, i->imm))

OP_S(ADC) { RD = SIZED(s, RN + RM + cpu->flag_c); NEXT; }
OP_S(SBC) { RD = SIZED(s, RN + ~RM + cpu->flag_c); NEXT; }
OP_S(ADCS) { RD = flags_adc(cpu, s, RN, RM); NEXT; }
OP_S(SBCS) { RD = flags_adc(cpu, s, RN, ~RM); NEXT; }

/* ---- conditional ---- */

#define CCMP(id, flags, operand)                                                                                       \
    OP_S(id)                                                                                                           \
    {                                                                                                                  \
        if (condition_holds(cpu, (unsigned)i->imm >> 4))                                                               \
            flags(cpu, s, RN, (operand));                                                                              \
        else                                                                                                           \
            cpu_set_nzcv(cpu, i->imm & 15);                                                                            \
        NEXT;                                                                                                          \
    }
CCMP(CCMN_r, flags_add, RM)
CCMP(CCMP_r, flags_sub, RM)
CCMP(CCMN_i, flags_add, i->m)
CCMP(CCMP_i, flags_sub, i->m)

/* Both operands are read first, so that the choice is a conditional move on the host. */
#define CSEL(id, cond, otherwise)                                                                                      \
    OP_S(id##_##cond)                                                                                                  \
    {                                                                                                                  \
        u64 n = RN, m = RM;                                                                                            \
        RD = SIZED(s, COND_##cond(cpu) ? n : (otherwise));                                                             \
        NEXT;                                                                                                          \
    }
#define CSELS(cond, code)                                                                                              \
    CSEL(CSEL, cond, m) CSEL(CSINC, cond, m + 1) CSEL(CSINV, cond, ~m) CSEL(CSNEG, cond, -m)
CONDITIONS(CSELS)

/* ---- three source ---- */

OP_S(MADD) { RD = SIZED(s, RA + RN * RM); NEXT; }
OP_S(MSUB) { RD = SIZED(s, RA - RN * RM); NEXT; }
OP(SMADDL) { RD = RA + sext(RN, 32) * sext(RM, 32); NEXT; }
OP(SMSUBL) { RD = RA - sext(RN, 32) * sext(RM, 32); NEXT; }
OP(UMADDL) { RD = RA + (u64)(u32)RN * (u32)RM; NEXT; }
OP(UMSUBL) { RD = RA - (u64)(u32)RN * (u32)RM; NEXT; }
OP(SMULH) { RD = (u64)((s128)(s64)RN * (s64)RM >> 64); NEXT; }
OP(UMULH) { RD = (u64)((u128)RN * RM >> 64); NEXT; }
