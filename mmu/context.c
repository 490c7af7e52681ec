/*
 * Translation regimes of a PE (Arm ARM D8.1), and the contexts of fast tags: a combination of
 * regime, control values, ASID, VMID, privilege and PAN has a number of 8 bits that the tags carry, so that world and
 * process switches drop nothing. Numbers are derived state; the configs that tag TLB entries are state (mmu/tlb.c).
 */
#include "mmu/context.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "mmu/access.h"
#include "mmu/memo.h"
#include "mmu/tags.h"
#include "mmu/tlb.h"

enum regime regime_of(const struct cpu *cpu, unsigned el)
{
    if (el == 3)
        return REGIME_EL3;
    u64 hcr = cpu_hcr(cpu);
    bool e2h = bit(hcr, HCR_E2H) && cpu_has(cpu, FEAT_VHE);
    if (el == 2)
        return e2h ? REGIME_EL20 : REGIME_EL2;
    return el == 0 && e2h && bit(hcr, HCR_TGE) ? REGIME_EL20 : REGIME_EL10;
}

unsigned mmu_pa_bits(u64 id_aa64mmfr0)
{
    static const u8 size[] = { 32, 36, 40, 42, 44, 48, 52 };
    unsigned range = (unsigned)bits(id_aa64mmfr0, 3, 0);
    return size[range < ARRAY_LEN(size) ? range : ARRAY_LEN(size) - 1];
}

static u32 walk_features(const struct cpu *cpu)
{
    static const struct {
        u32 feature, walk;
    } map[] = { { FEAT_HPDS, WALK_HPD },   { FEAT_HAFDBS, WALK_HAF | WALK_HDBS },
                { FEAT_XNX, WALK_XNX },    { FEAT_LPA, WALK_LPA },
                { FEAT_LPA2, WALK_LPA2 },  { FEAT_LVA, WALK_LVA },
                { FEAT_TTST, WALK_TTST },  { FEAT_S2FWB, WALK_FWB },
                { FEAT_PAN3, WALK_PAN3 },  { FEAT_E0PD, WALK_E0PD },
                { FEAT_PAUTH, WALK_TBID }, { FEAT_LSE2, WALK_LSE2 },
                { FEAT_BBM, WALK_BBM },    { FEAT_MTE2, WALK_MTE },
                { FEAT_XS, WALK_XS },      { FEAT_FLAT_UNALIGNED, WALK_LOOSE } };
    u32 feat = 0;
    for (unsigned n = 0; n < ARRAY_LEN(map); n++)
        feat |= cpu_has(cpu, (enum feature)map[n].feature) ? map[n].walk : 0;
    return feat;
}

static u16 current_asid(const struct regime_desc *r)
{
    u64 ttbr = r->ttbr[bit(r->tcr, TCR_EL1_A1)];
    return (u16)(bit(r->tcr, TCR_EL1_AS) ? bits(ttbr, 63, 48) : bits(ttbr, 55, 48));
}

/* Permission indirection and overlays: TCR2_ELx turns them on, where the levels above let it (IsTCR2EL1Enabled,
 * IsTCR2EL2Enabled of the shared pseudocode), TCR_EL3 in the regime of EL3. */
