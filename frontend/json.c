/* JSON as options have it (-blockdev): an object whose values are words, numbers, true, false, null and objects;
 * libjansson reads it. It becomes the text of the same option written with commas, so that there is one table of
 * properties for both. Left out: arrays, which no property here has. */
#include "frontend/options.h"

#include <jansson.h>
#include <stdio.h>

enum { DEPTH = 8 };

struct text {
    const char *option;
    char *bytes;
    size_t used, room;
};

static void put(struct text *t, const char *words)
{
    size_t length = strlen(words);
    if (t->used + length >= t->room)
        die("%s: JSON: longer than %zu bytes", t->option, t->room - 1);
    memcpy(t->bytes + t->used, words, length + 1);
    t->used += length;
}

/* Within an option a comma is written twice. */
static void put_string(struct text *t, const char *words)
{
    for (char c[3] = ""; (c[0] = *words); words++) {
        c[1] = c[0] == ',' ? ',' : 0;
        put(t, c);
    }
}

static void put_value(struct text *t, const char *name, const json_t *value)
{
    char number[40] = "";
    if (json_is_integer(value))
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(number, sizeof(number), "%.17g", json_real_value(value));
    else if (!json_is_string(value) && !json_is_boolean(value))
        die("%s: JSON: '%s': a value is expected (an array is none here)", t->option, name);
    put(t, t->used ? "," : "");
    put(t, name);
    put(t, "=");
    if (json_is_string(value))
        put_string(t, json_string_value(value));
    else
        put(t, number[0] ? number : json_is_true(value) ? "on" : "off");
}

/* prefix: the names of the objects around it, each with a dot. */
static void put_object(struct text *t, const char *prefix, json_t *object, unsigned depth)
{
    const char *key;
    json_t *value;
    if (depth == DEPTH)
        die("%s: JSON: more than %d objects in each other", t->option, DEPTH);
    json_object_foreach(object, key, value)
    {
        char name[256];
        bool inner = json_is_object(value);
        int length = snprintf(name, sizeof(name), "%s%s%s", prefix, key, inner ? "." : "");
        if (!key[0] || strpbrk(key, ",=.") || length >= (int)sizeof(name))
            die("%s: JSON: '%.40s' is no name of a property", t->option, key);
        if (inner)
            put_object(t, name, value, depth + 1);
        else if (!json_is_null(value))
            put_value(t, name, value);
    }
}

void json_flatten(const char *option, const char *json, char *text, size_t room)
{
    struct text t = { option, text, 0, room };
    json_error_t error;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        die("%s: JSON: %s", option, error.text);
    if (!json_is_object(object))
        die("%s: JSON: expected an object", option);
    text[0] = 0;
    put_object(&t, "", object, 0);
    json_decref(object);
}
