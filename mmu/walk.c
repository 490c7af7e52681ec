/*
 * The translation table walk, both stages (Arm ARM D8.2-D8.5; AArch64.TranslationTableWalk, FirstStageTranslate,
 * SecondStageTranslate, CheckAndUpdateDescriptor of the shared pseudocode).
 *
 * CONSTRAINED UNPREDICTABLE choices: TxSZ for more than what is implemented is a translation fault at level 0, for less
 * is forced to the smallest size; a stage-2 input size beyond the implemented physical size is forced to that; a
 * misprogrammed contiguous bit is ignored (the bit is a hint that this TLB does not use); a reserved PS means the
 * implemented size; a fetch from Device memory is allowed when executable. Leaves out: 128-bit descriptors, granule
 * protection. Permissions: mmu/permission.c.
 */
#include "mmu/walk.h"

#include "cpu/field.h"
#include "mmu/attrs.h"
#include "mmu/memo.h"
#include "mmu/permission.h"

/* Where a descent ended. */
struct leaf {
    u64 desc, addr; /* last descriptor, and its address before stage 2 */
    u64 out;        /* output address */
    u8 size_log2;
    s8 level;
    bool addr_ns;
    struct table_rights above; /* what the tables on the way say */
    bool af_pending, dirty_pending;
};

struct walker {
    const struct regime_desc *r;
    struct walk_access acc;
    u64 va;
    struct walk_record *rec;
    struct translation *out;
    struct table s2; /* stage 2's format, worked out when it is first asked for */
    u8 s2_known, s2_ok;
    u8 s2_range; /* bits of IPA that it translates */
    bool tracing;
    struct memo_trace *trace;    /* while tracing: the descriptors read, for mmu/memo.h */
    struct memo_entry *entry[2]; /* by stage, of the access itself: where what its last descriptor said is kept */
    u64 last[2];                 /* those descriptors */
};

/* Why stage 2 is asked, when it isn't for the access itself. */
enum s2_use { S2_DATA, S2_TABLE, S2_UPDATE };

struct s2_result {
    u64 pa;
    bool ns;
    u8 size_log2;
    s8 level;
    u16 perm; /* TLB_* */
    u8 memattr, sh;
    bool device, xs0;       /* xs0: FnXS, the XS attribute becomes 0 */
    struct mem_attrs attrs; /* for S2_DATA only */
};

/* ---- faults ---- */

static bool fail(struct walker *w, unsigned kind, unsigned rule, int level)
{
    struct fault *f = &w->out->fault;
    f->kind = (u8)kind;
    f->rule = (u8)rule;
    f->level = (s8)level;
    f->fsc = fault_fsc(kind, level);
    f->wnr = w->acc.cm || (w->acc.write && !w->acc.read);
    f->cm = w->acc.cm;
    f->fetch = w->acc.fetch;
    f->regime = w->r->regime;
    f->desc_stage = 0;
    return false;
}

/* A fault that the descriptor of this leaf decided. */
static bool fail_at(struct walker *w, const struct table *t, const struct leaf *l, unsigned kind, unsigned rule)
{
    fail(w, kind, rule, l->level);
    struct fault *f = &w->out->fault;
    f->desc_stage = t->stage;
    f->desc_addr = l->addr;
    f->desc = l->desc;
    return false;
}

/* Marks the fault just made as one of stage 2. */
static bool as_stage2(struct walker *w, u64 ipa, bool ns_ipa, enum s2_use use)
{
    struct fault *f = &w->out->fault;
    f->stage2 = 1;
    f->s1ptw = use != S2_DATA;
    f->ipa = ipa;
    f->ns_ipa = ns_ipa;
    return false;
}

/* ---- descriptors ---- */

static bool stage2(struct walker *w, u64 ipa, bool ns_ipa, enum s2_use use, struct s2_result *out);

static COLD void record(struct walker *w, const struct table *t, const struct leaf *l, u64 pa, enum s2_use use,
                        bool updated)
{
    if (w->rec->count < WALK_STEPS)
        w->rec->step[w->rec->count++] = (struct walk_step){ .addr = pa,
                                                            .ipa = l->addr,
                                                            .value = l->desc,
                                                            .level = l->level,
                                                            .stage = t->stage,
                                                            .s1ptw = t->stage == 2 && use != S2_DATA,
                                                            .updated = updated };
}

