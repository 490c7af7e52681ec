/*
 * The other end of a virtio socket device (board/dev/virtio_vsock.c): the host, address 2, whose sockets are Unix
 * sockets. QEMU leaves this to the host's kernel (vhost), which no program can do for itself; the scheme here is the
 * one that other monitors of virtual machines have for it.
 *
 *     PATH      listens: who connects and writes "CONNECT PORT\n" is connected to that port of the guest, and told so
 * by "OK PORT\n" with the port that it has itself; it is hung up on when the guest does not listen PATH_PORT is what a
 * guest that connects to the host's port is connected to
 *
 * Streams with credit (Virtual I/O Device specification 1.2, 5.10.6). Neither end is trusted: a connection that breaks
 * the rules is reset, one that does not exist as well. What the guest sees of it enters as frames. Left out:
 * SOCK_SEQPACKET.
 */
#define _GNU_SOURCE
#include "frontend/netdev_vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HOST = 2, STREAM = 1, CONNECTIONS = 256, ROOM = 65536, PART = 4096, LINE = 32 };
enum vsock_op { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST };
enum { NO_RECEIVE = 1, NO_SEND = 2, NEITHER = 3 };
enum { FIRST_PORT = 1 << 30 }; /* of those that connect from here */

enum stage { FREE, HELLO /* it has not said whom it wants */, ASKED /* the guest has been asked */, OPEN };
struct connection {
    enum stage stage;
    int fd, slot; /* slot: of what is waited for, or -1 */
    u32 guest_port, host_port;
    u32 room, taken;        /* the guest's: bytes it has room for, bytes it has taken away */
    u32 sent;               /* bytes that went to it */
    u32 given, given_said;  /* its bytes that went on, and what it was told of that */
    u8 guest_ends, own_ends; /* NO_RECEIVE, NO_SEND: what the guest, and this end, will do no more */
    u32 used;               /* of what waits for the Unix socket */
    char line[LINE];
    u32 line_used;
    u8 *out; /* ROOM bytes */
};
struct state {
    int listener;
    u32 next_port;
    bool restored; /* the guest is to be told that nothing is left of its connections */
    struct sockaddr_un address;
    struct connection connection[CONNECTIONS];
};

static const struct vsock_config *config_of(const struct net_end *e) { return e->config->properties; }

/* ---- packets to the guest ---- */

static void packet_send(struct net_end *e, const struct connection *c, enum vsock_op op, u32 flags, const u8 *data,
                        u32 size)
{
    u8 packet[VSOCK_HEADER + PART];
    store_le64(packet, HOST);
    store_le64(packet + 8, config_of(e)->cid);
    store_le32(packet + 16, c->host_port);
    store_le32(packet + 20, c->guest_port);
    store_le32(packet + 24, size);
    store_le16(packet + 28, STREAM);
    store_le16(packet + 30, (u16)op);
    store_le32(packet + 32, flags);
    store_le32(packet + 36, op == RST ? 0 : ROOM);
    store_le32(packet + 40, c->given);
    if (size)
        memcpy(packet + VSOCK_HEADER, data, size);
    net_hear(e, packet, VSOCK_HEADER + size);
}

static void say(struct net_end *e, struct connection *c, enum vsock_op op)
{
    c->given_said = c->given;
    packet_send(e, c, op, 0, NULL, 0);
}

static void reset_ports(struct net_end *e, u32 host_port, u32 guest_port)
{
    struct connection none = { .host_port = host_port, .guest_port = guest_port };
    packet_send(e, &none, RST, 0, NULL, 0);
}

static void forget(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->out);
    *c = (struct connection){ .fd = -1, .slot = -1 };
}

static void reset(struct net_end *e, struct connection *c)
{
    reset_ports(e, c->host_port, c->guest_port);
    forget(c);
}

/* ---- connections ---- */

static struct connection *find(struct state *s, u32 host_port, u32 guest_port)
{
    for (unsigned n = 0; n < CONNECTIONS; n++) {
        struct connection *c = &s->connection[n];
        if (c->stage > HELLO && c->host_port == host_port && c->guest_port == guest_port)
            return c;
    }
    return NULL;
}

/* NULL: there are too many. Takes the descriptor. */
static struct connection *add(struct state *s, int fd, enum stage stage)
{
    for (unsigned n = 0; n < CONNECTIONS; n++) {
        struct connection *c = &s->connection[n];
        u8 *out = c->stage == FREE ? malloc(ROOM) : NULL;
        if (!out)
            continue;
        *c = (struct connection){ .stage = stage, .fd = fd, .slot = -1, .out = out };
        return c;
    }
    close(fd);
    return NULL;
}

/* A port that no connection of this end has. */
static u32 port_new(struct state *s)
{
    bool taken;
    do {
        taken = false;
        s->next_port = s->next_port == ~(u32)0 || s->next_port < FIRST_PORT ? FIRST_PORT : s->next_port + 1;
        for (unsigned n = 0; n < CONNECTIONS; n++)
            taken |= s->connection[n].stage > HELLO && s->connection[n].host_port == s->next_port;
    } while (taken);
    return s->next_port;
}

