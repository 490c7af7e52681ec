/*
 * The PCI Express host bridge as it lies on the board: the windows by which PEs reach configuration space (ECAM, PCI
 * Express Base Specification 4.0, 7.2.2), memory and I/O ports of the functions, INTx as four SPIs, the node of the
 * device tree ("pci-host-ecam-generic"), the device of ACPI's DSDT. Memory has the same addresses on both sides, I/O
 * ports begin at 0.
 *
 * Where no function answers, reads are all ones and writes are lost, as on QEMU's virt and as drivers that look for
 * devices expect.
 */
#include "board/acpi/aml.h"
#include "board/machine.h"
#include "board/boot/tree.h"
#include "board/observer.h"

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

/* What decodes the access: guests stay with a few functions for a while. */
static inline const struct pci_near *decode(struct machine *m, bool io, u64 address, unsigned size)
{
    const struct pci_near *near = &m->d.pci->near[address >> 12 & (PCI_NEAR - 1)];
    u64 offset = address - near->base;
    return likely(offset < near->size && size <= near->size - offset && near->io == io)
               ? near
               : pci_decode(m, io, address, size);
}

static inline bool function_access(struct machine *m, const struct pci_near *near, const struct access *a, bool write,
                                   u64 *value)
{
    const struct pci_slot *slot = near->slot;
    if (write && near->table)
        pci_table_write(m, slot, a, *value);
    else if (near->table)
        *value = pci_table_read(slot, a);
    else
        return write ? slot->kind->write && slot->kind->write(m, slot->function, a, *value)
                     : slot->kind->read && slot->kind->read(m, slot->function, a, value);
    return true;
}

static ALWAYS_INLINE bool window_access(struct machine *m, const struct access *a, bool io, bool write, u64 *value)
{
    u64 address = io ? a->offset : m->d.bus[a->at.row].base + a->offset;
    const struct pci_near *near = decode(m, io, address, a->size);
    if (unlikely(!near)) {
        *value = ~(u64)0;
        return true;
    }
    struct place at = near->slot->at;
    /* Its parts one by one, as the bus stored them a moment ago: as one word they would stall. */
    struct access inner = { .offset = address - near->base + near->offset,
                            .by = phys_attrs_make(a->by.ns, a->by.cpu, a->by.privileged),
                            .at = at,
                            .size = a->size,
                            .stream = a->stream,
                            .bar = near->bar };
    if (!function_access(m, near, &inner, write, value))
        *value = ~(u64)0;
    if (unlikely(m->d.observers->seen.device))
        device_tell(m, &inner, write, *value);
    if (a->at.row != ROW_pcie) /* whose lines are asked for anyway */
        bus_levels(m, at);
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
                          TREE_CELLS64(row_address(t->m, ROW_pcie_64)),
                          TREE_CELLS64(row_address(t->m, ROW_pcie_64)),
                          TREE_CELLS64(high->size) };
    tree_table(t, path, "ranges", cells, row_there(t->m, high) ? 21 : 14);
}

static void node(struct tree *t, struct place at)
{
    char path[64];
    unsigned row = row_ecam(t->m);
    const struct row *ecam = row_get(row);
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
    TREE_CELLS(t, path, "reg", TREE_CELLS64(row_address(t->m, row)), TREE_CELLS64(ecam->size));
    ranges(t, path, row_get(at.row));
    interrupt_map(t, path, row_get(at.row)->spi);
    if (t->smmu)
        TREE_CELLS(t, path, "iommu-map", 0, t->smmu, 0, 0x10000);
}

/* ---- ACPI (PCI Firmware Specification 3.0; ACPI 6.4, 6.2.13 and 6.4.3.5) ---- */

static void link_path(struct writer *w, unsigned n)
{
    const char name[] = { 'G', 'S', 'I', (char)('0' + n), 0 };
    aml_path(w, name);
}

