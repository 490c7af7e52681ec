/*
 * Snapshots of the whole machine. What is checked, in this order: magic, version, sizes, hash of head and state, hash
 * of the pages; then the sections by name, version and layout; then that the machine is of the same make and the disks'
 * files hold the same; then every index in the state. The pages of a file that nobody has changed since it was written
 * are not read for their hash: the nanoseconds of its time of change are those that the head's hash gives, and a change
 * moves them. So a mapped file of any size is restored in the time that a few mappings take.
 *
 * Of a disk with snapshot=on the file holds the blocks that were written; the rest, and all of any other disk, must be
 * what it was. Leaves out: text that the front end holds for the guest's consoles.
 */
#define _GNU_SOURCE
#include "debug/snapshot.h"

#include "cpu/engine/code.h"
#include "debug/file.h"
#include "board/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    PAGE = 4096,
    VERSION = 3,
    MAX_SECTIONS = 64,
    SECTION_NAME = 24,
    COMPRESSED = 1,
    GAP = 8,
    MAP_PAGES = 16,
    MAX_RUNS = 1 << 20,
    ZSTD_LEVEL = 1
};

struct snapshot_head {
    char magic[8];
    u32 version, flags;
    u64 sections, state_size, runs, pages, data_at, data_size, data_hash;
    u64 disk_hash[MAX_DISKS];
    u64 hash; /* of all before it, the sections, the state and the runs */
};
/* One of the sections that the state is made of (board/state.h), in their order. */
struct section_head {
    char name[SECTION_NAME];
    u32 version, count;
    u64 size, layout; /* bytes of a part; section_hash */
};
static const char magic[8] = "ELMUSNAP";

/* Pages that follow each other, all of them in the file: of RAM, then of the changed blocks of disk 0, 1... */
struct run {
    u64 at; /* physical address, or offset in the disk */
    u32 pages;
    u32 disk; /* 0: RAM, n + 1: disk n */
};

struct runs {
    struct run *run; /* NULL: no memory */
    u64 count, room, pages;
    u64 begin; /* first of this region or disk: runs do not reach over its end */
};

/* ---- what there is to save ---- */

static bool page_holds(const struct phys_region *r, u64 page)
{
    const u8 *bytes = r->host + page * PAGE;
    return r->flags[page] & PAGE_TOUCHED && (bytes[0] || memcmp(bytes, bytes + 1, PAGE - 1));
}

/* The page at `at` joins the last run when that is near enough: small gaps in RAM are taken along. */
static void runs_add(struct runs *l, u64 at, u32 disk)
{
    struct run *last = l->count > l->begin ? &l->run[l->count - 1] : NULL;
    if (last && at - (last->at + last->pages * (u64)PAGE) <= (disk ? 0 : GAP * PAGE)) {
        last->pages = (u32)((at - last->at) / PAGE + 1);
        return;
    }
    if (l->run && l->count == l->room) {
        struct run *more = realloc(l->run, (l->room *= 2) * sizeof(*more));
        if (!more)
            free(l->run);
        l->run = more;
    }
    if (l->run)
        l->run[l->count++] = (struct run){ at, 1, disk };
}

static void runs_find(struct machine *m, struct runs *l)
{
    *l = (struct runs){ .run = malloc(sizeof(*l->run)), .room = 1 };
    for (unsigned n = 0; n < m->d.phys.region_count; n++) {
        const struct phys_region *r = &m->d.phys.region[n];
        l->begin = l->count;
        for (u64 page = 0; l->run && page < r->size / PAGE; page++)
            if (page_holds(r, page))
                runs_add(l, r->base + page * PAGE, 0);
    }
    const struct machine_host *h = &m->d.host;
    for (u32 n = 0; h->disk_change && n < MAX_DISKS; n++) {
        l->begin = l->count;
        for (s64 block = 0; l->run && (block = h->disk_change(h->ctx, n, (u64)block)) >= 0; block++)
            runs_add(l, (u64)block * PAGE, n + 1);
    }
    for (u64 n = 0; l->run && n < l->count; n++)
        l->pages += l->run[n].pages;
}

