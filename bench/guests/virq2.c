/* Virtual interrupts of GICv2: EL2 writes GICH_LR0 and enters; the guest takes the IRQ, reads GICV_IAR, writes
 * GICV_EOIR and calls; EL2 saves all general registers and looks at GICH (ops = interrupts). As the guest virq of
 * GICv3. */
#include "bench.h"
#include "gicv2.h"

enum { OPS = 200000, IDS = 64 };

/* What the guest has of registers; world_enter's frame of EL2 is on its stack. */
struct vcpu {
    u64 x[31], elr, spsr, esr;
};
u64 world_enter(struct vcpu *v);
extern u8 world_el1_vectors[], world_el1[], world_el2_vectors[];

/* EL2's side: x0 to x30 of the guest at v, the callee-saved ones of EL2 below its stack pointer, v in TPIDR_EL2. */
asm(".pushsection .text\n"
    ".include \"regs.S\"\n"
    ".global world_enter\n"
    "world_enter:\n"
    "    sub sp, sp, #96\n"
    "    stp x19, x20, [sp]\n    stp x21, x22, [sp, #16]\n    stp x23, x24, [sp, #32]\n"
    "    stp x25, x26, [sp, #48]\n    stp x27, x28, [sp, #64]\n    stp x29, x30, [sp, #80]\n"
    "    msr tpidr_el2, x0\n"
    "    ldp x1, x2, [x0, #248]\n    msr elr_el2, x1\n    msr spsr_el2, x2\n"
    "    mov x1, x0\n"
    "    regs_load x1\n"
    "    ldp x0, x1, [x1]\n"
    "    eret\n"
    "world_exit:\n"
    "    stp x0, x1, [sp, #-16]!\n"
    "    mrs x0, tpidr_el2\n"
    "    regs_store x0\n"
    "    ldp x2, x3, [sp], #16\n    stp x2, x3, [x0]\n"
    "    mrs x1, elr_el2\n    mrs x2, spsr_el2\n    stp x1, x2, [x0, #248]\n"
    "    mrs x1, esr_el2\n    str x1, [x0, #264]\n    mov x0, x1\n"
    "    ldp x19, x20, [sp]\n    ldp x21, x22, [sp, #16]\n    ldp x23, x24, [sp, #32]\n"
    "    ldp x25, x26, [sp, #48]\n    ldp x27, x28, [sp, #64]\n    ldp x29, x30, [sp, #80]\n"
    "    add sp, sp, #96\n"
    "    ret\n"
    ".balign 2048\n"
    ".global world_el2_vectors\n"
    "world_el2_vectors: .space 0x400\n    b world_exit\n    .space 0x3fc\n"
    /* The guest: x19 is GICV, x20 the sum of what it acknowledged. */
    ".balign 2048\n"
    ".global world_el1_vectors\n"
    "world_el1_vectors: .space 0x280\n"
    "    stp x0, x1, [sp, #-16]!\n"
    "    ldr w0, [x19, #0xc]\n    add x20, x20, x0\n    str w0, [x19, #0x10]\n"
    "    ldp x0, x1, [sp], #16\n"
    "    eret\n"
    "    .balign 2048\n"
    ".global world_el1\n"
    "world_el1: hvc #1\n    b world_el1\n"
    ".popsection");

static u8 stack[4096] __attribute__((aligned(16)));
static struct vcpu vcpu;

void test_main(void)
{
    mmu_on_el2(pt_identity(S1_EL2));
    mmu_on_el1(pt_identity(S1_EL1));
    stage2_on(pt_identity(S2), 1);
    WRITE(hcr_el2, READ(hcr_el2) | 7 << 3); /* FMO, IMO, AMO */
    WRITE(vbar_el1, world_el1_vectors);
    WRITE(vbar_el2, world_el2_vectors);
    WRITE(sp_el1, stack + sizeof(stack));
    ISB();
    MMIO32(GICD) = 1;
    bit_set(ISENABLER, 30);
    interface_on(EN0);
    MMIO32(GICV + C_PMR) = 0xf8;
    MMIO32(GICV + C_CTLR) = EN0;
    vcpu = (struct vcpu){ .elr = (u64)world_el1, .spsr = 0x345 };
    vcpu.x[19] = GICV;
    u64 want = 0;
    bench_begin("virq2");
    for (u32 n = 0; n < OPS; n++) {
        u32 id = 32 + n % IDS;
        want += id;
        MMIO32(GICH + H_LR(0)) = LR_PENDING | LR_PRIO(0xa0) | id;
        MMIO32(GICH + H_HCR) = 1;
        if (world_enter(&vcpu) != 0x5a000001)
            stop("another exit than HVC");
        if (!(MMIO32(GICH + H_ELRSR) & 1))
            stop("the interrupt has not ended");
        MMIO32(GICH + H_HCR) = 0;
    }
    bench_end("virq2", OPS, vcpu.x[20], want);
    finish();
}
