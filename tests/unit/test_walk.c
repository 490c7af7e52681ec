/*
 * The table walker (mmu/walk.c), without a PE: tables are built in a few pages of RAM, a regime is described, an
 * address is translated. Sections are of the Arm ARM.
 */
#include <check.h>
#include <stdlib.h>

#include "mmu/attrs.h"
#include "mmu/memo.h"
#include "mmu/walk.h"

Suite *test_walk_suite(void);

/* ---- RAM, tables, a regime ---- */

enum { RAM = 0x10000000, RAM_SIZE = 4 << 20, TABLES = RAM + 0x100000 };
static u8 *ram, page_flags[RAM_SIZE / 4096];
static struct phys phys;
static struct regime_desc r;
static struct memo *memo;
static u64 next_table;

/* EL1&0, 4K granule, 39-bit addresses, 48-bit output, MAIR: 0 Device-nGnRnE, 1 Normal NC, 2 Normal WB, 3 Device-GRE. */
static void setup(void)
{
    ram = calloc(1, RAM_SIZE);
    ck_assert_ptr_nonnull(ram);
    memset(page_flags, 0, sizeof page_flags);
    phys = (struct phys){ .region = { { .base = RAM, .size = RAM_SIZE, .host = ram, .flags = page_flags } },
                          .region_count = 1,
                          .pa_size = 48 };
    next_table = TABLES;
    r = (struct regime_desc){ .phys = &phys,
                              .regime = REGIME_EL10,
                              .stage1 = 1,
                              .sctlr = 1 | 4 | 1 << 12,
                              .tcr = 25 | 25 << 16 | 2ull << 30 | 5ull << 32,
                              .mair = 0x0cff4400 };
    r.feat = WALK_HPD;
    memo = memo_create();
    ck_assert_ptr_nonnull(memo);
}
static void teardown(void)
{
    memo_destroy(memo);
    free(ram);
}

static u64 *word(u64 pa)
{
    ck_assert(pa - RAM < RAM_SIZE - 7);
    return (u64 *)(void *)(ram + (pa - RAM));
}

/* Zeroed and aligned to its size, which may be many pages for concatenated tables. */
static u64 table_new(u64 size)
{
    next_table = align_up(next_table, size);
    u64 at = next_table;
    next_table += size;
    ck_assert(next_table <= RAM + RAM_SIZE);
    return at;
}

enum { V = 1, TABLE = 3, AF = 1 << 10, NG = 1 << 11, RO = 1 << 7, USER = 1 << 6, S2R = 1 << 6, S2W = 1 << 7, ISH = 3 << 8,
       S2WB = 15 << 2 };
#define PXN BIT(53)
#define XN  BIT(54)
#define DBM BIT(51)

/* Enters desc for an address at a level, making the tables above it. Levels and sizes by granule; the first table may
 * be larger than a page. Returns the address of the descriptor. */
static u64 map(u64 base, unsigned grain, unsigned input, int start, int level, u64 address, u64 desc)
{
    unsigned stride = grain - 3, top = input;
    u64 table = base;
    for (int at = start;; at++) {
        unsigned low = (unsigned)(3 - at) * stride + grain;
        u64 slot = table + bits(address, top - 1, low) * 8;
        top = low;
        if (at == level) {
            *word(slot) = desc;
            return slot;
        }
        if (!(*word(slot) & 1))
            *word(slot) = table_new((u64)1 << grain) | TABLE;
        table = bits(*word(slot), 47, 12) << 12;
    }
}

/* One 4K page of the usual regime, TTBR0. */
static u64 map_page(u64 va, u64 desc)
{
    if (!r.ttbr[0])
        r.ttbr[0] = table_new(4096);
    return map(r.ttbr[0], 12, 39, 1, 3, va, desc);
}

static const struct walk_access READ = { .read = 1, .real_el = 1 }, WRITE = { .write = 1, .real_el = 1 },
                                FETCH = { .fetch = 1, .real_el = 1 }, USER_READ = { .read = 1, .el0 = 1 },
                                USER_WRITE = { .write = 1, .el0 = 1 }, USER_FETCH = { .fetch = 1, .el0 = 1 };
static struct translation t;
static struct walk_record rec;

