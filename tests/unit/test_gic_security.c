/*
 * The GIC: two security states, and the access rules of its system registers.
 */
#include "tests/unit/gic_rig.h"

Suite *test_gic_security_suite(void);

/* ---- Two security states ---- */

/* GIC 4.6: which line a group is, by where the PE is. */
START_TEST(signals_by_security)
{
    static const struct {
        enum gic_group group;
        unsigned el;
        bool secure;
        u32 line;
    } table[] = {
        { GROUP_0, 1, false, LINE_FIQ },   { GROUP_0, 1, true, LINE_FIQ },    { GROUP_0, 3, true, LINE_FIQ },
        { GROUP_1S, 1, false, LINE_FIQ },  { GROUP_1S, 1, true, LINE_IRQ },   { GROUP_1S, 3, true, LINE_FIQ },
        { GROUP_1S, 3, false, LINE_FIQ },  { GROUP_1S, 0, true, LINE_IRQ },   { GROUP_1S, 2, false, LINE_FIQ },
        { GROUP_1NS, 1, false, LINE_IRQ }, { GROUP_1NS, 1, true, LINE_FIQ },  { GROUP_1NS, 3, true, LINE_FIQ },
        { GROUP_1NS, 3, false, LINE_FIQ }, { GROUP_1NS, 2, false, LINE_IRQ },
    };
    open_pe(0);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        config(0, 40, table[n].group, 0x40);
        gic_set_spi(&gic, 40, true);
        at(pe(0), table[n].el, table[n].secure);
        ck_assert_msg(lines(0) == table[n].line, "row %u: lines %x", n, lines(0));
        gic_set_spi(&gic, 40, false);
    }
}
END_TEST

/* GIC 4.6, 12.9: a Non-secure access sees group 1NS only, unless NSACR lets it. */
START_TEST(nonsecure_view)
{
    ck_assert_uint_eq(dist(0x4) >> 10 & 1, 1);
    dist_put(0, 7);
    ck_assert_uint_eq(dist(0), 0x37);
    ck_assert_uint_eq(dist_as(true, 0, 4), 0x12); /* EnableGrp1A, ARE_NS */
    dist_put_as(true, 0, 4, 0);
    ck_assert_uint_eq(dist(0), 0x35);
    dist_put(IGROUPR + 4, 0xff);
    ck_assert_uint_eq(dist_as(true, IGROUPR + 4, 4), 0);
    dist_put_as(true, IGROUPR + 4, 4, ~0u);
    ck_assert_uint_eq(dist(IGROUPR + 4), 0xff);
    dist_put_as(true, ISENABLER + 4, 4, 0xfff);
    ck_assert_uint_eq(dist(ISENABLER + 4), 0xff);
    dist_put(ISENABLER + 4, 0xf00);
    ck_assert_uint_eq(dist_as(true, ISENABLER + 4, 4), 0xff);
    dist_put_as(true, ICENABLER + 4, 4, ~0u);
    ck_assert_uint_eq(dist(ISENABLER + 4), 0xf00);
    dist_put_as(true, IPRIORITYR + 32, 4, 0x40);
    ck_assert_uint_eq(dist_as(false, IPRIORITYR + 32, 1), 0xa0);
    ck_assert_uint_eq(dist_as(true, IPRIORITYR + 32, 1), 0x40);
    dist_put_as(false, IPRIORITYR + 32, 1, 0x38);
    ck_assert_uint_eq(dist_as(true, IPRIORITYR + 32, 1), 0x70);
    dist_put_as(true, IPRIORITYR + 40, 1, 0x40);
    ck_assert_uint_eq(dist_as(false, IPRIORITYR + 40, 1), 0);
    dist_put_as(false, IPRIORITYR + 40, 1, 0x90);
    ck_assert_uint_eq(dist_as(true, IPRIORITYR + 40, 1), 0);
    /* SPIs 40, 41, 42, 43 with NS_access 0, 1, 2, 3 */
    dist_put(NSACR + 8, 0xe4u << 16);
    ck_assert_uint_eq(dist_as(true, NSACR + 8, 4), 0);
    dist_put_as(true, ISPENDR + 4, 4, 0xf00);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0xe00);
    dist_put_as(true, ICPENDR + 4, 4, 0xf00);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x200);
    dist_put(ISACTIVER + 4, 0xf01);
    ck_assert_uint_eq(dist_as(true, ISACTIVER + 4, 4), 0xc01);
    for (unsigned n = 40; n < 44; n++)
        dist_put_as(true, IROUTER + 8 * n, 8, 1);
    ck_assert_uint_eq(gic.router[8] | gic.router[9] | gic.router[10], 0);
    ck_assert_uint_eq(gic.router[11], 1);
    ck_assert_uint_eq(redist_as(true, 0, WAKER, 4), 0);
    redist_put_as(true, 0, WAKER, 4, 0);
    ck_assert_uint_eq(redist(0, WAKER), 6);
}
END_TEST

