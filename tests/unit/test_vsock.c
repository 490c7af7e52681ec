/* virtio-vsock: the device through its registers (packets both ways, cut for small buffers, the event), and its other
 * end (frontend/netdev_vsock.c) between packets of a guest's and Unix sockets: connections from either side, credit,
 * ends, packets that make no sense. */
#define _GNU_SOURCE
#include "frontend/netdev_vsock.h"
#include "tests/unit/virtio_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

Suite *test_vsock_suite(void);

/* ---- the device ---- */

enum { RX, TX, EVENT, QUEUES, CID = 42, DATA = RAM_BASE + 0x100000 };

struct rig {
    struct fixture f; /* first: the host's ctx */
    u8 out[FRAME_MAX], in[FRAME_MAX];
    u64 out_size, in_size;
    unsigned outs;
};

static void frame_out(void *ctx, unsigned net, const void *frame, u64 size)
{
    struct rig *r = ctx;
    ck_assert(net == 0 && size <= FRAME_MAX);
    memcpy(r->out, frame, size);
    r->out_size = size;
    r->outs++;
}

static s64 frame_in(void *ctx, unsigned net, void *frame, u64 room)
{
    struct rig *r = ctx;
    u64 size = r->in_size;
    ck_assert(net == 0 && room <= FRAME_MAX);
    if (size > room)
        return -(s64)size;
    memcpy(frame, r->in, size);
    r->in_size = 0;
    return (s64)size;
}

static struct rig *rig_open(void)
{
    struct rig *r = calloc(1, sizeof(*r));
    ck_assert_ptr_nonnull(r);
    struct machine_config *c = fixture_config(&r->f);
    c->options.virtio_modern = 1;
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_VSOCK, .slot = -1 };
    c->virtio_count = 1;
    c->options.net[0].cid = CID;
    c->host.frame_out = frame_out;
    c->host.frame_in = frame_in;
    fixture_make(&r->f, c);
    driver_begin(&r->f, 0, QUEUES);
    return r;
}

static void rig_close(struct rig *r)
{
    machine_destroy(r->f.m);
    free(r);
}

START_TEST(device_identity)
{
    struct rig *r = rig_open();
    ck_assert_uint_eq(bus_r(&r->f, DEV + 8), 19);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x100), CID);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x104), 0);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x108), 0);
    rig_close(r);
}
END_TEST

/* A header, and `size` bytes behind it, at DATA. */
static void packet_put(struct fixture *f, u32 said, u32 size)
{
    for (u32 n = 0; n < VSOCK_HEADER + size; n++)
        poke(f, DATA + n, n * 3, 1);
    poke(f, DATA + 24, said, 4);
}

START_TEST(device_sends)
{
    struct rig *r = rig_open();
    struct fixture *f = &r->f;
    packet_put(f, 100, 100);
    desc(f, TX, 0, DATA, 30, NEXT, 1); /* cut where nobody would */
    desc(f, TX, 1, DATA + 30, 14 + 100, 0, 0);
    offer(f, TX, 0);
    ck_assert(r->outs == 1 && r->out_size == VSOCK_HEADER + 100 && used(f, TX) == 1);
    ck_assert(r->out[0] == 0 && r->out[143] == (u8)(143 * 3));
    packet_put(f, 0, 100); /* what is behind the packet is not sent */
    offer(f, TX, 0);
    ck_assert(r->outs == 2 && r->out_size == VSOCK_HEADER);
    packet_put(f, 101, 100); /* more than there is, more than anybody may say: lost */
    offer(f, TX, 0);
    packet_put(f, 0xffffffff, 100);
    offer(f, TX, 0);
    packet_put(f, VSOCK_DATA + 1, 0);
    desc(f, TX, 0, DATA, VSOCK_HEADER + VSOCK_DATA + 1, 0, 0);
    offer(f, TX, 0);
    ck_assert(r->outs == 2 && used(f, TX) == 5 && !needs_reset(f));
    packet_put(f, VSOCK_DATA, 0);
    offer(f, TX, 0);
    ck_assert(r->outs == 3 && r->out_size == VSOCK_HEADER + VSOCK_DATA);
    desc(f, TX, 0, DATA, VSOCK_HEADER - 1, 0, 0);
    offer(f, TX, 0);
    ck_assert(r->outs == 3 && needs_reset(f));
    rig_close(r);
}
END_TEST

