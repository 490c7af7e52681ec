/*
 * PCI functions on their buses: what is plugged where, which function answers a bus number, an address or an interrupt
 * pin, DMA, and interrupts by message (PCI Local Bus Specification 3.0, 6.8; PCI-to-PCI Bridge Architecture 1.2).
 *
 * Bridges forward by what software has written into them, looked up from the function up to the host; what was found
 * is kept until configuration space is written (struct pci_near).
 * Of functions with overlapping ranges the one that was plugged in first answers. A message that a function may not
 * send (no bus master, or one above it is none) is lost. What an SMMU holds back is made again by pci_work and
 * pci_messages_flush, for every function alike. Left out: peer-to-peer DMA, error reporting.
 */
#include "board/machine.h"
#include "board/dev/pci.h"

#include <stdio.h>
#include <stdlib.h>

static const struct state_field vector_fields[] = {
    STATE(pci_vector, address),
    STATE(pci_vector, data),
    STATE(pci_vector, control),
};
static const struct state_shape vector_shape = STATE_SHAPE(pci_vector, vector_fields);
static const struct state_field function_fields[] = {
    STATE_OF(pci_function, vector, &vector_shape),
    STATE(pci_function, pending),
    STATE(pci_function, waits),
    STATE(pci_function, config),
};
const struct state_shape pci_function_shape = STATE_SHAPE(pci_function, function_fields);
static const struct state_field plug_fields[] = {
    STATE(pci_plug, dma_mask), STATE(pci_plug, unit),  STATE(pci_plug, slot),  STATE(pci_plug, function),
    STATE(pci_plug, device),   STATE(pci_plug, bus),   STATE(pci_plug, devfn), STATE(pci_plug, flags),
    STATE(pci_plug, boot),     STATE(pci_plug, pad),
};
const struct state_shape pci_plug_shape = STATE_SHAPE(pci_plug, plug_fields);

static const struct {
    const char *name;
    unsigned row;
} functions[PCI_FUNCTIONS] = {
#define FUNCTION(kind, name) [FUNCTION_##kind] = { name, ROW_##kind },
#include "board/dev/pci.def"
};

const char *pci_function_name(unsigned function) { return function < PCI_FUNCTIONS ? functions[function].name : NULL; }
unsigned pci_function_row(unsigned function) { return functions[function].row; }

/* ---- what is plugged ---- */

/* NULL, or why it cannot be so. */
static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    memset(d, 0, sizeof(*d));
    const char *wrong = row_get(functions[plug->function].row)->kind->describe(m, plug, d);
    d->config[PCI_HEADER] = (u8)((d->bridge ? 1 : 0) | (plug->flags & PCI_MULTIFUNCTION ? 0x80 : 0));
    return wrong;
}

static u64 own_size(const struct kind *kind) { return kind->state.size - sizeof(struct pci_function); }

/* Pins are A to D, 0 to 3; on its way up a device's pin moves by its number at each bridge and at the host. */
static unsigned pin_at_host(const struct machine *m, unsigned plug, unsigned pin)
{
    for (unsigned up = plug;; up = m->options.pci[up].bus) {
        pin += m->options.pci[up].devfn >> 3;
        if (!m->options.pci[up].bus)
            return pin % 4;
    }
}

struct pci *pci_create(const struct machine *m)
{
    u64 own = 0;
    for (unsigned n = 1; n < PCI_FUNCTIONS; n++)
        own = own_size(row_get(functions[n].row)->kind) > own ? own_size(row_get(functions[n].row)->kind) : own;
    struct pci *pci = calloc(1, sizeof(*pci) + own);
    u16 counts[PCI_FUNCTIONS] = { 0 };
    if (pci)
        memcpy(pci->made, m->options.pci, sizeof(pci->made));
    for (unsigned n = 0; pci && n < PCI_PLUGS && m->options.pci[n].function; n++) {
        const struct pci_plug *plug = &m->options.pci[n];
        u16 index = counts[plug->function]++;
        pci->slot[n].at = (struct place){ (u16)functions[plug->function].row, index };
        pci->plug_at[plug->function][index] = (u8)n;
        describe(m, plug, &pci->slot[n].desc);
        pci->slot[n].kind = row_get(functions[plug->function].row)->kind;
        u8 pin = pci->slot[n].desc.config[PCI_PIN];
        if (pin && pci->slot[n].kind->level)
            pci->pinned[pci->pinned_count++] =
                (struct pci_pin){ &pci->slot[n], pci->slot[n].kind->level, 1u << pin_at_host(m, n, pin - 1u) };
        pci->count++;
    }
    return pci;
}

