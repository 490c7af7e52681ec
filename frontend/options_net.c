/*
 * The options of networks: -netdev, -nic, -net, -object filter-dump.
 *
 * -nic makes an adapter and the other end of its wire; -net makes an adapter or an end on a hub that all of them share,
 * as QEMU has it. Adapters of both stand before those of -device, as QEMU's do.
 */
#include "frontend/net.h"
#include "frontend/netdev_vsock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHARED_HUB = 0 };

/* ---- ends ---- */

static void kinds_list(struct options *o)
{
    puts("Available netdev backend types:");
    for (unsigned n = 0; netdev_kind_get(n); n++)
        puts(netdev_kind_get(n)->name);
    o->list_done = true;
}

/* The word of `type=`, or the first word if it has no `=`. */
static void kind_word(const char *arg, char *word, size_t room)
{
    struct suboption s;
    const char *first = "type";
    word[0] = 0;
    for (; suboption_next(&arg, first, &s); first = NULL)
        if (!strcmp(s.key, "type"))
            snprintf(word, room, "%.*s", (int)room - 1, s.value);
}

/* An end by the words of an option; on a hub (-1: none). id: its name when it says none. */
static struct netdev_config *end_add(struct options *o, const char *option, const char *arg, const char *id, int hub)
{
    char word[16], name[80];
    kind_word(arg, word, sizeof(word));
    const struct netdev_kind *kind = netdev_kind_find(word);
    if (!kind)
        die("%s %s: not supported (%s ? lists what is)", option, word[0] ? word : arg, option);
    if (kind->lacks)
        die("%s %s: %s", option, word, kind->lacks);
    if (o->netdev_count == MAX_NETDEVS)
        die("%s: more than %d", option, MAX_NETDEVS);
    struct netdev_config *c = &o->netdev[o->netdev_count++];
    *c = (struct netdev_config){ .kind = kind, .hub = hub, .properties = calloc(1, kind->properties_size) };
    if (!c->properties)
        die("out of memory");
    snprintf(name, sizeof(name), "%s %s", option, word);
    properties_read(kind->rows, kind->row_count, name, arg, "type", c->properties);
    const struct netdev_common *common = c->properties;
    snprintf(c->id, sizeof(c->id), "%s", common->id[0] ? common->id : id);
    if (!c->id[0])
        die("%s: id= is missing", name);
    for (unsigned n = 0; n + 1 < o->netdev_count; n++)
        if (!strcmp(o->netdev[n].id, c->id))
            die("%s: Duplicate ID '%s' for netdev", name, c->id);
    if (kind == &netdev_hubport)
        hubport_config(c);
    return c;
}

void opt_netdev(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (option_is_query(arg))
        kinds_list(o);
    else
        end_add(o, "-netdev", arg, "", -1);
}

/* ---- adapters ---- */

void mac_read(u8 mac[6], const char *option, const char *text)
{
    unsigned n = 0;
    const char *p = text;
    for (; n < 6 && isxdigit((unsigned char)*p); n++) {
        char *end;
        unsigned long byte = strtoul(p, &end, 16);
        if (byte > 0xff || end - p > 2 || (*end != (n < 5 ? ':' : 0) && *end != (n < 5 ? '-' : 0)))
            break;
        mac[n] = (u8)byte;
        p = end + (n < 5);
    }
    if (n < 6 || *p)
        die("%s: mac=%s: expected six bytes in base 16, 52:54:00:12:34:56", option, text);
    if (mac[0] & 1)
        die("%s: mac=%s: is a multicast address", option, text);
}

struct nic_words {
    char type[16], model[64], mac[32], netdev[64], addr[16], name[64];
};
/* What of -nic is not the end's. */
static const char nic_keys[] = "model mac macaddr addr vectors";
static const struct property nic_rows[] = {
    PROPERTY("type", PROPERTY_TEXT, struct nic_words, type),
    PROPERTY("model", PROPERTY_TEXT, struct nic_words, model),
    PROPERTY("mac", PROPERTY_TEXT, struct nic_words, mac),
    PROPERTY("macaddr", PROPERTY_TEXT, struct nic_words, mac),
    PROPERTY("netdev", PROPERTY_TEXT, struct nic_words, netdev),
    PROPERTY("addr", PROPERTY_TEXT, struct nic_words, addr),
    PROPERTY("name", PROPERTY_TEXT, struct nic_words, name),
    PROPERTY("id", PROPERTY_TEXT, struct nic_words, name),
    PROPERTY_ACCEPTED("vectors", ""),
};

