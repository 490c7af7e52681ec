/*
 * Breakpoints and watchpoints of the guest (Arm ARM D2.8, D2.9; of the shared pseudocode AArch64.BreakpointMatch,
 * AArch64.WatchpointMatch, AArch64.StateMatch, CheckValidStateMatch). d.breakpoints and d.watchpoints are the sets of
 * those that are enabled in the machine's present state; while a set is empty nothing asks here. A page that a
 * breakpoint may match in is executed by the stepping engine, and one that holds a watched byte has no fast tags: what
 * must be dropped for that is dropped when a debug register changes (breakpoint_changed).
 *
 * Choices (docs/choices.md): reserved types and reserved combinations of HMC, SSC and PxC are disabled; a link to what
 * cannot be linked to never matches. Left out: address mismatch and BAS of breakpoints (AArch32's), halting debug.
 */
#include "cpu/exception.h"
#include "cpu/field.h"
#include "mmu/access.h"
#include "mmu/context.h"
#include "mmu/walk.h"

enum { BT_LINKED = 1 }; /* DBGBCR<n>_EL1.BT<0>; DBGWCR<n>_EL1.WT */

/* The registers of one unit: of breakpoint or watchpoint n. */
struct unit {
    u64 value, control;
};
enum { UNIT_STRIDE = offsetof(struct sysregs, dbgbvr1_el1) - offsetof(struct sysregs, dbgbvr0_el1) };
static_assert((int)UNIT_STRIDE == 32 &&
                  offsetof(struct sysregs, dbgwcr15_el1) == offsetof(struct sysregs, dbgwcr0_el1) + 15 * UNIT_STRIDE,
              "four registers a number, in the order of cpu/sysreg/debugreg.def");

static struct unit unit_at(const struct cpu *cpu, u32 offset, unsigned n)
{
    const u8 *at = (const u8 *)&cpu->sys + offset + n * UNIT_STRIDE;
    return (struct unit){ load_le64(at), load_le64(at + 8) };
}
static struct unit breakpoint(const struct cpu *cpu, unsigned n)
{
    return unit_at(cpu, offsetof(struct sysregs, dbgbvr0_el1), n);
}
static struct unit watchpoint(const struct cpu *cpu, unsigned n)
{
    return unit_at(cpu, offsetof(struct sysregs, dbgwvr0_el1), n);
}

static unsigned breakpoint_count(const struct cpu *cpu)
{
    return (unsigned)FIELD_OF(cpu->sys.id_aa64dfr0_el1, DFR0_BRPs) + 1;
}
static unsigned watchpoint_count(const struct cpu *cpu)
{
    return (unsigned)FIELD_OF(cpu->sys.id_aa64dfr0_el1, DFR0_WRPs) + 1;
}

/* The last ones are context-aware. */
static bool is_context_aware(const struct cpu *cpu, unsigned n)
{
    unsigned count = breakpoint_count(cpu), aware = (unsigned)FIELD_OF(cpu->sys.id_aa64dfr0_el1, DFR0_CTX_CMPs) + 1;
    return n < count && n + aware >= count;
}

/* ---- where ---- */

/* CheckValidStateMatch: is HMC:SSC:PxC a combination that this PE has? `state`: those five bits. */
static bool state_is_valid(const struct cpu *cpu, unsigned state)
{
    unsigned hmc = state >> 4, ssc = state >> 2 & 3, pxc = state & 3;
    bool el2 = cpu_has(cpu, FEAT_EL2), el3 = cpu_has(cpu, FEAT_EL3);
    if (pxc == 2 && (hmc || ssc == 3))
        return false; /* never allocated */
    if (hmc && ssc == 0 && pxc == 0)
        return false;
    if (!hmc && pxc == 0 && ssc != 3)
        return false; /* User, Supervisor and System: AArch32's */
    if (!el3 && !el2 && (hmc || ssc))
        return false;
    if (!el3 && (ssc == 1 || ssc == 2) && state != 0x14)
        return false;
    if ((!el3 && state == 0x18) || (!el2 && state == 0x1c))
        return false;
    bool secure_el2 = FIELD_OF(cpu->sys.id_aa64pfr0_el1, PFR0_SEL2);
    return secure_el2 || !(state == 0x0c || state == 0x14 || (ssc == 3 && pxc & 1));
}

