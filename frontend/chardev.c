/* Back ends of consoles and monitors, whatever their kind: who sits on them, keys, buffers, waiting. See chardev.h. */
#define _GNU_SOURCE
#include "frontend/display/display.h"
#include "frontend/net.h"

#include "debug/file.h"
#include "debug/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GRACE_MS = 1000, LAST_MS = 1000 };
enum { KEY_ESCAPE = 1 /* stands for it in keys[]: Ctrl-A, but for -echr */ };

static const struct char_kind kinds[] = {
#define CHARDEV(name_, ...) { .name = name_, __VA_ARGS__ },
#include "frontend/chardev.def"
};

const struct char_kind *char_kind_get(unsigned n) { return n < ARRAY_LEN(kinds) ? &kinds[n] : NULL; }

const struct char_kind *char_kind_find(const char *name)
{
    for (unsigned n = 0; n < ARRAY_LEN(kinds); n++)
        if (!strcmp(kinds[n].name, name))
            return &kinds[n];
    return NULL;
}

bool fd_readable(int fd, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    return poll(&wait, 1, timeout_ms) > 0;
}

/* ---- who sits there ---- */

static struct char_user *focused(struct chardev *c) { return c->users ? &c->user[c->focus] : NULL; }

static void tell(struct chardev *c, enum char_event event)
{
    for (unsigned n = 0; n < c->users; n++)
        if (c->user[n].event)
            c->user[n].event(c->user[n].ctx, event);
}

void chardev_connected(struct chardev *c)
{
    c->ended = false;
    tell(c, CHAR_CONNECTED);
}

void chardev_left(struct chardev *c)
{
    c->all->arrived = c->all->fresh = true; /* who waits for input hears that there will be none */
    if (!c->kind->left) {                   /* what is written may still go somewhere */
        c->ended = true;
        return;
    }
    c->out_used = 0;
    c->raw_at = c->raw_used = 0; /* the next one's input begins with his own */
    c->dropped = 0;
    c->blocked = c->escape = false;
    c->telnet = (struct telnet){ 0 };
    c->kind->left(c);
    tell(c, CHAR_LEFT);
}

struct chardev *chardev_find(struct chardevs *all, const char *id)
{
    for (unsigned n = 0; n < all->count; n++)
        if (!strcmp(all->dev[n].config->id, id))
            return &all->dev[n];
    return NULL;
}

void chardev_attach(struct chardev *c, const struct char_user *user, const char *what)
{
    if (c->users && !c->config->mux)
        die("%s: chardev '%s' is in use (mux=on shares it)", what, c->config->id);
    if (c->users == CHAR_USERS)
        die("%s: chardev '%s' has %d users already", what, c->config->id, CHAR_USERS);
    c->user[c->users++] = *user;
    if ((c->out >= 0 || c->vc) && !c->connecting && user->event)
        user->event(user->ctx, CHAR_CONNECTED);
}

void chardev_describe(const struct chardev *c, struct text *out)
{
    const struct char_config *o = c->config;
    text_add(out, "%s", c->kind->name);
    if (o->port[0])
        text_add(out, ":%s:%s", o->host, o->port);
    else if (o->path[0])
        text_add(out, ":%s", o->path);
    if (o->server)
        text_add(out, ",server=on");
    if ((o->server || c->look_at != NEVER || c->connecting) && c->in < 0)
        text_add(out, " (disconnected)");
}

bool chardev_has_focus(const struct chardev *c, const void *ctx) { return c->users && c->user[c->focus].ctx == ctx; }

bool chardev_comes(const struct chardev *c)
{
    bool listens = c->live || (c->users && c->user[c->focus].greedy);
    return listens && !c->ended && (c->in >= 0 || c->listener >= 0 || c->connecting || c->look_at != NEVER);
}

/* ---- output ---- */

