/*
 * What happened in the run (debug/timeline.h), from left to right by instructions: a row a PE with a lane for each EL,
 * as high as what share of the stretch it had; exits and interrupts as marks above; a row a guest. Below, kinds of
 * exits with how often they came; where few enough events lie in the part that is shown, these, as arrows from EL to EL
 * and in words. A click goes to an instruction, or looks for a kind alone.
 */
#include "view/view_internal.h"

#include "debug/timeline.h"

#include <stdio.h>
#include <stdlib.h>

struct timeline_state {
    u64 from, to; /* what is shown; to = 0: all */
    s32 kind;     /* plus 1: the exits that are looked for; 0: all */
    u32 rows;     /* of the table left out at the top */
};
enum { ZONE_RUN, ZONE_KIND, ZONE_EVENT };
enum { LABEL = 124, MARKS = 14, STEP = 2 /* pixels a stretch */, MOST = 1024,
       EVENTS = 40, PES_SHOWN = 8, LINE = 17, NEAREST = 16 /* instructions */ };

/* What is drawn with. */
struct frame {
    struct looker *l;
    struct timeline *t;
    struct timeline_state *s;
    struct canvas *c;
    u64 from, to;
    float x, w;     /* of the run */
    float lane;     /* height of one */
    unsigned count; /* of stretches */
    struct timeline_share share[MOST];
};

static struct timeline *timeline_of(const struct looker *l) { return l->timeline ? l->timeline : l->d->timeline; }

static float x_of(const struct frame *f, u64 at)
{
    return f->x + (float)((double)(at - f->from) / (double)(f->to - f->from)) * f->w;
}

/* ---- rows ---- */

/* A lane: stretches side by side of one height are one shape. part(n): 0..1000 of stretch n. */
static void lane(struct frame *f, float y, float h, enum ink ink, const u16 part[MOST])
{
    float step = f->w / (float)f->count;
    for (unsigned n = 0; n < f->count;) {
        unsigned end = n + 1;
        while (end < f->count && part[end] == part[n])
            end++;
        float high = part[n] ? (float)part[n] * h / 1000 : 0;
        high = part[n] && high < 1 ? 1 : high;
        if (part[n])
            canvas_rect(f->c, f->x + step * (float)n, y + h - high, step * (float)(end - n), high, ink, INK_NONE);
        n = end;
    }
}

/* In eighths, so that neighbours are alike. */
static u16 share_of(u64 part, u64 whole)
{
    u64 eighths = whole ? (part * 8 + whole - 1) / whole : 0;
    return (u16)((eighths > 8 ? 8 : eighths) * 125);
}

static u64 all_of(const struct timeline_share *s) { return s->el[0] + s->el[1] + s->el[2] + s->el[3]; }

/* A mark as high as its logarithm. */
static u16 mark_of(u64 count)
{
    unsigned bits_of = 0;
    for (; count; count >>= 2)
        bits_of++;
    return (u16)(bits_of > 7 ? 1000 : bits_of ? 300 + bits_of * 100 : 0);
}

static void marks(struct frame *f, float y)
{
    u16 exits[MOST], interrupts[MOST];
    for (unsigned n = 0; n < f->count; n++) {
        const struct timeline_share *s = &f->share[n];
        bool wanted = !f->s->kind || bit(s->kinds, f->s->kind > 63 ? 63 : (unsigned)f->s->kind - 1);
        exits[n] = wanted ? mark_of(s->exits) : 0;
        interrupts[n] = mark_of(s->interrupts);
    }
    lane(f, y, MARKS, f->s->kind ? INK_TEXT_LIT : INK_TEXT_FAULT, exits);
    lane(f, y + MARKS + 2, MARKS, INK_TEXT_GOOD, interrupts);
    canvas_text(f->c, VIEW_EDGE + 44, y - 1, FONT_SMALL, INK_DIM, "exits");
    canvas_text(f->c, VIEW_EDGE + 44, y + MARKS, FONT_SMALL, INK_DIM, "interrupts");
}

