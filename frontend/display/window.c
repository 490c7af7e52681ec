/*
 * The window: tabs, keys of its own, frames (window.h). A frame is drawn when something has changed, at most FRAME_NS
 * apart, and farther when frames are dear, so that drawing takes a small part of the machine's time.
 */
#include "frontend/display/window.h"

#include "frontend/display/letters.h"
#include "frontend/frontend.h"

#include <stdarg.h>
#include <stdlib.h>

enum { WINDOWS = 16, TABS = 32, TEXT_SIZE = 14, BAR_ROOM = 4, FIRST_WIDTH = 1120, FIRST_HEIGHT = 720, KEYS = 512 };
enum { DEAR_RUNNING = 25, DEAR_IDLE = 2 }; /* a frame's cost to the time between two of them */
static const u64 FRAME_NS = 16000000, SAYS_NS = 4000000000;

enum { BAR = 0x22272e, BAR_CHOSEN = 0x3b4654, BAR_TEXT = 0xdfe3e8, BAR_DIM = 0x9aa4af, GROUND = 0x101318, LIT = 0xffc857 };

struct window {
    struct windows *all;
    struct desktop_window *host;
    struct picture picture;
    struct tab tab[TABS];
    u8 set_of[TABS]; /* enum tab_set */
    unsigned count;
    unsigned current[TAB_SETS]; /* numbers of tabs */
    enum tab_set set;
    bool redraw, full, grabbed, relative, unseen, sized /* by the user */, helps;
    bool retitle;
    const char *state; /* session_state, as the title says it */
    bool passed[KEYS]; /* keys that went down and whose tab knows it, by usage */
    int want_width, want_height;
    char says[160];
    u64 says_until; /* host ns */
};
struct windows {
    struct display *d;
    struct window window[WINDOWS];
    unsigned count;
    struct letters *plain, *bold;
    u64 next; /* host ns of the next frame */
};

/* ---- tabs ---- */

static struct tab *tab_seen(struct window *w)
{
    struct tab *t = &w->tab[w->current[w->set]];
    return w->count && w->set_of[t->number] == w->set ? t : NULL;
}

struct tab *window_tab(struct window *w, enum tab_set set, const struct tab_kind *kind, void *own, const char *title)
{
    if (w->count == TABS)
        return NULL;
    bool first = true;
    for (unsigned n = 0; n < w->count; n++)
        first &= w->set_of[n] != set;
    if (first)
        w->current[set] = w->count;
    struct tab *t = &w->tab[w->count];
    *t = (struct tab){ .kind = kind, .window = w, .display = w->all->d, .own = own, .number = w->count };
    snprintf(t->title, sizeof(t->title), "%s", title);
    w->set_of[w->count++] = (u8)set;
    return t;
}

static unsigned tabs_seen(const struct window *w)
{
    unsigned count = 0;
    for (unsigned n = 0; n < w->count; n++)
        count += w->set_of[n] == w->set && !w->tab[n].hidden;
    return count;
}

static void keys_leave(struct window *w)
{
    struct tab *t = tab_seen(w);
    memset(w->passed, 0, sizeof(w->passed));
    if (t && t->kind->leave)
        t->kind->leave(t);
}

static void tab_show(struct window *w, enum tab_set set, unsigned number)
{
    keys_leave(w);
    window_grab(w, false, false);
    w->set = set;
    w->current[set] = number;
    w->redraw = w->retitle = true;
    window_fits(w);
}

/* The nth of those that are seen in the bar, from 0. */
static void tab_choose(struct window *w, unsigned nth)
{
    for (unsigned n = 0; n < w->count; n++)
        if (w->set_of[n] == w->set && !w->tab[n].hidden && nth-- == 0) {
            tab_show(w, w->set, n);
            return;
        }
}

void window_show(struct tab *t) { tab_show(t->window, t->window->set_of[t->number], t->number); }

/* ---- what tabs may do ---- */

bool window_grabs(const struct window *w) { return w->grabbed; }

void window_grab(struct window *w, bool grabbed, bool relative)
{
    if (w->grabbed == grabbed && w->relative == (grabbed && relative))
        return;
    desktop_grab(w->host, grabbed, relative);
    w->grabbed = grabbed;
    w->relative = grabbed && relative;
    w->retitle = true;
}

void window_visible(struct window *w, bool visible)
{
    if (w == w->all->window || w->unseen == !visible)
        return;
    w->unseen = !visible;
    desktop_visible(w->host, visible);
}

