/* Non-maskable interrupts (FEAT_NMI, FEAT_GICv3_NMI) at EL2 and, virtual, at EL1: PSTATE.ALLINT and its masks, what
 * exception entry does to it, Superpriority against PSTATE.I and ICC_PMR_EL1, acknowledging, running and active
 * priorities, list registers, HCRX_EL2.{TALLINT,VINMI}.
 * Arm ARM D1.3.6 (masking), C5.2 (ALLINT), D19.2 (SCTLR_EL2, HCRX_EL2, ISR_EL1); Arm IHI 0069: 4.8 (non-maskable
 * interrupts), 12.2 (ICC_NMIAR1_EL1, ICC_RPR_EL1, ICC_AP1R0_EL1), 12.4 (ICH_LR, ICH_AP1R0_EL2), 12.9 (GICD_INMIR). */
#include "rt.h"

#define ALLINT      s3_0_c4_c3_0
#define ICC_NMIAR1  s3_0_c12_c9_5
#define HCRX_EL2    s3_4_c1_c2_2
#define ALLINT_BIT  BIT(13)
#define NMI         BIT(61)             /* SCTLR_ELx */
#define SPINTMASK   BIT(62)
#define TALLINT     BIT(6)              /* HCRX_EL2 */
#define VINMI       BIT(7)
#define IMO         BIT(4)              /* HCR_EL2 */
#define VI          BIT(7)
#define IS          BIT(10)             /* ISR_EL1 */
#define I           BIT(7)
#define APR_NMI     BIT(63)
#define NMI_INTID   1022
enum { SPI_A = 40, SPI_B = 41, SPI_C = 42 };
#define LR(n)       (BIT(62) | BIT(60) | BIT(59) | (n)) /* pending, group 1, NMI */

CODE(set_allint, ".inst 0xd501411f\nmrs x0, s3_0_c4_c3_0");
CODE(clear_allint, ".inst 0xd501401f\nmrs x0, s3_0_c4_c3_0");
CODE(write_allint, "msr s3_0_c4_c3_0, x0\nmrs x0, s3_0_c4_c3_0");
CODE(read_allint, "mrs x0, s3_0_c4_c3_0");
CODE(do_svc, "svc #1");
CODE(g_isr, "isb\nmrs x0, isr_el1");
CODE(g_iar1, "mrs x0, s3_0_c12_c12_0\nisb");
CODE(g_nmiar1, "mrs x0, s3_0_c12_c9_5\nisb");
CODE(g_eoir1, "msr s3_0_c12_c12_1, x0\nisb");
CODE(g_rpr, "isb\nmrs x0, s3_0_c12_c11_3");
CODE(g_window,
     ".inst 0xd501401f\nisb\nnop\nnop\n.inst 0xd501411f\nmov x0, #0"); /* ALLINT 0, then 1; PSTATE.I stays 1 */

static u64 taken, taken_el, inside;
static void on_irq(struct frame *f, u64 vector, u64 el)
{
    (void)vector;
    taken++;
    taken_el = el;
    inside = READ(ALLINT);
    f->spsr |= ALLINT_BIT | BIT(7);
}

/* Is an interrupt taken at EL2 with ALLINT and DAIF as given? */
static bool takes(u64 allint, u64 daif)
{
    taken = 0;
    irq_hook = on_irq;
    asm volatile("msr s3_0_c4_c3_0, %0\n msr daif, %1\n isb\n nop\n nop\n .inst 0xd501411f\n msr daifset, #15\n isb"
                 :
                 : "r"(allint), "r"(daif)
                 : "memory");
    irq_hook = NULL;
    return taken;
}

static void sctlr(u64 bits)
{
    WRITE(sctlr_el2, (READ(sctlr_el2) & ~(NMI | SPINTMASK)) | bits);
    ISB();
}

static void inmir(u32 intid, bool on)
{
    u32 bit = BIT(intid % 32), v = MMIO32(GICD + 0xf80 + intid / 32 * 4);
    MMIO32(GICD + 0xf80 + intid / 32 * 4) = on ? v | bit : v & ~bit;
    DSB();
}

static u64 entry_allint, entry_spsr;
static bool on_svc(struct frame *f, u64 vector, u64 el)
{
    (void)vector, (void)el;
    entry_allint = READ(ALLINT);
    entry_spsr = f->spsr;
    return true;
}

