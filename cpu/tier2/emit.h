/* What emitters share: cpu/tier2/emit.c, emit_ldst.c. */
#ifndef CPU_TIER2_EMIT_H
#define CPU_TIER2_EMIT_H

#include "cpu/tier2/region.h"

#define CPU(field) ((s32)offsetof(struct cpu, field))
enum { LOOK_AHEAD = 16 }; /* slots that are looked at for what shares something with an instruction */

/* A host register with x[n]: its own, or `scratch`. The host's flags stay. */
unsigned emit_get(struct region *r, unsigned n, unsigned scratch);
/* Where a result for x[n] may be made. */
unsigned emit_dest(const struct region *r, unsigned n, unsigned scratch);
/* The value is x[n] from now on. The host's flags stay. */
void emit_put(struct region *r, unsigned n, unsigned value);
/* PC of a slot plus an offset, into a register. */
void emit_pc(struct region *r, unsigned d, unsigned slot, u64 offset);

/* The immediate of alu_imm. */
u64 emit_immediate(const struct op *o, const struct emit_row *e);

/* Emitters that others know by name. */
emit_fn emit_alu_imm, emit_alu, emit_compare_if, emit_near_if, emit_select;
/* Emitters of loads and stores. */
emit_fn emit_atomic, emit_compare_and_swap, emit_load, emit_load_exclusive, emit_load_literal,
    emit_load_ordered, emit_load_pair, emit_store, emit_store_exclusive, emit_store_ordered, emit_store_pair,
    emit_vector, emit_vector_literal;

#endif
