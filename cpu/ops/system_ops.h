/* What the instructions of cpu/insn/system.def decide, once for both engines. False: an exception is in cpu->d.exc. */
#ifndef CPU_SYSTEM_OPS_H
#define CPU_SYSTEM_OPS_H

#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "cpu/ops/wait.h"

void system_svc(struct cpu *cpu, u32 imm);
void system_brk(struct cpu *cpu, u32 imm);
bool system_hvc(struct cpu *cpu, u32 imm);
bool system_smc(struct cpu *cpu, u32 imm);
enum wait_outcome system_hlt(struct cpu *cpu, u32 imm);
void system_eret(struct cpu *cpu);
/* ELR_ELx of this EL, and ERET to another address (ERETAA). */
u64 system_elr(const struct cpu *cpu);
void system_eret_to(struct cpu *cpu, u64 elr);
/* AArch64.CheckForERetTrap: HCR_EL2.NV or HFGITR_EL2.ERET sends EL1's to EL2, before anything is authenticated. iss:
 * 0 ERET, 2 ERETAA, 3 ERETAB. */
static inline bool system_eret_trapped(struct cpu *cpu, u32 iss)
{
    return (unlikely(cpu->ps.el == 1 && cpu_nvx(cpu)) && trap_check_lone(cpu, LONE_NV_ERET, false, iss)) ||
           (unlikely(cpu->d.live_traps[cpu->ps.el] & LIVE(FGT)) && trap_check_fine(cpu, 0, FGT_I_ERET, false, iss));
}
void system_sev(struct cpu *cpu);
/* MSR ALLINT, #imm. */
bool system_allint(struct cpu *cpu, bool mask);
/* DAIFSet, DAIFClr; DAIF in imm, D in bit 3. */
bool system_daif(struct cpu *cpu, u32 imm, bool set);

#endif
