/* What a disk does, said by commands on the PL011: the first virtio-blk behind virtio-mmio (legacy interface), one
 * request at a time. Numbers are in base 16.
 *     r SECTOR COUNT         reads: the status, the first and the last 8 bytes
 *     w SECTOR COUNT BYTE    writes the byte over all of them
 *     m SECTOR VALUE         writes a sector that begins with the 8 bytes of a number
 *     d SECTOR COUNT         discards; z SECTOR COUNT: writes zeros; Z: and may unmap
 *     g SECTOR COUNT, p SECTOR COUNT    reads into a buffer, writes what is in it; s: the next disk (again the first)
 *     f, i, c                flushes; its serial number; capacity in sectors, features, the cache's mode
 *     q                      the end */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

static volatile u32 *const uart = (u32 *)0x09000000;
static u8 *const rings = (u8 *)0x41000000, *const data = (u8 *)0x42000000;
static volatile u32 *dev;
static u16 offered;

void main_c(void);
__asm__(".globl _start\n_start: mov x0, #0x40800000\n mov sp, x0\n bl main_c\n"
        "off: mov w0, #8\n movk w0, #0x8400, lsl #16\n hvc #0\n b off\n");

static void put(char c) { *uart = (u32)c; }
static void say(const char *s)
{
    while (*s)
        put(*s++);
}
static void say_hex(u64 x)
{
    int n = 60;
    while (n && !(x >> n))
        n -= 4;
    for (; n >= 0; n -= 4)
        put("0123456789abcdef"[x >> n & 15]);
    put(' ');
}
static int key(void)
{
    while (uart[6] & 0x10)
        ;
    return (int)(*uart & 0xff);
}
static int last;
static u64 number(void)
{
    u64 x = 0;
    for (last = key(); last == ' '; last = key())
        ;
    for (; last > ' '; last = key())
        x = x << 4 | (u64)(last <= '9' ? last - '0' : last - 'a' + 10);
    return x;
}

static void desc_put(int n, void *at, u32 size, int flags)
{
    u64 *d = (u64 *)(rings + 16 * n);
    d[0] = (u64)at;
    d[1] = size | (u64)flags << 32 | (u64)(n + 1) << 48;
}

/* One request with `size` bytes for (in: from) the device; returns its status. */
static u8 request(u32 type, u64 sector, u32 size, int in)
{
    u32 *head = (u32 *)(rings + 0x8000);
    volatile u8 *status = rings + 0x8100;
    volatile u16 *avail = (u16 *)(rings + 16 * 8), *used = (u16 *)(rings + 0x1000);
    head[0] = type;
    head[1] = 0;
    head[2] = (u32)sector;
    head[3] = (u32)(sector >> 32);
    *status = 0xaa;
    desc_put(0, head, 16, 1);
    desc_put(1, data, size, in ? 3 : 1);
    desc_put(size ? 2 : 1, (void *)status, 1, 2);
    avail[2 + offered % 8] = 0;
    __asm__ volatile("dsb sy" ::: "memory");
    avail[1] = ++offered;
    __asm__ volatile("dsb sy" ::: "memory");
    dev[0x50 / 4] = 0;
    while (used[1] != offered)
        ;
    return *status;
}

static volatile u32 *const first = (u32 *)0x0a003e00;

/* The next below, or the highest. */
static void find(void)
{
    do
        dev = dev && dev > (u32 *)0x0a000000 ? dev - 0x80 : first;
    while (dev[2] != 2);
    offered = 0;
    for (int n = 0; n < 0x2000; n++)
        rings[n] = 0;
    dev[0x70 / 4] = 0;
    dev[0x70 / 4] = 3;
    dev[0x28 / 4] = 4096;
    dev[0x20 / 4] = dev[0x10 / 4];
    dev[0x30 / 4] = 0;
    dev[0x38 / 4] = 8;
    dev[0x3c / 4] = 4096;
    dev[0x40 / 4] = (u32)((u64)rings >> 12);
    dev[0x70 / 4] = 7;
}

static void range(u32 type, u32 flags)
{
    *(u64 *)data = number();
    *(u32 *)(data + 8) = (u32)number();
    *(u32 *)(data + 12) = flags;
    say_hex(request(type, 0, 16, 0));
}

static void read_it(void)
{
    u64 sector = number(), count = number();
    say_hex(request(0, sector, (u32)count * 512, 1));
    say_hex(__builtin_bswap64(*(u64 *)data));
    say_hex(__builtin_bswap64(*(u64 *)(data + count * 512 - 8)));
}

static void write_it(void)
{
    u64 sector = number(), count = number(), byte = number();
    for (u64 n = 0; n < count * 512; n++)
        data[n] = (u8)byte;
    say_hex(request(1, sector, (u32)count * 512, 0));
}

static void mark_it(void)
{
    u64 sector = number();
    *(u64 *)data = __builtin_bswap64(number());
    say_hex(request(1, sector, 512, 0));
}

static void move_it(u32 type)
{
    u64 sector = number(), count = number();
    say_hex(request(type, sector, (u32)count * 512, !type));
}

static void identity(void)
{
    for (int n = 0; n < 21; n++)
        data[n] = 0;
    say_hex(request(8, 0, 20, 1));
    say((char *)data);
}

void main_c(void)
{
    find();
    for (;;) {
        int what = key();
        switch (what) {
        case 'r': read_it(); break;
        case 'w': write_it(); break;
        case 'm': mark_it(); break;
        case 'g': move_it(0); break;
        case 'p': move_it(1); break;
        case 's': find(); break;
        case 'd': range(11, 0); break;
        case 'z': range(13, 0); break;
        case 'Z': range(13, 1); break;
        case 'f': say_hex(request(4, 0, 0, 0)); break;
        case 'i': identity(); break;
        case 'c':
            say_hex(dev[0x100 / 4] | (u64)dev[0x104 / 4] << 32);
            say_hex(dev[0x10 / 4]);
            say_hex(((volatile u8 *)dev)[0x120]);
            break;
        case 'q': return;
        default: continue;
        }
        put('\n');
    }
}
