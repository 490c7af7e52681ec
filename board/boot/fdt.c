/*
 * The device tree (Devicetree Specification 0.4; bindings of Linux), node for node and in the order of QEMU 7.2's virt,
 * so that guests find the same machine: what the machine has but for devices, whose nodes are their kinds', and what a
 * boot adds.
 */
#include "board/boot/boot.h"
#include "board/boot/tree.h"
#include "cpu/affinity.h"

#include <libfdt.h>
#include <stdio.h>

enum { PHANDLE_CLOCK = 0x8000 }; /* CPU n: 0x8000 + cpus - n; then GIC, (ITS,) GPIO, secure GPIO */

/* Addresses and sizes, by turns, in as many cells as the root says. A number that does not fit is an error. */
static void tree_numbers(struct tree *t, const char *path, const char *name, const u64 *values, unsigned count)
{
    int width[] = { fdt_address_cells(t->fdt, 0), fdt_size_cells(t->fdt, 0) };
    u32 cells[4];
    unsigned used = 0;
    for (unsigned n = 0; n < count && n < 2; n++) {
        int wide = width[n];
        tree_note(t, wide < 1 || wide > 2 || (wide == 1 && values[n] >> 32) ? -FDT_ERR_BADNCELLS : 0);
        if (wide == 2)
            cells[used++] = (u32)(values[n] >> 32);
        cells[used++] = (u32)values[n];
    }
    tree_cells(t, path, name, cells, used);
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
    tree_cells(t, path, "kaslr-seed", r, 2);
    tree_cells(t, path, "rng-seed", r + 2, 8);
}

static void chosen(struct tree *t)
{
    tree_node(t, "/chosen");
    seeds(t, "/chosen");
    if (t->m->options.secure) {
        tree_node(t, "/secure-chosen");
        seeds(t, "/secure-chosen");
    }
    tree_node(t, "/apb-pclk");
    tree_string(t, "/apb-pclk", "compatible", "fixed-clock");
    TREE_CELLS(t, "/apb-pclk", "#clock-cells", 0);
    TREE_CELLS(t, "/apb-pclk", "clock-frequency", 24000000);
    tree_string(t, "/apb-pclk", "clock-output-names", "clk24mhz");
    TREE_CELLS(t, "/apb-pclk", "phandle", PHANDLE_CLOCK);
}

static void timer(struct tree *t)
{
    tree_node(t, "/timer");
    tree_prop(t, "/timer", "compatible", "arm,armv8-timer\0arm,armv7-timer", 32);
    tree_flag(t, "/timer", "always-on");
    /* Secure and Non-secure EL1, virtual, EL2, and with FEAT_VHE EL2's virtual one */
    static const u32 ppi[] = { 13, 14, 11, 10, 12 };
    u32 cells[3 * ARRAY_LEN(ppi)];
    unsigned count = t->m->options.virtualization && feature_has(&t->m->model.features, FEAT_VHE) ? 5 : 4;
    for (unsigned n = 0; n < count; n++)
        memcpy(&cells[3 * n], (const u32[]){ TREE_PPI, ppi[n], t->ppi }, 12);
    tree_cells(t, "/timer", "interrupts", cells, 3 * count);
}

/* A node of the CPU map, below the node at path: which becomes its own. */
static void map_node(struct tree *t, char *path, size_t size, const char *name, u32 number)
{
    size_t used = strlen(path);
    snprintf(path + used, size - used, "/%s%u", name, number);
    if (!t->error && fdt_path_offset(t->fdt, path) < 0)
        tree_node(t, path);
}

/* As -smp says: what MPIDR_EL1 says of clusters is another thing (cpu/affinity.h), on QEMU, too. */
static void cpu_map(struct tree *t)
{
    const struct machine_options *o = &t->m->options;
    u32 threads = o->threads ? o->threads : 1, cores = o->cores ? o->cores : o->cpu_count;
    u32 clusters = o->clusters ? o->clusters : 1;
    tree_node(t, "/cpus/cpu-map");
    for (u32 n = o->cpu_count; n-- > 0;) {
        char path[96] = "/cpus/cpu-map";
        map_node(t, path, sizeof(path), "socket", n / threads / cores / clusters);
        map_node(t, path, sizeof(path), "cluster", n / threads / cores % clusters);
        map_node(t, path, sizeof(path), "core", n / threads % cores);
        if (threads > 1)
            map_node(t, path, sizeof(path), "thread", n % threads);
        TREE_CELLS(t, path, "cpu", PHANDLE_CLOCK + o->cpu_count - n);
    }
}

