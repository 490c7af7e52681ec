/*
 * The options of consoles and monitors: -serial, -chardev, -monitor, -mon, and what is typed there: -after, -send,
 * -until. Each -serial and -monitor that names no -chardev makes one of its own, named as QEMU names it: serial0,
 * compat_monitor0.
 */
#include "frontend/chardev.h"
#include "frontend/input.h"
#include "frontend/property.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- -chardev ---- */

/* What all socket-like ones may say. */
#define SOCKET_ROWS(type, field)                                                                                       \
    PROPERTY("server", PROPERTY_ON, type, field server), PROPERTY("wait", PROPERTY_OFF, type, field nowait),           \
        PROPERTY("nowait", PROPERTY_ON, type, field nowait), PROPERTY("nodelay", PROPERTY_OFF, type, field delay),     \
        PROPERTY("delay", PROPERTY_ON, type, field delay), PROPERTY("telnet", PROPERTY_ON, type, field telnet),        \
        PROPERTY("ipv4", PROPERTY_ON, type, field ipv4), PROPERTY("ipv6", PROPERTY_ON, type, field ipv6),              \
        PROPERTY("reconnect", PROPERTY_NUMBER, type, field reconnect), PROPERTY_BY("websocket", no_websocket),         \
        PROPERTY("mux", PROPERTY_ON, type, field mux), PROPERTY("logfile", PROPERTY_TEXT, type, field logfile),        \
        PROPERTY("logappend", PROPERTY_ON, type, field logappend)

static void no_websocket(void *target, const char *option, const struct suboption *s)
{
    (void)target;
    if (suboption_bool(option, s))
        die("%s: websocket is not supported (tcp, telnet and unix are)", option);
}

struct chardev_words {
    struct char_config c;
    char word[512];
};
static const struct property chardev_rows[] = {
    PROPERTY("backend", PROPERTY_TEXT, struct chardev_words, word),
    PROPERTY("id", PROPERTY_TEXT, struct chardev_words, c.id),
    PROPERTY("path", PROPERTY_TEXT, struct chardev_words, c.path),
    PROPERTY("host", PROPERTY_TEXT, struct chardev_words, c.host),
    PROPERTY("port", PROPERTY_TEXT, struct chardev_words, c.port),
    PROPERTY("localaddr", PROPERTY_TEXT, struct chardev_words, c.localaddr),
    PROPERTY("localport", PROPERTY_TEXT, struct chardev_words, c.localport),
    PROPERTY("signal", PROPERTY_OFF, struct chardev_words, c.no_signals),
    PROPERTY("append", PROPERTY_ON, struct chardev_words, c.append),
    PROPERTY("size", PROPERTY_NUMBER, struct chardev_words, c.size),
    PROPERTY_ACCEPTED("width", ""),
    PROPERTY_ACCEPTED("height", ""),
    PROPERTY_ACCEPTED("cols", ""),
    PROPERTY_ACCEPTED("rows", ""),
    SOCKET_ROWS(struct chardev_words, c.),
};
PROPERTY_LIST(chardev)

static struct char_config *chardev_of(struct options *o, const char *id)
{
    for (unsigned n = 0; n < o->chardev_count; n++)
        if (!strcmp(o->chardev[n].id, id))
            return &o->chardev[n];
    return NULL;
}

/* What a kind needs must be there, and what is there must go together. */
static void chardev_check(const struct char_config *c, const char *option)
{
    const char *needs = c->kind->needs;
    if (needs && !strcmp(needs, "path") && !c->path[0])
        die("%s: chardev: %s: no filename given: path= is missing", option, c->kind->name);
    if (needs && !strcmp(needs, "port") && !c->port[0] && !(c->path[0] && !strcmp(c->kind->name, "socket")))
        die("%s: chardev: %s: no port given: port= is missing", option, c->kind->name);
    if (c->reconnect && c->server)
        die("%s: 'reconnect' option is incompatible with socket in server listen mode", option);
    if (c->telnet && !c->port[0])
        die("%s: telnet needs a TCP port", option);
    if (c->size & (c->size - 1) || c->size > 1 << 30)
        die("%s: size of ringbuf chardev must be power of two (at most 1 GiB)", option);
}

