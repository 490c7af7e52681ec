/*
 * The SYS instruction space (op0 1): cache maintenance, address translation, TLB invalidation (Arm ARM C5.3-C5.5).
 * Rows:
 *
 *     SYSOP(NAME, op1, crn, crm, op2, LOWEST, FEATURE, TRAPS, function, argument)
 *
 * LOWEST: the lowest EL that may execute it. TRAPS as for registers (cpu/sysreg/sysreg.h). The function does it: Xt in
 * value, false when it raised an exception (cpu->d.exc).
 */
#ifndef CPU_SYSOP_H
#define CPU_SYSOP_H

#include "cpu/state.h"

struct sysop {
    const char *name;
    u16 key; /* SYSREG_KEY with op0 1 */
    u16 feature;
    u8 lowest;
    u8 arg;
    u8 pad[2];
    u64 quick; /* the bits of d.live_traps that may trap it */
    u128 traps;
    bool (*run)(struct cpu *cpu, const struct sysop *row, u64 value);
};

/* Arguments of cache maintenance by address: what permission it needs; the last one writing with FEAT_CMOW. */
enum { CACHE_READ, CACHE_INVALIDATE, CACHE_CLEAN_INVALIDATE };

enum { NO_ROW = 0xffff }; /* number of a row that is not there */

extern const struct sysop sysop_rows[];
const struct sysop *sysop_find(u32 key);
const struct sysop *sysop_get(unsigned n);
unsigned sysop_number(const struct sysop *row);
/* Cache maintenance by address, which moves nothing; DC ZVA. */
bool sysop_is_cache(const struct sysop *row);
bool sysop_is_zero(const struct sysop *row);
/* SYS at the current EL; row NULL: not allocated. rt is for the syndrome. False: cpu->d.exc is filled. */
bool sysop_run(struct cpu *cpu, const struct sysop *row, u32 key, unsigned rt, u64 value);
/* SYSL: none is allocated. Always false: UNDEFINED, or trapped by HCR_EL2.TIDCP. */
bool sysop_read(struct cpu *cpu, u32 key, unsigned rt);

#endif
