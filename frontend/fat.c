/*
 * A folder of the host as a FAT file system, as it is when elmu starts. Files are in the order of their names and have
 * one fixed date, so that the same folder gives the same image everywhere. Left out, and said so: names that FAT cannot
 * have, files that cannot be read, links that lead out of the folder, and what is no file.
 */
#define _GNU_SOURCE
#include "frontend/fat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES_MAX = 65536, BOOT_SECTORS = 8 /* of FAT32 */, DATE = 43 << 9 | 1 << 5 | 1 /* 2023-01-01 */, HEADS = 16, TRACK = 63 };

/* ---- layout ---- */

u32 fat_get(const struct fat *f, u32 cluster)
{
    const u8 *table = f->image + (u64)(f->first + f->reserved) * FAT_SECTOR;
    switch (f->bits) {
    case 12: return load_le16(table + cluster + cluster / 2) >> (cluster % 2 * 4) & 0xfff;
    case 16: return load_le16(table + 2 * cluster);
    default: return load_le32(table + 4 * (u64)cluster) & 0x0fffffff;
    }
}

/* In both tables. */
static void fat_set(struct fat *f, u32 cluster, u32 value)
{
    for (unsigned n = 0; n < 2; n++) {
        u8 *table = f->image + (u64)(f->first + f->reserved + n * f->fat_sectors) * FAT_SECTOR;
        u8 *at = table + cluster + cluster / 2;
        unsigned shift = cluster % 2 * 4;
        if (f->bits == 12)
            store_le16(at, (u16)((load_le16(at) & ~(0xfff << shift)) | (value & 0xfff) << shift));
        else if (f->bits == 16)
            store_le16(table + 2 * cluster, (u16)value);
        else
            store_le32(table + 4 * (u64)cluster, value & 0x0fffffff);
    }
}

static u32 root_sectors(const struct fat *f) { return f->root_entries * FAT_ENTRY / FAT_SECTOR; }
static u32 data_sector(const struct fat *f) { return f->first + f->reserved + 2 * f->fat_sectors + root_sectors(f); }

u8 *fat_cluster(const struct fat *f, u32 cluster)
{
    return f->image + (data_sector(f) + (u64)(cluster - 2) * f->cluster_sectors) * FAT_SECTOR;
}

u8 *fat_root(const struct fat *f)
{
    return f->root_entries ? f->image + (u64)(f->first + f->reserved + 2 * f->fat_sectors) * FAT_SECTOR : NULL;
}

u32 fat_root_cluster(const struct fat *f) { return load_le32(f->image + (u64)f->first * FAT_SECTOR + 44); }

/* The table needs room for what it leaves room for. */
static void layout_make(struct fat *f)
{
    u32 total = (u32)(f->size / FAT_SECTOR) - f->first;
    for (f->fat_sectors = 1;; f->fat_sectors++) {
        f->clusters = (total - f->reserved - 2 * f->fat_sectors - root_sectors(f)) / f->cluster_sectors;
        if (((u64)(f->clusters + 2) * f->bits + 7) / 8 <= (u64)f->fat_sectors * FAT_SECTOR)
            return;
    }
}

/* Cylinder, head and sector as a partition table has them; what is too far is 1023, 254, 63. */
static void chs_put(u8 *to, u32 sector)
{
    u32 cylinder = sector / (HEADS * TRACK), head = sector / TRACK % HEADS;
    to[0] = (u8)head;
    to[1] = (u8)((sector % TRACK + 1) | (cylinder >> 2 & 0xc0));
    to[2] = (u8)cylinder;
}

static void partition_put(const struct fat *f, u8 *mbr)
{
    u8 *entry = mbr + 446;
    u32 total = (u32)(f->size / FAT_SECTOR);
    memcpy(mbr + 440, "elmu", 4); /* the disk's signature */
    entry[0] = 0x80;
    entry[4] = f->bits == 32 ? 0x0c : f->bits == 16 ? 0x0e : 0x01;
    chs_put(entry + 1, f->first);
    chs_put(entry + 5, total - 1);
    store_le32(entry + 8, f->first);
    store_le32(entry + 12, total - f->first);
    store_le16(mbr + 510, 0xaa55);
}

