/*
 * NOR flash with the Intel/Sharp extended command set, and its Common Flash Interface (JEDEC JESD68.01, Intel's CFI
 * publication 0x0001 and the StrataFlash J3 data sheet). A bank is two chips of 16 bits side by side; both are always
 * given the same command, so that one state stands for both, and what they answer appears in both halves of a word.
 *
 * What it holds is the memory behind the row (kind.memory), which PEs read and execute as long as the chips are in
 * read-array mode. Programming clears bits, only erasing sets them. Operations take no time.
 * Left out: locks of single blocks (all are unlocked), suspending, the protection register.
 */
#include "board/machine.h"
#include "board/boot/tree.h"

#include <stdio.h>

enum { FLASH_BLOCK = 0x40000, /* bytes that are erased together, of both chips */
       FLASH_BUFFER = 4096, FLASH_BANKS = 2, SECTOR = 512 };

/* What a read gives, and what the next write means. */
enum mode { READ_ARRAY, READ_STATUS, READ_ID, READ_QUERY, PROGRAM_DATA, ERASE_CONFIRM, BUFFER_COUNT, BUFFER_DATA,
            BUFFER_CONFIRM, LOCK_CONFIRM, MODES };
enum { STATUS_LOCKED = 0x02, STATUS_PROGRAM = 0x10, STATUS_ERASE = 0x20, STATUS_READY = 0x80 };

struct flash {
    u32 mode, status;
    u32 buffer_at;     /* offset of the block that a write to buffer names */
    u32 buffer_left;   /* words that are still to come */
    u32 low, high;     /* range of the bank that the buffer's bytes were written for; empty: low > high */
    u8 buffer[FLASH_BUFFER];
};
static const struct state_field fields[] = {
    STATE(flash, mode), STATE(flash, status), STATE(flash, buffer_at), STATE(flash, buffer_left),
    STATE(flash, low),  STATE(flash, high),   STATE(flash, buffer),
};

/* Query data from word 0x10 on (JESD68.01, 2.4): identification, voltages in BCD, times as powers of two of us and ms,
 * geometry of one chip, and Intel's extended table at 0x31. */
