/* GICv4: virtual LPIs (GIC is Arm IHI 0069: 5.2 and 5.3 vPEs and their commands, 6 virtual interrupts, 12.11
 * GICR_VPROPBASER and GICR_VPENDBASER). A hypervisor with a guest, also on QEMU: tests/guest/vlpi.c. */
#include "board_fixture.h"
#include "vlpi_rig.h"

#include "board/state.h"
#include "debug/snapshot.h"

#include <unistd.h>

/* ---- what there is ---- */

START_TEST(identification)
{
    ck_assert_uint_eq(dist(4) >> 17 & 3, 3);                  /* GICD_TYPER.{DVIS, LPIS} */
    ck_assert_uint_eq(redist_as(true, 1, 8, 8) & 0xff, 0x23); /* GICR_TYPER.{VLPIS, PLPIS}, DPGS */
    ck_assert_uint_eq(redist_as(true, 3, 8, 8) >> 32, 3);
    ck_assert_uint_eq(its_get(8) & (BIT(37) | 3), BIT(37) | 3); /* GITS_TYPER.{VMOVP, Virtual, Physical} */
    ck_assert_uint_eq(its_get(BASER + 16) >> 48 & 0x71f, 0x207);
    ck_assert_uint_eq(hyp(0, ICH_VTR) >> 20 & 1, 0); /* nV4 */
    ck_assert_uint_eq(dist(0xffe8), 0x4b);
    ck_assert_uint_eq(redist(2, 0xffe8), 0x4b);
    ck_assert_uint_eq(its_read(&its, &gic, 0xffe8, 4), 0x4b);
}
END_TEST

/* Of GICv3 none of it is there. */
START_TEST(of_version_3)
{
    u64 v;
    teardown();
    with_parts(false, GIC_LPIS);
    its_on(VALID | DEVICES);
    its_put(BASER + 16, VALID | VPES);
    ck_assert_uint_eq(its_get(BASER + 16), 0);
    ck_assert_uint_eq(dist(4) >> 17 & 3, 1);
    ck_assert_uint_eq(redist_as(true, 1, 8, 8) & 0xff, 0x21);
    ck_assert_uint_eq(its_get(8) & (BIT(37) | 3), 1);
    ck_assert_uint_eq(hyp(0, ICH_VTR) >> 20 & 1, 1);
    ck_assert_uint_eq(redist(1, 0xffe8), 0x3b);
    ck_assert(!gic_redist_read(&gic, CPUS * 0x20000, 4, attrs(true), &v));
    ck_assert(mapd(0, ITT) && !vmapp(0, 0, VPT(0), 16) && !vmapti(0, 1, 0, 8200, SILENT) && !of_vpe(VSYNC, 0));
    *byte(ITT + 12 + 7) = 0xc0; /* an entry for it that software wrote: the bit means nothing */
    *byte(ITT + 12 + 1) = 0x20;
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(rd(pe(2), HPPIR1), 8192);
}
END_TEST

/* GIC 12.11 GICR_VPROPBASER, GICR_VPENDBASER */
START_TEST(registers)
{
    redist_put_as(true, 1, VPROPBASER, 8, ~(u64)0);
    ck_assert_uint_eq(redist_as(true, 1, VPROPBASER, 8), 0x070fffffffffff9f);
    redist_put_as(true, 1, VPENDBASER, 8, ~VALID);
    ck_assert_uint_eq(vpendbaser(1), IDAI | LAST | 0x070fffffffff0f80);
    redist_put_as(true, 1, VPENDBASER, 8, 0);
    resident(1, 1);
    ck_assert_uint_eq(vpendbaser(1), VALID | LAST | VPT(1)); /* PendingLast is RES1 then */
    redist_put_as(true, 1, VPENDBASER, 8, VALID | VPT(2));
    redist_put_as(true, 1, VPROPBASER, 8, 0);
    ck_assert_uint_eq(vpendbaser(1), VALID | LAST | VPT(1));
    ck_assert_uint_eq(redist_as(true, 1, VPROPBASER, 8), VCONFIG | 15);
    redist_put_as(true, 1, VPENDBASER, 8, IDAI | VPT(2));
    ck_assert_uint_eq(vpendbaser(1), VPT(1)); /* nothing was pending; the rest stays */
    redist_put_as(true, 1, VPENDBASER, 4, VPT(1));
    redist_put_as(true, 1, VPENDBASER + 4, 4, 0x80000000);
    ck_assert_uint_eq(redist_as(true, 1, VPENDBASER + 4, 4), 0xa0000000);
    ck_assert_uint_eq(redist_as(true, 0, VPENDBASER, 8), 0);
    ck_assert_uint_eq(redist_as(true, 1, 0x30078, 8), 0); /* the reserved frame */
}
END_TEST

