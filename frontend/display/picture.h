/*
 * Pixels in memory, and what is drawn on them: rectangles, lines, letters, other pictures. A window shows one; so the
 * same drawing serves a window, a file and a test. Coordinates are pixels from the upper left corner; whatever lies
 * outside of the clip is left out, so that no coordinate can do harm. Colours are 0xRRGGBB.
 */
#ifndef FRONTEND_DISPLAY_PICTURE_H
#define FRONTEND_DISPLAY_PICTURE_H

#include "lib/base.h"

struct rect {
    int x, y, w, h;
};
struct picture {
    u32 *pixels; /* 0x00RRGGBB, rows of `width` */
    int width, height;
    struct rect clip;
};

/* Makes it that large; what it held is lost. False: no memory, and it is 0 by 0. */
bool picture_resize(struct picture *p, int width, int height);
void picture_free(struct picture *p);
/* What follows is drawn within r alone; picture_unclip: anywhere. */
void picture_clip(struct picture *p, struct rect r);
void picture_unclip(struct picture *p);
struct rect rect_meet(struct rect a, struct rect b);
bool rect_has(struct rect r, int x, int y);

void picture_fill(struct picture *p, struct rect r, u32 colour);
/* Its edge, `thick` pixels inside. */
void picture_frame(struct picture *p, struct rect r, int thick, u32 colour);
/* Stripes of two colours. */
void picture_hatch(struct picture *p, struct rect r, int step, u32 one, u32 other);
void picture_line(struct picture *p, float x, float y, float to_x, float to_y, float thick, u32 colour);
void picture_triangle(struct picture *p, const float x[3], const float y[3], u32 colour);

/* Rows of `stride` source pixels, 0x00RRGGBB, stretched to r; smooth: between pixels, else the nearest. */
void picture_stretch(struct picture *p, struct rect r, const u32 *pixels, int width, int height, int stride,
                     bool smooth);
/* An image of 0xAARRGGBB pixels, not premultiplied, stretched to r, over what is there. */
void picture_overlay(struct picture *p, struct rect r, const u32 *pixels, int width, int height);

/* A letter of letters.h; text of UTF-8, which ends at a zero or after `size` bytes, in cells `advance` wide (0: as the
 * letters are). y: upper edge of the line. text returns the x behind it. */
struct letters;
void picture_letter(struct picture *p, int x, int y, struct letters *l, u32 colour, u32 code);
int picture_text(struct picture *p, float x, float y, struct letters *l, float advance, u32 colour, const char *text,
                 size_t size);
/* The next code point of UTF-8; what is none is U+FFFD. Moves *at. 0: at the end. */
u32 utf8_next(const char **at, const char *end);

#endif
