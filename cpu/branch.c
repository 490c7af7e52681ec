/* Branches: the bodies of cpu/branch.def (Arm ARM C4.1.93, C6.2). */
#include "cpu/alu.h"
#include "cpu/bti.h"
#include "cpu/op.h"

OP(B) { JUMP(PC + (u64)IMM); }
OP(BL)
{
    cpu->x[30] = PC + 4;
    JUMP(PC + (u64)IMM);
}

#define BRANCH_IF(condition)                                                                                           \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            JUMP(PC + (u64)IMM);                                                                                       \
        NEXT;                                                                                                          \
    } while (0)

OP_S(CBZ) { BRANCH_IF(SIZED(s, RD) == 0); }
OP_S(CBNZ) { BRANCH_IF(SIZED(s, RD) != 0); }
OP(TBZ) { BRANCH_IF(!(RD >> i->m & 1)); }
OP(TBNZ) { BRANCH_IF(RD >> i->m & 1); }

#define BCOND(name, code) OP(B_##name) { BRANCH_IF(COND_##name(cpu)); }
CONDITIONS(BCOND)
#define BCCOND(name, code) OP(BC_##name) { BRANCH_IF(COND_##name(cpu)); }
CONDITIONS(BCCOND)

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
