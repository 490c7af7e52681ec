/*
 * The tables of acpi.def one after the other, XSDT and RSDP (ACPI 6.4, 5.2.5 to 5.2.8), and the commands by which
 * firmware puts them into memory, in the form of QEMU's "bios-linker-loader", which EDK2 and U-Boot obey. Left out:
 * RSDT and FACS, which a hardware-reduced machine has not.
 */
#include "board/acpi/acpi.h"

static const char tables_file[] = "etc/acpi/tables", rsdp_file[] = "etc/acpi/rsdp";

/* ---- commands: 128 bytes each, names of files in 56 ---- */

enum { COMMAND_SIZE = 128, FILE_NAME = 56, ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3, ZONE_HIGH = 1, ZONE_FSEG = 2 };

static u32 command_begin(struct writer *loader, u32 command, const char *file)
{
    u32 from = loader->size;
    put(loader, command, 4);
    put_text(loader, file, FILE_NAME, 0);
    return from;
}

static void command_end(struct writer *loader, u32 from) { put_zeros(loader, from + COMMAND_SIZE - loader->size); }

static void allocate(struct writer *loader, const char *file, u32 align, unsigned zone)
{
    u32 from = command_begin(loader, ALLOCATE, file);
    PUT(loader, DWORD(align), BYTE(zone));
    command_end(loader, from);
}

/* The bytes at `offset` of `file` hold an offset in the tables: its address is to be there. */
static void add_pointer(struct writer *loader, const char *file, u32 offset, unsigned bytes)
{
    u32 from = command_begin(loader, ADD_POINTER, file);
    put_text(loader, tables_file, FILE_NAME, 0);
    PUT(loader, DWORD(offset), BYTE(bytes));
    command_end(loader, from);
}

/* The byte at `offset` of `file` is to make `length` bytes from `start` on add up to 0. */
static void add_checksum(struct writer *loader, const char *file, u32 offset, u32 start, u32 length)
{
    u32 from = command_begin(loader, ADD_CHECKSUM, file);
    PUT(loader, DWORD(offset), DWORD(start), DWORD(length));
    command_end(loader, from);
}

/* ---- tables ---- */

enum { HEADER_LENGTH = 4, HEADER_CHECKSUM = 9 };
static const char oem_id[] = "BOCHS ", oem_table[] = "BXPC    ",
                  creator[] = "BXPC"; /* as QEMU's are: guests know them */

struct table {
    const char *signature;
    unsigned revision;
    u32 dsdt;
    void (*body)(struct writer *w);
};
static const struct table rows[] = {
#define TABLE(name, signature, revision, dsdt) { signature, revision, dsdt, acpi_##name },
#include "board/acpi/acpi.def"
};

static u32 table_begin(struct writer *w, const char *signature, unsigned revision)
{
    u32 from = w->size;
    put_text(w, signature, 4, 0);
    PUT(w, DWORD(0), BYTE(revision), BYTE(0));
    put_text(w, oem_id, 6, ' ');
    put_text(w, oem_table, 8, ' ');
    put(w, 1, 4);
    put_text(w, creator, 4, ' ');
    put(w, 1, 4);
    return from;
}

static void table_end(struct writer *w, struct writer *loader, u32 from)
{
    put_at(w, from + HEADER_LENGTH, w->size - from, 4);
    add_checksum(loader, tables_file, from + HEADER_CHECKSUM, from, w->size - from);
}

/* Addresses of all tables but the first. */
static void xsdt(struct writer *w, struct writer *loader, const u32 start[ARRAY_LEN(rows)])
{
    u32 from = table_begin(w, "XSDT", 1);
    for (unsigned n = 1; n < ARRAY_LEN(rows); n++) {
        add_pointer(loader, tables_file, w->size, 8);
        put(w, start[n], 8);
    }
    table_end(w, loader, from);
}

static void root(struct writer *w, struct writer *loader, u32 xsdt_at)
{
    put_text(w, "RSD PTR ", 8, 0);
    put(w, 0, 1); /* checksum of the first 20 bytes */
    put_text(w, oem_id, 6, ' ');
    PUT(w, BYTE(2), DWORD(0), DWORD(ACPI_RSDP_SIZE), QWORD(xsdt_at), BYTE(0), BYTE(0), WORD(0));
    add_checksum(loader, rsdp_file, 8, 0, 20);
    add_pointer(loader, rsdp_file, 24, 8);
    add_checksum(loader, rsdp_file, 32, 0, ACPI_RSDP_SIZE);
}

bool acpi_make(struct writer *rsdp, struct writer *tables, struct writer *loader)
{
    u32 start[ARRAY_LEN(rows)];
    allocate(loader, rsdp_file, 16, ZONE_FSEG);
    allocate(loader, tables_file, 64, ZONE_HIGH);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        start[n] = table_begin(tables, rows[n].signature, rows[n].revision);
        rows[n].body(tables);
        if (rows[n].dsdt) /* the DSDT is at offset 0, as these bytes say */
            add_pointer(loader, tables_file, start[n] + rows[n].dsdt, 8);
        table_end(tables, loader, start[n]);
    }
    u32 xsdt_at = tables->size;
    xsdt(tables, loader, start);
    root(rsdp, loader, xsdt_at);
    put_zeros(tables, ACPI_TABLES_SIZE - tables->size);
    return !rsdp->full && !tables->full && !loader->full;
}
