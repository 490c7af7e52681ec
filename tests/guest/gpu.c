/* virtio-gpu behind virtio-mmio (legacy interface) and behind PCI, 2D: what there is, resources, their backing in
 * pieces, heads, fences, the pointer's queue. Virtio 1.2, 5.7. Both show the same picture at the end; with a file
 * opt/hold the program stays then, for those who look (tests/cli/screens.py). guests.list says what is plugged where.
 */
#include "rt.h"
#include "screen.h"
#include "virtio_legacy.h"

#define CFG       0x4010008000ul /* bus 0, device 1 */
#define RANGE     0x10000000ul
#define FW_CFG    0x09020000ul
#define PCI_QUEUE 0x20

enum { DISPLAY_INFO = 0x100, CREATE, UNREF, SCANOUT, FLUSH, TRANSFER, ATTACH, DETACH, EDID = 0x10a,
       UPDATE_CURSOR = 0x300, MOVE_CURSOR };
enum { OK = 0x1100, OK_DISPLAY_INFO, OK_EDID = 0x1104, UNSPEC = 0x1200, NO_MEMORY, NO_SCANOUT, NO_RESOURCE,
       BAD_PARAMETER = 0x1205 };
enum { XRES = 320, YRES = 200, BGRX = 2, BGRA = 1, FENCE = 1, DESC_NEXT = 1, DESC_WRITE = 2 };

static struct rings rings[2] __attribute__((aligned(4096)));
static u32 request[64] __attribute__((aligned(16)));
static volatile u32 response[512] __attribute__((aligned(16)));
static u8 pixels[WIDTH * HEIGHT * 4 + 64] __attribute__((aligned(4096)));
static u64 notify[2]; /* where the queues are announced */
static u32 size;      /* of the request, bytes */
static char text[80];

static const char *named(const char *bus, const char *what)
{
    u32 n = 0;
    for (const char *s = bus; *s; s++)
        text[n++] = *s;
    for (const char *s = what; *s && n < sizeof text - 1; s++)
        text[n++] = *s;
    text[n] = 0;
    return text;
}

static void zero(void *at, u32 bytes)
{
    for (u32 n = 0; n < bytes; n++)
        ((volatile u8 *)at)[n] = 0;
}

/* ---- the two transports ---- */

static bool mmio_begin(void)
{
    u64 dev = virtio_find(16);
    if (!dev)
        return false;
    zero(rings, sizeof rings);
    MMIO32(dev + DEV_STATUS) = 0;
    MMIO32(dev + DEV_STATUS) = 3;
    MMIO32(dev + PAGE_SIZE) = PAGE;
    MMIO32(dev + DRIVER) = MMIO32(dev + FEATURES) & 2;
    for (u32 q = 0; q < 2; q++) {
        virtio_queue(dev, q, &rings[q]);
        notify[q] = dev + NOTIFY;
    }
    MMIO32(dev + DEV_STATUS) = 7;
    return MMIO32(dev + CONFIG + 8) == 1; /* heads */
}

static bool pci_begin(void)
{
    if (MMIO32(CFG) != 0x10501af4)
        return false;
    zero(rings, sizeof rings);
    MMIO32(CFG + 0x20) = RANGE;
    MMIO32(CFG + 0x24) = 0;
    MMIO16(CFG + 4) = 6;
    MMIO8(RANGE + 0x14) = 0;
    MMIO8(RANGE + 0x14) = 3;
    for (u32 half = 0; half < 2; half++) {
        MMIO32(RANGE + 8) = half;
        MMIO32(RANGE + 0xc) = half ? 1 : 2; /* VERSION_1, EDID */
    }
    MMIO8(RANGE + 0x14) = 11;
    for (u32 q = 0; q < 2; q++) {
        const u64 at[] = { (u64)rings[q].desc, (u64)rings[q].avail, (u64)rings[q].used_head };
        MMIO16(RANGE + 0x16) = q;
        MMIO16(RANGE + 0x18) = QUEUE;
        for (u32 n = 0; n < 3; n++) {
            MMIO32(RANGE + PCI_QUEUE + 8 * n) = at[n];
            MMIO32(RANGE + PCI_QUEUE + 4 + 8 * n) = at[n] >> 32;
        }
        notify[q] = RANGE + 0x3000 + 4 * MMIO16(RANGE + 0x1e);
        MMIO16(RANGE + 0x1c) = 1;
    }
    MMIO8(RANGE + 0x14) = 15;
    return MMIO8(RANGE + 0x14) == 15 && MMIO32(RANGE + 0x2000 + 8) == 2;
}

/* ---- commands ---- */

