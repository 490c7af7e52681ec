/*
 * The MADT (ACPI 6.4, 5.2.12): the interrupt controllers, each structure written by the device that it is about. PEs
 * are told apart by their number, which is the _UID of their device in the DSDT.
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"
#include "cpu/affinity.h"

enum { GICC = 0xb, GICD = 0xc, ENABLED = 1 };

void acpi_madt(struct writer *w)
{
    put_zeros(w, 8); /* no local interrupt controller's address, no flags */
    for (struct place at = PLACE_FIRST; place_next(w->m, &at);)
        if (row_get(at.row)->kind->madt)
            row_get(at.row)->kind->madt(w, at);
}

/* 5.2.12.14 */
static void cpu_interface(struct writer *w, u32 n, const struct madt_frames *frames)
{
    u32 pmu = feature_has(&w->m->model.features, FEAT_PMU) ? GIC_PPI_PMU : 0;
    u32 maintenance = w->m->options.virtualization ? GIC_PPI_MAINTENANCE : 0;
    PUT(w, BYTE(GICC), BYTE(80), WORD(0), DWORD(n), DWORD(n), DWORD(ENABLED), DWORD(0), DWORD(pmu), QWORD(0),
        QWORD(frames->cpu), QWORD(frames->virtual_cpu), QWORD(frames->hypervisor), DWORD(maintenance), QWORD(0),
        QWORD(affinity_of(n)), DWORD(0));
}

/* 5.2.12.15 */
void madt_gic(struct writer *w, struct place dist, unsigned version, const struct madt_frames *frames)
{
    PUT(w, BYTE(GICD), BYTE(24), WORD(0), DWORD(0), QWORD(place_base(w->m, dist)), DWORD(0), DWORD(version));
    for (u32 n = 0; n < w->m->options.cpu_count; n++)
        cpu_interface(w, n, frames);
}
