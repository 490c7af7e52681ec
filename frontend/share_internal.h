/* What the parts of a share's server (frontend/share.h) ask of each other. */
#ifndef FRONTEND_SHARE_INTERNAL_H
#define FRONTEND_SHARE_INTERNAL_H

#include "frontend/inside.h"
#include "frontend/share.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- share_fids.c ---- */
enum { FIDS = 1 << 18, NODES = 1 << 18, XATTRS = 64, XATTR_SIZE = 65536, NAME_SIZE = 256, DEPTH = 512 };
enum { NO_NODE = 0xffffffff, ROOT = 0, NO_FID = 0xffffffff };

/* A file by its name in a folder that is a node too; the root is node 0. One that was removed keeps its node as long as
 * fids are of it, but not its name. */
enum { NODE_USED = 1, NODE_GONE = 2 };
struct node {
    u32 parent;
    u16 flags, length;
    char name[NAME_SIZE]; /* ends with NUL */
};
enum fid_kind { FID_FREE, FID_PATH, FID_FILE, FID_FOLDER, FID_XATTR, FID_KINDS };
struct fid {
    u32 number; /* the client's */
    u32 kind;   /* enum fid_kind */
    u32 node;
    u32 flags; /* open files: O_ACCMODE, O_APPEND, O_SYNC, O_DSYNC of the host */
    u32 xattr; /* its slot */
    u32 uid;   /* who attached */
    u64 qid;   /* of an open file: which it was */
};
/* An extended attribute: its value as it was read, or as far as it was written. */
enum { XATTR_USED = 1, XATTR_WRITES = 2 };
struct xattr {
    u32 flags, how; /* how: XATTR_CREATE, XATTR_REPLACE */
    u32 size, done; /* bytes of value: in all, written */
    char name[NAME_SIZE];
    u8 value[XATTR_SIZE];
};
static_assert(sizeof(struct node) == 264 && sizeof(struct fid) == 32 && sizeof(struct xattr) == 65808, "no padding");

/* An open file or folder of the host; derived: it is opened again when it is not there. */
struct open_file {
    int fd;                 /* descriptor + 1; 0: not open */
    u64 used;               /* when last, in requests */
    struct share_list *dir; /* a folder's entries, or NULL */
};

/* A folder's entries in the order of their cookies. */
struct share_entry {
    u64 cookie; /* of the name: where a list goes on */
    u64 inode;
    u32 name; /* offset in `names` */
    u8 type;  /* DT_... of the host */
};
struct share_list {
    struct share_entry *entry;
    char *names;
    u32 count;
};

struct share {
    struct share_config config;
    struct share_memory memory;
    const u8 *bytes; /* of it, while a request is served */
    int root;        /* O_PATH */
    dev_t device;
    u64 now; /* requests served: as the memory says, where what is derived is of it */
    /* derived */
    u32 *fid_head, *fid_next, *node_head, *node_next, *node_refs;
    u32 fid_low, node_low, fid_top, node_top, msize; /* lowest that may be free; above the highest that was used */
    struct open_file *file;                          /* a fid's */
    u32 open_count, list_count;
    struct share_change change[4096];
    u32 changes;
    u8 scratch[XATTR_SIZE];
};

/* The request begins: what the memory says holds, and everything else is made to fit. False: no memory. */
bool fids_begin(struct share *s);
/* The request is over. */
void fids_end(struct share *s);
/* Forgets all fids. */
void fids_clear(struct share *s);
void fids_free(struct share *s);
/* Closes what a fid has open. */
void fid_close(struct share *s, u32 fid);
/* Forgets the list of a folder's entries. */
void list_drop(struct share *s, u32 fid);

