/*
 * Tabs that show the machine: each view of view.def, drawn by the view on a canvas while the machine stands, and from
 * there to the window's picture whenever that is wanted. While the machine runs it is made to stand for a moment, at
 * most LOOKS_A_SECOND times a second; what keys and clicks ask for is done there, too.
 *
 * From the first look on the run is kept, so that it can go back (debug/reverse.h), and what happens in it is written
 * down (debug/timeline.h): both see the same run.
 */
#include "frontend/display/window.h"

#include "debug/debugger.h"
#include "debug/reverse.h"
#include "frontend/display/letters.h"
#include "frontend/frontend.h"
#include "view/view.h"

#include <math.h>
#include <stdlib.h>

enum { LOOKS_A_SECOND = 10, DEAR = 40 /* of a look, to the time between two of them */, ASKS = 32, VIEWS = 32,
       FOOT_ROOM = 4, WIDTH = 1120, HEIGHT = 690 };
static const u64 LOOK_NS = 1000000000 / LOOKS_A_SECOND;

/* What a person asked for: a key of a view's or of the frame's, a zone that was clicked. */
struct ask {
    unsigned key; /* 0: the zone at x,y */
    float x, y;
    bool drag; /* the pointer is on its way: where it was before is of no account */
};
/* What all of them share. */
struct looks {
    struct window *window;
    struct display *display;
    struct looker looker;
    enum theme theme;
    float scale;
    bool begun; /* the run is kept */
    struct look *look[VIEWS];
    unsigned count;
};
struct look {
    struct looks *all;
    struct tab *tab;
    const struct view *view;
    void *state;
    struct canvas canvas;
    struct ask ask[ASKS];
    unsigned asks;
    float width, height; /* of the tab, pixels */
    u64 drawn_at;        /* host ns of the canvas; 0: it is to be drawn */
    u64 cost;            /* host ns that it took */
    u64 position;        /* the machine's then */
    s32 chosen;          /* zone that the keyboard is on, as a number of them; -1: none */
    float mouse_x, mouse_y, drag_y;
    bool drags; /* a zone of which it matters where: the button is down since drag_y */
    bool fresh; /* the canvas was drawn, the picture not yet */
};

static struct session *session_of(const struct looks *all) { return display_frontend(all->display)->session; }

static u64 here(const struct look *l) { return machine_insns(display_machine(l->all->display)); }

/* Is the machine off, or stuck? */
static bool is_over(const struct looks *all) { return !strcmp(session_state(session_of(all)), "shutdown"); }

static void begin(struct looks *all)
{
    if (all->begun)
        return;
    all->begun = true;
    all->looker.d = session_keep(session_of(all));
    all->looker.timeline = session_timeline(session_of(all));
}

/* ---- zones ---- */

static const struct shape *zone_get(const struct canvas *c, s32 n)
{
    for (unsigned k = 0; k < c->count; k++)
        if (c->shape[k].kind == SHAPE_ZONE && n-- == 0)
            return &c->shape[k];
    return NULL;
}

static s32 zones(const struct canvas *c)
{
    s32 count = 0;
    for (unsigned k = 0; k < c->count; k++)
        count += c->shape[k].kind == SHAPE_ZONE;
    return count;
}

/* ---- the machine ---- */

static const char *go_to(struct looks *all, u64 at)
{
    struct debugger *d = all->looker.d;
    struct session *s = session_of(all);
    if (!is_over(all))
        session_ask(s, ASK_STOP);
    if (!session_stands(s) && !is_over(all))
        return "the machine is to stop first";
    if (!d->reverse)
        return "there is no memory to keep the run";
    bool there = reverse_goto(d->reverse, &d->stops, at);
    d->cpu = d->m->turn;
    session_moved(s);
    return there                            ? NULL
           : at < reverse_first(d->reverse) ? "the run is known from later on only"
                                            : "the run ends before";
}

static void goto_say(struct look *l, u64 at)
{
    const char *why = go_to(l->all, at);
    if (why)
        window_says(l->all->window, "instruction %llu: %s", (unsigned long long)at, why);
}

