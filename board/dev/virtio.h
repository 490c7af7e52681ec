/*
 * virtio (Virtual I/O Device specification 1.2): what devices and transports share. A device (virtio_blk.c ...) sees
 * queues, buffers and features and knows no transport; a transport (virtio_mmio.c) has registers and makes interrupts
 * of the news that the core keeps for it.
 */
#ifndef BOARD_VIRTIO_H
#define BOARD_VIRTIO_H

#include "board/device.h"

enum { VIRTIO_QUEUES = 4, VIRTIO_QUEUE_MAX = 1024, VIRTIO_HELD = 60 };
enum virtio_kind {
    VIRTIO_NONE,
#define VIRTIO(name, ...) VIRTIO_##name,
#include "board/dev/virtio.def"
    VIRTIO_KINDS
};
/* Bits of the device status field (2.1). */
enum { VIRTIO_DRIVER_OK = 4, VIRTIO_NEEDS_RESET = 64 };

struct virtio_queue {
    u64 desc, avail, used; /* guest physical addresses */
    u32 num, ready;        /* ready: its addresses hold */
    u16 last_avail, used_idx;
    u32 pending; /* enum virtio_pending */
};
/* The driver has announced buffers; the time to serve them has come. */
enum virtio_pending { VIRTIO_IDLE, VIRTIO_ANNOUNCED, VIRTIO_DUE };
/* A device, within the state of its transport. */
struct virtio {
    u32 kind;    /* enum virtio_kind */
    u32 unit;    /* number of its back end: disk, console port */
    u16 legacy;  /* VIRTIO_F_VERSION_1 is not offered */
    u8 platform; /* VIRTIO_F_ACCESS_PLATFORM is */
    u8 turned;   /* of a disk: the driver changed the mode of the cache */
    u32 status;
    u64 driver_features;
    u64 news;        /* a bit for each queue with used buffers that want an interrupt, and VIRTIO_NEWS_CONFIG */
    struct place at; /* of the transport */
    u32 generation;  /* of the configuration space */
    struct virtio_queue queue[VIRTIO_QUEUES];
    u8 held[VIRTIO_HELD]; /* what the host gave, on its way to a buffer */
    u32 held_count;
};
#define VIRTIO_NEWS_CONFIG       BIT(63)
#define VIRTIO_F_VERSION_1       BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM BIT(33)
extern const struct state_shape virtio_shape;

/* What is plugged into a slot of virtio-mmio: enum virtio_kind and unit. */
struct virtio_plug {
    u32 kind, unit;
    u32 boot; /* its turn among those that firmware is to boot from, from 1 on; 0: none */
};
enum { VIRTIO_SLOTS = 32 };

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

/* ---- for the devices ---- */
/* Takes the next buffer of queue q; false: there is none, or the guest's rings are nonsense (the device then needs a
 * reset). */
bool virtio_pop(struct machine *m, struct virtio *dev, unsigned q, struct virtio_chain *chain);
/* Gives it back with `len` bytes written: news for the driver. False: it could not be. */
bool virtio_push(struct machine *m, struct virtio *dev, unsigned q, const struct virtio_chain *chain, u32 len);
/* Copies to or from the chain from `offset` within its readable (writable) bytes. False: out of bounds, or not RAM. */
bool virtio_copy_from(struct machine *m, const struct virtio *dev, const struct virtio_chain *chain, u64 offset,
                      void *to, u64 size);
bool virtio_copy_to(struct machine *m, const struct virtio *dev, const struct virtio_chain *chain, u64 offset,
                    const void *from, u64 size);
/* RAM that a buffer names by its address. False: not RAM. */
bool virtio_read(struct machine *m, const struct virtio *dev, u64 pa, void *to, u64 size);
/* The rings are nonsense: DEVICE_NEEDS_RESET. */
void virtio_fail(struct virtio *dev);
/* Puts a buffer that was taken last back. */
void virtio_unpop(struct virtio *dev, unsigned q);
/* The device at a place; NULL: that is none. */
struct virtio *virtio_at(struct machine *m, struct place at);