/* Index of a fid by the client's number; NO_FID: there is none. */
u32 fid_find(const struct share *s, u32 number);
const struct fid *fid_get(const struct share *s, u32 fid);
/* A new one of that node; 0, or ENFILE, EBADF (the number is taken). */
int fid_make(struct share *s, u32 number, u32 node);
void fid_set(struct share *s, u32 fid, const struct fid *to);
/* Forgets it, what it has open and its attribute. */
void fid_drop(struct share *s, u32 fid);
const struct node *node_get(const struct share *s, u32 node);
/* The node of a name in a folder: NO_NODE: there is no room, or it lies too deep. It is held until node_release. */
u32 node_make(struct share *s, u32 parent, const char *name, u32 length);
void node_hold(struct share *s, u32 node);
void node_release(struct share *s, u32 node);
/* The file has another name; it has been removed. */
void node_renamed(struct share *s, u32 parent, const char *name, u32 to, const char *name_to);
void node_removed(struct share *s, u32 parent, const char *name);
/* Any fid that has this node's file open; NO_FID: none has. */
u32 node_opened(const struct share *s, u32 node);
/* A free slot; XATTRS: there is none. */
u32 xattr_make(struct share *s);
const struct xattr *xattr_get(const struct share *s, u32 slot);
/* Writes `size` bytes at an offset of the slot. */
void xattr_put(struct share *s, u32 slot, u64 offset, const void *from, u64 size);

/* ---- share_host.c: each returns 0 or an error number ---- */
/* A file by its folder, which is open (O_PATH), and its name there. */
struct at {
    int dir;
    const char *name;
};
bool name_is_plain(const char *name, u32 length);
int at_open(struct share *s, u32 node, struct at *at);
void at_close(struct at *at);
/* The file itself, without opening it (O_PATH); -1: errno. Never through a symbolic link. */
int at_path(const struct at *at);
int host_stat(struct share *s, const struct at *at, struct stat *st);
int host_fstat(struct share *s, int fd, const struct at *at, struct stat *st);
u64 host_qid(const struct share *s, const struct stat *st);
int host_open(struct share *s, const struct at *at, int flags, int *fd);
int host_create(struct share *s, const struct at *at, int flags, u32 mode, u32 uid, u32 gid, int *fd);
int host_mkdir(struct share *s, const struct at *at, u32 mode, u32 uid, u32 gid);
int host_mknod(struct share *s, const struct at *at, u32 mode, dev_t rdev, u32 uid, u32 gid);
int host_symlink(struct share *s, const struct at *at, const char *target, u32 uid, u32 gid);
int host_readlink(struct share *s, const struct at *at, char *text, size_t room);
int host_link(struct share *s, const struct at *from, const struct at *to);
int host_rename(struct share *s, const struct at *from, const struct at *to);
int host_unlink(struct share *s, const struct at *at, bool folder);
int host_chmod(struct share *s, const struct at *at, u32 mode);
int host_chown(struct share *s, const struct at *at, u32 uid, u32 gid);
int host_truncate(const struct at *at, u64 size);
int host_times(const struct at *at, const struct timespec times[2]);
/* The entries of an open folder; NULL: no memory, or an error. */
struct share_list *host_list(struct share *s, int fd);
/* Extended attributes: a size (of a name "": the list's), or -1: errno. `room` bytes are enough for any. */
s64 host_xattr(struct share *s, const struct at *at, const char *name, u8 *value, u32 room);
/* Size 0: removes it. */
int host_xattr_set(struct share *s, const struct at *at, const char *name, const void *value, u32 size, int how);

/* ---- share_map.c ---- */
struct mapped {
    u32 has; /* a set of MAP_ */
    u32 uid, gid, mode;
    u64 rdev;
};
enum { MAP_UID = 1, MAP_GID = 2, MAP_MODE = 4, MAP_RDEV = 8 };
static inline bool share_maps(const struct share *s) { return s->config.model >= SHARE_MAPPED_XATTR; }
/* What is kept of a file: of its path descriptor, or by its name. */
int map_get(struct share *s, const struct at *at, int fd, struct mapped *map);
/* What is set in `map` is changed. */
int map_set(struct share *s, const struct at *at, const struct mapped *map);
/* Files that keep what is mapped: the guest sees none of them. */
bool map_hides(const struct share *s, const char *name);
int map_linked(struct share *s, const struct at *from, const struct at *to);
int map_renamed(struct share *s, const struct at *from, const struct at *to);
int map_removed(struct share *s, const struct at *at, bool folder);
/* Extended attributes as the guest sees them. The host's name for one; error number. */
int map_xattr_name(const struct share *s, const char *name, char host[NAME_SIZE + 16], bool write);
/* Takes those that are not for the guest out of a list; its new size. */
u32 map_xattr_list(const struct share *s, char *list, u32 size);
/* Can this folder keep what is mapped? */
bool map_works(const struct share *s);

#endif
