// Of the frame of lock-step programs (frame.S): the GIC, timers and memory tags as each block finds them, and what a record says of
// them at its end.
// An interrupt, x6 says which, is taken to EL3 or EL2: acknowledged, so that it does not come again. Where EL1 took it
// SPSR.{I,F} do that. x4 and x5 for the record: what was acknowledged, or pends. An SError has a syndrome, the others none.
interrupted:
        and     x7, x6, #3
        cmp     x7, #3
        mov     x4, #0
        mov     x5, #0
        b.eq    2f
        mov     x1, #0
        cmp     x6, #0x20
        b.lo    1f
        mrs     x4, s3_0_c12_c8_0       // ICC_IAR0_EL1
        mrs     x5, s3_0_c12_c12_0      // ICC_IAR1_EL1
        ret
1:      mrs     x4, s3_0_c12_c8_2       // ICC_HPPIR0_EL1
        mrs     x5, s3_0_c12_c12_2      // ICC_HPPIR1_EL1
2:      ret

        .macro  see reg                 // a word of the GIC's state
        mrs     x7, \reg
        str     x7, [x21], #8
        crc32x  w4, w4, x7
        .endm

// At a BRK of a section with the GIC: its state goes to the file gic.bin. x4 the sum of the CPU interfaces, x5 of the frames.
// The order is that of GIC_STATE in lockstep.py.
gicstate:
        lsr     x7, x1, #26
        cmp     x7, #0x3c
        b.ne    4f
        tst     x6, #3
        b.ne    4f
        ldr     x20, =flags
        ldr     x20, [x20]
        tbz     x20, #0, 4f
        ldr     x20, =giclog
        ldr     x21, [x20]
        ldr     x22, =GICLOG_END
        cmp     x21, x22
        b.hs    4f
        mov     w4, #0
        mrs     x9, scr_el3
        see     s3_0_c4_c6_0            // ICC_PMR_EL1
        see     s3_0_c12_c8_3           // ICC_BPR0_EL1
        see     s3_0_c12_c8_4           // ICC_AP0R0_EL1
        see     s3_0_c12_c12_6          // ICC_IGRPEN0_EL1
        see     s3_6_c12_c12_7          // ICC_IGRPEN1_EL3
        mrs     x7, s3_6_c12_c12_4      // ICC_CTLR_EL3: EOImode_EL3, and those of Non-secure state
        and     x7, x7, #0x1e
        and     x7, x7, #~8
        str     x7, [x21], #8
        crc32x  w4, w4, x7
        see     s3_0_c12_c11_3          // ICC_RPR_EL1
        see     s3_0_c12_c8_2           // ICC_HPPIR0_EL1
        see     s3_0_c12_c12_2          // ICC_HPPIR1_EL1
        bic     x8, x9, #1
        msr     scr_el3, x8
        isb
        see     s3_0_c12_c12_3          // ICC_BPR1_EL1, Secure
        see     s3_0_c12_c9_0           // ICC_AP1R0_EL1
        see     s3_0_c12_c12_4          // ICC_CTLR_EL1
        orr     x8, x9, #1
        msr     scr_el3, x8
        isb
        see     s3_0_c12_c12_3          // the same, Non-secure
        see     s3_0_c12_c9_0
        see     s3_0_c12_c12_4
        mrs     x7, isr_el1             // rule ds: not with GICD_CTLR.DS 1
        ldr     x8, =flags
        ldr     x8, [x8]
        tbz     x8, #1, 5f
        mov     x7, #0
5:      str     x7, [x21], #8
        crc32x  w4, w4, x7
        mrs     x7, s3_4_c12_c11_0      // ICH_HCR_EL2 without TSEI, which QEMU keeps
        bic     x7, x7, #(1 << 13)
        str     x7, [x21], #8
        crc32x  w4, w4, x7
        see     s3_4_c12_c11_7          // ICH_VMCR_EL2
        see     s3_4_c12_c11_2          // ICH_MISR_EL2
        see     s3_4_c12_c11_3          // ICH_EISR_EL2
        see     s3_4_c12_c11_5          // ICH_ELRSR_EL2
        see     s3_4_c12_c8_0           // ICH_AP0R0_EL2
        see     s3_4_c12_c9_0           // ICH_AP1R0_EL2
        .irp    n,0,1,2,3
        see     s3_4_c12_c12_\n         // ICH_LR<n>_EL2
        .endr
        see     hcr_el2
        see     s3_4_c12_c1_1           // VDISR_EL2
        see     s3_0_c12_c1_1           // DISR_EL1
        msr     scr_el3, x9
        isb
        mov     w5, #0
        ldr     x9, =gicwords
1:      ldr     w10, [x9], #4
        cbz     w10, 3f
        ldr     w7, [x10]
        str     w7, [x21], #4
        crc32w  w5, w5, w7
        b       1b
3:      str     x21, [x20]
4:      ret

// At a BRK of a section with memory tagging: x4 the asynchronous tag faults, x5 a sum of the four tags (gen_mte.py).
tagstate:
        lsr     x7, x1, #26
        cmp     x7, #0x3c
        b.ne    2f
        ldr     x20, =flags
        ldr     x20, [x20]
        tbz     x20, #2, 2f
        dsb     sy
        isb
        mrs     x4, s3_0_c5_c6_0        // TFSR_EL1, TFSRE0_EL1, TFSR_EL2, TFSR_EL3
        mrs     x7, s3_0_c5_c6_1
        orr     x4, x4, x7, lsl #4
        mrs     x7, s3_4_c5_c6_0
        orr     x4, x4, x7, lsl #8
        mrs     x7, s3_6_c5_c6_0
        orr     x4, x4, x7, lsl #12
        mrs     x7, s3_0_c1_c0_5        // RGSR_EL1
        orr     x4, x4, x7, lsl #16
        ldr     x7, =WINDOW + 0x7e0
        mov     x8, #64
        mov     w5, #0
        mov     x9, #0