/* ---- resident ---- */

/* GIC 6: pending and not active; its priority is active from IAR to EOIR. No exit, no maintenance, no list register. */
START_TEST(life)
{
    resident(1, 1);
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    ck_assert(in_vpt(1, 8200));
    ck_assert_uint_eq(lines(0) | lines(2) | lines(3), 0);
    ck_assert_uint_eq(in_guest(1, HPPIR1), 8200);
    ck_assert_uint_eq(in_guest(1, HPPIR0), SPURIOUS);
    ck_assert_uint_eq(in_guest(1, IAR0), SPURIOUS);
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert(!in_vpt(1, 8200));
    ck_assert_uint_eq(in_guest(1, RPR), 0xa0);
    ck_assert_uint_eq(hyp(1, ICH_AP1R), BIT(0xa0 >> 3));
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS); /* by its priority alone */
    guest_put(1, EOIR1, 8200);
    ck_assert_uint_eq(in_guest(1, RPR), 0xff);
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    guest_put(1, EOIR1, 8200);
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
    ck_assert_uint_eq(hyp(1, ICH_HCR), 1); /* EOIcount stays */
    ck_assert_uint_eq(hyp(1, ICH_ELRSR), 15);
    ck_assert_uint_eq(hyp(1, ICH_MISR), 0);
    ck_assert(!lpi_pends(1, 8300)); /* no doorbell */
    hyp_put(1, ICH_VMCR, 0xff4c0203);
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    guest_put(1, EOIR1, 8200); /* EOImode: nothing to deactivate all the same */
    ck_assert_uint_eq(in_guest(1, RPR), 0xff);
    guest_put(1, DIR, 8200);
    ck_assert_uint_eq(hyp(1, ICH_HCR), 1);
}
END_TEST

/* A message of a device does what INT does. */
START_TEST(message)
{
    resident(1, 1);
    ck_assert(its_message(&its, &gic, 0, 1));
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    ck_assert(!its_message(&its, &gic, 0, 2));
    ck_assert(vunmapp(1));
    ck_assert(!its_message(&its, &gic, 0, 1));
}
END_TEST

/* Against list registers (GIC 4.8): the higher priority; of equal ones the list register. */
START_TEST(beside_list_registers)
{
    static const struct {
        u8 vlpi, list;
        u32 first;
    } cases[] = { { 0x80, 0x90, 8200 }, { 0x90, 0x80, 50 }, { 0x88, 0x88, 50 }, { 0x00, 0x08, 8200 }, { 0xf0, 0, 50 } };
    resident(1, 1);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        u32 last = cases[n].first == 50 ? 8200 : 50;
        vconfigure(8200, cases[n].vlpi | 1);
        hyp_put(1, ICH_LR0, LR_PEND | LR_GRP1 | LR_PRIO(cases[n].list) | 50);
        ck_assert(of_event(INT, 0, 1));
        ck_assert_uint_eq(in_guest(1, HPPIR1), cases[n].first);
        ck_assert_uint_eq(in_guest(1, IAR1), cases[n].first);
        ck_assert_uint_eq(in_guest(1, HPPIR1), last);
        ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
        guest_put(1, EOIR1, cases[n].first);
        ck_assert_uint_eq(in_guest(1, IAR1), last);
        guest_put(1, EOIR1, last);
        ck_assert_uint_eq(hyp(1, ICH_LR0) >> 62, 0);
        ck_assert_uint_eq(vlines(1), 0);
    }
    hyp_put(1, ICH_LR0, LR_PEND | LR_PRIO(0x80) | 50); /* group 0 has its own registers */
    vconfigure(8200, 0x41);
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(1, IAR0), SPURIOUS);
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    ck_assert_uint_eq(in_guest(1, HPPIR0), 50);
}
END_TEST

