/*
 * virtio graphics device, 2D (Virtual I/O Device specification 1.2, 5.7): commands make resources, fill them from the
 * guest's RAM and show them on heads; a second queue moves pointers. What they change is in gpu.c.
 *
 * A command completes a fixed time after it was announced, and one that moved many bytes keeps the next one waiting, as
 * memory would. Each is one step with all its DMA: what an SMMU holds back is as if it had not been. Left out: 3D,
 * blobs, UUIDs, and events, since the heads never change by themselves.
 */
#include "board/dev/edid.h"
#include "board/dev/gpu.h"

enum { CONTROL_QUEUE, CURSOR_QUEUE, QUEUES };
#define F_EDID BIT(1)
/* The configuration (5.7.4): events, those to be cleared, how many heads. */
enum { CONFIG_EVENTS = 0, CONFIG_CLEAR = 4, CONFIG_HEADS = 8, CONFIG_SIZE = 16 };
/* 5.7.6.7 */
enum { GET_DISPLAY_INFO = 0x100, RESOURCE_CREATE_2D, RESOURCE_UNREF, SET_SCANOUT, RESOURCE_FLUSH, TRANSFER_TO_HOST_2D,
       RESOURCE_ATTACH_BACKING, RESOURCE_DETACH_BACKING, GET_EDID = 0x10a, UPDATE_CURSOR = 0x300, MOVE_CURSOR };
enum { OK_NODATA = 0x1100, OK_DISPLAY_INFO, OK_EDID = 0x1104, ERR_UNSPEC = 0x1200, ERR_OUT_OF_MEMORY,
       ERR_INVALID_SCANOUT_ID, ERR_INVALID_RESOURCE_ID, ERR_INVALID_PARAMETER = 0x1205 };
/* The header of commands and responses: type, flags, fence, context, ring. */
enum { TYPE = 0, FLAGS = 4, FENCE = 8, CONTEXT = 16, HEADER = 24, FLAG_FENCE = 1 };
enum { REQUEST_MAX = 56, DISPLAY_INFO_SIZE = HEADER + 24 * MAX_SCREENS, EDID_ROOM = 1024,
       EDID_RESPONSE = HEADER + 8 + EDID_ROOM };
enum { COMMAND_NS = 50000, MANY_BYTES = 64 << 10, BYTES_A_NS = 4 };

struct call {
    struct machine *m;
    struct virtio *dev;
    struct gpu *g;
    const struct virtio_chain *chain;
    u8 request[REQUEST_MAX]; /* zeros after its end */
    u8 response[EDID_RESPONSE];
    u32 size;  /* of the response */
    u64 moved; /* bytes, beside request and response */
};

static u32 word(const struct call *c, unsigned offset) { return load_le32(c->request + offset); }
static struct gpu_rect rect_of(const struct call *c, unsigned offset)
{
    return (struct gpu_rect){ word(c, offset), word(c, offset + 4), word(c, offset + 8), word(c, offset + 12) };
}

/* ---- what there is ---- */

static u32 get_display_info(struct call *c)
{
    const struct gpu_option *o = &c->m->options.gpu[c->dev->unit];
    for (unsigned n = 0; n < gpu_heads(c->m, c->dev->unit); n++) {
        u8 *mode = c->response + HEADER + 24 * n;
        store_le32(mode, n * o->xres); /* side by side */
        store_le32(mode + 8, o->xres);
        store_le32(mode + 12, o->yres);
        store_le32(mode + 16, 1); /* enabled */
    }
    c->size = DISPLAY_INFO_SIZE;
    return OK_DISPLAY_INFO;
}

static u32 get_edid(struct call *c)
{
    const struct gpu_option *o = &c->m->options.gpu[c->dev->unit];
    if (o->no_edid)
        return ERR_UNSPEC;
    if (word(c, 24) >= gpu_heads(c->m, c->dev->unit))
        return ERR_INVALID_PARAMETER;
    store_le32(c->response + HEADER, EDID_SIZE);
    edid_make(c->response + HEADER + 8, o->xres, o->yres);
    c->size = EDID_RESPONSE;
    return OK_EDID;
}

/* ---- resources ---- */

static u32 resource_create(struct call *c)
{
    struct gpu_resource new = { .id = word(c, 24), .format = word(c, 28), .width = word(c, 32), .height = word(c, 36) };
    if (!new.id || gpu_resource(c->g, new.id))
        return ERR_INVALID_RESOURCE_ID;
    if (!gpu_format(new.format) || !new.width || !new.height || new.width > SCREEN_MAX || new.height > SCREEN_MAX)
        return ERR_INVALID_PARAMETER;
    return gpu_create(c->m, c->dev->unit, new) ? OK_NODATA : ERR_OUT_OF_MEMORY;
}

static u32 resource_unref(struct call *c)
{
    struct gpu_resource *r = gpu_resource(c->g, word(c, 24));
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    c->moved = r->size;
    gpu_destroy(c->m, c->dev->unit, r);
    return OK_NODATA;
}