/* GICD_CTLR.DS: can be set, not cleared, and takes group 1S away. */
START_TEST(disable_security)
{
    dist_put(0, 7);
    dist_put(0, 0x40 | 7);
    ck_assert_uint_eq(dist(0), 0x53);
    dist_put(0, 0);
    ck_assert_uint_eq(dist_as(true, 0, 4), 0x50);
    ck_assert_uint_eq(dist(4) >> 10 & 1, 0);
    dist_put_as(true, IGROUPR + 4, 4, 3);
    ck_assert_uint_eq(dist(IGROUPR + 4), 3);
}
END_TEST

/* GIC 12.11 GICR_CTLR: each group has its own bit; Non-secure state has DPG1NS alone. */
START_TEST(one_of_n_by_group)
{
    static const u32 dpg[GIC_GROUPS] = { DPG_0, DPG_1S, DPG_1NS };
    open_pe(0);
    open_pe(1);
    for (enum gic_group group = GROUP_0; group < GIC_GROUPS; group++) {
        config(0, 40 + group, group, 0x80);
        dist_put_as(false, IROUTER + 8 * (40 + group), 8, BIT(31));
    }
    for (enum gic_group group = GROUP_0; group < GIC_GROUPS; group++)
        for (unsigned n = 0; n < 8; n++) {
            u32 taken_out = (u32)n << 24;
            redist_put(0, REDIST_CTLR, taken_out);
            ck_assert_uint_eq(redist(0, REDIST_CTLR), taken_out);
            ck_assert_uint_eq(redist_as(true, 0, REDIST_CTLR, 4), taken_out & DPG_1NS);
            gic_set_spi(&gic, 40 + group, true);
            unsigned chosen = taken_out & dpg[group] ? 1 : 0;
            ck_assert_uint_eq(gic.d.best[chosen].intid, 40 + group);
            ck_assert_uint_eq(gic.d.best[!chosen].intid, SPURIOUS);
            gic_set_spi(&gic, 40 + group, false);
        }
    redist_put_as(true, 0, REDIST_CTLR, 4, 0);
    ck_assert_uint_eq(redist(0, REDIST_CTLR), DPG_0 | DPG_1S);
    dist_put(0, 0x40); /* DS: there is no group 1S */
    ck_assert_uint_eq(redist(0, REDIST_CTLR), DPG_0);
}
END_TEST

/* GIC 12.9 GICD_SETSPI_NSR, GICD_NSACR: a Non-secure message sets a Secure SPI with NS_access 1 and more, clears one
 * with 2 and more; the registers of the Secure state are WI for it, and reach all SPIs. */
START_TEST(messages_by_security)
{
    dist_put(IGROUPR + 4, 1 << 12);
    dist_put(NSACR + 8, 0xe4u << 16); /* SPIs 40, 41, 42, 43: NS_access 0, 1, 2, 3; 44 is Non-secure */
    for (unsigned n = 40; n < 45; n++) {
        dist_put_as(true, SETSPI_SR, 4, n);
        ck_assert_uint_eq(dist(ISPENDR + 4), 0);
    }
    for (unsigned n = 40; n < 45; n++)
        dist_put_as(true, SETSPI_NSR, 4, n);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x1e00);
    for (unsigned n = 40; n < 45; n++)
        dist_put_as(true, CLRSPI_SR, 4, n);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x1e00);
    for (unsigned n = 40; n < 45; n++)
        dist_put_as(true, CLRSPI_NSR, 4, n);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x200);
    dist_put_as(true, SETSPI_SR, 4, 0); /* WI: nothing to tell */
    ck_assert_uint_eq(gic.d.no_such_spi, 0);
    dist_put(SETSPI_NSR, 40);
    dist_put(SETSPI_SR, 44);
    dist_put(CLRSPI_NSR, 41);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x1100);
    dist_put(CLRSPI_SR, 40);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x1000);
    dist_put(0, 0x40); /* DS */
    dist_put(CLRSPI_SR, 44);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x1000);
    dist_put_as(true, SETSPI_NSR, 4, 40);
    ck_assert_uint_eq(dist(ISPENDR + 4), 0x1100);
}
END_TEST

/* GIC 4.8: Non-secure software sees priorities 0x80..0xff as 0..0xfe, while SCR_EL3.FIQ keeps group 0 at EL3. */
START_TEST(nonsecure_priorities)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    cpu->sys.scr_el3 |= BIT(SCR_FIQ);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, PMR), 0xf0);
    wr(cpu, PMR, 0x40);
    ck_assert_uint_eq(gic.cpu[0].pmr, 0xa0);
    ck_assert_uint_eq(rd(cpu, PMR), 0x40);
    gic.cpu[0].pmr = 0x70;
    ck_assert_uint_eq(rd(cpu, PMR), 0);
    wr(cpu, PMR, 0xff); /* ignored: the mask is Secure's */
    ck_assert_uint_eq(gic.cpu[0].pmr, 0x70);
    gic.cpu[0].pmr = 0xf8;
    config(0, 40, GROUP_1NS, 0xa0);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(cpu, RPR), 0xff);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    ck_assert_uint_eq(rd(cpu, RPR), 0x40);
    gic.cpu[0].apr[GROUP_0] = BIT(4);
    ck_assert_uint_eq(rd(cpu, RPR), 0);
    at(cpu, 1, true);
    cpu->sys.scr_el3 &= ~BIT(SCR_FIQ);
    ck_assert_uint_eq(rd(cpu, RPR), 0x20);
}
END_TEST

/* The interfaces by view and set of groups, as a frame would ask them: the PE's EL and registers say nothing there, and
 * one register may reach several groups (GICC_CTLR.AckCtl, GICH_VMCR.VAckCtl of GICv2). */
START_TEST(interface_by_view)
{
    const struct gic_view secure = { .el3 = 1, .secure = 1, .bank = GIC_SECURE };
    const struct gic_view nonsecure = { .bank = GIC_NONSECURE, .half = 1 };
    open_pe(0);
    at(pe(0), 1, true);
    config(0, 40, GROUP_1NS, 0x90);
    gic_set_spi(&gic, 40, true);
    cpuif_set_mask(&gic, 0, nonsecure, 0xf0);
    ck_assert_uint_eq(cpuif_mask(&gic, 0, nonsecure), 0xf0);
    ck_assert_uint_eq(cpuif_mask(&gic, 0, secure), 0xf8);
    ck_assert_uint_eq(cpuif_pending(&gic, 0, REACH_0), SPURIOUS);
    ck_assert_uint_eq(cpuif_acknowledge(&gic, 0, secure, REACH_0, ACK_ANY), SPURIOUS);
    ck_assert_uint_eq(cpuif_acknowledge(&gic, 0, secure, REACH_0 | REACH_1NS, ACK_ANY), 40);
    ck_assert_uint_eq(cpuif_running(&gic, 0, secure), 0x90);
    ck_assert_uint_eq(cpuif_running(&gic, 0, nonsecure), 0x20);
    cpuif_end(&gic, 0, secure, REACH_0, 40);
    ck_assert_uint_eq(cpuif_active(&gic, 0, GROUP_1NS), BIT(0x90 >> 3));
    cpuif_set_control(&gic, 0, GIC_NONSECURE, ICC_EOIMODE);
    cpuif_end(&gic, 0, nonsecure, REACH_1NS, 40);
    ck_assert_uint_eq(cpuif_active(&gic, 0, GROUP_1NS), 0);
    cpuif_deactivate(&gic, 0, nonsecure, REACH_0, 40);
    ck_assert(gic_bank(&gic, 0, 40)->active);
    cpuif_deactivate(&gic, 0, nonsecure, REACH_1NS, 40);
    ck_assert(!gic_bank(&gic, 0, 40)->active);
}
END_TEST

START_TEST(virtual_interface_by_set)
{
    const u64 on = 1;
    virtif_set_vmcr(&gic, 1, 0xf8000003);
    virtif_set_list(&gic, 1, 2, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(virtif_acknowledge(&gic, 1, 0, REACH_V0 | REACH_V1, ACK_ANY), SPURIOUS);
    ck_assert_uint_eq(virtif_acknowledge(&gic, 1, on, REACH_V0, ACK_ANY), SPURIOUS);
    ck_assert_uint_eq(virtif_acknowledge(&gic, 1, on, REACH_V0 | REACH_V1, ACK_ANY), 100);
    ck_assert_uint_eq(virtif_running(&gic, 1), 0x80);
    ck_assert_uint_eq(virtif_end(&gic, 1, on, REACH_V0 | REACH_V1, 100), on);
    ck_assert_uint_eq(virtif_empty(&gic, 1), 15);
    virtif_set_active(&gic, 1, 0, BIT(3));
    ck_assert_uint_eq(virtif_end(&gic, 1, on, REACH_V0, 101), on | 1 << 27); /* EOIcount */
    ck_assert_uint_eq(pe(1)->sys.ich_hcr_el2, 0);
}
END_TEST

/* GIC 2.2: special INTIDs 1020, 1021 at EL3; what is invisible; banked group 1 registers. */
START_TEST(acknowledge_by_security)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    config(0, 40, GROUP_1S, 0x40);
    gic_set_spi(&gic, 40, true);
    ck_assert_uint_eq(rd(cpu, HPPIR0), INTID_SECURE);
    ck_assert_uint_eq(rd(cpu, IAR0), INTID_SECURE);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IAR1), SPURIOUS);
    ck_assert_uint_eq(rd(cpu, HPPIR1), SPURIOUS);
    at(cpu, 1, true);
    ck_assert_uint_eq(rd(cpu, IAR1), 40);
    ck_assert_uint_eq(rd(cpu, AP1R0), BIT(8));
    gic_set_spi(&gic, 40, false);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, AP1R0), 0); /* the other bank */
    wr(cpu, EOIR1, 40);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_1S], BIT(8));
    at(cpu, 1, true);
    wr(cpu, EOIR1, 40);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_1S], 0);
    config(0, 41, GROUP_1NS, 0x90);
    gic_set_spi(&gic, 41, true);
    ck_assert_uint_eq(rd(cpu, IAR1), SPURIOUS);
    at(cpu, 3, true);
    ck_assert_uint_eq(rd(cpu, IAR0), INTID_NONSECURE);
    ck_assert_uint_eq(rd(cpu, IAR1), 41);
    gic_set_spi(&gic, 41, false);
    wr(cpu, EOIR1, 41);
    config(0, 42, GROUP_0, 0x40);
    gic_set_spi(&gic, 42, true);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IAR0), SPURIOUS);
    at(cpu, 3, false);
    ck_assert_uint_eq(rd(cpu, IAR0), 42);
    at(cpu, 1, false);
    wr(cpu, EOIR0, 42);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_0], BIT(8));
}
END_TEST

