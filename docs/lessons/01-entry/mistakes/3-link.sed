# vectors.S
s/^    stp     x30, x0, \[sp, #240\]/    str     x0, [sp, #248]/
s/^    ldp     x30, x0, \[sp, #240\]/    ldr     x0, [sp, #248]/
