/* The handlers of options.def: what each option means. An option that is not supported is an error that says so. */
#define _GNU_SOURCE
#include "frontend/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef void handler_fn(struct options *o, const char *name, const char *arg);

static bool is_query(const char *arg) { return !strcmp(arg, "?") || !strcmp(arg, "help"); }

static void listed(struct options *o, const char *what)
{
    list_print(what);
    o->list_done = true;
}

static void opt_ignored(struct options *o, const char *name, const char *arg) { (void)o, (void)name, (void)arg; }

static void opt_not_yet(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)arg;
    die("-%s: not yet supported", name);
}

static void opt_none_only(struct options *o, const char *name, const char *arg)
{
    (void)o;
    if (strcmp(arg, "none"))
        die("-%s %s: not supported (only none)", name, arg);
}

static void opt_net(struct options *o, const char *name, const char *arg)
{
    (void)o;
    if (strcmp(arg, "none"))
        die("-%s %s: network is not yet supported (only none)", name, arg);
}

/* ---- machine ---- */

static void machine_gic(const char *value)
{
    if (!strcmp(value, "2"))
        die("-machine gic-version=2: not yet supported (only 3)");
    if (strcmp(value, "3") && strcmp(value, "max"))
        die("-machine gic-version=%s: not supported (only 3, max)", value);
}