/* ICC_CTLR_EL3, ICC_IGRPEN1_EL3 (GIC 12.2): EL3's view of the banks; CBPR is EL3's; min. binary points of the banks. */
START_TEST(el3_controls)
{
    struct cpu *cpu = pe(0);
    wr(cpu, CTLR_EL3, 0x1f);
    ck_assert_uint_eq(rd(cpu, CTLR_EL3) & 0x7f, 0x1f);
    ck_assert_uint_eq(gic.cpu[0].ctlr[0], 3);
    ck_assert_uint_eq(gic.cpu[0].ctlr[1], 3);
    wr(cpu, CTLR_EL3, 0x0a);
    at(cpu, 1, true);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 2);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 1);
    wr(cpu, CTLR, 2);
    ck_assert_uint_eq(rd(cpu, CTLR) & 3, 3); /* CBPR can't be written */
    at(cpu, 3, true);
    wr(cpu, IGRPEN1_EL3, 2);
    at(cpu, 1, true);
    ck_assert_uint_eq(rd(cpu, IGRPEN1), 1);
    wr(cpu, BPR1, 0);
    ck_assert_uint_eq(rd(cpu, BPR1), 2);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IGRPEN1), 0);
}
END_TEST

/* GIC 12.1: SGIs across security states, by GICR_NSACR. */
START_TEST(sgi_by_security)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    config(1, 1, GROUP_0, 0x40);
    config(1, 2, GROUP_1S, 0x40);
    config(1, 3, GROUP_1NS, 0x40);
    config(1, 4, GROUP_0, 0x40);
    config(1, 5, GROUP_1S, 0x40);
    config(1, 6, GROUP_1S, 0x40);
    redist_put(1, SGI + NSACR, 1u << 8 | 2u << 10 | 1u << 12);
    at(cpu, 1, false);
    wr(cpu, SGI1R, 1 << 24 | 2);
    wr(cpu, SGI1R, 2 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 0);
    wr(cpu, SGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 8);
    wr(cpu, SGI0R, 1 << 24 | 2);
    wr(cpu, ASGI1R, 2 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 8);
    wr(cpu, SGI0R, 4 << 24 | 2);
    wr(cpu, ASGI1R, 5 << 24 | 2);
    wr(cpu, ASGI1R, 6 << 24 | 2); /* NS_access 1 is for group 0 */
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 0x38);
    redist_put(1, SGI + ICPENDR, ~0u);
    at(cpu, 1, true);
    wr(cpu, SGI1R, 1 << 24 | 2); /* Secure group 1 may also be group 0 */
    wr(cpu, SGI1R, 2 << 24 | 2);
    wr(cpu, SGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 6);
    wr(cpu, ASGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 0xe);
    redist_put(1, SGI + ICPENDR, ~0u);
    dist_put(0, 0x40); /* one security state: Secure group 1 is group 1 */
    wr(cpu, SGI1R, 3 << 24 | 2);
    ck_assert_uint_eq(redist(1, SGI + ISPENDR), 8);
}
END_TEST

/* ICC_DIR_EL1: what each state may deactivate. */
START_TEST(deactivation_by_security)
{
    struct cpu *cpu = pe(0);
    open_pe(0);
    wr(cpu, CTLR_EL3, 0x1c);
    config(0, 40, GROUP_1S, 0x40);
    config(0, 41, GROUP_1NS, 0x40);
    config(0, 42, GROUP_0, 0x40);
    dist_put(ISACTIVER + 4, 0x700);
    at(cpu, 1, false);
    for (unsigned n = 40; n < 43; n++)
        wr(cpu, DIR, n);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x500);
    at(cpu, 1, true);
    wr(cpu, DIR, 40);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x400);
    wr(cpu, DIR, 42);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    cpu->sys.scr_el3 |= BIT(SCR_FIQ);
    dist_put(ISACTIVER + 4, 0x400);
    at(cpu, 1, true);
    wr(cpu, DIR, 42); /* FIQs are EL3's */
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x400);
    at(cpu, 3, true);
    wr(cpu, DIR, 42);
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0);
    gic_hand_to_nonsecure(&gic);
    gic_wake(&gic);
    ck_assert_uint_eq(dist(IGROUPR + 4), ~0u);
    ck_assert_uint_eq(redist(1, WAKER), 0);
}
END_TEST

