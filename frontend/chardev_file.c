/* Back ends that are no network: standard streams, files, terminals, pipes, memory, nothing. */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include "debug/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { PTY_LOOK_MS = 200, RING_SIZE = 65536 };

static _Noreturn void cannot_open(const struct chardev *c, const char *path)
{
    die("-chardev %s,id=%s: Could not open '%s': %s", c->kind->name, c->config->id, path, strerror(errno));
}

/* ---- standard streams, files ---- */

void char_open_stdio(struct chardev *c)
{
    c->in = STDIN_FILENO;
    c->out = STDOUT_FILENO;
    c->name = "standard output";
    c->live = isatty(STDIN_FILENO);
    c->keys |= c->live;
    terminal_raw(!c->config->no_signals);
}

void char_open_file(struct chardev *c)
{
    const char *path = c->config->path;
    c->name = path;
    c->out = c->config->append ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : file_open_stream(path);
    c->ended = true;
    if (c->out < 0)
        die("%s: %s", path, strerror(errno));
}

/* ---- pipes: PATH.in and PATH.out, or PATH for both ---- */

/* Opened for both directions, a FIFO neither waits for its other end nor ends when that leaves. */
static int pipe_open(const char *path, const char *ending)
{
    char name[sizeof(((struct char_config *)0)->path) + 8];
    snprintf(name, sizeof(name), "%s%s", path, ending);
    return open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

void char_open_pipe(struct chardev *c)
{
    const char *path = c->config->path;
    c->name = path;
    c->in = pipe_open(path, ".in");
    c->out = pipe_open(path, ".out");
    if (c->in >= 0 && c->out >= 0)
        return;
    if (c->in >= 0 || c->out >= 0)
        die("-chardev pipe,id=%s: of '%s.in' and '%s.out' one is missing", c->config->id, path, path);
    c->in = c->out = pipe_open(path, "");
    if (c->in < 0)
        cannot_open(c, path);
}

/* ---- terminals ---- */

static void tty_raw(int fd)
{
    struct termios t;
    if (tcgetattr(fd, &t))
        return;
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
}

void char_open_tty(struct chardev *c)
{
    c->name = c->config->path;
    c->in = c->out = pipe_open(c->config->path, "");
    if (c->in < 0)
        cannot_open(c, c->config->path);
    tty_raw(c->in);
}

/* A new pseudo-terminal. Its name is said as scripts look for it; with path= a symbolic link leads there. */
void char_open_pty(struct chardev *c)
{
    char name[128];
    c->in = c->out = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (c->in < 0 || grantpt(c->in) || unlockpt(c->in) || ptsname_r(c->in, name, sizeof(name)))
        die("-chardev pty,id=%s: cannot be made: %s", c->config->id, strerror(errno));
    int end = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (end < 0)
        cannot_open(c, name);
    tty_raw(end);
    close(end);
    if (c->config->path[0] && symlink(name, c->config->path))
        die("-chardev pty,id=%s,path=%s: %s", c->config->id, c->config->path, strerror(errno));
    printf("char device redirected to %s (label %s)\n", name, c->config->id);
    fflush(stdout);
    c->out_closed = c->in;
    c->in = c->out = -1;
    c->look_at = 0;
}

/* The other end tells nobody that it was opened: it is looked at now and then. What is written before goes nowhere. */
void char_look_pty(struct chardev *c)
{
    struct pollfd wait = { .fd = c->out_closed, .events = POLLIN };
    poll(&wait, 1, 0);
    if (wait.revents & POLLHUP) {
        c->look_at = host_ns() + (u64)PTY_LOOK_MS * 1000000;
        return;
    }
    c->in = c->out = c->out_closed;
    c->out_closed = -1;
    chardev_connected(c);
}

/* Its reader left: a read fails with EIO. Another may come. */
void char_left_pty(struct chardev *c)
{
    c->out_closed = c->in;
    c->in = c->out = -1;
    c->look_at = host_ns() + (u64)PTY_LOOK_MS * 1000000;
}

void char_close_pty(struct chardev *c)
{
    if (c->config->path[0])
        unlink(c->config->path);
}

/* ---- memory, nothing ---- */

void char_put_nowhere(struct chardev *c, u8 byte) { (void)c, (void)byte; }

void char_open_ring(struct chardev *c)
{
    c->ring = calloc(1, c->config->size);
    if (!c->ring)
        die("out of memory");
}

/* The newest bytes are kept. */
void char_put_ring(struct chardev *c, u8 byte)
{
    u64 size = c->config->size;
    c->ring[(c->ring_at + c->ring_used) & (size - 1)] = byte;
    if (c->ring_used < size)
        c->ring_used++;
    else
        c->ring_at++;
}

void char_close_ring(struct chardev *c) { free(c->ring); }

/* kvm-unit-tests' chr-testdev: "<code>q" ends the run with status (code << 1) | 1. */
void char_put_testdev(struct chardev *c, u8 byte)
{
    if (byte >= '0' && byte <= '9')
        c->test_code = c->test_code * 10 + (byte - '0');
    else if (byte == 'q')
        machine_end(c->all->m, END_EXIT, (int)((c->test_code << 1 | 1) & 0xff), "");
    else
        c->test_code = 0;
}
