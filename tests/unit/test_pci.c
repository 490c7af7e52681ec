/* PCI: who answers where, what is masked, messages, DMA, resets; what a hostile guest or snapshot writes. Beside
 * tests/guest/pci.c, which QEMU passes too. PCI Local Bus Specification 3.0, PCI Express Base Specification 4.0. */
#include "tests/unit/board_fixture.h"

#include "board/state.h"

enum { ECAM_LOW = 0x3f000000, MEMORY = 0x10000000, PORTS = 0x3eff0000, RAM_BASE = 0x40000000 };
#define ECAM 0x4010000000
#define HIGH 0x8000000000
enum { COMMAND = 4, BAR0 = 0x10, BAR1 = 0x14, BAR4 = 0x20, BAR5 = 0x24, MEMORY_ON = 2, MASTER = 4 };
enum { EDU = 1, RNG = 2, PORT = 3, BLK = 4, CON = 5, TEST = 6 }; /* device numbers */

static u64 cfg(unsigned bus, unsigned device) { return ECAM + (bus << 20 | device << 15); }
static bool spi_level(struct fixture *f, unsigned n) { return f->m->gic.spi[n / 32].level >> n % 32 & 1; }

static void w(struct fixture *f, u64 pa, unsigned size, u64 value)
{
    ck_assert(bus_ops.write(f->m, pa, size, (struct phys_attrs){ .ns = 1 }, value));
}
static u64 r(struct fixture *f, u64 pa, unsigned size)
{
    u64 value = 0;
    ck_assert(bus_get(f, pa, size, &value));
    return value;
}
static void plug(struct machine_config *c, unsigned function, unsigned device, unsigned bus, unsigned devfn,
                 unsigned unit)
{
    c->pci[c->pci_count++] = (struct pci_plug){ .function = (u8)function,
                                                .device = (u8)device,
                                                .bus = (u8)bus,
                                                .devfn = (u8)devfn,
                                                .unit = unit,
                                                .dma_mask = ~(u64)0 };
}

static struct machine_config *pci_config(struct fixture *f)
{
    struct machine_config *c = fixture_config(f);
    c->virtio_count = 0;
    plug(c, FUNCTION_pci_edu, 0, 0, EDU << 3, 0);
    plug(c, FUNCTION_virtio_pci, VIRTIO_RNG, 0, RNG << 3, 0);
    plug(c, FUNCTION_pci_port, 0, 0, PORT << 3, 0);
    plug(c, FUNCTION_virtio_pci, VIRTIO_RNG, 3, 0, 0);
    plug(c, FUNCTION_virtio_pci, VIRTIO_BLK, 0, BLK << 3, 0);
    plug(c, FUNCTION_virtio_pci, VIRTIO_CONSOLE, 0, CON << 3, row_ports());
    plug(c, FUNCTION_pci_testdev, 0, 0, TEST << 3, 0);
    return c;
}

static struct fixture *pci_open(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    fixture_make(f, pci_config(f));
    return f;
}

/* edu at MEMORY, a bus master. */
static struct fixture *edu_open(void)
{
    struct fixture *f = pci_open();
    w(f, cfg(0, EDU) + BAR0, 4, MEMORY);
    w(f, cfg(0, EDU) + COMMAND, 2, MEMORY_ON | MASTER);
    return f;
}

START_TEST(windows)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = pci_config(f);
    c->options.lowmem = true;
    fixture_make(f, c);
    u64 value;
    ck_assert_uint_eq(r(f, ECAM_LOW, 4), 0x00081b36);
    ck_assert(!bus_get(f, ECAM, 4, &value) && !bus_get(f, HIGH, 4, &value));
    fixture_close(f);
    f = calloc(1, sizeof(*f));
    c = pci_config(f);
    c->options.high_off = 1 << HIGH_MMIO | 1 << HIGH_REDISTS;
    c->options.compact = true;
    fixture_make(f, c);
    ck_assert_uint_eq(r(f, ECAM - 0x10000000, 4), 0x00081b36); /* where redistributors would be */
    ck_assert(!bus_get(f, ECAM, 4, &value) && !bus_get(f, HIGH, 4, &value) && !bus_get(f, ECAM_LOW, 4, &value));
    f->m->options.compact = false; /* of a snapshot: not this machine */
    ck_assert(!bus_fits(f->m));
    f->m->options.pa_bits = 255;
    ck_assert(!bus_fits(f->m));
    fixture_close(f);
    f = pci_open();
    ck_assert(!bus_get(f, ECAM_LOW, 4, &value));
    ck_assert_uint_eq(r(f, ECAM, 8), 0x00081b36);
    for (unsigned size = 1; size <= 8; size *= 2) {
        ck_assert_uint_eq(r(f, HIGH, size), ones(8 * size));
        ck_assert_uint_eq(r(f, PORTS, size), ones(8 * size));
        ck_assert_uint_eq(r(f, MEMORY, size), ones(8 * size));
        ck_assert_uint_eq(r(f, cfg(255, 31) + 0x7000, size), ones(8 * size));
    }
    ck_assert_uint_eq(r(f, cfg(0, TEST) + 0x100, 4), 0xffffffff); /* no PCI Express function */
    ck_assert_uint_eq(r(f, cfg(0, PORT) + 0x100, 4), 0);          /* no extended capability */
    fixture_close(f);
}
END_TEST