/* What was to be written is lost. Only that nobody reads any more is no error. */
static void write_failed(struct chardev *c)
{
    char text[sizeof(((struct run_end *)0)->text)];
    int error = errno;
    if (c->kind->left && c->in >= 0 && c->users && focused(c)->greedy) {
        c->out = -1; /* what a monitor's client asked for before it went is still done: its end is heard behind that */
        return;
    }
    if (c->kind->left) {
        chardev_left(c);
        return;
    }
    c->out_closed = c->out;
    c->out = -1;
    if (error == EPIPE || !(c->kind->flags & CHAR_LOSSLESS))
        return;
    snprintf(text, sizeof(text), "%.400s: cannot be written: %s", c->name, strerror(error));
    c->failed = true;
    struct machine *m = c->all->m;
    if (m->d.end.kind != END_NONE)
        fprintf(stderr, "elmu: %s\n", text);
    machine_end(m, END_ERROR, 1, text);
}

static ssize_t write_some(struct chardev *c, const u8 *bytes, size_t size)
{
    return c->kind->write ? c->kind->write(c, bytes, size) : write(c->out, bytes, size);
}

/* All of it, however long that takes. */
static void flush_all(struct chardev *c)
{
    for (u32 done = 0; c->out >= 0 && done < c->out_used;) {
        ssize_t n = write_some(c, c->buffer + done, c->out_used - done);
        if (n < 0 && terminal_interrupted() && (errno == EAGAIN || errno == EINTR))
            break; /* who is to end does not wait for a reader */
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = { .fd = c->out, .events = POLLOUT };
            poll(&wait, 1, 100);
        } else if (n <= 0 && errno != EINTR) {
            write_failed(c);
        }
        done += n > 0 ? (u32)n : 0;
    }
    c->out_used = 0;
}

/* What the reader has room for. */
static void flush_some(struct chardev *c)
{
    u32 done = 0;
    while (c->out >= 0 && !c->connecting && done < c->out_used) {
        ssize_t n = write_some(c, c->buffer + done, c->out_used - done);
        c->blocked = n < 0 && errno == EAGAIN;
        if (c->blocked)
            break;
        if (n <= 0 && errno != EINTR)
            write_failed(c);
        done += n > 0 ? (u32)n : 0;
    }
    done = done < c->out_used ? done : c->out_used;
    if (done)
        memmove(c->buffer, c->buffer + done, c->out_used - done);
    c->out_used -= done;
}

static void flush(struct chardev *c)
{
    if (c->log)
        fflush(c->log);
    if (c->kind->flags & CHAR_LOSSLESS)
        flush_all(c);
    else
        flush_some(c);
}

void chardevs_flush(struct chardevs *all)
{
    for (unsigned n = 0; n < all->count; n++) {
        struct chardev *c = &all->dev[n];
        if (c->out_used || c->log)
            flush(c);
    }
}

static void buffer_put(struct chardev *c, u8 byte)
{
    u32 room = c->kind->flags & CHAR_LOSSLESS ? CHAR_PART : CHAR_OUT;
    if (c->out_used == room) {
        if (!c->dropped++)
            fprintf(stderr, "elmu: %s: its reader is too slow, output is lost\n", c->name);
        return;
    }
    c->buffer[c->out_used++] = byte;
    if (c->all->direct || c->shared || (c->out_used >= CHAR_PART && !c->blocked))
        flush(c);
}

void chardev_put(struct chardev *c, u8 byte)
{
    if (c->log)
        putc(byte, c->log);
    if (c->kind->put) {
        c->kind->put(c, byte);
        return;
    }
    if (c->out < 0 || c->connecting)
        return; /* nobody is there */
    buffer_put(c, byte);
    if (byte == TELNET_IAC && c->config->telnet)
        buffer_put(c, byte);
}

void chardev_write(struct chardev *c, const char *text, size_t size)
{
    for (size_t n = 0; n < size; n++)
        chardev_put(c, (u8)text[n]);
}

/* ---- keys ---- */

static bool give(struct chardev *c, u8 byte)
{
    struct char_user *u = focused(c);
    u->receive(u->ctx, byte);
    return true;
}

static bool key_quit(struct chardev *c)
{
    c->all->quit = true;
    machine_end(c->all->m, END_REQUEST, 0, "");
    return false;
}

static bool key_focus(struct chardev *c)
{
    c->focus = (c->focus + 1) % c->users;
    struct char_user *u = focused(c);
    if (u->event)
        u->event(u->ctx, CHAR_FOCUS);
    return false;
}

static bool key_power(struct chardev *c)
{
    machine_power_key(c->all->m);
    return false;
}

