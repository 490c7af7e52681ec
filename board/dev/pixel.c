/* Pixels of any format (board/dev/pixel.h) as words of 0xAARRGGBB. */
#include "board/dev/pixel.h"

const struct pixel_format *pixel_format_of(const struct pixel_format *table, unsigned count, u32 code)
{
    for (unsigned n = 0; n < count; n++)
        if (table[n].code == code)
            return &table[n];
    return NULL;
}

static u32 word_read(const u8 *from, unsigned bytes)
{
    u32 word = 0;
    for (unsigned n = 0; n < bytes; n++)
        word |= (u32)from[n] << 8 * n;
    return word;
}

/* A component of fewer than 8 bits is spread over all values, so that the brightest stays the brightest. */
static u32 component(const struct pixel_format *f, u32 word, enum pixel_component c)
{
    unsigned width = f->at[c].width;
    u32 most = width ? (1u << width) - 1 : 0, value = word >> f->at[c].shift & most;
    return !width ? 0xff : width == 8 ? value : (value * 255 + most / 2) / most;
}

void pixels_convert(const struct pixel_format *f, const u8 *from, u32 count, u32 *to)
{
    for (u32 n = 0; n < count; n++, from += f->bytes) {
        u32 word = word_read(from, f->bytes), pixel = 0;
        for (unsigned c = 0; c < PIXEL_COMPONENTS; c++)
            pixel |= component(f, word, c) << 8 * c;
        to[n] = pixel;
    }
}
