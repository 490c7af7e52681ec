/*
 * The threaded engine: handlers tail-call each other; here is what they reach when straight-line execution ends.
 * Compiled with -O2 so that gcc and clang turn these into jumps. No hook, no per-instruction test.
 */
#define ENGINE 1
#include "cpu/ops/bti.h"
#include "cpu/engine/code.h"
#include "cpu/observer.h"
#include "cpu/insn/op.h"
#include "cpu/engine/run.h"
#include "cpu/tier2/tier2.h"
#include "cpu/ops/unfinished.h"

op_fn thr_decode, thr_page_end, thr_BTI, thr_PACIASP, thr_PACIBSP, thr_BRK;

/* Ends the slice: `left` is the budget in units of 16, cpu->pc is set. */
static void leave(struct cpu *cpu, u64 left) { cpu->d.now = cpu->d.deadline - (u64)((s64)left >> 4); }

/* Is x the page at va for this context, and va aligned? A context's number has zeros where a misalignment would be. */
static ALWAYS_INLINE bool xpage_hits(const struct cpu *cpu, const struct xpage_entry *x, u64 va)
{
    return x->tag == ((va & (~0xfffull | 3)) | cpu->d.data.ctx);
}

/* Makes the xpage entry of va the fetch page, and goes on there. */
static ALWAYS_INLINE void run_xpage(struct cpu *cpu, u64 left, const struct xpage_entry *x, u64 va)
{
    struct code_page *page = x->page;
    cpu->fetch_va = va & ~0xfffull;
    cpu->fetch_pa = page->pa;
    cpu->fetch_attrs = x->attrs;
    cpu->fetch_valid = 1;
    cpu->d.page = page;
    cpu->d.pc_bias = x->pc_bias;
    const struct op *i = &page->op[(va & 4095) >> 2];
    return i->fn(OP_WITH(left + (u64)(uintptr_t)i, i));
}

static void enter_slow(struct cpu *cpu, u64 left);
/* Goes on at cpu->pc, where the fetch page is to be found again. */
static ALWAYS_INLINE void enter_anew(struct cpu *cpu, u64 left)
{
    const struct xpage_entry *x = xpage_of(cpu, cpu->pc);
    const struct observer *o = cpu->d.host.observer;
    if (likely(xpage_hits(cpu, x, cpu->pc) && context_known(&cpu->d.data) && (s64)left > 0) &&
        likely(!(cpu->d.attention | cpu->ps.btype | cpu->ps.il | cpu->d.breakpoints)) && likely(!o || !o->page))
        return run_xpage(cpu, left, x, cpu->pc);
    cpu->fetch_valid = 0;
    return enter_slow(cpu, left);
}

/* The same with all that may be in the way; at a landing with PSTATE.BTYPE in the stepping engine. An interrupt is
 * taken here as cpu_run_to would take it. */
static NOINLINE void enter_slow(struct cpu *cpu, u64 left)
{
    leave(cpu, left);
    if (cpu->d.attention == ATT_IRQ && !cpu->ps.btype && (s64)left > 0) {
        cpu->d.attention = 0;
        if (exception_take_interrupt(cpu))
            return enter_anew(cpu, left);
    }
    if (unlikely(cpu->d.attention || cpu->ps.btype || (s64)left <= 0))
        return;
    if ((unlikely(cpu->d.breakpoints) || unlikely(cpu->d.host.observer && cpu->d.host.observer->page)) &&
        cpu_page_observed(cpu))
        return;
    if (unlikely(!cpu_fetch(cpu, ENGINE_THREADED)))
        return enter_slow(cpu, left - 16); /* the abort counts as an instruction */
    const struct op *i = &cpu->d.page->op[(cpu->pc & 4095) >> 2];
    return i->fn(OP_WITH(left + (u64)(uintptr_t)i, i));
}

/* Out of line, so that the jump itself has no frame. */
static NOINLINE void jump_slow(struct cpu *cpu, u64 left, u64 va)
{
    cpu->pc = cpu_branch_address(cpu, va);
    return enter_slow(cpu, left);
}

void thr_jump_far(struct cpu *cpu, u64 left, u64 va)
{
    const struct xpage_entry *x = xpage_of(cpu, va);
    if (likely(xpage_hits(cpu, x, va) && (s64)left > 0))
        return run_xpage(cpu, left, x, va);
    return jump_slow(cpu, left, va);
}

/*
 * An indirect branch with FEAT_BTI. Where its type cannot be seen (nothing but BRK shows it in a page that is not
 * guarded) or a landing pad takes it, it is a branch like others; else the stepping engine looks at the landing.
 */