/* _PRT: the interrupt link of each pin of the 32 devices of bus 0. */
static void routing(struct writer *w)
{
    enum { DEVICES = 32, ANY_FUNCTION = 0xffff };
    aml_name(w, "_PRT");
    u32 table = aml_open(w, AML_VAR_PACKAGE);
    aml_number(w, DEVICES * PINS);
    for (u32 device = 0; device < DEVICES; device++)
        for (u32 pin = 0; pin < PINS; pin++) {
            u32 entry = aml_open(w, AML_PACKAGE);
            put(w, 4, 1);
            aml_number(w, device << 16 | ANY_FUNCTION);
            aml_number(w, pin);
            link_path(w, (device + pin) % PINS);
            aml_number(w, 0);
            aml_close(w, entry);
        }
    aml_close(w, table);
}

/* An interrupt link that is wired: what it can be is what it is. */
static void link(struct writer *w, struct place at, unsigned n)
{
    static const char *const resources[] = { "_PRS", "_CRS" };
    u32 from = aml_open(w, AML_DEVICE);
    link_path(w, n);
    aml_name_string(w, "_HID", "PNP0C0F");
    aml_name_number(w, "_UID", n);
    for (unsigned k = 0; k < ARRAY_LEN(resources); k++) {
        u32 list = aml_resources(w, resources[k]);
        aml_interrupt(w, place_intid(at) + n, false);
        aml_resources_end(w, list);
    }
    aml_close(w, aml_method(w, "_SRS", 1, false));
    aml_close(w, from);
}

static void windows(struct writer *w, struct place at)
{
    const struct row *memory = row_get(at.row), *io = row_get(ROW_pcie_io), *high = row_get(ROW_pcie_64);
    u32 list = aml_resources(w, "_CRS");
    aml_range(w, &(struct aml_range){ AML_BUS, 2, 0, row_get(row_ecam(w->m))->size >> 20, 0 });
    aml_range(w, &(struct aml_range){ AML_MEMORY, 4, memory->base, memory->size, 0 });
    aml_range(w, &(struct aml_range){ AML_IO, 4, 0, io->size, io->base });
    if (row_there(w->m, high))
        aml_range(w, &(struct aml_range){ AML_MEMORY, 8, row_address(w->m, ROW_pcie_64), high->size, 0 });
    aml_resources_end(w, list);
}

/* CreateDWordField(Arg3, at, name) */
static void capability(struct writer *w, u32 at, const char *name)
{
    aml_op(w, AML_DWORD_FIELD);
    aml_op(w, AML_ARG3);
    aml_number(w, at);
    aml_path(w, name);
}

/* name = name op value */
static void change(struct writer *w, enum aml_op op, const char *name, u64 value)
{
    aml_op(w, op);
    aml_path(w, name);
    aml_number(w, value);
    aml_path(w, name);
}

static void store(struct writer *w, const char *from, const char *to)
{
    aml_op(w, AML_STORE);
    aml_path(w, from);
    aml_path(w, to);
}

static void return_argument(struct writer *w, enum aml_op argument)
{
    aml_op(w, AML_RETURN);
    aml_op(w, argument);
}

/* If (argument == value) {; without: != */
static u32 if_argument(struct writer *w, enum aml_op argument, bool equal, u64 value)
{
    u32 from = aml_open(w, AML_IF);
    if (!equal)
        aml_op(w, AML_NOT);
    aml_op(w, AML_EQUAL);
    aml_op(w, argument);
    aml_number(w, value);
    return from;
}

/* If (Arg0 == ToUUID(uuid)) { */
static u32 if_uuid(struct writer *w, const char *uuid)
{
    u32 from = aml_open(w, AML_IF);
    aml_op(w, AML_EQUAL);
    aml_op(w, AML_ARG0);
    aml_uuid(w, uuid);
    return from;
}

/* If (one != other) { */
static u32 if_differs(struct writer *w, const char *one, const char *other)
{
    u32 from = aml_open(w, AML_IF);
    aml_op(w, AML_NOT);
    aml_op(w, AML_EQUAL);
    aml_path(w, one);
    aml_path(w, other);
    return from;
}

/* _OSC (6.2.11.3): the operating system gets what it asks for of the first five controls: hot plug natively and by the
 * standard controller, PME, AER, the capability structure. */