unsigned pci_plug_of(const struct machine *m, struct place at)
{
    return m->d.pci->plug_at[at.row - ROW_FUNCTIONS + 1][at.n];
}

const struct pci_plug *pci_plugged(const struct machine *m, struct place at)
{
    return &m->options.pci[pci_plug_of(m, at)];
}

struct pci_function *pci_function(const struct machine *m, unsigned plug) { return m->d.pci->slot[plug].function; }

void pci_bind(struct machine *m)
{
    for (unsigned n = 0; n < m->d.pci->count; n++)
        m->d.pci->slot[n].function = place_state(m, m->d.pci->slot[n].at);
}

/* The plug at that place of a bus; -1: none. */
static int plugged_at(const struct machine *m, unsigned count, unsigned bus, unsigned devfn)
{
    for (unsigned n = 0; n < count; n++)
        if (m->options.pci[n].bus == bus && m->options.pci[n].devfn == devfn)
            return (int)n;
    return -1;
}

/* Other functions of the device: function 0 must say that there are several. */
static bool multifunction_fits(const struct machine *m, unsigned n, const struct pci_plug *plug)
{
    int first = plugged_at(m, n, plug->bus, plug->devfn & ~7u);
    if (plug->devfn & 7)
        return plug->flags & PCI_MULTIFUNCTION || (first >= 0 && m->options.pci[first].flags & PCI_MULTIFUNCTION);
    for (unsigned other = plug->devfn + 1; !(plug->flags & PCI_MULTIFUNCTION) && other & 7; other++)
        if (plugged_at(m, n, plug->bus, other) >= 0)
            return false;
    return true;
}

const char *pci_plug_name(const struct pci_plug *plug)
{
    const char *name = functions[plug->function].name;
    return name ? name : plug->device ? virtio_name((enum virtio_kind)plug->device) : "host bridge";
}

/* Plug n of m->options.pci. */
static bool plug_check(struct machine *m, unsigned n, char *error)
{
    struct pci_plug *plug = &m->options.pci[n];
    struct pci_desc bridge = { .bridge = !plug->bus, .last_device = 31 }, desc;
    if (plug->bus && plug->bus < n)
        describe(m, &m->options.pci[plug->bus], &bridge);
    bool virtio = plug->device > VIRTIO_NONE && plug->device < VIRTIO_KINDS;
    if (!plug->function || plug->function >= PCI_FUNCTIONS || !bridge.bridge ||
        virtio != (plug->function == FUNCTION_virtio_pci)) {
        snprintf(error, 256, "PCI function %u: no such function, or no such bus", n);
        return false;
    }
    const char *wrong = describe(m, plug, &desc);
    if (plug->flags & PCI_ANYWHERE)
        plug->devfn = (u8)(bridge.first_device << 3);
    while (plug->flags & PCI_ANYWHERE && plugged_at(m, n, plug->bus, plug->devfn) >= 0 && plug->devfn < 0xf8)
        plug->devfn = (u8)(plug->devfn + 8);
    plug->flags &= (u8)~PCI_ANYWHERE;
    int other = plugged_at(m, n, plug->bus, plug->devfn);
    const char *name = pci_plug_name(plug);
    unsigned device = plug->devfn >> 3, function = plug->devfn & 7;
    if (wrong)
        snprintf(error, 256, "%s: %s", name, wrong);
    else if (device < bridge.first_device || device > bridge.last_device)
        snprintf(error, 256, "PCI: slot %u is not valid for %s, its bus has slots %u to %u", device, name,
                 bridge.first_device, bridge.last_device);
    else if (other >= 0)
        snprintf(error, 256, "PCI: slot %u function %u not available for %s, in use by %s", device, function, name,
                 pci_plug_name(&m->options.pci[other]));
    else if (!multifunction_fits(m, n, plug))
        snprintf(error, 256, "PCI: slot %u function %u: %s: function 0 of a device with several needs multifunction=on",
                 device, function, name);
    else
        return true;
    return false;
}

