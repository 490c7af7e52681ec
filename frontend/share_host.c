/*
 * The folder of a share. A file is found from the folder's own descriptor on, one component after the other, each of
 * them a name without a slash, as frontend/inside.c has it: so there is no way out, whatever the host's other programs
 * or a second guest exchange meanwhile. A link is data of the guest's, whom it leads where it likes.
 */
#define _GNU_SOURCE
#include "frontend/share_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

bool name_is_plain(const char *name, u32 length)
{
    return length && length < NAME_SIZE && !memchr(name, '/', length) && !memchr(name, 0, length) &&
           !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

static int failed(long result) { return result < 0 ? errno : 0; }

/* ---- finding ---- */

int at_open(struct share *s, u32 node, struct at *at)
{
    u32 path[DEPTH], depth = 0;
    for (u32 n = node; n != ROOT; n = node_get(s, n)->parent) {
        if (depth == DEPTH || node_get(s, n)->flags & NODE_GONE)
            return ENOENT;
        path[depth++] = n;
    }
    at->name = depth ? node_get(s, node)->name : ".";
    at->dir = fcntl(s->root, F_DUPFD_CLOEXEC, 0);
    while (depth > 1 && at->dir >= 0)
        at->dir = folder_enter(at->dir, node_get(s, path[--depth])->name);
    return failed(at->dir);
}

void at_close(struct at *at) { close(at->dir); }

int at_path(const struct at *at) { return openat(at->dir, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }

static int path_stat(const struct at *at, int *fd, struct stat *st)
{
    *fd = at_path(at);
    if (*fd < 0)
        return errno;
    int error = failed(fstat(*fd, st));
    if (error)
        close(*fd);
    return error;
}

/* ---- looking ---- */

static void mapped_show(const struct mapped *map, struct stat *st)
{
    if (map->has & MAP_UID)
        st->st_uid = map->uid;
    if (map->has & MAP_GID)
        st->st_gid = map->gid;
    if (map->has & MAP_MODE) {
        mode_t type = S_ISREG(st->st_mode) && map->mode & S_IFMT ? map->mode & S_IFMT : st->st_mode & S_IFMT;
        st->st_mode = type | (map->mode & 07777);
    }
    if (map->has & MAP_RDEV)
        st->st_rdev = map->rdev;
}

int host_fstat(struct share *s, int fd, const struct at *at, struct stat *st)
{
    struct mapped map;
    int error = failed(fstat(fd, st));
    if (!error && s->config.devices == SHARE_FORBID && st->st_dev != s->device)
        error = ENODEV;
    if (error || !share_maps(s))
        return error;
    error = map_get(s, at, fd, &map);
    if (!error)
        mapped_show(&map, st);
    return error;
}

int host_stat(struct share *s, const struct at *at, struct stat *st)
{
    int fd = at_path(at);
    if (fd < 0)
        return errno;
    int error = host_fstat(s, fd, at, st);
    close(fd);
    return error;
}

/* What is on another device than the folder has numbers of its own, as good as surely. */
u64 host_qid(const struct share *s, const struct stat *st)
{
    u64 other = st->st_dev == s->device ? 0 : ((u64)st->st_dev * 0x9e3779b97f4a7c15ull) | BIT(63);
    return (u64)st->st_ino ^ other;
}

/* ---- opening ---- */

int host_open(struct share *s, const struct at *at, int flags, int *fd)
{
    struct stat st;
    int path, error = path_stat(at, &path, &st);
    if (error)
        return error;
    if (s->config.devices == SHARE_FORBID && st.st_dev != s->device)
        error = ENODEV;
    else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        error = S_ISLNK(st.st_mode) ? ELOOP : ENXIO;
    else
        error = failed(*fd = file_reopen(path, flags));
    close(path);
    return error;
}

/* ---- making ---- */

/* The owner and the mode of what was just made; fd: of it, which may be of O_PATH. */
static int own(struct share *s, const struct at *at, int fd, u32 mode, dev_t rdev, u32 uid, u32 gid)
{
    char name[32];
    if (share_maps(s)) {
        struct mapped map = { .has = MAP_MODE, .uid = uid, .gid = gid, .mode = mode, .rdev = rdev };
        map.has |= (uid != ~0u ? MAP_UID : 0) | (gid != ~0u ? MAP_GID : 0);
        map.has |= S_ISCHR(mode) || S_ISBLK(mode) ? MAP_RDEV : 0;
        return map_set(s, at, &map);
    }
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) && s->config.model == SHARE_PASSTHROUGH)
        return errno;
    return S_ISLNK(mode) ? 0 : failed(chmod(fd_name(fd, name), mode & 07777));
}

