/* Memory tagging: what instructions do with tags (Arm ARM D10). Checks of accesses are in mmu/tags.h. */
#ifndef CPU_MTE_H
#define CPU_MTE_H

#include "cpu/state.h"

static inline unsigned mte_tag_of(u64 address) { return address >> 56 & 15; }
static inline u64 mte_with_tag(u64 address, unsigned tag) { return (address & ~(15ull << 56)) | (u64)(tag & 15) << 56; }

/* ADDG, SUBG: the tag `offset` places on, past those that GCR_EL1 excludes. */
unsigned mte_next_tag(struct cpu *cpu, unsigned tag, unsigned offset);
/* IRG: a tag that neither `exclude` nor GCR_EL1 excludes, of the generator in RGSR_EL1. */
unsigned mte_random_tag(struct cpu *cpu, u64 exclude);
/* STG, ST2G (two granules), STZG, STZ2G (zero). False: an exception is in cpu->d.exc. */
bool mte_store(struct cpu *cpu, u64 va, unsigned tag, unsigned granules, bool zero);
/* STGP: two registers and their tag. */
bool mte_store_pair(struct cpu *cpu, u64 va, u64 first, u64 second);
/* LDG: the tag of the granule of va. */
struct mte_value {
    u64 v;
    bool ok;
};
struct mte_value mte_load(struct cpu *cpu, u64 va);
/* LDGM, STGM (GMID_EL1.BS), STZGM (DCZID_EL0.BS): EL1 and above. */
struct mte_value mte_load_many(struct cpu *cpu, u64 va);
bool mte_store_many(struct cpu *cpu, u64 va, u64 tags);
bool mte_store_zero_many(struct cpu *cpu, u64 va, u64 tag);

#endif
