/* Memory tagging: the bodies of cpu/insn/mte.def (Arm ARM C6.2). What they do is in cpu/ops/mte_lib.c. */
#include "cpu/ops/mte.h"

#include "cpu/ops/alu.h"
#include "cpu/insn/ldst.h"

#define BASE_CHECK                                                                                                     \
    do {                                                                                                               \
        const bool sp = i->n == REG_SP;                                                                                \
        SP_CHECK;                                                                                                      \
    } while (0)

/* imm = offset in bytes | tag offset << 16 */
#define OFFSET ((u64)i->imm & 0xffff)
#define TAGS   ((unsigned)i->imm >> 16)
OP(ADDG)
{
    u64 n = RN;
    RD = mte_with_tag(n + OFFSET, mte_next_tag(cpu, mte_tag_of(n), TAGS));
    NEXT;
}
OP(SUBG)
{
    u64 n = RN;
    RD = mte_with_tag(n - OFFSET, mte_next_tag(cpu, mte_tag_of(n), TAGS));
    NEXT;
}
OP(SUBP) { RD = sext(RN, 56) - sext(RM, 56); NEXT; }
OP(SUBPS) { RD = flags_sub(cpu, true, sext(RN, 56), sext(RM, 56)); NEXT; }
OP(IRG)
{
    SLOW_BEGIN;
    u64 n = RN;
    RD = mte_with_tag(n, mte_random_tag(cpu, RM));
    NEXT;
}
OP(GMI) { RD = RM | BIT(mte_tag_of(RN)); NEXT; }

OP(MSR_TCO)
{
    cpu->ps.tco = i->imm & 1;
    NEXT;
}

#define STORE(id, granules, zero, address, back)                                                                       \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        BASE_CHECK;                                                                                                    \
        SLOW_BEGIN;                                                                                                    \
        u64 va = (address);                                                                                            \
        if (!mte_store(cpu, va, mte_tag_of(RD), granules, zero))                                                       \
            RAISE;                                                                                                     \
        back;                                                                                                          \
        SLOW_END;                                                                                                      \
    }
#define STORES(name, granules, zero)                                                                                   \
    STORE(name##_post, granules, zero, RN, RN += (u64)IMM)                                                             \
    STORE(name##_off, granules, zero, RN + (u64)IMM, (void)0)                                                          \
    STORE(name##_pre, granules, zero, RN + (u64)IMM, RN = va)
STORES(STG, 1, false)
STORES(STZG, 1, true)
STORES(ST2G, 2, false)
STORES(STZ2G, 2, true)

#define STGP(mode, address, back)                                                                                      \
    OP(STGP_##mode)                                                                                                    \
    {                                                                                                                  \
        BASE_CHECK;                                                                                                    \
        SLOW_BEGIN;                                                                                                    \
        u64 va = (address);                                                                                            \
        if (!mte_store_pair(cpu, va, RD, RA))                                                                          \
            RAISE;                                                                                                     \
        back;                                                                                                          \
        SLOW_END;                                                                                                      \
    }
STGP(post, RN, RN += (u64)IMM)
STGP(off, RN + (u64)IMM, (void)0)
STGP(pre, RN + (u64)IMM, RN = va)

OP(LDG)
{
    BASE_CHECK;
    SLOW_BEGIN;
    struct mte_value r = mte_load(cpu, RN + (u64)IMM);
    if (!r.ok)
        RAISE;
    RD = mte_with_tag(RD, (unsigned)r.v);
    SLOW_END;
}

OP(LDGM)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    BASE_CHECK;
    SLOW_BEGIN;
    struct mte_value r = mte_load_many(cpu, RN);
    if (!r.ok)
        RAISE;
    RD = r.v;
    SLOW_END;
}
#define STORE_MANY(id, call)                                                                                           \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        if (cpu->ps.el == 0)                                                                                           \
            UNDEFINED;                                                                                                 \
        BASE_CHECK;                                                                                                    \
        SLOW_BEGIN;                                                                                                    \
        if (!call(cpu, RN, RD))                                                                                        \
            RAISE;                                                                                                     \
        SLOW_END;                                                                                                      \
    }
STORE_MANY(STGM, mte_store_many)
STORE_MANY(STZGM, mte_store_zero_many)
