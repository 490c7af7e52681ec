/* Disks that are files (raw images) or devices of the host, and those that are nothing (null-co). */
#define _GNU_SOURCE
#include "frontend/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- null-co: zeros, and what is written is forgotten ---- */

static bool null_read(void *of, u64 offset, void *data, u64 size)
{
    (void)of, (void)offset;
    memset(data, 0, size);
    return true;
}
static bool null_write(void *of, u64 offset, const void *data, u64 size)
{
    (void)of, (void)offset, (void)data, (void)size;
    return true;
}
static bool null_zero(void *of, u64 offset, u64 size, bool unmap)
{
    (void)unmap;
    return null_write(of, offset, NULL, size);
}
static bool null_close(void *of) { return !of; }

struct disk_source disk_null_open(const struct drive_config *config, bool readonly)
{
    (void)readonly;
    return (struct disk_source){ .size = config->has_size ? config->size : (u64)1 << 30,
                                 .read = null_read,
                                 .write = null_write,
                                 .zero = null_zero,
                                 .close = null_close };
}

/* ---- files ---- */

struct file {
    int fd;
    u64 start; /* raw's offset= */
};

static bool file_read_at(void *of, u64 offset, void *data, u64 size)
{
    const struct file *f = of;
    u8 *to = data;
    offset += f->start;
    while (size) {
        ssize_t n = pread(f->fd, to, size, (off_t)offset);
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

static bool file_write_at(void *of, u64 offset, const void *data, u64 size)
{
    const struct file *f = of;
    const u8 *from = data;
    offset += f->start;
    while (size) {
        ssize_t n = pwrite(f->fd, from, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += n, offset += (u64)n, size -= (u64)n;
    }
    return true;
}

static bool file_flush(void *of) { return !fdatasync(((struct file *)of)->fd) || errno == EINVAL || errno == EROFS; }

/* A hole; where the file system has none, zeros are written. */
static bool file_zero(void *of, u64 offset, u64 size, bool unmap)
{
    const struct file *f = of;
    int mode = unmap ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
    return !fallocate(f->fd, mode, (off_t)(f->start + offset), (off_t)size);
}

static bool file_close(void *of)
{
    close(((struct file *)of)->fd);
    free(of);
    return true;
}

struct disk_source disk_file_open(const struct drive_config *config, bool readonly)
{
    const char *name = config->file;
    struct file *f = calloc(1, sizeof(*f));
    struct stat st;
    if (!f)
        die("out of memory");
    f->fd = open(name, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
    if (f->fd < 0 || fstat(f->fd, &st))
        die("-drive %s: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        die("-drive %s: is a directory, expected a disk image", name);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        die("-drive %s: is a pipe or a device without blocks, expected a disk image", name);
    if (!readonly && !config->unlocked && S_ISREG(st.st_mode) && flock(f->fd, LOCK_EX | LOCK_NB))
        die("-drive %s: another program writes to it", name);
    off_t end = S_ISREG(st.st_mode) ? st.st_size : lseek(f->fd, 0, SEEK_END);
    u64 size = end > 0 ? (u64)end : 0;
    if (config->offset > size || (config->has_size && config->size > size - config->offset))
        die("-drive %s: offset= and size= name more than there is (%llu bytes)", name, (unsigned long long)size);
    f->start = config->offset;
    size = config->has_size ? config->size : size - config->offset;
    return (struct disk_source){ .of = f,
                                 .size = size,
                                 .read = file_read_at,
                                 .write = file_write_at,
                                 .flush = file_flush,
                                 .zero = file_zero,
                                 .close = file_close };
}
