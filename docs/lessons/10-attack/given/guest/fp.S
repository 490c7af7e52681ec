// What C without FP registers cannot say.
    .text
    .global fp_write, fp_read, hvc3
fp_write:
    fmov    d0, x0
    ret
fp_read:
    fmov    x0, d0
    ret
hvc3:
    hvc     #0
    ret
