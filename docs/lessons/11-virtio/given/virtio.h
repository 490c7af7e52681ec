/* Virtio (OASIS, version 1.2): a console on the memory-mapped transport, of which only sending is there. */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "device.h"

#define VIRTIO_BASE 0x0a000000ul
#define VIRTIO_IRQ  44

/* Registers (4.2.2), 4 bytes each */
#define MAGIC            0x000          /* "virt" */
#define VERSION          0x004          /* 2 */
#define DEVICE_ID        0x008          /* 3: a console */
#define DEVICE_FEATURES  0x010          /* 32 bits of them, */
#define FEATURES_SELECT  0x014          /* these */
#define DRIVER_FEATURES  0x020          /* those that the driver takes; which 32: */
#define DRIVER_SELECT    0x024
#define QUEUE_SELECT     0x030
#define QUEUE_MAX        0x034
#define QUEUE_SIZE       0x038
#define QUEUE_READY      0x044
#define QUEUE_NOTIFY     0x050          /* the driver has put something into the queue of that number */
#define IRQ_STATUS       0x060
#define IRQ_ACK          0x064
#define STATUS           0x070          /* 0 is a reset */
#define QUEUE_DESC       0x080          /* addresses, low and high half */
#define QUEUE_AVAIL      0x090
#define QUEUE_USED       0x0a0

#define STATUS_NEEDS_RESET 0x40         /* the device has met nonsense, and does nothing any more */
#define FEATURE_VERSION_1  1            /* bit 32: bit 0 of the second half */

#define SEND_QUEUE       1              /* 0 is the one to receive by */
#define QUEUE_ENTRIES    8              /* at most */

/* A queue, in the guest's memory (2.7). The driver writes `desc` and `avail`, the device `used`. Both only ever count
 * up. */
#define DESC_NEXT        1              /* flags: another descriptor follows, */
#define DESC_WRITE       2              /* the device is to write there */
struct virtq_desc {
    u64 address;
    u32 length;
    u16 flags, next;
};
struct virtq_avail {
    u16 flags, index, ring[QUEUE_ENTRIES]; /* ring[index % size] is where the next one goes */
};
struct virtq_used {
    u16 flags, index;
    struct {
        u32 id, length;
    } ring[QUEUE_ENTRIES];
};

extern const struct device virtio_console;

/* queue.c: the driver has said that there is something. False: what is there is nonsense. */
struct queue {
    u32 size, ready;
    u64 desc, avail, used; /* IPAs */
    u16 seen;              /* how far avail.index was looked at, and used.index was written */
};
bool queue_work(struct queue *q);
/* queue.c: bytes to the guest's memory, where it may itself write; guest_read is lesson 10's. */
bool guest_write(u64 ipa, u64 size, const void *from);
/* virtio_device.c: one buffer of a text. */
void console_text(const char *text, unsigned size);

#endif
