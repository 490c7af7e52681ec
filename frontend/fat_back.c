/*
 * What a guest made of a FAT file system, back into the folder that it was made of. The whole file system is read
 * first: when anything in it is not as it must be (a cluster that two files have, a chain that ends nowhere, a name
 * that no file can have) nothing is written. Then files are written anew where the guest changed them, each whole or
 * not at all, folders made, and what is gone is removed. Nothing is followed out of the folder: it is walked by
 * descriptors, links are none. A file that changed on the host as well stays as it is there.
 */
#define _GNU_SOURCE
#include "frontend/fat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FOUND_MAX = 1 << 16 };

struct found {
    char *path; /* from the folder on */
    u32 cluster, size;
    bool folder, changed;
};
struct back {
    struct fat *f;
    u8 *used;          /* a bit a cluster: it is of a file or folder */
    const char *wrong; /* NULL, or why this is no whole file system */
    struct found *found;
    unsigned count;
    bool failed;
};

static void note(const struct back *b, const char *path, const char *why)
{
    fprintf(stderr, "elmu: -drive fat:rw:%s: %s%s%s\n", b->f->name, path, path[0] ? ": " : "", why);
}

static bool wrong(struct back *b, const char *why)
{
    b->wrong = b->wrong ? b->wrong : why;
    return false;
}

/* ---- clusters ---- */

static u32 cluster_size(const struct fat *f) { return f->cluster_sectors * FAT_SECTOR; }
static bool cluster_is(const struct fat *f, u32 cluster) { return cluster >= 2 && cluster - 2 < f->clusters; }
/* The eight highest values. */
static bool is_end(const struct fat *f, u32 value) { return value >= ones(f->bits == 32 ? 28 : f->bits) - 7; }

/* Each cluster has one owner. */
static bool cluster_take(struct back *b, u32 cluster)
{
    if (!cluster_is(b->f, cluster))
        return wrong(b, "a chain of clusters leads nowhere");
    if (b->used[cluster / 8] >> cluster % 8 & 1)
        return wrong(b, "a cluster belongs to two files");
    b->used[cluster / 8] |= (u8)(1 << cluster % 8);
    return true;
}

static bool cluster_written(const struct fat *f, u32 cluster)
{
    u64 sector = (u64)(fat_cluster(f, cluster) - f->image) / FAT_SECTOR;
    for (u32 n = 0; n < f->cluster_sectors; n++)
        if (f->written[(sector + n) / 8] >> (sector + n) % 8 & 1)
            return true;
    return false;
}

/* How many clusters there are from `first` on. Each is taken once, so that it ends. *changed: any was written to, or
 * does not follow the one before. */
static u32 chain_take(struct back *b, u32 first, bool *changed)
{
    u32 count = 0;
    for (u32 at = first; !count || !is_end(b->f, at); count++) {
        if (!cluster_take(b, at))
            return 0;
        *changed |= at != first + count || cluster_written(b->f, at);
        at = fat_get(b->f, at);
    }
    return count;
}

/* ---- names ---- */

static unsigned utf8_put(char *to, u32 code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const u8 heads[] = { 0, 0xc0, 0xe0, 0xf0 };
    to[0] = (char)(heads[more] | code >> 6 * more);
    for (unsigned n = 1; n <= more; n++)
        to[n] = (char)(0x80 | (code >> 6 * (more - n) & 0x3f));
    return more + 1;
}

static bool name_is_good(const char *name)
{
    if (!name[0] || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/') || strlen(name) > 255)
        return false;
    for (; *name; name++)
        if ((u8)*name < 0x20 || *name == 0x7f)
            return false;
    return true;
}

/* The parts of a long name, which come last part first before the short one. */
struct long_name {
    u16 units[20 * LONG_CHARS];
    unsigned next, checksum; /* next: number of the part that must follow; 0: whole */
    bool begun;
};

static void long_take(struct long_name *l, const u8 *e)
{
    unsigned part = e[0] & 0x3f;
    if (e[0] & LONG_LAST) {
        memset(l->units, 0, sizeof(l->units));
        *l = (struct long_name){ .next = part, .checksum = e[ENTRY_CHECKSUM], .begun = true };
    }
    l->begun = l->begun && part && part <= 20 && part == l->next && e[ENTRY_CHECKSUM] == l->checksum;
    if (!l->begun)
        return;
    for (unsigned n = 0; n < LONG_CHARS; n++)
        l->units[(part - 1) * LONG_CHARS + n] = load_le16(e + (n < 5 ? 1 + 2 * n : n < 11 ? 4 + 2 * n : 6 + 2 * n));
    l->next--;
}

/* False: it is no text. */
static bool long_text(const struct long_name *l, char *to)
{
    unsigned used = 0;
    for (unsigned n = 0; n < ARRAY_LEN(l->units) && l->units[n]; n++) {
        u32 code = l->units[n];
        if (code >> 10 == 0x36 && n + 1 < ARRAY_LEN(l->units) && l->units[n + 1] >> 10 == 0x37)
            code = 0x10000 + ((code & 0x3ff) << 10 | (l->units[++n] & 0x3ff));
        if (code >> 11 == 0x1b || used + 5 > FAT_NAME)
            return false;
        used += utf8_put(to + used, code);
    }
    to[used] = 0;
    return true;
}

/* Code page 437 from 0x80 on, which short names are in. */
static const u16 code_page[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
    0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
    0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
    0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
    0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
    0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
    0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

static char lower(u8 c, bool small) { return (char)(small && c >= 'A' && c <= 'Z' ? c + 32 : c); }

/* A first byte of 5 stands for 0xe5 (6.1). */
static bool short_text(const u8 *e, char *to)
{
    unsigned used = 0, base = 8, end = 11;
    while (base && e[base - 1] == ' ')
        base--;
    while (end > 8 && e[end - 1] == ' ')
        end--;
    for (unsigned n = 0; n < end; n = n + 1 == base ? 8 : n + 1) {
        u8 c = !n && e[n] == 5 ? 0xe5 : e[n];
        if (n == 8)
            to[used++] = '.';
        if (c >= 0x80)
            used += utf8_put(to + used, code_page[c - 0x80]);
        else
            to[used++] = lower(c, e[ENTRY_CASE] & (n < 8 ? 8 : 16));
    }
    to[used] = 0;
    return base;
}

/* ---- reading ---- */

static bool folder_read(struct back *b, const u8 *entries, u64 size, const char *path, unsigned depth);

/* The entries of a folder that is a chain of clusters. */
static bool folder_find(struct back *b, u32 first, const char *path, unsigned depth)
{
    bool changed = false;
    u32 count = chain_take(b, first, &changed), at = first;
    if (!count)
        return false;
    if (depth > FAT_DEPTH)
        return wrong(b, "folders in each other, too deep");
    u64 size = (u64)count * cluster_size(b->f);
    u8 *entries = size ? malloc(size) : NULL;
    if (!entries)
        return wrong(b, "out of memory");
    for (u32 n = 0; n < count; n++, at = fat_get(b->f, at))
        memcpy(entries + (u64)n * cluster_size(b->f), fat_cluster(b->f, at), cluster_size(b->f));
    bool ok = folder_read(b, entries, size, path, depth);
    free(entries);
    return ok;
}

static struct found *found_add(struct back *b, const char *path)
{
    if (b->count % 256 == 0) {
        struct found *more = realloc(b->found, (b->count + 256) * sizeof(*more));
        if (!more)
            return NULL;
        b->found = more;
    }
    struct found *x = &b->found[b->count];
    *x = (struct found){ .path = strdup(path) };
    b->count += x->path != NULL;
    return x->path ? x : NULL;
}

static bool entry_read(struct back *b, const u8 *e, const char *name, const char *path, unsigned depth)
{
    char whole[4096];
    u32 cluster = load_le16(e + ENTRY_LOW) | (b->f->bits == 32 ? (u32)load_le16(e + ENTRY_HIGH) << 16 : 0);
    u32 size = load_le32(e + ENTRY_SIZE), chain = 0;
    if (!name_is_good(name))
        return wrong(b, "a name that no file can have");
    if ((size_t)snprintf(whole, sizeof(whole), "%s%s%s", path, path[0] ? "/" : "", name) >= sizeof(whole) ||
        b->count >= FOUND_MAX)
        return wrong(b, "too many names, or too long ones");
    struct found *x = found_add(b, whole);
    if (!x)
        return wrong(b, "out of memory");
    x->cluster = cluster;
    x->folder = e[ENTRY_ATTR] & ATTR_FOLDER;
    if (x->folder)
        return folder_find(b, cluster, whole, depth + 1);
    x->size = size;
    if (cluster && !(chain = chain_take(b, cluster, &x->changed)))
        return false;
    return (u64)chain * cluster_size(b->f) >= size || wrong(b, "a file is longer than its clusters");
}

static bool folder_read(struct back *b, const u8 *entries, u64 size, const char *path, unsigned depth)
{
    struct long_name whole = { .begun = false };
    char name[FAT_NAME];
    for (const u8 *e = entries; e < entries + size && e[0]; e += FAT_ENTRY) {
        bool is_long = (e[ENTRY_ATTR] & 0x3f) == ATTR_LONG, gone = e[0] == 0xe5, dots = depth && e[0] == '.';
        if (is_long && !gone) {
            long_take(&whole, e);
            continue;
        }
        bool named = whole.begun && !whole.next && whole.checksum == fat_checksum(e);
        whole.begun = false;
        if (gone || dots || e[ENTRY_ATTR] & ATTR_VOLUME)
            continue;
        if (!(named ? long_text(&whole, name) : short_text(e, name)))
            return wrong(b, "a name that is no text");
        if (!entry_read(b, e, name, path, depth))
            return false;
    }
    return true;
}

static bool all_read(struct back *b)
{
    const struct fat *f = b->f;
    if (!fat_is_same(f))
        return wrong(b, "the guest made another file system or partition");
    return fat_root(f) ? folder_read(b, fat_root(f), (u64)f->root_entries * FAT_ENTRY, "", 0)
                       : folder_find(b, fat_root_cluster(f), "", 0);
}

/* ---- writing ---- */

static int path_order(const void *a, const void *b)
{
    return strcmp(((const struct fat_origin *)a)->path, ((const struct fat_origin *)b)->path);
}

static struct fat_origin *origin_find(const struct fat *f, char *path)
{
    struct fat_origin key = { .path = path };
    return f->origins ? bsearch(&key, f->origin, f->origins, sizeof(key), path_order) : NULL;
}

/* The folder that a path lies in, and its last name; -1: it is not there, or a link. */
static int parent_open(const struct fat *f, const char *path, const char **last)
{
    int at = dup(f->folder);
    const char *slash;
    for (; at >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char name[256];
        snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
    }
    *last = path;
    return at;
}

/* Is the host's file the one that it was at the start? */
static bool is_as_before(int folder, const char *name, const struct fat_origin *o)
{
    struct stat st;
    return !fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) && st.st_ino == o->st.st_ino && st.st_dev == o->st.st_dev &&
           st.st_size == o->st.st_size && st.st_mtim.tv_sec == o->st.st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == o->st.st_mtim.tv_nsec;
}

static bool whole_write(const struct fat *f, int fd, const struct found *x)
{
    u32 left = x->size;
    for (u32 at = x->cluster; left; at = fat_get(f, at)) {
        u32 part = left < cluster_size(f) ? left : cluster_size(f);
        const u8 *from = fat_cluster(f, at);
        for (u32 done = 0; done < part;) {
            ssize_t n = write(fd, from + done, part - done);
            if (n <= 0)
                return false;
            done += (u32)n;
        }
        left -= part;
    }
    return true;
}

/* Under another name first. */
static bool file_replace(const struct fat *f, int folder, const char *name, const struct found *x, mode_t mode)
{
    char other[64];
    snprintf(other, sizeof(other), ".elmu-fat-%ld", (long)getpid());
    int fd = openat(folder, other, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    bool ok = whole_write(f, fd, x);
    ok = !close(fd) && ok && !renameat(folder, other, folder, name);
    int why = errno;
    if (!ok)
        unlinkat(folder, other, 0);
    errno = why;
    return ok;
}

static void failed(struct back *b, const char *path, const char *why)
{
    note(b, path, why);
    b->failed = true;
}

static void file_bring(struct back *b, const struct found *x, const struct fat_origin *o)
{
    const char *name;
    struct stat st;
    if (o && !o->folder && !x->changed && o->cluster == x->cluster && (u32)o->st.st_size == x->size)
        return;
    int folder = parent_open(b->f, x->path, &name);
    bool there = folder >= 0 && !fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW);
    if (folder < 0)
        failed(b, x->path, strerror(errno));
    else if (there && (!o || o->link || o->unread || !is_as_before(folder, name, o)))
        failed(b, x->path, "the guest changed it, but it is another file by now, or a link: left as it is");
    else if (!file_replace(b->f, folder, name, x, there ? st.st_mode & 0777 : 0644))
        failed(b, x->path, strerror(errno));
    if (folder >= 0)
        close(folder);
}

static void folder_bring(struct back *b, const struct found *x, const struct fat_origin *o)
{
    const char *name;
    if (o && o->folder)
        return;
    int folder = parent_open(b->f, x->path, &name);
    if (folder >= 0 && o && !o->link && is_as_before(folder, name, o))
        unlinkat(folder, name, 0); /* a file before */
    if (folder < 0 || (mkdirat(folder, name, 0755) && errno != EEXIST))
        failed(b, x->path, strerror(errno));
    if (folder >= 0)
        close(folder);
}

static void origin_remove(struct back *b, const struct fat_origin *o)
{
    const char *name;
    if (o->seen || o->link || o->unread)
        return;
    int folder = parent_open(b->f, o->path, &name);
    if (folder < 0)
        return;
    if (o->folder)
        unlinkat(folder, name, AT_REMOVEDIR); /* something else may be in it by now */
    else if (!is_as_before(folder, name, o))
        note(b, o->path, "the guest removed it, but it is another file by now: left as it is");
    else if (unlinkat(folder, name, 0))
        failed(b, o->path, strerror(errno));
    close(folder);
}

static void all_bring(struct back *b)
{
    struct fat *f = b->f;
    if (f->origins)
        qsort(f->origin, f->origins, sizeof(*f->origin), path_order);
    for (unsigned n = 0; n < b->count; n++) {
        struct fat_origin *o = origin_find(f, b->found[n].path);
        if (o)
            o->seen = o->folder == b->found[n].folder;
        (b->found[n].folder ? folder_bring : file_bring)(b, &b->found[n], o);
    }
    for (unsigned n = f->origins; n-- > 0;) /* what is in a folder before it */
        origin_remove(b, &f->origin[n]);
}

bool fat_back(struct fat *f)
{
    struct back b = { .f = f, .used = calloc((f->clusters + 2) / 8 + 1, 1) };
    if (!f->changed || !b.used) {
        free(b.used);
        return !f->changed;
    }
    if (all_read(&b))
        all_bring(&b);
    else
        failed(&b, "", b.wrong);
    if (b.wrong)
        note(&b, "", "nothing of what the guest wrote was brought back");
    for (unsigned n = 0; n < b.count; n++)
        free(b.found[n].path);
    free(b.found);
    free(b.used);
    return !b.failed;
}