static void comes(struct rig *r, u32 size)
{
    for (u32 n = 0; n < size; n++)
        r->in[n] = (u8)(n * 5 + 1);
    r->in_size = size;
    if (size >= VSOCK_HEADER)
        store_le32(r->in + 24, size - VSOCK_HEADER);
    machine_input_kick(r->f.m);
}

START_TEST(device_receives)
{
    struct rig *r = rig_open();
    struct fixture *f = &r->f;
    comes(r, VSOCK_HEADER + 10);
    ck_assert(r->in_size && used(f, RX) == 0); /* it waits for a buffer */
    desc(f, RX, 0, DATA, VSOCK_HEADER, WRITE | NEXT, 1);
    desc(f, RX, 1, DATA + 0x1000, 16, WRITE, 0);
    offer(f, RX, 0);
    ck_assert(!r->in_size && used(f, RX) == 1 && used_len(f, RX, 0) == VSOCK_HEADER + 10);
    ck_assert(peek(f, DATA + 24, 4) == 10 && peek(f, DATA + 0x1009, 1) == (u8)((VSOCK_HEADER + 9) * 5 + 1));
    comes(r, VSOCK_HEADER + 40); /* three buffers of 16 bytes, with a header each */
    offer(f, RX, 0);
    desc(f, RX, 2, DATA + 0x2000, VSOCK_HEADER + 16, WRITE, 0);
    offer(f, RX, 2);
    ck_assert(r->in_size && used(f, RX) == 1);
    desc(f, RX, 3, DATA + 0x3000, VSOCK_HEADER + 16, WRITE, 0);
    offer(f, RX, 3);
    ck_assert(!r->in_size && used(f, RX) == 4);
    ck_assert(peek(f, DATA + 24, 4) == 16 && peek(f, DATA + 0x2000 + 24, 4) == 16 &&
              peek(f, DATA + 0x3000 + 24, 4) == 8);
    ck_assert_uint_eq(used_len(f, RX, 3), VSOCK_HEADER + 8);
    ck_assert_uint_eq(peek(f, DATA + 0x3000 + VSOCK_HEADER + 7, 1), (u8)((VSOCK_HEADER + 39) * 5 + 1));
    ck_assert(!needs_reset(f));
    comes(r, VSOCK_HEADER);
    desc(f, RX, 0, DATA, VSOCK_HEADER, WRITE, 0); /* no room for data */
    offer(f, RX, 0);
    ck_assert(needs_reset(f));
    rig_close(r);
}
END_TEST

START_TEST(device_tells_of_a_reset)
{
    struct rig *r = rig_open();
    struct fixture *f = &r->f;
    desc(f, RX, 0, DATA, 4096, WRITE, 0);
    offer(f, RX, 0);
    comes(r, 16);
    ck_assert(!r->in_size && used(f, RX) == 0 && used(f, EVENT) == 0);
    ck_assert(!machine_validate(f->m));
    poke(f, DATA + 0x1000, 0xff, 4);
    desc(f, EVENT, 0, DATA + 0x1000, 8, WRITE, 0);
    offer(f, EVENT, 0);
    ck_assert(used(f, EVENT) == 1 && used_len(f, EVENT, 0) == 4 && peek(f, DATA + 0x1000, 4) == 0);
    offer(f, EVENT, 0); /* once */
    ck_assert_uint_eq(used(f, EVENT), 1);
    rig_close(r);
}
END_TEST

/* ---- the other end, with what it asks of the program ---- */

