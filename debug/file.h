/* Host files: written whole under a temporary name and renamed, so that a killed writer leaves the old one; or, where
 * the name is of a FIFO, a device or one of the program's own streams, through it; read by map. */
#ifndef DEBUG_FILE_H
#define DEBUG_FILE_H

#include "lib/base.h"

/* Is there something at this name that is to be written through: neither a new nor a plain file of its own? */
bool file_is_stream(const char *name);
/* Opens a file to be written as it comes; -1: errno says why. /dev/stdout, /dev/fd/N, and the file that standard output
 * or standard error goes to, are the descriptor itself, others are emptied and appended to: so the writers to one file
 * keep their order. */
int file_open_stream(const char *name);
/* What `name` stands for when it is a symbolic link; else itself. False: too long. */
bool file_target(const char *name, char *target, size_t room);
/* Can a new file of this name be made, as far as can be told without making it? */
bool file_can_be(const char *name, char error[256]);

struct new_file;
/* NULL: error says why. */
struct new_file *new_file_open(const char *name, char error[256]);
bool new_file_put(struct new_file *f, const void *bytes, u64 size);
/* Where the next byte goes. */
u64 new_file_at(const struct new_file *f);
/* Zeros that take no room where the file system can do that. */
void new_file_skip(struct new_file *f, u64 size);
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
