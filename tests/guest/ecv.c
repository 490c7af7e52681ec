/* Enhanced counter virtualization (FEAT_ECV, FEAT_ECV_POFF) from EL2: the physical offset in counter and timer views
 * and in the condition and interrupt of EL1's physical timer, the self-synchronized views, traps of the virtual ones.
 * Arm ARM D11.2.1 (CNTPOFF_EL2), D11.2.4 (conditions), D19.12 (CNTHCTL_EL2, CNTPOFF_EL2, CNTP_TVAL_EL0). */
#include "rt.h"

#define CNTPOFF   s3_4_c14_c0_6
#define CNTPCTSS  s3_3_c14_c0_5
#define CNTVCTSS  s3_3_c14_c0_6
#define ECV       BIT(12)               /* CNTHCTL_EL2 */
#define EL1TVT    BIT(13)
#define EL1TVCT   BIT(14)
#define EL1PCTEN  BIT(0)                /* E2H 0 */
#define EL1PCEN   BIT(1)
#define HCR_RW    BIT(31)
#define HCR_TGE   BIT(27)
#define HCR_E2H   BIT(34)
#define CNTP_INTID 30
#define AHEAD     1000000000ul
#define SOON      10000000ul            /* more ticks than the test takes */

CODE(get_pct, "isb\nmrs x0, cntpct_el0");
CODE(get_pctss, "mrs x0, s3_3_c14_c0_5");
CODE(get_vct, "isb\nmrs x0, cntvct_el0");
CODE(get_vctss, "mrs x0, s3_3_c14_c0_6");
CODE(get_ctl, "isb\nmrs x0, cntp_ctl_el0");
CODE(get_tval, "isb\nmrs x0, cntp_tval_el0");
CODE(set_tval, "msr cntp_tval_el0, x0\nisb\nmrs x0, cntp_cval_el0");
CODE(get_vctl, "mrs x0, cntv_ctl_el0");
CODE(set_vcval, "msr cntv_cval_el0, x0");
CODE(get_pctl, "mrs x0, cntp_ctl_el0");

static void control(u64 bits)
{
    WRITE(cnthctl_el2, EL1PCTEN | EL1PCEN | bits);
    ISB();
}
static void offset(u64 value)
{
    WRITE(CNTPOFF, value);
    ISB();
}
static u64 now(void)
{
    ISB();
    return READ(cntpct_el0);
}

/* Is what fn reads at el the physical count less `off`? */
static bool reads(u64 el, u64 (*fn)(u64, u64), u64 off)
{
    u64 before = now(), got = call_el(el, fn, 0, 0), after = now();
    return got + off >= before && got + off <= after;
}

static void counters(void)
{
    offset(AHEAD);
    control(0);
    check(reads(1, get_pct, 0), "D11.2.1 CNTHCTL_EL2.ECV 0: CNTPCT_EL0 at EL1 without offset");
    control(ECV);
    check(reads(1, get_pct, AHEAD), "  ECV 1: less CNTPOFF_EL2");
    check(reads(1, get_pctss, AHEAD), "  CNTPCTSS_EL0, too");
    WRITE(cntkctl_el1, 3);
    check(reads(0, get_pct, AHEAD), "  at EL0");
    WRITE(cntkctl_el1, 0);
    u64 a = now(), b = READ(CNTPCTSS), c = now();
    check(a <= b && b <= c, "  EL2 reads it without");
    WRITE(cntvoff_el2, 12345678);
    check(reads(1, get_vct, 12345678) && reads(1, get_vctss, 12345678),
          "CNTVCT_EL0 and CNTVCTSS_EL0 have CNTVOFF_EL2 only");
    WRITE(cntvoff_el2, 0);
    offset(0);
    control(0);
}

