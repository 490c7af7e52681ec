/* The rules of the vector runner (rules.h). A row a rule. */
#include "tests/conformance/rules.h"

static bool is_tag_instruction(const struct rule_input *in)
{
    return !strstr(in->set, "mte") && !strncmp(in->name, "integer_tags_", 13);
}

const struct rule rules[RULE_COUNT_] = {
    { "mte-off", is_tag_instruction,
      "the v8.5 model executes tag loads and stores on a CPU without FEAT_MTE, where they are UNDEFINED (its README)" },
    { 0 },
};

int rule_find(const struct rule_input *in)
{
    for (int n = 0; n < RULE_COUNT_ && rules[n].name; n++)
        if (rules[n].applies(in))
            return n;
    return -1;
}
