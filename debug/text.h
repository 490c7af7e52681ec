/* Text that grows: what monitor commands print and packets carry. */
#ifndef DEBUG_TEXT_H
#define DEBUG_TEXT_H

#include "lib/base.h"

struct text {
    char *s; /* always ends with a 0 once something was added; NULL before */
    size_t length, room;
    bool failed; /* no memory: what followed is lost */
};

void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct text *t, const void *bytes, size_t size);
/* Two hex digits a byte. */
void text_hex(struct text *t, const void *bytes, size_t size);
void text_clear(struct text *t);
void text_free(struct text *t);

#endif