/* AArch64.StateMatch but for the link. el: whose access. DBGWCR<n>_EL1 has the fields where DBGBCR<n>_EL1 has. */
static bool state_matches(const struct cpu *cpu, u64 control, unsigned el)
{
    unsigned hmc = (unsigned)bit(control, DBGBCR_HMC), ssc = (unsigned)FIELD_OF(control, DBGBCR_SSC);
    unsigned pxc = (unsigned)FIELD_OF(control, DBGBCR_PMC);
    if (!state_is_valid(cpu, hmc << 4 | ssc << 2 | pxc))
        return false;
    bool level = el == 3   ? hmc && !(ssc & 1)
                 : el == 2 ? (hmc && !(ssc == 2 && pxc == 0)) || ssc == 3
                 : el == 1 ? pxc & 1
                           : pxc & 2;
    bool secure = cpu_is_secure(cpu);
    return level && (ssc == 0 || (ssc == 1 ? !secure : ssc == 2 ? secure : hmc || secure));
}

/* ---- breakpoints ---- */

static bool is_address(unsigned type) { return !(type & 0xa); }

/* Of BT: is the type one that this breakpoint has? 0b010x is address mismatch, AArch32's. */
static bool type_is_valid(const struct cpu *cpu, unsigned n, unsigned type)
{
    if (is_address(type))
        return type < 2;
    if ((type >= 8 && !cpu_has(cpu, FEAT_EL2)) || !is_context_aware(cpu, n))
        return false;
    return (type & 6) != 6 && (type & 0xc) != 0xc ? true : cpu_has(cpu, FEAT_VHE);
}

static bool vmid_matches(const struct cpu *cpu, u64 value)
{
    return cpu->ps.el < 2 && cpu_el2_enabled(cpu) && !cpu_is_in_host(cpu) &&
           !((cpu_vmid(cpu) ^ value >> 32) & cpu_vmid_mask(cpu));
}

/* CONTEXTIDR and VMID, by BT<3:1>: 1 CONTEXTIDR of the current EL's, 3 _EL1, 4 VMID, 5 VMID and _EL1, 6 _EL2,
 * 7 both. */
static bool context_matches(const struct cpu *cpu, unsigned type, u64 value)
{
    unsigned kind = type >> 1;
    bool host = cpu_is_in_host(cpu), guest = cpu->ps.el < 2 && !host;
    bool id1 = guest && !((cpu->sys.contextidr_el1 ^ value) & ones(32));
    if (kind == 1 && host)
        return !((cpu->sys.contextidr_el2 ^ value) & ones(32));
    if ((kind & 1) && !id1)
        return false;
    if ((kind & 6) == 4)
        return vmid_matches(cpu, value);
    return (kind & 6) != 6 ||
           (cpu->ps.el != 3 && cpu_el2_enabled(cpu) && !((cpu->sys.contextidr_el2 ^ value >> 32) & ones(32)));
}

/* Does the breakpoint that `control` is linked to (LBN) match? */
static bool link_matches(const struct cpu *cpu, u64 control)
{
    unsigned n = (unsigned)FIELD_OF(control, DBGBCR_LBN);
    if (n >= breakpoint_count(cpu))
        return false;
    struct unit b = breakpoint(cpu, n);
    unsigned type = (unsigned)FIELD_OF(b.control, DBGBCR_BT);
    return bit(b.control, DBGBCR_E) && type & BT_LINKED && !is_address(type) && type_is_valid(cpu, n, type) &&
           context_matches(cpu, type, b.value);
}

/* The bits of an address that are compared: not a tag byte. */
static u64 address_bits(struct cpu *cpu, unsigned el, u64 va, bool fetch)
{
    const struct mmu_view *v = mmu_view(cpu, el);
    return ones(walk_addr_top(v->regime, v->config.tcr, v->feat & WALK_TBID, va, fetch) + 1);
}

