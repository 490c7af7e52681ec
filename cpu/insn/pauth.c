/* Pointer authentication: bodies of cpu/insn/pauth.def (Arm ARM C6.2). What they compute is in cpu/ops/pauth_lib.c. */
#include "cpu/ops/pauth.h"

#include "cpu/ops/bti.h"
#include "cpu/insn/ldst.h"
#include "cpu/ops/system_ops.h"

#define AUTHENTICATE(destination, call)                                                                         \
    do {                                                                                                               \
        cpu->d.now = NOW;                                                                                              \
        struct pauth_value r_ = call;                                                                                  \
        if (unlikely(!r_.ok))                                                                                          \
            RAISE;                                                                                                     \
        destination = r_.v;                                                                                            \
    } while (0)

#define PAC(id, key)                                                                                                   \
    OP(PAC##id)                                                                                                        \
    {                                                                                                                  \
        AUTHENTICATE(RD, pauth_add(cpu, RM, RN, key));                                                             \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(AUT##id)                                                                                                        \
    {                                                                                                                  \
        AUTHENTICATE(RD, pauth_auth(cpu, RM, RN, key, false));                                                     \
        NEXT;                                                                                                          \
    }
PAC(IA, PAUTH_IA)
PAC(IB, PAUTH_IB)
PAC(DA, PAUTH_DA)
PAC(DB, PAUTH_DB)

OP(PACGA)
{
    AUTHENTICATE(RD, pauth_generic(cpu, RN, RM));
    NEXT;
}

/* Xd is source and destination; of ZR nothing comes. */
OP(XPACI) { RD = pauth_strip(cpu, RD, false); NEXT; }
OP(XPACD) { RD = pauth_strip(cpu, RD, true); NEXT; }

/* ---- hint space ---- */

#define X17 cpu->x[17]
#define LR  cpu->x[30]
OP(XPACLRI) { LR = pauth_strip(cpu, LR, false); NEXT; }
#define HINTS(k)                                                                                                       \
    OP(PAC##k##1716)                                                                                                   \
    {                                                                                                                  \
        AUTHENTICATE(X17, pauth_add(cpu, X17, cpu->x[16], PAUTH_##k));                                            \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(AUT##k##1716)                                                                                                   \
    {                                                                                                                  \
        AUTHENTICATE(X17, pauth_auth(cpu, X17, cpu->x[16], PAUTH_##k, false));                                    \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(PAC##k##Z)                                                                                                      \
    {                                                                                                                  \
        AUTHENTICATE(LR, pauth_add(cpu, LR, 0, PAUTH_##k));                                                        \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(AUT##k##Z)                                                                                                      \
    {                                                                                                                  \
        AUTHENTICATE(LR, pauth_auth(cpu, LR, 0, PAUTH_##k, false));                                                \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(PAC##k##SP)                                                                                                     \
    {                                                                                                                  \
        AUTHENTICATE(LR, pauth_add(cpu, LR, cpu->x[REG_SP], PAUTH_##k));                                           \
        NEXT;                                                                                                          \
    }                                                                                                                  \
    OP(AUT##k##SP)                                                                                                     \
    {                                                                                                                  \
        AUTHENTICATE(LR, pauth_auth(cpu, LR, cpu->x[REG_SP], PAUTH_##k, false));                                   \
        NEXT;                                                                                                          \
    }
HINTS(IA)
HINTS(IB)

/* ---- branches ---- */

#define BRANCH_KEY (i->imm & 1 ? PAUTH_IB : PAUTH_IA)

OP(BRAA)
{
    u64 target;
    AUTHENTICATE(target, pauth_auth(cpu, RN, RM, BRANCH_KEY, true));
    if (cpu_has(cpu, FEAT_BTI))
        JUMP_TYPED(target, bti_jump_type(cpu, i->imm & 2));
    JUMP(target);
}
OP(BRAAZ) { return OPN(BRAA)(OP_PASS); }
OP(BLRAA)
{
    u64 target;
    AUTHENTICATE(target, pauth_auth(cpu, RN, RM, BRANCH_KEY, true));
    LR = PC + 4;
    if (cpu_has(cpu, FEAT_BTI))
        JUMP_TYPED(target, BTYPE_CALL);
    JUMP(target);
}
OP(BLRAAZ) { return OPN(BLRAA)(OP_PASS); }
OP(RETAA)
{
    u64 target;
    AUTHENTICATE(target, pauth_auth(cpu, LR, cpu->x[REG_SP], BRANCH_KEY, true));
    JUMP(target);
}
OP(ERETAA)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    cpu->d.now = NOW;
    cpu->pc = PC;
    if (system_eret_trapped(cpu, 2 | (BRANCH_KEY == PAUTH_IB)))
        RAISE;
    struct pauth_value elr = pauth_auth(cpu, system_elr(cpu), cpu->x[REG_SP], BRANCH_KEY, true);
    if (!elr.ok)
        RAISE;
    system_eret_to(cpu, elr.v);
    RESUME;
}

/* ---- loads ---- */

static ALWAYS_INLINE void OPN(load_authenticated)(OP_ARGS, bool sp, enum pauth_key key, bool pre)
{
    SLOW_BEGIN;
    struct pauth_value base = pauth_auth(cpu, RN, 0, key, true);
    if (!base.ok)
        RAISE;
    SP_CHECK;
    u64 va = base.v + (u64)IMM;
    struct mem_val r = mem_read(cpu, va, 8, ACC_READ);
    if (!r.ok)
        RAISE;
    if (pre)
        RN = va;
    RD = r.v;
    SLOW_END;
}
OP_N(LDRAA) { return OPN(load_authenticated)(OP_PASS, sp, PAUTH_DA, false); }
OP_N(LDRAA_pre) { return OPN(load_authenticated)(OP_PASS, sp, PAUTH_DA, true); }
OP_N(LDRAB) { return OPN(load_authenticated)(OP_PASS, sp, PAUTH_DB, false); }
OP_N(LDRAB_pre) { return OPN(load_authenticated)(OP_PASS, sp, PAUTH_DB, true); }
