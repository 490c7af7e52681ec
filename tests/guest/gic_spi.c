/* SPIs that are messages, with GICv3 and four CPUs (one security state).
 * Arm IHI 0069: 12.9 (GICD_SETSPI_NSR, GICD_CLRSPI_NSR, GICD_SETSPI_SR, GICD_CLRSPI_SR, GICD_TYPER.MBIS). */
#include "rt.h"

#define SETSPI_NSR 0x40
#define CLRSPI_NSR 0x48
#define SETSPI_SR  0x50
#define CLRSPI_SR  0x58
#define ICFGR      0xc00
#define SPI        42u /* without a device on this board's lines */

static u32 typer(void) { return MMIO32(GICD + 4); }

static u64 hppir(void)
{
    DSB();
    ISB();
    return READ(ICC_HPPIR1);
}

static u64 ack(void)
{
    DSB();
    ISB();
    u64 intid = READ(ICC_IAR1);
    DSB();
    return intid;
}

static void eoi(u64 intid)
{
    WRITE(ICC_EOIR1, intid);
    ISB();
}

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

static void nothing(void)
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

void test_main(void)
{
    gic_init();
    irq_hook = take;
    check_eq("GICD_TYPER.MBIS", typer() >> 16 & 1, 1);
    edges();
    levels();
    nothing();
    finish();
}
