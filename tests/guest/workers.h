/* Four CPUs that CPU 0 hands functions to, for tests of the GIC. */
#ifndef WORKERS_H
#define WORKERS_H

#include "rt.h"

#define CPUS 4

/* Each CPU but 0 runs what it is handed, interrupts masked. */
static u64 (*volatile job[CPUS])(u64);
static volatile u64 argument[CPUS], result[CPUS], finished[CPUS];

static void worker(void)
{
    u32 cpu = cpu_number();
    gic_init_cpu();
    for (;;) {
        while (!job[cpu])
            ASM("wfe");
        DSB();
        result[cpu] = job[cpu](argument[cpu]);
        job[cpu] = NULL;
        finished[cpu]++;
        ASM("dsb sy; sev");
    }
}

static u64 on(u32 cpu, u64 (*fn)(u64), u64 a)
{
    if (cpu == 0)
        return fn(a);
    u64 before = finished[cpu];
    argument[cpu] = a;
    DSB();
    job[cpu] = fn;
    ASM("dsb sy; sev");
    while (finished[cpu] == before)
        ASM("wfe");
    return result[cpu];
}

static u64 nothing(u64 a) { return a; }

/* Turns CPUs 1 to 3 on, each with its redistributor and interface set up; gic_init comes before. */
static void workers_start(void)
{
    for (u32 i = 1; i < CPUS; i++) {
        if (cpu_start(i, worker))
            stop("CPU_ON");
        on(i, nothing, 0);
    }
}

#endif
