/* Later loads and stores: the bodies of cpu/insn/ldst2.def (Arm ARM C6.2, C7.2). Ordered accesses are always checked,
 * never fast. */
#include "cpu/insn/ldst.h"
#include "mmu/context.h"

#define LOAD_POST(id, size)                                                                                            \
    OP_N(id)                                                                                                           \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val r = mem_read(cpu, RN, size, ACC_READ | ACC_ORDERED);                                            \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        RN += (size);                                                                                                  \
        RD = r.v;                                                                                                      \
        SLOW_END;                                                                                                      \
    }
#define STORE_PRE(id, size)                                                                                            \
    OP_N(id)                                                                                                           \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        SLOW_BEGIN;                                                                                                    \
        if (!mem_write(cpu, RN - (size), RD, size, ACC_WRITE | ACC_ORDERED))                                           \
            RAISE;                                                                                                     \
        RN -= (size);                                                                                                  \
        SLOW_END;                                                                                                      \
    }
LOAD_POST(LDAPR_post_w, 4)
LOAD_POST(LDAPR_post_x, 8)
STORE_PRE(STLR_pre_w, 4)
STORE_PRE(STLR_pre_x, 8)

/*
 * ---- pairs: the first register is the lower address in either byte order. Alignment to one register is enough; what
 * is not aligned so is one access of twice the size, for the rules of FEAT_LSE2 and SCTLR_ELx.nAA. ----
 */

static MAYBE_UNUSED bool OPN(big_endian)(struct cpu *cpu) { return mmu_view(cpu, cpu->ps.el)->big_endian; }

static ALWAYS_INLINE struct mem_val128 OPN(pair_read)(struct cpu *cpu, u64 va, bool s, unsigned flags)
{
    struct mem_val128 r;
    if (!(va & (s ? 7 : 3))) {
        struct mem_val lo = mem_read(cpu, va, s ? 8 : 4, ACC_READ | ACC_ORDERED | flags);
        struct mem_val hi = lo.ok ? mem_read(cpu, va + (s ? 8 : 4), s ? 8 : 4, ACC_READ | ACC_ORDERED | flags) : lo;
        return (struct mem_val128){ { .d = { lo.v, hi.v } }, hi.ok };
    }
    if (s) {
        r = mem_read128(cpu, va, ACC_READ | ACC_ORDERED | flags);
    } else {
        struct mem_val v = mem_read(cpu, va, 8, ACC_READ | ACC_ORDERED | flags);
        r = (struct mem_val128){ { .d = { (u32)v.v, v.v >> 32 } }, v.ok };
    }
    if (r.ok && OPN(big_endian)(cpu))
        r.v = (union vreg){ .d = { r.v.d[1], r.v.d[0] } };
    return r;
}

static ALWAYS_INLINE bool OPN(pair_write)(struct cpu *cpu, u64 va, bool s, u64 first, u64 second, unsigned flags)
{
    if (!(va & (s ? 7 : 3)))
        return mem_write_pair(cpu, va, first, second, s ? 8 : 4, ACC_WRITE | ACC_ORDERED | flags);
    bool big = OPN(big_endian)(cpu);
    u64 lo = big ? second : first, hi = big ? first : second;
    if (s)
        return mem_write128(cpu, va, (union vreg){ .d = { lo, hi } }, ACC_WRITE | ACC_ORDERED | flags);
    return mem_write(cpu, va, (u32)lo | hi << 32, 8, ACC_WRITE | ACC_ORDERED | flags);
}

#define LOAD_PAIR(id, s, back)                                                                                         \
    OP_N(id)                                                                                                           \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val128 r = OPN(pair_read)(cpu, RN, s, (back) ? 0 : UNCHECKED_SP);                                   \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        if (back)                                                                                                      \
            RN += (s) ? 16 : 8;                                                                                        \
        RD = r.v.d[0];                                                                                                 \
        RB = r.v.d[1];                                                                                                 \
        SLOW_END;                                                                                                      \
    }
