/*
 * Floating point on the host's unit (cpu/insn/fp_host.h) against the soft-float: each hot instruction is run as a word
 * by both engines with random operands, once where the host may be used and once where FPCR.FZ16, which means nothing
 * to single and double precision, forbids it. Registers, NZCV and FPSR must be the same. Also that the host is in fact
 * used, and that reserved words and absent formats are refused.
 */
#include <check.h>
#include <stdlib.h>
#include "cpu/insn/fp_host.h"
#include "tests/unit/word.h"
#include "tests/unit/rounds.h"

Suite *test_fp_fast_suite(void);

static struct decoder *decoder, *plain;
static struct cpu *cpu, *start;

static void setup(void)
{
    struct features all, none = { { 0 } };
    memset(&all, 0xff, sizeof all);
    feature_add(&none, FEAT_BASE);
    decoder = decoder_create(&all);
    plain = decoder_create(&none);
    cpu = calloc(1, sizeof *cpu);
    start = calloc(1, sizeof *start);
    ck_assert(decoder && plain && cpu && start);
}

static void teardown(void)
{
    decoder_destroy(decoder);
    decoder_destroy(plain);
    free(cpu);
    free(start);
}

static void run(u32 word, enum engine engine, u64 fpcr, u64 fpsr)
{
    memcpy(cpu, start, offsetof(struct cpu, sys));
    cpu->fpcr = (u32)fpcr;
    cpu->fpsr = (u32)fpsr;
    word_execute(cpu, decoder, word, engine);
}

/* ---- random operands: often near each other, near the ends of the range, or special ---- */

