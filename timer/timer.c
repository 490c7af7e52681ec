/*
 * The generic timers: conditions, outputs, the next moment that something changes, event streams (Arm ARM D11.2).
 * The counter is the machine's time divided by 16 ns. A condition is an unsigned comparison of 64 bits, so an output
 * also falls when the offset count wraps (D11.2, CompareValue view).
 */
#include "timer/internal.h"

#include "cpu/exception.h"
#include "gic/gic.h"

#define ROW(NAME, name, EL, el, FEATURE)                                                                               \
    [TIMER_##NAME] = { #NAME "_CTL_" #EL, offsetof(struct sysregs, name##_ctl_##el),                                   \
                       offsetof(struct sysregs, name##_cval_##el), TIMER_PPI_##NAME, FEAT_##FEATURE }
static const struct timer_row {
    const char *name;
    u32 ctl, cval; /* offsets in struct sysregs */
    u32 ppi;
    enum feature feature;
} rows[TIMERS] = {
    ROW(CNTP, cntp, EL0, el0, BASE),     ROW(CNTV, cntv, EL0, el0, BASE),  ROW(CNTHP, cnthp, EL2, el2, EL2),
    ROW(CNTHV, cnthv, EL2, el2, VHE),    ROW(CNTPS, cntps, EL1, el1, EL3), ROW(CNTHPS, cnthps, EL2, el2, SEL2),
    ROW(CNTHVS, cnthvs, EL2, el2, SEL2),
};

static inline u64 field(const struct cpu *cpu, u32 offset) { return load_le64((const u8 *)&cpu->sys + offset); }

u64 *timer_ctl(struct cpu *cpu, enum timer t) { return (u64 *)(void *)((u8 *)&cpu->sys + rows[t].ctl); }
u64 *timer_cval(struct cpu *cpu, enum timer t) { return (u64 *)(void *)((u8 *)&cpu->sys + rows[t].cval); }

u64 timer_offset_of_virtual(const struct cpu *cpu) { return cpu_has(cpu, FEAT_EL2) ? cpu->sys.cntvoff_el2 : 0; }

/* FEAT_ECV_POFF: CNTPOFF_EL2 counts with CNTHCTL_EL2.ECV, SCR_EL3.ECVEn and EL2, but not in a host. */
u64 timer_offset_of_physical(const struct cpu *cpu)
{
    u64 host = BIT(HCR_E2H) | BIT(HCR_TGE);
    if (likely(!bit(cpu->sys.cnthctl_el2, CNTHCTL_ECV)) || !cpu_has(cpu, FEAT_CNTPOFF) || !cpu_el2_enabled(cpu) ||
        (cpu_has(cpu, FEAT_EL3) && !bit(cpu->sys.scr_el3, SCR_ECVEn)) || (cpu_hcr(cpu) & host) == host)
        return 0;
    return cpu->sys.cntpoff_el2;
}

u64 timer_count(const struct cpu *cpu, enum timer t, u64 now)
{
    return now / TIMER_TICK_NS - (t == TIMER_CNTV   ? timer_offset_of_virtual(cpu)
                                  : t == TIMER_CNTP ? timer_offset_of_physical(cpu)
                                                    : 0);
}

bool timer_condition(const struct cpu *cpu, enum timer t, u64 now)
{
    return field(cpu, rows[t].ctl) & CTL_ENABLE && timer_count(cpu, t, now) >= field(cpu, rows[t].cval);
}

static inline bool unmasked(u64 ctl) { return (ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE; }

/* `ticks` after now, at a tick's start, in ns; ~0 when time can't tell it. */
static u64 ticks_from(u64 now, u64 ticks)
{
    u64 count = now / TIMER_TICK_NS, most = ~(u64)0 / TIMER_TICK_NS;
    return ticks > most - count ? ~(u64)0 : (count + ticks) * TIMER_TICK_NS;
}

/* While the condition holds only the wrap of the count can end it, and that only for a CompareValue above 0. */
u64 timer_next_change(const struct cpu *cpu, enum timer t, u64 now)
{
    if (!unmasked(field(cpu, rows[t].ctl)))
        return ~(u64)0;
    u64 count = timer_count(cpu, t, now), cval = field(cpu, rows[t].cval);
    if (count < cval)
        return ticks_from(now, cval - count);
    return cval == 0 || count == 0 ? ~(u64)0 : ticks_from(now, -count);
}

void timer_drive(struct cpu *cpu, enum timer t, u64 now)
{
    bool level = unmasked(field(cpu, rows[t].ctl)) && timer_condition(cpu, t, now);
    if (cpu->d.host.gic)
        gic_set_ppi(cpu->d.host.gic, cpu->index, rows[t].ppi, level);
}

/*
 * ---- Event streams (D11.2) ----
 * EVNTEN, EVNTDIR, EVNTI and EVNTIS (EVNTI + 8) of CNTKCTL_EL1 lie as those of CNTHCTL_EL2. A stream is kept as a count
 * whose bit EVNTI+1 and up change at each edge that it triggers on: for 0 to 1 that is the counter plus half a period.
 */
struct stream {
    bool on;
    unsigned shift;
    u64 phase; /* added to the physical count */
};

static struct stream stream_of(u64 control, u64 offset)
{
    unsigned n = (unsigned)FIELD_OF(control, CNTHCTL_EVNTI) + (bit(control, CNTHCTL_EVNTIS) ? 8 : 0);
    return (struct stream){ bit(control, CNTHCTL_EVNTEN), n + 1,
                            (bit(control, CNTHCTL_EVNTDIR) ? 0 : BIT(n)) - offset };
}

enum { STREAM_VIRTUAL, STREAM_PHYSICAL, STREAMS };

/* CNTKCTL_EL1's stream is of the virtual counter, off in a host (E2H and TGE); CNTHCTL_EL2's of the physical one. */
static void streams(const struct cpu *cpu, struct stream s[STREAMS])
{
    u64 hcr = cpu_hcr(cpu), host = BIT(HCR_E2H) | BIT(HCR_TGE);
    s[STREAM_VIRTUAL] = stream_of((hcr & host) == host ? 0 : cpu->sys.cntkctl_el1, timer_offset_of_virtual(cpu));
    s[STREAM_PHYSICAL] = stream_of(cpu_has(cpu, FEAT_EL2) ? cpu->sys.cnthctl_el2 : 0, 0);
}

bool timer_streams(const struct cpu *cpu) { return bit(cpu->sys.cntkctl_el1 | cpu->sys.cnthctl_el2, CNTKCTL_EVNTEN); }

void timer_poll_events(struct cpu *cpu, u64 now)
{
    struct timers *timers = cpu->d.host.timers;
    struct stream s[STREAMS];
    if (!timers)
        return;
    u64 before = timers->pe[cpu->index].event_seen / TIMER_TICK_NS, after = now / TIMER_TICK_NS;
    timers->pe[cpu->index].event_seen = now;
    if (!timer_streams(cpu))
        return;
    streams(cpu, s);
    for (unsigned n = 0; n < STREAMS; n++)
        if (s[n].on && (before + s[n].phase) >> s[n].shift != (after + s[n].phase) >> s[n].shift)
            cpu->event = 1;
}

static u64 next_edge(const struct cpu *cpu, u64 now)
{
    struct stream s[STREAMS];
    u64 next = ~(u64)0, count = now / TIMER_TICK_NS;
    streams(cpu, s);
    for (unsigned n = 0; n < STREAMS; n++) {
        if (!s[n].on)
            continue;
        u64 period = BIT(s[n].shift), at = ticks_from(now, period - ((count + s[n].phase) & (period - 1)));
        next = at < next ? at : next;
    }
    return next;
}

/* ---- For people ---- */

bool timer_view(const struct cpu *cpu, unsigned n, u64 now, struct timer_view *v)
{
    if (n >= TIMERS)
        return false;
    const struct timer_row *row = &rows[n];
    *v = (struct timer_view){ .name = row->name,
                              .offset = n == TIMER_CNTV && cpu_has(cpu, FEAT_EL2)          ? "CNTVOFF_EL2"
                                        : n == TIMER_CNTP && timer_offset_of_physical(cpu) ? "CNTPOFF_EL2"
                                                                                           : NULL,
                              .ctl = field(cpu, row->ctl),
                              .cval = field(cpu, row->cval),
                              .count = timer_count(cpu, (enum timer)n, now),
                              .ppi = row->ppi,
                              .there = cpu_has(cpu, row->feature) };
    return true;
}

/* ---- For the machine ---- */

void timer_reset(struct timers *timers) { memset(timers, 0, sizeof(*timers)); }

u64 timer_next_interrupt(const struct cpu *cpu, u64 now, u32 ppis)
{
    u64 next = ~(u64)0;
    for (enum timer t = 0; t < TIMERS; t++) {
        u64 at = bit(ppis, rows[t].ppi) ? timer_next_change(cpu, t, now) : next;
        next = at < next ? at : next;
    }
    return next;
}

u64 timer_next_event(const struct cpu *cpu, u64 now)
{
    u64 next = timer_next_interrupt(cpu, now, ~(u32)0);
    if (cpu->halted == HALT_WFE && timer_streams(cpu)) {
        u64 at = next_edge(cpu, now);
        next = at < next ? at : next;
    }
    return next;
}

void timer_update(struct cpu *cpu, u64 now)
{
    if (cpu->halted != HALT_WFI && timer_streams(cpu))
        timer_poll_events(cpu, now);
    for (enum timer t = 0; t < TIMERS; t++)
        timer_drive(cpu, t, now);
}
