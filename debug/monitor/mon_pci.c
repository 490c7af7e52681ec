/* Monitor commands about PCI: what is plugged in, and how software has set it up. */
#include "debug/monitor/monitor.h"

static void range_print(struct text *out, const struct pci_desc *d, const struct pci_function *f, unsigned n)
{
    static const char *const spaces[] = { "", "ports", "memory", "memory, 64 bits" };
    const struct pci_bar *bar = &d->bar[n];
    u16 command = load_le16(f->config + PCI_COMMAND);
    bool on = command & (bar->space == PCI_SPACE_IO ? COMMAND_IO : COMMAND_MEMORY);
    text_add(out, "  BAR%u %s%s at 0x%llx, 0x%llx bytes%s%s\n", n, spaces[bar->space],
             bar->prefetchable ? ", prefetchable" : "", HEX(pci_bar_base(d, f, n)), HEX(bar->size),
             on ? "" : " (does not decode)", d->msix && d->msix_bar == n ? ": MSI-X" : "");
}

static void interrupts_print(struct text *out, struct machine *m, unsigned plug)
{
    const struct pci_slot *slot = &m->d.pci->slot[plug];
    const struct pci_desc *d = &slot->desc;
    const struct pci_function *f = pci_function(m, plug);
    const struct kind *kind = row_get(slot->at.row)->kind;
    if (d->config[PCI_PIN])
        text_add(out, "  INT%c%s%s\n", 'A' + d->config[PCI_PIN] - 1,
                 kind->level && kind->level(f, 0) ? " asserted" : "",
                 pci_messages_on(m, slot->at)                           ? ", silent: messages are on"
                 : load_le16(f->config + PCI_COMMAND) & COMMAND_NO_INTX ? ", disabled"
                                                                        : "");
    if (d->msi && f->config[d->msi + 2] & 1)
        text_add(out, "  MSI to 0x%x%08x, data 0x%x\n", load_le32(f->config + d->msi + 8),
                 load_le32(f->config + d->msi + 4), load_le16(f->config + d->msi + 12));
    for (unsigned n = 0; d->msix && f->config[d->msix + 3] & 0x80 && n < d->vectors; n++)
        text_add(out, "  MSI-X %u to 0x%llx, data 0x%x%s%s\n", n, HEX(f->vector[n].address), f->vector[n].data,
                 f->vector[n].control & 1 || f->config[d->msix + 3] & 0x40 ? ", masked" : "",
                 bit(f->pending, n) ? ", pending" : "");
    if (f->waits)
        text_add(out, "  waits for the SMMU:%s%s\n", f->waits & PCI_WAITS_WORK ? " DMA" : "",
                 f->waits & PCI_WAITS_MESSAGE ? " a message" : "");
}

void cmd_pci(struct monitor_line *l)
{
    struct machine *m = l->d->m;
    for (unsigned plug = 0; plug < m->d.pci->count; plug++) {
        const struct pci_plug *p = &m->options.pci[plug];
        const struct pci_desc *d = &m->d.pci->slot[plug].desc;
        const struct pci_function *f = pci_function(m, plug);
        text_add(l->out, "%02x:%02x.%u %04x:%04x %s%s%s\n", pci_bus_number(m, plug), p->devfn >> 3, p->devfn & 7u,
                 load_le16(f->config), load_le16(f->config + 2), pci_plug_name(p),
                 load_le16(f->config + PCI_COMMAND) & COMMAND_MASTER ? ", bus master" : "",
                 p->bus && pci_bus_number(m, plug) == 0 ? " (its bridge has no bus number yet)" : "");
        if (d->bridge)
            text_add(l->out, "  bridge to buses %02x to %02x\n", f->config[PCI_SECONDARY], f->config[PCI_SUBORDINATE]);
        for (unsigned n = 0; n < PCI_BARS; n++)
            if (d->bar[n].size)
                range_print(l->out, d, f, n);
        interrupts_print(l->out, m, plug);
    }
}
