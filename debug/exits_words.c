/* Words for exceptions: the syndrome's fields as Arm ARM D19.2.37 lays them out, and causes by the name of their table
 * row. */
#include "debug/exits_words.h"

#include "board/explain.h"
#include "cpu/exception.h"
#include "cpu/sysop.h"
#include "cpu/sysreg.h"
#include "mmu/walk.h"

#include <ctype.h>
#include <stdio.h>

const char *exc_class_words(const struct exc *exc)
{
    static const char *const kinds[2][4] = { { "", "IRQ", "FIQ", "SError" }, { "", "vIRQ", "vFIQ", "vSError" } };
    return exc->kind == EXC_SYNC ? ec_name(exc->ec) : kinds[exc->is_virtual != 0][exc->kind & 3];
}

/* ---- syndrome ---- */

static void sysreg_words(u32 iss, char *text)
{
    u32 key = SYSREG_KEY(bits(iss, 21, 20), bits(iss, 16, 14), bits(iss, 13, 10), bits(iss, 4, 1), bits(iss, 19, 17));
    const struct sysreg *row = sysreg_find(key);
    unsigned rt = (unsigned)bits(iss, 9, 5);
    char name[40], reg[8];
    snprintf(reg, sizeof(reg), rt == 31 ? "xzr" : "x%u", rt);
    const struct sysop *op = sysop_find(key);
    if (row || op)
        snprintf(name, sizeof(name), "%s", row ? row->name : op->name);
    else
        snprintf(name, sizeof(name), "S%u_%u_C%u_C%u_%u", key >> 14, key >> 11 & 7, key >> 7 & 15, key >> 3 & 15,
                 key & 7);
    snprintf(text, EXC_WORDS, iss & 1 ? "read %s to %s" : "write %s from %s", name, reg);
}

static void abort_words(const struct exc *e, char *text)
{
    bool data = e->ec == EC_DABT_LOWER || e->ec == EC_DABT_SAME, isv = data && bit(e->iss, 24);
    const char *what = !data            ? "fetch"
                       : bit(e->iss, 8) ? "cache maintenance"
                       : bit(e->iss, 6) ? "write"
                                        : "read",
               *fault = fault_name(e->ec, e->iss);
    int n = snprintf(text, EXC_WORDS, "%s", what);
    if (isv)
        n += snprintf(text + n, EXC_WORDS - (size_t)n, " of %u bytes %s %c%u", 1u << bits(e->iss, 23, 22),
                      bit(e->iss, 6) ? "from" : "to", bit(e->iss, 15) ? 'x' : 'w', (unsigned)bits(e->iss, 20, 16));
    if (bit(e->iss, 7))
        n += snprintf(text + n, EXC_WORDS - (size_t)n, ", of a stage 1 table");
    if (data && !isv && bit(e->iss, 13))
        n += snprintf(text + n, EXC_WORDS - (size_t)n, " of VNCR_EL2's page");
    snprintf(text + n, EXC_WORDS - (size_t)n, "%s", fault);
}

static void watch_words(u32 iss, char *text) { snprintf(text, EXC_WORDS, "%s", bit(iss, 6) ? "write" : "read"); }

/* Of memory copy and set: which instruction found which registers in the state of another (FEAT_MOPS). */
static void mops_words(u32 iss, char *text)
{
    unsigned rd = (unsigned)bits(iss, 14, 10), rs = (unsigned)bits(iss, 9, 5), rn = (unsigned)bits(iss, 4, 0);
    snprintf(text, EXC_WORDS, "%s to x%u from x%u, size in x%u, option %c, %s%s",
             !bit(iss, 24)  ? "copy"
             : bit(iss, 23) ? "set with tags"
                            : "set",
             rd, rs, rn, bit(iss, 16) ? 'A' : 'B', bit(iss, 18) ? "epilogue" : "main part",
             bit(iss, 17) ? ", wrong option" : "");
}

void exc_iss_words(const struct exc *exc, char text[EXC_WORDS])
{
    static const char *const waits[] = { "WFI", "WFE", "WFIT", "WFET" };
    static const char *const returns[] = { "ERET", "ERET", "ERETAA", "ERETAB" };
    static const char *const keys[] = { "instruction key A", "instruction key B", "data key A", "data key B" };
    u32 iss = exc->iss;
    text[0] = 0;
    if (exc->kind != EXC_SYNC)
        return;
    switch (exc->ec) {
    case EC_WFX: snprintf(text, EXC_WORDS, "%s", waits[iss & 3]); break;
    case EC_SVC:
    case EC_HVC:
    case EC_SMC:
    case EC_BRK: snprintf(text, EXC_WORDS, "imm 0x%x", iss & 0xffff); break;
    case EC_SYSREG: sysreg_words(iss, text); break;
    case EC_ERET_TRAP: snprintf(text, EXC_WORDS, "%s", returns[iss & 3]); break;
    case EC_PAC_FAIL: snprintf(text, EXC_WORDS, "%s", keys[iss & 3]); break;
    case EC_BTI: snprintf(text, EXC_WORDS, "BTYPE %u", iss & 3); break;
    case EC_IABT_LOWER:
    case EC_IABT_SAME:
    case EC_DABT_LOWER:
    case EC_DABT_SAME: abort_words(exc, text); break;
    case EC_MOPS: mops_words(iss, text); break;
    case EC_STEP_LOWER:
    case EC_STEP_SAME: snprintf(text, EXC_WORDS, "%s", (iss & 0x1000040) == 0x1000040 ? "a load exclusive" : ""); break;
    case EC_WATCH_LOWER:
    case EC_WATCH_SAME: watch_words(iss, text); break;
    default: break;
    }
}

