/* Files of the host for semihosting. Handles are rows of the machine's own table; only what its guest opened is
 * accepted. */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int *slot_of(void *ctx, s64 handle)
{
    struct hostfiles *files = &((struct frontend *)ctx)->files;
    return handle >= 0 && handle < HOST_FILES ? &files->file[handle] : NULL;
}

/* -1: none. */
static int fd_of(void *ctx, s64 handle)
{
    const int *slot = slot_of(ctx, handle);
    return slot ? *slot - 1 : -1;
}

static s64 result(s64 value) { return value < 0 ? -errno : value; }

static s64 host_open(void *ctx, const char *name, unsigned mode)
{
    /* r, rb, r+, r+b, w, wb, w+, w+b, a, ab, a+, a+b */
    static const int flags[3] = { O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_APPEND };
    int flag = flags[mode / 4 % 3];
    if (mode & 2)
        flag = (flag & ~O_ACCMODE) | O_RDWR;
    for (int n = 0; n < HOST_FILES; n++) {
        int *slot = slot_of(ctx, n);
        if (*slot)
            continue;
        int fd = open(name, flag | O_CLOEXEC, 0644);
        if (fd < 0)
            return -errno;
        *slot = fd + 1;
        return n;
    }
    return -EMFILE;
}

static s64 host_close(void *ctx, s64 handle)
{
    int fd = fd_of(ctx, handle);
    if (fd < 0)
        return -EBADF;
    *slot_of(ctx, handle) = 0;
    return result(close(fd));
}

static s64 host_read(void *ctx, s64 handle, void *data, u64 size)
{
    return result(read(fd_of(ctx, handle), data, size));
}

static s64 host_write(void *ctx, s64 handle, const void *data, u64 size)
{
    return result(write(fd_of(ctx, handle), data, size));
}

static s64 host_seek(void *ctx, s64 handle, u64 offset)
{
    return result(lseek(fd_of(ctx, handle), (off_t)offset, SEEK_SET));
}

static s64 host_length(void *ctx, s64 handle)
{
    struct stat st;
    return fstat(fd_of(ctx, handle), &st) ? -errno : st.st_size;
}

static s64 host_is_tty(void *ctx, s64 handle)
{
    int fd = fd_of(ctx, handle);
    return fd < 0 ? -EBADF : isatty(fd);
}

static s64 host_remove(void *ctx, const char *name)
{
    (void)ctx;
    return result(unlink(name));
}

static s64 host_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return result(rename(from, to));
}

void hostfiles_set(struct machine_host *host)
{
    host->file_open = host_open;
    host->file_close = host_close;
    host->file_read = host_read;
    host->file_write = host_write;
    host->file_seek = host_seek;
    host->file_length = host_length;
    host->file_is_tty = host_is_tty;
    host->file_remove = host_remove;
    host->file_rename = host_rename;
}

void hostfiles_close(struct hostfiles *files)
{
    for (unsigned n = 0; n < HOST_FILES; n++) {
        if (files->file[n])
            close(files->file[n] - 1);
        files->file[n] = 0;
    }
}
