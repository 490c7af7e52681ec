/* Software step: EL0 stepped by EL1, EL1 stepped by itself (KDE).
 * Arm ARM D2.11 (software step), D19.2 (ISS of a software step exception). */
#include "rt.h"

#define SS  BIT(21)                     /* SPSR_ELx.SS */
#define MDSCR_SS  BIT(0)
#define MDSCR_KDE BIT(13)
#define ISV BIT(24)
#define EX  BIT(6)
#define FSC_DEBUG 0x22ul

struct step {
    u64 elr, iss, spsr, ec;
};

static struct step steps[16];
static u32 step_count, step_limit;

/* Records each step and asks for another until the limit. */
static bool on_step(struct frame *f, u64 vector, u64 el)
{
    (void)vector, (void)el;
    u64 ec = esr_ec(f->esr);
    if (step_count < COUNT(steps))
        steps[step_count] = (struct step){ f->elr, BITS(f->esr, 24, 0), f->spsr, ec };
    step_count++;
    if (ec != EC_STEP && ec != EC_STEP_LOWER) {
        if (ec == EC_DABT_LOWER)
            f->elr += 4;
        return true; /* an SVC: SPSR.SS stays as it was saved */
    }
    if (step_count < step_limit) {
        f->spsr |= SS;
        return true;
    }
    WRITE(mdscr_el1, READ(mdscr_el1) & ~MDSCR_SS);
    f->spsr &= ~SS;
    return true;
}

CODE(three, "mov x0, #1\nmov x0, #2\nmov x0, #3");
CODE(branch, "b 1f\nnop\n1: mov x0, #7");
CODE(exclusive, "ldxr x1, [x0]\nmov x1, #0\nclrex");
CODE(call, "svc #0x99\nmov x0, #5");
CODE(fault, "ldr x1, [x0]\nmov x0, #6");

static u64 datum;

static u64 run(u64 (*fn)(u64, u64), u64 a, u32 limit, bool first)
{
    step_count = 0;
    step_limit = limit;
    sync_hook = on_step;
    WRITE(mdscr_el1, MDSCR_SS);
    ISB();
    call_pstate = 0x3c0 | (first ? SS : 0);
    u64 result = call_el(0, fn, a, 0);
    call_pstate = 0x3c0;
    WRITE(mdscr_el1, 0);
    ISB();
    sync_hook = NULL;
    return result;
}

static void el0(void)
{
    u64 result = run(three, 0, 3, true);
    check_eq("three steps", step_count, 3);
    check_eq("the code ran to its end", result, 3);
    check_eq("EC: from a lower EL", steps[0].ec, EC_STEP_LOWER);
    check_eq("ISS: ISV, no exclusive, debug exception", steps[0].iss, ISV | FSC_DEBUG);
    check_eq("ELR_EL1 of the first: the second instruction", steps[0].elr, (u64)three + 4);
    check_eq("ELR_EL1 of the second", steps[1].elr, (u64)three + 8);
    check_eq("SPSR_EL1.SS is 0", steps[0].spsr & SS, 0);
    check_eq("SPSR_EL1.M is EL0t", steps[0].spsr & 0x1f, 0);

    run(three, 0, 2, false);
    check_eq("ERET with SPSR.SS 0: nothing is executed first", steps[0].elr, (u64)three);
    check_eq("  ISV 0", steps[0].iss & ISV, 0);
    check_eq("  then steps go on", steps[1].elr, (u64)three + 4);

    run(branch, 0, 2, true);
    check_eq("a branch: ELR_EL1 is its target", steps[0].elr, (u64)branch + 8);
    run(exclusive, (u64)&datum, 2, true);
    check_eq("a load-exclusive: EX", steps[0].iss, ISV | EX | FSC_DEBUG);
    check_eq("  and not for the next", steps[1].iss, ISV | FSC_DEBUG);

    result = run(call, 0, 3, true);
    check_eq("SVC stepped: it is taken", steps[0].ec << 32 | steps[0].iss, (u64)EC_SVC << 32 | 0x99);
    check_eq("  SPSR_EL1.SS is 0: the step is over", steps[0].spsr & SS, 0);
    check_eq("  after its ERET a step exception, nothing executed", steps[1].elr, (u64)call + 4);
    check_eq("  the end", result, 5);

    WRITE(sctlr_el1, READ(sctlr_el1) | BIT(1));
    result = run(fault, (u64)&datum + 1, 2, true);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~BIT(1));
    check_eq("a load that faults: the abort is taken", steps[0].ec, EC_DABT_LOWER);
    check_eq("  SPSR_EL1.SS is still 1", steps[0].spsr & SS, SS);
    check_eq("  the end", result, 6);

    WRITE(mdscr_el1, 0);
    ISB();
    call_pstate = 0x3c0 | SS;
    exc_expect();
    call_el(0, three, 0, 0);
    EXC.expected = false;
    call_pstate = 0x3c0;
    check_eq("MDSCR_EL1.SS 0: SPSR.SS does nothing", EXC.count, 0);
}

/* At EL1, for EL1: KDE, and PSTATE.D clear after the ERET. */
static void el1(void)
{
    step_count = 0;
    step_limit = 2;
    sync_hook = on_step;
    WRITE(mdscr_el1, MDSCR_SS | MDSCR_KDE);
    ISB();
    u64 target, x;
    asm volatile("adr %0, 1f; msr elr_el1, %0; msr spsr_el1, %2; isb; eret\n"
                 "1: mov %1, #1; mov %1, #2; mov %1, #3; nop"
                 : "=&r"(target), "=&r"(x)
                 : "r"(SS | 0x1c5)
                 : "memory");
    ASM("msr daifset, #0xf");
    WRITE(mdscr_el1, 0);
    ISB();
    sync_hook = NULL;
    check_eq("EL1 by itself: two steps", step_count, 2);
    check_eq("  EC: from the same EL", steps[0].ec, EC_STEP);
    check_eq("  ELR_EL1", steps[0].elr, target + 4);
    check_eq("  the code goes on", x, 3);

    step_count = 0;
    step_limit = 2;
    sync_hook = on_step;
    WRITE(mdscr_el1, MDSCR_SS | MDSCR_KDE);
    ISB();
    asm volatile("adr %0, 1f; msr elr_el1, %0; msr spsr_el1, %1; isb; eret\n1: nop; nop"
                 : "=&r"(target)
                 : "r"(SS | 0x3c5)
                 : "memory");
    WRITE(mdscr_el1, 0);
    ISB();
    sync_hook = NULL;
    check_eq("PSTATE.D set: not stepped", step_count, 0);
}

void test_main(void)
{
    WRITE(oslar_el1, 0);
    ISB();
    el0();
    el1();
    finish();
}
