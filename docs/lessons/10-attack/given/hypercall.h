/* What a guest may ask for by HVC: x0 is the number, x1 an argument; x0 the answer. Hypervisor and guest read this. */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#define CALL_PUT      1                 /* x1: a character for the console */
#define CALL_DOUBLE   2                 /* x1: a number; the answer is twice that */
#define CALL_RAISE    3                 /* x1: an INTID from 41 to 47, which is to be pending */
#define CALL_SAY      5                 /* x1: the IPA of a text, x2: its length, 64 at most */
#define CALL_UNKNOWN  (-1ul)            /* the answer to any other number */

/* PSCI (Arm DEN 0022), which a guest calls by SMC, as on a board. */
#define PSCI_SYSTEM_OFF 0x84000008u

#endif
