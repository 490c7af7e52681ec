/* What EL2 does with its own interrupts, and when a CPU of the guest's waits. */
#include "vm.h"

void irq_taken(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    if (intid == SPURIOUS)
        return;
    if (intid != INTID_MAINTENANCE && intid != INTID_KICK)
        panic("INTID %u", intid);
    list_fill(); /* room, or news from another CPU */
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

void guest_waits(void)
{
    u64 all = BIT(FIELD(read_sysreg(ICH_VTR_EL2), 4, 0) + 1) - 1;
    if ((read_sysreg(ICH_ELRSR_EL2) & all) != all)
        return;
    unlock(); /* another CPU may be the one that ends this */
    asm volatile("wfi");
    lock();
}
