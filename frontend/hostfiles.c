/* Files of the host for semihosting. Handles are the host's descriptors; only those that a guest opened are accepted.
 */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 64 };
static int files[FILES]; /* descriptor + 1; 0: free */

static int fd_of(s64 handle) { return handle >= 0 && handle < FILES ? files[handle] - 1 : -1; }

static s64 result(s64 value) { return value < 0 ? -errno : value; }

static s64 host_open(void *who, const char *name, unsigned mode)
{
    /* r, rb, r+, r+b, w, wb, w+, w+b, a, ab, a+, a+b */
    static const int flags[3] = { O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_APPEND };
    int flag = flags[mode / 4 % 3];
    (void)who;
    if (mode & 2)
        flag = (flag & ~O_ACCMODE) | O_RDWR;
    for (int n = 0; n < FILES; n++) {
        if (files[n])
            continue;
        int fd = open(name, flag | O_CLOEXEC, 0644);
        if (fd < 0)
            return -errno;
        files[n] = fd + 1;
        return n;
    }
    return -EMFILE;
}

static s64 host_close(void *who, s64 handle)
{
    int fd = fd_of(handle);
    (void)who;
    if (fd < 0)
        return -EBADF;
    files[handle] = 0;
    return result(close(fd));
}

static s64 host_read(void *who, s64 handle, void *data, u64 size)
{
    (void)who;
    return result(read(fd_of(handle), data, size));
}

static s64 host_write(void *who, s64 handle, const void *data, u64 size)
{
    (void)who;
    return result(write(fd_of(handle), data, size));
}

static s64 host_seek(void *who, s64 handle, u64 offset)
{
    (void)who;
    return result(lseek(fd_of(handle), (off_t)offset, SEEK_SET));
}

static s64 host_length(void *who, s64 handle)
{
    struct stat st;
    (void)who;
    return fstat(fd_of(handle), &st) ? -errno : st.st_size;
}

static s64 host_is_tty(void *who, s64 handle)
{
    (void)who;
    return isatty(fd_of(handle));
}

static s64 host_remove(void *who, const char *name)
{
    (void)who;
    return result(unlink(name));
}

static s64 host_rename(void *who, const char *from, const char *to)
{
    (void)who;
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
