/* The options of the machine: -machine, -cpu, -smp, -m, -rtc, -semihosting-config, Xen's domains. */
#define _GNU_SOURCE
#include "frontend/property.h"

#include <stdio.h>
#include <time.h>

/* ---- -machine ---- */

static void machine_type(void *target, const char *option, const struct suboption *s)
{
    struct options *o = target;
    /* QEMU's versions differ in what is not here (LPIs, LPA2 by default): the board is that of 7.2. */
    if (!word_among("virt virt-6.0 virt-6.1 virt-6.2 virt-7.0 virt-7.1 virt-7.2", s->value))
        die("%s %s: no such machine (there is: virt)", option, s->value);
    o->machine_given = true;
}

static void machine_gic(void *target, const char *option, const struct suboption *s)
{
    u8 *version = &((struct options *)target)->machine.gic_version;
    if (!strcmp(s->value, "host"))
        die("%s gic-version=host requires KVM (there are: 2, 3, max)", option);
    if (!strcmp(s->value, "4"))
        die("%s gic-version=4: not yet supported (there are: 2, 3, max)", option);
    if (strcmp(s->value, "2") && strcmp(s->value, "3") && strcmp(s->value, "max"))
        die("%s gic-version=%s: Invalid gic-version value (there are: 2, 3, max)", option, s->value);
    *version = !strcmp(s->value, "2") ? 2 : 3;
}

static const struct property machine_rows[] = {
    PROPERTY_BY("type", machine_type),
    PROPERTY("virtualization", PROPERTY_ON, struct options, machine.virtualization),
    PROPERTY("secure", PROPERTY_ON, struct options, machine.secure),
    PROPERTY("mte", PROPERTY_OFF, struct options, untagged), /* on: what the CPU has; off: RAM without tags */
    PROPERTY_BY("gic-version", machine_gic),
    PROPERTY("highmem", PROPERTY_OFF, struct options, machine.lowmem),
    PROPERTY("dumpdtb", PROPERTY_TEXT, struct options, dumpdtb),
    PROPERTY("dtb-randomness", PROPERTY_OFF, struct options, plain_dtb),
    PROPERTY("dtb-kaslr-seed", PROPERTY_OFF, struct options, plain_dtb),
    PROPERTY("kernel", PROPERTY_COPY, struct options, kernel),
    PROPERTY("initrd", PROPERTY_COPY, struct options, initrd),
    PROPERTY("append", PROPERTY_COPY, struct options, append),
    PROPERTY("dtb", PROPERTY_COPY, struct options, dtb),
    /* Those that change nothing here, with the values that the machine has anyway. */
    PROPERTY_ACCEPTED("acpi", "on off"),
    PROPERTY_ACCEPTED("usb", "off"),
    PROPERTY_ACCEPTED("graphics", "on off"),
    PROPERTY_ACCEPTED("its", "off"),
    PROPERTY_ACCEPTED("iommu", "none"),
    PROPERTY_ACCEPTED("accel", "tcg"),
    PROPERTY_ACCEPTED("dump-guest-core", "on off"),
    PROPERTY_ACCEPTED("mem-merge", "on off"),
    PROPERTY_ACCEPTED("ras", "off"),
    PROPERTY_ACCEPTED("highmem-ecam", "on off"),
    PROPERTY_ACCEPTED("highmem-mmio", "on off"),
    PROPERTY_ACCEPTED("highmem-redists", "on off"),
    PROPERTY_ACCEPTED("compact-highmem", "on off"),
    PROPERTY_ACCEPTED("nvdimm", "off"),
    PROPERTY_ACCEPTED("suppress-vmdesc", "on off"),
    PROPERTY_ACCEPTED("kernel-irqchip", "on off"), /* of KVM's */
    PROPERTY_ACCEPTED("default-bus-bypass-iommu", "on off"),
};