/* Hash of what the disk's file holds outside of the blocks of these runs; 0: there is no such disk. */
static bool disk_hash(struct machine *m, unsigned disk, const struct run *run, u64 count, u64 *hash)
{
    enum { PART = 1 << 20 };
    const struct machine_host *host = &m->d.host;
    XXH3_state_t h;
    *hash = 0;
    if (!m->options.disk[disk].size)
        return true;
    u8 *part = malloc(PART);
    bool ok = part;
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    for (u64 at = 0, size, n = 0; ok && at < m->options.disk[disk].size; at += size) {
        while (n < count && (run[n].disk != disk + 1 || run[n].at + run[n].pages * (u64)PAGE <= at))
            n++;
        u64 end = n < count && run[n].at < m->options.disk[disk].size ? run[n].at : m->options.disk[disk].size;
        if (at >= end) { /* changed */
            size = run[n].at + run[n].pages * (u64)PAGE - at;
            continue;
        }
        size = end - at < PART ? end - at : PART;
        ok = host->disk_read_file && host->disk_read_file(host->ctx, disk, at, part, size);
        if (ok)
            XXH3_64bits_update(&h, part, size);
    }
    free(part);
    *hash = XXH3_64bits_digest(&h);
    return ok;
}

static u64 head_hash(const struct snapshot_head *head, const struct section_head *sections, const u8 *state,
                     const struct run *runs)
{
    XXH3_state_t h;
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    XXH3_64bits_update(&h, head, offsetof(struct snapshot_head, hash));
    XXH3_64bits_update(&h, sections, head->sections * sizeof(*sections));
    XXH3_64bits_update(&h, state, head->state_size);
    XXH3_64bits_update(&h, runs, head->runs * sizeof(*runs));
    return XXH3_64bits_digest(&h);
}

/* Nanoseconds of the time of change of a file that is as it was written. */
static u32 stamp_of(const struct snapshot_head *head) { return (u32)(head->hash % 1000000000); }

/* ---- saving ---- */

static u8 *run_host(struct machine *m, const struct run *r)
{
    struct phys_region *region = phys_region_at(&m->d.phys, r->at);
    return region ? region->host + (r->at - region->base) : NULL;
}

/* How much of a page lies in the disk. */
static u64 disk_part(const struct machine *m, const struct run *r, u64 at)
{
    u64 left = m->options.disk[r->disk - 1].size - at;
    return left < PAGE ? left : PAGE;
}

/* The bytes of a run from `done` on, as many as are at hand: NULL: a disk cannot be read. */
static const u8 *run_bytes(struct machine *m, const struct run *r, u64 done, u8 block[PAGE], u64 *size)
{
    u64 at = r->at + done;
    *size = r->disk ? (u64)PAGE : r->pages * (u64)PAGE;
    if (!r->disk)
        return run_host(m, r);
    memset(block, 0, PAGE);
    return m->d.host.disk_read(m->d.host.ctx, r->disk - 1, at, block, disk_part(m, r, at)) ? block : NULL;
}

static bool put_plain(struct machine *m, struct new_file *f, const struct run *runs, struct snapshot_head *head)
{
    static const u8 zeros[PAGE];
    u8 block[PAGE];
    XXH3_state_t h;
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    new_file_put(f, zeros, align_up(head->data_at, PAGE) - head->data_at);
    head->data_at = align_up(head->data_at, PAGE);
    for (u64 n = 0; n < head->runs; n++)
        for (u64 done = 0, size; done < runs[n].pages * (u64)PAGE; done += size) {
            const u8 *bytes = run_bytes(m, &runs[n], done, block, &size);
            if (!bytes)
                return false;
            new_file_put(f, bytes, size);
            XXH3_64bits_update(&h, bytes, size);
        }
    head->data_size = head->pages * PAGE;
    head->data_hash = XXH3_64bits_digest(&h);
    return true;
}

struct packer {
    struct new_file *f;
    ZSTD_CCtx *z;
    u8 *out;
    XXH3_state_t h;
    u64 size;
};

static bool pack(struct packer *p, const u8 *bytes, u64 size, bool end)
{
    enum { ROOM = 1 << 17 };
    ZSTD_inBuffer in = { bytes, size, 0 };
    size_t left;
    do {
        ZSTD_outBuffer o = { p->out, ROOM, 0 };
        left = ZSTD_compressStream2(p->z, &o, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left) || !new_file_put(p->f, p->out, o.pos))
            return false;
        XXH3_64bits_update(&p->h, p->out, o.pos);
        p->size += o.pos;
    } while (in.pos < in.size || (end && left));
    return true;
}

