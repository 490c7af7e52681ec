/* Permission indirection and overlays: see mmu/pie.h. */
#include "mmu/pie.h"

enum { R = RIGHT_R, W = RIGHT_W, X = RIGHT_X, GCS = RIGHT_GCS, OVERLAID = 1, WXN = 1 };

static const struct pie_s1 stage1[16] = {
#define S1PERM(value, rights, overlaid, wxn) [value] = { rights, overlaid, wxn },
#include "mmu/pie.def"
};

static const u8 overlay[16] = {
#define S1OVERLAY(value, rights) [value] = rights,
#include "mmu/pie.def"
};

static const struct pie_s2 stage2[16] = {
#define S2PERM(value, el0, el1, walker) [value] = { el0, el1, walker },
#include "mmu/pie.def"
};

/* Field <4n+3:4n> of a permission register. */
static unsigned field(u64 reg, unsigned n) { return (unsigned)bits(reg, 4 * n + 3, 4 * n); }

/* PIIndex: <3:2> in UXN and PXN, <1> in DBM, <0> in AP<1> (stage 2: in XN<1:0>, DBM, S2AP<0>). */
static unsigned pi_index(u64 desc)
{
    return (unsigned)(bits(desc, 54, 53) << 2 | (u64)bit(desc, 51) << 1 | (u64)bit(desc, 6));
}

unsigned pie_value(u64 pir, u64 desc) { return field(pir, pi_index(desc)); }

struct pie_s1 pie_stage1(unsigned value)
{
    struct pie_s1 p = stage1[value & 15];
    p.overlaid |= value < 8; /* reserved ones, too */
    return p;
}

struct pie_s2 pie_stage2(u64 s2pir, u64 desc) { return stage2[field(s2pir, pi_index(desc))]; }

/* POIndex: <62:60>. */
u8 pie_overlay(u64 por, u64 desc) { return overlay[field(por, (unsigned)bits(desc, 62, 60))]; }