void thr_jump_typed(struct cpu *cpu, u64 left, u64 va, unsigned btype)
{
    const struct xpage_entry *x = xpage_of(cpu, va);
    if (likely(xpage_hits(cpu, x, va) && (s64)left > 0)) {
        op_fn *fn = code_plain(cpu->d.host.code, x->page, (va & 4095) >> 2);
        bool pad = fn == thr_BTI ? bti_accepts((unsigned)x->page->op[(va & 4095) >> 2].imm, btype)
                                 : (fn == thr_PACIASP || fn == thr_PACIBSP) && btype != BTYPE_JUMP;
        if (likely(pad || (!(x->attrs & FETCH_GUARDED) && fn != thr_BRK && fn != thr_decode)))
            return thr_jump_far(cpu, left, va);
    }
    cpu->pc = cpu_branch_address(cpu, va);
    cpu->ps.btype = (u8)btype;
    leave(cpu, left);
}

/* The slot after the last of a page: the next page, without a branch having been executed. */
void thr_page_end(OP_ARGS) { return thr_jump_far(cpu, L - (u64)(uintptr_t)i, PC); }

void thr_decode(OP_ARGS)
{
    if (unlikely(!code_decode(cpu->d.host.code, cpu->d.page, (struct op *)(uintptr_t)i))) {
        cpu->pc = PC;
        cpu->d.now = NOW;
        exc_fetch_external_abort(cpu);
        RAISE;
    }
    return i->fn(OP_PASS);
}

void thr_raise(OP_ARGS)
{
    cpu->pc = PC;
    if (unlikely(cpu->d.exc.kind == EXC_RESTART)) {
        cpu->d.exc.kind = EXC_SYNC;
        cpu->d.branched = 0;
        return leave(cpu, L - (u64)(uintptr_t)i);
    }
    cpu->d.now = NOW + 1;
    exception_take(cpu);
    return enter_anew(cpu, L - (u64)(uintptr_t)i - 16);
}

/* A slot that branches go to, until it has been entered often enough (cpu/tier2/region.c). */
op_fn thr_tier2_hot, thr_tier2_stop;
static NOINLINE void tier2_hot_slow(OP_ARGS)
{
    struct code_page *page = cpu->d.page;
    struct tier2 *t = code_tier2(cpu->d.host.code);
    tier2_heat(t, page, (unsigned)(i - page->op));
    op_fn *fn = i->fn == thr_tier2_hot ? tier2_plain(t, page, (unsigned)(i - page->op)) : i->fn;
    return fn(OP_PASS);
}
void thr_tier2_hot(OP_ARGS)
{
    struct code_page *page = cpu->d.page;
    unsigned slot = (unsigned)(i - page->op);
    if (unlikely(--page->entries_left[slot] == 0))
        return tier2_hot_slow(OP_PASS);
    return code_page_plain(page, slot)(OP_PASS);
}
/* The budget ended with a branch to slot i. */
void thr_tier2_stop(OP_ARGS) { return thr_jump_far(cpu, L - (u64)(uintptr_t)i, PC); }

void thr_undefined(OP_ARGS)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_UNALLOCATED });
    RAISE;
}

void thr_sync_next(OP_ARGS)
{
    const struct observer *o = cpu->d.host.observer;
    if (likely(cpu->fetch_valid && context_known(&cpu->d.data) && (s64)(L - 16) > (s64)(uintptr_t)i) &&
        likely(!(cpu->d.attention | cpu->ps.btype | cpu->ps.il | cpu->d.breakpoints)) && likely(!o || !o->page))
        NEXT; /* the page stays, and nothing came up */
    cpu->pc = PC + 4;
    u64 left = L - (u64)(uintptr_t)i - 16;
    return cpu->fetch_valid ? enter_slow(cpu, left) : enter_anew(cpu, left);
}

void thr_again(OP_ARGS)
{
    cpu->d.now = NOW + 1;
    cpu_unfinished(cpu, PC);
    JUMP(PC);
}

void thr_resume(OP_ARGS) { return enter_anew(cpu, L - (u64)(uintptr_t)i - 16); }

void thr_fp_access_trap(OP_ARGS)
{
    exc_fp_access_trap(cpu);
    RAISE;
}

#if defined __OPTIMIZE__ && !defined SANITIZED
const bool engine_threaded = true;
#else
const bool engine_threaded = false;
#endif

void thr_run(struct cpu *cpu);
void thr_run(struct cpu *cpu)
{
    const struct tier2 *t = code_tier2(cpu->d.host.code);
    u64 left = (cpu->d.deadline - cpu->d.now) << 4;
    if (t)
        tier2_call(t, cpu, left, enter_slow);
    else
        enter_slow(cpu, left);
}
