/*
 * The performance monitors: a cycle counter and PMU_COUNTERS event counters (Arm ARM D13; of the shared pseudocode
 * CountPMUEvents, CheckForPMUOverflow, AArch64.IncrementEventCounter; registers D19.5). FEAT_PMUv3 with p1, p4, p5, p7.
 *
 * A cycle is an instruction (an attempt that faults is one, too), so that counters need no work while they count: their
 * fields hold the value at cpu->pmu_mark, an instruction count, and cpu->pmu_counting says which have been counting
 * since (pmu_settle adds what passed). An exception settles only while the EL matters to a counter that is enabled, or
 * an event is about exceptions: d.pmu_hot. INST_RETIRED leaves out attempts that did not complete. An overflow ends the
 * slice of the PE, as a timer's condition does; its flag is exact when software looks.
 *
 * Choices (docs/choices.md): EXC_TAKEN counts at the EL that the exception is taken from; event numbers that are not in
 * cpu/sysreg/pmu.def count nothing.
 */
#include "cpu/sysreg/pmu.h"

#include "cpu/exception.h"
#include "cpu/sysreg/hooks.h"

enum kind { KIND_NEVER, KIND_SOFTWARE, KIND_RETIRED, KIND_ENTRIES, KIND_RETURNS, KIND_CYCLES, KIND_OVERFLOWS };
static const struct event {
    u16 number, kind, feature;
} events[] = {
#define PMU_EVENT(number, name, kind, feature) { number, KIND_##kind, FEAT_##feature },
#include "cpu/sysreg/pmu.def"
};

enum { CYCLE_COUNTER = 31 };
enum { FILTER_P = 31, FILTER_U = 30, FILTER_NSK = 29, FILTER_NSU = 28, FILTER_NSH = 27, FILTER_M = 26, FILTER_SH = 24 };

/* ---- the counters ---- */

enum { EV_STRIDE = offsetof(struct sysregs, pmevcntr1_el0) - offsetof(struct sysregs, pmevcntr0_el0) };
static_assert((int)EV_STRIDE == 16 &&
                  offsetof(struct sysregs, pmevtyper0_el0) == offsetof(struct sysregs, pmevcntr0_el0) + 8,
              "a counter and its type, in the order of cpu/sysreg/sysreg.def");

static u64 *counter_of(struct cpu *cpu, unsigned n)
{
    if (n == CYCLE_COUNTER)
        return &cpu->sys.pmccntr_el0;
    return (u64 *)(void *)((u8 *)&cpu->sys + offsetof(struct sysregs, pmevcntr0_el0) + n * EV_STRIDE);
}

static u64 type_of(const struct cpu *cpu, unsigned n)
{
    if (n == CYCLE_COUNTER)
        return cpu->sys.pmccfiltr_el0;
    return load_le64((const u8 *)&cpu->sys + offsetof(struct sysregs, pmevtyper0_el0) + n * EV_STRIDE);
}

static enum kind kind_of(const struct cpu *cpu, unsigned n)
{
    if (n == CYCLE_COUNTER)
        return KIND_CYCLES;
    u64 number = type_of(cpu, n) & (cpu_has(cpu, FEAT_PMUP1) ? 0xffff : 0x3ff);
    for (unsigned k = 0; k < ARRAY_LEN(events); k++)
        if (events[k].number == number && cpu_has(cpu, (enum feature)events[k].feature))
            return (enum kind)events[k].kind;
    return KIND_NEVER;
}

/* Effective MDCR_EL2.HPMN: from there on the event counters are EL2's. */
static unsigned first_of_el2(const struct cpu *cpu)
{
    unsigned hpmn = cpu->sys.mdcr_el2 & 31;
    return cpu_has(cpu, FEAT_EL2) && hpmn < PMU_COUNTERS ? hpmn : (unsigned)PMU_COUNTERS;
}

static u32 el2_set(const struct cpu *cpu) { return (u32)(ones(PMU_COUNTERS) & ~ones(first_of_el2(cpu))); }
static u32 low_set(const struct cpu *cpu) { return (u32)ones(first_of_el2(cpu)); }

