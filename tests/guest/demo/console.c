/* Output: the PL011 of the host, a small printf, and the guests' lines with their name in front. */
#include "hyp.h"
#include <stdarg.h>

#define UART_DR 0x09000000ul

static void put(char c) { REG32(UART_DR) = (u8)c; }

static u32 put_padded(const char *s, u32 width, bool left)
{
    u32 n = 0;
    while (s[n])
        n++;
    for (u32 i = n; !left && i < width; i++)
        put(' ');
    for (u32 i = 0; i < n; i++)
        put(s[i]);
    for (u32 i = n; left && i < width; i++)
        put(' ');
    return n;
}

static const char *number(u64 v, u32 base, char *end)
{
    *--end = 0;
    do {
        *--end = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    return end;
}

/* %s const char *, %u and %x u64, %c int; "%-12s" and "%8u" pad. */
void print(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(*fmt);
            continue;
        }
        bool left = fmt[1] == '-';
        fmt += left;
        u32 width = 0;
        while (*++fmt >= '0' && *fmt <= '9')
            width = width * 10 + *fmt - '0';
        char buf[24];
        if (*fmt == 's')
            put_padded(va_arg(ap, const char *), width, left);
        else if (*fmt == 'c')
            put(va_arg(ap, int));
        else
            put_padded(number(va_arg(ap, u64), *fmt == 'x' ? 16 : 10, buf + sizeof buf), width, left);
    }
    va_end(ap);
}

/* Guests are interleaved, so each one's output is kept back until its line is complete. */
void console_guest_putc(struct guest *g, char c)
{
    if (c != '\n' && g->line_len < sizeof g->line - 1) {
        g->line[g->line_len++] = c;
        return;
    }
    g->line[g->line_len] = 0;
    print("[%s] %s\n", g->name, g->line);
    g->line_len = 0;
}

void hyp_panic(u64 esr, u64 elr, u64 far)
{
    print("hypervisor: exception at EL2: ESR %x ELR %x FAR %x\n", esr, elr, far);
    power_off();
}