bool pci_plug(struct machine *m, const struct machine_config *config, char *error)
{
    m->options.pci[0] = (struct pci_plug){ .function = FUNCTION_pci_root };
    for (unsigned n = 0; n < config->pci_count; n++) {
        if (n + 1 == PCI_PLUGS) {
            snprintf(error, 256, "more than %d PCI functions", PCI_PLUGS - 1);
            return false;
        }
        m->options.pci[n + 1] = config->pci[n];
        if (!plug_check(m, n + 1, error))
            return false;
    }
    return true;
}

/* ---- bridges ---- */

static const u8 *bridge_config(const struct machine *m, unsigned bus) { return pci_function(m, bus)->config; }

unsigned pci_bus_number(const struct machine *m, unsigned plug)
{
    unsigned bus = m->options.pci[plug].bus;
    return bus ? bridge_config(m, bus)[PCI_SECONDARY] : 0;
}

u32 pci_requester(const struct machine *m, unsigned plug)
{
    u32 id = pci_bus_number(m, plug) << 8 | m->options.pci[plug].devfn;
    for (unsigned up = m->options.pci[plug].bus; up; up = m->options.pci[up].bus) {
        const struct pci_desc *d = &m->d.pci->slot[up].desc;
        if (d->takes_over)
            id = (u32)bridge_config(m, up)[PCI_SECONDARY] << 8;
        else if (!d->express)
            id = pci_bus_number(m, up) << 8 | m->options.pci[up].devfn;
    }
    return id;
}

/* May the function do what this bit of its Command register is for? */
static bool allowed(const struct machine *m, unsigned plug, u16 command)
{
    const struct pci_slot *slot = &m->d.pci->slot[plug];
    return load_le16(slot->function->config + PCI_COMMAND) & command && !pci_in_d3(&slot->desc, slot->function);
}

/* Would a configuration request for this bus number come to the bus of that bridge (0: the host's)? A bridge makes it
 * one of type 0 when it names its secondary bus, and hands on what lies in the range (PCI Express Base 4.0, 7.3.3). */
static bool bus_reached(const struct machine *m, unsigned bus, unsigned number)
{
    if (!bus)
        return number == 0;
    if (bridge_config(m, bus)[PCI_SECONDARY] != number || !number)
        return false;
    for (unsigned up = m->options.pci[bus].bus; up; up = m->options.pci[up].bus) {
        const u8 *config = bridge_config(m, up);
        if (number < config[PCI_SECONDARY] || number > config[PCI_SUBORDINATE])
            return false;
    }
    return true;
}

int pci_find(struct machine *m, unsigned number, unsigned devfn)
{
    for (unsigned n = 0; n < m->d.pci->count; n++)
        if (m->options.pci[n].devfn == devfn && bus_reached(m, m->options.pci[n].bus, number))
            return (int)n;
    return -1;
}

/* Does the bridge hand an access on to its secondary bus? The windows of memory and prefetchable memory count alike. */
static bool forwards(const u8 *config, bool io, u64 address)
{
    u64 base = (u64)(load_le16(config + 0x20) & 0xfff0) << 16, limit = (u64)(load_le16(config + 0x22) & 0xfff0) << 16;
    if (io && config[PCI_BRIDGE_CONTROL] & CONTROL_ISA && address < BIT(16) && address & 0x300)
        return false;
    if (io)
        return address >= (u64)(config[0x1c] & 0xf0) << 8 && address <= ((u64)(config[0x1d] & 0xf0) << 8 | 0xfff);
    if (address >= base && address <= (limit | 0xfffff))
        return true;
    base = (u64)load_le32(config + 0x28) << 32 | (u64)(load_le16(config + 0x24) & 0xfff0) << 16;
    limit = (u64)load_le32(config + 0x2c) << 32 | (u64)(load_le16(config + 0x26) & 0xfff0) << 16;
    return address >= base && address <= (limit | 0xfffff);
}

