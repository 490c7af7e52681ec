/*
 * QEMU's machine protocol, for those who add a command: a row of frontend/qmp.def and its function. Who is at the other
 * end is a program; frontend/qmp.c has the protocol.
 */
#ifndef FRONTEND_QMP_H
#define FRONTEND_QMP_H

#include "frontend/frontend.h"

#include <jansson.h>

enum { JOBS = 64 };

/* What goes on by itself, and is told of by JOB_STATUS_CHANGE. Here each is over when the command returns. */
struct qmp_job {
    char id[64], error[256]; /* error: "": it went well */
    const char *type;        /* NULL: a free place */
};

struct qmp {
    struct monitors *monitors;
    struct session *session;
    struct console *console;
    struct machine *m;
    const struct options *o;
    struct qmp_peer *peer;
    unsigned peers;
    struct qmp_job job[JOBS];
    u64 dumped; /* bytes of the last dump that went well; 0: none */
};

/* A command that is carried out. */
struct qmp_call {
    struct qmp *all;
    json_t *args;            /* an object, as the row says that it must be */
    const char *error_class; /* NULL: it went well */
    char error[512];
};
/* What the answer holds; NULL: an empty object, or qmp_fail was called. */
typedef json_t *qmp_fn(struct qmp_call *c);
#define QMP(name, args, function, ...) qmp_fn function;
#include "frontend/qmp.def"

/* The answer is an error of class GenericError. NULL. */
json_t *qmp_fail(struct qmp_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Arguments. NULL, `otherwise`: it was not given. */
const char *qmp_text(const struct qmp_call *c, const char *name);
s64 qmp_number(const struct qmp_call *c, const char *name, s64 otherwise);
bool qmp_flag(const struct qmp_call *c, const char *name);
/* frontend/qmp_schema.c: are the arguments what a row says? False: said why not. */
bool qmp_args_fit(struct qmp_call *c, const char *row);
/* A string; what is no UTF-8 in it is replaced. */
json_t *qmp_string(const char *bytes, size_t size);
/* Tells all peers. data: NULL, or becomes the event's. */
void qmp_event(struct qmp *q, const char *name, json_t *data);
/* Names of commands and events, in the order of the table; NULL past the last. */
const char *qmp_command_name(unsigned n);
const char *qmp_event_name(unsigned n);
/* What this program is, as greeting and query-version have it. */
json_t *qmp_version(void);

/* ---- for monitors ---- */
struct qmp *qmp_create(struct session *s, const struct options *o, struct console *console, struct monitors *monitors);
void qmp_destroy(struct qmp *q);
/* Does a message wait? */
bool qmp_due(const struct qmp *q);
/* Carries out those that wait, while the machine stands. */
void qmp_run(struct qmp *q);

#endif
