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
    ldp     x1, x2, [x0, #VCPU_PC]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret

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
    mrs     x1, tpidr_el2
    stp     x2, x3, [x1, #16]
    stp     x4, x5, [x1, #32]
    stp     x6, x7, [x1, #48]
    stp     x8, x9, [x1, #64]
    stp     x10, x11, [x1, #80]
    stp     x12, x13, [x1, #96]
    stp     x14, x15, [x1, #112]
    stp     x16, x17, [x1, #128]
    stp     x18, x19, [x1, #144]
    stp     x20, x21, [x1, #160]
    stp     x22, x23, [x1, #176]
    stp     x24, x25, [x1, #192]
    stp     x26, x27, [x1, #208]
    stp     x28, x29, [x1, #224]
    str     x30, [x1, #240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x1]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x1, #VCPU_PC]
    mrs     x2, esr_el2
    mrs     x3, far_el2
    stp     x2, x3, [x1, #VCPU_ESR]
    mrs     x2, hpfar_el2
    str     x2, [x1, #VCPU_HPFAR]

    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret
