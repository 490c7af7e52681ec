/*
 * What views draw on: a list of shapes, plain data, in logical pixels. A view does not know who shows it: the window
 * (frontend/), a picture in SVG, the report page, or a test that reads the list. Colours are roles (ink.def), of which
 * a theme makes colours; there is one family of letters, each as wide as every other, so that text is measured without
 * a font: DejaVu Sans Mono, or what comes nearest to it.
 */
#ifndef VIEW_CANVAS_H
#define VIEW_CANVAS_H

#include "debug/text.h"

enum ink {
#define INK(id, name, dark, light, how) INK_##id,
#include "view/ink.def"
    INKS
};
enum { INK_VMS = 8 }; /* of INK_VM0 and those behind it: VM n has INK_VM0 + n % INK_VMS */
enum theme { THEME_DARK, THEME_LIGHT, THEMES };
enum font { FONT_SMALL, FONT_BODY, FONT_BOLD, FONT_TITLE, FONTS };
enum shape_kind { SHAPE_RECT, SHAPE_HATCH, SHAPE_LINE, SHAPE_ARROW, SHAPE_TEXT, SHAPE_CLIP, SHAPE_ZONE,
                  SHAPES };

struct shape {
    u8 kind, fill, edge, font; /* enum shape_kind, enum ink twice (of a line, an arrow, text: fill), enum font */
    float x, y, w, h;          /* a line goes from x,y by w,h; text has its left upper corner there, and its size */
    u32 text;                  /* where its text begins in `text` of the canvas; of a zone: what it is, for tool tips and readers */
    u32 zone;                  /* of a zone: what the view calls it, */
    u64 value;                 /* and of what */
};
struct canvas {
    float width, height; /* what there is to draw on */
    struct shape *shape;
    unsigned count, room;
    struct text text;       /* strings, each with its 0 */
    float mouse_x, mouse_y; /* -1: not here */
    bool failed;            /* no memory: what followed is lost */
};

/* Empties it, and keeps its memory. A canvas of zeros is one that was never used. */
void canvas_begin(struct canvas *c, float width, float height);
void canvas_free(struct canvas *c);
/* With an edge within it, INK_NONE for none: one pixel wide, two when it is INK_TEXT_* or INK_LIT, INK_FAULT,
 * INK_CHOSEN (ink_width). */
void canvas_rect(struct canvas *c, float x, float y, float w, float h, enum ink fill, enum ink edge);
/* Stripes from the left lower to the right upper corner. */
void canvas_hatch(struct canvas *c, float x, float y, float w, float h, enum ink one, enum ink other);
void canvas_line(struct canvas *c, float x, float y, float to_x, float to_y, enum ink ink);
void canvas_arrow(struct canvas *c, float x, float y, float to_x, float to_y, enum ink ink);
/* A line of text (UTF-8) whose left upper corner is at x,y. Returns its width. */
float canvas_text(struct canvas *c, float x, float y, enum font font, enum ink ink, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* The same within `width`: what is longer is cut, and ends in "…". */
float canvas_fit(struct canvas *c, float x, float y, float width, enum font font, enum ink ink, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/* Lines broken at blanks, within `width`, at most `lines` of them. Returns the height used. */
float canvas_lines(struct canvas *c, float x, float y, float width, unsigned lines, enum font font, enum ink ink,
                   const char *format, ...) __attribute__((format(printf, 8, 9)));
/* What follows shows only there; 0 by 0: everywhere again. Does not nest. Zones are not cut. */
void canvas_clip(struct canvas *c, float x, float y, float w, float h);
/* Can be clicked, or reached by the keyboard: the view is handed back zone and value. Nothing is drawn. */
void canvas_zone(struct canvas *c, float x, float y, float w, float h, u32 zone, u64 value, const char *format, ...)
    __attribute__((format(printf, 8, 9)));
/* The last zone that has the point; NULL: none. */
const struct shape *canvas_zone_at(const struct canvas *c, float x, float y);
static inline const char *shape_text(const struct canvas *c, const struct shape *s)
{
    return c->text.s ? c->text.s + s->text : "";
}
/* How far down its shapes reach. */
float canvas_bottom(const struct canvas *c);

/* Height of a line, size of the letters (em), width of a letter; letters of a string of UTF-8. */
float font_height(enum font font);
float font_size(enum font font);
float font_advance(enum font font);
unsigned font_letters(const char *text);
u32 theme_colour(enum theme theme, enum ink ink); /* 0xRRGGBB */
const char *theme_name(enum theme theme);
const char *ink_name(enum ink ink);
float ink_width(enum ink ink);
/* The corners of an arrow's head, whose tip is where it goes to. */
void arrow_head(const struct shape *s, float x[3], float y[3]);

/* ---- who shows it ---- */

/* An SVG element: a whole file, or within a page; it needs nothing beside itself. Title and description are for those
 * who have it read to them (and tool tips); zones have their words as titles. */
void canvas_svg(const struct canvas *c, enum theme theme, const char *title, const char *description, struct text *out);
/* A line a shape: for tests. */
void canvas_list(const struct canvas *c, struct text *out);

#endif