static void describe_pie(const struct cpu *cpu, struct regime_desc *r)
{
    const struct sysregs *s = &cpu->sys;
    bool el3 = cpu_has(cpu, FEAT_EL3), el10 = r->regime == REGIME_EL10;
    if (likely(!(s->tcr2_el1 | s->tcr2_el2 | bits(s->tcr_el3, TCR_EL3_POE, TCR_EL3_PIE))))
        return;
    u64 ctl = el10 ? s->tcr2_el1 : s->tcr2_el2;
    if (r->regime == REGIME_EL3)
        ctl = (u64)bit(s->tcr_el3, TCR_EL3_PIE) << TCR2_PIE | (u64)bit(s->tcr_el3, TCR_EL3_POE) << TCR2_POE;
    else if (el3 && !bit(s->scr_el3, SCR_TCR2En))
        ctl = 0;
    else if (el10 && cpu_el2_enabled(cpu) && !(bit(s->hcrx_el2, HCRX_TCR2En) && (!el3 || bit(s->scr_el3, SCR_HXEn))))
        ctl = 0;
    r->pie = bit(ctl, TCR2_PIE);
    r->poe = bit(ctl, TCR2_POE);
    r->e0poe = bit(ctl, TCR2_E0POE) && (el10 || r->regime == REGIME_EL20) && !r->nv_nv1;
    if (r->pie) {
        r->pir = el10 ? s->pir_el1 : r->regime == REGIME_EL3 ? s->pir_el3 : s->pir_el2;
        r->pire0 = el10 ? s->pire0_el1 : r->regime == REGIME_EL20 ? s->pire0_el2 : 0;
    }
    if (r->poe)
        r->por = el10 ? s->por_el1 : r->regime == REGIME_EL3 ? s->por_el3 : s->por_el2;
    if (r->e0poe)
        r->por0 = s->por_el0;
}

static void describe_el10(const struct cpu *cpu, struct regime_desc *r)
{
    const struct sysregs *s = &cpu->sys;
    r->sctlr = s->sctlr_el1;
    r->tcr = s->tcr_el1;
    r->mair = s->mair_el1;
    r->ttbr[0] = s->ttbr0_el1;
    r->ttbr[1] = s->ttbr1_el1;
    r->asid = current_asid(r);
    r->stage1 = bit(r->sctlr, SCTLR_M);
    if (!cpu_el2_enabled(cpu))
        return;
    r->has_s2 = 1;
    r->hcr = cpu_hcr(cpu);
    r->vtcr = s->vtcr_el2;
    r->vttbr = s->vttbr_el2;
    r->vstcr = s->vstcr_el2;
    r->vsttbr = s->vsttbr_el2;
    r->s2pie = bit(r->vtcr, VTCR_S2PIE);
    r->s2pir = r->s2pie ? s->s2pir_el2 : 0;
    r->s2_ee = bit(s->sctlr_el2, SCTLR_EE);
    r->nv_nv1 = (cpu_nvx(cpu) & (NVX_NV | NVX_NV1)) == (NVX_NV | NVX_NV1);
    r->stage1 = r->stage1 && !bit(r->hcr, HCR_TGE) && !bit(r->hcr, HCR_DC);
    r->stage2 = bit(r->hcr, HCR_VM) || bit(r->hcr, HCR_DC);
    r->vmid = cpu_vmid(cpu);
}

void regime_describe(const struct cpu *cpu, enum regime regime, struct regime_desc *r)
{
    const struct sysregs *s = &cpu->sys;
    memset(r, 0, sizeof(*r)); /* padding too: descriptions are compared by their bytes */
    r->phys = cpu->d.host.phys;
    r->feat = walk_features(cpu);
    r->cpu = (u16)cpu->index;
    r->regime = (u8)regime;
    r->secure = regime == REGIME_EL3 || cpu_is_secure_below_el3(cpu);
    r->sif = r->secure && bit(s->scr_el3, SCR_SIF);
    switch (regime) {
    case REGIME_EL10: describe_el10(cpu, r); break;
    case REGIME_EL3:
        r->sctlr = s->sctlr_el3;
        r->tcr = s->tcr_el3;
        r->mair = s->mair_el3;
        r->ttbr[0] = s->ttbr0_el3;
        break;
    default:
        r->sctlr = s->sctlr_el2;
        r->tcr = s->tcr_el2;
        r->mair = s->mair_el2;
        r->ttbr[0] = s->ttbr0_el2;
        if (regime == REGIME_EL20) {
            r->ttbr[1] = s->ttbr1_el2;
            r->asid = current_asid(r);
        }
    }
    if (regime != REGIME_EL10)
        r->stage1 = bit(r->sctlr, SCTLR_M);
    describe_pie(cpu, r);
}

