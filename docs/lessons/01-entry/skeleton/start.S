// The first instruction, at EL2. The MMU is off, SP holds nothing.
    .section .text.entry, "ax"
    .global _start
_start:
    // TODO 1: SP. The stack of C grows down from the address _stack (hyp.ld has it): ldr x0, =_stack loads an address.

    // TODO 2: a loop that stores zeros from _bss up to _bss_end. C takes for granted that its variables begin as 0.

    // TODO 3: VBAR_EL2 is the address of the table `vectors` (vectors.S). An ISB makes the next instruction see it.

    bl      main
    b       power_off
