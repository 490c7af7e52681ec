/* System registers that trap: what the syndrome says, and what the guest is told. */
#ifndef SYSREG_H
#define SYSREG_H

#include "vcpu.h"

#define EC_SYSREG 0x18

/* ISS of class 0x18 (Arm ARM, ESR_EL2):
 *
 *     21  20 19  17 16  14 13  10 9   5 4   1   0
 *     | Op0 | Op2  | Op1  | CRn  | Rt  | CRm |read|
 *
 * A register's name is five numbers; here they stand where the ISS has them. */
#define SYSREG(op0, op1, crn, crm, op2) ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define ISS_NAME(iss) ((iss) & SYSREG(3u, 7u, 15u, 15u, 7u))
#define ISS_RT(iss)   FIELD(iss, 9, 5)  /* 31 is XZR: reads are lost, writes are 0 */
#define ISS_READ      BIT(0)            /* MRS */

#define NAME_MAIR_EL1         SYSREG(3, 0, 10, 2, 0)
#define NAME_SCTLR_EL1        SYSREG(3, 0, 1, 0, 0)
#define NAME_TTBR0_EL1        SYSREG(3, 0, 2, 0, 0)
#define NAME_TCR_EL1          SYSREG(3, 0, 2, 0, 2)
#define NAME_ID_AA64PFR0_EL1  SYSREG(3, 0, 0, 4, 0)
#define NAME_ID_AA64DFR0_EL1  SYSREG(3, 0, 0, 5, 0)
#define NAME_ID_AA64MMFR0_EL1 SYSREG(3, 0, 0, 7, 0)

#define HCR_TID3 BIT(18)                /* reads of ID registers trap */
#define HCR_TVM  BIT(26)                /* writes of what controls stage 1 trap */
#define MDCR_TPM BIT(6)                 /* the performance monitors trap */

/* What the guest is to take for its processor: MIDR_EL1, which never traps, shows VPIDR_EL2. */
#define GUEST_MIDR 0x65000010ul

/* sysreg.c */
void traps_on(void);
/* A trapped MRS or MSR: done in the guest's place, or UNDEFINED there. */
void guest_sysreg(struct vcpu *v);
/* The guest takes an exception of class "unknown" at its own vectors, as if the instruction did not exist. */
void inject_undefined(struct vcpu *v);

#endif
