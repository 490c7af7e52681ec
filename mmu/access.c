/*
 * Memory access by virtual address, the exact path behind the fast tags (Arm ARM B2.2-B2.5, D8; Mem[], MemSingle[],
 * AArch64.CheckAlignment, MemAtomic of the shared pseudocode).
 *
 * An access that fails changes nothing but cpu->d.exc. Named choices: a store that crosses a page checks both pages
 * before it writes a byte; an exclusive or atomic access to something that isn't RAM is an unsupported-exclusive fault;
 * a store exclusive is checked for aborts before the monitor is looked at. Watchpoints are asked when all pages of an
 * access permit it; pages with a watched byte have no fast tags.
 */
#include "mmu/access.h"

#include "cpu/exception.h"
#include "cpu/observer.h"
#include "mmu/context.h"
#include "mmu/phys.h"
#include "mmu/tags.h"
#include "mmu/tlb.h"
#include "mmu/walk.h"

/* Where an access goes. */
struct place {
    u64 pa;
    struct phys_attrs attrs;
    const struct tlb_entry *entry;
    u8 type; /* MEM_* of this access */
};

static bool raise_fault(struct cpu *cpu, const struct fault *f, u64 va, unsigned flags)
{
    if (!(flags & ACC_DEBUG))
        exc_abort(cpu, f, va, flags);
    return false;
}

/* The EL whose regime translates: a nested access is EL2's (AccessType_NV2). */
static unsigned access_el(const struct cpu *cpu, unsigned flags) { return unlikely(flags & ACC_NV2) ? 2 : cpu->ps.el; }

/* A fault that no walk found. */
static bool raise_plain(struct cpu *cpu, unsigned kind, unsigned rule, u64 va, unsigned flags)
{
    struct fault f = { .kind = (u8)kind,
                       .rule = (u8)rule,
                       .fsc = fault_fsc(kind, 0),
                       .cm = !!(flags & ACC_CACHE),
                       .fetch = !!(flags & ACC_FETCH),
                       .regime = mmu_view(cpu, access_el(cpu, flags))->regime };
    f.wnr = f.cm || ((flags & ACC_WRITE) && !(flags & ACC_RMW));
    return raise_fault(cpu, &f, va, flags);
}

/* ---- translation ---- */

static bool with_el0_rights(struct cpu *cpu, unsigned flags)
{
    return cpu->ps.el == 0 || (flags & ACC_UNPRIV && mmu_unpriv_applies(cpu));
}

/* Does PSTATE.PAN apply to it? */
static bool with_pan(struct cpu *cpu, unsigned flags, bool el0)
{
    return cpu->ps.pan && !el0 && !(flags & (ACC_CACHE | ACC_NV2)) && !mmu_view(cpu, cpu->ps.el)->nv_nv1;
}

static bool reads(unsigned flags) { return flags & ACC_RMW || !(flags & (ACC_FETCH | ACC_WRITE)); }

