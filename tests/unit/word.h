/* Executes one word with an engine's handler, without code pages: for tests of instructions as they are decoded. */
#ifndef TESTS_UNIT_WORD_H
#define TESTS_UNIT_WORD_H

#include <check.h>
#include "cpu/insn/op.h"

/* The slot after the word. */
static void word_stop(struct cpu *c, u64 u1, u64 u2, u64 u3, u64 L, const struct op *i)
{
    (void)c, (void)u1, (void)u2, (void)u3, (void)L, (void)i;
}

static inline void word_execute(struct cpu *pe, const struct decoder *d, u32 word, enum engine engine)
{
    struct op op[2] = { { .fn = NULL }, { .fn = word_stop } };
    ck_assert_msg(decoder_decode(d, word, engine, op) != NULL, "%08x is not decoded", word);
    op[0].fn(pe, 0, 0, 0, (u64)(uintptr_t)op, op);
}

#endif
