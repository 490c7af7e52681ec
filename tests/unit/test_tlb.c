/*
 * Memory access through the TLB (mmu/access.c, fast.c, atomic.c, tlb.c, context.c, at.c): what a PE sees after
 * descriptors, control registers or TLB contents change, and that fast tags never hold more than the TLB. Sections are
 * of the Arm ARM.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/field.h"
#include "mmu/access_internal.h"
#include "mmu/at.h"
#include "mmu/context.h"
#include "mmu/tags.h"
#include "mmu/tlb.h"

Suite *test_tlb_suite(void);

/* ---- PEs with RAM and one device ---- */

enum { CPUS = 2, RAM = 0x40000000, RAM_SIZE = 4 << 20, TABLES = RAM + 0x200000, DEVICE = 0x09000000 };
enum { V = 1, TABLE = 3, NORMAL = 1 << 2, USER = 1 << 6, RO = 1 << 7, AF = 1 << 10, NG = 1 << 11, S2RW = 3 << 6, S2WB = 15 << 2 };
static struct cpu *cpus, *cpu;
static struct phys phys;
static u8 *ram, page_flags[RAM_SIZE / 4096];
static u64 next_table, device_value, code_written_at, device_pa;
static unsigned device_size;
static struct phys_attrs device_by;

static bool device_read(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value)
{
    (void)board;
    device_pa = pa, device_by = attrs;
    device_size = size;
    *value = device_value;
    return pa - DEVICE < 4096;
}
static bool device_write(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 value)
{
    (void)board;
    device_pa = pa, device_by = attrs;
    device_size = size;
    device_value = value;
    return pa - DEVICE < 4096;
}
static const struct phys_device_ops ops = { .read = device_read, .write = device_write };
static void note_code(void *code, u64 pa, unsigned size) { (void)code, (void)size, code_written_at = pa; }

static u64 *word(u64 pa)
{
    ck_assert(pa - RAM < RAM_SIZE - 7);
    return (u64 *)(void *)(ram + (pa - RAM));
}

static u64 table_new(void)
{
    next_table += 4096;
    return next_table - 4096;
}

/* Enters a descriptor of a 4K table tree with 39-bit addresses (start level 1). */
static u64 *map_at(u64 base, u64 va, int level, u64 desc)
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
static u64 *map(u64 va, u64 pa, u64 flags)
{
    return map_at(cpu->sys.ttbr0_el1 & ones(48), va, 3, pa | AF | TABLE | NORMAL | flags);
}

static void controls(void)
{
    for (unsigned n = 0; n < CPUS; n++)
        cpu_control_changed(&cpus[n]);
    mmu_context_find(cpu);
}

/* EL1 of the Non-secure state, stage 1 on, stage 2 off, ASID 1 in TTBR0. */
static void setup(void)
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
static void teardown(void)
{
    free(ram);
    free(cpus);
}

static u64 read64(u64 va)
{
    struct mem_val m = mem_read(cpu, va, 8, ACC_READ);
    return m.ok ? m.v : ~0ull;
}
static bool faults(u64 va, unsigned flags, unsigned fsc)
{
    bool ok = flags & ACC_WRITE ? mem_write(cpu, va, 0, 8, flags) : mem_read(cpu, va, 8, flags).ok;
    return !ok && (cpu->d.exc.iss & 63) == fsc && cpu->d.exc.has_far && cpu->d.exc.far == va;
}
/* Does a fast tag answer, and with the byte that the TLB says? */
static bool is_fast(u64 va, bool write) { return fast_pointer(cpu, va, 3, write, false) != NULL; }

/* Every fast tag stands for an entry that is there, covers the page and has the right address. */
static void check_subset(struct cpu *c)
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

/* ---- what the TLB holds decides ---- */

START_TEST(stale_until_tlbi)
{
    *word(RAM) = 1;
    *word(RAM + 4096) = 2;
    u64 *desc = map(0x1000, RAM, NG);
    ck_assert_uint_eq(read64(0x1000), 1);
    ck_assert(is_fast(0x1000, false) && !is_fast(0x1000, true));
    *desc = (RAM + 4096) | AF | TABLE | NORMAL | NG;
    ck_assert_uint_eq(read64(0x1000), 1);
    mmu_drop_derived(cpu); /* what is derived comes back without a walk */
    mmu_context_find(cpu);
    ck_assert_uint_eq(read64(0x1000), 1);
    tlbi(cpu, TLBI_VAE1, 1ull << 48 | 1, false);
    ck_assert(!is_fast(0x1000, false));
    ck_assert_uint_eq(read64(0x1000), 2);
    *desc = 0;
    ck_assert_uint_eq(read64(0x1000), 2);
    tlbi(cpu, TLBI_VMALLE1, 0, false);
    ck_assert(faults(0x1000, ACC_READ, 7));
}
END_TEST

/* A permission fault walks again, so that a relaxed descriptor is noticed without TLBI. */
START_TEST(relaxed_permission)
{
    u64 *desc = map(0x1000, RAM, RO);
    ck_assert_uint_eq(read64(0x1000), 0);
    ck_assert(faults(0x1000, ACC_WRITE, 15) && cpu->d.exc.iss & 64);
    *desc &= ~(u64)RO;
    ck_assert(mem_write(cpu, 0x1000, 5, 8, ACC_WRITE));
    ck_assert(is_fast(0x1000, true));
    ck_assert_uint_eq(*word(RAM), 5);
    unsigned entries = 0; /* the new translation took the place of the old one */
    for (unsigned n = 0; n < TLB_ENTRIES; n++)
        entries += !!cpu->tlb.entry[n / TLB_WAYS][n % TLB_WAYS].size_log2;
    ck_assert_uint_eq(entries, 1);
    check_subset(cpu);
}
END_TEST

