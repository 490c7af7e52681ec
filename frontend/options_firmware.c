/* What firmware is told: files of the firmware configuration device (-fw_cfg). */
#include "frontend/property.h"

#include <stdio.h>

static const struct property item_rows[] = {
    PROPERTY("name", PROPERTY_COPY, struct item_option, name),
    PROPERTY("file", PROPERTY_COPY, struct item_option, file),
    PROPERTY("string", PROPERTY_COPY, struct item_option, string),
};

void opt_fw_cfg(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (o->item_count == MAX_ITEMS)
        die("-fw_cfg: more than %d", MAX_ITEMS);
    struct item_option *item = &o->item[o->item_count++];
    properties_read(item_rows, ARRAY_LEN(item_rows), "-fw_cfg", arg, "name", item);
    if (!item->name || !item->name[0])
        die("-fw_cfg: name= is missing");
    if (!item->file == !item->string)
        die("-fw_cfg name=%s: needs file= or string=, one of them", item->name);
    if (strlen(item->name) >= FW_CFG_NAME)
        die("-fw_cfg name=%s: name too long (max. %d char)", item->name, FW_CFG_NAME - 1);
    if (strncmp(item->name, "opt/", 4))
        fprintf(stderr,
                "elmu: -fw_cfg name=%s: externally provided fw_cfg item names should be prefixed with \"opt/\"\n",
                item->name);
}