/* ---- cause ---- */

void exc_trap_words(unsigned id, char *text, size_t size)
{
    const struct trap_row *t = trap_get(id);
    size_t n = 0;
    text[0] = 0;
    if (!t)
        return;
    for (const char *c = t->reg; *c && n + 1 < size; c++)
        text[n++] = (char)toupper((unsigned char)*c);
    snprintf(text + n, size - n, ".%s", t->name);
}

/* D1.3.6: who routed a physical interrupt to EL2 or EL3, a virtual one to EL1. */
static const char *routing(const struct cpu *cpu, const struct exc *e)
{
    static const char *const el3[] = { "", "SCR_EL3.IRQ", "SCR_EL3.FIQ", "SCR_EL3.EA" };
    static const char *const el2[] = { "", "HCR_EL2.IMO", "HCR_EL2.FMO", "HCR_EL2.AMO" };
    static const char *const pending[] = { "", "HCR_EL2.VI", "HCR_EL2.VF", "HCR_EL2.VSE" };
    static const u8 pending_bit[] = { 0, 7, 6, 8 };
    unsigned kind = e->kind & 3;
    if (e->is_virtual)
        return bit(e->cause.value, pending_bit[kind]) ? pending[kind] : "list register";
    if (e->target_el == 3)
        return cpu->ps.el == 3 && !bit(cpu->sys.scr_el3, kind == EXC_IRQ   ? 1
                                                         : kind == EXC_FIQ ? 2
                                                                           : 3)
                   ? "EL3"
                   : el3[kind];
    if (e->target_el == 2)
        return bit(e->cause.value, 27) ? "HCR_EL2.TGE" : el2[kind];
    return "EL1";
}

static void descriptor_words(const struct exc *e, char *text)
{
    snprintf(text, EXC_WORDS, "stage %u descriptor 0x%llx level %d: %s", e->has_hpfar ? 2 : 1,
             (unsigned long long)e->cause.value, (int)(s32)e->cause.level, fault_rule_text(e->cause.id));
}

void exc_cause_words(const struct cpu *cpu, const struct exc *exc, int intid, char text[EXC_WORDS])
{
    static const char *const kinds[CAUSE_COUNT] = { [CAUSE_NONE] = "-",
                                                    [CAUSE_UNALLOCATED] = "no such instruction or register here",
                                                    [CAUSE_ACCESS] = "not accessible at this EL",
                                                    [CAUSE_INSTRUCTION] = "instruction",
                                                    [CAUSE_ILLEGAL_STATE] = "PSTATE.IL",
                                                    [CAUSE_STEP] = "MDSCR_EL1.SS",
                                                    [CAUSE_BREAKPOINT] = "a breakpoint of the guest's",
                                                    [CAUSE_WATCHPOINT] = "a watchpoint of the guest's" };
    const struct cause *c = &exc->cause;
    switch (c->kind) {
    case CAUSE_TRAP: exc_trap_words(c->id, text, EXC_WORDS); break;
    case CAUSE_DESCRIPTOR: descriptor_words(exc, text); break;
    case CAUSE_INPUT_SIZE:
    case CAUSE_EXTERNAL:
        snprintf(text, EXC_WORDS, "stage %u: %s", exc->has_hpfar ? 2 : 1, fault_rule_text(c->id));
        break;
    case CAUSE_ALIGNMENT: snprintf(text, EXC_WORDS, "%s", c->id ? fault_rule_text(c->id) : "alignment"); break;
    case CAUSE_INTERRUPT: {
        int n = snprintf(text, EXC_WORDS, "%s", routing(cpu, exc));
        if (intid >= 0)
            snprintf(text + n, EXC_WORDS - (size_t)n, ", INTID %d", intid);
        break;
    }
    default: snprintf(text, EXC_WORDS, "%s", c->kind < CAUSE_COUNT && kinds[c->kind] ? kinds[c->kind] : "-"); break;
    }
}
