/*
 * Memory access by virtual address: the fast tags for handlers, and the exact path behind them (Arm ARM B2, D8).
 *
 * Fast path: an access of size S at VA hits when
 *     ((va + S-1) & ~0xfff | ctx) == tag
 * so that one that crosses its page misses. Where alignment is checked (SCTLR_ELx.A, or no stage 1), accesses of more
 * than a byte ask with a context that no tag has: then a second compare, with the address's low bits, decides, which
 * elsewhere only an access that misses comes to. What is unusual has no tag: MMIO, big-endian data, pages with a
 * watched byte, Tagged memory where tags are checked, what is not permitted. A page with decoded code has none for
 * writes, and Device memory has one only where accesses that are not aligned fault or are checked anyway (mmu/fast.c).
 *
 * Exact path: mem_read and friends do everything (mmu/access.c, atomic.c, tags.c): alignment, translation of each page
 * touched, permission, Device rules, MMIO. When they fail, cpu->d.exc holds the exception to take (all of it but elr
 * and the instruction-syndrome bits of the ISS, which exception_take adds), and memory and registers are as they were,
 * unless an external abort came after the first bytes (mmu/access.c).
 */
#ifndef MMU_ACCESS_H
#define MMU_ACCESS_H

#include "cpu/state.h"

/* What kind of access (flags of the slow path). */
enum {
    ACC_READ = 0,
    ACC_WRITE = 1,
    ACC_FETCH = 2,
    ACC_UNPRIV = 4,      /* LDTR, STTR: EL0's permissions (D8.4.1), unless UAO */
    ACC_ATOMIC = 8,      /* exclusive, LSE or CASP: alignment fault when unaligned whatever SCTLR.A says, with
                            FEAT_LSE2 when it crosses 16 bytes */
    ACC_ORDERED = 16,    /* load-acquire, store-release: the same, but for SCTLR.nAA (FEAT_LSE2) */
    ACC_ZVA = 64,        /* DC ZVA: Device memory is an alignment fault */
    ACC_CACHE = 128,     /* cache maintenance by VA: CM bit in the ISS, no data moves */
    ACC_RMW = 256,       /* with ACC_WRITE: an atomic, which reads too: WnR is 1 only where the read is permitted */
    ACC_SP = 1024,       /* not checked for tags: the base is SP without write-back, or PC (FEAT_MTE2) */
    ACC_TAGS = 8192,     /* an allocation tag itself: never checked */
    ACC_NV2 = 16384,     /* a register of EL1 in memory (FEAT_NV2): EL2's access, without PAN */
    ACC_CMOW1 = 32768,   /* cache maintenance that needs write permission in stage 1, in stage 2 (FEAT_CMOW) */
    ACC_CMOW2 = 65536
};

struct mem_val {
    u64 v;
    bool ok;
};
struct mem_val128 {
    union vreg v;
    bool ok;
};

/* size: 1, 2, 4 or 8 bytes. Byte order follows SCTLR_ELx.EE/E0E. */
struct mem_val mem_read(struct cpu *cpu, u64 va, unsigned size, unsigned flags);
bool mem_write(struct cpu *cpu, u64 va, u64 value, unsigned size, unsigned flags);
/* 16 bytes (Q registers) as two accesses of 8, low first; both checked before anything is written. */
struct mem_val128 mem_read128(struct cpu *cpu, u64 va, unsigned flags);
bool mem_write128(struct cpu *cpu, u64 va, union vreg value, unsigned flags);
/* A pair of `size`-byte elements at va and va + size (LDP, STP): both checked before anything is written. */
bool mem_write_pair(struct cpu *cpu, u64 va, u64 first, u64 second, unsigned size, unsigned flags);
/* Would an access of `size` bytes (1..4096, may cross a page) be allowed? Fills cpu->d.exc and returns false if not.
 * Its alignment is looked at for powers of two up to 16. */
bool mem_probe(struct cpu *cpu, u64 va, unsigned size, unsigned flags);

/* Exclusives (B2.9). mem_read_exclusive marks the monitor. mem_write_exclusive opens it, and stores when it matched:
 * `pass`. size: bytes in all, up to 16; `pair`: two elements of half of it. */
struct mem_val128 mem_read_exclusive(struct cpu *cpu, u64 va, unsigned size, bool pair, unsigned flags);
struct excl_result {
    bool ok;   /* false: an exception is in cpu->d.exc */
    bool pass; /* true: stored */
};
struct excl_result mem_write_exclusive(struct cpu *cpu, u64 va, u64 lo, u64 hi, unsigned size, bool pair,
                                       unsigned flags);

enum atomic_op { ATOMIC_ADD, ATOMIC_CLR, ATOMIC_EOR, ATOMIC_SET, ATOMIC_SMAX, ATOMIC_SMIN, ATOMIC_UMAX, ATOMIC_UMIN, ATOMIC_SWP };
/* What an operation makes of `size` bytes (the bits above are anything). */
static inline u64 atomic_result(enum atomic_op op, u64 old, u64 operand, unsigned size)
{
    unsigned n = 8 * size;
    s64 a = (s64)sext(old, n), b = (s64)sext(operand, n);
    switch (op) {
    case ATOMIC_ADD: return old + operand;
    case ATOMIC_CLR: return old & ~operand;
    case ATOMIC_EOR: return old ^ operand;
    case ATOMIC_SET: return old | operand;
    case ATOMIC_SMAX: return (u64)(a > b ? a : b);
    case ATOMIC_SMIN: return (u64)(a < b ? a : b);
    case ATOMIC_UMAX: return old > operand ? old : operand;
    case ATOMIC_UMIN: return old < operand ? old : operand;
    default: return operand;
    }
}

