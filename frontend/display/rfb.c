/*
 * The remote framebuffer protocol (RFC 6143), versions 3.3, 3.7 and 3.8, without authentication; pixels are sent as
 * they are (Raw, 7.7.1), a tile at a time and only those that changed. Of extensions: DesktopSize (7.8.2), and QEMU's
 * messages of keys with their numbers, so that a layout is the guest's business alone. Left out: colour maps (who asks
 * for one is ended), other encodings, clipboards.
 */
#include "frontend/display/rfb.h"

#include <stdlib.h>

enum { RAW = 0, DESKTOP_SIZE = -223, NUMBERED_KEYS = -258, SECURITY_NONE = 1, HEAD = 12 /* of a rectangle, bytes */ };
enum state { VERSION, SECURITY, INIT, MESSAGE };
enum { SET_FORMAT = 0, SET_ENCODINGS = 2, UPDATE = 3, KEY = 4, POINTER = 5, CUT_TEXT = 6, OF_QEMU = 255 };

/* ---- what goes out ---- */

static bool room(const struct rfb *r, size_t size) { return size <= RFB_OUT - r->out_used; }

static void put(struct rfb *r, const void *bytes, size_t size)
{
    if (!room(r, size)) {
        r->over = true;
        return;
    }
    memcpy(r->out + r->out_used, bytes, size);
    r->out_used += (u32)size;
}

static void put8(struct rfb *r, u32 value) { put(r, &(u8){ (u8)value }, 1); }
static void put16(struct rfb *r, u32 value)
{
    put8(r, value >> 8);
    put8(r, value);
}
static void put32(struct rfb *r, u32 value)
{
    put16(r, value >> 16);
    put16(r, value);
}

void rfb_sent(struct rfb *r, size_t size)
{
    memmove(r->out, r->out + size, r->out_used - size);
    r->out_used -= (u32)size;
}

bool rfb_open(struct rfb *r, const struct rfb_user *user, const char *name)
{
    *r = (struct rfb){ .user = *user, .name = name, .bytes_pixel = 4, .max = { 255, 255, 255 }, .shift = { 16, 8, 0 } };
    r->out = malloc(RFB_OUT);
    if (r->out)
        put(r, "RFB 003.008\n", 12);
    return r->out;
}

void rfb_close(struct rfb *r)
{
    free(r->out);
    r->out = NULL;
}

/* ---- 7.1 to 7.3: until there is a connection ---- */

static u32 version_take(struct rfb *r, const u8 *in, u32 size)
{
    if (size < 12)
        return 0;
    u32 minor = (u32)(in[8] - '0') * 100 + (u32)(in[9] - '0') * 10 + (u32)(in[10] - '0');
    r->over = memcmp(in, "RFB 003.", 8) || in[11] != '\n';
    r->version = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    r->state = r->version == 3 ? INIT : SECURITY;
    if (r->version == 3)
        put32(r, SECURITY_NONE);
    else
        put16(r, 1 << 8 | SECURITY_NONE); /* one kind, this */
    return 12;
}

static u32 security_take(struct rfb *r, const u8 *in)
{
    static const char why[] = "there is no such security type";
    bool right = in[0] == SECURITY_NONE;
    if (r->version == 8)
        put32(r, !right);
    if (r->version == 8 && !right) {
        put32(r, sizeof(why) - 1);
        put(r, why, sizeof(why) - 1);
    }
    r->over = !right;
    r->state = INIT;
    return 1;
}

static u32 init_take(struct rfb *r, const struct rfb_picture *p)
{
    static const u8 format[16] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };
    r->width = p->width;
    r->height = p->height;
    r->seen_size = p->size_version;
    put16(r, p->width);
    put16(r, p->height);
    put(r, format, sizeof(format));
    put32(r, (u32)strlen(r->name));
    put(r, r->name, strlen(r->name));
    r->state = MESSAGE;
    return 1;
}

/* ---- 7.5: messages ---- */