/* What the guest masks, and the hypervisor. */
START_TEST(masks)
{
    resident(1, 1);
    ck_assert(of_event(INT, 0, 1));
    guest_put(1, PMR, 0xa0);
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
    ck_assert_uint_eq(in_guest(1, HPPIR1), 8200);
    guest_put(1, PMR, 0xa8);
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    guest_put(1, IGRPEN1, 0);
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert_uint_eq(in_guest(1, HPPIR1), SPURIOUS);
    guest_put(1, IGRPEN1, 1);
    hyp_put(1, ICH_HCR, 0);
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
    hyp_put(1, ICH_HCR, 1);
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    hyp_put(1, ICH_AP1R, BIT(0xa0 >> 3)); /* what runs is as important */
    ck_assert_uint_eq(vlines(1), 0);
    hyp_put(1, ICH_AP1R, BIT(0xa8 >> 3));
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    redist_put(1, WAKER, 2); /* GIC 4.7 */
    ck_assert_uint_eq(vlines(1), 0);
    redist_put(1, WAKER, 0);
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    hyp_put(1, ICH_HCR, 9); /* NPIE is about list registers */
    ck_assert_uint_eq(hyp(1, ICH_MISR), BIT(ICH_MISR_NP));
}
END_TEST

/* Of several the highest priority, of equal ones the lowest INTID, of those that are enabled. */
START_TEST(order)
{
    static const u32 want[] = { 8250, 8201, 8202, 8200 };
    resident(1, 1);
    vconfigure(8200, 0xf3);
    vconfigure(8250, 0x01);
    vconfigure(8249, 0x00);
    static const u32 intid[] = { 8202, 8249, 8200, 8250, 8201 };
    for (unsigned n = 0; n < ARRAY_LEN(intid); n++)
        ck_assert(vmapti(0, 2 + n, 1, intid[n], SILENT) && of_event(INT, 0, 2 + n));
    for (unsigned n = 0; n < ARRAY_LEN(want); n++) {
        ck_assert_uint_eq(in_guest(1, IAR1), want[n]);
        guest_put(1, EOIR1, want[n]);
    }
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
    ck_assert(in_vpt(1, 8249));
}
END_TEST

/* A configuration that changes is seen after INV, VINVALL. */
START_TEST(configuration)
{
    resident(1, 1);
    ck_assert(of_event(INT, 0, 1));
    vconfigure(8200, 0xa0);
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    ck_assert(of_event(INV, 0, 1));
    ck_assert_uint_eq(vlines(1), 0);
    vconfigure(8200, 0xa1);
    ck_assert(of_vpe(VINVALL, 0)); /* another vPE's */
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert(of_vpe(VINVALL, 1));
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    ck_assert(of_event(CLEAR, 0, 1));
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert(!in_vpt(1, 8200));
}
END_TEST

/* GICR_VPROPBASER.IDbits, and VPT_size: vINTIDs end there. */
START_TEST(sizes)
{
    ck_assert(vmapp(1, 1, VPT(1), 14) && vmapti(0, 2, 1, 16383, SILENT) && vmapti(0, 3, 1, 16384, SILENT));
    ck_assert(of_event(INT, 0, 2));
    ck_assert(in_vpt(1, 16383));
    ck_assert(!of_event(INT, 0, 3) && !of_event(CLEAR, 0, 3) && !of_event(DISCARD, 0, 3));
    ck_assert(!in_vpt(1, 16384));
    ck_assert(vmapp(1, 1, VPT(1), 16));
    vconfigure(16383, 0xa1);
    vconfigure(16384, 0x01);
    redist_put_as(true, 1, VPROPBASER, 8, VCONFIG | 13);
    redist_put_as(true, 1, VPENDBASER, 8, VALID | VPT(1));
    ck_assert(of_event(INT, 0, 3));
    ck_assert_uint_eq(in_guest(1, HPPIR1), 16383);
    ck_assert(vmapp(1, 1, VPT(1), 13)); /* no LPI at all */
    ck_assert(!of_event(INT, 0, 1));
}
END_TEST

