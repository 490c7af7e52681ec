/*
 * Snapshots of the whole machine. What is checked, in this order: magic, version, layout, sizes, hash of head and
 * state, hash of the pages; then that the machine is of the same make and the disks hold the same; then every index in
 * the state. Leaves out: the contents of disks (they must be what they were), text that the front end holds for the
 * guest's consoles.
 */
#define _GNU_SOURCE
#include "debug/snapshot.h"

#include "cpu/code.h"
#include "debug/file.h"
#include "debug/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zstd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PAGE = 4096, VERSION = 1, COMPRESSED = 1, GAP = 8, MAP_PAGES = 16, MAX_RUNS = 1 << 20, ZSTD_LEVEL = 1 };

struct snapshot_head {
    char magic[8];
    u32 version, flags;
    u64 layout, state_size, runs, pages, data_at, data_size, data_hash;
    u64 disk_hash[MAX_DISKS];
    u64 hash; /* of all before it, the state and the runs */
};
static const char magic[8] = "ELMUSNAP";

/* RAM pages that follow each other, all of them in the file. */
struct run {
    u64 pa, pages;
};

/* ---- what there is to save ---- */

static bool page_holds(const struct phys_region *r, u64 page)
{
    const u8 *bytes = r->host + page * PAGE;
    return r->flags[page] & PAGE_TOUCHED && (bytes[0] || memcmp(bytes, bytes + 1, PAGE - 1));
}

/* Runs of pages that hold something; small gaps are taken along. NULL: no memory. */
static struct run *runs_find(const struct machine *m, u64 *count, u64 *pages)
{
    struct run *runs = malloc(sizeof(*runs));
    u64 room = 1;
    *count = *pages = 0;
    for (unsigned n = 0; runs && n < m->d.phys.region_count; n++) {
        const struct phys_region *r = &m->d.phys.region[n];
        u64 first = *count;
        for (u64 page = 0; runs && page < r->size / PAGE; page++) {
            u64 pa = r->base + page * PAGE;
            if (!page_holds(r, page))
                continue;
            struct run *last = *count > first ? &runs[*count - 1] : NULL;
            if (last && pa - (last->pa + last->pages * PAGE) <= GAP * PAGE) {
                last->pages = (pa - last->pa) / PAGE + 1;
                continue;
            }
            if (*count == room) {
                struct run *more = realloc(runs, (room *= 2) * sizeof(*runs));
                if (!more)
                    free(runs);
                runs = more;
            }
            if (runs)
                runs[(*count)++] = (struct run){ pa, 1 };
        }
    }
    for (u64 n = 0; runs && n < *count; n++)
        *pages += runs[n].pages;
    return runs;
}

/* Hash of what a disk holds; 0: there is none. */
static bool disk_hash(struct machine *m, unsigned disk, u64 *hash)
{
    enum { PART = 1 << 20 };
    XXH3_state_t h;
    u8 *part = malloc(PART);
    bool ok = part;
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    for (u64 at = 0; ok && at < m->disk_size[disk]; at += PART) {
        u64 size = m->disk_size[disk] - at < PART ? m->disk_size[disk] - at : PART;
        ok = m->d.host.disk_read && m->d.host.disk_read(m->d.host.who, disk, at, part, size);
        if (ok)
            XXH3_64bits_update(&h, part, size);
    }
    free(part);
    *hash = m->disk_size[disk] ? XXH3_64bits_digest(&h) : 0;
    return ok;
}

static u64 head_hash(const struct snapshot_head *head, const u8 *state, const struct run *runs)
{
    XXH3_state_t h;
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    XXH3_64bits_update(&h, head, offsetof(struct snapshot_head, hash));
    XXH3_64bits_update(&h, state, head->state_size);
    XXH3_64bits_update(&h, runs, head->runs * sizeof(*runs));
    return XXH3_64bits_digest(&h);
}

/* ---- saving ---- */

static u8 *run_host(struct machine *m, const struct run *r)
{
    struct phys_region *region = phys_find(&m->d.phys, r->pa, (struct phys_attrs){ .privileged = 1 });
    return region ? region->host + (r->pa - region->base) : NULL;
}

static void put_plain(struct machine *m, struct new_file *f, const struct run *runs, struct snapshot_head *head)
{
    static const u8 zeros[PAGE];
    XXH3_state_t h;
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    new_file_put(f, zeros, align_up(head->data_at, PAGE) - head->data_at);
    head->data_at = align_up(head->data_at, PAGE);
    for (u64 n = 0; n < head->runs; n++) {
        new_file_put(f, run_host(m, &runs[n]), runs[n].pages * PAGE);
        XXH3_64bits_update(&h, run_host(m, &runs[n]), runs[n].pages * PAGE);
    }
    head->data_size = head->pages * PAGE;
    head->data_hash = XXH3_64bits_digest(&h);
}

