/* The extended ranges of INTIDs (GIC is Arm IHI 0069: 2.2, 12.9 GICD_TYPER and the registers whose name ends with E,
 * 12.11 GICR_TYPER.PPInum, 12.2 ICC_CTLR_EL1.ExtRange): PPIs 1056 to 1119, SPIs 4096 to 5119. */
#include "gic_rig.h"

enum { ESPI = 4096 + 1000, EPPI = 1056 + 40 };
enum { GICD_IGROUPRE = 0x1000, ISENABLERE = 0x1200, ICENABLERE = 0x1400, ISPENDRE = 0x1600, ISACTIVERE = 0x1a00,
       IPRIORITYRE = 0x2000, ICFGRE = 0x3000, IROUTERE = 0x8000 };
#define EXTRANGE BIT(19)

static void setup(void)
{
    make(false);
    gic_extend(&gic, GIC_RANGES);
    for (unsigned n = 0; n < CPUS; n++)
        open_pe(n);
}

/* Words and bits of an extended SPI in its registers of one bit each. */
static u64 word(unsigned intid) { return (intid - 4096) / 32 * 4; }
static u64 mask(unsigned intid) { return BIT(intid % 32); }

static void configure_spi(unsigned intid, u64 router)
{
    dist_put(GICD_IGROUPRE + word(intid), dist(GICD_IGROUPRE + word(intid)) | mask(intid));
    dist_put_as(false, IPRIORITYRE + (intid - 4096), 1, 0x80);
    dist_put_as(false, IROUTERE + (intid - 4096) * 8, 8, router);
    dist_put(ICFGRE + (intid - 4096) / 16 * 4, 2u << intid % 16 * 2);
    dist_put(ISENABLERE + word(intid), mask(intid));
}

START_TEST(what_there_is)
{
    ck_assert_uint_eq(dist(4) >> 8 & 1, 1);
    ck_assert_uint_eq(dist(4) >> 27, 31);
    ck_assert_uint_eq(redist_as(false, 0, 8, 8) >> 27 & 31, 2);
    ck_assert(rd(pe(0), CTLR) & EXTRANGE);
    gic_extend(&gic, 0);
    ck_assert_uint_eq(dist(4) >> 8 & 1, 0);
    ck_assert_uint_eq(dist(4) >> 27, 0);
    ck_assert_uint_eq(redist_as(false, 0, 8, 8) >> 27 & 31, 0);
    ck_assert(!(rd(pe(0), CTLR) & EXTRANGE));
    dist_put(ISENABLERE, ~0u);
    ck_assert_uint_eq(dist(ISENABLERE), 0);
    redist_put(0, SGI + ISENABLER + 4, ~0u);
    ck_assert_uint_eq(redist(0, SGI + ISENABLER + 4), 0);
}
END_TEST

START_TEST(spi)
{
    configure_spi(ESPI, 2);
    dist_put(SETSPI_NSR, ESPI);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(lines(2), LINE_IRQ);
    ck_assert_uint_eq(dist(ISPENDRE + word(ESPI)), mask(ESPI));
    ck_assert_uint_eq(rd(pe(2), IAR1), ESPI);
    ck_assert_uint_eq(rd(pe(2), RPR), 0x80);
    ck_assert_uint_eq(dist(ISACTIVERE + word(ESPI)), mask(ESPI));
    ck_assert_uint_eq(dist(ISPENDRE + word(ESPI)), 0);
    wr(pe(2), EOIR1, ESPI);
    ck_assert_uint_eq(dist(ISACTIVERE + word(ESPI)), 0);
    ck_assert_uint_eq(rd(pe(2), RPR), 0xff);
    dist_put(ISPENDRE + word(ESPI), mask(ESPI));
    ck_assert_uint_eq(rd(pe(2), HPPIR1), ESPI);
    dist_put(ICENABLERE + word(ESPI), mask(ESPI));
    ck_assert_uint_eq(rd(pe(2), HPPIR1), SPURIOUS);
}
END_TEST

