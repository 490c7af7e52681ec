/* What the machine says of itself in SMBIOS (DMTF DSP0134). */
#ifndef BOARD_SMBIOS_H
#define BOARD_SMBIOS_H

#include "lib/base.h"

struct writer;

enum { SMBIOS_ANCHOR_SIZE = 24, SMBIOS_SIZE = 0x10000 };

/* What -smbios says: strings, of which NULL or an empty one is what the machine says anyway, and numbers. */
enum { SMBIOS_PORTS = 16, SMBIOS_OEM = 32, SMBIOS_FILES = 16, SMBIOS_TYPES = 128 };
struct smbios_told {
    struct {
        const char *vendor, *version, *date;
        u8 major, minor; /* of the release */
        bool there, uefi;
    } bios;
    struct {
        const char *manufacturer, *product, *version, *serial, *sku, *family;
    } system;
    struct {
        const char *manufacturer, *product, *version, *serial, *asset, *location;
        bool there;
    } board;
    struct {
        const char *manufacturer, *version, *serial, *asset, *sku;
    } chassis;
    struct {
        const char *socket, *manufacturer, *version, *serial, *asset, *part;
        u64 id, max_mhz, mhz; /* 0: not told */
    } processor;
    struct smbios_port {
        const char *internal, *external;
        u64 connector, port;
    } port[SMBIOS_PORTS];
    unsigned port_count;
    const char *oem[SMBIOS_OEM];
    unsigned oem_count;
    struct {
        const char *locator, *bank, *manufacturer, *serial, *asset, *part;
        u64 speed;
    } memory;
    /* Structures as they are, with their strings: they come first, and the machine makes none of these types. */
    struct {
        const u8 *data;
        u32 size; /* bytes: at least 4 */
    } file[SMBIOS_FILES];
    unsigned file_count;
};

/* The entry point, whose address and checksum firmware fills in, and the structures; uuid: of the machine, in the order
 * in which it is written. False: no room. */
bool smbios_make(struct writer *anchor, struct writer *tables, const u8 uuid[16], const struct smbios_told *told);

#endif
