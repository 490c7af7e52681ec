// The entries of the payload (fw.h): at its start a call, an instruction later an interrupt, which may come while a call
// stands still and has a stack of its own. Stacks grow down from the end of its room: two of 4 KiB for each PE.
#include "fw.h"

    .section .text.entry, "ax"
    .global _start
_start:
    b       call
    mov     x10, #0                     // interrupt
    adr     x11, payload_interrupt
    b       0f
call:
    mov     x10, #0x1000
    adr     x11, payload_call
0:  mrs     x12, mpidr_el1
    and     x12, x12, #(FW_CPUS - 1)
    ldr     x13, =(PAYLOAD + PAYLOAD_ROOM)
    sub     x13, x13, x12, lsl #13
    sub     x13, x13, x10
    mov     sp, x13
    adr     x12, payload_vectors
    msr     vbar_el1, x12
    isb
    blr     x11
    mov     x1, x0
    ldr     x0, =TOS_DONE
    smc     #0
    b       .

// Nothing of the payload raises exceptions.
    .balign 2048
payload_vectors:
    .rept   16
    b       .
    .balign 128
    .endr
