/*
 * Monitors on chardevs: a prompt, a line, its answer. Lines are gathered as they come and carried out while the machine
 * stands between two slices (session.c), so that looking changes nothing. The prompt is `(qemu) `, since scripts wait
 * for it.
 */
#include "frontend/hmp.h"
#include "frontend/line.h"
#include "frontend/qmp.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#define PROMPT "(qemu) "

struct monitor {
    struct monitors *all;
    struct chardev *end;
    struct line line;
    bool whole;   /* a line waits to be carried out */
    bool greeted; /* this client */
};
struct monitors {
    struct session *session;
    struct console *console;
    const struct options *o;
    struct monitor mon[MAX_MONITORS];
    unsigned count;
    struct qmp *qmp; /* those for programs */
};

static const struct {
    const char *name, *alias, *args, *help;
    hmp_fn *call;
} commands[] = {
#define HMP(name, alias, args, function, help) { name, alias, args, help, function },
#include "frontend/hmp.def"
};
static const struct {
    const char *name, *line, *help;
    hmp_fn *call;
} infos[] = {
#define INFO(name, line, help)        { name, line, help, NULL },
#define INFO_BY(name, function, help) { name, NULL, help, function },
#include "frontend/hmp.def"
};

/* ---- at the other end ---- */

/* A new line is CR LF there. */
static void say(struct monitor *mon, const char *text, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        if (text[n] == '\n')
            chardev_put(mon->end, '\r');
        chardev_put(mon->end, (u8)text[n]);
    }
}

static void echo(void *ctx, const char *text, size_t size) { say(ctx, text, size); }

static void greet(struct monitor *mon)
{
    static const char hello[] = "elmu " ELMU_VERSION " monitor - type 'help' for more information\n";
    if (!mon->greeted)
        say(mon, hello, strlen(hello));
    mon->greeted = true;
    say(mon, PROMPT, strlen(PROMPT));
    say(mon, mon->line.text, mon->line.used);
}

static u32 monitor_room(void *ctx) { return !((struct monitor *)ctx)->whole; }

static void monitor_receive(void *ctx, u8 byte)
{
    struct monitor *mon = ctx;
    mon->whole = line_take(&mon->line, byte);
}

static void monitor_event(void *ctx, enum char_event event)
{
    struct monitor *mon = ctx;
    switch (event) {
    case CHAR_LEFT:
        line_drop(&mon->line);
        mon->greeted = mon->whole = false;
        break;
    case CHAR_CONNECTED:
        mon->greeted = false;
        if (chardev_has_focus(mon->end, mon))
            greet(mon);
        break;
    case CHAR_FOCUS: greet(mon); break;
    }
}

/* ---- commands ---- */

static bool number_of(const char *text, u64 *value)
{
    char *end;
    *value = strtoull(text, &end, 0);
    return end != text && !*end && text[0] != '-';
}

void hmp_fail(struct hmp *h, const char *format, ...)
{
    char why[512];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof(why), format, list);
    va_end(list);
    text_add(h->out, "Error: %s\n", why);
    h->failed = true;
}

char *hmp_word(struct hmp *h)
{
    char *word = h->rest + strspn(h->rest, " \t"), *to = word;
    bool quoted = *word == '"';
    for (h->rest = word + quoted; *h->rest && (quoted ? *h->rest != '"' : !strchr(" \t", *h->rest)); h->rest++) {
        h->rest += quoted && h->rest[0] == '\\' && h->rest[1];
        *to++ = *h->rest;
    }
    h->rest += *h->rest != 0;
    *to = 0;
    return word;
}

char *hmp_format(struct hmp *h)
{
    static char none[1];
    char *at = h->rest + strspn(h->rest, " \t");
    if (*at != '/')
        return none;
    h->rest = at;
    return hmp_word(h) + 1;
}

static void row_show(struct text *out, const char *name, const char *alias, const char *args, const char *help)
{
    text_add(out, "%s%s%s%s%s -- %s\n", name, alias[0] ? "|" : "", alias, args[0] ? " " : "", args, help);
}

static void infos_show(struct text *out)
{
    for (unsigned n = 0; n < ARRAY_LEN(infos); n++)
        text_add(out, "info %s -- %s\n", infos[n].name, infos[n].help);
}

