/* The options of consoles: -serial, -chardev, and what is typed there: -after, -send, -until. */
#include "frontend/property.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- -serial ---- */

static const struct char_config *chardev_find(const struct options *o, const char *id)
{
    for (unsigned n = 0; n < o->chardev_count; n++)
        if (!strcmp(o->chardev[n].id, id))
            return &o->chardev[n];
    die("no -chardev has id=%s", id);
}

static void serial_tcp(struct char_config *c, const char *where)
{
    const char *colon = strrchr(where, ':');
    if (!colon || strlen(colon + 1) >= sizeof(c->port))
        die("-serial: expected HOST:PORT, got '%s'", where);
    c->kind = CHAR_TCP;
    snprintf(c->path, sizeof(c->path), "%.*s", (int)(colon - where), where);
    text_set(c->port, sizeof(c->port), "-serial", colon + 1);
}

/* What both kinds of options say of a socket. */
struct socket {
    char where[512];
    bool server, nowait;
};
#define SOCKET_ROWS(type, field)                                                                                       \
    PROPERTY("server", PROPERTY_ON, type, field.server), PROPERTY("wait", PROPERTY_OFF, type, field.nowait),           \
        PROPERTY("nowait", PROPERTY_ON, type, field.nowait), PROPERTY_ACCEPTED("nodelay", ""),                         \
        PROPERTY_ACCEPTED("delay", "")
struct serial_socket {
    struct socket s;
};
static const struct property socket_rows[] = {
    PROPERTY("path", PROPERTY_TEXT, struct serial_socket, s.where),
    SOCKET_ROWS(struct serial_socket, s),
};

/* PATH,server or HOST:PORT,server. */
static void serial_socket(struct char_config *c, const char *arg)
{
    struct serial_socket new = { .s = { .server = false } };
    if (!strncmp(arg, "telnet:", 7))
        die("-serial %s: not supported (only unix:PATH,server and tcp:HOST:PORT,server)", arg);
    properties_read(socket_rows, ARRAY_LEN(socket_rows), "-serial", strchr(arg, ':') + 1, "path", &new);
    if (!new.s.server)
        die("-serial %s: not supported (only unix:PATH,server and tcp:HOST:PORT,server)", arg);
    c->nowait = new.s.nowait;
    if (!strncmp(arg, "tcp:", 4)) {
        serial_tcp(c, new.s.where);
        return;
    }
    c->kind = CHAR_UNIX;
    text_set(c->path, sizeof(c->path), "-serial", new.s.where);
}

void opt_serial(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (o->serial_count == MAX_SERIALS)
        die("-serial: the machine has %d serial ports", MAX_SERIALS);
    struct char_config *c = &o->serial[o->serial_count++];
    *c = (struct char_config){ .kind = CHAR_NULL };
    if (!strncmp(arg, "mon:", 4)) {
        c->mux = true;
        arg += 4;
    }
    if (!strcmp(arg, "stdio")) {
        c->kind = CHAR_STDIO;
    } else if (!strncmp(arg, "chardev:", 8)) {
        *c = *chardev_find(o, arg + 8);
    } else if (!strncmp(arg, "file:", 5)) {
        c->kind = CHAR_FILE;
        text_set(c->path, sizeof(c->path), "-serial", arg + 5);
    } else if (!strncmp(arg, "unix:", 5) || !strncmp(arg, "tcp:", 4) || !strncmp(arg, "telnet:", 7)) {
        serial_socket(c, arg);
    } else if (strcmp(arg, "null") && strcmp(arg, "none")) {
        die("-serial %s: not supported (stdio, mon:stdio, file:, null, none, unix:, tcp:, chardev:)", arg);
    }
}

/* ---- -chardev ---- */

struct chardev {
    struct char_config c;
    char backend[64], host[256];
    struct socket s;
};
static const struct property chardev_rows[] = {
    PROPERTY("backend", PROPERTY_TEXT, struct chardev, backend),
    PROPERTY("id", PROPERTY_TEXT, struct chardev, c.id),
    PROPERTY("path", PROPERTY_TEXT, struct chardev, c.path),
    PROPERTY("host", PROPERTY_TEXT, struct chardev, host),
    PROPERTY("port", PROPERTY_TEXT, struct chardev, c.port),
    PROPERTY("mux", PROPERTY_ON, struct chardev, c.mux),
    PROPERTY("signal", PROPERTY_OFF, struct chardev, c.mux),
    SOCKET_ROWS(struct chardev, s),
};

static const struct {
    const char *name;
    enum char_kind kind;
} backends[] = {
    { "file", CHAR_FILE },   { "null", CHAR_NULL },       { "socket", CHAR_UNIX }, /* with port=: CHAR_TCP */
    { "stdio", CHAR_STDIO }, { "testdev", CHAR_TESTDEV },
};

static void backends_list(void)
{
    puts("Available chardev backend types: ");
    for (unsigned n = 0; n < ARRAY_LEN(backends); n++)
        printf("  %s\n", backends[n].name);
}

static enum char_kind backend_find(const char *name)
{
    for (unsigned n = 0; n < ARRAY_LEN(backends); n++)
        if (!strcmp(name, backends[n].name))
            return backends[n].kind;
    die("-chardev %s: no such back end (-chardev '?' lists them)", name);
}

void opt_chardev(struct options *o, const char *name, const char *arg)
{
    struct chardev new = { .s = { .server = false } };
    struct char_config *c = &new.c;
    (void)name;
    if (option_is_query(arg)) {
        backends_list();
        o->list_done = true;
        return;
    }
    if (o->chardev_count == MAX_CHARDEVS)
        die("-chardev: more than %d", MAX_CHARDEVS);
    properties_read(chardev_rows, ARRAY_LEN(chardev_rows), "-chardev", arg, "backend", &new);
    c->kind = backend_find(new.backend);
    c->nowait = new.s.nowait;
    if (c->kind == CHAR_UNIX && !new.s.server)
        die("-chardev socket: only server=on");
    if (c->kind == CHAR_UNIX && c->port[0]) {
        c->kind = CHAR_TCP;
        text_set(c->path, sizeof(c->path), "-chardev", new.host);
    }
    if (!c->id[0])
        die("-chardev %s: id= is missing", new.backend);
    if ((c->kind == CHAR_FILE || c->kind == CHAR_UNIX) && !c->path[0])
        die("-chardev %s: path= is missing", new.backend);
    o->chardev[o->chardev_count++] = *c;
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
    o->send[o->send_count++] = (struct send){ o->after ? o->after : text_copy(""), unescape(arg) };
    o->after = NULL;
}