/* With a memory of earlier walks the answer is the same, the first time and later. */
static void check_memo(u64 va, struct walk_access a)
{
    struct translation from_top, again;
    walk(&r, va, a, NULL, &from_top);
    for (int n = 0; n < 2; n++) {
        walk(memo_regime(memo, &r), va, a, NULL, &again);
        ck_assert_mem_eq(&from_top, &again, sizeof again);
    }
}

static bool go(u64 va, struct walk_access a)
{
    rec.count = 0;
    walk(&r, va, a, &rec, &t);
    check_memo(va, a);
    return t.ok;
}

static void expect_fault(u64 va, struct walk_access a, unsigned fsc, unsigned rule)
{
    ck_assert_msg(!go(va, a), "%#lx translates", (unsigned long)va);
    ck_assert_msg(t.fault.fsc == fsc && t.fault.rule == rule, "%#lx: fsc %#x (%s), not %#x (%s)", (unsigned long)va,
                  t.fault.fsc, fault_rule_text(t.fault.rule), fsc, fault_rule_text(rule));
}

/* ---- stage 1 ---- */

START_TEST(page)
{
    u64 at = map_page(0x12345000, 0x87654000 | 2 << 2 | ISH | AF | V | 2 | NG);
    ck_assert(go(0x12345678, READ));
    ck_assert_uint_eq(t.pa, 0x87654678);
    ck_assert_uint_eq(t.size_log2, 12);
    ck_assert(!t.global && t.ns && t.level1 == 3);
    ck_assert(t.attrs.type == MEM_NORMAL && t.attrs.inner == CACHE_WB && t.attrs.sh == 3);
    ck_assert_uint_eq(rec.count, 3);
    for (unsigned n = 0; n < 3; n++)
        ck_assert(rec.step[n].level == (s8)n + 1 && rec.step[n].stage == 1);
    ck_assert_uint_eq(rec.step[2].addr, at);
    ck_assert_uint_eq(rec.step[2].value, *word(at));
}
END_TEST

/* Every granule and input size starts at the level that D8.2 gives, and finds its page through the tables below. */
START_TEST(granules)
{
    static const struct {
        unsigned grain, tg0;
    } g[] = { { 12, 0 }, { 14, 2 }, { 16, 1 } };
    for (unsigned k = 0; k < ARRAY_LEN(g); k++) {
        for (unsigned input = 25; input <= 48; input++) {
            unsigned stride = g[k].grain - 3;
            int start = 4 - (int)((input - g[k].grain + stride - 1) / stride);
            u64 va = (0x5a5a5a5a5a5a5a5a & ones(input)) | 0x123;
            memset(ram, 0, RAM_SIZE);
            next_table = TABLES;
            r.tcr = (64 - input) | (u64)g[k].tg0 << 14 | 5ull << 32;
            r.ttbr[0] = table_new((u64)1 << g[k].grain);
            map(r.ttbr[0], g[k].grain, input, start, 3, va, (0x12340000 & ~ones(g[k].grain)) | AF | TABLE);
            ck_assert_msg(go(va, READ), "grain %u input %u: %s", g[k].grain, input, fault_rule_text(t.fault.rule));
            ck_assert_uint_eq(t.pa, (0x12340000 & ~ones(g[k].grain)) | (va & ones(g[k].grain)));
            ck_assert_int_eq(rec.step[0].level, start);
            ck_assert_uint_eq(rec.count, (unsigned)(4 - start));
            expect_fault(va | BIT(input), READ, 4, RULE_VA_RANGE);
        }
    }
}
END_TEST

START_TEST(blocks)
{
    static const struct {
        unsigned grain, tg0, input;
        int level;
        unsigned size;
    } b[] = { { 12, 0, 39, 1, 30 }, { 12, 0, 39, 2, 21 }, { 14, 2, 40, 2, 25 }, { 16, 1, 42, 2, 29 } };
    for (unsigned k = 0; k < ARRAY_LEN(b); k++) {
        unsigned stride = b[k].grain - 3;
        int start = 4 - (int)((b[k].input - b[k].grain + stride - 1) / stride);
        u64 va = 0x7fedcba98 & ones(b[k].input);
        r.tcr = (64 - b[k].input) | (u64)b[k].tg0 << 14 | 5ull << 32;
        r.ttbr[0] = table_new((u64)1 << b[k].grain);
        map(r.ttbr[0], b[k].grain, b[k].input, start, b[k].level, va, 0x3c0000000 | AF | V | BIT(52));
        ck_assert(go(va, READ));
        ck_assert_uint_eq(t.size_log2, b[k].size);
        ck_assert_uint_eq(t.pa, (0x3c0000000 & ~ones(b[k].size)) | (va & ones(b[k].size)));
    }
    /* 4K has no block at level 0, 16K none at level 1 */
    r.tcr = 16 | 5ull << 32;
    r.ttbr[0] = table_new(4096);
    *word(r.ttbr[0]) = AF | V;
    expect_fault(0, READ, 4, RULE_BLOCK_LEVEL);
    r.tcr = 17 | 2 << 14 | 5ull << 32;
    r.ttbr[0] = table_new(16384);
    *word(r.ttbr[0]) = AF | V;
    expect_fault(0, READ, 5, RULE_BLOCK_LEVEL);
}
END_TEST

