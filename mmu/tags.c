/*
 * Allocation tags (FEAT_MTE2): which accesses are checked, the check, and accesses to the tags themselves (Arm ARM
 * D10.3, D10.4; AArch64.AccessIsTagChecked, AArch64.CheckTag, EffectiveTCF, AArch64.ReportTagCheckFault,
 * AArch64.MemTag[] of the shared pseudocode). Whether the instruction is one that checks is the caller's to say
 * (ACC_SP). What the instructions make of tags is in cpu/ops/mte_lib.c.
 */
#include "mmu/tags.h"

#include "cpu/field.h"
#include "mmu/access_internal.h"

/* ---- who may use them, and who checks ---- */

enum { TCF_NONE, TCF_SYNC, TCF_ASYNC, TCF_ASYMMETRIC };

static bool is_host(const struct cpu *cpu)
{
    u64 hcr = cpu_hcr(cpu);
    return bit(hcr, HCR_E2H) && bit(hcr, HCR_TGE);
}

static u64 sctlr_of(const struct cpu *cpu, unsigned el)
{
    const struct sysregs *s = &cpu->sys;
    return el == 3 ? s->sctlr_el3 : el == 2 || (el == 0 && is_host(cpu)) ? s->sctlr_el2 : s->sctlr_el1;
}

static bool enabled_at(const struct cpu *cpu, unsigned el)
{
    if (!cpu_has(cpu, FEAT_MTE2) || (el < 3 && cpu_has(cpu, FEAT_EL3) && !bit(cpu->sys.scr_el3, SCR_ATA)))
        return false;
    if (el < 2 && cpu_el2_enabled(cpu) && !is_host(cpu) && !bit(cpu->sys.hcr_el2, HCR_ATA))
        return false;
    return bit(sctlr_of(cpu, el), el ? 43 : 42);
}

bool tags_enabled(const struct cpu *cpu, bool el0) { return enabled_at(cpu, el0 ? 0 : cpu->ps.el); }

static unsigned tcf_at(const struct cpu *cpu, unsigned el)
{
    u64 sctlr = sctlr_of(cpu, el);
    unsigned tcf = (unsigned)(el ? FIELD_OF(sctlr, SCTLR_TCF) : FIELD_OF(sctlr, SCTLR_TCF0));
    return tcf == TCF_ASYMMETRIC && !cpu_has(cpu, FEAT_MTE3) ? TCF_NONE : tcf;
}

bool tags_may_check(const struct cpu *cpu, unsigned el)
{
    if (!cpu_has(cpu, FEAT_MTE2))
        return false;
    unsigned top = el ? el : is_host(cpu) ? 2 : 1; /* EL0 shares its regime */
    bool with_el0 = top == 1 || (top == 2 && is_host(cpu));
    return (enabled_at(cpu, top) && tcf_at(cpu, top)) || (with_el0 && enabled_at(cpu, 0) && tcf_at(cpu, 0));
}

/* TBI, and TCMA for the tags 0b0000 in the lower range and 0b1111 in the upper one. */
static bool address_is_checked(struct cpu *cpu, u64 va)
{
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    bool dual = v->regime == REGIME_EL10 || v->regime == REGIME_EL20, high = bit(va, 55);
    u64 tcr = v->config.tcr, key = va >> 55 & 31;
    if (!bit(tcr, !dual ? 20 : high ? 38 : 37))
        return false;
    bool tcma = bit(tcr, !dual ? 30 : high ? 58 : 57);
    return !(tcma && (key == 0 || key == 31));
}

/* TFSR_ELx.TF0 or TF1, TFSRE0_EL1. */
static void note(struct cpu *cpu, unsigned el, u64 va)
{
    struct sysregs *s = &cpu->sys;
    u64 *tfsr = el == 0 ? &s->tfsre0_el1 : el == 1 ? &s->tfsr_el1 : el == 2 ? &s->tfsr_el2 : &s->tfsr_el3;
    *tfsr |= el == 3 ? 1 : BIT(bit(va, 55));
}

/* Do the tags of `size` bytes at pa match va's? False: a Tag Check Fault at *fault_va is to be raised; an asynchronous
 * one is noted and passes. */
