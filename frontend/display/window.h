/*
 * The window: tabs, of which one is seen. A kind of tab has its own file; it draws itself into a part of the window's
 * picture and hears of what people do there. F12 goes from the tabs of the guest (screens, consoles) to those of the
 * machine (views) and back. A guest's second screen and further ones have windows of their own, of one tab.
 */
#ifndef FRONTEND_DISPLAY_WINDOW_H
#define FRONTEND_DISPLAY_WINDOW_H

#include "frontend/display/display.h"
#include "frontend/display/desktop.h"

struct letters;
struct window;
struct tab;

struct tab_kind {
    /* Is something to be drawn anew? Asked before each frame, of the tab that is seen. */
    bool (*changed)(struct tab *t);
    /* Draws it all, or what has changed, into r; returns what it has drawn of it. */
    struct rect (*draw)(struct tab *t, struct picture *p, struct rect r, bool all);
    /* A key, text, the pointer; x and y are within the tab. */
    void (*event)(struct tab *t, const struct desktop_event *e);
    /* The keyboard goes elsewhere: no key is down any more. */
    void (*leave)(struct tab *t);
    /* NULL, or: 1 larger, -1 smaller, 0 as at first. */
    void (*zoom)(struct tab *t, int by);
    /* NULL, or: how large it wants to be; false: as large as it is. */
    bool (*wants)(struct tab *t, int *width, int *height);
    /* NULL, or: writes what it shows to a file. */
    void (*save)(struct tab *t);
    /* NULL, or: what serves it while the machine stands; due: it wants to be served. */
    bool (*due)(const struct tab *t);
    void (*stand)(struct tab *t);
    /* NULL, or: the keys of its own, for the help. */
    const char *keys;
};

enum tab_set { TABS_GUEST, TABS_MACHINE, TAB_SETS };
struct tab {
    const struct tab_kind *kind;
    struct window *window;
    struct display *display;
    void *own; /* what its kind keeps */
    unsigned number;
    char title[64];
    bool hidden; /* nothing to be seen: no tab of the bar */
};

/* One more tab; NULL: there are too many. window_another: one more window. */
struct window *window_another(struct window *first);
struct tab *window_tab(struct window *w, enum tab_set set, const struct tab_kind *kind, void *own, const char *title);
/* What a tab may do with the window that it is in. */
bool window_grabs(const struct window *w);
void window_grab(struct window *w, bool grabbed, bool relative);
/* What the tab that is seen wants has changed: the window becomes as large, unless the user made it what it is. */
void window_fits(struct window *w);
/* The window of a tab has something to show, or nothing. */
void window_visible(struct window *w, bool visible);
/* That tab is the one that is seen. */
void window_show(struct tab *t);
/* Its keys, or no longer. */
void window_help(struct window *w);
/* A line at the window's lower edge for a few seconds. */
void window_says(struct window *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- the tabs ---- */
/* screens.c: the guest's screens. */
void screens_add(struct window *w, struct display *d);
/* A tab that says that there are none. */
void screens_none(struct window *w, struct display *d);
/* consoles.c: back ends that are `vc`. */
void consoles_add(struct window *w, struct display *d);
/* looks.c: the machine. */
void looks_add(struct window *w, struct display *d);

#endif