START_TEST(faults)
{
    map_page(0x1000, 0);
    expect_fault(0x1000, READ, 7, RULE_INVALID);
    map_page(0x1000, 0x5000 | AF | V);
    expect_fault(0x1000, READ, 7, RULE_RESERVED);
    u64 at = map_page(0x1000, 0x5000 | TABLE);
    expect_fault(0x1000, WRITE, 11, RULE_AF);
    ck_assert(t.fault.wnr && t.fault.desc_addr == at && t.fault.desc_stage == 1 && t.fault.desc == (0x5000 | TABLE));
    expect_fault(0x1000 | 1ull << 32, READ, 5, RULE_INVALID);
    r.tcr &= ~(7ull << 32); /* 32-bit output */
    map_page(0x1000, 0x100005000 | AF | TABLE);
    expect_fault(0x1000, READ, 3, RULE_OUTPUT_SIZE);
    r.ttbr[0] |= 1ull << 40;
    expect_fault(0x1000, READ, 0, RULE_TTBR_SIZE);
    r.ttbr[0] = 0x80000000; /* nothing there */
    expect_fault(0x1000, READ, 0x15, RULE_EXTERNAL);
    r.tcr |= 1 << 7;
    expect_fault(0x1000, READ, 4, RULE_EPD);
    r.tcr = (r.tcr & ~63ull) | 12; /* T0SZ below 16 */
    expect_fault(0x1000, READ, 4, RULE_VA_RANGE);
}
END_TEST

/* AP, UXN, PXN and what they leave (Table D8-40 and on), EL1&0. */
START_TEST(permissions)
{
    for (unsigned n = 0; n < 16; n++) {
        bool ro = n & 1, user = n & 2, uxn = n & 4, pxn = n & 8;
        map_page(0x1000, 0x5000 | AF | TABLE | (ro ? RO : 0) | (user ? USER : 0) | (uxn ? XN : 0) | (pxn ? PXN : 0));
        ck_assert(go(0x1000, READ));
        ck_assert_int_eq(go(0x1000, WRITE), !ro);
        ck_assert_int_eq(go(0x1000, USER_READ), user);
        ck_assert_int_eq(go(0x1000, USER_WRITE), user && !ro);
        ck_assert_int_eq(go(0x1000, USER_FETCH), !uxn);
        ck_assert_int_eq(go(0x1000, FETCH), !pxn && !(user && !ro)); /* EL0-writable is never executable above */
        struct walk_access p = READ;
        p.pan = 1;
        ck_assert_int_eq(go(0x1000, p), !user);
        r.sctlr |= 1 << 19; /* WXN */
        ck_assert_int_eq(go(0x1000, USER_FETCH), !uxn && !(user && !ro));
        ck_assert_int_eq(go(0x1000, FETCH), !pxn && ro);
        r.sctlr &= ~(1ull << 19);
    }
    map_page(0x1000, 0x5000 | AF | TABLE | RO);
    expect_fault(0x1000, WRITE, 15, RULE_WRITE);
    struct walk_access rmw = { .read = 1, .write = 1, .real_el = 1 };
    expect_fault(0x1000, rmw, 15, RULE_WRITE);
    ck_assert(t.fault.wnr);
    rmw.el0 = 1; /* the read fails first: WnR is 0 */
    expect_fault(0x1000, rmw, 15, RULE_READ);
    ck_assert(!t.fault.wnr);
}
END_TEST

