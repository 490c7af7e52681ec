/*
 * Exceptions: making them, routing them, taking them, returning from them (Arm ARM D1.3, AArch64.TakeException and
 * friends of the shared pseudocode). What failed is decided elsewhere; who hears of it is decided here.
 */
#ifndef CPU_EXCEPTION_H
#define CPU_EXCEPTION_H

#include "cpu/el.h"

/* Exception classes (ESR_ELx.EC, D19.2.37): EC_*. */
enum {
#define EC(name, number, words, iss) EC_##name = number,
#include "cpu/ec.def"
};

#define ISS_COND_AL 0x1e00000u /* CV and COND of the WFx and FP traps, from A64: always */

/* Each fills cpu->d.exc for the instruction being executed, which ELR will point to; the handler then RAISEs. */
void exc_undefined(struct cpu *cpu, struct cause cause); /* EC 0 */
void exc_sync(struct cpu *cpu, unsigned ec, u32 iss, unsigned target_el, struct cause cause);
/* The EL that takes a synchronous exception from the current EL when nothing else claims it (EL1, or EL2 by TGE, or the
 * same EL when higher). */
unsigned exc_default_target(const struct cpu *cpu);
/* An abort found by mmu/: fsc and the rest of the ISS as the fault says, stage 2 or not. Chooses EC and target EL. */
struct fault;
void exc_abort(struct cpu *cpu, const struct fault *fault, u64 va, unsigned acc_flags);

/* Called by the engines (cpu/engine/run.c, threaded.c, stepping.c); cpu->pc is the instruction. */
void exc_fetch_state(struct cpu *cpu);          /* PC alignment fault, else Illegal Execution state (D1.3.5 order) */
void exc_fetch_external_abort(struct cpu *cpu); /* synchronous external abort on instruction fetch */
void exc_sp_alignment(struct cpu *cpu);         /* EC_SP_ALIGN */
void exc_fp_access_trap(struct cpu *cpu);       /* CheckFPAdvSIMDEnabled64: which of CPACR, CPTR_EL2, CPTR_EL3 traps */
/* Software step (D2.12): takes a pending step exception before the instruction at cpu->pc (true), and moves the state
 * machine on after an instruction was executed. Both return at once when step is not enabled. */
bool exception_take_step(struct cpu *cpu);
void exception_step_done(struct cpu *cpu);

/* Takes cpu->d.exc with cpu->pc as the address of the instruction: adds it to elr, and the instruction syndrome (ISV
 * and friends), sets SPSR, ELR, ESR, FAR, HPFAR, PSTATE, PC. */
void exception_take(struct cpu *cpu);
/* The vector that an exception goes to, as the PE is before it is taken (D1.3.1.5). */
u64 exception_vector(const struct cpu *cpu, const struct exc *e);
/* Takes a pending interrupt or SError if one is unmasked (D1.3.6). True when taken; cpu->pc is the vector then. */
bool exception_take_interrupt(struct cpu *cpu);
/* Would it take one? */
bool exception_interrupt_pending(const struct cpu *cpu);
/* What sent an interrupt where it went (D1.3.6.1): SCR_EL3.{IRQ, FIQ, EA}, HCR_EL2.TGE, HCR_EL2.{IMO, FMO, AMO}; to
 * EL1: the last that is 0, or no EL2, or none for Secure state. Of a virtual one, which HCR_EL2.{IMO, FMO, AMO} gives
 * to EL1, what makes it pending: HCR_EL2.{VI, VF, VSE}, or a list register (gic_source knows: or a virtual LPI). */
enum exc_by { BY_NONE, BY_SCR, BY_TGE, BY_HCR, BY_HCR_CLEAR, BY_NO_EL2, BY_NO_SECURE_EL2, BY_PENDING, BY_LIST, BY_VLPI };
/* Which interrupt it was, for those who look in (gic_source knows): by whom; its INTID, of a virtual one the number of
 * its list register, -1: none. Of other exceptions BY_NONE. */
struct exc_source {
    u32 by; /* enum exc_by */
    s32 intid, lr;
};
/* cpu is as before the exception. */
enum exc_by exception_routed_by(const struct cpu *cpu, const struct exc *exc);
/* For those who look in: the EL that a physical interrupt of a kind (EXC_IRQ, EXC_FIQ) would go to, and whether it
 * would have to wait where the PE is; whether a virtual one would be masked at EL1. */
