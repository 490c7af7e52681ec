/*
 * Memory access as instructions make it (mmu/access.c, fast.c, atomic.c, at.c): alignment, pages that are crossed, byte
 * order, devices, code pages, atomics and exclusives, AT, those who look in. Sections are of the Arm ARM.
 */
#include "tests/unit/tlb_rig.h"

Suite *test_memory_suite(void);

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

Suite *test_memory_suite(void)
{
    const struct tlb_test tests[] = { { "crossing_pages", crossing_pages },
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
    return tlb_rig_suite("memory", tests, ARRAY_LEN(tests));
}
