/* The options of devices: -device, -global. */
#include "frontend/property.h"

#include "board/dev/gpu.h"
#include "lib/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct device_config *device_add(struct options *o, enum virtio_kind kind)
{
    if (o->device_count == ARRAY_LEN(o->device))
        die("-device: more than %zu devices", ARRAY_LEN(o->device));
    struct device_config *d = &o->device[o->device_count++];
    *d = (struct device_config){ .kind = kind,
                                 .slot = -1,
                                 .made_by = BY_DEVICE,
                                 .balloon = BALLOON_POISON,
                                 .gpu = { GPU_MEMORY, 1280, 800, 1, 0, { 0 } } };
    return d;
}

static struct device_config *pci_add(struct options *o, enum pci_function_number function, enum virtio_kind kind)
{
    struct device_config *d = device_add(o, kind);
    d->plug = (struct pci_plug){ .function = (u8)function, .device = (u8)kind, .flags = PCI_ANYWHERE };
    return d;
}

/* The disk of a -drive that is to be plugged in by itself. */
void device_of_drive(struct options *o, const struct drive_config *d)
{
    struct device_config *device = pci_add(o, FUNCTION_virtio_pci, VIRTIO_BLK);
    memcpy(device->drive, d->id, sizeof(d->id));
    memcpy(device->serial, d->serial, sizeof(d->serial));
    device->made_by = BY_DRIVE;
}

/* The folder of a -virtfs. */
void device_of_share(struct options *o, const char *fsdev, const char *tag)
{
    struct device_config *device = pci_add(o, FUNCTION_virtio_pci, VIRTIO_9P);
    snprintf(device->fsdev, sizeof(device->fsdev), "%s", fsdev);
    snprintf(device->mount_tag, sizeof(device->mount_tag), "%s", tag);
}

/* ---- -device ---- */

static const struct property loader_rows[] = {
    PROPERTY("file", PROPERTY_COPY, struct loader_option, file),
    PROPERTY_GIVEN("addr", struct loader_option, addr, has_addr),
    PROPERTY_GIVEN("data", struct loader_option, data, has_data),
    PROPERTY("data-len", PROPERTY_NUMBER, struct loader_option, data_len),
    PROPERTY("cpu-num", PROPERTY_NUMBER, struct loader_option, cpu),
    PROPERTY("force-raw", PROPERTY_ON, struct loader_option, force_raw),
};

static struct loader_option *loader_add(struct options *o, const char *option)
{
    if (o->loader_count == MAX_LOADERS)
        die("%s: more than %d", option, MAX_LOADERS);
    struct loader_option *l = &o->loader[o->loader_count++];
    *l = (struct loader_option){ .cpu = -1 };
    return l;
}

static void device_loader(struct options *o, const char *option, const char *arg)
{
    struct loader_option *l = loader_add(o, option);
    properties_read(loader_rows, ARRAY_LEN(loader_rows), option, arg, NULL, l);
    if (l->has_data && (l->data_len < 1 || l->data_len > 8))
        die("%s: data needs data-len=1 to 8", option);
    if (l->has_data == !!l->file && (l->has_data || l->cpu < 0))
        die("%s: give file= or data= (and addr=), or addr= and cpu-num=", option);
    if (!l->file && !l->has_addr)
        die("%s: addr= is missing", option);
}

struct guest_option {
    char *kernel, *initrd, *bootargs;
    u64 addr;
    bool has_addr;
};
static const struct property guest_rows[] = {
    PROPERTY_GIVEN("addr", struct guest_option, addr, has_addr),
    PROPERTY("kernel", PROPERTY_COPY, struct guest_option, kernel),
    PROPERTY("initrd", PROPERTY_COPY, struct guest_option, initrd),
    PROPERTY("bootargs", PROPERTY_COPY, struct guest_option, bootargs),
};

/* What a hypervisor finds in /chosen and starts as its guest. */
static void device_guest(struct options *o, const char *option, const char *arg)
{
    struct loader_option *l = loader_add(o, option);
    struct guest_option g = { 0 };
    properties_read(guest_rows, ARRAY_LEN(guest_rows), option, arg, NULL, &g);
    if (!g.has_addr)
        die("%s: Need to specify the address of guest blob (addr=)", option);
    if (!g.kernel == !g.initrd)
        die(g.kernel ? "%s: Cannot specify a kernel and initrd in same stanza (give two)"
                     : "%s: Need to specify a kernel or initrd image",
            option);
    if (g.initrd && g.bootargs)
        die("%s: Boot args only relevant to kernel blobs", option);
    l->file = g.kernel ? g.kernel : g.initrd;
    l->guest = g.kernel ? "kernel" : "ramdisk";
    l->append = g.bootargs;
    l->addr = g.addr;
    l->has_addr = l->force_raw = true;
}

static void virtio_bus(void *target, const char *option, const struct suboption *s)
{
    const char *prefix = "virtio-mmio-bus.";
    u64 slot = 32;
    if (!strncmp(s->value, prefix, strlen(prefix)))
        slot = suboption_number(option, s->value + strlen(prefix), 1);
    if (slot > 31)
        die("%s: bus=%s: only virtio-mmio-bus.0 to virtio-mmio-bus.31", option, s->value);
    ((struct device_config *)target)->slot = (int)slot;
}

