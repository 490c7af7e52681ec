/* The syntax within an option: key=value,key=value, numbers with suffixes. Also die(). */
#include "frontend/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void die(const char *format, ...)
{
    va_list args;
    char text[2048];
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *p = text; *p; p++) /* one line, whatever a file is called */
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    fprintf(stderr, "elmu: %s\n", text);
    exit(1);
}

/* Copies up to a comma (",," is one), bounded. Returns where it stopped. */
static const char *word_copy(const char *from, char *to, size_t room, const char *stop)
{
    size_t n = 0;
    for (; *from; from++) {
        if (*from == ',' && from[1] == ',')
            from++;
        else if (strchr(stop, *from))
            break;
        if (n + 1 >= room)
            die("option too long: '%.40s...'", from - n);
        to[n++] = *from;
    }
    to[n] = 0;
    return from;
}

bool suboption_next(const char **text, const char *first, struct suboption *s)
{
    const char *p = *text;
    if (!*p)
        return false;
    const char *end = p + strcspn(p, "=,");
    if (*end == '=' && (size_t)(end - p) < sizeof(s->key)) {
        memcpy(s->key, p, (size_t)(end - p));
        s->key[end - p] = 0;
        p = end + 1;
    } else if (first) {
        snprintf(s->key, sizeof(s->key), "%s", first);
    } else {
        p = word_copy(p, s->key, sizeof(s->key), ",");
        snprintf(s->value, sizeof(s->value), "on");
        *text = *p ? p + 1 : p;
        return true;
    }
    p = word_copy(p, s->value, sizeof(s->value), ",");
    *text = *p ? p + 1 : p;
    return true;
}

bool word_among(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t here = strcspn(at, " ");
        if (here == length && !strncmp(at, word, length))
            return true;
        at += here;
    }
    return false;
}

bool option_name_is(const char *name, const char *given)
{
    for (; *name && (*name == *given || (*name == '-' && *given == '_')); name++)
        given++;
    return *name == *given;
}

bool suboption_bool(const char *option, const struct suboption *s)
{
    if (!strcmp(s->value, "on") || !strcmp(s->value, "yes") || !strcmp(s->value, "true"))
        return true;
    if (strcmp(s->value, "off") && strcmp(s->value, "no") && strcmp(s->value, "false"))
        die("%s: %s=%s: expected on or off", option, s->key, s->value);
    return false;
}

u64 suboption_number(const char *option, const char *text, u64 unit)
{
    char *end;
    errno = 0;
    u64 value = strtoull(text, &end, 0);
    const char *suffixes = "KMGT", *suffix = *end ? strchr(suffixes, *end & ~0x20) : NULL;
    if (suffix) {
        unit = (u64)1 << 10 * (suffix - suffixes + 1);
        end++;
        if (*end == 'B' || *end == 'b')
            end++;
    }
    if (end == text || *end || *text == '-' || errno || (unit > 1 && value > ~(u64)0 / unit))
        die("%s: '%s' is not a number", option, text);
    return value * unit;
}
