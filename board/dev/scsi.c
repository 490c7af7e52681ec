/*
 * A SCSI disk: commands of SPC-4 (primary) and SBC-3 (block), one at a time, each done when it returns. Sense data have
 * the fixed format (SPC-4, 4.5.3). Left out: unit attentions (nothing changes behind the initiator's back, and what a
 * reset would say is known from the transport), MODE SELECT, reservations, CD-ROMs.
 */
#include "board/dev/scsi.h"

#include "board/machine.h"

enum { CHUNK = 4096, SECTOR = 512, RANGE_BYTES = 8 << 20 /* of WRITE SAME and UNMAP: what one costs is bounded */ };
/* Sense key, additional sense code and its qualifier. */
enum { NO_SENSE = 0, MEDIUM_READ = 0x31100, MEDIUM_WRITE = 0x30c00, BAD_OPCODE = 0x52000, OUT_OF_RANGE = 0x52100,
       BAD_FIELD = 0x52400, NO_UNIT = 0x52500, BAD_PARAMETER = 0x52600, PARAMETER_LENGTH = 0x51a00, PROTECTED = 0x72700 };

static const struct disk_option *disk_of(const struct machine *m, const struct scsi_command *c)
{
    return &m->options.disk[c->disk];
}
static u32 block_of(const struct disk_option *disk) { return disk->block ? disk->block : SECTOR; }
static u64 blocks_of(const struct disk_option *disk) { return disk->size / block_of(disk); }

static u32 be(const u8 *from, unsigned size)
{
    u32 value = 0;
    for (unsigned n = 0; n < size; n++)
        value = value << 8 | from[n];
    return value;
}
static u64 be64(const u8 *from) { return (u64)be(from, 4) << 32 | be(from + 4, 4); }
static void be_put(u8 *to, u64 value, unsigned size)
{
    for (unsigned n = 0; n < size; n++)
        to[n] = (u8)(value >> 8 * (size - 1 - n));
}

static void sense_put(u8 *sense, u32 what)
{
    memset(sense, 0, SCSI_SENSE);
    sense[0] = 0x70;
    sense[2] = (u8)(what >> 16);
    sense[7] = SCSI_SENSE - 8;
    sense[12] = (u8)(what >> 8);
    sense[13] = (u8)what;
}

static void fail(struct scsi_command *c, u32 what)
{
    c->status = SCSI_CHECK_CONDITION;
    sense_put(c->sense, what);
}

/* Data of at most as many bytes as the command has room for (its allocation length). */
static void answer(struct scsi_command *c, const u8 *data, u32 size, u32 room)
{
    size = size < room ? size : room;
    c->overrun = size > c->in_size;
    if (!c->overrun && size && !c->in(c->ctx, 0, data, size))
        fail(c, MEDIUM_READ);
    c->done = c->overrun ? 0 : size;
}

static void nothing(struct machine *m, struct scsi_command *c) { (void)m, (void)c; }

/* ---- who it is (SPC-4, 6.4, 7.8) ---- */

static void text_put(u8 *to, const char *text, unsigned size)
{
    memset(to, ' ', size);
    memcpy(to, text, strlen(text) < size ? strlen(text) : size);
}

static unsigned serial_put(const struct disk_option *disk, u8 *to)
{
    unsigned size = 0;
    while (size < sizeof(disk->serial) && disk->serial[size])
        size++;
    memcpy(to, disk->serial, size);
    return size;
}

/* Block limits (SBC-3, 6.6.4): lengths in logical blocks. */
static unsigned limits_put(const struct disk_option *disk, u8 *to)
{
    u32 most = RANGE_BYTES / block_of(disk);
    if (disk->unmap) {
        be_put(to + 16, most, 4);
        be_put(to + 20, 1, 4); /* one range */
    }
    to[0] = 1; /* WRITE SAME of no blocks is refused */
    be_put(to + 32, most, 8);
    return 60;
}

static unsigned identity_put(const struct disk_option *disk, u8 *to)
{
    to[0] = 2; /* ASCII, vendor-specific, of the unit */
    unsigned size = serial_put(disk, to + 4);
    if (!size) {
        text_put(to + 4, "elmu", 4);
        size = 4;
    }
    to[3] = (u8)size;
    return size + 4;
}

