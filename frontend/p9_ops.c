/* The messages of 9P2000.L that are about sessions, names and attributes. */
#define _GNU_SOURCE
#include "frontend/p9.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { STATS_BASIC = 0x7ff, AT_REMOVE_FOLDER = 0x200 };
enum { SET_MODE = 1, SET_UID = 2, SET_GID = 4, SET_SIZE = 8, SET_ATIME = 16, SET_MTIME = 32, SET_CTIME = 64,
       SET_ATIME_TO = 128, SET_MTIME_TO = 256 };

/* ---- the session ---- */

int p9_version(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    bool known = !strcmp(c->text[0], "9P2000.L");
    if (c->n[0] < P9_MSIZE_LEAST)
        return EMSGSIZE;
    fids_clear(s);
    u32 msize = c->n[0] < SHARE_MESSAGE ? (u32)c->n[0] : SHARE_MESSAGE;
    s->msize = known ? msize : 0;
    p9_put(a, msize, 4);
    p9_put_text(a, known ? c->text[0] : "unknown");
    return 0;
}

/* Nobody has to prove who they are. */
int p9_auth(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    (void)s, (void)c, (void)a;
    return EOPNOTSUPP;
}

/* Requests are answered one after the other: there is none to be flushed. */
int p9_flush(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    (void)s, (void)c, (void)a;
    return 0;
}

static int node_stat(struct share *s, u32 node, struct stat *st)
{
    struct at at;
    int error = at_open(s, node, &at);
    if (error)
        return error;
    error = host_stat(s, &at, st);
    at_close(&at);
    return error;
}

static void uid_set(struct share *s, u32 fid, u32 uid)
{
    struct fid f = *fid_get(s, fid);
    f.uid = uid;
    fid_set(s, fid, &f);
}

int p9_attach(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct stat st;
    if (!s->msize || (u32)c->n[1] != NO_FID)
        return EINVAL;
    int error = node_stat(s, ROOT, &st);
    error = error ? error : fid_make(s, (u32)c->n[0], ROOT);
    if (error)
        return error;
    uid_set(s, fid_find(s, (u32)c->n[0]), (u32)c->n[2]);
    p9_put_qid(s, a, &st);
    return 0;
}

/* One step of a walk, from a node that is let go of to one that is held. */
static int step(struct share *s, u32 *node, const char *name, struct stat *st)
{
    u32 to;
    if (!name[0])
        return ENOENT;
    if (strcmp(name, "..")) {
        to = node_make(s, *node, name, (u32)strlen(name));
    } else {
        to = *node == ROOT ? ROOT : node_get(s, *node)->parent;
        node_hold(s, to);
    }
    int error = to == NO_NODE ? ENFILE : node_stat(s, to, st);
    if (error && to != NO_NODE)
        node_release(s, to);
    if (error)
        return error;
    node_release(s, *node);
    *node = to;
    return 0;
}

/* The new fid takes the place of the old one when they are the same. */
static int walked(struct share *s, u32 fid, u32 number, u32 node)
{
    struct fid f = *fid_get(s, fid);
    if (number != f.number) {
        int error = fid_make(s, number, node);
        if (!error)
            uid_set(s, fid_find(s, number), f.uid);
        return error;
    }
    if (f.kind != FID_PATH)
        return EINVAL;
    u32 was = f.node;
    f.node = node;
    node_hold(s, node);
    fid_set(s, fid, &f);
    node_release(s, was);
    return 0;
}

int p9_walk(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct stat st[P9_WALK_MOST];
    u32 fid = (u32)c->n[0], node = fid_get(s, fid)->node, done = 0;
    int error = 0;
    if (fid_get(s, fid)->kind == FID_XATTR)
        return EINVAL;
    node_hold(s, node);
    while (done < c->names && !(error = step(s, &node, c->name[done], &st[done])))
        done++;
    if (done == c->names)
        error = walked(s, fid, (u32)c->n[1], node);
    else if (done)
        error = 0;
    node_release(s, node);
    p9_put(a, done, 2);
    for (u32 n = 0; n < done; n++)
        p9_put_qid(s, a, &st[n]);
    return error;
}

/* What was written to an attribute is set now. */
static int xattr_commit(struct share *s, const struct fid *f)
{
    const struct xattr *x = xattr_get(s, f->xattr);
    struct at at;
    if (!(x->flags & XATTR_WRITES))
        return 0;
    int error = x->done == x->size ? at_open(s, f->node, &at) : EINVAL;
    if (error)
        return error;
    error = host_xattr_set(s, &at, x->name, x->value, x->size, (int)x->how);
    at_close(&at);
    return error;
}

int p9_clunk(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 fid = (u32)c->n[0];
    const struct fid *f = fid_get(s, fid);
    int error = f->kind == FID_XATTR ? xattr_commit(s, f) : 0;
    (void)a;
    fid_drop(s, fid);
    return error;
}

