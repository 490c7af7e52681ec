/*
 * Input devices of the guest, from the host's side: who gets what, and what waits for it.
 *
 * What happened together is a group, which the device takes whole (board/dev/virtio_input.c) or leaves. A queue is
 * bounded: when it is half full nothing is pressed or moved any more, so that what is down can always be let go of. A
 * device that no driver serves loses what comes, as one without a cable does. Between groups may lie a time of the
 * guest's, for keys that are held.
 */
#include "frontend/input.h"

#include "frontend/frontend.h"

#include <stdlib.h>

enum { EV_SYN, EV_KEY, EV_REL, EV_ABS, REL_WHEEL = 8, CODES = 0x300, QUEUE = 8192, AXIS_MAX = 0x7fff };

/* Groups are sent, waits are waited. */
struct item {
    u64 wait; /* ns; 0: a group */
    u32 count;
    struct input_event event[INPUT_GROUP];
};
struct device {
    enum virtio_kind kind; /* VIRTIO_NONE: it is not there */
    bool bound;
    u32 head, used;
    u64 due; /* of the wait at the front, ns; 0: it has not begun */
    struct item open, *queue;
    u8 down[CODES / 8];
};
struct inputs {
    struct machine *m;
    struct device device[MAX_INPUTS];
    unsigned pointer; /* whose buttons are pressed */
    bool fresh;
};

/* ---- queues ---- */

static void device_forget(struct device *d)
{
    d->head = d->used = d->open.count = 0;
    d->due = 0;
    memset(d->down, 0, sizeof(d->down));
}

static bool device_there(struct inputs *in, unsigned n)
{
    bool there = in->m && n < MAX_INPUTS && machine_input_there(in->m, n);
    if (n < MAX_INPUTS && !there)
        device_forget(&in->device[n]);
    return there;
}

/* The machine looks at once. */
static void news(struct inputs *in)
{
    in->fresh = true;
    in->m->d.poll_in = 0;
}

static void queue_put(struct device *d, const struct item *i)
{
    if (d->used < QUEUE)
        d->queue[(d->head + d->used++) % QUEUE] = *i;
}

/* Moves that the guest has not seen yet become one. */
static bool merge(struct device *d, const struct item *i)
{
    struct item *last = d->used ? &d->queue[(d->head + d->used - 1) % QUEUE] : NULL;
    if (!last || last->count != i->count)
        return false;
    for (u32 n = 0; n + 1 < i->count; n++) {
        const struct input_event *a = &i->event[n], *b = &last->event[n];
        if ((a->type != EV_ABS && a->type != EV_REL) || a->type != b->type || a->code != b->code ||
            a->code == REL_WHEEL)
            return false;
    }
    for (u32 n = 0; n + 1 < i->count; n++)
        last->event[n].value = i->event[n].value + (i->event[n].type == EV_REL ? last->event[n].value : 0);
    return true;
}

static void group_end(struct inputs *in, struct device *d)
{
    if (!d->open.count)
        return;
    d->open.event[d->open.count++] = (struct input_event){ EV_SYN, 0, 0 };
    if (!merge(d, &d->open))
        queue_put(d, &d->open);
    d->open.count = 0;
    news(in);
}

static void event_put(struct inputs *in, struct device *d, u16 type, u16 code, u32 value)
{
    d->open.event[d->open.count++] = (struct input_event){ type, code, value };
    if (d->open.count == INPUT_GROUP - 1)
        group_end(in, d);
}

/* A key or button. False: it is lost. */
static bool press(struct inputs *in, unsigned n, unsigned code, bool down)
{
    if (!device_there(in, n) || code >= CODES)
        return false;
    struct device *d = &in->device[n];
    u8 *set = &d->down[code / 8], bit = (u8)(1 << code % 8);
    if (!!(*set & bit) == down)
        return true;
    if (down && d->used >= QUEUE / 2)
        return false;
    *set ^= bit;
    event_put(in, d, EV_KEY, (u16)code, down);
    return true;
}

/* ---- who ---- */

