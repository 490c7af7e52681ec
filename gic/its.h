/*
 * The Interrupt Translation Service (GIC chapter 5, 12.12 and 12.18 to 12.20): from the DeviceID of a bus master and
 * the EventID that it writes to an LPI of a PE, or with GICv4 to a virtual LPI of a vPE, by tables in memory that
 * commands in memory build. Its state is its registers; nothing of the tables is kept.
 */
#ifndef GIC_ITS_H
#define GIC_ITS_H

#include "gic/gic.h"

enum { GITS_BASERS = 8, GITS_FRAME_SIZE = 0x20000 };

struct its {
    u64 cbaser, cwriter, creadr;
    u64 baser[GITS_BASERS];
    u32 ctlr, pad;
};

/* After gic_extend, which says what there is to translate to. */
void its_reset(struct its *its, const struct gic *gic);
bool its_validate(const struct its *its);

/* Registers: offset within both frames, size 1, 2, 4 or 8, naturally aligned. What has no row is RAZ/WI. A write may
 * have the ITS work through its queue of commands, a turn of the ring at most. False: one of them could not be obeyed,
 * and was left out. */
u64 its_read(struct its *its, struct gic *gic, u64 offset, unsigned size);
bool its_write(struct its *its, struct gic *gic, u64 offset, unsigned size, u64 value);
/* A write of EventID to GITS_TRANSLATER by a device. False: the tables have no LPI for it. */
bool its_message(struct its *its, struct gic *gic, u32 device, u32 event);

/* ---- for those who look in ---- */
enum { ITS_DEVICES = 1 << 16, ITS_VPES = 1 << 16 };
struct its_event {
    bool is_virtual;
    u32 intid, cpu; /* cpu: gic->cpu_count, the collection or vPE is not mapped */
    u32 target;     /* collection, or vPE */
    u32 doorbell;   /* of a virtual one: the LPI that tells of it while the vPE is not resident; INTID_SPURIOUS: none */
};
/* EventIDs that a device may have: 0, it is not mapped; *itt: address of its table. */
u32 its_events(struct its *its, struct gic *gic, u32 device, u64 *itt);
/* False: this event is not mapped. */
bool its_event(struct its *its, struct gic *gic, u32 device, u32 event, struct its_event *e);
/* False: this vPE is not mapped. number < ITS_VPES */
bool its_vpe(struct its *its, struct gic *gic, u32 number, struct gic_vpe *vpe);

#endif
