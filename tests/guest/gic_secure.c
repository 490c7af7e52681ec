/* GICv3 with two security states, from EL3: groups, and what non-secure software sees of priorities and secure
 * interrupts. Arm IHI 0069: 4.6 (groups and security), 4.8.6 (the non-secure view of priorities), 12.2 (ICC_*), 12.9
 * (GICD). */
#include "gic_states.h"

#define NS_INT   3u                     /* group 1 non-secure */
#define G0_INT   4u
#define S_INT    5u                     /* group 1 secure */

CODE(do_read, "ldr w0, [x0]");
CODE(do_readb, "ldrb w0, [x0]");
CODE(do_write, "str w1, [x0]\ndsb sy");
CODE(do_writeb, "strb w1, [x0]\ndsb sy");
CODE(do_pmr, "mrs x0, s3_0_c4_c6_0");
CODE(do_set_pmr, "msr s3_0_c4_c6_0, x0\nisb");
CODE(do_rpr, "isb\nmrs x0, s3_0_c12_c11_3");
CODE(do_iar1, "isb\nmrs x0, s3_0_c12_c12_0\nisb");
CODE(do_eoir1, "msr s3_0_c12_c12_1, x0\nisb");
CODE(do_iar0, "mrs x0, s3_0_c12_c8_0");
CODE(do_sgi1r, "msr s3_0_c12_c11_5, x0\ndsb sy");
CODE(do_asgi1r, "msr s3_0_c12_c11_6, x0\ndsb sy");
CODE(do_igrpen1, "mrs x0, s3_0_c12_c12_7");
CODE(do_set_bpr1, "msr s3_0_c12_c12_3, x0\nisb");
CODE(do_bpr1, "mrs x0, s3_0_c12_c12_3");

static void unpend_all(void)
{
    MMIO32(SGI + ICPENDR) = BIT(NS_INT) | BIT(G0_INT) | BIT(S_INT);
    DSB();
    ISB();
}

static void setup(void)
{
    static const struct sgi sgis[] = { { NS_INT, GROUP_1NS, 0xc0 },
                                       { G0_INT, GROUP_0, 0x40 },
                                       { S_INT, GROUP_1S, 0x60 } };
    sgis_setup(sgis, 3);
}

static void distributor(void)
{
    check_eq("GICD_TYPER.SecurityExtn 1", MMIO32(GICD + 4) >> 10 & 1, 1);
    check_eq("secure GICD_CTLR: groups and ARE of both, DS 0", MMIO32(GICD) & 0x77, 0x37);
    check_eq("non-secure GICD_CTLR: EnableGrp1A, ARE_NS; no DS", ns(do_read, GICD, 0) & 0x52, 0x12);
    check_eq("non-secure IGROUPR0 is RAZ", ns(do_read, SGI + IGROUPR, 0), 0);
    ns(do_write, SGI + IGROUPR, ~0u);
    check_eq("  and WI", MMIO32(SGI + IGROUPR), BIT(NS_INT));
    check_eq("non-secure ISENABLER0: its own only", ns(do_read, SGI + ISENABLER, 0), BIT(NS_INT));
    ns(do_write, SGI + ICENABLER, BIT(G0_INT) | BIT(S_INT));
    check_eq("  ICENABLER0: secure ones stay", MMIO32(SGI + ISENABLER), BIT(NS_INT) | BIT(G0_INT) | BIT(S_INT));
    ns(do_write, SGI + ISPENDR, BIT(G0_INT) | BIT(S_INT));
    check(!pending(G0_INT) && !pending(S_INT), "  ISPENDR0: secure ones stay");
    pend(G0_INT);
    check_eq("  pending secure ones read as 0", ns_masked(do_read, SGI + ISPENDR, 0), 0);
    unpend_all();
    check_eq("priority 0xc0 seen non-secure", ns(do_readb, SGI + IPRIORITYR + NS_INT, 0), 0x80);
    ns(do_writeb, SGI + IPRIORITYR + NS_INT, 0x40);
    check_eq("non-secure priority 0x40 seen secure", MMIO8(SGI + IPRIORITYR + NS_INT), 0xa0);
    check_eq("secure interrupt's priority seen non-secure is 0", ns(do_readb, SGI + IPRIORITYR + G0_INT, 0), 0);
    ns(do_writeb, SGI + IPRIORITYR + G0_INT, 0xf0);
    check_eq("  and is not written", MMIO8(SGI + IPRIORITYR + G0_INT), 0x40);
}