/* As far as the device has room for it. */
static void blk_serial(void *target, const char *option, const struct suboption *s)
{
    struct device_config *d = target;
    (void)option;
    snprintf(d->serial, sizeof(d->serial), "%.20s", s->value);
}

/* Features of virtio-blk by their properties, with their bits (Virtual I/O Device specification 1.2, 5.2.3). */
static void blk_feature(void *target, const char *option, const struct suboption *s)
{
    static const struct {
        const char *name;
        u8 bit;
    } rows[] = { { "config-wce", 11 }, { "discard", 13 }, { "write-zeroes", 14 } };
    struct disk_option *disk = &((struct device_config *)target)->disk;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (option_name_is(rows[n].name, s->key))
            disk->without =
                (disk->without & ~(u32)BIT(rows[n].bit)) | (suboption_bool(option, s) ? 0 : (u32)BIT(rows[n].bit));
}

static void blk_cache(void *target, const char *option, const struct suboption *s)
{
    ((struct device_config *)target)->disk.through = strcmp(s->value, "auto") && !suboption_bool(option, s);
}

static void blk_block(void *target, const char *option, const struct suboption *s)
{
    struct disk_option *disk = &((struct device_config *)target)->disk;
    u64 size = suboption_number(option, s->value, 1);
    if (size < 512 || size > 32768 || !is_pow2(size))
        die("%s: %s=%s: expected a power of 2 from 512 to 32768", option, s->key, s->value);
    *(s->key[0] == 'l' ? &disk->block : &disk->physical) = (u16)size;
}

/* Device and function, base 16 as QEMU reads them: 1e, 2.1. */
static void pci_address(void *target, const char *option, const struct suboption *s)
{
    unsigned device = 0, function = 0;
    int end = 0;
    struct device_config *d = target;
    if (sscanf(s->value, "%x%n.%x%n", &device, &end, &function, &end) < 1 || s->value[end] || device > 31 ||
        function > 7)
        die("%s: addr=%s: expected DEVICE or DEVICE.FUNCTION, 0 to 1f and 0 to 7", option, s->value);
    d->plug.devfn = (u8)(device << 3 | function);
    d->plug.flags &= (u8)~PCI_ANYWHERE;
}

/* Less is earlier; what is negative is no turn. */
static void boot_index(void *target, const char *option, const struct suboption *s)
{
    struct device_config *d = target;
    char *end;
    errno = 0;
    long index = strtol(s->value, &end, 0);
    if (!s->value[0] || *end || errno || index < INT32_MIN || index > INT32_MAX)
        die("%s: bootindex=%s: expected a number", option, s->value);
    d->boots = index >= 0;
    d->boot_index = (s32)index;
}

static void flag_set(struct device_config *d, u8 flag, bool on)
{
    d->plug.flags = (u8)(on ? d->plug.flags | flag : d->plug.flags & ~flag);
}
static void pci_multifunction(void *target, const char *option, const struct suboption *s)
{
    flag_set(target, PCI_MULTIFUNCTION, suboption_bool(option, s));
}
static void pci_legacy(void *target, const char *option, const struct suboption *s)
{
    flag_set(target, PCI_LEGACY_SAID, strcmp(s->value, "auto"));
    if (strcmp(s->value, "auto"))
        flag_set(target, PCI_NO_LEGACY, suboption_bool(option, s));
}
static void pci_modern(void *target, const char *option, const struct suboption *s)
{
    flag_set(target, PCI_NO_MODERN, suboption_bool(option, s));
}
static void pci_shpc(void *target, const char *option, const struct suboption *s)
{
    flag_set(target, PCI_NO_SHPC, !suboption_bool(option, s));
}
static void pci_iommu(void *target, const char *option, const struct suboption *s)
{
    flag_set(target, PCI_BEHIND_IOMMU, suboption_bool(option, s));
}

static void net_mac(void *target, const char *option, const struct suboption *s)
{
    struct device_config *d = target;
    mac_read(d->net.mac, option, s->value);
    d->has_mac = true;
}

/* Features of virtio-net by their properties, with their bits (Virtual I/O Device specification 1.2, 5.1.3). */
static void net_feature(void *target, const char *option, const struct suboption *s)
{
    static const struct {
        const char *name;
        u8 bit;
    } rows[] = { { "csum", 0 },      { "guest_csum", 1 }, { "host_tso4", 11 }, { "host_tso6", 12 },
                 { "host_ecn", 13 }, { "mrg_rxbuf", 15 }, { "status", 16 } };
    struct device_config *d = target;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (option_name_is(rows[n].name, s->key)) {
            d->net.without &= ~BIT(rows[n].bit);
            d->net.without |= suboption_bool(option, s) ? 0 : BIT(rows[n].bit);
        }
}

/* Features of virtio-balloon by their properties, with their bits (Virtual I/O Device specification 1.2, 5.5.3). */
static void balloon_feature(void *target, const char *option, const struct suboption *s)
{
    static const struct {
        const char *name;
        u8 bit;
    } rows[] = { { "deflate-on-oom", 2 }, { "page-poison", 4 }, { "free-page-reporting", 5 } };
    struct device_config *d = target;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (option_name_is(rows[n].name, s->key))
            d->balloon = (u8)bits_set(d->balloon, rows[n].bit, rows[n].bit, suboption_bool(option, s));
}

