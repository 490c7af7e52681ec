/*
 * Decoding: the rows of the instruction tables (cpu/insn/insn_all.def), compiled for one set of features into a table
 * of candidates by the upper twelve bits of the word: those at start-up, the rest of a row with the first word that may
 * be of it. Arm ARM C4.
 *
 *     INSN*(id, "pattern", decoder, feature, "disassembly")
 *
 * pattern: 32 characters from bit 31 to bit 0, blanks are free.
 *
 *     0 1         must match
 *     x           free
 *     d           destination; 31 is ZR, written to TRASH
 *     D           destination; 31 is SP
 *     t           source in the d slot; 31 is ZR
 *     n m a       sources; 31 is ZR
 *     N M         sources; 31 is SP
 *     b           second destination, in the a slot; 31 is TRASH
 *     F G H K     vector registers in the slots d n m a
 *     s q z       stamps: 64-bit, 128-bit, element size (two bits); cpu/insn/op.h
 *     others      bits of the immediate, by name
 *
 * decoder: `NAME` is bool dec_NAME(u32 word, struct op *op). It fills op->imm, and what is special, after the register
 * slots are set, and returns false to refuse the word: the next row is tried, UNDEFINED at the end. `none` does
 * nothing, `word` keeps the word in imm.
 *
 * disassembly: after % a register letter of the pattern (x or w by `s`), i for the immediate; else literal.
 */
#ifndef CPU_DECODE_H
#define CPU_DECODE_H

#include "cpu/feature.h"
#include "lib/base.h"

struct cpu;
struct op;
/* cpu/insn/op.h, OP_ARGS: the three numbers in the middle hold nothing. */
typedef void op_fn(struct cpu *cpu, u64 u1, u64 u2, u64 u3, u64 L, const struct op *i);

/* A decoded instruction: 16 bytes. */
struct op {
    op_fn *fn;
    union {
        struct {
            u8 d, n, m, a;
            s32 imm;
        };
        u64 target; /* of branches within the page: the slot's address; above d and n where those are used */
    };
};
static_assert(sizeof(struct op) == 16, "an operation is 16 bytes: JUMP and PC count on it");

/* A copy with another handler, as two words: what was just written in halves is not read whole, which would stall. */
static ALWAYS_INLINE void op_copy(struct op *to, op_fn *fn, const void *operands)
{
    memcpy(&to->d, operands, 8);
    to->fn = fn;
}

enum engine { ENGINE_STEP, ENGINE_THREADED, ENGINES };

enum stamp { STAMP_1, STAMP_S, STAMP_N, STAMP_Q, STAMP_Z, STAMP_QZ };

struct insn_row {
    const char *name;
    const char *pattern;
    bool (*decode)(u32 word, struct op *op);
    const char *format;
    u16 feature;
    u8 stamp;
    u16 handler; /* index of its first handler */
};

/* For tests and --list-insns: row n of the tables, NULL past the last. */
const struct insn_row *insn_row_get(unsigned n);

struct decoder;
/* Compiles the tables for a feature set. NULL when out of memory. */
struct decoder *decoder_create(const struct features *features);
void decoder_destroy(struct decoder *d);
/* Fills *op; an unallocated word becomes the handler that is UNDEFINED. Returns the row, or NULL. */
const struct insn_row *decoder_decode(const struct decoder *d, u32 word, enum engine engine, struct op *op);
/* The same for the threaded engine, in slot `slot` of a page of `slots`: a direct branch within the page becomes its
 * near handler, with its target. */
void decoder_decode_slot(struct decoder *d, u32 word, const struct op *page, unsigned slot, unsigned slots,
                         struct op *op);
/* Text of the instruction from the row's own format, for what a disassembler library does not know. */
void insn_format(const struct insn_row *row, u32 word, u64 pc, char *text, size_t size);

#endif
