/*
 * The devices of the board: their state, and three functions each.
 *
 *     type_read, type_write   a register access: offset within the device, size 1, 2, 4 or 8 bytes, naturally aligned.
 *                             False: nothing answers (external abort).
 *     type_level              is the interrupt output high? Asked after each access and each event.
 *
 * State is plain data without pointers; what a device wants of the world (console bytes, disks, time, events) it asks
 * of the machine.
 */
#ifndef BOARD_DEVICE_H
#define BOARD_DEVICE_H

#include "lib/base.h"

struct machine;

struct device_access {
    u64 offset;
    unsigned size;
    unsigned index; /* which of the row's devices */
};

#define DEVICE_FUNCTIONS(type)                                                                                         \
    bool type##_read(struct machine *m, struct type *dev, struct device_access a, u64 *value);                        \
    bool type##_write(struct machine *m, struct type *dev, struct device_access a, u64 value);                        \
    bool type##_level(const struct type *dev);                                                                         \
    void type##_reset(struct type *dev);                                                                               \
    /* NULL when every index in the state is within its bounds, else what is wrong. */                                 \
    const char *type##_validate(const struct type *dev)

/* ---- PL011: the serial port ---- */
enum { PL011_FIFO = 16 };
struct pl011 {
    u32 port; /* machine_output, machine_input */
    u32 cr, lcr_h, ibrd, fbrd, ifls, imsc, ris, rsr, dmacr, ilpr;
    u32 polls;      /* reads of status registers in a row: the guest waits for input by polling */
    u32 head, used; /* receive FIFO */
    u16 fifo[PL011_FIFO];
    u32 pad;
};
DEVICE_FUNCTIONS(pl011);
/* Takes what input there is, if the guest is ready for it. */
void pl011_fill(struct machine *m, struct pl011 *dev);
/* The receive timeout has passed. */
void pl011_timeout(struct pl011 *dev);

/* ---- PL031: the clock on the wall ---- */
struct pl031 {
    u64 base_ns; /* machine time at which the counter had the value `base` */
    u32 base, match, load, imsc, ris, pad;
};
DEVICE_FUNCTIONS(pl031);
void pl031_alarm(struct machine *m, struct pl031 *dev);

/* ---- PL061: eight lines ---- */
struct pl061 {
    u8 data, dir, is, ibe, iev, ie, ris, afsel;
    u8 input;  /* what the board drives */
    u8 secure; /* outputs 0 and 1 power off and reset */
    u8 pad[6];
};
DEVICE_FUNCTIONS(pl061);
/* The board drives an input line. */
void pl061_input(struct pl061 *dev, unsigned line, bool high);

/* ---- virtio-mmio: a slot, and the device in it ---- */
enum { VIRTIO_QUEUES = 2, VIRTIO_QUEUE_MAX = 1024 };
enum virtio_kind { VIRTIO_NONE = 0, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };
struct virtio_queue {
    u64 desc, avail, used; /* guest physical addresses */
    u32 num, ready, pfn, align;
    u16 last_avail, used_idx;
    u32 pending; /* notified, not yet looked at */
};
struct virtio_mmio {
    u32 kind; /* enum virtio_kind */
    u32 unit; /* number of the disk, or of the console port */
    u32 legacy;
    u32 status, features_sel, driver_sel, queue_sel, page_size;
    u32 interrupt, generation;
    u64 driver_features;
    struct virtio_queue queue[VIRTIO_QUEUES];
};
DEVICE_FUNCTIONS(virtio_mmio);

/* A buffer of the guest: a chain of descriptors, gathered. */
enum { VIRTIO_SEGMENTS = VIRTIO_QUEUE_MAX };
struct virtio_segment {
    u64 addr;
    u32 len;
    bool writable;
};
struct virtio_chain {
    unsigned head, count;
    u64 readable, writable; /* bytes in all */
    struct virtio_segment segment[VIRTIO_SEGMENTS];
};
/* Takes the next buffer of queue q; false: there is none, or the guest's rings are nonsense (the device then needs a
 * reset). */
bool virtio_pop(struct machine *m, struct virtio_mmio *dev, unsigned q, struct virtio_chain *chain);
/* Gives it back with `len` bytes written, and raises the interrupt. */
void virtio_push(struct machine *m, struct virtio_mmio *dev, unsigned q, const struct virtio_chain *chain, u32 len);
/* Copies to or from the chain from `offset` within its readable (writable) bytes. False: out of bounds, or not RAM. */
bool virtio_copy_from(struct machine *m, const struct virtio_chain *chain, u64 offset, void *to, u64 size);
bool virtio_copy_to(struct machine *m, const struct virtio_chain *chain, u64 offset, const void *from, u64 size);
/* The rings are nonsense: DEVICE_NEEDS_RESET. */
void virtio_fail(struct virtio_mmio *dev);

/* What a kind of device adds to the transport. */
struct virtio_ops {
    const char *name;
    unsigned queues;
    u64 features;
    u64 (*features_of)(struct machine *m, struct virtio_mmio *dev);
    u64 (*config_read)(struct machine *m, struct virtio_mmio *dev, u64 offset, unsigned size);
    void (*notify)(struct machine *m, struct virtio_mmio *dev, unsigned q);
};
extern const struct virtio_ops virtio_blk_ops, virtio_console_ops, virtio_rng_ops;
/* The fixed time of the requests has passed: does them all. */
void virtio_blk_done(struct machine *m, struct virtio_mmio *dev);
/* Takes what console input there is, as far as the guest gave buffers for it. */
void virtio_console_fill(struct machine *m, struct virtio_mmio *dev);

#endif
