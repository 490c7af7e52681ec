/*
 * A run under -gdb, -snapshot-save, -restore, -record, -replay, -trace and friends: what these options put between main
 * and machine_run.
 */
#include "frontend/frontend.h"

#include "debug/debugger.h"
#include "debug/disasm.h"
#include "debug/file.h"
#include "debug/gdb/gdb.h"
#include "debug/journal.h"
#include "debug/reverse.h"
#include "debug/snapshot.h"
#include "debug/symbols.h"
#include "debug/timeline.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 256, PAUSE_MS = 200 };

struct session {
    const struct options *o;
    struct machine *m;
    struct console *console;
    struct gdb *gdb;
    struct journal *journal;
    struct trace *trace;
    struct symbols *symbols; /* for gdb's monitor */
    u64 save_at;             /* instructions, NEVER: not by count */
    char save_file[1024];
    const char *save_text; /* what a console must print, NULL: none */
    char tail[ALL_PORTS][TEXT_LIMIT];
    bool save_due;
    struct timeline *timeline; /* NULL: nobody asked for it */
    struct monitors *monitors;
    struct debugger *own; /* when there is no gdb, once a monitor needs one */
    bool paused;          /* without gdb: by a monitor or -S */
    bool called;          /* the run was stopped for a monitor's line */
    bool quit, want_reset, want_power, want_balloon;
    u32 balloon;       /* pages, wanted */
    bool host_reset;   /* the reset that comes is a monitor's wish */
    bool begun;        /* the machine has run since it was loaded */
    bool asked;        /* it stands since a monitor asked for that */
    bool off;          /* the guest has switched it off, */
    bool back;         /* ... and somebody took it to where it was not yet */
    struct trace *log; /* what a monitor's `log` asked for, */
    struct trace_config log_config;
    u64 pictures_at; /* instruction at which the next of -picture is due */
    bool told;       /* programs at monitors were told last that it stands */
};

/* An error ends the program in the middle of a run: the traces hold what there was up to then. */
static struct session *traced;
static void trace_end(void)
{
    char error[256];
    if (traced)
        trace_close(traced->trace, error);
}

static void trace_begin(struct session *s)
{
    char error[256];
    if (!trace_wanted(&s->o->trace))
        return;
    s->trace = trace_open(s->m, &s->o->trace, error);
    if (!s->trace)
        die("%s", error);
    traced = s;
    atexit(trace_end);
}

/* FILE@INSNS, FILE@"text", FILE@text */
static void save_parse(struct session *s, const char *arg)
{
    const char *at = strrchr(arg, '@');
    size_t length = at ? strlen(at + 1) : 0;
    if (!length || at == arg || (size_t)(at - arg) >= sizeof(s->save_file))
        die("-snapshot-save %s: expected FILE@INSNS or FILE@\"text\"", arg);
    snprintf(s->save_file, sizeof(s->save_file), "%.*s", (int)(at - arg), arg);
    if (strspn(at + 1, "0123456789") == length) {
        s->save_at = strtoull(at + 1, NULL, 10);
        return;
    }
    static char text[TEXT_LIMIT];
    bool quoted = length >= 2 && at[1] == '"' && at[length] == '"';
    if (length - 2 * quoted >= sizeof(text) || length == 2 * quoted)
        die("-snapshot-save %s: the text must have 1 to %d bytes", arg, TEXT_LIMIT - 1);
    memcpy(text, at + 1 + quoted, length - 2 * quoted);
    s->save_text = text;
}

/* Said where it can still be helped. */
static void disks_warn(struct machine *m)
{
    for (unsigned n = 0; n < MAX_DISKS; n++)
        if (m->options.disk[n].size && !m->options.disk[n].readonly && m->d.host.disk_change(m->d.host.ctx, n, 0) == -2)
            fprintf(stderr,
                    "elmu: -snapshot-save: what is written to disk %u goes to its file, not to the snapshot; once it "
                    "changes this cannot be restored (snapshot=on keeps both together)\n",
                    n);
}

static void save(struct session *s)
{
    char error[256];
    if (!snapshot_save(s->m, s->save_file, !snapshot_is_plain(s->save_file), error))
        die("-snapshot-save: %s", error);
    disks_warn(s->m);
    s->save_at = NEVER;
    s->save_text = NULL;
    s->save_due = false;
    console_release(s->console);
}

