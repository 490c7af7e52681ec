/*
 * The fast path's tags (cpu->d.fast; how they are compared: mmu/access.h): entering them, those pushed out lately, and
 * their use from the exact path. Nothing here is of the architecture: a tag stands for an entry of the TLB whose
 * translation, permission and memory type were found good for a context, and goes when that entry goes (tlb.c) or the
 * page gets code, a watched byte or a watchpoint. Which contexts there are is context.c's.
 */
#include "mmu/access_internal.h"

/* A page without RAM: what its translation was found to be, for accesses that are aligned. */
static void device_fill(struct cpu *cpu, const struct place *p, u64 va, const struct fast_context *c, unsigned have)
{
    struct fast_entry *f = fast_entry(cpu, va, c);
    u32 index = tlb_index(cpu, p->entry);
    if (p->entry->perm & TLB_TAGGED || cpu->d.host.phys->ops->page)
        return;
    if (f->r)
        cpu->d.mmu.victim[cpu->d.mmu.victim_next++ % FAST_VICTIMS] = *f;
    *f = (struct fast_entry){ .addend = (va & ~0xfffull) | c->ctx };
    f->owner = FAST_DEVICE | (have & 1 ? FAST_DEVICE_READ : 0) | (have & 2 ? FAST_DEVICE_WRITE : 0) |
               (p->attrs.ns ? FAST_DEVICE_NS : 0) | p->pa >> 12 << 16 | index;
    tlb_note_fast(cpu, index, (u32)(f - cpu->d.fast));
}

/* A write tag only where reads are allowed too: atomics use it. Device memory may have tags where accesses that are not
 * aligned miss anyway. */
void fast_fill(struct cpu *cpu, const struct place *p, u64 va, unsigned flags)
{
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    bool el0 = access_as_el0(cpu, flags);
    const struct fast_context *c = fast_context_of(cpu, flags);
    u8 *page_flags = phys_flags(cpu->d.host.phys, p->pa);
    if (unlikely(p->entry->perm & TLB_TAGGED) && v->config.regime & REGIME_KEY_TAGS)
        return;
    unsigned have = el0 ? p->entry->perm : p->entry->perm >> 3;
    if (!context_known(c) || v->big_endian || flags & (ACC_CACHE | ACC_NV2) ||
        (!el0 && cpu->ps.pan && p->entry->perm & TLB_USER))
        return;
    if (!page_flags) {
        device_fill(cpu, p, va, c, have);
        return;
    }
    if (*page_flags & PAGE_WATCHED || access_observed(cpu, va, p->pa) ||
        (unlikely(cpu->d.watchpoints) && watchpoint_in_page(cpu, va)))
        return;
    if (p->type != MEM_NORMAL && !(v->strict || v->flat))
        return;
    struct phys_region *region = phys_find(cpu->d.host.phys, p->pa, p->attrs);
    if (!region || !(have & 1))
        return;
    u32 index = tlb_index(cpu, p->entry);
    struct fast_entry *f = fast_entry(cpu, va, c);
    u64 tag = (va & ~0xfffull) | c->ctx, owner = p->pa >> 12 << 16 | index;
    bool writable = flags & ACC_WRITE && have & 2 && !region->readonly;
    if (writable && *page_flags & PAGE_CODE)
        owner |= FAST_CODE;
    if (f->r != tag || (f->owner ^ owner) & ~(u64)FAST_CODE) {
        if (f->r)
            cpu->d.mmu.victim[cpu->d.mmu.victim_next++ % FAST_VICTIMS] = *f;
        f->w = 0;
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
        if (f->w && (f->w & ~0xfffull) + f->addend == (u64)(uintptr_t)host)
            f->w = 0;
}

void fast_drop_writes(struct cpu *cpu, u64 pa)
{
    const u8 *host = phys_page(cpu->d.host.phys, pa, (struct phys_attrs){ .privileged = 1 });
    if (!host)
        return;
    drop_write_tags(cpu->d.fast, FAST_ENTRIES, host);
    drop_write_tags(cpu->d.mmu.victim, FAST_VICTIMS, host);
}

static inline bool among_four(const struct fast_entry *v, u64 want, bool write)
{
    return write ? v[0].w == want || v[1].w == want || v[2].w == want || v[3].w == want
                 : v[0].r == want || v[1].r == want || v[2].r == want || v[3].r == want;
}

/* The entry of va's page, or the one among those that were pushed out lately that then changes places with the one that
 * pushed; NULL: none. */
static const struct fast_entry *fast_find(struct cpu *cpu, u64 va, const struct fast_context *c, bool write)
{
    u64 want = (va & ~0xfffull) | c->ctx;
    struct fast_entry *f = fast_entry(cpu, va, c), old = *f;
    if ((write ? f->w : f->r) == want)
        return f;
    static_assert(FAST_VICTIMS == 8, "as many as are looked at");
    if (likely(!among_four(cpu->d.mmu.victim, want, write) && !among_four(cpu->d.mmu.victim + 4, want, write)))
        return NULL;
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

/* Only where nobody looks in: the threaded engine shows nobody anything. */
u8 *fast_try(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    const struct fast_context *c = fast_context_of(cpu, flags);
    if ((o && o->memory && !cpu->d.threaded) || !context_known(c) || flags & (ACC_CACHE | ACC_NV2))
        return NULL;
    if ((va & 4095) > 4096 - size || (c->wide != c->ctx && va & (size - 1)))
        return NULL;
    const struct fast_entry *f = fast_find(cpu, va, c, flags & ACC_WRITE);
    return f ? (u8 *)(uintptr_t)(va + f->addend) : NULL;
}

bool fast_store_decoded(struct cpu *cpu, const struct fast_entry *f, u64 va, u64 value, unsigned size, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    if ((o && o->memory) || flags & (ACC_CACHE | ACC_NV2) || !context_known(fast_context_of(cpu, flags)))
        return false;
    u64 pa = FAST_PAGE(f->owner) | (va & 0xfff);
    const u8 *page_flags = phys_flags(cpu->d.host.phys, pa);
    if (!page_flags || (*page_flags & (PAGE_CODE | PAGE_WATCHED)) != PAGE_CODE)
        return false; /* it may have a write tag again */
    u32 owner = FAST_OWNER(f->owner);
    bool ns = cpu->tlb.entry[owner / TLB_WAYS][owner % TLB_WAYS].ns;
    return phys_write(cpu->d.host.phys, pa, size, phys_attrs_make(ns, cpu->index, cpu->ps.el != 0), value);
}