/* ---- not resident ---- */

/* The table in memory, the doorbell, and what is there when the vPE comes. */
START_TEST(doorbell)
{
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert(in_vpt(1, 8200));
    ck_assert_uint_eq(lines(1), LINE_IRQ);
    ck_assert_uint_eq(hyp(1, HPPIR1), 8300);
    ck_assert(lpi_pends(1, 8300));
    ck_assert(of_event(INT, 0, 1)); /* each time */
    ck_assert(lpi_pends(1, 8300));
    resident(0, 1); /* at another PE than VMAPP said: not where it is looked for */
    ck_assert(of_event(INT, 0, 1));
    ck_assert(lpi_pends(1, 8300));
    leave(0);
    resident(1, 2); /* another vPE is there */
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert(of_event(INT, 0, 1));
    ck_assert(lpi_pends(1, 8300));
    leave(1);
    resident(1, 1);
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    ck_assert(!in_vpt(1, 8200));
    leave(1);
    redist_put(1, REDIST_CTLR, 0); /* GICR_CTLR.EnableLPIs: doorbells are lost */
    ck_assert(of_event(INT, 0, 1));
    ck_assert(in_vpt(1, 8200) && !in_table(1, 8300));
    redist_put(1, REDIST_CTLR, 1);
    ck_assert(of_event(CLEAR, 0, 1));
    ck_assert(!in_vpt(1, 8200) && !in_table(1, 8300));
    ck_assert(vmapti(0, 1, 1, 8200, SILENT) && of_event(INT, 0, 1));
    ck_assert_uint_eq(lines(1), 0);
    ck_assert(in_vpt(1, 8200));
}
END_TEST

/* GICR_VPENDBASER.PendingLast: pending and enabled, masked or not. */
START_TEST(pending_last)
{
    resident(1, 1);
    ck_assert_uint_eq(leave(1) & (VALID | LAST), 0);
    resident(1, 1);
    ck_assert(of_event(INT, 0, 1));
    guest_put(1, PMR, 0);
    ck_assert_uint_eq(leave(1) & (VALID | LAST), LAST);
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert(in_vpt(1, 8200));
    vconfigure(8200, 0xa0);
    resident(1, 1);
    ck_assert_uint_eq(leave(1) & (VALID | LAST), 0);
    vconfigure(8200, 0xa1);
    resident(1, 1);
    ck_assert_uint_eq(leave(1) & (VALID | LAST), LAST);
    ck_assert(of_event(CLEAR, 0, 1));
    resident(1, 1);
    guest_put(1, PMR, 0xff);
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
    ck_assert_uint_eq(leave(1) & LAST, 0);
}
END_TEST

/* ---- commands ---- */

START_TEST(vmovi_moves)
{
    ck_assert(of_event(INT, 0, 1) && lpi_pends(1, 8300));
    ck_assert(vmovi(0, 1, 2));
    ck_assert(!in_vpt(1, 8200) && in_vpt(2, 8200));
    ck_assert(!in_table(1, 8300) && lpi_pends(2, 8300)); /* its doorbell rings there */
    ck_assert(vmovi_and(0, 1, 3, 8301));
    ck_assert(in_vpt(3, 8200) && lpi_pends(3, 8301));
    resident(1, 1);
    ck_assert(vmovi(0, 1, 1));
    ck_assert(!in_vpt(3, 8200));
    ck_assert_uint_eq(in_guest(1, HPPIR1), 8200);
    resident(2, 2);
    ck_assert(vmovi_and(0, 1, 2, SILENT));
    ck_assert_uint_eq(vlines(1), 0);
    ck_assert_uint_eq(in_guest(2, IAR1), 8200);
    leave(2);
    ck_assert(of_event(INT, 0, 1));
    ck_assert(in_vpt(2, 8200) && !in_table(2, 8300) && !in_table(2, 8301));
    ck_assert(vmovi(0, 1, 2)); /* to where it is */
    ck_assert(in_vpt(2, 8200));
}
END_TEST