enum { QUERY_AT = 0x10 };
static const u8 query[] = {
    'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00, 0, 0, 0, 0, /* command set 1, its table at 0x31; no alternative */
    0x45, 0x55, 0, 0,                                  /* 4.5 V to 5.5 V, no programming voltage */
    7, 7, 10, 0, 4, 4, 4, 0,                           /* program, write buffer, erase a block: typical, times the most */
    25, 0x02, 0x00,                                    /* 2^25 bytes, 16 bits wide */
    11, 0x00,                                          /* 2^11 bytes of write buffer */
    1, 0xff, 0x00, 0x00, 0x02,                         /* one region: 256 blocks of 0x200 * 256 bytes */
    0, 0, 0, 0,                                        /* no second one */
    'P', 'R', 'I', '1', '0', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static u8 id_of(u32 word)
{
    static const u8 id[] = { 0x89, 0x18 }; /* manufacturer Intel, 128 Mbit J3; then, all unlocked, zero */
    return word < ARRAY_LEN(id) ? id[word] : 0;
}

/* The bank of a row: 0 or 1, as -drive if=pflash numbers them. */
static unsigned bank_of(struct place at) { return place_number(at); }

static bool protected(const struct machine *m, struct place at)
{
    unsigned disk = m->options.flash_disk[bank_of(at)];
    return disk && m->options.disk[disk - 1].readonly;
}

/* ---- what it holds ---- */

static u8 *bytes_at(struct machine *m, struct place at, u32 offset)
{
    u64 pa = place_base(m, at) + offset;
    const struct phys_region *r = phys_region_at(&m->d.phys, pa);
    return r->host + (pa - r->base);
}

/* The memory has changed: so does its file, as far as it goes. */
static void file_write(struct machine *m, struct place at, u32 offset, u32 size)
{
    unsigned disk = m->options.flash_disk[bank_of(at)];
    u64 from = offset & ~(u64)(SECTOR - 1), to = align_up((u64)offset + size, SECTOR);
    if (!disk || from >= m->options.disk[disk - 1].size || !m->d.host.disk_write)
        return;
    to = to < m->options.disk[disk - 1].size ? to : m->options.disk[disk - 1].size;
    if (!m->d.host.disk_write(m->d.host.ctx, disk - 1, from, bytes_at(m, at, (u32)from), to - from))
        machine_end(m, END_ERROR, 1, "flash: its file cannot be written");
}

static void program(struct machine *m, struct place at, u32 offset, const u8 *data, u32 size)
{
    u8 cleared[FLASH_BUFFER];
    const u8 *old = bytes_at(m, at, offset);
    for (u32 n = 0; n < size; n++)
        cleared[n] = old[n] & data[n];
    machine_write(m, place_base(m, at) + offset, cleared, size);
    file_write(m, at, offset, size);
}

static void erase(struct machine *m, struct place at, u32 offset)
{
    u8 ones_of[4096];
    u32 block = offset & ~(u32)(FLASH_BLOCK - 1);
    memset(ones_of, 0xff, sizeof(ones_of));
    for (u32 n = 0; n < FLASH_BLOCK; n += sizeof(ones_of))
        machine_write(m, place_base(m, at) + block + n, ones_of, sizeof(ones_of));
    file_write(m, at, block, FLASH_BLOCK);
}

/* Each operation ends by showing its status; a protected bank refuses it with the error of its kind. */
static bool begins(struct machine *m, struct flash *dev, struct place at, u32 error)
{
    dev->mode = READ_STATUS;
    if (!protected(m, at))
        return true;
    dev->status |= error | STATUS_LOCKED;
    return false;
}

/* ---- reads ---- */

static u32 word_of(const struct flash *dev, u32 word)
{
    u32 half = dev->mode == READ_ID                 ? id_of(word)
               : dev->mode != READ_QUERY            ? dev->status
               : word - QUERY_AT < ARRAY_LEN(query) ? query[word - QUERY_AT]
                                                    : 0;
    return half | half << 16;
}

static bool flash_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    const struct flash *dev = state;
    u32 offset = (u32)a->offset;
    if (dev->mode == READ_ARRAY) {
        memcpy(value, bytes_at(m, a->at, offset), a->size);
        return true;
    }
    u64 low = word_of(dev, offset >> 2 & 0xff), high = word_of(dev, (offset >> 2 & 0xff) + 1);
    *value = (high << 32 | low) >> offset % 4 * 8;
    return true;
}

/* ---- commands ---- */

static void command(struct machine *m, struct flash *dev, u32 offset, u8 code)
{
    switch (code) {
    case 0xff: dev->mode = READ_ARRAY; break;
    case 0x70: dev->mode = READ_STATUS; break;
    case 0x90: dev->mode = READ_ID; break;
    case 0x98: dev->mode = READ_QUERY; break;
    case 0x50: dev->status = STATUS_READY; break; /* and the mode stays */
    case 0x10:
    case 0x40: dev->mode = PROGRAM_DATA; break;
    case 0x20: dev->mode = ERASE_CONFIRM; break;
    case 0x60: dev->mode = LOCK_CONFIRM; break;
    case 0xe8:
        dev->mode = BUFFER_COUNT;
        dev->buffer_at = offset & ~(u32)(FLASH_BLOCK - 1);
        break;
    default: m->d.guest_error = ERROR_NONSENSE;
    }
}

/* The count is that of words less one, of each chip. */
static void buffer_count(struct flash *dev, u32 count)
{
    dev->buffer_left = (count & 0xffff) + 1;
    dev->low = ~(u32)0;
    dev->high = 0;
    dev->mode = BUFFER_DATA;
    memset(dev->buffer, 0xff, sizeof(dev->buffer)); /* what is not written programs nothing */
    if (dev->buffer_left > FLASH_BUFFER / 4) {
        dev->status |= STATUS_PROGRAM | STATUS_ERASE; /* an improper command sequence */
        dev->mode = READ_STATUS;
    }
}

/* Data for the buffer: all of it must lie in the buffer's size of one block. Less than a word counts as one. */
static void buffer_data(struct flash *dev, u32 offset, u32 size, u64 value)
{
    u32 low = offset < dev->low ? offset : dev->low, high = offset + size > dev->high ? offset + size : dev->high;
    if (low / FLASH_BUFFER != (high - 1) / FLASH_BUFFER || low / FLASH_BLOCK != dev->buffer_at / FLASH_BLOCK) {
        dev->status |= STATUS_PROGRAM | STATUS_ERASE;
        dev->mode = READ_STATUS;
        return;
    }
    dev->low = low;
    dev->high = high;
    memcpy(dev->buffer + offset % FLASH_BUFFER, &value, size);
    if (--dev->buffer_left == 0)
        dev->mode = BUFFER_CONFIRM;
}