static struct walk_access describe(struct cpu *cpu, unsigned flags, bool unaligned)
{
    bool cache = flags & ACC_CACHE, el0 = with_el0_rights(cpu, flags);
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

/* Does an observer want to see accesses to this page? */
static bool observed(struct cpu *cpu, u64 va, u64 pa)
{
    const struct observer *o = cpu->d.host.observer;
    return unlikely(o && o->data) && o->data(o->who, cpu, va, pa);
}

/* Before an access: false when an observer wants to stop at this instruction. */
static bool allowed(struct cpu *cpu, u64 va, u64 pa, unsigned size, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    if (likely(!o || !o->access) || cpu->d.threaded || flags & (ACC_CACHE | ACC_DEBUG | ACC_FETCH) ||
        o->access(o->who, cpu, va, pa, size, flags & ACC_WRITE))
        return true;
    cpu->d.exc.kind = EXC_RESTART;
    return false;
}

/* False: a watchpoint of the guest's matches the access, which the translation permits. */
static bool unwatched(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    return likely(!cpu->d.watchpoints) || !watchpoint_hit(cpu, va, size, flags, with_el0_rights(cpu, flags));
}

/* Walks, and enters what was found in place of e (NULL: none). NULL: a fault, raised. */
static NOINLINE const struct tlb_entry *refill(struct cpu *cpu, const struct mmu_view *v, u64 va, u64 plain,
                                               unsigned flags, bool unaligned, const struct tlb_entry *e)
{
    struct regime_desc r;
    struct translation t;
    walk(mmu_view_regime(cpu, v, &r), va, describe(cpu, flags, unaligned), NULL, &t);
    if (!t.ok) {
        raise_fault(cpu, &t.fault, va, flags);
        return NULL;
    }
    if (e)
        tlb_drop(cpu, e);
    return tlb_fill(cpu, v, plain, &t);
}

static bool translate(struct cpu *cpu, u64 va, unsigned flags, bool unaligned, struct place *p)
{
    const struct mmu_view *v = mmu_view(cpu, access_el(cpu, flags));
    bool fetch = flags & ACC_FETCH, el0 = with_el0_rights(cpu, flags);
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
    if (cpu->d.threaded && !fetch && observed(cpu, va, p->pa)) {
        cpu->d.exc.kind = EXC_RESTART;
        return false;
    }
    return true;
}

/* ---- fast tags ---- */

/* Enters the page of a RAM access that needs nothing unusual. A write tag only where reads are allowed too: atomics use
 * it. */
static void fill_fast(struct cpu *cpu, const struct place *p, u64 va, unsigned flags)
{
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    bool el0 = with_el0_rights(cpu, flags), unpriv = flags & ACC_UNPRIV;
    const struct fast_context *c = unpriv ? &cpu->d.unpriv : &cpu->d.data;
    u8 *page_flags = phys_flags(cpu->d.host.phys, p->pa);
    if (unlikely(p->entry->perm & TLB_TAGGED) && v->config.regime & REGIME_KEY_TAGS)
        return;
    if (!c->ctx || !page_flags || *page_flags & PAGE_WATCHED || v->big_endian || flags & (ACC_CACHE | ACC_NV2) ||
        observed(cpu, va, p->pa) || (unlikely(cpu->d.watchpoints) && watchpoint_in_page(cpu, va)))
        return;
    if (p->type != MEM_NORMAL && !(v->strict || v->flat))
        return;
    struct phys_region *region = phys_find(cpu->d.host.phys, p->pa, p->attrs);
    unsigned have = el0 ? p->entry->perm : p->entry->perm >> 3;
    if (!region || !(have & 1) || (!el0 && cpu->ps.pan && p->entry->perm & TLB_USER))
        return;
    u32 index = tlb_index(cpu, p->entry);
    struct fast_entry *f = fast_entry(cpu, va, c);
    u64 tag = (va & ~0xfffull) | c->ctx, owner = p->pa >> 12 << 16 | index;
    bool writable = flags & ACC_WRITE && have & 2 && !region->readonly;
    if (writable && *page_flags & PAGE_CODE)
        owner |= FAST_CODE;
    if (f->r != tag || (f->owner ^ owner) & ~(u64)FAST_CODE) {
        if (f->r != ~0ull)
            cpu->d.mmu.victim[cpu->d.mmu.victim_next++ % FAST_VICTIMS] = *f;
        *f = (struct fast_entry){ .w = ~0ull };
    }
    f->r = tag;
    f->owner = owner;
    f->addend = (u64)(uintptr_t)(region->host + (p->pa - region->base)) - va;
    if (writable && !(*page_flags & PAGE_CODE)) {
        f->w = tag;
        *page_flags |= PAGE_TOUCHED | PAGE_DIRTY | PAGE_TAGGED;
    }
    tlb_note_fast(cpu, index, (u32)(f - cpu->d.fast));
}

static void drop_write_tags(struct fast_entry *f, unsigned count, const u8 *host)
{
    for (; count--; f++)
        if (f->w != ~0ull && (f->w & ~0xfffull) + f->addend == (u64)(uintptr_t)host)
            f->w = ~0ull;
}

void mmu_drop_write_tags(struct cpu *cpu, u64 pa)
{
    const u8 *host = phys_page(cpu->d.host.phys, pa, (struct phys_attrs){ .privileged = 1 });
    if (!host)
        return;
    drop_write_tags(cpu->d.fast, FAST_ENTRIES, host);
    drop_write_tags(cpu->d.mmu.victim, FAST_VICTIMS, host);
}

/* The entry of va's page, or the one among those that were pushed out lately that then changes places with the one that
 * pushed; NULL: none. */
static const struct fast_entry *fast_find(struct cpu *cpu, u64 va, const struct fast_context *c, bool write)
{
    u64 want = (va & ~0xfffull) | c->ctx;
    struct fast_entry *f = fast_entry(cpu, va, c), old = *f;
    if ((write ? f->w : f->r) == want)
        return f;
    for (unsigned n = 0; n < FAST_VICTIMS; n++) {
        struct fast_entry *v = &cpu->d.mmu.victim[n];
        if ((write ? v->w : v->r) != want)
            continue;
        *f = *v;
        *v = old;
        return f;
    }
    return NULL;
}

/* The fast tag from slow paths: only where nobody looks in (the threaded engine shows nobody anything). */
static u8 *fast_try(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    const struct fast_context *c = flags & ACC_UNPRIV ? &cpu->d.unpriv : &cpu->d.data;
    if ((o && o->memory && !cpu->d.threaded) || !c->ctx || flags & (ACC_CACHE | ACC_DEBUG | ACC_NV2))
        return NULL;
    if ((va & 4095) > 4096 - size || (c->wide != c->ctx && va & (size - 1)))
        return NULL;
    const struct fast_entry *f = fast_find(cpu, va, c, flags & ACC_WRITE);
    return f ? (u8 *)(uintptr_t)(va + f->addend) : NULL;
}

/* A store to a page that is in the fast tags and would have a write tag but for the decoded code in it: no translation,
 * only the way through phys_write. False: not such a page. */
static bool store_code(struct cpu *cpu, u64 va, u64 value, unsigned size, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    const struct fast_context *c = flags & ACC_UNPRIV ? &cpu->d.unpriv : &cpu->d.data;
    const struct fast_entry *f = fast_entry(cpu, va, c);
    if (!(f->owner & FAST_CODE) || f->r != ((va & (~0xfffull | (size - 1))) | c->ctx) || (o && o->memory) ||
        flags & (ACC_CACHE | ACC_DEBUG | ACC_NV2) || !c->ctx)
        return false;
    u64 pa = FAST_PAGE(f->owner) | (va & 0xfff);
    const u8 *page_flags = phys_flags(cpu->d.host.phys, pa);
    if (!page_flags || (*page_flags & (PAGE_CODE | PAGE_WATCHED)) != PAGE_CODE)
        return false; /* it may have a write tag again */
    u32 owner = FAST_OWNER(f->owner);
    bool ns = cpu->tlb.entry[owner / TLB_WAYS][owner % TLB_WAYS].ns;
    return phys_write(cpu->d.host.phys, pa, size, phys_attrs_make(ns, cpu->index, cpu->ps.el != 0), value);
}

static void observe(struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value)
{
    const struct observer *o = cpu->d.host.observer;
    if (o && o->memory)
        o->memory(o->who, cpu, va, pa, size, write, value);
}

/* ---- bytes ---- */

static u64 swap_bytes(u64 v, unsigned size) { return __builtin_bswap64(v) >> (64 - 8 * size); }

static u64 in_order_of(struct cpu *cpu, unsigned el, u64 v, unsigned size)
{
    return unlikely(mmu_view(cpu, el)->big_endian) ? swap_bytes(v, size) : v;
}

static u64 in_order(struct cpu *cpu, u64 v, unsigned size) { return in_order_of(cpu, cpu->ps.el, v, size); }

/* Reads within one page, in memory order. What isn't RAM and isn't aligned is read byte by byte. */
static bool place_read(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 *value)
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
    return ok ? true : raise_plain(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
}

static bool place_write(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 value)
{
    struct phys *phys = cpu->d.host.phys;
    if (likely(phys_write(phys, p->pa, size, p->attrs, value)))
        return true;
    bool ok = p->pa & (size - 1);
    for (unsigned n = 0; ok && n < size; n++)
        ok = phys_write(phys, p->pa + n, 1, p->attrs, value >> 8 * n & 0xff);
    return ok ? true : raise_plain(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
}

/* Is `va` misaligned for an access of this size and kind, and is that a fault (B2.6.2, AArch64.CheckAlignment)? */
static bool check_alignment(struct cpu *cpu, u64 va, unsigned size, unsigned flags, bool *unaligned)
{
    *unaligned = va & (size - 1);
    if (likely(!*unaligned))
        return true;
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    bool atomic = flags & ACC_ATOMIC, ordered = flags & ACC_ORDERED;
    if (v->strict && !(flags & ACC_CACHE))
        return raise_plain(cpu, FAULT_ALIGNMENT, RULE_ALIGN_A, va, flags);
    if (v->feat & WALK_LSE2) {
        bool crosses = (va & 15) + size > 16;
        atomic = atomic && crosses;
        ordered = ordered && crosses && !v->naa;
    }
    if (atomic || ordered)
        return raise_plain(cpu, FAULT_ALIGNMENT, RULE_ALIGN_ATOMIC, va, flags);
    return true;
}

/* The places of `size` bytes (at most 4096) at va, which may cross a page: first bytes in [0], the rest in [1]. */
struct places {
    struct place at[2];
    unsigned size[2];
};

/* The Tag Check Fault of a checked access to Tagged memory (FEAT_MTE2). */
static bool check_tags(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags)
{
    u64 fault_va;
    if (likely(!(p->entry->perm & TLB_TAGGED)) || flags & (ACC_CACHE | ACC_DEBUG | ACC_SP | ACC_TAGS | ACC_NV2))
        return true;
    bool write = flags & ACC_WRITE, read = !write || flags & ACC_RMW;
    if (likely(tags_check(cpu, va, p->pa, p->attrs, size, with_el0_rights(cpu, flags), write, read, &fault_va)))
        return true;
    struct fault f = { .kind = FAULT_TAG,
                       .rule = RULE_TAG,
                       .fsc = 0x11,
                       .wnr = write && !(flags & ACC_RMW),
                       .regime = mmu_view(cpu, cpu->ps.el)->regime };
    return raise_fault(cpu, &f, fault_va, flags);
}

static bool find_places(struct cpu *cpu, u64 va, unsigned size, unsigned flags, bool unaligned, struct places *ps)
{
    unsigned left = 4096 - (unsigned)(va & 0xfff);
    ps->size[0] = size < left ? size : left;
    ps->size[1] = size - ps->size[0];
    return translate(cpu, va, flags, unaligned, &ps->at[0]) &&
           (!ps->size[1] || translate(cpu, va + ps->size[0], flags, unaligned, &ps->at[1])) &&
           unwatched(cpu, va, size, flags) && allowed(cpu, va, ps->at[0].pa, size, flags) &&
           check_tags(cpu, &ps->at[0], va, ps->size[0], flags) &&
           (!ps->size[1] || check_tags(cpu, &ps->at[1], va + ps->size[0], ps->size[1], flags));
}

/* An entry found for the first page may have been replaced by the second page's fill: only the first is entered then.
 */
static void fill_fast_places(struct cpu *cpu, const struct places *ps, u64 va, unsigned flags)
{
    if (!ps->size[1])
        fill_fast(cpu, &ps->at[0], va, flags);
}

/* Reads size (1..8) bytes in memory order, crossing pages if it must. */
static bool places_read(struct cpu *cpu, const struct places *ps, u64 va, unsigned size, unsigned flags, u64 *value)
{
    if (likely(!ps->size[1]))
        return place_read(cpu, &ps->at[0], va, size, flags, value);
    *value = 0;
    for (unsigned n = 0; n < size; n++) {
        unsigned second = n >= ps->size[0];
        struct place p = ps->at[second];
        u64 byte;
        p.pa += second ? n - ps->size[0] : n;
        if (!place_read(cpu, &p, va + n, 1, flags, &byte))
            return false;
        *value |= byte << 8 * n;
    }
    return true;
}

static bool places_write(struct cpu *cpu, const struct places *ps, u64 va, unsigned size, unsigned flags, u64 value)
{
    if (likely(!ps->size[1]))
        return place_write(cpu, &ps->at[0], va, size, flags, value);
    for (unsigned n = 0; n < size; n++) {
        unsigned second = n >= ps->size[0];
        struct place p = ps->at[second];
        p.pa += second ? n - ps->size[0] : n;
        if (!place_write(cpu, &p, va + n, 1, flags, value >> 8 * n & 0xff))
            return false;
    }
    return true;
}

/* ---- loads and stores ---- */

static bool size_ok(unsigned size) { return size && size <= 8 && is_pow2(size); }

struct mem_val mem_read(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    struct mem_val none = { 0, false };
    struct places ps;
    bool unaligned;
    u64 value;
    assert(size_ok(size));
    const u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(flags & (ACC_ATOMIC | ACC_ORDERED) && va & (size - 1))) {
        u64 v = 0;
        memcpy(&v, host, size);
        return (struct mem_val){ v, true };
    }
    if (!check_alignment(cpu, va, size, flags, &unaligned) || !find_places(cpu, va, size, flags, unaligned, &ps) ||
        !places_read(cpu, &ps, va, size, flags, &value))
        return none;
    fill_fast_places(cpu, &ps, va, flags);
    value = in_order_of(cpu, access_el(cpu, flags), value, size);
    observe(cpu, va, ps.at[0].pa, size, false, value);
    return (struct mem_val){ value, true };
}

bool mem_write(struct cpu *cpu, u64 va, u64 value, unsigned size, unsigned flags)
{
    struct places ps;
    bool unaligned;
    assert(size_ok(size));
    flags |= ACC_WRITE;
    if (store_code(cpu, va, value, size, flags))
        return true;
    u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(flags & (ACC_ATOMIC | ACC_ORDERED) && va & (size - 1))) {
        memcpy(host, &value, size);
        return true;
    }
    if (!check_alignment(cpu, va, size, flags, &unaligned) || !find_places(cpu, va, size, flags, unaligned, &ps) ||
        !places_write(cpu, &ps, va, size, flags, in_order_of(cpu, access_el(cpu, flags), value, size)))
        return false;
    fill_fast_places(cpu, &ps, va, flags);
    observe(cpu, va, ps.at[0].pa, size, true, value);
    return true;
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
    if (!check_alignment(cpu, va, 16, flags, &unaligned) || !halves(cpu, va, flags, unaligned, half))
        return r;
    for (unsigned n = 0; n < 2; n++) {
        if (!places_read(cpu, &half[n], va + 8 * n, 8, flags, &r.v.d[n]))
            return r;
        observe(cpu, va + 8 * n, half[n].at[0].pa, 8, false, r.v.d[n]);
    }
    fill_fast_places(cpu, &half[1], va + 8, flags);
    if (mmu_view(cpu, cpu->ps.el)->big_endian)
        r.v = (union vreg){ .d = { swap_bytes(r.v.d[1], 8), swap_bytes(r.v.d[0], 8) } };
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
        value = (union vreg){ .d = { swap_bytes(value.d[1], 8), swap_bytes(value.d[0], 8) } };
    if (!check_alignment(cpu, va, 16, flags, &unaligned) || !halves(cpu, va, flags, unaligned, half))
        return false;
    for (unsigned n = 0; n < 2; n++) {
        if (!places_write(cpu, &half[n], va + 8 * n, 8, flags, value.d[n]))
            return false;
        observe(cpu, va + 8 * n, half[n].at[0].pa, 8, true, value.d[n]);
    }
    fill_fast_places(cpu, &half[1], va + 8, flags);
    return true;
}

