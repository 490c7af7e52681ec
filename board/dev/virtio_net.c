/*
 * virtio network device (Virtual I/O Device specification 1.2, 5.1), one pair of queues: queue 0 receives, queue 1
 * transmits. What the driver leaves to it is done here: checksums (F_CSUM), segments of TCP (F_HOST_TSO4, 6, ECN); of
 * what comes in it says whether the checksum is right (F_GUEST_CSUM), and one frame may fill several buffers
 * (F_MRG_RXBUF).
 *
 * A frame goes out when the driver says so. What answers at once, as a network within the program does, is heard a
 * fixed time later, by a timer, so that a run with such a network repeats; what comes from elsewhere comes as all input
 * does. Frames wait outside until the driver has given buffers for them, and one that no buffer can hold is lost. Left
 * out: control queue (it receives whatever is on its network, which is what drivers find at reset on QEMU, too), frames
 * to the driver that are longer than they were on the network (F_GUEST_TSO4 and the like), segments of UDP.
 */
#include "board/machine.h"
#include "board/dev/net_frame.h"

enum { RECEIVE = 0, TRANSMIT = 1, WIRE_NS = 50000 };
enum { HEADER = 12, HEADER_LEGACY = 10 }; /* of a frame (5.1.6), without the number of buffers */
enum { NEEDS_CSUM = 1, DATA_VALID = 2 };
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_ECN = 0x80 };
enum { STATUS_LINK_UP = 1 };
#define F_CSUM       BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MAC        BIT(5)
#define F_HOST_TSO4  BIT(11)
#define F_HOST_TSO6  BIT(12)
#define F_HOST_ECN   BIT(13)
#define F_MRG_RXBUF  BIT(15)
#define F_STATUS     BIT(16)

/* Segments need checksums, and F_HOST_ECN segments (5.1.3.1). */
static u64 features_of(struct machine *m, const struct virtio *dev)
{
    u64 segments = F_HOST_TSO4 | F_HOST_TSO6, without = m->options.net[dev->unit].without;
    u64 all = F_CSUM | F_GUEST_CSUM | F_MAC | segments | F_HOST_ECN | F_MRG_RXBUF | F_STATUS;
    u64 offered = all & ~(without & F_CSUM ? without | segments : without);
    return offered & segments ? offered : offered & ~F_HOST_ECN;
}

/* 5.1.4: mac, status. */
static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    u8 config[8];
    u64 value = 0;
    memcpy(config, m->options.net[dev->unit].mac, 6);
    store_le16(config + 6, STATUS_LINK_UP);
    if (offset + size <= sizeof(config))
        memcpy(&value, config + offset, size);
    return value;
}

static unsigned header_size(const struct virtio *dev)
{
    return dev->driver_features & (VIRTIO_F_VERSION_1 | F_MRG_RXBUF) ? HEADER : HEADER_LEGACY;
}

/* ---- out ---- */

struct sender {
    struct machine *m;
    unsigned net;
};

static void frame_send(void *ctx, const u8 *frame, u64 size)
{
    const struct sender *s = ctx;
    machine_frame_out(s->m, s->net, frame, size);
}

/* A header that makes no sense costs its driver the frame. */
static void frame_transmit(struct machine *m, const struct virtio *dev, const u8 *header, u8 *frame, u64 size)
{
    u8 scratch[FRAME_MAX];
    struct sender s = { m, dev->unit };
    u64 accepted = dev->driver_features;
    unsigned kind = header[1] & ~GSO_ECN, part = load_le16(header + 4), start = load_le16(header + 6);
    if (kind == GSO_NONE) {
        if (!(header[0] & NEEDS_CSUM) ||
            (accepted & F_CSUM && net_checksum_put(frame, size, start, load_le16(header + 8))))
            frame_send(&s, frame, size);
    } else if (header[0] & NEEDS_CSUM &&
               ((kind == GSO_TCPV4 && accepted & F_HOST_TSO4) || (kind == GSO_TCPV6 && accepted & F_HOST_TSO6))) {
        net_segment(frame, size, start, part, scratch, frame_send, &s);
    }
}

/* Who is on the same network as this device may have been sent something, and so may this one: they look later, not
 * now. */
static void answers_expect(struct machine *m)
{
    for (struct place at = PLACE_FIRST; place_next(m, &at);) {
        struct virtio *dev = virtio_at(m, at);
        if (!dev || dev->kind != VIRTIO_NET)
            continue;
        dev->queue[RECEIVE].pending = VIRTIO_ANNOUNCED;
        if (machine_timer(m, at, 0) == NEVER)
            machine_timer_set(m, at, 0, m->now + WIRE_NS);
    }
}