static bool put_compressed(struct machine *m, struct new_file *f, const struct run *runs, struct snapshot_head *head)
{
    enum { ROOM = 1 << 17 };
    XXH3_state_t h;
    ZSTD_CCtx *z = ZSTD_createCCtx();
    u8 *out = malloc(ROOM);
    bool ok = z && out && !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, ZSTD_LEVEL));
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    for (u64 n = 0; ok && n <= head->runs; n++) {
        ZSTD_inBuffer in = { n < head->runs ? run_host(m, &runs[n]) : NULL, n < head->runs ? runs[n].pages * PAGE : 0,
                             0 };
        size_t left;
        do {
            ZSTD_outBuffer o = { out, ROOM, 0 };
            left = ZSTD_compressStream2(z, &o, &in, n < head->runs ? ZSTD_e_continue : ZSTD_e_end);
            ok = !ZSTD_isError(left) && new_file_put(f, out, o.pos);
            XXH3_64bits_update(&h, out, o.pos);
            head->data_size += o.pos;
        } while (ok && (in.pos < in.size || (n == head->runs && left)));
    }
    head->data_hash = XXH3_64bits_digest(&h);
    free(out);
    ZSTD_freeCCtx(z);
    return ok;
}

static bool save_to(struct machine *m, struct new_file *f, u8 *state, const struct run *runs,
                    struct snapshot_head *head)
{
    state_save(m, state);
    new_file_put(f, head, sizeof(*head));
    new_file_put(f, state, head->state_size);
    new_file_put(f, runs, head->runs * sizeof(*runs));
    head->data_at = new_file_at(f);
    bool ok = true;
    if (head->flags & COMPRESSED)
        ok = put_compressed(m, f, runs, head);
    else
        put_plain(m, f, runs, head);
    head->hash = head_hash(head, state, runs);
    return new_file_patch(f, 0, head, sizeof(*head)) && ok;
}

bool snapshot_save(struct machine *m, const char *file, bool compress, char error[256])
{
    struct snapshot_head head;
    memset(&head, 0, sizeof(head));
    memcpy(head.magic, magic, sizeof(magic));
    head.version = VERSION;
    head.flags = compress ? COMPRESSED : 0;
    head.layout = state_layout();
    head.state_size = state_size(m);
    for (unsigned n = 0; n < MAX_DISKS; n++)
        if (!disk_hash(m, n, &head.disk_hash[n])) {
            snprintf(error, 256, "%.150s: not written: disk %u cannot be read", file, n);
            return false;
        }
    struct run *runs = runs_find(m, &head.runs, &head.pages);
    u8 *state = malloc(head.state_size);
    struct new_file *f = runs && state ? new_file_open(file, error) : NULL;
    if (!runs || !state)
        snprintf(error, 256, "%.150s: not written: out of memory", file);
    bool ok = f && save_to(m, f, state, runs, &head);
    if (f)
        ok = new_file_done(f, error) && ok;
    free(runs);
    free(state);
    return ok;
}

/* ---- restoring ---- */

struct loaded {
    const struct snapshot_head *head;
    const u8 *state, *data;
    const struct run *runs;
};

/* Finds the parts of the file; NULL, or what is wrong with it. */
static const char *parse(const struct file_map *map, struct snapshot_head *head, struct loaded *l)
{
    if (map->size < sizeof(*head))
        return "it is too short";
    memcpy(head, map->bytes, sizeof(*head));
    if (memcmp(head->magic, magic, sizeof(magic)))
        return "it is something else";
    if (head->version != VERSION || head->flags > COMPRESSED || head->layout != state_layout())
        return "it was written by another version of elmu";
    u64 left = map->size - sizeof(*head);
    if (head->state_size > left || head->runs > MAX_RUNS || head->runs * sizeof(struct run) > left - head->state_size ||
        head->data_at > map->size || head->data_size != map->size - head->data_at ||
        head->data_at < sizeof(*head) + head->state_size + head->runs * sizeof(struct run) ||
        ((sizeof(*head) + head->state_size) & 7))
        return "it is truncated or damaged";
    *l = (struct loaded){ head, map->bytes + sizeof(*head), map->bytes + head->data_at,
                          (const void *)(map->bytes + sizeof(*head) + head->state_size) };
    if (head->hash != head_hash(head, l->state, l->runs) || head->data_hash != XXH3_64bits(l->data, head->data_size))
        return "it is damaged";
    return NULL;
}

/* Do the runs lie in RAM of this machine, in order, and are they as many pages as the file says? */
static bool runs_fit(struct machine *m, const struct loaded *l)
{
    u64 pages = 0, end = 0;
    for (u64 n = 0; n < l->head->runs; n++) {
        const struct run *r = &l->runs[n];
        const struct phys_region *region = phys_find(&m->d.phys, r->pa, (struct phys_attrs){ .privileged = 1 });
        if (!region || r->pa % PAGE || !r->pages || r->pages > (region->size - (r->pa - region->base)) / PAGE)
            return false;
        if (n && r->pa < end && l->runs[n - 1].pa < r->pa)
            return false;
        end = r->pa + r->pages * PAGE;
        pages += r->pages;
    }
    return pages == l->head->pages && (l->head->flags & COMPRESSED || l->head->data_size == pages * PAGE);
}

