/* GICv3 with one security state (GICD_CTLR.DS 1): distributor, redistributor and physical CPU interface, from EL1.
 * Arm IHI 0069: 4.1 (life of an interrupt), 4.8 (priorities, grouping, preemption), 12.2 (ICC_*), 12.9-12.11 (GICD,
 * GICR). */
#include "rt.h"

#define ITARGETSR   0x800
#define ICFGR       0xc00
#define IROUTER(n)  (0x6000 + 8 * (n))
#define PIDR2       0xffe8
#define SGI         GICR_SGI(0)
#define SPI_A       40u                 /* SPIs without a device on this board's lines */
#define SPI_B       41u

static u32 ack(void)
{
    DSB();
    ISB();
    u32 intid = READ(ICC_IAR1);
    DSB();
    ISB();
    return intid;
}

static void eoi(u32 intid)
{
    WRITE(ICC_EOIR1, intid);
    ISB();
}

static u64 hppir(void)
{
    DSB();
    ISB();
    return READ(ICC_HPPIR1);
}

static u64 rpr(void)
{
    ISB();
    return READ(ICC_RPR);
}

static void priority(u32 intid, u8 value)
{
    MMIO8((intid < 32 ? SGI : GICD) + IPRIORITYR + intid) = value;
    DSB();
}

static void set(u32 reg, u32 intid)
{
    MMIO32((intid < 32 ? SGI : GICD) + reg + intid / 32 * 4) = BIT(intid % 32);
    DSB();
}

static bool get(u32 reg, u32 intid)
{
    DSB();
    return MMIO32((intid < 32 ? SGI : GICD) + reg + intid / 32 * 4) >> intid % 32 & 1;
}

static bool one_of_n(void) { return !(MMIO32(GICD + 4) & BIT(25)); /* GICD_TYPER.No1N */ }

static void identification(void)
{
    u32 typer = MMIO32(GICD + 4);
    check_eq("GICD_PIDR2: GICv3", MMIO32(GICD + PIDR2) >> 4 & 15, 3);
    check_eq("GICR_PIDR2: GICv3", MMIO32(GICR(0) + PIDR2) >> 4 & 15, 3);
    check_eq("GICD_TYPER.SecurityExtn 0", typer >> 10 & 1, 0);
    check((typer & 31) >= 1, "GICD_TYPER: there are SPIs");
    check((typer >> 19 & 31) >= 9, "GICD_TYPER.IDbits: at least 10");
    check_eq("GICD_CTLR.DS 1, ARE 1", MMIO32(GICD) & 0x50, 0x50);
    check_eq("GICD_CTLR.RWP 0", MMIO32(GICD) >> 31, 0);
    u64 r = MMIO64(GICR(0) + 8);
    check_eq("GICR_TYPER: affinity 0.0.0.0, processor 0", r & 0xffffffff00ffff00, 0);
    check_eq("GICR_TYPER.Last: the only one", r >> 4 & 1, 1);
    check_eq("GICR_TYPER: two words read as one", MMIO32(GICR(0) + 8) | (u64)MMIO32(GICR(0) + 12) << 32, r);
    check_eq("GICR_WAKER: awake", MMIO32(GICR(0) + 0x14) & 6, 0);
}

static void distributor(void)
{
    check_eq("GICD_ISENABLER0 is RAZ with affinity routing", MMIO32(GICD + ISENABLER), 0);
    check_eq("GICD_IPRIORITYR0 is RAZ with affinity routing", MMIO32(GICD + IPRIORITYR), 0);
    check_eq("GICD_ITARGETSR8 is RAZ with affinity routing", MMIO32(GICD + ITARGETSR + 32), 0);
    set(ISENABLER, SPI_A);
    check(get(ISENABLER, SPI_A) && get(ICENABLER, SPI_A), "ISENABLER sets, both registers read it");
    MMIO32(GICD + ISENABLER + 4) = 0;
    check(get(ISENABLER, SPI_A), "writing 0 to ISENABLER does nothing");
    set(ICENABLER, SPI_A);
    check(!get(ISENABLER, SPI_A) && !get(ICENABLER, SPI_A), "ICENABLER clears");
    set(ISPENDR, SPI_A);
    check(get(ISPENDR, SPI_A) && get(ICPENDR, SPI_A), "ISPENDR sets, both registers read it");
    set(ICPENDR, SPI_A);
    check(!get(ISPENDR, SPI_A), "ICPENDR clears");
    set(ISACTIVER, SPI_A);
    check(get(ISACTIVER, SPI_A) && get(ICACTIVER, SPI_A), "ISACTIVER sets, both registers read it");
    set(ICACTIVER, SPI_A);
    check(!get(ISACTIVER, SPI_A), "ICACTIVER clears");
    u32 last = (MMIO32(GICD + 4) & 31) + 1;
    if (last < 32) {
        MMIO32(GICD + ISENABLER + last * 4) = ~0u;
        check_eq("SPIs that are not implemented are RAZ/WI", MMIO32(GICD + ISENABLER + last * 4), 0);
    }

    u32 bits = (READ(ICC_CTLR) >> 8 & 7) + 1;
    check(bits >= 4, "ICC_CTLR_EL1.PRIbits: at least 16 priorities");
    priority(SPI_A, 0xff);
    u8 kept = MMIO8(GICD + IPRIORITYR + SPI_A), missing = ~kept;
    check((kept & 0xf0) == 0xf0 && !(missing & (missing + 1)), "IPRIORITYR keeps the bits from 7 down, four at least");
    MMIO32(GICD + IPRIORITYR + SPI_A) = 0x40302010;
    check_eq("IPRIORITYR as a word", MMIO32(GICD + IPRIORITYR + SPI_A), 0x40302010);
    check_eq("IPRIORITYR as a byte", MMIO8(GICD + IPRIORITYR + SPI_A + 2), 0x30);
    u64 irm = one_of_n() ? BIT(31) : 0;
    MMIO64(GICD + IROUTER(SPI_A)) = BIT(31) | 0x12;
    check_eq("IROUTER keeps the affinity, and IRM if there is 1 of N", MMIO64(GICD + IROUTER(SPI_A)), irm | 0x12);
    MMIO64(GICD + IROUTER(SPI_A)) = 0;
    MMIO32(GICD + ICFGR + 8) = 0xaaaaaaaa;
    check_eq("ICFGR2: edge", MMIO32(GICD + ICFGR + 8), 0xaaaaaaaa);
    MMIO32(GICD + ICFGR + 8) = 0x55555555;
    check_eq("ICFGR2: even bits are RES0", MMIO32(GICD + ICFGR + 8), 0);
    check_eq("GICR_ICFGR0: SGIs are edge, read-only", (MMIO32(SGI + ICFGR) = 0, MMIO32(SGI + ICFGR)), 0xaaaaaaaa);
    MMIO32(GICD + 0xf00) = 0x02000003; /* GICD_SGIR is RES0 with affinity routing */
    check(!get(ISPENDR, 3), "GICD_SGIR does nothing with affinity routing");
}

static void life(u32 intid, const char *pending, const char *acked, const char *ended)
{
    gic_enable(intid, 0x80);
    gic_pend(intid);
    check(hppir() == intid && rpr() == 0xff && !get(ISACTIVER, intid), pending);
    u32 got = ack();
    check(got == intid && get(ISACTIVER, intid) && !get(ISPENDR, intid) && rpr() == 0x80 && ack() == SPURIOUS, acked);
    eoi(intid);
    check(!get(ISACTIVER, intid) && rpr() == 0xff && ack() == SPURIOUS, ended);
    gic_disable(intid);
}

static void states(void)
{
    check_eq("nothing pending: IAR1 is 1023", ack(), SPURIOUS);
    check_eq("nothing pending: HPPIR1 is 1023", hppir(), SPURIOUS);
    check_eq("nothing active: RPR is 0xff", rpr(), 0xff);
    life(1, "SGI: pending", "SGI: acknowledged", "SGI: ended");
    life(20, "PPI: pending", "PPI: acknowledged", "PPI: ended");
    MMIO32(GICD + ICFGR + 8) = 0xaaaaaaaa;
    life(SPI_A, "SPI, edge: pending", "SPI, edge: acknowledged", "SPI, edge: ended");
    MMIO32(GICD + ICFGR + 8) = 0;
    life(SPI_A, "SPI, level, pended by software: pending", "SPI, level: acknowledged", "SPI, level: ended");

    MMIO32(GICD + ICFGR + 8) = 0xaaaaaaaa;
    gic_enable(SPI_A, 0x80);
    gic_pend(SPI_A);
    ack();
    gic_pend(SPI_A);
    check(get(ISPENDR, SPI_A) && get(ISACTIVER, SPI_A), "pended while active: active and pending");
    check_eq("active and pending is not signalled", ack(), SPURIOUS);
    eoi(SPI_A);
    check(get(ISPENDR, SPI_A) && !get(ISACTIVER, SPI_A), "  ended: pending");
    check_eq("  and acknowledged again", ack(), SPI_A);
    eoi(SPI_A);
    set(ISACTIVER, SPI_A);
    gic_pend(SPI_A);
    check_eq("made active by ISACTIVER: not signalled", hppir(), SPURIOUS);
    check_eq("  and RPR does not change", rpr(), 0xff);
    set(ICACTIVER, SPI_A);
    check_eq("  ICACTIVER: signalled", hppir(), SPI_A);
    gic_disable(SPI_A);
    check_eq("disabled: not signalled, but", hppir(), SPURIOUS);
    check(get(ISPENDR, SPI_A), "  still pending");
    gic_unpend(SPI_A);
    gic_enable(SPI_A, 0x80);
}

