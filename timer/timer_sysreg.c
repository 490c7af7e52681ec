/*
 * The generic timers' registers (Arm ARM D19.12): counters, CTL, CVAL and TVAL views, and the controls that other
 * registers' traps hang on. Traps are rows of cpu/sysreg/traps.def. ISTATUS and TVAL of a disabled timer, which are
 * UNKNOWN: 0, and the difference as if it were enabled.
 */
#include "cpu/sysreg/hooks.h"

#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "timer/internal.h"

/* Which timer a row's register is: CRm 2 physical, 3 virtual; op1 4 is EL2's (with CRm 5 physical and 4 virtual those
 * of Secure EL2), 7 EL3's, 3 and 5 (EL02) EL1's. EL0 of a host uses EL2's of its security state (CNTP_CTL_EL0 and
 * others, "accessibility"). */
static enum timer timer_of_row(const struct cpu *cpu, const struct sysreg *row)
{
    unsigned op1 = row->key >> 11 & 7;
    unsigned crm = row->key >> 3 & 15;
    bool is_virtual = crm & 1;
    if (op1 == 7)
        return TIMER_CNTPS;
    if (op1 == 4 && crm >= 4)
        return crm == 4 ? TIMER_CNTHVS : TIMER_CNTHPS;
    if (op1 == 3 && cpu->ps.el == 0 && cpu_is_in_host(cpu) && cpu_is_secure_below_el3(cpu))
        return is_virtual ? TIMER_CNTHVS : TIMER_CNTHPS;
    if (op1 == 4 || (op1 == 3 && cpu->ps.el == 0 && cpu_is_in_host(cpu)))
        return is_virtual ? TIMER_CNTHV : TIMER_CNTHP;
    return is_virtual ? TIMER_CNTV : TIMER_CNTP;
}

/* The slice must not run past the next event; nor where a limit of the run cuts it before and it goes on after; nor
 * another PE's slice past it that begins before the machine looks at what is due. */
static void bound_slice(struct cpu *cpu, u64 next)
{
    if (next < cpu->d.deadline || next < cpu->d.slice_end || next < cpu->d.look_at)
        cpu->d.attention |= ATT_LOOK;
}

static void changed(struct cpu *cpu, enum timer t)
{
    u64 now = cpu_now(cpu);
    timer_drive(cpu, t, now);
    bound_slice(cpu, timer_next_change(cpu, t, now));
}

/* ---- Counters ---- */

u64 cntpct_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return cpu_now(cpu) / TIMER_TICK_NS - (cpu->ps.el < 2 ? timer_offset_of_physical(cpu) : 0);
}

/* A host reads the virtual counter without its offset (CNTVCT_EL0). */
u64 cntvct_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return cpu_now(cpu) / TIMER_TICK_NS - (cpu_is_in_host(cpu) ? 0 : timer_offset_of_virtual(cpu));
}

/* Written at the highest implemented EL only. */
bool cntfrq_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)row;
    unsigned highest = cpu_has(cpu, FEAT_EL3) ? 3 : cpu_has(cpu, FEAT_EL2) ? 2 : 1;
    if (!write || cpu->ps.el == highest)
        return true;
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS });
    return false;
}

/* Secure EL1's where there is no Secure EL2, and EL3's (D11.2, CNTPS_CTL_EL1): SCR_EL3.ST is a trap row. */
bool cntps_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)row, (void)write;
    if (cpu->ps.el == 3 || (cpu->ps.el == 1 && cpu_is_secure_below_el3(cpu) && !cpu_el2_enabled(cpu)))
        return true;
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS });
    return false;
}

void cntfrq_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu->sys.cntfrq_el0 = (u32)value;
}

/* ---- The views of a timer ---- */

u64 timer_ctl_read(struct cpu *cpu, const struct sysreg *row)
{
    enum timer t = timer_of_row(cpu, row);
    return *timer_ctl(cpu, t) | (timer_condition(cpu, t, cpu_now(cpu)) ? CTL_ISTATUS : 0);
}

void timer_ctl_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    enum timer t = timer_of_row(cpu, row);
    *timer_ctl(cpu, t) = value & (CTL_ENABLE | CTL_IMASK);
    changed(cpu, t);
}

u64 timer_cval_read(struct cpu *cpu, const struct sysreg *row) { return *timer_cval(cpu, timer_of_row(cpu, row)); }

void timer_cval_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    enum timer t = timer_of_row(cpu, row);
    *timer_cval(cpu, t) = value;
    changed(cpu, t);
}

/* What TVAL counts from: at EL2 and EL3 CNTPOFF_EL2 is left out (D19.12 CNTP_TVAL_EL0). */
static u64 count_of_tval(const struct cpu *cpu, enum timer t)
{
    return timer_count(cpu, t == TIMER_CNTP && cpu->ps.el > 1 ? TIMER_CNTHP : t, cpu_now(cpu));
}

/* D11.2, TimerValue view: a signed 32-bit distance from now. */
u64 timer_tval_read(struct cpu *cpu, const struct sysreg *row)
{
    enum timer t = timer_of_row(cpu, row);
    return (u32)(*timer_cval(cpu, t) - count_of_tval(cpu, t));
}

void timer_tval_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    enum timer t = timer_of_row(cpu, row);
    u64 *cval = timer_cval(cpu, t);
    cpu->written[cval - (u64 *)(void *)&cpu->sys] = 1;
    *cval = count_of_tval(cpu, t) + sext(value & ones(32), 32);
    changed(cpu, t);
}

/* ---- Controls ---- */

/* The edges up to now are those of the old setting. The traps are those of lower ELs, which must be found again; the
 * current EL's set stays. */
static void set_control(struct cpu *cpu, u64 *control, u64 value, u64 stream_bits)
{
    u64 diff = *control ^ value;
    if (diff & stream_bits) {
        timer_poll_events(cpu, cpu_now(cpu));
        cpu->d.attention |= ATT_LOOK;
    }
    if (diff & ~stream_bits)
        for (unsigned el = 0; el < 4; el++)
            if (el != cpu->ps.el)
                cpu->d.live_traps[el] = 0;
    *control = value;
}

/* What of either register the event stream hangs on. */
#define STREAM_BITS (BIT(CNTHCTL_EVNTEN) | BIT(CNTHCTL_EVNTDIR) | FIELD_MASK(CNTHCTL_EVNTI) | BIT(CNTHCTL_EVNTIS))

void cntkctl_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    set_control(cpu, &cpu->sys.cntkctl_el1, value & sysreg_layout_bits(cpu, LAYOUT_CNTKCTL), STREAM_BITS);
}

/* Both formats: <1:0> EL1PCEN, EL1PCTEN, or with E2H EL0VCTEN, EL0PCTEN; <11:8> are used with E2H only, and kept
 * without. */
void cnthctl_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 old = cpu->sys.cnthctl_el2;
    set_control(cpu, &cpu->sys.cnthctl_el2, value & sysreg_layout_bits(cpu, LAYOUT_CNTHCTL), STREAM_BITS);
    if (bit(old ^ cpu->sys.cnthctl_el2, CNTHCTL_ECV))
        changed(cpu, TIMER_CNTP);
}

void cntpoff_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu->sys.cntpoff_el2 = value;
    changed(cpu, TIMER_CNTP);
}

void cntvoff_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    timer_poll_events(cpu, cpu_now(cpu));
    cpu->sys.cntvoff_el2 = value;
    changed(cpu, TIMER_CNTV);
}
