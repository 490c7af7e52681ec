/*
 * SMBIOS structures (DMTF DSP0134 3.0), as QEMU's virt has them: system, chassis, a processor for each socket, memory
 * in modules of 16 GiB at most, boot status, end; where -smbios tells of them firmware, base board, ports and OEM
 * strings, too. Left out: what nothing here is known of (slots, caches).
 *
 *     structure: type, length, handle, its fields; strings that end with NUL each, one NUL more (two if there are none)
 */
#include "board/boot/smbios.h"

#include "board/acpi/writer.h"
#include "board/machine.h"

#include <stdio.h>

enum { FIRMWARE = 0, SYSTEM = 1, BASE_BOARD = 2, CHASSIS = 3, PROCESSOR = 4, PORT = 8, OEM = 11, MEMORY_ARRAY = 16,
       MEMORY_DEVICE = 17, BOOT = 32, END = 127 };
enum { OTHER = 1, UNKNOWN = 2, SAFE = 3, NO_HANDLE = 0xfffe };
static const char maker[] = "QEMU", product[] = "QEMU Virtual Machine", version[] = "virt-7.2"; /* what scripts know */

struct smbios {
    struct writer *w;
    const struct smbios_told *told;
};

/* The strings of a structure in the order of its fields, and what a field says of each: its number, 0 of an empty
 * one. */
enum { STRINGS = 6 };
struct strings {
    const char *text[STRINGS];
    u8 number[STRINGS];
    u8 count;
};
#define STRINGS_OF(...) strings_of((const char *const[STRINGS]){ __VA_ARGS__ })

static struct strings strings_of(const char *const text[STRINGS])
{
    struct strings s = { .count = 0 };
    for (unsigned n = 0; n < STRINGS; n++) {
        if (!text[n] || !text[n][0])
            continue;
        s.text[s.count++] = text[n];
        s.number[n] = s.count;
    }
    return s;
}

static const char *either(const char *told, const char *otherwise) { return told ? told : otherwise; }

/* Is a structure of that type in a file? Then the machine makes none. */
static bool in_file(const struct smbios_told *told, unsigned type)
{
    for (unsigned n = 0; n < told->file_count; n++)
        if (told->file[n].data[0] == type)
            return true;
    return false;
}

/* Returns where it begins. Handles: the type and a number of the structure. */
static u32 begin(struct writer *w, unsigned type, u32 number)
{
    u32 from = w->size;
    PUT(w, BYTE(type), BYTE(0), WORD(type << 8 | number));
    return from;
}

static void end(struct writer *w, u32 from, const char *const *text, unsigned count)
{
    put_at(w, from + 1, w->size - from, 1);
    for (unsigned n = 0; n < count; n++)
        put_string(w, text[n]);
    put_zeros(w, count ? 1 : 2);
}

static void end_strings(struct writer *w, u32 from, const struct strings *s) { end(w, from, s->text, s->count); }

static void firmware(const struct smbios *b)
{
    enum { SEGMENT = 0xe800, NOT_SUPPORTED = 8, VIRTUAL = 0x14, UEFI = 8, NO_CONTROLLER = 0xff };
    struct strings s = STRINGS_OF(b->told->bios.vendor, b->told->bios.version, b->told->bios.date);
    struct writer *w = b->w;
    u32 from = begin(w, FIRMWARE, 0);
    PUT(w, BYTE(s.number[0]), BYTE(s.number[1]), WORD(SEGMENT), BYTE(s.number[2]), BYTE(0), QWORD(NOT_SUPPORTED),
        BYTE(0), BYTE(VIRTUAL | (b->told->bios.uefi ? UEFI : 0)), BYTE(b->told->bios.major), BYTE(b->told->bios.minor),
        BYTE(NO_CONTROLLER), BYTE(NO_CONTROLLER));
    end_strings(w, from, &s);
}

/* The UUID's first three numbers are little-endian (7.2.1). */
static void system_structure(const struct smbios *b, const u8 uuid[16])
{
    enum { WAKE_POWER_SWITCH = 6 };
    struct strings s = STRINGS_OF(either(b->told->system.manufacturer, maker), either(b->told->system.product, product),
                                  either(b->told->system.version, version), b->told->system.serial, b->told->system.sku,
                                  b->told->system.family);
    struct writer *w = b->w;
    u32 from = begin(w, SYSTEM, 0);
    PUT(w, BYTE(s.number[0]), BYTE(s.number[1]), BYTE(s.number[2]), BYTE(s.number[3]), DWORD(load_be32(uuid)),
        WORD(load_be32(uuid + 4) >> 16), WORD(load_be32(uuid + 4)), QWORD(load_le64(uuid + 8)), BYTE(WAKE_POWER_SWITCH),
        BYTE(s.number[4]), BYTE(s.number[5]));
    end_strings(w, from, &s);
}

