/*
 * Memory access by virtual address, the exact path behind the fast tags (Arm ARM B2.2-B2.5, D8; Mem[], MemSingle[],
 * AArch64.CheckAlignment of the shared pseudocode): alignment, translation of each page touched, permission, tags,
 * watchpoints, then the bytes, of RAM or of a device. Loads, stores, cache maintenance by address, DC ZVA and the
 * fetch of a page. Its neighbours: fast.c (the tags), atomic.c (atomics, exclusives), tags.c (allocation tags).
 *
 * Named choice: a store that crosses a page is translated, checked and asked about in both pages before it writes a
 * byte. An access that fails so leaves memory and registers as they were. It may have left TLB entries, and descriptors
 * that hardware updates. An external abort is found only when the bytes move: those before it are then read or written.
 * Watchpoints are asked when all pages of an access permit it (16 bytes are two accesses); pages with a watched byte
 * have no fast tags. Left out: caches, so that all memory that isn't Device behaves alike.
 */
#include "mmu/access_internal.h"

bool access_raise_fault(struct cpu *cpu, const struct fault *f, u64 va, unsigned flags)
{
    exc_abort(cpu, f, va, flags);
    return false;
}

bool access_raise(struct cpu *cpu, unsigned kind, unsigned rule, u64 va, unsigned flags)
{
    struct fault f = { .kind = (u8)kind,
                       .rule = (u8)rule,
                       .fsc = fault_fsc(kind, 0),
                       .cm = !!(flags & ACC_CACHE),
                       .fetch = !!(flags & ACC_FETCH),
                       .regime = mmu_view(cpu, access_el(cpu, flags))->regime };
    f.wnr = f.cm || ((flags & ACC_WRITE) && !(flags & ACC_RMW));
    return access_raise_fault(cpu, &f, va, flags);
}

/* ---- translation ---- */

/* Does PSTATE.PAN apply to it? */
static bool with_pan(struct cpu *cpu, unsigned flags, bool el0)
{
    return cpu->ps.pan && !el0 && !(flags & (ACC_CACHE | ACC_NV2)) && !mmu_view(cpu, cpu->ps.el)->nv_nv1;
}

static bool reads(unsigned flags) { return flags & ACC_RMW || !(flags & (ACC_FETCH | ACC_WRITE)); }

static struct walk_access describe(struct cpu *cpu, unsigned flags, bool unaligned)
{
    bool cache = flags & ACC_CACHE, el0 = access_as_el0(cpu, flags);
    return (struct walk_access){
        .fetch = !!(flags & ACC_FETCH),
        .write = !!(flags & ACC_WRITE),
        .read = reads(flags),
        .el0 = el0,
        .pan = with_pan(cpu, flags, el0),
        .maintain = cache && cpu->ps.el != 0,
        .cm = cache,
        .write1 = !!(flags & ACC_CMOW1),
        .write2 = !!(flags & ACC_CMOW2),
        .unaligned = unaligned,
        .zva = !!(flags & ACC_ZVA),
        .real_el = (u8)access_el(cpu, flags),
    };
}

/* RAM that is Device memory only since stage 1 is off, on a CPU that needs no alignment there (mmu-off-align=off). */
static NOINLINE bool is_flat_ram(struct cpu *cpu, const struct tlb_entry *e, u64 plain)
{
    return e->perm & TLB_FLAT && phys_flags(cpu->d.host.phys, e->pa | (plain & ones(e->size_log2)));
}
static inline bool is_loose(struct cpu *cpu, const struct mmu_view *v, const struct tlb_entry *e, u64 plain)
{
    return unlikely(v->feat & WALK_LOOSE) && is_flat_ram(cpu, e, plain);
}

/* Does what the TLB holds permit the access? When not, a walk says why, or that the descriptor was relaxed. From the
 * flags, since a description made of bytes would stall whoever reads it as words. */
static bool entry_permits(struct cpu *cpu, const struct mmu_view *v, const struct tlb_entry *e, u64 plain,
                          unsigned flags, bool el0, bool unaligned)
{
    unsigned have = el0 ? e->perm : e->perm >> 3;
    if (flags & ACC_FETCH)
        return have & 4;
    if (e->perm & TLB_USER && with_pan(cpu, flags, el0))
        return false;
    if (unlikely(e->memattr != MEM_NORMAL) && (unaligned || flags & ACC_ZVA) && !is_loose(cpu, v, e, plain))
        return false;
    if (flags & (ACC_WRITE | ACC_CMOW1 | ACC_CMOW2) && !(have & 2))
        return false;
    return have & 1 || !reads(flags) || (flags & ACC_CACHE && cpu->ps.el != 0);
}

