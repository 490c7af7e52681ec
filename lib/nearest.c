/* The distance is Damerau's and Levenshtein's: letters put in, left out, changed, or swapped with the next. */
#include "lib/nearest.h"

#include <stdio.h>

enum { LONGEST = 63 };

static unsigned lower(unsigned a, unsigned b) { return a < b ? a : b; }
static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }
static bool same(char a, char b) { return small(a) == small(b) || (a == '_' && b == '-'); }

static unsigned distance(const char *a, size_t m, const char *b, size_t n)
{
    unsigned row[3][LONGEST + 2]; /* the last two lines of the table, and this one */
    for (size_t j = 0; j <= n; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            now[j] = lower(lower(before[j] + 1, now[j - 1] + 1), before[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = lower(now[j], two[j - 2] + 1);
        }
    }
    return row[m % 3][n];
}

void nearest_try(struct nearest *best, const char *word, size_t length, const char *name)
{
    size_t n = strlen(name);
    if (length > LONGEST || n > LONGEST)
        return;
    unsigned d = distance(word, length, name, n);
    if (d > (length + 2) / 3 || d >= n || (best->name[0] && d >= best->distance))
        return;
    best->distance = d;
    memcpy(best->name, name, n + 1);
}

const char *nearest_words(const struct nearest *best, char text[96])
{
    text[0] = 0;
    if (best->name[0])
        snprintf(text, 96, " (did you mean '%s'?)", best->name);
    return text;
}
