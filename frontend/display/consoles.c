/*
 * Tabs of the window that are terminals: what -serial vc, -monitor vc and -chardev vc lead to. What is typed there goes
 * into a pipe, from which the back end reads as others read from theirs. Where there is no window, `vc` leads nowhere.
 */
#define _GNU_SOURCE

#include "board/display.h"
#include "frontend/display/letters.h"
#include "frontend/display/vt.h"
#include "frontend/display/window.h"
#include "frontend/frontend.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST_SIZE = 16, EDGE = 4 /* pixels around the cells */, WHEEL_LINES = 3 };
enum { GROUND = 0x101318, CURSOR = 0xffc857, MARK = 0x3b4654, MARK_TEXT = 0xdfe3e8 };

struct vc {
    struct vt *vt;
    int typed;    /* where to write what is typed */
    int size;     /* of letters */
    int from, to; /* rows that have changed */
};

/* ---- the back end ---- */

static void typed(void *ctx, const char *bytes, size_t size)
{
    struct vc *v = ctx;
    ssize_t n = write(v->typed, bytes, size);
    (void)n; /* who does not read what is typed loses it */
}

void char_open_vc(struct chardev *c)
{
    int ends[2];
    struct vc *v = c->all->o->display.shows ? calloc(1, sizeof(*v)) : NULL;
    const char *why = v ? vt_can() : NULL;
    if (!v)
        return;
    if (why)
        die("-chardev vc: %s", why);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        die("-chardev vc: no pipe");
    *v = (struct vc){ .vt = vt_create(typed, v), .typed = ends[1], .size = FIRST_SIZE };
    if (!v->vt)
        die("out of memory");
    c->in = ends[0];
    c->vc = v;
}

void char_put_vc(struct chardev *c, u8 byte)
{
    if (c->vc)
        vt_put(c->vc->vt, byte);
}

void char_close_vc(struct chardev *c)
{
    if (!c->vc)
        return;
    close(c->vc->typed);
    vt_destroy(c->vc->vt);
    free(c->vc);
    c->vc = NULL;
}

/* ---- the tab ---- */

static bool console_changed(struct tab *t)
{
    struct vc *v = t->own;
    return vt_changed(v->vt, &v->from, &v->to);
}

static void cells_draw(struct picture *p, int x, int y, const struct vt_cell *cells, int columns, struct letters *l[2])
{
    int advance = letters_advance(l[0]), height = letters_height(l[0]);
    for (int n = 0; n < columns; n++)
        picture_fill(p, (struct rect){ x + n * advance, y, advance, height }, cells[n].ground);
    for (int n = 0; n < columns; n++) {
        const struct vt_cell *c = &cells[n];
        int left = x + n * advance, wide = advance * (c->width == 2 ? 2 : 1);
        if (c->code)
            picture_letter(p, left, y, l[c->bold], c->ink, c->code);
        if (c->underline)
            picture_fill(p, (struct rect){ left, y + height - 2, wide, 1 }, c->ink);
        if (c->strike)
            picture_fill(p, (struct rect){ left, y + height / 2, wide, 1 }, c->ink);
    }
}

/* What is looked at is not the end of what was written. */
static void mark_draw(struct picture *p, struct rect r, struct letters *l, int lines)
{
    char text[64];
    int size = snprintf(text, sizeof(text), " %d lines back ", lines), width = size * letters_advance(l);
    struct rect at = { r.x + r.w - width, r.y, width, letters_height(l) };
    picture_fill(p, at, MARK);
    picture_text(p, (float)at.x, (float)at.y, l, 0, MARK_TEXT, text, (size_t)size);
}

static struct rect console_draw(struct tab *t, struct picture *p, struct rect r, bool all)
{
    struct vc *v = t->own;
    struct vt_cell cells[VT_MOST];
    struct letters *l[2] = { letters_get(v->size, false), letters_get(v->size, true) };
    int rows, columns, row, column, first, last, advance = letters_advance(l[0]), height = letters_height(l[0]);
    vt_resize(v->vt, (r.h - 2 * EDGE) / height, (r.w - 2 * EDGE) / advance);
    all |= vt_changed(v->vt, &first, &last); /* it has another size */
    vt_size(v->vt, &rows, &columns);
    int from = all ? 0 : v->from, to = all ? rows : v->to;
    if (all)
        picture_fill(p, r, GROUND);
    bool cursor = vt_cursor(v->vt, &row, &column);
    for (int n = from; n < to; n++) {
        vt_row(v->vt, n, cells);
        if (cursor && n == row) {
            cells[column].ink = cells[column].ground;
            cells[column].ground = CURSOR;
        }
        cells_draw(p, r.x + EDGE, r.y + EDGE + n * height, cells, columns, l);
    }
    if (vt_scrolled(v->vt))
        mark_draw(p, r, l[0], vt_scrolled(v->vt));
    return all ? r : (struct rect){ r.x, r.y + EDGE + from * height, r.w, (to - from) * height };
}

static void pasted(struct vc *v)
{
    char *text = desktop_pasted();
    if (text)
        vt_paste(v->vt, text);
    desktop_pasted_free(text);
}

static void key(struct vc *v, const struct desktop_event *e)
{
    int rows, columns;
    unsigned both = MOD_CTRL | MOD_SHIFT;
    vt_size(v->vt, &rows, &columns);
    if (e->mods == MOD_SHIFT && (e->usage == 0x4b || e->usage == 0x4e)) /* page up and down */
        vt_scroll(v->vt, e->usage == 0x4b ? rows - 1 : 1 - rows);
    else if ((e->mods & both) == both && e->code == 'v')
        pasted(v);
    else
        vt_key(v->vt, e->usage, e->code, e->mods);
}

static void console_event(struct tab *t, const struct desktop_event *e)
{
    struct vc *v = t->own;
    if (e->kind == DESKTOP_KEY && e->down)
        key(v, e);
    else if (e->kind == DESKTOP_TEXT)
        vt_text(v->vt, e->text, e->mods);
    else if (e->kind == DESKTOP_WHEEL)
        vt_scroll(v->vt, e->dy * WHEEL_LINES);
    else if (e->kind == DESKTOP_BUTTON && e->down && e->button == DESKTOP_MIDDLE)
        pasted(v);
}

static void console_zoom(struct tab *t, int by)
{
    struct vc *v = t->own;
    v->size = by ? v->size + 2 * by : FIRST_SIZE;
    v->size = v->size < 8 ? 8 : v->size > 64 ? 64 : v->size;
}

static bool console_wants(struct tab *t, int *width, int *height)
{
    struct vc *v = t->own;
    const struct letters *l = letters_get(v->size, false);
    *width = VT_COLUMNS * letters_advance(l) + 2 * EDGE;
    *height = VT_ROWS * letters_height(l) + 2 * EDGE;
    return true;
}

void consoles_add(struct window *w, struct display *d)
{
    static const struct tab_kind kind = { .changed = console_changed,
                                          .draw = console_draw,
                                          .event = console_event,
                                          .zoom = console_zoom,
                                          .wants = console_wants,
                                          .keys = "Shift-PgUp, PgDn\tback to what has left the screen (wheel, too)\n"
                                                  "Ctrl-Shift-V\tpastes (middle button, too)\n" };
    struct chardevs *ends = &display_frontend(d)->console.ends;
    for (unsigned n = 0; n < ends->count; n++) {
        struct chardev *c = &ends->dev[n];
        struct tab *t = c->vc ? window_tab(w, TABS_GUEST, &kind, c->vc, c->name) : NULL;
        if (t && !strcmp(c->name, "serial0") && !machine_screens(display_machine(d)))
            window_show(t);
    }
}
