/*
 * Memory attributes of both stages and what they combine to, every combination: MAIR bytes, SCTLR_ELx.C, stage 1 off
 * and HCR_EL2.{DC, DCT}; stage 2 MemAttr and SH, HCR_EL2.{FWB, CD, ID}, FnXS. The tables are those of the Arm ARM,
 * D8.6.2 to D8.6.7 and D10.3.1; what comes out is what PAR_EL1 shows, and whether the memory is Tagged.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/field.h"
#include "mmu/attrs.h"
#include "mmu/walk.h"

Suite *test_attrs_suite(void);

enum { RAM = 0x10000000, RAM_SIZE = 0x10000, S1_TABLE = RAM, S2_TABLE = RAM + 0x1000, PAGE = 0x40000000 };
static u8 *ram, page_flags[RAM_SIZE / 4096];
static struct phys phys;
static struct regime_desc r;

/* EL1&0: a block of 1 GiB at 1 GiB in both stages; in stage 2 another for the tables, at 0. */
static void setup(void)
{
    ram = calloc(1, RAM_SIZE);
    ck_assert_ptr_nonnull(ram);
    phys = (struct phys){ .region = { { .base = RAM, .size = RAM_SIZE, .host = ram, .flags = page_flags } },
                          .region_count = 1,
                          .pa_size = 48 };
    r = (struct regime_desc){ .phys = &phys,
                              .regime = REGIME_EL10,
                              .has_s2 = 1,
                              .tcr = 25 | 25 << 16 | 2ull << 30 | 5ull << 32,
                              .ttbr = { S1_TABLE },
                              .vtcr = 25 | 1 << 6 | 5 << 16,
                              .vttbr = S2_TABLE };
}
static void teardown(void) { free(ram); }

static void set_descriptor(u64 table, unsigned index, u64 desc) { store_le64(ram + (table - RAM) + index * 8, desc); }

/* ---- what the manual says ---- */

struct half {
    u8 cache, hint, transient; /* cache: CACHE_* */
};
struct memory {
    u8 type; /* MEM_* */
    struct half outer, inner;
    u8 sh;
    bool tagged, xs0;
};

static bool all_cached(const struct memory *m, u8 cache)
{
    return m->type == MEM_NORMAL && m->outer.cache == cache && m->inner.cache == cache;
}

static struct memory device(u8 type, bool xs0) { return (struct memory){ .type = type, .sh = 2, .xs0 = xs0 }; }

/* D24.2 MAIR_EL1: the four bits of one half of Normal memory. */
static struct half mair_half(unsigned field)
{
    static const u8 cache[] = { CACHE_WT, CACHE_WB, CACHE_WT, CACHE_WB };
    if (field == 4)
        return (struct half){ .cache = CACHE_NC };
    return (struct half){ cache[field >> 2], field & 3, field < 8 };
}

/* Tables D8-100 (SH; 0b01 is Non-shareable here) and R_YHCTP: Device and Non-cacheable are Outer Shareable. */
static void share(struct memory *m, unsigned sh)
{
    static const u8 known[] = { 0, 0, 2, 3 };
    m->sh = m->type != MEM_NORMAL || all_cached(m, CACHE_NC) ? 2 : known[sh];
}

static const struct half WB_RWA = { CACHE_WB, 3, 0 }, NC = { CACHE_NC, 0, 0 };

/* What stage 1 assigns to data: a MAIR byte, where SCTLR_EL1.C is as said. feat: WALK_MTE and WALK_XS. */
static struct memory stage1(u8 mair, unsigned sh, bool c, u32 feat)
{
    bool xs = feat & WALK_XS, tagged = feat & WALK_MTE && mair == 0xf0;
    unsigned high = mair >> 4, low = mair & 15;
    struct memory m = { .type = MEM_NORMAL };
    if (high == 0) {
        bool known = (low & 3) == 0 || (xs && (low & 3) == 1);
        return known ? device((u8)(low >> 2), low & 1) : device(MEM_nGnRnE, false);
    }
    if (tagged)
        m.outer = m.inner = WB_RWA;
    else if (xs && (mair == 0x40 || mair == 0xa0))
        m.outer = m.inner = mair_half(high);
    else if (low == 0)
        return device(MEM_nGnRnE, false);
    else
        m.outer = mair_half(high), m.inner = mair_half(low);
    m.xs0 = xs && (all_cached(&m, CACHE_WB) || low == 0);
    m.tagged = tagged && c; /* CONSTRAINED UNPREDICTABLE with C 0 */
    if (!c)
        m.outer = m.inner = NC;
    share(&m, sh);
    return m;
}