/* A reset makes zeros only where something may be (tlb_used, mmu.tagged): after each kind of use, all of it. */
static void check_zeros(bool tlb)
{
    const struct mmu_derived *m = &cpu->d.mmu;
    ck_assert(!tlb || is_zeros((const u8 *)&cpu->tlb, sizeof(cpu->tlb)));
    ck_assert(is_zeros((const u8 *)cpu->d.fast, sizeof(cpu->d.fast)));
    ck_assert(is_zeros((const u8 *)cpu->d.xpage, sizeof(cpu->d.xpage)));
    ck_assert(is_zeros((const u8 *)m, sizeof(*m)));
}
START_TEST(reset_makes_zeros)
{
    map(0x1000, RAM, NG);
    map(0x2000, RAM + 4096, 0);
    for (unsigned use = 0; use < 16; use++) {
        tlb_reset(cpu);
        check_zeros(true);
        mmu_context_find(cpu);
        ck_assert(!(use & 1) || read64(0x1000) != ~0ull);
        ck_assert(!(use & 2) || mem_write(cpu, 0x2000, use, 8, ACC_WRITE));
        struct fetch_page page = use & 4 ? mem_fetch_page(cpu, 0x2000) : (struct fetch_page){ .ok = false };
        if (page.ok)
            *xpage_of(cpu, 0x2000) = (struct xpage_entry){ .tag = 0x2000, .owner = page.owner };
        if (use & 8) {
            mmu_drop_derived(cpu);
            check_zeros(false);
        }
    }
    tlb_reset(cpu);
    check_zeros(true);
}
END_TEST

START_TEST(asid_and_global)
{
    map(0x1000, RAM, NG);
    map(0x2000, RAM + 4096, 0);
    *word(RAM) = 1;
    *word(RAM + 4096) = 2;
    ck_assert(read64(0x1000) == 1 && read64(0x2000) == 2);
    u64 first = cpu->sys.ttbr0_el1;
    cpu->sys.ttbr0_el1 = table_new() | 2ull << 48;
    controls();
    ck_assert(!is_fast(0x1000, false));
    ck_assert(faults(0x1000, ACC_READ, 5));
    ck_assert_uint_eq(read64(0x2000), 2); /* global: any ASID */
    cpu->sys.ttbr0_el1 = first;
    controls();
    ck_assert(is_fast(0x1000, false)); /* nothing was dropped */
    check_subset(cpu);
}
END_TEST

/* TLBI by kind: does the entry (ASID 1, non-global unless said, VMID 0, EL1&0) survive? */
START_TEST(tlbi_kinds)
{
    static const struct {
        u8 op;
        u64 value;
        bool global, survives;
    } k[] = { { TLBI_VAE1, 1ull << 48 | 5, false, false },
              { TLBI_VAE1, 2ull << 48 | 5, false, true },
              { TLBI_VAE1, 2ull << 48 | 5, true, false },
              { TLBI_VAE1, 1ull << 48 | 6, false, true },
              { TLBI_VALE1, 1ull << 48 | 5, false, false },
              { TLBI_VAAE1, 2ull << 48 | 5, false, false },
              { TLBI_VAALE1, 5, false, false },
              { TLBI_VAAE1, 6, false, true },
              { TLBI_ASIDE1, 1ull << 48, false, false },
              { TLBI_ASIDE1, 2ull << 48, false, true },
              { TLBI_VMALLE1, 0, false, false },
              { TLBI_VMALLE1, 0, true, false },
              { TLBI_VMALLS12E1, 0, true, false },
              { TLBI_ALLE1, 0, true, false },
              { TLBI_ALLE2, 0, false, true },
              { TLBI_VAE2, 5, true, true },
              { TLBI_ALLE3, 0, false, true },
              { TLBI_VAE3, 5, true, true } };
    for (unsigned n = 0; n < ARRAY_LEN(k); n++) {
        tlbi(cpu, TLBI_ALLE1, 0, false);
        u64 *desc = map(0x5000, RAM, k[n].global ? 0 : NG);
        ck_assert_uint_eq(read64(0x5000), *word(RAM));
        *desc = 0;
        tlbi(cpu, (enum tlbi_op)k[n].op, k[n].value, false);
        ck_assert_msg(mem_read(cpu, 0x5000, 8, 0).ok == k[n].survives, "row %u", n);
        check_subset(cpu);
    }
}
END_TEST

START_TEST(tlbi_broadcast)
{
    u64 *desc = map(0x5000, RAM, NG);
    ck_assert(mem_read(&cpus[1], 0x5000, 8, 0).ok && mem_read(&cpus[0], 0x5000, 8, 0).ok);
    *desc = 0;
    tlbi(&cpus[0], TLBI_VMALLE1, 0, false);
    ck_assert(!mem_read(&cpus[0], 0x5000, 8, 0).ok && mem_read(&cpus[1], 0x5000, 8, 0).ok);
    cpus[0].sys.hcr_el2 = BIT(9); /* FB */
    controls();
    tlbi(&cpus[0], TLBI_VMALLE1, 0, false);
    ck_assert(!mem_read(&cpus[1], 0x5000, 8, 0).ok);
}
END_TEST

/* A block of stage 1 whose pieces are smaller in stage 2 goes with one TLBI, whichever address in it is named. */
START_TEST(block_in_pieces)
{
    u64 s2 = table_new(), *block;
    for (u64 pa = RAM; pa < RAM + RAM_SIZE; pa += 4096)
        map_at(s2, pa, 3, pa | AF | TABLE | S2RW | S2WB);
    cpu->sys.vttbr_el2 = s2 | 7ull << 48;
    cpu->sys.vtcr_el2 = 25 | 1 << 6 | 5 << 16 | BIT(19);
    cpu->sys.hcr_el2 = 1;
    controls();
    block = map_at(cpu->sys.ttbr0_el1 & ones(48), 0x200000, 2, RAM | AF | V | NORMAL);
    for (u64 va = 0x200000; va < 0x240000; va += 4096)
        ck_assert(mem_read(cpu, va, 8, 0).ok);
    *block = 0;
    ck_assert(mem_read(cpu, 0x23f000, 8, 0).ok);
    tlbi(cpu, TLBI_VAAE1, 0x200, false);
    for (u64 va = 0x200000; va < 0x240000; va += 4096)
        ck_assert(faults(va, ACC_READ, 6));
    /* IPA: entries of this VMID made from that stage 2 page */
    *block = RAM | AF | V | NORMAL;
    ck_assert(mem_read(cpu, 0x201000, 8, 0).ok && mem_read(cpu, 0x202000, 8, 0).ok);
    *map_at(s2, RAM + 0x1000, 3, 0) = 0;
    *map_at(s2, RAM + 0x2000, 3, 0) = 0;
    tlbi(cpu, TLBI_IPAS2E1, (RAM + 0x1000) >> 12, false);
    ck_assert(faults(0x201000, ACC_READ, 7) && cpu->d.exc.target_el == 2);
    ck_assert_uint_eq(cpu->d.exc.hpfar, (RAM + 0x1000) >> 12 << 4);
    ck_assert(mem_read(cpu, 0x202000, 8, 0).ok);
    tlbi(cpu, TLBI_VMALLS12E1, 0, false);
    ck_assert(faults(0x202000, ACC_READ, 7));
}
END_TEST

