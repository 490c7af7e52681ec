// The vector table of EL2: sixteen slots of 128 bytes, four kinds from four places (Arm ARM, D1.3.1).
    .text
    .macro  slot target, number
    .balign 128
    mov     x0, #\number
    b       \target
    .endm

    .balign 2048
    .global vectors
vectors:
    // From EL2 itself with SP_EL0, which is not in use here
    slot    el2_unexpected, 0           // 0x000 synchronous
    slot    el2_unexpected, 1           // 0x080 IRQ
    slot    el2_unexpected, 2           // 0x100 FIQ
    slot    el2_unexpected, 3           // 0x180 SError
    // From EL2 itself with SP_EL2
    .balign 128
    b       sync                        // 0x200 synchronous
    slot    el2_unexpected, 5           // 0x280 IRQ
    slot    el2_unexpected, 6           // 0x300 FIQ
    slot    el2_unexpected, 7           // 0x380 SError
    // From a lower EL in AArch64: a guest. Until lesson 3 there is none, and the names below are taken
    .balign 128
    b       guest_sync                  // 0x400 synchronous
    .balign 128
    b       guest_irq                   // 0x480 IRQ
    .balign 128
    b       guest_fiq                   // 0x500 FIQ
    .balign 128
    b       guest_serror                // 0x580 SError
    // From a lower EL in AArch32: never here
    slot    el2_unexpected, 12
    slot    el2_unexpected, 13
    slot    el2_unexpected, 14
    slot    el2_unexpected, 15

    .weak   guest_sync, guest_irq, guest_fiq, guest_serror
guest_sync:
guest_irq:
guest_fiq:
guest_serror:
    mov     x0, #8
    b       el2_unexpected

// A struct frame (frame.h) on the stack, el2_sync(frame), and back to what was interrupted.
#define FRAME_SIZE 272
    .global sync
sync:
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x0, elr_el2
    mrs     x1, spsr_el2
    stp     x30, x0, [sp, #240]
    str     x1, [sp, #256]
    mov     x0, sp
    bl      el2_sync
    ldp     x30, x0, [sp, #240]
    ldr     x1, [sp, #256]
    msr     elr_el2, x0
    msr     spsr_el2, x1
    ldp     x0, x1, [sp]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    add     sp, sp, #FRAME_SIZE
    eret
