/*
 * Writing a device tree (Devicetree Specification 0.4): nodes by path, properties in front of each other, which is what
 * libfdt does. The first error is kept, what follows does nothing more.
 */
#ifndef BOARD_TREE_H
#define BOARD_TREE_H

#include "board/device.h"

struct tree {
    struct machine *m;
    void *fdt;
    int error;            /* the first one of libfdt, or 0 */
    bool plain;           /* no random nodes */
    u32 clock, gic, gpio; /* phandles; of the GPIOs the first */
    u32 msi, smmu;        /* of what takes messages of PCI functions, of the SMMU before them; 0: there is none */
    u32 ppi;              /* flags of a PPI of all PEs, for GICv2 with their set */
};
enum { TREE_SPI = 0, TREE_PPI = 1, TREE_EDGE = 1, TREE_LEVEL = 4 }; /* cells of an interrupt of the GIC */

void tree_note(struct tree *t, int rc);
/* A node; its parent must be there. */
void tree_node(struct tree *t, const char *path);
void tree_prop(struct tree *t, const char *path, const char *name, const void *value, unsigned size);
void tree_string(struct tree *t, const char *path, const char *name, const char *value);
void tree_flag(struct tree *t, const char *path, const char *name);
/* At most 16 cells. */
void tree_cells(struct tree *t, const char *path, const char *name, const u32 *cells, unsigned count);
#define TREE_CELLS(t, path, name, ...)                                                                                 \
    do {                                                                                                               \
        const u32 cells_[] = { __VA_ARGS__ };                                                                          \
        tree_cells(t, path, name, cells_, ARRAY_LEN(cells_));                                                          \
    } while (0)
/* More of them: at most 256. */
void tree_table(struct tree *t, const char *path, const char *name, const u32 *cells, unsigned count);
#define TREE_CELLS64(v) (u32)((u64)(v) >> 32), (u32)(v)

/* ---- what the row of a device says ---- */
/* Its node: sets path (64 bytes) to /name@address. */
void tree_device(struct tree *t, char path[64], const char *name, struct place at);
void tree_compatible(struct tree *t, const char *path, struct place at);
void tree_reg(struct tree *t, const char *path, struct place at);
/* Its first interrupt output. */
void tree_interrupts(struct tree *t, const char *path, struct place at);
/* For a Secure device: not for Non-secure software. */
void tree_secure(struct tree *t, const char *path, struct place at);
/* The interrupt controller's node (sets path), and what comes after its own properties. */
void tree_gic(struct tree *t, char path[64], struct place at);
void tree_gic_end(struct tree *t, const char *path);
/* Of a device below the interrupt controller, whose row comes first: it takes the messages of PCI functions. */
void tree_gic_msi(struct tree *t, char path[64], const char *name, struct place at);
/* A node with compatible, reg and interrupts: an Arm PrimeCell. */
void tree_primecell(struct tree *t, char path[64], const char *name, struct place at);

#endif
