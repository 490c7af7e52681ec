/* Words of the run as JSON strings, which are UTF-8; what a console printed as plain text. */
#define _GNU_SOURCE
#include "frontend/report_internal.h"

#include <stdarg.h>
#include <stdlib.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Bytes of the character that begins here; 0: none does (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_length(const u8 *p, size_t left)
{
    size_t n = *p < 0x80                 ? 1
               : *p >= 0xc2 && *p < 0xe0 ? 2
               : *p >= 0xe0 && *p < 0xf0 ? 3
               : *p >= 0xf0 && *p < 0xf5 ? 4
                                         : 0;
    if (n > left)
        return 0;
    for (size_t k = 1; k < n; k++)
        if ((p[k] & 0xc0) != 0x80)
            return 0;
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0) || (*p == 0xf0 && p[1] < 0x90) ||
        (*p == 0xf4 && p[1] >= 0x90))
        return 0;
    return n;
}

static json_t *string_of(struct text *t)
{
    json_t *j = json_stringn(t->s ? t->s : "", t->length);
    text_free(t);
    return j ? j : json_string("");
}

json_t *json_words(const char *text, size_t size)
{
    struct text out = { 0 };
    const u8 *p = (const u8 *)text;
    for (size_t n = 0, length; n < size; n += length ? length : 1) {
        length = utf8_length(p + n, size - n);
        if (!length || (length == 1 && (p[n] == 127 || (p[n] < ' ' && p[n] != '\n' && p[n] != '\t'))))
            text_add(&out, "%s", replacement);
        else
            text_bytes(&out, p + n, length);
    }
    return string_of(&out);
}

json_t *json_print(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    json_t *j = n < 0 ? NULL : json_words(text, (size_t)n);
    if (n >= 0)
        free(text);
    return j;
}

/* ---- consoles ---- */

/* Bytes of the escape sequence that begins here (ECMA-48): CSI up to its final byte, strings (OSC, DCS, ...) up to BEL
 * or ST, others with their intermediate bytes. One that does not end goes to the end, but a string no further than its
 * line. */
static size_t escape_length(const u8 *p, size_t left)
{
    size_t n = 2;
    if (left < 2)
        return left;
    if (p[1] == '[') {
        while (n < left && p[n] >= 0x20 && p[n] < 0x40)
            n++;
        return n < left && p[n] >= 0x40 && p[n] < 0x7f ? n + 1 : n;
    }
    if (p[1] == ']' || p[1] == 'P' || p[1] == 'X' || p[1] == '^' || p[1] == '_') {
        while (n < left && p[n] != 7 && p[n] != 27 && p[n] != '\n')
            n++;
        return n < left && p[n] == 7 ? n + 1 : n + 1 < left && p[n] == 27 && p[n + 1] == '\\' ? n + 2 : n;
    }
    n = 1;
    while (n < left && p[n] >= 0x20 && p[n] < 0x30)
        n++;
    return n < left && p[n] >= 0x30 && p[n] < 0x7f ? n + 1 : n;
}

/* The last character goes, but not that of another line. */
static void rub_out(struct text *t)
{
    while (t->length && t->s[t->length - 1] != '\n' && ((u8)t->s[t->length - 1] & 0xc0) == 0x80)
        t->length--;
    if (t->length && t->s[t->length - 1] != '\n')
        t->length--;
}

/* A return without a line feed begins the line anew: what stood there was overprinted. */
static void line_again(struct text *t)
{
    while (t->length && t->s[t->length - 1] != '\n')
        t->length--;
}

json_t *json_console(const u8 *bytes, size_t size)
{
    struct text out = { 0 };
    for (size_t n = 0, length = 0; n < size; n += length) {
        const u8 c = bytes[n];
        size_t returns = 0;
        length = 1;
        while (c == '\r' && n + returns < size && bytes[n + returns] == '\r')
            returns++;
        if (c == 27)
            length = escape_length(bytes + n, size - n);
        else if (returns && n + returns < size && bytes[n + returns] != '\n')
            line_again(&out), length = returns;
        else if (returns)
            length = returns;
        else if (c == 8)
            rub_out(&out);
        else if (c == '\n' || c == '\t' || (c >= ' ' && c < 127))
            text_bytes(&out, &c, 1);
        else if (c >= 128 && (length = utf8_length(bytes + n, size - n)))
            text_bytes(&out, bytes + n, length);
        else if (c >= 128)
            length = 1, text_add(&out, "%s", replacement);
    }
    return string_of(&out);
}