/* The offset is minus AHEAD: EL1's physical time is ahead of EL2's. */
static void timer(void)
{
    gic_enable(CNTP_INTID, 0x80);
    control(0);
    offset(-AHEAD);
    WRITE(cntp_cval_el0, now() + AHEAD / 2);
    WRITE(cntp_ctl_el0, 1);
    ISB();
    check_eq("D11.2.4 without the offset the timer is in the future", call_el(1, get_ctl, 0, 0), 1);
    check(!gic_is_pending(CNTP_INTID), "  not pending");
    control(ECV);
    check_eq("with it, in the past: ISTATUS", call_el(1, get_ctl, 0, 0), 5);
    check(gic_is_pending(CNTP_INTID), "  pending");
    u64 late = -call_el(1, get_tval, 0, 0) & 0xffffffff;
    check(late >= AHEAD / 2 && late < AHEAD / 2 + SOON, "  TVAL at EL1 counts from the offset time");
    offset(0);
    check(!gic_is_pending(CNTP_INTID), "CNTPOFF_EL2 0: no more");
    offset(-AHEAD);
    check(gic_is_pending(CNTP_INTID), "  and again");
    control(0);
    check(!gic_is_pending(CNTP_INTID), "ECV 0: no more");
    control(ECV);
    u64 cval = call_el(1, set_tval, 1000, 0), at = now();
    check(cval >= at + AHEAD + 1000 - SOON && cval <= at + AHEAD + 1000, "TVAL written at EL1: from the offset time");
    WRITE(cntp_ctl_el0, 0);
    WRITE(cntp_cval_el0, now() + AHEAD / 2);
    WRITE(cnthp_cval_el2, now() + AHEAD / 2);
    WRITE(cnthp_ctl_el2, 1);
    ISB();
    check_eq("EL2's own timer has no offset", READ(cnthp_ctl_el2), 1);
    WRITE(cnthp_ctl_el2, 0);
    gic_disable(CNTP_INTID);
    offset(0);
    control(0);
}

static void traps(void)
{
    control(EL1TVT);
    try_el(1, get_vctl, 0, 0);
    check_exc("CNTHCTL_EL2.EL1TVT: MRS CNTV_CTL_EL0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 3, 1, 0, 1));
    try_el(1, set_vcval, 0, 0);
    check_exc("  MSR CNTV_CVAL_EL0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 3, 2, 0, 0));
    try_el(1, get_vct, 0, 0);
    check_eq("  not CNTVCT_EL0", EXC.count, 0);
    try_el(1, get_pctl, 0, 0);
    check_eq("  not CNTP_CTL_EL0", EXC.count, 0);
    control(EL1TVCT);
    try_el(1, get_vct, 0, 0);
    check_exc("EL1TVCT: CNTVCT_EL0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 2, 0, 1));
    try_el(1, get_vctss, 0, 0);
    check_exc("  CNTVCTSS_EL0", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 6, 0, 1));
    try_el(1, get_vctl, 0, 0);
    check_eq("  not CNTV_CTL_EL0", EXC.count, 0);
    WRITE(cnthctl_el2, 0);
    ISB();
    try_el(1, get_pctss, 0, 0);
    check_exc("EL1PCTEN 0: CNTPCTSS_EL0, too", 2, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 5, 0, 1));
    control(0);
}

/* A host has no offset: HCR_EL2.{E2H,TGE} both 1. */
static void host(void)
{
    offset(AHEAD);
    WRITE(hcr_el2, HCR_RW | HCR_E2H | HCR_TGE);
    ISB();
    WRITE(cnthctl_el2, ECV | 3); /* EL0PCTEN, EL0VCTEN */
    ISB();
    check(reads(0, get_pct, 0), "host: EL0 reads CNTPCT_EL0 without offset");
    WRITE(hcr_el2, HCR_RW);
    ISB();
    offset(0);
    control(0);
}

void test_main(void)
{
    u64 ecv = BITS(READ(id_aa64mmfr0_el1), 63, 60);
    if (ecv < 2) {
        skip("CNTPOFF_EL2", "no FEAT_ECV_POFF");
        finish();
    }
    gic_init();
    counters();
    timer();
    traps();
    host();
    finish();
}
