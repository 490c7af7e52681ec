/* The options of the machine: -machine, -cpu, -smp, -m, -rtc, -semihosting-config, Xen's domains. */
#define _GNU_SOURCE
#include "frontend/property.h"

#include <stdio.h>
#include <time.h>

/* ---- -machine ---- */

/* A version of QEMU's board before those of MACHINE_NAMES or after them. */
static bool is_other_version(const char *name)
{
    static const struct {
        unsigned major, first, last;
    } versions[] = { { 2, 6, 12 }, { 3, 0, 1 }, { 4, 0, 2 }, { 5, 0, 2 }, { 8, 0, 2 }, { 9, 0, 2 }, { 10, 0, 2 } };
    unsigned major, minor;
    int end = 0;
    if (sscanf(name, "virt-%2u.%2u%n", &major, &minor, &end) != 2 || name[end])
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(versions); n++)
        if (versions[n].major == major && versions[n].first <= minor && minor <= versions[n].last)
            return true;
    return false;
}

static void machine_type(void *target, const char *option, const struct suboption *s)
{
    struct options *o = target;
    /* QEMU's versions differ in what is not here (LPA2 by default, no ITS before 6.2): the board is that of 7.2. */
    if (!strcmp(s->value, "none")) /* for those who ask what there is: nothing runs */
        o->stopped = true;
    else if (is_other_version(s->value))
        fprintf(stderr, "elmu: warning: %s %s: the board is that of virt-7.2\n", option, s->value);
    else if (!word_among(MACHINE_NAMES, s->value))
        die("%s %s: no such machine (there is: virt)", option, s->value);
    o->machine_given = true;
}

static void machine_gic(void *target, const char *option, const struct suboption *s)
{
    struct options *o = target;
    if (!strcmp(s->value, "host"))
        die("%s gic-version=host requires KVM (there are: 2, 3, 4, max)", option);
    if (!word_among("2 3 4 max", s->value))
        die("%s gic-version=%s: Invalid gic-version value (there are: 2, 3, 4, max)", option, s->value);
    o->gic_max = !strcmp(s->value, "max");
    if (!o->gic_max)
        o->machine.gic_version = (u8)(s->value[0] - '0');
}

/* The most that there is: version 4 is for hypervisors. */
void gic_complete(struct options *o)
{
    if (o->gic_max)
        o->machine.gic_version = o->machine.virtualization ? 4 : 3;
}

static void machine_iommu(void *target, const char *option, const struct suboption *s)
{
    if (strcmp(s->value, "none") && strcmp(s->value, "smmuv3"))
        die("%s iommu=%s: expected none or smmuv3", option, s->value);
    ((struct options *)target)->machine.iommu = strcmp(s->value, "none") ? IOMMU_SMMUV3 : IOMMU_NONE;
}

/* Accelerators in the order in which they are tried: tcg among them will do. */
static void accel_set(struct options *o, const char *option, const char *names)
{
    for (size_t length; *names; names += length + (names[length] == ':')) {
        length = strcspn(names, ":");
        if (length == 3 && !strncmp(names, "tcg", 3))
            o->accel_tcg = true;
    }
    if (!o->accel_refused)
        o->accel_refused = option;
}

static void accel_name(void *target, const char *option, const struct suboption *s)
{
    char text[96];
    snprintf(text, sizeof(text), "%.24s %.60s", option, s->value);
    accel_set(target, text_copy(text), s->value);
}

/* Of forks of QEMU, whose command lines run without it as well. */
static void machine_absent(void *target, const char *option, const struct suboption *s)
{
    (void)target;
    if (suboption_bool(option, s))
        fprintf(stderr, "elmu: %s %s=on: not implemented; the guest finds none\n", option, s->key);
}

static void machine_acpi(void *target, const char *option, const struct suboption *s)
{
    if (!strcmp(s->value, "auto"))
        ((struct options *)target)->machine.acpi = 1;
    else
        ((struct options *)target)->machine.acpi = suboption_bool(option, s);
}

/* highmem-redists, highmem-ecam, highmem-mmio: what is to lie above RAM. */
static void machine_high(void *target, const char *option, const struct suboption *s)
{
    static const char *const keys[HIGH_ROWS] = { "highmem-redists", "highmem-ecam", "highmem-mmio" };
    u8 *off = &((struct options *)target)->machine.high_off;
    for (unsigned n = 0; n < HIGH_ROWS; n++)
        if (option_name_is(keys[n], s->key))
            *off = (u8)bits_set(*off, n, n, !suboption_bool(option, s));
}

