/*
 * A TFTP server (RFC 1350; options of RFC 2347: blksize of RFC 2348, tsize of RFC 2349) for the router of -netdev user,
 * frame by frame: IPv4 (without fragments, which no request needs) and IPv6. The library would open the file by its
 * path, and follow symbolic links out of the folder; here no link is followed (frontend/inside.h).
 *
 * Files are read only, as bytes ("octet"). There are no timers: a client that misses a block says again which one it
 * has, and is sent the next one. Left out: writing, "netascii", multicast, windowsize.
 */
#include "frontend/tftp.h"

#include "frontend/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ETHER = 14, IP4 = 20, IP6 = 40, UDP = 8, PROTO_UDP = 17, PORT = 69, LIFE = 64 };
enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };
enum { NOT_DEFINED = 0, NOT_FOUND = 1, ACCESS = 2, ILLEGAL = 4 };

/* ---- frames ---- */

struct request {
    struct tftp_client client;
    const u8 *body; /* of the datagram */
    size_t size;
};

/* The datagram of an IP packet of `size` bytes, the header of which has `header` bytes. */
static bool datagram_find(struct request *q, const u8 *packet, size_t size, size_t header)
{
    const u8 *udp = packet + header;
    if (size < header + UDP || load_be16(udp + 2) != PORT || load_be16(udp + 4) < UDP ||
        load_be16(udp + 4) > size - header)
        return false;
    q->client.port = load_be16(udp);
    q->body = udp + UDP;
    q->size = load_be16(udp + 4) - UDP;
    return true;
}

static bool request_find(const struct tftp *t, const u8 *frame, size_t size, struct request *q)
{
    const u8 *ip = frame + ETHER;
    if (size < ETHER + IP4)
        return false;
    *q = (struct request){ 0 };
    memcpy(q->client.mac, frame + 6, 6);
    if (load_be16(frame + 12) == 0x0800) {
        size_t header = (ip[0] & 15u) * 4, all = load_be16(ip + 2);
        memcpy(q->client.address, ip + 12, 4);
        return t->four && ip[0] >> 4 == 4 && header >= IP4 && all <= size - ETHER && ip[9] == PROTO_UDP &&
               !(load_be16(ip + 6) & 0x3fff) && !memcmp(ip + 16, t->host, 4) && datagram_find(q, ip, all, header);
    }
    q->client.six = 1;
    if (!t->six || load_be16(frame + 12) != 0x86dd || size < ETHER + IP6 || ip[0] >> 4 != 6 || ip[6] != PROTO_UDP ||
        load_be16(ip + 4) > size - ETHER - IP6 || memcmp(ip + 24, t->host6, 16) != 0)
        return false;
    memcpy(q->client.address, ip + 8, 16);
    return datagram_find(q, ip, IP6 + load_be16(ip + 4), IP6);
}