/* Of all bits of each function's configuration space: what no register has cannot be written. */
START_TEST(bits_that_are_not_there)
{
    struct fixture *f = pci_open();
    for (unsigned device = 0; device < 8; device++) {
        u64 at = cfg(0, device);
        if (r(f, at, 4) == 0xffffffff)
            continue;
        u8 before[256];
        memcpy(before, pci_function(f->m, (unsigned)pci_find(f->m, 0, device << 3))->config, 256);
        for (unsigned n = 0; n < 256; n += 4)
            w(f, at + n, 4, 0xffffffff);
        for (unsigned n = 0; n < 256; n += 4)
            w(f, at + n, 4, 0);
        w(f, at + 0x18, 4, 0); /* no bus behind a port */
        for (unsigned n = 0; n < 256; n++) {
            bool storage = device == PORT && n >= 0x1c && n < 0x30; /* windows, closed at reset */
            ck_assert_msg(storage || r(f, at + n, 1) == before[n], "device %u byte 0x%x", device, n);
        }
    }
    ck_assert_ptr_null(machine_validate(f->m));
    fixture_close(f);
}
END_TEST

/* Ranges anywhere: over each other, over RAM, at the windows' ends, sized while they decode. */
START_TEST(wild_ranges)
{
    static const u64 places[] = {
        0, 0x40000000, 0x3efff000, 0x0ffff000, 0xfffff000, 0x10000000, 0x2ef00000, 0x3e000000
    };
    struct fixture *f = pci_open();
    u64 value;
    poke(f, RAM_BASE, 0x1234, 8);
    for (unsigned n = 0; n < ARRAY_LEN(places); n++) {
        for (unsigned device = 1; device < 7; device++) {
            for (unsigned bar = 0; bar < 6; bar++)
                w(f, cfg(0, device) + BAR0 + 4 * bar, 4, places[n]);
            w(f, cfg(0, device) + COMMAND, 2, 7);
        }
        for (u64 at = 0; at < 0x100000; at += 0x1000 - 8)
            ck_assert(bus_get(f, MEMORY + at, 8, &value) && bus_get(f, HIGH - 0x10000 + 0x10000 + at, 4, &value));
        for (unsigned device = 0; device < 7; device++)
            w(f, cfg(0, device) + BAR0, 4, 0xffffffff);
        ck_assert_uint_eq(peek(f, RAM_BASE, 8), 0x1234);
        ck_assert_uint_eq(r(f, cfg(0, EDU), 4), 0x11e81234);
    }
    /* of two that overlap, the first that was plugged in */
    w(f, cfg(0, EDU) + BAR0, 4, MEMORY);
    w(f, cfg(0, TEST) + BAR0, 4, MEMORY);
    ck_assert_uint_eq(r(f, MEMORY, 4), 0x010000ed);
    w(f, cfg(0, EDU) + COMMAND, 2, 0);
    ck_assert_uint_eq(r(f, MEMORY, 4), 0);
    fixture_close(f);
}
END_TEST

START_TEST(intx_is_a_level)
{
    struct fixture *f = edu_open();
    w(f, MEMORY + 0x60, 4, 1);
    ck_assert(spi_level(f, 3 + EDU));
    w(f, cfg(0, EDU) + COMMAND, 2, MEMORY_ON | 0x400);
    ck_assert(!spi_level(f, 3 + EDU));
    w(f, cfg(0, EDU) + COMMAND, 2, MEMORY_ON);
    ck_assert(spi_level(f, 3 + EDU));
    machine_reset(f->m);
    ck_assert(!spi_level(f, 3 + EDU));
    fixture_close(f);
}
END_TEST