/* What follows the head of a page of vital product data; its size, ~0: no such page. */
static unsigned page_put(const struct disk_option *disk, u8 page, u8 *to)
{
    static const u8 pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
    switch (page) {
    case 0x00: memcpy(to, pages, sizeof(pages)); return sizeof(pages);
    case 0x80: return serial_put(disk, to);
    case 0x83: return identity_put(disk, to);
    case 0xb0: return limits_put(disk, to);
    case 0xb1: be_put(to, 1, 2); return 60; /* does not rotate */
    case 0xb2:
        to[1] = disk->unmap ? 0xe4 : 0;
        to[2] = disk->unmap ? 2 : 0;
        return 4; /* UNMAP, WRITE SAME; thin */
    default: return ~0u;
    }
}

static void inquiry(struct machine *m, struct scsi_command *c)
{
    u8 data[256] = { c->lun ? 0x7f : 0 };
    u32 room = be(c->cdb + 3, 2);
    if (c->cdb[1] & 1) {
        unsigned size = page_put(disk_of(m, c), c->cdb[2], data + 4);
        if (size == ~0u || c->lun) {
            fail(c, BAD_FIELD);
            return;
        }
        data[1] = c->cdb[2];
        be_put(data + 2, size, 2);
        answer(c, data, size + 4, room);
        return;
    }
    if (c->cdb[2]) {
        fail(c, BAD_FIELD);
        return;
    }
    data[2] = 5; /* SPC-3 */
    data[3] = 0x12;
    data[4] = 36 - 5;
    data[7] = 2; /* commands are queued */
    text_put(data + 8, "QEMU", 8);
    text_put(data + 16, "QEMU HARDDISK", 16);
    text_put(data + 32, "2.5+", 4);
    answer(c, data, 36, room);
}

static void request_sense(struct machine *m, struct scsi_command *c)
{
    u8 sense[SCSI_SENSE];
    (void)m;
    sense_put(sense, c->lun ? NO_UNIT : NO_SENSE);
    if (c->cdb[1] & 1) /* descriptor format, without descriptors */
        answer(c, (u8[8]){ 0x72, sense[2], sense[12], sense[13] }, 8, c->cdb[4]);
    else
        answer(c, sense, SCSI_SENSE, c->cdb[4]);
}

static void report_luns(struct machine *m, struct scsi_command *c)
{
    u8 data[16] = { 0, 0, 0, 8 };
    (void)m;
    if (c->cdb[2] > 2 || be(c->cdb + 6, 4) < 16) {
        fail(c, BAD_FIELD);
        return;
    }
    data[3] = c->cdb[2] == 1 ? 0 : 8; /* 1: well-known units alone */
    answer(c, data, data[3] + 8u, be(c->cdb + 6, 4));
}

/* ---- how large, how it is set (SBC-3 5.15, 5.16, 6.5) ---- */

static void read_capacity(struct machine *m, struct scsi_command *c)
{
    u64 last = blocks_of(disk_of(m, c)) - 1;
    u8 data[8];
    be_put(data, last > 0xffffffff ? 0xffffffff : last, 4);
    be_put(data + 4, block_of(disk_of(m, c)), 4);
    answer(c, data, 8, 8);
}

static void service_action(struct machine *m, struct scsi_command *c)
{
    const struct disk_option *disk = disk_of(m, c);
    u8 data[32] = { 0 };
    if ((c->cdb[1] & 31) != 16) {
        fail(c, BAD_FIELD);
        return;
    }
    be_put(data, blocks_of(disk) - 1, 8);
    be_put(data + 8, block_of(disk), 4);
    while (disk->physical && block_of(disk) << data[13] < disk->physical)
        data[13]++;
    data[14] = disk->unmap ? 0xc0 : 0; /* blocks can be unmapped, and then read as zeros */
    answer(c, data, sizeof(data), be(c->cdb + 10, 4));
}

/* Page 8, caching; 0x3f is all of them. What could be changed is nothing. */
static void mode_sense(struct machine *m, struct scsi_command *c)
{
    const struct disk_option *disk = disk_of(m, c);
    bool ten = c->cdb[0] == 0x5a, block = !(c->cdb[1] & 8);
    u8 data[64] = { 0 }, page = c->cdb[2] & 0x3f, control = c->cdb[2] >> 6;
    unsigned head = ten ? 8 : 4, size = head + (block ? 8 : 0);
    if (control == 3 || (page != 8 && page != 0x3f)) {
        fail(c, control == 3 ? 0x53900 : BAD_FIELD); /* no saved parameters */
        return;
    }
    data[ten ? 3 : 2] = disk->readonly ? 0x90 : 0x10; /* write protected; DPO and FUA are taken */
    data[ten ? 7 : 3] = block ? 8 : 0;
    if (block) {
        be_put(data + head, blocks_of(disk) > 0xffffff ? 0 : blocks_of(disk), 4);
        be_put(data + head + 5, block_of(disk), 3);
    }
    data[size] = 8;
    data[size + 1] = 18;
    data[size + 2] = control == 1 || disk->through ? 0 : 4; /* WCE */
    size += 20;
    be_put(data, ten ? size - 2 : size - 1, ten ? 2 : 1);
    answer(c, data, size, ten ? be(c->cdb + 7, 2) : c->cdb[4]);
}

