/* Files for debug/: written whole under a temporary name and renamed, so that a killed writer leaves the old one; read
 * by map. */
#ifndef DEBUG_FILE_H
#define DEBUG_FILE_H

#include "lib/base.h"

struct new_file;
/* NULL: error says why. */
struct new_file *new_file_open(const char *name, char error[256]);
bool new_file_put(struct new_file *f, const void *bytes, u64 size);
/* Where the next byte goes. */
u64 new_file_at(const struct new_file *f);
/* Puts bytes at an earlier place. */
bool new_file_patch(struct new_file *f, u64 at, const void *bytes, u64 size);
/* It shall not come to be: new_file_done only removes it. */
void new_file_spoil(struct new_file *f);
/* The nanoseconds that its time of change will have. */
void new_file_set_ns(struct new_file *f, u32 ns);
/* Closes and renames; after an error of new_file_put it only removes. In any case f is gone. */
bool new_file_done(struct new_file *f, char error[256]);

struct file_map {
    const u8 *bytes;
    u64 size;
    int fd;
    u32 ns; /* nanoseconds of its time of change */
};
bool file_map(struct file_map *m, const char *name, char error[256]);
void file_unmap(struct file_map *m);

#endif
