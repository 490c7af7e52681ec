/*
 * Exceptions to EL2 from below: a group of bars a guest, a bar a class, as long as the class is frequent (or as many
 * instructions as EL2 spent on it). A guest that was clicked stands alone; clicked again, all are shown.
 */
#include "view/view_internal.h"

#include <stdio.h>

struct exits_state {
    u8 by_insns;
    u8 alone;   /* one guest only: */
    u8 vm, row; /* place in vm[] (VMS: no guest); first line shown */
};
enum { ZONE_GUEST, ZONE_CLASS };
enum { LINE = 22 };

/* What is counted of a guest; n == VMS: of none. */
static const struct exit_count *counts_of(const struct debugger *d, unsigned n)
{
    return n < VMS ? d->vm[n].exit : d->own;
}

static u64 size_of(const struct exits_state *s, const struct exit_count *e)
{
    return s->by_insns ? e->insns : e->count;
}

static bool is_shown(const struct debugger *d, const struct exits_state *s, unsigned n)
{
    if ((s->alone && n != s->vm) || (n < VMS && !d->vm[n].used))
        return false;
    for (unsigned k = 0; k < EXIT_CLASSES; k++)
        if (counts_of(d, n)[k].count)
            return true;
    return false;
}

static u64 longest(const struct debugger *d, const struct exits_state *s, u64 *sum)
{
    u64 most = 1;
    *sum = 0;
    for (unsigned n = 0; n <= VMS; n++)
        for (unsigned k = 0; is_shown(d, s, n) && k < EXIT_CLASSES; k++) {
            u64 size = size_of(s, &counts_of(d, n)[k]);
            most = size > most ? size : most;
            *sum += size;
        }
    return most;
}

/* The classes of a guest, the largest first. */
static unsigned sorted(const struct exits_state *s, const struct exit_count *e, u8 order[EXIT_CLASSES])
{
    unsigned count = 0;
    for (unsigned k = 0; k < EXIT_CLASSES; k++) {
        unsigned at = count;
        if (!e[k].count)
            continue;
        while (at > 0 && size_of(s, &e[order[at - 1]]) < size_of(s, &e[k]))
            order[at] = order[at - 1], at--;
        order[at] = (u8)k;
        count++;
    }
    return count;
}

/* "12.3 %" */
static const char *share(u64 part, u64 whole, char text[32])
{
    u64 tenths = whole ? (u64)((u128)part * 1000 / whole) : 0;
    snprintf(text, 32, "%llu.%llu %%", HEX(tenths / 10), HEX(tenths % 10));
    return text;
}

static void bar(const struct exits_state *s, struct canvas *c, float y, unsigned n, unsigned what,
                const struct exit_count *e, u64 most, u64 sum)
{
    char count[32], insns[32], part[32];
    float left = VIEW_EDGE + 300, right = c->width - VIEW_EDGE - 330,
          w = (float)size_of(s, e) / (float)most * (right - left);
    canvas_fit(c, VIEW_EDGE + 16, y + 2, 280, FONT_BODY, INK_TEXT, "%s", exit_class_words(what));
    canvas_rect(c, left, y + 2, w < 2 ? 2 : w, LINE - 5, n < VMS ? view_vm_ink(n) : INK_EL0, INK_NONE);
    canvas_text(c, right + 8, y + 2, FONT_BODY, INK_TEXT, "%11s  %7s  %14s", view_number(e->count, count),
                share(size_of(s, e), sum, part), view_number(e->insns, insns));
    canvas_zone(c, VIEW_EDGE, y, c->width - 2 * VIEW_EDGE, LINE, ZONE_CLASS, (u64)n << 8 | what,
                "%s: %s times, %s instructions at EL2", exit_class_words(what), count, insns);
}

