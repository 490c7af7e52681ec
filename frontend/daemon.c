/*
 * The program in the background: -daemonize comes back when the machine is ready to run, or with the error that it has
 * said; -pidfile says who it is. Unlike QEMU's it stays in its folder, so that what it writes later is where it was
 * asked for.
 */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int to_parent = -1;

/* The status of the child when it is ready; when it is gone without a word, 1. */
static _Noreturn void parent_wait(int from_child)
{
    u8 status = 1;
    while (read(from_child, &status, 1) < 0 && errno == EINTR) {}
    _exit(status);
}

void daemon_begin(void)
{
    int ends[2];
    fflush(NULL);
    pid_t child = pipe2(ends, O_CLOEXEC) ? -1 : fork();
    if (child < 0)
        die("-daemonize: %s", strerror(errno));
    if (child) {
        close(ends[1]);
        parent_wait(ends[0]);
    }
    close(ends[0]);
    setsid();
    child = fork(); /* who leads no session gets no terminal */
    if (child < 0)
        die("-daemonize: %s", strerror(errno));
    if (child)
        _exit(0);
    to_parent = ends[1];
}

void daemon_ready(void)
{
    static const u8 well = 0;
    if (to_parent < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    (void)!write(to_parent, &well, 1);
    close(to_parent);
    to_parent = -1;
}

/* ---- -pidfile ---- */

static const char *pidfile;

/* Another that was started since may have put its own there. */
static void pidfile_remove(void)
{
    char text[32] = "";
    int fd = open(pidfile, O_RDONLY | O_CLOEXEC);
    bool ours = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strtol(text, NULL, 10) == getpid();
    if (fd >= 0)
        close(fd);
    if (ours)
        unlink(pidfile);
}

void pidfile_write(const char *name)
{
    char text[32];
    if (!name)
        return;
    int size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    file_write(name, text, (u64)size);
    pidfile = name;
    atexit(pidfile_remove);
}
