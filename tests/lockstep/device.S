// The frame of lock-step programs for devices (gen_device.py makes them): at EL3 it carries out a list of operations, each of
// which leaves one doubleword in the log: what was read, 0, or bit 63 and the syndrome of the exception that it made.
// Linked at 0x40080000, entered at EL3 with the list at SCRIPT. The log goes to the host's file log.bin by semihosting.
// Physical addresses are mapped as they are, of Secure state; the first GiB once more from 0x80000000, and all above 4 GiB,
// of Non-secure state.
        .arch armv8-a+crc
        .equ    SCRIPT, 0x40200000
        .equ    LOG, 0x4e000000
        .equ    STEP, 24                // an operation: its number, an argument (32 bits each), address, value

        .section .text.entry, "ax"
        .globl _start
_start: ldr     x0, =stack
        mov     sp, x0
        ldr     x0, =vectors
        msr     vbar_el3, x0
        ldr     x0, =0x04ff             // 0 Normal, 1 Device-nGnRE
        msr     mair_el3, x0
        ldr     x0, =0x80833510         // 48 bits of address, granules of 4 KiB, 44 bits of output
        msr     tcr_el3, x0
        ldr     x0, =level0
        msr     ttbr0_el3, x0
        mov     x0, #0x501              // SCR_EL3: RW, HCE, NS
        msr     scr_el3, x0
        isb
        tlbi    alle3
        dsb     sy
        isb
        mrs     x0, sctlr_el3
        mov     x1, #0x1005
        orr     x0, x0, x1
        msr     sctlr_el3, x0
        isb
        ldr     x19, =SCRIPT
        ldr     x20, =LOG

loop:   ldp     w0, w1, [x19]
        ldp     x2, x3, [x19, #8]
        add     x19, x19, #STEP
        mov     x4, #0
        adr     x5, operations
        add     x5, x5, x0, lsl #7
        br      x5
next:   dsb     sy
        isb
        str     x4, [x20], #8
        b       loop

// x1 argument, x2 address, x3 value: x4 for the log.
        .macro  read instruction, register
        .balign 128
        \instruction \register, [x2]
        and     x4, x4, x3
        b       next
        .endm
        .macro  write instruction, register
        .balign 128
        \instruction \register, [x2]
        b       next
        .endm
        .balign 128
operations:
        b       finish                  // 0
        read    ldrb, w4                // 1: what is in the value is logged of it
        read    ldrh, w4
        read    ldr, w4
        read    ldr, x4
        write   strb, w3                // 5
        write   strh, w3
        write   str, w3
        write   str, x3
        .balign 128                     // 9: what the operation x1 read, as far as the value has bits, in 32 bits
        ldr     x4, =LOG
        ldr     x4, [x4, x1, lsl #3]
        and     x3, x3, x4
        mov     x4, #0
        str     w3, [x2]
        b       next
        .balign 128                     // 10: a register of the CPU interface is read; value as with loads
        adr     x5, registers
        add     x5, x5, x1, lsl #3
        blr     x5
        and     x4, x4, x3
        b       next
        .balign 128                     // 11: and written
        adr     x5, writers
        add     x5, x5, x1, lsl #3
        blr     x5
        b       next
        .balign 128                     // 12: that many ticks of the timer pass
        msr     cntp_tval_el0, x3
        mov     x5, #1
        msr     cntp_ctl_el0, x5
        isb
1:      wfi
        mrs     x5, cntp_ctl_el0
        tbz     x5, #2, 1b
        msr     cntp_ctl_el0, xzr
        isb
        b       next
        .balign 128                     // 13: a sum of that many bytes
        add     x3, x2, x3
1:      ldr     x5, [x2], #8
        crc32x  w4, w4, x5
        cmp     x2, x3
        b.lo    1b
        b       next
        .balign 128                     // 14: what the operation x2 read, likewise, into a register of the CPU interface
        ldr     x4, =LOG
        ldr     x4, [x4, x2, lsl #3]
        and     x3, x3, x4
        mov     x4, #0
        adr     x5, writers
        add     x5, x5, x1, lsl #3
        blr     x5
        b       next

        .macro  get register
        mrs     x4, \register
        ret
        .endm
        .macro  set register
        msr     \register, x3
        ret
        .endm
// Their numbers are the places in CALLS of gen_device.py.
registers:
        get     s3_0_c12_c12_0          // ICC_IAR1_EL1
        get     s3_0_c12_c12_2          // ICC_HPPIR1_EL1
        get     s3_0_c12_c8_0           // ICC_IAR0_EL1
        get     s3_0_c12_c11_3          // ICC_RPR_EL1
        get     isr_el1
writers:
        set     s3_0_c12_c12_1          // ICC_EOIR1_EL1
        set     s3_0_c4_c6_0            // ICC_PMR_EL1
        set     s3_6_c12_c12_7          // ICC_IGRPEN1_EL3
        set     s3_6_c12_c12_5          // ICC_SRE_EL3
        set     s3_6_c12_c12_4          // ICC_CTLR_EL3
        set     s3_0_c12_c12_3          // ICC_BPR1_EL1

finish: mov     x0, #1                  // SYS_OPEN
        ldr     x1, =args
        ldr     x2, =name
        mov     x3, #5
        stp     x2, x3, [x1]
        mov     x3, #7
        str     x3, [x1, #16]
        hlt     #0xf000
        ldr     x2, =LOG
        sub     x3, x20, x2
        str     x0, [x1]
        stp     x2, x3, [x1, #8]
        mov     x0, #5                  // SYS_WRITE
        hlt     #0xf000
        mov     x0, #2                  // SYS_CLOSE
        hlt     #0xf000
        mov     x0, #0x18               // SYS_EXIT
        ldr     x1, =exit
        hlt     #0xf000
        b       .
        .ltorg

// The operation is over.
        .balign 2048
vectors:
        .rept   16
        .balign 128
        mrs     x4, esr_el3
        orr     x4, x4, #(1 << 63)
        adr     x5, next
        msr     elr_el3, x5
        eret
        .endr

        .section .data
        .balign 4096
        .equ    NORMAL, 0x701           // a block: AF, inner shareable
        .equ    DEVICE, 0x0040000000000405
        .equ    NS, 1 << 5
level0: .quad   low + 3, high + 3
        .fill   510, 8, 0
low:    .quad   DEVICE, 0x40000000 + NORMAL, DEVICE + NS
        .fill   253, 8, 0
        .quad   0x4000000000 + DEVICE + NS
        .fill   255, 8, 0
high:   .quad   0x8000000000 + DEVICE + NS
        .fill   511, 8, 0
args:   .quad   0, 0, 0
exit:   .quad   0x20026, 0
name:   .asciz  "log.bin"
        .section .bss
        .balign 4096
        .fill   4096, 1, 0
stack:
