/*
 * PCI configuration space: how a function is described, and what reads and writes of its registers do, by the rows of
 * pci_config.def (PCI Local Bus Specification 3.0, 6; PCI Express Base Specification 4.0, 7.5). Function-level reset,
 * reset by leaving D3hot and by a bridge's Secondary Bus Reset take effect at once.
 *
 * Left out: extended capabilities (those bytes read as zeros, or as if nothing answered where the function is no PCI
 * Express one), expansion ROMs, built-in self-test, errors in the status registers, link training, hot-plug, ARI.
 */
#include "board/machine.h"
#include "board/dev/pci.h"

enum { STATUS_INTX = 0x08, STATUS_CAPABILITIES = 0x10 };
enum { EXPRESS_SIZE = 0x3c, DEVICE_CONTROL = 0x08, FLR = 0x8000, FLR_CAPABLE = 1 << 28, ROLE_BASED = 1 << 15 };

static const struct row_of {
    u32 of, at, size, writable, cleared;
} registers[] = {
#define PCI_REGISTER(of, name, at, size, writable, cleared) { of, at, size, writable, cleared },
#include "board/dev/pci_config.def"
};

/* ---- descriptions ---- */

void pci_identify(struct pci_desc *d, u16 vendor, u16 device, u32 class_code, u8 revision)
{
    store_le16(d->config, vendor);
    store_le16(d->config + 2, device);
    store_le32(d->config + 8, class_code << 8 | revision);
}

void pci_subsystem(struct pci_desc *d, u16 vendor, u16 device)
{
    store_le16(d->config + 0x2c, vendor);
    store_le16(d->config + 0x2e, device);
}

void pci_bar(struct pci_desc *d, unsigned n, enum pci_space space, u64 size, bool prefetchable)
{
    d->bar[n] = (struct pci_bar){ .size = size, .space = (u8)space, .prefetchable = prefetchable };
    d->config[PCI_BAR0 + 4 * n] =
        space == PCI_SPACE_IO ? 1 : (u8)((space == PCI_SPACE_MEMORY64 ? 4 : 0) | (prefetchable ? 8 : 0));
}

void pci_to_bus(struct pci_desc *d, unsigned first, unsigned last)
{
    d->bridge = true;
    d->first_device = (u8)first;
    d->last_device = (u8)last;
}

u8 pci_capability(struct pci_desc *d, enum pci_of id, u8 size)
{
    u8 at = d->cap_count ? d->cap_end : 0x40;
    d->config[at] = (u8)id;
    d->config[at + 1] = d->config[PCI_POINTER];
    d->config[PCI_POINTER] = at;
    d->config[PCI_STATUS] |= STATUS_CAPABILITIES;
    d->cap[d->cap_count++] = (struct pci_cap){ (u8)id, at };
    d->cap_end = (u8)align_up(at + size, 4);
    return at;
}

void pci_msi(struct pci_desc *d)
{
    d->msi = pci_capability(d, PCI_CAP_MSI, 16);
    store_le16(d->config + d->msi + 2, 0x80);
}

void pci_msix(struct pci_desc *d, unsigned bar, unsigned vectors)
{
    u8 *cap = d->config + (d->msix = pci_capability(d, PCI_CAP_MSIX, 12));
    pci_bar(d, bar, PCI_SPACE_MEMORY, 0x1000, false);
    d->msix_bar = (u8)bar;
    d->vectors = (u8)vectors;
    store_le16(cap + 2, (u16)(vectors - 1));
    store_le32(cap + 4, bar);
    store_le32(cap + 8, PCI_PBA | bar);
}

void pci_express(struct pci_desc *d, unsigned type, bool flr)
{
    u8 *cap = d->config + (d->express = pci_capability(d, PCI_CAP_EXPRESS, EXPRESS_SIZE));
    store_le16(cap + 2, (u16)(2 | type << 4));
    store_le32(cap + 4, ROLE_BASED | (flr ? FLR_CAPABLE : 0));
    store_le32(cap + 0x0c, 1 << 4 | 1); /* a link of one lane at 2.5 GT/s, which is up */
    store_le16(cap + 0x12, 1 << 4 | 1);
}

void pci_power(struct pci_desc *d)
{
    u8 *cap = d->config + (d->pm = pci_capability(d, PCI_CAP_PM, 8));
    store_le16(cap + 2, 3);
}

/* ---- the registers ---- */

/* Where the registers of such a row begin; -1: the function has none. */
static int row_base(const struct pci_desc *d, u32 of)
{
    if (of == PCI_VIRTIO_CFG)
        return d->cfg ? d->cfg : -1;
    if (of >= PCI_ANY)
        return of == PCI_ANY || (of == PCI_BRIDGE) == d->bridge ? 0 : -1;
    for (unsigned n = 0; n < d->cap_count; n++)
        if (d->cap[n].id == of)
            return d->cap[n].at;
    return -1;
}

static void byte_write(struct pci_function *f, u64 at, u8 value, u8 writable, u8 cleared)
{
    f->config[at] = (u8)(((f->config[at] & ~writable) | (value & writable)) & ~(value & cleared));
}