/* The adapter, as -device would make it. */
static void nic_add(struct options *o, const char *option, const struct nic_words *w, const char *netdev)
{
    char device[512];
    const char *model = !w->model[0] || !strcmp(w->model, "virtio") ? "virtio-net-pci" : w->model;
    if (strncmp(model, "virtio-net", strlen("virtio-net")))
        die("%s model=%s: not supported (only virtio-net-pci, virtio-net-device)", option, model);
    snprintf(device, sizeof(device), "%s%s%s%s%s%s%s", model, netdev[0] ? ",netdev=" : "", netdev,
             w->mac[0] ? ",mac=" : "", w->mac, w->addr[0] ? ",addr=" : "", w->addr);
    opt_device(o, "device", device);
    o->device[o->device_count - 1].made_by = BY_NIC;
}

/* The words of `arg` into those of the adapter and those of the end, each as an option has them. */
static void words_split(const char *arg, char *nic, char *end, size_t room)
{
    struct suboption s;
    const char *first = "type";
    nic[0] = end[0] = 0;
    for (; suboption_next(&arg, first, &s); first = NULL) {
        char *to = word_among(nic_keys, s.key) ? nic : end;
        size_t at = strlen(to);
        at += (size_t)snprintf(to + at, room - at, "%s%s=", at ? "," : "", s.key);
        for (const char *p = s.value; *p && at + 3 < room; p++) {
            to[at++] = *p;
            if (*p == ',')
                to[at++] = ',';
        }
        to[at < room ? at : room - 1] = 0;
    }
}

void opt_nic(struct options *o, const char *name, const char *arg)
{
    static char nic[2 * OPTION_TEXT], end[2 * OPTION_TEXT];
    char id[32];
    struct nic_words w = { .model = "" };
    (void)name;
    if (option_is_query(arg)) {
        kinds_list(o);
        return;
    }
    if (strlen(arg) >= OPTION_TEXT)
        die("-nic: too long");
    if (!strcmp(arg, "none"))
        return;
    words_split(arg, nic, end, sizeof(nic));
    properties_read(nic_rows, ARRAY_LEN(nic_rows), "-nic", nic, NULL, &w);
    snprintf(id, sizeof(id), "#nic%u", o->netdev_count);
    nic_add(o, "-nic", &w, end_add(o, "-nic", end, id, -1)->id);
}

void opt_net(struct options *o, const char *name, const char *arg)
{
    char word[16], id[32], port[64];
    struct nic_words w = { .model = "" };
    (void)name;
    if (option_is_query(arg)) {
        kinds_list(o);
        return;
    }
    kind_word(arg, word, sizeof(word));
    if (!strcmp(word, "none"))
        return;
    snprintf(id, sizeof(id), "#net%u", o->netdev_count);
    if (strcmp(word, "nic")) {
        end_add(o, "-net", arg, id, SHARED_HUB);
        return;
    }
    properties_read(nic_rows, ARRAY_LEN(nic_rows), "-net nic", arg, "type", &w);
    snprintf(port, sizeof(port), "hubport,hubid=%d", SHARED_HUB);
    nic_add(o, "-net nic", &w, w.netdev[0] ? w.netdev : end_add(o, "-net", port, id, SHARED_HUB)->id);
}

/* ---- virtio-vsock ---- */

void vsock_end_add(struct options *o, struct device_config *d)
{
    if (o->netdev_count == MAX_NETDEVS)
        die("-device vhost-vsock: more than %d networks", MAX_NETDEVS);
    struct netdev_config *c = &o->netdev[o->netdev_count++];
    struct vsock_config *v = calloc(1, sizeof(*v));
    if (!v)
        die("out of memory");
    v->cid = d->net.cid;
    memcpy(v->path, d->path, sizeof(v->path));
    *c = (struct netdev_config){ .kind = &netdev_vsock, .hub = -1, .properties = v };
    snprintf(c->id, sizeof(c->id), "#vsock%u", o->netdev_count);
    memcpy(d->netdev, c->id, sizeof(d->netdev));
}

/* ---- dumps ---- */

static const struct property dump_rows[] = {
    PROPERTY("id", PROPERTY_TEXT, struct dump_option, id),
    PROPERTY("netdev", PROPERTY_TEXT, struct dump_option, netdev),
    PROPERTY("file", PROPERTY_TEXT, struct dump_option, file),
    PROPERTY("maxlen", PROPERTY_NUMBER, struct dump_option, most),
    PROPERTY_ACCEPTED("queue", "all"),
    PROPERTY_ACCEPTED("status", "on"),
};

void object_dump(struct options *o, const char *arg)
{
    if (o->dump_count == MAX_DUMPS)
        die("-object filter-dump: more than %d", MAX_DUMPS);
    struct dump_option *d = &o->dump[o->dump_count++];
    *d = (struct dump_option){ .most = 65536 };
    properties_read(dump_rows, ARRAY_LEN(dump_rows), "-object filter-dump", arg, NULL, d);
    if (!d->id[0] || !d->netdev[0] || !d->file[0])
        die("-object filter-dump: %s= is missing", !d->id[0] ? "id" : !d->netdev[0] ? "netdev" : "file");
}
