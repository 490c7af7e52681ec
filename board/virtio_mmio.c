/*
 * virtio over MMIO: the transport (Virtual I/O Device specification 1.2, 4.2; legacy interface 4.2.4), split virtqueues
 * (2.7).
 *
 * QEMU's virt shows version 1 (legacy) unless told otherwise (virtio-mmio.force-legacy), and so does this. Rings and
 * buffers are the guest's: every index, length and address is checked, a chain is followed no further than the queue is
 * long, and nonsense makes the device need a reset instead of doing harm. A queue that is set up is served before
 * DRIVER_OK, too, which drivers of test programs forget (2.1.2 says that they must not; QEMU serves them). Left out:
 * packed rings, indirect descriptors, event indexes (never offered), shared memory, queue reset.
 */
#include "board/machine.h"

enum { MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, VENDOR_ID = 0x00c, DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SEL = 0x014,
       DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SEL = 0x024, GUEST_PAGE_SIZE = 0x028, QUEUE_SEL = 0x030, QUEUE_NUM_MAX = 0x034,
       QUEUE_NUM = 0x038, QUEUE_ALIGN = 0x03c, QUEUE_PFN = 0x040, QUEUE_READY = 0x044, QUEUE_NOTIFY = 0x050,
       INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070, DESC_LOW = 0x080, DESC_HIGH = 0x084, AVAIL_LOW = 0x090,
       AVAIL_HIGH = 0x094, USED_LOW = 0x0a0, USED_HIGH = 0x0a4, SHM_SEL = 0x0ac, SHM_LEN_LOW = 0x0b0, SHM_LEN_HIGH = 0x0b4,
       SHM_BASE_LOW = 0x0b8, SHM_BASE_HIGH = 0x0bc, GENERATION = 0x0fc, CONFIG = 0x100 };
enum { DRIVER_OK = 4, NEEDS_RESET = 64 };
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, AVAIL_NO_INTERRUPT = 1 };
#define F_VERSION_1 BIT(32)

static const struct virtio_ops *ops_of(const struct virtio_mmio *dev)
{
    switch (dev->kind) {
    case VIRTIO_BLK: return &virtio_blk_ops;
    case VIRTIO_CONSOLE: return &virtio_console_ops;
    case VIRTIO_RNG: return &virtio_rng_ops;
    default: return NULL;
    }
}

static u64 offered(struct machine *m, struct virtio_mmio *dev)
{
    const struct virtio_ops *ops = ops_of(dev);
    u64 features = ops->features | (ops->features_of ? ops->features_of(m, dev) : 0);
    return dev->legacy ? features : features | F_VERSION_1;
}

static bool queue_live(const struct virtio_mmio *dev, const struct virtio_queue *q)
{
    return q->num && (dev->legacy ? q->pfn != 0 : q->ready != 0) && !(dev->status & NEEDS_RESET);
}

/* The ring addresses of the legacy interface follow from the page number (2.7.2). */
static void legacy_layout(const struct virtio_mmio *dev, struct virtio_queue *q)
{
    u64 align = q->align ? q->align : 4096;
    q->desc = (u64)q->pfn * dev->page_size;
    q->avail = q->desc + 16 * (u64)q->num;
    q->used = align_up(q->avail + 6 + 2 * (u64)q->num, align);
    q->last_avail = q->used_idx = 0;
}

void virtio_fail(struct virtio_mmio *dev)
{
    dev->status |= NEEDS_RESET;
    if (dev->status & DRIVER_OK)
        dev->interrupt |= 2; /* configuration change */
}