/* va without its tag byte, where one is allowed. */
static u64 canonical(const struct mmu_view *v, u64 va, bool fetch)
{
    return walk_addr_top(v->regime, v->config.tcr, v->feat & WALK_TBID, va, fetch) == 55 ? sext(va, 56) : va;
}

/* Walks, and enters what was found in place of e (NULL: none). NULL: a fault, raised. */
static NOINLINE const struct tlb_entry *refill(struct cpu *cpu, const struct mmu_view *v, u64 va, u64 plain,
                                               unsigned flags, bool unaligned, const struct tlb_entry *e)
{
    struct regime_desc r;
    struct translation t;
    struct walk_access access = describe(cpu, flags, unaligned); /* not copied: bytes read as words would stall */
    walk_for(mmu_view_regime(cpu, v, &r), va, &access, NULL, &t);
    if (!t.ok) {
        access_raise_fault(cpu, &t.fault, va, flags);
        return NULL;
    }
    if (e)
        tlb_drop(cpu, e);
    return tlb_fill(cpu, v, plain, &t);
}

bool access_translate(struct cpu *cpu, u64 va, unsigned flags, bool unaligned, struct place *p)
{
    const struct mmu_view *v = mmu_view(cpu, access_el(cpu, flags));
    bool fetch = flags & ACC_FETCH, el0 = access_as_el0(cpu, flags);
    u64 plain = canonical(v, va, fetch);
    const struct tlb_entry *e = tlb_find(cpu, v, plain);
    if (unlikely(!e || !entry_permits(cpu, v, e, plain, flags, el0, unaligned))) {
        e = refill(cpu, v, va, plain, flags, unaligned, e);
        if (!e)
            return false;
    }
    p->pa = e->pa | (plain & ones(e->size_log2));
    p->attrs = phys_attrs_make(e->ns, cpu->index, !el0);
    p->type = unlikely(e->perm & TLB_FLAT) && (fetch || is_loose(cpu, v, e, plain)) ? (u8)MEM_NORMAL : e->memattr;
    p->entry = e;
    if (cpu->d.threaded && !fetch && access_observed(cpu, va, p->pa)) {
        cpu->d.exc.kind = EXC_RESTART;
        return false;
    }
    return true;
}

/* ---- bytes of a place ---- */

bool access_read_place(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 *value)
{
    struct phys *phys = cpu->d.host.phys;
    if (likely(phys_read(phys, p->pa, size, p->attrs, value)))
        return true;
    *value = 0;
    bool ok = p->pa & (size - 1);
    for (unsigned n = 0; ok && n < size; n++) {
        u64 byte = 0;
        ok = phys_read(phys, p->pa + n, 1, p->attrs, &byte);
        *value |= (byte & 0xff) << 8 * n;
    }
    return ok ? true : access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
}

bool access_write_place(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 value)
{
    struct phys *phys = cpu->d.host.phys;
    if (likely(phys_write(phys, p->pa, size, p->attrs, value)))
        return true;
    bool ok = p->pa & (size - 1);
    for (unsigned n = 0; ok && n < size; n++)
        ok = phys_write(phys, p->pa + n, 1, p->attrs, value >> 8 * n & 0xff);
    return ok ? true : access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
}

bool access_check_alignment(struct cpu *cpu, u64 va, unsigned size, unsigned flags, bool *unaligned)
{
    *unaligned = va & (size - 1);
    if (likely(!*unaligned))
        return true;
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    bool atomic = flags & ACC_ATOMIC, ordered = flags & ACC_ORDERED;
    if (v->strict && !(flags & ACC_CACHE))
        return access_raise(cpu, FAULT_ALIGNMENT, RULE_ALIGN_A, va, flags);
    if (v->feat & WALK_LSE2) {
        bool crosses = (va & 15) + size > 16;
        atomic = atomic && crosses;
        ordered = ordered && crosses && !v->naa;
    }
    if (atomic || ordered)
        return access_raise(cpu, FAULT_ALIGNMENT, RULE_ALIGN_ATOMIC, va, flags);
    return true;
}

