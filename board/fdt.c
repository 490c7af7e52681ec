/*
 * The device tree (Devicetree Specification 0.4; bindings of Linux), node for node and in the order of QEMU 7.2's virt,
 * so that guests find the same machine. Nodes and properties are put in front of each other, which is what libfdt does.
 * Left out until they exist: flash, PCIe, ITS, fw_cfg.
 */
#include "board/boot.h"

#include <libfdt.h>
#include <stdio.h>

enum { PHANDLE_CLOCK = 0x8000 }; /* CPU n: 0x8000 + cpus - n; then GIC, (ITS,) GPIO, secure GPIO */
enum { GIC_SPI = 0, GIC_PPI = 1, LEVEL = 4, EDGE = 1 };
enum { KEY_POWER = 116 };

struct tree {
    struct machine *m;
    void *fdt;
    int error;            /* the first one of libfdt */
    u32 gic, gpio, sgpio; /* phandles */
    bool plain;           /* no random nodes */
};

static void note(struct tree *t, int rc)
{
    if (rc < 0 && !t->error)
        t->error = rc;
}

static int node_at(struct tree *t, const char *path)
{
    int at = fdt_path_offset(t->fdt, path);
    note(t, at);
    return at;
}

static void node_add(struct tree *t, const char *path)
{
    const char *slash = strrchr(path, '/');
    int parent = slash == path ? 0 : fdt_path_offset_namelen(t->fdt, path, (int)(slash - path));
    note(t, parent);
    if (parent >= 0)
        note(t, fdt_add_subnode(t->fdt, parent, slash + 1));
}

static void prop(struct tree *t, const char *path, const char *name, const void *value, unsigned size)
{
    int at = node_at(t, path);
    if (at >= 0)
        note(t, fdt_setprop(t->fdt, at, name, value, (int)size));
}

static void prop_string(struct tree *t, const char *path, const char *name, const char *value)
{
    prop(t, path, name, value, (unsigned)strlen(value) + 1);
}

static void prop_flag(struct tree *t, const char *path, const char *name) { prop(t, path, name, "", 0); }

static void prop_cells(struct tree *t, const char *path, const char *name, const u32 *cells, unsigned count)
{
    u32 big[16];
    for (unsigned n = 0; n < count && n < ARRAY_LEN(big); n++)
        big[n] = cpu_to_fdt32(cells[n]);
    prop(t, path, name, big, count * 4);
}
#define CELLS(t, path, name, ...)                                                                                      \
    do {                                                                                                               \
        const u32 cells_[] = { __VA_ARGS__ };                                                                          \
        prop_cells(t, path, name, cells_, ARRAY_LEN(cells_));                                                          \
    } while (0)
#define CELLS64(v) (u32)((u64)(v) >> 32), (u32)(v)

/* Addresses and sizes, by turns, in as many cells as the root says. A number that does not fit is an error. */
static void prop_numbers(struct tree *t, const char *path, const char *name, const u64 *values, unsigned count)
{
    int width[] = { fdt_address_cells(t->fdt, 0), fdt_size_cells(t->fdt, 0) };
    u32 cells[4];
    unsigned used = 0;
    for (unsigned n = 0; n < count && n < 2; n++) {
        int wide = width[n];
        note(t, wide < 1 || wide > 2 || (wide == 1 && values[n] >> 32) ? -FDT_ERR_BADNCELLS : 0);
        if (wide == 2)
            cells[used++] = (u32)(values[n] >> 32);
        cells[used++] = (u32)values[n];
    }
    prop_cells(t, path, name, cells, used);
}

/* "a\0b" of a row, with both terminators. */
static void prop_compatible(struct tree *t, const char *path, const char *list)
{
    unsigned size = (unsigned)strlen(list) + 1;
    if (!strncmp(list, "arm,pl", 6))
        size += (unsigned)strlen(list + size) + 1; /* "...\0arm,primecell" */
    prop(t, path, "compatible", list, size);
}

static void secure_only(struct tree *t, const char *path)
{
    prop_string(t, path, "status", "disabled");
    prop_string(t, path, "secure-status", "okay");
}

static void seeds(struct tree *t, const char *path)
{
    u32 r[10];
    if (t->plain)
        return;
    for (unsigned n = 0; n < ARRAY_LEN(r); n += 2) {
        u64 v = machine_random(t->m);
        r[n] = (u32)(v >> 32);
        r[n + 1] = (u32)v;
    }
    prop_cells(t, path, "kaslr-seed", r, 2);
    prop_cells(t, path, "rng-seed", r + 2, 8);
}