int p9_statfs(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct statfs st;
    u64 id = 0;
    (void)c;
    if (fstatfs(s->root, &st))
        return errno;
    memcpy(&id, &st.f_fsid, sizeof(st.f_fsid) < sizeof(id) ? sizeof(st.f_fsid) : sizeof(id));
    p9_put(a, (u64)st.f_type, 4);
    p9_put(a, (u64)st.f_bsize, 4);
    const u64 counts[] = { st.f_blocks, st.f_bfree, st.f_bavail, st.f_files, st.f_ffree, id };
    for (unsigned n = 0; n < ARRAY_LEN(counts); n++)
        p9_put(a, counts[n], 8);
    p9_put(a, (u64)st.f_namelen, 4);
    return 0;
}

/* ---- names ---- */

/* A name in the folder that a fid is of. */
static int child_open(struct share *s, u64 fid, const char *name, struct at *at)
{
    struct at folder;
    int error = at_open(s, fid_get(s, (u32)fid)->node, &folder);
    if (error)
        return error;
    at->dir = openat(folder.dir, folder.name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    at->name = name;
    error = at->dir < 0 ? errno : 0;
    at_close(&folder);
    return error;
}

static u32 uid_of(const struct share *s, u64 fid) { return fid_get(s, (u32)fid)->uid; }

/* The answer to what has made a file. */
static int made_put(struct share *s, const struct at *at, int error, struct p9_answer *a)
{
    struct stat st;
    error = error ? error : host_stat(s, at, &st);
    if (!error)
        p9_put_qid(s, a, &st);
    at_close((struct at[]){ *at });
    return error;
}

int p9_symlink(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct at at;
    int error = c->text[1][0] ? child_open(s, c->n[0], c->text[0], &at) : ENOENT;
    return error ? error : made_put(s, &at, host_symlink(s, &at, c->text[1], uid_of(s, c->n[0]), (u32)c->n[1]), a);
}

int p9_mknod(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct at at;
    dev_t rdev = makedev((unsigned)c->n[2], (unsigned)c->n[3]);
    int error = child_open(s, c->n[0], c->text[0], &at);
    return error ? error
                 : made_put(s, &at, host_mknod(s, &at, (u32)c->n[1], rdev, uid_of(s, c->n[0]), (u32)c->n[4]), a);
}

int p9_mkdir(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct at at;
    int error = child_open(s, c->n[0], c->text[0], &at);
    return error ? error : made_put(s, &at, host_mkdir(s, &at, (u32)c->n[1], uid_of(s, c->n[0]), (u32)c->n[2]), a);
}

int p9_readlink(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct at at;
    char text[P9_TEXT];
    int error = at_open(s, fid_get(s, (u32)c->n[0])->node, &at);
    if (error)
        return error;
    error = host_readlink(s, &at, text, sizeof(text));
    at_close(&at);
    if (!error)
        p9_put_text(a, text);
    return error;
}

int p9_link(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct at from, to;
    int error = at_open(s, fid_get(s, (u32)c->n[1])->node, &from);
    (void)a;
    if (error)
        return error;
    error = child_open(s, c->n[0], c->text[0], &to);
    if (!error) {
        error = host_link(s, &from, &to);
        at_close(&to);
    }
    at_close(&from);
    return error;
}

/* Of a node's record, which may change. */
static void name_copy(char to[NAME_SIZE], const char *name)
{
    size_t length = strnlen(name, NAME_SIZE - 1);
    memcpy(to, name, length);
    to[length] = 0;
}

/* What fids are of keeps being what they are of. */
static int move(struct share *s, u32 from, const char *name, u32 to, const char *name_to, const struct at *at,
                const struct at *at_to)
{
    char old[NAME_SIZE];
    name_copy(old, name);
    int error = host_rename(s, at, at_to);
    if (!error)
        node_renamed(s, from, old, to, name_to);
    return error;
}

int p9_rename(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 node = fid_get(s, (u32)c->n[0])->node, to = fid_get(s, (u32)c->n[1])->node;
    struct at at, at_to;
    int error = node == ROOT ? EBUSY : at_open(s, node, &at);
    (void)a;
    if (error)
        return error;
    error = child_open(s, c->n[1], c->text[0], &at_to);
    if (!error) {
        error = move(s, node_get(s, node)->parent, at.name, to, c->text[0], &at, &at_to);
        at_close(&at_to);
    }
    at_close(&at);
    return error;
}

int p9_renameat(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 from = fid_get(s, (u32)c->n[0])->node, to = fid_get(s, (u32)c->n[1])->node;
    struct at at, at_to;
    int error = child_open(s, c->n[0], c->text[0], &at);
    (void)a;
    if (error)
        return error;
    error = child_open(s, c->n[1], c->text[1], &at_to);
    if (!error) {
        error = move(s, from, c->text[0], to, c->text[1], &at, &at_to);
        at_close(&at_to);
    }
    at_close(&at);
    return error;
}

int p9_unlinkat(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct at at;
    u32 folder = fid_get(s, (u32)c->n[0])->node;
    int error = child_open(s, c->n[0], c->text[0], &at);
    (void)a;
    if (error)
        return error;
    error = host_unlink(s, &at, c->n[1] & AT_REMOVE_FOLDER);
    if (!error)
        node_removed(s, folder, c->text[0]);
    at_close(&at);
    return error;
}

/* The fid is gone, whether the file is or not. */
int p9_remove(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 fid = (u32)c->n[0], node = fid_get(s, fid)->node;
    struct at at;
    struct stat st;
    char name[NAME_SIZE];
    int error = node == ROOT ? EBUSY : at_open(s, node, &at);
    (void)a;
    if (!error) {
        name_copy(name, at.name);
        error = host_stat(s, &at, &st);
        error = error ? error : host_unlink(s, &at, S_ISDIR(st.st_mode));
        if (!error)
            node_removed(s, node_get(s, node)->parent, name);
        at_close(&at);
    }
    fid_drop(s, fid);
    return error;
}

/* ---- attributes ---- */

/* Of an open file as it is, since its name may be gone or another's. */
static int fid_stat(struct share *s, u32 fid, struct stat *st)
{
    const struct fid *f = fid_get(s, fid);
    bool gone = node_get(s, f->node)->flags & NODE_GONE;
    int fd = -1, error = 0;
    if (gone && (fd = node_file(s, f->node)) < 0)
        return ENOENT;
    if (!gone && f->kind != FID_FILE)
        return node_stat(s, f->node, st);
    if (!gone)
        error = fid_file(s, fid, &fd);
    struct at at;
    if (error || gone)
        return error ? error : host_fstat(s, fd, NULL, st);
    error = at_open(s, f->node, &at);
    if (error)
        return host_fstat(s, fd, NULL, st);
    error = host_fstat(s, fd, &at, st);
    at_close(&at);
    return error;
}

int p9_getattr(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    struct stat st;
    int error = fid_stat(s, (u32)c->n[0], &st);
    if (error)
        return error;
    p9_put(a, STATS_BASIC, 8);
    p9_put_qid(s, a, &st);
    p9_put(a, st.st_mode, 4);
    p9_put(a, st.st_uid, 4);
    p9_put(a, st.st_gid, 4);
    const u64 rest[] = { st.st_nlink,
                         st.st_rdev,
                         (u64)st.st_size,
                         (u64)st.st_blksize,
                         (u64)st.st_blocks,
                         (u64)st.st_atim.tv_sec,
                         (u64)st.st_atim.tv_nsec,
                         (u64)st.st_mtim.tv_sec,
                         (u64)st.st_mtim.tv_nsec,
                         (u64)st.st_ctim.tv_sec,
                         (u64)st.st_ctim.tv_nsec,
                         0,
                         0,
                         0,
                         0 }; /* of birth, generation, version of the data: not known */
    for (unsigned n = 0; n < ARRAY_LEN(rest); n++)
        p9_put(a, rest[n], 8);
    return 0;
}

static void time_of(struct timespec *t, u64 valid, u64 set, u64 set_to, u64 seconds, u64 ns)
{
    *t = (struct timespec){ .tv_nsec = valid & set ? UTIME_NOW : UTIME_OMIT };
    if (valid & set && valid & set_to)
        *t = (struct timespec){ (time_t)seconds, (long)(ns < 1000000000 ? ns : 0) };
}

/* A file that has lost its name: what can be done by its descriptor. */
static int gone_set(struct share *s, u32 node, const struct p9_call *c, const struct timespec times[2])
{
    int fd = node_file(s, node);
    if (fd < 0)
        return ENOENT;
    if (c->n[1] & SET_SIZE && ftruncate(fd, (off_t)c->n[5]))
        return errno;
    if (c->n[1] & (SET_ATIME | SET_MTIME) && futimens(fd, times))
        return errno;
    return 0;
}

static int file_set(struct share *s, const struct at *at, const struct p9_call *c, const struct timespec times[2])
{
    u64 valid = c->n[1];
    u32 uid = valid & SET_UID ? (u32)c->n[3] : ~0u, gid = valid & SET_GID ? (u32)c->n[4] : ~0u;
    int error = 0;
    if (valid & SET_MODE)
        error = host_chmod(s, at, (u32)c->n[2]);
    if (!error && valid & (SET_ATIME | SET_MTIME))
        error = host_times(at, times);
    if (!error && valid & (SET_UID | SET_GID))
        error = host_chown(s, at, uid, gid);
    if (!error && valid & SET_SIZE)
        error = host_truncate(at, c->n[5]);
    return error;
}

int p9_setattr(struct share *s, const struct p9_call *c, struct p9_answer *a)
{
    u32 node = fid_get(s, (u32)c->n[0])->node;
    struct timespec times[2];
    struct at at;
    (void)a;
    time_of(&times[0], c->n[1], SET_ATIME, SET_ATIME_TO, c->n[6], c->n[7]);
    time_of(&times[1], c->n[1], SET_MTIME, SET_MTIME_TO, c->n[8], c->n[9]);
    if (node_get(s, node)->flags & NODE_GONE)
        return gone_set(s, node, c, times);
    int error = at_open(s, node, &at);
    if (error)
        return error;
    error = file_set(s, &at, c, times);
    at_close(&at);
    return error;
}
