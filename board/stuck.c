/*
 * PEs that get nowhere: an exception handler that itself takes an exception, for ever (Arm ARM D1.3), and a machine in
 * which all sleep. The machine is stuck, and stops, when no PE, no event, no interrupt that would be taken and no input
 * can change anything; a loop that something may still end is told of, and goes on.
 *
 * What is watched is state: a run stops at the same instruction whatever engine, snapshot or debugger it went through.
 * Left out: loops without exceptions, but for a program that does not begin: `b .` soon after the entry is told of. And
 * what a handler prints, which changes nothing.
 */
#include "board/explain.h"
#include "board/machine.h"
#include "cpu/exception/words.h"
#include "cpu/field.h"
#include "cpu/sysreg/pmu.h"

#include <stdarg.h>
#include <stdio.h>

/* LOOP_LIMIT: rounds that make a loop. NEAR_NS: what follows an exception as soon is the fault of its handler.
 * IDLE_TURNS: as for struct machine's idle_turns. */
enum { LOOP_LIMIT = 100000, NEAR_NS = 1000, IDLE_TURNS = 3, VECTORS = 0x800, BEGINNING = 200000 /* instructions */ };

/* ---- watching ---- */

static u64 banked(const struct cpu *cpu, unsigned el, u64 el1, u64 el2, u64 el3)
{
    (void)cpu;
    return el == 1 ? el1 : el == 2 ? el2 : el3;
}
#define BANKED(cpu, el, name) banked(cpu, el, (cpu)->sys.name##_el1, (cpu)->sys.name##_el2, (cpu)->sys.name##_el3)

static u64 mix(u64 hash, u64 value) { return ((hash ^ value) * 0x9e3779b97f4a7c15) ^ hash >> 29; }

/* The stack pointer is left out: a handler that pushes to where no memory is moves it each time. */
static u64 registers_of(const struct cpu *cpu)
{
    u64 hash = cpu_nzcv(cpu);
    for (unsigned n = 0; n < 31; n++)
        hash = mix(hash, cpu->x[n]);
    return hash;
}

/* What the handler was entered for, as the registers of its EL still say. */
static struct loop_seen handled(const struct cpu *cpu, unsigned kind)
{
    unsigned el = cpu->ps.el;
    u64 esr = BANKED(cpu, el, esr), elr = BANKED(cpu, el, elr);
    struct loop_seen e = { .pc = elr, .kind = (u8)kind, .el = (u8)bits(BANKED(cpu, el, spsr), 3, 2), .target = (u8)el };
    if (kind != EXC_SYNC)
        return e;
    e.ec = (u8)bits(esr, 31, 26);
    e.iss = (u32)bits(esr, 24, 0);
    e.far = fault_has_address(e.ec) ? BANKED(cpu, el, far) : 0;
    if (e.ec == EC_SVC || e.ec == EC_HVC || e.ec == EC_SMC)
        e.pc -= 4;
    return e;
}

static bool is_fault(const struct loop_seen *e)
{
    return e->kind == EXC_SYNC && e->ec != EC_SVC && e->ec != EC_HVC && e->ec != EC_SMC;
}

/* The first in a handler: what that was entered for stands for the exceptions so far, which nobody heard of. */
static void first_again(struct loop_watch *w, const struct cpu *cpu)
{
    w->first = w->last = handled(cpu, cpu->entered & ENTERED_KIND);
    w->begun = w->last.el == cpu->ps.el;
    w->count = w->memory_at = w->insns = 0;
}

/* A fault soon after an entry is of its handler, which what was entered for (`last`) began; but a call or an interrupt
 * only when the vector itself fails. */
static void begin(struct loop_watch *w, const struct cpu *cpu, const struct loop_seen *e)
{
    bool near = cpu->d.now + 1 - (cpu->entered >> ENTERED_SHIFT) <= NEAR_NS;
    if (near && w->begun)
        return;
    bool in_vectors = cpu->pc - BANKED(cpu, cpu->ps.el, vbar) < VECTORS;
    w->first = near && (in_vectors || is_fault(&w->last)) ? w->last : *e;
    w->begun = 1;
}

