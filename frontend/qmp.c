/*
 * QEMU's machine protocol (docs/interop/qmp-spec of QEMU 7.2) on a back end: a greeting, qmp_capabilities, then
 * commands, each answered in its turn, and events between the answers. libjansson reads and writes JSON. As on the
 * human monitor, a command is carried out while the machine stands between two slices. A peer is hostile: messages have
 * a largest size and depth (frontend/message.h), and who does not read his answers is not listened to.
 *
 * Left out: out-of-band commands (the greeting offers none), strings in ' quotes.
 */
#include "frontend/qmp.h"

#include "frontend/message.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

struct qmp_peer {
    struct qmp *all;
    struct chardev *end;
    struct message message;
    bool whole;      /* a message waits to be carried out */
    bool negotiated; /* capabilities, by this client */
    bool pretty;
};

static const struct command {
    const char *name, *args;
    qmp_fn *call;
} commands[] = {
#define QMP(name, args, function, ...) { name, args, function },
#include "frontend/qmp.def"
};
static const char *const events[] = {
#define QMP_EVENT(name, ...) name,
#include "frontend/qmp.def"
};

const char *qmp_command_name(unsigned n) { return n < ARRAY_LEN(commands) ? commands[n].name : NULL; }
const char *qmp_event_name(unsigned n) { return n < ARRAY_LEN(events) ? events[n] : NULL; }

/* ---- what goes out ---- */

json_t *qmp_string(const char *bytes, size_t size)
{
    json_t *string = json_stringn(bytes, size);
    if (string || !size)
        return string;
    char *clean = malloc(3 * size);
    size_t used = 0;
    for (size_t n = 0; clean && n < size; n++) {
        bool plain = (u8)bytes[n] < 0x80;
        memcpy(clean + used, plain ? &bytes[n] : "\xef\xbf\xbd", plain ? 1 : 3);
        used += plain ? 1 : 3;
    }
    string = clean ? json_stringn(clean, used) : NULL;
    free(clean);
    return string;
}

/* Whole or not at all: false when there is no room for it. */
static bool send_object(struct qmp_peer *p, json_t *object)
{
    char *text = json_dumps(object, p->pretty ? JSON_INDENT(4) : 0);
    size_t size = text ? strlen(text) : 0;
    bool fits = text && size + 2 <= CHAR_OUT - p->end->out_used;
    if (fits) {
        chardev_write(p->end, text, size);
        chardev_write(p->end, "\r\n", 2);
    }
    free(text);
    return fits;
}

void qmp_event(struct qmp *q, const char *name, json_t *data)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    json_t *event = json_pack("{s:{s:I,s:I},s:s}", "timestamp", "seconds", (json_int_t)t.tv_sec, "microseconds",
                              (json_int_t)(t.tv_nsec / 1000), "event", name);
    if (data)
        json_object_set_new(event, "data", data);
    for (unsigned n = 0; n < q->peers; n++)
        if (q->peer[n].negotiated)
            send_object(&q->peer[n], event);
    json_decref(event);
}

static json_t *error_object(const struct qmp_call *c)
{
    return json_pack("{s:s,s:o}", "class", c->error_class, "desc", qmp_string(c->error, strlen(c->error)));
}

/* id: what the answer is to, or NULL. value: what the answer holds. */
static void answer(struct qmp_peer *p, json_t *id, struct qmp_call *c, json_t *value)
{
    json_t *object = json_object();
    if (c->error_class)
        json_object_set_new(object, "error", error_object(c));
    else
        json_object_set_new(object, "return", value ? value : json_object());
    if (id)
        json_object_set(object, "id", id);
    if (!send_object(p, object)) {
        qmp_fail(c, "the answer is larger than a client's buffer");
        json_object_del(object, "return");
        json_object_set_new(object, "error", error_object(c));
        send_object(p, object);
    }
    json_decref(object);
}

static json_t *fail_as(struct qmp_call *c, const char *class, const char *format, va_list list)
{
    c->error_class = class;
    vsnprintf(c->error, sizeof(c->error), format, list);
    return NULL;
}

json_t *qmp_fail(struct qmp_call *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail_as(c, "GenericError", format, list);
    va_end(list);
    return NULL;
}

