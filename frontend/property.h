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
    size_t given;       /* where the bool is that says that a number was given, 0: there is none */
    u64 unit;           /* of a number without a suffix */
    u32 mark;           /* of properties_read's set: this one was named */
    const char *words;  /* separated by blanks */
    property_fn *call;
};
#define FIELD_AT(type, name)               .field = offsetof(type, name), .size = sizeof(((type *)0)->name)
/* After a row's own arguments more members may be set: .mark = ... */
#define PROPERTY(key, kind, type, field, ...) { (key), (kind), FIELD_AT(type, field), .unit = 1, __VA_ARGS__ }
/* A number that may be any: `flag` says that it was given. */
#define PROPERTY_GIVEN(key, type, field, flag)                                                                         \
    { (key), PROPERTY_NUMBER, FIELD_AT(type, field), .unit = 1, .given = offsetof(type, flag) }
#define PROPERTY_UNIT(key, type, field, of) { (key), PROPERTY_NUMBER, FIELD_AT(type, field), .unit = (of) }
#define PROPERTY_ACCEPTED(key, these)      { (key), PROPERTY_WORDS, .words = (these) }
#define PROPERTY_BY(key, function, ...)    { (key), PROPERTY_CALL, .call = (function), __VA_ARGS__ }

/* A table that others may ask for: NAME_rows by properties_NAME, for a row of frontend/property.def. */
struct property_list {
    const struct property *rows;
    unsigned count;
};
#define PROPERTY_LIST(name) const struct property_list properties_##name = { name##_rows, ARRAY_LEN(name##_rows) };
#define PROPERTIES(option, name) extern const struct property_list properties_##name;
#include "frontend/property.def"
extern const struct property_list properties_backend; /* -object memory-backend-* */

/* What a value is: true or false, a number, or text. */
enum property_value { VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT };
enum property_value property_value(const struct property *p);
/* Prints the names and what they may be. */
void properties_list(const struct property *rows, unsigned count, const char *option);
/* Takes `arg` apart and fills target by the rows; returns the marks of those that it names. first: the key of a first
 * word without `=`, or NULL. Dies with a message that names the option (with its dash). `?` or `help` among them lists
 * them and ends the program. */
u32 properties_read(const struct property *rows, unsigned count, const char *option, const char *arg, const char *first,
                    void *target);

/* Into a field of `room` bytes; dies when it is too long. */
void text_set(char *field, size_t room, const char *option, const char *text);
/* A copy that lasts; dies when out of memory. */
char *text_copy(const char *text);

#endif