/* Names for the monitor: of the -sym files, else of the kernel when it is an ELF file. */
static void symbols_read(struct session *s, struct debugger *d)
{
    const struct trace_config *t = &s->o->trace;
    struct symbol_file kernel = { .el = SYMBOL_ANY, .vmid = SYMBOL_ANY };
    char error[256];
    s->symbols = symbols_create();
    if (!s->symbols)
        die("out of memory");
    for (unsigned n = 0; n < t->symbol_count; n++)
        if (!symbols_add(s->symbols, &t->symbol[n], error))
            die("%s", error);
    if (!t->symbol_count && s->o->kernel && strlen(s->o->kernel) < sizeof(kernel.name)) {
        strcpy(kernel.name, s->o->kernel);
        symbols_add(s->symbols, &kernel, error);
    }
    if (symbols_count(s->symbols))
        d->symbols = s->symbols;
}

/* ---- monitors ---- */

struct debugger *session_debugger(struct session *s)
{
    if (s->gdb)
        return gdb_debugger(s->gdb);
    if (s->own)
        return s->own;
    s->own = malloc(sizeof(*s->own));
    if (!s->own)
        die("out of memory");
    debugger_init(s->own, s->m);
    s->own->recorded = s->journal;
    s->own->timeline = s->timeline;
    symbols_read(s, s->own);
    return s->own;
}

struct timeline *session_timeline(struct session *s)
{
    if (!s->timeline && !(s->timeline = timeline_create(s->m)))
        die("out of memory");
    if (s->gdb)
        gdb_debugger(s->gdb)->timeline = s->timeline;
    if (s->own)
        s->own->timeline = s->timeline;
    return s->timeline;
}

struct debugger *session_keep(struct session *s)
{
    struct debugger *d = session_debugger(s);
    if (d == s->own && !d->reverse)
        d->reverse = reverse_create(s->m);
    if (d == s->own && d->reverse)
        reverse_set_limit(d->reverse, s->o->max_insns);
    return d;
}

bool session_stands(const struct session *s) { return s->gdb ? gdb_stands(s->gdb) : s->paused; }
bool session_over(const struct session *s) { return s->quit || s->console->ends.quit; }

const char *session_state(const struct session *s)
{
    if (s->off)
        return "shutdown";
    if (!session_stands(s))
        return "running";
    return !s->begun ? "prelaunch" : s->asked ? "paused" : "debug";
}

void session_moved(struct session *s)
{
    s->console->start_ns = host_ns() - s->m->now;
    s->begun = s->back = true;
}

/* Whoever it was that stopped the machine or let it go. */
static void stand_tell(struct session *s)
{
    bool stands = session_stands(s) || s->off;
    s->begun |= !stands;
    if (stands != s->told)
        monitors_event(s->monitors, stands ? "STOP" : "RESUME", false, NULL);
    s->told = stands;
}

static const char *pause_set(struct session *s, bool paused)
{
    if (s->off)
        return paused ? NULL : "Resetting the Virtual Machine is required";
    s->asked = paused && (s->asked || !session_stands(s));
    s->paused = paused && !s->gdb;
    if (s->gdb && paused)
        gdb_halt(s->gdb);
    else if (s->gdb)
        gdb_go(s->gdb);
    stand_tell(s);
    return NULL;
}

/* Why what the guest would see cannot be done now. */
static const char *changes_not(const struct session *s)
{
    if (s->journal && journal_mark(s->journal) < journal_count(s->journal))
        return "not while a journal is replayed";
    if (s->off && s->journal)
        return "the machine is off, which ends what -record and -replay keep";
    return s->gdb && gdb_stands(s->gdb) ? "gdb has stopped the machine" : NULL;
}

const char *session_refuses(const struct session *s) { return changes_not(s); }

const char *session_balloon(struct session *s, u64 bytes)
{
    struct balloon_state b;
    u64 ram = s->m->options.ram_size;
    if (!machine_balloon_state(s->m, &b))
        return "No balloon device has been activated";
    if (!bytes)
        return "Parameter 'target' expects a size";
    const char *why = changes_not(s);
    s->want_balloon = !why;
    s->balloon = (u32)((bytes < ram ? ram - bytes : 0) / 4096);
    s->m->d.poll_in = 0;
    return why;
}

const char *session_ask(struct session *s, enum session_ask ask)
{
    bool changes = ask == ASK_RESET || ask == ASK_POWERDOWN;
    const char *why = changes ? changes_not(s) : NULL;
    if (why)
        return why;
    switch (ask) {
    case ASK_QUIT: s->quit = true; break;
    case ASK_STOP: return pause_set(s, true);
    case ASK_CONT: return pause_set(s, false);
    case ASK_RESET: s->want_reset = true; break;
    case ASK_POWERDOWN:
        s->want_power = true;
        monitors_event(s->monitors, "POWERDOWN", false, NULL);
        break;
    }
    s->m->d.poll_in = 0;
    return NULL;
}

