/* HVC at EL3: taken to EL3, since an exception never goes to a lower EL.
 * Arm ARM C6.2 HVC, shared/functions AArch64.CallHypervisor. Alone, because QEMU 7.2 goes down to EL2 and is lost. */
#include "rt.h"

CODE(do_hvc, "hvc #0x4321");

void test_main(void)
{
    exc_expect();
    do_hvc(0, 0);
    EXC.expected = false;
    check_exc("HVC from EL3", 3, EC_HVC, 0x4321);
    check_eq("vector: synchronous, current EL", EXC.vector, FROM_SPX + SYNC);
    check_eq("ELR_EL3 is the next instruction", EXC.elr, (u64)do_hvc + 4);
    finish();
}