void hmp_help(struct hmp *h)
{
    const char *name = hmp_word(h);
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (!name[0] || !strcmp(name, commands[n].name) || (name[0] && !strcmp(name, commands[n].alias))) {
            row_show(h->out, commands[n].name, commands[n].alias, commands[n].args, commands[n].help);
            if (commands[n].call == hmp_info)
                infos_show(h->out);
        }
    char line[LINE_SIZE + 8];
    snprintf(line, sizeof(line), "help %s", name);
    monitor_run(NULL, line, h->out);
}

static void said(struct hmp *h, const char *why)
{
    if (why)
        hmp_fail(h, "%s", why);
}

void hmp_quit(struct hmp *h) { said(h, session_ask(h->session, ASK_QUIT)); }
void hmp_stop(struct hmp *h) { said(h, session_ask(h->session, ASK_STOP)); }
void hmp_cont(struct hmp *h) { said(h, session_ask(h->session, ASK_CONT)); }
void hmp_reset(struct hmp *h) { said(h, session_ask(h->session, ASK_RESET)); }
void hmp_powerdown(struct hmp *h) { said(h, session_ask(h->session, ASK_POWERDOWN)); }

void hmp_balloon(struct hmp *h)
{
    u64 mib;
    if (!number_of(hmp_word(h), &mib) || mib > ones(44))
        hmp_fail(h, "expected a size in MiB");
    else
        said(h, session_balloon(h->session, mib << 20));
}

void hmp_cpu(struct hmp *h)
{
    struct debugger *d = session_debugger(h->session);
    u64 n;
    if (!number_of(hmp_word(h), &n) || n >= d->m->options.cpu_count)
        text_add(h->out, "Error: invalid CPU index\n");
    else
        d->cpu = (u32)n;
}

/* ---- snapshots ---- */

void hmp_savevm(struct hmp *h)
{
    char error[256], name[32];
    time_t now = time(NULL);
    struct tm tm;
    const char *given = hmp_word(h);
    strftime(name, sizeof(name), "vm-%Y%m%d%H%M%S", localtime_r(&now, &tm));
    if (!snapshots_save(h->console->m, h->o, given[0] ? given : name, error))
        said(h, error);
}

void hmp_loadvm(struct hmp *h)
{
    char error[256];
    if (snapshots_load(session_debugger(h->session), h->o, hmp_word(h), error))
        session_moved(h->session);
    else
        said(h, error);
}

void hmp_delvm(struct hmp *h)
{
    char error[256];
    if (!snapshots_delete(h->o, hmp_word(h), error))
        said(h, error);
}

/* ---- what there is not ---- */

void hmp_nmi(struct hmp *h) { said(h, "this feature or command is not currently supported"); }

void hmp_log(struct hmp *h)
{
    const char *items = hmp_word(h);
    char error[256] = "log: which items? (help lists them)";
    if (!strcmp(items, "help"))
        session_log_help(h->out);
    else if (!items[0] || !session_log(h->session, items, error))
        said(h, error);
}

/* ---- back ends ---- */

/* The ring that the next word names. */
static struct chardev *ring_of(struct hmp *h)
{
    const char *id = hmp_word(h);
    struct chardev *c = chardev_find(&h->console->ends, id);
    if (!c || !c->ring)
        text_add(h->out, "Error: '%.63s' is no -chardev ringbuf\n", id);
    return c && c->ring ? c : NULL;
}

void hmp_ring_read(struct hmp *h)
{
    struct chardev *c = ring_of(h);
    u64 size = 0;
    if (c && !number_of(hmp_word(h), &size))
        text_add(h->out, "Error: expected a number of bytes\n");
    for (; c && size && c->ring_used; size--, c->ring_used--)
        text_bytes(h->out, &c->ring[c->ring_at++ & (c->config->size - 1)], 1);
    if (c)
        text_add(h->out, "\n");
}

void hmp_ring_write(struct hmp *h)
{
    struct chardev *c = ring_of(h);
    if (c)
        chardev_write(c, h->rest, strlen(h->rest));
}

