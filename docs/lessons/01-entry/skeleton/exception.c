/* What EL2 does with its exceptions. */
#include "frame.h"

static u64 calls;

void el2_sync(struct frame *f)
{
    u64 esr = read_sysreg(esr_el2);
    (void)esr, (void)f, (void)calls;
    TODO(6, "ESR_EL2.EC is bits 31 to 26. HVC is 0x16: print \"HVC #N\" with N = bits 15 to 0, "
            "and give the number of calls so far in x0. Of any other class: panic with the class, "
            "ELR_EL2 and FAR_EL2.");
}

void el2_unexpected(u64 slot)
{
    panic("exception at slot %lu of the vector table: ESR_EL2 0x%lx, ELR_EL2 0x%lx", slot, read_sysreg(esr_el2),
          read_sysreg(elr_el2));
}
