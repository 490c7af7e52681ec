/*
 * virtio input devices (Virtual I/O Device specification 1.2, 5.8): keyboard, mouse and tablet as QEMU has them, told
 * apart by their configuration space, which a driver reads through a selector.
 *
 * Queue 0 brings events, a buffer each, queue 1 takes those that the driver has (lights of a keyboard), which nobody
 * here looks at. Events that happened together, up to EV_SYN, are a group: it is asked for when there are buffers for
 * all of it, and waits outside until then; one that the ring can never hold is lost. What the host says is to come
 * later (a key that is held for a time) is asked for by a timer. State beside struct virtio is a row of its own, of as
 * many devices as options.input says, by `unit`. Left out: multitouch, properties (5.8.4), autorepeat, which is the
 * driver's.
 */
#include "board/machine.h"

enum { EVENTS = 0, STATUS = 1, EVENT = 8 /* bytes */ };
/* 5.8.4 */
enum { SELECT = 0, SUBSEL = 1, SIZE = 2, DATA = 8, CONFIG = 136 };
enum { CFG_NAME = 1, CFG_SERIAL, CFG_IDS, CFG_BITS = 0x11, CFG_ABS };
/* Linux's evdev, which 5.8 refers to. */
enum { EV_KEY = 1, EV_REL, EV_ABS, EV_LED = 0x11, EV_REP = 0x14, BUS_VIRTUAL = 6, VENDOR = 0x0627, ABS_MAX = 0x7fff };

struct input {
    u8 select, subsel;
    u8 held; /* events of a group on its way to buffers */
    u8 pad[5];
    u64 event[INPUT_GROUP]; /* each as the driver gets it */
};
static const struct state_field fields[] = {
    STATE(input, select), STATE(input, subsel), STATE(input, held), STATE(input, pad), STATE(input, event),
};

/* NULL: there is none, which a hostile snapshot may have forgotten to say. */
static struct input *input_of(struct machine *m, const struct virtio *dev)
{
    bool there = dev->unit < row_count(m, ROW_inputs);
    return there ? place_state(m, (struct place){ ROW_inputs, (u16)dev->unit }) : NULL;
}

/* ---- what it is ---- */

/* Which events it has: a list of codes that ends with NO_CODE. */
enum { NO_CODE = 0xffff };
static const u16 all_keys[] = {
#define KEY(code, ...) code,
#include "board/dev/keys.def"
    NO_CODE
};
static const u16 lights[] = { 0, 1, 2, NO_CODE }, nothing[] = { NO_CODE };
static const u16 buttons[] = { 0x110, 0x111, 0x112, 0x113, 0x114, 0x150, 0x151, NO_CODE };
static const u16 moves[] = { 0, 1, 8, NO_CODE }, wheel[] = { 8, NO_CODE }, axes[] = { 0, 1, NO_CODE };

static const struct model {
    const char *name;
    u16 product, version;
    struct {
        u8 type;
        const u16 *codes;
    } has[4];
} models[VIRTIO_KINDS] = {
    [VIRTIO_KEYBOARD] = { "QEMU Virtio Keyboard",
                          1,
                          1,
                          { { EV_KEY, all_keys }, { EV_LED, lights }, { EV_REP, nothing } } },
    [VIRTIO_MOUSE] = { "QEMU Virtio Mouse", 2, 2, { { EV_KEY, buttons }, { EV_REL, moves } } },
    [VIRTIO_TABLET] = { "QEMU Virtio Tablet", 3, 2, { { EV_KEY, buttons }, { EV_REL, wheel }, { EV_ABS, axes } } },
};

/* The set of codes, and how many bytes it has: one that is there and empty has one. */
static unsigned bits_put(u8 *to, const struct model *model, unsigned type)
{
    unsigned size = 0;
    for (unsigned n = 0; n < ARRAY_LEN(model->has); n++) {
        if (!model->has[n].codes || model->has[n].type != type)
            continue;
        size = 1;
        for (const u16 *code = model->has[n].codes; *code != NO_CODE; code++) {
            to[*code / 8] |= (u8)(1 << *code % 8);
            size = *code / 8u + 1 > size ? *code / 8u + 1 : size;
        }
    }
    return size;
}

static unsigned ids_put(u8 *to, const struct model *model)
{
    store_le16(to, BUS_VIRTUAL);
    store_le16(to + 2, VENDOR);
    store_le16(to + 4, model->product);
    store_le16(to + 6, model->version);
    return 8;
}

/* min, max, fuzz, flat, resolution */
static unsigned axis_put(u8 *to, const struct model *model, unsigned axis)
{
    bool there = model->product == 3 && axis < 2;
    if (there)
        store_le32(to + 4, ABS_MAX);
    return there ? 20 : 0;
}

/* What the selector names, and its size. A name comes with its NUL, as QEMU's does, and a serial number without. */
static unsigned data_put(struct machine *m, const struct virtio *dev, const struct input *in, u8 *to)
{
    const struct model *model = &models[dev->kind];
    const struct input_option *option = &m->options.input[dev->unit];
    unsigned serial = (unsigned)strnlen((const char *)option->serial, sizeof(option->serial)),
             name = (unsigned)strlen(model->name);
    switch (in->select) {
    case CFG_NAME: memcpy(to, model->name, name); return in->subsel ? 0 : name + 1;
    case CFG_SERIAL: memcpy(to, option->serial, serial); return in->subsel ? 0 : serial;
    case CFG_IDS: return in->subsel ? 0 : ids_put(to, model);
    case CFG_BITS: return bits_put(to, model, in->subsel);
    case CFG_ABS: return axis_put(to, model, in->subsel);
    default: return 0;
    }
}

static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    const struct input *in = input_of(m, dev);
    u8 config[CONFIG] = { 0 };
    u64 value = 0;
    if (!in || offset + size > sizeof(config))
        return 0;
    config[SELECT] = in->select;
    config[SUBSEL] = in->subsel;
    config[SIZE] = (u8)data_put(m, dev, in, config + DATA);
    if (!config[SIZE])
        memset(config + DATA, 0, sizeof(config) - DATA);
    memcpy(&value, config + offset, size);
    return value;
}

static bool config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value)
{
    struct input *in = input_of(m, dev);
    if (!in || offset > SUBSEL)
        return false;
    if (offset == SELECT)
        in->select = (u8)value;
    if (offset == SUBSEL || size > 1)
        in->subsel = (u8)(offset == SUBSEL ? value : value >> 8);
    return true;
}

/* ---- events ---- */

/* Buffers that the driver has given, as many as a group may need at most. One too short for an event is nonsense. */
static u32 room(struct machine *m, struct virtio *dev)
{
    struct virtio_queue *q = &dev->queue[EVENTS], before = *q;
    struct virtio_chain c;
    u32 count = 0;
    while (count < INPUT_GROUP && virtio_pop(m, dev, EVENTS, &c)) {
        if (c.writable < EVENT)
            virtio_fail(dev);
        else
            count++;
    }
    *q = before;
    return dev->status & VIRTIO_NEEDS_RESET ? 0 : count;
}

/* Asks the host. False: there is nothing for now. */
static bool take(struct machine *m, struct virtio *dev, struct input *in)
{
    struct input_event group[INPUT_GROUP];
    u32 most = dev->status & VIRTIO_DRIVER_OK ? room(m, dev) : 0;
    u64 again = NEVER;
    s32 count = most ? machine_events_in(m, dev->unit, group, most, &again) : 0;
    if (count < 0 && (u32)-count > dev->queue[EVENTS].num)
        return machine_events_in(m, dev->unit, group, INPUT_GROUP, &again) > 0; /* lost */
    if (!count && again != NEVER)
        machine_timer_set(m, dev->at, 0, again);
    if (!count && machine_timer(m, dev->at, 0) != NEVER) /* whoever asks in between */
        dev->queue[EVENTS].pending = VIRTIO_ANNOUNCED;
    for (s32 n = 0; n < count; n++)
        in->event[n] = group[n].type | (u64)group[n].code << 16 | (u64)group[n].value << 32;
    in->held = count > 0 ? (u8)count : 0;
    return count > 0;
}

static bool give(struct machine *m, struct virtio *dev, struct input *in)
{
    struct virtio_chain c;
    for (unsigned n = 0; n < in->held; n++) {
        if (!virtio_pop(m, dev, EVENTS, &c))
            return false;
        u8 bytes[EVENT];
        store_le64(bytes, in->event[n]);
        if (!virtio_copy_to(m, dev, &c, 0, bytes, sizeof(bytes))) {
            virtio_fail(dev);
            return false;
        }
        if (!virtio_push(m, dev, EVENTS, &c, sizeof(bytes)))
            return false;
    }
    memset(in->event, 0, sizeof(in->event));
    in->held = 0;
    return true;
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    struct input *in = input_of(m, dev);
    struct virtio_chain c;
    if (!in)
        return false;
    if (q == STATUS)
        return virtio_pop(m, dev, STATUS, &c) && virtio_push(m, dev, STATUS, &c, 0);
    return in->held ? give(m, dev, in) : take(m, dev, in);
}

/* The selector stays, as on QEMU. */
static void driver_reset(struct machine *m, struct virtio *dev)
{
    struct input *in = input_of(m, dev);
    if (!in)
        return;
    memset(in->event, 0, sizeof(in->event));
    in->held = 0;
}

#define INPUT_OPS                                                                                                      \
    {                                                                                                                  \
        .queues = 2, .config_size = CONFIG, .queue_size = { 64, 64 }, .back_end = BACK_END_INPUT,                      \
        .listens = 1 + EVENTS, .config_read = config_read, .config_write = config_write, .serve = serve,               \
        .reset = driver_reset,                                                                                         \
    }
const struct virtio_ops virtio_keyboard_ops = INPUT_OPS;
const struct virtio_ops virtio_mouse_ops = INPUT_OPS;
const struct virtio_ops virtio_tablet_ops = INPUT_OPS;

/* ---- for the host ---- */

bool machine_input_there(struct machine *m, unsigned input)
{
    for (struct place at = PLACE_FIRST; place_next(m, &at);) {
        const struct virtio *dev = virtio_at(m, at);
        if (dev && virtio_back_end(dev->kind) == BACK_END_INPUT && dev->unit == input)
            return (dev->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
    }
    return false;
}

/* ---- the row ---- */

static u32 inputs(const struct machine_options *o)
{
    u32 count = 0;
    while (count < MAX_INPUTS && o->input[count].there)
        count++;
    return count;
}

static void reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    memset(state, 0, sizeof(struct input));
}

static const char *validate(const void *state, struct place at)
{
    (void)at;
    return ((const struct input *)state)->held > INPUT_GROUP ? "input: more events than there is room for" : NULL;
}

const struct kind kind_input = {
    .name = "input",
    .state = STATE_SHAPE(input, fields),
    .version = 1,
    .count = inputs,
    .reset = reset,
    .validate = validate,
};
