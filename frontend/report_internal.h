/* Between the files of the report: gathering makes JSON, showing makes HTML of it; both go by frontend/report.def. */
#ifndef FRONTEND_REPORT_INTERNAL_H
#define FRONTEND_REPORT_INTERNAL_H

#include "frontend/report.h"

#include "debug/debugger.h"
#include "debug/text.h"
#include "debug/timeline.h"

#include <jansson.h>

#define REPORT_FORMAT "elmu report"
enum { REPORT_VERSION = 1 };

/* ---- gathering ---- */

enum { TAPE_HEAD = 64 << 10, TAPE_TAIL = 128 << 10 }; /* bytes of a console that are kept: the first, the last */
struct tape {
    u8 *head, *tail;
    u64 bytes; /* in all */
};
struct report {
    const struct options *o;
    int argc;
    char **argv;
    struct tape tape[ALL_PORTS];
    json_t *page;
};
struct gatherer {
    struct report *r;
    const struct options *o;
    struct machine *m;
    struct session *s;
    struct debugger *d;
    struct timeline *t;
    const struct run_end *end;
};
#define SECTION(name, ...) json_t *gather_##name(const struct gatherer *g);
#include "frontend/report.def"
/* frontend/report_trace.c: of files that are written when traces end. */
json_t *trace_coverage(const char *file);
json_t *trace_profile(const char *file);

/* A JSON string of any bytes: what is no UTF-8, and control characters, are replaced. */
json_t *json_words(const char *text, size_t size);
json_t *json_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A console's bytes as text: without escape sequences, overprinting resolved. */
json_t *json_console(const u8 *bytes, size_t size);

/* ---- showing ---- */

/* run: what was gathered under that name. All of it may be anything, when it comes from a file: what is not there, or
 * of another type, reads as "", 0 or nothing. */
#define SECTION(name, ...) void show_##name(struct text *out, const json_t *run);
#include "frontend/report.def"
const char *json_text(const json_t *o, const char *key);
u64 json_number(const json_t *o, const char *key);
const json_t *json_list(const json_t *o, const char *key);
/* Escaped, for text and for attributes in quotes. */
void html_text(struct text *out, const char *text);
/* "1 234 567". */
void html_number(struct text *out, u64 n);
/* The head of a table: column titles, `|` between them; one that begins with # is of numbers. */
void html_table(struct text *out, const char *caption, const char *columns);
void html_table_end(struct text *out);
void html_cell(struct text *out, const char *text);
void html_cell_number(struct text *out, u64 n);
/* n of all, as a bar with its share in words. */
void html_cell_bar(struct text *out, u64 n, u64 all, const char *ink);

/* A page around `body`, with the JSON that its script and --compare read. */
void page_make(struct text *out, const char *title, const struct text *body, json_t *data);
/* Sections of a run. */
void page_run(struct text *out, const json_t *page);
/* frontend/report_compare.c */
int report_compare(const char *a, const char *b, const char *to);

#endif