static void pstate(void)
{
    check_eq("C5.2 MSR ALLINT, #1", set_allint(0, 0), ALLINT_BIT);
    check_eq("MSR ALLINT, #0", clear_allint(0, 0), 0);
    check_eq("MSR ALLINT, Xt: one bit", write_allint(~0ul, 0), ALLINT_BIT);
    clear_allint(0, 0);
    sync_hook = on_svc;
    call_el(0, do_svc, 0, 0);
    check_eq("D1.3 exception entry with SPINTMASK 0: ALLINT 1", entry_allint, ALLINT_BIT);
    check_eq("  SPSR has the one before", entry_spsr & ALLINT_BIT, 0);
    WRITE(sctlr_el1, READ(sctlr_el1) | SPINTMASK);
    call_pstate = 0x3c0 | ALLINT_BIT;
    call_el(0, do_svc, 0, 0);
    call_pstate = 0x3c0;
    check_eq("  with SPINTMASK 1: ALLINT 0", entry_allint, 0);
    check_eq("  SPSR has the one that ERET restored", entry_spsr & ALLINT_BIT, ALLINT_BIT);
    sync_hook = NULL;
    WRITE(sctlr_el1, READ(sctlr_el1) & ~SPINTMASK);
    try_el(0, read_allint, 0, 0);
    check_eq("EL0: UNDEFINED", esr_ec(EXC.esr), EC_UNKNOWN);

    WRITE(HCRX_EL2, TALLINT);
    ISB();
    try_el(1, set_allint, 0, 0);
    check_exc("HCRX_EL2.TALLINT: MSR ALLINT, #1 at EL1", 2, EC_SYSREG, ISS_SYS(0, 1, 4, 1, 0, 31, 0));
    try_el(1, clear_allint, 0, 0);
    check_eq("  #0 is not trapped", EXC.count, 0);
    try_el(1, write_allint, 0, 0);
    check_exc("  MSR ALLINT, Xt", 2, EC_SYSREG, ISS_SYS(3, 0, 4, 3, 0, 0, 0));
    try_el(1, read_allint, 0, 0);
    check_eq("  MRS is not trapped", EXC.count, 0);
    WRITE(HCRX_EL2, 0);
    ISB();
}

static void masks(void)
{
    gic_enable(SPI_A, 0x80);
    sctlr(NMI);
    gic_pend(SPI_A);
    check(!takes(0, I), "no NMI: PSTATE.I masks");
    check(takes(0, 0), "  taken without");
    check(!takes(ALLINT_BIT, 0), "D1.3.6 ALLINT masks it, too");
    inmir(SPI_A, true);
    check(takes(0, I), "NMI: PSTATE.I does not mask");
    check_eq("  ALLINT is 1 in the handler", inside, ALLINT_BIT);
    check(!takes(ALLINT_BIT, 0), "  ALLINT does");
    check_eq("  ISR_EL1.I and IS", g_isr(0, 0), IS | I);
    sctlr(NMI | SPINTMASK);
    check(!takes(0, 0), "  SPINTMASK with SP_EL2 does");
    sctlr(0);
    check(!takes(0, I), "SCTLR_EL2.NMI 0: PSTATE.I masks");
    check(takes(ALLINT_BIT, 0), "  ALLINT does not");
    check_eq("  IAR1 acknowledges it", READ(ICC_IAR1), SPI_A);
    WRITE(ICC_EOIR1, SPI_A);
    ISB();
    sctlr(NMI);
}

