// The guest's second CPU begins here: x0 is what CPU_ON was given.
    .text
    .global guest_second_start, psci
guest_second_start:
    ldr     x1, =_stack - 0x4000
    mov     sp, x1
    ldr     x1, =guest_vectors
    msr     vbar_el1, x1
    isb
    bl      guest_second
    b       .

// s64 psci(u32 function, u64 a, u64 b, u64 c)
psci:
    smc     #0
    ret
