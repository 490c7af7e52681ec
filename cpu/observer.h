/*
 * Those who look in (debug/): called by the stepping engine and by exception entry only; the fast path has no hook.
 * They may read everything; they change nothing that the guest can see. NULL functions are not called.
 */
#ifndef CPU_OBSERVER_H
#define CPU_OBSERVER_H

#include "cpu/state.h"

struct observer {
    void *ctx;
    /* NULL, or: do the instructions of the page (4 KiB) at va go one by one, so that before, after and memory are
     * called? Asked when a page is entered. Whoever changes its answer drops what is derived (mmu_drop_derived) on all
     * PEs. */
    bool (*page)(void *ctx, struct cpu *cpu, u64 va);
    /* NULL, or: are data accesses to va (or pa) to be seen? Then an instruction that makes one goes through the
     * stepping engine. Asked for whole pages; the same care when its answer changes. */
    bool (*data)(void *ctx, struct cpu *cpu, u64 va, u64 pa);
    /* NULL, or: before a data access of `size` bytes that is permitted, in the stepping engine. Returning false stops
     * before the instruction, which has done nothing yet. */
    bool (*access)(void *ctx, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write);
    /* Before an instruction; returning false stops before it is executed. */
    bool (*before)(void *ctx, struct cpu *cpu, u64 pc, u32 insn);
    void (*after)(void *ctx, struct cpu *cpu, u64 pc, u32 insn);
    /* A data access that succeeded: virtual and physical address, size in bytes, value (low 8 bytes first). */
    void (*memory)(void *ctx, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value);
    /* An exception is being taken: cpu still holds the state before it. Called in both engines. */
    void (*exception)(void *ctx, struct cpu *cpu, const struct exc *exc);
    void (*exception_return)(void *ctx, struct cpu *cpu, u64 from_pc);
    /* A device was accessed in a way that makes no sense: where, and why. */
    void (*guest_error)(void *ctx, struct cpu *cpu, const char *device, const char *why, u64 offset, unsigned size,
                        bool write, u64 value);
    /* The PE is being reset (power on, PSCI CPU_ON, reset of the machine): it still holds what it did before. */
    void (*reset)(void *ctx, struct cpu *cpu);
    void (*sysreg_written)(void *ctx, struct cpu *cpu, unsigned row, u64 value);
};

#endif
