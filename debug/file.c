/* Files: written whole or not at all, or through what is there; read by map. */
#define _GNU_SOURCE
#include "debug/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 1024 };

struct new_file {
    FILE *f;
    bool bad;
    int through;                                         /* -1, or where it is copied to in the end */
    long ns;                                             /* -1: whatever it is */
    char name[NAME], target[NAME], temporary[NAME + 16]; /* target: name without symbolic links */
};

/* ---- what a name stands for ---- */

/* The descriptor of this program that the name stands for, or -1. */
static int own_descriptor(const char *name)
{
    static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
    if (!strcmp(name, "/dev/stdout") || !strcmp(name, "/dev/stderr"))
        return name[8] == 'o' ? STDOUT_FILENO : STDERR_FILENO;
    for (unsigned n = 0; n < ARRAY_LEN(folders); n++) {
        const char *number = name + strlen(folders[n]);
        if (!strncmp(name, folders[n], strlen(folders[n])) && *number && strspn(number, "0123456789") == strlen(number))
            return atoi(number);
    }
    return -1;
}

/* Standard output or standard error, when it is this plain file. */
static int same_as_standard(const char *name)
{
    struct stat st, own;
    if (stat(name, &st) || !S_ISREG(st.st_mode))
        return -1;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (!fstat(fd, &own) && own.st_dev == st.st_dev && own.st_ino == st.st_ino)
            return fd;
    return -1;
}

bool file_is_stream(const char *name)
{
    struct stat st;
    return own_descriptor(name) >= 0 || same_as_standard(name) >= 0 ||
           (!stat(name, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

int file_open_stream(const char *name)
{
    int own = own_descriptor(name);
    own = own < 0 ? same_as_standard(name) : own;
    return own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                    : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
}

bool file_target(const char *name, char *target, size_t room)
{
    char *real = realpath(name, NULL);
    int length = snprintf(target, room, "%s", real ? real : name);
    free(real);
    return length >= 0 && (size_t)length < room;
}

bool file_can_be(const char *name, char error[256])
{
    char target[NAME], *slash;
    struct stat st;
    bool ok = file_is_stream(name);
    errno = ENAMETOOLONG;
    if (!ok && file_target(name, target, sizeof(target))) {
        ok = stat(target, &st) || !S_ISDIR(st.st_mode);
        errno = EISDIR;
        slash = strrchr(target, '/');
        if (slash)
            slash[slash == target] = 0;
        ok = ok && !access(slash ? target : ".", W_OK | X_OK);
    }
    if (!ok)
        snprintf(error, 256, "%.150s: cannot be written: %s", name, strerror(errno));
    return ok;
}

/* ---- written whole ---- */

/* The file that is filled: beside the one that it becomes, or nameless. */
static FILE *temporary_open(struct new_file *n)
{
    struct stat st;
    if (file_is_stream(n->name)) {
        n->through = file_open_stream(n->name);
        return n->through >= 0 ? tmpfile() : NULL;
    }
    if (!stat(n->name, &st) && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return NULL;
    }
    if (!file_target(n->name, n->target, sizeof(n->target))) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    snprintf(n->temporary, sizeof(n->temporary), "%s.new%d", n->target, (int)getpid());
    return fopen(n->temporary, "wbe");
}

struct new_file *new_file_open(const char *name, char error[256])
{
    struct new_file *n = calloc(1, sizeof(*n));
    snprintf(error, 256, "out of memory");
    if (!n)
        return NULL;
    n->ns = n->through = -1;
    errno = ENAMETOOLONG;
    if (snprintf(n->name, sizeof(n->name), "%s", name) < (int)sizeof(n->name))
        n->f = temporary_open(n);
    if (!n->f) {
        snprintf(error, 256, "%.150s: cannot be written: %s", name, strerror(errno));
        if (n->through >= 0)
            close(n->through);
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

void new_file_skip(struct new_file *f, u64 size)
{
    if (fseeko(f->f, (off_t)size, SEEK_CUR))
        f->bad = true;
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

static bool copy_through(struct new_file *f)
{
    char part[1 << 16];
    rewind(f->f);
    for (size_t size; (size = fread(part, 1, sizeof(part), f->f)) > 0;)
        for (size_t done = 0; done < size;) {
            ssize_t n = write(f->through, part + done, size - done);
            if (n < 0 && errno != EINTR)
                return false;
            done += n > 0 ? (size_t)n : 0;
        }
    return !ferror(f->f);
}

bool new_file_done(struct new_file *f, char error[256])
{
    errno = 0;
    bool ok = !f->bad && !fflush(f->f) && !ftruncate(fileno(f->f), ftello(f->f)); /* what was skipped last is there */
    if (f->through >= 0) {
        ok = ok && copy_through(f);
        ok = !close(f->through) && ok;
        fclose(f->f);
    } else {
        ok = ok && !fsync(fileno(f->f));
        if (ok)
            ns_put(f);
        ok = !fclose(f->f) && ok && !rename(f->temporary, f->target);
    }
    if (!ok) {
        snprintf(error, 256, "%.150s: cannot be written: %s", f->name, errno ? strerror(errno) : "disk full?");
        if (f->through < 0)
            unlink(f->temporary);
    }
    free(f);
    return ok;
}

/* ---- read ---- */

bool file_map(struct file_map *m, const char *name, char error[256])
{
    struct stat st;
    *m = (struct file_map){ .fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
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
