/* Several CPUs: PSCI, exclusives, SGIs, WFE and SEV, WFI, and TLB maintenance between them.
 * PSCI (Arm DEN0022) 5.1; Arm ARM B2.9 (exclusives), D1.6 (WFE, WFI), D8.13 (TLBI ...IS); Arm IHI 0069 12.2
 * (ICC_SGI1R). Entered at EL2 as psci, at EL1 as psci_el1. */
#include "rt.h"

#define CPUS 4
#define NOT_SUPPORTED  (-1)
#define INVALID        (-2)
#define ALREADY_ON     (-4)
#define INVALID_ADDRESS (-9)
#define ROUNDS         2000

static volatile u64 arrived[CPUS], entry_el[CPUS], entry_daif[CPUS], entry_mmu[CPUS], entry_mpidr[CPUS];
static volatile u64 stage, turn;
static u64 counter_excl;
static volatile u64 seen[CPUS], sgis[CPUS], sgi_from[CPUS];
static u64 *root;
static u8 page[2][4096] __attribute__((aligned(4096)));
#define SHARED_VA 0x80000000ul

static void mmu_on(void)
{
    if (current_el() == 2)
        mmu_on_el2(root);
    else
        mmu_on_el1(root);
}

/* Load-exclusive and store-exclusive without LSE. */
static void add_exclusive(u64 *p)
{
    u64 v;
    u32 failed;
    do {
        asm volatile("ldxr %0, [%2]\nadd %0, %0, #1\nstxr %w1, %0, [%2]" : "=&r"(v), "=&r"(failed) : "r"(p) : "memory");
    } while (failed);
}

static void wait_stage(u64 n)
{
    while (stage < n)
        ASM("wfe");
    DSB();
}

static void done(void)
{
    DSB();
    arrived[cpu_number()]++;
    ASM("dsb sy; sev");
}

static void wait_all(u64 n)
{
    for (u32 i = 1; i < CPUS; i++)
        while (arrived[i] < n)
            ASM("wfe");
    DSB();
}

static void next_stage(void)
{
    DSB();
    stage++;
    ASM("dsb sy; sev");
}

static void take_sgi(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    u32 cpu = cpu_number();
    u64 intid = READ(ICC_IAR1);
    if (intid == SPURIOUS)
        return;
    sgis[cpu]++;
    sgi_from[cpu] = intid;
    WRITE(ICC_EOIR1, intid);
    ISB();
}

static void secondary(void)
{
    u32 cpu = cpu_number();
    entry_el[cpu] = current_el();
    entry_daif[cpu] = READ(daif);
    entry_mmu[cpu] = (current_el() == 2 ? READ(sctlr_el2) : READ(sctlr_el1)) & 1;
    entry_mpidr[cpu] = READ(mpidr_el1);
    mmu_on();
    done(); /* 1: arrived */
    wait_stage(1);
    for (u32 i = 0; i < ROUNDS; i++)
        add_exclusive(&counter_excl);
    done(); /* 2: counted */
    wait_stage(2);
    while (turn != cpu)
        ASM("wfe");
    put_text("# CPU ");
    put_hex(cpu);
    put_text(" is here\n");
    turn = cpu + 1;
    ASM("dsb sy; sev");
    done(); /* 3: passed the turn on */
    wait_stage(3);
    gic_init_cpu();
    gic_enable(5, 0x80);
    gic_enable(6, 0x80);
    if (current_el() == 2)
        WRITE(hcr_el2, READ(hcr_el2) | BIT(4));
    done(); /* 4: ready for interrupts */
    while (!sgis[cpu])
        ASM("wfi; msr daifclr, #2; isb; msr daifset, #2");
    ASM("msr daifclr, #2");
    done(); /* 5: got one */
    wait_stage(4);
    ASM("msr daifset, #2");
    seen[cpu] = MMIO64(SHARED_VA);
    done(); /* 6: the first mapping is in this TLB */
    wait_stage(5);
    ISB();
    seen[cpu] = MMIO64(SHARED_VA);
    done(); /* 7 */
    wait_stage(6);
    done(); /* 8: about to go */
    psci(PSCI_CPU_OFF, 0, 0, 0);
}