/* Properties that change nothing here when they have the value that the machine has anyway. */
static bool machine_harmless(const struct suboption *s)
{
    static const struct {
        const char *key, *values;
    } ok[] = {
        { "acpi", "on off" },
        { "usb", "off" },
        { "graphics", "on off" },
        { "highmem", "on off" },
        { "its", "off" },
        { "iommu", "none" },
        { "accel", "tcg" },
        { "dump-guest-core", "on off" },
        { "mem-merge", "on off" },
        { "ras", "off" },
        { "highmem-ecam", "on off" },
        { "highmem-mmio", "on off" },
        { "highmem-redists", "on off" },
        { "compact-highmem", "on off" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(ok); n++) {
        if (strcmp(s->key, ok[n].key))
            continue;
        char padded[80], value[80];
        snprintf(padded, sizeof(padded), " %s ", ok[n].values);
        snprintf(value, sizeof(value), " %.60s ", s->value);
        if (!strstr(padded, value))
            die("-machine %s=%s: not yet supported", s->key, s->value);
        return true;
    }
    return false;
}

static void opt_machine(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    (void)name;
    if (is_query(arg)) {
        listed(o, "machines");
        return;
    }
    for (const char *first = strchr(arg, '=') && strcspn(arg, "=") < strcspn(arg, ",") ? NULL : "type";
         suboption_next(&arg, first, &s); first = NULL) {
        if (!strcmp(s.key, "type")) {
            if (strcmp(s.value, "virt") && strcmp(s.value, "virt-7.2"))
                die("-machine %s: no such machine (there is: virt)", s.value);
            o->machine_given = true;
        } else if (!strcmp(s.key, "virtualization")) {
            o->virtualization = suboption_bool("-machine", &s);
        } else if (!strcmp(s.key, "secure")) {
            o->secure = suboption_bool("-machine", &s);
        } else if (!strcmp(s.key, "mte")) { /* on: what the CPU has; off: RAM without tags, so no FEAT_MTE2 */
            o->untagged = !suboption_bool("-machine", &s);
        } else if (!strcmp(s.key, "gic-version")) {
            machine_gic(s.value);
        } else if (!strcmp(s.key, "dumpdtb")) {
            snprintf(o->dumpdtb, sizeof(o->dumpdtb), "%.1023s", s.value);
        } else if (!machine_harmless(&s)) {
            die("-machine: virt has no property '%s'", s.key);
        }
    }
}

static void opt_cpu(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (is_query(arg)) {
        listed(o, "cpus");
        return;
    }
    if (strlen(arg) >= sizeof(o->cpu) - sizeof(",mte2=off"))
        die("-cpu: too long");
    snprintf(o->cpu, sizeof(o->cpu), "%s", arg);
}

static void opt_smp(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    u64 cpus = 0, product = 1;
    (void)name;
    for (const char *first = "cpus"; suboption_next(&arg, first, &s); first = NULL) {
        u64 value = suboption_number("-smp", s.value, 1);
        if (!strcmp(s.key, "cpus"))
            cpus = value ? value : MAX_CPUS + 1;
        else if (!strcmp(s.key, "cores") || !strcmp(s.key, "sockets") || !strcmp(s.key, "threads") ||
                 !strcmp(s.key, "clusters"))
            product = value && value <= MAX_CPUS ? product * value : MAX_CPUS + 1;
        else if (strcmp(s.key, "maxcpus"))
            die("-smp: no property '%s'", s.key);
    }
    if (!cpus)
        cpus = product;
    if (cpus < 1 || cpus > MAX_CPUS)
        die("-smp: the machine has 1 to %d CPUs", MAX_CPUS);
    o->cpus = (unsigned)cpus;
}

static void opt_memory(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    (void)name;
    for (const char *first = "size"; suboption_next(&arg, first, &s); first = NULL) {
        if (strcmp(s.key, "size"))
            die("-m: %s: memory hotplug is not supported", s.key);
        o->ram_size = suboption_number("-m", s.value, 1 << 20);
    }
    if (o->ram_size < 1 << 20 || o->ram_size % (1 << 20) || o->ram_size > (u64)255 << 30)
        die("-m: RAM must be a multiple of 1 MiB, from 1 MiB to 255 GiB");
}

/* ---- files ---- */

static void opt_kernel(struct options *o, const char *name, const char *arg)
{
    (void)name;
    o->kernel = arg;
}
static void opt_initrd(struct options *o, const char *name, const char *arg)
{
    (void)name;
    o->initrd = arg;
}
static void opt_append(struct options *o, const char *name, const char *arg)
{
    (void)name;
    o->append = arg;
}
static void opt_dtb(struct options *o, const char *name, const char *arg)
{
    (void)name;
    o->dtb = arg;
}
static void opt_bios(struct options *o, const char *name, const char *arg)
{
    (void)name;
    o->bios = arg;
}

static char *copy(const char *text)
{
    char *p = strdup(text);
    if (!p)
        die("out of memory");
    return p;
}

static void drive_property(struct drive_config *d, const struct suboption *s, bool *plug)
{
    if (!strcmp(s->key, "file"))
        snprintf(d->file, sizeof(d->file), "%.1000s", s->value);
    else if (!strcmp(s->key, "id"))
        snprintf(d->id, sizeof(d->id), "%.60s", s->value);
    else if (!strcmp(s->key, "readonly") || !strcmp(s->key, "read-only"))
        d->readonly = suboption_bool("-drive", s);
    else if (!strcmp(s->key, "snapshot"))
        d->snapshot = suboption_bool("-drive", s);
    else if (!strcmp(s->key, "format")) {
        if (strcmp(s->value, "raw"))
            die("-drive format=%s: not supported (only raw)", s->value);
    } else if (!strcmp(s->key, "if")) {
        if (!strcmp(s->value, "pflash"))
            die("-drive if=pflash: flash is not yet supported");
        if (strcmp(s->value, "none") && strcmp(s->value, "virtio"))
            die("-drive if=%s: not supported (only virtio, none)", s->value);
        *plug = !strcmp(s->value, "virtio");
    } else if (strcmp(s->key, "cache") && strcmp(s->key, "aio") && strcmp(s->key, "media") && strcmp(s->key, "index"))
        die("-drive: no property '%s'", s->key);
}

static struct device_config *device_add(struct options *o, enum virtio_kind kind)
{
    if (o->device_count == ARRAY_LEN(o->device))
        die("-device: more than %zu virtio devices", ARRAY_LEN(o->device));
    struct device_config *d = &o->device[o->device_count++];
    *d = (struct device_config){ .kind = kind, .slot = -1 };
    return d;
}

static void opt_drive(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    bool plug = true;
    (void)name;
    if (o->drive_count == MAX_DISKS)
        die("-drive: more than %d", MAX_DISKS);
    struct drive_config *d = &o->drive[o->drive_count++];
    *d = (struct drive_config){ .readonly = false };
    while (suboption_next(&arg, NULL, &s))
        drive_property(d, &s, &plug);
    if (!d->file[0])
        die("-drive: file= is missing");
    if (!d->id[0])
        snprintf(d->id, sizeof(d->id), "#drive%u", o->drive_count - 1);
    if (plug)
        memcpy(device_add(o, VIRTIO_BLK)->drive, d->id, sizeof(d->id));
}

/* ---- devices ---- */

static void device_loader(struct options *o, const char *arg)
{
    struct suboption s;
    if (o->loader_count == MAX_LOADERS)
        die("-device loader: more than %d", MAX_LOADERS);
    struct loader_option *l = &o->loader[o->loader_count++];
    *l = (struct loader_option){ .cpu = -1 };
    bool has_data = false;
    while (suboption_next(&arg, NULL, &s)) {
        if (!strcmp(s.key, "file"))
            l->file = copy(s.value);
        else if (!strcmp(s.key, "addr"))
            l->addr = suboption_number("-device loader,addr", s.value, 1), l->has_addr = true;
        else if (!strcmp(s.key, "data"))
            l->data = suboption_number("-device loader,data", s.value, 1), has_data = true;
        else if (!strcmp(s.key, "data-len"))
            l->data_len = (unsigned)suboption_number("-device loader,data-len", s.value, 1);
        else if (!strcmp(s.key, "cpu-num"))
            l->cpu = (int)(suboption_number("-device loader,cpu-num", s.value, 1) & 0x7fffffff);
        else if (!strcmp(s.key, "force-raw"))
            l->force_raw = suboption_bool("-device loader", &s);
        else
            die("-device loader: no property '%s'", s.key);
    }
    if (has_data && (l->data_len < 1 || l->data_len > 8))
        die("-device loader: data needs data-len=1 to 8");
    if (has_data == !!l->file && (has_data || l->cpu < 0))
        die("-device loader: give file= or data= (and addr=), or addr= and cpu-num=");
    if (!l->file && !l->has_addr)
        die("-device loader: addr= is missing");
}

static int bus_slot(const char *bus)
{
    const char *prefix = "virtio-mmio-bus.";
    if (strncmp(bus, prefix, strlen(prefix)))
        die("-device: bus=%s: only virtio-mmio-bus.0 to virtio-mmio-bus.31", bus);
    u64 n = suboption_number("-device bus", bus + strlen(prefix), 1);
    if (n > 31)
        die("-device: bus=%s: only virtio-mmio-bus.0 to virtio-mmio-bus.31", bus);
    return (int)n;
}

static void device_virtio(struct options *o, const char *name, enum virtio_kind kind, const char *arg)
{
    struct suboption s;
    struct device_config *d = device_add(o, kind);
    while (suboption_next(&arg, NULL, &s)) {
        if (!strcmp(s.key, "bus"))
            d->slot = bus_slot(s.value);
        else if (kind == VIRTIO_BLK && !strcmp(s.key, "drive"))
            snprintf(d->drive, sizeof(d->drive), "%.60s", s.value);
        else if (kind == VIRTIO_BLK && !strcmp(s.key, "serial"))
            snprintf(d->serial, sizeof(d->serial), "%.20s", s.value);
        else if (strcmp(s.key, "id") && strcmp(s.key, "rng"))
            die("-device %s: no property '%s'", name, s.key);
    }
    if (kind == VIRTIO_BLK && !d->drive[0])
        die("-device %s: drive= is missing", name);
}

/* One console a virtio-serial-device: the first that has none. */
static void device_virtconsole(struct options *o, const char *arg)
{
    struct suboption s;
    struct device_config *d = NULL;
    for (unsigned n = 0; n < o->device_count && !d; n++)
        if (o->device[n].kind == VIRTIO_CONSOLE && !o->device[n].console)
            d = &o->device[n];
    if (!d)
        die("-device virtconsole: needs a -device virtio-serial-device before it (one for each)");
    d->console = true;
    while (suboption_next(&arg, NULL, &s)) {
        if (!strcmp(s.key, "chardev"))
            snprintf(d->chardev, sizeof(d->chardev), "%.60s", s.value);
        else if (strcmp(s.key, "id") && strcmp(s.key, "name") && strcmp(s.key, "bus") && strcmp(s.key, "nr"))
            die("-device virtconsole: no property '%s'", s.key);
    }
}

static void opt_device(struct options *o, const char *name, const char *arg)
{
    char device[64];
    size_t len = strcspn(arg, ",");
    (void)name;
    if (is_query(arg)) {
        listed(o, "device-models");
        return;
    }
    snprintf(device, sizeof(device), "%.*s", (int)(len < 63 ? len : 63), arg);
    arg += len + (arg[len] != 0);
    if (!strcmp(device, "loader"))
        device_loader(o, arg);
    else if (!strcmp(device, "virtio-blk-device"))
        device_virtio(o, device, VIRTIO_BLK, arg);
    else if (!strcmp(device, "virtio-serial-device"))
        device_virtio(o, device, VIRTIO_CONSOLE, arg);
    else if (!strcmp(device, "virtio-rng-device"))
        device_virtio(o, device, VIRTIO_RNG, arg);
    else if (!strcmp(device, "virtconsole"))
        device_virtconsole(o, arg);
    else if (strstr(device, "-pci") || !strcmp(device, "virtio-blk") || !strcmp(device, "virtio-serial"))
        die("-device %s: PCI is not yet supported (use virtio-blk-device, virtio-serial-device)", device);
    else if (strstr(device, "net"))
        die("-device %s: network is not yet supported", device);
    else
        die("-device %s: no such device (-device '?' lists them)", device);
}

static void opt_global(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    (void)name;
    if (!suboption_next(&arg, NULL, &s) || strcmp(s.key, "virtio-mmio.force-legacy"))
        die("-global %s: not supported (only virtio-mmio.force-legacy)", s.key);
    o->virtio_modern = !suboption_bool("-global", &s);
}

static void opt_object(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)name;
    if (strncmp(arg, "rng-", 4))
        die("-object %s: not supported (only rng-random, rng-builtin)", arg);
}

