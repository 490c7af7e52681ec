/*
 * Allocation tags (FEAT_MTE2), Arm ARM D10: where they are kept, who may use them, and the check of an access. A tag is
 * a byte in physical memory beside the guest's: at tag_pa(pa), in a region of its own (of the board, or of a test).
 */
#ifndef MMU_TAGS_H
#define MMU_TAGS_H

#include "cpu/state.h"
#include "mmu/phys.h"

#define TAGS_BASE BIT(55)
static inline u64 tag_pa(u64 pa) { return TAGS_BASE | pa >> 4; }

/* AllocationTagAccessIsEnabled: at this EL, or (el0) with EL0's rights. */
bool tags_enabled(const struct cpu *cpu, bool el0);
/* Can any access of this EL's regime be checked? Where not, tagged pages have fast tags as others do. */
bool tags_may_check(const struct cpu *cpu, unsigned el);
/* The check of `size` bytes at va, which lie at pa in Tagged memory. False: a Tag Check Fault at *fault_va is to be
 * raised; an asynchronous one is noted and passes. */
bool tags_check(struct cpu *cpu, u64 va, u64 pa, struct phys_attrs attrs, unsigned size, bool el0, bool write,
                bool read, u64 *fault_va);

#endif
