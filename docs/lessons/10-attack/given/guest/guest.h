/* What a guest's program has besides lib.h. */
#ifndef GUEST_H
#define GUEST_H

#include "hypercall.h"
#include "lib.h"

void guest_main(u64 number);
_Noreturn void power_off(void);
u64 hvc(u64 number, u64 argument);
u64 hvc3(u64 number, u64 a, u64 b);
/* fp.S */
void fp_write(u64 value); /* to v0 */
u64 fp_read(void);
/* Of the guest's own synchronous exceptions: ESR_EL1 and ELR_EL1; gives the address to go on at. */
u64 guest_exception(u64 esr, u64 elr);
/* Of an IRQ. */
void guest_interrupt(void);

#endif
