/* Branches: the bodies of cpu/branch.def (Arm ARM C4.1.93, C6.2). */
#include "cpu/alu.h"
#include "cpu/bti.h"
#include "cpu/op.h"

/* Direct branches, once for any target and, in the threaded engine, once for targets in the same page (NEAR). */
#define JUMP_TO_IMM JUMP(PC + (u64)IMM)
#define BRANCH_IF(condition)                                                                                           \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            JUMP_TO_IMM;                                                                                               \
        NEXT;                                                                                                          \
    } while (0)

#define BRANCHES                                                                                                       \
    OP(B) { JUMP_TO_IMM; }                                                                                             \
    OP(BL)                                                                                                             \
    {                                                                                                                  \
        cpu->x[30] = PC + 4;                                                                                           \
        JUMP_TO_IMM;                                                                                                   \
    }                                                                                                                  \
    OP_S(CBZ) { BRANCH_IF(SIZED(s, RD) == 0); }                                                                        \
    OP_S(CBNZ) { BRANCH_IF(SIZED(s, RD) != 0); }                                                                       \
    OP(TBZ) { BRANCH_IF(!(RD >> i->m & 1)); }                                                                          \
    OP(TBNZ) { BRANCH_IF(RD >> i->m & 1); }                                                                            \
    CONDITIONS(BCOND)                                                                                                  \
    CONDITIONS(BCCOND)
#define BCOND(name, code)  OP(B_##name) { BRANCH_IF(COND_##name(cpu)); }
#define BCCOND(name, code) OP(BC_##name) { BRANCH_IF(COND_##name(cpu)); }
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
#undef JUMP_TO_IMM
#define OPN(id)     near_##id
#define JUMP_TO_IMM THREADED_JUMP_NEAR
BRANCHES
#endif