/* What the options made must be what the snapshot was made of. NULL, or the first difference. */
static const char *differs(const struct machine *m, const struct machine *s)
{
    if (s->ram_size != m->ram_size)
        return "-m";
    if (s->cpu_count != m->cpu_count)
        return "-smp";
    if (s->virtualization != m->virtualization || s->secure != m->secure)
        return "-M";
    if (memcmp(&s->model, &m->model, sizeof(m->model)))
        return "-cpu";
    if (s->semihosting != m->semihosting)
        return "-semihosting";
    if (memcmp(s->disk_size, m->disk_size, sizeof(m->disk_size)) ||
        memcmp(s->disk_readonly, m->disk_readonly, sizeof(m->disk_readonly)))
        return "-drive";
    for (unsigned n = 0; n < ARRAY_LEN(m->virtio); n++)
        if (s->virtio[n].kind != m->virtio[n].kind || s->virtio[n].unit != m->virtio[n].unit ||
            s->virtio[n].legacy != m->virtio[n].legacy)
            return "-device";
    return NULL;
}

static bool make_fits(struct machine *m, const struct loaded *l, const char *file, char error[256])
{
    struct machine *s = l->head->state_size == state_size(m) ? calloc(1, sizeof(*s)) : NULL;
    const char *what = "-smp";
    if (s) {
        memcpy(s, l->state, offsetof(struct machine, gic) + offsetof(struct gic, d));
        what = differs(m, s);
    }
    free(s);
    if (what) {
        snprintf(error, 256, "%.150s: made by a machine with another %s", file, what);
        return false;
    }
    for (unsigned n = 0; n < MAX_DISKS; n++) {
        u64 hash;
        if (!disk_hash(m, n, &hash) || hash != l->head->disk_hash[n]) {
            snprintf(error, 256, "%.150s: disk %u does not hold what it held when this was made", file, n);
            return false;
        }
    }
    return true;
}

/* All RAM zero, nothing decoded. */
static bool ram_clear(struct machine *m)
{
    code_drop(m->d.code);
    for (unsigned n = 0; n < m->d.phys.region_count; n++) {
        struct phys_region *r = &m->d.phys.region[n];
        void *host = mmap(r->host, r->size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        if (host == MAP_FAILED)
            return false;
        memset(r->flags, 0, r->size / PAGE);
    }
    return true;
}

static void touched(struct machine *m, const struct run *r)
{
    struct phys_region *region = phys_find(&m->d.phys, r->pa, (struct phys_attrs){ .privileged = 1 });
    memset(region->flags + (r->pa - region->base) / PAGE, PAGE_TOUCHED | PAGE_DIRTY, r->pages);
}

/* Long runs are mapped, copy on write; short ones copied. */
static bool get_plain(struct machine *m, const struct loaded *l, int fd)
{
    u64 at = l->head->data_at;
    for (u64 n = 0; n < l->head->runs; n++) {
        u64 size = l->runs[n].pages * PAGE;
        u8 *host = run_host(m, &l->runs[n]);
        bool mapped = l->runs[n].pages >= MAP_PAGES && at % PAGE == 0 &&
                      mmap(host, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, (off_t)at) != MAP_FAILED;
        if (!mapped)
            memcpy(host, l->data + (at - l->head->data_at), size);
        touched(m, &l->runs[n]);
        at += size;
    }
    return true;
}

static bool get_compressed(struct machine *m, const struct loaded *l)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    ZSTD_inBuffer in = { l->data, l->head->data_size, 0 };
    bool ok = z;
    for (u64 n = 0; ok && n < l->head->runs; n++) {
        ZSTD_outBuffer o = { run_host(m, &l->runs[n]), l->runs[n].pages * PAGE, 0 };
        while (ok && o.pos < o.size) {
            size_t in_was = in.pos, out_was = o.pos;
            ok = !ZSTD_isError(ZSTD_decompressStream(z, &o, &in)) && (in.pos > in_was || o.pos > out_was);
        }
        touched(m, &l->runs[n]);
    }
    ZSTD_freeDCtx(z);
    return ok;
}

static bool restore_from(struct machine *m, const struct loaded *l, int fd, const char *file, char error[256])
{
    const char *wrong = "its pages are damaged";
    bool ok = ram_clear(m) && (l->head->flags & COMPRESSED ? get_compressed(m, l) : get_plain(m, l, fd));
    if (ok) {
        state_load(m, l->state);
        wrong = state_check(m);
    }
    if (!wrong)
        return true;
    snprintf(error, 256, "%.150s: refused: %.80s", file, wrong);
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
