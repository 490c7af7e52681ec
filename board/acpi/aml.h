/*
 * Writing AML (ACPI 6.4, chapter 20) and resource descriptors (6.4): terms in the order of the byte code, operators
 * before their operands. A term with a length is opened and closed, what is written between is its content; the length
 * is put before it when it is known.
 */
#ifndef BOARD_AML_H
#define BOARD_AML_H

#include "board/acpi/writer.h"

/* Opcodes (20.3); 0x5b is the prefix of those with two bytes. */
enum aml_op { AML_NAME = 0x08, AML_BYTE = 0x0a, AML_WORD = 0x0b, AML_DWORD = 0x0c, AML_STRING = 0x0d, AML_QWORD = 0x0e,
              AML_SCOPE = 0x10, AML_BUFFER = 0x11, AML_PACKAGE = 0x12, AML_VAR_PACKAGE = 0x13, AML_METHOD = 0x14, AML_LOCAL0 = 0x60,
              AML_ARG0 = 0x68, AML_ARG1 = 0x69, AML_ARG2 = 0x6a, AML_ARG3 = 0x6b, AML_STORE = 0x70, AML_AND = 0x7b,
              AML_OR = 0x7d, AML_NOTIFY = 0x86, AML_DWORD_FIELD = 0x8a, AML_NOT = 0x92, AML_EQUAL = 0x93, AML_IF = 0xa0,
              AML_ELSE = 0xa1, AML_RETURN = 0xa4, AML_REGION = 0x5b80, AML_FIELD = 0x5b81, AML_DEVICE = 0x5b82 };

void aml_op(struct writer *w, enum aml_op op);
/* In the fewest bytes. */
void aml_number(struct writer *w, u64 value);
void aml_string(struct writer *w, const char *text);
/* A name: "C000", "\\_SB", "\\_SB.GED": segments are filled up to four characters. */
void aml_path(struct writer *w, const char *path);
/* A term with a length; what is to be handed to aml_close. */
u32 aml_open(struct writer *w, enum aml_op op);
void aml_close(struct writer *w, u32 from);
/* The same of one that has a name. */
u32 aml_open_named(struct writer *w, enum aml_op op, const char *name);
u32 aml_method(struct writer *w, const char *name, unsigned arguments, bool serialized);
void aml_buffer(struct writer *w, const void *data, u32 size);
/* An UUID as ToUUID gives it: "33db4d5b-1ff7-401c-9657-7441c03dd766". */
void aml_uuid(struct writer *w, const char *uuid);
/* Name(name, ...): what follows is its value. */
void aml_name(struct writer *w, const char *name);
void aml_name_number(struct writer *w, const char *name, u64 value);
void aml_name_string(struct writer *w, const char *name, const char *text);

/* ---- resources: Name(name, ResourceTemplate() { ... }) ---- */
u32 aml_resources(struct writer *w, const char *name);
void aml_resources_end(struct writer *w, u32 from);
/* Memory32Fixed. */
void aml_memory(struct writer *w, u64 base, u64 size);
/* Of an INTID: active high. */
void aml_interrupt(struct writer *w, u32 intid, bool edge);
/* Of a bridge: addresses from first on, as they lie on its other side; translation: added on this side. */
enum aml_space { AML_MEMORY, AML_IO, AML_BUS };
struct aml_range {
    enum aml_space space;
    unsigned bytes; /* of an address: 2, 4 or 8 */
    u64 first, size, translation;
};
void aml_range(struct writer *w, const struct aml_range *range);

/* ---- what the row of a device says ---- */
enum { AML_STA_HIDDEN = 0xb }; /* _STA (6.3.7): present, enabled, working, but not shown to people */
/* Device(name) with _HID and _UID. */
u32 aml_device(struct writer *w, const char *name, const char *hid, u32 uid);
/* Its registers and (wires) its first interrupt: _CRS. */
void aml_row(struct writer *w, struct place at);

#endif
