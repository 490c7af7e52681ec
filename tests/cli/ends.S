// Prints "one", waits for a key, prints it and "two", and ends: -DCASE 1 power off, 2 reset, 3 waits for ever.
    .text
    .global _start
    .type _start, %function
_start:
    ldr x1, =0x09000000
    mov w0, #0x301
    str w0, [x1, #0x30]
    adr x2, one
    bl print
1:  ldr w0, [x1, #0x18]
    tbnz w0, #4, 1b
    ldr w0, [x1]
    str w0, [x1]
    adr x2, two
    bl print
#if CASE == 1
    ldr x0, =0x84000008
    hvc #0
#elif CASE == 2
    ldr x0, =0x84000009
    hvc #0
#endif
    .global idle
    .type idle, %function
idle:
    wfi
    b idle
    .size idle, . - idle
print:
    ldrb w0, [x2], #1
    cbz w0, 2f
    str w0, [x1]
    b print
2:  ret
    .ltorg
one: .asciz "one\n"
two: .asciz "two\n"