START_TEST(hierarchy)
{
    map_page(0x1000, 0x5000 | AF | TABLE | USER);
    u64 *top = word(r.ttbr[0]);
    *top |= BIT(62); /* APTable: read-only */
    expect_fault(0x1000, WRITE, 15, RULE_WRITE);
    ck_assert(go(0x1000, FETCH));
    *top = (*top & ~BIT(62)) | BIT(61); /* no EL0 */
    expect_fault(0x1000, USER_READ, 15, RULE_READ);
    *top = (*top & ~BIT(61)) | BIT(60) | BIT(59); /* UXNTable, PXNTable */
    expect_fault(0x1000, USER_FETCH, 15, RULE_EXECUTE);
    expect_fault(0x1000, FETCH, 15, RULE_EXECUTE);
    r.tcr |= BIT(41); /* HPD0 */
    ck_assert(go(0x1000, USER_FETCH));
    r.secure = 1;
    ck_assert(go(0x1000, READ) && !t.ns && t.global);
    *top |= BIT(63); /* NSTable */
    ck_assert(go(0x1000, READ) && t.ns && !t.global);
    r.sif = 1;
    expect_fault(0x1000, USER_FETCH, 15, RULE_SIF);
    phys.region[0].secure = 1; /* the next table is looked for in Non-secure memory, and there is none */
    memo_destroy(memo);        /* which is for one physical map */
    memo = memo_create();
    expect_fault(0x1000, READ, 0x16, RULE_EXTERNAL);
}
END_TEST

/* EL2 and EL3: one privilege, XN, no ASID. */
START_TEST(one_privilege)
{
    r.regime = REGIME_EL2;
    r.tcr = 25 | 5 << 16;
    map_page(0x1000, 0x5000 | AF | TABLE | NG);
    ck_assert(go(0x1000, WRITE) && t.global);
    ck_assert(go(0x1000, FETCH));
    map_page(0x1000, 0x5000 | AF | TABLE | XN | RO);
    expect_fault(0x1000, FETCH, 15, RULE_EXECUTE);
    expect_fault(0x1000, WRITE, 15, RULE_WRITE);
    expect_fault(0xffffff8000001000, READ, 4, RULE_VA_RANGE);
}
END_TEST

START_TEST(upper_half_and_tags)
{
    map_page(0x1000, 0x5000 | AF | TABLE);
    r.ttbr[1] = table_new(4096);
    map(r.ttbr[1], 12, 39, 1, 3, 0xffffff8000002000, 0x6000 | AF | TABLE);
    ck_assert(go(0xffffff8000002004, READ));
    ck_assert_uint_eq(t.pa, 0x6004);
    expect_fault(0x5500000000001000, READ, 4, RULE_VA_RANGE);
    expect_fault(0xaaffff8000002000, READ, 4, RULE_VA_RANGE);
    r.tcr |= BIT(37) | BIT(38);
    ck_assert(go(0x5500000000001008, READ));
    ck_assert_uint_eq(t.pa, 0x5008);
    ck_assert(go(0xaaffff8000002000, FETCH));
    r.feat |= WALK_TBID;
    r.tcr |= BIT(52);
    expect_fault(0xaaffff8000002000, FETCH, 4, RULE_VA_RANGE);
    ck_assert(go(0xaaffff8000002000, READ));
}
END_TEST

START_TEST(stage1_off)
{
    r.stage1 = 0;
    ck_assert(go(0x123456789abc, READ));
    ck_assert_uint_eq(t.pa, 0x123456789abc);
    ck_assert(t.attrs.type == MEM_nGnRnE && t.perm & TLB_FLAT);
    ck_assert(go(0x1000, FETCH) && t.attrs.type == MEM_NORMAL && t.attrs.inner == CACHE_WT);
    expect_fault(1ull << 48, READ, 0, RULE_MMU_OFF_SIZE);
    struct walk_access a = READ;
    a.unaligned = 1;
    expect_fault(0x1001, a, 0x21, RULE_ALIGN_FLAT);
}
END_TEST

