/* virtio-net through its registers: frames both ways, what it does with them for its driver, hostile queues; and the
 * functions on frames by themselves. */
#include "board/dev/net_frame.h"
#include "tests/unit/virtio_driver.h"
#include "tests/unit/rounds.h"

enum { DATA = RAM_BASE + 0x100000, RX = 0, TX = 1, MOST = 70000 };
enum { F_CSUM = 1, F_GUEST_CSUM = 2, F_MAC = 1 << 5, F_TSO4 = 1 << 11, F_TSO6 = 1 << 12, F_ECN = 1 << 13,
       F_MRG = 1 << 15, F_STATUS = 1 << 16 };

struct rig {
    struct fixture f; /* first: the host's ctx */
    u8 out[128][2048];
    u32 out_size[128], outs;
    u64 out_bytes;
    u8 in[8][MOST]; /* what waits outside */
    u32 in_size[8], ins, asked;
};

static void frame_out(void *ctx, unsigned net, const void *frame, u64 size)
{
    struct rig *r = ctx;
    ck_assert(net == 0 && size <= FRAME_MAX);
    if (r->outs < ARRAY_LEN(r->out)) {
        memcpy(r->out[r->outs], frame, size < sizeof(r->out[0]) ? size : sizeof(r->out[0]));
        r->out_size[r->outs] = (u32)size;
    }
    r->outs++;
    r->out_bytes += size;
}

static s64 frame_in(void *ctx, unsigned net, void *frame, u64 room)
{
    struct rig *r = ctx;
    ck_assert_uint_eq(net, 0);
    r->asked++;
    if (!r->ins)
        return 0;
    if (r->in_size[0] > room)
        return -(s64)r->in_size[0];
    s64 size = r->in_size[0];
    memcpy(frame, r->in[0], r->in_size[0]);
    memmove(r->in[0], r->in[1], sizeof(r->in) - sizeof(r->in[0]));
    memmove(&r->in_size[0], &r->in_size[1], sizeof(r->in_size) - sizeof(r->in_size[0]));
    r->ins--;
    return size;
}

static struct rig *rig_open(u64 without, bool modern)
{
    struct rig *r = calloc(1, sizeof(*r));
    ck_assert_ptr_nonnull(r);
    struct machine_config *c = fixture_config(&r->f);
    c->options.virtio_modern = modern;
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_NET, .slot = -1 };
    c->virtio_count = 1;
    c->options.net[0] = (struct net_option){ .without = without, .mac = { 0x52, 0x54, 0, 1, 2, 3 } };
    c->host.frame_out = frame_out;
    c->host.frame_in = frame_in;
    fixture_make(&r->f, c);
    return r;
}

static void rig_close(struct rig *r)
{
    machine_destroy(r->f.m);
    free(r);
}

/* Sends header and frame in two descriptors. */
static void send(struct rig *r, const u8 header[12], const u8 *frame, u64 size)
{
    ck_assert(phys_copy_in(&r->f.m->d.phys, DATA, header, 12) &&
              phys_copy_in(&r->f.m->d.phys, DATA + 0x1000, frame, size));
    desc(&r->f, TX, 0, DATA, 12, NEXT, 1);
    desc(&r->f, TX, 1, DATA + 0x1000, (u32)size, 0, 0);
    offer(&r->f, TX, 0);
}

static void header_set(u8 h[12], unsigned flags, unsigned kind, unsigned part, unsigned start, unsigned offset)
{
    memset(h, 0, 12);
    h[0] = (u8)flags;
    h[1] = (u8)kind;
    store_le16(h + 4, (u16)part);
    store_le16(h + 6, (u16)start);
    store_le16(h + 8, (u16)offset);
}

