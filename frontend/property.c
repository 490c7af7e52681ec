/* The properties of options by their rows: see property.h. */
#include "frontend/property.h"

#include "lib/nearest.h"

#include <stdio.h>
#include <stdlib.h>

char *text_copy(const char *text)
{
    char *p = strdup(text);
    if (!p)
        die("out of memory");
    return p;
}

void text_set(char *field, size_t room, const char *option, const char *text)
{
    if (strlen(text) >= room)
        die("%s: '%.40s...' is too long (at most %zu bytes)", option, text, room - 1);
    strcpy(field, text);
}

static void number_set(const struct property *p, const char *option, const struct suboption *s, void *field)
{
    char name[128];
    snprintf(name, sizeof(name), "%.60s,%.60s", option, s->key);
    u64 value = suboption_number(name, s->value, p->unit);
    if (p->size == sizeof(value)) {
        memcpy(field, &value, sizeof(value));
        return;
    }
    if (value > 0x7fffffff)
        die("%s: '%s' is too large", name, s->value);
    s32 small = (s32)value;
    memcpy(field, &small, sizeof(small));
}

static void property_set(const struct property *p, const char *option, const struct suboption *s, void *target)
{
    void *field = (char *)target + p->field;
    switch (p->kind) {
    case PROPERTY_TEXT: text_set(field, p->size, option, s->value); break;
    case PROPERTY_COPY: *(char **)field = text_copy(s->value); break;
    case PROPERTY_ON: *(bool *)field = suboption_bool(option, s); break;
    case PROPERTY_OFF: *(bool *)field = !suboption_bool(option, s); break;
    case PROPERTY_NUMBER:
        number_set(p, option, s, field);
        if (p->given)
            *((bool *)target + p->given) = true;
        break;
    case PROPERTY_WORDS:
        if (p->words[0] && !word_among(p->words, s->value))
            die("%s %s=%s: not yet supported (only %s)", option, s->key, s->value, p->words);
        break;
    case PROPERTY_CALL: p->call(target, option, s); break;
    }
}

static _Noreturn void no_property(const struct property *rows, unsigned count, const char *option, const char *key)
{
    char names[512] = "", words[96];
    struct nearest like = { 0 };
    for (unsigned n = 0, at = 0; n < count && at < sizeof(names); n++) {
        at += (unsigned)snprintf(names + at, sizeof(names) - at, "%s%s", n ? ", " : "", rows[n].key);
        nearest_try(&like, key, strlen(key), rows[n].key);
    }
    die("%s: no property '%s'%s (there is: %s)", option, key, nearest_words(&like, words), names);
}

enum property_value property_value(const struct property *p)
{
    switch (p->kind) {
    case PROPERTY_ON:
    case PROPERTY_OFF: return VALUE_BOOL;
    case PROPERTY_NUMBER: return VALUE_NUMBER;
    default: return p->words && (word_among(p->words, "on") || word_among(p->words, "off")) ? VALUE_BOOL : VALUE_TEXT;
    }
}

void properties_list(const struct property *rows, unsigned count, const char *option)
{
    printf("%s options:\n", option);
    for (unsigned n = 0; n < count; n++) {
        static const char *const kinds[] = {
            [PROPERTY_ON] = "on off", [PROPERTY_OFF] = "on off", [PROPERTY_NUMBER] = "NUMBER"
        };
        const struct property *p = &rows[n];
        const char *what = p->words ? p->words : p->kind < ARRAY_LEN(kinds) && kinds[p->kind] ? kinds[p->kind] : "";
        printf("  %s=<%s>\n", p->key, what[0] ? what : "TEXT");
    }
}

/* A key that ends with a star is that of all which begin as it does. */
static bool key_is(const char *key, const char *given)
{
    size_t length = strlen(key) - 1;
    return key[length] == '*' ? !strncmp(key, given, length) : option_name_is(key, given);
}

u32 properties_read(const struct property *rows, unsigned count, const char *option, const char *arg, const char *first,
                    void *target)
{
    struct suboption s;
    u32 marks = 0;
    for (; suboption_next(&arg, first, &s); first = NULL) {
        unsigned n = 0;
        if (option_is_query(s.key) || (first && !strcmp(s.key, first) && option_is_query(s.value))) {
            properties_list(rows, count, option);
            exit(0);
        }
        while (n < count && !key_is(rows[n].key, s.key))
            n++;
        if (n == count)
            no_property(rows, count, option, s.key);
        property_set(&rows[n], option, &s, target);
        marks |= rows[n].mark;
    }
    return marks;
}