/* The physical address of a descriptor; a stage 1 table under stage 2 is translated, too, by a block of *span bits. */
static bool descriptor_address(struct walker *w, const struct table *t, u64 addr, bool ns, enum s2_use use, u64 *pa,
                               bool *pa_ns, unsigned *span)
{
    *pa = addr;
    *pa_ns = ns;
    *span = 64;
    if (t->stage == 2 || !w->r->has_s2 || !w->r->stage2)
        return true;
    struct s2_result s2;
    if (!stage2(w, addr, ns, use, &s2))
        return false;
    *pa = s2.pa;
    *pa_ns = s2.ns;
    *span = s2.size_log2;
    return true;
}

/* Notes a descriptor that was read; host NULL: it isn't in RAM, so that nothing can be kept of this walk. */
static void trace(struct walker *w, const u8 *host, u64 value)
{
    struct memo_trace *at = w->trace;
    if (host && at->count < MEMO_CHECKS)
        at->check[at->count++] = (struct memo_check){ host, value };
    else
        at->count = MEMO_CHECKS + 1;
}

/* A point of the walk with what had been read before. */
struct mark {
    struct memo_point at;
    u32 count;
};

/* Host address of the page (of t's granule) that holds the descriptor at pa; NULL when it isn't all RAM, or memory that
 * may close. */
static const u8 *table_page(const struct walker *w, const struct table *t, u64 pa, struct phys_attrs attrs)
{
    u64 page = pa & ~ones(t->grain);
    const struct phys_region *region = phys_find(w->r->phys, page, attrs);
    if (!region || region->readonly || region->size - (page - region->base) <= ones(t->grain))
        return NULL;
    return region->host + (page - region->base);
}

/* Reads the descriptor at l->addr, of the table at `at`, into l->desc. For a table of stage 2, use and ipa say whom a
 * fault is charged to. */
static ALWAYS_INLINE bool read_descriptor(struct walker *w, const struct table *t, struct leaf *l, enum s2_use use,
                                          struct memo_point *at, struct mark *mark)
{
    u64 pa = 0, value;
    if (!at->table) {
        bool ns;
        unsigned span;
        if (!descriptor_address(w, t, l->addr, l->addr_ns, S2_TABLE, &pa, &ns, &span))
            return false;
        struct phys_attrs attrs = phys_attrs_make(ns, w->r->cpu, true);
        at->table = span >= t->grain ? table_page(w, t, pa, attrs) : NULL;
        if (unlikely(!at->table) && !phys_read(w->r->phys, pa, 8, attrs, &value)) {
            l->desc = 0;
            fail_at(w, t, l, FAULT_EXTERNAL_WALK, RULE_EXTERNAL);
            return t->stage == 2 ? as_stage2(w, t->input, t->ns_ipa, use) : false;
        }
    }
    const u8 *host = at->table ? at->table + (l->addr & ones(t->grain)) : NULL;
    if (mark)
        *mark = (struct mark){ *at, w->trace->count };
    if (likely(host))
        value = load_le64(host);
    if (w->tracing)
        trace(w, host, value);
    l->desc = t->ee ? __builtin_bswap64(value) : value;
    if (unlikely(w->rec))
        record(w, t, l, pa, use, false);
    return true;
}

/* The address field of a descriptor or table base, down to bit `low`. */
static ALWAYS_INLINE u64 descriptor_output(const struct table *t, u64 desc, unsigned low)
{
    if (t->ds)
        return (bits(desc, 49, 12) << 12 | bits(desc, 9, 8) << 50) & ~ones(low);
    u64 out = bits(desc, 47, 12) << 12 & ~ones(low);
    if (t->grain == 16 && t->output_size > 48)
        out |= bits(desc, 15, 12) << 48;
    return out;
}

/* Does it reach beyond the output size? */
static ALWAYS_INLINE bool output_too_big(const struct regime_desc *r, const struct table *t, u64 desc)
{
    if (t->ds)
        return t->output_size < 52 && descriptor_output(t, desc, t->grain) >> t->output_size;
    if (t->grain == 16 && t->output_size <= 48 && r->feat & WALK_LPA && bits(desc, 15, 12))
        return true;
    return t->output_size < 48 && bits(desc, 47, t->output_size);
}

