/* A virtual CPU: what a guest's processor holds while the guest does not run. C and assembly read this. */
#ifndef VCPU_H
#define VCPU_H

/* offsets in struct vcpu */
#define VCPU_PC     248
#define VCPU_PSTATE 256
#define VCPU_ESR    264
#define VCPU_FAR    272
#define VCPU_HPFAR  280

/* what guest_enter gives: the kind of exception that ended the stay */
#define EXIT_SYNC   0
#define EXIT_IRQ    1
#define EXIT_FIQ    2
#define EXIT_SERROR 3

#ifndef __ASSEMBLER__
#include "lib.h"

struct vcpu {
    u64 x[31];
    u64 pc, pstate;
    u64 esr, far, hpfar; /* of the last exit */
    u64 exits;           /* so far */
};
_Static_assert(offsetof(struct vcpu, pc) == VCPU_PC && offsetof(struct vcpu, hpfar) == VCPU_HPFAR,
               "as assembly knows it");

#define HCR_TWI BIT(13)                 /* WFI traps to EL2 */
#define HCR_TSC BIT(19)                 /* SMC traps */
#define HCR_RW  BIT(31)                 /* EL1 is AArch64 */

#define EC_WFX  0x01
#define EC_HVC  0x16
#define EC_SMC  0x17

/* vcpu.c: a guest's CPU as it is at reset, about to begin at `entry`. */
void vcpu_init(struct vcpu *v, u64 entry);
/* enter.S: the guest runs, until something needs EL2. EXIT_*. */
u64 guest_enter(struct vcpu *v);
/* exits.c: does what the exit asks for. False: the guest is over. */
bool guest_exit(struct vcpu *v, u64 kind);
/* load.c: the guest's image to its RAM. */
void guest_load(u64 to);
#endif
#endif
