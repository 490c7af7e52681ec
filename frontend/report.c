/* The report of a run: from its beginning to the file. */
#include "frontend/report_internal.h"

#include "debug/file.h"
#include "debug/symbols.h"

#include <stdlib.h>

/* ---- the subcommand ---- */

static const char usage[] =
    "usage: elmu report OPTIONS-OF-A-RUN -o FILE.html\n"
    "       elmu report --compare A.html B.html -o FILE.html\n"
    "The first runs as elmu does with these options, and writes a page of the run; so does the option -report FILE.html. The\n"
    "second compares the runs of two such pages.";

/* The word behind -o, which is taken out of the words with it. */
static const char *output_take(int *argc, char **argv)
{
    for (int n = 1; n + 1 < *argc; n++)
        if (!strcmp(argv[n], "-o") || !strcmp(argv[n], "--o")) {
            const char *file = argv[n + 1];
            memmove(&argv[n], &argv[n + 2], sizeof(argv[0]) * (size_t)(*argc - n - 1));
            *argc -= 2;
            return file;
        }
    return NULL;
}

bool report_main(int *argc, char ***argv, int *status)
{
    char **words = calloc((size_t)*argc + 3, sizeof(*words)); /* the program's name, ours, and what follows */
    if (!words)
        die("out of memory");
    memcpy(words, *argv, sizeof(*words) * (size_t)*argc);
    int count = *argc;
    const bool compares = count > 2 && (!strcmp(words[2], "--compare") || !strcmp(words[2], "-compare"));
    if (count < 3 || !strcmp(words[2], "-help") || !strcmp(words[2], "--help") || !strcmp(words[2], "-h")) {
        puts(usage);
        free(words);
        *status = count < 3;
        return true;
    }
    const char *file = output_take(&count, words);
    if (!file)
        die("report: needs -o FILE.html");
    if (compares && count != 5)
        die("report --compare: expected two pages, and -o FILE.html");
    if (compares) {
        *status = report_compare(words[3], words[4], file);
        free(words);
        return true;
    }
    static char option[] = "-report";
    memmove(&words[1], &words[2], sizeof(*words) * (size_t)(count - 2));
    words[count - 1] = option;
    words[count] = (char *)(uintptr_t)file;
    *argc = count + 1;
    *argv = words;
    return false;
}

/* ---- the run ---- */

struct report *report_create(const struct options *o, int argc, char **argv)
{
    char error[256];
    if (!o->report)
        return NULL;
    if (!file_is_stream(o->report) && !file_can_be(o->report, error))
        die("-report: %s", error);
    struct report *r = calloc(1, sizeof(*r));
    if (!r || !(r->page = json_pack("{s:s,s:i}", "format", REPORT_FORMAT, "version", REPORT_VERSION)))
        die("out of memory");
    r->o = o;
    r->argc = argc;
    r->argv = argv;
    return r;
}

void report_begin(struct report *r, struct session *s)
{
    if (!r)
        return;
    session_timeline(s);
    session_debugger(s); /* guests and their stage 2 are noted from the start */
}

static NOINLINE void tape_begin(struct tape *t)
{
    t->head = malloc(TAPE_HEAD);
    t->tail = malloc(TAPE_TAIL);
    if (!t->head || !t->tail)
        die("out of memory");
}

void report_output(struct report *r, unsigned port, u8 byte)
{
    if (!r)
        return;
    struct tape *t = &r->tape[port];
    if (unlikely(!t->head))
        tape_begin(t);
    if (t->bytes < TAPE_HEAD)
        t->head[t->bytes] = byte;
    else
        t->tail[(t->bytes - TAPE_HEAD) % TAPE_TAIL] = byte;
    t->bytes++;
}

enum gathered { NOW, LATER };
static const struct {
    const char *name;
    enum gathered when;
    json_t *(*gather)(const struct gatherer *g);
} sections[] = {
#define SECTION(name, when, ...) { #name, when, gather_##name },
#include "frontend/report.def"
};

static void gather(const struct gatherer *g, enum gathered when)
{
    for (unsigned n = 0; n < ARRAY_LEN(sections); n++) {
        json_t *j = sections[n].when == when ? sections[n].gather(g) : NULL;
        if (j)
            json_object_set_new(g->r->page, sections[n].name, j);
    }
}

void report_gather(struct report *r, struct machine *m, struct session *s, const struct run_end *end)
{
    if (!r)
        return;
    const struct gatherer g = { r, r->o, m, s, session_debugger(s), session_timeline(s), end };
    gather(&g, NOW);
}

json_t *gather_coverage(const struct gatherer *g)
{
    return g->o->trace.coverage ? trace_coverage(g->o->trace.coverage) : NULL;
}
json_t *gather_profile(const struct gatherer *g)
{
    return g->o->trace.profile ? trace_profile(g->o->trace.profile) : NULL;
}

static bool put(const char *file, const struct text *page)
{
    char error[256];
    struct new_file *f = page->failed ? NULL : new_file_open(file, error);
    if (page->failed)
        snprintf(error, sizeof(error), "out of memory");
    if (f) {
        new_file_put(f, page->s, page->length);
        if (new_file_done(f, error))
            return true;
    }
    fprintf(stderr, "elmu: -report: %s\n", error);
    return false;
}

/* They are in the page once. */
static void pictures_drop(json_t *page)
{
    size_t n;
    json_t *walk;
    json_array_foreach(json_object_get(page, "walks"), n, walk) json_object_del(walk, "picture");
    json_object_del(page, "views");
}

bool report_write(struct report *r, struct machine *m, int status)
{
    if (!r)
        return true;
    struct text body = { 0 }, page = { 0 };
    const struct gatherer g = { .r = r, .o = r->o };
    gather(&g, LATER);
    json_t *run = json_object_get(r->page, "run");
    json_object_set_new(run, "status", json_integer(status));
    json_object_set_new(run, "hash", json_print("%016llx", (unsigned long long)machine_hash(m)));
    page_run(&body, r->page);
    pictures_drop(r->page);
    page_make(&page, "Report of a run", &body, json_pack("[O]", r->page));
    bool ok = put(r->o->report, &page);
    text_free(&body);
    text_free(&page);
    json_decref(r->page);
    for (unsigned n = 0; n < ALL_PORTS; n++) {
        free(r->tape[n].head);
        free(r->tape[n].tail);
    }
    free(r);
    return ok;
}
