/*
 * The objects of QEMU's machine protocol, as far as tools ask for them (qom-list, qom-get, types and their properties):
 *
 *     /machine                            the board: the properties of -machine
 *     /machine/unattached/device[N]       CPU N
 *     /machine/peripheral/ID              a device of -device with an id, its properties; ...
 *     /machine/peripheral-anon/device[N]  ... one without
 *     /chardevs/ID                        a back end
 *
 * Nothing of it is stored: paths are looked up in what the options made. Left out: objects of devices that the board
 * has of itself, links, writing (qom-set), paths that are only the end of one.
 */
#include "frontend/property.h"
#include "frontend/qmp.h"

#include "board/dev/virtio.h"

#include <stdio.h>

enum { NAME = 80, PATH = 4 * NAME /* an object lies at most three deep */ };

enum node_kind { NODE_ROOT, NODE_MACHINE, NODE_CPUS, NODE_NAMED, NODE_UNNAMED, NODE_CHARDEVS, NODE_CPU, NODE_DEVICE, NODE_CHARDEV };
struct node {
    enum node_kind kind;
    unsigned n; /* which CPU, device of the options, back end */
};

static json_t *not_found(struct qmp_call *c, const char *what, const char *name)
{
    qmp_fail(c, "%s '%.120s' not found", what, name);
    c->error_class = "DeviceNotFound";
    return NULL;
}

/* ---- properties ---- */

static const char *value_words(enum property_value value)
{
    return value == VALUE_BOOL ? "bool" : value == VALUE_NUMBER ? "uint64" : "str";
}

/* What a row's field holds; NULL: it has none. */
static json_t *field_value(const struct property *p, const void *target)
{
    const char *field = (const char *)target + p->field;
    u64 number = 0;
    switch (p->kind) {
    case PROPERTY_ON: return json_boolean(*(const bool *)field);
    case PROPERTY_OFF: return json_boolean(!*(const bool *)field);
    case PROPERTY_TEXT: return qmp_string(field, strlen(field));
    case PROPERTY_COPY:
        field = *(const char *const *)field;
        return qmp_string(field ? field : "", field ? strlen(field) : 0);
    case PROPERTY_NUMBER:
        memcpy(&number, field, p->size < sizeof(number) ? p->size : sizeof(number));
        return json_integer((json_int_t)number);
    default: return p->words && !strcmp(p->words, "off") ? json_false() : NULL;
    }
}

/* A property that is no row of an option's: of the machine, of a CPU, of a device. */
struct own {
    const char *name, *type;
    json_t *(*get)(const struct qmp *q, unsigned n);
};

static json_t *get_gic(const struct qmp *q, unsigned n)
{
    char text[4];
    (void)n;
    snprintf(text, sizeof(text), "%u", q->m->options.gic_version);
    return json_string(text);
}
static json_t *get_iommu(const struct qmp *q, unsigned n)
{
    (void)n;
    return json_string(q->m->options.iommu == IOMMU_SMMUV3 ? "smmuv3" : "none");
}
static json_t *get_acpi(const struct qmp *q, unsigned n)
{
    (void)n;
    return json_string(q->m->options.acpi ? "on" : "off");
}
static json_t *get_memory(const struct qmp *q, unsigned n)
{
    (void)n;
    return json_pack("{s:I}", "size", (json_int_t)q->m->options.ram_size);
}
static json_t *get_true(const struct qmp *q, unsigned n) { return (void)q, (void)n, json_true(); }
static json_t *get_false(const struct qmp *q, unsigned n) { return (void)q, (void)n, json_false(); }
static json_t *get_off(const struct qmp *q, unsigned n) { return (void)q, json_boolean(n != 0); }
static json_t *get_midr(const struct qmp *q, unsigned n)
{
    return json_integer((json_int_t)q->m->d.cpu[n].sys.midr_el1);
}
static json_t *get_affinity(const struct qmp *q, unsigned n)
{
    return json_integer((json_int_t)(q->m->d.cpu[n].sys.mpidr_el1 & 0xff00ffffffu));
}
static json_t *get_el2(const struct qmp *q, unsigned n) { return json_boolean(cpu_has(&q->m->d.cpu[n], FEAT_EL2)); }
static json_t *get_el3(const struct qmp *q, unsigned n) { return json_boolean(cpu_has(&q->m->d.cpu[n], FEAT_EL3)); }

static const struct own machine_own[] = { { "gic-version", "string", get_gic },
                                          { "iommu", "string", get_iommu },
                                          { "acpi", "OnOffAuto", get_acpi },
                                          { "memory", "MemorySizeConfiguration", get_memory } };
#define QDEV_OWN { "realized", "bool", get_true }, { "hotplugged", "bool", get_false }, { "hotpluggable", "bool", get_false }
static const struct own device_own[] = { QDEV_OWN };
static const struct own cpu_own[] = { QDEV_OWN,
                                      { "start-powered-off", "bool", get_off },
                                      { "midr", "uint64", get_midr },
                                      { "mp-affinity", "uint64", get_affinity },
                                      { "has_el2", "bool", get_el2 },
                                      { "has_el3", "bool", get_el3 } };

/* What an object or a type has: rows of options, over `target` when it is an object; its own; features of a CPU. */
struct properties {
    struct property_list rows;
    const void *target;
    const struct own *own;
    unsigned own_count;
    bool features, balloon;
};

static const struct own *own_find(const struct properties *p, const char *name)
{
    for (unsigned n = 0; n < p->own_count; n++)
        if (!strcmp(p->own[n].name, name))
            return &p->own[n];
    return NULL;
}

static void info_add(json_t *list, const char *name, const char *type)
{
    json_array_append_new(list, json_pack("{s:s,s:s}", "name", name, "type", type));
}

/* base: what each device has by being one, too. */
static void properties_add(json_t *list, const struct properties *p, bool base)
{
    for (unsigned n = base ? 0 : ARRAY_LEN(device_own); n < p->own_count; n++)
        info_add(list, p->own[n].name, p->own[n].type);
    for (unsigned n = 0; n < p->rows.count; n++) {
        const struct property *row = &p->rows.rows[n];
        if (strcmp(row->key, "id") && strcmp(row->key, "type") && !strchr(row->key, '*') && !own_find(p, row->key))
            info_add(list, row->key, value_words(property_value(row)));
    }
    for (unsigned n = 1; p->features && feature_name(n); n++)
        info_add(list, feature_name(n), "bool");
    if (p->balloon)
        info_add(list, "guest-stats", "guest statistics");
}

/* Of the balloon: bytes and counts that the guest told, the others -1. */
static json_t *guest_stats(struct machine *m)
{
    json_t *stats = json_object();
    struct balloon_state b;
    char name[NAME];
    if (!machine_balloon_state(m, &b))
        memset(&b, 0, sizeof(b));
    for (unsigned n = 0; n < BALLOON_STATISTICS; n++) {
        snprintf(name, sizeof(name), "stat-%s", balloon_statistic(n, NULL));
        json_object_set_new(stats, name, json_integer(bit(b.known, n) ? (json_int_t)b.statistic[n] : -1));
    }
    return json_pack("{s:o,s:i}", "stats", stats, "last-update", 0);
}

/* ---- types ---- */

static struct properties machine_properties(const struct options *o)
{
    return (struct properties){ properties_machine, o, machine_own, ARRAY_LEN(machine_own), false, false };
}
static struct properties cpu_properties(void)
{
    return (struct properties){ .own = cpu_own, .own_count = ARRAY_LEN(cpu_own), .features = true };
}
static struct properties model_properties(const char *model, const void *target)
{
    return (struct properties){ device_properties(model), target, device_own,
                                ARRAY_LEN(device_own),    false,  !strncmp(model, "virtio-balloon-", 15) };
}

/* Types that only others are made of, with what each is one of. */
static const char *const bases[][2] = {
    { "machine", NULL },         { "virt-machine", "machine" },  { "device", NULL },
    { "arm-cpu", "device" },     { "aarch64-cpu", "arm-cpu" },   { "pci-device", "device" },
    { "virtio-device", "device" }, { "chardev", NULL },          { "memory-backend", NULL },
    { "accel", NULL },           { "sys-bus-device", "device" },
};
static const char *const backends[] = { "memory-backend-file", "memory-backend-memfd", "memory-backend-ram" };

