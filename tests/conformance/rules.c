/* The rules of the vector runner (rules.h). A row a rule. */
#include "tests/conformance/rules.h"

#include "cpu/sysop.h"
#include "cpu/sysreg.h"

static bool is_tag_instruction(const struct rule_input *in)
{
    return !strstr(in->set, "mte") && !strncmp(in->name, "integer_tags_", 13);
}

/* ---- system registers and instructions ---- */

/* MRS, MSR (register), SYS and SYSL of the classes that walk over all of them; not the other instructions. */
static bool is_access(const struct rule_input *in)
{
    return (!strcmp(in->class_, "sysreg") || !strcmp(in->class_, "sysop")) && (in->insn & 0xffc00000) == 0xd5000000;
}
static u32 key_of(const struct rule_input *in) { return in->insn >> 5 & 0xffff; }

static bool is_absent(const struct rule_input *in)
{
    if (!is_access(in))
        return false;
    if (key_of(in) >> 14 == 1) {
        const struct sysop *op = sysop_find(key_of(in));
        return !op || !feature_has(&in->cpu->features, (enum feature)op->feature);
    }
    const struct sysreg *row = sysreg_find(key_of(in));
    return !row || !feature_has(&in->cpu->features, (enum feature)row->feature);
}

/* PMEVCNTR<n>_EL0 and PMEVTYPER<n>_EL0: elmu's CPUs have six. */
static bool is_absent_counter(const struct rule_input *in)
{
    u32 key = key_of(in), n = key & 31;
    return is_access(in) && key >> 14 == 3 && (key >> 11 & 7) == 3 && (key >> 7 & 15) == 14 && (key & 0x40) && n >= 6 && n != 31;
}

static bool is_absent_instruction(const struct rule_input *in)
{
    static const char *const later[] = { "IRG", "LDG", "STG", "RNDR_MRS" };
    for (unsigned n = 0; n < ARRAY_LEN(later); n++)
        if (!strcmp(in->class_, "sysinsn") && !strcmp(in->name, later[n]))
            return true;
    return false;
}

static bool is_unallocated_hint(const struct rule_input *in)
{
    return !strcmp(in->class_, "sysinsn") && !strcmp(in->name, "HINT");
}

static bool waits_above_virtual(const struct rule_input *in)
{
    bool waits = in->insn == 0xd503205f || in->insn == 0xd503207f;
    return waits && in->cpu->ps.el >= 2 && in->cpu->sys.hcr_el2 & 0x1c0;
}

/* ---- floating point ---- */

static bool is_fjcvtzs_of_flushed(const struct rule_input *in)
{
    bool fjcvtzs = (in->insn & 0xfffffc00) == 0x1e7e0000;
    u64 operand = in->cpu->v[in->insn >> 5 & 31].d[0];
    return !strncmp(in->set, "v85", 3) && fjcvtzs && bit(in->cpu->fpcr, 24) && operand && !(operand >> 52);
}

const struct rule rules[RULE_COUNT_] = {
    { "mte-off", is_tag_instruction,
      "the v8.5 model executes tag loads and stores on a CPU without FEAT_MTE, where they are UNDEFINED (its README)" },
    { "absent-register", is_absent,
      "registers and system instructions of features or units that the CPU of the set lacks (AArch32, trace, RAS, later "
      "extensions): the v8.5 model has them in every set, here they are UNDEFINED" },
    { "absent-counter", is_absent_counter, "event counters beyond PMCR_EL0.N: UNDEFINED is the choice among the CONSTRAINED "
      "UNPREDICTABLE ones of D19.5.9" },
    { "absent-instruction", is_absent_instruction, "instructions of later features, which the model has in every set (its README)" },
    { "hint-unallocated", is_unallocated_hint, "the model throws for hints that it does not know; they execute as NOP (C6.2 HINT)" },
    { "wfi-virtual-el2", waits_above_virtual,
      "at EL2 and EL3 the model's WFI and WFE do not wait while HCR_EL2.{VI,VF,VSE} is set: a virtual interrupt is pending for "
      "EL1 and EL0 only (D1.6.2); not waiting is allowed too" },
    { "fjcvtzs-flushed", is_fjcvtzs_of_flushed, "FJCVTZS of a positive denormal that FPCR.FZ flushes: the v8.5 model sets PSTATE.Z, "
      "which later pseudocode clears (J1, FPToFixedJS: the operand itself was not zero)" },
    { 0 },
};

int rule_find(const struct rule_input *in)
{
    for (int n = 0; n < RULE_COUNT_ && rules[n].name; n++)
        if (rules[n].applies(in))
            return n;
    return -1;
}
