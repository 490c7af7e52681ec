/*
 * virtio over PCI: the transport (Virtual I/O Device specification 1.2, 4.1), with the legacy interface beside the
 * modern one where the function is transitional. Ranges as QEMU has them: 0 legacy registers (I/O ports), 1 the table
 * of MSI-X, 4 the modern structures, a page each.
 *
 * What the core has as news becomes messages by MSI-X, or bits of ISR status, whose level is INTx. Left out: queue
 * reset, notification data, shared memory, one page a queue's notification (page-per-vq).
 */
#include "board/machine.h"

enum { BAR_LEGACY = 0, BAR_MSIX = 1, BAR_MODERN = 4, PAGE = 0x1000, NO_VECTOR = 0xffff, NOTIFY_MULTIPLIER = 4 };
enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4, CFG_PCI = 5 };        /* 4.1.4 */
enum { COMMON_PAGE = 0, ISR_PAGE = 1, DEVICE_PAGE = 2, NOTIFY_PAGE = 3, MODERN_SIZE = 4 * PAGE };
enum { COMMON_FEATURE_SELECT = 0x00, COMMON_FEATURE = 0x04, COMMON_DRIVER_SELECT = 0x08, COMMON_DRIVER = 0x0c,
       COMMON_CONFIG_VECTOR = 0x10, COMMON_QUEUES = 0x12, COMMON_STATUS = 0x14, COMMON_GENERATION = 0x15,
       COMMON_QUEUE_SELECT = 0x16, COMMON_QUEUE_SIZE = 0x18, COMMON_QUEUE_VECTOR = 0x1a, COMMON_QUEUE_ENABLE = 0x1c,
       COMMON_QUEUE_NOTIFY = 0x1e, COMMON_QUEUE_DESC = 0x20, COMMON_QUEUE_DRIVER = 0x28, COMMON_QUEUE_DEVICE = 0x30,
       COMMON_END = 0x38 };                                                               /* 4.1.4.3 */
enum { LEGACY_FEATURES = 0x00, LEGACY_DRIVER = 0x04, LEGACY_PFN = 0x08, LEGACY_QUEUE_SIZE = 0x0c, LEGACY_QUEUE_SELECT = 0x0e,
       LEGACY_NOTIFY = 0x10, LEGACY_STATUS = 0x12, LEGACY_ISR = 0x13, LEGACY_CONFIG_VECTOR = 0x14,
       LEGACY_QUEUE_VECTOR = 0x16, LEGACY_CONFIG = 0x14, LEGACY_CONFIG_VECTORS = 0x18, LEGACY_ALIGN = 4096 }; /* 4.1.4.10 */
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

struct virtio_pci {
    struct pci_function function;
    struct virtio virtio;
    u32 feature_select, driver_select;
    u32 queue_select, isr;
    u16 config_vector, queue_vector[VIRTIO_QUEUES];
    u16 cfg_at; /* where the capability is that reaches the ranges through configuration space; 0: there is none */
    u32 pad;
};
static const struct state_field fields[] = {
    STATE_OF(virtio_pci, function, &pci_function_shape),
    STATE_OF(virtio_pci, virtio, &virtio_shape),
    STATE(virtio_pci, feature_select),
    STATE(virtio_pci, driver_select),
    STATE(virtio_pci, queue_select),
    STATE(virtio_pci, isr),
    STATE(virtio_pci, config_vector),
    STATE(virtio_pci, queue_vector),
    STATE(virtio_pci, cfg_at),
    STATE(virtio_pci, pad),
};

struct virtio *virtio_pci_at(struct machine *m, struct place at)
{
    return &((struct virtio_pci *)place_state(m, at))->virtio;
}

/* ---- what it shows ---- */

static bool is_legacy_off(const struct machine *m, const struct pci_plug *plug)
{
    if (plug->flags & PCI_LEGACY_SAID)
        return plug->flags & PCI_NO_LEGACY;
    return plug->bus && m->options.pci[plug->bus].function == FUNCTION_pci_port; /* as QEMU's default: auto */
}

static u8 capability(struct pci_desc *d, unsigned type, unsigned page, u32 length)
{
    u8 size = type == CFG_NOTIFY || type == CFG_PCI ? 20 : 16, at = pci_capability(d, PCI_CAP_VENDOR, size);
    u8 *cap = d->config + at;
    cap[2] = size;
    cap[3] = (u8)type;
    cap[4] = type == CFG_PCI ? 0 : BAR_MODERN;
    store_le32(cap + 8, page * PAGE);
    store_le32(cap + 12, length);
    if (type == CFG_NOTIFY)
        store_le32(cap + 16, NOTIFY_MULTIPLIER);
    return at;
}

/* Registers, and the device's own fields. */
static u64 legacy_size(enum virtio_kind kind)
{
    u64 size = 32;
    while (size < LEGACY_CONFIG_VECTORS + virtio_ops_of_kind(kind)->config_size)
        size *= 2;
    return size;
}

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    enum virtio_kind kind = (enum virtio_kind)plug->device;
    bool modern_only = is_legacy_off(m, plug);
    if (plug->flags & PCI_BEHIND_IOMMU && !modern_only)
        return "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device (disable-legacy=on)";
    if (plug->flags & PCI_NO_MODERN && modern_only)
        return "device cannot work as neither modern nor legacy mode is enabled";
    pci_identify(d, 0x1af4, modern_only ? (u16)(0x1040 + virtio_number(kind)) : virtio_pci_id(kind),
                 virtio_pci_class(kind), modern_only);
    pci_subsystem(d, 0x1af4, modern_only ? 0x1100 : (u16)virtio_number(kind));
    d->config[PCI_PIN] = 1;
    if (plug->bus && m->options.pci[plug->bus].function == FUNCTION_pci_port) {
        pci_express(d, 0, true);
        pci_power(d);
    }
    if (!modern_only)
        pci_bar(d, BAR_LEGACY, PCI_SPACE_IO, legacy_size(kind), false);
    if (!(plug->flags & PCI_NO_MODERN)) {
        pci_bar(d, BAR_MODERN, PCI_SPACE_MEMORY64, MODERN_SIZE, true);
        capability(d, CFG_COMMON, COMMON_PAGE, PAGE);
        capability(d, CFG_ISR, ISR_PAGE, PAGE);
        capability(d, CFG_DEVICE, DEVICE_PAGE, PAGE);
        capability(d, CFG_NOTIFY, NOTIFY_PAGE, PAGE);
        d->cfg = capability(d, CFG_PCI, 0, 0);
    }
    pci_msix(d, BAR_MSIX, virtio_ops_of_kind(kind)->queues + 1);
    return NULL;
}

/* ---- interrupts ---- */

static void vector_signal(struct machine *m, struct virtio_pci *dev, u16 vector)
{
    if (vector != NO_VECTOR)
        pci_message(m, dev->virtio.at, vector);
}

/* Messages or, without MSI-X, bits of ISR status (4.1.4.5). */
static void news_tell(struct machine *m, struct virtio_pci *dev)
{
    struct virtio *v = &dev->virtio;
    u64 news = v->news;
    v->news = 0;
    if (!news)
        return;
    if (news & VIRTIO_NEWS_CONFIG)
        dev->isr |= ISR_CONFIG;
    if (!pci_messages_on(m, v->at)) {
        dev->isr |= news & ~VIRTIO_NEWS_CONFIG ? ISR_QUEUE : 0;
        return;
    }
    for (unsigned q = 0; q < VIRTIO_QUEUES; q++)
        if (bit(news, q))
            vector_signal(m, dev, dev->queue_vector[q]);
    if (news & VIRTIO_NEWS_CONFIG)
        vector_signal(m, dev, dev->config_vector);
}

static bool level(const void *state, unsigned wire)
{
    (void)wire;
    return ((const struct virtio_pci *)state)->isr != 0;
}

/* Vectors that do not exist are refused: NO_VECTOR is read back (4.1.5.1.2.2). */
static u16 vector_taken(struct virtio_pci *dev, u64 value)
{
    return value <= virtio_ops_of(&dev->virtio)->queues ? (u16)value : NO_VECTOR;
}

/* ---- what both interfaces do ---- */

static unsigned queue_number(const struct virtio_pci *dev)
{
    return dev->queue_select < virtio_ops_of(&dev->virtio)->queues ? dev->queue_select : VIRTIO_QUEUES;
}
static struct virtio_queue *queue_of(struct virtio_pci *dev)
{
    unsigned n = queue_number(dev);
    return n < VIRTIO_QUEUES ? &dev->virtio.queue[n] : NULL;
}

static void device_reset(struct machine *m, struct virtio_pci *dev)
{
    const struct virtio_ops *ops = virtio_ops_of(&dev->virtio);
    pci_abandon(m, dev->virtio.at);
    virtio_reset(m, &dev->virtio);
    dev->feature_select = dev->driver_select = dev->queue_select = dev->isr = 0;
    dev->config_vector = NO_VECTOR;
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++) {
        dev->queue_vector[n] = NO_VECTOR;
        dev->virtio.queue[n].num = ops->queue_size[n];
    }
}