/* Where an address range begins. */
u64 pci_bar_base(const struct pci_desc *d, const struct pci_function *f, unsigned n)
{
    const u8 *bar = f->config + PCI_BAR0 + 4 * n;
    u64 base = load_le32(bar);
    if (d->bar[n].space == PCI_SPACE_MEMORY64)
        base |= (u64)load_le32(bar + 4) << 32;
    return base & ~(d->bar[n].size - 1);
}

/* Bits of the base address registers that software writes: those of the ranges' alignment (6.2.5.1). */
static u8 bar_writable(const struct pci_desc *d, u64 at)
{
    unsigned n = (unsigned)(at - PCI_BAR0) / 4, bars = d->bridge ? 2 : PCI_BARS;
    if (at < PCI_BAR0 || n >= bars)
        return 0;
    bool high = n && d->bar[n - 1].space == PCI_SPACE_MEMORY64;
    const struct pci_bar *bar = &d->bar[high ? n - 1 : n];
    return bar->size ? (u8)(~(bar->size - 1) >> (8 * (at % 4) + (high ? 32 : 0))) : 0;
}

static void registers_write(const struct pci_desc *d, struct pci_function *f, u64 offset, unsigned size, u64 value)
{
    for (unsigned n = 0; n < size; n++)
        byte_write(f, offset + n, (u8)(value >> 8 * n), bar_writable(d, offset + n), 0);
    for (unsigned k = 0; k < ARRAY_LEN(registers); k++) {
        const struct row_of *r = &registers[k];
        int base = row_base(d, r->of);
        for (unsigned n = 0; n < size && base >= 0; n++) {
            u64 at = offset + n - (u64)base - r->at; /* byte of the register */
            if (at < r->size)
                byte_write(f, offset + n, (u8)(value >> 8 * n), (u8)(r->writable >> 8 * at),
                           (u8)(r->cleared >> 8 * at));
        }
    }
}

/* ---- what hangs on them ---- */

static const struct kind *kind_of(struct place at) { return row_get(at.row)->kind; }
static void function_reset(struct machine *m, struct place at) { kind_of(at)->reset(m, place_state(m, at), at); }

void pci_reset(struct machine *m, struct place at)
{
    unsigned plug = pci_plug_of(m, at);
    struct pci_function *f = pci_function(m, plug);
    if (f->waits)
        bus_settled(m, pci_requester(m, plug));
    memset(f, 0, sizeof(*f));
    memcpy(f->config, m->d.pci->slot[plug].desc.config, sizeof(f->config));
    for (unsigned n = 0; n < PCI_VECTORS; n++)
        f->vector[n].control = 1;
    pci_moved(m);
}

const struct state_field pci_plain_fields[1] = {
    { "function", 0, sizeof(struct pci_function), &pci_function_shape },
};

void pci_plain_reset(struct machine *m, void *state, struct place at)
{
    (void)state;
    pci_reset(m, at);
}

/* Everything behind a bridge. */
static void bus_reset_behind(struct machine *m, unsigned bridge)
{
    for (unsigned n = bridge + 1; n < m->d.pci->count; n++)
        for (unsigned up = m->options.pci[n].bus; up >= bridge && up; up = m->options.pci[up].bus)
            if (up == bridge) {
                function_reset(m, m->d.pci->slot[n].at);
                break;
            }
}

/* Does a write of `size` bytes at `offset` reach bit `bit` of the register at `at`, with a 1? */
static bool sets(u64 offset, unsigned size, u64 value, unsigned at, unsigned number)
{
    u64 byte = at + number / 8 - offset;
    return byte < size && bit(value, 8 * byte + number % 8);
}

u64 pci_config_read(struct machine *m, unsigned plug, u64 offset, unsigned size)
{
    const struct pci_slot *slot = &m->d.pci->slot[plug];
    const struct kind *kind = kind_of(slot->at);
    void *state = place_state(m, slot->at);
    const struct pci_function *f = state;
    if (offset >= PCI_CONFIG)
        return slot->desc.express ? 0 : ones(8 * size);
    if (kind->config)
        kind->config(m, state, slot->at, offset, size, false);
    u64 value = 0;
    for (unsigned n = 0; n < size; n++)
        value |= (u64)f->config[offset + n] << 8 * n;
    if (PCI_STATUS - offset < size && kind->level && kind->level(state, 0))
        value |= (u64)STATUS_INTX << 8 * (PCI_STATUS - offset);
    return value;
}

void pci_config_write(struct machine *m, unsigned plug, u64 offset, unsigned size, u64 value)
{
    const struct pci_slot *slot = &m->d.pci->slot[plug];
    const struct pci_desc *d = &slot->desc;
    struct pci_function *f = pci_function(m, plug);
    const struct kind *kind = kind_of(slot->at);
    if (offset >= PCI_CONFIG)
        return;
    bool slept = pci_in_d3(d, f);
    registers_write(d, f, offset, size, value);
    bool flr = d->express && load_le32(d->config + d->express + 4) & FLR_CAPABLE &&
               sets(offset, size, value, d->express + DEVICE_CONTROL, 15);
    if (flr || (slept && !pci_in_d3(d, f)))
        function_reset(m, slot->at);
    else if (kind->config)
        kind->config(m, f, slot->at, offset, size, true);
    if (d->bridge && sets(offset, size, value, PCI_BRIDGE_CONTROL, 6))
        bus_reset_behind(m, plug);
    pci_moved(m);
    pci_messages_flush(m, plug);
}
