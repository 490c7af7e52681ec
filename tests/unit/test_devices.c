/* The devices, through the bus: PL011, PL031, PL061, virtio-mmio with block, console and entropy; hostile rings. */
#include "tests/unit/board_fixture.h"

enum { UART = 0x09000000, RTC = 0x09010000, GPIO = 0x09030000, RAM_BASE = 0x40000000 };
enum { BLK = 0x0a000000 + 31 * 0x200, CON = BLK - 0x200, RNG = CON - 0x200, EMPTY = 0x0a000000 };
enum { U_DR = 0x00, U_FR = 0x18, U_LCR = 0x2c, U_CR = 0x30, U_IFLS = 0x34, U_IMSC = 0x38, U_RIS = 0x3c, U_MIS = 0x40,
       U_ICR = 0x44 };

/* Level of an SPI's wire, and machine time as devices see it. */
static bool spi_level(struct fixture *f, unsigned n) { return f->m->gic.spi[n / 32].level >> n % 32 & 1; }
static void time_set(struct fixture *f, u64 ns) { f->m->now = f->m->d.cpu[0].d.now = ns; }

START_TEST(uart_transmits)
{
    struct fixture *f = fixture_open();
    bus_w(f, UART + U_DR, 'h');
    bus_w(f, UART + U_DR, 'i');
    ck_assert_str_eq(f->out[0], "hi");
    ck_assert_uint_eq(bus_r(f, UART + U_FR), 0x90); /* both FIFOs empty */
    ck_assert_uint_eq(bus_r(f, UART + U_RIS), 0x20);
    ck_assert(!spi_level(f, 1));
    bus_w(f, UART + U_IMSC, 0x20);
    ck_assert(spi_level(f, 1));
    bus_w(f, UART + U_ICR, 0x20);
    ck_assert(!spi_level(f, 1));
    fixture_close(f);
}
END_TEST

START_TEST(uart_waits_for_the_guest)
{
    struct fixture *f = fixture_open();
    f->in[0] = "xyz";
    machine_input_kick(f->m);
    ck_assert_str_eq(f->in[0], "xyz"); /* nobody listens */
    for (unsigned n = 0; n < 3; n++)
        ck_assert_uint_eq(bus_r(f, UART + U_FR) & 0x10, 0x10);
    ck_assert_uint_eq(bus_r(f, UART + U_FR) & 0x10, 0); /* the fourth look in a row: it polls */
    ck_assert_str_eq(f->in[0], "yz");                   /* no FIFO: one character */
    ck_assert_uint_eq(bus_r(f, UART + U_DR), 'x');
    ck_assert_uint_eq(bus_r(f, UART + U_DR), 'y');
    bus_w(f, UART + U_ICR, 0); /* anything else: it does not poll any more */
    ck_assert_uint_eq(bus_r(f, UART + U_DR), 'z');
    fixture_close(f);
}
END_TEST

START_TEST(uart_fifo_and_interrupts)
{
    struct fixture *f = fixture_open();
    bus_w(f, UART + U_LCR, 0x70);
    bus_w(f, UART + U_IFLS, 2 << 3); /* half full */
    f->in[0] = "1234567";
    bus_w(f, UART + U_IMSC, 0x50);
    ck_assert_uint_eq(bus_r(f, UART + U_MIS), 0); /* seven, below the level */
    ck_assert(!spi_level(f, 1));
    ck_assert(timer_due(f, ROW_uart0, 0, 0) != NEVER);
    timer_comes(f, ROW_uart0, 0, 0);
    ck_assert_uint_eq(bus_r(f, UART + U_MIS), 0x40);
    ck_assert(spi_level(f, 1));
    for (const char *p = "1234567"; *p; p++)
        ck_assert_uint_eq(bus_r(f, UART + U_DR), (u8)*p);
    ck_assert_uint_eq(bus_r(f, UART + U_MIS), 0); /* empty: the timeout is gone */
    f->in[0] = "0123456789abcdefghi";
    machine_input_kick(f->m);
    ck_assert_str_eq(f->in[0], "ghi"); /* sixteen fit */
    ck_assert_uint_eq(bus_r(f, UART + U_FR) & 0x40, 0x40);
    ck_assert_uint_eq(bus_r(f, UART + U_MIS), 0x10);
    for (unsigned n = 0; n < 9; n++)
        bus_r(f, UART + U_DR);
    ck_assert_uint_eq(bus_r(f, UART + U_RIS) & 0x10, 0); /* below the level */
    fixture_close(f);
}
END_TEST

START_TEST(uart_loopback_and_id)
{
    static const u8 id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    struct fixture *f = fixture_open();
    for (unsigned n = 0; n < 8; n++)
        ck_assert_uint_eq(bus_r(f, UART + 0xfe0 + 4 * n), id[n]);
    bus_w(f, UART + U_CR, 0x381);
    bus_w(f, UART + U_DR, 'q');
    ck_assert_uint_eq(f->out_used[0], 0);
    ck_assert_uint_eq(bus_r(f, UART + U_DR), 'q');
    fixture_close(f);
}
END_TEST