static json_t *not_found(struct qmp_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static json_t *not_found(struct qmp_call *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail_as(c, "CommandNotFound", format, list);
    va_end(list);
    return NULL;
}

static void greet(struct qmp_peer *p)
{
    json_t *hello = json_pack("{s:{s:o,s:[]}}", "QMP", "version", qmp_version(), "capabilities");
    send_object(p, hello);
    json_decref(hello);
}

/* ---- arguments ---- */

const char *qmp_text(const struct qmp_call *c, const char *name)
{
    return json_string_value(json_object_get(c->args, name));
}

s64 qmp_number(const struct qmp_call *c, const char *name, s64 otherwise)
{
    const json_t *value = json_object_get(c->args, name);
    return value ? (s64)json_integer_value(value) : otherwise;
}

bool qmp_flag(const struct qmp_call *c, const char *name) { return json_is_true(json_object_get(c->args, name)); }

/* ---- commands ---- */

json_t *qmp_capabilities(struct qmp_call *c)
{
    return json_array_size(json_object_get(c->args, "enable")) ? qmp_fail(c, "Capability 'oob' is not available")
                                                               : NULL;
}

static const struct command *command_find(struct qmp_peer *p, struct qmp_call *c, const char *name)
{
    bool negotiates = !strcmp(name, "qmp_capabilities");
    if (negotiates && p->negotiated)
        not_found(c, "Capabilities negotiation is already complete, command ignored");
    else if (!negotiates && !p->negotiated)
        not_found(c, "Expecting capabilities negotiation with 'qmp_capabilities'");
    for (unsigned n = 0; !c->error_class && n < ARRAY_LEN(commands); n++)
        if (!strcmp(commands[n].name, name))
            return &commands[n];
    if (!c->error_class)
        not_found(c, "The command %.80s has not been found", name);
    return NULL;
}

/* Is it an object with what a command has, and no more? */
static bool is_command(struct qmp_call *c, json_t *object)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        qmp_fail(c, "QMP input must be a JSON object");
        return false;
    }
    json_object_foreach(object, key, value)
    {
        bool execute = !strcmp(key, "execute"), arguments = !strcmp(key, "arguments");
        if (execute && !json_is_string(value))
            qmp_fail(c, "QMP input member 'execute' must be a string");
        else if (arguments && !json_is_object(value))
            qmp_fail(c, "QMP input member 'arguments' must be an object");
        else if (!execute && !arguments && strcmp(key, "id"))
            qmp_fail(c, "QMP input member '%.80s' is unexpected", key);
        if (c->error_class)
            return false;
    }
    if (!json_object_get(object, "execute"))
        qmp_fail(c, "QMP input lacks member 'execute'");
    return !c->error_class;
}

static json_t *command_run(struct qmp_peer *p, struct qmp_call *c, json_t *object)
{
    if (!is_command(c, object))
        return NULL;
    const struct command *row = command_find(p, c, json_string_value(json_object_get(object, "execute")));
    json_t *none = json_object(), *args = json_object_get(object, "arguments");
    json_t *value = NULL;
    c->args = args ? args : none;
    if (row && qmp_args_fit(c, row->args))
        value = row->call(c);
    p->negotiated |= row && row->call == qmp_capabilities && !c->error_class;
    json_decref(none);
    return value;
}

static void message_run(struct qmp_peer *p)
{
    struct qmp_call c = { .all = p->all };
    json_error_t error;
    json_t *object = NULL, *value = NULL;
    if (p->message.wrong)
        qmp_fail(&c, "JSON parse error, %s", p->message.wrong);
    else if (!(object = json_loadb(p->message.text, p->message.used, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error)))
        qmp_fail(&c, "JSON parse error, %s", error.text);
    else
        value = command_run(p, &c, object);
    answer(p, json_object_get(object, "id"), &c, value);
    json_decref(object);
}

/* ---- at the other end ---- */

static u32 peer_room(void *ctx)
{
    const struct qmp_peer *p = ctx;
    return !p->whole && p->end->out_used < CHAR_OUT / 4;
}

static void peer_receive(void *ctx, u8 byte)
{
    struct qmp_peer *p = ctx;
    p->whole = message_take(&p->message, byte);
}

static void peer_event(void *ctx, enum char_event event)
{
    struct qmp_peer *p = ctx;
    if (event == CHAR_FOCUS)
        return;
    message_drop(&p->message);
    p->negotiated = p->whole = false;
    if (event == CHAR_CONNECTED)
        greet(p);
}

bool qmp_due(const struct qmp *q)
{
    for (unsigned n = 0; n < q->peers; n++)
        if (q->peer[n].whole)
            return true;
    return false;
}

void qmp_run(struct qmp *q)
{
    while (qmp_due(q) && !session_over(q->session))
        for (unsigned n = 0; n < q->peers; n++) {
            struct qmp_peer *p = &q->peer[n];
            if (!p->whole || session_over(q->session))
                continue;
            message_run(p);
            message_next(&p->message);
            p->whole = false;
            chardev_pull(p->end, false);
        }
}

struct qmp *qmp_create(struct session *s, const struct options *o, struct console *console, struct monitors *monitors)
{
    struct qmp *q = calloc(1, sizeof(*q));
    struct qmp_peer *peer = calloc(MAX_MONITORS, sizeof(*peer));
    if (!q || !peer)
        die("out of memory");
    *q = (struct qmp){ .monitors = monitors, .session = s, .console = console, .m = console->m, .o = o, .peer = peer };
    for (unsigned n = 0; n < o->mon_count; n++) {
        if (!o->mon[n].control)
            continue;
        struct qmp_peer *p = &q->peer[q->peers++];
        p->all = q;
        p->pretty = o->mon[n].pretty;
        p->end = chardev_find(&console->ends, o->mon[n].chardev);
        chardev_attach(p->end,
                       &(struct char_user){
                           .ctx = p, .greedy = true, .room = peer_room, .receive = peer_receive, .event = peer_event },
                       "-mon");
    }
    return q;
}

void qmp_destroy(struct qmp *q)
{
    for (unsigned n = 0; n < q->peers; n++)
        message_free(&q->peer[n].message);
    free(q->peer);
    free(q);
}