static bool table_base(const struct table *t, u64 *base)
{
    int stride = t->grain - 3;
    unsigned low = (unsigned)(3 + t->input_size - ((3 - t->level) * stride + t->grain));
    if (t->output_size > 48) {
        low = low < 6 ? 6 : low;
        *base = (bits(t->base, 47, 1) << 1 & ~ones(low)) | bits(t->base, 5, 2) << 48;
        return true;
    }
    *base = bits(t->base, 47, 1) << 1 & ~ones(low);
    return t->output_size == 48 || !(bits(t->base, 47, 0) >> t->output_size);
}

/* Attributes that a table descriptor hands down (D8.4.3). */
static ALWAYS_INLINE void inherit(const struct walker *w, const struct table *t, struct leaf *l)
{
    if (t->stage == 2)
        return;
    l->above.ns |= bit(l->desc, 63);
    if (t->no_hier)
        return;
    l->above.ap |= bit(l->desc, 62) << 1;
    if (w->r->nv_nv1) {
        l->above.pxn |= bit(l->desc, 60);
        return;
    }
    l->above.xn |= bit(l->desc, 60);
    if (!t->one_priv) {
        l->above.pxn |= bit(l->desc, 59);
        l->above.ap |= bit(l->desc, 61);
    }
}

static int first_block_level(const struct regime_desc *r, const struct table *t)
{
    if (t->grain == 12)
        return t->ds ? 0 : 1;
    if (t->grain == 14)
        return t->ds ? 1 : 2;
    return r->feat & WALK_LPA ? 1 : 2;
}

/* The descriptors from a point on. mark: NULL, or the last point at which one was read. */
static bool descend_from(struct walker *w, const struct table *t, enum s2_use use, struct leaf *l,
                         struct memo_point *at, struct mark *mark)
{
    const struct regime_desc *r = w->r;
    int stride = t->grain - 3;
    *l = (struct leaf){ .above = at->above };
    for (;; at->level++) {
        unsigned low = (unsigned)((3 - at->level) * stride + t->grain);
        u64 index = at->top > low ? bits(t->input, at->top - 1u, low) : 0;
        l->level = at->level;
        l->addr = at->base | index << 3;
        l->addr_ns = t->stage == 2 ? t->ns : l->above.ns;
        if (!read_descriptor(w, t, l, use, at, mark))
            return false;
        if (!(l->desc & 1))
            return fail_at(w, t, l, FAULT_TRANSLATION, RULE_INVALID);
        if (!(l->desc & 2) && l->level == 3)
            return fail_at(w, t, l, FAULT_TRANSLATION, RULE_RESERVED);
        if (!(l->desc & 2) && r->feat & WALK_BBM && bit(l->desc, 16))
            return fail_at(w, t, l, FAULT_TRANSLATION, RULE_BLOCK_NT);
        at->top = (u8)low;
        if (!(l->desc & 2) || l->level == 3)
            return true;
        if (output_too_big(r, t, l->desc))
            return fail_at(w, t, l, FAULT_ADDRESS_SIZE, RULE_OUTPUT_SIZE);
        inherit(w, t, l);
        *at = (struct memo_point){
            .base = descriptor_output(t, l->desc, t->grain), .level = at->level, .top = at->top, .above = l->above
        };
    }
}

/* A walk nearby ended at this point, and all that led there is as it was: its descriptors count as read. */
static void adopt(struct walker *w, const struct memo_entry *e)
{
    for (u64 n = 0; w->tracing && n < e->count; n++)
        trace(w, e->check[n].host, e->check[n].value);
}

/* The memory's place for this part of the address space; NULL when the walk goes without. *known: it holds. */
static struct memo_entry *entry_for(const struct walker *w, unsigned stage, u64 key, bool *known)
{
    const struct regime_desc *r = w->r;
    *known = false;
    if (!r->memo || w->rec || w->acc.debug)
        return NULL;
    struct memo_entry *e = memo_slot(r->memo, r->number, stage, key);
    *known = memo_valid(e, r->number, key);
    return e;
}