/* What a kind of device is. Functions may be NULL but serve. */
struct virtio_ops {
    unsigned queues;
    u64 features;
    unsigned config_size;               /* of its configuration space, bytes */
    unsigned queue_size[VIRTIO_QUEUES]; /* at reset behind PCI, as QEMU has them */
    enum back_end back_end;             /* of which `unit` is the number */
    u32 takes_ns;                       /* from a notification until its buffers are served */
    u8 listens;                         /* 1 + the queue that takes what the host has; 0: none does */
    u64 (*features_of)(struct machine *m, const struct virtio *dev);
    u64 (*config_read)(struct machine *m, const struct virtio *dev, u64 offset, unsigned size);
    /* False: nothing can be written there. */
    bool (*config_write)(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value);
    /* Serves the next buffer of queue q, or makes a step towards it, as board/device.h says of `work`. False: there is
     * nothing to serve, or it cannot be (virtio_fail). */
    bool (*serve)(struct machine *m, struct virtio *dev, unsigned q);
    /* Its driver, or the machine, resets it: what it keeps beside struct virtio. */
    void (*reset)(struct machine *m, struct virtio *dev);
};

#define VIRTIO(kind, number, name, transitional, class_code, boots, ops) extern const struct virtio_ops ops;
#include "board/dev/virtio.def"

/* ---- for the transports ---- */
/* NULL: no device. */
const struct virtio_ops *virtio_ops_of(const struct virtio *dev);
const struct virtio_ops *virtio_ops_of_kind(enum virtio_kind kind);
/* Columns of virtio.def; the back end of VIRTIO_NONE is none. */
unsigned virtio_number(enum virtio_kind kind);
u16 virtio_pci_id(enum virtio_kind kind);
u32 virtio_pci_class(enum virtio_kind kind);
const char *virtio_boots(enum virtio_kind kind);
enum back_end virtio_back_end(enum virtio_kind kind);
const char *virtio_name(enum virtio_kind kind);
u64 virtio_offered(struct machine *m, const struct virtio *dev);
/* Half `half` (0: low) of the features that the driver accepts: those that were offered count. */
void virtio_features_accept(struct machine *m, struct virtio *dev, unsigned half, u32 value);
/* The driver says that there are buffers in queue q; time has passed; the host may have input (false: not for it). What
 * there then is to do is done by virtio_step. */
void virtio_notify(struct machine *m, struct virtio *dev, u32 q);
void virtio_due(struct virtio *dev);
bool virtio_input(struct virtio *dev);
/* A step of it. False: there is no more. */
bool virtio_step(struct machine *m, struct virtio *dev);
/* A field of the device's configuration space; what cannot be written is told as an error of the guest's. */
void virtio_config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value);
/* Queue and features as after a reset by the driver; what is plugged in stays. */
void virtio_reset(struct machine *m, struct virtio *dev);
const char *virtio_validate(const struct virtio *dev);

/* ---- board/dev/virtio_vsock.c ---- */
/* Bytes of a packet: of its header (5.10.6), and behind it at most. */
enum { VSOCK_HEADER = 44, VSOCK_DATA = 65536 };

/* ---- board/dev/virtio_balloon.c: for the host ---- */
/* Which statistics are known: a set of bits, by VIRTIO_BALLOON_S_* (5.5.6.4). Target and actual size in pages of
 * 4 KiB that the guest has given. */
enum { BALLOON_STATISTICS = 10 };
struct balloon_state {
    u32 target, actual, known;
    u64 statistic[BALLOON_STATISTICS];
};
/* The balloon is to have so many pages, and to say anew how the guest's memory is used: from within poll or idle of the
 * host. Nothing where there is no balloon. */
void machine_balloon(struct machine *m, u32 pages);
/* False: there is no balloon. */
bool machine_balloon_state(struct machine *m, struct balloon_state *s);

/* ---- board/dev/virtio_mmio.c ---- */
struct machine_config;
/* Plugs the devices of the configuration into slots: where they ask to be, else into the highest free one. False: error
 * (256 bytes) says why. */
bool virtio_plug(struct machine *m, const struct machine_config *config, char *error);
/* The device in a slot of virtio-mmio. */
struct virtio *virtio_slot(struct machine *m, unsigned slot);
/* board/dev/virtio_pci.c: the device in a function. */
struct virtio *virtio_pci_at(struct machine *m, struct place at);

#endif
