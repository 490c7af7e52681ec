/* Fused pairs of the threaded engine (cpu/fuse.def). */
#ifndef CPU_FUSE_H
#define CPU_FUSE_H

#include "cpu/decode.h"

/* The handler that does `first` and, in the next slot, `second`; NULL when the pair is not fused. */
op_fn *fuse_find(op_fn *first, op_fn *second);
/* Is there a pair that begins with it? */
bool fuse_may_begin(op_fn *first);

#endif
