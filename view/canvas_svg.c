/*
 * A draw list as an SVG element (SVG 1.1, and roles of the Graphics Module of WAI-ARIA): no script, no style sheet,
 * nothing that lies elsewhere. A clip is an inner svg element, so that several pictures of one page have no names in
 * common but those of hatches, which mean the same in each. Text is as wide as font_advance says, whichever font the
 * reader has.
 */
#include "view/canvas.h"

static void escaped(struct text *out, const char *s, size_t length)
{
    for (; length; s++, length--)
        if (*s == '<')
            text_add(out, "&lt;");
        else if (*s == '>')
            text_add(out, "&gt;");
        else if (*s == '&')
            text_add(out, "&amp;");
        else if (*s == '"')
            text_add(out, "&quot;");
        else if ((u8)*s < ' ' || *s == 127) /* XML has no such characters */
            text_add(out, "?");
        else
            text_bytes(out, s, 1);
}

/* Hundredths, without what is 0. */
static void number(struct text *out, const char *name, float v)
{
    int n = (int)(v * 100 + (v < 0 ? -0.5f : 0.5f)), rest = (n < 0 ? -n : n) % 100;
    text_add(out, " %s=\"%s%d", name, n < 0 && n > -100 ? "-" : "", n / 100);
    if (rest)
        text_add(out, rest % 10 ? ".%02d" : ".%d", rest % 10 ? rest : rest / 10);
    text_add(out, "\"");
}

static void place(struct text *out, float x, float y, float w, float h)
{
    number(out, "x", x);
    number(out, "y", y);
    number(out, "width", w > 0 ? w : 0);
    number(out, "height", h > 0 ? h : 0);
}

static void colour(struct text *out, const char *name, enum theme theme, enum ink ink)
{
    if (ink == INK_NONE)
        text_add(out, " %s=\"none\"", name);
    else
        text_add(out, " %s=\"#%06x\"", name, theme_colour(theme, ink));
}

/* An edge lies within its rectangle. */
static void rect_put(struct text *out, enum theme theme, const struct shape *s)
{
    float edge = s->edge == INK_NONE ? 0 : ink_width(s->edge);
    text_add(out, "<rect");
    place(out, s->x + edge / 2, s->y + edge / 2, s->w - edge, s->h - edge);
    colour(out, "fill", theme, s->fill);
    if (edge > 0) {
        colour(out, "stroke", theme, s->edge);
        number(out, "stroke-width", edge);
    }
    text_add(out, "/>\n");
}

static void hatch_put(struct text *out, enum theme theme, const struct shape *s)
{
    text_add(out, "<rect");
    place(out, s->x, s->y, s->w, s->h);
    text_add(out, " fill=\"url(#hatch-%s-%u-%u)\"/>\n", theme_name(theme), s->fill, s->edge);
}

static void line_put(struct text *out, enum theme theme, const struct shape *s)
{
    text_add(out, "<line");
    number(out, "x1", s->x);
    number(out, "y1", s->y);
    number(out, "x2", s->x + s->w);
    number(out, "y2", s->y + s->h);
    colour(out, "stroke", theme, s->fill);
    number(out, "stroke-width", ink_width(s->fill));
    text_add(out, "/>\n");
}

static void arrow_put(struct text *out, enum theme theme, const struct shape *s)
{
    float x[3], y[3];
    line_put(out, theme, s);
    arrow_head(s, x, y);
    text_add(out, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\"", (double)x[0], (double)y[0], (double)x[1], (double)y[1],
             (double)x[2], (double)y[2]);
    colour(out, "fill", theme, s->fill);
    text_add(out, "/>\n");
}

static void words_put(struct text *out, enum theme theme, const struct shape *s, const char *words, size_t length,
                      float x, float w)
{
    text_add(out, "<text");
    number(out, "x", x);
    number(out, "y", s->y + s->h / 2 + font_size(s->font) * 0.35f);
    number(out, "font-size", font_size(s->font));
    number(out, "textLength", w);
    text_add(out, " lengthAdjust=\"spacingAndGlyphs\"%s", s->font >= FONT_BOLD ? " font-weight=\"bold\"" : "");
    colour(out, "fill", theme, s->fill);
    text_add(out, ">");
    escaped(out, words, length);
    text_add(out, "</text>\n");
}