/* ---- blocks ---- */

struct extent {
    u64 first, count;
};

/* Where a command's first block and their number are, by the length that its group of operation codes has (SPC-4,
 * 4.2.5.1). */
static struct extent extent_of(const u8 *cdb)
{
    switch (cdb[0] >> 5) {
    case 0: return (struct extent){ be(cdb + 1, 3) & 0x1fffff, cdb[4] ? cdb[4] : 256 };
    case 4: return (struct extent){ be64(cdb + 2), be(cdb + 10, 4) };
    case 5: return (struct extent){ be(cdb + 2, 4), be(cdb + 6, 4) };
    default: return (struct extent){ be(cdb + 2, 4), be(cdb + 7, 2) };
    }
}

static bool in_disk(const struct disk_option *disk, struct extent e)
{
    return e.first <= blocks_of(disk) && e.count <= blocks_of(disk) - e.first;
}

static void flush(struct machine *m, struct scsi_command *c)
{
    if (c->status == SCSI_GOOD && m->d.host.disk_flush && !m->d.host.disk_flush(m->d.host.ctx, c->disk))
        fail(c, MEDIUM_WRITE);
}

/* FUA, or no cache. */
static void written(struct machine *m, struct scsi_command *c)
{
    if (disk_of(m, c)->through || (c->cdb[0] >> 5 && c->cdb[1] & 8))
        flush(m, c);
}

static void move(struct machine *m, struct scsi_command *c, bool write)
{
    const struct disk_option *disk = disk_of(m, c);
    const struct machine_host *host = &m->d.host;
    struct extent e = extent_of(c->cdb);
    u8 buffer[CHUNK];
    u64 size = e.count * block_of(disk), at = e.first * block_of(disk);
    if (write && disk->readonly)
        fail(c, PROTECTED);
    else if (!in_disk(disk, e))
        fail(c, OUT_OF_RANGE);
    c->overrun = c->status == SCSI_GOOD && size > (write ? c->out_size : c->in_size);
    while (!c->overrun && c->status == SCSI_GOOD && c->done < size) {
        u64 part = size - c->done < CHUNK ? size - c->done : CHUNK;
        bool ok = write ? c->out(c->ctx, c->done, buffer, part) &&
                              host->disk_write(host->ctx, c->disk, at + c->done, buffer, part)
                        : host->disk_read(host->ctx, c->disk, at + c->done, buffer, part) &&
                              c->in(c->ctx, c->done, buffer, part);
        if (ok)
            c->done += part;
        else
            fail(c, write ? MEDIUM_WRITE : MEDIUM_READ);
    }
}

static void read_blocks(struct machine *m, struct scsi_command *c) { move(m, c, false); }
static void write_blocks(struct machine *m, struct scsi_command *c)
{
    move(m, c, true);
    written(m, c);
}
static void write_verify(struct machine *m, struct scsi_command *c)
{
    move(m, c, true);
    flush(m, c);
}

/* Without a comparison with data: that the blocks are there. */
static void verify(struct machine *m, struct scsi_command *c)
{
    if (c->cdb[1] & 6)
        fail(c, BAD_FIELD);
    else if (!in_disk(disk_of(m, c), extent_of(c->cdb)))
        fail(c, OUT_OF_RANGE);
}

static void zero(struct machine *m, struct scsi_command *c, struct extent e, bool unmap)
{
    u64 block = block_of(disk_of(m, c));
    if (!m->d.host.disk_zero || !m->d.host.disk_zero(m->d.host.ctx, c->disk, e.first * block, e.count * block, unmap))
        fail(c, MEDIUM_WRITE);
}

