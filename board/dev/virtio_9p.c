/*
 * virtio 9P transport (Virtual I/O Device specification 1.2, 5.9 names the device; its layout is what drivers expect):
 * one queue of requests, each a T-message and room for the R-message; the configuration space has the mount tag. What
 * the messages mean is the server's (struct machine_host, share_serve), which answers at once, so that requests
 * complete in their order, a fixed time after they were announced.
 *
 * A request is served once, whatever an SMMU holds back of its way into the guest: the answer that could not be
 * delivered lies in the share's room until it can. A driver that leaves too little room gets an error instead.
 */
#include "board/machine.h"

enum { REQUEST_NS = 100000, F_MOUNT_TAG = 1, TAG_SIZE = 32, CONFIG_SIZE = 2 + TAG_SIZE };
enum { HEADER = 7, TYPE = 4, TAG = 5, R_LERROR = 7, LERROR_SIZE = HEADER + 4, EIO_NUMBER = 5 };
/* The device's part of the room: bytes of the answer that is held, of the request that it answers, the answer. */
enum { HELD_SIZE = 0, HELD_REQUEST = 4, HELD_HEAD = 8, HELD_ANSWER = 16 };
static_assert(HELD_ANSWER + SHARE_MESSAGE <= SHARE_OF_SERVER, "the answer fits");

static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    const struct share_option *share = &m->options.share[dev->unit];
    u8 config[CONFIG_SIZE] = { 0 };
    u64 value = 0;
    store_le16(config, (u16)strnlen((const char *)share->tag, TAG_SIZE));
    memcpy(config + 2, share->tag, TAG_SIZE);
    if (offset <= sizeof(config) && size <= sizeof(config) - offset)
        memcpy(&value, config + offset, size);
    return value;
}

/* Rlerror with the request's tag. */
static u32 refuse(const u8 *request, u8 *answer)
{
    store_le32(answer, LERROR_SIZE);
    answer[TYPE] = R_LERROR;
    memcpy(answer + TAG, request + TAG, 2);
    store_le32(answer + HEADER, EIO_NUMBER);
    return LERROR_SIZE;
}

/* Is the answer to this request held? Size and header must be the same. */
static u32 held_take(struct machine *m, unsigned share, const u8 *request, u32 size, u8 *answer)
{
    const u8 *room = machine_share(m, share);
    u32 held = room ? load_le32(room + HELD_SIZE) : 0;
    if (!held || held > SHARE_MESSAGE || load_le32(room + HELD_REQUEST) != size ||
        memcmp(room + HELD_HEAD, request, HEADER) != 0)
        return 0;
    memcpy(answer, room + HELD_ANSWER, held);
    return held;
}

static void held_put(struct machine *m, unsigned share, const u8 *request, u32 size, const u8 *answer, u32 length)
{
    u8 head[HELD_ANSWER] = { 0 };
    store_le32(head + HELD_SIZE, length);
    store_le32(head + HELD_REQUEST, size);
    memcpy(head + HELD_HEAD, request, HEADER);
    machine_share_put(m, share, HELD_ANSWER, answer, length);
    machine_share_put(m, share, 0, head, sizeof(head));
}

static void held_drop(struct machine *m, unsigned share)
{
    const u8 *room = machine_share(m, share);
    u32 held = room ? load_le32(room + HELD_SIZE) : 0;
    if (held)
        machine_share_put(m, share, 0, NULL, HELD_ANSWER + (held < SHARE_MESSAGE ? held : SHARE_MESSAGE));
}

static u32 answer_make(struct machine *m, const struct virtio *dev, const struct virtio_chain *c, const u8 *request,
                       u32 size, u8 *answer)
{
    u32 length = held_take(m, dev->unit, request, size, answer);
    if (!length)
        length = machine_share_serve(m, dev->unit, request, size, answer);
    if (length < HEADER || length > SHARE_MESSAGE || length > c->writable)
        length = refuse(request, answer);
    return length;
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    u8 request[SHARE_MESSAGE], answer[SHARE_MESSAGE];
    struct virtio_chain c;
    if (!virtio_pop(m, dev, q, &c))
        return false;
    u32 size = c.readable < SHARE_MESSAGE ? (u32)c.readable : SHARE_MESSAGE;
    m->d.dma_stalled = false;
    if (size < HEADER || c.writable < LERROR_SIZE || !virtio_copy_from(m, dev, &c, 0, request, size)) {
        virtio_fail(dev);
        return false;
    }
    u32 length = answer_make(m, dev, &c, request, size, answer);
    if (virtio_copy_to(m, dev, &c, 0, answer, length) && virtio_push(m, dev, q, &c, length)) {
        held_drop(m, dev->unit);
        return true;
    }
    if (m->d.dma_stalled)
        held_put(m, dev->unit, request, size, answer, length);
    virtio_fail(dev);
    return false;
}

const struct virtio_ops virtio_9p_ops = {
    .queues = 1, .features = F_MOUNT_TAG, .config_size = CONFIG_SIZE, .queue_size = { 128 },
    .back_end = BACK_END_SHARE,
    .takes_ns = REQUEST_NS,
    .config_read = config_read,
    .serve = serve,
};