static bool put_compressed(struct machine *m, struct new_file *f, const struct run *runs, struct snapshot_head *head)
{
    struct packer p = { .f = f, .z = ZSTD_createCCtx(), .out = malloc(1 << 17) };
    u8 block[PAGE];
    bool ok = p.z && p.out && !ZSTD_isError(ZSTD_CCtx_setParameter(p.z, ZSTD_c_compressionLevel, ZSTD_LEVEL));
    XXH3_INITSTATE(&p.h);
    XXH3_64bits_reset(&p.h);
    for (u64 n = 0; ok && n < head->runs; n++)
        for (u64 done = 0, size; ok && done < runs[n].pages * (u64)PAGE; done += size) {
            const u8 *bytes = run_bytes(m, &runs[n], done, block, &size);
            ok = bytes && pack(&p, bytes, size, false);
        }
    ok = ok && pack(&p, NULL, 0, true);
    head->data_size = p.size;
    head->data_hash = XXH3_64bits_digest(&p.h);
    free(p.out);
    ZSTD_freeCCtx(p.z);
    return ok;
}

/* The machine's sections, for the file. Returns how many. */
static u64 sections_list(struct machine *m, struct section_head list[MAX_SECTIONS])
{
    struct section s;
    unsigned n;
    memset(list, 0, sizeof(*list) * MAX_SECTIONS);
    for (n = 0; n < MAX_SECTIONS && section_get(m, n, &s); n++) {
        memcpy(list[n].name, s.name, strnlen(s.name, SECTION_NAME - 1));
        list[n].version = s.version;
        list[n].count = s.count;
        list[n].size = s.size;
        list[n].layout = section_hash(&s);
    }
    return n;
}

static void save_to(struct machine *m, struct new_file *f, u8 *state, const struct run *runs,
                    struct snapshot_head *head)
{
    struct section_head sections[MAX_SECTIONS];
    head->sections = sections_list(m, sections);
    state_save(m, state);
    new_file_put(f, head, sizeof(*head));
    new_file_put(f, sections, head->sections * sizeof(*sections));
    new_file_put(f, state, head->state_size);
    new_file_put(f, runs, head->runs * sizeof(*runs));
    head->data_at = new_file_at(f);
    if (!(head->flags & COMPRESSED ? put_compressed : put_plain)(m, f, runs, head))
        new_file_spoil(f);
    head->hash = head_hash(head, sections, state, runs);
    new_file_patch(f, 0, head, sizeof(*head));
    new_file_set_ns(f, stamp_of(head));
}

bool snapshot_is_plain(const char *file)
{
    size_t length = strlen(file);
    return length > 4 && !strcmp(file + length - 4, ".map");
}

bool snapshot_save(struct machine *m, const char *file, bool compress, char error[256])
{
    struct snapshot_head head;
    struct runs l;
    memset(&head, 0, sizeof(head));
    memcpy(head.magic, magic, sizeof(magic));
    head.version = VERSION;
    head.flags = compress ? COMPRESSED : 0;
    head.state_size = state_size(m);
    runs_find(m, &l);
    head.runs = l.count;
    head.pages = l.pages;
    u8 *state = malloc(head.state_size);
    struct new_file *f = NULL;
    snprintf(error, 256, "%.150s: not written: out of memory", file);
    bool ok = l.run && state;
    for (unsigned n = 0; ok && n < MAX_DISKS; n++)
        if (!disk_hash(m, n, l.run, l.count, &head.disk_hash[n])) {
            snprintf(error, 256, "%.150s: not written: disk %u cannot be read", file, n);
            ok = false;
        }
    f = ok ? new_file_open(file, error) : NULL;
    if (f) {
        save_to(m, f, state, l.run, &head);
        ok = new_file_done(f, error);
    }
    free(l.run);
    free(state);
    return ok && f;
}

/* ---- restoring ---- */

struct loaded {
    const struct snapshot_head *head;
    const struct section_head *sections;
    const u8 *state, *data;
    const struct run *runs;
};

/* What lies between the runs and pages that begin with a page of the file is in no hash. */
static bool is_padding(const u8 *from, const u8 *to)
{
    if (to - from >= PAGE)
        return false;
    while (from < to)
        if (*from++)
            return false;
    return true;
}

