/*
 * virtio block device (Virtual I/O Device specification 1.2, 5.2), over disks that the front end reads and writes.
 * Every request completes a fixed time after it was announced, so that a run does not depend on the host's disk.
 * Left out: several queues, the lifetime, secure erase and zones.
 */
#include "board/machine.h"

enum { SECTOR = 512, HEADER = 16, CHUNK = 4096, REQUEST_NS = 100000, SEG_MAX = 254, ID_SIZE = 20 };
/* Of discard and write zeroes: at most one range a request, and a bound on what one costs the host. */
enum { RANGE_SIZE = 16, RANGES = 1, RANGE_SECTORS = 16384, RANGE_UNMAP = 1 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
#define F_SEG_MAX      BIT(2)
#define F_RO           BIT(5)
#define F_BLK_SIZE     BIT(6)
#define F_FLUSH        BIT(9)
#define F_TOPOLOGY     BIT(10)
#define F_CONFIG_WCE   BIT(11)
#define F_DISCARD      BIT(13)
#define F_WRITE_ZEROES BIT(14)
/* struct virtio_blk_config (5.2.4). */
enum { CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20, CONFIG_PHYSICAL_EXP = 24, CONFIG_WRITEBACK = 32,
       CONFIG_QUEUES = 34, CONFIG_DISCARD_SECTORS = 36, CONFIG_DISCARD_SEG = 40, CONFIG_DISCARD_ALIGN = 44,
       CONFIG_ZEROES_SECTORS = 48, CONFIG_ZEROES_SEG = 52, CONFIG_ZEROES_UNMAP = 56, CONFIG_SIZE = 60 };

static const struct disk_option *disk_of(const struct machine *m, const struct virtio *dev)
{
    return &m->options.disk[dev->unit];
}
static u32 block_of(const struct disk_option *disk) { return disk->block ? disk->block : SECTOR; }

static u64 features_of(struct machine *m, const struct virtio *dev)
{
    const struct disk_option *disk = disk_of(m, dev);
    u64 features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_CONFIG_WCE | F_DISCARD | F_WRITE_ZEROES;
    return (features & ~(u64)disk->without) | (disk->readonly ? F_RO : 0);
}

/* 1: writes may be kept back until a flush. A driver that takes the mode but cannot flush finds it off (5.2.5.2), but
 * for the legacy interface, where features change nothing (5.2.5.3). */
static bool writeback(const struct machine *m, const struct virtio *dev)
{
    bool off =
        disk_of(m, dev)->through || (!dev->legacy && (dev->driver_features & (F_CONFIG_WCE | F_FLUSH)) == F_CONFIG_WCE);
    return off == dev->turned;
}

/* Must a write be on stable storage when it completes (5.2.6.2)? */
static bool write_is_stable(const struct machine *m, const struct virtio *dev)
{
    u64 wanted = dev->driver_features & (F_CONFIG_WCE | F_FLUSH);
    return wanted & F_CONFIG_WCE ? !writeback(m, dev) : !wanted || disk_of(m, dev)->through;
}

static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    const struct disk_option *disk = disk_of(m, dev);
    u8 config[CONFIG_SIZE + 8] = { 0 };
    u32 align = disk->physical / SECTOR;
    while (disk->physical && block_of(disk) << config[CONFIG_PHYSICAL_EXP] < disk->physical)
        config[CONFIG_PHYSICAL_EXP]++;
    store_le64(config + CONFIG_CAPACITY, disk->size / SECTOR);
    store_le32(config + CONFIG_SEG_MAX, SEG_MAX);
    store_le32(config + CONFIG_BLK_SIZE, block_of(disk));
    config[CONFIG_WRITEBACK] = writeback(m, dev);
    config[CONFIG_QUEUES] = 1;
    store_le32(config + CONFIG_DISCARD_SECTORS, RANGE_SECTORS);
    store_le32(config + CONFIG_DISCARD_SEG, RANGES);
    store_le32(config + CONFIG_DISCARD_ALIGN, align ? align : block_of(disk) / SECTOR);
    store_le32(config + CONFIG_ZEROES_SECTORS, RANGE_SECTORS);
    store_le32(config + CONFIG_ZEROES_SEG, RANGES);
    config[CONFIG_ZEROES_UNMAP] = 1;
    u64 value = 0;
    if (offset + size <= CONFIG_SIZE)
        memcpy(&value, config + offset, size);
    return value;
}