static void gpu_size(void *target, const char *option, const struct suboption *s)
{
    struct device_config *d = target;
    u64 size = suboption_number(option, s->value, 1);
    if (size < 16 || size > SCREEN_MAX)
        die("%s: %s=%s: expected 16 to %d", option, s->key, s->value, SCREEN_MAX);
    *(s->key[0] == 'x' ? &d->gpu.xres : &d->gpu.yres) = (u32)size;
}

static void gpu_outputs(void *target, const char *option, const struct suboption *s)
{
    u64 outputs = suboption_number(option, s->value, 1);
    if (outputs < 1 || outputs > MAX_SCREENS)
        die("%s: %s=%s: expected 1 to %d", option, s->key, s->value, MAX_SCREENS);
    ((struct device_config *)target)->gpu.outputs = (u8)outputs;
}

/* The device has one queue of requests, and its driver is told so. */
static void virtio_queues(void *target, const char *option, const struct suboption *s)
{
    (void)target;
    u64 queues = suboption_number(option, s->value, 1);
    if (queues < 1 || queues > 1024)
        die("%s: %s=%s: expected 1 to 1024", option, s->key, s->value);
}

/* Of all PCI functions, of those that are virtio devices, of those with a disk. */
#define PCI_ROWS                                                                                                       \
    PROPERTY("bus", PROPERTY_TEXT, struct device_config, bus), PROPERTY_BY("addr", pci_address),                       \
        PROPERTY("id", PROPERTY_TEXT, struct device_config, id), PROPERTY_BY("multifunction", pci_multifunction),      \
        PROPERTY_ACCEPTED("romfile", ""), PROPERTY_ACCEPTED("rombar", ""), PROPERTY_ACCEPTED("romsize", ""),           \
        PROPERTY_ACCEPTED("acpi-index", ""), PROPERTY_ACCEPTED("x-pcie-*", "")
/* Of all virtio devices. What a driver may use or not without a difference in what it does is as elmu has it. */
#define VIRTIO_ROWS                                                                                                    \
    PROPERTY_ACCEPTED("rng", ""), PROPERTY_BY("num-queues", virtio_queues), PROPERTY_BY("num_queues", virtio_queues),          \
        PROPERTY_ACCEPTED("packed", "off"), PROPERTY_ACCEPTED("queue-size", ""),                                       \
        PROPERTY_ACCEPTED("virtqueue_size", ""), PROPERTY_ACCEPTED("event_idx", ""),                                   \
        PROPERTY_ACCEPTED("indirect_desc", ""), PROPERTY_ACCEPTED("any_layout", ""),                                   \
        PROPERTY_ACCEPTED("notify_on_empty", ""), PROPERTY_ACCEPTED("queue_reset", ""),                                \
        PROPERTY_ACCEPTED("use-started", ""), PROPERTY_ACCEPTED("use-disabled-flag", ""),                              \
        PROPERTY_ACCEPTED("ioeventfd", ""), PROPERTY_ACCEPTED("max_ports", ""), PROPERTY_ACCEPTED("emergency-write", ""), \
        PROPERTY_ACCEPTED("max-bytes", ""), PROPERTY_ACCEPTED("period", "")
#define VIRTIO_PCI_ROWS                                                                                                \
    PROPERTY_BY("disable-legacy", pci_legacy), PROPERTY_BY("disable-modern", pci_modern),                              \
        PROPERTY_BY("iommu_platform", pci_iommu), PROPERTY_ACCEPTED("vectors", ""), PROPERTY_ACCEPTED("ats", "off"),   \
        PROPERTY_ACCEPTED("aer", "off"), PROPERTY_ACCEPTED("modern-pio-notify", ""),                                   \
        PROPERTY_ACCEPTED("page-per-vq", ""), PROPERTY_ACCEPTED("migrate-extra", ""), VIRTIO_ROWS
#define DISK_ROWS                                                                                                      \
    PROPERTY("drive", PROPERTY_TEXT, struct device_config, drive), PROPERTY_BY("serial", blk_serial),                  \
        PROPERTY_BY("config-wce", blk_feature), PROPERTY_BY("discard", blk_feature),                                   \
        PROPERTY_BY("write-zeroes", blk_feature), PROPERTY_BY("write-cache", blk_cache),                               \
        PROPERTY_BY("logical_block_size", blk_block), PROPERTY_BY("physical_block_size", blk_block),                   \
        PROPERTY_ACCEPTED("share-rw", "on off"), PROPERTY_ACCEPTED("scsi", "off"), PROPERTY_ACCEPTED("iothread", ""),  \
        PROPERTY_ACCEPTED("werror", "report ignore enospc stop auto"),                                                 \
        PROPERTY_ACCEPTED("rerror", "report ignore stop auto"), PROPERTY_ACCEPTED("request-merging", "on off"), \
        PROPERTY_ACCEPTED("backend_defaults", ""), PROPERTY_ACCEPTED("account-*", ""),                          \
        PROPERTY_ACCEPTED("seg-max-adjust", ""), PROPERTY_BY("bootindex", boot_index)
#define VIRTIO_MMIO_ROWS \
    PROPERTY_BY("bus", virtio_bus), PROPERTY("id", PROPERTY_TEXT, struct device_config, id), VIRTIO_ROWS,              \
        PROPERTY_ACCEPTED("iommu_platform", "off")