/* Follows a chain from its head descriptor. False: nonsense. */
static bool chain_walk(struct machine *m, const struct virtio_queue *q, struct virtio_chain *c)
{
    unsigned next = c->head;
    for (unsigned n = 0; n < q->num; n++) {
        u8 desc[16];
        if (next >= q->num || !machine_dma_read(m, q->desc + 16 * (u64)next, desc, sizeof(desc)))
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

bool virtio_pop(struct machine *m, struct virtio_mmio *dev, unsigned n, struct virtio_chain *chain)
{
    struct virtio_queue *q = &dev->queue[n];
    u8 word[2];
    if (!queue_live(dev, q))
        return false;
    if (!machine_dma_read(m, q->avail + 2, word, 2)) {
        virtio_fail(dev);
        return false;
    }
    u16 ahead = (u16)(load_le16(word) - q->last_avail);
    if (!ahead)
        return false;
    chain->count = 0;
    chain->readable = chain->writable = 0;
    if (ahead > q->num || !machine_dma_read(m, q->avail + 4 + 2 * (u64)(q->last_avail % q->num), word, 2)) {
        virtio_fail(dev);
        return false;
    }
    chain->head = load_le16(word);
    if (!chain_walk(m, q, chain)) {
        virtio_fail(dev);
        return false;
    }
    q->last_avail++;
    return true;
}

void virtio_push(struct machine *m, struct virtio_mmio *dev, unsigned n, const struct virtio_chain *chain, u32 len)
{
    struct virtio_queue *q = &dev->queue[n];
    u8 elem[8], word[2], flags[2] = { 0, 0 };
    store_le32(elem, chain->head);
    store_le32(elem + 4, len);
    store_le16(word, (u16)(q->used_idx + 1));
    if (!machine_dma_write(m, q->used + 4 + 8 * (u64)(q->used_idx % q->num), elem, 8) ||
        !machine_dma_write(m, q->used + 2, word, 2) || !machine_dma_read(m, q->avail, flags, 2)) {
        virtio_fail(dev);
        return;
    }
    q->used_idx++;
    if (!(load_le16(flags) & AVAIL_NO_INTERRUPT))
        dev->interrupt |= 1;
}

typedef bool copy_fn(struct machine *m, u64 pa, void *bytes, u64 size);

static bool copy_out(struct machine *m, u64 pa, void *bytes, u64 size) { return machine_dma_read(m, pa, bytes, size); }
static bool copy_in(struct machine *m, u64 pa, void *bytes, u64 size) { return machine_dma_write(m, pa, bytes, size); }

static bool chain_copy(struct machine *m, const struct virtio_chain *c, bool writable, u64 offset, u8 *bytes, u64 size,
                       copy_fn *copy)
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
        if (s->addr + offset < s->addr || !copy(m, s->addr + offset, bytes, part))
            return false;
        bytes += part;
        size -= part;
        offset = 0;
    }
    return !size;
}

bool virtio_copy_from(struct machine *m, const struct virtio_chain *chain, u64 offset, void *to, u64 size)
{
    return chain_copy(m, chain, false, offset, to, size, copy_out);
}

bool virtio_copy_to(struct machine *m, const struct virtio_chain *chain, u64 offset, const void *from, u64 size)
{
    return chain_copy(m, chain, true, offset, (u8 *)(uintptr_t)from, size, copy_in);
}

static bool config_read(struct machine *m, struct virtio_mmio *dev, struct device_access a, u64 *value)
{
    const struct virtio_ops *ops = ops_of(dev);
    *value = ops->config_read ? ops->config_read(m, dev, a.offset - CONFIG, a.size) : 0;
    return true;
}

static u64 register_read(struct machine *m, struct virtio_mmio *dev, u64 offset)
{
    struct virtio_queue *q = dev->queue_sel < ops_of(dev)->queues ? &dev->queue[dev->queue_sel] : NULL;
    switch (offset) {
    case DEVICE_FEATURES: return dev->features_sel > 1 ? 0 : offered(m, dev) >> (dev->features_sel * 32) & 0xffffffff;
    case QUEUE_NUM_MAX: return q ? VIRTIO_QUEUE_MAX : 0;
    case QUEUE_PFN: return q && dev->legacy ? q->pfn : 0;
    case QUEUE_READY: return q && !dev->legacy ? q->ready : 0;
    case INTERRUPT_STATUS: return dev->interrupt;
    case STATUS: return dev->status;
    case SHM_LEN_LOW:
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH: return 0xffffffff; /* no such region (4.2.2) */
    case GENERATION: return dev->legacy ? 0 : dev->generation;
    default: return 0;
    }
}

bool virtio_mmio_read(struct machine *m, struct virtio_mmio *dev, struct device_access a, u64 *value)
{
    switch (a.offset) {
    case MAGIC: *value = 0x74726976; return true; /* "virt" */
    case VERSION: *value = dev->legacy ? 1 : 2; return true;
    case DEVICE_ID: *value = dev->kind; return true;
    case VENDOR_ID: *value = 0x554d4551; return true; /* "QEMU", as drivers know it */
    default: break;
    }
    if (!dev->kind)
        *value = 0;
    else if (a.offset >= CONFIG)
        return config_read(m, dev, a, value);
    else
        *value = a.size == 4 ? register_read(m, dev, a.offset) : 0;
    return true;
}

/* Writing 0 resets the device; the guest's page size belongs to the transport and stays (legacy drivers set it once).
 */
static void status_write(struct virtio_mmio *dev, u32 value)
{
    u32 page_size = dev->page_size;
    if (!(value & 0xff)) {
        virtio_mmio_reset(dev);
        dev->page_size = page_size;
    } else {
        dev->status = (value & 0xff) | (dev->status & NEEDS_RESET);
    }
}

