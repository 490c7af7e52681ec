/*
 * Allocation tags (FEAT_MTE2), Arm ARM D10: where they are kept, and who may use them. A tag is a byte in physical
 * memory beside the guest's: at tag_pa(pa), in a region of its own (of the board, or of a test). Accesses to them are
 * declared in mmu/access.h (mem_tags_read and others).
 */
#ifndef MMU_TAGS_H
#define MMU_TAGS_H

#include "cpu/state.h"

#define TAGS_BASE BIT(55)
static inline u64 tag_pa(u64 pa) { return TAGS_BASE | pa >> 4; }

/* AllocationTagAccessIsEnabled: at this EL, or (el0) with EL0's rights. */
bool tags_enabled(const struct cpu *cpu, bool el0);
/* Can any access of this EL's regime be checked? Where not, tagged pages have fast tags as others do. */
bool tags_may_check(const struct cpu *cpu, unsigned el);

#endif
