/*
 * Disks: raw images. snapshot=on keeps what is written in memory, sector by sector as it comes, and leaves the file
 * alone.
 */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, SECTOR = 512 };

struct disk {
    int fd;
    u64 size;
    u8 *overlay; /* snapshot: address space for the whole disk, filled as it is written */
    u8 *written; /* a bit a block */
};
struct disks {
    struct disk disk[MAX_DISKS];
    unsigned count;
};

static bool whole_read(int fd, u64 offset, void *data, u64 size)
{
    u8 *to = data;
    while (size) {
        ssize_t n = pread(fd, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0) { /* the file shrank */
            memset(to, 0, size);
            return true;
        }
        to += n, offset += (u64)n, size -= (u64)n;
    }
    return true;
}

static bool whole_write(int fd, u64 offset, const void *data, u64 size)
{
    const u8 *from = data;
    while (size) {
        ssize_t n = pwrite(fd, from, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += n, offset += (u64)n, size -= (u64)n;
    }
    return true;
}

static bool is_written(const struct disk *d, u64 block) { return d->written[block / 8] >> (block % 8) & 1; }

/* The part of [offset, offset + size) within its first block. */
static u64 block_part(u64 offset, u64 size)
{
    u64 part = BLOCK - offset % BLOCK;
    return part < size ? part : size;
}

static struct disk *disk_of(void *ctx, unsigned n, u64 offset, u64 size)
{
    struct disks *all = ((struct frontend *)ctx)->disks;
    struct disk *d = &all->disk[n];
    return n < all->count && offset <= d->size && size <= d->size - offset ? d : NULL;
}

static bool disk_read(void *ctx, unsigned n, u64 offset, void *data, u64 size)
{
    struct disk *d = disk_of(ctx, n, offset, size);
    u8 *to = data;
    if (!d || !d->overlay)
        return d && whole_read(d->fd, offset, data, size);
    while (size) {
        u64 part = block_part(offset, size);
        if (is_written(d, offset / BLOCK))
            memcpy(to, d->overlay + offset, part);
        else if (!whole_read(d->fd, offset, to, part))
            return false;
        to += part, offset += part, size -= part;
    }
    return true;
}

static bool disk_write(void *ctx, unsigned n, u64 offset, const void *data, u64 size)
{
    struct disk *d = disk_of(ctx, n, offset, size);
    const u8 *from = data;
    if (!d || !d->overlay)
        return d && whole_write(d->fd, offset, data, size);
    while (size) {
        u64 part = block_part(offset, size), block = offset / BLOCK, first = block * BLOCK;
        if (!is_written(d, block) && part < BLOCK) {
            u64 all = d->size - first < BLOCK ? d->size - first : BLOCK;
            if (!whole_read(d->fd, first, d->overlay + first, all))
                return false;
        }
        memcpy(d->overlay + offset, from, part);
        d->written[block / 8] |= (u8)(1 << block % 8);
        from += part, offset += part, size -= part;
    }
    return true;
}

static bool disk_flush(void *ctx, unsigned n)
{
    struct disk *d = disk_of(ctx, n, 0, 0);
    return d && (d->overlay || !fdatasync(d->fd) || errno == EINVAL || errno == EROFS);
}

/* ---- for snapshots ---- */

static s64 disk_change(void *ctx, unsigned n, u64 block)
{
    struct disk *d = disk_of(ctx, n, 0, 0);
    if (!d || !d->overlay)
        return -2;
    for (; block * BLOCK < d->size; block++)
        if (is_written(d, block))
            return (s64)block;
    return -1;
}

static bool disk_read_file(void *ctx, unsigned n, u64 offset, void *data, u64 size)
{
    struct disk *d = disk_of(ctx, n, offset, size);
    return d && whole_read(d->fd, offset, data, size);
}

static bool disk_set(void *ctx, unsigned n, u64 block, const void *data, u64 size)
{
    struct disk *d = disk_of(ctx, n, 0, 0);
    if (!d || !d->overlay)
        return false;
    if (!data) {
        memset(d->written, 0, d->size / BLOCK / 8 + 1);
        return !madvise(d->overlay, align_up(d->size, BLOCK) + BLOCK, MADV_DONTNEED);
    }
    return block <= d->size / BLOCK && size <= BLOCK && disk_write(ctx, n, block * BLOCK, data, size);
}

static void overlay_make(struct disk *d, const char *name)
{
    void *space = mmap(NULL, align_up(d->size, BLOCK) + BLOCK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    d->written = calloc(d->size / BLOCK / 8 + 1, 1);
    if (space == MAP_FAILED || !d->written)
        die("-drive %s: no memory for snapshot=on", name);
    d->overlay = space;
}

/* What the first bytes of images of other formats are, at `at`. */
static const struct {
    const char *name, *magic;
    u32 size, at;
} formats[] = {
    { "qcow2", "QFI\xfb", 4, 0 },
    { "qed", "QED\0", 4, 0 },
    { "vmdk", "KDMV", 4, 0 },
    { "vmdk", "COWD", 4, 0 },
    { "vmdk", "# Disk DescriptorFile", 21, 0 },
    { "vdi", "\x7f\x10\xda\xbe", 4, 64 },
    { "vhdx", "vhdxfile", 8, 0 },
    { "vpc", "conectix", 8, 0 },
    { "parallels", "WithoutFreeSpace", 16, 0 },
    { "parallels", "WithouFreSpacExt", 16, 0 },
    { "bochs", "Bochs Virtual HD Image", 22, 0 },
    { "cloop", "#!/bin/sh\n#V2.0 Format\nmodprobe cloop", 37, 0 },
    { "luks", "LUKS\xba\xbe", 6, 0 },
};

/* An image of another format would be destroyed by what the guest writes. */
static void format_probe(const struct disk *d, const char *name)
{
    u8 head[128] = { 0 };
    if (!whole_read(d->fd, 0, head, d->size < sizeof(head) ? d->size : sizeof(head)))
        die("-drive %s: %s", name, strerror(errno));
    for (unsigned n = 0; n < ARRAY_LEN(formats); n++)
        if (!memcmp(head + formats[n].at, formats[n].magic, formats[n].size))
            die("-drive %s: is a %s image, and only raw ones are supported (format=raw takes it as it is)", name,
                formats[n].name);
}

static void disk_open(struct disk *d, const struct drive_config *config, struct disk_option *out)
{
    bool readonly = config->readonly || config->snapshot;
    struct stat st;
    d->fd = open(config->file, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
    if (d->fd < 0 || fstat(d->fd, &st))
        die("-drive %s: %s", config->file, strerror(errno));
    if (S_ISDIR(st.st_mode))
        die("-drive %s: is a directory, expected a disk image", config->file);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        die("-drive %s: is a pipe or a device without blocks, expected a disk image", config->file);
    if (!readonly && S_ISREG(st.st_mode) && flock(d->fd, LOCK_EX | LOCK_NB))
        die("-drive %s: another program writes to it", config->file);
    off_t end = S_ISREG(st.st_mode) ? st.st_size : lseek(d->fd, 0, SEEK_END);
    d->size = end > 0 ? align_up((u64)end, SECTOR) : 0; /* the rest of a last partial sector reads as zeros */
    if (!d->size)
        die("-drive %s: the image is empty", config->file);
    if (!config->raw)
        format_probe(d, config->file);
    if (config->snapshot)
        overlay_make(d, config->file);
    out->size = d->size;
    out->readonly = config->readonly;
}

struct disks *disks_open(const struct options *o, struct machine_config *config)
{
    struct disks *all = calloc(1, sizeof(*all));
    if (!all)
        die("out of memory");
    all->count = o->drive_count;
    for (unsigned n = 0; n < o->drive_count; n++)
        disk_open(&all->disk[n], &o->drive[n], &config->options.disk[n]);
    config->host.disk_read = disk_read;
    config->host.disk_write = disk_write;
    config->host.disk_flush = disk_flush;
    config->host.disk_change = disk_change;
    config->host.disk_read_file = disk_read_file;
    config->host.disk_set = disk_set;
    return all;
}

void disks_close(struct disks *all)
{
    for (unsigned n = 0; n < all->count; n++) {
        struct disk *d = &all->disk[n];
        close(d->fd);
        if (d->overlay)
            munmap(d->overlay, align_up(d->size, BLOCK) + BLOCK);
        free(d->written);
    }
    free(all);
}