#define NET_ROWS                                                                                                       \
    PROPERTY("netdev", PROPERTY_TEXT, struct device_config, netdev), PROPERTY_BY("mac", net_mac),                      \
        PROPERTY_BY("csum", net_feature), PROPERTY_BY("guest_csum", net_feature),                                      \
        PROPERTY_BY("host_tso4", net_feature), PROPERTY_BY("host_tso6", net_feature),                                  \
        PROPERTY_BY("host_ecn", net_feature), PROPERTY_BY("mrg_rxbuf", net_feature),                                   \
        PROPERTY_BY("status", net_feature), PROPERTY_ACCEPTED("mq", ""), PROPERTY_ACCEPTED("gso", ""),                 \
        PROPERTY_ACCEPTED("guest_tso4", ""), PROPERTY_ACCEPTED("guest_tso6", ""), PROPERTY_ACCEPTED("guest_ecn", ""),  \
        PROPERTY_ACCEPTED("guest_ufo", ""), PROPERTY_ACCEPTED("host_ufo", ""), PROPERTY_ACCEPTED("ctrl_vq", ""),       \
        PROPERTY_ACCEPTED("ctrl_rx", ""), PROPERTY_ACCEPTED("ctrl_vlan", ""), PROPERTY_ACCEPTED("tx", ""), \
        PROPERTY_ACCEPTED("ctrl_mac_addr", ""), PROPERTY_ACCEPTED("ctrl_rx_extra", ""),                                \
        PROPERTY_ACCEPTED("ctrl_guest_offloads", ""), PROPERTY_ACCEPTED("guest_announce", ""),                         \
        PROPERTY_ACCEPTED("rx_queue_size", ""), PROPERTY_ACCEPTED("tx_queue_size", ""), PROPERTY_ACCEPTED("rss", "off"), \
        PROPERTY_ACCEPTED("hash", "off"), PROPERTY_ACCEPTED("failover", "off"), PROPERTY_ACCEPTED("x-tx*", ""), \
        PROPERTY_BY("bootindex", boot_index)

#define BALLOON_ROWS                                                                                                   \
    PROPERTY_BY("deflate-on-oom", balloon_feature), PROPERTY_BY("page-poison", balloon_feature),                       \
        PROPERTY_BY("free-page-reporting", balloon_feature), PROPERTY_ACCEPTED("free-page-hint", "off"),               \
        PROPERTY_ACCEPTED("guest-stats-polling-interval", ""), PROPERTY_ACCEPTED("iothread", "")

#define VSOCK_ROWS                                                                                                     \
    PROPERTY("guest-cid", PROPERTY_NUMBER, struct device_config, net.cid),                                             \
        PROPERTY("socket", PROPERTY_TEXT, struct device_config, path), PROPERTY_ACCEPTED("seqpacket", "off auto"),     \
        PROPERTY_ACCEPTED("vhostfd", "")

static void input_serial(void *target, const char *option, const struct suboption *s)
{
    struct device_config *d = target;
    (void)option;
    snprintf(d->input_serial, sizeof(d->input_serial), "%.62s", s->value);
}

#define INPUT_ROWS                                                                                                     \
    PROPERTY_BY("serial", input_serial), PROPERTY("display", PROPERTY_TEXT, struct device_config, display),            \
        PROPERTY_ACCEPTED("head", ""), PROPERTY_ACCEPTED("wheel-axis", "on true yes")

#define GPU_ROWS                                                                                                       \
    PROPERTY_BY("max_outputs", gpu_outputs), PROPERTY_BY("xres", gpu_size), PROPERTY_BY("yres", gpu_size),             \
        PROPERTY("edid", PROPERTY_OFF, struct device_config, gpu.no_edid),                                             \
        PROPERTY("max_hostmem", PROPERTY_NUMBER, struct device_config, gpu.memory), PROPERTY_ACCEPTED("blob", "off")

#define SHARE_ROWS                                                                                                     \
    PROPERTY("fsdev", PROPERTY_TEXT, struct device_config, fsdev),                                                     \
        PROPERTY("mount_tag", PROPERTY_TEXT, struct device_config, mount_tag)

static const struct property virtio_rows[] = { VIRTIO_MMIO_ROWS };
static const struct property virtio_disk_rows[] = { VIRTIO_MMIO_ROWS, DISK_ROWS };
static const struct property virtio_balloon_rows[] = { VIRTIO_MMIO_ROWS, BALLOON_ROWS };
static const struct property virtio_vsock_rows[] = { VIRTIO_MMIO_ROWS, VSOCK_ROWS };
static const struct property virtio_net_rows[] = { VIRTIO_MMIO_ROWS, NET_ROWS };
static const struct property virtio_share_rows[] = { VIRTIO_MMIO_ROWS, SHARE_ROWS };
static const struct property virtio_input_rows[] = { VIRTIO_MMIO_ROWS, INPUT_ROWS };
static const struct property virtio_gpu_rows[] = { VIRTIO_MMIO_ROWS, GPU_ROWS };
static const struct property testdev_rows[] = { PCI_ROWS };
static const struct property edu_rows[] = { PCI_ROWS,
                                            PROPERTY("dma_mask", PROPERTY_NUMBER, struct device_config, plug.dma_mask) };
static const struct property port_rows[] = {
    PCI_ROWS,
    PROPERTY("slot", PROPERTY_NUMBER, struct device_config, port_slot),
    PROPERTY_ACCEPTED("chassis", ""),
    PROPERTY_ACCEPTED("port", ""),
    PROPERTY_ACCEPTED("hotplug", ""),
};
static const struct property bridge_rows[] = {
    PCI_ROWS,
    PROPERTY("chassis_nr", PROPERTY_NUMBER, struct device_config, port_slot),
    PROPERTY_BY("shpc", pci_shpc),
    PROPERTY_ACCEPTED("msi", ""),
};
static const struct property express_bridge_rows[] = { PCI_ROWS, PROPERTY_ACCEPTED("msi", "") };
/* Properties of the functions that are no virtio devices, and the largest number of a slot or chassis. */
static const struct {
    const struct property *rows;
    unsigned count;
    s32 slots;
} pci_rows[PCI_FUNCTIONS] = {
    [FUNCTION_pci_testdev] = { testdev_rows, ARRAY_LEN(testdev_rows), 0 },
    [FUNCTION_pci_edu] = { edu_rows, ARRAY_LEN(edu_rows), 0 },
    [FUNCTION_pci_port] = { port_rows, ARRAY_LEN(port_rows), 0x1fff },
    [FUNCTION_pci_bridge] = { bridge_rows, ARRAY_LEN(bridge_rows), 0xff },
    [FUNCTION_pcie_pci_bridge] = { express_bridge_rows, ARRAY_LEN(express_bridge_rows), 0 },
};
static const struct property virtio_pci_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS };
static const struct property virtio_pci_disk_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, DISK_ROWS };
static const struct property virtio_pci_balloon_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, BALLOON_ROWS };
static const struct property virtio_pci_vsock_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, VSOCK_ROWS };
static const struct property virtio_pci_net_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, NET_ROWS };
static const struct property virtio_pci_gpu_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, GPU_ROWS };
static const struct property virtio_pci_share_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, SHARE_ROWS };
static const struct property virtio_pci_input_rows[] = { PCI_ROWS, VIRTIO_PCI_ROWS, INPUT_ROWS };

/* The properties of a virtio device, behind virtio-mmio and behind PCI: by its kind, else by its back end. */
struct virtio_properties {
    const struct property *mmio, *pci;
    unsigned mmio_count, pci_count;
};
#define BOTH(mmio, pci) { mmio, pci, ARRAY_LEN(mmio), ARRAY_LEN(pci) }
static const struct virtio_properties end_properties[BACK_ENDS] = {
    [BACK_END_NONE] = BOTH(virtio_rows, virtio_pci_rows),
    [BACK_END_PORT] = BOTH(virtio_rows, virtio_pci_rows),
    [BACK_END_DISK] = BOTH(virtio_disk_rows, virtio_pci_disk_rows),
    [BACK_END_NET] = BOTH(virtio_net_rows, virtio_pci_net_rows),
    [BACK_END_SHARE] = BOTH(virtio_share_rows, virtio_pci_share_rows),
    [BACK_END_INPUT] = BOTH(virtio_input_rows, virtio_pci_input_rows),
    [BACK_END_SCREEN] = BOTH(virtio_gpu_rows, virtio_pci_gpu_rows),
};
static const struct virtio_properties kind_properties[VIRTIO_KINDS] = {
    [VIRTIO_SCSI] = BOTH(virtio_rows, virtio_pci_rows), /* its disks are devices of their own */
    [VIRTIO_BALLOON] = BOTH(virtio_balloon_rows, virtio_pci_balloon_rows),
    [VIRTIO_VSOCK] = BOTH(virtio_vsock_rows, virtio_pci_vsock_rows),
};
#undef BOTH

static const struct virtio_properties *properties_of(enum virtio_kind kind)
{
    return kind_properties[kind].mmio ? &kind_properties[kind] : &end_properties[virtio_back_end(kind)];
}

static void vsock_complete(struct options *o, struct device_config *d, const char *option)
{
    if (d->net.cid <= 2 || d->net.cid >= 0xffffffff)
        die("%s: guest-cid property must be greater than 2 (and less than 4294967295)", option);
    if (!d->path[0])
        fprintf(stderr,
                "elmu: %s: without socket=PATH nobody is at its other end: the host's own AF_VSOCK is its kernel's\n",
                option);
    d->has_mac = true; /* it has none, and is not counted */
    vsock_end_add(o, d);
}

/* What must have been said of it. */
static void device_complete(struct options *o, struct device_config *d, const char *option)
{
    if (properties_of(d->kind) == &end_properties[BACK_END_DISK] && !d->drive[0])
        die("%s: drive= is missing", option);
    if (d->kind == VIRTIO_VSOCK)
        vsock_complete(o, d, option);
    if (virtio_back_end(d->kind) == BACK_END_SHARE)
        device_share_check(option, d);
}

static void device_virtio(struct options *o, const char *option, const char *arg, enum virtio_kind kind)
{
    struct device_config *d = device_add(o, kind);
    const struct virtio_properties *p = properties_of(kind);
    properties_read(p->mmio, p->mmio_count, option, arg, NULL, d);
    device_complete(o, d, option);
}