/* Returns the y below. */
static float pe_row(struct frame *f, u32 cpu, float y)
{
    u16 part[MOST];
    unsigned top = 0;
    timeline_query(f->t, (s32)cpu, f->from, f->to, f->count, f->share);
    for (unsigned n = 0; n < f->count; n++)
        for (unsigned el = 0; el < 4; el++)
            top = f->share[n].el[el] && el > top ? el : top;
    canvas_text(f->c, VIEW_EDGE, y + MARKS / 2.0f, FONT_BOLD, INK_TEXT, "cpu%u", cpu);
    marks(f, y);
    y += 2 * MARKS + 6;
    for (unsigned el = top + 1; el-- > 0; y += f->lane + 2) {
        for (unsigned n = 0; n < f->count; n++)
            part[n] = share_of(f->share[n].el[el], all_of(&f->share[n]));
        canvas_rect(f->c, f->x, y, f->w, f->lane, INK_PANEL, INK_NONE);
        lane(f, y, f->lane, view_el_ink(el), part);
        canvas_text(f->c, VIEW_EDGE + 44, y + f->lane / 2 - 8, FONT_SMALL, INK_DIM, "EL%u", el);
    }
    return y + 6;
}

static float vm_rows(struct frame *f, float y)
{
    u16 part[MOST];
    s32 vmid[TIMELINE_VMS];
    unsigned vms = timeline_vms(f->t, vmid);
    timeline_query(f->t, TIMELINE_ALL, f->from, f->to, f->count, f->share);
    for (unsigned vm = 1; vm < vms; vm++, y += f->lane + 2) {
        for (unsigned n = 0; n < f->count; n++)
            part[n] = share_of(f->share[n].vm[vm], all_of(&f->share[n]));
        canvas_text(f->c, VIEW_EDGE, y + f->lane / 2 - 8, FONT_SMALL, INK_TEXT, "VMID %d", vmid[vm]);
        canvas_rect(f->c, f->x, y, f->w, f->lane, INK_PANEL, INK_NONE);
        lane(f, y, f->lane, view_vm_ink(vm - 1), part);
    }
    return y + 6;
}

/* ---- the axis, and where the machine stands ---- */

static void axis(struct frame *f, float y)
{
    u64 span = f->to - f->from, step = 1;
    char text[32];
    while (span / step > 8)
        step *= span / step > 40 ? 10 : span / step > 16 ? 5 : 2;
    for (u64 at = (f->from + step - 1) / step * step; at < f->to; at += step) {
        float x = x_of(f, at);
        view_number(at, text);
        float w = (float)strlen(text) * 7;
        canvas_line(f->c, x, y, x, y + 5, INK_LINE);
        if (x + w / 2 < f->x + f->w && x - w / 2 > f->x - 40)
            canvas_text(f->c, x - w / 2, y + 5, FONT_SMALL, INK_DIM, "%s", text);
    }
    canvas_line(f->c, f->x, y, f->x + f->w, y, INK_LINE);
}

static void cursor(struct frame *f, float y, float bottom)
{
    u64 at = machine_insns(f->l->d->m);
    if (at >= f->from && at <= f->to)
        canvas_line(f->c, x_of(f, at), y, x_of(f, at), bottom, INK_TEXT_LIT);
}

/* ---- events ---- */

static void event_line(struct frame *f, const struct timeline_event *e, float y)
{
    char words[TIMELINE_WORDS], at[32];
    timeline_event_words(f->t, e, words);
    bool into = e->type == TIMELINE_EXCEPTION;
    canvas_rect(f->c, VIEW_EDGE, y + 2, 12, 12, view_el_ink(e->el), INK_NONE);
    canvas_text(f->c, VIEW_EDGE + 20, y, FONT_SMALL, INK_DIM, "%15s  cpu%u", view_number(e->at, at), e->cpu);
    if (into)
        canvas_text(f->c, VIEW_EDGE + 190, y, FONT_SMALL, INK_DIM, "%18llx", HEX(e->pc));
    canvas_fit(f->c, VIEW_EDGE + 190 + 20 * 7, y, f->c->width - 2 * VIEW_EDGE - 190 - 20 * 7, FONT_SMALL,
               into ? INK_TEXT : INK_DIM, "%s", words);
    canvas_zone(f->c, VIEW_EDGE, y, f->c->width - 2 * VIEW_EDGE, LINE - 1, ZONE_EVENT, e->at,
                "after %s instructions: %s", at, words);
}