/* The pieces of RAM follow the command: address, length, padding each. */
static u32 attach_backing(struct call *c)
{
    struct gpu_resource *r = gpu_resource(c->g, word(c, 24));
    u64 entries = word(c, 28);
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (r->backed || entries > GPU_ENTRIES)
        return ERR_UNSPEC;
    u8 *to = gpu_backing(c->m, c->dev->unit, r, entries, true);
    if (!to || !virtio_copy_from(c->m, c->dev, c->chain, 32, to, entries * GPU_ENTRY))
        return ERR_UNSPEC;
    c->moved = entries * GPU_ENTRY;
    r->backed = 1;
    r->entries = (u32)entries;
    return OK_NODATA;
}

static u32 detach_backing(struct call *c)
{
    struct gpu_resource *r = gpu_resource(c->g, word(c, 24));
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (!r->backed)
        return ERR_UNSPEC;
    u8 *entries = gpu_backing(c->m, c->dev->unit, r, r->entries, true);
    if (entries)
        memset(entries, 0, (u64)r->entries * GPU_ENTRY);
    r->backed = r->entries = 0;
    return OK_NODATA;
}

/* A way through the backing, forwards. */
struct walk {
    const u8 *entry;
    u32 left;  /* entries from this one on */
    u64 begin; /* what offset it begins at */
};

/* Reads from the backing at an offset that is not before the last one; what is beyond its end stays as it is. False:
 * not all of it is RAM. */