START_TEST(rtc_counts_and_alarms)
{
    struct fixture *f = fixture_open();
    ck_assert_uint_eq(bus_r(f, RTC), 1000);
    time_set(f, 2999999999);
    ck_assert_uint_eq(bus_r(f, RTC), 1002);
    bus_w(f, RTC + 0x04, 1005);
    ck_assert_uint_eq(timer_due(f, ROW_rtc, 0, 0), 5000000000);
    bus_w(f, RTC + 0x10, 1);
    timer_comes(f, ROW_rtc, 0, 0);
    time_set(f, 2999999999);
    ck_assert(spi_level(f, 2));
    bus_w(f, RTC + 0x1c, 1);
    ck_assert(!spi_level(f, 2));
    bus_w(f, RTC + 0x08, 7); /* load */
    ck_assert_uint_eq(bus_r(f, RTC), 7);
    time_set(f, 4000000000);
    ck_assert_uint_eq(bus_r(f, RTC), 8);
    fixture_close(f);
}
END_TEST

START_TEST(gpio_power_key)
{
    struct fixture *f = fixture_open();
    bus_w(f, GPIO + 0x408, 8); /* both edges of line 3 */
    bus_w(f, GPIO + 0x410, 8);
    ck_assert_uint_eq(bus_r(f, GPIO + (8 << 2)), 0);
    machine_power_key(f->m);
    ck_assert_uint_eq(bus_r(f, GPIO + (8 << 2)), 8);
    ck_assert_uint_eq(bus_r(f, GPIO + (7 << 2)), 0); /* the address masks */
    ck_assert_uint_eq(bus_r(f, GPIO + 0x418), 8);
    ck_assert(spi_level(f, 7));
    bus_w(f, GPIO + 0x41c, 8);
    ck_assert(!spi_level(f, 7));
    bus_w(f, GPIO + 0x400, 1); /* line 0 is an output */
    bus_w(f, GPIO + (3 << 2), 3);
    ck_assert_uint_eq(bus_r(f, GPIO + (0xff << 2)), 9);
    fixture_close(f);
}
END_TEST

START_TEST(gpio_level)
{
    struct fixture *f = fixture_open();
    bus_w(f, GPIO + 0x404, 4); /* line 2: level, high */
    bus_w(f, GPIO + 0x40c, 4);
    bus_w(f, GPIO + 0x410, 4);
    ck_assert(!spi_level(f, 7));
    pl061_line(f->m, (struct place){ ROW_gpio, 0 }, 2, true);
    ck_assert(spi_level(f, 7));
    bus_w(f, GPIO + 0x41c, 4); /* a level can't be cleared */
    ck_assert(spi_level(f, 7));
    pl061_line(f->m, (struct place){ ROW_gpio, 0 }, 2, false);
    ck_assert(!spi_level(f, 7));
    fixture_close(f);
}
END_TEST

/* ---- virtio ---- */

enum { DESC = RAM_BASE + 0x10000, AVAIL = DESC + 0x1000, USED = DESC + 0x2000, DATA = DESC + 0x4000, QSIZE = 8 };
enum { NEXT = 1, WRITE = 2 };

static void desc_put(struct fixture *f, unsigned n, u64 addr, u32 len, unsigned flags, unsigned next)
{
    poke(f, DESC + 16 * n, addr, 8);
    poke(f, DESC + 16 * n + 8, len, 4);
    poke(f, DESC + 16 * n + 12, flags, 2);
    poke(f, DESC + 16 * n + 14, next, 2);
}

/* Makes descriptor chain `head` available as number n and tells the device. */
static void offer(struct fixture *f, u64 base, unsigned queue, unsigned n, unsigned head)
{
    poke(f, AVAIL + 4 + 2 * (n % QSIZE), head, 2);
    poke(f, AVAIL + 2, n + 1, 2);
    bus_w(f, base + 0x50, queue);
}

/* A driver of the legacy interface sets queue `queue` up; page size 4096: rings at DESC, as 2.7.2 lays them out. */
static void legacy_driver(struct fixture *f, u64 base, unsigned queue)
{
    bus_w(f, base + 0x28, 4096);
    bus_w(f, base + 0x70, 0);
    bus_w(f, base + 0x70, 3);
    bus_w(f, base + 0x30, queue);
    bus_w(f, base + 0x38, QSIZE);
    bus_w(f, base + 0x3c, 4096);
    bus_w(f, base + 0x40, DESC / 4096);
    bus_w(f, base + 0x70, 7);
}

/* The same over version 2, with rings of our choice. */
static void modern_driver(struct fixture *f, u64 base, unsigned queue)
{
    bus_w(f, base + 0x70, 0);
    bus_w(f, base + 0x70, 3);
    bus_w(f, base + 0x24, 1);
    bus_w(f, base + 0x20, 1); /* VERSION_1 */
    bus_w(f, base + 0x70, 11);
    bus_w(f, base + 0x30, queue);
    bus_w(f, base + 0x38, QSIZE);
    bus_w(f, base + 0x80, DESC);
    bus_w(f, base + 0x90, AVAIL);
    bus_w(f, base + 0xa0, USED);
    bus_w(f, base + 0x44, 1);
    bus_w(f, base + 0x70, 15);
}

static struct fixture *modern_open(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->options.virtio_modern = true;
    fixture_make(f, c);
    return f;
}

