/* What a guest's program has besides lib.h. */
#ifndef GUEST_H
#define GUEST_H

#include "hypercall.h"
#include "lib.h"

void guest_main(void);
u64 hvc(u64 number, u64 argument);
/* WFI, and how many registers are others behind it. */
u64 wfi_keeps(void);
/* Of the guest's own synchronous exceptions: ESR_EL1 and ELR_EL1; gives the address to go on at. */
u64 guest_exception(u64 esr, u64 elr);
/* Of an IRQ, from lesson 7 on. */
void guest_interrupt(void);

#endif
