/* Formats of translation tables (Arm ARM D8.2), for mmu/walk.c. */
#ifndef MMU_TABLE_H
#define MMU_TABLE_H

#include "mmu/walk.h"

/* A table format with its start: what TCR, VTCR and TTBR say for one input address. */
struct table {
    u64 input;      /* address to translate */
    u64 base;       /* register: TTBRn_ELx, VTTBR_EL2 or VSTTBR_EL2 */
    s8 level;       /* start level, -1..3 */
    u8 grain;       /* log2 of the page: 12, 14, 16 */
    u8 input_size;  /* bits */
    u8 output_size; /* bits */
    u8 stage;
    bool ds;       /* 52-bit descriptors of 4K and 16K (TCR.DS) */
    bool ee;       /* descriptors are big-endian */
    bool one_priv; /* regime without EL0 */
    bool no_hier;  /* hierarchical permissions are off (HPD) */
    bool update_af, update_dirty;
    bool ns;        /* tables start in the Non-secure address space */
    bool out_ns;    /* stage 2: output address space */
    bool epd, e0pd; /* e0pd: for EL0 */
    bool ns_ipa;    /* stage 2: the IPA is Non-secure */
    u8 ds_sh;
    bool pie; /* permissions are indirect: <51> and <7> are not DBM and AP<2> (S2AP<1>) but an index and dirty state */
};

/* What the table descriptors on the way to a leaf hand down to it (D8.4.3), in stage 1. */
struct table_rights {
    u8 ns;
    u8 ap; /* APTable of all levels: 2 read-only, 1 no EL0 access */
    u8 xn, pxn;
};

/* Implemented bits of physical address, at most 52. */
unsigned table_pa_max(const struct regime_desc *r);
/* AddrTop of va in this regime: 55 or 63. */
unsigned table_addr_top(const struct regime_desc *r, u64 va, bool fetch);
/* Fields of TCR_ELx for this address (D8.2.4). False: no table translates it. */
bool table_stage1(const struct regime_desc *r, u64 va, bool fetch, struct table *t);
/* Fields of VTCR_EL2 or VSTCR_EL2. *range: bits of IPA that it translates. False: no table translates anything (D8.2.6:
 * size and level must agree). */
bool table_stage2(const struct regime_desc *r, bool ns_ipa, struct table *t, u8 *range);

#endif