static u32 at16(const u8 *in) { return (u32)in[0] << 8 | in[1]; }
static u32 at32(const u8 *in) { return at16(in) << 16 | at16(in + 2); }

static void format_set(struct rfb *r, const u8 *f)
{
    bool right = (f[0] == 8 || f[0] == 16 || f[0] == 32) && f[3];
    for (unsigned n = 0; n < 3; n++) {
        r->max[n] = (u16)at16(f + 4 + 2 * n);
        r->shift[n] = f[10 + n];
        right = right && r->shift[n] < f[0];
    }
    r->bytes_pixel = f[0] / 8;
    r->big = f[2] != 0;
    r->over = !right;
    r->whole = true;
}

static void encoding_set(struct rfb *r, s32 encoding)
{
    r->resizes |= encoding == DESKTOP_SIZE;
    r->numbers |= encoding == NUMBERED_KEYS;
}

static void update_asked(struct rfb *r, const u8 *in)
{
    u32 x = at16(in + 2), y = at16(in + 4), w = at16(in + 6), h = at16(in + 8);
    r->whole |= !in[1];
    r->asked = true;
    r->x = x;
    r->y = y;
    r->w = w;
    r->h = h;
}

/* A message of `size` bytes so far. Returns how many it has; 0: it is not whole; what is longer than its head is taken
 * as it comes. */
static u32 message_take(struct rfb *r, const u8 *in, u32 size)
{
    static const u8 sizes[] = {
        [SET_FORMAT] = 20, [SET_ENCODINGS] = 4, [UPDATE] = 10, [KEY] = 8, [POINTER] = 6, [CUT_TEXT] = 8
    };
    u32 kind = in[0], whole = kind < ARRAY_LEN(sizes) ? sizes[kind] : kind == OF_QEMU && r->numbers ? 12 : 0;
    r->over = !whole;
    if (!whole || size < whole)
        return 0;
    switch (kind) {
    case SET_FORMAT: format_set(r, in + 4); break;
    case SET_ENCODINGS:
        r->encodings = at16(in + 2);
        r->resizes = r->numbers = false;
        break;
    case UPDATE: update_asked(r, in); break;
    case KEY: r->user.key(r->user.ctx, at32(in + 4), 0, in[1]); break;
    case POINTER: r->user.pointer(r->user.ctx, at16(in + 2), at16(in + 4), in[1]); break;
    case CUT_TEXT: r->skip = at32(in + 4); break;
    case OF_QEMU:
        r->over = in[1] != 0;
        if (!r->over)
            r->user.key(r->user.ctx, at32(in + 4), at32(in + 8), at16(in + 2) != 0);
    }
    return whole;
}

/* Takes one thing off the front. 0: it is not whole yet. */
static u32 part_take(struct rfb *r, const struct rfb_picture *p, const u8 *in, u32 size)
{
    if (r->skip) {
        u32 part = r->skip < size ? r->skip : size;
        r->skip -= part;
        return part;
    }
    if (r->encodings) {
        if (size >= 4)
            encoding_set(r, (s32)at32(in));
        r->encodings -= size >= 4;
        return size >= 4 ? 4 : 0;
    }
    switch (r->state) {
    case VERSION: return version_take(r, in, size);
    case SECURITY: return security_take(r, in);
    case INIT: return init_take(r, p);
    default: return message_take(r, in, size);
    }
}

void rfb_take(struct rfb *r, const struct rfb_picture *p, const u8 *bytes, size_t size)
{
    while (size && !r->over) {
        u32 part = size < RFB_IN - r->in_used ? (u32)size : RFB_IN - r->in_used, at = 0, took = 1;
        memcpy(r->in + r->in_used, bytes, part);
        r->in_used += part;
        bytes += part;
        size -= part;
        while (at < r->in_used && took && !r->over) {
            took = part_take(r, p, r->in + at, r->in_used - at);
            at += took;
        }
        memmove(r->in, r->in + at, r->in_used - at);
        r->in_used -= at;
    }
}

/* ---- 7.6.1: updates ---- */

