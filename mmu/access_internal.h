/*
 * Memory access from the inside: what the exact path (access.c), the fast tags (fast.c), atomics (atomic.c) and
 * allocation tags (tags.c) share. Others include mmu/access.h. Functions that return bool are false when the access
 * ends there: with the exception in cpu->d.exc.
 */
#ifndef MMU_ACCESS_INTERNAL_H
#define MMU_ACCESS_INTERNAL_H

#include "cpu/exception.h"
#include "cpu/observer.h"
#include "mmu/access.h"
#include "mmu/context.h"
#include "mmu/phys.h"
#include "mmu/tlb.h"
#include "mmu/walk.h"

/* Where an access goes. */
struct place {
    u64 pa;
    struct phys_attrs attrs;
    const struct tlb_entry *entry;
    u8 type; /* MEM_* of this access */
};

/* ---- access.c ---- */

/* Raises what a walk or a check of tags found. Always false. */
bool access_raise_fault(struct cpu *cpu, const struct fault *f, u64 va, unsigned flags);
/* The same for a fault that no walk found: FAULT_*, RULE_*. */
bool access_raise(struct cpu *cpu, unsigned kind, unsigned rule, u64 va, unsigned flags);
/* Where va lies, when its page permits the access. `unaligned`: Device memory does not. */
bool access_translate(struct cpu *cpu, u64 va, unsigned flags, bool unaligned, struct place *p);
/* Is `va` misaligned for an access of this size and kind, and is that a fault (B2.6.2, AArch64.CheckAlignment)? */
bool access_check_alignment(struct cpu *cpu, u64 va, unsigned size, unsigned flags, bool *unaligned);
/* Size (1, 2, 4, 8) bytes within one page, in memory order. What isn't RAM and isn't aligned goes byte by byte. */
bool access_read_place(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 *value);
bool access_write_place(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 value);

/* ---- fast.c ---- */

/* Enters the page of a RAM access that needs nothing unusual. */
void fast_fill(struct cpu *cpu, const struct place *p, u64 va, unsigned flags);
/* The host address by the tag, from the exact path; NULL: no tag, or somebody looks in. */
u8 *fast_try(struct cpu *cpu, u64 va, unsigned size, unsigned flags);
/* What an access asks the tags with. */
static inline const struct fast_context *fast_context_of(struct cpu *cpu, unsigned flags)
{
    return flags & ACC_UNPRIV ? &cpu->d.unpriv : &cpu->d.data;
}
/* A store to a page that is in the fast tags and would have a write tag but for the decoded code in it: no translation,
 * only the way through phys_write. False: not such a page, nothing raised. */
bool fast_store_decoded(struct cpu *cpu, const struct fast_entry *f, u64 va, u64 value, unsigned size, unsigned flags);
static inline bool fast_store_code(struct cpu *cpu, u64 va, u64 value, unsigned size, unsigned flags)
{
    const struct fast_context *c = fast_context_of(cpu, flags);
    const struct fast_entry *f = fast_entry(cpu, va, c);
    return f->owner & FAST_CODE && f->r == ((va & (~0xfffull | (size - 1))) | c->ctx) &&
           fast_store_decoded(cpu, f, va, value, size, flags);
}

/* The entry of a page without RAM, for an aligned access that nobody looks at and that is not as EL0's (LDTR, STTR);
 * NULL: none. right: FAST_DEVICE_READ or FAST_DEVICE_WRITE. */
static inline const struct fast_entry *fast_device(struct cpu *cpu, u64 va, unsigned size, unsigned flags, u64 right)
{
    const struct observer *o = cpu->d.host.observer;
    const struct fast_context *c = &cpu->d.data;
    const struct fast_entry *f = fast_entry(cpu, va, c);
    bool found =
        f->addend == ((va & ~0xfffull) | c->ctx) && (f->owner & (FAST_DEVICE | right)) == (FAST_DEVICE | right);
    return unlikely(found) && !(va & (size - 1)) && !(flags & (ACC_CACHE | ACC_NV2 | ACC_UNPRIV)) &&
                   !cpu->d.watchpoints && !(o && (o->data || o->access || o->memory))
               ? f
               : NULL;
}

/* ---- tags.c ---- */

/* The Tag Check Fault of an access to Tagged memory, where it is a checked one (FEAT_MTE2). */
bool tags_check(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags);
static inline bool access_check_tags(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags)
{
    return likely(!(p->entry->perm & TLB_TAGGED)) || tags_check(cpu, p, va, size, flags);
}

/* ---- in all of them ---- */

/* The EL whose regime translates: a nested access is EL2's (AccessType_NV2). */
static inline unsigned access_el(const struct cpu *cpu, unsigned flags)
{
    return unlikely(flags & ACC_NV2) ? 2 : cpu->ps.el;
}

/* EL0 accesses, or LDTR and STTR do for it. */
static inline bool access_as_el0(struct cpu *cpu, unsigned flags)
{
    return cpu->ps.el == 0 || (flags & ACC_UNPRIV && mmu_unpriv_applies(cpu));
}

/* Does an observer want to see accesses to this page? */
static inline bool access_observed(struct cpu *cpu, u64 va, u64 pa)
{
    const struct observer *o = cpu->d.host.observer;
    return unlikely(o && o->data) && o->data(o->data_ctx, cpu, va, pa);
}

/* Before an access: false when an observer wants to stop at this instruction. */
static inline bool access_allowed(struct cpu *cpu, u64 va, u64 pa, unsigned size, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    if (likely(!o || !o->access) || cpu->d.threaded || flags & (ACC_CACHE | ACC_FETCH) ||
        o->access(o->access_ctx, cpu, va, pa, size, flags & ACC_WRITE))
        return true;
    cpu->d.exc.kind = EXC_RESTART;
    return false;
}

/* False: a watchpoint of the guest's matches the access, which the translation permits. */
static inline bool access_unwatched(struct cpu *cpu, u64 va, unsigned size, unsigned flags)
{
    return likely(!cpu->d.watchpoints) || !watchpoint_hit(cpu, va, size, flags, access_as_el0(cpu, flags));
}

/* After an access: shows an observer what was read or written. */
static inline void access_observe(struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value)
{
    const struct observer *o = cpu->d.host.observer;
    if (o && o->memory)
        o->memory(o->memory_ctx, cpu, va, pa, size, write, value);
}

static inline u64 access_swap_bytes(u64 v, unsigned size) { return __builtin_bswap64(v) >> (64 - 8 * size); }

/* A value of memory as the data of `el` has it, and back: SCTLR_ELx.EE, E0E. */
static inline u64 access_in_order_of(struct cpu *cpu, unsigned el, u64 v, unsigned size)
{
    return unlikely(mmu_view(cpu, el)->big_endian) ? access_swap_bytes(v, size) : v;
}

static inline u64 access_in_order(struct cpu *cpu, u64 v, unsigned size)
{
    return access_in_order_of(cpu, cpu->ps.el, v, size);
}

static inline bool access_size_ok(unsigned size) { return size && size <= 8 && is_pow2(size); }

#endif
