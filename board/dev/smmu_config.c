/*
 * The SMMU's configuration: stream table entries and context descriptors (IHI 0070 5), found, checked, and made into
 * what mmu/walk.h wants to know of a translation.
 */
#include "board/dev/smmu.h"

#include "cpu/field.h"
#include "mmu/table.h"

enum { STE_BYTES = 64, CD_BYTES = 64 };

static bool event(struct smmu_look *look, enum smmu_event number)
{
    look->event = (u8)number;
    return false;
}

static bool read_words(struct machine *m, u64 pa, u64 *word, unsigned count)
{
    u8 bytes[64];
    if (!bus_dma_physical(m, &(struct requester){ .privileged = true }, pa, bytes, 8 * (u64)count, false))
        return false;
    for (unsigned n = 0; n < count; n++)
        word[n] = load_le64(bytes + 8 * n);
    return true;
}

/* A word of a table led on; with the access flag that this may have set it would lead to the same. */
static void trail(struct machine *m, struct smmu_look *look, u64 pa)
{
    struct smmu_trail *trail = look->trail;
    if (!trail)
        return;
    const u8 *host = bus_ram_host(m, pa, 8);
    if (host && trail->count < SMMU_TRAIL)
        trail->check[trail->count++] = (struct memo_check){ host, load_le64(host) };
    else
        trail->count = SMMU_TRAIL + 1;
}

/* ---- the stream table ---- */

static bool fetch_ste(struct machine *m, struct smmu_look *look, u64 pa, u64 *word, unsigned count)
{
    look->ste_at = pa;
    if (count == 1)
        trail(m, look, pa);
    if (read_words(m, pa, word, count))
        return true;
    look->fetch_at = pa;
    return event(look, EVENT_F_STE_FETCH);
}

/* StreamIDs outside of the table are told of when CR2.RECINVSID says so. */
static bool bad_stream(const struct smmu *s, struct smmu_look *look)
{
    look->silent = !bit(s->cr2, CR2_RECINVSID);
    return event(look, EVENT_C_BAD_STREAMID);
}

/* Address of the STE. L1STD: <4:0> Span <51:6> L2Ptr. SPLIT has three values; others count as 6. */
static bool ste_address(struct machine *m, const struct smmu *s, struct smmu_look *look, u64 *at)
{
    u64 cfg = s->strtab_base_cfg, base = s->strtab_base & ones(52);
    unsigned log2 = (unsigned)bits(cfg, 5, 0), split = (unsigned)bits(cfg, 10, 6);
    u32 sid = look->t.stream;
    log2 = log2 < SMMU_SIDSIZE ? log2 : SMMU_SIDSIZE;
    if (sid >> log2)
        return bad_stream(s, look);
    if (bits(cfg, 17, 16) != 1) {
        *at = (base & ~ones(log2 + 6)) + (u64)sid * STE_BYTES;
        return true;
    }
    split = split == 8 || split == 10 ? split : 6;
    unsigned upper = log2 > split ? log2 - split : 0;
    u64 descriptor;
    if (!fetch_ste(m, look, (base & ~ones(upper + 3 > 6 ? upper + 3 : 6)) + 8 * (u64)(sid >> split), &descriptor, 1))
        return false;
    unsigned span = (unsigned)bits(descriptor, 4, 0);
    u32 index = sid & (u32)ones(split);
    if (!span || span > split + 1 || index >> (span - 1))
        return bad_stream(s, look);
    *at = (descriptor & ones(52) & ~ones(span - 1 + 6)) + (u64)index * STE_BYTES;
    return true;
}

/* Log2 of the granule; 0: reserved. */
static unsigned granule(u64 tg)
{
    static const u8 log2[4] = { 12, 16, 14, 0 };
    return log2[tg];
}
/* TG1 names them differently. */
static unsigned granule_upper(u64 tg)
{
    static const u8 log2[4] = { 0, 14, 12, 16 };
    return log2[tg];
}

/* Bits of output address: PS or IPS, as far as there are so many. */
static unsigned output_bits(const struct machine *m, u64 ps)
{
    static const u8 size[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };
    unsigned oas = (unsigned)smmu_oas(m);
    return size[ps] < oas ? size[ps] : oas;
}

