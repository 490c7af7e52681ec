/* Writing AML and resource descriptors: see aml.h. Left out: what no table here needs. */
#include "board/acpi/aml.h"

#include "board/machine.h"

/* Large resource items (6.4.3). */
enum { MEMORY32 = 0x86, ADDRESS32 = 0x87, ADDRESS16 = 0x88, INTERRUPT = 0x89, ADDRESS64 = 0x8a, END_TAG = 0x79 };
enum { CONSUMER = 1, EDGE = 2, FIXED = 0xc /* both ends */, READ_WRITE = 1, ENTIRE_RANGE = 3 };

void aml_op(struct writer *w, enum aml_op op)
{
    if (op > 0xff)
        put(w, op >> 8, 1);
    put(w, op, 1);
}

/* The bytes of an integer: Zero, One, or a prefix and the number. */
static u32 number_bytes(u64 value, u8 out[9])
{
    static const struct {
        u8 op, bytes;
    } sizes[] = { { AML_BYTE, 1 }, { AML_WORD, 2 }, { AML_DWORD, 4 }, { AML_QWORD, 8 } };
    unsigned n = 0;
    out[0] = (u8)value;
    if (value <= 1)
        return 1;
    while (sizes[n].bytes < 8 && value >> (8 * sizes[n].bytes))
        n++;
    out[0] = sizes[n].op;
    store_le64(out + 1, value);
    return 1 + sizes[n].bytes;
}

void aml_number(struct writer *w, u64 value)
{
    u8 bytes[9];
    put_bytes(w, bytes, number_bytes(value, bytes));
}

void aml_string(struct writer *w, const char *text)
{
    aml_op(w, AML_STRING);
    put_string(w, text);
}

/* NameString (20.2.2): root, prefix by the number of segments, segments of four characters. */
void aml_path(struct writer *w, const char *path)
{
    unsigned dots = 0;
    if (*path == '\\')
        put(w, (u8)*path++, 1);
    for (const char *at = path; (at = strchr(at, '.')); at++)
        dots++;
    if (dots)
        put(w, 0x2e, 1); /* DualNamePrefix: no longer path is needed */
    for (;; path++) {
        u32 length = (u32)strcspn(path, ".");
        for (u32 n = 0; n < 4; n++)
            put(w, n < length ? (u8)path[n] : '_', 1);
        path += length;
        if (!*path)
            return;
    }
}

u32 aml_open(struct writer *w, enum aml_op op)
{
    aml_op(w, op);
    return w->size;
}

/* PkgLength (20.2.4): 6 bits in one byte, or 4 and up to three bytes; it counts itself. */
void aml_close(struct writer *w, u32 from)
{
    u32 length = w->size - from, more = 0;
    u8 bytes[4];
    while (length + 1 + more >= (more ? 1u << (4 + 8 * more) : 1u << 6))
        more++;
    length += 1 + more;
    bytes[0] = (u8)(more ? more << 6 | (length & 0xf) : length);
    for (u32 n = 0; n < more; n++)
        bytes[1 + n] = (u8)(length >> (4 + 8 * n));
    put_between(w, from, bytes, 1 + more);
}

u32 aml_open_named(struct writer *w, enum aml_op op, const char *name)
{
    u32 from = aml_open(w, op);
    aml_path(w, name);
    return from;
}

u32 aml_method(struct writer *w, const char *name, unsigned arguments, bool serialized)
{
    u32 from = aml_open_named(w, AML_METHOD, name);
    put(w, arguments | (unsigned)serialized << 3, 1);
    return from;
}

/* A buffer's size stands before its bytes, too. */
static void buffer_close(struct writer *w, u32 from)
{
    u8 bytes[9];
    put_between(w, from, bytes, number_bytes(w->size - from, bytes));
    aml_close(w, from);
}

void aml_buffer(struct writer *w, const void *data, u32 size)
{
    u32 from = aml_open(w, AML_BUFFER);
    put_bytes(w, data, size);
    buffer_close(w, from);
}

static u8 digit(char c) { return (u8)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10); }

void aml_uuid(struct writer *w, const char *uuid)
{
    /* Where each byte's digits are: the first three numbers are little-endian (19.6.142). */
    static const u8 from[16] = { 6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34 };
    u8 bytes[16];
    for (unsigned n = 0; n < 16; n++)
        bytes[n] = (u8)(digit(uuid[from[n]]) << 4 | digit(uuid[from[n] + 1]));
    aml_buffer(w, bytes, 16);
}

void aml_name(struct writer *w, const char *name)
{
    aml_op(w, AML_NAME);
    aml_path(w, name);
}

void aml_name_number(struct writer *w, const char *name, u64 value)
{
    aml_name(w, name);
    aml_number(w, value);
}

void aml_name_string(struct writer *w, const char *name, const char *text)
{
    aml_name(w, name);
    aml_string(w, text);
}

/* ---- resources ---- */

u32 aml_resources(struct writer *w, const char *name)
{
    aml_name(w, name);
    return aml_open(w, AML_BUFFER);
}

void aml_resources_end(struct writer *w, u32 from)
{
    PUT(w, BYTE(END_TAG), BYTE(0)); /* no checksum */
    buffer_close(w, from);
}

void aml_memory(struct writer *w, u64 base, u64 size)
{
    PUT(w, BYTE(MEMORY32), WORD(9), BYTE(READ_WRITE), DWORD(base), DWORD(size));
}

void aml_interrupt(struct writer *w, u32 intid, bool edge)
{
    PUT(w, BYTE(INTERRUPT), WORD(6), BYTE(CONSUMER | (edge ? EDGE : 0)), BYTE(1), DWORD(intid));
}

void aml_range(struct writer *w, const struct aml_range *r)
{
    static const u8 flags[] = { [AML_MEMORY] = READ_WRITE, [AML_IO] = ENTIRE_RANGE, [AML_BUS] = 0 };
    unsigned tag = r->bytes == 2 ? ADDRESS16 : r->bytes == 4 ? ADDRESS32 : ADDRESS64, n = r->bytes;
    PUT(w, BYTE(tag), WORD(3 + 5 * n), BYTE(r->space), BYTE(FIXED), BYTE(flags[r->space]));
    const u64 numbers[] = { 0, r->first, r->first + r->size - 1, r->translation, r->size }; /* granularity 0 */
    for (unsigned k = 0; k < ARRAY_LEN(numbers); k++)
        put(w, numbers[k], n);
}

/* ---- rows ---- */

u32 aml_device(struct writer *w, const char *name, const char *hid, u32 uid)
{
    u32 from = aml_open_named(w, AML_DEVICE, name);
    aml_name_string(w, "_HID", hid);
    aml_name_number(w, "_UID", uid);
    return from;
}

void aml_row(struct writer *w, struct place at)
{
    const struct row *row = row_get(at.row);
    u32 from = aml_resources(w, "_CRS");
    aml_memory(w, place_base(w->m, at), row->size);
    if (row->kind->wires)
        aml_interrupt(w, place_intid(at), false);
    aml_resources_end(w, from);
}
