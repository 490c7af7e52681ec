/*
 * Letters: DejaVu Sans Mono in some sizes, each letter as wide as every other, made once and kept. SDL2_ttf makes them;
 * a build without it, or a host without the font, has none.
 */
#ifndef FRONTEND_DISPLAY_LETTERS_H
#define FRONTEND_DISPLAY_LETTERS_H

#include "lib/base.h"

struct glyph {
    u8 *cover; /* rows of `width`: 0 nothing, 255 all of the pixel */
    int width, height, left;
};

/* Finds the font: `file`, or NULL: where fonts are. NULL, or why there is none: one line. */
const char *letters_begin(const char *file);
/* Of that many pixels an em; they stay to the program's end. */
struct letters *letters_get(int size, bool bold);
/* Of a cell, pixels. */
int letters_advance(const struct letters *l);
int letters_height(const struct letters *l);
/* NULL: there is none, nor anything that stands for it. */
const struct glyph *letters_glyph(struct letters *l, u32 code);

#endif