struct packet {
    u32 host_port, guest_port, size, flags, room, given;
    u16 kind, op;
    u8 data[4096];
};
static struct {
    struct net_end e;
    struct netdev_config config;
    struct vsock_config vsock;
    struct packet packet[64]; /* to the guest */
    unsigned count, events;
    bool full, restored;
    char folder[64];
} end;

void net_hear(struct net_end *e, const u8 *frame, size_t size)
{
    ck_assert_ptr_eq(e, &end.e);
    if (size < VSOCK_HEADER) {
        end.events++;
        return;
    }
    struct packet *p = &end.packet[end.count++ % ARRAY_LEN(end.packet)];
    *p = (struct packet){ .host_port = load_le32(frame + 16),
                          .guest_port = load_le32(frame + 20),
                          .size = load_le32(frame + 24),
                          .kind = load_le16(frame + 28),
                          .op = load_le16(frame + 30),
                          .flags = load_le32(frame + 32),
                          .room = load_le32(frame + 36),
                          .given = load_le32(frame + 40) };
    ck_assert(load_le64(frame) == 2 && load_le64(frame + 8) == CID && p->kind == 1);
    ck_assert(p->size == size - VSOCK_HEADER && p->size <= sizeof(p->data));
    memcpy(p->data, frame + VSOCK_HEADER, p->size);
}
bool net_space(const struct net_end *e)
{
    (void)e;
    return !end.full;
}
bool net_restored(const struct net_end *e)
{
    (void)e;
    return end.restored;
}
_Noreturn void die(const char *format, ...) { ck_abort_msg("%s", format); }

enum { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST, BIG = 0x10000 };

static void path_of(struct sockaddr_un *a, const char *ending)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(a->sun_path, sizeof(a->sun_path), "%s/v%s", end.folder, ending);
}

static void end_open(void)
{
    memset(&end, 0, sizeof(end));
    strcpy(end.folder, "/tmp/elmu-vsock-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(end.folder));
    end.vsock.cid = CID;
    snprintf(end.vsock.path, sizeof(end.vsock.path), "%s/v", end.folder);
    end.config = (struct netdev_config){ .kind = &netdev_vsock, .properties = &end.vsock };
    end.e =
        (struct net_end){ .kind = &netdev_vsock, .config = &end.config, .state = calloc(1, netdev_vsock.state_size) };
    netdev_vsock.open(&end.e);
}

static void end_close(void)
{
    netdev_vsock.close(&end.e);
    free(end.e.state);
    ck_assert_msg(!rmdir(end.folder), "%s: something is left there", end.folder);
}

/* The program looks. */
static void look(void)
{
    static struct pollfd fds[NET_FDS];
    for (unsigned n = 0; n < 3; n++) {
        u32 ms = ~(u32)0;
        unsigned count = netdev_vsock.fill(&end.e, fds, NET_FDS, &ms);
        ck_assert_int_ge(poll(fds, count, 0), 0);
        netdev_vsock.ready(&end.e, fds, count);
    }
}

/* The packet that came last; how many came since the last time. */
static struct packet *last(unsigned *since)
{
    static unsigned seen;
    if (since)
        *since = end.count - (seen <= end.count ? seen : 0);
    seen = end.count;
    return end.count ? &end.packet[(end.count - 1) % ARRAY_LEN(end.packet)] : NULL;
}

static void guest(u32 host_port, u32 guest_port, unsigned op, u32 flags, u32 taken, const void *data, u32 size)
{
    static u8 frame[VSOCK_HEADER + VSOCK_DATA];
    store_le64(frame, CID);
    store_le64(frame + 8, 2);
    store_le32(frame + 16, guest_port);
    store_le32(frame + 20, host_port);
    store_le32(frame + 24, size);
    store_le16(frame + 28, 1);
    store_le16(frame + 30, (u16)op);
    store_le32(frame + 32, flags);
    store_le32(frame + 36, 10000);
    store_le32(frame + 40, taken);
    if (data)
        memcpy(frame + VSOCK_HEADER, data, size);
    netdev_vsock.send(&end.e, frame, VSOCK_HEADER + size);
}

static int client(const char *hello)
{
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    path_of(&a, "");
    ck_assert(!connect(fd, (struct sockaddr *)&a, sizeof(a)));
    ck_assert(write(fd, hello, strlen(hello)) == (ssize_t)strlen(hello));
    look();
    return fd;
}

static int server(struct sockaddr_un *a, const char *ending)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    path_of(a, ending);
    ck_assert(!bind(fd, (struct sockaddr *)a, sizeof(*a)) && !listen(fd, 8));
    return fd;
}