static void begin(u32 type)
{
    zero(request, sizeof request);
    request[0] = type;
    size = 24;
}
static void add(u32 word)
{
    request[size / 4] = word;
    size += 4;
}

/* The type of the response; 0: none came. */
static u32 ask(u32 queue)
{
    struct rings *r = &rings[queue];
    volatile u16 *used = &r->used_head[1];
    u16 before = *used;
    response[0] = 0;
    r->desc[0].addr = (u64)request;
    r->desc[0].len = size;
    r->desc[0].flags = DESC_NEXT;
    r->desc[0].next = 1;
    r->desc[1].addr = (u64)response;
    r->desc[1].len = sizeof response;
    r->desc[1].flags = DESC_WRITE;
    r->avail[2 + r->avail[1] % QUEUE] = 0;
    DSB();
    r->avail[1]++;
    DSB();
    MMIO32(notify[queue]) = queue;
    for (u32 n = 0; *used == before && n < 100000000; n++)
        ;
    DSB();
    return *used == before ? 0 : response[0];
}

static u32 create(u32 id, u32 format, u32 width, u32 height)
{
    begin(CREATE);
    add(id), add(format), add(width), add(height);
    return ask(0);
}
static u32 unref(u32 id)
{
    begin(UNREF);
    add(id), add(0);
    return ask(0);
}
/* All of `pixels`, in pieces of these lengths. */
static u32 attach(u32 id, const u32 *length, u32 pieces)
{
    u32 at = 0;
    begin(ATTACH);
    add(id), add(pieces);
    for (u32 n = 0; n < pieces; at += length[n++])
        add((u32)((u64)pixels + at)), add(0), add(length[n]), add(0);
    return ask(0);
}
static u32 transfer(u32 id, u32 x, u32 y, u32 width, u32 height)
{
    begin(TRANSFER);
    add(x), add(y), add(width), add(height), add((y * WIDTH + x) * 4), add(0), add(id), add(0);
    return ask(0);
}
static u32 rectangle(u32 type, u32 width, u32 height, u32 a, u32 b)
{
    begin(type);
    add(0), add(0), add(width), add(height), add(a), add(b);
    return ask(0);
}
static u32 cursor(u32 type, u32 head, u32 id)
{
    begin(type);
    add(head), add(10), add(20), add(0), add(id), add(3), add(4), add(0);
    return ask(1);
}

/* ---- the tests ---- */

static void what_there_is(const char *bus)
{
    begin(DISPLAY_INFO);
    check_eq(named(bus, "GET_DISPLAY_INFO"), ask(0), OK_DISPLAY_INFO);
    check(response[8] == XRES && response[9] == YRES && response[10] == 1, "  the first head is enabled, and so large");
    begin(EDID);
    add(0), add(0);
    check_eq(named(bus, "GET_EDID"), ask(0), OK_EDID);
    u32 sum = 0;
    for (u32 n = 0; n < 128; n++)
        sum += ((volatile u8 *)response)[32 + n];
    check(response[6] >= 128 && response[8] == 0xffffff00 && response[9] == 0x00ffffff && sum % 256 == 0,
          "  a block with its sum");
    begin(0x1ff);
    check_eq(named(bus, "a command that is none"), ask(0), UNSPEC);
    begin(DISPLAY_INFO);
    request[1] = FENCE;
    request[2] = 0x89abcdef;
    request[3] = 0x01234567;
    request[4] = 5;
    ask(0);
    check(response[1] == FENCE && response[2] == 0x89abcdef && response[3] == 0x01234567 && response[4] == 5,
          "  a fence comes back");
}

