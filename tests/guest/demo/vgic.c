/* The GICv3: what the hypervisor uses itself, and what it gives to the guests.
 *
 * With HCR_EL2.IMO set, physical interrupts come to EL2, and the guest's ICC_* registers become ICV_*: the guest
 * acknowledges and ends interrupts that the hypervisor put into list registers, without any exit.
 *
 * List register:  63..62  61  60     55..48    44..32                       31..0
 *                 state   HW  group  priority  physical INTID (when HW=1)   virtual INTID
 * State: 0 free, 1 pending, 2 active, 3 both. With HW=1 the guest's end of interrupt also deactivates the physical one.
 *
 * There is no emulated distributor: the guests use none. A hypervisor for Linux would emulate GICD and GICR
 * by stage-2 faults, as exits.c does for a UART.
 */
#include "hyp.h"

#define GICD           0x08000000ul
#define GICD_CTLR      REG32(GICD)
#define GICR           0x080a0000ul
#define GICR_WAKER     REG32(GICR + 0x14)
#define GICR_SGI       (GICR + 0x10000)
#define GICR_IGROUPR0  REG32(GICR_SGI + 0x80)
#define GICR_ISENABLER0 REG32(GICR_SGI + 0x100)
#define GICR_IPRIORITYR(n) (*(volatile u8 *)(GICR_SGI + 0x400 + (n)))

#define LR_PENDING  BIT(62)
#define LR_STATE    (3ul << 62)
#define LR_HW       BIT(61)
#define LR_GROUP1   BIT(60)
#define LR_PRIORITY (0xa0ul << 48)

void gic_init(void)
{
    GICD_CTLR = BIT(4) | BIT(1); /* affinity routing, group 1 */
    GICR_WAKER &= ~BIT(1);
    while (GICR_WAKER & BIT(2))
        ;
    GICR_IGROUPR0 |= BIT(INTID_CNTHP) | BIT(INTID_CNTV);
    GICR_IPRIORITYR(INTID_CNTHP) = 0x80;
    GICR_IPRIORITYR(INTID_CNTV) = 0xa0;
    GICR_ISENABLER0 = BIT(INTID_CNTHP) | BIT(INTID_CNTV);

    WRITE(s3_4_c12_c9_5, READ(s3_4_c12_c9_5) | 9); /* ICC_SRE_EL2: system registers, at EL1 too */
    ISB();
    WRITE(s3_0_c4_c6_0, 0xff);     /* ICC_PMR_EL1: no priority is masked */
    WRITE(s3_0_c12_c12_4, BIT(1)); /* ICC_CTLR_EL1.EOImode: drop and deactivation are separate */
    WRITE(s3_0_c12_c12_7, 1);      /* ICC_IGRPEN1_EL1 */
    WRITE(s3_4_c12_c11_0, 1);      /* ICH_HCR_EL2.En */
    ISB();
}

u32 gic_acknowledge(void)
{
    u32 intid = READ(s3_0_c12_c12_0); /* ICC_IAR1_EL1 */
    DSB();
    return intid;
}

void gic_drop(u32 intid)
{
    WRITE(s3_0_c12_c12_1, intid); /* ICC_EOIR1_EL1 */
    ISB();
}

void gic_end(u32 intid)
{
    gic_drop(intid);
    WRITE(s3_0_c12_c11_1, intid); /* ICC_DIR_EL1 */
    ISB();
}

/* Makes intid pending for v, whose list registers are not in the hardware now. */
void vgic_inject(struct vcpu *v, u32 intid, bool hardware)
{
    u64 lr = LR_PENDING | LR_GROUP1 | LR_PRIORITY | intid | (hardware ? LR_HW | (u64)intid << 32 : 0);
    for (u32 i = 0; i < 4; i++) {
        if ((v->ich_lr[i] & LR_STATE) && (u32)v->ich_lr[i] == intid) {
            v->ich_lr[i] |= hardware ? 0 : LR_PENDING; /* already there: pending again */
            return;
        }
    }
    for (u32 i = 0; i < 4; i++) {
        if (!(v->ich_lr[i] & LR_STATE)) {
            v->ich_lr[i] = lr;
            return;
        }
    }
}

bool vgic_pending(const struct vcpu *v)
{
    for (u32 i = 0; i < 4; i++)
        if (v->ich_lr[i] & LR_PENDING)
            return true;
    return false;
}

void vgic_load(const struct vcpu *v)
{
    WRITE(s3_4_c12_c12_0, v->ich_lr[0]);
    WRITE(s3_4_c12_c12_1, v->ich_lr[1]);
    WRITE(s3_4_c12_c12_2, v->ich_lr[2]);
    WRITE(s3_4_c12_c12_3, v->ich_lr[3]);
    WRITE(s3_4_c12_c11_7, v->ich_vmcr); /* ICH_VMCR_EL2: the guest's mask, enables, EOImode */
    WRITE(s3_4_c12_c8_0, v->ich_ap0r);
    WRITE(s3_4_c12_c9_0, v->ich_ap1r); /* ICH_AP1R0_EL2: its active priorities */
}

void vgic_save(struct vcpu *v)
{
    v->ich_lr[0] = READ(s3_4_c12_c12_0);
    v->ich_lr[1] = READ(s3_4_c12_c12_1);
    v->ich_lr[2] = READ(s3_4_c12_c12_2);
    v->ich_lr[3] = READ(s3_4_c12_c12_3);
    v->ich_vmcr = READ(s3_4_c12_c11_7);
    v->ich_ap0r = READ(s3_4_c12_c8_0);
    v->ich_ap1r = READ(s3_4_c12_c9_0);
}
