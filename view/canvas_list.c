/* A draw list in words, a line a shape: for tests, which compare views by it. Numbers are rounded to whole pixels. */
#include "view/canvas.h"

static const char *const kinds[SHAPES] = { "rect", "hatch", "line", "arrow", "text", "clip", "zone" };
static const char *const font_names[FONTS] = { "small", "body", "bold", "title" };

static int whole(float v) { return (int)(v < 0 ? v - 0.5f : v + 0.5f); }

void canvas_list(const struct canvas *c, struct text *out)
{
    text_add(out, "canvas %d %d\n", whole(c->width), whole(c->height));
    for (unsigned n = 0; n < c->count; n++) {
        const struct shape *s = &c->shape[n];
        text_add(out, "%s %d %d %d %d", kinds[s->kind < SHAPES ? s->kind : 0], whole(s->x), whole(s->y), whole(s->w),
                 whole(s->h));
        if (s->kind == SHAPE_TEXT)
            text_add(out, " %s %s \"%s\"", font_names[s->font < FONTS ? s->font : 0], ink_name(s->fill),
                     shape_text(c, s));
        else if (s->kind == SHAPE_ZONE)
            text_add(out, " %u 0x%llx \"%s\"", s->zone, (unsigned long long)s->value, shape_text(c, s));
        else if (s->kind != SHAPE_CLIP)
            text_add(out, " %s %s", ink_name(s->fill), ink_name(s->edge));
        text_add(out, "\n");
    }
}
