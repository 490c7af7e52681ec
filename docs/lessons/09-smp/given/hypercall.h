/* What a guest may ask for by HVC: x0 is the number, x1 an argument; x0 the answer. Hypervisor and guest read this. */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#define CALL_PUT      1                 /* x1: a character for the console */
#define CALL_DOUBLE   2                 /* x1: a number; the answer is twice that */
#define CALL_RAISE    3                 /* x1: how many interrupts are to be pending at once, from INTID 41 on */
#define CALL_SWAP     4                 /* x1: an IPA; the page there is replaced by one whose first word is 2 */
#define CALL_UNKNOWN  (-1ul)            /* the answer to any other number */

/* PSCI (Arm DEN 0022), which a guest calls by SMC, as on a board. */
#define PSCI_VERSION    0x84000000u
#define PSCI_CPU_OFF    0x84000002u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_CPU_ON     0xc4000003u     /* x1: which CPU, as its MPIDR_EL1; x2: where it begins; x3: its x0 */
#define PSCI_SUCCESS            0
#define PSCI_NOT_SUPPORTED      (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON         (-4)

#endif
