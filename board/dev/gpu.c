/* What a graphics device keeps (board/dev/gpu.h): places in its room, and its heads as screens. */
#include "board/dev/gpu.h"

#include <stdio.h>

static const struct state_field resource_fields[] = {
    STATE(gpu_resource, id), STATE(gpu_resource, format), STATE(gpu_resource, width),  STATE(gpu_resource, height),
    STATE(gpu_resource, at), STATE(gpu_resource, size),   STATE(gpu_resource, backed), STATE(gpu_resource, entries),
};
static const struct state_shape resource_shape = STATE_SHAPE(gpu_resource, resource_fields);
static const struct state_field head_fields[] = {
    STATE(gpu_head, resource), STATE(gpu_head, x),      STATE(gpu_head, y),        STATE(gpu_head, width),
    STATE(gpu_head, height),   STATE(gpu_head, cursor), STATE(gpu_head, cursor_x), STATE(gpu_head, cursor_y),
    STATE(gpu_head, hot_x),    STATE(gpu_head, hot_y),
};
static const struct state_shape head_shape = STATE_SHAPE(gpu_head, head_fields);
static const struct state_field fields[] = {
    STATE_OF(gpu, resource, &resource_shape),
    STATE_OF(gpu, head, &head_shape),
};

/* The formats of the 2D commands, by their numbers (Virtual I/O Device specification 1.2, 5.7.6.8). */
static const struct pixel_format formats[] = {
    PIXEL_BYTES(1, BLUE, GREEN, RED, ALPHA),   PIXEL_BYTES(2, BLUE, GREEN, RED, X),
    PIXEL_BYTES(3, ALPHA, RED, GREEN, BLUE),   PIXEL_BYTES(4, X, RED, GREEN, BLUE),
    PIXEL_BYTES(67, RED, GREEN, BLUE, ALPHA),  PIXEL_BYTES(68, X, BLUE, GREEN, RED),
    PIXEL_BYTES(121, ALPHA, BLUE, GREEN, RED), PIXEL_BYTES(134, RED, GREEN, BLUE, X),
};

const struct pixel_format *gpu_format(u32 format) { return pixel_format_of(formats, ARRAY_LEN(formats), format); }

struct gpu *gpu_of(struct machine *m, unsigned unit)
{
    return unit < row_count(m, ROW_gpu) ? place_state(m, (struct place){ ROW_gpu, (u16)unit }) : NULL;
}

unsigned gpu_heads(const struct machine *m, unsigned unit)
{
    u8 outputs = unit < MAX_GPUS ? m->options.gpu[unit].outputs : 0;
    return outputs < MAX_SCREENS ? outputs : MAX_SCREENS;
}

struct gpu_resource *gpu_resource(struct gpu *g, u32 id)
{
    for (unsigned n = 0; n < GPU_RESOURCES && id; n++)
        if (g->resource[n].id == id)
            return &g->resource[n];
    return NULL;
}

bool gpu_inside(const struct gpu_resource *r, const struct gpu_rect *rect)
{
    return rect->width && rect->height && (u64)rect->x + rect->width <= r->width &&
           (u64)rect->y + rect->height <= r->height;
}

/* ---- the room ---- */

/* NULL: the machine has no such bytes. */
static u8 *room_at(struct machine *m, unsigned unit, u64 offset, u64 size, bool writes)
{
    struct phys_region *r = phys_region_at(&m->d.phys, GPU_BASE);
    u64 at = unit * GPU_ROOM + offset;
    if (!r || offset > GPU_ROOM || size > GPU_ROOM - offset || at + size > r->size)
        return NULL;
    if (writes && size)
        phys_touch_pages(&m->d.phys, r, GPU_BASE + at, size);
    return r->host + at;
}

u8 *gpu_pixels(struct machine *m, unsigned unit, const struct gpu_resource *r, u64 offset, u64 size, bool writes)
{
    bool in = offset <= r->size && size <= r->size - offset && r->at <= GPU_MEMORY && r->size <= GPU_MEMORY - r->at;
    return in ? room_at(m, unit, GPU_PIXELS_AT + r->at + offset, size, writes) : NULL;
}

