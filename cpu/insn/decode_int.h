/* Decoders that bodies and tests use too; the others are declared from the rows (cpu/engine/decode.c). */
#ifndef CPU_DECODE_INT_H
#define CPU_DECODE_INT_H

#include "cpu/insn/decode.h"

struct bitmask {
    u64 v;
    bool ok;
};
/* DecodeBitMasks' wmask for 64 bits; ok false: reserved. */
struct bitmask bitmask_decode(unsigned n, unsigned immr, unsigned imms);

#define INSN(id, pattern, dec, feat, format) bool dec_##dec(u32, struct op *);
#include "cpu/insn/insn_all.def"
bool dec_bitfield(u32, struct op *);

#endif
