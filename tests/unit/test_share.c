/* The server of shares, by its messages: what it does in a folder, what it refuses, that nothing leads out of the
 * folder, that it goes on from what it remembered; hostile messages and memory. */
#define _GNU_SOURCE
#include "frontend/share.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "tests/unit/rounds.h"

enum { STATFS = 8, LOPEN = 12, LCREATE = 14, SYMLINK = 16, MKNOD = 18, RENAME = 20, READLINK = 22, GETATTR = 24, SETATTR = 26,
       XATTRWALK = 30, XATTRCREATE = 32, READDIR = 40, FSYNC = 50, LOCK = 52, GETLOCK = 54, LINK = 70, MKDIR = 72,
       RENAMEAT = 74, UNLINKAT = 76, VERSION = 100, AUTH = 102, ATTACH = 104, FLUSH = 108, WALK = 110, READ = 116,
       WRITE = 118, CLUNK = 120, REMOVE = 122, NONE = 0xffffffff };

struct rig {
    char base[64], folder[80], outside[80]; /* base/in is shared, base/out is not */
    u8 *memory;
    struct share *s;
    struct share_config config;
    u8 t[SHARE_MESSAGE], r[SHARE_MESSAGE];
    u32 size; /* of the answer */
};

static void memory_put(void *ctx, u64 offset, const void *from, u64 size)
{
    struct rig *r = ctx;
    ck_assert(offset <= SHARE_MEMORY && size <= SHARE_MEMORY - offset);
    if (from)
        memcpy(r->memory + offset, from, size);
    else
        zeros_make(r->memory + offset, size);
}

static void server_open(struct rig *r)
{
    char error[256], note[256];
    r->s = share_open(&r->config, (struct share_memory){ memory_put, r }, error, note);
    ck_assert_msg(r->s != NULL, "%s", error);
}