START_TEST(vmovp_moves)
{
    ck_assert(vmovp(1, 3));
    ck_assert(of_event(INT, 0, 1));
    ck_assert(in_vpt(1, 8200) && !in_table(1, 8300) && lpi_pends(3, 8300));
    resident(3, 1);
    ck_assert_uint_eq(in_guest(3, IAR1), 8200);
    guest_put(3, EOIR1, 8200);
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(vlines(3), LINE_VIRQ);
    ck_assert(!in_table(3, 8300));
    ck_assert(vunmapp(1) && !of_event(INT, 0, 1) && !of_event(CLEAR, 0, 1) && !vmovp(1, 0));
}
END_TEST

START_TEST(vmapi_maps)
{
    ck_assert(run(8, 13, ITT | VALID, 0)); /* MAPD: 14 bits */
    vconfigure(8193, 0x41);
    ck_assert(vmapi(0, 8193, 2, 8310));
    resident(2, 2);
    ck_assert(of_event(INT, 0, 8193));
    ck_assert_uint_eq(in_guest(2, IAR1), 8193);
    leave(2);
    ck_assert(of_event(INT, 0, 8193) && lpi_pends(2, 8310));
    ck_assert(!vmapi(0, 8191, 2, SILENT)); /* no LPI */
    ck_assert(of_event(DISCARD, 0, 8193));
    ck_assert(!in_vpt(2, 8193) && !of_event(INT, 0, 8193));
}
END_TEST

/* GIC 5.3: what each command refuses, and that nothing happened then. */
START_TEST(errors)
{
    static u8 before[RAM_SIZE];
    ck_assert(vmapti(0, 4, 3, 8204, 8304) && mapti(0, 5, 8205));
    ck_assert(run(9, 0, 3 | 1 << 16 | VALID, 0)); /* MAPC: a collection with the number of the vPE, PE 1 */
    memcpy(before, ram, sizeof(ram));
    ck_assert(!vmapp(512, 0, VPT(0), 16)); /* a page of 4 KiB has 512 */
    ck_assert(!vmapp(0, CPUS, VPT(0), 16));
    ck_assert(!vmapp(0, 0, VPT(0), 17));
    ck_assert(!vunmapp(512));
    ck_assert(!vmovp(5, 0)); /* not mapped */
    ck_assert(!vmovp(512, 0));
    ck_assert(!vmovp(0, CPUS));
    ck_assert(!of_vpe(VINVALL, 5) && !of_vpe(VSYNC, 512) && !of_vpe(VINVALL, 512));
    ck_assert(of_vpe(VSYNC, 3) && of_vpe(VSYNC, 5)); /* there is nothing to wait for */
    ck_assert(!vmapti(1, 1, 0, 8200, SILENT));       /* no such device */
    ck_assert(!vmapti(0, 16, 0, 8200, SILENT));      /* nor event */
    ck_assert(!vmapti(0, 2, 0, 8191, SILENT) && !vmapti(0, 2, 0, 65536, SILENT) && !vmapti(0, 2, 0, 1023, SILENT));
    ck_assert(!vmapti(0, 2, 0, 8200, 0) && !vmapti(0, 2, 0, 8200, 65536) && !vmapti(0, 2, 0, 8200, 1022));
    ck_assert(!vmapti(0, 2, 512, 8200, SILENT));
    ck_assert(!vmapi(1, 1, 0, SILENT) && !vmapi(0, 16, 0, SILENT));
    ck_assert(!vmovi(0, 2, 0)); /* not mapped */
    ck_assert(!vmovi(0, 5, 0)); /* to a physical one */
    ck_assert(!vmovi(0, 4, 5) && !vmovi(0, 4, 512) && !vmovi(0, 16, 0) && !vmovi(1, 1, 0));
    ck_assert(!vmovi_and(0, 4, 0, 8191) && !vmovi_and(0, 4, 0, 65536));
    ck_assert(!run(MOVI, 4, 0, 0)); /* MOVI of a virtual one */
    ck_assert(!of_event(INV, 0, 2) && !of_event(DISCARD, 0, 2) && !of_event(INT, 0, 16));
    memset(byte(QUEUE), 0, 0x1000);
    memset(before + (QUEUE - RAM_BASE), 0, 0x1000);
    ck_assert_mem_eq(ram, before, sizeof(ram));
    ck_assert(run(VMAPP, (u64)3 << 32, CPUS << 16, 31)); /* without V: the rest means nothing */
    ck_assert(!of_event(INT, 0, 4) && !of_event(INV, 0, 4) && !of_event(DISCARD, 0, 4));
    ck_assert(!vmovi(0, 4, 0));                          /* from a vPE that is not mapped */
    ck_assert(mapti(0, 4, 8206) && of_event(INT, 0, 4)); /* a physical one in its place */
    ck_assert_uint_eq(lines(2), LINE_IRQ);
}
END_TEST