static bool matches(struct cpu *cpu, u64 va, u64 pa, struct phys_attrs attrs, unsigned size, bool el0, bool read,
                    u64 *fault_va)
{
    unsigned el = el0 ? 0 : cpu->ps.el, tcf = tcf_at(cpu, el);
    if (tcf == TCF_NONE || cpu->ps.tco || !enabled_at(cpu, el) || !address_is_checked(cpu, va))
        return true;
    for (u64 at = 0; at < size; at = align_down(pa + at, 16) + 16 - pa) {
        u64 tag = 0;
        phys_read(cpu->d.host.phys, tag_pa(pa + at), 1, attrs, &tag);
        if ((tag & 15) == (va >> 56 & 15))
            continue;
        *fault_va = va + at;
        if (tcf == TCF_SYNC || (tcf == TCF_ASYMMETRIC && read))
            return false;
        note(cpu, el, va);
    }
    return true;
}

bool tags_check(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags)
{
    u64 fault_va;
    if (flags & (ACC_CACHE | ACC_SP | ACC_TAGS | ACC_NV2))
        return true;
    bool write = flags & ACC_WRITE, read = !write || flags & ACC_RMW;
    if (likely(matches(cpu, va, p->pa, p->attrs, size, access_as_el0(cpu, flags), read, &fault_va)))
        return true;
    struct fault f = { .kind = FAULT_TAG,
                       .rule = RULE_TAG,
                       .fsc = 0x11,
                       .wnr = write && !(flags & ACC_RMW),
                       .regime = mmu_view(cpu, cpu->ps.el)->regime };
    return access_raise_fault(cpu, &f, fault_va, flags);
}

/* ---- accesses to tags ---- */

struct mem_val mem_tags_read(struct cpu *cpu, u64 va, unsigned granules)
{
    struct mem_val r = { 0, true };
    for (unsigned n = 0; n < granules; n++) {
        struct place p;
        u64 tag = 0;
        if (!access_translate(cpu, va + n * 16, ACC_READ | ACC_TAGS, false, &p) ||
            !access_unwatched(cpu, va + n * 16, 16, ACC_READ | ACC_TAGS))
            return (struct mem_val){ 0, false };
        if (p.entry->perm & TLB_TAGGED && tags_enabled(cpu, cpu->ps.el == 0))
            phys_read(cpu->d.host.phys, tag_pa(p.pa), 1, p.attrs, &tag);
        r.v |= (tag & 15) << 4 * n;
    }
    return r;
}

bool mem_tags_probe(struct cpu *cpu, u64 va)
{
    return va & 15 ? access_raise(cpu, FAULT_ALIGNMENT, RULE_ALIGN_ATOMIC, va, ACC_WRITE) : true;
}

bool mem_tags_write(struct cpu *cpu, u64 va, unsigned granules, u64 tags, bool zero)
{
    struct place p[16];
    assert(granules && granules <= 16);
    if (!mem_tags_probe(cpu, va))
        return false;
    for (unsigned n = 0; n < granules; n++)
        if (!access_translate(cpu, va + n * 16, ACC_WRITE | ACC_TAGS, false, &p[n]) ||
            !access_unwatched(cpu, va + n * 16, 16, ACC_WRITE | ACC_TAGS))
            return false;
    for (unsigned n = 0; n < granules; n++) {
        if (zero && !phys_zero(cpu->d.host.phys, p[n].pa, 16, p[n].attrs))
            return access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va + n * 16, ACC_WRITE);
        if (zero)
            access_observe(cpu, va + n * 16, p[n].pa, 16, true, 0);
        if (p[n].entry->perm & TLB_TAGGED && tags_enabled(cpu, cpu->ps.el == 0))
            phys_write(cpu->d.host.phys, tag_pa(p[n].pa), 1, p[n].attrs, tags >> 4 * n & 15);
    }
    return true;
}

bool mem_granules_probe(struct cpu *cpu, u64 va, u64 size)
{
    if (!(size & 15) && (!size || !(va & 15)))
        return true;
    return access_raise(cpu, FAULT_ALIGNMENT, RULE_ALIGN_ATOMIC, va, ACC_WRITE);
}

bool mem_granule_set(struct cpu *cpu, u64 va, u8 value, unsigned flags)
{
    struct place p;
    u64 eight = value * 0x0101010101010101ull;
    flags |= ACC_WRITE | ACC_TAGS;
    if (!access_translate(cpu, va, flags, false, &p) || !access_unwatched(cpu, va, 16, flags))
        return false;
    for (unsigned at = 0; at < 16; at += 8) {
        if (!phys_write(cpu->d.host.phys, p.pa + at, 8, p.attrs, eight))
            return access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
        access_observe(cpu, va + at, p.pa + at, 8, true, eight);
    }
    if (p.entry->perm & TLB_TAGGED && tags_enabled(cpu, cpu->ps.el == 0 || flags & ACC_UNPRIV))
        phys_write(cpu->d.host.phys, tag_pa(p.pa), 1, p.attrs, bits(va, 59, 56));
    return true;
}
