/*
 * Loads and stores of Advanced SIMD and FP registers: the bodies of cpu/insn/simd_ldst.def (Arm ARM C3.2.12, C7.2).
 * Written like cpu/insn/ldst.c: fast tag first, a slow twin behind it. The FP access trap comes before the check of SP
 * and the access.
 */
#include "cpu/insn/ldst.h"
#include "cpu/ops/simd_mem.h"

/* ---- register and memory, for a size known at compile time ---- */

static ALWAYS_INLINE union vreg bytes_load(const u8 *p, unsigned log2)
{
    union vreg v = { { 0, 0 } };
    memcpy(&v, p, (size_t)1 << log2);
    return v;
}

static ALWAYS_INLINE struct mem_val128 slow_load(struct cpu *cpu, u64 va, unsigned log2, unsigned flags)
{
    if (log2 == 4)
        return mem_read128(cpu, va, ACC_READ | flags);
    struct mem_val r = mem_read(cpu, va, 1u << log2, ACC_READ | flags);
    return (struct mem_val128){ { .d = { r.v, 0 } }, r.ok };
}

static ALWAYS_INLINE bool slow_store(struct cpu *cpu, u64 va, union vreg v, unsigned log2, unsigned flags)
{
    u64 low = log2 == 0 ? v.b[0] : log2 == 1 ? v.h[0] : log2 == 2 ? v.s[0] : v.d[0];
    return log2 == 4 ? mem_write128(cpu, va, v, ACC_WRITE | flags)
                     : mem_write(cpu, va, low, 1u << log2, ACC_WRITE | flags);
}

/* ---- one register ---- */