START_TEST(virtio_slots)
{
    struct fixture *f = fixture_open();
    for (unsigned n = 0; n < 32; n++)
        ck_assert_uint_eq(bus_r(f, EMPTY + 0x200 * n), 0x74726976);
    ck_assert_uint_eq(bus_r(f, EMPTY + 4), 1);
    ck_assert_uint_eq(bus_r(f, EMPTY + 8), 0);
    ck_assert_uint_eq(bus_r(f, BLK + 8), 2); /* the first device is in the highest slot */
    ck_assert_uint_eq(bus_r(f, CON + 8), 3);
    ck_assert_uint_eq(bus_r(f, RNG + 8), 4);
    ck_assert_uint_eq(bus_r(f, BLK + 0x34), 1024);
    for (unsigned at = 0xb0; at < 0xc0;
         at += 4) { /* SHMLen and SHMBase of a region that does not exist; no device: 0 */
        bus_w(f, BLK + 0xac, at);
        ck_assert_uint_eq(bus_r(f, BLK + at), 0xffffffff);
        ck_assert_uint_eq(bus_r(f, EMPTY + at), 0);
    }
    ck_assert_uint_eq(bus_r(f, BLK + 0x100), FIXTURE_DISK / 512);
    fixture_close(f);
    f = modern_open();
    ck_assert_uint_eq(bus_r(f, BLK + 4), 2);
    bus_w(f, BLK + 0x14, 1);
    ck_assert_uint_eq(bus_r(f, BLK + 0x10), 1); /* VERSION_1 */
    fixture_close(f);
}
END_TEST

/* One block request in descriptors 0 (header), 1 (data), 2 (status). */
static void blk_request(struct fixture *f, u32 type, u64 sector, u32 size, unsigned data_flags)
{
    poke(f, DATA, type, 4);
    poke(f, DATA + 8, sector, 8);
    poke(f, DATA + 0x100, 0xaa, 1);
    desc_put(f, 0, DATA, 16, NEXT, 1);
    desc_put(f, 1, DATA + 0x200, size, NEXT | data_flags, 2);
    desc_put(f, 2, DATA + 0x100, 1, WRITE, 0);
}

START_TEST(blk_reads_and_writes)
{
    struct fixture *f = modern_open();
    for (unsigned n = 0; n < FIXTURE_DISK; n++)
        f->disk[n] = (u8)(n * 7 + n / 256);
    modern_driver(f, BLK, 0);
    blk_request(f, 0, 3, 1024, WRITE);
    offer(f, BLK, 0, 0, 0);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 0); /* takes its time */
    ck_assert_uint_eq(timer_due(f, ROW_virtio, 31, 0), 100000);
    timer_comes(f, ROW_virtio, 31, 0);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 1);
    ck_assert_uint_eq(peek(f, USED + 8, 4), 1025);
    ck_assert_uint_eq(peek(f, DATA + 0x100, 1), 0);
    for (unsigned n = 0; n < 1024; n++)
        ck_assert_uint_eq(peek(f, DATA + 0x200 + n, 1), f->disk[3 * 512 + n]);
    ck_assert_uint_eq(bus_r(f, BLK + 0x60), 1);
    bus_w(f, BLK + 0x64, 1);
    ck_assert_uint_eq(bus_r(f, BLK + 0x60), 0);

    poke(f, DATA + 0x200, 0x1122334455667788, 8);
    blk_request(f, 1, 127, 512, 0);
    offer(f, BLK, 0, 1, 0);
    timer_comes(f, ROW_virtio, 31, 0);
    ck_assert_uint_eq(peek(f, DATA + 0x100, 1), 0);
    ck_assert_uint_eq(load_le64(f->disk + 127 * 512), 0x1122334455667788);
    fixture_close(f);
}
END_TEST

START_TEST(blk_refuses)
{
    static const struct {
        u32 type;
        u64 sector;
        u32 size;
        unsigned flags, status;
    } cases[] = {
        { 0, 128, 512, WRITE, 1 },          /* past the end */
        { 0, 127, 1024, WRITE, 1 },         /* across the end */
        { 0, ~(u64)0, 512, WRITE, 1 },      /* wraps */
        { 0, (u64)1 << 55, 512, WRITE, 1 }, /* offset overflows */
        { 1, 128, 512, 0, 1 },
        { 0, 0, 100, WRITE, 1 }, /* no whole sector */
        { 99, 0, 512, 0, 2 },    /* no such request */
        { 8, 0, 20, WRITE, 0 },  /* its id */
    };
    struct fixture *f = modern_open();
    modern_driver(f, BLK, 0);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        blk_request(f, cases[n].type, cases[n].sector, cases[n].size, cases[n].flags);
        offer(f, BLK, 0, n, 0);
        timer_comes(f, ROW_virtio, 31, 0);
        ck_assert_uint_eq(peek(f, USED + 2, 2), n + 1);
        ck_assert_msg(peek(f, DATA + 0x100, 1) == cases[n].status, "case %u: status %llu", n,
                      (unsigned long long)peek(f, DATA + 0x100, 1));
    }
    ck_assert_uint_eq(peek(f, DATA + 0x200, 6), 0x6c6169726573); /* "serial" */
    fixture_close(f);
}
END_TEST

