/*
 * Whole published algorithms made of the cryptographic instructions, decoded and executed as words by both engines'
 * handlers: FIPS 197 (AES-128), FIPS 180-4 (SHA-1, SHA-256, SHA-512 of "abc"), GB/T 32907 (SM4), carry-less products
 * against a bitwise loop, and dot products against plain sums. Also that each needs its feature.
 */
#include <check.h>
#include <stdlib.h>
#include "tests/unit/word.h"

Suite *test_crypto_suite(void);

/* ---- executing one word ---- */

static struct decoder *decoder;
static struct cpu *cpu;

static void execute(u32 word)
{
    struct cpu before = *cpu, after;
    for (enum engine e = ENGINE_STEP; e < ENGINES; e++) {
        *cpu = before;
        word_execute(cpu, decoder, word, e);
        if (e == ENGINE_STEP)
            after = *cpu;
    }
    ck_assert_mem_eq(after.v, cpu->v, sizeof after.v);
}

#define OP2(code, d, n)       execute((code) | (u32)(n) << 5 | (u32)(d))
#define OP3(code, d, n, m)    execute((code) | (u32)(m) << 16 | (u32)(n) << 5 | (u32)(d))
enum {
    AESE = 0x4e284800, AESD = 0x4e285800, AESMC = 0x4e286800, AESIMC = 0x4e287800,
    SHA1C = 0x5e000000, SHA1P = 0x5e001000, SHA1M = 0x5e002000, SHA1SU0 = 0x5e003000,
    SHA1H = 0x5e280800, SHA1SU1 = 0x5e281800,
    SHA256H = 0x5e004000, SHA256H2 = 0x5e005000, SHA256SU1 = 0x5e006000, SHA256SU0 = 0x5e282800,
    PMULL_1Q = 0x0ee0e000, PMULL2_1Q = 0x4ee0e000, EXT_8 = 0x6e004000, EOR_16B = 0x6e201c00, MOV_16B = 0x4ea01c00,
    ADD_4S = 0x4ea08400, ADD_2D = 0x4ee08400, UDOT_4S = 0x6e809400, SDOT_4S = 0x4e809400, USDOT_4S = 0x4e809c00,
};
#define SHA512H   0xce608000u
#define SHA512H2  0xce608400u
#define SHA512SU1 0xce608800u
#define SHA512SU0 0xcec08000u
#define SM4E      0xcec08400u
#define SM4EKEY   0xce60c800u

static void setup(void)
{
    struct features all;
    memset(&all, 0xff, sizeof all);
    decoder = decoder_create(&all);
    cpu = calloc(1, sizeof *cpu);
    ck_assert(decoder && cpu);
}

static void teardown(void)
{
    decoder_destroy(decoder);
    free(cpu);
}

/* Registers from and to bytes in memory order, written as two numbers of 8 bytes each, first byte first. */
static void set_bytes(unsigned reg, u64 first, u64 second)
{
    cpu->v[reg] = (union vreg){ .d = { __builtin_bswap64(first), __builtin_bswap64(second) } };
}
static void assert_bytes(unsigned reg, u64 first, u64 second)
{
    ck_assert_uint_eq(__builtin_bswap64(cpu->v[reg].d[0]), first);
    ck_assert_uint_eq(__builtin_bswap64(cpu->v[reg].d[1]), second);
}

/* ---- AES ---- */

/* Round keys 0 to 10 to V16 on. AESE with a zero key is SubBytes and ShiftRows; the latter does nothing to equal
 * columns. */
static void expand_key(void)
{
    u32 w[44], rcon = 1;
    memcpy(w, &cpu->v[16], 16);
    for (unsigned n = 4; n < 44; n++) {
        u32 t = w[n - 1];
        if (n % 4 == 0) {
            cpu->v[0] = (union vreg){ { 0, 0 } };
            cpu->v[1] = (union vreg){ .s = { t, t, t, t } };
            OP2(AESE, 0, 1);
            t = (cpu->v[0].s[0] >> 8 | cpu->v[0].s[0] << 24) ^ rcon;
            rcon = rcon << 1 ^ (rcon & 0x80 ? 0x11b : 0);
        }
        w[n] = w[n - 4] ^ t;
    }
    memcpy(&cpu->v[16], w, sizeof w);
}

START_TEST(aes_fips197)
{
    set_bytes(16, 0x0001020304050607, 0x08090a0b0c0d0e0f);
    expand_key();
    set_bytes(0, 0x0011223344556677, 0x8899aabbccddeeff);
    for (unsigned k = 0; k < 10; k++) {
        OP2(AESE, 0, 16 + k);
        if (k < 9)
            OP2(AESMC, 0, 0);
    }
    OP3(EOR_16B, 0, 0, 26);
    assert_bytes(0, 0x69c4e0d86a7b0430, 0xd8cdb78070b4c55a);
    for (unsigned k = 10; k > 0; k--) {
        OP3(MOV_16B, 1, 16 + k, 16 + k);
        if (k < 10)
            OP2(AESIMC, 1, 1); /* the equivalent inverse cipher's key */
        OP2(AESD, 0, 1);
        if (k > 1)
            OP2(AESIMC, 0, 0);
    }
    OP3(EOR_16B, 0, 0, 16);
    assert_bytes(0, 0x0011223344556677, 0x8899aabbccddeeff);
}
END_TEST