/* PATH_PORT; -1: nobody is there. */
static int unix_connect(const struct state *s, u32 port)
{
    struct sockaddr_un a = s->address;
    int room = (int)sizeof(a.sun_path);
    if (snprintf(a.sun_path, sizeof(a.sun_path), "%.100s_%u", s->address.sun_path, port) >= room)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- to the Unix socket ---- */

/* What waits goes on, as far as it is taken; then what comes behind it. False: the connection is gone. */
static bool out_flush(struct net_end *e, struct connection *c)
{
    ssize_t n = c->used ? send(c->fd, c->out, c->used, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        reset(e, c);
        return false;
    }
    if (n > 0) {
        c->used -= (u32)n;
        memmove(c->out, c->out + n, c->used);
        c->given += (u32)n;
    }
    if (c->used)
        return true;
    if (c->guest_ends == NEITHER) {
        reset(e, c);
        return false;
    }
    if (c->guest_ends & NO_SEND)
        shutdown(c->fd, SHUT_WR);
    return true;
}

/* The guest is told of room before it has used up half of what it knows of. */
static void credit_tell(struct net_end *e, struct connection *c)
{
    if (c->given - c->given_said >= ROOM / 2)
        say(e, c, CREDIT_UPDATE);
}

static void data_take(struct net_end *e, struct connection *c, const u8 *data, u32 size)
{
    if (c->stage != OPEN || c->guest_ends & NO_SEND || size > ROOM - c->used) {
        reset(e, c);
        return;
    }
    memcpy(c->out + c->used, data, size);
    c->used += size;
    if (out_flush(e, c))
        credit_tell(e, c);
}

/* ---- packets of the guest's ---- */

static void request(struct net_end *e, u32 host_port, u32 guest_port, u32 room)
{
    struct state *s = e->state;
    int fd = unix_connect(s, host_port);
    struct connection *c = fd >= 0 ? add(s, fd, OPEN) : NULL;
    if (!c) {
        reset_ports(e, host_port, guest_port);
        return;
    }
    c->host_port = host_port;
    c->guest_port = guest_port;
    c->room = room;
    say(e, c, RESPONSE);
}

/* What it says of this end's own port is no data of the guest's, and does not count for credit. */
static void answered(struct net_end *e, struct connection *c)
{
    char text[LINE];
    int size = snprintf(text, sizeof(text), "OK %u\n", c->host_port);
    if (c->stage != ASKED || send(c->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size)
        reset(e, c);
    else
        c->stage = OPEN;
}

static void vsock_send(struct net_end *e, const u8 *packet, size_t size)
{
    struct state *s = e->state;
    if (size < VSOCK_HEADER || load_le64(packet) != config_of(e)->cid || load_le64(packet + 8) != HOST)
        return;
    u32 guest_port = load_le32(packet + 16), host_port = load_le32(packet + 20), flags = load_le32(packet + 32);
    u32 room = load_le32(packet + 36);
    unsigned op = load_le16(packet + 30);
    struct connection *c = find(s, host_port, guest_port);
    if (c) {
        c->room = room;
        c->taken = load_le32(packet + 40);
    }
    if (op == RST) {
        if (c)
            forget(c);
    } else if (load_le16(packet + 28) != STREAM || !c != (op == REQUEST)) {
        if (c)
            forget(c);
        reset_ports(e, host_port, guest_port);
    } else {
        switch (op) {
        case REQUEST: request(e, host_port, guest_port, room); break;
        case RESPONSE: answered(e, c); break;
        case SHUTDOWN:
            c->guest_ends |= (u8)(flags & NEITHER);
            out_flush(e, c);
            break;
        case RW: data_take(e, c, packet + VSOCK_HEADER, (u32)(size - VSOCK_HEADER)); break;
        case CREDIT_REQUEST: say(e, c, CREDIT_UPDATE); break;
        case CREDIT_UPDATE: break;
        default: reset(e, c);
        }
    }
}

/* ---- from the Unix sockets ---- */

/* "CONNECT PORT\n" of who has connected here, byte by byte, since what follows is the guest's. */
static void hello(struct net_end *e, struct connection *c)
{
    char byte;
    ssize_t n = 0;
    while (c->line_used < LINE - 1 && (n = recv(c->fd, &byte, 1, MSG_DONTWAIT)) == 1 && byte != '\n')
        c->line[c->line_used++] = byte;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->line[c->line_used] = 0;
    char *end = c->line;
    unsigned long port = strncmp(c->line, "CONNECT ", 8) ? ~0ul : strtoul(c->line + 8, &end, 10);
    if (n != 1 || byte != '\n' || end < c->line + 9 || (*end && strcmp(end, "\r")) || port >= ~(u32)0 ||
        c->line[8] == '-') {
        forget(c);
        return;
    }
    c->guest_port = (u32)port;
    c->host_port = port_new(e->state);
    c->stage = ASKED;
    say(e, c, REQUEST);
}

static u32 credit(const struct connection *c)
{
    u32 out = c->sent - c->taken; /* and not taken away yet, if the guest does not lie */
    return out < c->room ? c->room - out : 0;
}

/* Will bytes of the Unix socket be taken now? */
static bool wants(const struct connection *c)
{
    if (c->stage == OPEN)
        return !(c->guest_ends & NO_RECEIVE) && !(c->own_ends & NO_SEND) && credit(c);
    return c->stage == HELLO;
}

static void take(struct net_end *e, struct connection *c)
{
    u8 data[PART];
    u32 most = credit(c) < PART ? credit(c) : PART;
    ssize_t n = recv(c->fd, data, most, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        c->own_ends |= NO_SEND;
        packet_send(e, c, SHUTDOWN, c->own_ends, NULL, 0);
        return;
    }
    c->sent += (u32)n;
    c->given_said = c->given;
    packet_send(e, c, RW, 0, data, (u32)n);
}

/* Nobody is there any more, in either direction. */
static void gone(struct net_end *e, struct connection *c)
{
    if (c->stage == HELLO)
        forget(c);
    else if (c->stage == ASKED)
        reset(e, c);
    else if (c->own_ends != NEITHER) {
        c->own_ends = NEITHER;
        c->used = 0;
        packet_send(e, c, SHUTDOWN, NEITHER, NULL, 0);
    }
}

/* Is that the Unix socket has been closed of interest? Not while there may be bytes to be read from it. */
static bool ends_are_seen(const struct connection *c)
{
    bool read = c->own_ends & NO_SEND || c->guest_ends & NO_RECEIVE;
    return c->stage == ASKED || (c->stage == OPEN && c->own_ends != NEITHER && read);
}

static unsigned vsock_fill(struct net_end *e, struct pollfd *fds, unsigned room, u32 *ms)
{
    struct state *s = e->state;
    unsigned count = 0;
    bool space = net_space(e);
    if (s->restored)
        *ms = 0;
    if (!room || (s->listener < 0 && !s->restored))
        return 0;
    fds[count++] = (struct pollfd){ s->listener, POLLIN, 0 };
    for (unsigned n = 0; n < CONNECTIONS && count < room; n++) {
        struct connection *c = &s->connection[n];
        c->slot = -1;
        short events = (short)((wants(c) && space ? POLLIN : 0) | (c->used ? POLLOUT : 0));
        if (!events && !ends_are_seen(c))
            continue;
        c->slot = (int)count;
        fds[count++] = (struct pollfd){ c->fd, events, 0 };
    }
    return count;
}

static void connection_ready(struct net_end *e, struct connection *c, short events)
{
    if (events & POLLOUT && c->used) {
        if (!out_flush(e, c))
            return;
        credit_tell(e, c);
    }
    if (events & POLLIN && wants(c)) {
        if (c->stage == HELLO)
            hello(e, c);
        else
            take(e, c);
    } else if (events & (POLLHUP | POLLERR) && ends_are_seen(c)) {
        gone(e, c);
    }
}

static void vsock_ready(struct net_end *e, const struct pollfd *fds, unsigned count)
{
    static const u8 reset_event[16];
    struct state *s = e->state;
    if (s->restored)
        net_hear(e, reset_event, sizeof(reset_event));
    s->restored = false;
    for (unsigned n = 0; n < CONNECTIONS; n++) {
        struct connection *c = &s->connection[n];
        int slot = c->slot;
        c->slot = -1;
        if (c->stage != FREE && slot > 0 && (unsigned)slot < count && fds[slot].revents && net_space(e))
            connection_ready(e, c, fds[slot].revents);
    }
    int fd = count && fds[0].revents & POLLIN ? accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    if (fd >= 0)
        add(s, fd, HELLO);
}

/* ---- the kind ---- */

static void vsock_open(struct net_end *e)
{
    struct state *s = e->state;
    const struct vsock_config *c = config_of(e);
    struct stat st;
    s->listener = -1;
    s->restored = net_restored(e);
    for (unsigned n = 0; n < CONNECTIONS; n++)
        s->connection[n] = (struct connection){ .fd = -1, .slot = -1 };
    if (!c->path[0])
        return;
    s->address.sun_family = AF_UNIX;
    if (strlen(c->path) > sizeof(s->address.sun_path) - sizeof("_4294967295"))
        die("-device vhost-vsock: socket=%.40s...: the path is too long", c->path);
    memcpy(s->address.sun_path, c->path, strlen(c->path));
    if (!lstat(c->path, &st) && S_ISSOCK(st.st_mode))
        unlink(c->path); /* of a run that was killed */
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&s->address, sizeof(s->address)) ||
        listen(s->listener, 64))
        die("-device vhost-vsock: socket=%s: %s", c->path, strerror(errno));
}

static void vsock_close(struct net_end *e)
{
    struct state *s = e->state;
    for (unsigned n = 0; n < CONNECTIONS; n++)
        forget(&s->connection[n]);
    if (s->listener < 0)
        return;
    close(s->listener);
    unlink(config_of(e)->path);
}

const struct netdev_kind netdev_vsock = {
    .name = "vsock",
    .properties_size = sizeof(struct vsock_config),
    .state_size = sizeof(struct state),
    .open = vsock_open,
    .close = vsock_close,
    .send = vsock_send,
    .fill = vsock_fill,
    .ready = vsock_ready,
};
