/*
 * -netdev socket, stream, dgram: a wire to another program (elmu, QEMU) by a socket. A stream has each frame behind its
 * length (32 bits, big-endian), a datagram is a frame. What does not go out at once waits, a little; more is lost.
 *
 * Left out: reconnecting. A multicast group does not hear itself: frames are sent from a port of their own.
 */
#define _GNU_SOURCE
#include "frontend/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LENGTH = 4, OUT_MOST = 1 << 18, READ_MOST = 64 /* frames at once */ };

struct address {
    struct sockaddr_storage sa;
    socklen_t size; /* 0: none */
};
struct link {
    int fd, listener, sender; /* -1: none. sender: what frames go out by, if that is another */
    bool stream;
    struct address to; /* of datagrams */
    u16 own_port;      /* network order: what comes from there was ours. 0: nothing */
    u32 in_used, out_used;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of a socket that we made */
    u8 in[LENGTH + FRAME_MAX], out[OUT_MOST];
};

static struct link *link_of(struct net_end *e) { return e->state; }

/* ---- streams ---- */

/* A server waits for the next one. */
static void peer_left(struct link *l)
{
    close(l->fd);
    l->fd = -1;
    l->in_used = l->out_used = 0;
}

static void out_flush(struct link *l)
{
    ssize_t n = l->out_used ? send(l->fd, l->out, l->out_used, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        peer_left(l);
        return;
    }
    if (n > 0) {
        l->out_used -= (u32)n;
        memmove(l->out, l->out + n, l->out_used);
    }
}

static void stream_send(struct link *l, const u8 *frame, size_t size)
{
    if (l->fd < 0 || sizeof(l->out) - l->out_used < LENGTH + size)
        return;
    u32 length = htonl((u32)size);
    memcpy(l->out + l->out_used, &length, LENGTH);
    memcpy(l->out + l->out_used + LENGTH, frame, size);
    l->out_used += (u32)(LENGTH + size);
    out_flush(l);
}

/* The frame that is whole goes on, if one is: true. A length that no frame has ends the connection. */
static bool stream_frame(struct net_end *e, struct link *l)
{
    u32 length;
    if (l->in_used < LENGTH)
        return false;
    memcpy(&length, l->in, LENGTH);
    length = ntohl(length);
    if (length > FRAME_MAX) {
        peer_left(l);
        return false;
    }
    if (l->in_used < LENGTH + length)
        return false;
    net_hear(e, l->in + LENGTH, length);
    l->in_used -= LENGTH + length;
    memmove(l->in, l->in + LENGTH + length, l->in_used);
    return true;
}

static void stream_read(struct net_end *e, struct link *l)
{
    for (unsigned n = 0; n < READ_MOST && l->fd >= 0; n++) {
        ssize_t got = recv(l->fd, l->in + l->in_used, sizeof(l->in) - l->in_used, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            peer_left(l);
            return;
        }
        l->in_used += (u32)got;
        while (l->fd >= 0 && stream_frame(e, l))
            ;
    }
}

/* ---- datagrams ---- */

static void datagram_send(struct link *l, const u8 *frame, size_t size)
{
    int fd = l->sender >= 0 ? l->sender : l->fd;
    if (l->to.size)
        sendto(fd, frame, size, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&l->to.sa, l->to.size);
}

static void datagrams_read(struct net_end *e, struct link *l)
{
    for (unsigned n = 0; n < READ_MOST; n++) {
        struct address from = { .size = sizeof(from.sa) };
        ssize_t got = recvfrom(l->fd, l->in, sizeof(l->in), MSG_DONTWAIT, (struct sockaddr *)&from.sa, &from.size);
        if (got < 0)
            return;
        struct sockaddr_in *in = (struct sockaddr_in *)&from.sa;
        if (!l->own_port || in->sin_family != AF_INET || in->sin_port != l->own_port)
            net_hear(e, l->in, (size_t)got);
    }
}

/* ---- the kinds' functions ---- */

static void link_send(struct net_end *e, const u8 *frame, size_t size)
{
    struct link *l = link_of(e);
    if (l->stream)
        stream_send(l, frame, size);
    else
        datagram_send(l, frame, size);
}