/* The last of a kind, rather one that is no display's. MAX_INPUTS: there is none. */
static unsigned device_of(const struct inputs *in, enum virtio_kind kind)
{
    unsigned found = MAX_INPUTS;
    for (unsigned bound = 2; bound-- > 0;)
        for (unsigned n = 0; n < MAX_INPUTS; n++)
            if (in->device[n].kind == kind && in->device[n].bound == bound)
                found = n;
    return found;
}

static bool is_pointer(const struct device *d) { return d->kind == VIRTIO_MOUSE || d->kind == VIRTIO_TABLET; }
bool inputs_absolute(const struct inputs *in) { return device_of(in, VIRTIO_TABLET) < MAX_INPUTS; }
bool inputs_relative(const struct inputs *in) { return device_of(in, VIRTIO_MOUSE) < MAX_INPUTS; }

bool inputs_key(struct inputs *in, unsigned code, bool down)
{
    return press(in, device_of(in, VIRTIO_KEYBOARD), code, down);
}

static void move(struct inputs *in, unsigned n, u16 type, u16 code, s32 value)
{
    if (!device_there(in, n) || in->device[n].used >= QUEUE / 2)
        return;
    in->pointer = n;
    event_put(in, &in->device[n], type, code, (u32)value);
}

void inputs_axis(struct inputs *in, unsigned axis, s32 value)
{
    move(in, device_of(in, VIRTIO_TABLET), EV_ABS, axis != 0, value);
}

static s32 scaled(u32 at, u32 size)
{
    at = at < size ? at : size - 1;
    return size > 1 ? (s32)((u64)at * AXIS_MAX / (size - 1)) : 0;
}

void inputs_move_to(struct inputs *in, unsigned screen, u32 x, u32 y, u32 width, u32 height)
{
    (void)screen; /* of several the guest has one tablet */
    inputs_axis(in, 0, scaled(x, width));
    inputs_axis(in, 1, scaled(y, height));
}

void inputs_move_by(struct inputs *in, s32 dx, s32 dy)
{
    unsigned n = device_of(in, VIRTIO_MOUSE);
    if (dx)
        move(in, n, EV_REL, 0, dx);
    if (dy)
        move(in, n, EV_REL, 1, dy);
}

void inputs_button(struct inputs *in, enum pointer_button button, bool down)
{
    static const u16 codes[BUTTONS] = { [BUTTON_LEFT] = 0x110,
                                        [BUTTON_RIGHT] = 0x111,
                                        [BUTTON_MIDDLE] = 0x112,
                                        [BUTTON_SIDE] = 0x113,
                                        [BUTTON_EXTRA] = 0x114 };
    bool wheel = button == BUTTON_WHEEL_UP || button == BUTTON_WHEEL_DOWN;
    if (!wheel)
        press(in, in->pointer, codes[button], down);
    else if (down)
        move(in, in->pointer, EV_REL, REL_WHEEL, button == BUTTON_WHEEL_UP ? 1 : -1);
}

void inputs_sync(struct inputs *in)
{
    for (unsigned n = 0; n < MAX_INPUTS; n++)
        group_end(in, &in->device[n]);
}

void inputs_release(struct inputs *in)
{
    for (unsigned n = 0; n < MAX_INPUTS; n++)
        for (unsigned code = 0; in->device[n].kind && code < CODES; code++)
            if (in->device[n].down[code / 8] >> code % 8 & 1)
                press(in, n, code, false);
    inputs_sync(in);
}

/* ---- monitors and scripts ---- */

static const char *keyboard_not(struct inputs *in, unsigned n)
{
    if (n == MAX_INPUTS)
        return "there is no keyboard (-device virtio-keyboard-pci or virtio-keyboard-device is one)";
    if (!device_there(in, n))
        return "no driver of the guest's listens to the keyboard";
    return in->device[n].used >= QUEUE / 2 ? "the keyboard's queue is full: the guest does not read it" : NULL;
}

