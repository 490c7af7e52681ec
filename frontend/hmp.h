/* For the files that hold commands of QEMU's human monitor (frontend/hmp.def). */
#ifndef FRONTEND_HMP_H
#define FRONTEND_HMP_H

#include "frontend/frontend.h"

#include "debug/debugger.h"

/* A command: its words, and where its answer goes. */
struct hmp {
    struct monitors *all;
    struct session *session;
    struct console *console;
    struct machine *m;
    const struct options *o;
    char *rest; /* the line after the word that was taken last; never NULL */
    struct text *out;
    bool failed; /* hmp_fail was called */
};
typedef void hmp_fn(struct hmp *h);
#define HMP(name, alias, args, function, help) hmp_fn function;
#define INFO_BY(name, function, help)          hmp_fn function;
#include "frontend/hmp.def"

/* The first word of the rest, which is cut off; "" when there is none. In quotes it may have blanks, and \ before a
 * quote or itself. */
char *hmp_word(struct hmp *h);
/* The /FORMAT that the rest may begin with, or "". */
char *hmp_format(struct hmp *h);
/* An expression at the front of the rest, which is cut off: numbers, 'c', $register, symbols, + - * / % & | ^ ~ ( ).
 * Blanks around its operators; one: it ends before the next blank. False: said what is wrong. */
bool hmp_expression(struct hmp *h, bool one, u64 *value);
/* The answer is an error. */
void hmp_fail(struct hmp *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define HEX(v) ((unsigned long long)(v))

#endif
