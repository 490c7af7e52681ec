/*
 * Questions of the machine protocol that tools ask before they start a machine (command-line options, what CPU models
 * have), and statistics while it runs.
 */
#include "frontend/property.h"
#include "frontend/qmp.h"

#include <stdio.h>

/* ---- what there is ---- */

static const struct {
    const char *option;
    const struct property_list *list;
} tables[] = {
#define PROPERTIES(option, name) { option, &properties_##name },
#include "frontend/property.def"
};

static json_t *parameters(const struct property_list *list)
{
    static const char *const words[] = { [VALUE_BOOL] = "boolean", [VALUE_NUMBER] = "number", [VALUE_TEXT] = "string" };
    json_t *rows = json_array();
    for (unsigned n = 0; n < list->count; n++)
        if (!strchr(list->rows[n].key, '*'))
            json_array_append_new(
                rows, json_pack("{s:s,s:s}", "name", list->rows[n].key, "type", words[property_value(&list->rows[n])]));
    return rows;
}

json_t *query_command_line_options(struct qmp_call *c)
{
    const char *option = qmp_text(c, "option");
    json_t *list = json_array();
    for (unsigned n = 0; n < ARRAY_LEN(tables); n++)
        if (!option || !strcmp(option, tables[n].option))
            json_array_append_new(
                list, json_pack("{s:s,s:o}", "option", tables[n].option, "parameters", parameters(tables[n].list)));
    if (option && !json_array_size(list))
        qmp_fail(c, "invalid option name: %.80s", option);
    return list;
}

/* As -cpu has it: NAME,feature=on... False: there is no room. */
static bool model_text(const char *name, json_t *props, char *text, size_t size)
{
    const char *key;
    json_t *value;
    size_t at = (size_t)snprintf(text, size, "%s", name);
    json_object_foreach(props, key, value)
    {
        if (at < size)
            at += (size_t)snprintf(text + at, size - at, ",%s=%s", key, json_is_true(value) ? "on" : "off");
    }
    return at < size && !strchr(name, ',') && !strchr(name, '=');
}

/* With the properties that -cpu takes as features; those that the machine gives (el2, el3) are not among them. */
json_t *query_cpu_model_expansion(struct qmp_call *c)
{
    const json_t *given = json_object_get(c->args, "model");
    const char *name = json_string_value(json_object_get(given, "name"));
    json_t *props = json_object_get(given, "props"), *out = json_pack("{s:b}", "aarch64", 1);
    struct cpu_model model = { .number = 0 };
    char text[512], error[256] = "";
    if (!strcmp(qmp_text(c, "type"), "static"))
        qmp_fail(c, "The requested expansion type is not supported");
    else if (!strcmp(name, "host"))
        qmp_fail(c, "The CPU type 'host' requires KVM");
    else if (!model_text(name, props, text, sizeof(text)) || !model_parse(text, false, false, &model, error))
        qmp_fail(c, "%s", error[0] ? error : "the model and its properties are too long");
    for (unsigned n = 1; !c->error_class && feature_name(n); n++)
        if (strcmp(feature_name(n), "el2") && strcmp(feature_name(n), "el3"))
            json_object_set_new(out, feature_name(n), json_boolean(feature_has(&model.features, (enum feature)n)));
    json_t *answer = c->error_class ? NULL : json_pack("{s:{s:s,s:O}}", "model", "name", name, "props", out);
    json_decref(out);
    return answer;
}

json_t *query_hotpluggable_cpus(struct qmp_call *c)
{
    return qmp_fail(c, "The feature 'query-hotpluggable-cpus' is not enabled");
}
json_t *query_acpi_ospm_status(struct qmp_call *c)
{
    return qmp_fail(c, "command is not supported, missing ACPI device");
}
json_t *query_vm_generation_id(struct qmp_call *c)
{
    return qmp_fail(c, "this feature or command is not currently supported");
}

/* An object without members: nothing has been, all that could be said is optional. */
json_t *query_nothing(struct qmp_call *c) { return (void)c, json_object(); }

json_t *query_memdev(struct qmp_call *c)
{
    const struct options *o = c->all->o;
    return json_pack("[{s:b,s:b,s:b,s:[],s:I,s:b,s:b,s:s,s:s}]", "share", 0, "reserve", 1, "prealloc", 0, "host-nodes",
                     "size", (json_int_t)c->all->m->options.ram_size, "merge", 1, "dump", 1, "policy", "default", "id",
                     o->memory_backend ? o->memory_backend : "mach-virt.ram");
}

/* ---- disks ---- */

/* Times are not taken: requests take the guest a fixed time. */
static json_t *block_stats(const struct disk_counts *d)
{
    static const char *const names[DISK_ACCESSES] = { "rd", "wr", "flush", "unmap" };
    json_t *stats = json_pack("{s:b,s:b,s:[],s:I}", "account_invalid", 0, "account_failed", 1, "timed_stats",
                              "wr_highest_offset", (json_int_t)d->highest);
    for (unsigned n = 0; n < DISK_ACCESSES; n++) {
        const struct {
            const char *form;
            u64 value;
            bool flush; /* a flush has it, too */
        } rows[] = { { "%s_operations", d->of[n].count, true }, { "failed_%s_operations", d->of[n].failed, true },
                     { "invalid_%s_operations", 0, true },      { "%s_total_time_ns", 0, true },
                     { "%s_bytes", d->of[n].bytes, false },     { "%s_merged", 0, false } };
        for (unsigned k = 0; k < ARRAY_LEN(rows); k++) {
            char name[48];
            const char *mark = strstr(rows[k].form, "%s");
            snprintf(name, sizeof(name), "%.*s%s%s", (int)(mark - rows[k].form), rows[k].form, names[n], mark + 2);
            if (n != DISK_FLUSH || rows[k].flush)
                json_object_set_new(stats, name, json_integer((json_int_t)rows[k].value));
        }
    }
    return stats;
}

json_t *query_blockstats(struct qmp_call *c)
{
    const struct frontend *f = (const struct frontend *)c->all->console;
    json_t *list = json_array();
    for (unsigned n = 0; n < c->all->o->drive_count; n++) {
        const char *id = c->all->o->drive[n].id;
        json_t *disk = json_pack("{s:s,s:o}", "node-name", id, "stats", block_stats(disk_counts(f->disks, n)));
        if (!qmp_flag(c, "query-nodes"))
            json_object_set_new(disk, "device", json_string(id));
        json_array_append_new(list, disk);
    }
    return list;
}
