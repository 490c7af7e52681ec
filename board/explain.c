/* What may be behind a loop of exceptions: registers that were never written, semihosting that is off... Hints, in
 * sentences; the exceptions themselves are in the words of cpu/exception/words.c. */
#include "board/explain.h"

#include "cpu/exception/words.h"
#include "cpu/field.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"

#include <stdio.h>

/* What a hint looks at: the loop, or what began it. */
struct look {
    const struct machine *m;
    const struct cpu *cpu;
    const struct loop_seen *e;
};

static u64 sctlr_of(const struct cpu *cpu, unsigned el)
{
    return el == 3 ? cpu->sys.sctlr_el3 : el == 2 ? cpu->sys.sctlr_el2 : cpu->sys.sctlr_el1;
}

static u32 word_at(const struct look *k)
{
    struct phys *phys = k->cpu->d.host.phys;
    u64 pa, word = 0;
    if (!mmu_debug_translate(k->cpu, k->e->pc, k->e->el, &pa, NULL, NULL) ||
        !phys_find(phys, pa, (struct phys_attrs){ .ns = 1 }) ||
        !phys_read(phys, pa, 4, (struct phys_attrs){ .ns = 1 }, &word))
        return 0;
    return (u32)word;
}

static bool is_abort(const struct look *k)
{
    return k->e->kind == EXC_SYNC && fault_has_address(k->e->ec) && k->e->ec != EC_PC_ALIGN;
}

static bool translates(const struct look *k) { return is_abort(k) && bit(sctlr_of(k->cpu, k->e->target), SCTLR_M); }

static bool on_stack(const struct look *k)
{
    u64 sp = k->cpu->x[REG_SP];
    return sp == k->cpu->d.host.unknown &&
           (k->e->ec == EC_SP_ALIGN || (k->e->ec == EC_DABT_SAME && k->e->far - sp + 0x1000 < 0x2000));
}

static bool flat_alignment(const struct look *k)
{
    return is_abort(k) && (k->e->ec == EC_DABT_LOWER || k->e->ec == EC_DABT_SAME) && (k->e->iss & 0x3f) == 0x21 &&
           !bit(sctlr_of(k->cpu, k->e->target), SCTLR_M) && !bit(sctlr_of(k->cpu, k->e->target), SCTLR_A);
}

static bool is_undefined(const struct look *k) { return k->e->kind == EXC_SYNC && k->e->ec == EC_UNKNOWN; }

static bool semihosting_off(const struct look *k)
{
    return is_undefined(k) && !k->m->options.semihosting && word_at(k) == 0xd45e0000; /* HLT #0xf000 */
}
/* SMC #0 and HVC #0, as PSCI is called, where there is no EL3 or EL2 to take them. */
static bool smc_for_psci(const struct look *k)
{
    return is_undefined(k) && k->m->conduit == CONDUIT_HVC && word_at(k) == 0xd4000003;
}
static bool hvc_for_psci(const struct look *k)
{
    return is_undefined(k) && k->m->conduit == CONDUIT_SMC && word_at(k) == 0xd4000002;
}
static bool fp_off(const struct look *k) { return k->e->kind == EXC_SYNC && k->e->ec == EC_FP_TRAP; }
static bool always(const struct look *k) { return (void)k, true; }

/* Registers that a kind of exception hangs on, where they were never written; by the EL that takes it. */
static const struct {
    u32 key[4];
    bool (*applies)(const struct look *k);
} registers[] = {
#define BY_EL(op0, crn, crm, op2)                                                                                      \
    {                                                                                                                  \
        0, SYSREG_KEY(op0, 0, crn, crm, op2), SYSREG_KEY(op0, 4, crn, crm, op2), SYSREG_KEY(op0, 6, crn, crm, op2)     \
    }
    { BY_EL(3, 12, 0, 0), always },     /* VBAR */
    { BY_EL(3, 2, 0, 0), translates },  /* TTBR0 */
    { BY_EL(3, 2, 0, 2), translates },  /* TCR */
    { BY_EL(3, 10, 2, 0), translates }, /* MAIR */
    { { 0, SYSREG_KEY(3, 0, 1, 0, 2), SYSREG_KEY(3, 4, 1, 1, 2), SYSREG_KEY(3, 6, 1, 1, 2) },
      fp_off }, /* CPACR, CPTR */
#undef BY_EL
};

