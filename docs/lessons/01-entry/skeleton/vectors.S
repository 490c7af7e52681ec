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
    // TODO 4: slot 4 is where EL2's own HVC comes to. It must lead to `sync`, with x0 as it was.
    slot    el2_unexpected, 4           // 0x200 synchronous
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
    // TODO 5: x2 to x30, ELR_EL2 and SPSR_EL2 to their places in the frame; bl el2_sync with x0 = the frame;
    //         then all of it back (ELR_EL2 and SPSR_EL2 first: that needs registers), and ERET.
    b       .
