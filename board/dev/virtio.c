/*
 * virtio's core (Virtual I/O Device specification 1.2): split virtqueues (2.7), features, status; any transport's.
 *
 * Rings and buffers are the guest's: every index, length and address is checked, a chain is followed no further than
 * the queue is long, and nonsense makes the device need a reset instead of doing harm. A queue that is set up is served
 * before DRIVER_OK, too, which drivers of test programs forget (2.1.2 says that they must not; QEMU serves them). Left
 * out: packed rings, indirect descriptors, event indexes (never offered), queue reset.
 */
#include "board/machine.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, AVAIL_NO_INTERRUPT = 1 };

static const struct state_field queue_fields[] = {
    STATE(virtio_queue, desc),     STATE(virtio_queue, avail),   STATE(virtio_queue, used),
    STATE(virtio_queue, num),      STATE(virtio_queue, ready),   STATE(virtio_queue, last_avail),
    STATE(virtio_queue, used_idx), STATE(virtio_queue, pending),
};
static const struct state_shape queue_shape = STATE_SHAPE(virtio_queue, queue_fields);
static const struct state_field fields[] = {
    STATE(virtio, kind),
    STATE(virtio, unit),
    STATE(virtio, legacy),
    STATE(virtio, platform),
    STATE(virtio, turned),
    STATE(virtio, status),
    STATE(virtio, driver_features),
    STATE(virtio, news),
    STATE(virtio, at),
    STATE(virtio, generation),
    STATE_OF(virtio, queue, &queue_shape),
    STATE(virtio, held),
    STATE(virtio, held_count),
};
const struct state_shape virtio_shape = STATE_SHAPE(virtio, fields);

static const struct {
    unsigned number;
    const char *name;
    u16 pci_id;
    u32 pci_class;
    const char *boots;
    const struct virtio_ops *ops;
} kinds[VIRTIO_KINDS] = {
#define VIRTIO(kind, number, name, pci_id, pci_class, boots, ops) \
    [VIRTIO_##kind] = { number, name, pci_id, pci_class, boots, &(ops) },
#include "board/dev/virtio.def"
};

const struct virtio_ops *virtio_ops_of_kind(enum virtio_kind kind) { return kinds[kind].ops; }
const struct virtio_ops *virtio_ops_of(const struct virtio *dev)
{
    return dev->kind < VIRTIO_KINDS ? kinds[dev->kind].ops : NULL;
}

unsigned virtio_number(enum virtio_kind kind) { return kinds[kind].number; }
u16 virtio_pci_id(enum virtio_kind kind) { return kinds[kind].pci_id; }
u32 virtio_pci_class(enum virtio_kind kind) { return kinds[kind].pci_class; }
const char *virtio_boots(enum virtio_kind kind) { return kind < VIRTIO_KINDS ? kinds[kind].boots : NULL; }
enum back_end virtio_back_end(enum virtio_kind kind)
{
    return kinds[kind].ops ? kinds[kind].ops->back_end : BACK_END_NONE;
}
const char *virtio_name(enum virtio_kind kind) { return kinds[kind].name; }

/* ---- features and status ---- */

u64 virtio_offered(struct machine *m, const struct virtio *dev)
{
    const struct virtio_ops *ops = virtio_ops_of(dev);
    u64 features = ops->features | (ops->features_of ? ops->features_of(m, dev) : 0);
    features |= dev->platform ? VIRTIO_F_ACCESS_PLATFORM : 0;
    return dev->legacy ? features : features | VIRTIO_F_VERSION_1;
}

void virtio_features_accept(struct machine *m, struct virtio *dev, unsigned half, u32 value)
{
    if (half > 1)
        return;
    u64 mask = (u64)0xffffffff << half * 32;
    dev->driver_features = ((dev->driver_features & ~mask) | (u64)value << half * 32) & virtio_offered(m, dev);
}

static bool queue_live(const struct virtio *dev, const struct virtio_queue *q)
{
    return q->num && q->ready && !(dev->status & VIRTIO_NEEDS_RESET);
}

void virtio_notify(struct machine *m, struct virtio *dev, u32 q)
{
    const struct virtio_ops *ops = virtio_ops_of(dev);
    if (q >= ops->queues || !queue_live(dev, &dev->queue[q]))
        return;
    virtio_input(dev); /* what was asked may have been answered */
    if (dev->queue[q].pending != VIRTIO_DUE)
        dev->queue[q].pending = ops->takes_ns ? VIRTIO_ANNOUNCED : VIRTIO_DUE;
    if (ops->takes_ns && machine_timer(m, dev->at, 0) == NEVER)
        machine_timer_set(m, dev->at, 0, m->now + ops->takes_ns);
}

void virtio_due(struct virtio *dev)
{
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++)
        if (dev->queue[n].pending == VIRTIO_ANNOUNCED)
            dev->queue[n].pending = VIRTIO_DUE;
}