void regime_config(const struct regime_desc *r, struct tlb_config *config)
{
    bool tags = r->feat & WALK_MTE; /* cacheability (C, CD) decides whether memory is Tagged, and nothing else */
    const u64 sctlr_used = BIT(SCTLR_M) | BIT(SCTLR_WXN) | BIT(SCTLR_EE) | BIT(SCTLR_EPAN) | (tags ? BIT(SCTLR_C) : 0);
    memset(config, 0, sizeof(*config));
    config->used = 1;
    config->regime = r->regime | (r->secure ? REGIME_KEY_SECURE : 0) | (r->stage1 ? REGIME_KEY_S1 : 0) |
                     (r->has_s2 ? REGIME_KEY_HAS_S2 : 0);
    if (r->stage1) {
        config->regime |= (r->sif ? REGIME_KEY_SIF : 0) | (r->nv_nv1 ? REGIME_KEY_NV_NV1 : 0);
        config->sctlr = r->sctlr & sctlr_used;
        config->mair = r->mair;
    }
    config->tcr = r->tcr;
    if (r->stage1 && (r->pie | r->poe | r->e0poe)) {
        config->regime |=
            (r->pie ? REGIME_KEY_PIE : 0) | (r->poe ? REGIME_KEY_POE : 0) | (r->e0poe ? REGIME_KEY_E0POE : 0);
        config->pir = r->pir;
        config->pire0 = r->pire0;
        config->por = r->por;
        config->por0 = r->por0;
    }
    if (r->has_s2)
        config->hcr = r->hcr & (BIT(HCR_DC) | BIT(HCR_DCT));
    if (r->has_s2 && r->stage2) {
        config->regime |= REGIME_KEY_S2 | (r->s2_ee ? REGIME_KEY_S2_EE : 0);
        config->hcr |= r->hcr & (BIT(HCR_PTW) | BIT(HCR_FWB) | (tags ? BIT(HCR_CD) : 0));
        config->vtcr = r->vtcr;
        config->s2pir = r->s2pir;
        config->vstcr = r->secure ? r->vstcr : 0;
    }
}

/* ---- views ---- */

static bool data_big_endian(u64 sctlr, unsigned el) { return bit(sctlr, el == 0 ? 24 : 25); }

const struct mmu_view *mmu_view_make(struct cpu *cpu, unsigned el)
{
    struct mmu_view *v = &cpu->d.mmu.view[el];
    struct regime_desc r;
    struct tlb_config config;
    regime_describe(cpu, regime_of(cpu, el), &r);
    regime_config(&r, &config);
    if (unlikely(tags_may_check(cpu, el)))
        config.regime |= REGIME_KEY_TAGS;
    u8 big_endian = data_big_endian(r.sctlr, el),
       unpriv = (el == 1 && !r.nv_nv1) || (el == 2 && regime_of(cpu, 0) == REGIME_EL20), strict = bit(r.sctlr, SCTLR_A),
       flat = !r.stage1 && !(r.has_s2 && bit(r.hcr, HCR_DC)) && !(r.feat & WALK_LOOSE);
    /* Back in a world that was left: its context numbers are still good. */
    if (!v->regime_known || memcmp(&config, &v->config, sizeof(config)) || v->asid != r.asid || v->vmid != r.vmid ||
        v->big_endian != big_endian || v->unpriv != unpriv || v->strict != strict || v->flat != flat)
        memset(v, 0, sizeof(*v));
    v->memo_number = 0;
    v->regime_known = 1;
    v->config = config;
    v->asid = r.asid;
    v->vmid = r.vmid;
    v->regime = r.regime;
    v->big_endian = big_endian;
    v->unpriv = unpriv;
    v->strict = strict;
    v->flat = flat;
    v->naa = bit(r.sctlr, SCTLR_nAA);
    v->nv_nv1 = r.nv_nv1;
    v->feat = r.feat;
    v->valid = 1;
    return v;
}

