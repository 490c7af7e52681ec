/* GICv3 with two security states, further: what NSACR opens, EOImode and binary points of each state, who ends and
 * deactivates what, the signal of each group in each state, SGIs across states, and DS = 1.
 * Arm IHI 0069: 4.6.2 (signals), 4.6.3 (SGIs, NSACR), 4.7 (deactivation), 4.8 (priority grouping, views), 12.2 (ICC_*),
 * 12.9 (GICD_CTLR, GICD_NSACR, GICD_IROUTER), 12.11 (GICR_NSACR). */
#include "gic_states.h"

#define NS_SGI   3u
#define G0_SGI   4u
#define S_SGI    5u
#define SPI      40u                    /* group 1 secure */

#define NSACR    0xe00
#define IROUTER  0x6000

CODE(do_read, "ldr w0, [x0]");
CODE(do_read64, "ldr x0, [x0]");
CODE(do_write, "str w1, [x0]\ndsb sy");
CODE(do_write64, "str x1, [x0]\ndsb sy");
CODE(do_iar1, "isb\nmrs x0, s3_0_c12_c12_0\ndsb sy\nisb");
CODE(do_iar0, "isb\nmrs x0, s3_0_c12_c8_0\ndsb sy\nisb");
CODE(do_eoir1, "msr s3_0_c12_c12_1, x0\ndsb sy\nisb");
CODE(do_eoir0, "msr s3_0_c12_c8_1, x0\ndsb sy\nisb");
CODE(do_dir, "msr s3_0_c12_c11_1, x0\ndsb sy\nisb");
CODE(do_sgi1r, "msr s3_0_c12_c11_5, x0\ndsb sy\nisb");
CODE(do_asgi1r, "msr s3_0_c12_c11_6, x0\ndsb sy\nisb");
CODE(do_sgi0r, "msr s3_0_c12_c11_7, x0\ndsb sy\nisb");
CODE(do_ctlr, "mrs x0, s3_0_c12_c12_4");
CODE(do_set_ctlr, "msr s3_0_c12_c12_4, x0\nisb");
CODE(do_bpr0, "mrs x0, s3_0_c12_c8_3");
CODE(do_set_bpr0, "msr s3_0_c12_c8_3, x0\nisb");
CODE(do_bpr1, "mrs x0, s3_0_c12_c12_3");
CODE(do_set_bpr1, "msr s3_0_c12_c12_3, x0\nisb");
CODE(do_isr, "isb\nmrs x0, isr_el1");
CODE(do_hppir1, "isb\nmrs x0, s3_0_c12_c12_2");

static void quiet(void)
{
    MMIO32(GICD + ICPENDR + 4) = ~0u;
    MMIO32(GICD + ICACTIVER + 4) = ~0u;
    sgis_quiet();
}

static void setup(void)
{
    static const struct sgi sgis[] = { { NS_SGI, GROUP_1NS, 0xc0 },
                                       { G0_SGI, GROUP_0, 0x40 },
                                       { S_SGI, GROUP_1S, 0x60 } };
    sgis_setup(sgis, 3);
    MMIO32(GICD + IGROUPR + 4) = 0;
    MMIO32(GICD + IGRPMODR + 4) = BIT(SPI % 32);
    MMIO8(GICD + IPRIORITYR + SPI) = 0x50;
    WRITE(ICC_CTLR3, 0);
    ISB();
    quiet();
}

/* The NS_access of an SPI in secure group 1. */
static void nsacr_spi(u64 access)
{
    MMIO32(GICD + NSACR + SPI / 16 * 4) = access << SPI % 16 * 2;
    DSB();
}

static void nsacr(void)
{
    const u64 pend_reg = GICD + ISPENDR + 4, unpend_reg = GICD + ICPENDR + 4, active_reg = GICD + ISACTIVER + 4;
    const u32 bit = BIT(SPI % 32);
    nsacr_spi(0);
    ns(do_write, pend_reg, bit);
    check_eq("12.9 NS_access 0: cannot be pended", MMIO32(pend_reg) & bit, 0);
    nsacr_spi(1);
    ns(do_write, pend_reg, bit);
    check_eq("NS_access 1: ISPENDR sets", MMIO32(pend_reg) & bit, bit);
    check_eq("  and reads", ns_masked(do_read, pend_reg, 0) & bit, bit);
    ns_masked(do_write, unpend_reg, bit);
    check_eq("  ICPENDR does not clear", MMIO32(pend_reg) & bit, bit);
    nsacr_spi(2);
    ns_masked(do_write, unpend_reg, bit);
    check_eq("NS_access 2: ICPENDR clears", MMIO32(pend_reg) & bit, 0);
    MMIO32(active_reg) = bit;
    check_eq("  ISACTIVER reads", ns(do_read, active_reg, 0) & bit, bit);
    ns(do_write, GICD + ICACTIVER + 4, bit);
    check_eq("  ICACTIVER does not clear", MMIO32(active_reg) & bit, bit);
    MMIO32(GICD + ICACTIVER + 4) = bit;
    MMIO64(GICD + IROUTER + SPI * 8) = 1;
    check_eq("  IROUTER is RAZ", ns(do_read64, GICD + IROUTER + SPI * 8, 0), 0);
    nsacr_spi(3);
    check_eq("NS_access 3: IROUTER reads", ns(do_read64, GICD + IROUTER + SPI * 8, 0), 1);
    ns(do_write64, GICD + IROUTER + SPI * 8, 0);
    check_eq("  and is written", MMIO64(GICD + IROUTER + SPI * 8), 0);
    ns(do_write, GICD + 0x104, bit);
    check_eq("  ISENABLER never", MMIO32(GICD + 0x104) & bit, 0);
    check_eq("NSACR is RAZ for Non-secure", ns(do_read, GICD + NSACR + SPI / 16 * 4, 0), 0);
    ns(do_write, GICD + NSACR + SPI / 16 * 4, 0);
    check_eq("  and WI", MMIO32(GICD + NSACR + SPI / 16 * 4), 3ul << SPI % 16 * 2);
    nsacr_spi(0);
    quiet();
}