/* Enabled by PMCNTENSET and by PMCR_EL0.E, or MDCR_EL2.HPME for EL2's. */
static u32 enabled_set(const struct cpu *cpu)
{
    u32 set = (u32)cpu->sys.pmcnten & (u32)PMU_MASK, el2 = el2_set(cpu);
    return set & ((bit(cpu->sys.pmcr_el0, PMCR_E) ? ~el2 : 0) | (bit(cpu->sys.mdcr_el2, MDCR_HPME) ? el2 : 0));
}

/* ---- who counts where (CountPMUEvents) ---- */

/* Is counting events prohibited at `el`? For the cycle counter PMCR_EL0.DP says whether that matters. */
static bool is_prohibited(const struct cpu *cpu, unsigned n, unsigned el, bool secure)
{
    const u64 mdcr3 = cpu->sys.mdcr_el3;
    bool el2s = n != CYCLE_COUNTER && n >= first_of_el2(cpu), p7 = cpu_has(cpu, FEAT_PMUP7);
    bool spme = bit(mdcr3, MDCR_EL3_SPME), mpmx = p7 && bit(mdcr3, MDCR_EL3_MPMX);
    if (secure && !spme && !mpmx)
        return true;
    if (el == 3 && mpmx && (!spme || !el2s))
        return true;
    return el == 2 && cpu_has(cpu, FEAT_PMUP1) && !el2s && bit(cpu->sys.mdcr_el2, MDCR_HPMD);
}

/* SCCD, HCCD and MCCD: of the cycle counter. */
static bool cycles_prohibited(const struct cpu *cpu, unsigned el, bool secure)
{
    bool p5 = cpu_has(cpu, FEAT_PMUP5), p7 = cpu_has(cpu, FEAT_PMUP7);
    return (p5 && secure && bit(cpu->sys.mdcr_el3, MDCR_EL3_SCCD)) ||
           (p5 && el == 2 && bit(cpu->sys.mdcr_el2, MDCR_HCCD)) ||
           (p7 && el == 3 && bit(cpu->sys.mdcr_el3, MDCR_EL3_MCCD));
}

static bool is_filtered(const struct cpu *cpu, u64 f, unsigned el, bool secure)
{
    bool el3 = cpu_has(cpu, FEAT_EL3), nsh = bit(f, FILTER_NSH);
    switch (el) {
    case 0: return secure ? bit(f, FILTER_U) : bit(f, FILTER_U) != (el3 && bit(f, FILTER_NSU));
    case 1: return secure ? bit(f, FILTER_P) : bit(f, FILTER_P) != (el3 && bit(f, FILTER_NSK));
    case 2: return secure ? nsh == bit(f, FILTER_SH) : !nsh;
    default: return bit(f, FILTER_M) != bit(f, FILTER_P);
    }
}

/* secure: Secure state or EL3. */
static bool counts_at(const struct cpu *cpu, unsigned n, unsigned el, bool secure)
{
    if (is_filtered(cpu, type_of(cpu, n), el, secure))
        return false;
    if (n != CYCLE_COUNTER)
        return !is_prohibited(cpu, n, el, secure);
    return !cycles_prohibited(cpu, el, secure) &&
           !(bit(cpu->sys.pmcr_el0, PMCR_DP) && is_prohibited(cpu, n, el, secure));
}

/* FEAT_PMUv3p7: the event counters that freeze when one of theirs overflows, and the counters that did. */
static u32 freezing_set(const struct cpu *cpu)
{
    if (!cpu_has(cpu, FEAT_PMUP7))
        return 0;
    return (bit(cpu->sys.pmcr_el0, PMCR_FZO) ? low_set(cpu) : 0) |
           (bit(cpu->sys.mdcr_el2, MDCR_HPMFZO) ? el2_set(cpu) : 0);
}

