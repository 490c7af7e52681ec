/* The options of disks: -drive, -blockdev, -hda and the like, -pflash. */
#include "frontend/property.h"

#include <stdio.h>
#include <stdlib.h>

static struct drive_config *drive_add(struct options *o, const char *option)
{
    if (o->drive_count == MAX_DISKS)
        die("%s: more than %d", option, MAX_DISKS);
    struct drive_config *d = &o->drive[o->drive_count++];
    *d = (struct drive_config){ .index = -1 };
    return d;
}

static void drive_interface(void *target, const char *option, const struct suboption *s)
{
    static const char *const names[] = { [DRIVE_VIRTIO] = "virtio", [DRIVE_NONE] = "none", [DRIVE_PFLASH] = "pflash" };
    struct drive_config *d = target;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++)
        if (!strcmp(s->value, names[n])) {
            d->interface = (enum drive_interface)n;
            return;
        }
    if (word_among("ide scsi floppy mtd sd xen", s->value))
        die("%s: machine type does not support if=%s,bus=0,unit=0 (virtio, pflash, none)", option, s->value);
    die("%s: unsupported bus type '%s' (virtio, pflash, none)", option, s->value);
}

/* A format of images, or the name of what bytes come from: those are raw. */
static void drive_driver(void *target, const char *option, const struct suboption *s)
{
    static const char protocols[] = "file host_device null-co null-aio vvfat";
    static const char formats[] = "raw qcow2 qcow qed vmdk vdi vhdx vpc parallels bochs cloop dmg";
    struct drive_config *d = target;
    if (word_among(protocols, s->value)) {
        text_set(d->protocol, sizeof(d->protocol), option, s->value);
        text_set(d->format, sizeof(d->format), option, "raw");
    } else if (word_among(formats, s->value)) {
        text_set(d->format, sizeof(d->format), option, s->value);
    } else {
        die("%s %s=%s: not supported (only %s; %s)", option, s->key, s->value, formats, protocols);
    }
}

static void drive_protocol(void *target, const char *option, const struct suboption *s)
{
    struct drive_config *d = target;
    char format[sizeof(d->format)];
    memcpy(format, d->format, sizeof(format));
    drive_driver(target, option, s);
    memcpy(d->format, format, sizeof(format));
}

static void drive_media(void *target, const char *option, const struct suboption *s)
{
    if (!word_among("disk cdrom", s->value))
        die("%s: '%s' invalid media", option, s->value);
    if (!strcmp(s->value, "cdrom"))
        ((struct drive_config *)target)->readonly = true;
}

static void drive_cache(void *target, const char *option, const struct suboption *s)
{
    if (!word_among("none off writeback writethrough directsync unsafe", s->value))
        die("%s: invalid cache option '%s'", option, s->value);
    ((struct drive_config *)target)->through = word_among("writethrough directsync", s->value);
    ((struct drive_config *)target)->unflushed = !strcmp(s->value, "unsafe");
}

static void drive_discard(void *target, const char *option, const struct suboption *s)
{
    if (!word_among("ignore off unmap on", s->value))
        die("%s: Invalid discard option '%s'", option, s->value);
    ((struct drive_config *)target)->unmap = word_among("unmap on", s->value);
}

static void drive_locking(void *target, const char *option, const struct suboption *s)
{
    if (!word_among("auto on off", s->value))
        die("%s: %s=%s: expected auto, on or off", option, s->key, s->value);
    ((struct drive_config *)target)->unlocked = !strcmp(s->value, "off");
}

static void drive_serial(void *target, const char *option, const struct suboption *s)
{
    struct drive_config *d = target;
    (void)option;
    snprintf(d->serial, sizeof(d->serial), "%.20s", s->value);
}

#define DRIVE(key, kind, field, ...) PROPERTY(key, kind, struct drive_config, field, __VA_ARGS__)
/* Of any node, of what its bytes come from (with "file." before them, or alone), of every disk. */
#define NODE_ROWS(prefix)                                                                                              \
    PROPERTY_ACCEPTED(prefix "cache.direct", "on off"), DRIVE(prefix "cache.no-flush", PROPERTY_ON, unflushed),        \
        PROPERTY_ACCEPTED(prefix "auto-read-only", "on off"),                                                          \
        PROPERTY_ACCEPTED(prefix "detect-zeroes", "on off unmap"),                                                     \
        PROPERTY_ACCEPTED(prefix "force-share", "on off")
#define SOURCE_ROWS(prefix)                                                                                            \
    DRIVE(prefix "filename", PROPERTY_TEXT, file), PROPERTY_BY(prefix "locking", drive_locking),                       \
        PROPERTY_ACCEPTED(prefix "aio", "threads native io_uring"), PROPERTY_ACCEPTED(prefix "drop-cache", "on off"),  \
        DRIVE(prefix "dir", PROPERTY_TEXT, file), DRIVE(prefix "rw", PROPERTY_ON, fat.rw),                             \
        DRIVE(prefix "floppy", PROPERTY_ON, fat.floppy), DRIVE(prefix "fat-type", PROPERTY_NUMBER, fat.bits),          \
        DRIVE(prefix "label", PROPERTY_TEXT, fat.label), PROPERTY_ACCEPTED(prefix "latency-ns", ""),                   \
        PROPERTY_ACCEPTED(prefix "read-zeroes", "on off")