bool virtio_input(struct virtio *dev)
{
    const struct virtio_ops *ops = virtio_ops_of(dev);
    if (ops->listens)
        dev->queue[ops->listens - 1].pending = VIRTIO_DUE;
    return ops->listens;
}

/* The queue with the highest number first: a console says what it has to say before it listens. */
bool virtio_step(struct machine *m, struct virtio *dev)
{
    for (unsigned n = VIRTIO_QUEUES; n-- > 0;)
        if (dev->queue[n].pending == VIRTIO_DUE) {
            if (!virtio_ops_of(dev)->serve(m, dev, n) && dev->queue[n].pending == VIRTIO_DUE) /* not: later */
                dev->queue[n].pending = VIRTIO_IDLE;
            return true;
        }
    return false;
}

void virtio_config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value)
{
    const struct virtio_ops *ops = virtio_ops_of(dev);
    if (!ops->config_write || !ops->config_write(m, dev, offset, size, value))
        m->d.guest_error = ERROR_REGISTER;
}

void virtio_fail(struct virtio *dev)
{
    dev->status |= VIRTIO_NEEDS_RESET;
    if (dev->status & VIRTIO_DRIVER_OK)
        dev->news |= VIRTIO_NEWS_CONFIG;
}

void virtio_reset(struct machine *m, struct virtio *dev)
{
    struct virtio was = *dev;
    const struct virtio_ops *ops = virtio_ops_of(dev);
    *dev = (struct virtio){ .kind = was.kind,
                            .unit = was.unit,
                            .legacy = was.legacy,
                            .platform = was.platform,
                            .at = was.at,
                            .held_count = was.held_count };
    memcpy(dev->held, was.held, sizeof(dev->held));
    if (ops && ops->reset)
        ops->reset(m, dev);
}

const char *virtio_validate(const struct virtio *dev)
{
    const struct virtio_ops *ops = virtio_ops_of(dev);
    if ((dev->kind && !ops) || dev->turned > 1)
        return "virtio: no such kind of device";
    static const unsigned units[] = {
        [BACK_END_NONE] = 1,          [BACK_END_PORT] = MAX_PORTS,   [BACK_END_DISK] = MAX_DISKS,
        [BACK_END_NET] = MAX_NETS,    [BACK_END_SHARE] = MAX_SHARES, [BACK_END_INPUT] = MAX_INPUTS,
        [BACK_END_SCREEN] = MAX_GPUS,
    };
    if (ops && dev->unit >= units[ops->back_end])
        return "virtio: unit out of range";
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++)
        if (dev->queue[n].num > VIRTIO_QUEUE_MAX || (dev->queue[n].num && !is_pow2(dev->queue[n].num)))
            return "virtio: queue size out of range";
        else if (dev->queue[n].pending > VIRTIO_DUE || (!ops && dev->queue[n].pending))
            return "virtio: a queue waits for nothing that there is";
    return dev->held_count > VIRTIO_HELD ? "virtio: more is held than there is room for" : NULL;
}

struct virtio *virtio_at(struct machine *m, struct place at)
{
    struct virtio *dev = at.row == ROW_virtio       ? virtio_slot(m, at.n)
                         : at.row == ROW_virtio_pci ? virtio_pci_at(m, at)
                                                    : NULL;
    return dev && dev->kind ? dev : NULL;
}

/* ---- rings and buffers ---- */

static bool dma(struct machine *m, const struct virtio *dev, u64 pa, void *bytes, u64 size, bool write)
{
    return device_dma(m, dev->at, pa, bytes, size, write, !(dev->driver_features & VIRTIO_F_ACCESS_PLATFORM));
}
static bool dma_read(struct machine *m, const struct virtio *dev, u64 pa, void *to, u64 size)
{
    return dma(m, dev, pa, to, size, false);
}
static bool dma_write(struct machine *m, const struct virtio *dev, u64 pa, const void *from, u64 size)
{
    return dma(m, dev, pa, (void *)(uintptr_t)from, size, true);
}

