// A random guest for the devices: loads and stores of all sizes at what fuzz.py says, with values that lead far: what was read
// with a bit changed, addresses in RAM, what fuzz.py has in its dictionary. Offsets that read as something are remembered and come
// back. RAM that queues and tables may lie in changes, too. Linked with guest.ld, entered at the highest EL there is; ends by
// semihosting.
        .arch armv8-a
        .equ    RANGES, 64              // most of them; device.py has these, too
        .equ    STORES, 256
        .equ    WORDS, 64               // of the dictionary, and remembered places
        .equ    RAM_SIZE, 0x10000

        .macro  random                  // x19: xorshift
        eor     x19, x19, x19, lsl #13
        eor     x19, x19, x19, lsr #7
        eor     x19, x19, x19, lsl #17
        .endm

        .section .text.entry, "ax"
        .globl _start
_start: adr     x0, vectors
        mrs     x1, currentel
        msr     vbar_el1, x0
        tbz     x1, #3, 1f
        msr     vbar_el2, x0
        tbz     x1, #2, 1f
        msr     vbar_el3, x0
1:      isb
        ldr     x9, =seeds
        ldp     x19, x22, [x9], #16     // random state, accesses
        ldp     x21, x28, [x9], #16     // ranges, stores that set the device up
        mov     x20, x9                 // the ranges: address and size, the one that it is about first
        add     x9, x9, #RANGES * 16
        mov     x26, x9                 // the dictionary
        add     x29, x9, #WORDS * 8
        ldr     x23, =area
        ldr     x24, =places
        mov     x25, #0
        mov     x27, #0                 // what was read last
prepare:
        mov     x8, x28                 // now and then the device is set up again
        mov     x9, x29
2:      cbz     x8, next
        ldp     x10, x12, [x9], #16     // address, above bit 60 the size's logarithm; value
        lsr     x13, x10, #60
        and     x10, x10, #0x0fffffffffffffff
        bl      store
        sub     x8, x8, #1
        b       2b

next:   sub     x22, x22, #1
        cbz     x22, finish
        tst     x22, #0xfff
        b.eq    prepare
        random
        tst     x19, #7
        b.eq    ram
        mov     x0, #0                  // three times out of four it is the first range
        tst     x19, #(3 << 3)
        b.ne    3f
        ubfx    x0, x19, #5, #16
        mul     x0, x0, x21
        lsr     x0, x0, #16
3:      add     x1, x20, x0, lsl #4
        ldp     x10, x2, [x1]
        ubfx    x3, x19, #21, #2
        ubfx    x4, x19, #40, #3
        mov     x13, #2                 // 4 bytes, or as x4 says
        cmp     x4, #3
        b.hs    4f
        mov     x13, x4
        cmp     x4, #2
        cinc    x13, x13, eq
4:      lsr     x15, x19, #44
        random
        cmp     x3, #1
        b.lo    6f
        b.eq    5f
        cmp     x3, #2
        b.eq    10f
        cbz     x28, 10f
        ubfx    x5, x19, #8, #16        // where it is set up
        mul     x5, x5, x28
        lsr     x5, x5, #16
        lsl     x5, x5, #4
        ldr     x10, [x29, x5]
        and     x10, x10, #0x0fffffffffffffff
        b       7f
10:     and     x5, x19, #(WORDS - 1)   // a remembered place
        ldr     x5, [x24, x5, lsl #3]
        cbz     x5, 5f
        mov     x10, x5
        b       7f
5:      and     x5, x19, #0xfff         // near the start
        cmp     x5, x2
        b.hs    6f
        add     x10, x10, x5
        b       7f
6:      umulh   x5, x19, x2
        add     x10, x10, x5
7:      mov     x5, #-1
        lsl     x5, x5, x13
        and     x10, x10, x5
        tbnz    x15, #0, 8f
        bl      load
        mov     x27, x12
        cbz     x12, next
        cmn     x12, #1
        b.eq    next
        cmp     x3, #2
        b.hs    next
        str     x10, [x24, x25, lsl #3]
        add     x25, x25, #1
        and     x25, x25, #(WORDS - 1)
        b       next
8:      ubfx    x14, x15, #1, #3
        cmp     x14, #2
        b.ne    9f
        bl      load                    // this register, with a bit changed
        mov     x27, x12
9:      bl      value
        bl      store
        b       next

// A doubleword of RAM, or a word of it.
ram:    ubfx    x10, x19, #10, #13
        add     x10, x23, x10, lsl #3
        ubfx    x13, x19, #3, #1
        add     x13, x13, #2
        ubfx    x14, x19, #4, #3
        bl      value
        bl      store
        b       next

// x12: a value of sort x14.
value:  random
        mov     x12, x19
        cbz     x14, 1f
        cmp     x14, #2
        b.lo    2f
        b.eq    3f
        cmp     x14, #4
        b.lo    4f
        b.eq    5f
        and     x0, x19, #(WORDS - 1)
        ldr     x12, [x26, x0, lsl #3]
        cmp     x14, #7
        b.ne    1f
        ubfx    x0, x19, #8, #6         // of the dictionary with a bit changed
        mov     x1, #1
        lsl     x1, x1, x0
        eor     x12, x12, x1
1:      ret
2:      and     x12, x19, #0xff
        ret
3:      ubfx    x0, x19, #8, #5
        mov     x1, #1
        lsl     x1, x1, x0
        eor     x12, x27, x1
        ret
4:      and     x12, x19, #(RAM_SIZE - 8)
        add     x12, x12, x23
        ret
5:      sbfx    x12, x19, #9, #1
        ret

// Of 1 << x13 bytes at x10, to and from x12. What faults is stepped over.
load:   mov     x12, #0
        cmp     x13, #1
        b.lo    1f
        b.eq    2f
        cmp     x13, #3
        b.eq    3f
        ldr     w12, [x10]
        ret
1:      ldrb    w12, [x10]
        ret
2:      ldrh    w12, [x10]
        ret
3:      ldr     x12, [x10]
        ret
store:  cmp     x13, #1
        b.lo    1f
        b.eq    2f
        cmp     x13, #3
        b.eq    3f
        str     w12, [x10]
        ret
1:      strb    w12, [x10]
        ret
2:      strh    w12, [x10]
        ret
3:      str     x12, [x10]
        ret

finish: mov     x0, #0x18               // SYS_EXIT
        ldr     x1, =exit
        hlt     #0xf000
        b       .
        .ltorg

        .macro  over el
        mrs     x16, elr_el\el
        add     x16, x16, #4
        msr     elr_el\el, x16
        eret
        .endm
        .balign 2048
vectors:
        .rept   16
        .balign 128
        mrs     x16, currentel
        tbnz    x16, #3, 2f
        over    1
2:      tbnz    x16, #2, 3f
        over    2
3:      over    3
        .endr

        .section .data
        .balign 4096
        .globl seeds
seeds:  .fill   32 + RANGES * 16 + WORDS * 8 + STORES * 16, 1, 0
exit:   .quad   0x20026, 0
        .balign 8
places: .fill   WORDS, 8, 0
        .section .area, "awx"
        .globl area
area:   .fill   RAM_SIZE, 1, 0
