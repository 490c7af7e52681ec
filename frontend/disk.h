/*
 * Where the bytes of a disk are: a file, nothing, a directory, another program. disks.c asks them for whole sectors
 * within the size that they said, and keeps what is written apart from them where -drive says so (snapshot=on).
 */
#ifndef FRONTEND_DISK_H
#define FRONTEND_DISK_H

#include "frontend/frontend.h"

enum { DISK_SECTOR = 512 };

/* What a disk is read from. Offsets and sizes in bytes; false: an I/O error. */
struct disk_source {
    void *of;
    bool readonly; /* it cannot be written to, whatever was asked */
    u64 size;      /* bytes; what is read beyond it in its last sector is zeros */
    bool (*read)(void *of, u64 offset, void *data, u64 size);
    bool (*write)(void *of, u64 offset, const void *data, u64 size);
    bool (*flush)(void *of); /* NULL: nothing is kept back */
    /* Makes zeros of a range; unmap: it need not take room any more. NULL or false: zeros are to be written. */
    bool (*zero)(void *of, u64 offset, u64 size, bool unmap);
    /* NULL, or: what it is read from is gone for good, and why; NULL while it is there. */
    const char *(*lost)(void *of);
    /* False: what was to be kept was not; said so. */
    bool (*close)(void *of);
};

/* Each opens what the drive names, to be written to or not; dies with a message. */
struct disk_source disk_file_open(const struct drive_config *config, bool readonly);
struct disk_source disk_null_open(const struct drive_config *config, bool readonly);
struct disk_source disk_fat_open(const struct drive_config *config, bool readonly);
/* An image of config->format, which is none of ours. */
struct disk_source disk_nbd_open(const struct drive_config *config, bool readonly);

#endif
