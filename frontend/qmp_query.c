/* Questions of the machine protocol (frontend/qmp.def): what the machine and this program are. */
#include "frontend/qmp.h"

#include "debug/text.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The version of QEMU whose machine this is (frontend/version.c), and in `package` what it really is. */
json_t *qmp_version(void)
{
    return json_pack("{s:{s:i,s:i,s:i},s:s}", "qemu", "micro", 0, "minor", 2, "major", 7, "package",
                     "elmu " ELMU_VERSION);
}

json_t *query_version(struct qmp_call *c) { return (void)c, qmp_version(); }
json_t *query_none(struct qmp_call *c) { return (void)c, json_array(); }
json_t *query_kvm(struct qmp_call *c) { return (void)c, json_pack("{s:b,s:b}", "enabled", 0, "present", 0); }
json_t *query_target(struct qmp_call *c) { return (void)c, json_pack("{s:s}", "arch", "aarch64"); }
json_t *query_vnc(struct qmp_call *c)
{
    const struct vnc_config *v = &((const struct frontend *)c->all->console)->vnc; /* which begins with its console */
    char service[16];
    snprintf(service, sizeof(service), "%u", v->first);
    if (!v->there)
        return json_pack("{s:b}", "enabled", 0);
    return json_pack("{s:b,s:s,s:s,s:s,s:s,s:[]}", "enabled", 1, "auth", "none", "family",
                     v->path[0]             ? "unix"
                     : strchr(v->host, ':') ? "ipv6"
                                            : "ipv4",
                     "host", v->host, "service", v->path[0] ? v->path : service, "clients");
}

json_t *query_display_options(struct qmp_call *c) { return (void)c, json_pack("{s:s}", "type", "none"); }

json_t *query_current_machine(struct qmp_call *c) { return (void)c, json_pack("{s:b}", "wakeup-suspend-support", 0); }

json_t *query_dump_capability(struct qmp_call *c) { return (void)c, json_pack("{s:[s]}", "formats", "elf"); }

static json_t *names(const char *(*name)(unsigned n))
{
    json_t *list = json_array();
    for (unsigned n = 0; name(n); n++)
        json_array_append_new(list, json_pack("{s:s}", "name", name(n)));
    return list;
}

static const char *backend_name(unsigned n) { return char_kind_get(n) ? char_kind_get(n)->name : NULL; }

json_t *query_commands(struct qmp_call *c) { return (void)c, names(qmp_command_name); }
json_t *query_events(struct qmp_call *c) { return (void)c, names(qmp_event_name); }
json_t *query_chardev_backends(struct qmp_call *c) { return (void)c, names(backend_name); }

json_t *query_status(struct qmp_call *c)
{
    const char *state = session_state(c->all->session);
    return json_pack("{s:s,s:b,s:b}", "status", state, "singlestep", 0, "running", !strcmp(state, "running"));
}

json_t *query_name(struct qmp_call *c)
{
    const char *name = c->all->o->name;
    json_t *object = json_object();
    if (name[0])
        json_object_set_new(object, "name", qmp_string(name, strlen(name)));
    return object;
}

json_t *query_uuid(struct qmp_call *c)
{
    char text[UUID_TEXT];
    return json_pack("{s:s}", "UUID", uuid_text(c->all->o->uuid, text));
}

/* ---- the machine ---- */

json_t *query_machines(struct qmp_call *c)
{
    json_t *list = json_array();
    char name[32];
    (void)c;
    for (const char *at = MACHINE_NAMES; sscanf(at, "%31s", name) == 1; at = strstr(at, name) + strlen(name)) {
        json_t *machine = json_pack("{s:b,s:s,s:b,s:s,s:i,s:b,s:s}", "hotpluggable-cpus", 0, "name", name,
                                    "numa-mem-supported", 0, "default-cpu-type", "max-arm-cpu", "cpu-max", MAX_CPUS,
                                    "deprecated", 0, "default-ram-id", "mach-virt.ram");
        if (!strcmp(name, "virt"))
            json_object_set_new(machine, "is-default", json_true());
        json_array_append_new(list, machine);
    }
    json_array_append_new(list,
                          json_pack("{s:b,s:s,s:b,s:i,s:b,s:s}", "hotpluggable-cpus", 0, "name", "none",
                                    "numa-mem-supported", 0, "cpu-max", 1, "deprecated", 0, "default-ram-id", "ram"));
    return list;
}

