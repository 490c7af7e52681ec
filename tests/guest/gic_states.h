/* For tests of the GIC with two security states, from EL3: CPU 0's SGIs in the three groups (Arm IHI 0069: 4.6, 12.2,
 * 12.9, 12.11). */
#ifndef GIC_STATES_H
#define GIC_STATES_H

#include "states.h"

#define SGI        GICR_SGI(0)
#define IGRPMODR   0xd00

/* An SGI of a test: its group by the bits of IGROUPR and IGRPMODR. */
enum { GROUP_0, GROUP_1NS, GROUP_1S };
struct sgi {
    u8 intid, group, priority;
};

static inline u32 sgi_bits(u32 offset)
{
    DSB();
    return MMIO32(SGI + offset);
}
static inline bool pending(u32 intid) { return sgi_bits(ISPENDR) >> intid & 1; }
static inline bool active(u32 intid) { return sgi_bits(ISACTIVER) >> intid & 1; }

static inline void pend(u32 intid)
{
    MMIO32(SGI + ISPENDR) = BIT(intid);
    DSB();
    ISB();
}

/* No SGI is pending or active, no priority active. */
static inline void sgis_quiet(void)
{
    MMIO32(SGI + ICPENDR) = 0xffff;
    MMIO32(SGI + ICACTIVER) = 0xffff;
    scr(0);
    WRITE(ICC_AP0R0, 0);
    WRITE(ICC_AP1R0, 0);
    scr(SCR_NS);
    WRITE(ICC_AP1R0, 0);
    DSB();
    ISB();
}

/* Wakes the redistributor, enables the SGIs, all groups and the CPU interface at every EL; ends in Secure state with
 * no priority masked. */
static inline void sgis_setup(const struct sgi *sgi, unsigned count)
{
    u32 group1ns = 0, group1s = 0, all = 0;
    for (unsigned n = 0; n < count; n++) {
        all |= BIT(sgi[n].intid);
        group1ns |= sgi[n].group == GROUP_1NS ? BIT(sgi[n].intid) : 0;
        group1s |= sgi[n].group == GROUP_1S ? BIT(sgi[n].intid) : 0;
    }
    MMIO32(GICD) = 0x30; /* ARE_S, ARE_NS */
    MMIO32(GICD) = 0x37; /* and all groups */
    MMIO32(GICR(0) + 0x14) &= ~BIT(1);
    while (MMIO32(GICR(0) + 0x14) & BIT(2))
        ;
    MMIO32(SGI + IGROUPR) = group1ns;
    MMIO32(SGI + IGRPMODR) = group1s;
    MMIO32(SGI + ISENABLER) = all;
    for (unsigned n = 0; n < count; n++)
        MMIO8(SGI + IPRIORITYR + sgi[n].intid) = sgi[n].priority;
    WRITE(ICC_SRE3, 0xf);
    ISB();
    WRITE(ICC_SRE2, 0xf);
    scr(SCR_NS);
    WRITE(ICC_SRE, 7);
    scr(0);
    WRITE(ICC_SRE, 7);
    ISB();
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN0, 1);
    WRITE(ICC_IGRPEN1_3, 3);
    ISB();
}
#endif