/* A monitor's stop was hit, without gdb. */
static void hit_tell(struct session *s)
{
    const struct stop_hit *h = &s->own->stops.pending;
    char text[256];
    snprintf(text, sizeof(text), "stop %u%s%s, cpu%u at 0x%llx\n", h->point ? h->point->number : 0,
             h->text[0] ? ": " : "", h->text, h->cpu, (unsigned long long)h->pc);
    s->own->cpu = h->cpu;
    monitors_tell(s->monitors, text);
    stops_once(&s->own->stops);
}

/* One look at consoles and monitors while the machine stands. True: it does so no longer. */
static bool stand(struct session *s, int ms)
{
    struct timespec timeout = { ms / 1000, ms % 1000 * 1000000L };
    console_flush(s->console);
    chardevs_wait(&s->console->ends, &timeout);
    monitors_run(s->monitors);
    display_stand(s->console->ends.display);
    stand_tell(s);
    console_flush(s->console);
    return session_over(s) || terminal_interrupted() || !session_stands(s);
}

/* gdb has stopped it. */
static bool standing(void *ctx)
{
    stand(ctx, 0);
    return session_over(ctx);
}

bool session_stay(struct session *s, bool *reset)
{
    s->off = true;
    s->back = false;
    while (!session_over(s) && !terminal_interrupted() && !s->want_reset && !s->back)
        stand(s, PAUSE_MS);
    s->off = false;
    *reset = s->want_reset;
    if ((!s->want_reset && !s->back) || session_over(s))
        return false;
    s->want_reset = s->want_power = false;
    s->host_reset = *reset;
    s->asked = true;
    s->paused = !s->gdb;
    if (s->gdb)
        gdb_halt(s->gdb);
    return true;
}

void session_ended(struct session *s, const struct run_end *end)
{
    const char *reason = "guest-shutdown";
    bool guest = false;
    switch (end->kind) {
    case END_RESET:
        guest = !s->host_reset;
        reason = guest ? "guest-reset" : "host-qmp-system-reset";
        break;
    case END_ASLEEP:
    case END_LOOP:
        guest = true;
        reason = "guest-panic";
        break;
    case END_REQUEST: reason = end->status ? "host-signal" : s->quit ? "host-qmp-quit" : "host-ui"; break;
    case END_ERROR: reason = "host-error"; break;
    case END_INSNS: reason = "none"; break;
    default: guest = true;
    }
    monitors_event(s->monitors, "SHUTDOWN", guest, reason);
}

/* A person's break is no time of the machine's. */
static void pause_wait(struct session *s)
{
    u64 from = host_ns();
    while (!stand(s, PAUSE_MS) && !s->want_reset) {}
    s->console->start_ns += host_ns() - from;
}

struct session *session_create(struct machine *m, const struct options *o, struct console *console)
{
    struct session *s = calloc(1, sizeof(*s));
    char error[256];
    if (!s)
        die("out of memory");
    s->o = o;
    s->m = m;
    s->console = console;
    s->save_at = NEVER;
    if (o->snapshot_save)
        save_parse(s, o->snapshot_save);
    if (o->restore && !snapshot_restore(m, o->restore, error))
        die("-restore: %s", error);
    if ((o->record && !file_can_be(o->record, error)) || (s->save_file[0] && !file_can_be(s->save_file, error)))
        die("%s: %s", o->record ? "-record" : "-snapshot-save", error);
    if ((o->record || o->replay) && !(s->journal = journal_attach(m)))
        die("out of memory");
    if (o->replay && !journal_read(s->journal, o->replay, error))
        die("-replay: %s", error);
    s->pictures_at = pictures_due(o, machine_insns(m));
    trace_begin(s);
    if (o->gdb && !(s->gdb = gdb_open(m, o->gdb, o->stopped, error)))
        die("%s", error);
    if (s->gdb) {
        gdb_set_interrupted(s->gdb, terminal_interrupted);
        gdb_set_standing(s->gdb, standing, s);
        gdb_debugger(s->gdb)->recorded = s->journal;
        if (gdb_debugger(s->gdb)->reverse)
            reverse_set_limit(gdb_debugger(s->gdb)->reverse, o->max_insns);
        symbols_read(s, gdb_debugger(s->gdb));
    }
    s->paused = o->stopped && !s->gdb;
    s->monitors = monitors_create(s, o, console);
    if (o->at_end) /* `why` and `exits` are about all of the run */
        session_debugger(s);
    s->told = session_stands(s);
    if (o->restore)
        session_moved(s);
    if (o->picture_count) { /* which counts from the start; a library is loaded before -sandbox forbids it */
        session_debugger(s);
        disasm_ready();
        if (pictures_want_timeline(o))
            session_timeline(s);
    }
    return s;
}

