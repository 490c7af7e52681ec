/*
 * The commands of the ITS (GIC 5.3), each "read, check, commit". One that cannot be obeyed (no such device, event,
 * interrupt, collection or vPE, a number out of range) is left out, which the architecture allows. All are done when
 * the next one begins, so SYNC has nothing to wait for.
 */
#include "gic/its_internal.h"

/* ---- fields: DW<n><hi:lo> of the command ---- */
static u32 device_of(const u64 *c) { return (u32)(c[0] >> 32); }
static u32 event_of(const u64 *c) { return (u32)c[1]; }
static u32 intid_of(const u64 *c) { return (u32)(c[1] >> 32); }
static u32 collection_of(const u64 *c) { return (u32)bits(c[2], 15, 0); }
/* RDbase: GITS_TYPER.PTA is 0, the number of a PE (GICR_TYPER.Processor_Number). */
static u64 cpu_of(u64 dw) { return bits(dw, 50, 16); }
/* Of virtual ones: the vPE, the doorbell, which can be none. */
static u32 vpe_of(const u64 *c) { return (u32)bits(c[1], 47, 32); }
static u32 doorbell_of(const u64 *c) { return (u32)(c[2] >> 32); }
static bool can_be_lpi(u32 intid) { return gic_is_lpi(intid) && intid < 1 << GIC_ID_BITS; }
static bool can_be_doorbell(u32 intid) { return intid == INTID_SPURIOUS || can_be_lpi(intid); }

/* What device and event of a command say: the device is mapped, the event in its range, and mapped. */
struct found {
    struct its_device device;
    struct its_map map;
};
static bool find_device(struct its_work w, const u64 *c, struct its_device *d)
{
    return its_device_read(w, device_of(c), d) && event_of(c) < d->events;
}
static bool find(struct its_work w, const u64 *c, struct found *f)
{
    return find_device(w, c, &f->device) && its_map_read(w, &f->device, event_of(c), &f->map);
}

/* ---- maps ---- */

/* DW1<4:0> bits of an EventID - 1, DW2<63> valid <51:8> address of the ITT */
static bool mapd(struct its_work w, const u64 *c)
{
    u64 id_bits = bits(c[1], 4, 0) + 1;
    bool valid = c[2] & ITS_VALID;
    if (valid && id_bits > ITS_ID_BITS)
        return false;
    return its_entry_write(w, TABLE_DEVICES, device_of(c),
                           valid ? ITS_VALID | (c[2] & ones(44) << 8) | (id_bits - 1) : 0);
}

static bool mapc(struct its_work w, const u64 *c)
{
    bool valid = c[2] & ITS_VALID;
    if (valid && cpu_of(c[2]) >= w.gic->cpu_count)
        return false;
    return its_entry_write(w, TABLE_COLLECTIONS, collection_of(c), valid ? ITS_VALID | cpu_of(c[2]) : 0);
}

/* The collection need not be mapped yet. */
static bool map(struct its_work w, const u64 *c, u32 intid)
{
    struct its_device device;
    struct its_map m = { .intid = intid, .target = collection_of(c) };
    return find_device(w, c, &device) && can_be_lpi(intid) && its_map_write(w, &device, event_of(c), &m);
}
static bool mapti(struct its_work w, const u64 *c) { return map(w, c, intid_of(c)); }
static bool mapi(struct its_work w, const u64 *c) { return map(w, c, event_of(c)); }

/* Pending goes along. */
static bool movi(struct its_work w, const u64 *c)
{
    struct found f;
    u32 from, to;
    if (!find(w, c, &f) || f.map.is_virtual || !its_collection_read(w, f.map.target, &from) ||
        !its_collection_read(w, collection_of(c), &to))
        return false;
    f.map.target = collection_of(c);
    if (!its_map_write(w, &f.device, event_of(c), &f.map))
        return false;
    if (from != to && gic_lpi_is_pending(w.gic, from, f.map.intid)) {
        gic_lpi_set(w.gic, from, f.map.intid, false);
        gic_lpi_set(w.gic, to, f.map.intid, true);
    }
    return true;
}

/* ---- what is pending, and what is kept ---- */

static bool change(struct its_work w, const u64 *c, bool pending)
{
    struct found f;
    return find(w, c, &f) && its_pend(w, &f.map, pending);
}
static bool int_(struct its_work w, const u64 *c) { return change(w, c, true); }
static bool clear(struct its_work w, const u64 *c) { return change(w, c, false); }

static bool discard(struct its_work w, const u64 *c)
{
    struct its_device device;
    return clear(w, c) && its_device_read(w, device_of(c), &device) && its_map_write(w, &device, event_of(c), NULL);
}