/* ICH_LR.HW (GIC 12.4): a guest's EOI deactivates no Secure interrupt. */
START_TEST(virtual_hw_secure)
{
    struct cpu *cpu = pe(0);
    config(0, 40, GROUP_1S, 0x40);
    config(0, 41, GROUP_1NS, 0x40);
    dist_put(ISACTIVER + 4, 0x300);
    cpu->sys.hcr_el2 = BIT(HCR_IMO);
    for (u64 n = 40; n < 42; n++) {
        at(cpu, 2, false);
        wr(cpu, ICH_LR0, LR_ACT | LR_HWBIT | LR_GRP1 | LR_PRIO(0x80) | n << 32 | 50);
        wr(cpu, ICH_AP1R, BIT(16));
        at(cpu, 1, false);
        wr(cpu, EOIR1, 50);
        ck_assert_uint_eq(gic.cpu[0].ich_lr[0] >> 62, 0);
    }
    ck_assert_uint_eq(dist(ISACTIVER + 4), 0x100);
}
END_TEST

/* ---- Access rules ---- */

/* GIC 12.2: ICH_HCR_EL2.{TC,TALL0,TALL1,TDIR}, HCR_EL2.{IMO,FMO} for SGIs, ICC_SRE_ELx.Enable. */
START_TEST(traps_to_el2)
{
    static const struct {
        u64 hcr, ich;
        u32 key;
        bool write, traps;
    } table[] = {
        { 0, 1 << 12, IAR1, false, true },      { 0, 1 << 12, IAR0, false, false },
        { 0, 1 << 12, IGRPEN1, true, true },    { 0, 1 << 11, IAR0, false, true },
        { 0, 1 << 11, BPR1, false, false },     { 0, 1 << 11, EOIR0, true, true },
        { 0, 1 << 10, PMR, true, true },        { 0, 1 << 10, RPR, false, true },
        { 0, 1 << 10, IAR1, false, false },     { 0, 1 << 10, SGI1R, true, true },
        { 0, 1 << 10, DIR, true, true },        { 0, 1 << 14, DIR, true, true },
        { 0, 1 << 14, PMR, false, false },      { BIT(HCR_IMO), 0, SGI1R, true, true },
        { BIT(HCR_FMO), 0, SGI1R, true, true }, { BIT(HCR_FMO), 0, ASGI1R, true, true },
        { BIT(HCR_IMO), 0, SGI0R, true, true }, { 0, 0, SGI1R, true, false },
        { BIT(HCR_IMO), 0, PMR, true, false },  { 0, 0, CTLR, false, false },
    };
    struct cpu *cpu = pe(0);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.hcr_el2 = table[n].hcr;
        at(cpu, 2, false);
        wr(cpu, ICH_HCR, table[n].ich);
        at(cpu, 1, false);
        u64 v;
        bool ok = table[n].write ? sysreg_write(cpu, table[n].key, 3, 0) : sysreg_read(cpu, table[n].key, 3, &v);
        ck_assert_msg(ok == !table[n].traps, "row %u", n);
        if (!ok) {
            ck_assert_uint_eq(cpu->d.exc.ec, EC_SYSREG);
            ck_assert_uint_eq(cpu->d.exc.target_el, 2);
        }
    }
    cpu->sys.hcr_el2 = 0;
    at(cpu, 2, false);
    wr(cpu, ICH_HCR, 0);
    wr(cpu, SRE2, 0);
    ck_assert_uint_eq(rd(cpu, SRE2), 7);
    at(cpu, 1, false);
    ck_assert(rd_fails(cpu, SRE1));
    ck_assert_uint_eq(cpu->d.exc.target_el, 2);
    at(cpu, 2, false);
    wr(cpu, SRE2, 8);
    at(cpu, 1, false);
    wr(cpu, SRE1, 0);
    ck_assert_uint_eq(rd(cpu, SRE1), 7);
    ck_assert(rd_fails(cpu, ICH_VTR)); /* EL2's */
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    ck_assert_ptr_null(sysreg_find(SYSREG_KEY(3, 0, 12, 8, 5)));  /* AP0R1: 5 bits need one */
    ck_assert_ptr_null(sysreg_find(SYSREG_KEY(3, 4, 12, 12, 4))); /* LR4 */
}
END_TEST

