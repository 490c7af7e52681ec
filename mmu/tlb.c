/*
 * The TLB and its maintenance (Arm ARM D8.13-D8.14, C6.2 TLBI).
 *
 * Set-associative by page number at each size present, FIFO within a set. An entry holds both stages combined, for the
 * size of the smaller block; where stage 1's block is larger than the entry, its pieces lie in many sets, and a TLBI by
 * address looks at every entry, so that one TLBI drops the whole block (D8.14.5).
 * Leaves out: caching of table descriptors (so the last-level forms equal the others), the contiguous bit as a hint.
 */
#include "mmu/tlb.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "mmu/access.h"
#include "mmu/context.h"

static struct tlb_entry *entry_at(struct cpu *cpu, u32 index)
{
    return &cpu->tlb.entry[index / TLB_WAYS][index % TLB_WAYS];
}

/* Sets are chosen by page, size, VMID and regime, never by ASID: global entries serve them all. */
static u32 set_of(u64 va, unsigned size, u16 vmid, unsigned regime)
{
    u64 page = va >> size;
    return (u32)((page ^ page >> 9 ^ (u64)vmid * 37 ^ (u64)regime * 129 ^ (u64)size * 11) % TLB_SETS);
}

/* ---- what is derived from an entry ---- */

static void note_slot(u16 *of, u32 slot) { *of = !*of || *of == slot + 1 ? (u16)(slot + 1) : MMU_MANY; }

void tlb_note_fast(struct cpu *cpu, u32 index, u32 slot)
{
    cpu->d.mmu.tagged = 1;
    note_slot(&cpu->d.mmu.fast_slot[index], slot);
}

void tlb_note_xpage(struct cpu *cpu, u32 index, u32 slot)
{
    cpu->d.mmu.tagged = 1;
    note_slot(&cpu->d.mmu.xpage_slot[index], slot);
}

static void clear_fast(struct fast_entry *f, u32 owner)
{
    if (fast_used(f) && FAST_OWNER(f->owner) == owner)
        memset(f, 0, sizeof(*f));
}
static void clear_xpage(struct xpage_entry *x, u32 owner)
{
    if (x->tag && x->owner == owner)
        memset(x, 0, sizeof(*x));
}

static void purge_fast(struct cpu *cpu, u32 index)
{
    u16 slot = cpu->d.mmu.fast_slot[index];
    if (!slot)
        return;
    cpu->d.mmu.fast_slot[index] = 0;
    for (unsigned n = 0; n < FAST_VICTIMS; n++)
        clear_fast(&cpu->d.mmu.victim[n], index);
    if (slot != MMU_MANY)
        clear_fast(&cpu->d.fast[slot - 1], index);
    else
        for (unsigned n = 0; n < FAST_ENTRIES; n++)
            clear_fast(&cpu->d.fast[n], index);
}

static void purge_xpage(struct cpu *cpu, u32 index)
{
    u16 slot = cpu->d.mmu.xpage_slot[index];
    if (!slot)
        return;
    cpu->d.mmu.xpage_slot[index] = 0;
    if (slot != MMU_MANY)
        clear_xpage(&cpu->d.xpage[slot - 1], index);
    else
        for (unsigned n = 0; n < XPAGE_ENTRIES; n++)
            clear_xpage(&cpu->d.xpage[n], index);
}

static void drop_entry(struct cpu *cpu, struct tlb_entry *e)
{
    u32 index = tlb_index(cpu, e);
    purge_fast(cpu, index);
    purge_xpage(cpu, index);
    memset(e, 0, sizeof(*e));
}

/* Drops one of many: true where its fast tags are left for fast_sweep, because they lie anywhere. */
static bool drop_entry_of_many(struct cpu *cpu, struct tlb_entry *e)
{
    u32 index = tlb_index(cpu, e);
    bool sweep = cpu->d.mmu.fast_slot[index] == MMU_MANY;
    if (sweep)
        cpu->d.mmu.fast_slot[index] = 0;
    drop_entry(cpu, e);
    return sweep;
}