static void chosen(struct tree *t)
{
    node_add(t, "/chosen");
    seeds(t, "/chosen");
    if (t->m->secure) {
        node_add(t, "/secure-chosen");
        seeds(t, "/secure-chosen");
    }
    node_add(t, "/apb-pclk");
    prop_string(t, "/apb-pclk", "compatible", "fixed-clock");
    CELLS(t, "/apb-pclk", "#clock-cells", 0);
    CELLS(t, "/apb-pclk", "clock-frequency", 24000000);
    prop_string(t, "/apb-pclk", "clock-output-names", "clk24mhz");
    CELLS(t, "/apb-pclk", "phandle", PHANDLE_CLOCK);
}

static void timer(struct tree *t)
{
    node_add(t, "/timer");
    prop(t, "/timer", "compatible", "arm,armv8-timer\0arm,armv7-timer", 32);
    prop_flag(t, "/timer", "always-on");
    /* Secure and Non-secure EL1, virtual, EL2, and with FEAT_VHE EL2's virtual one */
    static const u32 ppi[] = { 13, 14, 11, 10, 12 };
    u32 cells[3 * ARRAY_LEN(ppi)];
    unsigned count = t->m->virtualization && feature_has(&t->m->model.features, FEAT_VHE) ? 5 : 4;
    for (unsigned n = 0; n < count; n++)
        memcpy(&cells[3 * n], (const u32[]){ GIC_PPI, ppi[n], LEVEL }, 12);
    prop_cells(t, "/timer", "interrupts", cells, 3 * count);
}

static void cpus(struct tree *t)
{
    u32 count = t->m->cpu_count;
    char path[64];
    node_add(t, "/cpus");
    CELLS(t, "/cpus", "#address-cells", 1);
    CELLS(t, "/cpus", "#size-cells", 0);
    for (u32 n = count; n-- > 0;) {
        snprintf(path, sizeof(path), "/cpus/cpu@%x", n);
        node_add(t, path);
        prop_string(t, path, "device_type", "cpu");
        prop_string(t, path, "compatible", model_compatible(t->m->model.number));
        if (count > 1)
            prop_string(t, path, "enable-method", "psci");
        CELLS(t, path, "reg", n);
        CELLS(t, path, "phandle", PHANDLE_CLOCK + count - n);
    }
    node_add(t, "/cpus/cpu-map");
    node_add(t, "/cpus/cpu-map/socket0");
    node_add(t, "/cpus/cpu-map/socket0/cluster0");
    for (u32 n = count; n-- > 0;) {
        snprintf(path, sizeof(path), "/cpus/cpu-map/socket0/cluster0/core%u", n);
        node_add(t, path);
        CELLS(t, path, "cpu", PHANDLE_CLOCK + count - n);
    }
}

static const struct device_row *row_named(const char *name)
{
    const struct device_row *row;
    for (unsigned n = 0; (row = virt_device(n)); n++)
        if (!strcmp(row->name, name))
            return row;
    return NULL;
}

static void gic(struct tree *t)
{
    const char *path = "/intc@8000000";
    const struct device_row *dist = row_named("gicd"), *redist = row_named("gicr");
    node_add(t, path);
    CELLS(t, path, "#interrupt-cells", 3);
    prop_flag(t, path, "interrupt-controller");
    CELLS(t, path, "#address-cells", 2);
    CELLS(t, path, "#size-cells", 2);
    prop_flag(t, path, "ranges");
    prop_string(t, path, "compatible", "arm,gic-v3");
    CELLS(t, path, "#redistributor-regions", 1);
    CELLS(t, path, "reg", CELLS64(dist->base), CELLS64(dist->size), CELLS64(redist->base), CELLS64(redist->size));
    if (t->m->virtualization)
        CELLS(t, path, "interrupts", GIC_PPI, 9, LEVEL);
    CELLS(t, path, "phandle", t->gic);
    CELLS(t, "/", "interrupt-parent", t->gic);
    if (!feature_has(&t->m->model.features, FEAT_PMU))
        return;
    node_add(t, "/pmu");
    prop_string(t, "/pmu", "compatible", "arm,armv8-pmuv3");
    CELLS(t, "/pmu", "interrupts", GIC_PPI, 7, LEVEL);
}

/* A PrimeCell: one row, one node. name: of the node, before the @. */
static const struct device_row *primecell(struct tree *t, const char *name, const char *row_name, char path[64])
{
    const struct device_row *row = row_named(row_name);
    snprintf(path, 64, "/%s@%llx", name, (unsigned long long)row->base);
    node_add(t, path);
    return row;
}

static void primecell_props(struct tree *t, const char *path, const struct device_row *row)
{
    prop_compatible(t, path, row->compatible);
    CELLS(t, path, "reg", CELLS64(row->base), CELLS64(row->size));
    CELLS(t, path, "interrupts", GIC_SPI, row->irq, LEVEL);
}

