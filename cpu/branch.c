/* Branches: the bodies of cpu/branch.def (Arm ARM C4.1.93, C6.2). */
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

/* Conditions on the lazily kept flags (cpu/state.h), without assembling NZCV. */
#define N ((s64)cpu->flag_n < 0)
#define Z (cpu->flag_z == 0)
#define C (cpu->flag_c != 0)
#define N_IS_V ((s64)(cpu->flag_n ^ cpu->flag_v) >= 0)
#define V ((s64)cpu->flag_v < 0)
OP(B_eq) { BRANCH_IF(Z); }
OP(B_ne) { BRANCH_IF(!Z); }
OP(B_cs) { BRANCH_IF(C); }
OP(B_cc) { BRANCH_IF(!C); }
OP(B_mi) { BRANCH_IF(N); }
OP(B_pl) { BRANCH_IF(!N); }
OP(B_vs) { BRANCH_IF(V); }
OP(B_vc) { BRANCH_IF(!V); }
OP(B_hi) { BRANCH_IF(C && !Z); }
OP(B_ls) { BRANCH_IF(!C || Z); }
OP(B_ge) { BRANCH_IF(N_IS_V); }
OP(B_lt) { BRANCH_IF(!N_IS_V); }
OP(B_gt) { BRANCH_IF(!Z && N_IS_V); }
OP(B_le) { BRANCH_IF(Z || !N_IS_V); }
OP(B_al) { JUMP(PC + (u64)IMM); }
OP(B_nv) { JUMP(PC + (u64)IMM); }

OP(BR) { JUMP(RN); }
OP(RET) { JUMP(RN); }
OP(BLR)
{
    u64 target = RN;
    cpu->x[30] = PC + 4;
    JUMP(target);
}
