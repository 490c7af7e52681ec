/* Lesson 7's guest: waits for ticks, then gets more interrupts at once than there are list registers. */
#include "gic.h"
#include "guest.h"

static volatile u32 ticks, came, first_came[8];

u64 guest_exception(u64 esr, u64 elr)
{
    print("exception 0x%lx at 0x%lx\n", esr, elr);
    power_off();
}

void guest_interrupt(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    if (intid == SPURIOUS)
        return;
    if (intid == VIRQ_TICK) {
        ticks++;
    } else if (intid < VIRQ_FIRST) {
        print("INTID %u is no interrupt of mine\n", intid);
        power_off();
    } else {
        if (came < 8)
            first_came[came] = intid;
        came++;
    }
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

static void masked(bool on)
{
    if (on)
        asm volatile("msr daifset, #2" : : : "memory");
    else
        asm volatile("msr daifclr, #2" : : : "memory");
}

void guest_main(void)
{
    write_sysreg(ICC_PMR_EL1, 0xff);
    write_sysreg(ICC_IGRPEN1_EL1, 1);
    isb();
    masked(false);
    while (ticks < 3)
        asm volatile("wfi");
    print("three ticks have come\n");
    masked(true);
    hvc(CALL_RAISE, 6);
    print("six interrupts are raised, and masked: %u came\n", came);
    masked(false);
    for (unsigned n = 0; n < 100; n++)
        isb();
    print("not masked: %u came:", came);
    for (u32 n = 0; n < came && n < 8; n++)
        print(" %u", first_came[n]);
    print("\n");
    masked(true);
    hvc(CALL_RAISE, 1);
    hvc(CALL_RAISE, 1);
    masked(false);
    for (unsigned n = 0; n < 100; n++)
        isb();
    print("raised twice before it was taken: %u came\n", came - 6);
}