/* Finds the parts of the file; NULL, or what is wrong with it. */
static const char *parse(const struct file_map *map, struct snapshot_head *head, struct loaded *l)
{
    if (map->size < sizeof(*head))
        return "it is too short";
    memcpy(head, map->bytes, sizeof(*head));
    if (memcmp(head->magic, magic, sizeof(magic)))
        return "it is something else";
    if (head->version != VERSION || head->flags > COMPRESSED)
        return "it was written by another version of elmu";
    u64 left = map->size - sizeof(*head), table = head->sections * sizeof(struct section_head);
    if (head->sections > MAX_SECTIONS || table > left || head->state_size > left - table || head->runs > MAX_RUNS ||
        head->runs * sizeof(struct run) > left - table - head->state_size || head->data_at > map->size ||
        head->data_size != map->size - head->data_at ||
        head->data_at < sizeof(*head) + table + head->state_size + head->runs * sizeof(struct run) ||
        head->state_size & 7)
        return "it is truncated or damaged";
    const u8 *sections = map->bytes + sizeof(*head), *state = sections + table, *runs = state + head->state_size;
    *l = (struct loaded){ head, (const void *)sections, state, map->bytes + head->data_at, (const void *)runs };
    if (head->hash != head_hash(head, l->sections, l->state, l->runs) ||
        !is_padding((const u8 *)(l->runs + head->runs), l->data) ||
        (map->ns != stamp_of(head) && head->data_hash != XXH3_64bits(l->data, head->data_size)))
        return "it is damaged";
    return NULL;
}

/* Does the run lie in this machine's RAM, or in a disk of it? */
static bool run_fits(struct machine *m, const struct run *r)
{
    if (r->at % PAGE || !r->pages)
        return false;
    if (r->disk) {
        u64 size = r->disk <= MAX_DISKS ? align_up(m->options.disk[r->disk - 1].size, PAGE) : 0;
        return r->at < size && r->pages <= (size - r->at) / PAGE;
    }
    const struct phys_region *region = phys_region_at(&m->d.phys, r->at);
    return region && r->pages <= (region->size - (r->at - region->base)) / PAGE;
}

/* Do they all, in order, and are they as many pages as the file says? */
static bool runs_fit(struct machine *m, const struct loaded *l)
{
    u64 pages = 0;
    for (u64 n = 0; n < l->head->runs; n++) {
        const struct run *r = &l->runs[n], *last = n ? r - 1 : NULL;
        if (!run_fits(m, r) || (last && last->disk > r->disk) ||
            (last && last->disk == r->disk && last->at < r->at && r->at - last->at < last->pages * (u64)PAGE) ||
            (last && last->disk == r->disk && r->disk && last->at >= r->at))
            return false;
        pages += r->pages;
    }
    return pages == l->head->pages && (l->head->flags & COMPRESSED || l->head->data_size == pages * PAGE);
}

/* What the options made must be what the snapshot was made of, but for what the file brings along (-seed, -rtc). NULL,
 * or the first option that differs. */
static const char *differs(const struct machine *m, const struct machine *s)
{
    static const struct {
        const char *field, *option; /* NULL: it may be another one */
    } rows[] = {
        { "ram_size", "-m" },           { "seed", NULL },
        { "rtc_base", NULL },           { "cpu_count", "-smp" },
        { "clusters", "-smp" },         { "cores", "-smp" },
        { "threads", "-smp" },          { "semihosting", "-semihosting" },
        { "reset_loud", "-reset" },     { "virtio_modern", "-global" },
        { "smmu_stage", "-global" },    { "flash_disk", "-drive" },
        { "disk", "-drive" },           { "net", "-device" },
        { "plug", "-device" },          { "pci", "-device" },
        { "store_size", "-fw_cfg" },    { "firmware", "-bios" },
        { "fw_cfg_no_dma", "-global" }, { "balloon", "-device" },
        { "share", "-fsdev" },
    };
    for (unsigned n = 0; n < machine_options_shape.count; n++) {
        const struct state_field *f = &machine_options_shape.field[n];
        const char *option = "-M"; /* of all others */
        for (unsigned k = 0; k < ARRAY_LEN(rows); k++)
            option = strcmp(f->name, rows[k].field) ? option : rows[k].option;
        if (option && memcmp((const u8 *)&m->options + f->offset, (const u8 *)&s->options + f->offset, f->size))
            return option;
    }
    return memcmp(&s->model, &m->model, sizeof(m->model)) ? "-cpu" : NULL;
}