#define LOAD_BODIES(name, kind, check, mode, log2)                                                                     \
    static NOINLINE void OPN(slow_##name)(OP_ARGS)                                                                     \
    {                                                                                                                  \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val128 r = slow_load(cpu, va, log2, FLAGS(mode));                                                   \
        if (!r.ok)                                                                                                     \
            RAISE;                                                                                                     \
        VD = r.v;                                                                                                      \
        BACK(mode);                                                                                                    \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    kind(name)                                                                                                         \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        check;                                                                                                         \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        const u8 *p = FAST(va, log2, false, false);                                                                    \
        if (unlikely(!p))                                                                                              \
            return OPN(slow_##name)(OP_PASS);                                                                          \
        VD = bytes_load(p, log2);                                                                                      \
        BACK(mode);                                                                                                    \
        NEXT;                                                                                                          \
    }
#define LOAD(name, mode, log2) LOAD_BODIES(name##_##mode, OP_N, SP_CHECK, mode, log2)

#define STORE(name, mode, log2)                                                                                        \
    static NOINLINE void OPN(slow_##name##_##mode)(OP_ARGS)                                                            \
    {                                                                                                                  \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        if (!slow_store(cpu, va, VD, log2, FLAGS(mode)))                                                               \
            RAISE;                                                                                                     \
        BACK(mode);                                                                                                    \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        SP_CHECK;                                                                                                      \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        u8 *p = FAST(va, log2, true, false);                                                                           \
        if (unlikely(!p))                                                                                              \
            return OPN(slow_##name##_##mode)(OP_PASS);                                                                 \
        memcpy(p, &VD, (size_t)1 << (log2));                                                                           \
        BACK(mode);                                                                                                    \
        NEXT;                                                                                                          \
    }

#define ALL_MODES(M, name, log2)                                                                                       \
    M(name, ui, log2) M(name, ur, log2) M(name, post, log2) M(name, pre, log2) M(name, ext, log2)
ALL_MODES(STORE, STR_vb, 0)
ALL_MODES(STORE, STR_vh, 1)
ALL_MODES(STORE, STR_vs, 2)
ALL_MODES(STORE, STR_vd, 3)
ALL_MODES(STORE, STR_vq, 4)
ALL_MODES(LOAD, LDR_vb, 0)
ALL_MODES(LOAD, LDR_vh, 1)
ALL_MODES(LOAD, LDR_vs, 2)
ALL_MODES(LOAD, LDR_vd, 3)
ALL_MODES(LOAD, LDR_vq, 4)
LOAD_BODIES(LDR_lit_vs, OP, (void)0, lit, 2)
LOAD_BODIES(LDR_lit_vd, OP, (void)0, lit, 3)
LOAD_BODIES(LDR_lit_vq, OP, (void)0, lit, 4)

/* ---- pairs: two accesses ---- */

/* Both in one page, as the tag of the first says. Under SCTLR_ELx.A a pair of S or D that is aligned to one register
 * only goes the slow way, which allows it. */
#define FAST_PAIR(va, log2, write)                                                                                     \
    ((log2) < 4 || likely(((va) & 4095) <= 4096 - 32) ? FAST(va, (log2) < 4 ? (log2) + 1 : 4, write, false) : NULL)

#define LOAD_PAIR(name, mode, log2)                                                                                    \
    static NOINLINE void OPN(slow_##name##_##mode)(OP_ARGS)                                                            \
    {                                                                                                                  \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        struct mem_val128 lo = slow_load(cpu, va, log2, FLAGS(mode));                                                  \
        if (!lo.ok)                                                                                                    \
            RAISE;                                                                                                     \
        struct mem_val128 hi = slow_load(cpu, va + (1u << (log2)), log2, FLAGS(mode));                                 \
        if (!hi.ok)                                                                                                    \
            RAISE;                                                                                                     \
        VD = lo.v;                                                                                                     \
        VA = hi.v;                                                                                                     \
        BACK(mode);                                                                                                    \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        SP_CHECK;                                                                                                      \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        const u8 *p = FAST_PAIR(va, log2, false);                                                                      \
        if (unlikely(!p))                                                                                              \
            return OPN(slow_##name##_##mode)(OP_PASS);                                                                 \
        VD = bytes_load(p, log2);                                                                                      \
        VA = bytes_load(p + (1u << (log2)), log2);                                                                     \
        BACK(mode);                                                                                                    \
        NEXT;                                                                                                          \
    }

#define STORE_PAIR(name, mode, log2)                                                                                   \
    static NOINLINE void OPN(slow_##name##_##mode)(OP_ARGS)                                                            \
    {                                                                                                                  \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        SLOW_BEGIN;                                                                                                    \
        if (!mem_probe(cpu, va, 1u << (log2), ACC_WRITE | FLAGS(mode)) ||                                              \
            !mem_probe(cpu, va + (1u << (log2)), 1u << (log2), ACC_WRITE | FLAGS(mode)) ||                             \
            !slow_store(cpu, va, VD, log2, FLAGS(mode)) ||                                                             \
            !slow_store(cpu, va + (1u << (log2)), VA, log2, FLAGS(mode)))                                              \
            RAISE;                                                                                                     \
        BACK(mode);                                                                                                    \
        SLOW_END;                                                                                                      \
    }                                                                                                                  \
    OP_N(name##_##mode)                                                                                                \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        SP_CHECK;                                                                                                      \
        u64 va MAYBE_UNUSED = ADDR(mode);                                                                              \
        u8 *p = FAST_PAIR(va, log2, true);                                                                             \
        if (unlikely(!p))                                                                                              \
            return OPN(slow_##name##_##mode)(OP_PASS);                                                                 \
        memcpy(p, &VD, (size_t)1 << (log2));                                                                           \
        memcpy(p + (1u << (log2)), &VA, (size_t)1 << (log2));                                                          \
        BACK(mode);                                                                                                    \
        NEXT;                                                                                                          \
    }

#define PAIR_MODES(M, name, log2) M(name, np, log2) M(name, post, log2) M(name, off, log2) M(name, pre, log2)
PAIR_MODES(STORE_PAIR, STP_vs, 2)
PAIR_MODES(STORE_PAIR, STP_vd, 3)
PAIR_MODES(STORE_PAIR, STP_vq, 4)
PAIR_MODES(LOAD_PAIR, LDP_vs, 2)
PAIR_MODES(LOAD_PAIR, LDP_vd, 3)
PAIR_MODES(LOAD_PAIR, LDP_vq, 4)

/* ---- structures ---- */

/* Post-index by a register, or by the bytes transferred when that is 31. */
#define POST(total) (RN += i->m == REG_ZR ? (total) : RM)
#define KEEP(total) ((void)0)

/* Memory of the whole row when it lies in one page and its first element's tag hits. */
#define FAST_ROW(va, total, log2, write) (likely(((va) & 4095) + (total) <= 4096) ? FAST(va, log2, write, false) : NULL)

/* Any structure: on this path there is a call, so it is not for the hot ones. */
#define STRUCTS(name, write, call, back)                                                                               \
    OP(name)                                                                                                           \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        BASE_CHECK;                                                                                                    \
        SLOW_BEGIN;                                                                                                    \
        const struct simd_structs s = simd_structs(WORD);                                                              \
        const u64 total MAYBE_UNUSED = simd_structs_bytes(s);                                                          \
        u8 *p = FAST_ROW(RN, total, s.log2, write);                                                                    \
        if (!call(cpu, WORD, RN, p))                                                                                   \
            RAISE;                                                                                                     \
        back(total);                                                                                                   \
        SLOW_END;                                                                                                      \
    }
#define STRUCT_LOADS(name)                                                                                             \
    STRUCTS(name, false, simd_structs_load, KEEP) STRUCTS(name##_post, false, simd_structs_load, POST)
#define STRUCT_STORES(name)                                                                                            \
    STRUCTS(name, true, simd_structs_store, KEEP) STRUCTS(name##_post, true, simd_structs_store, POST)
#define BOTH(n)          STRUCT_LOADS(LD##n) STRUCT_STORES(ST##n)
BOTH(2)
BOTH(3)
BOTH(4)
BOTH(1_lane)
BOTH(2_lane)
BOTH(3_lane)
BOTH(4_lane)
STRUCT_LOADS(LD1R)
STRUCT_LOADS(LD2R)
STRUCT_LOADS(LD3R)
STRUCT_LOADS(LD4R)

/* Whole registers: LD1 and ST1 of one to four. */
#define WHOLE_SLOW(name, regs, call, back)                                                                             \
    static NOINLINE void OPN(slow_##name)(OP_ARGS)                                                                     \
    {                                                                                                                  \
        const u64 total MAYBE_UNUSED = (regs) * (WORD >> 30 & 1 ? 16u : 8u); /* Q */                                   \
        SLOW_BEGIN;                                                                                                    \
        if (!call(cpu, WORD, RN, NULL))                                                                                \
            RAISE;                                                                                                     \
        back(total);                                                                                                   \
        SLOW_END;                                                                                                      \
    }
#define WHOLE(name, regs, write, call, copy, back)                                                                     \
    WHOLE_SLOW(name, regs, call, back)                                                                                 \
    OP_Q(name)                                                                                                         \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        BASE_CHECK;                                                                                                    \
        const unsigned size = q ? 16 : 8, total = (regs) * size;                                                       \
        u8 *p = FAST_ROW(RN, total, WORD >> 10 & 3, write);                                                            \
        if (unlikely(!p))                                                                                              \
            MISS(slow_##name);                                                                                         \
        for (unsigned k = 0; k < (regs); k++) {                                                                        \
            union vreg *v = &cpu->v[(i->d + k) & 31];                                                                  \
            copy;                                                                                                      \
        }                                                                                                              \
        back(total);                                                                                                   \
        NEXT;                                                                                                          \
    }
#define COPY_LOAD  *v = bytes_load(p + k * size, q ? 4 : 3)
#define COPY_STORE memcpy(p + k * size, v, size)
#define WHOLES(regs)                                                                                                   \
    WHOLE(LD1_x##regs, regs, false, simd_structs_load, COPY_LOAD, KEEP)                                                \
    WHOLE(LD1_x##regs##_post, regs, false, simd_structs_load, COPY_LOAD, POST)                                         \
    WHOLE(ST1_x##regs, regs, true, simd_structs_store, COPY_STORE, KEEP)                                               \
    WHOLE(ST1_x##regs##_post, regs, true, simd_structs_store, COPY_STORE, POST)
WHOLES(1)
WHOLES(2)
WHOLES(3)
WHOLES(4)
