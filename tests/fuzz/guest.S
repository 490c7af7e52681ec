// The frame that random code runs in: vectors at every EL that step over whatever trapped, registers that point into RAM.
// Linked at 0x40080000; entered at the highest EL there is. fuzz.py fills `area` and `seeds`.
        .arch armv8.1-a
        .section .text.entry, "ax"
        .globl _start
_start: mrs     x0, currentel
        adrp    x1, vectors
        add     x1, x1, :lo12:vectors
        msr     vbar_el1, x1
        cmp     x0, #8
        b.lt    1f
        msr     vbar_el2, x1
        mov     x2, #0x33ff
        msr     cptr_el2, x2
        cmp     x0, #12
        b.lt    1f
        msr     vbar_el3, x1
        msr     cptr_el3, xzr
1:      mov     x2, #(3 << 20)
        msr     cpacr_el1, x2
        isb
        adrp    x30, seeds
        add     x30, x30, :lo12:seeds
        ldp     x0, x1, [x30]
        ldp     x2, x3, [x30, #16]
        ldp     x4, x5, [x30, #32]
        ldp     x6, x7, [x30, #48]
        ldp     x8, x9, [x30, #64]
        ldp     x10, x11, [x30, #80]
        ldp     x12, x13, [x30, #96]
        ldp     x14, x15, [x30, #112]
        ldp     q0, q1, [x30]
        ldp     q2, q3, [x30, #32]
        ldp     q4, q5, [x30, #64]
        adrp    x28, stack_end
        mov     sp, x28
        b       area

// Goes on four bytes further, or at a seed-chosen place when that isn't in the area.
        .macro  handler el
        msr     tpidr_el\el, x28
        mrs     x28, elr_el\el
        add     x28, x28, #4
        and     x28, x28, #0xfffc
        orr     x28, x28, #0x40000000
        orr     x28, x28, #0x00100000
        msr     elr_el\el, x28
        mrs     x28, tpidr_el\el
        eret
        .endm
        .balign 2048
vectors:
        .rept   16
        .balign 128
        msr     tpidr_el0, x28
        mrs     x28, currentel
        tbnz    x28, #3, 2f
        mrs     x28, tpidr_el0
        b       at_el1
2:      tbnz    x28, #2, 3f
        mrs     x28, tpidr_el0
        b       at_el2
3:      mrs     x28, tpidr_el0
        b       at_el3
        .endr
at_el1: handler 1
at_el2: handler 2
at_el3: handler 3

        .section .data
        .balign 4096
        .globl seeds
seeds:  .fill   128, 1, 0
        .section .area, "awx"
        .globl area
area:   .fill   65536, 1, 0
        .section .bss
        .balign 4096
        .fill   16384, 1, 0
stack_end:
        .fill   65536, 1, 0
