/*
 * The messages of 9P2000.L that are about what is in files, folders and extended attributes.
 *
 * The host's descriptors are few: what was not used for long is closed, and opened again by its name, as after a
 * snapshot; when the name is another file's then, the fid is stale. Locks are granted: the guest's own kernel knows
 * who of it has which, and others on the host are not asked.
 */
#define _GNU_SOURCE
#include "frontend/p9.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { OPEN_MOST = 256, LISTS_MOST = 32, DATA_HEADER = 4 };
/* Flags of Tlopen and Tlcreate: Linux's, in their generic numbers. */
enum { L_ACCESS = 3, L_EXCL = 0200, L_TRUNC = 01000, L_APPEND = 02000, L_DSYNC = 010000, L_SYNC = 04000000 };
enum { LOCK_SUCCESS = 0, LOCK_UNLOCKED = 2 };

/* ---- what is open ---- */

/* The one that was not used for longest, of those that can be opened again. */
static bool some_close(struct share *s)
{
    u32 oldest = NO_FID;
    for (u32 n = 0; n < s->fid_top; n++)
        if (s->file[n].fd && !(node_get(s, fid_get(s, n)->node)->flags & NODE_GONE) &&
            (oldest == NO_FID || s->file[n].used < s->file[oldest].used))
            oldest = n;
    if (oldest != NO_FID)
        fid_close(s, oldest);
    return oldest != NO_FID;
}

static int room_make(struct share *s) { return s->open_count < OPEN_MOST || some_close(s) ? 0 : EMFILE; }

static int file_open(struct share *s, const struct at *at, int flags, int *fd)
{
    int error = host_open(s, at, flags, fd);
    while (error == EMFILE && some_close(s))
        error = host_open(s, at, flags, fd);
    return error;
}

static void file_is(struct share *s, u32 fid, int fd)
{
    s->file[fid] = (struct open_file){ .fd = fd + 1, .used = s->now };
    s->open_count++;
}

int fid_file(struct share *s, u32 fid, int *fd)
{
    const struct fid *f = fid_get(s, fid);
    struct stat st;
    struct at at;
    if (f->kind != FID_FILE && f->kind != FID_FOLDER)
        return EBADF;
    if (!s->file[fid].fd) {
        int error = room_make(s);
        error = error ? error : at_open(s, f->node, &at);
        if (error)
            return error == EMFILE ? error : ESTALE;
        error = file_open(s, &at, (int)f->flags & (O_ACCMODE | O_APPEND | O_SYNC), fd);
        at_close(&at);
        if (error)
            return error == ENOENT ? ESTALE : error;
        if (fstat(*fd, &st) || host_qid(s, &st) != f->qid) {
            close(*fd);
            return ESTALE;
        }
        file_is(s, fid, *fd);
    }
    s->file[fid].used = s->now;
    *fd = s->file[fid].fd - 1;
    return 0;
}

int node_file(struct share *s, u32 node)
{
    u32 fid = node_opened(s, node);
    return fid == NO_FID ? -1 : s->file[fid].fd - 1;
}

/* The host's flags; EROFS: what is read-only would be changed. */
static int flags_of(const struct share *s, u64 flags, int *host)
{
    static const int access[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR };
    *host = access[flags & L_ACCESS] | (flags & L_TRUNC ? O_TRUNC : 0) | (flags & L_APPEND ? O_APPEND : 0) |
            (flags & L_SYNC    ? O_SYNC
             : flags & L_DSYNC ? O_DSYNC
                               : 0);
    return s->config.readonly && flags & (L_ACCESS | L_TRUNC) ? EROFS : 0;
}

/* The fid is of an open file from now on. */
static int opened(struct share *s, u32 fid, u32 node, int fd, int flags, struct p9_answer *a)
{
    struct fid f = *fid_get(s, fid);
    struct stat st;
    if (fstat(fd, &st)) {
        close(fd);
        return errno;
    }
    u32 was = f.node;
    f.node = node;
    f.kind = S_ISDIR(st.st_mode) ? FID_FOLDER : FID_FILE;
    f.flags = (u32)flags & (O_ACCMODE | O_APPEND | O_SYNC);
    f.qid = host_qid(s, &st);
    node_hold(s, node);
    fid_set(s, fid, &f);
    node_release(s, was);
    file_is(s, fid, fd);
    p9_put_qid(s, a, &st);
    p9_put(a, 0, 4); /* as much at once as a message holds */
    return 0;
}

int p9_lopen(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 fid = (u32)c->n[0], node = fid_get(s, fid)->node;
    struct at at;
    int flags, fd, error = flags_of(s, c->n[1], &flags);
    if (fid_get(s, fid)->kind != FID_PATH)
        return EINVAL;
    error = error ? error : room_make(s);
    error = error ? error : at_open(s, node, &at);
    if (error)
        return error;
    error = file_open(s, &at, flags, &fd);
    at_close(&at);
    return error ? error : opened(s, fid, node, fd, flags, a);
}

