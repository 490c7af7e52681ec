// The frame of lock-step programs (gen.py makes them): it runs each section of a program at the EL and under the controls
// that its row asks for, and writes a record of the state for every exception. All exceptions end at EL3: the vectors
// of EL1 and EL2 are one SMC each, so that no control that a section sets can trap the frame's own work. BRK ends a block
// of a program: its registers, vectors and memory window start anew, so that each block's result is its own.
// Linked at 0x40080000, entered at EL3 with the program at BLOB. The records go to the host's file log.bin by semihosting.
        .arch armv8.5-a+crc+memtag
#include "../guest/regs.S"
        .equ    BLOB, 0x40200000        // rows of sections
        .equ    VALUES, 0x40210000      // 32 KiB seeds of X, 32 KiB of V, 4 KiB window, bases
        .equ    BASES, VALUES + 0x11000
        .equ    LOG, 0x42000000
        .equ    LOG_END, 0x43fff000
        .equ    DUMPS, 0x44000000       // tables and backing as each section left them
        .equ    SETUPS, 0x40204000      // by block: the address of code that sets up the GIC and the timers, or 0
        .equ    GICLOG, 0x4a000000      // the GIC as each block of such a section left it
        .equ    GICLOG_END, 0x4bff0000
        .equ    WINDOW, 0x41000800
        .equ    AREA, 0x40400000        // code
        .equ    BACKING, 0x41400000     // 64 pages that the random tables lead to
        .equ    BLOCK, 24 * 4
        .equ    ROW, 256
        .equ    OWN, 0xff00             // SMC #OWN + EL * 16 + vector: forwarded; BRK #OWN: end of a section

        .section .text.entry, "ax"
        .globl _start
_start: ldr     x0, =stack
        mov     sp, x0
        ldr     x0, =vectors3
        msr     vbar_el3, x0
        ldr     x0, =VALUES
        ldr     x1, =xseed
        stp     x0, xzr, [x1]           // seeds of X, of V
        ldr     x1, =row
        ldr     x0, =BLOB
        str     x0, [x1]
        ldr     x1, =logptr
        ldr     x0, =LOG
        str     x0, [x1]
        mov     x2, #0x531
        msr     scr_el3, x2
        isb
        mrs     x0, midr_el1
        msr     vpidr_el2, x0
        mrs     x0, mpidr_el1
        msr     vmpidr_el2, x0
        ldr     x0, =0x0123456789abcdef
        .irp    key, apiakeylo, apiakeyhi, apibkeylo, apibkeyhi, apdakeylo, apdakeyhi, apdbkeylo, apdbkeyhi, apgakeylo, apgakeyhi
        msr     \key\()_el1, x0
        ror     x0, x0, #7
        .endr
        b       section

        .macro  take reg, name          // the next field of the row
        ldr     \reg, [x20], #8
        msr     \name, \reg
        .endm