static struct rig *rig_open(enum share_model model)
{
    struct rig *r = calloc(1, sizeof(*r));
    ck_assert_ptr_nonnull(r);
    strcpy(r->base, "/var/tmp/elmu-share-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->base));
    snprintf(r->folder, sizeof(r->folder), "%s/in", r->base);
    snprintf(r->outside, sizeof(r->outside), "%s/out", r->base);
    ck_assert(!mkdir(r->folder, 0755) && !mkdir(r->outside, 0755));
    r->memory = mmap(NULL, SHARE_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert(r->memory != MAP_FAILED);
    r->config = (struct share_config){ .model = model, .fmode = 0600, .dmode = 0700 };
    snprintf(r->config.path, sizeof(r->config.path), "%s", r->folder);
    server_open(r);
    return r;
}

static int one_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void rig_close(struct rig *r)
{
    share_close(r->s);
    munmap(r->memory, SHARE_MEMORY);
    nftw(r->base, one_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(r);
}

static const char *path_of(struct rig *r, const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", r->folder, name);
    return path;
}
static void host_put(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    ck_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
static bool host_holds(const char *path, const char *text)
{
    char bytes[256] = "";
    int fd = open(path, O_RDONLY);
    bool ok = fd >= 0 && read(fd, bytes, sizeof(bytes) - 1) >= 0 && !strcmp(bytes, text);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Beside the share lies what lay there: the file that its fixture put there, and nothing else. */
static void outside_is_whole(const struct rig *r, const char *out)
{
    ck_assert(host_holds(out, "secret"));
    DIR *dir = opendir(r->outside);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *d; (d = readdir(dir));)
        ck_assert_msg(d->d_name[0] == '.' || !strcmp(d->d_name, "secret"), "outside: %s", d->d_name);
    closedir(dir);
}

/* A message by the layout of its parts: b, h, w, d, s (text), r (data and its size). Returns 0 or the error. */
static int ask(struct rig *r, unsigned type, const char *layout, ...)
{
    va_list args;
    u32 at = 7;
    va_start(args, layout);
    for (; *layout; layout++) {
        unsigned size = *layout == 'b' ? 1 : *layout == 'h' ? 2 : *layout == 'w' ? 4 : 8;
        if (*layout == 's') {
            const char *text = va_arg(args, const char *);
            store_le16(r->t + at, (u16)strlen(text));
            memcpy(r->t + at + 2, text, strlen(text));
            at += 2 + (u32)strlen(text);
        } else if (*layout == 'r') {
            const char *text = va_arg(args, const char *);
            u32 length = va_arg(args, u32);
            store_le32(r->t + at, length);
            memcpy(r->t + at + 4, text, length);
            at += 4 + length;
        } else {
            u64 value = size == 8 ? va_arg(args, u64) : va_arg(args, u32);
            memcpy(r->t + at, &value, size);
            at += size;
        }
    }
    va_end(args);
    store_le32(r->t, at);
    r->t[4] = (u8)type;
    store_le16(r->t + 5, 77);
    r->size = share_request(r->s, r->memory, r->t, at, r->r);
    ck_assert(r->size >= 7 && load_le32(r->r) == r->size && load_le16(r->r + 5) == 77);
    ck_assert(r->r[4] == 7 ? r->size == 11 : r->r[4] == type + 1);
    return r->r[4] == 7 ? (int)load_le32(r->r + 7) : 0;
}

static void begin(struct rig *r)
{
    ck_assert_int_eq(ask(r, VERSION, "ws", 65536u, "9P2000.L"), 0);
    ck_assert_uint_eq(load_le32(r->r + 7), 65536);
    ck_assert_int_eq(ask(r, ATTACH, "wwssw", 0u, NONE, "", "", 1000u), 0);
}
static int walk(struct rig *r, u32 fid, u32 to, const char *name)
{
    int error = ask(r, WALK, "wwhs", fid, to, 1u, name);
    return error ? error : load_le16(r->r + 7) == 1 ? 0 : ENOENT;
}
static int clone(struct rig *r, u32 fid, u32 to) { return ask(r, WALK, "wwh", fid, to, 0u); }
static int clunk(struct rig *r, u32 fid) { return ask(r, CLUNK, "w", fid); }
/* The text that is read from a fid at an offset. */
static const char *text_read(struct rig *r, u32 fid, u64 offset)
{
    static char text[256];
    int error = ask(r, READ, "wdw", fid, offset, 255u);
    if (error)
        return strerrorname_np(error);
    u32 size = load_le32(r->r + 7);
    memcpy(text, r->r + 11, size);
    text[size] = 0;
    return text;
}

START_TEST(sessions)
{
    struct rig *r = rig_open(SHARE_NONE);
    ck_assert_int_eq(ask(r, ATTACH, "wwssw", 0u, NONE, "", "", 0u), EINVAL); /* no version */
    ck_assert_int_eq(ask(r, VERSION, "ws", 1000u, "9P2000.L"), EMSGSIZE);
    ck_assert_int_eq(ask(r, VERSION, "ws", 8192u, "9P2000.u"), 0);
    ck_assert_mem_eq(r->r + 13, "unknown", 7);
    ck_assert_int_eq(ask(r, VERSION, "ws", 1u << 30, "9P2000.L"), 0);
    ck_assert_uint_eq(load_le32(r->r + 7), SHARE_MESSAGE);
    ck_assert_int_eq(ask(r, AUTH, "wssw", 1u, "", "", 0u), EOPNOTSUPP);
    begin(r);
    ck_assert_int_eq(ask(r, ATTACH, "wwssw", 0u, NONE, "", "", 0u), EBADF); /* it is taken */
    ck_assert_int_eq(ask(r, ATTACH, "wwssw", 9u, 0u, "", "", 0u), EINVAL);  /* nobody proves anything */
    ck_assert_int_eq(ask(r, FLUSH, "h", 3u), 0);
    ck_assert_int_eq(ask(r, 99, ""), EOPNOTSUPP);
    ck_assert_int_eq(clunk(r, 5), EBADF);
    ck_assert_int_eq(clunk(r, NONE), EBADF);
    ck_assert_int_eq(ask(r, STATFS, "w", 0u), 0);
    ck_assert_int_eq(ask(r, GETATTR, "wd", 0u, (u64)0x7ff), 0);
    ck_assert_uint_eq(r->size, 7 + 153);
    begin(r); /* forgets all */
    ck_assert_int_eq(clone(r, 0, 1), 0);
    ck_assert_int_eq(clone(r, 0, 1), EBADF);
    rig_close(r);
}
END_TEST

/* Each model: a file's life. */
START_TEST(files)
{
    static const enum share_model models[] = { SHARE_NONE, SHARE_PASSTHROUGH, SHARE_MAPPED_XATTR, SHARE_MAPPED_FILE };
    struct rig *r = rig_open(models[_i]);
    if (models[_i] == SHARE_PASSTHROUGH && getuid()) {
        rig_close(r);
        return;
    }
    begin(r);
    clone(r, 0, 1);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 1u, "file", 2u, 0640u, 1000u), 0);
    ck_assert_int_eq(ask(r, WRITE, "wdr", 1u, (u64)0, "hello world", 11u), 0);
    ck_assert_uint_eq(load_le32(r->r + 7), 11);
    ck_assert_str_eq(text_read(r, 1, 6), "world");
    ck_assert_int_eq(ask(r, FSYNC, "ww", 1u, 0u), 0);
    ck_assert(host_holds(path_of(r, "file"), "hello world"));
    /* unlinked while open: it is there for those who have it, and no more by its name */
    ck_assert_int_eq(walk(r, 0, 2, "file"), 0);
    ck_assert_int_eq(ask(r, UNLINKAT, "wsw", 0u, "file", 0u), 0);
    ck_assert_str_eq(text_read(r, 1, 0), "hello world");
    ck_assert_int_eq(ask(r, GETATTR, "wd", 2u, (u64)0x7ff), 0);
    ck_assert_uint_eq(load_le64(r->r + 7 + 49), 11); /* size */
    host_put(path_of(r, "file"), "another");
    ck_assert_int_eq(ask(r, LOPEN, "ww", 2u, 0u), ENOENT);
    ck_assert_str_eq(text_read(r, 1, 0), "hello world");
    ck_assert_int_eq(clunk(r, 1), 0);
    ck_assert_int_eq(ask(r, GETATTR, "wd", 2u, (u64)0x7ff), ENOENT);
    clunk(r, 2);
    /* folders, with fids in them, that get other names */
    ck_assert_int_eq(ask(r, MKDIR, "wsww", 0u, "a", 0755u, 0u), 0);
    ck_assert_int_eq(walk(r, 0, 1, "a"), 0);
    ck_assert_int_eq(ask(r, MKDIR, "wsww", 1u, "b", 0700u, 0u), 0);
    ck_assert_int_eq(walk(r, 1, 2, "b"), 0);
    clone(r, 2, 3);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 3u, "in", 1u, 0600u, 0u), 0);
    ck_assert_int_eq(ask(r, RENAMEAT, "wsws", 0u, "a", 0u, "c"), 0);
    ck_assert_int_eq(walk(r, 2, 4, "in"), 0);
    ck_assert_int_eq(ask(r, LOPEN, "ww", 4u, 0u), 0);
    ck_assert_int_eq(ask(r, RENAMEAT, "wsws", 0u, "c", 2u, "x"), EINVAL); /* into itself */
    ck_assert_int_eq(ask(r, WALK, "wwhss", 2u, 5u, 2u, "..", ".."), 0);
    ck_assert_int_eq(ask(r, UNLINKAT, "wsw", 1u, "b", 0x200u), ENOTEMPTY);
    ck_assert_int_eq(ask(r, RENAME, "wws", 3u, 0u, "out"), 0);
    ck_assert_int_eq(ask(r, UNLINKAT, "wsw", 1u, "b", 0x200u), 0);
    ck_assert_int_eq(ask(r, UNLINKAT, "wsw", 0u, "c", 0x200u), 0);
    ck_assert_int_eq(ask(r, LINK, "wws", 0u, 3u, "link"), 0);
    ck_assert_int_eq(ask(r, LINK, "wws", 0u, 3u, "link"), EEXIST);
    ck_assert_int_eq(ask(r, REMOVE, "w", 3u), 0);
    ck_assert_int_eq(clunk(r, 3), EBADF);
    ck_assert_int_eq(ask(r, UNLINKAT, "wsw", 0u, "link", 0u), 0);
    /* what is no file */
    ck_assert_int_eq(ask(r, SYMLINK, "wssw", 0u, "sym", "../out/secret", 5u), 0);
    ck_assert_uint_eq(r->r[7], 2); /* the kind in its qid */
    ck_assert_int_eq(walk(r, 0, 6, "sym"), 0);
    ck_assert_int_eq(ask(r, READLINK, "w", 6u), 0);
    ck_assert_mem_eq(r->r + 9, "../out/secret", 13);
    if (_i >= 2) {
        ck_assert_int_eq(ask(r, MKNOD, "wswwww", 0u, "dev", (u32)S_IFBLK | 0660u, 8u, 300u, 6u), 0);
        ck_assert_int_eq(walk(r, 0, 7, "dev"), 0);
        ck_assert_int_eq(
            ask(r, SETATTR, "wwwwwddddd", 7u, 7u, 0600u, 70000u, 3u, (u64)0, (u64)0, (u64)0, (u64)0, (u64)0), 0);
        ck_assert_int_eq(ask(r, GETATTR, "wd", 7u, (u64)0x7ff), 0);
        ck_assert_uint_eq(load_le32(r->r + 7 + 21), S_IFBLK | 0600);
        ck_assert_uint_eq(load_le32(r->r + 7 + 25), 70000);
        ck_assert_uint_eq(load_le64(r->r + 7 + 41), 8 << 8 | 44 | 1 << 20);
        struct stat st;
        ck_assert(!lstat(path_of(r, "dev"), &st) && S_ISREG(st.st_mode) && st.st_uid == getuid());
    }
    rig_close(r);
}
END_TEST

