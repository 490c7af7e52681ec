/* Prints what the firmware configuration device holds, in hexadecimal digits without the zeros at the end, for
 * tests/acpi.py, which compares it with what QEMU's holds: "key N SIZE: digits" for the numbered items that say
 * something of the machine, "file NAME SIZE: digits". */
#include "rt.h"

#define DATA     0x09020000ul
#define SELECTOR (DATA + 8)

enum { KEY_SIGNATURE, KEY_ID, KEY_UUID, KEY_NOGRAPHIC = 4, KEY_NB_CPUS, KEY_BOOT_MENU = 0xe, KEY_DIR = 0x19 };
enum { FILES = 64, ENTRY = 64 };
static u64 item[0x40000 / 8];

static u32 be32(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }

/* Of an item; after its end there are zeros. */
static bool item_read(u32 key, u32 size)
{
    MMIO16(SELECTOR) = __builtin_bswap16((u16)key);
    DSB();
    for (u32 n = 0; n < COUNT(item) && n * 8 < size; n++)
        item[n] = MMIO64(DATA);
    return size <= sizeof item;
}

static void item_print(u32 size)
{
    const u8 *byte = (const u8 *)item;
    u32 used = size < sizeof item ? size : sizeof item;
    char text[3] = "";
    while (used && !byte[used - 1])
        used--;
    put_text(" ");
    put_hex(size);
    put_text(": ");
    for (u32 n = 0; n < used; n++) {
        text[0] = "0123456789abcdef"[byte[n] >> 4];
        text[1] = "0123456789abcdef"[byte[n] & 15];
        put_text(text);
    }
    put_text("\n");
}

static void numbered(void)
{
    static const struct {
        u32 key, size;
    } items[] = {
        { KEY_SIGNATURE, 4 }, { KEY_ID, 4 },      { KEY_UUID, 16 },
        { KEY_NOGRAPHIC, 2 }, { KEY_NB_CPUS, 2 }, { KEY_BOOT_MENU, 2 },
    };
    for (u32 n = 0; n < COUNT(items); n++) {
        item_read(items[n].key, items[n].size);
        put_text("key ");
        put_hex(items[n].key);
        item_print(items[n].size);
    }
}

void test_main(void)
{
    static u8 file[FILES][ENTRY];
    bool whole = true;
    numbered();
    item_read(KEY_DIR, 4 + sizeof file);
    u32 files = be32((const u8 *)item);
    for (u32 n = 0; n < sizeof file; n++)
        file[n / ENTRY][n % ENTRY] = ((const u8 *)item)[4 + n];
    for (u32 n = 0; n < files && n < FILES; n++) {
        file[n][ENTRY - 1] = 0;
        whole = item_read((u32)file[n][4] << 8 | file[n][5], be32(file[n])) && whole;
        put_text("file ");
        put_text((const char *)file[n] + 8);
        item_print(be32(file[n]));
    }
    check(files && files <= FILES, "the directory has files");
    check(whole, "all were read");
    finish();
}
