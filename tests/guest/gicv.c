/* GICv3 virtual interface: list registers, ICV_* as the guest sees them at EL1, maintenance interrupts, traps.
 * Arm IHI 0069: 6.2 (list registers), 6.3-6.4 (virtual interrupts), 12.2 (ICV_*), 12.4 (ICH_*). */
#include "rt.h"

#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)

#define LR_PENDING BIT(62)
#define LR_ACTIVE  BIT(63)
#define LR_HW      BIT(61)
#define LR_GROUP1  BIT(60)
#define LR_PRIO(p) ((u64)(p) << 48)
#define LR_PHYS(n) ((u64)(n) << 32)
#define LR_EOI     BIT(41)
#define LR1(id, p) (LR_GROUP1 | LR_PRIO(p) | (id))

#define ICH_EN   BIT(0)
#define ICH_UIE  BIT(1)
#define ICH_LRENPIE BIT(2)
#define ICH_NPIE BIT(3)
#define VMCR_GRP0 BIT(0)
#define VMCR_GRP1 BIT(1)
#define VMCR_CBPR BIT(4)
#define VMCR_EOIM BIT(9)
#define VMCR_BPR1(n) ((u64)(n) << 18)
#define VMCR_BPR0(n) ((u64)(n) << 21)
#define VMCR_PMR(n)  ((u64)(n) << 24)
#define VMCR_BASE (VMCR_GRP1 | VMCR_PMR(0xf8) | VMCR_BPR1(3) | VMCR_BPR0(2))

#define MAINTENANCE 25u
#define SPI 40u

CODE(g_iar1, "mrs x0, s3_0_c12_c12_0\ndsb sy\nisb");
CODE(g_iar0, "mrs x0, s3_0_c12_c8_0\ndsb sy\nisb");
CODE(g_eoir1, "msr s3_0_c12_c12_1, x0\nisb");
CODE(g_eoir0, "msr s3_0_c12_c8_1, x0\nisb");
CODE(g_hppir1, "isb\nmrs x0, s3_0_c12_c12_2");
CODE(g_rpr, "isb\nmrs x0, s3_0_c12_c11_3");
CODE(g_dir, "msr s3_0_c12_c11_1, x0\nisb");
CODE(g_pmr, "mrs x0, s3_0_c4_c6_0");
CODE(g_set_pmr, "msr s3_0_c4_c6_0, x0\nisb");
CODE(g_bpr1, "mrs x0, s3_0_c12_c12_3");
CODE(g_set_bpr1, "msr s3_0_c12_c12_3, x0\nisb");
CODE(g_set_bpr0, "msr s3_0_c12_c8_3, x0\nisb");
CODE(g_ctlr, "mrs x0, s3_0_c12_c12_4");
CODE(g_set_ctlr, "msr s3_0_c12_c12_4, x0\nisb");
CODE(g_igrpen1, "mrs x0, s3_0_c12_c12_7");
CODE(g_set_igrpen1, "msr s3_0_c12_c12_7, x0\nisb");
CODE(g_set_igrpen0, "msr s3_0_c12_c12_6, x0\nisb");
CODE(g_sgi1r, "msr s3_0_c12_c11_5, x0");
CODE(g_sgi0r, "msr s3_0_c12_c11_7, x0");
CODE(g_isr, "isb\nmrs x0, isr_el1");
CODE(g_wfi, "wfi\nmov x0, #1");
CODE(g_unmask, "isb\nmsr daifclr, #3\nisb\nnop\nmsr daifset, #3");

static u64 guest(u64 (*fn)(u64, u64), u64 a) { return call_el(1, fn, a, 0); }

/* A virtual interface as after a world switch: nothing in it, group 1 on, nothing masked. */
static void reset(void)
{
    WRITE(ICH_LR0, 0);
    WRITE(ICH_LR1, 0);
    WRITE(ICH_LR2, 0);
    WRITE(ICH_LR3, 0);
    WRITE(ICH_AP0R0, 0);
    WRITE(ICH_AP1R0, 0);
    WRITE(ICH_VMCR, VMCR_BASE);
    WRITE(ICH_HCR, ICH_EN);
    ISB();
}

