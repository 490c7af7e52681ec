/* What a file of vectors as a whole says about the generator that made it: read once before its vectors are run. */
#ifndef TESTS_CONFORMANCE_SCAN_H
#define TESTS_CONFORMANCE_SCAN_H

#include "lib/base.h"

struct scan {
    bool odd_el;        /* PSTATE.EL beyond EL3 (atcall.h) */
    u8 listed[1 << 13]; /* a bit for each register of the model's own list, by SYSREG_KEY: what the class sysreg walks
                           over */
};

void scan_file(struct scan *s, const char *path);
static inline bool scan_listed(const struct scan *s, u32 key)
{
    return s->listed[(key & 0xffff) >> 3] >> (key & 7) & 1;
}

#endif
