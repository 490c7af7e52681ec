/*
 * QARMA-64 as pointer authentication uses it (Arm ARM, shared pseudocode ComputePACQARMA): QARMA5 with S-box sigma2,
 * QARMA3 with sigma1. A state is 16 cells of 4 bits, cell 0 in the top bits. What a permutation of cells does is done
 * by groups of cells that move by the same distance.
 */
#include "cpu/ops/pauth.h"

static u64 rol(u64 v, unsigned n) { return n ? v << n | v >> (64 - n) : v; }

/* Moves cells: those of `to` come from `distance` bits below. */
struct move {
    u64 to;
    unsigned distance;
};
#define CELL(lsb) (0xfull << (lsb))

/* The permutation tau of the state, and its inverse. */
static const struct move tau[] = {
    { CELL(32) | CELL(60), 0 },  { CELL(0) | CELL(12), 12 },  { CELL(52), 16 }, { CELL(24), 20 }, { CELL(36) | CELL(44), 24 },
    { CELL(8), 28 },             { CELL(20), 36 },            { CELL(48) | CELL(56), 40 }, { CELL(4), 44 }, { CELL(40), 48 },
    { CELL(16) | CELL(28), 52 },
};
static ALWAYS_INLINE u64 shuffle(u64 v)
{
    u64 r = 0;
    for (unsigned n = 0; n < ARRAY_LEN(tau); n++)
        r |= rol(v, tau[n].distance) & tau[n].to;
    return r;
}
static ALWAYS_INLINE u64 shuffle_inverse(u64 v)
{
    u64 r = 0;
    for (unsigned n = 0; n < ARRAY_LEN(tau); n++)
        r |= rol(v & tau[n].to, (64 - tau[n].distance) & 63);
    return r;
}

static ALWAYS_INLINE u64 cells_rol1(u64 v) { return (v & 0x7777777777777777) << 1 | (v >> 3 & 0x1111111111111111); }
static ALWAYS_INLINE u64 cells_rol2(u64 v) { return (v & 0x3333333333333333) << 2 | (v >> 2 & 0x3333333333333333); }

/* The columns times circ(0, rho, rho^2, rho): its own inverse. */
static ALWAYS_INLINE u64 mix_columns(u64 v) { return cells_rol1(rol(v, 16) ^ rol(v, 48)) ^ cells_rol2(rol(v, 32)); }

/* The tweak of the next round: permutation h, then the LFSR on some cells. */
static u64 tweak_next(u64 t)
{
    u64 r = (t >> 16 & 0x000000000000ffff)      /* 16..31 to 0..15 */
            | (t >> 28 & CELL(16))              /* 44 to 16 */
            | (t << 12 & (CELL(20) | CELL(24))) /* 8, 12 to 20, 24 */
            | (t >> 4 & CELL(28))               /* 32 to 28 */
            | (t >> 16 & 0x0000ffff00000000)    /* 48..63 to 32..47 */
            | (t << 48 & (CELL(48) | CELL(52))) /* 0, 4 to 48, 52 */
            | (t << 16 & CELL(56))              /* 40 to 56 */
            | (t << 24 & CELL(60));             /* 36 to 60 */
    const u64 lfsr = CELL(8) | CELL(16) | CELL(28) | CELL(44) | CELL(48) | CELL(56) | CELL(60);
    u64 x = r & lfsr, stepped = (x >> 1 & 0x7777777777777777) | ((x ^ x >> 1) & 0x1111111111111111) << 3;
    return (r & ~lfsr) | (stepped & lfsr);
}

