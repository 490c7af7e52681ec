/* Four CPUs (ops = units of work, each some 4000 instructions over 16 KiB of the CPU's own).
 *
 * smp4.one: one CPU does all of it, the others are off. smp4.four: each does a quarter, at the same time. smp4.meet:
 * the four meet after each unit, and wait for each other with YIELD; smp4.sleep: with WFE. */
#include "bench.h"

enum { CPUS = 4, UNITS = 2000, WORDS = 2048, MEETINGS = 200 };

static u64 words[CPUS][WORDS] __attribute__((aligned(4096)));
static volatile u64 sums[CPUS];
static volatile u32 phase, finished, came, meeting;
static u64 *root;

static __attribute__((noinline)) u64 mixed(u64 x)
{
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9;
    return x ^ x >> 32;
}

static u64 unit(u32 who, u64 x)
{
    u64 *own = words[who];
    for (u32 n = 0; n < 256; n++) {
        u64 *word = &own[x % WORDS];
        *word += x;
        x = mixed(*word ^ n);
    }
    return x;
}

static u64 work(u32 who, u32 units)
{
    u64 x = who + 1;
    for (u32 n = 0; n < WORDS; n++)
        words[who][n] = n;
    for (u32 n = 0; n < units; n++)
        x = unit(who, x);
    return x;
}

static void add(volatile u32 *to)
{
    __atomic_add_fetch(to, 1, __ATOMIC_ACQ_REL);
    ASM("dsb sy; sev");
}

static u64 meet(u32 who, bool sleeps)
{
    u64 x = who + 1;
    for (u32 n = 0; n < WORDS; n++)
        words[who][n] = n;
    for (u32 n = 0; n < MEETINGS; n++) {
        x = unit(who, x);
        u32 now = meeting;
        if (__atomic_add_fetch(&came, 1, __ATOMIC_ACQ_REL) == CPUS) {
            came = 0;
            add(&meeting);
        }
        while (meeting == now)
            if (sleeps)
                ASM("wfe");
            else
                ASM("yield");
    }
    return x;
}

static void take_part(u32 who, u32 in)
{
    sums[who] = in == 1 ? work(who, UNITS) : meet(who, in == 3);
    add(&finished);
}

static void worker(void)
{
    u32 who = cpu_number();
    mmu_on_el1(root);
    for (u32 seen = 0;;) {
        while (phase == seen)
            ASM("wfe");
        seen = phase;
        take_part(who, seen);
    }
}

/* All four do the phase's work: the sum of what came of it. */
static u64 together(u32 in)
{
    finished = 0;
    phase = in;
    ASM("dsb sy; sev");
    take_part(0, in);
    while (finished != CPUS)
        ASM("wfe");
    return sums[0] + sums[1] + sums[2] + sums[3];
}

void test_main(void)
{
    u64 sum = 0, met = 0;
    root = pt_identity(S1_EL1);
    mmu_on_el1(root);
    gic_init();
    gic_enable(30, 0x80);
    bench_begin("smp4.one");
    for (u32 who = 0; who < CPUS; who++)
        sum += work(who, UNITS);
    bench_end("smp4.one", CPUS * UNITS, sum, 0x325fe1c8ed4a68aa);
    for (u32 who = 0; who < CPUS; who++)
        met += work(who, MEETINGS);
    for (u32 who = 1; who < CPUS; who++)
        if (cpu_start(who, worker))
            stop("CPU_ON");
    bench_begin("smp4.four");
    bench_end("smp4.four", CPUS * UNITS, together(1), sum);
    bench_begin("smp4.meet");
    bench_end("smp4.meet", CPUS * MEETINGS, together(2), met);
    bench_begin("smp4.sleep");
    bench_end("smp4.sleep", CPUS * MEETINGS, together(3), met);
    finish();
}