/* The file that a name stands for, made if there is none. */
static int create(struct share *s, const struct p9_call *c, u32 node, int flags, int *fd)
{
    u32 uid = fid_get(s, (u32)c->n[0])->uid;
    struct at at;
    int error = at_open(s, node, &at);
    if (error)
        return error;
    error = host_create(s, &at, flags & ~O_TRUNC, (u32)c->n[2], uid, (u32)c->n[3], fd);
    if (error == EMFILE && some_close(s))
        error = host_create(s, &at, flags & ~O_TRUNC, (u32)c->n[2], uid, (u32)c->n[3], fd);
    if (error == EEXIST && !(c->n[1] & L_EXCL))
        error = file_open(s, &at, flags, fd);
    at_close(&at);
    return error;
}

int p9_lcreate(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 fid = (u32)c->n[0], folder = fid_get(s, fid)->node;
    int flags, fd, error = flags_of(s, c->n[1], &flags);
    if (fid_get(s, fid)->kind != FID_PATH || node_get(s, folder)->flags & NODE_GONE)
        return fid_get(s, fid)->kind != FID_PATH ? EINVAL : ENOENT;
    error = error ? error : room_make(s);
    if (error)
        return error;
    u32 node = node_make(s, folder, c->text[0], (u32)strlen(c->text[0]));
    if (node == NO_NODE)
        return ENFILE;
    error = create(s, c, node, flags, &fd);
    if (!error)
        error = opened(s, fid, node, fd, flags, a);
    node_release(s, node);
    return error;
}

int p9_fsync(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    int fd, error = fid_file(s, (u32)c->n[0], &fd);
    (void)a;
    return error ? error : fsync(fd) ? errno : 0;
}

int p9_lock(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    (void)s, (void)c;
    p9_put(a, LOCK_SUCCESS, 1);
    return 0;
}

int p9_getlock(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    (void)s;
    p9_put(a, LOCK_UNLOCKED, 1);
    p9_put(a, c->n[2], 8);
    p9_put(a, c->n[3], 8);
    p9_put(a, c->n[4], 4);
    p9_put_text(a, c->text[0]);
    return 0;
}

/* ---- files ---- */

/* Room for `size` bytes and their count, which `data_end` then says. */
static u8 *data_begin(struct p9_answer *a) { return a->bytes + a->size + DATA_HEADER; }
static void data_end(struct p9_answer *a, u32 size)
{
    p9_put(a, size, DATA_HEADER);
    a->size += size;
}

static int xattr_read(struct share *s, u32 slot, u64 offset, u32 size, struct p9_answer *a)
{
    const struct xattr *x = xattr_get(s, slot);
    u32 left = offset < x->done ? x->done - (u32)offset : 0;
    size = size < left ? size : left;
    if (x->flags & XATTR_WRITES)
        return EINVAL;
    memcpy(data_begin(a), x->value + (size ? offset : 0), size);
    data_end(a, size);
    return 0;
}

int p9_read(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    const struct fid *f = fid_get(s, (u32)c->n[0]);
    u32 size = c->n[2] < p9_room(a) ? (u32)c->n[2] : p9_room(a), done = 0;
    int fd, error;
    if (f->kind == FID_XATTR)
        return xattr_read(s, f->xattr, c->n[1], size, a);
    if (f->kind == FID_FOLDER)
        return EISDIR;
    if ((error = fid_file(s, (u32)c->n[0], &fd)))
        return error;
    for (ssize_t part = 1; part > 0 && done < size; done += (u32)part) {
        part = pread(fd, data_begin(a) + done, size - done, (off_t)(c->n[1] + done));
        if (part < 0 && !done)
            return errno;
        part = part < 0 ? 0 : part;
    }
    data_end(a, done);
    return 0;
}

static int xattr_write(struct share *s, u32 slot, const struct p9_call *c)
{
    const struct xattr *x = xattr_get(s, slot);
    u32 done = x->done;
    if (!(x->flags & XATTR_WRITES) || c->n[1] != done || c->data_size > x->size - done)
        return EINVAL;
    xattr_put(s, slot, offsetof(struct xattr, value) + done, c->data, c->data_size);
    done += c->data_size;
    xattr_put(s, slot, offsetof(struct xattr, done), &done, sizeof(done));
    return 0;
}

int p9_write(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    const struct fid *f = fid_get(s, (u32)c->n[0]);
    u32 done = 0;
    int fd, error = f->kind == FID_XATTR ? xattr_write(s, f->xattr, c) : fid_file(s, (u32)c->n[0], &fd);
    if (error)
        return error;
    for (ssize_t part = 1; f->kind == FID_FILE && part > 0 && done < c->data_size; done += (u32)part) {
        part = pwrite(fd, c->data + done, c->data_size - done, (off_t)(c->n[1] + done));
        if (part < 0 && !done)
            return errno;
        part = part < 0 ? 0 : part;
    }
    if (f->kind == FID_FOLDER)
        return EISDIR;
    p9_put(a, f->kind == FID_XATTR ? c->data_size : done, 4);
    return 0;
}

