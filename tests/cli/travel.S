/* At EL2: a guest at EL1 that says HVC ten times, and is gone back to each time; then the end. */
    .globl _start
_start:
    adr x0, vectors
    msr vbar_el2, x0
    mov x0, #1 << 31             /* RW */
    msr hcr_el2, x0
    mov x0, #0x3c5               /* EL1h */
    msr spsr_el2, x0
    adr x0, guest
    msr elr_el2, x0
    mov x2, #10
entry:
    eret
guest:
    hvc #1
    b guest
exit:
    subs x2, x2, #1
    b.ne entry
    mov w0, #0x0008              /* SYSTEM_OFF */
    movk w0, #0x8400, lsl #16
    smc #0
    .balign 2048
vectors:
    .skip 0x400
    b exit
