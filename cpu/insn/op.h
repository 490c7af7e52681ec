/*
 * What a handler is written in. The same bodies are compiled twice (Makefile: -DENGINE=1 threaded, -DENGINE=0
 * stepping): threaded handlers tail-call the next slot, stepping ones leave cpu->pc and return. docs/design.md,
 * Execution.
 *
 * A handler is void f(struct cpu *cpu, u1, u2, u3, u64 L, const struct op *i). L carries the budget in a register: what
 * is left of the slice is (L - address of i) / 16 instructions, so that straight-line code counts itself and only
 * branches pay. u1 to u3 hold nothing: they make L and i come in registers that compilers don't want for their work.
 *
 * Body kinds (the row macro of the same kind in the .def files names the stamps):
 *     OP(id)      one handler                          INSN
 *     OP_S(id)    `s`: bool, 64-bit form               INSN_S   ('s' in the pattern)
 *     OP_N(id)    `sp`: bool, base register is SP      INSN_N   (the field N is 31)
 *     OP_Q(id)    `q`: bool, 128-bit vector            INSN_Q   ('q')
 *     OP_Z(id)    `z`: 0..3 element size               INSN_Z   ('z', two bits)
 *     OP_QZ(id)   `q` and `z`                          INSN_QZ
 * The stamps are compile-time constants in the body. A body ends with NEXT, JUMP, UNDEFINED, RAISE or SYNC.
 */
#ifndef CPU_OP_H
#define CPU_OP_H

#include "cpu/insn/decode.h"
#include "cpu/exception.h"
#include "cpu/state.h"
#include "mmu/access.h"

/* ENGINE 2 makes neither: each body becomes an inline function do_ID without its end, from which cpu/engine/fuse.c
 * makes sequences. It is true when it did its work; false: nothing was done, this is a case for the handler itself. */
#if ENGINE == 2
#define OPN(id)    do_##id
#define OP_LINKAGE static ALWAYS_INLINE
#define OP_TYPE    bool
#define OP_FN      do_fn
typedef bool do_fn(struct cpu *cpu, u64 u1, u64 u2, u64 u3, u64 L, const struct op *i, unsigned handed, u64 value,
                   u64 *to);
#elif ENGINE
#define OPN(id)    thr_##id
#define OP_LINKAGE
#define OP_TYPE    void
#define OP_FN      op_fn
#else
#define OPN(id)    step_##id
#define OP_LINKAGE
#define OP_TYPE    void
#define OP_FN      op_fn
#endif
#define HANDLER_ARGS                                                                                                   \
    struct cpu *cpu MAYBE_UNUSED, u64 u1 MAYBE_UNUSED, u64 u2 MAYBE_UNUSED, u64 u3 MAYBE_UNUSED, u64 L MAYBE_UNUSED,   \
        const struct op *i MAYBE_UNUSED
/* A value that is nobody's, for which no instruction is made. */
#define UNUSED __extension__({ u64 any_; __asm__ volatile("" : "=r"(any_)); any_; })
#define OP_WITH(left, slot) cpu, UNUSED, UNUSED, UNUSED, (left), (slot)
#if ENGINE == 2
/* What the body before wrote may be handed on: it is what the register in n, or in m, holds. `to`: where RD is, when
 * not in its register. */
enum { HANDED_n = 1, HANDED_m = 2 };
#define OP_ARGS HANDLER_ARGS, const unsigned handed MAYBE_UNUSED, const u64 value MAYBE_UNUSED, u64 *const to MAYBE_UNUSED
#define OP_PASS cpu, 0, 0, 0, L, i, handed, value, to
#else
#define OP_ARGS HANDLER_ARGS
#define OP_PASS OP_WITH(L, i)
#endif

