/* The host bridge as a function of its own bus, 00:00.0: identification, and nothing else. */
#include "board/machine.h"

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    (void)m, (void)plug;
    pci_identify(d, 0x1b36, 0x0008, 0x060000, 0);
    pci_subsystem(d, 0x1af4, 0x1100);
    return NULL;
}

const struct kind kind_pci_root = PCI_PLAIN_KIND("pci_root", describe);
