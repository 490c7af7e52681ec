/*
 * virtio over MMIO: the transport (Virtual I/O Device specification 1.2, 4.2; legacy interface 4.2.4).
 *
 * QEMU's virt shows version 1 (legacy) unless told otherwise (virtio-mmio.force-legacy), and so does this. Left out:
 * shared memory, queue reset.
 */
#include "board/acpi/aml.h"
#include "board/machine.h"
#include "board/boot/tree.h"

#include <stdio.h>

enum { MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, VENDOR_ID = 0x00c, DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SEL = 0x014,
       DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SEL = 0x024, GUEST_PAGE_SIZE = 0x028, QUEUE_SEL = 0x030, QUEUE_NUM_MAX = 0x034,
       QUEUE_NUM = 0x038, QUEUE_ALIGN = 0x03c, QUEUE_PFN = 0x040, QUEUE_READY = 0x044, QUEUE_NOTIFY = 0x050,
       INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070, DESC_LOW = 0x080, DESC_HIGH = 0x084, AVAIL_LOW = 0x090,
       AVAIL_HIGH = 0x094, USED_LOW = 0x0a0, USED_HIGH = 0x0a4, SHM_SEL = 0x0ac, SHM_LEN_LOW = 0x0b0, SHM_LEN_HIGH = 0x0b4,
       SHM_BASE_LOW = 0x0b8, SHM_BASE_HIGH = 0x0bc, GENERATION = 0x0fc, CONFIG = 0x100 };
enum { INTERRUPT_USED = 1, INTERRUPT_CONFIG = 2, STEPS = 4 * VIRTIO_QUEUE_MAX };

struct virtio_mmio {
    struct virtio virtio;
    u32 features_sel, driver_sel, queue_sel, page_size;
    u32 pfn[VIRTIO_QUEUES], align[VIRTIO_QUEUES]; /* of the legacy interface */
};
static const struct state_field fields[] = {
    STATE_OF(virtio_mmio, virtio, &virtio_shape),
    STATE(virtio_mmio, features_sel),
    STATE(virtio_mmio, driver_sel),
    STATE(virtio_mmio, queue_sel),
    STATE(virtio_mmio, page_size),
    STATE(virtio_mmio, pfn),
    STATE(virtio_mmio, align),
};

struct virtio *virtio_slot(struct machine *m, unsigned slot)
{
    return &((struct virtio_mmio *)place_state(m, (struct place){ ROW_virtio, (u16)slot }))->virtio;
}

static int slot_free(struct machine *m)
{
    for (int n = (int)row_count(m, ROW_virtio) - 1; n >= 0; n--)
        if (virtio_slot(m, (unsigned)n)->kind == VIRTIO_NONE)
            return n;
    return -1;
}

bool virtio_plug(struct machine *m, const struct machine_config *config, char *error)
{
    for (unsigned n = 0; n < row_count(m, ROW_virtio); n++) {
        virtio_slot(m, n)->legacy = !m->options.virtio_modern;
        virtio_slot(m, n)->at = (struct place){ ROW_virtio, (u16)n };
    }
    for (unsigned n = 0; n < config->virtio_count; n++) {
        const struct virtio_config *v = &config->virtio[n];
        int slot = v->slot < 0 ? slot_free(m) : v->slot;
        if (slot < 0 || (u32)slot >= row_count(m, ROW_virtio) || virtio_slot(m, (unsigned)slot)->kind != VIRTIO_NONE) {
            snprintf(error, 256, "virtio slot %d is taken or does not exist (there are %u)", slot,
                     row_count(m, ROW_virtio));
            return false;
        }
        virtio_slot(m, (unsigned)slot)->kind = v->kind;
        virtio_slot(m, (unsigned)slot)->unit = v->unit;
        m->options.plug[slot] = (struct virtio_plug){ v->kind, v->unit, v->boot };
    }
    return true;
}

static struct virtio_queue *queue_of(struct virtio_mmio *dev)
{
    return dev->queue_sel < virtio_ops_of(&dev->virtio)->queues ? &dev->virtio.queue[dev->queue_sel] : NULL;
}

static u32 interrupt_status(const struct virtio *v)
{
    return (v->news & ~VIRTIO_NEWS_CONFIG ? INTERRUPT_USED : 0) | (v->news & VIRTIO_NEWS_CONFIG ? INTERRUPT_CONFIG : 0);
}