/* An arrow from EL to EL across the lanes of its PE, which begin at y with EL `top`. */
static void event_arrow(struct frame *f, const struct timeline_event *e, unsigned from, float x, float y, unsigned top)
{
    if (from > top || e->el > top || from == e->el)
        return;
    float half = f->lane / 2.0f, a = y + (float)(top - from) * (f->lane + 2) + half,
          b = y + (float)(top - e->el) * (f->lane + 2) + half;
    canvas_arrow(f->c, x, a, x, b, e->type == TIMELINE_EXCEPTION ? INK_TEXT_FAULT : INK_TEXT_GOOD);
}

/* Those of the part that is shown, if they are few. False: they are many, or not kept. */
static bool events_draw(struct frame *f, float y, float lanes, float bottom)
{
    struct timeline_event e[EVENTS + 1];
    unsigned count = timeline_events(f->t, TIMELINE_ALL, f->from, f->to, EVENTS + 1, e), top = 0;
    u8 before[MAX_CPUS] = { 0 };
    bool known[MAX_CPUS] = { false };
    if (!count || count > EVENTS || timeline_range(f->t).kept > f->from)
        return false;
    for (unsigned n = 0; n < f->count; n++)
        for (unsigned el = 0; el < 4; el++)
            top = f->share[n].el[el] && el > top ? el : top;
    canvas_text(f->c, VIEW_EDGE, y, FONT_BOLD, INK_TEXT, "what happened there");
    y += 20;
    for (unsigned n = 0; n < count; n++) {
        if (known[e[n].cpu] && f->l->d->m->options.cpu_count == 1)
            event_arrow(f, &e[n], before[e[n].cpu], x_of(f, e[n].at), lanes, top);
        before[e[n].cpu] = e[n].el, known[e[n].cpu] = true;
        if (y + LINE < bottom)
            event_line(f, &e[n], y);
        else if (y < bottom)
            canvas_text(f->c, VIEW_EDGE, y, FONT_SMALL, INK_DIM, "… and %u more", count - n), y = bottom;
        y += LINE;
    }
    return true;
}

static void kind_line(struct frame *f, unsigned n, const struct timeline_kind *k, float y)
{
    char words[TIMELINE_WORDS], count[32], insns[32], guest[24] = "";
    bool chosen = f->s->kind == (s32)n + 1;
    timeline_kind_words(k, words);
    if (k->key.vmid >= 0)
        snprintf(guest, sizeof(guest), "VMID %d, ", k->key.vmid);
    if (chosen)
        canvas_rect(f->c, VIEW_EDGE, y, f->c->width - 2 * VIEW_EDGE, LINE, INK_LIT, INK_NONE);
    canvas_rect(f->c, VIEW_EDGE + 2, y + 3, 12, 11, view_el_ink(k->key.from_el), INK_NONE);
    canvas_text(f->c, VIEW_EDGE + 22, y + 1, FONT_SMALL, INK_TEXT, "%11s × %13s", view_number(k->count, count),
                view_number(k->insns, insns));
    canvas_fit(f->c, VIEW_EDGE + 232, y + 1, f->c->width - 2 * VIEW_EDGE - 232, FONT_SMALL, chosen ? INK_TEXT : INK_DIM,
               "%sEL%u to EL%u: %s", guest, k->key.from_el, k->key.to_el, words);
    canvas_zone(f->c, VIEW_EDGE, y, f->c->width - 2 * VIEW_EDGE, LINE, ZONE_KIND, n, "%s: %s times", words, count);
}

