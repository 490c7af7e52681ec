/* Sequences of instructions fused by the threaded engine (cpu/engine/fuse.def), in a hash table that each code cache
 * has. */
#ifndef CPU_FUSE_H
#define CPU_FUSE_H

#include "cpu/insn/decode.h"

/* A sequence has at most FUSE_MAX instructions. */
enum { FUSE_SLOTS = 2048, FUSE_MAX = 4 };

struct fuse {
    u64 begins[64];               /* by a hash of the handler: a sequence may begin with it */
    u64 goes_on[FUSE_SLOTS / 64]; /* by a hash of two: one of three or four may begin with them */
    u16 slot[FUSE_SLOTS];         /* number of the sequence + 1, 0 = free */
};

void fuse_build(struct fuse *f);
/* For tests: the handler of the n-th sequence of cpu/engine/fuse.def, runs of pairs by their lengths. */
op_fn *fuse_handler(unsigned n);
/* The handler of the longest sequence found for ops[0] and some of those after it, all plainly decoded; ops[0]'s own
 * when there is none. */
op_fn *fuse_find(const struct fuse *f, const struct op *ops, unsigned count);
/* May a sequence begin at ops[0] that takes in the instruction after ops[count - 1]? */
bool fuse_wants_more(const struct fuse *f, const struct op *ops, unsigned count);

#endif
