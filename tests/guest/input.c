/* Keyboard, mouse and tablet (Virtio 1.2, 5.8), behind virtio-mmio (its legacy interface) and PCI: what their
 * configuration says, and, when a keyboard's serial number is "listen", their events: each is printed as "DEVICE TYPE
 * CODE VALUE" in hexadecimal, the devices being numbered as they were found, until Esc goes up. tests/cli/input.py
 * types then. */
#include "rt.h"
#include "virtio_legacy.h"

enum { DEVICES = 4, BUFFERS = 16, ECAM = 0x10000000 /* of MEMORY */, BAR_STEP = 0x10000 };
enum { NAME = 1, SERIAL, IDS, BITS_OF = 0x11, ABS_OF };
enum { EV_KEY = 1, EV_REL, EV_ABS, EV_LED = 0x11, EV_REP = 0x14, KEY_ESC = 1, KEYBOARD = 1, MOUSE, TABLET };

struct event {
    u16 type, code;
    u32 value;
};
static struct rings rings[DEVICES][2] __attribute__((aligned(PAGE)));
static struct event events[DEVICES][BUFFERS];
static struct device {
    u64 regs, config, notify; /* notify: 0 behind MMIO */
    u16 seen;
    u32 product;
} devices[DEVICES];
static u32 count;

/* ---- transports ---- */

static void pci_found(u64 function, u32 n)
{
    u64 bar = ECAM + n * BAR_STEP;
    struct device *d = &devices[count++];
    MMIO32(function + 0x20) = (u32)bar;
    MMIO32(function + 0x24) = 0;
    MMIO16(function + 4) = 6;
    for (u64 at = MMIO8(function + 0x34); at; at = MMIO8(function + at + 1)) {
        if (MMIO8(function + at) != 9)
            continue;
        u64 where = bar + MMIO32(function + at + 8);
        switch (MMIO8(function + at + 3)) {
        case 1: d->regs = where; break;
        case 2: d->notify = where; break;
        case 4: d->config = where; break;
        }
    }
}

static void find(void)
{
    for (u32 slot = 32; slot-- > 0;) {
        u64 regs = 0x0a000000ul + slot * 0x200;
        if (MMIO32(regs + ID) == 18 && count < DEVICES)
            devices[count++] = (struct device){ .regs = regs, .config = regs + CONFIG };
    }
    for (u32 n = 1; n < 8; n++)
        if (MMIO32(0x4010000000ul + (n << 15)) == 0x10521af4 && count < DEVICES)
            pci_found(0x4010000000ul + (n << 15), n);
}

static void status_set(struct device *d, u32 status)
{
    if (d->notify)
        MMIO8(d->regs + 0x14) = (u8)status;
    else
        MMIO32(d->regs + DEV_STATUS) = status;
}

static void queue_set(struct device *d, u32 n, struct rings *r)
{
    if (!d->notify) {
        virtio_queue(d->regs, n, r);
        return;
    }
    MMIO16(d->regs + 0x16) = (u16)n;
    MMIO16(d->regs + 0x18) = QUEUE;
    const u64 addresses[] = { (u64)r->desc, (u64)r->avail, (u64)r->used_head };
    for (u32 k = 0; k < 3; k++) {
        MMIO32(d->regs + 0x20 + 8 * k) = (u32)addresses[k];
        MMIO32(d->regs + 0x24 + 8 * k) = 0;
    }
    MMIO16(d->regs + 0x1c) = 1;
}

static void notify(struct device *d)
{
    DSB();
    if (d->notify)
        MMIO16(d->notify) = 0;
    else
        MMIO32(d->regs + NOTIFY) = 0;
}

/* ---- configuration ---- */

static u32 ask(struct device *d, u32 select, u32 subsel)
{
    MMIO8(d->config) = (u8)select;
    MMIO8(d->config + 1) = (u8)subsel;
    return MMIO8(d->config + 2);
}
static u32 data(struct device *d, u32 at) { return MMIO8(d->config + 8 + at); }

/* Is the answer this text? A NUL may belong to it. */
static bool text_is(struct device *d, u32 select, const char *text)
{
    u32 size = ask(d, select, 0), n = 0;
    while (n < size && text[n] && data(d, n) == (u8)text[n])
        n++;
    return !text[n] && (n == size || (n + 1 == size && !data(d, n)));
}

/* The set of events of a type has this size, and its bytes this sum. */
static void bits_are(struct device *d, u32 type, u32 size, u32 sum)
{
    u32 got = ask(d, BITS_OF, type), all = 0;
    for (u32 n = 0; n < got; n++)
        all += data(d, n);
    check_eq("  size of a set", got, size);
    check_eq("    and sum", all, sum);
}

