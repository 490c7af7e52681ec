/*
 * Tabs that show the guest's screens (board/display.h), and hand keys and the pointer to its input devices
 * (frontend/input.h). What a screen shows is compared with what was drawn, row by row: what has not changed costs that
 * alone.
 */
#include "frontend/display/window.h"

#include "board/display.h"
#include "frontend/display/letters.h"
#include "frontend/frontend.h"
#include "frontend/input.h"
#include "frontend/screendump.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { BAND = 64 /* rows that are looked at together */, SCREEN_PIXELS = 64 << 20, CURSOR_PIXELS = CURSOR_SIZE * CURSOR_SIZE };
enum { GROUND = 0x101318, TEXT = 0x9aa4af, TEXT_SIZE = 14 };

struct view_of_screen {
    unsigned number;
    u32 *pixels, *band; /* as drawn; scratch */
    u32 width, height;  /* of what pixels holds; 0: none */
    u32 from, to;       /* rows that have changed since */
    bool cursor_moved, new_size;
    struct screen screen; /* as it was looked at last */
    u32 cursor[CURSOR_PIXELS];
    double zoom;
    struct rect place; /* where it is in the tab */
    bool absolute_seen, typed;
};

/* ---- what it shows ---- */

static bool pixels_make(struct view_of_screen *v, u32 width, u32 height)
{
    free(v->pixels);
    free(v->band);
    v->pixels = v->band = NULL;
    v->width = v->height = 0;
    v->new_size = true;
    if (!width || !height || (u64)width * height > SCREEN_PIXELS)
        return true;
    v->pixels = calloc((size_t)width * height, sizeof(u32));
    v->band = malloc((size_t)width * BAND * sizeof(u32));
    if (!v->pixels || !v->band)
        return false;
    v->width = width;
    v->height = height;
    return true;
}

/* Compares it with what was drawn, and takes what is new. */
static void pixels_take(struct view_of_screen *v, struct machine *m)
{
    size_t row = v->width * sizeof(u32);
    for (u32 y = 0; y < v->height; y += BAND) {
        u32 rows = v->height - y < BAND ? v->height - y : BAND;
        machine_screen_read(m, v->number, 0, y, v->width, rows, v->band, v->width);
        for (u32 n = 0; n < rows; n++) {
            u32 *old = v->pixels + (size_t)(y + n) * v->width, *new = v->band + (size_t)n * v->width;
            if (!memcmp(old, new, row))
                continue;
            memcpy(old, new, row);
            v->from = y + n < v->from ? y + n : v->from;
            v->to = y + n + 1 > v->to ? y + n + 1 : v->to;
        }
    }
}

static void cursor_take(struct view_of_screen *v, struct machine *m, const struct screen *s)
{
    u32 image[CURSOR_PIXELS] = { 0 };
    if (s->cursor)
        machine_screen_cursor(m, v->number, image);
    v->cursor_moved |= s->cursor != v->screen.cursor || s->cursor_x != v->screen.cursor_x ||
                       s->cursor_y != v->screen.cursor_y || (s->cursor && memcmp(image, v->cursor, sizeof(image)));
    if (s->cursor)
        memcpy(v->cursor, image, sizeof(image));
}

static bool screen_changed(struct tab *t)
{
    struct view_of_screen *v = t->own;
    struct machine *m = display_machine(t->display);
    struct screen s = { 0 };
    if (!machine_screen(m, v->number, &s))
        s.width = s.height = 0;
    window_visible(t->window, s.width);
    bool other = s.width != v->screen.width || s.height != v->screen.height;
    cursor_take(v, m, &s);
    v->screen = s;
    if (other && pixels_make(v, s.width, s.height))
        window_fits(t->window);
    pixels_take(v, m);
    return v->from < v->to || v->cursor_moved || v->new_size;
}

/* ---- drawing ---- */

/* As large as fits, its sides in their relation; to whole multiples when it is nearly one. */
static struct rect place_of(const struct view_of_screen *v, struct rect r)
{
    double scale = fmin((double)r.w / v->width, (double)r.h / v->height);
    if (scale >= 1 && scale - floor(scale) < 0.02)
        scale = floor(scale);
    int w = (int)lrint(v->width * scale), h = (int)lrint(v->height * scale);
    w = w < 1 ? 1 : w;
    h = h < 1 ? 1 : h;
    return (struct rect){ r.x + (r.w - w) / 2, r.y + (r.h - h) / 2, w, h };
}