void window_says(struct window *w, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(w->says, sizeof(w->says), format, list);
    va_end(list);
    w->says_until = host_ns() + SAYS_NS;
    w->redraw = true;
}

static int bar_height(const struct window *w)
{
    bool seen = !w->full && w->all->plain && (tabs_seen(w) > 1 || w->set == TABS_MACHINE);
    return seen ? letters_height(w->all->plain) + 2 * BAR_ROOM : 0;
}

static struct rect area_of(const struct window *w)
{
    int bar = bar_height(w);
    return (struct rect){ 0, bar, w->picture.width, w->picture.height > bar ? w->picture.height - bar : 0 };
}

void window_fits(struct window *w)
{
    int width, height;
    struct tab *t = tab_seen(w);
    w->redraw = true;
    if (!t || !t->kind->wants || w->full || w->sized || !t->kind->wants(t, &width, &height))
        return;
    height += bar_height(w);
    desktop_resize(w->host, width, height);
    desktop_size(w->host, &w->want_width, &w->want_height); /* it may have no room for that, or want more */
}

/* ---- drawing ---- */

static void text_at(struct window *w, int x, int y, bool bold, u32 colour, const char *text)
{
    picture_text(&w->picture, (float)x, (float)y, bold ? w->all->bold : w->all->plain, 0, colour, text, strlen(text));
}

/* Where the bar has tab n; its words. */
static struct rect bar_tab(const struct window *w, unsigned tab, char words[96])
{
    int x = 0, advance = letters_advance(w->all->plain), height = bar_height(w);
    unsigned nth = 0;
    for (unsigned n = 0; n < w->count; n++) {
        if (w->set_of[n] != w->set || w->tab[n].hidden)
            continue;
        int size = ++nth < 10 ? snprintf(words, 96, "%u %s", nth, w->tab[n].title)
                              : snprintf(words, 96, "%s", w->tab[n].title);
        int width = (size + 2) * advance;
        if (n == tab)
            return (struct rect){ x, 0, width, height };
        x += width;
    }
    return (struct rect){ 0, 0, 0, 0 };
}

static void bar_draw(struct window *w)
{
    static const char keys[] = "F1 keys";
    char words[96];
    int height = bar_height(w), advance = letters_advance(w->all->plain);
    picture_fill(&w->picture, (struct rect){ 0, 0, w->picture.width, height }, BAR);
    text_at(w, w->picture.width - (int)sizeof(keys) * advance, BAR_ROOM, false, BAR_DIM,
            w->set == TABS_MACHINE ? keys : "");
    for (unsigned n = 0; n < w->count; n++) {
        struct rect r = bar_tab(w, n, words);
        bool chosen = n == w->current[w->set];
        if (!r.w)
            continue;
        picture_fill(&w->picture, r, chosen ? BAR_CHOSEN : BAR);
        if (chosen)
            picture_fill(&w->picture, (struct rect){ r.x, height - 2, r.w, 2 }, LIT);
        text_at(w, r.x + advance, BAR_ROOM, chosen, chosen ? BAR_TEXT : BAR_DIM, words);
    }
}

static void says_draw(struct window *w)
{
    int height = letters_height(w->all->plain) + 2 * BAR_ROOM, y = w->picture.height - height;
    picture_fill(&w->picture, (struct rect){ 0, y, w->picture.width, height }, BAR);
    text_at(w, letters_advance(w->all->plain), y + BAR_ROOM, false, LIT, w->says);
}

static void help_draw(struct window *w);

static void window_draw(struct window *w, bool all)
{
    struct tab *t = tab_seen(w);
    struct rect part = { 0, 0, 0, 0 }, area = area_of(w);
    if (all) {
        picture_unclip(&w->picture);
        picture_fill(&w->picture, area, GROUND);
        if (bar_height(w))
            bar_draw(w);
    }
    picture_clip(&w->picture, area);
    if (t)
        part = t->kind->draw(t, &w->picture, area, all);
    picture_unclip(&w->picture);
    if (w->helps)
        help_draw(w);
    if (w->says[0] && w->all->plain)
        says_draw(w);
    if (all || w->helps || w->says[0])
        part = (struct rect){ 0, 0, w->picture.width, w->picture.height };
    desktop_show(w->host, &w->picture, part);
}