/* The files of the disks must be what they were, and changes need a disk that keeps them for itself. */
static bool disks_fit(struct machine *m, const struct loaded *l, const char *file, char error[256])
{
    const struct machine_host *h = &m->d.host;
    for (u64 n = 0; n < l->head->runs; n++)
        if (l->runs[n].disk && (!h->disk_change || h->disk_change(h->ctx, l->runs[n].disk - 1, 0) == -2)) {
            snprintf(error, 256, "%.150s: it has changed blocks of disk %u: its -drive needs snapshot=on", file,
                     l->runs[n].disk - 1);
            return false;
        }
    for (unsigned n = 0; n < MAX_DISKS; n++) {
        u64 hash;
        if (!disk_hash(m, n, l->runs, l->head->runs, &hash) || hash != l->head->disk_hash[n]) {
            snprintf(error, 256, "%.150s: disk %u does not hold what it held when this was made", file, n);
            return false;
        }
    }
    return true;
}

/* Are the file's sections those of this machine? Else `what` says which one is not, and why. */
static bool sections_fit(struct machine *m, const struct loaded *l, char what[128])
{
    struct section_head own[MAX_SECTIONS];
    u64 count = sections_list(m, own);
    for (u64 n = 0; n < count || n < l->head->sections; n++) {
        const struct section_head *mine = &own[n], *its = &l->sections[n];
        if (n >= l->head->sections || n >= count || strncmp(its->name, mine->name, SECTION_NAME)) {
            bool missing = n >= l->head->sections;
            snprintf(what, 128, missing ? "it has no section '%.*s'" : "its section '%.*s' is none of this machine",
                     SECTION_NAME, missing ? mine->name : its->name);
            return false;
        }
        if (its->version != mine->version || its->layout != mine->layout || its->size != mine->size ||
            its->count != mine->count) {
            snprintf(what, 128, "its section '%.*s' is of another %s", SECTION_NAME, mine->name,
                     its->version != mine->version ? "version"
                     : its->count != mine->count   ? "number of parts"
                                                   : "layout");
            return false;
        }
    }
    return true;
}

/* What the options made, as the file has it: its first section, when that is what is expected there. */
static const char *make_differs(struct machine *m, const struct loaded *l)
{
    struct section s;
    section_get(m, 0, &s);
    struct machine *other = calloc(1, sizeof(*other));
    const char *what = "memory for it";
    if (other && l->head->sections && l->sections[0].layout == section_hash(&s) && l->head->state_size >= s.size) {
        memcpy(other, l->state, s.size);
        what = differs(m, other);
    } else if (other) {
        what = NULL; /* the section says so */
    }
    free(other);
    return what;
}

static bool make_fits(struct machine *m, const struct loaded *l, const char *file, char error[256])
{
    char why[128];
    const char *what = make_differs(m, l);
    if (what) {
        snprintf(error, 256, "%.150s: made by a machine with another %s", file, what);
        return false;
    }
    snprintf(why, sizeof(why), "its state has another size");
    if (!sections_fit(m, l, why) || l->head->state_size != state_size(m)) {
        snprintf(error, 256, "%.150s: refused: %.90s", file, why);
        return false;
    }
    if ((what = state_examine(m, l->state))) {
        snprintf(error, 256, "%.150s: refused: %.80s", file, what);
        return false;
    }
    return disks_fit(m, l, file, error);
}

