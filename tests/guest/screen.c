/* ramfb: the guest gives a piece of its RAM as the screen by writing the file etc/ramfb of the firmware configuration
 * device (QEMU's docs/specs/fw_cfg), and draws. With a file opt/hold it stays at the end, for those who look:
 * tests/cli/screens.py compares what it drew, pixel by pixel, on QEMU too. */
#include "rt.h"
#include "screen.h"

#define DATA     0x09020000ul
#define SELECTOR (DATA + 8)
#define DMA      (DATA + 16)

enum { KEY_DIR = 0x19, DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { STRIDE = WIDTH * 4 + 32, FILE_SIZE = 28, XRGB8888 = 0x34325258 };

static volatile struct dma {
    u32 control, length;
    u64 address;
} dma __attribute__((aligned(8)));
static u8 screen[STRIDE * HEIGHT] __attribute__((aligned(4096)));

/* What the control field is afterwards. */
static u32 dma_run(u32 control, void *at, u32 length)
{
    dma.control = __builtin_bswap32(control);
    dma.length = __builtin_bswap32(length);
    dma.address = __builtin_bswap64((u64)at);
    DSB();
    MMIO64(DMA) = __builtin_bswap64((u64)&dma);
    DSB();
    return __builtin_bswap32(dma.control);
}

static u32 be32(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }

/* The key of a file, and its size; 0: there is none. */
static u32 file_find(const char *name, u32 *size)
{
    u8 count[4], file[64];
    dma_run(KEY_DIR << 16 | DMA_SELECT | DMA_READ, count, 4);
    for (u32 n = 0; n < be32(count); n++) {
        u32 k = 0;
        dma_run(DMA_READ, file, 64);
        while (name[k] && file[8 + k] == (u8)name[k])
            k++;
        if (!name[k] && !file[8 + k]) {
            *size = be32(file);
            return (u32)file[4] << 8 | file[5];
        }
    }
    return 0;
}

static void put_be32(u8 *p, u32 v)
{
    for (u32 n = 0; n < 4; n++)
        p[n] = (u8)(v >> (24 - 8 * n));
}

static void file_make(u8 *file, u64 address, u32 format, u32 width, u32 height, u32 stride)
{
    const u32 words[] = { (u32)(address >> 32), (u32)address, format, 0, width, height, stride };
    for (u32 n = 0; n < COUNT(words); n++)
        put_be32(file + 4 * n, words[n]);
}

static void draw(void)
{
    for (u32 y = 0; y < HEIGHT; y++)
        for (u32 x = 0; x < WIDTH; x++) {
            u8 *p = screen + y * STRIDE + x * 4;
            u32 c = colour(x, y);
            p[0] = (u8)c, p[1] = (u8)(c >> 8), p[2] = (u8)(c >> 16), p[3] = 0xaa; /* the last is of no account */
        }
}

void test_main(void)
{
    u32 size = 0, key = file_find("etc/ramfb", &size);
    u8 file[32], read[32] = { 0 };
    check(key, "there is a file etc/ramfb");
    check_eq("  of 28 bytes", size, FILE_SIZE);
    check_eq("  it is read", dma_run(key << 16 | DMA_SELECT | DMA_READ, read, FILE_SIZE), 0);
    u32 sum = 0;
    for (u32 n = 0; n < FILE_SIZE; n++)
        sum += read[n];
    check_eq("  and holds zeros", sum, 0);
    draw();
    file_make(file, (u64)screen, XRGB8888, WIDTH, HEIGHT, STRIDE);
    check_eq("more than it holds cannot be written", dma_run(key << 16 | DMA_SELECT | DMA_WRITE, file, FILE_SIZE + 1),
             DMA_ERROR);
    check_eq("the screen is switched on", dma_run(key << 16 | DMA_SELECT | DMA_WRITE, file, FILE_SIZE), 0);
    check_eq("  there is nothing behind it", dma_run(DMA_WRITE, file, 1), DMA_ERROR);
    check_eq("  it is read back", dma_run(key << 16 | DMA_SELECT | DMA_READ, read, FILE_SIZE), 0);
    bool same = true;
    for (u32 n = 0; n < FILE_SIZE; n++)
        same = same && read[n] == file[n];
    check(same, "  as it was written");
    /* What makes no screen is taken, and leaves the one that was. */
    file_make(file, (u64)screen, 0x20202020, WIDTH, HEIGHT, STRIDE);
    check_eq("an unknown format", dma_run(key << 16 | DMA_SELECT | DMA_WRITE, file, FILE_SIZE), 0);
    file_make(file, (u64)screen, XRGB8888, 0xffffffff, HEIGHT, STRIDE);
    check_eq("a width without end", dma_run(key << 16 | DMA_SELECT | DMA_WRITE, file, FILE_SIZE), 0);
    file_make(file, 0x20000000000, XRGB8888, WIDTH, HEIGHT, STRIDE);
    check_eq("where no RAM is", dma_run(key << 16 | DMA_SELECT | DMA_WRITE, file, FILE_SIZE), 0);
    file_make(file, 0xfffffffffffffff0, XRGB8888, WIDTH, HEIGHT, 0xffffffff);
    check_eq("at the end of all addresses", dma_run(key << 16 | DMA_SELECT | DMA_WRITE, file, FILE_SIZE), 0);
    if (file_find("opt/hold", &size)) {
        put_text("# holds\n");
        for (;;)
            ASM("nop"); /* asleep, it would end where nobody can type */
    }
    finish();
}