static void buffer_confirm(struct machine *m, struct flash *dev, struct place at, u8 code)
{
    if (code != 0xd0) {
        dev->status |= STATUS_PROGRAM | STATUS_ERASE;
        dev->mode = READ_STATUS;
    } else if (begins(m, dev, at, STATUS_PROGRAM)) {
        program(m, at, dev->low, dev->buffer + dev->low % FLASH_BUFFER, dev->high - dev->low);
    }
}

static void erase_confirm(struct machine *m, struct flash *dev, struct place at, u32 offset, u8 code)
{
    if (code != 0xd0) {
        dev->status |= STATUS_PROGRAM | STATUS_ERASE;
        dev->mode = READ_STATUS;
    } else if (begins(m, dev, at, STATUS_ERASE)) {
        erase(m, at, offset);
    }
}

static bool flash_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct flash *dev = state;
    u32 offset = (u32)a->offset, size = a->size;
    if (size > 4) { /* the bus is a word wide */
        m->d.guest_error = ERROR_REGISTER;
        return true;
    }
    switch (dev->mode) {
    case PROGRAM_DATA:
        if (begins(m, dev, a->at, STATUS_PROGRAM))
            program(m, a->at, offset, (const u8 *)&value, size);
        break;
    case ERASE_CONFIRM: erase_confirm(m, dev, a->at, offset, (u8)value); break;
    case BUFFER_COUNT: buffer_count(dev, (u32)value); break;
    case BUFFER_DATA: buffer_data(dev, offset, size, value); break;
    case BUFFER_CONFIRM: buffer_confirm(m, dev, a->at, (u8)value); break;
    case LOCK_CONFIRM: dev->mode = READ_STATUS; break; /* no block can be locked */
    default: command(m, dev, offset, (u8)value);
    }
    return true;
}

static bool flash_closed(const void *state) { return ((const struct flash *)state)->mode != READ_ARRAY; }

static void flash_reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    *(struct flash *)state = (struct flash){ .mode = READ_ARRAY, .status = STATUS_READY };
}

static const char *flash_validate(const void *state, struct place at)
{
    const struct flash *dev = state;
    bool buffered = dev->mode == BUFFER_DATA || dev->mode == BUFFER_CONFIRM;
    u32 size = (u32)row_get(at.row)->size;
    if (dev->mode >= MODES || dev->buffer_left > FLASH_BUFFER / 4 || dev->buffer_at >= size ||
        (dev->mode == BUFFER_DATA && !dev->buffer_left))
        return "flash: state out of range";
    if (buffered && dev->low < dev->high &&
        (dev->high > size || dev->low / FLASH_BUFFER != (dev->high - 1) / FLASH_BUFFER))
        return "flash: buffer out of range";
    return dev->mode == BUFFER_CONFIRM && dev->low >= dev->high ? "flash: buffer out of range" : NULL;
}

/* Both banks are one node unless one of them is Secure. */
static void flash_node(struct tree *t, struct place at)
{
    bool split = t->m->options.secure, first = bank_of(at) == 0;
    const struct row *row = row_get(at.row);
    u64 base = place_base(t->m, at);
    char path[64];
    if (!split && !first)
        return;
    tree_device(t, path, split && first ? "secflash" : "flash", at);
    tree_compatible(t, path, at);
    if (split)
        tree_reg(t, path, at);
    else
        TREE_CELLS(t, path, "reg", TREE_CELLS64(base), TREE_CELLS64(row->size), TREE_CELLS64(base + row->size),
                   TREE_CELLS64(row->size));
    TREE_CELLS(t, path, "bank-width", 4);
    tree_secure(t, path, at);
}

const struct kind kind_cfi_flash = {
    .name = "cfi_flash",
    .compatible = "cfi-flash\0",
    .state = STATE_SHAPE(flash, fields),
    .version = 1,
    .memory = true,
    .read = flash_read,
    .write = flash_write,
    .closed = flash_closed,
    .reset = flash_reset,
    .validate = flash_validate,
    .node = flash_node,
};
