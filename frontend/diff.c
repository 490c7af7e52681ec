/*
 * elmu diff A B [options]: two snapshots, or two runs, each given by the options that it has besides the common ones.
 * Status 0: the same, 2: they differ, 1: an error.
 */
#define _GNU_SOURCE
#include "frontend/input.h"
#include "frontend/net.h"

#include "debug/diff.h"
#include "debug/journal.h"
#include "debug/snapshot.h"

#include <stdlib.h>
#include <unistd.h>

enum { MAX_WORDS = 256, SHOWN = 200, STATUS_DIFFER = 2 };

struct diff_run {
    struct options o;
    struct frontend f;
    struct boot_config boot;
    struct machine *m;
    struct journal *journal; /* NULL: no -replay */
    char *own;               /* the words that only it has, cut apart */
    char *words[MAX_WORDS];  /* its command line */
    int count;
};

static const char usage[] =
    "usage: elmu diff A B [options]\n"
    "A, B: two snapshots, of machines that the options make; or each the options of a run besides the common ones,\n"
    "in quotes (\"\": none; \"-replay FILE\" and \"-restore FILE\", too). Disks are not written to.\n"
    "example: elmu diff '-seed 1' '-seed 2' -M virt,virtualization=on -kernel hyp.elf -max-insns 100000000\n"
    "Prints the first instruction at which the runs part, and each register and memory word that differs then.";

/* Words at blanks; '...' and "..." keep theirs. */
static void words_add(struct diff_run *r, const char *text)
{
    char *p = r->own = strdup(text);
    if (!p)
        die("out of memory");
    while (*(p += strspn(p, " \t\n"))) {
        char *to = p, quote = 0;
        if (r->count == MAX_WORDS)
            die("diff: more than %d words", MAX_WORDS);
        r->words[r->count++] = p;
        for (; *p && (quote || !strchr(" \t\n", *p)); p++) {
            if (*p == quote)
                quote = 0;
            else if (!quote && (*p == '\'' || *p == '"'))
                quote = *p;
            else
                *to++ = *p;
        }
        p += *p != 0;
        *to = 0;
    }
}

/* A run prints nothing and reads nothing: there are two. */
static void consoles_close(struct options *o)
{
    for (unsigned n = 0; n < o->chardev_count; n++)
        if (!strcmp(o->chardev[n].kind->name, "stdio"))
            o->chardev[n].kind = char_kind_find("null");
    o->mon_count = 0;
}

/* Runs are made again and again: what they write to disks stays with them. */
static void options_fit(struct options *o)
{
    const char *no = o->gdb ? "-gdb" : o->record ? "-record" : o->snapshot_save ? "-snapshot-save" : NULL;
    if (no || trace_wanted(&o->trace))
        die("diff: %s has no place here", no ? no : "a trace");
    o->net_cut = true;
    o->dump_count = 0;
    for (unsigned n = 0; n < o->drive_count; n++)
        o->drive[n].snapshot = !o->drive[n].readonly;
}

static void replay(struct diff_run *r)
{
    char error[256];
    if (!(r->journal = journal_attach(r->m)))
        die("out of memory");
    if (!journal_read(r->journal, r->o.replay, error))
        die("diff: -replay: %s", error);
}

static void run_make(struct diff_run *r, const char *own, int argc, char **argv, const char *snapshot)
{
    char error[256];
    int status;
    r->words[r->count++] = argv[0];
    for (int n = 3; n < argc && r->count < MAX_WORDS; n++)
        r->words[r->count++] = argv[n];
    words_add(r, own);
    if (!options_parse(&r->o, r->count, r->words, &status))
        exit(status);
    options_fit(&r->o);
    consoles_close(&r->o);
    snapshot = snapshot ? snapshot : r->o.restore;
    if ((r->o.restore = snapshot))
        restore_options(&r->o);
    r->m = machine_load(&r->o, &r->f, &r->boot);
    if (snapshot && !snapshot_restore(r->m, snapshot, error))
        die("diff: %s", error);
    console_open(&r->f.console, r->m, &r->o);
    if (r->o.replay)
        replay(r);
}

