/* SCSI: the disk by SPC-4 and SBC-3, its controller by the Virtual I/O Device specification 1.2, 5.6. */
#include "tests/unit/board_fixture.h"

#include "board/dev/scsi.h"

enum { BUFFER = 64 * 1024, BLOCKS = FIXTURE_DISK / 512 };

/* A disk with what a command reads and writes. */
struct unit {
    struct fixture *f;
    u8 out[BUFFER], in[BUFFER];
    struct scsi_command c;
};

static bool take_out(void *ctx, u64 offset, void *to, u64 size)
{
    const struct unit *u = ctx;
    ck_assert(offset <= u->c.out_size && size <= u->c.out_size - offset);
    memcpy(to, u->out + offset, size);
    return true;
}
static bool give_in(void *ctx, u64 offset, const void *from, u64 size)
{
    struct unit *u = ctx;
    ck_assert(offset <= u->c.in_size && size <= u->c.in_size - offset);
    memcpy(u->in + offset, from, size);
    return true;
}

static struct unit *unit_open(struct disk_option disk)
{
    struct unit *u = calloc(1, sizeof(*u));
    ck_assert_ptr_nonnull(u);
    u->f = calloc(1, sizeof(*u->f));
    struct machine_config *c = fixture_config(u->f);
    disk.size = FIXTURE_DISK;
    c->options.disk[0] = disk;
    fixture_make(u->f, c);
    for (unsigned n = 0; n < FIXTURE_DISK; n++)
        u->f->disk[n] = (u8)(n / 512 + 1);
    return u;
}

static void unit_close(struct unit *u)
{
    fixture_close(u->f);
    free(u);
}

/* Sense key, code and qualifier as one number; 0: GOOD, 1: the buffers are too small. */
static u32 run(struct unit *u, const u8 cdb[16], u64 out, u64 in)
{
    memset(u->in, 0xee, sizeof(u->in));
    u->c = (struct scsi_command){ .out_size = out, .in_size = in, .out = take_out, .in = give_in, .ctx = u };
    memcpy(u->c.cdb, cdb, 16);
    scsi_run(u->f->m, &u->c);
    if (u->c.overrun)
        return 1;
    if (u->c.status == SCSI_GOOD)
        return 0;
    ck_assert_uint_eq(u->c.sense[0], 0x70);
    return (u32)u->c.sense[2] << 16 | (u32)u->c.sense[12] << 8 | u->c.sense[13];
}
#define RUN(u, out, in, ...) run(u, (const u8[16]){ __VA_ARGS__ }, out, in)