/* Follows a chain from its head descriptor. False: nonsense. */
static bool chain_walk(struct machine *m, const struct virtio *dev, const struct virtio_queue *q,
                       struct virtio_chain *c)
{
    unsigned next = c->head;
    for (unsigned n = 0; n < q->num; n++) {
        u8 desc[16];
        if (next >= q->num || !dma_read(m, dev, q->desc + 16 * (u64)next, desc, sizeof(desc)))
            return false;
        unsigned flags = load_le16(desc + 12);
        struct virtio_segment s = { load_le64(desc), load_le32(desc + 8), flags & DESC_WRITE };
        if (flags & DESC_INDIRECT || (!s.writable && c->writable))
            return false; /* never offered; writable parts come last (2.7.4.2) */
        c->segment[c->count++] = s;
        if (s.writable)
            c->writable += s.len;
        else
            c->readable += s.len;
        if (!(flags & DESC_NEXT))
            return true;
        next = load_le16(desc + 14);
    }
    return false; /* a loop */
}

bool virtio_pop(struct machine *m, struct virtio *dev, unsigned n, struct virtio_chain *chain)
{
    struct virtio_queue *q = &dev->queue[n];
    u8 word[2];
    if (!queue_live(dev, q))
        return false;
    if (!dma_read(m, dev, q->avail + 2, word, 2)) {
        virtio_fail(dev);
        return false;
    }
    u16 ahead = (u16)(load_le16(word) - q->last_avail);
    if (!ahead)
        return false;
    chain->count = 0;
    chain->readable = chain->writable = 0;
    if (ahead > q->num || !dma_read(m, dev, q->avail + 4 + 2 * (u64)(q->last_avail % q->num), word, 2)) {
        virtio_fail(dev);
        return false;
    }
    chain->head = load_le16(word);
    if (!chain_walk(m, dev, q, chain)) {
        virtio_fail(dev);
        return false;
    }
    q->last_avail++;
    return true;
}

void virtio_unpop(struct virtio *dev, unsigned q) { dev->queue[q].last_avail--; }

bool virtio_push(struct machine *m, struct virtio *dev, unsigned n, const struct virtio_chain *chain, u32 len)
{
    struct virtio_queue *q = &dev->queue[n];
    u8 elem[8], word[2], flags[2] = { 0, 0 };
    store_le32(elem, chain->head);
    store_le32(elem + 4, len);
    store_le16(word, (u16)(q->used_idx + 1));
    if (!dma_write(m, dev, q->used + 4 + 8 * (u64)(q->used_idx % q->num), elem, 8) ||
        !dma_write(m, dev, q->used + 2, word, 2) || !dma_read(m, dev, q->avail, flags, 2)) {
        virtio_fail(dev);
        return false;
    }
    q->used_idx++;
    if (!(load_le16(flags) & AVAIL_NO_INTERRUPT))
        dev->news |= BIT(n);
    return true;
}

static bool chain_copy(struct machine *m, const struct virtio *dev, const struct virtio_chain *c, bool writable,
                       u64 offset, u8 *bytes, u64 size)
{
    for (unsigned n = 0; n < c->count && size; n++) {
        const struct virtio_segment *s = &c->segment[n];
        if (s->writable != writable)
            continue;
        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        u64 part = s->len - offset < size ? s->len - offset : size;
        if (s->addr + offset < s->addr || !dma(m, dev, s->addr + offset, bytes, part, writable))
            return false;
        bytes += part;
        size -= part;
        offset = 0;
    }
    return !size;
}

bool virtio_read(struct machine *m, const struct virtio *dev, u64 pa, void *to, u64 size)
{
    return dma_read(m, dev, pa, to, size);
}

bool virtio_copy_from(struct machine *m, const struct virtio *dev, const struct virtio_chain *chain, u64 offset,
                      void *to, u64 size)
{
    return chain_copy(m, dev, chain, false, offset, to, size);
}

bool virtio_copy_to(struct machine *m, const struct virtio *dev, const struct virtio_chain *chain, u64 offset,
                    const void *from, u64 size)
{
    return chain_copy(m, dev, chain, true, offset, (u8 *)(uintptr_t)from, size);
}
