/* The wire of the gdb remote protocol. */
#define _GNU_SOURCE
#include "debug/gdb/gdb_link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SEND_TIMEOUT_MS = 10000 };

/* ---- opening ---- */

static bool listen_unix(struct gdb_link *l, const char *path, char *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    path += strncmp(path, "path=", 5) ? 0 : 5;
    size_t length = strcspn(path, ","); /* server=on,wait=off is what it is anyway */
    if (!length || length + 1 >= sizeof(address.sun_path)) {
        snprintf(error, 256, "-gdb unix:%.100s: expected a path of 1 to %zu bytes", path, sizeof(address.sun_path) - 2);
        return false;
    }
    memcpy(l->unix_path, path, length);
    memcpy(address.sun_path, path,
           length); /* "PATH~": it gets its name when it listens, so that whoever sees it can connect */
    address.sun_path[length] = '~';
    l->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(address.sun_path);
    if (l->listener < 0 || bind(l->listener, (struct sockaddr *)&address, sizeof(address)) || listen(l->listener, 4) ||
        rename(address.sun_path, l->unix_path)) {
        snprintf(error, 256, "-gdb unix:%.100s: %s", path, strerror(errno));
        l->unix_path[0] = 0;
        return false;
    }
    return true;
}

static bool listen_tcp(struct gdb_link *l, const char *where, char *error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
                    *found = NULL;
    char host[200];
    const char *colon = strrchr(where, ':');
    int on = 1;
    if (!colon || (size_t)(colon - where) >= sizeof(host) || !colon[1]) {
        snprintf(error, 256, "-gdb tcp:%.100s: expected tcp:HOST:PORT or tcp::PORT", where);
        return false;
    }
    memcpy(host, where, (size_t)(colon - where));
    host[colon - where] = 0;
    size_t end = strcspn(colon + 1, ",");
    char port[32];
    snprintf(port, sizeof(port), "%.*s", (int)(end < 31 ? end : 31), colon + 1);
    int rc = getaddrinfo(host[0] ? host : "127.0.0.1", port, &hints, &found);
    if (rc) {
        snprintf(error, 256, "-gdb tcp:%.100s: %s", where, gai_strerror(rc));
        return false;
    }
    l->listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->listener >= 0)
        setsockopt(l->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool ok = l->listener >= 0 && !bind(l->listener, found->ai_addr, found->ai_addrlen) && !listen(l->listener, 4);
    if (!ok)
        snprintf(error, 256, "-gdb tcp:%.100s: cannot listen: %s", where, strerror(errno));
    freeaddrinfo(found);
    return ok;
}

bool gdb_link_open(struct gdb_link *l, const char *where, char error[256])
{
    memset(l, 0, sizeof(*l));
    l->listener = l->fd = -1;
    bool ok = false;
    if (!strncmp(where, "tcp:", 4))
        ok = listen_tcp(l, where + 4, error);
    else if (!strncmp(where, "unix:", 5))
        ok = listen_unix(l, where + 5, error);
    else
        snprintf(error, 256, "-gdb %.100s: expected tcp::PORT, tcp:HOST:PORT or unix:PATH", where);
    if (!ok)
        gdb_link_close(l);
    return ok;
}

void gdb_link_drop(struct gdb_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->state = LINK_IDLE;
    l->no_ack = false;
    l->in_used = l->in_at = 0;
    text_clear(&l->last);
}

void gdb_link_close(struct gdb_link *l)
{
    gdb_link_drop(l);
    if (l->listener >= 0)
        close(l->listener);
    if (l->unix_path[0])
        unlink(l->unix_path);
    l->listener = -1;
    l->unix_path[0] = 0;
    text_free(&l->last);
}

/* ---- sending ---- */

static void send_all(struct gdb_link *l, const char *data, size_t size)
{
    while (size && l->fd >= 0) {
        ssize_t n = send(l->fd, data, size, MSG_NOSIGNAL);
        if (n > 0) {
            data += n, size -= (size_t)n;
            continue;
        }
        struct pollfd wait = { .fd = l->fd, .events = POLLOUT };
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && poll(&wait, 1, SEND_TIMEOUT_MS) > 0)
            continue;
        gdb_link_drop(l); /* gone, or it does not read */
        l->lost = true;
    }
}

