/* -restore: what machine it is comes from the file; options that were given must not contradict it. */
#include "frontend/frontend.h"

#include "debug/snapshot.h"

#include <stdlib.h>

static _Noreturn void contradicts(const struct options *o, const char *option, const char *given, const char *file)
{
    die("-restore %s: made with %s %s, but %s %s was given", o->restore, option, file, option, given);
}

static const char *size_text(u64 bytes, char text[32])
{
    snprintf(text, 32, "%lluM", (unsigned long long)(bytes >> 20));
    return text;
}

static void number_take(const struct options *o, unsigned *value, u64 file, u32 given, const char *option)
{
    char a[32], b[32];
    snprintf(a, sizeof(a), "%u", *value);
    snprintf(b, sizeof(b), "%llu", (unsigned long long)file);
    if (o->given & given && *value != file)
        contradicts(o, option, a, b);
    *value = (unsigned)file;
}

static void flag_take(const struct options *o, u8 *value, u32 file, u32 given, const char *option, const char *on,
                      const char *off)
{
    if (o->given & given && *value != !!file)
        contradicts(o, option, *value ? on : off, file ? on : off);
    *value = !!file;
}

static void cpu_take(struct options *o, const struct machine *s)
{
    char text[sizeof(o->cpu)], given[sizeof(o->cpu)], error[256];
    struct cpu_model model;
    model_describe(&s->model, text, sizeof(text));
    if (o->given & GIVEN_CPU) {
        if (!model_parse(o->cpu, s->options.virtualization, s->options.secure, &model, error))
            die("%s", error);
        if (s->options.gic_version == 2)
            model_without_gicv3(&model);
        model_describe(&model, given, sizeof(given));
        if (memcmp(&model, &s->model, sizeof(model)))
            contradicts(o, "-cpu", given, text);
    }
    snprintf(o->cpu, sizeof(o->cpu), "%s", text);
}

static void device_take(struct options *o, const struct machine *s, struct device_config d, u32 unit)
{
    if ((d.kind == VIRTIO_NONE && !d.plug.function) || d.kind >= VIRTIO_KINDS || d.plug.function >= PCI_FUNCTIONS ||
        o->device_count == ARRAY_LEN(o->device))
        return;
    if (virtio_back_end(d.kind) == BACK_END_DISK)
        die("-restore %s: made with a disk: -drive is needed", o->restore);
    if (virtio_back_end(d.kind) == BACK_END_SHARE)
        die("-restore %s: made with a share: -virtfs, or -fsdev and -device, is needed", o->restore);
    if (virtio_back_end(d.kind) == BACK_END_NET && unit < MAX_NETS) { /* nobody is at the other end of its wire */
        d.net = s->options.net[unit];
        d.has_mac = true;
    }
    if (virtio_back_end(d.kind) == BACK_END_INPUT && unit < MAX_INPUTS)
        snprintf(d.input_serial, sizeof(d.input_serial), "%.62s", (const char *)s->options.input[unit].serial);
    if (d.kind == VIRTIO_VSOCK)
        vsock_end_add(o, &d);
    if (virtio_back_end(d.kind) == BACK_END_SCREEN && unit < MAX_GPUS)
        d.gpu = s->options.gpu[unit];
    d.balloon = s->options.balloon & (u8)~BALLOON_THERE;
    d.made_by = BY_DEVICE;
    o->device[o->device_count++] = d;
}

/* Its devices, when none is named: those that need no file. Numbers of consoles and networks count up as they did. */
static void devices_take(struct options *o, const struct machine *s)
{
    if (o->device_count || o->drive_count)
        return;
    o->machine.ramfb = s->options.ramfb ? 1 : 0;
    for (u32 unit = 0; unit < MAX_DISKS; unit++)
        for (unsigned n = 0; n < ARRAY_LEN(s->options.plug); n++)
            if (s->options.plug[n].unit == unit)
                device_take(o, s,
                            (struct device_config){ .kind = (enum virtio_kind)s->options.plug[n].kind,
                                                    .slot = (int)n,
                                                    .plug.boot = (u8)s->options.plug[n].boot },
                            unit);
    for (unsigned n = 1; n < PCI_PLUGS && s->options.pci[n].function; n++)
        device_take(
            o, s,
            (struct device_config){ .kind = (enum virtio_kind)s->options.pci[n].device, .plug = s->options.pci[n] },
            s->options.pci[n].unit);
}