static void priorities(void)
{
    gic_enable(SPI_B, 0);
    gic_pend(SPI_A);
    check_eq("12.2 IAR1 with an NMI: 1022", READ(ICC_IAR1), NMI_INTID);
    WRITE(ICC_PMR, 0);
    ISB();
    check_eq("4.8 PMR 0 does not mask it", READ(ICC_NMIAR1), SPI_A);
    WRITE(ICC_PMR, 0xff);
    ISB();
    check_eq("  RPR: 0 and NMI", READ(ICC_RPR), APR_NMI);
    check_eq("  AP1R0: NMI only", READ(ICC_AP1R0), APR_NMI);
    gic_pend(SPI_B);
    check_eq("  priority 0 does not preempt it", READ(ICC_IAR1), SPURIOUS);
    WRITE(ICC_EOIR1, SPI_A);
    ISB();
    check_eq("  EOIR1 drops it", READ(ICC_RPR), 0xff);
    check_eq("NMIAR1 does not take another", READ(ICC_NMIAR1), SPURIOUS);
    check_eq("  IAR1 does", READ(ICC_IAR1), SPI_B);
    gic_pend(SPI_A);
    check_eq("an NMI preempts priority 0", READ(ICC_NMIAR1), SPI_A);
    check_eq("  RPR", READ(ICC_RPR), APR_NMI);
    gic_enable(SPI_C, 0);
    inmir(SPI_C, true);
    gic_pend(SPI_C);
    check_eq("  another NMI does not preempt it", READ(ICC_NMIAR1), SPURIOUS);
    WRITE(ICC_EOIR1, SPI_A);
    ISB();
    check_eq("  RPR is the preempted one's", READ(ICC_RPR), 0);
    check_eq("  then the other NMI", READ(ICC_NMIAR1), SPI_C);
    WRITE(ICC_EOIR1, SPI_C);
    WRITE(ICC_EOIR1, SPI_B);
    ISB();
    check_eq("  all ended", READ(ICC_AP1R0), 0);
    MMIO32(GICD + 0x84) &= ~BIT(SPI_C % 32);
    check_eq("12.9 INMIR of a group 0 interrupt is RES0", MMIO32(GICD + 0xf84) >> SPI_C % 32 & 1, 0);
    gic_disable(SPI_A);
    gic_disable(SPI_B);
    gic_disable(SPI_C);
}

static u64 guest(u64 (*fn)(u64, u64), u64 a)
{
    call_pstate = 0x3c0 | ALLINT_BIT;
    u64 r = call_el(1, fn, a, 0);
    call_pstate = 0x3c0;
    return r;
}

static void virtual(void)
{
    WRITE(sctlr_el1, READ(sctlr_el1) | NMI);
    WRITE(hcr_el2, READ(hcr_el2) | IMO);
    WRITE(ICH_VMCR, BIT(1) | 3ul << 18 | 2ul << 21); /* VENG1, VPMR 0 */
    WRITE(ICH_HCR, 1);
    WRITE(ICH_LR0, LR(50) | 0x80ul << 48);
    ISB();
    check_eq("12.4 LR.NMI is kept", READ(ICH_LR0), LR(50) | 0x80ul << 48);
    check_eq("  the guest's ISR_EL1: I and IS, VPMR 0", guest(g_isr, 0), IS | I);
    taken = 0;
    irq_hook = on_irq;
    guest(g_window, 0);
    irq_hook = NULL;
    check(taken && taken_el == 1, "  taken at EL1 with PSTATE.I 1 and ALLINT 0");
    check_eq("  IAR1: 1022", guest(g_iar1, 0), NMI_INTID);
    check_eq("  NMIAR1", guest(g_nmiar1, 0), 50);
    check_eq("  ICH_AP1R0_EL2.NMI", READ(ICH_AP1R0), APR_NMI);
    check_eq("  RPR", guest(g_rpr, 0), APR_NMI);
    guest(g_eoir1, 50);
    check_eq("  EOIR1 ends it", READ(ICH_LR0) >> 62 | READ(ICH_AP1R0), 0);
    WRITE(ICH_HCR, 0);

    WRITE(hcr_el2, READ(hcr_el2) | VI);
    ISB();
    check_eq("HCR_EL2.VI: no Superpriority", guest(g_isr, 0), I);
    WRITE(HCRX_EL2, VINMI);
    ISB();
    check_eq("D19.2 HCRX_EL2.VINMI: with it", guest(g_isr, 0), IS | I);
    taken = 0;
    irq_hook = on_irq;
    guest(g_window, 0);
    irq_hook = NULL;
    check(taken && taken_el == 1, "  taken at EL1 with PSTATE.I 1");
    WRITE(HCRX_EL2, 0);
    WRITE(hcr_el2, READ(hcr_el2) & ~VI);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~NMI);
    ISB();
}

void test_main(void)
{
    if (BITS(READ(id_aa64pfr1_el1), 39, 36) != 1) {
        skip("non-maskable interrupts", "no FEAT_NMI");
        finish();
    }
    gic_init();
    check_eq("12.9 GICD_TYPER.NMI", MMIO32(GICD + 4) >> 9 & 1, 1);
    WRITE(hcr_el2, READ(hcr_el2) | IMO);
    ISB();
    pstate();
    masks();
    priorities();
    virtual();
    finish();
}
