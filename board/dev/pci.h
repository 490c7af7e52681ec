/*
 * PCI (PCI Local Bus Specification 3.0, PCI Express Base Specification 4.0): what functions and the host bridge share.
 *
 * A function is a row of pci.def and a kind (board/device.h) as any device: its state begins with a struct
 * pci_function, `describe` says what it shows at reset, its reads and writes are those of its address ranges
 * (access.bar), `level` is its INTx. How its configuration space behaves is rows of pci_config.def. What the host
 * bridge's windows lead to is looked up in the functions' own registers; what was found serves until one is written.
 */
#ifndef BOARD_PCI_H
#define BOARD_PCI_H

#include "board/device.h"

enum { PCI_PLUGS = 64, PCI_BARS = 6, PCI_VECTORS = 8, PCI_CAPS = 12, PCI_CONFIG = 256,
       PCI_STEPS = 4096 /* of pci_work, at most: a guest may have written a queue without an end */ };
enum pci_function_number {
    PCI_NONE,
#define FUNCTION(kind, name) FUNCTION_##kind,
#include "board/dev/pci.def"
    PCI_FUNCTIONS
};
enum { PCI_MULTIFUNCTION = 1, PCI_ANYWHERE = 2 /* the first free device number */,
       PCI_NO_LEGACY = 4, PCI_NO_MODERN = 8, PCI_BEHIND_IOMMU = 16, /* of virtio-pci */
       PCI_LEGACY_SAID = 32 /* legacy or not was asked for: else what the bus suggests */,
       PCI_NO_SHPC = 64 /* of a bridge: device 0 behind it is one as others */ };

/* What is plugged where: options of the machine. A bridge comes before what is behind it. */
struct pci_plug {
    u64 dma_mask; /* edu */
    u32 unit;     /* number of its back end: disk, console port */
    u16 slot;     /* number of a root port's slot, of a bridge's chassis */
    u8 function;  /* enum pci_function_number */
    u8 device;    /* virtio-pci: enum virtio_kind */
    u8 bus;       /* 0: the host bridge's; else the number of the bridge's plug */
    u8 devfn;     /* 8 * device + function */
    u8 flags;
    u8 boot;      /* its turn among those that firmware is to boot from, from 1 on; 0: none */
    u8 pad[4];
};
extern const struct state_shape pci_plug_shape;

struct pci_vector { /* of MSI-X (6.8.2) */
    u64 address;
    u32 data, control;
};
/* What all functions have: the head of their state. */
struct pci_function {
    struct pci_vector vector[PCI_VECTORS];
    u32 pending;           /* a bit a vector: messages that a mask, or the SMMU, holds back. MSI's is the first */
    u32 waits;             /* enum pci_waits: for the SMMU */
    u8 config[PCI_CONFIG]; /* as software reads it, but for Interrupt Status */
};
extern const struct state_shape pci_function_shape;
enum pci_waits { PCI_WAITS_WORK = 1, PCI_WAITS_MESSAGE = 2 };

enum pci_space { PCI_SPACE_NONE, PCI_SPACE_IO, PCI_SPACE_MEMORY, PCI_SPACE_MEMORY64 };
struct pci_bar {
    u64 size; /* bytes, a power of two; 0: there is none */
    u8 space; /* enum pci_space */
    bool prefetchable;
};
/* Of what a row of pci_config.def is; the capabilities have their IDs. */
enum pci_of { PCI_CAP_PM = 0x01, PCI_CAP_SLOT_NUMBERING = 0x04, PCI_CAP_MSI = 0x05, PCI_CAP_VENDOR = 0x09,
              PCI_CAP_SSVID = 0x0d, PCI_CAP_EXPRESS = 0x10, PCI_CAP_MSIX = 0x11, PCI_ANY = 0x100, PCI_DEVICE,
              PCI_BRIDGE, PCI_VIRTIO_CFG };