static void refused(const char *bus)
{
    check_eq(named(bus, "RESOURCE_CREATE_2D: 0 is no number"), create(0, BGRX, 16, 16), NO_RESOURCE);
    check_eq("  one that is there", (create(9, BGRX, 16, 16), create(9, BGRX, 16, 16)), NO_RESOURCE);
    check_eq("  no such format", create(8, 77, 16, 16), BAD_PARAMETER);
    check_eq("  more than there is memory", create(8, BGRX, 16384, 16384), NO_MEMORY);
    check_eq(named(bus, "SET_SCANOUT: no such head"), rectangle(SCANOUT, 16, 16, 16, 9), NO_SCANOUT);
    check_eq("  no such resource", rectangle(SCANOUT, 16, 16, 0, 77), NO_RESOURCE);
    check_eq(named(bus, "RESOURCE_FLUSH: no such resource"), rectangle(FLUSH, 16, 16, 77, 0), NO_RESOURCE);
    check_eq(named(bus, "TRANSFER_TO_HOST_2D: no such resource"), transfer(77, 0, 0, 16, 16), NO_RESOURCE);
    check_eq("  without backing", transfer(9, 0, 0, 16, 16), UNSPEC);
    const u32 length = 1024;
    check_eq(named(bus, "RESOURCE_ATTACH_BACKING: no such resource"), attach(77, &length, 1), NO_RESOURCE);
    check_eq("  one piece", attach(9, &length, 1), OK);
    check_eq("  twice", attach(9, &length, 1), UNSPEC);
    check_eq(named(bus, "SET_SCANOUT beyond it"), rectangle(SCANOUT, 17, 16, 0, 9), BAD_PARAMETER);
    check_eq("  RESOURCE_FLUSH", rectangle(FLUSH, 16, 17, 9, 0), BAD_PARAMETER);
    check_eq("  TRANSFER_TO_HOST_2D", transfer(9, 1, 0, 16, 16), BAD_PARAMETER);
    begin(DETACH);
    add(9), add(0);
    check_eq(named(bus, "RESOURCE_DETACH_BACKING"), ask(0), OK);
    check_eq(named(bus, "RESOURCE_UNREF"), unref(9), OK);
    check_eq("  twice", unref(9), NO_RESOURCE);
}

static void picture(const char *bus, u32 heads)
{
    static const u32 pieces[] = { 4, 1, 7, 4096, 100, 8188, WIDTH * HEIGHT * 4 - 4 - 1 - 7 - 4096 - 100 - 8188 };
    for (u32 y = 0; y < HEIGHT; y++)
        for (u32 x = 0; x < WIDTH; x++)
            for (u32 n = 0; n < 4; n++)
                pixels[(y * WIDTH + x) * 4 + n] = n < 3 ? (u8)(colour(x, y) >> 8 * n) : 0xaa;
    check_eq(named(bus, "a resource"), create(1, BGRX, WIDTH, HEIGHT), OK);
    check_eq("  its backing in pieces", attach(1, pieces, COUNT(pieces)), OK);
    check_eq("  shown by a head", rectangle(SCANOUT, WIDTH, HEIGHT, 0, 1), OK);
    check_eq("  its upper half", transfer(1, 0, 0, WIDTH, HEIGHT / 2), OK);
    check_eq("  the lower one, left", transfer(1, 0, HEIGHT / 2, WIDTH / 2, HEIGHT / 2), OK);
    check_eq("  and right", transfer(1, WIDTH / 2, HEIGHT / 2, WIDTH / 2, HEIGHT / 2), OK);
    check_eq("  RESOURCE_FLUSH", rectangle(FLUSH, WIDTH, HEIGHT, 1, 0), OK);
    if (heads > 1) {
        check_eq(named(bus, "the second head shows a part"), rectangle(SCANOUT, WIDTH / 2, HEIGHT / 2, 1, 1), OK);
        check_eq("  RESOURCE_FLUSH", rectangle(FLUSH, WIDTH, HEIGHT, 1, 0), OK);
    }
}

static void pointer(const char *bus)
{
    u16 before = rings[1].used_head[1];
    check_eq(named(bus, "a pointer's image"), create(2, BGRA, 64, 64), OK);
    cursor(UPDATE_CURSOR, 0, 2);
    cursor(MOVE_CURSOR, 0, 2);
    cursor(UPDATE_CURSOR, 0, 0);
    check_eq("  three commands of its queue", (u16)(((volatile struct rings *)rings)[1].used_head[1] - before), 3);
    check_eq("  it goes", unref(2), OK);
}

/* Is there a file opt/hold? */
static bool holds(void)
{
    u8 entry[64] = { 0, 0, 0, 0 }, count = 0;
    MMIO16(FW_CFG + 8) = 0x1900;
    for (u32 n = 0; n < 4; n++)
        count = MMIO8(FW_CFG);
    for (; count; count--) {
        for (u32 n = 0; n < 64; n++)
            entry[n] = MMIO8(FW_CFG);
        if (entry[8] == 'o' && entry[12] == 'h' && entry[15] == 'd')
            return true;
    }
    return false;
}

static void test(const char *bus, bool there, u32 heads)
{
    check(there, named(bus, "is there"));
    if (!there)
        return;
    what_there_is(bus);
    refused(bus);
    pointer(bus);
    picture(bus, heads);
}

void test_main(void)
{
    test("mmio: ", mmio_begin(), 1);
    test("pci: ", pci_begin(), 2);
    if (holds()) {
        put_text("# holds\n");
        for (;;)
            ASM("nop"); /* asleep, it would end where nobody can type */
    }
    finish();
}
