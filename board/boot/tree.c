/* Writing a device tree: nodes and properties by path, and what all devices' nodes have. */
#include "board/boot/tree.h"

#include "board/machine.h"

#include <libfdt.h>
#include <stdio.h>

void tree_note(struct tree *t, int rc)
{
    if (rc < 0 && !t->error)
        t->error = rc;
}

void tree_node(struct tree *t, const char *path)
{
    const char *slash = strrchr(path, '/');
    int parent = slash == path ? 0 : fdt_path_offset_namelen(t->fdt, path, (int)(slash - path));
    tree_note(t, parent);
    if (parent >= 0)
        tree_note(t, fdt_add_subnode(t->fdt, parent, slash + 1));
}

void tree_prop(struct tree *t, const char *path, const char *name, const void *value, unsigned size)
{
    int at = fdt_path_offset(t->fdt, path);
    tree_note(t, at);
    if (at >= 0)
        tree_note(t, fdt_setprop(t->fdt, at, name, value, (int)size));
}

void tree_string(struct tree *t, const char *path, const char *name, const char *value)
{
    tree_prop(t, path, name, value, (unsigned)strlen(value) + 1);
}

void tree_flag(struct tree *t, const char *path, const char *name) { tree_prop(t, path, name, "", 0); }

void tree_cells(struct tree *t, const char *path, const char *name, const u32 *cells, unsigned count)
{
    tree_table(t, path, name, cells, count < 16 ? count : 16);
}

void tree_table(struct tree *t, const char *path, const char *name, const u32 *cells, unsigned count)
{
    u32 big[256];
    for (unsigned n = 0; n < count && n < ARRAY_LEN(big); n++)
        big[n] = cpu_to_fdt32(cells[n]);
    tree_prop(t, path, name, big, count * 4);
}

void tree_device(struct tree *t, char path[64], const char *name, struct place at)
{
    snprintf(path, 64, "/%s@%llx", name, (unsigned long long)place_base(t->m, at));
    tree_node(t, path);
}

void tree_compatible(struct tree *t, const char *path, struct place at)
{
    const char *list = row_get(at.row)->kind->compatible, *end = list;
    while (*end)
        end += strlen(end) + 1;
    tree_prop(t, path, "compatible", list, (unsigned)(end - list));
}

void tree_reg(struct tree *t, const char *path, struct place at)
{
    TREE_CELLS(t, path, "reg", TREE_CELLS64(place_base(t->m, at)), TREE_CELLS64(row_get(at.row)->size));
}

void tree_interrupts(struct tree *t, const char *path, struct place at)
{
    const struct row *row = row_get(at.row);
    TREE_CELLS(t, path, "interrupts", TREE_SPI, row->spi + at.n * row->kind->wires,
               row->kind->edge ? TREE_EDGE : TREE_LEVEL);
}

void tree_secure(struct tree *t, const char *path, struct place at)
{
    if (!row_secure(t->m, row_get(at.row)))
        return;
    tree_string(t, path, "status", "disabled");
    tree_string(t, path, "secure-status", "okay");
}

void tree_gic(struct tree *t, char path[64], struct place at)
{
    tree_device(t, path, "intc", at);
    TREE_CELLS(t, path, "#interrupt-cells", 3);
    tree_flag(t, path, "interrupt-controller");
    TREE_CELLS(t, path, "#address-cells", 2);
    TREE_CELLS(t, path, "#size-cells", 2);
    tree_flag(t, path, "ranges");
    tree_compatible(t, path, at);
}

void tree_gic_end(struct tree *t, const char *path)
{
    if (t->m->options.virtualization)
        TREE_CELLS(t, path, "interrupts", TREE_PPI, GIC_PPI_MAINTENANCE - 16, TREE_LEVEL);
    TREE_CELLS(t, path, "phandle", t->gic);
    TREE_CELLS(t, "/", "interrupt-parent", t->gic);
}

void tree_gic_msi(struct tree *t, char path[64], const char *name, struct place at)
{
    const struct row *dist = row_get(t->m->options.gic_version == 2 ? ROW_gicd2 : ROW_gicd);
    snprintf(path, 64, "/intc@%llx/%s@%llx", (unsigned long long)dist->base, name,
             (unsigned long long)place_base(t->m, at));
    tree_node(t, path);
    tree_compatible(t, path, at);
    tree_flag(t, path, "msi-controller");
    tree_reg(t, path, at);
    TREE_CELLS(t, path, "phandle", t->msi);
}

void tree_primecell(struct tree *t, char path[64], const char *name, struct place at)
{
    tree_device(t, path, name, at);
    tree_compatible(t, path, at);
    tree_reg(t, path, at);
    tree_interrupts(t, path, at);
}
