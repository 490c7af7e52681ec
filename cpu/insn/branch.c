/* Branches: the bodies of cpu/insn/branch.def (Arm ARM C4.1.93, C6.2). */
#include "cpu/ops/alu.h"
#include "cpu/ops/bti.h"
#include "cpu/insn/op.h"

/* Direct branches, once for any target and, in the threaded engine, once for targets in the same page (NEAR). */
#define JUMP_DIRECT  JUMP(PC + (u64)IMM)
#define JUMP_COMPARE JUMP_DIRECT /* of those with a register, and perhaps a bit's number, in d and n */
#define BRANCH_IF(jump, condition)                                                                                     \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            JUMP_##jump;                                                                                               \
        NEXT;                                                                                                          \
    } while (0)

#define BRANCHES                                                                                                       \
    OP(B) { JUMP_DIRECT; }                                                                                             \
    OP(BL)                                                                                                             \
    {                                                                                                                  \
        cpu->x[30] = PC + 4;                                                                                           \
        JUMP_DIRECT;                                                                                                   \
    }                                                                                                                  \
    OP_S(CBZ) { BRANCH_IF(COMPARE, SIZED(s, RD) == 0); }                                                               \
    OP_S(CBNZ) { BRANCH_IF(COMPARE, SIZED(s, RD) != 0); }                                                              \
    OP(TBZ) { BRANCH_IF(COMPARE, !(RD >> i->n & 1)); }                                                                 \
    OP(TBNZ) { BRANCH_IF(COMPARE, RD >> i->n & 1); }                                                                   \
    CONDITIONS(BCOND)                                                                                                  \
    CONDITIONS(BCCOND)
#define BCOND(name, code)  OP(B_##name) { BRANCH_IF(DIRECT, COND_##name(cpu)); }
#define BCCOND(name, code) OP(BC_##name) { BRANCH_IF(DIRECT, COND_##name(cpu)); }
BRANCHES

OP(BR) { JUMP(RN); }
OP(RET) { JUMP(RN); }
OP(BLR)
{
    u64 target = RN;
    cpu->x[30] = PC + 4;
    JUMP(target);
}

OP(BTI) { NEXT; }
OP(BR_bti) { JUMP_TYPED(RN, bti_jump_type(cpu, i->imm)); }
OP(BLR_bti)
{
    u64 target = RN;
    cpu->x[30] = PC + 4;
    JUMP_TYPED(target, BTYPE_CALL);
}

#if ENGINE == 1
#undef OPN
#undef JUMP_DIRECT
#undef JUMP_COMPARE
#define OPN(id)      near_##id
#define JUMP_DIRECT  THREADED_JUMP_NEAR(i->target)
#define JUMP_COMPARE THREADED_JUMP_NEAR(i->target >> 16)
BRANCHES
#endif
