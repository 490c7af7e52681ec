/* PCI functions whose DMA or message the SMMU holds back (IHI 0070 3.12.2, 4.6): each waits, hears of a decision, and
 * goes on, whatever it is. Rings and buffers lie behind stage 1, which has none of their pages at first. */
#include "tests/unit/smmu_rig.h"

#include "debug/snapshot.h"

#include <unistd.h>

/* Pages of I/O virtual addresses, behind which lie pages from DATA on. */
enum page { DESC, AVAIL, USED, BUFFER, SECOND, MESSAGE = 60, PAGES };
enum { RETRY = 1 << 12, ABORT = 1 << 13, IGNORE = 0 };
enum { BAR = 0x10000000, TABLE = BAR + 0x8000, NEEDS_RESET = 64, LEAVES = S1 + 0x2000 };
#define CONFIG (0x4010000000 + (SID << 12))
#define SAYS(r, stall, address)                                                                                        \
    do {                                                                                                               \
        EXPECT_EVENT(r, F_TRANSLATION);                                                                                \
        ck_assert_uint_eq(EVENT((r)->event, Stall), stall);                                                            \
        ck_assert_uint_eq(EVENT((r)->event, InputAddr) & ~ones(12), (u64)(address) << 12);                             \
    } while (0)

static void plug(struct machine_config *c, unsigned function, unsigned device, unsigned unit)
{
    c->virtio_count = 0;
    c->pci[c->pci_count++] =
        (struct pci_plug){ .function = (u8)function,
                           .device = (u8)device,
                           .devfn = SID,
                           .unit = unit,
                           .dma_mask = ~(u64)0,
                           .flags = device ? PCI_MULTIFUNCTION | PCI_BEHIND_IOMMU | PCI_LEGACY_SAID | PCI_NO_LEGACY
                                           : PCI_MULTIFUNCTION };
}
static void rng(struct machine_config *c)
{
    c->options.disk[0].size = 0;
    plug(c, FUNCTION_virtio_pci, VIRTIO_RNG, 0);
}
static void blk(struct machine_config *c) { plug(c, FUNCTION_virtio_pci, VIRTIO_BLK, 0); }
static void console(struct machine_config *c) { plug(c, FUNCTION_virtio_pci, VIRTIO_CONSOLE, row_ports()); }
static void edu(struct machine_config *c) { plug(c, FUNCTION_pci_edu, 0, 0); }

static void w(struct rig *r, u64 pa, unsigned size, u64 value)
{
    ck_assert(bus_ops.write(r->m, pa, size, phys_attrs_make(true, 0, true), value));
}
static u64 rd(struct rig *r, u64 pa, unsigned size)
{
    u64 value = 0;
    ck_assert(bus_get(r->f, pa, size, &value));
    return value;
}

static u64 page(enum page n) { return DATA + (u64)n * 0x1000; }
static void map(struct rig *r, enum page n) { ram_set(r, LEAVES + 8 * n, page(n) | LEAF); }
static void unmap(struct rig *r, enum page n) { ram_set(r, LEAVES + 8 * n, 0); }
static void resume(struct rig *r, unsigned action)
{
    command(r, 0x44 | action | (u64)SID << 32, EVENT(r->event, STAG));
}
static const struct pci_function *function(struct rig *r) { return pci_function(r->m, 1); }
static unsigned stalls(struct rig *r)
{
    unsigned count = 0;
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        count += state(r)->stall[n].state != STALL_FREE;
    return count;
}

