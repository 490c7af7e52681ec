/*
 * Fused pairs of the threaded engine: the bodies of cpu/fuse.def, and finding them at decode (DESIGN section 4). A pair
 * saves a dispatch, and the branch decides from the operands of the compare instead of from the flags in memory, which
 * are written all the same.
 */
#define ENGINE 2
#include "cpu/fuse.h"

/* The bodies themselves, as inline functions do_ID (cpu/op.h). */
#include "cpu/dpimm.c"
#include "cpu/dpreg.c"

/* The ends of the threaded engine. */
#undef NEXT
#undef OPN
#define OPN(id) thr_##id
#define NEXT    return i[1].fn(cpu, i + 1, L)
op_fn thr_raise;
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
FIRST(ANDS_lsl_0, false, RM << i->imm, TESTED(false))
FIRST(ANDS_lsl_1, true, RM << i->imm, TESTED(true))

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

/* Two bodies in a row. */
#define ALU(first, second)                                                                                             \
    static void fused_##first##_##second(OP_ARGS)                                                                      \
    {                                                                                                                  \
        do_##first(OP_PASS);                                                                                           \
        i++;                                                                                                           \
        do_##second(OP_PASS);                                                                                          \
        NEXT;                                                                                                          \
    }
/* A body, then straight into the handler of the next slot: a jump that needs no prediction of its target. */
#define INTO(first, second)                                                                                            \
    op_fn thr_##second;                                                                                                \
    static void fused_##first##_##second(OP_ARGS)                                                                      \
    {                                                                                                                  \
        do_##first(OP_PASS);                                                                                           \
        return thr_##second(cpu, i + 1, L);                                                                            \
    }
/* The same for a direct branch in the page. */
#define NEAR(first, second)                                                                                            \
    op_fn near_##second;                                                                                               \
    static void fused_##first##_near_##second(OP_ARGS)                                                                 \
    {                                                                                                                  \
        do_##first(OP_PASS);                                                                                           \
        return near_##second(cpu, i + 1, L);                                                                           \
    }
/* The second slot is the branch: PC, budget and target are its own. */
#define PAIR(first, second)                                                                                            \
    static void fused_##first##_##second(OP_ARGS)                                                                      \
    {                                                                                                                  \
        struct compared c = first_##first(cpu, i);                                                                     \
        i++;                                                                                                           \
        if (HOLDS_##second(c, IS_W(first)))                                                                            \
            THREADED_JUMP_NEAR;                                                                                        \
        NEXT;                                                                                                          \
    }
#include "cpu/fuse.def"
#undef PAIR
#undef ALU
#undef INTO
#undef NEAR

#define PAIR(first, second) op_fn thr_##first, near_##second;
#define ALU(first, second)  op_fn thr_##first, thr_##second;
#define INTO(first, second) op_fn thr_##first, thr_##second;
#define NEAR(first, second) op_fn thr_##first, near_##second;
#include "cpu/fuse.def"
#undef PAIR
#undef ALU
#undef INTO
#undef NEAR

static const struct pair {
    op_fn *first, *second, *fused;
} pairs[] = {
#define PAIR(first, second) { thr_##first, near_##second, fused_##first##_##second },
#define ALU(first, second)  { thr_##first, thr_##second, fused_##first##_##second },
#define INTO(first, second) ALU(first, second)
#define NEAR(first, second) { thr_##first, near_##second, fused_##first##_near_##second },
#include "cpu/fuse.def"
};

static_assert(ARRAY_LEN(pairs) < FUSE_SLOTS / 2, "the table of pairs stays sparse");

static unsigned hash_one(op_fn *first) { return (unsigned)((u64)(uintptr_t)first * 0x9e3779b97f4a7c15 >> 52); }

static unsigned hash_two(op_fn *first, op_fn *second)
{
    return (unsigned)(((u64)(uintptr_t)first * 31 + (u64)(uintptr_t)second) * 0x9e3779b97f4a7c15 >> 40) % FUSE_SLOTS;
}

void fuse_build(struct fuse *f)
{
    memset(f, 0, sizeof(*f));
    for (unsigned n = 0; n < ARRAY_LEN(pairs); n++) {
        unsigned one = hash_one(pairs[n].first), slot = hash_two(pairs[n].first, pairs[n].second);
        while (f->slot[slot])
            slot = (slot + 1) % FUSE_SLOTS;
        f->slot[slot] = (u16)(n + 1);
        f->begins[one / 64] |= BIT(one % 64);
    }
}

op_fn *fuse_find(const struct fuse *f, op_fn *first, op_fn *second)
{
    for (unsigned slot = hash_two(first, second); f->slot[slot]; slot = (slot + 1) % FUSE_SLOTS) {
        const struct pair *p = &pairs[f->slot[slot] - 1];
        if (p->first == first && p->second == second)
            return p->fused;
    }
    return NULL;
}

bool fuse_may_begin(const struct fuse *f, op_fn *first)
{
    unsigned one = hash_one(first);
    return f->begins[one / 64] >> one % 64 & 1;
}