/* An S-box on two cells at once. */
#define PAIR(hi, lo) (hi) << 4 | (lo)
#define PAIRS(hi, s)                                                                                                   \
    PAIR(hi, s##0), PAIR(hi, s##1), PAIR(hi, s##2), PAIR(hi, s##3), PAIR(hi, s##4), PAIR(hi, s##5), PAIR(hi, s##6),    \
    PAIR(hi, s##7), PAIR(hi, s##8), PAIR(hi, s##9), PAIR(hi, s##a), PAIR(hi, s##b), PAIR(hi, s##c), PAIR(hi, s##d),    \
    PAIR(hi, s##e), PAIR(hi, s##f)
#define SBOX(s)                                                                                                        \
    { PAIRS(s##0, s), PAIRS(s##1, s), PAIRS(s##2, s), PAIRS(s##3, s), PAIRS(s##4, s), PAIRS(s##5, s),                  \
      PAIRS(s##6, s), PAIRS(s##7, s), PAIRS(s##8, s), PAIRS(s##9, s), PAIRS(s##a, s), PAIRS(s##b, s),                  \
      PAIRS(s##c, s), PAIRS(s##d, s), PAIRS(s##e, s), PAIRS(s##f, s) }
enum {
    SIGMA1_0 = 10, SIGMA1_1 = 13, SIGMA1_2 = 14, SIGMA1_3 = 6, SIGMA1_4 = 15, SIGMA1_5 = 7, SIGMA1_6 = 3, SIGMA1_7 = 5,
    SIGMA1_8 = 9, SIGMA1_9 = 8, SIGMA1_a = 0, SIGMA1_b = 12, SIGMA1_c = 11, SIGMA1_d = 1, SIGMA1_e = 2, SIGMA1_f = 4,
    SIGMA2_0 = 11, SIGMA2_1 = 6, SIGMA2_2 = 8, SIGMA2_3 = 15, SIGMA2_4 = 12, SIGMA2_5 = 0, SIGMA2_6 = 9, SIGMA2_7 = 14,
    SIGMA2_8 = 3, SIGMA2_9 = 7, SIGMA2_a = 4, SIGMA2_b = 5, SIGMA2_c = 13, SIGMA2_d = 2, SIGMA2_e = 1, SIGMA2_f = 10,
    INVERSE_0 = 5, INVERSE_1 = 14, INVERSE_2 = 13, INVERSE_3 = 8, INVERSE_4 = 10, INVERSE_5 = 11, INVERSE_6 = 1, INVERSE_7 = 9,
    INVERSE_8 = 2, INVERSE_9 = 6, INVERSE_a = 15, INVERSE_b = 0, INVERSE_c = 4, INVERSE_d = 12, INVERSE_e = 7, INVERSE_f = 3,
};
static const u8 sigma1[256] = SBOX(SIGMA1_), sigma2[256] = SBOX(SIGMA2_), sigma2_inverse[256] = SBOX(INVERSE_);

static ALWAYS_INLINE u64 substitute(u64 v, const u8 *box)
{
    u64 r = 0;
    for (unsigned n = 0; n < 64; n += 8)
        r |= (u64)box[v >> n & 255] << n;
    return r;
}

u64 qarma_code(u64 data, u64 modifier, u64 key0, u64 key1, bool qarma3)
{
    static const u64 constant[] = { 0, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377 };
    const u64 alpha = 0xc0ac29b7c97c50dd, whitening = rol(key0, 63) ^ key0 >> 63;
    const u8 *box = qarma3 ? sigma1 : sigma2, *inverse = qarma3 ? sigma1 : sigma2_inverse;
    const unsigned last = qarma3 ? 2 : 4;
    u64 tweak[6] = { modifier }, v = data ^ key0;
    for (unsigned n = 0; n <= last; n++) {
        v ^= key1 ^ tweak[n] ^ constant[n];
        if (n)
            v = mix_columns(shuffle(v));
        v = substitute(v, box);
        tweak[n + 1] = tweak_next(tweak[n]);
    }
    v = substitute(mix_columns(shuffle(v ^ whitening ^ tweak[last + 1])), box);
    v = mix_columns(shuffle(v)) ^ key1;
    v = mix_columns(substitute(shuffle_inverse(v), inverse));
    v = shuffle_inverse(v) ^ key0 ^ tweak[last + 1];
    for (unsigned n = 0; n <= last; n++) {
        v = substitute(v, inverse);
        if (n < last)
            v = shuffle_inverse(mix_columns(v));
        v ^= key1 ^ tweak[last - n] ^ constant[last - n] ^ alpha;
    }
    return v ^ whitening;
}