json_t *query_cpu_definitions(struct qmp_call *c)
{
    json_t *list = json_array();
    char type[80];
    (void)c;
    for (unsigned n = 0; model_name(n); n++) {
        snprintf(type, sizeof(type), "%.60s-arm-cpu", model_name(n));
        json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:b}", "name", model_name(n), "typename", type, "static", 0,
                                              "deprecated", 0));
    }
    return list;
}

/* All CPUs are turns of one thread of the host's. Their places are those that the device tree says. */
json_t *query_cpus_fast(struct qmp_call *c)
{
    const struct machine_options *o = &c->all->m->options;
    unsigned threads = o->threads ? o->threads : 1, cores = o->cores ? o->cores : o->cpu_count / threads;
    unsigned clusters = o->clusters ? o->clusters : 1;
    json_t *list = json_array();
    cores = cores ? cores : 1;
    for (unsigned n = 0; n < o->cpu_count; n++) {
        unsigned core = n / threads, cluster = core / cores;
        char path[64];
        snprintf(path, sizeof(path), "/machine/unattached/device[%u]", n);
        json_array_append_new(list,
                              json_pack("{s:i,s:{s:i,s:i,s:i,s:i},s:s,s:i,s:s}", "thread-id", (int)getpid(), "props",
                                        "core-id", (int)(core % cores), "thread-id", (int)(n % threads), "socket-id",
                                        (int)(cluster / clusters), "cluster-id", (int)(cluster % clusters), "qom-path",
                                        path, "cpu-index", (int)n, "target", "aarch64"));
    }
    return list;
}

json_t *query_gic_capabilities(struct qmp_call *c)
{
    json_t *list = json_array();
    (void)c;
    for (int version = 4; version >= 2; version--)
        json_array_append_new(list, json_pack("{s:b,s:i,s:b}", "emulated", 1, "version", version, "kernel", 0));
    return list;
}

json_t *query_memory_size_summary(struct qmp_call *c)
{
    return json_pack("{s:I,s:i}", "base-memory", (json_int_t)c->all->m->options.ram_size, "plugged-memory", 0);
}

/* Bytes of RAM that it leaves to the guest. */
json_t *query_balloon(struct qmp_call *c)
{
    struct balloon_state b;
    if (!machine_balloon_state(c->all->m, &b)) {
        qmp_fail(c, "No balloon device has been activated");
        c->error_class = "DeviceNotActive";
        return NULL;
    }
    u64 out = (u64)b.actual * 4096, ram = c->all->m->options.ram_size;
    return json_pack("{s:I}", "actual", (json_int_t)(out < ram ? ram - out : 0));
}

json_t *query_replay(struct qmp_call *c)
{
    const struct options *o = c->all->o;
    const char *file = o->replay ? o->replay : o->record;
    json_t *object = json_pack("{s:s,s:I}", "mode",
                               o->replay   ? "play"
                               : o->record ? "record"
                                           : "none",
                               "icount", (json_int_t)machine_insns(c->all->m));
    if (file)
        json_object_set_new(object, "filename", qmp_string(file, strlen(file)));
    return object;
}

json_t *query_jobs(struct qmp_call *c)
{
    json_t *list = json_array();
    for (unsigned n = 0; n < JOBS; n++) {
        const struct qmp_job *j = &c->all->job[n];
        if (!j->type)
            continue;
        json_t *job = json_pack("{s:i,s:s,s:i,s:s,s:o}", "current-progress", 1, "status", "concluded", "total-progress",
                                1, "type", j->type, "id", qmp_string(j->id, strlen(j->id)));
        if (j->error[0])
            json_object_set_new(job, "error", qmp_string(j->error, strlen(j->error)));
        json_array_append_new(list, job);
    }
    return list;
}