static void device_virtio_pci(struct options *o, const char *option, const char *arg, enum virtio_kind kind, u8 flags)
{
    struct device_config *d = pci_add(o, FUNCTION_virtio_pci, kind);
    d->plug.flags |= flags;
    const struct virtio_properties *p = properties_of(kind);
    properties_read(p->pci, p->pci_count, option, arg, NULL, d);
    if (!virtio_pci_id(kind) && !(d->plug.flags & PCI_NO_LEGACY))
        die("%s: device is modern-only, use disable-legacy=on", option);
    if (d->plug.flags & PCI_NO_LEGACY && d->plug.flags & PCI_NO_MODERN)
        die("%s: device cannot work as neither modern nor legacy mode is enabled", option);
    device_complete(o, d, option);
}

static const struct property virtconsole_rows[] = {
    PROPERTY("chardev", PROPERTY_TEXT, struct device_config, chardev),
    PROPERTY_ACCEPTED("id", ""),
    PROPERTY_ACCEPTED("name", ""),
    PROPERTY_ACCEPTED("bus", ""),
    PROPERTY_ACCEPTED("nr", ""),
};

/* One console a virtio-serial-device or virtio-serial-pci: the first that has none. */
static void device_virtconsole(struct options *o, const char *option, const char *arg)
{
    struct device_config *d = NULL;
    for (unsigned n = 0; n < o->device_count && !d; n++)
        if (virtio_back_end(o->device[n].kind) == BACK_END_PORT && !o->device[n].console)
            d = &o->device[n];
    if (!d)
        die("%s: needs a -device virtio-serial-device or virtio-serial-pci before it (one for each)", option);
    d->console = true;
    properties_read(virtconsole_rows, ARRAY_LEN(virtconsole_rows), option, arg, NULL, d);
}

static const struct property scsi_rows[] = {
    PROPERTY("bus", PROPERTY_TEXT, struct device_config, bus),
    PROPERTY_ACCEPTED("id", ""),
    PROPERTY_ACCEPTED("channel", "0"),
    PROPERTY_ACCEPTED("scsi-id", "0"),
    PROPERTY_ACCEPTED("lun", "0"),
    PROPERTY_ACCEPTED("rotation_rate", "1"),
    DISK_ROWS,
};

/* The disk of a virtio-scsi device: of the one that bus= names (ID.0), else of the first that has none. */
static void device_scsi(struct options *o, const char *option, const char *arg)
{
    struct device_config said = { .slot = -1 }, *d = NULL;
    properties_read(scsi_rows, ARRAY_LEN(scsi_rows), option, arg, NULL, &said);
    for (unsigned n = 0; n < o->device_count && !d; n++) {
        size_t length = strlen(o->device[n].id);
        if (o->device[n].kind == VIRTIO_SCSI && !o->device[n].drive[0] &&
            (!said.bus[0] || (!strncmp(said.bus, o->device[n].id, length) && !strcmp(said.bus + length, ".0"))))
            d = &o->device[n];
    }
    if (!said.drive[0])
        die("%s: drive property not set", option);
    if (!d)
        die("%s: No 'SCSI' bus found for device '%s': needs a -device virtio-scsi-pci or virtio-scsi-device before it "
            "(one for each)",
            option, option + strlen("-device "));
    memcpy(d->drive, said.drive, sizeof(d->drive));
    memcpy(d->serial, said.serial, sizeof(d->serial));
    d->disk = said.disk;
    d->boots = said.boots;
    d->boot_index = said.boot_index;
}

static const struct property ramfb_rows[] = {
    PROPERTY_ACCEPTED("id", ""),
    PROPERTY_ACCEPTED("x-migrate", ""),
};

/* A machine has one, since it is a file of one name. */
static void device_ramfb(struct options *o, const char *option, const char *arg)
{
    properties_read(ramfb_rows, ARRAY_LEN(ramfb_rows), option, arg, NULL, NULL);
    if (o->machine.ramfb++)
        die("%s: a machine has one", option);
}

/* Besides the virtio devices of board/dev/virtio.def. */
static const struct {
    const char *name, *words;
    void (*add)(struct options *o, const char *option, const char *arg);
    struct property_list properties;
} models[] = {
    { "loader", "desc \"Generic Loader\"", device_loader, { loader_rows, ARRAY_LEN(loader_rows) } },
    { "guest-loader", "desc \"Guest Loader\"", device_guest, { guest_rows, ARRAY_LEN(guest_rows) } },
    { "virtconsole", "bus virtio-serial-bus", device_virtconsole, { virtconsole_rows, ARRAY_LEN(virtconsole_rows) } },
    { "ramfb",
      "bus System, desc \"ram framebuffer standalone device\"",
      device_ramfb,
      { ramfb_rows, ARRAY_LEN(ramfb_rows) } },
    { "scsi-hd", "bus SCSI", device_scsi, { scsi_rows, ARRAY_LEN(scsi_rows) } },
};

static void device_pci(struct options *o, const char *option, const char *arg, enum pci_function_number function)
{
    struct device_config *d = pci_add(o, function, VIRTIO_NONE);
    d->plug.dma_mask = ((u64)1 << 28) - 1;
    properties_read(pci_rows[function].rows, pci_rows[function].count, option, arg, NULL, d);
    if (d->port_slot > pci_rows[function].slots)
        die("%s: slot or chassis %d: at most %d", option, d->port_slot, pci_rows[function].slots);
    d->plug.slot = (u16)d->port_slot;
}

