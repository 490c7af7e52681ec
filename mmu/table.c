/*
 * Formats of translation tables: what TCR_ELx, VTCR_EL2, VSTCR_EL2 and the base registers say of granule, sizes, start
 * level and address spaces (Arm ARM D8.2). Choices where they say too much or too little: see mmu/walk.c.
 */
#include "mmu/table.h"

#include "cpu/field.h"

/* TG0 (shift 14) and TG1 (shift 30) name granules differently; reserved values count as 4K, as the pseudocode reads
 * them. */
static u8 granule(u64 tcr, bool upper)
{
    unsigned tg = upper ? FIELD_OF(tcr, TCR_EL1_TG1) : FIELD_OF(tcr, TCR_EL1_TG0);
    if (upper)
        return tg == 3 ? 16 : tg == 1 ? 14 : 12;
    return tg == 1 ? 16 : tg == 2 ? 14 : 12;
}

unsigned table_pa_max(const struct regime_desc *r) { return r->phys->pa_size < 52 ? (unsigned)r->phys->pa_size : 52; }

/* Bits of output address for TCR.{I}PS or VTCR.PS. */
static u8 output_bits(const struct regime_desc *r, unsigned ps, const struct table *t)
{
    static const u8 size[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };
    bool wide = t->ds || (t->grain == 16 && r->feat & WALK_LPA);
    unsigned n = size[ps];
    if (n > table_pa_max(r))
        n = table_pa_max(r);
    return (u8)(n > 48 && !wide ? 48 : n);
}

/* Input size from TxSZ. False: larger than implemented, and so nothing translates; smaller counts as the smallest one
 * (D8.2.4.2: our choices). */
static bool set_input(const struct regime_desc *r, struct table *t, unsigned txsz, unsigned max)
{
    unsigned min = !(r->feat & WALK_TTST) ? 25 : t->grain == 16 ? 17 : 16;
    t->input_size = (u8)(64 - txsz < min ? min : 64 - txsz);
    return t->input_size <= max;
}

unsigned walk_addr_top(unsigned regime, u64 tcr, bool tbid, u64 va, bool fetch)
{
    bool ignore, data_only;
    if (regime == REGIME_EL10 || regime == REGIME_EL20) {
        bool upper = bit(va, 55);
        ignore = bit(tcr, upper ? TCR_EL1_TBI1 : TCR_EL1_TBI0);
        data_only = bit(tcr, upper ? TCR_EL1_TBID1 : TCR_EL1_TBID0);
    } else {
        ignore = bit(tcr, TCR_EL3_TBI);
        data_only = bit(tcr, TCR_EL3_TBID);
    }
    return ignore && !(tbid && data_only && fetch) ? 55 : 63;
}

unsigned table_addr_top(const struct regime_desc *r, u64 va, bool fetch)
{
    return walk_addr_top(r->regime, r->tcr, r->feat & WALK_TBID, va, fetch);
}

bool table_stage1(const struct regime_desc *r, u64 va, bool fetch, struct table *t)
{
    unsigned top = table_addr_top(r, va, fetch), ps;
    bool two = r->regime == REGIME_EL10 || r->regime == REGIME_EL20, upper = two && bit(va, top);
    u64 tcr = r->tcr;
    *t = (struct table){ .input = va, .base = r->ttbr[upper], .stage = 1, .one_priv = !two };
    t->grain = granule(tcr, upper);
    if (two) {
        ps = (unsigned)FIELD_OF(tcr, TCR_EL1_IPS);
        t->epd = bit(tcr, upper ? TCR_EL1_EPD1 : TCR_EL1_EPD0);
        t->e0pd = r->feat & WALK_E0PD && bit(tcr, upper ? TCR_EL1_E0PD1 : TCR_EL1_E0PD0);
        t->no_hier = r->feat & WALK_HPD && bit(tcr, upper ? TCR_EL1_HPD1 : TCR_EL1_HPD0);
        t->update_af = r->feat & WALK_HAF && bit(tcr, TCR_EL1_HA);
        t->update_dirty = r->feat & WALK_HDBS && t->update_af && bit(tcr, TCR_EL1_HD);
        t->ds = r->feat & WALK_LPA2 && t->grain != 16 && bit(tcr, TCR_EL1_DS);
        t->ds_sh = (u8)(upper ? FIELD_OF(tcr, TCR_EL1_SH1) : FIELD_OF(tcr, TCR_EL1_SH0));
    } else {
        ps = (unsigned)FIELD_OF(tcr, TCR_EL3_PS);
        t->no_hier = r->feat & WALK_HPD && bit(tcr, TCR_EL3_HPD);
        t->update_af = r->feat & WALK_HAF && bit(tcr, TCR_EL3_HA);
        t->update_dirty = r->feat & WALK_HDBS && t->update_af && bit(tcr, TCR_EL3_HD);
        t->ds = r->feat & WALK_LPA2 && t->grain != 16 && bit(tcr, TCR_EL3_DS);
        t->ds_sh = (u8)FIELD_OF(tcr, TCR_EL3_SH0);
    }
    t->pie = r->pie;
    t->no_hier |= t->pie;
    t->ee = bit(r->sctlr, SCTLR_EE);
    t->ns = !r->secure;
    unsigned max = t->ds || (t->grain == 16 && r->feat & WALK_LVA) ? 52 : 48;
    if (!set_input(r, t, (unsigned)(upper ? FIELD_OF(tcr, TCR_EL1_T1SZ) : FIELD_OF(tcr, TCR_EL1_T0SZ)), max))
        return false;
    t->output_size = output_bits(r, ps, t);
    unsigned stride = t->grain - 3u;
    t->level = (s8)(4 - (int)((t->input_size - t->grain + stride - 1) / stride));
    /* bits top:input_size all equal to the half's bit */
    u64 high = t->input_size > top ? 0 : bits(va, top, t->input_size);
    return high == (upper && t->input_size <= top ? ones(top - t->input_size + 1) : 0);
}

