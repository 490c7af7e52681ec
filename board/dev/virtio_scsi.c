/*
 * virtio SCSI host device (Virtual I/O Device specification 1.2, 5.6) with at most one disk: target 0, unit 0
 * (board/dev/scsi.c). Requests complete a fixed time after they were announced, in their order, so that there is never
 * one that a task management function could abort. Left out: several request queues, events (nothing is plugged in
 * later), other sizes of CDB and sense data than at reset, protection information.
 */
#include "board/dev/scsi.h"
#include "board/machine.h"

enum { CONTROL_QUEUE, EVENT_QUEUE, REQUEST_QUEUE, QUEUES };
enum { REQUEST_NS = 100000, SENSE_SIZE = 96, CDB_SIZE = 32, REQUEST_SIZE = 19 + CDB_SIZE, RESPONSE_SIZE = 12 + SENSE_SIZE };
/* The device's configuration (5.6.4): how many request queues, segments, sectors at once, commands for a unit; sizes of
 * an event, sense data and a CDB; the highest target and unit. */
enum { CONFIG_QUEUES = 0, CONFIG_SEGMENTS = 4, CONFIG_SECTORS = 8, CONFIG_COMMANDS = 12, CONFIG_EVENT = 16,
       CONFIG_SENSE = 20, CONFIG_CDB = 24, CONFIG_TARGET = 30, CONFIG_UNIT = 32, CONFIG_SIZE = 36 };
enum { S_OK = 0, S_OVERRUN = 1, S_BAD_TARGET = 3, S_FAILURE = 9, S_FUNCTION_REJECTED = 11, S_INCORRECT_LUN = 12 };
enum { T_TMF = 0, T_AN_QUERY = 1, T_AN_SUBSCRIBE = 2, TMF_LAST = 7 };

static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    u8 config[CONFIG_SIZE + 8] = { 0 };
    (void)m, (void)dev;
    store_le32(config + CONFIG_QUEUES, 1);
    store_le32(config + CONFIG_SEGMENTS, 254);
    store_le32(config + CONFIG_SECTORS, 0xffff);
    store_le32(config + CONFIG_COMMANDS, 128);
    store_le32(config + CONFIG_EVENT, 16);
    store_le32(config + CONFIG_SENSE, SENSE_SIZE);
    store_le32(config + CONFIG_CDB, CDB_SIZE);
    store_le16(config + CONFIG_TARGET, 255);
    store_le32(config + CONFIG_UNIT, 16383);
    u64 value = 0;
    if (offset + size <= CONFIG_SIZE)
        memcpy(&value, config + offset, size);
    return value;
}

/* What Linux writes is what they are. */
static bool config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value)
{
    (void)m, (void)dev;
    return size == 4 &&
           ((offset == CONFIG_SENSE && value == SENSE_SIZE) || (offset == CONFIG_CDB && value == CDB_SIZE));
}

/* Which unit of the target an address names (5.6.6.1); -1: no such target. 0xc1, 1 is REPORT LUNS' own: unit 1 answers
 * that as well. */
static int unit_of(const struct machine *m, const struct virtio *dev, const u8 lun[8])
{
    if (!m->options.disk[dev->unit].size)
        return -1;
    if (lun[0] == 0xc1 && lun[1] == 1)
        return 1;
    return lun[0] == 1 && lun[1] == 0 ? (lun[2] & 0x3f) << 8 | lun[3] : -1;
}

struct transfer {
    struct machine *m;
    struct virtio *dev;
    const struct virtio_chain *chain;
};
static bool data_out(void *ctx, u64 offset, void *to, u64 size)
{
    struct transfer *t = ctx;
    return virtio_copy_from(t->m, t->dev, t->chain, REQUEST_SIZE + offset, to, size);
}
static bool data_in(void *ctx, u64 offset, const void *from, u64 size)
{
    struct transfer *t = ctx;
    return virtio_copy_to(t->m, t->dev, t->chain, RESPONSE_SIZE + offset, from, size);
}