bool mem_write_pair(struct cpu *cpu, u64 va, u64 first, u64 second, unsigned size, unsigned flags)
{
    struct places ps[2];
    const u64 value[2] = { first, second };
    assert(size_ok(size));
    flags |= ACC_WRITE;
    u8 *host = fast_try(cpu, va, 2 * size, flags);
    if (host) {
        memcpy(host, &first, size);
        memcpy(host + size, &second, size);
        return true;
    }
    for (unsigned n = 0; n < 2; n++) {
        bool unaligned;
        if (!check_alignment(cpu, va + n * size, size, flags, &unaligned) ||
            !find_places(cpu, va + n * size, size, flags, unaligned, &ps[n]))
            return false;
    }
    for (unsigned n = 0; n < 2; n++) {
        if (!places_write(cpu, &ps[n], va + n * size, size, flags, in_order(cpu, value[n] & ones(8 * size), size)))
            return false;
        observe(cpu, va + n * size, ps[n].at[0].pa, size, true, value[n]);
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
    if (unaligned && !check_alignment(cpu, va, size, flags, &unaligned))
        return false;
    if (!find_places(cpu, va, size, flags, unaligned, &ps))
        return false;
    if (flags & ACC_CACHE)
        fill_fast_places(cpu, &ps, va, flags & ~(unsigned)(ACC_CACHE | ACC_WRITE | ACC_CMOW1 | ACC_CMOW2));
    return true;
}

/* ---- atomics ---- */

/* Host address of an aligned place in RAM that may be read and written, with its bytes about to change; NULL: not RAM.
 */
static bool atomic_place(struct cpu *cpu, u64 va, unsigned size, unsigned flags, struct place *p)
{
    bool unaligned;
    if (!check_alignment(cpu, va, size, flags | ACC_ATOMIC, &unaligned) || !translate(cpu, va, flags, unaligned, p) ||
        !unwatched(cpu, va, size, flags) || !allowed(cpu, va, p->pa, size, flags))
        return false;
    if (!check_tags(cpu, p, va, size, flags))
        return false;
    if (!phys_page(cpu->d.host.phys, p->pa, p->attrs))
        return raise_plain(cpu, FAULT_EXCLUSIVE, RULE_EXTERNAL, va, flags);
    return true;
}

struct mem_val mem_atomic(struct cpu *cpu, u64 va, enum atomic_op op, u64 operand, unsigned size, unsigned flags)
{
    struct place p;
    u64 old = 0;
    assert(size_ok(size));
    flags |= ACC_WRITE | ACC_RMW | ACC_ATOMIC;
    operand &= ones(8 * size);
    u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(va & (size - 1))) {
        memcpy(&old, host, size);
        u64 new = atomic_result(op, old, operand, size);
        memcpy(host, &new, size);
        return (struct mem_val){ old, true };
    }
    if (!atomic_place(cpu, va, size, flags, &p) || !place_read(cpu, &p, va, size, flags, &old))
        return (struct mem_val){ 0, false };
    old = in_order(cpu, old, size);
    u64 new = atomic_result(op, old, operand, size) & ones(8 * size);
    if (!place_write(cpu, &p, va, size, flags, in_order(cpu, new, size)))
        return (struct mem_val){ 0, false };
    fill_fast(cpu, &p, va, flags);
    observe(cpu, va, p.pa, size, false, old);
    observe(cpu, va, p.pa, size, true, new);
    return (struct mem_val){ old, true };
}

