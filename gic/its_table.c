/* The tables of the ITS in memory (GIC 5.2, GITS_BASER<n>): devices, collections and vPEs, flat or of two levels, and
 * the interrupt translation table of each device. */
#include "gic/its_internal.h"

/* GITS_BASER<n> <63> Valid <62> Indirect <47:12> address <9:8> Page_Size <7:0> pages - 1; with pages of 64 KiB <47:16>
 * are those of the address, and <15:12> its <51:48> */
static u64 page_size(u64 baser)
{
    u64 code = bits(baser, 9, 8);
    return (u64)4096 << 2 * (code < 2 ? code : 2);
}
static u64 table_base(u64 baser)
{
    u64 pa = baser & ones(36) << 12;
    return page_size(baser) < 0x10000 ? pa : (pa & ~(u64)0xffff) | bits(baser, 15, 12) << 48;
}

/* Where an entry is. Of two levels the first has the address of a page in 8 bytes: <63> valid <51:12> address. */
static bool entry_at(struct its_work w, enum its_table table, u32 id, u64 *pa)
{
    u64 baser = w.its->baser[table], page = page_size(baser), size = (bits(baser, 7, 0) + 1) * page;
    u64 base = table_base(baser), per_page = page / ITS_ENTRY, first;
    if (!(baser & ITS_VALID) || id >> ITS_ID_BITS)
        return false;
    if (!bit(baser, 62)) {
        *pa = base + id * ITS_ENTRY;
        return id < size / ITS_ENTRY;
    }
    if (id / per_page >= size / 8 || !gic_memory(w.gic, base + id / per_page * 8, &first, 8, false) ||
        !(first & ITS_VALID))
        return false;
    *pa = (first & ones(40) << 12 & ~(page - 1)) + id % per_page * ITS_ENTRY;
    return true;
}

bool its_entry_read(struct its_work w, enum its_table table, u32 id, u64 *entry)
{
    u64 pa;
    return entry_at(w, table, id, &pa) && gic_memory(w.gic, pa, entry, ITS_ENTRY, false) && *entry & ITS_VALID;
}

bool its_entry_there(struct its_work w, enum its_table table, u32 id)
{
    u64 pa;
    return entry_at(w, table, id, &pa);
}

bool its_entry_write(struct its_work w, enum its_table table, u32 id, u64 entry)
{
    u64 pa;
    return entry_at(w, table, id, &pa) && gic_memory(w.gic, pa, &entry, ITS_ENTRY, true);
}

bool its_device_read(struct its_work w, u32 id, struct its_device *d)
{
    u64 entry;
    if (!its_entry_read(w, TABLE_DEVICES, id, &entry))
        return false;
    u64 id_bits = bits(entry, 4, 0) + 1;
    d->itt = entry & ones(44) << 8;
    d->events = 1u << (id_bits < ITS_ID_BITS ? id_bits : ITS_ID_BITS);
    return true;
}

struct itt_entry {
    u64 a;
    u32 b;
} __attribute__((packed));
static_assert(sizeof(struct itt_entry) == ITS_ITT_ENTRY, "as GITS_TYPER says");

bool its_map_read(struct its_work w, const struct its_device *d, u32 event, struct its_map *map)
{
    struct itt_entry entry;
    if (event >= d->events || !gic_memory(w.gic, d->itt + event * sizeof(entry), &entry, sizeof(entry), false) ||
        !(entry.a & ITS_VALID))
        return false;
    *map = (struct its_map){ .is_virtual = bit(entry.a, 62) && w.gic->parts & GIC_VLPIS,
                             .intid = (u32)bits(entry.a, 23, 0),
                             .target = entry.b & 0xffff,
                             .doorbell = (u32)bits(entry.a, 47, 24) };
    return true;
}

bool its_map_write(struct its_work w, const struct its_device *d, u32 event, const struct its_map *map)
{
    struct itt_entry entry = { 0, 0 };
    if (map) {
        entry.a = ITS_VALID | (u64)map->is_virtual << 62 | (u64)map->doorbell << 24 | map->intid;
        entry.b = map->target;
    }
    return event < d->events && gic_memory(w.gic, d->itt + event * sizeof(entry), &entry, sizeof(entry), true);
}

bool its_collection_read(struct its_work w, u32 id, u32 *cpu)
{
    u64 entry;
    if (!its_entry_read(w, TABLE_COLLECTIONS, id, &entry))
        return false;
    *cpu = (u32)bits(entry, 15, 0);
    return *cpu < w.gic->cpu_count;
}

bool its_vpe_read(struct its_work w, u32 id, struct gic_vpe *vpe)
{
    u64 entry;
    if (!its_entry_read(w, TABLE_VPES, id, &entry))
        return false;
    u64 id_bits = bits(entry, 56, 52) + 1;
    vpe->table = entry & ones(36) << 16;
    vpe->intids = 1u << (id_bits < GIC_ID_BITS ? id_bits : GIC_ID_BITS);
    vpe->cpu = (u32)bits(entry, 15, 0);
    return vpe->cpu < w.gic->cpu_count;
}

bool its_vpe_write(struct its_work w, u32 id, const struct gic_vpe *vpe)
{
    u64 entry = vpe ? ITS_VALID | (u64)(__builtin_ctz(vpe->intids) - 1) << 52 | vpe->table | vpe->cpu : 0;
    return its_entry_write(w, TABLE_VPES, id, entry);
}