/* From the base to the last descriptor, or from where a walk nearby ended (e, known). */
static bool descend_levels(struct walker *w, const struct table *t, enum s2_use use, struct leaf *l,
                           struct memo_point *at, struct memo_entry *e, bool known, u64 key)
{
    if (known) {
        *at = e->at;
        adopt(w, e);
        return descend_from(w, t, use, l, at, NULL);
    }
    *at = (struct memo_point){ .level = t->level, .top = t->input_size, .above.ns = t->ns };
    if (!table_base(t, &at->base)) {
        *l = (struct leaf){ .level = t->level, .above.ns = t->ns };
        return fail(w, FAULT_ADDRESS_SIZE, RULE_TTBR_SIZE, 0);
    }
    if (!e)
        return descend_from(w, t, use, l, at, NULL);
    bool outermost = !w->tracing;
    if (outermost)
        w->trace->count = 0;
    w->tracing = true;
    struct mark mark = { .at.table = NULL };
    u32 first = w->trace->count;
    bool ok = descend_from(w, t, use, l, at, &mark);
    memo_keep(e, w->r->number, key, t, &mark.at, w->trace, first, mark.count);
    w->tracing = !outermost;
    return ok;
}

/* The last descriptor, and what it says but for permissions. */
static bool descend(struct walker *w, const struct table *t, enum s2_use use, struct leaf *l, struct memo_entry *e,
                    bool known, u64 key)
{
    const struct regime_desc *r = w->r;
    struct memo_point at;
    if (!descend_levels(w, t, use, l, &at, e, known, key))
        return false;
    if (use == S2_DATA) {
        w->entry[t->stage - 1] = e;
        w->last[t->stage - 1] = l->desc;
    }
    unsigned top = at.top;
    if (l->level < first_block_level(r, t))
        return fail_at(w, t, l, FAULT_TRANSLATION, RULE_BLOCK_LEVEL);
    if (output_too_big(r, t, l->desc))
        return fail_at(w, t, l, FAULT_ADDRESS_SIZE, RULE_OUTPUT_SIZE);
    l->size_log2 = (u8)top;
    l->out = descriptor_output(t, l->desc, top) | (t->input & ones(top));
    if (t->ds && l->out >> t->output_size) /* a block larger than the output range */
        return fail_at(w, t, l, FAULT_ADDRESS_SIZE, RULE_OUTPUT_SIZE);
    if (!bit(l->desc, 10)) {
        if (!t->update_af && !(r->affd & t->stage))
            return fail_at(w, t, l, FAULT_ACCESS_FLAG, RULE_AF);
        l->af_pending = t->update_af;
    }
    /* Dirty state by hardware: DBM, or permission indirection, makes read-only mean "clean" (D8.4.6). */
    if (t->update_dirty && (t->pie || bit(l->desc, 51)) && permission_clean(t, l->desc)) {
        l->desc ^= BIT(7);
        l->dirty_pending = true;
    }
    if (l->af_pending || l->dirty_pending)
        w->entry[t->stage - 1] = NULL;
    return true;
}

/* Sets the access flag and dirty state that the walk found pending. permitted: the access had no fault. */
static bool update_descriptor(struct walker *w, const struct table *t, struct leaf *l, bool permitted, enum s2_use use)
{
    bool af = l->af_pending, dirty = l->dirty_pending && permitted;
    if (dirty)
        dirty = use == S2_UPDATE || (w->acc.write && use == S2_DATA && !w->acc.at && !w->acc.cm);
    if (!(af || dirty) || w->acc.debug)
        return true;
    u64 pa, value;
    bool ns;
    unsigned span;
    if (!descriptor_address(w, t, l->addr, l->addr_ns, S2_UPDATE, &pa, &ns, &span))
        return false;
    struct phys_attrs attrs = phys_attrs_make(ns, w->r->cpu, true);
    bool ok = phys_read(w->r->phys, pa, 8, attrs, &value);
    u64 desc = t->ee ? __builtin_bswap64(value) : value;
    if (ok) {
        if (w->rec)
            record(w, t, l, pa, use, true);
        if (af)
            desc |= BIT(10);
        if (dirty)
            desc = t->stage == 1 ? desc & ~BIT(7) : desc | BIT(7);
        ok = phys_cas64(w->r->phys, pa, attrs, value, t->ee ? __builtin_bswap64(desc) : desc);
    }
    if (!ok) {
        fail_at(w, t, l, FAULT_ATOMIC_UPDATE, RULE_EXTERNAL);
        return t->stage == 2 ? as_stage2(w, t->input, t->ns_ipa, use) : false;
    }
    l->af_pending = false;
    if (dirty)
        l->dirty_pending = false;
    return true;
}

