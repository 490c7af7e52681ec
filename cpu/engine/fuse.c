/*
 * Fused sequences of the threaded engine: the bodies of cpu/engine/fuse.def, and finding them at decode. A pair saves a
 * dispatch, and its branch decides from the operands of the compare instead of from the flags in memory, which are
 * written all the same. Nothing of this is of the architecture.
 */
#define ENGINE 2
#include "cpu/engine/fuse.h"

/* The bodies themselves, as inline functions do_ID (cpu/insn/op.h). */
#include "cpu/insn/dpimm.c"
#include "cpu/insn/dpreg.c"
#include "cpu/insn/ldst.c"
static ALWAYS_INLINE bool do_HINT(OP_ARGS) { return true; }

/* From here on handlers, with the ends of the threaded engine. */
#undef OP_ARGS
#undef OP_PASS
#undef RN
#undef RM
#undef RD
#undef NEXT
#define OP_ARGS HANDLER_ARGS
#define OP_PASS OP_WITH(L, i)
#define RN      BASE
#define RM      (cpu->x[i->m])
#define RD      (cpu->x[i->d])
#define NEXT    return i[1].fn(OP_WITH(L, i + 1))
void thr_jump_far(struct cpu *cpu, u64 left, u64 va);

/* ---- the first instruction: its operands a and b, its result r ---- */

struct compared {
    u64 a, b, r;
};

#define FIRST(id, sf, operand, flags)                                                                                  \
    static ALWAYS_INLINE struct compared first_##id(struct cpu *cpu, const struct op *i)                               \
    {                                                                                                                  \
        struct compared c = { .a = SIZED(sf, RN), .b = SIZED(sf, operand) };                                           \
        c.r = flags;                                                                                                   \
        RD = c.r;                                                                                                      \
        return c;                                                                                                      \
    }
#define TESTED(sf) (c.r = c.a & c.b, flags_logical(cpu, sf, c.r), c.r)
FIRST(SUBS_i_0, false, (u64)IMM, flags_sub(cpu, false, c.a, c.b))
FIRST(SUBS_i_1, true, (u64)IMM, flags_sub(cpu, true, c.a, c.b))
FIRST(SUBS_r_0, false, RM, flags_sub(cpu, false, c.a, c.b))
FIRST(SUBS_r_1, true, RM, flags_sub(cpu, true, c.a, c.b))
FIRST(ADDS_i_0, false, (u64)IMM, flags_add(cpu, false, c.a, c.b))
FIRST(ADDS_i_1, true, (u64)IMM, flags_add(cpu, true, c.a, c.b))
FIRST(ANDS_i_0, false, (u64)(u32)i->imm, TESTED(false))
FIRST(ANDS_i_1, true, (u64)(u32)i->imm * 0x100000001ull, TESTED(true))
FIRST(ANDS_l, true, ror_n(ones((i->imm & 63) + 1), 64, i->imm >> 6 & 63), TESTED(true))
FIRST(ANDS_r_0, false, RM, TESTED(false))
FIRST(ANDS_r_1, true, RM, TESTED(true))

/* ---- the condition, from the compared operands; w: 32 bits ---- */

#define HOLDS_B_eq(c, w) ((c).r == 0)
#define HOLDS_B_ne(c, w) ((c).r != 0)
#define HOLDS_B_cs(c, w) ((c).a >= (c).b)
#define HOLDS_B_cc(c, w) ((c).a < (c).b)
#define HOLDS_B_hi(c, w) ((c).a > (c).b)
#define HOLDS_B_ls(c, w) ((c).a <= (c).b)
#define HOLDS_B_mi(c, w) ((w) ? (s32)(u32)(c).r < 0 : (s64)(c).r < 0)
#define HOLDS_B_pl(c, w) (!HOLDS_B_mi(c, w))
#define HOLDS_B_lt(c, w) ((w) ? (s32)(u32)(c).a < (s32)(u32)(c).b : (s64)(c).a < (s64)(c).b)
#define HOLDS_B_ge(c, w) (!HOLDS_B_lt(c, w))
#define HOLDS_B_gt(c, w) ((w) ? (s32)(u32)(c).a > (s32)(u32)(c).b : (s64)(c).a > (s64)(c).b)
#define HOLDS_B_le(c, w) (!HOLDS_B_gt(c, w))
#define IS_W(id)         (#id[sizeof(#id) - 2] == '0')
#define IS_SP(id)        (!IS_W(id)) /* of the stamps of loads and stores */