static u16 be16(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static void be16_put(u8 *p, unsigned v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}

/* An IPv4 or IPv6 frame with `size` bytes of data behind a TCP header; returns its size. */
static u32 tcp_frame(u8 *p, unsigned version, u32 size)
{
    u32 ip = version == 4 ? 20 : 40, all = 14 + ip + 20 + size;
    memset(p, 0, 14 + ip + 20);
    for (unsigned n = 0; n < 12; n++)
        p[n] = (u8)(n & 0xfe);
    be16_put(p + 12, version == 4 ? 0x0800 : 0x86dd);
    if (version == 4) {
        p[14] = 0x45;
        be16_put(p + 16, ip + 20 + size);
        be16_put(p + 18, 0x1234);
        p[22] = 64;
        p[23] = 6;
    } else {
        p[14] = 0x60;
        be16_put(p + 18, 20 + size);
        p[20] = 6;
        p[21] = 64;
    }
    for (u32 n = 14 + ip - (version == 4 ? 8 : 32); n < 14 + ip; n++)
        p[n] = (u8)(n * 5);
    u8 *tcp = p + 14 + ip;
    be16_put(tcp, 1000);
    be16_put(tcp + 2, 2000);
    tcp[4] = tcp[5] = tcp[6] = 0xff; /* the sequence number wraps */
    tcp[7] = 0xf0;
    tcp[12] = 0x50;
    tcp[13] = 0x80 | 0x18 | 1; /* CWR, PSH, ACK, FIN */
    for (u32 n = 0; n < size; n++)
        tcp[20 + n] = (u8)(n * 11 + n / 256);
    return all;
}

/* What a driver leaves in the checksum's field: the sum of the pseudo header. */
static void pseudo_put(u8 *p, unsigned version, u32 length)
{
    u32 sum = 6 + length, ip = version == 4 ? 20 : 40;
    for (u32 n = 14 + ip - (version == 4 ? 8 : 32); n < 14 + ip; n += 2)
        sum += be16(p + n);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    be16_put(p + 14 + ip + 16, sum);
}

START_TEST(identity)
{
    struct rig *r = rig_open(0, true);
    struct fixture *f = &r->f;
    u64 value;
    ck_assert_uint_eq(bus_r(f, DEV + 8), 1);
    ck_assert_uint_eq(bus_r(f, DEV + 0x10), F_CSUM | F_GUEST_CSUM | F_MAC | F_TSO4 | F_TSO6 | F_ECN | F_MRG | F_STATUS);
    ck_assert(bus_get(f, DEV + 0x100, 8, &value));
    ck_assert_uint_eq(value, 0x0001030201005452); /* the address, the link is up */
    ck_assert(bus_get(f, DEV + 0x108, 4, &value));
    ck_assert_uint_eq(value, 0);
    rig_close(r);
    r = rig_open(F_CSUM | F_MRG, true); /* no segments without checksums */
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x10), F_GUEST_CSUM | F_MAC | F_STATUS);
    rig_close(r);
    r = rig_open(F_TSO4 | F_TSO6, true); /* and nothing to say of them */
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x10), F_CSUM | F_GUEST_CSUM | F_MAC | F_MRG | F_STATUS);
    rig_close(r);
}
END_TEST

START_TEST(sends)
{
    struct rig *r = rig_open(0, true);
    u8 header[12], frame[100];
    memset(frame, 0x5a, sizeof(frame));
    driver_begin(&r->f, F_MAC, 2);
    header_set(header, 0, 0, 0, 0, 0);
    send(r, header, frame, sizeof(frame));
    ck_assert_uint_eq(r->outs, 1);
    ck_assert_uint_eq(r->out_size[0], 100);
    ck_assert(!memcmp(r->out[0], frame, sizeof(frame)));
    ck_assert_uint_eq(used(&r->f, TX), 1);
    header_set(header, 1, 0, 0, 20, 10); /* a checksum that was not agreed upon */
    send(r, header, frame, sizeof(frame));
    header_set(header, 0, 1, 1000, 34, 16); /* and segments */
    send(r, header, frame, sizeof(frame));
    ck_assert_uint_eq(used(&r->f, TX), 3);
    ck_assert_uint_eq(r->outs, 1);
    desc(&r->f, TX, 0, DATA, 12 + 13, 0, 0); /* shorter than an Ethernet header */
    offer(&r->f, TX, 0);
    desc(&r->f, TX, 0, DATA, 12 + FRAME_MAX + 1, 0, 0); /* longer than any frame */
    offer(&r->f, TX, 0);
    ck_assert_uint_eq(used(&r->f, TX), 5);
    ck_assert_uint_eq(r->outs, 1);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x70) & 64, 0);
    desc(&r->f, TX, 0, DATA, 11, 0, 0); /* no whole header */
    offer(&r->f, TX, 0);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x70) & 64, 64);
    rig_close(r);
}
END_TEST

