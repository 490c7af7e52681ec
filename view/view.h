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
    struct timeline *timeline; /* debug/timeline.h: what happened in the run so far; NULL: nobody writes it down */
};

enum view_key { VIEW_LEFT = 0x100, VIEW_RIGHT, VIEW_UP, VIEW_DOWN, VIEW_PAGE_UP, VIEW_PAGE_DOWN, VIEW_HOME, VIEW_END, VIEW_ENTER, VIEW_ESCAPE };

/* What a view wants of who shows it, beside being drawn anew. */
enum view_wish { VIEW_NOTHING, VIEW_REDRAW, VIEW_GOTO /* the machine at instruction `at` */, VIEW_OPEN /* another view, with words */ };
struct view_answer {
    enum view_wish wish;
    u64 at;
    const char *view;
    char words[256];
};

/* One const in each view's file. A function that is NULL: it has no such thing. State is plain data that begins as
 * zeros. */
struct view_kind {
    u32 state_size;
    void (*draw)(struct looker *l, void *state, struct canvas *c);
    /* A key (a character, or enum view_key); a zone of its last drawing was clicked. */
    struct view_answer (*key)(struct looker *l, void *state, unsigned key);
    struct view_answer (*clicked)(struct looker *l, void *state, u32 zone, u64 value);
    /* What it is to show, in words: "0x40080000 el=1 vmid=2". False: error holds one line. */
    bool (*set)(struct looker *l, void *state, const char *words, char error[256]);
};

struct view {
    const char *name, *title, *words, *help;
    const struct view_kind *kind;
};
/* Row n of view.def; NULL past the last. */
const struct view *view_get(unsigned n);
const struct view *view_find(const char *name);

#endif
