/*
 * Where PE n of the machine stands: Aff3.Aff2.Aff1.Aff0 as GICR_TYPER<63:32> has it (MPIDR_EL1, GICD_IROUTER and PSCI
 * have Aff3 at <39:32>, where it is 0 here as well). Clusters of 16 PEs, since a write to an SGI register names up to
 * 16 of one cluster, as QEMU's virt numbers them. QEMU makes clusters of 8 with GICv2, which has no more than 8 PEs.
 */
#ifndef CPU_AFFINITY_H
#define CPU_AFFINITY_H

#include "cpu/state.h"

enum { CLUSTER_PES = 16 };
static_assert(MAX_CPUS / CLUSTER_PES <= 256, "Aff1 holds the cluster");

static inline u32 affinity_of(unsigned n) { return n / CLUSTER_PES << 8 | n % CLUSTER_PES; }
/* The number that the PE of an affinity has, or would have: none below MAX_CPUS for one that no PE can have. */
static inline unsigned affinity_pe(u64 affinity)
{
    u64 n = (affinity >> 8) * CLUSTER_PES + (affinity & 0xff);
    return (affinity & 0xff) < CLUSTER_PES && n < MAX_CPUS && affinity >> 16 == 0 ? (unsigned)n : (unsigned)MAX_CPUS;
}

#endif