#define SET(reg, value) do { WRITE(reg, value); ISB(); } while (0)

static void identification(void)
{
    u64 vtr = READ(ICH_VTR);
    check((vtr & 31) + 1 >= 4, "ICH_VTR_EL2: at least four list registers");
    check(BITS(vtr, 31, 29) >= 4 && BITS(vtr, 28, 26) >= 4, "ICH_VTR_EL2: at least 5 bits of priority and preemption");
    check_eq("ICH_ELRSR_EL2: all empty", READ(ICH_ELRSR), BIT((vtr & 31) + 1) - 1);
    check_eq("ICH_MISR_EL2: nothing", READ(ICH_MISR), 0);
    check_eq("ICH_EISR_EL2: nothing", READ(ICH_EISR), 0);
    check_eq("guest: ICC_CTLR_EL1.PRIbits is ICH_VTR_EL2's", BITS(guest(g_ctlr, 0), 10, 8), BITS(vtr, 31, 29));
    check_eq("guest: ICC_CTLR_EL1.IDbits is ICH_VTR_EL2's", BITS(guest(g_ctlr, 0), 13, 11), BITS(vtr, 25, 23));
}

static void life(void)
{
    reset();
    check_eq("nothing: IAR1 1023", guest(g_iar1, 0), SPURIOUS);
    check_eq("nothing: RPR 0xff", guest(g_rpr, 0), 0xff);
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    check_eq("pending: ISR_EL1.I at EL1", guest(g_isr, 0), BIT(7));
    check_eq("pending: HPPIR1", guest(g_hppir1, 0), 50);
    check_eq("pending: not in ELRSR", READ(ICH_ELRSR) & 1, 0);
    check_eq("IAR1", guest(g_iar1, 0), 50);
    check_eq("acknowledged: the list register is active", READ(ICH_LR0), LR_ACTIVE | LR1(50, 0x80));
    check_eq("acknowledged: ICH_AP1R0_EL2", READ(ICH_AP1R0), BIT(0x80 >> 3));
    check_eq("acknowledged: RPR", guest(g_rpr, 0), 0x80);
    check_eq("acknowledged: ISR_EL1.I is 0", guest(g_isr, 0), 0);
    check_eq("acknowledged: IAR1 1023", guest(g_iar1, 0), SPURIOUS);
    SET(ICH_LR0, READ(ICH_LR0) | LR_PENDING);
    check_eq("active and pending: not signalled", guest(g_isr, 0), 0);
    guest(g_eoir1, 50);
    check_eq("ended: pending again", READ(ICH_LR0), LR_PENDING | LR1(50, 0x80));
    check_eq("ended: RPR 0xff", guest(g_rpr, 0), 0xff);
    check_eq("IAR1 again", guest(g_iar1, 0), 50);
    guest(g_eoir1, 50);
    check_eq("ended: list register invalid", READ(ICH_LR0) >> 62, 0);
    check_eq("ended: ICH_AP1R0_EL2 0", READ(ICH_AP1R0), 0);
    check_eq("ended: in ELRSR", READ(ICH_ELRSR) & 1, 1);

    reset();
    SET(ICH_LR1, LR_PENDING | LR1(51, 0x90));
    SET(ICH_LR2, LR_PENDING | LR1(52, 0x70));
    check_eq("two pending: the higher priority first", guest(g_iar1, 0), 52);
    check_eq("  the other does not preempt", guest(g_iar1, 0), SPURIOUS);
    SET(ICH_LR0, LR_PENDING | LR1(53, 0x20));
    check_eq("  a higher one preempts", guest(g_iar1, 0), 53);
    check_eq("  RPR", guest(g_rpr, 0), 0x20);
    guest(g_eoir1, 53);
    check_eq("  RPR after its end", guest(g_rpr, 0), 0x70);
    guest(g_eoir1, 52);
    check_eq("  then the other", guest(g_iar1, 0), 51);
    guest(g_eoir1, 51);
    check_eq("all ended: ELRSR", READ(ICH_ELRSR) & 15, 15);
}