/* MSI (6.8.1) to the distributor: an edge of SPI 100; INTx stays silent. */
START_TEST(msi)
{
    struct fixture *f = edu_open();
    u32 *latch = &f->m->gic.spi[3].latch;
    f->m->gic.spi[3].edge = ~(u32)0;
    u64 cap = cfg(0, EDU) + 0x40;
    ck_assert_uint_eq(r(f, cap, 4), 0x00800005);
    w(f, cap + 4, 4, row_get(ROW_gicd)->base + 0x43);
    ck_assert_uint_eq(r(f, cap + 4, 4), row_get(ROW_gicd)->base + 0x40);
    w(f, cap + 12, 4, GIC_BANK + 100);
    w(f, cap + 2, 2, 1);
    w(f, MEMORY + 0x60, 4, 1);
    ck_assert_uint_eq(*latch, 1 << 4);
    ck_assert(!spi_level(f, 3 + EDU));
    *latch = 0;
    w(f, cfg(0, EDU) + COMMAND, 2, MEMORY_ON); /* no bus master: nothing is sent */
    w(f, MEMORY + 0x60, 4, 2);
    ck_assert_uint_eq(*latch, 0);
    w(f, cap + 2, 2, 0);
    ck_assert(spi_level(f, 3 + EDU));
    fixture_close(f);
}
END_TEST

/* ---- virtio-rng, modern ---- */

enum { RINGS = RAM_BASE + 0x10000, AVAIL = RINGS + 0x1000, USED = RINGS + 0x2000, DATA = RINGS + 0x3000 };

static void rng_start(struct fixture *f, u64 base, unsigned vector)
{
    w(f, base + 0x14, 1, 0);
    w(f, base + 0x14, 1, 3);
    w(f, base + 0x08, 4, 1);
    w(f, base + 0x0c, 4, 1);
    w(f, base + 0x14, 1, 11);
    w(f, base + 0x16, 2, 0);
    w(f, base + 0x1a, 2, vector);
    w(f, base + 0x20, 4, RINGS);
    w(f, base + 0x28, 4, AVAIL);
    w(f, base + 0x30, 4, USED);
    w(f, base + 0x1c, 2, 1);
    w(f, base + 0x14, 1, 15);
    poke(f, RINGS, DATA, 8);
    poke(f, RINGS + 8, 16 | (u64)2 << 32, 8);
    poke(f, AVAIL, 0, 8);
    poke(f, USED, 0, 8);
}

static void rng_ask(struct fixture *f, u64 base)
{
    poke(f, AVAIL + 2, peek(f, AVAIL + 2, 2) + 1, 2);
    w(f, base + 0x3000, 2, 0);
}

static void rng_map(struct fixture *f, u64 config, u64 base)
{
    w(f, config + BAR4, 4, base);
    w(f, config + BAR1, 4, base + 0x8000);
    w(f, config + COMMAND, 2, MEMORY_ON | MASTER);
}

/* MSI-X (6.8.2): vectors, both masks, pending bits, none for what has no vector. */
START_TEST(msix)
{
    struct fixture *f = pci_open();
    u64 config = cfg(0, RNG), base = MEMORY + 0x100000, table = base + 0x8000, control = config + 0x98 + 2;
    u32 *latch = &f->m->gic.spi[3].latch;
    f->m->gic.spi[3].edge = ~(u32)0;
    rng_map(f, config, base);
    ck_assert_uint_eq(r(f, table + 12, 4), 1); /* masked at reset */
    w(f, table, 8, row_get(ROW_gicd)->base + 0x40);
    w(f, table + 8, 8, GIC_BANK + 101);
    ck_assert_uint_eq(r(f, table, 8), row_get(ROW_gicd)->base + 0x40);
    w(f, control, 2, 0x8000);
    rng_start(f, base, 0);
    rng_ask(f, base);
    ck_assert_uint_eq(*latch, 1 << 5);
    ck_assert(!spi_level(f, 3 + RNG));
    *latch = 0;
    w(f, table + 12, 4, 0xffffffff);
    ck_assert_uint_eq(r(f, table + 12, 4), 1);
    rng_ask(f, base);
    ck_assert_uint_eq(*latch, 0);
    ck_assert_uint_eq(r(f, table + 0x800, 4), 1);
    w(f, table + 0x800, 4, 0); /* read-only */
    w(f, control, 2, 0xc000);
    w(f, table + 12, 4, 0);
    ck_assert_uint_eq(*latch, 0); /* the function's own mask */
    w(f, control, 2, 0x8000);
    ck_assert_uint_eq(*latch, 1 << 5);
    ck_assert_uint_eq(r(f, table + 0x800, 4), 0);
    *latch = 0;
    w(f, base + 0x1a, 2, 7); /* no such vector */
    ck_assert_uint_eq(r(f, base + 0x1a, 2), 0xffff);
    rng_ask(f, base);
    ck_assert_uint_eq(*latch, 0);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 3);
    fixture_close(f);
}
END_TEST

/* The capability that leads to the ranges (Virtual I/O Device 1.2, 4.1.4.9): the length in it counts, not the access's,
 * and of the data the bytes behind it stay. */