unsigned exception_target(const struct cpu *cpu, unsigned kind, bool *waits);
bool exception_virtual_waits(const struct cpu *cpu, unsigned kind);
/* ESB: a masked SError that is pending is noted in DISR_EL1 (a virtual one in VDISR_EL2), and no longer pending. */
void exception_esb(struct cpu *cpu);
/* A syndrome that someone wants for an SError, as this PE can report it: what is RES0 in ESR_ELx.ISS is 0. ISS.IESB is
 * not his to say. */
u32 exception_serror_iss(const struct cpu *cpu, u32 iss);
/* The implicit error synchronization event at the entry to this EL, and before ERET from it: where SCTLR_ELx.IESB or
 * SCR_EL3.NMEA ask for it, takes a physical SError that is pending and not masked. True when taken. */
bool exception_sync_errors(struct cpu *cpu);
/* Is there something that ends WFI? (any pending input of this PE, masked by PSTATE or not) */
bool exception_wakes(const struct cpu *cpu);
/* ERET: restores PSTATE from SPSR, PC from ELR (illegal returns included). */
void exception_return(struct cpu *cpu, u64 elr, u64 spsr);
/* PSTATE as a SPSR value. */
u64 cpu_spsr(const struct cpu *cpu);
/* PSTATE.DAIF, D in bit 3: what becomes unmasked is looked at, software step follows D. */
void cpu_set_daif(struct cpu *cpu, unsigned daif);
/* PSTATE.SP, which SCTLR_ELx.SPINTMASK makes a mask, and PSTATE.ALLINT, likewise (FEAT_NMI). */
void cpu_set_spsel(struct cpu *cpu, unsigned sp);
void cpu_set_allint(struct cpu *cpu, bool mask);
/* Software step may have become live or dead: sets d.stepping<0>. */
void exception_step_changed(struct cpu *cpu);
static inline void cpu_update_stepping(struct cpu *cpu)
{
    if (unlikely(bit(cpu->sys.mdscr_el1, MDSCR_SS) || cpu->step_active || cpu->d.stepping & STEPPING_GUEST))
        exception_step_changed(cpu);
}
/* AArch64.GenerateDebugExceptionsFrom: may debug exceptions be taken from `el` with PSTATE.D as given? */
bool debug_enabled_from(const struct cpu *cpu, unsigned el, bool mask);
/* The EL that debug exceptions are routed to (DebugTarget). */
unsigned debug_target(const struct cpu *cpu);

/* Breakpoints and watchpoints (cpu/exception/breakpoint.c). A debug register, the OS lock or MDSCR_EL1.MDE may have
 * changed: finds the enabled ones, and drops what is derived when they are others than before. */
void breakpoint_changed(struct cpu *cpu);
/* While d.breakpoints: can one match in the page (4 KiB) at va? Does one match at cpu->pc: true, the exception is in
 * d.exc. */
bool breakpoint_in_page(const struct cpu *cpu, u64 va);
bool breakpoint_hit(struct cpu *cpu);
/* While d.watchpoints: is a byte of the page at va watched? Does one match an access (ACC_* flags; el0: with EL0's
 * rights) that is permitted: true, the exception is in d.exc. */
bool watchpoint_in_page(const struct cpu *cpu, u64 va);
bool watchpoint_hit(struct cpu *cpu, u64 va, unsigned size, unsigned flags, bool el0);
/* The word of the instruction at va, from the fetch page; false: not there. And the ISS<24:14> of a load or store. */
bool exc_instruction(const struct cpu *cpu, u64 va, u32 *word);
u32 iss_instruction(u32 word);
bool insn_is_load_exclusive(u32 word);
/* Sets PSTATE.EL and SP, banks SP, and tells whom the security state matters to (security_changed). Whatever else hangs
 * on the EL is the caller's to have found again (cpu_control_changed). */
void cpu_set_el_sp(struct cpu *cpu, unsigned el, unsigned sp);

/* A control register that decides traps, FP access, software step or routing was written, or the EL changed: forgets
 * d.live_traps, finds d.fp_trapped, sp_check, stepping and attention again, and calls mmu_context_changed. */
void cpu_control_changed(struct cpu *cpu);
/* The same for a register that translation does not depend on. */
void cpu_traps_changed(struct cpu *cpu);

/* Cold or warm reset of one PE, entry state as the board says afterwards. */
void cpu_reset(struct cpu *cpu);

#endif