static u64 took_el, took_vector;
static void take(struct frame *f, u64 vector, u64 el)
{
    took_el = el;
    took_vector = vector;
    f->spsr |= BIT(7) | BIT(6);
}

static bool taken(u64 vector)
{
    took_el = 0;
    guest(g_unmask, 0);
    return took_el == 1 && took_vector == vector;
}

static void signalling(void)
{
    irq_hook = take;
    reset();
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    check(taken(FROM_SPX + IRQ), "virtual IRQ taken at EL1");
    SET(ICH_HCR, 0);
    check(!taken(FROM_SPX + IRQ), "ICH_HCR_EL2.En 0: not signalled");
    SET(ICH_HCR, ICH_EN);
    SET(ICH_VMCR, VMCR_BASE & ~VMCR_GRP1);
    check(!taken(FROM_SPX + IRQ), "VENG1 0: not signalled");
    SET(ICH_VMCR, (VMCR_BASE & ~VMCR_PMR(0xff)) | VMCR_PMR(0x80));
    check(!taken(FROM_SPX + IRQ), "VPMR equal to the priority: not signalled");
    SET(ICH_VMCR, (VMCR_BASE & ~VMCR_PMR(0xff)) | VMCR_PMR(0x88));
    check(taken(FROM_SPX + IRQ), "VPMR above the priority: signalled");
    SET(hcr_el2, READ(hcr_el2) & ~HCR_IMO);
    check(!taken(FROM_SPX + IRQ), "HCR_EL2.IMO 0: not signalled");
    SET(hcr_el2, READ(hcr_el2) | HCR_IMO);
    took_el = 0;
    ASM("msr daifclr, #3; isb; nop; msr daifset, #3");
    check(!took_el, "not taken at EL2");
    check_eq("WFI at EL1 ends, masked", guest(g_wfi, 0), 1);
    SET(ICH_VMCR, VMCR_BASE | VMCR_GRP0);
    SET(ICH_LR0, LR_PENDING | LR_PRIO(0x80) | 50);
    check(taken(FROM_SPX + FIQ), "group 0 is a virtual FIQ");
    check_eq("  IAR1 does not take it", guest(g_iar1, 0), SPURIOUS);
    check_eq("  IAR0 does", guest(g_iar0, 0), 50);
    check_eq("  ICH_AP0R0_EL2", READ(ICH_AP0R0), BIT(0x80 >> 3));
    guest(g_eoir0, 50);
    check_eq("  EOIR0 ends it", READ(ICH_LR0) >> 62 | READ(ICH_AP0R0), 0);
    irq_hook = NULL;
}

static void grouping(void)
{
    reset();
    SET(ICH_VMCR, (VMCR_BASE & ~VMCR_BPR1(7)) | VMCR_BPR1(5));
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x98));
    guest(g_iar1, 0);
    check_eq("VBPR1 5: RPR is the group priority", guest(g_rpr, 0), 0x80);
    SET(ICH_LR1, LR_PENDING | LR1(51, 0x80));
    check_eq("VBPR1 5: 0x80 does not preempt 0x98", guest(g_iar1, 0), SPURIOUS);
    SET(ICH_LR1, LR_PENDING | LR1(51, 0x78));
    check_eq("VBPR1 5: 0x78 does", guest(g_iar1, 0), 51);
}

