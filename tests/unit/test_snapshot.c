/*
 * Snapshots that somebody made to do harm: state, head and page table changed at random and the hashes put right, which
 * no damage does. Each is refused, or restored and run for a while: it may do what it likes to the guest, not to the
 * host.
 */
#include "tests/unit/board_fixture.h"
#include "tests/unit/rounds.h"

#include "debug/snapshot.h"

#include <stdio.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { MUTANTS = 400, RUN_INSNS = 3000, RAM_BASE = 0x40000000 };

/* As debug/snapshot.c writes it. */
struct head {
    char magic[8];
    u32 version, flags;
    u64 sections, state_size, runs, pages, data_at, data_size, data_hash;
    u64 disk_hash[MAX_DISKS];
    u64 hash;
};
struct section_head {
    char name[24];
    u32 version, count;
    u64 size, layout;
};

struct saved {
    u8 *bytes;
    size_t size;
};

static u64 next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool fixture_read_file(void *ctx, unsigned disk, u64 offset, void *data, u64 size)
{
    return fixture_disk_read(ctx, disk, offset, data, size);
}
static s64 fixture_change(void *ctx, unsigned disk, u64 block)
{
    (void)ctx;
    return disk ? -2 : block == 0 ? 0 : -1;
}
static bool fixture_set(void *ctx, unsigned disk, u64 block, const void *data, u64 size)
{
    return disk == 0 && block <= FIXTURE_DISK / 4096 &&
           (!data || fixture_disk_write(ctx, disk, block * 4096, data, size));
}

/* Two PEs, one of which has run for a while through whatever lies in RAM. */
static struct fixture *machine_open(const char *cpu)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = fixture_config(f);
    u64 seed = 88172645463325252ull;
    u32 words[1024];
    c->cpu = cpu;
    c->options.cpu_count = 2;
    c->options.virtualization = true;
    c->host.disk_read_file = fixture_read_file;
    c->host.disk_change = fixture_change;
    c->host.disk_set = fixture_set;
    fixture_make(f, c);
    for (unsigned n = 0; n < ARRAY_LEN(words); n++)
        words[n] = n % 3 ? (u32)next(&seed) : 0x91000400; /* ADD X0, X0, #1 among them */
    ck_assert(phys_copy_in(&f->m->d.phys, RAM_BASE, words, sizeof(words)));
    f->m->d.cpu[0].pc = RAM_BASE;
    f->m->d.cpu[0].powered = 1;
    f->m->d.cpu[0].halted = 0;
    machine_run(f->m, RUN_INSNS);
    return f;
}

static struct saved saved_read(const char *name)
{
    struct saved i = { malloc(1 << 24), 0 };
    FILE *in = fopen(name, "rb");
    ck_assert(in && i.bytes);
    i.size = fread(i.bytes, 1, 1 << 24, in);
    fclose(in);
    return i;
}

static void saved_write(const char *name, struct saved *i)
{
    struct head *h = (void *)i->bytes;
    FILE *out = fopen(name, "wb");
    u64 room = i->size - sizeof(*h), covered = sizeof(*h) - sizeof(h->hash);
    XXH3_state_t s;
    XXH3_INITSTATE(&s);
    XXH3_64bits_reset(&s);
    if (h->data_at <= i->size && h->data_size <= i->size - h->data_at)
        h->data_hash = XXH3_64bits(i->bytes + h->data_at, h->data_size);
    XXH3_64bits_update(&s, i->bytes, covered);
    u64 table = h->sections * sizeof(struct section_head);
    if (h->sections <= 64 && table <= room && h->state_size <= room - table &&
        h->runs <= (room - table - h->state_size) / 16)
        XXH3_64bits_update(&s, i->bytes + sizeof(*h), table + h->state_size + h->runs * 16);
    h->hash = XXH3_64bits_digest(&s);
    ck_assert(out && fwrite(i->bytes, 1, i->size, out) == i->size);
    fclose(out);
}

