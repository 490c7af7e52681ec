/* JSON (RFC 8259) as options have it: an object whose values are words, numbers, true, false, null and objects. It
 * becomes the text of the same option written with commas, so that there is one table of properties for both. */
#include "frontend/options.h"

#include <stdio.h>

enum { DEPTH = 8 };

struct json {
    const char *option, *at;
    char *text;
    size_t used, room;
};

static _Noreturn void wrong(const struct json *j, const char *expected)
{
    die("%s: JSON: expected %s at '%.20s'", j->option, expected, j->at);
}

static void put(struct json *j, char c)
{
    if (j->used + 1 >= j->room)
        die("%s: JSON: longer than %zu bytes", j->option, j->room - 1);
    j->text[j->used++] = c;
    j->text[j->used] = 0;
}

static void put_words(struct json *j, const char *words)
{
    while (*words)
        put(j, *words++);
}

static char next(struct json *j)
{
    j->at += strspn(j->at, " \t\r\n");
    return *j->at;
}

static void take(struct json *j, char c, const char *expected)
{
    if (next(j) != c)
        wrong(j, expected);
    j->at++;
}

/* The four digits of \uXXXX as UTF-8; halves of pairs are not known. */
static void put_code(struct json *j)
{
    unsigned code = 0;
    for (unsigned n = 0; n < 4; n++, j->at++) {
        const char *digits = "0123456789abcdef", *digit = *j->at ? strchr(digits, *j->at | 0x20) : NULL;
        if (!digit)
            wrong(j, "four digits");
        code = code << 4 | (unsigned)(digit - digits);
    }
    if (!code || code >> 11 == 0x1b)
        wrong(j, "another character");
    if (code < 0x80) {
        put(j, (char)code);
        return;
    }
    if (code >= 0x800)
        put(j, (char)(0xe0 | code >> 12));
    put(j, code < 0x800 ? (char)(0xc0 | code >> 6) : (char)(0x80 | (code >> 6 & 0x3f)));
    put(j, (char)(0x80 | (code & 0x3f)));
}

static void put_string(struct json *j, bool key)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    take(j, '"', "a string");
    while (*j->at != '"') {
        char c = *j->at;
        if ((u8)c < 0x20 || (key && strchr(",=.", c)))
            wrong(j, key ? "a name" : "the end of a string");
        j->at++;
        if (c != '\\') {
            put(j, c);
        } else if (*j->at == 'u' && !key) {
            j->at++;
            put_code(j);
        } else {
            const char *escape = *j->at ? strchr(escapes, *j->at) : NULL;
            if (!escape || key)
                wrong(j, "an escape");
            put(j, meant[escape - escapes]);
            j->at++;
        }
        if (c == ',') /* within an option it is written twice */
            put(j, c);
    }
    j->at++;
}

static void put_plain(struct json *j)
{
    size_t length = strspn(j->at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
    char word[32];
    if (!length || length >= sizeof(word))
        wrong(j, "a value (an array is not known)");
    snprintf(word, sizeof(word), "%.*s", (int)length, j->at);
    bool number = strspn(word, "-.0123456789eE+") == length;
    if (!number && !word_among("true false", word))
        wrong(j, "a value");
    put_words(j, !strcmp(word, "true") ? "on" : !strcmp(word, "false") ? "off" : word);
    j->at += length;
}

static void put_object(struct json *j, const char *prefix, unsigned depth);

/* "name": value. prefix: the names of the objects around it, each with a dot. */
static void put_member(struct json *j, const char *prefix, unsigned depth)
{
    char name[256];
    size_t begin = j->used, from = begin ? begin + 1 : 0;
    if (begin)
        put(j, ',');
    put_words(j, prefix);
    put_string(j, true);
    if (j->used - from + 2 > sizeof(name))
        wrong(j, "a shorter name");
    snprintf(name, sizeof(name), "%s.", j->text + from);
    take(j, ':', "a colon");
    if (next(j) != '{' && strncmp(j->at, "null", 4)) {
        put(j, '=');
        if (*j->at == '"')
            put_string(j, false);
        else
            put_plain(j);
        return;
    }
    j->used = begin;
    j->text[begin] = 0;
    if (*j->at == '{')
        put_object(j, name, depth + 1);
    else
        j->at += 4;
}

static void put_object(struct json *j, const char *prefix, unsigned depth)
{
    take(j, '{', "an object");
    if (depth == DEPTH)
        wrong(j, "fewer objects in each other");
    if (next(j) != '}') {
        put_member(j, prefix, depth);
        while (next(j) == ',') {
            j->at++;
            put_member(j, prefix, depth);
        }
    }
    take(j, '}', "a comma or the end of an object");
}

void json_flatten(const char *option, const char *json, char *text, size_t room)
{
    struct json j = { option, json, text, 0, room };
    text[0] = 0;
    put_object(&j, "", 0);
    if (next(&j))
        wrong(&j, "nothing more");
}