static volatile u64 again;
static void second_life(void)
{
    again = READ(mpidr_el1) & 0xff;
    ASM("dsb sy; sev");
    psci(PSCI_CPU_OFF, 0, 0, 0);
}

static bool all(volatile u64 *v, u64 want)
{
    bool ok = true;
    for (u32 i = 1; i < CPUS; i++)
        ok &= v[i] == want;
    return ok;
}

static void calls(void)
{
    check_eq("PSCI_VERSION: 1.x", psci(PSCI_VERSION, 0, 0, 0) >> 16, 1);
    check_eq("PSCI_FEATURES of CPU_ON", (int)psci(PSCI_FEATURES, PSCI_CPU_ON, 0, 0), 0);
    check((int)psci(PSCI_FEATURES, 0x8400ff00, 0, 0) == NOT_SUPPORTED, "PSCI_FEATURES of an unknown function");
    check((int)psci(0x8400ff00, 0, 0, 0) == NOT_SUPPORTED, "unknown PSCI function");
    check_eq("MIGRATE_INFO_TYPE: nothing to migrate", (int)psci(0x84000006, 0, 0, 0), 2);
    check_eq("AFFINITY_INFO of CPU 0: on", (int)psci(PSCI_AFFINITY_INFO, 0, 0, 0), 0);
    check_eq("AFFINITY_INFO of CPU 1: off", (int)psci(PSCI_AFFINITY_INFO, 1, 0, 0), 1);
    check((int)psci(PSCI_AFFINITY_INFO, 0x30, 0, 0) == INVALID, "AFFINITY_INFO of no CPU");
    check((int)psci(PSCI_CPU_ON, 0x30, 0x40200000, 0) == INVALID, "CPU_ON of no CPU");
    check((int)psci(PSCI_CPU_ON, 0, 0x40200000, 0) == ALREADY_ON, "CPU_ON of CPU 0");
    static const struct {
        u32 fn;
        u64 a, b;
        int result;
        const char *what;
    } refused[] = {
        { PSCI_CPU_ON, BIT(31) | 1, 0x40200000, INVALID, "CPU_ON: bit 31 of the target" },
        { PSCI_CPU_ON, BIT(40) | 1, 0x40200000, INVALID, "CPU_ON: bit 40 of the target" },
        { PSCI_CPU_ON, 1, 0x40200002, INVALID_ADDRESS, "CPU_ON at a misaligned address" },
        { PSCI_AFFINITY_INFO, 0x100, 1, INVALID, "AFFINITY_INFO of no cluster" },
        { PSCI_AFFINITY_INFO, 0, 4, INVALID, "AFFINITY_INFO above level 3" },
        { PSCI_CPU_SUSPEND, BIT(31), 0x40200000, INVALID, "CPU_SUSPEND: reserved bits of power_state" },
        { PSCI_FEATURES, 0x84000012, 0, 0, "PSCI_FEATURES: SYSTEM_RESET2 is there" },
        { 0x84000012, 1, 0, INVALID, "SYSTEM_RESET2 of a reserved type" },
        { 0xc4000012, BIT(31), 0, INVALID, "SYSTEM_RESET2 of a vendor's type" },
        { 0xc400000e, 0x40200000, 0, NOT_SUPPORTED, "SYSTEM_SUSPEND" },
        { 0xc4000005, 1, 0, NOT_SUPPORTED, "MIGRATE" },
    };
    for (u32 i = 0; i < COUNT(refused); i++)
        check((int)psci(refused[i].fn, refused[i].a, refused[i].b, 0) == refused[i].result, refused[i].what);
}

static void start(void)
{
    for (u32 i = 1; i < CPUS; i++)
        check_eq("CPU_ON", cpu_start(i, secondary), 0);
    wait_all(1);
    check(all(entry_el, current_el()), "each CPU starts at the EL of the caller");
    check(all(entry_daif, 0x3c0), "  with all interrupts masked");
    check(all(entry_mmu, 0), "  with the MMU off");
    bool ok = true;
    for (u32 i = 1; i < CPUS; i++)
        ok &= (entry_mpidr[i] & 0xff) == i;
    check(ok, "  with its MPIDR_EL1");
    check((int)psci(PSCI_CPU_ON, 1, 0x40200000, 0) == ALREADY_ON, "CPU_ON of a CPU that is on");
    check_eq("AFFINITY_INFO of it: on", (int)psci(PSCI_AFFINITY_INFO, 1, 0, 0), 0);
}

