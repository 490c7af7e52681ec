/* The host bridge as a function of its own bus, 00:00.0: identification, and nothing else. */
#include "board/machine.h"

static const struct state_field fields[] = {
    { "function", 0, sizeof(struct pci_function), &pci_function_shape },
};

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    (void)m, (void)plug;
    pci_identify(d, 0x1b36, 0x0008, 0x060000, 0);
    pci_subsystem(d, 0x1af4, 0x1100);
    return NULL;
}

static void reset(struct machine *m, void *state, struct place at)
{
    (void)state;
    pci_reset(m, at);
}

const struct kind kind_pci_root = {
    .name = "pci_root",
    .compatible = "",
    .state = STATE_SHAPE(pci_function, fields),
    .version = 1,
    .reset = reset,
    .describe = describe,
};