START_TEST(names)
{
    static const char *const bad[] = { "", ".", "..", "a/b", "/", "../out", "x/" };
    struct rig *r = rig_open(SHARE_NONE);
    char name[400], out[128];
    begin(r);
    host_put(path_of(r, "f"), "x");
    snprintf(out, sizeof(out), "%s/secret", r->outside);
    host_put(out, "secret");
    ck_assert_int_eq(walk(r, 0, 1, "f"), 0);
    for (unsigned n = 0; n < ARRAY_LEN(bad); n++) {
        const char *b = bad[n];
        if (strcmp(b, ".."))
            ck_assert_int_ne(walk(r, 0, 9, b), 0);
        clone(r, 0, 8);
        ck_assert_int_ne(ask(r, LCREATE, "wswww", 8u, b, 1u, 0600u, 0u), 0);
        clunk(r, 8);
        ck_assert_int_ne(ask(r, MKDIR, "wsww", 0u, b, 0700u, 0u), 0);
        ck_assert_int_ne(ask(r, MKNOD, "wswwww", 0u, b, (u32)S_IFREG | 0600u, 0u, 0u, 0u), 0);
        ck_assert_int_ne(ask(r, SYMLINK, "wssw", 0u, b, "x", 0u), 0);
        ck_assert_int_ne(ask(r, LINK, "wws", 0u, 1u, b), 0);
        ck_assert_int_ne(ask(r, RENAME, "wws", 1u, 0u, b), 0);
        ck_assert_int_ne(ask(r, RENAMEAT, "wsws", 0u, "f", 0u, b), 0);
        ck_assert_int_ne(ask(r, RENAMEAT, "wsws", 0u, b, 0u, "g"), 0);
        ck_assert_int_ne(ask(r, UNLINKAT, "wsw", 0u, b, 0u), 0);
        ck_assert_int_ne(ask(r, UNLINKAT, "wsw", 0u, b, 0x200u), 0);
    }
    /* up from the folder is the folder */
    ck_assert_int_eq(ask(r, WALK, "wwhsss", 0u, 9u, 3u, "..", "..", ".."), 0);
    ck_assert_int_eq(walk(r, 9, 10, "f"), 0);
    ck_assert_int_eq(walk(r, 9, 11, "out"), ENOENT);
    ck_assert_int_eq(ask(r, WALK, "wwhss", 0u, 11u, 2u, "f", "x"), 0); /* as far as it goes */
    ck_assert_uint_eq(load_le16(r->r + 7), 1);
    ck_assert_int_eq(clunk(r, 11), EBADF);
    memset(name, 'n', sizeof(name));
    name[256] = 0;
    ck_assert_int_eq(walk(r, 0, 11, name), ENAMETOOLONG);
    ck_assert_int_eq(ask(r, MKDIR, "wsww", 0u, name, 0700u, 0u), ENAMETOOLONG);
    ck_assert_int_eq(ask(r, REMOVE, "w", 9u), EBUSY);
    /* a NUL in it */
    ck_assert_int_eq(ask(r, MKDIR, "wsww", 0u, "abc", 0700u, 0u), 0);
    r->t[7 + 4 + 2 + 1] = 0;
    ck_assert_uint_eq(share_request(r->s, r->memory, r->t, load_le32(r->t), r->r), 11);
    ck_assert(host_holds(out, "secret"));
    rig_close(r);
}
END_TEST