void session_called(struct session *s)
{
    bool due = s && (monitors_due(s->monitors) || display_due(s->console->ends.display));
    if (!due || s->m->d.end.kind != END_NONE)
        return;
    s->called = true;
    machine_end(s->m, END_REQUEST, 0, "");
}

/* What a monitor asked for and the guest sees is done here, between slices, where a replay does it again. */
static void wants_do(struct session *s)
{
    if (s->want_power)
        machine_power_key(s->m);
    if (s->want_balloon)
        machine_balloon(s->m, s->balloon);
    if (s->want_reset && (!s->journal || journal_reset(s->journal))) {
        machine_end(s->m, END_RESET, 0, "");
        s->host_reset = true;
    }
    s->want_power = s->want_reset = s->want_balloon = false;
}

void session_poll(struct session *s)
{
    if (!s)
        return;
    if (s->gdb)
        gdb_poll(s->gdb);
    stand_tell(s);
    wants_do(s);
    session_called(s);
}

void session_fds(const struct session *s, int fds[2])
{
    fds[0] = fds[1] = -1;
    if (s && s->gdb)
        gdb_fds(s->gdb, fds);
}

/* The last bytes of each port against the text. */
bool session_waits(const struct session *s) { return s->save_at != NEVER || s->save_text; }

bool session_output(struct session *s, unsigned port, u8 byte)
{
    if (!s || !s->save_text)
        return false;
    if (s->save_due) /* at the last byte: the machine is on its way to where it can be saved */
        return true;
    size_t length = strlen(s->save_text);
    char *tail = s->tail[port];
    memmove(tail, tail + 1, length - 1);
    tail[length - 1] = (char)byte;
    if (memcmp(tail, s->save_text, length))
        return false;
    s->save_due = true;
    machine_end(s->m, END_REQUEST, 0, "");
    return true;
}

bool session_flush(struct session *s)
{
    bool any = s && s->trace && trace_flush(s->trace);
    return (s && s->log && trace_flush(s->log)) || any;
}

/* ---- -d from a monitor ---- */

void session_log_help(struct text *out)
{
#define LOG_ITEM(name, help) text_add(out, "%-15s %s\n", #name, help);
    text_add(out, "Log items (comma separated):\n%-15s %s\n", "none", "remove all logs");
#include "debug/trace/trace_log.def"
}

/* A set; 0: said which is none. */
static u32 log_items(const char *items, char error[256])
{
    u32 set = 0;
    for (size_t length; *items; items += length + (items[length] == ',')) {
        length = strcspn(items, ",");
        u32 item = trace_log_item(items, length);
        set |= item;
        if (!item)
            snprintf(error, 256, "log: '%.*s': no such item (log help lists them)", (int)(length < 60 ? length : 60),
                     items);
        if (!item)
            return 0;
    }
    return set;
}

bool session_log(struct session *s, const char *items, char error[256])
{
    bool none = !strcmp(items, "none");
    u32 set = none ? 0 : log_items(items, error);
    if (s->o->log_given) {
        snprintf(error, 256, "log: -d said at the start what is logged");
        return false;
    }
    if (!set && !none)
        return false;
    struct trace *old = s->log;
    s->log = NULL;
    if (!trace_close(old, error))
        return false;
    s->log_config = s->o->trace;
    s->log_config.exits = s->log_config.tarmac = s->log_config.perfetto = s->log_config.coverage = NULL;
    s->log_config.profile = s->log_config.dma = NULL;
    s->log_config.log = set;
    return none || (s->log = trace_open(s->m, &s->log_config, error));
}

void session_restarted(struct session *s)
{
    trace_reset(s->trace);
    trace_reset(s->log);
    if (s->gdb)
        gdb_restarted(s->gdb);
    if (s->own)
        stops_moved_all(&s->own->stops);
    if (s->own && s->own->reverse)
        reverse_changed(s->own->reverse);
    monitors_event(s->monitors, "RESET", !s->host_reset, s->host_reset ? "host-qmp-system-reset" : "guest-reset");
    s->begun = !session_stands(s);
    s->host_reset = false;
}