void hmp_info(struct hmp *h)
{
    const char *name = hmp_word(h);
    if (!name[0])
        infos_show(h->out);
    for (unsigned n = 0; n < ARRAY_LEN(infos); n++) {
        if (strcmp(name, infos[n].name))
            continue;
        if (infos[n].call)
            infos[n].call(h);
        else
            monitor_run(session_debugger(h->session), infos[n].line, h->out);
        return;
    }
    if (name[0])
        text_add(h->out, "unknown command: 'info %.80s'\n", name);
}

/* A line of QEMU's commands, else of elmu's own. */
void monitors_line(struct monitors *all, const char *line, struct text *out)
{
    char copy[LINE_SIZE], name[64];
    struct hmp h = { .all = all,
                     .session = all->session,
                     .console = all->console,
                     .m = all->console->m,
                     .o = all->o,
                     .rest = copy,
                     .out = out };
    snprintf(copy, sizeof(copy), "%s", line);
    char *word = copy + strspn(copy, " \t");
    size_t length = strcspn(word, " \t/"); /* x/4i is x /4i */
    snprintf(name, sizeof(name), "%.*s", (int)length, word);
    h.rest = word + length;
    if (!word[0])
        return;
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (name[0] && (!strcmp(name, commands[n].name) || !strcmp(name, commands[n].alias))) {
            commands[n].call(&h);
            return;
        }
    if (!monitor_has(name)) {
        text_add(out, "unknown command: '%.80s'\n", name);
        return;
    }
    struct debugger *d = session_debugger(all->session);
    if (monitor_run(d, line, out)) {
        stops_moved_all(&d->stops);
        session_moved(all->session);
    }
    if (d->wish)
        session_ask(all->session, d->wish == WISH_GO ? ASK_CONT : ASK_STOP);
}

/* ---- all of them ---- */

struct monitors *monitors_create(struct session *s, const struct options *o, struct console *console)
{
    struct monitors *all = calloc(1, sizeof(*all));
    if (!all)
        die("out of memory");
    all->session = s;
    all->console = console;
    all->o = o;
    for (unsigned n = 0; n < o->mon_count; n++) {
        if (o->mon[n].control)
            continue;
        struct monitor *mon = &all->mon[all->count++];
        mon->all = all;
        mon->line.echo = echo;
        mon->line.ctx = mon;
        mon->end = chardev_find(&console->ends, o->mon[n].chardev);
        chardev_attach(
            mon->end,
            &(struct char_user){
                .ctx = mon, .greedy = true, .room = monitor_room, .receive = monitor_receive, .event = monitor_event },
            "-mon");
    }
    all->qmp = qmp_create(s, o, console, all);
    return all;
}

void monitors_destroy(struct monitors *all)
{
    qmp_destroy(all->qmp);
    free(all);
}

bool monitors_due(const struct monitors *all)
{
    for (unsigned n = 0; n < all->count; n++)
        if (all->mon[n].whole)
            return true;
    return qmp_due(all->qmp);
}

void monitors_run(struct monitors *all)
{
    struct text out = { 0 };
    while (monitors_due(all) && !session_over(all->session)) {
        qmp_run(all->qmp);
        for (unsigned n = 0; n < all->count; n++) {
            struct monitor *mon = &all->mon[n];
            if (!mon->whole || session_over(all->session))
                continue;
            text_clear(&out);
            monitors_line(all, mon->line.text, &out);
            say(mon, out.s ? out.s : "", out.length);
            line_next(&mon->line);
            mon->whole = false;
            if (!session_over(all->session))
                say(mon, PROMPT, strlen(PROMPT));
            chardev_pull(mon->end, false);
        }
    }
    text_free(&out);
}

void monitors_tell(struct monitors *all, const char *text)
{
    for (unsigned n = 0; n < all->count; n++) {
        struct monitor *mon = &all->mon[n];
        say(mon, "\n", 1);
        say(mon, text, strlen(text));
        if (chardev_has_focus(mon->end, mon))
            greet(mon);
    }
}

void monitors_event(struct monitors *all, const char *name, bool guest, const char *reason)
{
    qmp_event(all->qmp, name, reason ? json_pack("{s:b,s:s}", "guest", guest, "reason", reason) : NULL);
}
