/*
 * A line as it is typed at a monitor, with what is echoed of it: erase (backspace, delete), erase a word (Ctrl-W) or
 * all (Ctrl-U), lines before it (up, down, Ctrl-P, Ctrl-N). Leaves out: moving within the line, completion. Pure: it
 * knows no terminal; what it echoes are characters, backspaces and blanks, which every one of them understands.
 */
#ifndef FRONTEND_LINE_H
#define FRONTEND_LINE_H

#include "lib/base.h"

enum { LINE_SIZE = 1024, LINE_HISTORY = 16 };

typedef void line_echo_fn(void *ctx, const char *text, size_t size);
struct line {
    line_echo_fn *echo;
    void *ctx;
    char text[LINE_SIZE]; /* ends with a 0 */
    u32 used;
    u8 state; /* of an escape sequence */
    bool cr;  /* the last line ended with CR: an LF after it is part of its end */
    char history[LINE_HISTORY][LINE_SIZE];
    u32 kept, at; /* lines kept so far; which of them is shown (kept: the new one) */
};

/* The next byte that was typed. True: `text` is a whole line; line_next before the next byte. */
bool line_take(struct line *l, u8 byte);
/* Keeps the line, and begins another. */
void line_next(struct line *l);
/* Who typed is gone. */
void line_drop(struct line *l);

#endif
