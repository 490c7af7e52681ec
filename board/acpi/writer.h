/*
 * Writing what firmware is handed (ACPI tables, SMBIOS): little-endian numbers of 1, 2, 4 or 8 bytes, one after the
 * other. What has no room is not written and noted; what follows does nothing more.
 */
#ifndef BOARD_WRITER_H
#define BOARD_WRITER_H

#include "board/device.h"

struct writer {
    const struct machine *m;
    u8 *data;
    u32 size, room; /* bytes */
    bool full;      /* something had no room */
};

/* A number and its size in bytes. */
struct writer_field {
    u8 bytes;
    u64 value;
};
#define BYTE(v)  { 1, v }
#define WORD(v)  { 2, v }
#define DWORD(v) { 4, v }
#define QWORD(v) { 8, v }
void put_fields(struct writer *w, const struct writer_field *field, unsigned count);
#define PUT(w, ...)                                                                                                    \
    put_fields(w, (const struct writer_field[]){ __VA_ARGS__ },                                                        \
               ARRAY_LEN(((const struct writer_field[]){ __VA_ARGS__ })))

void put(struct writer *w, u64 value, unsigned bytes);
void put_bytes(struct writer *w, const void *data, u32 size);
void put_zeros(struct writer *w, u32 size);
/* Characters, and their NUL too where it is wanted: at least `width` bytes, `fill` behind the text. */
void put_text(struct writer *w, const char *text, u32 width, char fill);
void put_string(struct writer *w, const char *text);
/* Writes over what is there. */
void put_at(struct writer *w, u32 at, u64 value, unsigned bytes);
/* Between what is before and behind `at`. */
void put_between(struct writer *w, u32 at, const void *data, u32 size);

#endif