/* ---- SHA ---- */

/* Fractions of the cube roots of the first 80 primes; SHA-256 uses the upper halves of the first 64. */
static const u64 sha_constants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* Message "abc" of a 64-byte block as words of lanes in V4 to V7. */
static void message32(void)
{
    for (unsigned n = 4; n < 8; n++)
        cpu->v[n] = (union vreg){ { 0, 0 } };
    cpu->v[4].s[0] = 0x61626380;
    cpu->v[7].s[3] = 24;
}

START_TEST(sha1_abc)
{
    static const u32 k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    static const u32 hash[4] = { SHA1C, SHA1P, SHA1M, SHA1P };
    const union vreg start = { .s = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
    message32();
    cpu->v[0] = start;
    cpu->v[1].s[0] = 0xc3d2e1f0;
    for (unsigned n = 0; n < 20; n++) {
        unsigned w = n % 4;
        cpu->v[2] = (union vreg){ .s = { k[n / 5], k[n / 5], k[n / 5], k[n / 5] } };
        OP3(ADD_4S, 2, 2, 4 + w);
        OP2(SHA1H, 3, 0);
        OP3(hash[n / 5], 0, 1, 2);
        OP3(MOV_16B, 1, 3, 3);
        OP3(SHA1SU0, 4 + w, 4 + (w + 1) % 4, 4 + (w + 2) % 4);
        OP2(SHA1SU1, 4 + w, 4 + (w + 3) % 4);
    }
    static const u32 want[5] = { 0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d };
    for (unsigned n = 0; n < 4; n++)
        ck_assert_uint_eq(cpu->v[0].s[n] + start.s[n], want[n]);
    ck_assert_uint_eq(cpu->v[1].s[0] + 0xc3d2e1f0, want[4]);
    ck_assert_uint_eq(cpu->v[3].d[1], 0);
}
END_TEST

START_TEST(sha256_abc)
{
    static const u32 start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    static const u32 want[8] = { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad };
    message32();
    memcpy(&cpu->v[0], start, sizeof start);
    for (unsigned n = 0; n < 16; n++) {
        unsigned w = n % 4;
        for (unsigned j = 0; j < 4; j++)
            cpu->v[2].s[j] = (u32)(sha_constants[4 * n + j] >> 32);
        OP3(ADD_4S, 2, 2, 4 + w);
        OP3(MOV_16B, 3, 0, 0);
        OP3(SHA256H, 0, 1, 2);
        OP3(SHA256H2, 1, 3, 2);
        OP2(SHA256SU0, 4 + w, 4 + (w + 1) % 4);
        OP3(SHA256SU1, 4 + w, 4 + (w + 2) % 4, 4 + (w + 3) % 4);
    }
    for (unsigned n = 0; n < 8; n++)
        ck_assert_uint_eq(cpu->v[n / 4].s[n % 4] + start[n], want[n]);
}
END_TEST

START_TEST(sha512_abc)
{
    static const u64 start[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };
    static const u64 want[8] = { 0xddaf35a193617aba, 0xcc417349ae204131, 0x12e6fa4e89a97ea2, 0x0a9eeee64b55d39a,
                                 0x2192992a274fc1a8, 0x36ba3c23a3feebbd, 0x454d4423643ce80e, 0x2a9ac94fa54ca49f };
    /* V0 ab, V1 cd, V2 ef, V3 gh; V16 to V23 the message. */
    memcpy(&cpu->v[0], start, sizeof start);
    memset(&cpu->v[16], 0, 8 * sizeof cpu->v[0]);
    cpu->v[16].d[0] = 0x6162638000000000;
    cpu->v[23].d[1] = 24;
    for (unsigned n = 0; n < 40; n++) {
        unsigned w = n % 8;
        memcpy(&cpu->v[8], &sha_constants[2 * n], 16);
        OP3(ADD_2D, 8, 8, 16 + w);
        OP3(EXT_8, 8, 8, 8);
        OP3(ADD_2D, 8, 8, 3);
        OP3(EXT_8, 9, 2, 3);
        OP3(EXT_8, 10, 1, 2);
        OP3(SHA512H, 8, 9, 10);
        OP3(ADD_2D, 4, 1, 8);
        OP3(SHA512H2, 8, 1, 0);
        OP3(MOV_16B, 3, 2, 2);
        OP3(MOV_16B, 2, 4, 4);
        OP3(MOV_16B, 1, 0, 0);
        OP3(MOV_16B, 0, 8, 8);
        OP2(SHA512SU0, 16 + w, 16 + (w + 1) % 8);
        OP3(EXT_8, 9, 16 + (w + 4) % 8, 16 + (w + 5) % 8);
        OP3(SHA512SU1, 16 + w, 16 + (w + 7) % 8, 9);
    }
    for (unsigned n = 0; n < 8; n++)
        ck_assert_uint_eq(cpu->v[n / 2].d[n % 2] + start[n], want[n]);
}
END_TEST

/* ---- SM4: key and plain text are the same in the standard's example ---- */

START_TEST(sm4_example)
{
    static const u32 text[4] = { 0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210 };
    static const u32 family[4] = { 0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc };
    static const u32 want[4] = { 0x681edf34, 0xd206965e, 0x86b3e94f, 0x536e4246 };
    for (unsigned n = 0; n < 4; n++) {
        cpu->v[0].s[n] = text[n];
        cpu->v[1].s[n] = text[n] ^ family[n];
    }
    for (unsigned n = 0; n < 8; n++) {
        for (unsigned j = 0; j < 16; j++) /* CK: byte j of word i is 7 * (4i + j) modulo 256, first byte on top */
            cpu->v[2].b[(j & 12) + 3 - (j & 3)] = (u8)(7 * (16 * n + j));
        OP3(SM4EKEY, 1, 1, 2);
        OP2(SM4E, 0, 1);
    }
    for (unsigned n = 0; n < 4; n++)
        ck_assert_uint_eq(cpu->v[0].s[3 - n], want[n]);
}
END_TEST

/* ---- products ---- */

static u64 seed = 0x9e3779b97f4a7c15;
static u64 next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

START_TEST(carryless_products)
{
    for (unsigned n = 0; n < 1000; n++) {
        union vreg a = { .d = { next_random(), next_random() } }, b = { .d = { next_random(), next_random() } };
        for (unsigned half = 0; half < 2; half++) {
            u128 want = 0;
            for (unsigned k = 0; k < 64; k++)
                want ^= b.d[half] >> k & 1 ? (u128)a.d[half] << k : 0;
            cpu->v[1] = a;
            cpu->v[2] = b;
            OP3(half ? (u32)PMULL2_1Q : (u32)PMULL_1Q, 0, 1, 2);
            ck_assert_uint_eq(cpu->v[0].d[0], (u64)want);
            ck_assert_uint_eq(cpu->v[0].d[1], (u64)(want >> 64));
        }
    }
}
END_TEST

START_TEST(dot_products)
{
    for (unsigned n = 0; n < 1000; n++) {
        u32 sums[3][4];
        for (unsigned r = 0; r < 3; r++)
            cpu->v[r] = (union vreg){ .d = { next_random(), next_random() } };
        for (unsigned k = 0; k < 4; k++) {
            sums[0][k] = sums[1][k] = sums[2][k] = cpu->v[0].s[k];
            for (unsigned j = 4 * k; j < 4 * k + 4; j++) {
                u8 a = cpu->v[1].b[j], b = cpu->v[2].b[j];
                sums[0][k] += (u32)(a * b);
                sums[1][k] += (u32)((s8)a * (s8)b);
                sums[2][k] += (u32)(a * (s8)b);
            }
        }
        static const u32 code[3] = { UDOT_4S, SDOT_4S, USDOT_4S };
        union vreg addend = cpu->v[0];
        for (unsigned r = 0; r < 3; r++) {
            cpu->v[0] = addend;
            OP3(code[r], 0, 1, 2);
            ck_assert_mem_eq(&cpu->v[0], sums[r], 16);
        }
    }
}
END_TEST

/* ---- features ---- */

START_TEST(feature_gates)
{
    static const struct {
        u32 word;
        enum feature feature;
    } gated[] = {
        { AESE, FEAT_AES },        { PMULL_1Q, FEAT_PMULL },  { SHA1C, FEAT_SHA1 },     { SHA256H, FEAT_SHA256 },
        { SHA512H, FEAT_SHA512 },  { 0xce000000, FEAT_SHA3 }, { 0xce400000, FEAT_SM3 }, { SM4E, FEAT_SM4 },
        { UDOT_4S, FEAT_DOTPROD }, { USDOT_4S, FEAT_I8MM },   { 0x2e408400, FEAT_RDM },
    };
    for (unsigned n = 0; n < ARRAY_LEN(gated); n++) {
        struct features f;
        struct op op;
        memset(&f, 0xff, sizeof f);
        feature_remove(&f, gated[n].feature);
        struct decoder *without = decoder_create(&f);
        ck_assert(without != NULL);
        ck_assert_ptr_null(decoder_decode(without, gated[n].word, ENGINE_STEP, &op));
        ck_assert_ptr_nonnull(decoder_decode(decoder, gated[n].word, ENGINE_STEP, &op));
        decoder_destroy(without);
    }
}
END_TEST

Suite *test_crypto_suite(void)
{
    Suite *s = suite_create("crypto");
    TCase *known = tcase_create("known answers");
    tcase_add_checked_fixture(known, setup, teardown);
    tcase_add_test(known, aes_fips197);
    tcase_add_test(known, sha1_abc);
    tcase_add_test(known, sha256_abc);
    tcase_add_test(known, sha512_abc);
    tcase_add_test(known, sm4_example);
    tcase_add_test(known, carryless_products);
    tcase_add_test(known, dot_products);
    tcase_add_test(known, feature_gates);
    tcase_set_timeout(known, 60);
    suite_add_tcase(s, known);
    return s;
}
