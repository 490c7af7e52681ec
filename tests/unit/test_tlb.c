/*
 * What the TLB holds decides (mmu/access.c, fast.c, tlb.c, context.c): what a PE sees after descriptors, control
 * registers or TLB contents change, and that fast tags never hold more than the TLB. Sections are of the Arm ARM.
 */
#include "tests/unit/tlb_rig.h"

Suite *test_tlb_suite(void);

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

Suite *test_tlb_suite(void)
{
    const struct tlb_test tests[] = { { "stale_until_tlbi", stale_until_tlbi },
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
                                      { "e0pd", e0pd } };
    return tlb_rig_suite("tlb", tests, ARRAY_LEN(tests));
}
