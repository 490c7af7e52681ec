// Where one of our CPUs begins that is not the first: at EL2, MMU off, as PSCI's CPU_ON starts it.
    .text
    .global second_start
second_start:
    ldr     x0, =second_stack + 16384
    mov     sp, x0
    ldr     x0, =vectors
    msr     vbar_el2, x0
    isb
    bl      second_main
    b       .
