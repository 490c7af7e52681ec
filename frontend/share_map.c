/*
 * What a share keeps of its files beside them: owner, mode, what kind of file it is, which device. With mapped-xattr
 * in extended attributes user.virtfs.{uid,gid,mode,rdev} (little-endian, rdev 8 bytes, the others 4); with mapped-file
 * as lines virtfs.NAME=NUMBER of a file of the same name in a folder .virtfs_metadata beside it, for the share's own
 * folder in .virtfs_metadata_root. So QEMU has them, and a share can be used by both.
 */
#define _GNU_SOURCE
#include "frontend/share_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PREFIX    "user.virtfs."
#define META      ".virtfs_metadata"
#define META_ROOT META "_root"
enum { META_SIZE = 4096 };

static const struct {
    const char *name;
    u32 has;
    size_t offset, size;
} rows[] = {
    { "uid", MAP_UID, offsetof(struct mapped, uid), 4 },
    { "gid", MAP_GID, offsetof(struct mapped, gid), 4 },
    { "mode", MAP_MODE, offsetof(struct mapped, mode), 4 },
    { "rdev", MAP_RDEV, offsetof(struct mapped, rdev), 8 },
};

/* ---- in extended attributes ---- */

static int xattrs_get(int fd, struct mapped *map)
{
    char path[32], name[32];
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        snprintf(name, sizeof(name), PREFIX "%s", rows[n].name);
        if (getxattr(fd_name(fd, path), name, (u8 *)map + rows[n].offset, rows[n].size) == (ssize_t)rows[n].size)
            map->has |= rows[n].has;
    }
    return 0;
}

static int xattrs_set(int fd, const struct mapped *map)
{
    char path[32], name[32];
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        snprintf(name, sizeof(name), PREFIX "%s", rows[n].name);
        if (map->has & rows[n].has &&
            setxattr(fd_name(fd, path), name, (const u8 *)map + rows[n].offset, rows[n].size, 0))
            return errno;
    }
    return 0;
}

/* ---- in files beside it ---- */

static bool is_root(const struct at *at) { return !strcmp(at->name, "."); }