static void heading(const struct debugger *d, struct canvas *c, float y, unsigned n)
{
    char entries[32], insns[32];
    const struct vm_note *v = n < VMS ? &d->vm[n] : NULL;
    canvas_rect(c, VIEW_EDGE, y, c->width - 2 * VIEW_EDGE, LINE, INK_PANEL, INK_LINE);
    canvas_rect(c, VIEW_EDGE, y, 8, LINE, v ? view_vm_ink(n) : INK_EL0, INK_NONE);
    if (v)
        canvas_fit(c, VIEW_EDGE + 16, y + 2, c->width - 2 * VIEW_EDGE - 24, FONT_BOLD, INK_TEXT,
                   "VMID %d · entered %s times, %s instructions in it · stage 2 at 0x%llx", v->vmid,
                   view_number(v->entries, entries), view_number(v->insns, insns), HEX(v->root));
    else
        canvas_text(c, VIEW_EDGE + 16, y + 2, FONT_BOLD, INK_TEXT,
                    "in no guest: programs and kernels below EL2 without stage 2");
    canvas_zone(c, VIEW_EDGE, y, c->width - 2 * VIEW_EDGE, LINE, ZONE_GUEST, n, v ? "the guest of VMID %d" : "no guest",
                v ? v->vmid : 0);
}

static void exits_draw(struct looker *l, void *state, struct canvas *c)
{
    struct exits_state *s = state;
    const struct debugger *d = l->d;
    u64 sum, most = longest(d, s, &sum);
    float y = 8;
    if (!sum) {
        view_empty(
            c, "Nothing has gone to EL2 from below yet.",
            "Let the machine run until a hypervisor has entered a guest; exits are counted from when the debugger began.");
        return;
    }
    canvas_text(c, VIEW_EDGE, y, FONT_BODY, INK_DIM, "bars: %s", s->by_insns ? "instructions at EL2" : "how often");
    canvas_text(c, c->width - VIEW_EDGE - 322, y, FONT_BODY, INK_DIM, "%11s  %7s  %14s", "times", "share",
                "insns at EL2");
    y += 24;
    for (unsigned n = 0; n <= VMS; n++) {
        u8 order[EXIT_CLASSES];
        unsigned count = is_shown(d, s, n) ? sorted(s, counts_of(d, n), order) : 0;
        if (count)
            heading(d, c, y, n), y += LINE + 4;
        for (unsigned k = 0; k < count; k++, y += LINE)
            bar(s, c, y, n, order[k], &counts_of(d, n)[order[k]], most, sum);
        y += count ? 10 : 0;
    }
}

static struct view_answer exits_key(struct looker *l, void *state, unsigned key)
{
    struct exits_state *s = state;
    (void)l;
    if (key == 'i')
        s->by_insns = !s->by_insns;
    else if (key == VIEW_ESCAPE && s->alone)
        s->alone = 0;
    else
        return (struct view_answer){ .wish = VIEW_NOTHING };
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static struct view_answer exits_clicked(struct looker *l, void *state, u32 zone, u64 value)
{
    struct exits_state *s = state;
    struct view_answer a = { .wish = VIEW_REDRAW };
    (void)l;
    if (zone == ZONE_GUEST) {
        s->alone = !s->alone;
        s->vm = (u8)value;
    }
    return a;
}

static bool exits_set(struct looker *l, void *state, const char *words, char error[256])
{
    struct exits_state *s = state;
    struct view_args a;
    s64 vmid = ANY;
    *s = (struct exits_state){ 0 };
    if (!args_split(&a, words, error) || !args_option(&a, "vmid", 0, 65535, &vmid, error))
        return false;
    s->by_insns = args_flag(&a, "insns");
    for (unsigned n = 0; vmid != ANY && n < VMS; n++)
        if (l->d->vm[n].used && l->d->vm[n].vmid == vmid)
            s->alone = 1, s->vm = (u8)n;
    if (vmid != ANY && !s->alone) {
        snprintf(error, 256, "exits: VMID %lld has not been seen", (long long)vmid);
        return false;
    }
    return args_done(&a, "exits", error);
}

const struct view_kind view_exits = { .state_size = sizeof(struct exits_state),
                                      .keys = "i: instructions or how often   click on a guest: it alone   Esc: all",
                                      .draw = exits_draw,
                                      .key = exits_key,
                                      .clicked = exits_clicked,
                                      .set = exits_set };
