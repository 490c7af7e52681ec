// Into the guest and out of it: the world switch of the general registers.
#include "vcpu.h"

    .text
// u64 guest_enter(struct vcpu *v): returns EXIT_*, when there is something to do.
    .global guest_enter
guest_enter:
    stp     x29, x30, [sp, #-96]!       // what C wants back; SP_EL2 itself is left alone by the guest
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    msr     tpidr_el2, x0               // the exit finds the vcpu there
    // TODO 1: ELR_EL2 and SPSR_EL2 from the vcpu (VCPU_PC, VCPU_PSTATE), x0 to x30 from its beginning, ERET.
    mov     x0, #EXIT_SERROR            // (goes with the gap)
    b       leave

// The vectors lead here, from a lower EL. All general registers are the guest's.
    .global guest_sync, guest_irq, guest_fiq, guest_serror
    .macro  exit kind
    stp     x0, x1, [sp, #-16]!
    mov     x0, #\kind
    b       guest_left
    .endm
guest_sync:
    exit    EXIT_SYNC
guest_irq:
    exit    EXIT_IRQ
guest_fiq:
    exit    EXIT_FIQ
guest_serror:
    exit    EXIT_SERROR

guest_left:                             // x0: the kind; the guest's x0 and x1 are on the stack
    // TODO 2: the vcpu from TPIDR_EL2; x2 to x30 into it, then x0 and x1 from the stack; ELR_EL2, SPSR_EL2, ESR_EL2, FAR_EL2 and
    //         HPFAR_EL2 into it. x0 must still be the kind at the end.

leave:
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret
