/* The physical GIC, as far as the hypervisor needs it: private interrupts of this CPU. */
#include "gic.h"

#define GICD       0x08000000ul
#define GICR       (0x080a0000ul + 0x20000ul * FIELD(read_sysreg(mpidr_el1), 7, 0)) /* this CPU's */
#define GICR_WAKER (GICR + 0x14)
#define GICR_SGI   (GICR + 0x10000)     /* the frame of private interrupts */
#define IGROUPR    0x080
#define ISENABLER  0x100
#define IPRIORITYR 0x400

void gic_init(void)
{
    MMIO32(GICD) = BIT(4) | BIT(1); /* GICD_CTLR: affinity routing, group 1 */
    gic_cpu_init();
}

void gic_cpu_init(void)
{
    MMIO32(GICR_WAKER) &= ~BIT(1);
    while (MMIO32(GICR_WAKER) & BIT(2)) /* its interface is still asleep */
        ;
    MMIO32(GICR_SGI + IGROUPR) = ~0u;
    MMIO32(GICR_SGI + IPRIORITYR + 24) = 0x80808080; /* INTIDs 24 to 27 */
    MMIO32(GICR_SGI + ISENABLER) = BIT(INTID_KICK) | BIT(INTID_MAINTENANCE) | BIT(INTID_EL2_TIMER) | BIT(INTID_VTIMER);
    write_sysreg(ICC_SRE_EL2, 0xf);
    isb();
    write_sysreg(ICC_PMR_EL1, 0xff);
    write_sysreg(ICC_CTLR_EL1, 0); /* one write of EOIR ends an interrupt */
    write_sysreg(ICC_IGRPEN1_EL1, 1);
    isb();
}

u64 lr_read(unsigned n)
{
    switch (n) {
    case 0: return read_sysreg(s3_4_c12_c12_0);
    case 1: return read_sysreg(s3_4_c12_c12_1);
    case 2: return read_sysreg(s3_4_c12_c12_2);
    default: return read_sysreg(s3_4_c12_c12_3);
    }
}

void lr_write(unsigned n, u64 value)
{
    switch (n) {
    case 0: write_sysreg(s3_4_c12_c12_0, value); break;
    case 1: write_sysreg(s3_4_c12_c12_1, value); break;
    case 2: write_sysreg(s3_4_c12_c12_2, value); break;
    default: write_sysreg(s3_4_c12_c12_3, value);
    }
}
