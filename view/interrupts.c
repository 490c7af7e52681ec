/*
 * Interrupts of the PE as pipes: a line each, from who raises it through the gates of distributor, redistributor and
 * CPU interface into the PE; below the list registers, through the virtual CPU interface to the guest. The first gate
 * that is closed holds it; what comes behind it is only told.
 */
#include "view/view_internal.h"

#include "debug/gates.h"
#include "gic/gic.h"

#include <stdio.h>

struct interrupts_state {
    u32 intid; /* plus 1: one that is always shown; 0: none */
    u32 from;  /* lines left out at the top */
};
enum { ZONE_GATE };
enum { LABEL = 236, ROW_H = 40, HEAD_H = 40, GAP = 3 };

static float column(const struct canvas *c) { return (c->width - 2 * VIEW_EDGE - LABEL) / GATES; }

/* The parts above the gates that they have, and the gates' names. */
static void heading(const struct gates *g, float y, struct canvas *c)
{
    float w = column(c), x = VIEW_EDGE + LABEL;
    for (unsigned n = 0; n < g->count;) {
        unsigned end = n;
        while (end < g->count && g->gate[end].part == g->gate[n].part)
            end++;
        float wide = w * (float)(end - n) - GAP;
        canvas_rect(c, x + w * (float)n, y, wide, 18, INK_PANEL, INK_LINE);
        canvas_fit(c, x + w * (float)n + 6, y, wide - 8, FONT_BODY, INK_TEXT, "%s", gates_part_words(g->gate[n].part));
        n = end;
    }
    for (unsigned n = 0; n < g->count; n++)
        canvas_fit(c, x + w * (float)n + 6, y + 21, w - GAP - 8, FONT_SMALL, INK_DIM, "%s", g->gate[n].name);
}

static void gate_draw(const struct gates *g, unsigned n, float x, float y, float w, struct canvas *c)
{
    const struct gate *e = &g->gate[n];
    bool reached = g->held < 0 || (int)n <= g->held, holds = (int)n == g->held, waits = holds && n == 0 && !g->active;
    enum ink fill = holds && !waits ? INK_FAULT : reached && e->open ? INK_GOOD : INK_NONE;
    canvas_rect(c, x, y + 4, w - GAP, 26, fill, holds && !waits ? INK_TEXT_FAULT : INK_LINE);
    canvas_fit(c, x + 6, y + 9, w - GAP - 8, FONT_SMALL,
               reached   ? INK_TEXT
               : e->open ? INK_DIM
                         : INK_TEXT_FAULT,
               "%s", e->shown);
    canvas_zone(c, x, y + 4, w - GAP, 26, ZONE_GATE, (u64)g->intid << 8 | n, "%s, %s: %s", gates_part_words(e->part),
                e->name, e->words);
}

static void line_draw(const struct gates *g, float y, struct canvas *c)
{
    float w = column(c), x = VIEW_EDGE + LABEL;
    if (g->is_virtual)
        canvas_fit(c, VIEW_EDGE, y + 1, LABEL - 8, FONT_BOLD, INK_TEXT, "LR%u: %u %s", g->lr, g->intid, g->source);
    else
        canvas_fit(c, VIEW_EDGE, y + 1, LABEL - 8, FONT_BOLD, INK_TEXT, "%u %s", g->intid, g->source);
    canvas_fit(c, VIEW_EDGE, y + 19, LABEL - 8, FONT_SMALL,
               g->held < 0               ? INK_TEXT_GOOD
               : g->pending || g->active ? INK_TEXT_FAULT
                                         : INK_DIM,
               "%s", g->held < 0 ? "is taken next" : g->gate[g->held].words);
    float end = g->held < 0 ? x + w * (float)g->count - GAP : x + w * (float)g->held;
    if (g->held != 0)
        canvas_rect(c, x, y + 30, end - x, 3, INK_TEXT_GOOD, INK_NONE);
    for (unsigned n = 0; n < g->count; n++)
        gate_draw(g, n, x + w * (float)n, y, w, c);
}