/* ---- what both stages ask ---- */

/* A permission fault. */
static bool deny(struct walker *w, const struct table *t, const struct leaf *l, struct denial d)
{
    fail_at(w, t, l, FAULT_PERMISSION, d.rule);
    struct fault *f = &w->out->fault;
    if (d.right & (RIGHT_R | RIGHT_W))
        f->wnr = d.right == RIGHT_W || w->acc.cm;
    f->overlay = d.rule == RULE_OVERLAY;
    f->dirty = d.rule == RULE_CLEAN;
    return false;
}

/* Without a reason the access is permitted. */
static ALWAYS_INLINE bool permit(struct walker *w, const struct table *t, const struct leaf *l, struct denial d)
{
    return likely(d.rule == RULE_NONE) || deny(w, t, l, d);
}

static bool device_unaligned(const struct walk_access *a, struct mem_attrs attrs)
{
    return attrs.type != MEM_NORMAL && ((a->unaligned && !a->fetch) || a->zva);
}

/* ---- stage 2 ---- */

static bool forced_write_back(const struct regime_desc *r) { return r->feat & WALK_FWB && bit(r->hcr, HCR_FWB); }

/* Both of these are those of data (HCR_EL2.CD, SCTLR_ELx.C), of a fetch too: what it fills the TLB with serves data as
 * well, and the cacheability of fetches (ID, I) shows nowhere. */
static bool stage2_cacheable(const struct regime_desc *r) { return !bit(r->hcr, HCR_CD); }
static bool stage1_cacheable(const struct regime_desc *r) { return bit(r->sctlr, SCTLR_C); }

static struct mem_attrs stage2_attrs(const struct walker *w, const struct s2_result *s2)
{
    bool cacheable = stage2_cacheable(w->r);
    if (forced_write_back(w->r))
        return attrs_combine_fwb(attrs_flat(true, false, true), s2->memattr, s2->sh, cacheable, w->r->feat);
    return attrs_stage2(s2->memattr, s2->sh, cacheable);
}

static bool stage2_leaf(struct walker *w, const struct table *t, struct leaf *l, enum s2_use use, struct s2_result *out)
{
    out->pa = l->out;
    out->ns = t->out_ns;
    out->size_log2 = l->size_log2;
    out->level = l->level;
    out->memattr = (u8)bits(l->desc, 5, 2);
    out->sh = t->ds ? t->ds_sh : (u8)bits(l->desc, 9, 8);
    out->xs0 = w->r->feat & WALK_XS && bit(l->desc, 11);
    struct s2_perm p = permission_stage2(w->r, t, l->desc);
    out->perm = p.perm;
    out->device = !(out->memattr & (forced_write_back(w->r) ? 4 : 12));
    bool ok = true;
    if (use == S2_DATA) {
        out->attrs = stage2_attrs(w, out);
        if (device_unaligned(&w->acc, out->attrs))
            ok = fail(w, FAULT_ALIGNMENT, RULE_ALIGN_DEVICE, l->level);
    }
    ok = ok &&
         permit(w, t, l, use == S2_DATA ? permission_check2(&w->acc, p) : permission_check_walk(p, use == S2_UPDATE));
    if (ok && use != S2_DATA && bit(w->r->hcr, HCR_PTW) && out->device)
        ok = fail_at(w, t, l, FAULT_PERMISSION, RULE_PTW);
    if (!update_descriptor(w, t, l, ok, use) || !ok)
        return false;
    if (l->dirty_pending || p.clean)
        out->perm &= (u16) ~(TLB_UW | TLB_PW);
    return true;
}