struct mem_val mem_cas(struct cpu *cpu, u64 va, u64 compare, u64 swap, unsigned size, unsigned flags)
{
    struct place p;
    u64 old = 0;
    assert(size_ok(size));
    flags |= ACC_WRITE | ACC_RMW | ACC_ATOMIC;
    compare &= ones(8 * size);
    swap &= ones(8 * size);
    u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(va & (size - 1))) {
        memcpy(&old, host, size);
        if (old == compare)
            memcpy(host, &swap, size);
        return (struct mem_val){ old, true };
    }
    if (!atomic_place(cpu, va, size, flags, &p) || !place_read(cpu, &p, va, size, flags, &old))
        return (struct mem_val){ 0, false };
    old = in_order(cpu, old, size);
    observe(cpu, va, p.pa, size, false, old);
    if (old == compare) {
        if (!place_write(cpu, &p, va, size, flags, in_order(cpu, swap, size)))
            return (struct mem_val){ 0, false };
        observe(cpu, va, p.pa, size, true, swap);
    }
    fill_fast(cpu, &p, va, flags);
    return (struct mem_val){ old, true };
}

/* Two elements of `size` in one access of twice that: the first register holds the lower address, in either byte order
 * for 8-byte elements; a 32-bit pair is one 8-byte value, so that big-endian data swaps them back. */
