// Entry at EL2, exception vectors of EL2, and the world switch of the general registers.
#include "hyp.h"
#include "../regs.S"

    .section .text.entry, "ax"
    .global _start
_start:
    mrs     x0, CurrentEL
    cmp     x0, #(2 << 2)
    b.ne    .                           // needs EL2: start with virtualization=on
    ldr     x0, =_stack
    mov     sp, x0
    ldr     x0, =_bss
    ldr     x1, =_bss_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b
    ldr     x0, =vectors
    msr     vbar_el2, x0
    isb
    bl      hyp_main
    // fall through when hyp_main returns

    .global power_off
power_off:
    movz    w0, #0x8400, lsl #16        // PSCI SYSTEM_OFF; at EL2 the conduit is SMC
    movk    w0, #0x0008
    smc     #0
    b       .

// Sixteen slots of 128 bytes: four kinds (synchronous, IRQ, FIQ, SError) from four places.
    .macro  slot target, reason=0
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x0, #\reason
    b       \target
    .endm

    .balign 2048
vectors:
    .rept   8                           // from EL2 itself: never expected, IRQs are masked while EL2 runs
    slot    el2_fault
    .endr
    slot    guest_exit, EXIT_SYNC       // from a lower EL using AArch64
    slot    guest_exit, EXIT_IRQ
    slot    el2_fault                   // FIQ: no group 0 interrupt is enabled
    slot    guest_exit, EXIT_SERR
    .rept   4                           // from a lower EL using AArch32: HCR_EL2.RW says there is none
    slot    el2_fault
    .endr

el2_fault:
    mrs     x0, esr_el2
    mrs     x1, elr_el2
    mrs     x2, far_el2
    b       hyp_panic

// u64 vcpu_enter(struct vcpu *v)
// Keeps the callee-saved registers of C on the stack and the vcpu's address in TPIDR_EL2, then becomes the guest.
    .global vcpu_enter
vcpu_enter:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    msr     tpidr_el2, x0
    ldr     x1, [x0, #VCPU_PC]
    ldr     x2, [x0, #VCPU_PSTATE]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    regs_load x0
    ldp     x0, x1, [x0]
    eret

// From a vector: x0 = EXIT_*, the guest's x0 and x1 on the stack. Returns to the caller of vcpu_enter.
guest_exit:
    mrs     x1, tpidr_el2
    regs_store x1
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x1]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    str     x2, [x1, #VCPU_PC]
    str     x3, [x1, #VCPU_PSTATE]
    mrs     x2, esr_el2
    mrs     x3, far_el2
    str     x2, [x1, #VCPU_ESR]
    str     x3, [x1, #VCPU_FAR]
    mrs     x2, hpfar_el2
    str     x2, [x1, #VCPU_HPFAR]
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret

// The guests' memory images, copied to their RAM by main.c.
    .section .rodata
    .balign 16
#ifdef NEST
    .global l1_image, l1_image_end      // ../nest: this hypervisor is the guest
l1_image:
    .incbin "demo.bin"
l1_image_end:
#else
    .global closed_image, closed_image_end, open_image, open_image_end
closed_image:
    .incbin "closed.bin"
closed_image_end:
    .balign 16
open_image:
    .incbin "open.bin"
open_image_end:
#endif