static void machine_list(void)
{
    puts("Supported machines are:\n"
         "none                 empty machine (not supported)\n"
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
    o->given |= (strstr(arg, "virtualization=") ? GIVEN_VIRTUALIZATION : 0) |
                (strstr(arg, "secure=") ? GIVEN_SECURE : 0) | (strstr(arg, "mte=") ? GIVEN_CPU : 0) |
                (strstr(arg, "gic-version=") || strstr(arg, "gic_version=") ? GIVEN_GIC : 0);
    bool typed = !strchr(arg, '=') || strcspn(arg, "=") > strcspn(arg, ",");
    properties_read(machine_rows, ARRAY_LEN(machine_rows), "-machine", arg, typed ? "type" : NULL, o);
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
    text_set(o->cpu, sizeof(o->cpu) - strlen(CPU_UNTAGGED), "-cpu", arg);
}

struct smp {
    u64 cpus, product[4], max;
};
static const struct property smp_rows[] = {
    PROPERTY("cpus", PROPERTY_NUMBER, struct smp, cpus),
    PROPERTY("cores", PROPERTY_NUMBER, struct smp, product[0]),
    PROPERTY("sockets", PROPERTY_NUMBER, struct smp, product[1]),
    PROPERTY("threads", PROPERTY_NUMBER, struct smp, product[2]),
    PROPERTY("clusters", PROPERTY_NUMBER, struct smp, product[3]),
    PROPERTY("maxcpus", PROPERTY_NUMBER, struct smp, max),
};

void opt_smp(struct options *o, const char *name, const char *arg)
{
    struct smp smp = { .cpus = NEVER, .product = { 1, 1, 1, 1 } };
    (void)name;
    properties_read(smp_rows, ARRAY_LEN(smp_rows), "-smp", arg, "cpus", &smp);
    u64 product = 1;
    for (unsigned n = 0; n < ARRAY_LEN(smp.product); n++)
        product = smp.product[n] <= 0xffff ? product * smp.product[n] : 0;
    u64 cpus = smp.cpus == NEVER ? product : smp.cpus;
    if (cpus < 1 || cpus > MAX_CPUS)
        die("-smp: Invalid SMP CPUs %llu. The max CPUs supported by machine 'virt' is %d (1 to %d)",
            (unsigned long long)cpus, MAX_CPUS, MAX_CPUS);
    o->given |= GIVEN_SMP;
    o->machine.cpu_count = (unsigned)cpus;
}

void opt_memory(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    (void)name;
    for (const char *first = "size"; suboption_next(&arg, first, &s); first = NULL) {
        if (strcmp(s.key, "size"))
            die("-m: %s: memory hotplug is not supported", s.key);
        o->given |= GIVEN_MEMORY;
        o->machine.ram_size = suboption_number("-m", s.value, 1 << 20);
    }
    if (o->machine.ram_size < 1 << 20 || o->machine.ram_size % (1 << 20) || o->machine.ram_size > (u64)255 << 30)
        die("-m: RAM must be a multiple of 1 MiB, from 1 MiB to 255 GiB");
}

/* A monitor for people beside the serial port: the keys behind Ctrl-A are what there is of one. */
void opt_mon(struct options *o, const char *name, const char *arg)
{
    static const struct property rows[] = {
        PROPERTY_ACCEPTED("chardev", ""),
        PROPERTY_ACCEPTED("mode", "readline"),
        PROPERTY_ACCEPTED("pretty", "off"),
    };
    (void)name;
    properties_read(rows, ARRAY_LEN(rows), "-mon", arg, "chardev", o);
}

void opt_accel(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)name;
    if (strncmp(arg, "tcg", 3) || (arg[3] && arg[3] != ','))
        die("-accel %s: not supported (only tcg, which stands for elmu's own engine)", arg);
}

void opt_engine(struct options *o, const char *name, const char *arg)
{
    if (strcmp(arg, "step") && strcmp(arg, "threaded"))
        die("--%s %s: expected step or threaded", name, arg);
    o->engine = !strcmp(arg, "step") ? ENGINE_STEP : ENGINE_THREADED;
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

static const struct property semihosting_rows[] = {
    PROPERTY("enable", PROPERTY_ON, struct semihost, enable),
    PROPERTY_BY("arg", semihosting_arg),
    PROPERTY_ACCEPTED("target", "native auto"),
    PROPERTY("userspace", PROPERTY_ON, struct semihost, userspace),
};

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
    if (!strcmp(s->value, "utc") || !strcmp(s->value, "localtime"))
        o->machine.rtc_base = (u64)time(NULL);
    else if (((end = strptime(s->value, "%Y-%m-%dT%H:%M:%S", &tm)) || (end = strptime(s->value, "%Y-%m-%d", &tm))) &&
             !*end)
        o->machine.rtc_base = (u64)timegm(&tm);
    else
        die("%s base=%s: expected utc or a date like 2024-02-29T12:00:00", option, s->value);
}

static const struct property rtc_rows[] = {
    PROPERTY_BY("base", rtc_base),
    PROPERTY_ACCEPTED("clock", ""),
    PROPERTY_ACCEPTED("driftfix", ""),
};

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
