/*
 * The ITS on the bus: two frames of 64 KiB, the second for GITS_TRANSLATER alone. The device that a message comes from
 * is the stream of the access; what a PE writes there comes from device 0, as on QEMU. What is not here: gic/its.c.
 */
#include "board/acpi/writer.h"
#include "board/boot/tree.h"
#include "board/machine.h"
#include "gic/its.h"

static const struct state_field fields[] = {
    STATE(its, cbaser), STATE(its, cwriter), STATE(its, creadr), STATE(its, baser), STATE(its, ctlr), STATE(its, pad),
};

enum { TRANSLATER = 0x10040 };

static bool read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    *value = its_read(state, &m->gic, a->offset, a->size);
    return true;
}

static bool write(struct machine *m, void *state, const struct access *a, u64 value)
{
    /* a bus master reaches GITS_TRANSLATER alone */
    bool message = a->offset == TRANSLATER && (a->size == 2 || a->size == 4);
    if (message && !its_message(state, &m->gic, a->stream, (u32)value))
        m->d.guest_error = ERROR_INTERRUPT;
    if (!message && a->by.cpu < m->options.cpu_count && !its_write(state, &m->gic, a->offset, a->size, value))
        m->d.guest_error = ERROR_COMMAND;
    return true;
}

static void reset(struct machine *m, void *state, struct place at)
{
    (void)at;
    its_reset(state, &m->gic);
}

static const char *validate(const void *state, struct place at)
{
    (void)at;
    return its_validate(state) ? NULL : "its: state out of range";
}

static void node(struct tree *t, struct place at)
{
    char path[64];
    tree_gic_msi(t, path, "its", at);
    TREE_CELLS(t, path, "#msi-cells", 1);
}

/* ACPI 6.4, 5.2.12.18: identifier 0, which the IORT names. */
static void madt(struct writer *w, struct place at)
{
    PUT(w, BYTE(0xf), BYTE(20), WORD(0), DWORD(0), QWORD(place_base(w->m, at)), DWORD(0));
}

const struct kind kind_gic_its = {
    .name = "gic_its",
    .compatible = "arm,gic-v3-its\0",
    .state = STATE_SHAPE(its, fields),
    .version = 1,
    .read = read,
    .write = write,
    .reset = reset,
    .validate = validate,
    .messages = true,
    .node = node,
    .madt = madt,
};
