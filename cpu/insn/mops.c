/* Memory copy and memory set: the bodies of cpu/insn/mops.def (Arm ARM C6.2). What they do is in cpu/ops/mops_lib.c. */
#include "cpu/ops/mops.h"

#include "cpu/insn/ldst.h"

#define MOPS(id, call)                                                                                                 \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        SLOW_BEGIN;                                                                                                    \
        enum mops_result r = call(cpu, WORD);                                                                          \
        if (r == MOPS_RAISE)                                                                                           \
            RAISE;                                                                                                     \
        if (r == MOPS_AGAIN)                                                                                           \
            AGAIN;                                                                                                     \
        SLOW_END;                                                                                                      \
    }
MOPS(CPYFP, mops_copy_prologue)
MOPS(CPYFM, mops_copy_main)
MOPS(CPYFE, mops_copy_epilogue)
MOPS(CPYP, mops_copy_prologue)
MOPS(CPYM, mops_copy_main)
MOPS(CPYE, mops_copy_epilogue)
MOPS(SETGP, mops_set_prologue)
MOPS(SETGM, mops_set_main)
MOPS(SETGE, mops_set_epilogue)
MOPS(SETP, mops_set_prologue)
MOPS(SETM, mops_set_main)
MOPS(SETE, mops_set_epilogue)
