// Accesses that may fault. Each is a leaf, so that x30 is where the handler can go on.
    .text
    .global probe_read, probe_write, probe_execute, probe_code
probe_read:
    ldr     w0, [x0]
    mov     x0, #0
    ret
probe_write:
    ldr     w1, [x0]                    // the same value again
    str     w1, [x0]
    mov     x0, #0
    ret
probe_execute:
    br      x0

    .data
probe_code:                             // data that could be run
    mov     x0, #0
    ret