START_TEST(puts_checksums)
{
    struct rig *r = rig_open(0, true);
    u8 header[12], frame[2000];
    driver_begin(&r->f, F_CSUM, 2);
    for (unsigned version = 4; version <= 6; version += 2) {
        u32 size = tcp_frame(frame, version, 101), start = version == 4 ? 34 : 54;
        pseudo_put(frame, version, 121);
        ck_assert(!net_checksum_right(frame, size));
        header_set(header, 1, 0, 0, start, 16);
        send(r, header, frame, size);
        ck_assert(net_checksum_right(r->out[r->outs - 1], size));
        r->out[r->outs - 1][size - 1] ^= 1;
        ck_assert(!net_checksum_right(r->out[r->outs - 1], size));
    }
    u32 size = tcp_frame(frame, 4, 10), outs = r->outs;
    header_set(header, 1, 0, 0, size - 2, 0);
    send(r, header, frame, size);
    ck_assert_uint_eq(r->outs, outs + 1); /* the last two bytes */
    const unsigned wrong[][2] = { { size - 1, 0 }, { size, 0 }, { size + 1, 0 }, { 0, size - 1 }, { 0xffff, 0xffff } };
    for (unsigned n = 0; n < ARRAY_LEN(wrong); n++) {
        header_set(header, 1, 0, 0, wrong[n][0], wrong[n][1]);
        send(r, header, frame, size);
    }
    ck_assert_uint_eq(r->outs, outs + 1);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x70) & 64, 0);
    rig_close(r);
}
END_TEST

START_TEST(cuts_segments)
{
    struct rig *r = rig_open(0, true);
    static u8 frame[70000];
    u8 header[12];
    driver_begin(&r->f, F_CSUM | F_TSO4 | F_TSO6 | F_ECN, 2);
    for (unsigned version = 4; version <= 6; version += 2) {
        u32 ip = version == 4 ? 20 : 40, head = 14 + ip + 20, size = tcp_frame(frame, version, 2500);
        pseudo_put(frame, version, 0);
        header_set(header, 1, version == 4 ? 0x81 : 0x84, 1000, 14 + ip, 16);
        r->outs = 0;
        send(r, header, frame, size);
        ck_assert_uint_eq(r->outs, 3);
        for (unsigned n = 0; n < 3; n++) {
            const u8 *p = r->out[n], *tcp = p + 14 + ip;
            u32 data = n < 2 ? 1000 : 500;
            ck_assert_uint_eq(r->out_size[n], head + data);
            ck_assert(net_checksum_right(p, head + data));
            ck_assert(!memcmp(p + head, frame + head + 1000 * n, data));
            ck_assert_uint_eq((u32)be16(tcp + 4) << 16 | be16(tcp + 6), 0xfffffff0 + 1000 * n);
            ck_assert_uint_eq(tcp[13], 0x10 | (n == 0 ? 0x80 : 0) | (n == 2 ? 9 : 0));
            if (version == 4) {
                u32 sum = 0;
                for (unsigned k = 0; k < 20; k += 2)
                    sum += be16(p + 14 + k);
                ck_assert_uint_eq((sum & 0xffff) + (sum >> 16), 0xffff);
                ck_assert_uint_eq(be16(p + 18), 0x1234 + n);
            }
        }
        const struct {
            u32 size, part, start, kind;
        } wrong[] = {
            { size, NET_SEGMENT_MIN - 1, 14 + ip, 1 },
            { size, 0, 14 + ip, 1 },
            { size, 1000, 14 + ip - 1, 1 },
            { size, 1000, size - 19, 1 },
            { size, 1000, 0xffff, 1 },
            { head - 1, 1000, 14 + ip, 1 },
            { size, 0xffff, 14 + ip, 1 },
            { size, 1000, 14 + ip, 3 },
            { size, 1000, 14 + ip, 7 },
        };
        r->outs = 0;
        for (unsigned n = 0; n < ARRAY_LEN(wrong); n++) {
            header_set(header, 1, wrong[n].kind == 1 && version == 6 ? 4 : wrong[n].kind, wrong[n].part, wrong[n].start,
                       16);
            send(r, header, frame, wrong[n].size);
        }
        frame[14 + ip + 12] = 0x40; /* a TCP header of 16 bytes */
        header_set(header, 1, version == 4 ? 1 : 4, 1000, 14 + ip, 16);
        send(r, header, frame, size);
        frame[14 + ip + 12] = 0xf0; /* one that goes on behind the frame */
        send(r, header, frame, head + 10);
        ck_assert_uint_eq(r->outs, 0);
        ck_assert_uint_eq(bus_r(&r->f, DEV + 0x70) & 64, 0);
    }
    u32 size = tcp_frame(frame, 4, 65000);
    header_set(header, 1, 1, NET_SEGMENT_MIN, 34, 16);
    send(r, header, frame, size);
    ck_assert_uint_eq(r->outs, (65000 + NET_SEGMENT_MIN - 1) / NET_SEGMENT_MIN);
    rig_close(r);
}
END_TEST

