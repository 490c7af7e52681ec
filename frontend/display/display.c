/* Which display there is, and who is served when: display.h. */
#include "frontend/display/display.h"

#include "frontend/frontend.h"

#include <stdlib.h>

enum { SHOWN = 4 };

struct display {
    struct frontend *f;
    struct machine *m;
    const struct options *o;
    struct shown {
        const struct display_ops *ops;
        void *ctx;
        u64 at; /* host ns */
    } shown[SHOWN];
    unsigned count;
    bool typed;
};

/* ---- which ---- */

/* Would people who sit before a screen want to see this machine's? */
static bool asked_by_machine(const struct options *o)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    bool here = (x && x[0]) || (wayland && wayland[0]);
    return here && !o->vnc.there && (o->machine.ramfb || o->machine.gpu[0].outputs);
}

void display_complete(struct options *o)
{
    struct display_config *c = &o->display;
    if (o->nographic || o->dumpdtb[0])
        c->shows = DISPLAY_NOTHING;
    else if (!c->name[0] && !o->daemonize && asked_by_machine(o))
        c->shows = DISPLAY_GUEST;
    if (!c->shows)
        return;
    const char *why = window_can(c);
    if (why && c->must)
        die("-display %s: %s", c->name, why);
    if (why && c->name[0])
        fprintf(stderr, "elmu: -display %s: there is no window: %s\n", c->name, why);
    if (why)
        c->shows = DISPLAY_NOTHING;
}

/* ---- who is served when ---- */

struct display *display_open(struct frontend *f, struct machine *m, const struct options *o)
{
    char error[256];
    if (!o->display.shows && !o->vnc.there)
        return NULL;
    struct display *d = calloc(1, sizeof(*d));
    if (!d)
        die("out of memory");
    *d = (struct display){ .f = f, .m = m, .o = o };
    if (o->vnc.there)
        vnc_add(d);
    if (o->display.shows && !window_add(d, error))
        die("-display %s: %s", o->display.name, error);
    return d;
}

void display_close(struct display *d)
{
    if (!d)
        return;
    for (unsigned n = 0; n < d->count; n++)
        d->shown[n].ops->close(d->shown[n].ctx);
    free(d);
}

void display_add(struct display *d, const struct display_ops *ops, void *ctx)
{
    if (d->count < SHOWN)
        d->shown[d->count++] = (struct shown){ ops, ctx, 0 };
}

bool display_look(struct display *d, bool idle)
{
    if (!d)
        return false;
    u64 now = host_ns();
    for (unsigned n = 0; n < d->count; n++)
        if (d->shown[n].at <= now)
            d->shown[n].at = d->shown[n].ops->look(d->shown[n].ctx, idle);
    bool typed = d->typed;
    d->typed = false;
    return typed;
}

u64 display_look_at(const struct display *d)
{
    u64 at = NEVER;
    for (unsigned n = 0; d && n < d->count; n++)
        at = d->shown[n].at < at ? d->shown[n].at : at;
    return at;
}

bool display_listens(const struct display *d)
{
    for (unsigned n = 0; d && n < d->count; n++)
        if (d->shown[n].ops->listens)
            return true;
    return false;
}

bool display_due(const struct display *d)
{
    for (unsigned n = 0; d && n < d->count; n++)
        if (d->shown[n].ops->due && d->shown[n].ops->due(d->shown[n].ctx))
            return true;
    return false;
}

void display_stand(struct display *d)
{
    for (unsigned n = 0; d && n < d->count; n++)
        if (d->shown[n].ops->stand)
            d->shown[n].ops->stand(d->shown[n].ctx);
}

struct frontend *display_frontend(const struct display *d) { return d->f; }
struct machine *display_machine(const struct display *d) { return d->m; }
const struct options *display_options(const struct display *d) { return d->o; }
void display_typed(struct display *d) { d->typed = true; }

void display_quit(struct display *d)
{
    d->f->console.ends.quit = true;
    machine_end(d->m, END_REQUEST, 0, "");
}