#define OP(id)    OP_LINKAGE OP_FN OPN(id); OP_LINKAGE OP_TYPE OPN(id)(OP_ARGS)
#define OP_STAMP2(id, var)                                                                                             \
    static ALWAYS_INLINE OP_TYPE OPN(body_##id)(OP_ARGS, const bool var MAYBE_UNUSED);                                 \
    OP_LINKAGE OP_FN OPN(id##_0), OPN(id##_1);                                                                         \
    OP_LINKAGE OP_TYPE OPN(id##_0)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 0); }                                     \
    OP_LINKAGE OP_TYPE OPN(id##_1)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 1); }                                     \
    static ALWAYS_INLINE OP_TYPE OPN(body_##id)(OP_ARGS, const bool var MAYBE_UNUSED)
#define OP_S(id) OP_STAMP2(id, s)
#define OP_N(id) OP_STAMP2(id, sp)
#define OP_Q(id) OP_STAMP2(id, q)
#define OP_Z(id)                                                                                                       \
    static ALWAYS_INLINE OP_TYPE OPN(body_##id)(OP_ARGS, const unsigned z MAYBE_UNUSED);                               \
    OP_LINKAGE OP_FN OPN(id##_0), OPN(id##_1), OPN(id##_2), OPN(id##_3);                                               \
    OP_LINKAGE OP_TYPE OPN(id##_0)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 0); }                                     \
    OP_LINKAGE OP_TYPE OPN(id##_1)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 1); }                                     \
    OP_LINKAGE OP_TYPE OPN(id##_2)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 2); }                                     \
    OP_LINKAGE OP_TYPE OPN(id##_3)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 3); }                                     \
    static ALWAYS_INLINE OP_TYPE OPN(body_##id)(OP_ARGS, const unsigned z MAYBE_UNUSED)
#define OP_QZ(id)                                                                                                      \
    static ALWAYS_INLINE OP_TYPE OPN(body_##id)(OP_ARGS, const bool q MAYBE_UNUSED, const unsigned z MAYBE_UNUSED);    \
    OP_LINKAGE OP_FN OPN(id##_0), OPN(id##_1), OPN(id##_2), OPN(id##_3);                                               \
    OP_LINKAGE OP_FN OPN(id##_4), OPN(id##_5), OPN(id##_6), OPN(id##_7);                                               \
    OP_LINKAGE OP_TYPE OPN(id##_0)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 0, 0); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_1)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 0, 1); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_2)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 0, 2); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_3)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 0, 3); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_4)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 1, 0); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_5)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 1, 1); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_6)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 1, 2); }                                  \
    OP_LINKAGE OP_TYPE OPN(id##_7)(OP_ARGS) { return OPN(body_##id)(OP_PASS, 1, 3); }                                  \
    static ALWAYS_INLINE OP_TYPE OPN(body_##id)(OP_ARGS, const bool q MAYBE_UNUSED, const unsigned z MAYBE_UNUSED)

/* Registers by the slot that decode put into the operation. A write to ZR lands in a slot that nobody reads. */
#define BASE (cpu->x[i->n])             /* lvalue, of write-back */
#if ENGINE == 2
#define RN (handed & HANDED_n ? value : BASE)
#define RM (handed & HANDED_m ? value : cpu->x[i->m])
#define RD (*(to ? to : &cpu->x[i->d]))
#else
#define RN BASE
#define RM (cpu->x[i->m])
#define RD (cpu->x[i->d])               /* lvalue; also Rt of stores, where 31 is ZR */
#endif
#define RA  (cpu->x[i->a])
#define RB  (cpu->x[i->a])              /* lvalue: second destination (pattern letter b) */
#define IMM ((s64)i->imm)
#define WORD ((u32)i->imm)              /* rows with the decoder `word` keep the instruction itself */
#define VD  (cpu->v[i->d])
#define VN  (cpu->v[i->n])
#define VM  (cpu->v[i->m])
#define VA  (cpu->v[i->a])
/* value as an X or, zero-extended, W result. */
#define SIZED(s, v) ((s) ? (u64)(v) : (u64)(u32)(v))

/* Address of this instruction. */
#define PC (cpu->d.pc_bias + ((u64)(uintptr_t)i >> 2))
/* Absolute time in ns at this instruction. */
#define NOW (cpu->d.deadline - (u64)((s64)(L - (u64)(uintptr_t)i) >> 4))

/* Out-of-line ends, one set an engine (cpu/engine/threaded.c, cpu/engine/stepping.c). */
op_fn OPN(raise), OPN(undefined), OPN(sync_next), OPN(fp_access_trap), OPN(again);
void OPN(jump_far)(struct cpu *cpu, u64 left, u64 va);
/* The same for indirect branches with FEAT_BTI, which set PSTATE.BTYPE. */
void OPN(jump_typed)(struct cpu *cpu, u64 left, u64 va, unsigned btype);
/* The PE's pc was set by the handler (exception return, exception taken): goes on from there. */
op_fn OPN(resume);

#if ENGINE == 2
#define UNDEFINED return false
#define RAISE     return false
#define SYNC      return false
#define RESUME    return false
#define AGAIN     return false
#define MISS(id)  return false
#else
/* UNDEFINED: no such instruction here and now. */
#define UNDEFINED return OPN(undefined)(OP_PASS)
/* Takes cpu->d.exc at this instruction. */
#define RAISE return OPN(raise)(OP_PASS)
/* Next instruction, after something that may have changed contexts, masks or interrupts. */
#define SYNC return OPN(sync_next)(OP_PASS)
/* cpu->pc is where execution continues. */
#define RESUME return OPN(resume)(OP_PASS)
/* The instruction is not done, and starts again after interrupts had their chance: cpu_unfinished. */
#define AGAIN return OPN(again)(OP_PASS)
/* What the fast path does not do: goes on in a function of its own. */
#define MISS(id) return OPN(id)(OP_PASS)
#endif

#define JUMP_TYPED(target, btype) return OPN(jump_typed)(cpu, L - (u64)(uintptr_t)i - 16, (target), (btype))
#define THREADED_JUMP(target)                                                                                          \
    do {                                                                                                               \
        u64 to_ = (target), from_ = PC, left_ = L - (u64)(uintptr_t)i - 16;                                            \
        if (likely(!((to_ ^ from_) >> 12) && (s64)left_ > 0 && !(to_ & 3))) {                                          \
            const struct op *t_ = i + ((s64)(to_ - from_) >> 2);                                                       \
            return t_->fn(OP_WITH(left_ + (u64)(uintptr_t)t_, t_));                                                        \
        }                                                                                                              \
        return thr_jump_far(cpu, left_, to_);                                                                         \
    } while (0)

/* A direct branch within the page. The way to the next slot is what the host waits for in a loop: so the target is one
 * load from the slot, and L follows. */
#define THREADED_JUMP_NEAR(target)                                                                                     \
    do {                                                                                                               \
        u64 to_ = (target);                                                                                            \
        L += to_ - (u64)(uintptr_t)i - 16;                                                                             \
        i = (const struct op *)(uintptr_t)to_;                                                                         \
        if (likely((s64)L > (s64)(uintptr_t)i))                                                                        \
            return i->fn(OP_PASS);                                                                                     \
        return thr_jump_far(cpu, L - (u64)(uintptr_t)i, PC);                                                           \
    } while (0)

#if ENGINE == 2
#define NEXT return true
#elif ENGINE
#define NEXT return i[1].fn(OP_WITH(L, i + 1))
#define JUMP(target) THREADED_JUMP(target)
#else
#define NEXT                                                                                                           \
    do {                                                                                                               \
        cpu->pc = PC + 4;                                                                                              \
        return;                                                                                                        \
    } while (0)
#define JUMP(target) return OPN(jump_far)(cpu, L - (u64)(uintptr_t)i - 16, (target))
#endif

/* FP and Advanced SIMD instructions begin with this: CPACR_EL1, CPTR_EL2 and CPTR_EL3 (CheckFPAdvSIMDEnabled64). The
 * sum of them is kept in one byte, maintained where the EL or those registers change. */
#define FP_CHECK                                                                                                       \
    do {                                                                                                               \
        if (unlikely(cpu->d.fp_trapped))                                                                               \
            return OPN(fp_access_trap)(OP_PASS);                                                                       \
    } while (0)

#endif