/* A few bytes, words or double words of the state, the table of pages or (seldom) the head with its sections. */
static void mutate(struct saved *i, u64 *seed)
{
    static const u64 values[] = { 0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 1ull << 63, ~0ull, 4096, 64, 8 };
    struct head *h = (void *)i->bytes;
    u64 head = sizeof(*h) + h->sections * sizeof(struct section_head), state = h->state_size, table = h->runs * 16;
    for (u64 n = 1 + next(seed) % 6; n > 0; n--) {
        u64 where = next(seed) % 16, size = 1ull << next(seed) % 4, value = values[next(seed) % ARRAY_LEN(values)];
        u64 at = where == 0   ? 16 + next(seed) % (head - 24)
                 : where <= 2 ? head + state + next(seed) % table
                              : head + next(seed) % state;
        value = next(seed) % 3 ? value : next(seed);
        if (where == 0)
            size = 1;
        memcpy(i->bytes + at / size * size, &value, size);
    }
}

static void hostile(const char *cpu, bool compress, u64 seed)
{
    struct fixture *f = machine_open(cpu);
    char name[] = "/tmp/elmu-snapshot-XXXXXX", error[256];
    int fd = mkstemp(name);
    unsigned restored = 0;
    ck_assert(fd >= 0 && !close(fd));
    ck_assert_msg(snapshot_save(f->m, name, compress, error), "%s", error);
    struct saved good = saved_read(name);
    ck_assert_msg(snapshot_restore(f->m, name, error), "%s", error);
    for (unsigned n = 0; n < rounds(MUTANTS); n++) {
        struct saved bad = { malloc(good.size), good.size };
        memcpy(bad.bytes, good.bytes, good.size);
        mutate(&bad, &seed);
        saved_write(name, &bad);
        free(bad.bytes);
        if (!snapshot_restore(f->m, name, error))
            continue;
        restored++;
        machine_run(f->m, machine_insns(f->m) + RUN_INSNS);
        machine_hash(f->m);
    }
    ck_assert_uint_gt(restored, rounds(MUTANTS) / 20); /* else nothing was tried */
    ck_assert_uint_lt(restored, rounds(MUTANTS));
    free(good.bytes);
    unlink(name);
    fixture_close(f);
}

/* What was made by another elmu is refused by the name of the section. */
START_TEST(sections_by_name)
{
    static const struct {
        unsigned section;
        size_t at;
        const char *said;
    } cases[] = {
        { 0, offsetof(struct section_head, layout), "'machine' is of another layout" },
        { 2, offsetof(struct section_head, name), "section 'uimers' is none of this machine" },
        { 3, offsetof(struct section_head, version), "'gic' is of another version" },
        { 7, offsetof(struct section_head, size), "'cpu' is of another layout" },
        { 7, offsetof(struct section_head, count), "'cpu' is of another number of parts" },
        { 9, offsetof(struct section_head, layout), "'flash' is of another layout" },
    };
    struct fixture *f = machine_open("cortex-a57");
    char name[] = "/tmp/elmu-snapshot-XXXXXX", error[256];
    int fd = mkstemp(name);
    ck_assert(fd >= 0 && !close(fd));
    ck_assert_msg(snapshot_save(f->m, name, true, error), "%s", error);
    struct saved s = saved_read(name);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        u8 *byte = s.bytes + sizeof(struct head) + cases[n].section * sizeof(struct section_head) + cases[n].at;
        *byte ^= 1;
        saved_write(name, &s);
        *byte ^= 1;
        ck_assert(!snapshot_restore(f->m, name, error));
        ck_assert_msg(strstr(error, cases[n].said) != NULL, "case %u: %s", n, error);
    }
    ((struct head *)s.bytes)->sections = 99;
    saved_write(name, &s);
    ck_assert(!snapshot_restore(f->m, name, error));
    free(s.bytes);
    unlink(name);
    fixture_close(f);
}
END_TEST

START_TEST(hostile_plain) { hostile("cortex-a57", false, 1 + (u64)_i); }
END_TEST
START_TEST(hostile_compressed) { hostile("max", true, 100 + (u64)_i); }
END_TEST

Suite *test_snapshot_suite(void);
Suite *test_snapshot_suite(void)
{
    Suite *s = suite_create("snapshot");
    TCase *t = tcase_create("hostile");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, hostile_plain, 0, 4);
    tcase_add_loop_test(t, hostile_compressed, 0, 2);
    tcase_add_test(t, sections_by_name);
    suite_add_tcase(s, t);
    return s;
}