struct types {
    json_t *list;
    const char *implements; /* or NULL */
};

static const char *base_of(const char *name)
{
    for (unsigned n = 0; n < ARRAY_LEN(bases); n++)
        if (!strcmp(bases[n][0], name))
            return bases[n][1];
    return NULL;
}

/* Is it that type, or of a type that is? */
static bool type_is(const char *name, const char *parent, const char *wanted)
{
    if (!wanted || !strcmp(wanted, "object") || !strcmp(name, wanted))
        return true;
    for (; parent && strcmp(parent, wanted); parent = base_of(parent)) {}
    return parent;
}

static void type_see(struct types *t, const char *name, const char *parent)
{
    if (type_is(name, parent, t->implements))
        json_array_append_new(t->list, json_pack("{s:s,s:s}", "name", name, "parent", parent ? parent : "object"));
}

static void model_see(void *ctx, const char *name, const char *words)
{
    type_see(ctx, name,
             !strcmp(words, "bus PCI")          ? "pci-device"
             : !strcmp(words, "bus virtio-bus") ? "virtio-device"
                                                : "device");
}

/* The next of MACHINE_NAMES, as a type. */
static bool machine_next(const char **at, char type[NAME])
{
    size_t length = strcspn(*at += strspn(*at, " "), " ");
    snprintf(type, NAME, "%.*s-machine", (int)length, *at);
    *at += length;
    return length != 0;
}

/* A kind of device that the board has of itself, by QEMU's name. */
static const char *board_type(const struct kind *kind)
{
    static const char *const names[][2] = { { "fw_cfg", "fw_cfg_mem" },
                                            { "pcie", "gpex-pcihost" },
                                            { "smmu_v3", "arm-smmuv3" },
                                            { "virtio_mmio", "virtio-mmio" } };
    for (unsigned n = 0; n < ARRAY_LEN(names); n++)
        if (!strcmp(kind->name, names[n][0]))
            return names[n][1];
    return kind->name;
}

/* Each kind once. */
static void board_types_add(struct types *t)
{
    for (unsigned row = 0; row < ROW_FUNCTIONS; row++) {
        const struct kind *kind = row_get(row)->kind;
        unsigned before = 0;
        while (before < row && row_get(before)->kind != kind)
            before++;
        if (kind && before == row)
            type_see(t, board_type(kind), "sys-bus-device");
    }
}

static void types_add(struct types *t)
{
    char name[NAME];
    board_types_add(t);
    type_see(t, "container", NULL);
    type_see(t, "tcg-accel", "accel"); /* as -accel has it */
    type_see(t, "none-machine", "machine");
    for (const char *at = MACHINE_NAMES; machine_next(&at, name);)
        if (strcmp(name, "virt-machine"))
            type_see(t, name, "virt-machine");
    for (unsigned n = 0; model_name(n); n++) {
        snprintf(name, sizeof(name), "%.60s-arm-cpu", model_name(n));
        type_see(t, name, "aarch64-cpu");
    }
    models_each(model_see, t);
    for (unsigned n = 0; char_kind_get(n); n++) {
        snprintf(name, sizeof(name), "chardev-%.60s", char_kind_get(n)->name);
        type_see(t, name, "chardev");
    }
    for (unsigned n = 0; n < ARRAY_LEN(backends); n++)
        type_see(t, backends[n], "memory-backend");
}

json_t *qom_list_types(struct qmp_call *c)
{
    struct types t = { json_array(), qmp_text(c, "implements") };
    types_add(&t);
    for (unsigned n = 0; qmp_flag(c, "abstract") && n < ARRAY_LEN(bases); n++)
        if (type_is(bases[n][0], bases[n][1], t.implements))
            json_array_append_new(t.list, json_pack("{s:s,s:b,s:s}", "name", bases[n][0], "abstract", 1, "parent",
                                                    bases[n][1] ? bases[n][1] : "object"));
    return t.list;
}

