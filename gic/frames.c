/*
 * The register frames of distributor and redistributors (GIC 12.8 to 12.11), driven by the rows of gicd.def and
 * gicr.def, and of the distributor of version 2 (GICv2 4.3): gicd2.def. SPIs are reached through the distributor, SGIs
 * and PPIs through the redistributor of their PE, or the distributor of version 2, by the same functions. With two
 * security states a Non-secure access sees interrupts of Non-secure group 1 only, and of the others what NSACR gives
 * it, and priorities in the Non-secure half (GIC 4.8). Left out: GICD_STATUSR (optional).
 */
#include "gic/internal.h"

/* One element of a register, being accessed. */
struct access {
    struct gic *gic;
    struct gic_bank *bank; /* of the INTID, for rows that have bits per INTID */
    unsigned intid, n;     /* first INTID of the element, and its place in the bank */
    unsigned cpu;          /* redistributor */
    unsigned element;
    bool ns; /* Non-secure access, and there are two security states */
};

enum { S1 = 1, S2 = 2, S4 = 4, S8 = 8 };

struct gic_reg {
    const char *name;
    u32 offset, length;
    u8 unit, sizes, bits;
    u32 first; /* INTID of the first element. In a redistributor the extended PPIs follow the others */
    u64 (*get)(const struct access *a);
    void (*set)(const struct access *a, u64 value);
};

/* ---- Views ---- */

/* Interrupts of the bank that this access may touch: all, or those of group 1NS and those whose NS_access is >= level
 * (1..3; 0: none of the Secure ones). NS_access of SGIs is about generating them, not about these registers. */
static u32 visible(const struct access *a, unsigned level)
{
    if (!a->ns)
        return ~(u32)0;
    u32 mask = a->bank->group;
    if (level && a->bank->nsacr && !gic_is_private(a->gic, a->intid))
        for (unsigned n = 0; n < GIC_BANK; n++)
            if (bits(a->bank->nsacr, 2 * n + 1, 2 * n) >= level)
                mask |= (u32)BIT(n);
    return mask;
}

static void ignore_set(const struct access *a, u64 value) { (void)a, (void)value; }

/* ---- State of interrupts, 32 at a time ---- */

static u64 enable_get(const struct access *a) { return a->bank->enable & visible(a, 0); }
static void isenable_set(const struct access *a, u64 v) { a->bank->enable |= (u32)v & visible(a, 0); }
static void icenable_set(const struct access *a, u64 v)
{
    a->bank->enable &= ~((u32)v & visible(a, 0) & ~gic2_sgis(a->gic, a->intid));
}

static u64 ispend_get(const struct access *a) { return bank_pending(a->bank) & visible(a, 1); }
static u64 icpend_get(const struct access *a) { return bank_pending(a->bank) & visible(a, 2); }
static void ispend_set(const struct access *a, u64 v)
{
    a->bank->latch |= (u32)v & visible(a, 1) & ~gic2_sgis(a->gic, a->intid);
}
static void icpend_set(const struct access *a, u64 v)
{
    a->bank->latch &= ~((u32)v & visible(a, 2) & ~gic2_sgis(a->gic, a->intid));
}

static u64 active_get(const struct access *a) { return a->bank->active & visible(a, 2); }
static void isactive_set(const struct access *a, u64 v) { a->bank->active |= (u32)v & visible(a, 0); }
static void icactive_set(const struct access *a, u64 v) { a->bank->active &= ~((u32)v & visible(a, 0)); }

static u64 group_get(const struct access *a) { return a->ns ? 0 : a->bank->group; }
static void group_set(const struct access *a, u64 v)
{
    if (!a->ns)
        a->bank->group = (u32)v;
}

/* GRPMODR, NSACR, SETSPI_SR and CLRSPI_SR exist for two security states only. */
static bool secure_only(const struct access *a) { return a->ns || gic_ds(a->gic); }

static u64 grpmod_get(const struct access *a) { return secure_only(a) ? 0 : a->bank->grpmod; }
static void grpmod_set(const struct access *a, u64 v)
{
    if (!secure_only(a))
        a->bank->grpmod = (u32)v;
}