/* 6.2, 4.8: three deep, both groups; a common binary point; list registers that are active and pending. */
static void nesting(void)
{
    reset();
    SET(ICH_VMCR, VMCR_BASE | VMCR_GRP0);
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    guest(g_iar1, 0);
    SET(ICH_LR1, LR_PENDING | LR1(51, 0x60));
    check_eq("nesting: 0x60 preempts 0x80", guest(g_iar1, 0), 51);
    SET(ICH_LR2, LR_PENDING | LR_PRIO(0x40) | 52);
    check_eq("  group 0 pending above it: ISR_EL1.F only", guest(g_isr, 0), BIT(6));
    check_eq("  IAR1 does not take it", guest(g_iar1, 0), SPURIOUS);
    check_eq("  IAR0 does", guest(g_iar0, 0), 52);
    check_eq("  ICH_AP0R0_EL2: 0x40", READ(ICH_AP0R0), BIT(0x40 >> 3));
    check_eq("  ICH_AP1R0_EL2: 0x60 and 0x80", READ(ICH_AP1R0), BIT(0x60 >> 3) | BIT(0x80 >> 3));
    check_eq("  RPR: 0x40", guest(g_rpr, 0), 0x40);
    SET(ICH_LR3, LR_PENDING | LR1(53, 0x50));
    check_eq("  0x50 waits behind group 0's 0x40", guest(g_iar1, 0), SPURIOUS);
    guest(g_eoir0, 52);
    check_eq("  its end: RPR 0x60", guest(g_rpr, 0), 0x60);
    check_eq("  now 0x50 preempts", guest(g_iar1, 0), 53);
    guest(g_eoir1, 53);
    guest(g_eoir1, 51);
    check_eq("  two ends: RPR 0x80", guest(g_rpr, 0), 0x80);
    guest(g_eoir1, 50);
    check_eq("  all ended", READ(ICH_AP0R0) | READ(ICH_AP1R0) | (~READ(ICH_ELRSR) & 15), 0);

    reset();
    SET(ICH_VMCR, (VMCR_BASE & ~VMCR_BPR0(7)) | VMCR_BPR0(5) | VMCR_CBPR);
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x98));
    guest(g_iar1, 0);
    check_eq("VCBPR, VBPR0 5: RPR of 0x98", guest(g_rpr, 0), 0x80);
    SET(ICH_LR1, LR_PENDING | LR1(51, 0x80));
    check_eq("  0x80 does not preempt", guest(g_iar1, 0), SPURIOUS);
    SET(ICH_LR1, LR_PENDING | LR1(51, 0x78));
    check_eq("  0x78 does", guest(g_iar1, 0), 51);

    reset();
    SET(ICH_LR0, LR_PENDING | LR_ACTIVE | LR1(50, 0x80) | LR_EOI);
    SET(ICH_AP1R0, BIT(0x80 >> 3));
    check_eq("active and pending: not signalled", guest(g_isr, 0), 0);
    guest(g_eoir1, 50);
    check_eq("  ended: pending, no maintenance for EOI", READ(ICH_MISR) | (READ(ICH_LR0) >> 62 ^ 1), 0);
    check_eq("  signalled", guest(g_isr, 0), BIT(7));
    SET(ICH_LR1, LR_ACTIVE | LR1(51, 0x40));
    check_eq("active without ICH_AP1R0_EL2: RPR is the APR's", guest(g_rpr, 0), 0xff);
    check_eq("  it does not keep 0x80 from being taken", guest(g_iar1, 0), 50);
}

static void eoi_mode(void)
{
    reset();
    SET(ICH_VMCR, VMCR_BASE | VMCR_EOIM);
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    guest(g_iar1, 0);
    guest(g_eoir1, 50);
    check_eq("VEOIM 1: EOIR drops the priority", guest(g_rpr, 0), 0xff);
    check_eq("VEOIM 1: EOIR leaves it active", READ(ICH_LR0), LR_ACTIVE | LR1(50, 0x80));
    guest(g_dir, 50);
    check_eq("VEOIM 1: DIR ends it", READ(ICH_LR0) >> 62, 0);
}

