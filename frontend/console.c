/*
 * Consoles: where the ports of the machine go, and what is typed.
 *
 * A file or pipe on standard input is handed over as the guest asks for it, so that the run does not depend on when its
 * writer ran; only a writer that pauses for a second is treated as a person is: what it writes arrives when it arrives.
 * --after and --send type at exact points of the run.
 */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include "debug/file.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 1000, KEY_ESCAPE = 1 /* Ctrl-A */ };

/* ---- matching text ---- */

static void matcher_set(struct matcher *x, const char *text)
{
    free(x->back);
    *x = (struct matcher){ .text = text, .length = text ? (unsigned)strlen(text) : 0 };
    if (!text || !x->length)
        return;
    x->back = calloc(x->length + 1, sizeof(*x->back));
    if (!x->back)
        die("out of memory");
    for (unsigned n = 1, k = 0; n < x->length; n++) {
        while (k && text[n] != text[k])
            k = x->back[k];
        k += text[n] == text[k];
        x->back[n + 1] = (u16)k;
    }
}

/* True when the byte completes the text. */
static bool matcher_feed(struct matcher *x, u8 byte)
{
    if (!x->length)
        return false;
    while (x->at && (u8)x->text[x->at] != byte)
        x->at = x->back[x->at];
    x->at += (u8)x->text[x->at] == byte;
    if (x->at < x->length)
        return false;
    x->at = x->back[x->at];
    return true;
}

/* ---- sending ---- */

static void after_set(struct console *c)
{
    bool more = c->send_next < c->o->send_count;
    for (unsigned n = 0; n < MAX_PORTS; n++)
        matcher_set(&c->port[n].after, more ? c->o->send[c->send_next].after : NULL);
}

static void type_text(struct port *p, const char *text)
{
    u64 size = strlen(text), left = p->typed_size - p->typed_at;
    char *typed = malloc(left + size + 1);
    if (!typed)
        die("out of memory");
    if (left)
        memcpy(typed, p->typed + p->typed_at, left);
    memcpy(typed + left, text, size);
    free(p->typed);
    p->typed = typed;
    p->typed_at = 0;
    p->typed_size = left + size;
}

/* The text that was waited for has been printed on this port: types, and waits for the next. Empty ones need no
 * waiting. */
static void sends_run(struct console *c, struct port *p)
{
    do {
        type_text(p, c->o->send[c->send_next++].text);
    } while (c->send_next < c->o->send_count && !c->o->send[c->send_next].after[0]);
    after_set(c);
    machine_input_kick(c->m);
}

/* ---- output ---- */

/* The other side of a socket left: wait for another. */
static void client_left(struct port *p)
{
    close(p->in);
    p->in = p->out = -1;
}

/* What was to be written is lost. Only that nobody reads any more is no error. */
static void write_failed(struct console *c, struct port *p)
{
    char text[sizeof(((struct run_end *)0)->text)];
    int error = errno;
    if (p->listener >= 0) {
        client_left(p);
        return;
    }
    p->out_closed = p->out;
    p->out = -1;
    if (error == EPIPE)
        return;
    snprintf(text, sizeof(text), "%.400s: cannot be written: %s", p->name, strerror(error));
    p->failed = true;
    if (c->m->d.end.kind != END_NONE)
        fprintf(stderr, "elmu: %s\n", text);
    machine_end(c->m, END_ERROR, 1, text);
}

static void flush(struct console *c, struct port *p)
{
    for (u32 done = 0; p->out >= 0 && done < p->out_used;) {
        ssize_t n = write(p->out, p->out_buffer + done, p->out_used - done);
        if (n < 0 && terminal_interrupted() && (errno == EAGAIN || errno == EINTR))
            break; /* who is to end does not wait for a reader */
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = { .fd = p->out, .events = POLLOUT };
            poll(&wait, 1, 100);
        } else if (n <= 0 && errno != EINTR) {
            write_failed(c, p);
        }
        done += n > 0 ? (u32)n : 0;
    }
    p->out_used = 0;
}

/* kvm-unit-tests' chr-testdev: "<code>q" ends the run with status (code << 1) | 1. */
static void testdev_output(struct console *c, struct port *p, u8 byte)
{
    if (byte >= '0' && byte <= '9')
        p->test_code = p->test_code * 10 + (byte - '0');
    else if (byte == 'q')
        machine_end(c->m, END_EXIT, (int)((p->test_code << 1 | 1) & 0xff), "");
    else
        p->test_code = 0;
}