static void kinds_draw(struct frame *f, float y, float bottom)
{
    unsigned order[64], count = 0, all = 0;
    for (unsigned n = 0; timeline_kind(f->t, n); n++) {
        const struct timeline_kind *k = timeline_kind(f->t, n);
        if (!timeline_is_exit(k) || ++all > ARRAY_LEN(order))
            continue;
        unsigned at = count++;
        for (; at > 0 && timeline_kind(f->t, order[at - 1])->count < k->count; at--)
            order[at] = order[at - 1];
        order[at] = n;
    }
    canvas_text(f->c, VIEW_EDGE, y, FONT_BOLD, INK_TEXT, "exits of the run by kind");
    canvas_text(f->c, VIEW_EDGE + 232, y + 2, FONT_SMALL, INK_DIM, "how often × instructions that their handlers took");
    y += 22;
    if (!count)
        canvas_text(f->c, VIEW_EDGE, y, FONT_BODY, INK_DIM, "Nothing has left EL0 or EL1 for EL2 or EL3 yet.");
    for (unsigned n = f->s->rows < count ? f->s->rows : 0; n < count && y + LINE < bottom; n++, y += LINE)
        kind_line(f, order[n], timeline_kind(f->t, order[n]), y);
}

/* ---- the view ---- */

static bool range_find(struct frame *f)
{
    struct timeline_range r = timeline_range(f->t);
    f->from = f->s->to ? f->s->from : r.from;
    f->to = f->s->to ? f->s->to : r.to;
    f->to = f->to > r.to ? r.to : f->to;
    f->from = f->from < r.from || f->from >= f->to ? r.from : f->from;
    return f->to > f->from && r.to > r.from + 1;
}

static void legend(struct canvas *c, float y)
{
    float x = VIEW_EDGE;
    static const char *const els[] = { "EL0", "EL1", "EL2", "EL3" };
    for (unsigned el = 0; el < 4; el++)
        x = view_legend(c, x, y, view_el_ink(el), els[el]);
    x = view_legend(c, x, y, INK_TEXT_FAULT, "exits to EL2 or EL3");
    x = view_legend(c, x, y, INK_TEXT_GOOD, "interrupts");
    view_legend(c, x, y, INK_TEXT_LIT, "where the machine stands");
}

static void frame_draw(struct frame *f)
{
    u32 cpus = f->l->d->m->options.cpu_count, shown = cpus < PES_SHOWN ? cpus : PES_SHOWN;
    float y = 36, lanes;
    legend(f->c, 8);
    axis(f, y);
    float top = y;
    y += 26;
    lanes = y + 2 * MARKS + 6;
    for (u32 cpu = 0; cpu < shown; cpu++)
        y = pe_row(f, cpu, y);
    if (shown < cpus)
        canvas_text(f->c, VIEW_EDGE, y, FONT_SMALL, INK_DIM, "… and %u PEs more", cpus - shown), y += LINE;
    y = vm_rows(f, y);
    cursor(f, top, y);
    canvas_zone(f->c, f->x, top, f->w, y - top, ZONE_RUN, 0,
                "the run from %llu to %llu instructions: a click goes there", HEX(f->from), HEX(f->to));
    y += 4;
    if (!events_draw(f, y, lanes, f->c->height - 4))
        kinds_draw(f, y, f->c->height - 4);
}

static void timeline_draw(struct looker *l, void *state, struct canvas *c)
{
    struct frame *f = calloc(1, sizeof(*f));
    if (!f) {
        c->failed = true;
        return;
    }
    *f = (struct frame){ .l = l, .t = timeline_of(l), .s = state, .c = c, .x = VIEW_EDGE + LABEL };
    f->lane = l->d->m->options.cpu_count > 2 ? 11 : 17;
    f->w = c->width - f->x - VIEW_EDGE;
    f->count = (unsigned)(f->w / STEP);
    f->count = f->count > MOST ? MOST : f->count;
    if (!f->t)
        view_empty(
            c, "Nobody writes down what happens in this run.",
            "It is from the start with -picture timeline, with -report, and where views are shown while it runs.");
    else if (!range_find(f))
        view_empty(c, "Nothing has been executed yet.", "Let the machine run.");
    else
        frame_draw(f);
    free(f);
}

