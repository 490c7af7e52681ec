/*
 * Back ends that are sockets: TCP and Unix, as a server for one client at a time or as a client that perhaps tries
 * again (reconnect=), telnet on top of them; UDP. A server whose host is not named is on loopback.
 */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 200, DATAGRAM = 1024, NEGOTIATION = 64 };

/* "unix:PATH" or "tcp:HOST:PORT". */
static const char *where(const struct chardev *c, char text[800])
{
    const struct char_config *o = c->config;
    if (o->port[0])
        snprintf(text, 800, "%s:%s:%s", o->telnet ? "telnet" : "tcp", o->host, o->port);
    else
        snprintf(text, 800, "unix:%s", o->path);
    return text;
}

static _Noreturn void cannot(const struct chardev *c, const char *what, const char *why)
{
    char text[800];
    die("-chardev %s,id=%s: Failed to %s '%s': %s", c->kind->name, c->config->id, what, where(c, text), why);
}

/* ---- addresses ---- */

/* A path as the one address there is. */
static void address_unix(struct chardev *c)
{
    static const size_t size = sizeof(struct addrinfo) + sizeof(struct sockaddr_un);
    struct addrinfo *a = calloc(1, size);
    if (!a)
        die("out of memory");
    struct sockaddr_un *address = (void *)(a + 1);
    if (strlen(c->config->path) >= sizeof(address->sun_path))
        die("%s: socket path too long", c->config->path);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, c->config->path);
    a->ai_family = AF_UNIX;
    a->ai_socktype = SOCK_STREAM;
    a->ai_addr = (void *)address;
    a->ai_addrlen = sizeof(*address);
    c->addresses = a;
}

static struct addrinfo *addresses_find(const struct chardev *c, const char *host, const char *port, int type)
{
    const struct char_config *o = c->config;
    struct addrinfo *found = NULL;
    struct addrinfo hints = { .ai_family = o->ipv4 == o->ipv6 ? AF_UNSPEC
                                           : o->ipv4          ? AF_INET
                                                              : AF_INET6,
                              .ai_socktype = type };
    int rc = getaddrinfo(host[0] ? host : o->ipv6 && !o->ipv4 ? "::1" : "127.0.0.1", port, &hints, &found);
    if (rc)
        cannot(c, "resolve", gai_strerror(rc));
    return found;
}

/* ---- a server ---- */

static bool listens(struct chardev *c, const struct addrinfo *a)
{
    int on = 1;
    c->listener = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (a->ai_family != AF_UNIX && c->listener >= 0)
        setsockopt(c->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return c->listener >= 0 && !bind(c->listener, a->ai_addr, a->ai_addrlen) && !listen(c->listener, 1);
}

/* On the first address of the host that can be had. */
static void listener_open(struct chardev *c)
{
    if (!c->config->port[0])
        unlink(c->config->path);
    for (const struct addrinfo *a = c->addresses; !listens(c, a); a = a->ai_next) {
        int error = errno;
        if (!a->ai_next)
            cannot(c, "listen on", strerror(error));
        if (c->listener >= 0)
            close(c->listener);
    }
}

static void peer_set(struct chardev *c, int fd)
{
    int on = 1;
    if (c->config->port[0] && !c->config->delay)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c->in = c->out = fd;
    c->connecting = false;
    if (c->config->telnet && c->config->server)
        for (unsigned n = 0; n < sizeof(telnet_hello); n++)
            c->buffer[c->out_used++] = telnet_hello[n];
    chardev_connected(c);
}

static void client_accept(struct chardev *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        peer_set(c, fd);
}

/* A server waits for its client before the run, as QEMU's does, unless it is told not to. */
static void client_wait(struct chardev *c)
{
    char text[800];
    fprintf(stderr, "elmu: waiting for connection on: %s,server=on\n", where(c, text));
    while (c->in < 0 && !terminal_interrupted())
        if (fd_readable(c->listener, WAIT_MS))
            client_accept(c);
}

/* ---- a client ---- */

static void try_later(struct chardev *c)
{
    c->look_at = host_ns() + (u64)c->config->reconnect * 1000000000;
    c->next_address = c->addresses;
}

/* Begins with the next address. */
static void connect_begin(struct chardev *c)
{
    const struct addrinfo *a = c->next_address;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    c->next_address = a->ai_next;
    if (fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen)) {
        peer_set(c, fd);
    } else if (fd >= 0 && errno == EINPROGRESS) {
        c->out = fd;
        c->connecting = true;
    } else {
        if (fd >= 0)
            close(fd);
        if (c->next_address)
            c->look_at = 0;
        else
            try_later(c);
    }
}

