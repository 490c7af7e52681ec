/*
 * The stepping engine: one unfused instruction per call, with hooks for those who look in, guest software step, and the
 * only engine of -O0 and sanitizer builds. Its slices end at the same points as the threaded engine's.
 */
#define ENGINE 0
#include "cpu/ops/bti.h"
#include "cpu/engine/code.h"
#include "cpu/observer.h"
#include "cpu/insn/op.h"
#include "cpu/engine/run.h"
#include "cpu/ops/unfinished.h"

op_fn step_decode, step_page_end;

/* What a handler leaves behind: cpu->pc, and whether this is a point where a slice may end. */
void step_jump_far(struct cpu *cpu, u64 left, u64 va)
{
    (void)left;
    cpu->pc = !cpu->fetch_valid || ((va ^ cpu->fetch_va) & ~0xfffull) ? cpu_branch_address(cpu, va) : va;
    cpu->d.branched = 1;
}

void step_jump_typed(struct cpu *cpu, u64 left, u64 va, unsigned btype)
{
    cpu->d.btype_next = btype;
    return step_jump_far(cpu, left, va);
}

void step_page_end(OP_ARGS) {}

void step_decode(OP_ARGS)
{
    if (unlikely(!code_decode(cpu->d.host.code, cpu->d.page, (struct op *)(uintptr_t)i))) {
        cpu->pc = PC;
        exc_fetch_external_abort(cpu);
        RAISE;
    }
    return i->fn(OP_PASS);
}

void step_raise(OP_ARGS)
{
    cpu->pc = PC;
    cpu->d.raised = RAISED_EXCEPTION;
    if (unlikely(cpu->d.exc.kind == EXC_RESTART))
        return;
    cpu->d.branched = 1;
    cpu->d.now = NOW + 1;
    exception_take(cpu);
    cpu->fetch_valid = 0;
}

void step_again(OP_ARGS)
{
    cpu->d.now = NOW + 1;
    cpu_unfinished(cpu, PC);
    JUMP(PC);
}

void step_undefined(OP_ARGS)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_UNALLOCATED });
    RAISE;
}

void step_sync_next(OP_ARGS)
{
    cpu->pc = PC + 4;
    cpu->d.branched = 1;
}

void step_resume(OP_ARGS)
{
    cpu->fetch_valid = 0;
    cpu->d.branched = 1;
}

void step_fp_access_trap(OP_ARGS)
{
    exc_fp_access_trap(cpu);
    RAISE;
}

/* FEAT_BTI: the landing of an indirect branch in a guarded page. True: the exception was taken. */
static bool take_branch_target(struct cpu *cpu)
{
    u32 word = 0;
    if (!(cpu->fetch_attrs & FETCH_GUARDED) || !cpu_has(cpu, FEAT_BTI) ||
        (exc_instruction(cpu, cpu->pc, &word) && bti_compatible(cpu, word)))
        return false;
    exc_branch_target(cpu);
    cpu->d.now++;
    exception_take(cpu);
    cpu->fetch_valid = 0;
    return true;
}

/* One instruction at cpu->pc; false: an observer stopped before it. */
static bool step_one(struct cpu *cpu)
{
    u64 deadline = cpu->d.deadline, now = cpu->d.now, branched = cpu->d.branched;
    const struct observer *o = cpu->d.host.observer;
    cpu->d.branched = 0;
    cpu->d.raised = 0;
    if (unlikely(cpu->d.stepping & STEPPING_GUEST) &&
        exception_take_step(cpu)) { /* a pending software step exception comes before the instruction */
        cpu->fetch_valid = 0;
        cpu->d.branched = 1;
        cpu->d.now = now + 1;
        return true;
    }
    if (!cpu_fetch(cpu, ENGINE_STEP) || (unlikely(cpu->ps.btype) && take_branch_target(cpu))) {
        cpu->d.branched = 1;
        cpu->d.now = now + 1;
        return true;
    }
    u64 pc = cpu->pc;
    struct op *i = &cpu->d.page->op[(pc & 4095) >> 2];
    u32 word = cpu->d.page->host ? load_le32(cpu->d.page->host + (pc & 4095)) : 0;
    if (unlikely(o && o->before) && !cpu_is_inside(cpu) && !o->before(o->before_ctx, cpu, pc, word)) {
        cpu->d.attention |= ATT_DEBUG;
        cpu->d.branched = branched;
        return false;
    }
    if (unlikely(cpu->d.stepping & STEPPING_PAGE) && !cpu_page_observed(cpu))
        cpu->d.attention |= ATT_ENGINE;
    u64 L = ((deadline - now) << 4) + (u64)(uintptr_t)i;
    if (unlikely(cpu->ps.btype))
        cpu->d.attention |= ATT_ENGINE; /* a landing: the threaded engine goes on from here */
    cpu->d.btype_next = BTYPE_NONE;
    i->fn(OP_PASS);
    if (unlikely(cpu->d.raised) && cpu->d.raised == RAISED_UNFINISHED) {
        cpu->ps.btype = (u8)cpu->d.btype_next;
        cpu->d.now = now + 1;
        return true;
    }
    if (unlikely(cpu->d.raised) && cpu->d.exc.kind == EXC_RESTART) { /* an observer stopped at one of its accesses */
        cpu->d.exc.kind = EXC_SYNC;
        cpu->d.attention |= ATT_NOW;
        cpu->d.branched = branched;
        return false;
    }
    cpu->ps.btype = (u8)cpu->d.btype_next;
    cpu->d.now = now + 1;
    if (unlikely(cpu->step_active))
        exception_step_done(cpu);
    if (!cpu->d.branched && !(cpu->pc & 4095))
        cpu->d.branched = 1; /* the end of a page is a point like a branch */
    if (unlikely(o && o->after))
        o->after(o->after_ctx, cpu, pc, word);
    return true;
}

void step_run(struct cpu *cpu, u64 hard);
void step_run(struct cpu *cpu, u64 hard)
{
    do {
        if (!step_one(cpu))
            return;
        if (cpu->d.attention & (cpu->d.branched ? ~(u32)0 : (u32)ATT_NOW))
            return;
        if (cpu->d.now >= hard || (cpu->d.now >= cpu->d.deadline && cpu->d.branched))
            return;
    } while (true);
}

void cpu_exec_word(struct cpu *cpu, u32 word)
{
    struct op op[2] __attribute__((aligned(16)));
    decoder_decode(cpu->d.host.decoder, word, ENGINE_STEP, &op[0]);
    op[1] = op[0];
    cpu->d.pc_bias = cpu->pc - ((u64)(uintptr_t)op >> 2);
    cpu->d.branched = 0;
    cpu->d.raised = 0;
    cpu->d.btype_next = BTYPE_NONE;
    op[0].fn(OP_WITH(((cpu->d.deadline - cpu->d.now) << 4) + (u64)(uintptr_t)op, op));
    cpu->ps.btype = (u8)cpu->d.btype_next;
}