static void base_board(const struct smbios *b)
{
    enum { HOSTING = 1, MOTHERBOARD = 10 };
    struct strings s = STRINGS_OF(either(b->told->board.manufacturer, maker), either(b->told->board.product, product),
                                  either(b->told->board.version, version), b->told->board.serial, b->told->board.asset,
                                  b->told->board.location);
    struct writer *w = b->w;
    u32 from = begin(w, BASE_BOARD, 0);
    PUT(w, BYTE(s.number[0]), BYTE(s.number[1]), BYTE(s.number[2]), BYTE(s.number[3]), BYTE(s.number[4]), BYTE(HOSTING),
        BYTE(s.number[5]), WORD(CHASSIS << 8), BYTE(MOTHERBOARD), BYTE(0));
    end_strings(w, from, &s);
}

static void chassis(const struct smbios *b)
{
    struct strings s =
        STRINGS_OF(either(b->told->chassis.manufacturer, maker), either(b->told->chassis.version, version),
                   b->told->chassis.serial, b->told->chassis.asset, b->told->chassis.sku);
    struct writer *w = b->w;
    u32 from = begin(w, CHASSIS, 0);
    PUT(w, BYTE(s.number[0]), BYTE(OTHER), BYTE(s.number[1]), BYTE(s.number[2]), BYTE(s.number[3]), BYTE(SAFE),
        BYTE(SAFE), BYTE(SAFE), BYTE(UNKNOWN));
    put_zeros(w, 8);
    PUT(w, BYTE(s.number[4]));
    end_strings(w, from, &s);
}

static u64 at_most(u64 value, u64 most) { return value < most ? value : most; }

/* 0xff in a field of a byte: the number is in the one of two bytes. */
static void processor(const struct smbios *b, u32 number, u64 cores, u64 threads)
{
    enum { CENTRAL = 3, MHZ = 2000, POPULATED = 0x41, NO_CACHE = 0xffff, CHARACTERISTICS = UNKNOWN };
    u64 most = b->told->processor.max_mhz ? b->told->processor.max_mhz : MHZ;
    u64 now = b->told->processor.mhz ? b->told->processor.mhz : MHZ;
    char socket[256];
    snprintf(socket, sizeof(socket), "%.200s %u", either(b->told->processor.socket, "CPU"), number);
    struct strings s =
        STRINGS_OF(socket, either(b->told->processor.manufacturer, maker), either(b->told->processor.version, version),
                   b->told->processor.serial, b->told->processor.asset, b->told->processor.part);
    struct writer *w = b->w;
    u32 from = begin(w, PROCESSOR, number);
    PUT(w, BYTE(s.number[0]), BYTE(CENTRAL), BYTE(OTHER), BYTE(s.number[1]), QWORD(b->told->processor.id),
        BYTE(s.number[2]), BYTE(0), WORD(0), WORD(most), WORD(now), BYTE(POPULATED), BYTE(OTHER), WORD(NO_CACHE),
        WORD(NO_CACHE), WORD(NO_CACHE), BYTE(s.number[3]), BYTE(s.number[4]), BYTE(s.number[5]));
    PUT(w, BYTE(at_most(cores, 0xff)), BYTE(at_most(cores, 0xff)), BYTE(at_most(threads, 0xff)), WORD(CHARACTERISTICS),
        WORD(OTHER), WORD(cores), WORD(cores), WORD(threads));
    end_strings(w, from, &s);
}

static void processors(const struct smbios *b)
{
    const struct machine_options *o = &b->w->m->options;
    u64 cores = (u64)(o->cores ? o->cores : o->cpu_count) * (o->clusters ? o->clusters : 1);
    u64 threads = cores * (o->threads ? o->threads : 1);
    for (u32 n = 0; n * threads < o->cpu_count; n++)
        processor(b, n, cores, threads);
}

static void ports(const struct smbios *b)
{
    for (unsigned n = 0; n < b->told->port_count; n++) {
        const struct smbios_port *p = &b->told->port[n];
        struct strings s = STRINGS_OF(p->internal, p->external);
        u32 from = begin(b->w, PORT, n);
        PUT(b->w, BYTE(s.number[0]), BYTE(0), BYTE(s.number[1]), BYTE(p->connector), BYTE(p->port));
        end_strings(b->w, from, &s);
    }
}