/* The folder that has them, which is made when it is to be; and the name there. -1: errno. */
static int meta_folder(const struct at *at, bool make, const char **name)
{
    *name = is_root(at) ? META_ROOT : at->name;
    if (is_root(at))
        return fcntl(at->dir, F_DUPFD_CLOEXEC, 0);
    if (make && mkdirat(at->dir, META, 0700) && errno != EEXIST)
        return -1;
    return openat(at->dir, META, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int meta_read(const struct at *at, struct mapped *map)
{
    const char *name;
    char text[META_SIZE];
    struct stat st;
    int folder = meta_folder(at, false, &name), fd = -1;
    ssize_t size = 0;
    if (folder < 0)
        return 0;
    struct at meta = { folder, name };
    int path = at_path(&meta);
    if (path >= 0 && !fstat(path, &st) && S_ISREG(st.st_mode))
        fd = open(fd_name(path, text), O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        size = read(fd, text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = 0;
    for (const char *line = text; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
        for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
            size_t length = strlen(rows[n].name);
            if (strncmp(line, "virtfs.", 7) || strncmp(line + 7, rows[n].name, length) || line[7 + length] != '=')
                continue;
            u64 value = strtoull(line + 8 + length, NULL, 10);
            memcpy((u8 *)map + rows[n].offset, &value, rows[n].size);
            map->has |= rows[n].has;
        }
    if (fd >= 0)
        close(fd);
    if (path >= 0)
        close(path);
    close(folder);
    return 0;
}

/* In one write, longer or shorter than it was. */
static int meta_write(const struct at *at, const struct mapped *map)
{
    const char *name;
    char text[256];
    struct stat st;
    int size = 0, error = 0, folder = meta_folder(at, true, &name);
    if (folder < 0)
        return errno;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        u64 value = 0;
        memcpy(&value, (const u8 *)map + rows[n].offset, rows[n].size);
        if (map->has & rows[n].has)
            size += snprintf(text + size, sizeof(text) - (size_t)size, "virtfs.%s=%llu\n", rows[n].name,
                             (unsigned long long)value);
    }
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd < 0)
        error = errno;
    else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        error = EIO;
    else if (pwrite(fd, text, (size_t)size, 0) != size || ftruncate(fd, size))
        error = ENOSPC;
    if (fd >= 0)
        close(fd);
    close(folder);
    return error;
}

/* What there is, changed by what is new. */
static int meta_change(const struct at *at, const struct mapped *map)
{
    struct mapped now = { 0 };
    meta_read(at, &now);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (map->has & rows[n].has)
            memcpy((u8 *)&now + rows[n].offset, (const u8 *)map + rows[n].offset, rows[n].size);
    now.has |= map->has;
    return meta_write(at, &now);
}

static bool is_by_file(const struct share *s) { return s->config.model == SHARE_MAPPED_FILE; }

bool map_hides(const struct share *s, const char *name)
{
    return is_by_file(s) && (!strcmp(name, META) || !strcmp(name, META_ROOT));
}

int map_linked(struct share *s, const struct at *from, const struct at *to)
{
    struct mapped map = { 0 };
    if (!is_by_file(s))
        return 0;
    meta_read(from, &map);
    return map.has ? meta_write(to, &map) : 0;
}

int map_renamed(struct share *s, const struct at *from, const struct at *to)
{
    const char *name, *name_to;
    if (!is_by_file(s))
        return 0;
    int old = meta_folder(from, false, &name), new = meta_folder(to, old >= 0, &name_to);
    if (new >= 0 && (old < 0 || renameat(old, name, new, name_to)))
        unlinkat(new, name_to, 0); /* that of what it has replaced */
    if (old >= 0)
        close(old);
    if (new >= 0)
        close(new);
    return 0;
}

/* folder: it is about to be: its own metadata, of no file any more, would keep it from that. */
int map_removed(struct share *s, const struct at *at, bool folder)
{
    const char *name;
    if (!is_by_file(s))
        return 0;
    int fd = folder ? openat(at->dir, at->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    : meta_folder(at, false, &name);
    if (fd < 0)
        return folder ? errno : 0;
    int error = folder ? unlinkat(fd, META, AT_REMOVEDIR) : unlinkat(fd, name, 0);
    error = error && folder && errno != ENOENT ? errno : 0;
    close(fd);
    return error;
}

/* ---- both ---- */

int map_get(struct share *s, const struct at *at, int fd, struct mapped *map)
{
    *map = (struct mapped){ 0 };
    if (is_by_file(s))
        return at ? meta_read(at, map) : 0;
    return xattrs_get(fd, map);
}

int map_set(struct share *s, const struct at *at, const struct mapped *map)
{
    struct stat st;
    if (is_by_file(s))
        return meta_change(at, map);
    int fd = at_path(at), error = fd < 0 ? errno : 0;
    if (error)
        return error;
    error = fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) ? EOPNOTSUPP : xattrs_set(fd, map);
    close(fd);
    return error;
}

bool map_works(const struct share *s)
{
    char path[32];
    u32 value;
    return s->config.model != SHARE_MAPPED_XATTR ||
           getxattr(fd_name(s->root, path), PREFIX "uid", &value, sizeof(value)) >= 0 || errno != EOPNOTSUPP;
}

/* ---- the guest's own extended attributes ---- */

/* Access control lists are kept as the mapped owners are, which they speak of. */
static bool is_acl(const char *name)
{
    return !strcmp(name, "system.posix_acl_access") || !strcmp(name, "system.posix_acl_default");
}

int map_xattr_name(const struct share *s, const char *name, char host[NAME_SIZE + 16], bool write)
{
    bool user = !strncmp(name, "user.", 5), kept = !strncmp(name, PREFIX, strlen(PREFIX));
    bool acl = share_maps(s) && is_acl(name);
    if (share_maps(s) && kept)
        return write ? EACCES : ENODATA;
    if (share_maps(s) && !user && !acl)
        return EOPNOTSUPP;
    snprintf(host, NAME_SIZE + 16, "%s%s", acl ? PREFIX : "", name);
    return 0;
}

u32 map_xattr_list(const struct share *s, char *list, u32 size)
{
    u32 kept = 0;
    for (u32 at = 0, length; at < size; at += length) {
        const char *name = list + at;
        length = (u32)strnlen(name, size - at) + 1;
        if (length > size - at)
            break;
        bool own = !strncmp(name, PREFIX, strlen(PREFIX)), acl = own && is_acl(name + strlen(PREFIX));
        if (share_maps(s) && !acl && (own || strncmp(name, "user.", 5)))
            continue;
        u32 skip = share_maps(s) && acl ? (u32)strlen(PREFIX) : 0;
        memmove(list + kept, name + skip, length - skip);
        kept += length - skip;
    }
    return kept;
}
