/*
 * What a device of the board is: a row of virt.def says where it is and how many of it there are, a kind says what it
 * does. The bus, resets, timers, validation, hashes, snapshots, `elmu diff`, the device tree, ACPI and -list-devices
 * walk the rows and ask the kinds; nothing names a device in the middle. docs/adding.md has the recipe.
 *
 * A device's state is plain data without pointers and without padding, each field listed in `fields`. What a device
 * wants of the world (console bytes, disks, time, RAM) it asks of the machine. Nobody drives an interrupt line: after
 * whatever may have changed a device its outputs are asked for, so that there is nothing to restore.
 */
#ifndef BOARD_DEVICE_H
#define BOARD_DEVICE_H

#include "lib/state.h"
#include "mmu/phys.h"

struct machine;
struct machine_options;
struct pci_desc;
struct pci_plug;
struct screen;
struct tree;
struct writer;

/* A device: the row of virt.def, and which of the row's devices. An index, so that it may lie in saved state. */
struct place {
    u16 row, n;
};

/* An access to a register: offset within the device, size 1, 2, 4 or 8 bytes, naturally aligned. */
struct access {
    u64 offset;
    struct phys_attrs by; /* the PE, or by.cpu NOT_A_CPU: a bus master */
    struct place at;
    u32 size;
    u32 stream; /* of a bus master: what an ITS or an SMMU knows it by */
    u32 bar;    /* of a PCI function: which of its address ranges */
};
enum { NOT_A_CPU = 0xffff };

/* What becomes of a bus master's transaction: DMA_IGNORE: reads as zeros, writes go nowhere, and nobody is told.
 * DMA_STALL: nothing yet. */
enum dma_verdict { DMA_PASS, DMA_ABORT, DMA_IGNORE, DMA_STALL };
/* Where it goes: `size` bytes from its address on (which may be more than it has) are at pa; and for those who look in,
 * by what stages (a set), with which address between them, and why it does not pass: words, or NULL. */
struct dma_output {
    u64 pa, size, ipa;
    u32 stages;
    const char *event, *cause; /* "F_PERMISSION", "S2AP denies writes" */
};
struct requester;
/* A transaction, for those who look in. */
struct dma_note {
    const struct requester *by;
    u64 address, size;
    struct dma_output out;
    enum dma_verdict verdict;
    bool write, answered; /* answered: something was there behind it */
};

/* What of the host a device has for itself (struct machine_host), and how many of them there can be. */
enum back_end { BACK_END_NONE, BACK_END_PORT, /* a console: -serial, -chardev */ BACK_END_DISK, /* -drive */
                BACK_END_NET /* a network: -netdev */, BACK_END_SHARE /* a folder: -fsdev, -virtfs */,
                BACK_END_INPUT /* keys or a pointer: a window, VNC, monitors */, BACK_END_SCREEN /* who looks at it */,
                BACK_ENDS };
enum { MAX_PORTS = 16, MAX_DISKS = 32, MAX_NETS = 16, MAX_SHARES = 8, MAX_INPUTS = 8, MAX_GPUS = 4 };
/* Beside the ports of devices: semihosting's, when it has one of its own. */
enum { PORT_SEMIHOST = MAX_PORTS, ALL_PORTS };

/* What a device with screens has for those who look at them (board/display.h). All of it only reads. `head`: which of
 * the device's screens. */
struct screens {
    unsigned (*count)(const struct machine *m, struct place at);
    void (*look)(struct machine *m, const void *state, struct place at, unsigned head, struct screen *s);
    /* A part of row y: `count` pixels from x on, within what `look` says; bits 31:24 are of no account. */
    void (*read)(struct machine *m, const void *state, struct place at, unsigned head, u32 x, u32 y, u32 count,
                 u32 *pixels);
    /* NULL: it draws no pointer. As machine_screen_cursor. */
    void (*cursor)(struct machine *m, const void *state, struct place at, unsigned head, u32 *pixels);
};

