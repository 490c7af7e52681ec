/* Text that grows. */
#include "debug/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool reserve(struct text *t, size_t more)
{
    size_t need = t->length + more + 1, room = t->room ? t->room : 256;
    if (t->failed)
        return false;
    while (room < need)
        room *= 2;
    char *s = room == t->room ? t->s : realloc(t->s, room);
    t->failed = !s;
    if (!s)
        return false;
    t->s = s;
    t->room = room;
    return true;
}

void text_bytes(struct text *t, const void *bytes, size_t size)
{
    if (!reserve(t, size))
        return;
    memcpy(t->s + t->length, bytes, size);
    t->length += size;
    t->s[t->length] = 0;
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(t, (size_t)n))
        return;
    va_start(args, format);
    vsnprintf(t->s + t->length, (size_t)n + 1, format, args);
    va_end(args);
    t->length += (size_t)n;
}

void text_hex(struct text *t, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const u8 *b = bytes;
    for (size_t n = 0; n < size; n++) {
        char two[2] = { digits[b[n] >> 4], digits[b[n] & 15] };
        text_bytes(t, two, 2);
    }
}

void text_clear(struct text *t)
{
    t->length = 0;
    if (t->s)
        t->s[0] = 0;
}

void text_free(struct text *t)
{
    free(t->s);
    *t = (struct text){ 0 };
}