/* ---- consoles ---- */

static void char_tcp(struct char_config *c, const char *where, const char *option)
{
    const char *colon = strrchr(where, ':');
    if (!colon || strlen(colon + 1) >= sizeof(c->port))
        die("%s: expected HOST:PORT, got '%s'", option, where);
    c->kind = CHAR_TCP;
    snprintf(c->path, sizeof(c->path), "%.*s", (int)(colon - where), where);
    snprintf(c->port, sizeof(c->port), "%s", colon + 1);
}

static const struct char_config *chardev_find(const struct options *o, const char *id)
{
    for (unsigned n = 0; n < o->chardev_count; n++)
        if (!strcmp(o->chardev[n].id, id))
            return &o->chardev[n];
    die("no -chardev has id=%s", id);
}

static void opt_serial(struct options *o, const char *name, const char *arg)
{
    char where[600];
    (void)name;
    if (o->serial_count == MAX_SERIALS)
        die("-serial: the machine has %d serial ports", MAX_SERIALS);
    struct char_config *c = &o->serial[o->serial_count++];
    *c = (struct char_config){ .kind = CHAR_NULL };
    if (!strncmp(arg, "mon:", 4)) {
        c->mux = true;
        arg += 4;
    }
    snprintf(where, sizeof(where), "%s", arg);
    bool server = strstr(where, ",server") != NULL;
    if (!strcmp(arg, "stdio"))
        c->kind = CHAR_STDIO;
    else if (!strcmp(arg, "null") || !strcmp(arg, "none"))
        c->kind = CHAR_NULL;
    else if (!strncmp(arg, "chardev:", 8))
        *c = *chardev_find(o, arg + 8);
    else if (!strncmp(arg, "file:", 5)) {
        c->kind = CHAR_FILE;
        snprintf(c->path, sizeof(c->path), "%.510s", arg + 5);
    } else if (!strncmp(arg, "unix:", 5) || !strncmp(arg, "tcp:", 4) || !strncmp(arg, "telnet:", 7)) {
        if (!server || arg[1] == 'e')
            die("-serial %s: not supported (only unix:PATH,server and tcp:HOST:PORT,server)", arg);
        where[strcspn(where, ",")] = 0;
        if (arg[0] == 't')
            char_tcp(c, where + 4, "-serial");
        else
            c->kind = CHAR_UNIX, snprintf(c->path, sizeof(c->path), "%.510s", where + 5);
    } else
        die("-serial %s: not supported (stdio, mon:stdio, file:, null, none, unix:, tcp:, chardev:)", arg);
}