static void sharing(void)
{
    mmu_on();
    next_stage();
    for (u32 i = 0; i < ROUNDS; i++)
        add_exclusive(&counter_excl);
    wait_all(2);
    check_eq("exclusives: no increment is lost", counter_excl, CPUS * ROUNDS);
    next_stage();
    turn = 1;
    ASM("dsb sy; sev");
    while (turn != CPUS)
        ASM("wfe");
    check_eq("WFE and SEV: the turn went round", turn, CPUS);
    wait_all(3);
}

static void interrupts(void)
{
    gic_init();
    gic_enable(5, 0x80);
    gic_enable(6, 0x80);
    irq_hook = take_sgi;
    if (current_el() == 2)
        WRITE(hcr_el2, READ(hcr_el2) | BIT(4));
    next_stage();
    wait_all(4);
    ASM("msr daifclr, #2");
    WRITE(ICC_SGI1R, 5ul << 24 | 1 << 2);
    while (!sgis[2])
        ASM("wfe");
    delay(1000);
    check(sgis[0] + sgis[1] + sgis[3] == 0 && sgi_from[2] == 5, "SGI to CPU 2 alone");
    WRITE(ICC_SGI1R, 6ul << 24 | 1ul << 40);
    wait_all(5);
    while (sgis[2] < 2)
        ASM("yield");
    check(sgis[0] == 0 && sgis[1] == 1 && sgis[2] == 2 && sgis[3] == 1, "SGI to all but self");
    WRITE(ICC_SGI1R, 5ul << 24 | 0xf);
    while (sgis[0] < 1 || sgis[1] < 2 || sgis[2] < 3 || sgis[3] < 2)
        ASM("yield");
    check(all((volatile u64[]){ 0, sgis[1], sgis[2] - 1, sgis[3] }, 2) && sgis[0] == 1, "SGI to a list with self");
    ASM("msr daifset, #2");
}

static void tlb(void)
{
    u64 attr = RAM_ATTR | PT_AP(current_el() == 2);
    *(volatile u64 *)page[0] = 111;
    *(volatile u64 *)page[1] = 222;
    *pt_entry(root, SHARED_VA, 3) = (u64)page[0] | attr | 3;
    DSB();
    next_stage();
    wait_all(6);
    check(all(seen, 111), "a page that all map");
    *pt_entry(root, SHARED_VA, 3) = 0;
    DSB();
    if (current_el() == 2)
        asm volatile("tlbi vae2is, %0; dsb sy; isb" : : "r"(SHARED_VA >> 12) : "memory");
    else
        asm volatile("tlbi vaae1is, %0; dsb sy; isb" : : "r"(SHARED_VA >> 12) : "memory");
    *pt_entry(root, SHARED_VA, 3) = (u64)page[1] | attr | 3;
    DSB();
    next_stage();
    wait_all(7);
    check(all(seen, 222), "TLBI ...IS: all see the new mapping");
}

static void stopping(void)
{
    next_stage();
    wait_all(8);
    for (u32 i = 1; i < CPUS; i++)
        while ((int)psci(PSCI_AFFINITY_INFO, i, 0, 0) != 1)
            ASM("yield");
    check(true, "CPU_OFF: AFFINITY_INFO says off");
    check_eq("CPU_ON after CPU_OFF", cpu_start(3, second_life), 0);
    while (!again)
        ASM("wfe");
    check_eq("it runs again", again, 3);
}

void test_main(void)
{
    root = pt_identity(current_el() == 2 ? S1_EL2 : S1_EL1);
    pt_entry(root, SHARED_VA, 3);
    calls();
    start();
    sharing();
    interrupts();
    tlb();
    stopping();
    finish();
}