START_TEST(device_alignment)
{
    struct walk_access a = USER_WRITE, zva = WRITE;
    a.unaligned = 1;
    zva.zva = 1;
    map_page(0x1000, 0x5000 | AF | TABLE | RO | 3 << 2);
    expect_fault(0x1000, a, 0x21, RULE_ALIGN_DEVICE); /* before the permission */
    expect_fault(0x1000, zva, 0x21, RULE_ALIGN_DEVICE);
    map_page(0x1000, 0x5000 | TABLE | 3 << 2);
    expect_fault(0x1000, a, 11, RULE_AF); /* after the access flag */
    map_page(0x1000, 0x5000 | AF | TABLE | USER | 1 << 2);
    ck_assert(go(0x1000, a) && go(0x1000, zva));
}
END_TEST

START_TEST(big_endian_tables)
{
    u64 at = map_page(0x1000, 0x5000 | AF | TABLE), base = r.ttbr[0];
    for (u64 *w = word(base), *end = word(next_table - 8); w <= end; w++)
        *w = __builtin_bswap64(*w);
    expect_fault(0x1000, READ, 5, RULE_INVALID);
    r.sctlr |= 1 << 25;
    ck_assert(go(0x1000, READ));
    ck_assert_uint_eq(rec.step[2].value, 0x5000 | AF | TABLE);
    ck_assert_uint_eq(rec.step[2].addr, at);
}
END_TEST

/* FEAT_HAFDBS (D8.4.6). */
START_TEST(access_and_dirty)
{
    u64 *desc = word(map_page(0x1000, 0x5000 | TABLE | RO | DBM));
    struct walk_access debug = WRITE;
    debug.debug = 1;
    r.feat |= WALK_HAF | WALK_HDBS;
    r.tcr |= BIT(39); /* HA */
    ck_assert(go(0x1000, (struct walk_access){ .debug = 1 }));
    ck_assert(!(*desc & AF));
    ck_assert(go(0x1000, READ));
    ck_assert(*desc & AF && page_flags[((u8 *)desc - ram) / 4096] & PAGE_TOUCHED);
    expect_fault(0x1000, WRITE, 15, RULE_WRITE);
    r.tcr |= BIT(40); /* HD */
    ck_assert(go(0x1000, READ));
    ck_assert(*desc & RO && !(t.perm & TLB_PW)); /* clean: what is cached may not be written */
    ck_assert(go(0x1000, debug));
    ck_assert(*desc & RO);
    ck_assert(go(0x1000, WRITE));
    ck_assert(!(*desc & RO) && t.perm & TLB_PW);
    ck_assert(rec.step[rec.count - 1].updated);
}
END_TEST

/* ---- stage 2 ---- */

enum { S2_NONE = 0, S2_PAGE = 0x7000 };

/* Stage 2 of 4K, 32-bit IPA from level 1 (SL0 = 1): RAM as it is. */
static void stage2_on(void)
{
    r.has_s2 = r.stage2 = 1;
    r.hcr = 1;
    r.vtcr = 32 | 1 << 6 | 5 << 16;
    r.vttbr = table_new(4096);
    for (u64 pa = RAM; pa < RAM + RAM_SIZE; pa += 4096)
        map(r.vttbr, 12, 32, 1, 3, pa, pa | AF | TABLE | S2R | S2W | S2WB | ISH);
}

START_TEST(both_stages)
{
    stage2_on();
    map_page(0x1000, 0x5000 | AF | TABLE | 2 << 2);
    u64 at = map(r.vttbr, 12, 32, 1, 3, 0x5000, S2_PAGE | AF | TABLE | S2R | S2WB);
    ck_assert(go(0x1234, READ));
    ck_assert_uint_eq(t.ipa, 0x5234);
    ck_assert_uint_eq(t.pa, S2_PAGE + 0x234);
    ck_assert_uint_eq(rec.count, 3 * (3 + 1) + 3);
    ck_assert(!(t.perm & (TLB_PW | TLB_UW)) && t.perm & TLB_PR);
    expect_fault(0x1234, WRITE, 15, RULE_WRITE);
    ck_assert(t.fault.stage2 && !t.fault.s1ptw && t.fault.ipa == 0x5234 && t.fault.desc_addr == at && t.fault.wnr);
    *word(at) |= XN;
    expect_fault(0x1234, FETCH, 15, RULE_EXECUTE);
    *word(at) = 0;
    expect_fault(0x1234, WRITE, 7, RULE_INVALID);
    ck_assert(t.fault.stage2 && t.fault.wnr);
    /* the table of the last level may not be read */
    u64 table = bits(*word(bits(*word(r.ttbr[0]), 47, 12) << 12), 47, 12) << 12;
    map(r.vttbr, 12, 32, 1, 3, table, table | AF | TABLE | S2W | S2WB);
    expect_fault(0x1234, WRITE, 15, RULE_READ);
    ck_assert(t.fault.stage2 && t.fault.s1ptw && t.fault.ipa == table + 8);
    /* HCR_EL2.PTW: it lies in Device memory */
    map(r.vttbr, 12, 32, 1, 3, table, table | AF | TABLE | S2R | S2W);
    expect_fault(0x1234, READ, 7, RULE_INVALID);
    r.hcr |= 4;
    expect_fault(0x1234, READ, 15, RULE_PTW);
    ck_assert(t.fault.s1ptw);
}
END_TEST