/* A write of a control at EL2 makes the traps of EL1 known, without a change of anything else; those of EL2 stay. */
START_TEST(traps_follow_writes)
{
    struct cpu *cpu = pe(0);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, SRE1), 7);
    go(cpu, 2);
    wr(cpu, SRE2, 0);
    ck_assert_uint_eq(cpu->d.live_traps[2] >> 63, 1);
    go(cpu, 1);
    ck_assert(rd_fails(cpu, SRE1));
    ck_assert(!rd_fails(cpu, RPR));
    go(cpu, 2);
    wr(cpu, ICH_HCR, 1 << 10);
    go(cpu, 1);
    ck_assert(rd_fails(cpu, RPR));
    go(cpu, 2);
    wr(cpu, ICH_HCR, 0);
    go(cpu, 1);
    ck_assert(!rd_fails(cpu, RPR));
}
END_TEST

/* The same for SCR_EL3.{IRQ,FIQ} and ICC_SRE_EL3.Enable. */
START_TEST(traps_to_el3)
{
    static const struct {
        u64 scr;
        u32 key;
        unsigned el;
        bool traps;
    } table[] = {
        { BIT(SCR_IRQ), IAR1, 1, true },
        { BIT(SCR_IRQ), IAR1, 2, true },
        { BIT(SCR_IRQ), IAR0, 1, false },
        { BIT(SCR_FIQ), IAR0, 2, true },
        { BIT(SCR_FIQ), IAR1, 2, false },
        { BIT(SCR_FIQ), PMR, 1, false },
        { BIT(SCR_IRQ) | BIT(SCR_FIQ), PMR, 1, true },
        { BIT(SCR_IRQ), RPR, 2, false },
        { BIT(SCR_IRQ) | BIT(SCR_FIQ), CTLR, 2, true },
        { BIT(SCR_IRQ) | BIT(SCR_FIQ), IAR1, 3, false },
    };
    struct cpu *cpu = pe(0);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.scr_el3 = table[n].scr;
        at(cpu, table[n].el, false);
        ck_assert_msg(rd_fails(cpu, table[n].key) == table[n].traps, "row %u", n);
        if (table[n].traps)
            ck_assert_uint_eq(cpu->d.exc.target_el, 3);
    }
    cpu->sys.scr_el3 = BIT(SCR_IRQ) | BIT(SCR_FIQ);
    cpu->sys.hcr_el2 = BIT(HCR_IMO);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, IAR1), SPURIOUS); /* virtual: not EL3's */
    at(cpu, 3, false);
    wr(cpu, SRE3, 0);
    at(cpu, 2, false);
    ck_assert(rd_fails(cpu, SRE2));
    ck_assert_uint_eq(cpu->d.exc.target_el, 3);
}
END_TEST

Suite *test_gic_security_suite(void)
{
    Suite *s = suite_create("gic_security");
    TCase *one = tcase_create("one security state");
    TCase *two = tcase_create("two security states");
    tcase_add_checked_fixture(one, setup_single, teardown);
    tcase_set_timeout(one, 60);
    const TTest *const one_tests[] = {
        traps_to_el2,
        traps_follow_writes,
        virtual_interface_by_set,
    };
    for (unsigned n = 0; n < ARRAY_LEN(one_tests); n++)
        tcase_add_test(one, one_tests[n]);
    suite_add_tcase(s, one);
    tcase_add_checked_fixture(two, setup_security, teardown);
    tcase_set_timeout(two, 60);
    const TTest *const two_tests[] = {
        signals_by_security,  nonsecure_view,           disable_security,
        nonsecure_priorities, acknowledge_by_security,  el3_controls,
        sgi_by_security,      deactivation_by_security, traps_to_el3,
        virtual_hw_secure,    interface_by_view,        messages_by_security,
        one_of_n_by_group,
    };
    for (unsigned n = 0; n < ARRAY_LEN(two_tests); n++)
        tcase_add_test(two, two_tests[n]);
    suite_add_tcase(s, two);
    return s;
}