static void fast_sweep_some(struct cpu *cpu, struct fast_entry *f, unsigned count)
{
    for (; count--; f++)
        if (fast_used(f) && !entry_at(cpu, FAST_OWNER(f->owner))->size_log2)
            memset(f, 0, sizeof(*f));
}

/* The fast tags of entries that are no more. */
static void fast_sweep(struct cpu *cpu)
{
    fast_sweep_some(cpu, cpu->d.fast, FAST_ENTRIES);
    fast_sweep_some(cpu, cpu->d.mmu.victim, FAST_VICTIMS);
}

/* The next set from `set` on that may hold an entry: most guests fill a part of the TLB, and drop all of it often. */
static u32 set_next(const struct cpu *cpu, u32 set)
{
    for (; set < TLB_SETS; set = (set | 63) + 1) {
        u64 holds = ~cpu->d.mmu.set_empty[set / 64] >> set % 64;
        if (holds)
            return set + (u32)__builtin_ctzll(holds);
    }
    return TLB_SETS;
}

static void set_is_empty(struct cpu *cpu, u32 set) { cpu->d.mmu.set_empty[set / 64] |= BIT(set % 64); }
static void set_is_used(struct cpu *cpu, u32 set) { cpu->d.mmu.set_empty[set / 64] &= ~BIT(set % 64); }

void tlb_drop(struct cpu *cpu, const struct tlb_entry *e) { drop_entry(cpu, entry_at(cpu, tlb_index(cpu, e))); }

void tlb_drop_config(struct cpu *cpu, unsigned config)
{
    bool sweep = false;
    for (u32 set = set_next(cpu, 0); set < TLB_SETS; set = set_next(cpu, set + 1)) {
        struct tlb_entry *e = cpu->tlb.entry[set];
        for (unsigned way = 0; way < TLB_WAYS; way++, e++)
            if (e->size_log2 && e->config == config)
                sweep |= drop_entry_of_many(cpu, e);
    }
    if (sweep)
        fast_sweep(cpu);
    memset(&cpu->tlb.configs[config], 0, sizeof(cpu->tlb.configs[config]));
    for (unsigned el = 0; el < 4; el++)
        cpu->d.mmu.view[el].config_index = 0;
}

void tlb_reset(struct cpu *cpu)
{
    if (cpu->d.tlb_used)
        zeros_make(&cpu->tlb, sizeof(cpu->tlb));
    cpu->d.tlb_used = 0;
    mmu_drop_derived(cpu);
}

/* ---- lookup and fill ---- */

const struct tlb_entry *tlb_find(struct cpu *cpu, const struct mmu_view *view, u64 va)
{
    int config = mmu_view_config(cpu, view);
    if (config < 0)
        return NULL;
    for (u64 sizes = cpu->tlb.sizes; sizes; sizes &= sizes - 1) {
        unsigned size = (unsigned)__builtin_ctzll(sizes);
        u64 page = va & ~ones(size);
        const struct tlb_entry *e = cpu->tlb.entry[set_of(va, size, view->vmid, view->regime)];
        static_assert(TLB_WAYS == 4, "as many as are compared");
        if (e[0].va != page && e[1].va != page && e[2].va != page && e[3].va != page)
            continue; /* mostly */
        for (unsigned way = 0; way < TLB_WAYS; way++, e++) {
            if (e->va == page && e->size_log2 == size && e->config == config && e->vmid == view->vmid &&
                (e->global || e->asid == view->asid))
                return e;
        }
    }
    return NULL;
}