START_TEST(stage1_only)
{
    struct walk_access a = READ;
    a.stage1_only = 1;
    stage2_on();
    map_page(0x1000, 0x5000 | AF | TABLE);
    expect_fault(0x1000, READ, 6, RULE_INVALID);
    ck_assert(go(0x1000, a));
    ck_assert_uint_eq(t.ipa, 0x5000);
}
END_TEST

/* D8.2.6: every pair of granule and start level, with up to 16 concatenated tables. */
START_TEST(concatenation)
{
    static const struct {
        unsigned grain, tg0, sl0;
        int level;
    } g[] = { { 12, 0, 2, 0 }, { 12, 0, 1, 1 }, { 12, 0, 0, 2 }, { 14, 2, 2, 1 }, { 14, 2, 1, 2 },
              { 14, 2, 0, 3 }, { 16, 1, 2, 1 }, { 16, 1, 1, 2 }, { 16, 1, 0, 3 } };
    r.has_s2 = r.stage2 = 1;
    r.stage1 = 0;
    r.hcr = 1;
    for (unsigned k = 0; k < ARRAY_LEN(g); k++) {
        unsigned stride = g[k].grain - 3;
        for (unsigned input = 25; input <= 48; input++) {
            int entries = (int)input - (int)((unsigned)(3 - g[k].level) * stride + g[k].grain);
            bool legal = entries >= 1 && entries <= (int)stride + 4;
            u64 ipa = 0x5a5a5a5a5a5a5a5a & ones(input);
            if (legal && entries + 3 > 20)
                continue; /* the table is larger than our RAM */
            memset(ram, 0, RAM_SIZE);
            next_table = TABLES;
            r.vtcr = (64 - input) | g[k].sl0 << 6 | g[k].tg0 << 14 | 5 << 16;
            r.vttbr = table_new(legal ? align_up(8ull << entries, 64) : 4096);
            if (legal)
                map(r.vttbr, g[k].grain, input, g[k].level, 3, ipa,
                    (0x12340000 & ~ones(g[k].grain)) | AF | TABLE | S2R);
            bool ok = go(ipa, READ);
            ck_assert_msg(ok == legal, "grain %u level %d input %u: %s", g[k].grain, g[k].level, input,
                          ok ? "translates" : fault_rule_text(t.fault.rule));
            if (legal)
                ck_assert_uint_eq(t.pa, (0x12340000 & ~ones(g[k].grain)) | (ipa & ones(g[k].grain)));
            else
                ck_assert(t.fault.rule == RULE_VA_RANGE && t.fault.fsc == 4 && t.fault.stage2);
        }
    }
}
END_TEST

START_TEST(sizes_combine)
{
    stage2_on();
    r.ttbr[0] = table_new(4096);
    map(r.ttbr[0], 12, 39, 1, 2, 0x200000, RAM | AF | V);
    ck_assert(go(0x201000, READ));
    ck_assert(t.size_log2 == 12 && t.size1_log2 == 21 && t.size2_log2 == 12 && t.pa == RAM + 0x1000);
}
END_TEST

/* ---- attributes (D8.6) ---- */