static struct rect rows_of(const struct view_of_screen *v, struct rect place)
{
    int top = (int)((s64)v->from * place.h / v->height) - 2, below = (int)((s64)v->to * place.h / v->height) + 3;
    return rect_meet(place, (struct rect){ place.x, place.y + top, place.w, below - top });
}

static void words_draw(struct picture *p, struct rect r, const char *words)
{
    struct letters *l = letters_get(TEXT_SIZE, false);
    picture_fill(p, r, GROUND);
    if (!l)
        return;
    int x = r.x + (r.w - (int)strlen(words) * letters_advance(l)) / 2, y = r.y + r.h / 2;
    picture_text(p, (float)x, (float)y, l, 0, TEXT, words, strlen(words));
}

static struct rect screen_draw(struct tab *t, struct picture *p, struct rect r, bool all)
{
    struct view_of_screen *v = t->own;
    const struct screen *s = &v->screen;
    struct rect part = r;
    if (!v->width) {
        words_draw(p, r,
                   s->width ? "The guest's screen is too large to be shown."
                            : "The guest has not switched this screen on yet.");
    } else {
        struct rect place = place_of(v, r);
        bool smooth =
            place.w % (int)v->width != 0 && place.w < 2 * (int)v->width; /* from there on pixels are wide enough */
        if (!all && !v->cursor_moved && !v->new_size)
            part = rows_of(v, place);
        else
            picture_fill(p, r, GROUND);
        picture_clip(p, part);
        picture_stretch(p, place, v->pixels, (int)v->width, (int)v->height, (int)v->width, smooth);
        double x = (double)place.w / v->width, y = (double)place.h / v->height;
        if (s->cursor)
            picture_overlay(p,
                            (struct rect){ place.x + (int)((s->cursor_x - (double)s->hot_x) * x),
                                           place.y + (int)((s->cursor_y - (double)s->hot_y) * y),
                                           (int)(CURSOR_SIZE * x), (int)(CURSOR_SIZE * y) },
                            v->cursor, CURSOR_SIZE, CURSOR_SIZE);
        v->place = (struct rect){ place.x - r.x, place.y - r.y, place.w, place.h };
    }
    v->from = v->height;
    v->to = 0;
    v->cursor_moved = v->new_size = false;
    return part;
}

static bool screen_wants(struct tab *t, int *width, int *height)
{
    struct view_of_screen *v = t->own;
    *width = (int)lrint(v->screen.width * v->zoom);
    *height = (int)lrint(v->screen.height * v->zoom);
    return v->screen.width;
}

/* To elmu-screen-N.png, or .ppm where there is no PNG, with the first N that is free. */
static void screen_save(struct tab *t)
{
    struct view_of_screen *v = t->own;
    struct screendump p = { 0 };
    const char *format = screendump_png_library() ? "png" : "ppm";
    char file[64], error[256];
    unsigned n = 0;
    do {
        snprintf(file, sizeof(file), "elmu-screen-%u.%s", ++n, format);
    } while (!access(file, F_OK));
    bool ok =
        screendump_take(display_machine(t->display), v->number, &p, error) && screendump_write(&p, format, file, error);
    free(p.rgb);
    if (ok)
        window_says(t->window, "%s is written", file);
    else
        window_says(t->window, "%s: %s", file, error);
}

static void screen_zoom(struct tab *t, int by)
{
    struct view_of_screen *v = t->own;
    v->zoom = by ? v->zoom * (by > 0 ? 1.25 : 0.8) : 1;
    v->zoom = v->zoom < 0.25 ? 0.25 : v->zoom > 8 ? 8 : v->zoom;
}

/* ---- keys and the pointer ---- */

static struct inputs *inputs_of(struct tab *t) { return display_frontend(t->display)->inputs; }