1:      ldg     x9, [x7]
        add     x7, x7, #16
        crc32x  w5, w5, x9
        subs    x8, x8, #16
        b.ne    1b
2:      ret

// The GIC and the timers as each block of such a section finds them: awake, everything group 0, priority 0, disabled.
gicreset:
        msr     cntp_ctl_el0, xzr
        msr     cntv_ctl_el0, xzr
        msr     cnthp_ctl_el2, xzr
        msr     s3_4_c14_c3_1, xzr      // CNTHV_CTL_EL2
        msr     cntps_ctl_el1, xzr
        msr     cntvoff_el2, xzr
        msr     s3_4_c12_c1_1, xzr      // VDISR_EL2
        msr     s3_0_c12_c1_1, xzr      // DISR_EL1
        msr     s3_4_c5_c2_3, xzr       // VSESR_EL2
        mrs     x9, scr_el3
        orr     x10, x9, #1
        msr     scr_el3, x10
        isb
        mov     x7, #15
        msr     s3_6_c12_c12_5, x7      // ICC_SRE_EL3
        isb
        msr     s3_4_c12_c9_5, x7       // ICC_SRE_EL2
        msr     s3_6_c12_c12_4, xzr     // ICC_CTLR_EL3
        msr     s3_0_c12_c12_3, xzr     // ICC_BPR1_EL1
        mov     x10, #72                // QEMU ignores writes of the Non-secure ICC_AP1R0_EL1: priority drops instead
1:      mrs     x7, s3_0_c12_c11_3      // ICC_RPR_EL1
        cmp     x7, #0xff
        b.eq    2f
        msr     s3_0_c12_c8_1, xzr      // ICC_EOIR0_EL1, ICC_EOIR1_EL1
        msr     s3_0_c12_c12_1, xzr
        subs    x10, x10, #1
        b.ne    1b
2:
        msr     s3_4_c12_c11_0, xzr     // ICH_HCR_EL2
        msr     s3_4_c12_c11_7, xzr     // ICH_VMCR_EL2
        msr     s3_4_c12_c8_0, xzr      // ICH_AP0R0_EL2, ICH_AP1R0_EL2
        msr     s3_4_c12_c9_0, xzr
        .irp    n,0,1,2,3
        msr     s3_4_c12_c12_\n, xzr
        .endr
        bic     x10, x9, #1
        msr     scr_el3, x10
        isb
        msr     s3_0_c12_c12_3, xzr
        msr     s3_0_c12_c8_3, xzr      // ICC_BPR0_EL1
        msr     s3_0_c12_c12_6, xzr     // ICC_IGRPEN0_EL1
        msr     s3_6_c12_c12_7, xzr     // ICC_IGRPEN1_EL3
        mov     x7, #0xff
        msr     s3_0_c4_c6_0, x7        // ICC_PMR_EL1
        msr     scr_el3, x9
        isb
        ldr     x9, =gicclear
1:      ldp     w10, w7, [x9], #8
        cbz     w10, 2f
        str     w7, [x10]
        b       1b
2:      ldr     x9, =flags
        ldr     x9, [x9]
        ldr     x10, =0x08000000
        mov     w7, #0x37               // GICD_CTLR: all groups; DS stays once it is set
        tbz     x9, #1, 3f
        mov     w7, #0x53
3:      str     w7, [x10]
        ret

        .section .data
        .balign 8
// What gicstate reads, and what gicreset writes: the registers of INTIDs 0 to 63 and 224 to 255.
gicwords:
        .word   0x08000000
        .irp    n,1,7
        .irp    r,0x80,0xd00,0x100,0x200,0x300
        .word   0x08000000 + \r + 4 * \n
        .endr
        .word   0x08000c00 + 8 * \n, 0x08000c04 + 8 * \n, 0x08000e00 + 8 * \n, 0x08000e04 + 8 * \n
        .irp    p,0,4,8,12,16,20,24,28
        .word   0x08000400 + 32 * \n + \p
        .endr
        .endr
        .irp    n,36,40,44,63,224,248,253,255
        .word   0x08006000 + 8 * \n, 0x08006004 + 8 * \n
        .endr
        .word   0x080a0014
        .irp    r,0x80,0xd00,0x100,0x200,0x300,0xc00,0xc04,0xe00,0x400,0x404,0x408,0x40c,0x410,0x414,0x418,0x41c
        .word   0x080b0000 + \r
        .endr
        .word   0
gicclear:
        .irp    n,1,7
        .irp    r,0xc00,0xc04,0xe00,0xe04
        .word   0x08000000 + \r + 8 * \n, 0
        .endr
        .word   0x08000080 + 4 * \n, 0, 0x08000d00 + 4 * \n, 0
        .word   0x08000180 + 4 * \n, -1, 0x08000280 + 4 * \n, -1, 0x08000380 + 4 * \n, -1
        .irp    p,0,4,8,12,16,20,24,28
        .word   0x08000400 + 32 * \n + \p, 0
        .endr
        .endr
        .irp    n,36,40,44,63,224,248,253,255
        .word   0x08006000 + 8 * \n, 0, 0x08006004 + 8 * \n, 0
        .endr
        .word   0x080a0014, 0, 0x080b0c04, 0, 0x080b0080, 0, 0x080b0d00, 0, 0x080b0e00, 0
        .word   0x080b0180, -1, 0x080b0280, -1, 0x080b0380, -1
        .irp    p,0,4,8,12,16,20,24,28
        .word   0x080b0400 + \p, 0
        .endr
        .word   0, 0
        .section .text.entry, "ax"
