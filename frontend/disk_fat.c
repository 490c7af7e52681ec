/* Disks that are folders (fat:DIR, QEMU's vvfat): a FAT file system in memory, made when elmu starts. With rw: what the
 * guest changed is in the folder when elmu ends; without, the disk cannot be written to. */
#define _GNU_SOURCE
#include "frontend/disk.h"
#include "frontend/fat.h"

#include <stdlib.h>

static bool image_read(void *of, u64 offset, void *data, u64 size)
{
    memcpy(data, ((struct fat *)of)->image + offset, size);
    return true;
}

/* A sector that holds the same as before was not changed: its file need not be written. */
static bool image_write(void *of, u64 offset, const void *data, u64 size)
{
    struct fat *f = of;
    const u8 *from = data;
    for (u64 part; size; offset += part, from += part, size -= part) {
        u64 sector = offset / FAT_SECTOR, left = FAT_SECTOR - offset % FAT_SECTOR;
        part = size < left ? size : left;
        if (!memcmp(f->image + offset, from, part))
            continue;
        memcpy(f->image + offset, from, part);
        f->written[sector / 8] |= (u8)(1 << sector % 8);
        f->changed = true;
    }
    return true;
}

static bool image_close(void *of)
{
    struct fat *f = of;
    bool ok = fat_back(f);
    fat_free(f);
    free(f);
    return ok;
}

struct disk_source disk_fat_open(const struct drive_config *config, bool readonly)
{
    struct fat *f = calloc(1, sizeof(*f));
    (void)readonly;
    if (!f)
        die("out of memory");
    fat_make(f, config->file, (unsigned)config->fat.bits, config->fat.floppy, config->fat.label);
    return (struct disk_source){ .of = f,
                                 .size = f->size,
                                 .readonly = !config->fat.rw,
                                 .read = image_read,
                                 .write = image_write,
                                 .close = image_close };
}
