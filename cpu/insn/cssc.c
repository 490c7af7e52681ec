/* Common short sequence compression: the bodies of cpu/insn/cssc.def (Arm ARM C6.2). */
#include "cpu/insn/op.h"

OP_S(CTZ)
{
    u64 n = SIZED(s, RN);
    RD = n ? (u64)__builtin_ctzll(n) : s ? 64 : 32;
    NEXT;
}

static ALWAYS_INLINE u64 count_ones(u64 v)
{
    v -= v >> 1 & 0x5555555555555555;
    v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return v * 0x0101010101010101 >> 56;
}
OP_S(CNT_r) { RD = count_ones(SIZED(s, RN)); NEXT; }

OP_S(ABS_r)
{
    u64 n = s ? RN : sext(RN, 32);
    RD = SIZED(s, (s64)n < 0 ? -n : n);
    NEXT;
}

#define MINMAX(name, form, operand)                                                                                    \
    OP_S(S##name##_##form)                                                                                             \
    {                                                                                                                  \
        s64 n = (s64)(s ? RN : sext(RN, 32)), m = (s64)(s ? (u64)(operand) : sext((u64)(operand), 32));                \
        RD = SIZED(s, n CHOOSE_##name m ? n : m);                                                                      \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP_S(U##name##_##form)                                                                                             \
    {                                                                                                                  \
        u64 n = SIZED(s, RN), m = SIZED(s, (u64)(operand));                                                            \
        RD = n CHOOSE_##name m ? n : m;                                                                                \
        NEXT;                                                                                                          \
    }
#define CHOOSE_MAX >
#define CHOOSE_MIN <
MINMAX(MAX, r, RM)
MINMAX(MIN, r, RM)
MINMAX(MAX, i, IMM)
MINMAX(MIN, i, IMM)