static void run_free(struct diff_run *r)
{
    if (r->journal)
        journal_detach(r->journal);
    console_close(&r->f.console);
    machine_destroy(r->m);
    disks_close(r->f.disks);
    nets_close(r->f.nets);
    inputs_close(r->f.inputs);
    free(r->own);
}

static struct symbols *symbols_make(const struct options *o)
{
    struct symbols *s = symbols_create();
    char error[256];
    for (unsigned n = 0; s && n < o->trace.symbol_count; n++)
        if (!symbols_add(s, &o->trace.symbol[n], error))
            die("-sym %s", error);
    return s;
}

static int states_report(struct diff_run *a, struct diff_run *b, struct out *out, const struct symbols *symbols)
{
    struct diff_count c = diff_states(a->m, b->m, symbols, out, SHOWN);
    return c.registers || c.words || c.devices ? STATUS_DIFFER : 0;
}

static int runs_report(struct diff_run *a, struct diff_run *b, struct out *out, const struct symbols *symbols)
{
    u64 limit = a->o.max_insns < b->o.max_insns ? a->o.max_insns : b->o.max_insns;
    enum diff_end end = diff_runs(a->m, b->m, limit);
    u64 at = machine_insns(a->m);
    if (end == DIFF_FAILED)
        die("diff: cannot fork");
    if (end == DIFF_SAME && machine_hash(a->m) == machine_hash(b->m)) {
        out_format(out, "the runs are the same: %llu instructions\n", (unsigned long long)at);
        return 0;
    }
    if (end == DIFF_SAME) {
        out_format(out, "the runs execute the same %llu instructions, but what they began with differs\n",
                   (unsigned long long)at);
        return states_report(a, b, out, symbols);
    }
    out_format(out, "the runs part after %llu instructions, at\nA: ", (unsigned long long)at);
    diff_next(a->m, symbols, out);
    out_format(out, "B: ");
    diff_next(b->m, symbols, out);
    machine_run(a->m, at + 1);
    machine_run(b->m, at + 1);
    out_format(out, "after it\n");
    diff_states(a->m, b->m, symbols, out, SHOWN);
    return STATUS_DIFFER;
}

int diff_main(int argc, char **argv)
{
    char error[256];
    if (argc < 3 || !strcmp(argv[1], "-help") || !strcmp(argv[1], "--help")) {
        puts(usage);
        return argc < 3;
    }
    bool files[2] = { access(argv[1], R_OK) == 0, access(argv[2], R_OK) == 0 };
    for (unsigned n = 0; n < 2; n++)
        if (!files[n] && argv[n + 1][0] && argv[n + 1][0] != '-')
            die("diff: %s: neither a snapshot that can be read nor options", argv[n + 1]);
    if (files[0] != files[1])
        die("diff: a snapshot and a run: give two of a kind");
    static struct diff_run runs[2];
    struct diff_run *a = &runs[0], *b = &runs[1];
    run_make(a, files[0] ? "" : argv[1], argc, argv, files[0] ? argv[1] : NULL);
    run_make(b, files[1] ? "" : argv[2], argc, argv, files[1] ? argv[2] : NULL);
    if (a->m->options.cpu_count != b->m->options.cpu_count || a->m->options.ram_size != b->m->options.ram_size)
        die("diff: the machines have different numbers of CPUs or sizes of RAM");
    struct symbols *symbols = symbols_make(&a->o);
    struct out *out = out_open("-", false, error);
    if (!out)
        die("%s", error);
    int status = files[0] ? states_report(a, b, out, symbols) : runs_report(a, b, out, symbols);
    if (!out_close(out, true, error))
        die("%s", error);
    run_free(a);
    run_free(b);
    symbols_destroy(symbols);
    return status;
}
