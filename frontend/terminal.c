/* The terminal in raw mode, and the signals that end a run. */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool is_raw;
static volatile sig_atomic_t interrupted; /* which signal */

void terminal_restore(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    is_raw = false;
}

/* timeout(1) signals a program and then its group, so that each signal comes twice: only one that comes a while after
 * the first is of somebody who does not want to wait for what the first one has written. */
enum { TWICE_NS = 250000000 };

static void on_signal(int number)
{
    static volatile u64 first;
    if (!interrupted)
        first = host_ns();
    if (interrupted && host_ns() - first > TWICE_NS) {
        terminal_restore();
        _exit(128 + number);
    }
    interrupted = number;
}

int terminal_signal(void) { return interrupted; }
bool terminal_interrupted(void) { return interrupted; }

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

void terminal_signals_hold(sigset_t *was)
{
    sigset_t held;
    sigemptyset(&held);
    for (unsigned n = 0; n < ARRAY_LEN(ends); n++)
        sigaddset(&held, ends[n]);
    sigprocmask(SIG_BLOCK, &held, was);
}

void terminal_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal }, was;
    for (unsigned n = 0; n < ARRAY_LEN(ends); n++)
        if (!sigaction(ends[n], NULL, &was) && was.sa_handler != SIG_IGN) /* nohup */
            sigaction(ends[n], &action, NULL);
}

void terminal_raw(bool keep_signals)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved))
        return;
    struct termios raw = saved;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | (keep_signals ? 0 : ISIG));
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
        return;
    is_raw = true;
    atexit(terminal_restore);
}
