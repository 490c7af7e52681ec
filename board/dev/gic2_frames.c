/*
 * The frames of GICv2 on the bus (Arm IHI 0048B): distributor, CPU interface, and with virtualization=on the two of the
 * virtual one. What they show is in machine.gic (gic/frames.c, gic/frames2.c). They answer as far as QEMU's do; the
 * device tree gives each 64 KiB, as QEMU's does.
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"
#include "board/boot/tree.h"
#include "board/dev/gic_frames.h"

static bool dist_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    return (void)state, gic_told(m, gic2_dist_read(&m->gic, a->offset, a->size, a->by, value));
}
static bool dist_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    return (void)state, gic_told(m, gic2_dist_write(&m->gic, a->offset, a->size, a->by, value));
}

#define FRAME(which, frame)                                                                                             \
    static bool which##_read(struct machine *m, void *state, const struct access *a, u64 *value)                       \
    {                                                                                                                  \
        return (void)state, gic_told(m, gic2_read(&m->gic, frame, a->offset, a->size, a->by, value));                      \
    }                                                                                                                  \
    static bool which##_write(struct machine *m, void *state, const struct access *a, u64 value)                       \
    {                                                                                                                  \
        return (void)state, gic_told(m, gic2_write(&m->gic, frame, a->offset, a->size, a->by, value));                     \
    }                                                                                                                  \
    const struct kind kind_gic2_##which = {                                                                             \
        .name = "gic2_" #which,                                                                                         \
        .compatible = "arm,cortex-a15-gic\0",                                                                          \
        .read = which##_read,                                                                                           \
        .write = which##_write,                                                                                         \
    };
FRAME(cpu, GIC2_CPU)
FRAME(hyp, GIC2_HYP)
FRAME(vcpu, GIC2_VCPU)

enum { FRAME_SIZE = 0x10000 }; /* of the device tree */

/* One node for all frames, at the distributor's address. */
static void node(struct tree *t, struct place at)
{
    static const enum row_number frames[] = { ROW_gicd2, ROW_gicc, ROW_gich, ROW_gicv };
    u32 cells[4 * ARRAY_LEN(frames)];
    unsigned count = t->m->options.virtualization ? 4 : 2;
    char path[64];
    for (unsigned n = 0; n < count; n++)
        memcpy(&cells[4 * n], (const u32[]){ TREE_CELLS64(row_get(frames[n])->base), TREE_CELLS64(FRAME_SIZE) }, 16);
    tree_gic(t, path, at);
    tree_cells(t, path, "reg", cells, 4 * count);
    tree_gic_end(t, path);
}

static u64 frame_base(const struct writer *w, enum row_number n)
{
    return row_there(w->m, row_get(n)) ? row_get(n)->base : 0;
}

static void madt(struct writer *w, struct place at)
{
    madt_gic(w, at, 2,
             &(struct madt_frames){ frame_base(w, ROW_gicc), frame_base(w, ROW_gicv), frame_base(w, ROW_gich) });
}

const struct kind kind_gic2_dist = {
    .name = "gic2_dist",
    .compatible = "arm,cortex-a15-gic\0",
    .read = dist_read,
    .write = dist_write,
    .node = node,
    .madt = madt,
};