static unsigned link_fill(struct net_end *e, struct pollfd *fds, unsigned room, u32 *ms)
{
    const struct link *l = link_of(e);
    int fd = l->fd >= 0 ? l->fd : l->listener;
    (void)ms;
    if (fd < 0 || !room)
        return 0;
    fds[0] = (struct pollfd){ .fd = fd, .events = (short)(POLLIN | (l->out_used ? POLLOUT : 0)) };
    return 1;
}

static void link_ready(struct net_end *e, const struct pollfd *fds, unsigned count)
{
    struct link *l = link_of(e);
    if (!count || !fds[0].revents)
        return;
    if (l->fd < 0)
        l->fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    else if (!l->stream)
        datagrams_read(e, l);
    else
        stream_read(e, l);
    if (l->fd >= 0 && l->stream)
        out_flush(l);
}

static void link_close(struct net_end *e)
{
    struct link *l = link_of(e);
    const int fds[] = { l->fd, l->listener, l->sender };
    for (unsigned n = 0; n < ARRAY_LEN(fds); n++)
        if (fds[n] >= 0)
            close(fds[n]);
    if (l->path[0])
        unlink(l->path);
}

/* ---- opening ---- */

static struct address inet_address(const struct net_end *e, const char *host, const char *port, int type)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = type, .ai_flags = host[0] ? 0 : AI_PASSIVE },
                    *found;
    struct address a;
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (rc)
        die("%s: %s:%s: %s", net_name(e), host, port, gai_strerror(rc));
    memcpy(&a.sa, found->ai_addr, found->ai_addrlen);
    a.size = found->ai_addrlen;
    freeaddrinfo(found);
    return a;
}

/* HOST:PORT */
static struct address where_address(const struct net_end *e, const char *where, int type)
{
    char host[256];
    const char *colon = strrchr(where, ':');
    if (!colon || (size_t)(colon - where) >= sizeof(host))
        die("%s: expected HOST:PORT, got '%s'", net_name(e), where);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
    return inet_address(e, host, colon + 1, type);
}

static struct address unix_address(const struct net_end *e, const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct address a = { .size = sizeof(un) };
    if (!path[0] || strlen(path) >= sizeof(un.sun_path))
        die("%s: the socket's path is %s", net_name(e), path[0] ? "too long" : "missing");
    memcpy(un.sun_path, path, strlen(path) + 1);
    memcpy(&a.sa, &un, sizeof(un));
    return a;
}

static int socket_make(const struct net_end *e, const struct address *a, int type)
{
    int fd = socket(a->sa.ss_family, type | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        die("%s: %s", net_name(e), strerror(errno));
    if (a->sa.ss_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return fd;
}

/* A path that was there goes: as QEMU's does. */
static void socket_bind(struct net_end *e, int fd, const struct address *a)
{
    const char *path = ((const struct sockaddr_un *)&a->sa)->sun_path;
    if (a->sa.ss_family == AF_UNIX) {
        unlink(path);
        snprintf(link_of(e)->path, sizeof(link_of(e)->path), "%s", path);
    }
    if (bind(fd, (const struct sockaddr *)&a->sa, a->size))
        die("%s: cannot bind: %s", net_name(e), strerror(errno));
}

static void stream_open(struct net_end *e, const struct address *a, bool server)
{
    struct link *l = link_of(e);
    int fd = socket_make(e, a, SOCK_STREAM);
    l->stream = true;
    if (server) {
        socket_bind(e, fd, a);
        if (listen(fd, 1))
            die("%s: cannot listen: %s", net_name(e), strerror(errno));
        l->listener = fd;
    } else if (connect(fd, (const struct sockaddr *)&a->sa, a->size)) {
        die("%s: cannot connect: %s", net_name(e), strerror(errno));
    } else {
        l->fd = fd;
    }
}

static void datagram_open(struct net_end *e, const struct address *local, const struct address *remote)
{
    struct link *l = link_of(e);
    l->fd = socket_make(e, local->size ? local : remote, SOCK_DGRAM);
    if (local->size)
        socket_bind(e, l->fd, local);
    l->to = *remote;
}

static bool is_group(const struct address *a)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->sa;
    return a->sa.ss_family == AF_INET && IN_MULTICAST(ntohl(in->sin_addr.s_addr));
}

/* local: of the interface, or any. */
static void group_open(struct net_end *e, const struct address *group, const struct address *local)
{
    struct link *l = link_of(e);
    struct sockaddr_in own = { .sin_family = AF_INET }, *in = (struct sockaddr_in *)&l->to.sa;
    socklen_t size = sizeof(own);
    u8 on = 1;
    if (local->size)
        own.sin_addr = ((const struct sockaddr_in *)&local->sa)->sin_addr;
    l->to = *group;
    struct ip_mreq member = { in->sin_addr, own.sin_addr };
    l->fd = socket_make(e, group, SOCK_DGRAM);
    l->sender = socket_make(e, group, SOCK_DGRAM);
    if (bind(l->fd, (const struct sockaddr *)&group->sa, group->size) ||
        setsockopt(l->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member)) ||
        bind(l->sender, (struct sockaddr *)&own, sizeof(own)) ||
        setsockopt(l->sender, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) ||
        (local->size && setsockopt(l->sender, IPPROTO_IP, IP_MULTICAST_IF, &own.sin_addr, sizeof(own.sin_addr))) ||
        getsockname(l->sender, (struct sockaddr *)&own, &size))
        die("%s: the multicast group cannot be joined: %s", net_name(e), strerror(errno));
    l->own_port = own.sin_port;
}

