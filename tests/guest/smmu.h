/* The SMMUv3 for guest programs: registers, queues of 16 entries, commands (Arm IHI 0070 3.5, 4, 6.3). */
#ifndef SMMU_H
#define SMMU_H

#include "rt.h"

#define SMMU       0x09050000ul
#define IDR0       0x00
#define IDR1       0x04
#define IDR5       0x14
#define AIDR       0x1c
#define CR0        0x20
#define CR0ACK     0x24
#define CR1        0x28
#define CR2        0x2c
#define IRQ_CTRL   0x50
#define IRQ_CTRLACK 0x54
#define GERROR     0x60
#define GERRORN    0x64
#define STRTAB_BASE 0x80
#define STRTAB_CFG 0x88
#define CMDQ_BASE  0x90
#define CMDQ_PROD  0x98
#define CMDQ_CONS  0x9c
#define EVENTQ_BASE 0xa0
#define EVENTQ_PROD 0x100a8
#define EVENTQ_CONS 0x100ac
#define R32(offset) MMIO32(SMMU + (offset))
#define R64(offset) MMIO64(SMMU + (offset))
#define LOG2       4u

/* A context descriptor's first word: T0SZ 25, write-back, inner shareable; EPD1, V; IPS 40 bits, AA64, R, A; ASID. */
#define SMMU_CD(asid) (25 | 1 << 8 | 1 << 10 | 3 << 12 | 1ul << 30 | 1ul << 31 | 2ul << 32 | 1ul << 41 | 1ul << 45 | \
                       1ul << 46 | (u64)(asid) << 48)

static u64 commands[2 << LOG2] __attribute__((aligned(512)));
static volatile u64 events[4 << LOG2] __attribute__((aligned(1024)));

/* Gives a command to the SMMU. */
static inline void smmu_put(u64 low, u64 high)
{
    u32 prod = R32(CMDQ_PROD);
    commands[2 * (prod & ((1u << LOG2) - 1))] = low;
    commands[2 * (prod & ((1u << LOG2) - 1)) + 1] = high;
    DSB();
    R32(CMDQ_PROD) = (prod + 1) & ((2u << LOG2) - 1);
    DSB();
}

/* And waits until it is consumed, or is wrong. */
static inline void smmu_command(u64 low, u64 high)
{
    smmu_put(low, high);
    while ((R32(CMDQ_CONS) & ((2u << LOG2) - 1)) != R32(CMDQ_PROD) && !(R32(GERROR) & 1))
        ;
}

/* A linear stream table of 1 << log2 entries; queues empty, the SMMU on, with events for StreamIDs outside of it. */
static inline void smmu_start(const u64 *streams, u32 log2)
{
    R64(STRTAB_BASE) = (u64)streams;
    R32(STRTAB_CFG) = log2;
    R64(CMDQ_BASE) = (u64)commands | LOG2;
    R64(EVENTQ_BASE) = (u64)events | LOG2;
    R32(CMDQ_PROD) = R32(CMDQ_CONS) = R32(EVENTQ_PROD) = R32(EVENTQ_CONS) = 0;
    R32(CR1) = 0xd75;
    R32(CR2) = 2; /* RECINVSID */
    DSB();
    R32(CR0) = 0xd;
}
#endif