/* All RAM zero, nothing decoded. */
static bool ram_clear(struct machine *m)
{
    code_drop(m->d.code);
    for (unsigned n = 0; n < m->d.phys.region_count; n++) {
        struct phys_region *r = &m->d.phys.region[n];
        void *host = mmap(r->host, r->size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        u8 *flags = host == MAP_FAILED ? NULL : calloc(r->size / PAGE, 1);
        if (!flags)
            return false;
        free(r->flags);
        r->flags = flags; /* new ones, for which the host gives memory as they are used */
        r->of_file = 0;
    }
    return true;
}

static void touched(struct machine *m, const struct run *r)
{
    struct phys_region *region = phys_region_at(&m->d.phys, r->at);
    memset(region->flags + (r->at - region->base) / PAGE, PAGE_TOUCHED | PAGE_DIRTY, r->pages);
}

static bool disk_put(struct machine *m, const struct run *r, u64 page, const u8 *bytes)
{
    u64 at = r->at + page * PAGE;
    return m->d.host.disk_set(m->d.host.ctx, r->disk - 1, at / PAGE, bytes, disk_part(m, r, at));
}

/* Long runs of RAM are mapped, copy on write; short ones copied, and those that are not whole pages of the host's, of
 * which it would map more than was asked for. */
static bool get_plain(struct machine *m, const struct loaded *l, int fd)
{
    u64 at = l->head->data_at;
    bool ok = true;
    for (u64 n = 0; ok && n < l->head->runs; n++) {
        const struct run *r = &l->runs[n];
        const u8 *bytes = l->data + (at - l->head->data_at);
        u64 size = r->pages * (u64)PAGE;
        for (u64 page = 0; ok && r->disk && page < r->pages; page++)
            ok = disk_put(m, r, page, bytes + page * PAGE);
        if (!r->disk) {
            u8 *host = run_host(m, r);
            bool mapped =
                r->pages >= MAP_PAGES && !((at | size | (uintptr_t)host) % (u64)getpagesize()) &&
                mmap(host, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, (off_t)at) != MAP_FAILED;
            if (mapped)
                phys_region_at(&m->d.phys, r->at)->of_file = 1;
            else
                memcpy(host, bytes, size);
            touched(m, r);
        }
        at += size;
    }
    return ok;
}

/* The next bytes of the pages. */
static bool unpack(ZSTD_DCtx *z, ZSTD_inBuffer *in, u8 *to, u64 size)
{
    ZSTD_outBuffer o = { to, size, 0 };
    while (o.pos < o.size) {
        size_t in_was = in->pos, out_was = o.pos;
        if (ZSTD_isError(ZSTD_decompressStream(z, &o, in)) || (in->pos == in_was && o.pos == out_was))
            return false;
    }
    return true;
}

static bool get_compressed(struct machine *m, const struct loaded *l)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    ZSTD_inBuffer in = { l->data, l->head->data_size, 0 };
    u8 block[PAGE];
    bool ok = z;
    for (u64 n = 0; ok && n < l->head->runs; n++) {
        const struct run *r = &l->runs[n];
        for (u64 page = 0; ok && r->disk && page < r->pages; page++)
            ok = unpack(z, &in, block, PAGE) && disk_put(m, r, page, block);
        if (!r->disk) {
            ok = unpack(z, &in, run_host(m, r), r->pages * (u64)PAGE);
            touched(m, r);
        }
    }
    ZSTD_freeDCtx(z);
    return ok;
}

static void disks_revert(struct machine *m)
{
    for (unsigned n = 0; m->d.host.disk_set && n < MAX_DISKS; n++)
        m->d.host.disk_set(m->d.host.ctx, n, 0, NULL, 0);
}

static bool restore_from(struct machine *m, const struct loaded *l, int fd, const char *file, char error[256])
{
    disks_revert(m);
    if (ram_clear(m) && (l->head->flags & COMPRESSED ? get_compressed(m, l) : get_plain(m, l, fd))) {
        state_load(m, l->state);
        return true;
    }
    snprintf(error, 256, "%.150s: refused: its pages are damaged", file);
    machine_reset(m);
    return false;
}

bool snapshot_restore(struct machine *m, const char *file, char error[256])
{
    struct file_map map;
    struct snapshot_head head;
    struct loaded l;
    if (!file_map(&map, file, error))
        return false;
    const char *wrong = parse(&map, &head, &l);
    if (!wrong && !runs_fit(m, &l))
        wrong = "its pages do not fit this machine's memory (-m)";
    if (wrong)
        snprintf(error, 256, "%.150s: expected a snapshot: %s", file, wrong);
    bool ok = !wrong && make_fits(m, &l, file, error) && restore_from(m, &l, map.fd, file, error);
    file_unmap(&map);
    return ok;
}

bool snapshot_peek(const char *file, struct machine *out, char error[256])
{
    struct file_map map;
    struct snapshot_head head;
    struct loaded l;
    struct section own;
    if (!file_map(&map, file, error))
        return false;
    section_get(out, 0, &own);
    const char *wrong = parse(&map, &head, &l);
    if (!wrong && (!head.sections || l.sections[0].layout != section_hash(&own) || head.state_size < own.size))
        wrong = "its section 'machine' is of another layout";
    if (!wrong) {
        memcpy(out, l.state, own.size);
        if (out->options.cpu_count < 1 || out->options.cpu_count > MAX_CPUS || out->options.ram_size % (1 << 20) ||
            !model_name(out->model.number))
            wrong = "it is damaged";
    }
    if (wrong)
        snprintf(error, 256, "%.150s: expected a snapshot: %s", file, wrong);
    file_unmap(&map);
    return !wrong;
}
