/* One lock for all. A hypervisor begins with that, and splits it where it hurts. */
#include "vm.h"

static u32 taken;

void lock(void)
{
    u32 was, failed;
    do
        asm volatile("ldaxr %w0, [%2]\n cbnz %w0, 1f\n stxr %w1, %w3, [%2]\n cbz %w1, 2f\n1: mov %w1, #1\n yield\n2:"
                     : "=&r"(was), "=&r"(failed)
                     : "r"(&taken), "r"(1)
                     : "memory");
    while (failed);
}

void unlock(void) { asm volatile("stlr wzr, [%0]" : : "r"(&taken) : "memory"); }

void cpu_kick(unsigned cpu)
{
    dsb();                                                          /* what is to be seen there is in memory */
    write_sysreg(s3_0_c12_c11_5, (u64)INTID_KICK << 24 | BIT(cpu)); /* ICC_SGI1R_EL1 */
    isb();
}