/* Non-maskable interrupts are of group 1; only with FEAT_GICv3_NMI. */
static u32 nmi_mask(const struct access *a)
{
    u32 group1 = a->bank->group | (gic_ds(a->gic) ? 0 : a->bank->grpmod);
    return a->gic->has_nmi ? group1 & visible(a, 0) : 0;
}
static u64 nmi_get(const struct access *a) { return a->bank->nmi & nmi_mask(a); }
static void nmi_set(const struct access *a, u64 v)
{
    a->bank->nmi = (a->bank->nmi & ~nmi_mask(a)) | ((u32)v & nmi_mask(a));
}

/* Two bits an INTID, 16 of them. */
static u64 nsacr_get(const struct access *a) { return secure_only(a) ? 0 : a->bank->nsacr >> 2 * a->n & ones(32); }
static void nsacr_set(const struct access *a, u64 v)
{
    if (!secure_only(a))
        a->bank->nsacr = bits_set(a->bank->nsacr, 2 * a->n + 31, 2 * a->n, v);
}

/* ICFGR: the upper of two bits says edge; SGIs are always. */
static u64 config_get(const struct access *a)
{
    u64 v = 0;
    u32 edge = a->bank->edge & visible(a, 0);
    for (unsigned n = 0; n < 16; n++)
        v |= (u64)bit(edge, a->n + n) << (2 * n + 1);
    return v;
}

static void config_set(const struct access *a, u64 v)
{
    u32 mask = visible(a, 0) & 0xffffu << a->n, edge = 0;
    if (a->intid < 16)
        return;
    for (unsigned n = 0; n < 16; n++)
        edge |= (u32)bit(v, 2 * n + 1) << (a->n + n);
    a->bank->edge = (a->bank->edge & ~mask) | (edge & mask);
}

static u64 priority_get(const struct access *a)
{
    u32 priority = a->bank->priority[a->n];
    if (!a->ns)
        return priority;
    return bit(a->bank->group, a->n) ? priority << 1 & 0xff : 0;
}

static void priority_set(const struct access *a, u64 v)
{
    if (a->ns && !bit(a->bank->group, a->n))
        return;
    a->bank->priority[a->n] = (u8)((a->ns ? (v & 0xff) >> 1 | 0x80 : v) & GIC_PRIO_MASK);
}

/* <39:32> Aff3 <31> Interrupt_Routing_Mode <23:0> Aff2.Aff1.Aff0, which stay while IRM is 1 */
static u64 router_get(const struct access *a) { return bit(visible(a, 3), a->n) ? *gic_router(a->gic, a->intid) : 0; }

static void router_set(const struct access *a, u64 v)
{
    if (!bit(visible(a, 3), a->n))
        return;
    *gic_router(a->gic, a->intid) = v & (0xff00ffffffull | ROUTER_IRM);
    gic_route(a->gic, a->intid);
}

/* ---- The distributor itself ---- */

/* RWP is always 0: writes are done when they return. */
static u64 ctlr_get(const struct access *a)
{
    u32 ctlr = a->gic->ctlr;
    if (a->ns)
        return (ctlr & CTLR_GRP1NS) | CTLR_ARE_S; /* EnableGrp1A <1>, ARE_NS <4> */
    return gic_ds(a->gic) ? ctlr | CTLR_ARE_S : ctlr | CTLR_ARE_S | CTLR_ARE_NS;
}

/* DS can be set by Secure software, and then stays: group 1S is no more. */
static void ctlr_set(const struct access *a, u64 v)
{
    u32 *ctlr = &a->gic->ctlr;
    u32 mask = a->ns            ? CTLR_GRP1NS
               : gic_ds(a->gic) ? CTLR_GRP0 | CTLR_GRP1NS
                                : CTLR_GRP0 | CTLR_GRP1NS | CTLR_GRP1S | CTLR_DS;
    *ctlr = (*ctlr & ~mask) | ((u32)v & mask);
    if (gic_ds(a->gic))
        *ctlr &= ~(u32)CTLR_GRP1S;
    gic_refresh_all(a->gic);
}

