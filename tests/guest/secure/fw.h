/* A small firmware for EL3, in the first bank of flash, which is Secure on `-M virt,secure=on`: it sets the GIC up for
 * two security states, starts the program that the firmware configuration device has (-kernel) at Non-secure EL2, and
 * then serves: the SMC Calling Convention (Arm DEN0028), PSCI (DEN0022), a payload at Secure EL1, Secure interrupts.
 *
 *     0x00000000   flash      fw.S at its start, code and constants; executed there
 *     0x0e000000   Secure RAM its data and stacks
 *     0x0e100000              the payload (payload.S, payload.c), copied there from flash
 *     0x09040000   the Secure PL011, which says what the firmware does
 *     0x090b0000   the Secure PL061: line 0 powers off, line 1 resets
 *
 * Left out: translation at EL3, power-down suspend, more than one call of the payload at once on a PE. Every function
 * identifier here is the program's, too: tests/guest/secure_boot.c. */
#ifndef FW_H
#define FW_H

#define FW_CPUS       8
#define FW_RAM        0x0e000000
#define FW_STACK      0x1000             /* of each PE at EL3 */
#define PAYLOAD       0x0e100000         /* entered here for a call, an instruction later for an interrupt */
#define PAYLOAD_ROOM  0x20000
#define SECURE_UART   0x09040000
#define SECURE_GPIO   0x090b0000
#define SECURE_TIMER  29                 /* Group 0: EL3's */
#define SECURE_SGI    8                  /* Secure Group 1: the payload's */
#define SECURE_SPI    40                 /* Group 0: the Secure PL011 */

/* Function identifiers (DEN0028 2.5). */
#define SMCCC_VERSION       0x80000000
#define SMCCC_ARCH_FEATURES 0x80000001
#define SIP_BOOTS           0xc2000000   /* how often the machine was started */
#define SIP_TIMER           0xc2000001   /* the Secure timer in x1 ticks */
#define SIP_INTERRUPTS      0xc2000002   /* how often EL3 took INTID x1; x1: the EL that ran then */
#define SIP_SGI             0xc2000003   /* makes the payload's SGI pending */
#define SIP_UART            0xc2000004   /* a character and an interrupt of the Secure PL011 */
#define TOS_FIRST           0xf2000000   /* the payload's */
#define TOS_INFO            0xf2000000   /* its EL */
#define TOS_ADD             0xf2000001   /* adds x1 to its counter, which it returns */
#define TOS_SPIN            0xf2000002   /* works for x1 ticks */
#define TOS_SGIS            0xf2000003   /* how many of its SGIs it took */
#define TOS_LAST            0xf200000f
#define TOS_RESUME          0xf2000010   /* goes on with a call that an interrupt stopped */
#define TOS_DONE            0xf2000011   /* from Secure EL1 alone: x1 is the result */
#define NOT_SUPPORTED       (-1)
#define SMC_BUSY            (-2)         /* a stopped call must be resumed first */
#define SMC_PREEMPTED       1            /* a Non-secure interrupt stopped the call */
#endif