/* HCR_EL2.DC: Write-Back, Non-shareable, HCR_EL2.DCT: Tagged. Else Device-nGnRnE. */
static struct memory stage1_off(bool dc, bool dct, u32 feat)
{
    if (!dc)
        return device(MEM_nGnRnE, false);
    return (struct memory){
        .type = MEM_NORMAL, .outer = WB_RWA, .inner = WB_RWA, .tagged = dct && feat & WALK_MTE, .xs0 = feat & WALK_XS
    };
}

/* Table D8-98, one half. Hints are those of stage 1 (R_THYXB). */
static struct half combine_half(struct half s1, unsigned s2)
{
    u8 cache = s2 == 3 ? CACHE_WB : s2 == 2 ? CACHE_WT : CACHE_NC; /* 0 is reserved: Non-cacheable here */
    if (s1.cache == CACHE_NC || cache == CACHE_NC)
        return NC;
    if (s1.cache == CACHE_WT || cache == CACHE_WT)
        s1.cache = CACHE_WT;
    return s1;
}

/* Table D8-101 and R_TBQKG, one half. */
static struct half force_half(struct half s1, unsigned low, bool s1_normal)
{
    if (low == 3)
        return s1;
    if (low != 2)
        return NC;
    if (!s1_normal || s1.cache == CACHE_NC)
        return WB_RWA;
    s1.cache = CACHE_WB;
    return s1;
}

/* Both stages, without shareability and tags. */
static struct memory combine_types(struct memory s1, unsigned memattr, bool fwb)
{
    struct memory m = s1;
    bool s2_device = fwb ? !(memattr & 4) : memattr < 4;
    if (s2_device) { /* Table D8-97 */
        m.type = (memattr & 3) < s1.type ? memattr & 3 : s1.type;
    } else if (fwb && (s1.type == MEM_NORMAL || (memattr & 3) == 2)) {
        m.type = MEM_NORMAL;
        m.outer = force_half(s1.outer, memattr & 3, s1.type == MEM_NORMAL);
        m.inner = force_half(s1.inner, memattr & 3, s1.type == MEM_NORMAL);
    } else if (!fwb && s1.type == MEM_NORMAL) {
        m.outer = combine_half(s1.outer, memattr >> 2);
        m.inner = combine_half(s1.inner, memattr & 3);
    }
    return m;
}

/* Shareability by table D8-103, tags by D10.3.1, the rest as HCR_EL2.{FWB, CD} say. */
static struct memory combine(struct memory s1, unsigned memattr, unsigned sh, bool fwb, bool cd, bool fnxs)
{
    struct memory m = combine_types(s1, memattr, fwb);
    m.xs0 |= fnxs || (r.feat & WALK_XS && all_cached(&m, CACHE_WB)); /* D8.7.4 */
    if (m.type == MEM_NORMAL && cd)
        m.outer = m.inner = NC;
    unsigned s2 = sh == 1 ? 0 : sh;
    share(&m, s1.sh == 2 || s2 == 2 ? 2 : s1.sh | s2);
    m.tagged = s1.tagged && all_cached(&m, CACHE_WB);
    return m;
}

/* D24.2 PAR_EL1.ATTR. */
static u8 par_attr(const struct memory *m)
{
    const struct half *halves[] = { &m->outer, &m->inner };
    u8 attr = 0;
    if (m->type != MEM_NORMAL)
        return (u8)(m->type << 2 | m->xs0);
    if (m->tagged)
        return 0xf0;
    if (m->xs0 && all_cached(m, CACHE_NC))
        return 0x40;
    if (m->xs0 && all_cached(m, CACHE_WT) && !m->outer.transient && m->outer.hint == 2)
        return 0xa0;
    for (unsigned n = 0; n < 2; n++) {
        unsigned kind = halves[n]->cache == CACHE_WB ? 4 : 0, steady = halves[n]->transient ? 0 : 8;
        attr = (u8)(attr << 4 | (halves[n]->cache == CACHE_NC ? 4 : kind | steady | halves[n]->hint));
    }
    return attr;
}

/* ---- what elmu does ---- */

static const struct walk_access READ = { .read = 1, .real_el = 1 }, FETCH = { .fetch = 1, .real_el = 1 };

