/* Writing what firmware is handed: numbers, text, and bytes that are known only when those behind them are. */
#include "board/acpi/writer.h"

static bool has_room(struct writer *w, u32 size)
{
    w->full |= size > w->room - w->size;
    return !w->full;
}

void put_between(struct writer *w, u32 at, const void *data, u32 size)
{
    if (!has_room(w, size) || at > w->size)
        return;
    memmove(w->data + at + size, w->data + at, w->size - at);
    memcpy(w->data + at, data, size);
    w->size += size;
}

void put_bytes(struct writer *w, const void *data, u32 size) { put_between(w, w->size, data, size); }

void put(struct writer *w, u64 value, unsigned bytes)
{
    u8 little[8];
    store_le64(little, value);
    put_bytes(w, little, bytes);
}

void put_at(struct writer *w, u32 at, u64 value, unsigned bytes)
{
    u8 little[8];
    store_le64(little, value);
    if (!w->full && at <= w->size && bytes <= w->size - at)
        memcpy(w->data + at, little, bytes);
}

void put_fields(struct writer *w, const struct writer_field *field, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        put(w, field[n].value, field[n].bytes);
}

void put_zeros(struct writer *w, u32 size)
{
    if (!has_room(w, size))
        return;
    zeros_make(w->data + w->size, size); /* as all of it was, mostly */
    w->size += size;
}

void put_text(struct writer *w, const char *text, u32 width, char fill)
{
    u32 size = (u32)strlen(text);
    put_bytes(w, text, size);
    for (; size < width; size++)
        put(w, (u8)fill, 1);
}

void put_string(struct writer *w, const char *text) { put_bytes(w, text, (u32)strlen(text) + 1); }