static void title_set(struct window *w, const char *state)
{
    bool runs = !strcmp(state, "running"), over = !strcmp(state, "shutdown");
    const struct options *o = display_options(w->all->d);
    struct tab *t = tab_seen(w);
    char title[400];
    snprintf(title, sizeof(title), "elmu%s%s%s%s%s%s%s", o->name[0] ? " (" : "", o->name, o->name[0] ? ")" : "",
             w != w->all->window && t ? " - " : "", w != w->all->window && t ? t->title : "",
             runs   ? ""
             : over ? " [the run is over]"
                    : " [stopped]",
             w->grabbed ? " - Ctrl-Alt-G gives keyboard and pointer back" : "");
    desktop_title(w->host, title);
}

/* True: something was drawn. */
static bool window_frame(struct window *w, u64 now)
{
    struct tab *t = tab_seen(w);
    int width, height;
    struct session *s = display_frontend(w->all->d)->session;
    const char *state = s ? session_state(s) : "running";
    if (w->state != state || w->retitle)
        title_set(w, state);
    w->redraw |= w->state != state;
    w->state = state;
    w->retitle = false;
    desktop_size(w->host, &width, &height);
    if (width != w->picture.width || height != w->picture.height) {
        w->redraw = true;
        w->sized |= !w->full && w->want_width && (width != w->want_width || height != w->want_height);
    }
    if (w->says[0] && now >= w->says_until) {
        w->says[0] = 0;
        w->redraw = true;
    }
    bool changed = t && t->kind->changed(t);
    if ((!changed && !w->redraw) || w->unseen || !picture_resize(&w->picture, width, height))
        return false;
    bool all = w->redraw;
    w->redraw = false;
    window_draw(w, all);
    return true;
}

/* ---- keys of the window's own ---- */

static void key_full(struct window *w, unsigned usage)
{
    (void)usage;
    w->full = !w->full;
    desktop_full_screen(w->host, w->full);
    w->redraw = true;
}

static void key_grab(struct window *w, unsigned usage)
{
    struct tab *t = tab_seen(w);
    struct desktop_event e = { .kind = DESKTOP_FOCUS, .down = !w->grabbed };
    (void)usage;
    if (w->grabbed)
        window_grab(w, false, false);
    else if (t)
        t->kind->event(t, &e); /* knows whether its pointer is relative */
}

static void key_tab(struct window *w, unsigned usage) { tab_choose(w, usage - 0x1e); }

static void zoom(struct window *w, int by)
{
    struct tab *t = tab_seen(w);
    w->sized = false;
    if (t && t->kind->zoom)
        t->kind->zoom(t, by);
    window_fits(w);
}

static void key_larger(struct window *w, unsigned usage) { (void)usage, zoom(w, 1); }
static void key_smaller(struct window *w, unsigned usage) { (void)usage, zoom(w, -1); }
static void key_plain(struct window *w, unsigned usage) { (void)usage, zoom(w, 0); }

static void key_machine(struct window *w, unsigned usage)
{
    enum tab_set other = w->set == TABS_GUEST ? TABS_MACHINE : TABS_GUEST;
    (void)usage;
    for (unsigned n = 0; n < w->count; n++)
        if (w->set_of[n] == other) {
            tab_show(w, other, w->current[other]);
            return;
        }
}

static void key_save(struct window *w, unsigned usage)
{
    struct tab *t = tab_seen(w);
    (void)usage;
    if (t && t->kind->save)
        t->kind->save(t);
}

void window_help(struct window *w)
{
    w->helps = !w->helps;
    w->redraw = true;
}

static void key_quit(struct window *w, unsigned usage) { (void)usage, display_quit(w->all->d); }

static void key_help(struct window *w, unsigned usage) { (void)usage, window_help(w); }