static bool has_lpis(const struct access *a) { return a->gic->parts & GIC_LPIS; }
static bool has_vlpis(const struct access *a) { return a->gic->parts & GIC_VLPIS; }
static bool has_ranges(const struct access *a) { return a->gic->parts & GIC_RANGES; }

/* <4:0> ITLinesNumber <8> ESPI <9> NMI <10> SecurityExtn <16> MBIS <17> LPIS <18> DVIS <23:19> IDbits - 1 <24> A3V <25>
 * No1N: 0 <31:27> ESPI_range: banks - 1 */
static u64 typer_get(const struct access *a)
{
    u64 ranges = has_ranges(a) ? 1 << 8 | (u64)(GIC_ESPI_BANKS - 1) << 27 : 0;
    return ranges | GIC_SPI_BANKS | (u64)a->gic->has_nmi << 9 | (u64)!gic_ds(a->gic) << 10 | 1 << 16 |
           (has_lpis(a) ? 1 << 17 : 0) | (has_vlpis(a) ? 1 << 18 : 0) | (GIC_ID_BITS - 1) << 19 | 1 << 24;
}

/* ---- Message-based SPIs ---- */

static u64 write_only(const struct access *a)
{
    (void)a;
    return 0;
}

/* <12:0> INTID. NS_access of the SPI lets Non-secure messages set it from 1 on, clear it from 2 on, as ISPENDR and
 * ICPENDR. */
static void message(const struct access *a, u64 v, bool set)
{
    struct access spi = *a;
    spi.intid = (unsigned)bits(v, 12, 0);
    if (!gic_is_spi(a->gic, spi.intid)) {
        a->gic->d.no_such_spi = true;
        return;
    }
    spi.n = spi.intid % GIC_BANK;
    spi.bank = gic_bank(a->gic, 0, spi.intid);
    if (bit(visible(&spi, set ? 1 : 2), spi.n))
        gic_message(a->gic, spi.intid, set);
}

static void setspi_nsr_set(const struct access *a, u64 v) { message(a, v, true); }
static void clrspi_nsr_set(const struct access *a, u64 v) { message(a, v, false); }
static void setspi_sr_set(const struct access *a, u64 v)
{
    if (!secure_only(a))
        message(a, v, true);
}
static void clrspi_sr_set(const struct access *a, u64 v)
{
    if (!secure_only(a))
        message(a, v, false);
}

/* Implementer Arm, product 0, revision 0: as QEMU's GICv3 names itself. */
static u64 iidr_get(const struct access *a)
{
    (void)a;
    return 0x43b;
}

/* ---- The distributor of version 2 (GICv2 4.3) ---- */

/* EnableGrp0 <0> EnableGrp1 <1>; Non-secure: EnableGrp1 <0> */
static u64 ctlr2_get(const struct access *a)
{
    u32 ctlr = a->gic->ctlr & (CTLR_GRP0 | CTLR_GRP1NS);
    return a->ns ? ctlr >> 1 : ctlr;
}
static void ctlr2_set(const struct access *a, u64 v)
{
    u32 mask = a->ns ? CTLR_GRP1NS : CTLR_GRP0 | CTLR_GRP1NS;
    a->gic->ctlr = (a->gic->ctlr & ~mask) | ((u32)(a->ns ? v << 1 : v) & mask);
    gic_refresh_all(a->gic);
}

/* <4:0> ITLinesNumber <7:5> CPUNumber <10> SecurityExtn <15:11> LSPI: no lockable SPIs */
static u64 typer2_get(const struct access *a)
{
    return GIC_SPI_BANKS | (u64)(a->gic->cpu_count - 1) << 5 | (u64)!gic_ds(a->gic) << 10;
}

/* A bit each PE; of SGIs and PPIs the accessing one. RAZ/WI with one PE. */
static u64 target_get(const struct access *a)
{
    if (a->gic->cpu_count == 1 || !bit(visible(a, a->intid < GIC_BANK ? 0 : 3), a->n))
        return 0;
    return a->intid < GIC_BANK ? BIT(a->cpu) : a->gic->v2.target[a->intid - GIC_BANK];
}
static void target_set(const struct access *a, u64 v)
{
    if (a->gic->cpu_count == 1 || a->intid < GIC_BANK || !bit(visible(a, 3), a->n))
        return;
    a->gic->v2.target[a->intid - GIC_BANK] = (u8)(v & ones(a->gic->cpu_count));
    gic_route(a->gic, a->intid);
}