/* What -device calls a virtio device behind PCI, after the name that virtio.def has for it. */
static const struct {
    const char *ending;
    u8 flags;
} pci_endings[] = {
    { "-pci", 0 },
    { "-pci-transitional", PCI_LEGACY_SAID },
    { "-pci-non-transitional", PCI_LEGACY_SAID | PCI_NO_LEGACY },
    { "", 0 },
};

/* Does a device have that name? One without a legacy interface has no transitional name, and none of both; keyboards
 * and pointers have the plain ones alone. */
static bool ending_fits(enum virtio_kind kind, unsigned n)
{
    if (virtio_back_end(kind) == BACK_END_INPUT)
        return !pci_endings[n].flags;
    return virtio_pci_id(kind) || (pci_endings[n].ending[0] && pci_endings[n].flags != PCI_LEGACY_SAID);
}

void models_each(void (*see)(void *ctx, const char *name, const char *words), void *ctx)
{
    char name[64];
    for (unsigned n = 0; n < ARRAY_LEN(models); n++)
        see(ctx, models[n].name, models[n].words);
    for (unsigned n = 0; n < PCI_FUNCTIONS; n++)
        if (pci_function_name(n))
            see(ctx, pci_function_name(n), "bus PCI");
    for (enum virtio_kind kind = VIRTIO_NONE + 1; kind < VIRTIO_KINDS; kind++) {
        snprintf(name, sizeof(name), "%s-device", virtio_name(kind));
        see(ctx, name, "bus virtio-bus");
        for (unsigned n = 0; n < ARRAY_LEN(pci_endings); n++) {
            snprintf(name, sizeof(name), "%s%s", virtio_name(kind), pci_endings[n].ending);
            if (pci_endings[n].ending[0] && ending_fits(kind, n))
                see(ctx, name, "bus PCI");
        }
    }
}

struct property_list device_properties(const char *model)
{
    for (unsigned n = 0; n < ARRAY_LEN(models); n++)
        if (!strcmp(model, models[n].name))
            return models[n].properties;
    for (unsigned n = 0; n < PCI_FUNCTIONS; n++)
        if (pci_function_name(n) && !strcmp(model, pci_function_name(n)))
            return (struct property_list){ pci_rows[n].rows, pci_rows[n].count };
    for (enum virtio_kind kind = VIRTIO_NONE + 1; kind < VIRTIO_KINDS; kind++) {
        const struct virtio_properties *p = properties_of(kind);
        size_t length = strlen(virtio_name(kind));
        if (strncmp(model, virtio_name(kind), length))
            continue;
        if (!strcmp(model + length, "-device"))
            return (struct property_list){ p->mmio, p->mmio_count };
        for (unsigned n = 0; n < ARRAY_LEN(pci_endings); n++)
            if (!strcmp(model + length, pci_endings[n].ending) && ending_fits(kind, n))
                return (struct property_list){ p->pci, p->pci_count };
    }
    return (struct property_list){ NULL, 0 };
}

void device_model(const struct device_config *d, char *text, size_t size)
{
    if (d->plug.function == FUNCTION_virtio_pci)
        snprintf(text, size, "%s-pci", virtio_name(d->kind));
    else if (d->plug.function)
        snprintf(text, size, "%s", pci_function_name(d->plug.function));
    else
        snprintf(text, size, "%s-device", virtio_name(d->kind));
}

static void model_list(void *ctx, const char *name, const char *words)
{
    (void)ctx;
    printf("name \"%s\", %s\n", name, words);
}

struct wanted {
    struct nearest like;
    const char *name;
};
static void model_compare(void *ctx, const char *name, const char *words)
{
    struct wanted *w = ctx;
    (void)words;
    nearest_try(&w->like, w->name, strlen(w->name), name);
}

/* What serves instead of it, or NULL. */
static const char *model_refused(const char *name)
{
    static const struct {
        const char *name, *what;
    } rows[] = {
#define DEVICE_REFUSED(name, what) { name, what },
#include "frontend/device_refused.def"
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        size_t length = strlen(rows[n].name);
        bool family = rows[n].name[length - 1] == '*';
        if (family ? !strncmp(name, rows[n].name, length - 1) : !strcmp(name, rows[n].name))
            return rows[n].what;
    }
    return NULL;
}

static _Noreturn void no_model(const char *option, const char *name)
{
    struct wanted w = { .name = name };
    char words[96];
    if (model_refused(name))
        die("%s: elmu has no %s", option, model_refused(name));
    models_each(model_compare, &w);
    die("%s: no such device%s (-device '?' lists them)", option, nearest_words(&w.like, words));
}