static void view(void)
{
    reset();
    guest(g_set_pmr, 0x50);
    check_eq("guest PMR is VPMR", BITS(READ(ICH_VMCR), 31, 24), 0x50);
    guest(g_set_bpr1, 5);
    check_eq("guest BPR1 is VBPR1", BITS(READ(ICH_VMCR), 20, 18), 5);
    guest(g_set_bpr0, 4);
    check_eq("guest BPR0 is VBPR0", BITS(READ(ICH_VMCR), 23, 21), 4);
    guest(g_set_igrpen1, 0);
    guest(g_set_igrpen0, 1);
    check_eq("guest IGRPEN1 and 0 are VENG1 and 0", READ(ICH_VMCR) & 3, 1);
    guest(g_set_ctlr, 3);
    check_eq("guest CTLR.EOImode and CBPR are VEOIM and VCBPR", READ(ICH_VMCR) & (VMCR_EOIM | VMCR_CBPR),
             VMCR_EOIM | VMCR_CBPR);
    check_eq("VCBPR: guest BPR1 reads VBPR0 + 1", guest(g_bpr1, 0), 5);
    SET(ICH_VMCR, VMCR_PMR(0xa0) | VMCR_BPR1(6) | VMCR_BPR0(2) | VMCR_GRP1);
    check_eq("VPMR is the guest's PMR", guest(g_pmr, 0), 0xa0);
    check_eq("VBPR1 is the guest's BPR1", guest(g_bpr1, 0), 6);
    check_eq("VENG1 is the guest's IGRPEN1", guest(g_igrpen1, 0), 1);
    check_eq("VEOIM and VCBPR are the guest's CTLR", guest(g_ctlr, 0) & 3, 0);
    u64 pmr = READ(ICC_PMR);
    check_eq("the physical PMR has not changed", pmr | 0xf, 0xff);
}

static bool maintenance(void) { return gic_is_pending(MAINTENANCE); }

static void maintenance_of_eoi(void)
{
    reset();
    check(!maintenance(), "no condition: no maintenance interrupt");
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80) | LR_EOI);
    guest(g_iar1, 0);
    check_eq("LR.EOI: nothing before the end", READ(ICH_MISR), 0);
    guest(g_eoir1, 50);
    check_eq("LR.EOI ended: MISR.EOI", READ(ICH_MISR), 1);
    check_eq("LR.EOI ended: EISR", READ(ICH_EISR), 1);
    check_eq("LR.EOI ended: not in ELRSR", READ(ICH_ELRSR) & 1, 0);
    check(maintenance(), "LR.EOI ended: INTID 25 pending");
    SET(ICH_HCR, 0);
    check(!maintenance(), "ICH_HCR_EL2.En 0: not pending");
    SET(ICH_HCR, ICH_EN);
    check(maintenance(), "En 1: pending again");
    SET(ICH_LR0, 0);
    check(!maintenance() && !READ(ICH_MISR) && !READ(ICH_EISR), "list register cleared: gone");
}

