/*
 * The DSDT (ACPI 6.4, 5.2.11.1): the processors, and of each device that has one its part, in the order of virt.def.
 * Left out: Secure devices, which are not the operating system's.
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"

#include <stdio.h>

static void processors(struct writer *w)
{
    for (u32 n = 0; n < w->m->options.cpu_count; n++) {
        char name[5];
        snprintf(name, sizeof(name), "C%03X", n & 0xfff);
        aml_close(w, aml_device(w, name, "ACPI0007", n));
    }
}

static void devices(struct writer *w)
{
    for (struct place at = PLACE_FIRST; place_next(w->m, &at);)
        if (row_get(at.row)->kind->acpi && !row_secure(w->m, row_get(at.row)))
            row_get(at.row)->kind->acpi(w, at);
}

void acpi_dsdt(struct writer *w)
{
    u32 from = aml_open_named(w, AML_SCOPE, "\\_SB");
    processors(w);
    devices(w);
    aml_close(w, from);
}

void acpi_power_button(struct writer *w) { aml_close(w, aml_device(w, "PWRB", "PNP0C0C", 0)); }

void acpi_power_notify(struct writer *w)
{
    enum { STATUS_CHANGE = 0x80 }; /* of a power button: it was pressed (5.6.6) */
    aml_op(w, AML_NOTIFY);
    aml_path(w, "PWRB");
    aml_number(w, STATUS_CHANGE);
}
