/*
 * ramfb: a screen that is a piece of the guest's RAM. The guest says where, by writing the file etc/ramfb of the
 * firmware configuration device: address, format, flags, width, height, bytes from row to row, all big-endian.
 * Specified by QEMU's docs/specs (ramfb) and by what its users write. It has no registers of its own. What makes no
 * screen leaves the one that was.
 */
#include "board/display.h"
#include "board/dev/pixel.h"
#include "board/machine.h"

#include <stdio.h>

enum { FILE_ADDRESS = 0, FILE_FORMAT = 8, FILE_FLAGS = 12, FILE_WIDTH = 16, FILE_HEIGHT = 20, FILE_STRIDE = 24,
       FILE_SIZE = 28 };
enum { LEAST = 16, MOST_WIDTH = 16000, MOST_HEIGHT = 12000 }; /* pixels; as QEMU has them */

struct ramfb {
    u64 address, stride; /* stride: bytes */
    u32 format, flags, width, height;
};
static const struct state_field fields[] = {
    STATE(ramfb, address), STATE(ramfb, stride), STATE(ramfb, format),
    STATE(ramfb, flags),   STATE(ramfb, width),  STATE(ramfb, height),
};

/* Codes of four characters, as Linux's DRM has them. Bits of little-endian words: blue, green, red, alpha. */
#define CODE(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)
static const struct pixel_format formats[] = {
    PIXEL_BYTES(CODE('X', 'R', '2', '4'), BLUE, GREEN, RED, X),
    PIXEL_BYTES(CODE('A', 'R', '2', '4'), BLUE, GREEN, RED, ALPHA),
    PIXEL_BYTES(CODE('X', 'B', '2', '4'), RED, GREEN, BLUE, X),
    PIXEL_BYTES(CODE('A', 'B', '2', '4'), RED, GREEN, BLUE, ALPHA),
    { CODE('R', 'G', '2', '4'), 3, { { 0, 8 }, { 8, 8 }, { 16, 8 } } },
    { CODE('R', 'G', '1', '6'), 2, { { 0, 5 }, { 5, 6 }, { 11, 5 } } },
};

static const struct pixel_format *format_of(const struct ramfb *r)
{
    return pixel_format_of(formats, ARRAY_LEN(formats), r->format);
}

/* NULL: that many bytes are not all in RAM from there on. */
static const u8 *pixels_at(const struct machine *m, const struct ramfb *r, u64 offset, u64 size)
{
    return offset > ~r->address ? NULL : bus_ram_host(m, r->address + offset, size);
}

static bool makes_a_screen(const struct machine *m, const struct ramfb *r)
{
    const struct pixel_format *f = format_of(r);
    return f && r->width >= LEAST && r->width <= MOST_WIDTH && r->height >= LEAST && r->height <= MOST_HEIGHT &&
           pixels_at(m, r, 0, r->stride * (r->height - 1) + (u64)r->width * f->bytes);
}

static void file_written(struct machine *m, void *state, const u8 *file)
{
    struct ramfb new = { .address = load_be64(file + FILE_ADDRESS),
                         .stride = load_be32(file + FILE_STRIDE),
                         .format = load_be32(file + FILE_FORMAT),
                         .flags = load_be32(file + FILE_FLAGS),
                         .width = load_be32(file + FILE_WIDTH),
                         .height = load_be32(file + FILE_HEIGHT) };
    const struct pixel_format *f = format_of(&new);
    if (f && !new.stride)
        new.stride = (u64) new.width * f->bytes;
    if (makes_a_screen(m, &new))
        *(struct ramfb *)state = new;
    else
        m->d.guest_error = ERROR_NONSENSE;
}

/* ---- the screen ---- */

static unsigned screens(const struct machine *m, struct place at)
{
    (void)m, (void)at;
    return 1;
}

static void look(struct machine *m, const void *state, struct place at, unsigned head, struct screen *s)
{
    const struct ramfb *r = state;
    (void)m, (void)at, (void)head;
    *s = (struct screen){ .width = r->width, .height = r->height };
    snprintf(s->name, sizeof(s->name), "ramfb");
}

static void read_row(struct machine *m, const void *state, struct place at, unsigned head, u32 x, u32 y, u32 count,
                     u32 *pixels)
{
    const struct ramfb *r = state;
    const struct pixel_format *f = format_of(r);
    (void)at, (void)head;
    const u8 *from = f ? pixels_at(m, r, r->stride * y + (u64)x * f->bytes, (u64)count * f->bytes) : NULL;
    if (from)
        pixels_convert(f, from, count, pixels);
    else
        memset(pixels, 0, count * sizeof(*pixels));
}

static const struct screens ramfb_screens = { .count = screens, .look = look, .read = read_row };

/* ---- the row ---- */

static u32 ramfbs(const struct machine_options *o) { return o->ramfb ? 1 : 0; }

static void reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    *(struct ramfb *)state = (struct ramfb){ 0 };
}

static const char *validate(const void *state, struct place at)
{
    const struct ramfb *r = state;
    (void)at;
    return r->width > MOST_WIDTH || r->height > MOST_HEIGHT || r->stride > UINT32_MAX ? "ramfb: size out of range"
                                                                                      : NULL;
}

const struct kind kind_ramfb = {
    .name = "ramfb",
    .state = STATE_SHAPE(ramfb, fields),
    .version = 1,
    .count = ramfbs,
    .reset = reset,
    .validate = validate,
    .screens = &ramfb_screens,
    .file = "etc/ramfb",
    .file_size = FILE_SIZE,
    .file_written = file_written,
};
