/* A virtual machine of two CPUs, each on one of ours. */
#ifndef VM_H
#define VM_H

#include "gic.h"
#include "stage2.h"

#define VMS  1
#define CPUS 2

struct vm {
    unsigned number; /* its VMID, too */
    struct stage2 memory;
    struct vcpu cpu[CPUS];
    volatile bool on[CPUS]; /* as PSCI has it */
    bool waiting[CPUS][INTIDS];
};
extern struct vm *current;

/* Which of our CPUs this is, and so which of the guest's. */
static inline unsigned cpu_number(void) { return (unsigned)FIELD(read_sysreg(mpidr_el1), 7, 0); }

/* lock.c: one CPU at a time is in the hypervisor's C code, but for where it waits. */
void lock(void);
void unlock(void);

/* smp.c, second.S */
bool cpu_start(unsigned number); /* one of our CPUs, at second_start; false: PSCI would not */
void second_start(void);
void second_main(void);       /* main.c */
void cpu_controls_note(void); /* what EL2's registers are on this CPU, ... */
void cpu_controls_use(void);  /* ... and the same on another */
extern char second_stack[16384];

/* psci.c: the guest's SMC. False: the machine is switched off. */
bool guest_psci(struct vcpu *v);
/* sgi.c: the guest wrote ICC_SGI1R_EL1; and an interrupt for one of its CPUs. */
void guest_sgi(u64 value);
void virq_send(unsigned cpu, u32 intid);
void cpu_kick(unsigned cpu); /* given: INTID_KICK to one of ours */

#define NAME_ICC_SGI1R_EL1 SYSREG(3, 0, 12, 11, 5)

#endif