START_TEST(window_of_configuration_space)
{
    struct fixture *f = pci_open();
    u64 at = cfg(0, RNG) + 0x84;
    w(f, at + 4, 1, 4);
    w(f, at + 8, 4, 0x18); /* queue_size */
    w(f, at + 12, 4, 2);
    ck_assert_uint_eq(r(f, at + 16, 2), 8);
    w(f, at + 16, 4, 0xffff0004);
    ck_assert_uint_eq(r(f, at + 16, 4), 0xffff0004);
    ck_assert_uint_eq(r(f, at + 16, 2), 4);
    w(f, at + 16, 1, 2);
    ck_assert_uint_eq(r(f, at + 16, 1), 2);
    fixture_close(f);
}
END_TEST

/* The secondary bus answers to its number, whatever the subordinate one is (PCI Express Base 4.0, 7.3.3). */
START_TEST(subordinate_below_secondary)
{
    struct fixture *f = pci_open();
    w(f, cfg(0, PORT) + 0x18, 4, 0x00000900);
    ck_assert_uint_eq(r(f, cfg(9, 0), 4), 0x10441af4);
    w(f, cfg(0, PORT) + 0x18, 4, 0x000a0900);
    ck_assert_uint_eq(r(f, cfg(9, 0), 4), 0x10441af4);
    ck_assert_uint_eq(r(f, cfg(10, 0), 4), 0xffffffff);
    fixture_close(f);
}
END_TEST

/* DMA of the function behind the port needs both to be bus masters; its ID is the port's bus number. */
START_TEST(dma_through_a_port)
{
    struct fixture *f = pci_open();
    u64 base = MEMORY + 0x200000, port = cfg(0, PORT), config = cfg(9, 0);
    w(f, port + 0x18, 4, 0x00090900);
    w(f, port + 0x20, 4, 0x10201020);
    w(f, port + COMMAND, 2, MEMORY_ON);
    rng_map(f, config, base);
    ck_assert_uint_eq(pci_requester(f->m, 4), 0x900);
    ck_assert_uint_eq(pci_requester(f->m, EDU), EDU << 3);
    rng_start(f, base, 0xffff);
    rng_ask(f, base);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 0);
    ck_assert_uint_eq(r(f, base + 0x14, 1) & 64, 64); /* its rings were not to be had */
    w(f, port + COMMAND, 2, MEMORY_ON | MASTER);
    rng_start(f, base, 0xffff);
    rng_ask(f, base);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 1);
    ck_assert_uint_ne(peek(f, DATA, 8), 0);
    ck_assert(spi_level(f, 3 + PORT));
    w(f, port + 0x3e, 2, 0x40); /* Secondary Bus Reset */
    ck_assert(!spi_level(f, 3 + PORT));
    ck_assert_uint_eq(r(f, config + COMMAND, 2), 0);
    w(f, port + 0x3e, 2, 0);
    fixture_close(f);
}
END_TEST

/* Reset of a function while a request is under way: nothing comes of it. */
START_TEST(reset_in_the_middle)
{
    struct fixture *f = edu_open();
    poke(f, RAM_BASE, 0x55, 8);
    w(f, MEMORY + 0x80, 8, 0x40000);
    w(f, MEMORY + 0x88, 8, RAM_BASE);
    w(f, MEMORY + 0x90, 8, 8);
    w(f, MEMORY + 0x98, 8, 7);
    ck_assert(timer_due(f, ROW_pci_edu, 0, 1) != NEVER);
    machine_reset(f->m);
    ck_assert(timer_due(f, ROW_pci_edu, 0, 1) == NEVER);
    ck_assert_uint_eq(peek(f, RAM_BASE, 8), 0x55);
    /* function-level reset, and D3hot, of the one behind the port */
    w(f, cfg(0, PORT) + 0x18, 4, 0x00090900);
    u64 config = cfg(9, 0);
    w(f, config + COMMAND, 2, MEMORY_ON | MASTER);
    w(f, config + 0x40 + 8, 2, 0x8000);
    ck_assert_uint_eq(r(f, config + COMMAND, 2), 0);
    w(f, config + BAR4, 4, MEMORY + 0x400000);
    w(f, config + 0x7c + 4, 2, 3);
    ck_assert_uint_eq(r(f, config + 0x7c + 4, 2), 3);
    w(f, config + 0x7c + 4, 2, 0);
    ck_assert_uint_eq(r(f, config + BAR4, 4), 0xc);
    fixture_close(f);
}
END_TEST

