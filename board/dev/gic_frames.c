/*
 * The GIC's register frames on the bus. What they show is in machine.gic (gic/frames.c), where the PEs' interfaces are.
 */
#include "board/acpi/acpi.h"
#include "board/boot/tree.h"
#include "board/dev/gic_frames.h"

bool gic_told(struct machine *m, bool ok)
{
    if (unlikely(m->gic.d.no_such_size | m->gic.d.no_such_spi)) {
        m->d.guest_error = m->gic.d.no_such_spi ? ERROR_INTERRUPT : ERROR_SIZE;
        m->gic.d.no_such_size = m->gic.d.no_such_spi = false;
    }
    return ok;
}

static bool dist_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)state;
    return gic_told(m, gic_dist_read(&m->gic, a->offset, a->size, a->by, value));
}

static bool dist_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state;
    return gic_told(m, gic_dist_write(&m->gic, a->offset, a->size, a->by, value));
}

/* Where it would lie, were all redistributors in one region; beyond them where no whole one has room any more. */
static u64 redist_offset(const struct machine *m, const struct access *a)
{
    u64 low = gic_redists_low(m->gic.parts) * (u64)gic_redist_size(m->gic.parts);
    if (a->at.row == ROW_gicr2)
        return a->offset + low;
    return a->offset < low ? a->offset : ~(u64)0;
}

static bool redist_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)state;
    return gic_told(m, gic_redist_read(&m->gic, redist_offset(m, a), a->size, a->by, value));
}

static bool redist_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    (void)state;
    return gic_told(m, gic_redist_write(&m->gic, redist_offset(m, a), a->size, a->by, value));
}

/* One node for all frames, at the distributor's address. */
static void node(struct tree *t, struct place at)
{
    char path[64];
    const struct row *dist = row_get(at.row), *redist = row_get(ROW_gicr), *second = row_get(ROW_gicr2);
    const u32 reg[] = { TREE_CELLS64(dist->base),
                        TREE_CELLS64(dist->size),
                        TREE_CELLS64(redist->base),
                        TREE_CELLS64(redist->size),
                        TREE_CELLS64(row_address(t->m, ROW_gicr2)),
                        TREE_CELLS64(second->size) };
    unsigned regions = row_there(t->m, second) ? 2 : 1;
    tree_gic(t, path, at);
    TREE_CELLS(t, path, "#redistributor-regions", regions);
    tree_cells(t, path, "reg", reg, 4 + 4 * regions);
    tree_gic_end(t, path);
}

/* The PEs' interfaces are system registers. */
static void dist_madt(struct writer *w, struct place at)
{
    madt_gic(w, at, w->m->d.parts & GICV4 ? 4 : 3, &(struct madt_frames){ 0 });
}

/* ACPI 6.4, 5.2.12.17 */
static void redist_madt(struct writer *w, struct place at)
{
    PUT(w, BYTE(0xe), BYTE(16), WORD(0), QWORD(place_base(w->m, at)), DWORD(row_get(at.row)->size));
}

const struct kind kind_gic_dist = {
    .name = "gic_dist",
    .compatible = "arm,gic-v3\0",
    .read = dist_read,
    .write = dist_write,
    .messages = true,
    .node = node,
    .madt = dist_madt,
};
const struct kind kind_gic_redist = {
    .name = "gic_redist",
    .compatible = "arm,gic-v3\0",
    .read = redist_read,
    .write = redist_write,
    .madt = redist_madt,
};
