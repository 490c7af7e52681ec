/* Stage 2: from what a guest takes for physical addresses (IPA) to those that are (PA). 4 KiB pages, 39 bits. */
#ifndef STAGE2_H
#define STAGE2_H

#include "translation.h"
#include "vcpu.h"

#define HCR_VM    BIT(0)                /* stage 2 is on for EL1 and EL0 */

/* A descriptor of stage 2 (Arm ARM, D8.3). What differs from stage 1: the memory's type itself, and what is allowed,
 * not forbidden.
 *
 *     63      55 54 53      48 47                12 11 10 9  8 7   6 5     2 1 0
 *     |         |XN|          |  address           |  |AF| SH | S2AP| MemAttr |1|1|
 */
#define S2_READ   BIT(6)
#define S2_WRITE  BIT(7)
#define S2_NORMAL (0xful << 2)          /* Normal, write-back, whatever stage 1 allows of it */
#define S2_RAM    (PTE_VALID | PTE_PAGE | S2_NORMAL | PTE_SH | PTE_AF)

/* Of an abort's ISS */
#define ISS_WNR       BIT(6)            /* of a data abort: it was a write */
#define ISS_S1PTW     BIT(7)            /* by the walk of the guest's own tables */
#define FAULT_TRANSLATION 1             /* ISS[5:2]; [1:0] is the level */
#define FAULT_PERMISSION  3

#define EC_IABT_LOWER 0x20
#define EC_DABT_LOWER 0x24

/* What a guest takes for its RAM. */
#define GUEST_RAM_IPA  0x40000000ul
#define GUEST_RAM_SIZE 0x00200000ul

struct stage2 {
    u64 *root;
    u64 vmid;
    u64 mapped, copied; /* pages */
};

/* The guest's image: pages of the hypervisor's own, which the guest reads and never writes. */
extern const char guest_image[], guest_image_end[];

/* stage2.c */
u64 *entry_of(u64 *root, u64 ipa);
void page_set(struct stage2 *s, u64 ipa, u64 pa, u64 access);
void stage2_on(struct stage2 *s);
/* An abort that stage 2 caused. True: it is mended, the guest may try again. False: that is not the guest's memory;
 * *ipa says what. */
bool guest_fault(struct vcpu *v, u64 *ipa);
/* main.c: the guest that runs. */
extern struct stage2 guest_memory;

#endif