/* Links of the host's, FIFOs. */
START_TEST(ways_out)
{
    struct rig *r = rig_open(_i ? SHARE_MAPPED_XATTR : SHARE_NONE);
    char out[128];
    begin(r);
    snprintf(out, sizeof(out), "%s/secret", r->outside);
    host_put(out, "secret");
    ck_assert(!symlink(out, path_of(r, "to-file")) && !symlink(r->outside, path_of(r, "to-folder")));
    ck_assert(!mkfifo(path_of(r, "fifo"), 0666));
    ck_assert_int_eq(walk(r, 0, 1, "to-file"), 0);
    for (u32 flags = 0; flags < 4; flags++)
        ck_assert_int_eq(ask(r, LOPEN, "ww", 1u, flags | 01000u), ELOOP);
    ck_assert_int_eq(ask(r, SETATTR, "wwwwwddddd", 1u, 8u, 0u, 0u, 0u, (u64)0, (u64)0, (u64)0, (u64)0, (u64)0), EINVAL);
    ck_assert_int_eq(ask(r, READLINK, "w", 1u), 0);
    ck_assert_int_ne(ask(r, XATTRWALK, "wws", 1u, 5u, "user.x"), 0);
    ck_assert_int_eq(walk(r, 0, 2, "to-folder"), 0);
    ck_assert_int_eq(walk(r, 2, 3, "secret"), ENOTDIR);
    ck_assert_int_ne(ask(r, LCREATE, "wswww", 2u, "made", 1u, 0600u, 0u), 0);
    ck_assert_int_ne(ask(r, MKDIR, "wsww", 2u, "made", 0700u, 0u), 0);
    ck_assert_int_ne(ask(r, UNLINKAT, "wsw", 2u, "secret", 0u), 0);
    ck_assert_int_ne(ask(r, RENAMEAT, "wsws", 2u, "secret", 0u, "mine"), 0);
    clone(r, 0, 4);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 4u, "to-file", 01001u, 0600u, 0u), ELOOP); /* without O_EXCL */
    ck_assert_int_eq(walk(r, 0, 6, "fifo"), 0);
    for (u32 flags = 0; flags < 3; flags++)
        ck_assert_int_eq(ask(r, LOPEN, "ww", 6u, flags), ENXIO);
    clone(r, 0, 7);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 7u, "fifo", 2u, 0600u, 0u), ENXIO);
    ck_assert(host_holds(out, "secret"));
    rig_close(r);
}
END_TEST