void stuck_taken_again(struct cpu *cpu, const struct exc *exc)
{
    struct machine *m = cpu->d.host.machine;
    struct loop_watch *w = &m->turns[cpu->index].loop;
    u64 far = exc->has_far && fault_has_address(exc->ec) ? exc->far : 0;
    const struct loop_seen e = { cpu->pc, far, exc->iss, exc->kind, exc->ec, cpu->ps.el, exc->target_el };
    const struct loop_seen *l = &w->last;
    u64 insns = cpu_position(cpu);
    if (!(cpu->entered & ENTERED_AGAIN))
        first_again(w, cpu);
    if (e.kind == EXC_SYNC && l->kind == EXC_SYNC && l->pc == e.pc && l->iss == e.iss && l->ec == e.ec &&
        l->el == e.el) {
        bool plain = insns - w->insns == 1; /* nothing was executed, no register changed */
        u64 registers = plain ? w->registers : registers_of(cpu);
        bool still = w->count && registers == w->registers;
        w->plain = plain && (!still || w->count == 1 || w->plain); /* when the first was taken is not known */
        w->count = still ? w->count + 1 : 1;
        w->memory_at = still ? w->memory_at : 0;
        w->registers = registers;
    } else {
        begin(w, cpu, &e);
        w->count = w->memory_at = 0;
    }
    w->last = e;
    w->insns = insns;
}

/* ---- can anything change anything? ---- */

static bool loops(const struct machine *m, const struct cpu *cpu)
{
    return cpu->halted == HALT_NONE && cpu->entered & ENTERED_AGAIN && m->turns[cpu->index].loop.count >= LOOP_LIMIT;
}

/* Would an interrupt be taken by a PE that loops? A handler that does something may unmask them for a while. */
static bool interruptible(struct cpu *cpu, bool plain)
{
    u32 lines = cpu->lines;
    struct pstate ps = cpu->ps;
    if (!plain)
        cpu->ps.i = cpu->ps.f = cpu->ps.allint = 0;
    cpu->lines |= LINE_IRQ | LINE_FIQ | (cpu_has(cpu, FEAT_NMI) ? LINE_IRQ_NMI | LINE_FIQ_NMI : 0);
    bool yes = exception_interrupt_pending(cpu);
    cpu->lines = lines;
    cpu->ps = ps;
    return yes;
}

/* It waits for an interrupt, or looks in vain at what others would write. */
static bool waits(const struct machine *m, const struct cpu *cpu)
{
    if (exception_wakes(cpu) || cpu->event == 1 || cpu->wake_at != NEVER)
        return false;
    return cpu->halted == HALT_WFI || m->turns[cpu->index].idles >= IDLE_TURNS;
}

/* Timers and counters whose interrupt the GIC would forward to the PE. */
static bool interrupt_comes(const struct machine *m, const struct cpu *cpu)
{
    u32 enabled = m->gic.ppi[cpu->index].enable;
    return timer_next_interrupt(cpu, m->now, enabled) != NEVER ||
           (bit(enabled, GIC_PPI_PMU) && pmu_next_overflow(cpu) != NEVER);
}

/* Have RAM and registers stayed as they are for another LOOP_LIMIT rounds of a handler that does something? */
static bool is_settled(struct machine *m, struct cpu *cpu)
{
    struct loop_watch *w = &m->turns[cpu->index].loop;
    if (w->plain)
        return true;
    if (w->memory_at && w->count < w->memory_at + LOOP_LIMIT)
        return false;
    struct sysregs sys = cpu->sys;
    sys.far_el1 = sys.far_el2 = sys.far_el3 = 0;
    u64 hash = machine_hash_ram(m);
    for (unsigned n = 0; n < sizeof(sys) / 8; n++)
        hash = mix(hash, load_le64((const u8 *)&sys + 8 * n));
    for (unsigned n = 0; n < 32; n++)
        hash = mix(mix(hash, cpu->v[n].d[0]), cpu->v[n].d[1]);
    bool settled = w->memory_at && hash == w->memory;
    w->memory = hash;
    w->memory_at = w->count;
    return settled;
}

