/*
 * virtio console (Virtual I/O Device specification 1.2, 5.3), one port: queue 0 receives, queue 1 transmits.
 * Input waits outside until the guest has given a buffer for it.
 * Left out: several ports (F_MULTIPORT), sizes, emergency write.
 */
#include "board/machine.h"

enum { RECEIVE = 0, TRANSMIT = 1 };

/* All of it is read before any of it is said, which could not be taken back. */
static bool transmit(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    u8 buffer[256];
    if (!virtio_pop(m, dev, TRANSMIT, &c))
        return false;
    u64 limit = c.readable < 1 << 20 ? c.readable : 1 << 20;
    for (unsigned say = 0; say < 2; say++) {
        for (u64 done = 0, part; done < limit; done += part) {
            part = limit - done < sizeof(buffer) ? limit - done : sizeof(buffer);
            if (!virtio_copy_from(m, dev, &c, done, buffer, part)) {
                virtio_fail(dev);
                return false;
            }
            for (u64 k = 0; say && k < part; k++)
                machine_output(m, dev->unit, buffer[k]);
        }
        if (!say && !virtio_push(m, dev, TRANSMIT, &c, 0))
            return false;
    }
    return true;
}

/* Input is asked for only when there is a place to put it, since a buffer cannot be given back empty. */
static bool input_take(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    int byte = 0;
    if (!(dev->status & VIRTIO_DRIVER_OK) || !virtio_pop(m, dev, RECEIVE, &c))
        return false;
    virtio_unpop(dev, RECEIVE);
    while (dev->held_count < VIRTIO_HELD && dev->held_count < c.writable &&
           (byte = machine_input(m, dev->unit, false)) >= 0)
        dev->held[dev->held_count++] = (u8)byte;
    return dev->held_count;
}

static bool receive(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    if (!dev->held_count)
        return input_take(m, dev);
    if (!(dev->status & VIRTIO_DRIVER_OK) || !virtio_pop(m, dev, RECEIVE, &c))
        return false;
    u32 count = dev->held_count < c.writable ? dev->held_count : (u32)c.writable;
    if (!virtio_copy_to(m, dev, &c, 0, dev->held, count)) {
        virtio_fail(dev);
        return false;
    }
    memmove(dev->held, dev->held + count, dev->held_count - count);
    dev->held_count -= count;
    return virtio_push(m, dev, RECEIVE, &c, count);
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    return q == TRANSMIT ? transmit(m, dev) : receive(m, dev);
}

const struct virtio_ops virtio_console_ops = { .queues = 2,
                                               .config_size = 12,
                                               .queue_size = { 128, 128 },
                                               .back_end = BACK_END_PORT,
                                               .listens = 1 + RECEIVE,
                                               .serve = serve };
