/*
 * The ITS: its registers (rows of gits.def), the queue of commands, messages (GIC 5.2, 12.18, 12.19). Commands are
 * carried out as soon as GITS_CWRITER or GITS_CTLR is written, one that cannot be obeyed is left out, and only a queue
 * that cannot be read stalls. Left out: SEIs, GITS_STATUSR and GITS_UMSIR (optional), MPAM.
 */
#include "gic/its_internal.h"

enum { S4 = 4, S8 = 8 };

struct reg {
    const char *name;
    u32 offset, length;
    u8 unit, sizes;
    u64 (*get)(const struct its_work *w, unsigned n);
    bool (*set)(const struct its_work *w, unsigned n, u64 value);
};

/* ---- the queue ---- */

#define OFFSET (ones(15) << 5) /* of a command in the ring: GITS_CWRITER, GITS_CREADR */

static u64 queue_base(const struct its *its) { return its->cbaser & ones(40) << 12; }
static u64 queue_size(const struct its *its) { return (bits(its->cbaser, 7, 0) + 1) * 4096; }

/* GITS_CWRITER beyond the ring: nothing is carried out until it is written again. The ring may lie in the tables that
 * its commands write; each command is one step further, so it ends. */
static bool queue_run(const struct its_work *w)
{
    struct its *its = w->its;
    u64 command[4], size = queue_size(its);
    bool obeyed = true;
    if (!(its->ctlr & GITS_ENABLED) || !(its->cbaser & ITS_VALID) || its->cwriter >= size || its->creadr >= size)
        return true;
    while (its->creadr != its->cwriter && !(its->creadr & GITS_STALLED)) {
        if (gic_memory(w->gic, queue_base(its) + its->creadr, command, ITS_COMMAND_SIZE, false)) {
            obeyed &= its_command(*w, command);
            its->creadr = (its->creadr + ITS_COMMAND_SIZE) % size;
        } else {
            its->creadr |= GITS_STALLED;
            obeyed = false;
        }
    }
    gic_lpis_settle(w->gic);
    return obeyed;
}

/* ---- registers ---- */

static bool ignore_set(const struct its_work *w, unsigned n, u64 v)
{
    (void)w, (void)n, (void)v;
    return true;
}

/* <31> Quiescent: while it is disabled there is nothing left to be done. */
static u64 ctlr_get(const struct its_work *w, unsigned n)
{
    (void)n;
    return w->its->ctlr | (w->its->ctlr & GITS_ENABLED ? 0 : BIT(31));
}
static bool ctlr_set(const struct its_work *w, unsigned n, u64 v)
{
    (void)n;
    w->its->ctlr = (u32)v & GITS_ENABLED;
    return queue_run(w);
}

/* As GICD_IIDR. */
static u64 iidr_get(const struct its_work *w, unsigned n)
{
    (void)w, (void)n;
    return 0x43b;
}

/* <0> Physical <1> Virtual <37> VMOVP: one command serves all ITSs <7:4> ITT_entry_size - 1 <12:8> ID_bits - 1 <17:13>
 * Devbits - 1 <35:32> CIDbits - 1 <36> CIL */
static u64 typer_get(const struct its_work *w, unsigned n)
{
    (void)n;
    u64 virtual = w->gic->parts & GIC_VLPIS ? BIT(1) | BIT(37) : 0;
    return virtual | 1 | (ITS_ITT_ENTRY - 1) << 4 | (ITS_ID_BITS - 1) << 8 | (ITS_ID_BITS - 1) << 13 |
           (u64)(ITS_ID_BITS - 1) << 32 | BIT(36);
}

/* Registers that say where memory is stay while the ITS is enabled. */
static bool enabled(const struct its_work *w) { return w->its->ctlr & GITS_ENABLED; }

/* <63> Valid <61:59> InnerCache <55:53> OuterCache <51:12> address <11:10> Shareability <7:0> pages - 1 */
#define CBASER_MASK (ITS_VALID | ones(3) << 59 | ones(3) << 53 | ones(40) << 12 | ones(2) << 10 | ones(8))
static u64 cbaser_get(const struct its_work *w, unsigned n)
{
    (void)n;
    return w->its->cbaser;
}
static bool cbaser_set(const struct its_work *w, unsigned n, u64 v)
{
    (void)n;
    if (enabled(w))
        return true;
    w->its->cbaser = v & CBASER_MASK;
    w->its->creadr = 0;
    return true;
}

static u64 cwriter_get(const struct its_work *w, unsigned n)
{
    (void)n;
    return w->its->cwriter;
}
static bool cwriter_set(const struct its_work *w, unsigned n, u64 v)
{
    (void)n;
    w->its->cwriter = v & OFFSET;
    if (v & GITS_RETRY)
        w->its->creadr &= ~(u64)GITS_STALLED;
    return queue_run(w);
}
static u64 creadr_get(const struct its_work *w, unsigned n)
{
    (void)n;
    return w->its->creadr;
}

/* <63> Valid <62> Indirect <61:59> InnerCache <58:56> Type <55:53> OuterCache <52:48> Entry_Size - 1 <47:12> address
 * <11:10> Shareability <9:8> Page_Size <7:0> pages - 1. Those without a table are RES0. */