/* Input that is prepared comes to who has nothing else to wait for. */
static bool input_comes(struct machine *m)
{
    machine_input_offer(m);
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        const struct cpu *cpu = &m->d.cpu[n];
        if (cpu->halted != HALT_OFF && (cpu->halted ? exception_wakes(cpu) : exception_interrupt_pending(cpu)))
            return true;
    }
    return m->d.host.listens && m->d.host.listens(m->d.host.ctx);
}

static bool is_stuck(struct machine *m)
{
    bool heard = false; /* somebody would hear of an interrupt */
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        struct cpu *cpu = &m->d.cpu[n];
        bool loop = loops(m, cpu);
        if (cpu->halted == HALT_OFF)
            continue;
        if (!loop && !waits(m, cpu))
            return false;
        if (loop && exception_interrupt_pending(cpu))
            return false;
        bool hears = !loop || interruptible(cpu, m->turns[n].loop.plain);
        if (hears && interrupt_comes(m, cpu))
            return false;
        heard |= hears;
    }
    if (bus_event_comes(m, heard) || (heard && input_comes(m)))
        return false;
    bool settled = true;
    for (u32 n = 0; n < m->options.cpu_count; n++)
        if (loops(m, &m->d.cpu[n]))
            settled &= is_settled(m, &m->d.cpu[n]);
    return settled;
}

/* ---- telling ---- */

struct line {
    char *text;
    size_t used, size;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->used, l->size - l->used, format, args);
    va_end(args);
    l->used = n < 0 ? l->used : l->used + (size_t)n < l->size ? l->used + (size_t)n : l->size - 1;
}

static void add_exception(struct line *l, const struct loop_seen *e)
{
    add(l, "at EL%u, pc 0x%llx, ", e->el, (unsigned long long)e->pc);
    if (e->kind != EXC_SYNC) {
        add(l, "%s", exc_kind_words(e->kind, false));
        return;
    }
    add(l, "EC 0x%02x (%s), ISS 0x%x%s", e->ec, ec_name(e->ec), e->iss, fault_name(e->ec, e->iss));
    if (fault_has_address(e->ec))
        add(l, ", FAR_EL%u 0x%llx", e->target, (unsigned long long)e->far);
}

static void loop_tell(const struct machine *m, const struct cpu *cpu, struct line *l)
{
    const struct loop_watch *w = &m->turns[cpu->index].loop;
    char hints[sizeof(m->d.end.text) / 2];
    add(l, "cpu%u is in an exception loop. It began ", cpu->index);
    add_exception(l, &w->first);
    if (memcmp(&w->first, &w->last, sizeof(w->first))) {
        add(l, "; since then the handler itself takes the same exception for ever: ");
        add_exception(l, &w->last);
    } else {
        add(l, ", which its handler takes again for ever");
    }
    explain_hints(m, cpu, hints, sizeof(hints));
    add(l, "%s", hints);
}

/* Told once while the loop goes on. */
static void loop_note(struct machine *m, const struct cpu *cpu)
{
    struct line l = { .text = (char[sizeof(m->d.end.text)]){ 0 }, .size = sizeof(m->d.end.text) };
    if (!m->d.host.note || m->d.loop_noted[cpu->index])
        return;
    m->d.loop_noted[cpu->index] = 1;
    loop_tell(m, cpu, &l);
    add(&l, "; the machine goes on, since something may still change that");
    m->d.host.note(m->d.host.ctx, l.text);
}