/* One block over all (SBC-3, 5.42); of zeros it may be unmapped. */
static void write_same(struct machine *m, struct scsi_command *c)
{
    const struct disk_option *disk = disk_of(m, c);
    const struct machine_host *host = &m->d.host;
    static const u8 zeros[32768];
    u8 data[sizeof(zeros)];
    u32 block = block_of(disk);
    struct extent e = extent_of(c->cdb);
    bool unmap = c->cdb[1] & 8;
    if (disk->readonly)
        fail(c, PROTECTED);
    else if (!in_disk(disk, e))
        fail(c, OUT_OF_RANGE);
    else if (c->cdb[1] & 0x17 || !e.count || e.count > RANGE_BYTES / block || (unmap && !disk->unmap))
        fail(c, BAD_FIELD);
    c->overrun = c->status == SCSI_GOOD && c->out_size < block;
    if (c->overrun || c->status != SCSI_GOOD)
        return;
    if (!c->out(c->ctx, 0, data, block))
        fail(c, MEDIUM_WRITE);
    else if (!memcmp(data, zeros, block))
        zero(m, c, e, unmap);
    else
        for (u64 n = 0; n < e.count && c->status == SCSI_GOOD; n++)
            if (!host->disk_write(host->ctx, c->disk, (e.first + n) * block, data, block))
                fail(c, MEDIUM_WRITE);
    c->done = c->status == SCSI_GOOD ? block : 0;
    if (disk->through)
        flush(m, c);
}

/* One range (SBC-3, 5.28). */
static void unmap_blocks(struct machine *m, struct scsi_command *c)
{
    const struct disk_option *disk = disk_of(m, c);
    u32 size = be(c->cdb + 7, 2);
    u8 list[24];
    if (!disk->unmap) {
        fail(c, BAD_OPCODE);
        return;
    }
    if (!size)
        return;
    c->overrun = size > c->out_size;
    if (c->overrun)
        return;
    if (disk->readonly)
        fail(c, PROTECTED);
    else if (size < 8 || !c->out(c->ctx, 0, list, size < 24 ? size : 24))
        fail(c, PARAMETER_LENGTH);
    if (c->status != SCSI_GOOD)
        return;
    u32 ranges = be(list + 2, 2);
    c->done = size;
    if (ranges < 16) /* none */
        return;
    struct extent e = { be64(list + 8), be(list + 16, 4) };
    if (ranges >= 32 || size < 24)
        fail(c, BAD_PARAMETER);
    else if (!in_disk(disk, e))
        fail(c, OUT_OF_RANGE);
    else if (e.count > RANGE_BYTES / block_of(disk))
        fail(c, BAD_PARAMETER);
    else if (e.count)
        zero(m, c, e, true);
}

/* ---- which command ---- */

enum { ANY_UNIT = 1 /* it answers for units that are not there, too (SAM-5, 4.6.1) */ };
static const struct {
    u8 code, flags;
    void (*run)(struct machine *m, struct scsi_command *c);
} commands[] = {
    { 0x00, 0, nothing }, /* TEST UNIT READY */
    { 0x03, ANY_UNIT, request_sense },
    { 0x08, 0, read_blocks }, /* READ (6), (10), (12), (16) */
    { 0x28, 0, read_blocks },
    { 0xa8, 0, read_blocks },
    { 0x88, 0, read_blocks },
    { 0x0a, 0, write_blocks }, /* WRITE (6), (10), (12), (16) */
    { 0x2a, 0, write_blocks },
    { 0xaa, 0, write_blocks },
    { 0x8a, 0, write_blocks },
    { 0x2e, 0, write_verify }, /* WRITE AND VERIFY (10), (16) */
    { 0x8e, 0, write_verify },
    { 0x2f, 0, verify }, /* VERIFY (10), (16) */
    { 0x8f, 0, verify },
    { 0x12, ANY_UNIT, inquiry },
    { 0x1a, 0, mode_sense }, /* MODE SENSE (6), (10) */
    { 0x5a, 0, mode_sense },
    { 0x1b, 0, nothing }, /* START STOP UNIT */
    { 0x1e, 0, nothing }, /* PREVENT ALLOW MEDIUM REMOVAL */
    { 0x25, 0, read_capacity },
    { 0x9e, 0, service_action }, /* READ CAPACITY (16) */
    { 0x35, 0, flush },          /* SYNCHRONIZE CACHE (10), (16) */
    { 0x91, 0, flush },
    { 0x41, 0, write_same }, /* WRITE SAME (10), (16) */
    { 0x93, 0, write_same },
    { 0x42, 0, unmap_blocks },
    { 0xa0, ANY_UNIT, report_luns },
};

void scsi_run(struct machine *m, struct scsi_command *c)
{
    c->done = 0;
    c->overrun = false;
    c->status = SCSI_GOOD;
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (commands[n].code == c->cdb[0]) {
            if (c->lun && !(commands[n].flags & ANY_UNIT))
                fail(c, NO_UNIT);
            else
                commands[n].run(m, c);
            return;
        }
    fail(c, c->lun ? NO_UNIT : BAD_OPCODE);
}
