/*
 * The firmware configuration device: a selector, a data register and a DMA interface, through which firmware (and
 * Linux's driver of it) read items: kernel, initial RAM disk, command line, tables, files of -fw_cfg. Specified by
 * QEMU's docs/specs/fw_cfg; the items are in board/boot/fw_items.c.
 * The guest may write files that a device has (struct kind, file). Left out: keys of other architectures.
 */
#include "board/dev/fw_cfg.h"

#include "board/acpi/aml.h"
#include "board/boot/tree.h"

#include <stdlib.h>

/* Registers; the selector and the DMA address are big-endian. */
enum { DATA = 0, SELECTOR = 8, DMA = 16, END = 24 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { KEY_WRITE = 0x4000, /* once chose an item for writing */ NO_KEY = 0xffff };
static const u8 signature[8] = "QEMU CFG"; /* what the DMA register reads as */

struct fw_cfg {
    u32 key, offset; /* the item chosen, and the byte of it that is read next */
    u64 dma;         /* high half of the address that was written */
};
static const struct state_field fields[] = { STATE(fw_cfg, key), STATE(fw_cfg, offset), STATE(fw_cfg, dma) };

/* ---- the store: a count of items, then for each key, size, and offset in the store; then what they hold ---- */

/* Of the word with the key: bit 31 says that it is one, bits 30:16 are 1 + the row that hears of writes. */
#define ITEM_THERE      BIT(31)
#define ITEM_WRITER(of) bits(of, 30, 16)

enum { ITEM_KEY = 0, ITEM_SIZE = 4, ITEM_AT = 8, ITEM = 16, ITEMS_AT = 16, DATA_AT = ITEMS_AT + FW_CFG_ITEMS * ITEM,
       FILE_ENTRY = 64 };

/* A part of the store; NULL: it does not have that many bytes there. */
static u8 *store_at(struct machine *m, u64 at, u64 size)
{
    const struct phys_region *r = phys_region_at(&m->d.phys, STORE_BASE);
    return r && at <= r->size && size <= r->size - at ? r->host + at : NULL;
}

/* The chosen item's entry; NULL: there is no such item. */
static const u8 *item_entry(struct machine *m, const struct fw_cfg *f)
{
    const u8 *items = store_at(m, ITEMS_AT, FW_CFG_ITEMS * ITEM);
    for (const u8 *item = items; items && item < items + FW_CFG_ITEMS * ITEM; item += ITEM) {
        u32 key = load_le32(item + ITEM_KEY);
        if (key & ITEM_THERE && (key & 0xffff) == f->key)
            return item;
    }
    return NULL;
}

/* What the chosen item holds from the next byte on, and how much that is; NULL: nothing. The store may come from a
 * hostile snapshot. */
static const u8 *item_rest(struct machine *m, const struct fw_cfg *f, u64 *left)
{
    const u8 *item = item_entry(m, f);
    u32 size = item ? load_le32(item + ITEM_SIZE) : 0;
    const u8 *data = item ? store_at(m, load_le64(item + ITEM_AT), size) : NULL;
    *left = data && f->offset < size ? size - f->offset : 0;
    return *left ? data + f->offset : NULL;
}

/* Pages that hold it already, as all do after a reset, stay untouched. */
static bool store_put(struct machine *m, u64 at, const void *data, u64 size)
{
    static const u64 part = 4096;
    for (u64 done = 0; done < size; done += part) {
        u64 count = size - done < part ? size - done : part;
        const u8 *from = (const u8 *)data + done, *now = store_at(m, at + done, count);
        if (!now || (memcmp(now, from, count) && !machine_write(m, STORE_BASE + at + done, from, count)))
            return false;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct fw_cfg_item *x = a, *y = b;
    if (!x->name || !y->name)
        return (x->name != NULL) - (y->name != NULL);
    return strcmp(x->name, y->name);
}

static bool items_sort(struct fw_cfg_item *items, unsigned count, const char **wrong)
{
    *wrong = "too many items";
    if (count >= FW_CFG_ITEMS) /* one is the directory */
        return false;
    qsort(items, count, sizeof(*items), by_name);
    for (unsigned n = 0; n < count; n++) {
        *wrong = items[n].size > UINT32_MAX                                 ? "an item is larger than 4 GiB"
                 : items[n].name && strlen(items[n].name) >= FW_CFG_NAME    ? "a name has more than 55 characters"
                 : n && items[n].name && !by_name(&items[n - 1], &items[n]) ? "two files have the same name"
                                                                            : NULL;
        if (*wrong)
            return false;
    }
    return true;
}

/* Keys of files, and the directory: their count, then each one's size, key and name. Returns its size. */
static u64 directory_make(struct fw_cfg_item *items, unsigned count, u8 *directory)
{
    u32 files = 0;
    for (unsigned n = 0; n < count; n++)
        if (items[n].name) {
            u8 *entry = directory + 4 + files * FILE_ENTRY;
            items[n].key = FW_CFG_FILES + files++;
            store_be32(entry, (u32)items[n].size);
            store_be16(entry + 4, (u16)items[n].key);
            memcpy(entry + 8, items[n].name, strlen(items[n].name));
        }
    store_be32(directory, files);
    return 4 + (u64)files * FILE_ENTRY;
}

static bool items_put(struct machine *m, const struct fw_cfg_item *items, unsigned count)
{
    u8 head[DATA_AT] = { 0 };
    u64 at = DATA_AT;
    store_le32(head, count);
    for (unsigned n = 0; n < count; n++) {
        u8 *item = head + ITEMS_AT + n * ITEM;
        store_le32(item + ITEM_KEY, items[n].key | items[n].writer << 16 | (u32)ITEM_THERE);
        store_le32(item + ITEM_SIZE, (u32)items[n].size);
        store_le64(item + ITEM_AT, at);
        if (!store_put(m, at, items[n].data, items[n].size))
            return false;
        at += align_up(items[n].size, 16);
    }
    return store_put(m, 0, head, sizeof(head));
}

bool fw_cfg_fill(struct machine *m, struct fw_cfg_item *items, unsigned count, const char **wrong)
{
    static const char none[] = "";
    struct fw_cfg_item all[FW_CFG_ITEMS];
    u8 directory[4 + FW_CFG_ITEMS * FILE_ENTRY] = { 0 };
    u64 room = DATA_AT;
    if (!items_sort(items, count, wrong))
        return false;
    u64 size = directory_make(items, count, directory);
    memcpy(all, items, count * sizeof(*items));
    all[count++] = (struct fw_cfg_item){ NULL, FW_CFG_FILE_DIR, directory, size, 0 };
    for (unsigned n = 0; n < count; n++) {
        room += align_up(all[n].size, 16);
        all[n].data = all[n].size ? all[n].data : none;
    }
    *wrong = "there is no memory for the items, or there are more of them than before the reset";
    return machine_store(m, room) && items_put(m, all, count);
}

/* ---- registers ---- */

static void item_select(struct fw_cfg *f, u32 key)
{
    f->key = key & ~(u32)KEY_WRITE;
    f->offset = 0;
}

/* The next bytes of the item, zeros after its end. */
static void item_read(struct machine *m, struct fw_cfg *f, u8 *bytes, u64 size)
{
    u64 left;
    const u8 *data = item_rest(m, f, &left);
    u64 part = size < left ? size : left;
    memset(bytes, 0, size);
    if (part)
        memcpy(bytes, data, part);
    f->offset += (u32)part;
}

static void item_skip(struct machine *m, struct fw_cfg *f, u64 size)
{
    u64 left;
    item_rest(m, f, &left);
    f->offset += (u32)(size < left ? size : left);
}

/* False: nothing is at the guest's address. */
static bool dma_read(struct machine *m, struct fw_cfg *f, struct place at, u64 pa, u64 size)
{
    u8 page[4096];
    for (u64 done = 0, part; done < size; done += part) {
        part = size - done < sizeof(page) ? size - done : sizeof(page);
        item_read(m, f, page, part);
        if (!device_dma(m, at, pa + done, page, part, true, true))
            return false;
    }
    return true;
}

/* The row that hears of writes to the chosen item; ROW_COUNT: nothing may be written there. */
static u32 item_writer(struct machine *m, const struct fw_cfg *f)
{
    const u8 *item = item_entry(m, f);
    u32 row = item ? (u32)ITEM_WRITER(load_le32(item + ITEM_KEY)) - 1 : ROW_COUNT;
    bool writes = row < ROW_COUNT && row_count(m, row) && row_get(row)->kind && row_get(row)->kind->file_written;
    return writes && load_le32(item + ITEM_SIZE) == row_get(row)->kind->file_size ? row : ROW_COUNT;
}

/* False: nothing may be written there, or not so much, or nothing is at the guest's address. */
static bool dma_write(struct machine *m, struct fw_cfg *f, struct place at, u64 pa, u64 size)
{
    enum { FILE_MAX = 64 };
    u64 left;
    u8 bytes[FILE_MAX];
    u32 row = item_writer(m, f);
    const u8 *data = item_rest(m, f, &left);
    if (row == ROW_COUNT || size > left || size > sizeof(bytes) || !device_dma(m, at, pa, bytes, size, false, true))
        return false;
    const u8 *file = data - f->offset;
    u64 offset = (u64)(data - store_at(m, 0, 1));
    f->offset += (u32)size;
    if (!store_put(m, offset, bytes, size))
        return false;
    row_get(row)->kind->file_written(m, place_state(m, (struct place){ (u16)row, 0 }), file);
    return true;
}

/* What the structure at `dma` asks for: control and length in 32 bits each, an address in 64. */
static void dma_run(struct machine *m, struct fw_cfg *f, struct place at, u64 dma)
{
    u8 ask[16], answer[4];
    bool ok = device_dma(m, at, dma, ask, sizeof(ask), false, true);
    u32 control = ok ? load_be32(ask) : 0, length = ok ? load_be32(ask + 4) : 0;
    if (control & DMA_SELECT)
        item_select(f, control >> 16);
    if (control & DMA_READ)
        ok = dma_read(m, f, at, load_be64(ask + 8), length);
    else if (control & DMA_WRITE)
        ok = ok && (!length || dma_write(m, f, at, load_be64(ask + 8), length));
    else if (control & DMA_SKIP)
        item_skip(m, f, length);
    store_be32(answer, ok ? 0 : DMA_ERROR);
    device_dma(m, at, dma, answer, sizeof(answer), true, true);
}

static bool fw_cfg_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    struct fw_cfg *f = state;
    u8 bytes[8] = { 0 };
    if (a->offset < SELECTOR)
        item_read(m, f, bytes, a->size);
    else if (a->offset >= DMA && a->offset < END && !m->options.fw_cfg_no_dma)
        memcpy(bytes, signature + (a->offset - DMA), a->size);
    else
        m->d.guest_error = ERROR_REGISTER;
    *value = load_le64(bytes);
    return true;
}

static bool fw_cfg_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct fw_cfg *f = state;
    u64 number = __builtin_bswap64(value) >> (64 - a->size * 8);
    if (a->offset == SELECTOR && a->size == 2) {
        item_select(f, (u32)number);
    } else if (a->offset >= DMA && m->options.fw_cfg_no_dma) {
        m->d.guest_error = ERROR_REGISTER;
    } else if (a->offset == DMA && a->size == 4) {
        f->dma = number << 32;
    } else if ((a->offset == DMA && a->size == 8) || (a->offset == DMA + 4 && a->size == 4)) {
        u64 dma = a->size == 8 ? number : f->dma | number;
        f->dma = 0;
        dma_run(m, f, a->at, dma);
    } else {
        m->d.guest_error = a->offset < SELECTOR ? ERROR_REGISTER : ERROR_SIZE;
    }
    return true;
}

static void fw_cfg_reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    *(struct fw_cfg *)state = (struct fw_cfg){ 0 };
}

static void fw_cfg_node(struct tree *t, struct place at)
{
    char path[64];
    tree_device(t, path, "fw-cfg", at);
    tree_flag(t, path, "dma-coherent");
    tree_reg(t, path, at);
    tree_compatible(t, path, at);
}

static void fw_cfg_acpi(struct writer *w, struct place at)
{
    u32 from = aml_open_named(w, AML_DEVICE, "FWCF");
    aml_name_string(w, "_HID", "QEMU0002");
    aml_name_number(w, "_STA", AML_STA_HIDDEN);
    aml_name_number(w, "_CCA", 1);
    aml_row(w, at);
    aml_close(w, from);
}

const struct kind kind_fw_cfg = {
    .name = "fw_cfg",
    .compatible = "qemu,fw-cfg-mmio\0",
    .state = STATE_SHAPE(fw_cfg, fields),
    .version = 1,
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .reset = fw_cfg_reset,
    .node = fw_cfg_node,
    .acpi = fw_cfg_acpi,
};
