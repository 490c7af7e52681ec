// Start-up, exception vectors of all ELs, and the way down to a lower EL and back.
#include "rt.h"
#include "regs.S"

    .section .text.entry, "ax"
    .global _start
_start:
    mrs     x19, mpidr_el1
    and     x19, x19, #0xff
    cbz     x19, 1f
0:  wfe                                 // without PSCI every CPU starts here: one is enough
    b       0b
1:  ldr     x0, =_bss
    ldr     x1, =_bss_end
2:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    2b
    bl      el_setup
    bl      test_main
    bl      finish

// PSCI CPU_ON enters here with the function to run in x0.
    .global secondary_start
secondary_start:
    mov     x20, x0
    bl      el_setup
    blr     x20
0:  wfi
    b       0b

// Gives each EL from here down a stack, vectors and known control registers. Clobbers x0-x5.
el_setup:
    mrs     x0, mpidr_el1
    and     x0, x0, #(MAX_CPUS - 1)
    ldr     x1, =_stacks
    mov     x2, #(STACK_SIZE * 4)
    madd    x1, x0, x2, x1              // this CPU's stacks: EL0, EL1, EL2, EL3
    ldr     x3, =vectors
    mrs     x4, CurrentEL
    cmp     x4, #(2 << 2)
    b.lo    1f
    b.eq    2f
    add     x2, x1, #(STACK_SIZE * 4)   // EL3
    mov     sp, x2
    msr     vbar_el3, x3
    mov     x2, #0x531                  // SCR_EL3: RW, HCE, NS, RES1
    msr     scr_el3, x2
    msr     cptr_el3, xzr
    msr     mdcr_el3, xzr
    ldr     x2, =0x30c50830
    msr     sctlr_el3, x2
    add     x2, x1, #(STACK_SIZE * 3)
    msr     sp_el2, x2
    b       3f
2:  add     x2, x1, #(STACK_SIZE * 3)
    mov     sp, x2
3:  msr     vbar_el2, x3
    ldr     x2, =0x80000000             // HCR_EL2.RW
    msr     hcr_el2, x2
    ldr     x2, =0x33ff
    msr     cptr_el2, x2
    ldr     x2, =0x30c50830
    msr     sctlr_el2, x2
    mov     x2, #3
    msr     cnthctl_el2, x2
    msr     cntvoff_el2, xzr
    msr     hstr_el2, xzr
    msr     mdcr_el2, xzr
    mrs     x2, midr_el1
    msr     vpidr_el2, x2
    mrs     x2, mpidr_el1
    msr     vmpidr_el2, x2
    add     x2, x1, #(STACK_SIZE * 2)
    msr     sp_el1, x2
    b       4f
1:  add     x2, x1, #(STACK_SIZE * 2)
    mov     sp, x2
4:  msr     vbar_el1, x3
    ldr     x2, =0x30d00800
    msr     sctlr_el1, x2
    msr     cntkctl_el1, xzr
    isb
    ret

    .text
    .macro  vector n
    .balign 128
    sub     sp, sp, #288
    stp     x0, x1, [sp]
    mov     x0, #\n
    b       exception
    .endm

    .balign 2048
    .global vectors
vectors:
    .set    n, 0
    .rept   16
    vector  n
    .set    n, n + 1
    .endr

    .macro  state el
    mrs     x4, elr_el\el
    mrs     x5, spsr_el\el
    mrs     x6, esr_el\el
    mrs     x7, far_el\el
    .endm

exception:
    regs_store sp
    mov     x1, x0
    mrs     x2, CurrentEL
    lsr     x2, x2, #2
    cmp     x2, #2
    b.hi    3f
    b.eq    2f
    state   1
    b       1f
2:  state   2
    b       1f
3:  state   3
1:  stp     x4, x5, [sp, #248]
    stp     x6, x7, [sp, #264]
    mov     x0, sp
    bl      exception_c
    ldp     x4, x5, [sp, #248]
    mrs     x2, CurrentEL
    cmp     x2, #(2 << 2)
    b.hi    3f
    b.eq    2f
    msr     elr_el1, x4
    msr     spsr_el1, x5
    b       1f
2:  msr     elr_el2, x4
    msr     spsr_el2, x5
    b       1f
3:  msr     elr_el3, x4
    msr     spsr_el3, x5
1:  regs_load sp
    ldp     x0, x1, [sp]
    add     sp, sp, #288
    eret

// u64 call_down(u64 a, u64 b, u64 fn, u64 spsr, u64 *saved_sp): becomes the lower EL, which starts at fn.
    .global call_down, call_finish, lower_return
call_down:
    stp     x29, x30, [sp, #-112]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    mrs     x5, daif
    str     x5, [sp, #96]
    mov     x5, sp
    str     x5, [x4]
    ldr     x30, =lower_return
    mrs     x5, CurrentEL
    cmp     x5, #(2 << 2)
    b.hi    3f
    b.eq    2f
    msr     elr_el1, x2
    msr     spsr_el1, x3
    eret
2:  msr     elr_el2, x2
    msr     spsr_el2, x3
    eret
3:  msr     elr_el3, x2
    msr     spsr_el3, x3
    eret

// Where fn returns to, at its EL: up again, through the ELs between.
lower_return:
    mrs     x1, tpidrro_el0             // EL0 cannot read CurrentEL: call_el says how
    cmp     x1, #1
    b.hi    2f
    b.eq    1f
    svc     #RETURN_IMM
1:  hvc     #RETURN_IMM
2:  smc     #RETURN_IMM

// _Noreturn void call_finish(u64 value, u64 saved_sp): returns from call_down.
call_finish:
    mov     sp, x1
    ldr     x5, [sp, #96]
    msr     daif, x5
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #112
    ret