// Starts the section of the current row; a zero row ends the program. The order is that of SECTION in gen.py.
section:
        ldr     x0, =vectors1
        msr     vbar_el1, x0
        ldr     x0, =vectors2
        msr     vbar_el2, x0
        ldr     x1, =row
        ldr     x20, [x1]
        ldr     x0, [x20, #8]
        cbz     x0, finish
        add     x2, x20, #ROW
        str     x2, [x1]
        take    x0, spsr_el3
        take    x0, elr_el3
        ldr     x1, =block
        stp     x0, xzr, [x1]
        mov     x1, #0x531
        msr     scr_el3, x1
        mov     x1, #(1 << 31)
        msr     hcr_el2, x1
        isb
        tlbi    alle1
        tlbi    alle2
        mov     x2, #(1 << 34)
        orr     x1, x1, x2
        msr     hcr_el2, x1
        isb
        tlbi    alle2                   // now of the EL2&0 regime
        mov     x3, #0x530              // and the same in Secure state with EL2
        movk    x3, #4, lsl #16
        msr     scr_el3, x3
        isb
        tlbi    alle1
        tlbi    alle2
        bic     x1, x1, x2
        msr     hcr_el2, x1
        isb
        tlbi    alle2
        ldr     x1, [x20, #(26 - 2) * 8]
        msr     s3_4_c2_c6_2, x1        // VSTCR_EL2
        ldr     x1, [x20, #(27 - 2) * 8]
        msr     s3_4_c2_c6_0, x1        // VSTTBR_EL2
        take    x0, scr_el3
        isb
        take    x0, hcr_el2
        take    x0, sctlr_el1
        take    x0, sctlr_el2
        take    x0, tcr_el1
        take    x0, tcr_el2
        take    x0, tcr_el3
        ldr     x0, [x20], #8
        msr     mair_el1, x0
        msr     mair_el2, x0
        msr     mair_el3, x0
        take    x0, ttbr0_el1
        take    x0, ttbr0_el2
        take    x0, ttbr0_el3
        isb
        take    x0, sctlr_el3
        isb
        take    x0, vttbr_el2
        take    x0, vtcr_el2
        take    x0, cpacr_el1
        take    x0, cptr_el2
        ldr     x0, [x20], #8
        ldr     x1, =cptr
        str     x0, [x1]
        msr     cptr_el3, xzr
        take    x0, mdcr_el2
        take    x0, mdcr_el3
        take    x0, cnthctl_el2
        take    x0, cntkctl_el1
        ldr     x0, [x20], #8
        msr     ttbr1_el1, x0
        msr     s3_4_c2_c0_1, x0        // TTBR1_EL2
        take    x0, tpidr_el3           // tables to sum at the end
        ldr     x0, [x20], #8
        ldr     x1, =flags
        str     x0, [x1]
        msr     cntvoff_el2, xzr
        msr     mdscr_el1, xzr
        msr     hpfar_el2, xzr
        msr     far_el1, xzr
        msr     far_el2, xzr
        msr     far_el3, xzr
        msr     contextidr_el1, xzr
        msr     cntp_ctl_el0, xzr
        msr     cntv_ctl_el0, xzr
        msr     cnthp_ctl_el2, xzr
        msr     cntps_ctl_el1, xzr
        tlbi    alle1
        tlbi    alle3
        dsb     sy
        isb
        ldr     x0, =BACKING
        ldr     x1, =VALUES
        mov     x2, #0x40000
1:      and     x3, x2, #0xffc0
        add     x3, x1, x3
        ldp     x4, x5, [x3]
        ldp     x6, x7, [x3, #16]
        stp     x4, x5, [x0], #16
        stp     x6, x7, [x0], #16
        subs    x2, x2, #32
        b.ne    1b
        ldr     x1, =flags
        ldr     x1, [x1]
        tbz     x1, #2, 3f
        ldr     x0, =BACKING
        mov     x2, #0x40000
2:      st2g    x0, [x0], #32
        subs    x2, x2, #32
        b.ne    2b
3:      sub     sp, sp, #256
        b       fresh                   // the first block

#include "frame_gic.S"

// A record, from the saved registers: x1 ESR, x2 ELR, x3 SPSR, x4 FAR, x5 HPFAR, x6 EL and vector (above it the block)
record: ldr     x20, =logptr
        ldr     x21, [x20]
        ldr     x22, =LOG_END
        cmp     x21, x22
        b.hs    finish
        ldr     x22, =block
        ldr     x22, [x22]
        orr     x22, x6, x22, lsl #8
        stp     x22, x1, [x21], #16
        stp     x2, x3, [x21], #16
        stp     x4, x5, [x21], #16
        mrs     x22, sp_el0
        mov     w23, #0
        crc32x  w23, w23, x22
        mov     x24, sp
        mov     x25, #31
1:      ldr     x22, [x24], #8
        crc32x  w23, w23, x22
        subs    x25, x25, #1
        b.ne    1b
        mrs     x22, fpsr
        mov     w24, #0
        .irp    n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        umov    x25, v\n\().d[0]
        umov    x26, v\n\().d[1]
        crc32x  w24, w24, x25
        crc32x  w24, w24, x26
        .endr
        stp     x23, x24, [x21], #16
        ldr     x25, =WINDOW
        mov     x26, #4096
        mov     w23, #0
2:      ldp     x27, x28, [x25], #16
        crc32x  w23, w23, x27
        crc32x  w23, w23, x28
        subs    x26, x26, #16
        b.ne    2b
        stp     x22, x23, [x21], #16
        str     x21, [x20]
        ret

// Every exception.
handler:
        regs_store sp
        msr     cptr_el3, xzr
        isb
        add     x6, x0, #0x30
        mrs     x1, esr_el3
        mrs     x2, elr_el3
        mrs     x3, spsr_el3
        mrs     x4, far_el3
        mov     x5, #0
        tst     x0, #3
        b.ne    known                   // an interrupt: ESR is an older exception's
        bl      own
        b.lo    known
        tbnz    x9, #5, 2f
1:      mov     x6, x9
        mrs     x1, esr_el1
        mrs     x2, elr_el1
        mrs     x3, spsr_el1
        mrs     x4, far_el1
        b       known
2:      mov     x6, x9
        mrs     x1, esr_el2
        mrs     x2, elr_el2
        mrs     x3, spsr_el2
        mrs     x4, far_el2
        mrs     x5, hpfar_el2
        tst     x6, #3
        b.ne    known                   // an interrupt, and ESR an older exception's
        bl      own                     // the SMC of EL1's vector, trapped by HCR_EL2.TSC
        b.hs    1b
known:  tst     x6, #3
        b.eq    6f
        bl      interrupted
6:      bl      gicstate
        bl      tagstate
        bl      record
        lsr     x7, x1, #26
        and     x7, x7, #63
        ldr     x10, =block
        ldp     x11, x13, [x10]
        add     x12, x11, #BLOCK
        tst     x6, #3
        b.ne    7f
        cmp     x7, #0x3c
        b.eq    ended
7:      add     x13, x13, #1
        str     x13, [x10, #8]
        ands    x8, x6, #3              // an interrupt, which is masked from now on: the same instruction again
        b.ne    masked
        cmp     x13, #200               // a loop that only one of the emulators is in must not fill the log
        b.hs    stuck
        sub     x13, x2, x11            // outside of the block: on to the next
        cmp     x13, #(BLOCK - 4)
        b.hs    next
        tst     x2, #3
        b.ne    next
        cmp     x7, #0x15
        b.eq    resume
        cmp     x7, #0x16
        b.eq    resume
        cmp     x7, #0x17
        b.ne    3f
        cmp     x6, #0x30
        b.hs    resume
3:      add     x2, x2, #4
resume: bic     x3, x3, #(3 << 20)      // IL, SS
        bic     x3, x3, #(3 << 10)      // BTYPE
        msr     elr_el3, x2
        msr     spsr_el3, x3
leave:  ldr     x0, =cptr
        ldr     x0, [x0]
        msr     cptr_el3, x0
        regs_load sp
        ldp     x0, x1, [sp], #16
        add     sp, sp, #240
        eret

// The section ends here.
stuck:  str     xzr, [x10, #8]
        b       over

// x8: 1 IRQ, 2 FIQ, 3 SError. What masking does not end (there is nothing to acknowledge) ends the block.
masked: cmp     x13, #24
        b.hs    8f
        mov     x7, #0x80
        cmp     x8, #2
        b.lo    9f
        mov     x7, #0x40
        b.eq    9f
        mov     x7, #0x100
9:      orr     x3, x3, x7
        b       resume
8:      ldr     w1, [x12, #-4]          // as its BRK does
        ubfx    x1, x1, #5, #16
        b       ended

// A stray branch: the block is over, at its BRK.
next:   sub     x2, x12, #4
        b       resume

// Is x1 the syndrome of an SMC of the frame's own? C set: yes, x9 is EL * 16 + vector.
own:    lsr     x7, x1, #26
        cmp     x7, #0x17
        b.lo    4f
        b.hi    5f
        and     x8, x1, #0xffff
        mov     x9, #OWN
        subs    x9, x8, x9
4:      ret
5:      cmn     xzr, xzr                // C clear
        ret

// BRK: x1 its syndrome. The immediate: 0-4 FPCR<26:22>, 5 FPCR.FZ16, OWN the end of the section.
ended:  and     x8, x1, #0xffff
        mov     x9, #OWN
        cmp     x8, x9
        b.eq    over
        stp     x12, xzr, [x10]
        and     x9, x8, #31
        lsl     x9, x9, #22
        ubfx    x8, x8, #5, #1
        orr     x9, x9, x8, lsl #19
        msr     fpcr, x9
        msr     elr_el3, x12
        bic     x3, x3, #(3 << 20)
        bic     x3, x3, #(3 << 10)
        msr     spsr_el3, x3
        // fall through
fresh:  ldr     x0, =flags
        ldr     x0, [x0]
        tbz     x0, #0, 5f
        bl      gicreset
        ldr     x0, =block
        ldr     x0, [x0]
        ldr     x1, =AREA
        sub     x0, x0, x1
        mov     x1, #BLOCK
        udiv    x0, x0, x1
        ldr     x1, =SETUPS
        ldr     w1, [x1, x0, lsl #2]
        blr     x1
5:      msr     fpsr, xzr
        ldr     x0, =xseed
        ldp     x1, x2, [x0]            // X: its address; V: offset
        ldr     x3, =VALUES
        mrs     x4, spsr_el3
        ldr     x5, [x1]
        bfi     x4, x5, #28, #4         // flags
        msr     spsr_el3, x4
        mov     x4, sp
        mov     x5, #8
1:      ldp     x6, x7, [x1], #16
        stp     x6, x7, [x4], #16
        subs    x5, x5, #1
        b.ne    1b
        sub     x5, x1, x3
        and     x5, x5, #0x7fff         // bases: as many sets as seeds
        ldr     x6, =BASES
        add     x6, x6, x5
        add     x1, x3, x5
        mov     x5, #8
2:      ldp     x7, x8, [x6], #16
        stp     x7, x8, [x4], #16
        subs    x5, x5, #1
        b.ne    2b
        ldr     x7, =WINDOW + 0x800
        msr     sp_el0, x7
        add     x3, x3, #0x8000
        add     x4, x3, x2
        .irp    n,0,4,8,12,16,20,24,28
        ld1     {v\n\().2d}, [x4], #16
        .endr
        ld1     {v1.2d-v3.2d}, [x4], #48
        ld1     {v5.2d-v7.2d}, [x4], #48
        ld1     {v9.2d-v11.2d}, [x4], #48
        ld1     {v13.2d-v15.2d}, [x4], #48
        ld1     {v17.2d-v19.2d}, [x4], #48
        ld1     {v21.2d-v23.2d}, [x4], #48
        ld1     {v25.2d-v27.2d}, [x4], #48
        ld1     {v29.2d-v31.2d}, [x4], #48
        add     x2, x2, #512
        and     x2, x2, #0x7fff
        stp     x1, x2, [x0]
        add     x3, x3, #0x8000         // the window
        ldr     x4, =WINDOW
        mov     x5, #4096
3:      ldp     x6, x7, [x3], #16
        stp     x6, x7, [x4], #16
        subs    x5, x5, #16
        b.ne    3b
        clrex
        ldr     x0, =flags
        ldr     x0, [x0]
        tbz     x0, #2, leave
        mrs     x0, spsr_el3            // TCO
        bic     x0, x0, #(1 << 25)
        msr     spsr_el3, x0
        msr     s3_0_c5_c6_0, xzr       // TFSR*_EL*
        msr     s3_0_c5_c6_1, xzr
        msr     s3_4_c5_c6_0, xzr
        msr     s3_6_c5_c6_0, xzr
        ldr     x0, =block
        ldr     w0, [x0]
        mov     w1, #0x9e37
        mul     w1, w0, w1
        ubfx    x2, x1, #5, #15
        msr     s3_0_c1_c0_6, x2        // GCR_EL1: some tags excluded
        ubfx    x2, x1, #8, #16
        orr     x2, x2, #1
        lsl     x2, x2, #8
        msr     s3_0_c1_c0_5, x2        // RGSR_EL1
        ldr     x4, =WINDOW + 0x7e0
        mov     x5, #6
1:      bfi     x4, x5, #56, #4
        stg     x4, [x4], #16
        add     x5, x5, #1
        cmp     x5, #10
        b.ne    1b
        b       leave

// The end of a section: a record of its tables and of what they lead to.
over:   ldr     x0, =flags
        ldr     x0, [x0]
        tbz     x0, #0, 5f
        bl      gicreset
5:      mrs     x20, tpidr_el3
        mov     x21, #0x8000
        mov     w22, #0
        ldr     x25, =dumps
        ldr     x26, [x25]
1:      ldr     x23, [x20], #8
        str     x23, [x26], #8
        crc32x  w22, w22, x23
        subs    x21, x21, #8
        b.ne    1b
        ldr     x20, =BACKING
        mov     x21, #0x40000
        mov     w24, #0
2:      ldr     x23, [x20], #8
        str     x23, [x26], #8
        crc32x  w24, w24, x23
        subs    x21, x21, #8
        b.ne    2b
        str     x26, [x25]
        ldr     x20, =logptr
        ldr     x21, [x20]
        mov     x23, #0x40
        stp     x23, x22, [x21], #16
        stp     x24, xzr, [x21], #16
        stp     xzr, xzr, [x21], #16
        stp     xzr, xzr, [x21], #16
        stp     xzr, xzr, [x21], #16
        str     x21, [x20]
        add     sp, sp, #256
        b       section

finish: ldr     x19, =name
        ldr     x20, =LOG
        ldr     x21, =logptr
        bl      save
        ldr     x19, =name2
        ldr     x20, =DUMPS
        ldr     x21, =dumps
        bl      save
        ldr     x19, =name3
        ldr     x20, =GICLOG
        ldr     x21, =giclog
        bl      save
        mov     x0, #0x18               // SYS_EXIT
        ldr     x1, =exit
        hlt     #0xf000
        b       .

// Writes what lies from x20 up to the pointer at x21 to the file named at x19.
save:   mov     x0, #1                  // SYS_OPEN
        ldr     x1, =args
        mov     x2, #5                  // to write
        stp     x19, x2, [x1]
        mov     x2, #7
        str     x2, [x1, #16]
        hlt     #0xf000
        str     x0, [x1]
        ldr     x2, [x21]
        sub     x2, x2, x20
        stp     x20, x2, [x1, #8]
        mov     x0, #5                  // SYS_WRITE
        hlt     #0xf000
        mov     x0, #2                  // SYS_CLOSE
        hlt     #0xf000
        ret
        .ltorg

        .macro  forward el
        .balign 2048
vectors\el:
        .set    n, 0
        .rept   16
        .balign 128
        smc     #(OWN + \el * 16 + n)
        b       .
        .set    n, n + 1
        .endr
        .endm
        forward 1
        forward 2

        .balign 2048
vectors3:
        .set    n, 0
        .rept   16
        .balign 128
        sub     sp, sp, #256
        stp     x0, x1, [sp]
        mov     x0, #n
        b       handler
        .set    n, n + 1
        .endr

        .section .data
        .balign 16
xseed:  .quad   0, 0
row:    .quad   0
logptr: .quad   0
        .balign 16
block:  .quad   0, 0                    // address, exceptions in it
cptr:   .quad   0
dumps:  .quad   DUMPS
flags:  .quad   0                       // of the section: 0 GIC, 1 its GICD_CTLR.DS is 1, 2 memory tagging
giclog: .quad   GICLOG
args:   .quad   0, 0, 0
exit:   .quad   0x20026, 0
name:   .asciz  "log.bin"
name2:  .asciz  "mem.bin"
name3:  .asciz  "gic.bin"
        .section .bss
        .balign 4096
        .fill   8192, 1, 0
stack:
