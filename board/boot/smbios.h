/* What the machine says of itself in SMBIOS (DMTF DSP0134). */
#ifndef BOARD_SMBIOS_H
#define BOARD_SMBIOS_H

#include "board/acpi/writer.h"

enum { SMBIOS_ANCHOR_SIZE = 24, SMBIOS_SIZE = 0x10000 };

/* The entry point, whose address and checksum firmware fills in, and the structures; uuid: of the machine, in the order
 * in which it is written. False: no room. */
bool smbios_make(struct writer *anchor, struct writer *tables, const u8 uuid[16]);

#endif
