/* GICv2 with one security state: distributor, SGIs between CPUs, targets, the CPU interface, GICv2m, from EL1.
 * Arm IHI 0048B: 3.2 (life of an interrupt), 3.3 (priorities), 4.3 (GICD), 4.4 (GICC). */
#include "gicv2.h"

static void identification(void)
{
    u32 typer = get32(GICD + 4);
    check_eq("ICPIDR2: GICv2", get32(GICD + PIDR2) >> 4 & 15, 2);
    check_eq("GICD_TYPER.CPUNumber", typer >> 5 & 7, 3);
    check_eq("GICD_TYPER.SecurityExtn 0", typer >> 10 & 1, 0);
    check((typer & 31) >= 1, "GICD_TYPER: there are SPIs");
    check_eq("GICC_IIDR: GICv2", get32(GICC + C_IIDR) >> 16 & 15, 2);
    exc_expect();
    (void)READ(ICC_SRE);
    check_eq("ICC_SRE_EL1 is UNDEFINED", esr_ec(EXC.esr) << 8 | EXC.count, 1);
    check_eq("ID_AA64PFR0_EL1.GIC 0", READ(id_aa64pfr0_el1) >> 24 & 15, 0);
}

static void distributor(void)
{
    check_eq("ITARGETSR0: this CPU", get32(GICD + ITARGETSR), 0x01010101);
    put32(GICD + ITARGETSR, 0x02020202);
    check_eq("ITARGETSR0 is read-only", get32(GICD + ITARGETSR), 0x01010101);
    put32(GICD + ITARGETSR + (SPI_A & ~3u), 0xffff0300);
    check_eq("ITARGETSR of SPIs: CPUs that are there", get32(GICD + ITARGETSR + (SPI_A & ~3u)), 0x0f0f0300);
    check_eq("ITARGETSR as a byte", MMIO8(GICD + ITARGETSR + SPI_A), 3);
    put32(GICD + ITARGETSR + (SPI_A & ~3u), 0x01010101);
    bit_set(ISENABLER, SPI_A);
    check(bit_get(ISENABLER, SPI_A) && bit_get(ICENABLER, SPI_A), "ISENABLER sets, both registers read it");
    bit_set(ICENABLER, SPI_A);
    check(!bit_get(ISENABLER, SPI_A), "ICENABLER clears");
    bit_set(ISACTIVER, SPI_A);
    check(bit_get(ISACTIVER, SPI_A) && bit_get(ICACTIVER, SPI_A), "ISACTIVER sets, both registers read it");
    bit_set(ICACTIVER, SPI_A);
    check(!bit_get(ISACTIVER, SPI_A), "ICACTIVER clears");
    bit_set(ISPENDR, 3);
    check(!bit_get(ISPENDR, 3), "ISPENDR does not make an SGI pending");
    MMIO8(GICD + SPENDSGIR + 3) =
        2; /* QEMU makes SGIs without a sender pending by the other bytes of a word, and aborts */
    DSB();
    check(bit_get(ISPENDR, 3), "SPENDSGIR does");
    check_eq("SPENDSGIR reads its sender", get32(GICD + SPENDSGIR), 0x02000000);
    bit_set(ICPENDR, 3);
    check(bit_get(ISPENDR, 3), "ICPENDR does not take it away");
    put32(GICD + CPENDSGIR, 0x02000000);
    check(!bit_get(ISPENDR, 3), "CPENDSGIR does");
    put32(GICD + IPRIORITYR + 44, 0x40302010);
    check_eq("IPRIORITYR as a word", get32(GICD + IPRIORITYR + 44), 0x40302010);
    check_eq("IPRIORITYR as a byte", MMIO8(GICD + IPRIORITYR + 46), 0x30);
    put32(GICD + ICFGR + 8, 0xaaaaaaaa);
    check_eq("ICFGR2: edge", get32(GICD + ICFGR + 8), 0xaaaaaaaa);
    put32(GICD + ICFGR + 8, 0);
    put32(GICD + ICFGR, 0);
    check_eq("ICFGR0: SGIs are edge", get32(GICD + ICFGR), 0xaaaaaaaa);
}

