/*
 * Where things go and how the machine is entered, as QEMU's virt does it (hw/arm/boot's behaviour, found by running
 * it):
 *
 *     Image at RAM + text_offset (2 MiB more when that is 0), raw at RAM + 0x80000, ELF by its program headers.
 *     initrd at RAM + min(RAM / 2, 128 MiB), or after the kernel; the device tree at the next 2 MiB.
 *     Image and raw: x0 = device tree, entered at Non-secure EL2 (virtualization=on) or EL1.
 *     ELF, firmware, -device loader: entered at the highest EL; the device tree at the start of RAM when that is free.
 *     Firmware (-bios, -drive if=pflash) lies in flash at 0 and is entered there; it finds kernel, initrd and command
 *     line in the firmware configuration device, and nothing of them in RAM.
 *     PSCI is the board's, by HVC for an entry at EL1, SMC at EL2; none when EL3 is entered.
 */
#include "board/boot/boot.h"

#include "cpu/exception.h"

#include <stdio.h>
#include <stdlib.h>

enum { MIB = 1 << 20 };

/* What has been placed where, and the highest address in use. */
struct plan {
    struct image image;
    bool kernel; /* it is in RAM: there is no firmware that loads it */
    u64 initrd, initrd_size, dtb, dtb_room, next;
    struct fdt_module module[2 * MAX_DOMAINS];
    unsigned module_count;
    struct boot_used used;
};

static u64 ram_base(const struct machine *m) { return m->d.phys.region[0].base; }

/* ---- what RAM is left ---- */

void boot_use(struct boot_used *used, u64 low, u64 high)
{
    unsigned n = 0;
    while (n < used->count) { /* those that touch become one */
        if (used->range[n].low > high || used->range[n].high < low) {
            n++;
            continue;
        }
        low = used->range[n].low < low ? used->range[n].low : low;
        high = used->range[n].high > high ? used->range[n].high : high;
        used->range[n] = used->range[--used->count];
        n = 0;
    }
    if (used->count < ARRAY_LEN(used->range)) {
        used->range[used->count].low = low;
        used->range[used->count++].high = high;
        return;
    }
    used->count--;
    boot_use(used, used->range[n - 1].low < low ? used->range[n - 1].low : low,
             used->range[n - 1].high > high ? used->range[n - 1].high : high);
}

void rom_add(struct roms *roms, struct rom rom)
{
    if (!roms || roms->count == ARRAY_LEN(roms->rom))
        return;
    unsigned n = roms->count++;
    for (; n; n--) { /* those that are alike stay in the order in which they came */
        const struct rom *before = &roms->rom[n - 1];
        if (before->place < rom.place || (before->place == rom.place && before->address <= rom.address))
            break;
        roms->rom[n] = *before;
    }
    roms->rom[n] = rom;
}

void boot_use_named(struct boot_used *used, u64 low, u64 size, const char *name, int part)
{
    boot_use(used, low, low + size);
    rom_add(used->roms, (struct rom){ ROM_RAM, low, size, name, part });
}

/* The first range that ends above `at`, the lowest of them; NULL: none. */
static unsigned used_next(const struct boot_used *used, u64 at)
{
    unsigned next = used->count;
    for (unsigned n = 0; n < used->count; n++)
        if (used->range[n].high > at && (next == used->count || used->range[n].low < used->range[next].low))
            next = n;
    return next;
}

/* SYS_HEAPINFO's region: the largest part of RAM that nothing was loaded to, in whole pages. */
static void heap_find(struct machine *m, const struct boot_used *used)
{
    u64 at = ram_base(m), end = at + m->options.ram_size;
    m->heap_low = m->heap_high = end;
    while (at < end) {
        unsigned n = used_next(used, at);
        u64 stop = n < used->count && used->range[n].low < end ? used->range[n].low & ~(u64)4095 : end;
        if (stop > at && stop - at > m->heap_high - m->heap_low) {
            m->heap_low = at;
            m->heap_high = stop;
        }
        at = n < used->count ? align_up(used->range[n].high, 4096) : end;
    }
}

/* ---- images ---- */

static bool initrd_place(struct machine *m, const struct boot_config *c, struct plan *p, char *error)
{
    u64 half = m->options.ram_size / 2, start = ram_base(m) + (half < 128 * MIB ? half : 128 * MIB);
    start = align_up(p->image.high > start ? p->image.high : start, 4096);
    p->next = start;
    if (!c->initrd.data)
        return true;
    if (!c->initrd.size) {
        snprintf(error, BOOT_ERROR, "%s: the initrd file is empty", c->initrd.name);
        return false;
    }
    p->initrd = start;
    p->initrd_size = c->initrd.size;
    boot_use_named(&p->used, start, c->initrd.size, c->initrd.name, ROM_WHOLE);
    p->next = start + c->initrd.size;
    return image_put(m, start, &c->initrd, "initrd", error);
}

