/*
 * virtio entropy device (Virtual I/O Device specification 1.2, 5.4): numbers of the machine's own generator (-seed), so
 * that runs repeat.
 */
#include "board/machine.h"

static void notify(struct machine *m, struct virtio *dev, unsigned n)
{
    struct virtio_chain c;
    for (unsigned k = 0; k < VIRTIO_QUEUE_MAX && virtio_pop(m, dev, n, &c); k++) {
        u64 size = c.writable < 4096 ? c.writable : 4096;
        for (u64 done = 0; done < size; done += 8) {
            u64 word = machine_random(m), part = size - done < 8 ? size - done : 8;
            if (!virtio_copy_to(m, dev, &c, done, &word, part)) {
                virtio_fail(dev);
                return;
            }
        }
        virtio_push(m, dev, n, &c, (u32)size);
    }
}

const struct virtio_ops virtio_rng_ops = { .queues = 1, .queue_size = { 8 }, .notify = notify };