/* Another program exchanges folders and links, and files and links, all the time. */
START_TEST(races)
{
    struct rig *r = rig_open(SHARE_NONE);
    char out[128];
    unsigned opened = 0, failed = 0;
    begin(r);
    snprintf(out, sizeof(out), "%s/secret", r->outside);
    host_put(out, "secret");
    mkdir(path_of(r, "d"), 0755);
    host_put(path_of(r, "d/secret"), "mine");
    host_put(path_of(r, "f"), "mine");
    ck_assert(!symlink(r->outside, path_of(r, "ld")) && !symlink(out, path_of(r, "lf")));
    static const char *const name[] = { "d", "ld", "f", "lf" };
    pid_t other = fork();
    if (!other) {
        int dir = open(r->folder, O_RDONLY | O_DIRECTORY);
        for (unsigned n = 0;; n++)
            renameat2(dir, name[n % 2 * 2], dir, name[n % 2 * 2 + 1], RENAME_EXCHANGE);
    }
    for (unsigned n = 0; n < rounds(20000); n++) {
        bool folder = n % 2;
        int error = folder ? ask(r, WALK, "wwhss", 0u, 1u, 2u, "d", "secret") : walk(r, 0, 1, "f");
        if (error || (folder && load_le16(r->r + 7) != 2)) {
            failed++;
            continue;
        }
        if (!ask(r, LOPEN, "ww", 1u, n % 3 ? 0u : 2u)) {
            opened++;
            ck_assert_str_eq(text_read(r, 1, 0), "mine");
            ask(r, WRITE, "wdr", 1u, (u64)0, "mine", 4u);
        } else {
            failed++;
        }
        clunk(r, 1);
        if (!walk(r, 0, 2, "d")) {
            ask(r, LCREATE, "wswww", 2u, "made", 1u, 0600u, 0u);
            clunk(r, 2);
            if (!walk(r, 0, 2, "d")) {
                ask(r, UNLINKAT, "wsw", 2u, "made", 0u);
                ask(r, MKDIR, "wsww", 2u, "folder", 0700u, 0u);
                clunk(r, 2);
            }
        }
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    ck_assert_uint_gt(opened, 0);
    ck_assert_uint_gt(failed, 0);
    outside_is_whole(r, out);
    rig_close(r);
}
END_TEST

/* Names from an offset on; how many. *next: where to go on. */
static unsigned list(struct rig *r, u32 fid, u64 *next, u32 room, unsigned *dots)
{
    unsigned count = 0;
    ck_assert_int_eq(ask(r, READDIR, "wdw", fid, *next, room), 0);
    const u8 *p = r->r + 11, *end = p + load_le32(r->r + 7);
    ck_assert(load_le32(r->r + 7) <= room);
    for (; p < end; count++) {
        ck_assert(load_le64(p + 13) > *next);
        *next = load_le64(p + 13);
        *dots += p[24] == '.';
        p += 24 + load_le16(p + 22);
    }
    return count;
}

START_TEST(folders)
{
    struct rig *r = rig_open(SHARE_MAPPED_FILE);
    char name[32];
    unsigned dots = 0, count = 0, part;
    u64 at = 0;
    begin(r);
    for (unsigned n = 0; n < 1000; n++) {
        snprintf(name, sizeof(name), "file-%u", n);
        host_put(path_of(r, name), "");
    }
    clone(r, 0, 2);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 2u, "made", 1u, 0600u, 0u), 0); /* and its metadata, which nobody sees */
    ck_assert(!access(path_of(r, ".virtfs_metadata/made"), F_OK));
    ck_assert_int_eq(walk(r, 0, 3, ".virtfs_metadata"), ENOENT);
    ck_assert_int_eq(ask(r, MKDIR, "wsww", 0u, ".virtfs_metadata_root", 0700u, 0u), ENOENT);
    clone(r, 0, 1);
    ck_assert_int_eq(ask(r, READDIR, "wdw", 1u, (u64)0, 4096u), ENOTDIR); /* not open */
    ck_assert_int_eq(ask(r, LOPEN, "ww", 1u, 0200000u), 0);
    ck_assert_int_eq(ask(r, READ, "wdw", 1u, (u64)0, 10u), EISDIR);
    for (unsigned n = 0; (part = list(r, 1, &at, 700, &dots)); n++) {
        count += part;
        snprintf(name, sizeof(name), "file-%u", n); /* some go meanwhile */
        if (n % 4 == 0)
            unlink(path_of(r, name));
        if (n == 20) { /* and the server with all it has open */
            share_close(r->s);
            server_open(r);
        }
    }
    ck_assert_uint_eq(dots, 2);
    ck_assert_uint_le(count, 1003);
    ck_assert_uint_ge(count, 960);
    at = 0;
    ck_assert_uint_eq(list(r, 1, &at, 10, &dots), 0); /* no room for one */
    at = ~(u64)0;
    ck_assert_uint_eq(list(r, 1, &at, 1000, &dots), 0);
    rig_close(r);
}
END_TEST

