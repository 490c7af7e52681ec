/* Words for syndromes: exception classes and fault status codes, Arm ARM D19.2.37. */
#include "board/explain.h"

#include "cpu/exception.h"

static const struct {
    u8 ec;
    const char *name;
} classes[] = {
    { EC_UNKNOWN, "undefined instruction" },
    { EC_WFX, "trapped WFI or WFE" },
    { EC_FP_TRAP, "trapped SIMD or floating point" },
    { EC_PAC_TRAP, "trapped pointer authentication" },
    { EC_BTI, "branch target" },
    { EC_ILLEGAL_STATE, "illegal execution state" },
    { EC_SVC, "SVC" },
    { EC_HVC, "HVC" },
    { EC_SMC, "SMC" },
    { EC_SYSREG, "trapped system register" },
    { EC_SVE_TRAP, "trapped SVE" },
    { EC_ERET_TRAP, "trapped ERET" },
    { EC_PAC_FAIL, "pointer authentication failure" },
    { EC_IABT_LOWER, "instruction abort from a lower EL" },
    { EC_IABT_SAME, "instruction abort" },
    { EC_PC_ALIGN, "PC alignment fault" },
    { EC_DABT_LOWER, "data abort from a lower EL" },
    { EC_DABT_SAME, "data abort" },
    { EC_SP_ALIGN, "SP alignment fault" },
    { EC_FP_EXC, "floating-point exception" },
    { EC_SERROR, "SError" },
    { EC_BREAK_LOWER, "breakpoint from a lower EL" },
    { EC_BREAK_SAME, "breakpoint" },
    { EC_STEP_LOWER, "software step from a lower EL" },
    { EC_STEP_SAME, "software step" },
    { EC_WATCH_LOWER, "watchpoint from a lower EL" },
    { EC_WATCH_SAME, "watchpoint" },
    { EC_BRK, "BRK instruction" },
};

const char *ec_name(unsigned ec)
{
    for (unsigned n = 0; n < ARRAY_LEN(classes); n++)
        if (classes[n].ec == ec)
            return classes[n].name;
    return "reserved exception class";
}

const char *fault_name(unsigned ec, u32 iss)
{
    static const char *const by_level[4][4] = {
        { ", address size fault, level 0", ", address size fault, level 1", ", address size fault, level 2",
          ", address size fault, level 3" },
        { ", translation fault, level 0", ", translation fault, level 1", ", translation fault, level 2",
          ", translation fault, level 3" },
        { ", access flag fault, level 0", ", access flag fault, level 1", ", access flag fault, level 2",
          ", access flag fault, level 3" },
        { ", permission fault, level 0", ", permission fault, level 1", ", permission fault, level 2",
          ", permission fault, level 3" },
    };
    if (ec != EC_IABT_LOWER && ec != EC_IABT_SAME && ec != EC_DABT_LOWER && ec != EC_DABT_SAME)
        return "";
    unsigned fsc = iss & 0x3f;
    if (fsc < 16)
        return by_level[fsc >> 2][fsc & 3];
    return fsc == 0x10                  ? ", external abort: nothing answers at that address"
           : fsc >= 0x14 && fsc <= 0x17 ? ", external abort on a translation table walk"
           : fsc == 0x21                ? ", alignment fault"
                                        : "";
}
