/* Formats of pixels in memory, of whatever device: little-endian words with a field for each component. */
#ifndef BOARD_PIXEL_H
#define BOARD_PIXEL_H

#include "lib/base.h"

enum pixel_component { PIXEL_BLUE, PIXEL_GREEN, PIXEL_RED, PIXEL_ALPHA, PIXEL_COMPONENTS };
struct pixel_format {
    u32 code; /* what the device calls it */
    u8 bytes; /* of a pixel: 1 to 4 */
    struct {
        u8 shift, width; /* bits; width 0: it has no such component */
    } at[PIXEL_COMPONENTS];
};
/* Of four bytes, by what each is, the first first: PIXEL_BYTES(code, BLUE, GREEN, RED, ALPHA). X: nothing. */
#define PIXEL_BYTES(its_code, b0, b1, b2, b3)                                                                          \
    {                                                                                                                  \
        .code = (its_code), .bytes = 4,                                                                                \
        .at = { PIXEL_AT_##b0(0) PIXEL_AT_##b1(8) PIXEL_AT_##b2(16) PIXEL_AT_##b3(24) }                                \
    }
#define PIXEL_AT_BLUE(bit)  [PIXEL_BLUE] = { bit, 8 },
#define PIXEL_AT_GREEN(bit) [PIXEL_GREEN] = { bit, 8 },
#define PIXEL_AT_RED(bit)   [PIXEL_RED] = { bit, 8 },
#define PIXEL_AT_ALPHA(bit) [PIXEL_ALPHA] = { bit, 8 },
#define PIXEL_AT_X(bit)

/* The format of that code in a table; NULL: it has none. */
const struct pixel_format *pixel_format_of(const struct pixel_format *table, unsigned count, u32 code);
/* `count` pixels as 0xAARRGGBB; without alpha they are opaque. */
void pixels_convert(const struct pixel_format *format, const u8 *from, u32 count, u32 *to);

#endif
