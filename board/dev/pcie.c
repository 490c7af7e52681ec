/*
 * The PCI Express host bridge as it lies on the board: the windows by which PEs reach configuration space (ECAM, PCI
 * Express Base Specification 4.0, 7.2.2), memory and I/O ports of the functions, INTx as four SPIs, the node of the
 * device tree ("pci-host-ecam-generic"). Memory has the same addresses on both sides, I/O ports begin at 0.
 *
 * Where no function answers, reads are all ones and writes are lost, as on QEMU's virt and as drivers that look for
 * devices expect.
 */
#include "board/machine.h"
#include "board/boot/tree.h"

enum { RANGE_IO = 0x1000000, RANGE_MEMORY = 0x2000000, RANGE_MEMORY64 = 0x3000000, PINS = 4 };

/* ---- configuration space ---- */

static int config_plug(struct machine *m, const struct access *a)
{
    return pci_find(m, (unsigned)(a->offset >> 20), a->offset >> 12 & 0xff);
}

/* Registers are read and written by words at most. */
static bool ecam_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)state;
    int plug = config_plug(m, a);
    u64 at = a->offset & 0xfff;
    *value = ~(u64)0;
    if (plug >= 0)
        *value = a->size < 8
                     ? pci_config_read(m, (unsigned)plug, at, a->size)
                     : pci_config_read(m, (unsigned)plug, at, 4) | pci_config_read(m, (unsigned)plug, at + 4, 4) << 32;
    return true;
}

static bool ecam_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state;
    int plug = config_plug(m, a);
    for (unsigned n = 0; plug >= 0 && n < a->size; n += 4)
        pci_config_write(m, (unsigned)plug, (a->offset & 0xfff) + n, a->size < 4 ? a->size : 4, value >> 8 * n);
    bus_levels(m, (struct place){ ROW_pcie, 0 });
    return true;
}

/* ---- memory and I/O ---- */

static bool window_access(struct machine *m, const struct access *a, bool io, bool write, u64 *value)
{
    struct pci_hit hit;
    u64 address = io ? a->offset : place_base(a->at) + a->offset;
    if (!pci_decode(m, io, address, a->size, &hit)) {
        *value = ~(u64)0;
        return true;
    }
    struct access inner = *a;
    inner.at = hit.at;
    inner.bar = hit.bar;
    inner.offset = hit.offset;
    if (!(write ? pci_write(m, &inner, *value) : pci_read(m, &inner, value)))
        *value = ~(u64)0;
    device_tell(m, &inner, write, *value);
    bus_levels(m, hit.at);
    return true;
}

static bool memory_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)state;
    return window_access(m, a, false, false, value);
}
static bool memory_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state;
    return window_access(m, a, false, true, &value);
}
static bool io_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)state;
    return window_access(m, a, true, false, value);
}
static bool io_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state;
    return window_access(m, a, true, true, &value);
}

/* ---- the device tree ---- */

/* Pins of the first four devices; the mask leaves these bits of a device's number. */
static void interrupt_map(struct tree *t, const char *path, u32 spi)
{
    u32 map[PINS][PINS][10], big[PINS * PINS * 10];
    for (u32 device = 0; device < PINS; device++)
        for (u32 pin = 0; pin < PINS; pin++)
            memcpy(map[device][pin],
                   (const u32[]){ device << 11, 0, 0, pin + 1, t->gic, 0, 0, TREE_SPI, spi + (device + pin) % PINS,
                                  TREE_LEVEL },
                   sizeof(map[device][pin]));
    memcpy(big, map, sizeof(big));
    TREE_CELLS(t, path, "#interrupt-cells", 1);
    tree_table(t, path, "interrupt-map", big, ARRAY_LEN(big));
    TREE_CELLS(t, path, "interrupt-map-mask", 3 << 11, 0, 0, 7);
}

static void ranges(struct tree *t, const char *path, const struct row *memory)
{
    const struct row *io = row_get(ROW_pcie_io), *high = row_get(ROW_pcie_64);
    const u32 cells[] = { RANGE_IO,
                          TREE_CELLS64(0),
                          TREE_CELLS64(io->base),
                          TREE_CELLS64(io->size),
                          RANGE_MEMORY,
                          TREE_CELLS64(memory->base),
                          TREE_CELLS64(memory->base),
                          TREE_CELLS64(memory->size),
                          RANGE_MEMORY64,
                          TREE_CELLS64(high->base),
                          TREE_CELLS64(high->base),
                          TREE_CELLS64(high->size) };
    tree_table(t, path, "ranges", cells, row_there(t->m, high) ? 21 : 14);
}

static void node(struct tree *t, struct place at)
{
    char path[64];
    const struct row *ecam = row_get(t->m->options.lowmem ? ROW_ecam_low : ROW_ecam);
    tree_device(t, path, "pcie", at);
    tree_compatible(t, path, at);
    tree_string(t, path, "device_type", "pci");
    TREE_CELLS(t, path, "#address-cells", 3);
    TREE_CELLS(t, path, "#size-cells", 2);
    TREE_CELLS(t, path, "linux,pci-domain", 0);
    TREE_CELLS(t, path, "bus-range", 0, (u32)(ecam->size >> 20) - 1);
    tree_flag(t, path, "dma-coherent");
    if (t->msi)
        TREE_CELLS(t, path, "msi-map", 0, t->msi, 0, 0x10000);
    TREE_CELLS(t, path, "reg", TREE_CELLS64(ecam->base), TREE_CELLS64(ecam->size));
    ranges(t, path, row_get(at.row));
    interrupt_map(t, path, row_get(at.row)->spi);
    if (t->smmu)
        TREE_CELLS(t, path, "iommu-map", 0, t->smmu, 0, 0x10000);
}

const struct kind kind_pcie = {
    .name = "pcie",
    .compatible = "pci-host-ecam-generic\0",
    .wires = PINS,
    .read = memory_read,
    .write = memory_write,
    .lines = pci_intx,
    .node = node,
};
const struct kind kind_pcie_64 = {
    .name = "pcie",
    .compatible = "pci-host-ecam-generic\0",
    .read = memory_read,
    .write = memory_write,
};
const struct kind kind_pcie_io = {
    .name = "pcie",
    .compatible = "pci-host-ecam-generic\0",
    .read = io_read,
    .write = io_write,
};
const struct kind kind_pcie_ecam = {
    .name = "pcie",
    .compatible = "pci-host-ecam-generic\0",
    .read = ecam_read,
    .write = ecam_write,
};
