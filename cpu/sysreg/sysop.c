/*
 * System instructions (cpu/sysreg/sysop.def). Caches hold nothing that memory doesn't (code is kept coherent), so that
 * maintenance only checks what the manual has it check (Arm ARM D7.5.9, C5.3): by VA it is translated, at EL0 needs
 * read permission, and DC IVAC needs write permission; by set and way nothing.
 */
#include "cpu/sysreg/sysop.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/access.h"
#include "mmu/at.h"
#include "mmu/tlb.h"

enum { BROADCAST = 0x80 };

static bool cache_nop(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return (void)cpu, (void)row, (void)value, true;
}

static bool cache_va(struct cpu *cpu, const struct sysop *row, u64 value)
{
    unsigned flags = ACC_CACHE | (row->arg == CACHE_INVALIDATE ? ACC_WRITE : ACC_READ);
    if (row->arg == CACHE_CLEAN_INVALIDATE) { /* FEAT_CMOW: needs write permission, too */
        flags |= cpu->ps.el == 0 && bit(cpu_sctlr(cpu), SCTLR_CMOW) ? ACC_CMOW1 : 0;
        flags |= cpu->ps.el < 2 && bit(cpu_hcrx(cpu), HCRX_CMOW) ? ACC_CMOW2 : 0;
    }
    return mem_probe(cpu, value, 1, flags);
}

/* The FAR of a DC instruction is its argument, not where in the block it failed (D19.2.40). */
static bool cache_zero(struct cpu *cpu, const struct sysop *row, u64 value)
{
    (void)row;
    unsigned size = 4u << (cpu->sys.dczid_el0 & 15);
    if (mem_zero_block(cpu, align_down(value, size), size))
        return true;
    if (cpu->d.exc.has_far)
        cpu->d.exc.far = value;
    return false;
}

/* DC GVA, DC GZVA (arg 1): the block's tags become the address's own. Refused for Device memory as DC ZVA is. */
static bool cache_tags(struct cpu *cpu, const struct sysop *row, u64 value)
{
    unsigned size = 4u << (cpu->sys.dczid_el0 & 15);
    u64 va = align_down(value, size), tags = (value >> 56 & 15) * 0x1111111111111111ull;
    bool ok = mem_probe(cpu, va, 1, ACC_WRITE | ACC_ZVA | ACC_SP);
    for (unsigned at = 0; ok && at < size; at += 256) {
        unsigned left = (size - at) / 16;
        ok = mem_tags_write(cpu, va + at, left > 16 ? 16 : left ? left : 1, tags, row->arg);
    }
    if (!ok && cpu->d.exc.has_far)
        cpu->d.exc.far = value;
    return ok;
}

static bool undefined_op(struct cpu *cpu, u32 key)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS, .id = (u16)key });
    return false;
}

static bool translate(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return at_translate(cpu, (enum at_op)row->arg, value);
}

/* What is EL2's own is UNDEFINED at EL3, too, where EL2 is not enabled; what is EL3's own, where it is not there. */
static bool translate_el2(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return cpu_el2_enabled(cpu) ? translate(cpu, row, value) : undefined_op(cpu, row->key);
}

static bool invalidate(struct cpu *cpu, const struct sysop *row, u64 value)
{
    tlbi(cpu, (enum tlbi_op)(row->arg & ~BROADCAST), value, row->arg & BROADCAST);
    return true;
}

static bool invalidate_range(struct cpu *cpu, const struct sysop *row, u64 value)
{
    tlbi_range(cpu, (enum tlbi_op)(row->arg & ~BROADCAST), value, row->arg & BROADCAST);
    return true;
}

static bool invalidate_el2(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return cpu_el2_enabled(cpu) ? invalidate(cpu, row, value) : undefined_op(cpu, row->key);
}

static bool invalidate_range_el2(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return cpu_el2_enabled(cpu) ? invalidate_range(cpu, row, value) : undefined_op(cpu, row->key);
}

static bool invalidate_el3(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return cpu_has(cpu, FEAT_EL3) ? invalidate(cpu, row, value) : undefined_op(cpu, row->key);
}

static bool invalidate_range_el3(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return cpu_has(cpu, FEAT_EL3) ? invalidate_range(cpu, row, value) : undefined_op(cpu, row->key);
}

/* Without EL2 there is no stage 2: nothing to do at EL3. */
static bool invalidate_ipa(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return !cpu_el2_enabled(cpu) || invalidate(cpu, row, value);
}