static u64 register_read(struct machine *m, struct virtio_mmio *dev, u64 offset)
{
    const struct virtio *v = &dev->virtio;
    const struct virtio_queue *q = queue_of(dev);
    switch (offset) {
    case DEVICE_FEATURES:
        return dev->features_sel > 1 ? 0 : virtio_offered(m, v) >> (dev->features_sel * 32) & 0xffffffff;
    case QUEUE_NUM_MAX: return q ? VIRTIO_QUEUE_MAX : 0;
    case QUEUE_PFN: return q && v->legacy ? dev->pfn[dev->queue_sel] : 0;
    case QUEUE_READY: return q && !v->legacy ? q->ready : 0;
    case INTERRUPT_STATUS: return interrupt_status(v);
    case STATUS: return v->status;
    case SHM_LEN_LOW:
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH: return 0xffffffff; /* no such region (4.2.2) */
    case GENERATION: return v->legacy ? 0 : v->generation;
    default: return 0;
    }
}

static bool virtio_mmio_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    struct virtio_mmio *dev = state;
    struct virtio *v = &dev->virtio;
    const struct virtio_ops *ops = virtio_ops_of(v);
    switch (a->offset) {
    case MAGIC: *value = 0x74726976; return true; /* "virt" */
    case VERSION: *value = v->legacy ? 1 : 2; return true;
    case DEVICE_ID: *value = virtio_number(v->kind); return true;
    case VENDOR_ID: *value = 0x554d4551; return true; /* "QEMU", as drivers know it */
    default: break;
    }
    if (ops && a->offset >= CONFIG)
        *value = ops->config_read ? ops->config_read(m, v, a->offset - CONFIG, a->size) : 0;
    else if (ops && a->size == 4)
        *value = register_read(m, dev, a->offset);
    return true;
}

/* Writing 0 resets the device; the guest's page size belongs to the transport and stays: legacy drivers set it once. */
static void status_write(struct machine *m, struct virtio_mmio *dev, u32 value)
{
    if (value & 0xff) {
        dev->virtio.status = (value & 0xff) | (dev->virtio.status & VIRTIO_NEEDS_RESET);
        return;
    }
    virtio_reset(m, &dev->virtio);
    *dev = (struct virtio_mmio){ .virtio = dev->virtio, .page_size = dev->page_size };
}