static u8 escape_key(const struct chardev *c) { return c->all->o->escape_key ? c->all->o->escape_key : KEY_ESCAPE; }

static bool key_break(struct chardev *c) { return (void)c, false; }
static bool key_itself(struct chardev *c) { return give(c, escape_key(c)); }
static bool key_help(struct chardev *c);

static const struct {
    u8 key;
    bool alone; /* also where one sits alone */
    const char *help;
    bool (*press)(struct chardev *c); /* true: somebody got a byte */
} keys[] = {
    { 'x', true, "x  quit", key_quit },
    { 'h', true, "h  this help", key_help },
    { '?', true, NULL, key_help },
    { 'c', false, "c  to the next of those who share this: consoles, the monitor", key_focus },
    { 'p', true, "p  power button", key_power },
    { 'b', true, "b  (no break on this line)", key_break },
    { KEY_ESCAPE, true, "again  itself", key_itself },
};

static bool key_help(struct chardev *c)
{
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++) {
        char line[100];
        int size =
            snprintf(line, sizeof(line), "\r\nCtrl-%c %s", escape_key(c) | 0x40, keys[n].help ? keys[n].help : "");
        if (keys[n].help && (keys[n].alone || c->users > 1))
            chardev_write(c, line, (size_t)size);
    }
    chardev_write(c, "\r\n", 2);
    return false;
}

/* True: somebody got a byte. */
static bool byte_in(struct chardev *c, u8 byte)
{
    if (!c->keys)
        return give(c, byte);
    bool escape = c->escape;
    c->escape = !escape && byte == escape_key(c);
    for (unsigned n = 0; escape && n < ARRAY_LEN(keys); n++)
        if (keys[n].key == (byte == escape_key(c) ? KEY_ESCAPE : byte))
            return keys[n].press(c);
    return !escape && !c->escape && give(c, byte);
}

/* ---- input ---- */

/* Gives what was read, as far as it is wanted; of what is prepared, one byte for each time that the guest asks. */
static bool deliver(struct chardev *c)
{
    bool gave = false;
    while (c->raw_at < c->raw_used && focused(c) && focused(c)->room(focused(c)->ctx)) {
        gave |= byte_in(c, c->raw[c->raw_at++]);
        if (gave && !c->live && !focused(c)->greedy)
            break;
    }
    c->all->arrived |= gave;
    c->all->fresh |= gave && c->live;
    return gave;
}

static void read_some(struct chardev *c)
{
    c->raw_at = c->raw_used = 0;
    ssize_t n = c->kind->read ? c->kind->read(c, c->raw, sizeof(c->raw)) : read(c->in, c->raw, sizeof(c->raw));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->raw_used = (u32)n;
    else
        chardev_left(c);
}

void chardev_pull(struct chardev *c, bool waiting)
{
    const struct char_user *asked = focused(c);
    if (c->live || (asked && asked->greedy)) {
        deliver(c);
        return;
    }
    if (!waiting)
        return;
    while (focused(c) == asked && !c->all->quit && !deliver(c)) {
        if (c->raw_at < c->raw_used)
            continue;
        if (c->ended || c->in < 0)
            return;
        if (!fd_readable(c->in, GRACE_MS)) {
            c->live = true;
            return;
        }
        read_some(c);
    }
}

bool chardevs_live(const struct chardevs *all)
{
    for (unsigned n = 0; n < all->count; n++)
        if (all->dev[n].users && chardev_comes(&all->dev[n]))
            return true;
    return false;
}

/* ---- waiting ---- */

enum { CHAR_FDS = 2 * MAX_CHARDEVS + 2 };

/* Which descriptor is waited for, for whom; -1: none. What nobody has room for is not read. */
static int fd_wanted(struct chardev *c)
{
    struct char_user *u = focused(c);
    if (!u || c->ended || (!c->live && !u->greedy))
        return -1;
    if (c->in < 0)
        return c->listener;
    return u->room(u->ctx) && c->raw_at == c->raw_used ? c->in : -1;
}