/* By USB usage; mods: with Ctrl and Alt, or with none. */
static const struct {
    u8 usage, last, mods;
    const char *name, *help;
    void (*press)(struct window *w, unsigned usage);
} keys[] = {
    { 0x1e, 0x26, MOD_CTRL | MOD_ALT, "Ctrl-Alt-1 to 9", "that tab", key_tab },
    { 0x09, 0x09, MOD_CTRL | MOD_ALT, "Ctrl-Alt-F", "full screen, and back", key_full },
    { 0x0a, 0x0a, MOD_CTRL | MOD_ALT, "Ctrl-Alt-G", "keyboard and pointer to the guest alone, and back", key_grab },
    { 0x2e, 0x2e, MOD_CTRL | MOD_ALT, "Ctrl-Alt-+", "larger", key_larger },
    { 0x57, 0x57, MOD_CTRL | MOD_ALT, NULL, NULL, key_larger },
    { 0x2d, 0x2d, MOD_CTRL | MOD_ALT, "Ctrl-Alt--", "smaller", key_smaller },
    { 0x56, 0x56, MOD_CTRL | MOD_ALT, NULL, NULL, key_smaller },
    { 0x18, 0x18, MOD_CTRL | MOD_ALT, "Ctrl-Alt-U", "as large as at first", key_plain },
    { 0x16, 0x16, MOD_CTRL | MOD_ALT, "Ctrl-Alt-S", "the guest's screen to a file", key_save },
    { 0x14, 0x14, MOD_CTRL | MOD_ALT, "Ctrl-Alt-Q", "the end", key_quit },
    { 0x0b, 0x0b, MOD_CTRL | MOD_ALT, "Ctrl-Alt-H", "these keys", key_help },
    { 0x45, 0x45, 0, "F12", "from the guest's tabs to views of the machine, and back", key_machine },
};

static void help_draw(struct window *w)
{
    struct tab *t = tab_seen(w);
    const char *own = t && t->kind->keys ? t->kind->keys : "";
    struct letters *l = w->all->plain;
    int advance = letters_advance(l), line = letters_height(l) + 2, columns = 80;
    int lines = 1;
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++)
        lines += keys[n].help != NULL;
    for (const char *p = own; *p; p++)
        lines += *p == '\n';
    struct rect r = { (w->picture.width - columns * advance) / 2, (w->picture.height - lines * line) / 2,
                      columns * advance, lines * line };
    picture_fill(&w->picture, r, BAR);
    picture_frame(&w->picture, r, 2, LIT);
    int y = r.y + line / 2;
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++) {
        if (!keys[n].help)
            continue;
        text_at(w, r.x + 2 * advance, y, true, BAR_TEXT, keys[n].name);
        text_at(w, r.x + 20 * advance, y, false, BAR_TEXT, keys[n].help);
        y += line;
    }
    /* Lines of "key<tab>what it does". */
    for (size_t length; *own; own += length + (own[length] == '\n'), y += line) {
        length = strcspn(own, "\n");
        size_t key = strcspn(own, "\t\n");
        picture_text(&w->picture, (float)(r.x + 2 * advance), (float)y, w->all->bold, 0, BAR_TEXT, own, key);
        if (key < length)
            picture_text(&w->picture, (float)(r.x + 20 * advance), (float)y, l, 0, BAR_TEXT, own + key + 1,
                         length - key - 1);
    }
}

/* True: it was the window's. */
static bool key_own(struct window *w, const struct desktop_event *e)
{
    bool both = (e->mods & (MOD_CTRL | MOD_ALT)) == (MOD_CTRL | MOD_ALT);
    unsigned mods = both ? MOD_CTRL | MOD_ALT : e->mods & (MOD_CTRL | MOD_ALT | MOD_SHIFT);
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++) {
        if (e->usage < keys[n].usage || e->usage > keys[n].last || mods != keys[n].mods)
            continue;
        keys_leave(w); /* Ctrl and Alt are not held for the tab */
        if (!e->again)
            keys[n].press(w, e->usage);
        return true;
    }
    return false;
}

/* ---- what people do ---- */

static bool bar_pressed(struct window *w, const struct desktop_event *e)
{
    char words[96];
    if (e->y >= bar_height(w) || w->grabbed)
        return false;
    for (unsigned n = 0; n < w->count; n++)
        if (e->kind == DESKTOP_BUTTON && e->down && rect_has(bar_tab(w, n, words), e->x, e->y))
            tab_show(w, w->set, n);
    return e->kind == DESKTOP_BUTTON && e->down;
}

static void key_take(struct window *w, const struct desktop_event *e)
{
    struct tab *t = tab_seen(w);
    bool known = e->usage < KEYS && w->passed[e->usage];
    if (e->down && !known && key_own(w, e))
        return;
    if (w->helps && e->down) {
        key_help(w, 0);
        return;
    }
    if (e->down ? e->usage >= KEYS : !known)
        return;
    w->passed[e->usage] = e->down;
    if (t)
        t->kind->event(t, e);
}