/* The image ends within a sector: that is a sector like others, with zeros after the end. */
START_TEST(blk_partial_sector)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = fixture_config(f);
    c->options.virtio_modern = true;
    c->options.disk[0].size = 3 * 512 + 1;
    fixture_make(f, c);
    memset(f->disk, 0x5a, 3 * 512 + 1);
    ck_assert_uint_eq(bus_r(f, BLK + 0x100), 4);
    modern_driver(f, BLK, 0);
    for (unsigned n = 0; n < 3; n++) { /* read, write, past the end */
        blk_request(f, n == 1, n == 2 ? 4 : 3, 512, n == 1 ? 0 : WRITE);
        offer(f, BLK, 0, n, 0);
        timer_comes(f, ROW_virtio, 31, 0);
        ck_assert_uint_eq(peek(f, DATA + 0x100, 1), n == 2);
        ck_assert_uint_eq(peek(f, DATA + 0x200, 2), n == 2 ? 0x11 : 0x5a);
        poke(f, DATA + 0x200, n == 0 ? 0x5a : 0x11, 8);
        poke(f, DATA + 0x3ff, 0x77, 1);
    }
    ck_assert_uint_eq(f->disk[4 * 512 - 1], 0x77);
    fixture_close(f);
}
END_TEST

/* A chain may be as long as the queue: 1024 descriptors, a byte each. */
START_TEST(chain_as_long_as_the_queue)
{
    enum { LONG = 1024 };
    struct fixture *f = modern_open();
    for (unsigned loop = 0; loop < 2; loop++) {
        bus_w(f, CON + 0x70, 0);
        bus_w(f, CON + 0x30, 1);
        bus_w(f, CON + 0x38, LONG);
        bus_w(f, CON + 0x80, DESC);
        bus_w(f, CON + 0x90, DESC + 16 * LONG);
        bus_w(f, CON + 0xa0, DESC + 32 * LONG);
        bus_w(f, CON + 0x44, 1);
        bus_w(f, CON + 0x70, 15);
        u64 text = DESC + 64 * LONG;
        for (unsigned n = 0; n < LONG; n++) {
            poke(f, text + n, 'a' + n % 26, 1);
            desc_put(f, n, text + n, 1, n + 1 < LONG || loop ? NEXT : 0, (n + 1) % LONG);
        }
        f->out_used[row_ports()] = 0;
        poke(f, DESC + 16 * LONG + 2, 1, 2);
        bus_w(f, CON + 0x50, 1);
        ck_assert_uint_eq(bus_r(f, CON + 0x70) & 64, loop ? 64 : 0);
        ck_assert_uint_eq(f->out_used[row_ports()], loop ? 0 : 1023); /* what the fixture keeps */
    }
    fixture_close(f);
}
END_TEST

/* The driver of kvm-unit-tests' exit device writes without ever setting DRIVER_OK; input still waits for that. */
START_TEST(console_before_driver_ok)
{
    struct fixture *f = modern_open();
    bus_w(f, CON + 0x30, 1);
    bus_w(f, CON + 0x38, QSIZE);
    bus_w(f, CON + 0x80, DESC);
    bus_w(f, CON + 0x90, AVAIL);
    bus_w(f, CON + 0xa0, USED);
    bus_w(f, CON + 0x44, 1);
    poke(f, DATA, '0' | 'q' << 8, 2);
    desc_put(f, 0, DATA, 2, 0, 0);
    offer(f, CON, 1, 0, 0);
    ck_assert_str_eq(f->out[row_ports()], "0q");
    ck_assert_uint_eq(peek(f, USED + 2, 2), 1);
    bus_w(f, CON + 0x44, 0); /* not set up: nothing */
    offer(f, CON, 1, 1, 0);
    ck_assert_str_eq(f->out[row_ports()], "0q");
    fixture_close(f);
}
END_TEST

START_TEST(blk_readonly)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = fixture_config(f);
    c->options.virtio_modern = c->options.disk[0].readonly = true;
    fixture_make(f, c);
    ck_assert_uint_eq(bus_r(f, BLK + 0x10) & 0x20, 0x20);
    modern_driver(f, BLK, 0);
    poke(f, DATA + 0x200, 1, 8);
    blk_request(f, 1, 0, 512, 0);
    offer(f, BLK, 0, 0, 0);
    timer_comes(f, ROW_virtio, 31, 0);
    ck_assert_uint_eq(peek(f, DATA + 0x100, 1), 1);
    ck_assert_uint_eq(load_le64(f->disk), 0);
    fixture_close(f);
}
END_TEST

/* A machine with virtio-mmio version 2 whose disk is as `disk` says. */
static struct fixture *disk_open(struct disk_option disk)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    disk.size = FIXTURE_DISK;
    c->options.disk[0] = disk;
    c->options.virtio_modern = true;
    fixture_make(f, c);
    return f;
}

/* The same driver as modern_driver, with these features. */
static void driver_with(struct fixture *f, u32 features)
{
    modern_driver(f, BLK, 0);
    bus_w(f, BLK + 0x24, 0);
    bus_w(f, BLK + 0x20, features);
}

/* Request n; its status. */
static u64 blk_status(struct fixture *f, unsigned n, u32 type, u64 sector, u32 size, unsigned flags)
{
    blk_request(f, type, sector, size, flags);
    offer(f, BLK, 0, n, 0);
    timer_comes(f, ROW_virtio, 31, 0);
    ck_assert_uint_eq(peek(f, USED + 2, 2), n + 1);
    return peek(f, DATA + 0x100, 1);
}

