// Start and exception vectors of a guest. Entered at EL1, MMU off, at the start of its RAM; x0: how much work it is to do.
    .section .text.entry, "ax"
    .global _start
_start:
    ldr     x1, =_stack
    mov     sp, x1
    ldr     x1, =vectors
    msr     vbar_el1, x1
    isb
    bl      guest_main
    b       .

    .text
// u64 hvc(u64 function, const u64 args[6])
    .global hvc
hvc:
    mov     x7, x1
    ldp     x1, x2, [x7]
    ldp     x3, x4, [x7, #16]
    ldp     x5, x6, [x7, #32]
    hvc     #0
    ret

    .macro  enter
    sub     sp, sp, #192
    stp     x0, x1, [sp]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x30, [sp, #144]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x2, x3, [sp, #160]
    .endm

    .balign 2048
vectors:
    .rept   4
    .balign 128
    b       .                           // from EL1 with SP_EL0: not used
    .endr
    .balign 128                         // synchronous, from EL1
    enter
    b       sync
    .balign 128                         // IRQ, from EL1
    enter
    bl      guest_irq
    b       leave
    .rept   10
    .balign 128
    b       .
    .endr

sync:
    mrs     x0, esr_el1
    mrs     x1, far_el1
    mov     x3, x30                     // x2 is ELR_EL1
    bl      guest_sync
    str     x0, [sp, #160]
leave:
    ldp     x2, x3, [sp, #160]
    msr     elr_el1, x2
    msr     spsr_el1, x3
    ldp     x18, x30, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp]
    add     sp, sp, #192
    eret