static float physical_draw(struct looker *l, const struct interrupts_state *s, float y, float bottom, struct canvas *c)
{
    u32 intid[GATES_LISTED], cpu = l->d->cpu;
    unsigned count = gates_listed(l->d, cpu, intid), n = s->from < count ? s->from : 0;
    struct gates g;
    if (gates_physical(l->d, cpu, 0, &g))
        heading(&g, y, c);
    y += HEAD_H;
    if (s->intid && gates_physical(l->d, cpu, s->intid - 1, &g))
        line_draw(&g, y, c), y += ROW_H;
    if (!count && !s->intid)
        canvas_text(c, VIEW_EDGE, y + 8, FONT_BODY, INK_DIM,
                    "Nothing is pending, active or enabled for this PE: software has yet to set its GIC up."),
            y += ROW_H;
    for (; n < count && y + ROW_H <= bottom; n++)
        if (intid[n] + 1 != s->intid && gates_physical(l->d, cpu, intid[n], &g))
            line_draw(&g, y, c), y += ROW_H;
    if (n < count)
        canvas_text(c, VIEW_EDGE, y, FONT_SMALL, INK_DIM, "… and %u more that are enabled", count - n), y += 16;
    return y;
}

static void virtual_draw(struct looker *l, float y, struct canvas *c)
{
    struct gates g;
    bool any = false;
    for (u32 n = 0; n <= GIC_LRS; n++) {
        if (!gates_virtual(l->d, l->d->cpu, n, &g))
            continue;
        if (!any)
            heading(&g, y, c), y += HEAD_H;
        any = true;
        line_draw(&g, y, c);
        y += ROW_H;
    }
    if (!any)
        canvas_text(c, VIEW_EDGE, y, FONT_BODY, INK_DIM,
                    "All list registers are empty: the hypervisor gives the guest no virtual interrupt.");
}

static void interrupts_draw(struct looker *l, void *state, struct canvas *c)
{
    const struct gic *gic = &l->d->m->gic;
    unsigned lists = 0;
    struct gates g;
    for (u32 n = 0; n <= GIC_LRS; n++)
        lists += gates_virtual(l->d, l->d->cpu, n, &g);
    float below = lists ? HEAD_H + (float)lists * ROW_H : 24, x = VIEW_EDGE;
    x += canvas_text(c, x, 8, FONT_BODY, INK_DIM, "GICv%s, cpu%u of %u",
                     gic->v2.on               ? "2"
                     : gic->parts & GIC_VLPIS ? "4"
                                              : "3",
                     l->d->cpu, gic->cpu_count) +
         24;
    x = view_legend(c, x, 8, INK_GOOD, "open");
    x = view_legend(c, x, 8, INK_FAULT, "the gate that holds it");
    view_legend(c, x, 8, INK_NONE, "not reached");
    float y = physical_draw(l, state, 36, c->height - below - 24, c);
    virtual_draw(l, y + 10, c);
}

static struct view_answer interrupts_key(struct looker *l, void *state, unsigned key)
{
    struct interrupts_state *s = state;
    struct view_answer a = { .wish = VIEW_REDRAW };
    (void)l;
    if (key == VIEW_DOWN)
        s->from++;
    else if (key == VIEW_UP && s->from)
        s->from--;
    else if (key == VIEW_HOME)
        s->from = 0;
    else
        a.wish = VIEW_NOTHING;
    return a;
}

static bool interrupts_set(struct looker *l, void *state, const char *words, char error[256])
{
    struct interrupts_state *s = state;
    struct view_args a;
    struct gates g;
    s64 intid = -1;
    *s = (struct interrupts_state){ 0 };
    if (!args_split(&a, words, error) || !args_option(&a, "intid", 0, 0xffffff, &intid, error))
        return false;
    if (intid >= 0 && !gates_physical(l->d, l->d->cpu, (u32)intid, &g)) {
        snprintf(error, 256, "interrupts: this machine has no INTID %lld", (long long)intid);
        return false;
    }
    s->intid = (u32)(intid + 1);
    return args_done(&a, "interrupts", error);
}

const struct view_kind view_interrupts = { .state_size = sizeof(struct interrupts_state),
                                           .keys = "up, down: other interrupts   Home: the first",
                                           .draw = interrupts_draw,
                                           .key = interrupts_key,
                                           .set = interrupts_set };