/* ---- places that may cross a page ---- */

/* The places of `size` bytes (at most 4096) at va, which may cross a page: first bytes in [0], the rest in [1]. */
struct places {
    struct place at[2];
    unsigned size[2];
};

static bool find_places(struct cpu *cpu, u64 va, unsigned size, unsigned flags, bool unaligned, struct places *ps)
{
    unsigned left = 4096 - (unsigned)(va & 0xfff);
    ps->size[0] = size < left ? size : left;
    ps->size[1] = size - ps->size[0];
    return access_translate(cpu, va, flags, unaligned, &ps->at[0]) &&
           (!ps->size[1] || access_translate(cpu, va + ps->size[0], flags, unaligned, &ps->at[1])) &&
           access_unwatched(cpu, va, size, flags) && access_allowed(cpu, va, ps->at[0].pa, size, flags) &&
           access_check_tags(cpu, &ps->at[0], va, ps->size[0], flags) &&
           (!ps->size[1] || access_check_tags(cpu, &ps->at[1], va + ps->size[0], ps->size[1], flags));
}

/* What crosses a page enters none: the fill for the second page may have replaced the entry found for the first. */
static void fill_fast_places(struct cpu *cpu, const struct places *ps, u64 va, unsigned flags)
{
    if (!ps->size[1])
        fast_fill(cpu, &ps->at[0], va, flags);
}

/* Reads size (1..8) bytes in memory order, crossing pages if it must. */
static bool places_read(struct cpu *cpu, const struct places *ps, u64 va, unsigned size, unsigned flags, u64 *value)
{
    if (likely(!ps->size[1]))
        return access_read_place(cpu, &ps->at[0], va, size, flags, value);
    *value = 0;
    for (unsigned n = 0; n < size; n++) {
        unsigned second = n >= ps->size[0];
        struct place p = ps->at[second];
        u64 byte;
        p.pa += second ? n - ps->size[0] : n;
        if (!access_read_place(cpu, &p, va + n, 1, flags, &byte))
            return false;
        *value |= byte << 8 * n;
    }
    return true;
}

static bool places_write(struct cpu *cpu, const struct places *ps, u64 va, unsigned size, unsigned flags, u64 value)
{
    if (likely(!ps->size[1]))
        return access_write_place(cpu, &ps->at[0], va, size, flags, value);
    for (unsigned n = 0; n < size; n++) {
        unsigned second = n >= ps->size[0];
        struct place p = ps->at[second];
        p.pa += second ? n - ps->size[0] : n;
        if (!access_write_place(cpu, &p, va + n, 1, flags, value >> 8 * n & 0xff))
            return false;
    }
    return true;
}

/* ---- loads and stores ---- */

static inline struct phys_attrs device_attrs(const struct cpu *cpu, const struct fast_entry *f)
{
    return phys_attrs_make(f->owner & FAST_DEVICE_NS, cpu->index, cpu->ps.el != 0);
}

/* Where the translation is known already, and leads to no RAM. */
static inline struct mem_val device_read(struct cpu *cpu, const struct fast_entry *f, u64 va, unsigned size,
                                         unsigned flags)
{
    const struct phys *phys = cpu->d.host.phys;
    u64 pa = FAST_PAGE(f->owner) | (va & 0xfff), value;
    if (likely(phys->ops->read && phys->ops->read(phys->board, pa, size, device_attrs(cpu, f), &value)))
        return (struct mem_val){ value, true };
    return (struct mem_val){ 0, access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags) };
}

static inline bool device_write(struct cpu *cpu, const struct fast_entry *f, u64 va, u64 value, unsigned size,
                                unsigned flags)
{
    const struct phys *phys = cpu->d.host.phys;
    u64 pa = FAST_PAGE(f->owner) | (va & 0xfff);
    if (likely(phys->ops->write && phys->ops->write(phys->board, pa, size, device_attrs(cpu, f), value)))
        return true;
    return access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
}

/* The exact path, of what is no device whose translation is known already: apart, so that a register's access need not
 * make room for it. */
