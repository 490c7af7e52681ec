/* Keys by all that they are called: the rows of board/dev/keys.def. */
#include "frontend/input.h"

#include "lib/nearest.h"

#include <stdio.h>
#include <stdlib.h>

static const struct key {
    unsigned code;
    const char *name;
    unsigned number, usage, keysym, other;
    char plain, shifted;
} rows[] = {
#define KEY(code, name, number, usage, keysym, other, plain, shifted)                                                  \
    { code, name, number, usage, keysym, other, plain, shifted },
#include "board/dev/keys.def"
};

unsigned key_by_name(const char *name, size_t length)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (strlen(rows[n].name) == length && !memcmp(rows[n].name, name, length))
            return rows[n].code;
    return 0;
}

unsigned key_by_number(u64 number)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (number && rows[n].number == number)
            return rows[n].code;
    return 0;
}

unsigned key_by_usage(unsigned usage)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (usage && rows[n].usage == usage)
            return rows[n].code;
    return 0;
}

unsigned key_by_char(char c, bool *shift)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        *shift = rows[n].plain != c;
        if (c && (rows[n].plain == c || rows[n].shifted == c))
            return rows[n].code;
    }
    return 0;
}

/* Printable ASCII is its own keysym. */
unsigned key_by_keysym(unsigned keysym)
{
    bool shift;
    if (keysym >= ' ' && keysym <= '~')
        return key_by_char((char)keysym, &shift);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (keysym && (rows[n].keysym == keysym || rows[n].other == keysym))
            return rows[n].code;
    return 0;
}

const char *key_name(unsigned code)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (rows[n].code == code)
            return rows[n].name;
    return NULL;
}

/* ---- as people write them ---- */

static unsigned number_read(const char *text, size_t length)
{
    char copy[16], *end;
    if (length >= sizeof(copy) || length < 3 || memcmp(text, "0x", 2))
        return 0;
    memcpy(copy, text, length);
    copy[length] = 0;
    u64 number = strtoull(copy, &end, 16);
    return *end ? 0 : key_by_number(number);
}

static void name_wrong(const char *text, size_t length, char error[128])
{
    struct nearest like = { 0 };
    char words[96];
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        nearest_try(&like, text, length, rows[n].name);
    snprintf(error, 128, "no key is called '%.*s'%s", (int)(length < 30 ? length : 30), text,
             nearest_words(&like, words));
}

bool keys_read(struct keys *k, const char *text, size_t length, char error[128])
{
    k->count = 0;
    for (size_t at = 0; at <= length; at++) {
        const char *dash = memchr(text + at, '-', length - at);
        size_t size = dash ? (size_t)(dash - (text + at)) : length - at;
        unsigned code = key_by_name(text + at, size);
        code = code ? code : number_read(text + at, size);
        if (!code)
            name_wrong(text + at, size, error);
        else if (k->count == KEYS_TOGETHER)
            snprintf(error, 128, "more than %d keys at once", KEYS_TOGETHER);
        if (!code || k->count == KEYS_TOGETHER)
            return false;
        k->code[k->count++] = code;
        at += size;
    }
    return true;
}

/* A character of a text in quotes. */
static bool char_read(struct keys *k, char c, char error[128])
{
    bool shift;
    unsigned code = key_by_char(c, &shift);
    k->count = 0;
    if (!code)
        snprintf(error, 128, "no key types the character 0x%02x", (u8)c);
    if (shift)
        k->code[k->count++] = key_by_name("shift", 5);
    k->code[k->count++] = code;
    return code;
}

bool keys_next(const char **text, bool *quoted, struct keys *k, char error[128])
{
    error[0] = 0;
    for (; **text == '"' || (!*quoted && **text == ' '); ++*text)
        *quoted ^= **text == '"';
    if (*quoted && **text)
        return char_read(k, *(*text)++, error);
    if (*quoted)
        snprintf(error, 128, "the text in quotes does not end");
    if (!**text)
        return false;
    size_t length = strcspn(*text, " \"");
    const char *word = *text;
    *text += length;
    return keys_read(k, word, length, error);
}