static u32 frozen_set(const struct cpu *cpu)
{
    u32 freezing = freezing_set(cpu), low = low_set(cpu) & freezing, el2 = el2_set(cpu) & freezing;
    u32 cycles = bit(cpu->sys.pmcr_el0, PMCR_DP) ? BIT(CYCLE_COUNTER) : 0;
    return (cpu->sys.pmovs & low ? low | cycles : 0) | (cpu->sys.pmovs & el2 ? el2 : 0);
}

/* ---- counting ---- */

/* 64 bits overflow: the cycle counter (PMCR_EL0.LC is RES1), others by PMCR_EL0.LP and MDCR_EL2.HLP. */
static bool is_long(const struct cpu *cpu, unsigned n)
{
    if (n == CYCLE_COUNTER)
        return true;
    return cpu_has(cpu, FEAT_PMUP5) &&
           (n < first_of_el2(cpu) ? bit(cpu->sys.pmcr_el0, PMCR_LP) : bit(cpu->sys.mdcr_el2, MDCR_HLP));
}

static void count(struct cpu *cpu, unsigned n, u64 by)
{
    while (by) {
        u64 *c = counter_of(cpu, n), old = *c, sum = old + by;
        bool wide = n == CYCLE_COUNTER || cpu_has(cpu, FEAT_PMUP5);
        by = is_long(cpu, n) ? sum < old : (sum >> 32) - (old >> 32) + (sum < old ? BIT(32) : 0);
        *c = wide ? sum : sum & ones(32);
        if (!by)
            return;
        cpu->sys.pmovs |= BIT(n);
        if (n == CYCLE_COUNTER || n & 1 || !bit(cpu->pmu_counting, n + 1) || kind_of(cpu, n + 1) != KIND_OVERFLOWS)
            return;
        n++; /* a pair: the odd one counts the overflows */
    }
}

/* `cycles` in which `retired` instructions completed, for the counters that are counting. */
static void count_time(struct cpu *cpu, u64 cycles, u64 retired)
{
    for (u32 set = cpu->pmu_counting; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctz(set);
        enum kind kind = kind_of(cpu, n);
        count(cpu, n, kind == KIND_CYCLES ? cycles : kind == KIND_RETIRED ? retired : 0);
    }
}

/* How far counter n is from its overflow; ~0: it never comes. */
static u64 distance_of(const struct cpu *cpu, unsigned n)
{
    enum kind kind = kind_of(cpu, n);
    u64 value = *counter_of((struct cpu *)cpu, n);
    if (kind != KIND_CYCLES && kind != KIND_RETIRED)
        return ~(u64)0;
    return !is_long(cpu, n) ? BIT(32) - (value & ones(32)) : value ? -value : ~(u64)0;
}

/* Where an overflow freezes others, time goes from overflow to overflow. */
static void pass(struct cpu *cpu, u64 cycles, bool retired)
{
    while (cycles && cpu->pmu_counting) {
        u64 step = cycles;
        for (u32 set = cpu->pmu_counting & freezing_set(cpu); set; set &= set - 1) {
            u64 distance = distance_of(cpu, (unsigned)__builtin_ctz(set));
            step = distance < step ? distance : step;
        }
        count_time(cpu, step, retired ? step : 0);
        cpu->pmu_counting &= ~frozen_set(cpu);
        cycles -= step;
    }
}

/* Instructions since the mark, which lies ahead after ERET. */
static u64 since_mark(const struct cpu *cpu)
{
    u64 at = cpu_position(cpu);
    return at > cpu->pmu_mark ? at - cpu->pmu_mark : 0;
}

void pmu_settle(struct cpu *cpu)
{
    u64 cycles = since_mark(cpu);
    if (likely(!cycles))
        return;
    cpu->pmu_mark += cycles;
    pass(cpu, cycles, true);
}

/* An event at this moment. */
static void event(struct cpu *cpu, enum kind kind)
{
    for (u32 set = cpu->pmu_counting; set; set &= set - 1)
        if (kind_of(cpu, (unsigned)__builtin_ctz(set)) == kind)
            count(cpu, (unsigned)__builtin_ctz(set), 1);
    cpu->pmu_counting &= ~frozen_set(cpu);
}

/* ---- what follows from the registers ---- */