/* Is the address of a table one that this granule and output size can have? */
static bool table_in_range(u64 address, unsigned grain, unsigned output)
{
    return !(address >> (grain < 16 && output > 48 ? 48 : output));
}

static bool size_in_range(u64 txsz, unsigned grain, unsigned max_bits)
{
    return txsz >= 64 - max_bits && txsz <= (grain == 16 ? 47 : 48);
}

/* Stage 2's part of SteIllegal() (5.2.2). */
static bool stage2_illegal(struct machine *m, const struct smmu_look *look)
{
    const u64 *ste = look->ste;
    unsigned grain = granule(STE(ste, S2TG)), output = output_bits(m, STE(ste, S2PS)), ias = (unsigned)smmu_oas(m);
    struct regime_desc r = { 0 };
    struct table t;
    u8 range;
    if (!STE(ste, S2AA64) || !grain || !table_in_range(STE_ADDRESS(ste, S2TTB), grain, output) ||
        !size_in_range(STE(ste, S2T0SZ), grain, ias > 48 && grain < 16 ? 48 : ias))
        return true;
    smmu_regime_stage2(m, look, &r);
    return !table_stage2(&r, true, &t, &range);
}

/* SteIllegal() (5.2.2), of an STE that translates or lets pass. */
static bool ste_illegal(struct machine *m, const struct smmu_look *look)
{
    const u64 *ste = look->ste;
    u64 config = STE(ste, Config);
    if ((config & 1 && !smmu_stage1(m)) || (config & 2 && !smmu_stage2(m)))
        return true;
    if (config == 5 && smmu_hyp(m) && STE(ste, STRW) & 1)
        return true;
    if (config & 1 && (STE(ste, S1CDMax) > SMMU_SSIDSIZE || STE_ADDRESS(ste, S1ContextPtr) >> smmu_oas(m)))
        return true;
    return config & 2 && stage2_illegal(m, look);
}

bool smmu_ste(struct machine *m, const struct smmu *s, struct smmu_look *look)
{
    u64 at;
    if (!ste_address(m, s, look, &at) || !fetch_ste(m, look, at, look->ste, 8))
        return false;
    look->has_ste = true;
    if (!STE(look->ste, V) || (STE(look->ste, Config) & 4 && ste_illegal(m, look)))
        return event(look, EVENT_C_BAD_STE);
    return true;
}

/* ---- stage 2 ---- */

/* A table base as TTBR and VTTBR have it: with 52 bits of address, bits <51:48> lie in <5:2> (D8.2). */
static u64 table_register(u64 address, unsigned grain, unsigned output)
{
    return grain == 16 && output > 48 ? (address & ones(48) & ~ones(6)) | bits(address, 51, 48) << 2 : address;
}

/* What walks have of both stages: the machine, and what IDR3 and IDR5 say. */
static void regime_common(struct machine *m, struct regime_desc *r)
{
    r->phys = &m->d.phys;
    r->feat |= WALK_HPD | WALK_HAF | WALK_HDBS | WALK_XNX | WALK_TTST | (smmu_oas(m) > 48 ? WALK_LPA : 0);
    r->cpu = NOT_A_CPU;
    r->regime = REGIME_EL10;
}

void smmu_regime_stage2(struct machine *m, const struct smmu_look *look, struct regime_desc *r)
{
    const u64 *ste = look->ste;
    regime_common(m, r);
    r->has_s2 = r->stage2 = 1;
    r->feat |= WALK_FWB;
    r->hcr = BIT(HCR_VM) | STE(ste, S2PTW) << HCR_PTW | STE(ste, S2FWB) << HCR_FWB;
    /* <178:160> are laid out as VTCR_EL2<18:0>. */
    r->vtcr = words_field(ste, STE_S2PS_END, STE_S2T0SZ) | STE(ste, S2HA) << VTCR_HA | STE(ste, S2HD) << VTCR_HD;
    r->vttbr = table_register(STE_ADDRESS(ste, S2TTB), granule(STE(ste, S2TG)), output_bits(m, STE(ste, S2PS)));
    r->s2_ee = (u8)STE(ste, S2ENDI);
    r->affd |= STE(ste, S2AFFD) ? 2 : 0;
    r->vmid = (u16)STE(ste, S2VMID);
}

