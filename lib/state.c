/* The shape of saved state: its hash (FNV-1a, 64 bits), and whether it is whole. */
#include "lib/state.h"

static u64 hash_bytes(u64 hash, const void *bytes, size_t size)
{
    const u8 *p = bytes;
    while (size--)
        hash = (hash ^ *p++) * 0x100000001b3;
    return hash;
}

u64 state_shape_hash(const struct state_shape *shape)
{
    u64 hash = hash_bytes(0xcbf29ce484222325, &shape->size, sizeof(shape->size));
    for (u32 n = 0; n < shape->count; n++) {
        const struct state_field *f = &shape->field[n];
        u64 part = f->part ? state_shape_hash(f->part) : 0;
        hash = hash_bytes(hash, f->name, strlen(f->name) + 1);
        hash = hash_bytes(hash, &f->offset, sizeof(f->offset));
        hash = hash_bytes(hash, &f->size, sizeof(f->size));
        hash = hash_bytes(hash, &part, sizeof(part));
    }
    return hash;
}

const char *state_shape_gap(const struct state_shape *shape)
{
    u32 at = 0;
    for (u32 n = 0; n < shape->count; n++) {
        const struct state_field *f = &shape->field[n];
        const char *gap = f->part ? state_shape_gap(f->part) : NULL;
        if (f->offset != at)
            return f->name;
        if (gap || (f->part && f->size % f->part->size))
            return gap ? gap : f->name;
        at += f->size;
    }
    return at == shape->size ? NULL : "";
}
