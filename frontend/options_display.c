/* The options of displays: -display, -vnc. */
#include "frontend/property.h"

#include "lib/nearest.h"

#include <stdio.h>
#include <stdlib.h>

enum { VNC_PORT = 5900, VNC_MOST = 65535 - VNC_PORT };

struct vnc_words {
    char where[OPTION_TEXT];
    s32 to;
};
static const struct property vnc_rows[] = {
    PROPERTY("where", PROPERTY_TEXT, struct vnc_words, where),
    PROPERTY("to", PROPERTY_NUMBER, struct vnc_words, to),
    PROPERTY_ACCEPTED("password", "off no false"),
    PROPERTY_ACCEPTED("share", "allow-exclusive force-shared ignore"),
    PROPERTY_ACCEPTED("lossy", ""),
    PROPERTY_ACCEPTED("non-adaptive", ""),
    PROPERTY_ACCEPTED("key-delay-ms", ""),
    PROPERTY_ACCEPTED("lock-key-sync", ""),
    PROPERTY_ACCEPTED("power-control", "off"),
    PROPERTY_ACCEPTED("reverse", "off"),
};

/* [HOST]:N. A host with colons is in brackets. */
static void where_read(struct vnc_config *c, const char *option, const char *where, s32 to)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;
    char *end;
    if (!strncmp(where, "unix:", 5)) {
        size_t bytes = strlen(where + 5);
        if (!bytes || bytes >= sizeof(c->path))
            die("%s unix:PATH: a path of 1 to %zu bytes", option, sizeof(c->path) - 1);
        memcpy(c->path, where + 5, bytes + 1);
        return;
    }
    long n = colon && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : -1;
    if (n < 0 || *end || n > VNC_MOST)
        die("%s %s: expected [HOST]:N, N from 0 to %d, unix:PATH or none", option, where, VNC_MOST);
    if (where[0] == '[' && length > 2 && where[length - 1] == ']') {
        where++;
        length -= 2;
    }
    if (length >= sizeof(c->host))
        die("%s: the host's name is too long", option);
    snprintf(c->host, sizeof(c->host), "%.*s", (int)length, where);
    if (!length)
        snprintf(c->host, sizeof(c->host), "127.0.0.1");
    if (to && (to < n || to > VNC_MOST))
        die("%s: to=%d: expected %ld to %d", option, to, n, VNC_MOST);
    c->first = VNC_PORT + (u32)n;
    c->last = to ? VNC_PORT + (u32)to : c->first;
}

static void vnc_read(struct options *o, const char *option, const char *arg)
{
    static struct vnc_words words;
    words = (struct vnc_words){ .to = 0 };
    o->vnc = (struct vnc_config){ .there = false };
    properties_read(vnc_rows, ARRAY_LEN(vnc_rows), option, arg, "where", &words);
    if (!strcmp(words.where, "none"))
        return;
    where_read(&o->vnc, option, words.where, words.to);
    o->vnc.there = true;
}

void opt_vnc(struct options *o, const char *name, const char *arg)
{
    (void)name;
    vnc_read(o, "-vnc", arg);
}

/* ---- -display ---- */

enum { MUST = 1, MAY = 0 };
static const struct {
    const char *name, *help;
    u8 shows;
    bool must;
} kinds[] = {
#define DISPLAY(name_, shows_, must_, help_) { name_, help_, DISPLAY_##shows_, must_ },
#include "frontend/display/display.def"
};
static const struct {
    const char *name, *instead;
} refused[] = {
#define DISPLAY_REFUSED(name_, instead_) { name_, instead_ },
#include "frontend/display/display.def"
};

static void kinds_list(struct options *o)
{
    puts("Available display backend types:");
    for (unsigned n = 0; n < ARRAY_LEN(kinds); n++)
        if (kinds[n].help)
            help_words(printf("%s", kinds[n].name), 12, kinds[n].help);
    o->list_done = true;
}

static void kind_set(struct display_config *c)
{
    struct nearest like = { 0 };
    char words[96];
    for (unsigned n = 0; n < ARRAY_LEN(kinds); n++)
        if (!strcmp(kinds[n].name, c->name)) {
            c->shows = kinds[n].shows;
            c->must = kinds[n].must;
            return;
        }
    for (unsigned n = 0; n < ARRAY_LEN(refused); n++)
        if (!strcmp(refused[n].name, c->name))
            die("-display %s: elmu has no %s", c->name, refused[n].instead);
    for (unsigned n = 0; n < ARRAY_LEN(kinds); n++)
        nearest_try(&like, c->name, strlen(c->name), kinds[n].name);
    die("-display %s: there is no such display%s (-display help lists them)", c->name, nearest_words(&like, words));
}

static void display_gl(void *target, const char *option, const struct suboption *s)
{
    if (!word_among("on off core es", s->value))
        die("%s gl=%s: expected on or off", option, s->value);
    ((struct display_config *)target)->fast = strcmp(s->value, "off");
}

void opt_display(struct options *o, const char *name, const char *arg)
{
    static const struct property rows[] = {
        PROPERTY("type", PROPERTY_TEXT, struct display_config, name),
        PROPERTY("full-screen", PROPERTY_ON, struct display_config, full_screen),
        PROPERTY("show-cursor", PROPERTY_ON, struct display_config, show_cursor),
        PROPERTY("window-close", PROPERTY_OFF, struct display_config, no_close),
        PROPERTY("font", PROPERTY_TEXT, struct display_config, font),
        PROPERTY_BY("gl", display_gl),
        PROPERTY_ACCEPTED("grab-on-hover", "on off"),
        PROPERTY_ACCEPTED("zoom-to-fit", "on off"),
        PROPERTY_ACCEPTED("show-tabs", "on off"),
        PROPERTY_ACCEPTED("show-menubar", "on off"),
        PROPERTY_ACCEPTED("alt_grab", "on off"),
        PROPERTY_ACCEPTED("ctrl_grab", "on off"),
        PROPERTY_ACCEPTED("grab-mod", "lshift-lctrl-lalt rctrl"),
        PROPERTY_ACCEPTED("charset", ""),
    };
    struct display_config c = { .full_screen = o->display.full_screen };
    (void)name;
    if (!strncmp(arg, "vnc=", 4)) {
        vnc_read(o, "-display vnc", arg + 4);
        return;
    }
    if (option_is_query(arg)) {
        kinds_list(o);
        return;
    }
    properties_read(rows, ARRAY_LEN(rows), "-display", arg, "type", &c);
    kind_set(&c);
    o->display = c;
}

void opt_full_screen(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->display.full_screen = true;
}