static struct rig wait_open(void (*change)(struct machine_config *c))
{
    struct rig r = open_with(change, 1);
    SET_CD(&r, S, 1);
    write_config(&r);
    for (unsigned n = 0; n < PAGES; n++)
        unmap(&r, n);
    w(&r, CONFIG + 0x10, 4, BAR);           /* edu's */
    w(&r, CONFIG + 0x14, 4, TABLE);         /* of MSI-X */
    w(&r, CONFIG + 0x20, 4, BAR + 0x10000); /* modern virtio */
    w(&r, CONFIG + PCI_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    return r;
}

/* ---- a driver of virtio ---- */

enum { VIRTIO = BAR + 0x10000 };

static void virtio_start(struct rig *r, unsigned queue)
{
    w(r, VIRTIO + 0x14, 1, 0);
    w(r, VIRTIO + 0x14, 1, 3);
    w(r, VIRTIO + 0x08, 4, 1);
    w(r, VIRTIO + 0x0c, 4, 3); /* VERSION_1, ACCESS_PLATFORM */
    w(r, VIRTIO + 0x14, 1, 11);
    w(r, VIRTIO + 0x16, 2, queue);
    w(r, VIRTIO + 0x18, 2, 8);
    w(r, VIRTIO + 0x1a, 2, 0);
    w(r, VIRTIO + 0x20, 4, DESC << 12);
    w(r, VIRTIO + 0x28, 4, AVAIL << 12);
    w(r, VIRTIO + 0x30, 4, USED << 12);
    w(r, VIRTIO + 0x1c, 2, 1);
    w(r, VIRTIO + 0x14, 1, 15);
    ram_set(r, page(AVAIL), 0);
    ram_set(r, page(AVAIL) + 8, 0);
    ram_set(r, page(USED), 0);
}

/* Descriptor n: flags 1 NEXT, 2 WRITE. */
static void desc(struct rig *r, unsigned n, u64 address, u32 size, unsigned flags)
{
    ram_set(r, page(DESC) + 16 * n, address);
    ram_set(r, page(DESC) + 16 * n + 8, size | (u64)flags << 32 | (u64)(n + 1) << 48);
}

static void notify(struct rig *r, unsigned queue)
{
    ram_set(r, page(AVAIL), ram(r, page(AVAIL)) + (1 << 16));
    w(r, VIRTIO + 0x3000 + 4 * queue, 2, queue);
}

static unsigned served(struct rig *r) { return ram(r, page(USED)) >> 16 & 0xffff; }
static u64 status(struct rig *r) { return rd(r, VIRTIO + 0x14, 1); }

static struct rig rng_open(void)
{
    struct rig r = wait_open(rng);
    virtio_start(&r, 0);
    desc(&r, 0, BUFFER << 12, 16, 2);
    return r;
}

/* ---- the tests ---- */

/* Each page in the order in which the device comes to it, each told of once; then all that there was to do is done. */
START_TEST(virtio_goes_on)
{
    static const enum page order[] = { AVAIL, DESC, BUFFER, USED };
    struct rig r = rng_open();
    notify(&r, 0);
    for (unsigned n = 0; n < ARRAY_LEN(order); n++) {
        SAYS(&r, 1, order[n]);
        ck_assert_uint_eq(function(&r)->waits, PCI_WAITS_WORK);
        ck_assert_uint_eq(status(&r), 15);
        ck_assert_uint_eq(served(&r), 0);
        w(&r, VIRTIO + 0x3000, 2, 0); /* notified again it still waits, and nobody is told */
        ck_assert_uint_eq(get(&r, EVENTQ_PROD), get(&r, EVENTQ_CONS));
        map(&r, order[n]);
        resume(&r, RETRY);
    }
    ck_assert_uint_eq(next_event(&r), 0);
    ck_assert_uint_eq(function(&r)->waits, 0);
    ck_assert_uint_eq(served(&r), 1);
    ck_assert_uint_ne(ram(&r, page(BUFFER)), 0);
    ck_assert_uint_eq(rd(&r, VIRTIO + 0x1000, 1), 1); /* ISR status: a queue has news */
    ck_assert_uint_eq(stalls(&r), 0);
    close_rig(&r);
}
END_TEST

/* Terminated, the DMA has failed: rings that are not to be had need a reset, after which it works. */
START_TEST(virtio_terminated)
{
    static const u64 ends[] = { 0x44 | (u64)SID << 32 | ABORT, 0x45 | (u64)SID << 32 };
    for (unsigned n = 0; n < ARRAY_LEN(ends); n++) {
        struct rig r = rng_open();
        notify(&r, 0);
        SAYS(&r, 1, AVAIL);
        command(&r, ends[n], EVENT(r.event, STAG));
        ck_assert_uint_eq(function(&r)->waits, 0);
        ck_assert_uint_eq(status(&r) & NEEDS_RESET, NEEDS_RESET);
        ck_assert_uint_eq(stalls(&r), 0);
        for (unsigned k = 0; k <= BUFFER; k++)
            map(&r, k);
        virtio_start(&r, 0);
        notify(&r, 0);
        ck_assert_uint_eq(served(&r), 1);
        close_rig(&r);
    }
}
END_TEST

/* A decision counts for all that led to it, as often as that is made again; then it is forgotten. */
START_TEST(disk_hears_once)
{
    struct rig r = wait_open(blk);
    virtio_start(&r, 0);
    for (unsigned n = 0; n <= USED; n++)
        map(&r, n);
    desc(&r, 0, (AVAIL << 12) + 0x100, 16, 1); /* the request's header, in a page that is there */
    desc(&r, 1, BUFFER << 12, 512, 3);
    desc(&r, 2, SECOND << 12, 1, 2);
    ram_set(&r, page(AVAIL) + 0x100, 0);
    ram_set(&r, page(AVAIL) + 0x108, 1);
    for (unsigned n = 0; n < 2; n++) {
        ram_set(&r, page(SECOND), 0xff);
        unmap(&r, SECOND);
        notify(&r, 0);
        ck_assert_uint_eq(next_event(&r), 0); /* a request takes its time */
        timer_comes(r.f, ROW_virtio_pci, 0, 0);
        SAYS(&r, 1, BUFFER);
        resume(&r, ABORT);
        SAYS(&r, 1, SECOND);
        ck_assert_uint_eq(served(&r), n);
        map(&r, SECOND);
        resume(&r, RETRY);
        ck_assert_uint_eq(next_event(&r), 0);
        ck_assert_uint_eq(served(&r), n + 1);
        ck_assert_uint_eq(ram(&r, page(SECOND)), 1); /* VIRTIO_BLK_S_IOERR */
        ck_assert_uint_eq(stalls(&r), 0);
    }
    map(&r, BUFFER);
    r.f->disk[512] = 0x5a;
    notify(&r, 0);
    timer_comes(r.f, ROW_virtio_pci, 0, 0);
    ck_assert_uint_eq(ram(&r, page(SECOND)), 0);
    ck_assert_uint_eq(ram(&r, page(BUFFER)), 0x5a);
    close_rig(&r);
}
END_TEST

/* Two pages of one buffer that are ignored: what is written there goes nowhere, and the buffer is served. */
START_TEST(ignored_pages)
{
    struct rig r = rng_open();
    for (unsigned n = 0; n <= USED; n++)
        map(&r, n);
    desc(&r, 0, BUFFER << 12, 8, 3);
    desc(&r, 1, SECOND << 12, 8, 2);
    notify(&r, 0);
    SAYS(&r, 1, BUFFER);
    resume(&r, IGNORE);
    SAYS(&r, 1, SECOND);
    resume(&r, IGNORE);
    ck_assert_uint_eq(next_event(&r), 0);
    ck_assert_uint_eq(served(&r), 1);
    ck_assert_uint_eq(ram(&r, page(BUFFER)) | ram(&r, page(SECOND)), 0);
    ck_assert_uint_eq(stalls(&r), 0);
    close_rig(&r);
}
END_TEST

/* One that has more decisions than there are places does not wait for ever. */
START_TEST(more_decisions_than_places)
{
    struct rig r = rng_open();
    for (unsigned n = 0; n <= USED; n++)
        map(&r, n);
    w(&r, VIRTIO + 0x14, 1, 0);
    virtio_start(&r, 0);
    desc(&r, 0, BUFFER << 12, 4096, 2);
    unsigned count = 0; /* 8 bytes at a time, each a transaction */
    notify(&r, 0);
    for (; count < 2 * SMMU_STALLS && next_event(&r) && EVENT(r.event, Stall); count++)
        resume(&r, IGNORE);
    ck_assert_uint_eq(count, SMMU_STALLS);
    ck_assert_uint_eq(EVENT(r.event, Number), EVENT_F_TRANSLATION);
    ck_assert_uint_eq(next_event(&r), 0);
    ck_assert_uint_eq(status(&r) & NEEDS_RESET, NEEDS_RESET);
    ck_assert_uint_eq(stalls(&r), 0);
    close_rig(&r);
}
END_TEST

/* What a console says is said once, and whole; what is typed is not lost. */
START_TEST(console_says_once)
{
    struct rig r = wait_open(console);
    unsigned port = row_ports();
    virtio_start(&r, 1);
    for (unsigned n = 0; n <= USED; n++)
        map(&r, n);
    desc(&r, 0, BUFFER << 12, 4, 1);
    desc(&r, 1, SECOND << 12, 2, 0);
    ram_set(&r, page(BUFFER), 0x6c6c6568);
    ram_set(&r, page(SECOND), 0x0a6f);
    map(&r, BUFFER);
    notify(&r, 1);
    SAYS(&r, 1, SECOND);
    ck_assert_str_eq(r.f->out[port], "");
    map(&r, SECOND);
    resume(&r, RETRY);
    ck_assert_str_eq(r.f->out[port], "hello\n");
    ck_assert_uint_eq(served(&r), 1);

    virtio_start(&r, 0);
    desc(&r, 0, BUFFER << 12, 16, 2);
    unmap(&r, BUFFER);
    ram_set(&r, page(BUFFER), 0);
    notify(&r, 0);
    ck_assert_uint_eq(next_event(&r), 0); /* nothing was typed: nothing is written */
    r.f->in[port] = "abc";
    machine_input_offer(r.m);
    bus_input(r.m);
    SAYS(&r, 1, BUFFER);
    ck_assert_uint_eq(served(&r), 0);
    map(&r, BUFFER);
    resume(&r, RETRY);
    ck_assert_uint_eq(served(&r), 1);
    ck_assert_uint_eq(ram(&r, page(BUFFER)), 0x636261);
    close_rig(&r);
}
END_TEST

/* A message that is held back stays pending, and arrives; terminated it is lost. */
START_TEST(messages_wait)
{
    struct rig r = rng_open();
    u32 *latch = &r.m->gic.spi[3].latch;
    u64 control = 0;
    for (unsigned n = 0; n <= BUFFER; n++)
        map(&r, n);
    for (u64 cap = rd(&r, CONFIG + 0x34, 1); cap; cap = rd(&r, CONFIG + cap + 1, 1))
        control = rd(&r, CONFIG + cap, 1) == PCI_CAP_MSIX ? CONFIG + cap + 2 : control;
    w(&r, control, 2, 0x8000);
    w(&r, VIRTIO + 0x16, 2, 0);
    w(&r, VIRTIO + 0x1a, 2, 0); /* the vector counts from when MSI-X is enabled */
    w(&r, TABLE, 8, (MESSAGE << 12) + 0x40);
    w(&r, TABLE + 8, 8, GIC_BANK + 100);
    for (unsigned n = 0; n < 2; n++) {
        unmap(&r, MESSAGE);
        notify(&r, 0);
        SAYS(&r, 1, MESSAGE);
        ck_assert_uint_eq(served(&r), n + 1);
        ck_assert_uint_eq(function(&r)->waits, PCI_WAITS_MESSAGE);
        ck_assert_uint_eq(rd(&r, TABLE + PCI_PBA, 4), 1);
        ck_assert_uint_eq(*latch, 0);
        ram_set(&r, LEAVES + 8 * MESSAGE, row_get(ROW_gicd)->base | LEAF);
        resume(&r, n ? ABORT : RETRY);
        ck_assert_uint_eq(*latch, n ? 0 : 1 << 4);
        ck_assert_uint_eq(function(&r)->waits, 0);
        ck_assert_uint_eq(rd(&r, TABLE + PCI_PBA, 4), 0);
        *latch = 0;
    }
    ck_assert_uint_eq(stalls(&r), 0);
    close_rig(&r);
}
END_TEST

/* edu, by MSI: its DMA and then its message. It has no line for either in its own file. */
START_TEST(edu_waits)
{
    struct rig r = wait_open(edu);
    u32 *latch = &r.m->gic.spi[3].latch;
    u64 cap = CONFIG + 0x40;
    w(&r, cap + 4, 4, (MESSAGE << 12) + 0x40);
    w(&r, cap + 12, 4, GIC_BANK + 100);
    w(&r, cap + 2, 2, 1);
    w(&r, BAR + 0x80, 8, 0x40000);
    w(&r, BAR + 0x88, 8, (BUFFER << 12) + 0xffc);
    w(&r, BAR + 0x90, 8, 8);
    w(&r, BAR + 0x98, 8, 7);
    ram_set(&r, page(BUFFER) + 0xffc, ~(u64)0);
    timer_comes(r.f, ROW_pci_edu, 0, 1);
    SAYS(&r, 1, BUFFER);
    map(&r, BUFFER);
    resume(&r, RETRY);
    SAYS(&r, 1, SECOND);
    ck_assert_uint_eq(rd(&r, BAR + 0x98, 8), 7);
    ck_assert_uint_eq(rd(&r, BAR + 0x24, 4), 0);
    map(&r, SECOND);
    resume(&r, RETRY);
    SAYS(&r, 1, MESSAGE);
    ck_assert_uint_eq(rd(&r, BAR + 0x98, 8), 6);
    ck_assert_uint_eq(rd(&r, BAR + 0x24, 4), 0x100);
    ck_assert_uint_eq(ram(&r, page(BUFFER) + 0xffc), 0);
    ram_set(&r, LEAVES + 8 * MESSAGE, row_get(ROW_gicd)->base | LEAF);
    resume(&r, RETRY);
    ck_assert_uint_eq(*latch, 1 << 4);
    *latch = 0;
    unmap(&r, MESSAGE);
    w(&r, BAR + 0x60, 4, 1);
    SAYS(&r, 1, MESSAGE);
    w(&r, cap + 2, 2, 0); /* no messages: nothing is left to wait for */
    ck_assert_uint_eq(function(&r)->waits, 0);
    w(&r, cap + 2, 2, 1);
    ram_set(&r, LEAVES + 8 * MESSAGE, row_get(ROW_gicd)->base | LEAF);
    resume(&r, RETRY);
    ck_assert_uint_eq(*latch, 0);
    ck_assert_uint_eq(stalls(&r), 0);
    close_rig(&r);
}
END_TEST

/* Reset while it waits: nothing comes of it, and what was decided does not count for what it does next. */
START_TEST(reset_while_it_waits)
{
    for (unsigned how = 0; how < 2; how++) {
        struct rig r = rng_open();
        map(&r, AVAIL);
        map(&r, USED);
        map(&r, DESC);
        notify(&r, 0);
        SAYS(&r, 1, BUFFER);
        if (how) {
            pci_reset(r.m, r.m->d.pci->slot[1].at);
            ck_assert_uint_eq(function(&r)->waits, 0);
            w(&r, CONFIG + 0x20, 4, VIRTIO);
            w(&r, CONFIG + PCI_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
        }
        virtio_start(&r, 0);
        ck_assert_uint_eq(function(&r)->waits, 0);
        resume(&r, IGNORE);
        ck_assert_uint_eq(stalls(&r), 0);
        ck_assert_uint_eq(served(&r), 0);
        notify(&r, 0);
        SAYS(&r, 1, BUFFER);
        map(&r, BUFFER);
        resume(&r, RETRY);
        ck_assert_uint_eq(served(&r), 1);
        ck_assert_uint_ne(ram(&r, page(BUFFER)), 0);
        close_rig(&r);
    }
}
END_TEST

/* A snapshot has what waits: restored elsewhere it goes on alike. */
START_TEST(snapshot_while_it_waits)
{
    char error[256], name[] = "/tmp/elmu-wait-XXXXXX";
    int file = mkstemp(name);
    struct rig r = rng_open(), other = wait_open(rng);
    ck_assert(file >= 0);
    map(&r, AVAIL);
    notify(&r, 0);
    SAYS(&r, 1, DESC);
    ck_assert_msg(snapshot_save(r.m, name, false, error), "%s", error);
    ck_assert_msg(snapshot_restore(other.m, name, error), "%s", error);
    other.event[1] = r.event[1];
    for (unsigned n = 0; n < 2; n++) {
        struct rig *at = n ? &other : &r;
        for (unsigned k = DESC; k <= BUFFER; k++)
            map(at, k);
        resume(at, RETRY);
        ck_assert_uint_eq(served(at), 1);
    }
    ck_assert_uint_eq(machine_hash(r.m), machine_hash(other.m));
    close_rig(&r);
    close_rig(&other);
    close(file);
    unlink(name);
}
END_TEST

START_TEST(hostile_state)
{
    struct rig r = rng_open();
    struct fixture *f = r.f;
    struct virtio *v = device_field(f, ROW_virtio_pci, 0, "virtio");
    WRONG(v->queue[1].pending, VIRTIO_DUE + 1);
    WRONG(v->held_count, VIRTIO_HELD + 1);
    WRONG(state(&r)->stall[0].answered, 2);
    v->queue[3].pending = VIRTIO_DUE; /* one that the device has not */
    pci_function(r.m, 1)->waits = ~0u;
    pci_function(r.m, 0)->waits = ~0u;
    command(&r, 0x45 | (u64)SID << 32, 0);
    pci_resume(r.m, STREAM_ALL);
    ck_assert_ptr_null(machine_validate(r.m));
    close_rig(&r);
}
END_TEST

Suite *test_pci_wait_suite(void);
Suite *test_pci_wait_suite(void)
{
    Suite *s = suite_create("pci_wait");
    TCase *t = tcase_create("pci_wait");
    tcase_add_test(t, virtio_goes_on);
    tcase_add_test(t, virtio_terminated);
    tcase_add_test(t, disk_hears_once);
    tcase_add_test(t, ignored_pages);
    tcase_add_test(t, more_decisions_than_places);
    tcase_add_test(t, console_says_once);
    tcase_add_test(t, messages_wait);
    tcase_add_test(t, edu_waits);
    tcase_add_test(t, reset_while_it_waits);
    tcase_add_test(t, snapshot_while_it_waits);
    tcase_add_test(t, hostile_state);
    suite_add_tcase(s, t);
    return s;
}