/* DMA to where nothing is, beyond the device's own memory, and with nonsense for a length. */
START_TEST(dma_to_nowhere)
{
    static const u64 cases[][3] = { { 0x40000, 0x1000, 8 },         { 0x40000, ~(u64)0, 4096 },
                                    { 0x40000, RAM_BASE, 4097 },    { 0x41000, RAM_BASE, 1 },
                                    { 0x3ffff, RAM_BASE, 8 },       { 0x40000, RAM_BASE + (16 << 20) - 4, 8 },
                                    { ~(u64)0, RAM_BASE, ~(u64)0 }, { 0x40000, ECAM, 4 },
                                    { 0x40000, MEMORY, 4 } };
    struct fixture *f = edu_open();
    poke(f, RAM_BASE, 0x55, 8);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        for (unsigned k = 0; k < 3; k++)
            w(f, MEMORY + 0x80 + 8 * k, 8, cases[n][k]);
        w(f, MEMORY + 0x98, 8, 7);
        timer_comes(f, ROW_pci_edu, 0, 1);
        ck_assert_uint_eq(r(f, MEMORY + 0x98, 8), 6);
        ck_assert_uint_eq(peek(f, RAM_BASE, 8), 0x55);
        ck_assert_uint_eq(r(f, MEMORY + 0x24, 4), 0x100);
        w(f, MEMORY + 0x64, 4, 0x100);
    }
    fixture_close(f);
}
END_TEST

/* virtio-blk by its legacy registers, over I/O ports. */
START_TEST(legacy_disk)
{
    struct fixture *f = pci_open();
    u64 config = cfg(0, BLK), io = PORTS + 0x100;
    for (unsigned n = 0; n < 512; n++)
        f->disk[512 + n] = (u8)(n * 3);
    w(f, config + BAR0, 4, 0x101);
    w(f, config + COMMAND, 2, 1 | MASTER);
    ck_assert_uint_eq(r(f, io + 0x0c, 2), 256);
    ck_assert_uint_eq(r(f, io + 0x14, 4), FIXTURE_DISK / 512);
    w(f, io + 0x12, 1, 3);
    w(f, io + 0x0e, 2, 0);
    w(f, io + 0x08, 4, RINGS / 4096);
    w(f, io + 0x12, 1, 7);
    ck_assert_uint_eq(r(f, io + 0x08, 4), RINGS / 4096);
    u64 avail = RINGS + 256 * 16, used = RINGS + 0x2000;
    poke(f, DATA, 0, 8);
    poke(f, DATA + 8, 1, 8);
    const u64 desc[][2] = { { DATA, 16 | (u64)1 << 32 | (u64)1 << 48 },
                            { DATA + 512, 512 | (u64)3 << 32 | (u64)2 << 48 },
                            { DATA + 256, 1 | (u64)2 << 32 } };
    for (unsigned n = 0; n < 3; n++) {
        poke(f, RINGS + 16 * n, desc[n][0], 8);
        poke(f, RINGS + 16 * n + 8, desc[n][1], 8);
    }
    poke(f, avail, 1 << 16, 8);
    w(f, io + 0x10, 2, 0);
    timer_comes(f, ROW_virtio_pci, 2, 0);
    ck_assert_uint_eq(peek(f, used + 2, 2), 1);
    for (unsigned n = 0; n < 512; n++)
        ck_assert_uint_eq(peek(f, DATA + 512 + n, 1), (u8)(n * 3));
    ck_assert(spi_level(f, 3 + BLK % 4));
    ck_assert_uint_eq(r(f, io + 0x13, 1), 1);
    ck_assert(!spi_level(f, 3 + BLK % 4));
    fixture_close(f);
}
END_TEST

/* What was found out about an address counts no longer when a range is moved, covered, turned off or restored. */
START_TEST(ranges_move)
{
    enum { OVER = MEMORY + 0x10000, AWAY = MEMORY + 0x200000, ID = 0x010000ed };
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = fixture_config(f);
    plug(c, FUNCTION_pci_testdev, 0, 0, TEST << 3, 0);
    plug(c, FUNCTION_pci_edu, 0, 0, EDU << 3, 0);
    fixture_make(f, c);
    w(f, cfg(0, EDU) + BAR0, 4, MEMORY);
    w(f, cfg(0, EDU) + COMMAND, 2, MEMORY_ON);
    ck_assert_uint_eq(r(f, MEMORY, 4), ID);
    w(f, cfg(0, TEST) + BAR0, 4, OVER);
    w(f, cfg(0, TEST) + COMMAND, 2, MEMORY_ON);
    w(f, OVER, 1, 0);
    for (unsigned n = 0; n < 2; n++) {
        ck_assert_uint_eq(r(f, MEMORY, 4), ID);
        ck_assert_uint_eq(r(f, OVER + 1, 1), 1); /* plugged in before edu */
    }
    w(f, cfg(0, TEST) + BAR0, 4, AWAY);
    ck_assert_uint_eq(r(f, AWAY + 1, 1), 1);
    ck_assert_uint_eq(r(f, OVER + 1, 1), 0);
    w(f, cfg(0, EDU) + COMMAND, 2, 0);
    ck_assert_uint_eq(r(f, MEMORY, 4), 0xffffffff);
    w(f, cfg(0, EDU) + COMMAND, 2, MEMORY_ON);
    u8 *before = malloc(state_size(f->m));
    state_save(f->m, before);
    w(f, cfg(0, EDU) + BAR0, 4, AWAY + 0x100000);
    ck_assert_uint_eq(r(f, AWAY + 0x100000, 4), ID);
    ck_assert_uint_eq(r(f, AWAY + 0x200000 - 8, 8), 0);
    ck_assert_uint_eq(r(f, AWAY + 0x200000, 8), ~(u64)0); /* behind its end */
    state_load(f->m, before);
    free(before);
    ck_assert_uint_eq(r(f, AWAY + 0x100000, 4), 0xffffffff);
    ck_assert_uint_eq(r(f, MEMORY, 4), ID);
    fixture_close(f);
}
END_TEST

