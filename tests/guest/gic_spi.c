/* SPIs that are messages, and SPIs of which any CPU may be chosen (1 of N), with GICv3 and four CPUs (one security
 * state). Arm IHI 0069: 12.9 (GICD_SETSPI_NSR, GICD_CLRSPI_NSR, GICD_SETSPI_SR, GICD_CLRSPI_SR, GICD_IROUTER,
 * GICD_TYPER), 12.11 (GICR_CTLR.DPG1NS, GICR_TYPER.DPGS). */
#include "workers.h"
#include "icc.h"

#define SETSPI_NSR 0x40
#define CLRSPI_NSR 0x48
#define SETSPI_SR  0x50
#define CLRSPI_SR  0x58
#define ICFGR      0xc00
#define SPI        42u /* without a device on this board's lines */

static u32 typer(void) { return MMIO32(GICD + 4); }

static void configure(u32 intid, bool edge)
{
    volatile u32 *r = &MMIO32(GICD + ICFGR + intid / 16 * 4);
    u32 bit = 2u << intid % 16 * 2;
    *r = edge ? *r | bit : *r & ~bit;
    DSB();
}

static void message(u32 reg, u32 intid)
{
    MMIO32(GICD + reg) = intid;
    DSB();
}

static u32 taken;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    eoi(ack());
    taken++;
}

static void edges(void)
{
    configure(SPI, true);
    gic_enable(SPI, 0x80);
    message(SETSPI_NSR, SPI);
    check_eq("edge: SETSPI_NSR makes it pending", hppir(), SPI);
    check_eq("  the register is write-only", MMIO32(GICD + SETSPI_NSR), 0);
    message(CLRSPI_NSR, SPI);
    check_eq("  CLRSPI_NSR does away with it", hppir(), SPURIOUS);
    MMIO16(GICD + SETSPI_NSR) = SPI;
    check_eq("a message of 16 bits", hppir(), SPI);
    check_eq("  acknowledged", ack(), SPI);
    check(!gic_is_pending(SPI), "  and no longer pending");
    message(SETSPI_NSR, SPI);
    check(gic_is_pending(SPI) && gic_is_active(SPI), "another while it is active: active and pending");
    eoi(SPI);
    check_eq("  signalled after its end", ack(), SPI);
    eoi(SPI);
    message(SETSPI_NSR, SPI);
    gic_unpend(SPI);
    check_eq("ICPENDR clears an edge", hppir(), SPURIOUS);
    message(SETSPI_NSR, SPI);
    taken = 0;
    ASM("msr daifclr, #2; isb; nop; msr daifset, #2");
    check_eq("taken as an interrupt, once", taken, 1);
}

static void levels(void)
{
    configure(SPI, false);
    message(SETSPI_NSR, SPI);
    check_eq("level: SETSPI_NSR makes it pending", ack(), SPI);
    check(gic_is_pending(SPI) && gic_is_active(SPI), "  acknowledged: active and pending");
    eoi(SPI);
    check_eq("  ended: pending", hppir(), SPI);
    gic_unpend(SPI);
    check_eq("  ICPENDR leaves it", hppir(), SPI);
    message(CLRSPI_NSR, SPI);
    check_eq("  CLRSPI_NSR ends it", hppir(), SPURIOUS);
    message(SETSPI_NSR, SPI);
    ack();
    message(CLRSPI_NSR, SPI);
    check(!gic_is_pending(SPI) && gic_is_active(SPI), "CLRSPI_NSR of an active and pending one: active");
    eoi(SPI);
    check_eq("  ended: nothing is pending", hppir(), SPURIOUS);
}

static void no_spi(void)
{
    static const u32 wrong[] = { 0, 31, 1020, 1023, 0x1fff };
    for (u32 n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        message(SETSPI_NSR, wrong[n]);
        message(CLRSPI_NSR, wrong[n]);
    }
    check(hppir() == SPURIOUS && !gic_is_pending(31) && !gic_is_pending(0), "an INTID that is no SPI: nothing");
    message(SETSPI_SR, SPI);
    check(!gic_is_pending(SPI), "DS 1: SETSPI_SR is WI");
    message(SETSPI_NSR, SPI);
    message(CLRSPI_SR, SPI);
    check(gic_is_pending(SPI), "  and CLRSPI_SR");
    message(CLRSPI_NSR, SPI);
}