static void senders_set(const struct access *a, unsigned cpu, unsigned intid, u32 senders)
{
    struct gic_bank *b = &a->gic->ppi[cpu];
    u32 mask = (u32)BIT(intid);
    a->gic->v2.source[cpu][intid] = (u8)(senders & ones(a->gic->cpu_count));
    b->latch = a->gic->v2.source[cpu][intid] ? b->latch | mask : b->latch & ~mask;
}

/* The SGI of one register that a PE may send to another (GICv2 4.3.15, table 4-22): Secure software chooses the group
 * by NSATT, Non-secure software sends group 1, and group 0 where the target's GICD_NSACR says so. */
static bool sgi_allowed(const struct access *a, unsigned cpu, unsigned intid, bool nsatt)
{
    const struct gic_bank *b = &a->gic->ppi[cpu];
    bool group1 = bit(b->group, intid);
    if (gic_ds(a->gic))
        return true;
    return a->ns ? group1 || bits(b->nsacr, 2 * intid + 1, 2 * intid) : nsatt == group1;
}

/* <25:24> TargetListFilter: the list, all but this PE, this PE; the reserved one: nobody. <23:16> CPUTargetList <15>
 * NSATT <3:0> INTID */
static void sgir_set(const struct access *a, u64 v)
{
    u32 self = (u32)BIT(a->cpu), sets[] = { (u32)bits(v, 23, 16), ~self, self, 0 }, set = sets[bits(v, 25, 24)];
    unsigned intid = (unsigned)bits(v, 3, 0);
    for (unsigned n = 0; n < a->gic->cpu_count; n++)
        if (bit(set, n) && sgi_allowed(a, n, intid, bit(v, 15))) {
            senders_set(a, n, intid, a->gic->v2.source[n][intid] | self);
            gic_refresh(a->gic, n);
        }
}

/* GICD_SPENDSGIR, GICD_CPENDSGIR: a byte an SGI of this PE, a bit each sender */
static u64 sgi_source_get(const struct access *a)
{
    return bit(visible(a, 0), a->n) ? a->gic->v2.source[a->cpu][a->intid] : 0;
}
static void spendsgi_set(const struct access *a, u64 v)
{
    if (bit(visible(a, 0), a->n))
        senders_set(a, a->cpu, a->intid, a->gic->v2.source[a->cpu][a->intid] | (u32)v);
}
static void cpendsgi_set(const struct access *a, u64 v)
{
    if (bit(visible(a, 0), a->n))
        senders_set(a, a->cpu, a->intid, a->gic->v2.source[a->cpu][a->intid] & ~(u32)v);
}

