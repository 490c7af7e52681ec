// A guest's first instruction, at EL1, and its own exceptions.
    .section .text.entry, "ax"
    .global _start
_start:
    ldr     x1, =_stack
    mov     sp, x1
    ldr     x1, =vectors
    msr     vbar_el1, x1
    isb
    bl      guest_main
    b       power_off

    .text
// u64 hvc(u64 number, u64 argument)
    .global hvc, power_off, wfi_keeps
hvc:
    hvc     #0
    ret

power_off:                              // PSCI, as on a board
    ldr     w0, =0x84000008
    smc     #0
    b       .

// Waits for an interrupt with all registers known; how many are others afterwards.
wfi_keeps:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    mov     x\n, #(0x2000 + \n)
    .endr
    cmp     x0, x0                      // Z and C are 1
    wfi
    cset    x0, ne
    sub     x1, x1, #0x2000
    cmp     x1, #1
    cinc    x0, x0, ne
    .irp    n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    sub     x\n, x\n, #0x2000
    cmp     x\n, #\n
    cinc    x0, x0, ne
    .endr
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret

// The guest's own vectors: a synchronous exception of its own goes to guest_exception, which says where to go on.
    .balign 2048
    .global guest_vectors
guest_vectors:
vectors:
    .rept   4
    .balign 128
    b       .
    .endr
    .balign 128
    b       own_sync
    .balign 128
    b       own_irq
    .rept   10
    .balign 128
    b       .
    .endr

own_sync:                               // nothing is kept here but what C keeps, and x30: who raises exceptions knows
    stp     x29, x30, [sp, #-16]!
    mrs     x0, esr_el1
    mrs     x1, elr_el1
    bl      guest_exception
    msr     elr_el1, x0
    ldp     x29, x30, [sp], #16
    eret

own_irq:                                // what it interrupts does not know: all that C may change is kept
    stp     x29, x30, [sp, #-176]!
    stp     x0, x1, [sp, #16]
    stp     x2, x3, [sp, #32]
    stp     x4, x5, [sp, #48]
    stp     x6, x7, [sp, #64]
    stp     x8, x9, [sp, #80]
    stp     x10, x11, [sp, #96]
    stp     x12, x13, [sp, #112]
    stp     x14, x15, [sp, #128]
    stp     x16, x17, [sp, #144]
    str     x18, [sp, #160]
    bl      guest_interrupt
    ldp     x0, x1, [sp, #16]
    ldp     x2, x3, [sp, #32]
    ldp     x4, x5, [sp, #48]
    ldp     x6, x7, [sp, #64]
    ldp     x8, x9, [sp, #80]
    ldp     x10, x11, [sp, #96]
    ldp     x12, x13, [sp, #112]
    ldp     x14, x15, [sp, #128]
    ldp     x16, x17, [sp, #144]
    ldr     x18, [sp, #160]
    ldp     x29, x30, [sp], #176
    eret
