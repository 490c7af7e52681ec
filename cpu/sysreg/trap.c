/*
 * Trap controls: which rows of cpu/sysreg/traps.def fire here, and the exception of the one that comes first (Arm ARM
 * D1.3.5; AArch64.SystemAccessTrap, AArch64.WFxTrap, AArch64.AdvSIMDFPAccessTrap of the shared pseudocode).
 * Fine-grained traps (FEAT_FGT, cpu/sysreg/fgt.def) are rows like the others, but at most one for an access.
 */
#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg/sysreg.h"

enum { R = 1, W = 2, RW = 3 };
enum { EL0 = 1, EL1 = 2, EL2 = 4, EL3 = 8, ANY_EL = 15, EL01 = 3, EL12 = 6, EL012 = 7 };
enum { HOST0 = 1, E2H = 2, TGE = 4, SECURE = 8, IMO = 16, FMO = 32, FGTEN = 64, HAS_EL3 = 128, HXEN_ON = 256, HAS_FGT = 512 };

#define ROW(ID, REG, FIELD, HI, LO, VALUES, DIR, FROM, TO, EC, NEED, BAR, FEATURE)                                     \
    { .name = FIELD, .id = #ID, .reg = #REG, .hi = (HI), .lo = (LO), .dir = (DIR), .from = (FROM),                     \
      .to = (TO) == EL1 ? 1 : (TO) == EL2 ? 2 : 3, .ec = EC_##EC, .need = (NEED), .bar = (BAR),                        \
      .offset = offsetof(struct sysregs, REG), .values = (VALUES), .feature = (FEATURE) },