static void machine_slots(void *target, const char *option, const struct suboption *s)
{
    u64 slots = suboption_number(option, s->value, 1);
    if (slots > VIRTIO_SLOTS)
        die("%s virtio-mmio-transports=%s: at most %d", option, s->value, VIRTIO_SLOTS);
    ((struct options *)target)->machine.virtio_absent = (u8)(VIRTIO_SLOTS - slots);
}

/* In QEMU too nothing but the host's own memory errors, under KVM, would ever come that way. */
static void machine_ras(void *target, const char *option, const struct suboption *s)
{
    (void)target;
    if (suboption_bool(option, s))
        fprintf(stderr, "elmu: warning: %s ras=on: ACPI has no tables of error sources (HEST); errors are FEAT_RAS's\n",
                option);
}

static const struct property machine_rows[] = {
    PROPERTY_BY("type", machine_type),
    PROPERTY("virtualization", PROPERTY_ON, struct options, machine.virtualization, .mark = GIVEN_VIRTUALIZATION),
    PROPERTY("secure", PROPERTY_ON, struct options, machine.secure, .mark = GIVEN_SECURE),
    PROPERTY("mte", PROPERTY_OFF, struct options, untagged, .mark = GIVEN_CPU), /* on: what the CPU has; off: RAM without tags */
    PROPERTY_BY("gic-version", machine_gic, .mark = GIVEN_GIC),
    PROPERTY("highmem", PROPERTY_OFF, struct options, machine.lowmem, .mark = GIVEN_HIGHMEM),
    PROPERTY_BY("highmem-redists", machine_high, .mark = GIVEN_HIGH),
    PROPERTY_BY("highmem-ecam", machine_high, .mark = GIVEN_HIGH),
    PROPERTY_BY("highmem-mmio", machine_high, .mark = GIVEN_HIGH),
    PROPERTY("compact-highmem", PROPERTY_ON, struct options, machine.compact, .mark = GIVEN_COMPACT),
    PROPERTY_BY("virtio-mmio-transports", machine_slots, .mark = GIVEN_SLOTS),
    PROPERTY("memory-backend", PROPERTY_COPY, struct options, memory_backend),
    PROPERTY_BY("iommu", machine_iommu, .mark = GIVEN_IOMMU),
    PROPERTY_BY("acpi", machine_acpi, .mark = GIVEN_ACPI),
    PROPERTY("its", PROPERTY_ON, struct options, machine.its, .mark = GIVEN_ITS),
    PROPERTY("dumpdtb", PROPERTY_TEXT, struct options, dumpdtb),
    PROPERTY("dtb-randomness", PROPERTY_OFF, struct options, plain_dtb),
    PROPERTY("dtb-kaslr-seed", PROPERTY_OFF, struct options, plain_dtb),
    PROPERTY("kernel", PROPERTY_COPY, struct options, kernel),
    PROPERTY("initrd", PROPERTY_COPY, struct options, initrd),
    PROPERTY("append", PROPERTY_COPY, struct options, append),
    PROPERTY("dtb", PROPERTY_COPY, struct options, dtb),
    /* Those that change nothing here, with the values that the machine has anyway. */
    PROPERTY_ACCEPTED("usb", "off"),
    PROPERTY_ACCEPTED("graphics", "on off"),
    PROPERTY_BY("accel", accel_name),
    PROPERTY_ACCEPTED("dump-guest-core", "on off"),
    PROPERTY_ACCEPTED("mem-merge", "on off"),
    PROPERTY_BY("ras", machine_ras),
    PROPERTY_ACCEPTED("nvdimm", "on off"), /* none can be plugged in */
    PROPERTY_BY("mpam", machine_absent),
    PROPERTY_BY("mpam-min-msc", machine_absent),
    PROPERTY_ACCEPTED("suppress-vmdesc", "on off"),
    PROPERTY_ACCEPTED("kernel-irqchip", "on off"), /* of KVM's */
    PROPERTY_ACCEPTED("default-bus-bypass-iommu", "on off"),
};
PROPERTY_LIST(machine)

static void machine_list(void)
{
    puts("Supported machines are:\n"
         "none                 empty machine (here: one that stands, for those who ask what there is)\n"
         "virt                 elmu ARM Virtual Machine (QEMU 7.2 ARM Virtual Machine compatible) (default)");
    properties_list(machine_rows + 1, ARRAY_LEN(machine_rows) - 1, "virt");
}

