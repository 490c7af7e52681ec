/*
 * Atomic accesses (Arm ARM B2.2.1, B2.9; MemAtomic, MemAtomicCompareAndSwap, AArch64.ExclusiveMonitorsPass of the
 * shared pseudocode): FEAT_LSE's read-modify-writes and compare-and-swaps, pairs, FEAT_LSE128, and exclusives with
 * their monitor. PEs take turns between instructions, so that any access is single-copy atomic.
 *
 * Named choices: an exclusive or atomic access to something that isn't RAM is an unsupported-exclusive fault. The
 * monitor is local and global in one and wants the very bytes that were loaded; a PE's own stores leave it alone,
 * others open it by getting the turn, or from outside of the PEs (board/). A store exclusive is checked for aborts
 * before the monitor is looked at, but for memory that cannot be written (a ROM): that shows when the bytes move.
 */
#include "mmu/access_internal.h"

/* Finds the place of `size` aligned bytes in RAM, which the access may read, write or both as its flags say. False: it
 * may not, or they aren't RAM; the exception is in cpu->d.exc. */
static bool atomic_place(struct cpu *cpu, u64 va, unsigned size, unsigned flags, struct place *p)
{
    bool unaligned;
    if (!access_check_alignment(cpu, va, size, flags | ACC_ATOMIC, &unaligned) ||
        !access_translate(cpu, va, flags, unaligned, p) || !access_unwatched(cpu, va, size, flags) ||
        !access_allowed(cpu, va, p->pa, size, flags))
        return false;
    if (!access_check_tags(cpu, p, va, size, flags))
        return false;
    if (!phys_page(cpu->d.host.phys, p->pa, p->attrs))
        return access_raise(cpu, FAULT_EXCLUSIVE, RULE_EXTERNAL, va, flags);
    return true;
}

struct mem_val mem_atomic(struct cpu *cpu, u64 va, enum atomic_op op, u64 operand, unsigned size, unsigned flags)
{
    struct place p;
    u64 old = 0;
    assert(access_size_ok(size));
    flags |= ACC_WRITE | ACC_RMW | ACC_ATOMIC;
    operand &= ones(8 * size);
    u8 *host = fast_try(cpu, va, size, flags);
    if (host && !(va & (size - 1))) {
        memcpy(&old, host, size);
        u64 new = atomic_result(op, old, operand, size);
        memcpy(host, &new, size);
        return (struct mem_val){ old, true };
    }
    if (!atomic_place(cpu, va, size, flags, &p) || !access_read_place(cpu, &p, va, size, flags, &old))
        return (struct mem_val){ 0, false };
    old = access_in_order(cpu, old, size);
    u64 new = atomic_result(op, old, operand, size) & ones(8 * size);
    if (!access_write_place(cpu, &p, va, size, flags, access_in_order(cpu, new, size)))
        return (struct mem_val){ 0, false };
    fast_fill(cpu, &p, va, flags);
    access_observe(cpu, va, p.pa, size, false, old);
    access_observe(cpu, va, p.pa, size, true, new);
    return (struct mem_val){ old, true };
}

struct mem_val mem_cas(struct cpu *cpu, u64 va, u64 compare, u64 swap, unsigned size, unsigned flags)
{
    struct place p;
    u64 old = 0;
    assert(access_size_ok(size));
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
    if (!atomic_place(cpu, va, size, flags, &p) || !access_read_place(cpu, &p, va, size, flags, &old))
        return (struct mem_val){ 0, false };
    old = access_in_order(cpu, old, size);
    access_observe(cpu, va, p.pa, size, false, old);
    if (old == compare) {
        if (!access_write_place(cpu, &p, va, size, flags, access_in_order(cpu, swap, size)))
            return (struct mem_val){ 0, false };
        access_observe(cpu, va, p.pa, size, true, swap);
    }
    fast_fill(cpu, &p, va, flags);
    return (struct mem_val){ old, true };
}

/* Two elements of `size` in one access of twice that: the first register holds the lower address, in either byte order
 * (where big-endian data swaps a pair as one value, the manual's LDXP, STXP and CASP swap it back). */
static bool pair_read(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, u64 out[2])
{
    for (unsigned n = 0; n < 2; n++) {
        struct place q = *p;
        q.pa += n * size;
        if (!access_read_place(cpu, &q, va + n * size, size, flags, &out[n]))
            return false;
        out[n] = access_in_order(cpu, out[n], size);
        access_observe(cpu, va + n * size, q.pa, size, false, out[n]);
    }
    return true;
}

static bool pair_write(struct cpu *cpu, const struct place *p, u64 va, unsigned size, unsigned flags, const u64 in[2])
{
    for (unsigned n = 0; n < 2; n++) {
        struct place q = *p;
        q.pa += n * size;
        if (!access_write_place(cpu, &q, va + n * size, size, flags,
                                access_in_order(cpu, in[n] & ones(8 * size), size)))
            return false;
        access_observe(cpu, va + n * size, q.pa, size, true, in[n]);
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
    fast_fill(cpu, &p, va, flags);
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
    fast_fill(cpu, &p, va, flags);
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
static u8 *fast_try_exclusive(struct cpu *cpu, u64 va, unsigned size, bool pair, unsigned flags, u64 *pa)
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
    const u8 *host = fast_try_exclusive(cpu, va, size, pair, flags, &p.pa);
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
        if (!access_read_place(cpu, &p, va, size, flags, &r.v.d[0]))
            return r;
        r.v.d[0] = access_in_order(cpu, r.v.d[0], size);
        access_observe(cpu, va, p.pa, size, false, r.v.d[0]);
    }
    fast_fill(cpu, &p, va, flags);
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
    u8 *host = fast_try_exclusive(cpu, va, size, pair, flags, &p.pa);
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
        if (!access_write_place(cpu, &p, va, size, flags, access_in_order(cpu, lo, size)))
            return (struct excl_result){ false, false };
        access_observe(cpu, va, p.pa, size, true, lo);
    }
    fast_fill(cpu, &p, va, flags);
    return (struct excl_result){ true, true };
}
