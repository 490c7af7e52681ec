// Guests that take exceptions in their own exception handlers: -DCASE says which. Those that get out print a letter and
// switch the machine off. Entered at EL2 (virtualization=on) or EL1, as each says.
    .macro gicon intid // redistributor of PE 0 awake, group 1, one PPI enabled; CPU interface on
    ldr x1, =0x080a0000
    str wzr, [x1, #0x14]
    ldr x2, =0x080b0000
    mov w3, #-1
    str w3, [x2, #0x80]
    ldr w3, =(\intid)
    str w3, [x2, #0x100]
    ldr x1, =0x08000000
    mov w3, #0x12
    str w3, [x1]
    .endm
    .macro cpuif
    mov x0, #0xff
    msr S3_0_C4_C6_0, x0 // ICC_PMR_EL1
    mov x0, #1
    msr S3_0_C12_C12_7, x0 // ICC_IGRPEN1_EL1
    isb
    .endm
    .macro enter_el1 where
    mov x0, #0x3c5
    msr spsr_el2, x0
    adr x0, \where
    msr elr_el2, x0
    eret
    .endm
    .macro cpu_on where // PSCI by HVC
    ldr x0, =0xc4000003
    mov x1, #1
    \where
    mov x3, #0
    hvc #0
    .endm

    .text
    .global _start
_start:
#if CASE == 1 || CASE == 2 || CASE == 3 || CASE == 4 || CASE == 5
    // EL2 waits for an interrupt while EL1, without vectors, takes one exception in the other
    adr x0, vectors
    msr vbar_el2, x0
#if CASE == 2 // the timer's interrupt is not enabled
    gicon 0
#elif CASE == 4 // UART 0: SPI 1
    gicon 0
    mov w3, #-1
    str w3, [x1, #0x84]
    mov w3, #2
    str w3, [x1, #0x104]
    ldr x2, =0x09000000
    mov w3, #0x301
    str w3, [x2, #0x30]
    mov w3, #0x10
    str w3, [x2, #0x38]
#elif CASE == 5 // the cycle counter's overflow
    gicon 1 << 23
    ldr x0, =-1500000
    msr pmccntr_el0, x0
    mov x0, #0x80000000
    msr pmintenset_el1, x0
    msr pmcntenset_el0, x0
    msr pmovsclr_el0, x0
    mov x0, #0x41
    msr pmcr_el0, x0
#else
    gicon 1 << 26
#endif
    cpuif
#if CASE == 3 // nothing is routed to EL2
    mov x0, #0x80000000
#else
    ldr x0, =0x80000010
#endif
    msr hcr_el2, x0
#if CASE < 4
    ldr x0, =62500 // 1 ms
    msr cnthp_tval_el2, x0
    mov x0, #1
    msr cnthp_ctl_el2, x0
#endif
    enter_el1 nothing
nothing:
    udf #0
#elif CASE == 10 // the other PE starts where nothing is; this one goes on
    cpu_on "ldr x2, =0x47000000"
    ldr x0, =4000000
1:  subs x0, x0, #1
    b.ne 1b
    b good
#elif CASE == 11 // this one waits for a timer
    cpu_on "ldr x2, =0x47000000"
    gicon 1 << 27
    cpuif
    ldr x0, =200000
    msr cntv_tval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    wfi
    b good
#elif CASE == 12 // this one looks for ever at what the other would write
    cpu_on "ldr x2, =0x47000000"
1:  wfe
    ldr x0, flag
    cbz x0, 1b
    b good
flag: .quad 0
#elif CASE == 13 // one after the other
    cpu_on "adr x2, late"
    udf #0
late:
    ldr x0, =2000000
1:  subs x0, x0, #1
    b.ne 1b
    udf #0
#elif CASE == 20 || CASE == 21 || CASE == 22 // the handler counts, and gets out
    adr x0, vectors
    msr vbar_el1, x0
    msr tpidr_el1, xzr
    fmov d0, xzr
    udf #0
#elif CASE == 23 // the stack runs away through memory that is not there
    adr x0, vectors
    msr vbar_el1, x0
    mov x0, #0
    mov sp, x0
    bl deep
deep:
    ldr x0, =0x0d000000
    ldr x1, [x0]
#elif CASE == 24 // an exception that returns, and then a call from EL0 whose handler fails
    adr x0, vectors
    msr vbar_el1, x0
    mov x5, #0
    svc #1
    mov x5, #1
    msr spsr_el1, xzr
    adr x0, caller
    msr elr_el1, x0
    eret
caller:
    svc #2
#elif CASE == 30 // EL2 has no vectors, EL1 calls it
    mov x0, #0x80000000
    msr hcr_el2, x0
    enter_el1 caller
caller:
    hvc #7
#elif CASE == 31 // the MMU is off, and data is not aligned
    adr x0, caller + 1
    ldr x1, [x0]
    b good
caller: .quad 0, 0
#elif CASE == 32 // SMC where PSCI is called by HVC
    ldr x0, =0x84000008
    smc #0
#elif CASE == 33 // no FP before CPACR_EL1 is written
    fmov d0, xzr
#elif CASE == 34 // EL1 has no vectors, and EL2 gives it an interrupt
    ldr x0, =0x80000090
    msr hcr_el2, x0
    mov x0, #0x345
    msr spsr_el2, x0
    adr x0, good
    msr elr_el2, x0
    eret
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

    .balign 2048
vectors:
    .rept 4
    .balign 128
    b bad
    .endr
#if CASE == 20
    .balign 128 // in memory
    adr x1, count
    ldr x0, [x1]
    add x0, x0, #1
    str x0, [x1]
    ldr x2, =320000
    cmp x0, x2
    b.eq good
    mov x0, #0
    cmp x0, x0
    udf #0
#elif CASE == 21
    .balign 128 // in a system register
    mrs x0, tpidr_el1
    add x0, x0, #1
    msr tpidr_el1, x0
    ldr x2, =320000
    cmp x0, x2
    b.eq good
    mov x0, #0
    cmp x0, x0
    udf #0
#elif CASE == 22
    .balign 128 // in a general register
    add x4, x4, #1
    ldr x2, =320000
    cmp x4, x2
    b.eq good
    udf #0
#elif CASE == 23
    .balign 128
    sub sp, sp, #256
    stp x0, x1, [sp]
    b bad
#elif CASE == 24
    .balign 128
    cbnz x5, 1f
    eret
1:  udf #0
#else
    .balign 128
    b bad
#endif
    .rept 3
    .balign 128
    b bad
    .endr
    .balign 128 // from a lower EL
#if CASE == 24
    udf #0
#endif
    b bad
    .balign 128 // IRQ from EL1
    b good
    .rept 6
    .balign 128
    b bad
    .endr
    .ltorg
    .balign 8
count: .quad 0