static bool module_place(struct machine *m, struct plan *p, const struct blob *file, const char *kind,
                         const char *append, unsigned domain, char *error)
{
    if (!file->data)
        return true;
    if (!file->size) {
        snprintf(error, BOOT_ERROR, "%s: the file is empty", file->name);
        return false;
    }
    p->next = align_up(p->next, 2 * MIB);
    p->module[p->module_count++] = (struct fdt_module){ p->next, file->size, kind, append, domain };
    boot_use_named(&p->used, p->next, file->size, file->name, ROM_WHOLE);
    if (!image_put(m, p->next, file, kind, error))
        return false;
    p->next += file->size;
    return true;
}

/* Boot modules of Xen, above the device tree. */
static bool domains_place(struct machine *m, const struct boot_config *c, struct plan *p, char *error)
{
    for (unsigned n = 0; n < c->domain_count; n++) {
        const struct boot_domain *d = &c->domain[n];
        if (!module_place(m, p, &d->kernel, "kernel", d->append ? d->append : "", n, error) ||
            !module_place(m, p, &d->initrd, "ramdisk", NULL, n, error))
            return false;
    }
    return true;
}

static bool dtb_put(struct machine *m, const struct boot_config *c, struct plan *p, char *error)
{
    struct fdt_boot boot = { c->append, p->initrd, p->initrd_size, c, p->module, p->module_count };
    u8 *dtb = malloc(FDT_SIZE);
    if (!dtb) {
        snprintf(error, BOOT_ERROR, "out of memory");
        return false;
    }
    u64 size = fdt_make(m, &boot, c->dtb.data ? &c->dtb : NULL, dtb, error);
    struct blob blob = { "device tree", dtb, size, false };
    bool ok = size && image_put(m, p->dtb, &blob, "device tree", error);
    boot_use_named(&p->used, p->dtb, FDT_SIZE, "dtb", ROM_TREE);
    free(dtb);
    return ok;
}

/* ---- flash ---- */

/* What of the file is not there already: pages that are the same, as all are after a reset, stay untouched. */
static bool bank_fill(struct machine *m, u64 base, unsigned disk, u64 size)
{
    static const u64 part = 4096;
    for (u64 at = 0; at < size; at += part) {
        u8 page[4096], now[4096];
        u64 count = size - at < part ? size - at : part;
        if (!m->d.host.disk_read(m->d.host.ctx, disk, at, page, count) ||
            !phys_copy_out(&m->d.phys, base + at, now, count))
            return false;
        if (memcmp(page, now, count))
            machine_write(m, base + at, page, count);
    }
    return true;
}

static bool flash_place(struct machine *m, const struct boot_config *c, char *error)
{
    for (struct place at = PLACE_FIRST; place_next(m, &at);) {
        unsigned bank = row_get(at.row)->kind->memory ? place_number(at) : ARRAY_LEN(m->options.flash_disk);
        unsigned disk = bank < ARRAY_LEN(m->options.flash_disk) ? m->options.flash_disk[bank] : 0;
        if (disk && !bank_fill(m, place_base(m, at), disk - 1, m->options.disk[disk - 1].size)) {
            snprintf(error, BOOT_ERROR, "-drive if=pflash: bank %u: the file cannot be read", bank);
            return false;
        }
    }
    if (c->bios.data && c->bios.size > row_get(ROW_flash)->size) {
        snprintf(error, BOOT_ERROR, "%s: firmware is larger than the bank of 64 MiB", c->bios.name);
        return false;
    }
    if (c->bios.data)
        rom_add(c->roms, (struct rom){ ROM_FLASH, 0, c->bios.size, c->bios.name, ROM_WHOLE });
    return !c->bios.data || image_put(m, row_get(ROW_flash)->base, &c->bios, "firmware", error);
}

/* ---- all together ---- */

static bool has_firmware(const struct machine *m, const struct boot_config *c)
{
    return c->bios.data || m->options.flash_disk[0];
}

/* A kernel that follows Linux's boot protocol (or is raw): placed, with initrd, device tree and modules. */
static bool linux_load(struct machine *m, const struct boot_config *c, struct plan *p, char *error)
{
    if (!initrd_place(m, c, p, error))
        return false;
    p->dtb = align_up(p->next, 2 * MIB);
    p->next = p->dtb + FDT_SIZE;
    return domains_place(m, c, p, error) && dtb_put(m, c, p, error);
}

/* Not a Linux boot: the device tree goes to the start of RAM when the image leaves room there, else nowhere. */
static bool bare_load(struct machine *m, const struct boot_config *c, struct plan *p, char *error)
{
    u64 base = ram_base(m);
    if (c->domain_count) {
        snprintf(error, BOOT_ERROR, "-xen-dom0 and -xen-domu need an arm64 Image of Xen as -kernel");
        return false;
    }
    if (!has_firmware(m, c) && !initrd_place(m, c, p, error))
        return false;
    if (p->image.low < base + FDT_SIZE && p->image.high > base)
        return true;
    p->dtb = base;
    return dtb_put(m, c, p, error);
}

