/* An exception that the guest takes at its own vectors. */
#include "device.h"

void inject(struct vcpu *v, u64 esr)
{
    u64 from = FIELD(v->pstate, 3, 2) == 0 ? 0x400 : v->pstate & 1 ? 0x200 : 0; /* EL0; EL1 with SP_EL1; with SP_EL0 */
    write_sysreg(esr_el1, esr);
    write_sysreg(elr_el1, v->pc);
    write_sysreg(spsr_el1, v->pstate);
    v->pc = read_sysreg(vbar_el1) + from;
    v->pstate = 0x3c5;
}
