/*
 * What the firmware configuration device holds: items, which are made at boot and lie in the machine's store (a region
 * of memory that no PE and no bus master can address), so that snapshots, hashes and `elmu diff` have them for nothing.
 */
#ifndef BOARD_FW_CFG_H
#define BOARD_FW_CFG_H

#include "board/machine.h"

/* Keys (docs/specs/fw_cfg of QEMU). The numbers between are of other machines. */
enum fw_cfg_key { FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_NOGRAPHIC = 0x04,
                  FW_CFG_NB_CPUS = 0x05, FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_INITRD_SIZE = 0x0b, FW_CFG_BOOT_MENU = 0x0e,
                  FW_CFG_KERNEL_DATA = 0x11, FW_CFG_INITRD_DATA = 0x12, FW_CFG_CMDLINE_SIZE = 0x14,
                  FW_CFG_CMDLINE_DATA = 0x15, FW_CFG_FILE_DIR = 0x19, FW_CFG_FILES = 0x20 };
enum { FW_CFG_ITEMS = 64, FW_CFG_NAME = 56 /* bytes with the NUL at its end */ };

struct fw_cfg_item {
    const char *name; /* of a file; NULL: `key` it is */
    u32 key;
    const void *data;
    u64 size; /* bytes, below 4 GiB */
    u32 writer; /* 1 + the row whose kind hears of writes (file_written); 0: it is only read */
};

/* Gives the device these items and a directory of the files among them, in the order of their names. False: too many,
 * too large, two of a name, or no memory; *wrong says which, in words. The items are sorted. */
bool fw_cfg_fill(struct machine *m, struct fw_cfg_item *items, unsigned count, const char **wrong);

#endif