START_TEST(attributes)
{
    struct rig *r = rig_open(SHARE_MAPPED_XATTR);
    char big[5000];
    begin(r);
    clone(r, 0, 1);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 1u, "f", 1u, 0640u, 33u), 0);
    u32 uid = 0, gid = 0, mode = 0;
    ck_assert(getxattr(path_of(r, "f"), "user.virtfs.uid", &uid, 4) == 4 && uid == 1000); /* as QEMU keeps them */
    ck_assert(getxattr(path_of(r, "f"), "user.virtfs.gid", &gid, 4) == 4 && gid == 33);
    ck_assert(getxattr(path_of(r, "f"), "user.virtfs.mode", &mode, 4) == 4 && mode == (S_IFREG | 0640));
    ck_assert_int_eq(walk(r, 0, 2, "f"), 0);
    ck_assert_int_eq(ask(r, XATTRWALK, "wws", 2u, 3u, ""), 0); /* the list: there is none for the guest */
    ck_assert_uint_eq(load_le64(r->r + 7), 0);
    clunk(r, 3);
    ck_assert_int_eq(ask(r, XATTRWALK, "wws", 2u, 3u, "user.virtfs.uid"), ENODATA);
    ck_assert_int_eq(ask(r, XATTRWALK, "wws", 2u, 3u, "trusted.x"), EOPNOTSUPP);
    /* one that is written in parts */
    memset(big, 'b', sizeof(big));
    clone(r, 2, 3);
    ck_assert_int_eq(ask(r, XATTRCREATE, "wsdw", 3u, "user.big", (u64)70000, 0u), E2BIG);
    ck_assert_int_eq(ask(r, XATTRCREATE, "wsdw", 3u, "user.big", (u64)3000, 0u), 0);
    ck_assert_int_eq(ask(r, WRITE, "wdr", 3u, (u64)0, big, 1000u), 0);
    ck_assert_int_eq(ask(r, WRITE, "wdr", 3u, (u64)0, big, 1000u), EINVAL);
    ck_assert_int_eq(ask(r, WRITE, "wdr", 3u, (u64)1000, big, 2001u), EINVAL);
    share_close(r->s);
    server_open(r); /* it goes on */
    ck_assert_int_eq(ask(r, WRITE, "wdr", 3u, (u64)1000, big, 2000u), 0);
    ck_assert_int_eq(clunk(r, 3), 0);
    ck_assert_int_eq(getxattr(path_of(r, "f"), "user.big", big, sizeof(big)), 3000);
    clone(r, 2, 3);
    ck_assert_int_eq(ask(r, XATTRCREATE, "wsdw", 3u, "user.virtfs.uid", (u64)4, 0u), 0);
    ck_assert_int_eq(ask(r, WRITE, "wdr", 3u, (u64)0, big, 4u), 0);
    ck_assert_int_eq(clunk(r, 3), EACCES);
    clone(r, 2, 3);
    ck_assert_int_eq(ask(r, XATTRCREATE, "wsdw", 3u, "user.big", (u64)10, 0u), 0);
    ck_assert_int_eq(clunk(r, 3), EINVAL); /* not written */
    for (u32 n = 0; n < 64; n++)
        ck_assert_int_eq(ask(r, XATTRWALK, "wws", 2u, 100u + n, "user.big"), 0);
    ck_assert_int_eq(ask(r, XATTRWALK, "wws", 2u, 99u, "user.big"), ENFILE);
    ck_assert_int_eq(ask(r, READ, "wdw", 163u, (u64)2990, 100u), 0);
    ck_assert_uint_eq(load_le32(r->r + 7), 10);
    ck_assert_int_eq(ask(r, READ, "wdw", 163u, (u64)1 << 40, 100u), 0);
    ck_assert_uint_eq(load_le32(r->r + 7), 0);
    rig_close(r);
}
END_TEST