/* ---- context descriptors ---- */

/* Reads from the CD's tables, through stage 2 where that translates. */
static bool fetch_cd(struct machine *m, struct smmu_look *look, const struct regime_desc *r, u64 address, u64 *word,
                     unsigned count)
{
    struct translation out = { .pa = address };
    look->cd_at = address;
    if (look->stage2) {
        struct walk_record record;
        record.count = 0;
        walk_stage2(r, address, true, (struct walk_access){ .read = 1, .debug = look->t.debug },
                    look->trail ? &record : NULL, &out);
        for (unsigned n = 0; n < record.count; n++)
            trail(m, look, record.step[n].addr);
        if (out.ok && out.attrs.type != MEM_NORMAL && bit(r->hcr, HCR_PTW)) {
            out.ok = false;
            out.fault = (struct fault){ .kind = FAULT_PERMISSION, .rule = RULE_PTW, .stage2 = 1, .ipa = address };
        }
        if (!out.ok) {
            smmu_fault(m, look, r, &out.fault, CLASS_CD);
            return false;
        }
    }
    look->cd_pa = out.pa;
    if (count == 1)
        trail(m, look, out.pa);
    if (read_words(m, out.pa, word, count))
        return true;
    look->fetch_at = out.pa;
    return event(look, EVENT_F_CD_FETCH);
}

static bool cd_illegal(struct machine *m, const struct smmu *s, const struct smmu_look *look)
{
    const u64 *cd = look->cd;
    unsigned output = output_bits(m, CD(cd, IPS)), grain[2] = { granule(CD(cd, TG0)), granule_upper(CD(cd, TG1)) };
    u64 size[2] = { CD(cd, T0SZ), CD(cd, T1SZ) }, table[2] = { CD_TTB(cd, 0), CD_TTB(cd, 1) };
    bool off[2] = { CD(cd, EPD0), CD(cd, EPD1) };
    unsigned world = smmu_stream_world(m, s, look->ste);
    if (!CD(cd, V) || !CD(cd, AA64) || (STE(look->ste, S1STALLD) && CD(cd, S)))
        return true;
    if (world == REGIME_EL2) /* one table, which is not to be turned off */
        off[0] = false, off[1] = true;
    for (unsigned n = 0; n < 2; n++)
        if (!off[n] &&
            (!grain[n] || !size_in_range(size[n], grain[n], 48) || !table_in_range(table[n], grain[n], output)))
            return true;
    return false;
}

/* Index of the CD within a table of two levels: 64 or 1024 at the lower one. L1CD: <0> V <51:12> L2Ptr. */
static bool cd_address(struct machine *m, struct smmu_look *look, const struct regime_desc *r, u32 index, u64 *at)
{
    const u64 *ste = look->ste;
    u64 base = STE_ADDRESS(ste, S1ContextPtr), format = STE(ste, S1Fmt), descriptor;
    unsigned split = format == 1 ? 6 : 10;
    if (!STE(ste, S1CDMax) || format == 0 || format == 3) {
        *at = base + (u64)index * CD_BYTES;
        return true;
    }
    if (!fetch_cd(m, look, r, base + 8 * (u64)(index >> split), &descriptor, 1))
        return false;
    u64 table = descriptor & ones(52) & ~ones(12);
    if (!(descriptor & 1) || table >> smmu_oas(m)) {
        look->t.substream = index;
        return event(look, EVENT_C_BAD_SUBSTREAMID);
    }
    *at = table + (index & ones(split)) * CD_BYTES;
    return true;
}

bool smmu_cd(struct machine *m, const struct smmu *s, struct smmu_look *look, const struct regime_desc *r)
{
    u64 at;
    u32 index = look->t.substream == NO_SUBSTREAM ? 0 : look->t.substream;
    if (!cd_address(m, look, r, index, &at) || !fetch_cd(m, look, r, at, look->cd, 8))
        return false;
    look->has_cd = true;
    return !cd_illegal(m, s, look) || event(look, EVENT_C_BAD_CD);
}

/* ---- stage 1 ---- */

