/* What EL2 does with its own interrupts, and when the guest waits. */
#include "vm.h"

void timer_next(void)
{
    write_sysreg(cnthp_cval_el2, read_sysreg(cntpct_el0) + SLICE);
    write_sysreg(cnthp_ctl_el2, 1);
    isb();
}

void irq_taken(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    switch (intid) {
    case SPURIOUS: return;
    case INTID_EL2_TIMER:
        timer_next();
        slice_over = true;
        break;
    case INTID_VTIMER:
        TODO(5, "the current guest's timer is due, and its line stays up: CNT_IMASK besides what "
                "CNTV_CTL_EL0 has; ISB; virq_raise; it does not sleep");
    case INTID_MAINTENANCE: list_fill(); break;
    default: panic("INTID %u", intid);
    }
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

void guest_waits(void)
{
    u64 all = BIT(FIELD(read_sysreg(ICH_VTR_EL2), 4, 0) + 1) - 1;
    current->sleeps = (read_sysreg(ICH_ELRSR_EL2) & all) == all; /* else it has what it waits for */
}
