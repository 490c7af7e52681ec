/*
 * Exceptions in words, the same for whoever tells of them: the class (cpu/ec.def, interrupt.def), the syndrome's fields
 * as Arm ARM D19.2.37 lays them out, the cause by the name of its table row (struct cause), and who routed it (D1.3.6).
 * What a fault's rule is called is in mmu/fault.c. Nothing here decides anything, and nothing that runs a guest calls
 * it.
 */
#include "cpu/exception/words.h"

#include "cpu/field.h"
#include "cpu/sysreg/sysop.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/walk.h"

#include <stdio.h>

/* ---- class ---- */

const char *ec_name(unsigned ec)
{
    static const char *const names[64] = {
#define EC(name, number, words, iss) [number] = words,
#include "cpu/ec.def"
    };
    return ec < ARRAY_LEN(names) && names[ec] ? names[ec] : "reserved exception class";
}

/* By kind: a physical one and a virtual one in words, the fields of SCR_EL3 and HCR_EL2 that route it, and the field of
 * HCR_EL2 that makes a virtual one pending. */
static const struct {
    const char *words[2], *scr, *hcr, *pending;
} interrupts[4] = {
    [EXC_SYNC] = { { "", "" }, "", "", "" },
#define INTERRUPT(name, words, event, scr, hcr, pending, super) \
    [EXC_##name] = { { words, "v" words }, #scr, #hcr, #pending },
#include "cpu/interrupt.def"
};

const char *exc_kind_words(unsigned kind, bool is_virtual) { return interrupts[kind & 3].words[is_virtual]; }

const char *exc_class_words(const struct exc *exc)
{
    return exc->kind == EXC_SYNC ? ec_name(exc->ec) : exc_kind_words(exc->kind, exc->is_virtual);
}

/* ---- syndrome ---- */

bool ec_is_abort(unsigned ec)
{
    return ec == EC_IABT_LOWER || ec == EC_IABT_SAME || ec == EC_DABT_LOWER || ec == EC_DABT_SAME;
}

/* By fault status code (DFSC, IFSC). */
static const char *const fault_names[64] = {
#define LEVELS(fsc, words) [fsc] = words "0", [(fsc) + 1] = words "1", [(fsc) + 2] = words "2", [(fsc) + 3] = words "3"
    LEVELS(0x00, ", address size fault, level "),
    LEVELS(0x04, ", translation fault, level "),
    LEVELS(0x08, ", access flag fault, level "),
    LEVELS(0x0c, ", permission fault, level "),
#undef LEVELS
    [0x10] = ", external abort: nothing answers at that address",
    [0x11] = ", tag check fault",
    [0x13 ... 0x17] = ", external abort on a translation table walk",
    [0x21] = ", alignment fault",
    [0x29] = ", address size fault, level -1",
    [0x2b] = ", translation fault, level -1",
    [0x31] = ", unsupported update of a descriptor",
    [0x35] = ", unsupported exclusive or atomic access",
};

const char *fault_name(unsigned ec, u32 iss)
{
    const char *name = ec_is_abort(ec) ? fault_names[iss & 0x3f] : NULL;
    return name ? name : "";
}

bool fault_has_address(unsigned ec)
{
    return ec_is_abort(ec) || ec == EC_PC_ALIGN || ec == EC_WATCH_LOWER || ec == EC_WATCH_SAME;
}

static void iss_sysreg(const struct exc *e, char *text)
{
    u32 iss = e->iss;
    u32 key = SYSREG_KEY(bits(iss, 21, 20), bits(iss, 16, 14), bits(iss, 13, 10), bits(iss, 4, 1), bits(iss, 19, 17));
    const struct sysreg *row = sysreg_find(key);
    unsigned rt = (unsigned)bits(iss, 9, 5);
    const struct sysop *op = row ? NULL : sysop_find(key);
    char number[40] = "", reg[8] = "xzr";
    if (rt != 31)
        snprintf(reg, sizeof(reg), "x%u", rt);
    if (!row && !op)
        snprintf(number, sizeof(number), "S%u_%u_C%u_C%u_%u", key >> 14, key >> 11 & 7, key >> 7 & 15, key >> 3 & 15,
                 key & 7);
    snprintf(text, EXC_WORDS, iss & 1 ? "read %s to %s" : "write %s from %s",
             row  ? row->name
             : op ? op->name
                  : number,
             reg);
}

static void iss_abort(const struct exc *e, char *text)
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

static void iss_watch(const struct exc *e, char *text)
{
    snprintf(text, EXC_WORDS, "%s", bit(e->iss, 6) ? "write" : "read");
}

/* Of memory copy and set: which instruction found which registers in the state of another (FEAT_MOPS). */
static void iss_mops(const struct exc *e, char *text)
{
    u32 iss = e->iss;
    unsigned rd = (unsigned)bits(iss, 14, 10), rs = (unsigned)bits(iss, 9, 5), rn = (unsigned)bits(iss, 4, 0);
    snprintf(text, EXC_WORDS, "%s to x%u from x%u, size in x%u, option %c, %s%s",
             !bit(iss, 24)  ? "copy"
             : bit(iss, 23) ? "set with tags"
                            : "set",
             rd, rs, rn, bit(iss, 16) ? 'A' : 'B', bit(iss, 18) ? "epilogue" : "main part",
             bit(iss, 17) ? ", wrong option" : "");
}

/* TI. */
static void iss_wait(const struct exc *e, char *text)
{
    static const char *const waits[] = { "WFI", "WFE", "WFIT", "WFET" };
    snprintf(text, EXC_WORDS, "%s", waits[e->iss & 3]);
}

static void iss_eret(const struct exc *e, char *text)
{
    static const char *const returns[] = { "ERET", "ERET", "ERETAA", "ERETAB" };
    snprintf(text, EXC_WORDS, "%s", returns[e->iss & 3]);
}

static void iss_key(const struct exc *e, char *text)
{
    static const char *const keys[] = { "instruction key A", "instruction key B", "data key A", "data key B" };
    snprintf(text, EXC_WORDS, "%s", keys[e->iss & 3]);
}

static void iss_btype(const struct exc *e, char *text) { snprintf(text, EXC_WORDS, "BTYPE %u", e->iss & 3); }

static void iss_imm(const struct exc *e, char *text) { snprintf(text, EXC_WORDS, "imm 0x%x", e->iss & 0xffff); }

/* Software step: ISV and EX. */
static void iss_step(const struct exc *e, char *text)
{
    snprintf(text, EXC_WORDS, "%s", bit(e->iss, 24) && bit(e->iss, 6) ? "a load exclusive" : "");
}

#define iss_NONE NULL
void exc_iss_words(const struct exc *exc, char text[EXC_WORDS])
{
    static void (*const shapes[64])(const struct exc *e, char *text) = {
#define EC(name, number, words, shape) [number] = iss_##shape,
#include "cpu/ec.def"
    };
    text[0] = 0;
    if (exc->kind == EXC_SYNC && shapes[exc->ec & 63])
        shapes[exc->ec & 63](exc, text);
}

/* ---- cause ---- */

/* "HCR_EL2.TWI" of a row of cpu/sysreg/traps.def. */
static void trap_words(unsigned id, char *text, size_t size)
{
    const struct trap_row *t = trap_get(id);
    size_t n = 0;
    text[0] = 0;
    if (!t)
        return;
    for (const char *c = t->reg; *c && n + 1 < size; c++)
        text[n++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    snprintf(text + n, size - n, ".%s", t->name);
}

/* ---- routing ---- */

/* The control alone, as a trap's: "HCR_EL2.IMO", with what it is only where that is not 1. */
static void by_words(unsigned kind, const struct exc_source *s, char *text, size_t size)
{
    const char *scr = interrupts[kind & 3].scr, *hcr = interrupts[kind & 3].hcr,
               *pending = interrupts[kind & 3].pending;
    switch (s->by) {
    case BY_SCR: snprintf(text, size, "SCR_EL3.%s", scr); break;
    case BY_TGE: snprintf(text, size, "HCR_EL2.TGE"); break;
    case BY_HCR: snprintf(text, size, "HCR_EL2.%s", hcr); break;
    case BY_HCR_CLEAR: snprintf(text, size, "HCR_EL2.%s = 0", hcr); break;
    case BY_NO_EL2: snprintf(text, size, "no EL2"); break;
    case BY_NO_SECURE_EL2: snprintf(text, size, "SCR_EL3.{NS,EEL2} = {0,0}"); break;
    case BY_PENDING: snprintf(text, size, "HCR_EL2.%s", pending); break;
    case BY_LIST: snprintf(text, size, s->lr < 0 ? "list register" : "list register %d", s->lr); break;
    case BY_VLPI: snprintf(text, size, "virtual LPI"); break;
    default: snprintf(text, size, "-"); break;
    }
}

struct exc_route exc_route_of(const struct cpu *cpu, const struct exc *e, struct exc_source source)
{
    return (struct exc_route){ .hcr = e->kind == EXC_SYNC ? cpu->sys.hcr_el2 : e->cause.value,
                               .source = source,
                               .has_el3 = cpu_has(cpu, FEAT_EL3),
                               .el2_enabled = cpu_el2_enabled(cpu) };
}

/* The control with its value, and those that come before it. */
static void interrupt_words(const struct exc *e, const struct exc_route *r, char text[EXC_WORDS])
{
    const char *scr = interrupts[e->kind & 3].scr, *hcr = interrupts[e->kind & 3].hcr;
    char by[48], above[32] = "";
    by_words(e->kind, &r->source, by, sizeof(by));
    if (r->has_el3)
        snprintf(above, sizeof(above), ", SCR_EL3.%s = 0", scr);
    switch (r->source.by) {
    case BY_SCR: snprintf(text, EXC_WORDS, "%s = 1", by); break;
    case BY_PENDING:
    case BY_LIST:
    case BY_VLPI:
        snprintf(text, EXC_WORDS, "HCR_EL2.%s = 1 makes virtual ones EL1's, HCR_EL2.TGE = 0; pending by %s%s", hcr, by,
                 r->source.by == BY_PENDING ? " = 1" : "");
        break;
    case BY_HCR_CLEAR: snprintf(text, EXC_WORDS, "%s, HCR_EL2.TGE = 0%s", by, above); break;
    case BY_NO_SECURE_EL2: snprintf(text, EXC_WORDS, "EL2 is not enabled in Secure state (%s)%s", by, above); break;
    case BY_NO_EL2: snprintf(text, EXC_WORDS, "there is %s%s", by, above); break;
    default: snprintf(text, EXC_WORDS, "%s = 1%s", by, above); break;
    }
}

static bool is_debug_class(unsigned ec) { return (ec >= EC_BREAK_LOWER && ec <= EC_WATCH_SAME) || ec == EC_BRK; }

void exc_route_words(const struct exc *e, unsigned from_el, const struct exc_route *r, char text[EXC_WORDS])
{
    const char *why;
    if (e->kind != EXC_SYNC) {
        interrupt_words(e, r, text);
        return;
    }
    if (e->ec == EC_HVC || e->ec == EC_SMC)
        why = "that is what the instruction is for";
    else if (e->cause.kind == CAUSE_TRAP)
        why = "the control's target";
    else if (e->has_hpfar && e->target_el == 2)
        why = "stage 2 is EL2's";
    else if (e->external && e->target_el == 3)
        why = "SCR_EL3.EA = 1";
    else if (is_debug_class(e->ec) && e->target_el == 2 && from_el < 2)
        why = bit(r->hcr, HCR_TGE) ? "HCR_EL2.TGE = 1 routes debug exceptions" : "MDCR_EL2.TDE = 1";
    else if (e->target_el == from_el)
        why = "the same EL takes it";
    else if (e->target_el == 1)
        why = r->el2_enabled ? "EL1 takes what comes from EL0 (HCR_EL2.TGE = 0)" : "EL1 takes what comes from EL0";
    else if (e->target_el == 2)
        why = bit(r->hcr, HCR_TGE) ? "HCR_EL2.TGE = 1" : e->external ? "HCR_EL2.TEA = 1" : "it is about EL2's own";
    else
        why = "the only EL that can";
    snprintf(text, EXC_WORDS, "%s", why);
}

static void descriptor_words(const struct exc *e, char *text)
{
    snprintf(text, EXC_WORDS, "stage %u descriptor 0x%llx level %d: %s", e->has_hpfar ? 2 : 1,
             (unsigned long long)e->cause.value, (int)(s32)e->cause.level, fault_rule_text(e->cause.id));
}

/* Causes that are the same each time. */
static const char *const plain[] = {
    [CAUSE_UNALLOCATED] = "no such instruction on this CPU, or not at this EL",
    [CAUSE_ACCESS] = "no such register or operation on this CPU, or not at this EL",
    [CAUSE_INSTRUCTION] = "instruction",
    [CAUSE_ILLEGAL_STATE] = "PSTATE.IL, set by an illegal exception return",
    [CAUSE_STEP] = "MDSCR_EL1.SS",
};

void exc_cause_words(const struct exc *exc, const struct exc_source *source, char text[EXC_WORDS])
{
    const struct cause *c = &exc->cause;
    switch (c->kind) {
    case CAUSE_TRAP: trap_words(c->id, text, EXC_WORDS); break;
    case CAUSE_DESCRIPTOR: descriptor_words(exc, text); break;
    case CAUSE_INPUT_SIZE:
    case CAUSE_EXTERNAL:
        snprintf(text, EXC_WORDS, "stage %u: %s", exc->has_hpfar ? 2 : 1, fault_rule_text(c->id));
        break;
    case CAUSE_TAG: snprintf(text, EXC_WORDS, "%s", fault_rule_text(c->id)); break;
    case CAUSE_ALIGNMENT: snprintf(text, EXC_WORDS, "%s", c->id ? fault_rule_text(c->id) : "alignment"); break;
    case CAUSE_BREAKPOINT:
    case CAUSE_WATCHPOINT:
        snprintf(text, EXC_WORDS, "DBG%cVR%u_EL1, 0x%llx", c->kind == CAUSE_BREAKPOINT ? 'B' : 'W', c->id,
                 (unsigned long long)c->value);
        break;
    case CAUSE_INTERRUPT: {
        char intid[24] = "";
        by_words(exc->kind, source, text, EXC_WORDS - sizeof(intid));
        if (source->intid >= 0)
            snprintf(intid, sizeof(intid), ", INTID %d", source->intid);
        strcat(text, intid);
        break;
    }
    default:
        snprintf(text, EXC_WORDS, "%s", c->kind < ARRAY_LEN(plain) && plain[c->kind] ? plain[c->kind] : "-");
        break;
    }
}