/* One const in each device's file. A function that is NULL: it has no such thing. */
struct kind {
    const char *name;
    const char *compatible;   /* of the device tree: strings that end with NUL each, two NULs at the end */
    struct state_shape state; /* a multiple of 8 bytes; empty: none of its own */
    u32 derived; /* bytes of what it works out, and can lose at any moment: then, and at first, they are zeros */
    u32 version; /* of the state's meaning: a snapshot of another version is refused */
    u8 wires;    /* interrupt outputs: the row's SPI and those after it */
    u8 timers;   /* events, each with a time of its own */
    /* Sets of timers: those that only offer input that is prepared; those that write RAM. All others may interrupt. */
    u8 timers_listen, timers_write;
    u8 edge;     /* its outputs are edges, for the device tree */
    u8 back_end; /* enum back_end; the number of its port is place_port */
    u8 memory;   /* it is memory of the row's size, which PEs read and execute while it is open, and do not write */
    u8 messages; /* bus masters' writes reach it: an MSI is one. Of devices without, they reach none */
    /* How many of the row's devices these options, which may be a hostile snapshot's, bring. NULL: all. */
    u32 (*count)(const struct machine_options *options);
    /* False: nothing answers there (external abort). *value is 0 before a read. */
    bool (*read)(struct machine *m, void *state, const struct access *a, u64 *value);
    bool (*write)(struct machine *m, void *state, const struct access *a, u64 value);
    /* Is the output high? Asked after each access, timer, input and reset. NULL: they are edges (bus_pulse). */
    bool (*level)(const void *state, unsigned wire);
    /* Memory: does the device itself answer reads now? Asked after each access, reset and restore. */
    bool (*closed)(const void *state);
    /* For a bus, asked instead: the set of outputs that are high because a device on it wants it. */
    u32 (*lines)(struct machine *m);
    /* The time that machine_timer_set gave has come. */
    void (*timer)(struct machine *m, void *state, struct place at, unsigned n);
    /* The host may have input (machine_input). False: it takes none, and is as before. */
    bool (*input)(struct machine *m, void *state, struct place at);
    /* The power key is wired to it. */
    void (*power_key)(struct machine *m, struct place at);
    /* At power-on and reset; what is plugged into it stays. */
    void (*reset)(struct machine *m, void *state, struct place at);
    /* NULL when every index in the state is within its bounds, else what is wrong: the state may be hostile. */
    const char *(*validate)(const void *state, struct place at);
    /* It stands between bus masters and memory: where does this byte's access go? At most one row's kind has it. */
    enum dma_verdict (*translate)(struct machine *m, void *state, struct place at, const struct requester *by,
                                  u64 address, bool write, struct dma_output *out);
    /* A stream makes none of its transactions again any more (bus_settled): what was decided of them is forgotten. */
    void (*settled)(struct machine *m, void *state, struct place at, u32 stream);
    const struct screens *screens;
    /* A file of the firmware configuration device that the guest may write, at first zeros: its name and bytes; all of
     * it, whenever some of it was written. */
    const char *file;
    u32 file_size;
    void (*file_written)(struct machine *m, void *state, const u8 *file);
    /* Its part of the device tree; and of ACPI's DSDT (board/acpi/aml.h) and MADT (board/acpi/acpi.h). */
    void (*node)(struct tree *t, struct place at);
    void (*acpi)(struct writer *w, struct place at);
    void (*madt)(struct writer *w, struct place at);
    /* Of a PCI function (board/dev/pci.h): what it shows, NULL or why it cannot be so; called before its configuration
     * space is read and after it was written. */
    const char *(*describe)(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d);
    void (*config)(struct machine *m, void *state, struct place at, u64 offset, unsigned size, bool write);
    /* A step of what its state says that there is to do, with all its DMA (pci_work). False: there is no more. A step
     * whose DMA an SMMU holds back has not been: its own state is as it was before, and the step is made again when the
     * SMMU lets it. What else than memory sees of it (consoles, disks) comes after its last DMA, or may come twice. */
    bool (*work)(struct machine *m, void *state, struct place at);
};

/* ---- the rows of virt.def ---- */
/* Parts of the machine that options bring: a set. A row is there when all that it names are. */
enum when { ALWAYS, SECURE_ONLY = 1,  /* with secure=on it answers Secure accesses only */
            SECURE = 2 | SECURE_ONLY, /* there with secure=on only */
            GICV2 = 4, GICV3 = 8 /* and 4 */, ITS = 16, SMMU = 32,
            REDIST2 = 64, /* more PEs than the first region of redistributors has room for */
            ECAM_ABOVE = 128, ECAM_BELOW = 256, /* one of them: 256 buses above RAM, 16 below 1 GiB */
            VIRTUALIZATION = 512, GICV4 = 1024 /* and GICV3, ITS: virtual LPIs */,
            GED = 2048 /* firmware with ACPI: the power key is the event device's */,
            GPIO_KEY = 4096 /* no such firmware: it is a GPIO's */,
            MMIO_ABOVE = 8192 /* PCIe has a window of memory above RAM */ };
/* What lies above RAM, in this order. */
enum high { HIGH_REDISTS, HIGH_ECAM, HIGH_MMIO, HIGH_ROWS };
struct row {
    const char *name;
    const struct kind *kind; /* NULL: RAM */
    u64 base, size;          /* of one device, bytes. RAM of size 0: what -m says */
    u32 count, spi;
    u32 when; /* enum when */
};
enum row_number {
#define DEVICE(name, ...) ROW_##name,
#define RAM(name, ...)    ROW_##name,
#include "board/virt.def"
    ROW_FUNCTIONS, /* what is plugged into PCI buses: rows without an address, as many devices as are plugged in */
    ROW_BEFORE_FUNCTIONS = ROW_FUNCTIONS - 1,
#define FUNCTION(kind, name) ROW_##kind,
#include "board/dev/pci.def"
    ROW_COUNT
};
/* Devices of a row in this machine. */
u32 row_count(const struct machine *m, unsigned row);
/* Row n; NULL past the last. */
const struct row *row_get(unsigned n);
/* ---- board/map.c ---- */
/* The parts that these options bring; the addresses of the rows. */
u32 parts_of(const struct machine_options *options);
void map_bases(const struct machine_options *options, u64 base[ROW_COUNT]);
/* Has the CPU addresses for that much RAM? False: error says by how much not. */
bool map_fits(const struct machine_options *options, char error[256]);
/* The row of PCIe's configuration space. */
unsigned row_ecam(const struct machine *m);
/* What its GIC has of enum gic_part. */
u32 gic_parts_of(const struct machine *m);

/* Does this machine have the row? */
bool row_there(const struct machine *m, const struct row *row);
/* Does it answer Secure accesses only? */
bool row_secure(const struct machine *m, const struct row *row);
/* Address of a row in this machine, of a device. */
u64 row_address(const struct machine *m, unsigned row);
u64 place_base(const struct machine *m, struct place at);
/* The INTID of a device's first interrupt output. */
unsigned place_intid(struct place at);
/* How many devices of the same kind stand before it in the table. */
unsigned place_number(struct place at);
/* The number of its console port. What is plugged in has those from row_ports() on. */
unsigned place_port(struct place at);
unsigned row_ports(void);

/* ---- lines that the board itself drives ---- */
/* An input of a PL061. */
void pl061_line(struct machine *m, struct place at, unsigned line, bool high);

#endif
