/*
 * Monitor commands that move the machine along its run: elstep, next-exit, next-entry. Without a run that is kept (no
 * -gdb) there is no way back, and forth the machine goes on by itself until it is there.
 */
#include "debug/monitor/monitor.h"

#include "debug/travel.h"

/* On its own: the stop is said when it is hit, and goes. */
static void go_on(struct monitor_line *l, enum travel_way way, struct stop_point point)
{
    struct stop_point *p = stops_new(&l->d->stops);
    if (way == TRAVEL_BACK) {
        text_add(l->out, "that needs -gdb, under which the run is kept\n");
        return;
    }
    if (!p) {
        text_add(l->out, "no room: %d stops are set\n", MAX_STOPS);
        return;
    }
    point.used = point.once = true;
    point.number = p->number;
    *p = point;
    stops_changed(&l->d->stops);
    l->d->wish = WISH_GO;
}

static void travel(struct monitor_line *l, const char *name, struct stop_point point)
{
    enum travel_way way = monitor_flag(l, "back") ? TRAVEL_BACK : TRAVEL_FORTH;
    char error[256];
    point.scope.vmid = (s32)monitor_option(l, "vmid", ANY);
    point.scope.cpu = (s32)monitor_option(l, "cpu", point.scope.cpu);
    unsigned words = point.what == ON_EXIT ? 1 : 0;
    if (l->count > words || (l->count && !travel_class(l->word[0], &point.value))) {
        monitor_usage(l, name);
        return;
    }
    if (!l->d->reverse) {
        go_on(l, way, point);
        return;
    }
    bool found = travel_to(l->d, way, point, error);
    l->changed = true;
    l->d->wish = WISH_STAND;
    if (found)
        travel_words(l->d, l->out);
    else
        text_add(l->out, "%s\n", error);
    if (!found)
        travel_place(l->d, l->d->cpu, l->out);
}

static const struct stop_scope anywhere = { ANY, ANY, ANY, ANY, ANY };

void cmd_elstep(struct monitor_line *l)
{
    struct stop_point p = { .what = ON_EL, .value = ANY, .scope = anywhere };
    p.scope.cpu = (s32)l->d->cpu;
    travel(l, "elstep", p);
}

void cmd_next_exit(struct monitor_line *l)
{
    travel(l, "next-exit", (struct stop_point){ .what = ON_EXIT, .value = ANY, .scope = anywhere });
}

void cmd_next_entry(struct monitor_line *l)
{
    travel(l, "next-entry", (struct stop_point){ .what = ON_ENTRY, .value = ANY, .scope = anywhere });
}
