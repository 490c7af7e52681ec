/*
 * Disks of formats that another program knows (qcow2, vmdk ...): qemu-nbd opens the image and serves it to elmu alone
 * over a socket by the NBD protocol, which libnbd speaks. It ends when elmu does, however that ends: its only client
 * is gone, and the system tells it.
 *
 * Each request is waited for, so that a run does not depend on it. What it says of its end is one line of an error.
 */
#define _GNU_SOURCE
#include "frontend/disk.h"

#include "debug/library.h"

#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTIONS(F) F(nbd_aio_command_completed) F(nbd_aio_connect_socket) F(nbd_aio_disconnect)                      \
    F(nbd_aio_flush) F(nbd_aio_is_closed) F(nbd_aio_is_connecting) F(nbd_aio_is_ready) F(nbd_aio_pread)                \
    F(nbd_aio_pwrite) F(nbd_aio_zero) F(nbd_can_zero) F(nbd_close) F(nbd_create) F(nbd_get_size) F(nbd_poll)
LIBRARY(libnbd, FUNCTIONS)

#define PROGRAM "qemu-nbd"
enum { ANSWER_MS = 60000 /* a request that takes longer has failed for good */, END_MS = 10000 };

struct nbd {
    struct nbd_handle *handle;
    pid_t child;
    int words; /* a file in memory: what the child says on standard error */
    u64 size;
    bool can_zero;
    char name[1024], lost[1280]; /* lost: why nothing more comes, or "" */
};

/* ---- the child ---- */

/* qemu-nbd takes a listening socket as descriptor 3 (systemd's socket activation). Does not return. */
static _Noreturn void child_run(int listener, int words, pid_t parent, char **arguments)
{
    char pid[16];
    int null = open("/dev/null", O_RDWR);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setpgid(0, 0); /* keys of the terminal are elmu's */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(words, 2) < 0 || setenv("LISTEN_PID", pid, 1) || setenv("LISTEN_FDS", "1", 1))
        _exit(126);
    if (listener == 3 ? fcntl(3, F_SETFD, 0) < 0 : dup2(listener, 3) < 0)
        _exit(126);
    execvp(arguments[0], arguments);
    fprintf(stderr, "cannot be run: %s (package qemu-utils)\n", strerror(errno));
    fflush(stderr);
    _exit(127);
}

/* A name within --image-opts: a comma is written twice. */
static void name_quote(char *text, size_t room, const char *name)
{
    size_t used = strlen(text);
    for (; *name && used + 3 < room; name++) {
        if (*name == ',')
            text[used++] = ',';
        text[used++] = *name;
    }
    text[used] = 0;
}

/* Waits for its end; then makes one. */
static void child_end(struct nbd *n, unsigned ms)
{
    for (; n->child && waitpid(n->child, NULL, WNOHANG) == 0; ms--) {
        if (!ms) {
            kill(n->child, SIGKILL);
            waitpid(n->child, NULL, 0);
            break;
        }
        usleep(1000);
    }
    n->child = 0;
}

/* The first line that it said, or `otherwise`. */
static void child_words(const struct nbd *n, char *text, size_t room, const char *otherwise)
{
    char said[512];
    ssize_t size = pread(n->words, said, sizeof(said) - 1, 0);
    said[size > 0 ? size : 0] = 0;
    said[strcspn(said, "\n")] = 0;
    const char *from = strncmp(said, PROGRAM ": ", strlen(PROGRAM ": ")) ? said : said + strlen(PROGRAM ": ");
    snprintf(text, room, "%s", *from ? from : otherwise);
}

/* A socket that listens, and one that is connected to it; nobody else can be, since its name is gone. */
static bool sockets_make(int *listener, int *client)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *folder = getenv("TMPDIR");
    char where[sizeof(address.sun_path) - 8];
    if ((size_t)snprintf(where, sizeof(where), "%s/elmu-XXXXXX", folder && *folder ? folder : "/tmp") >=
            sizeof(where) ||
        !mkdtemp(where))
        return false;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", where);
    *listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = *listener >= 0 && *client >= 0 && !bind(*listener, (void *)&address, sizeof(address)) &&
              !listen(*listener, 1) && !connect(*client, (void *)&address, sizeof(address));
    int why = errno;
    unlink(address.sun_path);
    rmdir(where);
    errno = why;
    return ok;
}

/* The socket that it answers on. */
static int child_start(struct nbd *n, const struct drive_config *config, bool readonly)
{
    char image[2 * sizeof(config->file) + 128];
    char read_only[] = "--read-only", discard[sizeof("--discard=ignore")];
    snprintf(discard, sizeof(discard), "--discard=%s", config->unmap ? "unmap" : "ignore");
    char *arguments[] = { (char[]){ PROGRAM },
                          (char[]){ "--image-opts" },
                          (char[]){ "--cache=writeback" },
                          discard,
                          image,
                          readonly ? read_only : NULL,
                          NULL };
    int listener = -1, client = -1;
    pid_t parent = getpid();
    snprintf(image, sizeof(image), "driver=%s,file.driver=file,file.locking=%s,file.filename=", config->format,
             config->unlocked ? "off" : "auto");
    name_quote(image, sizeof(image), config->file);
    n->words = memfd_create(PROGRAM, MFD_CLOEXEC);
    if (n->words < 0 || !sockets_make(&listener, &client))
        die("-drive %s: no socket for " PROGRAM ": %s", n->name, strerror(errno));
    n->child = fork();
    if (n->child < 0)
        die("-drive %s: " PROGRAM " cannot be run: %s", n->name, strerror(errno));
    if (!n->child)
        child_run(listener, n->words, parent, arguments);
    close(listener);
    return client;
}