static bool pair_read(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 out[2])
{
    for (unsigned n = 0; n < 2; n++) {
        struct place q = *p;
        q.pa += n * size;
        if (!place_read(cpu, &q, va + n * size, size, flags, &out[n]))
            return false;
        out[n] = in_order(cpu, out[n], size);
        observe(cpu, va + n * size, q.pa, size, false, out[n]);
    }
    return true;
}

static bool pair_write(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, const u64 in[2])
{
    for (unsigned n = 0; n < 2; n++) {
        struct place q = *p;
        q.pa += n * size;
        if (!place_write(cpu, &q, va + n * size, size, flags, in_order(cpu, in[n] & ones(8 * size), size)))
            return false;
        observe(cpu, va + n * size, q.pa, size, true, in[n]);
    }
    return true;
}

struct mem_val128 mem_casp(struct cpu *cpu, u64 va, union vreg compare, union vreg swap, unsigned size, unsigned flags)
{
    struct mem_val128 r = { .ok = false };
    struct place p;
    assert(size == 4 || size == 8);
    flags |= ACC_WRITE | ACC_RMW | ACC_ATOMIC;
    if (!atomic_place(cpu, va, 2 * size, flags, &p) || !pair_read(cpu, &p, va, size, flags, r.v.d))
        return r;
    u64 mask = ones(8 * size);
    if (r.v.d[0] == (compare.d[0] & mask) && r.v.d[1] == (compare.d[1] & mask) &&
        !pair_write(cpu, &p, va, size, flags, swap.d))
        return r;
    fill_fast(cpu, &p, va, flags);
    r.ok = true;
    return r;
}