static u64 sgi_to_0(u32 intid) { return (u64)intid << 24 | 1; }

static void sgis(void)
{
    MMIO32(SGI + NSACR) = 1u << G0_SGI * 2 | 1u << S_SGI * 2;
    ns_masked(do_sgi0r, sgi_to_0(G0_SGI), 0);
    check(pending(G0_SGI), "4.6.3 GICR_NSACR 1: Non-secure SGI0R makes a group 0 SGI");
    quiet();
    ns_masked(do_asgi1r, sgi_to_0(S_SGI), 0);
    check(!pending(S_SGI), "  but ASGI1R no secure group 1");
    MMIO32(SGI + NSACR) = 2u << S_SGI * 2;
    ns_masked(do_asgi1r, sgi_to_0(S_SGI), 0);
    check(pending(S_SGI), "GICR_NSACR 2: ASGI1R does");
    quiet();
    ns_masked(do_sgi1r, sgi_to_0(S_SGI), 0);
    check(!pending(S_SGI), "  SGI1R is Non-secure group 1's");
    MMIO32(SGI + NSACR) = 0;
    secure(do_sgi0r, sgi_to_0(G0_SGI), 0);
    check(pending(G0_SGI), "secure SGI0R: group 0");
    quiet();
    secure(do_sgi0r, sgi_to_0(S_SGI), 0);
    check(!pending(S_SGI), "  not secure group 1");
    secure(do_sgi0r, sgi_to_0(NS_SGI), 0);
    check(!pending(NS_SGI), "  not Non-secure group 1");
    quiet();
}

/* 4.6.2, the table of signals with EL3 in AArch64: ISR_EL1 at EL3 shows the lines. */
static void signals(void)
{
    enum { I = 0x80, F = 0x40 };
    const u32 intids[] = { G0_SGI, S_SGI, NS_SGI };
    static const struct {
        const char *what;
        u64 want[3]; /* group 0, secure 1, Non-secure 1 */
    } rows[] = {
        { "4.6.2 at EL3, NS 0: group 0, 1S, 1NS all FIQ", { F, F, F } },
        { "  secure EL1: group 0 FIQ, 1S IRQ, 1NS FIQ", { F, I, F } },
        { "  Non-secure EL2: group 0 FIQ, 1S FIQ, 1NS IRQ", { F, F, I } },
    };
    u64 got[3][3];
    for (u32 n = 0; n < 3; n++) {
        quiet();
        pend(intids[n]);
        scr(0);
        got[0][n] = do_isr(0, 0);
        got[1][n] = secure(do_isr, 0, 0);
        got[2][n] = ns_masked(do_isr, 0, 0);
    }
    quiet();
    for (u32 r = 0; r < 3; r++)
        check(got[r][0] == rows[r].want[0] && got[r][1] == rows[r].want[1] && got[r][2] == rows[r].want[2],
              rows[r].what);
}