/* ---- 1 of N ---- */

static u64 take_it(u64 a)
{
    (void)a;
    u64 intid = ack();
    if (intid != SPURIOUS)
        eoi(intid);
    return intid;
}

static u64 group_enable(u64 enable)
{
    WRITE(ICC_IGRPEN1, enable);
    ISB();
    return 0;
}

static u64 turn_off(u64 a)
{
    (void)a;
    psci(PSCI_CPU_OFF, 0, 0, 0);
    return 0;
}

/* Sets GICR_CTLR.DPG1NS of those CPUs. */
static void take_out(u32 cpus)
{
    for (u32 n = 0; n < CPUS; n++)
        MMIO32(GICR(n)) = cpus >> n & 1 ? BIT(25) : 0;
    DSB();
}

/* Which of CPUs 0 to `last` see the SPI: a bit each. */
static u64 seen_up_to(u32 last)
{
    u64 set = 0;
    for (u32 n = 0; n <= last; n++)
        set |= (u64)(on(n, hppir_of, 0) == SPI) << n;
    return set;
}

static void one_of_n(void)
{
    check_eq("GICD_TYPER.No1N 0", typer() >> 25 & 1, 0);
    for (u32 n = 0; n < CPUS; n++)
        check_eq("GICR_TYPER.DPGS", MMIO32(GICR(n) + 8) >> 5 & 1, 1);
    configure(SPI, true);
    MMIO64(GICD + 0x6000 + SPI * 8) = BIT(31);
    message(SETSPI_NSR, SPI);
    u64 seen = seen_up_to(3);
    check(seen && !(seen & (seen - 1)), "IRM 1: one CPU sees it");
    u32 takers = 0;
    for (u32 n = 0; n < CPUS; n++)
        takers += on(n, take_it, 0) == SPI;
    check_eq("  and one takes it", takers, 1);
    take_out(0xb);
    check_eq("GICR_CTLR.DPG1NS reads back", MMIO32(GICR(0)) & 0x7000000, BIT(25));
    message(SETSPI_NSR, SPI);
    check_eq("DPG1NS of all but CPU 2: CPU 2 sees it", seen_up_to(3), BIT(2));
    take_out(0xf);
    check_eq("DPG1NS of all: nobody", seen_up_to(3), 0);
    check(gic_is_pending(SPI), "  it stays pending");
    take_out(0x7);
    check_eq("  then CPU 3", on(3, ack_of, 0), SPI);
    message(SETSPI_NSR, SPI);
    take_out(0xd);
    check_eq("active: nobody sees it, chosen or not", seen_up_to(3), 0);
    on(3, eoi_of, SPI);
    check_eq("  ended: CPU 1 does", seen_up_to(3), BIT(1));
    on(1, group_enable, 0);
    check_eq("ICC_IGRPEN1_EL1 0 at CPU 1: nobody", seen_up_to(3), 0);
    on(1, group_enable, 1);
    check_eq("  and 1: CPU 1", on(1, take_it, 0), SPI);
    take_out(0x3);
    message(SETSPI_NSR, SPI);
    seen = seen_up_to(3);
    check(seen == BIT(2) || seen == BIT(3), "CPU 2 or CPU 3");
    job[2] = turn_off;
    ASM("dsb sy; sev");
    while (psci(PSCI_AFFINITY_INFO, 2, 0, 0) != 1)
        ;
    check_eq("CPU 2 is off: CPU 3", on(3, take_it, 0), SPI);
    take_out(0);
    MMIO64(GICD + 0x6000 + SPI * 8) = 1;
    message(SETSPI_NSR, SPI);
    check_eq("IRM 0: the CPU of IROUTER", seen_up_to(1), BIT(1));
    message(CLRSPI_NSR, SPI);
}

void test_main(void)
{
    gic_init();
    irq_hook = take;
    check_eq("GICD_TYPER.MBIS", typer() >> 16 & 1, 1);
    edges();
    levels();
    no_spi();
    workers_start();
    one_of_n();
    finish();
}
