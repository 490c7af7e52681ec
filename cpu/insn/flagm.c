/* Flag manipulation, and later barriers: the bodies of cpu/insn/flagm.def (Arm ARM C6.2). */
#include "cpu/insn/op.h"

enum { FLAG_V = 1, FLAG_C = 2, FLAG_Z = 4, FLAG_N = 8 };

OP(CFINV)
{
    cpu->flag_c ^= 1;
    NEXT;
}

/* Between the flags of FCMP and those of an external format. */
OP(AXFLAG)
{
    u32 f = cpu_nzcv(cpu);
    bool z = f & FLAG_Z, c = f & FLAG_C, v = f & FLAG_V;
    cpu_set_nzcv(cpu, (z || v ? FLAG_Z : 0) | (c && !v ? FLAG_C : 0));
    NEXT;
}
OP(XAFLAG)
{
    u32 f = cpu_nzcv(cpu);
    bool z = f & FLAG_Z, c = f & FLAG_C;
    cpu_set_nzcv(cpu, (!c && !z ? FLAG_N : 0) | (z && c ? FLAG_Z : 0) | (c || z ? FLAG_C : 0) | (!c && z ? FLAG_V : 0));
    NEXT;
}

/* imm = shift | mask << 6 */
OP(RMIF)
{
    u32 mask = (u32)i->imm >> 6, f = cpu_nzcv(cpu);
    cpu_set_nzcv(cpu, (f & ~mask) | ((u32)ror_n(RN, 64, i->imm & 63) & mask));
    NEXT;
}

/* N and Z of the lowest 8 (16) bits; V when the next bit differs from their sign; C stays. */
#define SETF(id, size)                                                                                                 \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        u64 v = RN << (64 - (size));                                                                                   \
        cpu->flag_n = v;                                                                                               \
        cpu->flag_z = v;                                                                                               \
        cpu->flag_v = (v ^ RN << (64 - (size) - 1)) >> 63;                                                             \
        NEXT;                                                                                                          \
    }
SETF(SETF8, 8)
SETF(SETF16, 16)

/* Nothing is speculated, and accesses are complete in program order. */
OP(SB) { NEXT; }
OP(DSB_nXS) { NEXT; }