static void masks(void)
{
    gic_pend(SPI_A);
    WRITE(ICC_PMR, 0x80);
    check_eq("PMR equal to the priority masks", ack(), SPURIOUS);
    check_eq("  HPPIR1 shows it all the same", hppir(), SPI_A);
    WRITE(ICC_PMR, 0x88);
    check_eq("PMR one above lets through", ack(), SPI_A);
    eoi(SPI_A);
    gic_pend(SPI_A);
    WRITE(ICC_PMR, 0);
    check_eq("PMR 0 masks all", ack(), SPURIOUS);
    WRITE(ICC_PMR, 0xff);
    check_eq("PMR keeps the implemented bits", READ(ICC_PMR) | 0x0f, 0xff);
    WRITE(ICC_IGRPEN1, 0);
    check_eq("ICC_IGRPEN1_EL1 0: not acknowledged", ack(), SPURIOUS);
    WRITE(ICC_IGRPEN1, 1);
    MMIO32(GICD) &= ~2u;
    DSB();
    check_eq("GICD_CTLR.EnableGrp1 0: not acknowledged", ack(), SPURIOUS);
    MMIO32(GICD) |= 2;
    DSB();
    MMIO64(GICD + IROUTER(SPI_A)) = 1;
    DSB();
    check_eq("routed to a CPU that is not there: not acknowledged", ack(), SPURIOUS);
    MMIO64(GICD + IROUTER(SPI_A)) = BIT(31);
    DSB();
    check_eq("IRM 1, any CPU (or RES0, CPU 0): signalled", hppir(), SPI_A);
    MMIO64(GICD + IROUTER(SPI_A)) = 0;
    gic_unpend(SPI_A);
}

static void preemption(void)
{
    WRITE(ICC_BPR1, 0);
    ISB();
    u64 bpr = READ(ICC_BPR1);
    check(bpr >= 1, "BPR1's minimum is not 0");
    priority(SPI_A, 0x88);
    priority(SPI_B, 0x80);
    gic_enable(SPI_B, 0x80);
    gic_pend(SPI_A);
    gic_pend(SPI_B);
    check_eq("the higher priority (lower number) comes first", ack(), SPI_B);
    check_eq("the lower does not preempt it", ack(), SPURIOUS);
    check_eq("HPPIR1 shows it all the same", hppir(), SPI_A);
    eoi(SPI_B);
    check_eq("  it comes after the end of the first", ack(), SPI_A);
    check_eq("RPR", rpr(), 0x88);
    gic_pend(SPI_B);
    check_eq("a higher priority preempts", ack(), SPI_B);
    check_eq("RPR is the highest active", rpr(), 0x80);
    check_eq("AP1R0 has both preemption levels", READ(ICC_AP1R0), BIT(0x80 >> 3) | BIT(0x88 >> 3));
    eoi(SPI_B);
    check_eq("RPR is the preempted one's again", rpr(), 0x88);
    eoi(SPI_A);
    check_eq("AP1R0 is 0 again", READ(ICC_AP1R0), 0);

    WRITE(ICC_BPR1, 4); /* group priority: bits 7:4 */
    ISB();
    check_eq("BPR1 reads back", READ(ICC_BPR1), 4);
    gic_pend(SPI_A);
    ack();
    gic_pend(SPI_B);
    check_eq("BPR1 4: 0x80 does not preempt 0x88", ack(), SPURIOUS);
    check_eq("  RPR is the group priority", rpr(), 0x80);
    priority(SPI_B, 0x70);
    check_eq("BPR1 4: 0x70 preempts 0x88", ack(), SPI_B);
    eoi(SPI_B);
    eoi(SPI_A);
    priority(SPI_B, 0x80);
    gic_pend(SPI_A);
    gic_pend(SPI_B);
    check_eq("subpriority decides who comes first", ack(), SPI_B);
    eoi(SPI_B);
    check_eq("  then the other", ack(), SPI_A);
    eoi(SPI_A);
    WRITE(ICC_BPR0, 4);
    WRITE(ICC_CTLR, READ(ICC_CTLR) | 1); /* CBPR */
    ISB();
    check_eq("CBPR: BPR1 reads BPR0 + 1", READ(ICC_BPR1), 5);
    WRITE(ICC_CTLR, READ(ICC_CTLR) & ~1ul);
    WRITE(ICC_BPR1, bpr);
    ISB();
}