static void run_or_stop(struct look *l)
{
    struct session *s = session_of(l->all);
    const char *why = session_ask(s, session_stands(s) ? ASK_CONT : ASK_STOP);
    if (why)
        window_says(l->all->window, "%s", why);
}

static void view_open(struct look *l, const char *name, const char *words)
{
    char error[256] = "";
    struct look *other = NULL;
    for (unsigned n = 0; n < l->all->count; n++)
        if (!strcmp(l->all->look[n]->view->name, name))
            other = l->all->look[n];
    if (!other)
        return;
    if (!view_set(&l->all->looker, other->view, other->state, words, error))
        window_says(l->all->window, "%s", error);
    other->drawn_at = 0;
    window_show(other->tab);
}

static void answer_take(struct look *l, const struct view_answer *a)
{
    switch (a->wish) {
    case VIEW_GOTO: goto_say(l, a->at); break;
    case VIEW_OPEN: view_open(l, a->view, a->words); break;
    default: break;
    }
    l->drawn_at = 0;
}

/* ---- keys of the frame's own, where a view has none such ---- */

static void key_space(struct look *l) { run_or_stop(l); }
static void key_step(struct look *l) { goto_say(l, here(l) + 1); }
static void key_back(struct look *l) { goto_say(l, here(l) ? here(l) - 1 : 0); }
static void key_far(struct look *l) { goto_say(l, here(l) + 1000); }
static void key_far_back(struct look *l) { goto_say(l, here(l) > 1000 ? here(l) - 1000 : 0); }
static void key_cpu(struct look *l)
{
    struct debugger *d = l->all->looker.d;
    d->cpu = (d->cpu + 1) % d->m->options.cpu_count;
}

static const struct {
    unsigned key;
    void (*press)(struct look *l);
} keys[] = {
    { ' ', key_space }, { 's', key_step }, { 'S', key_back }, { 'k', key_far }, { 'K', key_far_back }, { 'c', key_cpu },
};
#define KEYS_HELP                                                                                                      \
    "Space\tstops the machine, or lets it go on\ns, S\tone instruction on, back\nk, K\ta thousand on, back\n"          \
    "c\tthe next CPU\nTab, Enter\tfrom one thing to the next; into it (a click, too)\nF8\tdark or light\n"             \
    "Ctrl-+, Ctrl--\tlarger, smaller\nF1\tthese keys\n"

static void key_do(struct look *l, unsigned key)
{
    struct looker *looker = &l->all->looker;
    const struct shape *zone = key == VIEW_ENTER ? zone_get(&l->canvas, l->chosen) : NULL;
    struct view_answer a =
        zone ? view_clicked(looker, l->view, l->state, zone) : view_key(looker, l->view, l->state, key);
    answer_take(l, &a);
    for (unsigned n = 0; a.wish == VIEW_NOTHING && n < ARRAY_LEN(keys); n++)
        if (keys[n].key == key)
            keys[n].press(l);
}

static void ask_do(struct look *l, const struct ask *k)
{
    const struct shape *zone = k->key ? NULL : canvas_zone_at(&l->canvas, k->x, k->y);
    if (k->key)
        key_do(l, k->key);
    if (!zone)
        return;
    struct view_answer a = view_pointed(&l->all->looker, l->view, l->state, zone, k->x);
    answer_take(l, &a);
}

/* ---- while the machine stands ---- */

static bool look_due(const struct tab *t)
{
    const struct look *l = t->own;
    const struct looks *all = l->all;
    if (l->asks || !l->drawn_at)
        return true;
    bool moved = here(l) != l->position;
    u64 apart = l->cost * DEAR > LOOK_NS ? l->cost * DEAR : LOOK_NS;
    return moved && (session_stands(session_of(all)) || host_ns() - l->drawn_at >= apart);
}