START_TEST(vmid)
{
    u64 s2 = table_new();
    for (u64 pa = RAM; pa < RAM + RAM_SIZE; pa += 4096)
        map_at(s2, pa, 3, pa | AF | TABLE | S2RW | S2WB);
    cpu->sys.vtcr_el2 = 25 | 1 << 6 | 5 << 16 | BIT(19);
    cpu->sys.hcr_el2 = 1;
    cpu->sys.vttbr_el2 = s2 | 0x107ull << 48;
    controls();
    map(0x1000, RAM, 0);
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok);
    cpu->sys.vttbr_el2 = table_new() | 0x307ull
                                           << 48; /* another VM, without memory; its pages fall into the same sets */
    controls();
    ck_assert(!mem_read(cpu, 0x1000, 8, 0).ok);
    tlbi(cpu, TLBI_VMALLS12E1, 0, false);
    *word(bits(s2, 47, 12) << 12 | 8) = 0;
    cpu->sys.vttbr_el2 = s2 | 0x107ull << 48;
    controls();
    ck_assert(is_fast(0x1000, false) && mem_read(cpu, 0x1000, 8, 0).ok); /* the other's TLBI left it */
    cpu->sys.vtcr_el2 &= ~BIT(19);                                       /* 8-bit VMID 7 */
    controls();
    ck_assert(!mem_read(cpu, 0x1000, 8, 0).ok);
}
END_TEST

START_TEST(tlbi_range_form)
{
    u64 *desc[8];
    for (unsigned n = 0; n < 8; n++) {
        desc[n] = map(0x10000 + n * 4096, RAM, NG);
        ck_assert(mem_read(cpu, 0x10000 + n * 4096, 8, 0).ok);
        *desc[n] = 0;
    }
    /* TG 4K, SCALE 0, NUM 1: 4 pages from 0x12000, ASID 1 */
    tlbi_range(cpu, TLBI_VAE1, 1ull << 48 | 1ull << 46 | 1ull << 39 | 0x12, false);
    for (unsigned n = 0; n < 8; n++)
        ck_assert_int_eq(mem_read(cpu, 0x10000 + n * 4096, 8, 0).ok, n < 2 || n >= 6);
}
END_TEST

/* FEAT_LPA2 with DS: the range starts at a multiple of 64 KiB for every granule (C5.5 TLBI RVAE1, TLBI RIPAS2E1). */
START_TEST(tlbi_range_large)
{
    feature_add(&cpu->features, FEAT_LPA2);
    cpu->sys.tcr_el1 |= BIT(TCR_EL1_DS);
    u64 s2 = table_new();
    for (u64 pa = RAM; pa < RAM + RAM_SIZE; pa += 4096)
        map_at(s2, pa, 3, pa | AF | TABLE | S2RW | S2WB);
    cpu->sys.vtcr_el2 = 25 | 1 << 6 | 5 << 16;
    cpu->sys.vttbr_el2 = s2 | 7ull << 48;
    cpu->sys.hcr_el2 = 1;
    controls();
    for (unsigned n = 0; n < 8; n++)
        ck_assert(map(0x120000 + n * 4096, RAM + n * 4096, NG) && mem_read(cpu, 0x120000 + n * 4096, 8, 0).ok);
    for (unsigned n = 0; n < 8; n++)
        *map(0x120000 + n * 4096, 0, NG) = 0;
    /* TG 4K, SCALE 0, NUM 1: 4 pages from 0x120000 */
    tlbi_range(cpu, TLBI_VAE1, 1ull << 48 | 1ull << 46 | 1ull << 39 | 0x12, false);
    for (unsigned n = 0; n < 8; n++)
        ck_assert_int_eq(mem_read(cpu, 0x120000 + n * 4096, 8, 0).ok, n >= 4);
    /* IPAs from RAM + 0x4000 while only stage 1 has DS; two pages from RAM when stage 2 has it too */
    for (unsigned n = 0; n < 8; n++)
        *map_at(s2, RAM + n * 4096, 3, 0) = 0;
    cpu->ps.el = 2;
    tlbi_range(cpu, TLBI_IPAS2E1, 1ull << 46 | (RAM + 0x4000) >> 12, false);
    cpu->ps.el = 1;
    for (unsigned n = 4; n < 8; n++)
        ck_assert_int_eq(mem_read(cpu, 0x120000 + n * 4096, 8, 0).ok, n >= 6);
    cpu->sys.vtcr_el2 |= BIT(VTCR_DS);
    controls();
    for (unsigned n = 0; n < 4; n++)
        *map_at(s2, RAM + n * 4096, 3, 0) = RAM | n * 4096 | AF | TABLE | S2RW | S2WB;
    for (unsigned n = 0; n < 4; n++)
        ck_assert(map(0x120000 + n * 4096, RAM + n * 4096, NG) && mem_read(cpu, 0x120000 + n * 4096, 8, 0).ok);
    for (unsigned n = 0; n < 4; n++)
        *map_at(s2, RAM + n * 4096, 3, 0) = 0;
    tlbi_range(cpu, TLBI_IPAS2E1, 1ull << 46 | RAM >> 16, false);
    for (unsigned n = 0; n < 4; n++)
        ck_assert_int_eq(mem_read(cpu, 0x120000 + n * 4096, 8, 0).ok, n >= 2);
}
END_TEST

