/* Lesson 3's guest: asks, waits, makes a mistake of its own, looks where it should not. */
#include "guest.h"

static volatile u64 undefined;

u64 guest_exception(u64 esr, u64 elr)
{
    undefined += FIELD(esr, 31, 26) == 0; /* the class "unknown": an instruction that EL1 does not have */
    return elr + 4;
}

void guest_main(void)
{
    print("guest: I run at EL%lu\n", FIELD(read_sysreg(CurrentEL), 3, 2));
    print("guest: twice 21 is %lu\n", hvc(CALL_DOUBLE, 21));
    print("guest: a call that nobody knows is answered by %ld\n", hvc(1000, 0));
    print("guest: %lu registers changed while I waited\n", wfi_keeps());
    asm volatile("mrs x2, hcr_el2"
                 :
                 :
                 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                   "x16", "x17", "x18", "memory");
    print("guest: reading HCR_EL2 was %lu exception of my own\n", undefined);
    print("guest: the hypervisor's first instruction is 0x%x\n", *(volatile u32 *)0x40200000);
}