static NOINLINE struct mem_val read_exactly(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    struct mem_val none = { 0, false };
    struct places ps;
    bool unaligned;
    u64 value;
    assert(access_size_ok(size));
    const u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(flags & (ACC_ATOMIC | ACC_ORDERED) && va & (size - 1))) {
        u64 v = 0;
        memcpy(&v, host, size);
        return (struct mem_val){ v, true };
    }
    if (!access_check_alignment(cpu, va, size, flags, &unaligned) ||
        !find_places(cpu, va, size, flags, unaligned, &ps) || !places_read(cpu, &ps, va, size, flags, &value))
        return none;
    fill_fast_places(cpu, &ps, va, flags);
    value = access_in_order_of(cpu, access_el(cpu, flags), value, size);
    access_observe(cpu, va, ps.at[0].pa, size, false, value);
    return (struct mem_val){ value, true };
}

struct mem_val mem_read(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    const struct fast_entry *device = fast_device(cpu, va, size, flags, FAST_DEVICE_READ);
    return device ? device_read(cpu, device, va, size, flags) : read_exactly(cpu, va, size, flags);
}

static NOINLINE bool write_exactly(struct cpu *cpu, u64 va, u64 value, unsigned size, unsigned flags)
{
    struct places ps;
    bool unaligned;
    assert(access_size_ok(size));
    if (fast_store_code(cpu, va, value, size, flags))
        return true;
    u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(flags & (ACC_ATOMIC | ACC_ORDERED) && va & (size - 1))) {
        memcpy(host, &value, size);
        return true;
    }
    if (!access_check_alignment(cpu, va, size, flags, &unaligned) ||
        !find_places(cpu, va, size, flags, unaligned, &ps) ||
        !places_write(cpu, &ps, va, size, flags, access_in_order_of(cpu, access_el(cpu, flags), value, size)))
        return false;
    fill_fast_places(cpu, &ps, va, flags);
    access_observe(cpu, va, ps.at[0].pa, size, true, value);
    return true;
}

bool mem_write(struct cpu *cpu, u64 va, u64 value, unsigned size, unsigned flags)
{
    const struct fast_entry *device = fast_device(cpu, va, size, flags, FAST_DEVICE_WRITE);
    flags |= ACC_WRITE;
    return device ? device_write(cpu, device, va, value, size, flags) : write_exactly(cpu, va, value, size, flags);
}

/* The two halves of 16 bytes, low address first, each of which may cross the page. */
static bool halves(struct cpu *cpu, u64 va, unsigned flags, bool unaligned, struct places half[2])
{
    return find_places(cpu, va, 8, flags, unaligned, &half[0]) &&
           find_places(cpu, va + 8, 8, flags, unaligned, &half[1]);
}

struct mem_val128 mem_read128(struct cpu *cpu, u64 va, unsigned flags)
{
    struct mem_val128 r = { .ok = false };
    struct places half[2];
    bool unaligned;
    const u8 *host = fast_try(cpu, va, 16, flags);
    if (host) {
        memcpy(&r.v, host, 16);
        r.ok = true;
        return r;
    }
    if (!access_check_alignment(cpu, va, 16, flags, &unaligned) || !halves(cpu, va, flags, unaligned, half))
        return r;
    for (unsigned n = 0; n < 2; n++) {
        if (!places_read(cpu, &half[n], va + 8 * n, 8, flags, &r.v.d[n]))
            return r;
        access_observe(cpu, va + 8 * n, half[n].at[0].pa, 8, false, r.v.d[n]);
    }
    fill_fast_places(cpu, &half[1], va + 8, flags);
    if (mmu_view(cpu, cpu->ps.el)->big_endian)
        r.v = (union vreg){ .d = { access_swap_bytes(r.v.d[1], 8), access_swap_bytes(r.v.d[0], 8) } };
    r.ok = true;
    return r;
}

bool mem_write128(struct cpu *cpu, u64 va, union vreg value, unsigned flags)
{
    struct places half[2];
    bool unaligned;
    flags |= ACC_WRITE;
    u8 *host = fast_try(cpu, va, 16, flags);
    if (host) {
        memcpy(host, &value, 16);
        return true;
    }
    if (mmu_view(cpu, cpu->ps.el)->big_endian)
        value = (union vreg){ .d = { access_swap_bytes(value.d[1], 8), access_swap_bytes(value.d[0], 8) } };
    if (!access_check_alignment(cpu, va, 16, flags, &unaligned) || !halves(cpu, va, flags, unaligned, half))
        return false;
    for (unsigned n = 0; n < 2; n++) {
        if (!places_write(cpu, &half[n], va + 8 * n, 8, flags, value.d[n]))
            return false;
        access_observe(cpu, va + 8 * n, half[n].at[0].pa, 8, true, value.d[n]);
    }
    fill_fast_places(cpu, &half[1], va + 8, flags);
    return true;
}