/* Address spaces of stage 2 walks and outputs (FEAT_SEL2; D8.2.5). */
static void stage2_spaces(const struct regime_desc *r, bool ns_ipa, struct table *t)
{
    bool sw = bit(r->vstcr, VSTCR_SW), sa = bit(r->vstcr, VSTCR_SA), nsw = bit(r->vtcr, VTCR_NSW),
         nsa = bit(r->vtcr, VTCR_NSA);
    if (!r->secure) {
        t->ns = t->out_ns = true;
        return;
    }
    t->ns = ns_ipa ? nsw : sw;
    if (t->ns)
        t->out_ns = true;
    else if (!ns_ipa)
        t->out_ns = sa;
    else
        t->out_ns = sw || sa || nsa;
}

/* Start level of stage 2 from SL0; 4 when the encoding has none. */
static int stage2_level(const struct regime_desc *r, const struct table *t, unsigned sl0, bool sl2)
{
    if (t->grain != 12)
        return sl0 < 3 ? 3 - (int)sl0 : t->ds && t->grain == 14 ? 0 : 4;
    if (t->ds && sl2)
        return sl0 ? 4 : -1;
    if (sl0 == 3)
        return r->feat & WALK_TTST ? 3 : 4;
    return 2 - (int)sl0;
}

bool table_stage2(const struct regime_desc *r, bool ns_ipa, struct table *t, u8 *range)
{
    bool secure_ipa = r->secure && !ns_ipa;
    u64 ctl = secure_ipa ? r->vstcr : r->vtcr;
    *t = (struct table){
        .base = secure_ipa ? r->vsttbr : r->vttbr, .stage = 2, .one_priv = true, .ee = r->s2_ee, .ns_ipa = ns_ipa
    };
    stage2_spaces(r, ns_ipa, t);
    t->pie = r->s2pie;
    t->grain = granule(ctl, false);
    t->ds = r->feat & WALK_LPA2 && t->grain != 16 && bit(r->vtcr, VTCR_DS);
    t->ds_sh = (u8)FIELD_OF(r->vtcr, VTCR_SH0);
    t->update_af = r->feat & WALK_HAF && bit(r->vtcr, VTCR_HA);
    t->update_dirty = r->feat & WALK_HDBS && t->update_af && bit(r->vtcr, VTCR_HD);
    bool wide = (t->grain == 16 && r->feat & WALK_LPA && table_pa_max(r) == 52) || t->ds;
    if (!set_input(r, t, (unsigned)FIELD_OF(ctl, VTCR_T0SZ), wide ? 52 : 48))
        return false;
    t->output_size = output_bits(r, (unsigned)FIELD_OF(r->vtcr, VTCR_PS), t);
    *range = t->input_size;
    int level = stage2_level(r, t, (unsigned)FIELD_OF(ctl, VTCR_SL0), bit(ctl, VTCR_SL2));
    if (level > 3)
        return false;
    if (t->grain == 16   ? level == 1 && table_pa_max(r) <= 42
        : t->grain == 14 ? (level == 1 && table_pa_max(r) <= 40) || (level == 0 && !t->ds)
                         : level == 0 && table_pa_max(r) <= 42)
        return false;
    t->level = (s8)level;
    if (t->input_size > table_pa_max(r))
        t->input_size = (u8)table_pa_max(r);
    int stride = t->grain - 3, entries = t->input_size - ((3 - level) * stride + t->grain);
    return entries >= 1 && entries <= stride + 4;
}