static u64 seed;
static u64 next(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static u64 operand(bool dbl)
{
    static const u32 exponents32[] = { 0,    1,    2,    3,    0x66, 0x7d, 0x7e, 0x7f, 0x80,
                                       0x96, 0x9d, 0x9e, 0x9f, 0xbe, 0xbf, 0xfd, 0xfe, 0xff };
    static const u32 exponents64[] = { 0,     1,     2,     0x3c9, 0x3fd, 0x3fe, 0x3ff, 0x400, 0x41d,
                                       0x41e, 0x41f, 0x433, 0x43d, 0x43e, 0x43f, 0x7fd, 0x7fe, 0x7ff };
    u64 r = next(), e = next();
    static const u64 keep[] = { ~(u64)0, ~(u64)0, 0, 0xffff000000000000, 0xfffffffffffff000, 0xffffffffe0000000 };
    unsigned exp = 52, width = 64;
    if (!dbl)
        exp = 23, width = 32;
    u64 fraction = r & keep[next() % ARRAY_LEN(keep)] & ones(52);
    if (!dbl)
        fraction >>= 29;
    u64 exponent = dbl ? 0x3ff - 4 + e % 8 : 0x7f - 4 + e % 8;
    if ((e >> 8 & 7) == 0)
        exponent = dbl ? exponents64[e % ARRAY_LEN(exponents64)] : exponents32[e % ARRAY_LEN(exponents32)];
    else if ((e >> 8 & 7) == 1)
        exponent = (e >> 16) & ones(width - exp - 1);
    return (e >> 60 & 1) << (width - 1) | exponent << exp | fraction;
}

static union vreg vector(bool dbl)
{
    if (dbl)
        return (union vreg){ .d = { operand(true), operand(true) } };
    return (union vreg){ .s = { (u32)operand(false), (u32)operand(false), (u32)operand(false), (u32)operand(false) } };
}

static u64 integer(void)
{
    u64 v = next() >> (next() & 63);
    return next() & 1 ? v : -v;
}

/* ---- the hot words: V0 = op(V1, V2, V3), general registers X4; without bit 22 the same in single precision ---- */

#define N1     (1u << 5)
#define N1M2   (2u << 16 | N1)
#define N1M2A3 (3u << 10 | N1M2)
static const struct {
    const char *name;
    u32 word;
} words[] = {
    { "fadd", 0x1e602800 | N1M2 },      { "fsub", 0x1e603800 | N1M2 },      { "fmul", 0x1e600800 | N1M2 },
    { "fnmul", 0x1e608800 | N1M2 },     { "fdiv", 0x1e601800 | N1M2 },      { "fsqrt", 0x1e61c000 | N1 },
    { "fmadd", 0x1f400000 | N1M2A3 },   { "fmsub", 0x1f408000 | N1M2A3 },   { "fnmadd", 0x1f600000 | N1M2A3 },
    { "fnmsub", 0x1f608000 | N1M2A3 },  { "fmax", 0x1e604800 | N1M2 },      { "fmin", 0x1e605800 | N1M2 },
    { "fmaxnm", 0x1e606800 | N1M2 },    { "fminnm", 0x1e607800 | N1M2 },    { "fabs", 0x1e60c000 | N1 },
    { "fneg", 0x1e614000 | N1 },        { "fcmp", 0x1e602000 | N1M2 },      { "fcmpe", 0x1e602010 | N1M2 },
    { "fcmp0", 0x1e602008 | N1 },       { "fcmpe0", 0x1e602018 | N1 },      { "scvtf w", 0x1e620000 | 4 << 5 },
    { "scvtf x", 0x9e620000 | 4 << 5 }, { "ucvtf w", 0x1e630000 | 4 << 5 }, { "ucvtf x", 0x9e630000 | 4 << 5 },
    { "fcvtzs w", 0x1e780004 | N1 },    { "fcvtzs x", 0x9e780004 | N1 },    { "fcvtzu w", 0x1e790004 | N1 },
    { "frintn", 0x1e644000 | N1 },      { "frintp", 0x1e64c000 | N1 },      { "frintm", 0x1e654000 | N1 },
    { "frintz", 0x1e65c000 | N1 },      { "frinta", 0x1e664000 | N1 },      { "frintx", 0x1e674000 | N1 },
    { "frinti", 0x1e67c000 | N1 },      { "fccmp", 0x1e60e40b | N1M2 },     { "fccmpe", 0x1e60e41b | N1M2 },
    { "fccmp ne", 0x1e60141b | N1M2 },  { "fcvtzu x", 0x9e790004 | N1 },    { "fadd v", 0x4e60d400 | N1M2 },
    { "fsub v", 0x4ee0d400 | N1M2 },    { "fmul v", 0x6e60dc00 | N1M2 },    { "fdiv v", 0x6e60fc00 | N1M2 },
    { "fmla v", 0x4e60cc00 | N1M2 },    { "fmls v", 0x4ee0cc00 | N1M2 },    { "fmla x", 0x4fc01000 | N1M2 },
    { "fmla x", 0x4fc01800 | N1M2 },    { "fmls x", 0x4fc05000 | N1M2 },    { "fmls x", 0x4fc05800 | N1M2 },
    { "fmul x", 0x4fc09000 | N1M2 },    { "fmul x", 0x4fc09800 | N1M2 },    { "fabd v", 0x6ee0d400 | N1M2 },
    { "faddp v", 0x6e60d400 | N1M2 },   { "fmax v", 0x4e60f400 | N1M2 },    { "fmaxnm v", 0x4e60c400 | N1M2 },
    { "fmin v", 0x4ee0f400 | N1M2 },    { "fminnm v", 0x4ee0c400 | N1M2 },  { "fcmeq v", 0x4e60e400 | N1M2 },
    { "fcmge v", 0x6e60e400 | N1M2 },   { "fcmgt v", 0x6ee0e400 | N1M2 },   { "facge v", 0x6e60ec00 | N1M2 },
    { "facgt v", 0x6ee0ec00 | N1M2 },   { "fsqrt v", 0x6ee1f800 | N1 },     { "fabs v", 0x4ee0f800 | N1 },
    { "fneg v", 0x6ee0f800 | N1 },      { "fcmgt0 v", 0x4ee0c800 | N1 },    { "fcmeq0 v", 0x4ee0d800 | N1 },
    { "fcmlt0 v", 0x4ee0e800 | N1 },    { "fcmge0 v", 0x6ee0c800 | N1 },    { "fcmle0 v", 0x6ee0d800 | N1 },
    { "fcvtzs v", 0x4ee1b800 | N1 },    { "fcvtzu v", 0x6ee1b800 | N1 },    { "scvtf v", 0x4e61d800 | N1 },
    { "ucvtf v", 0x6e61d800 | N1 },     { "fcvtzs s", 0x5ee1b800 | N1 },    { "fcvtzu s", 0x7ee1b800 | N1 },
    { "scvtf s", 0x5e61d800 | N1 },     { "ucvtf s", 0x7e61d800 | N1 },     { "fcvtn", 0x0e616800 | N1 },
    { "fcvtn2", 0x4e616800 | N1 },      { "fcvtl", 0x0e617800 | N1 },       { "fcvtl2", 0x4e617800 | N1 },
    { "faddp s", 0x7e70d800 | N1 },
};

static void compare(const char *name, u32 word, enum engine engine, u64 fpsr)
{
    struct {
        union vreg v;
        u64 x;
        u32 nzcv, fpsr;
    } soft, host;
    memset(&soft, 0, sizeof soft);
    memset(&host, 0, sizeof host);
    run(word, engine, FPCR_FZ16, fpsr);
    soft.v = cpu->v[0], soft.x = cpu->x[4], soft.nzcv = cpu_nzcv(cpu), soft.fpsr = cpu->fpsr;
    run(word, engine, 0, fpsr);
    host.v = cpu->v[0], host.x = cpu->x[4], host.nzcv = cpu_nzcv(cpu), host.fpsr = cpu->fpsr;
    ck_assert_msg(
        !memcmp(&soft, &host, sizeof soft),
        "%s %08x of %016lx:%016lx %016lx:%016lx %016lx:%016lx x4 %016lx: host %016lx:%016lx x %lx nzcv %x fpsr %x, "
        "soft %016lx:%016lx x %lx nzcv %x fpsr %x",
        name, word, start->v[1].d[1], start->v[1].d[0], start->v[2].d[1], start->v[2].d[0], start->v[3].d[1],
        start->v[3].d[0], start->x[4], host.v.d[1], host.v.d[0], host.x, host.nzcv, host.fpsr, soft.v.d[1], soft.v.d[0],
        soft.x, soft.nzcv, soft.fpsr);
}

static void compare_random(const char *name, u32 word, bool dbl, unsigned count)
{
    seed = 0x9e3779b97f4a7c15 ^ word;
    for (unsigned n = 0; n < rounds(count); n++) {
        for (unsigned k = 0; k < 4; k++)
            start->v[k] = vector(dbl);
        if (next() % 4 == 0) { /* close to a tie, or cancelling */
            start->v[2] = start->v[1];
            start->v[2].d[0] ^= next() % 3 ? next() & 3 : dbl ? BIT(63) : BIT(31);
        }
        start->x[4] = integer();
        if (next() % 8 == 0)
            start->v[1].d[next() & 1] = integer();
        compare(name, word, n & 1 ? ENGINE_THREADED : ENGINE_STEP, n % 8 ? FPSR_IXC : 0);
    }
}

START_TEST(the_host_and_the_soft_float_agree)
{
    const char *name = words[_i].name;
    u32 word = words[_i].word;
    compare_random(name, word, true, 12000);
    compare_random(name, word & ~(u32)BIT(22), false, 12000);
    if (word >> 31 == 0 && bit(word, 30) && !bit(word, 28)) /* 64-bit vectors */
        compare_random(name, word & ~(u32)(BIT(22) | BIT(30)), false, 6000);
}
END_TEST

START_TEST(formats_are_converted_alike)
{
    compare_random("fcvt s, d", 0x1e624000 | N1, true, 12000);
    compare_random("fcvt d, s", 0x1e22c000 | N1, false, 12000);
}
END_TEST

/* A sum in double that lies halfway between two singles, but the exact one does not: both roundings are seen. */
START_TEST(a_single_is_not_rounded_twice)
{
    const u32 word = (0x1f400000 & ~(u32)BIT(22)) | N1M2A3;
    for (unsigned n = 0; n < 4; n++) {
        start->v[1].d[0] = 0x3f800000;                      /* 1 */
        start->v[2].d[0] = n & 1 ? 0x3f800001 : 0x3f800000; /* 1 or 1 + 2^-23 */
        start->v[3].d[0] = n & 2 ? 0x33800000 : 0x33800001; /* 2^-24, or a little more */
        compare("fmadd", word, ENGINE_STEP, FPSR_IXC);
    }
    start->v[1].d[0] = 0x3f800001;
    start->v[2].d[0] = 0x3f800001; /* 1 + 2^-22 + 2^-46 */
    start->v[3].d[0] = 0xb3800000 + 0x20;
    compare("fmadd", word, ENGINE_STEP, FPSR_IXC);
}
END_TEST

START_TEST(the_host_is_used)
{
    const u64 a = 0x3ff8000000000000, b = 0x4002000000000000, c = 0x3fb999999999999a; /* 1.5, 2.25, 0.1 */
    const u64 a32 = 0x3fc00000, b32 = 0x40100000, c32 = 0x3dcccccd;
    if (FLT_EVAL_METHOD != 0)
        return;
    cpu->fpcr = 0;
    cpu->fpsr = FPSR_IXC;
    ck_assert(fp_host_ok(cpu) && fp_host_modes(cpu));
    ck_assert(fp_host_add(true, a, c).ok && fp_host_sub(true, a, b).ok && fp_host_mul(true, a, c).ok &&
              fp_host_div(true, a, c).ok);
    ck_assert(fp_host_add(false, a32, c32).ok && fp_host_mul(false, a32, c32).ok &&
              fp_host_muladd(false, c32, a32, b32).ok);
    ck_assert(fp_host_mul(true, 0, a).ok && fp_host_div(true, 0, a).ok && fp_host_add(true, 0, 0).ok);
    ck_assert_uint_eq(fp_host_muladd(true, a, b, c).ok, host_has_fma());
    ck_assert_uint_eq(fp_host_sqrt(true, a).ok, host_has_sqrt());
    /* Not where a flag or a mode would show. */
    ck_assert(!fp_host_mul(true, 1, c).ok && !fp_host_mul(true, 0x0010000000000000, 0x3fefffffffffffff).ok);
    ck_assert(!fp_host_add(true, 0x7fefffffffffffff, 0x7fefffffffffffff).ok && !fp_host_div(true, a, 0).ok);
    ck_assert(!fp_host_to_int(true, true, false, 0x43e0000000000000).ok &&
              !fp_host_to_int(true, false, true, 0xbff0000000000000).ok);
    for (unsigned n = 0; n < 32; n++) {
        cpu->fpcr = (u32)BIT(n);
        ck_assert_uint_eq(fp_host_modes(cpu), !(BIT(n) & 0x01c80007));
    }
    cpu->fpcr = 0;
    cpu->fpsr = ~(u32)FPSR_IXC;
    ck_assert(!fp_host_ok(cpu));
}
END_TEST

/* Words that no feature makes an instruction, and those that need one. */
START_TEST(reserved_words_are_refused)
{
    static const u32 reserved[] = {
        0x1ea02800, /* FADD, ftype 10 */
        0x1e201020, /* FMOV immediate with imm5 */
        0x1e187c00, /* FCVTZS to 33 bits of fraction in a W register */
        0x0e60d400, /* FADD, a vector of one double */
        0x0ee0f800, /* FABS, the same */
        0x4fe09000, /* FMUL by element of a double with L */
        0x2f401800, /* FCMLA by element of half precision, index 2 in 64 bits */
        0x1e62c000, /* FCVT double to double */
    };
    struct op op;
    for (unsigned n = 0; n < ARRAY_LEN(reserved); n++)
        ck_assert_msg(!decoder_decode(decoder, reserved[n], ENGINE_STEP, &op), "%08x is decoded", reserved[n]);
    static const u32 optional[] = {
        0x1ee02800, /* FADD, half precision */
        0x0e401400, /* and a vector of it */
        0x0e20ec00, /* FMLAL */
        0x2e80c400, /* FCMLA */
        0x1e7e0000, /* FJCVTZS */
        0x1e284000, /* FRINT32Z */
        0x1e634000, /* BFCVT */
        0x2e40fc00, /* BFDOT */
    };
    for (unsigned n = 0; n < ARRAY_LEN(optional); n++) {
        ck_assert_msg(decoder_decode(decoder, optional[n], ENGINE_STEP, &op), "%08x is not decoded", optional[n]);
        ck_assert_msg(!decoder_decode(plain, optional[n], ENGINE_STEP, &op), "%08x is decoded", optional[n]);
    }
}
END_TEST

Suite *test_fp_fast_suite(void)
{
    Suite *s = suite_create("fp_fast");
    TCase *t = tcase_create("host against soft-float");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, the_host_and_the_soft_float_agree, 0, ARRAY_LEN(words));
    tcase_add_test(t, formats_are_converted_alike);
    tcase_add_test(t, a_single_is_not_rounded_twice);
    tcase_add_test(t, the_host_is_used);
    tcase_add_test(t, reserved_words_are_refused);
    suite_add_tcase(s, t);
    return s;
}
