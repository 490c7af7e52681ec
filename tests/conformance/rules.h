/*
 * Named rules by which the vector runner skips a vector, or leaves a part of it out of the comparison: predicates on
 * the start state and the instruction, never on the answer. Each is listed with its section of the manual in
 * docs/choices.md.
 */
#ifndef TESTS_CONFORMANCE_RULES_H
#define TESTS_CONFORMANCE_RULES_H

#include "cpu/state.h"

enum { RULE_COUNT_ = 64 };

struct rule_input {
    const struct cpu *cpu; /* before the step */
    const char *set, *class_, *name, *mode;
    u32 insn;
    bool contiguous; /* the start memory has a valid descriptor with the contiguous bit */
    u8 attrs;        /* its leaf descriptors' AttrIndx, a bit each (of some tables too) */
    bool at_called;  /* AT is a call (atcall.h) */
    bool listed;     /* the system register is one of the model's list (scan.h) */
};
struct rule {
    const char *name;
    bool (*applies)(const struct rule_input *in);
    const char *why;
};
enum {
    LEAVES_MEMORY = 1,  /* memory, when an exception was taken */
    LEAVES_VECTORS = 2, /* V registers, likewise */
    LEAVES_ATTR = 4,    /* PAR_EL1.{ATTR,SH} */
    LEAVES_WNR = 8,     /* ESR_ELx.ISS.WnR */
    LEAVES_SYNDROME = 16 /* ESR_ELx */
};
/* 0: the rule's vectors are skipped; else LEAVES_*, what of them is not compared. */
unsigned rule_leaves(int rule);
extern const struct rule rules[RULE_COUNT_];
/* Number of the first rule that applies, one that skips before one that leaves out; -1: none. */
int rule_find(const struct rule_input *in);

#endif