static unsigned poll_set(struct chardevs *all, struct pollfd fds[CHAR_FDS], struct chardev *whose[CHAR_FDS])
{
    unsigned count = 0;
    for (unsigned n = 0; n < all->count; n++) {
        struct chardev *c = &all->dev[n];
        int fd = fd_wanted(c);
        bool writes = c->out >= 0 && (c->connecting || (c->out_used && !(c->kind->flags & CHAR_LOSSLESS)));
        if (fd >= 0) {
            whose[count] = c;
            fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
        }
        if (writes) {
            whose[count] = c;
            fds[count++] = (struct pollfd){ .fd = c->out, .events = POLLOUT };
        }
    }
    return count;
}

/* idle: the machine does nothing meanwhile. */
static void looks_take(struct chardevs *all, bool idle)
{
    u64 now = host_ns();
    for (unsigned n = 0; n < all->count; n++)
        if (all->dev[n].look_at <= now) {
            all->dev[n].look_at = NEVER;
            all->dev[n].kind->look(&all->dev[n]);
        }
    if (display_look(all->display, idle))
        all->arrived = all->fresh = true;
}

static u64 look_next(const struct chardevs *all)
{
    u64 next = display_look_at(all->display);
    for (unsigned n = 0; n < all->count; n++)
        next = all->dev[n].look_at < next ? all->dev[n].look_at : next;
    return next;
}

static void ready_take(struct chardev *c, const struct pollfd *p)
{
    if (p->events & POLLOUT && c->connecting)
        c->kind->look(c);
    else if (p->events & POLLOUT)
        flush_some(c);
    else if (p->fd == c->listener)
        c->kind->look(c);
    else if (p->fd == c->in)
        read_some(c);
}

static u64 ns_of(const struct timespec *t) { return (u64)t->tv_sec * 1000000000 + (u64)t->tv_nsec; }

/* What networks have come to at the machine's time, which goes on while it idles. From `begun` to `end`: host's, ns. */
static void nets_take(struct chardevs *all, const struct pollfd *fds, u64 begun, u64 end)
{
    u64 waited = host_ns() - begun, most = end - begun;
    if (all->nets && nets_ready(all->nets, fds, all->m->now + (waited < most ? waited : most)))
        all->arrived = all->fresh = true;
}

/* One wait, up to when the first back end wants to look at its own. False: its time is over. */
static bool wait_once(struct chardevs *all, u64 begun, u64 end)
{
    struct pollfd fds[CHAR_FDS + NET_FDS];
    struct chardev *whose[CHAR_FDS];
    unsigned count = poll_set(all, fds, whose), polled = count;
    for (unsigned n = 0; n < ARRAY_LEN(all->wake); n++)
        if (all->wake[n] >= 0)
            fds[polled++] = (struct pollfd){ .fd = all->wake[n], .events = POLLIN };
    u32 ms = ~(u32)0;
    unsigned nets = all->nets ? nets_fill(all->nets, fds + polled, &ms) : 0;
    u64 look = look_next(all), to = look < end ? look : end, now = host_ns();
    to = nets && now + (u64)ms * 1000000 < to ? now + (u64)ms * 1000000 : to;
    u64 left = to > now ? to - now : 0;
    struct timespec timeout = { (time_t)(left / 1000000000), (long)(left % 1000000000) };
    sigset_t was;
    terminal_signals_hold(&was);
    int ready = terminal_interrupted() ? -1 : ppoll(fds, polled + nets, to == NEVER ? NULL : &timeout, &was);
    sigprocmask(SIG_SETMASK, &was, NULL);
    for (unsigned n = 0; ready > 0 && n < count; n++)
        if (fds[n].revents)
            ready_take(whose[n], &fds[n]);
    for (unsigned n = count; ready > 0 && n < polled; n++)
        all->arrived |= fds[n].revents != 0;
    if (nets && ready >= 0)
        nets_take(all, fds + polled, begun, end);
    looks_take(all, end > begun);
    for (unsigned n = 0; n < all->count; n++)
        if (all->dev[n].live || (all->dev[n].users && focused(&all->dev[n])->greedy))
            deliver(&all->dev[n]);
    return ready >= 0 && !all->arrived && !all->quit && host_ns() < end;
}