static void status_write(struct machine *m, struct virtio_pci *dev, u64 value)
{
    if (value & 0xff)
        dev->virtio.status = (value & 0xff) | (dev->virtio.status & VIRTIO_NEEDS_RESET);
    else
        device_reset(m, dev);
}

/* The driver announces buffers. */
static void notify(struct machine *m, struct virtio_pci *dev, u64 queue)
{
    virtio_notify(m, &dev->virtio, (u32)queue);
    pci_work(m, dev->virtio.at);
}

static u64 isr_read(struct virtio_pci *dev)
{
    u64 isr = dev->isr;
    dev->isr = 0;
    return isr;
}

static u64 device_config_read(struct machine *m, const struct virtio_pci *dev, u64 offset, unsigned size)
{
    const struct virtio_ops *ops = virtio_ops_of(&dev->virtio);
    return ops->config_read ? ops->config_read(m, &dev->virtio, offset, size) : 0;
}

/* ---- the modern interface ---- */

static u64 common_read(struct machine *m, struct virtio_pci *dev, u64 offset)
{
    const struct virtio *v = &dev->virtio;
    const struct virtio_queue *q = queue_of(dev);
    switch (offset) {
    case COMMON_FEATURE_SELECT: return dev->feature_select;
    case COMMON_FEATURE: return dev->feature_select > 1 ? 0 : virtio_offered(m, v) >> (dev->feature_select * 32);
    case COMMON_DRIVER_SELECT: return dev->driver_select;
    case COMMON_DRIVER: return dev->driver_select > 1 ? 0 : v->driver_features >> (dev->driver_select * 32);
    case COMMON_CONFIG_VECTOR: return dev->config_vector;
    case COMMON_QUEUES: return virtio_ops_of(v)->queues;
    case COMMON_STATUS: return v->status;
    case COMMON_GENERATION: return v->generation & 0xff;
    case COMMON_QUEUE_SELECT: return dev->queue_select;
    case COMMON_QUEUE_SIZE: return q ? q->num : 0;
    case COMMON_QUEUE_VECTOR: return q ? dev->queue_vector[queue_number(dev)] : NO_VECTOR;
    case COMMON_QUEUE_ENABLE: return q ? q->ready : 0;
    case COMMON_QUEUE_NOTIFY: return q ? queue_number(dev) : 0;
    case COMMON_QUEUE_DESC: return q ? q->desc : 0;
    case COMMON_QUEUE_DESC + 4: return q ? q->desc >> 32 : 0;
    case COMMON_QUEUE_DRIVER: return q ? q->avail : 0;
    case COMMON_QUEUE_DRIVER + 4: return q ? q->avail >> 32 : 0;
    case COMMON_QUEUE_DEVICE: return q ? q->used : 0;
    case COMMON_QUEUE_DEVICE + 4: return q ? q->used >> 32 : 0;
    default: return 0;
    }
}

static void address_write(u64 *address, bool high, unsigned size, u64 value)
{
    if (size == 8)
        *address = value;
    else
        *address =
            high ? bits_set(*address, 63, 32, value & 0xffffffff) : bits_set(*address, 31, 0, value & 0xffffffff);
}

/* Fields of the queue that Queue Select names. Its size and addresses hold until it is enabled. */
static void queue_write(struct virtio_pci *dev, struct virtio_queue *q, u64 offset, unsigned size, u64 value)
{
    bool high = offset & 4;
    switch (offset) {
    case COMMON_QUEUE_SIZE:
        if (!q->ready && value <= virtio_ops_of(&dev->virtio)->queue_size[queue_number(dev)] && is_pow2(value))
            q->num = (u32)value;
        break;
    case COMMON_QUEUE_VECTOR: dev->queue_vector[queue_number(dev)] = vector_taken(dev, value); break;
    case COMMON_QUEUE_ENABLE:
        if (value == 1 && !q->ready) {
            q->ready = 1;
            q->last_avail = q->used_idx = 0;
        }
        break;
    case COMMON_QUEUE_DESC:
    case COMMON_QUEUE_DESC + 4: address_write(&q->desc, high, size, value); break;
    case COMMON_QUEUE_DRIVER:
    case COMMON_QUEUE_DRIVER + 4: address_write(&q->avail, high, size, value); break;
    case COMMON_QUEUE_DEVICE:
    case COMMON_QUEUE_DEVICE + 4: address_write(&q->used, high, size, value); break;
    default: break;
    }
}