void opt_machine(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (option_is_query(arg)) {
        machine_list();
        o->list_done = true;
        return;
    }
    if (strstr(arg, ",?") || strstr(arg, ",help")) {
        properties_list(machine_rows + 1, ARRAY_LEN(machine_rows) - 1, "virt");
        o->list_done = true;
        return;
    }
    bool typed = !strchr(arg, '=') || strcspn(arg, "=") > strcspn(arg, ",");
    o->given |= properties_read(machine_rows, ARRAY_LEN(machine_rows), "-machine", arg, typed ? "type" : NULL, o);
}

/* ---- -cpu, -smp, -m ---- */

void opt_cpu(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (option_is_query(arg) || strstr(arg, ",?") || strstr(arg, ",help")) {
        list_print("cpus");
        o->list_done = true;
        return;
    }
    o->given |= GIVEN_CPU;
    const char *absent = model_absent(arg);
    if (absent)
        fprintf(stderr, "elmu: -cpu: %s=on: not implemented; the guest finds none\n", absent);
    text_set(o->cpu, sizeof(o->cpu) - strlen(CPU_UNTAGGED), "-cpu", arg);
}

/* Of these each is given, or NEVER. */
struct smp {
    u64 cpus, sockets, dies, clusters, cores, threads, max;
};
static const struct property smp_rows[] = {
    PROPERTY("cpus", PROPERTY_NUMBER, struct smp, cpus),
    PROPERTY("sockets", PROPERTY_NUMBER, struct smp, sockets),
    PROPERTY("dies", PROPERTY_NUMBER, struct smp, dies),
    PROPERTY("clusters", PROPERTY_NUMBER, struct smp, clusters),
    PROPERTY("cores", PROPERTY_NUMBER, struct smp, cores),
    PROPERTY("threads", PROPERTY_NUMBER, struct smp, threads),
    PROPERTY("maxcpus", PROPERTY_NUMBER, struct smp, max),
};
PROPERTY_LIST(smp)

static u64 given(u64 value, u64 otherwise) { return value == NEVER ? otherwise : value; }

/* What was left out follows from the rest, as QEMU has it since 6.2: all in one socket, where that is possible. */
static void smp_complete(struct smp *s)
{
    u64 all = given(s->max, given(s->cpus, NEVER));
    s->clusters = given(s->clusters, 1);
    if (all == NEVER) {
        s->sockets = given(s->sockets, 1);
        s->cores = given(s->cores, 1);
        s->threads = given(s->threads, 1);
    } else if (s->cores == NEVER) {
        s->sockets = given(s->sockets, 1);
        s->threads = given(s->threads, 1);
        s->cores = all / (s->sockets * s->clusters * s->threads);
    } else if (s->sockets == NEVER) {
        s->threads = given(s->threads, 1);
        s->sockets = all / (s->clusters * s->cores * s->threads);
    }
    s->threads = given(s->threads, all / (s->sockets * s->clusters * s->cores));
    s->max = given(all, s->sockets * s->clusters * s->cores * s->threads);
    s->cpus = given(s->cpus, s->max);
}

static void smp_check(const struct smp *s)
{
    char product[160];
    snprintf(product, sizeof(product), "sockets (%u) * clusters (%u) * cores (%u) * threads (%u)", (unsigned)s->sockets,
             (unsigned)s->clusters, (unsigned)s->cores, (unsigned)s->threads);
    if (s->sockets * s->clusters * s->cores * s->threads != s->max)
        die("-smp: Invalid CPU topology: product of the hierarchy must match maxcpus: %s != maxcpus (%u)", product,
            (unsigned)s->max);
    if (s->max < s->cpus)
        die("-smp: Invalid CPU topology: maxcpus must be equal to or greater than smp: %s == maxcpus (%u) < smp_cpus "
            "(%u)",
            product, (unsigned)s->max, (unsigned)s->cpus);
    if (s->max > MAX_CPUS)
        die("-smp: Invalid SMP CPUs %u. The max CPUs supported by machine 'virt' is %d (1 to %d)", (unsigned)s->max,
            MAX_CPUS, MAX_CPUS);
}

