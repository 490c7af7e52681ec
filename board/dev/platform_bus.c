/*
 * The window in which QEMU's virt puts devices that are plugged in by -device (sysbus): there are none here, and
 * nothing answers. Guests find its node in the device tree.
 */
#include "board/machine.h"
#include "board/boot/tree.h"

static void node(struct tree *t, struct place at)
{
    char path[64];
    tree_device(t, path, "platform-bus", at);
    tree_compatible(t, path, at);
    TREE_CELLS(t, path, "#size-cells", 1);
    TREE_CELLS(t, path, "#address-cells", 1);
    TREE_CELLS(t, path, "ranges", 0, TREE_CELLS64(place_base(t->m, at)), (u32)row_get(at.row)->size);
    TREE_CELLS(t, path, "interrupt-parent", t->gic);
}

const struct kind kind_platform_bus = {
    .name = "platform_bus",
    .compatible = "qemu,platform\0simple-bus\0",
    .node = node,
};
