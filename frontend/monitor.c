/*
 * Monitors on chardevs: a prompt, a line, its answer. Lines are gathered as they come and carried out while the machine
 * stands between two slices (session.c), so that looking changes nothing. The prompt is `(qemu) `, since scripts wait
 * for it.
 */
#include "frontend/frontend.h"
#include "frontend/line.h"
#include "frontend/qmp.h"

#include "debug/debugger.h"

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

/* A command: its words, and where its answer goes. */
struct hmp {
    struct monitors *all;
    char *word, *rest; /* rest: the line after the first word; never NULL */
    struct text *out;
};
typedef void hmp_fn(struct hmp *h);
#define HMP(name, alias, args, function, help) static hmp_fn function;
#include "frontend/hmp.def"
static hmp_fn info_balloon, info_chardev, info_snapshots, info_status, info_version;

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
#define INFO(name, line, function, help) { name, line, help, function },
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

/* The first word of the rest, which is cut off. */
static char *word_next(struct hmp *h)
{
    char *word = h->rest + strspn(h->rest, " \t");
    char *end = word + strcspn(word, " \t");
    h->rest = *end ? end + 1 : end;
    *end = 0;
    return word;
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

static void hmp_help(struct hmp *h)
{
    const char *name = word_next(h);
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
        text_add(h->out, "Error: %s\n", why);
}

static void hmp_quit(struct hmp *h) { said(h, session_ask(h->all->session, ASK_QUIT)); }
static void hmp_stop(struct hmp *h) { said(h, session_ask(h->all->session, ASK_STOP)); }
static void hmp_cont(struct hmp *h) { said(h, session_ask(h->all->session, ASK_CONT)); }
static void hmp_reset(struct hmp *h) { said(h, session_ask(h->all->session, ASK_RESET)); }
static void hmp_powerdown(struct hmp *h) { said(h, session_ask(h->all->session, ASK_POWERDOWN)); }

static void hmp_balloon(struct hmp *h)
{
    u64 mib;
    if (!number_of(word_next(h), &mib) || mib > ones(44))
        text_add(h->out, "Error: expected a size in MiB\n");
    else
        said(h, session_balloon(h->all->session, mib << 20));
}

static void hmp_cpu(struct hmp *h)
{
    struct debugger *d = session_debugger(h->all->session);
    u64 n;
    if (!number_of(word_next(h), &n) || n >= d->m->options.cpu_count)
        text_add(h->out, "Error: invalid CPU index\n");
    else
        d->cpu = (u32)n;
}

/* ---- snapshots ---- */

static void hmp_savevm(struct hmp *h)
{
    char error[256], name[32];
    time_t now = time(NULL);
    struct tm tm;
    const char *given = word_next(h);
    strftime(name, sizeof(name), "vm-%Y%m%d%H%M%S", localtime_r(&now, &tm));
    if (!snapshots_save(h->all->console->m, h->all->o, given[0] ? given : name, error))
        said(h, error);
}

static void hmp_loadvm(struct hmp *h)
{
    char error[256];
    if (snapshots_load(session_debugger(h->all->session), h->all->o, word_next(h), error))
        session_moved(h->all->session);
    else
        said(h, error);
}

static void hmp_delvm(struct hmp *h)
{
    char error[256];
    if (!snapshots_delete(h->all->o, word_next(h), error))
        said(h, error);
}

static void info_snapshots(struct hmp *h) { snapshots_list(h->all->o, h->out); }

/* ---- back ends ---- */

/* The ring that the next word names. */
static struct chardev *ring_of(struct hmp *h)
{
    const char *id = word_next(h);
    struct chardev *c = chardev_find(&h->all->console->ends, id);
    if (!c || !c->ring)
        text_add(h->out, "Error: '%.63s' is no -chardev ringbuf\n", id);
    return c && c->ring ? c : NULL;
}

static void hmp_ring_read(struct hmp *h)
{
    struct chardev *c = ring_of(h);
    u64 size = 0;
    if (c && !number_of(word_next(h), &size))
        text_add(h->out, "Error: expected a number of bytes\n");
    for (; c && size && c->ring_used; size--, c->ring_used--)
        text_bytes(h->out, &c->ring[c->ring_at++ & (c->config->size - 1)], 1);
    if (c)
        text_add(h->out, "\n");
}

static void hmp_ring_write(struct hmp *h)
{
    struct chardev *c = ring_of(h);
    if (c)
        chardev_write(c, h->rest, strlen(h->rest));
}

/* In MiB, but for counts. Names as QEMU has them. */
static void info_balloon(struct hmp *h)
{
    static const struct {
        const char *name;
        bool bytes;
    } statistics[BALLOON_STATISTICS] = {
        { "swap-in", true },       { "swap-out", true },     { "major-faults", false },    { "minor-faults", false },
        { "free-memory", true },   { "total-memory", true }, { "available-memory", true }, { "disk-caches", true },
        { "htlb-pgalloc", false }, { "htlb-pgfail", false },
    };
    struct machine *m = h->all->console->m;
    struct balloon_state b;
    if (!machine_balloon_state(m, &b)) {
        said(h, "No balloon device has been activated");
        return;
    }
    u64 out = (u64)b.actual * 4096, ram = m->options.ram_size;
    text_add(h->out, "balloon: actual=%llu\n", (unsigned long long)((out < ram ? ram - out : 0) >> 20));
    for (unsigned n = 0; n < BALLOON_STATISTICS; n++)
        if (bit(b.known, n))
            text_add(h->out, "%s=%llu\n", statistics[n].name,
                     (unsigned long long)(b.statistic[n] >> (statistics[n].bytes ? 20 : 0)));
}

static void info_status(struct hmp *h)
{
    const char *state = session_state(h->all->session);
    bool plain = !strcmp(state, "running") || !strcmp(state, "paused");
    text_add(h->out, "VM status: %s%s%s%s\n", strcmp(state, "running") ? "paused" : "running", plain ? "" : " (",
             plain ? "" : state, plain ? "" : ")");
}

static void info_version(struct hmp *h) { text_add(h->out, "elmu %s\n", ELMU_VERSION); }

static void info_chardev(struct hmp *h)
{
    const struct chardevs *all = &h->all->console->ends;
    for (unsigned n = 0; n < all->count; n++) {
        text_add(h->out, "%s: filename=", all->dev[n].config->id);
        chardev_describe(&all->dev[n], h->out);
        text_add(h->out, "\n");
    }
}

static void hmp_info(struct hmp *h)
{
    const char *name = word_next(h);
    if (!name[0])
        infos_show(h->out);
    for (unsigned n = 0; n < ARRAY_LEN(infos); n++) {
        if (strcmp(name, infos[n].name))
            continue;
        if (infos[n].call)
            infos[n].call(h);
        else
            monitor_run(session_debugger(h->all->session), infos[n].line, h->out);
        return;
    }
    if (name[0])
        text_add(h->out, "unknown command: 'info %.80s'\n", name);
}

/* A line of QEMU's commands, else of elmu's own. */
void monitors_line(struct monitors *all, const char *line, struct text *out)
{
    char copy[LINE_SIZE];
    struct hmp h = { .all = all, .rest = copy, .out = out };
    snprintf(copy, sizeof(copy), "%s", line);
    h.word = word_next(&h);
    if (!h.word[0])
        return;
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (!strcmp(h.word, commands[n].name) || (commands[n].alias[0] && !strcmp(h.word, commands[n].alias))) {
            commands[n].call(&h);
            return;
        }
    if (!monitor_has(h.word)) {
        text_add(out, "unknown command: '%.80s'\n", h.word);
        return;
    }
    struct debugger *d = session_debugger(all->session);
    if (monitor_run(d, line, out)) {
        stops_moved_all(&d->stops);
        session_moved(all->session);
    }
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