static void cpus(struct tree *t)
{
    u32 count = t->m->options.cpu_count;
    char path[64];
    tree_node(t, "/cpus");
    TREE_CELLS(t, "/cpus", "#address-cells", 1);
    TREE_CELLS(t, "/cpus", "#size-cells", 0);
    for (u32 n = count; n-- > 0;) {
        snprintf(path, sizeof(path), "/cpus/cpu@%u", n); /* not its reg, as QEMU names it */
        tree_node(t, path);
        tree_string(t, path, "device_type", "cpu");
        tree_string(t, path, "compatible", model_compatible(t->m->model.number));
        if (count > 1)
            tree_string(t, path, "enable-method", "psci");
        TREE_CELLS(t, path, "reg", affinity_of(n));
        TREE_CELLS(t, path, "phandle", PHANDLE_CLOCK + count - n);
    }
    cpu_map(t);
}

/* No registers on the bus: a row of virt.def, since its node stands among theirs. */
static void pmu(struct tree *t, struct place at)
{
    (void)at;
    if (!feature_has(&t->m->model.features, FEAT_PMU))
        return;
    tree_node(t, "/pmu");
    tree_string(t, "/pmu", "compatible", "arm,armv8-pmuv3");
    TREE_CELLS(t, "/pmu", "interrupts", TREE_PPI, GIC_PPI_PMU - 16, t->ppi);
}
const struct kind kind_pmu = {
    .name = "pmu",
    .compatible = "arm,armv8-pmuv3\0",
    .node = pmu,
};

static void memory_node(struct tree *t, const char *name, struct place at, u64 size)
{
    char path[64];
    tree_device(t, path, name, at);
    tree_string(t, path, "device_type", "memory");
    u64 reg[] = { place_base(t->m, at), size };
    tree_numbers(t, path, "reg", reg, 2);
    tree_secure(t, path, at);
}

static void memory(struct tree *t) { memory_node(t, "memory", (struct place){ ROW_ram, 0 }, t->m->options.ram_size); }

/* The rows of virt.def, in their order. */
static void rows(struct tree *t)
{
    const struct row *row;
    for (unsigned n = 0; (row = row_get(n)); n++) {
        struct place at = { .row = (u16)n };
        if (!row_there(t->m, row))
            continue;
        if (!row->kind && row->size)
            memory_node(t, row->name, at, row->size);
        else if (!row->kind)
            memory(t);
        else if (row->kind->node)
            for (at.n = (u16)row_count(t->m, n); at.n-- > 0;)
                row->kind->node(t, at);
    }
}

static void psci(struct tree *t)
{
    if (t->m->conduit == CONDUIT_NONE)
        return;
    tree_node(t, "/psci");
    tree_prop(t, "/psci", "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", 35);
    tree_string(t, "/psci", "method", t->m->conduit == CONDUIT_HVC ? "hvc" : "smc");
    TREE_CELLS(t, "/psci", "cpu_suspend", 0xc4000001);
    TREE_CELLS(t, "/psci", "cpu_off", 0x84000002);
    TREE_CELLS(t, "/psci", "cpu_on", 0xc4000003);
    TREE_CELLS(t, "/psci", "migrate", 0xc4000005);
}

static void board(struct tree *t)
{
    t->gic = PHANDLE_CLOCK + t->m->options.cpu_count + 1;
    t->gpio = t->gic + 2; /* the number between them is the ITS's or the GICv2m frame's */
    if (t->m->options.iommu == IOMMU_SMMUV3)
        t->smmu = t->gpio++;
    t->clock = PHANDLE_CLOCK;
    t->msi = t->m->d.parts & (ITS | GICV2) ? t->gic + 1 : 0; /* the ITS, or GICv2's frame for messages */
    t->ppi = TREE_LEVEL | (t->m->options.gic_version == 2 ? (u32)ones(t->m->options.cpu_count) << 8 : 0);
    tree_string(t, "/", "compatible", "linux,dummy-virt");
    TREE_CELLS(t, "/", "#address-cells", 2);
    TREE_CELLS(t, "/", "#size-cells", 2);
    tree_string(t, "/", "model", "linux,dummy-virt");
    chosen(t);
    timer(t);
    cpus(t);
    rows(t);
    psci(t);
}

/* ---- what a boot adds ---- */

