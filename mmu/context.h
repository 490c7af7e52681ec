/*
 * From a PE's registers to the description of a translation regime, and to the small context numbers of the fast tags
 * (DESIGN section 5). The public half is declared in mmu/access.h.
 */
#ifndef MMU_CONTEXT_H
#define MMU_CONTEXT_H

#include "cpu/state.h"
#include "mmu/tlb.h"
#include "mmu/walk.h"

/* The regime that translates for an access at `el` with the registers as they are. */
enum regime regime_of(const struct cpu *cpu, unsigned el);
/* Describes that regime. el2_enabled-dependent parts follow SCR_EL3 as it is. */
void regime_describe(const struct cpu *cpu, enum regime regime, struct regime_desc *out);
/* SCTLR_ELx of a regime. */
u64 regime_sctlr(const struct cpu *cpu, enum regime regime);
/* The key of TLB entries for that regime. */
void regime_key(const struct regime_desc *r, struct tlb_key *key);

/* For those who look in: translates va in the regime of `el` without changing anything: no TLB, no descriptor update, no
 * exception. A read (write, fetch) with privileged permissions is not checked against permissions. rec and out may be
 * NULL. True: *pa is the physical address. */
bool mmu_debug_translate(const struct cpu *cpu, u64 va, unsigned el, u64 *pa, struct translation *out,
                         struct walk_record *rec);

#endif
