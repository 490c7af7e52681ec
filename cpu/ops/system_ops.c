/*
 * Exception-generating instructions, PSTATE.DAIF: rules of the Arm ARM's C6.2 and of AArch64.CallSupervisor,
 * CheckForSMCUndefOrTrap, SoftwareBreakpoint. The board may answer HVC, SMC (PSCI) and HLT
 * (semihosting).
 */
#include "cpu/ops/system_ops.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg/sysreg.h"

enum { INSN_SIZE = 4 };

static bool undefined_insn(struct cpu *cpu)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_UNALLOCATED });
    return false;
}

static bool raise(struct cpu *cpu, unsigned ec, u32 iss, unsigned target, u64 return_offset)
{
    exc_sync(cpu, ec, iss, target, (struct cause){ .kind = CAUSE_INSTRUCTION });
    cpu->d.exc.elr = return_offset;
    return false;
}

/* AArch64.CheckForSVCTrap: the trapped one (HFGITR_EL2) returns to the SVC itself. */
void system_svc(struct cpu *cpu, u32 imm)
{
    unsigned fgt = cpu->ps.el ? FGT_I_SVC_EL1 : FGT_I_SVC_EL0;
    if (likely(!(cpu->d.live_traps[cpu->ps.el] & LIVE(FGT))) || !trap_check_fine(cpu, 0, fgt, false, imm))
        raise(cpu, EC_SVC, imm, exc_default_target(cpu), INSN_SIZE);
}

/* AArch64.SoftwareBreakpoint: MDCR_EL2.TDE routes it like HCR_EL2.TGE. */
void system_brk(struct cpu *cpu, u32 imm)
{
    bool tde = cpu->ps.el < 2 && cpu_el2_enabled(cpu) && bit(cpu->sys.mdcr_el2, MDCR_TDE);
    raise(cpu, EC_BRK, imm, tde ? 2 : exc_default_target(cpu), 0);
}

static enum board_answer board_call(struct cpu *cpu, unsigned ec, u32 imm)
{
    return cpu->d.host.call ? cpu->d.host.call(cpu, ec, imm) : BOARD_LEAVES;
}

bool system_hvc(struct cpu *cpu, u32 imm)
{
    if (cpu->ps.el != 0 && board_call(cpu, EC_HVC, imm))
        return true;
    bool el3 = cpu_has(cpu, FEAT_EL3);
    if (!cpu_has(cpu, FEAT_EL2) || cpu->ps.el == 0 || (cpu->ps.el == 1 && !cpu_el2_enabled(cpu)))
        return undefined_insn(cpu);
    if (el3 ? !bit(cpu->sys.scr_el3, SCR_HCE) : bit(cpu->sys.hcr_el2, HCR_HCD))
        return undefined_insn(cpu);
    return raise(cpu, EC_HVC, imm, cpu->ps.el == 3 ? 3 : 2, INSN_SIZE);
}

/* HCR_EL2.TSC traps before SCR_EL3.SMD makes it UNDEFINED, and where there is no EL3 (a choice: PSCI may sit there). */
bool system_smc(struct cpu *cpu, u32 imm)
{
    if (cpu->ps.el == 0)
        return undefined_insn(cpu);
    if (cpu->d.live_traps[cpu->ps.el] & LIVE(TSC) && trap_check(cpu, T(TSC), false, imm))
        return false;
    if (board_call(cpu, EC_SMC, imm))
        return true;
    if (!cpu_has(cpu, FEAT_EL3) || bit(cpu->sys.scr_el3, SCR_SMD))
        return undefined_insn(cpu);
    return raise(cpu, EC_SMC, imm, 3, INSN_SIZE);
}

/* Halting debug is never allowed: UNDEFINED, but for semihosting. */
enum wait_outcome system_hlt(struct cpu *cpu, u32 imm)
{
    switch (board_call(cpu, EC_UNKNOWN, imm)) {
    case BOARD_ANSWERED: return WAIT_DONE;
    case BOARD_AGAIN: return WAIT_AGAIN;
    default: undefined_insn(cpu); return WAIT_TRAPPED;
    }
}

u64 system_elr(const struct cpu *cpu)
{
    return cpu->ps.el == 1 ? cpu->sys.elr_el1 : cpu->ps.el == 2 ? cpu->sys.elr_el2 : cpu->sys.elr_el3;
}

void system_eret_to(struct cpu *cpu, u64 elr)
{
    u64 spsr = cpu->ps.el == 1 ? cpu->sys.spsr_el1 : cpu->ps.el == 2 ? cpu->sys.spsr_el2 : cpu->sys.spsr_el3;
    exception_return(cpu, elr, spsr);
}

void system_eret(struct cpu *cpu) { system_eret_to(cpu, system_elr(cpu)); }

void system_sev(struct cpu *cpu)
{
    cpu->event = 1;
    for (u32 n = 0; n < cpu->d.host.cpu_count; n++) {
        cpu->d.host.cpus[n].event = 1;
        cpu_may_run(&cpu->d.host.cpus[n]);
    }
}

/* HCRX_EL2.TALLINT traps the setting only. */
bool system_allint(struct cpu *cpu, bool mask)
{
    if (mask && cpu->d.live_traps[cpu->ps.el] & LIVE(TALLINT) &&
        trap_check(cpu, T(TALLINT), true, sysreg_iss(SYSREG_KEY(0, 1, 4, 1, 0), 31, true)))
        return false;
    cpu_set_allint(cpu, mask);
    return true;
}

/* At EL0 SCTLR_ELx.UMA decides. The syndrome is that of MSR (immediate): op0 0, CRn 4, Rt 31. */
bool system_daif(struct cpu *cpu, u32 imm, bool set)
{
    if (cpu->d.live_traps[cpu->ps.el] & LIVE(UMA) &&
        trap_check(cpu, T(UMA), true, sysreg_iss(SYSREG_KEY(0, 3, 4, imm, set ? 6 : 7), 31, true)))
        return false;
    u32 daif = (u32)(cpu->ps.d << 3 | cpu->ps.a << 2 | cpu->ps.i << 1 | cpu->ps.f);
    cpu_set_daif(cpu, set ? daif | imm : daif & ~imm);
    return true;
}