/* op1 of a system instruction that is UNDEFINED; 8: it is none. */
static unsigned undefined_op1(const struct look *k)
{
    u32 word = is_undefined(k) ? word_at(k) : 0;
    return (word & 0xffc80000) == 0xd5080000 ? (unsigned)bits(word, 18, 16) : 8;
}
static bool wants_el2(const struct look *k)
{
    unsigned op1 = undefined_op1(k);
    return !k->m->options.virtualization && (op1 == 4 || op1 == 5);
}
static bool wants_el3(const struct look *k) { return !k->m->options.secure && undefined_op1(k) == 6; }

static const struct {
    bool (*applies)(const struct look *k);
    const char *text;
} hints[] = {
    { on_stack, "the stack pointer holds what reset gave it" },
    { flat_alignment,
      "the MMU is off (SCTLR_ELx.M is 0), so that data is Device memory, where unaligned accesses fault "
      "(-cpu ...,mmu-off-align=off lets them be made)" },
    { semihosting_off, "that is a semihosting call (HLT #0xf000), and semihosting is off (-semihosting)" },
    { wants_el2,
      "that is a register or an instruction of EL2, which this machine does not have (-M virtualization=on)" },
    { wants_el3, "that is a register of EL3, which this machine does not have (-M secure=on)" },
    { smc_for_psci, "that is SMC, and PSCI is called by HVC here (the device tree says so)" },
    { hvc_for_psci, "that is HVC, and PSCI is called by SMC here (the device tree says so)" },
};

void explain_hints(const struct machine *m, const struct cpu *cpu, char *text, size_t size)
{
    const struct loop_watch *w = &m->turns[cpu->index].loop;
    const struct look looks[] = { { m, cpu, &w->first }, { m, cpu, &w->last } };
    size_t used = 0;
    text[0] = 0;
    for (unsigned n = 0; n < ARRAY_LEN(registers) && used < size; n++) {
        const struct sysreg *row = sysreg_find(registers[n].key[w->last.target & 3]);
        bool applies = registers[n].applies(&looks[0]) || registers[n].applies(&looks[1]);
        if (applies && row && sysreg_is_untouched(cpu, row))
            used += (size_t)snprintf(text + used, size - used, "; %s was never written since reset, it is 0x%llx",
                                     row->name, (unsigned long long)load_le64((const u8 *)&cpu->sys + row->offset));
    }
    for (unsigned n = 0; n < ARRAY_LEN(hints) && used < size; n++)
        if (hints[n].applies(&looks[0]) || hints[n].applies(&looks[1]))
            used += (size_t)snprintf(text + used, size - used, "; %s", hints[n].text);
}

const char *explain_entry(const struct machine *m)
{
    static const char *const words[] = {
        [1] = "it was entered at EL1 (-M virtualization=on enters at EL2, secure=on at EL3)",
        [2] = "it was entered at EL2 (without -M virtualization=on it is EL1, with secure=on EL3)",
        [3] = "it was entered at EL3 (without -M secure=on it is EL2 or EL1)",
    };
    return words[m->entry_el & 3] ? words[m->entry_el & 3] : "";
}

bool explain_circles(const struct cpu *cpu)
{
    struct loop_seen here = { .pc = cpu->pc, .el = cpu->ps.el };
    struct look k = { cpu->d.host.machine, cpu, &here };
    return word_at(&k) == 0x14000000; /* B to itself */
}
