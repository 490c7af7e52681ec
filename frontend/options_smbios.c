/*
 * -smbios: what the machine says of itself in SMBIOS. A structure's type is a row of `types`, whose properties are rows
 * over struct smbios_told (board/boot/smbios.h); file= is a whole structure.
 */
#include "frontend/frontend.h"
#include "frontend/property.h"

#include <stdio.h>
#include <stdlib.h>

static void release(void *target, const char *option, const struct suboption *s)
{
    struct smbios_told *t = &((struct options *)target)->smbios;
    unsigned major, minor;
    int end = 0;
    if (sscanf(s->value, "%3u.%3u%n", &major, &minor, &end) != 2 || s->value[end] || major > 255 || minor > 255)
        die("%s: Invalid release '%s': expected two numbers up to 255, as 1.2", option, s->value);
    t->bios.major = (u8)major;
    t->bios.minor = (u8)minor;
}

static void oem_add(struct smbios_told *t, const char *option, char *text)
{
    if (t->oem_count == SMBIOS_OEM)
        die("%s: more than %d strings", option, SMBIOS_OEM);
    t->oem[t->oem_count++] = text;
}

static void oem_value(void *target, const char *option, const struct suboption *s)
{
    oem_add(&((struct options *)target)->smbios, option, text_copy(s->value));
}

/* The bytes of a file as a text. */
static void oem_path(void *target, const char *option, const struct suboption *s)
{
    struct blob file = file_read(option, s->value);
    char *text = strndup((const char *)file.data, file.size);
    if (!text)
        die("out of memory");
    if (strlen(text) != file.size)
        die("%s path=%s: a string cannot have a byte that is 0", option, s->value);
    oem_add(&((struct options *)target)->smbios, option, text);
}

/* The machine's: -uuid by another name. */
static void system_uuid(void *target, const char *option, const struct suboption *s)
{
    opt_uuid(target, option + 1, s->value);
}

#define TEXT_ROW(key, field)   PROPERTY(key, PROPERTY_COPY, struct options, smbios.field)
#define NUMBER_ROW(key, field) PROPERTY(key, PROPERTY_NUMBER, struct options, smbios.field)
#define TYPE_ROW               PROPERTY_ACCEPTED("type", "")
static const struct property bios_rows[] = {
    TYPE_ROW,
    TEXT_ROW("vendor", bios.vendor),
    TEXT_ROW("version", bios.version),
    TEXT_ROW("date", bios.date),
    PROPERTY_BY("release", release),
    PROPERTY("uefi", PROPERTY_ON, struct options, smbios.bios.uefi),
};
static const struct property system_rows[] = {
    TYPE_ROW,
    TEXT_ROW("manufacturer", system.manufacturer),
    TEXT_ROW("product", system.product),
    TEXT_ROW("version", system.version),
    TEXT_ROW("serial", system.serial),
    TEXT_ROW("sku", system.sku),
    TEXT_ROW("family", system.family),
    PROPERTY_BY("uuid", system_uuid),
};
static const struct property board_rows[] = {
    TYPE_ROW,
    TEXT_ROW("manufacturer", board.manufacturer),
    TEXT_ROW("product", board.product),
    TEXT_ROW("version", board.version),
    TEXT_ROW("serial", board.serial),
    TEXT_ROW("asset", board.asset),
    TEXT_ROW("location", board.location),
};
static const struct property chassis_rows[] = {
    TYPE_ROW,
    TEXT_ROW("manufacturer", chassis.manufacturer),
    TEXT_ROW("version", chassis.version),
    TEXT_ROW("serial", chassis.serial),
    TEXT_ROW("asset", chassis.asset),
    TEXT_ROW("sku", chassis.sku),
};
static const struct property processor_rows[] = {
    TYPE_ROW,
    TEXT_ROW("sock_pfx", processor.socket),
    TEXT_ROW("manufacturer", processor.manufacturer),
    TEXT_ROW("version", processor.version),
    TEXT_ROW("serial", processor.serial),
    TEXT_ROW("asset", processor.asset),
    TEXT_ROW("part", processor.part),
    NUMBER_ROW("max-speed", processor.max_mhz),
    NUMBER_ROW("current-speed", processor.mhz),
    NUMBER_ROW("processor-id", processor.id),
};
static const struct property oem_rows[] = {
    TYPE_ROW,
    PROPERTY_BY("value", oem_value),
    PROPERTY_BY("path", oem_path),
};
static const struct property memory_rows[] = {
    TYPE_ROW,
    TEXT_ROW("loc_pfx", memory.locator),
    TEXT_ROW("bank", memory.bank),
    TEXT_ROW("manufacturer", memory.manufacturer),
    TEXT_ROW("serial", memory.serial),
    TEXT_ROW("asset", memory.asset),
    TEXT_ROW("part", memory.part),
    NUMBER_ROW("speed", memory.speed),
};