static u64 range_status(struct fixture *f, unsigned n, u32 type, u64 sector, u32 sectors, u32 flags)
{
    poke(f, DATA + 0x200, sector, 8);
    poke(f, DATA + 0x208, sectors, 4);
    poke(f, DATA + 0x20c, flags, 4);
    return blk_status(f, n, type, 0, 16, 0);
}

enum { BLK_WCE = 0x800, BLK_FLUSH = 0x200, BLK_DISCARD = 0x2000, BLK_ZEROES = 0x4000 };

/* Discard and write zeroes (5.2.6): ranges in the disk, of at most as many sectors as the configuration says. */
START_TEST(blk_ranges)
{
    static const struct {
        u32 type;
        u64 sector;
        u32 sectors, flags;
        unsigned status, unmaps, zeros; /* zeros: sector 8 is, afterwards */
    } cases[] = {
        { 13, 8, 2, 0, 0, 0, 1 },          /* write zeroes */
        { 13, 8, 2, 1, 0, 1, 1 },          /* that may unmap */
        { 13, 8, 2, 2, 2, 0, 0 },          /* a flag that is not known */
        { 11, 8, 2, 0, 0, 1, 1 },          /* discard */
        { 11, 8, 2, 1, 2, 0, 0 },          /* which has no unmap flag */
        { 13, 127, 2, 0, 1, 0, 0 },        /* beyond the end */
        { 11, 129, 0, 0, 1, 0, 0 },        /* beyond the end, of nothing */
        { 11, ~(u64)0, 2, 0, 1, 0, 0 },    /* wraps */
        { 13, 0, 0xffffffff, 0, 1, 0, 0 }, /* more than there may be */
        { 13, 0, 0, 0, 0, 0, 0 },          /* nothing */
    };
    struct fixture *f = disk_open((struct disk_option){ .unmap = true });
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 36), bus_r(f, BLK + 0x100 + 48));
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 40), 1);
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 52), 1);
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 56), 1);
    driver_with(f, BLK_DISCARD | BLK_ZEROES | BLK_FLUSH);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        memset(f->disk, 0x33, sizeof(f->disk));
        f->unmaps = 0;
        ck_assert_msg(range_status(f, n, cases[n].type, cases[n].sector, cases[n].sectors, cases[n].flags) ==
                          cases[n].status,
                      "case %u", n);
        ck_assert_uint_eq(f->unmaps, cases[n].unmaps);
        ck_assert_uint_eq(load_le64(f->disk + 4096), cases[n].zeros ? 0 : 0x3333333333333333);
        ck_assert_uint_eq(f->disk[4095] | f->disk[4096 + 1024], 0x33);
    }
    ck_assert_uint_eq(blk_status(f, ARRAY_LEN(cases), 11, 0, 32, 0), 1); /* two ranges */
    ck_assert_uint_eq(f->flushes, 0);
    fixture_close(f);
}
END_TEST

/* A disk that does not unmap keeps what is discarded; one that cannot be written to, or does not have a feature,
 * refuses. */
START_TEST(blk_ranges_elsewhere)
{
    struct fixture *f = disk_open((struct disk_option){ .unmap = false });
    driver_with(f, BLK_DISCARD | BLK_ZEROES | BLK_FLUSH);
    memset(f->disk, 0x33, sizeof(f->disk));
    ck_assert_uint_eq(range_status(f, 0, 11, 0, 8, 0), 0);
    ck_assert_uint_eq(load_le64(f->disk), 0x3333333333333333);
    ck_assert_uint_eq(range_status(f, 1, 13, 0, 8, 1), 0);
    ck_assert_uint_eq(load_le64(f->disk), 0);
    ck_assert_uint_eq(f->unmaps, 0);
    fixture_close(f);

    f = disk_open((struct disk_option){ .readonly = true });
    driver_with(f, BLK_DISCARD | BLK_ZEROES);
    memset(f->disk, 0x33, sizeof(f->disk));
    ck_assert_uint_eq(range_status(f, 0, 13, 0, 8, 0), 1);
    ck_assert_uint_eq(range_status(f, 1, 11, 0, 8, 0), 1);
    ck_assert_uint_eq(load_le64(f->disk), 0x3333333333333333);
    fixture_close(f);

    f = disk_open((struct disk_option){ .without = BLK_DISCARD | BLK_ZEROES | BLK_WCE });
    ck_assert_uint_eq(bus_r(f, BLK + 0x10) & (BLK_DISCARD | BLK_ZEROES | BLK_WCE), 0);
    driver_with(f, BLK_DISCARD | BLK_ZEROES);
    ck_assert_uint_eq(range_status(f, 0, 13, 0, 8, 0), 2);
    ck_assert_uint_eq(range_status(f, 1, 11, 0, 8, 0), 2);
    fixture_close(f);
}
END_TEST

