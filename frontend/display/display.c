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

struct display *display_open(struct frontend *f, struct machine *m, const struct options *o)
{
    if (!o->vnc.there)
        return NULL;
    struct display *d = calloc(1, sizeof(*d));
    if (!d)
        die("out of memory");
    *d = (struct display){ .f = f, .m = m, .o = o };
    vnc_add(d);
    return d;
}

void display_close(struct display *d)
{
    for (unsigned n = 0; d && n < d->count; n++)
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
    u64 now = d ? host_ns() : 0;
    for (unsigned n = 0; d && n < d->count; n++)
        if (d->shown[n].at <= now)
            d->shown[n].at = d->shown[n].ops->look(d->shown[n].ctx, idle);
    bool typed = d && d->typed;
    if (d)
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

struct frontend *display_frontend(const struct display *d) { return d->f; }
struct machine *display_machine(const struct display *d) { return d->m; }
const struct options *display_options(const struct display *d) { return d->o; }
void display_typed(struct display *d) { d->typed = true; }
