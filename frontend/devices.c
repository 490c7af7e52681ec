/* From what -device and -drive asked for to what the machine is configured with: drives, console ports, PCI buses by
 * name. */
#include "frontend/input.h"
#include "frontend/net.h"

#include "board/display.h"

static unsigned drive_number(const struct options *o, const char *id)
{
    for (unsigned n = 0; n < o->drive_count; n++)
        if (!strcmp(o->drive[n].id, id))
            return n;
    die("-device: no -drive has id=%s", id);
}

static const char *device_name(const struct device_config *d)
{
    return d->kind ? virtio_name(d->kind) : pci_function_name(d->plug.function);
}

/* Numbers of its disk, console, network and bus, which the devices before it leave free or have. */
struct taken {
    unsigned port, net, share, input, gpu;
    bool disk[MAX_DISKS];
    const struct device_config *pci[PCI_PLUGS];
    struct nets *nets;
    struct shares *shares;
    struct inputs *inputs;
    unsigned macs; /* adapters whose address was given by nobody */
};

/* What its device adds to what its drive says. */
static void disk_set(struct disk_option *disk, const struct device_config *d)
{
    memcpy(disk->serial, d->serial, sizeof(disk->serial));
    disk->block = d->disk.block;
    disk->physical = d->disk.physical > disk->block ? d->disk.physical : disk->block;
    disk->without = d->disk.without;
    disk->through |= d->disk.through;
}

/* QEMU's addresses, which count up; those that -device says are not counted. */
static void net_set(struct machine_config *c, const struct device_config *d, struct taken *t)
{
    static const u8 mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    struct net_option *net = &c->options.net[t->net];
    *net = d->net;
    if (!d->has_mac) {
        memcpy(net->mac, mac, sizeof(mac));
        net->mac[5] = (u8)(mac[5] + t->macs++);
    }
    nets_plug(t->nets, t->net, d->netdev);
}

static void share_set(const struct options *o, struct machine_config *c, const struct device_config *d,
                      const struct taken *t)
{
    memcpy(c->options.share[t->share].tag, d->mount_tag, strlen(d->mount_tag)); /* one of 32 bytes has no end */
    if (d->fsdev[0])
        shares_plug(t->shares, o, t->share, d->fsdev);
}

static void input_set(struct machine_config *c, const struct device_config *d, const struct taken *t)
{
    struct input_option *input = &c->options.input[t->input];
    input->there = 1;
    memcpy(input->serial, d->input_serial, sizeof(input->serial));
    inputs_plug(t->inputs, t->input, d->kind, d->display[0]);
}

/* A machine has so many screens at most. */
static void gpu_set(struct machine_config *c, const struct device_config *d, struct taken *t)
{
    u32 screens = c->options.ramfb + d->gpu.outputs;
    for (unsigned n = 0; n < t->gpu; n++)
        screens += c->options.gpu[n].outputs;
    if (t->gpu == MAX_GPUS)
        die("-device %s: more than %d", device_name(d), MAX_GPUS);
    if (screens > MAX_SCREENS)
        die("-device %s: more than %d screens in all", device_name(d), MAX_SCREENS);
    c->options.gpu[t->gpu] = d->gpu;
}