/* What is wrong in a state from outside is found, and what is not is harmless. */
START_TEST(hostile_state)
{
    struct fixture *f = edu_open();
    struct virtio *v = device_field(f, ROW_virtio_pci, 0, "virtio");
    WRONG(v->kind, 0);
    WRONG(v->kind, VIRTIO_KINDS);
    WRONG(v->at.n, 1);
    WRONG(v->at.row, ROW_virtio);
    WRONG(v->queue[0].num, 3);
    WRONG(*(u32 *)device_field(f, ROW_pci_testdev, 0, "test"), 7);
    WRONG(*(u16 *)device_field(f, ROW_virtio_pci, 1, "cfg_at"), 255);
    for (unsigned plug = 0; plug < 8; plug++)
        memset(pci_function(f->m, plug), 0xff, sizeof(struct pci_function));
    u64 value;
    for (unsigned n = 0; n < 8; n++)
        for (u64 at = 0; at < 256; at += 4) {
            bus_get(f, cfg(0, n) + at, 4, &value);
            w(f, cfg(0, n) + at, 4, 0x5aa5c33c * (n + 1));
            bus_get(f, MEMORY + at * 0x1000, 8, &value);
        }
    ck_assert_ptr_null(machine_validate(f->m));
    fixture_close(f);
}
END_TEST

/* ---- bridges ---- */

/* 00:01 pci-bridge, 02 rng behind it; 00:03 port, 00 pcie-pci-bridge behind it, 01 pci-bridge, 05 edu behind that. */
enum { CONVENTIONAL = 1, BEHIND = 2, EXPRESS_BUS = 5, PCI_BUS = 6, LAST_BUS = 7, LAST = 5, IO_AT = 0x2100 };

static struct machine_config *bridge_config(struct fixture *f)
{
    struct machine_config *c = fixture_config(f);
    c->virtio_count = 0;
    plug(c, FUNCTION_pci_bridge, 0, 0, CONVENTIONAL << 3, 0);
    plug(c, FUNCTION_virtio_pci, VIRTIO_RNG, 1, BEHIND << 3, 0);
    plug(c, FUNCTION_pci_port, 0, 0, PORT << 3, 0);
    plug(c, FUNCTION_pcie_pci_bridge, 0, 3, 0, 0);
    plug(c, FUNCTION_pci_bridge, 0, 4, 1 << 3, 0);
    plug(c, FUNCTION_pci_edu, 0, 5, LAST << 3, 0);
    c->pci[0].slot = 1;
    c->pci[4].slot = 0xab;
    return c;
}

/* Bus numbers, the windows for ports and memory, and Command. */
static void bridge_set(struct fixture *f, u64 bridge, u32 buses, u32 io, u32 memory)
{
    w(f, bridge + 0x18, 4, buses);
    w(f, bridge + 0x1c, 2, io);
    w(f, bridge + 0x20, 4, memory);
    w(f, bridge + COMMAND, 2, 1 | MEMORY_ON | MASTER);
}

static struct fixture *bridges_open(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    fixture_make(f, bridge_config(f));
    bridge_set(f, cfg(0, CONVENTIONAL), 0x00020200, 0x2020, 0x10101000);
    bridge_set(f, cfg(0, PORT), 0x00070500, 0x00f0, 0x10301020);
    bridge_set(f, cfg(EXPRESS_BUS, 0), 0x00070605, 0x00f0, 0x10301020);
    bridge_set(f, cfg(PCI_BUS, 1), 0x00070706, 0x00f0, 0x10201020);
    w(f, cfg(LAST_BUS, LAST) + BAR0, 4, MEMORY + 0x200000);
    w(f, cfg(LAST_BUS, LAST) + COMMAND, 2, MEMORY_ON | MASTER);
    w(f, cfg(2, BEHIND) + BAR0, 4, IO_AT);
    w(f, cfg(2, BEHIND) + COMMAND, 2, 1 | MEMORY_ON | MASTER);
    return f;
}

