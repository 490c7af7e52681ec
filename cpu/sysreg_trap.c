/*
 * Trap controls: which rows of cpu/traps.def fire here, and the exception of the one that comes first (Arm ARM D1.3.5;
 * AArch64.SystemAccessTrap, AArch64.WFxTrap, AArch64.AdvSIMDFPAccessTrap of the shared pseudocode).
 * Fine-grained traps (FEAT_FGT) come as rows of their own with the feature that brings them.
 */
#include "cpu/exception.h"
#include "cpu/sysreg.h"

enum { R = 1, W = 2, RW = 3 };
enum { EL0 = 1, EL1 = 2, EL2 = 4, EL3 = 8, ANY_EL = 15, EL01 = 3, EL12 = 6, EL012 = 7 };
enum { HOST0 = 1, E2H = 2, TGE = 4, SECURE = 8, IMO = 16, FMO = 32 };

/* Rows know their group: a ALSO belongs to the last TRAP before it. */
enum {
#define TRAP(id, ...) ROWNUM_##id,
#define ALSO(id, ...) ROWNUM_##id,
#include "cpu/traps.def"
#undef TRAP
    LONE_FIRST, ROW_COUNT = LONE_FIRST + LONE_COUNT
};

#define ROW(ID, REG, FIELD, HI, LO, VALUES, DIR, FROM, TO, EC, NEED, BAR)                                              \
    { .name = FIELD, .id = #ID, .reg = #REG, .hi = (HI), .lo = (LO), .dir = (DIR), .from = (FROM),                     \
      .to = (TO) == EL1 ? 1 : (TO) == EL2 ? 2 : 3, .ec = EC_##EC, .need = (NEED), .bar = (BAR),                        \
      .offset = offsetof(struct sysregs, REG), .values = (VALUES) },
static const struct trap_row rows[ROW_COUNT] = {
#define TRAP(...) ROW(__VA_ARGS__)
#define ALSO(...) ROW(__VA_ARGS__)
#include "cpu/traps.def"
#undef TRAP
#define TRAP(...)
#define LONE(...) ROW(__VA_ARGS__)
#include "cpu/traps.def"
#undef TRAP
};

/* First row of each group. */
static const u8 group_first[] = {
#define TRAP(id, ...) ROWNUM_##id,
#include "cpu/traps.def"
#undef TRAP
    LONE_FIRST
};

const struct trap_row *trap_get(unsigned n) { return n < ROW_COUNT ? &rows[n] : NULL; }

static unsigned conditions(const struct cpu *cpu, unsigned el)
{
    u64 hcr = cpu_hcr(cpu);
    unsigned c = cpu_is_secure_below_el3(cpu) ? SECURE : 0;
    if (bit(hcr, 34))
        c |= E2H;
    if (bit(hcr, 27))
        c |= TGE;
    if (el == 0 && (c & (E2H | TGE)) == (E2H | TGE))
        c |= HOST0;
    if (bit(hcr, 4))
        c |= IMO;
    if (bit(hcr, 3))
        c |= FMO;
    return c;
}

static bool row_fires(const struct cpu *cpu, const struct trap_row *row, unsigned el, unsigned c, bool el2)
{
    if (!bit(row->from, el) || (row->need & ~c) || (row->bar & c) || (row->to == 2 && !el2))
        return false;
    u64 control;
    memcpy(&control, (const u8 *)&cpu->sys + row->offset, sizeof control);
    return bit(row->values, (unsigned)bits(control, row->hi, row->lo)) && (row->to != 3 || cpu_has(cpu, FEAT_EL3));
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
    return group_fires(cpu, group, el, conditions(cpu, el), cpu_el2_enabled(cpu));
}

u64 trap_live(const struct cpu *cpu, unsigned el)
{
    unsigned c = conditions(cpu, el);
    bool el2 = cpu_el2_enabled(cpu);
    bool elsewhere = el == 2 ? c & E2H : el == 1 && cpu_nvx(cpu) > NVX_NV;
    u64 live = TRAPS_VALID | (el < 3 ? BIT(TRAP_AT_EL0 + el) : 0) | (elsewhere ? T(E2H) : 0);
    for (unsigned group = 0; group < ARRAY_LEN(group_first) - 1; group++)
        live |= group_fires(cpu, group, el, c, el2) ? BIT(group) : 0;
    return live;
}

void trap_forget(struct cpu *cpu)
{
    for (unsigned el = 0; el < 4; el++) {
        cpu->d.live_traps[el] = TRAPS_UNKNOWN;
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
    bool tge = row->to == 1 && cpu_el2_enabled(cpu) && bit(cpu->sys.hcr_el2, 27);
    unsigned target = tge ? 2 : row->to;
    if (row->ec == EC_FP_TRAP && tge)
        exc_sync(cpu, EC_UNKNOWN, 0, 2, cause);
    else
        exc_sync(cpu, row->ec, row->ec == EC_FP_TRAP ? ISS_COND_AL : iss, target, cause);
    return true;
}

bool trap_check(struct cpu *cpu, u64 groups, bool write, u32 iss)
{
    trap_learn(cpu);
    unsigned el = cpu->ps.el, c = conditions(cpu, el), dir = write ? W : R;
    bool el2 = cpu_el2_enabled(cpu);
    const struct trap_row *best = NULL;
    for (groups &= ones(ARRAY_LEN(group_first) - 1); groups; groups &= groups - 1) {
        unsigned group = (unsigned)__builtin_ctzll(groups);
        for (unsigned n = group_first[group]; n < group_first[group + 1]; n++) {
            if ((rows[n].dir & dir) && row_fires(cpu, &rows[n], el, c, el2) && (!best || rows[n].to < best->to))
                best = &rows[n];
        }
    }
    return best && trap_take(cpu, best, iss);
}

bool trap_check_lone(struct cpu *cpu, enum trap_lone id, bool write, u32 iss)
{
    const struct trap_row *row = &rows[LONE_FIRST + id];
    unsigned el = cpu->ps.el;
    return row->dir & (write ? W : R) && row_fires(cpu, row, el, conditions(cpu, el), cpu_el2_enabled(cpu)) &&
           trap_take(cpu, row, iss);
}