static void life(void)
{
    put32(GICD, 3);
    interface_on(EN0);
    check_eq("nothing pending: IAR", get32(GICC + C_IAR), SPURIOUS);
    check_eq("nothing pending: HPPIR", get32(GICC + C_HPPIR), SPURIOUS);
    check_eq("nothing active: RPR", get32(GICC + C_RPR), 0xff);
    raise(SPI_A, 0, 0x80);
    check_eq("HPPIR", get32(GICC + C_HPPIR), SPI_A);
    check_eq("ISR_EL1.I", READ(isr_el1), BIT(7));
    check_eq("IAR", get32(GICC + C_IAR), SPI_A);
    check(bit_get(ISACTIVER, SPI_A) && !bit_get(ISPENDR, SPI_A), "  active, no longer pending");
    check_eq("  RPR", get32(GICC + C_RPR), 0x80);
    check_eq("  ISR_EL1", READ(isr_el1), 0);
    bit_set(ISPENDR, SPI_A);
    check_eq("active and pending: not again", get32(GICC + C_IAR), SPURIOUS);
    put32(GICC + C_EOIR, SPI_A);
    check_eq("after its end it is", get32(GICC + C_IAR), SPI_A);
    put32(GICC + C_EOIR, SPURIOUS);
    check(bit_get(ISACTIVER, SPI_A), "EOIR of 1023 does nothing");
    raise(SPI_B, 0, 0x40);
    check_eq("a higher priority preempts", get32(GICC + C_IAR), SPI_B);
    put32(GICC + C_EOIR, SPI_B);
    raise(SPI_B, 0, 0x80);
    check_eq("the same does not", get32(GICC + C_IAR), SPURIOUS);
    bit_set(ICPENDR, SPI_B);
    put32(GICC + C_EOIR, SPI_A);
    put32(GICC + C_PMR, 0x80);
    raise(SPI_A, 0, 0x80);
    check_eq("masked by PMR", get32(GICC + C_IAR), SPURIOUS);
    put32(GICC + C_PMR, 0x88);
    check_eq("no longer masked", get32(GICC + C_IAR), SPI_A);
    put32(GICC + C_CTLR, EN0 | EOIMODE);
    put32(GICC + C_EOIR, SPI_A);
    check(bit_get(ISACTIVER, SPI_A) && get32(GICC + C_RPR) == 0xff, "EOImode: EOIR drops the priority only");
    put32(GICC + C_DIR, SPI_A);
    check(!bit_get(ISACTIVER, SPI_A), "  DIR deactivates");
    put32(GICC + C_PMR, 0xf8);
    put32(GICC + C_CTLR, EN0);
}

static void preemption(void)
{
    put32(GICC + C_BPR, 5); /* group priority <7:6> */
    raise(SPI_A, 0, 0xa0);
    check_eq("BPR: IAR", get32(GICC + C_IAR), SPI_A);
    check_eq("  RPR is the group priority", get32(GICC + C_RPR), 0x80);
    raise(SPI_B, 0, 0x80);
    check_eq("  of the same group priority: not", get32(GICC + C_IAR), SPURIOUS);
    priority_put(SPI_B, 0x78);
    check_eq("  of a higher one", get32(GICC + C_IAR), SPI_B);
    put32(GICC + C_EOIR, SPI_B);
    put32(GICC + C_EOIR, SPI_A);
    put32(GICC + C_BPR, 2);
}

static u64 took;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)el;
    u32 iar = get32(GICC + C_IAR);
    took = vector << 16 | iar;
    put32(GICC + C_EOIR, iar);
}

static void groups(void)
{
    irq_hook = take;
    put32(GICC + C_CTLR, EN0 | EN1 | FIQEN);
    raise(SPI_A, 0, 0x80);
    check_eq("FIQEn, group 0: ISR_EL1", READ(isr_el1), BIT(6));
    check_eq("  AIAR does not take it", get32(GICC + C_AIAR), SPURIOUS);
    check_eq("  AHPPIR does not see it", get32(GICC + C_AHPPIR), SPURIOUS);
    ASM("msr daifclr, #3; isb; nop; msr daifset, #3");
    check_eq("  it is an FIQ", took, (u64)(FROM_SPX + FIQ) << 16 | SPI_A);
    raise(SPI_B, 1, 0x80);
    check_eq("group 1: ISR_EL1", READ(isr_el1), BIT(7));
    check_eq("  HPPIR without AckCtl: 1022", get32(GICC + C_HPPIR), GROUP1);
    check_eq("  IAR without AckCtl: 1022", get32(GICC + C_IAR), GROUP1);
    check(!bit_get(ISACTIVER, SPI_B), "  which acknowledges nothing");
    check_eq("  AHPPIR", get32(GICC + C_AHPPIR), SPI_B);
    check_eq("  AIAR", get32(GICC + C_AIAR), SPI_B);
    put32(GICC + C_AEOIR, SPI_B);
    check(!bit_get(ISACTIVER, SPI_B), "  AEOIR");
    put32(GICC + C_CTLR, EN0 | EN1 | FIQEN | ACKCTL);
    bit_set(ISPENDR, SPI_B);
    ASM("msr daifclr, #3; isb; nop; msr daifset, #3");
    check_eq("  with AckCtl IAR takes it: an IRQ", took, (u64)(FROM_SPX + IRQ) << 16 | SPI_B);
    put32(GICC + C_CTLR, EN0 | FIQEN | ACKCTL);
    bit_set(ISPENDR, SPI_B);
    raise(SPI_A, 0, 0xa0);
    check_eq("a disabled group hides lower priorities: ISR_EL1", READ(isr_el1), 0);
    bit_set(ICPENDR, SPI_B);
    check_eq("  no longer", READ(isr_el1), BIT(6));
    check_eq("  IAR", get32(GICC + C_IAR), SPI_A);
    put32(GICC + C_EOIR, SPI_A);
    group_put(SPI_B, 0);
    put32(GICC + C_CTLR, EN0);
    irq_hook = NULL;
}

