/*
 * A terminal: what a serial port writes becomes rows of cells, keys become bytes. The library libvterm knows the
 * language of terminals (ECMA-48, xterm); a build without it has none. Whatever comes in is bounded: a screen, and
 * SCROLL_LINES rows that have left it.
 */
#ifndef FRONTEND_DISPLAY_VT_H
#define FRONTEND_DISPLAY_VT_H

#include "lib/base.h"

enum { VT_ROWS = 25, VT_COLUMNS = 80, VT_MOST = 500 /* rows or columns */, SCROLL_LINES = 5000 };

struct vt;
struct vt_cell {
    u32 code; /* 0: nothing */
    u32 ink, ground;
    u8 width; /* 2: over the next cell, too */
    bool bold, underline, strike;
};

/* The version that it was built with, or NULL: without. */
const char *vt_library(void);
/* NULL: there is one, or why not. */
const char *vt_can(void);
/* typed: where the bytes of keys, and answers to questions, go. NULL: no memory. */
struct vt *vt_create(void (*typed)(void *ctx, const char *bytes, size_t size), void *ctx);
void vt_destroy(struct vt *t);
void vt_put(struct vt *t, u8 byte);

/* Rows that have changed since they were asked for; false: none has. */
bool vt_changed(struct vt *t, int *from, int *to);
void vt_resize(struct vt *t, int rows, int columns);
void vt_size(const struct vt *t, int *rows, int *columns);
/* What is to be seen in that row, of as many cells as there are columns. */
void vt_row(struct vt *t, int row, struct vt_cell *cells);
/* False: it is not to be seen. */
bool vt_cursor(const struct vt *t, int *row, int *column);
/* Is the cursor on the screen? It always is. */
bool vt_within(const struct vt *t);
/* So many lines back, or forth (negative); vt_scrolled: how many lines back what is seen is. */
void vt_scroll(struct vt *t, int lines);
int vt_scrolled(const struct vt *t);

/* A key by its USB usage and the letter it has; mods: MOD_* of desktop.h. What is text comes by vt_text. */
void vt_key(struct vt *t, unsigned usage, u32 code, unsigned mods);
void vt_text(struct vt *t, const char *text, unsigned mods);
void vt_paste(struct vt *t, const char *text);

#endif
