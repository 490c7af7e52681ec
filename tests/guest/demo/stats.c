/* What trapped to EL2 and why: one counter for each (guest, class, cause), in order of first appearance. */
#include "hyp.h"

struct row {
    const struct guest *guest;
    const char *class, *cause;
    u64 number, count; /* number: an address that belongs to the cause, or 0 */
};

static struct row rows[100];
static u32 row_count;

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

void stat_count(const struct guest *g, const char *class, const char *cause, u64 number)
{
    struct row *r = rows, *end = rows + row_count;
    while (r < end && (r->guest != g || !same(r->class, class) || !same(r->cause, cause) || r->number != number))
        r++;
    if (r == end) {
        if (row_count == sizeof rows / sizeof rows[0])
            return;
        row_count++;
        *r = (struct row){ .guest = g, .class = class, .cause = cause, .number = number };
    }
    r->count++;
}

static void print_class(const struct guest *g, const char *class)
{
    u64 total = 0;
    for (u32 i = 0; i < row_count; i++) {
        struct row *r = &rows[i];
        if (r->guest != g || !same(r->class, class))
            continue;
        print("%-7s %-14s %7u  %s", g->name, class, r->count, r->cause);
        if (r->number)
            print(" 0x%x", r->number);
        print("\n");
        total += r->count;
    }
    print("%-7s %-14s %7u  in all\n", g->name, class, total);
}

void stat_print(void)
{
    print("\nWhat trapped to EL2, and why:\n");
    print("%-7s %-14s %7s  %s\n", "guest", "class", "count", "cause");
    for (u32 n = 0; n < GUESTS; n++) {
        for (u32 i = 0; i < row_count; i++) {
            bool first = rows[i].guest == &guests[n];
            for (u32 j = 0; j < i; j++)
                first &= rows[j].guest != rows[i].guest || !same(rows[j].class, rows[i].class);
            if (first)
                print_class(&guests[n], rows[i].class);
        }
    }
}
