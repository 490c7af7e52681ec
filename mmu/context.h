/*
 * From a PE's registers to the description of a translation regime, and to the small context numbers of the fast tags.
 * The public half is declared in mmu/access.h.
 */
#ifndef MMU_CONTEXT_H
#define MMU_CONTEXT_H

#include "cpu/state.h"
#include "mmu/walk.h"

/* Bits of tlb_config.regime besides enum regime. */
enum { REGIME_KEY_SECURE = 1 << 8, REGIME_KEY_S1 = 1 << 9, REGIME_KEY_S2 = 1 << 10, REGIME_KEY_HAS_S2 = 1 << 11,
       REGIME_KEY_SIF = 1 << 12, REGIME_KEY_S2_EE = 1 << 13, REGIME_KEY_NV_NV1 = 1 << 14, REGIME_KEY_TAGS = 1 << 15,
       REGIME_KEY_PIE = 1 << 16, REGIME_KEY_POE = 1 << 17, REGIME_KEY_E0POE = 1 << 18 };

/* The regime that translates for an access at `el` with the registers as they are. */
enum regime regime_of(const struct cpu *cpu, unsigned el);
/* Describes that regime; security state and stage 2 follow SCR_EL3 and HCR_EL2 as they are. */
void regime_describe(const struct cpu *cpu, enum regime regime, struct regime_desc *out);
/* What tags TLB entries made under that description, besides its asid and vmid. */
void regime_config(const struct regime_desc *r, struct tlb_config *config);

/* Bits of physical address that ID_AA64MMFR0_EL1.PARange names. */
unsigned mmu_pa_bits(u64 id_aa64mmfr0);

/* What the EL sees of memory, up to date. */
const struct mmu_view *mmu_view_make(struct cpu *cpu, unsigned el);
static inline const struct mmu_view *mmu_view(struct cpu *cpu, unsigned el)
{
    const struct mmu_view *v = &cpu->d.mmu.view[el];
    return likely(v->valid) ? v : mmu_view_make(cpu, el);
}
/* The description of the view's regime, with what is known of its tables where the PE has such a memory; else made in
 * *room. Good until the next call. */
const struct regime_desc *mmu_view_regime(struct cpu *cpu, const struct mmu_view *view, struct regime_desc *room);
/* Index of the view's config in tlb.configs; -1 when the TLB holds nothing of it. */
int mmu_view_config(struct cpu *cpu, const struct mmu_view *view);
/* The same, entering it there when it is missing (evicts the oldest config with its entries). */
unsigned mmu_view_config_make(struct cpu *cpu, const struct mmu_view *view);
/* Do unprivileged loads and stores use EL0's permissions here and now? (LDTR, STTR: D8.4.1, UAO) */
bool mmu_unpriv_applies(struct cpu *cpu);

/* For those who look in: translates va in the regime of `el` without changing anything: no TLB, no descriptor update,
 * no exception, no permission checked. out and rec may be NULL. True: *pa is the physical address. */
bool mmu_debug_translate(const struct cpu *cpu, u64 va, unsigned el, u64 *pa, struct translation *out,
                         struct walk_record *rec);
/* va as the current EL's regime has it: where the tag byte is ignored (TBI, and TBID for instructions) the sign of bit
 * 55 stands in its place. */
u64 mmu_debug_untagged(const struct cpu *cpu, u64 va, bool fetch);

#endif