static bool backing_read(struct call *c, struct walk *w, u64 offset, u8 *to, u64 size)
{
    while (size && w->left) {
        u64 length = load_le32(w->entry + 8);
        if (offset - w->begin >= length) {
            w->begin += length;
            w->entry += GPU_ENTRY;
            w->left--;
            continue;
        }
        u64 skip = offset - w->begin, part = length - skip < size ? length - skip : size;
        if (!virtio_read(c->m, c->dev, load_le64(w->entry) + skip, to, part))
            return false;
        c->moved += part;
        to += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* Rows of a rectangle; in the backing they are as far apart as in the resource. */
static u32 transfer(struct call *c)
{
    struct gpu_rect rect = rect_of(c, 24);
    struct gpu_resource *r = gpu_resource(c->g, word(c, 48));
    u64 offset = load_le64(c->request + 40);
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (!r->backed)
        return ERR_UNSPEC;
    if (!gpu_inside(r, &rect))
        return ERR_INVALID_PARAMETER;
    struct walk w = { gpu_backing(c->m, c->dev->unit, r, r->entries, false), r->entries, 0 };
    u64 stride = (u64)r->width * 4, line = (u64)rect.width * 4;
    for (u32 row = 0; row < rect.height; row++) {
        u64 from = offset + stride * row;
        u8 *to = gpu_pixels(c->m, c->dev->unit, r, (rect.y + (u64)row) * stride + rect.x * 4ull, line, true);
        if (!w.entry || !to || from < offset || !backing_read(c, &w, from, to, line))
            return ERR_UNSPEC;
    }
    return OK_NODATA;
}

/* What a resource holds is what is seen: there is nothing to be done. */
static u32 resource_flush(struct call *c)
{
    struct gpu_rect rect = rect_of(c, 24);
    const struct gpu_resource *r = gpu_resource(c->g, word(c, 40));
    return !r ? ERR_INVALID_RESOURCE_ID : gpu_inside(r, &rect) ? OK_NODATA : ERR_INVALID_PARAMETER;
}

/* ---- heads ---- */

static u32 set_scanout(struct call *c)
{
    struct gpu_rect rect = rect_of(c, 24);
    u32 head = word(c, 40), id = word(c, 44);
    const struct gpu_resource *r = gpu_resource(c->g, id);
    if (head >= gpu_heads(c->m, c->dev->unit))
        return ERR_INVALID_SCANOUT_ID;
    if (id && !r)
        return ERR_INVALID_RESOURCE_ID;
    if (id && !gpu_inside(r, &rect))
        return ERR_INVALID_PARAMETER;
    rect = id ? rect : (struct gpu_rect){ 0 };
    struct gpu_head *h = &c->g->head[head];
    h->resource = id;
    h->x = rect.x;
    h->y = rect.y;
    h->width = rect.width;
    h->height = rect.height;
    return OK_NODATA;
}

/* Where it is, and whether: both commands say that. UPDATE_CURSOR says, too, what it looks like from now on. */
static u32 cursor_command(struct call *c)
{
    u32 head = word(c, 24), id = word(c, 40);
    const struct gpu_resource *r = gpu_resource(c->g, id);
    if (head >= gpu_heads(c->m, c->dev->unit))
        return ERR_INVALID_SCANOUT_ID;
    struct gpu_head *h = &c->g->head[head];
    h->cursor_x = (s32)word(c, 28);
    h->cursor_y = (s32)word(c, 32);
    h->cursor = id != 0;
    if (word(c, TYPE) == MOVE_CURSOR)
        return OK_NODATA;
    if (id && !r)
        return ERR_INVALID_RESOURCE_ID;
    h->hot_x = word(c, 44);
    h->hot_y = word(c, 48);
    if (r)
        gpu_cursor_define(c->m, c->dev->unit, head, r);
    c->moved = GPU_CURSOR;
    return OK_NODATA;
}

/* ---- the queues ---- */

static const struct command {
    u32 type, queue, size;      /* size: bytes that it has at least */
    u32 (*run)(struct call *c); /* returns the type of the response */
} commands[] = {
    { GET_DISPLAY_INFO, CONTROL_QUEUE, 24, get_display_info },
    { RESOURCE_CREATE_2D, CONTROL_QUEUE, 40, resource_create },
    { RESOURCE_UNREF, CONTROL_QUEUE, 32, resource_unref },
    { SET_SCANOUT, CONTROL_QUEUE, 48, set_scanout },
    { RESOURCE_FLUSH, CONTROL_QUEUE, 48, resource_flush },
    { TRANSFER_TO_HOST_2D, CONTROL_QUEUE, 56, transfer },
    { RESOURCE_ATTACH_BACKING, CONTROL_QUEUE, 32, attach_backing },
    { RESOURCE_DETACH_BACKING, CONTROL_QUEUE, 32, detach_backing },
    { GET_EDID, CONTROL_QUEUE, 32, get_edid },
    { UPDATE_CURSOR, CURSOR_QUEUE, 56, cursor_command },
    { MOVE_CURSOR, CURSOR_QUEUE, 56, cursor_command },
};

static u32 command_run(struct call *c, unsigned queue)
{
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (commands[n].type == word(c, TYPE) && commands[n].queue == queue)
            return c->chain->readable < commands[n].size ? ERR_UNSPEC : commands[n].run(c);
    return ERR_UNSPEC;
}

/* Carries a command out, and answers as far as there is room. False: it could not be read or answered. */
static bool command_done(struct call *c, unsigned queue)
{
    u64 size = c->chain->readable < REQUEST_MAX ? c->chain->readable : REQUEST_MAX;
    c->size = HEADER;
    if (size < HEADER || !virtio_copy_from(c->m, c->dev, c->chain, 0, c->request, size))
        return false;
    u32 type = command_run(c, queue);
    store_le32(c->response + TYPE, type);
    if (word(c, FLAGS) & FLAG_FENCE) { /* it is over when it is answered */
        store_le32(c->response + FLAGS, FLAG_FENCE);
        memcpy(c->response + FENCE, c->request + FENCE, CONTEXT + 4 - FENCE);
    }
    u32 room = c->chain->writable < c->size ? (u32)c->chain->writable : c->size;
    return virtio_copy_to(c->m, c->dev, c->chain, 0, c->response, room) &&
           virtio_push(c->m, c->dev, queue, c->chain, room);
}

/* The next command comes when as many bytes would have been moved. */
static void wait(struct machine *m, struct virtio *dev, unsigned queue, u64 moved)
{
    if (moved < MANY_BYTES)
        return;
    dev->queue[queue].pending = VIRTIO_ANNOUNCED;
    machine_timer_set(m, dev->at, 0, m->now + moved / BYTES_A_NS);
}

static bool serve(struct machine *m, struct virtio *dev, unsigned queue)
{
    struct virtio_chain chain;
    struct gpu *g = gpu_of(m, dev->unit);
    if (!g || !virtio_pop(m, dev, queue, &chain))
        return false;
    struct gpu before = *g;
    struct call c = { .m = m, .dev = dev, .g = g, .chain = &chain };
    m->d.dma_stalled = false;
    bool ok = command_done(&c, queue);
    if (ok)
        wait(m, dev, queue, c.moved);
    else if (m->d.dma_stalled)
        *g = before; /* the step is made again */
    if (!ok)
        virtio_fail(dev);
    return ok;
}

static u64 features_of(struct machine *m, const struct virtio *dev)
{
    return m->options.gpu[dev->unit].no_edid ? 0 : F_EDID;
}

static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    u8 config[CONFIG_SIZE] = { 0 };
    u64 value = 0;
    store_le32(config + CONFIG_HEADS, gpu_heads(m, dev->unit));
    if (offset <= CONFIG_SIZE && size <= CONFIG_SIZE - offset)
        memcpy(&value, config + offset, size);
    return value;
}

/* There are no events to be cleared. */
static bool config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value)
{
    (void)m, (void)dev, (void)value;
    return offset == CONFIG_CLEAR && size == 4;
}

static void reset(struct machine *m, struct virtio *dev) { gpu_clear(m, dev->unit); }

const struct virtio_ops virtio_gpu_ops = {
    .queues = QUEUES, .config_size = CONFIG_SIZE, .queue_size = { 64, 16 },
    .back_end = BACK_END_SCREEN,
    .takes_ns = COMMAND_NS,
    .features_of = features_of,
    .config_read = config_read,
    .config_write = config_write,
    .reset = reset,
    .serve = serve,
};
