/* What EL2 does with its exceptions. */
#include "frame.h"

#define EC_HVC 0x16

static u64 calls;

void el2_sync(struct frame *f)
{
    u64 esr = read_sysreg(esr_el2), ec = FIELD(esr, 31, 26);
    if (ec != EC_HVC)
        panic("exception class 0x%lx at 0x%lx, FAR_EL2 0x%lx", ec, f->elr, read_sysreg(far_el2));
    print("HVC #%lu\n", FIELD(esr, 15, 0));
    f->x[0] = ++calls;
}

void el2_unexpected(u64 slot)
{
    panic("exception at slot %lu of the vector table: ESR_EL2 0x%lx, ELR_EL2 0x%lx", slot, read_sysreg(esr_el2),
          read_sysreg(elr_el2));
}