void opt_smp(struct options *o, const char *name, const char *arg)
{
    struct smp smp = { NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER };
    (void)name;
    properties_read(smp_rows, ARRAY_LEN(smp_rows), "-smp", arg, "cpus", &smp);
    if (smp.cpus == 0)
        die("-smp: Invalid SMP CPUs 0. The min CPUs supported by machine 'virt' is 1 (1 to %d)", MAX_CPUS);
    u64 number[ARRAY_LEN(smp_rows)];
    static_assert(sizeof(number) == sizeof(smp), "a row each");
    memcpy(number, &smp, sizeof(number));
    for (unsigned n = 0; n < ARRAY_LEN(smp_rows); n++)
        if (number[n] == 0 || (number[n] != NEVER && number[n] > 0xffff))
            die("-smp: %s=%llu: Invalid CPU topology: from 1 to 65535", smp_rows[n].key, (unsigned long long)number[n]);
    if (smp.dies != NEVER && smp.dies != 1)
        die("-smp: dies not supported by this machine's CPU topology");
    smp_complete(&smp);
    smp_check(&smp);
    o->given |= GIVEN_SMP;
    o->machine.cpu_count = (unsigned)smp.cpus;
    o->machine.clusters = (u16)smp.clusters;
    o->machine.cores = (u16)smp.cores;
    o->machine.threads = (u16)smp.threads;
}

static void ram_size_check(u64 size)
{
    if (size < 1 << 20 || size % (1 << 20) || size > (u64)1 << 40)
        die("-m: RAM must be a multiple of 1 MiB, from 1 MiB to 1 TiB");
}

enum { ACPI_SLOTS = 256 };

void opt_memory(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    u64 most = NEVER, slots = 0;
    (void)name;
    for (const char *first = "size"; suboption_next(&arg, first, &s); first = NULL) {
        if (!strcmp(s.key, "slots") || !strcmp(s.key, "maxmem")) { /* of memory that nothing here can plug in */
            u64 *number = s.key[0] == 'm' ? &most : &slots;
            *number = suboption_number("-m", s.value, s.key[0] == 'm' ? 1 << 20 : 1);
            continue;
        }
        if (strcmp(s.key, "size"))
            die("-m: no property '%s' (there is: size, slots, maxmem)", s.key);
        o->given |= GIVEN_MEMORY;
        o->machine.ram_size = suboption_number("-m", s.value, 1 << 20);
    }
    if (most < o->machine.ram_size)
        die("-m: invalid value of maxmem: maximum memory size (0x%llx) must be at least the initial memory size (0x%llx)",
            (unsigned long long)most, (unsigned long long)o->machine.ram_size);
    if (slots > ACPI_SLOTS)
        die("-m: unsupported amount of memory slots: %llu (at most %d)", (unsigned long long)slots, ACPI_SLOTS);
    ram_size_check(o->machine.ram_size);
    o->machine.ram_more = (most == NEVER ? 0 : most - o->machine.ram_size) + (slots << 30);
}

/* ---- -object, -numa ---- */

/* RAM is elmu's own whatever stands behind it: a file is neither read nor written. */
static const struct property backend_rows[] = {
    PROPERTY("id", PROPERTY_COPY, struct backend_option, id),
    PROPERTY_UNIT("size", struct backend_option, size, 1),
    PROPERTY_ACCEPTED("mem-path", ""),
    PROPERTY_ACCEPTED("share", "on off"),
    PROPERTY_ACCEPTED("prealloc", "on off"),
    PROPERTY_ACCEPTED("prealloc-threads", ""),
    PROPERTY_ACCEPTED("reserve", "on off"),
    PROPERTY_ACCEPTED("merge", "on off"),
    PROPERTY_ACCEPTED("dump", "on off"),
    PROPERTY_ACCEPTED("discard-data", "on off"),
    PROPERTY_ACCEPTED("readonly", "off"),
    PROPERTY_ACCEPTED("pmem", "off"),
    PROPERTY_ACCEPTED("align", ""),
    PROPERTY_ACCEPTED("policy", ""),
    PROPERTY_ACCEPTED("host-nodes", ""),
    PROPERTY_ACCEPTED("hugetlb", "on off"),
    PROPERTY_ACCEPTED("hugetlbsize", ""),
    PROPERTY_ACCEPTED("seal", "on off"),
};
PROPERTY_LIST(backend)

