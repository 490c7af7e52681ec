/*
 * Snapshots by name: savevm, loadvm, delvm, -loadvm and QMP's jobs. QEMU keeps them in the first qcow2 disk; here each
 * is a file NAME.elmusnap (debug/snapshot.h) in the folder of -snapshots, or the current one. As on QEMU, a disk whose
 * writes go to its file allows none: it would not go back with the rest.
 */
#include "frontend/frontend.h"

#include "debug/debugger.h"
#include "debug/reverse.h"
#include "debug/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENDING ".elmusnap"
enum { PATH = 1024, NAME_MOST = 128, LIST_MOST = 4096 };

/* A name is no path: it stays in the folder, and is seen there. */
static bool path_of(const struct options *o, const char *name, char path[PATH], char error[256])
{
    bool ok = name[0] && name[0] != '.' && strlen(name) <= NAME_MOST;
    for (const char *p = name; *p; p++)
        ok = ok && *p != '/' && (u8)*p >= ' ' && *p != 127;
    if (!ok) {
        snprintf(error, 256, "'%.60s' is no name of a snapshot: 1 to %d characters, no '/', no '.' at its front", name,
                 NAME_MOST);
        return false;
    }
    if (snprintf(path, PATH, "%s/%s" ENDING, o->snapshots ? o->snapshots : ".", name) >= PATH) {
        snprintf(error, 256, "the path of snapshot '%.100s' is too long", name);
        return false;
    }
    return true;
}

static bool is_there(const char *name, const char *path, char error[256])
{
    if (!access(path, F_OK))
        return true;
    snprintf(error, 256, "Snapshot '%.60s' does not exist (no %.120s)", name, path);
    return false;
}

static bool disks_allow(struct machine *m, const struct options *o, char error[256])
{
    const struct machine_host *h = &m->d.host;
    for (unsigned n = 0; n < o->drive_count; n++)
        if (!m->options.disk[n].readonly && h->disk_change(h->ctx, n, 0) == -2) {
            snprintf(error, 256, "Device '%.63s' is writable but does not support snapshots (snapshot=on does)",
                     o->drive[n].id);
            return false;
        }
    return true;
}

bool snapshots_save(struct machine *m, const struct options *o, const char *name, char error[256])
{
    char path[PATH];
    return path_of(o, name, path, error) && disks_allow(m, o, error) && snapshot_save(m, path, true, error);
}

bool snapshots_load(struct debugger *d, const struct options *o, const char *name, char error[256])
{
    char path[PATH];
    if (d->recorded) {
        snprintf(error, 256, "not with -record or -replay: the journal has no place for it");
        return false;
    }
    if (!path_of(o, name, path, error) || !is_there(name, path, error) || !disks_allow(d->m, o, error) ||
        !snapshot_restore(d->m, path, error))
        return false;
    debugger_changed(d);
    d->cpu = d->m->turn;
    stops_moved_all(&d->stops);
    return true;
}

bool snapshots_delete(const struct options *o, const char *name, char error[256])
{
    char path[PATH];
    if (!path_of(o, name, path, error) || !is_there(name, path, error))
        return false;
    if (!unlink(path))
        return true;
    snprintf(error, 256, "Snapshot '%.60s' cannot be deleted: %s", name, strerror(errno));
    return false;
}

/* -loadvm NAME is -restore of its file. */
void snapshots_complete(struct options *o)
{
    static char path[PATH];
    char error[256];
    if (!o->loadvm)
        return;
    if (o->restore)
        die("-loadvm: -restore says already what the machine shall be");
    if (!path_of(o, o->loadvm, path, error) || !is_there(o->loadvm, path, error))
        die("-loadvm: %s", error);
    o->restore = path;
}

/* ---- the list ---- */

static int is_snapshot(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name), ending = strlen(ENDING);
    return entry->d_name[0] != '.' && size > ending && !strcmp(entry->d_name + size - ending, ENDING);
}

/* A row as QEMU's. False: the file is no snapshot. */
static bool row_add(struct text *out, const char *folder, const char *file, struct machine *scratch)
{
    char path[PATH], date[32], error[256];
    struct stat st;
    struct tm tm;
    if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path) || stat(path, &st) ||
        !snapshot_peek(path, scratch, error))
        return false;
    u64 ms = scratch->now / 1000000;
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", localtime_r(&st.st_mtime, &tm));
    text_add(out, "--        %-16.*s %7.3g MiB %19s %02llu:%02llu:%02llu.%03llu %10s\n",
             (int)(strlen(file) - strlen(ENDING)), file, (double)st.st_size / (1 << 20), date,
             (unsigned long long)(ms / 3600000), (unsigned long long)(ms / 60000 % 60),
             (unsigned long long)(ms / 1000 % 60), (unsigned long long)(ms % 1000), "");
    return true;
}

void snapshots_list(const struct options *o, struct text *out)
{
    const char *folder = o->snapshots ? o->snapshots : ".";
    struct dirent **entry = NULL;
    struct machine *scratch = calloc(1, sizeof(*scratch));
    int count = scandir(folder, &entry, is_snapshot, alphasort);
    struct text rows = { 0 };
    for (int n = 0; n < count; n++) {
        if (scratch && n < LIST_MOST)
            row_add(&rows, folder, entry[n]->d_name, scratch);
        free(entry[n]);
    }
    free(entry);
    free(scratch);
    if (rows.length)
        text_add(out, "List of snapshots present on all disks:\n%-9s %-16s %11s %19s %12s %10s\n%s", "ID", "TAG",
                 "VM SIZE", "DATE", "VM CLOCK", "ICOUNT", rows.s);
    else
        text_add(out, "There is no snapshot available.\n");
    text_free(&rows);
}