/* It is sent when the driver has its buffer back, which could not be taken back. */
static bool transmit(struct machine *m, struct virtio *dev)
{
    u8 header[HEADER], frame[FRAME_MAX];
    struct virtio_chain c;
    if (!virtio_pop(m, dev, TRANSMIT, &c))
        return false;
    u64 head = header_size(dev), size = c.readable - head;
    bool fits = c.readable >= head + FRAME_MIN && size <= FRAME_MAX;
    if (c.readable < head || !virtio_copy_from(m, dev, &c, 0, header, head) ||
        (fits && !virtio_copy_from(m, dev, &c, head, frame, size))) {
        virtio_fail(dev);
        return false;
    }
    if (!virtio_push(m, dev, TRANSMIT, &c, 0))
        return false;
    if (fits)
        frame_transmit(m, dev, header, frame, size);
    answers_expect(m);
    return true;
}

/* ---- in ---- */

/* Header and frame (`size` bytes) into the next `buffers` of the queue; the first is in c. False: in vain. */
static bool frame_put(struct machine *m, struct virtio *dev, struct virtio_chain *c, unsigned buffers, const u8 *bytes,
                      u64 size)
{
    for (unsigned n = 0; n < buffers; n++) {
        if (n && !virtio_pop(m, dev, RECEIVE, c))
            return false; /* what came in was put over its own ring */
        u64 part = size < c->writable ? size : c->writable;
        if (!virtio_copy_to(m, dev, c, 0, bytes, part)) {
            virtio_fail(dev);
            return false;
        }
        if (!virtio_push(m, dev, RECEIVE, c, (u32)part))
            return false;
        bytes += part;
        size -= part;
    }
    return true;
}

static void header_make(u8 *header, const struct virtio *dev, unsigned buffers, const u8 *frame, u64 size)
{
    memset(header, 0, HEADER);
    if (dev->driver_features & F_GUEST_CSUM && net_checksum_right(frame, size))
        header[0] = DATA_VALID;
    if (header_size(dev) == HEADER)
        store_le16(header + 10, (u16)buffers);
}

/* The next frame, with as many buffers as it takes; the first is in c, more are taken from the queue. 0: there is no
 * frame, or not enough room for it yet. A frame that a driver without F_MRG_RXBUF has no room for is lost. */
static s64 frame_take(struct machine *m, struct virtio *dev, struct virtio_chain *c, unsigned *buffers, u8 *frame)
{
    u64 head = header_size(dev), room = c->writable - head;
    s64 size = machine_frame_in(m, dev->unit, frame, room < FRAME_MAX ? room : FRAME_MAX);
    *buffers = 1;
    if (size >= 0)
        return size;
    if (dev->driver_features & F_MRG_RXBUF && -size <= FRAME_MAX) {
        while (room < (u64)-size && *buffers < VIRTIO_QUEUE_MAX && virtio_pop(m, dev, RECEIVE, c)) {
            room += c->writable;
            ++*buffers;
        }
        return room < (u64)-size ? 0 : machine_frame_in(m, dev->unit, frame, FRAME_MAX);
    }
    *buffers = 0;
    return machine_frame_in(m, dev->unit, frame, FRAME_MAX);
}

static bool receive(struct machine *m, struct virtio *dev)
{
    u8 bytes[HEADER + FRAME_MAX], header[HEADER];
    struct virtio_queue *q = &dev->queue[RECEIVE], before = *q;
    struct virtio_chain c;
    unsigned buffers, head = header_size(dev);
    if (!(dev->status & VIRTIO_DRIVER_OK) || !virtio_pop(m, dev, RECEIVE, &c))
        return false;
    if (c.writable < head) {
        virtio_fail(dev);
        return false;
    }
    s64 size = frame_take(m, dev, &c, &buffers, bytes + head);
    if (buffers != 1 || size <= 0)
        *q = before;
    if (size <= 0 || (buffers > 1 && !virtio_pop(m, dev, RECEIVE, &c)))
        return false;
    header_make(header, dev, buffers, bytes + head, (u64)size);
    memcpy(bytes, header, head);
    return frame_put(m, dev, &c, buffers, bytes, head + (u64)size);
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    return q == TRANSMIT ? transmit(m, dev) : receive(m, dev);
}

const struct virtio_ops virtio_net_ops = {
    .queues = 2, .config_size = 8, .queue_size = { 256, 256 },
    .features_of = features_of,
    .back_end = BACK_END_NET,
    .listens = 1 + RECEIVE,
    .config_read = config_read,
    .serve = serve,
};
