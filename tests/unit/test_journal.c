/* What the journal keeps of disks: going back they are as they were, coming again as they became. */
#include "tests/unit/board_fixture.h"

#include "debug/journal.h"

/* Zeros over what is not zero, over zeros, between writes, all at one time. */
static void changes(struct machine *m)
{
    const struct machine_host *h = &m->d.host;
    u8 bytes[512];
    memset(bytes, 0x5a, sizeof(bytes));
    ck_assert(h->disk_write(h->ctx, 0, 1024, bytes, 512));
    ck_assert(h->disk_zero(h->ctx, 0, 512, 2048, true));
    ck_assert(h->disk_zero(h->ctx, 0, 512, 2048, false));
    ck_assert(h->disk_write(h->ctx, 0, 512, bytes, 512));
    ck_assert(h->disk_zero(h->ctx, 0, 8192, 0, false));
    ck_assert(h->disk_zero(h->ctx, 0, 768, 512, false));
}

START_TEST(zeros_come_and_go)
{
    struct fixture *f = fixture_open();
    u8 before[FIXTURE_DISK], after[FIXTURE_DISK];
    struct journal *j = journal_attach(f->m);
    for (unsigned n = 0; n < FIXTURE_DISK; n++)
        f->disk[n] = before[n] = (u8)(n % 7 ? n * 5 : 0);
    u64 mark = journal_mark(j);
    f->m->now = 1000;
    changes(f->m);
    u64 end = journal_mark(j);
    memcpy(after, f->disk, FIXTURE_DISK);
    ck_assert_mem_ne(before, after, FIXTURE_DISK);
    for (unsigned n = 0; n < 2; n++) {
        journal_seek(j, mark);
        ck_assert_mem_eq(f->disk, before, FIXTURE_DISK);
        f->m->now = 1000;
        changes(f->m);
        ck_assert_mem_eq(f->disk, after, FIXTURE_DISK);
        ck_assert_uint_eq(journal_mark(j), end); /* nothing was kept twice */
    }
    ck_assert_uint_eq(journal_count(j), end);
    journal_detach(j);
    fixture_close(f);
}
END_TEST

Suite *test_journal_suite(void);
Suite *test_journal_suite(void)
{
    Suite *s = suite_create("journal");
    TCase *t = tcase_create("disks");
    tcase_add_test(t, zeros_come_and_go);
    suite_add_tcase(s, t);
    return s;
}
