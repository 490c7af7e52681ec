/*
 * Arithmetic of the integer instructions as the shared pseudocode defines it (Arm ARM J1: AddWithCarry, ShiftReg,
 * ConditionHolds). Flags are kept lazily: N as a sign, Z as a value that is zero, C and V as 0 or 1 (cpu/state.h),
 * which is what a host has at hand.
 */
#ifndef CPU_ALU_H
#define CPU_ALU_H

#include "cpu/state.h"

/* Bit n of row c: condition c holds for NZCV n (C1.2.4; 1111 behaves as AL). */
static inline bool condition_holds(const struct cpu *cpu, unsigned condition)
{
    static const u16 holds[16] = {
        0xf0f0, 0x0f0f, 0xcccc, 0x3333, 0xff00, 0x00ff, 0xaaaa, 0x5555,
        0x0c0c, 0xf3f3, 0xaa55, 0x55aa, 0x0a05, 0xf5fa, 0xffff, 0xffff,
    };
    return holds[condition] >> cpu_nzcv(cpu) & 1;
}

/* The conditions one by one, on the lazily kept flags: for handlers that know theirs. */
#define COND_eq(cpu) ((cpu)->flag_z == 0)
#define COND_ne(cpu) ((cpu)->flag_z != 0)
#define COND_cs(cpu) ((cpu)->flag_c != 0)
#define COND_cc(cpu) ((cpu)->flag_c == 0)
#define COND_mi(cpu) ((s64)(cpu)->flag_n < 0)
#define COND_pl(cpu) ((s64)(cpu)->flag_n >= 0)
#define COND_vs(cpu) ((cpu)->flag_v != 0)
#define COND_vc(cpu) ((cpu)->flag_v == 0)
#define COND_hi(cpu) (COND_cs(cpu) && COND_ne(cpu))
#define COND_ls(cpu) (COND_cc(cpu) || COND_eq(cpu))
#define COND_ge(cpu) ((cpu)->flag_n >> 63 == (cpu)->flag_v)
#define COND_lt(cpu) ((cpu)->flag_n >> 63 != (cpu)->flag_v)
#define COND_gt(cpu) (COND_ne(cpu) && COND_ge(cpu))
#define COND_le(cpu) (COND_eq(cpu) || COND_lt(cpu))
#define COND_al(cpu) true
#define COND_nv(cpu) true
/* Every condition: name and code (C1.2.4). */
#define CONDITIONS(X)                                                                                                  \
    X(eq, "0000") X(ne, "0001") X(cs, "0010") X(cc, "0011") X(mi, "0100") X(pl, "0101") X(vs, "0110") X(vc, "0111")    \
    X(hi, "1000") X(ls, "1001") X(ge, "1010") X(lt, "1011") X(gt, "1100") X(le, "1101") X(al, "1110") X(nv, "1111")

#define CONDITION_NUMBER(name, code) CONDITION_##name,
enum condition { CONDITIONS(CONDITION_NUMBER) };
#undef CONDITION_NUMBER

static ALWAYS_INLINE void flags_nz(struct cpu *cpu, bool s, u64 result)
{
    u64 r = s ? result : (u64)(s64)(s32)(u32)result;
    cpu->flag_n = r;
    cpu->flag_z = r;
}

static ALWAYS_INLINE void flags_logical(struct cpu *cpu, bool s, u64 result)
{
    flags_nz(cpu, s, result);
    cpu->flag_c = 0;
    cpu->flag_v = 0;
}

/* a + b, all flags. */
static ALWAYS_INLINE u64 flags_add(struct cpu *cpu, bool s, u64 a, u64 b)
{
    u64 r;
    if (s) {
        s64 signed_result;
        cpu->flag_c = __builtin_add_overflow(a, b, &r);
        cpu->flag_v = __builtin_add_overflow((s64)a, (s64)b, &signed_result);
    } else {
        u32 w;
        s32 signed_result;
        cpu->flag_c = __builtin_add_overflow((u32)a, (u32)b, &w);
        cpu->flag_v = __builtin_add_overflow((s32)(u32)a, (s32)(u32)b, &signed_result);
        r = w;
    }
    flags_nz(cpu, s, r);
    return r;
}

/* a - b, all flags. */
static ALWAYS_INLINE u64 flags_sub(struct cpu *cpu, bool s, u64 a, u64 b)
{
    u64 r;
    if (s) {
        s64 signed_result;
        cpu->flag_c = !__builtin_sub_overflow(a, b, &r);
        cpu->flag_v = __builtin_sub_overflow((s64)a, (s64)b, &signed_result);
    } else {
        s32 signed_result;
        r = (u32)((u32)a - (u32)b);
        cpu->flag_c = (u32)a >= (u32)b;
        cpu->flag_v = __builtin_sub_overflow((s32)(u32)a, (s32)(u32)b, &signed_result);
    }
    flags_nz(cpu, s, r);
    return r;
}

/* AddWithCarry(a, b, C), all flags. */
static ALWAYS_INLINE u64 flags_adc(struct cpu *cpu, bool s, u64 a, u64 b)
{
    if (s) {
        u64 t, r;
        bool c1 = __builtin_add_overflow(a, b, &t), c2 = __builtin_add_overflow(t, cpu->flag_c, &r);
        cpu->flag_c = c1 | c2;
        cpu->flag_v = ((a ^ r) & (b ^ r)) >> 63;
        flags_nz(cpu, true, r);
        return r;
    }
    u64 wide = (u64)(u32)a + (u32)b + cpu->flag_c, r = (u32)wide;
    cpu->flag_c = wide >> 32;
    cpu->flag_v = ((a ^ r) & (b ^ r)) >> 31 & 1;
    flags_nz(cpu, false, r);
    return r;
}

enum shift { SHIFT_LSL, SHIFT_LSR, SHIFT_ASR, SHIFT_ROR };

/* ShiftReg: amount below the register's size. */
static ALWAYS_INLINE u64 shift_value(bool s, u64 v, enum shift type, unsigned amount)
{
    switch (type) {
    case SHIFT_LSL: return s ? v << amount : (u64)((u32)v << amount);
    case SHIFT_LSR: return s ? v >> amount : (u64)((u32)v >> amount);
    case SHIFT_ASR: return s ? (u64)((s64)v >> amount) : (u64)(u32)((s32)(u32)v >> amount);
    default:
        if (s)
            return v >> amount | v << (-amount & 63);
        return (u64)(u32)((u32)v >> amount | (u32)v << (-amount & 31));
    }
}

/* CRC32 of `size` bytes of value; polynomial in reflected form (C6.2, CRC32 and CRC32C). */
u32 crc32_bytes(u32 accumulator, u64 value, unsigned size, bool castagnoli);

#endif
