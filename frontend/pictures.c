/*
 * -picture: views of the machine (view/view.h) as files, at an instruction of the run or at its end. The machine is
 * looked at by a debugger that is there from the start; nothing of the run depends on it.
 */
#include "frontend/property.h"
#include "frontend/frontend.h"

#include "view/view.h"

#include <stdio.h>

static const struct property rows[] = {
    PROPERTY("view", PROPERTY_TEXT, struct picture_option, view),
    PROPERTY("words", PROPERTY_TEXT, struct picture_option, words),
    PROPERTY("file", PROPERTY_TEXT, struct picture_option, file),
    PROPERTY("theme", PROPERTY_TEXT, struct picture_option, theme),
    PROPERTY("size", PROPERTY_TEXT, struct picture_option, size),
    PROPERTY_GIVEN("at", struct picture_option, at, at_given),
};

static struct view_picture picture_of(const char *name, const struct picture_option *o)
{
    struct view_picture p = { .view = o->view, .words = o->words, .theme = THEME_LIGHT };
    char error[256];
    if (!view_find(o->view, error) || (o->theme[0] && !view_picture_theme(&p, o->theme, error)) ||
        (o->size[0] && !view_picture_size(&p, o->size, error)))
        die("-%s: %s", name, error);
    return p;
}

void opt_picture(struct options *o, const char *name, const char *arg)
{
    if (option_is_query(arg)) {
        for (unsigned n = 0; view_get(n); n++)
            printf("%-12s %-40s %s\n", view_get(n)->name, view_get(n)->words, view_get(n)->help);
        o->list_done = true;
        return;
    }
    if (o->picture_count == MAX_PICTURES)
        die("-%s: more than %d", name, MAX_PICTURES);
    struct picture_option *p = &o->picture[o->picture_count++];
    properties_read(rows, ARRAY_LEN(rows), "-picture", arg, "view", p);
    if (!p->file[0])
        die("-%s %s: needs file=FILE.svg", name, p->view);
    picture_of(name, p);
}

static void picture_write(struct session *s, const struct picture_option *o)
{
    struct looker l = { .d = session_debugger(s) };
    char error[256];
    if (!view_picture_file(&l, picture_of("picture", o), o->file, error))
        die("-picture: %s", error);
}

bool pictures_want_timeline(const struct options *o)
{
    char error[256];
    for (unsigned n = 0; n < o->picture_count; n++)
        if (view_find(o->picture[n].view, error)->kind->timeline)
            return true;
    return false;
}

u64 pictures_due(const struct options *o, u64 from)
{
    u64 due = NEVER;
    for (unsigned n = 0; n < o->picture_count; n++)
        if (o->picture[n].at_given && o->picture[n].at >= from && o->picture[n].at < due)
            due = o->picture[n].at;
    return due;
}

void pictures_write(struct session *s, const struct options *o, u64 at)
{
    for (unsigned n = 0; n < o->picture_count; n++)
        if (o->picture[n].at_given && o->picture[n].at == at)
            picture_write(s, &o->picture[n]);
}

void pictures_end(struct session *s, const struct options *o, u64 at)
{
    for (unsigned n = 0; n < o->picture_count; n++)
        if (!o->picture[n].at_given)
            picture_write(s, &o->picture[n]);
        else if (o->picture[n].at > at)
            fprintf(stderr, "elmu: -picture: the run ended before instruction %llu\n",
                    (unsigned long long)o->picture[n].at);
}