/* A program that finds itself at another EL than it expects often waits in a circle, and says nothing. */
static bool does_not_begin(const struct cpu *cpu)
{
    return cpu->halted == HALT_NONE && cpu->ps.i && cpu->ps.f && cpu->ps.el == cpu->d.host.machine->entry_el &&
           cpu->insns < BEGINNING && explain_circles(cpu);
}

static void circle_note(struct machine *m, const struct cpu *cpu)
{
    struct line l = { .text = (char[sizeof(m->d.end.text)]){ 0 }, .size = sizeof(m->d.end.text) };
    if (!m->d.host.note || m->d.loop_noted[cpu->index] || !does_not_begin(cpu))
        return;
    m->d.loop_noted[cpu->index] = 1;
    add(&l, "cpu%u goes in a circle at EL%u, pc 0x%llx, with interrupts masked; %s", cpu->index, cpu->ps.el,
        (unsigned long long)cpu->pc, explain_entry(m));
    m->d.host.note(m->d.host.ctx, l.text);
}

void stuck_look(struct machine *m)
{
    const struct cpu *who = NULL;
    if (unlikely(m->now < BEGINNING))
        circle_note(m, &m->d.cpu[0]);
    for (u32 n = machine_roused(m, 0); n < m->options.cpu_count && !who; n = machine_roused(m, n + 1))
        who = loops(m, &m->d.cpu[n]) ? &m->d.cpu[n] : NULL;
    if (likely(!who))
        return;
    if (is_stuck(m)) {
        struct line l = { .text = (char[sizeof(m->d.end.text)]){ 0 }, .size = sizeof(m->d.end.text) };
        loop_tell(m, who, &l);
        machine_end(m, END_LOOP, 1, l.text);
        return;
    }
    for (u32 n = 0; n < m->options.cpu_count; n++)
        if (loops(m, &m->d.cpu[n]))
            loop_note(m, &m->d.cpu[n]);
}

void stuck_where(struct machine *m, const struct cpu *cpu, char *text, size_t size)
{
    struct line l = { .text = text, .size = size };
    u64 at = timer_next_event(cpu, m->now);
    at = cpu->wake_at < at ? cpu->wake_at : at;
    if (cpu->halted == HALT_OFF) {
        add(&l, "off");
    } else if (loops(m, cpu)) {
        add(&l, "in an exception loop: ");
        add_exception(&l, &m->turns[cpu->index].loop.last);
    } else if (!cpu->halted) {
        add(&l, "runs");
    } else {
        add(&l, "waits in %s for an %s", cpu->halted == HALT_WFI ? "WFI" : "WFE",
            cpu->halted == HALT_WFI ? "interrupt" : "event");
        if (at != NEVER)
            add(&l, "; a timer is due in %llu ns", (unsigned long long)(at > m->now ? at - m->now : 0));
        else
            add(&l, "; no timer is set");
    }
}

void stuck_asleep(struct machine *m)
{
    struct line l = { .text = (char[sizeof(m->d.end.text)]){ 0 }, .size = sizeof(m->d.end.text) };
    add(&l, "all CPUs sleep, no event is to come and no input:");
    for (u32 k = 0; k < m->options.cpu_count; k++) {
        const struct cpu *cpu = &m->d.cpu[k];
        const char *how = cpu->halted == HALT_OFF ? "off" : cpu->halted == HALT_WFI ? "WFI" : "WFE";
        if (cpu->halted == HALT_OFF)
            add(&l, "%s cpu%u off", k ? ";" : "", k);
        else
            add(&l, "%s cpu%u in %s at EL%u, pc 0x%llx", k ? ";" : "", k, how, cpu->ps.el, (unsigned long long)cpu->pc);
    }
    if (m->d.cpu[0].ps.el == m->entry_el && m->d.cpu[0].insns < BEGINNING)
        add(&l, "; %s", explain_entry(m));
    machine_end(m, END_ASLEEP, 1, l.text);
}