/* One more, which must not have the name of another. */
static void chardev_add(struct options *o, const char *option, const struct char_config *c)
{
    if (o->chardev_count == MAX_CHARDEVS)
        die("%s: more than %d", option, MAX_CHARDEVS);
    if (chardev_of(o, c->id))
        die("%s: Duplicate ID '%s' for chardev", option, c->id);
    for (unsigned n = 0; n < o->chardev_count && !strcmp(c->kind->name, "stdio"); n++)
        if (o->chardev[n].kind == c->kind)
            die("%s: cannot use stdio by multiple character devices ('%s' has it)", option, o->chardev[n].id);
    chardev_check(c, option);
    struct char_config *new = &o->chardev[o->chardev_count++];
    *new = *c;
    new->size = new->size ? new->size : 65536;
}

static void kinds_list(void)
{
    puts("Available chardev backend types: ");
    for (unsigned n = 0; char_kind_get(n); n++)
        printf("  %s\n", char_kind_get(n)->name);
}

void opt_chardev(struct options *o, const char *name, const char *arg)
{
    struct chardev_words new = { .word = "" };
    (void)name;
    if (option_is_query(arg)) {
        kinds_list();
        o->list_done = true;
        return;
    }
    properties_read(chardev_rows, ARRAY_LEN(chardev_rows), "-chardev", arg, "backend", &new);
    new.c.kind = char_kind_find(new.word);
    if (!new.c.kind)
        die("-chardev %s: '%s' is not a valid char driver name: no such back end (-chardev '?' lists them)", arg,
            new.word);
    if (!new.c.id[0])
        die("-chardev %s: chardev: no id specified: id= is missing", new.word);
    chardev_add(o, "-chardev", &new.c);
}

/* ---- words: -serial, -monitor ---- */

typedef void char_word_fn(struct char_config *c, const char *option, const char *rest);

static void word_ignored(struct char_config *c, const char *option, const char *rest)
{
    (void)c, (void)option, (void)rest;
}

static void word_path(struct char_config *c, const char *option, const char *rest)
{
    text_set(c->path, sizeof(c->path), option, rest);
}

static void word_device(struct char_config *c, const char *option, const char *rest)
{
    char path[512];
    snprintf(path, sizeof(path), "/dev/%.500s", rest);
    text_set(c->path, sizeof(c->path), option, path);
}

/* HOST:PORT, [HOST]:PORT, :PORT */
static void host_port(const char *option, const char *text, char *host, size_t host_room, char *port, size_t port_room)
{
    const char *colon = strrchr(text, ':');
    if (!colon)
        die("%s: expected HOST:PORT, got '%s'", option, text);
    size_t size = (size_t)(colon - text);
    bool brackets = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    char copy[512];
    snprintf(copy, sizeof(copy), "%.*s", (int)(size - 2 * brackets), text + brackets);
    text_set(host, host_room, option, copy);
    text_set(port, port_room, option, colon + 1);
}

/* WHERE,server=on,... */
static void socket_read(struct char_config *c, const char *option, const char *rest)
{
    static const struct property rows[] = {
        PROPERTY("where", PROPERTY_TEXT, struct chardev_words, word),
        SOCKET_ROWS(struct chardev_words, c.),
    };
    struct chardev_words new = { .c = *c };
    properties_read(rows, ARRAY_LEN(rows), option, rest, "where", &new);
    text_set(new.c.path, sizeof(new.c.path), option, new.word);
    *c = new.c;
}

static void word_unix(struct char_config *c, const char *option, const char *rest)
{
    if (!strncmp(rest, "path=", 5))
        rest += 5;
    socket_read(c, option, rest);
}

static void word_tcp(struct char_config *c, const char *option, const char *rest)
{
    socket_read(c, option, rest);
    host_port(option, c->path, c->host, sizeof(c->host), c->port, sizeof(c->port));
    c->path[0] = 0;
}

static void word_telnet(struct char_config *c, const char *option, const char *rest)
{
    c->telnet = true;
    word_tcp(c, option, rest);
}

static void word_websocket(struct char_config *c, const char *option, const char *rest)
{
    (void)c;
    die("%s websocket:%s: websocket is not supported (tcp, telnet and unix are)", option, rest);
}

/* [HOST]:PORT[@[HOST]:PORT]: where to, and where from. */
static void word_udp(struct char_config *c, const char *option, const char *rest)
{
    const char *at = strchr(rest, '@');
    char remote[512];
    snprintf(remote, sizeof(remote), "%.*s", (int)(at ? at - rest : 511), rest);
    host_port(option, remote, c->host, sizeof(c->host), c->port, sizeof(c->port));
    if (at)
        host_port(option, at + 1, c->localaddr, sizeof(c->localaddr), c->localport, sizeof(c->localport));
}

