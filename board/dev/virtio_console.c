/*
 * virtio console (Virtual I/O Device specification 1.2, 5.3), one port: queue 0 receives, queue 1 transmits.
 * Input waits outside until the guest has given a buffer for it.
 * Left out: several ports (F_MULTIPORT), sizes, emergency write.
 */
#include "board/machine.h"

enum { RECEIVE = 0, TRANSMIT = 1 };

static void transmit(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    for (unsigned n = 0; n < VIRTIO_QUEUE_MAX && virtio_pop(m, dev, TRANSMIT, &c); n++) {
        u8 buffer[256];
        u64 limit = c.readable < 1 << 20 ? c.readable : 1 << 20;
        for (u64 done = 0; done < limit;) {
            u64 part = limit - done < sizeof(buffer) ? limit - done : sizeof(buffer);
            if (!virtio_copy_from(m, dev, &c, done, buffer, part)) {
                virtio_fail(dev);
                return;
            }
            for (u64 k = 0; k < part; k++)
                machine_output(m, dev->unit, buffer[k]);
            done += part;
        }
        virtio_push(m, dev, TRANSMIT, &c, 0);
    }
}

/* A byte is asked for only when there is a place to put it: a popped buffer cannot be given back empty. */
static void receive(struct machine *m, struct virtio *dev)
{
    struct virtio_queue *q = &dev->queue[RECEIVE];
    struct virtio_queue before;
    struct virtio_chain c;
    for (unsigned n = 0; n < VIRTIO_QUEUE_MAX && dev->status & VIRTIO_DRIVER_OK; n++) {
        before = *q;
        if (!virtio_pop(m, dev, RECEIVE, &c))
            return;
        u8 buffer[256];
        u32 used = 0;
        while (used < sizeof(buffer) && used < c.writable) {
            int byte = machine_input(m, dev->unit, false);
            if (byte < 0)
                break;
            buffer[used++] = (u8)byte;
        }
        if (!used) {
            *q = before;
            return;
        }
        if (!virtio_copy_to(m, dev, &c, 0, buffer, used)) {
            virtio_fail(dev);
            return;
        }
        virtio_push(m, dev, RECEIVE, &c, used);
    }
}

static void notify(struct machine *m, struct virtio *dev, unsigned n)
{
    if (n == TRANSMIT)
        transmit(m, dev);
    receive(m, dev);
}

const struct virtio_ops virtio_console_ops = {
    .queues = 2, .config_size = 12, .queue_size = { 128, 128 }, .back_end = BACK_END_PORT, .notify = notify, .input = receive
};