/* Of the part that is shown, around its middle, or around where the machine stands when that is in it. */
static void zoom(struct frame *f, bool in)
{
    u64 here = machine_insns(f->l->d->m), span = f->to - f->from,
        middle = here > f->from && here < f->to ? here : f->from + span / 2;
    span = in ? span / 2 : span * 2;
    span = span < NEAREST ? NEAREST : span;
    f->s->from = middle > span / 2 ? middle - span / 2 : 0;
    f->s->to = f->s->from + span;
}

static struct view_answer seek(struct frame *f, bool forward)
{
    struct timeline_search search = { .cpu = TIMELINE_ALL,
                                      .kind = f->s->kind ? f->s->kind - 1 : -1,
                                      .exits = !f->s->kind };
    struct timeline_found found = timeline_next(f->t, machine_insns(f->l->d->m), forward, &search);
    if (!found.found)
        return (struct view_answer){ .wish = VIEW_REDRAW };
    return (struct view_answer){ .wish = VIEW_GOTO, .at = found.exact ? found.event.at : found.from };
}

static struct view_answer timeline_key(struct looker *l, void *state, unsigned key)
{
    struct frame f = { .l = l, .t = timeline_of(l), .s = state };
    struct view_answer a = { .wish = VIEW_REDRAW };
    if (!f.t || !range_find(&f))
        return (struct view_answer){ .wish = VIEW_NOTHING };
    u64 step = (f.to - f.from) / 4 + 1;
    switch (key) {
    case '+':
    case '=': zoom(&f, true); break;
    case '-': zoom(&f, false); break;
    case VIEW_LEFT:
        f.s->to = f.to - (f.from < step ? f.from : step), f.s->from = f.from < step ? 0 : f.from - step;
        break;
    case VIEW_RIGHT: f.s->from = f.from + step, f.s->to = f.to + step; break;
    case VIEW_UP: f.s->rows -= f.s->rows > 0; break;
    case VIEW_DOWN: f.s->rows++; break;
    case VIEW_HOME: f.s->from = f.s->to = 0; break;
    case VIEW_ESCAPE: f.s->kind = 0; break;
    case 'n': return seek(&f, true);
    case 'p': return seek(&f, false);
    default: a.wish = VIEW_NOTHING;
    }
    return a;
}

static struct view_answer timeline_clicked(struct looker *l, void *state, u32 zone, u64 value)
{
    struct timeline_state *s = state;
    (void)l;
    if (zone == ZONE_EVENT)
        return (struct view_answer){ .wish = VIEW_GOTO, .at = value };
    if (zone == ZONE_KIND)
        s->kind = s->kind == (s32)value + 1 ? 0 : (s32)value + 1;
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static struct view_answer timeline_pointed(struct looker *l, void *state, u32 zone, u64 value, float part)
{
    struct frame f = { .l = l, .t = timeline_of(l), .s = state };
    (void)value;
    if (zone != ZONE_RUN || !f.t || !range_find(&f))
        return (struct view_answer){ .wish = VIEW_NOTHING };
    return (struct view_answer){ .wish = VIEW_GOTO, .at = f.from + (u64)((double)(f.to - f.from) * (double)part) };
}

static bool timeline_set(struct looker *l, void *state, const char *words, char error[256])
{
    struct timeline_state *s = state;
    struct view_args a;
    (void)l;
    *s = (struct timeline_state){ 0 };
    if (!args_split(&a, words, error))
        return false;
    const char *from = args_next(&a), *to = from ? args_next(&a) : NULL;
    if (from && (!to || !debugger_number(from, &s->from) || !debugger_number(to, &s->to) || s->from >= s->to)) {
        snprintf(error, 256, "timeline: expected FROM TO in instructions, FROM below TO");
        return false;
    }
    return args_done(&a, "timeline", error);
}

const struct view_kind view_timeline = { .state_size = sizeof(struct timeline_state),
                                         .keys = "left, right   + -: zoom   Home: all   n, p: next, last exit   click: there",
                                         .timeline = true,
                                         .draw = timeline_draw,
                                         .key = timeline_key,
                                         .clicked = timeline_clicked,
                                         .pointed = timeline_pointed,
                                         .set = timeline_set };
