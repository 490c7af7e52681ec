/*
 * Memory attributes of a translation (Arm ARM D8.6).
 * Leaves out: what caches would do with them; memory is coherent. They decide alignment and Device rules, and PAR_EL1.
 * Choices (CONSTRAINED UNPREDICTABLE): a reserved MAIR encoding is Device-nGnRnE; reserved stage-2 MemAttr is
 * Non-cacheable; SH 0b01 is Non-shareable; Tagged memory is not while SCTLR_ELx.C is 0.
 */
#include "mmu/attrs.h"

/* Device and wholly Non-cacheable memory is Outer Shareable whatever was asked (MemAttrDefaults). */
static struct mem_attrs with_defaults(struct mem_attrs a)
{
    if (a.type != MEM_NORMAL) {
        a = (struct mem_attrs){ .type = a.type, .inner = CACHE_NC, .outer = CACHE_NC, .sh = 2, .xs0 = a.xs0 };
    } else if (a.inner == CACHE_NC && a.outer == CACHE_NC) {
        a.sh = 2;
    }
    return a;
}

/* SH: 1 is reserved and counts as Non-shareable, the way the v8.5 pseudocode reads it (sh<1>; DecodeShareability of
 * later releases leaves it CONSTRAINED UNPREDICTABLE). */
static u8 shareability(unsigned sh) { return sh & 2 ? (u8)sh : 0; }

/* Four bits of a MAIR byte for Normal memory. */
static void long_attr(unsigned field, bool cacheable, u8 *cache, u8 *hint, u8 *transient)
{
    *hint = *transient = 0;
    if (!cacheable || field == 4) {
        *cache = CACHE_NC;
        return;
    }
    *cache = field & 4 ? CACHE_WB : CACHE_WT;
    *transient = !(field & 8);
    *hint = field & 3;
}

static bool is_write_back(unsigned field) { return field & 4 && field != 4; }

struct mem_attrs attrs_stage1(u8 mair, unsigned sh, bool cacheable, u32 feat)
{
    struct mem_attrs a = { .type = MEM_NORMAL };
    unsigned high = mair >> 4, low = mair & 15;
    bool xs = feat & WALK_XS;
    if (feat & WALK_MTE && mair == 0xf0) {
        a.tagged = cacheable;
        high = low = 15;
    } else if (xs && (mair == 0x40 || mair == 0xa0)) {
        a.xs0 = 1;
        low = high;
    }
    a.xs0 |= xs && is_write_back(high) && is_write_back(low); /* whether SCTLR_ELx.C lets it be that or not */
    if (high == 0) {
        a.xs0 = xs && (low & 3) == 1;
        a.type = low & 3 && !a.xs0 ? MEM_nGnRnE : (u8)(low >> 2);
    } else if (low == 0) {
        a.type = MEM_nGnRnE;
    } else {
        long_attr(high, cacheable, &a.outer, &a.outer_hint, &a.outer_transient);
        long_attr(low, cacheable, &a.inner, &a.inner_hint, &a.inner_transient);
        a.sh = shareability(sh);
    }
    return with_defaults(a);
}

struct mem_attrs attrs_flat(bool default_cacheable, bool fetch, bool cacheable)
{
    struct mem_attrs a = { .type = MEM_NORMAL };
    if (default_cacheable) {
        a.inner = a.outer = CACHE_WB;
        a.inner_hint = a.outer_hint = 3;
    } else if (!fetch) {
        a.type = MEM_nGnRnE;
    } else {
        a.inner = a.outer = cacheable ? CACHE_WT : CACHE_NC;
        a.inner_hint = a.outer_hint = cacheable ? 2 : 0;
        a.sh = 2;
    }
    return with_defaults(a);
}