static struct run_end machine_go(struct session *s, u64 limit)
{
    s->called = false;
    if (s->gdb)
        return gdb_run(s->gdb, limit);
    if (s->own)
        stops_resume(&s->own->stops, s->own->cpu);
    if (s->own && s->own->reverse)
        return reverse_run(s->own->reverse, limit);
    return machine_run(s->m, limit);
}

/* What monitors want before the machine goes on. True: the run is over. */
static bool monitors_first(struct session *s, struct run_end *end)
{
    monitors_run(s->monitors);
    display_stand(s->console->ends.display);
    if (s->paused && !s->want_reset)
        pause_wait(s);
    *end = (struct run_end){ .kind = END_REQUEST };
    return session_over(s) || console_ended(s->console, end);
}

/* Did the machine come back for a monitor? */
static bool monitors_mine(struct session *s, const struct run_end *end)
{
    if (end->kind != END_REQUEST || end->status || s->console->ends.quit)
        return false;
    bool hit = s->own && s->own->stops.pending.hit;
    if (hit)
        hit_tell(s);
    s->paused |= hit;
    return hit || s->called || (s->gdb && session_over(s));
}

/* Those of -picture whose instruction this is, when the machine has come there. */
static void pictures_now(struct session *s)
{
    while (machine_insns(s->m) >= s->pictures_at) {
        u64 at = s->pictures_at;
        s->pictures_at = pictures_due(s->o, at + 1);
        pictures_write(s, s->o, at);
    }
}

struct run_end session_run(struct session *s, u64 limit)
{
    for (;;) {
        struct run_end end;
        if (monitors_first(s, &end))
            return end;
        u64 due = s->save_at < limit ? s->save_at : limit, to = s->trace ? trace_limit(s->trace, due) : due;
        to = s->log ? trace_limit(s->log, to) : to;
        pictures_now(s);
        to = s->pictures_at < to ? s->pictures_at : to;
        end = machine_go(s, to);
        if (end.kind == END_INSNS && to < due && machine_insns(s->m) >= to)
            continue; /* a window of a trace begins or ends, or a picture is due */
        bool counted = end.kind == END_INSNS && machine_insns(s->m) >= s->save_at;
        if (!counted && !s->save_due && monitors_mine(s, &end))
            continue;
        if (!counted && !s->save_due)
            return end;
        save(s);
        if (s->console->until_seen) /* the same text: saved, and the end */
            return (struct run_end){ .kind = END_EXIT };
        if (end.kind != END_INSNS && end.kind != END_REQUEST)
            return end;
        if (end.kind == END_INSNS && machine_insns(s->m) >= limit)
            return end;
    }
}

void session_at_end(struct session *s)
{
    struct text out = { 0 };
    if (s->o->at_end && s->console->until_seen) /* which most often is in the middle of a line */
        printf("\n");
    for (const char *at = s->o->at_end; at && *at;) {
        char line[1024];
        size_t length = strcspn(at += strspn(at, "; "), ";");
        snprintf(line, sizeof(line), "%.*s", (int)length, at);
        at += length;
        text_clear(&out);
        monitors_line(s->monitors, line, &out);
        if (line[0])
            printf("> %s\n%s", line, out.s ? out.s : "");
    }
    fflush(stdout);
    text_free(&out);
}

bool session_destroy(struct session *s, int status)
{
    char error[256];
    traced = NULL;
    pictures_now(s);
    pictures_end(s, s->o, machine_insns(s->m));
    monitors_destroy(s->monitors);
    if (s->own && s->own->reverse)
        reverse_destroy(s->own->reverse);
    if (s->own)
        debugger_end(s->own);
    free(s->own);
    if (s->gdb)
        gdb_close(s->gdb, status);
    if (s->save_at != NEVER || s->save_text)
        fprintf(stderr, "elmu: -snapshot-save: the run ended before that\n");
    if (s->o->replay && journal_mark(s->journal) < journal_count(s->journal))
        fprintf(stderr, "elmu: -replay: the run ended, or took another course, after %llu of %llu entries\n",
                (unsigned long long)journal_mark(s->journal), (unsigned long long)journal_count(s->journal));
    bool ok = !s->o->record || journal_write(s->journal, s->o->record, error);
    if (!ok)
        fprintf(stderr, "elmu: -record: %s\n", error);
    if (s->journal)
        journal_detach(s->journal);
    timeline_destroy(s->timeline);
    if (!trace_close(s->log, error)) {
        fprintf(stderr, "elmu: %s\n", error);
        ok = false;
    }
    if (!trace_close(s->trace, error)) {
        fprintf(stderr, "elmu: %s\n", error);
        ok = false;
    }
    if (s->symbols)
        symbols_destroy(s->symbols);
    free(s);
    return ok;
}