struct mem_val128 mem_atomic128(struct cpu *cpu, u64 va, enum atomic_op op, u64 first, u64 second, unsigned flags)
{
    struct mem_val128 r = { .ok = false };
    struct place p;
    flags |= ACC_WRITE | ACC_RMW | ACC_ATOMIC;
    if (!atomic_place(cpu, va, 16, flags, &p) || !pair_read(cpu, &p, va, 8, flags, r.v.d))
        return r;
    const u64 new[2] = { atomic_result(op, r.v.d[0], first, 8), atomic_result(op, r.v.d[1], second, 8) };
    if (!pair_write(cpu, &p, va, 8, flags, new))
        return r;
    fill_fast(cpu, &p, va, flags);
    r.ok = true;
    return r;
}

/* ---- exclusives (B2.9) ---- */

static void set_monitor(struct cpu *cpu, u64 pa, unsigned size)
{
    cpu->excl_pa = pa;
    cpu->excl_size = size;
    cpu->excl_valid = 1;
}

/* Whether a store exclusive is made; the monitor is open afterwards. */
static bool pass_monitor(struct cpu *cpu, u64 pa, unsigned size)
{
    bool pass = cpu->excl_valid && cpu->excl_pa == pa && cpu->excl_size == size;
    cpu->excl_valid = 0;
    return pass;
}