/* A virtio device, by its name and what it is behind. False: no such name. */
static bool model_is_virtio(struct options *o, const char *option, const char *model, const char *arg)
{
    for (enum virtio_kind kind = VIRTIO_NONE + 1; kind < VIRTIO_KINDS; kind++) {
        size_t length = strlen(virtio_name(kind));
        if (strncmp(model, virtio_name(kind), length))
            continue;
        if (!strcmp(model + length, "-device")) {
            device_virtio(o, option, arg, kind);
            return true;
        }
        for (unsigned n = 0; n < ARRAY_LEN(pci_endings); n++)
            if (!strcmp(model + length, pci_endings[n].ending) && ending_fits(kind, n)) {
                u8 modern = virtio_pci_id(kind) ? 0 : PCI_LEGACY_SAID | PCI_NO_LEGACY;
                device_virtio_pci(o, option, arg, kind, pci_endings[n].flags | modern);
                return true;
            }
    }
    return false;
}

static bool model_is_pci(struct options *o, const char *option, const char *model, const char *arg)
{
    for (unsigned n = 0; n < PCI_FUNCTIONS; n++)
        if (pci_function_name(n) && !strcmp(model, pci_function_name(n))) {
            device_pci(o, option, arg, n);
            return true;
        }
    return false;
}

static void device_named(struct options *o, const char *option, const char *model, const char *arg)
{
    for (unsigned n = 0; n < ARRAY_LEN(models); n++)
        if (!strcmp(model, models[n].name)) {
            models[n].add(o, option, arg);
            return;
        }
    if (!model_is_virtio(o, option, model, arg) && !model_is_pci(o, option, model, arg))
        no_model(option, model);
}

/* A driver of -global is a model, or what all virtio devices behind PCI are. */
static bool driver_is(const char *driver, size_t length, const char *model)
{
    static const char family[] = "virtio-pci";
    return (!strncmp(driver, model, length) && !model[length]) ||
           (length == strlen(family) && !strncmp(driver, family, length) && !strncmp(model, "virtio-", 7) &&
            strstr(model, "-pci"));
}

void opt_device(struct options *o, const char *name, const char *arg)
{
    char option[80], *model = option + strlen("-device "), all[OPTION_TEXT] = "";
    size_t length = strcspn(arg, ","), at = 0;
    (void)name;
    if (option_is_query(arg)) {
        models_each(model_list, NULL);
        o->list_done = true;
        return;
    }
    snprintf(option, sizeof(option), "-device %.*s", (int)(length < 64 ? length : 64), arg);
    arg += length + (arg[length] != 0);
    for (unsigned n = 0; n < o->global_count && at < sizeof(all); n++) {
        size_t driver = strcspn(o->global[n], ".");
        if (driver_is(o->global[n], driver, model))
            at += (size_t)snprintf(all + at, sizeof(all) - at, "%s,", o->global[n] + driver + 1);
    }
    if (at + strlen(arg) >= sizeof(all))
        die("%s: too long, with what -global says of it", option);
    snprintf(all + at, sizeof(all) - at, "%s", arg);
    device_named(o, option, model, all);
}

/* ---- -global, -object ---- */

/* The stages that the SMMU has. */
static void smmu_stage(void *target, const char *option, const struct suboption *s)
{
    struct options *o = target;
    if (strcmp(s->value, "1") && strcmp(s->value, "2") && strcmp(s->value, "nested"))
        die("%s arm-smmuv3.stage=%s: expected 1, 2 or nested", option, s->value);
    o->machine.smmu_stage = s->value[1] ? 0 : (u8)(s->value[0] - '0');
    o->given |= GIVEN_STAGE;
}

struct driver {
    const char *name;
    size_t length;
    bool there;
};
static void driver_compare(void *ctx, const char *name, const char *words)
{
    struct driver *d = ctx;
    (void)words;
    d->there |= driver_is(d->name, d->length, name);
}

/* Of devices of the board, of models of -device, and of what QEMU has and elmu has not. */
static void global_read(struct options *o, const char *arg)
{
    if (o->global_count == ARRAY_LEN(o->global))
        die("-global: more than %zu", ARRAY_LEN(o->global));
    o->global[o->global_count++] = arg;
    static const struct property rows[] = {
        PROPERTY("virtio-mmio.force-legacy", PROPERTY_OFF, struct options, machine.virtio_modern),
        PROPERTY("fw_cfg_mem.dma_enabled", PROPERTY_OFF, struct options, machine.fw_cfg_no_dma),
        PROPERTY_BY("arm-smmuv3.stage", smmu_stage),
    };
    struct driver d = { arg, strcspn(arg, ".="), false };
    if (arg[d.length] != '.' || !strchr(arg, '='))
        die("-global %s: expected DRIVER.PROPERTY=VALUE", arg);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (!strncmp(rows[n].key, arg, d.length + 1)) {
            properties_read(rows, ARRAY_LEN(rows), "-global", arg, NULL, o);
            return;
        }
    models_each(driver_compare, &d);
    if (!d.there)
        fprintf(stderr, "elmu: warning: -global %s: there is no such device; without effect\n", arg);
}

void globals_read(struct options *o, int argc, char **argv)
{
    for (int n = 1; n + 1 < argc; n++)
        if (!strcmp(argv[n] + (argv[n][0] == '-' && argv[n][1] == '-'), "-global"))
            global_read(o, argv[++n]);
}

/* Those of the command line were read before all else, since devices are meant that came before, too. */
void opt_global(struct options *o, const char *name, const char *arg)
{
    (void)name;
    for (unsigned n = 0; n < o->global_count; n++)
        if (o->global[n] == arg)
            return;
    global_read(o, text_copy(arg));
}