/* Headers as QEMU 7.2 has them, without what is of its hot-plug controller. */
START_TEST(bridges_show)
{
    struct fixture *f = bridges_open();
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL), 4), 0x00011b36);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 6, 2), 0x00b0);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 8, 4), 0x06040000);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 0x0c, 4), 0x00010000);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 0x1e, 2), 0x00a0);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 0x24, 4), 0x00010001);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 0x34, 4), 0x40);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 0x40, 4), 0x01200004);
    ck_assert_uint_eq(r(f, cfg(PCI_BUS, 1) + 0x40, 4), 0xab200004);
    ck_assert_uint_eq(r(f, cfg(EXPRESS_BUS, 0), 4), 0x000e1b36);
    ck_assert_uint_eq(r(f, cfg(EXPRESS_BUS, 0) + 0x34, 4), 0x7c);
    ck_assert_uint_eq(r(f, cfg(EXPRESS_BUS, 0) + 0x40, 4), 0x00720010);
    ck_assert_uint_eq(r(f, cfg(EXPRESS_BUS, 0) + 0x7c, 4), 0x00034001);
    w(f, cfg(0, CONVENTIONAL) + 0x40, 4, 0);
    ck_assert_uint_eq(r(f, cfg(0, CONVENTIONAL) + 0x40, 4), 0x01200004);
    ck_assert_uint_eq(r(f, cfg(2, BEHIND), 4), 0x10051af4); /* transitional: its bus is no link */
    ck_assert_uint_eq(r(f, cfg(LAST_BUS, LAST) + 0x100, 4), 0xffffffff);
    fixture_close(f);
}
END_TEST

/* A request comes through where each bridge on its way forwards it. */
START_TEST(bridges_forward)
{
    struct fixture *f = bridges_open();
    u64 last = MEMORY + 0x200000;
    ck_assert_uint_eq(r(f, last, 4), 0x010000ed);
    ck_assert_uint_eq(r(f, PORTS + IO_AT + 0x0c, 2), 8); /* the queue's size */
    const u64 bridges[] = { cfg(0, PORT), cfg(EXPRESS_BUS, 0), cfg(PCI_BUS, 1) };
    for (unsigned n = 0; n < 3; n++) {
        u32 window = (u32)r(f, bridges[n] + 0x20, 4);
        w(f, bridges[n] + 0x20, 4, 0x10001000);
        ck_assert_uint_eq(r(f, last, 4), 0xffffffff);
        w(f, bridges[n] + 0x20, 4, window);
        w(f, bridges[n] + COMMAND, 2, 1 | MASTER);
        ck_assert_uint_eq(r(f, last, 4), 0xffffffff);
        w(f, bridges[n] + COMMAND, 2, 1 | MEMORY_ON | MASTER);
        ck_assert_uint_eq(r(f, last, 4), 0x010000ed);
        u32 buses = (u32)r(f, bridges[n] + 0x18, 4);
        w(f, bridges[n] + 0x18, 4, buses & ~0xff0000u); /* no bus behind its secondary one, which answers */
        ck_assert_uint_eq(r(f, cfg(LAST_BUS, LAST), 4), n < 2 ? 0xffffffff : 0x11e81234);
        w(f, bridges[n] + 0x18, 4, buses);
        ck_assert_uint_eq(r(f, cfg(LAST_BUS, LAST), 4), 0x11e81234);
    }
    w(f, cfg(0, CONVENTIONAL) + 0x3e, 2, 4); /* ISA Enable */
    ck_assert_uint_eq(r(f, PORTS + IO_AT + 0x0c, 2), 0xffff);
    w(f, cfg(2, BEHIND) + BAR0, 4, IO_AT & ~0x300);
    ck_assert_uint_eq(r(f, PORTS + (IO_AT & ~0x300) + 0x0c, 2), 8);
    fixture_close(f);
}
END_TEST

/* Pins move by the device's number at each bridge; resets of a bus reach all behind it. */
START_TEST(bridges_pins_and_resets)
{
    struct fixture *f = bridges_open();
    u64 last = MEMORY + 0x200000;
    w(f, last + 0x60, 4, 1);
    for (unsigned n = 0; n < 4; n++) /* INTA by 5 on the last bus, 1, 0, 3 */
        ck_assert_uint_eq(spi_level(f, 3 + n), n == (LAST + 1 + 0 + PORT) % 4);
    w(f, cfg(EXPRESS_BUS, 0) + 0x3e, 2, 0x40);
    for (unsigned n = 0; n < 4; n++)
        ck_assert(!spi_level(f, 3 + n));
    w(f, cfg(EXPRESS_BUS, 0) + 0x3e, 2, 0);
    ck_assert_uint_eq(r(f, cfg(PCI_BUS, 1) + 0x18, 4), 0);
    ck_assert_uint_eq(r(f, cfg(EXPRESS_BUS, 0) + 0x18, 4), 0x00070605);
    ck_assert_uint_eq(r(f, last, 4), 0xffffffff);
    fixture_close(f);
}
END_TEST