enum regime smmu_stream_world(const struct machine *m, const struct smmu *s, const u64 *ste)
{
    if (STE(ste, Config) != 5 || !smmu_hyp(m) || STE(ste, STRW) != 2)
        return REGIME_EL10;
    return bit(s->cr2, CR2_E2H) ? REGIME_EL20 : REGIME_EL2;
}

static u64 tcr_of(const u64 *cd, enum regime world)
{
    u64 lower = CD(cd, T0SZ) << TCR_EL1_T0SZ | CD(cd, TG0) << TCR_EL1_TG0;
    if (world == REGIME_EL2)
        return lower | CD(cd, IPS) << TCR_EL3_PS | CD(cd, TBI0) << TCR_EL3_TBI | CD(cd, HA) << TCR_EL3_HA |
               CD(cd, HD) << TCR_EL3_HD | CD(cd, HAD0) << TCR_EL3_HPD;
    return lower | CD(cd, T1SZ) << TCR_EL1_T1SZ | CD(cd, TG1) << TCR_EL1_TG1 | CD(cd, EPD0) << TCR_EL1_EPD0 |
           CD(cd, EPD1) << TCR_EL1_EPD1 | CD(cd, IPS) << TCR_EL1_IPS | CD(cd, TBI0) << TCR_EL1_TBI0 |
           CD(cd, TBI1) << TCR_EL1_TBI1 | CD(cd, HA) << TCR_EL1_HA | CD(cd, HD) << TCR_EL1_HD |
           CD(cd, HAD0) << TCR_EL1_HPD0 | CD(cd, HAD1) << TCR_EL1_HPD1;
}

void smmu_regime_stage1(struct machine *m, const struct smmu *s, const struct smmu_look *look, struct regime_desc *r)
{
    const u64 *cd = look->cd;
    enum regime world = smmu_stream_world(m, s, look->ste);
    unsigned output = output_bits(m, CD(cd, IPS));
    regime_common(m, r);
    r->regime = (u8)world;
    r->stage1 = 1;
    r->sctlr = BIT(SCTLR_M) | BIT(SCTLR_C) | CD(cd, WXN) << SCTLR_WXN | CD(cd, ENDI) << SCTLR_EE;
    r->tcr = tcr_of(cd, world);
    r->ttbr[0] = table_register(CD_TTB(cd, 0), granule(CD(cd, TG0)), output);
    r->ttbr[1] = table_register(CD_TTB(cd, 1), granule_upper(CD(cd, TG1)), output);
    r->mair = CD(cd, MAIR);
    r->asid = (u16)CD(cd, ASID);
    r->affd |= CD(cd, AFFD) ? 1 : 0;
}

/* ---- faults of the walker ---- */

/* Where a descriptor is that could not be read: of stage 1 under stage 2 the walker knows the IPA only. */
static u64 descriptor_pa(const struct regime_desc *r, const struct fault *f)
{
    struct translation out;
    if (f->desc_stage == 2 || !r->has_s2)
        return f->desc_addr;
    walk_stage2(r, f->desc_addr, true, (struct walk_access){ .debug = 1 }, NULL, &out);
    return out.ok ? out.pa : f->desc_addr;
}

void smmu_fault(struct machine *m, struct smmu_look *look, const struct regime_desc *r, const struct fault *f,
                unsigned class)
{
    static const u8 events[FAULT_KINDS] = {
        [FAULT_TRANSLATION] = EVENT_F_TRANSLATION, [FAULT_ADDRESS_SIZE] = EVENT_F_ADDR_SIZE,
        [FAULT_ACCESS_FLAG] = EVENT_F_ACCESS,      [FAULT_PERMISSION] = EVENT_F_PERMISSION,
        [FAULT_EXTERNAL_WALK] = EVENT_F_WALK_EABT, [FAULT_ATOMIC_UPDATE] = EVENT_F_WALK_EABT
    };
    (void)m;
    event(look, (enum smmu_event)events[f->kind]);
    look->out.ok = false;
    look->out.fault = *f;
    look->s2 = f->stage2;
    look->class = f->stage2 && f->s1ptw ? CLASS_TT : (u8) class;
    look->ipa = f->ipa;
    if (look->event == EVENT_F_WALK_EABT) {
        look->fetch_at = descriptor_pa(r, f);
        if (!f->stage2)
            look->class = CLASS_TT;
    }
}