/* The boot sector (3), and FAT32's sector of free clusters (5), which says that it does not know. */
static void boot_put(const struct fat *f, u8 *boot)
{
    u8 *more = boot + (f->bits == 32 ? 64 : 36);
    u32 total = (u32)(f->size / FAT_SECTOR) - f->first;
    char type[9];
    memcpy(boot,
           "\xeb\x58\x90"
           "MSWIN4.1",
           11); /* what drivers are said to look for */
    store_le16(boot + 11, FAT_SECTOR);
    boot[13] = (u8)f->cluster_sectors;
    store_le16(boot + 14, (u16)f->reserved);
    boot[16] = 2;
    store_le16(boot + 17, (u16)f->root_entries);
    store_le16(boot + 19, (u16)(total < 0x10000 ? total : 0));
    boot[21] = f->floppy ? 0xf0 : 0xf8;
    store_le16(boot + 22, (u16)(f->bits == 32 ? 0 : f->fat_sectors));
    store_le16(boot + 24, f->floppy ? 36 : TRACK);
    store_le16(boot + 26, f->floppy ? 2 : HEADS);
    store_le32(boot + 28, f->first);
    store_le32(boot + 32, total < 0x10000 ? 0 : total);
    if (f->bits == 32) {
        store_le32(boot + 36, f->fat_sectors);
        store_le32(boot + 44, 2);
        store_le16(boot + 48, 1);
        store_le16(boot + 50, 6);
        u8 *info = boot + FAT_SECTOR;
        store_le32(info, 0x41615252);
        store_le32(info + 484, 0x61417272);
        store_le32(info + 488, 0xffffffff);
        store_le32(info + 492, 0xffffffff);
        store_le32(info + 508, 0xaa550000);
    }
    more[0] = f->floppy ? 0 : 0x80;
    more[2] = 0x29;
    memcpy(more + 3, "elmu", 4); /* the volume's number */
    memcpy(more + 7, f->label, 11);
    snprintf(type, sizeof(type), "FAT%u   ", f->bits);
    memcpy(more + 18, type, 8);
    store_le16(boot + 510, 0xaa55);
    if (f->bits == 32)
        memcpy(boot + 6 * FAT_SECTOR, boot, 2 * FAT_SECTOR);
}

/* What says where everything is; the rest is the guest's to change (a volume that is in use has a mark, its name). */
bool fat_is_same(const struct fat *f)
{
    u8 boot[BOOT_SECTORS * FAT_SECTOR] = { 0 }, table[FAT_SECTOR] = { 0 };
    const u8 *now = f->image + (u64)f->first * FAT_SECTOR;
    partition_put(f, table);
    boot_put(f, boot);
    return !memcmp(now + 11, boot + 11, f->bits == 32 ? 52 - 11 : 36 - 11) &&
           (!f->first || !memcmp(f->image + 446, table + 446, 64));
}

/* ---- names ---- */

/* UTF-8 to UTF-16. The number of units, at most `room`; 0: it is no such text, too long, or no name in FAT. */
static unsigned name_units(const char *name, u16 *units, unsigned room)
{
    const u8 *p = (const u8 *)name;
    unsigned used = 0;
    while (*p) {
        unsigned more = *p < 0x80 ? 0 : *p >> 5 == 6 ? 1 : *p >> 4 == 14 ? 2 : *p >> 3 == 30 ? 3 : 9;
        u32 code = more ? *p & (0x3fu >> more) : *p;
        if (more == 9 || *p < 0x20 || strchr("\"*/:<>?\\|", *p))
            return 0;
        for (p++; more; more--, p++) {
            if (*p >> 6 != 2)
                return 0;
            code = code << 6 | (*p & 0x3f);
        }
        if (code > 0x10ffff || code >> 11 == 0x1b || used + 2 > room)
            return 0;
        if (code >= 0x10000)
            units[used++] = (u16)(0xd800 | (code - 0x10000) >> 10);
        units[used++] = (u16)(code >= 0x10000 ? 0xdc00 | (code & 0x3ff) : code);
    }
    bool trailing = used && (units[used - 1] == '.' || units[used - 1] == ' ');
    return used > 255 || trailing ? 0 : used;
}

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }
static bool is_short_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'()-@^_`{}", c));
}

