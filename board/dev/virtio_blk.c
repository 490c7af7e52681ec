/*
 * virtio block device (Virtual I/O Device specification 1.2, 5.2), over raw images that the front end reads and writes.
 * Every request completes a fixed time after it was announced, so that a run does not depend on the host's disk.
 * Left out: discard, write-zeroes, several queues, writing the cache mode.
 */
#include "board/machine.h"

enum { SECTOR = 512, HEADER = 16, CHUNK = 4096, REQUEST_NS = 100000, SEG_MAX = 254 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
#define F_SEG_MAX  BIT(2)
#define F_RO       BIT(5)
#define F_BLK_SIZE BIT(6)
#define F_FLUSH    BIT(9)

static u64 features_of(struct machine *m, const struct virtio *dev)
{
    return m->options.disk[dev->unit].readonly ? F_RO : 0;
}

/* struct virtio_blk_config: capacity, size_max, seg_max, geometry, blk_size. */
static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    u8 config[64] = { 0 };
    store_le64(config, m->options.disk[dev->unit].size / SECTOR);
    store_le32(config + 12, SEG_MAX);
    store_le32(config + 20, SECTOR);
    u64 value = 0;
    if (offset + size <= sizeof(config))
        memcpy(&value, config + offset, size);
    return value;
}

/* Moves `size` bytes between the disk at `at` and the chain at `offset`. False: beyond the end, an error, not RAM. */
static bool transfer(struct machine *m, struct virtio *dev, const struct virtio_chain *c, u64 sector, u64 size,
                     bool write)
{
    u8 buffer[CHUNK];
    u64 disk = m->options.disk[dev->unit].size / SECTOR;
    const struct machine_host *host = &m->d.host;
    if (size % SECTOR || sector > disk || size / SECTOR > disk - sector || !host->disk_read || !host->disk_write)
        return false;
    for (u64 done = 0; done < size;) {
        u64 part = size - done < CHUNK ? size - done : CHUNK, at = sector * SECTOR + done;
        bool ok = write ? virtio_copy_from(m, dev, c, HEADER + done, buffer, part) &&
                              host->disk_write(host->ctx, dev->unit, at, buffer, part)
                        : host->disk_read(host->ctx, dev->unit, at, buffer, part) &&
                              virtio_copy_to(m, dev, c, done, buffer, part);
        if (!ok)
            return false;
        done += part;
    }
    return true;
}

/* The last writable byte is the status; what comes before is data. Returns the status, *len: bytes of data written. */
static u8 request(struct machine *m, struct virtio *dev, const struct virtio_chain *c, u32 *len)
{
    u8 header[HEADER];
    u64 data = c->writable - 1;
    *len = 0;
    if (!virtio_copy_from(m, dev, c, 0, header, HEADER))
        return S_IOERR;
    u64 sector = load_le64(header + 8);
    switch (load_le32(header)) {
    case T_IN:
        if (!transfer(m, dev, c, sector, data, false))
            return S_IOERR;
        *len = (u32)data;
        return S_OK;
    case T_OUT:
        if (m->options.disk[dev->unit].readonly)
            return S_IOERR;
        return transfer(m, dev, c, sector, c->readable - HEADER, true) ? S_OK : S_IOERR;
    case T_FLUSH: return !m->d.host.disk_flush || m->d.host.disk_flush(m->d.host.ctx, dev->unit) ? S_OK : S_IOERR;
    case T_GET_ID:
        *len = data < 20 ? (u32)data : 20;
        return virtio_copy_to(m, dev, c, 0, m->options.disk[dev->unit].serial, *len) ? S_OK : S_IOERR;
    default: return S_UNSUPP;
    }
}

static void requests_done(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    struct virtio_queue *q = &dev->queue[0];
    if (!q->pending)
        return;
    q->pending = 0;
    for (unsigned n = 0; n < VIRTIO_QUEUE_MAX && virtio_pop(m, dev, 0, &c); n++) {
        u32 len = 0;
        if (c.readable < HEADER || !c.writable) {
            virtio_fail(dev);
            return;
        }
        u8 status = request(m, dev, &c, &len);
        if (!virtio_copy_to(m, dev, &c, c.writable - 1, &status, 1)) {
            virtio_fail(dev);
            return;
        }
        virtio_push(m, dev, 0, &c, len + 1);
    }
}

static void notify(struct machine *m, struct virtio *dev, unsigned n)
{
    dev->queue[n].pending = 1;
    if (!virtio_timer_runs(m, dev))
        virtio_timer_set(m, dev, m->now + REQUEST_NS);
}

const struct virtio_ops virtio_blk_ops = {
    .queues = 1, .config_size = 60, .queue_size = { 256 },
    .features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH,
    .features_of = features_of,
    .back_end = BACK_END_DISK,
    .config_read = config_read,
    .notify = notify,
    .timer = requests_done,
};