static bool invalidate_range_ipa(struct cpu *cpu, const struct sysop *row, u64 value)
{
    return !cpu_el2_enabled(cpu) || invalidate_range(cpu, row, value);
}

enum {
#define SYSOP(NAME, ...) ROW_##NAME,
#include "cpu/sysreg/sysop.def"
    ROW_COUNT
};

const struct sysop sysop_rows[ROW_COUNT] = {
#define SYSOP(NAME, op1, crn, crm, op2, LOWEST, FEATURE, TRAPS, RUN, ARG)                                              \
    { .name = #NAME,                                                                                                   \
      .key = SYSREG_KEY(1, op1, crn, crm, op2),                                                                        \
      .feature = FEAT_##FEATURE,                                                                                       \
      .lowest = (LOWEST),                                                                                              \
      .arg = (ARG),                                                                                                    \
      .quick = LIVE_SET((u128)(TRAPS)) | BIT(TRAP_FGT),                                                                \
      .traps = (TRAPS),                                                                                                \
      .run = RUN },
#include "cpu/sysreg/sysop.def"
};

/* Fine-grained traps, by row. */
static const u16 fgt_of[ROW_COUNT] = {
#define FGT_OP(id, NAME) [ROW_##NAME] = FGT_I_##id,
#include "cpu/sysreg/fgt.def"
};

/* TLBI ...NXS (FEAT_XS) is CRn 9 where the other is CRn 8, and does the same: nothing here takes long. */
enum { CRN = 15 << 7, CRN_TLBI = 8 << 7, CRN_NXS = 9 << 7 };
static bool is_nxs(u32 key) { return (key & CRN) == CRN_NXS; }

const struct sysop *sysop_find(u32 key)
{
    switch (is_nxs(key) ? (key & ~(u32)CRN) | CRN_TLBI : key) {
#define SYSOP(NAME, op1, crn, crm, op2, ...)                                                                           \
    case SYSREG_KEY(1, op1, crn, crm, op2):                                                                            \
        return &sysop_rows[ROW_##NAME];
#include "cpu/sysreg/sysop.def"
    default: return NULL;
    }
}

const struct sysop *sysop_get(unsigned n) { return n < ROW_COUNT ? &sysop_rows[n] : NULL; }
unsigned sysop_number(const struct sysop *row) { return (unsigned)(row - sysop_rows); }
bool sysop_is_cache(const struct sysop *row) { return row->run == cache_va; }
bool sysop_is_zero(const struct sysop *row) { return row->run == cache_zero; }

/* S1_<op1>_C{11,15}_*: IMPLEMENTATION DEFINED, so that HCR_EL2.TIDCP traps what is not there. */
static bool no_such_op(struct cpu *cpu, u32 key, unsigned rt, bool write)
{
    unsigned crn = key >> 7 & 15;
    if ((crn == 11 || crn == 15) && trap_check(cpu, T(TIDCP), write, sysreg_iss(key, rt, write)))
        return false;
    return undefined_op(cpu, key);
}

bool sysop_run(struct cpu *cpu, const struct sysop *row, u32 key, unsigned rt, u64 value)
{
    if (!row)
        return no_such_op(cpu, key, rt, true);
    bool there = cpu_has(cpu, (enum feature)row->feature) && (!is_nxs(key) || cpu_has(cpu, FEAT_XS));
    if (cpu->ps.el < row->lowest || !there) {
        bool nested = cpu->ps.el == 1 && row->lowest == 2 && there && cpu_nvx(cpu);
        if (nested && trap_check_lone(cpu, LONE_NV, true, sysreg_iss(key, rt, true)))
            return false;
        return undefined_op(cpu, key);
    }
    unsigned fgt = is_nxs(key) && bit(cpu_hcrx(cpu), HCRX_FGTnXS) ? 0 : fgt_of[sysop_number(row)];
    u64 asked = LIVE_SET(row->traps) | (fgt ? BIT(TRAP_FGT) : 0);
    if (unlikely(asked & cpu->d.live_traps[cpu->ps.el]) &&
        trap_check_fine(cpu, row->traps, fgt, true, sysreg_iss(key, rt, true)))
        return false;
    return row->run(cpu, row, value);
}

bool sysop_read(struct cpu *cpu, u32 key, unsigned rt) { return no_such_op(cpu, key, rt, false); }