START_TEST(first_and_last)
{
    static const unsigned intids[] = { 4096, 4127, 4128, 5119 };
    for (unsigned n = 0; n < ARRAY_LEN(intids); n++) {
        configure_spi(intids[n], 1);
        dist_put(SETSPI_NSR, intids[n]);
        ck_assert_uint_eq(rd(pe(1), IAR1), intids[n]);
        wr(pe(1), EOIR1, intids[n]);
    }
    ck_assert(!gic.d.no_such_spi);
    static const unsigned none[] = { 4095, 5120, 1056, 1119, 8191 };
    for (unsigned n = 0; n < ARRAY_LEN(none); n++) {
        gic.d.no_such_spi = 0;
        dist_put(SETSPI_NSR, none[n]);
        ck_assert(gic.d.no_such_spi);
    }
}
END_TEST

/* Any of the PEs (IRM); and an equal priority of the lower INTID first. */
START_TEST(one_of_n)
{
    configure_spi(ESPI, BIT(31));
    dist_put(SETSPI_NSR, ESPI);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    wr(pe(0), IGRPEN1, 0);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(1), HPPIR1), ESPI);
    config(1, 40, GROUP_1NS, 0x80);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(pe(1), HPPIR1), 40);
}
END_TEST

START_TEST(ppi)
{
    const unsigned n = EPPI - 1056 + 32; /* its place in a redistributor's registers */
    redist_put(1, SGI + IGROUPR + n / 32 * 4, mask(n));
    redist_put_as(false, 1, SGI + IPRIORITYR + n, 1, 0x40);
    redist_put(1, SGI + ISENABLER + n / 32 * 4, mask(n));
    redist_put(1, SGI + ISPENDR + n / 32 * 4, mask(n));
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(rd(pe(1), IAR1), EPPI);
    ck_assert_uint_eq(redist(1, SGI + ISACTIVER + n / 32 * 4), mask(n));
    ck_assert_uint_eq(redist(0, SGI + ISACTIVER + n / 32 * 4), 0);
    wr(pe(1), EOIR1, EPPI);
    ck_assert_uint_eq(redist(1, SGI + ISACTIVER + n / 32 * 4), 0);
}
END_TEST

/* A list register deactivates it (GIC 6.2): pINTID has 13 bits. */
START_TEST(of_a_list_register)
{
    configure_spi(ESPI, 0);
    dist_put(ISACTIVERE + word(ESPI), mask(ESPI));
    at(pe(0), 2, false);
    wr(pe(0), ICH_HCR, 1);
    wr(pe(0), ICH_VMCR, 0xf8000002);
    wr(pe(0), ICH_LR0, LR_PEND | LR_HWBIT | LR_GRP1 | (u64)ESPI << 32 | 40);
    pe(0)->sys.hcr_el2 |= BIT(HCR_IMO);
    at(pe(0), 1, false);
    ck_assert_uint_eq(rd(pe(0), IAR1), 40);
    wr(pe(0), EOIR1, 40);
    ck_assert_uint_eq(dist(ISACTIVERE + word(ESPI)), 0);
}
END_TEST

START_TEST(restored)
{
    configure_spi(ESPI, 3);
    dist_put(SETSPI_NSR, ESPI);
    ck_assert(gic_validate(&gic));
    gic_rebuild(&gic, cpus);
    ck_assert_uint_eq(rd(pe(3), HPPIR1), ESPI);
    gic.spi[39].level = 1;
    ck_assert(!gic_validate(&gic));
    gic.spi[39].level = 0;
    gic.redist[2].eppi[1].priority[31] = 1;
    ck_assert(!gic_validate(&gic));
}
END_TEST

Suite *test_gic_ranges_suite(void);
Suite *test_gic_ranges_suite(void)
{
    Suite *s = suite_create("gic_ranges");
    TCase *t = tcase_create("ranges");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_there_is);
    tcase_add_test(t, spi);
    tcase_add_test(t, first_and_last);
    tcase_add_test(t, one_of_n);
    tcase_add_test(t, ppi);
    tcase_add_test(t, of_a_list_register);
    tcase_add_test(t, restored);
    suite_add_tcase(s, t);
    return s;
}