const struct tlb_entry *tlb_look(const struct cpu *cpu, const struct regime_desc *r, u64 va)
{
    struct tlb_config wanted;
    regime_config(r, &wanted);
    for (u64 sizes = cpu->tlb.sizes; sizes; sizes &= sizes - 1) {
        unsigned size = (unsigned)__builtin_ctzll(sizes);
        const struct tlb_entry *e = cpu->tlb.entry[set_of(va, size, r->vmid, r->regime)];
        for (unsigned way = 0; way < TLB_WAYS; way++, e++) {
            struct tlb_config has = cpu->tlb.configs[e->config];
            has.regime &= ~(u32)REGIME_KEY_TAGS;
            if (e->va == (va & ~ones(size)) && e->size_log2 == size && !memcmp(&has, &wanted, sizeof(has)) &&
                e->vmid == r->vmid && (e->global || e->asid == r->asid))
                return e;
        }
    }
    return NULL;
}

/* What a privileged access brought in is closed to EL0 where TCR_ELx.E0PDn says so (D8.4, FEAT_E0PD). */
static u8 e0pd_closes(const struct mmu_view *view, u64 va)
{
    bool two_halves = view->regime == REGIME_EL10 || view->regime == REGIME_EL20;
    bool closed = view->feat & WALK_E0PD && two_halves && bit(view->config.tcr, bit(va, 55) ? 56 : 55);
    return closed ? 7 : 0;
}

const struct tlb_entry *tlb_fill(struct cpu *cpu, const struct mmu_view *view, u64 va, const struct translation *t)
{
    unsigned config = mmu_view_config_make(cpu, view), size = t->size_log2;
    unsigned size1 = view->config.regime & REGIME_KEY_S1 ? t->size1_log2 : size; /* no blocks while stage 1 is off */
    u32 set = set_of(va, size, view->vmid, view->regime);
    struct tlb_entry *e = &cpu->tlb.entry[set][cpu->tlb.next_way[set]];
    cpu->tlb.next_way[set] = (u8)((cpu->tlb.next_way[set] + 1) % TLB_WAYS);
    if (e->size_log2)
        drop_entry(cpu, e);
    set_is_used(cpu, set);
    cpu->d.tlb_used = 1;
    *e = (struct tlb_entry){ .va = va & ~ones(size),
                             .pa = t->pa & ~ones(size),
                             .ipa = t->ipa & ~ones(size),
                             .asid = view->asid,
                             .vmid = view->vmid,
                             .config = (u16)config,
                             .perm = (t->perm & ~e0pd_closes(view, va)) | (t->attrs.tagged ? TLB_TAGGED : 0),
                             .size_log2 = (u8)size,
                             .size1_log2 = (u8)size1,
                             .size2_log2 = t->size2_log2,
                             .global = t->global,
                             .ns = t->ns,
                             .memattr = t->perm & TLB_FLAT ? (u8)MEM_nGnRnE : t->attrs.type };
    cpu->tlb.sizes |= BIT(size);
    if (size1 > size)
        cpu->tlb.pieces |= BIT(size1);
    return e;
}

/* ---- TLBI ---- */

/* What a TLBI drops: worked out by the PE that executes it, applied by each PE that hears it. */
struct tlbi_scope {
    u8 regime;
    bool secure, by_asid, by_va, by_ipa, all_vmids, needs_s2;
    u16 asid, vmid;
    u64 first, last; /* VA<55:0> or IPA, inclusive */
};

static bool scope_matches(const struct tlb *tlb, const struct tlb_entry *e, const struct tlbi_scope *s)
{
    const struct tlb_config *c = &tlb->configs[e->config];
    if ((c->regime & 0xff) != s->regime || !!(c->regime & REGIME_KEY_SECURE) != s->secure)
        return false;
    if (!s->all_vmids && e->vmid != s->vmid)
        return false;
    if (s->by_asid && !e->global && e->asid != s->asid)
        return false;
    if (s->by_va || s->by_ipa) {
        u64 at = s->by_va ? e->va & ones(56) : e->ipa;
        unsigned size = s->by_va ? e->size1_log2 : e->size2_log2;
        u64 first = at & ~ones(size), last = first | ones(size);
        return first <= s->last && s->first <= last;
    }
    return true;
}

