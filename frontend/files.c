/* Host files: read whole, written whole or not at all. */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* From something without a size (a pipe). */
static struct blob stream_read(const char *what, const char *name, int fd)
{
    u64 size = 0, room = 1 << 20;
    u8 *data = malloc(room);
    for (ssize_t n; data;) {
        if (size == room)
            data = realloc(data, room *= 2);
        if (!data || (n = read(fd, data + size, room - size)) == 0)
            break;
        if (n < 0)
            die("%s %s: %s", what, name, strerror(errno));
        size += (u64)n;
    }
    if (!data)
        die("%s %s: out of memory", what, name);
    return (struct blob){ name, data, size, false };
}

/* With the words that scripts look for. */
static _Noreturn void cannot_read(const char *what, const char *name, const char *why)
{
    if (!strcmp(what, "-kernel") || !strcmp(what, "-initrd"))
        die("%s %s: %s (could not load %s '%s')", what, name, why, what + 1, name);
    if (!strcmp(what, "-dtb"))
        die("%s %s: %s (Couldn't open dtb file %s)", what, name, why, name);
    die("%s %s: %s", what, name, why);
}

struct blob file_read(const char *what, const char *name)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st))
        cannot_read(what, name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        cannot_read(what, name, "is a directory, expected a file");
    struct blob blob = { name, (const u8 *)"", 0, false };
    if (!S_ISREG(st.st_mode)) {
        blob = stream_read(what, name, fd);
    } else if (st.st_size) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            die("%s %s: %s", what, name, strerror(errno));
        blob.data = data;
        blob.size = (u64)st.st_size;
        blob.mapped = true;
    }
    close(fd);
    return blob;
}

void file_idle(const struct blob *file)
{
    if (file->mapped)
        madvise((void *)(uintptr_t)file->data, file->size, MADV_DONTNEED);
}

void file_write(const char *name, const void *data, u64 size)
{
    char temporary[1100];
    snprintf(temporary, sizeof(temporary), "%s.XXXXXX", name);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        die("%s: %s", name, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    if (write(fd, data, size) != (ssize_t)size || fchmod(fd, 0666 & ~mask) || close(fd) || rename(temporary, name)) {
        int error = errno;
        unlink(temporary);
        die("%s: %s", name, strerror(error));
    }
}
