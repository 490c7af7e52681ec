/*
 * What views draw on: a list of shapes, plain data, in logical pixels. A view does not know who shows it: the window
 * (frontend/), a picture in SVG, the report page, or a test that reads the list. Colours are roles, which a theme makes
 * colours of; there is one family of letters, each as wide as every other, so that text is measured without a font.
 */
#ifndef VIEW_CANVAS_H
#define VIEW_CANVAS_H

#include "debug/text.h"

/* Roles of colour. EL0..EL3 and VM0..VM7 are told apart by people who do not see all colours, too; each is a fill on
 * which INK_TEXT is read. */
enum ink {
    INK_NONE, INK_GROUND, INK_PANEL, INK_LINE, INK_TEXT, INK_DIM, INK_LIT /* what changed, what decides */,
    INK_FAULT, INK_GOOD, INK_CHOSEN /* where the keyboard is */,
    INK_EL0, INK_EL1, INK_EL2, INK_EL3, INK_DEVICE, INK_SHARED,
    INK_VM0, INK_VM1, INK_VM2, INK_VM3, INK_VM4, INK_VM5, INK_VM6, INK_VM7,
    INKS
};
enum theme { THEME_DARK, THEME_LIGHT, THEMES };
enum font { FONT_SMALL, FONT_BODY, FONT_BOLD, FONT_TITLE, FONTS };
enum shape_kind { SHAPE_RECT, SHAPE_HATCH, SHAPE_LINE, SHAPE_ARROW, SHAPE_TEXT, SHAPE_CLIP /* of what follows; 0 by 0: none */, SHAPE_ZONE };

struct shape {
    u8 kind, fill, edge, font; /* enum shape_kind, enum ink twice, enum font */
    float x, y, w, h;          /* a line goes from x,y by w,h; text stands on the line y + its height */
    u32 text;  /* where its text begins in `text` of the canvas; of a zone: what it is, for tool tips and readers */
    u32 zone;  /* of a zone: what the view calls it, */
    u64 value; /* and of what */
};
struct canvas {
    float width, height; /* what there is to draw on */
    struct shape *shape;
    unsigned count, room;
    struct text text;
    float mouse_x, mouse_y; /* -1: not here */
    bool failed;            /* no memory: what followed is lost */
};

void canvas_begin(struct canvas *c, float width, float height);
void canvas_free(struct canvas *c);
void canvas_rect(struct canvas *c, float x, float y, float w, float h, enum ink fill, enum ink edge);
void canvas_hatch(struct canvas *c, float x, float y, float w, float h, enum ink one, enum ink other);
void canvas_line(struct canvas *c, float x, float y, float to_x, float to_y, enum ink ink);
void canvas_arrow(struct canvas *c, float x, float y, float to_x, float to_y, enum ink ink);
/* Returns its width. */
float canvas_text(struct canvas *c, float x, float y, enum font font, enum ink ink, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void canvas_clip(struct canvas *c, float x, float y, float w, float h);
/* Can be clicked, or reached by the keyboard: the view is handed back zone and value. */
void canvas_zone(struct canvas *c, float x, float y, float w, float h, u32 zone, u64 value, const char *format, ...)
    __attribute__((format(printf, 8, 9)));
/* Height of a line, width of a letter; 0xRRGGBB. */
float font_height(enum font font);
float font_advance(enum font font);
u32 theme_colour(enum theme theme, enum ink ink);

/* ---- who shows it ---- */
/* A whole SVG file: it needs nothing beside itself. With roles and titles for those who have it read to them. */
void canvas_svg(const struct canvas *c, enum theme theme, const char *title, struct text *out);
/* A line a shape: for tests. */
void canvas_list(const struct canvas *c, struct text *out);

#endif
