/* For tests that start at EL3: code in the two security states, by SCR_EL3 (Arm ARM D19.2). */
#ifndef STATES_H
#define STATES_H

#include "rt.h"

#define SCR_NS   BIT(0)
#define SCR_IRQ  BIT(1)
#define SCR_FIQ  BIT(2)
#define SCR_BASE 0x530ul /* RW, HCE, RES1 */

static inline void scr(u64 bits)
{
    WRITE(scr_el3, SCR_BASE | bits);
    ISB();
}

/* At Non-secure EL2, with FIQs for EL3, as firmware has it: only then are priorities shifted. */
static inline u64 ns(u64 (*fn)(u64, u64), u64 a, u64 b)
{
    scr(SCR_NS | SCR_FIQ);
    return call_el(2, fn, a, b);
}

/* The same with FIQs for EL2, where PSTATE.F masks them, for when one is pending. */
static inline u64 ns_masked(u64 (*fn)(u64, u64), u64 a, u64 b)
{
    scr(SCR_NS);
    return call_el(2, fn, a, b);
}

/* At Secure EL1. */
static inline u64 secure(u64 (*fn)(u64, u64), u64 a, u64 b)
{
    scr(0);
    return call_el(1, fn, a, b);
}
#endif
