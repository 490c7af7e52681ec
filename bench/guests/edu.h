/* The PCI function edu (1234:11e8), whose MSI is a write that happens at once: in an address where an ITS takes it, or
 * in memory, as the shortest DMA that there is. Configuration space is where QEMU's virt has it. */
#ifndef EDU_H
#define EDU_H

#include "rt.h"

#define ECAM              0x4010000000ul
#define ECAM_OF(bus, dev) (ECAM + ((u64)(bus) << 20) + ((u64)(dev) << 15))
#define EDU_BAR           0x10000000ul
#define EDU_RAISE         0x60
#define EDU_CLEAR         0x64
#define MSI_CAP           0x40

/* Memory, device and configuration space, as an EL1 with an MMU sees them. */
static inline u64 *edu_map(void)
{
    u64 *root = pt_identity(S1_EL1);
    pt_map(root, EDU_BAR, EDU_BAR, 1 << 21, PT_AF | PT_XN | PT_DEVICE);
    pt_map(root, ECAM, ECAM, 16 << 21, PT_AF | PT_XN | PT_DEVICE);
    return root;
}

/* The function decodes at EDU_BAR, is a bus master, and sends `data` to `address` by MSI. */
static inline void edu_start(u64 function, u64 address, u32 data)
{
    MMIO32(function + 0x10) = EDU_BAR;
    MMIO16(function + 4) = 6;
    MMIO32(function + MSI_CAP + 4) = (u32)address;
    MMIO32(function + MSI_CAP + 8) = (u32)(address >> 32);
    MMIO16(function + MSI_CAP + 12) = (u16)data;
    MMIO16(function + MSI_CAP + 2) = 1;
}
static inline void edu_raise(void) { MMIO32(EDU_BAR + EDU_RAISE) = 1; }
static inline void edu_clear(void) { MMIO32(EDU_BAR + EDU_CLEAR) = 1; }
#endif