static const struct property port_rows[] = {
    TYPE_ROW,
    PROPERTY("internal_reference", PROPERTY_COPY, struct smbios_port, internal),
    PROPERTY("external_reference", PROPERTY_COPY, struct smbios_port, external),
    PROPERTY("connector_type", PROPERTY_NUMBER, struct smbios_port, connector),
    PROPERTY("port_type", PROPERTY_NUMBER, struct smbios_port, port),
};

static void port_add(struct options *o, const char *option, const char *arg)
{
    if (o->smbios.port_count == SMBIOS_PORTS)
        die("%s: more than %d", option, SMBIOS_PORTS);
    struct smbios_port *p = &o->smbios.port[o->smbios.port_count++];
    properties_read(port_rows, ARRAY_LEN(port_rows), option, arg, NULL, p);
    if (p->connector > 0xff || p->port > 0xff)
        die("%s: connector_type and port_type are 0 to 255", option);
}

#define ROWS(rows) rows, ARRAY_LEN(rows)
static const struct type {
    unsigned number;
    const struct property *rows;
    unsigned count;
} types[] = {
    { 0, ROWS(bios_rows) },      { 1, ROWS(system_rows) }, { 2, ROWS(board_rows) }, { 3, ROWS(chassis_rows) },
    { 4, ROWS(processor_rows) }, { 8, ROWS(port_rows) },   { 11, ROWS(oem_rows) },  { 17, ROWS(memory_rows) },
};

/* A type is told of by properties or by files. */
static void type_claim(struct options *o, unsigned type, bool file)
{
    u64 *mine = file ? o->smbios_files : o->smbios_fields, *other = file ? o->smbios_fields : o->smbios_files;
    if (bit(other[type / 64], type % 64))
        die("-smbios: type %u is told of by file= and by type=%u, expected one of them", type, type);
    mine[type / 64] |= BIT(type % 64);
}

static void file_add(struct options *o, const char *name)
{
    struct blob file = file_read("-smbios file", name);
    if (o->smbios.file_count == SMBIOS_FILES)
        die("-smbios file=%s: more than %d", name, SMBIOS_FILES);
    if (file.size < 6 || file.data[1] < 4 || file.data[1] + 2u > file.size || file.size > 0xffff ||
        file.data[file.size - 1] || file.data[file.size - 2])
        die("-smbios file=%s: Cannot read SMBIOS file: expected a structure that ends with its strings and two zeros",
            name);
    if (file.data[0] < SMBIOS_TYPES)
        type_claim(o, file.data[0], true);
    o->smbios.file[o->smbios.file_count].data = file.data;
    o->smbios.file[o->smbios.file_count++].size = (u32)file.size;
}

static void type_read(struct options *o, unsigned number, const char *arg)
{
    char option[24];
    const struct type *t = types;
    snprintf(option, sizeof(option), "-smbios type=%u", number);
    for (; t < types + ARRAY_LEN(types) && t->number != number; t++)
        ;
    if (t == types + ARRAY_LEN(types))
        die("%s: not supported (only 0, 1, 2, 3, 4, 8, 11, 17; others by file=)", option);
    type_claim(o, number, false);
    if (t->rows == port_rows)
        port_add(o, option, arg);
    else
        properties_read(t->rows, t->count, option, arg, NULL, o);
    o->smbios.bios.there |= number == 0;
    o->smbios.board.there |= number == 2;
    if (o->smbios.processor.max_mhz > 0xffff || o->smbios.processor.mhz > 0xffff || o->smbios.memory.speed > 0xffff)
        die("%s: a speed is too large (at most 65535)", option);
}

void opt_smbios(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    (void)name;
    if (option_is_query(arg)) {
        for (unsigned n = 0; n < ARRAY_LEN(types); n++) {
            char option[24];
            snprintf(option, sizeof(option), "-smbios type=%u", types[n].number);
            properties_list(types[n].rows + 1, types[n].count - 1, option);
        }
        o->list_done = true;
        return;
    }
    for (const char *at = arg; suboption_next(&at, NULL, &s);) {
        if (!strcmp(s.key, "file") && !*at) {
            file_add(o, s.value);
            return;
        }
        if (!strcmp(s.key, "type")) {
            u64 number = suboption_number("-smbios type", s.value, 1);
            type_read(o, number < SMBIOS_TYPES ? (unsigned)number : SMBIOS_TYPES, arg);
            return;
        }
    }
    die("-smbios %s: expected file=FILE or type=N with its fields", arg);
}
