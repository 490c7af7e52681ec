/* What a guest must not get by asking. */
#include "vm.h"

#define MDCR_TDA   BIT(9)               /* debug registers trap, ... */
#define MDCR_TDOSA BIT(10)              /* ... those for a debugger's lock, ... */
#define MDCR_TDRA  BIT(11)              /* ... and those with the ROM's address */

void guards_on(void)
{
    write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA);
    isb();
}

/* Bytes of the guest that runs, from an address as it knows it. Each page is looked up by itself; one that the guest
 * has not touched yet is refused. */
bool guest_read(u64 ipa, u64 size, void *to)
{
    u64 offset = ipa - GUEST_RAM_IPA; /* below the RAM this is very large */
    if (offset >= GUEST_RAM_SIZE || size > GUEST_RAM_SIZE - offset)
        return false;
    for (u64 done = 0; done < size; done++) {
        u64 entry = *entry_of(guest_memory.root, ipa + done);
        if (!(entry & PTE_VALID))
            return false;
        ((u8 *)to)[done] = *(const u8 *)((entry & PTE_ADDRESS) + FIELD(ipa + done, 11, 0));
    }
    return true;
}

bool guest_raise(u64 intid)
{
    if (intid < VIRQ_FIRST || intid > 47)
        return false;
    virq_raise((u32)intid);
    return true;
}

bool guest_unknown(u64 ec) { return ec == 0x07; /* FP, when it traps */ }

void fp_switch(struct vm *from, const struct vm *to)
{
    fp_save(from->fp);
    fp_load(to->fp);
}