static bool breakpoint_matches(struct cpu *cpu, unsigned n)
{
    struct unit b = breakpoint(cpu, n);
    unsigned type = (unsigned)FIELD_OF(b.control, DBGBCR_BT);
    if (!type_is_valid(cpu, n, type) || !state_matches(cpu, b.control, cpu->ps.el))
        return false;
    if (!is_address(type))
        return !(type & BT_LINKED) && context_matches(cpu, type, b.value);
    return !((b.value ^ cpu->pc) & address_bits(cpu, cpu->ps.el, cpu->pc, true) & ~3ull) &&
           (!(type & BT_LINKED) || link_matches(cpu, b.control));
}

bool breakpoint_hit(struct cpu *cpu)
{
    if (!debug_enabled_from(cpu, cpu->ps.el, cpu->ps.d))
        return false;
    for (u32 set = cpu->d.breakpoints; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctz(set);
        if (!breakpoint_matches(cpu, n))
            continue;
        exc_sync(cpu, EC_BREAK_LOWER, 0x22, debug_target(cpu),
                 (struct cause){ .kind = CAUSE_BREAKPOINT, .id = (u16)n, .value = breakpoint(cpu, n).value });
        return true;
    }
    return false;
}

/* Whatever the EL and the top byte: asked when a page is entered. */
bool breakpoint_in_page(const struct cpu *cpu, u64 va)
{
    for (u32 set = cpu->d.breakpoints; set; set &= set - 1) {
        struct unit b = breakpoint(cpu, (unsigned)__builtin_ctz(set));
        unsigned type = (unsigned)FIELD_OF(b.control, DBGBCR_BT);
        if (is_address(type) ? !((b.value ^ va) & ones(49) & ~0xfffull) : !(type & BT_LINKED))
            return true;
    }
    return false;
}

/* ---- watchpoints ---- */

/* The bytes that a watchpoint selects: from `first` on those of the set `bytes`, or all up to `last`. */
struct watched {
    u64 first, last;
    u32 bytes; /* 0: all */
};

/* MASK takes the place of BAS; 1 and 2 are reserved: no byte (first > last). */
static struct watched watched_bytes(struct unit w)
{
    unsigned mask = (unsigned)FIELD_OF(w.control, DBGWCR_MASK), bas = (unsigned)FIELD_OF(w.control, DBGWCR_BAS);
    u64 base = w.value & ~3ull;
    if (mask)
        return mask < 3 ? (struct watched){ 1, 0, 0 } : (struct watched){ base & ~ones(mask), base | ones(mask), 0 };
    if (base & 4)
        bas &= 15;
    return bas ? (struct watched){ base, base + 7, bas } : (struct watched){ 1, 0, 0 };
}

/* The offset of the first watched byte of `size` at va, or a negative number. mask: the bits that are compared. */
static s64 first_watched(struct watched w, u64 va, u64 size, u64 mask)
{
    if (w.first > w.last)
        return -1;
    if (!w.bytes) {
        u64 into = (va - w.first) & mask, ahead = (w.first - va) & mask;
        return into <= w.last - w.first ? 0 : ahead < size ? (s64)ahead : -1;
    }
    s64 best = -1;
    for (unsigned n = 0; n < 8; n++) {
        u64 at = (w.first + n - va) & mask;
        if (bit(w.bytes, n) && at < size && (best < 0 || (s64)at < best))
            best = (s64)at;
    }
    return best;
}

/* What is compared: DC IVAC stands for a line, DC ZVA for its block, both named by any address in them. Other
 * maintenance is not looked at. */
static u64 watched_size(const struct cpu *cpu, u64 *va, unsigned size, unsigned flags)
{
    u64 block = flags & ACC_CACHE ? 4ull << bits(cpu->sys.ctr_el0, 19, 16) : 4ull << (cpu->sys.dczid_el0 & 15);
    if (!(flags & (ACC_CACHE | ACC_ZVA)))
        return size;
    *va = align_down(*va, block);
    return flags & ACC_WRITE ? block : 0;
}

/* WnR: for an atomic access 0 when its read matches; 1 for cache maintenance (ESR_ELx, ISS of a Watchpoint). */
static void raise_watchpoint(struct cpu *cpu, unsigned n, unsigned flags, bool wnr, u64 far)
{
    u32 iss = 0x22u | (u32)wnr << 6 | (flags & ACC_CACHE ? BIT(8) : 0) | (flags & ACC_NV2 ? BIT(13) : 0);
    struct cause cause = { .kind = CAUSE_WATCHPOINT, .id = (u16)n, .value = watchpoint(cpu, n).value };
    if (flags & ACC_NV2) /* Exception_NV2Watchpoint: as of EL2's own */
        exc_sync(cpu, EC_WATCH_SAME, iss, 2, cause);
    else
        exc_sync(cpu, EC_WATCH_LOWER, iss, debug_target(cpu), cause);
    cpu->d.exc.has_far = 1;
    cpu->d.exc.far = far;
}

