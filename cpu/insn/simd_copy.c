/* Advanced SIMD moves: copies, immediates, reversals, permutes, tables. Rows: cpu/insn/simd_int.def. Arm ARM C7.2. */
#include "cpu/insn/op.h"

/* ---- copy ---- */

#define REPEAT(f, value)                                                                                               \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = { { 0, 0 } };                                                                                   \
        __typeof__(r.f[0]) v = (__typeof__(r.f[0]))(value);                                                            \
        for (unsigned k = 0; k < (q ? 16 : 8) / sizeof v; k++)                                                         \
            r.f[k] = v;                                                                                                \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
#define ZERO_EXTENDED(value) (union vreg){ .d = { (value), 0 } }
#define COPIES(size, f)                                                                                                \
    OP_Q(DUP_e_##size) REPEAT(f, VN.f[i->imm])                                                                         \
    OP_Q(DUP_g_##size) REPEAT(f, RN)                                                                                   \
    OP(DUP_s_##size) { FP_CHECK; VD = ZERO_EXTENDED(VN.f[i->imm]); NEXT; }                                             \
    OP(INS_g_##size) { FP_CHECK; VD.f[i->imm] = (__typeof__(VD.f[0]))RN; NEXT; }                                       \
    OP(INS_e_##size) { FP_CHECK; VD.f[i->imm & 0xff] = VN.f[i->imm >> 8]; NEXT; }                                      \
    OP(UMOV_##size) { FP_CHECK; RD = VN.f[i->imm]; NEXT; }
COPIES(b, b)
COPIES(h, h)
COPIES(w, s)
COPIES(d, d)
OP_S(SMOV_b) { FP_CHECK; RD = SIZED(s, (s8)VN.b[i->imm]); NEXT; }
OP_S(SMOV_h) { FP_CHECK; RD = SIZED(s, (s16)VN.h[i->imm]); NEXT; }
OP(SMOV_w) { FP_CHECK; RD = (u64)(s32)VN.s[i->imm]; NEXT; }

/* ---- modified immediate ---- */

/* v is the immediate in both halves of 64 bits. */
#define IMMEDIATE(id, e)                                                                                               \
    OP_Q(id)                                                                                                           \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        const u64 v = WORD * 0x100000001ull;                                                                           \
        VD.d[0] = (e(VD.d[0], v));                                                                                     \
        VD.d[1] = q ? (e(VD.d[1], v)) : 0;                                                                             \
        NEXT;                                                                                                          \
    }
#define IMM_MOVE(d, v) (v)
#define IMM_OR(d, v)   ((d) | (v))
#define IMM_AND(d, v)  ((d) & (v))
IMMEDIATE(MOVI_w, IMM_MOVE)
IMMEDIATE(MOVI_h, IMM_MOVE)
IMMEDIATE(MOVI_m, IMM_MOVE)
IMMEDIATE(MOVI_b, IMM_MOVE)
IMMEDIATE(MVNI_w, IMM_MOVE)
IMMEDIATE(MVNI_h, IMM_MOVE)
IMMEDIATE(MVNI_m, IMM_MOVE)
IMMEDIATE(FMOV_vs, IMM_MOVE)
IMMEDIATE(ORR_w, IMM_OR)
IMMEDIATE(ORR_h, IMM_OR)
IMMEDIATE(BIC_w, IMM_AND)
IMMEDIATE(BIC_h, IMM_AND)

/* Each bit of the immediate becomes a byte. */
OP_Q(MOVI_d)
{
    FP_CHECK;
    u64 low = (WORD & 0x7f) * 0x02040810204081ull & 0x0101010101010101ull; /* bit n to bit 8n, for n < 7 */
    u64 v = (low | (u64)(WORD >> 7 & 1) << 56) * 0xff;
    VD = (union vreg){ .d = { v, q ? v : 0 } };
    NEXT;
}
OP(FMOV_vd) { FP_CHECK; VD.d[0] = VD.d[1] = (u64)WORD << 32; NEXT; }

/* ---- reversals and bit counts: 64 bits at a time ---- */

static ALWAYS_INLINE u64 swap_bytes(u64 v)
{
    return (v >> 8 & 0x00ff00ff00ff00ffull) | (v & 0x00ff00ff00ff00ffull) << 8;
}
static ALWAYS_INLINE u64 swap_halves(u64 v)
{
    return (v >> 16 & 0x0000ffff0000ffffull) | (v & 0x0000ffff0000ffffull) << 16;
}

static ALWAYS_INLINE u64 bits_reversed(u64 v)
{
    v = (v >> 1 & 0x5555555555555555ull) | (v & 0x5555555555555555ull) << 1;
    v = (v >> 2 & 0x3333333333333333ull) | (v & 0x3333333333333333ull) << 2;
    return (v >> 4 & 0x0f0f0f0f0f0f0f0full) | (v & 0x0f0f0f0f0f0f0f0full) << 4;
}

static ALWAYS_INLINE u64 bits_counted(u64 v)
{
    v -= v >> 1 & 0x5555555555555555ull;
    v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
    return (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
}

#define BY_64(a, e)                                                                                                    \
    FP_CHECK;                                                                                                          \
    union vreg r = { { 0, 0 } };                                                                                       \
    for (unsigned k = 0; k < (q ? 2 : 1); k++) {                                                                       \
        u64 a = VN.d[k];                                                                                               \
        r.d[k] = (e);                                                                                                  \
    }                                                                                                                  \
    VD = r;                                                                                                            \
    NEXT

OP_Q(NOT_v) { BY_64(a, ~a); }
OP_Q(RBIT_v) { BY_64(a, bits_reversed(a)); }
OP_QZ(CNT_v) { (void)z; BY_64(a, bits_counted(a)); }
OP_QZ(REV16_v) { (void)z; BY_64(a, swap_bytes(a)); }
OP_QZ(REV32_v) { BY_64(a, z ? swap_halves(a) : swap_halves(swap_bytes(a))); }
OP_QZ(REV64_v)
{
    BY_64(a, z == 0 ? __builtin_bswap64(a) : z == 1 ? swap_halves(a >> 32 | a << 32) : a >> 32 | a << 32);
}

/* ---- permutes: which lane of Vn:Vm lane k of the result is; n lanes a register ---- */

#define PERMUTE_LOOP(f, which)                                                                                         \
    {                                                                                                                  \
        const unsigned n = (q ? 16 : 8) / sizeof(r.f[0]);                                                              \
        for (unsigned k = 0; k < n; k++) {                                                                             \
            const unsigned from = (which);                                                                             \
            r.f[k] = from < n ? vn.f[from] : vm.f[from - n];                                                           \
        }                                                                                                              \
    }
#define PERMUTE(id, which)                                                                                             \
    OP_QZ(id)                                                                                                          \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r = { { 0, 0 } }, vn = VN, vm = VM;                                                                 \
        switch (z) {                                                                                                   \
        case 0: PERMUTE_LOOP(b, which) break;                                                                          \
        case 1: PERMUTE_LOOP(h, which) break;                                                                          \
        case 2: PERMUTE_LOOP(s, which) break;                                                                          \
        default: PERMUTE_LOOP(d, which)                                                                                \
        }                                                                                                              \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
PERMUTE(UZP1, 2 * k)
PERMUTE(UZP2, 2 * k + 1)
PERMUTE(TRN1, (k & ~1u) + (k & 1) * n)
PERMUTE(TRN2, (k | 1) + (k & 1) * n)
PERMUTE(ZIP1, k / 2 + (k & 1) * n)
PERMUTE(ZIP2, n / 2 + k / 2 + (k & 1) * n)

OP_Q(EXT)
{
    FP_CHECK;
    const unsigned bit = (unsigned)i->imm * 8 & 63;
    u64 from[4] = { VN.d[0], q ? VN.d[1] : VM.d[0], VM.d[0], VM.d[1] };
    const u64 *p = &from[q ? i->imm / 8 : 0];
    u64 low = p[0] >> bit | p[1] << 1 << (63 - bit), high = q ? p[1] >> bit | p[2] << 1 << (63 - bit) : 0;
    VD = (union vreg){ .d = { low, high } };
    NEXT;
}

/* imm = bytes in the table, which is 1 to 4 registers from Vn on, V0 after V31. */
#define TABLE(missing)                                                                                                 \
    FP_CHECK;                                                                                                          \
    union vreg r = { { 0, 0 } }, index = VM;                                                                           \
    for (unsigned k = 0; k < (q ? 16 : 8); k++) {                                                                      \
        const unsigned at = index.b[k];                                                                                \
        r.b[k] = at < (unsigned)i->imm ? cpu->v[(i->n + at / 16) & 31].b[at % 16] : (missing);                         \
    }                                                                                                                  \
    VD = r;                                                                                                            \
    NEXT
OP_Q(TBL) { TABLE(0); }
OP_Q(TBX) { TABLE(VD.b[k]); }