void console_output(void *ctx, unsigned number, u8 byte)
{
    struct console *c = ctx;
    struct port *p = &c->port[number];
    if (p->kind == CHAR_TESTDEV) {
        testdev_output(c, p, byte);
        return;
    }
    p->out_buffer[p->out_used++] = byte;
    if (p->out_used == sizeof(p->out_buffer) || c->direct || p->shared)
        flush(c, p);
    if (matcher_feed(&p->until, byte)) {
        c->until_seen = true;
        machine_end(c->m, END_EXIT, 0, "");
    }
    if (!matcher_feed(&p->after, byte))
        return;
    if (c->saving)
        c->held = p;
    else
        sends_run(c, p);
}

void console_release(struct console *c)
{
    struct port *p = c->held;
    c->saving = false;
    c->held = NULL;
    if (p)
        sends_run(c, p);
}

/* ---- input ---- */

static void buffer_put(struct port *p, u8 byte)
{
    if (p->used < PORT_BUFFER)
        p->buffer[(p->head + p->used++) % PORT_BUFFER] = byte;
}

static void help_print(void)
{
    fputs("\r\nCtrl-A x  quit\r\nCtrl-A h  this help\r\nCtrl-A c  where the CPUs are\r\nCtrl-A p  power button\r\n"
          "Ctrl-A b  (no break on this line)\r\nCtrl-A Ctrl-A  Ctrl-A\r\n",
          stderr);
}

static void where_print(struct machine *m)
{
    static const char *const names[] = { "runs", "WFI", "WFE", "off" };
    fprintf(stderr, "\r\n%llu instructions, %.6f s of machine time\r\n", (unsigned long long)machine_insns(m),
            (double)m->now / 1e9);
    for (u32 n = 0; n < m->options.cpu_count; n++)
        fprintf(stderr, "cpu%u: EL%u, pc 0x%llx, %s\r\n", n, m->d.cpu[n].ps.el, (unsigned long long)m->d.cpu[n].pc,
                names[m->d.cpu[n].halted & 3]);
}

static void key_command(struct console *c, struct port *p, u8 key)
{
    switch (key) {
    case 'x': machine_end(c->m, END_REQUEST, 0, ""); break;
    case 'h':
    case '?': help_print(); break;
    case 'c': where_print(c->m); break;
    case 'p': machine_power_key(c->m); break;
    case KEY_ESCAPE: buffer_put(p, key); break;
    default: break;
    }
}

static void key_typed(struct console *c, struct port *p, u8 byte)
{
    if (p->escape)
        key_command(c, p, byte);
    else if (byte != KEY_ESCAPE)
        buffer_put(p, byte);
    p->escape = !p->escape && byte == KEY_ESCAPE;
}

/* Reads what there is into the buffer, as far as it has room. */
static void read_some(struct console *c, struct port *p)
{
    u8 bytes[1024];
    u32 room = PORT_BUFFER - p->used;
    ssize_t n = read(p->in, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 && p->listener >= 0)
        client_left(p);
    else if (n <= 0)
        p->ended = true;
    for (ssize_t k = 0; k < n; k++)
        if (p->terminal)
            key_typed(c, p, bytes[k]);
        else
            buffer_put(p, bytes[k]);
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    return poll(&wait, 1, timeout_ms) > 0;
}

int console_input(void *ctx, unsigned number, bool waiting)
{
    struct console *c = ctx;
    struct port *p = &c->port[number];
    if (p->typed_at < p->typed_size)
        return (u8)p->typed[p->typed_at++];
    if (!p->live && !waiting)
        return -1;
    if (!p->used && p->in >= 0 && !p->live && !p->ended) {
        if (readable(p->in, GRACE_MS))
            read_some(c, p);
        else
            p->live = true;
    }
    if (!p->used)
        return -1;
    u8 byte = p->buffer[p->head];
    p->head = (p->head + 1) % PORT_BUFFER;
    p->used--;
    return byte;
}

bool console_input_comes(void *ctx, unsigned port)
{
    const struct port *p = &((struct console *)ctx)->port[port];
    bool open = p->live && !p->ended && (p->in >= 0 || p->listener >= 0);
    return p->used || p->typed_at < p->typed_size || open;
}

static void listener_accept(struct port *p)
{
    int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        p->in = p->out = fd;
}

