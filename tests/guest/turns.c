/* YIELD, WFE and several CPUs: a CPU that is alone keeps its turn and with it its monitor; one that another waits for
 * is heard at the next YIELD; locks by load- and store-exclusive with WFE and with YIELD. Arm ARM B2.9, C6.2 (YIELD,
 * WFE, SEV), D1.6. Bounds are numbers of YIELD or instructions' worth of counter, and generous. */
#include "rt.h"

#define CPUS   4
#define ROUNDS 300
#define SGI    3u
#define FEW    64u

static volatile u32 started[CPUS], go, acked, hand;
static volatile u32 lock, tickets, serving, done;
static u64 sum, cell __attribute__((aligned(64)));
static bool yields; /* how the locks wait */

static void relax(void)
{
    if (yields)
        ASM("yield");
    else
        ASM("wfe");
}

/* ---- alone ---- */

/* STXR's status after `rounds` of what is between: no other CPU runs, so nobody but ourselves may open the monitor. */
#define ALONE(name, text)                                                                                              \
    static u32 name(u64 rounds)                                                                                        \
    {                                                                                                                  \
        u64 v;                                                                                                         \
        u32 status;                                                                                                    \
        asm volatile("ldxr %0, [%3]\n1:\n" text "\nsubs %2, %2, #1\nb.ne 1b\nstxr %w1, %0, [%3]"                       \
                     : "=&r"(v), "=&r"(status), "+r"(rounds)                                                           \
                     : "r"(&cell)                                                                                      \
                     : "memory", "cc");                                                                                \
        return status;                                                                                                 \
    }
ALONE(alone_yield, "yield")
ALONE(alone_wfe, "sevl\nwfe")
ALONE(alone_nothing, "nop")

static void alone(void)
{
    check_eq("LDXR, YIELD, STXR with the others off", alone_yield(1), 0);
    check_eq("LDXR, 100000 YIELD, STXR with the others off", alone_yield(100000), 0);
    check_eq("LDXR, 100000 SEVL and WFE, STXR with the others off", alone_wfe(100000), 0);
    check_eq("LDXR, 200000 NOP, STXR with the others off", alone_nothing(200000), 0);
}

/* ---- a CPU that begins to run is heard of ---- */

static void take_sgi(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    u64 intid = READ(ICC_IAR1);
    acked = 1;
    WRITE(ICC_EOIR1, intid);
    ISB();
}

static u32 yields_until(volatile u32 *flag)
{
    u32 n = 0;
    for (; !*flag && n < 1000000; n++)
        ASM("yield");
    return n;
}

static void lock_take(void)
{
    u32 v, failed;
    for (;;) {
        asm volatile("ldaxr %w0, %1" : "=&r"(v) : "Q"(lock) : "memory");
        if (v) {
            relax();
            continue;
        }
        asm volatile("stxr %w0, %w2, %1" : "=&r"(failed), "=Q"(lock) : "r"(1) : "memory");
        if (!failed)
            return;
    }
}

static void lock_give(void) { asm volatile("stlr wzr, %0" : "=Q"(lock) : : "memory"); }

static u32 add(volatile u32 *p)
{
    u32 v, failed;
    do
        asm volatile("ldaxr %w0, %2\nadd %w0, %w0, #1\nstlxr %w1, %w0, %2"
                     : "=&r"(v), "=&r"(failed), "+Q"(*p)
                     :
                     : "memory");
    while (failed);
    return v;
}

/* A ticket's turn comes when the one before writes `serving`: waited for on the monitor. */
static void ticket_take(void)
{
    u32 mine = add(&tickets) - 1, now;
    for (;;) {
        asm volatile("ldaxr %w0, %1" : "=&r"(now) : "Q"(serving) : "memory");
        if (now == mine)
            return;
        relax();
    }
}

static void ticket_give(void) { asm volatile("stlr %w1, %0" : "=Q"(serving) : "r"(serving + 1) : "memory"); }

static void rounds(void)
{
    for (u32 n = 0; n < ROUNDS; n++) {
        lock_take();
        sum++;
        lock_give();
        ticket_take();
        sum++;
        ticket_give();
    }
    add(&done);
}

static void secondary(void)
{
    u32 cpu = cpu_number();
    gic_init_cpu();
    gic_enable(SGI, 0x80);
    started[cpu] = 1;
    if (cpu == 1) {
        ASM("msr daifclr, #2");
        while (!acked)
            ASM("wfi");
        ASM("msr daifset, #2");
        while (hand < 1) /* asleep until the SEV: no monitor is armed */
            ASM("wfe");
        hand = 2;
        for (u32 n = 0; n < 1000; n++) { /* from hand to hand */
            while (hand != 2 * n + 3)
                ASM("yield");
            hand = 2 * n + 4;
        }
    }
    for (u32 n = 1; n <= 2; n++) {
        while (go < n)
            ASM("wfe");
        rounds();
    }
}

static void heard(void)
{
    cpu_start(1, secondary);
    check(yields_until(&started[1]) < FEW, "CPU_ON: the CPU runs within a few YIELDs");
    for (u32 n = 0; n < 1000; n++) /* long enough for it to sleep */
        ASM("yield");
    WRITE(ICC_SGI1R, (u64)SGI << 24 | 2);
    ISB();
    check(yields_until(&acked) < FEW, "an SGI wakes a CPU from WFI: it runs within a few YIELDs");
    for (u32 n = 0; n < 1000; n++)
        ASM("yield");
    hand = 1;
    ASM("dsb sy; sev");
    u32 n = 0;
    for (; hand != 2 && n < 1000000; n++)
        ASM("yield");
    check(n < FEW, "SEV wakes a CPU from WFE: it runs within a few YIELDs");
    u64 from = counter();
    for (u32 k = 0; k < 1000; k++) {
        hand = 2 * k + 3;
        while (hand != 2 * k + 4)
            ASM("yield");
    }
    check(counter() - from < 1000000, "1000 times from hand to hand by YIELD");
}

static void contend(bool by_yield, u32 stage, const char *what)
{
    yields = by_yield;
    sum = done = 0;
    ASM("dsb sy");
    go = stage;
    ASM("dsb sy; sev");
    rounds();
    while (done != CPUS)
        relax();
    check_eq(what, sum, 2 * ROUNDS * CPUS);
}

void test_main(void)
{
    irq_hook = take_sgi;
    gic_init();
    alone();
    heard();
    for (u32 n = 2; n < CPUS; n++)
        cpu_start(n, secondary);
    for (u32 n = 2; n < CPUS; n++)
        yields_until(&started[n]);
    contend(false, 1, "four CPUs, locks with WFE");
    contend(true, 2, "four CPUs, locks with YIELD");
    finish();
}