bool mem_write_pair(struct cpu *cpu, u64 va, u64 first, u64 second, unsigned size, unsigned flags)
{
    struct places ps[2];
    const u64 value[2] = { first, second };
    assert(access_size_ok(size));
    flags |= ACC_WRITE;
    u8 *host = fast_try(cpu, va, 2 * size, flags);
    if (host) {
        memcpy(host, &first, size);
        memcpy(host + size, &second, size);
        return true;
    }
    for (unsigned n = 0; n < 2; n++) {
        bool unaligned;
        if (!access_check_alignment(cpu, va + n * size, size, flags, &unaligned) ||
            !find_places(cpu, va + n * size, size, flags, unaligned, &ps[n]))
            return false;
    }
    for (unsigned n = 0; n < 2; n++) {
        if (!places_write(cpu, &ps[n], va + n * size, size, flags,
                          access_in_order(cpu, value[n] & ones(8 * size), size)))
            return false;
        access_observe(cpu, va + n * size, ps[n].at[0].pa, size, true, value[n]);
    }
    fill_fast_places(cpu, &ps[1], va + size, flags);
    return true;
}

bool mem_probe(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    struct places ps;
    bool unaligned = is_pow2(size) && size <= 16 && va & (size - 1);
    assert(size && size <= 4096);
    /* Cache maintenance, line after line of a page: what may be read (written) may be cleaned (invalidated). */
    unsigned like = flags & (ACC_CMOW1 | ACC_CMOW2) ? ACC_WRITE : flags & ~(unsigned)ACC_CACHE;
    if (flags & ACC_CACHE && size == 1 && fast_try(cpu, va, 1, like))
        return true;
    if (unaligned && !access_check_alignment(cpu, va, size, flags, &unaligned))
        return false;
    if (!find_places(cpu, va, size, flags, unaligned, &ps))
        return false;
    if (flags & ACC_CACHE)
        fill_fast_places(cpu, &ps, va, flags & ~(unsigned)(ACC_CACHE | ACC_WRITE | ACC_CMOW1 | ACC_CMOW2));
    return true;
}

/* ---- DC ZVA, instruction fetch ---- */

bool mem_zero_block(struct cpu *cpu, u64 va, unsigned size)
{
    const unsigned flags = ACC_WRITE | ACC_ZVA;
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    struct place p;
    assert(size >= 16 && size <= 2048 && is_pow2(size));
    /* A write tag may stand for Device memory where all unaligned accesses fault anyway: this one would too. */
    u8 *host = v->flat || v->strict ? NULL : fast_try(cpu, align_down(va, size), 8, flags);
    if (host) {
        memset(host, 0, size);
        return true;
    }
    if (!access_translate(cpu, va, flags, false, &p) || !access_unwatched(cpu, va, size, flags) ||
        !access_allowed(cpu, align_down(va, size), align_down(p.pa, size), size, flags))
        return false;
    p.pa = align_down(p.pa, size);
    if (!access_check_tags(cpu, &p, align_down(va, size), size, flags))
        return false;
    if (!phys_zero(cpu->d.host.phys, p.pa, size, p.attrs))
        return access_raise(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
    fast_fill(cpu, &p, align_down(va, size), flags);
    access_observe(cpu, align_down(va, size), p.pa, size, true, 0);
    return true;
}

struct fetch_page mem_fetch_page(struct cpu *cpu, u64 va)
{
    struct place p;
    if (!access_translate(cpu, va, ACC_FETCH, false, &p))
        return (struct fetch_page){ .ok = false };
    u32 owner = tlb_index(cpu, p.entry);
    tlb_note_xpage(cpu, owner, (u32)(xpage_of(cpu, va) - cpu->d.xpage));
    return (struct fetch_page){ .pa = p.pa & ~0xfffull,
                                .ok = true,
                                .ns = p.attrs.ns,
                                .guarded = !!(p.entry->perm & TLB_GP),
                                .device = p.type != MEM_NORMAL,
                                .owner = owner };
}