START_TEST(moves_blocks)
{
    static const struct {
        u8 cdb[16];
        u64 room;
        u32 answer;
        unsigned first, count; /* blocks that come */
    } cases[] = {
        { { 0x08, 0, 0, 3, 2 }, 1024, 0, 3, 2 },                     /* READ (6) */
        { { 0x08, 0, 0, 0, 0 }, BUFFER, 0x52100, 0, 0 },             /* 256 blocks */
        { { 0x28, 0, 0, 0, 0, 127, 0, 0, 1 }, 512, 0, 127, 1 },      /* READ (10) */
        { { 0x28, 0, 0, 0, 0, 127, 0, 0, 2 }, 1024, 0x52100, 0, 0 }, /* beyond the end */
        { { 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1 }, 512, 0x52100, 0, 0 },
        { { 0x28, 0, 0, 0, 0, 128, 0, 0, 0 }, 0, 0, 0, 0 },                /* nothing, at the end */
        { { 0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 4 }, 2048, 0, 1, 4 },            /* READ (12) */
        { { 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1 }, 512, 0, 9, 1 }, /* READ (16) */
        { { 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2 }, 1024, 0x52100, 0, 0 },
        { { 0x28, 0, 0, 0, 0, 0, 0, 0, 2 }, 1023, 1, 0, 0 }, /* no room for it */
        { { 0x28, 0, 0, 0, 0, 5, 0, 0, 1 }, 4096, 0, 5, 1 }, /* more room than it needs */
    };
    struct unit *u = unit_open((struct disk_option){ .readonly = false });
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        ck_assert_msg(run(u, cases[n].cdb, 0, cases[n].room) == cases[n].answer, "case %u", n);
        ck_assert_uint_eq(u->c.done, cases[n].count * 512);
        for (unsigned k = 0; k < cases[n].count * 512; k++)
            ck_assert_uint_eq(u->in[k], cases[n].first + k / 512 + 1);
        ck_assert_uint_eq(u->in[cases[n].count * 512], 0xee);
    }
    memset(u->out, 0x5a, 1024);
    ck_assert_uint_eq(RUN(u, 1024, 0, 0x2a, 0, 0, 0, 0, 7, 0, 0, 2), 0);
    ck_assert_uint_eq(u->f->flushes, 0);
    ck_assert_uint_eq(u->f->disk[7 * 512 - 1] | u->f->disk[7 * 512] << 8 | u->f->disk[9 * 512 - 1] << 16, 0x5a5a07);
    ck_assert_uint_eq(u->f->disk[9 * 512], 10);
    ck_assert_uint_eq(RUN(u, 512, 0, 0x2a, 8, 0, 0, 0, 7, 0, 0, 1), 0);                /* FUA */
    ck_assert_uint_eq(RUN(u, 512, 0, 0x8e, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1), 0); /* WRITE AND VERIFY */
    ck_assert_uint_eq(RUN(u, 0, 0, 0x35), 0);
    ck_assert_uint_eq(u->f->flushes, 3);
    ck_assert_uint_eq(RUN(u, 0, 0, 0x2f, 0, 0, 0, 0, 127, 0, 0, 1), 0);
    ck_assert_uint_eq(RUN(u, 0, 0, 0x2f, 0, 0, 0, 0, 127, 0, 0, 2), 0x52100);
    unit_close(u);
    u = unit_open((struct disk_option){ .readonly = true });
    ck_assert_uint_eq(RUN(u, 512, 0, 0x2a, 0, 0, 0, 0, 7, 0, 0, 1), 0x72700);
    ck_assert_uint_eq(u->f->disk[7 * 512], 8);
    unit_close(u);
}
END_TEST