static void common_write(struct machine *m, struct virtio_pci *dev, const struct access *a, u64 value)
{
    switch (a->offset) {
    case COMMON_FEATURE_SELECT: dev->feature_select = (u32)value; break;
    case COMMON_DRIVER_SELECT: dev->driver_select = (u32)value; break;
    case COMMON_DRIVER: virtio_features_accept(m, &dev->virtio, dev->driver_select, (u32)value); break;
    case COMMON_CONFIG_VECTOR: dev->config_vector = vector_taken(dev, value); break;
    case COMMON_STATUS: status_write(m, dev, value); break;
    case COMMON_QUEUE_SELECT: dev->queue_select = (u32)value; break;
    default:
        if (a->offset >= COMMON_QUEUE_SIZE && a->offset < COMMON_END && queue_of(dev))
            queue_write(dev, queue_of(dev), a->offset, a->size, value);
        else
            m->d.guest_error = ERROR_REGISTER;
    }
}

static u64 modern_read(struct machine *m, struct virtio_pci *dev, u64 offset, unsigned size)
{
    u64 at = offset % PAGE;
    switch (offset / PAGE) {
    case COMMON_PAGE:
        return size < 8 ? common_read(m, dev, at) : (u32)common_read(m, dev, at) | common_read(m, dev, at + 4) << 32;
    case ISR_PAGE: return at ? 0 : isr_read(dev);
    case DEVICE_PAGE: return device_config_read(m, dev, at, size);
    default: return 0;
    }
}

static void modern_write(struct machine *m, struct virtio_pci *dev, const struct access *a, u64 value)
{
    switch (a->offset / PAGE) {
    case COMMON_PAGE: common_write(m, dev, a, value); break;
    case NOTIFY_PAGE: notify(m, dev, a->offset % PAGE / NOTIFY_MULTIPLIER); break;
    case DEVICE_PAGE: virtio_config_write(m, &dev->virtio, a->offset % PAGE, a->size, value); break;
    default: m->d.guest_error = ERROR_REGISTER;
    }
}

/* ---- the legacy interface ---- */

/* The device's own fields come behind the registers; those of the vectors are there while MSI-X is enabled. */
static u64 legacy_config_at(struct machine *m, const struct virtio_pci *dev)
{
    return pci_messages_on(m, dev->virtio.at) ? LEGACY_CONFIG_VECTORS : LEGACY_CONFIG;
}

static u64 legacy_read(struct machine *m, struct virtio_pci *dev, u64 offset, unsigned size)
{
    const struct virtio *v = &dev->virtio;
    const struct virtio_queue *q = queue_of(dev);
    u64 config = legacy_config_at(m, dev);
    if (offset >= config)
        return device_config_read(m, dev, offset - config, size);
    switch (offset) {
    case LEGACY_FEATURES: return virtio_offered(m, v) & 0xffffffff;
    case LEGACY_DRIVER: return v->driver_features & 0xffffffff;
    case LEGACY_PFN: return q && q->ready ? q->desc / LEGACY_ALIGN : 0;
    case LEGACY_QUEUE_SIZE: return q ? q->num : 0;
    case LEGACY_QUEUE_SELECT: return dev->queue_select;
    case LEGACY_STATUS: return v->status;
    case LEGACY_ISR: return isr_read(dev);
    case LEGACY_CONFIG_VECTOR: return dev->config_vector;
    case LEGACY_QUEUE_VECTOR: return q ? dev->queue_vector[queue_number(dev)] : NO_VECTOR;
    default: return 0;
    }
}

/* The ring addresses follow from the page number (2.7.2); 0 takes the queue away. */
static void pfn_write(struct virtio_queue *q, u32 pfn)
{
    q->ready = pfn != 0;
    q->desc = (u64)pfn * LEGACY_ALIGN;
    q->avail = q->desc + 16 * (u64)q->num;
    q->used = align_up(q->avail + 6 + 2 * (u64)q->num, LEGACY_ALIGN);
    q->last_avail = q->used_idx = 0;
}

static void legacy_write(struct machine *m, struct virtio_pci *dev, const struct access *a, u64 value)
{
    struct virtio_queue *q = queue_of(dev);
    u64 config = legacy_config_at(m, dev);
    if (a->offset >= config) {
        virtio_config_write(m, &dev->virtio, a->offset - config, a->size, value);
        return;
    }
    switch (a->offset) {
    case LEGACY_DRIVER: virtio_features_accept(m, &dev->virtio, 0, (u32)value); break;
    case LEGACY_PFN:
        if (q)
            pfn_write(q, (u32)value);
        break;
    case LEGACY_QUEUE_SELECT: dev->queue_select = (u32)value; break;
    case LEGACY_NOTIFY: notify(m, dev, value); break;
    case LEGACY_STATUS: status_write(m, dev, value); break;
    case LEGACY_CONFIG_VECTOR: dev->config_vector = vector_taken(dev, value); break;
    case LEGACY_QUEUE_VECTOR:
        if (q)
            dev->queue_vector[queue_number(dev)] = vector_taken(dev, value);
        break;
    default: m->d.guest_error = ERROR_REGISTER;
    }
}

