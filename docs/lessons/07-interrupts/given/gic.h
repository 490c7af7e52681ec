/* The interrupt controller, a GICv3 (Arm IHI 0069): what the hypervisor uses of it, and the interface that a guest
 * gets. */
#ifndef GIC_H
#define GIC_H

#include "vcpu.h"

/* The CPU interface. At EL2 these are the physical one; at EL1, under HCR_EL2.IMO, the virtual one. */
#define ICC_PMR_EL1     s3_0_c4_c6_0    /* only what has a priority below this is taken */
#define ICC_IAR1_EL1    s3_0_c12_c12_0  /* read: takes the interrupt, gives its INTID */
#define ICC_EOIR1_EL1   s3_0_c12_c12_1  /* write that INTID: it was handled */
#define ICC_CTLR_EL1    s3_0_c12_c12_4
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7
#define ICC_SRE_EL2     s3_4_c12_c9_5
#define SPURIOUS        1023            /* of ICC_IAR1_EL1: there is none */

/* The hypervisor's side of the virtual one. */
#define ICH_HCR_EL2     s3_4_c12_c11_0
#define ICH_VTR_EL2     s3_4_c12_c11_1  /* bits 4 to 0: how many list registers there are, less one */
#define ICH_MISR_EL2    s3_4_c12_c11_2  /* why there is a maintenance interrupt */
#define ICH_ELRSR_EL2   s3_4_c12_c11_5  /* a bit for each list register that holds nothing */
#define ICH_VMCR_EL2    s3_4_c12_c11_7  /* what the guest wrote to its PMR, IGRPEN1... */
#define ICH_HCR_EN      BIT(0)
#define ICH_HCR_UIE     BIT(1)          /* maintenance interrupt when one list register, or none, is in use */

/* A list register: an interrupt that the guest is to have.
 *
 *     63 62  61  60   59    56 55      48 47  45 44      32 31      0
 *     |state|HW|group|        | priority |      | pINTID   | vINTID |  */
#define LR_PENDING      (1ul << 62)
#define LR_GROUP1       BIT(60)         /* an IRQ; group 0 is an FIQ */
#define LR_PRIORITY(p)  ((u64)(p) << 48)
/* The list registers, by number: they have names only. gic.c */
u64 lr_read(unsigned n);
void lr_write(unsigned n, u64 value);
/* gic.c: the distributor, this CPU's redistributor and interface; before EL2's translation, which does not have them.
 */
void gic_init(void);
void gic_cpu_init(void); /* without the distributor: for other CPUs */

#define INTID_KICK        1             /* an SGI, from one CPU of ours to another: lesson 9 */
#define INTID_MAINTENANCE 25            /* PPI 9 */
#define INTID_EL2_TIMER   26            /* PPI 10 */
#define INTID_VTIMER      27            /* PPI 11: the guest's timer, from lesson 8 on */
#define TICK_INTERVAL     62500         /* of the counter: 1 ms */

/* What the guest hears of. */
#define VIRQ_TICK         40            /* every TICK_INTERVAL */
#define VIRQ_FIRST        41            /* CALL_RAISE */

#define HCR_IMO BIT(4)                  /* physical IRQs are EL2's; the guest has a virtual interface */

#define INTIDS 64                       /* that a guest has */
/* main.c: of the guest's CPU that runs: raised, and in no list register yet. */
bool *waiting_here(void);
#define virq_waiting (waiting_here())

/* vgic.c */
void vgic_on(void);
void virq_raise(u32 intid);
void list_fill(void);

/* irq.c: EL2's next tick; an exit by IRQ; the guest's WFI */
void timer_next(void);
void irq_taken(void);
void guest_waits(void);

#endif