/* CheckForPMUOverflow */
static void drive_interrupt(struct cpu *cpu)
{
    u32 el2 = el2_set(cpu), set = (u32)(cpu->sys.pmovs & cpu->sys.pminten & PMU_MASK);
    bool level = (bit(cpu->sys.pmcr_el0, PMCR_E) && set & ~el2) || (bit(cpu->sys.mdcr_el2, MDCR_HPME) && set & el2);
    if (cpu->d.host.pmu_interrupt)
        cpu->d.host.pmu_interrupt(cpu, level);
}

u64 pmu_next_overflow(const struct cpu *cpu)
{
    u64 next = ~(u64)0, since = since_mark(cpu);
    for (u32 set = cpu->pmu_counting; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctz(set);
        bool chained = n != CYCLE_COUNTER && !(n & 1) && bit(cpu->sys.pminten, n + 1);
        if (!bit(cpu->sys.pminten, n) && !chained)
            continue;
        u64 distance = distance_of(cpu, n);
        next = distance < next ? distance : next;
    }
    return next == ~(u64)0 ? next : next > since ? next - since : 1;
}

/* The set that counts here, from now on. */
static void resume(struct cpu *cpu)
{
    u64 at = cpu_position(cpu);
    cpu->pmu_counting = cpu->d.pmu_at[cpu->ps.el] & ~frozen_set(cpu);
    cpu->pmu_mark = at > cpu->pmu_mark ? at : cpu->pmu_mark;
    u64 next = cpu->pmu_counting ? pmu_next_overflow(cpu) : ~(u64)0;
    if (unlikely(next < ~(u64)0 - cpu->d.now && cpu->d.now + next < cpu->d.slice_end))
        cpu->d.attention |= ATT_LOOK;
}

static void find_sets(struct cpu *cpu)
{
    bool below = cpu_is_secure_below_el3(cpu);
    u32 enabled = enabled_set(cpu), differ = 0;
    memset(cpu->d.pmu_at, 0, sizeof(cpu->d.pmu_at));
    for (u32 set = enabled; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctz(set);
        enum kind kind = kind_of(cpu, n);
        for (unsigned el = 0; el < 4; el++)
            if ((el != 2 || cpu_el2_enabled(cpu)) && (el != 3 || cpu_has(cpu, FEAT_EL3)))
                cpu->d.pmu_at[el] |= counts_at(cpu, n, el, el == 3 || below) ? (u32)BIT(n) : 0;
        bool of_exceptions = kind == KIND_RETIRED || kind == KIND_ENTRIES || kind == KIND_RETURNS;
        differ |= of_exceptions ? (u32)BIT(n) : 0;
    }
    const u32 *at = cpu->d.pmu_at;
    u32 el2 = cpu_el2_enabled(cpu) ? at[2] : at[1], el3 = cpu_has(cpu, FEAT_EL3) ? at[3] : at[1];
    cpu->d.pmu_hot = differ | (at[0] ^ at[1]) | (at[1] ^ el2) | (at[1] ^ el3);
}

void pmu_changed(struct cpu *cpu)
{
    pmu_settle(cpu);
    if (likely(!enabled_set(cpu)) && !cpu->pmu_counting) {
        cpu->d.pmu_hot = 0;
        memset(cpu->d.pmu_at, 0, sizeof(cpu->d.pmu_at));
    } else {
        find_sets(cpu);
        resume(cpu);
    }
}

void pmu_update(struct cpu *cpu)
{
    if (likely(!(cpu->pmu_counting | (cpu->sys.pmovs & cpu->sys.pminten))))
        return;
    pmu_settle(cpu);
    drive_interrupt(cpu);
}

/* ---- exceptions ---- */

/* What passed, of which the last was an attempt that did not retire. */
static void settle_attempt(struct cpu *cpu)
{
    u64 cycles = since_mark(cpu);
    cpu->pmu_mark += cycles;
    if (cycles) {
        pass(cpu, cycles - 1, true);
        pass(cpu, 1, false);
    }
}