/* Many more pages than entries, remapped and invalidated at random: tags stay a subset, and nothing wrong is read. */
START_TEST(churn)
{
    u64 seed = 12345;
    for (unsigned n = 0; n < 256; n++)
        *word(RAM + n * 4096ull) = n;
    for (unsigned n = 0; n < 40000; n++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        u64 va = 0x100000 + (seed >> 33 & 0xfff) * 4096, page = seed >> 45 & 255;
        if ((seed >> 20 & 7) == 0) {
            map(va, RAM + page * 4096, seed >> 60 & 1 ? NG : 0);
            tlbi(cpu, TLBI_VAE1, (u64)(cpu->sys.ttbr0_el1 >> 48) << 48 | va >> 12, false);
        } else {
            struct mem_val m = mem_read(cpu, va, 8, 0);
            u64 pa;
            bool there = mmu_debug_translate(cpu, va, 1, &pa, NULL, NULL);
            ck_assert_int_eq(m.ok, there);
            ck_assert(!there || m.v == *word(pa));
        }
        if (n % 4096 == 0)
            check_subset(cpu);
    }
    check_subset(cpu);
    ck_assert(tlb_validate(cpu));
}
END_TEST

/* Pages that share a slot of the fast tags take turns in it, and leave it together with what they stand for. */
START_TEST(shared_slots)
{
    for (unsigned n = 0; n < 4; n++) {
        map(0x1000 + (u64)n * FAST_ENTRIES * 4096, RAM + n * 4096, NG);
        *word(RAM + n * 4096) = n;
    }
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned n = 0; n < 4; n++) {
            u64 va = 0x1000 + (u64)n * FAST_ENTRIES * 4096;
            ck_assert_uint_eq(read64(va), n + 10 * turn);
            ck_assert(mem_write(cpu, va, n + 10 * turn + 10, 8, ACC_WRITE));
            ck_assert(is_fast(va, true));
            check_subset(cpu);
        }
    }
    page_flags[1] |= PAGE_CODE;
    fast_drop_writes(cpu, RAM + 4096);
    check_subset(cpu);
    ck_assert(mem_write(cpu, 0x1000 + FAST_ENTRIES * 4096, 5, 8, ACC_WRITE));
    ck_assert_uint_eq(code_written_at, RAM + 4096);
    tlbi(cpu, TLBI_ASIDE1, 1ull << 48, false);
    check_subset(cpu);
    *map(0x1000, RAM, NG) = 0;
    ck_assert(faults(0x1000, ACC_READ, 7));
}
END_TEST

/* More contexts and configs than there are numbers: all keep working. */
START_TEST(many_contexts)
{
    map(0x1000, RAM, NG);
    *word(RAM) = 77;
    for (unsigned asid = 0; asid < 2000; asid++) {
        cpu->sys.ttbr0_el1 = (cpu->sys.ttbr0_el1 & ones(48)) | (u64)asid << 48;
        cpu->sys.mair_el1 = 0xff00 | (u64)(asid % 100) << 32;
        controls();
        ck_assert_uint_eq(read64(0x1000), 77);
        ck_assert(cpu->d.data.ctx && is_fast(0x1000, false));
    }
    check_subset(cpu);
    ck_assert(tlb_validate(cpu));
    cpu->tlb.entry[3][1] = (struct tlb_entry){ .size_log2 = 12, .config = TLB_CONFIGS };
    ck_assert(!tlb_validate(cpu));
}
END_TEST

START_TEST(el_and_pan)
{
    map(0x1000, RAM, USER);
    map(0x2000, RAM, 0);
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok && mem_read(cpu, 0x2000, 8, 0).ok);
    cpu->ps.pan = 1;
    mmu_el_changed(cpu);
    mmu_context_find(cpu);
    ck_assert(!is_fast(0x1000, false));
    ck_assert(faults(0x1000, ACC_READ, 15));
    ck_assert(mem_read(cpu, 0x1000, 8, ACC_UNPRIV).ok);
    ck_assert(fast_pointer(cpu, 0x1000, 3, false, true));
    ck_assert(faults(0x2000, ACC_UNPRIV, 15));
    cpu->ps.uao = 1; /* unprivileged forms are as the others then */
    mmu_el_changed(cpu);
    ck_assert(mem_read(cpu, 0x2000, 8, ACC_UNPRIV).ok);
    cpu->ps.uao = cpu->ps.pan = 0;
    cpu->ps.el = 0;
    mmu_el_changed(cpu);
    mmu_context_find(cpu);
    ck_assert(!is_fast(0x2000, false));
    ck_assert(faults(0x2000, ACC_READ, 15) && cpu->d.exc.target_el == 1);
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok);
    check_subset(cpu);
}
END_TEST

/* FEAT_E0PD: a page that EL1 has just used is as far from EL0 as one that nobody has. */
START_TEST(e0pd)
{
    feature_add(&cpu->features, FEAT_E0PD);
    cpu->sys.tcr_el1 |= BIT(55);
    controls();
    map(0x1000, RAM, USER);
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok);
    ck_assert(faults(0x1000, ACC_UNPRIV, 4));
    cpu->ps.el = 0;
    mmu_el_changed(cpu);
    mmu_context_find(cpu);
    ck_assert(faults(0x1000, ACC_READ, 4));
    cpu->sys.tcr_el1 &= ~BIT(55);
    controls();
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok);
    check_subset(cpu);
}
END_TEST

/* ---- alignment, crossing, byte order ---- */

/* An access that crosses into a page whose tag was pushed out lately reads its first bytes from the first page. */
START_TEST(crossing_into_pushed_out)
{
    map(0x1000, RAM, 0);
    map(0x2000, RAM + 0x5000, 0);
    map(0x2000 + (u64)FAST_ENTRIES * 4096, RAM + 0x6000, 0);
    *word(RAM + 0xff8) = 0x1122334455667788;
    *word(RAM + 0x4ff8) = ~0ull;
    *word(RAM + 0x5000) = 0x99aabbccddeeff00;
    read64(0x2000);
    read64(0x2000 + (u64)FAST_ENTRIES * 4096);
    ck_assert_uint_eq(read64(0x1ffc), 0xddeeff0011223344);
    ck_assert(mem_write(cpu, 0x1ffc, 0, 8, ACC_WRITE));
    ck_assert_uint_eq(*word(RAM + 0x4ff8), ~0ull);
    check_subset(cpu);
}
END_TEST

