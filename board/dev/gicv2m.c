/*
 * GICv2m: the frame that makes writes of bus masters SPIs of a GICv2 (Arm's Server Base System Architecture, appendix
 * "GICv2m architecture"). Those of the row, from its interrupt on; each message is an edge. No state.
 *
 *     MSI_TYPER <25:16> first INTID <9:0> how many    MSI_SETSPI_NS <9:0> INTID, written    MSI_IIDR
 */
#include "board/machine.h"
#include "board/acpi/writer.h"
#include "board/boot/tree.h"

enum { MSI_TYPER = 0x008, MSI_SETSPI_NS = 0x040, MSI_IIDR = 0xfcc, COUNT = 64, IIDR = 0x05100000 };

static bool read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)state;
    if (a->size != 4)
        m->d.guest_error = ERROR_SIZE;
    else if (a->offset == MSI_TYPER)
        *value = place_intid(a->at) << 16 | COUNT;
    else if (a->offset == MSI_IIDR)
        *value = IIDR;
    return true;
}

static bool write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state;
    unsigned intid = (unsigned)bits(value, 9, 0);
    if (a->offset != MSI_SETSPI_NS)
        return true;
    if (a->size != 2 && a->size != 4) {
        m->d.guest_error = ERROR_SIZE;
    } else if (intid - place_intid(a->at) >= COUNT) {
        m->d.guest_error = ERROR_INTERRUPT;
    } else {
        gic_set_spi(&m->gic, intid, true);
        gic_set_spi(&m->gic, intid, false);
    }
    return true;
}

static void node(struct tree *t, struct place at)
{
    char path[64];
    tree_gic_msi(t, path, "v2m", at);
}

/* ACPI 6.4, 5.2.12.16; the flag: count and base are these, not MSI_TYPER's. */
static void madt(struct writer *w, struct place at)
{
    PUT(w, BYTE(0xd), BYTE(24), WORD(0), DWORD(0), QWORD(place_base(w->m, at)), DWORD(1), WORD(COUNT),
        WORD(place_intid(at)));
}

const struct kind kind_gicv2m = {
    .name = "gicv2m",
    .compatible = "arm,gic-v2m-frame\0",
    .read = read,
    .write = write,
    .messages = true,
    .node = node,
    .madt = madt,
};