/* A descriptor that was inherited: its type says what it is. */
static void inherited_open(struct net_end *e, const char *number)
{
    struct link *l = link_of(e);
    int fd = (int)suboption_number(net_name(e), number, 1), type;
    socklen_t size = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
        die("%s: fd=%s: %s", net_name(e), number, strerror(errno));
    l->stream = type == SOCK_STREAM;
    l->fd = fd;
    l->to.size = sizeof(l->to.sa);
    if (!l->stream && getpeername(fd, (struct sockaddr *)&l->to.sa, &l->to.size))
        die("%s: fd=%s: is not connected", net_name(e), number);
}

static void link_begin(struct net_end *e)
{
    struct link *l = link_of(e);
    l->fd = l->listener = l->sender = -1;
}

/* ---- -netdev socket ---- */

struct socket_words {
    struct netdev_common common;
    char fd[16], listen[300], connect[300], mcast[300], localaddr[300], udp[300];
};
static const struct property socket_rows[] = {
    NETDEV_ROWS(struct socket_words),
    PROPERTY("fd", PROPERTY_TEXT, struct socket_words, fd),
    PROPERTY("listen", PROPERTY_TEXT, struct socket_words, listen),
    PROPERTY("connect", PROPERTY_TEXT, struct socket_words, connect),
    PROPERTY("mcast", PROPERTY_TEXT, struct socket_words, mcast),
    PROPERTY("localaddr", PROPERTY_TEXT, struct socket_words, localaddr),
    PROPERTY("udp", PROPERTY_TEXT, struct socket_words, udp),
};

static void socket_open(struct net_end *e)
{
    const struct socket_words *w = e->config->properties;
    const char *const ways[] = { w->fd, w->listen, w->connect, w->mcast, w->udp };
    unsigned given = 0;
    for (unsigned n = 0; n < ARRAY_LEN(ways); n++)
        given += ways[n][0] != 0;
    if (given != 1)
        die("%s: exactly one of listen=, connect=, mcast=, udp= or fd= is required", net_name(e));
    link_begin(e);
    struct address none = { .size = 0 }, local = none, a;
    bool numeric = w->localaddr[0] && !strchr(w->localaddr, ':');
    if (w->localaddr[0])
        local = numeric ? inet_address(e, w->localaddr, "0", SOCK_DGRAM) : where_address(e, w->localaddr, SOCK_DGRAM);
    if (w->fd[0]) {
        inherited_open(e, w->fd);
    } else if (w->udp[0]) {
        if (!w->localaddr[0])
            die("%s: localaddr= is mandatory with udp=", net_name(e));
        a = where_address(e, w->udp, SOCK_DGRAM);
        datagram_open(e, &local, &a);
    } else if (w->mcast[0]) {
        a = where_address(e, w->mcast, SOCK_DGRAM);
        if (!is_group(&a))
            die("%s: mcast=%s: is no IPv4 multicast address", net_name(e), w->mcast);
        group_open(e, &a, &local);
    } else {
        a = where_address(e, w->listen[0] ? w->listen : w->connect, SOCK_STREAM);
        stream_open(e, &a, w->listen[0]);
    }
}

const struct netdev_kind netdev_socket = {
    .name = "socket",
    .rows = socket_rows,
    .row_count = ARRAY_LEN(socket_rows),
    .properties_size = sizeof(struct socket_words),
    .state_size = sizeof(struct link),
    .open = socket_open,
    .close = link_close,
    .send = link_send,
    .fill = link_fill,
    .ready = link_ready,
};

/* ---- -netdev stream, dgram: addresses as QMP writes them ---- */

struct address_words {
    char type[8], host[256], port[32], path[256], fd[16];
};
#define ADDRESS_ROWS(struct_, name, field)                                                                             \
    PROPERTY(name ".type", PROPERTY_TEXT, struct_, field.type), PROPERTY(name ".host", PROPERTY_TEXT, struct_, field.host), \
        PROPERTY(name ".port", PROPERTY_TEXT, struct_, field.port), PROPERTY(name ".path", PROPERTY_TEXT, struct_, field.path), \
        PROPERTY(name ".str", PROPERTY_TEXT, struct_, field.fd)

/* Without a type: none. */
static struct address words_address(const struct net_end *e, const struct address_words *w, const char *what, int type)
{
    struct address none = { .size = 0 };
    if (!w->type[0])
        return none;
    if (!strcmp(w->type, "unix"))
        return unix_address(e, w->path);
    if (strcmp(w->type, "inet"))
        die("%s: %s.type=%s: expected inet, unix or fd", net_name(e), what, w->type);
    if (!w->port[0])
        die("%s: %s.port= is missing", net_name(e), what);
    return inet_address(e, w->host, w->port, type);
}

struct stream_words {
    struct netdev_common common;
    struct address_words addr;
    bool server;
};
static const struct property stream_rows[] = {
    NETDEV_ROWS(struct stream_words),
    ADDRESS_ROWS(struct stream_words, "addr", addr),
    PROPERTY("server", PROPERTY_ON, struct stream_words, server),
    PROPERTY_ACCEPTED("reconnect", "0"),
};

static void stream_kind_open(struct net_end *e)
{
    const struct stream_words *w = e->config->properties;
    link_begin(e);
    if (!strcmp(w->addr.type, "fd")) {
        inherited_open(e, w->addr.fd);
        return;
    }
    struct address a = words_address(e, &w->addr, "addr", SOCK_STREAM);
    if (!a.size)
        die("%s: addr.type= is missing (inet, unix, fd)", net_name(e));
    stream_open(e, &a, w->server);
}

const struct netdev_kind netdev_stream = {
    .name = "stream",
    .rows = stream_rows,
    .row_count = ARRAY_LEN(stream_rows),
    .properties_size = sizeof(struct stream_words),
    .state_size = sizeof(struct link),
    .open = stream_kind_open,
    .close = link_close,
    .send = link_send,
    .fill = link_fill,
    .ready = link_ready,
};

struct dgram_words {
    struct netdev_common common;
    struct address_words local, remote;
};
static const struct property dgram_rows[] = {
    NETDEV_ROWS(struct dgram_words),
    ADDRESS_ROWS(struct dgram_words, "local", local),
    ADDRESS_ROWS(struct dgram_words, "remote", remote),
};

static void dgram_open(struct net_end *e)
{
    const struct dgram_words *w = e->config->properties;
    link_begin(e);
    if (!strcmp(w->local.type, "fd")) {
        inherited_open(e, w->local.fd);
        return;
    }
    struct address local = words_address(e, &w->local, "local", SOCK_DGRAM),
                   remote = words_address(e, &w->remote, "remote", SOCK_DGRAM);
    if (is_group(&remote))
        group_open(e, &remote, &local);
    else if (!local.size)
        die("%s: local.type= is missing (inet, unix, fd; remote= may be a multicast group without)", net_name(e));
    else
        datagram_open(e, &local, &remote);
}

const struct netdev_kind netdev_dgram = {
    .name = "dgram",
    .rows = dgram_rows,
    .row_count = ARRAY_LEN(dgram_rows),
    .properties_size = sizeof(struct dgram_words),
    .state_size = sizeof(struct link),
    .open = dgram_open,
    .close = link_close,
    .send = link_send,
    .fill = link_fill,
    .ready = link_ready,
};
