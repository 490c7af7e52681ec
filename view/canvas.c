/*
 * The draw list (canvas.h): shapes and their words in two arrays that grow, the measures of letters, the themes'
 * colours. Measures are those of DejaVu Sans Mono: a letter is 0.602 of the font's size wide, so that sizes are chosen
 * by whole pixels a letter.
 */
#include "view/canvas.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    float advance, height;
} fonts[FONTS] = { { 7, 15 }, { 8, 18 }, { 8, 18 }, { 11, 26 } };
static const struct {
    const char *name;
    u32 colour[THEMES];
} inks[INKS] = {
#define INK(id, name, dark, light, how) { name, { dark, light } },
#include "view/ink.def"
};

/* ---- measures ---- */

float font_height(enum font font) { return fonts[font < FONTS ? font : 0].height; }
float font_advance(enum font font) { return fonts[font < FONTS ? font : 0].advance; }
float font_size(enum font font) { return font_advance(font) / 0.602f; }

unsigned font_letters(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

u32 theme_colour(enum theme theme, enum ink ink)
{
    return inks[ink < INKS ? ink : 0].colour[theme < THEMES ? theme : 0];
}
const char *theme_name(enum theme theme) { return theme == THEME_LIGHT ? "light" : "dark"; }
const char *ink_name(enum ink ink) { return inks[ink < INKS ? ink : 0].name; }

float ink_width(enum ink ink)
{
    return (ink >= INK_TEXT_FAULT && ink <= INK_TEXT_GOOD) || ink == INK_LIT || ink == INK_FAULT || ink == INK_CHOSEN
               ? 2
               : 1;
}

void arrow_head(const struct shape *s, float x[3], float y[3])
{
    float length = sqrtf(s->w * s->w + s->h * s->h), size = length < 8 ? length : 8;
    float along_x = length > 0 ? s->w / length : 1, along_y = length > 0 ? s->h / length : 0;
    x[0] = s->x + s->w, y[0] = s->y + s->h;
    x[1] = x[0] - size * along_x - size / 2 * along_y, y[1] = y[0] - size * along_y + size / 2 * along_x;
    x[2] = x[0] - size * along_x + size / 2 * along_y, y[2] = y[0] - size * along_y - size / 2 * along_x;
}

/* ---- the list ---- */

void canvas_begin(struct canvas *c, float width, float height)
{
    c->width = width;
    c->height = height;
    c->count = 0;
    c->failed = false;
    c->text.failed = false;
    text_clear(&c->text);
    c->mouse_x = c->mouse_y = -1;
}

void canvas_free(struct canvas *c)
{
    free(c->shape);
    text_free(&c->text);
    *c = (struct canvas){ 0 };
}

static struct shape *add(struct canvas *c, enum shape_kind kind, float x, float y, float w, float h)
{
    if (c->count == c->room) {
        unsigned room = c->room ? 2 * c->room : 256;
        struct shape *shape = c->failed ? NULL : realloc(c->shape, room * sizeof(*shape));
        c->failed = !shape;
        if (!shape)
            return NULL;
        c->shape = shape;
        c->room = room;
    }
    struct shape *s = &c->shape[c->count++];
    *s = (struct shape){ .kind = (u8)kind, .x = x, .y = y, .w = w, .h = h };
    return s;
}

/* Its words, with their 0. False: there is no memory, and no shape. */
static bool words(struct canvas *c, struct shape *s, const char *text, size_t length)
{
    if (!s)
        return false;
    s->text = (u32)c->text.length;
    text_bytes(&c->text, text, length);
    text_bytes(&c->text, "", 1);
    if (c->text.failed) {
        c->failed = true;
        c->count--;
    }
    return !c->text.failed;
}

void canvas_rect(struct canvas *c, float x, float y, float w, float h, enum ink fill, enum ink edge)
{
    struct shape *s = add(c, SHAPE_RECT, x, y, w, h);
    if (s)
        s->fill = (u8)fill, s->edge = (u8)edge;
}

void canvas_hatch(struct canvas *c, float x, float y, float w, float h, enum ink one, enum ink other)
{
    struct shape *s = add(c, SHAPE_HATCH, x, y, w, h);
    if (s)
        s->fill = (u8)one, s->edge = (u8)other;
}

void canvas_line(struct canvas *c, float x, float y, float to_x, float to_y, enum ink ink)
{
    struct shape *s = add(c, SHAPE_LINE, x, y, to_x - x, to_y - y);
    if (s)
        s->fill = (u8)ink;
}

void canvas_arrow(struct canvas *c, float x, float y, float to_x, float to_y, enum ink ink)
{
    struct shape *s = add(c, SHAPE_ARROW, x, y, to_x - x, to_y - y);
    if (s)
        s->fill = (u8)ink;
}

void canvas_clip(struct canvas *c, float x, float y, float w, float h) { add(c, SHAPE_CLIP, x, y, w, h); }

/* ---- words ---- */

enum { WORDS = 512 }; /* bytes of a text; a longer one is cut */

/* Bytes of the first `letters` letters. */
static size_t bytes_of(const char *text, unsigned letters)
{
    size_t n = 0;
    while (text[n] && ((text[n] & 0xc0) == 0x80 || letters-- > 0))
        n++;
    return n;
}

static float put(struct canvas *c, float x, float y, enum font font, enum ink ink, const char *text, size_t length)
{
    if (!length)
        return 0;
    struct shape *s = add(c, SHAPE_TEXT, x, y, 0, font_height(font));
    if (!words(c, s, text, length))
        return 0;
    s->fill = (u8)ink;
    s->font = (u8)font;
    s->w = font_advance(font) * (float)font_letters(shape_text(c, s));
    return s->w;
}

#define FORMAT(text, format)                                                                                           \
    char text[WORDS];                                                                                                  \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    vsnprintf(text, sizeof(text), format, args);                                                                       \
    va_end(args)

float canvas_text(struct canvas *c, float x, float y, enum font font, enum ink ink, const char *format, ...)
{
    FORMAT(text, format);
    return put(c, x, y, font, ink, text, strlen(text));
}

static unsigned letters_in(float width, enum font font)
{
    return width > 0 ? (unsigned)(width / font_advance(font) + 0.01f) : 0;
}

static float put_fit(struct canvas *c, float x, float y, float width, enum font font, enum ink ink, char text[WORDS])
{
    unsigned fits = letters_in(width, font);
    if (font_letters(text) > fits) {
        size_t keep = fits ? bytes_of(text, fits - 1) : 0;
        if (!fits || keep + 4 > WORDS)
            return 0;
        memcpy(text + keep, "…", 4);
    }
    return put(c, x, y, font, ink, text, strlen(text));
}

float canvas_fit(struct canvas *c, float x, float y, float width, enum font font, enum ink ink, const char *format, ...)
{
    FORMAT(text, format);
    return put_fit(c, x, y, width, font, ink, text);
}

float canvas_lines(struct canvas *c, float x, float y, float width, unsigned lines, enum font font, enum ink ink,
                   const char *format, ...)
{
    FORMAT(text, format);
    unsigned fits = letters_in(width, font), line = 0;
    char *at = text;
    for (; fits && *at && line < lines; line++) {
        size_t end = bytes_of(at, fits), blank = end;
        if (line + 1 == lines || !at[end]) {
            put_fit(c, x, y + (float)line * font_height(font), width, font, ink, memmove(text, at, strlen(at) + 1));
            return (float)(line + 1) * font_height(font);
        }
        while (blank && at[blank] != ' ')
            blank--;
        end = blank ? blank : end;
        put(c, x, y + (float)line * font_height(font), font, ink, at, end);
        at += end;
        at += strspn(at, " ");
    }
    return (float)line * font_height(font);
}

void canvas_zone(struct canvas *c, float x, float y, float w, float h, u32 zone, u64 value, const char *format, ...)
{
    FORMAT(text, format);
    struct shape *s = add(c, SHAPE_ZONE, x, y, w, h);
    if (words(c, s, text, strlen(text)))
        s->zone = zone, s->value = value;
}

/* ---- looked at ---- */

const struct shape *canvas_zone_at(const struct canvas *c, float x, float y)
{
    for (unsigned n = c->count; n-- > 0;) {
        const struct shape *s = &c->shape[n];
        if (s->kind == SHAPE_ZONE && x >= s->x && y >= s->y && x < s->x + s->w && y < s->y + s->h)
            return s;
    }
    return NULL;
}

float canvas_bottom(const struct canvas *c)
{
    float bottom = 0;
    for (unsigned n = 0; n < c->count; n++) {
        const struct shape *s = &c->shape[n];
        float end = s->y + (s->h > 0 ? s->h : 0);
        bottom = s->kind != SHAPE_CLIP && end > bottom ? end : bottom;
    }
    return bottom;
}
