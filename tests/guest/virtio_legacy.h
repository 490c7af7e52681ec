/* Virtio over MMIO, legacy interface (Virtio 1.2, 4.2.4): registers, a queue in one piece, finding a device. */
#ifndef GUEST_VIRTIO_LEGACY_H
#define GUEST_VIRTIO_LEGACY_H

enum { MAGIC = 0x000, ID = 0x008, FEATURES = 0x010, DRIVER = 0x020, PAGE_SIZE = 0x028, SEL = 0x030, NUM_MAX = 0x034,
       NUM = 0x038, ALIGN = 0x03c, PFN = 0x040, NOTIFY = 0x050, INT_STATUS = 0x060, INT_ACK = 0x064, DEV_STATUS = 0x070,
       CONFIG = 0x100, QUEUE = 16, PAGE = 4096 };

struct rings {
    struct { u64 addr; u32 len; u16 flags, next; } desc[QUEUE];
    u16 avail[2 + QUEUE + 1];
    u8 pad[PAGE - 16 * QUEUE - 2 * (3 + QUEUE)];
    u16 used_head[2];
    struct { u32 id, len; } used[QUEUE];
    u8 end[PAGE - 4 - 8 * QUEUE];
};

/* Where the last device of that type is; 0: there is none. */
static inline u64 virtio_find(u32 id)
{
    u64 dev = 0;
    for (u32 slot = 0; slot < 32; slot++)
        if (MMIO32(0x0a000000ul + slot * 0x200 + ID) == id)
            dev = 0x0a000000ul + slot * 0x200;
    return dev;
}

/* A queue of these rings, which hold zeros. */
static inline void virtio_queue(u64 dev, u32 n, const struct rings *rings)
{
    MMIO32(dev + SEL) = n;
    MMIO32(dev + NUM) = QUEUE;
    MMIO32(dev + ALIGN) = PAGE;
    MMIO32(dev + PFN) = (u32)((u64)rings / PAGE);
}

#endif