static void value_put(struct machine *m, const struct boot_loader *l, char *error, bool *ok)
{
    u8 bytes[8];
    store_le64(bytes, l->data);
    struct blob blob = { "-device loader", bytes, l->data_len, false };
    *ok = image_put(m, l->addr, &blob, "data", error);
}

/* One -device loader; the PE it names starts at the ELF's entry or at addr. */
static bool loader_run(struct machine *m, const struct boot_loader *l, struct boot_used *used, u64 *pc, char *error)
{
    bool ok = true;
    struct image image = { .entry = l->addr, .used = used };
    *pc = l->addr;
    if (l->data_len) {
        boot_use(used, l->addr, l->addr + l->data_len);
        value_put(m, l, error, &ok);
        return ok;
    }
    if (!l->file.data)
        return true; /* addr and cpu-num only: starts the PE there */
    error[0] = 0;
    if (!l->force_raw && image_load_elf(m, &l->file, &image, error)) {
        *pc = image.entry;
        return true;
    }
    boot_use_named(used, l->addr, l->file.size, l->file.name, ROM_WHOLE);
    return !error[0] && image_put(m, l->addr, &l->file, "file", error);
}

static bool loaders_run(struct machine *m, const struct boot_config *c, struct boot_used *used, u64 pc[MAX_CPUS],
                        bool started[MAX_CPUS], char *error)
{
    for (unsigned n = 0; n < c->loader_count; n++) {
        const struct boot_loader *l = &c->loader[n];
        u64 entry;
        if (!loader_run(m, l, used, &entry, error))
            return false;
        if (l->cpu >= (int)m->options.cpu_count) {
            snprintf(error, BOOT_ERROR, "-device loader: cpu-num=%d, but there are %u CPUs", l->cpu,
                     m->options.cpu_count);
            return false;
        }
        if (l->cpu >= 0) {
            pc[l->cpu] = entry;
            started[l->cpu] = true;
        }
    }
    return true;
}

/* Chooses the EL and the conduit, and starts the PEs. */
static void enter(struct machine *m, const struct plan *p, const u64 pc[MAX_CPUS], const bool started[MAX_CPUS])
{
    bool is_linux = p->kernel && p->image.kind != IMAGE_ELF;
    u32 top = m->options.secure           ? 3
              : m->options.virtualization ? 2
                                          : 1,
        el = is_linux && top == 3 ? (m->options.virtualization ? 2 : 1) : top;
    m->conduit = el == 3 ? CONDUIT_NONE : m->options.virtualization ? CONDUIT_SMC : CONDUIT_HVC;
    m->entry_el = el;
    if (m->options.secure && el < 3)
        gic_hand_to_nonsecure(&m->gic);
    if (el < 3)
        gic_wake(&m->gic);
    /* without PSCI there is nobody to start the others: they all start */
    for (u32 n = 0; n < m->options.cpu_count && (n == 0 || m->conduit == CONDUIT_NONE); n++) {
        u64 entry = started[n] ? pc[n] : p->kernel ? p->image.entry : 0;
        machine_cpu_enter(m, &m->d.cpu[n], el, entry, is_linux ? p->dtb : 0);
        if (is_linux)
            m->d.cpu[n].x[4] = p->image.entry; /* as QEMU's stub leaves it */
    }
}

/* What conduit the device tree and ACPI's tables are to name: decided before they are made. */
static void conduit_decide(struct machine *m, bool is_linux)
{
    m->conduit = m->options.secure && !is_linux ? CONDUIT_NONE : m->options.virtualization ? CONDUIT_SMC : CONDUIT_HVC;
}

bool boot_load(struct machine *m, const struct boot_config *c, char error[BOOT_ERROR])
{
    struct plan p = { .image = { .kind = IMAGE_ELF }, .used.roms = c->roms };
    u64 pc[MAX_CPUS] = { 0 };
    bool started[MAX_CPUS] = { false };
    error[0] = 0;
    if (c->roms)
        c->roms->count = 0;
    if (!c->kernel.data && !c->loader_count && !has_firmware(m, c) && !c->empty) {
        snprintf(error, BOOT_ERROR, "nothing to run: -kernel FILE, -bios FILE, or -device loader,file=FILE,cpu-num=0");
        return false;
    }
    if (!flash_place(m, c, error))
        return false;
    p.image.used = &p.used;
    p.kernel = c->kernel.data && !has_firmware(m, c);
    if (p.kernel && !image_load(m, &c->kernel, &p.image, error))
        return false;
    bool is_linux = p.kernel && p.image.kind != IMAGE_ELF;
    conduit_decide(m, is_linux);
    if (!fw_items_place(m, c, has_firmware(m, c), error))
        return false;
    if (!(is_linux ? linux_load(m, c, &p, error) : bare_load(m, c, &p, error)))
        return false;
    if (!loaders_run(m, c, &p.used, pc, started, error))
        return false;
    heap_find(m, &p.used);
    enter(m, &p, pc, started);
    return true;
}