START_TEST(crossing_pages)
{
    map(0x1000, RAM, 0);
    map(0x2000, RAM + 0x5000, 0);
    ck_assert(mem_write(cpu, 0x1ffd, 0x1122334455667788, 8, ACC_WRITE));
    ck_assert_uint_eq(load_le32(ram + 0xffc) >> 8, 0x667788);
    ck_assert_uint_eq(load_le64(ram + 0x5000) & ones(40), 0x1122334455);
    ck_assert_uint_eq(read64(0x1ffd), 0x1122334455667788);
    tlbi(cpu, TLBI_VMALLE1, 0, false);
    map(0x2000, RAM + 0x5000, RO);
    ck_assert(!mem_write(cpu, 0x1ffd, 0, 8, ACC_WRITE));
    ck_assert_uint_eq(cpu->d.exc.far, 0x2000);
    ck_assert_uint_eq(load_le32(ram + 0xffc) >> 8, 0x667788); /* nothing was written */
    ck_assert(!mem_write_pair(cpu, 0x1ff8, 0, 0, 8, ACC_WRITE));
    ck_assert_uint_eq(load_le32(ram + 0xffc) >> 8, 0x667788);
    union vreg q = { .d = { 1, 2 } };
    ck_assert(!mem_write128(cpu, 0x1ff8, q, ACC_WRITE));
    ck_assert_uint_eq(load_le32(ram + 0xffc) >> 8, 0x667788);
}
END_TEST

START_TEST(alignment)
{
    map(0x1000, RAM, 0);
    ck_assert(mem_read(cpu, 0x1001, 8, 0).ok && is_fast(0x1001, false));
    ck_assert(faults(0x1001, ACC_ORDERED, 0x21));
    ck_assert(!mem_atomic(cpu, 0x1004, ATOMIC_ADD, 1, 8, 0).ok);
    cpu->sys.sctlr_el1 |= 2; /* A */
    controls();
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok && is_fast(0x1000, false) && !is_fast(0x1001, false));
    ck_assert(fast_pointer(cpu, 0x1000, 0, false, false) && fast_pointer(cpu, 0x1001, 0, false, false)); /* bytes */
    ck_assert(faults(0x1001, ACC_READ, 0x21));
    cpu->sys.sctlr_el1 = 0; /* MMU off: Device memory */
    controls();
    ck_assert(mem_read(cpu, RAM, 8, 0).ok && is_fast(RAM, false) && !is_fast(RAM + 1, false));
    ck_assert(fast_pointer(cpu, RAM, 0, false, false) && fast_pointer(cpu, RAM + 1, 0, false, false));
    ck_assert(faults(RAM + 1, ACC_READ, 0x21));
    ck_assert(!mem_zero_block(cpu, RAM, 64));
    struct fetch_page f = mem_fetch_page(cpu, RAM + 0x1234);
    ck_assert(f.ok && f.pa == RAM + 0x1000 && !f.device && f.ns);
}
END_TEST

START_TEST(big_endian)
{
    map(0x1000, RAM, USER);
    cpu->sys.sctlr_el1 |= BIT(25);
    controls();
    for (u64 *w = word(TABLES), *end = word(next_table - 8); w <= end; w++)
        *w = __builtin_bswap64(*w);
    ck_assert(mem_write(cpu, 0x1000, 0x1122334455667788, 8, ACC_WRITE));
    ck_assert_uint_eq(*word(RAM), 0x8877665544332211);
    ck_assert_uint_eq(mem_read(cpu, 0x1002, 2, 0).v, 0x3344);
    ck_assert(!is_fast(0x1000, false));
    ck_assert_uint_eq(mem_atomic(cpu, 0x1000, ATOMIC_ADD, 1, 4, 0).v, 0x11223344);
    ck_assert_uint_eq(mem_read(cpu, 0x1000, 4, 0).v, 0x11223345);
    struct mem_val128 q = mem_read128(cpu, 0x1000, 0);
    ck_assert(q.ok && q.v.d[1] == 0x1122334555667788 && q.v.d[0] == 0);
    cpu->ps.el = 0; /* E0E is clear */
    mmu_el_changed(cpu);
    mmu_context_find(cpu);
    ck_assert_uint_eq(read64(0x1000), *word(RAM));
}
END_TEST

/* ---- devices, code pages ---- */

START_TEST(devices)
{
    map(0x1000, DEVICE, 0);
    map(0x2000, 0x0b000000, 0);
    device_value = 42;
    ck_assert_uint_eq(mem_read(cpu, 0x1010, 4, 0).v, 42);
    ck_assert_uint_eq(device_size, 4);
    ck_assert(!is_fast(0x1010, false));
    ck_assert(mem_write(cpu, 0x1000, 7, 1, ACC_WRITE) && device_value == 7 && device_size == 1);
    ck_assert(faults(0x2000, ACC_READ, 0x10));
    ck_assert(!mem_atomic(cpu, 0x1000, ATOMIC_ADD, 1, 4, 0).ok);
    ck_assert_uint_eq(cpu->d.exc.iss & 63, 0x35);
    ck_assert(!mem_read_exclusive(cpu, 0x1000, 4, false, ACC_ATOMIC).ok);
}
END_TEST

/* The entry of a page without RAM, by which later accesses come there without a look at the TLB. */
static bool has_device(u64 va, u64 right) { return fast_device(cpu, va, 4, 0, right) != NULL; }

