/* For the files that are views: words that set one, numbers as people read them, and what several of them draw. */
#ifndef VIEW_INTERNAL_H
#define VIEW_INTERNAL_H

#include "view/view.h"

enum { VIEW_WORDS = 16, VIEW_EDGE = 16 /* pixels that views leave free at the left and right */ };

/* The words that a view is set by, taken one after the other; what is left at the end is an error. */
struct view_args {
    unsigned count;
    char *word[VIEW_WORDS];
    char text[256];
};
/* False: there are too many of them. */
bool args_split(struct view_args *a, const char *words, char error[256]);
/* KEY=NUMBER, which is taken from the words. *value stays as it is when it is not there. False: it is no number in
 * low..high. */
bool args_option(struct view_args *a, const char *key, s64 low, s64 high, s64 *value, char error[256]);
/* Is the word there? Takes it. */
bool args_flag(struct view_args *a, const char *word);
/* The next word that has no "=", taken; NULL: there is none. */
const char *args_next(struct view_args *a);
/* Nothing may be left; else false, with the name of the view. */
bool args_done(const struct view_args *a, const char *view, char error[256]);

/* "12,345,678". */
const char *view_number(u64 n, char text[32]);
/* "12 KiB", "3 MiB", "1.5 GiB": at most four digits. */
const char *view_bytes(u64 n, char text[32]);
enum ink view_vm_ink(unsigned n);
enum ink view_el_ink(unsigned el);
/* A box with a heading; returns the y below the heading. */
float view_box(struct canvas *c, float x, float y, float w, float h, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* What a view says where there is nothing to show: what is missing, and what to do. */
void view_empty(struct canvas *c, const char *what, const char *then);
/* A square of a colour with its words behind it; returns the x behind them. */
float view_legend(struct canvas *c, float x, float y, enum ink fill, const char *words);

#define HEX(v) ((unsigned long long)(v))

#endif