static void chardev_property(struct char_config *c, const struct suboption *s, bool *server, char *host, size_t room)
{
    if (!strcmp(s->key, "id"))
        snprintf(c->id, sizeof(c->id), "%.60s", s->value);
    else if (!strcmp(s->key, "path"))
        snprintf(c->path, sizeof(c->path), "%.510s", s->value);
    else if (!strcmp(s->key, "host"))
        snprintf(host, room, "%.200s", s->value);
    else if (!strcmp(s->key, "port"))
        snprintf(c->port, sizeof(c->port), "%.30s", s->value);
    else if (!strcmp(s->key, "server"))
        *server = suboption_bool("-chardev", s);
    else if (!strcmp(s->key, "mux"))
        c->mux = suboption_bool("-chardev", s);
    else if (!strcmp(s->key, "signal"))
        c->mux = !suboption_bool("-chardev", s);
    else if (strcmp(s->key, "wait") && strcmp(s->key, "nowait") && strcmp(s->key, "nodelay"))
        die("-chardev: no property '%s'", s->key);
}

static void opt_chardev(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    bool server = false;
    char host[256] = "";
    (void)name;
    if (is_query(arg)) {
        listed(o, "chardevs");
        return;
    }
    if (o->chardev_count == MAX_CHARDEVS)
        die("-chardev: more than %d", MAX_CHARDEVS);
    struct char_config *c = &o->chardev[o->chardev_count++];
    *c = (struct char_config){ .kind = CHAR_NONE };
    char kind[64] = "";
    for (const char *first = "backend"; suboption_next(&arg, first, &s); first = NULL) {
        if (!strcmp(s.key, "backend"))
            snprintf(kind, sizeof(kind), "%.60s", s.value);
        else
            chardev_property(c, &s, &server, host, sizeof(host));
    }
    if (!strcmp(kind, "socket")) {
        if (!server)
            die("-chardev socket: only server=on");
        c->kind = c->port[0] ? CHAR_TCP : CHAR_UNIX;
        if (c->port[0])
            snprintf(c->path, sizeof(c->path), "%s", host);
    } else
        c->kind = !strcmp(kind, "stdio")     ? CHAR_STDIO
                  : !strcmp(kind, "file")    ? CHAR_FILE
                  : !strcmp(kind, "null")    ? CHAR_NULL
                  : !strcmp(kind, "testdev") ? CHAR_TESTDEV
                                             : CHAR_NONE;
    if (c->kind == CHAR_NONE)
        die("-chardev %s: no such back end (-chardev '?' lists them)", kind);
    if (!c->id[0])
        die("-chardev %s: id= is missing", kind);
    if ((c->kind == CHAR_FILE || c->kind == CHAR_UNIX) && !c->path[0])
        die("-chardev %s: path= is missing", kind);
}