static void control(struct writer *w)
{
    enum { CONTROLS = 0x1f, UNKNOWN_UUID = 4, UNKNOWN_REVISION = 8, MASKED = 16 };
    u32 method, known, unknown, part;
    aml_name_number(w, "SUPP", 0);
    aml_name_number(w, "CTRL", 0);
    method = aml_method(w, "_OSC", 4, false);
    capability(w, 0, "CDW1");
    known = if_uuid(w, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    capability(w, 4, "CDW2");
    capability(w, 8, "CDW3");
    store(w, "CDW2", "SUPP");
    store(w, "CDW3", "CTRL");
    change(w, AML_AND, "CTRL", CONTROLS);
    part = if_argument(w, AML_ARG1, false, 1);
    change(w, AML_OR, "CDW1", UNKNOWN_REVISION);
    aml_close(w, part);
    part = if_differs(w, "CDW3", "CTRL");
    change(w, AML_OR, "CDW1", MASKED);
    aml_close(w, part);
    store(w, "CTRL", "CDW3");
    return_argument(w, AML_ARG3);
    aml_close(w, known);
    unknown = aml_open(w, AML_ELSE);
    change(w, AML_OR, "CDW1", UNKNOWN_UUID);
    return_argument(w, AML_ARG3);
    aml_close(w, unknown);
    aml_close(w, method);
}

static void return_byte(struct writer *w, u8 byte)
{
    aml_op(w, AML_RETURN);
    aml_buffer(w, &byte, 1);
}

/* _DSM (4.6): of functions there is the one that says which there are. */
static void specific(struct writer *w)
{
    u32 method = aml_method(w, "_DSM", 4, false);
    u32 known = if_uuid(w, "e5c937d0-3553-4d7a-9117-ea4d19c3434d");
    u32 which = if_argument(w, AML_ARG2, true, 0);
    return_byte(w, 1);
    aml_close(w, which);
    aml_close(w, known);
    return_byte(w, 0);
    aml_close(w, method);
}

/* Configuration space: nothing else may lie there. */
static void reserved(struct writer *w)
{
    unsigned ecam = row_ecam(w->m);
    u32 from = aml_open_named(w, AML_DEVICE, "RES0");
    aml_name_string(w, "_HID", "PNP0C02");
    u32 list = aml_resources(w, "_CRS");
    aml_range(w, &(struct aml_range){ AML_MEMORY, 8, row_address(w->m, ecam), row_get(ecam)->size, 0 });
    aml_resources_end(w, list);
    aml_close(w, from);
}

static void description(struct writer *w)
{
    static const char text[] = "PCIe 0 Device";
    u8 wide[2 * sizeof(text)] = { 0 };
    for (unsigned n = 0; n < sizeof(text); n++)
        wide[2 * n] = (u8)text[n];
    aml_name(w, "_STR");
    aml_buffer(w, wide, sizeof(wide));
}

static void acpi(struct writer *w, struct place at)
{
    static const char *const zeros[] = { "_SEG", "_BBN", "_UID" };
    u32 from = aml_open_named(w, AML_DEVICE, "PCI0");
    aml_name_string(w, "_HID", "PNP0A08");
    aml_name_string(w, "_CID", "PNP0A03");
    for (unsigned n = 0; n < ARRAY_LEN(zeros); n++)
        aml_name_number(w, zeros[n], 0);
    description(w);
    aml_name_number(w, "_CCA", 1);
    routing(w);
    for (unsigned n = 0; n < PINS; n++)
        link(w, at, n);
    u32 base = aml_method(w, "_CBA", 0, false);
    aml_op(w, AML_RETURN);
    aml_number(w, row_address(w->m, row_ecam(w->m)));
    aml_close(w, base);
    windows(w, at);
    control(w);
    specific(w);
    reserved(w);
    aml_close(w, from);
}

const struct kind kind_pcie = {
    .name = "pcie",
    .compatible = "pci-host-ecam-generic\0",
    .wires = PINS,
    .read = memory_read,
    .write = memory_write,
    .lines = pci_intx,
    .node = node,
    .acpi = acpi,
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