static void uart(struct tree *t, const char *row_name)
{
    char path[64];
    const struct device_row *row = primecell(t, "pl011", row_name, path);
    primecell_props(t, path, row);
    CELLS(t, path, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
    prop(t, path, "clock-names", "uartclk\0apb_pclk", 17);
    if (!strcmp(row_name, "uart0")) {
        prop_string(t, "/chosen", "stdout-path", path);
    } else {
        secure_only(t, path);
        prop_string(t, "/secure-chosen", "stdout-path", path);
    }
}

static void secram(struct tree *t)
{
    const char *path = "/secram@e000000";
    node_add(t, path);
    prop_string(t, path, "device_type", "memory");
    CELLS(t, path, "reg", CELLS64(0xe000000), CELLS64(0x1000000));
    secure_only(t, path);
}

static void rtc(struct tree *t)
{
    char path[64];
    const struct device_row *row = primecell(t, "pl031", "rtc", path);
    primecell_props(t, path, row);
    CELLS(t, path, "clocks", PHANDLE_CLOCK);
    prop_string(t, path, "clock-names", "apb_pclk");
}

static void gpio_node(struct tree *t, const char *row_name, u32 phandle)
{
    char path[64];
    const struct device_row *row = primecell(t, "pl061", row_name, path);
    CELLS(t, path, "reg", CELLS64(row->base), CELLS64(row->size));
    prop_compatible(t, path, row->compatible);
    CELLS(t, path, "#gpio-cells", 2);
    prop_flag(t, path, "gpio-controller");
    CELLS(t, path, "interrupts", GIC_SPI, row->irq, LEVEL);
    CELLS(t, path, "clocks", PHANDLE_CLOCK);
    prop_string(t, path, "clock-names", "apb_pclk");
    CELLS(t, path, "phandle", phandle);
    if (phandle == t->sgpio)
        secure_only(t, path);
}

static void gpio(struct tree *t)
{
    gpio_node(t, "gpio", t->gpio);
    node_add(t, "/gpio-keys");
    prop_string(t, "/gpio-keys", "compatible", "gpio-keys");
    node_add(t, "/gpio-keys/poweroff");
    prop_string(t, "/gpio-keys/poweroff", "label", "GPIO Key Poweroff");
    CELLS(t, "/gpio-keys/poweroff", "linux,code", KEY_POWER);
    CELLS(t, "/gpio-keys/poweroff", "gpios", t->gpio, 3, 0);
    if (!t->m->secure)
        return;
    gpio_node(t, "sgpio", t->sgpio);
    const char *outputs[] = { "/gpio-poweroff", "/gpio-restart" };
    for (unsigned n = 0; n < 2; n++) {
        node_add(t, outputs[n]);
        prop_string(t, outputs[n], "compatible", outputs[n] + 1);
        CELLS(t, outputs[n], "gpios", t->sgpio, n, 0);
        secure_only(t, outputs[n]);
    }
}

static void virtio(struct tree *t)
{
    const struct device_row *row = row_named("virtio");
    for (unsigned n = row->count; n-- > 0;) {
        char path[64];
        u64 base = row->base + n * row->size;
        snprintf(path, sizeof(path), "/virtio_mmio@%llx", (unsigned long long)base);
        node_add(t, path);
        prop_string(t, path, "compatible", row->compatible);
        CELLS(t, path, "reg", CELLS64(base), CELLS64(row->size));
        CELLS(t, path, "interrupts", GIC_SPI, row->irq + n, EDGE);
        prop_flag(t, path, "dma-coherent");
    }
}

static void platform_bus(struct tree *t)
{
    const char *path = "/platform-bus@c000000";
    node_add(t, path);
    prop(t, path, "compatible", "qemu,platform\0simple-bus", 25);
    CELLS(t, path, "#size-cells", 1);
    CELLS(t, path, "#address-cells", 1);
    CELLS(t, path, "ranges", 0, CELLS64(0xc000000), 0x2000000);
    CELLS(t, path, "interrupt-parent", t->gic);
}

static void memory(struct tree *t)
{
    node_add(t, "/memory@40000000");
    prop_string(t, "/memory@40000000", "device_type", "memory");
    u64 reg[] = { t->m->d.phys.region[0].base, t->m->ram_size };
    prop_numbers(t, "/memory@40000000", "reg", reg, 2);
}

static void psci(struct tree *t)
{
    if (t->m->conduit == CONDUIT_NONE)
        return;
    node_add(t, "/psci");
    prop(t, "/psci", "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", 35);
    prop_string(t, "/psci", "method", t->m->conduit == CONDUIT_HVC ? "hvc" : "smc");
    CELLS(t, "/psci", "cpu_suspend", 0xc4000001);
    CELLS(t, "/psci", "cpu_off", 0x84000002);
    CELLS(t, "/psci", "cpu_on", 0xc4000003);
    CELLS(t, "/psci", "migrate", 0xc4000005);
}

static void board(struct tree *t)
{
    t->gic = PHANDLE_CLOCK + t->m->cpu_count + 1;
    t->gpio = t->gic + 2; /* the number between them is the ITS's */
    t->sgpio = t->gic + 3;
    prop_string(t, "/", "compatible", "linux,dummy-virt");
    CELLS(t, "/", "#address-cells", 2);
    CELLS(t, "/", "#size-cells", 2);
    prop_string(t, "/", "model", "linux,dummy-virt");
    chosen(t);
    timer(t);
    cpus(t);
    gic(t);
    uart(t, "uart0");
    if (t->m->secure) {
        secram(t);
        uart(t, "uart1");
    }
    rtc(t);
    gpio(t);
    virtio(t);
    platform_bus(t);
    memory(t);
    psci(t);
}

/* ---- what a boot adds ---- */

static void module_node(struct tree *t, const char *parent, const struct fdt_module *mod)
{
    char path[128], compatible[64];
    snprintf(path, sizeof(path), "%s/module@%llx", parent, (unsigned long long)mod->pa);
    node_add(t, path);
    int n = snprintf(compatible, sizeof(compatible), "multiboot,%s", mod->kind) + 1;
    n += snprintf(compatible + n, sizeof(compatible) - (size_t)n, "multiboot,module") + 1;
    prop(t, path, "compatible", compatible, (unsigned)n);
    CELLS(t, path, "reg", CELLS64(mod->pa), CELLS64(mod->size));
    if (mod->append)
        prop_string(t, path, "bootargs", mod->append);
}

/* Xen's boot protocol: docs/misc/arm/device-tree/booting.txt of Xen. xen,xen-bootargs is Xen's own line in every case.
 */
static void domains(struct tree *t, const struct fdt_boot *boot)
{
    const struct boot_config *c = boot->config;
    if (!c || !c->domain_count)
        return;
    CELLS(t, "/chosen", "#address-cells", 2);
    CELLS(t, "/chosen", "#size-cells", 2);
    prop_string(t, "/chosen", "xen,xen-bootargs", boot->append ? boot->append : "");
    for (unsigned n = c->domain_count; n-- > 0;) {
        char path[64] = "/chosen";
        if (!c->domain[n].dom0) {
            snprintf(path, sizeof(path), "/chosen/domU%u", n + 1);
            node_add(t, path);
            prop_string(t, path, "compatible", "xen,domain");
            CELLS(t, path, "#address-cells", 2);
            CELLS(t, path, "#size-cells", 2);
            CELLS(t, path, "memory", CELLS64(c->domain[n].mem << 10));
            CELLS(t, path, "cpus", c->domain[n].vcpus);
            prop_flag(t, path, "vpl011");
        }
        for (unsigned k = boot->module_count; k-- > 0;)
            if (boot->module[k].domain == n)
                module_node(t, path, &boot->module[k]);
    }
}

static void boot_props(struct tree *t, const struct fdt_boot *boot)
{
    if (fdt_path_offset(t->fdt, "/chosen") < 0)
        node_add(t, "/chosen");
    if (boot->append)
        prop_string(t, "/chosen", "bootargs", boot->append);
    if (boot->initrd_size) {
        u64 end = boot->initrd + boot->initrd_size;
        prop_numbers(t, "/chosen", "linux,initrd-start", &boot->initrd, 1);
        prop_numbers(t, "/chosen", "linux,initrd-end", &end, 1);
    }
    domains(t, boot);
}

/* A tree given by the user: its memory becomes the machine's, PSCI is added when there is none. */
static void given_tree(struct tree *t)
{
    int at;
    while ((at = fdt_subnode_offset_namelen(t->fdt, 0, "memory", 6)) >= 0 && !t->error)
        note(t, fdt_del_node(t->fdt, at)); /* memory, memory@... */
    memory(t);
    if (fdt_path_offset(t->fdt, "/psci") < 0)
        psci(t);
}

u64 fdt_make(struct machine *m, const struct fdt_boot *boot, const struct blob *base, u8 *out, char error[BOOT_ERROR])
{
    struct tree t = { .m = m, .fdt = out, .plain = boot->config && boot->config->plain_dtb };
    if (base) {
        if (base->size < sizeof(struct fdt_header) || fdt_check_full(base->data, base->size)) {
            snprintf(error, BOOT_ERROR, "%s: not a device tree (or a damaged one)", base->name);
            return 0;
        }
        note(&t, fdt_open_into(base->data, out, FDT_SIZE));
        given_tree(&t);
    } else {
        note(&t, fdt_create_empty_tree(out, FDT_SIZE));
        board(&t);
    }
    boot_props(&t, boot);
    note(&t, fdt_pack(out));
    if (!t.error)
        return fdt_totalsize(out);
    snprintf(error, BOOT_ERROR, "device tree: %s", fdt_strerror(t.error));
    return 0;
}
