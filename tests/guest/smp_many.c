/* More CPUs than a cluster, a byte and the first region of redistributors hold: affinities, PSCI, SGIs to some and to
 * all, SPIs by IROUTER. Each CPU but 0 sleeps in WFI and counts what interrupts come.
 * Arm IHI 0069: 12.1 (ICC_SGI1R_EL1), 12.9 (GICD_IROUTER), 12.11 (GICR_TYPER); DEN0022: 5.5 to 5.7. */
#include "rt.h"

#define CPUS  260u
#define FIRST 123u /* redistributors in the first region */
#define SPI   42u
#define OTHER 0x4000000000ul

static volatile u32 alive[CPUS], got[CPUS], last[CPUS];
u64 stacks[CPUS][32] __attribute__((aligned(16)));

static u64 affinity(u32 n) { return n / 16 << 8 | n % 16; }
static u64 redist(u32 n) { return n < FIRST ? GICR(n) : OTHER + (n - FIRST) * 0x20000ul; }

void many_start(void);
void many_main(u32 n);
asm(".pushsection .text\n"
    "many_start: mrs x0, mpidr_el1\n"
    "    and x1, x0, #0xff00\n"
    "    and x0, x0, #0xff\n"
    "    add x0, x0, x1, lsr #4\n"
    "    ldr x2, =stacks\n"
    "    add x2, x2, x0, lsl #8\n"
    "    add sp, x2, #256\n"
    "    b many_main\n"
    ".popsection");

static void interface_open(u32 n)
{
    u64 rd = redist(n);
    MMIO32(rd + 0x14) &= ~2u;
    while (MMIO32(rd + 0x14) & 4)
        ;
    MMIO32(rd + 0x10000 + IGROUPR) = ~0u;
    MMIO32(rd + 0x10000 + ISENABLER) = 0xffff;
    WRITE(ICC_SRE, 7);
    ISB();
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN1, 1);
    ISB();
}

void many_main(u32 n)
{
    interface_open(n);
    alive[n] = 1;
    ASM("dsb sy; sev");
    for (;;) {
        ASM("wfi");
        u64 intid = READ(ICC_IAR1);
        if (intid == SPURIOUS)
            continue;
        WRITE(ICC_EOIR1, intid);
        last[n] = intid;
        got[n]++;
        if (intid == 3)
            alive[n] = 2; /* asked to go */
        ASM("dsb sy; sev");
        if (intid == 3)
            psci(PSCI_CPU_OFF, 0, 0, 0);
    }
}

/* Sum of all counts, after they have come, or a second. It yields, so that whoever runs CPUs by turns goes on. */
static u32 sum(u32 want)
{
    u32 s = 0;
    for (u64 end = counter() + 62500000; s != want && counter() < end;) {
        ASM("yield");
        s = 0;
        for (u32 n = 0; n < CPUS; n++)
            s += got[n];
    }
    delay(62500); /* what comes too much */
    s = 0;
    for (u32 n = 0; n < CPUS; n++)
        s += got[n];
    return s;
}

static void forget(void)
{
    for (u32 n = 0; n < CPUS; n++)
        got[n] = last[n] = 0;
    DSB();
}

static void typers(void)
{
    u32 wrong = 0;
    for (u32 n = 0; n < CPUS; n++) {
        u64 t = MMIO64(redist(n) + 8);
        wrong +=
            BITS(t, 63, 32) != affinity(n) || BITS(t, 23, 8) != n || BITS(t, 4, 4) != (n == FIRST - 1 || n == CPUS - 1);
    }
    check_eq("GICR_TYPER: affinity, processor number, Last of each region", wrong, 0);
}

static void power(void)
{
    u32 wrong = 0;
    check_eq("AFFINITY_INFO: off", psci(PSCI_AFFINITY_INFO, affinity(CPUS - 1), 0, 0), 1);
    for (u32 n = 1; n < CPUS; n++)
        wrong += psci(PSCI_CPU_ON, affinity(n), (u64)many_start, 0) != 0;
    check_eq("CPU_ON of each", wrong, 0);
    for (u32 n = 1; n < CPUS; n++)
        while (!alive[n])
            ASM("wfe");
    for (u32 n = 0; n < CPUS; n++)
        wrong += psci(PSCI_AFFINITY_INFO, affinity(n), 0, 0) != 0;
    check_eq("AFFINITY_INFO: all are on", wrong, 0);
    check_eq("CPU_ON: already on", psci(PSCI_CPU_ON, affinity(200), (u64)many_start, 0), (u64)-4);
    check_eq("CPU_ON: Aff0 16", psci(PSCI_CPU_ON, 16, (u64)many_start, 0), (u64)-2);
    check_eq("CPU_ON: no such cluster", psci(PSCI_CPU_ON, affinity(CPUS), (u64)many_start, 0), (u64)-2);
}

static void sgi(u32 cluster, u32 targets, u32 intid)
{
    WRITE(ICC_SGI1R, (u64)cluster << 16 | targets | (u64)intid << 24);
    ISB();
}

static void sgis(void)
{
    static const u32 one[] = { 1, 15, 16, 17, 122, 123, 255, 256, CPUS - 1 };
    u32 wrong = 0;
    for (u32 n = 0; n < COUNT(one); n++) {
        forget();
        sgi(one[n] / 16, BIT(one[n] % 16), 5);
        wrong += sum(1) != 1 || got[one[n]] != 1 || last[one[n]] != 5;
    }
    check_eq("SGI to one", wrong, 0);
    forget();
    sgi(7, 0xffff, 6);
    check_eq("SGI to a cluster, over both regions", sum(16), 16);
    for (u32 n = 112; n < 128; n++)
        wrong += got[n] != 1;
    check_eq("  each got it", wrong, 0);
    sgi(CPUS / 16, 0xfff0, 6);
    sgi(99, 0xffff, 6);
    sgi(0x80, 0xffff, 6);
    check_eq("SGI to CPUs that are not there", sum(16), 16);
    forget();
    WRITE(ICC_SGI1R, BIT(40) | 7 << 24);
    ISB();
    check_eq("SGI to all others", sum(CPUS - 1), CPUS - 1);
    for (u32 n = 1; n < CPUS; n++)
        wrong += got[n] != 1 || last[n] != 7;
    check_eq("  each got it once", wrong, 0);
}

static void spis(void)
{
    static const u32 to[] = { 16, 122, 123, 255, 256, CPUS - 1 };
    u32 wrong = 0;
    gic_enable(SPI, 0x80);
    MMIO32(GICD + 0xc00 + SPI / 16 * 4) |= 2u << SPI % 16 * 2; /* edge */
    for (u32 n = 0; n < COUNT(to); n++) {
        forget();
        MMIO64(GICD + 0x6000 + SPI * 8) = affinity(to[n]);
        gic_pend(SPI);
        wrong += sum(1) != 1 || last[to[n]] != SPI;
    }
    check_eq("SPI to the CPU of its IROUTER", wrong, 0);
}

static void off(void)
{
    sgi((CPUS - 1) / 16, BIT((CPUS - 1) % 16), 3);
    while (alive[CPUS - 1] != 2)
        ASM("wfe");
    delay(62500);
    check_eq("CPU_OFF", psci(PSCI_AFFINITY_INFO, affinity(CPUS - 1), 0, 0), 1);
    check_eq("  the others of its cluster are on", psci(PSCI_AFFINITY_INFO, affinity(CPUS - 1) & ~0xful, 1, 0), 0);
}

void test_main(void)
{
    gic_init();
    check_eq("MPIDR_EL1 of CPU 0", READ(mpidr_el1) & 0xff80ffffff, 0x80000000);
    typers();
    power();
    sgis();
    spis();
    off();
    finish();
}