/* The fast tag for an aligned exclusive of one register, with its physical address. */
static u8 *fast_exclusive(struct cpu *cpu, u64 va, unsigned size, bool pair, unsigned flags, u64 *pa)
{
    u8 *host = pair || va & (size - 1) ? NULL : fast_try(cpu, va, size, flags);
    return host && phys_of_host(cpu->d.host.phys, host, pa) ? host : NULL;
}

struct mem_val128 mem_read_exclusive(struct cpu *cpu, u64 va, unsigned size, bool pair, unsigned flags)
{
    struct mem_val128 r = { .ok = false };
    struct place p;
    assert(size && size <= 16 && is_pow2(size) && (size < 16 || pair));
    r.v.d[0] = r.v.d[1] = 0;
    const u8 *host = fast_exclusive(cpu, va, size, pair, flags, &p.pa);
    if (host) {
        memcpy(&r.v.d[0], host, size);
        set_monitor(cpu, p.pa, size);
        r.ok = true;
        return r;
    }
    if (!atomic_place(cpu, va, size, flags, &p))
        return r;
    if (pair) {
        if (!pair_read(cpu, &p, va, size / 2, flags, r.v.d))
            return r;
    } else {
        if (!place_read(cpu, &p, va, size, flags, &r.v.d[0]))
            return r;
        r.v.d[0] = in_order(cpu, r.v.d[0], size);
        observe(cpu, va, p.pa, size, false, r.v.d[0]);
    }
    fill_fast(cpu, &p, va, flags);
    set_monitor(cpu, p.pa, size);
    r.ok = true;
    return r;
}