/* What is answered at once is heard a fixed time later, and without a frame of the guest's nothing is asked for. */
START_TEST(hears_later)
{
    struct rig *r = rig_open(0, true);
    u8 header[12] = { 0 }, frame[60] = { 1 };
    driver_begin(&r->f, F_MAC, 2);
    desc(&r->f, RX, 0, DATA + 0x8000, 2048, WRITE, 0);
    offer(&r->f, RX, 0);
    r->asked = 0;
    r->f.m->now = r->f.m->d.cpu[0].d.now = 1000000;
    r->ins = 1;
    r->in_size[0] = 60;
    memset(r->in[0], 0x77, 60);
    send(r, header, frame, sizeof(frame));
    ck_assert_uint_eq(r->asked, 0);
    ck_assert_uint_eq(timer_due(&r->f, ROW_virtio, 31, 0), 1050000);
    timer_comes(&r->f, ROW_virtio, 31, 0);
    ck_assert_uint_eq(used(&r->f, RX), 1);
    ck_assert_uint_eq(used_len(&r->f, RX, 0), 72);
    ck_assert_uint_eq(peek(&r->f, DATA + 0x8000, 8), 0);
    ck_assert_uint_eq(peek(&r->f, DATA + 0x8008, 4), 1 << 16); /* in one buffer */
    ck_assert_uint_eq(peek(&r->f, DATA + 0x800c, 8), 0x7777777777777777);
    ck_assert_uint_eq(timer_due(&r->f, ROW_virtio, 31, 0), NEVER);
    rig_close(r);
}
END_TEST

START_TEST(waits_for_buffers)
{
    struct rig *r = rig_open(0, true);
    driver_begin(&r->f, F_MRG, 2);
    for (unsigned n = 0; n < 2; n++) {
        r->in_size[n] = 1000;
        memset(r->in[n], (int)(n + 1), 1000);
    }
    r->ins = 2;
    machine_input_kick(r->f.m);
    ck_assert_uint_eq(r->ins, 2);
    for (unsigned n = 0; n < 8; n++) {
        desc(&r->f, RX, n, DATA + 0x1000 * n, 512, WRITE, 0);
        offer(&r->f, RX, n);
        ck_assert_uint_eq(used(&r->f, RX), n < 1 ? 0 : n < 3 ? 2 : 4); /* 1012 bytes need two of them */
    }
    for (unsigned n = 0; n < 4; n++)
        ck_assert_uint_eq(used_len(&r->f, RX, n), n % 2 ? 500 : 512);
    ck_assert_uint_eq(peek(&r->f, DATA + 10, 2), 2);
    ck_assert_uint_eq(peek(&r->f, DATA + 12, 1), 1);
    ck_assert_uint_eq(peek(&r->f, DATA + 0x1000 + 499, 1), 1);
    ck_assert_uint_eq(peek(&r->f, DATA + 0x2000 + 12, 1), 2);
    ck_assert_uint_eq(r->ins, 0);
    driver_begin(&r->f, 0, 2); /* without mergeable buffers: the first is too long and lost, the second fits */
    r->in_size[0] = 1000;
    r->in_size[1] = 500;
    r->ins = 2;
    desc(&r->f, RX, 0, DATA, 512, WRITE, 0);
    offer(&r->f, RX, 0);
    ck_assert_uint_eq(r->ins, 0);
    ck_assert_uint_eq(used(&r->f, RX), 1);
    ck_assert_uint_eq(used_len(&r->f, RX, 0), 512);
    desc(&r->f, RX, 0, DATA, 11, WRITE, 0); /* no room for a header */
    offer(&r->f, RX, 0);
    ck_assert_uint_eq(bus_r(&r->f, DEV + 0x70) & 64, 64);
    rig_close(r);
}
END_TEST

