/*
 * What its.c, its_table.c and its_command.c share: the tables in memory. Their formats are IMPLEMENTATION DEFINED; the
 * sizes of their entries are those that GITS_BASER<n>.Entry_Size and GITS_TYPER.ITT_entry_size say.
 *
 *     device, 8 bytes      <63> valid <51:8> address of its ITT <4:0> bits of an EventID - 1
 *     collection, 8 bytes  <63> valid <15:0> number of the PE
 *     vPE, 8 bytes         <63> valid <56:52> bits of a vINTID - 1 <51:16> address of its pending table <15:0> PE
 *     ITT entry, 12 bytes  <63> valid <62> virtual <47:24> doorbell <23:0> INTID; <79:64> collection, or vPE
 *
 * Software can write what it likes there: whatever is read is checked where it is used.
 */
#ifndef GIC_ITS_INTERNAL_H
#define GIC_ITS_INTERNAL_H

#include "gic/internal.h"
#include "gic/its.h"

/* 16 bits of DeviceID, EventID, collection and vPE */
enum { ITS_ID_BITS = 16, ITS_ENTRY = 8, ITS_ITT_ENTRY = 12, ITS_COMMAND_SIZE = 32 };
enum { GITS_ENABLED = 1, GITS_STALLED = 1, GITS_RETRY = 1 };
#define ITS_VALID BIT(63)

/* Tables that a GITS_BASER<n> is for: its number, and GITS_BASER<n>.Type. */
enum its_table { TABLE_DEVICES, TABLE_COLLECTIONS, TABLE_VPES, TABLES };

/* What works, and for whom. */
struct its_work {
    struct its *its;
    struct gic *gic;
};
struct its_device {
    u64 itt;
    u32 events; /* EventIDs below have an entry */
};
struct its_map {
    bool is_virtual;
    u32 intid, target, doorbell; /* as struct its_event */
};

/* its_table.c. False: no such number, the table has no memory, or the entry is not valid. */
bool its_entry_read(struct its_work w, enum its_table table, u32 id, u64 *entry);
/* Can be valid or not. */
bool its_entry_write(struct its_work w, enum its_table table, u32 id, u64 entry);
bool its_device_read(struct its_work w, u32 id, struct its_device *d);
bool its_map_read(struct its_work w, const struct its_device *d, u32 event, struct its_map *map);
/* NULL: not valid */
bool its_map_write(struct its_work w, const struct its_device *d, u32 event, const struct its_map *map);
/* Is there a place for it? Then it can be written. */
bool its_entry_there(struct its_work w, enum its_table table, u32 id);
/* The PE of a collection. */
bool its_collection_read(struct its_work w, u32 id, u32 *cpu);
bool its_vpe_read(struct its_work w, u32 id, struct gic_vpe *vpe);
/* NULL: not valid. intids: a power of 2, up to 1 << GIC_ID_BITS. */
bool its_vpe_write(struct its_work w, u32 id, const struct gic_vpe *vpe);

/* its.c: makes the interrupt pending that an event is mapped to, or not; a doorbell rings. False: its collection or vPE
 * is not mapped, or has no such interrupt. */
bool its_pend(struct its_work w, const struct its_map *map, bool pending);

/* its_command.c: false, it cannot be obeyed. */
bool its_command(struct its_work w, const u64 command[4]);

#endif