/* It is made; if it cannot be what it is to be it is none. */
static int made(struct share *s, const struct at *at, u32 mode, dev_t rdev, u32 uid, u32 gid)
{
    int fd = at_path(at), error = fd < 0 ? errno : own(s, at, fd, mode, rdev, uid, gid);
    if (fd >= 0)
        close(fd);
    if (error)
        unlinkat(at->dir, at->name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
    return error;
}

static int file_create(const struct share *s, const struct at *at, int flags, u32 mode)
{
    return openat(at->dir, at->name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
                  share_maps(s) ? s->config.fmode : mode & 0777);
}

int host_create(struct share *s, const struct at *at, int flags, u32 mode, u32 uid, u32 gid, int *fd)
{
    *fd = file_create(s, at, flags, mode);
    if (*fd < 0)
        return errno;
    int error = own(s, at, *fd, (mode & 07777) | S_IFREG, 0, uid, gid);
    if (error) {
        close(*fd);
        unlinkat(at->dir, at->name, 0);
    }
    return error;
}

int host_mkdir(struct share *s, const struct at *at, u32 mode, u32 uid, u32 gid)
{
    if (mkdirat(at->dir, at->name, share_maps(s) ? s->config.dmode : mode & 0777))
        return errno;
    return made(s, at, (mode & 07777) | S_IFDIR, 0, uid, gid);
}

/* Mapped, a file with these bytes stands for it. */
static int stand_in(struct share *s, const struct at *at, const char *text, u32 mode, dev_t rdev, u32 uid, u32 gid)
{
    int fd = file_create(s, at, O_WRONLY, 0);
    if (fd < 0)
        return errno;
    bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int error = whole ? 0 : ENOSPC;
    close(fd);
    if (!error)
        return made(s, at, mode, rdev, uid, gid);
    unlinkat(at->dir, at->name, 0);
    return error;
}

int host_mknod(struct share *s, const struct at *at, u32 mode, dev_t rdev, u32 uid, u32 gid)
{
    mode_t type = mode & S_IFMT;
    if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != S_IFCHR && type != S_IFBLK)
        return EINVAL;
    if (share_maps(s))
        return stand_in(s, at, "", mode, rdev, uid, gid);
    if (mknodat(at->dir, at->name, type | (mode & 0777), rdev))
        return errno;
    return made(s, at, mode, rdev, uid, gid);
}

int host_symlink(struct share *s, const struct at *at, const char *target, u32 uid, u32 gid)
{
    if (share_maps(s))
        return stand_in(s, at, target, S_IFLNK | 0777, 0, uid, gid);
    if (symlinkat(target, at->dir, at->name))
        return errno;
    return made(s, at, S_IFLNK | 0777, 0, uid, gid);
}

int host_readlink(struct share *s, const struct at *at, char *text, size_t room)
{
    struct stat st;
    int path, fd = -1, error = path_stat(at, &path, &st);
    if (error)
        return error;
    ssize_t size = -1;
    errno = EINVAL;
    if (S_ISLNK(st.st_mode))
        size = readlinkat(path, "", text, room - 1);
    else if (share_maps(s) && S_ISREG(st.st_mode) && (fd = file_reopen(path, O_RDONLY)) >= 0)
        size = read(fd, text, room - 1);
    error = failed(size);
    text[size < 0 ? 0 : size] = 0;
    if (fd >= 0)
        close(fd);
    close(path);
    return error;
}

int host_link(struct share *s, const struct at *from, const struct at *to)
{
    if (linkat(from->dir, from->name, to->dir, to->name, 0))
        return errno;
    int error = map_linked(s, from, to);
    if (error)
        unlinkat(to->dir, to->name, 0);
    return error;
}

int host_rename(struct share *s, const struct at *from, const struct at *to)
{
    int error = failed(renameat(from->dir, from->name, to->dir, to->name));
    return error ? error : map_renamed(s, from, to);
}

int host_unlink(struct share *s, const struct at *at, bool folder)
{
    int error = folder ? map_removed(s, at, true) : 0;
    if (!error)
        error = failed(unlinkat(at->dir, at->name, folder ? AT_REMOVEDIR : 0));
    return error ? error : map_removed(s, at, false);
}

/* ---- changing ---- */

int host_chmod(struct share *s, const struct at *at, u32 mode)
{
    struct stat st;
    char name[32];
    if (share_maps(s)) {
        int error = host_stat(s, at, &st);
        struct mapped map = { .has = MAP_MODE, .mode = (st.st_mode & S_IFMT) | (mode & 07777) };
        return error ? error : map_set(s, at, &map);
    }
    int path, error = path_stat(at, &path, &st);
    if (error)
        return error;
    error = S_ISLNK(st.st_mode) ? EOPNOTSUPP : failed(chmod(fd_name(path, name), mode & 07777));
    close(path);
    return error;
}

