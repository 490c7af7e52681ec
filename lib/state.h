/*
 * The shape of saved state: the fields of a struct, by name, in order, with nothing between them. What walks them can
 * compare two layouts (a snapshot of another build, two fields exchanged) and name what differs between two states.
 */
#ifndef LIB_STATE_H
#define LIB_STATE_H

#include "lib/base.h"

struct state_shape;
struct state_field {
    const char *name;
    u32 offset, size;               /* bytes */
    const struct state_shape *part; /* NULL: plain numbers, else what its element, or each of its elements, is */
};
struct state_shape {
    const struct state_field *field;
    u32 count;
    u32 size; /* bytes */
};

/* STATE(struct's name, field), STATE_OF(struct's name, field, shape of its elements) */
#define STATE(type, name)                                                                                              \
    {                                                                                                                  \
        #name, (u32)offsetof(struct type, name), (u32)sizeof(((struct type *)0)->name), NULL                           \
    }
#define STATE_OF(type, name, shape)                                                                                    \
    {                                                                                                                  \
        #name, (u32)offsetof(struct type, name), (u32)sizeof(((struct type *)0)->name), shape                          \
    }
/* Of a whole struct, and of one that is saved up to a field. */
#define STATE_SHAPE(type, fields)                                                                                      \
    {                                                                                                                  \
        fields, (u32)(sizeof(fields) / sizeof((fields)[0])), (u32)sizeof(struct type)                                  \
    }
#define STATE_SHAPE_UP_TO(type, fields, name)                                                                          \
    {                                                                                                                  \
        fields, (u32)(sizeof(fields) / sizeof((fields)[0])), (u32)offsetof(struct type, name)                          \
    }

/* A number that another order, size or name of fields changes. */
u64 state_shape_hash(const struct state_shape *shape);
/* NULL when the fields are all of it, each once; else the first that is not where the one before it ends ("" for bytes
 * at the end that are in no field). */
const char *state_shape_gap(const struct state_shape *shape);

#endif
