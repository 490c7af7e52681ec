/* Atomic memory operations (FEAT_LSE): the bodies of cpu/insn/atomic.def (Arm ARM C3.2.12, C6.2). */
#include "cpu/insn/ldst.h"

/* The size is in bits 31:30 of the word. */
#define ATOMIC(id, op)                                                                                                 \
    static NOINLINE void OPN(slow_##id)(OP_ARGS)                                                                       \
    {                                                                                                                  \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val r =                                                                                             \
            mem_atomic(cpu, RN, op, RM, 1u << (WORD >> 30), ACC_WRITE | ACC_ATOMIC | ACC_RMW | UNCHECKED_SP);          \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        RD = r.v;                                                                                                      \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_Z(id)                                                                                                           \
    {                                                                                                                  \
        BASE_CHECK;                                                                                                    \
        struct fast_hit hit = FAST_ALIGNED(RN, z, true);                                                               \
        if (unlikely(!hit.p))                                                                                          \
            return OPN(slow_##id)(OP_PASS);                                                                            \
        u64 old = load_bytes(hit.p, z);                                                                                \
        store_bytes(hit.p, z, atomic_result(op, old, RM & ones(8u << z), 1u << z));                                    \
        RD = old;                                                                                                      \
        NEXT;                                                                                                          \
    }
ATOMIC(LDADD, ATOMIC_ADD)
ATOMIC(LDCLR, ATOMIC_CLR)
ATOMIC(LDEOR, ATOMIC_EOR)
ATOMIC(LDSET, ATOMIC_SET)
ATOMIC(LDSMAX, ATOMIC_SMAX)
ATOMIC(LDSMIN, ATOMIC_SMIN)
ATOMIC(LDUMAX, ATOMIC_UMAX)
ATOMIC(LDUMIN, ATOMIC_UMIN)
ATOMIC(SWP, ATOMIC_SWP)

/* The a slot holds the raw number of Rs: compare value, and destination unless it is ZR. */
static NOINLINE void OPN(slow_CAS)(OP_ARGS)
{
    unsigned log2 = WORD >> 30;
    SLOW_BEGIN;
    struct mem_val r =
        mem_cas(cpu, RN, RA & ones(8u << log2), RD, 1u << log2, ACC_WRITE | ACC_ATOMIC | ACC_RMW | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    if (i->a != REG_ZR)
        cpu->x[i->a] = r.v;
    SLOW_END;
}
OP_Z(CAS)
{
    BASE_CHECK;
    struct fast_hit hit = FAST_ALIGNED(RN, z, true);
    if (unlikely(!hit.p))
        return OPN(slow_CAS)(OP_PASS);
    u64 old = load_bytes(hit.p, z);
    if (old == (RA & ones(8u << z)))
        store_bytes(hit.p, z, RD);
    cpu->x[i->a == REG_ZR ? REG_TRASH : i->a] = old;
    NEXT;
}

/* Rs and Rt are even (dec_casp): the second of each pair is the next register. */
static ALWAYS_INLINE void OPN(cas_pair)(OP_ARGS, const bool s)
{
    BASE_CHECK;
    SLOW_BEGIN;
    unsigned rs = i->a, rt = i->d;
    union vreg compare = { .d = { SIZED(s, cpu->x[rs]), SIZED(s, cpu->x[rs + 1]) } };
    union vreg swap = { .d = { SIZED(s, cpu->x[rt]), SIZED(s, cpu->x[rt + 1]) } };
    struct mem_val128 r = mem_casp(cpu, RN, compare, swap, s ? 8 : 4, ACC_WRITE | ACC_ATOMIC | ACC_RMW | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    cpu->x[rs] = r.v.d[0];
    if (rs + 1 != REG_ZR)
        cpu->x[rs + 1] = r.v.d[1];
    SLOW_END;
}
OP(CASP_w) { OPN(cas_pair)(OP_PASS, false); }
OP(CASP_x) { OPN(cas_pair)(OP_PASS, true); }
