/* Says hello on the PL011 and powers off. Entered as an ELF or raw, at any address, at EL1. */
    .globl _start
_start:
    adr x1, text
    mov x2, #0x09000000
1:  ldrb w3, [x1], #1
    cbz w3, 2f
    str w3, [x2]
    b 1b
2:  mov w0, #0x0008          /* SYSTEM_OFF */
    movk w0, #0x8400, lsl #16
    hvc #0
3:  b 3b
text:
    .asciz "hello\n"
