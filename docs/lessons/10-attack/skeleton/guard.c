/* What a guest must not get by asking. */
#include "vm.h"

#define MDCR_TDA   BIT(9)               /* debug registers trap, ... */
#define MDCR_TDOSA BIT(10)              /* ... those for a debugger's lock, ... */
#define MDCR_TDRA  BIT(11)              /* ... and those with the ROM's address */

void guards_on(void)
{
    TODO(1, "MDCR_EL2: debug registers trap. What is not in switch.c's list must not be the "
            "guest's to use");
}

/* Bytes of the guest that runs, from an address as it knows it. Each page is looked up by itself; one that the guest
 * has not touched yet is refused. */
bool guest_read(u64 ipa, u64 size, void *to)
{
    (void)ipa, (void)size, (void)to;
    TODO(2, "the whole range is in GUEST_RAM_IPA + GUEST_RAM_SIZE, whatever ipa and size are; "
            "then byte by byte through entry_of(guest_memory.root, ...): false where nothing is "
            "mapped");
    return true;
}

bool guest_raise(u64 intid)
{
    TODO(3, "only what is the guest's to ask for: hypercall.h says what that is");
    virq_raise((u32)intid);
    return true;
}

bool guest_unknown(u64 ec) { return ec == 0x07; /* FP, when it traps */ }

void fp_switch(struct vm *from, const struct vm *to)
{
    (void)from, (void)to;
    TODO(4, "fp_save, fp_load");
}
