/*
 * cpu_run: interrupts, then an engine, until the slice ends. Also the fetch page, which both engines share so that they
 * make the same translations: it stays until a branch leaves it, an exception is taken, or the context changes.
 */
#include "cpu/engine/run.h"

#include "cpu/engine/code.h"
#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/observer.h"
#include "cpu/sysreg/pmu.h"
#include "mmu/access.h"

void thr_run(struct cpu *cpu);
void step_run(struct cpu *cpu, u64 hard);

/* d.pc_bias while instructions are fetched from this page at base. */
static u64 page_bias(const struct code_page *page, u64 base) { return base - ((u64)(uintptr_t)page->op >> 2); }

/* The fetch page from a translation (or, threaded, from an xpage: a subset of the state TLB). False: an abort. */
static bool fetch_translate(struct cpu *cpu, enum engine engine, u64 base)
{
    struct xpage_entry *x = xpage_of(cpu, base);
    if (engine == ENGINE_THREADED && x->tag == (base | cpu->d.data.ctx)) {
        cpu->d.page = x->page;
        cpu->fetch_pa = x->page->pa;
        cpu->fetch_attrs = x->attrs;
        cpu->fetch_valid = 1;
        cpu->fetch_va = base;
        return true;
    }
    struct fetch_page f = mem_fetch_page(cpu, cpu->pc);
    if (!f.ok)
        return false;
    cpu->fetch_va = base;
    cpu->fetch_pa = f.pa;
    cpu->fetch_attrs = (f.ns ? FETCH_NS : 0) | (f.guarded ? FETCH_GUARDED : 0);
    cpu->fetch_valid = f.device ? 0 : 1;
    cpu->d.page = f.device ? code_page_uncached(cpu->d.host.code, f.pa, f.ns, engine)
                           : code_page_get(cpu->d.host.code, f.pa, f.ns, engine);
    if (engine == ENGINE_THREADED && cpu->d.page->host && context_known(&cpu->d.data))
        *x = (struct xpage_entry){ .tag = base | cpu->d.data.ctx,
                                   .page = cpu->d.page,
                                   .pc_bias = page_bias(cpu->d.page, base),
                                   .owner = f.owner,
                                   .attrs = cpu->fetch_attrs };
    return true;
}

/* Takes the exception in d.exc; the attempt is an instruction, as others that fail are. */
static bool fetch_failed(struct cpu *cpu)
{
    cpu->d.now++;
    exception_take(cpu);
    cpu->fetch_valid = 0;
    return false;
}

bool cpu_fetch(struct cpu *cpu, enum engine engine)
{
    u64 base = cpu->pc & ~0xfffull;
    if (unlikely(!context_known(&cpu->d.data)))
        mmu_context_find(cpu);
    if (unlikely(cpu->pc & 3)) {
        exc_fetch_state(cpu);
        return fetch_failed(cpu);
    }
    if (!cpu->fetch_valid || cpu->fetch_va != base) {
        if (!fetch_translate(cpu, engine, base))
            return fetch_failed(cpu);
    } else if (!cpu->d.page || cpu->d.page->pa != cpu->fetch_pa || cpu->d.page->engine != engine) {
        cpu->d.page = code_page_get(cpu->d.host.code, cpu->fetch_pa, cpu->fetch_attrs & FETCH_NS, engine);
    }
    /* D1.3.5, priorities: PC alignment, Instruction Abort, Breakpoint, Illegal Execution state */
    if (unlikely(cpu->d.breakpoints) && engine == ENGINE_STEP && breakpoint_hit(cpu))
        return fetch_failed(cpu);
    if (unlikely(cpu->ps.il)) {
        exc_fetch_state(cpu);
        return fetch_failed(cpu);
    }
    cpu->d.pc_bias = page_bias(cpu->d.page, base);
    return true;
}

bool cpu_page_observed(struct cpu *cpu)
{
    const struct observer *o = cpu->d.host.observer;
    bool observed = (cpu->d.breakpoints && breakpoint_in_page(cpu, cpu->pc)) ||
                    (o && o->page && o->page(o->page_ctx, cpu, cpu->pc & ~0xfffull));
    if (unlikely(observed))
        cpu->d.stepping |= STEPPING_PAGE;
    else
        cpu->d.stepping &= ~(u32)STEPPING_PAGE;
    return observed;
}

/* A slice of the threaded engine ends at most a page of instructions after its deadline. */
enum { OVERSHOOT = 1024 + 64 };

unsigned cpu_run_to(struct cpu *cpu, u64 deadline, u64 hard, bool mid)
{
    u64 start = cpu->d.now;
    cpu->d.run_from = start;
    cpu->d.slice_end = deadline;
    cpu->d.branched = !mid;
    while ((cpu->d.now < deadline || !cpu->d.branched) && cpu->d.now < hard &&
           !(cpu->d.attention & (ATT_LOOK | ATT_TURN | ATT_DEBUG | ATT_NOW)) && cpu->halted == HALT_NONE) {
        cpu->d.attention &= ~(u32)(ATT_CONTEXT | ATT_ENGINE);
        if (cpu->d.branched && cpu->d.attention & ATT_IRQ) {
            cpu->d.attention &= ~(u32)ATT_IRQ;
            if (exception_take_interrupt(cpu))
                cpu->fetch_valid = 0;
        }
        bool step = !cpu->d.branched || cpu->d.stepping || cpu->ps.btype || cpu->d.host.force_step ||
                    !engine_threaded || hard - cpu->d.now <= OVERSHOOT;
        cpu->d.deadline = !step && hard - OVERSHOOT < deadline ? hard - OVERSHOOT : deadline;
        if (step) {
            u64 from = cpu->d.now;
            step_run(cpu, hard);
            cpu->d.stepped += cpu->d.now - from;
        } else {
            cpu->d.branched = cpu->d.threaded = 1;
            thr_run(cpu);
            cpu->d.threaded = 0;
        }
    }
    unsigned ended = (cpu->d.branched ? 0 : RUN_MID) | (cpu->d.attention & ATT_LOOK ? RUN_LOOK : 0) |
                     (cpu->d.attention & ATT_TURN ? RUN_TURN : 0);
    cpu->insns += cpu->d.now - start;
    cpu->d.run_from = cpu->d.now;
    cpu->d.attention &= ~(u32)(ATT_LOOK | ATT_TURN | ATT_DEBUG | ATT_NOW);
    return ended;
}

void cpu_run(struct cpu *cpu, u64 deadline, bool exact)
{
    cpu_run_to(cpu, deadline, exact ? deadline : ~(u64)0, false);
}
