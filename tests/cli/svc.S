/* Prints a, takes an SVC, prints b, takes another... ten times, then powers off: consoles and -d int in one file show it. */
    .globl _start
_start:
    adr x0, vectors
    msr vbar_el1, x0
    mov x2, #0x09000000
    mov w3, #'a'
1:  str w3, [x2]
    svc #0
    add w3, w3, #1
    cmp w3, #'k'
    b.ne 1b
    mov w3, #'\n'
    str w3, [x2]
    mov w0, #0x0008          /* SYSTEM_OFF */
    movk w0, #0x8400, lsl #16
    hvc #0
    .balign 2048
vectors:
    .skip 0x200
    eret
