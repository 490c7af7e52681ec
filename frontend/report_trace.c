/* What traces wrote, for the page: lcov records (-coverage) and folded stacks (-profile), read again when they are
 * whole. */
#define _GNU_SOURCE
#include "frontend/report_internal.h"

#include "debug/file.h"

#include <stdlib.h>

enum { LINE = 4096, DEPTH = 96, FRAMES = 20000 };

/* The next line of a file without its end, cut at LINE. False: there is none. */
static bool line_next(const struct file_map *m, u64 *at, char line[LINE])
{
    if (*at >= m->size)
        return false;
    const u8 *from = m->bytes + *at, *end = memchr(from, '\n', m->size - *at);
    const u64 length = end ? (u64)(end - from) : m->size - *at;
    const u64 kept = length < LINE - 1 ? length : LINE - 1;
    memcpy(line, from, kept);
    line[kept] = 0;
    *at += length + 1;
    return true;
}

/* ---- coverage ---- */

struct counted {
    u64 lines, hit, functions, called, branches, taken;
};

/* A line of lcov's (geninfo(1)): each is counted by what it begins with. */
static void lcov_line(struct counted *c, const char *line)
{
    const char *last = strrchr(line, ',');
    const bool any = last && strcmp(last, ",0") && strcmp(last, ",-");
    if (!strncmp(line, "DA:", 3))
        c->lines++, c->hit += any;
    else if (!strncmp(line, "BRDA:", 5))
        c->branches++, c->taken += any;
    else if (!strncmp(line, "FNDA:", 5))
        c->functions++, c->called += strncmp(line, "FNDA:0,", 7) != 0;
}

json_t *trace_coverage(const char *file)
{
    struct file_map m;
    char error[256], line[LINE], name[LINE] = "";
    struct counted c = { 0 };
    json_t *list = json_array();
    if (file_is_stream(file) || !file_map(&m, file, error))
        return list;
    for (u64 at = 0; line_next(&m, &at, line);) {
        if (!strncmp(line, "SF:", 3)) {
            memcpy(name, line + 3, strlen(line + 3) + 1);
            c = (struct counted){ 0 };
        }
        lcov_line(&c, line);
        if (!strcmp(line, "end_of_record") && c.lines)
            json_array_append_new(list, json_pack("{s:o,s:I,s:I,s:I,s:I,s:I,s:I}", "file", json_print("%s", name),
                                                  "lines", (json_int_t)c.lines, "hit", (json_int_t)c.hit, "functions",
                                                  (json_int_t)c.functions, "called", (json_int_t)c.called, "branches",
                                                  (json_int_t)c.branches, "taken", (json_int_t)c.taken));
    }
    file_unmap(&m);
    return list;
}

/* ---- profile ---- */

struct frame {
    char *name;
    u64 own, all;
    u32 child, next; /* numbers of frames; 0: none */
};
struct frames {
    struct frame *frame; /* [0] is what all stacks begin in */
    u32 count;
};

static u32 child_of(struct frames *f, u32 parent, const char *name)
{
    u32 n = f->frame[parent].child;
    while (n && strcmp(f->frame[n].name, name))
        n = f->frame[n].next;
    if (n || f->count == FRAMES)
        return n ? n : parent;
    f->frame[f->count] = (struct frame){ .name = strdup(name), .next = f->frame[parent].child };
    if (!f->frame[f->count].name)
        die("out of memory");
    f->frame[parent].child = f->count;
    return f->count++;
}

/* "EL2;main;print 1234" */
static void stack_add(struct frames *f, char *line)
{
    char *number = strrchr(line, ' '), *rest = line;
    u32 n = 0, depth = 0;
    if (!number)
        return;
    *number = 0;
    const u64 count = strtoull(number + 1, NULL, 10);
    f->frame[0].all += count;
    for (char *name; depth < DEPTH && (name = strsep(&rest, ";")); depth++) {
        n = child_of(f, n, name);
        f->frame[n].all += count;
    }
    f->frame[n].own += count;
}

/* Frames that are too narrow to be seen are left out. */
static json_t *frame_json(const struct frames *f, u32 n, u64 least)
{
    json_t *children = json_array();
    for (u32 k = f->frame[n].child; k; k = f->frame[k].next)
        if (f->frame[k].all >= least)
            json_array_insert_new(children, 0, frame_json(f, k, least));
    return json_pack("{s:o,s:I,s:I,s:o}", "name", json_print("%s", f->frame[n].name ? f->frame[n].name : "all"), "own",
                     (json_int_t)f->frame[n].own, "all", (json_int_t)f->frame[n].all, "frames", children);
}

json_t *trace_profile(const char *file)
{
    struct file_map m;
    char error[256], line[LINE];
    struct frames f = { .frame = calloc(FRAMES, sizeof(*f.frame)), .count = 1 };
    if (!f.frame)
        die("out of memory");
    if (file_is_stream(file) || !file_map(&m, file, error)) {
        free(f.frame);
        return json_object();
    }
    for (u64 at = 0; line_next(&m, &at, line);)
        stack_add(&f, line);
    file_unmap(&m);
    json_t *j = frame_json(&f, 0, f.frame[0].all / 2000 + 1);
    for (u32 n = 1; n < f.count; n++)
        free(f.frame[n].name);
    free(f.frame);
    return j;
}
