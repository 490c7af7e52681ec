/*
 * PL061 GPIO. Arm PrimeCell General Purpose Input/Output (PL061) Technical Reference Manual, DDI 0190.
 * Line 3 of the board's first one is the power button; lines 0 and 1 of the secure one power off and reset.
 * Left out: hardware control mode (AFSEL has no effect).
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"
#include "board/boot/tree.h"

enum { DATA_END = 0x400, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418, IC = 0x41c,
       AFSEL = 0x420, ID = 0xfe0 };

enum { KEY_NS = 100000000, KEY_POWER = 116, LINE_POWER = 3 };

struct pl061 {
    u8 data, dir, is, ibe, iev, ie, ris, afsel;
    u8 input; /* what the board drives */
    u8 key;   /* the line whose key is pressed */
    u8 pad[6];
};
static const struct state_field fields[] = {
    STATE(pl061, data),  STATE(pl061, dir), STATE(pl061, is),  STATE(pl061, ibe),
    STATE(pl061, iev),   STATE(pl061, ie),  STATE(pl061, ris), STATE(pl061, afsel),
    STATE(pl061, input), STATE(pl061, key), STATE(pl061, pad),
};

static const u8 pl061_id[8] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

/* The lines as the guest sees them: outputs from the data register, inputs from outside. */
static u8 lines(const struct pl061 *dev) { return (u8)((dev->data & dev->dir) | (dev->input & ~dev->dir)); }

/* Edge lines latch in RIS, level lines follow. `before` is what lines() was. */
static void update(struct pl061 *dev, u8 before)
{
    u8 now = lines(dev), rose = now & (u8)~before, fell = before & (u8)~now;
    u8 edge = (u8)((dev->ibe & (rose | fell)) | (~dev->ibe & ((dev->iev & rose) | (~dev->iev & fell))));
    u8 level = (u8) ~(now ^ dev->iev);
    dev->ris = (u8)((dev->ris | (edge & ~dev->dir)) & ~dev->is) | (u8)(level & dev->is & ~dev->dir);
}

void pl061_line(struct machine *m, struct place at, unsigned line, bool high)
{
    struct pl061 *dev = place_state(m, at);
    u8 before = lines(dev);
    dev->input = (u8)((dev->input & ~(1u << line)) | (unsigned)high << line);
    update(dev, before);
    bus_levels(m, at);
}

/* Somebody presses the key and lets go of it after a while. */
static void pl061_power_key(struct machine *m, struct place at)
{
    if (row_secure(m, row_get(at.row)))
        return;
    ((struct pl061 *)place_state(m, at))->key = LINE_POWER;
    machine_timer_set(m, at, 0, m->now + KEY_NS);
    pl061_line(m, at, LINE_POWER, true);
}

static void pl061_timer(struct machine *m, void *state, struct place at, unsigned n)
{
    (void)n;
    pl061_line(m, at, ((struct pl061 *)state)->key, false);
}

static bool pl061_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    const struct pl061 *dev = state;
    u64 offset = a->offset & ~(u64)3;
    if (offset < DATA_END) { /* address bits 9:2 mask the data */
        *value = lines(dev) & (offset >> 2);
        return true;
    }
    switch (offset) {
    case DIR: *value = dev->dir; break;
    case IS: *value = dev->is; break;
    case IBE: *value = dev->ibe; break;
    case IEV: *value = dev->iev; break;
    case IE: *value = dev->ie; break;
    case RIS: *value = dev->ris; break;
    case MIS: *value = dev->ris & dev->ie; break;
    case AFSEL: *value = dev->afsel; break;
    default:
        *value = offset >= ID && offset < ID + 32 ? pl061_id[(offset - ID) / 4] : 0;
        m->d.guest_error = offset >= ID && offset < ID + 32 ? ERROR_NONE : ERROR_REGISTER;
    }
    return true;
}

/* Outputs 0 and 1 of the secure one are wired. */
static void outputs_act(struct machine *m, const struct pl061 *dev, struct place at, u8 before)
{
    u8 rose = (u8)(lines(dev) & dev->dir & ~before);
    if (!row_secure(m, row_get(at.row)))
        return;
    if (rose & 1)
        machine_end(m, END_OFF, 0, "");
    else if (rose & 2)
        machine_end(m, END_RESET, 0, "");
}

