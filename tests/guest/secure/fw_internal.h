/* What the firmware's files share. */
#ifndef FW_INTERNAL_H
#define FW_INTERNAL_H

#include "rt.h"
#include "fw.h"

/* EL1's registers, which both worlds have. */
#define EL1_REGS(R)                                                                                                  \
    R(sctlr_el1) R(tcr_el1) R(ttbr0_el1) R(ttbr1_el1) R(mair_el1) R(amair_el1) R(vbar_el1) R(elr_el1) R(spsr_el1)    \
    R(esr_el1) R(far_el1) R(par_el1) R(afsr0_el1) R(afsr1_el1) R(cpacr_el1) R(contextidr_el1) R(cntkctl_el1)         \
    R(tpidr_el0) R(tpidrro_el0) R(tpidr_el1) R(sp_el0) R(sp_el1) R(csselr_el1)

enum { NORMAL, SECURE, WORLDS };
struct world {
    u64 x[31], elr, spsr, scr; /* fw.S knows these */
#define MEMBER(name) u64 name;
    EL1_REGS(MEMBER)
#undef MEMBER
};
enum { IDLE, CALLED, STOPPED }; /* the payload: nothing to do, at a call, stopped by an interrupt at it */
struct cpu {
    struct world *now; /* first: fw.S */
    struct world world[WORLDS], stopped;
    u32 call;
    bool interrupt; /* the payload was entered for one */
};

struct cpu *this_cpu(void);
void say(const char *text);
void say_number(const char *text, u64 n);
_Noreturn void power_off(void);
_Noreturn void power_reset(void);

/* Starts a PE at an address of Non-secure memory, at EL2, with x0. */
struct world *normal_start(u64 entry, u64 x0);

u64 kernel_load(void); /* the entry */

s64 psci_call(u64 function, const u64 *x); /* of an identifier in PSCI's range */
void seats_wait(void);
void seats_clear(void);       /* before a reset, after which each PE comes back to its seat */
struct world *fw_park(u64 n); /* waits for CPU_ON */
_Noreturn void fw_stack_again(void);
#endif