void pmu_exception(struct cpu *cpu, bool executed)
{
    if (executed)
        pmu_settle(cpu);
    else
        settle_attempt(cpu);
    event(cpu, KIND_ENTRIES);
}

void pmu_unfinished(struct cpu *cpu) { settle_attempt(cpu); }

/* The ERET itself counts where it is executed. */
void pmu_exception_return(struct cpu *cpu)
{
    pmu_settle(cpu);
    cpu->pmu_mark++;
    pass(cpu, 1, true);
    event(cpu, KIND_RETURNS);
}

void pmu_el_changed(struct cpu *cpu)
{
    pmu_settle(cpu);
    resume(cpu);
}

/* ---- registers ---- */

/* Event counters that this EL can see: MDCR_EL2.HPMN of them at EL1 and EL0 (GetNumEventCountersAccessible). */
static unsigned accessible(const struct cpu *cpu)
{
    return cpu->ps.el < 2 && cpu_el2_enabled(cpu) ? first_of_el2(cpu) : (unsigned)PMU_COUNTERS;
}

static u64 visible(const struct cpu *cpu) { return BIT(CYCLE_COUNTER) | ones(accessible(cpu)); }

static void written(struct cpu *cpu)
{
    pmu_changed(cpu);
    drive_interrupt(cpu);
}

u64 pmcr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    u64 hpmn = cpu->sys.mdcr_el2 & 31;
    return cpu->ps.el < 2 && cpu_el2_enabled(cpu) ? bits_set(cpu->sys.pmcr_el0, 15, 11, hpmn) : cpu->sys.pmcr_el0;
}

/* E, D, X, DP stay, LP (p5) and FZO (p7) too; P and C reset counters and read as zero; LC is RES1 without AArch32. */
void pmcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 mask = 0x39 | (cpu_has(cpu, FEAT_PMUP5) ? BIT(PMCR_LP) : 0) | (cpu_has(cpu, FEAT_PMUP7) ? BIT(PMCR_FZO) : 0);
    pmu_settle(cpu);
    cpu->sys.pmcr_el0 = (cpu->sys.pmcr_el0 & ~mask) | (value & mask) | BIT(PMCR_LC);
    if (bit(value, PMCR_C))
        cpu->sys.pmccntr_el0 = 0;
    for (unsigned n = 0; bit(value, PMCR_P) && n < accessible(cpu); n++)
        *counter_of(cpu, n) = 0;
    written(cpu);
}

u64 pmu_set_read(struct cpu *cpu, const struct sysreg *row)
{
    pmu_settle(cpu);
    return *sysreg_field(cpu, row) & visible(cpu);
}

void pmu_set_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    pmu_settle(cpu);
    *sysreg_field(cpu, row) |= value & visible(cpu);
    written(cpu);
}

void pmu_clear_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    pmu_settle(cpu);
    *sysreg_field(cpu, row) &= ~(value & visible(cpu));
    written(cpu);
}

void pmswinc_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    pmu_settle(cpu);
    for (u32 set = (u32)(value & visible(cpu)) & cpu->pmu_counting; set; set &= set - 1)
        if (kind_of(cpu, (unsigned)__builtin_ctz(set)) == KIND_SOFTWARE)
            count(cpu, (unsigned)__builtin_ctz(set), 1);
    written(cpu);
}

/* Events 0x00 to 0x1f in PMCEID0_EL0<31:0>, 0x20 to 0x3f in PMCEID1_EL0<31:0>. */
u64 pmceid_read(struct cpu *cpu, const struct sysreg *row)
{
    u64 set = 0;
    for (unsigned k = 0; k < ARRAY_LEN(events); k++)
        if (cpu_has(cpu, (enum feature)events[k].feature) && events[k].number >> 5 == (row->key & 1))
            set |= BIT(events[k].number & 31);
    return set;
}

u64 pmccntr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    pmu_settle(cpu);
    return cpu->sys.pmccntr_el0;
}