static void messages(void)
{
    u32 typer = get32(V2M + 8), first = typer >> 16 & 0x3ff;
    check_eq("GICv2m: 64 SPIs from 80 on", typer, 80 << 16 | 64);
    put32(GICD + ICFGR + first / 16 * 4, 0xaaaaaaaa);
    put32(GICD + ITARGETSR + first, 1);
    priority_put(first, 0x80);
    bit_set(ISENABLER, first);
    put32(V2M + 0x40, first);
    check_eq("MSI_SETSPI_NS", get32(GICC + C_IAR), first);
    put32(GICC + C_EOIR, first);
    put32(V2M + 0x40, first - 1);
    put32(V2M + 0x40, first + 64);
    check_eq("no SPI of its own", get32(GICC + C_IAR), SPURIOUS);
}

/* ---- several CPUs ---- */

static volatile u64 heard[4], go[4];
static void other(void)
{
    u32 me = cpu_number();
    u32 banked = get32(GICD + ITARGETSR);
    interface_on(EN0);
    heard[me] = 1ul << 32 | banked;
    for (;;) {
        while (!go[me])
            ;
        go[me] = 0;
        u32 iar = get32(GICC + C_IAR);
        if ((iar & 0x3ff) != SPURIOUS)
            put32(GICC + C_EOIR, iar);
        heard[me] = 2ul << 32 | iar;
        DSB();
    }
}
static u32 ask(u32 n)
{
    heard[n] = 0;
    DSB();
    go[n] = 1;
    while (!heard[n])
        ;
    return (u32)heard[n];
}

static void several(void)
{
    for (u32 n = 1; n < 4; n++) {
        cpu_start(n, other);
        while (!heard[n])
            ;
        check_eq("ITARGETSR0 of another CPU", heard[n] & 0xff, BIT(n));
    }
    put32(GICD + SGIR, 0 << 24 | 0x6 << 16 | 5);
    check_eq("SGI to a list: CPU 1", ask(1), 5);
    check_eq("  CPU 2", ask(2), 5);
    check_eq("  not CPU 3", ask(3), SPURIOUS);
    put32(GICD + SGIR, 1 << 24 | 6);
    check_eq("SGI to all others: CPU 3", ask(3), 6);
    check_eq("  not this CPU", get32(GICC + C_IAR), SPURIOUS);
    check_eq("  CPU 1", ask(1) + ask(2), 12);
    put32(GICD + SGIR, 2 << 24 | 7);
    check_eq("SGI to this CPU", get32(GICC + C_IAR), 7);
    put32(GICC + C_EOIR, 7);
    MMIO8(GICD + SPENDSGIR + 4) = 0x0c; /* SGI 4 from CPUs 2 and 3 */
    DSB();
    u32 a = get32(GICC + C_IAR);
    put32(GICC + C_EOIR, a);
    u32 b = get32(GICC + C_IAR);
    put32(GICC + C_EOIR, b);
    check((a == (2 << 10 | 4) && b == (3 << 10 | 4)) || (b == (2 << 10 | 4) && a == (3 << 10 | 4)),
          "an SGI of each sender, with its number");
    check_eq("  and no more", get32(GICC + C_IAR), SPURIOUS);
    MMIO8(GICD + ITARGETSR + SPI_A) = 0xa;
    raise(SPI_A, 0, 0x80);
    check_eq("an SPI to CPUs 1 and 3: not this one", get32(GICC + C_IAR), SPURIOUS);
    check_eq("  not CPU 2", ask(2), SPURIOUS);
    check_eq("  CPU 3", ask(3), SPI_A);
    check_eq("  then no longer CPU 1", ask(1), SPURIOUS);
    MMIO8(GICD + ITARGETSR + SPI_A) = 1;
    check_eq("one CPU asks for its own", get32(GICC + C_IAR), SPURIOUS);
}

void test_main(void)
{
    identification();
    distributor();
    life();
    preemption();
    groups();
    messages();
    several();
    finish();
}
