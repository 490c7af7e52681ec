/*
 * Loads and stores of general registers: the bodies of cpu/insn/ldst.def (Arm ARM C3.2, C6.2).
 * Write-back with Rt == Rn: a load keeps the loaded value, a store stores the old one (docs/choices.md, C6: CONSTRAINED
 * UNPREDICTABLE), which is what the order of the assignments below says.
 */
#include "cpu/insn/ldst.h"

/* ---- one register ---- */

#define LOAD(name, mode, log2, convert)                                                                                \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_##name##_##mode)(OP_ARGS)                                            \
    {                                                                                                                  \
        const u64 element MAYBE_UNUSED = 1u << (log2);                                                                 \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val r = mem_read(cpu, va, 1u << (log2), ACC_READ | FLAGS(mode));                                    \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        u64 v = r.v;                                                                                                   \
        BACK(mode);                                                                                                    \
        RD = (convert);                                                                                                \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        const u64 element MAYBE_UNUSED = 1u << (log2);                                                                 \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        const u8 *p = FAST(va, log2, false, UNPRIV(mode));                                                             \
        if (unlikely(!p))                                                                                              \
            MISS(slow_##name##_##mode);                                                                                \
        u64 v = load_bytes(p, log2);                                                                                   \
        BACK(mode);                                                                                                    \
        RD = (convert);                                                                                                \
        NEXT;                                                                                                          \
    }

#define STORE(name, mode, log2)                                                                                        \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_##name##_##mode)(OP_ARGS)                                            \
    {                                                                                                                  \
        const u64 element MAYBE_UNUSED = 1u << (log2);                                                                 \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        if (!mem_write(cpu, va, RD, 1u << (log2), ACC_WRITE | FLAGS(mode)))                                            \
            RAISE;                                                                                                     \
        BACK(mode);                                                                                                    \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        const u64 element MAYBE_UNUSED = 1u << (log2);                                                                 \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        u8 *p = FAST(va, log2, true, UNPRIV(mode));                                                                    \
        if (unlikely(!p))                                                                                              \
            MISS(slow_##name##_##mode);                                                                                \
        store_bytes(p, log2, RD);                                                                                      \
        BACK(mode);                                                                                                    \
        NEXT;                                                                                                          \
    }

#define LOADS(name, log2, convert)                                                                                     \
    LOAD(name, ui, log2, convert)                                                                                      \
    LOAD(name, ur, log2, convert) LOAD(name, post, log2, convert) LOAD(name, unpriv, log2, convert)                    \
        LOAD(name, pre, log2, convert) LOAD(name, reg, log2, convert) LOAD(name, regx, log2, convert)                  \
            LOAD(name, regs, log2, convert)
#define STORES(name, log2)                                                                                             \
    STORE(name, ui, log2)                                                                                              \
    STORE(name, ur, log2) STORE(name, post, log2) STORE(name, unpriv, log2) STORE(name, pre, log2)                     \
        STORE(name, reg, log2) STORE(name, regx, log2) STORE(name, regs, log2)

STORES(STRB, 0)
STORES(STRH, 1)
STORES(STR_w, 2)
STORES(STR_x, 3)
LOADS(LDRB, 0, v)
LOADS(LDRH, 1, v)
LOADS(LDR_w, 2, v)
LOADS(LDR_x, 3, v)
LOADS(LDRSB_x, 0, (u64)(s64)(s8)v)
LOADS(LDRSB_w, 0, (u32)(s32)(s8)v)
LOADS(LDRSH_x, 1, (u64)(s64)(s16)v)
LOADS(LDRSH_w, 1, (u32)(s32)(s16)v)
LOADS(LDRSW, 2, (u64)(s64)(s32)v)

/* ---- literal ---- */

#define LITERAL(name, log2, convert)                                                                                   \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_##name)(OP_ARGS)                                                     \
    {                                                                                                                  \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val r = mem_read(cpu, ADDR(lit), 1u << (log2), ACC_READ | FLAGS(lit));                              \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        u64 v = r.v;                                                                                                   \
        RD = (convert);                                                                                                \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP(name)                                                                                                           \
    {                                                                                                                  \
        const u8 *p = FAST(ADDR(lit), log2, false, UNPRIV(lit));                                                       \
        if (unlikely(!p))                                                                                              \
            MISS(slow_##name);                                                                                         \
        u64 v = load_bytes(p, log2);                                                                                   \
        RD = (convert);                                                                                                \
        NEXT;                                                                                                          \
    }
LITERAL(LDR_lit_w, 2, v)
LITERAL(LDR_lit_x, 3, v)
LITERAL(LDRSW_lit, 2, (u64)(s64)(s32)v)

/* Prefetches are hints: never a fault, nothing to do. */
OP(PRFM_lit) { NEXT; }
OP(PRFM_ui) { NEXT; }
OP(PRFUM) { NEXT; }
OP(PRFM_reg) { NEXT; }

/* ---- pairs ---- */

#define LOAD_PAIR(name, mode, log2, convert)                                                                           \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_##name##_##mode)(OP_ARGS)                                            \
    {                                                                                                                  \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val lo = mem_read(cpu, va, 1u << (log2), ACC_READ | FLAGS(mode));                                   \
        if (!lo.ok)                                                                                                    \
            RAISE;                                                                                                     \
        struct mem_val hi = mem_read(cpu, va + (1u << (log2)), 1u << (log2), ACC_READ | FLAGS(mode));                  \
        if (!hi.ok)                                                                                                    \
            RAISE;                                                                                                     \
        BACK(mode);                                                                                                    \
        RD = convert(lo.v);                                                                                            \
        RB = convert(hi.v);                                                                                            \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        const u8 *p = FAST(va, (log2) + 1, false, false);                                                              \
        if (unlikely(!p))                                                                                              \
            MISS(slow_##name##_##mode);                                                                                \
        u64 lo = load_bytes(p, log2), hi = load_bytes(p + (1u << (log2)), log2);                                       \
        BACK(mode);                                                                                                    \
        RD = convert(lo);                                                                                              \
        RB = convert(hi);                                                                                              \
        NEXT;                                                                                                          \
    }

#define STORE_PAIR(name, mode, log2)                                                                                   \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_##name##_##mode)(OP_ARGS)                                            \
    {                                                                                                                  \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        if (!mem_write_pair(cpu, va, RD, RB, 1u << (log2), ACC_WRITE | FLAGS(mode)))                                   \
            RAISE;                                                                                                     \
        BACK(mode);                                                                                                    \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        SP_CHECK;                                                                                                      \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        u8 *p = FAST(va, (log2) + 1, true, false);                                                                     \
        if (unlikely(!p))                                                                                              \
            MISS(slow_##name##_##mode);                                                                                \
        store_bytes(p, log2, RD);                                                                                      \
        store_bytes(p + (1u << (log2)), log2, RB);                                                                     \
        BACK(mode);                                                                                                    \
        NEXT;                                                                                                          \
    }

#define ZERO_EXTENDED(v) (v)
#define SIGN_EXTENDED(v) ((u64)(s64)(s32)(v))
#define LOAD_PAIRS(name, log2, convert)                                                                                \
    LOAD_PAIR(name, post, log2, convert) LOAD_PAIR(name, off, log2, convert) LOAD_PAIR(name, pre, log2, convert)
#define STORE_PAIRS(name, log2) STORE_PAIR(name, post, log2) STORE_PAIR(name, off, log2) STORE_PAIR(name, pre, log2)
STORE_PAIRS(STP_w, 2)
STORE_PAIRS(STP_x, 3)
STORE_PAIR(STP_w, np, 2)
STORE_PAIR(STP_x, np, 3)
LOAD_PAIRS(LDP_w, 2, ZERO_EXTENDED)
LOAD_PAIRS(LDP_x, 3, ZERO_EXTENDED)
LOAD_PAIR(LDP_w, np, 2, ZERO_EXTENDED)
LOAD_PAIR(LDP_x, np, 3, ZERO_EXTENDED)
LOAD_PAIRS(LDPSW, 2, SIGN_EXTENDED)

/* ---- exclusives and ordered accesses: fast when aligned ---- */

static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_load_exclusive)(OP_ARGS)
{
    SLOW_BEGIN;
    struct mem_val128 r = mem_read_exclusive(cpu, RN, 1u << (WORD >> 30), false, ACC_READ | ACC_ATOMIC | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    RD = r.v.d[0];
    SLOW_END;
}
OP_Z(LDXR)
{
    BASE_CHECK;
    struct fast_hit hit = FAST_ALIGNED(RN, z, false);
    if (unlikely(!hit.p))
        MISS(slow_load_exclusive);
    cpu->excl_pa = hit.pa;
    cpu->excl_size = 1u << z;
    cpu->excl_valid = 1;
    RD = load_bytes(hit.p, z);
    NEXT;
}

static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow_store_exclusive)(OP_ARGS)
{
    SLOW_BEGIN;
    struct excl_result r =
        mem_write_exclusive(cpu, RN, RD, 0, 1u << (WORD >> 30), false, ACC_WRITE | ACC_ATOMIC | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    RB = !r.pass;
    SLOW_END;
}
OP_Z(STXR)
{
    BASE_CHECK;
    struct fast_hit hit = FAST_ALIGNED(RN, z, true);
    if (unlikely(!hit.p))
        MISS(slow_store_exclusive);
    bool pass = cpu->excl_valid && cpu->excl_pa == hit.pa && cpu->excl_size == 1u << z;
    cpu->excl_valid = 0;
    if (pass)
        store_bytes(hit.p, z, RD);
    RB = !pass;
    NEXT;
}

/* A pair is one access of twice the size: the first register holds its lower half. */
static ALWAYS_INLINE OP_TYPE OPN(load_exclusive_pair)(OP_ARGS, const bool s)
{
    BASE_CHECK;
    SLOW_BEGIN;
    struct mem_val128 r = mem_read_exclusive(cpu, RN, s ? 16 : 8, true, ACC_READ | ACC_ATOMIC | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    RD = r.v.d[0];
    RB = r.v.d[1];
    SLOW_END;
}
OP(LDXP_w) { return OPN(load_exclusive_pair)(OP_PASS, false); }
OP(LDXP_x) { return OPN(load_exclusive_pair)(OP_PASS, true); }

static ALWAYS_INLINE OP_TYPE OPN(store_exclusive_pair)(OP_ARGS, const bool s)
{
    BASE_CHECK;
    SLOW_BEGIN;
    struct excl_result r = mem_write_exclusive(cpu, RN, SIZED(s, RD), SIZED(s, RM), s ? 16 : 8, true,
                                               ACC_WRITE | ACC_ATOMIC | UNCHECKED_SP);
    if (!r.ok)
        RAISE;
    RB = !r.pass;
    SLOW_END;
}
OP(STXP_w) { return OPN(store_exclusive_pair)(OP_PASS, false); }
OP(STXP_x) { return OPN(store_exclusive_pair)(OP_PASS, true); }

/* ---- ordered: at RN for the rows with a size stamp, at an offset for the unscaled forms ---- */

#define ORDERED_LOAD(slow, address, log2, convert)                                                                     \
    do {                                                                                                               \
        BASE_CHECK;                                                                                                    \
        struct fast_hit hit = FAST_ALIGNED((address), log2, false);                                                    \
        if (unlikely(!hit.p))                                                                                          \
            return OPN(slow)(OP_PASS);                                                                                 \
        u64 v = load_bytes(hit.p, log2);                                                                               \
        RD = (convert);                                                                                                \
        NEXT;                                                                                                          \
    } while (0)
#define ORDERED_STORE(slow, address, log2)                                                                             \
    do {                                                                                                               \
        BASE_CHECK;                                                                                                    \
        struct fast_hit hit = FAST_ALIGNED((address), log2, true);                                                     \
        if (unlikely(!hit.p))                                                                                          \
            return OPN(slow)(OP_PASS);                                                                                 \
        store_bytes(hit.p, log2, RD);                                                                                  \
        NEXT;                                                                                                          \
    } while (0)
#define SLOW_ORDERED_LOAD(slow, address, size, convert)                                                                \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow)(OP_ARGS)                                                            \
    {                                                                                                                  \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val r = mem_read(cpu, (address), (size), ACC_READ | ACC_ORDERED | UNCHECKED_SP);                    \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        u64 v = r.v;                                                                                                   \
        RD = (convert);                                                                                                \
        SLOW_END;                                                                                                      \
    }
#define SLOW_ORDERED_STORE(slow, address, size)                                                                        \
    static NOINLINE MAYBE_UNUSED OP_TYPE OPN(slow)(OP_ARGS)                                                            \
    {                                                                                                                  \
        SLOW_BEGIN;                                                                                                    \
        if (!mem_write(cpu, (address), RD, (size), ACC_WRITE | ACC_ORDERED | UNCHECKED_SP))                            \
            RAISE;                                                                                                     \
        SLOW_END;                                                                                                      \
    }

SLOW_ORDERED_LOAD(slow_load_ordered, RN, 1u << (WORD >> 30), v)
SLOW_ORDERED_STORE(slow_store_ordered, RN, 1u << (WORD >> 30))
OP_Z(LDAR) { ORDERED_LOAD(slow_load_ordered, RN, z, v); }
OP_Z(LDLAR) { ORDERED_LOAD(slow_load_ordered, RN, z, v); }
OP_Z(LDAPR) { ORDERED_LOAD(slow_load_ordered, RN, z, v); }
OP_Z(STLR) { ORDERED_STORE(slow_store_ordered, RN, z); }
OP_Z(STLLR) { ORDERED_STORE(slow_store_ordered, RN, z); }

/* FEAT_LRCPC2 */
#define UNSCALED_LOAD(id, log2, convert)                                                                               \
    SLOW_ORDERED_LOAD(slow_##id, RN + (u64)IMM, 1u << (log2), convert)                                                 \
    OP(id) { ORDERED_LOAD(slow_##id, RN + (u64)IMM, log2, convert); }
#define UNSCALED_STORE(id, log2)                                                                                       \
    SLOW_ORDERED_STORE(slow_##id, RN + (u64)IMM, 1u << (log2))                                                         \
    OP(id) { ORDERED_STORE(slow_##id, RN + (u64)IMM, log2); }
UNSCALED_LOAD(LDAPURB, 0, v)
UNSCALED_LOAD(LDAPURH, 1, v)
UNSCALED_LOAD(LDAPUR_w, 2, v)
UNSCALED_LOAD(LDAPUR_x, 3, v)
UNSCALED_LOAD(LDAPURSB_x, 0, (u64)(s64)(s8)v)
UNSCALED_LOAD(LDAPURSB_w, 0, (u32)(s32)(s8)v)
UNSCALED_LOAD(LDAPURSH_x, 1, (u64)(s64)(s16)v)
UNSCALED_LOAD(LDAPURSH_w, 1, (u32)(s32)(s16)v)
UNSCALED_LOAD(LDAPURSW, 2, (u64)(s64)(s32)v)
UNSCALED_STORE(STLURB, 0)
UNSCALED_STORE(STLURH, 1)
UNSCALED_STORE(STLUR_w, 2)
UNSCALED_STORE(STLUR_x, 3)