/* Readers make one blank of several, and none at the ends: what such blanks keep apart is text of its own. */
static void text_put(const struct canvas *c, struct text *out, enum theme theme, const struct shape *s)
{
    float x = s->x, advance = font_advance(s->font);
    for (const char *at = shape_text(c, s); *at;) {
        size_t blanks = strspn(at, " "), length = blanks;
        unsigned letters = (unsigned)blanks;
        if (!blanks) {
            while (at[length] && strncmp(at + length, "  ", 2) && strcmp(at + length, " "))
                length++;
            for (size_t n = 0; n < length; n++)
                letters += (at[n] & 0xc0) != 0x80;
            words_put(out, theme, s, at, length, x, (float)letters * advance);
        }
        at += length;
        x += (float)letters * advance;
    }
}

/* Nothing to see: a tool tip, and words for those who have it read to them. */
static void zone_put(const struct canvas *c, struct text *out, const struct shape *s)
{
    text_add(out, "<rect role=\"graphics-symbol\"");
    place(out, s->x, s->y, s->w, s->h);
    text_add(out, " fill=\"#000\" fill-opacity=\"0\" data-zone=\"%u\" data-value=\"0x%llx\"><title>", s->zone,
             (unsigned long long)s->value);
    escaped(out, shape_text(c, s), strlen(shape_text(c, s)));
    text_add(out, "</title></rect>\n");
}

static bool is_empty(const struct shape *s) { return s->w <= 0 || s->h <= 0; }

static void clip_put(struct text *out, const struct shape *s, bool *inside)
{
    if (*inside)
        text_add(out, "</svg>\n");
    *inside = !is_empty(s);
    if (!*inside)
        return;
    text_add(out, "<svg overflow=\"hidden\"");
    place(out, s->x, s->y, s->w, s->h);
    text_add(out, " viewBox=\"%.2f %.2f %.2f %.2f\">\n", (double)s->x, (double)s->y, (double)s->w, (double)s->h);
}

static bool hatch_is_first(const struct canvas *c, unsigned n)
{
    const struct shape *s = &c->shape[n];
    for (unsigned before = 0; before < n; before++)
        if (c->shape[before].kind == SHAPE_HATCH && c->shape[before].fill == s->fill &&
            c->shape[before].edge == s->edge)
            return false;
    return true;
}

static void hatches(const struct canvas *c, enum theme theme, struct text *out)
{
    for (unsigned n = 0; n < c->count; n++) {
        const struct shape *s = &c->shape[n];
        if (s->kind != SHAPE_HATCH || !hatch_is_first(c, n))
            continue;
        text_add(out,
                 "<pattern id=\"hatch-%s-%u-%u\" patternUnits=\"userSpaceOnUse\" width=\"10\" height=\"10\" "
                 "patternTransform=\"rotate(45)\"><rect width=\"10\" height=\"10\"",
                 theme_name(theme), s->fill, s->edge);
        colour(out, "fill", theme, s->fill);
        text_add(out, "/><rect width=\"5\" height=\"10\"");
        colour(out, "fill", theme, s->edge);
        text_add(out, "/></pattern>\n");
    }
}

static void shape_put(const struct canvas *c, struct text *out, enum theme theme, const struct shape *s, bool *inside)
{
    if (s->kind == SHAPE_RECT && !is_empty(s))
        rect_put(out, theme, s);
    else if (s->kind == SHAPE_HATCH && !is_empty(s))
        hatch_put(out, theme, s);
    else if (s->kind == SHAPE_LINE)
        line_put(out, theme, s);
    else if (s->kind == SHAPE_ARROW)
        arrow_put(out, theme, s);
    else if (s->kind == SHAPE_TEXT)
        text_put(c, out, theme, s);
    else if (s->kind == SHAPE_CLIP)
        clip_put(out, s, inside);
    else if (s->kind == SHAPE_ZONE)
        zone_put(c, out, s);
}

void canvas_svg(const struct canvas *c, enum theme theme, const char *title, const char *description, struct text *out)
{
    bool inside = false;
    text_add(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"graphics-document\" width=\"%.0f\" height=\"%.0f\" "
             "viewBox=\"0 0 %.0f %.0f\" font-family=\"DejaVu Sans Mono, monospace\">\n<title>",
             (double)c->width, (double)c->height, (double)c->width, (double)c->height);
    escaped(out, title, strlen(title));
    text_add(out, "</title>\n<desc>");
    escaped(out, description, strlen(description));
    text_add(out, "</desc>\n<rect width=\"100%%\" height=\"100%%\"");
    colour(out, "fill", theme, INK_GROUND);
    text_add(out, "/>\n");
    hatches(c, theme, out);
    for (unsigned n = 0; n < c->count; n++)
        shape_put(c, out, theme, &c->shape[n], &inside);
    text_add(out, "%s</svg>\n", inside ? "</svg>\n" : "");
}
