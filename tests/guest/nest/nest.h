/* A hypervisor under a hypervisor (FEAT_NV2): shared declarations.
 *
 * L0, this program, runs at EL2. Its only guest, L1, is a hypervisor that believes to be at EL2, and runs at EL1; its
 * guests are L2. L1 is the demo hypervisor of ../demo, the same binary that `make run` starts; or, where the boot
 * loader has put an arm64 Image and a device tree into memory, that: Linux with KVM, Xen
 * (tests/images/check.sh).
 *
 * Read in this order: main.c (what is set up, who runs), traps.c (what L1 does that only EL2 can), world.c (from L1 to
 * L2 and back), shadow.c (what L2 can reach). entry.S, stage2.c, console.c and stats.c are the demo's own.
 *
 * One CPU. L1 has the devices and the interrupts of the machine for itself, and sees its memory where it is, up to
 * where L0's program lies. L0 needs nothing but the memory and EL2.
 */
#ifndef NEST_H
#define NEST_H

#include "../demo/hyp.h"

#define L1_RAM     0x40000000ul
#define L1_RAM_END ((u64)_start & ~0x1ffffful)
#define L1_ENTRY   0x40200000ul
extern u8 _start[];

/* Rows of the demo's table of guests, here for the two levels. */
enum { L1 = CLOSED, L2 = OPEN };

#define HCR_VM  BIT(0)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_AMO BIT(5)
#define HCR_DC  BIT(12)
#define HCR_TSC BIT(19)
#define HCR_TTLB BIT(25)
#define HCR_TGE BIT(27)
#define HCR_RW  BIT(31)
#define HCR_E2H BIT(34)
#define HCR_NV  BIT(42)
#define HCR_NV1 BIT(43)
#define HCR_AT  BIT(44)
#define HCR_NV2 BIT(45)

#define PSTATE_EL1H 0x3c5ul             /* EL1, its own stack pointer, all interrupts masked */

/* What L1 wrote to registers of EL2 that the hardware does not put into memory: each write is trapped. */
struct vel2 {
    u64 sctlr, tcr, ttbr0, mair, vbar; /* in the registers of EL1 while L1 runs */
    u64 cptr, cnthctl, mdcr;           /* in those of EL2 while L2 runs */
    u64 hpfar, misr;
    u64 sp, esr, far; /* SP_EL2, ESR_EL2, FAR_EL2: in those of EL1 while L1 runs */
    u64 actlr, hacr, afsr0, afsr1, amair;
    u64 cntkctl_el12; /* of L2, where L1 has VHE */
};
extern struct vel2 vel2;
extern struct vcpu vcpu; /* general registers, PC and PSTATE of the level that runs */
extern bool in_l2;
extern u32 entries, exits; /* from L1 to L2, and back */
/* L1 has set HCR_EL2.E2H: the EL1 names are its own registers (HCR_EL2.NV1 0), _EL12 and _EL02 its guests', and EL0
 * under HCR_EL2.TGE is part of it. */
extern bool vhe;

/* VNCR_EL2's page: where L1's accesses to these go by themselves. Doublewords by the offsets of Arm ARM D8.11. */
extern u64 vncr[512];
#define VNCR(offset) (vncr[(offset) / 8])
enum {
    VNCR_VTTBR = 0x020, VNCR_VTCR = 0x040, VNCR_VMPIDR = 0x050, VNCR_CNTVOFF = 0x060, VNCR_HCR = 0x078,
    VNCR_VPIDR = 0x088, VNCR_ICH_LR0 = 0x400, VNCR_ICH_HCR = 0x4c0,
};

/* world.c */
void l1_load(void);
bool l1_became_host(void);  /* true: just now, and what it did is to be done again */
void l1_timers(void);       /* L2's timers, as L1 has left them in VNCR_EL2's page */
void l1_at(u32 op, u64 va); /* AT S1E1R and its kin, for L2's translations */
void l1_eret(void);         /* ERET of L1: to L2, or within L1 */
void l2_exit(u64 reason);   /* L2 left: L0's business, or L1's */

/* traps.c */
void l1_exit(u64 reason);
void firmware_call(const struct guest *g); /* SMC of L1, or of an L2 whose SMC L1 does not trap */

/* shadow.c: stage 2 for L2, made of L1's table when L2 first needs an address */
void shadow_activate(void);
void shadow_drop(void); /* L1 invalidated translations of its guests */
/* 0: mapped, L2 may try again; else the fault status that L1's own table gives. */
u64 shadow_fault(u64 ipa, bool write, bool fetch);
void stage2_of_l1(u64 vmid); /* L1's own addresses are what is translated */

/* main.c */
bool l1_has(u64 pa);
_Noreturn void nest_end(bool good, const char *why);
#endif