/* Nothing, or what comes at once. */
static bool reads(int fd, const char *text)
{
    char got[256] = "";
    ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    return text ? n == (ssize_t)strlen(text) && !strcmp(got, text) : n == 0 || (n < 0 && errno == ECONNRESET);
}

START_TEST(from_the_host)
{
    end_open();
    int fd = client("CONNECT 77\nearly");
    struct packet *p = last(NULL);
    ck_assert(end.count == 1 && p->op == REQUEST && p->guest_port == 77 && p->room == BIG);
    u32 port = p->host_port;
    ck_assert(!reads(fd, "OK"));
    guest(port, 77, RESPONSE, 0, 0, NULL, 0);
    char ok[32];
    snprintf(ok, sizeof(ok), "OK %u\n", port);
    ck_assert(reads(fd, ok));
    look();
    p = last(NULL);
    ck_assert(end.count == 2 && p->op == RW && p->size == 5 && !memcmp(p->data, "early", 5) && p->host_port == port);
    guest(port, 77, RW, 0, 5, "back", 4);
    ck_assert(reads(fd, "back"));
    guest(port, 77, CREDIT_REQUEST, 0, 5, NULL, 0);
    p = last(NULL);
    ck_assert(p->op == CREDIT_UPDATE && p->given == 4);
    shutdown(fd, SHUT_WR);
    look();
    p = last(NULL);
    ck_assert(p->op == SHUTDOWN && p->flags == 2);
    guest(port, 77, RW, 0, 5, "still", 5);
    ck_assert(reads(fd, "still"));
    guest(port, 77, SHUTDOWN, 3, 5, NULL, 0);
    ck_assert_uint_eq(last(NULL)->op, RST);
    ck_assert(reads(fd, NULL));
    close(fd);
    fd = client("CONNECT 78\n");
    guest(last(NULL)->host_port, 78, RST, 0, 0, NULL, 0); /* it does not listen */
    ck_assert(reads(fd, NULL));
    close(fd);
    end_close();
}
END_TEST

START_TEST(hellos)
{
    static const char *const wrong[] = {
        "CONNECT x\n",   "CONNECT -1\n",     "CONNECT \n", "CONNECT 4294967295\n",
        "CONNECT 1 2\n", "GET / HTTP/1.0\n", "\n",         "CONNECT 00000000000000000000000000000000001\n",
        "connect 5\n"
    };
    end_open();
    for (unsigned n = 0; n < ARRAY_LEN(wrong); n++) {
        int fd = client(wrong[n]);
        ck_assert_msg(reads(fd, NULL) && !end.count, "%s", wrong[n]);
        close(fd);
    }
    int fd = client("CONN"); /* in parts, with CR */
    ck_assert(!end.count && write(fd, "ECT 5\r\n", 7) == 7);
    look();
    ck_assert(end.count == 1 && last(NULL)->guest_port == 5);
    close(fd); /* gone before the guest has answered */
    look();
    ck_assert_uint_eq(last(NULL)->op, RST);
    fd = client("CON");
    close(fd);
    look();
    ck_assert_uint_eq(end.count, 2);
    end_close();
}
END_TEST