static unsigned unit_of(const struct options *o, const struct device_config *d, struct machine_config *c,
                        struct taken *t)
{
    unsigned unit = 0;
    switch (virtio_back_end(d->kind)) {
    case BACK_END_NONE:
    case BACK_ENDS: break;
    case BACK_END_NET:
        if (t->net == MAX_NETS)
            die("-device %s: more than %d", device_name(d), MAX_NETS);
        net_set(c, d, t);
        unit = t->net++;
        break;
    case BACK_END_SCREEN:
        gpu_set(c, d, t);
        unit = t->gpu++;
        break;
    case BACK_END_SHARE:
        if (t->share == MAX_SHARES)
            die("-device %s: more than %d", device_name(d), MAX_SHARES);
        share_set(o, c, d, t);
        unit = t->share++;
        break;
    case BACK_END_INPUT:
        if (t->input == MAX_INPUTS)
            die("-device %s: more than %d", device_name(d), MAX_INPUTS);
        input_set(c, d, t);
        unit = t->input++;
        break;
    case BACK_END_DISK:
        if (!d->drive[0]) { /* a SCSI controller without a disk: the last number is one that has none */
            if (o->drive_count == MAX_DISKS)
                die("-device %s: without a disk, but there are %d", device_name(d), MAX_DISKS);
            return MAX_DISKS - 1;
        }
        unit = drive_number(o, d->drive);
        if (t->disk[unit])
            die("-drive id=%s: given to two devices", d->drive);
        t->disk[unit] = true;
        disk_set(&c->options.disk[unit], d);
        break;
    case BACK_END_PORT:
        if (t->port == MAX_PORTS)
            die("-device %s: more than %u", device_name(d), MAX_PORTS - row_ports());
        unit = t->port++;
    }
    return unit;
}

/* The host's bus, or one behind a bridge that was given before, by its id=. */
static u8 bus_of(const struct machine_config *c, const struct device_config *d, const struct taken *t)
{
    if (!d->bus[0] || !strcmp(d->bus, "pcie.0"))
        return d->plug.bus;
    for (unsigned n = 0; n < c->pci_count; n++)
        if (t->pci[n] && !strcmp(t->pci[n]->id, d->bus))
            return (u8)(n + 1);
    die("-device %s: Bus '%s' not found (pcie.0, or the id= of a bridge before it)", device_name(d), d->bus);
}

/* A machine has one, as QEMU's has. */
static void balloon_set(struct machine_config *c, const struct device_config *d)
{
    if (c->options.balloon)
        die("-device %s: Only one balloon device is supported", device_name(d));
    c->options.balloon = d->balloon | BALLOON_THERE;
}

/* Its turn among those that firmware is to boot from. */
static u8 boot_turn(const struct options *o, const struct device_config *d)
{
    u8 turn = 1;
    if (!d->boots)
        return d->plug.boot; /* of a snapshot */
    for (unsigned n = 0; n < o->device_count; n++) {
        const struct device_config *other = &o->device[n];
        if (other != d && other->boots && other->boot_index == d->boot_index)
            die("-device %s: The bootindex %d has already been used", device_name(d), d->boot_index);
        turn = (u8)(turn + (other->boots && other->boot_index < d->boot_index));
    }
    return turn;
}

static void device_set(const struct options *o, const struct device_config *d, struct machine_config *c,
                       struct taken *t)
{
    unsigned unit = unit_of(o, d, c, t);
    if (d->kind == VIRTIO_BALLOON)
        balloon_set(c, d);
    if (!d->plug.function) {
        if (c->virtio_count == VIRTIO_SLOTS)
            die("-device %s: more than %d behind virtio-mmio", device_name(d), VIRTIO_SLOTS);
        c->virtio[c->virtio_count++] =
            (struct virtio_config){ .kind = d->kind, .unit = unit, .slot = d->slot, .boot = boot_turn(o, d) };
        return;
    }
    if (c->pci_count == PCI_PLUGS - 1)
        die("-device %s: more than %d PCI functions", device_name(d), PCI_PLUGS - 1);
    struct pci_plug plug = d->plug;
    plug.unit = unit;
    plug.bus = bus_of(c, d, t);
    plug.boot = boot_turn(o, d);
    t->pci[c->pci_count] = d;
    c->pci[c->pci_count++] = plug;
}

void devices_set(const struct options *o, struct machine_config *c, struct frontend *f)
{
    struct taken t = { .port = row_ports(), .nets = f->nets, .shares = f->shares, .inputs = f->inputs };
    for (unsigned by = 0; by < MADE_BY; by++) /* as on QEMU */
        for (unsigned n = 0; n < o->device_count; n++)
            if (o->device[n].made_by == by)
                device_set(o, &o->device[n], c, &t);
}
