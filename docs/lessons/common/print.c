/* A small printf. */
#include "lib.h"

#include <stdarg.h>

static void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

static void put_number(u64 v, unsigned base)
{
    char digits[20];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n)
        put_char(digits[--n]);
}

static void put_signed(int64_t v)
{
    if (v < 0)
        put_char('-');
    put_number(v < 0 ? -(u64)v : (u64)v, 10);
}

void print_list(const char *format, va_list list);
void print_list(const char *format, va_list list)
{
    for (; *format; format++) {
        if (*format != '%') {
            put_char(*format);
            continue;
        }
        bool is_long = *++format == 'l';
        format += is_long;
        switch (*format) {
        case 's': put_text(va_arg(list, const char *)); break;
        case 'c': put_char((char)va_arg(list, int)); break;
        case 'd': put_signed(is_long ? va_arg(list, int64_t) : va_arg(list, int)); break;
        case 'u': put_number(is_long ? va_arg(list, u64) : va_arg(list, u32), 10); break;
        case 'x': put_number(is_long ? va_arg(list, u64) : va_arg(list, u32), 16); break;
        default: put_char(*format);
        }
    }
}

void print(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_list(format, list);
    va_end(list);
}