/* The short name of the n-th file of a folder: as it is in capitals where that is one, else some of it and a number. */
static void short_make(const char *name, unsigned n, u8 to[11])
{
    const char *dot = strrchr(name, '.'), *p = name;
    unsigned base = 0, end = 8;
    bool fits = dot != name;
    char tail[8];
    memset(to, ' ', 11);
    for (; *p && p != dot; p++) {
        fits = fits && is_short_char(upper(*p)) && base < 8;
        if (is_short_char(upper(*p)) && base < 8)
            to[base++] = (u8)upper(*p);
    }
    for (p = dot ? dot + 1 : p; *p; p++) {
        fits = fits && is_short_char(upper(*p)) && end < 11;
        if (is_short_char(upper(*p)) && end < 11)
            to[end++] = (u8)upper(*p);
    }
    if (fits && base)
        return;
    unsigned length = (unsigned)snprintf(tail, sizeof(tail), "~%u", n + 1);
    base = base + length > 8 ? 8 - length : base;
    memset(to + base, ' ', 8 - base);
    memcpy(to + base, tail, length);
}

u8 fat_checksum(const u8 name[11])
{
    u8 sum = 0;
    for (unsigned n = 0; n < 11; n++)
        sum = (u8)((sum >> 1 | sum << 7) + name[n]);
    return sum;
}

/* Does the short name say all of it? */
static bool short_is_whole(const char *name, const u8 short_name[11])
{
    char text[13];
    unsigned used = 0;
    for (unsigned n = 0; n < 11; n++) {
        if (n == 8 && short_name[8] != ' ')
            text[used++] = '.';
        if (short_name[n] != ' ')
            text[used++] = (char)short_name[n];
    }
    text[used] = 0;
    return !strcmp(name, text);
}

static unsigned entries_of(const char *name, unsigned n)
{
    u8 short_name[11];
    u16 units[256];
    short_make(name, n, short_name);
    return short_is_whole(name, short_name)
               ? 1
               : 1 + (name_units(name, units, ARRAY_LEN(units)) + LONG_CHARS - 1) / LONG_CHARS;
}

static void entry_put(u8 *to, const u8 name[11], u8 attr, u32 cluster, u32 size)
{
    memset(to, 0, FAT_ENTRY);
    memcpy(to, name, 11);
    to[ENTRY_ATTR] = attr;
    store_le16(to + 16, DATE); /* made */
    store_le16(to + 18, DATE); /* read */
    store_le16(to + ENTRY_DATE, DATE);
    store_le16(to + ENTRY_HIGH, (u16)(cluster >> 16));
    store_le16(to + ENTRY_LOW, (u16)cluster);
    store_le32(to + ENTRY_SIZE, size);
}

/* Where the characters of a long name are in its entry. */
static unsigned long_at(unsigned n) { return n < 5 ? 1 + 2 * n : n < 11 ? 14 + 2 * (n - 5) : 28 + 2 * (n - 11); }

/* Those of the long name, last part first, and the short one. Returns what comes after them. */
static u8 *name_put(u8 *to, const char *name, unsigned n, u8 attr, u32 cluster, u32 size)
{
    u16 units[256];
    u8 short_name[11];
    short_make(name, n, short_name);
    unsigned used = name_units(name, units, ARRAY_LEN(units)), parts = entries_of(name, n) - 1;
    for (unsigned part = parts; part; part--, to += FAT_ENTRY) {
        memset(to, 0, FAT_ENTRY);
        to[0] = (u8)(part | (part == parts ? LONG_LAST : 0));
        to[ENTRY_ATTR] = ATTR_LONG;
        to[ENTRY_CHECKSUM] = fat_checksum(short_name);
        for (unsigned k = 0; k < LONG_CHARS; k++) {
            unsigned at = (part - 1) * LONG_CHARS + k;
            store_le16(to + long_at(k), at < used ? units[at] : at == used ? 0 : 0xffff);
        }
    }
    entry_put(to, short_name, attr, cluster, size);
    return to + FAT_ENTRY;
}

/* ---- files and folders ---- */

static _Noreturn void too_much(const struct fat *f)
{
    die("-drive fat:%s: Directory does not fit in FAT%u (capacity %llu MB)", f->name, f->bits,
        (unsigned long long)f->clusters * f->cluster_sectors * FAT_SECTOR / 1000000);
}

/* The first of a chain of clusters for this many bytes; 0 for none. */
static u32 clusters_take(struct fat *f, u64 bytes)
{
    u64 count = (bytes + f->cluster_sectors * FAT_SECTOR - 1) / (f->cluster_sectors * FAT_SECTOR);
    u32 first = f->free;
    if (!bytes)
        return 0;
    if (count > f->clusters + 2 - f->free)
        too_much(f);
    for (u32 n = 0; n < count; n++)
        fat_set(f, first + n, n + 1 == count ? 0x0fffffff : first + n + 1);
    f->free += (u32)count;
    return first;
}