START_TEST(says_what_is_right)
{
    struct rig *r = rig_open(0, true);
    for (unsigned guest = 0; guest < 2; guest++)
        for (unsigned n = 0; n < 3; n++) {
            driver_begin(&r->f, guest ? F_GUEST_CSUM : 0, 2);
            desc(&r->f, RX, 0, DATA, 2048, WRITE, 0);
            r->in_size[0] = tcp_frame(r->in[0], 4, 33);
            pseudo_put(r->in[0], 4, 53);
            ck_assert(net_checksum_put(r->in[0], r->in_size[0], 34, 16));
            r->in[0][40] ^= n == 1;            /* wrong */
            r->in[0][20] ^= n == 2 ? 0x20 : 0; /* a fragment: more follow */
            r->ins = 1;
            offer(&r->f, RX, 0);
            ck_assert_uint_eq(used(&r->f, RX), 1);
            ck_assert_uint_eq(peek(&r->f, DATA, 1), guest && n == 0 ? 2 : 0);
        }
    rig_close(r);
}
END_TEST

/* The legacy interface's header has no number of buffers unless they are mergeable. */
START_TEST(legacy_header)
{
    struct rig *r = rig_open(0, false);
    struct fixture *f = &r->f;
    for (unsigned merge = 0; merge < 2; merge++) {
        bus_w(f, DEV + 0x28, 4096);
        bus_w(f, DEV + 0x70, 0);
        bus_w(f, DEV + 0x70, 3);
        bus_w(f, DEV + 0x20, merge ? F_MRG : 0);
        bus_w(f, DEV + 0x30, RX);
        bus_w(f, DEV + 0x38, QSIZE);
        bus_w(f, DEV + 0x3c, 4096);
        bus_w(f, DEV + 0x40, RINGS / 4096);
        bus_w(f, DEV + 0x70, 7);
        desc(&r->f, RX, 0, DATA, 2048, WRITE, 0);
        poke(f, RINGS + 16 * QSIZE + 4, 0, 2);
        poke(f, RINGS + 16 * QSIZE + 2, 1, 2);
        memset(r->in[0], 0x99, 60);
        r->in_size[0] = 60;
        r->ins = 1;
        bus_w(f, DEV + 0x50, RX);
        ck_assert_uint_eq(peek(f, RINGS + 4096 + 8, 4), merge ? 72 : 70);
        ck_assert_uint_eq(peek(f, DATA + 10, 2), merge ? 1 : 0x9999);
    }
    rig_close(r);
}
END_TEST

/* Any number up to 2^31. */
static u64 any(u64 *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}
#define RANDOM any(&seed)

