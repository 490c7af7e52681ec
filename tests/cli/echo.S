/* Says ready, then gives back what is typed, by polling. */
    .globl _start
_start:
    adr x1, text
    mov x2, #0x09000000
1:  ldrb w3, [x1], #1
    cbz w3, 2f
    str w3, [x2]
    b 1b
2:  ldr w3, [x2, #0x18]      /* FR */
    tbnz w3, #4, 2b          /* RXFE */
    ldr w3, [x2]
    str w3, [x2]
    b 2b
text:
    .asciz "ready\n"