static struct fat_origin *origin_add(struct fat *f, const char *path, const struct stat *st)
{
    if (f->origins == FILES_MAX)
        die("-drive fat:%s: more than %d files", f->name, FILES_MAX);
    if (f->origins % 256 == 0 && !(f->origin = realloc(f->origin, (f->origins + 256) * sizeof(*f->origin))))
        die("out of memory");
    struct fat_origin *o = &f->origin[f->origins++];
    *o = (struct fat_origin){ .path = strdup(path), .st = *st, .folder = S_ISDIR(st->st_mode) };
    if (!o->path)
        die("out of memory");
    return o;
}

/* Does a link within the folder lead to a file within it? */
static bool link_stays(const struct fat *f, int folder, const char *name)
{
    char at[64], from[64], *root, *to;
    snprintf(at, sizeof(at), "/proc/self/fd/%d", f->folder);
    snprintf(from, sizeof(from), "/proc/self/fd/%d/", folder);
    char whole[sizeof(from) + 256];
    snprintf(whole, sizeof(whole), "%s%s", from, name);
    root = realpath(at, NULL);
    to = realpath(whole, NULL);
    size_t length = root ? strlen(root) : 0;
    bool stays = root && to && !strncmp(root, to, length) && (to[length] == '/' || length == 1);
    free(root);
    free(to);
    return stays;
}

/* Copies it into new clusters. False: it cannot be read, now or as a whole. */
static bool file_take(struct fat *f, int folder, const char *name, bool link, struct stat *st, u32 *cluster)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (link ? 0 : O_NOFOLLOW));
    *cluster = 0;
    if (fd < 0 || fstat(fd, st) || !S_ISREG(st->st_mode)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (st->st_size > 0xffffffffll)
        too_much(f);
    *cluster = clusters_take(f, (u64)st->st_size);
    ssize_t n = 1;
    for (off_t at = 0; *cluster && at < st->st_size && n > 0; at += n)
        n = read(fd, fat_cluster(f, *cluster) + at, (size_t)(st->st_size - at));
    close(fd);
    return n > 0;
}

/* Capitals and small letters are one name in FAT. */
static int name_order(const struct dirent **a, const struct dirent **b)
{
    int order = strcasecmp((*a)->d_name, (*b)->d_name);
    return order ? order : strcmp((*a)->d_name, (*b)->d_name);
}

struct child {
    char name[256];
    struct stat st;
    bool link;
};

/* What of the folder can be in FAT, in order. */
static unsigned children_find(struct fat *f, int folder, struct child **found)
{
    struct dirent **list = NULL;
    unsigned count = 0;
    u16 units[256];
    int all = scandirat(folder, ".", &list, NULL, name_order);
    *found = calloc(all > 0 ? (size_t)all : 1, sizeof(**found));
    if (!*found)
        die("out of memory");
    for (int n = 0; n < all; n++) {
        struct child *c = &(*found)[count];
        const char *name = list[n]->d_name;
        bool self = !strcmp(name, ".") || !strcmp(name, "..");
        snprintf(c->name, sizeof(c->name), "%s", name);
        bool ok = !self && !fstatat(folder, name, &c->st, AT_SYMLINK_NOFOLLOW);
        c->link = ok && S_ISLNK(c->st.st_mode);
        ok = ok && (!c->link || (link_stays(f, folder, name) && !fstatat(folder, name, &c->st, 0))) &&
             (S_ISREG(c->st.st_mode) || (S_ISDIR(c->st.st_mode) && !c->link)) &&
             name_units(name, units, ARRAY_LEN(units)) && (!count || strcasecmp(c[-1].name, name));
        count += ok;
        f->left_out += !ok && !self;
    }
    for (int n = 0; n < all; n++)
        free(list[n]);
    free(list);
    return count;
}

static u32 folder_make(struct fat *f, int folder, const char *path, u32 parent, unsigned depth);

