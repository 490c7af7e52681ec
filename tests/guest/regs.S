// x2 to x30 in memory, each at eight times its number from `base` on: how every frame of a guest begins. x0 and x1 are
// for whoever needs a register first.
        .macro  regs_pairs op, base
        \op     x2, x3, [\base, #16]
        \op     x4, x5, [\base, #32]
        \op     x6, x7, [\base, #48]
        \op     x8, x9, [\base, #64]
        \op     x10, x11, [\base, #80]
        \op     x12, x13, [\base, #96]
        \op     x14, x15, [\base, #112]
        \op     x16, x17, [\base, #128]
        \op     x18, x19, [\base, #144]
        \op     x20, x21, [\base, #160]
        \op     x22, x23, [\base, #176]
        \op     x24, x25, [\base, #192]
        \op     x26, x27, [\base, #208]
        \op     x28, x29, [\base, #224]
        .endm

        .macro  regs_store base
        regs_pairs stp, \base
        str     x30, [\base, #240]
        .endm

        .macro  regs_load base
        regs_pairs ldp, \base
        ldr     x30, [\base, #240]
        .endm
