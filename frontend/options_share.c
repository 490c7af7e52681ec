/* The options of shares: -fsdev, -virtfs. */
#include "frontend/property.h"

#include <stdio.h>
#include <stdlib.h>

static void share_model(void *target, const char *option, const struct suboption *s)
{
    static const struct {
        const char *name;
        enum share_model model;
    } rows[] = { { "passthrough", SHARE_PASSTHROUGH },
                 { "none", SHARE_NONE },
                 { "mapped", SHARE_MAPPED_XATTR },
                 { "mapped-xattr", SHARE_MAPPED_XATTR },
                 { "mapped-file", SHARE_MAPPED_FILE } };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (!strcmp(rows[n].name, s->value)) {
            ((struct share_option_given *)target)->config.model = rows[n].model;
            return;
        }
    die("%s: invalid security_model property '%s' (mapped-xattr, mapped-file, none or passthrough)", option, s->value);
}

static void share_devices(void *target, const char *option, const struct suboption *s)
{
    struct share_config *c = &((struct share_option_given *)target)->config;
    if (!word_among("remap forbid warn", s->value))
        die("%s: invalid multidevs property '%s' (remap, forbid or warn)", option, s->value);
    c->devices = !strcmp(s->value, "forbid") ? SHARE_FORBID : !strcmp(s->value, "warn") ? SHARE_WARN : SHARE_REMAP;
}

/* In base 8. */
static void share_mode(void *target, const char *option, const struct suboption *s)
{
    struct share_config *c = &((struct share_option_given *)target)->config;
    char *end;
    unsigned long mode = strtoul(s->value, &end, 8);
    if (!s->value[0] || *end || mode > 0777)
        die("%s: %s=%s: expected a mode, 0 to 0777", option, s->key, s->value);
    *(s->key[0] == 'f' ? &c->fmode : &c->dmode) = (u32)mode;
}

enum { MARK_PATH = 1, MARK_MODEL = 2, MARK_MODE = 4 };
struct virtfs {
    struct share_option_given share; /* first: rows fill its fields */
    char mount_tag[33];
};
#define FSDEV_ROWS                                                                                                     \
    PROPERTY("path", PROPERTY_TEXT, struct share_option_given, config.path, .mark = MARK_PATH),                        \
        PROPERTY("id", PROPERTY_TEXT, struct share_option_given, id),                                                  \
        PROPERTY("readonly", PROPERTY_ON, struct share_option_given, config.readonly),                                 \
        PROPERTY_BY("security_model", share_model, .mark = MARK_MODEL), PROPERTY_BY("multidevs", share_devices),       \
        PROPERTY_BY("fmode", share_mode, .mark = MARK_MODE), PROPERTY_BY("dmode", share_mode, .mark = MARK_MODE),      \
        PROPERTY_ACCEPTED("writeout", "immediate"), PROPERTY_ACCEPTED("throttling.*", ""),                             \
        PROPERTY_ACCEPTED("fsdriver", "local")
static const struct property fsdev_rows[] = { FSDEV_ROWS };
PROPERTY_LIST(fsdev)
static const struct property virtfs_rows[] = { FSDEV_ROWS,
                                               PROPERTY("mount_tag", PROPERTY_TEXT, struct virtfs, mount_tag) };
PROPERTY_LIST(virtfs)

/* Takes the word that comes first off the argument. */
static const char *driver_check(const char *option, const char *arg)
{
    size_t length = strcspn(arg, ",");
    const char *eq = memchr(arg, '=', length);
    const char *word = eq && !strncmp(arg, "fsdriver=", 9) ? eq + 1 : arg;
    size_t size = (size_t)(arg + length - word);
    if (size == 5 && !strncmp(word, "local", 5))
        return arg + length + (arg[length] != 0);
    if ((size == 5 && !strncmp(word, "synth", 5)) || (size == 5 && !strncmp(word, "proxy", 5)))
        die("%s %.5s: not supported (only local)", option, word);
    die("%s %.*s: fsdriver is missing or unknown (only local)", option, (int)(size < 64 ? size : 64), word);
}

/* Returns what it has become. */
static const struct share_option_given *share_add(struct options *o, const char *option,
                                                  const struct share_option_given *g, u32 given)
{
    if (!(given & MARK_PATH))
        die("%s: path= is missing", option);
    if (!(given & MARK_MODEL))
        die("%s: security_model= is missing (mapped-xattr, mapped-file, none or passthrough)", option);
    if (given & MARK_MODE && g->config.model < SHARE_MAPPED_XATTR)
        die("%s: fmode= and dmode= are for security_model=mapped-xattr and mapped-file", option);
    for (unsigned n = 0; n < o->share_count; n++)
        if (!strcmp(o->share[n].id, g->id))
            die("%s: Duplicate ID '%s' for fsdev", option, g->id);
    if (o->share_count == MAX_SHARES)
        die("%s: more than %d", option, MAX_SHARES);
    o->share[o->share_count] = *g;
    return &o->share[o->share_count++];
}

static const struct share_config defaults = { .fmode = 0600, .dmode = 0700 };

void opt_fsdev(struct options *o, const char *name, const char *arg)
{
    struct share_option_given g = { .config = defaults };
    (void)name;
    arg = driver_check("-fsdev", arg);
    u32 given = properties_read(fsdev_rows, ARRAY_LEN(fsdev_rows), "-fsdev local", arg, NULL, &g);
    if (!g.id[0])
        die("-fsdev local: id= is missing");
    share_add(o, "-fsdev local", &g, given);
}

/* The folder and a virtio-9p-pci for it. */
void opt_virtfs(struct options *o, const char *name, const char *arg)
{
    struct virtfs v = { .share.config = defaults };
    (void)name;
    arg = driver_check("-virtfs", arg);
    u32 given = properties_read(virtfs_rows, ARRAY_LEN(virtfs_rows), "-virtfs local", arg, NULL, &v);
    if (!v.mount_tag[0])
        die("-virtfs local: mount_tag= is missing");
    if (!v.share.id[0])
        snprintf(v.share.id, sizeof(v.share.id), "%s", v.mount_tag);
    device_of_share(o, share_add(o, "-virtfs local", &v.share, given)->id, v.mount_tag);
}

void device_share_check(const char *option, const struct device_config *d)
{
    if (!d->mount_tag[0])
        die("%s: mount_tag= is missing", option);
    if (!d->fsdev[0])
        die("%s: fsdev= is missing", option);
}