START_TEST(read_only)
{
    struct rig *r = rig_open(SHARE_NONE);
    r->config.readonly = true;
    share_close(r->s);
    server_open(r);
    host_put(path_of(r, "f"), "text");
    begin(r);
    ck_assert_int_eq(walk(r, 0, 1, "f"), 0);
    clone(r, 1, 2);
    ck_assert_int_eq(ask(r, LOPEN, "ww", 2u, 1u), EROFS);
    ck_assert_int_eq(ask(r, LOPEN, "ww", 2u, 2u), EROFS);
    ck_assert_int_eq(ask(r, LOPEN, "ww", 2u, 01000u), EROFS);
    ck_assert_int_eq(ask(r, LOPEN, "ww", 2u, 0u), 0);
    ck_assert_str_eq(text_read(r, 2, 0), "text");
    ck_assert_int_eq(ask(r, WRITE, "wdr", 2u, (u64)0, "x", 1u), EROFS);
    clone(r, 0, 3);
    ck_assert_int_eq(ask(r, LCREATE, "wswww", 3u, "n", 0u, 0600u, 0u), EROFS);
    ck_assert_int_eq(ask(r, SYMLINK, "wssw", 0u, "n", "x", 0u), EROFS);
    ck_assert_int_eq(ask(r, MKNOD, "wswwww", 0u, "n", (u32)S_IFREG, 0u, 0u, 0u), EROFS);
    ck_assert_int_eq(ask(r, RENAME, "wws", 1u, 0u, "n"), EROFS);
    ck_assert_int_eq(ask(r, SETATTR, "wwwwwddddd", 1u, 8u, 0u, 0u, 0u, (u64)0, (u64)0, (u64)0, (u64)0, (u64)0), EROFS);
    ck_assert_int_eq(ask(r, XATTRCREATE, "wsdw", 1u, "user.x", (u64)1, 0u), EROFS);
    ck_assert_int_eq(ask(r, LINK, "wws", 0u, 1u, "n"), EROFS);
    ck_assert_int_eq(ask(r, MKDIR, "wsww", 0u, "n", 0700u, 0u), EROFS);
    ck_assert_int_eq(ask(r, RENAMEAT, "wsws", 0u, "f", 0u, "n"), EROFS);
    ck_assert_int_eq(ask(r, UNLINKAT, "wsw", 0u, "f", 0u), EROFS);
    ck_assert_int_eq(ask(r, REMOVE, "w", 1u), EROFS);
    ck_assert(host_holds(path_of(r, "f"), "text"));
    rig_close(r);
}
END_TEST

/* Another server goes on from what this one remembered: as after a snapshot. */
START_TEST(goes_on)
{
    struct rig *r = rig_open(SHARE_NONE);
    char name[128];
    begin(r);
    for (u32 n = 0; n < 400; n++) { /* more than it keeps open at once */
        snprintf(name, sizeof(name), "f%u", n);
        clone(r, 0, n + 1);
        ck_assert_int_eq(ask(r, LCREATE, "wswww", n + 1, name, 02002u, 0600u, 0u), 0);
        ck_assert_int_eq(ask(r, WRITE, "wdr", n + 1, (u64)0, name, (u32)strlen(name)), 0);
    }
    share_close(r->s);
    server_open(r);
    snprintf(name, sizeof(name), "%s/other", r->base);
    ck_assert(!rename(path_of(r, "f5"), name));
    host_put(path_of(r, "f5"), "not it");
    unlink(path_of(r, "f6"));
    for (u32 n = 0; n < 400; n++) {
        snprintf(name, sizeof(name), "f%u", n);
        if (n == 5 || n == 6) {
            ck_assert_str_eq(text_read(r, n + 1, 0), "ESTALE");
            continue;
        }
        ck_assert_str_eq(text_read(r, n + 1, 0), name);
        ck_assert_int_eq(ask(r, WRITE, "wdr", n + 1, (u64)0, "+", 1u), 0); /* O_APPEND still */
    }
    ck_assert(host_holds(path_of(r, "f7"), "f7+"));
    rig_close(r);
}
END_TEST

/* ---- hostile ---- */