struct pci_cap {
    u8 id, at;
};
/* What a function shows: follows from what is plugged, and never changes. */
struct pci_desc {
    u8 config[PCI_CONFIG]; /* at reset */
    struct pci_bar bar[PCI_BARS];
    struct pci_cap cap[PCI_CAPS];
    u8 cap_count, cap_end;        /* the next free byte */
    u8 msi, msix, express, pm;    /* where these capabilities are; 0: nowhere */
    u8 cfg;                       /* virtio's, that reaches its ranges */
    u8 msix_bar, vectors;         /* the table lies at 0 of that range, the pending bits at PCI_PBA */
    bool bridge, takes_over;      /* takes_over: DMA from behind it carries the ID of its secondary bus, function 0 */
    u8 first_device, last_device; /* numbers that devices behind it can have */
};
enum { PCI_PBA = 0x800 };

/* A function's range, and where in it. */
struct pci_hit {
    u32 plug, bar;
    u64 offset;
};
/* What answers at some addresses, as it was found out: size 0: nothing was. */
struct pci_near {
    u64 base, size;
    u64 offset; /* of base, in the function's range */
    const struct pci_slot *slot;
    u32 bar;
    bool io, table; /* table: MSI-X's lies there */
};
enum { PCI_NEAR = 16 };

/* The machine's plugs with what follows from them. Derived: machine.d.pci. */
struct pci {
    struct pci_slot {
        struct place at;
        const struct kind *kind;
        struct pci_function *function; /* its state */
        struct pci_desc desc;
    } slot[PCI_PLUGS];
    struct pci_plug made[PCI_PLUGS];      /* what it was made of */
    u8 plug_at[PCI_FUNCTIONS][PCI_PLUGS]; /* number of the plug by kind and place */
    u32 count;
    struct pci_near near[PCI_NEAR]; /* dropped when configuration space changes */
    struct pci_near once;           /* what cannot be kept */
    struct pci_pin {                /* those that have a pin */
        const struct pci_slot *slot;
        bool (*level)(const void *state, unsigned wire);
        u32 pin; /* at the host, as a set */
    } pinned[PCI_PLUGS];
    u32 pinned_count;
    bool working, stalled; /* within a step of pci_work; whose DMA was held back, and which therefore has not been */
    u8 before[];           /* what the function had of its own before the step */
};

enum { COMMAND_IO = 1, COMMAND_MEMORY = 2, COMMAND_MASTER = 4, COMMAND_NO_INTX = 0x400 };
enum { PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_HEADER = 0x0e, PCI_BAR0 = 0x10, PCI_SECONDARY = 0x19,
       PCI_SUBORDINATE = 0x1a, PCI_POINTER = 0x34, PCI_PIN = 0x3d, PCI_BRIDGE_CONTROL = 0x3e };
enum { PCI_PMCSR = 0x04 /* in the capability of power management */, PCI_D3HOT = 3 };
static inline bool pci_in_d3(const struct pci_desc *d, const struct pci_function *f)
{
    return d->pm && (f->config[d->pm + PCI_PMCSR] & 3) == PCI_D3HOT;
}
enum { CONTROL_ISA = 4 /* of each KiB of ports below 64 KiB the last three quarters are not forwarded */ };

/* ---- for `describe` ---- */
void pci_identify(struct pci_desc *d, u16 vendor, u16 device, u32 class_code, u8 revision);
void pci_subsystem(struct pci_desc *d, u16 vendor, u16 device);
void pci_bar(struct pci_desc *d, unsigned n, enum pci_space space, u64 size, bool prefetchable);
/* It is a bridge to a bus with devices of these numbers. */
void pci_to_bus(struct pci_desc *d, unsigned first, unsigned last);
/* Its place; the next in the list is the one added before, as on QEMU. */
u8 pci_capability(struct pci_desc *d, enum pci_of id, u8 size);
/* MSI: one vector, addresses of 64 bits. */
void pci_msi(struct pci_desc *d);
/* Vectors of MSI-X, with their table in a range of its own. */
void pci_msix(struct pci_desc *d, unsigned bar, unsigned vectors);
/* PCI Express, version 2, of a device or port type (7.5.3.2), with function-level reset or not. */
void pci_express(struct pci_desc *d, unsigned type, bool flr);
void pci_power(struct pci_desc *d);

