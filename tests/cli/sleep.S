/* CPU 0 waits for an interrupt that never comes, the others for an event. */
    .globl _start
_start:
    mrs x0, mpidr_el1
    and x0, x0, #0xff
    cbnz x0, 2f
1:  wfi
    b 1b
2:  wfe
    b 2b
