/*
 * The features a CPU has, a set of bits made from the rows of feature.def.
 * Arm ARM A2 (Armv8-A architecture extensions). Run-time data: no #if anywhere asks for a feature.
 */
#ifndef CPU_FEATURE_H
#define CPU_FEATURE_H

#include "lib/base.h"

enum feature {
#define FEATURE(id, name, reg, lsb, value, requires) FEAT_##id,
#include "cpu/feature.def"
    FEATURE_COUNT
};

struct features {
    u64 set[4];
};
static_assert(FEATURE_COUNT <= 256, "struct features holds 256");

static inline bool feature_has(const struct features *f, enum feature id) { return bit(f->set[id / 64], id % 64); }
static inline void feature_add(struct features *f, enum feature id) { f->set[id / 64] |= BIT(id % 64); }
static inline void feature_remove(struct features *f, enum feature id) { f->set[id / 64] &= ~BIT(id % 64); }

#endif