json_t *query_dump(struct qmp_call *c)
{
    u64 size = c->all->dumped;
    return json_pack("{s:I,s:s,s:I}", "total", (json_int_t)size, "status", size ? "completed" : "none", "completed",
                     (json_int_t)size);
}

/* ---- back ends ---- */

json_t *query_chardev(struct qmp_call *c)
{
    const struct chardevs *ends = &c->all->console->ends;
    json_t *list = json_array();
    for (unsigned n = 0; n < ends->count; n++) {
        const struct chardev *end = &ends->dev[n];
        struct text name = { 0 };
        chardev_describe(end, &name);
        json_array_append_new(list, json_pack("{s:b,s:o,s:s}", "frontend-open", end->users > 0, "filename",
                                              qmp_string(name.s ? name.s : "", name.length), "label", end->config->id));
        text_free(&name);
    }
    return list;
}

/* Of a disk; `node`: what it is called when -blockdev gave it no name. */
static json_t *inserted(const struct qmp *q, unsigned n)
{
    const struct drive_config *d = &q->o->drive[n];
    const struct disk_option *disk = &q->m->options.disk[n];
    struct stat st;
    bool is_file = !stat(d->file, &st) && S_ISREG(st.st_mode);
    json_t *file = qmp_string(d->file, strlen(d->file));
    const char *format = d->format[0] ? d->format : "raw";
    json_t *image =
        json_pack("{s:I,s:O,s:s,s:I,s:b}", "virtual-size", (json_int_t)disk->size, "filename", file, "format", format,
                  "actual-size", is_file ? (json_int_t)st.st_blocks * 512 : 0, "dirty-flag", 0);
    return json_pack("{s:i,s:s,s:o,s:i,s:b,s:s,s:i,s:s,s:i,s:i,s:i,s:b,s:i,s:i,s:{s:b,s:b,s:b},s:o}", "iops_rd", 0,
                     "detect_zeroes", "off", "image", image, "iops_wr", 0, "ro", disk->readonly, "node-name", d->id,
                     "backing_file_depth", 0, "drv", format, "iops", 0, "bps_wr", 0, "write_threshold", 0, "encrypted",
                     0, "bps", 0, "bps_rd", 0, "cache", "no-flush", d->unflushed, "direct", 0, "writeback", !d->through,
                     "file", file);
}

json_t *query_block(struct qmp_call *c)
{
    json_t *list = json_array();
    for (unsigned n = 0; n < c->all->o->drive_count; n++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:b,s:o,s:s}", "io-status", "ok", "device",
                                              c->all->o->drive[n].id, "locked", 0, "removable", 0, "inserted",
                                              inserted(c->all, n), "type", "unknown"));
    return list;
}

json_t *query_named_block_nodes(struct qmp_call *c)
{
    json_t *list = json_array();
    for (unsigned n = 0; n < c->all->o->drive_count; n++)
        json_array_append_new(list, inserted(c->all, n));
    return list;
}

/* ---- PCI ---- */

static const char *class_words(unsigned class)
{
    static const struct {
        u16 class;
        const char *words;
    } rows[] = { { 0x0100, "SCSI controller" },
                 { 0x0200, "Ethernet controller" },
                 { 0x0600, "Host bridge" },
                 { 0x0604, "PCI bridge" } };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (rows[n].class == class)
            return rows[n].words;
    return NULL;
}

static json_t *regions(const struct pci_desc *d, const struct pci_function *f)
{
    json_t *list = json_array();
    u16 command = load_le16(f->config + PCI_COMMAND);
    for (int n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *bar = &d->bar[n];
        bool io = bar->space == PCI_SPACE_IO;
        if (!bar->size)
            continue;
        json_int_t at = command & (io ? COMMAND_IO : COMMAND_MEMORY) ? (json_int_t)pci_bar_base(d, f, (unsigned)n) : -1;
        json_t *region = json_pack("{s:i,s:s,s:I,s:I}", "bar", n, "type", io ? "io" : "memory", "address", at, "size",
                                   (json_int_t)bar->size);
        if (!io) {
            json_object_set_new(region, "prefetch", json_boolean(bar->prefetchable));
            json_object_set_new(region, "mem_type_64", json_boolean(bar->space == PCI_SPACE_MEMORY64));
        }
        json_array_append_new(list, region);
    }
    return list;
}