static void keyboard(struct device *d)
{
    check(text_is(d, NAME, "QEMU Virtio Keyboard"), "keyboard: name");
    bits_are(d, EV_KEY, 29, 0x127b);
    bits_are(d, EV_LED, 1, 7);
    bits_are(d, EV_REP, 1, 0);
    check_eq("  no axes", ask(d, BITS_OF, EV_ABS) + ask(d, ABS_OF, 0) + ask(d, BITS_OF, EV_REL), 0);
}

static void mouse(struct device *d)
{
    check(text_is(d, NAME, "QEMU Virtio Mouse"), "mouse: name");
    bits_are(d, EV_KEY, 43, 34);
    bits_are(d, EV_REL, 2, 4);
    check_eq("  no axes", ask(d, BITS_OF, EV_ABS) + ask(d, ABS_OF, 0), 0);
}

static void tablet(struct device *d)
{
    check(text_is(d, NAME, "QEMU Virtio Tablet"), "tablet: name");
    bits_are(d, EV_KEY, 43, 34);
    bits_are(d, EV_REL, 2, 1);
    bits_are(d, EV_ABS, 1, 3);
    for (u32 axis = 0; axis < 2; axis++) {
        check_eq("  axis: size", ask(d, ABS_OF, axis), 20);
        check(!MMIO32(d->config + 8) && MMIO32(d->config + 12) == 0x7fff && !MMIO32(d->config + 24), "    range");
    }
    check_eq("  no third axis", ask(d, ABS_OF, 2), 0);
}

static void identify(struct device *d)
{
    check_eq("size of the identification", ask(d, IDS, 0), 8);
    check(MMIO16(d->config + 8) == 6 && MMIO16(d->config + 10) == 0x0627, "  bus and vendor");
    d->product = MMIO16(d->config + 12);
    check_eq("  version", MMIO16(d->config + 14), d->product == KEYBOARD ? 1 : 2);
    check_eq("  nothing else is there", ask(d, 0, 0) + ask(d, 0x10, 0) + ask(d, 0x77, 1) + ask(d, BITS_OF, 0x15), 0);
    if (d->product == KEYBOARD)
        keyboard(d);
    else if (d->product == MOUSE)
        mouse(d);
    else
        tablet(d);
}

/* ---- events ---- */

static void buffer_give(u32 n, u32 head)
{
    volatile struct rings *r = &rings[n][0];
    r->avail[2 + r->avail[1] % QUEUE] = (u16)head;
    DSB();
    r->avail[1]++;
}

static void start(u32 n)
{
    struct device *d = &devices[n];
    status_set(d, 0);
    status_set(d, 3);
    if (d->notify) { /* VERSION_1 */
        MMIO32(d->regs + 8) = 1;
        MMIO32(d->regs + 12) = 1;
        status_set(d, 11);
    } else {
        MMIO32(d->regs + PAGE_SIZE) = PAGE;
    }
    queue_set(d, 0, &rings[n][0]);
    queue_set(d, 1, &rings[n][1]);
    for (u32 k = 0; k < BUFFERS; k++) {
        rings[n][0].desc[k].addr = (u64)&events[n][k];
        rings[n][0].desc[k].len = sizeof(struct event);
        rings[n][0].desc[k].flags = 2;
        buffer_give(n, k);
    }
    status_set(d, d->notify ? 15 : 7);
    notify(d);
}

/* The next event of device n, printed. True: Esc went up. */
static bool event_take(u32 n)
{
    volatile struct rings *r = &rings[n][0];
    struct device *d = &devices[n];
    DSB();
    if (r->used_head[1] == d->seen)
        return false;
    u32 head = r->used[d->seen++ % QUEUE].id;
    const volatile struct event *e = &events[n][head % BUFFERS];
    put_hex(n);
    put_text(" ");
    put_hex(e->type);
    put_text(" ");
    put_hex(e->code);
    put_text(" ");
    put_hex(e->value);
    put_text("\n");
    bool end = e->type == EV_KEY && e->code == KEY_ESC && !e->value;
    buffer_give(n, head);
    notify(d);
    return end;
}

static void listen(void)
{
    for (u32 n = 0; n < count; n++)
        start(n);
    put_text("listening\n");
    for (u32 n = 0; !event_take(n); n = (n + 1) % count)
        if (!n)
            nap();
}

void test_main(void)
{
    bool listens = false;
    gic_init();
    gic_enable(30, 0x80);
    find();
    check(count != 0, "there are input devices");
    for (u32 n = 0; n < count; n++) {
        identify(&devices[n]);
        listens |= text_is(&devices[n], SERIAL, "listen");
    }
    if (listens)
        listen();
}