const struct regime_desc *mmu_view_regime(struct cpu *cpu, const struct mmu_view *view, struct regime_desc *room)
{
    struct mmu_view *v = &cpu->d.mmu.view[view - cpu->d.mmu.view];
    struct memo *memo = cpu->d.host.memo;
    const struct regime_desc *r = NULL;
    if (v->memo_number)
        r = memo_regime_again(memo, (u32)v->memo_slot, v->memo_number);
    if (likely(r))
        return r;
    regime_describe(cpu, (enum regime)v->regime, room);
    if (!memo)
        return room;
    r = memo_regime(memo, room);
    v->memo_number = r->number;
    v->memo_slot = memo_regime_slot(memo, r);
    return r;
}

static bool same_config(const struct tlb_config *a, const struct tlb_config *b) { return !memcmp(a, b, sizeof(*a)); }

int mmu_view_config(struct cpu *cpu, const struct mmu_view *view)
{
    struct mmu_view *v = &cpu->d.mmu.view[view - cpu->d.mmu.view];
    if (likely(v->config_index))
        return v->config_index - 1;
    for (unsigned n = 0; n < TLB_CONFIGS; n++) {
        if (same_config(&cpu->tlb.configs[n], &v->config)) {
            v->config_index = (u16)(n + 1);
            return (int)n;
        }
    }
    return -1;
}

unsigned mmu_view_config_make(struct cpu *cpu, const struct mmu_view *view)
{
    int have = mmu_view_config(cpu, view);
    if (have >= 0)
        return (unsigned)have;
    unsigned n = cpu->tlb.config_next;
    if (cpu->tlb.configs[n].used)
        tlb_drop_config(cpu, n);
    cpu->tlb.configs[n] = view->config;
    cpu->tlb.config_next = (n + 1) % TLB_CONFIGS;
    return n;
}

/* ---- context numbers ---- */

static u32 context_hash(const struct mmu_ctx *c)
{
    const struct tlb_config *g = &c->config;
    u64 h = g->sctlr ^ g->tcr * 3 ^ g->mair * 5 ^ g->hcr * 7 ^ g->vtcr * 11 ^ g->vstcr * 13 ^ (u64)g->regime << 40;
    h ^= g->pir * 17 ^ g->pire0 * 19 ^ g->s2pir * 23 ^ g->por * 29 ^ g->por0 * 31;
    h ^= (u64)c->asid << 16 ^ (u64)c->vmid << 32 ^ (u64)c->el0 << 50 ^ (u64)c->pan << 51 ^ (u64)c->big_endian << 52;
    h *= 0x9e3779b97f4a7c15ull;
    return (u32)(h >> 40);
}

/* All fast tags and numbers go; the table starts again. */
static void contexts_flush(struct cpu *cpu) { mmu_drop_derived(cpu); }

/* The number of a combination; a new one when it has none. */
static u32 context_number(struct cpu *cpu, const struct mmu_view *v, bool el0, bool pan)
{
    struct mmu_derived *m = &cpu->d.mmu;
    struct mmu_ctx want;
    memset(&want, 0, sizeof(want));
    want.config = v->config;
    want.asid = v->asid;
    want.vmid = v->vmid;
    want.el0 = el0;
    want.pan = pan;
    want.big_endian = v->big_endian;
    for (u32 n = context_hash(&want) % CTX_SLOTS;; n = (n + 1) % CTX_SLOTS) {
        struct mmu_ctx *c = &m->ctx[n];
        if (!c->number) {
            want.number = ++m->ctx_used << 4;
            *c = want;
            return want.number;
        }
        want.number = c->number;
        if (!memcmp(c, &want, sizeof(want)))
            return c->number;
        want.number = 0;
    }
}