struct excl_result mem_write_exclusive(struct cpu *cpu, u64 va, u64 lo, u64 hi, unsigned size, bool pair,
                                       unsigned flags)
{
    const u64 pair_value[2] = { lo, hi };
    struct place p;
    assert(size && size <= 16 && is_pow2(size) && (size < 16 || pair));
    flags |= ACC_WRITE;
    u8 *host = fast_exclusive(cpu, va, size, pair, flags, &p.pa);
    if (host) {
        bool pass = pass_monitor(cpu, p.pa, size);
        if (pass)
            memcpy(host, &lo, size);
        return (struct excl_result){ true, pass };
    }
    if (!atomic_place(cpu, va, size, flags, &p))
        return (struct excl_result){ false, false };
    if (!pass_monitor(cpu, p.pa, size))
        return (struct excl_result){ true, false };
    if (pair) {
        if (!pair_write(cpu, &p, va, size / 2, flags, pair_value))
            return (struct excl_result){ false, false };
    } else {
        lo &= ones(8 * size);
        if (!place_write(cpu, &p, va, size, flags, in_order(cpu, lo, size)))
            return (struct excl_result){ false, false };
        observe(cpu, va, p.pa, size, true, lo);
    }
    fill_fast(cpu, &p, va, flags);
    return (struct excl_result){ true, true };
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
    if (!translate(cpu, va, flags, false, &p) || !unwatched(cpu, va, size, flags) ||
        !allowed(cpu, align_down(va, size), align_down(p.pa, size), size, flags))
        return false;
    p.pa = align_down(p.pa, size);
    if (!check_tags(cpu, &p, align_down(va, size), size, flags))
        return false;
    if (!phys_zero(cpu->d.host.phys, p.pa, size, p.attrs))
        return raise_plain(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
    fill_fast(cpu, &p, align_down(va, size), flags);
    observe(cpu, align_down(va, size), p.pa, size, true, 0);
    return true;
}

/* ---- allocation tags ---- */

struct mem_val mem_tags_read(struct cpu *cpu, u64 va, unsigned granules)
{
    struct mem_val r = { 0, true };
    for (unsigned n = 0; n < granules; n++) {
        struct place p;
        u64 tag = 0;
        if (!translate(cpu, va + n * 16, ACC_READ | ACC_TAGS, false, &p) ||
            !unwatched(cpu, va + n * 16, 16, ACC_READ | ACC_TAGS))
            return (struct mem_val){ 0, false };
        if (p.entry->perm & TLB_TAGGED && tags_enabled(cpu, cpu->ps.el == 0))
            phys_read(cpu->d.host.phys, tag_pa(p.pa), 1, p.attrs, &tag);
        r.v |= (tag & 15) << 4 * n;
    }
    return r;
}

bool mem_tags_probe(struct cpu *cpu, u64 va)
{
    return va & 15 ? raise_plain(cpu, FAULT_ALIGNMENT, RULE_ALIGN_ATOMIC, va, ACC_WRITE) : true;
}

bool mem_tags_write(struct cpu *cpu, u64 va, unsigned granules, u64 tags, bool zero)
{
    struct place p[16];
    assert(granules && granules <= 16);
    if (!mem_tags_probe(cpu, va))
        return false;
    for (unsigned n = 0; n < granules; n++)
        if (!translate(cpu, va + n * 16, ACC_WRITE | ACC_TAGS, false, &p[n]) ||
            !unwatched(cpu, va + n * 16, 16, ACC_WRITE | ACC_TAGS))
            return false;
    for (unsigned n = 0; n < granules; n++) {
        if (zero && !phys_zero(cpu->d.host.phys, p[n].pa, 16, p[n].attrs))
            return raise_plain(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va + n * 16, ACC_WRITE);
        if (zero)
            observe(cpu, va + n * 16, p[n].pa, 16, true, 0);
        if (p[n].entry->perm & TLB_TAGGED && tags_enabled(cpu, cpu->ps.el == 0))
            phys_write(cpu->d.host.phys, tag_pa(p[n].pa), 1, p[n].attrs, tags >> 4 * n & 15);
    }
    return true;
}

bool mem_granules_probe(struct cpu *cpu, u64 va, u64 size)
{
    if (!(size & 15) && (!size || !(va & 15)))
        return true;
    return raise_plain(cpu, FAULT_ALIGNMENT, RULE_ALIGN_ATOMIC, va, ACC_WRITE);
}

bool mem_granule_set(struct cpu *cpu, u64 va, u8 value, unsigned flags)
{
    struct place p;
    u64 eight = value * 0x0101010101010101ull;
    flags |= ACC_WRITE | ACC_TAGS;
    if (!translate(cpu, va, flags, false, &p) || !unwatched(cpu, va, 16, flags))
        return false;
    for (unsigned at = 0; at < 16; at += 8) {
        if (!phys_write(cpu->d.host.phys, p.pa + at, 8, p.attrs, eight))
            return raise_plain(cpu, FAULT_EXTERNAL, RULE_EXTERNAL, va, flags);
        observe(cpu, va + at, p.pa + at, 8, true, eight);
    }
    if (p.entry->perm & TLB_TAGGED && tags_enabled(cpu, cpu->ps.el == 0 || flags & ACC_UNPRIV))
        phys_write(cpu->d.host.phys, tag_pa(p.pa), 1, p.attrs, bits(va, 59, 56));
    return true;
}

struct fetch_page mem_fetch_page(struct cpu *cpu, u64 va)
{
    struct place p;
    if (!translate(cpu, va, ACC_FETCH, false, &p))
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