#define STORE_PAIR(id, s, back)                                                                                        \
    OP_N(id)                                                                                                           \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        SLOW_BEGIN;                                                                                                    \
        u64 va = (back) ? RN - ((s) ? 16 : 8) : RN;                                                                    \
        if (!OPN(pair_write)(cpu, va, s, RD, RM, (back) ? 0 : UNCHECKED_SP))                                           \
            RAISE;                                                                                                     \
        if (back)                                                                                                      \
            BASE = va;                                                                                                 \
        SLOW_END;                                                                                                      \
    }
LOAD_PAIR(LDIAPP_w, false, false)
LOAD_PAIR(LDIAPP_x, true, false)
LOAD_PAIR(LDIAPP_post_w, false, true)
LOAD_PAIR(LDIAPP_post_x, true, true)
STORE_PAIR(STILP_w, false, false)
STORE_PAIR(STILP_x, true, false)
STORE_PAIR(STILP_pre_w, false, true)
STORE_PAIR(STILP_pre_x, true, true)

/* ---- SIMD&FP ---- */

#define SIMD(suffix, log2)                                                                                             \
    OP_N(LDAPUR_##suffix)                                                                                              \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        SP_CHECK;                                                                                                      \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val r = mem_read(cpu, RN + (u64)IMM, 1u << (log2), ACC_READ | ACC_ORDERED | UNCHECKED_SP);          \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        VD = (union vreg){ .d = { r.v, 0 } };                                                                          \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(STLUR_##suffix)                                                                                               \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        SP_CHECK;                                                                                                      \
        SLOW_BEGIN;                                                                                                    \
        if (!mem_write(cpu, RN + (u64)IMM, VD.d[0] & ones(8u << (log2)), 1u << (log2), ACC_WRITE | ACC_ORDERED | UNCHECKED_SP)) \
            RAISE;                                                                                                     \
        SLOW_END;                                                                                                      \
    }
SIMD(vb, 0)
SIMD(vh, 1)
SIMD(vs, 2)
SIMD(vd, 3)
OP_N(LDAPUR_vq)
{
    FP_CHECK;
    SP_CHECK;
    SLOW_BEGIN;
    struct mem_val128 r = mem_read128(cpu, RN + (u64)IMM, ACC_READ | ACC_ORDERED | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    VD = r.v;
    SLOW_END;
}
OP_N(STLUR_vq)
{
    FP_CHECK;
    SP_CHECK;
    SLOW_BEGIN;
    if (!mem_write128(cpu, RN + (u64)IMM, VD, ACC_WRITE | ACC_ORDERED | UNCHECKED_SP))
        RAISE;
    SLOW_END;
}
OP_Q(LDAP1)
{
    FP_CHECK;
    BASE_CHECK;
    SLOW_BEGIN;
    struct mem_val r = mem_read(cpu, RN, 8, ACC_READ | ACC_ORDERED | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    VD.d[q] = r.v;
    SLOW_END;
}
OP_Q(STL1)
{
    FP_CHECK;
    BASE_CHECK;
    SLOW_BEGIN;
    if (!mem_write(cpu, RN, VD.d[q], 8, ACC_WRITE | ACC_ORDERED | UNCHECKED_SP))
        RAISE;
    SLOW_END;
}

/* ---- FEAT_LSE128 ---- */

#define ATOMIC128(id, op)                                                                                              \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        BASE_CHECK;                                                                                                    \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val128 r = mem_atomic128(cpu, RN, op, RD, RA, ACC_WRITE | ACC_ATOMIC | ACC_RMW | UNCHECKED_SP);     \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        RD = r.v.d[0];                                                                                                 \
        RB = r.v.d[1];                                                                                                 \
        SLOW_END;                                                                                                      \
    }
ATOMIC128(LDCLRP, ATOMIC_CLR)
ATOMIC128(LDSETP, ATOMIC_SET)
ATOMIC128(SWPP, ATOMIC_SWP)