static void look_stand(struct tab *t)
{
    struct look *l = t->own;
    struct looks *all = l->all;
    begin(all);
    for (unsigned n = 0; n < l->asks; n++)
        ask_do(l, &l->ask[n]);
    l->asks = 0;
    if (!look_due(t) || l->width < 1)
        return;
    u64 from = host_ns();
    canvas_begin(&l->canvas, l->width / all->scale, l->height / all->scale);
    l->canvas.mouse_x = l->mouse_x;
    l->canvas.mouse_y = l->mouse_y;
    view_draw(&all->looker, l->view, l->state, &l->canvas);
    l->chosen = l->chosen < zones(&l->canvas) ? l->chosen : -1;
    l->position = here(l);
    l->drawn_at = host_ns();
    l->cost = l->drawn_at - from;
    l->fresh = true;
}

/* ---- drawing ---- */

struct brush {
    struct picture *p;
    const struct canvas *c;
    enum theme theme;
    float scale;
    struct rect area;
};

static struct rect rect_of(const struct brush *b, const struct shape *s)
{
    int x = (int)lrintf(s->x * b->scale), y = (int)lrintf(s->y * b->scale);
    int right = (int)lrintf((s->x + s->w) * b->scale), below = (int)lrintf((s->y + s->h) * b->scale);
    return (struct rect){ b->area.x + x, b->area.y + y, right - x, below - y };
}

static u32 colour(const struct brush *b, u8 ink) { return theme_colour(b->theme, ink); }

static void rect_draw(const struct brush *b, const struct shape *s)
{
    struct rect r = rect_of(b, s);
    int edge = (int)lrintf(ink_width(s->edge) * b->scale);
    if (s->fill != INK_NONE)
        picture_fill(b->p, r, colour(b, s->fill));
    if (s->edge != INK_NONE)
        picture_frame(b->p, r, edge > 1 ? edge : 1, colour(b, s->edge));
}

static void hatch_draw(const struct brush *b, const struct shape *s)
{
    picture_hatch(b->p, rect_of(b, s), (int)(5 * b->scale) + 1, colour(b, s->fill), colour(b, s->edge));
}

static float at_x(const struct brush *b, float x) { return (float)b->area.x + x * b->scale; }
static float at_y(const struct brush *b, float y) { return (float)b->area.y + y * b->scale; }

static void line_draw(const struct brush *b, const struct shape *s)
{
    picture_line(b->p, at_x(b, s->x), at_y(b, s->y), at_x(b, s->x + s->w), at_y(b, s->y + s->h),
                 ink_width(s->fill) * b->scale, colour(b, s->fill));
}

static void arrow_draw(const struct brush *b, const struct shape *s)
{
    float x[3], y[3];
    line_draw(b, s);
    arrow_head(s, x, y);
    for (unsigned n = 0; n < 3; n++) {
        x[n] = at_x(b, x[n]);
        y[n] = at_y(b, y[n]);
    }
    picture_triangle(b->p, x, y, colour(b, s->fill));
}

static void text_draw(const struct brush *b, const struct shape *s)
{
    struct letters *l = letters_get((int)lrintf(font_size(s->font) * b->scale), s->font >= FONT_BOLD);
    const char *text = shape_text(b->c, s);
    float y = at_y(b, s->y) + (s->h * b->scale - (float)letters_height(l)) / 2;
    picture_text(b->p, at_x(b, s->x), y, l, font_advance(s->font) * b->scale, colour(b, s->fill), text, strlen(text));
}

static void clip_draw(const struct brush *b, const struct shape *s)
{
    bool none = s->w <= 0 || s->h <= 0;
    picture_clip(b->p, none ? b->area : rect_meet(rect_of(b, s), b->area));
}

static void shape_draw(const struct brush *b, const struct shape *s)
{
    switch (s->kind) {
    case SHAPE_RECT: rect_draw(b, s); break;
    case SHAPE_HATCH: hatch_draw(b, s); break;
    case SHAPE_LINE: line_draw(b, s); break;
    case SHAPE_ARROW: arrow_draw(b, s); break;
    case SHAPE_TEXT: text_draw(b, s); break;
    case SHAPE_CLIP: clip_draw(b, s); break;
    default: break;
    }
}