u8 *gpu_backing(struct machine *m, unsigned unit, const struct gpu_resource *r, u64 entries, bool writes)
{
    u64 number = (u64)(r - gpu_of(m, unit)->resource);
    u64 at = GPU_BACKING_AT + number * GPU_ENTRIES * GPU_ENTRY;
    return entries <= GPU_ENTRIES ? room_at(m, unit, at, entries * GPU_ENTRY, writes) : NULL;
}

/* Pages that hold zeros already stay untouched. */
static void room_zero(struct machine *m, unsigned unit, u64 offset, u64 size)
{
    static const u8 zeros[GPU_PAGE];
    for (u64 part; size; offset += part, size -= part) {
        part = GPU_PAGE - offset % GPU_PAGE < size ? GPU_PAGE - offset % GPU_PAGE : size;
        const u8 *now = room_at(m, unit, offset, part, false);
        if (now && memcmp(now, zeros, part))
            memset(room_at(m, unit, offset, part, true), 0, part);
    }
}

/* The lowest place with that many bytes that no resource has; false: there is none. */
static bool place_find(const struct gpu *g, u64 size, u64 *at)
{
    bool again = true;
    for (*at = 0; again && *at + size <= GPU_MEMORY;) {
        again = false;
        for (unsigned n = 0; n < GPU_RESOURCES && !again; n++) {
            const struct gpu_resource *r = &g->resource[n];
            again = r->id && *at < r->at + r->size && r->at < *at + size;
            *at = again ? r->at + r->size : *at;
        }
    }
    return !again && *at + size <= GPU_MEMORY;
}

bool gpu_create(struct machine *m, unsigned unit, struct gpu_resource new)
{
    struct gpu *g = gpu_of(m, unit);
    struct gpu_resource *place = NULL;
    u64 used = 0, limit = m->options.gpu[unit].memory;
    for (unsigned n = GPU_RESOURCES; n-- > 0;)
        if (g->resource[n].id)
            used += g->resource[n].size;
        else
            place = &g->resource[n];
    new.size = align_up((u64) new.width *new.height * 4, GPU_PAGE);
    if (!place || used + new.size > limit || !place_find(g, new.size, &new.at))
        return false;
    *place = new;
    return true;
}

void gpu_destroy(struct machine *m, unsigned unit, struct gpu_resource *r)
{
    struct gpu *g = gpu_of(m, unit);
    for (unsigned n = 0; n < MAX_SCREENS; n++)
        if (g->head[n].resource == r->id)
            g->head[n].resource = g->head[n].x = g->head[n].y = g->head[n].width = g->head[n].height = 0;
    room_zero(m, unit, GPU_PIXELS_AT + r->at, r->size);
    room_zero(m, unit, GPU_BACKING_AT + (u64)(r - g->resource) * GPU_ENTRIES * GPU_ENTRY, (u64)r->entries * GPU_ENTRY);
    *r = (struct gpu_resource){ 0 };
}

void gpu_clear(struct machine *m, unsigned unit)
{
    struct gpu *g = gpu_of(m, unit);
    for (unsigned n = 0; g && n < GPU_RESOURCES; n++)
        if (g->resource[n].id)
            gpu_destroy(m, unit, &g->resource[n]);
    if (g) {
        room_zero(m, unit, GPU_CURSORS_AT, (u64)MAX_SCREENS * GPU_CURSOR);
        memset(g->head, 0, sizeof(g->head));
    }
}

/* ---- the pointer ---- */

static u8 *cursor_at(struct machine *m, unsigned unit, unsigned head, bool writes)
{
    return room_at(m, unit, GPU_CURSORS_AT + (u64)head * GPU_CURSOR, GPU_CURSOR, writes);
}

void gpu_cursor_define(struct machine *m, unsigned unit, unsigned head, const struct gpu_resource *r)
{
    u32 pixels[CURSOR_SIZE * CURSOR_SIZE];
    const u8 *from = gpu_pixels(m, unit, r, 0, GPU_CURSOR, false);
    if (r->width != CURSOR_SIZE || r->height != CURSOR_SIZE || !from)
        return;
    pixels_convert(gpu_format(r->format), from, CURSOR_SIZE * CURSOR_SIZE, pixels);
    u8 *to = cursor_at(m, unit, head, true);
    for (u32 n = 0; n < CURSOR_SIZE * CURSOR_SIZE; n++)
        store_le32(to + 4 * n, pixels[n]);
}

