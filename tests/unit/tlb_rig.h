/* What the unit tests of memory access are written in: two PEs with RAM and one device, stage 1 on, and the tables that
 * a test makes. Each file that includes it has its own. */
#ifndef TESTS_UNIT_TLB_RIG_H
#define TESTS_UNIT_TLB_RIG_H

#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/field.h"
#include "mmu/access_internal.h"
#include "mmu/at.h"
#include "mmu/context.h"
#include "mmu/tags.h"
#include "mmu/tlb.h"

enum { CPUS = 2, RAM = 0x40000000, RAM_SIZE = 4 << 20, TABLES = RAM + 0x200000, DEVICE = 0x09000000 };
enum {
    V = 1,
    TABLE = 3,
    NORMAL = 1 << 2,
    USER = 1 << 6,
    RO = 1 << 7,
    AF = 1 << 10,
    NG = 1 << 11,
    S2RW = 3 << 6,
    S2WB = 15 << 2
};
static struct cpu *cpus, *cpu;
static struct phys phys;
static u8 *ram, page_flags[RAM_SIZE / 4096];
static u64 next_table, device_value, code_written_at, device_pa;
static unsigned device_size;
static struct phys_attrs device_by;

static inline bool device_read(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value)
{
    (void)board;
    device_pa = pa, device_by = attrs;
    device_size = size;
    *value = device_value;
    return pa - DEVICE < 4096;
}
static inline bool device_write(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 value)
{
    (void)board;
    device_pa = pa, device_by = attrs;
    device_size = size;
    device_value = value;
    return pa - DEVICE < 4096;
}
static const struct phys_device_ops ops = { .read = device_read, .write = device_write };
static inline void note_code(void *code, u64 pa, unsigned size) { (void)code, (void)size, code_written_at = pa; }

static inline u64 *word(u64 pa)
{
    ck_assert(pa - RAM < RAM_SIZE - 7);
    return (u64 *)(void *)(ram + (pa - RAM));
}

static inline u64 table_new(void)
{
    next_table += 4096;
    return next_table - 4096;
}

/* Enters a descriptor of a 4K table tree with 39-bit addresses (start level 1). */
static inline u64 *map_at(u64 base, u64 va, int level, u64 desc)
{
    for (int at = 1;; at++) {
        u64 slot = base + bits(va, 38 - 9 * (unsigned)(at - 1), 30 - 9 * (unsigned)(at - 1)) * 8;
        if (at == level) {
            *word(slot) = desc;
            return word(slot);
        }
        if ((*word(slot) & 3) != TABLE)
            *word(slot) = table_new() | TABLE;
        base = bits(*word(slot), 47, 12) << 12;
    }
}
static inline u64 *map(u64 va, u64 pa, u64 flags)
{
    return map_at(cpu->sys.ttbr0_el1 & ones(48), va, 3, pa | AF | TABLE | NORMAL | flags);
}

static inline void controls(void)
{
    for (unsigned n = 0; n < CPUS; n++)
        cpu_control_changed(&cpus[n]);
    mmu_context_find(cpu);
}

/* EL1 of the Non-secure state, stage 1 on, stage 2 off, ASID 1 in TTBR0. */
static inline void setup(void)
{
    ram = calloc(1, RAM_SIZE);
    cpus = calloc(CPUS, sizeof *cpus);
    ck_assert(ram && cpus);
    memset(page_flags, 0, sizeof page_flags);
    phys = (struct phys){ .region = { { .base = RAM, .size = RAM_SIZE, .host = ram, .flags = page_flags } },
                          .region_count = 1,
                          .pa_size = 48,
                          .ops = &ops,
                          .code_written = note_code };
    next_table = TABLES;
    u64 ttbr0 = table_new(), ttbr1 = table_new();
    for (unsigned n = 0; n < CPUS; n++) {
        struct cpu *c = &cpus[n];
        static const enum feature have[] = { FEAT_BASE, FEAT_EL2, FEAT_EL3, FEAT_VHE, FEAT_PAN, FEAT_LSE, FEAT_VMID16 };
        for (unsigned k = 0; k < ARRAY_LEN(have); k++)
            feature_add(&c->features, have[k]);
        c->index = n;
        c->ps = (struct pstate){ .el = 1, .sp = 1 };
        c->d.host = (struct cpu_host){ .phys = &phys, .cpus = cpus, .cpu_count = CPUS };
        c->sys.scr_el3 = 1;
        c->sys.sctlr_el1 = 1 | 4;
        c->sys.tcr_el1 = 25 | 25 << 16 | 2ull << 30 | 5ull << 32 | BIT(36);
        c->sys.mair_el1 = 0xff00;
        c->sys.ttbr0_el1 = ttbr0 | 1ull << 48;
        c->sys.ttbr1_el1 = ttbr1;
        tlb_reset(c);
    }
    cpu = &cpus[0];
    controls();
}
static inline void teardown(void)
{
    free(ram);
    free(cpus);
}

static inline u64 read64(u64 va)
{
    struct mem_val m = mem_read(cpu, va, 8, ACC_READ);
    return m.ok ? m.v : ~0ull;
}
static inline bool faults(u64 va, unsigned flags, unsigned fsc)
{
    bool ok = flags & ACC_WRITE ? mem_write(cpu, va, 0, 8, flags) : mem_read(cpu, va, 8, flags).ok;
    return !ok && (cpu->d.exc.iss & 63) == fsc && cpu->d.exc.has_far && cpu->d.exc.far == va;
}
/* Does a fast tag answer, and with the byte that the TLB says? */
static inline bool is_fast(u64 va, bool write) { return fast_pointer(cpu, va, 3, write, false) != NULL; }

/* Every fast tag stands for an entry that is there, covers the page and has the right address. */
static inline void check_subset(struct cpu *c)
{
    for (unsigned n = 0; n < FAST_ENTRIES + FAST_VICTIMS; n++) {
        const struct fast_entry *f = n < FAST_ENTRIES ? &c->d.fast[n] : &c->d.mmu.victim[n - FAST_ENTRIES];
        if (!f->r && !f->w)
            continue;
        u64 va = (f->r ? f->r : f->w) & ~0xfffull;
        u32 owner = FAST_OWNER(f->owner);
        ck_assert(owner < TLB_ENTRIES);
        const struct tlb_entry *e = &c->tlb.entry[owner / TLB_WAYS][owner % TLB_WAYS];
        ck_assert(e->size_log2 && (va & ~ones(e->size_log2)) == e->va);
        u64 pa = e->pa | (va & ones(e->size_log2));
        ck_assert_ptr_eq((u8 *)(uintptr_t)(va + f->addend), ram + (pa - RAM));
        ck_assert_uint_eq(FAST_PAGE(f->owner), pa);
        ck_assert(!f->w || !(page_flags[(pa - RAM) / 4096] & PAGE_CODE));
    }
}

struct tlb_test {
    const char *name;
    const TTest *test;
};

static inline Suite *tlb_rig_suite(const char *name, const struct tlb_test *tests, unsigned count)
{
    Suite *s = suite_create(name);
    for (unsigned n = 0; n < count; n++) {
        TCase *c = tcase_create(tests[n].name);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, tests[n].test);
        suite_add_tcase(s, c);
    }
    return s;
}

#endif
