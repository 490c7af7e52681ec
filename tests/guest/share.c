/* A shared folder: virtio-9p over MMIO (legacy interface), 9P2000.L: version, attach, a walk, a file read, a list, what
 * is refused. guests.list shares tests/guest/net, read-only. */
#include "rt.h"
#include "virtio_legacy.h"

enum { MSIZE = 8192 };
enum { LOPEN = 12, GETATTR = 24, READDIR = 40, MKDIR = 72, VERSION = 100, ATTACH = 104, WALK = 110, READ = 116,
       CLUNK = 120, NO_FID = 0xffffffff, ENOENT = 2, EROFS = 30 };

static struct rings rings __attribute__((aligned(PAGE)));
static volatile struct rings *const queue = &rings;
static u8 t[MSIZE], r[MSIZE];
static u32 at;
static u64 dev;

static void start(void)
{
    MMIO32(dev + DEV_STATUS) = 0;
    MMIO32(dev + PAGE_SIZE) = PAGE;
    MMIO32(dev + DEV_STATUS) = 3;
    MMIO32(dev + DRIVER) = MMIO32(dev + FEATURES) & 1;
    virtio_queue(dev, 0, &rings);
    MMIO32(dev + DEV_STATUS) = 7;
}

static void add(u64 value, u32 bytes)
{
    for (u32 n = 0; n < bytes; n++)
        t[at++] = (u8)(value >> 8 * n);
}
static void add_text(const char *text)
{
    u32 length = 0;
    while (text[length])
        length++;
    add(length, 2);
    for (u32 n = 0; n < length; n++)
        add((u8)text[n], 1);
}
static u64 get(u32 from, u32 bytes)
{
    u64 value = 0;
    for (u32 n = 0; n < bytes; n++)
        value |= (u64) * (volatile u8 *)&r[from + n] << 8 * n;
    return value;
}
static void message(u32 type)
{
    at = 4;
    add(type, 1);
    add(7, 2);
}

/* Sends what was put together. 0, or the error. */
static u32 ask(void)
{
    static u16 seen;
    u32 size = at;
    at = 0;
    add(size, 4);
    queue->desc[0].addr = (u64)t;
    queue->desc[0].len = size;
    queue->desc[0].flags = 1;
    queue->desc[0].next = 1;
    queue->desc[1].addr = (u64)r;
    queue->desc[1].len = MSIZE;
    queue->desc[1].flags = 2;
    queue->avail[2 + queue->avail[1] % QUEUE] = 0;
    DSB();
    queue->avail[1]++;
    DSB();
    MMIO32(dev + NOTIFY) = 0;
    /* as long as it takes: a server in a thread of its own is a matter of the host's time, not of the guest's */
    for (u32 n = 0; n < 200000 && queue->used_head[1] == seen; n++)
        nap();
    if (queue->used_head[1] == seen)
        return 1000;
    seen++;
    return get(4, 1) == 7 ? (u32)get(7, 4) : get(4, 1) == (u64)t[4] + 1 && get(5, 2) == 7 ? 0 : 1001;
}

static u32 walk(u32 fid, u32 to, const char *name)
{
    message(WALK);
    add(fid, 4);
    add(to, 4);
    add(name ? 1 : 0, 2);
    if (name)
        add_text(name);
    return ask();
}
static u32 lopen(u32 fid, u32 flags)
{
    message(LOPEN);
    add(fid, 4);
    add(flags, 4);
    return ask();
}
static u32 read(u32 type, u32 fid, u64 offset, u32 count)
{
    message(type);
    add(fid, 4);
    add(offset, 8);
    add(count, 4);
    return ask();
}

static void session(void)
{
    message(VERSION);
    add(MSIZE, 4);
    add_text("9P2000.L");
    check_eq("version", ask(), 0);
    check_eq("  the longest message", get(7, 4), MSIZE);
    message(ATTACH);
    add(0, 4);
    add(NO_FID, 4);
    add_text("nobody");
    add_text("");
    add(0, 4);
    check_eq("attach", ask(), 0);
    check_eq("  a folder", get(7, 1), 0x80);
}

static void files(void)
{
    check_eq("walk to what is not there", walk(0, 1, "nothing"), ENOENT);
    check_eq("walk to a file", walk(0, 1, "file.txt"), 0);
    message(GETATTR);
    add(1, 4);
    add(0x7ff, 8);
    check_eq("getattr", ask(), 0);
    u64 size = get(7 + 8 + 13 + 4 + 4 + 4 + 8 + 8, 8), sum = 0;
    check_eq("  a plain file", get(7 + 8 + 13, 4) & 0170000, 0100000);
    check_eq("open it to be written", lopen(1, 1), EROFS);
    check_eq("open it", lopen(1, 0), 0);
    for (u64 done = 0; done < size && !read(READ, 1, done, 500) && get(7, 4); done += get(7, 4))
        for (u32 n = 0; n < get(7, 4); n++)
            sum = sum * 31 + get(11 + n, 1);
    check(size > 500, "  more than one message of it");
    check_eq("  what is in it", sum, 0xb01728f47da14cdc);
    check_eq("read behind its end", read(READ, 1, size, 500), 0);
    check_eq("  nothing", get(7, 4), 0);
    message(CLUNK);
    add(1, 4);
    check_eq("clunk", ask(), 0);
    check(read(READ, 1, 0, 500), "read it after that: an error");
}

static void folders(void)
{
    u32 found = 0, entries = 0;
    check_eq("clone", walk(0, 2, NULL), 0);
    check_eq("open a folder", lopen(2, 0200000), 0);
    check_eq("readdir", read(READDIR, 2, 0, 4000), 0);
    for (u32 p = 11, end = p + (u32)get(7, 4); p < end; p += 24 + (u32)get(p + 22, 2)) {
        entries++;
        found += get(p + 22, 2) == 8 && get(p + 24, 8) == 0x7478742e656c6966ul; /* "file.txt" */
    }
    check_eq("  with itself and what is above it", entries, 3);
    check_eq("  and the file", found, 1);
    message(MKDIR);
    add(0, 4);
    add_text("new");
    add(0755, 4);
    add(0, 4);
    check_eq("make a folder", ask(), EROFS);
}

void test_main(void)
{
    gic_init();
    gic_enable(30, 0x80);
    dev = virtio_find(9);
    check(dev, "a virtio-9p device");
    if (!dev)
        finish();
    start();
    check_eq("its tag's size", MMIO16(dev + CONFIG), 5);
    session();
    files();
    folders();
    finish();
}