static void event_take(struct windows *all, struct desktop_event *e)
{
    struct window *w = NULL;
    for (unsigned n = 0; n < all->count; n++)
        if (all->window[n].host == e->window)
            w = &all->window[n];
    if (e->kind == DESKTOP_CLOSE && !display_options(all->d)->display.no_close)
        display_quit(all->d);
    struct tab *t = w ? tab_seen(w) : NULL;
    if (!t)
        return;
    switch (e->kind) {
    case DESKTOP_RESIZED:
    case DESKTOP_EXPOSED: w->redraw = true; break;
    case DESKTOP_KEY: key_take(w, e); break;
    case DESKTOP_FOCUS:
        if (!e->down) {
            keys_leave(w);
            window_grab(w, false, false);
        }
        break;
    case DESKTOP_MOVE:
    case DESKTOP_BUTTON:
        if (bar_pressed(w, e))
            break;
        e->y -= bar_height(w);
        t->kind->event(t, e);
        break;
    case DESKTOP_TEXT:
        if (!(e->mods & MOD_CTRL)) /* that was a key */
            t->kind->event(t, e);
        break;
    default: t->kind->event(t, e);
    }
}

/* ---- for the display ---- */

static u64 windows_look(void *ctx, bool idle)
{
    struct windows *all = ctx;
    struct desktop_event e;
    while (desktop_event(&e))
        event_take(all, &e);
    u64 from = host_ns();
    if (from < all->next)
        return from + FRAME_NS < all->next ? from + FRAME_NS : all->next;
    for (unsigned n = 0; n < all->count; n++)
        window_frame(&all->window[n], from);
    u64 now = host_ns(), cost = (now - from) * (idle ? DEAR_IDLE : DEAR_RUNNING);
    all->next = now + (cost > FRAME_NS ? cost : FRAME_NS);
    return now + FRAME_NS;
}

static bool windows_due(const void *ctx)
{
    const struct windows *all = ctx;
    for (unsigned n = 0; n < all->count; n++) {
        const struct window *w = &all->window[n];
        const struct tab *t = &w->tab[w->current[w->set]];
        if (w->count && t->kind->due && t->kind->due(t))
            return true;
    }
    return false;
}

static void windows_stand(void *ctx)
{
    struct windows *all = ctx;
    for (unsigned n = 0; n < all->count; n++) {
        struct tab *t = tab_seen(&all->window[n]);
        if (t && t->kind->stand)
            t->kind->stand(t);
    }
}

static void windows_close(void *ctx)
{
    struct windows *all = ctx;
    for (unsigned n = 0; n < all->count; n++) {
        desktop_close(all->window[n].host);
        picture_free(&all->window[n].picture);
    }
    desktop_end();
    free(all);
}

static bool window_make(struct windows *all, char error[256])
{
    const char *why = "there are too many windows";
    struct window *w = &all->window[all->count];
    w->all = all;
    if (all->count < WINDOWS)
        w->host = desktop_open("elmu", FIRST_WIDTH, FIRST_HEIGHT, &why);
    snprintf(error, 256, "%s", why);
    all->count += w->host != NULL;
    w->redraw = w->retitle = true;
    return w->host;
}

struct window *window_another(struct window *first)
{
    char error[256];
    struct windows *all = first->all;
    return window_make(all, error) ? &all->window[all->count - 1] : NULL;
}

const char *window_can(const struct display_config *c)
{
    const char *why = desktop_begin(c->fast);
    return why ? why : letters_begin(c->font);
}

bool window_add(struct display *d, char error[256])
{
    static const struct display_ops ops = {
        .look = windows_look, .due = windows_due, .stand = windows_stand, .close = windows_close, .listens = true
    };
    const struct display_config *c = &display_options(d)->display;
    struct windows *all = calloc(1, sizeof(*all));
    snprintf(error, 256, "out of memory");
    if (!all)
        return false;
    *all = (struct windows){ .d = d, .plain = letters_get(TEXT_SIZE, false), .bold = letters_get(TEXT_SIZE, true) };
    if (!all->plain || !all->bold || !window_make(all, error)) {
        free(all);
        return false;
    }
    struct window *w = all->window;
    screens_add(w, d);
    consoles_add(w, d);
    looks_add(w, d);
    if (!tabs_seen(w))
        screens_none(w, d);
    if (c->shows == DISPLAY_MACHINE)
        key_machine(w, 0);
    window_fits(w);
    if (c->full_screen)
        key_full(w, 0);
    display_add(d, &ops, all);
    return true;
}
