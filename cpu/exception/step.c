/*
 * Debug exceptions: where they are enabled, and the software step state machine (Arm ARM D2.2, D2.12;
 * AArch64.GenerateDebugExceptionsFrom, CheckSoftwareStep, SSAdvance of the shared pseudocode). Breakpoints and
 * watchpoints: cpu/exception/breakpoint.c.
 */
#include "cpu/exception.h"
#include "cpu/field.h"

/* STEP_*: cpu->step_active, what the instruction before did. */
enum { STEP_NONE, STEP_STEPPED, STEP_EXCLUSIVE };

unsigned debug_target(const struct cpu *cpu)
{
    return cpu_el2_enabled(cpu) && (bit(cpu->sys.hcr_el2, HCR_TGE) || bit(cpu->sys.mdcr_el2, MDCR_TDE)) ? 2 : 1;
}

bool debug_enabled_from(const struct cpu *cpu, unsigned el, bool mask)
{
    if (bit(cpu->sys.oslsr_el1, OSLSR_OSLK) || (bit(cpu->sys.osdlr_el1, 0) && !bit(cpu->sys.dbgprcr_el1, 0)))
        return false;
    bool secure = cpu_has(cpu, FEAT_EL3) && (el == 3 || cpu_is_secure_below_el3(cpu));
    if (secure && bit(cpu->sys.mdcr_el3, MDCR_EL3_SDD))
        return false;
    unsigned target = debug_target(cpu);
    return el == target ? bit(cpu->sys.mdscr_el1, MDSCR_KDE) && !mask : target > el;
}

static bool step_enabled(const struct cpu *cpu)
{
    return bit(cpu->sys.mdscr_el1, MDSCR_SS) && debug_enabled_from(cpu, cpu->ps.el, cpu->ps.d);
}

void exception_step_changed(struct cpu *cpu)
{
    u32 stepping = (cpu->d.stepping & ~(u32)STEPPING_GUEST) | (step_enabled(cpu) ? STEPPING_GUEST : 0);
    if (unlikely(stepping != cpu->d.stepping))
        cpu->d.attention |= ATT_ENGINE;
    cpu->d.stepping = stepping;
    if (!(stepping & STEPPING_GUEST))
        cpu->step_active = STEP_NONE;
}

/* ISS: ISV when an instruction was stepped, EX when it was a load-exclusive; IFSC is Debug exception. */
static void take_step(struct cpu *cpu)
{
    u32 iss = 0x22;
    if (cpu->step_active != STEP_NONE)
        iss |= 1u << 24 | (cpu->step_active == STEP_EXCLUSIVE ? 1u << 6 : 0);
    cpu->step_active = STEP_NONE;
    exc_sync(cpu, EC_STEP_LOWER, iss, debug_target(cpu),
             (struct cause){ .kind = CAUSE_STEP, .value = cpu->sys.mdscr_el1 });
    cpu->d.now++;
    exception_take(cpu);
}

bool exception_take_step(struct cpu *cpu)
{
    if (likely(!(cpu->d.stepping & STEPPING_GUEST)))
        return false;
    if (!cpu->ps.ss) {
        take_step(cpu);
        return true;
    }
    cpu->step_active = STEP_STEPPED;
    return false;
}

/* An exception entry clears step_active: what it left in PSTATE.SS stays. */
void exception_step_done(struct cpu *cpu)
{
    if (likely(cpu->step_active != STEP_STEPPED) || !cpu->ps.ss)
        return;
    cpu->ps.ss = 0;
    u32 word;
    if (exc_instruction(cpu, cpu->pc - 4, &word) && insn_is_load_exclusive(word))
        cpu->step_active = STEP_EXCLUSIVE;
}
