/*
 * WFI, WFE and their forms with a time-out: when they wait, when they trap, and how long the trap is delayed (Arm ARM
 * D1.6, C6.2 WFET; AArch64.CheckForWFxTrap, WFETrapDelay, LocalTimeoutEvent of the shared pseudocode; FEAT_WFxT,
 * FEAT_TWED).
 *
 * A delayed trap (SCTLR_ELx, HCR_EL2 or SCR_EL3.TWEDEn) waits for an event first: the PE sleeps and executes the WFE
 * again, until an event came or the delay is over. A cycle is an instruction, 1 ns. Software step takes the trap at
 * once.
 */
#include "cpu/ops/wait.h"

#include "cpu/exception.h"
#include "cpu/observer.h"
#include "cpu/sysreg/sysreg.h"

enum { TICK_NS = 16 }; /* of the system counter: 62.5 MHz */

/* How long the trap that was found waits for an event; 0: not at all. */
static u64 trap_delay(const struct cpu *cpu)
{
    static const struct {
        u16 offset;
        u8 enable, lsb;
    } delays[] = {
        { offsetof(struct sysregs, sctlr_el1), 45, 46 },
        { offsetof(struct sysregs, sctlr_el2), 45, 46 },
        { offsetof(struct sysregs, hcr_el2), 59, 60 },
        { offsetof(struct sysregs, scr_el3), 29, 30 },
    };
    const struct trap_row *t = trap_get(cpu->d.exc.cause.id);
    for (unsigned n = 0; n < ARRAY_LEN(delays) && cpu_has(cpu, FEAT_TWED); n++) {
        u64 control = load_le64((const u8 *)&cpu->sys + delays[n].offset);
        if (t->offset == delays[n].offset && bit(control, delays[n].enable))
            return BIT(bits(control, delays[n].lsb + 3u, delays[n].lsb) + 8);
    }
    return 0;
}

static void sleep_until(struct cpu *cpu, u32 halt, u64 wake_at)
{
    cpu->halted = halt;
    cpu->wake_at = wake_at;
    cpu->d.attention |= ATT_TURN | (wake_at != ~(u64)0 ? ATT_LOOK : cpu->yields & ATT_LOOK);
    cpu_tell_halted(cpu);
}

/* The trap of a WFE: now, or after its delay. */
static enum wait_outcome trapped(struct cpu *cpu, bool wfe)
{
    u64 now = cpu_now(cpu), delay = wfe ? trap_delay(cpu) : 0;
    if (!delay || cpu->d.stepping & STEPPING_GUEST || (cpu->trap_at && now >= cpu->trap_at))
        return WAIT_TRAPPED;
    if (!cpu->trap_at)
        cpu->trap_at = now + delay;
    sleep_until(cpu, HALT_WFE, cpu->trap_at);
    return WAIT_AGAIN;
}

/* ns from when on the virtual counter, as CNTVCT_EL0 reads here, is at the threshold; now or before: it is. */
static u64 time_out(struct cpu *cpu, u64 threshold)
{
    u64 count = sysreg_peek(cpu, sysreg_find(SYSREG_KEY(3, 3, 14, 0, 2))), ticks = threshold - count;
    u64 from = cpu_now(cpu) - cpu_now(cpu) % TICK_NS;
    if (count >= threshold)
        return 0;
    return ticks > (~(u64)0 - from) / TICK_NS ? ~(u64)0 : from + ticks * TICK_NS;
}

enum wait_outcome wait_here(struct cpu *cpu, enum wait_kind kind, u64 threshold, u32 iss)
{
    bool wfe = kind & 1;
    u64 wake_at = kind & WAIT_TIMED ? time_out(cpu, threshold) : ~(u64)0;
    u128 group = wfe ? T(WFE) : T(WFI);
    if (wfe ? cpu->event : exception_wakes(cpu)) {
        if (wfe)
            wait_passes(cpu);
        cpu->trap_at = 0;
        return WAIT_DONE;
    }
    if (wake_at == 0) {
        cpu->d.attention |= cpu->yields;
        return WAIT_DONE;
    }
    if (cpu->d.live_traps[cpu->ps.el] & LIVE_SET(group) && trap_check(cpu, group, false, iss | (u32)kind))
        return trapped(cpu, wfe);
    if (!exception_wakes(cpu))
        sleep_until(cpu, wfe ? HALT_WFE : HALT_WFI, wake_at);
    return WAIT_DONE;
}