static bool stage2(struct walker *w, u64 ipa, bool ns_ipa, enum s2_use use, struct s2_result *out)
{
    struct leaf l;
    struct table t;
    u64 key = memo_key(ipa, ns_ipa);
    bool known;
    struct memo_entry *e = entry_for(w, 2, key, &known);
    if (!known && (!w->s2_known || w->s2.ns_ipa != ns_ipa)) {
        w->s2_ok = table_stage2(w->r, ns_ipa, &w->s2, &w->s2_range);
        w->s2_known = 1;
    }
    if (!known && (!w->s2_ok || ipa >> w->s2_range)) {
        fail(w, FAULT_TRANSLATION, RULE_VA_RANGE, 0);
        return as_stage2(w, ipa, ns_ipa, use);
    }
    t = known ? e->table : w->s2;
    t.input = ipa;
    if (descend(w, &t, use, &l, e, known, key) && stage2_leaf(w, &t, &l, use, out))
        return true;
    return as_stage2(w, ipa, ns_ipa, use);
}

/* ---- stage 1 ---- */

static bool stage1_off(struct walker *w)
{
    const struct regime_desc *r = w->r;
    struct translation *o = w->out;
    unsigned top = table_addr_top(w->r, w->va, w->acc.fetch);
    bool dc = r->has_s2 && bit(r->hcr, HCR_DC);
    u64 address = w->va & ones(top + 1);
    if (address >> table_pa_max(r))
        return fail(w, FAULT_ADDRESS_SIZE, RULE_MMU_OFF_SIZE, 0);
    o->ipa = address;
    o->ns = !r->secure;
    o->global = true;
    o->size_log2 = o->size1_log2 = o->size2_log2 = 30;
    o->attrs = attrs_flat(dc, w->acc.fetch, bit(r->sctlr, SCTLR_I));
    o->attrs.tagged = dc && r->feat & WALK_MTE && bit(r->hcr, HCR_DCT);
    o->attrs.xs0 = dc && r->feat & WALK_XS;
    o->perm = TLB_UR | TLB_UW | TLB_UX | TLB_PR | TLB_PW | TLB_PX | (dc ? 0 : TLB_FLAT);
    if (device_unaligned(&w->acc, o->attrs) && !(r->feat & WALK_LOOSE))
        return fail(w, FAULT_ALIGNMENT, RULE_ALIGN_FLAT, 0);
    return true;
}

static bool stage1_on(struct walker *w)
{
    const struct regime_desc *r = w->r;
    struct translation *o = w->out;
    struct table t;
    struct leaf l;
    bool known;
    u64 key = memo_key(w->va, table_addr_top(w->r, w->va, w->acc.fetch) == 63);
    struct memo_entry *e = entry_for(w, 1, key, &known);
    if (known) {
        t = e->table;
        t.input = w->va;
    } else if (!table_stage1(r, w->va, w->acc.fetch, &t)) {
        return fail(w, FAULT_TRANSLATION, RULE_VA_RANGE, 0);
    }
    if (t.epd || (t.e0pd && w->acc.el0))
        return fail(w, FAULT_TRANSLATION, t.epd ? RULE_EPD : RULE_E0PD, 0);
    if (!descend(w, &t, S2_DATA, &l, e, known, key))
        return false;
    o->ipa = l.out;
    o->ns = l.above.ns || bit(l.desc, 5);
    o->size_log2 = o->size1_log2 = o->size2_log2 = l.size_log2;
    o->level1 = l.level;
    o->global = t.one_priv || !(bit(l.desc, 11) || (r->secure && l.above.ns));
    o->attrs = attrs_stage1((u8)(r->mair >> 8 * bits(l.desc, 4, 2)), t.ds ? t.ds_sh : (unsigned)bits(l.desc, 9, 8),
                            stage1_cacheable(r), r->feat);
    struct s1_perm p = permission_stage1(r, &t, l.desc, l.above, o->ns);
    o->perm = p.perm;
    bool ok = true;
    if (device_unaligned(&w->acc, o->attrs))
        ok = fail(w, FAULT_ALIGNMENT, RULE_ALIGN_DEVICE, l.level);
    ok = ok && permit(w, &t, &l, permission_check1(&w->acc, p));
    if (!update_descriptor(w, &t, &l, ok, S2_DATA) || !ok)
        return false;
    if (l.dirty_pending)
        o->perm &= (u16) ~(TLB_UW | TLB_PW);
    return true;
}