/* What a page without RAM has as a tag goes with the TLB's entry, and permits what that permits. */
START_TEST(device_tags)
{
    u64 *desc = map(0x1000, DEVICE, NG);
    map(0x2000, DEVICE, RO | USER | NG);
    map(0x3000, 0x0b000000, 0);
    for (unsigned n = 0; n < 3; n++) {
        ck_assert(mem_read(cpu, 0x1010, 4, 0).ok && device_pa == DEVICE + 0x10 && device_by.ns && device_by.privileged);
        ck_assert(has_device(0x1010, FAST_DEVICE_READ) && has_device(0x1010, FAST_DEVICE_WRITE) &&
                  !is_fast(0x1010, false));
        ck_assert(mem_write(cpu, 0x1020, 7, 4, 0) && device_pa == DEVICE + 0x20);
        ck_assert(mem_read(cpu, 0x1012, 4, 0).ok && device_size == 1); /* not aligned, of Normal memory: bytes */
        ck_assert(!mem_read(cpu, 0x3000, 4, 0).ok && (cpu->d.exc.iss & 63) == 0x10); /* nothing answers */
    }
    ck_assert(mem_read(cpu, 0x2000, 4, 0).ok && has_device(0x2000, FAST_DEVICE_READ) &&
              !has_device(0x2000, FAST_DEVICE_WRITE));
    ck_assert(faults(0x2000, ACC_WRITE, 0xf));
    cpu->ps.el = 0;
    mmu_el_changed(cpu);
    ck_assert(!has_device(0x1010, FAST_DEVICE_READ) && faults(0x1010, ACC_READ, 0xf));
    ck_assert(mem_read(cpu, 0x2000, 4, 0).ok && !device_by.privileged);
    ck_assert(mem_read(cpu, 0x2000, 4, 0).ok && !device_by.privileged);
    cpu->ps.el = 1;
    mmu_el_changed(cpu);
    cpu->ps.pan = 1;
    mmu_el_changed(cpu);
    ck_assert(faults(0x2000, ACC_READ, 0xf) && faults(0x2000, ACC_READ, 0xf));
    cpu->ps.pan = 0;
    mmu_el_changed(cpu);
    *desc = (RAM + 4096) | AF | TABLE | NORMAL | NG;
    *word(RAM + 4096) = 5;
    ck_assert(mem_read(cpu, 0x1000, 4, 0).ok && device_pa == DEVICE); /* until it is invalidated */
    tlbi(cpu, TLBI_VAE1, 1ull << 48 | 1, false);
    ck_assert(!has_device(0x1000, FAST_DEVICE_READ) && has_device(0x2000, FAST_DEVICE_READ));
    ck_assert_uint_eq(read64(0x1000), 5);
    *desc = DEVICE | AF | TABLE | NG;
    tlbi(cpu, TLBI_VAE1, 1ull << 48 | 1, false);
    ck_assert(mem_read(cpu, 0x1000, 4, 0).ok && device_pa == DEVICE);
    *desc = 0;
    tlbi(cpu, TLBI_ASIDE1, 1ull << 48, false);
    ck_assert(!has_device(0x1000, FAST_DEVICE_READ) && faults(0x1000, ACC_READ, 7));
    ck_assert(mem_read(cpu, 0x2000, 4, 0).ok && has_device(0x2000, FAST_DEVICE_READ));
    mmu_drop_derived(cpu);
    mmu_context_find(cpu);
    ck_assert(!has_device(0x2000, FAST_DEVICE_READ) && mem_read(cpu, 0x2000, 4, 0).ok &&
              has_device(0x2000, FAST_DEVICE_READ));
    check_subset(cpu);
}
END_TEST

START_TEST(code_pages)
{
    map(0x1000, RAM, 0);
    ck_assert(mem_write(cpu, 0x1000, 1, 8, ACC_WRITE) && is_fast(0x1000, true));
    ck_assert(page_flags[0] & PAGE_TOUCHED);
    page_flags[0] |= PAGE_CODE;
    fast_drop_writes(cpu, RAM);
    ck_assert(is_fast(0x1000, false) && !is_fast(0x1000, true));
    ck_assert(mem_write(cpu, 0x1008, 1, 8, ACC_WRITE) && !is_fast(0x1000, true));
    ck_assert_uint_eq(code_written_at, RAM + 8);
    ck_assert(mem_zero_block(cpu, 0x1040, 64));
    ck_assert_uint_eq(code_written_at, RAM + 0x40);
    page_flags[0] = PAGE_WATCHED;
    tlbi(cpu, TLBI_VMALLE1, 0, false);
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok && !is_fast(0x1000, false));
    check_subset(cpu);
}
END_TEST

/* ---- atomics and exclusives ---- */

START_TEST(atomics)
{
    static const struct {
        u8 op;
        u64 expect;
    } k[] = { { ATOMIC_ADD, 0x7f },  { ATOMIC_CLR, 0x80 & ~0xffu }, { ATOMIC_EOR, 0x7f },
              { ATOMIC_SET, 0xff },  { ATOMIC_SMAX, 0xff },         { ATOMIC_SMIN, 0x80 },
              { ATOMIC_UMAX, 0xff }, { ATOMIC_UMIN, 0x80 },         { ATOMIC_SWP, 0xff } };
    map(0x1000, RAM, 0);
    for (unsigned pass = 0; pass < 2; pass++) { /* slow, then by fast tag */
        for (unsigned n = 0; n < ARRAY_LEN(k); n++) {
            *word(RAM) = 0xaaaaaaaaaaaa8011;
            if (!pass)
                tlbi(cpu, TLBI_VMALLE1, 0, false);
            struct mem_val m = mem_atomic(cpu, 0x1001, (enum atomic_op)k[n].op, 0xff, 1, 0);
            ck_assert(m.ok && m.v == 0x80);
            ck_assert_uint_eq(*word(RAM), 0xaaaaaaaaaaaa0011 | k[n].expect << 8);
        }
    }
    *word(RAM) = 5;
    ck_assert_uint_eq(mem_cas(cpu, 0x1000, 6, 9, 8, 0).v, 5);
    ck_assert_uint_eq(*word(RAM), 5);
    ck_assert_uint_eq(mem_cas(cpu, 0x1000, 5, 9, 8, 0).v, 5);
    ck_assert_uint_eq(*word(RAM), 9);
    union vreg compare = { .d = { 9, 0 } }, swap = { .d = { 1, 2 } };
    struct mem_val128 p = mem_casp(cpu, 0x1000, compare, swap, 8, 0);
    ck_assert(p.ok && p.v.d[0] == 9 && *word(RAM) == 1 && *word(RAM + 8) == 2);
    ck_assert(!mem_casp(cpu, 0x1008, compare, swap, 8, 0).ok);
}
END_TEST