struct mem_attrs attrs_stage2(unsigned memattr, unsigned sh, bool cacheable)
{
    struct mem_attrs a = { .type = MEM_NORMAL };
    if (memattr < 4) {
        a.type = (u8)memattr;
        return with_defaults(a);
    }
    unsigned outer = memattr >> 2, inner = memattr & 3;
    a.outer = cacheable ? (u8)outer : CACHE_NC;
    a.inner = cacheable && inner ? (u8)inner : CACHE_NC;
    a.inner_hint = a.inner > CACHE_NC ? 3 : 0;
    a.outer_hint = a.outer > CACHE_NC ? 3 : 0;
    a.sh = shareability(sh);
    return with_defaults(a);
}

static u8 weaker(u8 a, u8 b) { return a < b ? a : b; }

/* Outer (2) is wider than Inner (3), which is wider than none (0). */
static u8 wider(u8 a, u8 b) { return a == 2 || b == 2 ? 2 : a | b; }

/* S2MemTagType: only Write-Back memory is Tagged, whatever stage 2 made it that. */
static bool stays_tagged(struct mem_attrs s1, struct mem_attrs both)
{
    return s1.tagged && both.type == MEM_NORMAL && both.inner == CACHE_WB && both.outer == CACHE_WB;
}

struct mem_attrs attrs_combine(struct mem_attrs s1, struct mem_attrs s2)
{
    struct mem_attrs a = s1;
    a.type = weaker(s1.type, s2.type); /* Device wins over Normal, the stricter Device over the laxer */
    a.inner = weaker(s1.inner, s2.inner);
    a.outer = weaker(s1.outer, s2.outer);
    a.sh = wider(s1.sh, s2.sh);
    a.tagged = stays_tagged(s1, a);
    a.xs0 = s1.xs0 | s2.xs0;
    return with_defaults(a);
}

/* Normal Write-Back whatever stage 1 says; its hints stay where it has any. The XS attribute is then 0. */
static void force_write_back(struct mem_attrs *a, u32 feat)
{
    if (a->type != MEM_NORMAL || a->inner == CACHE_NC)
        a->inner_hint = 3, a->inner_transient = 0;
    if (a->type != MEM_NORMAL || a->outer == CACHE_NC)
        a->outer_hint = 3, a->outer_transient = 0;
    a->type = MEM_NORMAL;
    a->inner = a->outer = CACHE_WB;
    a->xs0 = !!(feat & WALK_XS);
}

struct mem_attrs attrs_combine_fwb(struct mem_attrs s1, unsigned memattr, unsigned sh, bool cacheable, u32 feat)
{
    struct mem_attrs a = s1;
    if (!(memattr & 4))
        a.type = weaker(s1.type, memattr & 3);
    else if ((memattr & 3) == 2)
        force_write_back(&a, feat);
    else if ((memattr & 3) != 3)
        a.inner = a.outer = CACHE_NC;
    if (!cacheable)
        a.inner = a.outer = CACHE_NC;
    a.sh = wider(s1.sh, shareability(sh));
    a.tagged = stays_tagged(s1, a);
    return with_defaults(a);
}

static u8 par_half(u8 cache, u8 hint, u8 transient)
{
    if (cache == CACHE_NC)
        return 4;
    return (u8)((transient ? 0 : 8) | (cache == CACHE_WB ? 4 : 0) | hint);
}

u8 attrs_par(struct mem_attrs a)
{
    if (a.type != MEM_NORMAL)
        return (u8)(a.type << 2 | a.xs0);
    if (a.tagged)
        return 0xf0;
    if (a.xs0 && a.inner == CACHE_NC && a.outer == CACHE_NC)
        return 0x40;
    if (a.xs0 && a.inner == CACHE_WT && a.outer == CACHE_WT && !a.outer_transient && a.outer_hint == 2)
        return 0xa0;
    return (u8)(par_half(a.outer, a.outer_hint, a.outer_transient) << 4 |
                par_half(a.inner, a.inner_hint, a.inner_transient));
}

unsigned attrs_par_sh(struct mem_attrs a) { return a.sh; }