enum { BASER_PAGES_64K = 2 << 8 };
static unsigned tables_of(const struct gic *gic) { return gic->parts & GIC_VLPIS ? TABLES : TABLE_VPES; }
#define BASER_MASK (~(ones(3) << 56 | ones(5) << 48))
static u64 baser_fixed(const struct its_work *w, unsigned n)
{
    static const u8 type[TABLES] = { [TABLE_DEVICES] = 1, [TABLE_COLLECTIONS] = 4, [TABLE_VPES] = 2 };
    return n < tables_of(w->gic) ? (u64)type[n] << 56 | (u64)(ITS_ENTRY - 1) << 48 : 0;
}
static u64 baser_get(const struct its_work *w, unsigned n) { return w->its->baser[n] | baser_fixed(w, n); }
static bool baser_set(const struct its_work *w, unsigned n, u64 v)
{
    if (!enabled(w) && baser_fixed(w, n))
        w->its->baser[n] = v & BASER_MASK;
    return true;
}

static u64 id_get(const struct its_work *w, unsigned n) { return gic_id(w->gic, n, 0x94); }

static const struct reg regs[] = {
#define GITS_REG(name, offset, length, unit, sizes, get, set) { #name, offset, length, unit, sizes, get, set },
#include "gic/gits.def"
};

static const struct reg *find(u64 offset, unsigned size)
{
    for (unsigned n = 0; n < ARRAY_LEN(regs); n++)
        if (offset - regs[n].offset < regs[n].length)
            return regs[n].sizes & size ? &regs[n] : NULL;
    return NULL;
}

u64 its_read(struct its *its, struct gic *gic, u64 offset, unsigned size)
{
    const struct reg *reg = find(offset, size);
    struct its_work w = { its, gic };
    if (!reg)
        return 0;
    u64 at = offset - reg->offset;
    return reg->get(&w, (unsigned)(at / reg->unit)) >> at % reg->unit * 8 & ones(size * 8);
}

bool its_write(struct its *its, struct gic *gic, u64 offset, unsigned size, u64 value)
{
    const struct reg *reg = find(offset, size);
    struct its_work w = { its, gic };
    if (!reg)
        return true;
    u64 at = offset - reg->offset;
    unsigned n = (unsigned)(at / reg->unit), lsb = at % reg->unit * 8;
    return reg->set(&w, n, size == reg->unit ? value : bits_set(reg->get(&w, n), lsb + size * 8 - 1, lsb, value));
}

/* ---- messages ---- */

bool its_pend(struct its_work w, const struct its_map *map, bool pending)
{
    struct gic_vpe vpe;
    u32 cpu;
    if (!map->is_virtual) {
        if (!its_collection_read(w, map->target, &cpu))
            return false;
        gic_lpi_set(w.gic, cpu, map->intid, pending);
        return true;
    }
    if (!its_vpe_read(w, map->target, &vpe) || !gic_vlpi_set(w.gic, &vpe, map->intid, pending))
        return false;
    if (pending && !gic_vpe_here(w.gic, &vpe))
        gic_lpi_set(w.gic, vpe.cpu, map->doorbell, true);
    return true;
}

bool its_message(struct its *its, struct gic *gic, u32 device, u32 event)
{
    struct its_work w = { its, gic };
    struct its_device d;
    struct its_map map;
    if (!enabled(&w) || !its_device_read(w, device, &d) || !its_map_read(w, &d, event, &map) ||
        !its_pend(w, &map, true))
        return false;
    gic_lpis_settle(gic);
    return true;
}

/* ---- for those who look in ---- */

u32 its_events(struct its *its, struct gic *gic, u32 device, u64 *itt)
{
    struct its_device d;
    if (!its_device_read((struct its_work){ its, gic }, device, &d))
        return 0;
    *itt = d.itt;
    return d.events;
}

bool its_event(struct its *its, struct gic *gic, u32 device, u32 event, struct its_event *e)
{
    struct its_work w = { its, gic };
    struct its_device d;
    struct its_map map;
    if (!its_device_read(w, device, &d) || !its_map_read(w, &d, event, &map))
        return false;
    *e = (struct its_event){ map.is_virtual, map.intid, gic->cpu_count, map.target, map.doorbell };
    struct gic_vpe vpe;
    u32 cpu;
    if (map.is_virtual ? its_vpe_read(w, map.target, &vpe) : its_collection_read(w, map.target, &cpu))
        e->cpu = map.is_virtual ? vpe.cpu : cpu;
    return true;
}

bool its_vpe(struct its *its, struct gic *gic, u32 number, struct gic_vpe *vpe)
{
    return its_vpe_read((struct its_work){ its, gic }, number, vpe);
}

void its_reset(struct its *its, const struct gic *gic)
{
    memset(its, 0, sizeof(*its));
    for (unsigned n = 0; n < tables_of(gic); n++)
        its->baser[n] = BASER_PAGES_64K;
}

bool its_validate(const struct its *its)
{
    return !(its->ctlr & ~(u32)GITS_ENABLED) && !(its->cwriter & ~OFFSET) && !(its->creadr & ~(OFFSET | GITS_STALLED));
}
