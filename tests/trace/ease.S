// An external abort at EL3 with SCR_EL3.EASE (FEAT_DoubleFault): it goes to the vector of SErrors (Arm ARM D1.3.1.5).
        .arch   armv8.2-a
        .globl  _start
_start: adr     x0, vectors
        msr     vbar_el3, x0
        mrs     x1, scr_el3
        mov     x2, #0x8                // EA
        movk    x2, #0x8, lsl #16       // EASE
        orr     x1, x1, x2
        msr     scr_el3, x1
        isb
        mov     x3, #0x0d000000
        ldr     x4, [x3]                // nobody answers
        .balign 2048
vectors:
        .rept   32
        .rept   16
        b       .
        .endr
        .balign 128
        .endr
        b       .