static void opt_nographic(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->nographic = true;
}

static void opt_display(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)name;
    if (strcmp(arg, "none"))
        die("-display %s: not yet supported (only none)", arg);
}

static void opt_monitor(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)name;
    if (strcmp(arg, "none") && strcmp(arg, "null"))
        die("-monitor %s: not yet supported (only none)", arg);
}

static void opt_accel(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)name;
    if (strncmp(arg, "tcg", 3) || (arg[3] && arg[3] != ','))
        die("-accel %s: not supported (only tcg, which stands for elmu's own engine)", arg);
}

static void opt_no_reboot(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->no_reboot = true;
}
static void opt_semihosting(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->semihosting = true;
}

static void opt_semihosting_config(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    size_t used = 0;
    (void)name;
    o->semihosting = true;
    while (suboption_next(&arg, NULL, &s)) {
        if (!strcmp(s.key, "enable"))
            o->semihosting = suboption_bool("-semihosting-config", &s);
        else if (!strcmp(s.key, "arg") && used + strlen(s.value) + 2 < sizeof(o->semihost_line))
            used += (size_t)snprintf(o->semihost_line + used, sizeof(o->semihost_line) - used, "%s%s", used ? " " : "",
                                     s.value);
        else if (strcmp(s.key, "target") && strcmp(s.key, "userspace"))
            die("-semihosting-config: %s: not supported", s.key);
    }
}