static void combine(const struct walker *w, const struct s2_result *s2)
{
    struct translation *o = w->out;
    const u16 rights_mask = TLB_UR | TLB_UW | TLB_UX | TLB_PR | TLB_PW | TLB_PX;
    o->pa = s2->pa;
    o->ns = s2->ns;
    o->level2 = s2->level;
    o->size2_log2 = s2->size_log2;
    if (s2->size_log2 < o->size_log2)
        o->size_log2 = s2->size_log2;
    o->perm &= (u16)(s2->perm | ~rights_mask);
    if (forced_write_back(w->r))
        o->attrs = attrs_combine_fwb(o->attrs, s2->memattr, s2->sh, stage2_cacheable(w->r), w->r->feat);
    else
        o->attrs = attrs_combine(o->attrs, s2->attrs);
    o->attrs.xs0 |= s2->xs0;
    /* Stage 1 off makes data Device and fetches Normal; a Device stage 2 makes both Device. */
    if (s2->device)
        o->perm &= (u16)~TLB_FLAT;
}

/* After a stage has translated without updates: what its descriptor means. Not for addresses of 52 bits, whose bits lie
 * elsewhere. */
static void learn(const struct walker *w, unsigned stage, unsigned top)
{
    struct memo_entry *e = w->entry[0], *at = w->entry[stage - 1];
    if (!e || !at || e->number != w->r->number ||
        e->key != memo_key(w->va, table_addr_top(w->r, w->va, w->acc.fetch) == 63) || at->table.ds ||
        at->table.output_size > 48)
        return;
    struct memo_leaf *m = &e->leaf;
    if (stage == 1)
        m->known[1] = 0;
    else if (!m->known[0])
        return;
    m->known[stage - 1] = 1;
    m->fetch = w->acc.fetch;
    m->within[stage - 1] = ones(top);
    m->meaning[stage - 1] = memo_meaning(w->last[stage - 1], ones(top));
    m->t[stage - 1] = *w->out;
}

/* With WALK_LOOSE devices are still Device memory. */
static bool is_ram(const struct walker *w)
{
    return phys_find(w->r->phys, w->out->pa, phys_attrs_make(w->out->ns, w->r->cpu, true));
}

static NOINLINE void walk_tables(const struct regime_desc *r, u64 va, const struct walk_access *access,
                                 struct walk_record *rec, struct translation *out, bool remembers)
{
    struct memo_trace trace;
    struct walk_access acc = *access;
    struct walker w = { .r = r, .acc = acc, .va = va, .rec = rec, .out = out, .trace = &trace };
    memset(out, 0, sizeof(*out));
    if (!(r->stage1 ? stage1_on(&w) : stage1_off(&w)))
        return;
    out->pa = out->ipa;
    if (remembers)
        learn(&w, 1, out->size1_log2);
    if (r->has_s2 && r->stage2 && !acc.stage1_only) {
        struct s2_result s2;
        if (!stage2(&w, out->ipa, out->ns, S2_DATA, &s2))
            return;
        combine(&w, &s2);
        out->ok = true;
        if (remembers)
            learn(&w, 2, out->size2_log2);
    }
    out->ok = !(out->perm & TLB_FLAT && device_unaligned(&acc, out->attrs)) || is_ram(&w) ||
              fail(&w, FAULT_ALIGNMENT, RULE_ALIGN_FLAT, 0);
}

void walk_for(const struct regime_desc *r, u64 va, const struct walk_access *acc, struct walk_record *rec,
              struct translation *out)
{
    bool remembers = r->memo && r->stage1 && !rec && !acc->debug && !acc->stage1_only;
    if (!(remembers && memo_walk(r, va, acc, out)))
        walk_tables(r, va, acc, rec, out, remembers);
}

void walk_stage2(const struct regime_desc *r, u64 ipa, bool ns, struct walk_access acc, struct walk_record *rec,
                 struct translation *out)
{
    struct memo_trace trace;
    struct walker w = { .r = r, .acc = acc, .va = ipa, .rec = rec, .out = out, .trace = &trace };
    struct s2_result s2;
    memset(out, 0, sizeof(*out));
    out->ipa = ipa;
    if (!stage2(&w, ipa, ns, S2_DATA, &s2))
        return;
    out->pa = s2.pa;
    out->ns = s2.ns;
    out->level2 = s2.level;
    out->size_log2 = out->size1_log2 = out->size2_log2 = s2.size_log2;
    out->perm = s2.perm;
    out->attrs = s2.attrs;
    out->ok = true;
}
