/* The firmware configuration device: signature, selector, data of every width, the directory of files, and its DMA
 * interface. QEMU's docs/specs/fw_cfg (MMIO interface); `-fw_cfg name=opt/org.elmu/greeting,string=...` gives it a
 * file. Prints the directory, which tests/cli/fw_cfg.sh compares with QEMU's. */
#include "rt.h"

#define DATA     0x09020000ul
#define SELECTOR (DATA + 8)
#define DMA      (DATA + 16)
#define GREETING "Hello:-hypervisor"

enum { KEY_SIGNATURE, KEY_ID, KEY_UUID, KEY_NB_CPUS = 5, KEY_KERNEL_SIZE = 8, KEY_DIR = 0x19, KEY_FILES, KEY_NONE = 0x3fff };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static void select_key(u32 key)
{
    MMIO16(SELECTOR) = __builtin_bswap16((u16)key);
    DSB();
}

static void data_read(void *to, u32 size)
{
    for (u32 n = 0; n < size; n++)
        ((u8 *)to)[n] = MMIO8(DATA);
}

static u32 be32(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* ---- DMA ---- */

struct dma {
    u32 control, length;
    u64 address;
};
static volatile struct dma dma __attribute__((aligned(8)));
static u8 buffer[64] __attribute__((aligned(16)));

/* What the control field is afterwards. */
static u32 dma_run(u32 control, u64 address, u32 length)
{
    dma.control = __builtin_bswap32(control);
    dma.length = __builtin_bswap32(length);
    dma.address = __builtin_bswap64(address);
    DSB();
    MMIO64(DMA) = __builtin_bswap64((u64)&dma);
    DSB();
    return __builtin_bswap32(dma.control);
}

static void fill(void)
{
    for (u32 n = 0; n < sizeof buffer; n++)
        buffer[n] = 0xa5;
}

/* ---- the tests ---- */

static void registers(void)
{
    u8 text[8] = { 0 };
    select_key(KEY_SIGNATURE);
    data_read(text, 4);
    check_eq("key 0 is QEMU", be32(text), 0x51454d55);
    data_read(text, 4);
    check_eq("  past its end there are zeros", be32(text), 0);
    select_key(KEY_SIGNATURE);
    check_eq("16 bits: the next two bytes in the order of memory", MMIO16(DATA), 0x4551);
    check_eq("  and the next two", MMIO16(DATA), 0x554d);
    select_key(KEY_SIGNATURE);
    check_eq("32 bits", MMIO32(DATA), 0x554d4551);
    select_key(KEY_SIGNATURE);
    check_eq("64 bits: with zeros at the end", MMIO64(DATA), 0x554d4551);
    select_key(KEY_ID);
    check_eq("key 1: both interfaces", MMIO32(DATA), 3);
    select_key(KEY_UUID);
    u64 low = MMIO64(DATA), high = MMIO64(DATA);
    put_text("# key 2: ");
    put_hex(high);
    put_text(" ");
    put_hex(low);
    put_text("\n");
    select_key(KEY_NB_CPUS);
    check_eq("key 5: CPUs", MMIO16(DATA), 2);
    select_key(KEY_KERNEL_SIZE);
    check_eq("no kernel without firmware", MMIO32(DATA), 0);
    select_key(KEY_NONE);
    check_eq("a key that is not there: zeros", MMIO64(DATA), 0);
    select_key(KEY_SIGNATURE);
    MMIO8(DATA) = 'x';
    select_key(KEY_SIGNATURE);
    check_eq("data is not written", MMIO8(DATA), 'Q');
    check_eq("the DMA register reads as a signature", MMIO64(DMA), 0x47464320554d4551);
    check_eq("  its first half", MMIO32(DMA), 0x554d4551);
    check_eq("  its second half", MMIO32(DMA + 4), 0x47464320);
}

static u32 greeting_key, greeting_size;
static void directory(void)
{
    u8 file[64], count[4];
    char last[56] = "";
    bool sorted = true, whole = true;
    select_key(KEY_DIR);
    data_read(count, 4);
    for (u32 n = 0; n < be32(count); n++) {
        data_read(file, 64);
        char *name = (char *)file + 8;
        u32 size = be32(file), key = (u32)file[4] << 8 | file[5];
        put_text("# file ");
        put_text(name);
        put_text(" key ");
        put_hex(key);
        put_text(" size ");
        put_hex(size);
        put_text("\n");
        whole = whole && key == 0x20 + n && !file[6] && !file[7];
        for (u32 i = 0; i < sizeof last; i++) {
            sorted = sorted && (i == 0 || last[i - 1] == name[i - 1] ? last[i] <= name[i] || same(last, name) : sorted);
            if (last[i] != name[i])
                break;
        }
        for (u32 i = 0; i < sizeof last; i++)
            last[i] = name[i];
        if (same(name, "opt/org.elmu/greeting"))
            greeting_key = key, greeting_size = size;
    }
    check(be32(count) && whole, "the directory has files, with keys from 0x20 on");
    check(sorted, "  in the order of their names");
    check_eq("  ours among them", greeting_size, sizeof GREETING - 1);
}

static void by_dma(void)
{
    fill();
    check_eq("DMA: select and read", dma_run(greeting_key << 16 | DMA_SELECT | DMA_READ, (u64)buffer, 5), 0);
    check(buffer[0] == 'H' && buffer[4] == 'o' && buffer[5] == 0xa5, "  five bytes");
    check_eq("  read on", dma_run(DMA_READ, (u64)buffer, 2), 0);
    check(buffer[0] == ':' && buffer[1] == '-' && buffer[2] == 'l', "  the two after them");
    check_eq("  skip", dma_run(DMA_SKIP, 0, 5), 0);
    check_eq("  then by the data register", MMIO8(DATA), 'v');
    fill();
    check_eq("  past the end", dma_run(greeting_key << 16 | DMA_SELECT | DMA_READ, (u64)buffer, 40), 0);
    check(buffer[16] == 'r' && !buffer[17] && !buffer[39] && buffer[40] == 0xa5, "  zeros");
    fill();
    check_eq("  a key that is not there", dma_run(KEY_NONE << 16 | DMA_SELECT | DMA_READ, (u64)buffer, 4), 0);
    check(!buffer[0] && !buffer[3] && buffer[4] == 0xa5, "  zeros");
    check_eq("  select alone", dma_run(KEY_SIGNATURE << 16 | DMA_SELECT, 0, 0), 0);
    check_eq("  chose it", MMIO32(DATA), 0x554d4551);
    check_eq("  a write to what is read-only", dma_run(greeting_key << 16 | DMA_SELECT | DMA_WRITE, (u64)buffer, 4),
             DMA_ERROR);
    select_key(greeting_key);
    check_eq("  changes nothing", MMIO8(DATA), 'H');
    check_eq("  to where nothing is", dma_run(KEY_SIGNATURE << 16 | DMA_SELECT | DMA_READ, 0x30000000000, 4),
             DMA_ERROR);
    check_eq("  skip wins over nothing, read over skip",
             dma_run(greeting_key << 16 | DMA_SELECT | DMA_READ | DMA_SKIP, (u64)buffer, 1), 0);
    check_eq("  one byte was read", buffer[0], 'H');
    dma.control = __builtin_bswap32(KEY_ID << 16 | DMA_SELECT | DMA_READ);
    dma.length = __builtin_bswap32(4);
    dma.address = __builtin_bswap64((u64)buffer);
    DSB();
    MMIO32(DMA) = __builtin_bswap32((u32)((u64)&dma >> 32));
    check(dma.control, "the high half of the address alone does nothing");
    MMIO32(DMA + 4) = __builtin_bswap32((u32)(u64)&dma);
    DSB();
    check(!dma.control && buffer[0] == 3, "the low half begins");
}

void test_main(void)
{
    registers();
    directory();
    by_dma();
    finish();
}