static void module_node(struct tree *t, const char *parent, const struct fdt_module *mod)
{
    char path[128], compatible[64];
    snprintf(path, sizeof(path), "%s/module@%llx", parent, (unsigned long long)mod->pa);
    tree_node(t, path);
    int n = snprintf(compatible, sizeof(compatible), "multiboot,%s", mod->kind) + 1;
    n += snprintf(compatible + n, sizeof(compatible) - (size_t)n, "multiboot,module") + 1;
    tree_prop(t, path, "compatible", compatible, (unsigned)n);
    TREE_CELLS(t, path, "reg", TREE_CELLS64(mod->pa), TREE_CELLS64(mod->size));
    if (mod->append)
        tree_string(t, path, "bootargs", mod->append);
}

/* Xen's boot protocol (docs/misc/arm/device-tree/booting.txt in Xen's sources). xen,xen-bootargs is Xen's own line in
 * every case. */
static void domains(struct tree *t, const struct fdt_boot *boot)
{
    const struct boot_config *c = boot->config;
    if (!c || !c->domain_count)
        return;
    TREE_CELLS(t, "/chosen", "#address-cells", 2);
    TREE_CELLS(t, "/chosen", "#size-cells", 2);
    tree_string(t, "/chosen", "xen,xen-bootargs", boot->append ? boot->append : "");
    for (unsigned n = c->domain_count; n-- > 0;) {
        char path[64] = "/chosen";
        if (!c->domain[n].dom0) {
            snprintf(path, sizeof(path), "/chosen/domU%u", n + 1);
            tree_node(t, path);
            tree_string(t, path, "compatible", "xen,domain");
            TREE_CELLS(t, path, "#address-cells", 2);
            TREE_CELLS(t, path, "#size-cells", 2);
            TREE_CELLS(t, path, "memory", TREE_CELLS64(c->domain[n].mem << 10));
            TREE_CELLS(t, path, "cpus", c->domain[n].vcpus);
            tree_flag(t, path, "vpl011");
        }
        for (unsigned k = boot->module_count; k-- > 0;)
            if (boot->module[k].domain == n)
                module_node(t, path, &boot->module[k]);
    }
}

/* What -device guest-loader put into memory, in QEMU's form: loaders read the address out of the node's name. */
static void guests(struct tree *t, const struct boot_config *c)
{
    for (unsigned n = 0; c && n < c->loader_count; n++) {
        const struct boot_loader *l = &c->loader[n];
        if (!l->guest)
            continue;
        char path[64], compatible[64];
        snprintf(path, sizeof(path), "/chosen/module@0x%08llx", (unsigned long long)l->addr);
        tree_node(t, path);
        int size = snprintf(compatible, sizeof(compatible), "multiboot,module%cmultiboot,%s", 0, l->guest) + 1;
        tree_prop(t, path, "compatible", compatible, (unsigned)size);
        TREE_CELLS(t, path, "reg", TREE_CELLS64(l->addr), TREE_CELLS64(l->file.size));
        if (l->append)
            tree_string(t, path, "bootargs", l->append);
    }
}

static void boot_props(struct tree *t, const struct fdt_boot *boot)
{
    if (fdt_path_offset(t->fdt, "/chosen") < 0)
        tree_node(t, "/chosen");
    if (boot->append)
        tree_string(t, "/chosen", "bootargs", boot->append);
    if (boot->initrd_size) {
        u64 end = boot->initrd + boot->initrd_size;
        tree_numbers(t, "/chosen", "linux,initrd-start", &boot->initrd, 1);
        tree_numbers(t, "/chosen", "linux,initrd-end", &end, 1);
    }
    domains(t, boot);
    guests(t, boot->config);
}

/* A tree given by the user: its memory becomes the machine's, and PSCI too, where the machine has it: a tree that was
 * made with another EL2 or EL3 names the other conduit. */
static void given_tree(struct tree *t)
{
    int at;
    while ((at = fdt_subnode_offset_namelen(t->fdt, 0, "memory", 6)) >= 0 && !t->error)
        tree_note(t, fdt_del_node(t->fdt, at)); /* memory, memory@... */
    memory(t);
    if (t->m->conduit != CONDUIT_NONE && (at = fdt_path_offset(t->fdt, "/psci")) >= 0)
        tree_note(t, fdt_del_node(t->fdt, at));
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
        tree_note(&t, fdt_open_into(base->data, out, FDT_SIZE));
        given_tree(&t);
    } else {
        tree_note(&t, fdt_create_empty_tree(out, FDT_SIZE));
        board(&t);
    }
    boot_props(&t, boot);
    tree_note(&t, fdt_pack(out));
    if (!t.error)
        return fdt_totalsize(out);
    snprintf(error, BOOT_ERROR, "device tree: %s", fdt_strerror(t.error));
    return 0;
}
