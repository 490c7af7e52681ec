/*
 * Options from elsewhere than their place: -readconfig takes a file of QEMU's format, whose sections are options, -set
 * adds a property to an option that stands before it. Both become the text of the option, so that its own table of
 * properties reads them.
 *
 *     # a comment
 *     [device "net0"]
 *       driver = "virtio-net-pci"       is -device virtio-net-pci,netdev=n,id=net0
 *       netdev = "n"
 */
#include "frontend/frontend.h"
#include "frontend/property.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* Sections: the option that each is. The value of `head` comes first in it, without its name. */
static const struct section_row {
    const char *group, *option, *head;
} sections[] = {
    { "accel", "accel", "accel" },
    { "action", "action", NULL },
    { "boot-opts", "boot", NULL },
    { "chardev", "chardev", "backend" },
    { "device", "device", "driver" },
    { "drive", "drive", NULL },
    { "fsdev", "fsdev", "fsdriver" },
    { "fw_cfg", "fw_cfg", NULL },
    { "global", "global", NULL },
    { "icount", "icount", NULL },
    { "machine", "machine", "type" },
    { "memory", "m", "size" },
    { "mon", "mon", NULL },
    { "msg", "msg", NULL },
    { "name", "name", NULL },
    { "net", "net", "type" },
    { "netdev", "netdev", "type" },
    { "nic", "nic", "type" },
    { "numa", "numa", "type" },
    { "object", "object", "qom-type" },
    { "overcommit", "overcommit", NULL },
    { "rtc", "rtc", NULL },
    { "sandbox", "sandbox", NULL },
    { "semihosting-config", "semihosting-config", NULL },
    { "smbios", "smbios", NULL },
    { "smp-opts", "smp", NULL },
    { "virtfs", "virtfs", "fsdriver" },
};

struct section {
    const struct section_row *row; /* NULL: before the first */
    char id[64], head[256], text[OPTION_TEXT];
    char driver[64], property[64], value[256]; /* of global */
};

struct config {
    struct options *o;
    const char *file;
    unsigned line;
    struct section now;
    char text[OPTION_TEXT + 512]; /* of the option that a section is */
};

static _Noreturn void wrong(const struct config *c, const char *what)
{
    die("-readconfig %s:%u: %s", c->file, c->line, what);
}

static void put(const struct config *c, char *to, size_t room, const char *words)
{
    size_t used = strlen(to), length = strlen(words);
    if (used + length >= room)
        wrong(c, "a section is too long");
    memcpy(to + used, words, length + 1);
}

/* A comma in a value is written twice. */
static void put_value(const struct config *c, char *to, size_t room, const char *value)
{
    for (char one[3] = ""; (one[0] = *value); value++) {
        one[1] = one[0] == ',' ? ',' : 0;
        put(c, to, room, one);
    }
}

static void put_pair(const struct config *c, char *to, size_t room, const char *key, const char *value)
{
    put(c, to, room, to[0] ? "," : "");
    put(c, to, room, key);
    put(c, to, room, "=");
    put_value(c, to, room, value);
}

/* The section is whole: it is an option. */
static void section_end(struct config *c)
{
    struct section *s = &c->now;
    char *text = c->text;
    const size_t room = sizeof(c->text);
    if (!s->row)
        return;
    text[0] = 0;
    put_value(c, text, room, s->head);
    if (s->driver[0] || s->property[0]) {
        if (!s->driver[0] || !s->property[0] || s->text[0])
            wrong(c, "expected driver, property and value in [global]");
        snprintf(text, room, "%s.%s=", s->driver, s->property);
        put_value(c, text, room, s->value);
    }
    put(c, text, room, text[0] && s->text[0] ? "," : "");
    put(c, text, room, s->text);
    if (s->id[0])
        put_pair(c, text, room, "id", s->id);
    option_given(c->o, s->row->option, text);
}

static void section_begin(struct config *c, const char *group, const char *id)
{
    section_end(c);
    c->now = (struct section){ .row = NULL };
    for (unsigned n = 0; n < ARRAY_LEN(sections); n++)
        if (!strcmp(sections[n].group, group))
            c->now.row = &sections[n];
    if (!c->now.row)
        die("-readconfig %s:%u: there is no option group '%s'", c->file, c->line, group);
    put(c, c->now.id, sizeof(c->now.id), id);
}

