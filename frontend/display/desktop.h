/*
 * Windows of the host, and what people do there. SDL2 has them (desktop_sdl.c); a build without it has none. What a
 * window shows is drawn elsewhere, on a picture.
 */
#ifndef FRONTEND_DISPLAY_DESKTOP_H
#define FRONTEND_DISPLAY_DESKTOP_H

#include "frontend/display/picture.h"

struct desktop_window;

enum desktop_event_kind {
    DESKTOP_NOTHING,
    DESKTOP_KEY,    /* usage, down, again, mods */
    DESKTOP_TEXT,   /* text: what keys have written */
    DESKTOP_MOVE,   /* x, y; dx, dy */
    DESKTOP_BUTTON, /* button, down, x, y, clicks */
    DESKTOP_WHEEL,  /* dy: lines up */
    DESKTOP_RESIZED,
    DESKTOP_EXPOSED,
    DESKTOP_FOCUS, /* down: it has the keyboard now */
    DESKTOP_CLOSE
};
enum { MOD_CTRL = 1, MOD_ALT = 2, MOD_SHIFT = 4 };
/* As people count them; X has more. */
enum desktop_button { DESKTOP_LEFT, DESKTOP_MIDDLE, DESKTOP_RIGHT, DESKTOP_SIDE, DESKTOP_EXTRA };

struct desktop_event {
    enum desktop_event_kind kind;
    struct desktop_window *window; /* NULL: all of them, of DESKTOP_CLOSE */
    unsigned usage;                /* USB's, page 7 */
    u32 code;                      /* the letter that the key has without others, as a code point; 0: none */
    unsigned mods, clicks;
    bool down, again;
    int x, y, dx, dy;
    enum desktop_button button;
    char text[40];
};

/* The version that it was built with, or NULL: without. */
const char *desktop_library(void);
/* Is there a display that windows can be opened on? NULL, or why not: one line. fast: by the graphics processor. */
const char *desktop_begin(bool fast);
/* NULL: cannot be opened; *why says so. */
struct desktop_window *desktop_open(const char *title, int width, int height, const char **why);
void desktop_close(struct desktop_window *w);
void desktop_end(void);
/* False: nothing has happened. */
bool desktop_event(struct desktop_event *e);

void desktop_size(struct desktop_window *w, int *width, int *height);
/* As large as that, or what of it the desktop has room for. */
void desktop_resize(struct desktop_window *w, int width, int height);
/* Shows the part of p that is r, where it lies in p. */
void desktop_show(struct desktop_window *w, const struct picture *p, struct rect r);
void desktop_title(struct desktop_window *w, const char *title);
void desktop_full_screen(struct desktop_window *w, bool full);
void desktop_visible(struct desktop_window *w, bool visible);
/* Keyboard and pointer are this window's alone; relative: the pointer is not seen and only says how far it went. */
void desktop_grab(struct desktop_window *w, bool grabbed, bool relative);
/* Is the host's pointer seen over it? */
void desktop_pointer(bool seen);
/* What people have copied elsewhere; to be freed by desktop_pasted_free. NULL: nothing. */
char *desktop_pasted(void);
void desktop_pasted_free(char *text);

#endif