static bool is_model(const char *type)
{
    char name[NAME];
    for (unsigned n = 0; model_name(n); n++) {
        snprintf(name, sizeof(name), "%.60s-arm-cpu", model_name(n));
        if (!strcmp(name, type))
            return true;
    }
    return false;
}

static bool is_backend(const char *type)
{
    for (unsigned n = 0; n < ARRAY_LEN(backends); n++)
        if (!strcmp(backends[n], type))
            return true;
    return false;
}

static bool is_machine(const char *type)
{
    char name[NAME];
    for (const char *at = MACHINE_NAMES; machine_next(&at, name);)
        if (!strcmp(name, type))
            return true;
    return false;
}

/* False: no type that has properties. */
static bool type_properties(const char *type, struct properties *p)
{
    if (is_model(type))
        *p = cpu_properties();
    else if (is_machine(type))
        *p = machine_properties(NULL);
    else
        *p = model_properties(type, NULL);
    if (is_backend(type))
        *p = (struct properties){ .rows = properties_backend };
    return p->rows.count || p->features;
}

json_t *qom_list_properties(struct qmp_call *c)
{
    const char *type = qmp_text(c, "typename");
    struct types all = { json_array(), type };
    struct properties p;
    bool has = type_properties(type, &p);
    types_add(&all);
    size_t known = json_array_size(all.list);
    json_decref(all.list);
    if (!has && !known && !base_of(type))
        return not_found(c, "Class", type);
    json_t *list = json_array();
    info_add(list, "type", "string");
    if (has)
        properties_add(list, &p, true);
    return list;
}

json_t *device_list_properties(struct qmp_call *c)
{
    const char *type = qmp_text(c, "typename");
    struct types all = { json_array(), type };
    struct properties p;
    bool has = type_properties(type, &p) && !is_machine(type) && !is_backend(type);
    types_add(&all);
    size_t known = json_array_size(all.list);
    json_decref(all.list);
    if (!has)
        return known ? qmp_fail(c, "Parameter 'typename' expects a non-abstract device type")
                     : not_found(c, "Device", type);
    json_t *list = json_array();
    properties_add(list, &p, false);
    return list;
}

/* ---- objects ---- */

/* Devices with an id, or those without one. */
static bool device_nth(const struct options *o, bool with_id, unsigned n, unsigned *found)
{
    for (unsigned k = 0; k < o->device_count; k++)
        if ((o->device[k].id[0] != 0) == with_id && !n--) {
            *found = k;
            return true;
        }
    return false;
}

/* Child n of a node. False: there is none. */
static bool child(const struct qmp *q, struct node of, unsigned n, char name[NAME], struct node *out)
{
    static const struct {
        enum node_kind of, kind;
        const char *name;
    } fixed[] = { { NODE_ROOT, NODE_MACHINE, "machine" },
                  { NODE_ROOT, NODE_CHARDEVS, "chardevs" },
                  { NODE_MACHINE, NODE_CPUS, "unattached" },
                  { NODE_MACHINE, NODE_NAMED, "peripheral" },
                  { NODE_MACHINE, NODE_UNNAMED, "peripheral-anon" } };
    const struct chardevs *ends = &q->console->ends;
    bool named = of.kind == NODE_NAMED;
    for (unsigned k = 0, left = n; k < ARRAY_LEN(fixed); k++)
        if (fixed[k].of == of.kind && !left--) {
            *out = (struct node){ fixed[k].kind, 0 };
            snprintf(name, NAME, "%s", fixed[k].name);
            return true;
        }
    *out = (struct node){ of.kind == NODE_CPUS ? NODE_CPU : of.kind == NODE_CHARDEVS ? NODE_CHARDEV : NODE_DEVICE, n };
    snprintf(name, NAME, "device[%u]", n);
    if (of.kind == NODE_CPUS)
        return n < q->m->options.cpu_count;
    if (of.kind == NODE_CHARDEVS && n < ends->count)
        snprintf(name, NAME, "%s", ends->dev[n].config->id);
    if ((named || of.kind == NODE_UNNAMED) && !device_nth(q->o, named, n, &out->n))
        return false;
    if (named)
        snprintf(name, NAME, "%s", q->o->device[out->n].id);
    return named || of.kind == NODE_UNNAMED || (of.kind == NODE_CHARDEVS && n < ends->count);
}