/* The cache's mode can be chosen. What was kept back goes out before it is off. */
static bool config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value)
{
    if (offset != CONFIG_WRITEBACK || size != 1 || !(dev->driver_features & F_CONFIG_WCE))
        return false;
    if (writeback(m, dev) != (value & 1))
        dev->turned = !dev->turned;
    if (!(value & 1) && m->d.host.disk_flush)
        m->d.host.disk_flush(m->d.host.ctx, dev->unit);
    return true;
}

/* Whole blocks that lie in the disk. */
static bool in_disk(const struct disk_option *disk, u64 sector, u64 sectors)
{
    u64 all = disk->size / SECTOR, block = block_of(disk) / SECTOR;
    return sector <= all && sectors <= all - sector && sector % block == 0 && sectors % block == 0;
}

/* Moves `size` bytes between the disk at `at` and the chain at `offset`. False: beyond the end, an error, not RAM. */
static bool transfer(struct machine *m, struct virtio *dev, const struct virtio_chain *c, u64 sector, u64 size,
                     bool write)
{
    u8 buffer[CHUNK];
    const struct machine_host *host = &m->d.host;
    if (size % SECTOR || !in_disk(disk_of(m, dev), sector, size / SECTOR) || !host->disk_read || !host->disk_write)
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

static bool flush(struct machine *m, const struct virtio *dev)
{
    return !m->d.host.disk_flush || m->d.host.disk_flush(m->d.host.ctx, dev->unit);
}

static u8 write_done(struct machine *m, const struct virtio *dev, bool ok)
{
    return ok && (!write_is_stable(m, dev) || flush(m, dev)) ? S_OK : S_IOERR;
}

static u8 write_request(struct machine *m, struct virtio *dev, const struct virtio_chain *c, u64 sector)
{
    if (disk_of(m, dev)->readonly)
        return S_IOERR;
    return write_done(m, dev, transfer(m, dev, c, sector, c->readable - HEADER, true));
}

/* Discard and write zeroes: ranges of sectors. What is discarded stays as it is where the disk does not unmap. */
static u8 range_request(struct machine *m, struct virtio *dev, const struct virtio_chain *c, bool discard)
{
    const struct disk_option *disk = disk_of(m, dev);
    u8 range[RANGE_SIZE];
    if (!(virtio_offered(m, dev) & (discard ? F_DISCARD : F_WRITE_ZEROES)) || !m->d.host.disk_zero)
        return S_UNSUPP;
    if (disk->readonly || c->readable - HEADER != RANGE_SIZE || !virtio_copy_from(m, dev, c, HEADER, range, RANGE_SIZE))
        return S_IOERR;
    u64 sector = load_le64(range), sectors = load_le32(range + 8);
    u32 flags = load_le32(range + 12);
    if (flags & ~(discard ? 0u : RANGE_UNMAP))
        return S_UNSUPP;
    if (sectors > RANGE_SECTORS || !in_disk(disk, sector, sectors))
        return S_IOERR;
    if (discard && !disk->unmap)
        return S_OK;
    return write_done(m, dev,
                      m->d.host.disk_zero(m->d.host.ctx, dev->unit, sector * SECTOR, sectors * SECTOR,
                                          disk->unmap && (discard || flags & RANGE_UNMAP)));
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
    case T_OUT: return write_request(m, dev, c, sector);
    case T_DISCARD:
    case T_WRITE_ZEROES: return range_request(m, dev, c, load_le32(header) == T_DISCARD);
    case T_FLUSH: return flush(m, dev) ? S_OK : S_IOERR;
    case T_GET_ID:
        *len = data < ID_SIZE ? (u32)data : ID_SIZE;
        return virtio_copy_to(m, dev, c, 0, disk_of(m, dev)->serial, *len) ? S_OK : S_IOERR;
    default: return S_UNSUPP;
    }
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    struct virtio_chain c;
    u32 len = 0;
    if (!virtio_pop(m, dev, q, &c))
        return false;
    if (c.readable >= HEADER && c.writable) {
        u8 status = request(m, dev, &c, &len);
        if (virtio_copy_to(m, dev, &c, c.writable - 1, &status, 1))
            return virtio_push(m, dev, q, &c, len + 1);
    }
    virtio_fail(dev);
    return false;
}

const struct virtio_ops virtio_blk_ops = {
    .queues = 1, .config_size = CONFIG_SIZE, .queue_size = { 256 },
    .features_of = features_of,
    .back_end = BACK_END_DISK,
    .takes_ns = REQUEST_NS,
    .config_read = config_read,
    .config_write = config_write,
    .serve = serve,
};