static void backend_add(struct options *o, const char *arg)
{
    if (o->backend_count == MAX_BACKENDS)
        die("-object memory-backend: more than %d", MAX_BACKENDS);
    struct backend_option *b = &o->backend[o->backend_count++];
    properties_read(backend_rows, ARRAY_LEN(backend_rows), "-object memory-backend", arg, NULL, b);
    if (!b->id || !b->size)
        die("-object memory-backend: %s is missing", b->id ? "size=" : "id=");
}

/* Objects that others name: those whose users are devices have nothing to say here. */
void opt_object(struct options *o, const char *name, const char *arg)
{
    static const char kinds[] = "rng-random rng-builtin iothread thread-context throttle-group memory-backend-ram "
                                "memory-backend-file memory-backend-memfd filter-dump";
    char kind[32];
    (void)name;
    snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(arg, ","), arg);
    const char *word = !strncmp(kind, "qom-type=", 9) ? kind + 9 : kind;
    if (!word_among(kinds, word))
        die("-object %s: not supported (only %s)", arg, kinds);
    if (!strcmp(word, "filter-dump"))
        object_dump(o, arg + strcspn(arg, ",") + (strchr(arg, ',') != NULL));
    else if (!strncmp(word, "memory-", 7) && strchr(arg, ','))
        backend_add(o, strchr(arg, ',') + 1);
    else if (!strncmp(word, "memory-", 7))
        die("-object %s: id= is missing", arg);
}

struct numa {
    char *kind, *memdev;
};

/* As QEMU's virt from 5.1 on. */
static void numa_mem(void *target, const char *option, const struct suboption *s)
{
    (void)target;
    die("%s node,mem=%s: is not supported by this machine type: use memdev=ID, with -object "
        "memory-backend-ram,id=ID,size=%s",
        option, s->value, s->value);
}

static const struct property numa_rows[] = {
    PROPERTY("type", PROPERTY_COPY, struct numa, kind), PROPERTY("memdev", PROPERTY_COPY, struct numa, memdev),
    PROPERTY_BY("mem", numa_mem),          PROPERTY_ACCEPTED("nodeid", ""),     PROPERTY_ACCEPTED("cpus", ""),
    PROPERTY_ACCEPTED("node-id", ""),      PROPERTY_ACCEPTED("socket-id", ""),  PROPERTY_ACCEPTED("cluster-id", ""),
    PROPERTY_ACCEPTED("core-id", ""),      PROPERTY_ACCEPTED("thread-id", ""),  PROPERTY_ACCEPTED("src", ""),
    PROPERTY_ACCEPTED("dst", ""),          PROPERTY_ACCEPTED("val", ""),
};

/* All CPUs and all RAM are one node, which the device tree does not name. */
void opt_numa(struct options *o, const char *name, const char *arg)
{
    struct numa n = { NULL, NULL };
    (void)name;
    properties_read(numa_rows, ARRAY_LEN(numa_rows), "-numa", arg, "type", &n);
    if (!n.kind || !word_among("node cpu dist", n.kind))
        die("-numa %s: expected node, cpu or dist", arg);
    if (strcmp(n.kind, "node"))
        return;
    if (o->numa_nodes == ARRAY_LEN(o->numa_memdev))
        die("-numa: more than %zu nodes", ARRAY_LEN(o->numa_memdev));
    o->numa_memdev[o->numa_nodes++] = n.memdev;
}

static u64 backend_size(const struct options *o, const char *option, const char *id)
{
    for (unsigned n = 0; n < o->backend_count; n++)
        if (!strcmp(o->backend[n].id, id))
            return o->backend[n].size;
    die("%s=%s: Memory backend '%s' not found: no -object has this id", option, id, id);
}

void memory_complete(struct options *o)
{
    u64 size = o->memory_backend ? backend_size(o, "-machine memory-backend", o->memory_backend) : o->machine.ram_size;
    if (o->given & GIVEN_MEMORY && size != o->machine.ram_size)
        die("-machine memory-backend=%s: Size specified by -m option must match size of explicitly specified "
            "'memory-backend' property",
            o->memory_backend);
    ram_size_check(size);
    o->machine.ram_size = size;
    u64 nodes = 0;
    for (unsigned n = 0; n < o->numa_nodes; n++)
        nodes += o->numa_memdev[n] ? backend_size(o, "-numa node,memdev", o->numa_memdev[n]) : 0;
    size = nodes ? nodes : size;
    if (size != o->machine.ram_size)
        die("-numa: total memory for NUMA nodes (0x%llx) should equal RAM size (0x%llx)", (unsigned long long)size,
            (unsigned long long)o->machine.ram_size);
    if (o->numa_nodes > 1)
        fputs("elmu: warning: -numa: to the guest all CPUs and all RAM are one node\n", stderr);
}