/* ---- the kind ---- */

static bool virtio_pci_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    struct virtio_pci *dev = state;
    *value = a->bar == BAR_LEGACY ? legacy_read(m, dev, a->offset, a->size) : modern_read(m, dev, a->offset, a->size);
    return true;
}

static bool virtio_pci_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct virtio_pci *dev = state;
    u32 was = dev->virtio.status;
    if (a->bar == BAR_LEGACY)
        legacy_write(m, dev, a, value);
    else
        modern_write(m, dev, a, value);
    if (dev->virtio.status & ~was & VIRTIO_NEEDS_RESET)
        m->d.guest_error = ERROR_NONSENSE;
    return true;
}

/* The capability that reaches the ranges through configuration space (4.1.4.9): the access that its fields describe, if
 * its data were read or have been written. */
static void config(struct machine *m, void *state, struct place at, u64 offset, unsigned size, bool write)
{
    struct virtio_pci *dev = state;
    u8 *cap = dev->function.config + dev->cfg_at;
    struct access a = { .offset = load_le32(cap + 8), .at = at, .size = load_le32(cap + 12), .bar = cap[4] };
    if (!dev->cfg_at || offset - (dev->cfg_at + 16u) >= 4 || (a.size != 1 && a.size != 2 && a.size != 4) ||
        a.offset % a.size || a.bar != BAR_MODERN || a.offset >= MODERN_SIZE)
        return;
    (void)size; /* of the data any part will do: the length says how much is accessed */
    u64 value = load_le32(cap + 16);
    a.by.cpu = NOT_A_CPU;
    if (write) {
        virtio_pci_write(m, state, &a, value & ones(8 * a.size));
    } else {
        virtio_pci_read(m, state, &a, &value);
        store_le32(cap + 16, (u32)((load_le32(cap + 16) & ~ones(8 * a.size)) | (value & ones(8 * a.size))));
    }
}

static bool work(struct machine *m, void *state, struct place at)
{
    struct virtio_pci *dev = state;
    (void)at;
    bool more = virtio_step(m, &dev->virtio);
    news_tell(m, dev);
    return more;
}

static void timer(struct machine *m, void *state, struct place at, unsigned n)
{
    (void)n;
    virtio_due(&((struct virtio_pci *)state)->virtio);
    pci_work(m, at);
}

static bool input(struct machine *m, void *state, struct place at)
{
    if (!virtio_input(&((struct virtio_pci *)state)->virtio))
        return false;
    pci_work(m, at);
    return true;
}

static void reset(struct machine *m, void *state, struct place at)
{
    struct virtio_pci *dev = state;
    const struct pci_plug *plug = pci_plugged(m, at);
    pci_reset(m, at);
    dev->virtio.kind = plug->device;
    dev->virtio.unit = plug->unit;
    dev->virtio.legacy = !!(plug->flags & PCI_NO_MODERN);
    dev->virtio.platform = !!(plug->flags & PCI_BEHIND_IOMMU);
    dev->virtio.at = at;
    dev->cfg_at = m->d.pci->slot[pci_plug_of(m, at)].desc.cfg;
    device_reset(m, dev);
    machine_timer_set(m, at, 0, NEVER);
}

static const char *validate(const void *state, struct place at)
{
    const struct virtio_pci *dev = state;
    const struct virtio *v = &dev->virtio;
    if (v->at.row != at.row || v->at.n != at.n || v->kind == VIRTIO_NONE || dev->cfg_at > PCI_CONFIG - 20)
        return "virtio: place or kind out of range";
    return virtio_validate(v);
}

const struct kind kind_virtio_pci = {
    .name = "virtio_pci",
    .compatible = "",
    .state = STATE_SHAPE(virtio_pci, fields),
    .version = 1,
    .timers = 1,
    .timers_write = 1,
    .read = virtio_pci_read,
    .write = virtio_pci_write,
    .level = level,
    .timer = timer,
    .input = input,
    .reset = reset,
    .validate = validate,
    .describe = describe,
    .config = config,
    .work = work,
};
