/* The rules of the vector runner (rules.h). A row a rule. */
#include "tests/conformance/rules.h"

const struct rule rules[RULE_COUNT_] = {
    { 0 },
};

int rule_find(const struct rule_input *in)
{
    for (int n = 0; n < RULE_COUNT_ && rules[n].name; n++)
        if (rules[n].applies(in))
            return n;
    return -1;
}
