/* Semihosting: writes its command line, ends with status 42. */
    .globl _start
_start:
    adr x1, said
    mov w0, #0x04            /* SYS_WRITE0 */
    hlt #0xf000
    adr x1, block
    adr x2, line
    str x2, [x1]
    mov w0, #0x15            /* SYS_GET_CMDLINE */
    hlt #0xf000
    adr x1, line
    mov w0, #0x04
    hlt #0xf000
    adr x1, status
    mov w0, #0x18            /* SYS_EXIT */
    hlt #0xf000
1:  b 1b
said:
    .asciz "said by semihosting: "
    .balign 8
block:
    .quad 0, 64
status:
    .quad 0x20026, 42
line:
    .space 64
