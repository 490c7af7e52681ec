/* A host at EL2 with programs of its own at EL0 (FEAT_VHE), of which one asks for a guest to run. */
#ifndef VHE_H
#define VHE_H

#include "stage2.h"

#define HCR_TGE   BIT(27)               /* EL0 is the host's: what it does comes to EL2, and EL1 is not there */
#define HCR_E2H   BIT(34)               /* EL2 is a host: two privilege levels, and EL1's names mean EL2's registers */

/* The guest's registers, by the names that a host has for them. */
#define SCTLR_EL12 s3_5_c1_c0_0
#define CPACR_EL12 s3_5_c1_c0_2
#define VBAR_EL12  s3_5_c12_c0_0

#define USER_BASE 0x100000000ul         /* where the program finds itself */
extern char user_program[]; /* user.S: one page */

#define EC_SVC    0x15
/* What the program may ask for: SVC #N. */
#define SYS_EXIT  0
#define SYS_WRITE 1                     /* x0: a character */
#define SYS_RUN   2                     /* runs the guest until there is something for the program: x0 is what, x1 more about it */
#define RUN_PUT   1                     /* the guest wants to write the character x1 */
#define RUN_OVER  2                     /* the guest is over */

/* vhe.c */
void vhe_on(void);
void guest_init(struct vcpu *v, u64 entry);
void guest_world(void); /* HCR_EL2 for the guest, ... */
void host_world(void);  /* ... and for the host and its programs */
/* run.c: the guest runs until there is something that only the program can do; the answer is in its x0 and x1. */
void run(struct vcpu *guest, struct vcpu *user);

#endif
