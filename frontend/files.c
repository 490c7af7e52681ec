/*
 * Host files: read whole, written whole or not at all. A file stays mapped, and is read again at a reset: when it has
 * become shorter by then, or does so while it is copied (SIGBUS), that is said in a line and ends the program.
 */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include "debug/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STREAM_MAX = 1 << 30 };

/* From something without a size (a pipe). It may never end. */
static struct blob stream_read(const char *what, const char *name, int fd)
{
    u64 size = 0, room = 1 << 20;
    u8 *data = malloc(room);
    for (ssize_t n; data;) {
        if (size == STREAM_MAX)
            die("%s %s: more than %d MiB come from it", what, name, STREAM_MAX >> 20);
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
    return (struct blob){ name, data, size, 0 };
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
    struct blob blob = { name, (const u8 *)"", 0, 0 };
    if (!S_ISREG(st.st_mode)) {
        blob = stream_read(what, name, fd);
    } else if (st.st_size) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            die("%s %s: %s", what, name, strerror(errno));
        blob.data = data;
        blob.size = (u64)st.st_size;
        blob.mapped = fd + 1;
        return blob;
    }
    close(fd);
    return blob;
}

void file_idle(const struct blob *file)
{
    if (file->mapped)
        madvise((void *)(uintptr_t)file->data, file->size, MADV_DONTNEED);
}

void file_check(const struct blob *file)
{
    struct stat st;
    if (file->mapped && !fstat(file->mapped - 1, &st) && (u64)st.st_size < file->size)
        die("%s: has become shorter since it was opened: %lld of %llu bytes", file->name, (long long)st.st_size,
            (unsigned long long)file->size);
}

void file_write(const char *name, const void *data, u64 size)
{
    char error[256];
    struct new_file *f = new_file_open(name, error);
    if (!f || !new_file_put(f, data, size) || !new_file_done(f, error))
        die("%s", error);
}

/* ---- SIGBUS ---- */

/* The next number in base 16 of a line of /proc/self/maps. */
static u64 hex_at(const char **text)
{
    u64 value = 0;
    for (; strchr("0123456789abcdef", **text) && **text; ++*text)
        value = value << 4 | (u64)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
    return value;
}

/* The line "LOW-HIGH ... /NAME" holds the address: where its name begins, or NULL. */
static const char *line_names(const char *line, u64 address)
{
    const char *at = line, *name = strchr(line, '/');
    u64 low = hex_at(&at);
    at += *at == '-';
    return address >= low && address < hex_at(&at) ? name ? name : "a file" : NULL;
}

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

/* A page of a mapped file is no longer there. Only what is safe in a signal handler. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
    char line[1024];
    size_t used = 0;
    const char *name = NULL;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    (void)number, (void)context;
    for (char c; !name && fd >= 0 && read(fd, &c, 1) == 1;) {
        if (c != '\n' && used < sizeof(line) - 1)
            line[used++] = c;
        if (c != '\n')
            continue;
        line[used] = 0;
        name = line_names(line, (u64)(uintptr_t)info->si_addr);
        used = 0;
    }
    terminal_restore();
    say("elmu: ");
    say(name ? name : "a file");
    say(": has become shorter, or cannot be read, while it was in use\n");
    _exit(1);
}

void files_guard(void)
{
    struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
    sigaction(SIGBUS, &action, NULL);
}