/* Requests of a disk with larger blocks are of whole blocks; capacity and sectors stay units of 512 bytes. */
START_TEST(blk_blocks)
{
    struct fixture *f = disk_open((struct disk_option){ .block = 1024, .physical = 4096 });
    ck_assert_uint_eq(bus_r(f, BLK + 0x100), FIXTURE_DISK / 512);
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 20), 1024);
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 24), 2); /* 2^2 logical blocks are a physical one */
    ck_assert_uint_eq(bus_r(f, BLK + 0x100 + 44), 8);
    driver_with(f, BLK_ZEROES);
    ck_assert_uint_eq(blk_status(f, 0, 0, 2, 1024, WRITE), 0);
    ck_assert_uint_eq(blk_status(f, 1, 0, 2, 512, WRITE), 1);
    ck_assert_uint_eq(blk_status(f, 2, 0, 1, 1024, WRITE), 1);
    ck_assert_uint_eq(range_status(f, 3, 13, 1, 2, 0), 1);
    ck_assert_uint_eq(range_status(f, 4, 13, 4, 2, 0), 0);
    fixture_close(f);
}
END_TEST

static u8 cache_mode(struct fixture *f)
{
    u64 value = 0;
    ck_assert(bus_get(f, BLK + 0x120, 1, &value));
    return (u8)value;
}
static void cache_mode_set(struct fixture *f, u8 mode)
{
    ck_assert(bus_ops.write(f->m, BLK + 0x120, 1, (struct phys_attrs){ .ns = 1 }, mode));
}

/* When a write is on stable storage (5.2.6.2), and the mode of the cache (5.2.5). */
START_TEST(blk_cache)
{
    static const struct {
        u32 features;
        u8 through, mode, flushes; /* mode: after features were negotiated */
    } cases[] = {
        { BLK_WCE | BLK_FLUSH, 0, 1, 0 },
        { BLK_WCE | BLK_FLUSH, 1, 0, 1 },
        { BLK_FLUSH, 0, 1, 0 },
        { BLK_FLUSH, 1, 0, 1 },
        { 0, 0, 1, 1 },
        { BLK_WCE, 0, 0, 1 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct fixture *f = disk_open((struct disk_option){ .through = cases[n].through });
        ck_assert_uint_eq(cache_mode(f), !cases[n].through);
        driver_with(f, cases[n].features);
        ck_assert_msg(cache_mode(f) == cases[n].mode, "case %u", n);
        ck_assert_uint_eq(blk_status(f, 0, 1, 0, 512, 0), 0);
        ck_assert_msg(f->flushes == cases[n].flushes, "case %u: %u flushes", n, f->flushes);
        f->flushes = 0;
        cache_mode_set(f, 0);
        ck_assert_uint_eq(f->flushes, cases[n].features & BLK_WCE ? 1 : 0); /* what was kept back */
        ck_assert_uint_eq(cache_mode(f), cases[n].features & BLK_WCE ? 0 : cases[n].mode);
        cache_mode_set(f, 1);
        ck_assert_uint_eq(cache_mode(f), cases[n].features & BLK_WCE ? 1 : cases[n].mode);
        f->flushes = 0;
        ck_assert_uint_eq(blk_status(f, 1, 1, 0, 512, 0), 0);
        ck_assert_uint_eq(f->flushes, cases[n].features & BLK_WCE ? 0 : cases[n].flushes);
        ck_assert_uint_eq(blk_status(f, 2, 4, 0, 512, 0), 0);
        bus_w(f, BLK + 0x70, 0);
        ck_assert_uint_eq(cache_mode(f), !cases[n].through);
        fixture_close(f);
    }
}
END_TEST

START_TEST(virtio_legacy)
{
    struct fixture *f = fixture_open();
    legacy_driver(f, BLK, 0);
    const struct virtio_queue *q = &virtio_slot(f->m, 31)->queue[0];
    ck_assert_uint_eq(q->desc, DESC);
    ck_assert_uint_eq(q->avail, DESC + 16 * QSIZE);
    ck_assert_uint_eq(q->used, DESC + 4096);
    /* the page size belongs to the transport: a driver sets it before it resets the device */
    bus_w(f, BLK + 0x70, 0);
    ck_assert_uint_eq(bus_r(f, BLK + 0x40), 0);
    bus_w(f, BLK + 0x38, QSIZE);
    bus_w(f, BLK + 0x40, 5);
    ck_assert_uint_eq(q->desc, 5 * 4096);
    fixture_close(f);
}
END_TEST

/* Rings and descriptors that are nonsense: the device needs a reset, nothing else happens, and a reset cures it. */
START_TEST(virtio_nonsense)
{
    struct fixture *f = modern_open();
    for (unsigned kind = 0; kind < 8; kind++) {
        modern_driver(f, BLK, 0);
        blk_request(f, 0, 0, 512, WRITE);
        poke(f, AVAIL + 2, 0, 2);
        switch (kind) {
        case 0: desc_put(f, 1, DATA, 512, NEXT | WRITE, 0); break;   /* a loop */
        case 1: desc_put(f, 1, DATA, 512, NEXT | WRITE, 999); break; /* no such descriptor */
        case 2: desc_put(f, 0, DATA, 16, 4, 0); break;               /* indirect, never offered */
        case 3: desc_put(f, 2, DATA + 0x100, 1, 0, 0); break;        /* readable after writable */
        case 4: desc_put(f, 2, 0x1000, 1, WRITE, 0); break;          /* status where no RAM is */
        case 5: desc_put(f, 0, DATA, 16, 0, 0); break;               /* no status at all */
        case 6: bus_w(f, BLK + 0x94, 0xffffffff); break;             /* ring nowhere */
        case 7: poke(f, AVAIL + 2, 100, 2); break;                   /* further ahead than the ring is long */
        default: break;
        }
        if (kind == 7)
            bus_w(f, BLK + 0x50, 0);
        else
            offer(f, BLK, 0, 0, 0);
        timer_comes(f, ROW_virtio, 31, 0);
        ck_assert_msg(bus_r(f, BLK + 0x70) & 64, "case %u: no need of a reset", kind);
        bus_w(f, BLK + 0x94, 0);
        bus_w(f, BLK + 0x70, 0);
        ck_assert_uint_eq(bus_r(f, BLK + 0x70), 0);
        ck_assert_ptr_null(machine_validate(f->m));
    }
    fixture_close(f);
}
END_TEST

START_TEST(virtio_registers_are_bounded)
{
    struct fixture *f = modern_open();
    bus_w(f, BLK + 0x70, 3);
    bus_w(f, BLK + 0x38, 1000); /* not a power of two */
    ck_assert_uint_eq(virtio_slot(f->m, 31)->queue[0].num, 0);
    bus_w(f, BLK + 0x38, 4096);
    ck_assert_uint_eq(virtio_slot(f->m, 31)->queue[0].num, 0);
    bus_w(f, BLK + 0x30, 7); /* no such queue */
    ck_assert_uint_eq(bus_r(f, BLK + 0x34), 0);
    bus_w(f, BLK + 0x38, 8);
    bus_w(f, BLK + 0x50, 7);
    bus_w(f, BLK + 0x50, 0xffffffff);
    u64 value;
    for (unsigned size = 1; size <= 8; size *= 2)
        for (u64 at = 0; at < 0x200; at += size)
            ck_assert(bus_get(f, BLK + at, size, &value));
    ck_assert_ptr_null(machine_validate(f->m));
    virtio_slot(f->m, 31)->queue[0].num = 5000;
    ck_assert_ptr_nonnull(machine_validate(f->m));
    fixture_close(f);
}
END_TEST

START_TEST(console_both_ways)
{
    struct fixture *f = modern_open();
    modern_driver(f, CON, 1);
    poke(f, DATA, 0x6f6c6c6568, 5);
    desc_put(f, 0, DATA, 5, 0, 0);
    offer(f, CON, 1, 0, 0);
    ck_assert_str_eq(f->out[row_ports()], "hello");
    ck_assert_uint_eq(peek(f, USED + 2, 2), 1);

    modern_driver(f, CON, 0);
    poke(f, USED + 2, 0, 2);
    poke(f, AVAIL + 2, 0, 2);
    desc_put(f, 0, DATA, 4, WRITE, 0);
    offer(f, CON, 0, 0, 0);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 0); /* the buffer waits */
    f->in[row_ports()] = "abcdef";
    machine_input_kick(f->m);
    ck_assert_uint_eq(peek(f, USED + 2, 2), 1);
    ck_assert_uint_eq(peek(f, USED + 8, 4), 4);
    ck_assert_uint_eq(peek(f, DATA, 4), 0x64636261);
    ck_assert_str_eq(f->in[row_ports()], "ef"); /* no further buffer: stays outside */
    fixture_close(f);
}
END_TEST

