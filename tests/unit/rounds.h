/*
 * How often a test of random things goes round: as often as it says, or with UNIT_PART=4 a quarter of it, where the
 * processor is itself emulated (tests/arm64.sh).
 */
#ifndef TESTS_UNIT_ROUNDS_H
#define TESTS_UNIT_ROUNDS_H

#include <stdlib.h>

static inline unsigned rounds(unsigned all)
{
    static unsigned part;
    if (!part) {
        const char *text = getenv("UNIT_PART");
        part = text ? (unsigned)strtoul(text, NULL, 10) : 1;
    }
    return part > 1 ? all / part : all;
}

#endif
