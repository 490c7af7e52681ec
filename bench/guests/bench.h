/* Lines between which bench/run.py measures: BEGIN and BENCH. Each phase checks what came of it. After a line the PE
 * sleeps for a moment, so that it has been written out when the phase begins: INTID 30 is to be enabled. */
#ifndef BENCH_H
#define BENCH_H

#include "rt.h"

static inline void bench_shown(void)
{
    u64 masks = READ(daif);
    ASM("msr daifset, #2");
    WRITE(cntp_tval_el0, 1000);
    WRITE(cntp_ctl_el0, 1);
    ISB();
    ASM("wfi");
    WRITE(cntp_ctl_el0, 0);
    ISB();
    WRITE(daif, masks);
}

static inline void bench_begin(const char *name)
{
    put_text("BEGIN ");
    put_text(name);
    put_text("\n");
    bench_shown();
}

static inline void bench_end(const char *name, u64 ops, u64 sum, u64 want)
{
    put_text("BENCH ");
    put_text(name);
    put_text(" ops=");
    put_hex(ops);
    put_text(" sum=");
    put_hex(sum);
    if (sum != want) {
        put_text(" want=");
        put_hex(want);
    }
    put_text(sum == want ? " OK\n" : " BAD\n");
    bench_shown();
}
#endif
