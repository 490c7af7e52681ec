/* Programs that expect to be entered at EL2. 1: takes it for granted; 2: sleeps when it is not so; 3: goes in a circle. */
    .globl _start
_start:
#if CASE == 1
    adr x1, _start
    msr vbar_el2, x1
    b .
#else
    mrs x0, CurrentEL
    cmp x0, #8
    b.ne 1f
    mov w0, #0x0008             /* SYSTEM_OFF */
    movk w0, #0x8400, lsl #16
    smc #0
1:
#if CASE == 2
    wfe
#endif
    b 1b
#endif
