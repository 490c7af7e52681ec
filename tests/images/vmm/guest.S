/*
 * The guest of vmm.c: enters at EL1 with the MMU off and walks through what a small kernel needs from KVM: its own
 * stage-1 tables, a console behind stage-2 aborts, arithmetic, the virtual timer's interrupt and an SGI through the
 * vGICv3 or vGICv2, PSCI by HVC. Each check has a number, written to DEVICE_RESULT before power-off; 0 says that all passed.
 *
 * x0 at entry: GUEST_HAS_*.   x19: device, x20: flags, x21: number of the check under way, w22/w23: interrupts
 * seen (timer, SGI). Handlers keep to x8-x15, which nothing else holds across an interruptible place.
 */
#include "machine.h"

#define PSCI_VERSION 0x84000000
#define PSCI_SYSTEM_OFF 0x84000008
#define TIMER_PPI 27
#define TICKS 3
#define SUM_OF_1000 0x3ffa4d8e550a946e /* IEEE double, to nearest */

        .macro mov32 reg, value
        movz    \reg, #((\value) & 0xffff)
        movk    \reg, #((\value) >> 16), lsl #16
        .endm

        .macro say text
        adr     x0, 9f
        bl      print
        b       8f
9:      .asciz  "\text"
        .balign 4
8:
        .endm

        .text
        .globl  _start