static u8 *child_put(struct fat *f, int folder, const struct child *c, unsigned n, const char *path, u32 self,
                     unsigned depth, u8 *to)
{
    char whole[4096];
    if ((size_t)snprintf(whole, sizeof(whole), "%s%s%s", path, path[0] ? "/" : "", c->name) >= sizeof(whole))
        die("-drive fat:%s: folders in each other, too deep", f->name);
    struct fat_origin *o = origin_add(f, whole, &c->st);
    o->link = c->link;
    if (o->folder) {
        int inner = openat(folder, c->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (depth == FAT_DEPTH)
            die("-drive fat:%s: folders in each other, too deep", f->name);
        o->unread = inner < 0;
        f->left_out += inner < 0;
        if (inner < 0)
            return to;
        u32 cluster = folder_make(f, inner, whole, self, depth + 1);
        close(inner);
        return name_put(to, c->name, n, ATTR_FOLDER, cluster, 0);
    }
    if (!file_take(f, folder, c->name, c->link, &o->st, &o->cluster)) {
        o->unread = true;
        f->left_out++;
        return to;
    }
    return name_put(to, c->name, n, ATTR_ARCHIVE, o->cluster, (u32)o->st.st_size);
}

/* The entries of a folder and all that is in it. Returns its first cluster; 0: it is FAT16's root, which has its own
 * place. parent: 0 is the root. */
static u32 folder_make(struct fat *f, int folder, const char *path, u32 parent, unsigned depth)
{
    struct child *child;
    unsigned count = children_find(f, folder, &child), entries = depth ? 2 : 1;
    for (unsigned n = 0; n < count; n++)
        entries += entries_of(child[n].name, n);
    u32 self = 0;
    if (!depth && f->bits != 32) { /* it lies between tables and data, and is as large as it must be */
        u32 needed = (u32)align_up(entries, FAT_SECTOR / FAT_ENTRY);
        f->root_entries = needed > f->root_entries ? needed : f->root_entries;
        if (f->root_entries > 0xfff0 || f->root_entries / 16 + 64 > f->size / FAT_SECTOR / 2)
            too_much(f);
        layout_make(f);
    } else {
        self = clusters_take(f, (u64)entries * FAT_ENTRY);
    }
    u8 *to = self ? fat_cluster(f, self) : fat_root(f);
    if (!depth) {
        entry_put(to, (const u8 *)f->label, ATTR_VOLUME, 0, 0);
    } else {
        entry_put(to, (const u8 *)".          ", ATTR_FOLDER, self, 0);
        entry_put(to + FAT_ENTRY, (const u8 *)"..         ", ATTR_FOLDER, parent, 0);
        to += FAT_ENTRY;
    }
    to += FAT_ENTRY;
    for (unsigned n = 0; n < count; n++)
        to = child_put(f, folder, &child[n], n, path, depth ? self : 0, depth, to);
    free(child);
    return self;
}

void fat_make(struct fat *f, const char *folder, unsigned bits, bool floppy, const char *label)
{
    *f = (struct fat){ .bits = bits ? bits : floppy ? 12 : 16, .floppy = floppy, .free = 2, .name = strdup(folder) };
    if (f->bits != 12 && f->bits != 16 && f->bits != 32)
        die("-drive fat:%s: Valid FAT types are only 12, 16 and 32", folder);
    if (floppy && f->bits != 12)
        die("-drive fat:%s: a floppy has FAT12", folder);
    f->size = (u64)(floppy ? 80 * 2 * 36 : (f->bits == 12 ? 8 : 1024) * HEADS * TRACK) * FAT_SECTOR;
    f->first = floppy ? 0 : TRACK;
    f->reserved = f->bits == 32 ? 32 : 1;
    f->root_entries = f->bits == 32 ? 0 : floppy ? 240 : 512;
    f->cluster_sectors = f->bits == 12 ? 2 : f->bits == 16 ? 16 : 8;
    snprintf(f->label, sizeof(f->label), "%-11.11s", label[0] ? label : "ELMU FAT");
    if (!f->name)
        die("out of memory");
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->folder < 0)
        die("-drive fat:%s: %s", folder, strerror(errno));
    f->written = calloc(f->size / FAT_SECTOR / 8 + 1, 1);
    f->image = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (f->image == MAP_FAILED || !f->written)
        die("-drive fat:%s: no memory", folder);
    layout_make(f);
    folder_make(f, f->folder, "", 0, 0);
    fat_set(f, 0, 0x0fffff00 | (floppy ? 0xf0 : 0xf8));
    fat_set(f, 1, 0x0fffffff);
    if (f->first)
        partition_put(f, f->image);
    boot_put(f, f->image + (u64)f->first * FAT_SECTOR);
    if (f->left_out)
        fprintf(stderr, "elmu: -drive fat:%s: %u names are not in it (no files, not to be read, or no names in FAT)\n",
                folder, f->left_out);
}

void fat_free(struct fat *f)
{
    for (unsigned n = 0; n < f->origins; n++)
        free(f->origin[n].path);
    free(f->origin);
    free(f->written);
    free(f->name);
    munmap(f->image, f->size);
    close(f->folder);
}