/* Rings, headers and frames of a guest that means harm: whatever they hold, nothing happens outside of RAM. */
START_TEST(hostile)
{
    struct rig *r = rig_open(0, true);
    u64 seed = 12345;
    for (unsigned round = 0; round < rounds(4000); round++) {
        driver_begin(&r->f, (u32)(RANDOM | RANDOM << 31), 2);
        for (unsigned q = 0; q < 2; q++)
            for (unsigned n = 0; n < QSIZE; n++) {
                u64 where = RANDOM % 8 ? DATA + RANDOM % 0x2000 : RANDOM % 2 ? RINGS + RANDOM % 0x6000 : RANDOM << 30;
                u32 len = RANDOM % 4 ? (u32)RANDOM % 3000 : (u32)(RANDOM << 3);
                desc(&r->f, q, n, where, len, RANDOM % 5 ? (q == RX ? WRITE : 0) | (RANDOM & 1) : RANDOM & 7,
                     RANDOM % (QSIZE + 1));
            }
        for (unsigned n = 0; n < 256; n++)
            poke(&r->f, DATA + RANDOM % 0x2000, RANDOM, 8);
        u32 size = tcp_frame(r->in[1], RANDOM % 2 ? 4 : 6, (u32)(RANDOM % 3000)), start = RANDOM % 2 ? 34 : 54;
        u8 header[12];
        header_set(header, (unsigned)RANDOM & 3, RANDOM % 2 ? RANDOM % 2 ? 1 : 4 : (unsigned)RANDOM,
                   (unsigned)RANDOM % 2000, RANDOM % 4 ? start : (unsigned)RANDOM, RANDOM % 4 ? 16 : (unsigned)RANDOM);
        phys_copy_in(&r->f.m->d.phys, DATA, header, 12);
        phys_copy_in(&r->f.m->d.phys, DATA + 12, r->in[1], size);
        r->ins = 1 + (u32)RANDOM % 4;
        for (unsigned n = 0; n < r->ins; n++) {
            r->in_size[n] = RANDOM % 8 ? 14 + (u32)RANDOM % 3000 : (u32)(14 + RANDOM % (FRAME_MAX - FRAME_MIN));
            for (unsigned k = 0; k < 64; k++)
                r->in[n][RANDOM % 128] = (u8)RANDOM;
        }
        for (unsigned n = 0; n < 6; n++)
            offer(&r->f, RANDOM % 2, (unsigned)RANDOM % (QSIZE + (RANDOM % 8 == 0)));
        if (timer_due(&r->f, ROW_virtio, 31, 0) != NEVER)
            timer_comes(&r->f, ROW_virtio, 31, 0);
        machine_input_kick(r->f.m);
        ck_assert_ptr_null(machine_validate(r->f.m));
    }
    ck_assert_uint_gt(r->outs, 200); /* some of it made sense */
    rig_close(r);
}
END_TEST

static void frame_weigh(void *ctx, const u8 *frame, u64 size)
{
    (void)frame;
    *(u64 *)ctx += size;
}

/* Frames by themselves, cut anywhere, with any byte changed; each in memory of its own size. */
START_TEST(any_frame)
{
    static u8 frame[4096];
    u64 seed = 99, bytes = 0;
    for (unsigned round = 0; round < rounds(20000); round++) {
        u32 size = tcp_frame(frame, RANDOM % 2 ? 4 : 6, (u32)RANDOM % 500);
        for (unsigned n = RANDOM % 4; n--;)
            frame[RANDOM % size] = (u8)RANDOM;
        size = RANDOM % 2 ? size : 1 + (u32)RANDOM % size;
        u8 *exact = malloc(size), *scratch = malloc(size);
        ck_assert(exact && scratch);
        memcpy(exact, frame, size);
        net_checksum_right(exact, size);
        net_checksum_put(exact, size, RANDOM % 100, RANDOM % 100);
        net_segment(exact, size, RANDOM % 2 ? 34 : 54, RANDOM % 600, scratch, frame_weigh, &bytes);
        free(exact);
        free(scratch);
    }
    ck_assert_uint_gt(bytes, 100000); /* some of them could be cut */
}
END_TEST

Suite *test_net_suite(void);
Suite *test_net_suite(void)
{
    Suite *s = suite_create("net");
    TCase *c = tcase_create("net");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, identity);
    tcase_add_test(c, sends);
    tcase_add_test(c, puts_checksums);
    tcase_add_test(c, cuts_segments);
    tcase_add_test(c, hears_later);
    tcase_add_test(c, waits_for_buffers);
    tcase_add_test(c, says_what_is_right);
    tcase_add_test(c, legacy_header);
    tcase_add_test(c, hostile);
    tcase_add_test(c, any_frame);
    suite_add_tcase(s, c);
    return s;
}