static const struct property accel_rows[] = {
    PROPERTY_BY("accel", accel_name),
    PROPERTY_ACCEPTED("thread", ""),
    PROPERTY_ACCEPTED("tb-size", ""),
    PROPERTY_ACCEPTED("one-insn-per-tb", ""),
    PROPERTY_ACCEPTED("split-wx", ""),
    PROPERTY_ACCEPTED("kernel-irqchip", ""),
    PROPERTY_ACCEPTED("igd-passthru", ""),
};
PROPERTY_LIST(accel)

void opt_accel(struct options *o, const char *name, const char *arg)
{
    (void)name;
    properties_read(accel_rows, ARRAY_LEN(accel_rows), "-accel", arg, "accel", o);
}

void opt_enable_kvm(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    accel_set(o, "-enable-kvm", "kvm");
}

struct action {
    char *reboot, *shutdown;
};
static const struct property action_rows[] = {
    PROPERTY("reboot", PROPERTY_COPY, struct action, reboot),
    PROPERTY("shutdown", PROPERTY_COPY, struct action, shutdown),
    PROPERTY_ACCEPTED("panic", "pause shutdown exit-failure none"),
    PROPERTY_ACCEPTED("watchdog", "reset shutdown poweroff pause debug none inject-nmi"),
};
PROPERTY_LIST(action)

void opt_action(struct options *o, const char *name, const char *arg)
{
    struct action a = { NULL, NULL };
    (void)name;
    properties_read(action_rows, ARRAY_LEN(action_rows), "-action", arg, NULL, &a);
    if (a.reboot && !word_among("reset shutdown", a.reboot))
        die("-action reboot=%s: expected reset or shutdown", a.reboot);
    if (a.shutdown && !word_among("poweroff pause", a.shutdown))
        die("-action shutdown=%s: expected poweroff or pause", a.shutdown);
    o->no_reboot = a.reboot ? !strcmp(a.reboot, "shutdown") : o->no_reboot;
    o->no_shutdown = a.shutdown ? !strcmp(a.shutdown, "pause") : o->no_shutdown;
}

struct engine_said {
    char *name;
    s32 hot;
};
static const struct property engine_rows[] = {
    PROPERTY("name", PROPERTY_COPY, struct engine_said, name),
    PROPERTY("hot", PROPERTY_NUMBER, struct engine_said, hot),
};

void opt_engine(struct options *o, const char *name, const char *arg)
{
    struct engine_said said = { .hot = TIER2_HOT };
    (void)name;
    properties_read(engine_rows, ARRAY_LEN(engine_rows), "-engine", arg, "name", &said);
    if (!said.name || !word_among("step threaded tier2", said.name))
        die("-engine %s: expected step, threaded or tier2", arg);
    if (said.hot < 1 || said.hot > 255)
        die("-engine tier2,hot=%d: expected 1 to 255", said.hot);
    o->engine = !strcmp(said.name, "step") ? ENGINE_STEP : ENGINE_THREADED;
    o->tier2.hot = !strcmp(said.name, "tier2") ? (u32)said.hot : 0;
    o->tier2_asked = o->tier2.hot != 0;
}

void opt_reset(struct options *o, const char *name, const char *arg)
{
    if (strcmp(arg, "zero") && strcmp(arg, "loud"))
        die("--%s %s: expected zero or loud", name, arg);
    o->given |= GIVEN_RESET;
    o->machine.reset_loud = !strcmp(arg, "loud");
}

/* ---- -semihosting-config ---- */

void semihost_word(struct options *o, const char *option, const char *word)
{
    size_t used = strlen(o->semihost_line), room = sizeof(o->semihost_line) - used;
    if (strlen(word) + 2 > room)
        die("%s: the arguments of semihosting are too long", option);
    snprintf(o->semihost_line + used, room, "%s%s", used ? " " : "", word);
}

struct semihost {
    struct options *o;
    bool enable, userspace;
};

/* Each arg= is a word of the command line that the guest is told. */
static void semihosting_arg(void *target, const char *option, const struct suboption *s)
{
    semihost_word(((struct semihost *)target)->o, option, s->value);
}

