/*
 * Permission indirection and overlays (FEAT_S1PIE, FEAT_S2PIE, FEAT_S1POE; Arm ARM D8.4.1): a descriptor holds indices
 * of fields of registers, whose values mmu/pie.def explains. Rights: bit 0 read, 1 write, 2 execute.
 * Leaves out: stage 2 overlays (FEAT_S2POE), guarded control stacks, and what FEAT_THE makes of "mostly read only".
 */
#ifndef MMU_PIE_H
#define MMU_PIE_H

#include "lib/base.h"

enum { RIGHT_R = 1, RIGHT_W = 2, RIGHT_X = 4, RIGHTS_ALL = 7, RIGHT_GCS = 8 };

struct pie_s1 {
    u8 rights;
    u8 overlaid; /* overlays apply */
    u8 wxn;      /* with write permission there is no execute permission */
};
struct pie_s2 {
    u8 el0, el1, walker;
};

/* The value of PIR_ELx or PIRE0_ELx that a leaf of stage 1 selects, and what it means. */
unsigned pie_value(u64 pir, u64 desc);
struct pie_s1 pie_stage1(unsigned value);
/* What S2PIR_EL2 says of a leaf of stage 2, POR_ELx of one of stage 1. */
struct pie_s2 pie_stage2(u64 s2pir, u64 desc);
u8 pie_overlay(u64 por, u64 desc);

#endif