/* Does an access from the host come through to this function's bus? */
static bool reached(const struct machine *m, unsigned plug, bool io, u64 address)
{
    for (unsigned up = m->options.pci[plug].bus; up; up = m->options.pci[up].bus)
        if (!allowed(m, up, io ? COMMAND_IO : COMMAND_MEMORY) || !forwards(bridge_config(m, up), io, address))
            return false;
    return true;
}

static bool masters(const struct machine *m, unsigned plug)
{
    bool may = allowed(m, plug, COMMAND_MASTER);
    for (unsigned up = m->options.pci[plug].bus; up && may; up = m->options.pci[up].bus)
        may = allowed(m, up, COMMAND_MASTER);
    return may;
}

/* ---- address ranges ---- */

static bool range_decodes(const struct pci_desc *d, const struct pci_function *f, unsigned n, bool io, u64 address,
                          unsigned size, u64 *offset)
{
    const struct pci_bar *bar = &d->bar[n];
    if (!bar->size || (bar->space == PCI_SPACE_IO) != io)
        return false;
    *offset = address - pci_bar_base(d, f, n);
    return *offset < bar->size && size <= bar->size - *offset;
}

static bool decode(struct machine *m, bool io, u64 address, unsigned size, struct pci_hit *hit)
{
    for (unsigned plug = 0; plug < m->d.pci->count; plug++) {
        const struct pci_slot *slot = &m->d.pci->slot[plug];
        if (!allowed(m, plug, io ? COMMAND_IO : COMMAND_MEMORY))
            continue;
        for (unsigned n = 0; n < PCI_BARS; n++)
            if (range_decodes(&slot->desc, slot->function, n, io, address, size, &hit->offset) &&
                reached(m, plug, io, address)) {
                hit->plug = plug;
                hit->bar = n;
                return true;
            }
    }
    return false;
}

/* Does a range of another function, or another one of this, lie there too, whether or not it decodes now? */
static bool overlapped(const struct machine *m, bool io, u64 base, u64 size, const struct pci_hit *hit)
{
    bool found = false;
    for (unsigned plug = 0; plug < m->d.pci->count; plug++) {
        const struct pci_slot *slot = &m->d.pci->slot[plug];
        for (unsigned n = 0; n < PCI_BARS; n++) {
            const struct pci_bar *bar = &slot->desc.bar[n];
            bool itself = n == hit->bar && plug == hit->plug;
            u64 from = pci_bar_base(&slot->desc, slot->function, n);
            found |= bar->size && (bar->space == PCI_SPACE_IO) == io && !itself &&
                     (from - base < size || base - from < bar->size);
        }
    }
    return found;
}

/* What the whole range of the hit is answered by, or, behind bridges, whose windows are no smaller, its page. */
static void near_keep(struct machine *m, const struct pci_near *once, u64 address, const struct pci_hit *hit)
{
    u64 base = address - hit->offset, size = m->d.pci->slot[hit->plug].desc.bar[hit->bar].size;
    bool behind = m->options.pci[hit->plug].bus;
    if (base + size < base || (once->io && behind) || overlapped(m, once->io, base, size, hit))
        return;
    struct pci_near *near = &m->d.pci->near[address >> 12 & (PCI_NEAR - 1)];
    *near = *once;
    near->base = behind && size > 4096 ? align_down(address, 4096) : base;
    near->size = behind && size > 4096 ? 4096 : size;
    near->offset = near->base - base;
}

const struct pci_near *pci_decode(struct machine *m, bool io, u64 address, unsigned size)
{
    struct pci_hit hit;
    if (!decode(m, io, address, size, &hit))
        return NULL;
    const struct pci_slot *slot = &m->d.pci->slot[hit.plug];
    m->d.pci->once = (struct pci_near){ .base = address,
                                        .offset = hit.offset,
                                        .slot = slot,
                                        .bar = hit.bar,
                                        .io = io,
                                        .table = slot->desc.msix && hit.bar == slot->desc.msix_bar };
    near_keep(m, &m->d.pci->once, address, &hit);
    return &m->d.pci->once;
}

void pci_moved(struct machine *m) { memset(m->d.pci->near, 0, sizeof(m->d.pci->near)); }

/* ---- DMA, and work that an SMMU may hold back ---- */