START_TEST(combined_attributes)
{
    static const struct {
        u8 mair, s2, par;
        u8 sh1, sh2, sh;
    } c[] = { { 0xff, 15, 0xff, 0, 0, 0 }, { 0xff, 15, 0xff, 3, 0, 3 }, { 0xff, 15, 0xff, 3, 2, 2 },
              { 0xff, 5, 0x44, 3, 3, 2 },  { 0x44, 15, 0x44, 3, 3, 2 }, { 0xff, 10, 0xbb, 0, 3, 3 },
              { 0xbb, 15, 0xbb, 0, 0, 0 }, { 0xff, 1, 0x04, 0, 0, 2 },  { 0x0c, 15, 0x0c, 0, 0, 2 },
              { 0x04, 3, 0x04, 0, 0, 2 },  { 0x0c, 1, 0x04, 0, 0, 2 },  { 0xee, 7, 0x4e, 0, 0, 0 },
              { 0x7f, 15, 0x7f, 0, 0, 0 } };
    for (unsigned n = 0; n < ARRAY_LEN(c); n++) {
        struct mem_attrs a =
            attrs_combine(attrs_stage1(c[n].mair, c[n].sh1, true, 0), attrs_stage2(c[n].s2, c[n].sh2, true));
        ck_assert_msg(attrs_par(a) == c[n].par && attrs_par_sh(a) == c[n].sh, "%#x with %#x: %#x sh %u", c[n].mair,
                      c[n].s2, attrs_par(a), attrs_par_sh(a));
    }
    ck_assert_uint_eq(attrs_par(attrs_stage1(0xff, 3, false, 0)), 0x44); /* SCTLR_ELx.C is 0 */
    ck_assert_uint_eq(attrs_par(attrs_stage1(0x0c, 3, false, 0)), 0x0c);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0x40, 3, true, 0)), 0x00); /* reserved */
    /* FEAT_XS: encodings of MAIR with an XS attribute of 0, and Write-Back memory, which has it always */
    ck_assert_uint_eq(attrs_par(attrs_stage1(0x40, 3, true, WALK_XS)), 0x40);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0xa0, 3, true, WALK_XS)), 0xa0);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0xaa, 3, true, WALK_XS)), 0xaa);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0x44, 3, true, WALK_XS)), 0x44);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0x09, 3, true, WALK_XS)), 0x09);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0x0a, 3, true, WALK_XS)), 0x00); /* reserved still */
    ck_assert_uint_eq(attrs_par(attrs_stage1(0xff, 3, true, WALK_XS)), 0xff);
    ck_assert_uint_eq(attrs_par(attrs_stage1(0xff, 3, false, WALK_XS)), 0x40); /* SCTLR_ELx.C is 0 */
    ck_assert_uint_eq(attrs_par(attrs_stage1(0xbb, 3, false, WALK_XS)), 0x44);
    ck_assert_uint_eq(attrs_par(attrs_combine(attrs_stage1(0xff, 3, true, WALK_XS), attrs_stage2(5, 3, true))), 0x40);
    ck_assert_uint_eq(attrs_par(attrs_combine(attrs_stage1(0xff, 3, true, WALK_XS), attrs_stage2(1, 3, true))), 0x05);
    ck_assert_uint_eq(attrs_par(attrs_combine_fwb(attrs_stage1(0x44, 0, true, 0), 6, 3, true, 0)), 0xff);
    ck_assert_uint_eq(attrs_par(attrs_combine_fwb(attrs_stage1(0xff, 0, true, 0), 5, 3, true, 0)), 0x44);
    ck_assert_uint_eq(attrs_par(attrs_combine_fwb(attrs_stage1(0x0c, 0, true, 0), 7, 3, true, 0)), 0x0c);
}
END_TEST

Suite *test_walk_suite(void)
{
    const struct {
        const char *name;
        const TTest *test;
    } tests[] = { { "page", page },
                  { "granules", granules },
                  { "blocks", blocks },
                  { "faults", faults },
                  { "permissions", permissions },
                  { "hierarchy", hierarchy },
                  { "one_privilege", one_privilege },
                  { "upper_half_and_tags", upper_half_and_tags },
                  { "stage1_off", stage1_off },
                  { "device_alignment", device_alignment },
                  { "big_endian_tables", big_endian_tables },
                  { "access_and_dirty", access_and_dirty },
                  { "both_stages", both_stages },
                  { "stage1_only", stage1_only },
                  { "concatenation", concatenation },
                  { "sizes_combine", sizes_combine },
                  { "combined_attributes", combined_attributes } };
    Suite *s = suite_create("walk");
    for (unsigned n = 0; n < ARRAY_LEN(tests); n++) {
        TCase *c = tcase_create(tests[n].name);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, tests[n].test);
        suite_add_tcase(s, c);
    }
    return s;
}