/* The lower line: what can be done, or what the pointer or the keyboard is on. */
static void foot_draw(struct look *l, const struct brush *b, struct rect r)
{
    const struct shape *zone = zone_get(&l->canvas, l->chosen);
    const char *own = l->view->kind->keys, *words = zone ? shape_text(&l->canvas, zone) : "";
    struct letters *letters = letters_get((int)lrintf(font_size(FONT_BODY) * b->scale), false);
    char text[512];
    const char *state = is_over(l->all)                      ? "the run is over"
                        : session_stands(session_of(l->all)) ? "stopped"
                                                             : "running";
    zone = zone ? zone : canvas_zone_at(&l->canvas, l->mouse_x, l->mouse_y);
    words = zone ? shape_text(&l->canvas, zone) : words;
    if (words[0])
        snprintf(text, sizeof(text), "%s   %s", state, words);
    else
        snprintf(text, sizeof(text), "%s   %s%sSpace runs and stops, s S step, F1 keys", state, own ? own : "",
                 own ? "   " : "");
    picture_clip(b->p, r);
    picture_fill(b->p, r, colour(b, INK_PANEL));
    picture_text(b->p, (float)(r.x + 8), (float)(r.y + FOOT_ROOM), letters, 0, colour(b, words[0] ? INK_TEXT : INK_DIM),
                 text, strlen(text));
}

static struct rect look_draw(struct tab *t, struct picture *p, struct rect r, bool all)
{
    struct look *l = t->own;
    float scale = l->all->scale;
    int foot = (int)(font_height(FONT_BODY) * scale) + 2 * FOOT_ROOM;
    struct rect area = { r.x, r.y, r.w, r.h - foot > 0 ? r.h - foot : 0 };
    struct brush b = { p, &l->canvas, l->all->theme, scale, area };
    const struct shape *zone = zone_get(&l->canvas, l->chosen);
    (void)all;
    if ((float)area.w != l->width || (float)area.h != l->height)
        l->drawn_at = 0;
    l->width = (float)area.w;
    l->height = (float)area.h;
    picture_clip(p, area);
    picture_fill(p, area, colour(&b, INK_GROUND));
    for (unsigned n = 0; n < l->canvas.count; n++)
        shape_draw(&b, &l->canvas.shape[n]);
    picture_clip(p, area);
    if (zone)
        picture_frame(p, rect_of(&b, zone), 2, colour(&b, INK_TEXT_LIT));
    foot_draw(l, &b, (struct rect){ r.x, r.y + area.h, r.w, foot });
    l->fresh = false;
    return r;
}

static bool look_changed(struct tab *t) { return ((struct look *)t->own)->fresh; }

/* ---- what people do ---- */

static void ask(struct look *l, struct ask k)
{
    if (k.drag && l->asks && l->ask[l->asks - 1].drag)
        l->asks--;
    if (l->asks < ASKS)
        l->ask[l->asks++] = k;
}

static void scale_set(struct look *l, int by)
{
    struct looks *all = l->all;
    all->scale = by ? all->scale * (by > 0 ? 1.125f : 1 / 1.125f) : 1;
    all->scale = all->scale < 0.5f ? 0.5f : all->scale > 4 ? 4 : all->scale;
    l->drawn_at = 0;
}

static void chosen_move(struct look *l, s32 by)
{
    s32 count = zones(&l->canvas);
    if (count)
        l->chosen = l->chosen < 0 ? (by > 0 ? 0 : count - 1) : (l->chosen + by + count) % count;
    l->fresh = true;
}

static const struct {
    u8 usage;
    u16 key;
} view_keys[] = {
    { 0x50, VIEW_LEFT },    { 0x4f, VIEW_RIGHT },     { 0x52, VIEW_UP },     { 0x51, VIEW_DOWN },
    { 0x4b, VIEW_PAGE_UP }, { 0x4e, VIEW_PAGE_DOWN }, { 0x4a, VIEW_HOME },   { 0x4d, VIEW_END },
    { 0x28, VIEW_ENTER },   { 0x58, VIEW_ENTER },     { 0x29, VIEW_ESCAPE },
};
enum { USAGE_TAB = 0x2b, USAGE_F1 = 0x3a, USAGE_F8 = 0x41, USAGE_PLUS = 0x2e, USAGE_MINUS = 0x2d, USAGE_0 = 0x27 };

