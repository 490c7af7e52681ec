/* Interrupts from one of the guest's CPUs to another. */
#include "vm.h"

void virq_send(unsigned cpu, u32 intid)
{
    (void)cpu, (void)intid;
    TODO(5, "it waits for that CPU; then list_fill, when that is this CPU, else a kick: only a "
            "CPU itself can write its list registers");
}

/* ICC_SGI1R_EL1: the INTID is bits 27 to 24, bits 15 to 0 are the CPUs by their number. */
void guest_sgi(u64 value)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        if (value & BIT(cpu))
            virq_send(cpu, (u32)FIELD(value, 27, 24));
}