START_TEST(exclusives)
{
    map(0x1000, RAM, 0);
    map(0x3000, RAM, 0);
    ck_assert(!mem_write_exclusive(cpu, 0x1000, 1, 0, 8, false, ACC_ATOMIC).pass);
    ck_assert(mem_read_exclusive(cpu, 0x1000, 8, false, ACC_ATOMIC).ok);
    struct excl_result x = mem_write_exclusive(cpu, 0x3000, 1, 0, 8, false, ACC_ATOMIC); /* the same location */
    ck_assert(x.ok && x.pass && *word(RAM) == 1);
    ck_assert(!mem_write_exclusive(cpu, 0x1000, 2, 0, 8, false, ACC_ATOMIC).pass);
    ck_assert(mem_read_exclusive(cpu, 0x1000, 8, false, ACC_ATOMIC).ok);
    ck_assert(!mem_write_exclusive(cpu, 0x1008, 2, 0, 8, false, ACC_ATOMIC).pass);
    ck_assert(mem_read_exclusive(cpu, 0x1000, 16, true, ACC_ATOMIC).ok);
    ck_assert(mem_write_exclusive(cpu, 0x1000, 3, 4, 16, true, ACC_ATOMIC).pass && *word(RAM) == 3 &&
              *word(RAM + 8) == 4);
    ck_assert(!mem_read_exclusive(cpu, 0x1004, 8, false, ACC_ATOMIC).ok);
    map(0x4000, RAM, RO);
    ck_assert(mem_read_exclusive(cpu, 0x4000, 4, false, ACC_ATOMIC).ok);
    ck_assert(!mem_write_exclusive(cpu, 0x4000, 3, 0, 4, false, ACC_ATOMIC).ok);
    ck_assert(cpu->d.exc.iss & 64);
}
END_TEST

/* ---- AT, those who look in ---- */

START_TEST(address_translation)
{
    map(0x1000, RAM, NG | RO);
    ck_assert(at_translate(cpu, AT_S1E1R, 0x1234));
    ck_assert_uint_eq(cpu->sys.par_el1, 0xffull << 56 | RAM | BIT(11) | BIT(9));
    ck_assert(at_translate(cpu, AT_S1E1W, 0x1234));
    ck_assert_uint_eq(cpu->sys.par_el1, 1 | 15 << 1 | BIT(11));
    ck_assert(at_translate(cpu, AT_S1E0R, 0x1234));
    ck_assert_uint_eq(cpu->sys.par_el1, 1 | 15 << 1 | BIT(11));
    ck_assert(at_translate(cpu, AT_S1E1A, 0x1234)); /* FEAT_ATS1A: no permission is asked for */
    ck_assert_uint_eq(cpu->sys.par_el1, 0xffull << 56 | RAM | BIT(11) | BIT(9));
    u64 *desc = map(0x2000, RAM + 0x2000, USER); /* PAN, which AT S1E1A does not look at either */
    cpu->ps.pan = 1;
    cpu_control_changed(cpu);
    ck_assert(at_translate(cpu, AT_S1E1RP, 0x2000) && cpu->sys.par_el1 == (1 | 15 << 1 | BIT(11)));
    ck_assert(at_translate(cpu, AT_S1E1A, 0x2000) && !(cpu->sys.par_el1 & 1));
    cpu->ps.pan = 0;
    cpu_control_changed(cpu);
    *desc &= ~(u64)AF;
    ck_assert(at_translate(cpu, AT_S1E1A, 0x2000) && cpu->sys.par_el1 == (1 | 11 << 1 | BIT(11))); /* access flag */
    *desc = 0;
    ck_assert(at_translate(cpu, AT_S1E1A, 0x2000) && cpu->sys.par_el1 == (1 | 7 << 1 | BIT(11)));
    ck_assert(!cpu->tlb.sizes); /* AT fills nothing */
    cpu->sys.hcr_el2 = 1;
    cpu->sys.vtcr_el2 = 25 | 1 << 6 | 5 << 16;
    cpu->sys.vttbr_el2 = table_new();
    controls();
    ck_assert(!at_translate(cpu, AT_S1E1R, 0x1234)); /* stage 2 fault on the walk: EL2 hears of it */
    ck_assert(cpu->d.exc.target_el == 2 && (cpu->d.exc.iss & 0x1ff) == (0x185 | 64));
    cpu->ps.el = 2;
    cpu_control_changed(cpu);
    ck_assert(at_translate(cpu, AT_S1E1R, 0x1234));
    ck_assert_uint_eq(cpu->sys.par_el1, 1 | 5 << 1 | BIT(8) | BIT(9) | BIT(11));
    for (u64 pa = TABLES; pa < RAM + RAM_SIZE; pa += 4096)
        map_at(cpu->sys.vttbr_el2, pa, 3, pa | AF | TABLE | S2RW | S2WB);
    map_at(cpu->sys.vttbr_el2, RAM, 3, (RAM + 0x7000) | AF | TABLE | S2RW | S2WB);
    ck_assert(at_translate(cpu, AT_S1E1R, 0x1234));
    ck_assert_uint_eq(cpu->sys.par_el1, 0xffull << 56 | RAM | BIT(11) | BIT(9));
    ck_assert(at_translate(cpu, AT_S12E1R, 0x1234));
    ck_assert_uint_eq(cpu->sys.par_el1, 0xffull << 56 | (RAM + 0x7000) | BIT(11) | BIT(9));
}
END_TEST

START_TEST(debug_changes_nothing)
{
    map(0x1000, RAM, RO);
    struct cpu *before = malloc(sizeof *before);
    memcpy(before, cpu, sizeof *before);
    struct walk_record rec = { 0 };
    u64 pa = 0;
    ck_assert(mmu_debug_translate(cpu, 0x1234, 1, &pa, NULL, &rec));
    ck_assert(pa == RAM + 0x234 && rec.count == 3);
    ck_assert(!mmu_debug_translate(cpu, 0x5000, 0, &pa, NULL, NULL));
    ck_assert_mem_eq(before, cpu, sizeof *before);
    free(before);
}
END_TEST

