/* Non-maskable interrupts with two security states (FEAT_GICv3_NMI), from EL3: who sees and signals them, their
 * priority against the Secure half, ICC_PMR_EL1 in each state, running and active priorities. Arm IHI 0069: 4.6.2
 * (signals), 4.8 (non-maskable interrupts: priority 0x80 for Non-secure group 1), 12.2 (ICC_NMIAR1_EL1, ICC_RPR_EL1,
 * ICC_AP1R0_EL1), 12.11 (GICR_INMIR0). Arm ARM D19.2 (ISR_EL1). */
#include "gic_states.h"

#define INMIR0     (SGI + 0xf80)
#define ICC_NMIAR1 s3_0_c12_c9_5
#define NS_SGI     3u
#define G0_SGI     4u
#define S_SGI      5u
#define NS_LOW     6u                   /* Non-secure, not an NMI */
#define NMI        BIT(63)              /* ICC_RPR_EL1, ICC_AP1R0_EL1 */
#define NMI_NS     BIT(62)
enum { FS = 0x200, IS = 0x400, F = 0x40, I = 0x80 }; /* ISR_EL1 */

CODE(do_read, "ldr w0, [x0]");
CODE(do_write, "str w1, [x0]\ndsb sy");
CODE(do_isr, "isb\nmrs x0, isr_el1");
CODE(do_nmiar1, "isb\nmrs x0, s3_0_c12_c9_5\ndsb sy\nisb");
CODE(do_iar1, "isb\nmrs x0, s3_0_c12_c12_0\ndsb sy\nisb");
CODE(do_eoir1, "msr s3_0_c12_c12_1, x0\ndsb sy\nisb");
CODE(do_rpr, "isb\nmrs x0, s3_0_c12_c11_3");

static void pmr(u64 value)
{
    scr(0);
    WRITE(ICC_PMR, value);
    ISB();
}
static void quiet(void)
{
    pmr(0xff);
    sgis_quiet();
}

static void setup(void)
{
    static const struct sgi sgis[] = {
        { NS_SGI, GROUP_1NS, 0xf0 }, { NS_LOW, GROUP_1NS, 0x80 }, { G0_SGI, GROUP_0, 0x40 }, { S_SGI, GROUP_1S, 0xf0 }
    };
    sgis_setup(sgis, 4);
    WRITE(ICC_CTLR3, 0);
    ISB();
    quiet();
}

static void views(void)
{
    MMIO32(INMIR0) = BIT(NS_SGI) | BIT(G0_SGI) | BIT(S_SGI);
    DSB();
    check_eq("12.11 INMIR0: group 1's, not group 0's", MMIO32(INMIR0), BIT(NS_SGI) | BIT(S_SGI));
    check_eq("  Non-secure sees its own", ns_masked(do_read, INMIR0, 0), BIT(NS_SGI));
    ns_masked(do_write, INMIR0, 0);
    check_eq("  and writes its own", MMIO32(INMIR0), BIT(S_SGI));
    ns_masked(do_write, INMIR0, BIT(NS_SGI));
    pend(NS_SGI);
    check_eq("4.6.2 Non-secure NMI: an IRQ with Superpriority at EL2", ns_masked(do_isr, 0, 0), IS | I);
    check_eq("  an FIQ at secure EL1", secure(do_isr, 0, 0), FS | F);
    quiet();
    pend(S_SGI);
    check_eq("secure NMI: an IRQ at secure EL1", secure(do_isr, 0, 0), IS | I);
    check_eq("  an FIQ at Non-secure EL2", ns_masked(do_isr, 0, 0), FS | F);
    quiet();
}

static void priorities(void)
{
    pend(NS_SGI);
    pmr(0x78);
    check_eq("4.8 PMR 0x78 masks a Non-secure NMI", ns_masked(do_isr, 0, 0), 0);
    pmr(0x80);
    check_eq("  PMR 0x80 does not, in Non-secure state", ns_masked(do_isr, 0, 0), IS | I);
    check_eq("  but in Secure state", secure(do_isr, 0, 0), 0);
    quiet();
    pend(S_SGI);
    pmr(0);
    check_eq("PMR 0 does not mask a secure NMI", secure(do_isr, 0, 0), IS | I);
    quiet();

    pend(G0_SGI);
    scr(0);
    check_eq("a secure interrupt of priority 0x40 is active", READ(ICC_IAR0), G0_SGI);
    pend(NS_SGI);
    check_eq("  a Non-secure NMI does not preempt it", ns_masked(do_nmiar1, 0, 0), SPURIOUS);
    pend(S_SGI);
    check_eq("  a secure NMI does", secure(do_nmiar1, 0, 0), S_SGI);
    scr(0);
    check_eq("  RPR at EL3: 0, NMI", READ(ICC_RPR), NMI);
    check_eq("  secure AP1R0: NMI", READ(ICC_AP1R0), NMI);
    check_eq("  RPR at Non-secure EL2 without SCR_EL3.FIQ: 0", ns_masked(do_rpr, 0, 0), 0);
    secure(do_eoir1, S_SGI, 0);
    scr(0);
    check_eq("  ended: RPR", READ(ICC_RPR), 0x40);
    quiet();

    pend(NS_LOW);
    check_eq("a Non-secure interrupt of priority 0x80 is active", ns_masked(do_iar1, 0, 0), NS_LOW);
    pend(NS_SGI);
    check_eq("  a Non-secure NMI preempts it", ns_masked(do_nmiar1, 0, 0), NS_SGI);
    scr(0);
    check_eq("  RPR at EL3: 0x80, NMI_NS", READ(ICC_RPR), NMI_NS | 0x80);
    check_eq("  RPR at Non-secure EL2: NMI", ns_masked(do_rpr, 0, 0), NMI | 0x80);
    scr(SCR_NS);
    check_eq("  Non-secure AP1R0: NMI and 0x80", READ(ICC_AP1R0), NMI | BIT(0x80 >> 3));
    ns_masked(do_eoir1, NS_SGI, 0);
    scr(SCR_NS);
    check_eq("  EOIR1 ends the NMI first", READ(ICC_AP1R0), BIT(0x80 >> 3));
    quiet();
}

void test_main(void)
{
    if (BITS(READ(id_aa64pfr1_el1), 39, 36) != 1) {
        skip("non-maskable interrupts", "no FEAT_NMI");
        finish();
    }
    setup();
    views();
    priorities();
    finish();
}