#define FILE_ROWS                                                                                                      \
    SOURCE_ROWS("file."), NODE_ROWS("file."), PROPERTY_BY("file.driver", drive_protocol),                              \
        PROPERTY_ACCEPTED("file.node-name", ""), PROPERTY_ACCEPTED("file.read-only", "on off"),                        \
        PROPERTY_BY("file.discard", drive_discard)
#define DISK_ROWS                                                                                                      \
    NODE_ROWS(""), DRIVE("readonly", PROPERTY_ON, readonly), DRIVE("read-only", PROPERTY_ON, readonly),                \
        PROPERTY_BY("discard", drive_discard), DRIVE("offset", PROPERTY_NUMBER, offset),                               \
        PROPERTY_GIVEN("size", struct drive_config, size, has_size)

static const struct property drive_rows[] = {
    DRIVE("file", PROPERTY_TEXT, file),
    DRIVE("id", PROPERTY_TEXT, id),
    DRIVE("node-name", PROPERTY_TEXT, id),
    PROPERTY_BY("if", drive_interface),
    PROPERTY_BY("format", drive_driver),
    PROPERTY_BY("driver", drive_driver),
    DRIVE("snapshot", PROPERTY_ON, snapshot),
    PROPERTY_BY("cache", drive_cache),
    DRIVE("cache.writeback", PROPERTY_OFF, through),
    PROPERTY_ACCEPTED("aio", "threads native io_uring"),
    PROPERTY_BY("media", drive_media),
    DRIVE("index", PROPERTY_NUMBER, index),
    DRIVE("unit", PROPERTY_NUMBER, index),
    PROPERTY_ACCEPTED("bus", "0"),
    PROPERTY_ACCEPTED("werror", "report ignore enospc stop auto"),
    PROPERTY_ACCEPTED("rerror", "report ignore stop auto"),
    PROPERTY_ACCEPTED("copy-on-read", "on off"),
    PROPERTY_ACCEPTED("throttling.*", ""),
    PROPERTY_BY("serial", drive_serial),
    DISK_ROWS,
    FILE_ROWS,
};
PROPERTY_LIST(drive)

/* file=NODE, given before: its source becomes this one's. */
struct node {
    struct drive_config drive; /* first: rows fill its fields */
    char file[64];
};
static void node_file(void *target, const char *option, const struct suboption *s)
{
    struct node *node = target;
    text_set(node->file, sizeof(node->file), option, s->value);
}
static const struct property node_rows[] = {
    PROPERTY_BY("driver", drive_driver),
    DRIVE("node-name", PROPERTY_TEXT, id),
    PROPERTY_BY("file", node_file),
    DISK_ROWS,
    SOURCE_ROWS(""),
    FILE_ROWS,
};

static unsigned drive_find(const struct options *o, const char *id)
{
    unsigned n = 0;
    while (n < o->drive_count && strcmp(o->drive[n].id, id))
        n++;
    return n;
}

/* A number that no disk of this interface has; QEMU counts up, too. */
static void drive_number(const struct options *o, struct drive_config *d, const char *option)
{
    bool taken[MAX_DISKS] = { false };
    for (const struct drive_config *x = o->drive; x < d; x++)
        if (x->interface == DRIVE_VIRTIO && x->index < MAX_DISKS)
            taken[x->index] = true;
    if (d->index >= MAX_DISKS || (d->index >= 0 && taken[d->index]))
        die("%s: drive with bus=0, unit=%d (index=%d) exists, or it is more than %d", option, d->index, d->index,
            MAX_DISKS - 1);
    while (d->index < 0 || taken[d->index])
        d->index++;
}

/* fat:[floppy:][12:|16:|32:][rw:]DIR, in any order. */
static void drive_fat(struct drive_config *d)
{
    char *folder = d->file;
    for (size_t length; (length = strcspn(folder, ":")) < strlen(folder); folder += length + 1) {
        char word[8];
        snprintf(word, sizeof(word), "%.*s", (int)(length < sizeof(word) ? length : sizeof(word)), folder);
        if (!strcmp(word, "floppy"))
            d->fat.floppy = true;
        else if (!strcmp(word, "rw"))
            d->fat.rw = true;
        else if (word_among("12 16 32", word))
            d->fat.bits = (s32)strtol(word, NULL, 10);
        else
            break;
    }
    memmove(d->file, folder, strlen(folder) + 1);
}