/* ---- the screens ---- */

static unsigned screens(const struct machine *m, struct place at) { return gpu_heads(m, at.n); }

/* What a head shows; NULL: nothing. The state may be a hostile one. */
static const struct gpu_resource *shown(const struct gpu *g, unsigned head)
{
    const struct gpu_head *h = &g->head[head];
    const struct gpu_resource *r = gpu_resource((struct gpu *)(uintptr_t)g, h->resource);
    struct gpu_rect part = { h->x, h->y, h->width, h->height };
    return r && gpu_inside(r, &part) ? r : NULL;
}

static void look(struct machine *m, const void *state, struct place at, unsigned head, struct screen *s)
{
    const struct gpu *g = state;
    const struct gpu_head *h = &g->head[head];
    (void)m;
    *s = (struct screen){
        .cursor_x = h->cursor_x, .cursor_y = h->cursor_y, .hot_x = h->hot_x, .hot_y = h->hot_y, .cursor = h->cursor
    };
    if (shown(g, head)) {
        s->width = h->width;
        s->height = h->height;
    }
    snprintf(s->name, sizeof(s->name), "virtio-gpu %u.%u", at.n, head);
}

static void read_row(struct machine *m, const void *state, struct place at, unsigned head, u32 x, u32 y, u32 count,
                     u32 *pixels)
{
    const struct gpu *g = state;
    const struct gpu_head *h = &g->head[head];
    const struct gpu_resource *r = shown(g, head);
    u64 offset = r ? ((u64)(h->y + y) * r->width + h->x + x) * 4 : 0;
    const u8 *from = r ? gpu_pixels(m, at.n, r, offset, (u64)count * 4, false) : NULL;
    if (from)
        pixels_convert(gpu_format(r->format), from, count, pixels);
    else
        memset(pixels, 0, count * sizeof(*pixels));
}

static void read_cursor(struct machine *m, const void *state, struct place at, unsigned head, u32 *pixels)
{
    const u8 *from = cursor_at(m, at.n, head, false);
    (void)state;
    for (u32 n = 0; from && n < CURSOR_SIZE * CURSOR_SIZE; n++)
        pixels[n] = load_le32(from + 4 * n);
}

static const struct screens gpu_screens = { .count = screens, .look = look, .read = read_row, .cursor = read_cursor };

/* ---- the row ---- */

static u32 gpus(const struct machine_options *o)
{
    u32 count = 0;
    while (count < MAX_GPUS && o->gpu[count].outputs)
        count++;
    return count;
}

static void reset(struct machine *m, void *state, struct place at)
{
    (void)state;
    gpu_clear(m, at.n);
}

static const char *validate(const void *state, struct place at)
{
    const struct gpu *g = state;
    (void)at;
    for (unsigned n = 0; n < GPU_RESOURCES; n++) {
        const struct gpu_resource *r = &g->resource[n];
        if (r->id && (!gpu_format(r->format) || !r->width || !r->height || r->width > SCREEN_MAX ||
                      r->height > SCREEN_MAX || r->size != align_up((u64)r->width * r->height * 4, GPU_PAGE)))
            return "gpu: a resource's size or format is out of range";
        if (r->size > GPU_MEMORY || r->at > GPU_MEMORY - r->size || r->at % GPU_PAGE || r->entries > GPU_ENTRIES ||
            r->backed > 1)
            return "gpu: a resource's place is out of range";
    }
    for (unsigned n = 0; n < MAX_SCREENS; n++)
        if (g->head[n].cursor > 1)
            return "gpu: a pointer is out of range";
    return NULL;
}

const struct kind kind_gpu = {
    .name = "gpu",
    .state = STATE_SHAPE(gpu, fields),
    .version = 1,
    .count = gpus,
    .reset = reset,
    .validate = validate,
    .screens = &gpu_screens,
};