/* The ring addresses of the legacy interface follow from the page number (2.7.2). */
static void pfn_write(struct virtio_mmio *dev, struct virtio_queue *q, u32 pfn)
{
    u64 align = dev->align[dev->queue_sel] ? dev->align[dev->queue_sel] : 4096;
    dev->pfn[dev->queue_sel] = pfn;
    q->ready = pfn != 0;
    q->desc = (u64)pfn * dev->page_size;
    q->avail = q->desc + 16 * (u64)q->num;
    q->used = align_up(q->avail + 6 + 2 * (u64)q->num, align);
    q->last_avail = q->used_idx = 0;
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
    bool legacy = dev->virtio.legacy;
    switch (offset) {
    case QUEUE_NUM:
        if (!q->ready && v <= VIRTIO_QUEUE_MAX && is_pow2(v))
            q->num = v;
        break;
    case QUEUE_ALIGN:
        if (legacy && !q->ready && is_pow2(v))
            dev->align[dev->queue_sel] = v;
        break;
    case QUEUE_PFN:
        if (legacy)
            pfn_write(dev, q, v);
        break;
    case QUEUE_READY:
        if (!legacy)
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

static void interrupt_ack(struct virtio *v, u32 value)
{
    if (value & INTERRUPT_USED)
        v->news &= VIRTIO_NEWS_CONFIG;
    if (value & INTERRUPT_CONFIG)
        v->news &= ~VIRTIO_NEWS_CONFIG;
}

static void work(struct machine *m, struct virtio *v)
{
    for (unsigned n = 0; n < STEPS && virtio_step(m, v); n++)
        ;
}

static bool virtio_mmio_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct virtio_mmio *dev = state;
    struct virtio *v = &dev->virtio;
    u32 word = (u32)value, was = v->status;
    if (v->kind && a->offset >= CONFIG) {
        virtio_config_write(m, v, a->offset - CONFIG, a->size, value);
        return true;
    }
    if (!v->kind || a->size != 4) {
        m->d.guest_error = v->kind ? ERROR_REGISTER : ERROR_NONE;
        return true;
    }
    switch (a->offset) {
    case DEVICE_FEATURES_SEL: dev->features_sel = word; break;
    case DRIVER_FEATURES: virtio_features_accept(m, v, dev->driver_sel, word); break;
    case DRIVER_FEATURES_SEL: dev->driver_sel = word; break;
    case GUEST_PAGE_SIZE:
        if (v->legacy && is_pow2(word))
            dev->page_size = word;
        break;
    case QUEUE_SEL: dev->queue_sel = word; break;
    case SHM_SEL: break; /* there is no region to select */
    case QUEUE_NOTIFY:
        virtio_notify(m, v, word);
        work(m, v);
        break;
    case INTERRUPT_ACK: interrupt_ack(v, word); break;
    case STATUS: status_write(m, dev, word); break;
    default:
        if (queue_of(dev) && (!v->legacy || (a->offset != QUEUE_READY && a->offset < DESC_LOW)))
            queue_write(dev, queue_of(dev), a->offset, word);
        else
            m->d.guest_error = ERROR_REGISTER;
    }
    if (v->status & ~was & VIRTIO_NEEDS_RESET)
        m->d.guest_error = ERROR_NONSENSE;
    return true;
}

static bool virtio_mmio_level(const void *state, unsigned wire)
{
    (void)wire;
    return ((const struct virtio_mmio *)state)->virtio.news != 0;
}

static void virtio_mmio_timer(struct machine *m, void *state, struct place at, unsigned n)
{
    struct virtio_mmio *dev = state;
    (void)at, (void)n;
    virtio_due(&dev->virtio);
    work(m, &dev->virtio);
}

static bool virtio_mmio_input(struct machine *m, void *state, struct place at)
{
    struct virtio_mmio *dev = state;
    (void)at;
    if (!dev->virtio.kind || !virtio_input(&dev->virtio))
        return false;
    work(m, &dev->virtio);
    return true;
}

static void virtio_mmio_reset(struct machine *m, void *state, struct place at)
{
    struct virtio_mmio *dev = state;
    (void)at;
    virtio_reset(m, &dev->virtio);
    *dev = (struct virtio_mmio){ .virtio = dev->virtio };
}

static const char *virtio_mmio_validate(const void *state, struct place at)
{
    const struct virtio *v = &((const struct virtio_mmio *)state)->virtio;
    return v->at.row != at.row || v->at.n != at.n ? "virtio: place out of range" : virtio_validate(v);
}

static void virtio_mmio_node(struct tree *t, struct place at)
{
    char path[64];
    tree_device(t, path, "virtio_mmio", at);
    tree_compatible(t, path, at);
    tree_reg(t, path, at);
    tree_interrupts(t, path, at);
    tree_flag(t, path, "dma-coherent");
}

static void virtio_mmio_acpi(struct writer *w, struct place at)
{
    char name[5];
    snprintf(name, sizeof(name), "VR%02u", at.n % 100u);
    u32 from = aml_device(w, name, "LNRO0005", at.n);
    aml_name_number(w, "_CCA", 1);
    aml_row(w, at);
    aml_close(w, from);
}

static u32 slots(const struct machine_options *o)
{
    return o->virtio_absent < VIRTIO_SLOTS ? VIRTIO_SLOTS - (u32)o->virtio_absent : 0;
}

const struct kind kind_virtio_mmio = {
    .name = "virtio_mmio",
    .compatible = "virtio,mmio\0",
    .state = STATE_SHAPE(virtio_mmio, fields),
    .version = 1,
    .wires = 1,
    .timers = 1,
    .timers_write = 1,
    .edge = 1,
    .count = slots,
    .read = virtio_mmio_read,
    .write = virtio_mmio_write,
    .level = virtio_mmio_level,
    .timer = virtio_mmio_timer,
    .input = virtio_mmio_input,
    .reset = virtio_mmio_reset,
    .validate = virtio_mmio_validate,
    .node = virtio_mmio_node,
    .acpi = virtio_mmio_acpi,
};
