/*
 * Ways to a file that lead nowhere else: each component of a path is opened from the folder's descriptor on, without
 * following a symbolic link; and what is to be read or written is looked at by a descriptor that opens nothing
 * (O_PATH), and opened by that: so a FIFO or a device is never opened, not for a moment.
 */
#define _GNU_SOURCE
#include "frontend/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *fd_name(int fd, char text[32])
{
    snprintf(text, 32, "/proc/self/fd/%d", fd);
    return text;
}

static int close_keeping_errno(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int folder_enter(int dir, const char *name)
{
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close_keeping_errno(dir);
    return fd;
}

/* Reading does not change what is seen of the file the next time. */
int file_reopen(int path, int flags)
{
    char name[32];
    flags |= O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
    int fd = open(fd_name(path, name), flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? open(name, flags) : fd;
}

/* The last component; a folder was asked for if there is a slash behind it. */
static int last_open(int dir, const char *name)
{
    struct stat st;
    int path = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    close_keeping_errno(dir);
    if (path < 0 || fstat(path, &st))
        return path < 0 ? -1 : close_keeping_errno(path);
    errno = EACCES;
    int fd = S_ISREG(st.st_mode) ? file_reopen(path, O_RDONLY) : -1;
    close_keeping_errno(path);
    return fd;
}

int inside_open(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (dir >= 0) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (!length || length > NAME_MAX || (length == 2 && !memcmp(path, "..", 2))) {
            errno = EACCES;
            return close_keeping_errno(dir);
        }
        memcpy(name, path, length);
        name[length] = 0;
        path += length;
        if (!*path)
            return last_open(dir, name);
        dir = folder_enter(dir, name);
    }
    if (errno == ELOOP || errno == ENOTDIR) /* a link, which no folder is */
        errno = EACCES;
    return -1;
}
