/* What EL2 does with its own interrupts, and when the guest waits. */
#include "gic.h"

void timer_next(void)
{
    write_sysreg(cnthp_cval_el2, read_sysreg(cntpct_el0) + TICK_INTERVAL);
    write_sysreg(cnthp_ctl_el2, 1);
    isb();
}

void irq_taken(void)
{
    TODO(2, "ICC_IAR1_EL1 says which, and takes it. SPURIOUS: nothing. INTID_EL2_TIMER: "
            "timer_next, and a VIRQ_TICK for the guest. INTID_MAINTENANCE: list_fill. Any other: "
            "panic. Then ICC_EOIR1_EL1, ISB");
}

void guest_waits(void)
{
    TODO(5, "WFI here, at EL2: it ends when a physical interrupt is pending. But if a list "
            "register holds something, the guest has nothing to wait for");
}
