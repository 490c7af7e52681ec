/*
 * The Generic Event Device (ACPI 6.4, 5.6.9): one register that says which events came since it was read, an edge on
 * the interrupt with each. Its device in the DSDT has the method that reads it. It is there when firmware with ACPI
 * tables is (QEMU's virt, found by running it), instead of the GPIO that has the power key otherwise. Left out: events
 * of memory that is plugged in, which nothing here can be.
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"

enum { EVENT_POWER_KEY = 2 };

struct ged {
    u32 events, pad;
};
static const struct state_field fields[] = { STATE(ged, events), STATE(ged, pad) };

static bool ged_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    struct ged *dev = state;
    if (a->size != 4) {
        m->d.guest_error = ERROR_SIZE;
        return true;
    }
    *value = dev->events;
    dev->events = 0;
    return true;
}

static bool ged_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state, (void)a, (void)value;
    m->d.guest_error = ERROR_REGISTER; /* read-only */
    return true;
}

/* Only edges. */
static bool ged_level(const void *state, unsigned wire) { return (void)state, (void)wire, false; }

static void ged_power_key(struct machine *m, struct place at)
{
    ((struct ged *)place_state(m, at))->events |= EVENT_POWER_KEY;
    bus_pulse(m, at, 0);
}

static void ged_reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    *(struct ged *)state = (struct ged){ 0 };
}

/* _EVT: Local0 = the register; a bit that is set is told to whom it concerns. */
static void event_method(struct writer *w)
{
    u32 method = aml_method(w, "_EVT", 1, true);
    aml_op(w, AML_STORE);
    aml_path(w, "ESEL");
    aml_op(w, AML_LOCAL0);
    u32 condition = aml_open(w, AML_IF);
    aml_op(w, AML_EQUAL);
    aml_op(w, AML_AND);
    aml_op(w, AML_LOCAL0);
    aml_number(w, EVENT_POWER_KEY);
    put(w, 0, 1); /* the result goes nowhere else */
    aml_number(w, EVENT_POWER_KEY);
    acpi_power_notify(w);
    aml_close(w, condition);
    aml_close(w, method);
}

static void ged_acpi(struct writer *w, struct place at)
{
    enum { SYSTEM_MEMORY = 0, DWORD_ACCESS_WRITE_ZEROS = 0x43 };
    u32 from = aml_open_named(w, AML_DEVICE, "\\_SB.GED");
    aml_name_string(w, "_HID", "ACPI0013");
    aml_name_string(w, "_UID", "GED");
    u32 resources = aml_resources(w, "_CRS");
    aml_interrupt(w, place_intid(at), true);
    aml_resources_end(w, resources);
    aml_op(w, AML_REGION);
    aml_path(w, "EREG");
    put(w, SYSTEM_MEMORY, 1);
    aml_number(w, place_base(w->m, at));
    aml_number(w, row_get(at.row)->size);
    u32 field = aml_open_named(w, AML_FIELD, "EREG");
    put(w, DWORD_ACCESS_WRITE_ZEROS, 1);
    aml_path(w, "ESEL");
    put(w, 32, 1); /* bits */
    aml_close(w, field);
    event_method(w);
    aml_close(w, from);
    acpi_power_button(w);
}

const struct kind kind_ged = {
    .name = "ged",
    .state = STATE_SHAPE(ged, fields),
    .version = 1,
    .wires = 1,
    .read = ged_read,
    .write = ged_write,
    .level = ged_level,
    .reset = ged_reset,
    .power_key = ged_power_key,
    .acpi = ged_acpi,
};
