/*
 * Loading: from files (as bytes: the front end reads them) to RAM, a device tree and the PEs' first instruction, placed
 * and entered as QEMU's boot code for virt does, which was found by running it (board/boot/boot.c has the rules).
 */
#ifndef BOARD_BOOT_H
#define BOARD_BOOT_H

#include "board/boot/smbios.h"
#include "board/machine.h"

/* A file: name for messages, bytes. data NULL: not given. mapped: data is a mapping of the file itself, which its maker
 * has open as this descriptor - 1; 0: it is not. */
struct blob {
    const char *name;
    const u8 *data;
    u64 size;
    int mapped;
};

enum { MAX_LOADERS = 32, MAX_DOMAINS = 16, MAX_ITEMS = 32, BOOT_ERROR = 512,
       ORDER_SIZE = 0x20000 /* every function, behind every bridge */ };

/* -device loader: a file, or a value, put somewhere; and perhaps a PE started there. -device guest-loader: a file that
 * a hypervisor is told of. */
struct boot_loader {
    struct blob file;
    u64 addr, data;
    unsigned data_len; /* bytes; 0: it's a file */
    bool has_addr, force_raw;
    int cpu;            /* -1: none */
    const char *guest;  /* -device guest-loader: what the device tree says that it is, "kernel" or "ramdisk"; or NULL */
    const char *append; /* of a guest's kernel; or NULL */
};

/* A Xen domain: dom0, or one that Xen makes at boot (dom0less). */
struct boot_domain {
    bool dom0;
    struct blob kernel, initrd;
    const char *append;
    u64 mem; /* MiB */
    unsigned vcpus;
};

/* -fw_cfg: a file for firmware, or for Linux's driver of the device. */
struct boot_item {
    const char *name;
    struct blob file;
};

/* -boot: times in milliseconds. */
struct boot_menu {
    u64 wait, fail_wait;
    bool menu, has_wait, has_fail_wait;
    bool strict; /* firmware is to boot from nothing but what it is told */
};

struct boot_config {
    struct blob bios, kernel, initrd, dtb;
    const char *append;
    bool plain_dtb; /* the device tree gets no random nodes (kaslr-seed, rng-seed) */
    struct boot_loader loader[MAX_LOADERS];
    unsigned loader_count;
    struct boot_domain domain[MAX_DOMAINS];
    unsigned domain_count;
    struct boot_item item[MAX_ITEMS];
    unsigned item_count;
    bool nographic;
    bool empty; /* nothing to run is no error: a debugger loads it */
    struct boot_menu boot;
    u8 uuid[16]; /* in the order in which it is written */
    struct smbios_told smbios;
    struct roms *roms; /* NULL, or what boot_load writes down what it has loaded in */
};

/* What was loaded to where: into a flash bank, the firmware configuration device, RAM. */
enum rom_place { ROM_FLASH, ROM_FW_CFG, ROM_RAM };
struct rom {
    enum rom_place place;
    u64 address, size; /* of RAM; bytes */
    const char *name;  /* the file's, as the boot_config has it */
    int part;          /* of an ELF file: which of its program headers; or ROM_WHOLE, ROM_TREE */
};
enum { ROM_WHOLE = -1, ROM_TREE = -2 /* the machine's device tree, with the room that it has */ };
/* By place, then by address. Those that have no room are left out. */
struct roms {
    struct rom rom[256];
    unsigned count;
};
/* roms NULL: nobody asks. */
void rom_add(struct roms *roms, struct rom rom);

/* Loads everything and sets the entry of the PEs of a machine just reset. False: error says what is wrong. */
bool boot_load(struct machine *m, const struct boot_config *config, char error[BOOT_ERROR]);

/* Where something lies in memory: ranges that do not touch, in no order. When there are too many, one is widened. */
struct boot_used {
    struct {
        u64 low, high; /* high: one past the last byte */
    } range[64];
    unsigned count;
    struct roms *roms; /* of the boot_config */
};
void boot_use(struct boot_used *used, u64 low, u64 high);
/* The same, for what has a name. */
void boot_use_named(struct boot_used *used, u64 low, u64 size, const char *name, int part);

/* ---- board/boot/image.c ---- */
enum image_kind { IMAGE_ELF, IMAGE_LINUX, IMAGE_RAW };
struct image {
    enum image_kind kind;
    u64 entry, low, high;   /* physical addresses; high is one past the last */
    struct boot_used *used; /* NULL, or who wants to know about each part */
};
/* Puts a kernel into RAM: ELF, arm64 Image (plain, gzip, EFI zboot with gzip) or raw bytes. */
bool image_load(struct machine *m, const struct blob *file, struct image *image, char error[BOOT_ERROR]);
/* An ELF; false with an empty error: it isn't one. */
bool image_load_elf(struct machine *m, const struct blob *file, struct image *image, char error[BOOT_ERROR]);
/* Raw bytes; what: for the message. */
bool image_put(struct machine *m, u64 pa, const struct blob *file, const char *what, char error[BOOT_ERROR]);

/* The bytes of a file that gzip packed, which are then to be freed, or of any other as it is. */
bool image_unpack(const struct blob *file, struct blob *out, char error[BOOT_ERROR]);

/* ---- board/boot/order.c ---- */
/* What firmware is to boot from, for its file `bootorder`. */
struct writer;
void order_make(struct writer *w, bool strict);

/* ---- board/boot/fw_items.c ---- */
/* Fills the firmware configuration device; firmware: it is there to load kernel and initrd. */
bool fw_items_place(struct machine *m, const struct boot_config *c, bool firmware, char error[BOOT_ERROR]);

/* ---- board/boot/fdt.c ---- */
struct fdt_module {
    u64 pa, size;
    const char *kind;   /* "kernel", "ramdisk" */
    const char *append; /* NULL: none */
    unsigned domain;    /* index in boot_config.domain */
};
struct fdt_boot {
    const char *append;
    u64 initrd, initrd_size;
    const struct boot_config *config; /* domains; may be NULL */
    const struct fdt_module *module;
    unsigned module_count;
};
enum { FDT_SIZE = 0x100000 };
/* The machine's device tree, or (base not NULL) a given one, with what the boot adds. Writes at most FDT_SIZE bytes to
 * out and returns the size; 0: error. */
u64 fdt_make(struct machine *m, const struct fdt_boot *boot, const struct blob *base, u8 *out, char error[BOOT_ERROR]);

#endif