/* ---- time and chance ---- */

static void opt_rtc(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    (void)name;
    while (suboption_next(&arg, NULL, &s)) {
        struct tm tm = { .tm_isdst = 0 };
        const char *end;
        if (!strcmp(s.key, "clock") || !strcmp(s.key, "driftfix"))
            continue;
        if (strcmp(s.key, "base"))
            die("-rtc: no property '%s'", s.key);
        if (!strcmp(s.value, "utc") || !strcmp(s.value, "localtime"))
            o->rtc_base = (u64)time(NULL);
        else if (((end = strptime(s.value, "%Y-%m-%dT%H:%M:%S", &tm)) || (end = strptime(s.value, "%Y-%m-%d", &tm))) &&
                 !*end)
            o->rtc_base = (u64)timegm(&tm);
        else
            die("-rtc base=%s: expected utc or a date like 2024-02-29T12:00:00", s.value);
    }
}

static void opt_seed(struct options *o, const char *name, const char *arg) { o->seed = suboption_number(name, arg, 1); }

/* ---- Xen ---- */

static void domain_add(struct options *o, const char *name, const char *arg, bool dom0)
{
    struct suboption s;
    if (o->domain_count == MAX_DOMAINS)
        die("-%s: more than %d domains", name, MAX_DOMAINS);
    struct domain_option *d = &o->domain[o->domain_count++];
    *d = (struct domain_option){ .mem = 256, .vcpus = 1, .dom0 = dom0 };
    while (suboption_next(&arg, NULL, &s)) {
        if (!strcmp(s.key, "kernel"))
            d->kernel = copy(s.value);
        else if (!strcmp(s.key, "initrd"))
            d->initrd = copy(s.value);
        else if (!strcmp(s.key, "append"))
            d->append = copy(s.value);
        else if (!dom0 && !strcmp(s.key, "mem"))
            d->mem = suboption_number("-xen-domu mem", s.value, 1 << 20) >> 20;
        else if (!dom0 && !strcmp(s.key, "vcpus"))
            d->vcpus = (unsigned)suboption_number("-xen-domu vcpus", s.value, 1);
        else
            die("-%s: no property '%s'", name, s.key);
    }
    if (!d->kernel)
        die("-%s: kernel= is missing", name);
    if (!d->mem || d->vcpus < 1 || d->vcpus > 128)
        die("-%s: mem or vcpus out of range", name);
}

static void opt_xen_dom0(struct options *o, const char *name, const char *arg) { domain_add(o, name, arg, true); }
static void opt_xen_domu(struct options *o, const char *name, const char *arg) { domain_add(o, name, arg, false); }

/* ---- elmu's own ---- */

static void opt_engine(struct options *o, const char *name, const char *arg)
{
    if (strcmp(arg, "step") && strcmp(arg, "threaded"))
        die("--%s %s: expected step or threaded", name, arg);
    o->engine = !strcmp(arg, "step") ? ENGINE_STEP : ENGINE_THREADED;
}

static void opt_stats(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->stats = true;
}
static void opt_max_insns(struct options *o, const char *name, const char *arg)
{
    o->max_insns = suboption_number(name, arg, 1);
}

/* \n, \r, \t, \e, \\, \xHH */
static char *unescape(const char *text)
{
    char *out = copy(text), *to = out;
    for (const char *p = text; *p; p++) {
        if (*p != '\\' || !p[1]) {
            *to++ = *p;
            continue;
        }
        const char *names = "nrte\\", *values = "\n\r\t\033\\", *at = strchr(names, *++p);
        if (at)
            *to++ = values[at - names];
        else if (*p == 'x' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            char hex[3] = { p[1], p[2], 0 };
            *to++ = (char)strtoul(hex, NULL, 16);
            p += 2;
        } else {
            *to++ = '\\';
            *to++ = *p;
        }
    }
    *to = 0;
    return out;
}