/* ---- requests ---- */

/* It has ended, or does not answer. */
static bool lose(struct nbd *n, bool silent)
{
    char why[640];
    if (silent)
        snprintf(why, sizeof(why), "does not answer");
    else
        child_words(n, why, sizeof(why), "has ended");
    if (!n->lost[0])
        snprintf(n->lost, sizeof(n->lost), "-drive %.600s: " PROGRAM ": %s", n->name, why);
    return false;
}

/* A request that was sent; false: an error. */
static bool done(struct nbd *n, int64_t request)
{
    int completed = request < 0 ? -1 : 0, events = 1;
    while (!completed && events > 0)
        if (!(completed = libnbd.nbd_aio_command_completed(n->handle, (u64)request)))
            events = libnbd.nbd_poll(n->handle, ANSWER_MS);
    if (completed > 0)
        return true;
    if (events <= 0 || !libnbd.nbd_aio_is_ready(n->handle))
        lose(n, events == 0);
    return false;
}

static bool nbd_read(void *of, u64 offset, void *data, u64 size)
{
    struct nbd *n = of;
    u64 part = offset >= n->size ? 0 : size < n->size - offset ? size : n->size - offset;
    memset((u8 *)data + part, 0, size - part);
    return !part ||
           (!n->lost[0] && done(n, libnbd.nbd_aio_pread(n->handle, data, part, offset, NBD_NULL_COMPLETION, 0)));
}

static bool nbd_write(void *of, u64 offset, const void *data, u64 size)
{
    struct nbd *n = of;
    u64 part = offset >= n->size ? 0 : size < n->size - offset ? size : n->size - offset;
    return !part ||
           (!n->lost[0] && done(n, libnbd.nbd_aio_pwrite(n->handle, data, part, offset, NBD_NULL_COMPLETION, 0)));
}

static bool nbd_flush_all(void *of)
{
    struct nbd *n = of;
    return !n->lost[0] && done(n, libnbd.nbd_aio_flush(n->handle, NBD_NULL_COMPLETION, 0));
}

static bool nbd_zero_range(void *of, u64 offset, u64 size, bool unmap)
{
    struct nbd *n = of;
    return n->can_zero && !n->lost[0] && offset + size <= n->size &&
           done(n,
                libnbd.nbd_aio_zero(n->handle, size, offset, NBD_NULL_COMPLETION, unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE));
}

static const char *nbd_lost(void *of)
{
    const struct nbd *n = of;
    return n->lost[0] ? n->lost : NULL;
}

static bool nbd_end(void *of)
{
    struct nbd *n = of;
    if (!n->lost[0])
        libnbd.nbd_aio_disconnect(n->handle, 0);
    while (!n->lost[0] && !libnbd.nbd_aio_is_closed(n->handle) && libnbd.nbd_poll(n->handle, END_MS) > 0)
        ;
    libnbd.nbd_close(n->handle);
    child_end(n, n->lost[0] ? 0 : END_MS);
    close(n->words);
    free(n);
    return true;
}

struct disk_source disk_nbd_open(const struct drive_config *config, bool readonly)
{
    struct nbd *n = calloc(1, sizeof(*n));
    char why[640];
    const char *missing = library_load(&libnbd_library);
    if (missing)
        die("-drive %s: is a %s image, for which a library is needed: %s", config->file, config->format, missing);
    if (!n || !(n->handle = libnbd.nbd_create()))
        die("out of memory");
    snprintf(n->name, sizeof(n->name), "%s", config->file);
    int events = libnbd.nbd_aio_connect_socket(n->handle, child_start(n, config, readonly)) ? -1 : 1;
    while (events > 0 && libnbd.nbd_aio_is_connecting(n->handle))
        events = libnbd.nbd_poll(n->handle, ANSWER_MS);
    if (events <= 0 || !libnbd.nbd_aio_is_ready(n->handle)) {
        child_end(n, events ? END_MS : 0);
        child_words(n, why, sizeof(why), events ? "has ended" : "does not answer");
        die("-drive %s: " PROGRAM ": %s", n->name, why);
    }
    int64_t size = libnbd.nbd_get_size(n->handle);
    if (size < 0)
        die("-drive %s: " PROGRAM ": says no size", n->name);
    n->size = (u64)size;
    n->can_zero = libnbd.nbd_can_zero(n->handle) > 0;
    return (struct disk_source){
        .of = n,
        .size = n->size,
        .read = nbd_read,
        .write = nbd_write,
        .flush = nbd_flush_all,
        .zero = nbd_zero_range,
        .lost = nbd_lost,
        .close = nbd_end,
    };
}
