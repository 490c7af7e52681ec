// HVCs with every register known, to see what the handler does to them.
    .text
    .global hvc_keeps, hvc_next
hvc_keeps:
    sub     sp, sp, #96                 // C wants x19 to x30 back
    stp     x19, x20, [sp]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    mov     x\n, #(0x1000 + \n)
    .endr
    hvc     #42
    mov     x0, #0
    .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    sub     x\n, x\n, #(0x1000)
    cmp     x\n, #\n
    cinc    x0, x0, ne
    .endr
    ldp     x19, x20, [sp]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    add     sp, sp, #96
    ret

hvc_next:
    hvc     #7
    add     x0, x0, #100
    ret