START_TEST(says_what_it_is)
{
    struct unit *u = unit_open((struct disk_option){ .serial = "ABC", .unmap = true, .physical = 4096 });
    ck_assert_uint_eq(RUN(u, 0, 0, 0x00), 0);
    ck_assert_uint_eq(RUN(u, 0, 96, 0x12, 0, 0, 0, 96), 0); /* INQUIRY */
    ck_assert_uint_eq(u->c.done, 36);
    ck_assert_mem_eq(u->in + 8, "QEMU    QEMU HARDDISK   ", 24);
    ck_assert_uint_eq(RUN(u, 0, 5, 0x12, 0, 0, 0, 5), 0); /* as much as is asked for */
    ck_assert_uint_eq(u->c.done, 5);
    ck_assert_uint_eq(RUN(u, 0, 4, 0x12, 0, 0, 0, 5), 1);
    ck_assert_uint_eq(RUN(u, 0, 96, 0x12, 0, 1, 0, 96), 0x52400);
    ck_assert_uint_eq(RUN(u, 0, 96, 0x12, 1, 0, 0, 96), 0);
    ck_assert_mem_eq(u->in, "\0\0\0\6\x00\x80\x83\xb0\xb1\xb2", 10);
    for (unsigned n = 0; n < 6; n++) { /* every page that it lists is there */
        u8 page = (u8[]){ 0, 0x80, 0x83, 0xb0, 0xb1, 0xb2 }[n];
        ck_assert_uint_eq(RUN(u, 0, 255, 0x12, 1, page, 0, 255), 0);
        ck_assert_uint_eq(u->in[1], page);
        ck_assert_uint_eq(u->c.done, 4u + u->in[3]);
    }
    ck_assert_uint_eq(RUN(u, 0, 96, 0x12, 1, 0x85, 0, 96), 0x52400);
    ck_assert_uint_eq(RUN(u, 0, 96, 0x12, 1, 0x80, 0, 96), 0);
    ck_assert_mem_eq(u->in,
                     "\0\x80\0\3"
                     "ABC",
                     7);
    ck_assert_uint_eq(RUN(u, 0, 8, 0x25), 0); /* READ CAPACITY */
    ck_assert_mem_eq(u->in, "\0\0\0\x7f\0\0\2\0", 8);
    ck_assert_uint_eq(RUN(u, 0, 32, 0x9e, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32), 0);
    ck_assert_mem_eq(u->in, "\0\0\0\0\0\0\0\x7f\0\0\2\0\0\3\xc0", 15);
    ck_assert_uint_eq(RUN(u, 0, 32, 0x9e, 17), 0x52400);
    ck_assert_uint_eq(RUN(u, 0, 192, 0x1a, 0, 8, 0, 192), 0); /* MODE SENSE */
    ck_assert_mem_eq(u->in, "\x1f\0\x10\x08\0\0\0\x80\0\0\2\0\x08\x12\x04", 15);
    ck_assert_uint_eq(u->c.done, 32);
    ck_assert_uint_eq(RUN(u, 0, 192, 0x5a, 8, 0x3f, 0, 0, 0, 0, 0, 192), 0);
    ck_assert_mem_eq(u->in, "\0\x1a\0\x10\0\0\0\0\x08\x12\x04", 11);
    ck_assert_uint_eq(RUN(u, 0, 192, 0x1a, 0, 0xc8, 0, 192), 0x53900);
    ck_assert_uint_eq(RUN(u, 0, 192, 0x1a, 0, 1, 0, 192), 0x52400);
    ck_assert_uint_eq(RUN(u, 0, 16, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16), 0); /* REPORT LUNS */
    ck_assert_mem_eq(u->in, "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    ck_assert_uint_eq(RUN(u, 0, 16, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 15), 0x52400);
    ck_assert_uint_eq(RUN(u, 0, 18, 0x03, 0, 0, 0, 18), 0); /* REQUEST SENSE */
    ck_assert_uint_eq(u->in[2], 0);
    ck_assert_uint_eq(RUN(u, 0, 0, 0xc0), 0x52000);
    unit_close(u);
}
END_TEST

START_TEST(makes_zeros)
{
    static const u8 range[24] = { 0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2 };
    struct unit *u = unit_open((struct disk_option){ .unmap = true });
    memcpy(u->out, range, sizeof(range));
    ck_assert_uint_eq(RUN(u, 24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 0); /* UNMAP */
    ck_assert_uint_eq(load_le64(u->f->disk + 4 * 512) | load_le64(u->f->disk + 6 * 512 - 8), 0);
    ck_assert_uint_eq(u->f->disk[4 * 512 - 1] | u->f->disk[6 * 512] << 8, 0x0704);
    ck_assert_uint_eq(u->f->unmaps, 1);
    ck_assert_uint_eq(RUN(u, 23, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 1);
    ck_assert_uint_eq(RUN(u, 7, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 7), 0x51a00);
    u->out[3] = 32; /* two ranges */
    ck_assert_uint_eq(RUN(u, 24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 0x52600);
    u->out[3] = 16;
    u->out[15] = 127; /* beyond the end */
    ck_assert_uint_eq(RUN(u, 24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 0x52100);
    memset(u->out, 0, 512);
    ck_assert_uint_eq(RUN(u, 512, 0, 0x93, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 3), 0); /* WRITE SAME, may unmap */
    ck_assert_uint_eq(u->f->unmaps, 2);
    ck_assert_uint_eq(load_le64(u->f->disk + 8 * 512) | load_le64(u->f->disk + 11 * 512 - 8), 0);
    memset(u->out, 0x77, 512);
    ck_assert_uint_eq(RUN(u, 512, 0, 0x41, 0, 0, 0, 0, 20, 0, 0, 3), 0);
    ck_assert_uint_eq(u->f->disk[20 * 512 - 1] | u->f->disk[20 * 512] << 8 | u->f->disk[23 * 512 - 1] << 16, 0x777714);
    ck_assert_uint_eq(u->f->disk[23 * 512], 24);
    ck_assert_uint_eq(RUN(u, 512, 0, 0x41, 0, 0, 0, 0, 20, 0, 0, 0), 0x52400); /* of nothing */
    ck_assert_uint_eq(RUN(u, 511, 0, 0x41, 0, 0, 0, 0, 20, 0, 0, 1), 1);
    ck_assert_uint_eq(RUN(u, 512, 0, 0x41, 0, 0, 0, 0, 126, 0, 0, 3), 0x52100);
    unit_close(u);
    u = unit_open((struct disk_option){ .unmap = false });
    ck_assert_uint_eq(RUN(u, 24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 0x52000);
    ck_assert_uint_eq(RUN(u, 512, 0, 0x93, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 3), 0x52400);
    unit_close(u);
}
END_TEST

START_TEST(other_units)
{
    struct unit *u = unit_open((struct disk_option){ .unmap = false });
    for (unsigned n = 0; n < 3; n++) {
        static const u8 cdbs[][16] = { { 0x12, 0, 0, 0, 36 }, { 0x28, 0, 0, 0, 0, 0, 0, 0, 1 }, { 0xc0 } };
        u->c = (struct scsi_command){ .lun = 1, .in_size = 512, .in = give_in, .ctx = u };
        memcpy(u->c.cdb, cdbs[n], 16);
        scsi_run(u->f->m, &u->c);
        ck_assert_uint_eq(u->c.status, n ? SCSI_CHECK_CONDITION : SCSI_GOOD);
        ck_assert_uint_eq(n ? u->c.sense[12] : u->in[0], n ? 0x25 : 0x7f);
    }
    unit_close(u);
}
END_TEST

/* ---- behind virtio ---- */

enum { HBA = 0x0a003e00, RINGS = 0x40010000, DATA = 0x40020000, NEXT = 1, WRITE = 2 };

static void queue_make(struct fixture *f, unsigned queue)
{
    bus_w(f, HBA + 0x30, queue);
    bus_w(f, HBA + 0x38, 8);
    bus_w(f, HBA + 0x80, RINGS + queue * 0x4000);
    bus_w(f, HBA + 0x90, RINGS + queue * 0x4000 + 0x1000);
    bus_w(f, HBA + 0xa0, RINGS + queue * 0x4000 + 0x2000);
    bus_w(f, HBA + 0x44, 1);
}

static struct fixture *hba_open(bool disk)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct machine_config *c = fixture_config(f);
    c->options.virtio_modern = true;
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_SCSI, .unit = disk ? 0 : MAX_DISKS - 1, .slot = -1 };
    fixture_make(f, c);
    ck_assert_uint_eq(bus_r(f, HBA + 8), 8);
    bus_w(f, HBA + 0x70, 3);
    bus_w(f, HBA + 0x24, 1);
    bus_w(f, HBA + 0x20, 1);
    bus_w(f, HBA + 0x70, 11);
    for (unsigned n = 0; n < 3; n++)
        queue_make(f, n);
    bus_w(f, HBA + 0x70, 15);
    return f;
}

/* Request n of a queue: `out` bytes at DATA, `in` bytes 4 KiB behind. The length that was used; ~0: none. */
static u64 send(struct fixture *f, unsigned queue, unsigned n, u32 out, u32 in)
{
    u64 rings = RINGS + queue * 0x4000;
    poke(f, rings, DATA, 8);
    poke(f, rings + 8, out | (u64)(in ? NEXT : 0) << 32 | (u64)1 << 48, 8);
    poke(f, rings + 16, DATA + 0x1000, 8);
    poke(f, rings + 24, in | (u64)WRITE << 32, 8);
    poke(f, rings + 0x1004 + 2 * n, 0, 2);
    poke(f, rings + 0x1002, n + 1, 2);
    bus_w(f, HBA + 0x50, queue);
    timer_comes(f, ROW_virtio, 31, 0);
    return peek(f, rings + 0x2002, 2) == n + 1 ? peek(f, rings + 0x2008 + 8 * n, 4) : ~(u64)0;
}

static u64 response(struct fixture *f, unsigned at, unsigned size) { return peek(f, DATA + 0x1000 + at, size); }

START_TEST(virtio_requests)
{
    struct fixture *f = hba_open(true);
    ck_assert_uint_eq(bus_r(f, HBA + 0x100), 1);
    ck_assert_uint_eq(bus_r(f, HBA + 0x114), 96);
    ck_assert_uint_eq(bus_r(f, HBA + 0x118), 32);
    for (unsigned n = 0; n < FIXTURE_DISK; n++)
        f->disk[n] = (u8)(n / 512);
    poke(f, DATA, 0x00400001, 8); /* target 0, unit 0 */
    poke(f, DATA + 19, 0x28, 8);
    poke(f, DATA + 19 + 5, 0x0100000009, 8);
    poke(f, DATA + 19 + 8, 2, 1); /* READ (10): block 9, 2 of them */
    ck_assert_uint_eq(send(f, 2, 0, 51, 108 + 2048), 108 + 1024);
    ck_assert_uint_eq(response(f, 4, 4), 1024); /* of the buffer is left */
    ck_assert_uint_eq(response(f, 10, 2), 0);
    ck_assert_uint_eq(response(f, 108, 1) | response(f, 108 + 1023, 1) << 8, 0x0a09);
    ck_assert_uint_eq(send(f, 2, 1, 51, 108 + 1023), 108); /* OVERRUN */
    ck_assert_uint_eq(response(f, 10, 2), 0x100);
    ck_assert_uint_eq(send(f, 2, 2, 52, 108 + 1024), 108); /* both ways: FAILURE */
    ck_assert_uint_eq(response(f, 11, 1), 9);
    poke(f, DATA + 19 + 5, 127, 1); /* beyond the end: CHECK CONDITION with sense data */
    ck_assert_uint_eq(send(f, 2, 3, 51, 108 + 1024), 108);
    ck_assert_uint_eq(response(f, 0, 4), 18);
    ck_assert_uint_eq(response(f, 10, 2), 2);
    ck_assert_uint_eq(response(f, 12 + 2, 1) | response(f, 12 + 12, 1) << 8, 0x2105);
    poke(f, DATA + 1, 1, 1); /* target 1 */
    ck_assert_uint_eq(send(f, 2, 4, 51, 108), 108);
    ck_assert_uint_eq(response(f, 11, 1), 3);
    ck_assert_uint_eq(send(f, 2, 5, 50, 108), ~(u64)0); /* no whole request */
    ck_assert_uint_eq(bus_r(f, HBA + 0x70) & 64, 64);
    fixture_close(f);
}
END_TEST

START_TEST(virtio_control)
{
    static const struct {
        u32 type, subtype;
        u64 lun;
        u32 size;
        u8 answer;
    } cases[] = {
        { 0, 0, 0x00400001, 1, 0 }, { 0, 7, 0x00400001, 1, 0 },  { 0, 8, 0x00400001, 1, 11 },
        { 0, 5, 0x00400101, 1, 3 }, { 0, 6, 0x01400001, 1, 12 },
    };
    struct fixture *f = hba_open(true);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        poke(f, DATA, cases[n].type | (u64)cases[n].subtype << 32, 8);
        poke(f, DATA + 8, cases[n].lun, 8);
        ck_assert_uint_eq(send(f, 0, n, 24, 1), cases[n].size);
        ck_assert_msg(response(f, 0, 1) == cases[n].answer, "case %u", n);
    }
    poke(f, DATA, 1 | (u64)0x00400001 << 32, 8); /* which notifications there are: none */
    poke(f, DATA + 8, 0, 8);
    poke(f, DATA + 0x1000, ~(u64)0, 8);
    ck_assert_uint_eq(send(f, 0, 5, 16, 5), 5);
    ck_assert_uint_eq(response(f, 0, 5), 0);
    ck_assert_uint_eq(send(f, 0, 6, 15, 5), ~(u64)0);
    fixture_close(f);
    f = hba_open(false); /* no disk: no target */
    poke(f, DATA, 0x00400001, 8);
    ck_assert_uint_eq(send(f, 2, 0, 51, 108), 108);
    ck_assert_uint_eq(response(f, 11, 1), 3);
    fixture_close(f);
}
END_TEST

Suite *test_scsi_suite(void);
Suite *test_scsi_suite(void)
{
    Suite *s = suite_create("scsi");
    TCase *t = tcase_create("disk");
    tcase_add_test(t, moves_blocks);
    tcase_add_test(t, says_what_it_is);
    tcase_add_test(t, makes_zeros);
    tcase_add_test(t, other_units);
    tcase_add_test(t, virtio_requests);
    tcase_add_test(t, virtio_control);
    suite_add_tcase(s, t);
    return s;
}