static void connect_end(struct chardev *c)
{
    int error = 0, fd = c->out;
    socklen_t size = sizeof(error);
    c->out = -1;
    c->connecting = false;
    if (!getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) && !error) {
        peer_set(c, fd);
        return;
    }
    close(fd);
    if (c->next_address)
        c->look_at = 0;
    else
        try_later(c);
}

/* Without reconnect= the other side must be there. */
static void connect_now(struct chardev *c)
{
    for (const struct addrinfo *a = c->addresses; a; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error;
        if (fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen)) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
            peer_set(c, fd);
            return;
        }
        error = errno;
        if (fd >= 0)
            close(fd);
        errno = error;
    }
    cannot(c, "connect to", strerror(errno));
}

/* ---- both ---- */

void char_open_socket(struct chardev *c)
{
    const struct char_config *o = c->config;
    if (o->port[0])
        c->addresses = c->next_address = addresses_find(c, o->host, o->port, SOCK_STREAM);
    else
        address_unix(c);
    c->next_address = c->addresses;
    c->name = o->id;
    if (o->server)
        listener_open(c);
    if (o->server && !o->nowait)
        client_wait(c);
    else if (!o->server && o->reconnect)
        c->look_at = 0;
    else if (!o->server)
        connect_now(c);
}

/* There is something to be seen: of a server, somebody who comes; of a client, that it is time to try, or how a try
 * went. */
void char_look_socket(struct chardev *c)
{
    if (c->config->server)
        client_accept(c);
    else if (c->connecting)
        connect_end(c);
    else
        connect_begin(c);
}

void char_left_socket(struct chardev *c)
{
    close(c->in);
    c->in = c->out = -1;
    c->ended = !c->config->server && !c->config->reconnect;
    if (!c->config->server && c->config->reconnect)
        try_later(c);
}

void char_close_socket(struct chardev *c)
{
    if (c->config->server && !c->config->port[0])
        unlink(c->config->path);
    if (c->addresses && c->config->port[0])
        freeaddrinfo(c->addresses);
    else
        free(c->addresses);
}

/* Data of what was received; how many bytes of it are left when telnet's own is taken out. */
static ssize_t telnet_strip(struct chardev *c, u8 *data, ssize_t size)
{
    ssize_t kept = 0;
    for (ssize_t n = 0; n < size; n++) {
        int byte = telnet_take(&c->telnet, data[n]);
        if (byte >= 0)
            data[kept++] = (u8)byte;
    }
    return kept;
}

/* That nothing is left is no end; a client that only negotiates is read a while. */
ssize_t char_read_socket(struct chardev *c, void *bytes, size_t size)
{
    for (unsigned n = 0; n < NEGOTIATION; n++) {
        ssize_t got = recv(c->in, bytes, size, 0);
        if (got > 0 && c->config->telnet)
            got = telnet_strip(c, bytes, got);
        else
            return got;
        if (got > 0)
            return got;
    }
    errno = EAGAIN;
    return -1;
}

/* ---- UDP ---- */

void char_open_udp(struct chardev *c)
{
    const struct char_config *o = c->config;
    c->addresses = addresses_find(c, o->host, o->port, SOCK_DGRAM);
    const struct addrinfo *a = c->addresses;
    c->name = o->id;
    int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        cannot(c, "make a socket for", strerror(errno));
    if (o->localaddr[0] || o->localport[0]) {
        struct addrinfo *own = addresses_find(c, o->localaddr, o->localport[0] ? o->localport : "0", SOCK_DGRAM);
        if (bind(fd, own->ai_addr, own->ai_addrlen))
            cannot(c, "bind", strerror(errno));
        freeaddrinfo(own);
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen))
        cannot(c, "connect to", strerror(errno));
    freeaddrinfo(c->addresses);
    c->addresses = NULL;
    c->in = c->out = fd;
}

/* Neither an empty datagram nor that nobody is there is an end. */
ssize_t char_read_udp(struct chardev *c, void *bytes, size_t size)
{
    ssize_t n = recv(c->in, bytes, size, 0);
    if (n <= 0)
        errno = EAGAIN;
    return n > 0 ? n : -1;
}

ssize_t char_write_udp(struct chardev *c, const void *bytes, size_t size)
{
    size_t part = size < DATAGRAM ? size : DATAGRAM;
    ssize_t n = send(c->out, bytes, part, MSG_NOSIGNAL);
    return n < 0 && errno != EAGAIN && errno != EINTR ? (ssize_t)part : n;
}