/* E2H and TGE: EL0 is in EL2's regime, and EL1's TLBI at EL2 names that one. */
START_TEST(host_regime)
{
    cpu->sys.hcr_el2 = BIT(34) | BIT(27);
    cpu->sys.sctlr_el2 = cpu->sys.sctlr_el1;
    cpu->sys.tcr_el2 = cpu->sys.tcr_el1;
    cpu->sys.mair_el2 = cpu->sys.mair_el1;
    cpu->sys.ttbr0_el2 = cpu->sys.ttbr0_el1;
    cpu->sys.ttbr0_el1 = table_new();
    u64 el2_table = cpu->sys.ttbr0_el2 & ones(48),
        *desc = map_at(el2_table, 0x1000, 3, RAM | AF | TABLE | NORMAL | NG | USER);
    cpu->ps.el = 0;
    controls();
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok);
    cpu->ps.el = 2;
    controls();
    ck_assert(mem_read(cpu, 0x1000, 8, ACC_UNPRIV).ok && mem_read(cpu, 0x1000, 8, 0).ok);
    *desc = 0;
    ck_assert(mem_read(cpu, 0x1000, 8, 0).ok);
    tlbi(cpu, TLBI_VAE1, 1ull << 48 | 1, false);
    ck_assert(!mem_read(cpu, 0x1000, 8, 0).ok);
    cpu->sys.hcr_el2 = BIT(34);
    controls();
    ck_assert_int_eq(regime_of(cpu, 0), REGIME_EL10);
    ck_assert_int_eq(regime_of(cpu, 2), REGIME_EL20);
}
END_TEST

static u64 tag_at(u64 va)
{
    struct mem_val m = mem_tags_read(cpu, va, 1);
    return m.ok ? m.v : ~0ull;
}

/* D10.3.1: memory that is not Write-Back is not Tagged. SCTLR_EL1.C and HCR_EL2.CD act without a TLBI; which of data
 * and fetches filled the TLB does not matter. */
START_TEST(cacheability_and_tags)
{
    static u8 tags[RAM_SIZE / 16], tag_flags[RAM_SIZE / 16 / 4096];
    phys.region[phys.region_count++] =
        (struct phys_region){ .base = tag_pa(RAM), .size = sizeof(tags), .host = tags, .flags = tag_flags };
    feature_add(&cpu->features, FEAT_MTE2);
    u64 s2 = table_new(), sctlr = cpu->sys.sctlr_el1 | BIT(43) /* ATA */ | BIT(12);
    for (u64 pa = RAM; pa < RAM + RAM_SIZE; pa += 4096)
        map_at(s2, pa, 3, pa | AF | TABLE | S2RW | S2WB);
    cpu->sys.vtcr_el2 = 25 | 1 << 6 | 5 << 16;
    cpu->sys.vttbr_el2 = s2;
    cpu->sys.mair_el1 = 0xf000;
    u64 hcr = BIT(HCR_VM) | BIT(HCR_ATA);
    cpu->sys.scr_el3 |= BIT(SCR_ATA);
    map(0x1000, RAM + 0x1000, 0);
    static const struct {
        u64 c, i, cd, id;
        u64 tag;
    } rows[] = { { 1, 1, 0, 0, 5 }, { 0, 1, 0, 0, 0 }, { 1, 0, 0, 0, 5 }, { 1, 1, 1, 0, 0 }, { 1, 1, 0, 1, 5 } };
    for (unsigned n = 0; n < ARRAY_LEN(rows) * 2; n++) {
        cpu->sys.sctlr_el1 = sctlr;
        cpu->sys.hcr_el2 = hcr;
        controls();
        ck_assert(mem_tags_write(cpu, 0x1000, 1, 5, false));
        ck_assert_uint_eq(tag_at(0x1000), 5);
        unsigned k = n / 2;
        cpu->sys.sctlr_el1 = (sctlr & ~(BIT(SCTLR_C) | BIT(SCTLR_I))) | rows[k].c << SCTLR_C | rows[k].i << SCTLR_I;
        cpu->sys.hcr_el2 = hcr | rows[k].cd << HCR_CD | rows[k].id << HCR_ID;
        controls();
        if (n & 1) {
            tlbi(cpu, TLBI_VMALLS12E1, 0, false);
            ck_assert(mem_fetch_page(cpu, 0x1000).ok);
        }
        ck_assert_msg(tag_at(0x1000) == rows[k].tag, "row %u, %s: %#lx", k, n & 1 ? "fetched" : "read",
                      (long)tag_at(0x1000));
    }
}
END_TEST

Suite *test_tlb_suite(void)
{
    const struct {
        const char *name;
        const TTest *test;
    } tests[] = { { "stale_until_tlbi", stale_until_tlbi },
                  { "relaxed_permission", relaxed_permission },
                  { "reset_makes_zeros", reset_makes_zeros },
                  { "asid_and_global", asid_and_global },
                  { "tlbi_kinds", tlbi_kinds },
                  { "tlbi_broadcast", tlbi_broadcast },
                  { "block_in_pieces", block_in_pieces },
                  { "vmid", vmid },
                  { "tlbi_range", tlbi_range_form },
                  { "tlbi_range_large", tlbi_range_large },
                  { "churn", churn },
                  { "many_contexts", many_contexts },
                  { "shared_slots", shared_slots },
                  { "el_and_pan", el_and_pan },
                  { "e0pd", e0pd },
                  { "crossing_pages", crossing_pages },
                  { "crossing_into_pushed_out", crossing_into_pushed_out },
                  { "alignment", alignment },
                  { "big_endian", big_endian },
                  { "devices", devices },
                  { "device_tags", device_tags },
                  { "code_pages", code_pages },
                  { "atomics", atomics },
                  { "exclusives", exclusives },
                  { "address_translation", address_translation },
                  { "debug_changes_nothing", debug_changes_nothing },
                  { "host_regime", host_regime },
                  { "cacheability_and_tags", cacheability_and_tags } };
    Suite *s = suite_create("tlb");
    for (unsigned n = 0; n < ARRAY_LEN(tests); n++) {
        TCase *c = tcase_create(tests[n].name);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, tests[n].test);
        suite_add_tcase(s, c);
    }
    return s;
}