/* Nothing that it waited for: what was decided about its transactions counts no more. */
static void waits_set(struct machine *m, unsigned plug, enum pci_waits what, bool waits)
{
    struct pci_function *f = pci_function(m, plug);
    u32 was = f->waits;
    f->waits = waits ? was | (u32)what : was & ~(u32)what;
    if (was && !f->waits)
        bus_settled(m, pci_requester(m, plug));
}

bool pci_dma(struct machine *m, struct place at, u64 pa, void *bytes, u64 size, bool write, bool untranslated)
{
    struct pci *pci = m->d.pci;
    unsigned plug = pci_plug_of(m, at);
    struct requester by = { .stream = pci_requester(m, plug), .untranslated = untranslated, .again = true };
    assert(pci->working);
    if (pci->stalled || !masters(m, plug))
        return false;
    bool ok = bus_dma(m, by, pa, bytes, size, write);
    pci->stalled = !ok && m->d.dma_stalled;
    return ok;
}

void pci_work(struct machine *m, struct place at)
{
    struct pci *pci = m->d.pci;
    const struct kind *kind = row_get(at.row)->kind;
    void *state = place_state(m, at), *own = (struct pci_function *)state + 1;
    bool may_stall = m->d.translator != ROW_COUNT, more = true;
    assert(!pci->working);
    pci->working = true;
    for (unsigned n = 0; more && n < PCI_STEPS; n++) {
        if (may_stall)
            memcpy(pci->before, own, own_size(kind));
        more = kind->work(m, state, at) && !pci->stalled;
    }
    bool stalled = pci->stalled;
    if (stalled)
        memcpy(own, pci->before, own_size(kind));
    pci->working = pci->stalled = false;
    waits_set(m, pci_plug_of(m, at), PCI_WAITS_WORK, stalled);
}

void pci_abandon(struct machine *m, struct place at) { waits_set(m, pci_plug_of(m, at), PCI_WAITS_WORK, false); }

bool pci_resume(struct machine *m, u32 stream)
{
    bool waits = false;
    for (unsigned n = 0; n < m->d.pci->count; n++) {
        struct place at = m->d.pci->slot[n].at;
        const struct pci_function *f = pci_function(m, n);
        if (!f->waits || (stream != STREAM_ALL && stream != pci_requester(m, n)))
            continue;
        pci_messages_flush(m, n);
        if (f->waits & PCI_WAITS_WORK && row_get(at.row)->kind->work)
            pci_work(m, at);
        bus_levels(m, at);
        waits |= f->waits != 0;
    }
    return waits;
}

/* ---- interrupts ---- */

static bool msix_enabled(const struct pci_desc *d, const struct pci_function *f)
{
    return d->msix && f->config[d->msix + 3] & 0x80;
}
static bool msi_enabled(const struct pci_desc *d, const struct pci_function *f)
{
    return d->msi && f->config[d->msi + 2] & 1;
}

static bool messages_on(const struct pci_slot *slot)
{
    return msix_enabled(&slot->desc, slot->function) || msi_enabled(&slot->desc, slot->function);
}

bool pci_messages_on(const struct machine *m, struct place at)
{
    return messages_on(&m->d.pci->slot[pci_plug_of(m, at)]);
}

/* A message is a write of 4 bytes (6.8.3.1). False: the SMMU holds it back. */
static bool message_send(struct machine *m, unsigned plug, u64 address, u32 data)
{
    struct requester by = { .stream = pci_requester(m, plug) };
    u8 bytes[4];
    store_le32(bytes, data);
    return !masters(m, plug) || bus_dma(m, by, address & ~(u64)3, bytes, 4, true) || !m->d.dma_stalled;
}

static bool vector_masked(const struct pci_desc *d, const struct pci_function *f, unsigned n)
{
    return f->config[d->msix + 3] & 0x40 || f->vector[n].control & 1;
}

/* The message of a vector as it is set up now. False: none, or masked. */
static bool message_of(const struct pci_desc *d, const struct pci_function *f, unsigned n, struct pci_vector *message)
{
    const u8 *msi = f->config + d->msi;
    if (msix_enabled(d, f)) {
        *message = f->vector[n];
        return n < d->vectors && !vector_masked(d, f, n);
    }
    *message = (struct pci_vector){ (u64)load_le32(msi + 8) << 32 | load_le32(msi + 4), load_le16(msi + 12), 0 };
    return msi_enabled(d, f) && n == 0;
}

