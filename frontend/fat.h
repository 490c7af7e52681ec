/*
 * A FAT file system in memory (Microsoft's FAT32 File System Specification 1.03: FAT12, FAT16, FAT32, long names): made
 * of a folder (fat.c), and read back into it (fat_back.c). disk_fat.c makes a disk of it.
 */
#ifndef FRONTEND_FAT_H
#define FRONTEND_FAT_H

#include "frontend/options.h"

#include <sys/stat.h>

enum { FAT_SECTOR = 512, FAT_ENTRY = 32, FAT_DEPTH = 16, FAT_NAME = 256 * 3 /* UTF-8, with its end */ };
/* A directory entry (6, 7): offsets, attributes. */
enum { ENTRY_ATTR = 11, ENTRY_CASE = 12, ENTRY_CHECKSUM = 13, ENTRY_DATE = 24, ENTRY_HIGH = 20, ENTRY_LOW = 26,
       ENTRY_SIZE = 28 };
enum { ATTR_READONLY = 1, ATTR_VOLUME = 8, ATTR_FOLDER = 16, ATTR_ARCHIVE = 32, ATTR_LONG = 15, LONG_LAST = 0x40,
       LONG_CHARS = 13 };

/* A file or folder of the host that is in the image. */
struct fat_origin {
    char *path; /* from the folder on */
    struct stat st;
    u32 cluster;
    bool link;   /* what a symbolic link names: it is not written back */
    bool unread; /* it could not be read: nothing of it is in the image */
    bool folder, seen;
};

struct fat {
    u8 *image;
    u64 size; /* bytes */
    char label[12];
    unsigned bits; /* 12, 16, 32 */
    u32 first;     /* sector of the volume: after the partition table, or 0 */
    u32 reserved, fat_sectors, root_entries, cluster_sectors, clusters; /* clusters have numbers from 2 on */
    u32 free;                                                           /* the next that nothing lies in */
    bool floppy;
    int folder; /* descriptor */
    char *name; /* of the folder, for messages */
    struct fat_origin *origin;
    unsigned origins, left_out;
    u8 *written;  /* by the guest: a bit a sector */
    bool changed; /* any was */
};

/* ---- fat.c ---- */
/* Makes the file system of a folder. Dies with a message: no folder, or it does not fit. */
void fat_make(struct fat *f, const char *folder, unsigned bits, bool floppy, const char *label);
void fat_free(struct fat *f);
/* Entry of a cluster in the first table. */
u32 fat_get(const struct fat *f, u32 cluster);
/* The bytes of a cluster, which exists. */
u8 *fat_cluster(const struct fat *f, u32 cluster);
/* The entries of the root folder of FAT12 and FAT16; NULL: it is a chain of clusters. */
u8 *fat_root(const struct fat *f);
/* The cluster in which the root folder of FAT32 begins, as its boot sector says. */
u32 fat_root_cluster(const struct fat *f);
/* Of the short name: what the entries of its long one must have. */
u8 fat_checksum(const u8 name[11]);
/* Are partition table and boot sector still those of this file system? */
bool fat_is_same(const struct fat *f);

/* ---- fat_back.c ---- */
/* Brings what the guest changed back to the folder: all of it, or nothing when it is not a whole file system. False:
 * something could not be written; said so. */
bool fat_back(struct fat *f);

#endif
