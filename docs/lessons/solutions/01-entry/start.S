// The first instruction, at EL2. The MMU is off, SP holds nothing.
    .section .text.entry, "ax"
    .global _start
_start:
    ldr     x0, =_stack
    mov     sp, x0
    ldr     x0, =_bss
    ldr     x1, =_bss_end
1:  cmp     x0, x1
    b.hs    2f
    str     xzr, [x0], #8
    b       1b
2:  ldr     x0, =vectors
    msr     vbar_el2, x0
    isb
    bl      main
    b       power_off
