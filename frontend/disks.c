/*
 * The disks of the machine, each over its source (frontend/disk.h). snapshot=on keeps what is written in memory, sector
 * by sector as it comes, and leaves the source alone.
 */
#define _GNU_SOURCE
#include "frontend/disk.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 4096, HEAD = 128 /* bytes that say what format an image has */ };

struct disk {
    struct disk_source source;
    u64 size;
    u8 *overlay; /* snapshot: address space for the whole disk, filled as it is written */
    u8 *written; /* a bit a block */
    bool unflushed;
    struct disk_counts counts;
    bool guessed; /* raw, since it did not look like anything else: it must not come to look so */
};
struct disks {
    struct disk disk[MAX_DISKS];
    unsigned count;
};

static bool is_written(const struct disk *d, u64 block) { return d->written[block / 8] >> (block % 8) & 1; }

static void written_set(struct disk *d, u64 block) { d->written[block / 8] |= (u8)(1 << block % 8); }

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

/* What the first bytes of images of other formats are, at `at`. */
static const struct {
    const char *name, *magic;
    u32 size, at;
} formats[] = {
    { "qcow", "QFI\xfb\0\0\0\1", 8, 0 },
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

/* The format that an image's first HEAD bytes are of; NULL: none of these. */
static const char *format_of(const u8 *head)
{
    for (unsigned n = 0; n < ARRAY_LEN(formats); n++)
        if (!memcmp(head + formats[n].at, formats[n].magic, formats[n].size))
            return formats[n].name;
    return NULL;
}

/* Would an image that was taken for a raw one, since it looked like nothing else, look like something else after this
 * write? The next who opens it would take what a guest wrote for the names of other files. */
static bool disguises(const struct disk *d, u64 offset, const void *data, u64 size)
{
    u8 head[DISK_SECTOR];
    if (!d->guessed || d->overlay || offset >= HEAD || !size || !d->source.read(d->source.of, 0, head, sizeof(head)))
        return false;
    u64 part = sizeof(head) - offset < size ? sizeof(head) - offset : size;
    memcpy(head + offset, data, part);
    return format_of(head);
}

/* What is beyond the end of the source, in its last sector, is zeros. */
static bool source_read(const struct disk *d, u64 offset, void *data, u64 size)
{
    return d->source.read(d->source.of, offset, data, size);
}
static bool source_write(const struct disk *d, u64 offset, const void *data, u64 size)
{
    return d->source.write(d->source.of, offset, data, size);
}

/* What a disk lies on is gone: that ends the run. */
static bool ends_if_lost(void *ctx, const struct disk *d, bool ok)
{
    const char *why = ok || !d || !d->source.lost ? NULL : d->source.lost(d->source.of);
    if (why && ((struct frontend *)ctx)->console.m)
        machine_end(((struct frontend *)ctx)->console.m, END_ERROR, 1, why);
    return ok;
}

static bool bytes_read(const struct disk *d, u64 offset, void *data, u64 size)
{
    u8 *to = data;
    if (!d->overlay)
        return source_read(d, offset, data, size);
    while (size) {
        u64 part = block_part(offset, size);
        if (is_written(d, offset / BLOCK))
            memcpy(to, d->overlay + offset, part);
        else if (!source_read(d, offset, to, part))
            return false;
        to += part, offset += part, size -= part;
    }
    return true;
}

static bool counted(struct disk *d, enum disk_access what, u64 size, bool ok)
{
    if (d) {
        d->counts.of[what].count += ok;
        d->counts.of[what].bytes += ok ? size : 0;
        d->counts.of[what].failed += !ok;
    }
    return ok;
}

const struct disk_counts *disk_counts(const struct disks *all, unsigned n) { return &all->disk[n].counts; }

static bool disk_read(void *ctx, unsigned n, u64 offset, void *data, u64 size)
{
    struct disk *d = disk_of(ctx, n, offset, size);
    return counted(d, DISK_READ, size, ends_if_lost(ctx, d, d && bytes_read(d, offset, data, size)));
}

static bool bytes_write(struct disk *d, u64 offset, const void *data, u64 size)
{
    const u8 *from = data;
    if (!d->overlay)
        return !disguises(d, offset, data, size) && source_write(d, offset, data, size);
    while (size) {
        u64 part = block_part(offset, size), block = offset / BLOCK, first = block * BLOCK;
        if (!is_written(d, block) && part < BLOCK) {
            u64 all = d->size - first < BLOCK ? d->size - first : BLOCK;
            if (!source_read(d, first, d->overlay + first, all))
                return false;
        }
        memcpy(d->overlay + offset, from, part);
        written_set(d, block);
        from += part, offset += part, size -= part;
    }
    return true;
}

static bool disk_write(void *ctx, unsigned n, u64 offset, const void *data, u64 size)
{
    struct disk *d = disk_of(ctx, n, offset, size);
    bool ok = counted(d, DISK_WRITE, size, ends_if_lost(ctx, d, d && bytes_write(d, offset, data, size)));
    if (d && ok && offset + size > d->counts.highest)
        d->counts.highest = offset + size;
    return ok;
}

/* Zeros of a range by writing them. */
static bool zeros_write(struct disk *d, u64 offset, u64 size)
{
    static const u8 zeros[16 * BLOCK];
    for (u64 part; size; offset += part, size -= part) {
        part = size < sizeof(zeros) ? size : sizeof(zeros);
        if (!bytes_write(d, offset, zeros, part))
            return false;
    }
    return true;
}

/* Blocks that are zeros as a whole need no memory, where the host has pages of their size: it would round up. */
static bool overlay_zero(struct disk *d, u64 offset, u64 size)
{
    u64 page = (u64)getpagesize(), unit = page < BLOCK ? BLOCK : page;
    u64 first = align_up(offset, unit), last = (offset + size) / unit * unit;
    if (first >= last)
        return zeros_write(d, offset, size);
    if (madvise(d->overlay + first, last - first, MADV_DONTNEED))
        return false;
    for (u64 block = first / BLOCK; block < last / BLOCK; block++)
        written_set(d, block);
    return zeros_write(d, offset, first - offset) && zeros_write(d, last, offset + size - last);
}

static bool disk_zero(void *ctx, unsigned n, u64 offset, u64 size, bool unmap)
{
    struct disk *d = disk_of(ctx, n, offset, size);
    if (!d || !size)
        return d;
    bool ok = d->overlay ? ends_if_lost(ctx, d, overlay_zero(d, offset, size))
                         : (d->source.zero && d->source.zero(d->source.of, offset, size, unmap)) ||
                               ends_if_lost(ctx, d, zeros_write(d, offset, size));
    return counted(d, unmap ? DISK_UNMAP : DISK_WRITE, size, ok);
}

static bool disk_flush(void *ctx, unsigned n)
{
    struct disk *d = disk_of(ctx, n, 0, 0);
    bool ok = d && (d->overlay || d->unflushed || !d->source.flush || d->source.flush(d->source.of));
    return counted(d, DISK_FLUSH, 0, ends_if_lost(ctx, d, ok));
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
    return d && source_read(d, offset, data, size);
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

/* ---- opening ---- */

/* Where bytes come from, by the name that driver= has for it. */
static const struct {
    const char *name;
    struct disk_source (*open)(const struct drive_config *config, bool readonly);
} protocols[] = {
    { "file", disk_file_open },     { "host_device", disk_file_open }, { "null-co", disk_null_open },
    { "null-aio", disk_null_open }, { "vvfat", disk_fat_open },
};

static struct disk_source source_open(const struct drive_config *config, bool readonly)
{
    for (unsigned n = 0; n < ARRAY_LEN(protocols); n++)
        if (!strcmp(protocols[n].name, config->protocol))
            return protocols[n].open(config, readonly);
    die("-drive %s: no driver '%s'", config->file, config->protocol);
}

/* The format that the image looks like, raw if like none. */
static const char *format_guess(const struct disk_source *source, const char *name)
{
    u8 head[DISK_SECTOR] = { 0 };
    if (source->size && !source->read(source->of, 0, head, sizeof(head)))
        die("-drive %s: cannot be read", name);
    const char *format = format_of(head);
    if (format && !strcmp(format, "luks"))
        die("-drive %s: is a luks image, which is not supported (format=raw takes it as it is)", name);
    return format ? format : "raw";
}

/* What it is said to be, else what it looks like; what is not raw is opened by its format. */
static void source_find(struct disk *d, const struct drive_config *said, bool readonly)
{
    struct drive_config config = *said;
    if (!config.format[0]) {
        d->source = source_open(&config, readonly);
        snprintf(config.format, sizeof(config.format), "%s", format_guess(&d->source, config.file));
        d->guessed = !strcmp(config.format, "raw");
        if (d->guessed)
            return;
        d->source.close(d->source.of);
    }
    if (!strcmp(config.format, "raw"))
        d->source = source_open(&config, readonly);
    else if (config.offset || config.has_size || strcmp(config.protocol, "file"))
        die("-drive %s: offset=, size= and sources that are no file go with format=raw", config.file);
    else
        d->source = disk_nbd_open(&config, readonly);
}

static void disk_open(struct disk *d, const struct drive_config *config, bool snapshot, struct disk_option *out)
{
    source_find(d, config, config->readonly || snapshot);
    d->size = align_up(d->source.size, DISK_SECTOR); /* the rest of a last partial sector reads as zeros */
    if (!d->size)
        die("-drive %s: the image is empty", config->file);
    if (snapshot)
        overlay_make(d, config->file);
    d->unflushed = config->unflushed;
    out->size = d->size;
    out->readonly = config->readonly || (d->source.readonly && !snapshot);
    out->unmap = config->unmap;
    out->through = config->through;
}

struct disks *disks_open(const struct options *o, struct machine_config *config)
{
    struct disks *all = calloc(1, sizeof(*all));
    if (!all)
        die("out of memory");
    all->count = o->drive_count;
    for (unsigned n = 0; n < o->drive_count; n++)
        disk_open(&all->disk[n], &o->drive[n], o->snapshot || o->drive[n].snapshot, &config->options.disk[n]);
    config->host.disk_read = disk_read;
    config->host.disk_write = disk_write;
    config->host.disk_flush = disk_flush;
    config->host.disk_zero = disk_zero;
    config->host.disk_change = disk_change;
    config->host.disk_read_file = disk_read_file;
    config->host.disk_set = disk_set;
    return all;
}

bool disks_close(struct disks *all)
{
    bool complete = true;
    for (unsigned n = 0; n < all->count; n++) {
        struct disk *d = &all->disk[n];
        complete = d->source.close(d->source.of) && complete;
        if (d->overlay)
            munmap(d->overlay, align_up(d->size, BLOCK) + BLOCK);
        free(d->written);
    }
    free(all);
    return complete;
}