/* ICPIDR4..7, 0..3, ICCIDR0..3: part 0x490, ICPIDR2<7:4> = 2: GICv2 */
static u64 dist2_id_get(const struct access *a)
{
    static const u8 id[12] = { 0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
    return id[a->element];
}

/* ---- Identification of versions 3 and 4 ---- */

u8 gic_id(const struct gic *gic, unsigned n, u8 part)
{
    static const u8 id[12] = { 0x44, 0, 0, 0, 0, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
    if (n == 6 && gic->parts & GIC_VLPIS)
        return 0x4b;
    return n == 4 ? part : id[n];
}

static u64 dist_id_get(const struct access *a) { return gic_id(a->gic, a->element, 0x92); }
static u64 redist_id_get(const struct access *a) { return gic_id(a->gic, a->element, 0x93); }

/* ---- A redistributor itself ---- */

/* <63:32> affinity <25:24> CommonLPIAff <23:8> number <31:27> PPInum <5> DPGS <4> Last: of those that follow each other
 * <1> VLPIS <0> PLPIS */
static u64 redist_typer_get(const struct access *a)
{
    bool last = a->cpu == a->gic->cpu_count - 1 || a->cpu == gic_redists_low(a->gic->parts) - 1;
    return (u64)affinity_of(a->cpu) << 32 | 1 << 24 | (u64)a->cpu << 8 | 1 << 5 | (u64)last << 4 |
           (has_ranges(a) ? (u64)GIC_EPPI_BANKS << 27 : 0) | (u64)has_vlpis(a) << 1 | has_lpis(a);
}

/* DPG1NS is both states', the others the Secure one's; DPG1S is there for two only. RWP and UWP are always 0. */
static u32 redist_ctlr_mask(const struct access *a)
{
    u32 dpg = a->ns ? DPG_1NS : gic_ds(a->gic) ? DPG_0 | DPG_1NS : DPG_0 | DPG_1NS | DPG_1S;
    return dpg | (has_lpis(a) ? ENABLE_LPIS : 0);
}
static u64 redist_ctlr_get(const struct access *a)
{
    return (a->gic->redist[a->cpu].ctlr & redist_ctlr_mask(a)) | (has_lpis(a) ? CTLR_CES | CTLR_IR : 0);
}
static void redist_ctlr_set(const struct access *a, u64 v)
{
    u32 *ctlr = &a->gic->redist[a->cpu].ctlr, mask = redist_ctlr_mask(a), was = *ctlr;
    *ctlr = (*ctlr & ~mask) | ((u32)v & mask);
    if ((*ctlr ^ was) & ENABLE_LPIS)
        gic_lpis_enabled(a->gic, a->cpu);
    gic_participation(a->gic, a->cpu);
}

/* ---- LPIs (GIC 12.11): where the tables are can be said while LPIs are disabled ---- */

/* PROPBASER <58:56> OuterCache <51:12> address <11:10> Shareability <9:7> InnerCache <4:0> IDbits - 1
 * PENDBASER <62> PTZ (write-only) <58:56> OuterCache <51:16> address <11:10> Shareability <9:7> InnerCache */
#define CACHEABILITY   (ones(3) << 56 | ones(5) << 7)
#define PROPBASER_MASK (CACHEABILITY | ones(40) << 12 | ones(5))
#define PENDBASER_MASK (CACHEABILITY | ones(36) << 16)

static void base_set(const struct access *a, u64 *base, u64 v)
{
    if (has_lpis(a) && !gic_lpis_on(a->gic, a->cpu))
        *base = v;
}
static u64 propbaser_get(const struct access *a) { return a->gic->redist[a->cpu].lpi.propbaser; }
static void propbaser_set(const struct access *a, u64 v)
{
    base_set(a, &a->gic->redist[a->cpu].lpi.propbaser, v & PROPBASER_MASK);
}
static u64 pendbaser_get(const struct access *a) { return a->gic->redist[a->cpu].lpi.pendbaser & ~PENDBASER_PTZ; }
static void pendbaser_set(const struct access *a, u64 v)
{
    base_set(a, &a->gic->redist[a->cpu].lpi.pendbaser, v & (PENDBASER_MASK | PENDBASER_PTZ));
}

/* ---- virtual LPIs (GIC 12.11): a vPE is resident while its pending table is named and valid ---- */

/* VPROPBASER as PROPBASER; VPENDBASER <63> Valid <62> IDAI <61> PendingLast <60> Dirty: 0, others as PENDBASER */
#define VPENDBASER_MASK (VPENDBASER_VALID | BIT(62) | VPENDBASER_LAST | PENDBASER_MASK)

static u64 vpropbaser_get(const struct access *a) { return a->gic->vlpi[a->cpu].propbaser; }
static void vpropbaser_set(const struct access *a, u64 v)
{
    struct gic_lpis *l = &a->gic->vlpi[a->cpu];
    if (!(l->pendbaser & VPENDBASER_VALID))
        l->propbaser = v & PROPBASER_MASK;
}
static u64 vpendbaser_get(const struct access *a) { return a->gic->vlpi[a->cpu].pendbaser; }

/* Of a resident vPE nothing can be changed but that it is no longer. PendingLast is set while one is resident, then
 * says what it left. */
static void vpendbaser_set(const struct access *a, u64 v)
{
    struct gic_lpis *l = &a->gic->vlpi[a->cpu];
    bool was = l->pendbaser & VPENDBASER_VALID, is = v & VPENDBASER_VALID;
    if (was && is)
        return;
    if (was)
        v = l->priority == PRIO_NONE ? l->pendbaser & ~VPENDBASER_LAST : l->pendbaser;
    l->pendbaser = is ? (v & VPENDBASER_MASK) | VPENDBASER_LAST : v & VPENDBASER_MASK & ~VPENDBASER_VALID;
    if (was != is)
        gic_vpe_scheduled(a->gic, a->cpu);
}

/* What is kept of configurations is read again. There is nothing to wait for: GICR_SYNCR is 0. */
static void invlpir_set(const struct access *a, u64 v)
{
    gic_lpi_reload(a->gic, a->cpu, (u32)v);
    gic_lpis_settle(a->gic);
}
static void invallr_set(const struct access *a, u64 v)
{
    (void)v;
    gic_lpis_reload(a->gic, a->cpu);
    gic_lpis_settle(a->gic);
}

static u64 waker_get(const struct access *a) { return a->ns ? 0 : a->gic->cpu[a->cpu].waker; }

/* The interface is quiescent as soon as it is asked to be. */
static void waker_set(const struct access *a, u64 v)
{
    if (a->ns)
        return;
    a->gic->cpu[a->cpu].waker = v & WAKER_SLEEP ? WAKER_SLEEP | WAKER_ASLEEP : 0;
    gic_participation(a->gic, a->cpu);
    gic_refresh_virtual(a->gic, a->cpu);
}

/* ---- Access ---- */

#define REG(name, offset, length, unit, sizes, bits, get, set) { #name, offset, length, unit, sizes, bits, 0, get, set },
#define REG_E(name, offset, length, unit, sizes, bits, get, set)                                                        \
    { #name, offset, length, unit, sizes, bits, GIC_ESPI_FIRST, get, set },
static const struct gic_reg dist_regs[] = {
#define GIC_REG   REG
#define GIC_REG_E REG_E
#include "gic/gicd.def"
};
static const struct gic_reg dist2_regs[] = {
#define GIC_REG REG
#include "gic/gicd2.def"
};
static const struct gic_reg redist_regs[] = {
#define GIC_REG REG
#include "gic/gicr.def"
};

static const struct gic_reg *find(struct gic *gic, const struct gic_reg *regs, unsigned count, u32 offset,
                                  unsigned size)
{
    for (unsigned n = 0; n < count; n++)
        if (offset - regs[n].offset < regs[n].length) {
            gic->d.no_such_size = !(regs[n].sizes & size);
            return regs[n].sizes & size ? &regs[n] : NULL;
        }
    return NULL;
}

/* Which INTIDs a frame has: a PE's own, SPIs. */
struct reach {
    bool own, spis;
};
static const struct reach of_dist = { .spis = true }, of_redist = { .own = true }, of_dist2 = { true, true };

/* Makes *a point at element number `element` of the row. False: its INTIDs are not here. */
static bool point(struct access *a, const struct gic_reg *reg, unsigned element, struct reach reach)
{
    a->element = element;
    if (!reg->bits)
        return true;
    a->intid = reg->first + element * reg->unit * 8 / reg->bits;
    if (!reach.spis && a->intid >= GIC_BANK)
        a->intid += GIC_EPPI_FIRST - GIC_BANK;
    if (!(reach.own && gic_is_private(a->gic, a->intid)) && !(reach.spis && gic_is_spi(a->gic, a->intid)))
        return false;
    a->n = a->intid % GIC_BANK;
    a->bank = gic_bank(a->gic, a->cpu, a->intid);
    return true;
}

static u64 reg_read(struct access *a, const struct gic_reg *reg, u32 offset, unsigned size, struct reach reach)
{
    u32 at = offset - reg->offset;
    u64 value = 0;
    if (size < reg->unit) /* half of a 64-bit register */
        return point(a, reg, at / reg->unit, reach) ? reg->get(a) >> at % reg->unit * 8 & ones(size * 8) : 0;
    for (unsigned n = 0; n < size; n += reg->unit)
        if (point(a, reg, (at + n) / reg->unit, reach))
            value |= reg->get(a) << n * 8;
    return value;
}

static void reg_write(struct access *a, const struct gic_reg *reg, u32 offset, unsigned size, u64 value,
                      struct reach reach)
{
    u32 at = offset - reg->offset;
    if (size < reg->unit) {
        unsigned lsb = at % reg->unit * 8;
        if (point(a, reg, at / reg->unit, reach))
            reg->set(a, bits_set(reg->get(a), lsb + size * 8 - 1, lsb, value));
    } else {
        for (unsigned n = 0; n < size; n += reg->unit)
            if (point(a, reg, (at + n) / reg->unit, reach))
                reg->set(a, value >> n * 8 & ones(reg->unit * 8));
    }
    if (reg->first)
        gic_count_banks(a->gic);
    if (reg->bits && gic_is_private(a->gic, a->intid))
        gic_refresh(a->gic, a->cpu);
    else if (reg->bits && gic_is_spi(a->gic, a->intid))
        gic_refresh_bank(a->gic, gic_spi_bank(a->intid));
}

static struct access access_by(struct gic *gic, unsigned cpu, struct phys_attrs attrs)
{
    return (struct access){ .gic = gic, .cpu = cpu, .ns = attrs.ns && !gic_ds(gic) };
}

bool gic_dist_read(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value)
{
    if (offset >= GIC_DIST_SIZE)
        return false;
    struct access a = access_by(gic, 0, attrs);
    const struct gic_reg *reg = find(gic, dist_regs, ARRAY_LEN(dist_regs), (u32)offset, size);
    *value = reg ? reg_read(&a, reg, (u32)offset, size, of_dist) : 0;
    return true;
}

bool gic_dist_write(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 value)
{
    if (offset >= GIC_DIST_SIZE)
        return false;
    struct access a = access_by(gic, 0, attrs);
    const struct gic_reg *reg = find(gic, dist_regs, ARRAY_LEN(dist_regs), (u32)offset, size);
    if (reg)
        reg_write(&a, reg, (u32)offset, size, value, of_dist);
    return true;
}

bool gic_redist_read(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value)
{
    u64 cpu = offset / gic_redist_size(gic->parts);
    u32 at = (u32)(offset % gic_redist_size(gic->parts));
    if (cpu >= gic->cpu_count)
        return false;
    struct access a = access_by(gic, (unsigned)cpu, attrs);
    const struct gic_reg *reg = find(gic, redist_regs, ARRAY_LEN(redist_regs), at, size);
    *value = reg ? reg_read(&a, reg, at, size, of_redist) : 0;
    return true;
}

bool gic_redist_write(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 value)
{
    u64 cpu = offset / gic_redist_size(gic->parts);
    u32 at = (u32)(offset % gic_redist_size(gic->parts));
    if (cpu >= gic->cpu_count)
        return false;
    struct access a = access_by(gic, (unsigned)cpu, attrs);
    const struct gic_reg *reg = find(gic, redist_regs, ARRAY_LEN(redist_regs), at, size);
    if (reg)
        reg_write(&a, reg, at, size, value, of_redist);
    return true;
}

bool gic2_dist_read(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value)
{
    if (attrs.cpu >= gic->cpu_count)
        return false;
    struct access a = access_by(gic, attrs.cpu, attrs);
    const struct gic_reg *reg = find(gic, dist2_regs, ARRAY_LEN(dist2_regs), (u32)offset, size);
    *value = reg ? reg_read(&a, reg, (u32)offset, size, of_dist2) : 0;
    return true;
}

bool gic2_dist_write(struct gic *gic, u64 offset, unsigned size, struct phys_attrs attrs, u64 value)
{
    if (attrs.cpu >= gic->cpu_count)
        return false;
    struct access a = access_by(gic, attrs.cpu, attrs);
    const struct gic_reg *reg = find(gic, dist2_regs, ARRAY_LEN(dist2_regs), (u32)offset, size);
    if (reg)
        reg_write(&a, reg, (u32)offset, size, value, of_dist2);
    return true;
}
