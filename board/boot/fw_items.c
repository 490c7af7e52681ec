/*
 * What the firmware configuration device is given at boot, with the keys and names that QEMU's virt gives it (found by
 * listing them there: tests/guest/fw_cfg.c): ACPI and SMBIOS tables, with firmware the kernel, initial RAM disk and
 * command line, which are then the firmware's to load, what it is to boot from, and the files of -fw_cfg.
 */
#include "board/acpi/acpi.h"
#include "board/boot/boot.h"
#include "board/boot/smbios.h"
#include "board/dev/fw_cfg.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 16 };
struct items {
    struct fw_cfg_item item[FW_CFG_ITEMS];
    unsigned count;
    u8 number[NUMBERS][4]; /* what items that are numbers hold */
    unsigned numbers;
    u8 rsdp[ACPI_RSDP_SIZE], tables[ACPI_TABLES_SIZE], loader[ACPI_LOADER_SIZE];
    u8 smbios[SMBIOS_SIZE], anchor[SMBIOS_ANCHOR_SIZE], order[ORDER_SIZE];
};

static void item_add(struct items *t, const char *name, u32 key, const void *data, u64 size)
{
    if (t->count < FW_CFG_ITEMS)
        t->item[t->count] = (struct fw_cfg_item){ name, key, data, size, 0 };
    t->count++;
}

static void number_add(struct items *t, const char *name, u32 key, u64 value, unsigned bytes)
{
    u8 *number = t->number[t->numbers++];
    store_le32(number, (u32)value);
    item_add(t, name, key, number, bytes);
}

#define WRITER(machine, array) { .m = machine, .data = array, .room = sizeof(array) }
static void writer_item(struct items *t, const char *name, const struct writer *w)
{
    item_add(t, name, 0, w->data, w->size);
}

static bool board_items(const struct machine *m, const struct boot_config *c, struct items *t)
{
    struct writer order = WRITER(m, t->order);
    order_make(&order, c->boot.strict);
    item_add(t, NULL, FW_CFG_SIGNATURE, "QEMU", 4);
    number_add(t, NULL, FW_CFG_ID, m->options.fw_cfg_no_dma ? 1 : 3, 4); /* data register and DMA */
    item_add(t, NULL, FW_CFG_UUID, c->uuid, sizeof(c->uuid));
    number_add(t, NULL, FW_CFG_NOGRAPHIC, c->nographic, 2);
    number_add(t, NULL, FW_CFG_NB_CPUS, m->options.cpu_count, 2);
    number_add(t, NULL, FW_CFG_BOOT_MENU, c->boot.menu, 2);
    item_add(t, "bios-geometry", 0, NULL, 0);
    writer_item(t, "bootorder", &order);
    number_add(t, "etc/boot-fail-wait", 0, c->boot.has_fail_wait ? c->boot.fail_wait : UINT32_MAX, 4);
    if (c->boot.has_wait)
        number_add(t, "etc/boot-menu-wait", 0, c->boot.wait, 2);
    return !order.full;
}

static bool acpi_items(const struct machine *m, struct roms *roms, struct items *t)
{
    struct writer rsdp = WRITER(m, t->rsdp), tables = WRITER(m, t->tables), loader = WRITER(m, t->loader);
    bool ok = acpi_make(&rsdp, &tables, &loader);
    writer_item(t, "etc/acpi/rsdp", &rsdp);
    writer_item(t, "etc/acpi/tables", &tables);
    writer_item(t, "etc/table-loader", &loader);
    item_add(t, "etc/tpm/log", 0, NULL, 0); /* of a TPM that is not there */
    rom_add(roms, (struct rom){ ROM_FW_CFG, 0, tables.size, "etc/acpi/tables", ROM_WHOLE });
    rom_add(roms, (struct rom){ ROM_FW_CFG, 0, loader.size, "etc/table-loader", ROM_WHOLE });
    rom_add(roms, (struct rom){ ROM_FW_CFG, 0, rsdp.size, "etc/acpi/rsdp", ROM_WHOLE });
    return ok;
}

static bool smbios_items(const struct machine *m, const struct boot_config *c, struct items *t)
{
    struct writer anchor = WRITER(m, t->anchor), tables = WRITER(m, t->smbios);
    bool ok = smbios_make(&anchor, &tables, c->uuid, &c->smbios);
    writer_item(t, "etc/smbios/smbios-anchor", &anchor);
    writer_item(t, "etc/smbios/smbios-tables", &tables);
    return ok;
}

static void kernel_items(const struct boot_config *c, const struct blob *kernel, struct items *t)
{
    if (kernel->data) {
        number_add(t, NULL, FW_CFG_KERNEL_SIZE, kernel->size, 4);
        item_add(t, NULL, FW_CFG_KERNEL_DATA, kernel->data, kernel->size);
    }
    if (c->initrd.data) {
        number_add(t, NULL, FW_CFG_INITRD_SIZE, c->initrd.size, 4);
        item_add(t, NULL, FW_CFG_INITRD_DATA, c->initrd.data, c->initrd.size);
    }
    if (kernel->data && c->append) {
        number_add(t, NULL, FW_CFG_CMDLINE_SIZE, strlen(c->append) + 1, 4);
        item_add(t, NULL, FW_CFG_CMDLINE_DATA, c->append, strlen(c->append) + 1);
    }
}

/* Files that devices have, which the guest is to write. */
static void device_items(const struct machine *m, struct items *t)
{
    static const u8 zeros[64];
    for (u32 row = 0; row < ROW_COUNT; row++) {
        const struct kind *kind = row_get(row)->kind;
        if (!kind || !kind->file || !row_count(m, row))
            continue;
        item_add(t, kind->file, 0, zeros, kind->file_size);
        if (t->count <= FW_CFG_ITEMS)
            t->item[t->count - 1].writer = row + 1;
    }
}

bool fw_items_place(struct machine *m, const struct boot_config *c, bool firmware, char error[BOOT_ERROR])
{
    struct items *t = calloc(1, sizeof(*t));
    struct blob kernel = { 0 };
    const char *wrong = "out of memory";
    if (t && firmware && c->kernel.data && !image_unpack(&c->kernel, &kernel, error)) {
        free(t);
        return false;
    }
    bool ok = t != NULL;
    if (t) {
        ok = board_items(m, c, t) && smbios_items(m, c, t) && (!m->options.acpi || acpi_items(m, c->roms, t));
        wrong = "the tables of ACPI and SMBIOS have no room";
        if (firmware)
            kernel_items(c, &kernel, t);
        device_items(m, t);
        for (unsigned n = 0; n < c->item_count; n++)
            item_add(t, c->item[n].name, 0, c->item[n].file.data, c->item[n].file.size);
    }
    ok = ok && fw_cfg_fill(m, t->item, t->count, &wrong);
    if (!ok)
        snprintf(error, BOOT_ERROR, "-fw_cfg: %s", wrong);
    if (kernel.data != c->kernel.data)
        free((void *)(uintptr_t)kernel.data);
    free(t);
    return ok;
}