static void maintenance_of_lists(void)
{
    SET(ICH_HCR, ICH_EN | ICH_UIE);
    check_eq("UIE, none valid: MISR.U", READ(ICH_MISR), BIT(1));
    check(maintenance(), "  INTID 25 pending");
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    check_eq("UIE, one valid: MISR.U", READ(ICH_MISR), BIT(1));
    SET(ICH_LR1, LR_ACTIVE | LR1(51, 0x80));
    check_eq("UIE, two valid: nothing", READ(ICH_MISR), 0);
    reset();
    SET(ICH_HCR, ICH_EN | ICH_NPIE);
    check_eq("NPIE, none pending: MISR.NP", READ(ICH_MISR), BIT(3));
    SET(ICH_LR0, LR_ACTIVE | LR1(50, 0x80));
    check_eq("NPIE, one active: MISR.NP", READ(ICH_MISR), BIT(3));
    SET(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    check_eq("NPIE, one pending: nothing", READ(ICH_MISR), 0);
}

static void maintenance_of_eoicount(void)
{
    reset();
    SET(ICH_HCR, ICH_EN | ICH_LRENPIE);
    SET(ICH_AP1R0, BIT(0x80 >> 3));
    guest(g_eoir1, 60);
    check_eq("EOIR of one not in the list: EOIcount 1", BITS(READ(ICH_HCR), 31, 27), 1);
    check_eq("  LRENPIE: MISR.LRENP", READ(ICH_MISR), BIT(2));
    check_eq("  the priority is dropped", READ(ICH_AP1R0), 0);
    guest(g_eoir1, 60);
    check_eq("EOIR with nothing active: EOIcount stays", BITS(READ(ICH_HCR), 31, 27), 1);
    SET(ICH_HCR, ICH_EN | ICH_LRENPIE);
    check_eq("EOIcount cleared: nothing", READ(ICH_MISR), 0);
    SET(ICH_VMCR, VMCR_BASE | VMCR_EOIM);
    guest(g_dir, 60);
    check_eq("DIR of one not in the list: EOIcount 1", BITS(READ(ICH_HCR), 31, 27), 1);
}

static void maintenance_of_groups(void)
{
    reset();
    SET(ICH_HCR, ICH_EN | BIT(6));
    check_eq("VGrp1EIE, group 1 enabled: MISR.VGrp1E", READ(ICH_MISR), BIT(6));
    guest(g_set_igrpen1, 0);
    check_eq("  disabled by the guest: nothing", READ(ICH_MISR), 0);
    SET(ICH_HCR, ICH_EN | BIT(7));
    check_eq("VGrp1DIE, group 1 disabled: MISR.VGrp1D", READ(ICH_MISR), BIT(7));
    SET(ICH_HCR, ICH_EN | BIT(5));
    check_eq("VGrp0DIE, group 0 disabled: MISR.VGrp0D", READ(ICH_MISR), BIT(5));
    guest(g_set_igrpen0, 1);
    SET(ICH_HCR, ICH_EN | BIT(4));
    check_eq("VGrp0EIE, group 0 enabled: MISR.VGrp0E", READ(ICH_MISR), BIT(4));
    reset();
}

static void maintenance_interrupts(void)
{
    gic_enable(MAINTENANCE, 0x80);
    SET(ICC_PMR, 0); /* looked at in the redistributor only: it must not end the guest's calls */
    maintenance_of_eoi();
    maintenance_of_lists();
    maintenance_of_eoicount();
    maintenance_of_groups();
    gic_disable(MAINTENANCE);
    SET(ICC_PMR, 0xff);
}

/* A list register with HW: the guest's end of the virtual interrupt deactivates the physical one. */
static void hardware(void)
{
    reset();
    WRITE(ICC_CTLR, READ(ICC_CTLR) | 2);
    gic_enable(SPI, 0x80);
    gic_pend(SPI);
    u32 intid = READ(ICC_IAR1);
    WRITE(ICC_EOIR1, intid);
    ISB();
    check(intid == SPI && gic_is_active(SPI), "physical interrupt acknowledged, dropped, still active");
    SET(ICH_LR0, LR_PENDING | LR_HW | LR_PHYS(SPI) | LR1(77, 0x80));
    check_eq("HW: the guest acknowledges the virtual INTID", guest(g_iar1, 0), 77);
    check(gic_is_active(SPI), "HW: the physical one is still active");
    guest(g_eoir1, 77);
    check(!gic_is_active(SPI), "HW: the guest's EOI deactivates the physical one");
    check_eq("HW: list register invalid, in ELRSR", READ(ICH_LR0) >> 62 | (~READ(ICH_ELRSR) & 1), 0);

    gic_pend(SPI);
    intid = READ(ICC_IAR1);
    WRITE(ICC_EOIR1, intid);
    SET(ICH_VMCR, VMCR_BASE | VMCR_EOIM);
    SET(ICH_LR0, LR_PENDING | LR_HW | LR_PHYS(SPI) | LR1(77, 0x80));
    guest(g_iar1, 0);
    guest(g_eoir1, 77);
    check(gic_is_active(SPI), "HW, VEOIM 1: EOIR does not deactivate");
    guest(g_dir, 77);
    check(!gic_is_active(SPI), "HW, VEOIM 1: DIR does");
    WRITE(ICC_CTLR, READ(ICC_CTLR) & ~2ul);
    gic_disable(SPI);
}

struct row {
    const char *what;
    u64 (*fn)(u64, u64);
    u64 ich_hcr, iss; /* iss 0: not trapped */
};

static const struct row rows[] = {
    { "ICC_PMR read, TC 0", g_pmr, 0, 0 },
    { "ICC_PMR read, TC", g_pmr, BIT(10), ISS_SYS(3, 0, 4, 6, 0, 0, 1) },
    { "ICC_CTLR write, TC", g_set_ctlr, BIT(10), ISS_SYS(3, 0, 12, 12, 4, 0, 0) },
    { "ICC_RPR read, TC", g_rpr, BIT(10), ISS_SYS(3, 0, 12, 11, 3, 0, 1) },
    { "ICC_IAR1 read, TC", g_iar1, BIT(10), 0 },
    { "ICC_IAR1 read, TALL1", g_iar1, BIT(12), ISS_SYS(3, 0, 12, 12, 0, 0, 1) },
    { "ICC_EOIR1 write, TALL1", g_eoir1, BIT(12), ISS_SYS(3, 0, 12, 12, 1, 0, 0) },
    { "ICC_IGRPEN1 write, TALL1", g_set_igrpen1, BIT(12), ISS_SYS(3, 0, 12, 12, 7, 0, 0) },
    { "ICC_IAR0 read, TALL1", g_iar0, BIT(12), 0 },
    { "ICC_IAR0 read, TALL0", g_iar0, BIT(11), ISS_SYS(3, 0, 12, 8, 0, 0, 1) },
    { "ICC_BPR0 write, TALL0", g_set_bpr0, BIT(11), ISS_SYS(3, 0, 12, 8, 3, 0, 0) },
    { "ICC_DIR write, TC", g_dir, BIT(10), ISS_SYS(3, 0, 12, 11, 1, 0, 0) },
    { "ICC_SGI1R write, IMO", g_sgi1r, 0, ISS_SYS(3, 0, 12, 11, 5, 0, 0) },
    { "ICC_SGI0R write, FMO", g_sgi0r, 0, ISS_SYS(3, 0, 12, 11, 7, 0, 0) },
};

static void traps(void)
{
    reset();
    for (u32 i = 0; i < COUNT(rows); i++) {
        SET(ICH_HCR, ICH_EN | rows[i].ich_hcr);
        try_el(1, rows[i].fn, 0, 0);
        if (rows[i].iss)
            check_exc(rows[i].what, 2, EC_SYSREG, rows[i].iss);
        else
            check_eq(rows[i].what, EXC.count, 0);
        reset();
    }
    SET(hcr_el2, READ(hcr_el2) & ~(HCR_IMO | HCR_FMO));
    gic_enable(3, 0x80);
    try_el(1, g_sgi1r, 3ul << 24 | 1, 0);
    check(!EXC.count && gic_is_pending(3), "IMO and FMO 0: the guest's SGI1R is the physical one");
    check_eq("  and its IAR1 too", guest(g_iar1, 0), 3);
    guest(g_eoir1, 3);
    SET(hcr_el2, READ(hcr_el2) | HCR_IMO | HCR_FMO);
}

void test_main(void)
{
    gic_init();
    SET(hcr_el2, READ(hcr_el2) | HCR_IMO | HCR_FMO);
    reset();
    identification();
    life();
    signalling();
    grouping();
    nesting();
    eoi_mode();
    view();
    maintenance_interrupts();
    hardware();
    traps();
    finish();
}