static void eoi_mode(void)
{
    WRITE(ICC_CTLR, READ(ICC_CTLR) | 2);
    ISB();
    gic_pend(SPI_A);
    check_eq("EOImode 1: acknowledged", ack(), SPI_A);
    eoi(SPI_A);
    check_eq("EOImode 1: EOIR drops the priority", rpr(), 0xff);
    check(get(ISACTIVER, SPI_A), "EOImode 1: EOIR does not deactivate");
    gic_pend(SPI_A);
    check_eq("  active, so not signalled", hppir(), SPURIOUS);
    gic_pend(SPI_B);
    check_eq("  but another is", ack(), SPI_B);
    WRITE(ICC_DIR, SPI_A);
    ISB();
    check(!get(ISACTIVER, SPI_A), "DIR deactivates, in any order");
    eoi(SPI_B);
    WRITE(ICC_DIR, SPI_B);
    ISB();
    check_eq("the first is signalled again", ack(), SPI_A);
    eoi(SPI_A);
    WRITE(ICC_DIR, SPI_A);
    WRITE(ICC_CTLR, READ(ICC_CTLR) & ~2ul);
    ISB();
    gic_pend(SPI_A);
    ack();
    eoi(SPURIOUS);
    check(get(ISACTIVER, SPI_A) && rpr() != 0xff, "EOIR of 1023 does nothing");
    eoi(SPI_A);
}

static void sgi(void)
{
    gic_enable(2, 0x80);
    WRITE(ICC_SGI1R, 2ul << 24 | 1);
    check_eq("SGI1R to Aff0 0: SGI 2", ack(), 2);
    eoi(2);
    WRITE(ICC_SGI1R, 2ul << 24 | 2);
    check_eq("SGI1R to Aff0 1: nobody", ack(), SPURIOUS);
    WRITE(ICC_SGI1R, 2ul << 24 | 1ul << 16 | 1);
    check_eq("SGI1R to another cluster: nobody", ack(), SPURIOUS);
    WRITE(ICC_SGI1R, 2ul << 24 | 1ul << 40);
    check_eq("SGI1R with IRM: all but this one", ack(), SPURIOUS);
    MMIO32(SGI + IGROUPR) &= ~BIT(2);
    WRITE(ICC_SGI1R, 2ul << 24 | 1);
    DSB();
    check(!get(ISPENDR, 2), "SGI1R does not make a group 0 SGI pending");
    WRITE(ICC_SGI0R, 2ul << 24 | 1);
    DSB();
    check(get(ISPENDR, 2), "SGI0R does");
    MMIO32(SGI + IGROUPR) |= BIT(2);
    gic_unpend(2);
}

static u64 got_vector, got_intid;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)el;
    got_vector = vector;
    if ((vector & 3) == FIQ) {
        got_intid = READ(ICC_IAR0);
        WRITE(ICC_EOIR0, got_intid);
    } else {
        got_intid = READ(ICC_IAR1);
        WRITE(ICC_EOIR1, got_intid);
    }
    ISB();
}

static void groups(void)
{
    irq_hook = take;
    MMIO32(GICD) |= 1;
    WRITE(ICC_IGRPEN0, 1);
    gic_pend(SPI_A);
    ASM("msr daifclr, #3; isb; nop; msr daifset, #3");
    check(got_vector == FROM_SPX + IRQ && got_intid == SPI_A, "group 1 is an IRQ");
    MMIO32(GICD + IGROUPR + 4) &= ~BIT(SPI_A % 32);
    gic_pend(SPI_A);
    check_eq("group 0 pending: HPPIR0", (ISB(), READ(ICC_HPPIR0)), SPI_A);
    check_eq("group 0 pending: IAR1 does not take it", ack(), SPURIOUS);
    check_eq("ISR_EL1.F", (ISB(), READ(isr_el1)), BIT(6));
    ASM("msr daifclr, #3; isb; nop; msr daifset, #3");
    check(got_vector == FROM_SPX + FIQ && got_intid == SPI_A, "group 0 is an FIQ");
    gic_pend(SPI_B);
    check_eq("group 1 pending: IAR0 does not take it", (ISB(), READ(ICC_IAR0)), SPURIOUS);
    check_eq("ISR_EL1.I", (ISB(), READ(isr_el1)), BIT(7));
    priority(SPI_A, 0x20);
    gic_pend(SPI_A);
    check_eq("a higher group 0 hides group 1", ack(), SPURIOUS);
    check_eq("  ISR_EL1: only F", (ISB(), READ(isr_el1)), BIT(6));
    gic_unpend(SPI_A);
    gic_unpend(SPI_B);
    WRITE(ICC_IGRPEN0, 0);
    irq_hook = NULL;
}

void test_main(void)
{
    gic_init();
    identification();
    distributor();
    states();
    masks();
    preemption();
    eoi_mode();
    sgi();
    groups();
    finish();
}