_start:
        mov32   x19, DEVICE_BASE
        mov     x20, x0
        mov     w22, #0
        mov     w23, #0
        adr     x0, stack_top
        mov     sp, x0
        adr     x0, vectors
        msr     vbar_el1, x0
        isb

        mov     w21, #1                         /* 1: entered at EL1 */
        mrs     x0, CurrentEL
        cmp     x0, #4
        b.ne    fail
        say     "entered at EL1\n"

        mov     w21, #2                         /* 2: the device's register, by loads of several widths */
        mov32   w1, DEVICE_ID_VALUE
        ldr     w0, [x19, #DEVICE_ID]
        cmp     w0, w1
        b.ne    fail
        ldrh    w0, [x19, #DEVICE_ID]
        cmp     w0, w1, uxth
        b.ne    fail
        ldrb    w0, [x19, #(DEVICE_ID + 1)]
        cmp     w0, #((DEVICE_ID_VALUE >> 8) & 0xff)
        b.ne    fail
        /* and by those that extend the sign. KVM of Linux 6.1 loses the sign again (vcpu_data_host_to_guest masks to
         * the access's size), so only the bits that were read are looked at. */
        ldrsw   x0, [x19, #DEVICE_ID]
        cmp     w0, w1
        b.ne    fail
        ldrsh   x0, [x19, #DEVICE_ID]
        eor     w0, w0, w1
        tst     w0, #0xffff
        b.ne    fail
        ldrsh   w0, [x19, #DEVICE_ID]
        eor     w0, w0, w1
        tst     w0, #0xffff
        b.ne    fail
        ldrsb   x0, [x19, #(DEVICE_ID + 1)]
        eor     w0, w0, w1, lsr #8
        tst     w0, #0xff
        b.ne    fail

        mov     w21, #3                         /* 3: stage 1 on: 1 GiB blocks, the first Device, the second Normal */
        bl      mmu_on
        mrs     x0, sctlr_el1
        tbz     x0, #0, fail
        say     "stage 1 is on\n"

        mov     w21, #4                         /* 4: arithmetic: 100000 rounds of a xorshift generator */
        mov     x0, #1
        mov32   w1, 100000
1:      eor     x0, x0, x0, lsl #13
        eor     x0, x0, x0, lsr #7
        eor     x0, x0, x0, lsl #17
        subs    w1, w1, #1
        b.ne    1b
        ldr     x1, =XORSHIFT_100000
        cmp     x0, x1
        b.ne    fail
        mov     w21, #5                         /* 5: the same through floating point: 1/1 + 1/4 + .. + 1/1000000, to the bit */
        mov     x0, #(3 << 20)
        msr     cpacr_el1, x0
        isb
        fmov    d0, xzr
        fmov    d1, #1.0
        fmov    d2, #1.0
        mov     w1, #1000
2:      fmul    d3, d2, d2
        fdiv    d3, d1, d3
        fadd    d0, d0, d3
        fadd    d2, d2, d1
        subs    w1, w1, #1
        b.ne    2b
        ldr     x1, =SUM_OF_1000
        fmov    x0, d0
        cmp     x0, x1
        b.ne    fail
        say     "arithmetic is right\n"

        tbz     x20, #0, psci
        mov     w21, #6                         /* 6: the vGIC gives this CPU's redistributor and CPU interface */
        bl      gic_on
        mov     w21, #7                         /* 7: the virtual timer's interrupt arrives, TICKS times */
        msr     daifclr, #2
        mov     w24, #TICKS
3:      mrs     x0, cntfrq_el0
        mov     x1, #1000
        udiv    x0, x0, x1                      /* one ms */
        msr     cntv_tval_el0, x0
        mov     x0, #1
        msr     cntv_ctl_el0, x0
        isb
        mov     w25, w22
4:      msr     daifset, #2                     /* look and sleep without an interrupt between the two */
        cmp     w25, w22
        b.ne    5f
        wfi
        msr     daifclr, #2
        isb
        b       4b
5:      msr     daifclr, #2
        subs    w24, w24, #1
        b.ne    3b
        cmp     w22, #TICKS
        b.ne    fail
        say     "virtual timer interrupts arrived\n"

        mov     w21, #8                         /* 8: an SGI to itself */
        tbnz    x20, #1, 8f
        mov     x0, #1
        movk    x0, #(5 << 8), lsl #16          /* INTID 5 in bits 27:24 */
        msr     icc_sgi1r_el1, x0
        isb
        b       9f
8:      mov32   x0, GICD_BASE
        mov32   w1, ((2 << 24) | 5)             /* GICD_SGIR: to this CPU, INTID 5 */
        str     w1, [x0, #0xf00]
9:      mov32   w1, 10000000
6:      cbnz    w23, 7f
        subs    w1, w1, #1
        b.ne    6b
        b       fail
7:      msr     daifset, #2
        say     "SGI arrived\n"

psci:
        mov     w21, #9                         /* 9: PSCI 0.2 or later answers */
        mov32   w0, PSCI_VERSION
        hvc     #0
        tbnz    w0, #31, fail
        cmp     w0, #2
        b.lt    fail
        say     "PSCI answers\n"
        say     "powering off\n"
        str     wzr, [x19, #DEVICE_RESULT]
        b       off

fail:
        say     "check failed\n"
        str     w21, [x19, #DEVICE_RESULT]
off:
        mov32   w0, PSCI_SYSTEM_OFF
        hvc     #0
        b       fail

/* print(x0: text): one exit for each character. Uses x0, w1. */
1:      str     w1, [x19, #DEVICE_TX]
print:
        ldrb    w1, [x0], #1
        cbnz    w1, 1b
        ret

/* MAIR: attribute 0 Device-nGnRE, 1 Normal write-back. TCR: 39-bit VA, 4 KiB, inner shareable, 40-bit PA, no TTBR1. */
mmu_on:
        mov     x0, #0xff04
        msr     mair_el1, x0
        ldr     x0, =(25 | (1 << 8) | (1 << 10) | (3 << 12) | (1 << 23) | (2 << 32))
        msr     tcr_el1, x0
        adr     x0, table
        msr     ttbr0_el1, x0
        dsb     ish
        tlbi    vmalle1
        dsb     ish
        isb
        mrs     x0, sctlr_el1
        mov     x1, #0x1005                     /* I, C, M */
        orr     x0, x0, x1
        msr     sctlr_el1, x0
        isb
        ret

gic_on:
        tbnz    x20, #1, gicv2_on
        mov32   x0, GICR_BASE
        ldr     w1, [x0, #0x14]                 /* GICR_WAKER: clear ProcessorSleep, wait for ChildrenAsleep */
        and     w1, w1, #~2
        str     w1, [x0, #0x14]
1:      ldr     w1, [x0, #0x14]
        tbnz    w1, #2, 1b
        mov32   x0, GICD_BASE
        mov     w1, #0x12                       /* GICD_CTLR: ARE, group 1 */
        str     w1, [x0]
        mov32   x0, (GICR_BASE + 0x10000)       /* the SGI and PPI frame */
        mov32   w1, ((1 << TIMER_PPI) | (1 << 5))
        ldr     w2, [x0, #0x80]                 /* GICR_IGROUPR0 */
        orr     w2, w2, w1
        str     w2, [x0, #0x80]
        str     w1, [x0, #0x100]                /* GICR_ISENABLER0 */
        ldr     w2, [x0, #0x100]
        and     w2, w2, w1
        cmp     w2, w1
        b.ne    fail
        mrs     x0, icc_sre_el1
        orr     x0, x0, #1
        msr     icc_sre_el1, x0
        isb
        mov     x0, #0xf0
        msr     icc_pmr_el1, x0
        mov     x0, #1
        msr     icc_igrpen1_el1, x0
        isb
        ret

gicv2_on:
        mov32   x0, GICD_BASE
        mov     w1, #1                          /* GICD_CTLR: group 0 */
        str     w1, [x0]
        mov32   w1, ((1 << TIMER_PPI) | (1 << 5))
        str     w1, [x0, #0x100]                /* GICD_ISENABLER0 */
        ldr     w2, [x0, #0x100]
        and     w2, w2, w1
        cmp     w2, w1
        b.ne    fail
        mov32   x0, GICC_BASE
        mov     w1, #0xf0
        str     w1, [x0, #4]                    /* GICC_PMR, GICC_CTLR */
        mov     w1, #1
        str     w1, [x0]
        dsb     sy
        ret

irq:
        mov32   x9, GICC_BASE
        tbnz    x20, #1, 3f
        mrs     x8, icc_iar1_el1
        b       4f
3:      ldr     w8, [x9, #0xc]                  /* GICC_IAR */
4:      cmp     x8, #TIMER_PPI
        b.ne    1f
        msr     cntv_ctl_el0, xzr
        isb
        add     w22, w22, #1
        b       2f
1:      cmp     x8, #5
        b.ne    fail
        add     w23, w23, #1
2:      tbnz    x20, #1, 5f
        msr     icc_eoir1_el1, x8
        isb
        eret
5:      str     w8, [x9, #0x10]                 /* GICC_EOIR */
        dsb     sy
        eret

        .macro vector to
        .balign 0x80
        b       \to
        .endm

        .balign 0x800
vectors:
        .rept   4
        vector  fail
        .endr
        vector  fail                            /* from EL1 with SP_EL1: synchronous, IRQ, FIQ, SError */
        vector  irq
        .rept   10
        vector  fail
        .endr

        .balign 8
        .ltorg
        .balign 4096
table:
        .quad   0x0000000000000701 | (0 << 2) | (1 << 54) | (1 << 53)   /* block, AF, ISH, Device, never executed */
        .quad   0x0000000040000701 | (1 << 2)                           /* block, AF, ISH, Normal */
        .fill   510, 8, 0
        .fill   4096, 1, 0
stack_top:
