/*
 * Named rules by which the vector runner skips: predicates on the start state and the instruction, never on the answer.
 * Each is listed with its section of the manual in docs/choices.md.
 */
#ifndef TESTS_CONFORMANCE_RULES_H
#define TESTS_CONFORMANCE_RULES_H

#include "cpu/state.h"

enum { RULE_COUNT_ = 64 };

struct rule_input {
    const struct cpu *cpu; /* before the step */
    const char *set, *class_, *name, *mode;
    u32 insn;
};
struct rule {
    const char *name;
    bool (*applies)(const struct rule_input *in);
    const char *why;
};
extern const struct rule rules[RULE_COUNT_];
/* Number of the first rule that applies, -1 = none. */
int rule_find(const struct rule_input *in);

#endif