static u64 random_next(u64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Messages of the right kinds with wrong parts, and bytes in them that are anything. */
static u32 message_make(u8 *t, u64 *seed)
{
    static const struct {
        u8 type;
        const char *layout;
    } rows[] = {
#define P9(name, type, flags, layout) { type, layout },
#include "frontend/p9.def"
    };
    static const char *const words[] = {
        "a", "b", "c", "..", ".", "", "a/b", "lf", "ld", "user.x", "secret", "9P2000.L"
    };
    unsigned row = (unsigned)(random_next(seed) % ARRAY_LEN(rows));
    if (rows[row].type == VERSION && random_next(seed) % 8)
        row = 0;
    u32 at = 7;
    for (const char *l = rows[row].layout; *l; l++) {
        u64 value = random_next(seed);
        unsigned size = *l == 'b' ? 1 : *l == 'h' || *l == 'N' ? 2 : *l == 'd' ? 8 : 4;
        value = *l == 'f' || value % 3 ? value % 12 : value;
        if (*l == 's' || *l == 'n') {
            const char *name = words[value % ARRAY_LEN(words)];
            store_le16(t + at, (u16)strlen(name));
            memcpy(t + at + 2, name, strlen(name));
            at += 2 + (u32)strlen(name);
            continue;
        }
        memcpy(t + at, &value, size);
        at += size;
        if (*l == 'r') {
            store_le32(t + at - 4, 20);
            memset(t + at, 'x', 20);
            at += 20;
        }
        for (u64 n = 0; *l == 'N' && n < value && at < 1000; n++) {
            const char *name = words[random_next(seed) % ARRAY_LEN(words)];
            store_le16(t + at, (u16)strlen(name));
            memcpy(t + at + 2, name, strlen(name));
            at += 2 + (u32)strlen(name);
        }
    }
    store_le32(t, at);
    t[4] = rows[row].type;
    if (random_next(seed) % 16 == 0)
        t[random_next(seed) % at] = (u8)random_next(seed);
    return random_next(seed) % 32 ? at : (u32)(random_next(seed) % (at + 1));
}

START_TEST(hostile_messages)
{
    struct rig *r = rig_open(_i ? SHARE_MAPPED_FILE : SHARE_NONE);
    char out[128];
    u64 seed = 0x1234567 + (u64)_i;
    unsigned done = 0;
    snprintf(out, sizeof(out), "%s/secret", r->outside);
    host_put(out, "secret");
    ck_assert(!symlink(r->outside, path_of(r, "ld")) && !symlink(out, path_of(r, "lf")));
    begin(r);
    for (unsigned n = 0; n < rounds(60000); n++) {
        u8 *t = malloc(2048); /* so that what is read behind it is seen */
        u32 size = message_make(t, &seed);
        t = realloc(t, size ? size : 1);
        r->size = share_request(r->s, r->memory, t, size, r->r);
        ck_assert(r->size <= SHARE_MESSAGE && (!r->size || r->size == load_le32(r->r)));
        done += r->size && r->r[4] != 7;
        free(t);
        if (n % 500 == 0)
            begin(r);
        if (n % 5000 == 0) {
            share_close(r->s);
            server_open(r);
        }
    }
    ck_assert_uint_gt(done, rounds(60000) / 60);
    outside_is_whole(r, out);
    rig_close(r);
}
END_TEST

/* What it remembers may be anything: a snapshot is a file. */
START_TEST(hostile_memory)
{
    struct rig *r = rig_open(SHARE_NONE);
    u64 seed = 99;
    char out[128];
    snprintf(out, sizeof(out), "%s/secret", r->outside);
    host_put(out, "secret");
    for (unsigned n = 0; n < 300; n++) {
        begin(r);
        ask(r, MKDIR, "wsww", 0u, "a", 0700u, 0u);
        walk(r, 0, 1, "a");
        ask(r, MKDIR, "wsww", 1u, "b", 0700u, 0u);
        walk(r, 1, 2, "b");
        clone(r, 2, 3);
        ask(r, LCREATE, "wswww", 3u, "f", 02u, 0600u, 0u);
        ask(r, XATTRWALK, "wws", 2u, 4u, "");
        share_close(r->s);
        static const u32 at[] = { 0, 4096, 4096 + (32 << 18), 4096 + ((32 + 264) << 18) };
        for (unsigned k = 0; k < 1 + n % 5; k++) {
            u32 place = at[random_next(&seed) % ARRAY_LEN(at)] + (u32)(random_next(&seed) % 1200);
            r->memory[place] = (u8)random_next(&seed);
        }
        if (n % 3 == 0) { /* a name that leads out */
            char *name = (char *)r->memory + at[2] + 264 + 8;
            memcpy(name, n % 2 ? ".." : "a/..", n % 2 ? 3 : 5);
            name[-2] = n % 2 ? 2 : 4;
        }
        server_open(r);
        for (u32 fid = 0; fid < 5; fid++) {
            ask(r, GETATTR, "wd", fid, (u64)0x7ff);
            ask(r, READ, "wdw", fid, (u64)0, 100u);
            ask(r, READDIR, "wdw", fid, (u64)0, 1000u);
            ask(r, WALK, "wwhsss", fid, 50u + fid, 3u, "..", "out", "secret");
            ask(r, LOPEN, "ww", 50u + fid, 2u);
            ask(r, WRITE, "wdr", 50u + fid, (u64)0, "overwritten", 11u);
            clunk(r, fid);
        }
    }
    ck_assert(host_holds(out, "secret"));
    rig_close(r);
}
END_TEST

Suite *test_share_suite(void);
Suite *test_share_suite(void)
{
    Suite *s = suite_create("share");
    TCase *t = tcase_create("server");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, sessions);
    tcase_add_loop_test(t, files, 0, 4);
    tcase_add_test(t, names);
    tcase_add_loop_test(t, ways_out, 0, 2);
    tcase_add_test(t, races);
    tcase_add_test(t, folders);
    tcase_add_test(t, attributes);
    tcase_add_test(t, read_only);
    tcase_add_test(t, goes_on);
    tcase_add_loop_test(t, hostile_messages, 0, 2);
    tcase_add_test(t, hostile_memory);
    suite_add_tcase(s, t);
    return s;
}