static void semihosting_chardev(void *target, const char *option, const struct suboption *s)
{
    struct options *o = ((struct semihost *)target)->o;
    text_set(o->semihost_chardev, sizeof(o->semihost_chardev), option, s->value);
    o->machine.semihost_own = s->value[0] != 0;
}

static const struct property semihosting_rows[] = {
    PROPERTY("enable", PROPERTY_ON, struct semihost, enable),
    PROPERTY_BY("arg", semihosting_arg),
    PROPERTY_ACCEPTED("target", "native auto"),
    PROPERTY("userspace", PROPERTY_ON, struct semihost, userspace),
    PROPERTY_BY("chardev", semihosting_chardev),
};
PROPERTY_LIST(semihosting)

void opt_semihosting(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->given |= GIVEN_SEMIHOSTING;
    if (o->machine.semihosting == SEMIHOSTING_OFF)
        o->machine.semihosting = SEMIHOSTING_ON;
}

void opt_semihosting_config(struct options *o, const char *name, const char *arg)
{
    struct semihost s = { .o = o, .enable = true, .userspace = o->machine.semihosting == SEMIHOSTING_USERSPACE };
    (void)name;
    o->given |= GIVEN_SEMIHOSTING;
    properties_read(semihosting_rows, ARRAY_LEN(semihosting_rows), "-semihosting-config", arg, "enable", &s);
    o->machine.semihosting = !s.enable ? SEMIHOSTING_OFF : s.userspace ? SEMIHOSTING_USERSPACE : SEMIHOSTING_ON;
}

/* ---- time ---- */

static void rtc_base(void *target, const char *option, const struct suboption *s)
{
    struct options *o = target;
    struct tm tm = { .tm_isdst = 0 };
    const char *end;
    time_t now = time(NULL);
    if (!strcmp(s->value, "utc") || !strcmp(s->value, "localtime"))
        o->machine.rtc_base = (u64)(now + (s->value[0] == 'l' && localtime_r(&now, &tm) ? tm.tm_gmtoff : 0));
    else if (((end = strptime(s->value, "%Y-%m-%dT%H:%M:%S", &tm)) || (end = strptime(s->value, "%Y-%m-%d", &tm))) &&
             !*end)
        o->machine.rtc_base = (u64)timegm(&tm);
    else
        die("%s base=%s: expected utc, localtime or a date like 2024-02-29T12:00:00", option, s->value);
}

static const struct property rtc_rows[] = {
    PROPERTY_BY("base", rtc_base),
    PROPERTY_ACCEPTED("clock", "host rt vm"),
    PROPERTY_ACCEPTED("driftfix", "none slew"),
};
PROPERTY_LIST(rtc)

void opt_rtc(struct options *o, const char *name, const char *arg)
{
    (void)name;
    properties_read(rtc_rows, ARRAY_LEN(rtc_rows), "-rtc", arg, NULL, o);
}

/* ---- Xen ---- */

enum { DOM0_ROWS = 3 };
static const struct property domain_rows[] = {
    PROPERTY("kernel", PROPERTY_COPY, struct domain_option, kernel),
    PROPERTY("initrd", PROPERTY_COPY, struct domain_option, initrd),
    PROPERTY("append", PROPERTY_COPY, struct domain_option, append),
    /* of domains that Xen makes only */
    PROPERTY_UNIT("mem", struct domain_option, mem, 1 << 20),
    PROPERTY("vcpus", PROPERTY_NUMBER, struct domain_option, vcpus),
};

static void domain_add(struct options *o, const char *option, const char *arg, bool dom0)
{
    if (o->domain_count == MAX_DOMAINS)
        die("%s: more than %d domains", option, MAX_DOMAINS);
    struct domain_option *d = &o->domain[o->domain_count++];
    *d = (struct domain_option){ .mem = 256 << 20, .vcpus = 1, .dom0 = dom0 };
    properties_read(domain_rows, dom0 ? DOM0_ROWS : ARRAY_LEN(domain_rows), option, arg, NULL, d);
    d->mem >>= 20;
    if (!d->kernel)
        die("%s: kernel= is missing", option);
    if (!d->mem || d->vcpus < 1 || d->vcpus > 128)
        die("%s: mem or vcpus out of range", option);
}

void opt_xen_dom0(struct options *o, const char *name, const char *arg)
{
    (void)name;
    domain_add(o, "-xen-dom0", arg, true);
}
void opt_xen_domu(struct options *o, const char *name, const char *arg)
{
    (void)name;
    domain_add(o, "-xen-domu", arg, false);
}