/* ---- folders ---- */

static struct share_list *list_of(struct share *s, u32 fid, int fd, bool anew)
{
    struct open_file *file = &s->file[fid];
    if (anew || s->list_count > LISTS_MOST)
        for (u32 n = 0; n < s->fid_top; n++)
            if (s->file[n].dir && (n == fid || s->list_count > LISTS_MOST))
                list_drop(s, n);
    if (!file->dir)
        file->dir = host_list(s, fd);
    return file->dir;
}

/* Number and type of an entry, without looking at it: those of a file that is mapped are not known by its folder. */
static void entry_stat(u32 node, const struct share_entry *e, const char *name, const struct stat *dir, struct stat *st)
{
    bool up = !strcmp(name, "..") && node == ROOT, own = !strcmp(name, ".");
    *st = (struct stat){ .st_dev = dir->st_dev, .st_ino = up || own ? dir->st_ino : e->inode };
    st->st_mode = DTTOIF(e->type);
}

int p9_readdir(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    enum { ENTRY = 13 + 8 + 1 + 2 };
    u32 fid = (u32)c->n[0], from = a->size, n = 0, room = c->n[2] < p9_room(a) ? (u32)c->n[2] : p9_room(a);
    const struct fid *f = fid_get(s, fid);
    struct stat dir, st;
    int fd, error = f->kind == FID_FOLDER ? fid_file(s, fid, &fd) : ENOTDIR;
    if (error || fstat(fd, &dir))
        return error ? error : errno;
    const struct share_list *l = list_of(s, fid, fd, !c->n[1]);
    if (!l)
        return ENOMEM;
    p9_put(a, 0, DATA_HEADER);
    for (u32 high = l->count; n < high;) { /* the first behind the offset */
        u32 middle = n + (high - n) / 2;
        if (l->entry[middle].cookie > c->n[1])
            high = middle;
        else
            n = middle + 1;
    }
    for (u32 used = 0; n < l->count; n++) {
        const struct share_entry *e = &l->entry[n];
        const char *name = l->names + e->name;
        used += ENTRY + (u32)strlen(name);
        if (used > room)
            break;
        entry_stat(f->node, e, name, &dir, &st);
        p9_put_qid(s, a, &st);
        p9_put(a, e->cookie, 8);
        p9_put(a, share_maps(s) && e->type == DT_REG ? DT_UNKNOWN : e->type, 1);
        p9_put_text(a, name);
    }
    store_le32(a->bytes + from, a->size - from - DATA_HEADER);
    return 0;
}

/* ---- extended attributes ---- */

/* The fid is of an attribute from now on. */
static void xattr_begin(struct share *s, u32 fid, u32 slot)
{
    struct fid f = *fid_get(s, fid);
    f.kind = FID_XATTR;
    f.xattr = slot;
    fid_set(s, fid, &f);
}

/* The value is read now, and stays so as long as the fid is there. */
int p9_xattrwalk(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 node = fid_get(s, (u32)c->n[0])->node, slot = xattr_make(s);
    struct xattr head = { .flags = XATTR_USED };
    struct at at;
    if (slot == XATTRS || strlen(c->text[0]) >= NAME_SIZE)
        return slot == XATTRS ? ENFILE : ENAMETOOLONG;
    int error = at_open(s, node, &at);
    if (error)
        return error;
    s64 size = host_xattr(s, &at, c->text[0], s->scratch, sizeof(s->scratch));
    error = size < 0 ? errno : 0;
    at_close(&at);
    error = error ? error : fid_make(s, (u32)c->n[1], node);
    if (error)
        return error;
    memcpy(head.name, c->text[0], strlen(c->text[0]));
    head.size = head.done = (u32)size;
    xattr_put(s, slot, 0, &head, offsetof(struct xattr, value));
    xattr_put(s, slot, offsetof(struct xattr, value), s->scratch, (u64)size);
    xattr_begin(s, fid_find(s, (u32)c->n[1]), slot);
    p9_put(a, (u64)size, 8);
    return 0;
}

int p9_xattrcreate(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 fid = (u32)c->n[0], slot = xattr_make(s);
    struct xattr head = { .flags = XATTR_USED | XATTR_WRITES, .how = (u32)c->n[2] & 3, .size = (u32)c->n[1] };
    (void)a;
    if (fid_get(s, fid)->kind != FID_PATH || !c->text[0][0])
        return EINVAL;
    if (slot == XATTRS || strlen(c->text[0]) >= NAME_SIZE || c->n[1] > XATTR_SIZE)
        return slot == XATTRS ? ENFILE : c->n[1] > XATTR_SIZE ? E2BIG : ENAMETOOLONG;
    memcpy(head.name, c->text[0], strlen(c->text[0]));
    xattr_put(s, slot, 0, &head, offsetof(struct xattr, value));
    xattr_begin(s, fid, slot);
    return 0;
}
