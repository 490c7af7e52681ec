/* GICv3 with four CPUs: redistributors, SPIs routed and moved, SGIs and timers that are each CPU's own.
 * Arm IHI 0069: 4.7 (routing), 12.9 (GICD_IROUTER), 12.11 (GICR). */
#include "workers.h"

#define SPI  42u
#define SGI7 7u
#define CNTV 27u

static u64 ack(u64 a)
{
    (void)a;
    ISB();
    u64 intid = READ(ICC_IAR1);
    DSB();
    ISB();
    return intid;
}

static u64 eoi(u64 intid)
{
    WRITE(ICC_EOIR1, intid);
    ISB();
    return 0;
}

static u64 hppir(u64 a)
{
    (void)a;
    ISB();
    return READ(ICC_HPPIR1);
}

static u64 deactivate(u64 intid)
{
    WRITE(ICC_DIR, intid);
    ISB();
    return 0;
}

static u64 eoi_mode(u64 mode)
{
    WRITE(ICC_CTLR, (READ(ICC_CTLR) & ~2ul) | mode << 1);
    ISB();
    return 0;
}

static u64 enable(u64 intid)
{
    gic_enable(intid, 0x80);
    return 0;
}

static u64 timer(u64 ticks)
{
    WRITE(cntv_tval_el0, ticks);
    WRITE(cntv_ctl_el0, ticks ? 1 : 0);
    ISB();
    return 0;
}

static u32 count;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    eoi(ack(0));
    count++;
}

static u64 unmask(u64 a)
{
    (void)a;
    count = 0;
    ASM("msr daifclr, #2; isb; nop; msr daifset, #2");
    return count;
}

static void route(u32 cpu)
{
    MMIO64(GICD + 0x6000 + SPI * 8) = cpu;
    DSB();
    ISB();
}

/* Which CPUs see the INTID as their highest pending: one bit each. */
static u64 seen_by(u32 intid)
{
    u64 mask = 0;
    for (u32 i = 0; i < CPUS; i++)
        mask |= (u64)(on(i, hppir, 0) == intid) << i;
    return mask;
}

static u64 pending_at(u32 cpu, u32 intid)
{
    DSB();
    return MMIO32(GICR_SGI(cpu) + 0x200) >> intid & 1;
}

static void redistributors(void)
{
    for (u32 i = 0; i < CPUS; i++) {
        u64 t = MMIO64(GICR(i) + 8);
        check(BITS(t, 63, 32) == i && BITS(t, 23, 8) == i && BITS(t, 4, 4) == (i == CPUS - 1),
              "GICR_TYPER: affinity, processor number, Last");
    }
}

static void spis(void)
{
    gic_enable(SPI, 0x80);
    MMIO32(GICD + 0xc00 + SPI / 16 * 4) |= 2u << SPI % 16 * 2; /* edge */
    for (u32 i = 0; i < CPUS; i++) {
        route(i);
        gic_pend(SPI);
        check_eq("SPI: only the CPU of its IROUTER sees it", seen_by(SPI), BIT(i));
        check_eq("  and takes it", on(i, unmask, 0), 1);
        check_eq("  once", seen_by(SPI), 0);
    }
    route(1);
    gic_pend(SPI);
    route(2);
    check_eq("pending and routed elsewhere: it moves", seen_by(SPI), BIT(2));
    check_eq("acknowledged there", on(2, ack, 0), SPI);
    gic_pend(SPI);
    route(3);
    check_eq("active and pending: nobody sees it", seen_by(SPI), 0);
    on(2, eoi, SPI);
    check_eq("ended: the new CPU sees it", seen_by(SPI), BIT(3));
    on(3, eoi_mode, 1);
    on(3, ack, 0);
    on(3, eoi, SPI);
    check(gic_is_active(SPI), "EOImode 1: dropped, still active");
    eoi_mode(1);
    deactivate(SPI);
    check(!gic_is_active(SPI), "DIR on another CPU deactivates an SPI");
    eoi_mode(0);
    on(3, eoi_mode, 0);
    gic_disable(SPI);
}

static void sgis(void)
{
    for (u32 i = 0; i < CPUS; i++)
        on(i, enable, SGI7);
    WRITE(ICC_SGI1R, (u64)SGI7 << 24 | 1 << 1 | 1 << 3);
    DSB();
    check_eq("SGI to CPUs 1 and 3", seen_by(SGI7), BIT(1) | BIT(3));
    check(pending_at(1, SGI7) && !pending_at(2, SGI7), "  GICR_ISPENDR0 of each, read from CPU 0");
    MMIO32(GICR_SGI(3) + 0x280) = BIT(SGI7);
    DSB();
    check_eq("  cleared for CPU 3 by CPU 0", seen_by(SGI7), BIT(1));
    check_eq("  taken by CPU 1", on(1, unmask, 0), 1);
    MMIO32(GICR_SGI(2) + 0x200) = BIT(SGI7);
    DSB();
    check_eq("set for CPU 2 by CPU 0", seen_by(SGI7), BIT(2));
    check_eq("  taken by CPU 2", on(2, unmask, 0), 1);
    MMIO8(GICR_SGI(2) + 0x400 + SGI7) = 0x20;
    check(MMIO8(GICR_SGI(1) + 0x400 + SGI7) == 0x80 && MMIO8(GICR_SGI(2) + 0x400 + SGI7) == 0x20,
          "priority of an SGI is each CPU's own");
}

static void timers(void)
{
    for (u32 i = 0; i < CPUS; i++)
        on(i, enable, CNTV);
    on(1, timer, (u64)-1);
    on(2, timer, 1000000000);
    check(pending_at(1, CNTV) && !pending_at(0, CNTV) && !pending_at(2, CNTV), "CNTV of CPU 1 is due, of CPU 2 not");
    on(2, timer, (u64)-1);
    check_eq("CNTV of CPU 2 is due too", seen_by(CNTV), BIT(1) | BIT(2));
    on(1, timer, 0);
    check_eq("  CPU 1's is off", seen_by(CNTV), BIT(2));
    on(2, timer, 0);
    check_eq("  and CPU 2's", seen_by(CNTV), 0);
}

void test_main(void)
{
    gic_init();
    irq_hook = take;
    redistributors();
    workers_start();
    spis();
    sgis();
    timers();
    finish();
}