/* PMCCNTR_EL0, PMCCFILTR_EL0, MDCR_EL2, MDCR_EL3: storage that counting depends on. */
void pmu_plain_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 *field = sysreg_field(cpu, row), mask = sysreg_writable(cpu, row);
    pmu_settle(cpu);
    value = (*field & ~mask) | (value & mask);
    if (value == *field)
        return;
    *field = value;
    written(cpu);
}

/* The counter of PMEVCNTR<n>, PMEVTYPER<n>, whose CRm<1:0>:op2 is n, and of PMXEVCNTR and PMXEVTYPER. */
static unsigned counter_named(const struct cpu *cpu, const struct sysreg *row)
{
    bool by_number = (row->key >> 7 & 15) == 14;
    return by_number ? row->key & 31 : cpu->sys.pmselr_el0 & 31;
}

static bool undefined_counter(struct cpu *cpu, const struct sysreg *row)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS, .id = row->key });
    return false;
}

/* A counter that is not there is UNDEFINED, before all traps (D24.5, PMEVCNTR<n>_EL0; without FEAT_FGT a choice). */
bool pmu_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    return counter_named(cpu, row) < PMU_COUNTERS || undefined_counter(cpu, row);
}

/* By PMSELR_EL0 likewise, but PMXEVTYPER with 31 is PMCCFILTR; without FEAT_FGT it reads as zero, ignores writes. */
bool pmxev_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    unsigned n = counter_named(cpu, row), is_type = (row->key & 7) == 1;
    return n < PMU_COUNTERS || (n == CYCLE_COUNTER && is_type) || !cpu_has(cpu, FEAT_FGT) ||
           undefined_counter(cpu, row);
}

/* An event counter at or above MDCR_EL2.HPMN is EL2's: the others' accesses are trapped; without FEAT_FGT it reads as
 * zero and ignores writes (CONSTRAINED UNPREDICTABLE). */
u128 pmu_groups(const struct cpu *cpu, const struct sysreg *row)
{
    static_assert((int)TRAP_HPMN5 == (int)TRAP_HPMN0 + (int)PMU_COUNTERS - 1, "a group for each counter");
    unsigned n = counter_named(cpu, row);
    return n < PMU_COUNTERS ? T(HPMN0) << n : 0;
}

/* FEAT_PMUv3p5 makes event counters 64 bits wide. */
static u64 event_mask(const struct cpu *cpu, const struct sysreg *row)
{
    bool is_type = row->key >> 5 & 1;
    return is_type ? sysreg_writable(cpu, row) : cpu_has(cpu, FEAT_PMUP5) ? ~(u64)0 : ones(32);
}

u64 pmev_read(struct cpu *cpu, const struct sysreg *row)
{
    pmu_settle(cpu);
    return (row->key & 31) < accessible(cpu) ? *sysreg_field(cpu, row) : 0;
}

void pmev_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    if ((row->key & 31) >= accessible(cpu))
        return;
    pmu_settle(cpu);
    *sysreg_field(cpu, row) = value & event_mask(cpu, row);
    written(cpu);
}

/* PMXEVCNTR, PMXEVTYPER: what PMSELR_EL0 selects; NULL (without FEAT_FGT) reads as zero and ignores writes. */
static const struct sysreg *selected_row(struct cpu *cpu, const struct sysreg *row)
{
    unsigned n = cpu->sys.pmselr_el0 & 31, types = (row->key & 7) == 1 ? 4 : 0;
    if (n == CYCLE_COUNTER)
        return types ? sysreg_find(SYSREG_KEY(3, 3, 14, 15, 7)) : NULL;
    return n < accessible(cpu) ? sysreg_find(SYSREG_KEY(3, 3, 14, 8 + types + n / 8, n % 8)) : NULL;
}

u64 pmxev_read(struct cpu *cpu, const struct sysreg *row)
{
    const struct sysreg *selected = selected_row(cpu, row);
    pmu_settle(cpu);
    return selected ? *sysreg_field(cpu, selected) : 0;
}

void pmxev_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    const struct sysreg *selected = selected_row(cpu, row);
    if (!selected)
        return;
    sysreg_note(cpu, selected);
    selected->write(cpu, selected, value);
}