static const struct {
    const char *word, *kind;
    char_word_fn *read;
} words[] = {
#define CHAR_WORD(word, kind, read) { word, kind, read },
#include "frontend/chardev.def"
};

/* The back end that `arg` names in the short way, in c. */
static void word_read(struct char_config *c, const char *option, const char *arg)
{
    char all[512] = "";
    for (unsigned n = 0; n < ARRAY_LEN(words); n++) {
        size_t size = strlen(words[n].word);
        strncat(all, words[n].word, sizeof(all) - strlen(all) - 1);
        strncat(all, " ", sizeof(all) - strlen(all) - 1);
        if (words[n].read ? strncmp(arg, words[n].word, size) : strcmp(arg, words[n].word))
            continue;
        c->kind = char_kind_find(words[n].kind);
        if (words[n].read)
            words[n].read(c, option, arg + size);
        return;
    }
    die("%s %s: '%s' is not a valid char driver: not supported (%schardev:ID none)", option, arg, arg, all);
}

/* The chardev that `arg` names (chardev:ID), or makes, as one of this name. */
static void end_find(struct options *o, const char *option, const char *arg, const char *name, bool mux, char id[64])
{
    struct char_config c = { .mux = mux, .no_signals = mux };
    if (!strncmp(arg, "chardev:", 8)) {
        text_set(id, 64, option, arg + 8);
        return;
    }
    word_read(&c, option, arg);
    text_set(c.id, sizeof(c.id), option, name);
    chardev_add(o, option, &c);
    strcpy(id, name);
}

static void mon_add(struct options *o, const char *option, const char *id)
{
    if (o->mon_count == MAX_MONITORS)
        die("%s: more than %d monitors", option, MAX_MONITORS);
    text_set(o->mon[o->mon_count].chardev, sizeof(o->mon[0].chardev), option, id);
    o->mon_count++;
    o->mon_given = true;
}

void opt_serial(struct options *o, const char *name, const char *arg)
{
    char id[32], option[16] = "-serial";
    (void)name;
    if (o->serial_count == MAX_SERIALS)
        die("%s: more than %d", option, MAX_SERIALS);
    snprintf(id, sizeof(id), "serial%u", o->serial_count);
    char *serial = o->serial[o->serial_count++];
    if (!strcmp(arg, "none"))
        return;
    bool mon = !strncmp(arg, "mon:", 4);
    end_find(o, option, arg + (mon ? 4 : 0), id, mon, serial);
    if (mon)
        mon_add(o, option, serial);
}

void opt_monitor(struct options *o, const char *name, const char *arg)
{
    char id[32], used[64];
    (void)name;
    o->mon_given = true;
    if (!strcmp(arg, "none"))
        return;
    snprintf(id, sizeof(id), "compat_monitor%u", o->mon_count);
    end_find(o, "-monitor", arg, id, false, used);
    mon_add(o, "-monitor", used);
}

/* For programs; the human one that is there when nothing is said is not. */
void opt_qmp(struct options *o, const char *name, const char *arg)
{
    char id[32], used[64], option[16];
    snprintf(option, sizeof(option), "-%s", name);
    o->mon_given = true;
    if (!strcmp(arg, "none"))
        return;
    snprintf(id, sizeof(id), "compat_monitor%u", o->mon_count);
    end_find(o, option, arg, id, false, used);
    mon_add(o, option, used);
    o->mon[o->mon_count - 1].control = true;
    o->mon[o->mon_count - 1].pretty = !strcmp(name, "qmp-pretty");
}

static const struct property mon_rows[] = {
    PROPERTY("chardev", PROPERTY_TEXT, struct mon_config, chardev),
    PROPERTY("mode", PROPERTY_TEXT, struct mon_config, mode),
    PROPERTY("pretty", PROPERTY_ON, struct mon_config, pretty),
};
PROPERTY_LIST(mon)

void opt_mon(struct options *o, const char *name, const char *arg)
{
    struct mon_config new = { .mode = "readline" };
    (void)name;
    properties_read(mon_rows, ARRAY_LEN(mon_rows), "-mon", arg, "chardev", &new);
    if (!new.chardev[0])
        die("-mon: Parameter 'chardev' is missing");
    if (!word_among("readline control", new.mode))
        die("-mon mode=%s: Parameter 'mode' does not accept value '%s' (there are: readline, control)", new.mode,
            new.mode);
    new.control = !strcmp(new.mode, "control");
    if (new.pretty && !new.control)
        die("-mon pretty=on: 'pretty' is not compatible with HMP monitors (mode=control)");
    mon_add(o, "-mon", new.chardev);
    o->mon[o->mon_count - 1].control = new.control;
    o->mon[o->mon_count - 1].pretty = new.pretty;
}