/* What can be waited for on live ports; returns how many. */
static unsigned poll_set(struct console *c, struct pollfd fds[MAX_PORTS], struct port *ports[MAX_PORTS])
{
    unsigned count = 0;
    for (unsigned n = 0; n < MAX_PORTS; n++) {
        struct port *p = &c->port[n];
        int fd = p->in < 0 ? p->listener : p->in;
        if (!p->live || p->ended || fd < 0)
            continue;
        if (p->used == PORT_BUFFER)
            continue; /* the guest doesn't read */
        fds[count] = (struct pollfd){ .fd = fd, .events = POLLIN };
        ports[count++] = p;
    }
    return count;
}

/* Waits up to timeout (NULL: for ever) and takes what came. */
static void wait_input(struct console *c, const struct timespec *timeout)
{
    struct pollfd fds[MAX_PORTS + ARRAY_LEN(c->wake)];
    struct port *ports[MAX_PORTS];
    unsigned count = poll_set(c, fds, ports), all = count;
    bool any = false;
    for (unsigned n = 0; n < ARRAY_LEN(c->wake); n++)
        if (c->wake[n] >= 0)
            fds[all++] = (struct pollfd){ .fd = c->wake[n], .events = POLLIN };
    sigset_t was;
    terminal_signals_hold(&was);
    int ready = terminal_interrupted() ? 0 : ppoll(fds, all, timeout, &was);
    sigprocmask(SIG_SETMASK, &was, NULL);
    if (ready <= 0)
        return;
    for (unsigned n = 0; n < count; n++) {
        if (!fds[n].revents)
            continue;
        any = true;
        if (fds[n].fd == ports[n]->listener)
            listener_accept(ports[n]);
        else
            read_some(c, ports[n]);
    }
    if (any)
        machine_input_kick(c->m);
}

void console_flush(struct console *c)
{
    for (unsigned n = 0; n < MAX_PORTS; n++)
        if (c->port[n].out_used)
            flush(c, &c->port[n]);
}

/* A signal is the end of the run. */
static bool ends(struct console *c)
{
    int signal = terminal_signal();
    if (signal)
        machine_end(c->m, END_REQUEST, 128 + signal, signal == SIGINT ? "interrupted" : strsignal(signal));
    return signal;
}

static bool any_live(struct console *c)
{
    struct pollfd fds[MAX_PORTS];
    struct port *ports[MAX_PORTS];
    return poll_set(c, fds, ports) > 0;
}

void console_poll(void *ctx)
{
    struct console *c = ctx;
    static const struct timespec now = { 0, 0 };
    console_flush(c);
    ends(c);
    if (any_live(c))
        wait_input(c, &now);
}

bool console_listens(void *ctx) { return any_live(ctx); }

u64 host_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* Nobody there: straight to the next event. Somebody: sleeps, so that machine time does not run ahead of theirs. */
u64 console_idle(void *ctx, u64 now, u64 until)
{
    struct console *c = ctx;
    console_flush(c);
    if (ends(c))
        return now;
    if (!any_live(c))
        return until;
    u64 host = host_ns() - c->start_ns;
    if (until <= host) {
        static const struct timespec zero = { 0, 0 };
        wait_input(c, &zero);
        return until;
    }
    u64 left = until - host;
    struct timespec timeout = { (time_t)(left / 1000000000), (long)(left % 1000000000) };
    wait_input(c, until == NEVER ? NULL : &timeout);
    host = host_ns() - c->start_ns;
    return host < now ? now : host < until ? host : until;
}

/* ---- opening ---- */

static void stdio_open(struct port *p, bool mux)
{
    p->in = STDIN_FILENO;
    p->out = STDOUT_FILENO;
    p->name = "standard output";
    p->terminal = p->live = isatty(STDIN_FILENO);
    terminal_raw(!mux);
}

static void unix_open(struct port *p, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        die("%s: socket path too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&address, sizeof(address)) || listen(p->listener, 1))
        die("%s: cannot make a socket: %s", path, strerror(errno));
}

static void tcp_open(struct port *p, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
                    *found = NULL;
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &found), on = 1;
    if (rc)
        die("tcp:%s:%s: %s", host, port, gai_strerror(rc));
    p->listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->listener >= 0)
        setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (p->listener < 0 || bind(p->listener, found->ai_addr, found->ai_addrlen) || listen(p->listener, 1))
        die("tcp:%s:%s: cannot listen: %s", host, port, strerror(errno));
    freeaddrinfo(found);
}

