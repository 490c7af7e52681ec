/* Random values in the debug and PMU registers (Arm ARM D19.3, D19.5) while code runs and memory is accessed: whatever
 * they say, the program must come to its end, and tests/determinism.sh compares the state that both engines end in. */
#include "rt.h"

static u64 seed = 88172645463325252ul;
static u64 buffer[64];
static u64 exceptions;

static u64 next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Values at the edges more often than others. */
static u64 value(void)
{
    u64 r = next();
    switch (r & 7) {
    case 0: return 0;
    case 1: return ~0ul;
    case 2: return r >> 32;
    case 3: return BIT(r >> 8 & 63);
    case 4: return 0xffffffff - (r >> 8 & 255);
    case 5: return ~(r >> 8 & 255);
    default: return next();
    }
}

/* Debug exceptions: on with the next instruction, PSTATE.D set. */
static bool go_on(struct frame *f, u64 vector, u64 el)
{
    (void)vector, (void)el;
    exceptions++;
    f->elr += 4;
    f->spsr |= BIT(9);
    return true;
}

static void access(void)
{
    volatile u8 *bytes = (volatile u8 *)buffer;
    for (u32 i = 0; i < COUNT(buffer); i++)
        ((volatile u64 *)buffer)[i] = i;
    (void)bytes[next() & 511];
    asm volatile("stp xzr, xzr, [%0]\n ldp x0, x1, [%0]\n dc civac, %0" : : "r"(buffer) : "x0", "x1", "memory");
}

#define ONE(n, reg, v) case n: WRITE(reg, v); break;
static void write_one(u64 which)
{
    switch (which) {
        ONE(0, dbgbvr0_el1, next() & 1 ? (u64)access + (next() & 63) * 4 : value())
        ONE(1, dbgbcr0_el1, value() | (next() & 1))
        ONE(2, dbgwvr0_el1, next() & 1 ? (u64)buffer : value())
        ONE(3, dbgwcr0_el1, value() | (next() & 1))
        ONE(4, dbgbvr5_el1, value())
        ONE(5, dbgbcr5_el1, value())
        ONE(6, dbgwvr3_el1, value())
        ONE(7, dbgwcr3_el1, value())
        ONE(8, mdscr_el1, value() | (next() & 1 ? BIT(15) | BIT(13) : 0))
        ONE(9, oslar_el1, next() & next() & 1)
        ONE(10, mdcr_el2, value() | (next() & 1 ? BIT(8) : 0))
        ONE(11, pmcr_el0, value())
        ONE(12, pmcntenset_el0, value())
        ONE(13, pmcntenclr_el0, value())
        ONE(14, pmovsset_el0, value())
        ONE(15, pmovsclr_el0, value())
        ONE(16, pmintenset_el1, value())
        ONE(17, pmccntr_el0, value())
        ONE(18, pmselr_el0, value())
        ONE(19, pmxevtyper_el0, (next() & 31) | (value() & 0xfc000000))
        ONE(20, pmxevcntr_el0, value())
        ONE(21, pmccfiltr_el0, value())
        ONE(22, pmswinc_el0, value())
        ONE(23, contextidr_el1, value())
    case 24: buffer[0] += READ(pmccntr_el0) + READ(pmovsset_el0) + READ(pmxevcntr_el0); break;
    case 25: ASM("msr daifclr, #8"); break;
    case 26: ASM("msr daifset, #8"); break;
    default: access(); break;
    }
    ISB();
}

void test_main(void)
{
    sync_hook = go_on;
    for (u32 n = 0; n < 40000; n++)
        write_one(next() % 29);
    ASM("msr daifset, #8");
    WRITE(mdscr_el1, 0);
    ISB();
    check(true, "the end");
    check(exceptions != 0, "there were debug exceptions on the way");
    finish();
}
