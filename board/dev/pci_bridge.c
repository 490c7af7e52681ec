/*
 * pci-bridge (PCI 1b36:0001), a conventional PCI-to-PCI bridge, and pcie-pci-bridge (1b36:000e), from PCI Express to
 * conventional PCI (PCI-to-PCI Bridge Architecture 1.2; PCI Express to PCI/PCI-X Bridge 1.0). What they forward, how
 * pins move on their way and whose ID DMA from behind them carries is read from their registers by pci.c.
 *
 * Left out: hot-plug (QEMU's SHPC with its range and interrupts; what is plugged in is there from the beginning), VGA
 * forwarding, timers of latency and of discarded transactions, extended capabilities.
 */
#include "board/machine.h"

enum { PCIE_TO_PCI = 7, SLOT_NUMBERING_SIZE = 4, FIRST_IN_CHASSIS = 0x20 };
/* Status: 66 MHz, fast back-to-back. Windows have 16 bits of port and 64 of prefetchable memory address. */
enum { STATUS_BUS = 0xa0, SECONDARY_STATUS = 0x1e, PREFETCHABLE = 0x24, WIDE = 0x00010001 };

static void bridge(struct pci_desc *d, u16 device)
{
    pci_to_bus(d, 1, 31); /* as behind QEMU's, whose hot-plug controllers have slots from 1 on */
    pci_identify(d, 0x1b36, device, 0x060400, 0);
    d->config[SECONDARY_STATUS] = STATUS_BUS;
    store_le32(d->config + PREFETCHABLE, WIDE);
}

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    (void)m;
    if (!plug->slot)
        return "a bridge needs a chassis number of its own, from 1 on (chassis_nr=)";
    bridge(d, 0x0001);
    d->config[PCI_STATUS] |= STATUS_BUS;
    u8 *slots = d->config + pci_capability(d, PCI_CAP_SLOT_NUMBERING, SLOT_NUMBERING_SIZE);
    slots[2] = FIRST_IN_CHASSIS;
    slots[3] = (u8)plug->slot;
    if (plug->flags & PCI_NO_SHPC)
        d->first_device = 0;
    return NULL;
}

static const char *describe_express(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    (void)m, (void)plug;
    bridge(d, 0x000e);
    pci_express(d, PCIE_TO_PCI, false);
    pci_power(d);
    d->takes_over = true;
    return NULL;
}

const struct kind kind_pci_bridge = PCI_PLAIN_KIND("pci_bridge", describe);
const struct kind kind_pcie_pci_bridge = PCI_PLAIN_KIND("pcie_pci_bridge", describe_express);
