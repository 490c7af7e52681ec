/*
 * SMBIOS structures (DMTF DSP0134 3.0), as QEMU's virt has them: system, chassis, a processor for each socket, memory
 * in modules of 16 GiB at most, boot status, end. Left out: what nothing here is known of (serial numbers, slots,
 * speeds).
 *
 *     structure: type, length, handle, its fields; strings that end with NUL each, one NUL more (two if there are none)
 */
#include "board/boot/smbios.h"

#include "board/machine.h"

#include <stdio.h>

enum { SYSTEM = 1, CHASSIS = 3, PROCESSOR = 4, MEMORY_ARRAY = 16, MEMORY_DEVICE = 17, BOOT = 32, END = 127 };
enum { OTHER = 1, UNKNOWN = 2, SAFE = 3, NO_HANDLE = 0xfffe };
static const char maker[] = "QEMU", version[] = "virt-7.2"; /* what scripts know the machine by */

/* Returns where it begins. Handles: the type and a number of the structure. */
static u32 begin(struct writer *w, unsigned type, u32 number)
{
    u32 from = w->size;
    PUT(w, BYTE(type), BYTE(0), WORD(type << 8 | number));
    return from;
}

/* Its strings, at most three. */
static void end(struct writer *w, u32 from, const char *one, const char *two, const char *three)
{
    const char *const text[] = { one, two, three };
    put_at(w, from + 1, w->size - from, 1);
    for (unsigned n = 0; n < ARRAY_LEN(text) && text[n]; n++)
        put_string(w, text[n]);
    put_zeros(w, one ? 1 : 2);
}

/* The UUID's first three numbers are little-endian (7.2.1). */
static void system_structure(struct writer *w, const u8 uuid[16])
{
    enum { WAKE_POWER_SWITCH = 6 };
    u32 from = begin(w, SYSTEM, 0);
    PUT(w, BYTE(1), BYTE(2), BYTE(3), BYTE(0), DWORD(load_be32(uuid)), WORD(load_be32(uuid + 4) >> 16),
        WORD(load_be32(uuid + 4)), QWORD(load_le64(uuid + 8)), BYTE(WAKE_POWER_SWITCH), BYTE(0), BYTE(0));
    end(w, from, maker, "QEMU Virtual Machine", version);
}

static void chassis(struct writer *w)
{
    u32 from = begin(w, CHASSIS, 0);
    PUT(w, BYTE(1), BYTE(OTHER), BYTE(2), BYTE(0), BYTE(0), BYTE(SAFE), BYTE(SAFE), BYTE(SAFE), BYTE(UNKNOWN));
    put_zeros(w, 9);
    end(w, from, maker, version, NULL);
}

static u64 at_most(u64 value, u64 most) { return value < most ? value : most; }

/* 0xff in a field of a byte: the number is in the one of two bytes. */
static void processor(struct writer *w, u32 number, u64 cores, u64 threads)
{
    enum { CENTRAL = 3, MHZ = 2000, POPULATED = 0x41, NO_CACHE = 0xffff, CHARACTERISTICS = UNKNOWN };
    char socket[16];
    snprintf(socket, sizeof(socket), "CPU %u", number);
    u32 from = begin(w, PROCESSOR, number);
    PUT(w, BYTE(1), BYTE(CENTRAL), BYTE(OTHER), BYTE(2), QWORD(0), BYTE(3), BYTE(0), WORD(0), WORD(MHZ), WORD(MHZ),
        BYTE(POPULATED), BYTE(OTHER), WORD(NO_CACHE), WORD(NO_CACHE), WORD(NO_CACHE), BYTE(0), BYTE(0), BYTE(0));
    PUT(w, BYTE(at_most(cores, 0xff)), BYTE(at_most(cores, 0xff)), BYTE(at_most(threads, 0xff)), WORD(CHARACTERISTICS),
        WORD(OTHER), WORD(cores), WORD(cores), WORD(threads));
    end(w, from, socket, maker, version);
}

static void processors(struct writer *w)
{
    const struct machine_options *o = &w->m->options;
    u64 cores = (u64)(o->cores ? o->cores : o->cpu_count) * (o->clusters ? o->clusters : 1);
    u64 threads = cores * (o->threads ? o->threads : 1);
    for (u32 n = 0; n * threads < o->cpu_count; n++)
        processor(w, n, cores, threads);
}

enum { MODULE_MIB = 16 << 10 };

static void memory_array(struct writer *w, u32 modules)
{
    enum { ON_BOARD = 1, SYSTEM_MEMORY = 3, MULTI_BIT_ECC = 6 };
    u32 from = begin(w, MEMORY_ARRAY, 0);
    PUT(w, BYTE(ON_BOARD), BYTE(SYSTEM_MEMORY), BYTE(MULTI_BIT_ECC), DWORD(w->m->options.ram_size >> 10),
        WORD(NO_HANDLE), WORD(modules), QWORD(0));
    end(w, from, NULL, NULL, NULL);
}

static void memory_device(struct writer *w, u32 number, u64 mib)
{
    enum { WIDTH_UNKNOWN = 0xffff, DIMM = 9, RAM = 7, DETAIL_OTHER = 2 };
    char name[16];
    snprintf(name, sizeof(name), "DIMM %u", number);
    u32 from = begin(w, MEMORY_DEVICE, number);
    PUT(w, WORD(MEMORY_ARRAY << 8), WORD(NO_HANDLE), WORD(WIDTH_UNKNOWN), WORD(WIDTH_UNKNOWN), WORD(mib), BYTE(DIMM),
        BYTE(0), BYTE(1), BYTE(0), BYTE(RAM), WORD(DETAIL_OTHER), WORD(0), BYTE(2), BYTE(0), BYTE(0), BYTE(0), BYTE(0));
    put_zeros(w, 12);
    end(w, from, name, maker, NULL);
}

static void memory(struct writer *w)
{
    u64 mib = w->m->options.ram_size >> 20;
    u32 modules = (u32)((mib + MODULE_MIB - 1) / MODULE_MIB);
    memory_array(w, modules);
    for (u32 n = 0; n < modules; n++)
        memory_device(w, n, n + 1 < modules ? MODULE_MIB : mib - (u64)n * MODULE_MIB);
}

static void boot(struct writer *w)
{
    u32 from = begin(w, BOOT, 0);
    put_zeros(w, 7);
    end(w, from, NULL, NULL, NULL);
}

bool smbios_make(struct writer *anchor, struct writer *tables, const u8 uuid[16])
{
    system_structure(tables, uuid);
    chassis(tables);
    processors(tables);
    memory(tables);
    boot(tables);
    end(tables, begin(tables, END, 0), NULL, NULL, NULL);
    put_text(anchor, "_SM3_", 5, 0);
    PUT(anchor, BYTE(0), BYTE(SMBIOS_ANCHOR_SIZE), BYTE(3), BYTE(0), BYTE(0), BYTE(1), BYTE(0), DWORD(tables->size),
        QWORD(0));
    return !anchor->full && !tables->full;
}