/* A server waits for its client before the run, as QEMU's does, unless it is told not to. */
static void client_wait(struct port *p, const struct char_config *config, const char *what)
{
    p->live = true;
    if (config->nowait)
        return;
    fprintf(stderr, "elmu: waiting for a connection on %s\n", what);
    while (p->in < 0 && !terminal_interrupted())
        if (readable(p->listener, 200))
            listener_accept(p);
}

static void port_open(struct console *c, unsigned number, const struct char_config *config)
{
    struct port *p = &c->port[number];
    p->kind = config->kind;
    p->name = config->path;
    switch (config->kind) {
    case CHAR_STDIO: stdio_open(p, config->mux); break;
    case CHAR_FILE:
        p->out = file_open_stream(config->path);
        if (p->out < 0)
            die("%s: %s", config->path, strerror(errno));
        break;
    case CHAR_UNIX:
        unix_open(p, config->path);
        client_wait(p, config, config->path);
        break;
    case CHAR_TCP:
        tcp_open(p, config->path, config->port);
        client_wait(p, config, config->port);
        break;
    default: break;
    }
    matcher_set(&p->until, c->o->until);
}

static const struct char_config *chardev_of(const struct options *o, const char *id)
{
    static const struct char_config nothing = { .kind = CHAR_NULL };
    for (unsigned n = 0; id[0] && n < o->chardev_count; n++)
        if (!strcmp(o->chardev[n].id, id))
            return &o->chardev[n];
    if (id[0])
        die("-device virtconsole: no -chardev has id=%s", id);
    return &nothing;
}

static void ports_open(struct console *c)
{
    static const struct char_config standard = { .kind = CHAR_STDIO };
    static const struct char_config muxed = { .kind = CHAR_STDIO, .mux = true };
    const struct options *o = c->o;
    unsigned port = row_ports();
    bool stdio = false;
    for (unsigned n = 0; n < o->device_count; n++)
        if (virtio_back_end(o->device[n].kind) == BACK_END_PORT && port < MAX_PORTS) {
            const struct char_config *config = chardev_of(o, o->device[n].chardev);
            stdio = stdio || config->kind == CHAR_STDIO;
            port_open(c, port++, config);
        }
    for (unsigned n = 0; n < o->serial_count; n++)
        port_open(c, PORT_CONSOLE + n, &o->serial[n]);
    if (!o->serial_count && !stdio)
        port_open(c, PORT_CONSOLE, o->nographic ? &muxed : &standard);
}

/* Ports that write to one file write each byte at once. */
static void shared_find(struct console *c)
{
    struct stat a, b;
    for (unsigned n = 0; n < MAX_PORTS; n++)
        for (unsigned k = 0; k < n; k++) {
            struct port *p = &c->port[n], *q = &c->port[k];
            if (p->out >= 0 && q->out >= 0 && !fstat(p->out, &a) && !fstat(q->out, &b) && a.st_dev == b.st_dev &&
                a.st_ino == b.st_ino)
                p->shared = q->shared = true;
        }
}

void console_open(struct console *c, struct machine *m, const struct options *o)
{
    c->m = m;
    c->o = o;
    c->wake[0] = c->wake[1] = -1;
    for (unsigned n = 0; n < MAX_PORTS; n++)
        c->port[n].in = c->port[n].out = c->port[n].out_closed = c->port[n].listener = -1;
    terminal_signals();
    ports_open(c);
    shared_find(c);
    after_set(c);
    c->start_ns = host_ns();
    if (o->send_count && !o->send[0].after[0])
        sends_run(c, &c->port[PORT_CONSOLE]);
}

/* Some file systems tell only now that there was no room. */
static void port_close(struct console *c, struct port *p)
{
    int fd = p->out >= 0 ? p->out : p->out_closed;
    if (p->kind != CHAR_STDIO && fd >= 0 && close(fd) && p->kind == CHAR_FILE)
        write_failed(c, p);
    if (p->listener >= 0)
        close(p->listener);
}

bool console_close(struct console *c)
{
    bool ok = true;
    console_flush(c);
    for (unsigned n = 0; n < MAX_PORTS; n++) {
        struct port *p = &c->port[n];
        free(p->until.back);
        free(p->after.back);
        free(p->typed);
        port_close(c, p);
        ok = ok && !p->failed;
    }
    for (unsigned n = 0; n < c->o->serial_count; n++)
        if (c->o->serial[n].kind == CHAR_UNIX)
            unlink(c->o->serial[n].path);
    terminal_restore();
    return ok;
}