static void oem(const struct smbios *b)
{
    if (!b->told->oem_count)
        return;
    u32 from = begin(b->w, OEM, 0);
    PUT(b->w, BYTE(b->told->oem_count));
    end(b->w, from, b->told->oem, b->told->oem_count);
}

enum { MODULE_MIB = 16 << 10 };

static u64 modules(const struct machine *m) { return ((m->options.ram_size >> 20) + MODULE_MIB - 1) / MODULE_MIB; }

static void memory_array(const struct smbios *b)
{
    enum { ON_BOARD = 1, SYSTEM_MEMORY = 3, MULTI_BIT_ECC = 6 };
    struct writer *w = b->w;
    u32 from = begin(w, MEMORY_ARRAY, 0);
    PUT(w, BYTE(ON_BOARD), BYTE(SYSTEM_MEMORY), BYTE(MULTI_BIT_ECC), DWORD(w->m->options.ram_size >> 10),
        WORD(NO_HANDLE), WORD(modules(w->m)), QWORD(0));
    end(w, from, NULL, 0);
}

static void memory_device(const struct smbios *b, u32 number, u64 mib)
{
    enum { WIDTH_UNKNOWN = 0xffff, DIMM = 9, RAM = 7, DETAIL_OTHER = 2 };
    char name[256];
    snprintf(name, sizeof(name), "%.200s %u", either(b->told->memory.locator, "DIMM"), number);
    struct strings s = STRINGS_OF(name, b->told->memory.bank, either(b->told->memory.manufacturer, maker),
                                  b->told->memory.serial, b->told->memory.asset, b->told->memory.part);
    u64 speed = b->told->memory.speed;
    struct writer *w = b->w;
    u32 from = begin(w, MEMORY_DEVICE, number);
    PUT(w, WORD(MEMORY_ARRAY << 8), WORD(NO_HANDLE), WORD(WIDTH_UNKNOWN), WORD(WIDTH_UNKNOWN), WORD(mib), BYTE(DIMM),
        BYTE(0), BYTE(s.number[0]), BYTE(s.number[1]), BYTE(RAM), WORD(DETAIL_OTHER), WORD(speed), BYTE(s.number[2]),
        BYTE(s.number[3]), BYTE(s.number[4]), BYTE(s.number[5]), BYTE(0), DWORD(0), WORD(speed));
    put_zeros(w, 6);
    end_strings(w, from, &s);
}

static void memory_devices(const struct smbios *b)
{
    u64 mib = b->w->m->options.ram_size >> 20, count = modules(b->w->m);
    for (u32 n = 0; n < count; n++)
        memory_device(b, n, n + 1 < count ? MODULE_MIB : mib - (u64)n * MODULE_MIB);
}

static void boot(const struct smbios *b)
{
    u32 from = begin(b->w, BOOT, 0);
    put_zeros(b->w, 7);
    end(b->w, from, NULL, 0);
}

static void last(const struct smbios *b) { end(b->w, begin(b->w, END, 0), NULL, 0); }

bool smbios_make(struct writer *anchor, struct writer *tables, const u8 uuid[16], const struct smbios_told *told)
{
    static const struct {
        unsigned type;
        void (*make)(const struct smbios *b);
    } rest[] = { { CHASSIS, chassis },           { PROCESSOR, processors },         { PORT, ports }, { OEM, oem },
                 { MEMORY_ARRAY, memory_array }, { MEMORY_DEVICE, memory_devices }, { BOOT, boot },  { END, last } };
    const struct smbios b = { tables, told };
    for (unsigned n = 0; n < told->file_count; n++)
        put_bytes(tables, told->file[n].data, told->file[n].size);
    if (told->bios.there)
        firmware(&b);
    if (!in_file(told, SYSTEM))
        system_structure(&b, uuid);
    if (told->board.there)
        base_board(&b);
    for (unsigned n = 0; n < ARRAY_LEN(rest); n++)
        if (!in_file(told, rest[n].type))
            rest[n].make(&b);
    put_text(anchor, "_SM3_", 5, 0);
    PUT(anchor, BYTE(0), BYTE(SMBIOS_ANCHOR_SIZE), BYTE(3), BYTE(0), BYTE(0), BYTE(1), BYTE(0), DWORD(tables->size),
        QWORD(0));
    return !anchor->full && !tables->full;
}
