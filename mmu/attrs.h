/*
 * Memory attributes: from descriptors to what a location is, both stages combined, and their PAR_EL1 form
 * (Arm ARM D8.6, D19.2.117; S1DecodeMemAttrs, S2DecodeMemAttrs, S2CombineS1MemAttrs, EncodePARAttrs of the shared
 * pseudocode).
 */
#ifndef MMU_ATTRS_H
#define MMU_ATTRS_H

#include "mmu/walk.h"

/* Stage 1: the MAIR byte and SH field. cacheable: not forced Non-cacheable by SCTLR_ELx.C. feat: WALK_MTE, WALK_XS. */
struct mem_attrs attrs_stage1(u8 mair, unsigned sh, bool cacheable, u32 feat);
/* Stage 1 off. cacheable: of fetches, by SCTLR_ELx.I. */
struct mem_attrs attrs_flat(bool default_cacheable, bool fetch, bool cacheable);
/* Stage 2 memattr and SH. cacheable: not forced Non-cacheable by HCR_EL2.CD. */
struct mem_attrs attrs_stage2(unsigned memattr, unsigned sh, bool cacheable);
struct mem_attrs attrs_combine(struct mem_attrs s1, struct mem_attrs s2);
/* The same under HCR_EL2.FWB, where stage 2 memattr means something else (D8.6.6). */
struct mem_attrs attrs_combine_fwb(struct mem_attrs s1, unsigned memattr, unsigned sh, bool cacheable, u32 feat);
/* ATTR and SH fields of PAR_EL1. */
u8 attrs_par(struct mem_attrs a);
unsigned attrs_par_sh(struct mem_attrs a);

#endif