static inline void messages_flush(struct machine *m, unsigned plug, const struct pci_desc *d, struct pci_function *f)
{
    struct pci_vector message;
    bool waits = false;
    if (!d->msix && !msi_enabled(d, f))
        f->pending = 0;
    for (unsigned n = 0; f->pending >> n && n < PCI_VECTORS; n++)
        if (bit(f->pending, n) && message_of(d, f, n, &message)) {
            bool sent = message_send(m, plug, message.address, message.data);
            f->pending &= ~((u32)sent << n);
            waits |= !sent;
        }
    waits_set(m, plug, PCI_WAITS_MESSAGE, waits);
}

void pci_messages_flush(struct machine *m, unsigned plug)
{
    messages_flush(m, plug, &m->d.pci->slot[plug].desc, pci_function(m, plug));
}

bool pci_message(struct machine *m, struct place at, unsigned vector)
{
    unsigned plug = pci_plug_of(m, at);
    const struct pci_desc *d = &m->d.pci->slot[plug].desc;
    struct pci_function *f = pci_function(m, plug);
    if (!msix_enabled(d, f) && !msi_enabled(d, f))
        return false;
    if (m->d.pci->stalled)
        return true; /* of a step that has not been */
    if (vector < (msix_enabled(d, f) ? d->vectors : 1u))
        f->pending |= 1u << vector;
    messages_flush(m, plug, d, f);
    return true;
}

/* The table of MSI-X and its pending bits (6.8.2): words. */
static u32 msix_word(const struct pci_desc *d, const struct pci_function *f, u64 offset)
{
    const struct pci_vector *v = &f->vector[offset / 16 % PCI_VECTORS];
    const u32 words[] = { (u32)v->address, (u32)(v->address >> 32), v->data, v->control };
    if (offset >= PCI_PBA)
        return offset == PCI_PBA ? f->pending : 0;
    return offset / 16 < d->vectors ? words[offset / 4 % 4] : 0;
}

static void msix_word_write(const struct pci_desc *d, struct pci_function *f, u64 offset, u32 value)
{
    struct pci_vector *v = &f->vector[offset / 16 % PCI_VECTORS];
    if (offset / 16 >= d->vectors)
        return; /* the pending bits, too, are not written */
    switch (offset / 4 % 4) {
    case 0: v->address = bits_set(v->address, 31, 0, value & ~3u); break;
    case 1: v->address = bits_set(v->address, 63, 32, value); break;
    case 2: v->data = value; break;
    default: v->control = value & 1; break;
    }
}

u64 pci_table_read(const struct pci_slot *slot, const struct access *a)
{
    const struct pci_desc *d = &slot->desc;
    u64 word = align_down(a->offset, 4);
    u64 both =
        msix_word(d, slot->function, word) | (a->size == 8 ? (u64)msix_word(d, slot->function, word + 4) << 32 : 0);
    return both >> 8 * (a->offset - word) & ones(8 * a->size);
}

void pci_table_write(struct machine *m, const struct pci_slot *slot, const struct access *a, u64 value)
{
    if (a->size < 4) {
        m->d.guest_error = ERROR_REGISTER;
        return;
    }
    for (unsigned n = 0; n < a->size; n += 4)
        msix_word_write(&slot->desc, slot->function, a->offset + n, (u32)(value >> 8 * n));
    pci_messages_flush(m, (unsigned)(slot - m->d.pci->slot));
}

u32 pci_intx(struct machine *m)
{
    u32 pins = 0;
    const struct pci_pin *pin = m->d.pci->pinned, *end = pin + m->d.pci->pinned_count;
    for (; pin < end; pin++) {
        const struct pci_function *f = pin->slot->function;
        if (pin->level(f, 0) && !(load_le16(f->config + PCI_COMMAND) & COMMAND_NO_INTX) && !messages_on(pin->slot))
            pins |= pin->pin;
    }
    return pins;
}
