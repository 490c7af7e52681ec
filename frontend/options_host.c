/*
 * Options about the program rather than the machine: names, messages, where files are looked for, and those of QEMU
 * that say how it does its work on the host, which change nothing here.
 */
#define _GNU_SOURCE
#include "frontend/property.h"

#include "debug/file.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* ---- accepted, by their properties ---- */

static void process_name(void *target, const char *option, const struct suboption *s)
{
    (void)target, (void)option;
    prctl(PR_SET_NAME, s->value);
}

static const struct property name_rows[] = {
    PROPERTY("guest", PROPERTY_TEXT, struct options, name),
    PROPERTY_BY("process", process_name),
    PROPERTY_ACCEPTED("debug-threads", "on off"),
};
PROPERTY_LIST(name)

void opt_name(struct options *o, const char *name, const char *arg)
{
    (void)name;
    properties_read(name_rows, ARRAY_LEN(name_rows), "-name", arg, "guest", o);
}

static const struct property msg_rows[] = {
    PROPERTY_ACCEPTED("timestamp", "on off"),
    PROPERTY_ACCEPTED("guest-name", "on off"),
};
PROPERTY_LIST(msg)

/* Messages are one line each, and say whose they are. */
void opt_msg(struct options *o, const char *name, const char *arg)
{
    (void)name;
    properties_read(msg_rows, ARRAY_LEN(msg_rows), "-msg", arg, NULL, o);
}

static const struct property overcommit_rows[] = {
    PROPERTY_ACCEPTED("mem-lock", "on off on-fault"),
    PROPERTY_ACCEPTED("cpu-pm", "on off"),
};
PROPERTY_LIST(overcommit)

void opt_overcommit(struct options *o, const char *name, const char *arg)
{
    (void)name;
    properties_read(overcommit_rows, ARRAY_LEN(overcommit_rows), "-overcommit", arg, NULL, o);
}

/* ---- -icount ---- */

struct icount {
    char *shift, *rr, *file;
};

static const struct property icount_rows[] = {
    PROPERTY("shift", PROPERTY_COPY, struct icount, shift),
    PROPERTY_ACCEPTED("align", "on off"),
    PROPERTY_ACCEPTED("sleep", "on off"),
    PROPERTY("rr", PROPERTY_COPY, struct icount, rr),
    PROPERTY("rrfile", PROPERTY_COPY, struct icount, file),
};
PROPERTY_LIST(icount)

/* An instruction takes 1 ns whatever is asked for; recording and replaying are -record and -replay. */
void opt_icount(struct options *o, const char *name, const char *arg)
{
    struct icount i = { NULL, NULL, NULL };
    (void)name;
    properties_read(icount_rows, ARRAY_LEN(icount_rows), "-icount", arg, "shift", &i);
    if (i.shift && strcmp(i.shift, "auto") && suboption_number("-icount", i.shift, 1) > 10)
        die("-icount shift=%s: Invalid shift value (auto, or 0 to 10)", i.shift);
    if (!i.rr)
        return;
    if (!word_among("record replay", i.rr) || !i.file)
        die("-icount rr=%s: expected rr=record,rrfile=FILE or rr=replay,rrfile=FILE", i.rr);
    *(strcmp(i.rr, "record") ? &o->replay : &o->record) = i.file;
}

/* ---- -echr ---- */

/* A number, of which the low five bits count, or a letter. */
void opt_echr(struct options *o, const char *name, const char *arg)
{
    u64 key = isdigit((unsigned char)arg[0]) ? suboption_number("-echr", arg, 1) : arg[0] & 0x1fu;
    (void)name;
    if (!key || key > 31 || (!isdigit((unsigned char)arg[0]) && arg[1]))
        die("-echr %s: expected a letter, or the number of a control character: 1 is Ctrl-A", arg);
    o->escape_key = (u8)key;
}

/* ---- -L ---- */

void opt_folder(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (option_is_query(arg)) {
        for (unsigned n = 0; n < o->folder_count; n++)
            puts(o->folder[n]);
        puts(DATA_FOLDER);
        o->list_done = true;
        return;
    }
    if (o->folder_count == MAX_FOLDERS)
        die("-L: more than %d", MAX_FOLDERS);
    o->folder[o->folder_count++] = arg;
}

const char *option_file(const struct options *o, const char *file)
{
    char path[4096];
    if (!file || !file[0] || file[0] == '/' || !access(file, R_OK))
        return file;
    for (unsigned n = 0; n <= o->folder_count; n++) {
        const char *folder = n < o->folder_count ? o->folder[n] : DATA_FOLDER;
        if (snprintf(path, sizeof(path), "%s/%s", folder, file) < (int)sizeof(path) && !access(path, R_OK))
            return text_copy(path);
    }
    return file;
}

/* ---- -vga ---- */

void opt_vga(struct options *o, const char *name, const char *arg)
{
    (void)o, (void)name;
    if (!word_among("none std cirrus vmware qxl xenfb tcx cg3 virtio", arg))
        die("-vga %s: unknown vga type", arg);
    if (strcmp(arg, "none"))
        fprintf(stderr,
                "elmu: warning: A -vga option was passed but this machine type does not use that option; No VGA "
                "device has been created\n");
}

void opt_no_acpi(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->given |= GIVEN_ACPI;
    o->machine.acpi = 0;
}

static const struct property screendump_rows[] = {
    PROPERTY("file", PROPERTY_TEXT, struct options, screendump),
    PROPERTY("screen", PROPERTY_NUMBER, struct options, screendump_screen),
};
void opt_screendump(struct options *o, const char *name, const char *arg)
{
    char error[256] = "which file?";
    (void)name;
    properties_read(screendump_rows, ARRAY_LEN(screendump_rows), "-screendump", arg, "file", o);
    if (!o->screendump[0] || !file_can_be(o->screendump, error))
        die("-screendump: %s", error);
}