/* Looks at every entry, and learns again which sizes are present. */
static void drop_all_matching(struct cpu *cpu, const struct tlbi_scope *s)
{
    u64 sizes = 0, pieces = 0;
    bool sweep = false;
    for (u32 set = set_next(cpu, 0); set < TLB_SETS; set = set_next(cpu, set + 1)) {
        struct tlb_entry *e = cpu->tlb.entry[set];
        bool left = false;
        for (unsigned way = 0; way < TLB_WAYS; way++, e++) {
            if (!e->size_log2)
                continue;
            if (scope_matches(&cpu->tlb, e, s)) {
                sweep |= drop_entry_of_many(cpu, e);
                continue;
            }
            left = true;
            sizes |= BIT(e->size_log2);
            if (e->size1_log2 > e->size_log2)
                pieces |= BIT(e->size1_log2);
        }
        if (!left)
            set_is_empty(cpu, set);
    }
    if (sweep)
        fast_sweep(cpu);
    cpu->tlb.sizes = sizes;
    cpu->tlb.pieces = pieces;
}

/* One page, when no stage 1 block lies in pieces: only the sets that can hold it. */
static void drop_one_page(struct cpu *cpu, const struct tlbi_scope *s)
{
    u64 va = sext(s->first, 56);
    for (u64 sizes = cpu->tlb.sizes; sizes; sizes &= sizes - 1) {
        struct tlb_entry *e = cpu->tlb.entry[set_of(va, (unsigned)__builtin_ctzll(sizes), s->vmid, s->regime)];
        for (unsigned way = 0; way < TLB_WAYS; way++, e++)
            if (e->size_log2 && scope_matches(&cpu->tlb, e, s))
                drop_entry(cpu, e);
    }
}

static void apply(struct cpu *cpu, const struct tlbi_scope *s)
{
    if (!cpu->tlb.sizes && !cpu->tlb.pieces) { /* it holds nothing, as that of a PE that is off */
        cpu->d.attention |= ATT_CONTEXT;
        return;
    }
    if (s->by_va && !cpu->tlb.pieces && s->last - s->first < 4096)
        drop_one_page(cpu, s);
    else
        drop_all_matching(cpu, s);
    cpu->d.attention |= ATT_CONTEXT;
}

static void broadcast_scope(struct cpu *cpu, const struct tlbi_scope *s, bool broadcast)
{
    if (!broadcast || !cpu->d.host.cpus) {
        apply(cpu, s);
        return;
    }
    for (u32 n = 0; n < cpu->d.host.cpu_count; n++)
        apply(&cpu->d.host.cpus[n], s);
}

/* The regime, security state and VMID that an operation names, as seen from the current EL. */
static struct tlbi_scope scope_of(const struct cpu *cpu, enum tlbi_op op)
{
    struct regime_desc r;
    enum regime regime = op >= TLBI_ALLE3                       ? REGIME_EL3
                         : op >= TLBI_ALLE2                     ? regime_of(cpu, 2)
                         : op <= TLBI_VAALE1 && cpu->ps.el >= 2 ? regime_of(cpu, 0)
                                                                : REGIME_EL10;
    regime_describe(cpu, regime, &r);
    return (struct tlbi_scope){ .regime = (u8)regime, .secure = r.secure, .vmid = r.vmid };
}

static bool by_address(enum tlbi_op op)
{
    return op == TLBI_VAE1 || op == TLBI_VALE1 || op == TLBI_VAAE1 || op == TLBI_VAALE1 || op == TLBI_VAE2 ||
           op == TLBI_VALE2 || op == TLBI_VAE3 || op == TLBI_VALE3;
}