/* The name of a file may say what it is. */
static void drive_prefix(struct drive_config *d, const char *option)
{
    static const struct {
        const char *prefix, *protocol;
    } rows[] = {
        { "file:", "file" }, { "host_device:", "host_device" }, { "null-co://", "null-co" }, { "fat:", "vvfat" }
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows) && !d->protocol[0]; n++) {
        size_t length = strlen(rows[n].prefix);
        if (strncmp(d->file, rows[n].prefix, length))
            continue;
        text_set(d->protocol, sizeof(d->protocol), option, rows[n].protocol);
        memmove(d->file, d->file + length, strlen(d->file + length) + 1);
        if (!strcmp(d->protocol, "vvfat"))
            drive_fat(d);
    }
    if (!d->protocol[0])
        text_set(d->protocol, sizeof(d->protocol), option, "file");
    if (!d->format[0] && strcmp(d->protocol, "file"))
        text_set(d->format, sizeof(d->format), option, strcmp(d->protocol, "host_device") ? "raw" : "");
}

/* What follows from what was said. */
static void drive_complete(struct options *o, struct drive_config *d, const char *option)
{
    drive_prefix(d, option);
    if (!d->file[0] && strncmp(d->protocol, "null-", 5))
        die("%s: file= is missing", option);
    if (!d->file[0])
        text_set(d->file, sizeof(d->file), option, d->protocol);
    if (!d->id[0])
        snprintf(d->id, sizeof(d->id), "#drive%u", o->drive_count - 1);
    if (drive_find(o, d->id) < (unsigned)(d - o->drive))
        die("%s: Duplicate ID '%s' for drive", option, d->id);
    if (d->interface != DRIVE_VIRTIO)
        return;
    drive_number(o, d, option);
    device_of_drive(o, d);
}

void opt_drive(struct options *o, const char *name, const char *arg)
{
    (void)name;
    struct drive_config *d = drive_add(o, "-drive");
    properties_read(drive_rows, ARRAY_LEN(drive_rows), "-drive", arg, NULL, d);
    drive_complete(o, d, "-drive");
}

void opt_blockdev(struct options *o, const char *name, const char *arg)
{
    char text[OPTION_TEXT];
    struct node node = { .drive = { .index = -1 } };
    struct drive_config *d = &node.drive;
    (void)name;
    if (arg[strspn(arg, " \t\n")] == '{') {
        json_flatten("-blockdev", arg, text, sizeof(text));
        arg = text;
    }
    properties_read(node_rows, ARRAY_LEN(node_rows), "-blockdev", arg, NULL, &node);
    if (!d->format[0])
        die("-blockdev: Parameter 'driver' is missing");
    if (!d->id[0])
        die("-blockdev: 'node-name' must be specified for the root node");
    d->interface = DRIVE_NONE;
    if (!node.file[0]) {
        *drive_add(o, "-blockdev") = *d;
        drive_complete(o, &o->drive[o->drive_count - 1], "-blockdev");
        return;
    }
    unsigned n = drive_find(o, node.file);
    if (n == o->drive_count)
        die("-blockdev: Cannot find device='%s' nor node-name='%s'", node.file, node.file);
    if (drive_find(o, d->id) < o->drive_count)
        die("-blockdev: Duplicate nodes with node-name='%s'", d->id);
    struct drive_config *below = &o->drive[n];
    memcpy(below->id, d->id, sizeof(d->id)); /* who uses it from now on sees this node */
    memcpy(below->format, d->format, sizeof(d->format));
    below->readonly |= d->readonly;
    below->unmap |= d->unmap;
    below->unflushed |= d->unflushed;
    below->offset += d->offset;
    below->has_size |= d->has_size;
    below->size = d->has_size ? d->size : below->size;
}

static void drive_of_file(struct options *o, const char *option, enum drive_interface interface, s32 index,
                          const char *file, bool readonly)
{
    struct drive_config *d = drive_add(o, option);
    d->interface = interface;
    d->index = index;
    d->readonly = readonly;
    text_set(d->file, sizeof(d->file), option, file);
    drive_complete(o, d, option);
}

void opt_disk(struct options *o, const char *name, const char *arg)
{
    static const struct {
        const char *name;
        s32 index;
        bool readonly;
    } rows[] = {
        { "hda", 0, false }, { "hdb", 1, false }, { "hdc", 2, false }, { "hdd", 3, false }, { "cdrom", 2, true }
    };
    char option[16];
    snprintf(option, sizeof(option), "-%s", name);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (!strcmp(rows[n].name, name)) {
            drive_of_file(o, option, DRIVE_VIRTIO, rows[n].index, arg, rows[n].readonly);
            return;
        }
    die("-sd %s: machine type does not support if=sd,bus=0,unit=0", arg);
}

void opt_pflash(struct options *o, const char *name, const char *arg)
{
    (void)name;
    drive_of_file(o, "-pflash", DRIVE_PFLASH, -1, arg, false);
    text_set(o->drive[o->drive_count - 1].format, sizeof(o->drive[0].format), "-pflash", "raw");
}