void chardevs_wait(struct chardevs *all, const struct timespec *timeout)
{
    u64 begun = host_ns(), end = timeout ? begun + ns_of(timeout) : NEVER;
    all->arrived = false;
    while (wait_once(all, begun, end)) {}
}

/* ---- opening, closing ---- */

static void log_open(struct chardev *c)
{
    const struct char_config *o = c->config;
    if (!o->logfile[0])
        return;
    int fd =
        o->logappend ? open(o->logfile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : file_open_stream(o->logfile);
    c->log = fd < 0 ? NULL : fdopen(fd, "a");
    if (!c->log)
        die("-chardev %s: logfile=%s: %s", c->config->id, o->logfile, strerror(errno));
}

static void chardev_open(struct chardevs *all, const struct char_config *config)
{
    struct chardev *c = &all->dev[all->count++];
    *c = (struct chardev){ .config = config,
                           .kind = config->kind,
                           .all = all,
                           .name = config->id,
                           .in = -1,
                           .out = -1,
                           .listener = -1,
                           .out_closed = -1,
                           .look_at = NEVER,
                           .keys = config->mux,
                           .live = !(config->kind->flags & CHAR_PREPARED) };
    if (!config->kind->put && !(c->buffer = malloc(config->kind->flags & CHAR_LOSSLESS ? CHAR_PART : CHAR_OUT)))
        die("out of memory");
    log_open(c);
    if (config->kind->open)
        config->kind->open(c);
}

/* Back ends that write to one file write each byte at once. */
static void shared_find(struct chardevs *all)
{
    struct stat a, b;
    for (unsigned n = 0; n < all->count; n++)
        for (unsigned k = 0; k < n; k++) {
            struct chardev *p = &all->dev[n], *q = &all->dev[k];
            if (p->out >= 0 && q->out >= 0 && !fstat(p->out, &a) && !fstat(q->out, &b) && a.st_dev == b.st_dev &&
                a.st_ino == b.st_ino)
                p->shared = q->shared = true;
        }
}

void chardevs_open(struct chardevs *all, struct machine *m, const struct options *o)
{
    all->m = m;
    all->o = o;
    all->wake[0] = all->wake[1] = -1;
    for (unsigned n = 0; n < o->chardev_count; n++)
        chardev_open(all, &o->chardev[n]);
    shared_find(all);
}

/* A client that reads gets the rest; one that does not is waited for no longer than that. */
static void last_flush(struct chardev *c)
{
    u64 end = host_ns() + (u64)LAST_MS * 1000000;
    flush(c);
    while (c->out_used && c->out >= 0 && !c->connecting && host_ns() < end && !terminal_interrupted()) {
        struct pollfd wait = { .fd = c->out, .events = POLLOUT };
        poll(&wait, 1, 50);
        flush(c);
    }
}

/* A socket that is closed while there is something to read takes with it what it was to deliver. */
static void peer_leave(const struct chardev *c)
{
    u8 bytes[4096];
    if (c->kind->left && c->in >= 0 && !shutdown(c->in, SHUT_WR))
        for (unsigned n = 0; n < 64 && recv(c->in, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;)
            n++;
}

/* Some file systems tell only now that there was no room. */
static bool chardev_close(struct chardev *c)
{
    last_flush(c);
    peer_leave(c);
    bool standard = c->in == STDIN_FILENO || c->out == STDOUT_FILENO || c->out_closed == STDOUT_FILENO;
    int fd = c->out >= 0 ? c->out : c->out_closed;
    if (!standard && fd >= 0 && close(fd) && c->kind->flags & CHAR_LOSSLESS)
        write_failed(c);
    if (!standard && c->in >= 0 && c->in != fd)
        close(c->in);
    if (c->listener >= 0)
        close(c->listener);
    if (c->kind->close)
        c->kind->close(c);
    if (c->log && (ferror(c->log) | fclose(c->log))) {
        fprintf(stderr, "elmu: %s: cannot be written: %s\n", c->config->logfile, strerror(errno));
        c->failed = true;
    }
    free(c->buffer);
    return !c->failed;
}

bool chardevs_close(struct chardevs *all)
{
    bool ok = true;
    for (unsigned n = 0; n < all->count; n++)
        ok = chardev_close(&all->dev[n]) && ok;
    all->count = 0;
    return ok;
}
