/* Files: written whole or not at all, read by map. */
#define _GNU_SOURCE
#include "debug/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct new_file {
    FILE *f;
    bool bad;
    long ns; /* -1: whatever it is */
    char name[1024], temporary[1040];
};

struct new_file *new_file_open(const char *name, char error[256])
{
    struct new_file *n = calloc(1, sizeof(*n));
    snprintf(error, 256, "out of memory");
    if (!n)
        return NULL;
    n->ns = -1;
    int length = snprintf(n->name, sizeof(n->name), "%s", name);
    snprintf(n->temporary, sizeof(n->temporary), "%s.new%d", n->name, (int)getpid());
    n->f = length < (int)sizeof(n->name) ? fopen(n->temporary, "wbe") : NULL;
    if (!n->f) {
        snprintf(error, 256, "%.150s: cannot be written: %s", name,
                 strerror(length < (int)sizeof(n->name) ? errno : ENAMETOOLONG));
        free(n);
        return NULL;
    }
    return n;
}

bool new_file_put(struct new_file *f, const void *bytes, u64 size)
{
    if (size && fwrite(bytes, 1, size, f->f) != size)
        f->bad = true;
    return true; /* new_file_done tells */
}

u64 new_file_at(const struct new_file *f) { return (u64)ftello(f->f); }

bool new_file_patch(struct new_file *f, u64 at, const void *bytes, u64 size)
{
    off_t end = ftello(f->f);
    if (fseeko(f->f, (off_t)at, SEEK_SET))
        f->bad = true;
    new_file_put(f, bytes, size);
    if (fseeko(f->f, end, SEEK_SET))
        f->bad = true;
    return !f->bad;
}

void new_file_spoil(struct new_file *f) { f->bad = true; }
void new_file_set_ns(struct new_file *f, u32 ns) { f->ns = ns; }

/* Where times are coarser, or cannot be set, the file is checked in full when it is read. */
static void ns_put(const struct new_file *f)
{
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
    struct stat st;
    if (f->ns < 0 || fstat(fileno(f->f), &st))
        return;
    times[1] = (struct timespec){ .tv_sec = st.st_mtim.tv_sec, .tv_nsec = f->ns };
    (void)!futimens(fileno(f->f), times);
}

bool new_file_done(struct new_file *f, char error[256])
{
    errno = 0;
    bool ok = !f->bad && !fflush(f->f) && !fsync(fileno(f->f));
    if (ok)
        ns_put(f);
    ok = !fclose(f->f) && ok && !rename(f->temporary, f->name);
    if (!ok) {
        snprintf(error, 256, "%.150s: cannot be written: %s", f->name, errno ? strerror(errno) : "disk full?");
        unlink(f->temporary);
    }
    free(f);
    return ok;
}

bool file_map(struct file_map *m, const char *name, char error[256])
{
    struct stat st;
    *m = (struct file_map){ .fd = open(name, O_RDONLY | O_CLOEXEC) };
    if (m->fd < 0 || fstat(m->fd, &st) || !S_ISREG(st.st_mode)) {
        snprintf(error, 256, "%.150s: %s", name, m->fd < 0 ? strerror(errno) : "expected a regular file");
        if (m->fd >= 0)
            close(m->fd);
        return false;
    }
    m->size = (u64)st.st_size;
    m->ns = (u32)st.st_mtim.tv_nsec;
    void *bytes = m->size ? mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, m->fd, 0) : NULL;
    if (bytes == MAP_FAILED) {
        snprintf(error, 256, "%.150s: %s", name, strerror(errno));
        close(m->fd);
        return false;
    }
    m->bytes = bytes;
    return true;
}

void file_unmap(struct file_map *m)
{
    if (m->bytes)
        munmap((void *)(uintptr_t)m->bytes, m->size);
    close(m->fd);
}