/* Whose ID DMA carries; and that each bridge has to be a bus master for it. */
START_TEST(bridges_dma)
{
    struct fixture *f = bridges_open();
    u64 last = MEMORY + 0x200000;
    ck_assert_uint_eq(pci_requester(f->m, 1), CONVENTIONAL << 3);
    ck_assert_uint_eq(pci_requester(f->m, 2), CONVENTIONAL << 3); /* rng: of the bridge */
    ck_assert_uint_eq(pci_requester(f->m, 4), EXPRESS_BUS << 8);
    ck_assert_uint_eq(pci_requester(f->m, 5), PCI_BUS << 8);
    ck_assert_uint_eq(pci_requester(f->m, 6), PCI_BUS << 8); /* edu: of the bus where PCI Express ends */
    for (unsigned n = 0; n < 2; n++) {
        poke(f, RAM_BASE, 0x55, 8);
        w(f, cfg(PCI_BUS, 1) + COMMAND, 2, MEMORY_ON | (n ? MASTER : 0));
        w(f, last + 0x80, 8, 0x40000);
        w(f, last + 0x88, 8, RAM_BASE);
        w(f, last + 0x90, 8, 8);
        w(f, last + 0x98, 8, 3);
        timer_comes(f, ROW_pci_edu, 0, 1);
        ck_assert_uint_eq(peek(f, RAM_BASE, 8), n ? 0 : 0x55);
    }
    fixture_close(f);
}
END_TEST

static const char *refused(void (*change)(struct machine_config *c))
{
    static char error[256];
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = pci_config(f);
    change(c);
    ck_assert_ptr_null(machine_create(c, error));
    free(c);
    free(f);
    return error;
}
static void slot_taken(struct machine_config *c) { c->pci[1].devfn = EDU << 3; }
static void bus_behind(struct machine_config *c) { c->pci[0].bus = 3; }
static void bus_of_device(struct machine_config *c) { c->pci[5].bus = 1; }
static void function_unknown(struct machine_config *c) { c->pci[0].function = 99; }
static void device_unknown(struct machine_config *c) { c->pci[1].device = 99; }
static void second_behind_port(struct machine_config *c) { c->pci[3].devfn = 8; }
static void function_one(struct machine_config *c) { c->pci[1].devfn = EDU << 3 | 1; }
static void no_chassis(struct machine_config *c) { c->pci[0].function = FUNCTION_pci_bridge; }
static void slot_0(struct machine_config *c)
{
    c->pci[2] = (struct pci_plug){ .function = FUNCTION_pci_bridge, .devfn = PORT << 3, .slot = 1 };
}
static void platform_legacy(struct machine_config *c) { c->pci[1].flags = PCI_BEHIND_IOMMU; }

START_TEST(plugs_are_checked)
{
    static const struct {
        void (*change)(struct machine_config *c);
        const char *says;
    } cases[] = {
        { slot_taken, "in use by edu" },
        { bus_behind, "no such bus" },
        { bus_of_device, "no such bus" },
        { function_unknown, "no such function" },
        { device_unknown, "no such" },
        { second_behind_port, "slot 1 is not valid" },
        { function_one, "multifunction=on" },
        { platform_legacy, "VIRTIO_F_IOMMU_PLATFORM" },
        { no_chassis, "chassis" },
        { slot_0, "slot 0 is not valid" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        const char *error = refused(cases[n].change);
        ck_assert_msg(strstr(error, cases[n].says) != NULL, "case %u: %s", n, error);
    }
}
END_TEST

Suite *test_pci_suite(void);
Suite *test_pci_suite(void)
{
    Suite *s = suite_create("pci");
    TCase *t = tcase_create("pci");
    tcase_add_test(t, windows);
    tcase_add_test(t, bits_that_are_not_there);
    tcase_add_test(t, wild_ranges);
    tcase_add_test(t, intx_is_a_level);
    tcase_add_test(t, msi);
    tcase_add_test(t, msix);
    tcase_add_test(t, window_of_configuration_space);
    tcase_add_test(t, subordinate_below_secondary);
    tcase_add_test(t, dma_through_a_port);
    tcase_add_test(t, reset_in_the_middle);
    tcase_add_test(t, dma_to_nowhere);
    tcase_add_test(t, legacy_disk);
    tcase_add_test(t, ranges_move);
    tcase_add_test(t, hostile_state);
    tcase_add_test(t, bridges_show);
    tcase_add_test(t, bridges_forward);
    tcase_add_test(t, bridges_pins_and_resets);
    tcase_add_test(t, bridges_dma);
    tcase_add_test(t, plugs_are_checked);
    suite_add_tcase(s, t);
    return s;
}