static u8 command(struct machine *m, const struct virtio *dev, const u8 *request, struct scsi_command *c)
{
    int unit = unit_of(m, dev, request);
    if (unit < 0)
        return S_BAD_TARGET;
    if (c->out_size && c->in_size) /* VIRTIO_SCSI_F_INOUT is not offered */
        return S_FAILURE;
    memcpy(c->cdb, request + 19, CDB_SIZE);
    c->disk = dev->unit;
    c->lun = (unsigned)unit;
    c->out = data_out;
    c->in = data_in;
    scsi_run(m, c);
    return c->overrun ? S_OVERRUN : S_OK;
}

/* A command for a unit. False: its parts are not there. */
static bool request_done(struct machine *m, struct virtio *dev, const struct virtio_chain *chain, u32 *len)
{
    u8 request[REQUEST_SIZE], response[RESPONSE_SIZE] = { 0 };
    if (chain->readable < REQUEST_SIZE || chain->writable < RESPONSE_SIZE ||
        !virtio_copy_from(m, dev, chain, 0, request, REQUEST_SIZE))
        return false;
    struct transfer t = { m, dev, chain };
    struct scsi_command c = { .out_size = chain->readable - REQUEST_SIZE,
                              .in_size = chain->writable - RESPONSE_SIZE,
                              .ctx = &t };
    response[11] = command(m, dev, request, &c);
    store_le32(response + 4, (u32)(c.out_size + c.in_size - c.done));
    if (response[11] == S_OK && c.status != SCSI_GOOD) {
        store_le32(response, SCSI_SENSE);
        response[10] = (u8)c.status;
        memcpy(response + 12, c.sense, SCSI_SENSE);
    }
    *len = RESPONSE_SIZE + (c.in_size ? (u32)c.done : 0);
    return virtio_copy_to(m, dev, chain, 0, response, RESPONSE_SIZE);
}

/* Task management: there is no task. Of asynchronous notifications there are none either: the set of them is empty. */
static bool control_done(struct machine *m, struct virtio *dev, const struct virtio_chain *chain, u32 *len)
{
    u8 request[24] = { 0 }, answer[5] = { 0 };
    u64 size = chain->readable < sizeof(request) ? chain->readable : sizeof(request);
    if (size < 4 || !virtio_copy_from(m, dev, chain, 0, request, size))
        return false;
    u32 type = load_le32(request), needs = type == T_TMF ? 24 : 16;
    *len = type == T_TMF ? 1 : 5;
    if (type > T_AN_SUBSCRIBE || size < needs || chain->writable < *len)
        return false;
    int unit = unit_of(m, dev, request + (type == T_TMF ? 8 : 4));
    u8 response = unit < 0 ? S_BAD_TARGET : unit > 0 ? S_INCORRECT_LUN : S_OK;
    if (type == T_TMF && load_le32(request + 4) > TMF_LAST)
        response = S_FUNCTION_REJECTED;
    answer[*len - 1] = response;
    return virtio_copy_to(m, dev, chain, 0, answer, *len);
}

/* Buffers for events are kept by the driver's rings: none is ever needed. */
static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    struct virtio_chain chain;
    u32 len = 0;
    if (q == EVENT_QUEUE || !virtio_pop(m, dev, q, &chain))
        return false;
    if ((q == CONTROL_QUEUE ? control_done : request_done)(m, dev, &chain, &len))
        return virtio_push(m, dev, q, &chain, len);
    virtio_fail(dev);
    return false;
}

const struct virtio_ops virtio_scsi_ops = {
    .queues = QUEUES, .config_size = CONFIG_SIZE, .queue_size = { 256, 256, 256 },
    .back_end = BACK_END_DISK,
    .takes_ns = REQUEST_NS,
    .config_read = config_read,
    .config_write = config_write,
    .serve = serve,
};