static void opt_gdb(struct options *o, const char *name, const char *arg) { (void)name, o->gdb = arg; }
static void opt_gdb_default(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg, o->gdb = "tcp::1234";
}
static void opt_stopped(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg, o->stopped = true;
}
static void opt_snapshot_save(struct options *o, const char *name, const char *arg)
{
    (void)name, o->snapshot_save = arg;
}
static void opt_restore(struct options *o, const char *name, const char *arg) { (void)name, o->restore = arg; }
static void opt_record(struct options *o, const char *name, const char *arg) { (void)name, o->record = arg; }
static void opt_replay(struct options *o, const char *name, const char *arg) { (void)name, o->replay = arg; }

static void opt_until(struct options *o, const char *name, const char *arg)
{
    o->until = unescape(arg);
    if (!o->until[0])
        die("--%s: the text is empty", name);
}

static void opt_after(struct options *o, const char *name, const char *arg)
{
    if (o->after)
        die("--%s: the one before has no --send", name);
    o->after = unescape(arg);
}

static void opt_send(struct options *o, const char *name, const char *arg)
{
    if (o->send_count == MAX_SENDS)
        die("--%s: more than %d", name, MAX_SENDS);
    o->send[o->send_count++] = (struct send){ o->after ? (char *)(uintptr_t)o->after : copy(""), unescape(arg) };
    o->after = NULL;
}

static void opt_list_cpus(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    listed(o, "cpus");
}
static void opt_list_insns(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    listed(o, "insns");
}
static void opt_list_sysregs(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    listed(o, "sysregs");
}
static void opt_list_traps(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    listed(o, "traps");
}
static void opt_list_devices(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    listed(o, "devices");
}

static void opt_version(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    puts("elmu 0.1, a full-system AArch64 emulator for hypervisors and their guests");
    o->list_done = true;
}

static handler_fn opt_help;

static const struct option_row {
    const char *name, *argument;
    handler_fn *handler;
    const char *help;
} rows[] = {
#define OPTION(name, argument, handler, help) { name, argument, handler, help },
#include "frontend/options.def"
#undef OPTION
};

static void opt_help(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    puts(
        "usage: elmu [options]\n"
        "example: elmu -M virt,virtualization=on -cpu max -m 1G -nographic -kernel Image -initrd initrd -append console=ttyAMA0\n");
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        char left[80];
        if (!rows[n].help)
            continue;
        snprintf(left, sizeof(left), "-%s%s %s", strlen(rows[n].name) > 1 && n >= 48 ? "-" : "", rows[n].name,
                 rows[n].argument);
        printf("  %-38s %s\n", left, rows[n].help);
    }
    puts("\non the terminal: Ctrl-A x quits, Ctrl-A h helps");
    o->list_done = true;
}

static void option_run(struct options *o, const char *arg, int argc, char **argv, int *at)
{
    if (arg[0] != '-' || !arg[1])
        die("'%s': not an option (files are given by -kernel, -drive ...)", arg);
    const char *name = arg + (arg[1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        const struct option_row *r = &rows[n];
        if (strlen(r->name) != len || strncmp(r->name, name, len))
            continue;
        const char *value = "";
        if (r->argument[0] && name[len] == '=')
            value = name + len + 1;
        else if (r->argument[0] && ++*at < argc)
            value = argv[*at];
        else if (r->argument[0])
            die("%s: needs an argument (%s)", arg, r->argument);
        else if (name[len])
            die("%s: takes no argument", arg);
        r->handler(o, r->name, value);
        return;
    }
    die("%s: no such option (--help lists them)", arg);
}

bool options_parse(struct options *o, int argc, char **argv, int *status)
{
    *o = (struct options){ .cpu = "cortex-a57",
                           .cpus = 1,
                           .ram_size = 128 << 20,
                           .max_insns = NEVER,
                           .engine = ENGINE_THREADED,
                           .rtc_base = 1704067200 /* 2024-01-01 */ };
    *status = 0;
    for (int n = 1; n < argc; n++) {
        option_run(o, argv[n], argc, argv, &n);
        if (o->list_done)
            return false;
    }
    if (o->after)
        die("--after '%s': its --send is missing", o->after);
    if (o->untagged)
        snprintf(o->cpu + strlen(o->cpu), sizeof(o->cpu) - strlen(o->cpu), ",mte2=off");
    return true;
}