START_TEST(from_the_guest)
{
    struct sockaddr_un a;
    end_open();
    guest(1234, 9, REQUEST, 0, 0, NULL, 0);
    ck_assert(last(NULL)->op == RST && last(NULL)->host_port == 1234 && last(NULL)->guest_port == 9);
    int listener = server(&a, "_1234");
    guest(1234, 9, REQUEST, 0, 0, NULL, 0);
    ck_assert(last(NULL)->op == RESPONSE);
    int fd = accept(listener, NULL, NULL);
    guest(1234, 9, RW, 0, 0, "hello", 5);
    ck_assert(reads(fd, "hello"));
    ck_assert(write(fd, "you", 3) == 3);
    look();
    ck_assert(last(NULL)->op == RW && !memcmp(last(NULL)->data, "you", 3) && last(NULL)->given == 5);
    guest(1234, 9, SHUTDOWN, 2, 3, NULL, 0);
    ck_assert(reads(fd, NULL));
    close(fd);
    look();
    ck_assert(last(NULL)->op == SHUTDOWN && last(NULL)->flags == 3);
    guest(1234, 9, RST, 0, 3, NULL, 0);
    unsigned count = end.count;
    guest(1234, 9, RST, 0, 3, NULL, 0); /* of nothing: no answer, or two ends would go on for ever */
    ck_assert_uint_eq(end.count, count);
    guest(1234, 9, REQUEST, 0, 0, NULL, 0); /* the same ports once more */
    ck_assert(last(NULL)->op == RESPONSE);
    guest(1234, 9, REQUEST, 0, 0, NULL, 0); /* twice */
    ck_assert(last(NULL)->op == RST);
    guest(1234, 9, RW, 0, 0, "a", 1);
    ck_assert(last(NULL)->op == RST);
    close(listener);
    unlink(a.sun_path);
    end_close();
}
END_TEST

START_TEST(credit)
{
    static u8 bytes[BIG];
    struct sockaddr_un a;
    end_open();
    int listener = server(&a, "_5");
    guest(5, 6, REQUEST, 0, 0, NULL, 0);
    int fd = accept(listener, NULL, NULL);
    u32 all = 0;
    for (unsigned n = 0; n < 40; n++) /* the guest has room for 10000 bytes */
        ck_assert_int_ge(send(fd, bytes, 1000, MSG_DONTWAIT), 0);
    for (unsigned n = 0, since; n < 20; n++) {
        last(NULL);
        end.full = n < 3; /* and nothing is read that could be lost */
        look();
        ck_assert(!end.full || !(last(&since), since));
        all = 0;
        for (unsigned k = 0; k < end.count; k++)
            all += end.packet[k].op == RW ? end.packet[k].size : 0;
    }
    ck_assert_uint_eq(all, 10000);
    guest(5, 6, CREDIT_UPDATE, 0, 7000, NULL, 0);
    for (unsigned n = 0; n < 10; n++)
        look();
    all = 0;
    for (unsigned k = 0; k < end.count; k++)
        all += end.packet[k].op == RW ? end.packet[k].size : 0;
    ck_assert_uint_eq(all, 17000);
    shutdown(fd, SHUT_RD);
    close(fd);
    /* A guest that says that it has taken more than was sent. */
    guest(5, 6, CREDIT_UPDATE, 0, 0x80000000, NULL, 0);
    look();
    guest(5, 6, RST, 0, 0, NULL, 0);
    /* This end has room for 64 KiB more than the Unix socket has taken, which nobody reads. */
    guest(5, 7, REQUEST, 0, 0, NULL, 0);
    fd = accept(listener, NULL, NULL);
    unsigned pieces = 0;
    while (pieces < 1000 && last(NULL)->op != RST) {
        guest(5, 7, RW, 0, 0, bytes, 4096);
        pieces++;
    }
    ck_assert(pieces > 16 && pieces < 1000);
    close(fd);
    /* One that is read gives room back, which the guest is told of. */
    guest(5, 8, REQUEST, 0, 0, NULL, 0);
    fd = accept(listener, NULL, NULL);
    for (unsigned n = 0; n < 16; n++) {
        guest(5, 8, RW, 0, 0, bytes, 4096);
        ck_assert_int_eq(recv(fd, bytes, 4096, MSG_WAITALL), 4096);
    }
    ck_assert(last(NULL)->op == CREDIT_UPDATE && last(NULL)->given == 65536);
    close(fd);
    close(listener);
    unlink(a.sun_path);
    end_close();
}
END_TEST