static void ends(void)
{
    pend(S_SGI);
    check_eq("12.2 secure IAR1", secure(do_iar1, 0, 0), S_SGI);
    ns_masked(do_eoir1, S_SGI, 0);
    check(active(S_SGI), "Non-secure EOIR1 does not end a secure one");
    scr(0);
    check_eq("  its priority stays active", READ(ICC_AP1R0), BIT(0x60 >> 3));
    secure(do_eoir1, S_SGI, 0);
    check(!active(S_SGI), "  secure EOIR1 does");
    pend(NS_SGI);
    check_eq("Non-secure IAR1", ns_masked(do_iar1, 0, 0), NS_SGI);
    secure(do_eoir1, NS_SGI, 0);
    check(active(NS_SGI), "secure EOIR1 does not end a Non-secure one");
    ns_masked(do_eoir1, NS_SGI, 0);
    check(!active(NS_SGI), "  Non-secure EOIR1 does");
    pend(G0_SGI);
    scr(0);
    check_eq("group 0 at EL3: IAR0", do_iar0(0, 0), G0_SGI);
    do_eoir1(G0_SGI, 0);
    check(active(G0_SGI), "  EOIR1 does not end it");
    do_eoir0(G0_SGI, 0);
    check(!active(G0_SGI), "  EOIR0 does");
    quiet();

    /* EOImode of each state, and EL3's own */
    WRITE(ICC_CTLR3, BIT(4)); /* EOImode_EL1NS */
    check_eq("ICC_CTLR_EL3.EOImode_EL1NS is Non-secure EOImode", ns(do_ctlr, 0, 0) & 2, 2);
    check_eq("  not the secure one", secure(do_ctlr, 0, 0) & 2, 0);
    pend(NS_SGI);
    ns_masked(do_iar1, 0, 0);
    ns_masked(do_eoir1, NS_SGI, 0);
    check(active(NS_SGI), "4.7 EOImode 1: EOIR1 only drops");
    secure(do_dir, NS_SGI, 0);
    check(active(NS_SGI), "  DIR with EOImode 0 (secure) does nothing");
    ns_masked(do_dir, NS_SGI, 0);
    check(!active(NS_SGI), "  Non-secure DIR deactivates");
    WRITE(ICC_CTLR3, BIT(3) | BIT(4));
    ISB();
    check_eq("ICC_CTLR_EL3: both EOImodes read back", READ(ICC_CTLR3) & (BIT(3) | BIT(4)), BIT(3) | BIT(4));
    pend(S_SGI);
    secure(do_iar1, 0, 0);
    secure(do_eoir1, S_SGI, 0);
    ns_masked(do_dir, S_SGI, 0);
    check(active(S_SGI), "Non-secure DIR leaves a secure one");
    scr(SCR_IRQ);
    call_el(1, do_isr, 0, 0);
    secure(do_dir, S_SGI, 0);
    check(!active(S_SGI), "  secure DIR deactivates it");
    ns(do_set_ctlr, 0, 0);
    check_eq("Non-secure CTLR.EOImode is ICC_CTLR_EL3's", READ(ICC_CTLR3) & (BIT(3) | BIT(4)), BIT(3));
    WRITE(ICC_CTLR3, 0);
    quiet();
}

static void binary_points(void)
{
    scr(0);
    WRITE(ICC_CTLR3, 3); /* CBPR_EL1S, CBPR_EL1NS */
    secure(do_set_bpr0, 4, 0);
    check_eq("4.8 CBPR_EL1S: secure BPR1 reads BPR0", secure(do_bpr1, 0, 0), 4);
    check_eq("  CBPR_EL1NS: Non-secure BPR1 reads BPR0 + 1", ns(do_bpr1, 0, 0), 5);
    ns(do_set_bpr1, 7, 0);
    check_eq("  and is not written", ns(do_bpr1, 0, 0), 5);
    secure(do_set_bpr1, 5, 0);
    check_eq("  secure writes of BPR1 go to BPR0", secure(do_bpr0, 0, 0), 5);
    ns(do_set_ctlr, 0, 0);
    check_eq("  Non-secure CTLR.CBPR is EL3's to write", ns(do_ctlr, 0, 0) & 1, 1);
    WRITE(ICC_CTLR3, 0);
    secure(do_set_bpr0, 0, 0);
    ns(do_set_bpr1, 0, 0);
    check_eq("  minimum: Non-secure one above secure", ns(do_bpr1, 0, 0), secure(do_bpr0, 0, 0) + 1);
}

static void ds(void)
{
    ns(do_write, GICD, 0);
    check_eq("12.9 Non-secure GICD_CTLR writes EnableGrp1NS only", MMIO32(GICD) & 0x77, 0x35);
    ns(do_write, GICD, 2);
    check_eq("  and back", MMIO32(GICD) & 0x77, 0x37);
    MMIO32(GICD) = 0x77;
    DSB();
    check_eq("GICD_CTLR.DS can be set", MMIO32(GICD) & 0x40, 0x40);
    check_eq("  EnableGrp1S is gone", MMIO32(GICD) & 4, 0);
    check_eq("  GICD_TYPER.SecurityExtn 0", MMIO32(GICD + 4) >> 10 & 1, 0);
    check_eq("  Non-secure sees it all", ns(do_read, SGI + 0x80, 0) & 0xff, BIT(NS_SGI));
    ns(do_write, SGI + 0x80, BIT(NS_SGI) | BIT(S_SGI));
    check_eq("  and writes groups", MMIO32(SGI + 0x80) & 0xff, BIT(NS_SGI) | BIT(S_SGI));
    check_eq("  IGRPMODR is RAZ", MMIO32(SGI + 0xd00), 0);
    MMIO32(GICD) = 0x33;
    DSB();
    check_eq("  it stays", MMIO32(GICD) & 0x40, 0x40);
    quiet();
    pend(S_SGI);
    check_eq("  group 1 is an IRQ in Non-secure state", ns_masked(do_isr, 0, 0), 0x80);
    check_eq("  and has its place in HPPIR1", ns_masked(do_hppir1, 0, 0), S_SGI);
    quiet();
}

void test_main(void)
{
    setup();
    nsacr();
    sgis();
    signals();
    ends();
    binary_points();
    ds();
    finish();
}
