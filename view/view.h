/*
 * Views: pictures of the machine for people who learn or hunt. A view is a row of view.def and a file: it is given a
 * machine that stands (struct looker), draws on a canvas, and is told of keys and of zones that were clicked. What it
 * shows comes from functions of debug/, which say the same in words. It changes nothing that a guest can see.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "debug/debugger.h"
#include "view/canvas.h"

struct timeline;

/* What views are fed by. */
struct looker {
    struct debugger *d;
    struct timeline *timeline; /* what happened in the run so far; NULL: nobody writes it down */
};

enum view_key { VIEW_LEFT = 0x100, VIEW_RIGHT, VIEW_UP, VIEW_DOWN, VIEW_PAGE_UP, VIEW_PAGE_DOWN, VIEW_HOME, VIEW_END, VIEW_ENTER,
                VIEW_ESCAPE };

/* What a view wants of who shows it, beside being drawn anew. */
enum view_wish { VIEW_NOTHING /* the key is none of its own */, VIEW_REDRAW, VIEW_GOTO /* the machine at instruction `at` */,
                 VIEW_OPEN /* another view, with words */ };
struct view_answer {
    enum view_wish wish;
    u64 at;
    const char *view;
    char words[256];
};

/* One const in each view's file. A function that is NULL: it has no such thing. State is plain data that begins as
 * zeros: one for each place where the view is shown, which lives on while the machine runs. */
struct view_kind {
    u32 state_size;
    bool timeline;    /* shows what happened: somebody is to write it down from the start */
    const char *keys; /* in a line, what its keys do; NULL: it has none */
    void (*draw)(struct looker *l, void *state, struct canvas *c);
    /* A key (a character, or enum view_key); a zone of its last drawing was clicked. */
    struct view_answer (*key)(struct looker *l, void *state, unsigned key);
    struct view_answer (*clicked)(struct looker *l, void *state, u32 zone, u64 value);
    /* The same, of a zone of which it matters where it was clicked, or dragged: 0 to 1 from its left edge on. What it
     * does not want is a click. */
    struct view_answer (*pointed)(struct looker *l, void *state, u32 zone, u64 value, float part);
    /* What it is to show, in words: "0x40080000 el=1 vmid=2"; none: as it begins. False: error holds one line. */
    bool (*set)(struct looker *l, void *state, const char *words, char error[256]);
};

struct view {
    const char *name, *title, *words, *help;
    const struct view_kind *kind;
};
/* Row n of view.def; NULL past the last. */
const struct view *view_get(unsigned n);
/* NULL: error says which there are. */
const struct view *view_find(const char *name, char error[256]);

/* How a view is used: state of `kind->state_size` zeros, then any of these. `set` is kind->set where it is there, and
 * an error where words are given and it is not. */
bool view_set(struct looker *l, const struct view *v, void *state, const char *words, char error[256]);
struct view_answer view_key(struct looker *l, const struct view *v, void *state, unsigned key);
struct view_answer view_clicked(struct looker *l, const struct view *v, void *state, const struct shape *zone);
/* The same with the place on the canvas, for zones of which it matters: x from the left. Also while it is dragged. */
struct view_answer view_pointed(struct looker *l, const struct view *v, void *state, const struct shape *zone, float x);
/* Draws it on all of the canvas, which has been begun: on top a line with the title and where the machine stands. */
void view_draw(struct looker *l, const struct view *v, void *state, struct canvas *c);
/* Without that line. */
void view_draw_plain(struct looker *l, const struct view *v, void *state, struct canvas *c);

/* A picture of a view, by words alone. */
struct view_picture {
    const char *view, *words;
    enum theme theme;
    float width, height; /* 0: 1280; as far as it reaches */
    bool list;           /* the draw list instead of SVG */
};
/* False: error says why in a line. */
bool view_picture(struct looker *l, const struct view_picture *p, struct text *out, char error[256]);
/* Into a file, whole or not at all: an SVG where its name ends in .svg, in .list the draw list. False: the same. */
bool view_picture_file(struct looker *l, struct view_picture p, const char *file, char error[256]);
/* What people write: "WIDTHxHEIGHT" or "WIDTH", "dark" or "light", into a picture. False: error says what else. */
bool view_picture_size(struct view_picture *p, const char *word, char error[256]);
bool view_picture_theme(struct view_picture *p, const char *word, char error[256]);

#endif