static void cpu_interface(void)
{
    WRITE(ICC_PMR, 0xc0);
    check_eq("PMR 0xc0 seen non-secure", ns(do_pmr, 0, 0), 0x80);
    ns(do_set_pmr, 0x40, 0);
    check_eq("non-secure PMR 0x40 seen at EL3", READ(ICC_PMR), 0xa0);
    WRITE(ICC_PMR, 0x70);
    check_eq("PMR 0x70 seen non-secure is 0", ns(do_pmr, 0, 0), 0);
    ns(do_set_pmr, 0xf0, 0);
    check_eq("  and non-secure writes are ignored", READ(ICC_PMR), 0x70);
    check_eq("PMR seen at secure EL1 is as it is", secure(do_pmr, 0, 0), 0x70);
    WRITE(ICC_PMR, 0xff);
    ISB();

    pend(NS_INT);
    scr(SCR_NS);
    check_eq("EL3, group 1 NS pending: IAR0 is 1021", do_iar0(0, 0), 1021);
    unpend_all();
    pend(S_INT);
    check_eq("EL3, group 1 S pending: IAR0 is 1020", do_iar0(0, 0), 1020);
    check_eq("non-secure IAR1 does not take a secure one", ns_masked(do_iar1, 0, 0), SPURIOUS);
    check_eq("secure EL1 IAR1 does", secure(do_iar1, 0, 0), S_INT);
    check_eq("  RPR at secure EL1", secure(do_rpr, 0, 0), 0x60);
    check_eq("  RPR seen non-secure is 0", ns(do_rpr, 0, 0), 0);
    pend(NS_INT);
    check_eq("  a non-secure one does not preempt it", ns_masked(do_iar1, 0, 0), SPURIOUS);
    secure(do_eoir1, S_INT, 0);
    check_eq("non-secure IAR1 takes its own", ns_masked(do_iar1, 0, 0), NS_INT);
    check_eq("  RPR seen non-secure", ns(do_rpr, 0, 0), 0x40);
    check_eq("  RPR at EL3", do_rpr(0, 0), 0xa0);
    pend(G0_INT);
    check_eq("  group 0 preempts it", do_iar0(0, 0), G0_INT);
    WRITE(ICC_EOIR0, G0_INT);
    ISB();
    ns(do_eoir1, NS_INT, 0);
    check_eq("all ended: RPR", do_rpr(0, 0), 0xff);

    scr(SCR_NS);
    u64 minimum = READ(ICC_BPR1);
    ns(do_set_bpr1, 6, 0);
    secure(do_set_bpr1, 4, 0);
    check(ns(do_bpr1, 0, 0) == 6 && secure(do_bpr1, 0, 0) == 4, "BPR1 is banked");
    ns(do_set_bpr1, minimum, 0);
    secure(do_set_bpr1, 0, 0);
    WRITE(ICC_IGRPEN1_3, 1); /* non-secure only */
    ISB();
    check(ns(do_igrpen1, 0, 0) == 1 && secure(do_igrpen1, 0, 0) == 0, "IGRPEN1 is banked, EL3 sees both");
    WRITE(ICC_IGRPEN1_3, 3);
    ISB();
}

static void sgi(void)
{
    ns(do_sgi1r, (u64)NS_INT << 24 | 1, 0);
    check(pending(NS_INT), "non-secure SGI1R: group 1 NS");
    unpend_all();
    ns(do_sgi1r, (u64)S_INT << 24 | 1, 0);
    check(!pending(S_INT), "non-secure SGI1R: not group 1 S (NSACR 0)");
    ns(do_asgi1r, (u64)S_INT << 24 | 1, 0);
    check(!pending(S_INT), "non-secure ASGI1R: not group 1 S (NSACR 0)");
    ns(do_sgi1r, (u64)G0_INT << 24 | 1, 0);
    check(!pending(G0_INT), "non-secure SGI1R: not group 0 (NSACR 0)");
    unpend_all();
    secure(do_sgi1r, (u64)S_INT << 24 | 1, 0);
    check(pending(S_INT), "secure SGI1R: group 1 S");
    secure(do_sgi1r, (u64)NS_INT << 24 | 1, 0);
    check(!pending(NS_INT), "secure SGI1R: not group 1 NS");
    secure(do_asgi1r, (u64)NS_INT << 24 | 1, 0);
    check(pending(NS_INT), "secure ASGI1R: group 1 NS");
    unpend_all();
}

void test_main(void)
{
    setup();
    distributor();
    cpu_interface();
    sgi();
    finish();
}