START_TEST(many)
{
    enum { MANY = 300 };
    int fd[MANY];
    end_open();
    for (unsigned n = 0; n < MANY; n++)
        fd[n] = client("CONNECT 1\n");
    ck_assert_uint_eq(end.count, 256);
    ck_assert(reads(fd[MANY - 1], NULL));
    for (unsigned n = 0; n < MANY; n++)
        close(fd[n]);
    look();
    ck_assert_uint_eq(end.count, 512);
    close(client("CONNECT 1\n"));
    ck_assert_uint_eq(end.count, 513);
    end_close();
}
END_TEST

START_TEST(restored)
{
    end_open();
    netdev_vsock.close(&end.e);
    end.restored = true;
    netdev_vsock.open(&end.e);
    look();
    ck_assert(end.events == 1 && !end.count);
    end_close();
}
END_TEST

/* Whatever a guest says: nothing is read or written out of bounds (sanitizers look), and it is told no nonsense. */
START_TEST(hostile_packets)
{
    static u8 frame[FRAME_MAX];
    struct sockaddr_un a;
    u64 seed = 12345 + (u64)_i;
    end_open();
    int listener = server(&a, "_5"), peers[64], peer_count = 0;
    fcntl(listener, F_SETFL, O_NONBLOCK);
    for (unsigned n = 0; n < 3000; n++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        u32 r = (u32)(seed >> 33);
        u32 size = r % 7 ? r >> 8 & 0xfff : r >> 4 & 0xffff, host_port = r % 5 ? 5 : (1u << 30) + (r >> 3) % 3,
            guest_port = (r >> 5) % 4;
        for (unsigned k = 0; k < VSOCK_HEADER; k++)
            frame[k] = (u8)(seed >> k % 8);
        store_le64(frame, r % 31 ? CID : r);
        store_le64(frame + 8, r % 29 ? 2 : r);
        store_le32(frame + 16, guest_port);
        store_le32(frame + 20, host_port);
        store_le32(frame + 24, size);
        store_le16(frame + 28, r % 23 ? 1 : (u16)r);
        store_le16(frame + 30, r % 19 ? (u16)((r >> 7) % 9) : (u16)r);
        netdev_vsock.send(&end.e, frame, r % 37 ? VSOCK_HEADER + size : 14 + size % 40);
        if (n % 50 == 0 && peer_count < 60)
            peers[peer_count++] = client("CONNECT 3\nsomething");
        int fd = n % 10 ? -1 : accept(listener, NULL, NULL);
        if (fd >= 0 && peer_count < 64) {
            ck_assert_int_ge(send(fd, frame, 300, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
            peers[peer_count++] = fd;
        } else if (fd >= 0) {
            close(fd);
        }
        if (n % 70 == 0 && peer_count)
            close(peers[--peer_count]);
        look();
    }
    while (peer_count)
        close(peers[--peer_count]);
    close(listener);
    unlink(a.sun_path);
    end_close();
}
END_TEST

Suite *test_vsock_suite(void)
{
    Suite *s = suite_create("vsock");
    TCase *t = tcase_create("device");
    tcase_add_test(t, device_identity);
    tcase_add_test(t, device_sends);
    tcase_add_test(t, device_receives);
    tcase_add_test(t, device_tells_of_a_reset);
    suite_add_tcase(s, t);
    t = tcase_create("its other end");
    tcase_add_test(t, from_the_host);
    tcase_add_test(t, hellos);
    tcase_add_test(t, from_the_guest);
    tcase_add_test(t, credit);
    tcase_add_test(t, many);
    tcase_add_test(t, restored);
    tcase_add_loop_test(t, hostile_packets, 0, 8);
    suite_add_tcase(s, t);
    return s;
}