START_TEST(rng_repeats)
{
    u64 first[2];
    for (unsigned n = 0; n < 2; n++) {
        struct fixture *f = modern_open();
        modern_driver(f, RNG, 0);
        desc_put(f, 0, DATA, 8, WRITE, 0);
        offer(f, RNG, 0, 0, 0);
        first[n] = peek(f, DATA, 8);
        ck_assert_uint_eq(peek(f, USED + 8, 4), 8);
        fixture_close(f);
    }
    ck_assert_uint_ne(first[0], 0);
    ck_assert_uint_eq(first[0], first[1]);
}
END_TEST

/* ---- DMA and the exclusive monitors (Arm ARM B2.9.2) ---- */

/* The CPU waits for the used index by LDXRH and WFE, alone: the device's store is the event. */
START_TEST(dma_wakes_wfe)
{
    static const u32 waits[] = {
        0x485f7c20,                        /* 1: ldxrh w0, [x1] */
        0x35000060,                        /* cbnz w0, 2f */
        0xd503205f,                        /* wfe */
        0x17fffffd,                        /* b 1b */
        0xd2800100, 0xf2b08000, 0xd4000002 /* 2: SYSTEM_OFF */
    };
    for (unsigned engine = 0; engine < 2; engine++) {
        struct fixture *f = calloc(1, sizeof(*f));
        struct machine_config *c = fixture_config(f);
        c->options.virtio_modern = true;
        c->engine = engine ? ENGINE_STEP : ENGINE_THREADED;
        fixture_make(f, c);
        ck_assert(phys_copy_in(&f->m->d.phys, RAM_BASE, waits, sizeof(waits)));
        f->m->conduit = CONDUIT_HVC;
        machine_cpu_enter(f->m, &f->m->d.cpu[0], 1, RAM_BASE, 0);
        f->m->d.cpu[0].x[1] = USED + 2;
        modern_driver(f, BLK, 0);
        blk_request(f, 0, 3, 1024, WRITE);
        offer(f, BLK, 0, 0, 0);
        ck_assert_int_eq(machine_run(f->m, 1000).kind, END_OFF);
        ck_assert_uint_le(machine_insns(f->m), 16); /* it slept */
        fixture_close(f);
    }
}
END_TEST