const char *inputs_press(struct inputs *in, const struct keys *k, u32 hold)
{
    unsigned keyboard = device_of(in, VIRTIO_KEYBOARD);
    const char *why = keyboard_not(in, keyboard);
    for (unsigned n = 0; !why && n < k->count; n++) {
        press(in, keyboard, k->code[n], true);
        inputs_sync(in);
    }
    if (!why)
        queue_put(&in->device[keyboard], &(struct item){ .wait = (u64)hold * 1000000 + 1 });
    for (unsigned n = k->count; !why && n-- > 0;) {
        press(in, keyboard, k->code[n], false);
        inputs_sync(in);
    }
    return why;
}

const char *inputs_script(struct inputs *in, const char *script)
{
    char error[128];
    struct keys k;
    const char *why = NULL;
    for (bool quoted = false; !why && keys_next(&script, &quoted, &k, error);)
        why = inputs_press(in, &k, SCRIPT_MS);
    return why;
}

bool inputs_pointer(const struct inputs *in, unsigned n, struct pointer_info *info)
{
    unsigned k = 0;
    while (k < MAX_INPUTS && (!is_pointer(&in->device[k]) || n-- > 0))
        k++;
    if (k == MAX_INPUTS)
        return false;
    bool tablet = in->device[k].kind == VIRTIO_TABLET;
    *info =
        (struct pointer_info){ tablet ? "QEMU Virtio Tablet" : "QEMU Virtio Mouse", k + 1, tablet, k == in->pointer };
    return true;
}

bool inputs_choose(struct inputs *in, unsigned number)
{
    if (number < 1 || number > MAX_INPUTS || !is_pointer(&in->device[number - 1]))
        return false;
    in->pointer = number - 1;
    return true;
}

/* ---- what the machine asks ---- */

static void item_drop(struct device *d)
{
    d->head = (d->head + 1) % QUEUE;
    d->used--;
    d->due = 0;
}

/* Is the wait at the front over? It begins when it is first seen there, and is never longer than it was to be, though
 * the machine went back in time. */
static bool waited(struct device *d, u64 now, u64 *again)
{
    u64 end = now + d->queue[d->head].wait;
    d->due = d->due && d->due < end ? d->due : end;
    if (now >= d->due)
        return true;
    *again = d->due;
    return false;
}

static s32 events_in(void *ctx, unsigned input, struct input_event *group, u32 room, u64 *again)
{
    const struct frontend *f = ctx;
    struct device *d = &f->inputs->device[input];
    while (d->used && d->queue[d->head].wait) {
        if (!waited(d, f->console.m->now, again))
            return 0;
        item_drop(d);
    }
    const struct item *i = &d->queue[d->head];
    s32 count = d->used ? (s32)i->count : 0;
    if (count > (s32)room)
        return -count;
    if (!count)
        return 0;
    memcpy(group, i->event, i->count * sizeof(*group));
    item_drop(d);
    return count;
}

/* ---- the program ---- */

struct inputs *inputs_open(struct machine_config *config)
{
    struct inputs *in = calloc(1, sizeof(*in));
    if (!in)
        die("out of memory");
    in->pointer = MAX_INPUTS;
    config->host.events_in = events_in;
    return in;
}

void inputs_close(struct inputs *in)
{
    for (unsigned n = 0; n < MAX_INPUTS; n++)
        free(in->device[n].queue);
    free(in);
}

void inputs_plug(struct inputs *in, unsigned unit, enum virtio_kind kind, bool bound)
{
    struct device *d = &in->device[unit];
    *d = (struct device){ .kind = kind, .bound = bound, .queue = calloc(QUEUE, sizeof(*d->queue)) };
    if (!d->queue)
        die("out of memory");
    unsigned tablet = device_of(in, VIRTIO_TABLET), mouse = device_of(in, VIRTIO_MOUSE);
    in->pointer = tablet < MAX_INPUTS ? tablet : mouse;
}

void inputs_begin(struct inputs *in, struct machine *m) { in->m = m; }

void inputs_forget(struct inputs *in)
{
    for (unsigned n = 0; n < MAX_INPUTS; n++)
        device_forget(&in->device[n]);
}

bool inputs_fresh(struct inputs *in)
{
    bool fresh = in->fresh;
    in->fresh = false;
    return fresh;
}
