/*
 * ACPI tables of the machine (ACPI 6.4), made from the options and the rows of virt.def: a file each or for a few, and
 * of DSDT and MADT the parts that the kinds of devices write (`acpi` and `madt` of struct kind).
 */
#ifndef BOARD_ACPI_H
#define BOARD_ACPI_H

#include "board/acpi/aml.h"

enum { ACPI_TABLES_SIZE = 0x20000, ACPI_RSDP_SIZE = 36, ACPI_LOADER_SIZE = 128 * 64 };

/* What firmware gets: the root pointer, the tables (filled up to ACPI_TABLES_SIZE), and what it is to do with them:
 * allocate, set pointers, make checksums. False: no room. */
bool acpi_make(struct writer *rsdp, struct writer *tables, struct writer *loader);

#define TABLE(name, ...) void acpi_##name(struct writer *w);
#include "board/acpi/acpi.def"

enum { ACPI_HEADER = 36 }; /* bytes */

/* ---- what devices write ---- */
/* The button that turns the machine off: whoever hears of the key has notified it. */
void acpi_power_button(struct writer *w);
void acpi_power_notify(struct writer *w);
/* MADT: the distributor of a GIC of this version and the interfaces of all PEs to it; frames that are not there: 0. */
struct madt_frames {
    u64 cpu, virtual_cpu, hypervisor;
};
void madt_gic(struct writer *w, struct place dist, unsigned version, const struct madt_frames *frames);

#endif