static json_t *range(u64 base, u64 limit)
{
    return json_pack("{s:I,s:I}", "base", (json_int_t)base, "limit", (json_int_t)limit);
}

static json_t *pci_bus(struct machine *m, unsigned bus);

/* A bridge: what lies behind it, and which addresses it forwards (PCI-to-PCI Bridge 3.2). */
static json_t *bridge(struct machine *m, unsigned plug, const u8 *config)
{
    u64 high = load_le32(config + 0x28), high_limit = load_le32(config + 0x2c);
    json_t *bus = json_pack("{s:i,s:i,s:i,s:o,s:o,s:o}", "number", (int)config[0x18], "secondary",
                            (int)config[PCI_SECONDARY], "subordinate", (int)config[PCI_SUBORDINATE], "io_range",
                            range((u64)load_le16(config + 0x30) << 16 | (config[0x1c] & 0xf0u) << 8,
                                  (u64)load_le16(config + 0x32) << 16 | (config[0x1d] & 0xf0u) << 8 | 0xfff),
                            "memory_range",
                            range((u64)(load_le16(config + 0x20) & 0xfff0u) << 16,
                                  (u64)(load_le16(config + 0x22) & 0xfff0u) << 16 | 0xfffff),
                            "prefetchable_range",
                            range(high << 32 | (u64)(load_le16(config + 0x24) & 0xfff0u) << 16,
                                  high_limit << 32 | (u64)(load_le16(config + 0x26) & 0xfff0u) << 16 | 0xfffff));
    json_t *object = json_pack("{s:o}", "bus", bus);
    if (config[PCI_SECONDARY])
        json_object_set_new(object, "devices", pci_bus(m, plug));
    return object;
}

static json_t *pci_device(struct machine *m, unsigned plug)
{
    const struct pci_plug *p = &m->options.pci[plug];
    const struct pci_desc *d = &m->d.pci->slot[plug].desc;
    const struct pci_function *f = pci_function(m, plug);
    unsigned class = load_le16(f->config + 10);
    json_t *id = json_pack("{s:i,s:i}", "device", load_le16(f->config + 2), "vendor", load_le16(f->config));
    json_t *info = json_pack("{s:i}", "class", (int)class);
    if (class_words(class))
        json_object_set_new(info, "desc", json_string(class_words(class)));
    if (!d->bridge && load_le16(f->config + 0x2c)) {
        json_object_set_new(id, "subsystem", json_integer(load_le16(f->config + 0x2e)));
        json_object_set_new(id, "subsystem-vendor", json_integer(load_le16(f->config + 0x2c)));
    }
    json_t *device = json_pack("{s:i,s:i,s:s,s:i,s:o,s:o,s:i,s:o}", "irq_pin", d->config[PCI_PIN], "bus",
                               (int)pci_bus_number(m, plug), "qdev_id", "", "slot", p->devfn >> 3, "class_info", info,
                               "id", id, "function", p->devfn & 7, "regions", regions(d, f));
    if (d->config[PCI_PIN])
        json_object_set_new(device, "irq", json_integer(f->config[0x3c]));
    if (d->bridge)
        json_object_set_new(device, "pci_bridge", bridge(m, plug, f->config));
    return device;
}

/* The functions on a bus: the host bridge's, or that of a bridge, which comes before what is behind it, so that this
 * ends. */
static json_t *pci_bus(struct machine *m, unsigned bus)
{
    json_t *list = json_array();
    for (unsigned plug = bus ? bus + 1 : 0; plug < m->d.pci->count; plug++)
        if (m->options.pci[plug].bus == bus)
            json_array_append_new(list, pci_device(m, plug));
    return list;
}

json_t *query_pci(struct qmp_call *c) { return json_pack("[{s:i,s:o}]", "bus", 0, "devices", pci_bus(c->all->m, 0)); }
