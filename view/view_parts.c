/* What views share: the words that set one, numbers as people read them, boxes and legends. */
#include "view/view_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- words ---- */

bool args_split(struct view_args *a, const char *words, char error[256])
{
    a->count = 0;
    snprintf(a->text, sizeof(a->text), "%s", words);
    bool fits = strlen(words) < sizeof(a->text);
    for (char *at = a->text; fits;) {
        at += strspn(at, " \t");
        if (!*at)
            return true;
        fits = a->count < VIEW_WORDS;
        if (fits)
            a->word[a->count++] = at;
        at += strcspn(at, " \t");
        if (*at)
            *at++ = 0;
    }
    snprintf(error, 256, "too many words for a view");
    return false;
}

static const char *take(struct view_args *a, unsigned n)
{
    const char *word = a->word[n];
    memmove(&a->word[n], &a->word[n + 1], (a->count - n - 1) * sizeof(a->word[0]));
    a->count--;
    return word;
}

bool args_option(struct view_args *a, const char *key, s64 low, s64 high, s64 *value, char error[256])
{
    size_t size = strlen(key);
    for (unsigned n = 0; n < a->count; n++) {
        if (strncmp(a->word[n], key, size) || a->word[n][size] != '=')
            continue;
        const char *number = take(a, n) + size + 1;
        char *end;
        errno = 0;
        *value = strtoll(number, &end, 0);
        if (end != number && !*end && !errno && *value >= low && *value <= high)
            return true;
        snprintf(error, 256, "%s=%.40s: expected a number from %lld to %lld", key, number, (long long)low,
                 (long long)high);
        return false;
    }
    return true;
}

bool args_flag(struct view_args *a, const char *word)
{
    for (unsigned n = 0; n < a->count; n++)
        if (!strcmp(a->word[n], word)) {
            take(a, n);
            return true;
        }
    return false;
}

const char *args_next(struct view_args *a)
{
    for (unsigned n = 0; n < a->count; n++)
        if (!strchr(a->word[n], '='))
            return take(a, n);
    return NULL;
}

bool args_done(const struct view_args *a, const char *view, char error[256])
{
    if (a->count) {
        char ignored[256];
        const struct view *v = view_find(view, ignored);
        snprintf(error, 256, "%s: what is \"%.40s\"? It is set by: %s", view, a->word[0], v ? v->words : "");
    }
    return !a->count;
}

/* ---- numbers ---- */

const char *view_number(u64 n, char text[32])
{
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%llu", HEX(n)), at = 0;
    for (size_t k = 0; k < length; k++) {
        if (k && (length - k) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[k];
    }
    text[at] = 0;
    return text;
}

const char *view_bytes(u64 n, char text[32])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    unsigned unit = 0;
    u64 rest = 0;
    for (; n >= 1024 && unit + 1 < ARRAY_LEN(units); unit++) {
        rest = (n % 1024) * 10 / 1024;
        n /= 1024;
    }
    if (n < 10 && rest)
        snprintf(text, 32, "%llu.%llu %s", HEX(n), HEX(rest), units[unit]);
    else
        snprintf(text, 32, "%llu %s", HEX(n), units[unit]);
    return text;
}

/* ---- shapes ---- */

enum ink view_vm_ink(unsigned n) { return INK_VM0 + n % INK_VMS; }
enum ink view_el_ink(unsigned el) { return INK_EL0 + (el & 3); }

float view_box(struct canvas *c, float x, float y, float w, float h, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    canvas_rect(c, x, y, w, h, INK_PANEL, INK_LINE);
    canvas_fit(c, x + 8, y + 4, w - 16, FONT_BOLD, INK_TEXT, "%s", text);
    return y + 4 + font_height(FONT_BOLD) + 4;
}

void view_empty(struct canvas *c, const char *what, const char *then)
{
    float w = c->width - 2 * VIEW_EDGE;
    canvas_rect(c, VIEW_EDGE, VIEW_EDGE, w, 76, INK_PANEL, INK_LINE);
    canvas_fit(c, VIEW_EDGE + 16, VIEW_EDGE + 14, w - 32, FONT_BOLD, INK_TEXT, "%s", what);
    canvas_fit(c, VIEW_EDGE + 16, VIEW_EDGE + 40, w - 32, FONT_BODY, INK_DIM, "%s", then);
}

float view_legend(struct canvas *c, float x, float y, enum ink fill, const char *words)
{
    canvas_rect(c, x, y + 3, 12, 12, fill, INK_LINE);
    return x + 18 + canvas_text(c, x + 18, y, FONT_BODY, INK_TEXT, "%s", words) + 16;
}
