/*
 * The TLB that decides whether a walk happens (state), and the TLBI instructions (Arm ARM D8.14, C6 TLBI).
 * Fast tags and fetched pages are always a subset of it: whatever leaves it takes them along.
 */
#ifndef MMU_TLB_H
#define MMU_TLB_H

#include "cpu/state.h"
#include "mmu/walk.h"

/* TLBI by what they drop; inner-shareable and outer-shareable forms pass broadcast. */
enum tlbi_op {
    TLBI_VMALLE1, TLBI_VAE1, TLBI_ASIDE1, TLBI_VAAE1, TLBI_VALE1, TLBI_VAALE1,
    TLBI_IPAS2E1, TLBI_IPAS2LE1, TLBI_VMALLS12E1, TLBI_ALLE1,
    TLBI_ALLE2, TLBI_VAE2, TLBI_VALE2,
    TLBI_ALLE3, TLBI_VAE3, TLBI_VALE3,
    TLBI_OPS
};

/* Executes one TLBI at the current EL of cpu with Xt = value, on this PE or (broadcast) on all PEs. HCR_EL2.FB turns a
 * local one at EL1 into a broadcast here; HCR_EL2.{E2H,TGE} select the regime here. Traps are the caller's. */
void tlbi(struct cpu *cpu, enum tlbi_op op, u64 value, bool broadcast);
/* The range forms (FEAT_TLBIRANGE): op is the single-address form (TLBI_VAE1 for RVAE1). */
void tlbi_range(struct cpu *cpu, enum tlbi_op op, u64 value, bool broadcast);

/* Within mmu/ ------------------------------------------------------------------------------------------------- */

/* Entry that translates va (without a tag byte) in this view, or NULL. Changes no state. */
const struct tlb_entry *tlb_find(struct cpu *cpu, const struct mmu_view *view, u64 va);
/* The same for those who look in: what accesses under that description would find, also when the PE is not in it. */
const struct tlb_entry *tlb_look(const struct cpu *cpu, const struct regime_desc *r, u64 va);
/* Enters a translation, replacing by FIFO; returns the entry. */
const struct tlb_entry *tlb_fill(struct cpu *cpu, const struct mmu_view *view, u64 va, const struct translation *t);
/* Empties one entry, and all entries of a config. */
void tlb_drop(struct cpu *cpu, const struct tlb_entry *e);
void tlb_drop_config(struct cpu *cpu, unsigned config);
/* Number of an entry: owner of fast tags. */
static inline u32 tlb_index(const struct cpu *cpu, const struct tlb_entry *e)
{
    return (u32)(e - &cpu->tlb.entry[0][0]);
}
/* Notes that fast tag (xpage) `slot` was made from an entry. */
void tlb_note_fast(struct cpu *cpu, u32 index, u32 slot);
void tlb_note_xpage(struct cpu *cpu, u32 index, u32 slot);
/* Empties the whole TLB with all that is derived from it. */
void tlb_reset(struct cpu *cpu);
/* After a restore: bounds every field. False: the state is not one that this program wrote. */
bool tlb_validate(const struct cpu *cpu);

#endif