/* GITS_BASER<n> of vPEs: flat and of two levels, as the others. */
START_TEST(vpe_tables)
{
    u64 second = VALID | VPT(3);
    its_write(&its, &gic, GITS_CTLR, 4, 0);
    its_put(BASER + 16, VALID | BIT(62) | VPES); /* 512 in a page of the second level */
    memset(byte(VPES), 0, 0x1000);
    memcpy(byte(VPES) + 8 * 127, &second, 8);
    its_write(&its, &gic, GITS_CTLR, 4, 1);
    ck_assert(!vmapp(0, 0, VPT(0), 16) && !vmapti(0, 2, 0, 8200, SILENT));
    ck_assert(vmapp(65535, 0, VPT(0), 16) && vmapp(65024, 0, VPT(1), 16) && !vmapp(65023, 0, VPT(1), 16));
    ck_assert(vmapti(0, 2, 65535, 8201, SILENT) && of_event(INT, 0, 2));
    ck_assert(in_vpt(0, 8201));
    its_write(&its, &gic, GITS_CTLR, 4, 0);
    its_put(BASER + 16, VALID | 2 << 8 | VPES); /* one of 64 KiB */
    its_write(&its, &gic, GITS_CTLR, 4, 1);
    ck_assert(vmapp(8191, 0, VPT(0), 16) && !vmapp(8192, 0, VPT(0), 16));
    its_write(&its, &gic, GITS_CTLR, 4, 0);
    its_put(BASER + 16, VPES);
    its_write(&its, &gic, GITS_CTLR, 4, 1);
    ck_assert(!vmapp(0, 0, VPT(0), 16) && !vmapti(0, 2, 0, 8200, SILENT) && !of_event(INT, 0, 2));
}
END_TEST

/* ---- hostile software ---- */

START_TEST(hostile_tables)
{
    u64 ones_ = ~(u64)0;
    memcpy(byte(VPES) + 8, &ones_, 8); /* a PE that there is not */
    ck_assert(!of_event(INT, 0, 1) && !of_vpe(VINVALL, 1) && !vmovp(1, 0));
    ones_ = ~ones(16);
    memcpy(byte(VPES) + 8, &ones_, 8); /* a pending table where no memory is, 32 bits of vINTID */
    ck_assert(of_event(INT, 0, 1) && of_event(CLEAR, 0, 1));
    resident_at(0, 0xfffffffff0000);
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(vlines(0), 0);
    memset(byte(ITT + 12), 0xff, 12); /* INTID 0xffffff of vPE 0xffff */
    ck_assert(!of_event(INT, 0, 1));
    memset(byte(ITT + 20), 0, 4); /* of vPE 0 */
    ck_assert(!of_event(INT, 0, 1));
    ck_assert(gic_validate(&gic) && its_validate(&its));
    resident_at(1, QUEUE & ~ones(16)); /* the queue is a pending table, and the vPE table a configuration */
    leave(1);
    redist_put_as(true, 1, VPROPBASER, 8, (VPES & ~ones(12)) | 31);
    redist_put_as(true, 1, VPENDBASER, 8, VALID | QUEUE);
    for (unsigned n = 0; n < 300; n++)
        in_guest(1, IAR1);
    ck_assert(gic_validate(&gic));
}
END_TEST