static bool inv(struct its_work w, const u64 *c)
{
    struct found f;
    struct gic_vpe vpe;
    u32 cpu;
    if (!find(w, c, &f))
        return false;
    if (f.map.is_virtual) {
        bool mapped = its_vpe_read(w, f.map.target, &vpe);
        if (mapped)
            gic_vlpis_reload(w.gic, &vpe);
        return mapped;
    }
    if (!its_collection_read(w, f.map.target, &cpu))
        return false;
    gic_lpi_reload(w.gic, cpu, f.map.intid);
    return true;
}

static bool invall(struct its_work w, const u64 *c)
{
    u32 cpu;
    if (!its_collection_read(w, collection_of(c), &cpu))
        return false;
    gic_lpis_reload(w.gic, cpu);
    return true;
}

static bool movall(struct its_work w, const u64 *c)
{
    if (cpu_of(c[2]) >= w.gic->cpu_count || cpu_of(c[3]) >= w.gic->cpu_count)
        return false;
    gic_lpis_move(w.gic, (unsigned)cpu_of(c[2]), (unsigned)cpu_of(c[3]));
    return true;
}

static bool sync(struct its_work w, const u64 *c) { return cpu_of(c[2]) < w.gic->cpu_count; }

/* ---- vPEs and their events (GICv4) ---- */

/* DW2<63> valid <50:16> RDbase, DW3<51:16> address of the pending table <4:0> bits of a vINTID - 1 */
static bool vmapp(struct its_work w, const u64 *c)
{
    u64 id_bits = bits(c[3], 4, 0) + 1;
    if (!(c[2] & ITS_VALID))
        return its_vpe_write(w, vpe_of(c), NULL);
    if (id_bits > GIC_ID_BITS || cpu_of(c[2]) >= w.gic->cpu_count)
        return false;
    struct gic_vpe vpe = { c[3] & ones(36) << 16, (u32)BIT(id_bits), (u32)cpu_of(c[2]) };
    return its_vpe_write(w, vpe_of(c), &vpe);
}

/* Its doorbells ring at another PE from now on. */
static bool vmovp(struct its_work w, const u64 *c)
{
    struct gic_vpe vpe;
    if (!its_vpe_read(w, vpe_of(c), &vpe) || cpu_of(c[2]) >= w.gic->cpu_count)
        return false;
    vpe.cpu = (u32)cpu_of(c[2]);
    return its_vpe_write(w, vpe_of(c), &vpe);
}

/* The vPE need not be mapped yet, nor have this vINTID. */
static bool vmap(struct its_work w, const u64 *c, u32 intid)
{
    struct its_device device;
    struct its_map m = { .is_virtual = true, .intid = intid, .target = vpe_of(c), .doorbell = doorbell_of(c) };
    return find_device(w, c, &device) && can_be_lpi(intid) && can_be_doorbell(m.doorbell) &&
           its_entry_there(w, TABLE_VPES, m.target) && its_map_write(w, &device, event_of(c), &m);
}
static bool vmapti(struct its_work w, const u64 *c) { return vmap(w, c, (u32)c[2]); }
static bool vmapi(struct its_work w, const u64 *c) { return vmap(w, c, event_of(c)); }

/* DW2<0>: the doorbell changes. Pending goes along. */
static bool vmovi(struct its_work w, const u64 *c)
{
    struct found f;
    struct gic_vpe from, to;
    if (!find(w, c, &f) || !f.map.is_virtual || !its_vpe_read(w, f.map.target, &from) ||
        !its_vpe_read(w, vpe_of(c), &to) || (c[2] & 1 && !can_be_doorbell(doorbell_of(c))))
        return false;
    u32 was = f.map.target;
    f.map.target = vpe_of(c);
    f.map.doorbell = c[2] & 1 ? doorbell_of(c) : f.map.doorbell;
    if (!its_map_write(w, &f.device, event_of(c), &f.map))
        return false;
    if (was == f.map.target || !gic_vlpi_is_pending(w.gic, &from, f.map.intid))
        return true;
    gic_vlpi_set(w.gic, &from, f.map.intid, false);
    return its_pend(w, &f.map, true);
}

static bool vinvall(struct its_work w, const u64 *c)
{
    struct gic_vpe vpe;
    if (!its_vpe_read(w, vpe_of(c), &vpe))
        return false;
    gic_vlpis_reload(w.gic, &vpe);
    return true;
}

/* Mapped or not: Linux waits for a VMAPP that ends the mapping. */
static bool vsync(struct its_work w, const u64 *c) { return its_entry_there(w, TABLE_VPES, vpe_of(c)); }

/* ---- the table ---- */

static const struct {
    u8 number;
    bool (*run)(struct its_work w, const u64 *c);
    u32 needs;
} commands[] = {
#define ITS_COMMAND(name, number, run, needs) { number, run, needs },
#include "gic/its.def"
};

bool its_command(struct its_work w, const u64 command[4])
{
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (commands[n].number == (command[0] & 0xff))
            return !(commands[n].needs & ~w.gic->parts) && commands[n].run(w, command);
    return false;
}
