/* GICv2 for guest programs: frames, registers, the accessing CPU's view (Arm IHI 0048B). */
#ifndef GICV2_H
#define GICV2_H

#include "rt.h"

#define GICC 0x08010000ul
#define V2M  0x08020000ul
#define GICH 0x08030000ul
#define GICV 0x08040000ul

#define ITARGETSR 0x800
#define ICFGR     0xc00
#define SGIR      0xf00
#define CPENDSGIR 0xf10
#define SPENDSGIR 0xf20
#define PIDR2     0xfe8

/* GICC and GICV */
#define C_CTLR   0x00
#define C_PMR    0x04
#define C_BPR    0x08
#define C_IAR    0x0c
#define C_EOIR   0x10
#define C_RPR    0x14
#define C_HPPIR  0x18
#define C_ABPR   0x1c
#define C_AIAR   0x20
#define C_AEOIR  0x24
#define C_AHPPIR 0x28
#define C_IIDR   0xfc
#define C_DIR    0x1000
#define EN0      1
#define EN1      2
#define ACKCTL   4
#define FIQEN    8
#define CBPR     16
#define EOIMODE  (1 << 9)
#define GROUP1   1022u

/* GICH */
#define H_HCR   0x00
#define H_VTR   0x04
#define H_VMCR  0x08
#define H_MISR  0x10
#define H_EISR  0x20
#define H_ELRSR 0x30
#define H_APR   0xf0
#define H_LR(n) (0x100 + 4 * (n))
#define LR_PENDING (1u << 28)
#define LR_ACTIVE  (2u << 28)
#define LR_GRP1    (1u << 30)
#define LR_HW      (1u << 31)
#define LR_EOI     (1u << 19)
#define LR_PRIO(p) ((u32)(p) >> 3 << 23)
#define LR_STATE(v) ((v) >> 28 & 3)

#define SPI_A 45u /* SPIs without a device on this board's lines */
#define SPI_B 46u

static inline u32 get32(u64 a)
{
    DSB();
    ISB();
    u32 v = MMIO32(a);
    DSB();
    ISB();
    return v;
}
static inline void put32(u64 a, u32 v)
{
    MMIO32(a) = v;
    DSB();
    ISB();
}
static inline void bit_set(u32 reg, u32 intid) { put32(GICD + reg + intid / 32 * 4, BIT(intid % 32)); }
static inline bool bit_get(u32 reg, u32 intid) { return get32(GICD + reg + intid / 32 * 4) >> intid % 32 & 1; }
static inline void group_put(u32 intid, u32 group)
{
    u64 a = GICD + IGROUPR + intid / 32 * 4;
    put32(a, group ? MMIO32(a) | BIT(intid % 32) : MMIO32(a) & ~BIT(intid % 32));
}
static inline void priority_put(u32 intid, u8 value)
{
    MMIO8(GICD + IPRIORITYR + intid) = value;
    DSB();
}
static inline void raise(u32 intid, u32 group, u8 priority)
{
    group_put(intid, group);
    priority_put(intid, priority);
    bit_set(ISENABLER, intid);
    bit_set(ISPENDR, intid);
}
static inline void interface_on(u32 ctlr)
{
    put32(GICC + C_PMR, 0xf8);
    put32(GICC + C_CTLR, ctlr);
}
#endif