static void check(const struct memory *want, u8 mair, unsigned memattr)
{
    struct translation t, f;
    walk(&r, PAGE, READ, NULL, &t);
    ck_assert(t.ok);
    ck_assert_msg(attrs_par(t.attrs) == par_attr(want) && attrs_par_sh(t.attrs) == want->sh &&
                      t.attrs.tagged == want->tagged,
                  "MAIR %#x, stage 2 %u %#x, SCTLR %#lx HCR %#lx feat %#x: ATTR %#x SH %u tagged %u, not %#x %u %u",
                  mair, r.stage2, memattr, (long)r.sctlr, (long)r.hcr, r.feat, attrs_par(t.attrs),
                  attrs_par_sh(t.attrs), t.attrs.tagged, par_attr(want), want->sh, want->tagged);
    /* A fetch fills the TLB for data too. */
    walk(&r, PAGE, FETCH, NULL, &f);
    ck_assert_msg(f.ok && f.attrs.tagged == want->tagged, "a fetch: MAIR %#x, stage 2 %#x, SCTLR %#lx HCR %#lx", mair,
                  memattr, (long)r.sctlr, (long)r.hcr);
}

/* All that stage 2 can make of s1, which r describes. */
static void check_stage2(struct memory s1, u8 mair)
{
    enum { FWB = 1, CD = 2, ID = 4, FNXS = 8 };
    r.stage2 = 0;
    check(&s1, mair, 0);
    r.stage2 = 1;
    u64 hcr = r.hcr;
    for (unsigned n = 0; n < 16 * 16; n++) {
        unsigned memattr = n & 15, how = n >> 4, sh = (mair >> 2 ^ memattr ^ how) & 3;
        bool fwb = how & FWB && r.feat & WALK_FWB, fnxs = how & FNXS && r.feat & WALK_XS;
        r.hcr = hcr | (how & FWB ? BIT(HCR_FWB) : 0) | (how & CD ? BIT(HCR_CD) : 0) | (how & ID ? BIT(HCR_ID) : 0);
        set_descriptor(S2_TABLE, 1, PAGE | 1 << 10 | sh << 8 | 3 << 6 | memattr << 2 | (how & FNXS ? 1 << 11 : 0) | 1);
        struct memory want = combine(s1, memattr, sh, fwb, how & CD, fnxs);
        check(&want, mair, memattr);
    }
    r.hcr = hcr;
}

static const u32 features[] = { 0, WALK_MTE | WALK_FWB, WALK_XS | WALK_FWB, WALK_MTE | WALK_XS | WALK_FWB };

START_TEST(every_combination)
{
    r.feat = features[_i];
    r.stage1 = 1;
    set_descriptor(S2_TABLE, 0, 1 << 10 | 3 << 8 | 3 << 6 | 15 << 2 | 1);
    for (unsigned n = 0; n < 256 * 2; n++) {
        u8 mair = (u8)(n >> 1);
        bool c = n & 1, i = !(mair & 16) != c;
        unsigned sh = (mair ^ mair >> 4) & 3; /* all four with each kind */
        r.mair = mair;
        r.sctlr = BIT(SCTLR_M) | (c ? BIT(SCTLR_C) : 0) | (i ? BIT(SCTLR_I) : 0);
        set_descriptor(S1_TABLE, 1, PAGE | 1 << 10 | sh << 8 | 1);
        check_stage2(stage1(mair, sh, c, r.feat), mair);
    }
}
END_TEST

START_TEST(stage1_is_off)
{
    r.feat = features[_i];
    for (unsigned n = 0; n < 4; n++) {
        bool dc = n & 1, dct = n & 2;
        r.hcr = (dc ? BIT(HCR_DC) : 0) | (dct ? BIT(HCR_DCT) : 0);
        check_stage2(stage1_off(dc, dct, r.feat), 0);
    }
}
END_TEST

/* Issue 11: Normal Non-cacheable by force is not Tagged; Write-Back by force and stage 1's own are. */
START_TEST(forced_and_tagged)
{
    static const struct {
        u8 memattr, par;
        bool tagged;
    } c[] = { { 5, 0x40, 0 }, { 6, 0xf0, 1 }, { 7, 0xf0, 1 }, { 4, 0x40, 0 }, { 1, 0x05, 0 } };
    for (unsigned n = 0; n < ARRAY_LEN(c); n++) {
        struct mem_attrs a = attrs_combine_fwb(attrs_stage1(0xf0, 3, true, WALK_MTE | WALK_XS), c[n].memattr, 3, true,
                                               WALK_MTE | WALK_XS);
        ck_assert_msg(attrs_par(a) == c[n].par && a.tagged == c[n].tagged, "%#x: %#x", c[n].memattr, attrs_par(a));
    }
}
END_TEST

Suite *test_attrs_suite(void)
{
    Suite *s = suite_create("attrs");
    TCase *c = tcase_create("attrs");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, every_combination, 0, ARRAY_LEN(features));
    tcase_add_loop_test(c, stage1_is_off, 0, ARRAY_LEN(features));
    tcase_add_test(c, forced_and_tagged);
    suite_add_tcase(s, c);
    return s;
}
