// One buffer of 16 bytes for the virtio entropy device in the last slot (legacy virtio-mmio), for tests of -trace dma.
    .global _start
_start:
    ldr x0, =0x0a003e00
    ldr x1, =0x40400000         // the queue: 8 descriptors, then the available ring; the used ring a page on
    mov w2, #4096
    str w2, [x0, #0x28]         // GuestPageSize
    mov w2, #8
    str w2, [x0, #0x38]         // QueueNum
    mov w2, #4096
    str w2, [x0, #0x3c]         // QueueAlign
    lsr x2, x1, #12
    str w2, [x0, #0x40]         // QueuePFN
    add x2, x1, #0x3000
    str x2, [x1]                // descriptor 0: address
    mov w2, #16
    str w2, [x1, #8]            // length
    mov w2, #2
    str w2, [x1, #12]           // the device writes
    mov w2, #1
    strh w2, [x1, #0x82]        // available ring: index 1, entry 0 is descriptor 0
    mov w2, #4
    str w2, [x0, #0x70]         // DRIVER_OK
    str wzr, [x0, #0x50]        // QueueNotify
    b .