void gdb_link_send(struct gdb_link *l, const char *data, size_t size)
{
    u8 sum = 0;
    for (size_t n = 0; n < size; n++)
        sum += (u8)data[n];
    text_clear(&l->last);
    text_bytes(&l->last, "$", 1);
    text_bytes(&l->last, data, size);
    text_add(&l->last, "#%02x", sum);
    if (!l->last.failed)
        send_all(l, l->last.s, l->last.length);
}

/* ---- receiving ---- */

static void accept_client(struct gdb_link *l)
{
    int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;
    if (fd < 0)
        return;
    if (l->fd >= 0) { /* one at a time */
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    l->fd = fd;
}

static int hex_digit(u8 c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void data_byte(struct gdb_link *l, u8 byte)
{
    if (byte == '#') {
        l->state = LINK_SUM1;
    } else if (byte == '$') { /* the client began anew */
        l->length = 0;
        l->sum = 0;
        l->too_long = false;
    } else {
        l->sum += byte;
        if (l->length < GDB_PACKET)
            l->packet[l->length++] = (char)byte;
        else
            l->too_long = true;
    }
}

static enum gdb_event packet_end(struct gdb_link *l, u8 byte)
{
    bool good = hex_digit(byte) >= 0 && l->got == (l->sum & 0xf0) + 0 && hex_digit(byte) == (l->sum & 15);
    l->state = LINK_IDLE;
    if (!l->no_ack)
        send_all(l, good ? "+" : "-", 1);
    if (l->lost || (!good && !l->no_ack))
        return GDB_NOTHING;
    l->packet[l->length] = 0;
    if (l->too_long) {
        gdb_link_send(l, "E22", 3);
        return GDB_NOTHING;
    }
    return GDB_HAVE_PACKET;
}

/* One byte of the stream. */
static enum gdb_event byte_in(struct gdb_link *l, u8 byte)
{
    switch (l->state) {
    case LINK_IDLE:
        if (byte == '$') {
            l->state = LINK_DATA;
            l->length = 0;
            l->sum = 0;
            l->too_long = false;
        } else if (byte == '-' && l->last.length) {
            send_all(l, l->last.s, l->last.length);
        } else if (byte == 3) {
            return GDB_BREAK;
        }
        return GDB_NOTHING;
    case LINK_DATA: data_byte(l, byte); return GDB_NOTHING;
    case LINK_SUM1:
        l->got = hex_digit(byte) < 0 ? 0xff : (u8)(hex_digit(byte) << 4);
        l->state = LINK_SUM2;
        return GDB_NOTHING;
    default: return packet_end(l, byte);
    }
}

static enum gdb_event bytes_in(struct gdb_link *l)
{
    while (l->in_at < l->in_used && l->fd >= 0) {
        enum gdb_event e = byte_in(l, l->in[l->in_at++]);
        if (e != GDB_NOTHING)
            return e;
    }
    return GDB_NOTHING;
}

enum gdb_event gdb_link_next(struct gdb_link *l, int timeout_ms)
{
    bool had = l->fd >= 0;
    enum gdb_event e = had ? bytes_in(l) : GDB_NOTHING;
    if (l->lost) {
        l->lost = false;
        return GDB_CLOSED;
    }
    if (e != GDB_NOTHING)
        return e;
    struct pollfd fds[2] = { { .fd = l->listener, .events = POLLIN }, { .fd = l->fd, .events = POLLIN } };
    if (poll(fds, had ? 2 : 1, timeout_ms) <= 0)
        return GDB_NOTHING;
    if (fds[0].revents &&
        !(had && fds[1].revents)) /* a client that left is seen to have left before the next is looked at */
        accept_client(l);
    if (!had)
        return l->fd >= 0 ? GDB_CONNECTED : GDB_NOTHING;
    if (!fds[1].revents)
        return GDB_NOTHING;
    ssize_t n = recv(l->fd, l->in, sizeof(l->in), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return GDB_NOTHING;
    if (n <= 0) {
        gdb_link_drop(l);
        return GDB_CLOSED;
    }
    l->in_used = (unsigned)n;
    l->in_at = 0;
    return bytes_in(l);
}
