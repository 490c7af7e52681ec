/* A virtual machine: all that a guest has and the processor holds only while that guest runs. */
#ifndef VM_H
#define VM_H

#include "gic.h"
#include "stage2.h"

#define VMS         2
#define LIST_REGS   4                   /* at most, of those that there are */
#define EL1_REGS    20

struct vm {
    unsigned number; /* 1, 2; its VMID, too */
    struct vcpu cpu; /* general registers: enter.S */
    struct stage2 memory;
    u64 hcr;                        /* HCR_EL2: its traps change (lesson 5) */
    u64 el1[EL1_REGS];              /* the registers of switch.c's list, in its order */
    u64 lr[LIST_REGS], vmcr, ap1r0; /* the virtual CPU interface */
    bool waiting[INTIDS];
    u64 cntvoff, cntv_ctl, cntv_cval; /* its virtual timer */
    u64 fp[66];                       /* v0 to v31, FPSR, FPCR: fp.S */
    bool sleeps, over;
};

#define ICH_AP1R0_EL2 s3_4_c12_c9_0     /* priorities that are active */
#define CNT_ENABLE    BIT(0)            /* of CNTV_CTL_EL0 */
#define CNT_IMASK     BIT(1)            /* its interrupt is masked */

#define SLICE         6250              /* of the counter: 0.1 ms */

extern struct vm vms[VMS], *current; /* the one whose state the processor holds */

/* switch.c: the processor's state to v, or from v. */
void vm_save(struct vm *v);
void vm_load(const struct vm *v);
/* sched.c: whose turn it is; NULL: all are over. It waits when all sleep. */
struct vm *vm_next(void);
extern bool slice_over; /* the one that runs has had its share */

/* guard.c, fp.S: lesson 10 */
void guards_on(void);
bool guest_read(u64 ipa, u64 size, void *to);
bool guest_raise(u64 intid);
bool guest_unknown(u64 ec); /* is that class to be UNDEFINED for the guest? */
void fp_switch(struct vm *from, const struct vm *to);
void fp_save(u64 fp[66]);
void fp_load(const u64 fp[66]);

#endif