static bool stdio_taken(const struct options *o)
{
    for (unsigned n = 0; n < o->chardev_count; n++)
        if (!strcmp(o->chardev[n].kind->name, "stdio"))
            return true;
    return false;
}

static void vc_add(struct options *o, const char *option, const char *id)
{
    struct char_config c = { .kind = char_kind_find("vc") };
    text_set(c.id, sizeof(c.id), option, id);
    chardev_add(o, option, &c);
}

/* With a window that was asked for, monitor and serial port are tabs of it. */
static void vcs_add(struct options *o, bool mon)
{
    if (mon) {
        vc_add(o, "-monitor", "compat_monitor0");
        mon_add(o, "-monitor", "compat_monitor0");
    }
    if (!o->serial_count) {
        vc_add(o, "-serial", "serial0");
        strcpy(o->serial[o->serial_count++], "serial0");
    }
}

/* What nobody asked for, as QEMU makes it where there is no window: the first serial port on standard input and output,
 * and beside it (Ctrl-A c) the monitor. Where something else has these, or there are none, neither. */
void consoles_complete(struct options *o)
{
    bool mon = !o->mon_given && !o->nodefaults;
    for (unsigned n = 0; n < o->serial_count; n++)
        if (o->serial[n][0] && !chardev_of(o, o->serial[n]))
            die("-serial chardev:%s: no -chardev has id=%s", o->serial[n], o->serial[n]);
    for (unsigned n = 0; n < o->mon_count; n++)
        if (!chardev_of(o, o->mon[n].chardev))
            die("-mon: chardev \"%s\" not found", o->mon[n].chardev);
    bool nographic = o->nographic && !o->nodefaults; /* takes standard input and output */
    if (o->daemonize && (nographic || stdio_taken(o)))
        die(nographic ? "-nographic cannot be used with -daemonize" : "cannot use stdio with -daemonize");
    if (o->display.shows && o->display.name[0])
        vcs_add(o, mon);
    mon &= !o->mon_given;
    if (o->daemonize || stdio_taken(o))
        return;
    struct char_config c = { .kind = char_kind_find("stdio"), .no_signals = o->nographic };
    if (!o->serial_count) {
        c.mux = mon;
        strcpy(c.id, "serial0");
        strcpy(o->serial[o->serial_count++], c.id);
    } else if (mon && o->nographic) {
        strcpy(c.id, "compat_monitor0");
    } else {
        return;
    }
    chardev_add(o, "-serial", &c);
    if (mon)
        mon_add(o, "-nographic", c.id);
}

/* ---- what is waited for and typed ---- */

/* \n, \r, \t, \e, \\, \xHH */
static char *unescape(const char *text)
{
    char *out = text_copy(text), *to = out;
    for (const char *p = text; *p; p++) {
        if (*p != '\\' || !p[1]) {
            *to++ = *p;
            continue;
        }
        const char *names = "nrte\\", *values = "\n\r\t\033\\", *at = strchr(names, *++p);
        if (at)
            *to++ = values[at - names];
        else if (*p == 'x' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            char hex[3] = { p[1], p[2], 0 };
            *to++ = (char)strtoul(hex, NULL, 16);
            p += 2;
        } else {
            *to++ = '\\';
            *to++ = *p;
        }
    }
    *to = 0;
    return out;
}

void opt_until(struct options *o, const char *name, const char *arg)
{
    o->until = unescape(arg);
    if (!o->until[0])
        die("--%s: the text is empty", name);
}

void opt_after(struct options *o, const char *name, const char *arg)
{
    if (o->after)
        die("--%s: the one before has no --send", name);
    o->after = unescape(arg);
}

void opt_send(struct options *o, const char *name, const char *arg)
{
    if (o->send_count == MAX_SENDS)
        die("--%s: more than %d", name, MAX_SENDS);
    bool keys = !strcmp(name, "send-keys");
    o->send[o->send_count++] =
        (struct send){ o->after ? o->after : text_copy(""), keys ? text_copy(arg) : unescape(arg), keys };
    o->after = NULL;
}

/* A name that is none is said at once, not when its time has come. */
void opt_send_keys(struct options *o, const char *name, const char *arg)
{
    char error[128];
    const char *at = arg;
    struct keys k;
    bool quoted = false;
    while (keys_next(&at, &quoted, &k, error)) {}
    if (error[0])
        die("--%s: %s", name, error);
    opt_send(o, name, arg);
}
