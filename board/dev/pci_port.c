/*
 * pcie-root-port (PCI 1b36:000c): a PCI Express root port, with one device behind it (PCI Express Base
 * Specification 4.0, 7.5.1.3, 7.5.3). What it forwards is read from its registers by pci.c.
 *
 * Left out: hot-plug, power management events, access control services, advanced error reporting.
 */
#include "board/machine.h"

enum { ROOT_PORT = 4, SLOT_IMPLEMENTED = 0x100, SLOT_CAPABILITIES = 0x14, SLOT_STATUS = 0x1a, SLOT_NUMBER = 19, PRESENT = 0x40 };

static bool is_occupied(const struct machine *m, const struct pci_plug *port)
{
    for (unsigned n = 1; n < PCI_PLUGS && m->options.pci[n].function; n++)
        if (port == &m->options.pci[m->options.pci[n].bus])
            return true;
    return false;
}

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    pci_to_bus(d, 0, 0); /* a link leads from it */
    pci_identify(d, 0x1b36, 0x000c, 0x060400, 0);
    d->config[PCI_PIN] = 1;
    d->config[0x1c] = 0xf0; /* windows that begin behind their ends are closed; the prefetchable one has 64 bits */
    store_le32(d->config + 0x20, 0x0000fff0);
    store_le32(d->config + 0x24, 0x0001fff1);
    u8 *vendor = d->config + pci_capability(d, PCI_CAP_SSVID, 8);
    store_le16(vendor + 4, 0x1b36);
    pci_msix(d, 0, 1);
    pci_express(d, ROOT_PORT, false);
    u8 *express = d->config + d->express;
    store_le16(express + 2, (u16)(load_le16(express + 2) | SLOT_IMPLEMENTED));
    store_le32(express + SLOT_CAPABILITIES, (u32)plug->slot << SLOT_NUMBER);
    store_le16(express + SLOT_STATUS, is_occupied(m, plug) ? PRESENT : 0);
    return NULL;
}

const struct kind kind_pci_port = PCI_PLAIN_KIND("pci_port", describe);