/* The same table at two PEs (UNPREDICTABLE), and a table that software empties. */
START_TEST(shared_table)
{
    ck_assert(of_event(INT, 0, 1));
    resident(0, 1);
    resident(1, 1);
    ck_assert_uint_eq(in_guest(0, IAR1), 8200);
    ck_assert_uint_eq(vlines(1), LINE_VIRQ); /* what it keeps */
    ck_assert_uint_eq(in_guest(1, IAR1), 8200);
    ck_assert_uint_eq(vlines(1), 0);
    guest_put(1, EOIR1, 8200);
    ck_assert_uint_eq(in_guest(1, IAR1), SPURIOUS);
    ck_assert(gic_validate(&gic));
}
END_TEST

/* ---- two security states: virtual LPIs are Non-secure ---- */

START_TEST(secure_state)
{
    resident(1, 1);
    wr(pe(1), ICH_VMCR, 0xff4c0003);
    wr(pe(1), ICH_HCR, 1);
    ck_assert(of_event(INT, 0, 1));
    ck_assert_uint_eq(vlines(1), 0);
    at(pe(1), 1, false);
    gic_security_changed(&gic, pe(1));
    ck_assert_uint_eq(vlines(1), LINE_VIRQ);
    ck_assert_uint_eq(gic.vlpi[1].priority, 0xa0); /* as the guest wrote it */
    at(pe(1), 1, true);
    gic_security_changed(&gic, pe(1));
    ck_assert_uint_eq(vlines(1), 0);
}
END_TEST

START_TEST(validate_refuses)
{
    resident(1, 1);
    ck_assert(of_event(INT, 0, 1) && gic_validate(&gic));
    struct gic_lpis good = gic.vlpi[1];
    gic.vlpi[1].priority = 0xa1;
    ck_assert(!gic_validate(&gic));
    gic.vlpi[1] = good;
    gic.vlpi[1].intid = 1 << 16;
    ck_assert(!gic_validate(&gic));
    gic.vlpi[1] = good;
    gic.vlpi[1].pendbaser &= ~VALID; /* the best of a vPE that is not there */
    ck_assert(!gic_validate(&gic));
    gic.vlpi[1] = good;
    gic.parts = GIC_VLPIS;
    ck_assert(!gic_validate(&gic));
}
END_TEST

/* ---- on the board ---- */

static struct machine_config *config_of(struct fixture *f, unsigned pes, u8 version, bool virtualization, bool lowmem)
{
    struct machine_config *c = fixture_config(f);
    c->options.its = 1;
    c->options.gic_version = version;
    c->options.virtualization = virtualization;
    c->options.cpu_count = pes;
    c->options.lowmem = lowmem;
    c->options.disk[0].size = c->virtio_count = 0;
    return c;
}
static struct fixture *board_of(unsigned pes, u8 version)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    fixture_make(f, config_of(f, pes, version, true, false));
    return f;
}

/* What the options ask for; 61 redistributors of 256 KiB in the first region, 256 in the second. */
START_TEST(options)
{
    static const struct {
        unsigned cpus;
        u8 version, virtualization, lowmem, ok;
    } cases[] = { { 1, 4, 1, 0, 1 },  { 1, 4, 0, 0, 0 },   { 317, 4, 1, 0, 1 }, { 318, 4, 1, 0, 0 }, { 61, 4, 1, 1, 1 },
                  { 62, 4, 1, 1, 0 }, { 318, 3, 1, 0, 1 }, { 123, 3, 1, 1, 1 }, { 1, 5, 1, 0, 0 } };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        char error[256];
        static struct fixture f;
        struct machine_config *c =
            config_of(&f, cases[n].cpus, cases[n].version, cases[n].virtualization, cases[n].lowmem);
        struct machine *m = machine_create(c, error);
        ck_assert_msg((m != NULL) == cases[n].ok, "case %u: %s", n, m ? "made" : error);
        machine_destroy(m);
        free(c);
    }
}
END_TEST