static const char *node_type(const struct qmp *q, struct node node, char text[NAME])
{
    snprintf(text, NAME, "container");
    if (node.kind == NODE_MACHINE)
        snprintf(text, NAME, "virt-7.2-machine");
    else if (node.kind == NODE_CPU)
        snprintf(text, NAME, "%.*s-arm-cpu", (int)(strcspn(q->o->cpu, ",") & 63), q->o->cpu);
    else if (node.kind == NODE_DEVICE)
        device_model(&q->o->device[node.n], text, NAME);
    else if (node.kind == NODE_CHARDEV)
        snprintf(text, NAME, "chardev-%.60s", q->console->ends.dev[node.n].config->kind->name);
    return text;
}

static struct properties node_properties(const struct qmp *q, struct node node)
{
    char type[NAME];
    switch (node.kind) {
    case NODE_MACHINE: return machine_properties(q->o);
    case NODE_CPU: return (struct properties){ .own = cpu_own, .own_count = ARRAY_LEN(cpu_own) };
    case NODE_DEVICE: return model_properties(node_type(q, node, type), &q->o->device[node.n]);
    default: return (struct properties){ .own_count = 0 };
    }
}

/* The object at a path, and its path without needless slashes (text of PATH bytes). False: there is none; the call has
 * failed. */
static bool node_at(struct qmp_call *c, const char *path, struct node *node, char *text)
{
    char name[NAME];
    const char *at = path;
    size_t used = 0;
    text[0] = 0;
    *node = (struct node){ NODE_ROOT, 0 };
    bool found = at[0] == '/';
    for (size_t size; found && *(at += strspn(at, "/")); at += size) {
        struct node next;
        size = strcspn(at, "/");
        found = false;
        for (unsigned n = 0; !found && child(c->all, *node, n, name, &next); n++)
            found = strlen(name) == size && !strncmp(name, at, size);
        if (!found)
            break;
        *node = next;
        used += (size_t)snprintf(text + used, PATH - used, "/%s", name);
    }
    if (!found)
        not_found(c, "Device", path);
    return found;
}

json_t *qom_list(struct qmp_call *c)
{
    char name[NAME], type[NAME], text[NAME + 8], at[PATH];
    struct node node, next;
    if (!node_at(c, qmp_text(c, "path"), &node, at))
        return NULL;
    json_t *list = json_array();
    info_add(list, "type", "string");
    struct properties p = node_properties(c->all, node);
    properties_add(list, &p, true);
    for (unsigned n = 0; child(c->all, node, n, name, &next); n++) {
        snprintf(text, sizeof(text), "child<%s>", node_type(c->all, next, type));
        info_add(list, name, text);
    }
    return list;
}

/* Of a row, an own one, or the balloon's. NULL: it has no such property, or it cannot be read. */
static json_t *node_get(const struct qmp *q, struct node node, const char *name)
{
    struct properties p = node_properties(q, node);
    const struct own *own = own_find(&p, name);
    if (own)
        return own->get(q, node.n);
    for (unsigned n = 0; n < p.rows.count; n++)
        if (!strcmp(p.rows.rows[n].key, name))
            return field_value(&p.rows.rows[n], p.target);
    return p.balloon && !strcmp(name, "guest-stats") ? guest_stats(q->m) : NULL;
}

json_t *qom_get(struct qmp_call *c)
{
    const char *wanted = qmp_text(c, "property");
    char name[NAME], type[NAME], at[PATH];
    struct node node, next;
    if (!node_at(c, qmp_text(c, "path"), &node, at))
        return NULL;
    node_type(c->all, node, type);
    if (!strcmp(wanted, "type"))
        return json_string(type);
    for (unsigned n = 0; child(c->all, node, n, name, &next); n++)
        if (!strcmp(name, wanted))
            return json_sprintf("%s/%s", at, name);
    json_t *value = node_get(c->all, node, wanted);
    return value ? value : qmp_fail(c, "Property '%s.%.80s' not found", type, wanted);
}
