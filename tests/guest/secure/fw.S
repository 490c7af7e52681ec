// Reset, vectors of EL3 and the way down: fw.h says what for. TPIDR_EL3 has the PE's struct cpu, whose first word is the
// struct world that it runs: x0 to x30, ELR, SPSR, SCR (fw.c).
#include "fw.h"
#include "regs.S"

    .section .text.entry, "ax"
    .global _start
_start:
    msr     daifset, #15
    ldr     x0, =0x30c50830             // SCTLR_EL3: RES1
    msr     sctlr_el3, x0
    adr     x0, vectors
    msr     vbar_el3, x0
    msr     cptr_el3, xzr
    msr     mdcr_el3, xzr
    isb
    bl      stack_top                   // of each PE: without PSCI all begin here
    cbnz    x19, 3f
    ldr     x0, =_data                  // .data from flash, .bss
    ldr     x1, =_data_end
    ldr     x2, =_data_flash
1:  cmp     x0, x1
    b.hs    2f
    ldp     x3, x4, [x2], #16
    stp     x3, x4, [x0], #16
    b       1b
2:  ldr     x0, =_bss
    ldr     x1, =_bss_end
4:  cmp     x0, x1
    b.hs    5f
    stp     xzr, xzr, [x0], #16
    b       4b
5:  bl      fw_cold
    b       leave
3:  mov     x0, x19
    bl      fw_park
    b       leave

    .text
// Enters the struct world in x0, which a C function returned; SP is the stack's top again.
leave:
    ldp     x1, x2, [x0, #248]          // ELR, SPSR
    ldr     x3, [x0, #264]              // SCR
    msr     elr_el3, x1
    msr     spsr_el3, x2
    msr     scr_el3, x3
    isb
    regs_load x0
    ldp     x0, x1, [x0]
    eret

    .macro  lower handler
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mrs     x0, tpidr_el3
    ldr     x0, [x0]
    regs_store x0
    adr     x1, \handler
    b       enter
    .endm

    .macro  wrong
    .balign 128
    mrs     x0, esr_el3
    mrs     x1, elr_el3
    mrs     x2, far_el3
    b       fw_wrong
    .endm

    .balign 2048
vectors:
    .rept   8
    wrong
    .endr
    lower   fw_sync
    wrong                               // IRQs are the lower ELs'
    lower   fw_fiq
    .rept   5
    wrong
    .endr

enter:
    mov     x4, x1
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mrs     x2, elr_el3
    mrs     x3, spsr_el3
    stp     x2, x3, [x0, #248]
    mrs     x0, tpidr_el3
    adr     x30, leave
    br      x4

// A PE that goes off waits as after a reset, with an empty stack.
    .global fw_stack_again
fw_stack_again:
    bl      stack_top
    mov     x0, x19
    bl      fw_park
    b       leave

stack_top:                              // x19: the number of this PE
    mrs     x19, mpidr_el1
    and     x19, x19, #(FW_CPUS - 1)
    ldr     x0, =_stacks
    add     x1, x19, #1
    mov     x2, #FW_STACK
    madd    x0, x1, x2, x0
    mov     sp, x0
    ret

    .section .rodata.payload, "a"
    .global payload_image, payload_image_end
    .balign 16
payload_image:
    .incbin "payload.bin"
    .balign 16
payload_image_end:
