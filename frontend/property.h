/*
 * The properties of an option ("file=F,readonly=on"): one row each, with the field of a struct that it fills.
 */
#ifndef FRONTEND_PROPERTY_H
#define FRONTEND_PROPERTY_H

#include "frontend/options.h"

typedef void property_fn(void *target, const char *option, const struct suboption *s);

enum property_kind {
    PROPERTY_TEXT,   /* char[] */
    PROPERTY_COPY,   /* char *, allocated */
    PROPERTY_ON,     /* bool: is it on? */
    PROPERTY_OFF,    /* bool: is it off? */
    PROPERTY_NUMBER, /* s32 (not negative) or u64 */
    PROPERTY_WORDS,  /* changes nothing; what it may be, "" is all */
    PROPERTY_CALL
};

struct property {
    const char *key;
    enum property_kind kind;
    size_t field, size; /* of the field in bytes */
    u64 unit;           /* of a number without a suffix */
    const char *words;  /* separated by blanks */
    property_fn *call;
};
#define PROPERTY(key, kind, type, field)                                                                               \
    {                                                                                                                  \
        key, kind, offsetof(type, field), sizeof(((type *)0)->field), 1, NULL, NULL                                    \
    }
#define PROPERTY_UNIT(key, type, field, unit)                                                                          \
    {                                                                                                                  \
        key, PROPERTY_NUMBER, offsetof(type, field), sizeof(((type *)0)->field), unit, NULL, NULL                      \
    }
#define PROPERTY_ACCEPTED(key, words)                                                                                  \
    {                                                                                                                  \
        key, PROPERTY_WORDS, 0, 0, 0, words, NULL                                                                      \
    }
#define PROPERTY_BY(key, call)                                                                                         \
    {                                                                                                                  \
        key, PROPERTY_CALL, 0, 0, 0, NULL, call                                                                        \
    }

/* Takes `arg` apart and fills target by the rows. first: the key of a first word without `=`, or NULL. Dies with a
 * message that names the option (with its dash). */
void properties_read(const struct property *rows, unsigned count, const char *option, const char *arg,
                     const char *first, void *target);

/* Into a field of `room` bytes; dies when it is too long. */
void text_set(char *field, size_t room, const char *option, const char *text);
/* A copy that lasts; dies when out of memory. */
char *text_copy(const char *text);

#endif
