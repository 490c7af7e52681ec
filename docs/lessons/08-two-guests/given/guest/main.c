/* Lesson 8's guest, of which there are two: the first computes, the second sleeps; each has its own time. */
#include "gic.h"
#include "guest.h"

#define MS 62500ul                      /* of the counter */

static volatile u32 ticks, strange;
static volatile u64 mine;

u64 guest_exception(u64 esr, u64 elr)
{
    print("exception 0x%lx at 0x%lx\n", esr, elr);
    power_off();
}

void guest_interrupt(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    if (intid == INTID_VTIMER)
        ticks++;
    else
        strange++;
    write_sysreg(cntv_ctl_el0, 0);
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

static u64 now(void)
{
    isb();
    return read_sysreg(cntvct_el0);
}

void guest_main(u64 number)
{
    u64 interval = number == 1 ? MS / 5 : MS / 2, begin = now();
    mine = number;
    write_sysreg(tpidr_el1, 1000 + number);
    write_sysreg(tpidr_el0, 2000 + number);
    write_sysreg(ICC_PMR_EL1, 0xff);
    write_sysreg(ICC_IGRPEN1_EL1, 1);
    asm volatile("msr daifclr, #2" : : : "memory");
    print("my time begins at %s\n", begin < MS ? "zero" : "another time than zero");
    for (u32 n = 1; n <= 3; n++) {
        u64 until = begin + n * interval;
        write_sysreg(cntv_cval_el0, until);
        write_sysreg(cntv_ctl_el0, 1);
        isb();
        while (ticks < n)
            if (number == 2)
                asm volatile("wfi");
        print("tick %u, %s\n", ticks, now() >= until ? "in time" : "too early");
    }
    print("my registers are %s, my memory is %s, %u interrupts were not mine\n",
          read_sysreg(tpidr_el1) == 1000 + number && read_sysreg(tpidr_el0) == 2000 + number ? "my own" : "another's",
          mine == number ? "my own" : "another's", strange);
}