static u32 sum_add(u32 sum, const u8 *bytes, size_t size)
{
    for (size_t n = 0; n + 1 < size; n += 2)
        sum += load_be16(bytes + n);
    return size % 2 ? sum + (u32)bytes[size - 1] * 256 : sum;
}
static u16 sum_end(u32 sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

/* Headers before the body of `size` bytes, which lies at its place in the answer; returns the size of all. */
static size_t answer_wrap(const struct tftp *t, const struct tftp_client *c, u8 *answer, size_t size)
{
    static const u8 router[2] = { 0x52, 0x55 }; /* its MAC address is these and its address */
    size_t header = c->six ? IP6 : IP4, length = UDP + size;
    u8 *ip = answer + ETHER, *udp = ip + header;
    memset(answer, 0, ETHER + header + UDP);
    memcpy(answer, c->mac, 6);
    memcpy(answer + 6, router, 2);
    memcpy(answer + 8, t->host, 4);
    store_be16(answer + 12, c->six ? 0x86dd : 0x0800);
    if (c->six) {
        ip[0] = 0x60;
        store_be16(ip + 4, (u16)length);
        ip[6] = PROTO_UDP;
        ip[7] = LIFE;
        memcpy(ip + 8, t->host6, 16);
        memcpy(ip + 24, c->address, 16);
    } else {
        ip[0] = 0x45;
        store_be16(ip + 2, (u16)(header + length));
        ip[8] = LIFE;
        ip[9] = PROTO_UDP;
        memcpy(ip + 12, t->host, 4);
        memcpy(ip + 16, c->address, 4);
        store_be16(ip + 10, sum_end(sum_add(0, ip, IP4)));
    }
    store_be16(udp, PORT);
    store_be16(udp + 2, c->port);
    store_be16(udp + 4, (u16)length);
    u32 addresses = c->six ? sum_add(0, ip + 8, 32) : sum_add(0, ip + 12, 8);
    u16 sum = sum_end(sum_add(addresses + PROTO_UDP + (u32)length, udp, length));
    store_be16(udp + 6, sum ? sum : 0xffff);
    return ETHER + header + length;
}

static u8 *body_of(const struct tftp_client *c, u8 *answer) { return answer + ETHER + (c->six ? IP6 : IP4) + UDP; }

static size_t refuse(const struct tftp *t, const struct tftp_client *c, u8 *answer, u16 code, const char *words)
{
    u8 *body = body_of(c, answer);
    store_be16(body, ERROR);
    store_be16(body + 2, code);
    memcpy(body + 4, words, strlen(words) + 1);
    return answer_wrap(t, c, answer, 4 + strlen(words) + 1);
}

/* ---- sessions ---- */

static struct tftp_session *session_find(struct tftp *t, const struct tftp_client *c)
{
    for (unsigned n = 0; n < TFTP_SESSIONS; n++)
        if (t->session[n].used && t->session[n].client.six == c->six && t->session[n].client.port == c->port &&
            !memcmp(t->session[n].client.address, c->address, sizeof(c->address)))
            return &t->session[n];
    return NULL;
}

static void session_end(struct tftp_session *s)
{
    if (s && s->used)
        close(s->fd);
    if (s)
        s->used = 0;
}

/* In place of a free one, or of the one that was not asked for longest. */
static struct tftp_session *session_begin(struct tftp *t, const struct tftp_client *c, int fd)
{
    struct tftp_session *s = t->session;
    for (unsigned n = 1; n < TFTP_SESSIONS; n++)
        if (t->session[n].used < s->used)
            s = &t->session[n];
    session_end(s);
    *s = (struct tftp_session){ .client = *c, .fd = fd, .size = 512, .used = ++t->clock };
    return s;
}

/* Block s->block. What cannot be read ends it. */
static size_t block_send(const struct tftp *t, struct tftp_session *s, u8 *answer)
{
    u8 *body = body_of(&s->client, answer);
    ssize_t size = pread(s->fd, body + 4, s->size, (off_t)(s->block - 1) * s->size);
    if (size < 0) {
        size_t refused = refuse(t, &s->client, answer, NOT_DEFINED, "Cannot be read");
        session_end(s);
        return refused;
    }
    s->last = (u32)size < s->size;
    store_be16(body, DATA);
    store_be16(body + 2, (u16)s->block);
    return answer_wrap(t, &s->client, answer, 4 + (size_t)size);
}

/* ---- what a client says ---- */

/* A text of the request from *at on, which is then behind it; NULL: there is none. */
static const char *text_next(const struct request *q, size_t *at)
{
    const char *text = (const char *)q->body + *at;
    const char *end = *at < q->size ? memchr(text, 0, q->size - *at) : NULL;
    if (!end)
        return NULL;
    *at += (size_t)(end - text) + 1;
    return text;
}

static size_t option_add(u8 *body, size_t at, const char *name, u64 value)
{
    return at + (size_t)snprintf((char *)body + at, 64, "%s%c%llu", name, 0, (unsigned long long)value) + 1;
}

/* The answer to options, each of which counts once; 0: none is known, and the first block comes at once. */
static size_t options_answer(const struct tftp *t, const struct request *q, size_t at, struct tftp_session *s,
                             u8 *answer)
{
    u8 *body = body_of(&q->client, answer);
    size_t used = 2;
    struct stat st;
    bool has_size = false, has_total = false;
    for (const char *name, *value; (name = text_next(q, &at)) && (value = text_next(q, &at));) {
        unsigned long number = strtoul(value, NULL, 10);
        if (!strcasecmp(name, "blksize") && !has_size && number >= 8) {
            has_size = true;
            s->size = number < TFTP_BLOCK_MAX ? (u32)number : TFTP_BLOCK_MAX;
            used = option_add(body, used, "blksize", s->size);
        } else if (!strcasecmp(name, "tsize") && !has_total && !fstat(s->fd, &st)) {
            has_total = true;
            used = option_add(body, used, "tsize", (u64)st.st_size);
        }
    }
    store_be16(body, OACK);
    return used > 2 ? answer_wrap(t, &q->client, answer, used) : 0;
}

static size_t read_begin(struct tftp *t, const struct request *q, u8 *answer)
{
    size_t at = 2;
    const char *name = text_next(q, &at), *mode = text_next(q, &at);
    session_end(session_find(t, &q->client));
    if (!name || !mode || strlen(name) >= TFTP_NAME)
        return refuse(t, &q->client, answer, ACCESS, "Access violation");
    if (strcasecmp(mode, "octet"))
        return refuse(t, &q->client, answer, ILLEGAL, "Unsupported transfer mode");
    errno = EACCES;
    int fd = t->root >= 0 ? inside_open(t->root, name) : -1;
    if (fd < 0)
        return errno == ENOENT ? refuse(t, &q->client, answer, NOT_FOUND, "File not found")
                               : refuse(t, &q->client, answer, ACCESS, "Access violation");
    struct tftp_session *s = session_begin(t, &q->client, fd);
    size_t options = options_answer(t, q, at, s, answer);
    if (options)
        return options;
    s->block = 1;
    return block_send(t, s, answer);
}

/* One of the block before the last one that was sent: that was lost, and is sent again. */
static size_t acknowledged(struct tftp *t, const struct request *q, u8 *answer)
{
    struct tftp_session *s = session_find(t, &q->client);
    u16 number = load_be16(q->body + 2);
    if (!s)
        return 0;
    s->used = ++t->clock;
    bool current = number == (u16)s->block;
    if (current && s->last) {
        session_end(s);
        return 0;
    }
    if (!current && (!s->block || number != (u16)(s->block - 1)))
        return 0;
    s->block += current;
    return block_send(t, s, answer);
}

bool tftp_takes(struct tftp *t, const u8 *frame, size_t size, u8 answer[TFTP_FRAME], size_t *answered)
{
    struct request q;
    *answered = 0;
    if (!request_find(t, frame, size, &q))
        return false;
    if (q.size < 4)
        return true;
    switch (load_be16(q.body)) {
    case RRQ: *answered = read_begin(t, &q, answer); break;
    case ACK: *answered = acknowledged(t, &q, answer); break;
    case ERROR: session_end(session_find(t, &q.client)); break;
    default: *answered = refuse(t, &q.client, answer, ILLEGAL, "Illegal operation"); break;
    }
    return true;
}

void tftp_close(struct tftp *t)
{
    for (unsigned n = 0; n < TFTP_SESSIONS; n++)
        session_end(&t->session[n]);
    if (t->root >= 0)
        close(t->root);
    t->root = -1;
}
