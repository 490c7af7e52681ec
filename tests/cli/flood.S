/* Prints without end. */
    .globl _start
_start:
    mov x2, #0x09000000
    mov w3, #'.'
1:  str w3, [x2]
    b 1b