/* A kind that has configuration space, and nothing else. */
extern const struct state_field pci_plain_fields[1];
void pci_plain_reset(struct machine *m, void *state, struct place at);
#define PCI_PLAIN_KIND(its_name, described)                                                                            \
    {                                                                                                                  \
        .name = (its_name), .compatible = "", .state = STATE_SHAPE(pci_function, pci_plain_fields), .version = 1,      \
        .reset = pci_plain_reset, .describe = (described)                                                              \
    }

/* ---- for functions ---- */
/* As after a reset; a kind's own `reset` begins with it. */
void pci_reset(struct machine *m, struct place at);
/* Number of the plug. */
unsigned pci_plug_of(const struct machine *m, struct place at);
const struct pci_plug *pci_plugged(const struct machine *m, struct place at);
/* Makes the steps of its kind's `work` until there is no more to do, or an SMMU holds one back: that one is made again
 * when it has decided, with all its DMA, and hears of each transaction again what was decided. */
void pci_work(struct machine *m, struct place at);
/* What it waited to do is not to be done any more. */
void pci_abandon(struct machine *m, struct place at);
/* DMA, within `work`: false where nothing answers, and while the function, or a bridge on the way, may not be a bus
 * master. untranslated: past an SMMU. */
bool pci_dma(struct machine *m, struct place at, u64 pa, void *bytes, u64 size, bool write, bool untranslated);
/* Signals interrupt `vector` by a message, which waits when an SMMU holds it back. False: messages are off, it is to be
 * INTx. */
bool pci_message(struct machine *m, struct place at, unsigned vector);
bool pci_messages_on(const struct machine *m, struct place at);

/* ---- for the board ---- */
/* Fills m->options.pci with the configuration's plugs, checked and with their places, and what follows from them.
 * False: error (256 bytes) says why. */
struct machine_config;
bool pci_plug(struct machine *m, const struct machine_config *config, char *error);
/* What follows from m->options.pci; NULL: no memory. */
struct pci *pci_create(const struct machine *m);
/* The devices' state is there now. */
void pci_bind(struct machine *m);
/* Name for -device of a kind of function, or NULL; its row among the board's. */
const char *pci_function_name(unsigned function);
unsigned pci_function_row(unsigned function);
const char *pci_plug_name(const struct pci_plug *plug);
/* Number of the bus that it is on. */
unsigned pci_bus_number(const struct machine *m, unsigned plug);
/* ID of a function as bus master: bus, device, function (2.2.4.2). Conventional PCI has none: what comes from behind a
 * bridge carries that one's, or, from behind one from PCI Express, the secondary bus's with function 0 (PCI Express to
 * PCI/PCI-X Bridge 1.0, 2.3). */
u32 pci_requester(const struct machine *m, unsigned plug);

/* ---- for the SMMU ---- */
/* It has decided about transactions of a stream (STREAM_ALL: of any): those that wait are made again. True: some wait
 * still. */
bool pci_resume(struct machine *m, u32 stream);

/* ---- for the host bridge ---- */
/* The function at a bus number and device.function as software has set the bridges up; -1: none. */
int pci_find(struct machine *m, unsigned bus, unsigned devfn);
u64 pci_config_read(struct machine *m, unsigned plug, u64 offset, unsigned size);
void pci_config_write(struct machine *m, unsigned plug, u64 offset, unsigned size, u64 value);
/* The function and its range that decode an access there; NULL: none. To be looked for in pci.near first. */
const struct pci_near *pci_decode(struct machine *m, bool io, u64 address, unsigned size);
/* Configuration space was written, or is another one: what was found out is to be found again. */
void pci_moved(struct machine *m);
/* An access to the table of MSI-X, or to its pending bits. */
u64 pci_table_read(const struct pci_slot *slot, const struct access *a);
void pci_table_write(struct machine *m, const struct pci_slot *slot, const struct access *a, u64 value);
/* Sends the messages that nothing holds back any more. */
void pci_messages_flush(struct machine *m, unsigned plug);
/* The set of INTx pins of the host bridge that functions assert. */
u32 pci_intx(struct machine *m);
struct pci_function *pci_function(const struct machine *m, unsigned plug);
u64 pci_bar_base(const struct pci_desc *d, const struct pci_function *f, unsigned bar);

#endif