/* Spreads contexts over the tables, so that worlds do not evict each other. */
static u64 context_mix(u64 number) { return (number >> 4) * 0x9e37 >> 4 << 5; }

static struct fast_context fast_context(const struct mmu_view *v, u64 number)
{
    bool strict = v->strict || v->flat; /* every access is checked for alignment */
    return (struct fast_context){ number, strict ? CTX_NEVER : number, context_mix(number) };
}

bool mmu_unpriv_applies(struct cpu *cpu) { return !cpu->ps.uao && mmu_view(cpu, cpu->ps.el)->unpriv; }

static ALWAYS_INLINE void use_contexts(struct cpu *cpu, const struct mmu_view *v)
{
    struct fast_context data = v->data[cpu->ps.pan & 1];
    cpu->d.data = data;
    cpu->d.unpriv = v->unpriv && !cpu->ps.uao ? v->as_el0 : data;
}

static void lose_contexts(struct cpu_derived *d)
{
    d->data.ctx = d->data.wide = d->unpriv.ctx = d->unpriv.wide = CTX_NEVER;
}

void mmu_context_find(struct cpu *cpu)
{
    unsigned el = cpu->ps.el, pan = cpu->ps.pan & 1;
    if (cpu->d.mmu.ctx_used + 2 > CTX_LIMIT)
        contexts_flush(cpu);
    mmu_view(cpu, el);
    struct mmu_view *v = &cpu->d.mmu.view[el];
    if (!v->data[pan].ctx)
        v->data[pan] = fast_context(v, context_number(cpu, v, el == 0, el != 0 && pan));
    if (v->unpriv && !v->as_el0.ctx)
        v->as_el0 = fast_context(v, context_number(cpu, v, true, false));
    use_contexts(cpu, v);
}

void mmu_context_changed(struct cpu *cpu)
{
    for (unsigned el = 0; el < 4; el++)
        cpu->d.mmu.view[el].valid = 0;
    lose_contexts(&cpu->d);
}

void mmu_el_changed(struct cpu *cpu)
{
    const struct mmu_view *v = &cpu->d.mmu.view[cpu->ps.el];
    if (v->valid && v->data[cpu->ps.pan & 1].ctx && (!v->unpriv || v->as_el0.ctx))
        use_contexts(cpu, v);
    else
        lose_contexts(&cpu->d);
}

void mmu_drop_derived(struct cpu *cpu)
{
    struct cpu_derived *d = &cpu->d;
    struct mmu_derived *m = &d->mmu;
    if (m->tagged) {
        zeros_make(d->fast, sizeof(d->fast)); /* a tag of zeros matches nothing: no context is 0 */
        zeros_make(d->xpage, sizeof(d->xpage));
    }
    if (m->tagged || m->ctx_used)
        zeros_make(m->fast_slot, sizeof(*m) - offsetof(struct mmu_derived, fast_slot));
    memset(m, 0, offsetof(struct mmu_derived, fast_slot));
    lose_contexts(d);
}

/* ---- those who look in ---- */

bool mmu_debug_translate(const struct cpu *cpu, u64 va, unsigned el, u64 *pa, struct translation *out,
                         struct walk_record *rec)
{
    struct regime_desc r;
    struct translation t;
    regime_describe(cpu, regime_of(cpu, el), &r);
    walk(&r, va, (struct walk_access){ .el0 = el == 0, .real_el = (u8)el, .debug = 1 }, rec, &t);
    if (t.ok && pa)
        *pa = t.pa;
    if (out)
        *out = t;
    return t.ok;
}

u64 mmu_debug_untagged(const struct cpu *cpu, u64 va, bool fetch)
{
    u64 plain = sext(va, 56);
    struct regime_desc r;
    if (va == plain)
        return va;
    regime_describe(cpu, regime_of(cpu, cpu->ps.el), &r);
    return walk_addr_top(r.regime, r.tcr, r.feat & WALK_TBID, va, fetch) == 55 ? plain : va;
}
