/*
 * The table of views, and how one is used by whoever shows it (the window, the report, the monitor), who knows only
 * this: the line on top, a picture made by words alone.
 */
#include "view/view_internal.h"

#include "debug/stops.h"
#include "lib/nearest.h"

#include <stdio.h>
#include <stdlib.h>

#define VIEW(name, title, words, help) extern const struct view_kind view_##name;
#include "view/view.def"

static const struct view views[] = {
#define VIEW(name, title, words, help) { #name, title, words, help, &view_##name },
#include "view/view.def"
};

const struct view *view_get(unsigned n) { return n < ARRAY_LEN(views) ? &views[n] : NULL; }

const struct view *view_find(const char *name, char error[256])
{
    struct nearest like = { .name = "" };
    struct text names = { 0 };
    char words[96];
    for (unsigned n = 0; n < ARRAY_LEN(views); n++) {
        if (!strcmp(views[n].name, name))
            return text_free(&names), &views[n];
        nearest_try(&like, name, strlen(name), views[n].name);
        text_add(&names, " %s", views[n].name);
    }
    snprintf(error, 256, "no view \"%.40s\"%s: there are%s", name, nearest_words(&like, words), names.s ? names.s : "");
    text_free(&names);
    return NULL;
}

/* ---- how a view is used ---- */

bool view_set(struct looker *l, const struct view *v, void *state, const char *words, char error[256])
{
    if (v->kind->set)
        return v->kind->set(l, state, words, error);
    if (!words[strspn(words, " \t")])
        return true;
    snprintf(error, 256, "%s: is set by no words", v->name);
    return false;
}

struct view_answer view_key(struct looker *l, const struct view *v, void *state, unsigned key)
{
    return v->kind->key ? v->kind->key(l, state, key) : (struct view_answer){ .wish = VIEW_NOTHING };
}

struct view_answer view_clicked(struct looker *l, const struct view *v, void *state, const struct shape *zone)
{
    if (!v->kind->clicked)
        return (struct view_answer){ .wish = VIEW_NOTHING };
    return v->kind->clicked(l, state, zone->zone, zone->value);
}

struct view_answer view_pointed(struct looker *l, const struct view *v, void *state, const struct shape *zone, float x)
{
    struct view_answer a = { .wish = VIEW_NOTHING };
    float part = zone->w > 0 ? (x - zone->x) / zone->w : 0;
    if (v->kind->pointed)
        a = v->kind->pointed(l, state, zone->zone, zone->value, part < 0 ? 0 : part > 1 ? 1 : part);
    return a.wish == VIEW_NOTHING ? view_clicked(l, v, state, zone) : a;
}

void view_draw_plain(struct looker *l, const struct view *v, void *state, struct canvas *c)
{
    v->kind->draw(l, state, c);
}

/* Where the machine stands, from the right. */
static void standing(const struct looker *l, const struct canvas *c, char text[128])
{
    const struct machine *m = l->d->m;
    const struct cpu *cpu = &m->d.cpu[l->d->cpu];
    struct stop_scope s = stops_scope_of(cpu);
    char insns[32], guest[24] = "";
    (void)c;
    if (cpu_guest(cpu) != NO_GUEST)
        snprintf(guest, sizeof(guest), " VMID %d", s.vmid);
    snprintf(text, 128, "cpu%u EL%u%s%s · after %s instructions", l->d->cpu, cpu->ps.el, s.secure ? " Secure" : "",
             guest, view_number(machine_insns(m), insns));
}

enum { HEADER = 40 };

void view_draw(struct looker *l, const struct view *v, void *state, struct canvas *c)
{
    float width = canvas_text(c, VIEW_EDGE, 7, FONT_TITLE, INK_TEXT, "%s", v->title);
    char text[128];
    standing(l, c, text);
    float needs = (float)font_letters(text) * font_advance(FONT_BODY), room = c->width - width - 3 * VIEW_EDGE;
    needs = needs < room ? needs : room;
    canvas_fit(c, c->width - VIEW_EDGE - needs, 12, needs, FONT_BODY, INK_DIM, "%s", text);
    canvas_line(c, VIEW_EDGE, HEADER - 4, c->width - VIEW_EDGE, HEADER - 4, INK_LINE);
    unsigned first = c->count;
    c->height -= HEADER;
    c->mouse_y -= HEADER;
    v->kind->draw(l, state, c);
    c->height += HEADER;
    c->mouse_y += HEADER;
    for (unsigned n = first; n < c->count; n++)
        c->shape[n].y += HEADER;
}

/* ---- a picture ---- */

static void picture_draw(struct looker *l, const struct view *v, const struct view_picture *p, void *state,
                         struct canvas *c)
{
    canvas_begin(c, p->width > 0 ? p->width : 1280, p->height > 0 ? p->height : 720);
    view_draw(l, v, state, c);
    if (!(p->height > 0))
        c->height = canvas_bottom(c) + VIEW_EDGE;
}

bool view_picture(struct looker *l, const struct view_picture *p, struct text *out, char error[256])
{
    const struct view *v = view_find(p->view, error);
    if (!v)
        return false;
    struct canvas c = { 0 };
    void *state = calloc(1, v->kind->state_size ? v->kind->state_size : 1);
    bool ok = state && view_set(l, v, state, p->words ? p->words : "", error);
    if (ok) {
        picture_draw(l, v, p, state, &c);
        if (p->list)
            canvas_list(&c, out);
        else
            canvas_svg(&c, p->theme, v->title, v->help, out);
    }
    if (!state || c.failed || out->failed) {
        snprintf(error, 256, "no memory for a picture of %s", v->name);
        ok = false;
    }
    canvas_free(&c);
    free(state);
    return ok;
}
