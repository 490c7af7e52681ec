/*
 * virtio socket device (Virtual I/O Device specification 1.2, 5.10): queue 0 receives, 1 transmits, 2 has events.
 *
 * What a packet means is its peer's business (frontend/netdev_vsock.c): connections and credit are state of the two
 * ends, and the device between them keeps none. A packet (header and data) is a frame of a network with nothing else on
 * it, so that it goes out, comes in, is recorded and replayed as frames are (virtio_net.c). A frame that is shorter
 * than a header is an event, by its first four bytes. Data that no buffer has room for comes in several packets.
 */
#include "board/machine.h"

enum { RECEIVE, TRANSMIT, EVENT, WIRE_NS = 50000 };
enum { LENGTH = 24 /* of the header, where the number of bytes behind it is */, EVENT_RESET = 0 };
static_assert(VSOCK_HEADER + VSOCK_DATA <= FRAME_MAX, "a packet is a frame");

/* 5.10.4 */
static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    u64 value = 0;
    u8 config[8];
    store_le64(config, m->options.net[dev->unit].cid);
    if (offset + size <= sizeof(config))
        memcpy(&value, config + offset, size);
    return value;
}

/* Its peer may have an answer, which is heard later, as on a network. */
static void answer_expect(struct machine *m, struct virtio *dev)
{
    dev->queue[RECEIVE].pending = VIRTIO_ANNOUNCED;
    if (machine_timer(m, dev->at, 0) == NEVER)
        machine_timer_set(m, dev->at, 0, m->now + WIRE_NS);
}

/* A packet whose header says another length than it has is lost. */
static bool transmit(struct machine *m, struct virtio *dev)
{
    u8 packet[VSOCK_HEADER + VSOCK_DATA];
    struct virtio_chain c;
    if (!virtio_pop(m, dev, TRANSMIT, &c))
        return false;
    if (c.readable < VSOCK_HEADER || !virtio_copy_from(m, dev, &c, 0, packet, VSOCK_HEADER)) {
        virtio_fail(dev);
        return false;
    }
    u64 size = load_le32(packet + LENGTH);
    bool fits = size <= VSOCK_DATA && size <= c.readable - VSOCK_HEADER;
    if (fits && !virtio_copy_from(m, dev, &c, VSOCK_HEADER, packet + VSOCK_HEADER, size)) {
        virtio_fail(dev);
        return false;
    }
    if (!virtio_push(m, dev, TRANSMIT, &c, 0))
        return false;
    if (fits)
        machine_frame_out(m, dev->unit, packet, VSOCK_HEADER + size);
    answer_expect(m, dev);
    return true;
}

/* The packet into the next buffers, a header for each. False: in vain. */
static bool packet_put(struct machine *m, struct virtio *dev, u8 *packet, u64 size)
{
    struct virtio_chain c;
    u64 done = 0;
    do {
        if (!virtio_pop(m, dev, RECEIVE, &c))
            return false;
        u64 room = c.writable - VSOCK_HEADER, part = size - done < room ? size - done : room;
        store_le32(packet + LENGTH, (u32)part);
        if (!virtio_copy_to(m, dev, &c, 0, packet, VSOCK_HEADER) ||
            !virtio_copy_to(m, dev, &c, VSOCK_HEADER, packet + VSOCK_HEADER + done, part)) {
            virtio_fail(dev);
            return false;
        }
        if (!virtio_push(m, dev, RECEIVE, &c, (u32)(VSOCK_HEADER + part)))
            return false;
        done += part;
    } while (done < size);
    return true;
}

/* Bytes of data that the next buffers have room for, until there are `wanted`. 0: none has. */
static u64 room_of(struct machine *m, struct virtio *dev, u64 wanted)
{
    struct virtio_chain c;
    u64 room = 0;
    for (unsigned n = 0; n < VIRTIO_QUEUE_MAX && room < wanted && virtio_pop(m, dev, RECEIVE, &c); n++) {
        if (c.writable <= VSOCK_HEADER) {
            virtio_fail(dev);
            return 0;
        }
        room += c.writable - VSOCK_HEADER;
    }
    return room;
}

static bool receive(struct machine *m, struct virtio *dev)
{
    u8 packet[FRAME_MAX];
    struct virtio_queue *q = &dev->queue[RECEIVE], before = *q;
    if (!(dev->status & VIRTIO_DRIVER_OK))
        return false;
    u64 room = room_of(m, dev, 1);
    q->last_avail = before.last_avail;
    if (!room)
        return false;
    s64 size =
        machine_frame_in(m, dev->unit, packet, VSOCK_HEADER + room < FRAME_MAX ? VSOCK_HEADER + room : FRAME_MAX);
    if (size < 0 && -size <= FRAME_MAX) { /* more than one buffer has room for */
        u64 data = (u64)-size - VSOCK_HEADER;
        room = room_of(m, dev, data);
        q->last_avail = before.last_avail;
        size = room < data ? 0 : machine_frame_in(m, dev->unit, packet, FRAME_MAX);
    }
    if (size <= 0)
        return false;
    if (size >= VSOCK_HEADER)
        return packet_put(m, dev, packet, (u64)size - VSOCK_HEADER);
    dev->held_count = 1; /* an event, for which there is one kind */
    dev->queue[EVENT].pending = VIRTIO_DUE;
    return true;
}

/* 5.10.6.7: addresses may have changed, and no connection is left. */
static bool event(struct machine *m, struct virtio *dev)
{
    static const u8 reset[4] = { EVENT_RESET };
    struct virtio_chain c;
    if (!dev->held_count || !(dev->status & VIRTIO_DRIVER_OK) || !virtio_pop(m, dev, EVENT, &c))
        return false;
    if (!virtio_copy_to(m, dev, &c, 0, reset, sizeof(reset))) {
        virtio_fail(dev);
        return false;
    }
    if (virtio_push(m, dev, EVENT, &c, sizeof(reset)))
        dev->held_count = 0;
    return true;
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    return q == TRANSMIT ? transmit(m, dev) : q == EVENT ? event(m, dev) : receive(m, dev);
}

/* A driver that begins has no connections that it could be told of. */
static void driver_reset(struct machine *m, struct virtio *dev)
{
    (void)m;
    dev->held_count = 0;
}

const struct virtio_ops virtio_vsock_ops = {
    .queues = 3, .config_size = 8, .queue_size = { 128, 128, 128 },
    .back_end = BACK_END_NET,
    .listens = 1 + RECEIVE,
    .config_read = config_read,
    .serve = serve,
    .reset = driver_reset,
};