void restore_options(struct options *o)
{
    struct machine *s = calloc(1, sizeof(*s));
    char error[256], a[32], b[32];
    if (!s)
        die("out of memory");
    if (!snapshot_peek(o->restore, s, error))
        die("-restore: %s", error);
    if (o->given & GIVEN_MEMORY && o->machine.ram_size != s->options.ram_size)
        contradicts(o, "-m", size_text(o->machine.ram_size, a), size_text(s->options.ram_size, b));
    o->machine.ram_size = s->options.ram_size;
    o->machine.store_size = s->options.store_size;
    o->machine.firmware = s->options.firmware;
    number_take(o, &o->machine.cpu_count, s->options.cpu_count, GIVEN_SMP, "-smp");
    o->machine.clusters = s->options.clusters;
    o->machine.cores = s->options.cores;
    o->machine.threads = s->options.threads;
    flag_take(o, &o->machine.virtualization, s->options.virtualization, GIVEN_VIRTUALIZATION, "-M", "virtualization=on",
              "virtualization=off");
    flag_take(o, &o->machine.secure, s->options.secure, GIVEN_SECURE, "-M", "secure=on", "secure=off");
    gic_complete(o);
    unsigned gic = o->machine.gic_version;
    number_take(o, &gic, s->options.gic_version, GIVEN_GIC, "-M gic-version");
    o->machine.gic_version = (u8)gic;
    o->gic_max = false;
    flag_take(o, &o->machine.iommu, s->options.iommu, GIVEN_IOMMU, "-M", "iommu=smmuv3", "iommu=none");
    static const char *const stages[] = { "arm-smmuv3.stage=nested", "arm-smmuv3.stage=1", "arm-smmuv3.stage=2" };
    u8 stage = s->options.smmu_stage % ARRAY_LEN(stages);
    if (o->given & GIVEN_STAGE && o->machine.smmu_stage != stage)
        contradicts(o, "-global", stages[o->machine.smmu_stage], stages[stage]);
    o->machine.smmu_stage = stage;
    flag_take(o, &o->machine.lowmem, s->options.lowmem, GIVEN_HIGHMEM, "-M", "highmem=off", "highmem=on");
    flag_take(o, &o->machine.acpi, s->options.acpi, GIVEN_ACPI, "-M", "acpi=on", "acpi=off");
    unsigned high = o->machine.high_off;
    number_take(o, &high, s->options.high_off, GIVEN_HIGH, "-M highmem-redists=, -ecam=, -mmio=, off as a set");
    o->machine.high_off = (u8)high;
    unsigned slots = VIRTIO_SLOTS - (unsigned)o->machine.virtio_absent;
    number_take(o, &slots,
                s->options.virtio_absent < VIRTIO_SLOTS ? VIRTIO_SLOTS - (unsigned)s->options.virtio_absent : 0,
                GIVEN_SLOTS, "-M virtio-mmio-transports");
    o->machine.virtio_absent = (u8)(VIRTIO_SLOTS - slots);
    flag_take(o, &o->machine.compact, s->options.compact, GIVEN_COMPACT, "-M", "compact-highmem=on",
              "compact-highmem=off");
    o->machine.ram_more = s->options.ram_more;
    flag_take(o, &o->machine.its, s->options.its, GIVEN_ITS, "-M", "its=on", "its=off");
    u8 semihosting = o->machine.semihosting != SEMIHOSTING_OFF;
    flag_take(o, &semihosting, s->options.semihosting != SEMIHOSTING_OFF, GIVEN_SEMIHOSTING, "-semihosting-config",
              "enable=on", "enable=off");
    o->machine.semihosting = (enum semihosting)s->options.semihosting;
    if (o->semihost_chardev[0] && !s->options.semihost_own)
        die("--restore: the machine was made with semihosting on the first serial port, but -semihosting-config chardev= was "
            "given");
    o->machine.semihost_own = s->options.semihost_own;
    flag_take(o, &o->machine.reset_loud, s->options.reset_loud, GIVEN_RESET, "-reset", "loud", "zero");
    cpu_take(o, s);
    if (!o->device_count)
        o->machine.virtio_modern = s->options.virtio_modern;
    o->machine.fw_cfg_no_dma |= s->options.fw_cfg_no_dma;
    devices_take(o, s);
    free(s);
}