/* Atomic read-modify-write (LSE): returns the old value. size 1, 2, 4, 8. */
struct mem_val mem_atomic(struct cpu *cpu, u64 va, enum atomic_op op, u64 operand, unsigned size, unsigned flags);
struct mem_val mem_cas(struct cpu *cpu, u64 va, u64 compare, u64 swap, unsigned size, unsigned flags);
/* FEAT_LSE128: 16 bytes, the lower address first. ATOMIC_CLR, ATOMIC_SET, ATOMIC_SWP. */
struct mem_val128 mem_atomic128(struct cpu *cpu, u64 va, enum atomic_op op, u64 first, u64 second, unsigned flags);
/* CASP: two elements of `size` (4 or 8). */
struct mem_val128 mem_casp(struct cpu *cpu, u64 va, union vreg compare, union vreg swap, unsigned size, unsigned flags);

/* DC ZVA of the block at va (already aligned by the caller to the block). */
bool mem_zero_block(struct cpu *cpu, u64 va, unsigned size);

/* Allocation tags (FEAT_MTE2) of `granules` (1 to 16) of 16 bytes at va, which is aligned to one for reads, and must be
 * for writes; the first tag in bits 3:0. Memory that is not Tagged, or no access to tags: read as 0, writes ignored.
 * `zero`: the granules' bytes become 0, too. */
struct mem_val mem_tags_read(struct cpu *cpu, u64 va, unsigned granules);
bool mem_tags_write(struct cpu *cpu, u64 va, unsigned granules, u64 tags, bool zero);
/* Is va aligned for a write of its tag? */
bool mem_tags_probe(struct cpu *cpu, u64 va);
/* Are `size` bytes at va whole granules (SETG*)? Where size is 0, va may be anything. */
bool mem_granules_probe(struct cpu *cpu, u64 va, u64 size);
/* One granule's bytes, all `value`, and its tag, va's own. flags: ACC_UNPRIV or 0. */
bool mem_granule_set(struct cpu *cpu, u64 va, u8 value, unsigned flags);

/* Instruction fetch: the page (4 KiB) at va. pa of its first byte. False: exception in cpu->d.exc. */
struct fetch_page {
    u64 pa;
    bool ok, ns;
    bool guarded; /* FEAT_BTI: the descriptor's GP */
    bool device;  /* not cacheable: instructions must be read one by one, not kept decoded */
    u32 owner;    /* index of the state TLB entry: an xpage made from it goes when the entry goes */
};
struct fetch_page mem_fetch_page(struct cpu *cpu, u64 va);

/* The control registers that translation uses may have changed: contexts must be found again. */
void mmu_context_changed(struct cpu *cpu);
/* PSTATE.EL, SP or PAN changed, and nothing else that translation uses: cheap (contexts are kept by EL and PAN). */
void mmu_el_changed(struct cpu *cpu);
/* Finds cpu->d.data and unpriv for the current EL and control registers (interned). */
void mmu_context_find(struct cpu *cpu);
/* Drops all that is derived (fast tags, xpages, contexts); the state TLB stays. */
void mmu_drop_derived(struct cpu *cpu);
/* Drops the fast write tags of the RAM page at pa on this PE (a page starts to hold code). */
void fast_drop_writes(struct cpu *cpu, u64 pa);

static ALWAYS_INLINE struct fast_entry *fast_entry(struct cpu *cpu, u64 va, const struct fast_context *c)
{
    _Static_assert(sizeof(struct fast_entry) == 32, "mix has 5 bits below those of a page's number");
    return (struct fast_entry *)(void *)((u8 *)cpu->d.fast + ((va >> 7 ^ c->mix) & (FAST_ENTRIES - 1) << 5));
}

/* The fast half. Returns a host pointer, or NULL: take the slow path. log2: of the size (0..4). */
static ALWAYS_INLINE u8 *fast_pointer(struct cpu *cpu, u64 va, unsigned log2, bool write, bool unpriv)
{
    const struct fast_context *c = unpriv ? &cpu->d.unpriv : &cpu->d.data;
    struct fast_entry *e = fast_entry(cpu, va, c);
    u64 want = ((va + ones(log2)) & ~0xfffull) | (log2 ? c->wide : c->ctx);
    const u64 *tag = write ? &e->w : &e->r;
    /* The second compare reads anew, so that the first is one instruction. */
    if (likely(*tag == want) || (log2 && *(const volatile u64 *)tag == ((va & (~0xfffull | ones(log2))) | c->ctx))) {
        u8 *p = (u8 *)(uintptr_t)(va + e->addend);
        if (!p)
            __builtin_unreachable(); /* the caller's test for a miss is this one's */
        return p;
    }
    return NULL;
}

#endif