static void rectangle(struct rfb *r, u32 x, u32 y, u32 w, u32 h, s32 encoding)
{
    put16(r, x);
    put16(r, y);
    put16(r, w);
    put16(r, h);
    put32(r, (u32)encoding);
}

static void pixel_put(struct rfb *r, u32 pixel)
{
    u32 value = 0;
    for (unsigned n = 0; n < 3; n++)
        value |= ((pixel >> (16 - 8 * n) & 0xff) * r->max[n] + 127) / 255 << r->shift[n];
    for (unsigned n = 0; n < r->bytes_pixel; n++)
        r->out[r->out_used++] = (u8)(value >> 8 * (r->big ? r->bytes_pixel - 1 - n : n));
}

/* A tile, as far as it lies within. */
static void tile_put(struct rfb *r, const struct rfb_picture *p, u32 column, u32 row, u32 width, u32 height)
{
    u32 x = column * RFB_TILE, y = row * RFB_TILE;
    u32 w = width - x < RFB_TILE ? width - x : RFB_TILE, h = height - y < RFB_TILE ? height - y : RFB_TILE;
    rectangle(r, x, y, w, h, RAW);
    for (u32 line = y; line < y + h; line++)
        for (u32 at = x; at < x + w; at++)
            pixel_put(r, p->pixels[line * p->width + at]);
}

static bool tile_new(const struct rfb *r, const struct rfb_picture *p, u32 column, u32 row)
{
    u32 n = row * RFB_TILES + column, x = column * RFB_TILE, y = row * RFB_TILE;
    bool within = x < r->x + r->w && r->x < x + RFB_TILE && y < r->y + r->h && r->y < y + RFB_TILE;
    return within && r->sent[n] < p->tile[n];
}

/* The client is told of what it asked to be told of. Returns how many rectangles. */
static u32 news_put(struct rfb *r, const struct rfb_picture *p)
{
    u32 count = 0;
    if (r->numbers && !r->numbers_told) {
        rectangle(r, 0, 0, 0, 0, NUMBERED_KEYS);
        count++;
    }
    r->numbers_told |= r->numbers;
    if (r->resizes && r->seen_size != p->size_version) {
        rectangle(r, 0, 0, p->width, p->height, DESKTOP_SIZE);
        count++;
        r->width = p->width;
        r->height = p->height;
        r->seen_size = p->size_version;
        r->whole = true;
    }
    return count;
}

bool rfb_waits(const struct rfb *r) { return r->asked && !r->over; }

/* One that does not understand a change of size sees what fits into the size that it knows. */
static u32 tiles_put(struct rfb *r, const struct rfb_picture *p)
{
    u32 count = 0, width = r->width < p->width ? r->width : p->width,
        height = r->height < p->height ? r->height : p->height;
    for (u32 row = 0; row * RFB_TILE < height; row++)
        for (u32 column = 0; column * RFB_TILE < width; column++) {
            if (!tile_new(r, p, column, row))
                continue;
            if (!room(r, HEAD + RFB_TILE * RFB_TILE * r->bytes_pixel))
                return count;
            tile_put(r, p, column, row, width, height);
            r->sent[row * RFB_TILES + column] = p->version;
            count++;
        }
    return count;
}

void rfb_update(struct rfb *r, const struct rfb_picture *p)
{
    if (!rfb_waits(r) || r->out_used > RFB_OUT / 2)
        return;
    if (r->whole)
        memset(r->sent, 0, sizeof(r->sent));
    r->whole = false;
    u32 begun = r->out_used;
    put32(r, 0);                                                  /* the message, and how many rectangles follow */
    bool resized = r->resizes && r->seen_size != p->size_version; /* pixels come with the next, 7.8.2 */
    u32 count = news_put(r, p);
    count += resized ? 0 : tiles_put(r, p);
    if (!count) {
        r->out_used = begun;
        return;
    }
    r->out[begun + 2] = (u8)(count >> 8);
    r->out[begun + 3] = (u8)count;
    r->asked = false;
}
