// What registers hold at reset, and accesses that only some images make: -DCASE says which. Entered at EL1 or EL2.
    .text
    .global _start
_start:
#if CASE == 1 // zero, but for what reset sets: prints what it finds
    mrs x1, tpidr_el0
    mrs x2, far_el1
    orr x1, x1, x2
    mrs x2, mair_el1
    orr x1, x1, x2
    mrs x2, cntv_cval_el0
    orr x1, x1, x2
    mrs x2, pmintenset_el1
    orr x1, x1, x2
    mrs x2, pmevtyper0_el0
    orr x1, x1, x2
    mrs x2, spsr_el1
    orr x1, x1, x2
    mrs x2, CurrentEL
    cmp x2, #8
    b.ne 1f
    mrs x2, cnthp_cval_el2
    orr x1, x1, x2
    mrs x2, cntvoff_el2
    orr x1, x1, x2
    mrs x2, tpidr_el2
    orr x1, x1, x2
    mrs x2, vttbr_el2
    orr x1, x1, x2
1:  mov w0, #'0'
    cbz x1, out
    mov w0, #'L'
    b out
#elif CASE == 2 // all kinds of unaligned accesses while the MMU is off
    adr x0, data + 1
    ldr x1, [x0]
    str x1, [x0, #16]
    ldr x2, [x0, #16]
    cmp x1, x2
    b.ne bad
    ldp x3, x4, [x0, #8]
    strh w1, [x0, #40]
    mov x5, #3 << 20
    msr cpacr_el1, x5
    isb
    ldr q0, [x0]
    str q0, [x0, #62]
    adr x6, data + 128
    dc zva, x6
    ldr x7, [x6, #3]
    cbnz x7, bad
    ldr x8, =0x40400ffd // across pages
    str x1, [x8]
    ldr x2, [x8]
    cmp x1, x2
    b.eq good
    b bad
#elif CASE == 3 // a device needs alignment all the same
    ldr x0, =0x09000fe1
    ldr w1, [x0]
    b good
#elif CASE == 4 // so does who asks for it
    mrs x0, sctlr_el1
    orr x0, x0, #2
    msr sctlr_el1, x0
    isb
    adr x0, data + 1
    ldr x1, [x0]
    b good
#elif CASE == 5 // and an exclusive
    adr x0, data + 1
    ldxr x1, [x0]
    b good
#elif CASE == 6 || CASE == 7 // to EL1 without HCR_EL2.RW, never written or written as zero; twice
#if CASE == 7
    msr hcr_el2, xzr
#endif
    adr x0, vectors
    msr vbar_el2, x0
    adr x0, back
    msr elr_el2, x0
    mov x0, #0x3c5
    msr spsr_el2, x0
    eret
back:
    hvc #0
    b good
#endif
good:
    mov w0, #'G'
    b out
bad:
    mov w0, #'B'
out:
    ldr x1, =0x09000000
    str w0, [x1]
    ldr x0, =0x84000008
    mrs x1, CurrentEL
    cmp x1, #8
    b.eq 1f
    hvc #0
1:  smc #0
    b 1b
    .ltorg
    .balign 64
data:
    .quad 0x1122334455667788, 0x99aabbccddeeff00
    .fill 512
    .balign 2048
vectors:
    .rept 8
    .balign 128
    b bad
    .endr
    .balign 128
    mrs x9, elr_el2
    cbnz x10, good
    mov x10, #1
    eret