static void pair(struct config *c, const char *key, const char *value)
{
    struct section *s = &c->now;
    if (!s->row)
        wrong(c, "no group defined");
    bool global = !strcmp(s->row->group, "global");
    if (s->row->head && !strcmp(key, s->row->head) && !s->head[0])
        put(c, s->head, sizeof(s->head), value);
    else if (global && !strcmp(key, "driver"))
        put(c, s->driver, sizeof(s->driver), value);
    else if (global && !strcmp(key, "property"))
        put(c, s->property, sizeof(s->property), value);
    else if (global && !strcmp(key, "value"))
        put(c, s->value, sizeof(s->value), value);
    else
        put_pair(c, s->text, sizeof(s->text), key, value);
}

/* One of: [group "id"], [group], key = "value", a comment, nothing. */
static void line_read(struct config *c, const char *line)
{
    char key[64], value[1024];
    int end = -1;
    line += strspn(line, " \t");
    if (!line[0] || line[0] == '#')
        return;
    if (sscanf(line, "[%63[^] \t\"] \"%1023[^\"]\" ] %n", key, value, &end) == 2 && end >= 0 && !line[end])
        section_begin(c, key, value);
    else if (sscanf(line, "[%63[^] \t\"] ] %n", key, &end) == 1 && end >= 0 && !line[end])
        section_begin(c, key, "");
    else if (sscanf(line, "%63[a-zA-Z0-9_.-] = \"%1023[^\"]\" %n", key, value, &end) == 2 && end >= 0 && !line[end])
        pair(c, key, value);
    else if (sscanf(line, "%63[a-zA-Z0-9_.-] = \"\" %n", key, &end) == 1 && end >= 0 && !line[end])
        pair(c, key, "");
    else
        wrong(c, "parse error: expected [GROUP \"ID\"] or KEY = \"VALUE\"");
}

void opt_readconfig(struct options *o, const char *name, const char *arg)
{
    struct config *c = calloc(1, sizeof(*c));
    char line[2048];
    FILE *f = fopen(arg, "r");
    (void)name;
    if (!c || !f)
        die("-readconfig %s: Could not open '%s': %s", arg, arg, c ? strerror(errno) : "out of memory");
    c->o = o;
    c->file = arg;
    while (fgets(line, sizeof(line), f)) {
        c->line++;
        size_t length = strlen(line);
        if (length + 1 == sizeof(line))
            wrong(c, "the line is too long");
        while (length && isspace((unsigned char)line[length - 1]))
            line[--length] = 0;
        line_read(c, line);
    }
    if (ferror(f))
        die("-readconfig %s: %s", arg, strerror(errno));
    section_end(c);
    fclose(f);
    free(c);
}

/* ---- -set ---- */

/* Is it that option, as people write it? */
static bool argument_is(const char *argument, const char *name)
{
    return argument[0] == '-' && !strcmp(argument + (argument[1] == '-' ? 2 : 1), name);
}

static bool has_id(const char *text, const char *id)
{
    struct suboption s;
    for (const char *first = "first"; suboption_next(&text, first, &s); first = NULL)
        if (!strcmp(s.key, "id") && !strcmp(s.value, id))
            return true;
    return false;
}

static char *with_property(const char *text, const char *key, const char *value)
{
    size_t room = strlen(text) + strlen(key) + 2 * strlen(value) + 3;
    char *longer = malloc(room), *at;
    if (!longer)
        die("out of memory");
    at = longer + sprintf(longer, "%s,%s=", text, key);
    for (; *value; value++) {
        *at++ = *value;
        if (*value == ',')
            *at++ = ',';
    }
    *at = 0;
    return longer;
}

static void set_apply(char **argv, int at, const char *text)
{
    char group[64], id[64], key[64];
    int value = 0;
    if (sscanf(text, "%63[^.=].%63[^.=].%63[^=]=%n", group, id, key, &value) != 3 || !value)
        die("-set %s: invalid argument: expected GROUP.ID.PROPERTY=VALUE", text);
    for (int n = at - 1; n > 1; n--)
        if (argument_is(argv[n - 1], group) && has_id(argv[n], id)) {
            argv[n] = with_property(argv[n], key, text + value);
            return;
        }
    die("-set %s: there is no %s \"%s\" defined before it", text, group, id);
}

void options_set_apply(int argc, char **argv)
{
    for (int n = 1; n < argc; n++)
        if (argument_is(argv[n], "set") && n + 1 < argc)
            set_apply(argv, n, argv[n + 1]);
        else if (!strncmp(argv[n], "-set=", 5) || !strncmp(argv[n], "--set=", 6))
            set_apply(argv, n, strchr(argv[n], '=') + 1);
}