/* What was written, and whether that opens a monitor on 16 bytes at DATA + 64 (the granule of CTR_EL0 is 64 bytes). */
START_TEST(dma_opens_monitors)
{
    static const struct {
        u64 pa;
        unsigned size, opens;
    } cases[] = {
        { DATA + 64, 8, 1 }, { DATA + 72, 1, 1 }, { DATA + 127, 1, 1 }, { DATA + 128, 8, 0 },   { DATA + 63, 1, 0 },
        { DATA + 60, 8, 1 }, { DATA + 56, 8, 0 }, { DATA, 512, 1 },     { DATA + 256, 512, 0 }, { RAM_BASE, 64, 0 },
    };
    static const u8 bytes[512];
    struct fixture *f = fixture_open();
    struct cpu *cpu = &f->m->d.cpu[0];
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        cpu->excl_pa = DATA + 64;
        cpu->excl_size = 16;
        cpu->excl_valid = 1;
        cpu->event = 0;
        ck_assert(bus_dma(f->m, (struct requester){ 0 }, cases[n].pa, (void *)(uintptr_t)bytes, cases[n].size, true));
        ck_assert_msg(cpu->excl_valid == !cases[n].opens && cpu->event == cases[n].opens, "case %u", n);
    }
    cpu->excl_valid = 1;
    cpu->event = 0;
    ck_assert(!bus_dma(f->m, (struct requester){ 0 }, 0x1000, (void *)(uintptr_t)bytes, 8,
                       true)); /* no RAM: nothing was written */
    ck_assert(cpu->excl_valid && !cpu->event);
    fixture_close(f);
}
END_TEST

/* A bus master's write to the distributor is a message: of a word or half of one. Of other devices it reaches none, and
 * it reads none. */
START_TEST(dma_is_a_message)
{
    static const u8 intid[8] = { GIC_BANK + 100 };
    const u64 setspi = row_get(ROW_gicd)->base + 0x40, clrspi = setspi + 8, uart = row_get(ROW_uart0)->base;
    const struct requester by = { 0 };
    struct fixture *f = fixture_open();
    u32 *latch = &f->m->gic.spi[3].latch;
    void *bytes = (void *)(uintptr_t)intid;
    f->m->gic.spi[3].edge = ~(u32)0;
    ck_assert(bus_dma(f->m, by, setspi, bytes, 4, true));
    ck_assert_uint_eq(*latch, 1 << 4);
    ck_assert(bus_dma(f->m, by, clrspi, bytes, 2, true));
    ck_assert_uint_eq(*latch, 0);
    ck_assert(!bus_dma(f->m, by, setspi, bytes, 8, true));
    ck_assert(!bus_dma(f->m, by, setspi, bytes, 1, true));
    ck_assert(!bus_dma(f->m, by, setspi - 1, bytes, 2, true));
    ck_assert(!bus_dma(f->m, by, setspi, bytes, 4, false));
    ck_assert(!bus_dma(f->m, by, uart, bytes, 4, true));
    ck_assert(!bus_dma(f->m, by, setspi + 0x10000000000, bytes, 4, true));
    ck_assert_uint_eq(*latch, 0);
    f->m->d.guest_error = ERROR_NONSENSE; /* of the device that writes */
    ck_assert(bus_dma(f->m, by, setspi, (u8[4]){ 31 }, 4, true));
    ck_assert_uint_eq(f->m->d.guest_error, ERROR_NONSENSE);
    fixture_close(f);
}
END_TEST

Suite *test_devices_suite(void);
Suite *test_devices_suite(void)
{
    Suite *s = suite_create("devices");
    TCase *t = tcase_create("devices");
    tcase_add_test(t, uart_transmits);
    tcase_add_test(t, uart_waits_for_the_guest);
    tcase_add_test(t, uart_fifo_and_interrupts);
    tcase_add_test(t, uart_loopback_and_id);
    tcase_add_test(t, rtc_counts_and_alarms);
    tcase_add_test(t, gpio_power_key);
    tcase_add_test(t, gpio_level);
    tcase_add_test(t, virtio_slots);
    tcase_add_test(t, blk_reads_and_writes);
    tcase_add_test(t, blk_refuses);
    tcase_add_test(t, blk_partial_sector);
    tcase_add_test(t, chain_as_long_as_the_queue);
    tcase_add_test(t, console_before_driver_ok);
    tcase_add_test(t, blk_ranges);
    tcase_add_test(t, blk_ranges_elsewhere);
    tcase_add_test(t, blk_blocks);
    tcase_add_test(t, blk_cache);
    tcase_add_test(t, blk_readonly);
    tcase_add_test(t, virtio_legacy);
    tcase_add_test(t, virtio_nonsense);
    tcase_add_test(t, virtio_registers_are_bounded);
    tcase_add_test(t, console_both_ways);
    tcase_add_test(t, rng_repeats);
    tcase_add_test(t, dma_wakes_wfe);
    tcase_add_test(t, dma_opens_monitors);
    tcase_add_test(t, dma_is_a_message);
    suite_add_tcase(s, t);
    return s;
}