static const struct trap_row rows[TRAPROW_COUNT] = {
#define TRAP(...) ROW(__VA_ARGS__, FEAT_BASE)
#define ALSO(...) ROW(__VA_ARGS__, FEAT_BASE)
#include "cpu/sysreg/traps.def"
#define LONE(...) ROW(__VA_ARGS__, FEAT_BASE)
#include "cpu/sysreg/traps.def"
#define FGT_DIR_R R
#define FGT_DIR_W W
#define FGT_DIR_I RW
#define FGT_ROW(DIRECTION, ID, REG, FIELD, AT, FEATURE, EC)                                                            \
    ROW(ID, REG, FIELD, AT, AT, 2, FGT_DIR_##DIRECTION, EL01, EL2, EC, FGTEN, HOST0, FEAT_##FEATURE)
#include "cpu/sysreg/fgt.def"
};
static_assert(TRAPROW_COUNT <= 0xffff, "cause.id is a u16");

/* First row of each group: an ALSO belongs to the last TRAP before it. */
enum { GROUPS = TRAP_COUNT - TRAP_FIRST };
static const u16 group_first[GROUPS + 1] = {
#define TRAP(id, ...) TRAPROW_##id,
#include "cpu/sysreg/traps.def"
    LONE_FIRST
};

const struct trap_row *trap_get(unsigned n) { return n < TRAPROW_COUNT ? &rows[n] : NULL; }

/* SCR_EL3.FGTEn: the fine-grained traps count (where there is no EL3, always). */
static bool fgt_enabled(const struct cpu *cpu)
{
    return cpu_has(cpu, FEAT_FGT) && cpu_el2_enabled(cpu) &&
           (!cpu_has(cpu, FEAT_EL3) || bit(cpu->sys.scr_el3, SCR_FGTEn));
}

/* Has HFGRTR_EL2 or one of its kin a bit set that traps? Those that trap when they are 0 (names in n) are groups of
 * cpu/sysreg/traps.def. */
static bool fgt_live(const struct cpu *cpu, unsigned el, unsigned c)
{
    const struct sysregs *s = &cpu->sys;
    return el < 2 && (c & FGTEN) && !(c & HOST0) &&
           ((s->hfgrtr_el2 & ~(u64)LAYOUT_VARIES_hfgrtr_el2) | (s->hfgwtr_el2 & ~(u64)LAYOUT_VARIES_hfgwtr_el2) |
            s->hfgitr_el2 | s->hdfgrtr_el2 | s->hdfgwtr_el2);
}

static unsigned conditions(const struct cpu *cpu, unsigned el)
{
    u64 hcr = cpu_hcr(cpu);
    unsigned c = (cpu_is_secure_below_el3(cpu) ? SECURE : 0) | (cpu_has(cpu, FEAT_EL3) ? HAS_EL3 : 0);
    if (bit(hcr, HCR_E2H))
        c |= E2H;
    if (bit(hcr, HCR_TGE))
        c |= TGE;
    if (el == 0 && (c & (E2H | TGE)) == (E2H | TGE))
        c |= HOST0;
    if (bit(hcr, HCR_IMO))
        c |= IMO;
    if (bit(hcr, HCR_FMO))
        c |= FMO;
    if (fgt_enabled(cpu))
        c |= FGTEN;
    if (cpu_has(cpu, FEAT_FGT))
        c |= HAS_FGT;
    if (!(c & HAS_EL3) || bit(cpu->sys.scr_el3, SCR_HXEn))
        c |= HXEN_ON;
    return c;
}

static ALWAYS_INLINE bool row_counts(const struct trap_row *row, unsigned el, unsigned c, bool el2)
{
    return bit(row->from, el) && !(row->need & ~c) && !(row->bar & c) && (row->to != 2 || el2);
}

static bool row_fires(const struct cpu *cpu, const struct trap_row *row, unsigned el, unsigned c, bool el2)
{
    if (!row_counts(row, el, c, el2))
        return false;
    u64 control;
    memcpy(&control, (const u8 *)&cpu->sys + row->offset, sizeof control);
    return bit(row->values, (unsigned)bits(control, row->hi, row->lo)) && (row->to != 3 || cpu_has(cpu, FEAT_EL3));
}

bool trap_counts(const struct cpu *cpu, unsigned n, unsigned el)
{
    const struct trap_row *row = trap_get(n);
    return row && cpu_has(cpu, row->feature) && row_counts(row, el, conditions(cpu, el), cpu_el2_enabled(cpu)) &&
           (row->to != 3 || cpu_has(cpu, FEAT_EL3));
}

bool trap_armed(const struct cpu *cpu, unsigned n, unsigned el)
{
    const struct trap_row *row = trap_get(n);
    return row && cpu_has(cpu, row->feature) && row_fires(cpu, row, el, conditions(cpu, el), cpu_el2_enabled(cpu));
}

static bool group_fires(const struct cpu *cpu, unsigned group, unsigned el, unsigned c, bool el2)
{
    for (unsigned n = group_first[group]; n < group_first[group + 1]; n++)
        if (row_fires(cpu, &rows[n], el, c, el2))
            return true;
    return false;
}

bool trap_group_live(const struct cpu *cpu, unsigned el, enum trap group)
{
    return group_fires(cpu, group - TRAP_FIRST, el, conditions(cpu, el), cpu_el2_enabled(cpu));
}

u64 trap_live(const struct cpu *cpu, unsigned el)
{
    unsigned c = conditions(cpu, el);
    bool el2 = cpu_el2_enabled(cpu);
    bool elsewhere = el == 2 ? c & E2H : el == 1 && cpu_nvx(cpu) > NVX_NV;
    u64 live = TRAPS_VALID | (el < 3 ? BIT(TRAP_AT_EL0 + el) : 0) | (elsewhere ? BIT(TRAP_E2H) : 0) |
               (fgt_live(cpu, el, c) ? BIT(TRAP_FGT) : 0);
    for (unsigned group = 0, id = TRAP_FIRST; group < GROUPS; group++, id++)
        live |= group_fires(cpu, group, el, c, el2) ? BIT(id < TRAP_RARE_FIRST ? id : (unsigned)TRAP_RARE) : 0;
    return live;
}

void trap_forget(struct cpu *cpu)
{
    for (unsigned el = 0; el < 4; el++) {
        cpu->d.live_traps[el] = TRAPS_UNKNOWN;
        cpu->d.el_known[el] = 0;
        cpu->d.trap_misses[el] = 0;
    }
}

/* A world switch writes a dozen controls in a row: finding the whole set pays after a few accesses only. */
void trap_learn(struct cpu *cpu)
{
    enum { ENOUGH = 16 };
    unsigned el = cpu->ps.el;
    if (unlikely(cpu->d.live_traps[el] == TRAPS_UNKNOWN) && ++cpu->d.trap_misses[el] >= ENOUGH)
        cpu->d.live_traps[el] = trap_live(cpu, el);
}

/* AArch64.AdvSIMDFPAccessTrap: what EL0 does under TGE is UNDEFINED to EL2, not an FP trap. */
static bool trap_take(struct cpu *cpu, const struct trap_row *row, u32 iss)
{
    struct cause cause = { .kind = CAUSE_TRAP, .id = (u16)(row - rows) };
    memcpy(&cause.value, (const u8 *)&cpu->sys + row->offset, sizeof cause.value);
    bool tge = row->to == 1 && cpu_el2_enabled(cpu) && bit(cpu->sys.hcr_el2, HCR_TGE);
    unsigned target = tge ? 2 : row->to;
    if (row->ec == EC_FP_TRAP && tge)
        exc_sync(cpu, EC_UNKNOWN, 0, 2, cause);
    else
        exc_sync(cpu, row->ec, row->ec == EC_FP_TRAP ? ISS_COND_AL : iss, target, cause);
    return true;
}

bool trap_check_fine(struct cpu *cpu, u128 groups, unsigned fgt, bool write, u32 iss)
{
    trap_learn(cpu);
    unsigned el = cpu->ps.el, c = conditions(cpu, el), dir = write ? W : R;
    bool el2 = cpu_el2_enabled(cpu);
    const struct trap_row *best = NULL;
    groups >>= TRAP_FIRST;
    for (unsigned half = 0; half < 128; half += 64)
        for (u64 set = (u64)(groups >> half); set; set &= set - 1) {
            unsigned group = half + (unsigned)__builtin_ctzll(set);
            for (unsigned n = group_first[group]; n < group_first[group + 1]; n++)
                if ((rows[n].dir & dir) && row_fires(cpu, &rows[n], el, c, el2) && (!best || rows[n].to < best->to))
                    best = &rows[n];
        }
    if (fgt && (!best || best->to > 2) && row_fires(cpu, &rows[fgt], el, c, el2))
        best = &rows[fgt];
    return best && trap_take(cpu, best, iss);
}

bool trap_check(struct cpu *cpu, u128 groups, bool write, u32 iss)
{
    return trap_check_fine(cpu, groups, 0, write, iss);
}

bool trap_check_lone(struct cpu *cpu, enum trap_lone id, bool write, u32 iss)
{
    const struct trap_row *row = &rows[LONE_FIRST + id];
    unsigned el = cpu->ps.el;
    return row->dir & (write ? W : R) && row_fires(cpu, row, el, conditions(cpu, el), cpu_el2_enabled(cpu)) &&
           trap_take(cpu, row, iss);
}
