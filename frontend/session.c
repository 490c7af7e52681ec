/*
 * A run under -gdb, -snapshot-save, -restore, -record, -replay, -trace and friends: what these options put between main
 * and machine_run.
 */
#include "frontend/frontend.h"

#include "debug/file.h"
#include "debug/gdb/gdb.h"
#include "debug/journal.h"
#include "debug/snapshot.h"
#include "debug/symbols.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 256 };

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
    char tail[MAX_PORTS][TEXT_LIMIT];
    bool save_due;
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
static void symbols_read(struct session *s)
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
        gdb_set_symbols(s->gdb, s->symbols);
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
    trace_begin(s);
    if (o->gdb && !(s->gdb = gdb_open(m, o->gdb, o->stopped, error)))
        die("%s", error);
    if (s->gdb) {
        gdb_set_interrupted(s->gdb, terminal_interrupted);
        symbols_read(s);
    }
    return s;
}

void session_poll(struct session *s)
{
    if (s && s->gdb)
        gdb_poll(s->gdb);
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

bool session_flush(struct session *s) { return s && s->trace && trace_flush(s->trace); }

void session_restarted(struct session *s)
{
    trace_reset(s->trace);
    if (s->gdb)
        gdb_restarted(s->gdb);
}

struct run_end session_run(struct session *s, u64 limit)
{
    for (;;) {
        u64 due = s->save_at < limit ? s->save_at : limit, to = s->trace ? trace_limit(s->trace, due) : due;
        struct run_end end = s->gdb ? gdb_run(s->gdb, to) : machine_run(s->m, to);
        if (end.kind == END_INSNS && to < due && machine_insns(s->m) >= to)
            continue; /* a window of a trace begins or ends */
        bool counted = end.kind == END_INSNS && machine_insns(s->m) >= s->save_at;
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

bool session_destroy(struct session *s, int status)
{
    char error[256];
    traced = NULL;
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
    if (!trace_close(s->trace, error)) {
        fprintf(stderr, "elmu: %s\n", error);
        ok = false;
    }
    if (s->symbols)
        symbols_destroy(s->symbols);
    free(s);
    return ok;
}
