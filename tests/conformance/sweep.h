/* The decode sweep's parts: what independent disassemblers say of a word (opinion.c), and what executing it does
 * (execute.c). */
#ifndef TESTS_CONFORMANCE_SWEEP_H
#define TESTS_CONFORMANCE_SWEEP_H

#include "cpu/insn/decode.h"
#include "cpu/model.h"

enum { OPINIONS = 2, MNEMONIC_SIZE = 32 };

/* Independent disassemblers: 0 is LLVM's, 1 is binutils'. They share no source. How many of them know what the CPU has:
 * binutils' knows everything, which is an opinion on `max` only. */
unsigned opinions_open(const char *cpu);
/* The mnemonic of the word, or "undefined" when it is UNDEFINED. */
void opinion_ask(unsigned which, u32 word, char mnemonic[MNEMONIC_SIZE]);

/* A PE to execute words on, which are decoded by `decoder`. A crash, or a block of words that takes too long since the
 * last execute_watch, prints the line `died SIGNAL WORD` and ends the process. */
void execute_open(const struct cpu_model *model, struct decoder *decoder);
void execute_watch(void);
/* What the word did: something, an exception, an exception because it is UNDEFINED here, or nothing at all. `template`
 * numbers the states to start from, which depend on the word too. */
enum executed { EXECUTED, EXECUTED_RAISED, EXECUTED_UNDEFINED, EXECUTED_IDLE, EXECUTED_COUNT };
enum executed execute_word(u32 word, unsigned template);

#endif