START_TEST(regions)
{
    struct fixture *f = board_of(63, 4);
    ck_assert_uint_eq(row_get(ROW_gicr)->size, GIC_REDISTS_SIZE);
    static const struct {
        u64 at;
        u32 typer; /* number << 8 | Last, DPGS, VLPIS, PLPIS */
    } cases[] = { { 0x080a0000, 0x23 },
                  { 0x080e0000, 0x123 },
                  { 0x080a0000 + 60 * 0x40000, 60 << 8 | 0x33 },
                  { 0x4000000000, 61 << 8 | 0x23 },
                  { 0x4000040000, 62 << 8 | 0x33 } };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++)
        ck_assert_uint_eq(bus_r(f, cases[n].at + 8) & 0xffff, cases[n].typer);
    u64 v;
    ck_assert(!bus_get(f, 0x080a0000 + 61 * 0x40000, 4, &v));
    fixture_close(f);
}
END_TEST

/* A vPE that is resident, with a vLPI pending, is in the snapshot. */
START_TEST(snapshot)
{
    struct fixture *f = board_of(2, 4);
    char name[] = "/tmp/elmu-snapshot-XXXXXX", error[256];
    int fd = mkstemp(name);
    ck_assert(fd >= 0 && !close(fd));
    u8 config = 0x81;
    u64 bits_ = BIT(8200 % 64);
    ck_assert(machine_write(f->m, VCONFIG + 8, &config, 1) && machine_write(f->m, VPT(0) + 8200 / 64 * 8, &bits_, 8));
    u64 base = 0x080a0000 + 0x40000;
    gic_wake(&f->m->gic);
    bus_w(f, base + VPROPBASER, (u32)VCONFIG | 15);
    bus_w(f, base + VPENDBASER, (u32)VPT(0));
    bus_w(f, base + VPENDBASER + 4, 0x80000000);
    ck_assert_uint_eq(f->m->gic.vlpi[1].intid, 8200);
    u64 hash = machine_hash(f->m);
    ck_assert_msg(snapshot_save(f->m, name, true, error), "%s", error);
    bus_w(f, base + VPENDBASER + 4, 0);
    ck_assert_uint_ne(machine_hash(f->m), hash);
    ck_assert_msg(snapshot_restore(f->m, name, error), "%s", error);
    ck_assert_uint_eq(machine_hash(f->m), hash);
    ck_assert_uint_eq(f->m->gic.d.vlpi[1] & ones(32), 8200);
    unlink(name);
    fixture_close(f);
    struct section s;
    unsigned named = 0;
    for (unsigned version = 3; version <= 4; version++) {
        f = board_of(2, (u8)version);
        for (unsigned n = 0; section_get(f->m, n, &s); n++)
            named += !strcmp(s.name, "gic vpe") && version == 4 && s.count == 2;
        ck_assert_ptr_null(machine_validate(f->m));
        f->m->gic.parts ^= GIC_VLPIS;
        ck_assert_ptr_nonnull(machine_validate(f->m));
        fixture_close(f);
    }
    ck_assert_uint_eq(named, 1);
}
END_TEST

Suite *test_gicv4_suite(void);
Suite *test_gicv4_suite(void)
{
    Suite *s = suite_create("gicv4");
    TCase *t = tcase_create("vlpi");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, identification);
    tcase_add_test(t, of_version_3);
    tcase_add_test(t, registers);
    tcase_add_test(t, life);
    tcase_add_test(t, message);
    tcase_add_test(t, beside_list_registers);
    tcase_add_test(t, masks);
    tcase_add_test(t, order);
    tcase_add_test(t, configuration);
    tcase_add_test(t, sizes);
    tcase_add_test(t, doorbell);
    tcase_add_test(t, pending_last);
    tcase_add_test(t, vmovi_moves);
    tcase_add_test(t, vmovp_moves);
    tcase_add_test(t, vmapi_maps);
    tcase_add_test(t, errors);
    tcase_add_test(t, vpe_tables);
    tcase_add_test(t, hostile_tables);
    tcase_add_test(t, shared_table);
    tcase_add_test(t, validate_refuses);
    suite_add_tcase(s, t);
    t = tcase_create("two states");
    tcase_add_checked_fixture(t, setup_two, teardown);
    tcase_add_test(t, secure_state);
    suite_add_tcase(s, t);
    t = tcase_create("board");
    tcase_add_test(t, options);
    tcase_add_test(t, regions);
    tcase_add_test(t, snapshot);
    suite_add_tcase(s, t);
    return s;
}