int host_chown(struct share *s, const struct at *at, u32 uid, u32 gid)
{
    struct mapped map = { .uid = uid, .gid = gid };
    map.has = (uid != ~0u ? MAP_UID : 0) | (gid != ~0u ? MAP_GID : 0);
    if (share_maps(s))
        return map_set(s, at, &map);
    return failed(fchownat(at->dir, at->name, uid, gid, AT_SYMLINK_NOFOLLOW));
}

int host_truncate(const struct at *at, u64 size)
{
    struct stat st;
    char name[32];
    int path, error = path_stat(at, &path, &st);
    if (error)
        return error;
    error = size > INT64_MAX      ? EFBIG
            : S_ISDIR(st.st_mode) ? EISDIR
            : S_ISREG(st.st_mode) ? failed(truncate(fd_name(path, name), (off_t)size))
                                  : EINVAL;
    close(path);
    return error;
}

int host_times(const struct at *at, const struct timespec times[2])
{
    return failed(utimensat(at->dir, at->name, times, AT_SYMLINK_NOFOLLOW));
}

/* ---- folders ---- */

static int by_cookie(const void *a, const void *b)
{
    const struct share_entry *x = a, *y = b;
    return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* A hash of the name: a list goes on at the same place whatever came or went, and after a snapshot. 1 and 2 are the
 * folder's own and the one above it. */
static u64 cookie_of(const char *name)
{
    u64 hash = 0xcbf29ce484222325ull;
    if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
        return name[1] ? 2 : 1;
    for (; *name; name++)
        hash = (hash ^ (u8)*name) * 0x100000001b3ull;
    hash = (hash ^ hash >> 29) >> 1;
    return hash > 2 ? hash : 3;
}

static bool entry_add(struct share_list *l, u32 *room, u64 *names_room, u64 *names, const struct dirent *d)
{
    u64 length = strlen(d->d_name) + 1;
    if (l->count == *room) {
        u32 more = *room ? 2 * *room : 64;
        struct share_entry *entry = realloc(l->entry, more * sizeof(*entry));
        if (!entry)
            return false;
        l->entry = entry;
        *room = more;
    }
    if (*names + length > *names_room) {
        u64 more = *names_room ? 2 * *names_room : 4096;
        char *text = more < UINT32_MAX ? realloc(l->names, more) : NULL;
        if (!text)
            return false;
        l->names = text;
        *names_room = more;
    }
    memcpy(l->names + *names, d->d_name, length);
    l->entry[l->count++] = (struct share_entry){ cookie_of(d->d_name), d->d_ino, (u32)*names, d->d_type };
    *names += length;
    return true;
}

struct share_list *host_list(struct share *s, int fd)
{
    struct share_list *l = calloc(1, sizeof(*l));
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
    if (again < 0 && errno == EPERM)
        again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    u32 room = 0;
    u64 names_room = 0, names = 0;
    bool ok = l && dir;
    for (const struct dirent *d; ok && (d = readdir(dir));)
        if (!map_hides(s, d->d_name))
            ok = entry_add(l, &room, &names_room, &names, d);
    if (dir)
        closedir(dir);
    else if (again >= 0)
        close(again);
    if (ok) {
        if (l->count)
            qsort(l->entry, l->count, sizeof(*l->entry), by_cookie);
        s->list_count++;
        return l;
    }
    if (l) {
        free(l->entry);
        free(l->names);
    }
    free(l);
    return NULL;
}

/* ---- extended attributes ---- */

/* Of files and folders; nothing else has any for the guest. */
static int xattr_path(const struct at *at, int *fd, char name[32])
{
    struct stat st;
    int error = path_stat(at, fd, &st);
    if (error)
        return error;
    fd_name(*fd, name);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return 0;
    close(*fd);
    return EOPNOTSUPP;
}

s64 host_xattr(struct share *s, const struct at *at, const char *name, u8 *value, u32 room)
{
    char path[32], host[NAME_SIZE + 16] = "";
    int fd, error = name[0] ? map_xattr_name(s, name, host, false) : 0;
    ssize_t size = -1;
    error = error ? error : xattr_path(at, &fd, path);
    if (!error) {
        size = name[0] ? getxattr(path, host, value, room) : listxattr(path, (char *)value, room);
        error = errno;
        close(fd);
    }
    errno = error;
    return size >= 0 && !name[0] ? (s64)map_xattr_list(s, (char *)value, (u32)size) : size;
}

int host_xattr_set(struct share *s, const struct at *at, const char *name, const void *value, u32 size, int how)
{
    char path[32], host[NAME_SIZE + 16];
    int fd, error = map_xattr_name(s, name, host, true);
    error = error ? error : xattr_path(at, &fd, path);
    if (error)
        return error;
    error = failed(size ? setxattr(path, host, value, size, how) : removexattr(path, host));
    close(fd);
    return error;
}