static void pointer_move(struct tab *t, const struct desktop_event *e)
{
    struct view_of_screen *v = t->own;
    struct inputs *in = inputs_of(t);
    struct rect r = v->place;
    bool absolute = inputs_absolute(in), over = rect_has(r, e->x, e->y);
    desktop_pointer(!over || !v->screen.cursor || !absolute || display_options(t->display)->display.show_cursor);
    if (absolute && v->width) {
        s64 x = (s64)(e->x - r.x) * v->width / r.w, y = (s64)(e->y - r.y) * v->height / r.h;
        x = x < 0 ? 0 : x >= v->width ? v->width - 1 : x;
        y = y < 0 ? 0 : y >= v->height ? v->height - 1 : y;
        inputs_move_to(in, v->number, (u32)x, (u32)y, v->width, v->height);
    } else if (inputs_relative(in) && window_grabs(t->window)) {
        inputs_move_by(in, e->dx, e->dy);
    }
    inputs_sync(in);
}

static void pointer_press(struct tab *t, const struct desktop_event *e)
{
    static const u8 buttons[] = { [DESKTOP_LEFT] = BUTTON_LEFT,
                                  [DESKTOP_MIDDLE] = BUTTON_MIDDLE,
                                  [DESKTOP_RIGHT] = BUTTON_RIGHT,
                                  [DESKTOP_SIDE] = BUTTON_SIDE,
                                  [DESKTOP_EXTRA] = BUTTON_EXTRA };
    struct inputs *in = inputs_of(t);
    bool absolute = inputs_absolute(in);
    if (!absolute && inputs_relative(in) && !window_grabs(t->window)) {
        if (e->down)
            window_grab(t->window, true, true);
        return;
    }
    if (absolute)
        pointer_move(t, e);
    inputs_button(in, buttons[e->button], e->down);
    inputs_sync(in);
}

static void wheel_turn(struct tab *t, int lines)
{
    struct inputs *in = inputs_of(t);
    enum pointer_button button = lines > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN;
    for (int n = 0; n < abs(lines) && n < 8; n++) {
        inputs_button(in, button, true);
        inputs_sync(in);
        inputs_button(in, button, false);
        inputs_sync(in);
    }
}

static void screen_event(struct tab *t, const struct desktop_event *e)
{
    struct inputs *in = inputs_of(t);
    if (!in)
        return;
    switch (e->kind) {
    case DESKTOP_KEY:
        if (e->again || !key_by_usage(e->usage)) /* the guest repeats by itself */
            return;
        inputs_key(in, key_by_usage(e->usage), e->down);
        inputs_sync(in);
        break;
    case DESKTOP_MOVE: pointer_move(t, e); break;
    case DESKTOP_BUTTON: pointer_press(t, e); break;
    case DESKTOP_WHEEL: wheel_turn(t, e->dy); break;
    case DESKTOP_FOCUS: window_grab(t->window, e->down, !inputs_absolute(in) && inputs_relative(in)); break;
    default: return;
    }
    display_typed(t->display);
}

static void screen_leave(struct tab *t)
{
    struct inputs *in = inputs_of(t);
    desktop_pointer(true);
    if (in)
        inputs_release(in);
    display_typed(t->display);
}

/* ---- the tabs ---- */

static const struct tab_kind kind = { .changed = screen_changed,
                                      .draw = screen_draw,
                                      .event = screen_event,
                                      .leave = screen_leave,
                                      .zoom = screen_zoom,
                                      .save = screen_save,
                                      .wants = screen_wants };

void screens_add(struct window *first, struct display *d)
{
    struct machine *m = display_machine(d);
    for (unsigned n = 0; n < machine_screens(m); n++) {
        struct window *w = n ? window_another(first) : first;
        struct view_of_screen *v = w ? calloc(1, sizeof(*v)) : NULL;
        struct screen s = { 0 };
        if (!v)
            return;
        v->number = n;
        v->zoom = 1;
        machine_screen(m, n, &s);
        window_tab(w, TABS_GUEST, &kind, v, s.name);
        window_visible(w, s.width);
    }
}

static bool none_changed(struct tab *t) { return (void)t, false; }

static struct rect none_draw(struct tab *t, struct picture *p, struct rect r, bool all)
{
    (void)t, (void)all;
    words_draw(p, r, "This machine has no screen. (F12: views of the machine)");
    return r;
}

static void none_event(struct tab *t, const struct desktop_event *e) { (void)t, (void)e; }

void screens_none(struct window *w, struct display *d)
{
    static const struct tab_kind none = { .changed = none_changed, .draw = none_draw, .event = none_event };
    (void)d;
    window_tab(w, TABS_GUEST, &none, NULL, "guest");
}
