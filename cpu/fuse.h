/* Fused pairs of the threaded engine (cpu/fuse.def), in a hash table that each code cache has. */
#ifndef CPU_FUSE_H
#define CPU_FUSE_H

#include "cpu/decode.h"

enum { FUSE_SLOTS = 1024 };

struct fuse {
    u64 begins[64];       /* by a hash of the handler: a pair may begin with it */
    u16 slot[FUSE_SLOTS]; /* number of the pair + 1, 0 = free */
};

void fuse_build(struct fuse *f);
/* The handler that does `first` and, in the next slot, `second`; NULL when the pair is not fused. */
op_fn *fuse_find(const struct fuse *f, op_fn *first, op_fn *second);
/* False: no pair begins with it. */
bool fuse_may_begin(const struct fuse *f, op_fn *first);

#endif
