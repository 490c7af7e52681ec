/*
 * -sandbox on[,obsolete=][,elevateprivileges=][,spawn=][,resourcecontrol=]: which groups of calls are allowed while the
 * guest runs. QEMU has a list of what is denied, and allows what is not named; here it is a list of what is allowed.
 */
#include "debug/disasm.h"
#include "debug/symbols.h"
#include "frontend/screendump.h"
#include "frontend/property.h"
#include "frontend/sandbox.h"

static void group_set(void *target, const char *option, const struct suboption *s)
{
    static const struct {
        const char *key, *words;
        enum sandbox_group group;
    } keys[] = { { "obsolete", "deny allow", SANDBOX_OBSOLETE },
                 { "elevateprivileges", "deny allow children", SANDBOX_PRIVILEGES },
                 { "spawn", "deny allow", SANDBOX_SPAWN },
                 { "resourcecontrol", "deny allow", SANDBOX_RESOURCES } };
    struct options *o = target;
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++)
        if (option_name_is(keys[n].key, s->key)) {
            if (!word_among(keys[n].words, s->value))
                die("%s: invalid argument for %s: '%s' (one of: %s)", option, keys[n].key, s->value, keys[n].words);
            o->sandbox_groups =
                (u32)bits_set(o->sandbox_groups, keys[n].group, keys[n].group, !strcmp(s->value, "allow"));
        }
}

static const struct property sandbox_rows[] = {
    PROPERTY("enable", PROPERTY_ON, struct options, sandbox),
    PROPERTY_BY("obsolete", group_set, .words = "deny allow"),
    PROPERTY_BY("elevateprivileges", group_set, .words = "deny allow children"),
    PROPERTY_BY("spawn", group_set, .words = "deny allow"),
    PROPERTY_BY("resourcecontrol", group_set, .words = "deny allow"),
};
PROPERTY_LIST(sandbox)

void opt_sandbox(struct options *o, const char *name, const char *arg)
{
    (void)name;
    o->sandbox_groups = 0;
    properties_read(sandbox_rows, ARRAY_LEN(sandbox_rows), "-sandbox", arg, "enable", o);
    if (o->sandbox && !sandbox_library())
        die("-sandbox: %s", sandbox_enter(0));
}

/* Is there anything that connects or is connected to while the guest runs? */
static bool sockets_open(const struct options *o)
{
    for (unsigned n = 0; n < o->chardev_count; n++)
        if (o->chardev[n].server || o->chardev[n].reconnect || o->chardev[n].port[0])
            return true;
    return o->gdb || o->vnc.there || (o->netdev_count && !o->net_cut);
}

bool sandbox_spawns(const struct options *o) { return !o->sandbox || bit(o->sandbox_groups, SANDBOX_SPAWN); }

void sandbox_begin(const struct options *o)
{
    u32 groups = o->sandbox_groups | BIT(SANDBOX_ALWAYS);
    if (!o->sandbox)
        return;
    if (sockets_open(o))
        groups |= BIT(SANDBOX_SOCKETS);
    if (o->display.shows)
        groups |= BIT(SANDBOX_WINDOW);
#ifdef SANITIZED
    groups |= BIT(SANDBOX_SANITIZERS);
#endif
    disasm_ready(); /* nothing is loaded any more from here on */
    symbols_ready();
    screendump_png_ready();
    const char *why = sandbox_enter(groups);
    if (why)
        die("-sandbox: %s", why);
}