/* ---- sequences: none is inlined into another, so that they stay without frames ---- */

#define DO_PASS cpu, 0, 0, 0, L, i, 0, 0, NULL
/* The first instruction's body, and on to its neighbour; what the body leaves to its handler, that does alone. */
#define DO_FIRST(first)                                                                                                \
    do {                                                                                                               \
        if (unlikely(!do_##first(DO_PASS)))                                                                            \
            return thr_##first(OP_PASS);                                                                               \
        i++;                                                                                                           \
    } while (0)
/* Two bodies in a row. */
#define ALU(first, second)                                                                                             \
    op_fn thr_##first, thr_##second;                                                                                   \
    static NOINLINE void fused_##first##_##second(OP_ARGS)                                                             \
    {                                                                                                                  \
        DO_FIRST(first);                                                                                               \
        if (unlikely(!do_##second(DO_PASS)))                                                                           \
            return thr_##second(OP_PASS);                                                                              \
        NEXT;                                                                                                          \
    }
/* Bodies in a row of which each reads, as its n or m, what the one before wrote: that stays in a host register. `keep`:
 * it is written, too; else the next one overwrites it, or writes it when it leaves its work to its handler. */
#define FLOW_FIRST(id, keep)                                                                                           \
    u64 value;                                                                                                         \
    if (unlikely(!do_##id(cpu, 0, 0, 0, L, i, 0, 0, &value)))                                                          \
        return thr_##id(OP_PASS);                                                                                      \
    FLOW_STEP(keep)
#define FLOW_STEP(keep)                                                                                                \
    if (keep)                                                                                                          \
        RD = value;                                                                                                    \
    i++;
#define FLOW_DO(id, as, keep, to)                                                                                      \
    if (unlikely(!do_##id(cpu, 0, 0, 0, L, i, HANDED_##as, value, to))) {                                              \
        if (!(keep))                                                                                                   \
            cpu->x[i[-1].d] = value;                                                                                   \
        return thr_##id(OP_PASS);                                                                                      \
    }
#define FLOW_NEXT(id, as, keep) FLOW_DO(id, as, keep, &value) FLOW_STEP(keep)
#define FLOW_LAST(id, as, keep) FLOW_DO(id, as, keep, NULL) NEXT;
#define FLOW2(first, as, second)                                                                                       \
    op_fn thr_##first, thr_##second;                                                                                   \
    static NOINLINE void fused_##first##_to_##second(OP_ARGS) { FLOW_FIRST(first, true) FLOW_LAST(second, as, true) }
#define CHAIN2(first, second)                                                                                          \
    op_fn thr_##first, thr_##second;                                                                                   \
    static NOINLINE void fused_##first##_over_##second(OP_ARGS) { FLOW_FIRST(first, false) FLOW_LAST(second, n, false) }
#define CHAIN3(first, second, third)                                                                                   \
    op_fn thr_##first;                                                                                                 \
    static NOINLINE void fused_##first##_over_##second##_over_##third(OP_ARGS)                                         \
    {                                                                                                                  \
        FLOW_FIRST(first, false) FLOW_NEXT(second, n, false) FLOW_LAST(third, n, false)                                \
    }
#define CHAIN4(first, second, third, fourth)                                                                           \
    op_fn thr_##first;                                                                                                 \
    static NOINLINE void fused_##first##_over_##second##_over_##third##_over_##fourth(OP_ARGS)                         \
    {                                                                                                                  \
        FLOW_FIRST(first, false) FLOW_NEXT(second, n, false) FLOW_NEXT(third, n, false) FLOW_LAST(fourth, n, false)    \
    }
/* A body, then straight into the next handler: a jump that needs no prediction of its target. */
#define GO_ON(first, name, handler)                                                                                    \
    op_fn thr_##first, handler;                                                                                        \
    static NOINLINE void fused_##first##_##name(OP_ARGS)                                                               \
    {                                                                                                                  \
        DO_FIRST(first);                                                                                               \
        return handler(OP_PASS);                                                                                       \
    }
#define INTO(first, second) GO_ON(first, second, thr_##second)
#define NEAR(first, second) GO_ON(first, near_##second, near_##second)
#define THEN(first, rest)                                                                                              \
    op_fn thr_##first;                                                                                                 \
    static NOINLINE void fused_##first##_##rest(OP_ARGS)                                                               \
    {                                                                                                                  \
        DO_FIRST(first);                                                                                               \
        return fused_##rest(OP_PASS);                                                                                  \
    }
/* The second slot is the branch: PC, budget and target are its own. */
#define PAIR(first, second)                                                                                            \
    op_fn thr_##first, near_##second;                                                                                  \
    static NOINLINE void fused_##first##_##second(OP_ARGS)                                                             \
    {                                                                                                                  \
        struct compared c = first_##first(cpu, i);                                                                     \
        i++;                                                                                                           \
        if (HOLDS_##second(c, IS_W(first)))                                                                            \
            THREADED_JUMP_NEAR(i->target);                                                                                        \
        NEXT;                                                                                                          \
    }
/* 2 to 4 pairs of registers at one base, one after the other, upwards or downwards: one tag for all of them. */
#define IN_PAGE_up(va, count)   (((va) & 4095) <= 4096 - 16 * (count))
#define IN_PAGE_down(va, count) (((va) & 4095) >= 16 * ((count) - 1))
#define STEP_up                 16
#define STEP_down               (-16)
#define PAIRS_RUN(id, way, count, write, transfer)                                                                     \
    static NOINLINE void fused_##id##_##way##count(OP_ARGS)                                                            \
    {                                                                                                                  \
        u64 va = RN + (u64)IMM;                                                                                        \
        u8 *p = FAST(va, 4, write, false);                                                                             \
        if (unlikely(!p) || unlikely(!IN_PAGE_##way(va, count)) || unlikely(IS_SP(id) && RN & 15))              \
            return thr_##id(OP_PASS);                                                                                  \
        _Pragma("GCC unroll 4") for (unsigned k = 0; k < (count); k++, i++, p += STEP_##way)                                   \
            transfer(p, RD, RB);                                                                                       \
        return i->fn(OP_PASS);                                                                                       \
    }
#define LOAD_BOTH(p, first, second)  (first = load_bytes(p, 3), second = load_bytes(p + 8, 3))
#define STORE_BOTH(p, first, second) (store_bytes(p, 3, first), store_bytes(p + 8, 3, second))
#define LOADS_RUN(id)                                                                                                  \
    op_fn thr_##id;                                                                                                    \
    PAIRS_RUN(id, up, 2, false, LOAD_BOTH)                                                                             \
    PAIRS_RUN(id, up, 3, false, LOAD_BOTH)                                                                             \
    PAIRS_RUN(id, up, 4, false, LOAD_BOTH)                                                                             \
    PAIRS_RUN(id, down, 2, false, LOAD_BOTH)                                                                           \
    PAIRS_RUN(id, down, 3, false, LOAD_BOTH)                                                                           \
    PAIRS_RUN(id, down, 4, false, LOAD_BOTH)
#define STORES_RUN(id)                                                                                                 \
    op_fn thr_##id;                                                                                                    \
    PAIRS_RUN(id, up, 2, true, STORE_BOTH)                                                                             \
    PAIRS_RUN(id, up, 3, true, STORE_BOTH)                                                                             \
    PAIRS_RUN(id, up, 4, true, STORE_BOTH)
#include "cpu/engine/fuse.def"

/* What must hold of two neighbours besides their handlers. */
static bool flows_n(const struct op *i) { return i[1].n == i->d; }
static bool flows_m(const struct op *i) { return i[1].m == i->d; }
static bool chains(const struct op *i) { return i[1].n == i->d && i[1].d == i->d; }
static bool stores_follow(const struct op *i) { return i[1].n == i->n && i[1].imm == i->imm + 16; }
static bool base_stays(const struct op *i) { return i->d != i->n && i->a != i->n; }
static bool loads_follow(const struct op *i) { return stores_follow(i) && base_stays(i); }
static bool loads_precede(const struct op *i) { return i[1].n == i->n && i[1].imm == i->imm - 16 && base_stays(i); }

static const struct sequence {
    op_fn *first, *rest, *fused;
    bool (*fits)(const struct op *i);
} sequences[] = {
#define ALU(first, second)  { thr_##first, thr_##second, fused_##first##_##second, NULL },
#define INTO(first, second) ALU(first, second)
#define FLOW2(first, as, second) { thr_##first, thr_##second, fused_##first##_to_##second, flows_##as },
#define CHAIN2(first, second) { thr_##first, thr_##second, fused_##first##_over_##second, chains },
#define CHAIN3(first, second, third)                                                                                   \
    { thr_##first, fused_##second##_over_##third, fused_##first##_over_##second##_over_##third, chains },
#define CHAIN4(first, second, third, fourth)                                                                           \
    { thr_##first, fused_##second##_over_##third##_over_##fourth,                                                      \
      fused_##first##_over_##second##_over_##third##_over_##fourth, chains },
#define PAIR(first, second) { thr_##first, near_##second, fused_##first##_##second, NULL },
#define NEAR(first, second) { thr_##first, near_##second, fused_##first##_near_##second, NULL },
#define THEN(first, rest)   { thr_##first, fused_##rest, fused_##first##_##rest, NULL },
#define RUNS(id, way, fits)                                                                                            \
    { thr_##id, thr_##id, fused_##id##_##way##2, fits },                                                               \
        { thr_##id, fused_##id##_##way##2, fused_##id##_##way##3, fits },                                              \
        { thr_##id, fused_##id##_##way##3, fused_##id##_##way##4, fits },
#define LOADS_RUN(id)  RUNS(id, up, loads_follow) RUNS(id, down, loads_precede)
#define STORES_RUN(id) RUNS(id, up, stores_follow)
#include "cpu/engine/fuse.def"
};

static_assert(ARRAY_LEN(sequences) < FUSE_SLOTS / 2, "the table of sequences stays sparse");

op_fn *fuse_handler(unsigned n) { return sequences[n].fused; }

static unsigned hash_one(op_fn *first) { return (unsigned)((u64)(uintptr_t)first * 0x9e3779b97f4a7c15 >> 52); }

static unsigned hash_two(op_fn *first, op_fn *rest)
{
    return (unsigned)(((u64)(uintptr_t)first * 31 + (u64)(uintptr_t)rest) * 0x9e3779b97f4a7c15 >> 40) % FUSE_SLOTS;
}

static void set_bit(u64 *set, unsigned n) { set[n / 64] |= BIT(n % 64); }
static bool in_set(const u64 *set, unsigned n) { return set[n / 64] >> n % 64 & 1; }

/* Sequences by their fused handlers, which others go on with; as f->slot, but by a hash of one handler. */
enum { FUSED_SLOTS = 4096 };
static void by_fused_fill(u16 slots[FUSED_SLOTS])
{
    for (unsigned n = 0; n < ARRAY_LEN(sequences); n++) {
        unsigned slot = hash_one(sequences[n].fused);
        while (slots[slot])
            slot = (slot + 1) % FUSED_SLOTS;
        slots[slot] = (u16)(n + 1);
    }
}

void fuse_build(struct fuse *f)
{
    u16 by_fused[FUSED_SLOTS] = { 0 };
    by_fused_fill(by_fused);
    memset(f, 0, sizeof(*f));
    for (unsigned n = 0; n < ARRAY_LEN(sequences); n++) {
        const struct sequence *s = &sequences[n];
        unsigned slot = hash_two(s->first, s->rest);
        while (f->slot[slot])
            slot = (slot + 1) % FUSE_SLOTS;
        f->slot[slot] = (u16)(n + 1);
        set_bit(f->begins, hash_one(s->first));
        for (unsigned k = hash_one(s->rest), r; (r = by_fused[k]); k = (k + 1) % FUSED_SLOTS)
            if (sequences[r - 1].fused == s->rest)
                set_bit(f->goes_on, hash_two(s->first, sequences[r - 1].first));
    }
}

bool fuse_wants_more(const struct fuse *f, const struct op *ops, unsigned count)
{
    return count == 1 ? in_set(f->begins, hash_one(ops[0].fn))
                      : in_set(f->goes_on, hash_two(ops[count - 2].fn, ops[count - 1].fn));
}

static op_fn *find(const struct fuse *f, const struct op *i, op_fn *rest)
{
    for (unsigned slot = hash_two(i->fn, rest); f->slot[slot]; slot = (slot + 1) % FUSE_SLOTS) {
        const struct sequence *s = &sequences[f->slot[slot] - 1];
        if (s->first == i->fn && s->rest == rest && (!s->fits || s->fits(i)))
            return s->fused;
    }
    return NULL;
}

op_fn *fuse_find(const struct fuse *f, const struct op *ops, unsigned count)
{
    op_fn *rest = ops[count - 1].fn;
    for (unsigned n = count - 1; n-- > 0;) {
        op_fn *fused = find(f, &ops[n], rest);
        if (!fused && rest != ops[n + 1].fn)
            fused = find(f, &ops[n], ops[n + 1].fn);
        rest = fused ? fused : ops[n].fn;
    }
    return rest;
}