static void key_pressed(struct look *l, const struct desktop_event *e)
{
    if (e->mods & MOD_CTRL && (e->usage == USAGE_PLUS || e->usage == USAGE_MINUS || e->usage == USAGE_0))
        scale_set(l, e->usage == USAGE_PLUS ? 1 : e->usage == USAGE_MINUS ? -1 : 0);
    else if (e->usage == USAGE_TAB)
        chosen_move(l, e->mods & MOD_SHIFT ? -1 : 1);
    else if (e->usage == USAGE_F1)
        window_help(l->all->window);
    else if (e->usage == USAGE_F8)
        l->all->theme = l->all->theme == THEME_DARK ? THEME_LIGHT : THEME_DARK;
    for (unsigned n = 0; n < ARRAY_LEN(view_keys); n++)
        if (view_keys[n].usage == e->usage)
            ask(l, (struct ask){ .key = view_keys[n].key });
    l->fresh = true;
}

static void pointer_taken(struct look *l, const struct desktop_event *e)
{
    const struct shape *was = canvas_zone_at(&l->canvas, l->mouse_x, l->mouse_y);
    bool left = e->kind == DESKTOP_BUTTON && e->button == DESKTOP_LEFT;
    l->mouse_x = (float)e->x / l->all->scale;
    l->mouse_y = (float)e->y / l->all->scale;
    l->fresh |= was != canvas_zone_at(&l->canvas, l->mouse_x, l->mouse_y);
    if (left) {
        l->drags = e->down && l->view->kind->pointed;
        l->drag_y = l->mouse_y;
        l->chosen = -1;
    }
    if (left && e->down)
        ask(l, (struct ask){ .x = l->mouse_x, .y = l->mouse_y });
    else if (l->drags)
        ask(l, (struct ask){ .x = l->mouse_x, .y = l->drag_y, .drag = true });
}

static void look_event(struct tab *t, const struct desktop_event *e)
{
    struct look *l = t->own;
    if (e->kind == DESKTOP_KEY && e->down)
        key_pressed(l, e);
    if (e->kind == DESKTOP_TEXT && !(e->text[0] & 0x80))
        ask(l, (struct ask){ .key = (u8)e->text[0] });
    if (e->kind == DESKTOP_WHEEL)
        ask(l, (struct ask){ .key = e->dy > 0 ? VIEW_UP : VIEW_DOWN });
    if (e->kind == DESKTOP_MOVE || e->kind == DESKTOP_BUTTON)
        pointer_taken(l, e);
}

static bool look_wants(struct tab *t, int *width, int *height)
{
    (void)t;
    *width = WIDTH;
    *height = HEIGHT;
    return true;
}

static void look_zoom(struct tab *t, int by) { scale_set(t->own, by); }

/* ---- the tabs ---- */

void looks_add(struct window *w, struct display *d)
{
    static const struct tab_kind kind = { .changed = look_changed,
                                          .draw = look_draw,
                                          .event = look_event,
                                          .zoom = look_zoom,
                                          .wants = look_wants,
                                          .due = look_due,
                                          .stand = look_stand,
                                          .keys = KEYS_HELP };
    struct looks *all = calloc(1, sizeof(*all));
    if (!all)
        return;
    *all = (struct looks){ .window = w, .display = d, .scale = 1 };
    for (unsigned n = 0; view_get(n) && n < VIEWS; n++) {
        const struct view *v = view_get(n);
        struct look *l = calloc(1, sizeof(*l));
        void *state = calloc(1, v->kind->state_size ? v->kind->state_size : 1);
        struct tab *t = l && state ? window_tab(w, TABS_MACHINE, &kind, l, v->title) : NULL;
        if (!t) {
            free(l);
            free(state);
            break;
        }
        all->look[all->count++] = l;
        *l = (struct look){
            .all = all, .tab = t, .view = v, .state = state, .chosen = -1, .mouse_x = -1, .mouse_y = -1
        };
    }
    if (!all->count)
        free(all);
    else if (display_options(d)->display.shows == DISPLAY_MACHINE)
        begin(all);
}
