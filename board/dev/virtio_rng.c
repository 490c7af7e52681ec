/*
 * virtio entropy device (Virtual I/O Device specification 1.2, 5.4): numbers of the machine's own generator (-seed), so
 * that runs repeat.
 */
#include "board/machine.h"

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    struct virtio_chain c;
    if (!virtio_pop(m, dev, q, &c))
        return false;
    u64 size = c.writable < 4096 ? c.writable : 4096;
    for (u64 done = 0; done < size; done += 8) {
        u64 word = machine_random(m), part = size - done < 8 ? size - done : 8;
        if (!virtio_copy_to(m, dev, &c, done, &word, part)) {
            virtio_fail(dev);
            return false;
        }
    }
    return virtio_push(m, dev, q, &c, (u32)size);
}

const struct virtio_ops virtio_rng_ops = { .queues = 1, .queue_size = { 8 }, .serve = serve };
