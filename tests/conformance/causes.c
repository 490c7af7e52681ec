/*
 * Mending causes (causes.h): a trap control by the nearest value of its field that does not trap, a descriptor by one
 * that is valid, accessible and in range, SCTLR_ELx.A by clearing it. Leaves out: input addresses out of range,
 * external aborts, alignment that no control asks for.
 */
#include "tests/conformance/causes.h"

#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"
#include "mmu/walk.h"

/* cpu/sysreg/traps.def: bit v of `values` says that field value v traps. */
static bool mend_trap(struct cpu *cpu, const struct trap_row *row)
{
    u8 *at = (u8 *)&cpu->sys + row->offset;
    u64 control = load_le64(at), now = bits(control, row->hi, row->lo), best = ~(u64)0;
    for (u64 v = 0; v <= ones(row->hi - row->lo + 1u) && v < 16; v++)
        if (!bit(row->values, (unsigned)v) &&
            (best == ~(u64)0 || __builtin_popcountll(v ^ now) < __builtin_popcountll(best ^ now)))
            best = v;
    if (best == ~(u64)0)
        return false;
    store_le64(at, bits_set(control, row->hi, row->lo, best));
    return true;
}

/* Valid, accessed, executable, output below 4 GiB, and of stage 1 with one of the four values of AP. Hierarchical
 * controls are cleared; what else lies in bits 11:2 of a table is ignored. */
static u64 mended_descriptor(u64 d, bool stage2, unsigned rule, u64 perm)
{
    d &= ones(32) & ~(0xf3c0ull | BIT(16)); /* address, SH or PA<51:50>, AP; nT */
    d |= 1 | BIT(10);
    if (rule == RULE_RESERVED || rule == RULE_BLOCK_LEVEL || rule == RULE_BLOCK_NT)
        d |= 2;
    return d | (stage2 ? 3 : perm) << 6;
}

u64 causes_descriptor(const struct cpu *cpu, const struct exc *exc)
{
    struct regime_desc r;
    struct translation t;
    if (exc->cause.kind != CAUSE_DESCRIPTOR)
        return 0;
    regime_describe(cpu, regime_of(cpu, cpu->ps.el), &r);
    if (exc->has_hpfar || !r.stage2)
        return exc->cause.value;
    r.stage1 = 0;
    walk(&r, exc->cause.value, (struct walk_access){ .real_el = cpu->ps.el, .debug = 1 }, NULL, &t);
    return t.ok ? t.pa : exc->cause.value;
}

/* What a permission fault names besides the descriptor: the tables above it, SCTLR_ELx.WXN, SCR_EL3.SIF. */
static void mend_rule(struct cpu *cpu, unsigned rule)
{
    struct sysregs *s = &cpu->sys;
    if (rule == RULE_READ || rule == RULE_WRITE || rule == RULE_EXECUTE) {
        s->tcr_el1 |= 3ull << 41; /* HPD0, HPD1 */
        s->tcr_el2 |= 3ull << 41 | BIT(24);
        s->tcr_el3 |= BIT(24);
    }
    if (rule == RULE_WXN)
        s->sctlr_el1 &= ~BIT(19), s->sctlr_el2 &= ~BIT(19), s->sctlr_el3 &= ~BIT(19);
    if (rule == RULE_SIF)
        s->scr_el3 &= ~BIT(9);
    if (rule == RULE_PAN)
        cpu->ps.pan = 0;
}

static bool mend_descriptor(struct cpu *cpu, const struct exc *exc, causes_bytes *bytes, void *memory, unsigned try)
{
    mend_rule(cpu, exc->cause.id);
    u8 *at = bytes(memory, causes_descriptor(cpu, exc));
    bool stage2 = exc->has_hpfar, big = try & 1;
    u64 d = load_le64(at);
    d = big ? __builtin_bswap64(d) : d;
    d = mended_descriptor(d, stage2, exc->cause.id, try >> 1 & 3);
    store_le64(at, big ? __builtin_bswap64(d) : d);
    return true;
}

static bool mend_alignment(struct cpu *cpu, const struct exc *exc)
{
    if (exc->cause.id != RULE_ALIGN_A)
        return false;
    cpu->sys.sctlr_el1 &= ~BIT(1);
    cpu->sys.sctlr_el2 &= ~BIT(1);
    cpu->sys.sctlr_el3 &= ~BIT(1);
    return true;
}

bool causes_mend(struct cpu *cpu, const struct exc *exc, causes_bytes *bytes, void *memory, unsigned try)
{
    const struct trap_row *row;
    switch (exc->cause.kind) {
    case CAUSE_TRAP: row = trap_get(exc->cause.id); return row && !try && mend_trap(cpu, row);
    case CAUSE_DESCRIPTOR: return try < 8 && mend_descriptor(cpu, exc, bytes, memory, try);
    case CAUSE_ALIGNMENT: return !try && mend_alignment(cpu, exc);
    default: return false;
    }
}

bool causes_differ(const struct exc *before, bool raised, const struct exc *after)
{
    if (!raised)
        return true;
    const struct cause *a = &before->cause, *b = &after->cause;
    return a->kind != b->kind || a->id != b->id || (a->kind == CAUSE_DESCRIPTOR && a->value != b->value);
}