static void notify(struct machine *m, struct virtio_mmio *dev, u32 n)
{
    const struct virtio_ops *ops = ops_of(dev);
    if (n < ops->queues && queue_live(dev, &dev->queue[n]))
        ops->notify(m, dev, n);
}

static void address_write(u64 *address, bool high, u32 value)
{
    *address = high ? bits_set(*address, 63, 32, value) : bits_set(*address, 31, 0, value);
}

static void queue_ready_write(struct virtio_queue *q, u32 value)
{
    q->ready = value & 1;
    q->last_avail = q->used_idx = 0;
}

/* Registers of the queue that QueueSel names. */
static void queue_write(struct virtio_mmio *dev, struct virtio_queue *q, u64 offset, u32 v)
{
    bool set_up = dev->legacy ? q->pfn != 0 : q->ready != 0;
    switch (offset) {
    case QUEUE_NUM:
        if (!set_up && v <= VIRTIO_QUEUE_MAX && is_pow2(v))
            q->num = v;
        break;
    case QUEUE_ALIGN:
        if (dev->legacy && !set_up && is_pow2(v))
            q->align = v;
        break;
    case QUEUE_PFN:
        if (dev->legacy) {
            q->pfn = v;
            legacy_layout(dev, q);
        }
        break;
    case QUEUE_READY:
        if (!dev->legacy)
            queue_ready_write(q, v);
        break;
    case DESC_LOW:
    case DESC_HIGH: address_write(&q->desc, offset == DESC_HIGH, v); break;
    case AVAIL_LOW:
    case AVAIL_HIGH: address_write(&q->avail, offset == AVAIL_HIGH, v); break;
    case USED_LOW:
    case USED_HIGH: address_write(&q->used, offset == USED_HIGH, v); break;
    default: break;
    }
}

static void driver_features_write(struct machine *m, struct virtio_mmio *dev, u32 v)
{
    if (dev->driver_sel > 1)
        return;
    unsigned shift = dev->driver_sel * 32;
    u64 mask = (u64)0xffffffff << shift;
    dev->driver_features = ((dev->driver_features & ~mask) | (u64)v << shift) & offered(m, dev);
}

bool virtio_mmio_write(struct machine *m, struct virtio_mmio *dev, struct device_access a, u64 value)
{
    u32 v = (u32)value;
    u32 was = dev->status;
    if (!dev->kind || a.offset >= CONFIG || a.size != 4) {
        m->d.odd = dev->kind ? ODD_REGISTER : ODD_NOT;
        return true; /* no device here has a writable configuration field */
    }
    switch (a.offset) {
    case DEVICE_FEATURES_SEL: dev->features_sel = v; break;
    case DRIVER_FEATURES: driver_features_write(m, dev, v); break;
    case DRIVER_FEATURES_SEL: dev->driver_sel = v; break;
    case GUEST_PAGE_SIZE:
        if (dev->legacy && is_pow2(v))
            dev->page_size = v;
        break;
    case QUEUE_SEL: dev->queue_sel = v; break;
    case SHM_SEL: break; /* there is no region to select */
    case QUEUE_NOTIFY: notify(m, dev, v); break;
    case INTERRUPT_ACK: dev->interrupt &= ~v; break;
    case STATUS: status_write(dev, v); break;
    default:
        if (dev->queue_sel < ops_of(dev)->queues && (!dev->legacy || (a.offset != QUEUE_READY && a.offset < DESC_LOW)))
            queue_write(dev, &dev->queue[dev->queue_sel], a.offset, v);
        else
            m->d.odd = ODD_REGISTER;
    }
    if (dev->status & ~was & NEEDS_RESET)
        m->d.odd = ODD_NONSENSE;
    return true;
}

bool virtio_mmio_level(const struct virtio_mmio *dev) { return dev->interrupt; }

/* What is plugged in stays. */
void virtio_mmio_reset(struct virtio_mmio *dev)
{
    *dev = (struct virtio_mmio){ .kind = dev->kind, .unit = dev->unit, .legacy = dev->legacy };
}

const char *virtio_mmio_validate(const struct virtio_mmio *dev)
{
    const struct virtio_ops *ops = ops_of(dev);
    if (dev->kind && !ops)
        return "virtio: no such kind of device";
    if ((dev->kind == VIRTIO_BLK && dev->unit >= MAX_DISKS) || (dev->kind == VIRTIO_CONSOLE && dev->unit >= MAX_PORTS))
        return "virtio: unit out of range";
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++)
        if (dev->queue[n].num > VIRTIO_QUEUE_MAX || (dev->queue[n].num && !is_pow2(dev->queue[n].num)))
            return "virtio: queue size out of range";
    return NULL;
}