bool watchpoint_hit(struct cpu *cpu, u64 va, unsigned access_size, unsigned flags, bool el0)
{
    unsigned regime_el = flags & ACC_NV2 ? 2 : cpu->ps.el, el = el0 ? 0 : regime_el;
    if (flags & ACC_FETCH || !debug_enabled_from(cpu, regime_el, !(flags & ACC_NV2) && cpu->ps.d))
        return false;
    u64 from = va, size = watched_size(cpu, &from, access_size, flags), mask = address_bits(cpu, regime_el, va, false);
    unsigned kinds = flags & ACC_WRITE ? (flags & ACC_RMW ? 3u : 2u) : 1u, seen = 0, which = 0;
    s64 first = -1;
    for (u32 set = cpu->d.watchpoints; set && size; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctz(set);
        struct unit w = watchpoint(cpu, n);
        unsigned match = (unsigned)FIELD_OF(w.control, DBGWCR_LSC) & kinds;
        s64 at = match ? first_watched(watched_bytes(w), from, size, mask) : -1;
        if (at < 0 || !state_matches(cpu, w.control, el) ||
            (bit(w.control, DBGWCR_WT) && !link_matches(cpu, w.control)))
            continue;
        seen |= match;
        if (first < 0 || at < first) {
            first = at;
            which = n;
        }
    }
    if (first < 0)
        return false;
    raise_watchpoint(cpu, which, flags, !(seen & 1), flags & (ACC_CACHE | ACC_ZVA) ? va : va + (u64)first);
    return true;
}

bool watchpoint_in_page(const struct cpu *cpu, u64 va)
{
    u64 page = va & ~0xfffull;
    for (u32 set = cpu->d.watchpoints; set; set &= set - 1)
        if (first_watched(watched_bytes(watchpoint(cpu, (unsigned)__builtin_ctz(set))), page, 4096, ones(49)) >= 0)
            return true;
    return false;
}

/* ---- which ones are there ---- */

static u64 sum_add(u64 sum, unsigned n, struct unit u)
{
    sum = (sum ^ u.value ^ n) * 0x9e3779b97f4a7c15ull;
    return ((sum ^ sum >> 29) + u.control) * 0xbf58476d1ce4e5b9ull + 1;
}

void breakpoint_changed(struct cpu *cpu)
{
    u32 breakpoints = 0, watchpoints = 0;
    u64 sum = 0;
    if (unlikely(bit(cpu->sys.mdscr_el1, MDSCR_MDE)) && !bit(cpu->sys.oslsr_el1, OSLSR_OSLK)) {
        for (unsigned n = 0; n < breakpoint_count(cpu); n++)
            breakpoints |= (u32)bit(breakpoint(cpu, n).control, DBGBCR_E) << n;
        for (unsigned n = 0; n < watchpoint_count(cpu); n++)
            watchpoints |= (u32)bit(watchpoint(cpu, n).control, DBGWCR_E) << n;
        for (u32 set = breakpoints; set; set &= set - 1)
            sum = sum_add(sum, (unsigned)__builtin_ctz(set), breakpoint(cpu, (unsigned)__builtin_ctz(set)));
        for (u32 set = watchpoints; set; set &= set - 1)
            sum = sum_add(~sum, (unsigned)__builtin_ctz(set), watchpoint(cpu, (unsigned)__builtin_ctz(set)));
    }
    if (likely(sum == cpu->d.debug_sum && breakpoints == cpu->d.breakpoints && watchpoints == cpu->d.watchpoints))
        return;
    cpu->d.debug_sum = sum;
    cpu->d.breakpoints = breakpoints;
    cpu->d.watchpoints = watchpoints;
    mmu_drop_derived(cpu);
    cpu->d.attention |= ATT_ENGINE;
}
