/* A driver for one virtio device behind virtio-mmio (version 2), in the highest slot: for the tests of devices. */
#ifndef TESTS_UNIT_VIRTIO_DRIVER_H
#define TESTS_UNIT_VIRTIO_DRIVER_H

#include "tests/unit/board_fixture.h"

enum { DEV = 0x0a000000 + 31 * 0x200, RAM_BASE = 0x40000000, QSIZE = 16 };
enum { RINGS = RAM_BASE + 0x10000, RING_STEP = 0x3000, AVAIL = 0x1000, USED = 0x2000 };
enum { NEXT = 1, WRITE = 2 };

/* Features beside VERSION_1, and queues that are set up. */
static inline void driver_begin(struct fixture *f, u32 features, unsigned queues)
{
    bus_w(f, DEV + 0x70, 0);
    bus_w(f, DEV + 0x70, 3);
    bus_w(f, DEV + 0x24, 0);
    bus_w(f, DEV + 0x20, features);
    bus_w(f, DEV + 0x24, 1);
    bus_w(f, DEV + 0x20, 1);
    bus_w(f, DEV + 0x70, 11);
    for (unsigned q = 0; q < queues; q++) {
        u64 at = RINGS + q * RING_STEP;
        poke(f, at + AVAIL, 0, 4);
        poke(f, at + USED, 0, 4);
        bus_w(f, DEV + 0x30, q);
        bus_w(f, DEV + 0x38, QSIZE);
        bus_w(f, DEV + 0x80, at);
        bus_w(f, DEV + 0x90, at + AVAIL);
        bus_w(f, DEV + 0xa0, at + USED);
        bus_w(f, DEV + 0x44, 1);
    }
    bus_w(f, DEV + 0x70, 15);
}

static inline void desc(struct fixture *f, unsigned q, unsigned n, u64 addr, u32 len, unsigned flags, unsigned next)
{
    u64 at = RINGS + q * RING_STEP + 16 * n;
    poke(f, at, addr, 8);
    poke(f, at + 8, len, 4);
    poke(f, at + 12, flags, 2);
    poke(f, at + 14, next, 2);
}

/* Makes the chain available and says so. */
static inline void offer(struct fixture *f, unsigned q, unsigned head)
{
    u64 avail = RINGS + q * RING_STEP + AVAIL, n = peek(f, avail + 2, 2);
    poke(f, avail + 4 + 2 * (n % QSIZE), head, 2);
    poke(f, avail + 2, n + 1, 2);
    bus_w(f, DEV + 0x50, q);
}

/* How many came back, and of the nth: the number of its first descriptor, bytes written. */
static inline u64 used(struct fixture *f, unsigned q) { return peek(f, RINGS + q * RING_STEP + USED + 2, 2); }
static inline u64 used_head(struct fixture *f, unsigned q, unsigned n)
{
    return peek(f, RINGS + q * RING_STEP + USED + 4 + 8 * (n % QSIZE), 4);
}
static inline u64 used_len(struct fixture *f, unsigned q, unsigned n)
{
    return peek(f, RINGS + q * RING_STEP + USED + 4 + 8 * (n % QSIZE) + 4, 4);
}
static inline bool needs_reset(struct fixture *f) { return bus_r(f, DEV + 0x70) & VIRTIO_NEEDS_RESET; }

#endif