static void set_asid(const struct cpu *cpu, enum tlbi_op op, u64 value, struct tlbi_scope *s)
{
    bool el20 = s->regime == REGIME_EL20;
    s->by_asid =
        op == TLBI_VAE1 || op == TLBI_VALE1 || op == TLBI_ASIDE1 || (el20 && by_address(op) && op >= TLBI_VAE2);
    u64 tcr = el20 ? cpu->sys.tcr_el2 : cpu->sys.tcr_el1;
    s->asid = (u16)(bit(tcr, 36) ? bits(value, 63, 48) : bits(value, 55, 48)); /* AS */
}

static bool forced_broadcast(const struct cpu *cpu) { return cpu->ps.el == 1 && bit(cpu_hcr(cpu), 9); }

void tlbi(struct cpu *cpu, enum tlbi_op op, u64 value, bool broadcast)
{
    struct tlbi_scope s = scope_of(cpu, op);
    set_asid(cpu, op, value, &s);
    s.all_vmids = op == TLBI_ALLE1;
    s.by_va = by_address(op);
    s.by_ipa = op == TLBI_IPAS2E1 || op == TLBI_IPAS2LE1;
    if (s.by_va || s.by_ipa) {
        s.first = s.by_va ? bits(value, 43, 0) << 12 : bits(value, 39, 0) << 12;
        s.last = s.first | 0xfff;
    }
    broadcast_scope(cpu, &s, broadcast || forced_broadcast(cpu));
}

/* With 52-bit addresses (FEAT_LPA2, DS) a range starts at BaseADDR<52:16> whatever its granule (C5.5 TLBI RVAE1,
 * HasLargeAddress of the shared pseudocode). For IPAs VTCR_EL2.DS decides. */
static bool range_is_large(const struct cpu *cpu, const struct tlbi_scope *s)
{
    struct regime_desc r;
    regime_describe(cpu, (enum regime)s->regime, &r);
    if (!(r.feat & WALK_LPA2))
        return false;
    if (s->by_ipa)
        return bit(r.vtcr, VTCR_DS);
    return bit(r.tcr, s->regime == REGIME_EL10 || s->regime == REGIME_EL20 ? TCR_EL1_DS : TCR_EL3_DS);
}

void tlbi_range(struct cpu *cpu, enum tlbi_op op, u64 value, bool broadcast)
{
    static const u8 shift[4] = { 0, 12, 14, 16 }; /* TG */
    struct tlbi_scope s = scope_of(cpu, op);
    unsigned granule = shift[bits(value, 47, 46)];
    if (!granule)
        return; /* reserved TG: nothing needs to be dropped */
    set_asid(cpu, op, value, &s);
    s.by_va = by_address(op);
    s.by_ipa = op == TLBI_IPAS2E1 || op == TLBI_IPAS2LE1;
    u64 base = sext(bits(value, 36, 0), 37) << (range_is_large(cpu, &s) ? 16 : granule);
    u64 length = (bits(value, 43, 39) + 1) << (5 * bits(value, 45, 44) + 1 + granule);
    s.first = base & ones(56);
    s.last = s.first + length - 1 > ones(56) ? ones(56) : s.first + length - 1;
    broadcast_scope(cpu, &s, broadcast || forced_broadcast(cpu));
}

/* ---- restored state ---- */

bool tlb_validate(const struct cpu *cpu)
{
    const struct tlb *t = &cpu->tlb;
    if (t->config_next >= TLB_CONFIGS || t->sizes & ~(ones(49) & ~ones(12)))
        return false;
    for (unsigned set = 0; set < TLB_SETS; set++) {
        if (t->next_way[set] >= TLB_WAYS)
            return false;
        for (unsigned way = 0; way < TLB_WAYS; way++) {
            const struct tlb_entry *e = &t->entry[set][way];
            if (!e->size_log2)
                continue;
            if (e->size_log2 < 12 || e->size_log2 > 48 || e->size1_log2 > 52 || e->size2_log2 > 52 ||
                e->config >= TLB_CONFIGS || e->memattr > MEM_NORMAL || (e->va | e->pa | e->ipa) & ones(e->size_log2))
                return false;
        }
    }
    return true;
}