static bool pl061_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct pl061 *dev = state;
    u64 offset = a->offset & ~(u64)3;
    u8 v = (u8)value, before = lines(dev), outputs = before & dev->dir;
    if (offset < DATA_END) {
        u8 mask = (u8)((offset >> 2) & dev->dir);
        dev->data = (u8)((dev->data & ~mask) | (v & mask));
    }
    switch (offset) {
    case DIR: dev->dir = v; break;
    case IS: dev->is = v; break;
    case IBE: dev->ibe = v; break;
    case IEV: dev->iev = v; break;
    case IE: dev->ie = v; break;
    case IC: dev->ris &= (u8)~v; break;
    case AFSEL: dev->afsel = v; break;
    default: m->d.guest_error = offset < DATA_END ? ERROR_NONE : ERROR_REGISTER;
    }
    update(dev, before);
    outputs_act(m, dev, a->at, outputs);
    return true;
}

static bool pl061_level(const void *state, unsigned wire)
{
    const struct pl061 *dev = state;
    (void)wire;
    return dev->ris & dev->ie;
}

static void pl061_reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    memset(state, 0, sizeof(struct pl061));
}

static const char *pl061_validate(const void *state, struct place at)
{
    (void)at;
    return ((const struct pl061 *)state)->key > 7 ? "pl061: key out of range" : NULL;
}

static void power_button(struct tree *t, u32 gpio)
{
    tree_node(t, "/gpio-keys");
    tree_string(t, "/gpio-keys", "compatible", "gpio-keys");
    tree_node(t, "/gpio-keys/poweroff");
    tree_string(t, "/gpio-keys/poweroff", "label", "GPIO Key Poweroff");
    TREE_CELLS(t, "/gpio-keys/poweroff", "linux,code", KEY_POWER);
    TREE_CELLS(t, "/gpio-keys/poweroff", "gpios", gpio, LINE_POWER, 0);
}

static void secure_outputs(struct tree *t, u32 gpio, struct place at)
{
    const char *outputs[] = { "/gpio-poweroff", "/gpio-restart" };
    for (unsigned n = 0; n < ARRAY_LEN(outputs); n++) {
        tree_node(t, outputs[n]);
        tree_string(t, outputs[n], "compatible", outputs[n] + 1);
        TREE_CELLS(t, outputs[n], "gpios", gpio, n, 0);
        tree_secure(t, outputs[n], at);
    }
}

static void pl061_node(struct tree *t, struct place at)
{
    char path[64];
    u32 phandle = t->gpio + place_number(at);
    tree_device(t, path, "pl061", at);
    tree_reg(t, path, at);
    tree_compatible(t, path, at);
    TREE_CELLS(t, path, "#gpio-cells", 2);
    tree_flag(t, path, "gpio-controller");
    tree_interrupts(t, path, at);
    TREE_CELLS(t, path, "clocks", t->clock);
    tree_string(t, path, "clock-names", "apb_pclk");
    TREE_CELLS(t, path, "phandle", phandle);
    tree_secure(t, path, at);
    if (row_secure(t->m, row_get(at.row)))
        secure_outputs(t, phandle, at);
    else
        power_button(t, phandle);
}

/* GpioInt (ACPI 6.4, 6.4.3.8.1) of one pin: a rising edge, exclusive, pulled up. */
static void gpio_interrupt(struct writer *w, unsigned pin, const char *gpio)
{
    enum { PINS = 23, SOURCE = PINS + 2, HEAD = 3, EDGE = 1, CONSUMER = 1, PULL_UP = 1 };
    u32 end = SOURCE + (u32)strlen(gpio) + 1;
    PUT(w, BYTE(0x8c), WORD(end - HEAD), BYTE(1), BYTE(0), WORD(CONSUMER), WORD(EDGE), BYTE(PULL_UP), WORD(0), WORD(0),
        WORD(PINS), BYTE(0), WORD(SOURCE), WORD(end), WORD(0), WORD(pin));
    put_string(w, gpio);
}

static void pl061_acpi(struct writer *w, struct place at)
{
    u32 from = aml_device(w, "GPO0", "ARMH0061", 0);
    aml_row(w, at);
    u32 events = aml_resources(w, "_AEI");
    gpio_interrupt(w, LINE_POWER, "GPO0");
    aml_resources_end(w, events);
    u32 method = aml_method(w, "_E03", 0, false); /* an edge of that pin */
    acpi_power_notify(w);
    aml_close(w, method);
    aml_close(w, from);
    acpi_power_button(w);
}

const struct kind kind_pl061 = {
    .name = "pl061",
    .compatible = "arm,pl061\0arm,primecell\0",
    .state = STATE_SHAPE(pl061, fields),
    .version = 1,
    .wires = 1,
    .timers = 1,
    .read = pl061_read,
    .write = pl061_write,
    .level = pl061_level,
    .timer = pl061_timer,
    .reset = pl061_reset,
    .validate = pl061_validate,
    .node = pl061_node,
    .power_key = pl061_power_key,
    .acpi = pl061_acpi,
};
