/* What firmware is told by the firmware configuration device: -fw_cfg, -boot, -uuid. */
#include "frontend/property.h"

#include <stdio.h>

static const struct property item_rows[] = {
    PROPERTY("name", PROPERTY_COPY, struct item_option, name),
    PROPERTY("file", PROPERTY_COPY, struct item_option, file),
    PROPERTY("string", PROPERTY_COPY, struct item_option, string),
};
PROPERTY_LIST(item)

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

static const struct property boot_rows[] = {
    PROPERTY_ACCEPTED("order", ""),
    PROPERTY_ACCEPTED("once", ""),
    PROPERTY("menu", PROPERTY_ON, struct boot_menu, menu),
    PROPERTY_ACCEPTED("splash", ""),
    PROPERTY_GIVEN("splash-time", struct boot_menu, wait, has_wait),
    PROPERTY_GIVEN("reboot-timeout", struct boot_menu, fail_wait, has_fail_wait),
    PROPERTY("strict", PROPERTY_ON, struct boot_menu, strict),
};
PROPERTY_LIST(boot)

/* The order of old machines' drives is accepted: this board's firmware goes by bootindex= and its own variables. */
void opt_boot(struct options *o, const char *name, const char *arg)
{
    (void)name;
    properties_read(boot_rows, ARRAY_LEN(boot_rows), "-boot", arg, "order", &o->boot);
    if (o->boot.wait > 0xffff || o->boot.fail_wait > 0xffff)
        die("-boot: splash-time and reboot-timeout are 0 to 65535 milliseconds");
}

const char *uuid_text(const u8 uuid[16], char text[UUID_TEXT])
{
    char *to = text;
    for (unsigned n = 0; n < 16; n++)
        to += snprintf(to, 4, n == 4 || n == 6 || n == 8 || n == 10 ? "-%02x" : "%02x", uuid[n]);
    return text;
}

void opt_uuid(struct options *o, const char *name, const char *arg)
{
    static const char form[] = "########-####-####-####-############";
    unsigned digits = 0;
    for (unsigned n = 0; n < sizeof(form); n++) {
        const char *hex = "00112233445566778899aAbBcCdDeEfF", *at = arg[n] ? strchr(hex, arg[n]) : NULL;
        if (form[n] == '#' ? !at : arg[n] != form[n])
            die("-%s %s: expected 32 digits, in groups of 8, 4, 4, 4 and 12", name, arg);
        if (form[n] != '#')
            continue;
        u8 *byte = &o->uuid[digits++ / 2];
        *byte = (u8)(*byte << 4 | (at - hex) / 2);
    }
}
