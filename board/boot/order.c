/*
 * What firmware is to boot from (bootindex=): a list of paths in the manner of Open Firmware (IEEE 1275, 4.3.1), as
 * QEMU writes them into the file `bootorder` of its firmware configuration device: one a line, the first to be tried
 * first. A path begins with a transport of virtio-mmio by its address, or with the PCI host bridge, bridges and the
 * function by device and function; it ends with what virtio.def calls the disk or network.
 */
#include "board/acpi/writer.h"
#include "board/boot/boot.h"

#include <stdio.h>

static void line_begin(struct writer *w)
{
    if (w->size)
        put_text(w, "\n", 0, 0);
}

static void transport_put(struct writer *w, unsigned slot)
{
    char name[48];
    u64 base = place_base(w->m, (struct place){ ROW_virtio, (u16)slot });
    snprintf(name, sizeof(name), "/virtio-mmio@%016llx/", (unsigned long long)base);
    put_text(w, name, 0, 0);
}

/* What a function is called by its class (IEEE 1275's binding to PCI, 2.5). */
static const char *class_name(const struct pci_plug *plug)
{
    bool virtio = plug->function == FUNCTION_virtio_pci;
    return !virtio                                                           ? "pci-bridge"
           : virtio_back_end((enum virtio_kind)plug->device) == BACK_END_NET ? "ethernet"
                                                                             : "scsi";
}

/* The bridges that lead to a function, then itself: each names the bus that it is on, which was plugged in before. */
static void function_put(struct writer *w, unsigned n)
{
    const struct pci_plug *plug = w->m->options.pci;
    u32 at = w->size;
    for (; n; n = plug[n].bus < n ? plug[n].bus : 0) {
        char name[32];
        unsigned device = plug[n].devfn >> 3, function = plug[n].devfn & 7;
        int size = snprintf(name, sizeof(name), "%s@%x", class_name(&plug[n]), device);
        if (function)
            size += snprintf(name + size, sizeof(name) - (size_t)size, ",%x", function);
        size += snprintf(name + size, sizeof(name) - (size_t)size, "/");
        put_between(w, at, name, (u32)size);
    }
    static const char host[] = "/pci@ffffffffffffffff/"; /* the host bridge has no address of ports there */
    put_between(w, at, host, sizeof(host) - 1);
}

/* The device whose turn it is. False: there is none. */
static bool turn_put(struct writer *w, u32 turn)
{
    const struct machine_options *o = &w->m->options;
    for (unsigned n = 0; n < VIRTIO_SLOTS; n++)
        if (o->plug[n].boot == turn && virtio_boots((enum virtio_kind)o->plug[n].kind)) {
            line_begin(w);
            transport_put(w, n);
            put_text(w, virtio_boots((enum virtio_kind)o->plug[n].kind), 0, 0);
            return true;
        }
    for (unsigned n = 1; n < PCI_PLUGS && o->pci[n].function; n++)
        if (o->pci[n].boot == turn && virtio_boots((enum virtio_kind)o->pci[n].device)) {
            line_begin(w);
            function_put(w, n);
            put_text(w, virtio_boots((enum virtio_kind)o->pci[n].device), 0, 0);
            return true;
        }
    return false;
}

void order_make(struct writer *w, bool strict)
{
    for (u32 turn = 1; turn_put(w, turn); turn++)
        ;
    if (!w->size)
        return;
    if (strict)
        put_text(w, "\nHALT", 0, 0);
    put(w, 0, 1);
}
